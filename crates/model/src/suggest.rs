//! Suggestions for a field (SPEC B6): what else it could be, who says so, and how sure that is; and what persons made of
//! the machines' values before, from which the next suggestions learn.
//!
//! A suggestion's confidence is a probability with three parts, multiplied as odds (`o(p) = p / (1 − p)`):
//!
//! ```text
//! o(confidence) = o(said) · o(1 − standing) · (α + accepted) / (α + dismissed)
//! ```
//!
//! - *said*: what its source says. An alternative: its own confidence. The employer's other postings: `(n + 1) / (N + 2)`
//!   where `n` of `N` that say anything say this (Laplace's rule). Earlier corrections: the same, where `n` of `N` times
//!   that a person judged this very value of this field and method, they made this of it.
//! - *standing*: the confidence of what stands, of which an alternative and other postings know nothing; 1/2 where
//!   nothing stands. Corrections are about what stands already. A person's value stands with certainty.
//! - *learnt acceptance*: the odds of the mean `(α + accepted) / (2α + accepted + dismissed)` of a Beta(α, α)
//!   distribution, by field and kind of source, `α` = [`PRIOR`]: without any answer it changes nothing, and one answer
//!   changes the odds by a quarter.
//!
//! Shares are kept within 1 and 99 in 100, so that nothing is ever certain. A value that several sources suggest has the
//! confidence of the surest. There is no model yet, so nothing is suggested by one.

use crate::{
    card::CardField,
    commit::{Commit, Purpose},
    fuse::LostBecause,
    observation::{Confidence, Method, Observation, Source},
    rules,
    time::Micros,
    value::{FieldKey, FieldValue},
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Suggestions for a field, the surest; further ones are left out.
pub const SUGGESTIONS_MAX: usize = 5;
/// The prior's weight: as if so many suggestions had been accepted and as many dismissed before.
pub const PRIOR: f64 = 4.0;
/// Of the answers to one kind of suggestion so many count on each side, the latest: more say nothing new.
pub const ANSWERS_MAX: u32 = 1_000;

/// The kind of source of a suggestion. Stored by its word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// What else was read in this posting.
    Alternative,
    /// The same employer's other postings.
    Employer,
    /// Earlier corrections of the same value by the same method.
    Correction,
    /// A language model that read this posting.
    Model,
}

impl Origin {
    /// All kinds.
    pub const ALL: [Origin; 4] = [
        Origin::Alternative,
        Origin::Employer,
        Origin::Correction,
        Origin::Model,
    ];

    /// The word used in files.
    pub fn word(self) -> &'static str {
        match self {
            Origin::Alternative => "alternative",
            Origin::Employer => "employer",
            Origin::Correction => "correction",
            Origin::Model => "model",
        }
    }

    /// The kind of a word.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|origin| origin.word() == word)
    }

    /// As commits name it, after *suggested by*; the log keeps these words, so they do not change.
    fn named(self) -> &'static str {
        match self {
            Origin::Alternative => "another answer of this posting",
            Origin::Employer => "other postings of the employer",
            Origin::Correction => "earlier corrections",
            Origin::Model => "the model",
        }
    }
}

/// Who suggests a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Voice {
    /// Which kind of source.
    pub origin: Origin,
    /// How many say so: postings, or corrections; 1 for an alternative or a model.
    pub count: u32,
    /// Of how many.
    pub of: u32,
    /// By which method an alternative was read, or what was corrected had been.
    pub method: Option<Method>,
}

/// What a field could be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suggestion {
    /// Which field.
    pub field: FieldKey,
    /// The value.
    pub value: FieldValue,
    /// How sure; see the module.
    pub confidence: Confidence,
    /// Who suggests it, the surest first; an acceptance counts for that one.
    pub voices: Vec<Voice>,
    /// The words of this posting that it rests on, where it was read there; a model's value without is ungrounded.
    pub quote: Option<String>,
}

/// Answers to one kind of suggestion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Accepted, and standing.
    pub accepted: u32,
    /// Dismissed.
    pub dismissed: u32,
}

impl Tally {
    /// What an answer of this kind multiplies the odds by; see the module.
    fn odds(self) -> f64 {
        let counted = |n: u32| f64::from(n.min(ANSWERS_MAX));
        (PRIOR + counted(self.accepted)) / (PRIOR + counted(self.dismissed))
    }
}

/// A person's earlier judgement of a value that a method gave a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Precedent {
    /// What the person made of it; `None` if that is too long to be suggested.
    pub value: Option<FieldValue>,
    /// Whether they left it as it was.
    pub correct: bool,
}

/// What suggestions for a field are made from.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The field of the card.
    pub field: &'a CardField,
    /// What a model said when a person asked it about this posting.
    pub model: &'a [Observation],
    /// What stands in the employer's other postings, one each.
    pub employer: &'a [FieldValue],
    /// How persons judged the value that the machines give it here, elsewhere.
    pub precedents: &'a [Precedent],
    /// Answers to suggestions for this field so far.
    pub tallies: &'a BTreeMap<Origin, Tally>,
    /// Keys of values that were dismissed here ([`value_key`]).
    pub dismissed: &'a BTreeSet<[u8; 16]>,
}

/// By what a dismissed value, or one that was judged, is known again: 128 bits of the hash of its normal form.
pub fn value_key(value: &FieldValue) -> [u8; 16] {
    let hash = blake3::hash(value.normalised().as_bytes());
    let mut key = [0; 16];
    key.copy_from_slice(&hash.as_bytes()[..16]);
    key
}

/// Whether other postings of an employer say something about this one: what belongs to a single posting does not.
pub fn is_shared(field: &FieldKey) -> bool {
    !matches!(
        field,
        FieldKey::Title
            | FieldKey::Description
            | FieldKey::ApplyUrl
            | FieldKey::PostedAt
            | FieldKey::ValidThrough
            | FieldKey::Verdict
            | FieldKey::Outcome
            | FieldKey::Custom(_)
    )
}

/// What the machines say, whether it stands or a person decided otherwise.
pub fn machine_value(field: &CardField) -> Option<(&FieldValue, Method)> {
    let chosen = field.chosen.as_ref();
    match chosen.filter(|chosen| chosen.source != Source::User) {
        Some(chosen) => Some((&chosen.value, chosen.method)),
        None => {
            let mut others = field.alternatives.iter();
            let beaten = others.find(|other| other.because == LostBecause::PersonDecided)?;
            let seen = &beaten.observation;
            Some((&seen.value, seen.method))
        }
    }
}

/// Suggestions for a field, the surest first. Never what stands, what a person decided against, what was dismissed or
/// what breaks a rule.
pub fn suggest(known: Known<'_>) -> Vec<Suggestion> {
    let mut found: BTreeMap<String, (FieldValue, Vec<(f64, Voice)>)> = BTreeMap::new();
    let mut add = |value: &FieldValue, odds: f64, voice: Voice| {
        let tally = known.tallies.get(&voice.origin).copied();
        let odds = odds * tally.unwrap_or_default().odds();
        let entry = found.entry(value.normalised());
        let (_, voices) = entry.or_insert_with(|| (value.clone(), Vec::new()));
        match voices.iter_mut().find(|(_, v)| v.origin == voice.origin) {
            Some(told) if told.0 >= odds => {}
            Some(told) => *told = (odds, voice),
            None => voices.push((odds, voice)),
        }
    };
    let doubt = doubt_of(known.field);
    for seen in read_here(&known) {
        let voice = Voice {
            origin: match seen.method {
                Method::Model => Origin::Model,
                _ => Origin::Alternative,
            },
            count: 1,
            of: 1,
            method: Some(seen.method),
        };
        add(&seen.value, odds(seen.confidence.share()) * doubt, voice);
    }
    for (value, count, of) in counted(known.employer.iter()) {
        let voice = Voice {
            origin: Origin::Employer,
            count,
            of,
            method: None,
        };
        add(value, odds(laplace(count, of)) * doubt, voice);
    }
    let method = machine_value(known.field).map(|(_, method)| method);
    let judged = known.precedents.len() as u32;
    let corrections = known.precedents.iter().filter(|past| !past.correct);
    for (value, count, _) in counted(corrections.filter_map(|past| past.value.as_ref())) {
        let voice = Voice {
            origin: Origin::Correction,
            count,
            of: judged,
            method,
        };
        let by_person = stands_by_person(known.field);
        let doubt = if by_person { doubt } else { 1.0 };
        add(value, odds(laplace(count, judged)) * doubt, voice);
    }
    let spoken = found.into_iter();
    let mut suggestions: Vec<Suggestion> = spoken
        .filter(|(said, (value, _))| may_be_suggested(&known, said, value))
        .map(|(said, (value, voices))| {
            let quote = quote_of(&known, &said);
            let found = suggestion(known.field, value, voices);
            Suggestion { quote, ..found }
        })
        .collect();
    suggestions.sort_by(|a, b| {
        let count = |s: &Suggestion| s.voices.iter().map(|v| v.count).sum::<u32>();
        (b.confidence, count(b))
            .cmp(&(a.confidence, count(a)))
            .then_with(|| a.value.cmp(&b.value))
    });
    suggestions.truncate(SUGGESTIONS_MAX);
    suggestions
}

/// What was read in this posting and does not stand, the candidates of its run before what a model said later.
fn read_here<'a>(known: &Known<'a>) -> impl Iterator<Item = &'a Observation> {
    let lost = known.field.alternatives.iter();
    lost.map(|other| &other.observation).chain(known.model)
}

fn quote_of(known: &Known<'_>, said: &str) -> Option<String> {
    let saying = read_here(known).filter(|seen| seen.value.normalised() == said);
    let mut quotes = saying.filter_map(|seen| seen.evidence.as_ref());
    quotes.next().map(|evidence| evidence.quote.clone())
}

fn suggestion(field: &CardField, value: FieldValue, mut voices: Vec<(f64, Voice)>) -> Suggestion {
    voices.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let best = voices.first().map_or(0.0, |(odds, _)| *odds);
    let share = (best / (1.0 + best)).clamp(0.01, 0.99);
    Suggestion {
        field: field.key.clone(),
        value,
        confidence: Confidence::new((share * 1000.0).round() as u16),
        voices: voices.into_iter().map(|(_, voice)| voice).collect(),
        quote: None,
    }
}

fn may_be_suggested(known: &Known<'_>, said: &str, value: &FieldValue) -> bool {
    let field = known.field;
    let stands = field.chosen.as_ref();
    let decided_against = field.alternatives.iter().any(|other| {
        other.because == LostBecause::PersonDecided && other.observation.value.normalised() == said
    });
    stands.is_none_or(|chosen| chosen.value.normalised() != said)
        && !decided_against
        && !known.dismissed.contains(&value_key(value))
        && rules::check(&field.key, value).is_ok()
}

fn stands_by_person(field: &CardField) -> bool {
    let chosen = field.chosen.as_ref();
    chosen.is_some_and(|chosen| chosen.source == Source::User)
}

/// The odds that what stands is wrong; 1 where nothing stands.
fn doubt_of(field: &CardField) -> f64 {
    let chosen = field.chosen.as_ref();
    chosen.map_or(1.0, |chosen| odds(1.0 - chosen.confidence.share()))
}

fn odds(share: f64) -> f64 {
    let share = share.clamp(0.01, 0.99);
    share / (1.0 - share)
}

fn laplace(count: u32, of: u32) -> f64 {
    (f64::from(count) + 1.0) / (f64::from(of) + 2.0)
}

/// Each value once, how many say it, and of how many.
fn counted<'a>(
    values: impl Iterator<Item = &'a FieldValue>,
) -> impl Iterator<Item = (&'a FieldValue, u32, u32)> {
    let mut counts: BTreeMap<String, (&FieldValue, u32)> = BTreeMap::new();
    let mut of = 0;
    for value in values {
        of += 1;
        counts.entry(value.normalised()).or_insert((value, 0)).1 += 1;
    }
    counts.into_values().map(move |(value, n)| (value, n, of))
}

/// What a person made of what the machines said of a field: their value stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// Which field.
    pub field: FieldKey,
    /// What the machines said before, and by which method; `None` if they said nothing.
    pub machine: Option<(FieldValue, Method)>,
    /// What the person says.
    pub value: FieldValue,
    /// The suggestion that they accepted, where it was one.
    pub origin: Option<Origin>,
    /// When.
    pub at: Micros,
}

impl Judgement {
    /// Whether the machines were right: the person says the same.
    pub fn is_correct(&self) -> bool {
        let machine = self.machine.as_ref();
        machine.is_some_and(|(value, _)| value.normalised() == self.value.normalised())
    }
}

/// How persons judged what a method says of a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accuracy {
    /// Which field.
    pub field: FieldKey,
    /// Which method.
    pub method: Method,
    /// How often a person said the same.
    pub correct: u32,
    /// How often a person said something else.
    pub wrong: u32,
}

/// The judgements that stand at the end of these commits, parents before children; at most one of a field.
///
/// A value that was undone, withdrawn or merged away is none; what an undo or a restore brings back counts as it did
/// when it was said first.
pub fn judgements<'a>(commits: impl IntoIterator<Item = &'a Commit>) -> Vec<Judgement> {
    let mut fields: BTreeMap<FieldKey, Course> = BTreeMap::new();
    for commit in commits {
        for change in &commit.changes {
            if matches!(change.field, FieldKey::Verdict | FieldKey::Outcome) {
                continue;
            }
            let course = fields.entry(change.field.clone()).or_default();
            match (&change.new, change.source) {
                (None, source) => {
                    course.stands = None;
                    if source != Source::User {
                        course.machine = None;
                    }
                }
                (Some(value), Source::User) => course.said(commit, &change.field, value),
                (Some(value), _) => {
                    course.stands = None;
                    course.machine = Some((value.clone(), change.method));
                }
            }
        }
    }
    let judged = fields.into_iter().filter_map(|(field, course)| {
        let said = course.stands?;
        Some(Judgement {
            field,
            machine: course.machine,
            value: said.value,
            origin: said.origin,
            at: said.at,
        })
    });
    judged.collect()
}

#[derive(Default)]
struct Course {
    machine: Option<(FieldValue, Method)>,
    stands: Option<Said>,
    /// All that persons ever said, oldest first.
    before: Vec<Said>,
}

#[derive(Clone)]
struct Said {
    value: FieldValue,
    origin: Option<Origin>,
    at: Micros,
}

impl Course {
    fn said(&mut self, commit: &Commit, field: &FieldKey, value: &FieldValue) {
        let again = (commit.purpose != Purpose::Plain)
            .then(|| self.before.iter().rev().find(|said| said.value == *value))
            .flatten();
        let said = again.cloned().unwrap_or_else(|| Said {
            value: value.clone(),
            origin: accepted_from(&commit.message, field),
            at: commit.clock.wall,
        });
        self.before.push(said.clone());
        self.stands = Some(said);
    }
}

const PREFIX: &str = "Suggested by ";

/// The message of a commit that accepts suggestions: which fields, by which kind of source.
pub fn message(accepted: &[(FieldKey, Origin)]) -> String {
    let parts = Origin::ALL.into_iter().filter_map(|origin| {
        let of_it = accepted.iter().filter(|(_, from)| *from == origin);
        let fields: Vec<&str> = of_it.map(|(field, _)| field.name()).collect();
        (!fields.is_empty()).then(|| format!("{}: {}", origin.named(), fields.join(", ")))
    });
    format!("{PREFIX}{}", parts.collect::<Vec<_>>().join("; "))
}

/// The kind of suggestion that a commit with this message accepted for a field, if it did.
pub fn accepted_from(message: &str, field: &FieldKey) -> Option<Origin> {
    let mut parts = message.strip_prefix(PREFIX)?.split("; ");
    parts.find_map(|part| {
        let (named, fields) = part.split_once(": ")?;
        let origin = Origin::ALL.into_iter().find(|o| o.named() == named)?;
        let mut fields = fields.split(", ");
        fields.any(|name| name == field.name()).then_some(origin)
    })
}

#[cfg(test)]
mod tests;
