//! A posting's history: its versions, branches, merges, and what undo and redo would do (SPEC E1 to E3).

use ghostlight_model::{CommitId, Confidence, FieldKey, FieldValue, Micros, Source};
use serde::{Deserialize, Serialize};

/// Which versions a timeline shows; the default is all.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct TimelineFilter {
    /// Only those that change this field.
    pub field: Option<FieldKey>,
    /// Only by this author, as [`VersionRow::author_id`] names them.
    pub author: Option<String>,
    /// Only with a change by this source.
    pub source: Option<Source>,
    /// Only from this instant on.
    pub from: Option<Micros>,
    /// Only before this instant.
    pub before: Option<Micros>,
    /// Only what is on this branch.
    pub branch: Option<String>,
}

/// What a posting's timeline can be narrowed by: who and what there is in it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TimelinePartsView {
    /// Fields that any version changes, in the order of the card, a person's own last; at most [`PARTS_MAX`].
    pub fields: Vec<FieldKey>,
    /// Authors, by id; at most [`PARTS_MAX`].
    pub authors: Vec<AuthorRow>,
    /// How many fields and authors there are beyond these; they are found by the command line's `log`.
    pub more: u32,
}

/// Fields, and authors, that a [`TimelinePartsView`] names at most: more are no choice that a person makes from a list.
pub const PARTS_MAX: usize = 200;

/// Somebody who changed something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorRow {
    /// As [`VersionRow::author_id`].
    pub id: String,
    /// By name where known.
    pub name: String,
}

/// A version in the timeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VersionRow {
    /// The commit.
    pub id: CommitId,
    /// What it follows; two of a merge.
    pub parents: Vec<CommitId>,
    /// Branches that stand here.
    pub branches: Vec<String>,
    /// Who, as an opaque id.
    pub author_id: String,
    /// Who, by name where known.
    pub author: String,
    /// Whether a person, and not the pipeline or a merge that nobody had to decide about.
    pub by_person: bool,
    /// When.
    pub at: Micros,
    /// Why.
    pub message: String,
    /// `edit`, `run`, `merge`, `undo`, `redo` or `restore`.
    pub kind: String,
    /// The commit that was undone, redone or restored.
    pub about: Option<CommitId>,
    /// What changed; with a field in the filter that field alone.
    pub changes: Vec<ChangeRow>,
    /// Fields that were in conflict and whose value the author decided.
    pub settled: Vec<FieldKey>,
}

/// A field's change in the timeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChangeRow {
    /// Which field.
    pub field: FieldKey,
    /// What it was, at most 120 characters of it; empty for nothing.
    pub old: String,
    /// What it is, likewise.
    pub new: String,
    /// How sure.
    pub confidence: Confidence,
    /// Who says so.
    pub source: Source,
}

/// A posting's branches, and what undo and redo would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BranchesView {
    /// By name; empty while there is no version.
    pub branches: Vec<BranchRow>,
    /// What undo would do.
    pub undo: ReversalView,
    /// What redo would do.
    pub redo: ReversalView,
    /// The merge that stands above what undo would take back, if there is one.
    pub merge_above: Option<CommitId>,
}

/// A branch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BranchRow {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub head: CommitId,
    /// When that was made.
    pub updated: Micros,
    /// By whom, by name where known.
    pub author: String,
    /// Whether it is checked out.
    pub current: bool,
}

/// What undo or redo would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum ReversalView {
    /// It would change these fields.
    Ready(Vec<ChangeRow>),
    /// It would do nothing; why.
    No(crate::ApiError),
}

/// What merging comes to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MergeView {
    /// The checked-out branch.
    pub ours: BranchRow,
    /// The branch to merge.
    pub theirs: BranchRow,
    /// What kind of merge it is.
    pub kind: MergeKind,
    /// Fields that are settled by rule, and what they become.
    pub settled: Vec<(FieldKey, Option<FieldValue>)>,
    /// Fields that somebody has to decide about.
    pub conflicts: Vec<ConflictRow>,
}

/// What taking a merge back comes to, at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UnmergeView {
    /// Where the checked-out branch stands.
    pub head: CommitId,
    /// Both sides, the one that went on first.
    pub sides: Vec<UnmergeSide>,
}

/// A side of a merge, and what taking the merge back to it would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UnmergeSide {
    /// The version.
    pub version: CommitId,
    /// By whom, by name where known.
    pub author: String,
    /// When.
    pub at: Micros,
    /// Other branches that have this version and not the merge: as a rule it came from there.
    pub branches: Vec<String>,
    /// What would change.
    pub back: ReversalView,
}

impl UnmergeSide {
    /// The side that went on, of both: the one that no other branch has. `None` if that says nothing.
    pub fn own(sides: &[Self]) -> Option<CommitId> {
        let mut own = sides.iter().filter(|side| side.branches.is_empty());
        match (own.next(), own.next()) {
            (Some(one), None) => Some(one.version),
            _ => None,
        }
    }
}

/// What kind of merge it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum MergeKind {
    /// Theirs is in ours already: there is nothing to merge.
    Nothing,
    /// Ours is in theirs: the branch only moves forward.
    Forward,
    /// Both went on: a commit joins them.
    Join,
}

/// A field in conflict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConflictRow {
    /// Which field.
    pub field: FieldKey,
    /// What it was in each common ancestor.
    pub bases: Vec<Option<FieldValue>>,
    /// What it is on the checked-out branch; `None` if nothing stands there.
    pub ours: Option<SaidView>,
    /// What it is on the other branch.
    pub theirs: Option<SaidView>,
}

/// A value with who said it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SaidView {
    /// The value.
    pub value: FieldValue,
    /// How sure.
    pub confidence: Confidence,
    /// Who says so.
    pub source: Source,
    /// By name where known.
    pub author: String,
    /// When.
    pub at: Micros,
}

/// A field in which two versions differ.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DifferenceRow {
    /// Which field.
    pub field: FieldKey,
    /// What stands in the one; `None` if nothing does.
    pub before: Option<SaidView>,
    /// What stands in the other.
    pub after: Option<SaidView>,
}
