//! Signals and the assessment they add up to (SPEC A7).
//!
//! The rule: above *unclear* needs two independent signals (of different families) that speak
//! against a real position; *strong doubt* needs one of them strong.

use crate::observation::Evidence;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A fact that speaks for or against a posting being real. Stored in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signal {
    /// Stable name, for example `valid_through_passed`.
    pub id: String,
    /// Signals of one family are not independent of each other.
    pub family: Family,
    /// How much it says by itself.
    pub strength: Strength,
    /// For or against a real position.
    pub direction: Direction,
    /// The fact in a sentence that accuses nobody.
    pub statement: String,
    /// The words it rests on.
    pub evidence: Option<Evidence>,
    /// The rule that was applied, in a sentence.
    pub rule: String,
    /// Where the rule comes from.
    pub rule_source: String,
    /// What would change it.
    pub would_change: String,
}

/// Where a signal's fact comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// The employer's own board.
    Board,
    /// Dates and age.
    Dates,
    /// The same text elsewhere or before.
    Repost,
    /// The wording.
    Text,
    /// Recorded outcomes.
    Outcome,
}

/// How much a signal says by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strength {
    /// Says little alone.
    Weak,
    /// Says much alone.
    Strong,
}

/// For or against a real position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Suggests that the position is real.
    For,
    /// Suggests that it may not be open.
    Against,
}

/// How much doubt the signals leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Nothing speaks against it.
    NoSignals,
    /// Something does, but not two independent things.
    Unclear,
    /// Two independent weak signals.
    SomeDoubt,
    /// Two independent signals, one of them strong.
    StrongDoubt,
}

impl Level {
    /// The word used in files.
    pub fn word(self) -> &'static str {
        match self {
            Level::NoSignals => "no_signals",
            Level::Unclear => "unclear",
            Level::SomeDoubt => "some_doubt",
            Level::StrongDoubt => "strong_doubt",
        }
    }

    /// Plain words for the screen.
    pub fn label(self) -> &'static str {
        match self {
            Level::NoSignals => "No signals",
            Level::Unclear => "Unclear",
            Level::SomeDoubt => "Some doubt",
            Level::StrongDoubt => "Strong doubt",
        }
    }
}

/// What the signals add up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assessment {
    /// How much doubt.
    pub level: Level,
    /// 0 (none) to 100, to order a list by doubt; within a level only.
    pub score: u8,
    /// Number of families with a signal against.
    pub independent_signals: u8,
}

impl Assessment {
    /// Adds up `signals` by the rule of this module.
    pub fn of(signals: &[Signal]) -> Self {
        let mut families: BTreeMap<Family, Strength> = BTreeMap::new();
        for signal in signals.iter().filter(|s| s.direction == Direction::Against) {
            let strongest = families.entry(signal.family).or_insert(signal.strength);
            *strongest = (*strongest).max(signal.strength);
        }
        let strong = families
            .values()
            .filter(|s| **s == Strength::Strong)
            .count();
        let level = match (families.len(), strong) {
            (0, _) => Level::NoSignals,
            (1, _) => Level::Unclear,
            (_, 0) => Level::SomeDoubt,
            _ => Level::StrongDoubt,
        };
        let weight: usize = signals.iter().map(weight_against).sum();
        let favour = signals
            .iter()
            .filter(|s| s.direction == Direction::For)
            .count();
        let score = (level as usize * 25 + weight.min(24)).saturating_sub(favour.min(4));
        Self {
            level,
            score: score.min(100) as u8,
            independent_signals: families.len() as u8,
        }
    }

    /// The assessment as a sentence of facts.
    pub fn sentence(&self) -> String {
        let count = ["No", "One", "Two", "Three", "Four", "Five"]
            .get(self.independent_signals as usize)
            .copied()
            .unwrap_or("Several");
        match self.level {
            Level::NoSignals => "Nothing found suggests that this position is not open.".into(),
            Level::Unclear => "One signal alone does not say whether this position is open.".into(),
            _ => format!("{count} independent signals suggest this position may not be open."),
        }
    }
}

fn weight_against(signal: &Signal) -> usize {
    match (signal.direction, signal.strength) {
        (Direction::For, _) => 0,
        (Direction::Against, Strength::Weak) => 3,
        (Direction::Against, Strength::Strong) => 8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(signals: &[(Family, Strength, Direction)]) -> Level {
        let signals: Vec<Signal> = signals
            .iter()
            .map(|(family, strength, direction)| Signal {
                id: "x".into(),
                family: *family,
                strength: *strength,
                direction: *direction,
                statement: String::new(),
                evidence: None,
                rule: String::new(),
                rule_source: String::new(),
                would_change: String::new(),
            })
            .collect();
        Assessment::of(&signals).level
    }

    #[test]
    fn above_unclear_needs_two_families_and_strong_doubt_a_strong_one() {
        use {Direction::*, Family::*, Strength::*};
        for (signals, want) in [
            (vec![], Level::NoSignals),
            (vec![(Text, Weak, For)], Level::NoSignals),
            (vec![(Board, Strong, Against)], Level::Unclear),
            (
                vec![(Text, Weak, Against), (Text, Weak, Against)],
                Level::Unclear,
            ),
            (
                vec![(Dates, Strong, Against), (Dates, Strong, Against)],
                Level::Unclear,
            ),
            (
                vec![(Text, Weak, Against), (Dates, Weak, Against)],
                Level::SomeDoubt,
            ),
            (
                vec![(Text, Weak, Against), (Dates, Strong, Against)],
                Level::StrongDoubt,
            ),
            (
                vec![(Text, Weak, Against), (Dates, Strong, For)],
                Level::Unclear,
            ),
        ] {
            assert_eq!(level(&signals), want, "{signals:?}");
        }
    }
}
