//! schema.org `JobPosting` → fields, whatever markup it was written in.
//!
//! Confidences are set by judgement and checked by `cargo xtask eval`: a clean member of JSON-LD is
//! right about 99 times in 100 there; members that authors misuse (`url`, `skills`) get less.

use super::{At, Out, json_ld};
use crate::{
    entities::clean,
    html::readable,
    json::{Node, Value},
    keys, place,
    text::cut,
    vocab,
};
use ghostlight_model::{Day, FieldKey, FieldValue, Place, Salary};

/// Bytes of a description's text.
pub(crate) const DESCRIPTION_BYTES_MAX: usize = 256 << 10;

/// Bytes of one item of a list; a longer one is a text and left out.
const ITEM_BYTES_MAX: usize = 1000;

/// Elements of a list field.
const LIST_MAX: usize = 100;

/// Hands the fields of `job` to `out`. `documents` are all of the page's (for `@id` references),
/// `base` is the page's address.
pub(crate) fn emit(job: &At<'_>, documents: &[&Node], base: Option<&str>, out: &mut Out<'_>) {
    title(job, out);
    company(job, documents, out);
    locations(job, documents, out);
    employment(job, out);
    salary(job, out);
    dates(job, out);
    apply_url(job, base, out);
    lists(job, out);
    description(job, out);
}

/// The title of a posting, for choosing among several.
pub(crate) fn title_of(job: &At<'_>) -> Option<String> {
    let title = job
        .any(&["title", "name", "headline"])?
        .each()
        .into_iter()
        .find_map(|t| t.text())?;
    Some(clean(&title)).filter(|t| !t.is_empty())
}

/// The address of a posting, for choosing among several.
pub(crate) fn url_of(job: &At<'_>, base: Option<&str>) -> Option<String> {
    let url = job.any(&["url", "@id", "mainEntityOfPage"])?.text()?;
    keys::absolute(&url, base)
}

fn title(job: &At<'_>, out: &mut Out<'_>) {
    for (key, confidence) in [("title", 988), ("name", 930), ("headline", 850)] {
        let found = job
            .get(key)
            .and_then(|at| at.each().into_iter().find(|t| t.text().is_some()));
        if let Some(at) = found
            && let Some(title) = at.text().map(|t| clean(&t)).filter(|t| !t.is_empty())
        {
            return out.put(FieldKey::Title, FieldValue::Text(title), confidence, &at);
        }
    }
}

fn company(job: &At<'_>, documents: &[&Node], out: &mut Out<'_>) {
    let Some(organization) = job.get("hiringOrganization") else {
        return;
    };
    for at in organization.each() {
        let at = json_ld::resolve(at, documents);
        let named = if at.node.is_object() {
            at.any(&["name", "legalName", "alternateName"])
        } else {
            Some(at)
        };
        let named = named.and_then(|n| n.each().into_iter().next());
        if let Some(at) = named
            && let Some(name) = at
                .text()
                .map(|t| clean(&t))
                .filter(|t| !t.is_empty() && !t.starts_with("http"))
        {
            return out.put(FieldKey::Company, FieldValue::Text(name), 980, &at);
        }
    }
}

fn locations(job: &At<'_>, documents: &[&Node], out: &mut Out<'_>) {
    let mut remote = None;
    if let Some(kind) = job.get("jobLocationType") {
        remote = kind.each().into_iter().find(|t| {
            t.text()
                .is_some_and(|t| vocab::work_mode(&t) == Some("remote"))
        });
        let said = kind
            .each()
            .into_iter()
            .find_map(|t| Some((vocab::work_mode(&t.text()?)?, t)));
        if let Some((mode, at)) = said {
            out.put(
                FieldKey::Remote,
                FieldValue::Choice(mode.to_owned()),
                965,
                &at,
            );
        }
    }
    if let Some(location) = job.get("jobLocation") {
        let mut places: Vec<Place> = Vec::new();
        let mut only = None;
        for at in location.each().into_iter().take(place::PLACES_MAX) {
            let at = json_ld::resolve(at, documents);
            for (place, rests_on) in places_of(&at) {
                only = Some(rests_on);
                if !places.contains(&place) {
                    places.push(place);
                }
            }
        }
        let rests_on = if places.len() == 1 {
            only.unwrap_or(location)
        } else {
            location
        };
        if remote.is_none()
            && job.get("jobLocationType").is_none()
            && places.iter().all(|p| p.city.is_none())
        {
            let said = rests_on
                .text()
                .or_else(|| rests_on.any(&["addressLocality", "name"])?.text());
            if let Some(mode) = said.as_deref().and_then(vocab::work_mode) {
                out.put(
                    FieldKey::Remote,
                    FieldValue::Choice(mode.to_owned()),
                    900,
                    &rests_on,
                );
            }
        }
        if !places.is_empty() {
            let sure = places
                .iter()
                .any(|p| p.city.is_some() || p.region.is_some());
            out.put(
                FieldKey::Location,
                FieldValue::Places(places),
                if sure { 970 } else { 900 },
                &rests_on,
            );
        }
    }
    remote_regions(job, out);
}

/// The places of one `jobLocation`: a `Place`, a `PostalAddress`, or words.
fn places_of<'a>(at: &At<'a>) -> Vec<(Place, At<'a>)> {
    if let Some(line) = at.text() {
        return place::from_line(&clean(&line))
            .into_iter()
            .map(|p| (p, at.clone()))
            .collect();
    }
    let addresses = at.get("address").map(|a| a.each()).unwrap_or_default();
    let mut found: Vec<_> = addresses.iter().flat_map(address).collect();
    if found.is_empty() {
        found = address(at);
    }
    if found.is_empty()
        && let Some(name) = at.get("name").filter(|n| n.text().is_some())
    {
        found = places_of(&name);
    }
    found
}

fn address<'a>(at: &At<'a>) -> Vec<(Place, At<'a>)> {
    if let Some(line) = at.text() {
        return place::from_line(&clean(&line))
            .into_iter()
            .map(|p| (p, at.clone()))
            .collect();
    }
    let part = |key: &str| {
        let at = at.get(key)?;
        let named = if at.node.is_object() {
            at.any(&["name", "identifier"])?
        } else {
            at
        };
        named
            .each()
            .into_iter()
            .find_map(|t| t.text())
            .map(|t| clean(&t))
    };
    let (region, country) = (part("addressRegion"), part("addressCountry"));
    let cities = at
        .get("addressLocality")
        .map(|c| c.each())
        .unwrap_or_default();
    let cities: Vec<String> = cities
        .iter()
        .filter_map(|c| Some(clean(&c.text()?)))
        .collect();
    if let [city] = &cities[..]
        && region.is_none()
        && country.is_none()
        && city.contains(',')
    {
        return place::from_line(city)
            .into_iter()
            .map(|p| (p, at.clone()))
            .collect();
    }
    let cities: Vec<Option<&str>> = if cities.is_empty() {
        vec![None]
    } else {
        cities.iter().map(|c| Some(c.as_str())).collect()
    };
    let places = cities
        .into_iter()
        .filter_map(|city| place::from_parts(city, region.as_deref(), country.as_deref(), ""));
    places.map(|p| (p, at.clone())).collect()
}

fn remote_regions(job: &At<'_>, out: &mut Out<'_>) {
    let Some(requirements) = job.get("applicantLocationRequirements") else {
        return;
    };
    let mut names = Vec::new();
    for at in requirements.each().into_iter().take(LIST_MAX) {
        let named = if at.node.is_object() {
            at.any(&["name", "addressCountry", "address"])
        } else {
            Some(at)
        };
        if let Some(name) = named.and_then(|n| n.text()).map(|t| clean(&t))
            && !names.contains(&name)
        {
            names.push(name);
        }
    }
    if !names.is_empty() {
        out.put(
            FieldKey::RemoteRegions,
            FieldValue::List(names),
            950,
            &requirements,
        );
    }
}

fn employment(job: &At<'_>, out: &mut Out<'_>) {
    let Some(at) = job.get("employmentType") else {
        return;
    };
    let mut types: Vec<String> = Vec::new();
    for text in at.each().iter().filter_map(At::text).take(LIST_MAX) {
        let mut named = vocab::employment_types(&text.replace('_', " "));
        if named.is_empty() && text.trim().eq_ignore_ascii_case("other") {
            named.push("OTHER".to_owned());
        }
        types.extend(named);
    }
    let mut seen = Vec::new();
    types.retain(|t| {
        !seen.contains(t) && {
            seen.push(t.clone());
            true
        }
    });
    if !types.is_empty() {
        out.put(FieldKey::EmploymentType, FieldValue::List(types), 970, &at);
    }
}

fn salary(job: &At<'_>, out: &mut Out<'_>) {
    for (key, confidence) in [
        ("baseSalary", 972),
        ("salary", 940),
        ("estimatedSalary", 820),
    ] {
        let Some(at) = job.get(key) else { continue };
        for at in at.each() {
            if let Some(mut salary) = pay(job, &at) {
                let stated = salary.period.is_some();
                salary.period = salary.period.or_else(|| vocab::likely_period(&salary));
                let confidence = if stated { confidence } else { confidence - 60 };
                return out.put(
                    FieldKey::Salary,
                    FieldValue::Salary(salary),
                    confidence,
                    &at,
                );
            }
        }
    }
}

/// A `MonetaryAmount`, `QuantitativeValue`, `PriceSpecification`, number or sentence.
fn pay(job: &At<'_>, at: &At<'_>) -> Option<Salary> {
    let value = at.get("value").and_then(|v| v.each().into_iter().next());
    let inner = value.as_ref().filter(|v| v.node.is_object());
    let scopes: Vec<&At<'_>> = inner.into_iter().chain([at]).collect();
    let find = |keys: &[&str]| scopes.iter().find_map(|scope| scope.any(keys)?.text());
    let number = |keys: &[&str]| {
        find(keys)
            .and_then(|t| vocab::amount(&t))
            .filter(|a| a.ten_thousandths() > 0)
    };
    let mut min = number(&["minValue", "minPrice", "min"]);
    let mut max = number(&["maxValue", "maxPrice", "max"]);
    let mut words = at.text();
    if min.is_none() && max.is_none() {
        words = words
            .or_else(|| value.as_ref()?.text())
            .or_else(|| find(&["value", "price", "median"]));
        let amounts = vocab::amounts(words.as_deref()?);
        min = amounts.first().copied().filter(|a| a.ten_thousandths() > 0);
        max = amounts.get(1).copied().filter(|b| Some(*b) >= min).or(min);
    }
    if let (Some(low), Some(high)) = (min, max)
        && low > high
    {
        (min, max) = (Some(high), Some(low));
    }
    min.or(max)?;
    let words = words.as_deref().unwrap_or("");
    let named = find(&["currency", "salaryCurrency", "priceCurrency"])
        .or_else(|| job.get("salaryCurrency")?.text());
    let currency = named
        .as_deref()
        .and_then(currency_code)
        .or_else(|| vocab::currency(words));
    let unit = find(&["unitText", "unitCode", "duration", "period", "unit"])
        .or_else(|| job.get("salaryUnit")?.text());
    let period = unit
        .as_deref()
        .and_then(vocab::period)
        .or_else(|| vocab::period(words));
    let bonus = job
        .get("incentiveCompensation")
        .and_then(|b| b.text())
        .map(|b| clean(cut(&b, 500)));
    Some(Salary {
        min,
        max,
        currency,
        period,
        bonus,
        ..Salary::default()
    })
}

/// An ISO 4217 code as written, else one that the words name.
fn currency_code(text: &str) -> Option<String> {
    let text = text.trim();
    let is_code = text.len() == 3 && text.bytes().all(|b| b.is_ascii_alphabetic());
    if is_code {
        Some(text.to_ascii_uppercase())
    } else {
        vocab::currency(text)
    }
}

fn dates(job: &At<'_>, out: &mut Out<'_>) {
    for (key, field, confidence) in [
        ("datePosted", FieldKey::PostedAt, 982),
        ("validThrough", FieldKey::ValidThrough, 980),
    ] {
        let Some(at) = job.get(key) else { continue };
        if let Some((day, at)) = at
            .each()
            .into_iter()
            .find_map(|at| Some((day_of(&at)?, at)))
        {
            out.put(field, FieldValue::Date(day), confidence, &at);
        }
    }
}

/// A day as text, or as seconds or milliseconds since 1970.
pub(crate) fn day_of(at: &At<'_>) -> Option<Day> {
    if let Some(number) = at.number() {
        return vocab::epoch_day(number).or_else(|| vocab::day(&number.to_string()));
    }
    let at = if at.node.is_object() {
        at.get("@value")?
    } else {
        at.clone()
    };
    vocab::day(&at.text()?)
}

fn apply_url(job: &At<'_>, base: Option<&str>, out: &mut Out<'_>) {
    let contact = job.path(&["applicationContact", "url"]).map(|at| (at, 850));
    let own = job.get("url").map(|at| (at, 930));
    for (at, confidence) in own.into_iter().chain(contact) {
        let found = at
            .each()
            .into_iter()
            .find_map(|at| Some((keys::absolute(&clean(&at.text()?), base)?, at)));
        if let Some((url, at)) = found {
            if let Some(id) = keys::ats_id(&url) {
                let label = keys::vendor_label(id.vendor).to_owned();
                out.put(FieldKey::Platform, FieldValue::Text(label), 960, &at);
            }
            return out.put(FieldKey::ApplyUrl, FieldValue::Url(url), confidence, &at);
        }
    }
}

fn lists(job: &At<'_>, out: &mut Out<'_>) {
    for (field, keys) in [
        (FieldKey::Skills, ["skills"]),
        (FieldKey::Benefits, ["jobBenefits"]),
    ] {
        let Some(at) = job.any(&keys) else { continue };
        let mut items: Vec<String> = Vec::new();
        let is_list = matches!(&at.node.value, Value::Array(elements) if elements.len() > 1);
        for element in at.each() {
            let named = if element.node.is_object() {
                element.any(&["name", "description"])
            } else {
                Some(element)
            };
            for item in named
                .and_then(|n| n.text())
                .map(|t| {
                    if is_list {
                        element_of_list(&t)
                    } else {
                        listed(&t)
                    }
                })
                .unwrap_or_default()
            {
                if !items.contains(&item) && items.len() < LIST_MAX {
                    items.push(item);
                }
            }
        }
        if !items.is_empty() {
            out.put(field, FieldValue::List(items), 920, &at);
        }
    }
}

/// An element of a list is one item, whatever marks it holds; longer ones are left out.
fn element_of_list(text: &str) -> Vec<String> {
    let text = readable(text, ITEM_BYTES_MAX + 1).replace('\n', " ");
    let item = text.trim().trim_start_matches(['-', '*', '•', '·']).trim();
    (!item.is_empty() && item.len() <= ITEM_BYTES_MAX)
        .then(|| item.to_owned())
        .into_iter()
        .collect()
}

/// The items of a list in words: by lines, semicolons or commas, whichever separates it.
pub(crate) fn listed(text: &str) -> Vec<String> {
    let text = readable(text, 64 << 10);
    let separator = ['\n', ';', '•', ',']
        .into_iter()
        .find(|c| text.contains(*c));
    // A sentence with a comma is one item.
    let is_prose = separator == Some(',')
        && text
            .split(',')
            .any(|part| part.split_whitespace().count() > 6);
    let parts: Vec<&str> = match separator {
        Some(c) if !is_prose => text.split(c).collect(),
        _ => vec![&text],
    };
    let trim = |part: &str| {
        part.trim()
            .trim_start_matches(['-', '*', '•', '·'])
            .trim()
            .to_owned()
    };
    parts
        .into_iter()
        .map(trim)
        .filter(|item| !item.is_empty() && item.len() <= ITEM_BYTES_MAX)
        .collect()
}

fn description(job: &At<'_>, out: &mut Out<'_>) {
    let Some(at) = job
        .get("description")
        .and_then(|at| at.each().into_iter().next())
    else {
        return;
    };
    let Value::String(raw) = &at.node.value else {
        return;
    };
    let text = readable(raw, DESCRIPTION_BYTES_MAX);
    if !text.is_empty() {
        out.put(FieldKey::Description, FieldValue::Text(text), 970, &at);
    }
}
