//! Streams as others write and read them: published to this hub, or received from a feed.
//!
//! Bodies are kept verbatim; nothing here reads more of one than its node and phase. [`Store::publish`] appends to the
//! hub's log, [`Store::stream_page`] reads it; [`Store::receive`] stores what a feed delivered and
//! [`Store::positions`] says where it goes on.

use crate::{
    error::StoreError,
    open::Store,
    project::{StreamHead, log_end},
    read, sql,
    writer::{Batch, Pending},
};
use ghostlight_model::{
    ContentHash, Epoch, EventBody, Micros, Offset, RunId, StreamId, foreign, run::RunKind,
};
use rusqlite::{CachedStatement, Connection, OptionalExtension, params};
use std::collections::HashMap;

/// How long a key of `publish` is remembered, in microseconds: 90 days, longer than anybody stays offline. A key that
/// comes again later appends again.
const KEY_KEPT_US: i64 = 90 * 24 * 3_600 * 1_000_000;
/// Keys forgotten with each new one at most, so that none pays for all.
const KEYS_FORGOTTEN_MAX: i64 = 4;
/// Messages in quarantine a feed; beyond, the oldest goes.
const QUARANTINE_MAX: i64 = 10_000;
/// Bytes of a message that are kept in quarantine.
const QUARANTINE_BYTES_MAX: usize = 4_096;

/// Offsets end before this one, so that the next is still a number of SQLite's.
const OFFSET_MAX: u64 = i64::MAX as u64;

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
        self.writer()
            .submit(move |batch| publish(batch, &key, &stream, &bodies, now, content))
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
        let reads: Vec<Option<EventBody>> =
            delivery.iter().map(|one| as_event(one, &origin)).collect();
        self.writer().submit(move |batch| {
            let path = batch.path;
            let mut intake = Intake {
                insert: batch
                    .tx
                    .prepare_cached(sql::INSERT_EVENT)
                    .map_err(|e| StoreError::sqlite(path, &e))?,
                batch,
                origin: &origin,
                reached: Vec::new(),
                places: HashMap::new(),
                arrived: Vec::new(),
                count: ReceivedCount::default(),
            };
            for (one, read) in delivery.iter().zip(reads) {
                intake.take(one, read)?;
            }
            intake.finish().map_err(|e| StoreError::sqlite(path, &e))
        })
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
                .prepare_cached(sql::QUARANTINED)?
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

    /// How many messages of a feed are in quarantine.
    pub fn quarantined(&self, feed: &str) -> Result<u64, StoreError> {
        self.reading(|c| {
            c.prepare_cached(sql::QUARANTINED)?
                .query_row([origin_of(feed)], |row| Ok(unsigned(row.get(0)?)))
        })
    }
}

fn publish(
    batch: &mut Batch<'_>,
    key: &str,
    stream: &StreamId,
    bodies: &[String],
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
    let mut insert = batch.tx.prepare_cached(sql::INSERT_EVENT).map_err(sqlite)?;
    let mut events = Vec::with_capacity(bodies.len());
    for body in bodies {
        let event = foreign::skim(body, now, &run);
        let words = (event.node.as_str(), event.phase.word());
        insert_event(&mut insert, head, now, words, body).map_err(sqlite)?;
        head.next += 1;
        batch.touched.reached(batch.tx.last_insert_rowid());
        events.push((kind_of(stream, HUB), head.epoch, event));
    }
    let done = Published {
        epoch: Epoch(unsigned(head.epoch)),
        first: Offset(unsigned(first)),
        last: Offset(unsigned(head.next - 1)),
        duplicate: false,
    };
    advance(batch.tx, head).map_err(sqlite)?;
    remember(batch, key, head, &done, content, now).map_err(sqlite)?;
    fold_arrived(batch, &events).map_err(sqlite)?;
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

/// One delivery on its way into the log. Each stream's head is read and written once.
struct Intake<'a, 'b, 'c> {
    batch: &'a mut Batch<'b>,
    /// [`sql::INSERT_EVENT`].
    insert: CachedStatement<'b>,
    origin: &'a str,
    /// The streams of this delivery, and which is where.
    reached: Vec<Reached<'c>>,
    places: HashMap<&'c StreamId, usize>,
    arrived: Vec<Arrived>,
    count: ReceivedCount,
}

/// Where a stream stands in the midst of a delivery.
struct Reached<'c> {
    stream: &'c StreamId,
    kind: RunKind,
    head: StreamHead,
    /// Events of this delivery that were stored.
    stored: u64,
}

/// An event in the log, with its run's rule and its epoch, to be folded once all that can fail has succeeded.
type Arrived = (RunKind, i64, EventBody);

/// Folds events in the order in which they came, so that a rebuild does the same.
fn fold_arrived(batch: &mut Batch<'_>, arrived: &[Arrived]) -> rusqlite::Result<()> {
    let mut stored = HashMap::new();
    for (_, _, event) in arrived {
        let run = &event.run_id;
        if !batch.touched.knows(run) && !stored.contains_key(run) {
            stored.insert(run, read::run_state(batch.tx, run)?);
        }
    }
    for (kind, epoch, event) in arrived {
        let run = &event.run_id;
        let stored = stored.remove(run).flatten();
        let event = std::slice::from_ref(event);
        batch.touched.apply((run, *kind, *epoch), stored, event);
    }
    Ok(())
}

impl<'c> Intake<'_, '_, 'c> {
    fn take(&mut self, what: &'c Received, read: Option<EventBody>) -> Result<(), StoreError> {
        let last = match what {
            Received::Event { event, .. } => event.offset,
            Received::Gap { to, .. } => *to,
            Received::Epoch { .. } | Received::Quarantined { .. } => Offset(0),
        };
        if last.0 >= OFFSET_MAX {
            return Err(StoreError::Refused(format!(
                "offset {} is beyond what can be stored; the source must begin a new epoch",
                last.0
            )));
        }
        let path = self.batch.path;
        let sqlite = |e: rusqlite::Error| StoreError::sqlite(path, &e);
        match what {
            Received::Event {
                stream,
                epoch,
                event,
            } => self.event(stream, *epoch, event, read),
            Received::Gap {
                stream,
                epoch,
                from,
                to,
                reason,
            } => self
                .gap(stream, *epoch, (*from, *to), reason)
                .map_err(sqlite),
            Received::Epoch { stream, epoch } => {
                self.reach(stream, *epoch).map(drop).map_err(sqlite)
            }
            Received::Quarantined {
                at,
                reason,
                message,
            } => quarantine(self.batch, self.origin, *at, reason, message).map_err(sqlite),
        }
    }

    fn event(
        &mut self,
        stream: &'c StreamId,
        epoch: Epoch,
        event: &LogEvent,
        read: Option<EventBody>,
    ) -> Result<(), StoreError> {
        let path = self.batch.path;
        let sqlite = |e: rusqlite::Error| StoreError::sqlite(path, &e);
        let offset = signed(event.offset.0);
        let reached = self.reach(stream, epoch).map_err(sqlite)?;
        let Some(at) = reached.filter(|at| offset >= self.reached[*at].head.next) else {
            self.count.duplicates += 1;
            return Ok(());
        };
        let Reached { kind, head, .. } = self.reached[at];
        if offset > head.next {
            return Err(StoreError::Refused(format!(
                "offsets {} to {} of {stream} are missing and not recorded as a gap",
                head.next,
                offset - 1
            )));
        }
        let read = read.unwrap_or_else(|| {
            let run = RunId::of_stream(self.origin, stream);
            foreign::skim(&event.body, event.ts, &run)
        });
        let words = (read.node.as_str(), read.phase.word());
        insert_event(&mut self.insert, head, event.ts, words, &event.body).map_err(sqlite)?;
        self.batch
            .touched
            .reached(self.batch.tx.last_insert_rowid());
        self.arrived.push((kind, head.epoch, read));
        let reached = &mut self.reached[at];
        reached.head.next += 1;
        reached.stored += 1;
        self.count.stored += 1;
        Ok(())
    }

    /// Records what of the gap is neither stored nor recorded yet.
    fn gap(
        &mut self,
        stream: &'c StreamId,
        epoch: Epoch,
        (from, to): (Offset, Offset),
        reason: &str,
    ) -> rusqlite::Result<()> {
        let Some(at) = self.reach(stream, epoch)? else {
            return Ok(());
        };
        let head = self.reached[at].head;
        let (first, last) = (signed(from.0).max(head.next), signed(to.0));
        if last < first {
            return Ok(());
        }
        self.batch
            .tx
            .prepare_cached(
                "INSERT INTO gap (stream_id, epoch, first_offset, last_offset, reason, after_seq)
                 VALUES (?1, ?2, ?3, ?4, ?5, (SELECT coalesce(max(seq), 0) FROM event))",
            )?
            .execute(params![head.id, head.epoch, first, last, reason])?;
        self.reached[at].head.next = last.saturating_add(1);
        let gone = unsigned(last.saturating_sub(first)).saturating_add(1);
        self.count.missing = self.count.missing.saturating_add(gone);
        Ok(())
    }

    /// The stream's place in [`Intake::reached`], its head in this epoch, opening it where it is new or greater; `None`
    /// for an epoch that is over.
    fn reach(&mut self, stream: &'c StreamId, epoch: Epoch) -> rusqlite::Result<Option<usize>> {
        let epoch = signed(epoch.0);
        let at = match self.places.get(stream) {
            Some(at) => *at,
            None => {
                let known = stored_head(self.batch, stream, self.origin)?;
                let head = match known {
                    Some(head) => head,
                    None => open(self.batch, stream, self.origin, epoch)?,
                };
                let at = self.reached.len();
                self.reached.push(Reached {
                    stream,
                    kind: kind_of(stream, self.origin),
                    head,
                    stored: 0,
                });
                self.places.insert(stream, at);
                at
            }
        };
        let head = &mut self.reached[at].head;
        if epoch < head.epoch {
            return Ok(None);
        }
        if epoch > head.epoch {
            (head.epoch, head.next) = (epoch, 0);
        }
        Ok(Some(at))
    }

    fn finish(self) -> rusqlite::Result<ReceivedCount> {
        for reached in &self.reached {
            advance(self.batch.tx, reached.head)?;
        }
        fold_arrived(self.batch, &self.arrived)?;
        let streams = self.reached.iter().filter(|reached| reached.stored > 0);
        let streams = streams.map(|reached| (reached.stream.clone(), reached.stored));
        Ok(ReceivedCount {
            streams: streams.collect(),
            ..self.count
        })
    }
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

/// How an event reads: a body of another shape is kept all the same, as a generic one (SPEC C8).
fn as_event(what: &Received, origin: &str) -> Option<EventBody> {
    let Received::Event { stream, event, .. } = what else {
        return None;
    };
    let run = RunId::of_stream(origin, stream);
    Some(foreign::skim(&event.body, event.ts, &run))
}

fn quarantine(
    batch: &Batch<'_>,
    origin: &str,
    at: Micros,
    reason: &str,
    message: &[u8],
) -> rusqlite::Result<()> {
    let kept = &message[..message.len().min(QUARANTINE_BYTES_MAX)];
    batch
        .tx
        .prepare_cached(
            "INSERT INTO quarantine (origin, at, reason, message) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![origin, at.0, reason, kept])?;
    batch
        .tx
        .prepare_cached(
            "DELETE FROM quarantine WHERE origin = ?1 AND id <=
                 (SELECT id FROM quarantine WHERE origin = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
        )?
        .execute((origin, QUARANTINE_MAX))?;
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
