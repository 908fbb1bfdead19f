//! What can be read: pages of rows for the screen, and the log's pieces for the projections.

use crate::{archive, error::StoreError, open::Store, sql, write::NewCapture};
use ghostlight_model::{
    CaptureId, CommitId, Epoch, EventBody, Layer, Micros, Observation, ObservationId, Offset,
    PostingId, RunId, StreamId,
    card::{Card, CardField},
    commit::Commit,
    foreign,
    keys::{PostingKey, strongest},
    run::{RunLine, RunState, RunStatus},
};
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params, types::Type};
use serde::de::DeserializeOwned;

/// How the postings list is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Latest activity first.
    Recent,
    /// Most doubt first.
    Doubt,
    /// By title, ignoring case.
    Title,
}

/// A page of rows and how many there are in all.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows<T> {
    /// How many there are in all.
    pub total: u32,
    /// This page.
    pub rows: Vec<T>,
}

/// A row of the postings list.
#[derive(Debug, Clone, PartialEq)]
pub struct PostingSummary {
    /// Which posting.
    pub posting: PostingId,
    /// Title, or the input's name.
    pub title: String,
    /// Employer, or empty.
    pub company: String,
    /// Place, or empty.
    pub place: String,
    /// The assessment's level, once assessed.
    pub level: Option<String>,
    /// Fields with a value.
    pub fields_found: u32,
    /// The analyst's verdict.
    pub verdict: Option<String>,
    /// The latest run's status.
    pub run_status: String,
    /// Why the latest run failed.
    pub failure: Option<String>,
    /// Latest activity.
    pub updated: Micros,
}

/// A posting with its card.
#[derive(Debug, Clone, PartialEq)]
pub struct PostingCard {
    /// The row.
    pub summary: PostingSummary,
    /// The card.
    pub card: Card,
    /// The latest run.
    pub run: RunState,
    /// The latest run that was assessed: its assessment and signals belong together.
    pub assessed: Option<RunState>,
    /// When it was first captured.
    pub first_seen: Micros,
}

/// What is known of a capture, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaptureInfo {
    /// When it was fetched.
    pub fetched_at: Micros,
    /// File name, or what the input is called.
    pub name: String,
    /// The URL asked for.
    pub url: Option<String>,
    /// The URL that answered.
    pub final_url: Option<String>,
    /// HTTP status.
    pub http_status: Option<u16>,
    /// `Content-Type`.
    pub content_type: Option<String>,
}

/// Which runs a list shows; the default is all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// Only of this origin (`local`, `hub`, `feed:ID`).
    pub origin: Option<String>,
    /// Only with this status.
    pub status: Option<RunStatus>,
    /// Only with this text in the name, ignoring case (ASCII).
    pub text: String,
}

/// A run of the list.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedRun {
    /// What stands there.
    pub line: RunLine,
    /// Its posting's title, once known.
    pub title: Option<String>,
    /// Where it is from.
    pub origin: String,
}

/// Where an event stands in its stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EventPlace {
    /// The epoch.
    pub epoch: Epoch,
    /// The place in it.
    pub offset: Offset,
}

/// A stored event.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredEvent {
    /// Its offset.
    pub offset: u64,
    /// Its body.
    pub body: EventBody,
}

/// What is stored of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamExtent {
    /// The epoch.
    pub epoch: u64,
    /// First offset stored.
    pub first: u64,
    /// Last offset stored.
    pub last: u64,
    /// How many are stored.
    pub count: u64,
}

/// Another posting's fingerprint, for near-duplicates.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredFingerprint {
    /// Which posting.
    pub posting: PostingId,
    /// SimHash of its text.
    pub fingerprint: u64,
    /// When it was first captured.
    pub first_seen: Micros,
    /// Employer, or empty.
    pub company: String,
    /// Place, or empty.
    pub place: String,
}

/// At most so many fingerprints are compared for one posting, the latest first.
pub const FINGERPRINTS_MAX: u32 = 200_000;

impl Store {
    /// A page of the postings list.
    pub fn postings(
        &self,
        order: Order,
        start: u32,
        len: u32,
    ) -> Result<Rows<PostingSummary>, StoreError> {
        let page = match order {
            Order::Recent => sql::POSTINGS_RECENT,
            Order::Doubt => sql::POSTINGS_DOUBT,
            Order::Title => sql::POSTINGS_TITLE,
        };
        self.reading(|c| {
            Ok(Rows {
                total: count(c, sql::POSTINGS_COUNT, params![])?,
                rows: collect(c, page, params![start, len], summary)?,
            })
        })
    }

    /// A page of the runs list, latest first. What a hub sent back of ours stands there as ours only, unless the list
    /// is of that hub alone.
    pub fn runs(
        &self,
        wanted: &RunFilter,
        start: u32,
        len: u32,
    ) -> Result<Rows<ListedRun>, StoreError> {
        let text = wanted.text.to_ascii_lowercase();
        let status = wanted.status.map(RunStatus::word);
        self.reading(|c| {
            Ok(Rows {
                total: count(c, sql::RUNS_FOUND, params![wanted.origin, status, text])?,
                rows: collect(
                    c,
                    sql::RUNS,
                    params![wanted.origin, status, text, start, len],
                    |row| {
                        Ok(ListedRun {
                            line: from_json(row, 0)?,
                            title: row.get(1)?,
                            origin: row.get(2)?,
                        })
                    },
                )?,
            })
        })
    }

    /// How long a node of an origin took, the latest [`ghostlight_model::liveness::HISTORY_MAX`], in milliseconds,
    /// oldest first.
    pub fn node_history(&self, origin: &str, node: &str) -> Result<Vec<f64>, StoreError> {
        self.reading(|c| durations(c, origin, node))
    }

    /// Our own runs that have not ended, at most `max`, latest first.
    pub fn running(&self, max: u32) -> Result<Vec<RunState>, StoreError> {
        self.reading(|c| collect(c, sql::RUNNING, params![max], |row| from_json(row, 0)))
    }

    /// A run's state.
    pub fn run(&self, run: &RunId) -> Result<Option<RunState>, StoreError> {
        self.reading(|c| run_state(c, run))
    }

    /// A posting's card.
    pub fn posting(&self, posting: PostingId) -> Result<Option<PostingCard>, StoreError> {
        self.reading(|c| {
            let found = c
                .prepare_cached(sql::POSTING)?
                .query_row([posting.0], |row| {
                    let card: Card = from_json(row, 10)?;
                    Ok((summary(row)?, card, Micros(row.get(11)?)))
                })
                .optional()?;
            let Some((summary, mut card, first_seen)) = found else {
                return Ok(None);
            };
            let Some(run) = latest_run_of(c, posting)? else {
                return Ok(None);
            };
            card.fields = collect(c, sql::CARD_FIELDS, params![posting.0], |row| {
                from_json::<CardField>(row, 0)
            })?;
            // Nearly always the latest run is the one: it need not be read and parsed again.
            let assessed = match &run.assessment {
                Some(_) => Some(run.clone()),
                None => latest_assessed(c, posting)?,
            };
            Ok(Some(PostingCard {
                summary,
                card,
                run,
                assessed,
                first_seen,
            }))
        })
    }

    /// The observations of one capture of a posting, in no particular order.
    pub fn observations(
        &self,
        posting: PostingId,
        capture: CaptureId,
    ) -> Result<Vec<Observation>, StoreError> {
        self.reading(|c| observations_of(c, posting, capture))
    }

    /// A page of a run's events, oldest first.
    pub fn events(
        &self,
        run: &RunId,
        start: u64,
        len: u32,
    ) -> Result<Rows<StoredEvent>, StoreError> {
        // Past what SQLite can count to there is nothing either.
        let start = i64::try_from(start).unwrap_or(i64::MAX);
        self.reading(|c| {
            let Some((id, epoch)) = stream_of(c, run)? else {
                return Ok(Rows {
                    total: 0,
                    rows: Vec::new(),
                });
            };
            Ok(Rows {
                total: count(c, sql::EVENTS_COUNT, params![id, epoch])?,
                rows: collect(c, sql::EVENTS, params![id, epoch, start, len], |row| {
                    let offset: i64 = row.get(0)?;
                    Ok(StoredEvent {
                        offset: offset as u64,
                        body: from_json(row, 1)?,
                    })
                })?,
            })
        })
    }

    /// What is stored of a run's stream.
    pub fn extent(&self, run: &RunId) -> Result<Option<StreamExtent>, StoreError> {
        self.reading(|c| {
            let Some((id, epoch)) = stream_of(c, run)? else {
                return Ok(None);
            };
            c.prepare_cached(sql::EXTENT)?
                .query_row([id, epoch], |row| {
                    let (first, last): (Option<i64>, Option<i64>) = (row.get(0)?, row.get(1)?);
                    let count: i64 = row.get(2)?;
                    Ok(first.zip(last).map(|(first, last)| StreamExtent {
                        epoch: epoch as u64,
                        first: first as u64,
                        last: last as u64,
                        count: count as u64,
                    }))
                })
        })
    }

    /// A text layer of a capture; `None` if the capture has none (not parsed, or removed).
    pub fn layer(&self, capture: CaptureId, layer: Layer) -> Result<Option<String>, StoreError> {
        let sql = match layer {
            Layer::Visible => sql::LAYER_VISIBLE,
            Layer::Source => sql::LAYER_SOURCE,
        };
        let bytes = self.reading(|c| bytes_of(c, sql, capture))?;
        Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// A capture's bytes as they arrived; `None` if there is no such capture or it was removed.
    pub fn bytes(&self, capture: CaptureId) -> Result<Option<Vec<u8>>, StoreError> {
        self.reading(|c| bytes_of(c, sql::BYTES, capture))
    }

    /// A capture as it was stored; `None` if there is no such capture or its bytes were removed.
    pub fn stored(&self, capture: CaptureId) -> Result<Option<NewCapture>, StoreError> {
        let Some((bytes, known)) = self.bytes(capture)?.zip(self.capture(capture)?) else {
            return Ok(None);
        };
        Ok(Some(NewCapture {
            bytes,
            fetched_at: known.fetched_at,
            name: known.name,
            url: known.url,
            final_url: known.final_url,
            http_status: known.http_status,
            content_type: known.content_type,
        }))
    }

    /// The posting that `keys` lead to, the strongest first; `None` if they lead to none.
    ///
    /// A text hash identifies only a posting that has nothing stronger: the same text under two
    /// job ids is two postings.
    pub fn recognised(&self, keys: &[PostingKey]) -> Result<Option<PostingId>, StoreError> {
        self.reading(|c| recognised(c, keys))
    }

    /// What is known of a capture.
    pub fn capture(&self, capture: CaptureId) -> Result<Option<CaptureInfo>, StoreError> {
        self.reading(|c| {
            c.prepare_cached(sql::CAPTURE)?
                .query_row([capture.0], |row| {
                    Ok(CaptureInfo {
                        fetched_at: Micros(row.get(0)?),
                        name: row.get(1)?,
                        url: row.get(2)?,
                        final_url: row.get(3)?,
                        http_status: row.get(4)?,
                        content_type: row.get(5)?,
                    })
                })
                .optional()
        })
    }

    /// A page of a posting's commits, latest first.
    pub fn history(
        &self,
        posting: PostingId,
        start: u32,
        len: u32,
    ) -> Result<Rows<Commit>, StoreError> {
        self.reading(|c| {
            Ok(Rows {
                total: count(c, sql::HISTORY_COUNT, params![posting.0])?,
                rows: collect(c, sql::HISTORY, params![posting.0, start, len], |row| {
                    archive::content::commit(c, CommitId(row.get(0)?), row, 1)
                })?,
            })
        })
    }

    /// Fingerprints of other postings, the latest [`FINGERPRINTS_MAX`].
    pub fn fingerprints(&self, except: PostingId) -> Result<Vec<StoredFingerprint>, StoreError> {
        self.reading(|c| {
            let limits = params![except.0, FINGERPRINTS_MAX];
            collect(c, sql::FINGERPRINTS, limits, |row| {
                let fingerprint: i64 = row.get(1)?;
                Ok(StoredFingerprint {
                    posting: PostingId(row.get(0)?),
                    fingerprint: fingerprint as u64,
                    first_seen: Micros(row.get(2)?),
                    company: row.get(3)?,
                    place: row.get(4)?,
                })
            })
        })
    }

    /// A setting's value.
    pub fn setting(&self, key: &str) -> Result<Option<String>, StoreError> {
        self.reading(|c| {
            c.prepare_cached("SELECT value FROM setting WHERE key = ?1")?
                .query_row([key], |row| row.get(0))
                .optional()
        })
    }

    /// The name of an author, where one is kept.
    pub fn person(&self, author: &str) -> Result<Option<String>, StoreError> {
        self.reading(|c| person(c, author))
    }

    /// Persons who have a name here, id and name, at most `len`.
    pub fn persons(&self, len: usize) -> Result<Vec<(String, String)>, StoreError> {
        let len = i64::try_from(len).unwrap_or(i64::MAX);
        self.reading(|c| {
            collect(c, sql::PERSONS, params![len], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
        })
    }

    /// How many postings there are, and how many of our own runs are under way.
    pub fn counts(&self) -> Result<(u32, u32), StoreError> {
        self.reading(|c| {
            Ok((
                count(c, sql::POSTINGS_COUNT, params![])?,
                count(c, sql::RUNNING_COUNT, params![])?,
            ))
        })
    }
}

fn summary(row: &Row<'_>) -> rusqlite::Result<PostingSummary> {
    Ok(PostingSummary {
        posting: PostingId(row.get(0)?),
        title: row.get(1)?,
        company: row.get(2)?,
        place: row.get(3)?,
        level: row.get(4)?,
        fields_found: row.get(5)?,
        verdict: row.get(6)?,
        run_status: row.get(7)?,
        failure: row.get(8)?,
        updated: Micros(row.get(9)?),
    })
}

/// The name of an author, where one is kept.
pub(crate) fn person(c: &Connection, author: &str) -> rusqlite::Result<Option<String>> {
    c.prepare_cached("SELECT name FROM person WHERE author_id = ?1")?
        .query_row([author], |row| row.get(0))
        .optional()
}

pub(crate) fn count(c: &Connection, sql: &str, params: &[&dyn ToSql]) -> rusqlite::Result<u32> {
    c.prepare_cached(sql)?.query_row(params, |row| row.get(0))
}

pub(crate) fn collect<T>(
    c: &Connection,
    sql: &str,
    params: &[&dyn ToSql],
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    c.prepare_cached(sql)?.query_map(params, read)?.collect()
}

/// JSON of a type of ours; text that is none is a damaged row, reported as such.
pub(crate) fn from_json<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text = row.get_ref(column)?.as_str()?;
    serde_json::from_str(text)
        .map_err(|e| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(e)))
}

fn bytes_of(c: &Connection, sql: &str, capture: CaptureId) -> rusqlite::Result<Option<Vec<u8>>> {
    let bytes: Option<Option<Vec<u8>>> = c
        .prepare_cached(sql)?
        .query_row([capture.0], |row| row.get(0))
        .optional()?;
    Ok(bytes.flatten())
}

pub(crate) fn stream_of(c: &Connection, run: &RunId) -> rusqlite::Result<Option<(i64, i64)>> {
    c.prepare_cached(sql::STREAM)?
        .query_row((run.stream().0, crate::streams::LOCAL), |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()
}

pub(crate) fn run_state(c: &Connection, run: &RunId) -> rusqlite::Result<Option<RunState>> {
    c.prepare_cached(sql::RUN)?
        .query_row([&run.0], |row| from_json(row, 0))
        .optional()
}

pub(crate) fn latest_run_of(
    c: &Connection,
    posting: PostingId,
) -> rusqlite::Result<Option<RunState>> {
    c.prepare_cached(sql::LATEST_RUN)?
        .query_row([posting.0], |row| from_json(row, 0))
        .optional()
}

pub(crate) fn latest_assessed(
    c: &Connection,
    posting: PostingId,
) -> rusqlite::Result<Option<RunState>> {
    c.prepare_cached(sql::LATEST_ASSESSED)?
        .query_row([posting.0], |row| from_json(row, 0))
        .optional()
}

pub(crate) fn postings_with_commits(c: &Connection) -> rusqlite::Result<Vec<PostingId>> {
    let sql = "SELECT DISTINCT posting FROM \"commit\"";
    collect(c, sql, params![], |row| row.get(0).map(PostingId))
}

pub(crate) fn recognised(
    c: &Connection,
    keys: &[PostingKey],
) -> rusqlite::Result<Option<PostingId>> {
    let Some(strongest) = strongest(keys) else {
        return Ok(None);
    };
    let rank = PostingKey::rank;
    let mut usable: Vec<&PostingKey> = keys.iter().collect();
    usable.retain(|key| !matches!(key, PostingKey::Text(_)) || rank(strongest) == rank(key));
    usable.sort_by_key(|key| rank(key));
    for key in usable {
        let found = c
            .prepare_cached(sql::POSTING_BY_KEY)?
            .query_row([key.stored()], |row| row.get(0).map(PostingId))
            .optional()?;
        let Some(posting) = found else { continue };
        // Two job ids are two postings, even if both name the board's page as their address.
        let is_boards =
            rank(strongest) < rank(key) && c.prepare_cached(sql::JOB_ID_OF)?.exists([posting.0])?;
        if !is_boards {
            return Ok(Some(posting));
        }
    }
    Ok(None)
}

pub(crate) fn observations_of(
    c: &Connection,
    posting: PostingId,
    capture: CaptureId,
) -> rusqlite::Result<Vec<Observation>> {
    collect(c, sql::OBSERVATIONS, params![posting.0, capture.0], |row| {
        from_json(row, 0)
    })
}

pub(crate) fn observation(
    c: &Connection,
    posting: PostingId,
    id: ObservationId,
) -> rusqlite::Result<Option<Observation>> {
    c.prepare_cached(sql::OBSERVATION)?
        .query_row([id.0, posting.0], |row| from_json(row, 0))
        .optional()
}

/// An event of the log in order of arrival, as the projections read it.
pub(crate) struct LoggedEvent {
    pub seq: i64,
    pub epoch: i64,
    pub stream: StreamId,
    pub origin: String,
    pub event: EventBody,
}

pub(crate) fn events_after(
    c: &Connection,
    seq: i64,
    len: i64,
) -> rusqlite::Result<Vec<LoggedEvent>> {
    collect(c, sql::EVENTS_AFTER, params![seq, len], |row| {
        let (stream, origin) = (StreamId(row.get(4)?), row.get::<_, String>(5)?);
        let event = match origin == crate::streams::LOCAL {
            true => from_json(row, 1)?,
            false => {
                let run = RunId::of_stream(&origin, &stream);
                foreign::skim(row.get_ref(1)?.as_str()?, Micros(row.get(2)?), &run)
            }
        };
        Ok(LoggedEvent {
            seq: row.get(0)?,
            epoch: row.get(3)?,
            stream,
            origin,
            event,
        })
    })
}

/// How long a node took, the latest, oldest first.
pub(crate) fn durations(c: &Connection, origin: &str, node: &str) -> rusqlite::Result<Vec<f64>> {
    let found = c
        .prepare_cached(sql::NODE_HISTORY)?
        .query_row([origin, node], |row| from_json(row, 0))
        .optional()?;
    Ok(found.unwrap_or_default())
}
