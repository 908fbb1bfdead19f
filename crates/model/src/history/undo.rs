//! Undo and redo: new commits, by author, read from the log alone (SPEC E3).
//!
//! What an author can undo are their edits and restores in the order of the line; an undo takes the
//! latest, a redo does again what was undone last, and an edit ends what could be redone.

use super::{Claim, change_to, dag::Dag};
use crate::{
    card::Committed,
    commit::{AuthorId, Commit, FieldChange, Purpose},
    ids::CommitId,
    time::Micros,
    value::{FieldKey, FieldValue},
};

/// What an author can undo and redo, the next last.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stacks {
    /// Commits to undo.
    pub undo: Vec<CommitId>,
    /// Commits to redo.
    pub redo: Vec<CommitId>,
}

/// What a new commit has to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Reversal {
    /// For the commit.
    pub purpose: Purpose,
    /// For the commit; a verdict's note, else empty.
    pub message: String,
    /// For the commit.
    pub changes: Vec<FieldChange>,
}

/// Why nothing is undone or redone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stuck {
    /// There is nothing to undo.
    NothingToUndo,
    /// There is nothing to redo.
    NothingToRedo,
    /// The field was changed since, by somebody else or on another branch.
    ChangedSince {
        /// Which field.
        field: FieldKey,
        /// Who changed it.
        author: AuthorId,
        /// When.
        at: Micros,
        /// By which commit.
        commit: CommitId,
    },
}

/// What `author` can undo and redo at `head`.
pub fn stacks(dag: &Dag, head: CommitId, author: &AuthorId) -> Stacks {
    let mut stacks = Stacks::default();
    for (id, commit) in dag.line(&[head]) {
        if commit.author != *author {
            continue;
        }
        match commit.purpose {
            Purpose::Plain | Purpose::Restore(_) => {
                stacks.undo.push(id);
                stacks.redo.clear();
            }
            Purpose::Undo(done) => {
                take_out(&mut stacks.undo, done);
                take_out(&mut stacks.redo, done);
                stacks.redo.push(done);
            }
            Purpose::Redo(done) => {
                take_out(&mut stacks.redo, done);
                take_out(&mut stacks.undo, done);
                stacks.undo.push(done);
            }
            Purpose::Merge => {}
        }
    }
    stacks
}

/// A commit stands in a stack once; as a rule near its end.
fn take_out(stack: &mut Vec<CommitId>, id: CommitId) {
    if let Some(place) = stack.iter().rposition(|known| *known == id) {
        stack.remove(place);
    }
}

/// Takes back the latest of `author`'s commits that is not taken back.
///
/// # Errors
/// [`Stuck`], with who changed which field since.
pub fn undo(dag: &Dag, head: CommitId, author: &AuthorId) -> Result<Reversal, Stuck> {
    let target = stacks(dag, head, author).undo.pop();
    let (target, commit) = named(dag, target).ok_or(Stuck::NothingToUndo)?;
    let is_its = |purpose: Purpose| purpose == Purpose::Redo(target);
    let now = unchanged(dag, head, (target, commit), is_its)?;
    let before = dag.state(&commit.parents);
    let changes = commit.changes.iter().map(|change| match change.field {
        FieldKey::Outcome => FieldChange {
            old: change.new.clone(),
            new: None,
            ..change.clone()
        },
        _ => {
            let standing = before.values.get(&change.field);
            change_to(
                &change.field,
                value(&now, &change.field),
                standing.map(Claim::of),
            )
        }
    });
    let changes: Vec<FieldChange> = changes.collect();
    Ok(Reversal {
        purpose: Purpose::Undo(target),
        message: note(&changes, &before).unwrap_or_default(),
        changes,
    })
}

/// Does again what `author` undid last.
///
/// # Errors
/// As [`undo`].
pub fn redo(dag: &Dag, head: CommitId, author: &AuthorId) -> Result<Reversal, Stuck> {
    let target = stacks(dag, head, author).redo.pop();
    let (target, commit) = named(dag, target).ok_or(Stuck::NothingToRedo)?;
    let is_its = |purpose: Purpose| purpose == Purpose::Undo(target);
    let now = unchanged(dag, head, (target, commit), is_its)?;
    let changes = commit.changes.iter().map(|change| FieldChange {
        old: match change.field {
            FieldKey::Outcome => None,
            _ => value(&now, &change.field),
        },
        ..change.clone()
    });
    Ok(Reversal {
        purpose: Purpose::Redo(target),
        // Notes of verdicts and outcomes are messages.
        message: commit.message.clone(),
        changes: changes.collect(),
    })
}

fn named(dag: &Dag, id: Option<CommitId>) -> Option<(CommitId, &Commit)> {
    id.and_then(|id| Some((id, dag.get(id)?)))
}

fn value(state: &Committed, field: &FieldKey) -> Option<FieldValue> {
    state.values.get(field).map(|s| s.value.clone())
}

/// The note of the verdict that `changes` bring back.
pub(super) fn note(changes: &[FieldChange], state: &Committed) -> Option<String> {
    let verdict = changes.iter().find(|c| c.field == FieldKey::Verdict)?;
    verdict.new.as_ref()?;
    state.verdict.as_ref().map(|verdict| verdict.note.clone())
}

/// The state at `head`, if the last to change each of the commit's fields was the commit itself, or
/// one that `is_its`; or what stands is the same as after those.
fn unchanged(
    dag: &Dag,
    head: CommitId,
    (target, commit): (CommitId, &Commit),
    is_its: impl Fn(Purpose) -> bool,
) -> Result<Committed, Stuck> {
    let line = dag.line(&[head]);
    let its = |(id, other): &&(CommitId, &Commit)| *id == target || is_its(other.purpose);
    let latest = line.iter().rev().find(its).map(|(id, _)| *id);
    let then = dag.state(&latest.into_iter().collect::<Vec<_>>());
    let now = dag.state(&[head]);
    for change in commit
        .changes
        .iter()
        .filter(|c| c.field != FieldKey::Outcome)
    {
        let claim = |state: &Committed| {
            let standing = state.values.get(&change.field);
            standing.map(|s| (s.value.clone(), s.source))
        };
        let verdict = |state: &Committed| state.verdict.clone();
        let same = claim(&then) == claim(&now)
            && (change.field != FieldKey::Verdict || verdict(&then) == verdict(&now));
        if same {
            continue;
        }
        let changed = |(_, other): &&(CommitId, &Commit)| {
            other.changes.iter().any(|c| c.field == change.field)
        };
        if let Some((id, other)) = line.iter().rev().find(changed) {
            return Err(Stuck::ChangedSince {
                field: change.field.clone(),
                author: other.author.clone(),
                at: other.clock.wall,
                commit: *id,
            });
        }
    }
    Ok(now)
}
