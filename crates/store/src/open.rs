//! Opening a data folder: pragmas, migrations with backup and verification, the reader pool.

use crate::{
    error::StoreError,
    outline::Outlines,
    project,
    writer::{Changes, Writer},
};
use rusqlite::{Connection, OpenFlags, TransactionBehavior, config::DbConfig};
use rusqlite_migration::{M, Migrations};
use std::{
    fs::{self, TryLockError},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

/// The database's name in a data folder.
pub const DATABASE: &str = "ghostlight.db";
/// Idle reader connections kept; more are opened when needed and closed after use.
const READERS_KEPT: usize = 4;
/// How long to wait for another process that is migrating: it copies and checks the whole file.
const MIGRATION_WAIT: Duration = Duration::from_secs(60);
/// How often to look whether it is done.
const MIGRATION_POLL: Duration = Duration::from_millis(20);
/// Pages kept in memory while a large file is made, in KiB; beyond that they go to the write-ahead log early.
const BULK_CACHE_KIB: i64 = 768 << 10;
/// Versions of an archive file: a transaction of about a second.
const ARCHIVE_VERSIONS: usize = 20_000;
/// Statements a connection keeps prepared; there are about a hundred in all.
const STATEMENTS_KEPT: usize = 128;

const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/0001_first.sql"),
    include_str!("../migrations/0002_streams.sql"),
    include_str!("../migrations/0003_monitor.sql"),
    include_str!("../migrations/0004_outbox.sql"),
    include_str!("../migrations/0005_branches.sql"),
    include_str!("../migrations/0006_drafts.sql"),
    include_str!("../migrations/0007_suggestions.sql"),
    include_str!("../migrations/0008_outline.sql"),
    include_str!("../migrations/0009_outbox_order.sql"),
    include_str!("../migrations/0010_packed_outlines.sql"),
    include_str!("../migrations/0011_archive.sql"),
    include_str!("../migrations/0012_gap_order.sql"),
    include_str!("../migrations/0013_model_answers.sql"),
    include_str!("../migrations/0014_quarantine_count.sql"),
    include_str!("../migrations/0015_feed_pace.sql"),
];
/// The newest schema this version reads and writes.
pub const SCHEMA: i64 = MIGRATIONS.len() as i64;

/// What tests change about opening a store.
#[doc(hidden)]
#[derive(Debug, Clone)]
pub struct OpenOptions {
    /// How long a connection waits for another process's lock before it reports it.
    pub busy_timeout: Duration,
    /// The schema, step by step.
    pub migrations: &'static [&'static str],
    /// The database's largest size in pages, to stand for a full disk.
    pub pages_max: Option<u32>,
    /// For a file that is made anew and thrown away if that breaks off: nothing waits for the disk, and the pages of
    /// large transactions stay in memory ([`BULK_CACHE_KIB`]).
    pub bulk: bool,
    /// Versions of an archive file; the next ones go into another. Each file is one transaction, for which other writers
    /// wait.
    pub archive_versions: usize,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            busy_timeout: Duration::from_secs(5),
            migrations: MIGRATIONS,
            pages_max: None,
            bulk: false,
            archive_versions: ARCHIVE_VERSIONS,
        }
    }
}

impl OpenOptions {
    fn schema(&self) -> i64 {
        self.migrations.len() as i64
    }
}

/// An open store. Cloning shares it.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    options: OpenOptions,
    readers: Mutex<Vec<Connection>>,
    writer: Writer,
    outlines: Outlines,
}

impl Store {
    /// Opens the database of `folder`, making and migrating it as needed. `on_change` is called on
    /// the writer thread after each durable transaction with what it changed.
    ///
    /// # Errors
    /// Every variant of [`StoreError`] that concerns files; nothing is changed then.
    pub fn open(
        folder: &Path,
        on_change: impl Fn(&Changes) + Send + 'static,
    ) -> Result<Self, StoreError> {
        Self::open_with(folder, OpenOptions::default(), on_change)
    }

    /// [`Store::open`] with other options, for tests.
    #[doc(hidden)]
    pub fn open_with(
        folder: &Path,
        options: OpenOptions,
        on_change: impl Fn(&Changes) + Send + 'static,
    ) -> Result<Self, StoreError> {
        fs::create_dir_all(folder).map_err(|e| StoreError::io(folder, &e))?;
        let path = folder.join(DATABASE);
        if !is_current(&path, &options)? {
            migrate(folder, &path, &options)?;
        }
        let mut connection = connect_writer(&path, &options)?;
        check_writable(&mut connection, &path)?;
        project::catch_up(&mut connection).map_err(|e| StoreError::sqlite(&path, &e))?;
        let outlines = Outlines::default();
        let writer = Writer::start(
            connection,
            path.clone(),
            outlines.clone(),
            Box::new(on_change),
        )?;
        Ok(Self {
            inner: Arc::new(Inner {
                path,
                options,
                readers: Mutex::default(),
                writer,
                outlines,
            }),
        })
    }

    /// The database file.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    pub(crate) fn options(&self) -> &OpenOptions {
        &self.inner.options
    }

    pub(crate) fn writer(&self) -> &Writer {
        &self.inner.writer
    }

    /// The histories that were read last.
    pub(crate) fn outlines(&self) -> &Outlines {
        &self.inner.outlines
    }

    /// A reader connection of the caller's own.
    pub(crate) fn connect_reader(&self) -> Result<Connection, StoreError> {
        connect_reader(&self.inner.path, &self.inner.options)
    }

    /// Runs `read` on a reader connection, in one snapshot.
    pub(crate) fn reading<T>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let pooled = self.readers().pop();
        let mut connection = match pooled {
            Some(connection) => connection,
            None => connect_reader(&self.inner.path, &self.inner.options)?,
        };
        let result = connection
            .transaction()
            .and_then(|snapshot| read(&snapshot));
        let mut readers = self.readers();
        if readers.len() < READERS_KEPT {
            readers.push(connection);
        }
        drop(readers);
        result.map_err(|e| StoreError::sqlite(&self.inner.path, &e))
    }

    /// `integrity_check` and `foreign_key_check`; an empty list is a healthy database.
    pub fn check(&self) -> Result<Vec<String>, StoreError> {
        self.reading(|c| {
            let mut problems = integrity(c, "integrity_check")?;
            let mut statement = c.prepare("PRAGMA foreign_key_check")?;
            let rows = statement.query_map([], |row| {
                let (table, parent): (String, String) = (row.get(0)?, row.get(2)?);
                Ok(format!("a row of {table} names a missing row of {parent}"))
            })?;
            for row in rows {
                problems.push(row?);
            }
            Ok(problems)
        })
    }

    fn readers(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        // A panic while a connection was out leaves the pool itself sound.
        self.inner
            .readers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn connect_writer(path: &Path, options: &OpenOptions) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let open = || -> rusqlite::Result<Connection> {
        let connection = connect(path, flags, options)?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "fullfsync", true)?;
        connection.pragma_update(None, "checkpoint_fullfsync", true)?;
        if options.bulk {
            connection.pragma_update(None, "synchronous", "OFF")?;
            connection.pragma_update(None, "cache_size", -BULK_CACHE_KIB)?;
        }
        if let Some(pages) = options.pages_max {
            connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?;
        }
        Ok(connection)
    };
    open().map_err(|e| StoreError::sqlite(path, &e))
}

/// A connection that cannot change a row, nor make a database where there is none any more.
fn connect_reader(path: &Path, options: &OpenOptions) -> Result<Connection, StoreError> {
    let open = || -> rusqlite::Result<Connection> {
        let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE, options)?;
        connection.pragma_update(None, "query_only", true)?;
        Ok(connection)
    };
    open().map_err(|e| StoreError::sqlite(path, &e))
}

fn connect(path: &Path, flags: OpenFlags, options: &OpenOptions) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(options.busy_timeout)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    Ok(connection)
}

/// Refuses what could only be read: SQLite opens such a file all the same, and lets a transaction
/// begin on it.
fn check_writable(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let read_only = connection.is_readonly("main").and_then(|read_only| {
        let begun = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        begun.rollback()?;
        Ok(read_only)
    });
    match read_only.map_err(|e| StoreError::sqlite(path, &e))? {
        true => Err(StoreError::ReadOnly {
            path: path.to_owned(),
        }),
        false => Ok(()),
    }
}

/// Whether the database stands at the current schema. Looks without changing a byte of it.
///
/// # Errors
/// [`StoreError::NewerSchema`], and [`StoreError::Corrupt`] for another program's database.
fn is_current(path: &Path, options: &OpenOptions) -> Result<bool, StoreError> {
    let found = standing_schema(path, options)?;
    if found > options.schema() {
        return Err(StoreError::NewerSchema {
            path: path.to_owned(),
            found,
            supported: options.schema(),
        });
    }
    Ok(found == options.schema())
}

/// The schema version of the file, 0 if there is none yet.
fn standing_schema(path: &Path, options: &OpenOptions) -> Result<i64, StoreError> {
    if !path.exists() {
        return Ok(0);
    }
    let look = || -> rusqlite::Result<(i64, bool)> {
        let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY, options)?;
        let ours = "SELECT count(*) = 0 OR max(name = 'event') FROM sqlite_schema";
        let ours = connection.query_row(ours, [], |row| row.get(0))?;
        Ok((schema_of(&connection)?, ours))
    };
    match look().map_err(|e| StoreError::sqlite(path, &e))? {
        (found, true) => Ok(found),
        (_, false) => Err(StoreError::Corrupt {
            path: path.to_owned(),
            detail: "it is the database of another program".into(),
        }),
    }
}

/// Brings the schema up to date: one process at a time, checked and backed up before, verified
/// after, all steps in one transaction.
fn migrate(folder: &Path, path: &Path, options: &OpenOptions) -> Result<(), StoreError> {
    let sqlite = |e: rusqlite::Error| StoreError::sqlite(path, &e);
    let _lock = lock_migration(folder, path)?;
    // Whoever held the lock before may have done it.
    if is_current(path, options)? {
        return Ok(());
    }
    let mut connection = connect_writer(path, options)?;
    let found = schema_of(&connection).map_err(sqlite)?;
    if found > 0 {
        sound(&connection, path)?;
        backup(&connection, folder, (found, options.schema()))?;
    }
    // A table that others refer to is made anew under its name; whether all references hold is checked after each step.
    connection
        .pragma_update(None, "foreign_keys", false)
        .map_err(sqlite)?;
    let steps = options.migrations.iter();
    let steps = steps.map(|step| M::up(step).foreign_key_check()).collect();
    Migrations::new(steps)
        .to_latest(&mut connection)
        .map_err(|e| migration_error(path, &e))?;
    sound(&connection, path)
}

/// Waits for the other processes that want to migrate; the lock ends with the file handle.
fn lock_migration(folder: &Path, path: &Path) -> Result<fs::File, StoreError> {
    let lock_path = folder.join("migrate.lock");
    // What keeps us from locking keeps us from migrating: it is the database that is named.
    let lock = lock_file(&lock_path).map_err(|e| StoreError::io(path, &e))?;
    let until = Instant::now() + MIGRATION_WAIT;
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(lock),
            Err(TryLockError::WouldBlock) if Instant::now() < until => {
                thread::sleep(MIGRATION_POLL)
            }
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::Locked {
                    path: path.to_owned(),
                });
            }
            Err(TryLockError::Error(e)) => return Err(StoreError::io(&lock_path, &e)),
        }
    }
}

/// Opens a file to lock, made if there is none. Its bytes are left alone: another process may have locked them, which
/// on Windows also keeps others from cutting it.
pub(crate) fn lock_file(path: &Path) -> std::io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(false).open(path)
}

fn migration_error(path: &Path, error: &rusqlite_migration::Error) -> StoreError {
    let failed = |detail: String| StoreError::Migration {
        path: path.to_owned(),
        detail,
    };
    let rusqlite_migration::Error::RusqliteError { err, .. } = error else {
        return failed(error.to_string());
    };
    match StoreError::sqlite(path, err) {
        StoreError::Statement { detail, .. } => failed(detail),
        known => known,
    }
}

fn schema_of(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Refuses a damaged database.
fn sound(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let problems =
        integrity(connection, "quick_check").map_err(|e| StoreError::sqlite(path, &e))?;
    match problems.into_iter().next() {
        Some(detail) => Err(StoreError::Corrupt {
            path: path.to_owned(),
            detail,
        }),
        None => Ok(()),
    }
}

/// Copies the database to `backups/` before a migration changes it: written aside, then renamed, so
/// that a copy of that name is a whole one.
fn backup(
    connection: &Connection,
    folder: &Path,
    (found, wanted): (i64, i64),
) -> Result<(), StoreError> {
    let backups = folder.join("backups");
    fs::create_dir_all(&backups).map_err(|e| StoreError::io(&backups, &e))?;
    let to = backups.join(format!("before-schema-{wanted}-from-{found}.db"));
    let aside = to.with_extension("partial");
    let copied = connection
        .backup("main", &aside, None)
        .map_err(|e| StoreError::sqlite(&to, &e))
        .and_then(|()| fs::rename(&aside, &to).map_err(|e| StoreError::io(&to, &e)));
    if copied.is_err() {
        // Room for the next try; what is in the way is reported by it.
        let _ = fs::remove_file(&aside);
    }
    copied
}

fn integrity(connection: &Connection, pragma: &str) -> rusqlite::Result<Vec<String>> {
    let mut problems = Vec::new();
    connection.pragma_query(None, pragma, |row| {
        let line: String = row.get(0)?;
        if line != "ok" {
            problems.push(line);
        }
        Ok(())
    })?;
    Ok(problems)
}
