//! *As known then* (SPEC D4): one of our own runs folded up to a moment, by the reducers that fold the present.
//!
//! A [`Replay`] is fed the run's events in order. Its [`RunState`] is what [`RunState::apply`] makes of them, and its card
//! what [`crate::card::fold`] makes of the observations in them and the commits there were. Cloning it is cheap enough to
//! keep one every few hundred events; going on from one is the same as beginning anew.

use crate::{
    card::{Card, CardInput, fold},
    commit::Commit,
    event::{EventBody, Fact},
    ids::{CommitId, Epoch, ObservationId, RunId},
    observation::Observation,
    run::{RunKind, RunState},
    time::Micros,
};
use std::{collections::BTreeMap, sync::Arc};

/// A run, as it was known after some of its events.
#[derive(Debug, Clone, PartialEq)]
pub struct Replay {
    run: RunId,
    epoch: Epoch,
    state: Option<RunState>,
    /// Shared by the replays that go on from each other.
    seen: BTreeMap<ObservationId, Arc<Observation>>,
    at: Micros,
}

impl Replay {
    /// Before the first event of an epoch of this run's stream.
    pub fn new(run: RunId, epoch: Epoch) -> Self {
        Self {
            run,
            epoch,
            state: None,
            seen: BTreeMap::new(),
            at: Micros(0),
        }
    }

    /// Which run.
    pub fn run(&self) -> &RunId {
        &self.run
    }

    /// Which epoch of its stream.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// How many events it knows.
    pub fn known(&self) -> u64 {
        self.state.as_ref().map_or(0, |state| state.events)
    }

    /// When the latest of them was.
    pub fn at(&self) -> Micros {
        self.at
    }

    /// The run's state; `None` before its first event.
    pub fn state(&self) -> Option<&RunState> {
        self.state.as_ref()
    }

    /// Takes in the next event.
    pub fn apply(&mut self, event: &EventBody) {
        let state = self.state.get_or_insert_with(|| RunState {
            epoch: self.epoch,
            ..RunState::new(self.run.clone(), RunKind::Own, event.ts)
        });
        // As the store does: what is seen before its posting is known belongs to none.
        if let (Some(Fact::Observed(seen)), Some(_)) = (event.fact.as_deref(), state.posting) {
            let known = self.seen.entry(seen.id());
            known.or_insert_with(|| Arc::new(seen.clone()));
        }
        state.apply(event);
        self.at = self.at.max(event.ts);
    }

    /// Whether there was this commit of the posting's then. The run's own comes with its last event, whatever its clock
    /// says.
    pub fn knows(&self, id: CommitId, commit: &Commit) -> bool {
        let own = self.state.as_ref().and_then(|state| state.commit);
        commit.clock.wall <= self.at || own == Some(id)
    }

    /// The card: `commits` are those of the posting's version, parents before children, of which those count that there
    /// were then; `cited` the observations of other captures that they rest on.
    pub fn card(&self, commits: &[(CommitId, &Commit)], cited: &[Observation]) -> Card {
        let known = commits
            .iter()
            .filter(|(id, commit)| self.knows(*id, commit));
        let known: Vec<&Commit> = known.map(|(_, commit)| *commit).collect();
        let seen: Vec<Observation> = self.seen.values().map(|o| (**o).clone()).collect();
        fold(CardInput {
            commits: &known,
            observations: &seen,
            cited,
            run: self.state.as_ref(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        commit::{AuthorId, Clock, FieldChange, Purpose},
        event::{Phase, Step},
        ids::{CaptureId, PostingId},
        observation::{Confidence, Method, Source},
        run::{NodeStatus, RunStatus},
        value::{FieldKey, FieldValue},
    };
    use proptest::prelude::*;

    const CAPTURE: CaptureId = CaptureId([3; 16]);
    const POSTING: PostingId = PostingId([4; 16]);

    fn event(step: Step, phase: Phase, ts: i64, fact: Option<Fact>) -> EventBody {
        EventBody {
            ts: Micros(ts),
            run_id: RunId("r".into()),
            node: step.node().into(),
            phase,
            duration_ms: None,
            metrics: BTreeMap::new(),
            issues: vec![],
            fact: fact.map(Box::new),
        }
    }

    fn observed(field: usize, words: &str, sure: u16, ts: i64) -> EventBody {
        let seen = Observation {
            field: FieldKey::DETECTED[field % 2].clone(),
            value: FieldValue::Text(words.into()),
            confidence: Confidence::new(sure),
            source: Source::Parsing,
            method: Method::Pattern,
            evidence: None,
            capture: CAPTURE,
            ts: Micros(ts),
        };
        event(Step::Detect, Phase::Field, ts, Some(Fact::Observed(seen)))
    }

    fn parsed(ts: i64) -> EventBody {
        let fact = Fact::Parsed {
            capture: CAPTURE,
            posting: POSTING,
            keys: vec![],
            language: None,
            fingerprint: None,
        };
        event(Step::Parse, Phase::End, ts, Some(fact))
    }

    fn edit(words: &str, ts: i64) -> Commit {
        Commit {
            posting: POSTING,
            parents: vec![],
            author: AuthorId("person-7".into()),
            clock: Clock {
                wall: Micros(ts),
                counter: 0,
            },
            message: String::new(),
            changes: vec![FieldChange {
                field: FieldKey::Title,
                old: None,
                new: Some(FieldValue::Text(words.into())),
                confidence: Confidence::FULL,
                source: Source::User,
                method: Method::Manual,
                observation: None,
            }],
            purpose: Purpose::Plain,
            settled: vec![],
        }
    }

    fn replayed(events: &[EventBody]) -> Replay {
        let mut replay = Replay::new(RunId("r".into()), Epoch(7));
        events.iter().for_each(|event| replay.apply(event));
        replay
    }

    fn title(replay: &Replay, commits: &[Commit]) -> Option<String> {
        let commits: Vec<_> = commits.iter().map(|c| (c.id(), c)).collect();
        let card = replay.card(&commits, &[]);
        card.fields[0].chosen.as_ref().map(|c| c.value.display())
    }

    #[test]
    fn the_card_is_what_was_known_then() {
        let events = [
            event(Step::Fetch, Phase::Start, 10, None),
            parsed(20),
            event(Step::Detect, Phase::Start, 25, None),
            observed(0, "Printer", 700, 30),
            observed(0, "Typesetter", 900, 40),
        ];
        let commits = [edit("Master Printer", 35)];
        let then: Vec<_> = (0..=events.len())
            .map(|n| title(&replayed(&events[..n]), &commits))
            .collect();
        let words = |w: &str| Some(w.to_owned());
        // The edit at 35 is known with the event at 40, and not before.
        let expected = [
            None,
            None,
            None,
            None,
            words("Printer"),
            words("Master Printer"),
        ];
        assert_eq!(then, expected);
        let steps = |n: usize| {
            let replay = replayed(&events[..n]);
            let state = replay.state().unwrap();
            Step::ALL.map(|step| state.step(step))
        };
        assert_eq!(steps(1)[0], NodeStatus::Running);
        assert_eq!(steps(2)[1], NodeStatus::Done);
        assert_eq!(
            (steps(2)[3], steps(3)[3]),
            (NodeStatus::Waiting, NodeStatus::Running)
        );
        assert_eq!(
            replayed(&events).state().unwrap().status,
            RunStatus::Running
        );
        assert_eq!((replayed(&[]).known(), replayed(&events).known()), (0, 5));
    }

    #[test]
    fn the_runs_own_commit_counts_with_its_last_event_whatever_its_clock_says() {
        let late = edit("Printer", 999);
        let end = Fact::Assessed {
            assessment: crate::Assessment::of(&[]),
            commit: Some(late.id()),
        };
        let events = [parsed(20), event(Step::Score, Phase::End, 30, Some(end))];
        let commits = [late];
        assert_eq!(title(&replayed(&events[..1]), &commits), None);
        assert_eq!(
            title(&replayed(&events), &commits).as_deref(),
            Some("Printer")
        );
    }

    fn any_event() -> impl Strategy<Value = EventBody> {
        let step = (0..7_usize).prop_map(|at| Step::ALL[at]);
        prop_oneof![
            1 => (10_i64..99).prop_map(parsed),
            4 => (0..4_usize, "[ab]{1,2}", 0_u16..=1000, 10_i64..99)
                .prop_map(|(field, words, sure, ts)| observed(field, &words, sure, ts)),
            4 => (step, 0..3_u8, 10_i64..99).prop_map(|(step, phase, ts)| {
                let phase = [Phase::Start, Phase::End, Phase::Fail][usize::from(phase)].clone();
                event(step, phase, ts, None)
            }),
        ]
    }

    proptest! {
        /// Going on from any moment is the same as the fold of all of it, for the run and for the card.
        #[test]
        fn every_prefix_is_the_fold_of_that_prefix(
            events in proptest::collection::vec(any_event(), 0..24),
            edits in proptest::collection::vec(("[ab]{1,2}", 5_i64..120), 0..4),
        ) {
            let mut commits: Vec<Commit> = edits.iter().map(|(w, ts)| edit(w, *ts)).collect();
            commits.sort_by_key(|commit| commit.clock);
            let named: Vec<_> = commits.iter().map(|c| (c.id(), c)).collect();
            let mut replay = Replay::new(RunId("r".into()), Epoch(7));
            for (n, event) in events.iter().enumerate() {
                let mut onward = replay.clone();
                onward.apply(event);
                replay = onward;
                prop_assert_eq!(&replay, &replayed(&events[..=n]));
                // Beside a reference that knows nothing of replays.
                let mut state = RunState::new(RunId("r".into()), RunKind::Own, events[0].ts);
                state.epoch = Epoch(7);
                let mut seen: BTreeMap<ObservationId, Observation> = BTreeMap::new();
                for event in &events[..=n] {
                    if let (Some(Fact::Observed(o)), Some(_)) = (event.fact.as_deref(), state.posting) {
                        seen.entry(o.id()).or_insert_with(|| o.clone());
                    }
                    state.apply(event);
                }
                let seen: Vec<Observation> = seen.into_values().collect();
                let at = events[..=n].iter().map(|e| e.ts).max().unwrap();
                let then: Vec<&Commit> = commits.iter().filter(|c| c.clock.wall <= at).collect();
                let card = fold(CardInput { commits: &then, observations: &seen, cited: &[], run: Some(&state) });
                prop_assert_eq!(replay.state(), Some(&state));
                prop_assert_eq!(replay.card(&named, &[]), card);
            }
        }
    }
}
