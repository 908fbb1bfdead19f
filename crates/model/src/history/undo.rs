//! Undo and redo: new commits, by author, read from the log alone (SPEC E3).
//!
//! What an author can undo are their edits and restores in the order of the line; an undo takes the
//! latest, a redo does again what was undone last, and an edit ends what could be redone.
//!
//! A merge is the same from both sides, so it is nobody's and does not say which side went on: who takes it back names
//! the side that is to stand ([`unmerge`]). From then on it is theirs to redo and to undo like an edit.

use super::{
    Claim, change_to,
    compare::{back_to, compare},
    dag::Dag,
};
use crate::{
    card::Committed,
    commit::{AuthorId, Commit, FieldChange, Purpose},
    ids::CommitId,
    time::Micros,
    value::{FieldKey, FieldValue},
};
use std::collections::BTreeSet;

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
    /// This is no merge before the version.
    NoMerge,
    /// This is no side of the merge.
    NoSide,
    /// The merge is taken back already.
    TakenBack,
    /// The merge changed nothing of this side.
    BroughtNothing,
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

/// The latest merge at `head` that stands above what the author of `stacks` would undo: an undo reaches past it. `None` if
/// there is none, so above all if a merge that they took back and did again is itself what is undone next.
pub fn merge_above(dag: &Dag, head: CommitId, stacks: &Stacks) -> Option<CommitId> {
    let target = stacks.undo.last().copied();
    let line = dag.line(&[head]);
    // When that was done, or done again.
    let done = target.and_then(|target| {
        let does =
            |(id, c): &&(CommitId, &Commit)| *id == target || c.purpose == Purpose::Redo(target);
        line.iter().rev().find(does).map(|(id, _)| *id)
    });
    let mut taken_back = BTreeSet::new();
    let mut done_again = BTreeSet::new();
    for (id, commit) in line.iter().rev() {
        match commit.purpose {
            Purpose::Undo(merge) if !done_again.contains(&merge) => {
                taken_back.insert(merge);
            }
            Purpose::Redo(merge) if !taken_back.contains(&merge) => {
                done_again.insert(merge);
            }
            // One of another branch, merged in since, may be beside what was done.
            Purpose::Merge
                if !taken_back.contains(id)
                    && done.is_none_or(|done| dag.is_ancestor(done, *id)) =>
            {
                return Some(*id);
            }
            _ => {}
        }
        if done == Some(*id) {
            return None;
        }
    }
    None
}

/// A commit stands in a stack once; as a rule near its end.
fn take_out(stack: &mut Vec<CommitId>, id: CommitId) {
    if let Some(place) = stack.iter().rposition(|known| *known == id) {
        stack.remove(place);
    }
}

/// Takes back the latest commit that its author, whose `stacks` at `head` these are, has not taken back.
///
/// # Errors
/// [`Stuck`], with who changed which field since.
pub fn undo(dag: &Dag, head: CommitId, stacks: &Stacks) -> Result<Reversal, Stuck> {
    let (target, commit) = named(dag, stacks.undo.last()).ok_or(Stuck::NothingToUndo)?;
    let is_its = |purpose: Purpose| purpose == Purpose::Redo(target);
    let line = dag.line(&[head]);
    let latest = latest_of(&line, (target, commit), is_its);
    let fields = meant(dag, commit, latest);
    let now = unchanged(dag, (head, &line), &fields, latest)?;
    // A merge has two parents; it was done again here, and what stood before that is what is meant.
    let before = match commit.purpose {
        Purpose::Merge => dag.state(&latest.1.parents),
        _ => dag.state(&commit.parents),
    };
    let changes = commit.changes.iter().filter(|c| fields.contains(&c.field));
    let changes = changes.map(|change| match change.field {
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

/// Does again what was undone last, by the author whose `stacks` at `head` these are.
///
/// # Errors
/// As [`undo`].
pub fn redo(dag: &Dag, head: CommitId, stacks: &Stacks) -> Result<Reversal, Stuck> {
    let (target, commit) = named(dag, stacks.redo.last()).ok_or(Stuck::NothingToRedo)?;
    let is_its = |purpose: Purpose| purpose == Purpose::Undo(target);
    let line = dag.line(&[head]);
    let latest = latest_of(&line, (target, commit), is_its);
    let fields = meant(dag, commit, latest);
    let now = unchanged(dag, (head, &line), &fields, latest)?;
    let changes = commit.changes.iter().filter(|c| fields.contains(&c.field));
    let changes = changes.map(|change| FieldChange {
        old: match change.field {
            FieldKey::Outcome => None,
            _ => value(&now, &change.field),
        },
        ..change.clone()
    });
    let changes: Vec<FieldChange> = changes.collect();
    Ok(Reversal {
        purpose: Purpose::Redo(target),
        // Notes of verdicts and outcomes are messages; that of a merged verdict is one of its sides'.
        message: match commit.purpose {
            Purpose::Merge => note(&changes, &dag.state(&[target])).unwrap_or_default(),
            _ => commit.message.clone(),
        },
        changes,
    })
}

/// Takes back what a merge brought to `keep`, one of its sides: each field that it changed there holds at `head` what it
/// held on that side. Outcomes stay, and so does what only the other side's history tells.
///
/// # Errors
/// [`Stuck`], with who changed which of these fields since.
pub fn unmerge(
    dag: &Dag,
    head: CommitId,
    (merge, keep): (CommitId, CommitId),
    message: &str,
) -> Result<Reversal, Stuck> {
    let commit = merge_before(dag, head, merge).ok_or(Stuck::NoMerge)?;
    if !commit.parents.contains(&keep) {
        return Err(Stuck::NoSide);
    }
    let line = dag.line(&[head]);
    let last = line.iter().rev().find(|(_, c)| reverses(c.purpose, merge));
    if last.is_some_and(|(_, c)| c.purpose == Purpose::Undo(merge)) {
        return Err(Stuck::TakenBack);
    }
    let kept = dag.state(&[keep]);
    let brought: BTreeSet<FieldKey> = compare(&kept, &dag.state(&[merge]))
        .into_iter()
        .map(|difference| difference.field)
        .collect();
    if brought.is_empty() {
        return Err(Stuck::BroughtNothing);
    }
    let now = dag.state(&[head]);
    // Where it was done again, a field stands as it did then; what was never taken back, as the merge left it.
    let again = last.map(|(id, _)| (dag.touches(*id), dag.state(&[*id])));
    let is_again = |field: &FieldKey| {
        let touched = again.as_ref().map(|(touches, _)| touches.iter());
        touched.is_some_and(|mut touched| touched.any(|touch| touch.0 == *field))
    };
    let (redone, left): (Vec<_>, Vec<_>) = brought.iter().partition(|field| is_again(field));
    same_since(&line, left.into_iter(), (&dag.state(&[merge]), &now))?;
    if let Some((_, then)) = &again {
        same_since(&line, redone.into_iter(), (then, &now))?;
    }
    let mut differences = compare(&now, &kept);
    differences.retain(|difference| brought.contains(&difference.field));
    let changes = back_to(&line, differences);
    Ok(Reversal {
        purpose: Purpose::Undo(merge),
        message: note(&changes, &kept).unwrap_or_else(|| message.to_owned()),
        changes,
    })
}

/// The merge, if it is one and before `head`.
pub(super) fn merge_before(dag: &Dag, head: CommitId, merge: CommitId) -> Option<&Commit> {
    let commit = dag.get(merge)?;
    let is = commit.purpose == Purpose::Merge && dag.is_ancestor(merge, head);
    is.then_some(commit)
}

/// Whether it takes this commit back, or does it again.
pub(super) fn reverses(purpose: Purpose, id: CommitId) -> bool {
    purpose == Purpose::Undo(id) || purpose == Purpose::Redo(id)
}

fn named<'a>(dag: &'a Dag, id: Option<&CommitId>) -> Option<(CommitId, &'a Commit)> {
    id.and_then(|id| Some((*id, dag.get(*id)?)))
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

/// The latest of the commit itself and of those that are `its`.
fn latest_of<'a>(
    line: &[(CommitId, &'a Commit)],
    target: (CommitId, &'a Commit),
    is_its: impl Fn(Purpose) -> bool,
) -> (CommitId, &'a Commit) {
    let its = |(id, other): &&(CommitId, &Commit)| *id == target.0 || is_its(other.purpose);
    line.iter().rev().find(its).copied().unwrap_or(target)
}

/// The fields that are changed back or again: those of the commit. Of a merge only what was changed when it was taken
/// back or done again last: the rest of it was never touched.
fn meant(dag: &Dag, commit: &Commit, (latest, _): (CommitId, &Commit)) -> BTreeSet<FieldKey> {
    match commit.purpose {
        Purpose::Merge => {
            let touches = dag.touches(latest);
            touches.iter().map(|touch| touch.0.clone()).collect()
        }
        _ => {
            let fields = commit.changes.iter();
            fields.map(|change| change.field.clone()).collect()
        }
    }
}

/// The state at `head`, if what stands in the fields is the same as after `latest`, the last time that the commit was
/// done or taken back.
fn unchanged(
    dag: &Dag,
    (head, line): (CommitId, &[(CommitId, &Commit)]),
    fields: &BTreeSet<FieldKey>,
    (latest, _): (CommitId, &Commit),
) -> Result<Committed, Stuck> {
    let (then, now) = (dag.state(&[latest]), dag.state(&[head]));
    same_since(line, fields.iter(), (&then, &now))?;
    Ok(now)
}

/// Whether the same stands in these fields then and now.
fn same_since<'a>(
    line: &[(CommitId, &Commit)],
    fields: impl Iterator<Item = &'a FieldKey>,
    (then, now): (&Committed, &Committed),
) -> Result<(), Stuck> {
    for field in fields.filter(|field| **field != FieldKey::Outcome) {
        let claim = |state: &Committed| {
            let standing = state.values.get(field);
            standing.map(|s| (s.value.clone(), s.source))
        };
        let same = claim(then) == claim(now)
            && (*field != FieldKey::Verdict || then.verdict == now.verdict);
        if same {
            continue;
        }
        let changed =
            |(_, other): &&(CommitId, &Commit)| other.changes.iter().any(|c| c.field == *field);
        if let Some((id, other)) = line.iter().rev().find(changed) {
            return Err(Stuck::ChangedSince {
                field: field.clone(),
                author: other.author.clone(),
                at: other.clock.wall,
                commit: *id,
            });
        }
    }
    Ok(())
}
