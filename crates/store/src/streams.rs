//! Streams as others write and read them: published to this hub, or received from a feed.
//!
//! Bodies are kept verbatim; nothing here reads more of one than its node and phase. [`Store::publish`] appends to the
//! hub's log, [`Store::stream_page`] reads it; [`Store::receive`] stores what a feed delivered and
//! [`Store::positions`] says where it goes on.

use crate::{
    error::StoreError,
    intake::{self, Intake},
    open::Store,
    project::{StreamHead, log_end, rebuild},
    read, sql,
    writer::{Batch, Pending},
};
use ghostlight_model::{
    ContentHash, Epoch, EventBody, Micros, Offset, RunId, StreamId, foreign,
    run::{INTERRUPTED, RunKind},
};
use rusqlite::{CachedStatement, Connection, OptionalExtension, Transaction, params};
use std::sync::Arc;

/// How long a key of `publish` is remembered, in microseconds: 90 days, longer than anybody stays offline. A key that
/// comes again later appends again.
const KEY_KEPT_US: i64 = 90 * 24 * 3_600 * 1_000_000;
/// Keys forgotten with each new one at most, so that none pays for all.
const KEYS_FORGOTTEN_MAX: i64 = 4;
/// The origin of our own runs.
pub const LOCAL: &str = "local";
/// The origin of what others published here.
pub const HUB: &str = "hub";

/// What the origins of feeds begin with.
const FEED: &str = "feed:";

/// The origin of what a feed sent.
pub fn origin_of(feed: &str) -> String {
    format!("{FEED}{feed}")
}

/// The feed whose origin it is; `None` for our own runs and the hub's.
pub fn feed_of(origin: &str) -> Option<&str> {
    origin.strip_prefix(FEED)
}

/// Which rule says when the run behind a stream ends.
pub(crate) fn kind_of(stream: &StreamId, origin: &str) -> RunKind {
    match (origin, stream.run()) {
        (LOCAL, _) => RunKind::Own,
        (_, Some(_)) => RunKind::Foreign,
        (_, None) => RunKind::Messages,
    }
}

/// An event as it is sent on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEvent {
    /// Its place in the epoch.
    pub offset: Offset,
    /// When it happened.
    pub ts: Micros,
    /// JSON, verbatim.
    pub body: String,
}

/// A part of a stream's current epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamPage {
    /// The epoch.
    pub epoch: Epoch,
    /// The first offset that is still there.
    pub first_retained: Offset,
    /// Events in order.
    pub events: Vec<LogEvent>,
    /// The offset that the next new event gets.
    pub head: Offset,
}

/// A stream and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamInfo {
    /// Which.
    pub stream: StreamId,
    /// Its epoch.
    pub epoch: Epoch,
    /// The offset that the next new event gets.
    pub head: Offset,
}

/// What a publish did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// The stream's epoch.
    pub epoch: Epoch,
    /// The first event's offset.
    pub first: Offset,
    /// The last event's offset.
    pub last: Offset,
    /// Whether the key was known, and nothing was appended now.
    pub duplicate: bool,
}

/// Something that a feed delivered, in the order of its stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// An event.
    Event {
        /// Its stream.
        stream: StreamId,
        /// Its epoch.
        epoch: Epoch,
        /// Its place.
        event: LogEvent,
    },
    /// Offsets that will never come, both ends included.
    Gap {
        /// Their stream.
        stream: StreamId,
        /// Their epoch.
        epoch: Epoch,
        /// The first.
        from: Offset,
        /// The last.
        to: Offset,
        /// Why.
        reason: String,
    },
    /// A stream begins, or begins anew.
    Epoch {
        /// Which.
        stream: StreamId,
        /// Its epoch from now on.
        epoch: Epoch,
    },
    /// A message that cannot be read.
    Quarantined {
        /// When it came.
        at: Micros,
        /// What is wrong with it.
        reason: String,
        /// The message; its first 4 KiB are kept.
        message: Vec<u8>,
    },
    /// Where a feed without offsets goes on behind what came before this: durable with it, or not at all.
    Cursor {
        /// The feed's address (without credentials).
        url: String,
        /// As [`Store::feed_cursor`] answers it.
        cursor: String,
    },
}

/// What of a delivery was new.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReceivedCount {
    /// Events stored.
    pub stored: u64,
    /// Events that were there already.
    pub duplicates: u64,
    /// Offsets recorded as gone.
    pub missing: u64,
    /// Events stored of each stream.
    pub streams: Vec<(StreamId, u64)>,
}

/// A message that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantined {
    /// Its number.
    pub id: i64,
    /// When it came.
    pub at: Micros,
    /// What is wrong with it.
    pub reason: String,
    /// Its first 4 KiB.
    pub message: Vec<u8>,
}

/// An entry of a feed's log, in order of arrival.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeedEntry {
    /// An event.
    Event {
        /// This file's own order of arrival.
        seq: i64,
        /// Its stream.
        stream: StreamId,
        /// Its epoch.
        epoch: Epoch,
        /// The event.
        event: LogEvent,
    },
    /// Offsets that will never come, both ends included.
    Gap {
        /// Their stream.
        stream: StreamId,
        /// Their epoch.
        epoch: Epoch,
        /// The first.
        from: Offset,
        /// The last.
        to: Offset,
        /// Why.
        reason: String,
    },
}

impl FeedEntry {
    /// The entry's stream.
    pub fn stream(&self) -> &StreamId {
        match self {
            Self::Event { stream, .. } | Self::Gap { stream, .. } => stream,
        }
    }
}

/// Moves every stream that may have had more events to a new epoch; how many they are.
fn new_epochs(tx: &Transaction<'_>, epoch: i64) -> rusqlite::Result<u64> {
    let mut streams = 0;
    for statement in sql::NEW_EPOCHS {
        // The last one tells.
        streams = tx.execute(statement, [epoch])?;
    }
    let mut statement = tx.prepare(sql::INTERRUPTED_STREAMS)?;
    let interrupted = statement.query_map([INTERRUPTED], |row| row.get(0))?;
    for id in interrupted.collect::<rusqlite::Result<Vec<i64>>>()? {
        for statement in sql::NEW_EPOCH {
            tx.execute(statement, params![id, epoch])?;
        }
        streams += 1;
    }
    Ok(streams as u64)
}

impl Store {
    /// Appends bodies to a stream of the hub, all or none, once a key; the answer says that they are durable. A key
    /// that is known is answered with what it did. Making a stream opens its epoch at `now`.
    ///
    /// # Errors
    /// [`StoreError::Refused`] if there is no body, the key came with something else before, or the stream is one of
    /// our own runs.
    pub fn publish(
        &self,
        key: String,
        stream: StreamId,
        bodies: Vec<String>,
        now: Micros,
    ) -> Pending<Published> {
        let content = content_of(&stream, &bodies);
        // Read here: the writer's time is what everybody waits for.
        let run = RunId::of_stream(HUB, &stream);
        let reads: Vec<EventBody> = bodies
            .iter()
            .map(|body| foreign::skim(body, now, &run))
            .collect();
        self.writer()
            .submit(move |batch| publish(batch, &key, &stream, (&bodies, &reads), now, content))
    }

    /// Begins a new epoch of every stream that others published here, and of every run of our own that was interrupted,
    /// with its events at the offsets that they have; how many streams there are. For data that came from a backup: the
    /// offsets behind its end were given before. A run that had ended has none behind its end.
    pub fn begin_new_epochs(&self, now: Micros) -> Pending<u64> {
        self.writer().submit(move |batch| {
            let streams = new_epochs(batch.tx, epoch_at(now))
                .and_then(|streams| rebuild(batch.tx).map(|_| streams))
                .map_err(|e| batch.sqlite(&e))?;
            batch.touched.forget_runs();
            batch.touched.everything();
            Ok(streams)
        })
    }

    /// Events of a stream of the hub from `from` on: at most `max_events`, and no more once `max_bytes` of bodies are
    /// passed, but one at least if there is one. `None` if there is no such stream.
    pub fn stream_page(
        &self,
        stream: &StreamId,
        from: Offset,
        max_events: usize,
        max_bytes: usize,
    ) -> Result<Option<StreamPage>, StoreError> {
        self.reading(|c| {
            let Some((id, mut page)) = hub_stream(c, stream)? else {
                return Ok(None);
            };
            page.events = events(c, id, page.epoch, from, (max_events, max_bytes))?;
            Ok(Some(page))
        })
    }

    /// Streams of the hub whose names begin with `prefix`, in the order of their names, behind `after`.
    pub fn streams(
        &self,
        prefix: &str,
        after: Option<&StreamId>,
        limit: usize,
    ) -> Result<Vec<StreamInfo>, StoreError> {
        // No name has a control character, and none sorts behind the last character.
        let from = match after {
            Some(after) if after.0.as_str() >= prefix => format!("{after}\0"),
            _ => prefix.to_owned(),
        };
        let before = format!("{prefix}{}", char::MAX);
        let wanted = params![from, before, limit as i64];
        self.reading(|c| {
            let mut statement = c.prepare_cached(sql::HUB_STREAMS)?;
            let rows = statement.query_map(wanted, stream_info)?;
            rows.collect()
        })
    }

    /// Stores what a feed delivered, in this order; the answer says that it is durable. What is there already is left
    /// as it is.
    ///
    /// # Errors
    /// [`StoreError::Refused`], and nothing is stored, if an event would leave a hole without a recorded gap: then
    /// whoever calls did not ask for what is missing.
    pub fn receive(&self, feed: &str, delivery: Vec<Received>) -> Pending<ReceivedCount> {
        let origin = origin_of(feed);
        // Read here: the writer's time is what everybody waits for.
        let reads = intake::read(&delivery, &origin);
        let about = Arc::new((origin, delivery, reads));
        let what = about.clone();
        let work = move |batch: &mut Batch<'_>| {
            let (origin, delivery, reads) = &*what;
            let intake = Intake::of(batch, origin, delivery.iter().zip(reads))?;
            intake.write(batch).map_err(|e| batch.sqlite(&e))
        };
        self.writer().submit_light(work).about(about)
    }

    /// Where each stream of a feed stands: the next offset wanted. Gaps that are recorded are behind it.
    pub fn positions(&self, feed: &str) -> Result<Vec<StreamInfo>, StoreError> {
        self.reading(|c| {
            let mut statement = c.prepare_cached(sql::FEED_STREAMS)?;
            let rows = statement.query_map([origin_of(feed)], stream_info)?;
            rows.collect()
        })
    }

    /// A feed's log in order of arrival behind `seq` (0 for all): at most `limit` events and the gaps between them.
    pub fn feed_log(
        &self,
        feed: &str,
        seq: i64,
        limit: usize,
    ) -> Result<Vec<FeedEntry>, StoreError> {
        let origin = origin_of(feed);
        self.reading(|c| feed_log(c, &origin, seq, limit))
    }

    /// The last place in the order of arrival, of all feeds and our own runs; 0 if there is none.
    pub fn last_arrival(&self) -> Result<i64, StoreError> {
        self.reading(log_end)
    }

    /// Messages of a feed in quarantine, the latest first, and how many there are.
    pub fn quarantine(
        &self,
        feed: &str,
        start: u32,
        len: u32,
    ) -> Result<read::Rows<Quarantined>, StoreError> {
        let origin = origin_of(feed);
        self.reading(|c| {
            let total = c
                .prepare_cached(sql::QUARANTINE_ROWS)?
                .query_row([&origin], |row| row.get(0))?;
            let mut statement = c.prepare_cached(sql::QUARANTINE)?;
            let rows = statement.query_map(params![origin, start, len], |row| {
                Ok(Quarantined {
                    id: row.get(0)?,
                    at: Micros(row.get(1)?),
                    reason: row.get(2)?,
                    message: row.get(3)?,
                })
            })?;
            Ok(read::Rows {
                total,
                rows: rows.collect::<rusqlite::Result<_>>()?,
            })
        })
    }

    /// How many messages of a feed were ever put into quarantine, which keeps the latest of them.
    pub fn quarantined(&self, feed: &str) -> Result<u64, StoreError> {
        self.reading(|c| {
            let total = c
                .prepare_cached(sql::QUARANTINED)?
                .query_row([origin_of(feed)], |row| Ok(unsigned(row.get(0)?)))
                .optional()?;
            Ok(total.unwrap_or(0))
        })
    }
}

fn publish(
    batch: &mut Batch<'_>,
    key: &str,
    stream: &StreamId,
    (bodies, reads): (&[String], &[EventBody]),
    now: Micros,
    content: ContentHash,
) -> Result<Published, StoreError> {
    let path = batch.path;
    let sqlite = |e: rusqlite::Error| StoreError::sqlite(path, &e);
    if bodies.is_empty() {
        return Err(StoreError::Refused("there is nothing to publish".into()));
    }
    if let Some((done, with)) = published(batch, key).map_err(sqlite)? {
        return match with == content.0 {
            true => Ok(done),
            false => Err(StoreError::Refused(format!(
                "the key {key} was used for something else before; make a new key for each publish"
            ))),
        };
    }
    let own = stored_head(batch, stream, LOCAL).map_err(sqlite)?;
    if own.is_some() {
        return Err(StoreError::Refused(format!(
            "{stream} is one of this hub's own runs; publish to another stream"
        )));
    }
    let mut head = match stored_head(batch, stream, HUB).map_err(sqlite)? {
        Some(head) => head,
        None => open(batch, stream, HUB, epoch_at(now)).map_err(sqlite)?,
    };
    let first = head.next;
    let run = RunId::of_stream(HUB, stream);
    let state = batch.touched.missing(batch.tx, &run).map_err(sqlite)?;
    let mut insert = batch.tx.prepare_cached(sql::INSERT_EVENT).map_err(sqlite)?;
    for (body, event) in bodies.iter().zip(reads) {
        let words = (event.node.as_str(), event.phase.word());
        insert_event(&mut insert, head, now, words, body).map_err(sqlite)?;
        head.next += 1;
    }
    let last_seq = batch.tx.last_insert_rowid();
    let done = Published {
        epoch: Epoch(unsigned(head.epoch)),
        first: Offset(unsigned(first)),
        last: Offset(unsigned(head.next - 1)),
        duplicate: false,
    };
    advance(batch.tx, head).map_err(sqlite)?;
    remember(batch, key, head, &done, content, now).map_err(sqlite)?;
    // Everything that can fail has succeeded: only now is the batch's memory changed.
    let kind = kind_of(stream, HUB);
    batch.touched.apply((&run, kind, head.epoch), state, reads);
    batch.touched.reached(last_seq);
    batch.touched.stream_grew(stream.clone());
    Ok(done)
}

/// What a key did, and with which content.
fn published(batch: &Batch<'_>, key: &str) -> rusqlite::Result<Option<(Published, [u8; 32])>> {
    batch
        .tx
        .prepare_cached(sql::PUBLISHED)?
        .query_row([key], |row| {
            let done = Published {
                epoch: Epoch(unsigned(row.get(0)?)),
                first: Offset(unsigned(row.get(1)?)),
                last: Offset(unsigned(row.get(2)?)),
                duplicate: true,
            };
            Ok((done, row.get(3)?))
        })
        .optional()
}

fn remember(
    batch: &Batch<'_>,
    key: &str,
    head: StreamHead,
    done: &Published,
    content: ContentHash,
    now: Micros,
) -> rusqlite::Result<()> {
    batch
        .tx
        .prepare_cached(
            "INSERT INTO published (key, stream_id, epoch, first_offset, last_offset, content, at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            key,
            head.id,
            head.epoch,
            done.first.0 as i64,
            done.last.0 as i64,
            content.0,
            now.0
        ])?;
    batch
        .tx
        .prepare_cached(
            "DELETE FROM published WHERE key IN
                 (SELECT key FROM published WHERE at < ?1 ORDER BY at LIMIT ?2)",
        )?
        .execute((now.0.saturating_sub(KEY_KEPT_US), KEYS_FORGOTTEN_MAX))?;
    Ok(())
}

/// A stream's head, as the table has it.
pub(crate) fn stored_head(
    batch: &Batch<'_>,
    stream: &StreamId,
    origin: &str,
) -> rusqlite::Result<Option<StreamHead>> {
    batch
        .tx
        .prepare_cached(sql::STREAM)?
        .query_row((&stream.0, origin), |row| {
            Ok(StreamHead {
                id: row.get(0)?,
                epoch: row.get(1)?,
                next: row.get(2)?,
            })
        })
        .optional()
}

/// Makes a stream.
pub(crate) fn open(
    batch: &Batch<'_>,
    stream: &StreamId,
    origin: &str,
    epoch: i64,
) -> rusqlite::Result<StreamHead> {
    batch
        .tx
        .prepare_cached("INSERT INTO stream (name, origin, epoch) VALUES (?1, ?2, ?3)")?
        .execute((&stream.0, origin, epoch))?;
    let id = batch.tx.last_insert_rowid();
    Ok(StreamHead { id, epoch, next: 0 })
}

/// The epoch of a stream that is made now. Epochs are compared as unsigned numbers: a clock before 1970 counts as 1970.
pub(crate) fn epoch_at(now: Micros) -> i64 {
    now.0.max(0)
}

/// Writes an event at its stream's head, by [`sql::INSERT_EVENT`]: prepared once for many.
pub(crate) fn insert_event(
    insert: &mut CachedStatement<'_>,
    head: StreamHead,
    ts: Micros,
    (node, phase): (&str, &str),
    body: &str,
) -> rusqlite::Result<()> {
    insert.execute(params![
        head.id, head.epoch, head.next, ts.0, node, phase, body
    ])?;
    Ok(())
}

/// Sets where a stream's next event goes.
pub(crate) fn advance(tx: &Connection, head: StreamHead) -> rusqlite::Result<()> {
    tx.prepare_cached(sql::ADVANCE)?
        .execute((head.id, head.next, head.epoch))?;
    Ok(())
}

fn hub_stream(c: &Connection, stream: &StreamId) -> rusqlite::Result<Option<(i64, StreamPage)>> {
    c.prepare_cached(sql::HUB_STREAM)?
        .query_row([&stream.0], |row| {
            let page = StreamPage {
                epoch: Epoch(unsigned(row.get(1)?)),
                first_retained: Offset(unsigned(row.get(2)?)),
                events: Vec::new(),
                head: Offset(unsigned(row.get(3)?)),
            };
            Ok((row.get(0)?, page))
        })
        .optional()
}

fn events(
    c: &Connection,
    stream: i64,
    epoch: Epoch,
    from: Offset,
    (max_events, max_bytes): (usize, usize),
) -> rusqlite::Result<Vec<LogEvent>> {
    let mut statement = c.prepare_cached(sql::LOG_EVENTS)?;
    let mut rows = statement.query(params![
        stream,
        signed(epoch.0),
        signed(from.0),
        max_events as i64
    ])?;
    let (mut events, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        let event = log_event(row)?;
        bytes += event.body.len();
        events.push(event);
        if bytes >= max_bytes {
            break;
        }
    }
    Ok(events)
}

/// Name, epoch and next offset.
fn stream_info(row: &rusqlite::Row<'_>) -> rusqlite::Result<StreamInfo> {
    Ok(StreamInfo {
        stream: StreamId(row.get(0)?),
        epoch: Epoch(unsigned(row.get(1)?)),
        head: Offset(unsigned(row.get(2)?)),
    })
}

/// Offset, time and body, the first three columns.
fn log_event(row: &rusqlite::Row<'_>) -> rusqlite::Result<LogEvent> {
    Ok(LogEvent {
        offset: Offset(unsigned(row.get(0)?)),
        ts: Micros(row.get(1)?),
        body: row.get(2)?,
    })
}

fn feed_log(
    c: &Connection,
    origin: &str,
    seq: i64,
    limit: usize,
) -> rusqlite::Result<Vec<FeedEntry>> {
    let mut statement = c.prepare_cached(sql::FEED_LOG)?;
    let events = statement.query_map(params![origin, seq, limit as i64], |row| {
        let (seq, stream, epoch) = (row.get(3)?, row.get(4)?, row.get(5)?);
        Ok(FeedEntry::Event {
            seq,
            stream: StreamId(stream),
            epoch: Epoch(unsigned(epoch)),
            event: log_event(row)?,
        })
    })?;
    let events: Vec<FeedEntry> = events.collect::<rusqlite::Result<_>>()?;
    let last = match events.last() {
        Some(FeedEntry::Event { seq, .. }) if events.len() == limit => *seq,
        _ => i64::MAX,
    };
    let mut statement = c.prepare_cached(sql::FEED_GAPS)?;
    let gaps = statement.query_map(params![origin, seq, last], |row| {
        let gap = FeedEntry::Gap {
            stream: StreamId(row.get(0)?),
            epoch: Epoch(unsigned(row.get(1)?)),
            from: Offset(unsigned(row.get(2)?)),
            to: Offset(unsigned(row.get(3)?)),
            reason: row.get(4)?,
        };
        Ok((row.get(5)?, gap))
    })?;
    let gaps: Vec<(i64, FeedEntry)> = gaps.collect::<rusqlite::Result<_>>()?;
    Ok(woven(events, gaps))
}

/// Puts each gap before the first event that arrived after it.
fn woven(events: Vec<FeedEntry>, gaps: Vec<(i64, FeedEntry)>) -> Vec<FeedEntry> {
    let mut gaps = gaps.into_iter().peekable();
    let mut entries = Vec::with_capacity(events.len() + gaps.len());
    for event in events {
        let arrived = match &event {
            FeedEntry::Event { seq, .. } => *seq,
            FeedEntry::Gap { .. } => i64::MAX,
        };
        while let Some((_, gap)) = gaps.next_if(|(after, _)| *after < arrived) {
            entries.push(gap);
        }
        entries.push(event);
    }
    entries.extend(gaps.map(|(_, gap)| gap));
    entries
}

/// What a key of publish stands for.
fn content_of(stream: &StreamId, bodies: &[String]) -> ContentHash {
    let parts = std::iter::once(&stream.0).chain(bodies);
    ContentHash::of(&parts.map(String::as_bytes).collect::<Vec<_>>())
}

/// Offsets and epochs are stored as SQLite's signed numbers; none of ours is beyond them.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
