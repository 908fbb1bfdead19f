//! Ways to a server. Each runs as a task of its own, the [`Link`], and tells the client what happens as [`Report`]s.
//!
//! Reports go through one bounded channel: when the client does not take them, the task stops reading its socket.

mod event_stream;
mod hub_http;
mod poll;
mod request;
mod sse;
mod websocket;
mod words;

use crate::{Endpoint, Kind, QUARANTINE_BYTES_MAX, fault, tls::Tls};
use futures_util::FutureExt;
use ghostlight_model::StreamId;
use ghostlight_sync::{
    connection::{Failure, FailureClass, Transport},
    frame::{Position, Secret, event_place},
};
pub(crate) use poll::ANSWER_EVENTS_MAX;
use reqwest::{
    StatusCode,
    header::{HeaderMap, RETRY_AFTER},
};
use std::{future, panic::AssertUnwindSafe, time::Duration};
use tokio::{sync::mpsc, task::AbortHandle};

/// Longest message that is read, and longest answer of a hub, in bytes: what is over the limit of a feed and not over
/// this is set aside, and the connection goes on. What is longer ends it. (An event stream goes on in any case: of what is
/// too long only the beginning is kept.)
pub(crate) const MESSAGE_BYTES_MAX: usize = 16 << 20;
/// Reports that wait for the client; beyond, sockets are not read.
pub(crate) const REPORTS_MAX: usize = 64;
/// Frames that wait for the socket; beyond, the server does not read and the connection is given up.
const OUTGOING_MAX: usize = 1_024;
/// What this program calls itself to servers.
pub(crate) const AGENT: &str = concat!("ghostlight/", env!("CARGO_PKG_VERSION"));

/// What is needed to open a feed.
#[derive(Debug, Clone)]
pub(crate) struct Dial {
    pub endpoint: Endpoint,
    /// Known unless it is to be found out.
    pub kind: Option<Kind>,
    pub token: Option<Secret>,
    pub tls: Tls,
    /// Longest message taken, in bytes.
    pub max_frame_bytes: usize,
    /// Where an event stream without offsets goes on.
    pub last_event_id: Option<String>,
    /// Between two looks at a system that is polled.
    pub poll_every: Duration,
    /// A system that was polled: its JSON is looked at once when its event stream begins.
    pub looks: bool,
}

/// A message as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// A text frame.
    Text(String),
    /// A binary frame.
    Binary(Vec<u8>),
    /// An event of an event stream.
    Event {
        /// Its type; `message` where the server names none.
        kind: String,
        /// The last id that the server gave over this connection; empty: there is none any more. `None` if it gave none,
        /// so that the one from before goes on.
        id: Option<String>,
        /// Its lines.
        data: String,
    },
    /// An event stream's last id without an event.
    Place(String),
    /// Something that should be text and is not UTF-8.
    Garbled {
        /// The last id of an event stream, as of an event.
        id: Option<String>,
        /// Its beginning, as far as it is known.
        bytes: Vec<u8>,
    },
    /// Something over the limit.
    TooLong {
        /// The last id of an event stream, as of an event.
        id: Option<String>,
        /// Of a hub's event, where it can be read: whose place it has.
        place: Option<(StreamId, Position)>,
        /// Its beginning; empty if it is so long that it was not read at all.
        bytes: Vec<u8>,
        /// How many bytes it has.
        size: usize,
        /// How many it may have.
        limit: usize,
    },
}

/// What goes to the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outgoing {
    /// A text frame.
    Text(String),
    /// A person's message: a text frame, of which [`Report::Sent`] tells.
    Message {
        /// As the report names it.
        id: u64,
        /// The frame.
        text: String,
    },
    /// A ping, of which [`Report::Pinged`] tells.
    Ping {
        /// As the report names it.
        nonce: u64,
        /// As a text frame, or else as a ping frame of the WebSocket itself.
        text: Option<String>,
    },
}

/// What happens on a link.
#[derive(Debug)]
pub(crate) enum Report {
    /// The server answered.
    Opened {
        /// The subprotocol that it chose.
        subprotocol: Option<String>,
    },
    /// It sent something.
    Message(Message),
    /// It shows this event, as it may have before.
    Polled(String),
    /// It answers with JSON where an event stream was asked for: it is to be polled.
    Json,
    /// It answers where a hub's events come from by requests, whether there are any or not.
    Ready,
    /// It is there (a ping, any bytes).
    Alive,
    /// Its event stream has a comment.
    Beat,
    /// It answers a [`Outgoing::Ping`].
    Pong(u64),
    /// It took bytes.
    Wrote,
    /// It took an [`Outgoing::Ping`]: the system has it, and sends it on.
    Pinged(u64),
    /// It took an [`Outgoing::Message`]: the system has it, and sends it on.
    Sent(u64),
    /// The link is over; nothing follows.
    Ended(Failure),
    /// The link is over by a fault of our own, told in words; nothing follows.
    Broke(String),
}

/// Reports of one attempt.
#[derive(Debug, Clone)]
struct Reports {
    attempt: u64,
    to: mpsc::Sender<(u64, Report)>,
}

impl Reports {
    /// Waits while the client is busy.
    async fn tell(&self, report: Report) {
        // Nobody listens: the client is gone, and this task ends with it.
        let _ = self.to.send((self.attempt, report)).await;
    }

    /// For signs of life: if the client is busy, there are others waiting.
    fn hint(&self, report: Report) {
        let _ = self.to.try_send((self.attempt, report));
    }
}

/// A running transport; dropping it closes the socket.
#[derive(Debug)]
pub(crate) struct Link {
    pub attempt: u64,
    pub transport: Transport,
    to: mpsc::Sender<Outgoing>,
    task: AbortHandle,
}

impl Link {
    /// Opens a transport in the background.
    pub fn open(
        dial: Dial,
        transport: Transport,
        attempt: u64,
        to: mpsc::Sender<(u64, Report)>,
    ) -> Self {
        let reports = Reports { attempt, to };
        let (to, mut outgoing) = mpsc::channel(OUTGOING_MAX);
        let link = reports.clone();
        let run = async move {
            let hub = dial.kind == Some(Kind::Hub);
            match transport {
                Transport::WebSocket => websocket::run(&dial, outgoing, &reports).await,
                Transport::Sse if !hub => one_way(sse::run(&dial, &reports), &mut outgoing).await,
                Transport::LongPoll if !hub => {
                    one_way(poll::run(&dial, &reports), &mut outgoing).await
                }
                Transport::Sse => {
                    hub_http::run(dial, hub_http::Mode::Events, outgoing, &reports).await
                }
                Transport::LongPoll => {
                    hub_http::run(dial, hub_http::Mode::Poll, outgoing, &reports).await
                }
            }
        };
        let task = tokio::spawn(async move {
            let last = last_report(run).await;
            link.tell(last).await;
        });
        let task = task.abort_handle();
        Self {
            attempt,
            transport,
            to,
            task,
        }
    }

    /// Sends, or says that the server does not read.
    pub fn send(&self, outgoing: Outgoing) -> Result<(), Failure> {
        self.to.try_send(outgoing).map_err(|_| {
            network(format!(
                "the server does not read: {OUTGOING_MAX} frames wait for it"
            ))
        })
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// How a link ended. A panic would else be seen by nobody: its task is gone, and the feed would count as connected.
async fn last_report(run: impl Future<Output = Failure>) -> Report {
    // What it worked on ends with it, so nothing half done is seen.
    match AssertUnwindSafe(run).catch_unwind().await {
        Ok(failure) => Report::Ended(failure),
        Err(panic) => Report::Broke(fault(&*panic)),
    }
}

/// Lets go of what cannot be sent this way (an answer to a `ping` of typed messages).
async fn one_way(
    run: impl Future<Output = Failure>,
    outgoing: &mut mpsc::Receiver<Outgoing>,
) -> Failure {
    let let_go = async {
        while outgoing.recv().await.is_some() {}
        future::pending().await
    };
    tokio::select! {
        failure = run => failure,
        failure = let_go => failure,
    }
}

/// A hub's or another system's text over the limit.
fn too_long(text: &str, limit: usize) -> Message {
    let kept = text.len().min(QUARANTINE_BYTES_MAX);
    Message::TooLong {
        id: None,
        place: event_place(text),
        bytes: text.as_bytes()[..kept].to_owned(),
        size: text.len(),
        limit,
    }
}

fn network(message: impl Into<String>) -> Failure {
    Failure::new(FailureClass::Network, message)
}

fn protocol(message: impl Into<String>) -> Failure {
    Failure::new(FailureClass::Protocol, message)
}

/// What an answer other than the one asked for means.
fn status_failure(status: StatusCode, headers: &HeaderMap) -> Failure {
    let said = format!(
        "HTTP {} {}",
        status.as_u16(),
        status.canonical_reason().unwrap_or_default()
    );
    let said = said.trim_end();
    let retry_after_s = retry_after_s(headers);
    let failure = match status.as_u16() {
        401 | 403 => {
            let message = format!("the server refuses the credentials ({said})");
            Failure::new(FailureClass::Credentials, message)
        }
        // Too many requests, and whatever is wrong with the server itself.
        408 | 429 | 500.. => network(match retry_after_s {
            Some(seconds) => {
                format!("the server answers {said} and asks to come again in {seconds} s")
            }
            None => format!("the server answers {said}"),
        }),
        code => {
            let then = match code {
                200..300 => "; there is no feed of this kind at this address: check it",
                300..400 => {
                    ", which sends us to another address; that is not followed: use it instead"
                }
                404 | 410 => "; check the path of the address",
                _ => "",
            };
            protocol(format!(
                "the server answers {said} instead of opening a feed{then}"
            ))
        }
    };
    Failure {
        retry_after_ms: retry_after_s.map(|seconds| seconds.saturating_mul(1_000)),
        ..failure
    }
}

/// `Retry-After` in seconds (RFC 9110, section 10.2.3); a date there is not waited for.
fn retry_after_s(headers: &HeaderMap) -> Option<u64> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?;
    value.trim().parse().ok()
}

/// An error and what is behind it, in one line.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_of_a_link_is_reported_as_its_end() {
        let words = "index out of bounds";
        let report = last_report(async { panic!("{words}") }).await;
        assert!(
            matches!(&report, Report::Broke(why) if why.contains(words)),
            "{report:?}"
        );
        let report = last_report(async { network("gone") }).await;
        assert!(matches!(report, Report::Ended(_)), "{report:?}");
    }
}
