//! Projections: `run`, `posting`, `card_field`, `judgement`, `accuracy`, `node_history` and `outline`, folded from the
//! log and thrown away at will.
//!
//! [`Touched`] collects what a batch changes in memory; each touched row is written once, when the
//! batch is flushed. [`rebuild`] runs the same code over the whole log, so it cannot disagree
//! (DESIGN *Invariants* 3).

use crate::{
    history,
    outline::{self, Outlines},
    read, sql, streams, suggest,
    write::json,
    writer::Changes,
};
use ghostlight_model::{
    Epoch, EventBody, FieldKey, Observation, Phase, PostingId, RunId, StreamId,
    card::{Card, CardInput, FieldState, fold, fold_commits},
    commit::Commit,
    event::Fact,
    liveness,
    run::{RunKind, RunLine, RunState},
};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

/// Raise it when a projection's rows or the reducers behind them change: older rows are rebuilt
/// when the store is opened.
const VERSION: i64 = 6;
const NAME: &str = "cards";
/// Events read at a time while rebuilding.
const REBUILD_CHUNK: i64 = 10_000;
/// Runs whose state is kept from one batch to the next; others are read back when they go on.
const STANDING_MAX: usize = 64;

/// What a rebuild did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebuilt {
    /// Events read from the log.
    pub events: u64,
    /// Runs written.
    pub runs: u64,
    /// Postings written.
    pub postings: u64,
    /// Whether the rows differ from those that stood there before.
    pub drift: bool,
}

/// States of the runs written last, as the last transaction left them in their table: those go on in the next batch as
/// a rule, and reading them back costs more than their events do. Whoever holds it drops it once another process may
/// have changed the table.
#[derive(Debug, Clone, Default)]
pub(crate) struct Standing(BTreeMap<RunId, RunState>);

/// What a batch has changed so far, in memory.
///
/// It changes only once everything that can fail has succeeded, so a piece of work that is rolled
/// back leaves no trace here.
#[derive(Debug, Clone, Default)]
pub(crate) struct Touched {
    standing: Standing,
    outlines: Outlines,
    runs: BTreeMap<RunId, RunState>,
    /// Durations of nodes that ended, by origin and node, in order.
    durations: BTreeMap<String, BTreeMap<String, Vec<f64>>>,
    fingerprints: BTreeMap<RunId, u64>,
    streams: BTreeMap<StreamId, StreamHead>,
    postings: BTreeSet<PostingId>,
    grown: BTreeSet<StreamId>,
    last_seq: i64,
    events: u64,
    outbox: bool,
    everything: bool,
}

/// Where the next event of a stream goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StreamHead {
    /// The row.
    pub id: i64,
    /// The epoch.
    pub epoch: i64,
    /// The next event's offset.
    pub next: i64,
}

impl Touched {
    /// A batch behind the one that left `standing`.
    pub fn after(standing: Standing, outlines: Outlines) -> Self {
        Self {
            standing,
            outlines,
            ..Self::default()
        }
    }

    /// The histories that were read last.
    pub fn outlines(&self) -> &Outlines {
        &self.outlines
    }

    /// Marks a posting whose commits changed.
    pub fn posting(&mut self, posting: PostingId) {
        self.postings.insert(posting);
    }

    /// Marks a stream that others wrote to.
    pub fn stream_grew(&mut self, stream: StreamId) {
        self.grown.insert(stream);
    }

    /// Marks the outbox as changed.
    pub fn outbox(&mut self) {
        self.outbox = true;
    }

    /// Marks everything as changed.
    pub fn everything(&mut self) {
        self.everything = true;
    }

    /// The head of a stream this batch has written to.
    pub fn stream(&self, stream: &StreamId) -> Option<StreamHead> {
        self.streams.get(stream).copied()
    }

    /// Remembers where a stream stands now.
    pub fn advance(&mut self, stream: &StreamId, head: StreamHead) {
        match self.streams.get_mut(stream) {
            Some(known) => *known = head,
            None => {
                self.streams.insert(stream.clone(), head);
            }
        }
    }

    /// A run's state as of this batch's last event: remembered, or as the table has it.
    pub fn run(
        &self,
        connection: &Connection,
        run: &RunId,
    ) -> rusqlite::Result<Option<Cow<'_, RunState>>> {
        match self.runs.get(run).or_else(|| self.standing.0.get(run)) {
            Some(state) => Ok(Some(Cow::Borrowed(state))),
            None => Ok(read::run_state(connection, run)?.map(Cow::Owned)),
        }
    }

    /// What the table has of a run that this batch does not remember, for [`Touched::apply`].
    pub fn missing(
        &self,
        connection: &Connection,
        run: &RunId,
    ) -> rusqlite::Result<Option<RunState>> {
        match self.runs.contains_key(run) || self.standing.0.contains_key(run) {
            true => Ok(None),
            false => read::run_state(connection, run),
        }
    }

    /// Folds `events`, in stream order and of one epoch, into the run. `stored` is what the table has of it, asked
    /// for only if the batch does not remember it ([`Touched::missing`]). A state of another epoch is forgotten: its
    /// source lost or reset its log, and what it says from now on is all there is.
    pub fn apply(
        &mut self,
        (run, kind, epoch): (&RunId, RunKind, i64),
        stored: Option<RunState>,
        events: &[EventBody],
    ) {
        let Some(first) = events.first() else {
            return;
        };
        let epoch = Epoch(u64::try_from(epoch).unwrap_or(0));
        let fresh = || RunState {
            epoch,
            ..RunState::new(run.clone(), kind, first.ts)
        };
        match self.runs.get_mut(run) {
            Some(known) if known.epoch == epoch => {}
            Some(known) => *known = fresh(),
            None => {
                let state = self.standing.0.remove(run).or(stored);
                let state = state.filter(|state| state.epoch == epoch);
                self.runs.insert(run.clone(), state.unwrap_or_else(fresh));
            }
        }
        let Some(state) = self.runs.get_mut(run) else {
            return;
        };
        let ours = run.place().is_none();
        self.events += events.len() as u64;
        // A posting that loses this run needs its row written as much as the one that gains it.
        self.postings.extend(state.posting.filter(|_| ours));
        for event in events {
            state.apply(event);
            if let Some(Fact::Parsed {
                fingerprint: Some(print),
                ..
            }) = event.fact.as_deref()
                && ours
            {
                self.fingerprints.insert(run.clone(), *print);
            }
            if event.phase == Phase::End
                && let Some(ms) = state.node(&event.node).and_then(|node| node.duration_ms)
            {
                remember(&mut self.durations, origin_of(run), &event.node, ms);
            }
        }
        self.postings.extend(state.posting.filter(|_| ours));
    }

    /// Remembers that the log is applied up to `seq`.
    pub fn reached(&mut self, seq: i64) {
        self.last_seq = self.last_seq.max(seq);
    }

    /// Writes each touched row once. Writing twice is the same as once.
    pub fn flush(&mut self, tx: &Transaction<'_>) -> rusqlite::Result<()> {
        self.write_runs(tx)?;
        self.write_durations(tx)?;
        for head in self.streams.values() {
            streams::advance(tx, *head)?;
        }
        for posting in &self.postings {
            write_posting(tx, &self.outlines, *posting)?;
        }
        if self.last_seq > 0 {
            tx.prepare_cached(
                "INSERT INTO projection (name, version, position) VALUES (?1, ?2, ?3)
                 ON CONFLICT (name) DO UPDATE SET version = ?2, position = max(position, ?3)",
            )?
            .execute((NAME, VERSION, self.last_seq))?;
        }
        Ok(())
    }

    fn write_runs(&self, tx: &Transaction<'_>) -> rusqlite::Result<()> {
        for (run, state) in &self.runs {
            write_run(tx, state, self.fingerprints.get(run).copied())?;
        }
        Ok(())
    }

    /// These are added to what stands there, so they are written once only.
    fn write_durations(&mut self, tx: &Transaction<'_>) -> rusqlite::Result<()> {
        let origins = std::mem::take(&mut self.durations);
        let nodes = origins.into_iter().flat_map(|(origin, nodes)| {
            let nodes = nodes.into_iter();
            nodes.map(move |(node, new)| (origin.clone(), node, new))
        });
        for (origin, node, new) in nodes {
            let mut durations = read::durations(tx, &origin, &node)?;
            durations.extend(new);
            let surplus = durations.len().saturating_sub(liveness::HISTORY_MAX);
            durations.drain(..surplus);
            tx.prepare_cached(
                "INSERT INTO node_history (origin, node, durations) VALUES (?1, ?2, ?3)
                 ON CONFLICT (origin, node) DO UPDATE SET durations = ?3",
            )?
            .execute(params![origin, node, json(&durations)?])?;
        }
        Ok(())
    }

    /// Forgets every run's state: the table was written anew.
    pub fn forget_runs(&mut self) {
        self.standing.0.clear();
        self.runs.clear();
    }

    /// What this batch changed, and the states it leaves behind; to be asked for once its transaction is on disk.
    pub fn into_changes(mut self) -> (Changes, Standing) {
        self.grown.extend(self.streams.into_keys());
        let runs = self.runs.keys().cloned().collect();
        let Standing(mut standing) = self.standing;
        standing.extend(self.runs);
        while standing.len() > STANDING_MAX {
            standing.pop_first();
        }
        let changes = Changes {
            streams: self.grown,
            runs,
            postings: self.postings,
            events: self.events,
            outbox: self.outbox,
            everything: self.everything,
        };
        (changes, Standing(standing))
    }
}

/// Adds a duration; names are copied only the first time.
fn remember(
    durations: &mut BTreeMap<String, BTreeMap<String, Vec<f64>>>,
    origin: &str,
    node: &str,
    ms: f64,
) {
    if let Some(known) = durations
        .get_mut(origin)
        .and_then(|nodes| nodes.get_mut(node))
    {
        return known.push(ms);
    }
    let nodes = durations.entry(origin.to_owned()).or_default();
    nodes.entry(node.to_owned()).or_default().push(ms);
}

fn write_run(
    tx: &Transaction<'_>,
    state: &RunState,
    fingerprint: Option<u64>,
) -> rusqlite::Result<()> {
    let line = RunLine::of(state);
    tx.prepare_cached(
        "INSERT INTO run (run_id, origin, name, status, process, posting, started, capture,
             assessed, fingerprint, line, state)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
         ON CONFLICT (run_id) DO UPDATE SET name = ?3, status = ?4, process = ?5, posting = ?6,
             started = ?7, capture = ?8, assessed = ?9, fingerprint = coalesce(?10, fingerprint),
             line = ?11, state = ?12",
    )?
    .execute(params![
        state.run_id.0,
        origin_of(&state.run_id),
        line.name,
        state.status.word(),
        state.process,
        line.posting.map(|p| p.0),
        state.started.0,
        state.capture.map(|c| c.0),
        state.assessment.is_some(),
        fingerprint.map(|print| print as i64),
        json(&line)?,
        json(state)?
    ])?;
    Ok(())
}

/// Where a run's stream is from.
pub(crate) fn origin_of(run: &RunId) -> &str {
    let place = run.0.split_once('/');
    place.map_or(streams::LOCAL, |(origin, _)| origin)
}

/// Folds and writes a posting's card from the log; one without a run has no row.
fn write_posting(
    tx: &Transaction<'_>,
    outlines: &Outlines,
    posting: PostingId,
) -> rusqlite::Result<()> {
    let Some(run) = read::latest_run_of(tx, posting)? else {
        tx.prepare_cached("DELETE FROM card_field WHERE posting = ?1")?
            .execute([posting.0])?;
        tx.prepare_cached("DELETE FROM posting WHERE posting = ?1")?
            .execute([posting.0])?;
        return suggest::project(tx, posting, []);
    };
    let mut tip = history::tip(tx, outlines, posting)?;
    // Among them is what the card needs.
    let needs = tip.head.map(|head| tip.dag.needs_of_judgements(head));
    tip.fill(tx, needs.unwrap_or_default())?;
    let line = tip.line().into_iter();
    let commits: Vec<&Commit> = line.map(|(_, commit)| commit).collect();
    suggest::project(tx, posting, commits.iter().copied())?;
    let card = card_of(tx, posting, &run, &commits)?;
    write_fields(tx, posting, &card)?;
    write_posting_row(tx, posting, &run, &card)
}

/// The card, a pure function of what the log holds for the posting.
fn card_of(
    tx: &Connection,
    posting: PostingId,
    run: &RunState,
    commits: &[&Commit],
) -> rusqlite::Result<Card> {
    let committed = fold_commits(commits.iter().copied());
    let observations = match run.capture {
        Some(capture) => read::observations_of(tx, posting, capture)?,
        None => Vec::new(),
    };
    let mut cited: Vec<Observation> = Vec::new();
    for id in committed.values.values().filter_map(|s| s.observation) {
        cited.extend(read::observation(tx, posting, id)?);
    }
    Ok(fold(CardInput {
        commits,
        observations: &observations,
        cited: &cited,
        run: Some(run),
    }))
}

fn write_fields(tx: &Transaction<'_>, posting: PostingId, card: &Card) -> rusqlite::Result<()> {
    let mut put = tx.prepare_cached(
        "INSERT OR REPLACE INTO card_field (posting, position, field, state, body)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for (position, field) in card.fields.iter().enumerate() {
        let body = json(field)?;
        put.execute(params![
            posting.0,
            position as i64,
            field.key.name(),
            field.state.word(),
            body
        ])?;
    }
    tx.prepare_cached("DELETE FROM card_field WHERE posting = ?1 AND position >= ?2")?
        .execute(params![posting.0, card.fields.len() as i64])?;
    Ok(())
}

fn write_posting_row(
    tx: &Transaction<'_>,
    posting: PostingId,
    run: &RunState,
    card: &Card,
) -> rusqlite::Result<()> {
    let text = |key: FieldKey| -> String {
        let field = card.fields.iter().find(|field| field.key == key);
        field
            .and_then(|f| f.chosen.as_ref())
            .map(|c| c.value.display())
            .unwrap_or_default()
    };
    let found = card.fields.iter();
    let found = found
        .filter(|f| matches!(f.state, FieldState::Found | FieldState::Conflict))
        .count();
    let (level, doubt) = read::latest_assessed(tx, posting)?
        .and_then(|run| run.assessment)
        .map_or((None, -1), |a| (Some(a.level.word()), i64::from(a.score)));
    let dated = dated(tx, posting)?;
    let rest = Card {
        fields: Vec::new(),
        ..card.clone()
    };
    let title = text(FieldKey::Title);
    tx.prepare_cached(
        "INSERT OR REPLACE INTO posting (posting, title, company, place, level, doubt,
             fields_found, verdict, run_id, run_status, failure, capture, first_seen, updated,
             fingerprint, version, card)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
    )?
    .execute(params![
        posting.0,
        if title.is_empty() { &run.input } else { &title },
        text(FieldKey::Company),
        text(FieldKey::Location),
        level,
        doubt,
        found as i64,
        card.verdict.as_ref().map(|v| &v.word),
        run.run_id.0,
        run.status.word(),
        run.failure.as_ref().map(|f| &f.issue.message),
        run.capture.map(|c| c.0),
        dated.first_seen,
        dated
            .last_commit
            .map_or(run.updated.0, |wall| run.updated.0.max(wall)),
        dated.fingerprint,
        card.version,
        json(&rest)?
    ])?;
    Ok(())
}

/// What a posting's row takes from all of its runs and commits: from the log as a whole, never
/// from the row before, so that the order in which batches came does not matter.
struct Dated {
    first_seen: i64,
    last_commit: Option<i64>,
    fingerprint: Option<i64>,
}

fn dated(tx: &Connection, posting: PostingId) -> rusqlite::Result<Dated> {
    let one = |statement: &str| -> rusqlite::Result<Option<i64>> {
        let found = tx
            .prepare_cached(statement)?
            .query_row([posting.0], |row| row.get(0))
            .optional()?;
        Ok(found.flatten())
    };
    Ok(Dated {
        first_seen: one(sql::FIRST_SEEN)?.unwrap_or(0),
        last_commit: one(sql::LAST_COMMIT)?,
        fingerprint: one(sql::LATEST_FINGERPRINT)?,
    })
}

/// Rebuilds the projections if they are older than this version or behind the log.
pub(crate) fn catch_up(connection: &mut Connection) -> rusqlite::Result<()> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let standing: Option<(i64, i64)> = tx
        .query_row(
            "SELECT version, position FROM projection WHERE name = ?1",
            [NAME],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    let log = log_end(&tx)?;
    // A history may have come without any run, by an import: then the log's end says nothing about it.
    let bare = tx
        .prepare("SELECT 1 WHERE EXISTS (SELECT 1 FROM \"commit\") AND NOT EXISTS (SELECT 1 FROM outline)")?
        .exists([])?;
    if standing.unwrap_or((VERSION, 0)) != (VERSION, log) {
        tracing::info!(?standing, log, "rebuilding projections");
        rebuild(&tx)?;
    } else if bare {
        tracing::info!("making outlines");
        outline::rebuild_all(&tx)?;
    }
    tx.commit()
}

/// The last event's number in the order of arrival.
pub(crate) fn log_end(tx: &Connection) -> rusqlite::Result<i64> {
    tx.query_row("SELECT coalesce(max(seq), 0) FROM event", [], |row| {
        row.get(0)
    })
}

/// Drops every projection and rebuilds it from the log.
pub(crate) fn rebuild(tx: &Transaction<'_>) -> rusqlite::Result<Rebuilt> {
    let before = digest(tx)?;
    tx.execute_batch(
        "DELETE FROM card_field; DELETE FROM posting; DELETE FROM run; DELETE FROM node_history;
         DELETE FROM judgement; DELETE FROM accuracy; DELETE FROM outline; DELETE FROM projection;",
    )?;
    let mut touched = Touched::default();
    let mut events = 0;
    loop {
        let chunk = read::events_after(tx, touched.last_seq, REBUILD_CHUNK)?;
        if chunk.is_empty() {
            break;
        }
        events += chunk.len() as u64;
        for logged in &chunk {
            let run = &logged.event.run_id;
            let kind = streams::kind_of(&logged.stream, &logged.origin);
            let stored = touched.missing(tx, run)?;
            let event = std::slice::from_ref(&logged.event);
            touched.apply((run, kind, logged.epoch), stored, event);
            touched.reached(logged.seq);
        }
        // Runs go to their table chunk by chunk: a long log need not fit in memory.
        touched.write_runs(tx)?;
        touched.write_durations(tx)?;
        touched.runs.clear();
        touched.fingerprints.clear();
    }
    touched.reached(log_end(tx)?);
    outline::rebuild_all(tx)?;
    touched.postings.extend(read::postings_with_commits(tx)?);
    touched.flush(tx)?;
    let rows = |statement: &str| -> rusqlite::Result<u64> {
        let rows: i64 = tx.query_row(statement, [], |row| row.get(0))?;
        Ok(rows as u64)
    };
    Ok(Rebuilt {
        events,
        runs: rows(sql::RUNS_COUNT)?,
        postings: rows(sql::POSTINGS_COUNT)?,
        drift: before != digest(tx)?,
    })
}

/// A hash over every projection row, to compare before and after.
fn digest(tx: &Connection) -> rusqlite::Result<blake3::Hash> {
    let mut hasher = blake3::Hasher::new();
    const TABLES: [&str; 8] = [
        "run",
        "posting",
        "card_field",
        "node_history",
        "judgement",
        "accuracy",
        "outline",
        "projection",
    ];
    for table in TABLES {
        let mut statement = tx.prepare(&format!("SELECT * FROM {table} ORDER BY 1, 2"))?;
        let columns = statement.column_count();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            for column in 0..columns {
                hasher.update(format!("{:?}|", row.get_ref(column)?).as_bytes());
            }
        }
    }
    Ok(hasher.finalize())
}
