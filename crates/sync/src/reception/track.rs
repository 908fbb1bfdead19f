//! One stream's reception: its position, and while something is missing the events that wait for it.

use super::{Action, Anomaly, GapReason, REFUSED_NAMES_MAX, Receiver};
use crate::{
    Millis,
    frame::{Event, Gap, Position, Subscribed},
    names,
};
use ghostlight_model::{Epoch, Offset, StreamId};
use std::collections::BTreeMap;

/// Gaps told of places that we have not reached; beyond, they are forgotten and fetching brings them again.
const GAPS_MAX: usize = 64;

/// The greatest offset of an event: that of the next one has to be a number of 63 bits too, as in the store.
const OFFSET_MAX: Offset = Offset(i64::MAX as u64 - 1);

/// The greatest epoch.
const EPOCH_MAX: Epoch = Epoch(i64::MAX as u64);

#[derive(Debug)]
pub(super) struct Track {
    /// The next wanted; `None` until its epoch is known.
    pub position: Option<Position>,
    /// What the last `subscribe` of this connection asked for, with its id: an earlier one's answer may come late.
    asked: Option<(u64, Position)>,
    /// The server lost the end of its log on this connection: what it sends from here to our place are other events.
    lost: Option<Offset>,
    /// Only while something is missing, so that a stream at rest costs little.
    pub wait: Option<Box<Wait>>,
}

/// What a stream waits for.
#[derive(Debug)]
pub(super) struct Wait {
    /// Behind the hole; never the next wanted.
    pub early: BTreeMap<Offset, Event>,
    pub early_bytes: usize,
    gaps: Vec<ToldGap>,
    /// The server said that it has events below this.
    pub promised: Offset,
    /// Events below this were seen, or `caught_up` was.
    pub seen: Offset,
    /// The lowest offset seen behind the hole since it was last asked for, even if it was dropped.
    pub lowest: Option<Offset>,
    /// When the last missing one came, or the wait began.
    pub progress_at: Millis,
    pub due: Option<Millis>,
    pub fetch: Option<Fetch>,
    /// Fetches that were answered and did not help, since the last progress.
    pub failed: u32,
    /// Fetches without any answer, since the last progress.
    pub silent: u32,
}

/// Asking again for what is missing.
#[derive(Debug)]
pub(super) struct Fetch {
    /// The subscription that asks.
    pub id: u64,
    /// It stands beside one with `*` and is withdrawn afterwards.
    pub beside: bool,
    pub sent_at: Millis,
    /// The server answered with `subscribed`.
    pub confirmed: bool,
    /// What was seen behind that answer, as [`Wait::seen`].
    pub seen: Offset,
}

impl Wait {
    fn new(now: Millis) -> Self {
        Self {
            early: BTreeMap::new(),
            early_bytes: 0,
            gaps: Vec::new(),
            promised: Offset(0),
            seen: Offset(0),
            lowest: None,
            progress_at: now,
            due: None,
            fetch: None,
            failed: 0,
            silent: 0,
        }
    }

    /// Something below this is missing.
    pub fn until(&self) -> Offset {
        self.promised.max(self.seen)
    }

    /// What is seen now lies behind everything below `until`.
    pub fn see(&mut self, until: Offset) {
        self.seen = self.seen.max(until);
        if let Some(fetch) = self.fetch.as_mut().filter(|fetch| fetch.confirmed) {
            fetch.seen = fetch.seen.max(until);
        }
    }

    fn progressed(&mut self, now: Millis) {
        self.progress_at = now;
        self.failed = 0;
        self.silent = 0;
        self.lowest = None;
    }
}

#[derive(Debug)]
struct ToldGap {
    from: Offset,
    to: Offset,
    reason: GapReason,
}

impl Track {
    pub fn at(position: Option<Position>) -> Self {
        Self {
            position,
            asked: None,
            lost: None,
            wait: None,
        }
    }

    pub fn disconnect(&mut self) {
        self.wait = None;
        self.asked = None;
        self.lost = None;
    }

    /// The position for a `subscribe` with this id, remembered to judge its answer.
    pub fn ask(&mut self, id: u64) -> Option<Position> {
        self.asked = self.position.map(|position| (id, position));
        self.position
    }

    pub fn next(&self) -> Offset {
        self.position.map_or(Offset(0), |position| position.offset)
    }

    /// The wait, begun now if there is none.
    pub fn wait(&mut self, now: Millis) -> &mut Wait {
        self.wait.get_or_insert_with(|| Box::new(Wait::new(now)))
    }

    /// `subscribed` promises events below `head`; of the fetch under way it is the answer.
    fn promise(&mut self, id: Option<u64>, head: Offset, now: Millis) {
        if self.wait.is_none() && self.next() >= head {
            return;
        }
        let wait = self.wait(now);
        wait.promised = head;
        if let Some(fetch) = wait.fetch.as_mut().filter(|fetch| Some(fetch.id) == id) {
            fetch.confirmed = true;
            // What was heard before the answer may have been of another time; what we hold is real.
            let held = wait.early.last_key_value();
            wait.seen = held.map_or(Offset(0), |(last, _)| Offset(last.0 + 1));
            let told = wait.gaps.iter().map(|gap| Offset(gap.to.0 + 1)).max();
            wait.seen = wait.seen.max(told.unwrap_or(wait.seen));
        }
    }

    /// Hands on what has become due, and returns it.
    fn drain(&mut self, stream: &StreamId, now: Millis, early_bytes: &mut usize) -> Vec<Action> {
        let mut out = Vec::new();
        let (Some(position), Some(wait)) = (&mut self.position, &mut self.wait) else {
            return out;
        };
        let start = position.offset;
        loop {
            if let Some(first) = wait.early.first_entry()
                && *first.key() <= position.offset
            {
                let event = first.remove();
                let bytes = event.body.get().len();
                wait.early_bytes -= bytes;
                *early_bytes -= bytes;
                if event.offset == position.offset {
                    position.offset.0 += 1;
                    out.push(Action::Deliver(event));
                }
                continue;
            }
            let next = position.offset;
            wait.gaps.retain(|gap| gap.to >= next);
            let Some(gap) = wait.gaps.iter().find(|gap| gap.from <= next) else {
                break;
            };
            // Only what we do not hold is missing.
            let held = wait.early.first_key_value().map(|(offset, _)| offset.0 - 1);
            let to = Offset(held.map_or(gap.to.0, |held| held.min(gap.to.0)));
            position.offset = Offset(to.0 + 1);
            out.push(Action::Gap {
                stream: stream.clone(),
                epoch: position.epoch,
                from: next,
                to,
                reason: gap.reason.clone(),
            });
        }
        if position.offset > start {
            wait.progressed(now);
        }
        out
    }
}

impl Receiver {
    pub(super) fn event(&mut self, event: Event, now: Millis) {
        self.heard_at = now;
        let stream = event.stream.clone();
        if event.offset > OFFSET_MAX || event.epoch > EPOCH_MAX {
            let what = format!("epoch {}, offset {}", event.epoch.0, event.offset.0);
            return self.nonsense(stream, what);
        }
        if !self.enter(&stream, event.epoch) {
            return;
        }
        let Some(track) = self.tracks.get_mut(&stream) else {
            return;
        };
        let Some(position) = &mut track.position else {
            return;
        };
        if event.epoch < position.epoch {
            self.counts.stale += 1;
        } else if event.offset < position.offset {
            match track.lost {
                Some(lost) if lost <= event.offset => {
                    track.lost = Some(Offset(event.offset.0 + 1));
                    self.counts.reused += 1;
                    self.out.push(Action::SetAside(event));
                }
                _ => self.counts.duplicates += 1,
            }
        } else if event.offset == position.offset {
            position.offset.0 += 1;
            self.counts.delivered += 1;
            self.out.push(Action::Deliver(event));
            if let Some(wait) = &mut track.wait {
                wait.progressed(now);
                self.settle(&stream, now);
            }
        } else {
            self.hold(event, now);
            self.settle(&stream, now);
        }
    }

    /// Keeps an early event, if there is room.
    fn hold(&mut self, event: Event, now: Millis) {
        let Some(track) = self.tracks.get_mut(&event.stream) else {
            return;
        };
        let (offset, bytes) = (event.offset, event.body.get().len());
        let wait = track.wait(now);
        wait.see(Offset(offset.0 + 1));
        wait.lowest = Some(wait.lowest.map_or(offset, |lowest| lowest.min(offset)));
        if wait.early.contains_key(&offset) {
            self.counts.duplicates += 1;
            return;
        }
        self.counts.early += 1;
        wait.early_bytes += bytes;
        self.early_bytes += bytes;
        wait.early.insert(offset, event);
        let limits = &self.limits;
        while wait.early.len() > limits.early_events
            || wait.early_bytes > limits.early_bytes
            || self.early_bytes > limits.early_bytes_all
        {
            // The furthest goes: it is wanted last.
            let Some((_, last)) = wait.early.pop_last() else {
                break;
            };
            wait.early_bytes -= last.body.get().len();
            self.early_bytes -= last.body.get().len();
            self.counts.early_dropped += 1;
        }
    }

    /// Makes sure that there is a track in this epoch, or a newer one; false if the stream is not followed.
    fn enter(&mut self, stream: &StreamId, epoch: Epoch) -> bool {
        if !self.tracks.contains_key(stream) && !self.admit(stream) {
            return false;
        }
        let Some(track) = self.tracks.get_mut(stream) else {
            return false;
        };
        let old = track.position;
        if old.is_some_and(|old| epoch <= old.epoch) {
            return true;
        }
        track.position = Some(Position {
            epoch,
            offset: Offset(0),
        });
        track.lost = None;
        self.out.push(Action::EpochStarted {
            stream: stream.clone(),
            old,
            epoch,
        });
        self.forget_wait(stream);
        true
    }

    /// A stream that is seen for the first time.
    fn admit(&mut self, stream: &StreamId) -> bool {
        if !self.is_wanted(stream) {
            self.counts.unrequested += 1;
            return false;
        }
        if let Err(problem) = names::check_stream(&stream.0) {
            let start = StreamId(stream.0.chars().take(80).collect());
            self.nonsense(start, problem.to_string());
            return false;
        }
        if self.tracks.len() >= self.limits.streams {
            if self.refused.len() < REFUSED_NAMES_MAX && self.refused.insert(stream.clone()) {
                self.out.push(Action::Anomaly(Anomaly::TooManyStreams {
                    stream: stream.clone(),
                    limit: self.limits.streams,
                }));
            }
            return false;
        }
        self.tracks.insert(stream.clone(), Track::at(None));
        true
    }

    pub(super) fn subscribed(&mut self, subscribed: Subscribed, now: Millis) {
        self.heard_at = now;
        let Subscribed {
            id, stream, epoch, ..
        } = subscribed;
        let head = subscribed.next_offset;
        if stream.0.ends_with('*') {
            return;
        }
        if head.0 > OFFSET_MAX.0 + 1 || epoch > EPOCH_MAX {
            let what = format!("epoch {}, next offset {}", epoch.0, head.0);
            return self.nonsense(stream, what);
        }
        let asked = self.tracks.get(&stream).and_then(|track| track.asked);
        let asked = asked.and_then(|(by, at)| (id.as_number() == Some(by)).then_some(at));
        if let Some(anomaly) = judge(&stream, asked, epoch, head) {
            if let (Anomaly::ServerLostEvents { .. }, Some(track)) =
                (&anomaly, self.tracks.get_mut(&stream))
            {
                track.lost = Some(head);
            }
            self.out.push(Action::Anomaly(anomaly));
        }
        // Nothing in it: there may be no such stream yet, so there is no epoch to enter.
        let known = self.position(&stream);
        let empty = head == Offset(0) && subscribed.gap.is_none();
        let stale = known.is_some_and(|known| epoch < known.epoch);
        if stale || (known.is_none() && empty) || !self.enter(&stream, epoch) {
            return;
        }
        match subscribed.gap {
            Some(gap) if gap.from > gap.to || gap.to >= head => {
                let what = format!("gap {}–{} before {}", gap.from.0, gap.to.0, head.0);
                self.nonsense(stream.clone(), what);
            }
            Some(gap) => self.note_gap(&stream, gap.from, gap.to, GapReason::NotRetained, now),
            None => {}
        }
        if let Some(track) = self.tracks.get_mut(&stream) {
            track.promise(id.as_number(), head, now);
        }
        self.settle(&stream, now);
    }

    pub(super) fn gap(&mut self, gap: Gap, now: Millis) {
        let reason = GapReason::Server(gap.reason);
        self.missing(gap.stream, gap.epoch, (gap.from, gap.to), reason, now);
    }

    /// These offsets, both ends included, will never come.
    pub(super) fn missing(
        &mut self,
        stream: StreamId,
        epoch: Epoch,
        (from, to): (Offset, Offset),
        reason: GapReason,
        now: Millis,
    ) {
        self.heard_at = now;
        if from > to || to > OFFSET_MAX || epoch > EPOCH_MAX {
            let what = format!("gap {}–{} of epoch {}", from.0, to.0, epoch.0);
            return self.nonsense(stream, what);
        }
        if !self.enter(&stream, epoch) {
            return;
        }
        let known = self.position(&stream);
        if known.is_some_and(|known| epoch < known.epoch) {
            self.counts.stale += 1;
            return;
        }
        self.note_gap(&stream, from, to, reason, now);
        self.settle(&stream, now);
    }

    /// There is an event at this place, and we do not have it.
    pub(super) fn unread(&mut self, stream: &StreamId, at: Position, now: Millis) {
        self.heard_at = now;
        if at.offset > OFFSET_MAX || at.epoch > EPOCH_MAX {
            let what = format!("epoch {}, offset {}", at.epoch.0, at.offset.0);
            return self.nonsense(stream.clone(), what);
        }
        if !self.enter(stream, at.epoch) || self.position(stream) > Some(at) {
            return;
        }
        if let Some(track) = self.tracks.get_mut(stream) {
            track.wait(now).see(Offset(at.offset.0 + 1));
        }
        self.settle(stream, now);
    }

    fn nonsense(&mut self, stream: StreamId, what: String) {
        let anomaly = Anomaly::Nonsense { stream, what };
        self.out.push(Action::Anomaly(anomaly));
    }

    /// Remembers a gap until the stream gets there, which may be now.
    pub(super) fn note_gap(
        &mut self,
        stream: &StreamId,
        from: Offset,
        to: Offset,
        reason: GapReason,
        now: Millis,
    ) {
        let track = self.tracks.get_mut(stream);
        let Some(track) = track.filter(|track| track.next() <= to) else {
            return;
        };
        let wait = track.wait(now);
        wait.see(Offset(to.0 + 1));
        wait.gaps.push(ToldGap { from, to, reason });
        wait.gaps.sort_by_key(|gap| gap.from);
        wait.gaps.truncate(GAPS_MAX);
    }

    /// Hands on what can be, and sees to what is still missing.
    pub(super) fn settle(&mut self, stream: &StreamId, now: Millis) {
        let Some(track) = self.tracks.get_mut(stream) else {
            return;
        };
        let drained = track.drain(stream, now, &mut self.early_bytes);
        for action in &drained {
            match action {
                Action::Gap { from, to, .. } => self.counts.missing += to.0 - from.0 + 1,
                _ => self.counts.delivered += 1,
            }
        }
        self.out.extend(drained);
        let next = track.next();
        match &track.wait {
            Some(wait) if next >= wait.until() => self.forget_wait(stream),
            Some(_) => self.arm(stream),
            None => {}
        }
    }
}

/// What is wrong with an answer to `asked`; only what was asked counts, because events may overtake the answer.
fn judge(
    stream: &StreamId,
    asked: Option<Position>,
    epoch: Epoch,
    head: Offset,
) -> Option<Anomaly> {
    let asked = asked?;
    let stream = stream.clone();
    if epoch == Epoch(0) && head == Offset(0) && asked.epoch > epoch {
        Some(Anomaly::NoSuchStream { stream })
    } else if epoch < asked.epoch {
        Some(Anomaly::OlderEpoch {
            stream,
            server: epoch,
            ours: asked.epoch,
        })
    } else if epoch == asked.epoch && head < asked.offset {
        Some(Anomaly::ServerLostEvents {
            stream,
            head,
            ours: asked.offset,
        })
    } else {
        None
    }
}
