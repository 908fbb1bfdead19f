//! The one error shape of the edge: a code to act upon, a message, and what to do.

use serde::{Deserialize, Serialize};

/// What the screen receives when a command is refused or fails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    /// What kind of trouble; nobody matches on texts.
    pub code: ErrorCode,
    /// What happened, to what.
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
    /// An error with a hint.
    pub fn new(code: ErrorCode, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            hint: Some(hint.into()),
        }
    }

    /// A mistake of ours.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(
            ErrorCode::Internal,
            message,
            "This is a fault in Ghostlight; your data is unchanged. Try again, and report it if it stays.",
        )
    }
}
