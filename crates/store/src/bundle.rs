//! Postings with everything that is known of them, out of one store and into another (SPEC E4).
//!
//! [`Snapshot::pieces`] hands out what a bundle holds; [`Store::import`] takes it over in one transaction, or nothing
//! of it. Everything in it is named by a hash of itself or by its place in a stream, so taking over is a union: what is
//! there already is left as it is, and a history that went on in both places has both ends afterwards.

use crate::{
    branches::{name_ends, name_rest, take_over},
    error::StoreError,
    history::{branches, commit_of},
    open::Store,
    outline,
    snapshot::Snapshot,
    sql,
    streams::{self, LOCAL},
    write::{append, find_commit_by_key, insert_commit, insert_content, insert_observation},
    writer::{Batch, Pending},
};
use ghostlight_model::{
    CaptureId, CommitId, ContentHash, Epoch, EventBody, Micros, Offset, PostingId, RunId, StreamId,
    bundle::{
        BranchPiece, BranchesPiece, CapturePiece, CommitPiece, EventPiece, ObservationPiece, Piece,
        PostingPiece, StreamPiece,
    },
    event::Fact,
};
use rusqlite::{Connection, OptionalExtension, ToSql, params};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
};

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    /// Postings of the bundle.
    pub postings: BTreeSet<PostingId>,
    /// Of them, those that were not known.
    pub new_postings: u64,
    /// Captures that were not here.
    pub captures: u64,
    /// Events that were not here.
    pub events: u64,
    /// Observations that were not here.
    pub observations: u64,
    /// Commits that were not here.
    pub commits: u64,
    /// Postings whose history went on in both places, with the ends of it that there are now.
    pub forked: BTreeMap<PostingId, Vec<CommitId>>,
}

impl Snapshot {
    /// Everything about `postings`, each kind together, in the order of [`Piece`]; runs that have not ended are left
    /// out. `take` says when to stop.
    pub fn pieces(
        &self,
        postings: &[PostingId],
        take: &mut dyn FnMut(Piece) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.reading(|c| {
            let mut wanted = Wanted::default();
            for posting in postings {
                wanted.add(c, *posting)?;
            }
            // Whoever has enough says so by stopping; that is no error.
            match wanted.hand_out(c, postings, take)? {
                ControlFlow::Continue(()) | ControlFlow::Break(()) => Ok(()),
            }
        })
    }
}

/// Bytes of a line besides what is stored: names, ids, the signs before quotes. The progress of an export counts them;
/// the file itself is packed.
const LINE_BYTES: i64 = 150;

impl Snapshot {
    /// About how many bytes [`Snapshot::pieces`] hands over, as the store's own sizes say; no page or text is read.
    pub fn pieces_bytes(&self, postings: &[PostingId]) -> Result<u64, StoreError> {
        self.reading(|c| {
            let mut wanted = Wanted::default();
            for posting in postings {
                wanted.add(c, *posting)?;
            }
            Ok(u64::try_from(wanted.bytes(c, postings)?).unwrap_or(0))
        })
    }
}

/// What belongs to the postings.
#[derive(Default)]
struct Wanted {
    captures: BTreeSet<CaptureId>,
    /// By their row: streams keep the order in which they began.
    streams: BTreeMap<i64, StreamPiece>,
}

impl Wanted {
    fn add(&mut self, c: &Connection, posting: PostingId) -> rusqlite::Result<()> {
        let seen = list(c, sql::BUNDLE_CAPTURES, &[&posting.0], |row| {
            row.get(0).map(CaptureId)
        })?;
        self.captures.extend(seen);
        let runs = list(c, sql::BUNDLE_RUNS, &[&posting.0], |row| {
            Ok((
                RunId(row.get(0)?),
                row.get::<_, Option<[u8; 16]>>(1)?.map(CaptureId),
            ))
        })?;
        for (run, capture) in runs {
            self.captures.extend(capture);
            let found = c
                .prepare_cached(sql::STREAM)?
                .query_row((run.stream().0, LOCAL), |row| {
                    Ok((row.get(0)?, row.get::<_, i64>(1)?))
                })
                .optional()?;
            if let Some((id, epoch)) = found {
                let epoch = Epoch(u64::try_from(epoch).unwrap_or(0));
                self.streams.insert(id, StreamPiece { run, epoch });
            }
        }
        Ok(())
    }

    fn bytes(self, c: &Connection, postings: &[PostingId]) -> rusqlite::Result<i64> {
        let size = |sql: &str, with: &[&dyn ToSql]| -> rusqlite::Result<i64> {
            c.prepare_cached(sql)?.query_row(with, |row| {
                let (bytes, lines): (i64, i64) = (row.get(0)?, row.get(1)?);
                Ok(bytes + lines * LINE_BYTES)
            })
        };
        let mut bytes = 0;
        let mut contents = BTreeSet::new();
        for id in self.captures {
            contents.extend(capture(c, id)?.contents());
            bytes += 3 * LINE_BYTES;
        }
        for hash in contents {
            bytes += c
                .prepare_cached(sql::BUNDLE_CONTENT_SIZE)?
                .query_row([hash.0], |row| row.get::<_, i64>(0))?;
        }
        for (id, stream) in self.streams {
            let epoch = i64::try_from(stream.epoch.0).unwrap_or(i64::MAX);
            let events = size(sql::BUNDLE_EVENTS_SIZE, &[&id, &epoch])?;
            // An event's body is a text in its line: each of its quotes has a sign before it.
            bytes += LINE_BYTES + events + events / 8;
        }
        for posting in postings {
            bytes += size(sql::BUNDLE_OBSERVATIONS_SIZE, &[&posting.0])?;
            bytes += size(sql::BUNDLE_COMMITS_SIZE, &[&posting.0])?;
            bytes += 2 * LINE_BYTES;
        }
        Ok(bytes)
    }

    fn hand_out(
        self,
        c: &Connection,
        postings: &[PostingId],
        take: &mut dyn FnMut(Piece) -> ControlFlow<()>,
    ) -> rusqlite::Result<ControlFlow<()>> {
        macro_rules! give {
            ($piece:expr) => {
                if take($piece).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            };
        }
        let mut captures = Vec::with_capacity(self.captures.len());
        let mut contents = BTreeSet::new();
        for id in self.captures {
            let capture = capture(c, id)?;
            contents.extend(capture.contents());
            captures.push(capture);
        }
        for hash in contents {
            let bytes = c
                .prepare_cached(sql::CONTENT)?
                .query_row([hash.0], |row| row.get(0))?;
            give!(Piece::Content(hash, bytes));
        }
        for capture in captures {
            give!(Piece::Capture(capture));
        }
        for posting in postings {
            let keys = list(c, sql::KEYS_OF, &[&posting.0], |row| row.get(0))?;
            give!(Piece::Posting(PostingPiece {
                posting: *posting,
                keys
            }));
        }
        for posting in postings {
            let mut statement = c.prepare_cached(sql::BUNDLE_OBSERVATIONS)?;
            let mut rows = statement.query([posting.0])?;
            while let Some(row) = rows.next()? {
                let observation = crate::read::from_json(row, 0)?;
                give!(Piece::Observation(ObservationPiece {
                    posting: *posting,
                    observation
                }));
            }
        }
        let mut arrivals: Vec<i64> = Vec::new();
        for (id, stream) in self.streams {
            let epoch = i64::try_from(stream.epoch.0).unwrap_or(i64::MAX);
            arrivals.extend(list(c, sql::BUNDLE_SEQS, &[&id, &epoch], |row| {
                row.get::<_, i64>(0)
            })?);
            give!(Piece::Stream(stream));
        }
        arrivals.sort_unstable();
        for seq in arrivals {
            give!(Piece::Event(event(c, seq)?));
        }
        for posting in postings {
            for id in in_order(c, *posting)? {
                let commit = commit_of(c, *posting, id)?;
                // An outline without its commit is a damaged file.
                let commit = commit.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
                let key = c
                    .prepare_cached(sql::COMMIT_KEY)?
                    .query_row([id.0], |row| row.get(0))?;
                give!(Piece::Commit(Box::new(CommitPiece { id, key, commit })));
            }
        }
        for posting in postings {
            if let Some(branches) = branches_of(c, *posting)? {
                give!(Piece::Branches(branches));
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

/// A posting's commits of every branch, parents before children; of a long history there are their names in memory and
/// no more, while the commits are handed out.
fn in_order(c: &Connection, posting: PostingId) -> rusqlite::Result<Vec<CommitId>> {
    let dag = outline::dag(c, posting)?;
    let line = dag.line(&dag.heads()).into_iter();
    Ok(line.map(|(id, _)| id).collect())
}

/// A posting's branches; `None` before its first commit.
fn branches_of(c: &Connection, posting: PostingId) -> rusqlite::Result<Option<BranchesPiece>> {
    let all = branches(c, posting)?;
    let current = all.iter().find(|branch| branch.current);
    let Some(checkout) = current.map(|branch| branch.name.clone()) else {
        return Ok(None);
    };
    let all = all.into_iter().map(|branch| BranchPiece {
        name: branch.name,
        head: branch.head,
        created: branch.created,
    });
    Ok(Some(BranchesPiece {
        posting,
        checkout,
        branches: all.collect(),
    }))
}

fn list<T>(
    c: &Connection,
    sql: &str,
    with: &[&dyn ToSql],
    read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    c.prepare_cached(sql)?.query_map(with, read)?.collect()
}

fn capture(c: &Connection, id: CaptureId) -> rusqlite::Result<CapturePiece> {
    let hash = |bytes: Option<[u8; 32]>| bytes.map(ContentHash);
    c.prepare_cached(sql::BUNDLE_CAPTURE)?
        .query_row([id.0], |row| {
            Ok(CapturePiece {
                id,
                content: ContentHash(row.get(0)?),
                visible: hash(row.get(1)?),
                source: hash(row.get(2)?),
                fetched_at: Micros(row.get(3)?),
                name: row.get(4)?,
                url: row.get(5)?,
                final_url: row.get(6)?,
                http_status: row.get(7)?,
                content_type: row.get(8)?,
            })
        })
}

fn event(c: &Connection, seq: i64) -> rusqlite::Result<EventPiece> {
    c.prepare_cached(sql::BUNDLE_EVENT)?
        .query_row([seq], |row| {
            let stream = StreamId(row.get(0)?);
            let offset: i64 = row.get(1)?;
            Ok(EventPiece {
                run: stream.run().unwrap_or(RunId(stream.0)),
                offset: Offset(u64::try_from(offset).unwrap_or(0)),
                body: row.get(2)?,
            })
        })
}

/// Hands pieces over to whoever takes them; stops at the first error.
pub type Pour =
    dyn FnOnce(&mut dyn FnMut(Piece) -> Result<(), StoreError>) -> Result<(), StoreError> + Send;

impl Store {
    /// Takes over what `pour` hands over, in the order of [`Piece`], in one transaction: all of it or nothing. Other
    /// writers wait meanwhile.
    ///
    /// # Errors
    /// [`StoreError::Refused`] if a piece is not what it says it is, rests on something that is neither here nor
    /// there, or contradicts what is here; and what `pour` fails with.
    pub fn import(&self, pour: Box<Pour>) -> Pending<Imported> {
        self.writer().submit(move |batch| {
            // Unlike other work this can be refused half-way: what it changed in memory goes as well.
            let before = batch.touched.clone();
            let done = intake(batch, pour);
            if done.is_err() {
                *batch.touched = before;
            }
            done
        })
    }
}

fn intake(batch: &mut Batch<'_>, pour: Box<Pour>) -> Result<Imported, StoreError> {
    let mut intake = Intake {
        batch,
        done: Imported::default(),
        known: BTreeSet::new(),
        branches: BTreeMap::new(),
    };
    pour(&mut |piece| intake.take(piece))?;
    intake.finish()
}

struct Intake<'a, 'b> {
    batch: &'a mut Batch<'b>,
    done: Imported,
    /// Postings that were here, with a history.
    known: BTreeSet<PostingId>,
    /// What the bundle says of branches.
    branches: BTreeMap<PostingId, BranchesPiece>,
}

impl Intake<'_, '_> {
    fn take(&mut self, piece: Piece) -> Result<(), StoreError> {
        piece.check().map_err(StoreError::Refused)?;
        match piece {
            Piece::Content(hash, bytes) => self.content(hash, bytes),
            Piece::Capture(capture) => self.capture(&capture),
            Piece::Posting(posting) => self.posting(&posting),
            Piece::Stream(stream) => self.stream(&stream),
            Piece::Event(event) => self.event(&event),
            Piece::Observation(seen) => self.observation(&seen),
            Piece::Commit(commit) => self.commit(*commit),
            Piece::Branches(branches) => self.branches(branches),
        }
    }

    fn content(&self, hash: ContentHash, bytes: Option<Vec<u8>>) -> Result<(), StoreError> {
        let put = match bytes {
            Some(bytes) => insert_content(self.batch, &bytes).map(drop),
            None => self
                .run(
                    "INSERT INTO content (hash) VALUES (?1) ON CONFLICT DO NOTHING",
                    &[&hash.0],
                )
                .map(drop),
        };
        self.sqlite(put)
    }

    fn capture(&mut self, capture: &CapturePiece) -> Result<(), StoreError> {
        for hash in capture.contents() {
            if !self.exists("SELECT 1 FROM content WHERE hash = ?1", &hash.0)? {
                return refused(format!(
                    "capture {} names content {hash}, which is missing",
                    capture.id
                ));
            }
        }
        let put = self.run(
            "INSERT INTO capture (id, content_hash, visible_hash, source_hash, fetched_at, name, url, final_url,
                 http_status, content_type)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT DO NOTHING",
            params![
                capture.id.0,
                capture.content.0,
                capture.visible.map(|hash| hash.0),
                capture.source.map(|hash| hash.0),
                capture.fetched_at.0,
                capture.name,
                capture.url,
                capture.final_url,
                capture.http_status,
                capture.content_type,
            ],
        );
        self.done.captures += self.sqlite(put)? as u64;
        // One that was not read here yet gets the layers that its observations stand in.
        let read = self.run(
            "UPDATE capture SET visible_hash = ?2, source_hash = ?3 WHERE id = ?1 AND visible_hash IS NULL",
            params![
                capture.id.0,
                capture.visible.map(|hash| hash.0),
                capture.source.map(|hash| hash.0)
            ],
        );
        self.sqlite(read).map(drop)
    }

    fn posting(&mut self, piece: &PostingPiece) -> Result<(), StoreError> {
        let posting = piece.posting;
        if !self.exists(sql::POSTING_KNOWN, &posting.0)? {
            self.done.new_postings += 1;
        }
        if !self.heads(posting)?.is_empty() {
            self.known.insert(posting);
        }
        let put = "INSERT INTO posting_key (key, posting) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        for key in &piece.keys {
            let done = self.run(put, params![key, posting.0]);
            self.sqlite(done)?;
        }
        // All of its keys may lead to another posting here; it is still one that is known.
        if !self.exists(sql::POSTING_KNOWN, &posting.0)? {
            let done = self.run(put, params![format!("bundle:{posting}"), posting.0]);
            self.sqlite(done)?;
        }
        self.done.postings.insert(posting);
        self.batch.touched.posting(posting);
        Ok(())
    }

    fn stream(&mut self, piece: &StreamPiece) -> Result<(), StoreError> {
        let stream = piece.run.stream();
        let Ok(epoch) = i64::try_from(piece.epoch.0) else {
            return refused(format!("{stream} has an epoch that is none"));
        };
        let head = streams::stored_head(self.batch, &stream, LOCAL);
        match self.sqlite(head)? {
            Some(head) if head.epoch != epoch => refused(format!("{stream} is another run here")),
            Some(_) => Ok(()),
            None => {
                let opened = streams::open(self.batch, &stream, LOCAL, epoch);
                self.sqlite(opened).map(drop)
            }
        }
    }

    fn event(&mut self, piece: &EventPiece) -> Result<(), StoreError> {
        let (stream, Offset(offset)) = (piece.run.stream(), piece.offset);
        let head = match self.batch.touched.stream(&stream) {
            Some(head) => Some(head),
            None => {
                let head = streams::stored_head(self.batch, &stream, LOCAL);
                self.sqlite(head)?
            }
        };
        let Some(head) = head else {
            return refused(format!("{stream} has events and is not in the bundle"));
        };
        let next = u64::try_from(head.next).unwrap_or(0);
        if offset > next {
            return refused(format!("{stream}: event {next} is missing before {offset}"));
        }
        if offset < next {
            let stored = self
                .batch
                .tx
                .prepare_cached(sql::EVENT_BODY)
                .and_then(|mut find| {
                    let found = find
                        .query_row(params![head.id, head.epoch, offset as i64], |row| {
                            row.get::<_, String>(0)
                        });
                    found.optional()
                });
            return match self.sqlite(stored)? {
                Some(body) if body == piece.body => Ok(()),
                _ => refused(format!("{stream}: event {offset} is another one here")),
            };
        }
        let body: EventBody = serde_json::from_str(&piece.body).map_err(|e| {
            StoreError::Refused(format!("{stream}: event {offset} cannot be read: {e}"))
        })?;
        match body.fact.as_deref() {
            Some(Fact::Parsed { posting, .. }) => self.belongs(*posting, "a run")?,
            Some(Fact::Observed(seen)) => self.has_capture(seen.capture)?,
            _ => {}
        }
        let bodies = std::slice::from_ref(&piece.body);
        append(self.batch, &stream, std::slice::from_ref(&body), bodies)?;
        self.done.events += 1;
        Ok(())
    }

    fn observation(&mut self, piece: &ObservationPiece) -> Result<(), StoreError> {
        self.belongs(piece.posting, "an observation")?;
        let capture = piece.observation.capture;
        if !self.exists("SELECT 1 FROM capture WHERE id = ?1", &capture.0)? {
            return refused(format!(
                "an observation names capture {capture}, which is missing"
            ));
        }
        let before = self.batch.tx.total_changes();
        let put = insert_observation(self.batch, piece.posting, &piece.observation);
        self.sqlite(put)?;
        self.done.observations += self.batch.tx.total_changes() - before;
        Ok(())
    }

    fn commit(&mut self, piece: CommitPiece) -> Result<(), StoreError> {
        let CommitPiece { id, key, commit } = piece;
        self.belongs(commit.posting, "a commit")?;
        if self.exists("SELECT 1 FROM \"commit\" WHERE id = ?1", &id.0)? {
            return Ok(());
        }
        for parent in &commit.parents {
            if !self.exists("SELECT 1 FROM \"commit\" WHERE id = ?1", &parent.0)? {
                return refused(format!(
                    "commit {id} names commit {parent} before it, which is missing"
                ));
            }
        }
        let key = match key {
            Some(key) => {
                let used = find_commit_by_key(self.batch, &key);
                Some(key).filter(|_| matches!(&used, Ok(None)))
            }
            None => None,
        };
        let put = insert_commit(self.batch, &commit, key.as_deref());
        self.sqlite(put)?;
        self.done.commits += 1;
        Ok(())
    }

    fn branches(&mut self, piece: BranchesPiece) -> Result<(), StoreError> {
        let posting = piece.posting;
        self.belongs(posting, "a branch")?;
        for BranchPiece { name, head, .. } in &piece.branches {
            let found = self
                .batch
                .tx
                .prepare_cached(sql::COMMIT)
                .and_then(|mut find| find.exists(params![head.0, posting.0]));
            if !self.sqlite(found)? {
                return refused(format!(
                    "branch {name:?} of posting {posting} stands on commit {head}, which is missing"
                ));
            }
        }
        match self.branches.insert(posting, piece) {
            None => Ok(()),
            Some(_) => refused(format!("the branches of posting {posting} are there twice")),
        }
    }

    fn finish(mut self) -> Result<Imported, StoreError> {
        for posting in self.done.postings.clone() {
            let ends = self.heads(posting)?;
            let forked = match self.branches.remove(&posting) {
                Some(came) => {
                    let forked = take_over(self.batch, &came)?;
                    name_rest(self.batch, posting, &ends)?;
                    forked
                }
                None => {
                    name_ends(self.batch, posting, &ends)?;
                    ends.len() > 1
                }
            };
            if forked && self.known.contains(&posting) {
                self.done.forked.insert(posting, ends);
            }
        }
        Ok(self.done)
    }

    fn heads(&self, posting: PostingId) -> Result<Vec<CommitId>, StoreError> {
        let heads = list(self.batch.tx, sql::HEADS, &[&posting.0], |row| {
            row.get(0).map(CommitId)
        });
        let mut heads = self.sqlite(heads)?;
        heads.sort_unstable();
        Ok(heads)
    }

    fn belongs(&self, posting: PostingId, what: &str) -> Result<(), StoreError> {
        match self.done.postings.contains(&posting) {
            true => Ok(()),
            false => refused(format!(
                "{what} is of posting {posting}, which is not in the bundle"
            )),
        }
    }

    fn has_capture(&self, capture: CaptureId) -> Result<(), StoreError> {
        match self.exists("SELECT 1 FROM capture WHERE id = ?1", &capture.0)? {
            true => Ok(()),
            false => refused(format!(
                "an observation names capture {capture}, which is missing"
            )),
        }
    }

    fn exists(&self, statement: &str, id: &dyn ToSql) -> Result<bool, StoreError> {
        let found = self
            .batch
            .tx
            .prepare_cached(statement)
            .and_then(|mut find| find.exists([id]));
        self.sqlite(found)
    }

    fn run(&self, statement: &str, with: &[&dyn ToSql]) -> rusqlite::Result<usize> {
        self.batch.tx.prepare_cached(statement)?.execute(with)
    }

    fn sqlite<T>(&self, result: rusqlite::Result<T>) -> Result<T, StoreError> {
        result.map_err(|e| self.batch.sqlite(&e))
    }
}

fn refused<T>(what: String) -> Result<T, StoreError> {
    Err(StoreError::Refused(what))
}
