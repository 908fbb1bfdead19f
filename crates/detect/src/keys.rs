//! Posting keys: URLs in canonical form, job ids of applicant tracking systems, text hashes.
//!
//! The canonical URL of a page (DESIGN *The data*, "Posting id") is its `rel=canonical` if that
//! stands on the page's own host or the page's URL is unknown, else the page's URL, else `og:url`.

use crate::html::Page;
use ghostlight_model::{ContentHash, keys::PostingKey};
use url::{Host, Url};

/// URLs longer than this are no keys; browsers refuse them about here.
const URL_BYTES_MAX: usize = 8192;

/// Query parameters that say where a visitor came from, not which posting is meant.
const TRACKING: [&str; 36] = [
    "gclid",
    "gclsrc",
    "dclid",
    "gbraid",
    "wbraid",
    "fbclid",
    "msclkid",
    "twclid",
    "ttclid",
    "li_fat_id",
    "igshid",
    "mc_cid",
    "mc_eid",
    "yclid",
    "_hsenc",
    "_hsmi",
    "mkt_tok",
    "gh_src",
    "lever-source",
    "lever-origin",
    "lever-source[]",
    "lever-via",
    "ashby_source",
    "ref",
    "refid",
    "referrer",
    "referer",
    "source",
    "src",
    "trk",
    "trackingid",
    "trid",
    "trackid",
    "jobboardsource",
    "_ga",
    "_gl",
];

/// A job's id on the system of a vendor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AtsId {
    pub vendor: &'static str,
    pub board: String,
    pub job: String,
}

impl AtsId {
    /// As a posting key; boards and ids compare in lower case.
    pub fn key(&self) -> PostingKey {
        PostingKey::Ats {
            vendor: self.vendor.to_owned(),
            board: self.board.to_lowercase(),
            job: self.job.to_lowercase(),
        }
    }
}

/// The URL as a key: scheme and host in lower case, without fragment, credentials and tracking
/// parameters. A fragment that is a route of a page's own (`#/job/7`, `#!/job/7`) names the job and
/// stays. `None` if it is no web address.
pub(crate) fn canonical(text: &str) -> Option<String> {
    let mut url = web(text)?;
    let is_route = |fragment: &str| fragment.starts_with(['/', '!']) && fragment.len() > 1;
    if !url.fragment().is_some_and(is_route) {
        url.set_fragment(None);
    }
    let _ = url.set_username("");
    let _ = url.set_password(None);
    let kept: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(name, value)| !is_tracking(name, value))
        .map(|(n, v)| (n.into_owned(), v.into_owned()))
        .collect();
    let all = url.query_pairs().count();
    if kept.is_empty() {
        url.set_query(None);
    } else if kept.len() < all {
        url.query_pairs_mut().clear().extend_pairs(kept);
    }
    Some(url.into())
}

/// `text` as an absolute web address, resolved against `base` where it is relative.
pub(crate) fn absolute(text: &str, base: Option<&str>) -> Option<String> {
    let text = text.trim();
    if let Some(url) = web(text) {
        return Some(url.into());
    }
    if text.is_empty() || Url::parse(text).is_ok() {
        return None;
    }
    let joined = web(base?)?.join(text).ok()?;
    web(joined.as_str()).map(Url::into)
}

/// What an address alone names, strongest first: a job on a known system, and the canonical URL.
/// Empty if it is no web address.
pub fn of_url(url: &str) -> Vec<PostingKey> {
    let id = ats_id(url).map(|id| id.key());
    let canonical = canonical(url).map(PostingKey::Url);
    id.into_iter().chain(canonical).collect()
}

/// The keys of a page, strongest first.
pub(crate) fn of_page(page: &Page, url: Option<&str>) -> Vec<PostingKey> {
    let mut keys = Vec::new();
    let address = address_of(page, url);
    let own = [url, address.as_deref()]
        .into_iter()
        .flatten()
        .find_map(ats_id);
    keys.extend(own.map(|id| id.key()));
    keys.extend(address.as_deref().and_then(canonical).map(PostingKey::Url));
    keys.push(of_text(&page.visible));
    keys
}

/// The address a page gives as its own (see the head of this file).
pub(crate) fn address_of(page: &Page, url: Option<&str>) -> Option<String> {
    let canonical = page.canonical.as_ref().and_then(|c| absolute(&c.text, url));
    let same_host = |a: &str, b: &str| {
        let host = |text: &str| web(text).and_then(|u| u.host_str().map(str::to_owned));
        host(a) == host(b)
    };
    match (url.filter(|u| web(u).is_some()), canonical) {
        (Some(url), Some(canonical)) if same_host(url, &canonical) => Some(canonical),
        (Some(url), _) => Some(url.to_owned()),
        (None, Some(canonical)) => Some(canonical),
        (None, None) => page.meta("og:url").and_then(|m| absolute(&m.text, None)),
    }
}

/// The key of a text: the hash of its words in lower case, so that blanks, case and punctuation
/// make no difference.
pub(crate) fn of_text(visible: &str) -> PostingKey {
    let mut normal = String::with_capacity(visible.len());
    for word in visible
        .split(|c: char| !c.is_alphanumeric())
        .filter(|w| !w.is_empty())
    {
        normal.extend(word.chars().flat_map(char::to_lowercase));
        normal.push(' ');
    }
    PostingKey::Text(ContentHash::of_bytes(normal.as_bytes()))
}

/// Vendor, board and job id that a URL of a known system names.
pub(crate) fn ats_id(text: &str) -> Option<AtsId> {
    let url = web(text)?;
    let host = url.host_str()?.to_ascii_lowercase();
    let path: Vec<&str> = url.path_segments()?.filter(|s| !s.is_empty()).collect();
    let id = |vendor, board: &str, job: &str| {
        let (board, job) = (board.trim(), job.trim());
        (!board.is_empty() && !job.is_empty()).then(|| AtsId {
            vendor,
            board: board.into(),
            job: job.into(),
        })
    };
    let query = |name: &str| {
        url.query_pairs()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.into_owned())
    };
    let sub = |domain: &str| host.strip_suffix(domain).and_then(|h| h.strip_suffix('.'));
    match (host.as_str(), &path[..]) {
        (
            "boards.greenhouse.io"
            | "job-boards.greenhouse.io"
            | "boards.eu.greenhouse.io"
            | "job-boards.eu.greenhouse.io",
            path,
        ) => match path {
            ["embed", "job_app", ..] => id("greenhouse", &query("for")?, &query("token")?),
            [board, "jobs", job, ..] => id("greenhouse", board, job),
            _ => None,
        },
        ("boards-api.greenhouse.io", ["v1", "boards", board, "jobs", job, ..]) => {
            id("greenhouse", board, job)
        }
        ("jobs.lever.co" | "jobs.eu.lever.co", [board, job, ..]) => id("lever", board, job),
        ("api.lever.co" | "api.eu.lever.co", ["v0", "postings", board, job, ..]) => {
            id("lever", board, job)
        }
        ("jobs.ashbyhq.com", [board, job, ..]) => id("ashby", board, job),
        ("apply.workable.com", [board, "j", job, ..]) => id("workable", board, job),
        ("jobs.smartrecruiters.com" | "careers.smartrecruiters.com", [board, job, ..]) => {
            id("smartrecruiters", board, leading_id(job))
        }
        (
            "recruiting.paylocity.com",
            [
                "Recruiting" | "recruiting",
                "Jobs" | "jobs",
                "Details",
                job,
                board,
                ..,
            ],
        ) => id("paylocity", board, job),
        ("ats.rippling.com", [board, "jobs", job, ..]) => id("rippling", board, job),
        (_, path) => match path {
            ["o", job, ..] if sub("recruitee.com").is_some() => {
                id("recruitee", sub("recruitee.com")?, job)
            }
            ["job", job, ..] if sub("jobs.personio.de").is_some() => {
                id("personio", sub("jobs.personio.de")?, job)
            }
            ["job", job, ..] if sub("jobs.personio.com").is_some() => {
                id("personio", sub("jobs.personio.com")?, job)
            }
            ["jobs", job, ..] if sub("teamtailor.com").is_some() => {
                id("teamtailor", sub("teamtailor.com")?, leading_id(job))
            }
            ["careers" | "jobs", job, ..] if sub("bamboohr.com").is_some() => {
                id("bamboohr", sub("bamboohr.com")?, job)
            }
            [.., job] if host.ends_with(".myworkdayjobs.com") && path.contains(&"job") => {
                let job = job.rsplit_once('_').map_or(*job, |(_, id)| id);
                id("workday", host.split('.').next()?, job)
            }
            [.., job, "job"] if host.ends_with(".icims.com") => {
                let job = path
                    .iter()
                    .find(|p| p.bytes().all(|b| b.is_ascii_digit()))
                    .unwrap_or(job);
                id("icims", host.split('.').next()?, job)
            }
            _ => None,
        },
    }
}

/// The name of a vendor as people write it.
pub(crate) fn vendor_label(vendor: &str) -> &str {
    match vendor {
        "greenhouse" => "Greenhouse",
        "lever" => "Lever",
        "ashby" => "Ashby",
        "workable" => "Workable",
        "smartrecruiters" => "SmartRecruiters",
        "recruitee" => "Recruitee",
        "personio" => "Personio",
        "teamtailor" => "Teamtailor",
        "bamboohr" => "BambooHR",
        "workday" => "Workday",
        "icims" => "iCIMS",
        "paylocity" => "Paylocity",
        "rippling" => "Rippling",
        "usajobs" => "USAJOBS",
        other => other,
    }
}

/// `7167985-account-executive` → `7167985`.
fn leading_id(slug: &str) -> &str {
    let digits = slug.bytes().take_while(u8::is_ascii_digit).count();
    if digits >= 4 { &slug[..digits] } else { slug }
}

fn is_tracking(name: &str, value: &str) -> bool {
    let name = name.to_ascii_lowercase();
    // `?ref=R-1234` names a job, `?ref=newsletter` a visitor's way.
    let may_name_a_job = matches!(
        name.as_str(),
        "ref" | "refid" | "source" | "src" | "trackid"
    );
    let has_digits = value.bytes().any(|b| b.is_ascii_digit());
    name.starts_with("utm_")
        || (TRACKING.contains(&name.as_str()) && !(may_name_a_job && has_digits))
}

/// A web address with a host.
fn web(text: &str) -> Option<Url> {
    let text = text.trim();
    if text.len() > URL_BYTES_MAX {
        return None;
    }
    let url = Url::parse(text).ok()?;
    let has_host = match url.host()? {
        Host::Domain(domain) => !domain.is_empty(),
        _ => true,
    };
    (matches!(url.scheme(), "http" | "https") && has_host).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_become_canonical() {
        for (text, want) in [
            (
                "HTTPS://Jobs.Oriel.Example/Baker?utm_source=x&id=7&gh_src=y#apply",
                Some("https://jobs.oriel.example/Baker?id=7"),
            ),
            (
                "https://oriel.example/jobs?b=2&a=1",
                Some("https://oriel.example/jobs?b=2&a=1"),
            ),
            (
                "https://oriel.example:443/?fbclid=1",
                Some("https://oriel.example/"),
            ),
            ("javascript:alert(1)", None),
            ("/relative", None),
        ] {
            assert_eq!(canonical(text).as_deref(), want, "{text}");
        }
        assert_eq!(
            absolute("/a", Some("https://oriel.example/b/c")).as_deref(),
            Some("https://oriel.example/a")
        );
        assert_eq!(
            absolute("mailto:a@b.example", Some("https://oriel.example/")),
            None
        );
    }

    #[test]
    fn boards_and_jobs_are_read_from_urls() {
        for (text, want) in [
            (
                "https://boards.greenhouse.io/oriel/jobs/4001?gh_jid=4001",
                "greenhouse/oriel/4001",
            ),
            (
                "https://job-boards.eu.greenhouse.io/oriel/jobs/4001",
                "greenhouse/oriel/4001",
            ),
            (
                "https://jobs.lever.co/Oriel/0001-aaaa/apply",
                "lever/oriel/0001-aaaa",
            ),
            (
                "https://jobs.ashbyhq.com/oriel/abc-1/application",
                "ashby/oriel/abc-1",
            ),
            (
                "https://oriel.teamtailor.com/jobs/7167985-baker",
                "teamtailor/oriel/7167985",
            ),
            (
                "https://oriel.wd5.myworkdayjobs.com/en-US/Site/job/Berlin/Baker_R-12",
                "workday/oriel/r-12",
            ),
            ("https://oriel.example/jobs/7", "-"),
        ] {
            let got = ats_id(text).map(|id| id.key().stored());
            assert_eq!(got.as_deref().map_or("-", |k| &k[4..]), want, "{text}");
        }
    }

    #[test]
    fn the_canonical_link_counts_on_its_own_host_only() {
        let page = |html: &str| crate::html::read(html);
        let own = page("<link rel=canonical href='https://oriel.example/jobs/7'>");
        let other = page("<link rel=canonical href='https://aggregator.example/9'>");
        let url = Some("https://oriel.example/jobs/7?x=1");
        assert_eq!(
            address_of(&own, url).as_deref(),
            Some("https://oriel.example/jobs/7")
        );
        assert_eq!(address_of(&other, url).as_deref(), url);
        assert_eq!(
            address_of(&other, None).as_deref(),
            Some("https://aggregator.example/9")
        );
    }

    #[test]
    fn texts_that_differ_in_blanks_have_one_key() {
        assert_eq!(
            of_text("Night Baker,\n Berlin"),
            of_text("night   baker Berlin.")
        );
        assert_ne!(of_text("Night Baker"), of_text("Day Baker"));
    }
}
