//! One feed's client: the loop around the pure machines.
//!
//! [`Client::run`] orders everything that happens (reports of the link, time, commands, room for the next batch), gives
//! it to [`Connection`] and the adapter, and does what they say. What is to be published goes through the [`Outbox`]
//! machine; its rows are read and written by whoever takes the updates, never here. It ends when nobody takes its
//! updates any more, or the server refuses the credentials.

mod greeting;
mod sending;
mod waiting;

use crate::{
    Cursor, Endpoint, Item, Kind, Retrying, Update,
    adapters::{Adapter, Effect, Start},
    expiry::expiry,
    seen::{SEEN_MAX, Seen},
    tls::Tls,
    transport::{Dial, Link, Message, Outgoing, REPORTS_MAX, Report},
};
use ghostlight_model::{Epoch, StreamId, message};
use ghostlight_sync::{
    Millis,
    backoff::Backoff,
    connection::{
        self, Action, Connection, Failure, FailureClass, Input, State, Status, Transport,
        Transports,
    },
    frame::{self, ClientFrame, Echo, Position, Secret, ServerFrame},
    outbox::{self, Outbox},
    reception::Limits,
};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::{Duration, Instant, SystemTime},
};
use tokio::{
    sync::mpsc,
    time::{Instant as TokioInstant, sleep_until},
};
use waiting::Waiting;

/// Between two looks at a system that is polled (SPEC C4).
const POLL_EVERY: Duration = Duration::from_secs(2);
/// Tokens that are tried one after the other when the server refuses them; then the feed ends as refused.
const REFUSALS_MAX: u32 = 3;
/// Messages held until one tells which system sends them; further ones are dropped, and that is said.
const UNREAD_MAX: usize = 16;
/// The farthest wake-up that is waited for at once.
const WAKE_MAX: Duration = Duration::from_secs(3_600);

/// What to follow, and how.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where.
    pub endpoint: Endpoint,
    /// What the server wants to see.
    pub token: Option<Secret>,
    /// The token may be renewed: [`Update::TokenWanted`] asks for it before the first try, before it expires, and when
    /// the server refuses it, and the feed goes on with what [`Command::Token`] brings. Else `token` is all there is,
    /// and a refusal the end.
    pub asks_for_token: bool,
    /// Which system; found out from the first answer if absent.
    pub kind: Option<Kind>,
    /// Patience of the connection. Transports that the feed does not have are left out.
    pub connection: connection::Config,
    /// Bounds of the reception.
    pub reception: Limits,
    /// What the outbox may use, if this client is to publish what waits for its hub; see [`Update::Outbox`].
    pub outbox: Option<outbox::Limits>,
    /// Longest message taken, in bytes (1 MiB unless set); a longer one is set aside. One over 16 MiB on a WebSocket ends
    /// the connection as well.
    pub max_frame_bytes: usize,
    /// Between two looks at a foreign system that has no event stream, or at the list of a hub's streams (2 s unless set).
    pub poll_every: Duration,
}

impl Settings {
    /// The usual.
    pub fn new(endpoint: Endpoint, token: Option<Secret>) -> Self {
        Self {
            endpoint,
            token,
            asks_for_token: false,
            kind: None,
            connection: connection::Config::default(),
            reception: Limits::default(),
            outbox: None,
            max_frame_bytes: 1 << 20,
            poll_every: POLL_EVERY,
        }
    }
}

/// What is stored of a feed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recalled {
    /// For each stream the next position wanted.
    pub positions: Vec<(StreamId, Position)>,
    /// Where an event stream without offsets goes on.
    pub cursor: Option<Cursor>,
}

/// Whoever stores: asked once, when the kind of the feed is known.
pub trait Memory: Send {
    /// What is stored of this feed; or why that cannot be read, which ends the client.
    fn recall(&mut self, kind: Kind) -> Result<Recalled, String>;

    /// Gives the latest events stored of this feed to `take`, oldest first, `most` of them at least if there are so
    /// many; or says why they cannot be read. Asked once of a system that is polled, and shows again what it has shown.
    fn latest(&mut self, kind: Kind, most: usize, take: &mut dyn FnMut(&str))
    -> Result<(), String>;
}

/// What a person or the system can say to a running client.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Do not wait for the next try.
    ReconnectNow,
    /// Answers [`Update::TokenWanted`]: the token, if there is one, or why it cannot be had.
    Token(Result<Option<Secret>, String>),
    /// The OS says whether there is a network.
    Network {
        /// There is.
        online: bool,
    },
    /// The waits between two tries were set anew.
    Backoff(Backoff),
    /// A person sends a message; [`Update::Sent`] says what became of it. It is sent at most once: never again by
    /// itself, and not later if there is no connection now.
    Send {
        /// For the answer.
        id: u64,
        /// What.
        message: message::Message,
    },
    /// Entries were added to the outbox's rows.
    OutboxAdded,
    /// Somebody else may have changed them.
    OutboxChanged,
    /// Answers [`outbox::Action::Load`].
    OutboxLoaded {
        /// As asked.
        request: u64,
        /// In the order of `seq`.
        entries: Vec<outbox::Entry>,
        /// Whether there are more behind them.
        more: bool,
    },
    /// A person wants a held entry tried again.
    OutboxRetry {
        /// Which.
        key: String,
    },
    /// A person wants an entry gone.
    OutboxDiscard {
        /// Which.
        key: String,
    },
}

/// Why a client ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Ended {
    /// Nobody takes its updates any more.
    #[error("stopped")]
    Stopped,
    /// The server refuses the credentials; trying again is useless.
    #[error("{0}")]
    Refused(String),
    /// The server does not speak our version of the protocol; trying again is useless.
    #[error("{0}")]
    Version(String),
    /// The token cannot be had.
    #[error("{0}")]
    Token(String),
    /// What is stored cannot be read, or is more than the limits allow.
    #[error("{0}")]
    Memory(String),
    /// The connection cannot be set up as it is configured.
    #[error("{0}")]
    Settings(String),
    /// A fault of this program ([`fault`](crate::fault)).
    #[error("{0}")]
    Fault(String),
}

/// The client of one feed.
pub struct Client<M> {
    settings: Settings,
    /// The transports that may be used, where the feed has them.
    allowed: Transports,
    memory: M,
    tls: Tls,
    connection: Connection,
    kind: Option<Kind>,
    adapter: Option<Box<dyn Adapter>>,
    outbox: Option<Outbox>,
    /// What was told last.
    retrying: Vec<Retrying>,
    link: Option<Link>,
    probe: Option<Link>,
    /// Messages of a person on their way into the link's socket.
    sending: BTreeSet<u64>,
    /// The link in use is open.
    reached: bool,
    /// A hub that is asked by requests takes us, and has not answered where events come from; its heartbeat in ms.
    welcoming: Option<Option<u64>>,
    /// Of the last message that ended a connection by its length: its bytes, and how many events had come until then.
    ending: Option<(usize, u64)>,
    /// Events handed out for storing.
    brought: u64,
    /// Messages that came before it was known which system this is.
    unread: VecDeque<Message>,
    /// Of a system that is polled, or was before its event stream came back: the events that are stored.
    seen: Option<Seen>,
    reports: mpsc::Sender<(u64, Report)>,
    begun: Instant,
    waiting: Waiting,
    /// The token was asked for.
    asking: Option<Asking>,
    /// What the server was shown last.
    shown: Option<Secret>,
    /// Refusals since the last welcome.
    refusals: u32,
    ended: Option<Ended>,
}

/// Why the token was asked for.
#[derive(Debug)]
enum Asking {
    /// For the first try.
    Start,
    /// It expires soon.
    Renewal,
    /// The server refused the last; this is to be told if there is no other.
    Refused(Status),
}

impl<M: Memory> Client<M> {
    /// Ready to run. Runs until `updates` is closed; `commands` may be closed at any time.
    pub async fn run(
        mut settings: Settings,
        memory: M,
        updates: mpsc::Sender<Update>,
        mut commands: mpsc::Receiver<Command>,
    ) -> Ended {
        let endpoint = &settings.endpoint;
        if settings.kind.is_none() && endpoint.looks_like_hub() {
            // So that it is asked as a hub is, by whichever transport there is a way.
            settings.kind = Some(Kind::Hub);
        }
        if let Err(e) = endpoint.check(settings.kind) {
            return Ended::Settings(e.to_string());
        }
        let allowed = settings.connection.transports.clone();
        settings.connection.transports = match transports(&settings) {
            Ok(transports) => transports,
            Err(e) => return Ended::Settings(e.to_string()),
        };
        let (reports, mut reported) = mpsc::channel(REPORTS_MAX);
        let mut client = Self {
            connection: Connection::new(settings.connection.clone()),
            kind: settings.kind,
            settings,
            allowed,
            memory,
            tls: Tls::default(),
            adapter: None,
            outbox: None,
            retrying: Vec::new(),
            link: None,
            probe: None,
            sending: BTreeSet::new(),
            reached: false,
            welcoming: None,
            ending: None,
            brought: 0,
            unread: VecDeque::new(),
            seen: None,
            reports,
            begun: Instant::now(),
            waiting: Waiting::default(),
            asking: None,
            shown: None,
            refusals: 0,
            ended: None,
        };
        if let Some(kind) = client.kind {
            client.identify(kind);
        }
        match client.settings.asks_for_token {
            true => client.ask(Asking::Start),
            false => client.tell(Input::Start),
        }
        let mut commanded = true;
        loop {
            if let Some(ended) = client.ended.take() {
                // Whoever takes the updates may be waiting to say something.
                drop(commands);
                return client.last_words(ended, &updates).await;
            }
            let room = client.waiting.has_room();
            let wake = client.wake();
            tokio::select! {
                biased;
                // First what came, so that one commit takes it all, and a sign of life counts before a deadline.
                Some((attempt, report)) = reported.recv(), if room => client.reported(attempt, report),
                permit = updates.reserve(), if !client.waiting.is_empty() => match permit {
                    Ok(permit) => if let Some(update) = client.waiting.next() {
                        permit.send(update);
                    },
                    Err(_) => return Ended::Stopped,
                },
                () = updates.closed() => return Ended::Stopped,
                command = commands.recv(), if commanded => match command {
                    Some(command) => client.commanded(command),
                    None => commanded = false,
                },
                // While there is no room the server's signs of life are not seen, so nothing is held against it.
                () = sleep_until(wake), if room => client.tick(),
            }
        }
    }

    /// What was taken before the end is handed out first.
    async fn last_words(mut self, ended: Ended, updates: &mpsc::Sender<Update>) -> Ended {
        while let Some(update) = self.waiting.next() {
            if updates.send(update).await.is_err() {
                break;
            }
        }
        ended
    }

    fn now(&self) -> Millis {
        Millis(u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    fn wake(&self) -> TokioInstant {
        let adapter = self
            .adapter
            .as_ref()
            .and_then(|adapter| adapter.next_wake());
        let outbox = self.outbox.as_ref().and_then(Outbox::next_wake);
        let next = [self.connection.next_wake(), adapter, outbox]
            .into_iter()
            .flatten()
            .min();
        let wait = next.map_or(WAKE_MAX, |at| Duration::from_millis(at.since(self.now())));
        // A millisecond more: the clock counts whole ones, and waking early would be for nothing.
        TokioInstant::now() + wait.min(WAKE_MAX) + Duration::from_millis(1)
    }

    fn tick(&mut self) {
        let now = self.now();
        if let Some(adapter) = &mut self.adapter
            && adapter.next_wake().is_some_and(|at| at <= now)
        {
            let effects = adapter.tick(now);
            self.effects(effects);
        }
        let outbox = self.outbox.as_ref().and_then(Outbox::next_wake);
        if outbox.is_some_and(|at| at <= now) {
            self.publish(outbox::Input::Tick);
        }
        self.tell(Input::Tick);
    }

    fn commanded(&mut self, command: Command) {
        match command {
            // The answer is the next try.
            Command::ReconnectNow
                if matches!(self.asking, Some(Asking::Start | Asking::Refused(_))) => {}
            Command::ReconnectNow => self.tell(Input::ReconnectNow),
            Command::Token(answer) => self.answered(answer),
            Command::Network { online } => self.tell(Input::Network { online }),
            Command::Backoff(backoff) => self.tell(Input::Backoff(backoff)),
            Command::Send { id, message } => self.send_message(id, &message),
            Command::OutboxAdded => self.publish(outbox::Input::Added),
            Command::OutboxChanged => self.publish(outbox::Input::Changed),
            Command::OutboxLoaded {
                request,
                entries,
                more,
            } => self.publish(outbox::Input::Loaded {
                request,
                entries,
                more,
            }),
            Command::OutboxRetry { key } => self.publish(outbox::Input::Retry { key }),
            Command::OutboxDiscard { key } => self.publish(outbox::Input::Discard { key }),
        }
    }

    /// Gives the outbox an input, if there is one, and does what it says.
    fn publish(&mut self, input: outbox::Input) {
        let now = self.now();
        let Some(outbox) = &mut self.outbox else {
            return;
        };
        let actions = outbox.handle(input, now, draw(now));
        let retrying = Retrying::of(outbox);
        if self.retrying != retrying {
            self.retrying.clone_from(&retrying);
            self.waiting.push(Update::Retrying(retrying));
        }
        let mut failed = None;
        for action in actions {
            match (action, &self.link) {
                (outbox::Action::Send(frame), Some(link)) if failed.is_none() => {
                    let sent = link.send(Outgoing::Text(frame.to_text()));
                    failed = sent.err().map(|failure| (link.attempt, failure));
                }
                // The connection is over: what is under way is sent again by the next.
                (outbox::Action::Send(_), _) => {}
                (action, _) => self.waiting.push(Update::Outbox(action)),
            }
        }
        if let Some((attempt, failure)) = failed {
            self.fail(attempt, failure);
        }
    }

    /// Gives the connection an input and does what it says.
    fn tell(&mut self, input: Input) {
        let now = self.now();
        let actions = self.connection.handle(input, now, draw(now));
        for action in actions {
            self.act(action);
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Open { transport, attempt } => {
                self.shown.clone_from(&self.settings.token);
                self.reached = false;
                self.link = Some(self.dial(transport, attempt));
            }
            Action::Probe { transport, attempt } => {
                self.probe = Some(self.dial(transport, attempt))
            }
            Action::Close { attempt } => {
                if self.is_current(attempt) {
                    self.close();
                }
                self.probe.take_if(|probe| probe.attempt == attempt);
            }
            Action::Ping { nonce } => {
                let text = self.adapter.as_ref().and_then(|one| one.ping(nonce));
                self.send(Outgoing::Ping { nonce, text });
            }
            Action::RefreshToken if self.settings.asks_for_token && self.asking.is_none() => {
                self.ask(Asking::Renewal);
            }
            Action::RefreshToken => {}
            Action::Status(status) if status.state == State::Refused => self.refused(status),
            Action::Status(status) => self.waiting.push(Update::Status(status)),
        }
    }

    fn ask(&mut self, why: Asking) {
        if self.asking.replace(why).is_none() {
            self.waiting.push(Update::TokenWanted);
        }
    }

    /// The server refuses the token: it may have been renewed meanwhile, here or where it is kept.
    fn refused(&mut self, status: Status) {
        let error = status.last_error.as_ref();
        if let Some(error) = error.filter(|error| error.class == FailureClass::Version) {
            self.ended = Some(Ended::Version(error.message.clone()));
            return self.waiting.push(Update::Status(status));
        }
        self.refusals += 1;
        if !self.settings.asks_for_token || self.refusals > REFUSALS_MAX {
            self.refused_for_good(status, None);
        } else if self.shown != self.settings.token {
            self.renewed();
        } else {
            self.ask(Asking::Refused(status));
        }
    }

    fn refused_for_good(&mut self, status: Status, and: Option<String>) {
        let why = status.last_error.as_ref().map(|error| &error.message);
        let why = why.into_iter().chain(&and).cloned().collect::<Vec<_>>();
        self.ended = Some(Ended::Refused(why.join("; ")));
        self.waiting.push(Update::Status(status));
    }

    /// The answer to [`Update::TokenWanted`].
    fn answered(&mut self, answer: Result<Option<Secret>, String>) {
        match (self.asking.take(), answer) {
            (None, _) => {}
            (Some(Asking::Start), Ok(token)) => {
                self.take_token(token);
                self.renewed();
                self.tell(Input::Start);
            }
            (Some(Asking::Start), Err(why)) => self.ended = Some(Ended::Token(why)),
            (Some(Asking::Renewal), Ok(token)) if token != self.settings.token => {
                self.take_token(token);
                self.renewed();
                self.show_token();
            }
            // Nothing new yet: the connection asks again.
            (Some(Asking::Renewal), Ok(_)) => {}
            (Some(Asking::Renewal), Err(why)) => {
                let text = format!("the token expires soon and could not be renewed: {why}");
                self.waiting.push(Update::Notice(text));
            }
            (Some(Asking::Refused(_)), Ok(token)) if token != self.shown => {
                self.take_token(token);
                self.renewed();
            }
            (Some(Asking::Refused(status)), answer) => {
                self.refused_for_good(status, answer.err());
            }
        }
    }

    fn take_token(&mut self, token: Option<Secret>) {
        if let Some(adapter) = &mut self.adapter {
            adapter.renew(token.clone());
        }
        self.settings.token = token;
    }

    /// There is a token that the connection does not know of.
    fn renewed(&mut self) {
        let now = self.now();
        let expires = self.settings.token.as_ref().and_then(expiry);
        let expires_at =
            expires.map(|at| now.plus(at.saturating_mul(1_000).saturating_sub(wall_clock_ms())));
        self.tell(Input::Credentials { expires_at });
    }

    /// A connection that is open goes on with the new token, where the protocol has words for that. Elsewhere the next
    /// one shows it.
    fn show_token(&mut self) {
        let open = self.connection.status().state == State::Connected;
        let duplex = self
            .link
            .as_ref()
            .is_some_and(|link| link.transport == Transport::WebSocket);
        let Some(adapter) = self.adapter.as_mut().filter(|_| open && duplex) else {
            return;
        };
        let effects = adapter.show_token();
        if !effects.is_empty() {
            self.shown.clone_from(&self.settings.token);
        }
        self.effects(effects);
    }

    fn dial(&self, transport: Transport, attempt: u64) -> Link {
        let dial = Dial {
            endpoint: self.settings.endpoint.clone(),
            kind: self.kind,
            token: self.settings.token.clone(),
            tls: self.tls.clone(),
            max_frame_bytes: self.settings.max_frame_bytes,
            last_event_id: self
                .adapter
                .as_ref()
                .and_then(|adapter| adapter.last_event_id()),
            poll_every: self.settings.poll_every,
            looks: self.seen.is_some(),
        };
        Link::open(dial, transport, attempt, self.reports.clone())
    }

    fn is_current(&self, attempt: u64) -> bool {
        self.link
            .as_ref()
            .is_some_and(|link| link.attempt == attempt)
    }

    fn close(&mut self) {
        self.link = None;
        self.welcoming = None;
        self.sending_ended();
        if let Some(adapter) = &mut self.adapter {
            adapter.closed();
        }
        self.publish(outbox::Input::Disconnected);
    }

    fn send(&mut self, outgoing: Outgoing) {
        let sent = self
            .link
            .as_ref()
            .map(|link| (link.attempt, link.send(outgoing)));
        if let Some((attempt, Err(failure))) = sent {
            self.fail(attempt, failure);
        }
    }

    fn fail(&mut self, attempt: u64, failure: Failure) {
        if self.is_current(attempt) {
            self.close();
        }
        self.tell(Input::Failed { attempt, failure });
    }

    fn reported(&mut self, attempt: u64, report: Report) {
        if self.is_current(attempt) {
            self.link_reported(attempt, report);
        } else if self
            .probe
            .as_ref()
            .is_some_and(|probe| probe.attempt == attempt)
        {
            self.probe_reported(attempt, report);
        }
        // Anything else is of a link that was given up.
    }

    fn link_reported(&mut self, attempt: u64, report: Report) {
        match report {
            Report::Opened { subprotocol } => {
                self.reached = true;
                self.tell(Input::Opened { attempt });
                self.opened(attempt, subprotocol);
            }
            Report::Message(message) => {
                self.tell(Input::Heard { attempt });
                self.message(message);
            }
            Report::Polled(event) => {
                self.tell(Input::Heard { attempt });
                self.polled(attempt, event);
            }
            Report::Json => {
                // Whatever it has today: an event stream may come back, and is probed for.
                self.tell(Input::Transports(Transports::one_way()));
                self.tell(Input::Instead {
                    attempt,
                    transport: Transport::LongPoll,
                });
            }
            Report::Alive => self.tell(Input::Heard { attempt }),
            Report::Beat => self.tell(Input::Beat { attempt }),
            Report::Ready => {
                if let Some(heartbeat_ms) = self.welcoming.take() {
                    self.welcomed(attempt, heartbeat_ms);
                }
            }
            Report::Pong(nonce) => self.tell(Input::Pong { attempt, nonce }),
            Report::Wrote => self.tell(Input::Wrote { attempt }),
            Report::Pinged(nonce) => self.tell(Input::Pinged { attempt, nonce }),
            Report::Sent(id) => {
                self.tell(Input::Wrote { attempt });
                self.message_sent(id);
            }
            Report::Ended(failure) => {
                let failure = self.unwelcome(failure);
                self.fail(attempt, failure);
            }
            Report::Broke(why) => self.ended = Some(Ended::Fault(why)),
        }
    }

    /// A message for the adapter; the first that says which system this is chooses it, and those before it come first.
    fn message(&mut self, message: Message) {
        // A server that sends it to each connection: it is set aside once. It was not read, so what tells it from another
        // of the same length is that no event came in between.
        if let Message::TooLong { bytes, size, .. } = &message
            && bytes.is_empty()
        {
            let ending = Some((*size, self.brought));
            if std::mem::replace(&mut self.ending, ending) == ending {
                return;
            }
        }
        if self.adapter.is_none() {
            let Some(kind) = Kind::of_message(&message) else {
                return self.hold(message);
            };
            self.identify(kind);
        }
        // A system that was polled may show on its event stream what it has shown before.
        if let (Some(seen), Message::Event { data, .. }) = (&mut self.seen, &message)
            && !seen.is_new(data)
        {
            return;
        }
        let held = std::mem::take(&mut self.unread);
        let now = self.now();
        for message in held.into_iter().chain([message]) {
            if let Some(adapter) = &mut self.adapter {
                let effects = adapter.message(message, now);
                self.effects(effects);
            }
        }
    }

    /// It says nothing about the system. It is not lost: the adapter gets it once there is one.
    fn hold(&mut self, message: Message) {
        if self.unread.len() >= UNREAD_MAX {
            return;
        }
        self.unread.push_back(message);
        let why = match self.unread.len() {
            1 => {
                "the first message says neither which system this is nor anything known; say which it is (--adapter, or System in the window)"
            }
            UNREAD_MAX => {
                "many messages say neither which system this is nor anything known, and further ones are dropped; say which it is (--adapter, or System in the window)"
            }
            _ => return,
        };
        self.waiting.push(Update::Notice(why.into()));
    }

    /// A polled system shows an event, maybe not for the first time.
    fn polled(&mut self, attempt: u64, event: String) {
        let message = Message::Text(event);
        let kind = self.kind.or_else(|| Kind::of_message(&message));
        let Some(kind) = kind else {
            let failure = Failure::new(
                FailureClass::Protocol,
                "the server's JSON says neither which system this is nor anything known; say which it is (--adapter, or System in the window)",
            );
            return self.fail(attempt, failure);
        };
        if self.adapter.is_none() {
            self.identify(kind);
        }
        if self.seen.is_none() {
            let mut seen = Seen::default();
            let mut take = |event: &str| {
                seen.is_new(event);
            };
            if let Err(e) = self.memory.latest(kind, SEEN_MAX, &mut take) {
                return self.ended = Some(Ended::Memory(e));
            }
            self.seen = Some(seen);
        }
        let Message::Text(event) = &message else {
            return;
        };
        let new = self.seen.as_mut().is_some_and(|seen| seen.is_new(event));
        let now = self.now();
        if let Some(adapter) = self.adapter.as_mut().filter(|_| new) {
            let effects = adapter.message(message, now);
            self.effects(effects);
        }
    }

    /// The transport is open; the server's choice may say which system it is.
    fn opened(&mut self, attempt: u64, subprotocol: Option<String>) {
        let is_polled = self
            .link
            .as_ref()
            .is_some_and(|link| link.transport == Transport::LongPoll);
        if self.kind.is_none() && !is_polled {
            let endpoint = &self.settings.endpoint;
            if subprotocol.as_deref() == Some(frame::SUBPROTOCOL) {
                self.identify(Kind::Hub);
            } else if !endpoint.is_websocket() {
                self.identify(Kind::Sse);
            }
        }
        match &mut self.adapter {
            Some(adapter) => {
                let effects = adapter.opened();
                self.effects(effects);
            }
            // The first message will tell.
            None => self.welcomed(attempt, None),
        }
    }

    fn welcomed(&mut self, attempt: u64, heartbeat_ms: Option<u64>) {
        self.refusals = 0;
        self.tell(Input::Welcome {
            attempt,
            heartbeat_ms,
        });
    }

    /// Whether it is a hub whose events come by requests of their own, which may fail where the first one did not.
    fn is_asked_by_requests(&self) -> bool {
        let link = self.link.as_ref();
        self.kind == Some(Kind::Hub)
            && link.is_some_and(|link| link.transport != Transport::WebSocket)
    }

    fn identify(&mut self, kind: Kind) {
        if let Err(e) = self.settings.endpoint.check(Some(kind)) {
            return self.ended = Some(Ended::Settings(e.to_string()));
        }
        let recalled = match self.memory.recall(kind) {
            Ok(recalled) => recalled,
            Err(e) => return self.ended = Some(Ended::Memory(e)),
        };
        let start = Start {
            token: self.settings.token.clone(),
            pattern: self.settings.endpoint.pattern().to_owned(),
            positions: recalled.positions,
            cursor: recalled.cursor,
            epoch: epoch_now(),
            limits: self.settings.reception,
        };
        match kind.adapter(start) {
            Ok(_) if self.settings.outbox.is_some() && kind != Kind::Hub => {
                let address = &self.settings.endpoint;
                let word = kind.word();
                let why = format!(
                    "{address} is a feed of the kind `{word}`, and only a hub takes what is published"
                );
                self.ended = Some(Ended::Settings(why));
            }
            Ok(adapter) => {
                self.kind = Some(kind);
                self.outbox = self.settings.outbox.map(Outbox::new);
                self.adapter = Some(adapter);
                self.waiting.push(Update::Identified(kind));
                match kind {
                    // What only a hub has can be fallen back to now.
                    Kind::Hub if self.settings.kind.is_none() => {
                        self.tell(Input::Transports(self.allowed.clone()));
                    }
                    // Its ids and the names of its events are nowhere but on its event stream.
                    Kind::Sse => self.tell(Input::Transports(Transports::only(Transport::Sse))),
                    _ => {}
                }
            }
            Err(e) => self.ended = Some(Ended::Memory(e.to_string())),
        }
    }

    fn effects(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            let attempt = self.link.as_ref().map(|link| link.attempt);
            match (effect, attempt) {
                (Effect::Store(item), _) => {
                    self.brought += u64::from(matches!(item, Item::Event { .. }));
                    self.waiting.store(item);
                }
                (Effect::Notice(text), _) => self.waiting.push(Update::Notice(text)),
                (Effect::CaughtUp, _) => self.waiting.push(Update::CaughtUp),
                // The rest is about a connection that may have ended meanwhile.
                (_, None) => {}
                (Effect::Send(outgoing), _) => self.send(outgoing),
                (Effect::Welcomed(heartbeat_ms), Some(_)) if self.is_asked_by_requests() => {
                    self.welcoming = Some(heartbeat_ms);
                }
                (Effect::Welcomed(heartbeat_ms), Some(attempt)) => {
                    self.welcomed(attempt, heartbeat_ms);
                }
                (Effect::Outbox(input), Some(_)) => self.publish(input),
                (Effect::Pong(nonce), Some(attempt)) => self.tell(Input::Pong { attempt, nonce }),
                (Effect::Fail(failure), Some(attempt)) => self.fail(attempt, failure),
            }
        }
    }

    /// A second connection, to see whether a better transport works again.
    fn probe_reported(&mut self, attempt: u64, report: Report) {
        let Some(probe) = &self.probe else { return };
        let send = |frame: ClientFrame| probe.send(Outgoing::Text(frame.to_text()));
        let sent = match report {
            // Only a hub is greeted; another system has an event stream, or it has none.
            Report::Opened { .. } if self.kind != Some(Kind::Hub) => {
                self.probe = None;
                return self.tell(Input::ProbeWorked { attempt });
            }
            Report::Opened { .. } => send(ClientFrame::Hello(frame::Hello {
                version: frame::VERSION,
                token: self.settings.token.clone(),
                client: crate::transport::AGENT.to_owned(),
            })),
            Report::Ready => {
                self.probe = None;
                return self.tell(Input::ProbeWorked { attempt });
            }
            Report::Message(Message::Text(text)) => match frame::parse_server(&text) {
                Ok(ServerFrame::Welcome(_)) if probe.transport == Transport::WebSocket => {
                    self.probe = None;
                    return self.tell(Input::ProbeWorked { attempt });
                }
                // Where events come from has to answer as well.
                Ok(ServerFrame::Welcome(_)) => send(ClientFrame::Subscribe(frame::Subscribe {
                    id: Echo::number(0),
                    stream: self.settings.endpoint.pattern().to_owned(),
                    from: None,
                    positions: BTreeMap::new(),
                    more: false,
                })),
                Ok(ServerFrame::Error(trouble)) => {
                    Err(Failure::new(FailureClass::Protocol, trouble.message))
                }
                _ => return,
            },
            Report::Ended(failure) => Err(failure),
            Report::Broke(why) => return self.ended = Some(Ended::Fault(why)),
            _ => return,
        };
        if let Err(failure) = sent {
            self.probe = None;
            self.tell(Input::Failed { attempt, failure });
        }
    }
}

/// Those that this feed has, of those that are allowed.
fn transports(settings: &Settings) -> Result<Transports, connection::NoTransport> {
    match settings.kind {
        Some(Kind::Hub) => Ok(settings.connection.transports.clone()),
        Some(Kind::Sse) => Ok(Transports::only(Transport::Sse)),
        _ if settings.endpoint.is_websocket() => Ok(Transports::only(Transport::WebSocket)),
        // And polled as well, once its answer turns out to be JSON.
        _ => Ok(Transports::only(Transport::Sse)),
    }
}

/// A random number; the clock will do where the system has none.
fn draw(now: Millis) -> u64 {
    getrandom::u64().unwrap_or(now.0)
}

/// The wall clock, for tokens that name the time of their end.
fn wall_clock_ms() -> u64 {
    epoch_now().0 / 1_000
}

/// The wall clock, where a feed without epochs needs one for its streams.
fn epoch_now() -> Epoch {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Epoch(since.map_or(0, |since| {
        u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
    }))
}
