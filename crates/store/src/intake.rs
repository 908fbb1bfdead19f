//! A feed's delivery on its way into the log: first all that can be refused, then all that is written.
//!
//! So nothing has to be taken back: a savepoint around a delivery would copy every page that it changes.

use crate::{
    error::StoreError,
    project::StreamHead,
    sql,
    streams::{self, LogEvent, Received, ReceivedCount, insert_event, kind_of, signed, unsigned},
    writer::Batch,
};
use ghostlight_model::{
    Epoch, EventBody, Micros, Offset, RunId, StreamId, foreign,
    run::{RunKind, RunState},
};
use rusqlite::{Connection, params};
use std::collections::HashMap;

/// Offsets end before this one, so that the next is still a number of SQLite's.
const OFFSET_MAX: u64 = i64::MAX as u64;
/// Messages in quarantine a feed; beyond, the oldest goes, and stays counted.
const QUARANTINE_MAX: i64 = 10_000;
/// Bytes of a message that are kept in quarantine.
const QUARANTINE_BYTES_MAX: usize = 4_096;

/// How each event of a delivery reads: a body of another shape is kept all the same, as a generic one (SPEC C8). `None`
/// for anything else.
pub(crate) fn read(delivery: &[Received], origin: &str) -> Vec<Option<EventBody>> {
    let mut runs: HashMap<&StreamId, RunId> = HashMap::new();
    let each = delivery.iter().map(|what| {
        let Received::Event { stream, event, .. } = what else {
            return None;
        };
        let run = runs.entry(stream);
        let run = run.or_insert_with(|| RunId::of_stream(origin, stream));
        Some(foreign::skim(&event.body, event.ts, run))
    });
    each.collect()
}

/// What of a delivery is new, in order. Each stream's head is read and written once.
pub(crate) struct Intake<'c> {
    origin: &'c str,
    /// The streams of this delivery, and which is where.
    reached: Vec<Reached<'c>>,
    places: HashMap<&'c StreamId, usize>,
    steps: Vec<Step<'c>>,
    count: ReceivedCount,
}

/// Where a stream stands in the midst of a delivery.
struct Reached<'c> {
    stream: &'c StreamId,
    kind: RunKind,
    /// The row; `None` until there is one.
    id: Option<i64>,
    epoch: i64,
    /// The next event's offset.
    next: i64,
    /// Events of this delivery that are new.
    stored: u64,
    /// What the table has of its run, where the batch does not remember it.
    state: Option<RunState>,
}

/// Something to be written.
enum Step<'c> {
    Event {
        /// The stream's place in [`Intake::reached`].
        of: usize,
        epoch: i64,
        offset: i64,
        event: &'c LogEvent,
        read: &'c EventBody,
    },
    Gap {
        of: usize,
        epoch: i64,
        first: i64,
        last: i64,
        reason: &'c str,
    },
    Quarantined {
        at: Micros,
        reason: &'c str,
        message: &'c [u8],
    },
    Cursor {
        url: &'c str,
        cursor: &'c str,
    },
}

impl<'c> Intake<'c> {
    /// What is new in a delivery. Nothing is changed.
    ///
    /// # Errors
    /// [`StoreError::Refused`] for an event behind a hole that no gap explains, and for an offset beyond all numbers.
    pub fn of(
        batch: &Batch<'_>,
        origin: &'c str,
        delivery: impl Iterator<Item = (&'c Received, &'c Option<EventBody>)>,
    ) -> Result<Self, StoreError> {
        let mut intake = Self {
            origin,
            reached: Vec::new(),
            places: HashMap::new(),
            steps: Vec::with_capacity(delivery.size_hint().0),
            count: ReceivedCount::default(),
        };
        for (what, read) in delivery {
            intake.take(batch, what, read)?;
        }
        Ok(intake)
    }

    fn take(
        &mut self,
        batch: &Batch<'_>,
        what: &'c Received,
        read: &'c Option<EventBody>,
    ) -> Result<(), StoreError> {
        let last = match what {
            Received::Event { event, .. } => event.offset,
            Received::Gap { to, .. } => *to,
            Received::Epoch { .. } | Received::Quarantined { .. } | Received::Cursor { .. } => {
                Offset(0)
            }
        };
        if last.0 >= OFFSET_MAX {
            return Err(StoreError::Refused(format!(
                "offset {} is beyond what can be stored; the source must begin a new epoch",
                last.0
            )));
        }
        let sqlite = |e: rusqlite::Error| batch.sqlite(&e);
        match what {
            Received::Event {
                stream,
                epoch,
                event,
            } => {
                let of = self.reach(batch, stream, *epoch).map_err(sqlite)?;
                self.event(of, event, read)?;
            }
            Received::Gap {
                stream,
                epoch,
                from,
                to,
                reason,
            } => {
                if let Some(of) = self.reach(batch, stream, *epoch).map_err(sqlite)? {
                    self.gap(of, (*from, *to), reason);
                }
            }
            Received::Epoch { stream, epoch } => {
                self.reach(batch, stream, *epoch).map_err(sqlite)?;
            }
            Received::Quarantined {
                at,
                reason,
                message,
            } => self.steps.push(Step::Quarantined {
                at: *at,
                reason,
                message: &message[..message.len().min(QUARANTINE_BYTES_MAX)],
            }),
            Received::Cursor { url, cursor } => self.steps.push(Step::Cursor { url, cursor }),
        }
        Ok(())
    }

    /// `of` is the stream's place; `None` if the event's epoch is over.
    fn event(
        &mut self,
        of: Option<usize>,
        event: &'c LogEvent,
        read: &'c Option<EventBody>,
    ) -> Result<(), StoreError> {
        let offset = signed(event.offset.0);
        let (Some(of), Some(read)) = (of, read) else {
            self.count.duplicates += 1;
            return Ok(());
        };
        let reached = &mut self.reached[of];
        if offset < reached.next {
            self.count.duplicates += 1;
            return Ok(());
        }
        if offset > reached.next {
            return Err(StoreError::Refused(format!(
                "offsets {} to {} of {} are missing and not recorded as a gap",
                reached.next,
                offset - 1,
                reached.stream
            )));
        }
        reached.next += 1;
        reached.stored += 1;
        self.count.stored += 1;
        self.steps.push(Step::Event {
            of,
            epoch: reached.epoch,
            offset,
            event,
            read,
        });
        Ok(())
    }

    /// What of the gap is neither stored nor recorded yet.
    fn gap(&mut self, of: usize, (from, to): (Offset, Offset), reason: &'c str) {
        let reached = &mut self.reached[of];
        let (first, last) = (signed(from.0).max(reached.next), signed(to.0));
        if last < first {
            return;
        }
        reached.next = last.saturating_add(1);
        let gone = unsigned(last.saturating_sub(first)).saturating_add(1);
        self.count.missing = self.count.missing.saturating_add(gone);
        self.steps.push(Step::Gap {
            of,
            epoch: reached.epoch,
            first,
            last,
            reason,
        });
    }

    /// The stream's place in [`Intake::reached`], standing in this epoch, which begins where it is greater than the
    /// last; `None` for an epoch that is over.
    fn reach(
        &mut self,
        batch: &Batch<'_>,
        stream: &'c StreamId,
        epoch: Epoch,
    ) -> rusqlite::Result<Option<usize>> {
        let epoch = signed(epoch.0);
        let of = match self.places.get(stream) {
            Some(of) => *of,
            None => {
                let head = streams::stored_head(batch, stream, self.origin)?;
                let run = RunId::of_stream(self.origin, stream);
                let of = self.reached.len();
                self.reached.push(Reached {
                    stream,
                    kind: kind_of(stream, self.origin),
                    id: head.map(|head| head.id),
                    epoch: head.map_or(epoch, |head| head.epoch),
                    next: head.map_or(0, |head| head.next),
                    stored: 0,
                    state: batch.touched.missing(batch.tx, &run)?,
                });
                self.places.insert(stream, of);
                of
            }
        };
        let reached = &mut self.reached[of];
        if epoch < reached.epoch {
            return Ok(None);
        }
        if epoch > reached.epoch {
            (reached.epoch, reached.next) = (epoch, 0);
        }
        Ok(Some(of))
    }

    /// Writes it.
    ///
    /// # Errors
    /// SQLite's; then a part of it stands there, and the whole transaction is to be taken back.
    pub fn write(mut self, batch: &mut Batch<'_>) -> rusqlite::Result<ReceivedCount> {
        let rows = self
            .reached
            .iter()
            .map(|reached| match reached.id {
                Some(id) => Ok(id),
                None => streams::open(batch, reached.stream, self.origin, reached.epoch)
                    .map(|head| head.id),
            })
            .collect::<rusqlite::Result<Vec<i64>>>()?;
        let (last_seq, arrived) = write_steps(batch.tx, (self.origin, &rows), self.steps)?;
        for (reached, id) in self.reached.iter().zip(rows) {
            let head = StreamHead {
                id,
                epoch: reached.epoch,
                next: reached.next,
            };
            streams::advance(batch.tx, head)?;
        }
        // Everything that can fail has succeeded: only now is the batch's memory changed. In the order in which they
        // came, so that a rebuild does the same.
        for (of, epoch, read) in arrived {
            let reached = &mut self.reached[of];
            let whose = (&read.run_id, reached.kind, epoch);
            let state = reached.state.take();
            batch
                .touched
                .apply(whose, state, std::slice::from_ref(read));
        }
        batch.touched.reached(last_seq);
        let streams = self.reached.iter().filter(|reached| reached.stored > 0);
        let streams = streams.map(|reached| (reached.stream.clone(), reached.stored));
        Ok(ReceivedCount {
            streams: streams.collect(),
            ..self.count
        })
    }
}

/// The number of the last event in the order of arrival, 0 without one, and the events with their streams' places and
/// epochs, to be folded.
type Arrived<'c> = (i64, Vec<(usize, i64, &'c EventBody)>);

/// `rows` are the rows of the streams in [`Intake::reached`].
fn write_steps<'c>(
    tx: &Connection,
    (origin, rows): (&str, &[i64]),
    steps: Vec<Step<'c>>,
) -> rusqlite::Result<Arrived<'c>> {
    let mut insert = tx.prepare_cached(sql::INSERT_EVENT)?;
    let (mut last_seq, mut arrived) = (0, Vec::with_capacity(steps.len()));
    for step in steps {
        match step {
            Step::Event {
                of,
                epoch,
                offset,
                event,
                read,
            } => {
                let head = StreamHead {
                    id: rows[of],
                    epoch,
                    next: offset,
                };
                let words = (read.node.as_str(), read.phase.word());
                insert_event(&mut insert, head, event.ts, words, &event.body)?;
                last_seq = tx.last_insert_rowid();
                arrived.push((of, epoch, read));
            }
            Step::Gap {
                of,
                epoch,
                first,
                last,
                reason,
            } => {
                tx.prepare_cached(sql::INSERT_GAP)?
                    .execute(params![rows[of], epoch, first, last, reason])?;
            }
            Step::Quarantined {
                at,
                reason,
                message,
            } => quarantine(tx, origin, at, (reason, message))?,
            // Not of another source that is at this address since.
            Step::Cursor { url, cursor } => {
                tx.prepare_cached("UPDATE feed SET cursor = ?2 WHERE url = ?1 AND origin = ?3")?
                    .execute((url, cursor, origin))?;
            }
        }
    }
    Ok((last_seq, arrived))
}

fn quarantine(
    tx: &Connection,
    origin: &str,
    at: Micros,
    (reason, message): (&str, &[u8]),
) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT INTO quarantine (origin, at, reason, message) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![origin, at.0, reason, message])?;
    tx.prepare_cached(
        "INSERT INTO quarantine_count (origin, total) VALUES (?1, 1)
         ON CONFLICT (origin) DO UPDATE SET total = total + 1",
    )?
    .execute([origin])?;
    tx.prepare_cached(
        "DELETE FROM quarantine WHERE origin = ?1 AND id <=
             (SELECT id FROM quarantine WHERE origin = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
    )?
    .execute((origin, QUARANTINE_MAX))?;
    Ok(())
}
