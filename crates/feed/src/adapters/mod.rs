//! What each kind of system says, in terms of what is to be stored. One file a system, with recorded samples beside it.
//!
//! An adapter takes [`Message`]s of one connection after another and answers [`Effect`]s; it owns no socket and no
//! clock. To add one: a file here with a sample in `samples/`, a [`Kind`], and its line in [`Kind::adapter`].

mod hub;
mod last_id;
mod sse;
mod typed;
mod workflow;

use crate::{
    Cursor, Item, QUARANTINE_BYTES_MAX,
    transport::{Message, Outgoing},
};
use ghostlight_model::{Epoch, Micros, StreamId, message};
use ghostlight_sync::{
    Millis,
    connection::Failure,
    frame::{Body, Position, Secret},
    names::NAME_BYTES_MAX,
    outbox,
    reception::{Completeness, Limits, Numbering, TooManyPositions},
};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Which system a feed is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `ghostlight.v1`: a hub, with epochs and offsets.
    Hub,
    /// Workflow events: JSON objects with `run_id`, `node`, `phase`, one or an array a message.
    Workflow,
    /// Typed messages: `{type|event, data}`.
    Typed,
    /// An event stream (SSE) with ids.
    Sse,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 4] = [Kind::Hub, Kind::Workflow, Kind::Typed, Kind::Sse];

    /// The word on the command line and in settings.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Hub => "hub",
            Kind::Workflow => "workflow",
            Kind::Typed => "typed",
            Kind::Sse => "sse",
        }
    }

    /// Back from the word.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// Whether it can be shown that nothing is missing.
    pub fn completeness(self) -> Completeness {
        match self {
            Kind::Hub => Completeness::Provable,
            _ => Completeness::Unprovable,
        }
    }

    /// Whether a person can send it messages, over a WebSocket.
    pub fn takes_messages(self) -> bool {
        self == Kind::Typed
    }

    /// The kind that a first message gives away, where it is unambiguous.
    pub fn of_message(message: &Message) -> Option<Self> {
        #[derive(Deserialize)]
        struct Shape<'a> {
            #[serde(borrow)]
            run_id: Option<&'a RawValue>,
            #[serde(borrow)]
            phase: Option<&'a RawValue>,
            #[serde(borrow)]
            node: Option<&'a RawValue>,
            #[serde(borrow, rename = "type")]
            kind: Option<&'a RawValue>,
            #[serde(borrow)]
            event: Option<&'a RawValue>,
        }
        let text = match message {
            Message::Text(text) => text,
            Message::Event { .. } | Message::Place(_) => return Some(Kind::Sse),
            Message::Binary(_) | Message::Garbled { .. } | Message::TooLong { .. } => return None,
        };
        if text.trim_start().starts_with('[') {
            return Some(Kind::Workflow);
        }
        let shape: Shape = serde_json::from_str(text).ok()?;
        let workflow = shape.run_id.is_some() && (shape.node.is_some() || shape.phase.is_some());
        let typed = shape.kind.is_some() || shape.event.is_some();
        match (workflow, typed) {
            (true, _) => Some(Kind::Workflow),
            (false, true) => Some(Kind::Typed),
            (false, false) => None,
        }
    }

    pub(crate) fn adapter(self, start: Start) -> Result<Box<dyn Adapter>, TooManyPositions> {
        Ok(match self {
            Kind::Hub => Box::new(hub::Hub::new(start)?),
            Kind::Workflow => Box::new(workflow::Workflow::new(start)),
            Kind::Typed => Box::new(typed::Typed::new(start)),
            Kind::Sse => Box::new(sse::Sse::new(start)),
        })
    }
}

/// What an adapter begins with.
#[derive(Debug)]
pub(crate) struct Start {
    pub token: Option<Secret>,
    pub pattern: String,
    pub positions: Vec<(StreamId, Position)>,
    pub cursor: Option<Cursor>,
    /// The epoch of streams that a feed without offsets begins now, microseconds.
    pub epoch: Epoch,
    pub limits: Limits,
}

/// What the client does for an adapter, in order.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Store it.
    Store(Item),
    /// Send it.
    Send(Outgoing),
    /// The server is ready; its heartbeat in ms, if it names one.
    Welcomed(Option<u64>),
    /// What it says of what we publish.
    Outbox(outbox::Input),
    /// The answer to our ping.
    Pong(u64),
    /// The connection cannot go on.
    Fail(Failure),
    /// A person should see this.
    Notice(String),
    /// Everything from before the connection is here.
    CaughtUp,
}

/// One system's messages.
pub(crate) trait Adapter: Send {
    /// A connection is open.
    fn opened(&mut self) -> Vec<Effect> {
        // Without a greeting of its own: there is nothing to wait for.
        vec![Effect::Welcomed(None)]
    }

    /// A message came.
    fn message(&mut self, message: Message, now: Millis) -> Vec<Effect>;

    /// The text that asks this system for a sign of life; `None`: by a ping frame of the WebSocket itself.
    fn ping(&self, _nonce: u64) -> Option<String> {
        None
    }

    /// Time passed.
    fn tick(&mut self, _now: Millis) -> Vec<Effect> {
        Vec::new()
    }

    /// When to call [`Adapter::tick`].
    fn next_wake(&self) -> Option<Millis> {
        None
    }

    /// The connection is gone.
    fn closed(&mut self) {}

    /// There is another token from now on.
    fn renew(&mut self, _token: Option<Secret>) {}

    /// Shows the token on a connection that is open; empty where the protocol has no words for it.
    fn show_token(&mut self) -> Vec<Effect> {
        Vec::new()
    }

    /// A person's message as this system takes it; `None` if it takes none.
    fn outgoing(&self, _message: &message::Message) -> Option<String> {
        None
    }

    /// Where the next one begins, if its request says so (`Last-Event-ID`).
    fn last_event_id(&self) -> Option<String> {
        None
    }
}

/// Why a message is set aside that came as no text, if it is one: garbled, or too long.
fn not_text(message: &Message) -> Option<String> {
    match message {
        Message::Garbled { .. } => Some("not UTF-8".into()),
        Message::TooLong { size, limit, .. } => {
            Some(format!("it has {size} bytes, and the limit is {limit}"))
        }
        _ => None,
    }
}

/// A message that cannot be read, its beginning kept.
fn quarantined(message: &Message, reason: impl Into<String>) -> Effect {
    let bytes = match message {
        Message::Text(text) => text.as_bytes(),
        Message::Binary(bytes)
        | Message::Garbled { bytes, .. }
        | Message::TooLong { bytes, .. } => bytes,
        Message::Event { data, .. } => data.as_bytes(),
        Message::Place(id) => id.as_bytes(),
    };
    quarantined_bytes(bytes, reason)
}

fn quarantined_bytes(bytes: &[u8], reason: impl Into<String>) -> Effect {
    Effect::Store(Item::Quarantined {
        reason: reason.into(),
        message: bytes[..bytes.len().min(QUARANTINE_BYTES_MAX)].to_owned(),
    })
}

/// A feed without offsets: events are counted as they come.
fn numbered(numbering: &mut Numbering, stream: StreamId, ts: Option<Micros>, body: Body) -> Effect {
    let place = numbering.number(&stream);
    Effect::Store(Item::Event {
        stream,
        epoch: place.epoch,
        offset: place.offset,
        ts,
        body,
    })
}

/// The stream of something a foreign system names; too long a name is cut and marked by its hash.
fn stream_of(kind: &str, name: &str) -> StreamId {
    let clean: String = name
        .chars()
        .map(|c| if c.is_control() || c == '*' { '_' } else { c })
        .collect();
    let room = NAME_BYTES_MAX - kind.len() - 1;
    if clean == name && name.len() <= room && !name.is_empty() {
        return StreamId(format!("{kind}/{name}"));
    }
    let hash = blake3::hash(name.as_bytes()).to_hex();
    let cut = clean.floor_char_boundary(clean.len().min(room - 17));
    StreamId(format!("{kind}/{}~{}", &clean[..cut], &hash[..16]))
}

/// A text or number as text.
fn word(raw: &RawValue) -> Option<Cow<'_, str>> {
    match raw.get().as_bytes().first()? {
        b'"' => serde_json::from_str::<String>(raw.get())
            .ok()
            .map(Cow::Owned),
        b'-' | b'0'..=b'9' => Some(Cow::Borrowed(raw.get())),
        _ => None,
    }
}

/// A time as foreign systems write it: RFC 3339, or seconds, milliseconds or microseconds since 1970 by their size.
fn time(raw: &RawValue) -> Option<Micros> {
    let text = word(raw)?;
    let Ok(number) = text.parse::<f64>() else {
        let instant: jiff::Timestamp = text.parse().ok()?;
        return Some(Micros(instant.as_microsecond()));
    };
    // 10^11 s is the year 5138, 10^11 ms is 1973; likewise a thousand times.
    let micros = match number.abs() {
        n if n < 1e11 => number * 1e6,
        n if n < 1e14 => number * 1e3,
        _ => return text.parse().ok().or(Some(number as i64)).map(Micros),
    };
    Some(Micros(micros.round() as i64))
}

#[cfg(test)]
#[path = "tests.rs"]
mod samples;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_message_gives_its_kind_away() {
        for (text, kind) in [
            (
                r#"{"run_id":"r","node":"n","phase":"start","ts":1}"#,
                Some(Kind::Workflow),
            ),
            (r#"[{"run_id":"r"}]"#, Some(Kind::Workflow)),
            (
                r#"{"type":"notification:new","data":{}}"#,
                Some(Kind::Typed),
            ),
            (r#"{"event":"ping"}"#, Some(Kind::Typed)),
            (r#"{"hello":1}"#, None),
            ("hello", None),
        ] {
            assert_eq!(
                Kind::of_message(&Message::Text(text.into())),
                kind,
                "{text}"
            );
        }
        assert_eq!(Kind::of_message(&Message::Binary(vec![1])), None);
        for kind in Kind::ALL {
            assert_eq!(Kind::of_word(kind.word()), Some(kind));
        }
    }

    #[test]
    fn times_are_read_by_their_size() {
        for (json, micros) in [
            ("1763731200", Some(1_763_731_200_000_000)),
            ("1763731200.25", Some(1_763_731_200_250_000)),
            ("1763731200250", Some(1_763_731_200_250_000)),
            ("1763731200250001", Some(1_763_731_200_250_001)),
            (r#""2025-11-21T13:20:00.5Z""#, Some(1_763_731_200_500_000)),
            (
                r#""2025-11-21T14:20:00+01:00""#,
                Some(1_763_731_200_000_000),
            ),
            (r#""soon""#, None),
            ("null", None),
            ("[1]", None),
        ] {
            let raw: Box<RawValue> = serde_json::from_str(json).unwrap();
            assert_eq!(time(&raw), micros.map(Micros), "{json}");
        }
    }

    #[test]
    fn any_name_makes_a_stream() {
        assert_eq!(stream_of("run", "7").0, "run/7");
        let odd = ["", "a\nb", "a*", &"é".repeat(300)];
        for name in odd {
            let stream = stream_of("run", name);
            assert_eq!(
                ghostlight_sync::names::check_stream(&stream.0),
                Ok(()),
                "{stream}"
            );
        }
        assert_ne!(stream_of("run", "a\nb"), stream_of("run", "a\tb"));
    }
}
