//! What an export is asked for.

use ghostlight_model::export::{Filter, Format, What};
use serde::{Deserialize, Serialize};

/// What a person wants to take away.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ExportForm {
    /// As what kind of file.
    pub kind: ExportKind,
    /// Which rows; [`Filter::stray`] says which parts do not fit.
    pub filter: Filter,
    /// Columns by name, in this order; all if there is none. Nothing for a bundle.
    pub fields: Vec<String>,
    /// At most so many rows.
    pub limit: Option<u64>,
    /// CSV: whether a mark at the beginning tells Excel that it is UTF-8.
    pub bom: bool,
    /// CSV: whether text that a spreadsheet could run gets an apostrophe.
    pub guard: bool,
}

/// What kind of file an export makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ExportKind {
    /// A table.
    Table(What, Format),
    /// Postings with everything that is known of them, for another Ghostlight.
    Bundle,
}
