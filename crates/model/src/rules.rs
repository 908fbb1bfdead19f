//! Business rules of fields (SPEC B5): what a value must satisfy to be saved or to win.

use crate::value::{FieldKey, FieldValue, Salary};
use std::collections::BTreeSet;

/// A value that cannot stand, with a sentence that says what is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// The lower end is above the upper end.
    #[error("The lower amount {min} is above the upper amount {max}.")]
    SalaryOrder {
        /// Lower end as given.
        min: String,
        /// Upper end as given.
        max: String,
    },
    /// Pay below zero.
    #[error("Pay cannot be negative.")]
    SalaryNegative,
    /// Not an ISO 4217 code by its form.
    #[error("{0:?} is not a currency code of three letters, such as EUR.")]
    Currency(String),
    /// Not an absolute web address.
    #[error("{0:?} is not a web address that begins with http:// or https://.")]
    Url(String),
    /// Not one of the words the field knows.
    #[error("{value:?} is not one of: {known}.")]
    Choice {
        /// What was given.
        value: String,
        /// What is known.
        known: String,
    },
    /// Nothing in it.
    #[error("The value is empty.")]
    Empty,
    /// The kind of value does not fit the field.
    #[error("A value of this kind does not fit the field {0}.")]
    Kind(String),
}

/// The words of `remote`.
pub const REMOTE: [&str; 3] = ["remote", "hybrid", "onsite"];
/// The words of `seniority`, junior first.
pub const SENIORITY: [&str; 11] = [
    "intern",
    "junior",
    "mid",
    "senior",
    "staff",
    "lead",
    "principal",
    "head",
    "director",
    "vp",
    "executive",
];
/// schema.org's employment types.
pub const EMPLOYMENT_TYPES: [&str; 8] = [
    "FULL_TIME",
    "PART_TIME",
    "CONTRACTOR",
    "TEMPORARY",
    "INTERN",
    "VOLUNTEER",
    "PER_DIEM",
    "OTHER",
];
/// The analyst's verdicts.
pub const VERDICTS: [&str; 5] = ["open", "doubtful", "ghost", "closed", "unknown"];
/// The outcomes an analyst records.
pub const OUTCOMES: [&str; 4] = ["applied", "heard_back", "filled", "reposted"];

/// Whether `value` may stand in `field`.
pub fn check(field: &FieldKey, value: &FieldValue) -> Result<(), RuleError> {
    match (field, value) {
        (FieldKey::Remote, FieldValue::Choice(word)) => one_of(word, &REMOTE),
        (FieldKey::Seniority, FieldValue::Choice(word)) => one_of(word, &SENIORITY),
        (FieldKey::Verdict, FieldValue::Choice(word)) => one_of(word, &VERDICTS),
        (FieldKey::Outcome, FieldValue::Choice(word)) => one_of(word, &OUTCOMES),
        (FieldKey::EmploymentType, FieldValue::List(words)) => {
            not_empty(words.is_empty())?;
            words
                .iter()
                .try_for_each(|word| one_of(word, &EMPLOYMENT_TYPES))
        }
        (FieldKey::Salary, FieldValue::Salary(salary)) => check_salary(salary),
        (FieldKey::ApplyUrl, FieldValue::Url(url)) => check_url(url),
        (FieldKey::PostedAt | FieldKey::ValidThrough, FieldValue::Date(_)) => Ok(()),
        (FieldKey::Location, FieldValue::Places(places)) => not_empty(places.is_empty()),
        (
            FieldKey::Title | FieldKey::Company | FieldKey::Platform | FieldKey::Description,
            FieldValue::Text(text),
        ) => not_empty(text.trim().is_empty()),
        (
            FieldKey::Skills | FieldKey::Benefits | FieldKey::RemoteRegions,
            FieldValue::List(items),
        ) => not_empty(items.is_empty()),
        (FieldKey::Custom(_), _) => Ok(()),
        (field, _) => Err(RuleError::Kind(field.to_string())),
    }
}

/// Other names of cities in postings, in lower case, with the one they are compared by. Each is
/// listed as a name of the same place by GeoNames (<https://www.geonames.org>, alternate names).
const CITY_NAMES: [(&str, &str); 23] = [
    ("new york city", "new york"),
    ("nyc", "new york"),
    ("sf", "san francisco"),
    ("washington dc", "washington"),
    ("washington d.c.", "washington"),
    ("ciudad de méxico", "mexico city"),
    ("bangalore", "bengaluru"),
    ("bombay", "mumbai"),
    ("münchen", "munich"),
    ("köln", "cologne"),
    ("nürnberg", "nuremberg"),
    ("wien", "vienna"),
    ("zürich", "zurich"),
    ("genève", "geneva"),
    ("bruxelles", "brussels"),
    ("den haag", "the hague"),
    ("københavn", "copenhagen"),
    ("praha", "prague"),
    ("warszawa", "warsaw"),
    ("kraków", "krakow"),
    ("lisboa", "lisbon"),
    ("milano", "milan"),
    ("roma", "rome"),
];

/// Whether two values of one field really say different things. A place that names the city and
/// one that adds its country do not, nor do two names of a city, nor lists where one contains the
/// other.
pub fn disagree(a: &FieldValue, b: &FieldValue) -> bool {
    match (a, b) {
        (FieldValue::List(a), FieldValue::List(b)) => {
            let fold = |list: &[String]| -> BTreeSet<String> {
                list.iter().map(|item| item.to_lowercase()).collect()
            };
            let (a, b) = (fold(a), fold(b));
            !a.is_subset(&b) && !b.is_subset(&a)
        }
        (FieldValue::Places(a), FieldValue::Places(b)) => {
            let same = |x: &Option<String>, y: &Option<String>| match (x, y) {
                (Some(x), Some(y)) => city(x) == city(y),
                _ => true,
            };
            !a.iter().any(|p| {
                b.iter()
                    .any(|q| same(&p.city, &q.city) && same(&p.country, &q.country))
            })
        }
        (FieldValue::Salary(a), FieldValue::Salary(b)) => {
            (a.min, a.max) != (b.min, b.max)
                || matches!((&a.currency, &b.currency), (Some(x), Some(y)) if x != y)
                || matches!((a.period, b.period), (Some(x), Some(y)) if x != y)
        }
        (FieldValue::Text(a), FieldValue::Text(b)) => {
            let squash = |s: &String| FieldValue::Text(s.clone()).normalised();
            let (a, b) = (squash(a), squash(b));
            !a.contains(&b) && !b.contains(&a)
        }
        (FieldValue::Url(_), FieldValue::Url(_)) => false,
        _ => a.normalised() != b.normalised(),
    }
}

/// A city's (or country's) name as it is compared.
fn city(name: &str) -> String {
    let name = name.trim().to_lowercase();
    let known = CITY_NAMES.iter().find(|(other, _)| *other == name);
    known.map_or(name, |(_, usual)| (*usual).to_owned())
}

fn one_of(word: &str, known: &[&str]) -> Result<(), RuleError> {
    if known.contains(&word) {
        return Ok(());
    }
    Err(RuleError::Choice {
        value: word.to_owned(),
        known: known.join(", "),
    })
}

fn not_empty(empty: bool) -> Result<(), RuleError> {
    if empty { Err(RuleError::Empty) } else { Ok(()) }
}

fn check_salary(salary: &Salary) -> Result<(), RuleError> {
    not_empty(salary.min.is_none() && salary.max.is_none())?;
    if let (Some(min), Some(max)) = (salary.min, salary.max)
        && min > max
    {
        return Err(RuleError::SalaryOrder {
            min: min.to_string(),
            max: max.to_string(),
        });
    }
    if salary
        .min
        .or(salary.max)
        .is_some_and(|a| a.ten_thousandths() < 0)
    {
        return Err(RuleError::SalaryNegative);
    }
    match &salary.currency {
        Some(code) if code.len() != 3 || !code.bytes().all(|b| b.is_ascii_uppercase()) => {
            Err(RuleError::Currency(code.clone()))
        }
        _ => Ok(()),
    }
}

fn check_url(url: &str) -> Result<(), RuleError> {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    let host = rest
        .and_then(|rest| rest.split(['/', '?', '#']).next())
        .unwrap_or("");
    if host.is_empty() || url.contains(char::is_whitespace) {
        return Err(RuleError::Url(url.chars().take(200).collect()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Place;

    #[test]
    fn two_names_of_a_city_are_one_place() {
        let place = |city: &str, country: Option<&str>| {
            FieldValue::Places(vec![Place {
                city: Some(city.into()),
                country: country.map(str::to_owned),
                ..Place::default()
            }])
        };
        for (a, b, differ) in [
            (
                place("New York City", Some("US")),
                place("NYC", None),
                false,
            ),
            (
                place("New York", Some("US")),
                place("nyc", Some("US")),
                false,
            ),
            (place("MÜNCHEN", None), place("Munich", Some("DE")), false),
            (
                place("Kansas City", Some("US")),
                place("Kansas", None),
                true,
            ),
            (place("New York", None), place("Newark", None), true),
            (
                place("London", Some("GB")),
                place("London", Some("CA")),
                true,
            ),
        ] {
            assert_eq!(disagree(&a, &b), differ, "{a:?} {b:?}");
        }
    }

    #[test]
    fn values_that_cannot_stand_say_why() {
        let choice = |word: &str| FieldValue::Choice(word.into());
        for (field, value, ok) in [
            (FieldKey::Remote, choice("hybrid"), true),
            (FieldKey::Remote, choice("somewhere"), false),
            (FieldKey::Verdict, choice("ghost"), true),
            (
                FieldKey::ApplyUrl,
                FieldValue::Url("https://jobs.example/7".into()),
                true,
            ),
            (
                FieldKey::ApplyUrl,
                FieldValue::Url("javascript:alert(1)".into()),
                false,
            ),
            (
                FieldKey::ApplyUrl,
                FieldValue::Url("https://".into()),
                false,
            ),
            (FieldKey::Title, FieldValue::Text("  ".into()), false),
            (FieldKey::Title, choice("x"), false),
            (
                FieldKey::EmploymentType,
                FieldValue::List(vec!["FULL_TIME".into()]),
                true,
            ),
            (
                FieldKey::EmploymentType,
                FieldValue::List(vec!["Full time".into()]),
                false,
            ),
        ] {
            assert_eq!(check(&field, &value).is_ok(), ok, "{field} {value:?}");
        }
    }
}
