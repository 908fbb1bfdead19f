//! Putting old history away.

use super::{
    ArchiveOrder, ArchivePreview, ArchiveProgress, ArchiveStep, ArchiveWatch, Archived, Turn,
    file::{self, BODY_BYTES_MAX, Ended, Moved, Place, Sealed, Writing},
};
use crate::{
    error::StoreError,
    open::Store,
    outline, read, sql,
    write::json,
    writer::{Batch, Pending},
};
use ghostlight_model::{
    CommitId, Micros, PostingId,
    commit::{Commit, FieldChange},
};
use rusqlite::{Connection, OptionalExtension, params};
use std::{collections::BTreeSet, ops::ControlFlow, path::Path};

impl Store {
    /// Moves what old versions say into compressed files. Versions from which a branch's card is folded stay. Whatever
    /// breaks off, everything is in the database or in a recorded file.
    ///
    /// The database's file keeps its size until [`Store::compact`].
    ///
    /// # Errors
    /// [`StoreError::Declined`] while somebody else archives or brings back, and what a folder or a disk refuses: what
    /// was recorded before stays archived, the rest stays in the database.
    pub fn archive(
        &self,
        order: &ArchiveOrder,
        watch: ArchiveWatch<'_>,
    ) -> Result<Archived, StoreError> {
        let folder = self.archive_folder();
        let _turn = Turn::take(&folder)?;
        self.sweep_archive(&folder)?;
        let postings = match order.posting {
            Some(posting) => vec![posting],
            None => self.reading(read::postings_with_commits)?,
        };
        let mut moving = Moving {
            store: self,
            folder: &folder,
            order,
            watch,
            postings: (0, postings.len() as u64),
            done: Archived::default(),
        };
        let moved = moving.all(&postings);
        let done = moving.done;
        match &moved {
            Ok(()) => file::remove_aside(&folder),
            // Not what it failed with: a file that is in the way of nobody but the disk.
            Err(_) => drop(self.sweep_archive(&folder)),
        }
        moved.map(|()| done)
    }

    /// What [`Store::archive`] would move; nothing is changed. It looks at `most` old versions at most, and then says that
    /// there may be more.
    pub fn archive_preview(
        &self,
        order: &ArchiveOrder,
        most: u64,
    ) -> Result<ArchivePreview, StoreError> {
        let postings = match order.posting {
            Some(posting) => vec![posting],
            None => self.reading(read::postings_with_commits)?,
        };
        let mut counted = Counting {
            most,
            found: ArchivePreview::default(),
        };
        for posting in postings {
            let found = self.reading(|c| gather(c, posting, order.before, &mut counted))?;
            if found == Gathered::Full {
                return Ok(counted.found);
            }
        }
        Ok(ArchivePreview {
            whole: true,
            ..counted.found
        })
    }
}

/// Takes old versions.
trait Sink {
    /// Whether it takes no more.
    fn is_full(&self) -> bool;
    /// Takes one that can go.
    fn add(&mut self, id: CommitId, body: &str, commit: &Commit) -> Result<(), StoreError>;
    /// Hears of one that stays.
    fn stays(&mut self);
}

/// A file, until it has so many versions; the old versions that stay.
struct Filling {
    writing: Writing,
    most: usize,
    kept: u64,
}

impl Sink for Filling {
    fn is_full(&self) -> bool {
        self.writing.versions() >= self.most
    }

    fn add(&mut self, id: CommitId, body: &str, commit: &Commit) -> Result<(), StoreError> {
        self.writing.add(id, body, commit)
    }

    fn stays(&mut self) {
        self.kept += 1;
    }
}

/// Only counts, up to so many versions in all.
struct Counting {
    most: u64,
    found: ArchivePreview,
}

impl Sink for Counting {
    fn is_full(&self) -> bool {
        self.found.versions + self.found.kept >= self.most
    }

    fn add(&mut self, _: CommitId, body: &str, _: &Commit) -> Result<(), StoreError> {
        self.found.versions += 1;
        self.found.bytes += body.len() as u64;
        Ok(())
    }

    fn stays(&mut self) {
        self.found.kept += 1;
    }
}

/// An archiving under way.
struct Moving<'a> {
    store: &'a Store,
    folder: &'a Path,
    order: &'a ArchiveOrder,
    watch: ArchiveWatch<'a>,
    postings: (u64, u64),
    done: Archived,
}

impl Moving<'_> {
    fn all(&mut self, postings: &[PostingId]) -> Result<(), StoreError> {
        let mut writing: Option<Writing> = None;
        for posting in postings {
            let before = self.order.before;
            loop {
                let next = match writing.take() {
                    Some(writing) => writing,
                    None => Writing::begin(self.folder)?,
                };
                let mut next = Filling {
                    writing: next,
                    most: self.store.options().archive_versions,
                    kept: 0,
                };
                let found = self
                    .store
                    .reading(|c| gather(c, *posting, before, &mut next))?;
                match found {
                    Gathered::All => {
                        self.done.kept += next.kept;
                        writing = Some(next.writing);
                        break;
                    }
                    // The posting is gone through once more behind what was moved: what stays is counted then.
                    Gathered::Full => self.finish(next.writing)?,
                }
            }
            self.postings.0 += 1;
            if self.told(ArchiveStep::Gathered).is_break() {
                self.done.stopped = true;
                return Ok(());
            }
        }
        match writing {
            Some(last) if last.versions() > 0 => self.finish(last),
            _ => Ok(()),
        }
    }

    /// Ends a file, and makes it the place where its versions are.
    fn finish(&mut self, writing: Writing) -> Result<(), StoreError> {
        let versions = writing.versions() as u64;
        let ended: Ended = writing.end()?;
        // From here on a wish to stop is met behind the file.
        let _ = self.told(ArchiveStep::Written);
        let sealed = ended.name()?;
        let _ = self.told(ArchiveStep::Named);
        verify(self.folder, &sealed)?;
        let _ = self.told(ArchiveStep::Verified);
        let bytes = sealed.bytes as u64;
        self.store.record(sealed, self.order.now).wait()?;
        self.done.files += 1;
        self.done.bytes += bytes;
        self.done.versions += versions;
        let _ = self.told(ArchiveStep::Recorded);
        Ok(())
    }

    fn told(&mut self, step: ArchiveStep) -> ControlFlow<()> {
        (self.watch)(ArchiveProgress {
            step,
            done: self.postings.0,
            total: self.postings.1,
            versions: self.done.versions,
        })
    }
}

/// Reads a file back, as its name says and its blocks were written.
fn verify(folder: &Path, sealed: &Sealed) -> Result<(), StoreError> {
    let path = folder.join(sealed.mark.name());
    file::check_bytes(&path, sealed.mark)?;
    let places: Vec<Place> = sealed.blocks.iter().map(|block| block.place).collect();
    let mut left = sealed.blocks.iter().flat_map(|block| &block.versions);
    file::walk(&path, &places, &mut |_, id, _, _| match left.next() {
        Some(wanted) if wanted.id == id => Ok(()),
        _ => Err(file::damaged(&path, "it does not hold what was written")),
    })?;
    match left.next() {
        None => Ok(()),
        Some(_) => Err(file::damaged(&path, "it does not hold what was written")),
    }
}

/// What a posting gave.
#[derive(PartialEq)]
enum Gathered {
    /// Everything that is old.
    All,
    /// No more is taken, and there may be more.
    Full,
}

/// Hands a posting's old versions on, until no more is taken: those that nobody needs, and that the others stay.
fn gather(
    c: &Connection,
    posting: PostingId,
    before: Micros,
    into: &mut dyn Sink,
) -> rusqlite::Result<Gathered> {
    let mut old = c.prepare_cached(sql::ARCHIVABLE)?;
    let mut rows = old.query(params![posting.0, before.0])?;
    let mut needed = None;
    while let Some(row) = rows.next()? {
        if into.is_full() {
            return Ok(Gathered::Full);
        }
        let needed = match &needed {
            Some(known) => known,
            None => needed.insert(needed_by_cards(c, posting)?),
        };
        let id = CommitId(row.get(0)?);
        let body = row.get_ref(1)?.as_str()?;
        let movable = match needed.contains(&id) {
            true => None,
            false => comes_back(c, id, body)?,
        };
        match movable {
            Some(commit) => {
                let added = into.add(id, body, &commit);
                added.map_err(StoreError::into_sqlite)?;
            }
            None => into.stays(),
        }
    }
    Ok(Gathered::All)
}

/// The versions from which the cards of a posting's branches are folded.
fn needed_by_cards(c: &Connection, posting: PostingId) -> rusqlite::Result<BTreeSet<CommitId>> {
    let heads = read::collect(c, sql::BRANCH_HEADS, params![posting.0], |row| {
        row.get(0).map(CommitId)
    })?;
    let dag = outline::dag(c, posting)?;
    let needs = heads.iter().flat_map(|head| dag.needs_of_judgements(*head));
    Ok(needs.chain(heads.iter().copied()).collect())
}

/// The version, if bringing it back makes the very rows that stand there now: another version of Ghostlight may have
/// written them otherwise, and then they stay.
fn comes_back(c: &Connection, id: CommitId, body: &str) -> rusqlite::Result<Option<Commit>> {
    if body.len() > BODY_BYTES_MAX || body.contains('\n') {
        return Ok(None);
    }
    let commit = match serde_json::from_str::<Commit>(body) {
        Ok(commit) if commit.id() == id => commit,
        _ => return Ok(None),
    };
    let mut stored = c.prepare_cached(sql::CHANGE_VALUES)?;
    for change in &commit.changes {
        let clock = commit.clock;
        let of = params![
            commit.posting.0,
            change.field.name(),
            clock.wall.0,
            clock.counter,
            id.0
        ];
        let values = stored
            .query_row(of, |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        if values != Some(values_of(change)?) {
            return Ok(None);
        }
    }
    Ok(Some(commit))
}

type Values = (Option<String>, Option<String>);

/// Old and new of a change's row.
pub(super) fn values_of(change: &FieldChange) -> rusqlite::Result<Values> {
    Ok((
        change.old.as_ref().map(json).transpose()?,
        change.new.as_ref().map(json).transpose()?,
    ))
}

impl Store {
    /// Empties the rows of a file's versions and records the file, in one transaction.
    fn record(&self, sealed: Sealed, made: Micros) -> Pending<()> {
        self.writer().submit(move |batch| {
            let recorded = record(batch, &sealed, made);
            match recorded.map_err(|e| batch.sqlite(&e))? {
                true => Ok(()),
                // Nothing but archiving does this, and that has the folder's lock.
                false => Err(StoreError::Stale(
                    "the history changed while it was archived; nothing of this file was recorded"
                        .into(),
                )),
            }
        })
    }
}

/// Whether each version was where it was expected.
fn record(batch: &Batch<'_>, sealed: &Sealed, made: Micros) -> rusqlite::Result<bool> {
    let tx = batch.tx;
    let versions = || sealed.blocks.iter().flat_map(|block| &block.versions);
    let walls = || versions().map(|version| version.clock.wall.0);
    tx.execute(
        "INSERT INTO archive_file (hash, bytes, versions, oldest, latest, made) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            sealed.mark.0,
            sealed.bytes,
            versions().count() as i64,
            walls().min(),
            walls().max(),
            made.0
        ],
    )?;
    let file = tx.last_insert_rowid();
    let mut empty = tx.prepare_cached(
        "UPDATE \"commit\" SET body = '', block = ?2 WHERE id = ?1 AND block IS NULL",
    )?;
    for block in &sealed.blocks {
        let Place { start, length, raw } = block.place;
        tx.prepare_cached(
            "INSERT INTO archive_block (file, start, length, raw) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![file, start, length, raw])?;
        let place = tx.last_insert_rowid();
        for version in &block.versions {
            if empty.execute(params![version.id.0, place])? != 1 {
                return Ok(false);
            }
            for field in &version.fields {
                set_values(tx, version, field, (None, None))?;
            }
        }
    }
    Ok(true)
}

/// Sets old and new of a change's row.
pub(super) fn set_values(
    c: &Connection,
    version: &Moved,
    field: &str,
    (old, new): Values,
) -> rusqlite::Result<()> {
    c.prepare_cached(
        "UPDATE field_change SET old = ?6, new = ?7
         WHERE posting = ?1 AND field = ?2 AND wall = ?3 AND counter = ?4 AND commit_id = ?5",
    )?
    .execute(params![
        version.posting.0,
        field,
        version.clock.wall.0,
        version.clock.counter,
        version.id.0,
        old,
        new
    ])?;
    Ok(())
}
