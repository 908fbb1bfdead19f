//! What is exported and imported (SPEC E4, I1).

use crate::export::ExportKind;
use ghostlight_model::{Micros, PostingId};
use serde::{Deserialize, Serialize};

/// Exports that are listed; the oldest that ended goes first.
pub const EXPORTS_MAX: usize = 20;

/// What an export would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportLook {
    /// A file name that says what is inside.
    pub name: String,
    /// All columns that there are to choose from; none for a bundle.
    pub known: Vec<String>,
    /// Rows, or postings of a bundle.
    pub rows: u64,
    /// Whether these are all of them. Else there are at least so many: counting them all takes longer than somebody who
    /// chooses waits, and the file is larger than is said.
    pub whole: bool,
    /// About how large it would be.
    pub bytes: u64,
    /// The columns.
    pub columns: Vec<String>,
    /// The first ten rows as text, long cells cut.
    pub first: Vec<Vec<String>>,
    /// The file's beginning, at most 64 KiB of it.
    pub text: String,
}

/// An export of this session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportRow {
    /// Its number.
    pub id: u64,
    /// What kind of file.
    pub kind: ExportKind,
    /// The file.
    pub path: String,
    /// How it stands.
    pub state: ExportState,
    /// Rows written; of a bundle under way bytes before they are packed, and then postings.
    pub rows: u64,
    /// Rows there will be, or such bytes.
    pub total: u64,
    /// Bytes written; of a bundle under way before they are packed.
    pub bytes: u64,
    /// When it began.
    pub began: Micros,
    /// When it ended.
    pub ended: Option<Micros>,
}

/// How an export stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExportState {
    /// Under way.
    Running,
    /// The file is there.
    Done,
    /// A person stopped it; nothing is left.
    Cancelled,
    /// It failed; nothing is left.
    Failed(crate::ApiError),
}

/// Imports that are listed; the oldest goes first.
pub const IMPORTS_MAX: usize = 20;

/// Postings that an import names; it counts the others.
pub const IMPORTED_LISTED_MAX: usize = 20;

/// A bundle that is taken over, or was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportRow {
    /// Its number.
    pub id: u64,
    /// The file.
    pub path: String,
    /// How it stands.
    pub state: ImportState,
    /// Pieces read: contents, captures, events, observations, versions …
    pub pieces: u64,
    /// Pieces that the bundle says it has.
    pub total: u64,
    /// When it began.
    pub began: Micros,
}

/// How an import stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ImportState {
    /// All of it is read and compared with its hashes; nothing is taken over yet.
    Verifying,
    /// It is sound and taken over.
    Taking,
    /// It is here.
    Done(Box<ImportDone>),
    /// A person stopped it; nothing was taken over.
    Cancelled,
    /// It was refused, naming the entry at fault, or could not be taken over; nothing was.
    Failed(crate::ApiError),
}

impl ImportState {
    /// Whether nothing more happens.
    pub fn has_ended(&self) -> bool {
        !matches!(self, ImportState::Verifying | ImportState::Taking)
    }
}

/// What an import did. What it counts was not here before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportDone {
    /// Postings of the bundle.
    pub postings: u64,
    /// Of them new.
    pub new_postings: u64,
    /// Captures.
    pub captures: u64,
    /// Events.
    pub events: u64,
    /// Observations.
    pub observations: u64,
    /// Versions.
    pub commits: u64,
    /// The first of its postings, those whose history went on in both places before the others.
    pub listed: Vec<ImportedPosting>,
}

/// A posting that came with a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportedPosting {
    /// Which.
    pub posting: PostingId,
    /// Its title.
    pub title: String,
    /// Branches for versions that came while the history went on here as well.
    pub branches: Vec<String>,
}
