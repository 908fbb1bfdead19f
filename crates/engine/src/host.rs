//! What the engine asks of its shell: time, names, and what only a window can do.

use crate::{notification::Notification, secrets::Keychain};
use ghostlight_api::{
    ApiError, ErrorCode,
    view::{Notice, Opened, Ping},
};
use ghostlight_model::Micros;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

/// The shell around the engine. A shell without a window declines with a typed reason.
pub trait Host: Send + Sync {
    /// Now, in UTC.
    fn now(&self) -> Micros {
        wall_clock()
    }

    /// A new unique name (a ULID), sortable by time.
    fn new_id(&self) -> String {
        ulid::Ulid::generate().to_string()
    }

    /// Tells the window that views changed.
    fn ping(&self, _ping: &Ping) {}

    /// Tells the window what to show.
    fn opened(&self, _opened: &Opened) {}

    /// Tells the window something worth a toast.
    fn notice(&self, _notice: &Notice) {}

    /// Whether it can show notifications outside the window.
    fn notifies(&self) -> bool {
        false
    }

    /// Gives the system a notification to show. Never waits for it.
    fn notify(&self, _notification: &Notification) {}

    /// Whether the window has the focus.
    fn is_focused(&self) -> bool {
        false
    }

    /// What the system keeps secrets in; without one they are kept in files. Not asked while this is called.
    fn keychain(&self) -> Option<Arc<dyn Keychain>> {
        None
    }

    /// Asks for files by the system's dialog; empty when it was dismissed.
    fn choose_files(&self) -> Result<Vec<PathBuf>, ApiError> {
        Err(declined("show a file dialog"))
    }

    /// Asks by the system's dialog for a bundle; `None` when it was dismissed.
    fn choose_bundle(&self) -> Result<Option<PathBuf>, ApiError> {
        Err(declined("show a file dialog"))
    }

    /// Asks by the system's dialog where a file is to be, beginning with `name`; `None` when it was dismissed.
    fn choose_target(&self, _name: &str) -> Result<Option<PathBuf>, ApiError> {
        Err(declined("show a file dialog"))
    }

    /// Shows a file in the system's file manager.
    fn reveal(&self, _path: &Path) -> Result<(), ApiError> {
        Err(declined("show a file manager"))
    }

    /// Opens a web page in the system's browser.
    fn open_external(&self, _url: &str) -> Result<(), ApiError> {
        Err(declined("open a web page"))
    }
}

/// The system's clock. One before 1970 counts as 1970.
pub fn wall_clock() -> Micros {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    Micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// Qualifier, organisation and application: both shells make the platform's data directory of
/// them, so that they share one data folder.
pub const PROJECT: (&str, &str, &str) = ("app", "Ghostlight", "Ghostlight");

/// A store's trouble as a toast.
pub(crate) fn trouble(title: &str, error: &ghostlight_store::StoreError) -> Notice {
    Notice {
        kind: "error".into(),
        title: title.into(),
        body: sentences(error),
    }
}

/// What happened to the store and what to do.
pub(crate) fn sentences(error: &ghostlight_store::StoreError) -> String {
    let error = crate::store_error(error);
    format!("{} {}", error.message, error.hint.unwrap_or_default())
}

/// A refused input as a toast.
pub(crate) fn refusal(error: &ApiError) -> Notice {
    Notice {
        kind: "error".into(),
        title: error.message.clone(),
        body: error.hint.clone().unwrap_or_default(),
    }
}

pub(crate) fn declined(what: &str) -> ApiError {
    ApiError::new(
        ErrorCode::Unsupported,
        format!("Ghostlight cannot {what} here."),
        "Use the application's window for this.",
    )
}
