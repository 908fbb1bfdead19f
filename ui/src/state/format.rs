//! Numbers, times and lengths as the analyst reads them.
//!
//! Instants come in as [`Micros`]; what to add for local time comes in as minutes, so that nothing
//! here asks for a clock or a time zone.

use ghostlight_model::{Confidence, Day, Micros};

const SECOND_US: i64 = 1_000_000;
const DAY_US: i64 = 86_400 * SECOND_US;

/// Minutes to add to UTC for the time shown; 0 is UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Zone {
    /// Minutes east of UTC.
    pub minutes: i32,
}

/// `0.93`; never rounds up to a certainty that is not there.
pub fn confidence(confidence: Confidence) -> String {
    let hundredths = confidence.thousandths() / 10;
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// How long something took: `0.4 ms`, `212 ms`, `2.1 s`, `1 min 05 s`, `2 h 03 min`.
pub fn elapsed(ms: f64) -> String {
    let ms = if ms.is_finite() { ms.max(0.0) } else { 0.0 };
    let seconds = (ms / 1000.0).round() as u64;
    match ms {
        _ if ms < 9.95 => format!("{ms:.1} ms"),
        _ if ms < 999.5 => format!("{ms:.0} ms"),
        _ if ms < 59_950.0 => format!("{:.1} s", ms / 1000.0),
        _ if seconds < 3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
    }
}

/// `4 min ago` up to a day, then the date.
pub fn ago(now: Micros, then: Micros, zone: Zone) -> String {
    let seconds = now.0.saturating_sub(then.0) / SECOND_US;
    match seconds {
        ..45 => "just now".into(),
        45..3_570 => format!("{} min ago", (seconds + 30) / 60),
        3_570..86_400 => format!("{} h ago", (seconds + 1_800) / 3_600),
        _ => date(shifted(then, zone).day()),
    }
}

/// The day of an instant, there.
pub fn day(at: Micros, zone: Zone) -> Day {
    shifted(at, zone).day()
}

/// `21 Nov 2026`.
pub fn date(day: Day) -> String {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let month = MONTHS
        .get(usize::from(day.month()).saturating_sub(1))
        .unwrap_or(&"");
    format!("{} {month} {}", day.day(), day.year())
}

/// `21 Nov 2026 08:14`.
pub fn date_time(at: Micros, zone: Zone) -> String {
    let local = shifted(at, zone);
    let (h, m, ..) = of_day(local);
    format!("{} {h:02}:{m:02}", date(local.day()))
}

/// `08:14:02.118`.
pub fn clock(at: Micros, zone: Zone) -> String {
    let (h, m, s, ms) = of_day(shifted(at, zone));
    format!("{h:02}:{m:02}:{s:02}.{ms:03}")
}

/// `08:14:02`.
pub fn clock_short(at: Micros, zone: Zone) -> String {
    let (h, m, s, _) = of_day(shifted(at, zone));
    format!("{h:02}:{m:02}:{s:02}")
}

/// Time since a start: `+0:38.114`, `+2:03:08.114`, `-0:00.020` for an earlier one.
pub fn since(start: Micros, at: Micros) -> String {
    let us = at.0.saturating_sub(start.0);
    let sign = if us < 0 { '-' } else { '+' };
    let ms = us.unsigned_abs() / 1_000;
    let (h, m, s) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1_000 % 60);
    match h {
        0 => format!("{sign}{m}:{s:02}.{:03}", ms % 1_000),
        _ => format!("{sign}{h}:{m:02}:{s:02}.{:03}", ms % 1_000),
    }
}

/// `12 345`, with narrow blanks between thousands.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + 4);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

/// `1 field`, `2 fields`.
pub fn plural(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(n), if n == 1 { one } else { many })
}

/// `812 bytes`, `81 kB`, `2.1 MB`.
pub fn bytes(n: u64) -> String {
    match n {
        0..1_000 => plural(n, "byte", "bytes"),
        1_000..1_000_000 => format!("{} kB", (n + 500) / 1_000),
        _ => format!("{:.1} MB", n as f64 / 1e6),
    }
}

/// A URL without its scheme and trailing slash, for reading.
pub fn url(url: &str) -> &str {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"))
        .unwrap_or(url);
    rest.strip_prefix("www.")
        .unwrap_or(rest)
        .trim_end_matches('/')
}

/// `FULL_TIME` as `full time`; other words as they are.
pub fn words(word: &str) -> String {
    word.replace('_', " ").to_lowercase()
}

/// Who made a commit, by a name a reader knows.
pub fn author(name: &str) -> String {
    match name.strip_prefix("pipeline@") {
        Some(version) => format!("Ghostlight {version}"),
        None => name.to_owned(),
    }
}

/// The first `max` characters, with an ellipsis where something was cut.
pub fn shortened(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        Some((at, _)) => format!("{}…", text[..at].trim_end()),
        None => text.to_owned(),
    }
}

fn shifted(at: Micros, zone: Zone) -> Micros {
    Micros(at.0.saturating_add(i64::from(zone.minutes) * 60 * SECOND_US))
}

fn of_day(at: Micros) -> (i64, i64, i64, i64) {
    let us = at.0.rem_euclid(DAY_US);
    let seconds = us / SECOND_US;
    (
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60,
        us % SECOND_US / 1000,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    // 2026-11-21 08:14:02.118 UTC.
    const AT: Micros = Micros(20_778 * DAY_US + (8 * 3600 + 14 * 60 + 2) * SECOND_US + 118_000);
    const UTC: Zone = Zone { minutes: 0 };

    #[test]
    fn confidences_are_cut_not_rounded() {
        for (thousandths, shown) in [
            (0, "0.00"),
            (93, "0.09"),
            (930, "0.93"),
            (999, "0.99"),
            (1000, "1.00"),
        ] {
            assert_eq!(confidence(Confidence::new(thousandths)), shown);
        }
    }

    #[test]
    fn durations_keep_the_digits_that_matter() {
        for (ms, shown) in [
            (0.04, "0.0 ms"),
            (2.94, "2.9 ms"),
            (212.4, "212 ms"),
            (999.6, "1.0 s"),
            (12_900.0, "12.9 s"),
            (65_400.0, "1 min 05 s"),
            (7_380_000.0, "2 h 03 min"),
            (-3.0, "0.0 ms"),
            (f64::NAN, "0.0 ms"),
        ] {
            assert_eq!(elapsed(ms), shown, "{ms}");
        }
    }

    #[test]
    fn times_are_relative_up_to_a_day() {
        let before = |seconds: i64| ago(AT, Micros(AT.0 - seconds * SECOND_US), UTC);
        for (seconds, shown) in [
            (-5, "just now"),
            (44, "just now"),
            (60, "1 min ago"),
            (3_569, "59 min ago"),
            (3_570, "1 h ago"),
            (86_399, "24 h ago"),
            (86_400, "20 Nov 2026"),
        ] {
            assert_eq!(before(seconds), shown, "{seconds}");
        }
    }

    #[test]
    fn local_time_can_be_another_day() {
        let lyon = Zone { minutes: 60 };
        let apia = Zone { minutes: -11 * 60 };
        assert_eq!(date_time(AT, lyon), "21 Nov 2026 09:14");
        assert_eq!(date_time(AT, apia), "20 Nov 2026 21:14");
        assert_eq!(clock(AT, UTC), "08:14:02.118");
    }

    #[test]
    fn times_since_a_start_keep_their_milliseconds() {
        let since = |ms: i64| since(AT, Micros(AT.0 + ms * 1_000));
        assert_eq!(since(38_114), "+0:38.114");
        assert_eq!(since(7_388_114), "+2:03:08.114");
        assert_eq!(since(-20), "-0:00.020");
    }

    #[test]
    fn lengths_and_counts_have_units() {
        assert_eq!(count(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(plural(1, "field", "fields"), "1 field");
        assert_eq!(bytes(999), "999 bytes");
        assert_eq!(bytes(80_600), "81 kB");
        assert_eq!(bytes(2_097_152), "2.1 MB");
        assert_eq!(url("https://www.oriel.example/jobs/"), "oriel.example/jobs");
        assert_eq!(words("FULL_TIME"), "full time");
        assert_eq!(author("pipeline@0.1.0"), "Ghostlight 0.1.0");
        assert_eq!(author("you"), "you");
        assert_eq!(shortened("größer als", 5), "größe…");
        assert_eq!(shortened("kurz", 4), "kurz");
    }
}
