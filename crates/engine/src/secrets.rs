//! Tokens of feeds and the key of the model: in the system's keychain, and where none answers in a file that only its
//! owner can read (SPEC C13).
//!
//! The folder `feed-tokens` of the data folder (`model-key` for the model) says where each is, so that nobody has to ask
//! the keychain for that: a file `ID` is a token itself, `ID.keychain` names the entry of the keychain that holds it.
//! Where both are there the file is the newer one, and [`Secrets::settle`] moves it. A token never stands in the
//! database, a log, a report or a view.
//!
//! A keychain may ask a person to unlock it, or hang: each call waits [`PATIENCE`] at most, on a thread of its own, and
//! under no lock but the one of these calls. [`Secrets::place`] and [`Secrets::forget`] never ask it.

use ghostlight_api::{ApiError, ErrorCode, view::TokenPlace};
use ghostlight_store::private;
use ghostlight_sync::frame::Secret;
use std::{
    fmt, fs,
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

/// What secrets are for: where they lie and how they are spoken of.
#[derive(Debug, Clone, Copy)]
struct Purpose {
    /// The folder of these files, in the data folder.
    folder: &'static str,
    /// How the names of entries in the keychain begin.
    entry: &'static str,
    what: &'static str,
    /// What to do once a keychain answers.
    again: &'static str,
    settings: &'static str,
    /// The variable of the environment that gives one, too.
    variable: &'static str,
}

const FEEDS: Purpose = Purpose {
    folder: "feed-tokens",
    entry: "feed",
    what: "this feed's token",
    again: "connect again",
    settings: "the settings of the feed",
    variable: "GHOSTLIGHT_FEED_TOKEN",
};
const MODEL: Purpose = Purpose {
    folder: "model-key",
    entry: "model",
    what: "the model's key",
    again: "try it again",
    settings: "the settings of the model",
    variable: "GHOSTLIGHT_MODEL_KEY",
};
/// The number of the one key in the model's folder.
pub(crate) const MODEL_KEY: i64 = 0;
/// How long a run waits for a keychain that holds the model's key: nobody may be there to unlock it.
const MODEL_PATIENCE: Duration = Duration::from_secs(10);
/// Behind the number of a feed: names the entry in the keychain.
const NAMES_ENTRY: &str = "keychain";
/// Behind the name of an entry: it is to be deleted from the keychain.
const FORGOTTEN: &str = "forgotten";
/// The longest token, in bytes.
pub const TOKEN_BYTES_MAX: usize = 4_096;
/// How long a call of the keychain may take: a person may have to type a password. Then whoever asked is told so, and
/// until that call comes back further ones fail at once.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What a system keeps secrets in. Calls may block.
pub trait Keychain: Send + Sync {
    /// The secret of this name, if there is one.
    ///
    /// # Errors
    /// As [`KeychainError`] says; so for the others.
    fn get(&self, name: &str) -> Result<Option<String>, KeychainError>;

    /// Keeps a secret in place of the one before.
    fn put(&self, name: &str, secret: &str) -> Result<(), KeychainError>;

    /// Deletes a secret; one that is not there is deleted already.
    fn delete(&self, name: &str) -> Result<(), KeychainError>;
}

/// Why a keychain did not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeychainError {
    /// This system has none, or nothing answers for it.
    #[error("no keychain answers ({0})")]
    Absent(String),
    /// It is locked, and nobody unlocked it.
    #[error("the keychain is locked ({0})")]
    Locked(String),
    /// It is there and fails.
    #[error("the keychain fails ({0})")]
    Failed(String),
}

/// The tokens of a data folder.
#[derive(Clone)]
pub struct Secrets {
    purpose: Purpose,
    folder: PathBuf,
    keychain: Option<Arc<dyn Keychain>>,
    patience: Duration,
    /// Held by whoever asks the keychain, so that what is read and written there belongs together.
    asking: Arc<Mutex<()>>,
    /// A call has not come back.
    hangs: Arc<AtomicBool>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets")
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

impl Secrets {
    /// The tokens of the feeds of `data`; without a keychain in files.
    pub fn of(data: &Path, keychain: Option<Arc<dyn Keychain>>) -> Self {
        Self::kept(FEEDS, data, keychain, PATIENCE)
    }

    /// The key of the model of `data`, likewise.
    pub(crate) fn of_model(data: &Path, keychain: Option<Arc<dyn Keychain>>) -> Self {
        Self::kept(MODEL, data, keychain, MODEL_PATIENCE)
    }

    fn kept(
        purpose: Purpose,
        data: &Path,
        keychain: Option<Arc<dyn Keychain>>,
        patience: Duration,
    ) -> Self {
        Self {
            purpose,
            folder: data.join(purpose.folder),
            keychain,
            patience,
            asking: Arc::default(),
            hangs: Arc::default(),
        }
    }

    /// Where the token of a feed is, if one is kept. Looks at the folder only.
    pub fn place(&self, feed: i64) -> TokenPlace {
        if self.file(feed).exists() {
            TokenPlace::File
        } else if self.entry_file(feed).exists() {
            TokenPlace::Keychain
        } else {
            TokenPlace::None
        }
    }

    /// The token of a feed, if one is kept. May block.
    ///
    /// # Errors
    /// If the file cannot be read, or others may read it; if the keychain does not give what it holds.
    pub fn get(&self, feed: i64) -> Result<Option<Secret>, ApiError> {
        let _asking = self.asking();
        if let Some(token) = self.read(feed)? {
            return Ok(Some(Secret(token)));
        }
        let Some(name) = self.entry(feed)? else {
            return Ok(None);
        };
        let asked = name.clone();
        match self.ask(move |keychain| keychain.get(&asked)) {
            Ok(Some(token)) => Ok(Some(Secret(token))),
            Ok(None) => Err(ApiError::new(
                ErrorCode::Store,
                format!(
                    "the keychain has no entry {name} any more, which held {}",
                    self.purpose.what
                ),
                format!("Give it again in {}.", self.purpose.settings),
            )),
            Err(error) => Err(self.trouble("cannot be read", &error)),
        }
    }

    /// Keeps a token in place of the one before; an empty one forgets it. May block.
    ///
    /// # Errors
    /// If it is longer than [`TOKEN_BYTES_MAX`], has characters that no header carries, the keychain that is there does
    /// not take it, or no file can be made that only its owner can read. What was kept before stays then.
    pub fn put(&self, feed: i64, token: &str) -> Result<(), ApiError> {
        if token.is_empty() {
            return self.forget(feed);
        }
        check(token)?;
        let _asking = self.asking();
        match self.to_keychain(feed, token) {
            Ok(()) => self.remove(&self.file(feed)),
            Err(Kept::Not(KeychainError::Absent(why))) => {
                tracing::info!(%why, "no keychain answers; a token is kept in a file");
                self.write(&self.file(feed), token)
            }
            Err(Kept::Not(error)) => Err(self.trouble("was not kept", &error)),
            Err(Kept::NoNote(error)) => Err(error),
        }
    }

    /// Moves a token that stands in a file into the keychain, and deletes there what was forgotten. May block. What
    /// does not work now is tried again the next time; the token stays where it is until then.
    pub fn settle(&self, feed: i64) {
        let _asking = self.asking();
        // Unreadable: whoever needs it is told.
        if let Ok(Some(token)) = self.read(feed) {
            match self.to_keychain(feed, &token) {
                Ok(()) => {
                    if let Err(error) = self.remove(&self.file(feed)) {
                        tracing::warn!(%error, "a token that is in the keychain now stands in its file too");
                    }
                }
                Err(Kept::Not(why)) => tracing::info!(%why, "a token stays in its file"),
                Err(Kept::NoNote(error)) => tracing::warn!(%error, "a token stays in its file"),
            }
        }
        self.sweep();
    }

    /// Forgets a token: from now on nobody gets it. Its entry in the keychain goes with the next [`Secrets::settle`].
    ///
    /// # Errors
    /// If what is in the folder cannot be changed.
    pub fn forget(&self, feed: i64) -> Result<(), ApiError> {
        if let Some(name) = self.entry(feed)? {
            let (from, to) = (self.entry_file(feed), self.folder.join(name));
            fs::rename(&from, to.with_extension(FORGOTTEN)).map_err(|e| io_error(&from, &e))?;
        }
        self.remove(&self.file(feed))
    }

    /// Deletes from the keychain what was forgotten.
    fn sweep(&self) {
        let Ok(files) = fs::read_dir(&self.folder) else {
            return;
        };
        for path in files.flatten().map(|file| file.path()) {
            let is_forgotten = path.extension().is_some_and(|word| word == FORGOTTEN);
            let Some(name) = path.file_stem().filter(|_| is_forgotten) else {
                continue;
            };
            let name = name.to_string_lossy().into_owned();
            match self.ask(move |keychain| keychain.delete(&name)) {
                // If it stays it is looked for again, and found to be gone.
                Ok(()) => drop(self.remove(&path)),
                Err(why) => {
                    return tracing::info!(%why, "a forgotten token is still in the keychain");
                }
            }
        }
    }

    /// Puts a token into the keychain, and reads it back before anybody relies on it.
    fn to_keychain(&self, feed: i64, token: &str) -> Result<(), Kept> {
        let known = self.entry(feed).map_err(Kept::NoNote)?;
        let name = known.unwrap_or_else(|| {
            let id = ulid::Ulid::generate();
            format!("{}-{id}", self.purpose.entry)
        });
        let (entry, secret) = (name.clone(), token.to_owned());
        let put = move |keychain: &dyn Keychain| {
            keychain.put(&entry, &secret)?;
            match keychain.get(&entry)? {
                Some(kept) if kept == secret => Ok(()),
                _ => Err(KeychainError::Failed(
                    "it took a token and does not give it back".into(),
                )),
            }
        };
        self.ask(put).map_err(Kept::Not)?;
        self.write(&self.entry_file(feed), &name)
            .map_err(Kept::NoNote)
    }

    /// Calls the keychain on a thread of its own, and waits for it as long as patience lasts.
    fn ask<T: Send + 'static>(
        &self,
        call: impl FnOnce(&dyn Keychain) -> Result<T, KeychainError> + Send + 'static,
    ) -> Result<T, KeychainError> {
        let Some(keychain) = self.keychain.clone() else {
            return Err(KeychainError::Absent("this program uses none".into()));
        };
        if self.hangs.swap(true, Ordering::SeqCst) {
            let why = "it still waits for an answer to an earlier question";
            return Err(KeychainError::Locked(why.into()));
        }
        let hangs = Hanging(Arc::clone(&self.hangs));
        let (send, answer) = mpsc::sync_channel(1);
        let work = move || {
            // Also after a panic whoever waits finds the keychain free: locals go in reverse order.
            let (send, hangs) = (send, hangs);
            let answered = call(&*keychain);
            drop(hangs);
            // Too late: then nobody waits.
            let _ = send.send(answered);
        };
        let thread = thread::Builder::new().name("keychain".into());
        let started = thread.spawn(work);
        started.map_err(|e| KeychainError::Failed(format!("no thread to ask it: {e}")))?;
        match answer.recv_timeout(self.patience) {
            Ok(answered) => answered,
            Err(RecvTimeoutError::Timeout) => Err(KeychainError::Locked(format!(
                "no answer within {} s",
                self.patience.as_secs_f32()
            ))),
            Err(RecvTimeoutError::Disconnected) => {
                Err(KeychainError::Failed("it stopped in the middle".into()))
            }
        }
    }

    fn trouble(&self, what: &str, error: &KeychainError) -> ApiError {
        let Purpose {
            what: whose,
            again,
            settings,
            variable,
            ..
        } = self.purpose;
        let hint = match error {
            KeychainError::Absent(_) => format!(
                "Start the system's keychain and {again}, or give it anew in {settings} or by {variable}."
            ),
            KeychainError::Locked(_) => format!("Unlock the system's keychain, then {again}."),
            KeychainError::Failed(_) => {
                format!("Look at the system's keychain with its own program, then {again}.")
            }
        };
        ApiError::new(ErrorCode::Store, format!("{whose} {what}: {error}"), hint)
    }

    fn asking(&self) -> impl Drop + '_ {
        // Nothing in memory is guarded that a panic could leave in pieces.
        self.asking.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn file(&self, feed: i64) -> PathBuf {
        self.folder.join(feed.to_string())
    }

    fn entry_file(&self, feed: i64) -> PathBuf {
        self.file(feed).with_extension(NAMES_ENTRY)
    }

    /// The name of a feed's entry in the keychain.
    fn entry(&self, feed: i64) -> Result<Option<String>, ApiError> {
        let path = self.entry_file(feed);
        let name = match fs::File::open(&path).and_then(beginning) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            name => name.map_err(|e| io_error(&path, &e))?,
        };
        let plain = |name: &String| {
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        match plain(&name) {
            true => Ok(Some(name)),
            false => Err(ApiError::new(
                ErrorCode::Store,
                format!("{}: this names no entry of a keychain", path.display()),
                format!(
                    "Give {} again in {}, after deleting this file.",
                    self.purpose.what, self.purpose.settings
                ),
            )),
        }
    }

    /// The token in a feed's file.
    fn read(&self, feed: i64) -> Result<Option<String>, ApiError> {
        let path = self.file(feed);
        let file = match fs::File::open(&path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(io_error(&path, &e)),
            Ok(file) => file,
        };
        if let Some(others) = private::others(&file).map_err(|e| io_error(&path, &e))? {
            return Err(ApiError::new(
                ErrorCode::Store,
                format!("{}: others may read this token ({others})", path.display()),
                format!(
                    "For this file, {}; and consider the token as known.",
                    private::REMEDY
                ),
            ));
        }
        let text = beginning(file).map_err(|e| io_error(&path, &e))?;
        Ok(Some(text))
    }

    /// Writes a file that only its owner can read. Beside it, then renamed: a crash leaves the old one or the new one.
    fn write(&self, path: &Path, text: &str) -> Result<(), ApiError> {
        let failed = |e: io::Error| io_error(path, &e);
        fs::create_dir_all(&self.folder).map_err(failed)?;
        let aside = path.with_extension("new");
        self.remove(&aside)?;
        let mut file = private::create_new(&aside).map_err(failed)?;
        // Before anything stands in it: not every file system keeps others out. The name of an entry is no secret.
        let is_token = path.extension().is_none();
        if is_token && private::others(&file).map_err(failed)?.is_some() {
            drop(file);
            self.remove(&aside)?;
            return Err(ApiError::new(
                ErrorCode::Store,
                format!(
                    "{}: the token was not kept, because others could read this file, and no keychain answers",
                    path.display()
                ),
                format!(
                    "Start the system's keychain, choose a data folder on another disk, or give it by {}.",
                    self.purpose.variable
                ),
            ));
        }
        file.write_all(text.as_bytes()).map_err(failed)?;
        file.sync_all().map_err(failed)?;
        // Windows renames no file of which nobody else may have a handle.
        drop(file);
        fs::rename(&aside, path).map_err(failed)
    }

    fn remove(&self, path: &Path) -> Result<(), ApiError> {
        match fs::remove_file(path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(io_error(path, &e)),
            _ => Ok(()),
        }
    }
}

/// Why a token is not in the keychain.
enum Kept {
    Not(KeychainError),
    /// The folder cannot say which entry it is.
    NoNote(ApiError),
}

/// A call that is under way; also a panic ends it.
struct Hanging(Arc<AtomicBool>);

impl Drop for Hanging {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

/// Whether a text can be a token; an empty one says that there is none.
///
/// # Errors
/// If it is longer than [`TOKEN_BYTES_MAX`], or has characters that no header carries.
pub fn check(token: &str) -> Result<(), ApiError> {
    if token.len() > TOKEN_BYTES_MAX || !token.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(ApiError::new(
            ErrorCode::Rule,
            format!("a token has 1 to {TOKEN_BYTES_MAX} printable ASCII characters without blanks"),
            "Correct the value and try again.",
        ));
    }
    Ok(())
}

fn io_error(path: &Path, error: &io::Error) -> ApiError {
    crate::store_error(&ghostlight_store::StoreError::Io {
        path: path.to_owned(),
        detail: error.to_string(),
    })
}

/// The beginning of a file, as far as a token may reach.
fn beginning(file: fs::File) -> io::Result<String> {
    let mut text = String::new();
    file.take(TOKEN_BYTES_MAX as u64)
        .read_to_string(&mut text)?;
    // A tool that renews a token may leave a line end behind it.
    text.truncate(text.trim_end().len());
    Ok(text)
}

#[cfg(test)]
#[path = "secrets/tests.rs"]
mod tests;
