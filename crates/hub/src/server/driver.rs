//! Drives one [`Session`]: does what it asks of the log, keeps its clock, holds what is to be sent.

use super::{
    App,
    board::{Mailbox, Reply},
    principal::{Ticket, Who},
};
use ghostlight_sync::{
    Millis,
    frame::Position,
    frame::{ClientFrame, Hello, VERSION},
    session::{Action, Input, Limits, Session},
};
use std::{collections::VecDeque, sync::Arc, time::Duration};
use tokio::time::Instant;

/// The farthest wake-up that is waited for at once; then the session is asked again.
const WAKE_MAX: Duration = Duration::from_secs(3_600);

/// A frame on its way out.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub text: String,
    pub kind: &'static str,
    /// Of an event: its place.
    pub event: Option<Position>,
    /// The session counts its bytes; the driver's own notices it does not know.
    pub counted: bool,
}

/// One session and what it needs.
pub(super) struct Driver {
    session: Session,
    app: Arc<App>,
    /// Whose connection this is.
    ticket: Arc<Ticket>,
    mailbox: Arc<Mailbox>,
    /// Bounded by the session, which stops reading the log while this is long.
    pub outgoing: VecDeque<Outgoing>,
    /// The session is over: close with this after `outgoing`.
    pub closing: Option<(u16, &'static str)>,
}

impl Driver {
    pub fn open(app: &Arc<App>, limits: Limits, ticket: Arc<Ticket>) -> Self {
        let name = app.next_session();
        // First the mailbox: what is revoked from here on is told there.
        let mailbox = app.board.mailbox();
        let trusted = ticket.who != Who::Strangers && app.principals.is_good(ticket.who);
        let session = Session::new(limits, super::server_name(), name, trusted, app.now());
        Self {
            session,
            app: Arc::clone(app),
            ticket,
            mailbox,
            outgoing: VecDeque::new(),
            closing: None,
        }
    }

    /// A session whose peer has shown its token already and greets by no frame: SSE, poll, a single publish. The
    /// transport keeps its own heartbeat.
    pub fn greeted(app: &Arc<App>, limits: Limits, ticket: Arc<Ticket>) -> Self {
        let limits = Limits {
            heartbeat_ms: u64::MAX,
            ..limits
        };
        let mut driver = Self::open(app, limits, ticket);
        driver.frame(&ClientFrame::Hello(Hello {
            version: VERSION,
            token: None,
            client: String::new(),
        }));
        if driver.closing.is_none() {
            driver.outgoing.clear();
        }
        driver
    }

    /// As if the peer had sent this text, if its principal may send any.
    pub fn text(&mut self, text: &str) {
        let now = self.app.now();
        match self.app.principals.request(self.ticket.who, now) {
            Ok(()) => self.input(Input::Text(text)),
            Err(over) => self.input(Input::Over {
                text,
                message: over.to_string(),
                retry_after_ms: over.retry_after_ms,
            }),
        }
    }

    /// Whether a token is good, and its principal has room for this connection; then it is that one's.
    fn show(&mut self, token: Option<&str>) -> Input<'static> {
        let principals = &self.app.principals;
        let Some(who) = token.and_then(|shown| principals.recognise(shown)) else {
            return Input::Unauthorized {
                message: "the token is missing or wrong".into(),
            };
        };
        if self.ticket.who == who {
            return Input::Authenticated;
        }
        match principals.enter(who) {
            Ok(ticket) => {
                self.ticket = Arc::new(ticket);
                Input::Authenticated
            }
            Err(over) => Input::Busy {
                message: over.to_string(),
            },
        }
    }

    /// As if the peer had sent this frame.
    pub fn frame(&mut self, frame: &ClientFrame) {
        self.input(Input::Text(&frame.to_text()));
    }

    /// Feeds one input, and does what comes of it.
    pub fn input(&mut self, input: Input<'_>) {
        let now = self.app.now();
        let mut actions = VecDeque::from(self.session.handle(input, now));
        // Before a read is under way: a hint that comes during it must not be missed.
        self.mailbox.want(|| self.session.patterns());
        while let Some(action) = actions.pop_front() {
            match action {
                Action::Send { text, kind, event } => {
                    self.outgoing.push_back(Outgoing {
                        text,
                        kind,
                        event,
                        counted: true,
                    });
                }
                Action::Authenticate(token) => {
                    let shown = token.as_ref().map(|shown| shown.0.as_str());
                    let answer = self.show(shown);
                    actions.extend(self.session.handle(answer, now));
                    self.mailbox.want(|| self.session.patterns());
                }
                Action::Close { code, reason } => self.closing = Some((code, reason)),
                Action::Append {
                    key,
                    stream,
                    bodies,
                } => {
                    self.app.board.append(&self.mailbox, key, stream, &bodies);
                }
                Action::Read {
                    request,
                    stream,
                    from,
                    max_events,
                    max_bytes,
                    known,
                } => {
                    let (place, most) = ((&stream, from), (max_events, max_bytes));
                    let board = &self.app.board;
                    if let Some(page) = known.and_then(|known| board.recent(place, most, known)) {
                        actions.extend(self.session.handle(Input::Page { request, page }, now));
                        continue;
                    }
                    let (app, to) = (Arc::clone(&self.app), Arc::clone(&self.mailbox));
                    tokio::task::spawn_blocking(move || {
                        app.board.read(&to, request, (&stream, from), most, known);
                    });
                }
                Action::List {
                    request,
                    prefix,
                    after,
                    limit,
                } => {
                    let (app, to) = (Arc::clone(&self.app), Arc::clone(&self.mailbox));
                    tokio::task::spawn_blocking(move || {
                        app.board
                            .list(&to, request, (&prefix, after.as_ref()), limit);
                    });
                }
            }
        }
    }

    /// Where its mail arrives, to wait for; read it by [`Driver::mail`].
    pub fn mailbox(&self) -> Arc<Mailbox> {
        Arc::clone(&self.mailbox)
    }

    /// Feeds what is in the mailbox.
    pub fn mail(&mut self) {
        let mail = self.mailbox.take();
        for (stream, (epoch, head)) in &mail.grown {
            self.input(Input::Appended {
                stream,
                epoch: *epoch,
                head: *head,
            });
        }
        if mail.hints_lost {
            self.input(Input::HintsLost);
        }
        for reply in mail.replies {
            match reply {
                Reply::Page { request, page } => self.input(Input::Page { request, page }),
                Reply::Listed {
                    request,
                    streams,
                    more,
                } => {
                    self.input(Input::Listed {
                        request,
                        streams,
                        more,
                    });
                }
                Reply::Published { key, result } => self.input(Input::Published { key, result }),
                Reply::Failed(message) => {
                    tracing::error!(%message, "the log cannot be read");
                    self.input(Input::Failed {
                        message: "the server cannot read its log".into(),
                    });
                }
            }
        }
        if mail.revoked && !self.app.principals.is_good(self.ticket.who) {
            self.input(Input::Unauthorized {
                message: "the token is not valid any more".into(),
            });
        }
        if mail.stop {
            self.input(Input::Failed {
                message: "the server stops".into(),
            });
        }
    }

    /// When to feed [`Input::Tick`].
    pub fn wake(&self) -> Instant {
        let longest = Instant::now() + WAKE_MAX;
        let at = self
            .session
            .next_wake()
            .map(|Millis(ms)| Duration::from_millis(ms));
        let at = at.and_then(|at| self.app.started.checked_add(at));
        at.map_or(longest, |at| at.min(longest))
    }

    /// The next frame for a transport that takes one at a time, and so reads no faster than its peer; `None` at
    /// `until`, or when the session is over.
    pub async fn next(&mut self, until: Instant) -> Option<Outgoing> {
        loop {
            if let Some(frame) = self.outgoing.pop_front() {
                self.input(Input::Written(frame.text.len()));
                return Some(frame);
            }
            if self.closing.is_some() || Instant::now() >= until {
                return None;
            }
            let wake = self.wake();
            tokio::select! {
                () = self.mailbox.arrived() => self.mail(),
                () = tokio::time::sleep_until(wake.min(until)) => self.input(Input::Tick),
            }
        }
    }
}
