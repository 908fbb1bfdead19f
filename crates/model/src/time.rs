//! Instants (UTC microseconds) and calendar days, as plain numbers without a clock.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Microseconds since 1970-01-01 UTC.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Micros(pub i64);

impl Micros {
    /// 9999-12-31T23:59:59.999999Z, the latest instant of RFC 3339.
    pub const MAX: Micros = Micros(253_402_300_799_999_999);

    /// Within the years 0 to 9999: what somebody else's clock says beyond is cut to it.
    pub fn sane(self) -> Self {
        Self(self.0.clamp(-62_167_219_200_000_000, Self::MAX.0))
    }

    /// From an earlier instant to this one, in milliseconds; 0 if it is not earlier.
    pub fn ms_since(self, earlier: Micros) -> f64 {
        self.0.saturating_sub(earlier.0).max(0) as f64 / 1_000.0
    }

    /// The UTC day this instant falls on.
    pub fn day(self) -> Day {
        Day::from_epoch_days(self.0.div_euclid(86_400_000_000))
    }

    /// RFC 3339 in UTC with milliseconds, for files and logs.
    pub fn to_rfc3339(self) -> String {
        let of_day = self.0.rem_euclid(86_400_000_000);
        let (seconds, millis) = (of_day / 1_000_000, of_day % 1_000_000 / 1_000);
        format!(
            "{}T{:02}:{:02}:{:02}.{millis:03}Z",
            self.day(),
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60
        )
    }

    /// Reads a moment in UTC (RFC 3339): `2026-03-05T08:30Z`, with seconds and up to six digits behind them or without.
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        let day = Day::parse_prefix(text)?;
        let time = text.strip_suffix('Z')?.get(10..)?.strip_prefix('T')?;
        let (time, fraction) = time.split_once('.').unwrap_or((time, ""));
        let mut parts = time.split(':');
        let mut part = |most: i64| {
            let digits = parts.next()?;
            let two = digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit());
            let number: i64 = digits.parse().ok()?;
            (two && number <= most).then_some(number)
        };
        let (hours, minutes) = (part(23)?, part(59)?);
        let has_seconds = time.len() > 5;
        let seconds = if has_seconds { part(59)? } else { 0 };
        let digits = fraction.bytes().all(|b| b.is_ascii_digit()) && fraction.len() <= 6;
        let dotted = text.contains('.');
        if !digits || parts.next().is_some() || dotted && (fraction.is_empty() || !has_seconds) {
            return None;
        }
        let micros: i64 = format!("{fraction:0<6}").parse().ok()?;
        let of_day = (hours * 3600 + minutes * 60 + seconds) * 1_000_000 + micros;
        Some(Self(day.epoch_days() * 86_400_000_000 + of_day))
    }
}

/// A calendar day, as written in the posting (no time zone is invented for it).
///
/// Stored and sent as `YYYY-MM-DD` (ISO 8601).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day {
    year: i16,
    month: u8,
    day: u8,
}

impl Day {
    /// A day of the proleptic Gregorian calendar, or `None` if there is no such day.
    pub fn new(year: i16, month: u8, day: u8) -> Option<Self> {
        let (m, d) = (i8::try_from(month).ok()?, i8::try_from(day).ok()?);
        jiff::civil::Date::new(year, m, d).ok()?;
        (year >= 0).then_some(Self { year, month, day })
    }

    /// The year, 0 to 9999.
    pub fn year(self) -> i16 {
        self.year
    }

    /// The month, 1 to 12.
    pub fn month(self) -> u8 {
        self.month
    }

    /// The day of the month, 1 to 31.
    pub fn day(self) -> u8 {
        self.day
    }

    /// Reads `YYYY-MM-DD` at the start of `text`; what follows (a time of day) is left.
    pub fn parse_prefix(text: &str) -> Option<Self> {
        let head = text.trim_start().get(..10)?;
        let mut parts = head.split('-');
        let (y, m, d) = (parts.next()?, parts.next()?, parts.next()?);
        let digits = |s: &str, n| s.len() == n && s.bytes().all(|b| b.is_ascii_digit());
        if !(digits(y, 4) && digits(m, 2) && digits(d, 2)) {
            return None;
        }
        Self::new(y.parse().ok()?, m.parse().ok()?, d.parse().ok()?)
    }

    /// Days since 1970-01-01.
    pub fn epoch_days(self) -> i64 {
        // Days from civil, H. Hinnant, "chrono-Compatible Low-Level Date Algorithms".
        let year = i64::from(self.year) - i64::from(self.month <= 2);
        let era = year.div_euclid(400);
        let of_era = year.rem_euclid(400);
        let month = (i64::from(self.month) + 9) % 12;
        let of_year = (153 * month + 2) / 5 + i64::from(self.day) - 1;
        era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
    }

    /// So many days later, earlier if negative; `None` beyond the years 0 to 9999.
    pub fn plus_days(self, days: i64) -> Option<Self> {
        let wanted = self.epoch_days().checked_add(days)?;
        let (first, last) = (-719_528, 2_932_896);
        (first..=last)
            .contains(&wanted)
            .then(|| Self::from_epoch_days(wanted))
    }

    fn from_epoch_days(days: i64) -> Self {
        let days = days + 719_468;
        let era = days.div_euclid(146_097);
        let of_era = days.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month = (5 * of_year + 2) / 153;
        let day = (of_year - (153 * month + 2) / 5 + 1) as u8;
        let month = if month < 10 { month + 3 } else { month - 9 } as u8;
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Self {
            year: year.clamp(0, 9999) as i16,
            month,
            day,
        }
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl Serialize for Day {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        Self::parse_prefix(&text)
            .filter(|_| text.len() == 10)
            .ok_or_else(|| serde::de::Error::custom(format!("{text:?} is not a day as YYYY-MM-DD")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_they_are_written() {
        let at = Micros(1_767_605_400_123_000);
        assert_eq!(Micros::from_rfc3339(&at.to_rfc3339()), Some(at));
        for (text, micros) in [
            ("1970-01-01T00:00Z", 0),
            ("1970-01-01T01:02Z", 3_720_000_000),
            ("1970-01-02T00:00:01Z", 86_401_000_000),
            ("1969-12-31T23:59:59.999999Z", -1),
            ("1970-01-01T00:00:00.5Z", 500_000),
        ] {
            assert_eq!(Micros::from_rfc3339(text), Some(Micros(micros)), "{text}");
        }
        for wrong in [
            "",
            "1970-01-01",
            "1970-01-01Z",
            "1970-01-01T00:00",
            "1970-01-01T24:00Z",
            "1970-01-01T00:60Z",
            "1970-01-01T0:00Z",
            "1970-01-01T00:00:00.Z",
            "1970-01-01T00:00.5Z",
            "1970-01-01T00:00:00.1234567Z",
            "1970-01-01T00:00:00:00Z",
            "1970-01-01T+1:00Z",
            "1970-13-01T00:00Z",
            " 1970-01-01T00:00Z",
            "1970-01-01T00:00+01:00",
        ] {
            assert_eq!(Micros::from_rfc3339(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn days_count_from_1970_and_back() {
        for (text, days) in [
            ("1970-01-01", 0),
            ("2000-02-29", 11_016),
            ("2026-11-21", 20_778),
            ("1969-12-31", -1),
        ] {
            let day = Day::parse_prefix(text).unwrap();
            assert_eq!(day.epoch_days(), days, "{text}");
            assert_eq!(Day::from_epoch_days(days), day, "{text}");
        }
    }

    #[test]
    fn days_are_counted_on_as_far_as_years_go() {
        let day = |text| Day::parse_prefix(text).unwrap();
        for (from, days, to) in [
            ("2026-02-28", 1, Some("2026-03-01")),
            ("2026-01-01", -1, Some("2025-12-31")),
            ("0000-01-01", 0, Some("0000-01-01")),
            ("9999-12-31", 0, Some("9999-12-31")),
            ("0000-01-01", -1, None),
            ("9999-12-31", 1, None),
            ("2026-01-01", i64::MAX, None),
        ] {
            assert_eq!(day(from).plus_days(days), to.map(day), "{from} {days}");
        }
    }

    #[test]
    fn no_such_day_is_none() {
        for text in [
            "2025-02-29",
            "2025-13-01",
            "2025-1-01",
            "garbage",
            "20é5-01-01",
            "",
        ] {
            assert_eq!(Day::parse_prefix(text), None, "{text}");
        }
    }

    #[test]
    fn instants_print_in_utc() {
        assert_eq!(
            Micros(1_700_000_000_123_456).to_rfc3339(),
            "2023-11-14T22:13:20.123Z"
        );
    }
}
