//! The one error shape of the edge: a code to act upon, a message, and what to do.

use ghostlight_model::sentence;
use serde::{Deserialize, Serialize};

/// What the screen receives when a command is refused or fails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    /// What kind of trouble; nobody matches on texts.
    pub code: ErrorCode,
    /// What happened, to what, in a sentence.
    pub message: String,
    /// What to do, in a sentence.
    pub hint: Option<String>,
}

/// Kinds of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The input cannot be read or is no posting.
    Input,
    /// The request breaks a rule of the field.
    Rule,
    /// It cannot be done as things stand: nothing to undo, a conflict, a name that is taken.
    Declined,
    /// What the caller looked at has changed since: reload.
    Stale,
    /// What was asked for is not there.
    NotFound,
    /// The store is locked, read-only, full, damaged or newer.
    Store,
    /// The network refused, timed out, or is not allowed to go there.
    Network,
    /// Too much is under way.
    Busy,
    /// This host cannot do it, for example open a file dialog on a server.
    Unsupported,
    /// A mistake of ours.
    Internal,
}

impl ApiError {
    /// An error with a hint; both become sentences, whatever library worded them.
    pub fn new(code: ErrorCode, message: impl AsRef<str>, hint: impl AsRef<str>) -> Self {
        Self {
            code,
            message: sentence(message.as_ref()),
            hint: Some(sentence(hint.as_ref())),
        }
    }

    /// A mistake of ours.
    pub fn internal(message: impl AsRef<str>) -> Self {
        Self::new(
            ErrorCode::Internal,
            message,
            "This is a fault in Ghostlight; your data is unchanged. Try again, and report it if it stays.",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_reads_as_sentences() {
        let error = ApiError::new(ErrorCode::Store, "the disk is full", "make room");
        assert_eq!(error.message, "The disk is full.");
        assert_eq!(error.hint.as_deref(), Some("Make room."));
    }
}
