//! What is to be published to other hubs: durable before it is sent, gone when the hub has it (SPEC C6).
//!
//! The order and the rules of sending are those of the outbox machine of `ghostlight-sync`; here are its rows.
//! [`Store::outbox_load`] is its load, the other functions are what it or a person decides about an entry. `outbox_run`
//! remembers which run was queued for which hub, so that none is queued twice.

use crate::{
    error::StoreError,
    open::Store,
    read::Rows,
    sql,
    streams::{feed_of, signed, unsigned},
    writer::{Batch, Pending},
};
use ghostlight_model::{Epoch, Micros, Offset, RunId, StreamId};
use rusqlite::{Connection, OptionalExtension, Row, params};

/// Something to be published to a hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEntry {
    /// The feed id of the hub.
    pub hub: String,
    /// Idempotency key, never used for anything else.
    pub key: String,
    /// Where to.
    pub stream: StreamId,
    /// JSON values, at least one, kept verbatim.
    pub bodies: Vec<String>,
    /// What it is, for people.
    pub what: String,
    /// The run that it is a part of.
    pub run: Option<RunId>,
    /// When it was added.
    pub at: Micros,
}

/// An entry to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxEntry {
    /// The order of sending within a stream.
    pub seq: u64,
    /// Idempotency key.
    pub key: String,
    /// Where to.
    pub stream: StreamId,
    /// `seq` of the entry right before it in its stream, if there is one.
    pub before: Option<u64>,
    /// A JSON array of the bodies.
    pub bodies: String,
}

/// An entry as a person sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxRow {
    /// The order of sending.
    pub seq: u64,
    /// By which it is retried or discarded.
    pub key: String,
    /// What it is.
    pub what: String,
    /// Where to.
    pub stream: StreamId,
    /// Size of its bodies.
    pub bytes: u64,
    /// When it was added.
    pub at: Micros,
    /// Why it is held, if it is.
    pub held: Option<Held>,
    /// It waits behind a held one of its stream.
    pub behind_held: bool,
}

/// Why the hub does not take an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// For programs.
    pub code: String,
    /// For people.
    pub message: String,
}

/// An entry by its name: what it is, and where to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryName {
    /// For people.
    pub what: String,
    /// Its stream.
    pub stream: StreamId,
}

/// What waits for a hub.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OutboxCounts {
    /// Entries that wait, those behind a held one included.
    pub waiting: u64,
    /// Entries that a person has to decide about.
    pub held: u64,
    /// Size of all their bodies.
    pub bytes: u64,
}

/// What became of a run that was queued for a hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunDelivery {
    /// When it was queued.
    pub at: Micros,
    /// Entries it was put into; 0 for a run without events.
    pub parts: u64,
    /// Of them the hub has.
    pub delivered: u64,
    /// Of them a person discarded.
    pub discarded: u64,
    /// Epoch, first and last offset of what the hub has.
    pub place: Option<(Epoch, Offset, Offset)>,
}

/// A place in the list of ended runs; the default is before the first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EndedMark {
    started: i64,
    run: String,
}

impl Store {
    /// Adds entries in this order; the answer says that they are durable.
    ///
    /// # Errors
    /// [`StoreError::Refused`] if an entry has no body or its key is used already; nothing is added then.
    pub fn outbox_add(&self, entries: Vec<NewEntry>) -> Pending<()> {
        self.writer()
            .submit(move |batch| entries.iter().try_for_each(|entry| add(batch, entry)))
    }

    /// Queues a run, once: the entries that it was put into, in this order. Answers whether it was new; one that was
    /// queued before, or is delivered already, changes nothing.
    ///
    /// # Errors
    /// As [`Store::outbox_add`].
    pub fn outbox_add_run(
        &self,
        hub: String,
        run: RunId,
        entries: Vec<NewEntry>,
        at: Micros,
    ) -> Pending<bool> {
        self.writer().submit(move |batch| {
            let new = batch
                .tx
                .prepare_cached(
                    "INSERT INTO outbox_run (hub, run, at, parts) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT DO NOTHING",
                )
                .and_then(|mut s| s.execute(params![hub, run.0, at.0, entries.len() as i64]))
                .map_err(|e| batch.sqlite(&e))?;
            if new > 0 {
                entries.iter().try_for_each(|entry| add(batch, entry))?;
                batch.touched.outbox();
            }
            Ok(new > 0)
        })
    }

    /// Entries for a hub behind `after`, in order, at most `limit`; none of a stream with a held entry or in `except`.
    /// Also whether there are more.
    pub fn outbox_load(
        &self,
        hub: &str,
        after: u64,
        limit: usize,
        except: &[StreamId],
    ) -> Result<(Vec<OutboxEntry>, bool), StoreError> {
        let except = serde_json::to_string(except).unwrap_or_default();
        let wanted = params![hub, signed(after), except, limit as i64 + 1];
        let mut entries: Vec<OutboxEntry> = self.reading(|c| {
            let mut statement = c.prepare_cached(sql::OUTBOX_LOAD)?;
            let rows = statement.query_map(wanted, |row| {
                Ok(OutboxEntry {
                    seq: unsigned(row.get(0)?),
                    key: row.get(1)?,
                    stream: StreamId(row.get(2)?),
                    before: row.get::<_, Option<i64>>(3)?.map(unsigned),
                    bodies: row.get(4)?,
                })
            })?;
            rows.collect()
        })?;
        let more = entries.len() > limit;
        entries.truncate(limit);
        Ok((entries, more))
    }

    /// The hub has an entry: its row goes, and where the run is stays. Answers what it was; `None` if it is gone.
    pub fn outbox_done(
        &self,
        hub: String,
        key: String,
        (epoch, first, last): (Epoch, Offset, Offset),
    ) -> Pending<Option<EntryName>> {
        self.writer().submit(move |batch| {
            let done = || -> rusqlite::Result<Option<EntryName>> {
                let Some((name, run)) = remove(batch, &hub, &key)? else {
                    return Ok(None);
                };
                let place = [epoch.0, first.0, last.0].map(signed);
                delivered(batch, &hub, run.as_deref(), place)?;
                Ok(Some(name))
            };
            let done = done().map_err(|e| batch.sqlite(&e))?;
            batch.touched.outbox();
            Ok(done)
        })
    }

    /// Marks an entry as refused for good. Answers what it is; `None` if it is gone.
    pub fn outbox_hold(&self, hub: String, key: String, held: Held) -> Pending<Option<EntryName>> {
        self.mark(hub, key, Some(held))
    }

    /// Lets a held entry be sent again. Answers what it is; `None` if it is gone.
    pub fn outbox_release(&self, hub: String, key: String) -> Pending<Option<EntryName>> {
        self.mark(hub, key, None)
    }

    fn mark(&self, hub: String, key: String, held: Option<Held>) -> Pending<Option<EntryName>> {
        self.writer().submit(move |batch| {
            let (code, message) = held.map(|held| (held.code, held.message)).unzip();
            let name = batch
                .tx
                .prepare_cached(
                    "UPDATE outbox SET held_code = ?3, held_message = ?4
                     WHERE key = ?2 AND hub = ?1 RETURNING what, stream",
                )
                .and_then(|mut s| {
                    s.query_row(params![hub, key, code, message], entry_name)
                        .optional()
                })
                .map_err(|e| batch.sqlite(&e))?;
            batch.touched.outbox();
            Ok(name)
        })
    }

    /// Deletes an entry that a person discarded. Answers what it was; `None` if it is gone already.
    pub fn outbox_discard(&self, hub: String, key: String) -> Pending<Option<EntryName>> {
        self.writer().submit(move |batch| {
            let discard = || -> rusqlite::Result<Option<EntryName>> {
                let Some((name, run)) = remove(batch, &hub, &key)? else {
                    return Ok(None);
                };
                batch
                    .tx
                    .prepare_cached(
                        "UPDATE outbox_run SET discarded = discarded + 1 WHERE hub = ?1 AND run = ?2",
                    )?
                    .execute((&hub, run))?;
                Ok(Some(name))
            };
            let name = discard().map_err(|e| batch.sqlite(&e))?;
            batch.touched.outbox();
            Ok(name)
        })
    }

    /// What waits for a hub, in numbers.
    pub fn outbox_counts(&self, hub: &str) -> Result<OutboxCounts, StoreError> {
        self.reading(|c| counts(c, hub))
    }

    /// A page of what waits for a hub, oldest first.
    pub fn outbox_page(
        &self,
        hub: &str,
        start: u32,
        len: u32,
    ) -> Result<Rows<OutboxRow>, StoreError> {
        self.reading(|c| {
            let total = c
                .prepare_cached(sql::OUTBOX_TOTAL)?
                .query_row([hub], |row| row.get(0))?;
            let mut statement = c.prepare_cached(sql::OUTBOX_PAGE)?;
            let rows = statement.query_map(params![hub, start, len], outbox_row)?;
            Ok(Rows {
                total,
                rows: rows.collect::<rusqlite::Result<_>>()?,
            })
        })
    }

    /// Our own runs that ended and were never queued for a hub, in the order in which they began, behind `after`. Also
    /// the mark behind them.
    pub fn outbox_unqueued(
        &self,
        hub: &str,
        after: &EndedMark,
        limit: usize,
    ) -> Result<(Vec<RunId>, EndedMark), StoreError> {
        let mut mark = after.clone();
        let wanted = params![hub, after.started, after.run, limit as i64];
        let runs = self.reading(|c| {
            let mut statement = c.prepare_cached(sql::OUTBOX_UNQUEUED)?;
            let rows = statement.query_map(wanted, |row| {
                mark = EndedMark {
                    started: row.get(0)?,
                    run: row.get(1)?,
                };
                Ok(RunId(mark.run.clone()))
            })?;
            rows.collect::<rusqlite::Result<_>>()
        })?;
        Ok((runs, mark))
    }

    /// Whether a run is ours, ended, and was never queued for a hub.
    pub fn outbox_is_due(&self, hub: &str, run: &RunId) -> Result<bool, StoreError> {
        self.reading(|c| c.prepare_cached(sql::OUTBOX_DUE)?.exists((hub, &run.0)))
    }

    /// What became of a run that was queued for a hub; `None` if it never was.
    pub fn outbox_run(&self, hub: &str, run: &RunId) -> Result<Option<RunDelivery>, StoreError> {
        self.reading(|c| run_delivery(c, hub, run))
    }

    /// Whether a run that a hub sent is one of ours, published there from here: it is known already.
    pub fn outbox_came_back(&self, run: &RunId) -> Result<bool, StoreError> {
        let Some((origin, stream)) = run.place() else {
            return Ok(false);
        };
        let (Some(hub), Some(ours)) = (feed_of(origin), stream.run()) else {
            return Ok(false);
        };
        self.reading(|c| c.prepare_cached(sql::OUTBOX_QUEUED)?.exists((hub, &ours.0)))
    }
}

pub(crate) fn counts(c: &Connection, hub: &str) -> rusqlite::Result<OutboxCounts> {
    c.prepare_cached(sql::OUTBOX_COUNTS)?
        .query_row([hub], |row| {
            Ok(OutboxCounts {
                waiting: unsigned(row.get(0)?),
                held: unsigned(row.get(1)?),
                bytes: unsigned(row.get(2)?),
            })
        })
}

/// Adds an entry in whatever transaction it belongs to.
pub(crate) fn add(batch: &mut Batch<'_>, entry: &NewEntry) -> Result<(), StoreError> {
    if entry.bodies.is_empty() {
        let nothing = format!("there is nothing to publish of {}", entry.what);
        return Err(StoreError::Refused(nothing));
    }
    let bytes: usize = entry.bodies.iter().map(String::len).sum();
    let bodies = format!("[{}]", entry.bodies.join(","));
    let added = batch
        .tx
        .prepare_cached(
            "INSERT INTO outbox (hub, key, stream, what, run, at, bytes, bodies)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
        )
        .and_then(|mut s| {
            s.execute(params![
                entry.hub,
                entry.key,
                entry.stream.0,
                entry.what,
                entry.run.as_ref().map(|run| &run.0),
                entry.at.0,
                bytes as i64,
                bodies,
            ])
        })
        .map_err(|e| batch.sqlite(&e))?;
    if added == 0 {
        let used = format!("the key {} waits in the outbox already", entry.key);
        return Err(StoreError::Refused(used));
    }
    batch.touched.outbox();
    Ok(())
}

/// Removes a row; what it was, and the run that it was a part of.
fn remove(
    batch: &Batch<'_>,
    hub: &str,
    key: &str,
) -> rusqlite::Result<Option<(EntryName, Option<String>)>> {
    batch
        .tx
        .prepare_cached(
            "DELETE FROM outbox WHERE key = ?2 AND hub = ?1 RETURNING what, stream, run",
        )?
        .query_row((hub, key), |row| Ok((entry_name(row)?, row.get(2)?)))
        .optional()
}

/// Counts a part of a run, and widens the place where the hub has it; in another epoch the place is a new one.
fn delivered(
    batch: &Batch<'_>,
    hub: &str,
    run: Option<&str>,
    [epoch, first, last]: [i64; 3],
) -> rusqlite::Result<()> {
    batch
        .tx
        .prepare_cached(
            "UPDATE outbox_run SET delivered = delivered + 1, epoch = ?3,
                 first_offset = iif(epoch = ?3, min(first_offset, ?4), ?4),
                 last_offset = iif(epoch = ?3, max(last_offset, ?5), ?5)
             WHERE hub = ?1 AND run = ?2",
        )?
        .execute(params![hub, run, epoch, first, last])?;
    Ok(())
}

fn entry_name(row: &Row<'_>) -> rusqlite::Result<EntryName> {
    Ok(EntryName {
        what: row.get(0)?,
        stream: StreamId(row.get(1)?),
    })
}

fn outbox_row(row: &Row<'_>) -> rusqlite::Result<OutboxRow> {
    let code: Option<String> = row.get(6)?;
    let message: Option<String> = row.get(7)?;
    let held = code.map(|code| Held {
        code,
        message: message.unwrap_or_default(),
    });
    Ok(OutboxRow {
        seq: unsigned(row.get(0)?),
        key: row.get(1)?,
        what: row.get(2)?,
        stream: StreamId(row.get(3)?),
        bytes: unsigned(row.get(4)?),
        at: Micros(row.get(5)?),
        behind_held: held.is_none() && row.get(8)?,
        held,
    })
}

fn run_delivery(c: &Connection, hub: &str, run: &RunId) -> rusqlite::Result<Option<RunDelivery>> {
    c.prepare_cached(sql::OUTBOX_RUN)?
        .query_row((hub, &run.0), |row| {
            let place: [Option<i64>; 3] = [row.get(4)?, row.get(5)?, row.get(6)?];
            let place = match place.map(|number| number.map(unsigned)) {
                [Some(epoch), Some(first), Some(last)] => {
                    Some((Epoch(epoch), Offset(first), Offset(last)))
                }
                _ => None,
            };
            Ok(RunDelivery {
                at: Micros(row.get(0)?),
                parts: unsigned(row.get(1)?),
                delivered: unsigned(row.get(2)?),
                discarded: unsigned(row.get(3)?),
                place,
            })
        })
        .optional()
}
