//! What can be written: captures, events, identities, commits, settings.

use crate::{
    drafts,
    error::StoreError,
    history,
    open::Store,
    outline,
    project::StreamHead,
    sql,
    streams::{self, LOCAL, epoch_at, insert_event},
    writer::{Batch, Pending},
};
use ghostlight_model::{
    CaptureId, CommitId, ContentHash, EventBody, FieldKey, FieldValue, Method, Micros, Observation,
    Offset, PostingId, RunId, Source, StreamId,
    card::Standing,
    commit::{AuthorId, Commit, FieldChange},
    event::Fact,
    keys::PostingKey,
    observation::Confidence,
    rules,
    run::{RunKind, RunState},
};
use rusqlite::{Connection, OptionalExtension, params};
use std::{borrow::Cow, collections::BTreeMap};

/// A fetched version of a posting, to be stored or stored already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCapture {
    /// The bytes as they arrived.
    pub bytes: Vec<u8>,
    /// When they arrived.
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

impl NewCapture {
    /// The capture's id: content, time and address together.
    pub fn id(&self) -> CaptureId {
        let content = ContentHash::of_bytes(&self.bytes);
        let url = self.final_url.as_deref().unwrap_or("");
        CaptureId::of(&[&content.0, &self.fetched_at.0.to_le_bytes(), url.as_bytes()])
    }
}

/// What a finished run hands over: its last event and the winners for its commit.
#[derive(Debug, Clone)]
pub struct FinishedRun {
    /// The posting.
    pub posting: PostingId,
    /// Every field's winning observation.
    pub winners: Vec<Observation>,
    /// `pipeline@version`.
    pub author: AuthorId,
    /// `SCORE`'s end with [`Fact::Assessed`]; the commit's id is filled in.
    pub event: EventBody,
}

/// A person's change to one field.
#[derive(Debug, Clone)]
pub struct PersonChange {
    /// The posting.
    pub posting: PostingId,
    /// The person.
    pub author: AuthorId,
    /// Why.
    pub message: String,
    /// Which field.
    pub field: FieldKey,
    /// The value; `None` withdraws it.
    pub value: Option<FieldValue>,
    /// Made by the caller; the same key twice is one commit.
    pub key: String,
    /// When.
    pub now: Micros,
}

impl Store {
    /// Stores a capture's bytes.
    pub fn put_capture(&self, capture: NewCapture) -> Pending<CaptureId> {
        self.writer()
            .submit(move |batch| insert_capture(batch, &capture).map_err(|e| batch.sqlite(&e)))
    }

    /// Stores the two text layers of a capture.
    pub fn put_layers(&self, capture: CaptureId, visible: String, source: String) -> Pending<()> {
        self.writer().submit(move |batch| {
            let put = || -> rusqlite::Result<()> {
                let visible = insert_content(batch, visible.as_bytes())?;
                let source = insert_content(batch, source.as_bytes())?;
                let mut statement = batch.tx.prepare_cached(
                    "UPDATE capture SET visible_hash = ?2, source_hash = ?3 WHERE id = ?1",
                )?;
                statement.execute(params![capture.0, visible.0, source.0])?;
                Ok(())
            };
            put().map_err(|e| batch.sqlite(&e))
        })
    }

    /// Appends events to a local stream, in order; answers the first offset. No events change
    /// nothing, and are answered with the offset the next one gets.
    ///
    /// # Errors
    /// [`StoreError::Refused`] if the stream is not a run's, or an event belongs to another run.
    pub fn append(&self, stream: StreamId, events: Vec<EventBody>) -> Pending<Offset> {
        // Made into JSON here: the writer's time is what everybody waits for.
        let bodies: rusqlite::Result<Vec<String>> = events.iter().map(json).collect();
        let light = events.len() == 1;
        let work = move |batch: &mut Batch<'_>| {
            let bodies = bodies.map_err(|e| batch.sqlite(&e))?;
            append(batch, &stream, &events, &bodies)
        };
        match light {
            true => self.writer().submit_light(work),
            false => self.writer().submit(work),
        }
    }

    /// The posting recognised by `keys`, a new one if none is; all keys are kept. See
    /// [`Store::recognised`].
    pub fn identify(&self, keys: Vec<PostingKey>) -> Pending<PostingId> {
        self.writer().submit(move |batch| identify(batch, &keys))
    }

    /// Ends a run: commits the winners that changed and appends its last event, together.
    pub fn finish_run(&self, run: FinishedRun) -> Pending<Option<CommitId>> {
        self.writer().submit(move |batch| finish_run(batch, run))
    }

    /// Records a person's change as a commit.
    ///
    /// # Errors
    /// [`StoreError::Refused`] if the value breaks a rule of the field or the posting is unknown.
    pub fn commit_change(&self, change: PersonChange) -> Pending<CommitId> {
        self.writer()
            .submit(move |batch| commit_change(batch, &change))
    }

    /// Stores a setting.
    pub fn put_setting(&self, key: impl Into<String>, value: String) -> Pending<()> {
        let key = key.into();
        self.writer().submit(move |batch| {
            batch
                .tx
                .execute(
                    "INSERT OR REPLACE INTO setting (key, value) VALUES (?1, ?2)",
                    (&key, &value),
                )
                .map_err(|e| batch.sqlite(&e))?;
            batch.touched.everything();
            Ok(())
        })
    }

    /// Stores a person's name.
    pub fn put_person(&self, author: AuthorId, name: String) -> Pending<()> {
        self.writer().submit(move |batch| {
            batch
                .tx
                .execute(
                    "INSERT OR REPLACE INTO person (author_id, name) VALUES (?1, ?2)",
                    (&author.0, &name),
                )
                .map_err(|e| batch.sqlite(&e))?;
            Ok(())
        })
    }

    /// Drops every projection and rebuilds it from the log, in one transaction.
    pub fn rebuild(&self) -> Pending<crate::Rebuilt> {
        self.writer().submit(|batch| {
            // What this very batch changed before must stand in its rows, or it looks like drift.
            let rebuilt = batch
                .touched
                .flush(batch.tx)
                .and_then(|()| crate::project::rebuild(batch.tx))
                .map_err(|e| batch.sqlite(&e))?;
            batch.touched.forget_runs();
            batch.touched.everything();
            Ok(rebuilt)
        })
    }
}

pub(crate) fn insert_content(batch: &Batch<'_>, bytes: &[u8]) -> rusqlite::Result<ContentHash> {
    let hash = ContentHash::of_bytes(bytes);
    let mut statement = batch.tx.prepare_cached(
        "INSERT INTO content (hash, bytes) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
    )?;
    statement.execute(params![hash.0, bytes])?;
    Ok(hash)
}

fn insert_capture(batch: &Batch<'_>, capture: &NewCapture) -> rusqlite::Result<CaptureId> {
    let hash = insert_content(batch, &capture.bytes)?;
    let id = capture.id();
    let mut statement = batch.tx.prepare_cached(
        "INSERT INTO capture (id, content_hash, fetched_at, name, url, final_url, http_status, content_type)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
    )?;
    statement.execute(params![
        id.0,
        hash.0,
        capture.fetched_at.0,
        capture.name,
        capture.url,
        capture.final_url,
        capture.http_status,
        capture.content_type,
    ])?;
    Ok(id)
}

pub(crate) fn append(
    batch: &mut Batch<'_>,
    stream: &StreamId,
    events: &[EventBody],
    bodies: &[String],
) -> Result<Offset, StoreError> {
    let path = batch.path;
    let sqlite = |e: rusqlite::Error| StoreError::sqlite(path, &e);
    let run = run_of(stream, events)?;
    let known = head_of(batch, stream).map_err(sqlite)?;
    let Some(opened) = events.first().map(|event| event.ts) else {
        return Ok(Offset(known.map_or(0, |head| head.next as u64)));
    };
    let mut head = match known {
        Some(head) => head,
        None => streams::open(batch, stream, LOCAL, epoch_at(opened)).map_err(sqlite)?,
    };
    let first = head.next;
    let state = batch.touched.run(batch.tx, &run).map_err(sqlite)?;
    let mut posting = state.as_ref().and_then(|state| state.posting);
    let stored = match state {
        Some(Cow::Owned(state)) => Some(state),
        _ => None,
    };
    let mut insert = batch.tx.prepare_cached(sql::INSERT_EVENT).map_err(sqlite)?;
    for (event, body) in events.iter().zip(bodies) {
        // The observation first: it can be refused (a capture that is not stored), and then a
        // single event leaves nothing to take back.
        match event.fact.as_deref() {
            Some(Fact::Parsed {
                posting: parsed, ..
            }) => posting = Some(*parsed),
            Some(Fact::Observed(observation)) => {
                if let Some(posting) = posting {
                    insert_observation(batch, posting, observation).map_err(sqlite)?;
                }
            }
            _ => {}
        }
        let words = (event.node.as_str(), event.phase.word());
        insert_event(&mut insert, head, event.ts, words, body).map_err(sqlite)?;
        head.next += 1;
    }
    let last_seq = batch.tx.last_insert_rowid();
    // Everything that can fail has succeeded: only now is the batch's memory changed.
    batch.touched.advance(stream, head);
    batch
        .touched
        .apply((&run, RunKind::Own, head.epoch), stored, events);
    batch.touched.reached(last_seq);
    Ok(Offset(first as u64))
}

/// The run whose stream it is, if all events are that run's.
fn run_of(stream: &StreamId, events: &[EventBody]) -> Result<RunId, StoreError> {
    let Some(run) = stream.run() else {
        return Err(StoreError::Refused(format!(
            "{stream} is not a run's stream"
        )));
    };
    match events.iter().find(|event| event.run_id != run) {
        Some(event) => Err(StoreError::Refused(format!(
            "an event of run {} does not belong into {stream}",
            event.run_id
        ))),
        None => Ok(run),
    }
}

fn head_of(batch: &Batch<'_>, stream: &StreamId) -> rusqlite::Result<Option<StreamHead>> {
    if let Some(head) = batch.touched.stream(stream) {
        return Ok(Some(head));
    }
    streams::stored_head(batch, stream, LOCAL)
}

pub(crate) fn insert_observation(
    batch: &Batch<'_>,
    posting: PostingId,
    observation: &Observation,
) -> rusqlite::Result<()> {
    let mut statement = batch.tx.prepare_cached(
        "INSERT INTO observation (id, posting, capture, field, body) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO NOTHING",
    )?;
    statement.execute(params![
        observation.id().0,
        posting.0,
        observation.capture.0,
        observation.field.name(),
        json(observation)?
    ])?;
    Ok(())
}

/// JSON of a type of ours. It fails only for maps with keys that are no strings; none has any.
pub(crate) fn json<T: serde::Serialize>(value: &T) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|e| rusqlite::Error::ToSqlConversionFailure(Box::new(e)))
}

fn identify(batch: &mut Batch<'_>, keys: &[PostingKey]) -> Result<PostingId, StoreError> {
    let path = batch.path;
    let sqlite = |e: rusqlite::Error| StoreError::sqlite(path, &e);
    let strongest = ghostlight_model::keys::strongest(keys)
        .ok_or_else(|| StoreError::Refused("a posting without any key".into()))?;
    let known = crate::read::recognised(batch.tx, keys).map_err(sqlite)?;
    let posting = known.unwrap_or_else(|| strongest.posting_id());
    for key in keys {
        batch
            .tx
            .prepare_cached(
                "INSERT INTO posting_key (key, posting) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
            )
            .and_then(|mut s| s.execute((key.stored(), posting.0)))
            .map_err(sqlite)?;
    }
    Ok(posting)
}

fn finish_run(batch: &mut Batch<'_>, run: FinishedRun) -> Result<Option<CommitId>, StoreError> {
    let path = batch.path;
    let sqlite = |e: rusqlite::Error| StoreError::sqlite(path, &e);
    let FinishedRun {
        posting,
        winners,
        author,
        mut event,
    } = run;
    let mut tip = history::tip(batch.tx, batch.touched.outlines(), posting).map_err(sqlite)?;
    let standing = tip.values(batch.tx).map_err(sqlite)?;
    let state = batch.touched.run(batch.tx, &event.run_id).map_err(sqlite)?;
    let mut changes = machine_changes(&standing, &winners);
    if let Some(state) = state.as_deref() {
        changes.extend(taken_back(batch.tx, standing, &winners, state).map_err(sqlite)?);
    }
    let commit = if changes.is_empty() {
        None
    } else {
        let message = format!("run {}", event.run_id);
        let commit = tip.next(posting, (author, message), changes, event.ts);
        Some(tip.advance(batch, &commit, None).map_err(sqlite)?)
    };
    if let Some(fact) = &mut event.fact
        && let Fact::Assessed { commit: named, .. } = &mut **fact
    {
        *named = commit;
    }
    let stream = event.run_id.stream();
    let body = json(&event).map_err(sqlite)?;
    append(batch, &stream, &[event], &[body])?;
    batch.touched.posting(posting);
    Ok(commit)
}

/// The winners that changed, leaving alone what a person decided.
fn machine_changes(
    standing: &BTreeMap<FieldKey, Standing>,
    winners: &[Observation],
) -> Vec<FieldChange> {
    winners
        .iter()
        .filter_map(|winner| {
            let old = standing.get(&winner.field);
            match old {
                Some(old) if old.source == Source::User => return None,
                Some(old) if old.value == winner.value => return None,
                _ => {}
            }
            Some(FieldChange {
                field: winner.field.clone(),
                old: old.map(|old| old.value.clone()),
                new: Some(winner.value.clone()),
                confidence: winner.confidence,
                source: winner.source,
                method: winner.method,
                observation: Some(winner.id()),
            })
        })
        .collect()
}

/// What this run takes back: machine values that an earlier run read out of the same capture and
/// that this one, having looked by the same method, does not see. What another capture said stands
/// until a later one says otherwise.
fn taken_back(
    connection: &Connection,
    standing: BTreeMap<FieldKey, Standing>,
    winners: &[Observation],
    run: &RunState,
) -> rusqlite::Result<Vec<FieldChange>> {
    let (Some(posting), Some(receipt)) = (run.posting, &run.receipt) else {
        return Ok(Vec::new());
    };
    let mut changes = Vec::new();
    for (field, old) in standing {
        let won = winners.iter().any(|winner| winner.field == field);
        let Some(id) = old.observation else { continue };
        if won || !receipt.looked(&field, old.method) {
            continue;
        }
        let seen = crate::read::observation(connection, posting, id)?;
        if seen.is_some_and(|seen| Some(seen.capture) == run.capture) {
            changes.push(FieldChange {
                field,
                old: Some(old.value),
                new: None,
                confidence: old.confidence,
                source: old.source,
                method: old.method,
                observation: None,
            });
        }
    }
    Ok(changes)
}

fn commit_change(batch: &mut Batch<'_>, change: &PersonChange) -> Result<CommitId, StoreError> {
    let path = batch.path;
    let sqlite = |e: rusqlite::Error| StoreError::sqlite(path, &e);
    if let Some(value) = &change.value {
        rules::check(&change.field, value).map_err(|e| StoreError::Refused(e.to_string()))?;
    }
    if let Some(done) = find_commit_by_key(batch, &change.key).map_err(sqlite)? {
        // It may have been kept because the answer was lost.
        drafts::end(batch, change.posting, &change.field).map_err(sqlite)?;
        batch.touched.posting(change.posting);
        return Ok(done);
    }
    if !posting_exists(batch, change.posting).map_err(sqlite)? {
        return Err(StoreError::NotFound(format!("posting {}", change.posting)));
    }
    let tip = history::tip(batch.tx, batch.touched.outlines(), change.posting).map_err(sqlite)?;
    let old = tip.latest_value(batch.tx, &change.field).map_err(sqlite)?;
    let changes = vec![FieldChange {
        field: change.field.clone(),
        old,
        new: change.value.clone(),
        confidence: Confidence::FULL,
        source: Source::User,
        method: Method::Manual,
        observation: None,
    }];
    let by = (change.author.clone(), change.message.clone());
    let commit = tip.next(change.posting, by, changes, change.now);
    let id = tip
        .advance(batch, &commit, Some(&change.key))
        .map_err(sqlite)?;
    drafts::end(batch, change.posting, &change.field).map_err(sqlite)?;
    batch.touched.posting(change.posting);
    Ok(id)
}

pub(crate) fn find_commit_by_key(
    batch: &Batch<'_>,
    key: &str,
) -> rusqlite::Result<Option<CommitId>> {
    let mut find = batch.tx.prepare_cached(sql::COMMIT_BY_KEY)?;
    find.query_row([key], |row| row.get(0).map(CommitId))
        .optional()
}

pub(crate) fn posting_exists(batch: &Batch<'_>, posting: PostingId) -> rusqlite::Result<bool> {
    let mut find = batch.tx.prepare_cached(sql::POSTING_KNOWN)?;
    find.exists([posting.0])
}

pub(crate) fn insert_commit(
    batch: &Batch<'_>,
    commit: &Commit,
    key: Option<&str>,
) -> rusqlite::Result<CommitId> {
    let id = commit.id();
    batch
        .tx
        .prepare_cached(
            "INSERT INTO \"commit\" (id, posting, author_id, wall, counter, message, idempotency_key, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            id.0,
            commit.posting.0,
            commit.author.0,
            commit.clock.wall.0,
            commit.clock.counter,
            commit.message,
            key,
            json(commit)?
        ])?;
    let mut parent = batch
        .tx
        .prepare_cached("INSERT INTO commit_parent (child, parent) VALUES (?1, ?2)")?;
    for p in &commit.parents {
        parent.execute(params![id.0, p.0])?;
    }
    outline::insert(batch.tx, id, commit)?;
    let mut change = batch.tx.prepare_cached(
        "INSERT INTO field_change
             (posting, field, wall, counter, commit_id, old, new, confidence, source, author_id)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?;
    for c in &commit.changes {
        change.execute(params![
            commit.posting.0,
            c.field.name(),
            commit.clock.wall.0,
            commit.clock.counter,
            id.0,
            c.old.as_ref().map(json).transpose()?,
            c.new.as_ref().map(json).transpose()?,
            c.confidence.thousandths(),
            c.source.word(),
            commit.author.0
        ])?;
    }
    Ok(id)
}
