//! From the public page of a posting to the vendor's public JSON for it.
//!
//! Sources, each the vendor's own documentation:
//! - Greenhouse, Job Board API, "Retrieve a job":
//!   `GET https://boards-api.greenhouse.io/v1/boards/{board_token}/jobs/{id}`
//!   (<https://developers.greenhouse.io/job-board.html>). It names one API host only, so the
//!   European pages are looked up there too. `pay_transparency=true` adds the pay ranges
//!   (<https://support.greenhouse.io/hc/en-us/articles/10028084062491>).
//! - Lever, Postings API, "Get a specific job posting": `GET /v0/postings/SITE/POSTING-ID` below
//!   `https://api.lever.co` or `https://api.eu.lever.co`
//!   (<https://github.com/lever/postings-api>).
//! - Ashby, Job Postings API: `GET https://api.ashbyhq.com/posting-api/job-board/{JOB_BOARD_NAME}`
//!   (<https://developers.ashbyhq.com/docs/public-job-posting-api>). It gives the whole board;
//!   the posting is the entry whose `jobUrl` or `id` fits.

use url::Url;

/// The vendor's JSON address for the posting at `url`, or `None` where the page is none of a
/// known vendor's or names no single posting.
///
/// `?gh_jid=` on an employer's own site is not enough: it holds the job's number, not the board.
#[must_use]
pub fn ats_api_url(url: &Url) -> Option<Url> {
    // Another port is another server, whatever its name.
    if !matches!(url.scheme(), "http" | "https") || url.port().is_some() {
        return None;
    }
    let segments: Vec<&str> = url
        .path_segments()?
        .filter(|segment| !segment.is_empty())
        .collect();
    let api = match url.host_str()? {
        "boards.greenhouse.io"
        | "job-boards.greenhouse.io"
        | "boards.eu.greenhouse.io"
        | "job-boards.eu.greenhouse.io" => greenhouse(url, &segments)?,
        "jobs.lever.co" => lever("https://api.lever.co", &segments)?,
        "jobs.eu.lever.co" => lever("https://api.eu.lever.co", &segments)?,
        "jobs.ashbyhq.com" => ashby(&segments)?,
        _ => return None,
    };
    Url::parse(&api).ok()
}

fn greenhouse(url: &Url, segments: &[&str]) -> Option<String> {
    let query = |key| {
        url.query_pairs()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value.into_owned())
    };
    let (board, job) = match segments {
        ["embed", "job_app"] => (query("for")?, query("token")?),
        [board, "jobs", job] => ((*board).to_owned(), (*job).to_owned()),
        _ => return None,
    };
    let board_ok = board
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    let job_ok = (1..=20).contains(&job.len()) && job.bytes().all(|b| b.is_ascii_digit());
    (!board.is_empty() && board_ok && job_ok).then(|| {
        format!(
            "https://boards-api.greenhouse.io/v1/boards/{board}/jobs/{job}?pay_transparency=true"
        )
    })
}

fn lever(api: &str, segments: &[&str]) -> Option<String> {
    let (site, posting) = site_and_posting(segments, "apply")?;
    Some(format!("{api}/v0/postings/{site}/{posting}"))
}

fn ashby(segments: &[&str]) -> Option<String> {
    let (board, _) = site_and_posting(segments, "application")?;
    Some(format!(
        "https://api.ashbyhq.com/posting-api/job-board/{board}?includeCompensation=true"
    ))
}

/// `SITE/UUID`, or the form to apply below it. The segments come out of a parsed URL, so they are
/// percent-encoded and hold no `/`, `?` or `..`.
fn site_and_posting<'a>(segments: &[&'a str], form: &str) -> Option<(&'a str, &'a str)> {
    match segments {
        [site, posting] if is_uuid(posting) => Some((site, posting)),
        [site, posting, last] if is_uuid(posting) && *last == form => Some((site, posting)),
        _ => None,
    }
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9";

    fn check(page: &str, expected: Option<&str>) {
        let (page, expected) = (
            page.replace("ID", ID),
            expected.map(|api| api.replace("ID", ID)),
        );
        let found = ats_api_url(&page.parse().unwrap()).map(String::from);
        assert_eq!(found, expected, "{page}");
    }

    #[test]
    fn postings_have_a_json_address() {
        let greenhouse = Some(
            "https://boards-api.greenhouse.io/v1/boards/tidewright/jobs/4012345?pay_transparency=true",
        );
        check(
            "https://boards.greenhouse.io/tidewright/jobs/4012345",
            greenhouse,
        );
        check(
            "http://boards.greenhouse.io/tidewright/jobs/4012345/?gh_src=x#app",
            greenhouse,
        );
        check(
            "https://job-boards.greenhouse.io/tidewright/jobs/4012345",
            greenhouse,
        );
        check(
            "https://job-boards.eu.greenhouse.io/tidewright/jobs/4012345",
            greenhouse,
        );
        check(
            "https://boards.greenhouse.io/embed/job_app?for=tidewright&token=4012345",
            greenhouse,
        );
        check(
            "https://jobs.lever.co/tidewright/ID",
            Some("https://api.lever.co/v0/postings/tidewright/ID"),
        );
        check(
            "https://jobs.lever.co/tidewright/ID/apply",
            Some("https://api.lever.co/v0/postings/tidewright/ID"),
        );
        check(
            "https://jobs.eu.lever.co/tidewright/ID",
            Some("https://api.eu.lever.co/v0/postings/tidewright/ID"),
        );
        let ashby = Some(
            "https://api.ashbyhq.com/posting-api/job-board/Tide%20Wright?includeCompensation=true",
        );
        check("https://jobs.ashbyhq.com/Tide%20Wright/ID", ashby);
        check(
            "https://jobs.ashbyhq.com/Tide%20Wright/ID/application?utm_source=x",
            ashby,
        );
    }

    #[test]
    fn other_pages_have_none() {
        for page in [
            "https://tidewright.example/careers?gh_jid=4012345",
            "https://boards.greenhouse.io/tidewright",
            "https://boards.greenhouse.io/tidewright/jobs/",
            "https://boards.greenhouse.io/tidewright/jobs/four",
            "https://boards.greenhouse.io/tide%2Fwright/jobs/4012345",
            "https://boards.greenhouse.io/embed/job_app?token=4012345",
            "https://boards.greenhouse.io/embed/job_app?for=../x&token=4012345",
            "https://boards.greenhouse.io:8443/tidewright/jobs/4012345",
            "https://boards.greenhouse.io.example/tidewright/jobs/4012345",
            "https://jobs.lever.co/tidewright",
            "https://jobs.lever.co/tidewright/not-an-id",
            "https://jobs.lever.co/tidewright/ID/thanks",
            "https://jobs.ashbyhq.com/Tide%20Wright",
            "ftp://jobs.lever.co/tidewright/ID",
            "data:text/plain,x",
        ] {
            check(page, None);
        }
    }
}
