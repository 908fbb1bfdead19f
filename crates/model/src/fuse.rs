//! Fusion: of a field's observations, the one that wins and why the others lost (SPEC A3).

use crate::{
    observation::{Layer, Method, Observation, Source},
    rules,
    value::FieldKey,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Two answers this close in confidence (thousandths) and both at least [`CONFLICT_FLOOR`] are a
/// conflict: the screen shows two answers instead of hiding one.
pub const CONFLICT_MARGIN: u16 = 100;
/// Below this confidence (thousandths) an answer does not contest another.
pub const CONFLICT_FLOOR: u16 = 800;

/// The outcome of fusing one field's observations. Indices point into the slice given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fused {
    /// The winner, unless there is no observation that may win.
    pub winner: Option<usize>,
    /// The others, best first, each with the reason it lost.
    pub losers: Vec<(usize, LostBecause)>,
    /// Whether a loser says something else with nearly the same confidence.
    pub conflict: bool,
}

/// Why an observation did not win.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LostBecause {
    /// It says the same as the winner.
    SaysTheSame,
    /// Another one is surer.
    LessSure,
    /// Structured data is read before the text.
    LaterMethod,
    /// A model's value without words in the text.
    Ungrounded,
    /// It breaks a rule, for example a minimum above the maximum.
    BreaksRule,
    /// A person chose otherwise.
    PersonDecided,
}

impl LostBecause {
    /// The reason in plain words.
    pub fn sentence(self) -> &'static str {
        match self {
            LostBecause::SaysTheSame => "says the same",
            LostBecause::LessSure => "another answer is surer",
            LostBecause::LaterMethod => "page data is read before the text",
            LostBecause::Ungrounded => "no words in the text support it",
            LostBecause::BreaksRule => "it breaks a rule for this field",
            LostBecause::PersonDecided => "a person chose otherwise",
        }
    }
}

/// What stands in a field once its observations are fused.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Winner<'a> {
    /// The observation that won.
    pub observation: &'a Observation,
    /// Whether another one says something else with nearly the same confidence.
    pub conflict: bool,
}

/// The winner of each field among the observations of one reading, in the order of the card. A
/// field that has none is left out.
pub fn winners(observations: &[Observation]) -> BTreeMap<&FieldKey, Winner<'_>> {
    let mut by_field: BTreeMap<&FieldKey, Vec<&Observation>> = BTreeMap::new();
    for observation in observations {
        by_field
            .entry(&observation.field)
            .or_default()
            .push(observation);
    }
    by_field
        .into_iter()
        .filter_map(|(field, seen)| {
            let fused = fuse(&seen);
            let winner = Winner {
                observation: seen[fused.winner?],
                conflict: fused.conflict,
            };
            Some((field, winner))
        })
        .collect()
}

/// Chooses among `observations` of one field.
///
/// A person's latest value beats every machine value; a value that breaks a rule or a model's
/// value without a quote never wins over one that does neither; structured data that is likely at
/// least goes before text and model (SPEC A2); then the surer one wins, and of equally sure ones
/// the earlier method.
pub fn fuse(observations: &[&Observation]) -> Fused {
    let mut order: Vec<usize> = (0..observations.len()).collect();
    order.sort_by_key(|&i| rank(observations[i], i));
    let Some((&best, rest)) = order.split_first() else {
        return Fused::default();
    };
    let winner = observations[best];
    if handicap(winner) == Handicap::BreaksRule {
        return Fused {
            winner: None,
            losers: order
                .iter()
                .map(|&i| (i, LostBecause::BreaksRule))
                .collect(),
            conflict: false,
        };
    }
    let said = winner.value.normalised();
    let losers: Vec<_> = rest
        .iter()
        .map(|&i| (i, reason(observations[i], winner, &said)))
        .collect();
    let conflict = winner.source != Source::User
        && losers
            .iter()
            .any(|&(i, because)| contests(observations[i], winner, because));
    Fused {
        winner: Some(best),
        losers,
        conflict,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Handicap {
    None,
    Ungrounded,
    BreaksRule,
}

fn handicap(observation: &Observation) -> Handicap {
    if observation.source == Source::User {
        Handicap::None
    } else if rules::check(&observation.field, &observation.value).is_err() {
        Handicap::BreaksRule
    } else if observation.is_ungrounded() {
        Handicap::Ungrounded
    } else {
        Handicap::None
    }
}

/// Smaller is better. A person's later value goes before an earlier one.
fn rank(observation: &Observation, index: usize) -> impl Ord + use<> {
    let by_person = observation.source == Source::User;
    let age = if by_person { -observation.ts.0 } else { 0 };
    let doubt = 1000 - observation.confidence.thousandths();
    (
        !by_person,
        age,
        handicap(observation),
        reads_later(observation),
        doubt,
        method_order(observation.method),
        place(observation),
        observation.value.normalised(),
        index,
    )
}

/// Of equally good answers the one that stands first wins, wherever the slice holds it: the card
/// must not depend on the order in which observations are read back.
fn place(observation: &Observation) -> impl Ord + use<> {
    let at = observation.evidence.as_ref();
    let at = at.map(|e| (e.layer == Layer::Source, e.start, e.end));
    (at.is_none(), at)
}

/// Whether an observation has to stand behind structured data: it is text, or not even likely.
fn reads_later(observation: &Observation) -> bool {
    matches!(observation.method, Method::Pattern | Method::Model)
        || observation.confidence.thousandths() < CONFLICT_FLOOR
}

fn method_order(method: Method) -> usize {
    Method::AUTOMATIC
        .iter()
        .position(|m| *m == method)
        .unwrap_or(Method::AUTOMATIC.len())
}

fn reason(loser: &Observation, winner: &Observation, said: &str) -> LostBecause {
    match handicap(loser) {
        _ if loser.value.normalised() == said => LostBecause::SaysTheSame,
        _ if winner.source == Source::User => LostBecause::PersonDecided,
        Handicap::BreaksRule => LostBecause::BreaksRule,
        Handicap::Ungrounded => LostBecause::Ungrounded,
        Handicap::None if loser.confidence >= winner.confidence => LostBecause::LaterMethod,
        Handicap::None => LostBecause::LessSure,
    }
}

fn contests(loser: &Observation, winner: &Observation, because: LostBecause) -> bool {
    let close = winner
        .confidence
        .thousandths()
        .saturating_sub(loser.confidence.thousandths());
    matches!(because, LostBecause::LessSure | LostBecause::LaterMethod)
        && close < CONFLICT_MARGIN
        && loser.confidence.thousandths() >= CONFLICT_FLOOR
        && loser.method != winner.method
        && rules::disagree(&winner.value, &loser.value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ids::CaptureId,
        observation::{Confidence, Evidence},
        time::Micros,
        value::{Amount, FieldKey, FieldValue, Salary},
    };

    fn seen(text: &str, confidence: u16, source: Source, method: Method) -> Observation {
        Observation {
            field: FieldKey::Title,
            value: FieldValue::Text(text.into()),
            confidence: Confidence::new(confidence),
            source,
            method,
            evidence: Some(Evidence {
                layer: Layer::Visible,
                start: 0,
                end: text.len() as u32,
                quote: text.into(),
                pointer: None,
            }),
            capture: CaptureId([0; 16]),
            ts: Micros(0),
        }
    }

    fn check(observations: &[Observation]) -> (Option<String>, Vec<LostBecause>, bool) {
        let refs: Vec<_> = observations.iter().collect();
        let fused = fuse(&refs);
        let winner = fused.winner.map(|i| observations[i].value.display());
        (
            winner,
            fused.losers.iter().map(|l| l.1).collect(),
            fused.conflict,
        )
    }

    #[test]
    fn the_surer_wins_and_the_rest_says_why() {
        use {LostBecause::*, Method::*, Source::*};
        let ld = seen("Analyst", 980, Parsing, JsonLd);
        let text = seen("Nurse", 700, Parsing, Pattern);
        let same = seen("analyst ", 600, Parsing, OpenGraph);
        assert_eq!(
            check(&[text.clone(), ld.clone(), same]),
            (Some("Analyst".into()), vec![LessSure, SaysTheSame], false)
        );
        let rival = seen("Nurse", 960, Parsing, Microdata);
        assert_eq!(
            check(&[ld.clone(), rival]),
            (Some("Analyst".into()), vec![LessSure], true)
        );
        let mut person = seen("Chef", 1000, User, Manual);
        person.ts = Micros(1);
        assert_eq!(
            check(&[ld, person]),
            (Some("Chef".into()), vec![PersonDecided], false)
        );
        assert_eq!(check(&[]), (None, vec![], false));
        let mut model = seen("Baker", 990, Ai, Model);
        model.evidence = None;
        assert_eq!(
            check(&[model, text]),
            (Some("Nurse".into()), vec![Ungrounded], false)
        );
    }

    #[test]
    fn a_tie_does_not_depend_on_the_order_given() {
        let mut later = seen("Apply by May", 900, Source::Parsing, Method::Pattern);
        if let Some(evidence) = &mut later.evidence {
            (evidence.start, evidence.end) = (50, 62);
        }
        let first = seen("Apply by April", 900, Source::Parsing, Method::Pattern);
        for pair in [[first.clone(), later.clone()], [later, first]] {
            assert_eq!(check(&pair).0.as_deref(), Some("Apply by April"));
        }
    }

    #[test]
    fn each_field_has_its_own_winner_in_the_order_of_the_card() {
        let of = |field: FieldKey, text: &str, confidence: u16, method: Method| Observation {
            field,
            ..seen(text, confidence, Source::Parsing, method)
        };
        let observations = [
            of(FieldKey::Company, "Oriel Bread", 900, Method::Pattern),
            of(FieldKey::Title, "Baker", 980, Method::JsonLd),
            of(FieldKey::Title, "Nurse", 960, Method::Microdata),
            of(FieldKey::Platform, " ", 990, Method::Pattern),
        ];
        let found: Vec<_> = winners(&observations)
            .into_iter()
            .map(|(field, won)| (field.name(), won.observation.value.display(), won.conflict))
            .collect();
        assert_eq!(
            found,
            [
                ("title", "Baker".to_owned(), true),
                ("company", "Oriel Bread".to_owned(), false)
            ],
            "nothing stands in a field whose only value breaks a rule"
        );
    }

    #[test]
    fn a_value_that_breaks_a_rule_never_wins() {
        let mut wrong = seen("", 990, Source::Parsing, Method::JsonLd);
        wrong.field = FieldKey::Salary;
        wrong.value = FieldValue::Salary(Salary {
            min: Amount::from_units(90_000),
            max: Amount::from_units(10_000),
            ..Salary::default()
        });
        assert_eq!(
            check(&[wrong]),
            (None, vec![LostBecause::BreaksRule], false)
        );
    }
}
