//! A member of the answer as a typed value: the same reading, rules and lengths as for what a person types.

use ghostlight_model::{Amount, FieldKey, FieldValue, Period, Salary, typed};
use serde_json::Value;

/// A value and the words that are said to bear it out.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answer {
    pub value: FieldValue,
    pub quote: String,
}

/// What a member says of `field`; `None` that the posting does not state it.
///
/// # Errors
/// Why it is no value of the field, as a sentence.
pub(super) fn read(field: &FieldKey, member: &Value) -> Result<Option<Answer>, String> {
    let (value, quote) = match member {
        Value::Object(object) if object.contains_key("value") => {
            (&member["value"], member["quote"].as_str())
        }
        bare => (bare, None),
    };
    let Some(value) = value_of(field, value)? else {
        return Ok(None);
    };
    typed::check(field, &value).map_err(|e| e.to_string())?;
    let quote = quote.unwrap_or_default().to_owned();
    Ok(Some(Answer { value, quote }))
}

fn value_of(field: &FieldKey, value: &Value) -> Result<Option<FieldValue>, String> {
    if says_nothing(value) {
        return Ok(None);
    }
    match (field, value) {
        (_, Value::String(text)) => typed(field, text).map(Some),
        (FieldKey::Location, Value::Array(places)) => {
            let places: Vec<String> = places.iter().filter_map(place).collect();
            let text = places.join("; ");
            if text.is_empty() {
                return Ok(None);
            }
            typed(field, &text).map(Some)
        }
        (FieldKey::Location, place) if place.is_object() => {
            value_of(field, &Value::Array(vec![place.clone()]))
        }
        (FieldKey::Salary, Value::Object(_)) => salary(value),
        (
            FieldKey::EmploymentType
            | FieldKey::Skills
            | FieldKey::Benefits
            | FieldKey::RemoteRegions,
            Value::Array(items),
        ) => {
            let items = items.iter().filter_map(Value::as_str).map(str::to_owned);
            let text = typed::text_of(&FieldValue::List(items.collect()));
            if text.trim().is_empty() {
                return Ok(None);
            }
            typed(field, &text).map(Some)
        }
        (_, other) => Err(format!("{} does not fit it.", kind(other))),
    }
}

/// Nothing at all, or in words what null says.
fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => {
            let text = text.trim().to_lowercase();
            ["", "null", "none", "n/a", "not stated", "unknown"].contains(&text.as_str())
        }
        Value::Array(items) => items.iter().all(says_nothing),
        Value::Object(members) => members.values().all(says_nothing),
        _ => false,
    }
}

fn typed(field: &FieldKey, text: &str) -> Result<FieldValue, String> {
    typed::read(field, None, text).map_err(|e| e.to_string())
}

/// As [`typed::read`] takes it: always three parts, so that a country is one and a region is none.
fn place(value: &Value) -> Option<String> {
    let clean = |text: &str| text.replace([',', ';', '\n'], " ").trim().to_owned();
    if let Some(text) = value.as_str() {
        let text = text.replace([';', '\n'], " ").trim().to_owned();
        return (!text.is_empty()).then_some(text);
    }
    let parts =
        ["city", "region", "country"].map(|name| clean(value[name].as_str().unwrap_or_default()));
    parts
        .iter()
        .any(|part| !part.is_empty())
        .then(|| parts.join(", "))
}

fn salary(value: &Value) -> Result<Option<FieldValue>, String> {
    let amount = |name: &str| match &value[name] {
        Value::Null => Ok(None),
        Value::Number(n) => {
            let amount = n.as_f64().and_then(Amount::from_f64);
            amount.map(Some).ok_or_else(|| format!("{n} is too large."))
        }
        Value::String(text) => {
            let pay = typed(&FieldKey::Salary, text)?;
            match pay {
                FieldValue::Salary(pay) => Ok(pay.min.or(pay.max)),
                _ => Ok(None),
            }
        }
        other => Err(format!("{} is no amount.", kind(other))),
    };
    let (min, max) = (amount("min")?, amount("max")?);
    if min.is_none() && max.is_none() {
        return Ok(None);
    }
    let word = |name: &str| {
        let word = value[name].as_str().map(str::trim);
        word.filter(|word| !word.is_empty())
    };
    let period = word("period").map(|word| {
        let periods = [
            Period::Hour,
            Period::Day,
            Period::Week,
            Period::Month,
            Period::Year,
        ];
        let known = periods
            .into_iter()
            .find(|p| word.eq_ignore_ascii_case(p.word()));
        known.ok_or_else(|| format!("{:?} is no period of pay.", super::short(word)))
    });
    Ok(Some(FieldValue::Salary(Salary {
        min,
        max,
        currency: word("currency").map(str::to_uppercase),
        period: period.transpose()?,
        ..Salary::default()
    })))
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "Nothing",
        Value::Bool(_) => "Yes or no",
        Value::Number(_) => "A number",
        Value::String(_) => "A text",
        Value::Array(_) => "A list",
        Value::Object(_) => "An object",
    }
}
