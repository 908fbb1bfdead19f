//! What a person types for a field: text → value, or a sentence that says what is wrong; and back, to
//! the text an editor begins with (SPEC B5).
//!
//! [`read`] and [`text_of`] are inverse to each other on every value that [`read`] gives. Errors keep
//! a value from being saved, [`warnings`] do not. Window, core and command line use the same code,
//! so what the window accepts while somebody types is what is saved.

mod date;
mod list;
mod number;
mod place;
mod plausible;
mod salary;

pub use plausible::CURRENCIES;

use crate::{
    rules::{self, RuleError},
    time::Day,
    value::{FieldKey, FieldValue},
};
use std::fmt;

/// The name of a user-defined field may hold so many characters; more is refused.
pub const NAME_CHARS_MAX: usize = 60;
/// A line (title, company, a list's item) may hold so many characters; more is refused.
pub const LINE_CHARS_MAX: usize = 1_000;
/// A long text may hold so many bytes (2 MiB); more is refused.
pub const TEXT_BYTES_MAX: usize = 2 * 1024 * 1024;
/// A list may hold so many items or places; more are refused.
pub const ITEMS_MAX: usize = 200;

/// How a field is edited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Editor {
    /// One line.
    Line,
    /// Several lines.
    LongText,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Several of these words.
    Choices(&'static [&'static str]),
    /// Several words or lines of one's own.
    List,
    /// Places: `City, Region, CC`, with `;` between two of them.
    Places,
    /// Pay: `48000–55000 EUR / year`.
    Salary,
    /// A day.
    Day,
    /// A web address.
    Url,
    /// A number.
    Number,
}

impl Editor {
    /// How `field` is edited. A user-defined field keeps the kind of its `current` value; without one
    /// it is a long text.
    pub fn of(field: &FieldKey, current: Option<&FieldValue>) -> Self {
        match field {
            FieldKey::Title | FieldKey::Company | FieldKey::Platform => Self::Line,
            FieldKey::Description => Self::LongText,
            FieldKey::Location => Self::Places,
            FieldKey::Remote => Self::Choice(&rules::REMOTE),
            FieldKey::Seniority => Self::Choice(&rules::SENIORITY),
            FieldKey::Verdict => Self::Choice(&rules::VERDICTS),
            FieldKey::Outcome => Self::Choice(&rules::OUTCOMES),
            FieldKey::EmploymentType => Self::Choices(&rules::EMPLOYMENT_TYPES),
            FieldKey::Skills | FieldKey::Benefits | FieldKey::RemoteRegions => Self::List,
            FieldKey::Salary => Self::Salary,
            FieldKey::PostedAt | FieldKey::ValidThrough => Self::Day,
            FieldKey::ApplyUrl => Self::Url,
            FieldKey::Custom(_) => match current {
                None | Some(FieldValue::Text(_)) => Self::LongText,
                Some(FieldValue::Choice(_)) => Self::Line,
                Some(FieldValue::List(_)) => Self::List,
                Some(FieldValue::Places(_)) => Self::Places,
                Some(FieldValue::Salary(_)) => Self::Salary,
                Some(FieldValue::Date(_)) => Self::Day,
                Some(FieldValue::Url(_)) => Self::Url,
                Some(FieldValue::Number(_)) => Self::Number,
            },
        }
    }
}

/// Why a text is no value of the field: a sentence, for beside the editor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TypedError {
    /// The value breaks a rule of the field.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// A part of the text says nothing we know.
    #[error("{part:?} is not understood; write for example {example}.")]
    NotUnderstood {
        /// The part, cut to 80 characters.
        part: String,
        /// A text that is understood.
        example: &'static str,
    },
    /// Not a number, or too large for one.
    #[error("{0:?} is not a number, or too large for one.")]
    Number(String),
    /// No currency of ISO 4217.
    #[error("{0} is not a known currency code; write for example EUR, USD or GBP.")]
    Currency(String),
    /// No country of ISO 3166.
    #[error("{0:?} is not a known country; write its code of two letters, such as FR.")]
    Country(String),
    /// There is no such day.
    #[error("{0:?} is not a day of the calendar; write YYYY-MM-DD, such as 2026-03-05.")]
    Day(String),
    /// A day that can be read in two ways.
    #[error("{text:?} can be read in two ways; write {one} or {other}.")]
    TwoDays {
        /// As typed.
        text: String,
        /// With the day first.
        one: Day,
        /// With the month first.
        other: Day,
    },
    /// A quoted item does not end.
    #[error("The quotation mark before {0:?} has no partner; add one after the item.")]
    Quote(String),
    /// No name for a field of one's own.
    #[error(
        "{0:?} cannot be a field's name: 1 to {NAME_CHARS_MAX} characters without line ends are one."
    )]
    FieldName(String),
    /// Too long.
    #[error("This is longer than {max} {unit}; shorten it.")]
    TooLong {
        /// What is allowed.
        max: usize,
        /// Of what.
        unit: &'static str,
    },
}

/// What deserves a second look and may be right all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// Pay outside of what is usual for its currency and period.
    Pay {
        /// As understood.
        amount: String,
        /// Whether it is below, and not above, the usual.
        below: bool,
        /// What is usual.
        usual: String,
    },
    /// The posting ends before it begins.
    Dates {
        /// Posted.
        posted: Day,
        /// Valid through.
        through: Day,
    },
    /// A code of a country that is a code of a state of the USA as well.
    StateOrCountry(String),
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Warning::Pay {
                amount,
                below,
                usual,
            } => {
                let side = if *below { "below" } else { "above" };
                write!(
                    f,
                    "{amount} is {side} what is usual ({usual}); check the amount and its period."
                )
            }
            Warning::Dates { posted, through } => write!(
                f,
                "Posted on {posted} and valid through {through}: it would end before it begins."
            ),
            Warning::StateOrCountry(code) => write!(
                f,
                "{code} is read as a country; for the state in the USA write it with the country, such as \
                 \"San Francisco, CA, US\"."
            ),
        }
    }
}

/// The other fields that warnings look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Beside {
    /// The day of posting as it stands.
    pub posted_at: Option<Day>,
    /// The last day as it stands.
    pub valid_through: Option<Day>,
}

impl Beside {
    /// Of a card's fields.
    pub fn of(fields: &[crate::card::CardField]) -> Self {
        let day = |key: FieldKey| {
            let field = fields.iter().find(|field| field.key == key)?;
            match field.chosen.as_ref()?.value {
                FieldValue::Date(day) => Some(day),
                _ => None,
            }
        };
        Self {
            posted_at: day(FieldKey::PostedAt),
            valid_through: day(FieldKey::ValidThrough),
        }
    }
}

/// The value that `text` is for `field`. `current` is what the field holds, for the kind of a
/// user-defined field.
///
/// # Errors
/// The sentence for beside the editor. An empty text is an error too: a value is withdrawn, not
/// emptied.
pub fn read(
    field: &FieldKey,
    current: Option<&FieldValue>,
    text: &str,
) -> Result<FieldValue, TypedError> {
    if text.trim().is_empty() {
        return Err(RuleError::Empty.into());
    }
    if text.len() > TEXT_BYTES_MAX {
        return Err(TypedError::TooLong {
            max: TEXT_BYTES_MAX,
            unit: "bytes",
        });
    }
    let value = match Editor::of(field, current) {
        Editor::Line if matches!(current, Some(FieldValue::Choice(_))) => {
            FieldValue::Choice(line(text)?)
        }
        Editor::Line => FieldValue::Text(line(text)?),
        Editor::LongText => FieldValue::Text(text.replace("\r\n", "\n")),
        Editor::Choice(words) => FieldValue::Choice(word(text, words)?),
        Editor::Choices(words) => {
            let items = list::read(text)?;
            let known = items.iter().map(|item| word(item, words));
            FieldValue::List(list::distinct(known.collect::<Result<_, _>>()?))
        }
        Editor::List => FieldValue::List(list::distinct(list::read(text)?)),
        Editor::Places => FieldValue::Places(place::read(text)?),
        Editor::Salary => FieldValue::Salary(salary::read(text)?),
        Editor::Day => FieldValue::Date(date::read(text)?),
        Editor::Url => FieldValue::Url(text.trim().to_owned()),
        Editor::Number => FieldValue::Number(number::read(text.trim())?),
    };
    check(field, &value)?;
    Ok(value)
}

/// Whether a person may give `field` this value: the rules of the field, known currency and
/// countries, lengths.
///
/// # Errors
/// The sentence for beside the editor.
pub fn check(field: &FieldKey, value: &FieldValue) -> Result<(), TypedError> {
    rules::check(field, value)?;
    if let FieldKey::Custom(name) = field {
        let plain = name.trim() == name && !name.chars().any(char::is_control);
        if name.is_empty() || name.chars().count() > NAME_CHARS_MAX || !plain {
            return Err(TypedError::FieldName(short(name)));
        }
        match value {
            FieldValue::Url(_) => rules::check(&FieldKey::ApplyUrl, value)?,
            FieldValue::Salary(_) => rules::check(&FieldKey::Salary, value)?,
            _ => {}
        }
    }
    let too_long = |chars: usize| match chars > LINE_CHARS_MAX {
        true => Err(TypedError::TooLong {
            max: LINE_CHARS_MAX,
            unit: "characters",
        }),
        false => Ok(()),
    };
    match value {
        FieldValue::Salary(salary) => match &salary.currency {
            Some(code) if !plausible::is_currency(code) => Err(TypedError::Currency(code.clone())),
            _ => Ok(()),
        },
        FieldValue::Places(places) => {
            items(places.len())?;
            for country in places.iter().filter_map(|place| place.country.as_deref()) {
                if place::country(country) != Some(country) {
                    return Err(TypedError::Country(short(country)));
                }
            }
            places
                .iter()
                .try_for_each(|place| too_long(place.name().chars().count()))
        }
        FieldValue::List(list) => {
            items(list.len())?;
            list.iter()
                .try_for_each(|item| too_long(item.chars().count()))
        }
        FieldValue::Choice(text) | FieldValue::Url(text) => too_long(text.chars().count()),
        FieldValue::Text(text) if matches!(Editor::of(field, None), Editor::Line) => {
            too_long(text.chars().count())
        }
        FieldValue::Text(text) if text.len() > TEXT_BYTES_MAX => Err(TypedError::TooLong {
            max: TEXT_BYTES_MAX,
            unit: "bytes",
        }),
        FieldValue::Text(_) | FieldValue::Date(_) | FieldValue::Number(_) => Ok(()),
    }
}

/// What deserves a second look about a value that may be saved.
pub fn warnings(field: &FieldKey, value: &FieldValue, beside: Beside) -> Vec<Warning> {
    match value {
        FieldValue::Salary(salary) => plausible::look(salary),
        FieldValue::Places(places) => place::warnings(places),
        FieldValue::Date(day) => {
            let (posted, through) = match field {
                FieldKey::PostedAt => (Some(*day), beside.valid_through),
                FieldKey::ValidThrough => (beside.posted_at, Some(*day)),
                _ => (None, None),
            };
            match (posted, through) {
                (Some(posted), Some(through)) if posted > through => {
                    vec![Warning::Dates { posted, through }]
                }
                _ => Vec::new(),
            }
        }
        _ => Vec::new(),
    }
}

/// The text an editor begins with.
pub fn text_of(value: &FieldValue) -> String {
    match value {
        FieldValue::Text(text) | FieldValue::Choice(text) | FieldValue::Url(text) => text.clone(),
        FieldValue::List(items) => list::text_of(items),
        FieldValue::Places(places) => place::text_of(places),
        FieldValue::Salary(salary) => salary::text_of(salary),
        FieldValue::Date(day) => day.to_string(),
        FieldValue::Number(n) => number::text_of(*n),
    }
}

/// One line: blanks and line ends are single spaces.
fn line(text: &str) -> Result<String, TypedError> {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.chars().count() > LINE_CHARS_MAX {
        true => Err(TypedError::TooLong {
            max: LINE_CHARS_MAX,
            unit: "characters",
        }),
        false => Ok(line),
    }
}

/// The word of `known` that is meant, whatever its case, blanks and hyphens.
fn word(text: &str, known: &'static [&'static str]) -> Result<String, TypedError> {
    let bare = |text: &str| -> String {
        let letters = text.chars().filter(|c| c.is_alphanumeric());
        letters.flat_map(char::to_lowercase).collect()
    };
    let wanted = bare(text);
    let found = known.iter().find(|word| bare(word) == wanted);
    found.map(|word| (*word).to_owned()).ok_or_else(|| {
        TypedError::Rule(RuleError::Choice {
            value: short(text.trim()),
            known: known.join(", "),
        })
    })
}

fn items(count: usize) -> Result<(), TypedError> {
    match count > ITEMS_MAX {
        true => Err(TypedError::TooLong {
            max: ITEMS_MAX,
            unit: "items",
        }),
        false => Ok(()),
    }
}

/// For an error: at most 80 characters.
fn short(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests;
