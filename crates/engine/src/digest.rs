//! *While you were away*: summaries of absences that nobody has put away yet, one for each time a feed was caught up.
//!
//! Pure: they are kept in the order in which they were made and shown one after the other, so that feeds which come
//! back together do not hide each other. [`crate::monitor`] makes them and keeps the list.

use crate::board::CatchUp;
use ghostlight_model::{Micros, RunId};
use std::collections::VecDeque;

/// Digests that wait to be put away. At the bound the oldest goes and is counted: the runs it named are in the list of
/// runs like all others.
pub(crate) const DIGESTS_MAX: usize = 20;

/// What came in one go after an absence.
#[derive(Debug, Clone)]
pub(crate) struct Digest {
    pub source: String,
    pub until: Micros,
    pub caught: CatchUp,
    /// Whether the feed numbers its events.
    pub proven: bool,
    pub began: u32,
    pub finished: u32,
    pub failed: u32,
    /// Those to show, with their origin.
    pub runs: Vec<RunId>,
}

/// The digest to show, and its place among those that wait.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    /// By which it is put away.
    pub id: u64,
    /// Which it is of how many, counted from the last time that none was left.
    pub place: (u32, u32),
    /// Older ones that went because of [`DIGESTS_MAX`].
    pub left_out: u64,
    pub digest: Digest,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Digests {
    waiting: VecDeque<(u64, Digest)>,
    last_id: u64,
    put_away: u32,
    left_out: u64,
}

impl Digests {
    /// Takes a digest; it is shown once those before it are put away.
    pub fn add(&mut self, digest: Digest) {
        self.last_id += 1;
        self.waiting.push_back((self.last_id, digest));
        if self.waiting.len() > DIGESTS_MAX {
            self.waiting.pop_front();
            self.left_out += 1;
        }
    }

    /// The oldest one.
    pub fn shown(&self) -> Option<Shown> {
        let (id, digest) = self.waiting.front()?;
        let waiting = self.waiting.len() as u32;
        Some(Shown {
            id: *id,
            place: (
                self.put_away.saturating_add(1),
                self.put_away.saturating_add(waiting),
            ),
            left_out: self.left_out,
            digest: digest.clone(),
        })
    }

    /// Puts one away; one that is gone already is none.
    pub fn put_away(&mut self, id: u64) {
        let before = self.waiting.len();
        self.waiting.retain(|(waiting, _)| *waiting != id);
        if self.waiting.len() < before {
            self.put_away = self.put_away.saturating_add(1);
        }
        if self.waiting.is_empty() {
            (self.put_away, self.left_out) = (0, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn of(source: &str) -> Digest {
        Digest {
            source: source.into(),
            until: Micros(9),
            caught: CatchUp {
                from: Some(Micros(1)),
                began: Micros(5),
                events: 3,
                missing: 0,
                streams: BTreeSet::new(),
                last: Micros(5),
            },
            proven: true,
            began: 1,
            finished: 0,
            failed: 0,
            runs: Vec::new(),
        }
    }

    /// Source and place of what is shown.
    fn shown(digests: &Digests) -> Option<(String, (u32, u32))> {
        let shown = digests.shown()?;
        Some((shown.digest.source, shown.place))
    }

    fn put_away(digests: &mut Digests) -> u64 {
        let id = digests.shown().unwrap().id;
        digests.put_away(id);
        id
    }

    #[test]
    fn feeds_that_come_back_together_are_told_one_after_the_other() {
        let mut digests = Digests::default();
        assert_eq!(shown(&digests), None);
        for source in ["Studio", "Prefect", "Studio"] {
            digests.add(of(source));
        }
        assert_eq!(shown(&digests), Some(("Studio".into(), (1, 3))));
        let first = put_away(&mut digests);
        assert_eq!(shown(&digests), Some(("Prefect".into(), (2, 3))));
        digests.put_away(first);
        assert_eq!(
            shown(&digests),
            Some(("Prefect".into(), (2, 3))),
            "a click that comes twice puts one away"
        );
        digests.add(of("Later"));
        assert_eq!(shown(&digests), Some(("Prefect".into(), (2, 4))));
        for _ in 0..3 {
            put_away(&mut digests);
        }
        assert_eq!(shown(&digests), None);
        digests.add(of("Tomorrow"));
        assert_eq!(shown(&digests), Some(("Tomorrow".into(), (1, 1))));
    }

    #[test]
    fn at_the_bound_the_oldest_goes_and_is_counted() {
        let mut digests = Digests::default();
        for n in 0..DIGESTS_MAX + 3 {
            digests.add(of(&n.to_string()));
        }
        let oldest = digests.shown().unwrap();
        assert_eq!((oldest.digest.source.as_str(), oldest.left_out), ("3", 3));
        assert_eq!(oldest.place, (1, DIGESTS_MAX as u32));
        for _ in 0..DIGESTS_MAX {
            put_away(&mut digests);
        }
        digests.add(of("new"));
        assert_eq!(digests.shown().unwrap().left_out, 0);
    }
}
