//! Lever: the postings API (`api.lever.co/v0/postings/{site}?mode=json`).
//! <https://github.com/lever/postings-api>

use super::{ashby::board_name, text_of};
use crate::{
    html::readable,
    keys, place,
    structured::{At, Out, job_posting},
    vocab,
};
use ghostlight_model::{Amount, FieldKey, FieldValue, Place, Salary};

/// A job's title stands in `text`, beside `categories` or a link to Lever.
pub(super) fn is_job(at: &At<'_>) -> bool {
    at.get("text").is_some_and(|t| t.node.as_str().is_some())
        && (at.get("categories").is_some_and(|c| c.node.is_object())
            || at.get("hostedUrl").is_some())
}

pub(super) fn emit(job: &At<'_>, out: &mut Out<'_>) {
    if let Some((title, at)) = text_of(job, &["text"]) {
        out.put(FieldKey::Title, FieldValue::Text(title), 995, &at);
    }
    company_and_link(job, out);
    location(job, out);
    if let Some(at) = job.path(&["categories", "commitment"]) {
        let types = vocab::employment_types(&at.text().unwrap_or_default());
        if !types.is_empty() {
            out.put(FieldKey::EmploymentType, FieldValue::List(types), 970, &at);
        }
    }
    salary(job, out);
    if let Some(at) = job.get("createdAt")
        && let Some(day) = job_posting::day_of(&at)
    {
        out.put(FieldKey::PostedAt, FieldValue::Date(day), 960, &at);
    }
    description(job, out);
}

fn company_and_link(job: &At<'_>, out: &mut Out<'_>) {
    let Some(at) = job.any(&["hostedUrl", "applyUrl"]) else {
        return;
    };
    if let Some(id) = at.text().as_deref().and_then(keys::ats_id) {
        out.put(
            FieldKey::Company,
            FieldValue::Text(board_name(&id.board)),
            650,
            &at,
        );
    }
    out.put(
        FieldKey::Platform,
        FieldValue::Text("Lever".to_owned()),
        985,
        &at,
    );
    if let Some(at) = job.any(&["applyUrl", "hostedUrl"])
        && let Some(url) = at.text().and_then(|t| keys::absolute(&t, None))
    {
        out.put(FieldKey::ApplyUrl, FieldValue::Url(url), 980, &at);
    }
}

fn location(job: &At<'_>, out: &mut Out<'_>) {
    let Some(categories) = job.get("categories") else {
        return;
    };
    let one = categories.get("location").filter(|l| l.text().is_some());
    let all = categories.get("allLocations");
    let lines: Vec<String> = one
        .iter()
        .chain(all.iter())
        .flat_map(At::each)
        .filter_map(|l| l.text())
        .take(place::PLACES_MAX)
        .collect();
    let mut places: Vec<Place> = Vec::new();
    let country = job.get("country").and_then(|c| c.text());
    for mut place in lines.iter().flat_map(|line| place::from_line(line)) {
        if place.country.is_none() && lines.len() == 1 && place.city.is_some() {
            place.country = country
                .as_deref()
                .and_then(place::country_code)
                .map(str::to_owned);
        }
        if !places.contains(&place) {
            places.push(place);
        }
    }
    let Some(at) = one.clone().filter(|_| places.len() < 2).or(all).or(one) else {
        return;
    };
    if !places.is_empty() {
        out.put(FieldKey::Location, FieldValue::Places(places), 960, &at);
    }
    if let Some(kind) = job.get("workplaceType")
        && let Some(mode) = kind.text().as_deref().and_then(vocab::work_mode)
    {
        out.put(
            FieldKey::Remote,
            FieldValue::Choice(mode.to_owned()),
            975,
            &kind,
        );
    } else if let Some(mode) = lines.first().and_then(|l| vocab::work_mode(l)) {
        out.put(
            FieldKey::Remote,
            FieldValue::Choice(mode.to_owned()),
            940,
            &at,
        );
    }
}

fn salary(job: &At<'_>, out: &mut Out<'_>) {
    let Some(at) = job.get("salaryRange") else {
        return;
    };
    let number =
        |key: &str| Amount::from_f64(at.get(key)?.number()?).filter(|a| a.ten_thousandths() > 0);
    let (min, max) = (number("min"), number("max"));
    if min.or(max).is_none() {
        return;
    }
    let salary = Salary {
        min: min.or(max),
        max: max.or(min),
        currency: at.get("currency").and_then(|c| c.text()),
        period: at
            .get("interval")
            .and_then(|i| i.text())
            .as_deref()
            .and_then(vocab::period),
        ..Salary::default()
    };
    out.put(FieldKey::Salary, FieldValue::Salary(salary), 975, &at);
}

/// The description, its lists and its end are separate members; together they are the text.
fn description(job: &At<'_>, out: &mut Out<'_>) {
    let bound = job_posting::DESCRIPTION_BYTES_MAX;
    let part = |keys: &[&str]| {
        keys.iter()
            .find_map(|key| job.get(key)?.node.as_str().map(|t| readable(t, bound)))
            .filter(|t| !t.is_empty())
    };
    let mut parts: Vec<String> = part(&["description", "descriptionPlain"])
        .into_iter()
        .collect();
    for list in job.get("lists").iter().flat_map(At::each) {
        let text = |key: &str| {
            list.get(key)
                .and_then(|t| t.text())
                .map(|t| readable(&t, bound))
        };
        parts.extend(text("text"));
        parts.extend(text("content"));
    }
    parts.extend(part(&["additional", "additionalPlain"]));
    let at = job.any(&["description", "descriptionPlain", "lists", "additional"]);
    let text = parts.join("\n\n");
    if let Some(at) = at.filter(|_| !text.is_empty()) {
        out.put(
            FieldKey::Description,
            FieldValue::Text(crate::text::cut(&text, bound).to_owned()),
            980,
            &at,
        );
    }
}
