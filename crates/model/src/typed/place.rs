//! Places: `City, Region, CC` with `;` or line ends between two of them. Of two parts the second is a
//! country if it is one, else a region; an empty part says that there is none.

use super::{TypedError, Warning, line, short};
use crate::value::Place;

/// Names of countries that ISO 3166 does not list, in lower case.
const USUAL: [(&str, &str); 12] = [
    ("uk", "GB"),
    ("united kingdom", "GB"),
    ("great britain", "GB"),
    ("england", "GB"),
    ("scotland", "GB"),
    ("wales", "GB"),
    ("usa", "US"),
    ("united states", "US"),
    ("netherlands", "NL"),
    ("czech republic", "CZ"),
    ("south korea", "KR"),
    ("vietnam", "VN"),
];

/// Codes of countries that are codes of states of the USA too, and are typed for those as often
/// (USPS state abbreviations; `DE` is nearly always Germany).
const STATES: [&str; 12] = [
    "AL", "AR", "CA", "CO", "GA", "IL", "LA", "MA", "MD", "MN", "PA", "VA",
];

/// The places that `text` names, each once.
pub(super) fn read(text: &str) -> Result<Vec<Place>, TypedError> {
    let mut places: Vec<Place> = Vec::new();
    for part in text.split([';', '\n']) {
        if part.trim().is_empty() {
            continue;
        }
        let place = one(part)?;
        if !places.contains(&place) {
            places.push(place);
        }
    }
    Ok(places)
}

fn one(text: &str) -> Result<Place, TypedError> {
    let parts: Vec<String> = text.split(',').map(line).collect::<Result<_, _>>()?;
    let some = |part: &String| (!part.is_empty()).then(|| part.clone());
    let parts: Vec<Option<String>> = parts.iter().map(some).collect();
    let must = |name: &Option<String>| -> Result<Option<String>, TypedError> {
        let Some(name) = name else { return Ok(None) };
        let code = country(name).ok_or_else(|| TypedError::Country(short(name)))?;
        Ok(Some(code.to_owned()))
    };
    let may = |name: &Option<String>| name.as_deref().and_then(country).map(str::to_owned);
    let (city, region, country) = match &parts[..] {
        [only] => match may(only) {
            Some(country) => (None, None, Some(country)),
            None => (only.clone(), None, None),
        },
        [city, last] => match may(last) {
            Some(country) => (city.clone(), None, Some(country)),
            None => (city.clone(), last.clone(), None),
        },
        [city, region, last] => (city.clone(), region.clone(), must(last)?),
        _ => {
            return Err(TypedError::NotUnderstood {
                part: short(text.trim()),
                example: "Lyon, FR or Austin, Texas, US; places are separated by a semicolon",
            });
        }
    };
    if city.is_none() && region.is_none() && country.is_none() {
        return Err(TypedError::NotUnderstood {
            part: short(text.trim()),
            example: "Lyon, FR",
        });
    }
    let mut place = Place {
        city,
        region,
        country,
        text: String::new(),
    };
    place.text = place.name();
    Ok(place)
}

/// A country's code by code or English name.
pub(super) fn country(name: &str) -> Option<&'static str> {
    let lower = name.to_lowercase();
    let listed = rust_iso3166::ALL.iter().find(|country| {
        let short = country.name.split(['(', ',']).next().unwrap_or_default();
        country.alpha2.eq_ignore_ascii_case(name)
            || country.alpha3.eq_ignore_ascii_case(name)
            || short.trim().to_lowercase() == lower
            || country.name.to_lowercase() == lower
    });
    let usual = || USUAL.iter().find(|(other, _)| *other == lower);
    listed
        .map(|country| country.alpha2)
        .or_else(|| usual().map(|(_, code)| *code))
}

/// As [`read`] takes it. Words that name no part stand as a city.
pub(super) fn text_of(places: &[Place]) -> String {
    let one = |place: &Place| {
        let part = |part: &Option<String>| {
            let part = part.as_deref().unwrap_or_default();
            part.replace([',', ';', '\n'], " ")
        };
        let (city, region, country) =
            (part(&place.city), part(&place.region), part(&place.country));
        let is_country = |name: &String| self::country(name).is_some();
        match (city.is_empty(), region.is_empty(), country.is_empty()) {
            (true, true, true) => place.text.replace([',', ';', '\n'], " "),
            (true, true, false) => country,
            (false, true, true) if !is_country(&city) => city,
            (false, true, false) => format!("{city}, {country}"),
            (_, false, true) if !is_country(&region) => format!("{city}, {region}"),
            _ => format!("{city}, {region}, {country}"),
        }
    };
    places.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// Where a state was meant, perhaps.
pub(super) fn warnings(places: &[Place]) -> Vec<Warning> {
    let doubtful = |place: &&Place| place.city.is_some() && place.region.is_none();
    places
        .iter()
        .filter(doubtful)
        .filter_map(|place| place.country.clone())
        .filter(|code| STATES.contains(&code.as_str()))
        .map(Warning::StateOrCountry)
        .collect()
}
