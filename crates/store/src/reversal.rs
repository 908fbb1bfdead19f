//! Undo, redo, and taking a merge back (SPEC E3): what they come to, why they do nothing, and the commits that do it.

use crate::{
    error::StoreError,
    history::{RELOAD, Tip, branches, declined, no_branch, no_version, stale, tip, write_reversal},
    open::Store,
    read,
    write::find_commit_by_key,
    writer::{Batch, Pending},
};
use ghostlight_model::{
    CommitId, Micros, PostingId,
    commit::{AuthorId, Commit},
    history::{Reversal, Stacks, Stuck, merge_above, redo, undo, unmerge},
};
use rusqlite::Connection;

/// What an author's undo and redo would do at one moment, or why they do nothing.
#[derive(Debug)]
pub struct Reversals {
    /// What the undo would do.
    pub undo: Result<Reversal, StoreError>,
    /// What the redo would do.
    pub redo: Result<Reversal, StoreError>,
    /// The merge that stands above what the undo would take back, if there is one.
    pub merge_above: Option<CommitId>,
}

/// A side of a merge, and what taking the merge back to it comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct UnmergeSide {
    /// The version.
    pub version: CommitId,
    /// What the version says of itself.
    pub commit: Commit,
    /// Other branches that have this version and not the merge: as a rule it came from there.
    pub branches: Vec<String>,
    /// What would change, or why nothing would.
    pub back: Result<Reversal, StoreError>,
}

/// What taking a merge back comes to, at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct UnmergePreview {
    /// Where the checked-out branch stands.
    pub head: CommitId,
    /// The sides, in order of their ids.
    pub sides: Vec<UnmergeSide>,
}

/// What became of an undo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undone {
    /// The commit that takes it back.
    Done(CommitId),
    /// Nothing: this merge stands above it.
    MergeAbove(CommitId),
}

/// Taking a merge back on the checked-out branch.
#[derive(Debug, Clone)]
pub struct UnmergeRequest {
    /// Of which posting.
    pub posting: PostingId,
    /// The merge.
    pub merge: CommitId,
    /// The side that is to stand.
    pub keep: CommitId,
    /// The head that was looked at; refused if it has moved. `None` takes it as it is.
    pub looked_at: Option<CommitId>,
    /// The person.
    pub author: AuthorId,
    /// Why.
    pub message: String,
    /// Made by the caller; the same key twice is one commit.
    pub key: String,
    /// When.
    pub now: Micros,
}

impl Store {
    /// What taking a merge back would do, by the side that is kept.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an unknown version, [`StoreError::Declined`] for one that is no merge.
    pub fn unmerge_preview(
        &self,
        posting: PostingId,
        merge: CommitId,
    ) -> Result<UnmergePreview, StoreError> {
        self.reading(|c| {
            let mut tip = tip(c, self.outlines(), posting)?;
            let branches = branches(c, posting)?;
            let Some(parents) = tip.dag.get(merge).map(|commit| commit.parents.clone()) else {
                return Ok(Err(no_version(merge)));
            };
            let mut sides = Vec::new();
            for version in parents {
                let back = back(c, &mut tip, (merge, version), "")?;
                tip.fill(c, [version])?;
                let Some(commit) = tip.dag.get(version).cloned() else {
                    return Ok(Err(no_version(version)));
                };
                let has = |head: CommitId| {
                    tip.dag.is_ancestor(version, head) && !tip.dag.is_ancestor(merge, head)
                };
                let others = branches.iter().filter(|b| !b.current && has(b.head));
                sides.push(UnmergeSide {
                    version,
                    commit,
                    branches: others.map(|branch| branch.name.clone()).collect(),
                    back,
                });
            }
            match (tip.head, sides.len()) {
                (Some(head), 2) => Ok(Ok(UnmergePreview { head, sides })),
                _ => Ok(Err(no_merge())),
            }
        })?
    }

    /// What an author's undo and redo would do, or why they do nothing.
    pub fn reversals(
        &self,
        posting: PostingId,
        author: &AuthorId,
    ) -> Result<Reversals, StoreError> {
        self.reading(|c| {
            let mut tip = tip(c, self.outlines(), posting)?;
            let stacks = tip.stacks(author);
            let undo = reversal(c, &mut tip, &stacks, false)?;
            let redo = reversal(c, &mut tip, &stacks, true)?;
            let merge_above = tip
                .head
                .and_then(|head| merge_above(&tip.dag, head, &stacks));
            Ok(Reversals {
                undo,
                redo,
                merge_above,
            })
        })
    }

    /// As [`Store::undo`], but does nothing if a merge stands above what it would take back.
    ///
    /// # Errors
    /// As [`Store::undo`].
    pub fn undo_to_merge(
        &self,
        posting: PostingId,
        by: (AuthorId, String, Micros),
    ) -> Pending<Undone> {
        self.writer().submit(move |batch| {
            let sqlite = |e: rusqlite::Error| StoreError::sqlite(batch.path, &e);
            let done = find_commit_by_key(batch, &by.1).map_err(sqlite)?;
            let tip = tip(batch.tx, batch.touched.outlines(), posting).map_err(sqlite)?;
            let above = tip.head.filter(|_| done.is_none());
            let above = above.and_then(|head| merge_above(&tip.dag, head, &tip.stacks(&by.0)));
            match above {
                Some(merge) => Ok(Undone::MergeAbove(merge)),
                None => reverse(batch, posting, by, false).map(Undone::Done),
            }
        })
    }

    /// Takes a merge back by a new commit: what it brought to the kept side goes.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an unknown version, [`StoreError::Declined`] if it is no merge of the checked-out
    /// branch, is taken back already, or with who changed which field since, [`StoreError::Stale`] if the head has moved.
    pub fn unmerge(&self, request: UnmergeRequest) -> Pending<CommitId> {
        self.writer().submit(move |batch| take_back(batch, request))
    }
}

fn take_back(batch: &mut Batch<'_>, request: UnmergeRequest) -> Result<CommitId, StoreError> {
    let path = batch.path;
    let sqlite = |e: rusqlite::Error| StoreError::sqlite(path, &e);
    if let Some(done) = find_commit_by_key(batch, &request.key).map_err(sqlite)? {
        return Ok(done);
    }
    let mut tip = tip(batch.tx, batch.touched.outlines(), request.posting).map_err(sqlite)?;
    let head = tip.head.ok_or_else(|| no_branch(&tip.branch))?;
    for version in [request.merge, request.keep] {
        tip.dag.get(version).ok_or_else(|| no_version(version))?;
    }
    if request.looked_at.is_some_and(|looked_at| looked_at != head) {
        return Err(stale());
    }
    let about = (request.merge, request.keep);
    let back = back(batch.tx, &mut tip, about, &request.message).map_err(sqlite)??;
    let by = (request.author, request.key, request.now);
    write_reversal(batch, &tip, request.posting, back, by)
}

/// What taking the merge back does, or the reason why it does nothing.
fn back(
    c: &Connection,
    tip: &mut Tip,
    about: (CommitId, CommitId),
    message: &str,
) -> rusqlite::Result<Result<Reversal, StoreError>> {
    let Some(head) = tip.head else {
        return Ok(Err(no_merge()));
    };
    let needs = tip.dag.needs_of_unmerge(head, about);
    tip.fill(c, needs)?;
    match unmerge(&tip.dag, head, about, message) {
        Ok(back) => Ok(Ok(back)),
        Err(why) => Ok(Err(stuck(c, why, "undo")?)),
    }
}

pub(crate) fn reverse(
    batch: &mut Batch<'_>,
    posting: PostingId,
    (author, key, now): (AuthorId, String, Micros),
    redoing: bool,
) -> Result<CommitId, StoreError> {
    let path = batch.path;
    let sqlite = |e: rusqlite::Error| StoreError::sqlite(path, &e);
    if let Some(done) = find_commit_by_key(batch, &key).map_err(sqlite)? {
        return Ok(done);
    }
    let mut tip = tip(batch.tx, batch.touched.outlines(), posting).map_err(sqlite)?;
    let stacks = tip.stacks(&author);
    let back = reversal(batch.tx, &mut tip, &stacks, redoing).map_err(sqlite)??;
    write_reversal(batch, &tip, posting, back, (author, key, now))
}

/// What undo or redo does, or the reason why it does nothing.
fn reversal(
    c: &Connection,
    tip: &mut Tip,
    stacks: &Stacks,
    redoing: bool,
) -> rusqlite::Result<Result<Reversal, StoreError>> {
    let word = if redoing { "redo" } else { "undo" };
    let Some(head) = tip.head else {
        return Ok(Err(nothing(word)));
    };
    let needs = tip.dag.needs_of_reversal(head, stacks, redoing);
    tip.fill(c, needs)?;
    let back = match redoing {
        true => redo(&tip.dag, head, stacks),
        false => undo(&tip.dag, head, stacks),
    };
    match back {
        Ok(back) => Ok(Ok(back)),
        Err(why) => Ok(Err(stuck(c, why, word)?)),
    }
}

/// Why nothing is undone or redone, in words.
fn stuck(c: &Connection, why: Stuck, word: &str) -> rusqlite::Result<StoreError> {
    let (field, by, at) = match why {
        Stuck::NothingToUndo | Stuck::NothingToRedo => return Ok(nothing(word)),
        Stuck::NoMerge => return Ok(no_merge()),
        Stuck::NoSide => {
            return Ok(declined(
                "this version is no side of that merge".into(),
                "Choose one of the two versions that were merged.",
            ));
        }
        Stuck::TakenBack => {
            return Ok(declined(
                "this merge is taken back already".into(),
                "To take it back to its other side, redo it first.",
            ));
        }
        Stuck::BroughtNothing => {
            return Ok(declined(
                "the merge changed no field of this side".into(),
                "Nothing has to be done.",
            ));
        }
        Stuck::ChangedSince {
            field, author, at, ..
        } => (field, author, at),
    };
    let name = read::person(c, &by.0)?.unwrap_or(by.0);
    let message = format!(
        "{} was changed since by {name}, on {} at {} UTC; the {word} would overwrite that",
        field.label(),
        at.day(),
        &at.to_rfc3339()[11..16],
    );
    Ok(declined(
        message,
        "Edit the field, or restore an earlier version, if that is what you want.",
    ))
}

fn no_merge() -> StoreError {
    declined(
        "this version is no merge of the checked-out branch".into(),
        "Choose a merge from the history. One that only moved the branch forward made no version of its own: \
         restore the version before it instead.",
    )
}

fn nothing(word: &str) -> StoreError {
    declined(format!("there is nothing of yours to {word}"), RELOAD)
}
