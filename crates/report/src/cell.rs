//! Cells: what stands in a row, and how it reads as text.

use ghostlight_model::{Amount, FieldValue, Micros};
use std::fmt::Write as _;

/// What stands in a cell; borrowed from the row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell<'a> {
    /// Nothing.
    Empty,
    /// A text.
    Text(&'a str),
    /// A whole number.
    Int(i64),
    /// Thousandths of a whole: a confidence.
    Share(u16),
    /// An amount.
    Amount(Amount),
    /// An instant, in UTC.
    Time(Micros),
    /// An id's bytes.
    Id(&'a [u8]),
    /// A field's value.
    Value(&'a FieldValue),
    /// JSON, verbatim.
    Json(&'a str),
}

impl<'a> Cell<'a> {
    /// A text, or nothing.
    pub fn text(text: Option<&'a str>) -> Self {
        text.map_or(Cell::Empty, Cell::Text)
    }

    /// The cell as text, in `scratch` unless it is one.
    pub fn plain<'b>(&self, scratch: &'b mut String) -> &'b str
    where
        'a: 'b,
    {
        scratch.clear();
        match *self {
            Cell::Empty => {}
            Cell::Text(text) | Cell::Json(text) => return text,
            Cell::Value(
                FieldValue::Text(text) | FieldValue::Choice(text) | FieldValue::Url(text),
            ) => return text,
            Cell::Value(value) => scratch.push_str(&value.display()),
            Cell::Time(at) => time(at, scratch),
            Cell::Id(bytes) => hex(bytes, scratch),
            // Writing to a string does not fail.
            Cell::Int(n) => drop(write!(scratch, "{n}")),
            Cell::Amount(amount) => drop(write!(scratch, "{amount}")),
            Cell::Share(share) => match share {
                1000.. => scratch.push('1'),
                0 => scratch.push('0'),
                part => {
                    let digits = format!("{part:03}");
                    scratch.push_str("0.");
                    scratch.push_str(digits.trim_end_matches('0'));
                }
            },
        }
        scratch
    }

    /// Whether a spreadsheet could take it for a formula: numbers and times of ours are none.
    pub(crate) fn is_text(&self) -> bool {
        matches!(self, Cell::Text(_) | Cell::Value(_) | Cell::Json(_))
    }
}

/// RFC 3339 in UTC with microseconds: `2026-01-05T08:30:00.000000Z`.
fn time(at: Micros, out: &mut String) {
    const DAY_US: i64 = 86_400_000_000;
    let at = at.sane();
    let (of_day, day) = (at.0.rem_euclid(DAY_US), at.day());
    let seconds = of_day / 1_000_000;
    let mut text = *b"0000-00-00T00:00:00.000000Z";
    digits(i64::from(day.year()), &mut text[..4]);
    digits(i64::from(day.month()), &mut text[5..7]);
    digits(i64::from(day.day()), &mut text[8..10]);
    digits(seconds / 3600, &mut text[11..13]);
    digits(seconds / 60 % 60, &mut text[14..16]);
    digits(seconds % 60, &mut text[17..19]);
    digits(of_day % 1_000_000, &mut text[20..26]);
    // Digits and signs are ASCII, and that is UTF-8.
    out.push_str(str::from_utf8(&text).unwrap_or_default());
}

/// A number's last digits, from the end, in place of all that is there; a million of these is why it is no `format!`.
fn digits(number: i64, places: &mut [u8]) {
    let mut left = number;
    for place in places.iter_mut().rev() {
        *place = b'0' + (left % 10) as u8;
        left /= 10;
    }
}

fn hex(bytes: &[u8], out: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        out.push(char::from(DIGITS[usize::from(byte >> 4)]));
        out.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
}

/// What a spreadsheet could take for the beginning of a formula.
const RISKY: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// Whether a spreadsheet could run the text (OWASP, *CSV Injection*): it begins with `=`, `+`, `-`, `@`, tab or
/// carriage return and is no plain number. Apostrophes before that count too, so that [`unguard`] undoes [`guard`] for any text.
pub fn needs_guard(text: &str) -> bool {
    // Most cells are decided by their first character.
    if !text.starts_with('\'') && !text.starts_with(RISKY) {
        return false;
    }
    let rest = text.trim_start_matches('\'');
    rest.starts_with(RISKY) && !is_plain_number(rest)
}

/// The text with an apostrophe before it where a spreadsheet could run it.
pub fn guard(text: &str) -> std::borrow::Cow<'_, str> {
    match needs_guard(text) {
        true => format!("'{text}").into(),
        false => text.into(),
    }
}

/// What [`guard`] was given: for whoever reads a file of ours (SPEC I3). Nothing of Ghostlight's reads CSV yet; a batch of
/// postings (SPEC A1) is what will. Until then it is what the tests hold against the guard.
pub fn unguard(text: &str) -> &str {
    let rest = text.strip_prefix('\'');
    rest.filter(|rest| needs_guard(rest)).unwrap_or(text)
}

/// A sign, digits, a fraction, an exponent: nothing that a spreadsheet computes.
fn is_plain_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (base, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((base, exponent)) => (
            base,
            Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)),
        ),
        None => (unsigned, None),
    };
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = base.split_once('.').unwrap_or((base, "0"));
    all_digits(whole) && all_digits(fraction) && exponent.is_none_or(all_digits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn formulas_are_guarded_and_plain_numbers_are_not() {
        for risky in [
            "=1+1",
            "+49 170 1",
            "-",
            "-x",
            "@home",
            "\tx",
            "\rx",
            "=",
            "-1-1",
            "+1e",
            "--1",
            "'=1",
            "''@",
            "-1.",
            "-.5",
            "- 5",
        ] {
            assert!(needs_guard(risky), "{risky:?}");
            assert_eq!(guard(risky), format!("'{risky}"));
        }
        for harmless in [
            "", "a=b", "-5", "+5", "-1.25", "1-1", "'-5", "it's", "'", "-1e6", "+1.5E-3", " =1",
        ] {
            assert!(!needs_guard(harmless), "{harmless:?}");
            assert_eq!(guard(harmless), harmless);
        }
    }

    #[test]
    fn cells_read_as_text() {
        let mut scratch = String::new();
        for (cell, text) in [
            (Cell::Empty, ""),
            (Cell::Int(-7), "-7"),
            (Cell::Share(1000), "1"),
            (Cell::Share(0), "0"),
            (Cell::Share(50), "0.05"),
            (Cell::Share(930), "0.93"),
            (
                Cell::Time(Micros(1_700_000_000_123_456)),
                "2023-11-14T22:13:20.123456Z",
            ),
            (Cell::Time(Micros(-1)), "1969-12-31T23:59:59.999999Z"),
            (Cell::Id(&[0, 0xab, 0x0f]), "00ab0f"),
            (
                Cell::Value(&FieldValue::List(vec!["SQL".into(), "dbt".into()])),
                "SQL, dbt",
            ),
        ] {
            assert_eq!(cell.plain(&mut scratch), text, "{cell:?}");
        }
    }

    proptest! {
        #[test]
        fn reading_back_undoes_the_guard(text in "['=+\\-@\t\r0-9a.e ]{0,8}") {
            let guarded = guard(&text);
            prop_assert_eq!(unguard(&guarded), &*text);
            // And what reaches the file is harmless.
            prop_assert!(!guard(&text).starts_with(['=', '@', '\t', '\r']));
        }

        #[test]
        fn times_agree_with_those_of_the_model(at in -62_167_219_200_000_000_i64..253_402_300_799_999_999) {
            let mut scratch = String::new();
            let told = Cell::Time(Micros(at)).plain(&mut scratch).to_owned();
            let model = Micros(at).to_rfc3339();
            prop_assert_eq!(&told[..23], &model[..23]);
        }
    }
}
