//! Offsets for feeds that have none of their own.

use crate::frame::Position;
use ghostlight_model::{Epoch, Offset, StreamId};
use std::collections::BTreeMap;

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
#[derive(Debug)]
pub struct Numbering {
    epoch: Epoch,
    next: BTreeMap<StreamId, Position>,
}

impl Numbering {
    /// Starts from the stored positions; streams new here get `epoch` (microseconds now, by the caller's clock).
    pub fn new(epoch: Epoch, positions: impl IntoIterator<Item = (StreamId, Position)>) -> Self {
        Self {
            epoch,
            next: positions.into_iter().collect(),
        }
    }

    /// The position of the next event of `stream`.
    pub fn number(&mut self, stream: &StreamId) -> Position {
        let first = Position {
            epoch: self.epoch,
            offset: Offset(0),
        };
        match self.next.get_mut(stream) {
            Some(next) => {
                let given = *next;
                next.offset = Offset(given.offset.0.saturating_add(1));
                given
            }
            None => {
                let next = Position {
                    offset: Offset(1),
                    ..first
                };
                self.next.insert(stream.clone(), next);
                first
            }
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
}
