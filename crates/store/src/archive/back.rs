//! Bringing archived history back, and sweeping what a broken-off step left behind.

use super::{
    ArchiveProgress, ArchiveStep, ArchiveWatch, BroughtBack, Record, Turn, blocks,
    file::{self, Mark, Moved, Place},
    put::{set_values, values_of},
    records,
};
use crate::{
    error::StoreError,
    open::Store,
    writer::{Batch, Pending},
};
use ghostlight_model::{CommitId, commit::Commit};
use rusqlite::{Connection, OptionalExtension, params};
use std::path::{Path, PathBuf};

impl Store {
    /// Brings what is archived back into the database, file by file, and removes each file once its versions are on
    /// disk there: of the files with these names, or of all.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for a name that is no archive file's, [`StoreError::Archive`] for a file that is
    /// missing or damaged, and what the database refuses. What was back before stays back, the rest stays archived.
    pub fn bring_back(
        &self,
        names: Option<&[String]>,
        watch: ArchiveWatch<'_>,
    ) -> Result<BroughtBack, StoreError> {
        let folder = self.archive_folder();
        let _turn = Turn::take(&folder)?;
        self.sweep_archive(&folder)?;
        let all = self.reading(records)?;
        let wanted = chosen(all, names)?;
        let mut done = BroughtBack::default();
        let mut told = |step, done: &BroughtBack| {
            watch(ArchiveProgress {
                step,
                done: done.files,
                total: wanted.len() as u64,
                versions: done.versions,
            })
        };
        for record in &wanted {
            let path = folder.join(&record.file.name);
            file::check_bytes(&path, record.mark)?;
            if told(ArchiveStep::Verified, &done).is_break() {
                done.stopped = true;
                return Ok(done);
            }
            done.versions += self.put_back(record.id, path.clone()).wait()?;
            done.files += 1;
            // What is recorded is true; a wish to stop is met in front of the next file.
            let _ = told(ArchiveStep::Recorded, &done);
            // A system that does not let go of it keeps a file that nobody needs; the next sweep removes it.
            if let Err(error) = file::remove(&path) {
                tracing::warn!(%error, "an archive file that was brought back could not be removed");
            }
            let _ = told(ArchiveStep::Removed, &done);
        }
        Ok(done)
    }

    /// Puts the rows of a file's versions back and forgets the file; answers how many versions.
    fn put_back(&self, file: i64, path: PathBuf) -> Pending<u64> {
        self.writer()
            .submit(move |batch| put_back(batch, file, &path))
    }

    /// Removes what a step that broke off left: a file under way, and files that are not recorded and hold nothing but
    /// what is in the database. Others are none of our business, and stay.
    pub(super) fn sweep_archive(&self, folder: &Path) -> Result<(), StoreError> {
        let recorded = self.reading(records)?;
        let recorded: Vec<Mark> = recorded.into_iter().map(|record| record.mark).collect();
        for name in file::names(folder)? {
            let Some(mark) = Mark::of_name(&name) else {
                file::remove_aside(folder);
                continue;
            };
            let path = folder.join(&name);
            if !recorded.contains(&mark) && self.is_left_over(&path, mark)? {
                tracing::info!(%name, "removing an archive file that is not needed");
                file::remove(&path)?;
            }
        }
        Ok(())
    }

    /// Whether all that an unrecorded file holds is in the database.
    pub(super) fn is_left_over(&self, path: &Path, mark: Mark) -> Result<bool, StoreError> {
        if file::check_bytes(path, mark).is_err() {
            return Ok(false);
        }
        let Ok(ids) = file::ids(path) else {
            return Ok(false);
        };
        self.reading(|c| {
            let mut here = c.prepare("SELECT 1 FROM \"commit\" WHERE id = ?1 AND block IS NULL")?;
            for id in ids {
                if !here.exists([id.0])? {
                    return Ok(false);
                }
            }
            Ok(true)
        })
    }
}

fn chosen(all: Vec<Record>, names: Option<&[String]>) -> Result<Vec<Record>, StoreError> {
    let Some(names) = names else {
        return Ok(all);
    };
    let known = |name: &String| all.iter().any(|record| record.file.name == *name);
    if let Some(unknown) = names.iter().find(|name| !known(name)) {
        return Err(StoreError::NotFound(format!("archive file {unknown:?}")));
    }
    let mut all = all;
    all.retain(|record| names.contains(&record.file.name));
    Ok(all)
}

fn put_back(batch: &mut Batch<'_>, file: i64, path: &Path) -> Result<u64, StoreError> {
    let (tx, database) = (batch.tx, batch.path);
    let sqlite = |e: rusqlite::Error| StoreError::sqlite(database, &e);
    let wanted: Option<i64> = tx
        .query_row(
            "SELECT versions FROM archive_file WHERE id = ?1",
            [file],
            |row| row.get(0),
        )
        .optional()
        .map_err(sqlite)?;
    let blocks = blocks(tx, file).map_err(sqlite)?;
    let places: Vec<Place> = blocks.iter().map(|(_, place)| *place).collect();
    let mut versions = 0;
    file::walk(path, &places, &mut |at, id, body, commit| {
        versions += refill(tx, (id, blocks[at].0), body, &commit).map_err(sqlite)?;
        Ok(())
    })?;
    if wanted != Some(versions) {
        return Err(file::damaged(
            path,
            "it does not hold what the database says it holds",
        ));
    }
    tx.execute("DELETE FROM archive_block WHERE file = ?1", [file])
        .and_then(|_| tx.execute("DELETE FROM archive_file WHERE id = ?1", [file]))
        .map_err(sqlite)?;
    Ok(versions as u64)
}

/// Puts a version's rows back; 1 if it was archived in this block, else 0.
fn refill(
    c: &Connection,
    (id, block): (CommitId, i64),
    body: &str,
    commit: &Commit,
) -> rusqlite::Result<i64> {
    let put = c
        .prepare_cached(
            "UPDATE \"commit\" SET body = ?3, block = NULL WHERE id = ?1 AND block = ?2",
        )?
        .execute(params![id.0, block, body])?;
    let version = Moved {
        id,
        posting: commit.posting,
        clock: commit.clock,
        fields: Vec::new(),
    };
    for change in &commit.changes {
        set_values(c, &version, change.field.name(), values_of(change)?)?;
    }
    Ok(put as i64)
}
