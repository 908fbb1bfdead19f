//! The client's reception: every event once, in order, and a name for whatever is missing.
//!
//! A [`Receiver`] takes the frames of one connection after another and says what to store ([`Action::Deliver`],
//! [`Action::Gap`], [`Action::EpochStarted`]) and what to send. Early events wait in a bounded buffer; a hole is
//! fetched by subscribing again from where it begins. Nothing is skipped silently: what does not come is a recorded
//! gap with its reason, or an [`Anomaly`].

mod fetch;
mod numbering;
mod track;

pub use numbering::{Completeness, Numbering};

use crate::{
    Millis,
    frame::{ClientFrame, Echo, Event, Position, ServerFrame, Subscribe, Trouble, Unsubscribe},
    names::Pattern,
};
use ghostlight_model::{Epoch, Offset, StreamId};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use track::Track;

/// What reception may use, and how patient it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Streams with a position (some 150 bytes each). A new one beyond is not followed, and [`Anomaly::TooManyStreams`]
    /// says so.
    pub streams: usize,
    /// Early events held a stream; beyond, the furthest are dropped and fetched again.
    pub early_events: usize,
    /// Bytes of early bodies held a stream; beyond, as above.
    pub early_bytes: usize,
    /// Bytes of early bodies held by all streams; beyond, a new early event is dropped and fetched again.
    pub early_bytes_all: usize,
    /// How long an event may be late before it is fetched, in ms: a relay that reorders heals itself.
    pub grace_ms: u64,
    /// Wait after the first answered fetch that did not help, in ms; doubles up to [`Limits::retry_cap_ms`].
    pub retry_ms: u64,
    /// The longest such wait, in ms.
    pub retry_cap_ms: u64,
    /// Answered fetches after which a hole is recorded as a gap: the server skipped it.
    pub attempts: u32,
    /// How long a replay or a fetch may bring nothing before it is asked for again, in ms. More than the 35 s in which
    /// a half-open connection is found, which is the likelier reason.
    pub stall_ms: u64,
    /// Fetches under way at once; others wait their turn.
    pub fetches: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            streams: 100_000,
            early_events: 1_024,
            early_bytes: 1 << 20,
            early_bytes_all: 8 << 20,
            grace_ms: 250,
            retry_ms: 1_000,
            retry_cap_ms: 30_000,
            attempts: 5,
            stall_ms: 40_000,
            fetches: 16,
        }
    }
}

/// What the driver does, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Store this event; it is the next of its stream.
    Deliver(Event),
    /// Store that these offsets are missing; the stream goes on behind them.
    Gap {
        /// The stream.
        stream: StreamId,
        /// Its epoch.
        epoch: Epoch,
        /// The first missing.
        from: Offset,
        /// The last missing.
        to: Offset,
        /// Why.
        reason: GapReason,
    },
    /// Store that the stream begins (again): the following events are of `epoch`, from offset 0.
    EpochStarted {
        /// The stream.
        stream: StreamId,
        /// Where the stream stood, if it was known; what came behind it in the old epoch cannot be known.
        old: Option<Position>,
        /// The new epoch.
        epoch: Epoch,
    },
    /// Keep this event apart from the log: the server lost the end of its log without a new epoch, and gave this one an
    /// offset that we have an event for.
    SetAside(Event),
    /// Send this frame.
    Send(ClientFrame),
    /// The replay of a stream is over: all that the server had is stored or named.
    CaughtUp {
        /// The stream.
        stream: StreamId,
    },
    /// The same for all streams that a pattern with `*` had at first.
    AllCaughtUp {
        /// The pattern, as subscribed.
        pattern: String,
    },
    /// Something is wrong with the server or over a limit; a person should see it.
    Anomaly(Anomaly),
}

/// Why events are missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GapReason {
    /// The server answered a subscription with a gap.
    NotRetained,
    /// The server said so in a `gap` frame, with this reason.
    Server(String),
    /// The server skipped them in so many replays, without a word.
    Skipped(u32),
    /// The event came and is longer than what is taken, in bytes.
    TooLong {
        /// What it has.
        size: usize,
        /// What it may have.
        limit: usize,
    },
    /// The event came, also when it was asked for again, and could not be read; why.
    Unreadable(String),
}

impl fmt::Display for GapReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRetained => f.write_str("not on the server any more"),
            Self::Server(reason) if reason.is_empty() => f.write_str("the server gives no reason"),
            Self::Server(reason) => write!(f, "the server says: {reason}"),
            Self::Skipped(times) => write!(f, "the server skipped them, asked {times} times"),
            Self::TooLong { size, limit } => write!(
                f,
                "its message has {size} bytes, and the limit is {limit}; the beginning is in quarantine"
            ),
            Self::Unreadable(why) => {
                write!(f, "its message cannot be read ({why}); it is in quarantine")
            }
        }
    }
}

/// What cannot be put right here and is not passed over in silence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Anomaly {
    /// The server's log ends before what we have of the same epoch: it lost events without saying so. What it puts in
    /// their place on this connection is set aside.
    #[error("{stream}: the server has events before {}, we have those before {} of the same epoch; it lost some, and has \
             to begin a new epoch. What it puts in their place is set aside", head.0, ours.0)]
    ServerLostEvents {
        /// The stream.
        stream: StreamId,
        /// The server's next offset.
        head: Offset,
        /// Ours.
        ours: Offset,
    },
    /// The server serves an older epoch than ours, as after restoring a backup; its events are dropped as stale.
    #[error("{stream}: the server serves epoch {}, older than ours ({}); its events are not taken", server.0, ours.0)]
    OlderEpoch {
        /// The stream.
        stream: StreamId,
        /// The server's.
        server: Epoch,
        /// Ours.
        ours: Epoch,
    },
    /// The server does not have a stream that we have events of.
    #[error("{stream}: the server does not have this stream any more; what came before is kept")]
    NoSuchStream {
        /// The stream.
        stream: StreamId,
    },
    /// An offset did not come when it was asked for again, though what is behind it did; asking goes on for a while.
    #[error("{stream}: offset {} was asked for again and did not come; it is asked for some more times before it \
             counts as a gap", from.0)]
    Overdue {
        /// The stream.
        stream: StreamId,
        /// The first one that is missing.
        from: Offset,
    },
    /// A replay was promised and does not come, asked for again so many times; asking goes on.
    #[error("{stream}: the server promised events before {} and sends none", promised.0)]
    Stalled {
        /// The stream.
        stream: StreamId,
        /// The next offset promised.
        promised: Offset,
    },
    /// The stream is not followed, because the limit is reached.
    #[error("{stream}: not followed, the limit of {limit} streams is reached")]
    TooManyStreams {
        /// The stream.
        stream: StreamId,
        /// The limit.
        limit: usize,
    },
    /// A frame contradicts itself; it was ignored.
    #[error("{stream}: a frame that makes no sense was ignored: {what}")]
    Nonsense {
        /// The stream.
        stream: StreamId,
        /// What.
        what: String,
    },
    /// The server refused a subscription.
    #[error("the server refuses to send {pattern} ({code}): {message}")]
    Refused {
        /// The pattern.
        pattern: String,
        /// The server's code.
        code: String,
        /// The server's words.
        message: String,
    },
}

/// Positions of more streams than the limit: without all of them events would be stored twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "{given} streams have a position, the limit is {limit}; raise the limit or remove old streams of this feed"
)]
pub struct TooManyPositions {
    given: usize,
    limit: usize,
}

/// Numbers for the details of a feed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Events delivered.
    pub delivered: u64,
    /// Dropped: had already.
    pub duplicates: u64,
    /// Dropped: of an older epoch.
    pub stale: u64,
    /// Set aside: of an offset that we have another event for.
    pub reused: u64,
    /// Dropped: of a stream that is not subscribed to.
    pub unrequested: u64,
    /// Came early and were held.
    pub early: u64,
    /// Came early and were dropped at the bound.
    pub early_dropped: u64,
    /// Holes asked for.
    pub fetches: u64,
    /// Offsets recorded as missing.
    pub missing: u64,
}

/// What an id of ours stands for.
#[derive(Debug)]
enum Asked {
    Main(Pattern),
    /// One stream again, because of a hole, beside a subscription with `*`.
    Fetch(StreamId),
}

/// The reception of one feed; outlives connections.
#[derive(Debug)]
pub struct Receiver {
    limits: Limits,
    tracks: BTreeMap<StreamId, Track>,
    /// What the application wants, with the id that it has on this connection.
    wanted: BTreeMap<Pattern, Option<u64>>,
    asked: BTreeMap<u64, Asked>,
    next_id: u64,
    /// The server's frame limit, while connected.
    connected: Option<usize>,
    /// When to look at a stream that misses something.
    due: BTreeSet<(Millis, StreamId)>,
    /// Streams with a fetch under way.
    fetching: BTreeSet<StreamId>,
    early_bytes: usize,
    /// Streams over the limit that were reported, some of them.
    refused: BTreeSet<StreamId>,
    heard_at: Millis,
    counts: Counts,
    out: Vec<Action>,
}

/// Names kept of streams over the limit, so that each is reported once; beyond, no more are reported.
const REFUSED_NAMES_MAX: usize = 100;

impl Receiver {
    /// Starts from what the store has: for each stream the next position wanted.
    ///
    /// # Errors
    /// [`TooManyPositions`] if these are more than [`Limits::streams`].
    pub fn new(
        limits: Limits,
        positions: impl IntoIterator<Item = (StreamId, Position)>,
    ) -> Result<Self, TooManyPositions> {
        let tracks: BTreeMap<_, _> = positions
            .into_iter()
            .map(|(stream, position)| (stream, Track::at(Some(position))))
            .collect();
        if tracks.len() > limits.streams {
            return Err(TooManyPositions {
                given: tracks.len(),
                limit: limits.streams,
            });
        }
        Ok(Self {
            limits,
            tracks,
            wanted: BTreeMap::new(),
            asked: BTreeMap::new(),
            next_id: 0,
            connected: None,
            due: BTreeSet::new(),
            fetching: BTreeSet::new(),
            early_bytes: 0,
            refused: BTreeSet::new(),
            heard_at: Millis::default(),
            counts: Counts::default(),
            out: Vec::new(),
        })
    }

    /// Wants a stream, or with `*` all that begin so; sent now, or when connected.
    pub fn subscribe(&mut self, pattern: &str) -> Vec<Action> {
        let pattern = Pattern::of(pattern);
        if !self.wanted.contains_key(&pattern) {
            self.wanted.insert(pattern.clone(), None);
            if self.connected.is_some() {
                self.ask(&pattern);
            }
        }
        std::mem::take(&mut self.out)
    }

    /// Wants it no longer. Positions stay.
    pub fn unsubscribe(&mut self, pattern: &str) -> Vec<Action> {
        let id = self.wanted.remove(&Pattern::of(pattern)).flatten();
        if let Some(id) = id.filter(|_| self.connected.is_some()) {
            self.withdraw(id);
        }
        self.drop_unwanted();
        std::mem::take(&mut self.out)
    }

    /// The server said `welcome` on a new connection: everything wanted is asked for.
    pub fn connected(&mut self, max_frame_bytes: u64, now: Millis) -> Vec<Action> {
        self.disconnected();
        self.connected = Some(usize::try_from(max_frame_bytes).unwrap_or(usize::MAX));
        self.heard_at = now;
        for pattern in self.wanted.keys().cloned().collect::<Vec<_>>() {
            self.ask(&pattern);
        }
        std::mem::take(&mut self.out)
    }

    /// The connection is gone: what came early is dropped, since the next one replays it.
    pub fn disconnected(&mut self) {
        self.connected = None;
        self.asked.clear();
        self.wanted.values_mut().for_each(|id| *id = None);
        self.due.clear();
        self.fetching.clear();
        self.early_bytes = 0;
        self.tracks.values_mut().for_each(Track::disconnect);
    }

    /// Takes a frame of the server; those that are not about streams are none of its business.
    pub fn frame(&mut self, frame: ServerFrame, now: Millis) -> Vec<Action> {
        match frame {
            ServerFrame::Event(event) => self.event(event, now),
            ServerFrame::Subscribed(subscribed) => self.subscribed(subscribed, now),
            ServerFrame::CaughtUp(caught_up) => self.caught_up(caught_up, now),
            ServerFrame::Gap(gap) => self.gap(gap, now),
            ServerFrame::Error(Trouble {
                id: Some(id),
                code,
                message,
                ..
            }) => self.refused(&id, code, message, now),
            _ => {}
        }
        std::mem::take(&mut self.out)
    }

    /// An event came that is too long to be taken. Asked for again it would come again, so its place is a gap. Nothing if
    /// we are behind that place already.
    pub fn too_long(
        &mut self,
        (stream, at): (StreamId, Position),
        (size, limit): (usize, usize),
        now: Millis,
    ) -> Vec<Action> {
        let reason = GapReason::TooLong { size, limit };
        self.missing(stream, at.epoch, (at.offset, at.offset), reason, now);
        std::mem::take(&mut self.out)
    }

    /// An event came that cannot be read. The first time it is asked for again, as one that did not come; if it is no
    /// better then (`again`), its place is a gap with that reason. Nothing if we are behind that place already.
    pub fn unreadable(
        &mut self,
        (stream, at): (StreamId, Position),
        again: Option<String>,
        now: Millis,
    ) -> Vec<Action> {
        match again.map(GapReason::Unreadable) {
            Some(reason) => self.missing(stream, at.epoch, (at.offset, at.offset), reason, now),
            None => self.unread(&stream, at, now),
        }
        std::mem::take(&mut self.out)
    }

    /// Looks after holes; call at [`Receiver::next_wake`].
    pub fn tick(&mut self, now: Millis) -> Vec<Action> {
        self.look_after_holes(now);
        std::mem::take(&mut self.out)
    }

    /// When to call [`Receiver::tick`].
    pub fn next_wake(&self) -> Option<Millis> {
        self.due.first().map(|(at, _)| *at)
    }

    /// The next position wanted of a stream.
    pub fn position(&self, stream: &StreamId) -> Option<Position> {
        self.tracks.get(stream).and_then(|track| track.position)
    }

    /// All positions.
    pub fn positions(&self) -> impl Iterator<Item = (&StreamId, Position)> {
        let tracks = self.tracks.iter();
        tracks.filter_map(|(stream, track)| Some((stream, track.position?)))
    }

    /// Numbers for the details of the feed.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Bytes of early events held.
    pub fn early_bytes(&self) -> usize {
        self.early_bytes
    }

    fn is_wanted(&self, stream: &StreamId) -> bool {
        self.wanted.contains_key(&Pattern::Exact(stream.clone()))
            || self.wanted.keys().any(|pattern| pattern.takes(stream))
    }

    /// Sends the `subscribe` of a pattern, with what we have of it.
    fn ask(&mut self, pattern: &Pattern) {
        let id = self.new_id();
        self.asked.insert(id, Asked::Main(pattern.clone()));
        self.wanted.insert(pattern.clone(), Some(id));
        match pattern {
            Pattern::Exact(stream) => self.ask_one(id, stream),
            Pattern::Prefix(_) => self.ask_many(id, pattern),
        }
    }

    fn ask_one(&mut self, id: u64, stream: &StreamId) {
        let track = self.tracks.get_mut(stream);
        let from = track.and_then(|track| track.ask(id));
        self.send(ClientFrame::Subscribe(Subscribe {
            id: Echo::number(id),
            stream: stream.0.clone(),
            from,
            positions: BTreeMap::new(),
            more: false,
        }));
    }

    /// In as many frames as the server's limit asks for.
    fn ask_many(&mut self, id: u64, pattern: &Pattern) {
        // Escaping can make a name six times as long; the rest of an entry and of the frame is below 100 bytes each.
        const ENTRY: usize = 100;
        let room = self.connected.unwrap_or(usize::MAX);
        let mut frames = vec![BTreeMap::new()];
        let mut used = 2 * ENTRY + 6 * pattern.text().len();
        let empty = used;
        for (stream, track) in self.tracks.iter_mut().filter(|(one, _)| pattern.takes(one)) {
            let Some(position) = track.ask(id) else {
                continue;
            };
            let bytes = 6 * stream.0.len() + ENTRY;
            if used + bytes > room {
                frames.push(BTreeMap::new());
                used = empty;
            }
            used += bytes;
            if let Some(frame) = frames.last_mut() {
                frame.insert(stream.clone(), position);
            }
        }
        let last = frames.len() - 1;
        for (number, positions) in frames.into_iter().enumerate() {
            self.send(ClientFrame::Subscribe(Subscribe {
                id: Echo::number(id),
                stream: pattern.text(),
                from: None,
                positions,
                more: number < last,
            }));
        }
    }

    fn withdraw(&mut self, id: u64) {
        self.asked.remove(&id);
        let id = Echo::number(id);
        self.send(ClientFrame::Unsubscribe(Unsubscribe { id }));
    }

    fn new_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    fn send(&mut self, frame: ClientFrame) {
        self.out.push(Action::Send(frame));
    }
}

#[cfg(test)]
mod tests;
