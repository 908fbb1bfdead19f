//! Feeds and their connections, what is sent to them, and what they did meanwhile.

use super::RunRow;
use crate::live::LiveSwitch;
use ghostlight_model::Micros;
use serde::{Deserialize, Serialize};

/// A feed and its connection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeedRow {
    /// Its number.
    pub id: i64,
    /// What people call it.
    pub name: String,
    /// Its address, without credentials.
    pub url: String,
    /// The adapter, once known or chosen.
    pub kind: Option<String>,
    /// The origin of its runs, once known.
    pub origin: Option<String>,
    /// Whether the application connects to it.
    pub enabled: bool,
    /// Whether runs that end here are sent to it.
    pub publish: bool,
    /// The transports of a hub that are switched off.
    pub without: Vec<String>,
    /// Its own time between two updates of what moves by its events, in ms.
    pub refresh_ms: Option<u32>,
    /// Where its token is.
    pub token: TokenPlace,
    /// Whether its events are numbered by the source, so that *complete* is a fact.
    pub proven: bool,
    /// The connection.
    pub link: LinkView,
    /// What came.
    pub traffic: Traffic,
    /// Whether a person can send it messages.
    pub takes_messages: bool,
    /// What a person sent since it is followed, the latest first; at most [`SENT_MAX`].
    pub sent: Vec<SentRow>,
}

/// Messages that a feed's details list.
pub const SENT_MAX: usize = 10;

/// Characters of a message's data that are shown.
pub const SENT_CHARS_MAX: usize = 400;

/// A message that a person sent to a feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentRow {
    /// Counted from the first since it is followed.
    pub number: u64,
    /// When.
    pub at: Micros,
    /// Its name.
    pub event: String,
    /// Its data, cut behind [`SENT_CHARS_MAX`] characters.
    pub data: String,
    /// Why it was not sent, or that this is not known; `None` if it was.
    pub problem: Option<String>,
}

/// Where a feed's token is (SPEC C13).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenPlace {
    /// None is kept.
    None,
    /// In the system's keychain.
    Keychain,
    /// In a file of the data folder that only its owner can read: no keychain answered.
    File,
    /// The environment gave it; nothing is kept.
    Environment,
}

/// How a feed's connection stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LinkView {
    /// What is shown first.
    pub state: LinkState,
    /// The transport in use, or to be tried: `websocket`, `sse`, `long_poll` …
    pub transport: String,
    /// Tries since the last connection; 0 while connected.
    pub attempt: u32,
    /// When the next try begins.
    pub next_try: Option<Micros>,
    /// Since when it stands as it does.
    pub since: Micros,
    /// When it was last connected; now, while it is.
    pub last_connected: Option<Micros>,
    /// The last failure, also of a connection that works again.
    pub last_error: Option<String>,
    /// Of the last ping, there and back, in milliseconds.
    pub latency_ms: Option<u64>,
}

/// How a connection stands (SPEC C1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkState {
    /// Switched off.
    Off,
    /// A try is under way.
    Connecting,
    /// Events arrive at once.
    Connected,
    /// Connected by polling.
    Polling,
    /// Waiting for the next try.
    Reconnecting,
    /// There is no network.
    Offline,
    /// The server refuses the token.
    Refused,
    /// It ended by a fault that trying again does not mend: the store, the settings.
    Stopped,
    /// It is switched on, and live features as a whole are off.
    LiveOff,
}

impl LinkState {
    /// Whether events arrive.
    pub fn is_up(self) -> bool {
        matches!(self, LinkState::Connected | LinkState::Polling)
    }
}

/// What came from a feed since the application started.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Traffic {
    /// Events stored.
    pub events: u64,
    /// Events a second, over the last seconds.
    pub rate: f64,
    /// Events that were there already.
    pub duplicates: u64,
    /// Events that the other side does not have any more; their places in the log say so.
    pub missing: u64,
    /// When the last one was stored.
    pub last_event: Option<Micros>,
    /// Messages that could not be read, in all.
    pub quarantined: u64,
    /// Tries to connect, and how many of them worked.
    pub connects: (u64, u64),
    /// How long events take to come here; `None` before the first that came live and has a time of its own.
    pub delay: Option<DelayView>,
    /// Share of the time connected, in percent, since the feed was switched on.
    pub uptime_percent: f64,
    /// Streams with their events since the start, the latest first; at most [`SUBSCRIPTIONS_MAX`].
    pub streams: Vec<StreamRow>,
    /// Entries waiting to be sent to it.
    pub waiting: u64,
    /// Entries that it refused: a person decides.
    pub held: u64,
}

/// How long a feed's events took from when they happened, by the source's clock (of a hub: from when it stored them),
/// until they were here, by ours. What was caught up after a connection is left out, and so is what has no time of its
/// own. The clocks are not compared: that they differ is certain only where a value is negative.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DelayView {
    /// Events counted since the feed was switched on.
    pub events: u64,
    /// On average, in milliseconds.
    pub mean_ms: f64,
    /// The least, in milliseconds; negative if the source's clock is ahead of ours by at least so much.
    pub least_ms: f64,
}

/// Streams that a feed's details list.
pub const SUBSCRIPTIONS_MAX: usize = 20;

/// A stream of a feed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StreamRow {
    /// Its name.
    pub stream: String,
    /// Its events.
    pub events: u64,
    /// Events a second, over the last seconds.
    pub rate: f64,
    /// When the last came.
    pub last: Micros,
}

/// A message that could not be read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QuarantineRow {
    /// Its number.
    pub id: i64,
    /// When it came.
    pub at: Micros,
    /// What is wrong with it.
    pub reason: String,
    /// Its beginning, as text.
    pub message: String,
}

/// An entry of the outbox.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutboxRow {
    /// The order of sending.
    pub seq: u64,
    /// By which it is tried again or discarded.
    pub key: String,
    /// What it is.
    pub what: String,
    /// Where to.
    pub stream: String,
    /// Size of its bodies.
    pub bytes: u64,
    /// When it was added.
    pub at: Micros,
    /// Why it waits.
    pub why: OutboxWhy,
}

/// Why an entry of the outbox waits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum OutboxWhy {
    /// For its turn, or for the connection.
    Turn,
    /// The hub does not take it now, in its words; it is sent again by itself.
    Retrying(String),
    /// The hub refused it, in its words: a person decides.
    Held(String),
    /// What is before it in its stream is held.
    BehindHeld,
}

/// *While you were away*: what came in one go after an absence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DigestView {
    /// Made anew for each absence.
    pub id: u64,
    /// Which it is of how many, from 1: those before it were put away, those after it wait.
    pub place: (u32, u32),
    /// Older ones that nobody saw, because too many waited.
    pub left_out: u64,
    /// Of which feed.
    pub source: String,
    /// From when.
    pub from: Micros,
    /// Until when.
    pub until: Micros,
    /// Events that were caught up; of a feed that does not number them, those that came until it rested.
    pub events: u64,
    /// How long that took, in milliseconds.
    pub took_ms: f64,
    /// Offsets that the source does not have any more.
    pub missing: u64,
    /// Whether the source numbers its events, so that nothing else is missing.
    pub proven: bool,
    /// Runs that began.
    pub began: u32,
    /// Runs that ended well.
    pub finished: u32,
    /// Runs that failed.
    pub failed: u32,
    /// The runs that failed, then the others, the latest first; at most [`DIGEST_RUNS_MAX`].
    pub runs: Vec<RunRow>,
}

/// Runs that a digest lists.
pub const DIGEST_RUNS_MAX: usize = 8;

/// The state of feeds and store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Health {
    /// Whether the embedded hub answers.
    pub hub_live: bool,
    /// Runs under way.
    pub running: u32,
    /// Postings in the cache.
    pub postings: u32,
    /// Trouble with the store, in a sentence, if there is any.
    pub trouble: Option<String>,
    /// Whether live features are on.
    pub live: LiveSwitch,
    /// Feeds that are followed: name, number, and how they stand.
    pub feeds: Vec<FeedHealth>,
}

/// A feed that is switched on, as the indicator needs it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeedHealth {
    /// Its number.
    pub id: i64,
    /// What people call it.
    pub name: String,
    /// Its connection.
    pub link: LinkView,
}
