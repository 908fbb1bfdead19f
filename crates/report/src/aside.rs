//! A file that is there as a whole or not at all: written aside in the same folder, synced, then renamed.

use ghostlight_model::system;
use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};
use tempfile::{Builder, NamedTempFile};

/// What a file that is under way ends with.
const PARTIAL: &str = ".partial";
/// Characters between its name and that, by which two of them differ.
const RANDOM_CHARS: usize = 6;
/// How often a file is made anew, because another process took it for one that was left behind; then that is an error.
const TRIES_MAX: usize = 8;

/// Where a file is to be, and whether it may replace what is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The file.
    pub path: PathBuf,
    /// Whether a file that is there already is replaced. Without it, it is never touched.
    pub overwrite: bool,
}

/// Why a file could not be written. Nothing of it is left.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// Something has that name.
    #[error("{path}: there is such a file already")]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// It names a folder, or no file at all.
    #[error("{path}: this is a folder, not a file's name")]
    NoFile {
        /// What was given.
        path: PathBuf,
    },
    /// It names a device, a pipe or a socket.
    #[error("{path}: this is a device or a pipe, not a file")]
    Special {
        /// What was given.
        path: PathBuf,
    },
    /// There is no such folder.
    #[error("{path}: the folder does not exist")]
    NoFolder {
        /// The folder.
        path: PathBuf,
    },
    /// The folder takes no file.
    #[error("{path}: the folder cannot be written (read-only, or not yours)")]
    ReadOnly {
        /// The folder.
        path: PathBuf,
    },
    /// What has that name cannot be replaced.
    #[error(
        "{path}: the file there cannot be replaced (another program has it open, or it is write-protected)"
    )]
    Held {
        /// The file.
        path: PathBuf,
    },
    /// No room left.
    #[error("{path}: the disk is full; no half file is left, and what was there stays")]
    DiskFull {
        /// The file.
        path: PathBuf,
    },
    /// The system allows no file of this size.
    #[error(
        "{path}: the system allows no file as large as this; no half file is left, and what was there stays"
    )]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// The system refused otherwise.
    #[error("{path}: {detail}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        detail: String,
    },
}

impl FileError {
    pub(crate) fn of(path: &Path, error: &io::Error) -> Self {
        let path = path.to_owned();
        match error.kind() {
            io::ErrorKind::AlreadyExists => Self::Exists { path },
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path },
            io::ErrorKind::FileTooLarge => Self::TooLarge { path },
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly {
                path: folder_of(&path),
            },
            _ => Self::Io {
                path,
                detail: system::words(error),
            },
        }
    }

    /// What to do.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Exists { .. } => "Choose another name, or say that it may be overwritten.",
            Self::NoFile { .. } => "Name the file in it.",
            Self::Special { .. } => "Name a file; an export is there as a whole or not at all.",
            Self::NoFolder { .. } => "Make the folder first, or choose another.",
            Self::ReadOnly { .. } => "Choose a folder that you may write to.",
            Self::Held { .. } => "Close it there, or choose another name.",
            Self::DiskFull { .. } => "Free some space on that disk, or choose another.",
            Self::TooLarge { .. } => "Raise the limit, choose another disk, or export fewer rows.",
            Self::Io { .. } => "Check that the folder is there and can be written, then try again.",
        }
    }
}

/// A file under way. Dropped, it is gone.
pub(crate) struct Aside {
    file: NamedTempFile,
    target: Target,
}

impl Aside {
    /// Begins a file beside `target`.
    ///
    /// # Errors
    /// What can be known before the first byte: the target is there, its folder is not, or takes no file.
    pub fn create(target: &Target) -> Result<Self, FileError> {
        // A link stays one: what it points to is replaced.
        let linked = fs::canonicalize(&target.path)
            .ok()
            .filter(|_| target.path.is_symlink());
        let target = &Target {
            path: linked.unwrap_or_else(|| target.path.clone()),
            ..*target
        };
        let path = &target.path;
        let owned = || path.to_owned();
        let Some(name) = path.file_name().filter(|_| !path.is_dir()) else {
            return Err(FileError::NoFile { path: owned() });
        };
        if path.exists() && !path.is_file() {
            return Err(FileError::Special { path: owned() });
        }
        // A dangling link counts as well: it is something of that name.
        if !target.overwrite && fs::symlink_metadata(path).is_ok() {
            return Err(FileError::Exists { path: owned() });
        }
        let folder = folder_of(path);
        if !folder.is_dir() {
            return Err(FileError::NoFolder { path: folder });
        }
        let prefix = format!(".{}.", name.to_string_lossy());
        sweep(&folder, &prefix);
        Ok(Self {
            file: begin(&folder, &prefix).map_err(|e| FileError::of(path, &e))?,
            target: target.clone(),
        })
    }

    /// To write into; buffer it.
    pub fn file(&mut self) -> &mut File {
        self.file.as_file_mut()
    }

    /// Gives the file its name, once its bytes are on disk.
    ///
    /// # Errors
    /// Also when a file of that name appeared meanwhile and may not be overwritten.
    pub fn finish(self) -> Result<(), FileError> {
        let path = &self.target.path;
        let failed = |e: &io::Error| FileError::of(path, e);
        self.file.as_file().sync_all().map_err(|e| failed(&e))?;
        let overwrite = self.target.overwrite;
        match overwrite {
            true => self.file.persist(path),
            false => self.file.persist_noclobber(path),
        }
        .map_err(|e| match e.error.kind() {
            // The folder took the file already: it is the other one that stays, as on Windows any that is open.
            io::ErrorKind::PermissionDenied if overwrite && path.exists() => {
                FileError::Held { path: path.clone() }
            }
            _ => failed(&e.error),
        })?;
        sync_folder(&folder_of(path));
        Ok(())
    }
}

/// A new file, locked for as long as this process has it open.
fn begin(folder: &Path, prefix: &str) -> io::Result<NamedTempFile> {
    for _ in 0..TRIES_MAX {
        let mut builder = Builder::new();
        builder
            .prefix(prefix)
            .suffix(PARTIAL)
            .rand_bytes(RANDOM_CHARS);
        // As any new file: what the system's mask leaves of it, not the owner alone as for a scratch file.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let file = builder.tempfile_in(folder)?;
        match file.as_file().try_lock() {
            // Before it was locked, another process may have swept it away.
            Ok(()) if !file.path().exists() => {}
            // A file system without locks: there is nothing by which another would take it for left behind either.
            Ok(()) | Err(TryLockError::Error(_)) => return Ok(file),
            // Another process is about to sweep it away.
            Err(TryLockError::WouldBlock) => {}
        }
    }
    Err(io::Error::other(
        "other processes remove what is written here",
    ))
}

/// Removes what killed processes left of exports to this name: what nobody has locked any more.
fn sweep(folder: &Path, prefix: &str) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let middle = name
            .to_str()
            .and_then(|name| name.strip_prefix(prefix)?.strip_suffix(PARTIAL));
        let ours = middle.is_some_and(|middle| {
            middle.len() == RANDOM_CHARS && middle.chars().all(|c| c.is_ascii_alphanumeric())
        });
        if ours && entry.file_type().is_ok_and(|kind| kind.is_file()) {
            let path = entry.path();
            // Opened for writing, since some network file systems lock no other.
            let file = File::options().write(true).open(&path);
            if let Ok(file) = file
                && file.try_lock().is_ok()
            {
                // What cannot be removed stays, and is no harm. The lock is held until it is gone.
                let _ = fs::remove_file(&path);
            }
        }
    }
}

fn folder_of(path: &Path) -> PathBuf {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new(".")).to_owned()
}

/// Makes the name durable, where a folder can be synced; the bytes are already.
fn sync_folder(folder: &Path) {
    if cfg!(unix) {
        // A file system that cannot do it keeps the file all the same.
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
        let mut names: Vec<_> = entries
            .map(|entry| entry.file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn only_what_nobody_holds_is_removed_and_only_of_the_same_name() {
        let folder = tempfile::tempdir().unwrap();
        let target = |name: &str| Target {
            path: folder.path().join(name),
            overwrite: true,
        };
        let held = Aside::create(&target("a.csv")).unwrap();
        let left = ".a.csv.Abc123.partial";
        let others = [
            ".a.csv.long-name.partial",
            ".b.csv.Abc123.partial",
            "a.csv.Abc123.partial",
        ];
        for name in others.iter().chain([&left]) {
            fs::write(folder.path().join(name), "half").unwrap();
        }
        let second = Aside::create(&target("a.csv")).unwrap();
        let there = names(folder.path());
        assert!(!there.contains(&left.to_owned()), "{there:?}");
        assert_eq!(there.len(), others.len() + 2, "{there:?}");
        second.finish().unwrap();
        held.finish().unwrap();
        let mut expected: Vec<String> = others.map(str::to_owned).to_vec();
        expected.push("a.csv".into());
        expected.sort();
        assert_eq!(names(folder.path()), expected);
    }
}
