//! What the command bar finds.

use super::Subject;
use ghostlight_model::Micros;
use serde::{Deserialize, Serialize};

/// Postings, and as many runs, that an answer to [`super::ViewQuery::Find`] holds at most.
pub const FOUND_MAX: usize = 20;

/// What answers a few typed words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundView {
    /// The postings, then the runs, each the best first.
    pub rows: Vec<FoundRow>,
    /// Whether older postings or runs were looked at by their beginnings only, or not at all.
    pub partly: bool,
}

/// A posting or a run that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundRow {
    /// Which.
    pub subject: Subject,
    /// A posting's title, or a run's name.
    pub title: String,
    /// Employer and place, or where the run is from; may be empty.
    pub detail: String,
    /// Latest activity, or when the run began.
    pub at: Micros,
    /// How well it answers, as [`ghostlight_model::fuzzy::Wanted::score`] says.
    pub score: u32,
}
