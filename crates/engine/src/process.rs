//! Which process works on a run: a lock file each, held as long as the process lives.
//!
//! Advisory locks are given back by the system when a process dies, however it dies, so a run whose
//! process holds no lock any more was interrupted.

use ghostlight_store::StoreError;
use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
    time::Duration,
};

/// This process's lock. Dropping it gives the name back.
pub(crate) struct ProcessLock {
    name: String,
    path: PathBuf,
    file: File,
}

impl ProcessLock {
    /// Takes the lock `name` in the data folder.
    pub fn take(folder: &Path, name: &str) -> Result<Self, StoreError> {
        let path = lock_path(folder, name);
        let take = || -> std::io::Result<File> {
            fs::create_dir_all(folder.join("locks"))?;
            sweep(&folder.join("locks"));
            let file = File::create(&path)?;
            file.try_lock().map_err(|e| match e {
                TryLockError::Error(e) => e,
                TryLockError::WouldBlock => std::io::ErrorKind::WouldBlock.into(),
            })?;
            Ok(file)
        };
        let file = take().map_err(|e| StoreError::Io {
            path: path.clone(),
            detail: e.to_string(),
        })?;
        Ok(Self {
            name: name.to_owned(),
            path,
            file,
        })
    }

    /// The name written into the runs of this process.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for ProcessLock {
    fn drop(&mut self) {
        // A file left behind is harmless: it is not locked.
        let _ = fs::remove_file(&self.path);
        let _ = self.file.unlock();
    }
}

/// Removes what killed processes left behind. A file younger than a day may belong to a process
/// that has made it and not locked it yet.
fn sweep(locks: &Path) {
    const DAY: Duration = Duration::from_secs(86_400);
    for entry in fs::read_dir(locks).into_iter().flatten().flatten() {
        let age = entry
            .metadata()
            .and_then(|m| m.modified())
            .ok()
            .and_then(|t| t.elapsed().ok());
        let free = || File::open(entry.path()).is_ok_and(|file| file.try_lock_shared().is_ok());
        if age.is_some_and(|age| age > DAY) && free() {
            // Another process may have swept it first.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Whether the process that took the lock `name` still lives.
pub(crate) fn is_alive(folder: &Path, name: &str) -> bool {
    let Ok(file) = File::open(lock_path(folder, name)) else {
        return false;
    };
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

fn lock_path(folder: &Path, name: &str) -> PathBuf {
    // Names are ULIDs; anything else (a damaged row) must not leave the folder.
    let safe: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    folder.join("locks").join(format!("{safe}.lock"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_lives_as_long_as_its_lock() {
        let folder = tempfile::tempdir().unwrap();
        let lock = ProcessLock::take(folder.path(), "A1").unwrap();
        assert!(is_alive(folder.path(), "A1"));
        assert!(!is_alive(folder.path(), "B2"));
        assert!(!is_alive(folder.path(), "../../etc/passwd"));
        drop(lock);
        assert!(!is_alive(folder.path(), "A1"));
    }
}
