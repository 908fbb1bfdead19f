//! Which process works on a run: a lock file each, held as long as the process lives.
//!
//! Advisory locks are given back by the system when a process dies, however it dies, so a run whose
//! process holds no lock any more was interrupted.

use ghostlight_store::StoreError;
use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
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
