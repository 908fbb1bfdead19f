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
/// Replays that are kept; beyond it every second one goes, and a look folds twice as many events.
const MARKS_MAX: usize = 256;

/// The replays that are kept, of one run.
#[derive(Debug, Default)]
pub(crate) struct Replays(Mutex<Vec<Replay>>);

impl Replays {
    /// The furthest one that knows no more than `events`, else one that knows nothing. Another run's are forgotten.
    fn nearest(&self, (run, epoch): (&RunId, Epoch), events: u64) -> Replay {
        let mut marks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if marks
            .first()
            .is_some_and(|mark| mark.run() != run || mark.epoch() != epoch)
        {
            marks.clear();
        }
        let mut known = marks.iter().rev();
        let nearest = known.find(|mark| mark.known() <= events).cloned();
        nearest.unwrap_or_else(|| Replay::new(run.clone(), epoch))
    }

    /// Keeps it if it goes on from those that are there.
    fn keep(&self, replay: &Replay) {
        let mut marks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let goes_on = |last: &Replay| {
            last.run() == replay.run()
                && last.epoch() == replay.epoch()
                && last.known() < replay.known()
        };
        if marks.last().is_none_or(goes_on) {
            marks.push(replay.clone());
        }
        if marks.len() > MARKS_MAX {
            let last = marks.len() - 1;
            let mut at = 0..=last;
            // The last stays: the next pull goes on from there.
            marks.retain(|_| at.next().is_some_and(|at| (last - at) % 2 == 0));
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
            if replay.known() == mark {
                replays.keep(&replay);
            }
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
    fn the_nearest_is_found_others_are_forgotten_and_the_last_always_stays() {
        let replays = Replays::default();
        let run = |name: &str| RunId(name.into());
        let known = |name: &str, events| replays.nearest((&run(name), Epoch(1)), events).known();
        assert_eq!(known("a", 9), 0);
        let mut replay = Replay::new(run("a"), Epoch(1));
        for n in 1..=2_000 {
            replay = grown("a", replay, 4);
            replays.keep(&replay);
            assert!(replays.0.lock().unwrap().len() <= MARKS_MAX);
            assert_eq!(known("a", u64::MAX), 4 * n, "it always goes on");
        }
        assert!(known("a", 4_000) <= 4_000 && known("a", 4_000) > 3_900);
        // What does not go on from there is not kept: a mark that is there already, another run's.
        replays.keep(&grown("a", Replay::new(run("a"), Epoch(1)), 4));
        replays.keep(&grown("b", Replay::new(run("b"), Epoch(1)), 9_999));
        assert_eq!(known("a", u64::MAX), 8_000);
        assert_eq!(known("b", u64::MAX), 0, "another run begins anew");
        assert_eq!(known("a", u64::MAX), 0);
        replays.keep(&grown("b", Replay::new(run("b"), Epoch(2)), 4));
        assert_eq!(known("b", 9), 0, "so does another epoch");
    }
}
