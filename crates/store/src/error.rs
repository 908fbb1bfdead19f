//! What can go wrong with the database: each names the file and the way out.

use ghostlight_model::system;
use rusqlite::{ErrorCode, types::Type};
use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

/// Trouble with the store. Cloned to everybody whose write shared a failed transaction.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Another process held the write lock for longer than the busy timeout.
    #[error("{path}: another program has locked the database and does not let go of it")]
    Locked {
        /// The database file.
        path: PathBuf,
    },
    /// The file or its folder cannot be written.
    #[error("{path}: the database cannot be written (read-only file or folder)")]
    ReadOnly {
        /// The database file.
        path: PathBuf,
    },
    /// The file is damaged or no database.
    #[error("{path}: the database is damaged ({detail})")]
    Corrupt {
        /// The database file.
        path: PathBuf,
        /// What SQLite says.
        detail: String,
    },
    /// The file was written by a newer Ghostlight.
    #[error(
        "{path}: written by a newer Ghostlight (schema {found}, this version reads up to {supported})"
    )]
    NewerSchema {
        /// The database file.
        path: PathBuf,
        /// Its schema version.
        found: i64,
        /// The newest this version knows.
        supported: i64,
    },
    /// No room left.
    #[error("{path}: the disk is full; nothing of the last change was kept")]
    DiskFull {
        /// The database file.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("{path}: {detail}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        detail: String,
    },
    /// A migration failed; the backup beside the database is the way back.
    #[error("{path}: could not bring the database to the current schema ({detail})")]
    Migration {
        /// The database file.
        path: PathBuf,
        /// What went wrong.
        detail: String,
    },
    /// An archive file is missing or damaged; nothing was changed.
    #[error("{path}: {detail}")]
    Archive {
        /// The file, or the folder of archive files.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// A value breaks a rule; nothing was written.
    #[error("{0}")]
    Refused(String),
    /// It cannot be done as things stand; nothing was written.
    #[error("{message}")]
    Declined {
        /// Why, and what about.
        message: String,
        /// What to do instead.
        hint: &'static str,
    },
    /// What the caller looked at has changed since; nothing was written.
    #[error("{0}")]
    Stale(String),
    /// What was asked for is not in the store.
    #[error("{0} is not in the store")]
    NotFound(String),
    /// The writer thread is gone: the store is closing.
    #[error("the store is closed")]
    Closed,
    /// A statement of ours failed: a fault in Ghostlight.
    #[error("{path}: {detail}")]
    Statement {
        /// The database file.
        path: PathBuf,
        /// What SQLite says.
        detail: String,
    },
}

impl StoreError {
    /// The error for what SQLite said about `path`.
    pub(crate) fn sqlite(path: &Path, error: &rusqlite::Error) -> Self {
        if let rusqlite::Error::FromSqlConversionFailure(_, _, carried) = error
            && let Some(carried) = carried.downcast_ref::<Self>()
        {
            return carried.clone();
        }
        let path = path.to_owned();
        let detail = error.to_string();
        match error.sqlite_error_code() {
            Some(
                ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::FileLockingProtocolFailed,
            ) => Self::Locked { path },
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Self::ReadOnly { path },
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Corrupt { path, detail }
            }
            Some(ErrorCode::DiskFull) => Self::DiskFull { path },
            // SQLite cannot tell why it could not open; whether the folder can be written says it.
            Some(ErrorCode::CannotOpen) if is_read_only(&path) => Self::ReadOnly { path },
            // Nor what stopped it from making its index of the log longer.
            Some(ErrorCode::SystemIoFailure) if is_full(&path) => Self::DiskFull { path },
            Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen) => Self::Io { path, detail },
            _ => Self::Statement { path, detail },
        }
    }

    /// For code between two statements that answers with SQLite's errors; [`StoreError::sqlite`] unpacks it.
    pub(crate) fn into_sqlite(self) -> rusqlite::Error {
        rusqlite::Error::FromSqlConversionFailure(0, Type::Text, Box::new(self))
    }

    /// The error for what the system said about `path`.
    pub(crate) fn io(path: &Path, error: &io::Error) -> Self {
        let path = path.to_owned();
        match error.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Self::ReadOnly { path }
            }
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path },
            // Where a folder was to be.
            io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory if path.is_file() => {
                Self::Io {
                    path,
                    detail: "this is a file, not a folder".into(),
                }
            }
            _ => Self::Io {
                path,
                detail: system::words(error),
            },
        }
    }

    /// A stable name for screens and scripts.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Locked { .. } => "locked",
            Self::ReadOnly { .. } => "read_only",
            Self::Corrupt { .. } => "corrupt",
            Self::NewerSchema { .. } => "newer_schema",
            Self::DiskFull { .. } => "disk_full",
            Self::Io { .. } => "io",
            Self::Migration { .. } => "migration",
            Self::Archive { .. } => "archive",
            Self::Refused(_) => "refused",
            Self::Declined { .. } => "declined",
            Self::Stale(_) => "stale",
            Self::NotFound(_) => "not_found",
            Self::Closed => "closed",
            Self::Statement { .. } => "statement",
        }
    }

    /// What to do.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Locked { .. } => {
                "Close the other Ghostlight or the tool that holds the file, then try again; nothing is lost."
            }
            Self::ReadOnly { .. } => {
                "Give your account the right to write there, or choose another folder with --data."
            }
            Self::Corrupt { .. } => {
                "Keep a copy of the file, then restore the newest one from the backups folder beside it, \
                 or start with an empty folder by --data."
            }
            Self::NewerSchema { .. } => "Update Ghostlight, or choose another folder with --data.",
            Self::DiskFull { .. } => "Free some space on that disk and repeat the last step.",
            Self::Io { .. } => {
                "Check that the folder exists and can be written, or choose another with --data; then try again."
            }
            Self::Migration { .. } => {
                "The database was left as it was; a copy made before stands in the backups folder beside it."
            }
            Self::Archive { .. } => {
                "Put that file back from a copy of the data folder; ghostlight doctor says how much is in it. \
                 Everything that needs no version out of it works meanwhile."
            }
            Self::Refused(_) => "Correct the value and try again.",
            Self::Declined { hint, .. } => hint,
            Self::Stale(_) => "Look at what is there now, and repeat the step.",
            Self::NotFound(_) => "It may have been removed; look again at what there is.",
            Self::Closed => "Start Ghostlight again.",
            Self::Statement { .. } => {
                "This is a fault in Ghostlight; nothing was changed. Please report it."
            }
        }
    }
}

/// Whether the system says that the folder of `path` takes no new file or `path` no change.
fn is_read_only(path: &Path) -> bool {
    let refused = |error: &std::io::Error| {
        matches!(
            error.kind(),
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem
        )
    };
    let file = std::fs::OpenOptions::new().append(true).open(path);
    if file.as_ref().is_err_and(refused) {
        return true;
    }
    probe(path, &[]).as_ref().is_err_and(refused)
}

/// Whether the system says that there is no room beside `path`.
fn is_full(path: &Path) -> bool {
    // As much as SQLite adds to its index at once, and again.
    probe(path, &[0; 64 << 10]).is_err_and(|error| {
        matches!(
            error.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
        )
    })
}

/// Writes this into a new file beside `path`, and takes it away again.
fn probe(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let probe = path.with_extension("probe");
    let mut made = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&probe)?;
    let written = made.write_all(bytes);
    drop(made);
    // A probe that stays is small and in nobody's way.
    let _ = std::fs::remove_file(&probe);
    written
}
