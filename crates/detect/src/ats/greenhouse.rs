//! Greenhouse: the job board API (`boards-api.greenhouse.io/v1/boards/{board}/jobs`).
//! <https://developers.greenhouse.io/job-board.html>

use super::{ashby::board_name, text_of};
use crate::{
    html::readable,
    keys, place,
    structured::{At, Out, job_posting},
    vocab,
};
use ghostlight_model::{Amount, FieldKey, FieldValue, Period, Salary};

/// A job has a title and a link or number only Greenhouse gives.
pub(super) fn is_job(at: &At<'_>) -> bool {
    at.get("title").is_some_and(|t| t.node.as_str().is_some())
        && ["absolute_url", "internal_job_id"]
            .iter()
            .any(|key| at.node.get(key).is_some())
}

pub(super) fn emit(job: &At<'_>, out: &mut Out<'_>) {
    if let Some((title, at)) = text_of(job, &["title"]) {
        out.put(FieldKey::Title, FieldValue::Text(title), 995, &at);
    }
    company_and_link(job, out);
    location(job, out);
    metadata(job, out);
    salary(job, out);
    for (field, key, confidence) in [
        (FieldKey::PostedAt, "first_published", 985),
        (FieldKey::PostedAt, "updated_at", 450),
        (FieldKey::ValidThrough, "application_deadline", 980),
    ] {
        if let Some(at) = job.get(key)
            && let Some(day) = job_posting::day_of(&at)
        {
            out.put(field, FieldValue::Date(day), confidence, &at);
        }
    }
    if let Some(at) = job.get("content") {
        let text = readable(
            at.node.as_str().unwrap_or(""),
            job_posting::DESCRIPTION_BYTES_MAX,
        );
        if !text.is_empty() {
            out.put(FieldKey::Description, FieldValue::Text(text), 985, &at);
        }
    }
}

fn company_and_link(job: &At<'_>, out: &mut Out<'_>) {
    if let Some((name, at)) = text_of(job, &["company_name"]) {
        out.put(FieldKey::Company, FieldValue::Text(name), 985, &at);
    }
    let Some(at) = job.get("absolute_url") else {
        return;
    };
    let Some(url) = at.text().and_then(|t| keys::absolute(&t, None)) else {
        return;
    };
    if let Some(id) = keys::ats_id(&url) {
        out.put(
            FieldKey::Company,
            FieldValue::Text(board_name(&id.board)),
            650,
            &at,
        );
    }
    out.put(
        FieldKey::Platform,
        FieldValue::Text("Greenhouse".to_owned()),
        985,
        &at,
    );
    out.put(FieldKey::ApplyUrl, FieldValue::Url(url), 980, &at);
}

fn location(job: &At<'_>, out: &mut Out<'_>) {
    let Some(location) = job.get("location") else {
        return;
    };
    let at = if location.node.is_object() {
        location.get("name")
    } else {
        Some(location)
    };
    let Some(at) = at else { return };
    let line = at.text().unwrap_or_default();
    let places = place::from_line(&line);
    if !places.is_empty() {
        out.put(FieldKey::Location, FieldValue::Places(places), 960, &at);
    }
    if let Some(mode) = vocab::work_mode(&line) {
        out.put(
            FieldKey::Remote,
            FieldValue::Choice(mode.to_owned()),
            940,
            &at,
        );
    }
}

/// Members that a company defined itself, known by their usual names.
fn metadata(job: &At<'_>, out: &mut Out<'_>) {
    let fields = job.get("metadata").map(|m| m.each()).unwrap_or_default();
    for field in fields.iter().take(100) {
        let name = field
            .get("name")
            .and_then(|n| n.text())
            .unwrap_or_default()
            .to_lowercase();
        let Some(value) = field.get("value") else {
            continue;
        };
        let words = value
            .each()
            .iter()
            .filter_map(At::text)
            .collect::<Vec<_>>()
            .join(", ");
        if [
            "employment",
            "time type",
            "job type",
            "commitment",
            "full time",
        ]
        .iter()
        .any(|w| name.contains(w))
        {
            let types = vocab::employment_types(&words);
            if !types.is_empty() {
                out.put(
                    FieldKey::EmploymentType,
                    FieldValue::List(types),
                    950,
                    &value,
                );
            }
        } else if [
            "workplace",
            "location type",
            "work model",
            "work type",
            "remote",
        ]
        .iter()
        .any(|w| name.contains(w))
        {
            let said = match value.truth() {
                Some(true) if name.contains("remote") => Some("remote"),
                _ => vocab::work_mode(&words),
            };
            if let Some(mode) = said {
                out.put(
                    FieldKey::Remote,
                    FieldValue::Choice(mode.to_owned()),
                    950,
                    &value,
                );
            }
        } else if ["salary", "pay range", "compensation"]
            .iter()
            .any(|w| name.contains(w))
        {
            pay_of_metadata(&name, &value, out);
        }
    }
}

fn pay_of_metadata(name: &str, value: &At<'_>, out: &mut Out<'_>) {
    let number = |key: &str| {
        value
            .get(key)
            .and_then(|v| v.text())
            .and_then(|t| vocab::amount(&t))
    };
    let (min, max) = (number("min_value"), number("max_value"));
    let Some(least) = min.or(max).filter(|a| a.ten_thousandths() > 0) else {
        return;
    };
    let currency = value
        .get("unit")
        .and_then(|u| u.text())
        .and_then(|u| vocab::currency(&u));
    let period = period_of(name, least);
    let salary = Salary {
        min: min.or(max),
        max: max.or(min),
        currency,
        period,
        ..Salary::default()
    };
    out.put(FieldKey::Salary, FieldValue::Salary(salary), 930, value);
}

fn salary(job: &At<'_>, out: &mut Out<'_>) {
    let ranges = job
        .get("pay_input_ranges")
        .map(|r| r.each())
        .unwrap_or_default();
    let cents = |at: &At<'_>, key: &str| {
        Amount::from_f64(at.get(key)?.number()? / 100.0).filter(|a| a.ten_thousandths() > 0)
    };
    let Some((at, least)) = ranges
        .iter()
        .find_map(|r| Some((r, cents(r, "min_cents").or(cents(r, "max_cents"))?)))
    else {
        return;
    };
    let currency = |at: &At<'_>| at.get("currency_type").and_then(|c| c.text());
    let same = || ranges.iter().filter(|r| currency(r) == currency(at));
    let title = at.get("title").and_then(|t| t.text()).unwrap_or_default();
    let salary = Salary {
        min: same()
            .filter_map(|r| cents(r, "min_cents"))
            .min()
            .or(Some(least)),
        max: same()
            .filter_map(|r| cents(r, "max_cents"))
            .max()
            .or(Some(least)),
        currency: currency(at),
        period: period_of(&title, least),
        ..Salary::default()
    };
    // Ranges for several places: what spans them all is right, but coarse.
    let (at, confidence) = if same().count() > 1 {
        (job.get("pay_input_ranges"), 930)
    } else {
        (Some(at.clone()), 970)
    };
    if let Some(at) = at {
        out.put(
            FieldKey::Salary,
            FieldValue::Salary(salary),
            confidence,
            &at,
        );
    }
}

/// The API names no period: the range's title does, or its size.
fn period_of(title: &str, amount: Amount) -> Option<Period> {
    vocab::period(title).or(match amount.to_f64() {
        a if a < 500.0 => Some(Period::Hour),
        a if a >= 10_000.0 => Some(Period::Year),
        _ => None,
    })
}
