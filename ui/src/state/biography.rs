//! A posting's life in words (SPEC E5): what a look, a decision, a repost or a long quiet is called, and its details.

use crate::{icons::Icon, state::format};
use ghostlight_api::view::{
    ChangeRow, LifeEvent, LookRow, RepostRow, SignalMark, TextChange, VersionRow,
};
use ghostlight_model::{Micros, run::RunStatus};

const DAY_US: i64 = 86_400_000_000;

/// A row in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// What kind it is.
    pub icon: Icon,
    /// The class of the icon's colour.
    pub tone: &'static str,
    /// What happened.
    pub title: String,
    /// What of it is worth knowing; may be empty.
    pub detail: String,
}

/// What a row says. `at` is its time.
pub fn words(event: &LifeEvent, at: Micros) -> Words {
    match event {
        LifeEvent::Look(look) => of_look(look),
        LifeEvent::Decision(version) => of_decision(version),
        LifeEvent::Repost(repost) => of_repost(repost),
        LifeEvent::Quiet(since) => Words {
            icon: Icon::Dashed,
            tone: "gl-dim",
            title: format!("{} without a look", span((at.0 - since.0) / DAY_US)),
            detail: String::new(),
        },
    }
}

/// `6 days`, `7 weeks`, `5 months`, `2 years`: whole ones, and never none.
fn span(days: i64) -> String {
    let days = days.max(1) as u64;
    match days {
        ..14 => format::plural(days, "day", "days"),
        14..120 => format::plural(days / 7, "week", "weeks"),
        120..730 => format::plural(days / 30, "month", "months"),
        _ => format::plural(days / 365, "year", "years"),
    }
}

fn of_look(look: &LookRow) -> Words {
    let (icon, tone, title) = title_of(look);
    let fields = match (look.first, look.changes.len() as u64) {
        (_, 0) => None,
        (true, n) => Some(format!("{} found", format::plural(n, "field", "fields"))),
        (false, _) => Some(change_words(&look.changes)),
    };
    let signals = |label: &str, marks: &[SignalMark]| {
        let said: Vec<&str> = marks.iter().map(|mark| mark.statement.as_str()).collect();
        (!said.is_empty()).then(|| format!("{label}: {}", said.join(" ")))
    };
    let text = look.text.as_ref().and_then(text_words);
    let details = [
        text,
        fields,
        signals("New signal", &look.appeared),
        signals("Signal gone", &look.went),
    ];
    Words {
        icon,
        tone,
        title,
        detail: details
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(" · "),
    }
}

/// The one thing about a look that matters most.
fn title_of(look: &LookRow) -> (Icon, &'static str, String) {
    let text_changed = look.text.is_some_and(|text| text.added + text.removed > 0);
    let fields = look.changes.len() as u64;
    if let Some(failure) = &look.failure {
        return (
            Icon::Warning,
            "gl-warn",
            format!("Could not be read: {failure}"),
        );
    }
    if look.status == RunStatus::Running {
        return (Icon::Dot, "gl-accent", "Being read".to_owned());
    }
    if let Some(closed) = &look.closed {
        return (Icon::Cross, "gl-bad", format!("Closed. {closed}"));
    }
    if look.reopened {
        return (Icon::Check, "gl-ok", "Open again".to_owned());
    }
    if let Some((from, to)) = look.moved {
        let (from, to) = (format::date(from), format::date(to));
        let title = format!("Published anew: the day of posting moved from {from} to {to}");
        return (Icon::Two, "gl-warn", title);
    }
    if look.first {
        return (Icon::Sheet, "gl-accent", "First seen".to_owned());
    }
    let title = match (look.text.is_some(), text_changed, fields) {
        (_, true, _) => "Seen again, the text changed".to_owned(),
        (_, false, 1..) => format!(
            "Seen again, {} changed",
            format::plural(fields, "field", "fields")
        ),
        (true, false, 0) => "Seen again, unchanged".to_owned(),
        (false, false, 0) => "Analysed again".to_owned(),
    };
    (Icon::Again, "gl-dim", title)
}

/// By how much a text changed; nothing if it did not.
fn text_words(text: &TextChange) -> Option<String> {
    let changed = text.added.max(text.removed);
    if changed == 0 {
        return None;
    }
    let percent = (f64::from(changed) * 100.0 / f64::from(text.words.max(1))).ceil();
    let whole = if text.whole { "" } else { " in its beginning" };
    Some(format!(
        "text: {} new, {} gone{whole} ({percent:.0} % of {})",
        format::plural(text.added.into(), "word", "words"),
        format::count(text.removed.into()),
        format::count(text.words.into()),
    ))
}

fn of_decision(version: &VersionRow) -> Words {
    let icon = match version.kind.as_str() {
        "merge" => Icon::Two,
        _ => Icon::Pen,
    };
    let author = format::author(&version.author);
    let who = match kind_word(&version.kind) {
        "" => author,
        kind => format!("{author} {kind}"),
    };
    let title = match version.message.is_empty() {
        true => who,
        false => format!("{who}: {}", version.message),
    };
    Words {
        icon,
        tone: "gl-accent",
        title,
        detail: change_words(&version.changes),
    }
}

fn of_repost(repost: &RepostRow) -> Words {
    let why = match repost.alike_percent {
        Some(percent) => format!("the same text to {percent} %"),
        None => "the same title".to_owned(),
    };
    let parts = [repost.title.clone(), repost.place.clone()];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    Words {
        icon: Icon::Two,
        tone: "gl-warn",
        title: format!("The same employer published it under another id, {why}"),
        detail: parts.join(" · "),
    }
}

/// What a version is for, in a word; nothing for a plain edit.
pub fn kind_word(kind: &str) -> &'static str {
    match kind {
        "merge" => "merged",
        "undo" => "took back",
        "redo" => "did again",
        "restore" => "brought back",
        _ => "",
    }
}

/// What a change did, after the field's name.
pub fn change_says(ChangeRow { old, new, .. }: &ChangeRow) -> String {
    match (old.is_empty(), new.is_empty()) {
        (true, _) => new.clone(),
        (_, true) => format!("{old} withdrawn"),
        _ => format!("{old} → {new}"),
    }
}

/// Changes of fields on one line.
pub fn change_words(changes: &[ChangeRow]) -> String {
    let one = |change: &ChangeRow| format!("{}: {}", change.field.label(), change_says(change));
    changes.iter().map(one).collect::<Vec<_>>().join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use ghostlight_model::{Confidence, Day, FieldKey, RunId, Source};

    fn look() -> LookRow {
        LookRow {
            run: RunId("r".into()),
            status: RunStatus::Finished,
            input: "page.html".into(),
            url: None,
            capture: None,
            before: None,
            first: false,
            text: None,
            changes: Vec::new(),
            moved: None,
            closed: None,
            reopened: false,
            appeared: Vec::new(),
            went: Vec::new(),
            failure: None,
        }
    }

    fn text(added: u32, removed: u32) -> Option<TextChange> {
        Some(TextChange {
            added,
            removed,
            words: 400,
            whole: true,
        })
    }

    fn salary() -> ChangeRow {
        ChangeRow {
            field: FieldKey::Salary,
            old: "40 000 EUR".into(),
            new: "45 000 EUR".into(),
            confidence: Confidence::new(900),
            source: Source::Parsing,
        }
    }

    #[test]
    fn a_look_says_what_matters_most() {
        let mark = |statement: &str| SignalMark {
            id: "x".into(),
            statement: statement.into(),
            against: true,
        };
        let day = |d| Day::new(2026, 3, d).unwrap();
        for (look, title, detail) in [
            (
                LookRow {
                    first: true,
                    changes: vec![salary()],
                    ..look()
                },
                "First seen",
                "1 field found",
            ),
            (
                LookRow {
                    text: text(0, 0),
                    ..look()
                },
                "Seen again, unchanged",
                "",
            ),
            (look(), "Analysed again", ""),
            (
                LookRow {
                    text: text(12, 3),
                    changes: vec![salary()],
                    ..look()
                },
                "Seen again, the text changed",
                "text: 12 words new, 3 gone (3 % of 400) · Salary: 40 000 EUR → 45 000 EUR",
            ),
            (
                LookRow {
                    changes: vec![salary()],
                    appeared: vec![mark("No pay.")],
                    ..look()
                },
                "Seen again, 1 field changed",
                "Salary: 40 000 EUR → 45 000 EUR · New signal: No pay.",
            ),
            (
                LookRow {
                    text: text(0, 0),
                    went: vec![mark("Old.")],
                    ..look()
                },
                "Seen again, unchanged",
                "Signal gone: Old.",
            ),
            (
                LookRow {
                    closed: Some("HTTP 410.".into()),
                    ..look()
                },
                "Closed. HTTP 410.",
                "",
            ),
            (
                LookRow {
                    reopened: true,
                    ..look()
                },
                "Open again",
                "",
            ),
            (
                LookRow {
                    moved: Some((day(1), day(9))),
                    ..look()
                },
                "Published anew: the day of posting moved from 1 Mar 2026 to 9 Mar 2026",
                "",
            ),
            (
                LookRow {
                    failure: Some("A wall.".into()),
                    ..look()
                },
                "Could not be read: A wall.",
                "",
            ),
            (
                LookRow {
                    status: RunStatus::Running,
                    ..look()
                },
                "Being read",
                "",
            ),
        ] {
            let words = words(&LifeEvent::Look(Box::new(look)), Micros(0));
            assert_eq!(
                (words.title.as_str(), words.detail.as_str()),
                (title, detail)
            );
        }
    }

    #[test]
    fn a_quiet_is_told_in_whole_units() {
        for (days, title) in [
            (14, "2 weeks without a look"),
            (55, "7 weeks without a look"),
            (150, "5 months without a look"),
            (800, "2 years without a look"),
        ] {
            let quiet = LifeEvent::Quiet(Micros(0));
            assert_eq!(words(&quiet, Micros(days * DAY_US)).title, title);
        }
        assert_eq!(span(0), "1 day");
    }
}
