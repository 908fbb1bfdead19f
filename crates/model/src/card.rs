//! The card: a posting's current fields, a pure function of its commits and observations
//! (DESIGN *Invariants* 5).

use crate::{
    commit::{AuthorId, Commit, FieldChange, Purpose},
    event::Step,
    fuse::{LostBecause, fuse, winners},
    ids::{CommitId, ObservationId},
    observation::{Confidence, Method, Observation, Source},
    receipt::{Looked, Outcome, Receipt},
    run::{Failure, NodeStatus, RunState, RunStatus},
    time::Micros,
    value::{FieldKey, FieldValue},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A posting's card. A projection.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Card {
    /// In the order of the screen; user-defined fields last.
    pub fields: Vec<CardField>,
    /// The number of commits behind it.
    pub version: u32,
    /// The analyst's conclusion.
    pub verdict: Option<Verdict>,
    /// What became of it, oldest first.
    pub outcomes: Vec<RecordedOutcome>,
}

/// One field of a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardField {
    /// Which field.
    pub key: FieldKey,
    /// Which of the five states.
    pub state: FieldState,
    /// The value that stands, if one does.
    pub chosen: Option<Chosen>,
    /// The other candidates, best first.
    pub alternatives: Vec<Alternative>,
    /// Where it was looked for.
    pub looked: Vec<Looked>,
    /// Why there is no value, in a sentence.
    pub reason: Option<String>,
}

/// The five states of a field (SPEC B2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldState {
    /// A run is under way and has not seen it yet.
    Looking,
    /// One answer.
    Found,
    /// Looked for, and not there.
    NotFound,
    /// The run failed before it could be found.
    Failed,
    /// Two answers.
    Conflict,
}

impl FieldState {
    /// The word used in files and as the end of accessible names.
    pub fn word(self) -> &'static str {
        match self {
            FieldState::Looking => "looking",
            FieldState::Found => "found",
            FieldState::NotFound => "not_found",
            FieldState::Failed => "failed",
            FieldState::Conflict => "conflict",
        }
    }
}

/// The value that stands in a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chosen {
    /// The value.
    pub value: FieldValue,
    /// How sure.
    pub confidence: Confidence,
    /// Who says so.
    pub source: Source,
    /// By which method.
    pub method: Method,
    /// The observation with the words, where there is one.
    pub observation: Option<Observation>,
    /// Who decided and when, for a person's value.
    pub author: Option<(AuthorId, Micros)>,
}

/// A candidate that does not stand, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alternative {
    /// The candidate.
    pub observation: Observation,
    /// Why it lost.
    pub because: LostBecause,
}

/// The analyst's conclusion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// One of [`crate::rules::VERDICTS`].
    pub word: String,
    /// Why, in the analyst's words.
    pub note: String,
    /// Who.
    pub author: AuthorId,
    /// When.
    pub at: Micros,
}

/// An outcome the analyst recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedOutcome {
    /// One of [`crate::rules::OUTCOMES`].
    pub word: String,
    /// Details, in the analyst's words.
    pub note: String,
    /// When it was recorded.
    pub at: Micros,
}

/// What a card is folded from.
#[derive(Debug, Clone, Copy)]
pub struct CardInput<'a> {
    /// The head's ancestors and the head, parents before children.
    pub commits: &'a [&'a Commit],
    /// The observations of the latest run's capture. Candidates are those of that run alone: an
    /// earlier one may have read the same capture with other rules, and what it saw then must not
    /// stand beside what is seen now. An observation is never older than its run.
    pub observations: &'a [Observation],
    /// Observations of earlier captures that commits rest on, for their words.
    pub cited: &'a [Observation],
    /// The latest run over this posting.
    pub run: Option<&'a RunState>,
}

/// Folds a card.
pub fn fold(input: CardInput<'_>) -> Card {
    let committed = fold_commits(input.commits.iter().copied());
    let mut by_field: BTreeMap<FieldKey, Vec<&Observation>> = BTreeMap::new();
    let of_this_run = |o: &&Observation| input.run.is_none_or(|run| o.ts >= run.started);
    for observation in input.observations.iter().filter(of_this_run) {
        by_field
            .entry(observation.field.clone())
            .or_default()
            .push(observation);
    }
    let mut keys: Vec<FieldKey> = FieldKey::DETECTED.into();
    let known: Vec<&FieldKey> = committed.values.keys().chain(by_field.keys()).collect();
    for key in known {
        if matches!(key, FieldKey::Custom(_)) && !keys.contains(key) {
            keys.push(key.clone());
        }
    }
    let fields = keys
        .into_iter()
        .map(|key| {
            let seen = by_field.get(&key).map(Vec::as_slice).unwrap_or_default();
            let standing = committed.values.get(&key);
            fold_field(
                key,
                standing,
                Candidates {
                    seen,
                    cited: input.cited,
                },
                input.run,
            )
        })
        .collect();
    Card {
        fields,
        version: input.commits.len() as u32,
        verdict: committed.verdict,
        outcomes: committed.outcomes,
    }
}

/// The values that stand by commits alone, the verdict among them; `commits` with parents before
/// children.
pub fn standing_values<'a>(
    commits: impl IntoIterator<Item = &'a Commit>,
) -> BTreeMap<FieldKey, Standing> {
    fold_commits(commits).values
}

/// What commits amount to, without any observation.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Committed {
    /// The values, the verdict among them.
    pub values: BTreeMap<FieldKey, Standing>,
    /// The verdict with its note.
    pub verdict: Option<Verdict>,
    /// Outcomes, oldest first.
    pub outcomes: Vec<RecordedOutcome>,
}

/// A value that stands by a commit.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// The value.
    pub value: FieldValue,
    /// How sure.
    pub confidence: Confidence,
    /// Who says so.
    pub source: Source,
    /// By which method.
    pub method: Method,
    /// The observation it rests on, where it is a machine's.
    pub observation: Option<ObservationId>,
    /// Who committed it.
    pub author: AuthorId,
    /// When.
    pub at: Micros,
}

/// Folds commits, parents before children. A merge, an undo and a restore bring back what somebody
/// said before: it stays that author's, with its note.
pub fn fold_commits<'a>(commits: impl IntoIterator<Item = &'a Commit>) -> Committed {
    let mut folding = Folding::default();
    for commit in commits {
        for change in &commit.changes {
            folding.apply(commit, change);
        }
    }
    folding.out.outcomes = folding.outcomes.into_iter().map(|(_, o)| o).collect();
    folding.out
}

#[derive(Default)]
struct Folding {
    out: Committed,
    /// Everything each field was, oldest first.
    before: BTreeMap<FieldKey, Vec<Standing>>,
    verdicts: Vec<Verdict>,
    /// By the commit that recorded it first.
    outcomes: Vec<(CommitId, RecordedOutcome)>,
}

impl Folding {
    fn apply(&mut self, commit: &Commit, change: &FieldChange) {
        match (&change.field, &change.new) {
            (FieldKey::Outcome, Some(value)) => {
                let recorded = RecordedOutcome {
                    word: value.display(),
                    note: commit.message.clone(),
                    at: commit.clock.wall,
                };
                let by = commit.purpose.about().unwrap_or_else(|| commit.id());
                // Redone on two branches that are merged, it still happened once.
                if !self.outcomes.iter().any(|(known, _)| *known == by) {
                    self.outcomes.push((by, recorded));
                }
            }
            (FieldKey::Outcome, None) => {
                let about = commit.purpose.about();
                self.outcomes.retain(|(by, _)| Some(*by) != about);
            }
            (field, Some(value)) => {
                let standing = self.standing(commit, change, value);
                if *field == FieldKey::Verdict {
                    let verdict = self.verdict(commit, value);
                    self.verdicts.push(verdict.clone());
                    self.out.verdict = Some(verdict);
                }
                let before = self.before.entry(field.clone()).or_default();
                before.push(standing.clone());
                self.out.values.insert(field.clone(), standing);
            }
            (field, None) => {
                if *field == FieldKey::Verdict {
                    self.out.verdict = None;
                }
                self.out.values.remove(field);
            }
        }
    }

    fn standing(&self, commit: &Commit, change: &FieldChange, value: &FieldValue) -> Standing {
        let mut standing = Standing {
            value: value.clone(),
            confidence: change.confidence,
            source: change.source,
            method: change.method,
            observation: change.observation,
            author: commit.author.clone(),
            at: commit.clock.wall,
        };
        let before = self.before.get(&change.field).into_iter().flatten().rev();
        let said = |old: &&Standing| old.value == *value && old.source == change.source;
        if !commit.purpose.is_plain()
            && let Some(old) = before.into_iter().find(said)
        {
            standing.author = old.author.clone();
            standing.at = old.at;
        }
        standing
    }

    /// The note is the message of the commit that gave the verdict.
    fn verdict(&self, commit: &Commit, value: &FieldValue) -> Verdict {
        let word = value.display();
        let any_note = commit.purpose == Purpose::Merge;
        let said = |old: &&Verdict| old.word == word && (any_note || old.note == commit.message);
        let before = self.verdicts.iter().rev().find(said);
        match before.filter(|_| !commit.purpose.is_plain()) {
            Some(before) => before.clone(),
            None => Verdict {
                word,
                note: commit.message.clone(),
                author: commit.author.clone(),
                at: commit.clock.wall,
            },
        }
    }
}

#[derive(Clone, Copy)]
struct Candidates<'a> {
    seen: &'a [&'a Observation],
    cited: &'a [Observation],
}

fn fold_field(
    key: FieldKey,
    standing: Option<&Standing>,
    candidates: Candidates<'_>,
    run: Option<&RunState>,
) -> CardField {
    let seen = candidates.seen;
    let fused = fuse(seen);
    let person = standing.filter(|s| s.source == Source::User);
    let uncommitted = run.is_some_and(|run| run.status == RunStatus::Running);
    let mut alternatives: Vec<Alternative> = fused
        .losers
        .iter()
        .map(|&(i, because)| Alternative {
            observation: seen[i].clone(),
            because,
        })
        .collect();
    let chosen = match (person, fused.winner) {
        (Some(person), winner) => {
            if let Some(i) = winner {
                let because = LostBecause::PersonDecided;
                alternatives.insert(
                    0,
                    Alternative {
                        observation: seen[i].clone(),
                        because,
                    },
                );
            }
            Some(chosen_from(person, candidates))
        }
        (None, Some(i)) => Some(chosen_by_machine(seen[i])),
        // What an earlier capture said stands until a later one says otherwise.
        (None, None) => standing.map(|s| chosen_from(s, candidates)),
    };
    let receipt = run.and_then(|run| run.receipt.as_ref());
    let line = receipt.and_then(|r: &Receipt| r.fields.iter().find(|line| line.field == key));
    let conflict = fused.conflict && person.is_none();
    let state = match &chosen {
        Some(_) if conflict => FieldState::Conflict,
        Some(_) => FieldState::Found,
        None if run.is_some_and(|run| run.status == RunStatus::Failed) => FieldState::Failed,
        None if uncommitted && line.is_none() => FieldState::Looking,
        None => FieldState::NotFound,
    };
    let reason = match state {
        FieldState::NotFound => line.and_then(|line| line.reason.clone()),
        FieldState::Failed => run
            .and_then(|run| run.failure.as_ref())
            .map(failure_sentence),
        _ => None,
    };
    let looked = line.map(|line| line.looked.clone()).unwrap_or_default();
    CardField {
        key,
        state,
        chosen,
        alternatives,
        looked,
        reason,
    }
}

fn failure_sentence(failure: &Failure) -> String {
    format!("{} failed: {}", failure.node, failure.issue.message)
}

fn chosen_by_machine(observation: &Observation) -> Chosen {
    Chosen {
        value: observation.value.clone(),
        confidence: observation.confidence,
        source: observation.source,
        method: observation.method,
        observation: Some(observation.clone()),
        author: None,
    }
}

fn chosen_from(standing: &Standing, candidates: Candidates<'_>) -> Chosen {
    let by_person = standing.source == Source::User;
    Chosen {
        value: standing.value.clone(),
        confidence: standing.confidence,
        source: standing.source,
        method: standing.method,
        observation: candidates
            .seen
            .iter()
            .copied()
            .chain(candidates.cited)
            .find(|o| Some(o.id()) == standing.observation)
            .cloned(),
        author: by_person.then(|| (standing.author.clone(), standing.at)),
    }
}

/// The receipt of a finished reading: one line a detected field.
///
/// `had` says whether a method had anything to look at, with the reason if it had not; `reasons`
/// are sentences of the text that say why a field has no value.
pub fn receipt(
    observations: &[Observation],
    had: &[(Method, Result<(), String>)],
    reasons: &[(FieldKey, String)],
) -> Receipt {
    use crate::receipt::{FieldReceipt, LookResult};
    let winners = winners(observations);
    let line = |field: FieldKey| {
        let looked = had
            .iter()
            .map(|(method, had)| {
                let seen = observations.iter().filter(|o| o.field == field);
                let count = seen.filter(|o| o.method == *method).count() as u32;
                let result = match had {
                    _ if count > 0 => LookResult::Found(count),
                    Ok(()) => LookResult::Nothing,
                    Err(reason) => LookResult::Skipped(reason.clone()),
                };
                Looked {
                    method: *method,
                    result,
                }
            })
            .collect();
        let outcome = match winners.get(&field) {
            None => Outcome::NotFound,
            Some(won) if won.conflict => Outcome::Conflict,
            Some(_) => Outcome::Found,
        };
        let reason = reasons
            .iter()
            .find(|(key, _)| *key == field)
            .map(|(_, text)| text.clone());
        FieldReceipt {
            field,
            outcome,
            looked,
            reason,
        }
    };
    Receipt {
        fields: FieldKey::DETECTED.into_iter().map(line).collect(),
    }
}

/// How far a run is: steps ended and steps in all.
pub fn progress(run: &RunState) -> (u32, u32) {
    let done = Step::ALL
        .into_iter()
        .filter(|step| matches!(run.step(*step), NodeStatus::Done | NodeStatus::Failed))
        .count();
    (done as u32, Step::ALL.len() as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::RunKind;
    use crate::{
        commit::Clock,
        ids::{CaptureId, PostingId, RunId},
    };

    fn seen(field: FieldKey, text: &str, confidence: u16) -> Observation {
        Observation {
            field,
            value: FieldValue::Text(text.into()),
            confidence: Confidence::new(confidence),
            source: Source::Parsing,
            method: Method::Pattern,
            evidence: None,
            capture: CaptureId([0; 16]),
            ts: Micros(0),
        }
    }

    fn commit(source: Source, field: FieldKey, new: Option<FieldValue>) -> Commit {
        Commit {
            posting: PostingId([0; 16]),
            parents: vec![],
            author: AuthorId(
                if source == Source::User {
                    "p1"
                } else {
                    "pipeline@0"
                }
                .into(),
            ),
            clock: Clock {
                wall: Micros(1),
                counter: 0,
            },
            message: "because".into(),
            purpose: Purpose::Plain,
            settled: vec![],
            changes: vec![FieldChange {
                field,
                old: None,
                new,
                confidence: Confidence::FULL,
                source,
                method: Method::Manual,
                observation: None,
            }],
        }
    }

    fn title(card: &Card) -> &CardField {
        card.fields
            .iter()
            .find(|f| f.key == FieldKey::Title)
            .unwrap()
    }

    fn running() -> RunState {
        RunState::new(RunId("r".into()), RunKind::Own, Micros(0))
    }

    #[test]
    fn a_persons_value_beats_every_machine_value_until_withdrawn() {
        let text = |s: &str| Some(FieldValue::Text(s.into()));
        let person = commit(Source::User, FieldKey::Title, text("Baker"));
        let machine = seen(FieldKey::Title, "Nurse", 990);
        let card = fold(CardInput {
            commits: &[&person],
            observations: std::slice::from_ref(&machine),
            cited: &[],
            run: None,
        });
        assert_eq!(
            title(&card).chosen.as_ref().unwrap().value.display(),
            "Baker"
        );
        assert_eq!(
            title(&card).alternatives[0].because,
            LostBecause::PersonDecided
        );
        let withdrawn = commit(Source::User, FieldKey::Title, None);
        let card = fold(CardInput {
            commits: &[&person, &withdrawn],
            observations: &[machine],
            cited: &[],
            run: None,
        });
        assert_eq!(
            title(&card).chosen.as_ref().unwrap().value.display(),
            "Nurse"
        );
    }

    #[test]
    fn what_an_earlier_reading_of_the_same_capture_saw_is_no_candidate() {
        let stale = seen(FieldKey::Title, "Nurse", 990);
        let fresh = Observation {
            ts: Micros(7),
            ..seen(FieldKey::Title, "Baker", 700)
        };
        let run = RunState::new(RunId("r2".into()), RunKind::Own, Micros(5));
        let card = fold(CardInput {
            commits: &[],
            observations: &[stale, fresh],
            cited: &[],
            run: Some(&run),
        });
        let title = title(&card);
        assert_eq!(title.chosen.as_ref().unwrap().value.display(), "Baker");
        assert_eq!(title.alternatives, []);
    }

    #[test]
    fn states_follow_the_run() {
        let state = |run: &RunState| {
            title(&fold(CardInput {
                commits: &[],
                observations: &[],
                cited: &[],
                run: Some(run),
            }))
            .state
        };
        let mut run = running();
        assert_eq!(state(&run), FieldState::Looking);
        run.receipt = Some(receipt(&[], &[(Method::Pattern, Ok(()))], &[]));
        assert_eq!(state(&run), FieldState::NotFound);
        run.status = RunStatus::Failed;
        assert_eq!(state(&run), FieldState::Failed);
    }

    #[test]
    fn verdict_and_outcomes_keep_their_notes() {
        let choice = |word: &str| Some(FieldValue::Choice(word.into()));
        let commits = [
            commit(Source::User, FieldKey::Verdict, choice("ghost")),
            commit(Source::User, FieldKey::Outcome, choice("applied")),
            commit(Source::User, FieldKey::Outcome, choice("filled")),
        ];
        let card = fold(CardInput {
            commits: &commits.each_ref(),
            observations: &[],
            cited: &[],
            run: None,
        });
        assert_eq!(card.verdict.unwrap().note, "because");
        assert_eq!(card.outcomes.len(), 2);
        assert_eq!(card.version, 3);
    }
}
