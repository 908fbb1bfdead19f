//! Old history in compressed files (SPEC E6): put away, read through, brought back.
//!
//! What a version says (its body, and the values of its changes) is moved into a file of the folder [`FOLDER`]; that it
//! is there, when, by whom, and which fields it changes stays in the database, so timelines, filters and branches do
//! not notice. Versions that a branch's card is folded from stay. Whoever needs an archived one reads it from its file
//! ([`content`]), and what is read is what its id says, or an error that names the file.
//!
//! A file is written aside, synced, named by its hash, and read back; then one transaction empties the rows and records
//! the file ([`put`]). Bringing back is one transaction too, and the file goes after it ([`back`]). So whatever breaks
//! off, a version is in the database or in a recorded file; a file that is neither recorded nor needed is swept by the
//! next one who archives or brings back.

mod back;
mod check;
pub(crate) mod content;
mod file;
mod put;

pub use check::ArchiveProblem;
pub use file::FOLDER;

use crate::{error::StoreError, open::Store, read, writer::Pending};
use file::{Mark, Place};
use ghostlight_model::{Micros, PostingId};
use rusqlite::{Connection, params};
use std::{
    ffi::OsString,
    fs::{self, TryLockError},
    ops::ControlFlow,
    path::{Path, PathBuf},
};

/// What to archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveOrder {
    /// Only versions made before.
    pub before: Micros,
    /// Only of this posting; of all otherwise.
    pub posting: Option<PostingId>,
    /// When.
    pub now: Micros,
}

/// What archiving did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Archived {
    /// Files written.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Versions in them.
    pub versions: u64,
    /// Old versions that stay, since a card needs them (or because they could not be put back as they are).
    pub kept: u64,
    /// Whether it was stopped before it was through; what is written stays archived.
    pub stopped: bool,
}

/// What archiving would do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ArchivePreview {
    /// Versions that would go.
    pub versions: u64,
    /// Bytes of what they say, as they are in the database; in a file they are compressed.
    pub bytes: u64,
    /// Old versions that would stay.
    pub kept: u64,
    /// Whether that is all; else there may be more of each.
    pub whole: bool,
}

/// What bringing back did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BroughtBack {
    /// Files that are gone now.
    pub files: u64,
    /// Versions that are in the database again.
    pub versions: u64,
    /// Whether it was stopped before it was through; what is back stays.
    pub stopped: bool,
}

/// How far it is. Each step of a file is told once it is on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArchiveProgress {
    /// What was done last.
    pub step: ArchiveStep,
    /// Postings looked through, or files brought back.
    pub done: u64,
    /// Of how many.
    pub total: u64,
    /// Versions moved so far.
    pub versions: u64,
}

/// A step of archiving or bringing back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ArchiveStep {
    /// A posting was looked through.
    Gathered,
    /// A file is written aside.
    Written,
    /// It has its name.
    Named,
    /// It was read back and is what was to be written, or what was recorded.
    Verified,
    /// The database says that it holds these versions, and holds them no more itself; or the other way round.
    Recorded,
    /// A file that was brought back is removed.
    Removed,
}

/// Hears how far it is; says whether to go on. It is asked between two files too, never within a file's last steps.
pub type ArchiveWatch<'a> = &'a mut dyn FnMut(ArchiveProgress) -> ControlFlow<()>;

/// An archive file as the database records it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveFile {
    /// Its name in the folder [`FOLDER`].
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// Versions in it.
    pub versions: u64,
    /// When the oldest of them was made.
    pub oldest: Micros,
    /// When the latest of them was made.
    pub latest: Micros,
    /// When it was written.
    pub made: Micros,
}

impl Store {
    /// The archive files, the oldest first.
    pub fn archives(&self) -> Result<Vec<ArchiveFile>, StoreError> {
        let records = self.reading(records)?;
        Ok(records.into_iter().map(|record| record.file).collect())
    }

    /// Makes the database as small as what it holds: what was archived leaves room in it that the system does not get
    /// back by itself. Other writers wait meanwhile, those of other processes not for ever; it needs room on the disk for
    /// a second copy, and leaves everything as it was if there is none.
    ///
    /// # Errors
    /// [`StoreError::DiskFull`], or [`StoreError::Locked`] by another process.
    pub fn compact(&self) -> Pending<()> {
        let path = self.path().to_owned();
        self.writer().submit_alone(path.clone(), move |c| {
            let compacted = c.execute_batch("VACUUM");
            // The log that the copy went through is as large as the database. Where a reader still needs it, it is
            // shortened by a later one.
            let shortened = c.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
            compacted
                .and(shortened)
                .map_err(|e| StoreError::sqlite(&path, &e))
        })
    }

    /// The size of the database with its write-ahead log, in bytes.
    pub fn database_bytes(&self) -> u64 {
        let size = |path: &Path| fs::metadata(path).map_or(0, |file| file.len());
        let mut log = OsString::from(self.path());
        log.push("-wal");
        size(self.path()) + size(Path::new(&log))
    }

    fn archive_folder(&self) -> PathBuf {
        file::folder_of(self.path())
    }
}

/// A row of `archive_file`.
struct Record {
    id: i64,
    mark: Mark,
    file: ArchiveFile,
}

fn records(c: &Connection) -> rusqlite::Result<Vec<Record>> {
    let statement =
        "SELECT id, hash, bytes, versions, oldest, latest, made FROM archive_file ORDER BY id";
    read::collect(c, statement, params![], |row| {
        let mark = Mark(row.get(1)?);
        let count = |column| row.get::<_, i64>(column).map(|n| n.max(0) as u64);
        Ok(Record {
            id: row.get(0)?,
            file: ArchiveFile {
                name: mark.name(),
                bytes: count(2)?,
                versions: count(3)?,
                oldest: Micros(row.get(4)?),
                latest: Micros(row.get(5)?),
                made: Micros(row.get(6)?),
            },
            mark,
        })
    })
}

/// The blocks of a file in its order.
fn blocks(c: &Connection, file: i64) -> rusqlite::Result<Vec<(i64, Place)>> {
    let statement =
        "SELECT id, start, length, raw FROM archive_block WHERE file = ?1 ORDER BY start";
    read::collect(c, statement, params![file], |row| {
        let place = Place {
            start: row.get(1)?,
            length: row.get(2)?,
            raw: row.get(3)?,
        };
        Ok((row.get(0)?, place))
    })
}

/// Who archives or brings back: one at a time, also among processes. Ends with the file handle.
struct Turn {
    _lock: fs::File,
}

impl Turn {
    fn take(folder: &Path) -> Result<Self, StoreError> {
        file::make_folder(folder)?;
        let path = folder.join("lock");
        let lock = crate::open::lock_file(&path).map_err(|e| StoreError::io(&path, &e))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(StoreError::Declined {
                message: "history is being archived or brought back already".into(),
                hint: "Wait until that is done.",
            }),
            Err(TryLockError::Error(e)) => Err(StoreError::io(&path, &e)),
        }
    }
}
