//! What goes into a connection and what comes out of it.

use super::{Failure, Status, Transport, Transports};
use crate::{Millis, backoff::Backoff};

/// What can happen to a connection.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// A person or the application wants the feed.
    Start,
    /// … no longer.
    Stop,
    /// Time passed (see [`next_wake`](super::Connection::next_wake)).
    Tick,
    /// The transport is open; `hello` goes out.
    Opened {
        /// Of [`Action::Open`].
        attempt: u64,
    },
    /// The server said `welcome` (or, for feeds without it, the first bytes came).
    Welcome {
        /// Of [`Action::Open`].
        attempt: u64,
        /// What the server asks for.
        heartbeat_ms: Option<u64>,
    },
    /// Any bytes arrived.
    Heard {
        /// Of [`Action::Open`].
        attempt: u64,
    },
    /// A comment of an event stream arrived: a heartbeat, if there is another in time.
    Beat {
        /// Of [`Action::Open`].
        attempt: u64,
    },
    /// The socket took bytes that had been waiting: before the ping is out, a slow link is not a dead one.
    Wrote {
        /// Of [`Action::Open`].
        attempt: u64,
    },
    /// [`Action::Ping`] is on its way: what is written behind it says nothing about the server.
    Pinged {
        /// Of [`Action::Open`].
        attempt: u64,
        /// As of the action.
        nonce: u64,
    },
    /// A pong arrived.
    Pong {
        /// Of [`Action::Open`].
        attempt: u64,
        /// As sent.
        nonce: u64,
    },
    /// The try failed, or the connection ended.
    Failed {
        /// Of [`Action::Open`] or [`Action::Probe`].
        attempt: u64,
        /// Why.
        failure: Failure,
    },
    /// [`Action::Probe`] was welcomed; the driver closed it.
    ProbeWorked {
        /// Of [`Action::Probe`].
        attempt: u64,
    },
    /// The OS says whether there is a network.
    Network {
        /// There is.
        online: bool,
    },
    /// A person does not want to wait.
    ReconnectNow,
    /// There is a (new) token.
    Credentials {
        /// When it expires.
        expires_at: Option<Millis>,
    },
    /// The server was reached by this attempt, and has another transport there. It is gone on with at once, and the one
    /// that was tried is probed like any better one.
    Instead {
        /// Of [`Action::Open`].
        attempt: u64,
        /// What it has.
        transport: Transport,
    },
    /// The settings changed: which transports may be used.
    Transports(Transports),
    /// … how long to wait between two tries. One that waits already waits no longer than it would now; a server's wish
    /// to be left alone still counts.
    Backoff(Backoff),
}

/// What the driver does, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Open this transport and say `hello`.
    Open {
        /// How.
        transport: Transport,
        /// For all reports about it.
        attempt: u64,
    },
    /// See on a second connection whether this transport is welcomed, close it and report
    /// [`Input::ProbeWorked`] or [`Input::Failed`].
    Probe {
        /// How.
        transport: Transport,
        /// For the report.
        attempt: u64,
    },
    /// Give this attempt or probe up.
    Close {
        /// Which.
        attempt: u64,
    },
    /// Send a ping, and report [`Input::Pinged`] when the socket has taken it.
    Ping {
        /// For the pong.
        nonce: u64,
    },
    /// Get a new token; answer [`Input::Credentials`].
    RefreshToken,
    /// Show this.
    Status(Status),
}
