//! Numbers: with blanks, apostrophes, commas or points between thousands, and a decimal comma or point.

use super::{TypedError, short};
use crate::value::Amount;

/// Signs between thousands: blank, no-break blanks, apostrophes.
const GROUPING: [char; 5] = [' ', '\u{a0}', '\u{202f}', '\'', '’'];

/// A number alone, with a sign where it is negative.
pub(super) fn read(text: &str) -> Result<Amount, TypedError> {
    let fail = || TypedError::Number(short(text));
    let (negative, digits) = match text.strip_prefix(['-', '−']) {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (amount, rest) = scan(digits).ok_or_else(fail)?;
    if !rest.trim().is_empty() {
        return Err(fail());
    }
    let n = amount.ten_thousandths();
    Ok(Amount::from_ten_thousandths(if negative { -n } else { n }))
}

/// As [`read`] takes it: three decimals would be thousands, so there are four then.
pub(super) fn text_of(amount: Amount) -> String {
    let text = amount.to_string();
    match text.split_once('.') {
        Some((_, fraction)) if fraction.len() == 3 => format!("{text}0"),
        _ => text,
    }
}

/// The number at the start of `text`, and what is behind it. `None` if there is none, or it is too
/// large.
pub(super) fn scan(text: &str) -> Option<(Amount, &str)> {
    let end = extent(text);
    let (number, rest) = text.split_at(end);
    let plain: String = number.chars().filter(|c| !GROUPING.contains(c)).collect();
    let (whole, fraction) = split(&plain);
    let whole: String = whole.chars().filter(char::is_ascii_digit).collect();
    if fraction.len() > 4 || whole.is_empty() {
        return None;
    }
    let units: i64 = whole.parse().ok()?;
    let fraction: i64 = format!("{fraction:0<4}").parse().ok()?;
    let scaled = Amount::from_units(units)?
        .ten_thousandths()
        .checked_add(fraction)?;
    Some((Amount::from_ten_thousandths(scaled), rest))
}

/// Where the number ends: a blank belongs to it only before three digits and no more.
fn extent(text: &str) -> usize {
    let chars: Vec<(usize, char)> = text.char_indices().collect();
    let digit = |i: usize| chars.get(i).is_some_and(|(_, c)| c.is_ascii_digit());
    let mut i = 0;
    while i < chars.len() {
        let c = chars[i].1;
        let group = (i + 1..=i + 3).all(digit) && !digit(i + 4);
        let goes_on = c.is_ascii_digit()
            || (i > 0 && digit(i - 1) && GROUPING.contains(&c) && group)
            || (i > 0 && digit(i - 1) && (c == '.' || c == ',') && digit(i + 1));
        if !goes_on {
            break;
        }
        i += 1;
    }
    chars.get(i).map_or(text.len(), |(at, _)| *at)
}

/// Whole part and decimals. A single sign before three digits stands between thousands, and so do
/// equal signs; the last of two different ones is the decimal one.
fn split(number: &str) -> (&str, &str) {
    let Some(last) = number.rfind(['.', ',']) else {
        return (number, "");
    };
    let sign = &number[last..=last];
    let (whole, fraction) = (&number[..last], &number[last + 1..]);
    let others = whole.contains(['.', ',']);
    let thousands = match others {
        true => whole.contains(sign),
        false => fraction.len() == 3 && (1..=3).contains(&whole.len()) && whole != "0",
    };
    if thousands {
        (number, "")
    } else {
        (whole, fraction)
    }
}
