//! Everything at one moment, page by page: what exports read.
//!
//! A [`Snapshot`] is a reader of its own that sees the database as it was when it was taken, so rows that change
//! meanwhile are neither missed nor repeated. Pages go on behind the last row's key, never by counting rows. While a
//! snapshot is held the write-ahead log is not shortened behind it, so it is not kept for longer than an export takes.
//! Who only wants a look bounds the reading ([`Snapshot::read_until`]): what was read until then stands.

use crate::{
    archive,
    error::StoreError,
    log::{LogFilter, read_body},
    open::Store,
    sql,
    streams::LOCAL,
};
use ghostlight_model::{
    CommitId, Confidence, FieldKey, FieldValue, Micros, PostingId, RunId, StreamId,
    card::{Card, FieldState},
    export::{Filter, What},
};
use rusqlite::{Connection, ErrorCode, OptionalExtension, Params, Row, Rows, params, types::Type};
use serde::Deserialize;
use std::{
    cell::Cell,
    ops::ControlFlow,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// Rows of a page: what is read between two looks at whether to go on.
pub const PAGE_ROWS: usize = 1_000;
/// Steps of SQLite between two questions whether a bounded reading goes on: far less than a millisecond of work.
const STEPS: i32 = 1_000;

/// The database at one moment.
pub struct Snapshot {
    connection: Connection,
    path: PathBuf,
    bounded: Cell<bool>,
    cut: Arc<AtomicBool>,
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
        Ok(Snapshot {
            connection,
            path,
            bounded: Cell::new(false),
            cut: Arc::default(),
        })
    }
}

impl Snapshot {
    pub(crate) fn reading<T>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        read(&self.connection).map_err(|e| StoreError::sqlite(&self.path, &e))
    }

    /// From here on reading ends as soon as `enough` says so, with what was read until then; [`Snapshot::is_cut`] tells
    /// whether it did. Another bound takes the place of the one before.
    pub fn read_until(
        &self,
        mut enough: impl FnMut() -> bool + Send + 'static,
    ) -> Result<(), StoreError> {
        self.cut.store(false, Ordering::Relaxed);
        self.bounded.set(true);
        let cut = Arc::clone(&self.cut);
        let ends = move || {
            let ends = enough();
            cut.fetch_or(ends, Ordering::Relaxed);
            ends
        };
        self.reading(|c| c.progress_handler(STEPS, Some(ends)))
    }

    /// From here on everything is read.
    pub fn read_all(&self) -> Result<(), StoreError> {
        self.cut.store(false, Ordering::Relaxed);
        self.bounded.set(false);
        self.reading(|c| c.progress_handler(STEPS, None::<fn() -> bool>))
    }

    /// Whether a reading ended early since it was bounded.
    pub fn is_cut(&self) -> bool {
        self.cut.load(Ordering::Relaxed)
    }

    /// What was read, if a bound ended the reading; any other trouble stays one.
    fn so_far<T>(&self, read: rusqlite::Result<()>, have: T) -> rusqlite::Result<T> {
        match read {
            Err(error) if self.is_cut() && is_interrupt(&error) => Ok(have),
            read => read.map(|()| have),
        }
    }

    /// How many rows an export has; those counted so far, if a bound ended the counting. Without a filter it walks an
    /// index, with one it reads what the export reads.
    pub fn count(&self, what: What, filter: &Filter) -> Result<u64, StoreError> {
        if what == What::Events && Searched::of(filter).is_some() {
            return self.count_searched(filter);
        }
        self.reading(|c| {
            let all = *filter == Filter::default();
            let (from, last) = bounds(filter);
            let mut count = 0;
            let read = match what {
                What::Postings if all => total(c, sql::POSTINGS_COUNT, &mut count),
                What::Events if all => total(c, "SELECT count(*) FROM event", &mut count),
                // One step of SQLite, which no bound ends; here it reads the whole table, and not an index of it.
                What::History if all && !self.bounded.get() => {
                    total(c, "SELECT count(*) FROM field_change", &mut count)
                }
                What::Postings => {
                    let (posting, text) = (filter.posting.map(|id| id.0), lower(&filter.text));
                    let wanted = params![from, last, posting, text, filter.level, filter.verdict];
                    each(c, sql::EXPORT_POSTINGS_EACH, wanted, &mut count)
                }
                What::History => {
                    let field = filter.field.as_ref().map(FieldKey::name);
                    let (low, high) = postings(filter);
                    let wanted =
                        params![low, high, from, last, field, filter.author, filter.source];
                    each(c, sql::EXPORT_CHANGES_EACH, wanted, &mut count)
                }
                What::Events => {
                    let (node, phase, origin) = (&filter.node, &filter.phase, &filter.origin);
                    let (status, named) = of_runs(filter);
                    match stream(c, filter)? {
                        Some(None) => Ok(()),
                        Some(Some(id)) => {
                            let wanted = params![id, from, last, node, phase, status, named];
                            each(c, sql::EXPORT_EVENTS_OF_EACH, wanted, &mut count)
                        }
                        None => {
                            let wanted = params![from, last, origin, node, phase, status, named];
                            each(c, sql::EXPORT_EVENTS_EACH, wanted, &mut count)
                        }
                    }
                }
            };
            self.so_far(read, count)
        })
    }

    /// Counts events whose bodies have to be looked at.
    fn count_searched(&self, filter: &Filter) -> Result<u64, StoreError> {
        let (mut count, mut at) = (0, None);
        loop {
            at = self.events(filter, at, &mut |_| {
                count += 1;
                ControlFlow::Continue(())
            })?;
            if at.is_none() {
                return Ok(count);
            }
        }
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
        let mut page = Page::default();
        let mut read = |c: &Connection| {
            let (from, last) = bounds(filter);
            let (text, posting) = (lower(&filter.text), filter.posting.map(|id| id.0));
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
            Ok(())
        };
        self.reading(|c| self.so_far(read(c), ()))?;
        Ok(self.next(page))
    }

    /// The next changes behind `after`, at most [`PAGE_ROWS`]; as [`Snapshot::postings`].
    pub fn changes(
        &self,
        filter: &Filter,
        after: Option<ChangePlace>,
        each: EachChange<'_>,
    ) -> Result<Option<ChangePlace>, StoreError> {
        let mut page = Page::default();
        let read = |c: &Connection| {
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
            Ok(())
        };
        self.reading(|c| self.so_far(read(c), ()))?;
        Ok(self.next(page))
    }

    /// The next events behind `after`, at most [`PAGE_ROWS`]; as [`Snapshot::postings`].
    pub fn events(
        &self,
        filter: &Filter,
        after: Option<EventPlace>,
        each: EachEvent<'_>,
    ) -> Result<Option<EventPlace>, StoreError> {
        let mut page = Page::default();
        let searched = Searched::of(filter);
        let mut read = |c: &Connection| {
            let (from, last) = bounds(filter);
            let (status, named) = of_runs(filter);
            let len = PAGE_ROWS as i64;
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
                        len,
                        status,
                        named
                    ];
                    page.events(statement.query(wanted)?, searched.as_ref(), each)?;
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
                        len,
                        status,
                        named
                    ];
                    page.events(statement.query(wanted)?, searched.as_ref(), each)?;
                }
            }
            Ok(())
        };
        self.reading(|c| self.so_far(read(c), ()))?;
        Ok(self.next(page))
    }

    /// Where the next page goes on: nowhere, once a bound ended the reading.
    fn next<P>(&self, page: Page<P>) -> Option<P> {
        page.end().filter(|_| !self.is_cut())
    }
}

/// Only a bound makes SQLite end by itself.
fn is_interrupt(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted)
}

fn total(c: &Connection, statement: &str, count: &mut u64) -> rusqlite::Result<()> {
    let all: i64 = c.query_row(statement, [], |row| row.get(0))?;
    *count = u64::try_from(all).unwrap_or(0);
    Ok(())
}

/// Counts rows one by one, so that the number is one also where a bound ends it.
fn each(
    c: &Connection,
    statement: &str,
    wanted: impl Params,
    count: &mut u64,
) -> rusqlite::Result<()> {
    let mut statement = c.prepare_cached(statement)?;
    let mut rows = statement.query(wanted)?;
    while rows.next()?.is_some() {
        *count += 1;
    }
    Ok(())
}

/// What of an event's body is asked for.
struct Searched {
    wanted: LogFilter,
    needle: String,
}

impl Searched {
    /// `None` if bodies are not looked at.
    fn of(filter: &Filter) -> Option<Self> {
        let wanted = LogFilter {
            severity: filter.severity,
            text: lower(&filter.text),
            ..LogFilter::default()
        };
        let needle = wanted.text.clone();
        (!wanted.is_empty()).then_some(Self { wanted, needle })
    }

    fn takes(&self, event: &EventExport<'_>) -> bool {
        let stream = StreamId(event.stream.to_owned());
        let own = event.origin == LOCAL;
        let run = match stream.run().filter(|_| own) {
            Some(run) => run,
            None => RunId::of_stream(event.origin, &stream),
        };
        let body = read_body(event.body, event.ts, &run, own);
        self.wanted.takes(&body, event.body, &self.needle)
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
    /// A page is full by what was looked at, so that its work is bounded also where little is like that.
    fn events(
        &mut self,
        mut rows: Rows<'_>,
        searched: Option<&Searched>,
        each: EachEvent<'_>,
    ) -> rusqlite::Result<()> {
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
            if searched.is_some_and(|searched| !searched.takes(&event)) {
                continue;
            }
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

fn lower(text: &Option<String>) -> String {
    text.as_deref().unwrap_or_default().to_ascii_lowercase()
}

/// Status and a text in the name, of the runs whose events are asked for.
fn of_runs(filter: &Filter) -> (Option<&'static str>, Option<String>) {
    let named = filter.named.as_deref().filter(|text| !text.is_empty());
    (
        filter.status.map(|status| status.word()),
        named.map(str::to_ascii_lowercase),
    )
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
