//! The server's side of one connection: greeting, subscriptions, replay and live events, publishing, heartbeat.
//!
//! [`Session`] takes [`Input`]s and returns [`Action`]s. It holds no events: hints say that a stream grew, and it
//! reads the next page when the peer has taken enough of the last ([`Limits::window_bytes`]). So a slow reader costs
//! one window of memory, is cut after [`Limits::stall_ms`], and goes on later from where it was.

mod cursor;
mod io;
mod publish;
mod subscribe;

pub use cursor::{LogEvent, Page};
pub use io::{Action, Counts, Input, Limits, close};

use crate::{
    Millis,
    frame::{
        self, Beat, ClientFrame, Echo, FrameError, Hello, Position, ServerFrame, Trouble, Welcome,
        code,
    },
    names::Pattern,
};
use cursor::Cursor;
use ghostlight_model::{Offset, StreamId};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use subscribe::Subscription;

/// Frames that a client may send ahead of `welcome`; beyond, the connection is closed.
const EARLY_FRAMES_MAX: usize = 16;
/// Bytes of them; a stranger costs no more than this before it has shown its token.
const EARLY_BYTES_MAX: usize = 64 << 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Until then: `hello`, or the check of its token.
    Greeting {
        deadline: Millis,
        checking: bool,
    },
    Open,
    Closed,
}

/// A ping that waits for any sign of life.
#[derive(Debug)]
struct Pinged {
    /// Bytes to be written before the ping is out.
    left: usize,
    /// When it was. What is written behind it does not count, unless the socket takes it piece by piece: it does so
    /// while the other end of a slow link reads what stands before the ping.
    out_at: Option<Millis>,
}

/// One connection, seen from the server.
#[derive(Debug)]
pub struct Session {
    limits: Limits,
    server: String,
    name: String,
    phase: Phase,
    /// The header carried a good token, so `hello` needs none.
    trusted: bool,
    early: VecDeque<ClientFrame>,
    early_bytes: usize,

    // Boxed: a map's first leaf has room for eleven values, and most connections have one.
    subscriptions: BTreeMap<Echo, Box<Subscription>>,
    cursors: BTreeMap<StreamId, Box<Cursor>>,
    /// Streams with something to read, each taking its turn.
    ready: VecDeque<StreamId>,
    reading: Option<Reading>,
    to_list: VecDeque<Echo>,
    listing: Option<Listing>,
    /// The peer was told that `streams` is reached.
    told_full: bool,
    /// A subscription with `*` waits to be told that all is caught up.
    untold: bool,
    publishing: BTreeSet<String>,
    next_request: u64,

    unwritten: usize,
    /// When the peer last took something, or began to have something to take.
    progress_at: Millis,
    heard_at: Millis,
    pinged: Option<Pinged>,
    counts: Counts,
    out: Vec<Action>,
}

#[derive(Debug)]
struct Reading {
    request: u64,
    stream: StreamId,
    from: Offset,
    /// Something changed meanwhile: read once more.
    again: bool,
}

#[derive(Debug)]
struct Listing {
    request: u64,
    id: Echo,
    prefix: String,
}

impl Session {
    /// A connection just accepted. `server` and `name` go into `welcome`; `trusted` says that the `Authorization`
    /// header carried a good token.
    pub fn new(limits: Limits, server: String, name: String, trusted: bool, now: Millis) -> Self {
        Self {
            phase: Phase::Greeting {
                deadline: now.plus(limits.hello_ms),
                checking: false,
            },
            limits,
            server,
            name,
            trusted,
            early: VecDeque::new(),
            early_bytes: 0,
            subscriptions: BTreeMap::new(),
            cursors: BTreeMap::new(),
            ready: VecDeque::new(),
            reading: None,
            to_list: VecDeque::new(),
            listing: None,
            told_full: false,
            untold: false,
            publishing: BTreeSet::new(),
            next_request: 0,
            unwritten: 0,
            progress_at: now,
            heard_at: now,
            pinged: None,
            counts: Counts::default(),
            out: Vec::new(),
        }
    }

    /// Feeds one input; returns what to do, in order. After [`Action::Close`] nothing more comes.
    pub fn handle(&mut self, input: Input<'_>, now: Millis) -> Vec<Action> {
        if self.phase == Phase::Closed {
            return Vec::new();
        }
        match input {
            Input::Text(text) => self.text(text, now),
            Input::Over {
                text,
                message,
                retry_after_ms,
            } => self.over(text, message, retry_after_ms, now),
            Input::Authenticated => self.authenticated(now),
            Input::Unauthorized { message } => {
                self.fatal(code::UNAUTHORIZED, message, close::UNAUTHORIZED, now);
            }
            Input::Busy { message } => self.fatal(code::BUSY, message, close::BUSY, now),
            Input::Page { request, page } => self.page(request, page, now),
            Input::Listed {
                request,
                streams,
                more,
            } => self.listed(request, streams, more, now),
            Input::Appended {
                stream,
                epoch,
                head,
            } => self.appended(stream, epoch, head, now),
            Input::HintsLost => self.hints_lost(),
            Input::Published { key, result } => self.published(key, result, now),
            Input::Written(bytes) => self.written(bytes, now),
            Input::Failed { message } => {
                self.fatal(code::UNAVAILABLE, message, close::UNAVAILABLE, now);
            }
            Input::Tick => {}
        }
        self.deadlines(now);
        self.pump(now);
        std::mem::take(&mut self.out)
    }

    /// When to call with [`Input::Tick`] if nothing else happens first.
    pub fn next_wake(&self) -> Option<Millis> {
        let stall = (self.unwritten > 0).then(|| self.progress_at.plus(self.limits.stall_ms));
        let due = match self.phase {
            Phase::Closed => return None,
            Phase::Greeting { deadline, .. } => Some(deadline),
            Phase::Open if self.pinged.is_some() => self.pong_deadline(),
            Phase::Open => Some(self.heard_at.plus(self.limits.heartbeat_ms)),
        };
        due.into_iter().chain(stall).min()
    }

    /// Whether hints about `stream` matter to this session.
    pub fn wants(&self, stream: &StreamId) -> bool {
        let mut patterns = self.subscriptions.values();
        self.cursors.contains_key(stream) || patterns.any(|one| one.pattern.takes(stream))
    }

    /// What is subscribed to.
    pub fn patterns(&self) -> impl Iterator<Item = &Pattern> {
        self.subscriptions.values().map(|one| &one.pattern)
    }

    /// Bytes given to the driver that are not written yet.
    pub fn unwritten(&self) -> usize {
        self.unwritten
    }

    /// Numbers for metrics.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    fn text(&mut self, text: &str, now: Millis) {
        self.heard_at = now;
        self.pinged = None;
        if text.len() > self.limits.max_frame_bytes {
            let message = format!(
                "a frame of {} bytes; the limit is {}",
                text.len(),
                self.limits.max_frame_bytes
            );
            return self.bad_frame(code::TOO_LARGE, message, now);
        }
        match frame::parse_client(text) {
            Ok(frame) => self.frame(frame, text.len(), now),
            Err(error @ FrameError::UnknownType(_)) => {
                self.bad_frame(code::UNKNOWN_TYPE, error.to_string(), now);
            }
            Err(error) => self.bad_frame(code::MALFORMED, error.to_string(), now),
        }
    }

    fn frame(&mut self, frame: ClientFrame, bytes: usize, now: Millis) {
        match (frame, self.phase) {
            (ClientFrame::Ping(beat), _) => self.send(&ServerFrame::Pong(beat), now),
            (ClientFrame::Pong(_), _) => {}
            (
                ClientFrame::Hello(hello),
                Phase::Greeting {
                    checking: false, ..
                }
                | Phase::Open,
            ) => self.hello(hello, now),
            (frame, Phase::Greeting { checking: true, .. }) => self.hold(frame, bytes, now),
            (_, Phase::Greeting { .. }) => {
                let message = "the first frame must be `hello`".to_owned();
                self.fatal(code::HELLO_FIRST, message, close::PROTOCOL, now);
            }
            (frame, _) => self.open_frame(frame, now),
        }
    }

    fn open_frame(&mut self, frame: ClientFrame, now: Millis) {
        match frame {
            ClientFrame::Subscribe(subscribe) => self.subscribe(subscribe, now),
            ClientFrame::Unsubscribe(unsubscribe) => self.unsubscribe(unsubscribe, now),
            ClientFrame::Publish(publish) => self.publish(publish, now),
            // Dealt with before.
            ClientFrame::Hello(_) | ClientFrame::Ping(_) | ClientFrame::Pong(_) => {}
        }
    }

    /// Keeps what came while the token is checked.
    fn hold(&mut self, frame: ClientFrame, bytes: usize, now: Millis) {
        self.early_bytes += bytes;
        if self.early.len() >= EARLY_FRAMES_MAX || self.early_bytes > EARLY_BYTES_MAX {
            let message = "too much before `welcome`".to_owned();
            return self.fatal(code::LIMIT, message, close::PROTOCOL, now);
        }
        self.early.push_back(frame);
    }

    fn hello(&mut self, hello: Hello, now: Millis) {
        if hello.version != frame::VERSION {
            let message = format!(
                "version {} is not spoken here, only {}",
                hello.version,
                frame::VERSION
            );
            return self.fatal(code::VERSION, message, close::PROTOCOL, now);
        }
        if self.trusted && hello.token.is_none() {
            return self.authenticated(now);
        }
        if let Phase::Greeting { checking, .. } = &mut self.phase {
            *checking = true;
        }
        self.out.push(Action::Authenticate(hello.token));
    }

    fn authenticated(&mut self, now: Millis) {
        self.trusted = true;
        self.phase = Phase::Open;
        let welcome = ServerFrame::Welcome(Welcome {
            server: self.server.clone(),
            session: self.name.clone(),
            heartbeat_ms: self.limits.heartbeat_ms,
            max_frame_bytes: self.limits.max_frame_bytes as u64,
        });
        self.send(&welcome, now);
        self.early_bytes = 0;
        for frame in std::mem::take(&mut self.early) {
            // A second `hello` sent ahead: the first one was enough.
            self.open_frame(frame, now);
        }
    }

    fn written(&mut self, bytes: usize, now: Millis) {
        self.unwritten = self.unwritten.saturating_sub(bytes);
        self.progress_at = now;
        if let Some(pinged) = &mut self.pinged {
            pinged.left = pinged.left.saturating_sub(bytes);
            if pinged.left == 0 && (pinged.out_at.is_none() || self.unwritten > 0) {
                pinged.out_at = Some(now);
            }
        }
    }

    /// What has waited too long.
    fn deadlines(&mut self, now: Millis) {
        if let Phase::Greeting { deadline, .. } = self.phase
            && now >= deadline
        {
            let message = format!("no valid `hello` within {} ms", self.limits.hello_ms);
            return self.fatal(code::HELLO_FIRST, message, close::TIMEOUT, now);
        }
        if self.unwritten > 0 && now.since(self.progress_at) >= self.limits.stall_ms {
            return self.slow();
        }
        if self.pong_deadline().is_some_and(|deadline| now >= deadline) {
            let message = format!("no answer to a ping within {} ms", self.limits.pong_ms);
            return self.fatal(code::HEARTBEAT, message, close::TIMEOUT, now);
        }
        if self.phase == Phase::Open
            && self.pinged.is_none()
            && now.since(self.heard_at) >= self.limits.heartbeat_ms
        {
            let nonce = Echo::number(self.request());
            self.send(&ServerFrame::Ping(Beat { nonce }), now);
            self.pinged = Some(Pinged {
                left: self.unwritten,
                out_at: None,
            });
        }
    }

    /// Counted from when the ping was out: what waits before it on a slow link is the business of the stall limit.
    fn pong_deadline(&self) -> Option<Millis> {
        let out_at = self.pinged.as_ref()?.out_at?;
        Some(out_at.plus(self.limits.pong_ms))
    }

    fn send(&mut self, frame: &ServerFrame, now: Millis) {
        self.send_text(frame.to_text(), frame.kind(), None, now);
    }

    fn send_text(
        &mut self,
        text: String,
        kind: &'static str,
        event: Option<Position>,
        now: Millis,
    ) {
        if self.phase == Phase::Closed {
            return;
        }
        if self.unwritten == 0 {
            self.progress_at = now;
        }
        self.unwritten += text.len();
        self.out.push(Action::Send { text, kind, event });
        if self.unwritten > self.limits.window_bytes + 2 * self.limits.max_frame_bytes {
            self.slow();
        }
    }

    /// No word about it: the peer does not read.
    fn slow(&mut self) {
        self.close(close::SLOW_READER, code::SLOW_READER);
    }

    fn bad_frame(&mut self, code: &str, message: String, now: Millis) {
        self.counts.bad_frames += 1;
        self.trouble(code, message, None, now);
    }

    fn trouble(&mut self, code: &str, message: String, id: Option<Echo>, now: Millis) {
        let trouble = Trouble {
            code: code.to_owned(),
            message,
            fatal: false,
            id,
        };
        self.send(&ServerFrame::Error(trouble), now);
    }

    fn fatal(&mut self, code: &'static str, message: String, close: u16, now: Millis) {
        let trouble = Trouble {
            code: code.to_owned(),
            message,
            fatal: true,
            id: None,
        };
        self.send(&ServerFrame::Error(trouble), now);
        self.close(close, code);
    }

    fn close(&mut self, code: u16, reason: &'static str) {
        if self.phase != Phase::Closed {
            self.phase = Phase::Closed;
            self.out.push(Action::Close { code, reason });
        }
    }

    fn request(&mut self) -> u64 {
        self.next_request += 1;
        self.next_request
    }
}

#[cfg(test)]
mod tests;
