//! Why an input gives no document.

/// Why no document could be made; nothing is lost, the bytes stay with the caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotReadable {
    /// No bytes, or only blanks.
    #[error("the input is empty")]
    Empty,
    /// Bytes that are no text.
    #[error("the input is {kind}, not text")]
    Binary {
        /// What it looks like.
        kind: String,
    },
    /// JSON of an unknown shape.
    #[error("{reason}")]
    UnknownJson {
        /// What was seen and what was expected.
        reason: String,
    },
}
