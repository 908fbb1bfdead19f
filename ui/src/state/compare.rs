//! Two runs beside each other (SPEC D5): durations by step and attempt, scores by name, fields by name; what only one of
//! them has is named.

use crate::state::format;
use ghostlight_api::view::{FieldPairRow, FieldSide, RunView};
use ghostlight_model::card::FieldState;
use std::collections::BTreeMap;

/// Lines of a table of the comparison; of further ones it is said how many there are.
pub const LINES_MAX: usize = 500;
/// Names that the list of what has no match shows of each run; the tables have the others.
pub const UNMATCHED_MAX: usize = 20;

/// What a run has to be compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Amount {
    /// There is no such thing in it.
    Absent,
    /// It is under way, or its source does not say how much it is.
    Untold,
    /// So much.
    Is(f64),
}

impl Amount {
    fn of(value: Option<f64>) -> Self {
        value.map_or(Self::Untold, Self::Is)
    }
}

/// A line of the comparison of two runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// What is compared: a step or a score.
    pub name: String,
    /// In this run.
    pub this: Amount,
    /// In the other.
    pub other: Amount,
}

impl Difference {
    /// How much more this run has, where both have a value.
    pub fn by(&self) -> Option<f64> {
        match (self.this, self.other) {
            (Amount::Is(this), Amount::Is(other)) => Some(this - other),
            _ => None,
        }
    }
}

/// Durations of steps in milliseconds, matched by name and attempt, in this run's order; what only the other has comes
/// last.
pub fn durations(this: &RunView, other: &RunView) -> Vec<Difference> {
    let of = |run: &RunView| -> Vec<(String, Amount)> {
        let mut lines = Vec::new();
        for node in &run.nodes {
            let ended = node.ended.iter();
            lines.extend(ended.map(|one| {
                let name = attempt_name(&node.node, one.number);
                (name, Amount::of(one.duration_ms))
            }));
            let going_on = node
                .ended
                .last()
                .is_none_or(|one| one.number < node.attempts);
            if going_on {
                let name = attempt_name(&node.node, node.attempts.max(1));
                lines.push((name, Amount::Untold));
            }
        }
        lines
    };
    matched(&of(this), &of(other))
}

fn attempt_name(node: &str, attempt: u32) -> String {
    match attempt {
        1 => node.to_owned(),
        n => format!("{node} · attempt {n}"),
    }
}

/// Scores, matched by name.
pub fn scores(this: &RunView, other: &RunView) -> Vec<Difference> {
    let of = |run: &RunView| -> Vec<(String, Amount)> {
        let scores = run.scores.iter();
        scores
            .map(|score| (score.name.clone(), Amount::Is(score.value)))
            .collect()
    };
    matched(&of(this), &of(other))
}

fn matched(this: &[(String, Amount)], other: &[(String, Amount)]) -> Vec<Difference> {
    let theirs: BTreeMap<&String, Amount> = other.iter().map(|(name, v)| (name, *v)).collect();
    let ours: BTreeMap<&String, Amount> = this.iter().map(|(name, v)| (name, *v)).collect();
    let in_this = this.iter().map(|(name, value)| Difference {
        name: name.clone(),
        this: *value,
        other: theirs.get(name).copied().unwrap_or(Amount::Absent),
    });
    let only_other = other.iter().filter(|(name, _)| !ours.contains_key(name));
    let only_other = only_other.map(|(name, value)| Difference {
        name: name.clone(),
        this: Amount::Absent,
        other: *value,
    });
    in_this.chain(only_other).collect()
}

/// What two runs say of a field, in few words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldWord {
    /// The same value, as sure.
    Same,
    /// The same value; by how many thousandths this run is surer of it.
    Surer(i32),
    /// Two values.
    Other,
    /// One of them looks still.
    NotYet,
    /// Only this run has a value.
    OnlyThis,
    /// Only the other has one.
    OnlyOther,
}

impl FieldWord {
    /// For the last column.
    pub fn words(&self) -> String {
        match self {
            Self::Same => "the same".into(),
            Self::Surer(by) => {
                let word = if *by > 0 { "surer" } else { "less sure" };
                let by = by.unsigned_abs();
                format!("{word} by {}.{:03}", by / 1_000, by % 1_000)
            }
            Self::Other => "another value".into(),
            Self::NotYet => "not yet".into(),
            Self::OnlyThis | Self::OnlyOther => "only one".into(),
        }
    }
}

/// What becomes of a field from the other run to this one.
pub fn field_word(row: &FieldPairRow) -> FieldWord {
    let looks = |one: &FieldSide| one.value.is_none() && one.state == FieldState::Looking;
    let sure = |one: &FieldSide| {
        one.confidence
            .map_or(0, |sure| i32::from(sure.thousandths()))
    };
    match (&row.this.value, &row.other.value) {
        _ if looks(&row.this) || looks(&row.other) => FieldWord::NotYet,
        (Some(_), None) => FieldWord::OnlyThis,
        (None, _) => FieldWord::OnlyOther,
        (Some(_), Some(_)) if !row.same => FieldWord::Other,
        (Some(_), Some(_)) => match sure(&row.this) - sure(&row.other) {
            0 => FieldWord::Same,
            by => FieldWord::Surer(by),
        },
    }
}

/// What a run found of a field: the value, how sure and by which method; or why there is none.
pub fn found_words(found: &FieldSide) -> (String, String) {
    let Some(value) = &found.value else {
        let why = match found.state {
            FieldState::Looking => "looking",
            FieldState::Failed => "not read: the run failed",
            _ => "not found",
        };
        return (why.into(), String::new());
    };
    let sure = found.confidence.map(format::confidence);
    let by = found.method.map(|method| method.label().to_owned());
    let two = (found.state == FieldState::Conflict).then(|| "two answers".to_owned());
    let notes = [sure, by, two].into_iter().flatten();
    (value.clone(), notes.collect::<Vec<_>>().join(" · "))
}

/// What only one of two runs has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unmatched {
    /// Only this one, at most [`UNMATCHED_MAX`].
    pub this: Vec<String>,
    /// Only the other, likewise.
    pub other: Vec<String>,
    /// Further ones of both.
    pub more: usize,
}

/// Lists what has no match. A field that one of them looks for still is none.
pub fn unmatched(
    times: &[Difference],
    scores: &[Difference],
    fields: &[FieldPairRow],
) -> Unmatched {
    let mut found = Unmatched::default();
    let only = |line: &Difference| match (line.this, line.other) {
        (_, Amount::Absent) => Some(true),
        (Amount::Absent, _) => Some(false),
        _ => None,
    };
    let steps = times.iter();
    let steps = steps.filter_map(|line| Some((only(line)?, format!("step {}", line.name))));
    let scores = scores.iter();
    let scores = scores.filter_map(|line| Some((only(line)?, format!("score {}", line.name))));
    let fields = fields.iter().filter_map(|row| {
        let name = format!("field {}", row.field.label());
        match field_word(row) {
            FieldWord::OnlyThis => Some((true, name)),
            FieldWord::OnlyOther => Some((false, name)),
            _ => None,
        }
    });
    for (is_this, name) in steps.chain(scores).chain(fields) {
        let side = match is_this {
            true => &mut found.this,
            false => &mut found.other,
        };
        match side.len() < UNMATCHED_MAX {
            true => side.push(name),
            false => found.more += 1,
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::monitor;
    use ghostlight_api::view::ScoreRow;
    use ghostlight_model::{Confidence, FieldKey, Method, Micros};

    fn run(nodes: &[(&str, Option<f64>)]) -> RunView {
        monitor::tests::run(nodes, 0, None)
    }

    fn score(name: &str) -> ScoreRow {
        ScoreRow {
            name: name.into(),
            value: 0.5,
            before: None,
            node: "A".into(),
            ts: Micros(0),
        }
    }

    fn found(value: Option<&str>, sure: u16, state: FieldState) -> FieldSide {
        FieldSide {
            state,
            value: value.map(str::to_owned),
            confidence: value.map(|_| Confidence::new(sure)),
            method: value.map(|_| Method::Pattern),
        }
    }

    fn pair(this: FieldSide, other: FieldSide) -> FieldPairRow {
        FieldPairRow {
            field: FieldKey::Title,
            same: this.value == other.value,
            this,
            other,
        }
    }

    #[test]
    fn two_runs_are_compared_by_step_and_attempt_and_what_only_one_has_is_listed() {
        let mut this = run(&[("A", Some(10.0)), ("B", None), ("C", Some(3.0))]);
        let mut other = run(&[("A", Some(8.0)), ("D", Some(1.0)), ("B", Some(2.0))]);
        let lines = durations(&this, &other);
        let names: Vec<&str> = lines.iter().map(|line| line.name.as_str()).collect();
        assert_eq!(names, ["A", "B", "C", "D"]);
        assert_eq!(lines[0].by(), Some(2.0));
        assert!(lines[1..].iter().all(|line| line.by().is_none()));
        assert_eq!(
            lines[1].this,
            Amount::Untold,
            "under way, so it has a match"
        );
        assert_eq!(
            (lines[2].other, lines[3].this),
            (Amount::Absent, Amount::Absent)
        );
        this.scores = vec![score("hook")];
        other.scores = vec![score("rhyme")];
        let none = unmatched(&lines, &scores(&this, &other), &[]);
        assert_eq!(none.this, ["step C", "score hook"]);
        assert_eq!(
            (none.other.as_slice(), none.more),
            (&["step D".into(), "score rhyme".into()][..], 0)
        );
        let mut retried = this.clone();
        retried.nodes[0].attempts = 2;
        let lines = durations(&retried, &other);
        let names: Vec<&str> = lines.iter().map(|line| line.name.as_str()).collect();
        assert_eq!(
            names,
            ["A", "A · attempt 2", "B", "C", "D"],
            "an attempt under way has no duration yet"
        );
        assert!(
            unmatched(&lines, &[], &[])
                .this
                .contains(&"step A · attempt 2".to_owned())
        );
    }

    #[test]
    fn a_field_says_what_became_of_it() {
        use FieldState::*;
        for (this, other, word, words) in [
            (
                found(Some("a"), 900, Found),
                found(Some("a"), 900, Found),
                FieldWord::Same,
                "the same",
            ),
            (
                found(Some("a"), 905, Found),
                found(Some("a"), 900, Found),
                FieldWord::Surer(5),
                "surer by 0.005",
            ),
            (
                found(Some("a"), 500, Found),
                found(Some("a"), 900, Found),
                FieldWord::Surer(-400),
                "less sure by 0.400",
            ),
            (
                found(Some("a"), 900, Found),
                found(Some("b"), 900, Conflict),
                FieldWord::Other,
                "another value",
            ),
            (
                found(None, 0, Looking),
                found(Some("b"), 900, Found),
                FieldWord::NotYet,
                "not yet",
            ),
            (
                found(Some("a"), 900, Found),
                found(None, 0, NotFound),
                FieldWord::OnlyThis,
                "only one",
            ),
            (
                found(None, 0, Failed),
                found(Some("b"), 900, Found),
                FieldWord::OnlyOther,
                "only one",
            ),
        ] {
            let row = pair(this, other);
            assert_eq!(field_word(&row), word, "{row:?}");
            assert_eq!(field_word(&row).words(), words);
        }
        let seen = found(Some("a"), 930, Conflict);
        assert_eq!(
            found_words(&seen),
            ("a".into(), "0.93 · text · two answers".into())
        );
        assert_eq!(
            found_words(&found(None, 0, Failed)).0,
            "not read: the run failed"
        );
    }

    #[test]
    fn what_has_no_match_is_bounded_and_counted() {
        let many: Vec<String> = (0..UNMATCHED_MAX + 3).map(|n| format!("N{n}")).collect();
        let nodes: Vec<(&str, Option<f64>)> =
            many.iter().map(|n| (n.as_str(), Some(1.0))).collect();
        let lines = durations(&run(&nodes), &run(&[]));
        let found = unmatched(&lines, &[], &[]);
        assert_eq!(
            (found.this.len(), found.other.len(), found.more),
            (UNMATCHED_MAX, 0, 3)
        );
    }
}
