//! The frames of `ghostlight.v1`: JSON text, one object each, told apart by `type`.
//!
//! Unknown members are ignored. An unknown `type` and a malformed frame are errors of their own
//! ([`FrameError`]), to be reported and survived. Bodies and ids are kept as they were written.

mod place;
mod value;

use ghostlight_model::{Epoch, Micros, Offset, StreamId};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser::SerializeStruct};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

pub use place::event_place;
pub use value::{Body, Echo, Position, Secret};

/// The version that `hello` names.
pub const VERSION: u32 = 1;

/// The WebSocket subprotocol.
pub const SUBPROTOCOL: &str = "ghostlight.v1";

/// A frame that cannot be used; the connection goes on.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// Not a JSON object with a text in `type`.
    #[error("not a frame (a JSON object with a `type`): {0}")]
    NotAFrame(#[source] serde_json::Error),
    /// A `type` that this version does not know.
    #[error("unknown frame type {0:?}")]
    UnknownType(String),
    /// A known type with a member missing or of the wrong kind.
    #[error("malformed `{kind}` frame: {source}")]
    Malformed {
        /// The frame's `type`.
        kind: &'static str,
        /// What is wrong, with its column.
        source: serde_json::Error,
    },
}

/// Offsets that the server no longer has, both ends included. `{"from": 41, "to": 57}`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// The first one.
    pub from: Offset,
    /// The last one, not below `from`.
    pub to: Offset,
}

/// → `{"type":"hello","version":1,"token":"…","client":"ghostlight 0.1"}`; a second one renews the token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// [`VERSION`].
    pub version: u32,
    /// Absent where the `Authorization` header carries it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Secret>,
    /// Name and version of the program, for people.
    #[serde(default)]
    pub client: String,
}

/// → `{"type":"subscribe","id":1,"stream":"run/7","from":{"epoch":5,"offset":42}}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscribe {
    /// Chosen by the client; a second `subscribe` with the same id replaces the first.
    pub id: Echo,
    /// A stream, or a prefix and `*`.
    pub stream: String,
    /// The next event wanted; absent = from the start. Where subscriptions overlap, what this connection was sent
    /// already is not sent again, except for a single stream with `from`: so a client fills a hole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Position>,
    /// With `*` only: the streams named here go on at their position, all others start at the beginning.
    /// `"positions":{"run/7":{"epoch":5,"offset":42}}`. A server may ignore it; the client drops what it has.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub positions: BTreeMap<StreamId, Position>,
    /// With `positions` only: more of them follow in another `subscribe` with the same id, because one frame is too
    /// small; the subscription starts with the first frame without it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub more: bool,
}

/// → `{"type":"unsubscribe","id":1}`; ← `{"type":"unsubscribed","id":1}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unsubscribe {
    /// The subscription.
    pub id: Echo,
}

/// → `{"type":"publish","key":"k1","stream":"run/7","body":{…}}`, or `"bodies":[…]`: all of them or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publish {
    /// Idempotency key: the same key is applied once, however often it is sent.
    pub key: String,
    /// Where to.
    pub stream: StreamId,
    /// At least one.
    pub bodies: Vec<Body>,
}

impl Serialize for Publish {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let mut out = s.serialize_struct("Publish", 3)?;
        out.serialize_field("key", &self.key)?;
        out.serialize_field("stream", &self.stream)?;
        match self.bodies.as_slice() {
            [body] => out.serialize_field("body", body)?,
            bodies => out.serialize_field("bodies", bodies)?,
        }
        out.end()
    }
}

impl<'de> Deserialize<'de> for Publish {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Parts {
            key: String,
            stream: StreamId,
            // Doubly optional: `"body": null` is a body, the value null.
            #[serde(default, deserialize_with = "present")]
            body: Option<Body>,
            bodies: Option<Vec<Body>>,
        }
        fn present<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Body>, D::Error> {
            Body::deserialize(d).map(Some)
        }
        let parts = Parts::deserialize(d)?;
        let bodies = match (parts.body, parts.bodies) {
            (Some(body), None) => vec![body],
            (None, Some(bodies)) if !bodies.is_empty() => bodies,
            _ => {
                return Err(de::Error::custom(
                    "expected `body`, or `bodies` with at least one",
                ));
            }
        };
        Ok(Self {
            key: parts.key,
            stream: parts.stream,
            bodies,
        })
    }
}

/// ↔ `{"type":"ping","nonce":3}`, answered by `{"type":"pong","nonce":3}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beat {
    /// Sent back unchanged.
    pub nonce: Echo,
}

/// ← `{"type":"welcome","server":"…","session":"…","heartbeat_ms":30000,"max_frame_bytes":1048576}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// Name and version of the server, for people.
    #[serde(default)]
    pub server: String,
    /// The connection's name in the server's log.
    #[serde(default)]
    pub session: String,
    /// How long either side stays silent before it pings, in milliseconds.
    #[serde(default = "default_heartbeat")]
    pub heartbeat_ms: u64,
    /// The longest frame the server takes, in bytes.
    #[serde(default = "default_frame_bytes")]
    pub max_frame_bytes: u64,
}

fn default_heartbeat() -> u64 {
    30_000
}

fn default_frame_bytes() -> u64 {
    1 << 20
}

/// ← `{"type":"subscribed","id":1,"stream":"run/7","epoch":5,"next_offset":90,"recovered":true}`
///
/// A subscription with `*` is answered at once with the pattern as `stream`, epoch 0 and `next_offset` 0, then with
/// one `subscribed` (same id, the stream's name) before the first event of each stream. Sent again when a stream gets
/// a new epoch. Epoch 0 and `next_offset` 0 for a single stream: the server has no such stream yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscribed {
    /// Of the `subscribe`.
    pub id: Echo,
    /// The stream.
    pub stream: StreamId,
    /// Its epoch now.
    pub epoch: Epoch,
    /// The offset its next new event will get; the replay runs from `from` up to here, then comes `caught_up`.
    pub next_offset: Offset,
    /// Whether everything from the position asked for is there.
    pub recovered: bool,
    /// What of it the server no longer has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap: Option<Missing>,
}

/// ← `{"type":"event","stream":"run/7","epoch":5,"offset":42,"ts":1700000000000000,"body":{…}}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The stream.
    pub stream: StreamId,
    /// Its epoch.
    pub epoch: Epoch,
    /// Dense, from 0.
    pub offset: Offset,
    /// When the server stored it, in UTC microseconds; anything else counts as absent and costs no event.
    #[serde(default, deserialize_with = "lenient_micros")]
    pub ts: Option<Micros>,
    /// What was published, verbatim.
    pub body: Body,
}

fn lenient_micros<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Micros>, D::Error> {
    let raw = <&RawValue>::deserialize(d)?.get();
    let whole = raw.parse::<i64>().ok();
    // A number with a fraction or exponent, as some languages write every number. `as` saturates.
    let rounded = || raw.parse::<f64>().ok().filter(|n| n.is_finite());
    Ok(whole.or_else(|| rounded().map(|n| n as i64)).map(Micros))
}

/// ← `{"type":"caught_up","id":1,"stream":"run/7","epoch":5,"offset":90}`: the replay is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaughtUp {
    /// Of the `subscribe`.
    pub id: Echo,
    /// The stream, needed with `*`. With the pattern itself: all streams found at first are caught up (offset 0).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<StreamId>,
    /// The epoch that `offset` is of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<Epoch>,
    /// The next offset; all below was sent, or named in a gap.
    pub offset: Offset,
}

/// ← `{"type":"gap","stream":"run/7","epoch":5,"from":41,"to":57,"reason":"…"}`: never to come, both ends included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The stream.
    pub stream: StreamId,
    /// Its epoch.
    pub epoch: Epoch,
    /// The first missing.
    pub from: Offset,
    /// The last missing.
    pub to: Offset,
    /// Why, in a few words.
    #[serde(default)]
    pub reason: String,
}

/// ← `{"type":"accepted","key":"k1","epoch":5,"first_offset":90,"last_offset":90,"duplicate":false}`: durable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// Of the `publish`.
    pub key: String,
    /// The stream's epoch.
    pub epoch: Epoch,
    /// Offset of the first body.
    pub first_offset: Offset,
    /// Offset of the last body.
    pub last_offset: Offset,
    /// The key had been applied before; the offsets are those of then.
    #[serde(default)]
    pub duplicate: bool,
}

/// ← `{"type":"refused","key":"k1","code":"busy","message":"…","retry":true,"retry_after_ms":1000}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Of the `publish`.
    pub key: String,
    /// For programs.
    pub code: String,
    /// For people.
    #[serde(default)]
    pub message: String,
    /// Whether the same may be accepted later.
    #[serde(default)]
    pub retry: bool,
    /// Not before this many milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

/// ← `{"type":"error","code":"unknown_type","message":"…","fatal":false}`; after a fatal one the server closes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// For programs: one of [`code`], or a foreign server's own.
    pub code: String,
    /// For people.
    #[serde(default)]
    pub message: String,
    /// Whether the connection ends.
    #[serde(default)]
    pub fatal: bool,
    /// The subscription at fault, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Echo>,
}

/// Codes of `error` and `refused` frames.
pub mod code {
    /// Fatal: token missing, wrong or expired.
    pub const UNAUTHORIZED: &str = "unauthorized";
    /// Fatal: `hello` names a version that the server does not speak.
    pub const VERSION: &str = "version";
    /// Fatal: another frame came before `hello`, or none at all.
    pub const HELLO_FIRST: &str = "hello_first";
    /// Fatal: no answer to a ping.
    pub const HEARTBEAT: &str = "heartbeat";
    /// Fatal: the peer does not read. Reconnect and resume.
    pub const SLOW_READER: &str = "slow_reader";
    /// Fatal: the server cannot read its own log, or stops.
    pub const UNAVAILABLE: &str = "unavailable";
    /// A frame that is not JSON, or has members missing.
    pub const MALFORMED: &str = "malformed";
    /// A frame of a type that the server does not know.
    pub const UNKNOWN_TYPE: &str = "unknown_type";
    /// A frame or body over the size limit.
    pub const TOO_LARGE: &str = "too_large";
    /// Over a limit on numbers; the message names it.
    pub const LIMIT: &str = "limit";
    /// Not a name for a stream.
    pub const BAD_STREAM: &str = "bad_stream";
    /// Not an idempotency key.
    pub const BAD_KEY: &str = "bad_key";
    /// No subscription with that id.
    pub const NOT_SUBSCRIBED: &str = "not_subscribed";
    /// Too much at once; the same may be accepted later.
    pub const BUSY: &str = "busy";
}

macro_rules! frames {
    ($(#[$doc:meta])* $name:ident, $parse:ident: $($(#[$vdoc:meta])* $variant:ident($body:ty) = $kind:literal,)+) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
        #[serde(tag = "type")]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $kind)] $variant($body),)+
        }

        impl $name {
            /// The frame as it is sent.
            pub fn to_text(&self) -> String {
                // Maps have text keys and bodies are JSON, so nothing here can fail.
                serde_json::to_string(self).unwrap_or_default()
            }

            /// Its `type`.
            pub fn kind(&self) -> &'static str {
                match self { $(Self::$variant(_) => $kind,)+ }
            }
        }

        /// Reads one frame.
        ///
        /// # Errors
        /// [`FrameError`]: not a frame, of an unknown type, or malformed. None of them is fatal.
        pub fn $parse(text: &str) -> Result<$name, FrameError> {
            let kind = peek(text)?;
            match kind.as_ref() {
                $($kind => serde_json::from_str(text)
                    .map($name::$variant)
                    .map_err(|source| FrameError::Malformed { kind: $kind, source }),)+
                _ => Err(FrameError::UnknownType(kind.chars().take(80).collect())),
            }
        }
    };
}

frames!(
    /// A frame from client to server.
    ClientFrame, parse_client:
    /// Opens the session.
    Hello(Hello) = "hello",
    /// Asks for a stream or many.
    Subscribe(Subscribe) = "subscribe",
    /// Ends a subscription.
    Unsubscribe(Unsubscribe) = "unsubscribe",
    /// Adds events to a stream.
    Publish(Publish) = "publish",
    /// Asks for a pong.
    Ping(Beat) = "ping",
    /// Answers a ping.
    Pong(Beat) = "pong",
);

frames!(
    /// A frame from server to client.
    ServerFrame, parse_server:
    /// Answers `hello`.
    Welcome(Welcome) = "welcome",
    /// Answers `subscribe`.
    Subscribed(Subscribed) = "subscribed",
    /// Answers `unsubscribe`; no more events come for it.
    Unsubscribed(Unsubscribe) = "unsubscribed",
    /// One event.
    Event(Event) = "event",
    /// The replay of a subscription is over.
    CaughtUp(CaughtUp) = "caught_up",
    /// Events that will not come.
    Gap(Gap) = "gap",
    /// A `publish` is durable.
    Accepted(Accepted) = "accepted",
    /// A `publish` was not applied.
    Refused(Refused) = "refused",
    /// Asks for a pong.
    Ping(Beat) = "ping",
    /// Answers a ping.
    Pong(Beat) = "pong",
    /// Something is wrong.
    Error(Trouble) = "error",
);

/// An `event` frame without an owned copy of its parts; the same text as [`ServerFrame::to_text`].
pub fn event_text(
    stream: &StreamId,
    epoch: Epoch,
    offset: Offset,
    ts: Option<Micros>,
    body: &Body,
) -> String {
    #[derive(Serialize)]
    struct Parts<'a> {
        r#type: &'static str,
        stream: &'a StreamId,
        epoch: Epoch,
        offset: Offset,
        ts: Option<Micros>,
        body: &'a Body,
    }
    let parts = Parts {
        r#type: "event",
        stream,
        epoch,
        offset,
        ts,
        body,
    };
    serde_json::to_string(&parts).unwrap_or_default()
}

/// The `type` of a frame; two passes, because an internally tagged enum cannot keep raw values.
fn peek(text: &str) -> Result<std::borrow::Cow<'_, str>, FrameError> {
    #[derive(Deserialize)]
    struct Peek<'a> {
        #[serde(rename = "type", borrow)]
        kind: std::borrow::Cow<'a, str>,
    }
    // A list of a frame's values would read as the frame.
    if !text.trim_start().starts_with('{') {
        let error = de::Error::custom("it does not begin with `{`");
        return Err(FrameError::NotAFrame(error));
    }
    let peek: Peek = serde_json::from_str(text).map_err(FrameError::NotAFrame)?;
    Ok(peek.kind)
}

#[cfg(test)]
mod tests;
