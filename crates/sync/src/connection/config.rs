//! What a connection may do and how patient it is; what it tells about itself.

use crate::{Millis, backoff::Backoff};

/// A way to reach the server, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// Both ways, at once.
    WebSocket,
    /// Events down at once, publishing by requests.
    Sse,
    /// Requests that wait for events, or come every 2 s.
    LongPoll,
}

impl Transport {
    /// All of them, best first.
    pub const ALL: [Transport; 3] = [Transport::WebSocket, Transport::Sse, Transport::LongPoll];

    /// The word on the command line, in settings and in views.
    pub fn word(self) -> &'static str {
        match self {
            Transport::WebSocket => "websocket",
            Transport::Sse => "sse",
            Transport::LongPoll => "poll",
        }
    }

    /// Back from the word.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.word() == word)
    }
}

/// Which transports may be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transports(Vec<Transport>);

/// Every transport is disabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("every transport is disabled; allow at least one")]
pub struct NoTransport;

impl Transports {
    /// The best that works.
    pub fn auto() -> Self {
        Self(Transport::ALL.to_vec())
    }

    /// This one, whatever happens.
    pub fn only(transport: Transport) -> Self {
        Self(vec![transport])
    }

    /// The best that works, except for these.
    ///
    /// # Errors
    /// [`NoTransport`] if none is left.
    pub fn without(disabled: &[Transport]) -> Result<Self, NoTransport> {
        let left: Vec<_> = Transport::ALL
            .into_iter()
            .filter(|one| !disabled.contains(one))
            .collect();
        if left.is_empty() {
            Err(NoTransport)
        } else {
            Ok(Self(left))
        }
    }

    /// An event stream, or polling where the server has none: all that a foreign system has besides a WebSocket.
    pub fn one_way() -> Self {
        Self(vec![Transport::Sse, Transport::LongPoll])
    }

    pub(super) fn best(&self) -> Transport {
        self.0.first().copied().unwrap_or(Transport::WebSocket)
    }

    pub(super) fn contains(&self, transport: Transport) -> bool {
        self.0.contains(&transport)
    }

    /// The one after `transport`, from the worst back to the best.
    pub(super) fn after(&self, transport: Transport) -> Transport {
        let worse = self.0.iter().find(|one| **one > transport);
        worse.copied().unwrap_or(self.best())
    }

    /// Those better than `transport`.
    pub(super) fn better(&self, transport: Transport) -> Vec<Transport> {
        self.0
            .iter()
            .copied()
            .filter(|one| *one < transport)
            .collect()
    }
}

/// How patient a connection is.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Between tries.
    pub backoff: Backoff,
    /// Whether a failed try or an ended connection is followed by another try. If not, the connection is switched off
    /// then, until somebody asks for it.
    pub reconnects: bool,
    /// Which transports may be used.
    pub transports: Transports,
    /// How long a connection must have held for the next wait to be a short one again, in ms.
    pub stable_ms: u64,
    /// Time to open a transport, and again to be welcomed, in ms.
    pub connect_ms: u64,
    /// Between pings, in ms; the server may ask for less.
    pub heartbeat_ms: u64,
    /// Time for any sign of life after a ping, in ms.
    pub pong_ms: u64,
    /// Failed tries in a row after which the next transport has its turn.
    pub fallback_after: u32,
    /// Before a better transport is first probed, in ms; doubles up to `probe_cap_ms`.
    pub probe_ms: u64,
    /// The longest time between two probes, in ms.
    pub probe_cap_ms: u64,
    /// How long before it expires a token is renewed, in ms.
    pub refresh_before_ms: u64,
    /// Whether the OS's word on the network matters; not for a server on this machine.
    pub follows_network: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            backoff: Backoff::default(),
            reconnects: true,
            transports: Transports::auto(),
            stable_ms: 5_000,
            connect_ms: 5_000,
            heartbeat_ms: 30_000,
            pong_ms: 5_000,
            fallback_after: 5,
            probe_ms: 5_000,
            probe_cap_ms: 600_000,
            refresh_before_ms: 60_000,
            follows_network: true,
        }
    }
}

/// What kind of failure, for who decides what to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureClass {
    /// The server was not reached, or the connection broke.
    Network,
    /// Nothing came in time.
    Timeout,
    /// The server refuses the token: trying again is useless.
    Credentials,
    /// What answers does not speak the protocol, or says that we do not.
    Protocol,
    /// A server was reached, and it does not greet as a hub does: it may be another system.
    Unwelcome,
    /// The server does not speak our version of the protocol: trying again is useless.
    Version,
}

/// Why a try or a connection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What kind.
    pub class: FailureClass,
    /// In plain words.
    pub message: String,
    /// How long the server asks to stay away, in ms; at most [`RETRY_AFTER_MAX_MS`] of it are waited for.
    pub retry_after_ms: Option<u64>,
}

/// The longest wait between two tries that a server may ask for, in ms: it may be right, and may be wrong.
pub const RETRY_AFTER_MAX_MS: u64 = 5 * 60 * 1_000;

impl Failure {
    /// One after which the server asks for nothing.
    pub fn new(class: FailureClass, message: impl Into<String>) -> Self {
        Self {
            class,
            message: message.into(),
            retry_after_ms: None,
        }
    }

    pub(super) fn timeout(message: &str) -> Self {
        Self::new(FailureClass::Timeout, message)
    }
}

/// What the indicator shows first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Switched off, or ended and not to be tried again.
    Disconnected,
    /// A try is under way.
    Connecting,
    /// Events arrive at once.
    Connected,
    /// Connected by polling.
    Polling,
    /// Waiting for the next try.
    Reconnecting,
    /// The OS says that there is no network.
    Offline,
    /// The server refuses the token, or our version of the protocol; a person has to act.
    Refused,
}

/// Everything an indicator needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// What is shown first.
    pub state: State,
    /// The transport in use, or to be tried.
    pub transport: Transport,
    /// While connecting the number of this try, from 1, else of those that failed; counted from the last connection that
    /// held ([`Config::stable_ms`]). 0 while connected.
    pub attempt: u32,
    /// When the next try begins.
    pub next_try_at: Option<Millis>,
    /// When the last connection was welcomed.
    pub connected_at: Option<Millis>,
    /// The last failure, also of a connection that works again.
    pub last_error: Option<Failure>,
    /// Of the last ping, there and back, in ms.
    pub latency_ms: Option<u64>,
}
