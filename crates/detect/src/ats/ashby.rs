//! Ashby: the job postings API (`api.ashbyhq.com/posting-api/job-board/{board}`).
//! <https://developers.ashbyhq.com/docs/public-job-posting-api>

use super::text_of;
use crate::{
    html::readable,
    keys, place,
    structured::{At, Out, job_posting},
    vocab,
};
use ghostlight_model::{Amount, FieldKey, FieldValue, Place, Salary};

/// A job has a title and either a link to Ashby or the members only Ashby has.
pub(super) fn is_job(at: &At<'_>) -> bool {
    let is_ashby_url = |key: &str| {
        at.get(key)
            .and_then(|u| u.node.as_str().map(|u| u.contains("ashbyhq.com")))
            .unwrap_or(false)
    };
    let own_members = [
        "isListed",
        "secondaryLocations",
        "publishedAt",
        "employmentType",
        "isRemote",
        "descriptionPlain",
        "jobUrl",
    ];
    at.get("title").is_some_and(|t| t.node.as_str().is_some())
        && (is_ashby_url("jobUrl")
            || is_ashby_url("applyUrl")
            || own_members
                .iter()
                .filter(|m| at.node.get(m).is_some())
                .count()
                >= 4)
}

pub(super) fn emit(job: &At<'_>, out: &mut Out<'_>) {
    if let Some((title, at)) = text_of(job, &["title"]) {
        out.put(FieldKey::Title, FieldValue::Text(title), 995, &at);
    }
    address(job, out);
    location(job, out);
    work_mode(job, out);
    if let Some(at) = job.get("employmentType") {
        let types = vocab::employment_types(&at.text().unwrap_or_default());
        if !types.is_empty() {
            out.put(FieldKey::EmploymentType, FieldValue::List(types), 985, &at);
        }
    }
    salary(job, out);
    if let Some((day, at)) = ["publishedAt", "publishedDate"].iter().find_map(|key| {
        let at = job.get(key)?;
        Some((job_posting::day_of(&at)?, at))
    }) {
        out.put(FieldKey::PostedAt, FieldValue::Date(day), 985, &at);
    }
    if let Some((text, at)) = ["descriptionHtml", "descriptionPlain"]
        .iter()
        .find_map(|key| {
            let at = job.get(key)?;
            let text = readable(at.node.as_str()?, job_posting::DESCRIPTION_BYTES_MAX);
            (!text.is_empty()).then_some((text, at))
        })
    {
        out.put(FieldKey::Description, FieldValue::Text(text), 985, &at);
    }
}

/// Apply link, platform, and the board's name: the API names the employer nowhere else.
fn address(job: &At<'_>, out: &mut Out<'_>) {
    let Some(at) = job.any(&["jobUrl", "applyUrl"]) else {
        return;
    };
    let board = at
        .text()
        .as_deref()
        .and_then(keys::ats_id)
        .map(|id| board_name(&id.board));
    if let Some(board) = board.filter(|b| !b.is_empty()) {
        out.put(FieldKey::Company, FieldValue::Text(board), 700, &at);
    }
    out.put(
        FieldKey::Platform,
        FieldValue::Text("Ashby".to_owned()),
        990,
        &at,
    );
    if let Some(at) = job.any(&["applyUrl", "jobUrl"])
        && let Some(url) = at.text().and_then(|t| keys::absolute(&t, None))
    {
        out.put(FieldKey::ApplyUrl, FieldValue::Url(url), 985, &at);
    }
}

/// A board's slug as a name: `oriel%20bread` → `oriel bread`.
pub(super) fn board_name(slug: &str) -> String {
    let decoded: String =
        url::form_urlencoded::parse(format!("b={}", slug.replace('+', "%2B")).as_bytes())
            .next()
            .map(|(_, v)| v.into_owned())
            .unwrap_or_default();
    decoded.replace(['-', '_'], " ").trim().to_owned()
}

fn location(job: &At<'_>, out: &mut Out<'_>) {
    let mut places: Vec<Place> = Vec::new();
    let mut add = |line: Option<String>, address: Option<At<'_>>| {
        for place in place_of(line.as_deref().unwrap_or(""), address.as_ref()) {
            if !places.contains(&place) && places.len() < place::PLACES_MAX {
                places.push(place);
            }
        }
    };
    let main = job.get("location");
    add(
        main.as_ref().and_then(At::text),
        job.path(&["address", "postalAddress"]),
    );
    let secondary = job.get("secondaryLocations");
    for other in secondary.iter().flat_map(At::each) {
        let line = other
            .any(&["location", "locationName"])
            .and_then(|l| l.text())
            .or_else(|| other.text());
        add(line, other.path(&["address", "postalAddress"]));
    }
    let address = job.get("address");
    if let Some(at) = main
        .filter(|m| m.text().is_some())
        .or(address)
        .or(secondary)
        .filter(|_| !places.is_empty())
    {
        out.put(FieldKey::Location, FieldValue::Places(places), 965, &at);
    }
}

/// The place that a line and its address mean together. The line wins where they disagree about
/// the country: recruiters correct what readers see.
fn place_of(line: &str, address: Option<&At<'_>>) -> Vec<Place> {
    let part = |key: &str| address.and_then(|a| a.get(key)).and_then(|p| p.text());
    let read = place::from_line(line);
    let text = read.first().map_or("", |p| p.text.as_str());
    let (city, region, country) = (
        part("addressLocality"),
        part("addressRegion"),
        part("addressCountry"),
    );
    let Some(from_address) =
        place::from_parts(city.as_deref(), region.as_deref(), country.as_deref(), text)
            .filter(|p| p.city.is_some() || p.region.is_some() || p.country.is_some())
    else {
        return read;
    };
    let is_continent = |place: &Place| place.city.is_none() && place.country.is_none();
    match &read[..] {
        // "Remote - Europe" with the address of the office.
        [one] if is_continent(one) && place::is_region(&one.text) => read,
        [one]
            if one.country.is_some()
                && from_address.country.is_some()
                && one.country != from_address.country =>
        {
            read
        }
        [] | [_] => vec![from_address],
        _ => read,
    }
}

fn work_mode(job: &At<'_>, out: &mut Out<'_>) {
    let mut put = |mode: &str, confidence, at: &At<'_>| {
        out.put(
            FieldKey::Remote,
            FieldValue::Choice(mode.to_owned()),
            confidence,
            at,
        );
    };
    if let Some(at) = job.get("workplaceType")
        && let Some(mode) = at.text().as_deref().and_then(vocab::work_mode)
    {
        return put(mode, 980, &at);
    }
    let location = job.get("location");
    let said = location
        .as_ref()
        .and_then(At::text)
        .as_deref()
        .and_then(vocab::work_mode);
    match (
        job.get("isRemote").and_then(|r| Some((r.truth()?, r))),
        location,
    ) {
        (Some((true, at)), _) => put("remote", 975, &at),
        (Some((false, _)), Some(location)) if said == Some("hybrid") => {
            put("hybrid", 930, &location)
        }
        // Not remote may still be hybrid: the API has no third value on older boards.
        (Some((false, at)), _) => put("onsite", 780, &at),
        (None, Some(location)) => {
            if let Some(mode) = said {
                put(mode, 930, &location);
            }
        }
        (None, None) => {}
    }
}

/// Base pay from `summaryComponents` (all tiers together), else from the tiers.
fn salary(job: &At<'_>, out: &mut Out<'_>) {
    let Some(compensation) = job.get("compensation") else {
        return;
    };
    let tiers = compensation
        .get("compensationTiers")
        .map(|t| t.each())
        .unwrap_or_default();
    let in_tiers: Vec<At<'_>> = tiers
        .iter()
        .filter_map(|t| t.get("components"))
        .flat_map(|c| c.each())
        .collect();
    let summary = compensation
        .get("summaryComponents")
        .map(|s| s.each())
        .unwrap_or_default();
    let kind = |at: &At<'_>| {
        at.get("compensationType")
            .and_then(|t| t.text())
            .unwrap_or_default()
    };
    let is_pay = |at: &&At<'_>| {
        kind(at) == "Salary"
            && (amount(at, "minValue").is_some() || amount(at, "maxValue").is_some())
    };
    let mut bases: Vec<&At<'_>> = summary.iter().filter(is_pay).collect();
    if bases.is_empty() {
        bases = in_tiers.iter().filter(is_pay).collect();
    }
    let words = |kinds: &[&str]| {
        let found = in_tiers
            .iter()
            .filter(|c| kinds.contains(&kind(c).as_str()));
        found.filter_map(|c| c.get("summary")?.text()).next()
    };
    let Some(first) = bases.first() else {
        return summary_line(&compensation, out);
    };
    let currency = |at: &At<'_>| at.get("currencyCode").and_then(|c| c.text());
    let interval = |at: &At<'_>| at.get("interval").and_then(|c| c.text());
    let same = || {
        bases
            .iter()
            .filter(|b| currency(b) == currency(first) && interval(b) == interval(first))
    };
    let salary = Salary {
        min: same()
            .filter_map(|b| amount(b, "minValue").or(amount(b, "maxValue")))
            .min(),
        max: same()
            .filter_map(|b| amount(b, "maxValue").or(amount(b, "minValue")))
            .max(),
        currency: currency(first),
        period: interval(first).as_deref().and_then(vocab::period),
        bonus: words(&["Bonus", "Commission"]),
        equity: words(&["EquityPercentage", "EquityCashValue"]),
        on_target: None,
    };
    let several = same().count() > 1;
    let at = if several { &compensation } else { *first };
    out.put(FieldKey::Salary, FieldValue::Salary(salary), 980, at);
}

/// The one-line summary, where the components are missing.
fn summary_line(compensation: &At<'_>, out: &mut Out<'_>) {
    for key in [
        "scrapeableCompensationSalarySummary",
        "compensationTierSummary",
    ] {
        let Some(at) = compensation.get(key) else {
            continue;
        };
        let Some(line) = at.text() else { continue };
        let base = line.split('•').next().unwrap_or(&line);
        let amounts = vocab::amounts(base);
        let (Some(min), Some(currency)) = (amounts.first(), vocab::currency(base)) else {
            continue;
        };
        let max = amounts.get(1).unwrap_or(min);
        let period = vocab::period(base);
        let mut salary = Salary {
            min: Some(*min),
            max: Some(*max),
            currency: Some(currency),
            period,
            ..Salary::default()
        };
        salary.period = salary.period.or_else(|| vocab::likely_period(&salary));
        return out.put(FieldKey::Salary, FieldValue::Salary(salary), 900, &at);
    }
}

fn amount(at: &At<'_>, key: &str) -> Option<Amount> {
    Amount::from_f64(at.get(key)?.number()?).filter(|a| a.ten_thousandths() > 0)
}
