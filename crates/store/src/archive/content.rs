//! What a version says, wherever it is: in its row, or in an archive file.

use super::file::{self, Mark, Place};
use crate::{error::StoreError, read, sql};
use ghostlight_model::{CommitId, commit::Commit};
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, params};
use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

/// Blocks whose text is kept: a page of a timeline, or two versions that are compared, are in a few. About 2 MiB.
const BLOCKS_KEPT: usize = 32;
/// A longer block is not kept.
const KEPT_BYTES_MAX: usize = 256 << 10;

/// The text of the blocks read last, the latest at the end, by file and first byte. A file's name is its hash, so what
/// is here stays right, whichever store it is of and whatever becomes of the file.
static RECENT: Mutex<VecDeque<(Mark, i64, Arc<str>)>> = Mutex::new(VecDeque::new());

/// The commit of a row that has its body in column `body` and its block in the next one.
pub(crate) fn commit(
    c: &Connection,
    id: CommitId,
    row: &Row<'_>,
    body: usize,
) -> rusqlite::Result<Commit> {
    match row.get(body + 1)? {
        None => read::from_json(row, body),
        Some(block) => archived(c, id, block),
    }
}

/// The commit of an archived version.
pub(crate) fn archived(c: &Connection, id: CommitId, block: i64) -> rusqlite::Result<Commit> {
    let (path, place) = find(c, block)?;
    match from_file(&path, place, id) {
        Err(error) if !path.exists() => match as_of_now(c, id, place.0)? {
            Some(commit) => Ok(commit),
            None => Err(error.into_sqlite()),
        },
        found => found.map_err(StoreError::into_sqlite),
    }
}

/// The file is gone: between the beginning of this reader's snapshot and now it may have been brought back. A version
/// is the same whenever it is read, so the database as of now answers; `None` if it too says that the file has it.
fn as_of_now(c: &Connection, id: CommitId, gone: Mark) -> rusqlite::Result<Option<Commit>> {
    let Some(path) = c.path() else {
        return Ok(None);
    };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let now = Connection::open_with_flags(path, flags)?;
    let mut find = now.prepare("SELECT body, block FROM \"commit\" WHERE id = ?1")?;
    find.query_row([id.0], |row| {
        let Some(block) = row.get(1)? else {
            return read::from_json(row, 0).map(Some);
        };
        // Not the block's number: one that goes gives it to one that comes.
        let (path, place) = self::find(&now, block)?;
        if place.0 == gone {
            return Ok(None);
        }
        let found = from_file(&path, place, id);
        found.map(Some).map_err(StoreError::into_sqlite)
    })
}

type Whence = (PathBuf, (Mark, Place));

/// The file and the place of a block.
fn find(c: &Connection, block: i64) -> rusqlite::Result<Whence> {
    let found = c
        .prepare_cached(sql::ARCHIVE_PLACE)?
        .query_row(params![block], |row| {
            let place = Place {
                start: row.get(1)?,
                length: row.get(2)?,
                raw: row.get(3)?,
            };
            Ok((Mark(row.get(0)?), place))
        })
        .optional()?;
    let database = Path::new(c.path().unwrap_or_default());
    let folder = file::folder_of(database);
    match found {
        Some(place) => Ok((folder.join(place.0.name()), place)),
        None => Err(file::damaged(&folder, "a version is in none of these files").into_sqlite()),
    }
}

fn from_file(
    path: &Path,
    (mark, place): (Mark, Place),
    id: CommitId,
) -> Result<Commit, StoreError> {
    if let Some(text) = recent(mark, place.start)
        && let Ok(commit) = version_in(path, &text, id)
    {
        return Ok(commit);
    }
    let text = file::text_of(&mut file::open(path)?, path, place)?;
    let commit = version_in(path, &text, id)?;
    keep(mark, place.start, text);
    Ok(commit)
}

fn version_in(path: &Path, text: &str, id: CommitId) -> Result<Commit, StoreError> {
    match file::body_in(text, id) {
        Some(body) => file::commit_in(path, id, body),
        None => Err(file::damaged(
            path,
            "a version is not where the database says",
        )),
    }
}

fn recent(mark: Mark, start: i64) -> Option<Arc<str>> {
    let mut blocks = RECENT.lock().unwrap_or_else(PoisonError::into_inner);
    let at = blocks
        .iter()
        .position(|known| (known.0, known.1) == (mark, start))?;
    let found = blocks.remove(at)?;
    let text = Arc::clone(&found.2);
    blocks.push_back(found);
    Some(text)
}

fn keep(mark: Mark, start: i64, text: String) {
    if text.len() > KEPT_BYTES_MAX {
        return;
    }
    let mut blocks = RECENT.lock().unwrap_or_else(PoisonError::into_inner);
    if blocks.len() >= BLOCKS_KEPT {
        blocks.pop_front();
    }
    blocks.retain(|known| (known.0, known.1) != (mark, start));
    blocks.push_back((mark, start, text.into()));
}
