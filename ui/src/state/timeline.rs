//! How the history is narrowed by a person, and which versions that means (SPEC E1).

use crate::state::format::Zone;
use ghostlight_api::view::TimelineFilter;
use ghostlight_model::{
    Day, FieldKey, FieldValue, Micros, Source,
    typed::{self},
};

const MINUTE_US: i64 = 60_000_000;
const DAY_US: i64 = 24 * 60 * MINUTE_US;

/// From when to when.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum When {
    /// The whole history.
    #[default]
    Always,
    /// So many days up to today; 1 is today.
    Last(i64),
    /// Days as typed, both included; an empty one leaves that end open.
    Days {
        /// The first day.
        from: String,
        /// The last day.
        until: String,
    },
}

impl When {
    /// What can be chosen: a word for the form, and how it is called.
    pub const ALL: [(&'static str, &'static str); 5] = [
        ("", "at any time"),
        ("1", "today"),
        ("7", "last 7 days"),
        ("30", "last 30 days"),
        ("days", "on these days"),
    ];

    /// The word of the form.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Always => "",
            Self::Last(1) => "1",
            Self::Last(7) => "7",
            Self::Last(_) => "30",
            Self::Days { .. } => "days",
        }
    }

    /// Of a word of the form; days that were typed stay.
    pub fn of_word(word: &str, before: &Self) -> Self {
        match (word, before) {
            ("days", Self::Days { .. }) => before.clone(),
            ("days", _) => Self::Days {
                from: String::new(),
                until: String::new(),
            },
            (number, _) => match number.parse() {
                Ok(days) => Self::Last(days),
                Err(_) => Self::Always,
            },
        }
    }

    /// First and last day that are meant.
    ///
    /// # Errors
    /// What is wrong with the typed days, in a sentence.
    fn days(&self, today: Day) -> Result<(Option<Day>, Option<Day>), String> {
        match self {
            Self::Always => Ok((None, None)),
            Self::Last(days) => Ok((today.plus_days(1 - days), None)),
            Self::Days { from, until } => match (day(from)?, day(until)?) {
                (Some(from), Some(until)) if from > until => {
                    Err("The first day is after the last.".into())
                }
                days => Ok(days),
            },
        }
    }
}

/// The day of a typed text; none of an empty one.
///
/// # Errors
/// Why the text is no day, in a sentence.
pub fn day(text: &str) -> Result<Option<Day>, String> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    match typed::read(&FieldKey::PostedAt, None, text) {
        Ok(FieldValue::Date(day)) => Ok(Some(day)),
        Ok(_) => Err("This is no day.".into()),
        Err(error) => Err(error.to_string()),
    }
}

/// What is chosen above the history.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Narrowed {
    /// Only what changes this field.
    pub field: Option<FieldKey>,
    /// Only by this author, by id.
    pub author: Option<String>,
    /// Only with a change by this source.
    pub source: Option<Source>,
    /// Only then.
    pub when: When,
}

impl Narrowed {
    /// Which versions are meant, in a zone and on a day; what cannot be meant narrows nothing, and why not, in a sentence.
    pub fn filter(&self, zone: Zone, today: Day) -> (TimelineFilter, Option<String>) {
        let (days, wrong) = match self.when.days(today) {
            Ok(days) => (days, None),
            Err(why) => ((None, None), Some(why)),
        };
        let begins = |day: Day| {
            let utc = day.epoch_days().saturating_mul(DAY_US);
            Micros(utc.saturating_sub(i64::from(zone.minutes) * MINUTE_US))
        };
        let filter = TimelineFilter {
            field: self.field.clone(),
            author: self.author.clone(),
            source: self.source,
            from: days.0.map(begins),
            before: days.1.and_then(|day| day.plus_days(1)).map(begins),
            branch: None,
        };
        (filter, wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::format;

    fn of(when: When, minutes: i32) -> (Option<String>, Option<String>, Option<String>) {
        let today = day("2026-03-05").expect("a day").expect("a day");
        let narrowed = Narrowed {
            when,
            ..Narrowed::default()
        };
        let (filter, wrong) = narrowed.filter(Zone { minutes }, today);
        let at = |at: Option<Micros>| at.map(|at| at.to_rfc3339()[..16].to_owned());
        (at(filter.from), at(filter.before), wrong)
    }

    fn days(from: &str, until: &str) -> When {
        When::Days {
            from: from.into(),
            until: until.into(),
        }
    }

    #[test]
    fn days_begin_where_the_person_is() {
        let is = |from: &str, before: &str| {
            let some = |at: &str| (!at.is_empty()).then(|| at.to_owned());
            (some(from), some(before), None)
        };
        assert_eq!(of(When::Always, 60), is("", ""));
        assert_eq!(of(When::Last(1), 0), is("2026-03-05T00:00", ""));
        assert_eq!(of(When::Last(7), 60), is("2026-02-26T23:00", ""));
        assert_eq!(
            of(days("2026-03-01", "2026-03-02"), -120),
            is("2026-03-01T02:00", "2026-03-03T02:00")
        );
        assert_eq!(of(days("", "1 Mar 2026"), 0), is("", "2026-03-02T00:00"));
        assert_eq!(of(days(" ", ""), 0), is("", ""));
        // The instants that the zone says are of that day.
        let zone = Zone { minutes: 330 };
        let first = Micros(1_772_649_000_000_000);
        assert_eq!(first.to_rfc3339()[..16], *"2026-03-04T18:30");
        assert_eq!(format::date(format::day(first, zone)), "5 Mar 2026");
        assert_eq!(
            of(When::Last(1), 330).0.as_deref(),
            Some("2026-03-04T18:30")
        );
    }

    #[test]
    fn what_is_no_day_narrows_nothing_and_says_so() {
        for wrong in [days("soon", ""), days("2026-03-01", "soonish")] {
            let (from, before, why) = of(wrong, 0);
            assert_eq!((from, before), (None, None));
            assert!(why.is_some_and(|why| why.contains("not a day")));
        }
        let (_, _, why) = of(days("2026-03-02", "2026-03-01"), 0);
        assert_eq!(why.as_deref(), Some("The first day is after the last."));
    }

    #[test]
    fn each_word_of_the_form_comes_back_and_typed_days_stay() {
        for (word, _) in When::ALL {
            assert_eq!(When::of_word(word, &When::Always).word(), word);
        }
        let typed = days("2026-03-01", "");
        assert_eq!(When::of_word("days", &typed), typed);
    }
}
