//! What goes into a session and what comes out of it.

use super::Page;
use crate::frame::{self, Position, Secret};
use ghostlight_model::{Epoch, Offset, StreamId};

/// Close codes of the WebSocket, beside an `error` frame that says the same.
pub mod close {
    /// The peer broke the protocol (RFC 6455).
    pub const PROTOCOL: u16 = 1002;
    /// The server cannot go on (RFC 6455).
    pub const UNAVAILABLE: u16 = 1011;
    /// Token missing, wrong or expired.
    pub const UNAUTHORIZED: u16 = 4401;
    /// No `hello`, or no answer to a ping.
    pub const TIMEOUT: u16 = 4408;
    /// The peer does not read fast enough; it may resume.
    pub const SLOW_READER: u16 = 4429;
    /// The peer's principal wants more than it may have; it may resume later.
    pub const BUSY: u16 = 4429;
}

/// What one connection may use. What happens at each bound is said to the peer by an `error` or `refused` frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Time for `hello` and its check, in ms; then the connection is closed.
    pub hello_ms: u64,
    /// Silence of the peer before it is pinged, in ms (SPEC C3).
    pub heartbeat_ms: u64,
    /// Time for any answer once the ping is written, in ms; then the connection is closed.
    pub pong_ms: u64,
    /// How long a peer may take nothing of what waits for it, in ms; then it is cut and may resume.
    pub stall_ms: u64,
    /// Longest frame taken, in bytes; a longer one is refused.
    pub max_frame_bytes: usize,
    /// Longest body taken, in bytes; smaller than a frame, so that its event fits into one.
    pub max_body_bytes: usize,
    /// Bodies in one `publish`; more are refused.
    pub max_bodies: usize,
    /// Subscriptions of the connection; more are refused.
    pub subscriptions: usize,
    /// Streams followed through them (some 200 bytes each); others are not followed, and the peer is told once.
    pub streams: usize,
    /// `publish` frames not answered yet; more are refused for now.
    pub publishes: usize,
    /// Bytes handed to the socket and not yet written, above which nothing more is read from the log. At this plus
    /// two frames (answers that the peer asks for and does not read) it is cut.
    pub window_bytes: usize,
    /// Events asked for in one read.
    pub page_events: usize,
    /// Bytes of bodies asked for in one read; small, so that streams take turns.
    pub page_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            hello_ms: 5_000,
            heartbeat_ms: 30_000,
            pong_ms: 5_000,
            stall_ms: 30_000,
            max_frame_bytes: 1 << 20,
            max_body_bytes: (1 << 20) - (8 << 10),
            max_bodies: 512,
            subscriptions: 1_000,
            streams: 100_000,
            publishes: 64,
            window_bytes: 256 << 10,
            page_events: 512,
            page_bytes: 64 << 10,
        }
    }
}

/// What can happen to a session.
#[derive(Debug)]
pub enum Input<'a> {
    /// A text frame arrived.
    Text(&'a str),
    /// A text frame arrived, and the peer's principal has made as many requests as it may: a publish is refused for
    /// now, since its sender gets to know by that what became of those before; any other frame ends the connection.
    Over {
        /// The frame.
        text: &'a str,
        /// For the peer, in a sentence.
        message: String,
        /// When it may try again, in ms.
        retry_after_ms: u64,
    },
    /// Answers [`Action::Authenticate`]: welcome.
    Authenticated,
    /// Answers [`Action::Authenticate`], or a token expired in mid-stream: not (any more).
    Unauthorized {
        /// For the peer, in a sentence.
        message: String,
    },
    /// Answers [`Action::Authenticate`]: this token has as many connections as it may. The peer is told, and the
    /// connection closed.
    Busy {
        /// For the peer, in a sentence.
        message: String,
    },
    /// Answers [`Action::Read`].
    Page {
        /// As asked.
        request: u64,
        /// What the log holds.
        page: Page,
    },
    /// Answers [`Action::List`].
    Listed {
        /// As asked.
        request: u64,
        /// Streams in the order of their names, after the one asked for.
        streams: Vec<StreamId>,
        /// Whether there are more behind them.
        more: bool,
    },
    /// A stream grew or started a new epoch. Only a hint: the session reads.
    Appended {
        /// The stream.
        stream: &'a StreamId,
        /// Its epoch.
        epoch: Epoch,
        /// The offset its next event will get.
        head: Offset,
    },
    /// Hints were lost (the channel overflowed): everything is looked at again.
    HintsLost,
    /// Answers [`Action::Append`].
    Published {
        /// As asked.
        key: String,
        /// `Err` carries the refusal.
        result: Result<frame::Accepted, frame::Refused>,
    },
    /// So many bytes of what [`Action::Send`] gave were written to the socket.
    Written(usize),
    /// The log cannot be read, or the server stops: the peer is told and the connection closed.
    Failed {
        /// For the peer, in a sentence.
        message: String,
    },
    /// Time passed (see [`next_wake`](super::Session::next_wake)).
    Tick,
}

/// What the driver does, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Write this text frame; report it with [`Input::Written`].
    Send {
        /// The frame.
        text: String,
        /// Its `type`, for `event:` of SSE.
        kind: &'static str,
        /// Of an event: its place, for `id:` of SSE.
        event: Option<Position>,
    },
    /// Check the token; `None` if `hello` had none. Answer [`Input::Authenticated`] or [`Input::Unauthorized`].
    Authenticate(Option<Secret>),
    /// Read a page of a stream's current epoch: events with offsets ≥ `from`, in order, at most `max_events`, and no
    /// more once `max_bytes` are passed, but at least one if there is one. Answer [`Input::Page`].
    Read {
        /// For the answer.
        request: u64,
        /// The stream; one that does not exist is answered by [`Page::none`].
        stream: StreamId,
        /// The first offset wanted.
        from: Offset,
        /// At most so many events.
        max_events: usize,
        /// Stop when bodies reach so many bytes.
        max_bytes: usize,
        /// What the session was told of the stream already, where that is all it reads for: then a page of this epoch
        /// with at least this head will do, also one that was read for somebody else, if that was no earlier than the
        /// last [`Input::Appended`] or [`Input::HintsLost`] was given. `None`: the log itself, now.
        known: Option<Position>,
    },
    /// Name the streams with a prefix, in order. Answer [`Input::Listed`].
    List {
        /// For the answer.
        request: u64,
        /// What their names begin with.
        prefix: String,
        /// Only names behind this one.
        after: Option<StreamId>,
        /// At most so many.
        limit: usize,
    },
    /// Append to the log, all bodies or none, once a key; a session's appends in order. Answer [`Input::Published`]
    /// when it is durable or refused.
    Append {
        /// Idempotency key.
        key: String,
        /// Where to.
        stream: StreamId,
        /// At least one.
        bodies: Vec<frame::Body>,
    },
    /// Close the connection after what was sent; the session is over.
    Close {
        /// A code of [`close`].
        code: u16,
        /// For the close frame, below 124 bytes.
        reason: &'static str,
    },
}

/// Numbers for metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Frames that were malformed or of an unknown type.
    pub bad_frames: u64,
    /// Events sent.
    pub events: u64,
    /// Publishes refused.
    pub refused: u64,
}
