//! The head of a page: Open Graph, `<title>`, canonical link. Written for search results and link
//! previews, so it says less surely what the posting says.

use super::Out;
use crate::{
    entities::clean,
    html::{Page, Sourced},
    keys,
};
use ghostlight_model::{FieldKey, FieldValue};

/// Hands what the head says to `out`.
pub(crate) fn emit(page: &Page, url: Option<&str>, out: &mut Out<'_>) {
    let site = page.meta("og:site_name");
    title(page, site, out);
    if let Some(site) = site {
        let name = without_career_words(&clean(&site.text));
        if !name.is_empty() {
            put(FieldKey::Company, FieldValue::Text(name), 550, site, out);
        }
    }
    if let Some(text) = page.meta("og:description").or(page.meta("description")) {
        put(
            FieldKey::Description,
            FieldValue::Text(clean(&text.text)),
            300,
            text,
            out,
        );
    }
    if let Some(link) = page.canonical.as_ref().or(page.meta("og:url"))
        && let Some(address) = keys::absolute(&link.text, url)
    {
        if let Some(id) = keys::ats_id(&address) {
            let label = keys::vendor_label(id.vendor).to_owned();
            put(FieldKey::Platform, FieldValue::Text(label), 950, link, out);
        }
        put(FieldKey::ApplyUrl, FieldValue::Url(address), 600, link, out);
    }
}

/// The title a reader of search results sees, without the site's name.
fn title(page: &Page, site: Option<&Sourced>, out: &mut Out<'_>) {
    let site = site.map(|s| clean(&s.text));
    let candidates = [(page.meta("og:title"), 640), (page.title.as_ref(), 600)];
    for (found, confidence) in candidates.into_iter().filter_map(|(f, c)| Some((f?, c))) {
        let (title, company) = split_title(&clean(&found.text), site.as_deref());
        if let Some(company) = company.filter(|_| site.is_none()) {
            put(
                FieldKey::Company,
                FieldValue::Text(company),
                500,
                found,
                out,
            );
        }
        if !title.is_empty() && !is_generic(&title) {
            put(
                FieldKey::Title,
                FieldValue::Text(title),
                confidence,
                found,
                out,
            );
        }
    }
}

/// `Baker - Oriel Bread | Careers` → `Baker` and `Oriel Bread`.
fn split_title(title: &str, site: Option<&str>) -> (String, Option<String>) {
    const SEPARATORS: [&str; 8] = [" | ", " @ ", " – ", " — ", " - ", " · ", " :: ", " at "];
    let mut rest = title;
    let mut company = None;
    for _ in 0..2 {
        let split = SEPARATORS
            .iter()
            .filter_map(|s| rest.rfind(s).map(|at| (at, s.len())))
            .max();
        let Some((at, width)) = split else { break };
        let (head, tail) = (&rest[..at], &rest[at + width..]);
        let names_site = site.is_some_and(|s| s.eq_ignore_ascii_case(tail));
        let is_career = is_generic(tail)
            || tail.to_lowercase().contains("career")
            || tail.to_lowercase().contains("jobs");
        if names_site || is_career {
            rest = head;
        } else if company.is_none()
            && tail.split_whitespace().count() <= 4
            && !tail.contains(['(', '/'])
        {
            company = Some(tail.to_owned());
            rest = head;
            break;
        } else {
            break;
        }
    }
    (rest.trim().to_owned(), company)
}

/// Titles that name no job.
fn is_generic(title: &str) -> bool {
    const GENERIC: [&str; 22] = [
        "careers",
        "career",
        "jobs",
        "job",
        "job details",
        "job detail",
        "job description",
        "current openings",
        "open positions",
        "job search",
        "search jobs",
        "home",
        "apply",
        "apply now",
        "job openings",
        "vacancies",
        "join us",
        "stellenangebot",
        "stellenangebote",
        "karriere",
        "offres d'emploi",
        "empleo",
    ];
    GENERIC.contains(&title.trim().to_lowercase().as_str())
}

fn without_career_words(name: &str) -> String {
    let mut name = name.trim();
    for word in [" Careers", " Career", " Jobs", " Karriere", " Recruitment"] {
        name = name.strip_suffix(word).unwrap_or(name);
    }
    if is_generic(name) {
        String::new()
    } else {
        name.trim().to_owned()
    }
}

fn put(field: FieldKey, value: FieldValue, confidence: u16, found: &Sourced, out: &mut Out<'_>) {
    out.put_span(field, value, confidence, found.span.clone(), None);
}

/// Whether a posting's title and the page's own title speak of the same job.
pub(crate) fn names(page: &Page, job_title: &str) -> bool {
    let norm = |text: &str| clean(text).to_lowercase();
    let job_title = norm(job_title);
    let titles = [page.title.as_ref(), page.meta("og:title")];
    titles
        .into_iter()
        .flatten()
        .any(|t| norm(&t.text).contains(&job_title))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_lose_the_site_name() {
        for (title, site, want, company) in [
            (
                "Night Baker | Oriel Bread",
                None,
                "Night Baker",
                Some("Oriel Bread"),
            ),
            ("Night Baker @ oriel", None, "Night Baker", Some("oriel")),
            (
                "Night Baker - Oriel Bread | Careers",
                None,
                "Night Baker",
                Some("Oriel Bread"),
            ),
            ("Night Baker | Careers", None, "Night Baker", None),
            ("Night Baker", None, "Night Baker", None),
        ] {
            assert_eq!(
                split_title(title, site),
                (want.to_owned(), company.map(str::to_owned)),
                "{title}"
            );
        }
    }
}
