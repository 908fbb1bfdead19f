//! A stream's log as a person reads it: events, the gaps between them, and where its source began anew.
//!
//! Rows are numbered from 0 over all epochs. [`Layout`] knows where each row is without touching the events: within an
//! epoch offsets are dense but for the recorded gaps, so a row's offset is found by counting. A log of a million events
//! is paged as fast as one of ten.

use crate::{
    error::StoreError,
    open::Store,
    read::{EventPlace, Rows},
    sql,
    streams::{LOCAL, signed, unsigned},
};
use ghostlight_model::{Epoch, EventBody, Micros, Offset, RunId, Severity, foreign};
use rusqlite::{Connection, OptionalExtension, params};

/// Gaps of a stream that the log shows, the latest; older ones are folded into one row that says so.
const GAPS_MAX: usize = 10_000;
/// Epochs of a stream that the log shows, the latest; what is older stays stored.
const EPOCHS_MAX: usize = 100;

/// A row of the log.
#[derive(Debug, Clone, PartialEq)]
pub enum LogRow {
    /// An event.
    Event(LogEntry),
    /// Offsets that will never come, both ends included.
    Gap {
        /// Their epoch.
        epoch: Epoch,
        /// The first.
        from: Offset,
        /// The last.
        to: Offset,
        /// Why.
        reason: String,
    },
    /// The source lost or reset its log: what follows is of a new epoch.
    Restart {
        /// The new epoch.
        epoch: Epoch,
    },
}

/// An event of the log, as it reads.
#[derive(Debug, Clone, PartialEq)]
pub struct LogEntry {
    /// Where it stands.
    pub place: EventPlace,
    /// What it says.
    pub body: EventBody,
}

/// What is known of a stream without reading it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogSummary {
    /// Epoch and first and last offset of the current epoch that are stored or a gap; `None` for an empty stream.
    pub current: Option<(Epoch, Offset, Offset)>,
    /// Gaps of the current epoch: how many, and how many offsets they name.
    pub gaps: u64,
    /// Offsets that will never come, of the current epoch.
    pub missing: u64,
    /// Earlier epochs.
    pub restarts: u64,
}

/// Which events of a log are shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct LogFilter {
    /// Only of this node.
    pub node: Option<String>,
    /// Only of this phase.
    pub phase: Option<String>,
    /// Only with an issue so bad or worse, or a failed step.
    pub severity: Option<Severity>,
    /// Only with this text in the body, ignoring case (ASCII).
    pub text: String,
}

impl LogFilter {
    /// Whether everything is shown.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether an event is shown; `needle` is the text in lower case.
    pub(crate) fn takes(&self, body: &EventBody, verbatim: &str, needle: &str) -> bool {
        let node = self.node.as_ref().is_none_or(|node| *node == body.node);
        let phase = self.phase.as_ref();
        let phase = phase.is_none_or(|phase| *phase == body.phase.word());
        let failed = body.phase == ghostlight_model::Phase::Fail;
        let bad = |least| failed || body.issues.iter().any(|issue| issue.severity >= least);
        let issues = self.severity.is_none_or(bad);
        let text = || needle.is_empty() || verbatim.to_ascii_lowercase().contains(needle);
        node && phase && issues && text()
    }
}

/// Events of a run that match, found so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Matches {
    /// Where they stand in the unfiltered log, in order.
    pub rows: Vec<u32>,
    /// Rows of the log that were looked at.
    pub looked: u32,
    /// Rows that there are.
    pub total: u32,
}

/// Rows that a search holds at a time.
const LOOK_ROWS: u32 = 500;
/// Bytes of bodies after which a search lets others go first; the next look goes on.
const LOOK_BYTES_MAX: usize = 8 << 20;
/// Matches that are remembered of a run; beyond, the oldest rows are shown and the rest is said to be left out.
pub const MATCHES_MAX: usize = 1_000_000;

impl Store {
    /// A page of a run's log, oldest first; empty for a run that is not stored.
    pub fn log(&self, run: &RunId, start: u32, len: u32) -> Result<Rows<LogRow>, StoreError> {
        self.log_from(run, |_| start, len)
    }

    /// A page of a run's log as [`Store::log`], from the row that `start` makes of the number of rows.
    pub fn log_from(
        &self,
        run: &RunId,
        start: impl Fn(u32) -> u32,
        len: u32,
    ) -> Result<Rows<LogRow>, StoreError> {
        self.reading(|c| {
            let Some(layout) = Layout::of(c, run)? else {
                return Ok(Rows {
                    total: 0,
                    rows: Vec::new(),
                });
            };
            let total = layout.total();
            let rows = layout.rows(c, run, start(total), len)?;
            let rows = rows.into_iter().map(|(row, _)| row).collect();
            Ok(Rows { total, rows })
        })
    }

    /// The rows of the log with these numbers, in the given order; those that are not there are left out.
    pub fn log_rows(&self, run: &RunId, numbers: &[u32]) -> Result<Vec<LogRow>, StoreError> {
        self.reading(|c| {
            let Some(layout) = Layout::of(c, run)? else {
                return Ok(Vec::new());
            };
            let mut rows = Vec::with_capacity(numbers.len());
            for number in numbers {
                rows.extend(
                    layout
                        .rows(c, run, *number, 1)?
                        .into_iter()
                        .map(|(row, _)| row),
                );
            }
            Ok(rows)
        })
    }

    /// Looks at the next rows of the log, at most `rows_max`, for those that match. Gaps and restarts always do.
    pub fn find_in_log(
        &self,
        run: &RunId,
        filter: &LogFilter,
        found: &mut Matches,
        rows_max: u32,
    ) -> Result<(), StoreError> {
        let needle = filter.text.to_ascii_lowercase();
        self.reading(|c| {
            let Some(layout) = Layout::of(c, run)? else {
                return Ok(());
            };
            found.total = layout.total();
            let (mut rows_left, mut bytes) = (rows_max, 0);
            while rows_left > 0 && bytes < LOOK_BYTES_MAX {
                let rows = layout.rows(c, run, found.looked, rows_left.min(LOOK_ROWS))?;
                if rows.is_empty() {
                    break;
                }
                rows_left -= rows.len() as u32;
                for (row, verbatim) in rows {
                    bytes += verbatim.len();
                    let matches = match &row {
                        LogRow::Event(entry) => filter.takes(&entry.body, &verbatim, &needle),
                        LogRow::Gap { .. } | LogRow::Restart { .. } => true,
                    };
                    if matches && found.rows.len() < MATCHES_MAX {
                        found.rows.push(found.looked);
                    }
                    found.looked += 1;
                }
            }
            Ok(())
        })
    }

    /// What is known of a run's stream without reading it; `None` for a run that is not stored.
    pub fn log_summary(&self, run: &RunId) -> Result<Option<LogSummary>, StoreError> {
        self.reading(|c| Ok(Layout::of(c, run)?.map(|layout| layout.summary())))
    }

    /// The body of one event of a run, verbatim.
    pub fn event_body(&self, run: &RunId, at: EventPlace) -> Result<Option<String>, StoreError> {
        self.reading(|c| {
            let Some(stream) = stream_id(c, run)? else {
                return Ok(None);
            };
            c.prepare_cached(sql::EVENT_BODY)?
                .query_row(
                    params![stream, signed(at.epoch.0), signed(at.offset.0)],
                    |row| row.get(0),
                )
                .optional()
        })
    }

    /// The gaps of a run's current epoch, the latest first.
    pub fn gaps(
        &self,
        run: &RunId,
        len: usize,
    ) -> Result<Vec<(Offset, Offset, String)>, StoreError> {
        self.reading(|c| {
            let Some(layout) = Layout::of(c, run)? else {
                return Ok(Vec::new());
            };
            let epoch = layout.parts.last().map(Part::epoch);
            let parts = layout.parts.into_iter().rev();
            let gaps = parts.filter_map(|part| match part {
                Part::Gap {
                    epoch: of,
                    first,
                    last,
                    reason,
                } if Some(of) == epoch => {
                    Some((Offset(unsigned(first)), Offset(unsigned(last)), reason))
                }
                _ => None,
            });
            Ok(gaps.take(len).collect())
        })
    }
}

/// Consecutive rows of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Restart {
        epoch: i64,
    },
    Events {
        epoch: i64,
        first: i64,
        last: i64,
    },
    Gap {
        epoch: i64,
        first: i64,
        last: i64,
        reason: String,
    },
    /// What is before the oldest gap that is shown: one row.
    Older {
        epoch: i64,
        first: i64,
        last: i64,
    },
}

impl Part {
    fn rows(&self) -> u64 {
        match self {
            Part::Restart { .. } | Part::Gap { .. } | Part::Older { .. } => 1,
            Part::Events { first, last, .. } => unsigned(last.saturating_sub(*first)) + 1,
        }
    }

    fn epoch(&self) -> i64 {
        match self {
            Part::Restart { epoch }
            | Part::Events { epoch, .. }
            | Part::Gap { epoch, .. }
            | Part::Older { epoch, .. } => *epoch,
        }
    }
}

/// Where the rows of a stream are.
struct Layout {
    stream: i64,
    parts: Vec<Part>,
}

impl Layout {
    fn of(c: &Connection, run: &RunId) -> rusqlite::Result<Option<Self>> {
        let Some(stream) = stream_id(c, run)? else {
            return Ok(None);
        };
        let mut parts = Vec::new();
        for (n, epoch) in epochs(c, stream)?.into_iter().enumerate() {
            if n > 0 {
                parts.push(Part::Restart { epoch });
            }
            epoch_parts(c, stream, epoch, &mut parts)?;
        }
        Ok(Some(Self { stream, parts }))
    }

    fn total(&self) -> u32 {
        let rows = self.parts.iter().map(Part::rows);
        let total = rows.fold(0u64, u64::saturating_add);
        u32::try_from(total).unwrap_or(u32::MAX)
    }

    fn summary(&self) -> LogSummary {
        let Some(epoch) = self.parts.last().map(Part::epoch) else {
            return LogSummary::default();
        };
        let mut summary = LogSummary::default();
        let mut extent: Option<(i64, i64)> = None;
        for part in &self.parts {
            match part {
                Part::Restart { .. } => summary.restarts += 1,
                Part::Events {
                    epoch: of,
                    first,
                    last,
                }
                | Part::Gap {
                    epoch: of,
                    first,
                    last,
                    ..
                }
                | Part::Older {
                    epoch: of,
                    first,
                    last,
                } if *of == epoch => {
                    extent = Some((extent.map_or(*first, |(first, _)| first), *last));
                    if matches!(part, Part::Gap { .. }) {
                        summary.gaps += 1;
                        let gone = unsigned(last.saturating_sub(*first)).saturating_add(1);
                        summary.missing = summary.missing.saturating_add(gone);
                    }
                }
                _ => {}
            }
        }
        summary.current = extent.map(|(first, last)| {
            let (first, last) = (Offset(unsigned(first)), Offset(unsigned(last)));
            (Epoch(unsigned(epoch)), first, last)
        });
        summary
    }

    /// At most `len` rows from row `start` on, each event with its verbatim body.
    fn rows(
        &self,
        c: &Connection,
        run: &RunId,
        start: u32,
        len: u32,
    ) -> rusqlite::Result<Vec<(LogRow, String)>> {
        let (mut skip, mut left) = (u64::from(start), u64::from(len));
        let mut rows = Vec::new();
        for part in &self.parts {
            if left == 0 {
                break;
            }
            let here = part.rows();
            if skip >= here {
                skip -= here;
                continue;
            }
            let take = (here - skip).min(left);
            match part {
                Part::Restart { epoch } => rows.push((
                    LogRow::Restart {
                        epoch: Epoch(unsigned(*epoch)),
                    },
                    String::new(),
                )),
                Part::Gap {
                    epoch,
                    first,
                    last,
                    reason,
                } => rows.push((
                    LogRow::Gap {
                        epoch: Epoch(unsigned(*epoch)),
                        from: Offset(unsigned(*first)),
                        to: Offset(unsigned(*last)),
                        reason: reason.clone(),
                    },
                    String::new(),
                )),
                Part::Older { epoch, first, last } => rows.push((
                    LogRow::Gap {
                        epoch: Epoch(unsigned(*epoch)),
                        from: Offset(unsigned(*first)),
                        to: Offset(unsigned(*last)),
                        reason: format!("before the latest {GAPS_MAX} gaps: what there is of it is stored and not shown"),
                    },
                    String::new(),
                )),
                Part::Events { epoch, first, .. } => {
                    let from = first.saturating_add(signed(skip));
                    rows.extend(self.events(c, run, (*epoch, from), signed(take))?);
                }
            }
            (skip, left) = (0, left - take);
        }
        Ok(rows)
    }

    fn events(
        &self,
        c: &Connection,
        run: &RunId,
        (epoch, from): (i64, i64),
        len: i64,
    ) -> rusqlite::Result<Vec<(LogRow, String)>> {
        let own = run.place().is_none();
        let mut statement = c.prepare_cached(sql::LOG_EVENTS)?;
        let rows = statement.query_map(params![self.stream, epoch, from, len], |row| {
            let place = EventPlace {
                epoch: Epoch(unsigned(epoch)),
                offset: Offset(unsigned(row.get(0)?)),
            };
            let (ts, verbatim): (i64, String) = (row.get(1)?, row.get(2)?);
            let body = read_body(&verbatim, Micros(ts), run, own);
            Ok((LogRow::Event(LogEntry { place, body }), verbatim))
        })?;
        rows.collect()
    }
}

/// Our own bodies have every member; others are read as far as they can be.
pub(crate) fn read_body(verbatim: &str, ts: Micros, run: &RunId, own: bool) -> EventBody {
    let strict = own.then(|| serde_json::from_str(verbatim).ok()).flatten();
    strict.unwrap_or_else(|| foreign::read(verbatim, ts, run))
}

pub(crate) fn stream_id(c: &Connection, run: &RunId) -> rusqlite::Result<Option<i64>> {
    let (origin, stream) = match run.place() {
        Some((origin, stream)) => (origin, stream),
        None => (LOCAL, run.stream()),
    };
    c.prepare_cached(sql::STREAM)?
        .query_row((&stream.0, origin), |row| row.get(0))
        .optional()
}

/// The latest epochs of a stream that have events or gaps, in order.
fn epochs(c: &Connection, stream: i64) -> rusqlite::Result<Vec<i64>> {
    let mut before = i64::MAX;
    let mut epochs = Vec::new();
    while epochs.len() < EPOCHS_MAX {
        let next = |statement: &str| -> rusqlite::Result<Option<i64>> {
            c.prepare_cached(statement)?
                .query_row([stream, before], |row| row.get(0))
        };
        let Some(epoch) = next(sql::EPOCH_BEFORE)?.max(next(sql::GAP_EPOCH_BEFORE)?) else {
            break;
        };
        epochs.push(epoch);
        before = epoch;
    }
    epochs.reverse();
    Ok(epochs)
}

/// The parts of one epoch, in order: what is between its gaps are events.
fn epoch_parts(
    c: &Connection,
    stream: i64,
    epoch: i64,
    parts: &mut Vec<Part>,
) -> rusqlite::Result<()> {
    let (first, last): (Option<i64>, Option<i64>) = c
        .prepare_cached(sql::OFFSETS)?
        .query_row([stream, epoch], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut statement = c.prepare_cached(sql::GAPS)?;
    let gaps = statement.query_map(params![stream, epoch, GAPS_MAX as i64], |row| {
        Ok(Part::Gap {
            epoch,
            first: row.get(0)?,
            last: row.get(1)?,
            reason: row.get(2)?,
        })
    })?;
    let mut gaps: Vec<Part> = gaps.collect::<rusqlite::Result<_>>()?;
    gaps.reverse();
    let mut next = match (first, gaps.first()) {
        (Some(first), Some(Part::Gap { first: gap, .. })) => first.min(*gap),
        (Some(first), _) => first,
        (None, _) => i64::MAX,
    };
    if gaps.len() == GAPS_MAX
        && let Some(Part::Gap { first, .. }) = gaps.first()
    {
        // What is before the oldest gap that is shown may have more gaps; it is one row.
        let (from, to) = (next, *first - 1);
        if from <= to {
            parts.push(Part::Older {
                epoch,
                first: from,
                last: to,
            });
        }
        next = *first;
    }
    let events =
        |first: i64, last: i64| (first <= last).then_some(Part::Events { epoch, first, last });
    for gap in gaps {
        if let Part::Gap { first, last, .. } = &gap {
            parts.extend(events(next, first - 1));
            next = last.saturating_add(1);
        }
        parts.push(gap);
    }
    if let Some(last) = last {
        parts.extend(events(next, last));
    }
    Ok(())
}
