//! Offsets for feeds that have none of their own.

use crate::frame::Position;
use ghostlight_model::{Epoch, Offset, StreamId};
use std::collections::HashMap;

/// Streams in each half of those whose next number is remembered, some 150 bytes each. See [`Numbering`].
const HALF_MAX: usize = 1 << 16;

/// Whether it can be shown that nothing of a feed is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completeness {
    /// The server numbers its events: a missing one is noticed.
    Provable,
    /// The events carry no numbers; ours only count what arrived. The interface says so.
    Unprovable,
}

/// Counts the events of a feed that does not number them, so that they can be stored like others.
///
/// The numbers go on after a restart from the positions stored. They say nothing about what never arrived
/// ([`Completeness::Unprovable`]).
///
/// A stream is forgotten when 65,536 others had an event since its own last one, or when at a restart so many began after
/// it. Should it go on all the same, that is a new epoch of it, greater than any it had: what is stored stays, and
/// nothing takes a number that was given before.
#[derive(Debug)]
pub struct Numbering {
    /// Of the next stream that is new here.
    epoch: Epoch,
    /// The next number of each stream that had an event lately.
    recent: HashMap<StreamId, Position>,
    /// Of those that had one before.
    older: HashMap<StreamId, Position>,
    half_max: usize,
}

impl Numbering {
    /// Starts from the stored positions; streams new here get `epoch` (microseconds now, by the caller's clock), or a
    /// greater one.
    pub fn new(epoch: Epoch, positions: impl IntoIterator<Item = (StreamId, Position)>) -> Self {
        Self::bounded(HALF_MAX, epoch, positions)
    }

    fn bounded(
        half_max: usize,
        epoch: Epoch,
        positions: impl IntoIterator<Item = (StreamId, Position)>,
    ) -> Self {
        let mut stored: Vec<_> = positions.into_iter().collect();
        let mut numbering = Self {
            epoch,
            recent: HashMap::new(),
            older: HashMap::new(),
            half_max,
        };
        if stored.len() > half_max {
            stored.sort_unstable_by_key(|(_, at)| std::cmp::Reverse(at.epoch));
            let forgotten = stored.split_off(half_max);
            numbering.forget(forgotten.iter().map(|(_, at)| at.epoch).max());
        }
        numbering.older = stored.into_iter().collect();
        numbering
    }

    /// The position of the next event of `stream`.
    pub fn number(&mut self, stream: &StreamId) -> Position {
        let after = |at: Position| Position {
            offset: Offset(at.offset.0.saturating_add(1)),
            ..at
        };
        if let Some(next) = self.recent.get_mut(stream) {
            let given = *next;
            *next = after(given);
            return given;
        }
        let given = self.older.remove(stream).unwrap_or(Position {
            epoch: self.epoch,
            offset: Offset(0),
        });
        if self.recent.len() >= self.half_max {
            let before = std::mem::take(&mut self.recent);
            let forgotten = std::mem::replace(&mut self.older, before);
            self.forget(forgotten.values().map(|at| at.epoch).max());
        }
        self.recent.insert(stream.clone(), after(given));
        given
    }

    /// Streams with epochs up to this one are forgotten: what is new from now on may be one of them.
    fn forget(&mut self, greatest: Option<Epoch>) {
        if let Some(greatest) = greatest {
            self.epoch = Epoch(self.epoch.max(greatest).0.saturating_add(1));
        }
    }

    /// What such numbers prove.
    pub fn completeness(&self) -> Completeness {
        Completeness::Unprovable
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn stream(n: usize) -> StreamId {
        StreamId(format!("run/{n}"))
    }

    #[test]
    fn numbers_go_on_where_they_stood() {
        let (old, new) = (StreamId("run/old".into()), StreamId("run/new".into()));
        let mut numbering = Numbering::new(Epoch(9), [(old.clone(), Position::new(5, 7))]);
        assert_eq!(numbering.number(&old), Position::new(5, 7));
        assert_eq!(numbering.number(&new), Position::new(9, 0));
        assert_eq!(numbering.number(&old), Position::new(5, 8));
        assert_eq!(numbering.number(&new), Position::new(9, 1));
        assert_eq!(numbering.completeness(), Completeness::Unprovable);
    }

    #[test]
    fn a_stream_is_forgotten_behind_as_many_others_and_begins_anew() {
        let mut numbering = Numbering::bounded(3, Epoch(9), []);
        assert_eq!(numbering.number(&stream(0)), Position::new(9, 0));
        for other in 1..=3 {
            numbering.number(&stream(other));
        }
        assert_eq!(numbering.number(&stream(0)), Position::new(9, 1));
        for other in 1..=9 {
            numbering.number(&stream(other));
        }
        let again = numbering.number(&stream(0));
        assert!(
            again.epoch > Epoch(9) && again.offset == Offset(0),
            "{again:?}"
        );
    }

    proptest! {
        /// With a clock that stands still or goes back between two starts.
        #[test]
        fn no_number_is_given_twice_and_none_is_left_out(
            events in proptest::collection::vec((0..12usize, 0..40u8), 1..300),
            half_max in 1..5usize,
        ) {
            let mut numbering = Numbering::bounded(half_max, Epoch(9), []);
            let mut next: BTreeMap<StreamId, Position> = BTreeMap::new();
            for (n, chance) in events {
                if chance == 0 {
                    let stored = next.clone();
                    numbering = Numbering::bounded(half_max, Epoch(3), stored);
                }
                let stream = stream(n);
                let given = numbering.number(&stream);
                let wanted = next.get(&stream).copied();
                let goes_on = wanted == Some(given);
                let anew = given.offset == Offset(0) && wanted.is_none_or(|at| given.epoch > at.epoch);
                prop_assert!(goes_on || anew, "{given:?} behind {wanted:?}");
                prop_assert!(numbering.recent.len() <= half_max && numbering.older.len() <= half_max);
                let offset = Offset(given.offset.0 + 1);
                next.insert(stream, Position { offset, ..given });
            }
        }
    }
}
