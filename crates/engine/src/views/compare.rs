//! What two of our own runs found, field by field (SPEC D5): read from their logs, live while either is under way.
//!
//! Compared is what each run saw by itself. What a person decided since stands on the posting's card, and would make two
//! runs the same that were not. A run that was read goes on from there at the next look.

use super::short;
use crate::Engine;
use ghostlight_api::view::{COMPARED_FIELDS_MAX, FieldPairRow, FieldSide, FieldsComparedView};
use ghostlight_model::{
    Epoch, FieldKey, RunId,
    card::{CardField, FieldState},
    replay::Replay,
};
use ghostlight_store::StoreError;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, PoisonError},
};

/// Events that one pull reads of a run at most; the next pull goes on.
const STEP_EVENTS_MAX: u32 = 2_048;
/// Runs that are kept as far as they were read: the chosen one and those pinned, and one more while they change. The one
/// looked at longest ago goes, and is read anew if it is wanted again.
const RUNS_MAX: usize = 4;

/// Runs as far as they were read, the one looked at last first.
#[derive(Debug, Default)]
pub(crate) struct Comparisons(Mutex<VecDeque<Replay>>);

impl Comparisons {
    /// Takes out what is known of a run; [`Comparisons::keep`] puts it back.
    fn take(&self, run: &RunId, epoch: Epoch) -> Replay {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = kept.iter().position(|replay| replay.run() == run);
        let known = at.and_then(|at| kept.remove(at));
        let known = known.filter(|replay| replay.epoch() == epoch);
        known.unwrap_or_else(|| Replay::new(run.clone(), epoch))
    }

    fn keep(&self, replay: Replay) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push_front(replay);
        kept.truncate(RUNS_MAX);
    }
}

/// A run's own card, and how much of its log it is made from.
struct Found {
    fields: Vec<CardField>,
    known: u64,
    total: u64,
    /// The next pull reads on.
    goes_on: bool,
}

impl Engine {
    /// `None` if one of them is none of ours, or has no events.
    pub(super) fn fields_compared(
        &self,
        this: &RunId,
        other: &RunId,
    ) -> Result<Option<FieldsComparedView>, StoreError> {
        let (Some(this), Some(other)) = (self.found_by(this)?, self.found_by(other)?) else {
            return Ok(None);
        };
        let (known, total) = (this.known + other.known, this.total + other.total);
        let mut rows = pairs(&this.fields, &other.fields);
        let left_out = rows.len().saturating_sub(COMPARED_FIELDS_MAX) as u64;
        rows.truncate(COMPARED_FIELDS_MAX);
        Ok(Some(FieldsComparedView {
            rows,
            left_out,
            looked: (this.goes_on || other.goes_on).then_some((known, total)),
        }))
    }

    fn found_by(&self, run: &RunId) -> Result<Option<Found>, StoreError> {
        let extent = self.store().extent(run)?.filter(|_| run.place().is_none());
        let Some(extent) = extent else {
            return Ok(None);
        };
        let comparisons = &self.shared.comparisons;
        let known = comparisons.take(run, Epoch(extent.epoch));
        let before = known.known();
        let replay = self.store().replay_on(known, STEP_EVENTS_MAX)?;
        let known = replay.known();
        let found = Found {
            fields: replay.card(&[], &[]).fields,
            known,
            total: extent.count.max(known),
            goes_on: before < known && known < extent.count,
        };
        comparisons.keep(replay);
        Ok(Some(found))
    }
}

/// The fields that one of the two has a value for: in this card's order, then those that only the other knows of.
fn pairs(this: &[CardField], other: &[CardField]) -> Vec<FieldPairRow> {
    let theirs: BTreeMap<&FieldKey, &CardField> = other.iter().map(|f| (&f.key, f)).collect();
    let ours: BTreeMap<&FieldKey, &CardField> = this.iter().map(|f| (&f.key, f)).collect();
    let only_other = other.iter().filter(|field| !ours.contains_key(&field.key));
    let keys = this.iter().chain(only_other).map(|field| &field.key);
    let pair = |key: &FieldKey| {
        let (this, other) = (ours.get(key).copied(), theirs.get(key).copied());
        let value = |field: Option<&CardField>| field?.chosen.as_ref().map(|one| one.value.clone());
        let (here, there) = (value(this), value(other));
        (here.is_some() || there.is_some()).then(|| FieldPairRow {
            field: key.clone(),
            same: here == there,
            this: found_row(this),
            other: found_row(other),
        })
    };
    keys.filter_map(pair).collect()
}

fn found_row(field: Option<&CardField>) -> FieldSide {
    let chosen = field.and_then(|field| field.chosen.as_ref());
    FieldSide {
        state: field.map_or(FieldState::NotFound, |field| field.state),
        value: chosen.map(|one| short(&one.value.display())),
        confidence: chosen.map(|one| one.confidence),
        method: chosen.map(|one| one.method),
    }
}
