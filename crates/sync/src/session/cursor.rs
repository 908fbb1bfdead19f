//! How far a session is in each stream, and what a page of the log makes of it.

use super::{Action, Reading, Session};
use crate::{
    Millis,
    frame::{self, Body, CaughtUp, Echo, Gap, Missing, Position, ServerFrame, Subscribed},
};
use ghostlight_model::{Epoch, Micros, Offset, StreamId};

/// Reason of a gap: retention removed the events.
const TRIMMED: &str = "not on the server any more";
/// Reason of a gap: the log has a hole itself.
const ABSENT: &str = "missing in the server's log";

/// One event as the log holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEvent {
    /// Its offset.
    pub offset: Offset,
    /// When it was stored.
    pub ts: Option<Micros>,
    /// What was published.
    pub body: Body,
}

/// What the log holds of a stream's current epoch, seen at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The epoch.
    pub epoch: Epoch,
    /// The lowest offset still there; equals `head` when all was trimmed.
    pub first_retained: Offset,
    /// The offset of the next event to come.
    pub head: Offset,
    /// From the offset asked for; a jump in their offsets is told to the peer as a gap.
    pub events: Vec<LogEvent>,
}

impl Page {
    /// There is no such stream.
    pub fn none() -> Self {
        Self {
            epoch: Epoch(0),
            first_retained: Offset(0),
            head: Offset(0),
            events: Vec::new(),
        }
    }
}

#[derive(Debug)]
pub(super) struct Cursor {
    /// Unknown until the first page.
    epoch: Option<Epoch>,
    /// The newest epoch that a page or hint named, and its greatest head.
    known: Option<Position>,
    /// The next offset to send.
    next: Offset,
    /// All from here to `next` was sent, or named as missing, in this session.
    started: Offset,
    queued: bool,
    /// Subscriptions that wait for their `subscribed`.
    joining: Vec<Joining>,
    /// Subscriptions that wait for their `caught_up`.
    catching: Vec<Echo>,
    /// All subscriptions answered for this stream, for new epochs.
    joined: Vec<Echo>,
}

/// A subscription that wants this stream.
#[derive(Debug)]
pub(super) struct Joining {
    pub id: Echo,
    /// The next event wanted; `None` for the beginning.
    pub from: Option<Position>,
    /// Also what this session has sent already: so a client fills a hole.
    pub again: bool,
}

impl Joining {
    pub fn from_start(id: Echo) -> Self {
        Self {
            id,
            from: None,
            again: false,
        }
    }
}

impl Cursor {
    pub fn new(next: Offset) -> Self {
        Self {
            epoch: None,
            known: None,
            next,
            started: next,
            queued: false,
            joining: Vec::new(),
            catching: Vec::new(),
            joined: Vec::new(),
        }
    }

    /// Adds a subscription; false if it is there already.
    pub fn join(&mut self, joining: Joining) -> bool {
        let id = &joining.id;
        let known = self.joined.contains(id) || self.joining.iter().any(|other| other.id == *id);
        if !known {
            self.joining.push(joining);
        }
        !known
    }

    pub fn leave(&mut self, id: &Echo) {
        self.joining.retain(|other| other.id != *id);
        self.catching.retain(|other| other != id);
        self.joined.retain(|other| other != id);
    }

    pub fn is_behind(&self, epoch: Epoch, head: Offset) -> bool {
        self.epoch != Some(epoch) || head > self.next
    }

    /// Notes where the stream stands.
    pub fn learn(&mut self, epoch: Epoch, head: Offset) {
        self.known = self.known.max(Some(Position {
            epoch,
            offset: head,
        }));
    }

    /// What may be read from a page that others were given: nothing for who joins, and must see what is durable now.
    fn shareable(&self) -> Option<Position> {
        self.known
            .filter(|_| self.epoch.is_some() && self.joining.is_empty())
    }

    /// Answers the subscriptions that joined, and moves back to the earliest position they ask for.
    fn admit(&mut self, stream: &StreamId, page: &Page) -> Vec<Subscribed> {
        let fresh = self.epoch != Some(page.epoch);
        let mut answers = Vec::new();
        if fresh && self.epoch.is_some() {
            // A new epoch under our hands: all are told. Nothing was there before epoch 0's successor.
            let nothing_lost = self.epoch == Some(Epoch(0));
            let told = self.joined.iter();
            answers.extend(told.map(|id| answer(id, stream, page, nothing_lost, Offset(0))));
            self.catching = std::mem::take(&mut self.joined);
            self.joined = self.catching.clone();
        }
        let mut next = if fresh { None } else { Some(self.next) };
        if fresh && !self.joined.is_empty() {
            next = Some(Offset(0));
        }
        for Joining { id, from, again } in std::mem::take(&mut self.joining) {
            let same = from.filter(|from| from.epoch == page.epoch);
            let start = same.map_or(Offset(0), |from| from.offset.min(page.head));
            let whole =
                from.is_none_or(|from| from.epoch == page.epoch && from.offset <= page.head);
            answers.push(answer(&id, stream, page, whole, start));
            let sent_before = !fresh && !again && self.started <= start;
            if !sent_before {
                next = Some(next.map_or(start, |next| next.min(start)));
            }
            self.catching.push(id.clone());
            self.joined.push(id);
        }
        let mut next = next.unwrap_or(self.next);
        let gaps = answers.iter().filter_map(|answer| answer.gap);
        if gaps
            .map(|gap| gap.from)
            .min()
            .is_some_and(|from| from <= next)
        {
            // What was trimmed is named in the answers.
            next = next.max(page.first_retained);
        }
        if fresh || next < self.started {
            self.started = if next <= page.first_retained {
                Offset(0)
            } else {
                next
            };
        }
        self.epoch = Some(page.epoch);
        self.next = next;
        answers
    }
}

fn answer(id: &Echo, stream: &StreamId, page: &Page, whole: bool, start: Offset) -> Subscribed {
    let gap = (start < page.first_retained).then(|| Missing {
        from: start,
        to: Offset(page.first_retained.0 - 1),
    });
    Subscribed {
        id: id.clone(),
        stream: stream.clone(),
        epoch: page.epoch,
        next_offset: page.head,
        recovered: whole && gap.is_none(),
        gap,
    }
}

impl Session {
    pub(super) fn queue(&mut self, stream: &StreamId) {
        if let Some(reading) = self.reading.as_mut().filter(|one| one.stream == *stream) {
            reading.again = true;
        } else if let Some(cursor) = self.cursors.get_mut(stream)
            && !std::mem::replace(&mut cursor.queued, true)
        {
            self.ready.push_back(stream.clone());
        }
    }

    /// Asks for more, if the peer has taken enough of what it got.
    pub(super) fn pump(&mut self, now: Millis) {
        if self.phase != super::Phase::Open || self.unwritten >= self.limits.window_bytes {
            return;
        }
        self.list_next();
        while self.reading.is_none()
            && let Some(stream) = self.ready.pop_front()
        {
            // Gone, or gone and come again and read since.
            let cursor = self.cursors.get_mut(&stream).filter(|one| one.queued);
            let Some(cursor) = cursor else { continue };
            cursor.queued = false;
            let from = cursor.next;
            let known = cursor.shareable();
            let request = self.request();
            let room = self.limits.window_bytes - self.unwritten;
            self.out.push(Action::Read {
                request,
                stream: stream.clone(),
                from,
                max_events: self.limits.page_events,
                max_bytes: self.limits.page_bytes.min(room),
                known,
            });
            self.reading = Some(Reading {
                request,
                stream,
                from,
                again: false,
            });
        }
        if self.untold && self.reading.is_none() && self.listing.is_none() {
            self.all_caught_up(now);
        }
    }

    pub(super) fn page(&mut self, request: u64, mut page: Page, now: Millis) {
        page.first_retained = page.first_retained.min(page.head);
        let Some(reading) = self.reading.take_if(|one| one.request == request) else {
            return;
        };
        let stream = reading.stream;
        let Some(cursor) = self.cursors.get_mut(&stream) else {
            return;
        };
        cursor.learn(page.epoch, page.head);
        for answer in cursor.admit(&stream, &page) {
            self.send(&ServerFrame::Subscribed(answer), now);
        }
        // The page begins where the cursor is now, so its events can be used.
        let from = reading.from.max(page.first_retained);
        let next = self.cursors.get(&stream).map(|cursor| cursor.next);
        let usable = next.is_some_and(|next| from == next || reading.from == next);
        if usable {
            self.send_events(&stream, &page, now);
        }
        if reading.again || !usable || !self.settle(&stream, &page, now) {
            self.queue(&stream);
        }
    }

    fn send_events(&mut self, stream: &StreamId, page: &Page, now: Millis) {
        let Some(mut next) = self.cursors.get(stream).map(|cursor| cursor.next) else {
            return;
        };
        if next < page.first_retained {
            self.send_gap(stream, page.epoch, next, page.first_retained, TRIMMED, now);
            next = page.first_retained;
        }
        let before = next;
        for event in page.events.iter().filter(|one| one.offset < page.head) {
            if event.offset < next {
                continue;
            }
            if event.offset > next {
                self.send_gap(stream, page.epoch, next, event.offset, ABSENT, now);
            }
            let (epoch, offset) = (page.epoch, event.offset);
            let text = frame::event_text(stream, epoch, offset, event.ts, &event.body);
            self.counts.events += 1;
            self.send_text(text, "event", Some(Position { epoch, offset }), now);
            next = Offset(event.offset.0 + 1);
        }
        if next == before && next < page.head {
            // A read gives at least one event if there is one.
            self.send_gap(stream, page.epoch, next, page.head, ABSENT, now);
            next = page.head;
        }
        if let Some(cursor) = self.cursors.get_mut(stream) {
            cursor.next = next;
        }
    }

    fn send_gap(
        &mut self,
        stream: &StreamId,
        epoch: Epoch,
        from: Offset,
        until: Offset,
        reason: &str,
        now: Millis,
    ) {
        let gap = Gap {
            stream: stream.clone(),
            epoch,
            from,
            to: Offset(until.0 - 1),
            reason: reason.to_owned(),
        };
        self.send(&ServerFrame::Gap(gap), now);
    }

    /// Says `caught_up` to those who wait for it; false if there is more to read.
    fn settle(&mut self, stream: &StreamId, page: &Page, now: Millis) -> bool {
        let Some(cursor) = self.cursors.get_mut(stream) else {
            return true;
        };
        if cursor.next < page.head {
            return false;
        }
        let offset = cursor.next;
        for id in std::mem::take(&mut cursor.catching) {
            let caught_up = CaughtUp {
                id,
                stream: Some(stream.clone()),
                epoch: Some(page.epoch),
                offset,
            };
            self.send(&ServerFrame::CaughtUp(caught_up), now);
        }
        true
    }
}
