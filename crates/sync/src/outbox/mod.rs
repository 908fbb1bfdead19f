//! What is to be published: durable first, sent in order, applied once (SPEC C6).
//!
//! The rows are on disk before [`Outbox`] hears of them; it holds a window of them and says what to send, and what to
//! delete or mark on disk when the answer came. An entry refused for good is *held* there, with everything behind it
//! in its stream, until a person retries or discards it; nothing else is ever dropped.

use crate::{
    Millis,
    backoff::Backoff,
    frame::{Accepted, Body, ClientFrame, Publish, Refused, code},
};
use ghostlight_model::StreamId;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What the outbox may use.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Entries in memory; the rest stays on disk and is loaded as there is room.
    pub entries: usize,
    /// Streams with an entry under way at once (one a stream keeps the order); others wait.
    pub in_flight: usize,
    /// Time for an answer, in ms; then the entry is sent again, with the same key.
    pub answer_ms: u64,
    /// … and one more ms for so many bytes under way: a slow link (50 kbit/s) is no reason to send twice.
    pub bytes_per_ms: u64,
    /// The longest wait that a server may ask for, in ms.
    pub retry_after_max_ms: u64,
    /// Between tries of an entry that the server does not take now.
    pub backoff: Backoff,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries: 100,
            in_flight: 8,
            answer_ms: 30_000,
            bytes_per_ms: 5,
            retry_after_max_ms: 3_600_000,
            backoff: Backoff::default(),
        }
    }
}

/// One row of the outbox, as it stands on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Grows with each row and is never used again, not even of a deleted row (`AUTOINCREMENT`); the order of sending
    /// within a stream.
    pub seq: u64,
    /// Idempotency key, never used for anything else.
    pub key: String,
    /// Where to.
    pub stream: StreamId,
    /// `seq` of the row right before it in its stream, if there is one.
    pub before: Option<u64>,
    /// What, at least one.
    pub bodies: Vec<Body>,
}

/// What can happen to the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Rows were added on disk (also: at the start).
    Added,
    /// Somebody else may have marked, unmarked or deleted rows on disk.
    Changed,
    /// Answers [`Action::Load`].
    Loaded {
        /// As asked.
        request: u64,
        /// In the order of `seq`.
        entries: Vec<Entry>,
        /// Whether there are more behind them.
        more: bool,
    },
    /// The server said `welcome`.
    Connected {
        /// The longest frame that it takes.
        max_frame_bytes: u64,
    },
    /// The connection is gone; what became of the entries under way is unknown.
    Disconnected,
    /// The server applied an entry.
    Accepted(Accepted),
    /// The server did not.
    Refused(Refused),
    /// A person wants a held entry tried again.
    Retry {
        /// Which.
        key: String,
    },
    /// A person wants an entry gone, held or waiting.
    Discard {
        /// Which.
        key: String,
    },
    /// Time passed (see [`Outbox::next_wake`]).
    Tick,
}

/// What the driver does, in order; what it does on disk is done before the next [`Action::Load`] is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Read rows with `seq > after`, in order, at most `limit`; none of a stream with a held row or in `except`.
    /// Answer [`Input::Loaded`].
    Load {
        /// For the answer.
        request: u64,
        /// Behind this one.
        after: u64,
        /// At most so many.
        limit: usize,
        /// Not of these streams.
        except: Vec<StreamId>,
    },
    /// Send this.
    Send(ClientFrame),
    /// Applied: remember where, and delete the row.
    Done(Accepted),
    /// Refused for good: mark the row as held, with code and message, for a person to decide.
    Hold {
        /// Which.
        key: String,
        /// The server's code, or ours.
        code: String,
        /// For people.
        message: String,
    },
    /// Unmark the row.
    Release {
        /// Which.
        key: String,
    },
    /// Delete the row: a person discarded it.
    Delete {
        /// Which.
        key: String,
    },
    /// It cannot be discarded now, because it is under way; the answer will come.
    CannotDiscard {
        /// Which.
        key: String,
    },
}

/// How an entry in memory stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Waits for its turn or for the connection.
    Waiting,
    /// Sent, not answered.
    InFlight,
    /// The server does not take it now.
    Retrying {
        /// When it is sent again.
        at: Millis,
        /// The server's code.
        code: String,
        /// The server's words.
        message: String,
    },
}

#[derive(Debug)]
struct Item {
    entry: Entry,
    bytes: usize,
    standing: Standing,
    /// While in flight.
    deadline: Millis,
    failed: u32,
    /// Somebody else wrote to the disk since it was read.
    shaken: bool,
}

/// The outbox of one server.
#[derive(Debug)]
pub struct Outbox {
    limits: Limits,
    items: BTreeMap<u64, Item>,
    keys: BTreeMap<String, u64>,
    /// Each stream's entries in memory, in order.
    queues: BTreeMap<StreamId, VecDeque<u64>>,
    /// Streams whose first entry is being retried: the others went back to disk, to make room for other streams.
    parked: BTreeSet<StreamId>,
    /// Everything up to here was loaded or left out on purpose.
    after: u64,
    /// There may be rows behind `after`.
    more: bool,
    loading: Option<u64>,
    /// Done since the load under way was asked for; it may still name them.
    done: BTreeSet<u64>,
    next_request: u64,
    connected: Option<u64>,
    out: Vec<Action>,
}

impl Outbox {
    /// Empty; the first [`Input::Added`] or [`Input::Connected`] loads.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            items: BTreeMap::new(),
            keys: BTreeMap::new(),
            queues: BTreeMap::new(),
            parked: BTreeSet::new(),
            after: 0,
            more: true,
            loading: None,
            done: BTreeSet::new(),
            next_request: 0,
            connected: None,
            out: Vec::new(),
        }
    }

    /// Feeds one input; `draw` is a fresh random number. Returns what to do, in order.
    pub fn handle(&mut self, input: Input, now: Millis, draw: u64) -> Vec<Action> {
        match input {
            Input::Added => self.more = true,
            Input::Changed => self.forget_waiting(),
            Input::Loaded {
                request,
                entries,
                more,
            } => self.loaded(request, entries, more),
            Input::Connected { max_frame_bytes } => self.connected = Some(max_frame_bytes),
            Input::Disconnected => self.disconnected(),
            Input::Accepted(accepted) => self.accepted(accepted),
            Input::Refused(refused) => self.refused(refused, now, draw),
            Input::Retry { key } => self.retry(key),
            Input::Discard { key } => self.discard(key),
            Input::Tick => {}
        }
        self.time_out(now, draw);
        self.send_due(now);
        self.load();
        std::mem::take(&mut self.out)
    }

    /// When to call with [`Input::Tick`] if nothing else happens first.
    pub fn next_wake(&self) -> Option<Millis> {
        self.connected?;
        let free = self.under_way().count() < self.limits.in_flight;
        let due = self.items.values().filter_map(|item| match &item.standing {
            Standing::InFlight => Some(item.deadline),
            // Otherwise it waits for an answer first.
            Standing::Retrying { at, .. } if free => Some(*at),
            _ => None,
        });
        due.min()
    }

    /// The entries in memory, oldest first; held ones and the rest are on disk.
    pub fn entries(&self) -> impl Iterator<Item = (&Entry, &Standing)> {
        self.items
            .values()
            .map(|item| (&item.entry, &item.standing))
    }

    fn under_way(&self) -> impl Iterator<Item = &Item> {
        let items = self.items.values();
        items.filter(|item| item.standing == Standing::InFlight)
    }

    fn load(&mut self) {
        // In halves, so that not each answer costs a query.
        let room = self.limits.entries.saturating_sub(self.items.len());
        if self.more && self.loading.is_none() && 2 * room >= self.limits.entries.max(1) {
            self.next_request += 1;
            self.loading = Some(self.next_request);
            self.done.clear();
            self.out.push(Action::Load {
                request: self.next_request,
                after: self.after,
                limit: room,
                except: self.parked.iter().cloned().collect(),
            });
            self.more = false;
        }
    }

    fn loaded(&mut self, request: u64, entries: Vec<Entry>, more: bool) {
        if self.loading != Some(request) {
            return;
        }
        self.loading = None;
        self.more |= more;
        let mut passed = false;
        for entry in entries {
            self.after = self.after.max(entry.seq);
            let queue = self.queues.entry(entry.stream.clone()).or_default();
            let last = queue.back().copied();
            let behind = |seq| last.is_none_or(|last| last < seq);
            // Its stream was left out when this was passed, and somebody else released it since.
            let unread = |seq| behind(seq) && !self.done.contains(&seq);
            if entry.before.is_some_and(unread) {
                passed = true;
            } else if unread(entry.seq) {
                queue.push_back(entry.seq);
                self.keys.insert(entry.key.clone(), entry.seq);
                let bytes = entry.bodies.iter().map(|body| body.get().len()).sum();
                let item = Item {
                    entry,
                    bytes,
                    standing: Standing::Waiting,
                    deadline: Millis(0),
                    failed: 0,
                    shaken: false,
                };
                self.items.insert(item.entry.seq, item);
            }
        }
        self.queues.retain(|_, queue| !queue.is_empty());
        self.done.clear();
        if passed {
            self.reload(true);
        }
    }

    /// What is on disk is no longer what a load under way reads.
    fn reload(&mut self, from_start: bool) {
        if from_start {
            self.after = 0;
        }
        self.more |= from_start || self.loading.is_some();
        self.loading = None;
    }

    /// What was not sent yet is read anew: it may be gone, or held. So may be what is under way, and then the store
    /// leaves out what is behind it until it is done.
    fn forget_waiting(&mut self) {
        let items = &mut self.items;
        items.retain(|_, item| item.standing != Standing::Waiting);
        items.values_mut().for_each(|item| item.shaken = true);
        self.keys.retain(|_, seq| items.contains_key(seq));
        self.queues.retain(|_, queue| {
            queue.retain(|seq| items.contains_key(seq));
            !queue.is_empty()
        });
        // A stream that has nothing in memory any more is read like any other.
        let queues = &self.queues;
        self.parked.retain(|stream| queues.contains_key(stream));
        self.reload(true);
    }

    fn disconnected(&mut self) {
        self.connected = None;
        for item in self.items.values_mut() {
            if item.standing == Standing::InFlight {
                item.standing = Standing::Waiting;
            }
        }
    }

    /// The entry that an answer is about; `None` if nothing of the kind was sent.
    fn sent(&self, key: &str) -> Option<u64> {
        let seq = *self.keys.get(key)?;
        let item = self.items.get(&seq)?;
        (item.standing != Standing::Waiting).then_some(seq)
    }

    fn accepted(&mut self, accepted: Accepted) {
        let Some(seq) = self.sent(&accepted.key) else {
            return;
        };
        self.remove(seq);
        self.done.insert(seq);
        self.out.push(Action::Done(accepted));
    }

    fn refused(&mut self, refused: Refused, now: Millis, draw: u64) {
        let Some(seq) = self.sent(&refused.key) else {
            return;
        };
        if !refused.retry {
            return self.hold(seq, refused.code, refused.message);
        }
        let limits = self.limits;
        let Some(item) = self.items.get_mut(&seq) else {
            return;
        };
        let asked = refused.retry_after_ms;
        let asked = asked.map(|ms| ms.min(limits.retry_after_max_ms));
        let wait = asked.unwrap_or_else(|| limits.backoff.delay(item.failed, draw));
        item.failed = item.failed.saturating_add(1);
        item.standing = Standing::Retrying {
            at: now.plus(wait),
            code: refused.code,
            message: refused.message,
        };
        let stream = item.entry.stream.clone();
        self.park(stream);
    }

    /// A stream that has to wait keeps one entry in memory.
    fn park(&mut self, stream: StreamId) {
        let Some(queue) = self.queues.get_mut(&stream) else {
            return;
        };
        for seq in queue.split_off(1.min(queue.len())) {
            if let Some(item) = self.items.remove(&seq) {
                self.keys.remove(&item.entry.key);
            }
        }
        self.parked.insert(stream);
        self.reload(false);
    }

    fn hold(&mut self, seq: u64, code: String, message: String) {
        let Some(item) = self.remove(seq) else { return };
        // All behind it goes back to disk, where the store leaves out the whole stream.
        for seq in self.queues.remove(&item.entry.stream).unwrap_or_default() {
            if let Some(behind) = self.items.remove(&seq) {
                self.keys.remove(&behind.entry.key);
            }
        }
        self.out.push(Action::Hold {
            key: item.entry.key,
            code,
            message,
        });
        // From the start: somebody else may have discarded it meanwhile, and then there is nothing to leave out.
        self.reload(true);
    }

    fn retry(&mut self, key: String) {
        match self.keys.get(&key).and_then(|seq| self.items.get_mut(seq)) {
            // In memory: it only waits, so now.
            Some(item) if item.standing == Standing::InFlight => {}
            Some(item) => item.standing = Standing::Waiting,
            None => {
                self.out.push(Action::Release { key });
                self.reload(true);
            }
        }
    }

    fn discard(&mut self, key: String) {
        let seq = self.keys.get(&key).copied();
        let standing = seq.and_then(|seq| Some(&self.items.get(&seq)?.standing));
        if standing == Some(&Standing::InFlight) {
            return self.out.push(Action::CannotDiscard { key });
        }
        if let Some(seq) = seq {
            self.remove(seq);
        }
        self.out.push(Action::Delete { key });
        self.reload(true);
    }

    /// Takes an entry out of memory; the ones behind it, if they had to go, are loaded again.
    fn remove(&mut self, seq: u64) -> Option<Item> {
        let item = self.items.remove(&seq)?;
        self.keys.remove(&item.entry.key);
        let stream = &item.entry.stream;
        if let Some(queue) = self.queues.get_mut(stream) {
            queue.retain(|other| *other != seq);
            if queue.is_empty() {
                self.queues.remove(stream);
            }
        }
        if self.parked.remove(stream) || item.shaken {
            self.reload(true);
        }
        Some(item)
    }

    fn time_out(&mut self, now: Millis, draw: u64) {
        let backoff = self.limits.backoff;
        for item in self.items.values_mut() {
            if item.standing == Standing::InFlight && now >= item.deadline {
                let wait = backoff.delay(item.failed, draw);
                item.failed = item.failed.saturating_add(1);
                item.standing = Standing::Retrying {
                    at: now.plus(wait),
                    code: "no_answer".to_owned(),
                    message: "the server did not answer; it is sent again with the same key"
                        .to_owned(),
                };
            }
        }
    }

    fn send_due(&mut self, now: Millis) {
        let Some(frame_bytes) = self.connected else {
            return;
        };
        let mut count = self.under_way().count();
        let mut bytes: usize = self.under_way().map(|item| item.bytes).sum();
        let queues = self.queues.values();
        let mut firsts: Vec<u64> = queues.filter_map(|one| one.front().copied()).collect();
        firsts.sort_unstable();
        for seq in firsts {
            let Some(item) = self.items.get_mut(&seq) else {
                continue;
            };
            let due = match &item.standing {
                Standing::Waiting => true,
                Standing::InFlight => false,
                Standing::Retrying { at, .. } => now >= *at,
            };
            if !due || count >= self.limits.in_flight {
                continue;
            }
            let entry = item.entry.clone();
            let frame = ClientFrame::Publish(Publish {
                key: entry.key,
                stream: entry.stream,
                bodies: entry.bodies,
            });
            let size = frame.to_text().len() as u64;
            if size > frame_bytes {
                let message =
                    format!("{size} bytes in one frame; the server takes at most {frame_bytes}");
                self.hold(seq, code::TOO_LARGE.to_owned(), message);
                continue;
            }
            count += 1;
            bytes += item.bytes;
            let slow = bytes as u64 / self.limits.bytes_per_ms.max(1);
            item.standing = Standing::InFlight;
            item.deadline = now.plus(self.limits.answer_ms.saturating_add(slow));
            self.out.push(Action::Send(frame));
        }
    }
}

#[cfg(test)]
mod tests;
