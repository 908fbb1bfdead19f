//! Everything at one moment, page by page: what exports read.
//!
//! A [`Snapshot`] is a reader of its own that sees the database as it was when it was taken, so rows that change
//! meanwhile are neither missed nor repeated. Pages go on behind the last row's key, never by counting rows. While a
//! snapshot is held the write-ahead log is not shortened behind it, so it is not kept for longer than an export takes.

use crate::{archive, error::StoreError, open::Store, sql, streams::LOCAL};
use ghostlight_model::{
    CommitId, Confidence, FieldKey, FieldValue, Micros, PostingId, StreamId,
    card::{Card, FieldState},
    export::{Filter, What},
};
use rusqlite::{Connection, OptionalExtension, Row, Rows, params, types::Type};
use serde::Deserialize;
use std::{ops::ControlFlow, path::PathBuf};

/// Rows of a page: what is read between two looks at whether to go on.
pub const PAGE_ROWS: usize = 1_000;

/// The database at one moment.
pub struct Snapshot {
    connection: Connection,
    path: PathBuf,
}

/// Takes a posting; says whether it takes another.
pub type EachPosting<'a> = &'a mut dyn FnMut(PostingExport<'_>) -> ControlFlow<()>;
/// Takes a change; says whether it takes another.
pub type EachChange<'a> = &'a mut dyn FnMut(ChangeExport<'_>) -> ControlFlow<()>;
/// Takes an event; says whether it takes another.
pub type EachEvent<'a> = &'a mut dyn FnMut(EventExport<'_>) -> ControlFlow<()>;

/// A posting as exports see it.
#[derive(Debug, Clone, PartialEq)]
pub struct PostingExport<'a> {
    /// Which.
    pub posting: PostingId,
    /// The assessment's level, once assessed.
    pub level: Option<&'a str>,
    /// 0 to 100; -1 before it is assessed.
    pub doubt: i64,
    /// The latest run's status.
    pub status: &'a str,
    /// When it was first captured.
    pub first_seen: Micros,
    /// Latest activity.
    pub updated: Micros,
    /// Number of commits.
    pub version: i64,
    /// Verdict and outcomes; no fields.
    pub card: &'a Card,
    /// The fields that were asked for, in the order of the card.
    pub fields: &'a [FieldExport],
}

/// A field of a card, without the candidates that lost.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct FieldExport {
    /// Which.
    pub key: FieldKey,
    /// Which of the five states.
    pub state: FieldState,
    /// What stands in it.
    pub chosen: Option<ChosenExport>,
}

/// The value that stands in a field.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct ChosenExport {
    /// The value.
    pub value: FieldValue,
    /// How sure.
    pub confidence: Confidence,
}

/// A changed field as exports see it.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangeExport<'a> {
    /// Of which posting.
    pub posting: PostingId,
    /// Which.
    pub field: &'a str,
    /// What it was.
    pub old: Option<FieldValue>,
    /// What it is; `None` withdraws the value.
    pub new: Option<FieldValue>,
    /// How sure, in thousandths.
    pub confidence: u16,
    /// `user`, `ai` or `parsing`.
    pub source: &'a str,
    /// Who, as an opaque id.
    pub author: &'a str,
    /// Who, by name, where one is kept.
    pub name: Option<&'a str>,
    /// When.
    pub at: Micros,
    /// In which commit.
    pub commit: CommitId,
    /// Why, in the author's words.
    pub message: &'a str,
}

/// An event as exports see it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EventExport<'a> {
    /// `local`, `hub` or `feed:ID`.
    pub origin: &'a str,
    /// Its stream.
    pub stream: &'a str,
    /// Its epoch.
    pub epoch: i64,
    /// Its place in it.
    pub offset: i64,
    /// When.
    pub ts: Micros,
    /// The step.
    pub node: &'a str,
    /// What happened to it.
    pub phase: &'a str,
    /// The body, verbatim.
    pub body: &'a str,
}

/// The place of a posting in the order of exports: latest activity first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PostingPlace(i64, [u8; 16]);

/// The place of a change in the order of exports: by posting and field, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangePlace([u8; 16], String, i64, i64, Vec<u8>);

/// The place of an event in the order of exports: arrival, or epoch and offset of one run's stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventPlace {
    seq: i64,
    epoch: i64,
    offset: i64,
}

impl Store {
    /// The database as it is now.
    pub fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let path = self.path().to_owned();
        let connection = self.connect_reader()?;
        // The first read fixes what is seen.
        connection
            .execute_batch("BEGIN; SELECT count(*) FROM projection;")
            .map_err(|e| StoreError::sqlite(&path, &e))?;
        Ok(Snapshot { connection, path })
    }
}

impl Snapshot {
    pub(crate) fn reading<T>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        read(&self.connection).map_err(|e| StoreError::sqlite(&self.path, &e))
    }

    /// How many rows an export has. Without a filter it walks an index, with one it reads what the export reads.
    pub fn count(&self, what: What, filter: &Filter) -> Result<u64, StoreError> {
        self.reading(|c| {
            let all = *filter == Filter::default();
            let (from, last) = bounds(filter);
            let text = lower(filter);
            let count: i64 = match what {
                What::Postings if all => c.query_row(sql::POSTINGS_COUNT, [], |row| row.get(0))?,
                What::Events if all => {
                    c.query_row("SELECT count(*) FROM event", [], |row| row.get(0))?
                }
                What::History if all => {
                    c.query_row("SELECT count(*) FROM field_change", [], |row| row.get(0))?
                }
                What::Postings => {
                    let posting = filter.posting.map(|id| id.0);
                    let wanted = params![from, last, posting, text, filter.level, filter.verdict];
                    c.query_row(sql::EXPORT_POSTINGS_COUNT, wanted, |row| row.get(0))?
                }
                What::History => {
                    let field = filter.field.as_ref().map(FieldKey::name);
                    let (low, high) = postings(filter);
                    let wanted =
                        params![low, high, from, last, field, filter.author, filter.source];
                    c.query_row(sql::EXPORT_CHANGES_COUNT, wanted, |row| row.get(0))?
                }
                What::Events => match stream(c, filter)? {
                    Some(None) => 0,
                    Some(Some(id)) => {
                        let wanted = params![id, from, last, filter.node, filter.phase];
                        c.query_row(sql::EXPORT_EVENTS_OF_COUNT, wanted, |row| row.get(0))?
                    }
                    None => {
                        let wanted = params![from, last, filter.origin, filter.node, filter.phase];
                        c.query_row(sql::EXPORT_EVENTS_COUNT, wanted, |row| row.get(0))?
                    }
                },
            };
            Ok(u64::try_from(count).unwrap_or(0))
        })
    }

    /// The next postings behind `after`, at most [`PAGE_ROWS`], with the fields that `wanted` names; the place of the
    /// last one, `None` once there are no more or `each` has enough.
    pub fn postings(
        &self,
        filter: &Filter,
        after: Option<PostingPlace>,
        wanted: &dyn Fn(&str) -> bool,
        each: EachPosting<'_>,
    ) -> Result<Option<PostingPlace>, StoreError> {
        self.reading(|c| {
            let (from, last) = bounds(filter);
            let (text, posting) = (lower(filter), filter.posting.map(|id| id.0));
            let mut page = Page::default();
            // Those of the same moment as the last one first, then the ones before.
            if let Some(PostingPlace(updated, id)) = after {
                let mut same = c.prepare_cached(sql::EXPORT_POSTINGS_SAME)?;
                let rows = same.query(params![
                    updated,
                    id,
                    PAGE_ROWS as i64,
                    posting,
                    text,
                    filter.level,
                    filter.verdict
                ])?;
                page.postings(c, rows, wanted, each)?;
            }
            if page.goes_on() {
                let before = after.map_or(last.saturating_add(1), |place| place.0);
                let left = (PAGE_ROWS - page.rows) as i64;
                let mut next = c.prepare_cached(sql::EXPORT_POSTINGS)?;
                let rows = next.query(params![
                    before,
                    from,
                    left,
                    posting,
                    text,
                    filter.level,
                    filter.verdict
                ])?;
                page.postings(c, rows, wanted, each)?;
            }
            Ok(page.end())
        })
    }

    /// The next changes behind `after`, at most [`PAGE_ROWS`]; as [`Snapshot::postings`].
    pub fn changes(
        &self,
        filter: &Filter,
        after: Option<ChangePlace>,
        each: EachChange<'_>,
    ) -> Result<Option<ChangePlace>, StoreError> {
        self.reading(|c| {
            let (from, last) = bounds(filter);
            let (low, high) = postings(filter);
            let ChangePlace(posting, field, wall, counter, commit) =
                after.unwrap_or_else(|| ChangePlace(low, String::new(), i64::MIN, 0, Vec::new()));
            let only = filter.field.as_ref().map(FieldKey::name);
            let len = PAGE_ROWS as i64;
            let mut statement = c.prepare_cached(sql::EXPORT_CHANGES)?;
            let mut rows = statement.query(params![
                posting,
                field,
                wall,
                counter,
                commit,
                high,
                from,
                last,
                only,
                filter.author,
                filter.source,
                len
            ])?;
            let mut page = Page::default();
            while let Some(row) = rows.next()? {
                page.rows += 1;
                let change = change(c, row)?;
                if page.rows == PAGE_ROWS {
                    let field = change.field.to_owned();
                    let (id, counter) = (change.commit.0.to_vec(), row.get(3)?);
                    page.last = Some(ChangePlace(
                        change.posting.0,
                        field,
                        change.at.0,
                        counter,
                        id,
                    ));
                }
                if each(change).is_break() {
                    page.enough = true;
                    break;
                }
            }
            Ok(page.end())
        })
    }

    /// The next events behind `after`, at most [`PAGE_ROWS`]; as [`Snapshot::postings`].
    pub fn events(
        &self,
        filter: &Filter,
        after: Option<EventPlace>,
        each: EachEvent<'_>,
    ) -> Result<Option<EventPlace>, StoreError> {
        self.reading(|c| {
            let (from, last) = bounds(filter);
            let len = PAGE_ROWS as i64;
            let mut page = Page::default();
            match stream(c, filter)? {
                Some(None) => {}
                Some(Some(id)) => {
                    let (epoch, offset) =
                        after.map_or((-1, -1), |place| (place.epoch, place.offset));
                    let mut statement = c.prepare_cached(sql::EXPORT_EVENTS_OF)?;
                    let wanted = params![
                        id,
                        epoch,
                        offset,
                        from,
                        last,
                        filter.node,
                        filter.phase,
                        len
                    ];
                    page.events(statement.query(wanted)?, each)?;
                }
                None => {
                    let seq = after.map_or(0, |place| place.seq);
                    let mut statement = c.prepare_cached(sql::EXPORT_EVENTS)?;
                    let wanted = params![
                        seq,
                        from,
                        last,
                        filter.origin,
                        filter.node,
                        filter.phase,
                        len
                    ];
                    page.events(statement.query(wanted)?, each)?;
                }
            }
            Ok(page.end())
        })
    }
}

/// A page under way.
struct Page<P> {
    rows: usize,
    last: Option<P>,
    enough: bool,
}

impl<P> Default for Page<P> {
    fn default() -> Self {
        Self {
            rows: 0,
            last: None,
            enough: false,
        }
    }
}

impl<P> Page<P> {
    fn goes_on(&self) -> bool {
        self.rows < PAGE_ROWS && !self.enough
    }

    /// Where the next page goes on.
    fn end(self) -> Option<P> {
        self.last.filter(|_| !self.enough && self.rows == PAGE_ROWS)
    }
}

impl Page<PostingPlace> {
    fn postings(
        &mut self,
        c: &Connection,
        mut rows: Rows<'_>,
        wanted: &dyn Fn(&str) -> bool,
        each: EachPosting<'_>,
    ) -> rusqlite::Result<()> {
        let mut fields_of = c.prepare_cached(sql::EXPORT_FIELDS)?;
        while let Some(row) = rows.next()? {
            self.rows += 1;
            let posting = PostingId(row.get(0)?);
            let mut fields: Vec<FieldExport> = Vec::new();
            let mut found = fields_of.query([posting.0])?;
            while let Some(field) = found.next()? {
                if wanted(text(field, 0)?) {
                    fields.push(json(field, 1)?);
                }
            }
            let card: Card = json(row, 7)?;
            let updated: i64 = row.get(5)?;
            self.last = Some(PostingPlace(updated, posting.0));
            let export = PostingExport {
                posting,
                level: optional(row, 1)?,
                doubt: row.get(2)?,
                status: text(row, 3)?,
                first_seen: Micros(row.get(4)?),
                updated: Micros(updated),
                version: row.get(6)?,
                card: &card,
                fields: &fields,
            };
            if each(export).is_break() {
                self.enough = true;
                break;
            }
        }
        Ok(())
    }
}

impl Page<EventPlace> {
    fn events(&mut self, mut rows: Rows<'_>, each: EachEvent<'_>) -> rusqlite::Result<()> {
        while let Some(row) = rows.next()? {
            self.rows += 1;
            let (epoch, offset) = (row.get(3)?, row.get(4)?);
            let seq = row.get(0)?;
            self.last = Some(EventPlace { seq, epoch, offset });
            let event = EventExport {
                origin: text(row, 1)?,
                stream: text(row, 2)?,
                epoch,
                offset,
                ts: Micros(row.get(5)?),
                node: text(row, 6)?,
                phase: text(row, 7)?,
                body: text(row, 8)?,
            };
            if each(event).is_break() {
                self.enough = true;
                break;
            }
        }
        Ok(())
    }
}

fn change<'a>(c: &Connection, row: &'a Row<'_>) -> rusqlite::Result<ChangeExport<'a>> {
    let value = |column| -> rusqlite::Result<Option<FieldValue>> {
        match optional(row, column)? {
            Some(_) => json(row, column).map(Some),
            None => Ok(None),
        }
    };
    let (field, commit) = (text(row, 1)?, CommitId(row.get(4)?));
    let (old, new) = match row.get(12)? {
        None => (value(5)?, value(6)?),
        Some(block) => {
            let changes = archive::content::archived(c, commit, block)?.changes;
            let change = changes.into_iter().find(|one| one.field.name() == field);
            let change = change.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
            (change.old, change.new)
        }
    };
    Ok(ChangeExport {
        posting: PostingId(row.get(0)?),
        field,
        at: Micros(row.get(2)?),
        commit,
        old,
        new,
        confidence: row.get(7)?,
        source: text(row, 8)?,
        author: text(row, 9)?,
        message: text(row, 10)?,
        name: optional(row, 11)?,
    })
}

fn text<'a>(row: &'a Row<'_>, column: usize) -> rusqlite::Result<&'a str> {
    Ok(row.get_ref(column)?.as_str()?)
}

fn optional<'a>(row: &'a Row<'_>, column: usize) -> rusqlite::Result<Option<&'a str>> {
    Ok(row.get_ref(column)?.as_str_or_null()?)
}

fn json<'a, T: Deserialize<'a>>(row: &'a Row<'_>, column: usize) -> rusqlite::Result<T> {
    serde_json::from_str(text(row, column)?)
        .map_err(|e| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(e)))
}

/// First and last moment; what others send may have any.
fn bounds(filter: &Filter) -> (i64, i64) {
    let from = filter.from.map_or(i64::MIN, |at| at.0);
    let last = filter.until.map_or(i64::MAX, |at| at.0.saturating_sub(1));
    (from, last)
}

/// The first and the last posting id.
fn postings(filter: &Filter) -> ([u8; 16], [u8; 16]) {
    filter
        .posting
        .map_or(([0; 16], [255; 16]), |id| (id.0, id.0))
}

fn lower(filter: &Filter) -> String {
    filter
        .text
        .as_deref()
        .unwrap_or_default()
        .to_ascii_lowercase()
}

/// The stream of the run that is asked for; `None` without one, `Some(None)` if there is no such stream.
fn stream(c: &Connection, filter: &Filter) -> rusqlite::Result<Option<Option<i64>>> {
    let Some(run) = &filter.run else {
        return Ok(None);
    };
    let (origin, name) = match run.place() {
        Some((origin, stream)) => (origin.to_owned(), stream),
        None => (LOCAL.to_owned(), run.stream()),
    };
    if filter
        .origin
        .as_ref()
        .is_some_and(|wanted| *wanted != origin)
    {
        return Ok(Some(None));
    }
    let StreamId(name) = name;
    let found = c
        .prepare_cached(sql::STREAM)?
        .query_row((name, origin), |row| row.get(0));
    Ok(Some(found.optional()?))
}
