//! Answers of applicant tracking systems: one file a vendor, recognised by the shape of a job.
//!
//! [`jobs`] finds the jobs of a file wherever they stand (a list, `{"jobs": […]}`, a single job,
//! boards collected by others); [`emit`] maps one of them to fields; [`readable`] writes it as a
//! reader would see it, so that patterns, search and the evidence pane have a text.

mod ashby;
mod greenhouse;
mod lever;
mod other;

use crate::{
    json::{Node, Value},
    keys::AtsId,
    structured::{At, Out, job_posting, json_ld},
};
use ghostlight_model::{FieldKey, FieldValue, Issue, Observation, Severity};

/// Jobs read of one file; more are left out with an issue. The largest board seen has 4,000.
pub const JOBS_MAX: usize = 50_000;

/// Where jobs are looked for below the top of a file.
const SEARCH_DEPTH: usize = 8;

/// Who wrote a job's JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Vendor {
    Ashby,
    Greenhouse,
    Lever,
    /// A schema.org `JobPosting` outside of a page.
    SchemaOrg,
    /// Some other system; its members are known by their usual names.
    Other,
}

/// The jobs in a document, in order, each with its vendor.
pub(crate) fn jobs(document: &Node) -> Vec<(Vendor, At<'_>)> {
    let mut found = Vec::new();
    collect(At::root(document), 0, &mut found);
    found
}

/// Hands the fields of a job to `out`.
pub(crate) fn emit(vendor: Vendor, job: &At<'_>, out: &mut Out<'_>) {
    match vendor {
        Vendor::Ashby => ashby::emit(job, out),
        Vendor::Greenhouse => greenhouse::emit(job, out),
        Vendor::Lever => lever::emit(job, out),
        Vendor::SchemaOrg => job_posting::emit(job, &[job.node], None, out),
        Vendor::Other => other::emit(job, out),
    }
}

/// The job's id on its vendor's system, where the JSON says which board it is of.
pub(crate) fn id(vendor: Vendor, job: &At<'_>) -> Option<AtsId> {
    address(vendor, job)
        .as_deref()
        .and_then(crate::keys::ats_id)
}

/// The job's own address.
pub(crate) fn address(vendor: Vendor, job: &At<'_>) -> Option<String> {
    let keys: &[&str] = match vendor {
        Vendor::Ashby => &["jobUrl", "applyUrl"],
        Vendor::Greenhouse => &["absolute_url"],
        Vendor::Lever => &["hostedUrl", "applyUrl"],
        Vendor::SchemaOrg => &["url", "@id"],
        Vendor::Other => other::URLS,
    };
    keys.iter()
        .find_map(|key| crate::keys::absolute(&job.get(key)?.text()?, None))
}

/// What deserves a look in a job.
pub(crate) fn issues(vendor: Vendor, job: &At<'_>) -> Vec<Issue> {
    let unlisted =
        vendor == Vendor::Ashby && job.get("isListed").and_then(|l| l.truth()) == Some(false);
    let issue = || {
        Issue::new(
            "unlisted",
            Severity::Info,
            "the job system marks this posting as unlisted: it is reachable by its link only",
            None,
        )
    };
    unlisted.then(issue).into_iter().collect()
}

/// A job as readable text: every value it gives, then its description; and where that begins.
pub(crate) fn readable(observations: &[Observation]) -> (String, usize) {
    let of = |key: &FieldKey| observations.iter().find(|o| o.field == *key);
    let quoted = |o: &Observation| {
        let quote = o.evidence.as_ref().map(|e| e.quote.trim().to_owned());
        quote
            .filter(|q| !q.is_empty() && q.len() < 200 && !q.starts_with(['{', '[']))
            .unwrap_or_else(|| o.value.display())
    };
    let mut out = String::new();
    for key in [FieldKey::Title, FieldKey::Company] {
        if let Some(o) = of(&key) {
            out.push_str(&o.value.display());
            out.push('\n');
        }
    }
    let lines = [
        (FieldKey::Location, "Location"),
        (FieldKey::Remote, "Workplace"),
        (FieldKey::RemoteRegions, "Remote from"),
        (FieldKey::EmploymentType, "Employment type"),
        (FieldKey::Seniority, "Level"),
        (FieldKey::Salary, "Salary"),
        (FieldKey::PostedAt, "Posted"),
        (FieldKey::ValidThrough, "Apply by"),
        (FieldKey::Platform, "Platform"),
        (FieldKey::ApplyUrl, "Apply at"),
    ];
    for (key, label) in lines {
        let Some(o) = of(&key) else { continue };
        let words = match &o.value {
            FieldValue::Places(places) => places
                .iter()
                .map(|p| p.text.as_str())
                .collect::<Vec<_>>()
                .join("; "),
            FieldValue::List(_) | FieldValue::Text(_) if key == FieldKey::EmploymentType => {
                quoted(o)
            }
            FieldValue::Salary(salary) => pay_line(salary),
            _ => o.value.display(),
        };
        out.push_str(&format!("{label}: {words}\n"));
    }
    for (key, label) in [
        (FieldKey::Skills, "Skills"),
        (FieldKey::Benefits, "Benefits"),
    ] {
        if let Some(Observation {
            value: FieldValue::List(items),
            ..
        }) = of(&key)
        {
            out.push_str(&format!("\n{label}\n- {}\n", items.join("\n- ")));
        }
    }
    let own_words = out.len();
    if let Some(description) = of(&FieldKey::Description) {
        out.push('\n');
        out.push_str(&description.value.display());
    }
    (out.trim_end().to_owned(), own_words)
}

/// `150000 - 350000 USD per year`, with bonus and equity.
fn pay_line(salary: &ghostlight_model::Salary) -> String {
    let amounts: Vec<String> = [salary.min, salary.max.filter(|m| Some(*m) != salary.min)]
        .into_iter()
        .flatten()
        .map(|a| a.to_string())
        .collect();
    let mut line = amounts.join(" - ");
    if let Some(currency) = &salary.currency {
        line.push(' ');
        line.push_str(currency);
    }
    if let Some(period) = salary.period {
        line.push_str(&format!(" per {}", period.word()));
    }
    for part in [&salary.bonus, &salary.equity, &salary.on_target]
        .into_iter()
        .flatten()
    {
        line.push_str(" • ");
        line.push_str(part);
    }
    line
}

fn vendor_of(at: &At<'_>) -> Option<Vendor> {
    if !at.node.is_object() {
        return None;
    }
    if ashby::is_job(at) {
        Some(Vendor::Ashby)
    } else if greenhouse::is_job(at) {
        Some(Vendor::Greenhouse)
    } else if lever::is_job(at) {
        Some(Vendor::Lever)
    } else if json_ld::is_job_posting(at) {
        Some(Vendor::SchemaOrg)
    } else {
        other::is_job(at).then_some(Vendor::Other)
    }
}

fn collect<'a>(at: At<'a>, depth: usize, found: &mut Vec<(Vendor, At<'a>)>) {
    if found.len() >= JOBS_MAX || depth > SEARCH_DEPTH {
        return;
    }
    match &at.node.value {
        Value::Array(_) => at
            .each()
            .into_iter()
            .for_each(|element| collect(element, depth + 1, found)),
        Value::Object(members) => match vendor_of(&at) {
            Some(vendor) => found.push((vendor, at)),
            None => {
                for (key, node) in members
                    .iter()
                    .filter(|(_, n)| matches!(n.value, Value::Array(_) | Value::Object(_)))
                {
                    collect(at.step(key, node), depth + 1, found);
                }
            }
        },
        _ => {}
    }
}

/// The value of a text member under the first key that has one, cleaned.
fn text_of<'a>(job: &At<'a>, keys: &[&str]) -> Option<(String, At<'a>)> {
    keys.iter().find_map(|key| {
        let at = job.get(key)?;
        let text = crate::entities::clean(&at.text()?);
        (!text.is_empty()).then_some((text, at))
    })
}
