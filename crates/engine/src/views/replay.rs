//! *As known then* (SPEC D4): the card and the steps of one of our own runs after any of its events.
//!
//! A replay is kept every [`MARK_EVERY`] events of the run that was looked at last, so a look folds what is between two
//! marks, however long the run is. The first look at the end of a long run lays the marks, [`STEP_EVENTS_MAX`] events a
//! pull, and says how far it has come.

use crate::Engine;
use ghostlight_api::view::{CardView, KnownView};
use ghostlight_model::{Epoch, FieldKey, RunId, card::Card, replay::Replay};
use ghostlight_store::StoreError;
use std::sync::{Mutex, PoisonError};

/// Events between two replays that are kept.
const MARK_EVERY: u64 = 256;
/// Events that one pull folds at most; the next pull goes on. A multiple of [`MARK_EVERY`].
const STEP_EVENTS_MAX: u64 = 2_048;
/// Marks that are kept; beyond it every second one goes, and a look folds twice as many events.
const MARKS_MAX: usize = 256;

/// The replays that are kept, of one run.
#[derive(Debug, Default)]
pub(crate) struct Replays(Mutex<Kept>);

#[derive(Debug)]
struct Kept {
    /// In order, each after a multiple of `every` events.
    marks: Vec<Replay>,
    every: u64,
    /// Where the last look came to, so that the next pull goes on from there.
    last: Option<Replay>,
}

impl Default for Kept {
    fn default() -> Self {
        Self {
            marks: Vec::new(),
            every: MARK_EVERY,
            last: None,
        }
    }
}

impl Replays {
    /// The furthest one that knows no more than `events`, else one that knows nothing. Another run's are forgotten.
    fn nearest(&self, (run, epoch): (&RunId, Epoch), events: u64) -> Replay {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let other = |last: &Replay| last.run() != run || last.epoch() != epoch;
        if kept.last.as_ref().is_some_and(other) {
            *kept = Kept::default();
        }
        let known = kept.marks.iter().chain(&kept.last);
        let known = known.filter(|replay| replay.known() <= events);
        let nearest = known.max_by_key(|replay| replay.known()).cloned();
        nearest.unwrap_or_else(|| Replay::new(run.clone(), epoch))
    }

    /// Keeps where a look came to, and a mark if it is the place for one.
    fn keep(&self, replay: &Replay) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.last = Some(replay.clone());
        let further = |mark: &Replay| mark.known() < replay.known();
        if replay.known().is_multiple_of(kept.every) && kept.marks.last().is_none_or(further) {
            kept.marks.push(replay.clone());
        }
        if kept.marks.len() > MARKS_MAX {
            let every = kept.every * 2;
            kept.every = every;
            let stays = |mark: &Replay| mark.known().is_multiple_of(every);
            kept.marks.retain(stays);
        }
    }
}

impl Engine {
    /// What was known after the event at `offset`, or after the last one if there are fewer; `None` if the run is not
    /// one of ours, or has no events.
    pub(super) fn known_then(
        &self,
        run: &RunId,
        offset: u64,
    ) -> Result<Option<KnownView>, StoreError> {
        let extent = self.store().extent(run)?.filter(|_| run.place().is_none());
        let Some(extent) = extent else {
            return Ok(None);
        };
        let wanted = offset.saturating_add(1).min(extent.count);
        let replay = self.replay_to((run, Epoch(extent.epoch)), wanted)?;
        let Some(state) = replay.state() else {
            return Ok(None);
        };
        let card = match self.store().card_then(&replay)? {
            Some(card) => card,
            None => replay.card(&[], &[]),
        };
        let mut view = self.card_frame(state)?;
        fill(&mut view, card);
        let known = replay.known();
        Ok(Some(KnownView {
            card: view,
            offset: known - 1,
            total: extent.count,
            at: replay.at(),
            looked: (known < wanted).then_some((known, wanted)),
        }))
    }

    fn replay_to(&self, stream: (&RunId, Epoch), wanted: u64) -> Result<Replay, StoreError> {
        let replays = &self.shared.replays;
        let mut replay = replays.nearest(stream, wanted);
        let until = wanted.min(replay.known().saturating_add(STEP_EVENTS_MAX));
        while replay.known() < until {
            let before = replay.known();
            let mark = (before / MARK_EVERY + 1) * MARK_EVERY;
            let len = u32::try_from(mark.min(until) - before).unwrap_or(u32::MAX);
            replay = self.store().replay_on(replay, len)?;
            if replay.known() == before {
                break;
            }
            replays.keep(&replay);
        }
        Ok(replay)
    }
}

/// Puts a card into the frame of its run.
fn fill(view: &mut CardView, card: Card) {
    let title = card
        .fields
        .iter()
        .find(|field| field.key == FieldKey::Title);
    if let Some(chosen) = title.and_then(|title| title.chosen.as_ref()) {
        view.title = chosen.value.display();
    }
    view.version = card.version;
    view.fields = card.fields;
    view.verdict = card.verdict;
    view.outcomes = card.outcomes;
}

#[cfg(test)]
mod tests {
    use super::*;
    use ghostlight_model::{EventBody, Micros, Phase};

    fn grown(run: &str, from: Replay, events: u64) -> Replay {
        (0..events).fold(from, |mut replay, _| {
            replay.apply(&EventBody {
                ts: Micros(1),
                run_id: RunId(run.into()),
                node: "DETECT".into(),
                phase: Phase::Start,
                duration_ms: None,
                metrics: Default::default(),
                issues: vec![],
                fact: None,
            });
            replay
        })
    }

    #[test]
    fn a_look_goes_on_from_a_mark_nearby_and_another_run_begins_anew() {
        let replays = Replays::default();
        let run = |name: &str| RunId(name.into());
        let known = |name: &str, events| replays.nearest((&run(name), Epoch(1)), events).known();
        assert_eq!(known("a", 9), 0);
        let step = 64;
        let mut replay = Replay::new(run("a"), Epoch(1));
        let steps = 3 * MARKS_MAX as u64 * MARK_EVERY / step;
        for n in 1..=steps {
            replay = grown("a", replay, step);
            replays.keep(&replay);
            assert_eq!(known("a", u64::MAX), step * n, "it always goes on");
        }
        let kept = replays.0.lock().unwrap().marks.len();
        assert!(kept > MARKS_MAX / 2 && kept <= MARKS_MAX, "{kept}");
        for events in (0..step * steps).step_by(1_000) {
            let from = known("a", events);
            assert!(
                from <= events && events - from < 4 * MARK_EVERY,
                "{from} for {events}"
            );
        }
        // A look at the middle goes on from where it came to, whatever lies beyond.
        let middle = grown("a", Replay::new(run("a"), Epoch(1)), 5 * MARK_EVERY + 7);
        replays.keep(&middle);
        assert_eq!(known("a", middle.known() + 1), middle.known());
        assert_eq!(replays.0.lock().unwrap().marks.len(), kept);
        assert_eq!(known("b", u64::MAX), 0, "another run begins anew");
        assert_eq!(known("a", u64::MAX), 0);
        replays.keep(&grown("b", Replay::new(run("b"), Epoch(2)), 4));
        assert_eq!(known("b", 9), 0, "so does another epoch");
    }
}
