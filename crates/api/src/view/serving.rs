//! Serving this folder's streams to other programs (SPEC J1).

use crate::ApiError;
use serde::{Deserialize, Serialize};

/// Whether other programs of this computer may connect, and how that stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServingView {
    /// Whether it is wanted.
    pub on: bool,
    /// The port that is wanted; 0 is any that is free.
    pub port: u16,
    /// Where it listens, as programs connect there; `None` while it does not.
    pub url: Option<String>,
    /// Connections that are open.
    pub connections: u32,
    /// The file with the tokens that are good, once there is one.
    pub tokens: Option<String>,
    /// What the last reading of that file came to, if it was changed.
    pub told: Option<String>,
    /// Why it does not listen though it is wanted, or what is wrong with the tokens.
    pub trouble: Option<ApiError>,
}
