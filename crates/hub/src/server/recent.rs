//! The latest events of streams that several connections follow, read once for all of them.
//!
//! [`Recent`] holds the end of a stream's log as it was at one moment. Whoever hands out hints brings it up to date
//! *before* it tells anybody that the stream grew ([`Recent::grew`]), so what is here is never older than a hint. A
//! connection that reads because of a hint takes its page from here ([`Recent::page`]); one that has just subscribed
//! reads the log itself, and leaves what it found for the others ([`Recent::found`]).

use ghostlight_model::{Epoch, Offset, StreamId};
use ghostlight_sync::{
    frame::Position,
    session::{LogEvent, Page},
};
use std::collections::{BTreeMap, HashMap, VecDeque};

/// Bytes of one stream: more than a whole frame of `publish`, so that what is published at once is shared at once.
/// Beyond, its oldest events are let go, and whoever is that far behind reads the log.
pub(super) const STREAM_BYTES_MAX: usize = 2 << 20;
/// Bytes of all streams; beyond, the stream that changed longest ago is let go.
const BYTES_MAX: usize = 16 << 20;
/// What an event costs beside its body.
const EVENT_BYTES: usize = 96;
/// What a stream costs beside its events.
const STREAM_BYTES: usize = 512;

/// The end of a stream's log.
#[derive(Debug)]
struct Tail {
    epoch: Epoch,
    first_retained: Offset,
    /// Everything of the epoch from here to `head` is in `events`.
    start: Offset,
    head: Offset,
    events: VecDeque<LogEvent>,
    bytes: usize,
    /// Its place in [`Recent::turns`].
    turn: u64,
}

/// The ends of streams, the most recently changed ones.
#[derive(Debug, Default)]
pub(super) struct Recent {
    tails: HashMap<StreamId, Tail>,
    /// Which changed when, for letting go.
    turns: BTreeMap<u64, StreamId>,
    bytes: usize,
    /// Counts changes. A page that was read before the latest change is not kept.
    changes: u64,
}

impl Recent {
    /// Where the events of a stream end that are here: what is to be read when it grows.
    pub fn end(&self, stream: &StreamId) -> Option<Offset> {
        self.tails.get(stream).map(|tail| tail.head)
    }

    /// For [`Recent::found`]: take it before reading.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// A stream grew, and this was read of it from `from` on.
    pub fn grew(&mut self, stream: &StreamId, from: Offset, page: &Page) {
        self.changes += 1;
        let before = self.let_go(stream);
        let Some(new) = Tail::of(stream, from, page) else {
            return;
        };
        let tail = match before {
            Some(before) => before.joined(new),
            None => new,
        };
        self.keep(stream, tail);
    }

    /// A connection read this of a stream from `from` on, when [`Recent::changes`] was `at`.
    pub fn found(&mut self, stream: &StreamId, from: Offset, page: &Page, at: u64) {
        let known = self.tails.get(stream);
        if self.changes != at || known.is_some_and(|tail| tail.start <= from) {
            return;
        }
        if let Some(tail) = Tail::of(stream, from, page) {
            self.let_go(stream);
            self.keep(stream, tail);
        }
    }

    /// A stream changed, and is not followed by so many that it pays.
    pub fn forget(&mut self, stream: &StreamId) {
        self.changes += 1;
        self.let_go(stream);
    }

    /// Anything may have changed.
    pub fn clear(&mut self) {
        *self = Self {
            changes: self.changes + 1,
            ..Self::default()
        };
    }

    /// A page of a stream as a read of the log answers it, if it is here and not older than `known`.
    pub fn page(
        &self,
        stream: &StreamId,
        from: Offset,
        (max_events, max_bytes): (usize, usize),
        known: Position,
    ) -> Option<Page> {
        let tail = self.tails.get(stream)?;
        let new_enough = tail.epoch == known.epoch && tail.head >= known.offset;
        if !new_enough || !(tail.start..=tail.head).contains(&from) {
            return None;
        }
        let mut bytes = 0;
        let first = tail.events.partition_point(|event| event.offset < from);
        let events = tail.events.range(first..).take(max_events);
        let events = events.take_while(|event| {
            let fits = bytes < max_bytes.max(1);
            bytes += event.body.get().len();
            fits
        });
        Some(Page {
            epoch: tail.epoch,
            first_retained: tail.first_retained,
            head: tail.head,
            events: events.cloned().collect(),
        })
    }

    fn keep(&mut self, stream: &StreamId, mut tail: Tail) {
        tail.turn = self.turns.last_key_value().map_or(0, |(turn, _)| turn + 1);
        self.bytes += tail.bytes;
        self.turns.insert(tail.turn, stream.clone());
        self.tails.insert(stream.clone(), tail);
        while self.bytes > BYTES_MAX
            && let Some((_, oldest)) = self.turns.pop_first()
        {
            self.let_go(&oldest);
        }
    }

    fn let_go(&mut self, stream: &StreamId) -> Option<Tail> {
        let tail = self.tails.remove(stream)?;
        self.turns.remove(&tail.turn);
        self.bytes -= tail.bytes;
        Some(tail)
    }
}

impl Tail {
    /// What was read from `from` on, if it reaches the head.
    fn of(stream: &StreamId, from: Offset, page: &Page) -> Option<Self> {
        let start = from.max(page.first_retained).min(page.head);
        let reached = match page.events.last() {
            Some(last) => last.offset.0 + 1,
            None => start.0,
        };
        if reached < page.head.0 {
            return None;
        }
        let mut tail = Self {
            epoch: page.epoch,
            first_retained: page.first_retained,
            start,
            head: page.head,
            events: page.events.iter().cloned().collect(),
            bytes: STREAM_BYTES + 2 * stream.0.len(),
            turn: 0,
        };
        tail.bytes += tail.events.iter().map(cost).sum::<usize>();
        tail.fit();
        Some(tail)
    }

    /// With `new` behind what is here, where they meet; else `new` alone.
    fn joined(mut self, mut new: Self) -> Self {
        if self.epoch != new.epoch || self.head != new.start {
            return new;
        }
        self.bytes += new.events.iter().map(cost).sum::<usize>();
        self.events.append(&mut new.events);
        self.head = new.head;
        self.first_retained = new.first_retained;
        self.start = self.start.max(new.first_retained);
        self.fit();
        self
    }

    /// Lets the oldest events go.
    fn fit(&mut self) {
        while let Some(event) = self.events.front() {
            if self.bytes <= STREAM_BYTES_MAX && event.offset >= self.start {
                return;
            }
            self.bytes -= cost(event);
            self.start = self.start.max(Offset(event.offset.0 + 1));
            self.events.pop_front();
        }
    }
}

fn cost(event: &LogEvent) -> usize {
    EVENT_BYTES + event.body.get().len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ghostlight_sync::frame::Body;

    fn stream(name: &str) -> StreamId {
        StreamId(name.into())
    }

    /// A page of epoch 5 with the events `from..head`, each of so many bytes.
    fn page(from: u64, head: u64, bytes: usize) -> Page {
        let body = Body::parse(format!("\"{}\"", "x".repeat(bytes))).unwrap();
        let event = |offset| LogEvent {
            offset: Offset(offset),
            ts: None,
            body: body.clone(),
        };
        Page {
            epoch: Epoch(5),
            first_retained: Offset(0),
            head: Offset(head),
            events: (from..head).map(event).collect(),
        }
    }

    /// Events of the page, or nothing; and its head.
    fn asked(recent: &Recent, from: u64, known: (u64, u64)) -> Option<(Vec<u64>, u64)> {
        let known = Position::new(known.0, known.1);
        let page = recent.page(&stream("run/1"), Offset(from), (4, 1 << 20), known)?;
        let offsets = page.events.iter().map(|event| event.offset.0).collect();
        Some((offsets, page.head.0))
    }

    #[test]
    fn what_is_here_answers_as_the_log_does() {
        let (run, mut recent) = (stream("run/1"), Recent::default());
        recent.grew(&run, Offset(u64::MAX), &page(3, 3, 1));
        assert_eq!(recent.end(&run), Some(Offset(3)));
        recent.grew(&run, Offset(3), &page(3, 5, 1));
        recent.grew(&run, Offset(5), &page(5, 9, 1));
        for (from, known, expected) in [
            (3, (5, 9), Some((vec![3, 4, 5, 6], 9))),
            (7, (5, 8), Some((vec![7, 8], 9))),
            (9, (5, 9), Some((vec![], 9))),
            // Before what is here, behind it, newer than it, of another epoch.
            (2, (5, 9), None),
            (10, (5, 9), None),
            (7, (5, 10), None),
            (7, (4, 9), None),
            (7, (6, 1), None),
        ] {
            assert_eq!(asked(&recent, from, known), expected, "{from} {known:?}");
        }
        let one = recent.page(&run, Offset(3), (9, 1), Position::new(5, 9));
        assert_eq!(one.unwrap().events.len(), 1, "one event however long it is");
        recent.clear();
        assert_eq!(asked(&recent, 7, (5, 9)), None);
    }

    #[test]
    fn another_epoch_and_a_trimmed_history_begin_anew() {
        let (run, mut recent) = (stream("run/1"), Recent::default());
        recent.grew(&run, Offset(0), &page(0, 4, 1));
        let trimmed = Page {
            first_retained: Offset(3),
            ..page(4, 6, 1)
        };
        recent.grew(&run, Offset(4), &trimmed);
        assert_eq!(asked(&recent, 2, (5, 6)), None);
        assert_eq!(asked(&recent, 3, (5, 6)), Some((vec![3, 4, 5], 6)));
        let fresh = Page {
            epoch: Epoch(6),
            ..page(6, 8, 1)
        };
        recent.grew(&run, Offset(6), &fresh);
        assert_eq!(asked(&recent, 6, (5, 6)), None);
        assert_eq!(asked(&recent, 5, (6, 8)), None, "it was read from 6 on");
        assert_eq!(asked(&recent, 6, (6, 8)), Some((vec![6, 7], 8)));
        // A shorter one than the place that was read from.
        let short = Page {
            epoch: Epoch(7),
            ..page(0, 0, 1)
        };
        recent.grew(&run, Offset(8), &short);
        assert_eq!(asked(&recent, 0, (7, 0)), Some((vec![], 0)));
    }

    #[test]
    fn a_page_that_ends_before_the_head_is_not_kept() {
        let (run, mut recent) = (stream("run/1"), Recent::default());
        recent.grew(&run, Offset(0), &page(0, 4, 1));
        let part = Page {
            head: Offset(9),
            ..page(4, 6, 1)
        };
        recent.grew(&run, Offset(4), &part);
        assert_eq!((recent.end(&run), recent.bytes), (None, 0));
    }

    #[test]
    fn what_a_connection_found_is_kept_unless_something_changed_meanwhile() {
        let (run, mut recent) = (stream("run/1"), Recent::default());
        let at = recent.changes();
        recent.forget(&run);
        recent.found(&run, Offset(0), &page(0, 4, 1), at);
        assert_eq!(asked(&recent, 2, (5, 4)), None);
        let at = recent.changes();
        recent.found(&run, Offset(2), &page(2, 4, 1), at);
        assert_eq!(asked(&recent, 1, (5, 4)), None);
        recent.found(&run, Offset(1), &page(1, 4, 1), at);
        assert_eq!(asked(&recent, 1, (5, 4)), Some((vec![1, 2, 3], 4)));
        // Less than what is there already.
        recent.found(&run, Offset(4), &page(4, 4, 1), at);
        assert_eq!(asked(&recent, 1, (5, 4)), Some((vec![1, 2, 3], 4)));
    }

    #[test]
    fn memory_is_bounded() {
        let (run, mut recent) = (stream("run/1"), Recent::default());
        recent.grew(&run, Offset(0), &page(0, 0, 1));
        for n in 0..40 {
            recent.grew(&run, Offset(n), &page(n, n + 1, 100_000));
        }
        assert!(recent.bytes <= STREAM_BYTES_MAX && recent.end(&run) == Some(Offset(40)));
        assert_eq!(asked(&recent, 10, (5, 40)), None);
        assert_eq!(asked(&recent, 38, (5, 40)), Some((vec![38, 39], 40)));
        for n in 0..20 {
            recent.grew(
                &stream(&format!("run/x{n}")),
                Offset(0),
                &page(0, 1, 1 << 20),
            );
        }
        assert!(recent.bytes <= BYTES_MAX, "{}", recent.bytes);
        assert_eq!(recent.end(&run), None, "the oldest goes first");
        assert_eq!(recent.end(&stream("run/x19")), Some(Offset(1)));
        assert_eq!(recent.turns.len(), recent.tails.len());
        let kept: usize = recent.tails.values().map(|tail| tail.bytes).sum();
        assert_eq!(kept, recent.bytes);
    }
}
