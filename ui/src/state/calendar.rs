//! A month as a calendar shows it, the day that a key leads to (WAI-ARIA *Date Picker Dialog*), and where the calendar
//! stands on the screen. Days of the week are numbered from Monday, 0, to Sunday, 6.

use ghostlight_api::command::WeekStart;
use ghostlight_model::Day;

/// Weeks shown, so that no month is higher than another.
pub const WEEKS: usize = 6;

/// Space between the calendar and its input, and at least between it and the edge of the window, in CSS pixels.
const GAP_PX: f64 = 4.0;

/// The days of the week: as the heads of the columns, and in full.
const WEEKDAYS: [(&str, &str); 7] = [
    ("Mo", "Monday"),
    ("Tu", "Tuesday"),
    ("We", "Wednesday"),
    ("Th", "Thursday"),
    ("Fr", "Friday"),
    ("Sa", "Saturday"),
    ("Su", "Sunday"),
];

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// `March 2026`.
pub fn month_words(day: Day) -> String {
    let month = usize::from(day.month()).saturating_sub(1);
    format!("{} {}", MONTHS.get(month).unwrap_or(&""), day.year())
}

/// `Thursday 5 March 2026`.
pub fn day_words(day: Day) -> String {
    let (_, weekday) = WEEKDAYS[weekday(day)];
    format!("{weekday} {} {}", day.day(), month_words(day))
}

/// The day that weeks begin with; `locale` is what the system says, 1 for Monday to 7 for Sunday (`Intl.Locale`).
pub fn week_start(wanted: WeekStart, locale: Option<u8>) -> usize {
    match (wanted, locale) {
        (WeekStart::Locale, Some(day @ 1..=7)) => usize::from(day) - 1,
        (WeekStart::Locale, _) | (WeekStart::Monday, _) => 0,
        (WeekStart::Saturday, _) => 5,
        (WeekStart::Sunday, _) => 6,
    }
}

/// The heads of the columns: short, and in full.
pub fn heads(start: usize) -> impl Iterator<Item = (&'static str, &'static str)> {
    WEEKDAYS.into_iter().cycle().skip(start).take(7)
}

/// Where a calendar of this size stands in a window, left and top in CSS pixels: below its input where there is room, else
/// above it, and never beyond an edge. `input` is its left, top and bottom.
pub fn place(
    (left, top, bottom): (f64, f64, f64),
    (width, height): (f64, f64),
    (window_width, window_height): (f64, f64),
) -> (f64, f64) {
    let below = bottom + GAP_PX;
    let above = top - GAP_PX - height;
    let lowest = window_height - height - GAP_PX;
    let top = match below <= lowest || above < GAP_PX {
        true => below,
        false => above,
    };
    let left = left.min(window_width - width - GAP_PX);
    (left.max(GAP_PX), top.min(lowest).max(GAP_PX))
}

/// The weeks of this day's month, which begin with that day of the week; `None` where a day is of another month.
pub fn weeks(day: Day, start: usize) -> [[Option<Day>; 7]; WEEKS] {
    let mut weeks = [[None; 7]; WEEKS];
    let of_month = |number: u8| Day::new(day.year(), day.month(), number);
    let before = of_month(1).map_or(0, |first| into_week(first, start));
    for day in (1..=31).map_while(of_month) {
        let place = before + usize::from(day.day()) - 1;
        weeks[place / 7][place % 7] = Some(day);
    }
    weeks
}

/// The day that a key leads to from this one, within the years that a date can have; `None` for keys that lead nowhere.
pub fn step(day: Day, key: &str, shift: bool, start: usize) -> Option<Day> {
    let into_week = into_week(day, start) as i64;
    match key {
        "ArrowLeft" => Some(days_on(day, -1)),
        "ArrowRight" => Some(days_on(day, 1)),
        "ArrowUp" => Some(days_on(day, -7)),
        "ArrowDown" => Some(days_on(day, 7)),
        "Home" => Some(days_on(day, -into_week)),
        "End" => Some(days_on(day, 6 - into_week)),
        "PageUp" => Some(months_on(day, if shift { -12 } else { -1 })),
        "PageDown" => Some(months_on(day, if shift { 12 } else { 1 })),
        _ => None,
    }
}

/// The same day of another month, or its last day where it is shorter.
pub fn months_on(day: Day, by: i32) -> Day {
    let months = i32::from(day.year()) * 12 + i32::from(day.month()) - 1 + by;
    let (Ok(year), Ok(month)) = (
        i16::try_from(months.div_euclid(12)),
        u8::try_from(months.rem_euclid(12) + 1),
    ) else {
        return day;
    };
    let mut shorter = (1..=day.day()).rev();
    shorter
        .find_map(|number| Day::new(year, month, number))
        .unwrap_or(day)
}

/// So many days later; the same day beyond what a date can be.
fn days_on(day: Day, by: i64) -> Day {
    day.plus_days(by).unwrap_or(day)
}

/// Days since its week began.
fn into_week(day: Day, start: usize) -> usize {
    (weekday(day) + 7 - start) % 7
}

/// Days since Monday; 1970 began on a Thursday.
fn weekday(day: Day) -> usize {
    (day.epoch_days() + 3).rem_euclid(7) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        Day::parse_prefix(text).unwrap()
    }

    #[test]
    fn keys_lead_by_day_week_month_and_year() {
        for (from, key, shift, to) in [
            ("2026-03-05", "ArrowLeft", false, "2026-03-04"),
            ("2026-03-01", "ArrowLeft", false, "2026-02-28"),
            ("2026-12-31", "ArrowRight", false, "2027-01-01"),
            ("2026-03-05", "ArrowUp", false, "2026-02-26"),
            ("2026-03-05", "ArrowDown", false, "2026-03-12"),
            ("2026-03-05", "Home", false, "2026-03-02"),
            ("2026-03-02", "Home", false, "2026-03-02"),
            ("2026-03-08", "Home", false, "2026-03-02"),
            ("2026-03-05", "End", false, "2026-03-08"),
            ("2026-03-08", "End", false, "2026-03-08"),
            ("2026-03-31", "PageUp", false, "2026-02-28"),
            ("2024-03-31", "PageUp", false, "2024-02-29"),
            ("2026-01-31", "PageDown", false, "2026-02-28"),
            ("2026-12-05", "PageDown", false, "2027-01-05"),
            ("2026-01-05", "PageUp", false, "2025-12-05"),
            ("2024-02-29", "PageUp", true, "2023-02-28"),
            ("2024-02-29", "PageDown", true, "2025-02-28"),
            // As far as a date goes.
            ("0000-01-01", "ArrowLeft", false, "0000-01-01"),
            ("0000-01-01", "PageUp", false, "0000-01-01"),
            ("9999-12-31", "ArrowDown", false, "9999-12-31"),
            ("9999-12-31", "PageDown", true, "9999-12-31"),
        ] {
            let reached = step(day(from), key, shift, 0);
            assert_eq!(reached, Some(day(to)), "{from} {key} {shift}");
        }
        assert_eq!(step(day("2026-03-05"), "a", false, 0), None);
        // 5 March 2026 is a Thursday.
        for (start, home, end) in [
            (6, "2026-03-01", "2026-03-07"),
            (5, "2026-02-28", "2026-03-06"),
            (3, "2026-03-05", "2026-03-11"),
        ] {
            let reached = ["Home", "End"].map(|key| step(day("2026-03-05"), key, false, start));
            assert_eq!(reached, [Some(day(home)), Some(day(end))], "{start}");
        }
    }

    #[test]
    fn a_month_stands_under_its_weekdays() {
        let of = |text: &str, start: usize| {
            let weeks = weeks(day(text), start);
            let line = |week: &[Option<Day>; 7]| {
                let cell = |day: &Option<Day>| day.map_or(".".into(), |day| day.day().to_string());
                week.iter().map(cell).collect::<Vec<String>>().join(" ")
            };
            weeks.iter().map(line).collect::<Vec<String>>()
        };
        assert_eq!(
            of("2026-03-17", 0),
            [
                ". . . . . . 1",
                "2 3 4 5 6 7 8",
                "9 10 11 12 13 14 15",
                "16 17 18 19 20 21 22",
                "23 24 25 26 27 28 29",
                "30 31 . . . . .",
            ]
        );
        assert_eq!(of("2026-03-17", 6)[0], "1 2 3 4 5 6 7");
        assert_eq!(of("2026-03-17", 5)[0], ". 1 2 3 4 5 6");
        let february = of("2027-02-01", 0);
        assert_eq!(february[0], "1 2 3 4 5 6 7");
        assert_eq!(
            february[3..],
            ["22 23 24 25 26 27 28", ". . . . . . .", ". . . . . . ."]
        );
        // Every month of a leap and a common year has all its days, once, each under its own weekday.
        for year in [2024, 2026] {
            let mut expected = day(&format!("{year}-01-01"));
            for month in 1..=12 {
                let weeks = weeks(Day::new(year, month, 1).unwrap(), 0);
                for (column, shown) in weeks.iter().flat_map(|week| week.iter().enumerate()) {
                    let Some(shown) = shown else { continue };
                    assert_eq!((*shown, column), (expected, weekday(expected)));
                    expected = days_on(expected, 1);
                }
            }
            assert_eq!(expected.year(), year + 1);
        }
    }

    #[test]
    fn weeks_begin_as_the_person_or_the_system_says() {
        use WeekStart::{Locale, Monday, Saturday, Sunday};
        for (wanted, locale, start) in [
            (Locale, Some(1), "Mo"),
            (Locale, Some(6), "Sa"),
            (Locale, Some(7), "Su"),
            (Locale, None, "Mo"),
            (Locale, Some(0), "Mo"),
            (Locale, Some(8), "Mo"),
            (Monday, Some(7), "Mo"),
            (Saturday, Some(1), "Sa"),
            (Sunday, None, "Su"),
        ] {
            let heads: Vec<&str> = heads(week_start(wanted, locale)).map(|(s, _)| s).collect();
            assert_eq!((heads[0], heads.len()), (start, 7), "{wanted:?} {locale:?}");
        }
    }

    #[test]
    fn it_stands_beside_its_input_and_within_the_window() {
        let (size, window) = ((250.0, 230.0), (640.0, 480.0));
        for (input, expected) in [
            ((100.0, 50.0, 76.0), (100.0, 80.0)),
            // No room below: above. No room at the right: further left.
            ((100.0, 400.0, 426.0), (100.0, 166.0)),
            ((600.0, 50.0, 76.0), (386.0, 80.0)),
            ((-50.0, 50.0, 76.0), (4.0, 80.0)),
            // No room either way: as far down as it goes.
            ((100.0, 200.0, 256.0 + 20.0), (100.0, 246.0)),
            // The input was scrolled out of the window.
            ((100.0, -90.0, -64.0), (100.0, 4.0)),
            ((100.0, 700.0, 726.0), (100.0, 246.0)),
        ] {
            assert_eq!(place(input, size, window), expected, "{input:?}");
        }
        assert_eq!(place((9.0, 9.0, 30.0), size, (100.0, 100.0)), (4.0, 4.0));
    }

    #[test]
    fn days_are_read_out_in_full() {
        assert_eq!(day_words(day("2026-03-05")), "Thursday 5 March 2026");
        assert_eq!(day_words(day("1969-12-31")), "Wednesday 31 December 1969");
        assert_eq!(month_words(day("2026-12-31")), "December 2026");
    }
}
