//! *As known then* in words, and the run's events as marks of a slider (SPEC D4).

use crate::state::{card, format};
use ghostlight_api::view::{CardView, EventRow, LogPage, LogRow};
use ghostlight_model::Micros;

/// Characters of an event in the line below the slider.
const WORDS_CHARACTERS: usize = 90;
/// Events that have a mark and words, the first of the run; a slider has no room for more.
pub const MARKS_MAX: u32 = 500;

/// What a mark stands for, by its look.
pub fn mark_class(event: &EventRow) -> &'static str {
    match (event.phase.as_str(), event.severity) {
        ("fail", _) => "is-bad",
        (_, Some(_)) => "is-issue",
        ("start", _) => "is-step",
        ("field", _) => "is-field",
        ("signal", _) => "is-signal",
        _ => "is-end",
    }
}

/// The event that was the latest then, if it has a mark.
pub fn event_at(log: &LogPage, offset: u64) -> Option<&EventRow> {
    let mut events = events(log);
    events.find(|event| event.offset == offset)
}

/// The events of a log.
pub fn events(log: &LogPage) -> impl Iterator<Item = &EventRow> {
    log.page.rows.iter().filter_map(|row| match row {
        LogRow::Event(event) => Some(event),
        LogRow::Gap { .. } | LogRow::Restart { .. } => None,
    })
}

/// An event in one line.
pub fn event_words(event: &EventRow) -> String {
    let what = match event.phase.as_str() {
        "start" => "begins".to_owned(),
        "end" => "ends".to_owned(),
        "fail" => "fails".to_owned(),
        other => other.to_owned(),
    };
    let summary = match event.summary.as_str() {
        "" => String::new(),
        summary => format!(": {summary}"),
    };
    format::shortened(&format!("{} {what}{summary}", event.node), WORDS_CHARACTERS)
}

/// What was known: the time and how many fields had a value.
pub fn banner(card: &CardView, at: Micros, zone: format::Zone) -> (String, String) {
    let (found, all) = card::fields_found(card);
    (
        format!("As known at {}", format::clock(at, zone)),
        format!("{found} of {all} fields"),
    )
}

/// The slider's value for screen readers.
pub fn value_text(offset: u64, total: u64, at: Option<&EventRow>, zone: format::Zone) -> String {
    let place = format!(
        "event {} of {}",
        format::count(offset + 1),
        format::count(total)
    );
    match at {
        Some(event) => {
            let clock = format::clock(event.ts, zone);
            format!("{clock}, {place}, {}", event_words(event))
        }
        None => place,
    }
}

/// Where a mark stands, in percent of the slider.
pub fn percent(offset: u64, total: u64) -> f64 {
    let last = total.saturating_sub(1).max(1);
    offset.min(last) as f64 * 100.0 / last as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use ghostlight_api::view::Page;
    use ghostlight_model::Severity;

    const UTC: format::Zone = format::Zone { minutes: 0 };

    fn event(offset: u64, phase: &str, severity: Option<Severity>) -> EventRow {
        EventRow {
            epoch: 1,
            offset,
            ts: Micros(1_767_571_200_123_456),
            node: "DETECT".into(),
            phase: phase.into(),
            duration_ms: None,
            summary: "salary: 48 000".into(),
            severity,
        }
    }

    #[test]
    fn marks_tell_steps_fields_signals_and_trouble_apart() {
        let cases = [
            ("start", None, "is-step"),
            ("field", None, "is-field"),
            ("signal", None, "is-signal"),
            ("end", None, "is-end"),
            ("end", Some(Severity::Warning), "is-issue"),
            ("fail", Some(Severity::Error), "is-bad"),
        ];
        for (phase, severity, class) in cases {
            assert_eq!(mark_class(&event(0, phase, severity)), class);
        }
    }

    #[test]
    fn the_moment_is_told_in_words() {
        let rows = vec![
            LogRow::Event(event(0, "start", None)),
            LogRow::Gap {
                epoch: 1,
                from: 1,
                to: 1,
                reason: "gone".into(),
            },
            LogRow::Event(event(2, "field", None)),
        ];
        let log = LogPage {
            run: None,
            page: Page {
                total: 3,
                start: 0,
                rows,
            },
            looked: None,
        };
        assert_eq!(events(&log).count(), 2);
        let at = event_at(&log, 2);
        assert_eq!(
            value_text(2, 3, at, UTC),
            "00:00:00.123, event 3 of 3, DETECT field: salary: 48 000"
        );
        assert_eq!(value_text(1, 3, event_at(&log, 1), UTC), "event 2 of 3");
        let (time, fields) = banner(&CardView::default(), Micros(1_767_571_200_123_456), UTC);
        assert_eq!(
            (time.as_str(), fields.as_str()),
            ("As known at 00:00:00.123", "0 of 0 fields")
        );
    }

    #[test]
    fn marks_stand_within_the_slider() {
        let places = [(0, 1), (0, 5), (2, 5), (4, 5), (9, 5), (0, 0)];
        let places = places.map(|(offset, total)| percent(offset, total));
        assert_eq!(places, [0.0, 0.0, 50.0, 100.0, 100.0, 0.0]);
    }
}
