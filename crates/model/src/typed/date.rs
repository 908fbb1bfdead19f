//! Days: ISO 8601, day-first with dots, with slashes where there is one reading, and with the name of
//! the month in English.

use super::{TypedError, short};
use crate::time::Day;

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// The day that `text` names.
pub(super) fn read(text: &str) -> Result<Day, TypedError> {
    let text = text.trim();
    let none = || TypedError::Day(short(text));
    let parts: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || ",./-".contains(c))
        .filter(|part| !part.is_empty())
        .collect();
    let [a, b, c] = parts[..] else {
        return Err(none());
    };
    let number = |part: &str| -> Option<u16> {
        let digits = part.bytes().all(|b| b.is_ascii_digit()) && part.len() <= 4;
        digits.then(|| part.parse().ok()).flatten()
    };
    let day = |year: &str, month: u16, day: u16| -> Option<Day> {
        let year = (year.len() == 4).then(|| number(year)).flatten()?;
        Day::new(
            year.try_into().ok()?,
            month.try_into().ok()?,
            day.try_into().ok()?,
        )
    };
    if let Some(named) = month(b) {
        // 5 March 2026
        return number(a).and_then(|a| day(c, named, a)).ok_or_else(none);
    }
    if let Some(named) = month(a) {
        // March 5, 2026
        return number(b).and_then(|b| day(c, named, b)).ok_or_else(none);
    }
    let (Some(first), Some(second), Some(third)) = (number(a), number(b), number(c)) else {
        return Err(none());
    };
    if a.len() == 4 {
        return day(a, second, third).ok_or_else(none);
    }
    let (day_first, month_first) = (day(c, second, first), day(c, first, second));
    match (day_first, month_first) {
        (Some(one), Some(other)) if text.contains('/') && one != other => {
            Err(TypedError::TwoDays {
                text: short(text),
                one,
                other,
            })
        }
        (Some(day), _) => Ok(day),
        (None, Some(day)) if text.contains('/') => Ok(day),
        _ => Err(none()),
    }
}

/// The month of a name or of its first letters, three at least.
fn month(name: &str) -> Option<u16> {
    let name = name.to_lowercase();
    let found = MONTHS
        .iter()
        .position(|month| name.len() >= 3 && month.starts_with(&name))?;
    Some(found as u16 + 1)
}
