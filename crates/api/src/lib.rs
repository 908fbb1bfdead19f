//! The edge between core and window (and later REST and GraphQL): commands, view queries, rows and
//! change messages, declared once.
//!
//! A command is a request type with a name and a reply type ([`Command`]); bodies live in `engine`.
//! Requests and replies travel as postcard. The window reads by *views*: it registers the
//! [`ViewQuery`]s it shows, the core pings it with the numbers of the dirty ones, and it pulls them
//! as [`ViewData`] (DESIGN *How data flows* 4).
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod command;
pub mod error;
pub mod export;
pub mod live;
pub mod view;

pub use command::{COMMANDS, Command};
pub use error::{ApiError, ErrorCode};
pub use view::{ViewData, ViewId, ViewQuery};

/// The bytes of a message. Postcard fails only on types it cannot hold, and ours it can.
pub fn encode<T: serde::Serialize>(message: &T) -> Result<Vec<u8>, ApiError> {
    postcard::to_stdvec(message).map_err(|e| ApiError::internal(format!("encoding a message: {e}")))
}

/// The message in `bytes`.
pub fn decode<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    postcard::from_bytes(bytes)
        .map_err(|e| ApiError::internal(format!("reading a message of {} bytes: {e}", bytes.len())))
}
