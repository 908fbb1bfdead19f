//! Where to apply, and which system carries the posting: URLs of the text and of the page.

use super::{Context, Found, text::Doc};
use ghostlight_model::{Confidence, FieldKey, FieldValue};
use std::ops::Range;

/// Confidence in thousandths.
mod sure {
    /// The page itself lies on the system's host.
    pub const PAGE: u16 = 950;
    /// A link to an applicant tracking system.
    pub const SYSTEM_LINK: u16 = 880;
    /// A link in a line that speaks of applying.
    pub const APPLY_LINE: u16 = 780;
    /// A link whose path speaks of jobs.
    pub const JOBS_PATH: u16 = 600;
}

/// Links looked at in one text.
const LINKS_MAX: usize = 200;

/// Hosts and the system behind them; a subdomain counts.
#[rustfmt::skip]
const SYSTEMS: [(&str, &str); 66] = [
    ("greenhouse.io", "greenhouse"), ("grnh.se", "greenhouse"), ("lever.co", "lever"), ("ashbyhq.com", "ashby"), ("workable.com", "workable"), ("smartrecruiters.com", "smartrecruiters"), ("myworkdayjobs.com", "workday"), ("myworkdaysite.com", "workday"), ("workday.com", "workday"), ("icims.com", "icims"), ("taleo.net", "taleo"), ("oraclecloud.com", "oracle"), ("successfactors.com", "successfactors"), ("successfactors.eu", "successfactors"), ("sapsf.com", "successfactors"), ("jobvite.com", "jobvite"), ("bamboohr.com", "bamboohr"), ("breezy.hr", "breezy"), ("recruitee.com", "recruitee"), ("personio.de", "personio"), ("personio.com", "personio"), ("teamtailor.com", "teamtailor"), ("jazz.co", "jazzhr"), ("applytojob.com", "jazzhr"), ("rippling.com", "rippling"), ("gusto.com", "gusto"), ("paylocity.com", "paylocity"), ("paycomonline.net", "paycom"), ("paycor.com", "paycor"), ("ultipro.com", "ukg"), ("ukg.com", "ukg"), ("adp.com", "adp"), ("dayforcehcm.com", "dayforce"), ("avature.net", "avature"), ("eightfold.ai", "eightfold"), ("phenompeople.com", "phenom"), ("pinpointhq.com", "pinpoint"), ("comeet.com", "comeet"), ("comeet.co", "comeet"), ("homerun.co", "homerun"), ("join.com", "join"), ("softgarden.io", "softgarden"), ("welcometothejungle.com", "welcometothejungle"), ("traffit.com", "traffit"), ("freshteam.com", "freshteam"), ("zohorecruit.com", "zoho"), ("recruiterbox.com", "recruiterbox"), ("hire.trakstar.com", "trakstar"), ("catsone.com", "cats"), ("bullhornstaffing.com", "bullhorn"), ("gem.com", "gem"), ("polymer.co", "polymer"), ("dover.com", "dover"), ("wellfound.com", "wellfound"), ("angel.co", "wellfound"), ("ycombinator.com", "ycombinator"), ("workatastartup.com", "ycombinator"), ("linkedin.com", "linkedin"), ("indeed.com", "indeed"), ("glassdoor.com", "glassdoor"), ("stepstone.de", "stepstone"), ("xing.com", "xing"), ("usajobs.gov", "usajobs"), ("francetravail.fr", "francetravail"), ("arbeitsagentur.de", "arbeitsagentur"), ("infojobs.net", "infojobs"),
];

/// Systems that are sites about jobs and people as well: a link to one is no place to apply.
const NOT_APPLY: [&str; 5] = ["linkedin", "glassdoor", "ycombinator", "gusto", "xing"];

/// The posting's system and the link to apply.
pub(crate) fn find(doc: &Doc, context: Context<'_>, sink: &mut dyn FnMut(Found)) {
    let links = links(doc);
    let page = context.url.and_then(|url| system(host(url)));
    let mut best: Option<(u16, Range<usize>, String)> = None;
    let mut platform: Option<(u16, Range<usize>, &str)> = page.map(|name| (sure::PAGE, 0..0, name));
    for range in links {
        let link = &doc.raw[range.clone()];
        let name = system(host(link)).filter(|name| !NOT_APPLY.contains(name));
        if let Some(name) = name.filter(|_| platform.is_none()) {
            platform = Some((sure::SYSTEM_LINK, range.clone(), name));
        }
        let thousandths = match (name, is_apply_line(doc, &range), jobs_path(link)) {
            (Some(_), ..) => sure::SYSTEM_LINK,
            (_, true, _) => sure::APPLY_LINE,
            (_, _, true) => sure::JOBS_PATH,
            _ => continue,
        };
        if best.as_ref().is_none_or(|(t, ..)| thousandths > *t) {
            best = Some((thousandths, range.clone(), absolute(link)));
        }
    }
    if let Some((thousandths, range, url)) = best {
        sink(Found {
            field: FieldKey::ApplyUrl,
            value: FieldValue::Url(url),
            confidence: Confidence::new(thousandths),
            start: range.start,
            end: range.end,
        });
    }
    if let Some((thousandths, range, name)) = platform {
        sink(Found {
            field: FieldKey::Platform,
            value: FieldValue::Text(name.to_owned()),
            confidence: Confidence::new(thousandths),
            start: range.start,
            end: range.end,
        });
    }
}

/// Spans of `http://…`, `https://…` and `www.…`, without the marks that end a sentence.
fn links(doc: &Doc) -> Vec<Range<usize>> {
    const LINK_BYTES_MAX: usize = 2048;
    let (mut out, mut at) = (Vec::new(), 0);
    while let Some(found) = ["http://", "https://", "www."]
        .iter()
        .filter_map(|s| doc.fold[at..].find(s))
        .min()
    {
        let start = at + found;
        let rest = &doc.raw[start..];
        let len = rest
            .find(|c: char| {
                c.is_whitespace() || matches!(c, '"' | '<' | '>' | '|' | ']' | ')' | '}' | '`')
            })
            .unwrap_or(rest.len());
        let link =
            rest[..len].trim_end_matches(['.', ',', ';', ':', '!', '?', '\'', '*', '_', '…']);
        at = start + len.max(4);
        if link.len() > 10 && link.len() <= LINK_BYTES_MAX && host(link).contains('.') {
            out.push(start..start + link.len());
        }
        if out.len() >= LINKS_MAX || at >= doc.raw.len() {
            break;
        }
        at = super::text::ceil(doc.raw, at);
    }
    out
}

fn absolute(link: &str) -> String {
    if link.to_ascii_lowercase().starts_with("www.") {
        format!("https://{link}")
    } else {
        link.to_owned()
    }
}

fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or("");
    let host = authority.rsplit('@').next().unwrap_or("");
    host.split(':').next().unwrap_or("")
}

fn system(host: &str) -> Option<&'static str> {
    let host = host.to_ascii_lowercase();
    let fits = |suffix: &str| {
        host.strip_suffix(suffix)
            .is_some_and(|head| head.is_empty() || head.ends_with('.'))
    };
    SYSTEMS
        .iter()
        .find(|(suffix, _)| fits(suffix))
        .map(|(_, name)| *name)
}

fn is_apply_line(doc: &Doc, link: &Range<usize>) -> bool {
    let before = doc.before(link.start, 80);
    let heading = if before.trim().is_empty() {
        doc.heading_before(link.start)
    } else {
        ""
    };
    [
        "apply",
        "application",
        "bewerb",
        "postul",
        "candidat",
        "solicit",
        "inscr",
        "submit your",
    ]
    .iter()
    .any(|w| before.contains(w) || heading.contains(w))
}

fn jobs_path(link: &str) -> bool {
    let path = link
        .split_once("://")
        .map_or(link, |(_, rest)| rest)
        .to_ascii_lowercase();
    let (host, path) = path.split_once('/').unwrap_or((path.as_str(), ""));
    [
        "job", "career", "apply", "hiring", "karriere", "recrut", "position", "opening",
    ]
    .iter()
    .any(|w| path.contains(w))
        || host.starts_with("jobs.")
        || host.starts_with("careers.")
        || host.starts_with("apply.")
}
