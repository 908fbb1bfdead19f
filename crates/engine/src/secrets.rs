//! Tokens of feeds: a file each in the data folder that only its owner can read (SPEC C13).
//!
//! A token never stands in the database, a log, a report or a view. Where files have no owners (Windows), the profile's
//! folder keeps others out.

use ghostlight_store::StoreError;
use ghostlight_sync::frame::Secret;
use std::{
    fs::{self, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

/// The folder of these files, in the data folder.
const FOLDER: &str = "feed-tokens";
/// The longest token, in bytes.
pub const TOKEN_BYTES_MAX: usize = 4_096;

/// The tokens of a data folder.
#[derive(Debug, Clone)]
pub struct Secrets {
    folder: PathBuf,
}

impl Secrets {
    /// Those of `data`.
    pub fn of(data: &Path) -> Self {
        Self {
            folder: data.join(FOLDER),
        }
    }

    /// The token of a feed, if one is kept.
    ///
    /// # Errors
    /// If the file cannot be read, or others may read it.
    pub fn get(&self, feed: i64) -> Result<Option<Secret>, StoreError> {
        let path = self.path(feed);
        let trouble = |e: io::Error| io_error(&path, &e.to_string());
        let file = match fs::File::open(&path) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(trouble(e)),
        };
        if is_open_to_others(&file).map_err(trouble)? {
            return Err(io_error(
                &path,
                "others may read it; set its mode to 600, and consider the token as known",
            ));
        }
        let mut token = String::new();
        file.take(TOKEN_BYTES_MAX as u64)
            .read_to_string(&mut token)
            .map_err(trouble)?;
        Ok(Some(Secret(token)))
    }

    /// Whether a token is kept.
    pub fn has(&self, feed: i64) -> bool {
        self.path(feed).exists()
    }

    /// Keeps a token in place of the one before; an empty one forgets it.
    ///
    /// # Errors
    /// If it is longer than [`TOKEN_BYTES_MAX`], has characters that no header carries, or cannot be written.
    pub fn put(&self, feed: i64, token: &str) -> Result<(), StoreError> {
        if token.is_empty() {
            return self.forget(feed);
        }
        check(token)?;
        let path = self.path(feed);
        let trouble = |e: io::Error| io_error(&path, &e.to_string());
        fs::create_dir_all(&self.folder).map_err(trouble)?;
        // Beside it, then renamed: a crash leaves the old token or the new one.
        let aside = path.with_extension("new");
        match fs::remove_file(&aside) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(trouble(e)),
            _ => {}
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        only_for_the_owner(&mut options);
        let mut file = options.open(&aside).map_err(trouble)?;
        file.write_all(token.as_bytes()).map_err(trouble)?;
        file.sync_all().map_err(trouble)?;
        fs::rename(&aside, &path).map_err(trouble)
    }

    /// Forgets a token.
    ///
    /// # Errors
    /// If the file is there and cannot be removed.
    pub fn forget(&self, feed: i64) -> Result<(), StoreError> {
        let path = self.path(feed);
        match fs::remove_file(&path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(io_error(&path, &e.to_string())),
            _ => Ok(()),
        }
    }

    fn path(&self, feed: i64) -> PathBuf {
        self.folder.join(feed.to_string())
    }
}

/// Whether a text can be a token; an empty one says that there is none.
///
/// # Errors
/// [`StoreError::Refused`] if it is longer than [`TOKEN_BYTES_MAX`], or has characters that no header carries.
pub fn check(token: &str) -> Result<(), StoreError> {
    if token.len() > TOKEN_BYTES_MAX || !token.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(StoreError::Refused(format!(
            "a token has 1 to {TOKEN_BYTES_MAX} printable ASCII characters without blanks"
        )));
    }
    Ok(())
}

fn io_error(path: &Path, detail: &str) -> StoreError {
    StoreError::Io {
        path: path.to_owned(),
        detail: detail.to_owned(),
    }
}

#[cfg(unix)]
fn only_for_the_owner(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o600);
}

#[cfg(not(unix))]
fn only_for_the_owner(_: &mut OpenOptions) {}

#[cfg(unix)]
fn is_open_to_others(file: &fs::File) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt;
    Ok(file.metadata()?.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_open_to_others(_: &fs::File) -> io::Result<bool> {
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_kept_replaced_and_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let secrets = Secrets::of(folder.path());
        let shown = || secrets.get(7).unwrap().map(|secret| secret.0);
        assert_eq!(shown(), None);
        secrets.put(7, "first").unwrap();
        secrets.put(7, "second").unwrap();
        assert_eq!(shown().as_deref(), Some("second"));
        assert!(secrets.has(7) && !secrets.has(8));
        secrets.put(7, "").unwrap();
        assert_eq!(shown(), None);
        secrets.forget(7).unwrap();
        for bad in ["two words", "line\n", "ü", &"x".repeat(TOKEN_BYTES_MAX + 1)] {
            assert!(
                matches!(secrets.put(7, bad), Err(StoreError::Refused(_))),
                "{bad:.20}"
            );
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_token_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let secrets = Secrets::of(folder.path());
        secrets.put(1, "secret").unwrap();
        let path = secrets.path(1);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let error = secrets.get(1).unwrap_err().to_string();
        assert!(
            error.contains("others may read it") && !error.contains("secret\n"),
            "{error}"
        );
    }
}
