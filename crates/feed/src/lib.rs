//! Sockets in: a [`Client`] keeps one feed connected and hands out what is to be stored.
//!
//! [`transport`] opens WebSockets, event streams (SSE) and polls. An adapter ([`adapters`]) reads one system's messages;
//! the machines of `ghostlight-sync` decide when to connect and which event is new. Nothing is stored here: whoever
//! runs the client stores each [`Item`] in the order given, and until it takes them nothing more is read from the
//! socket, so a slow disk slows the server down and costs no event.
//!
//! ```text
//! socket ─ transport ─▶ Report ─▶ adapter ─▶ Item ─▶ Update::Batch ─▶ the store
//!                          ▲ Open, Ping, Close │ Heard, Failed
//!                          └── sync::Connection ◀─┘
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod adapters;
mod client;
mod endpoint;
mod expiry;
mod seen;
mod tls;
pub mod transport;

pub use adapters::Kind;
pub use client::{Client, Command, Ended, Memory, Recalled, Settings};
pub use endpoint::{BadUrl, Endpoint};
pub use ghostlight_sync::{backoff, connection, frame::Secret, outbox, reception};

use ghostlight_model::{Epoch, Micros, Offset, StreamId};
use ghostlight_sync::frame::Body;
use std::any::Any;

/// Bytes kept of a message that cannot be read.
pub const QUARANTINE_BYTES_MAX: usize = 4_096;

/// Something to store, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// The next event of its stream.
    Event {
        /// Its stream.
        stream: StreamId,
        /// The stream's epoch.
        epoch: Epoch,
        /// Its place.
        offset: Offset,
        /// When it happened, as far as the feed says.
        ts: Option<Micros>,
        /// Verbatim.
        body: Body,
    },
    /// Events that will not come, both ends included.
    Gap {
        /// Their stream.
        stream: StreamId,
        /// Its epoch.
        epoch: Epoch,
        /// The first.
        from: Offset,
        /// The last.
        to: Offset,
        /// Why, in plain words.
        reason: String,
    },
    /// A stream begins, or begins anew.
    Epoch {
        /// Which.
        stream: StreamId,
        /// From now on.
        epoch: Epoch,
    },
    /// A message that could not be read; counted and kept, and the stream goes on.
    Quarantined {
        /// What is wrong with it.
        reason: String,
        /// Its first [`QUARANTINE_BYTES_MAX`] bytes.
        message: Vec<u8>,
    },
    /// Where an event stream without offsets goes on (`Last-Event-ID`); store it in the transaction of the items before
    /// it, so that none of them is stored without it or comes again.
    Cursor(Cursor),
}

/// The place in a feed that has ids instead of offsets.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Cursor {
    /// As the server gave it; empty if it took back the one before.
    pub id: String,
}

/// What a client tells, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Update {
    /// Store these.
    Batch(Vec<Item>),
    /// The connection changed.
    Status(connection::Status),
    /// A person should see this: the server contradicts itself, or a limit is reached.
    Notice(String),
    /// It is known which system this is (at once if it was given).
    Identified(Kind),
    /// All that the server had when we connected is in the batches before.
    CaughtUp,
    /// Do this to the rows of the outbox, in order; [`outbox::Action::Load`] is answered by
    /// [`Command::OutboxLoaded`], when everything before it is durable. [`outbox::Action::Send`] is done here and never
    /// told.
    Outbox(outbox::Action),
    /// Get the token, again if there is one: it may have been renewed. Answer with [`Command::Token`]; told only if
    /// [`Settings::asks_for_token`].
    TokenWanted,
    /// What became of a [`Command::Send`]: the system took it for the server, or why not, in a sentence.
    Sent {
        /// As the command named it.
        id: u64,
        /// What became of it.
        outcome: Result<(), String>,
    },
    /// Which entries the server does not take now: all of them, in place of what was told before.
    Retrying(Vec<Retrying>),
}

/// An entry that is sent again later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retrying {
    /// Which.
    pub key: String,
    /// The server's code, or ours.
    pub code: String,
    /// For people.
    pub message: String,
}

impl Retrying {
    /// Those of an outbox; it holds few, and all that it holds are looked at.
    pub(crate) fn of(outbox: &outbox::Outbox) -> Vec<Self> {
        let entries = outbox
            .entries()
            .filter_map(|(entry, standing)| match standing {
                outbox::Standing::Retrying { code, message, .. } => Some(Self {
                    key: entry.key.clone(),
                    code: code.clone(),
                    message: message.clone(),
                }),
                _ => None,
            });
        entries.collect()
    }
}

/// What to tell of a panic in the work for a feed, which ends it: a fault of this program must be seen.
pub fn fault(panic: &(dyn Any + Send)) -> String {
    let said = panic.downcast_ref::<&str>().copied();
    let said = said.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!(
        "a fault in Ghostlight itself ended this feed ({}); what it received is stored, and started again it goes on \
         from there; please report this",
        said.unwrap_or("it says nothing about itself")
    )
}
