//! The model that is set up (SPEC A2).

use super::TokenPlace;
use ghostlight_model::Amount;
use serde::{Deserialize, Serialize};

/// What stands in the settings of the model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelView {
    /// Where it answers; empty if none is set up.
    pub url: String,
    /// Its server's name for it.
    pub name: String,
    /// Where its key is.
    pub key: TokenPlace,
    /// How long a question may take, in seconds.
    pub timeout_s: u16,
    /// What a million tokens of questions cost, in a currency of one's own choosing.
    pub price_in: Option<Amount>,
    /// What a million tokens of answers cost, in the same.
    pub price_out: Option<Amount>,
    /// The model that is used, with its address, where the environment or the command line say so; else `None`.
    pub instead: Option<String>,
    /// Why no model is used or none can be, in a sentence.
    pub unused: Option<String>,
}
