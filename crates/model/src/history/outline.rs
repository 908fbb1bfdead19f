//! A long history without its bodies: where each commit stands and which fields it changes, and which of the bodies
//! an answer needs.
//!
//! With those filled in ([`Dag::fill`]) the same code gives the same answer as with all of them: a fold lets the last
//! change of a field stand, looks for who said it before only where a merge, an undo, a redo or a restore brought it
//! back, and a commit without changes takes no part in it. The property tests of this module hold it to that.

use super::{
    dag::Dag,
    undo::{self, Stacks},
};
use crate::{
    commit::{AuthorId, Clock, Commit, FieldChange, Purpose},
    ids::{CommitId, PostingId},
    observation::Source,
    value::FieldKey,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A commit without what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// As in the commit.
    pub parents: Vec<CommitId>,
    /// As in the commit.
    pub author: AuthorId,
    /// As in the commit.
    pub clock: Clock,
    /// As in the commit.
    pub purpose: Purpose,
    /// What it changes, in the order of its changes.
    pub touches: Vec<Touch>,
}

/// That a field is changed: which, by whom, and a hash of the new value, `None` if it is withdrawn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Touch(pub FieldKey, pub Source, pub Option<u64>);

impl Touch {
    /// Of these changes.
    pub fn of(changes: &[FieldChange]) -> Vec<Self> {
        let touch =
            |c: &FieldChange| Self(c.field.clone(), c.source, c.new.as_ref().map(|v| v.tag()));
        changes.iter().map(touch).collect()
    }
}

impl Outline {
    /// Of this commit.
    pub fn of(commit: &Commit) -> Self {
        Self {
            parents: commit.parents.clone(),
            author: commit.author.clone(),
            clock: commit.clock,
            purpose: commit.purpose,
            touches: Touch::of(&commit.changes),
        }
    }

    /// As a commit that says nothing, and what it would change.
    pub(super) fn into_parts(self, posting: PostingId) -> (Commit, Vec<Touch>) {
        let commit = Commit {
            posting,
            parents: self.parents,
            author: self.author,
            clock: self.clock,
            message: String::new(),
            changes: Vec::new(),
            purpose: self.purpose,
            settled: Vec::new(),
        };
        (commit, self.touches)
    }
}

/// Which part of a version is asked for.
#[derive(Clone, Copy)]
struct Part<'a> {
    /// Only these fields, where not all.
    fields: Option<&'a BTreeSet<FieldKey>>,
    /// Every outcome.
    outcomes: bool,
    /// The verdict's note.
    note: bool,
}

impl Part<'_> {
    const ALL: Self = Self {
        fields: None,
        outcomes: true,
        note: true,
    };
    /// What stands in the fields.
    const VALUES: Self = Self {
        fields: None,
        outcomes: false,
        note: false,
    };
}

/// Which bodies are needed, by question. A superset never hurts.
impl Dag {
    /// For [`Dag::state`] of a version: the last change of each field, every outcome, and where the last word on a
    /// field repeats an earlier one, that one as far back as it was said first hand.
    pub fn needs_of_state(&self, version: CommitId) -> BTreeSet<CommitId> {
        self.needs_of_part(version, Part::ALL)
    }

    /// For [`super::compare`] of a version with another: what [`Dag::state`] says of its values.
    pub fn needs_of_values(&self, version: CommitId) -> BTreeSet<CommitId> {
        self.needs_of_part(version, Part::VALUES)
    }

    /// For a fold of these commits of this history, parents before children.
    pub fn needs_of(&self, line: &[(CommitId, &Commit)]) -> BTreeSet<CommitId> {
        let places = line.iter().rev().filter_map(|(id, _)| self.place(*id));
        self.needs_at(places, Part::ALL)
    }

    fn needs_of_part(&self, version: CommitId, part: Part<'_>) -> BTreeSet<CommitId> {
        self.needs_at(latest_first(&self.marked(&[version])), part)
    }

    /// Of commits at these places, children before parents.
    fn needs_at(&self, places: impl Iterator<Item = usize>, part: Part<'_>) -> BTreeSet<CommitId> {
        let mut needs = BTreeSet::new();
        let mut fields: BTreeMap<FieldKey, Sought> = BTreeMap::new();
        for place in places {
            let plain = self.commit_at(place).purpose.is_plain();
            for touch in self.touches_at(place).iter() {
                let needed = match fields.get_mut(&touch.0) {
                    _ if part.fields.is_some_and(|only| !only.contains(&touch.0)) => false,
                    _ if touch.0 == FieldKey::Outcome => part.outcomes,
                    Some(sought) => sought.meets(touch, plain),
                    None => {
                        let sought = Sought::behind(touch, plain, part.note);
                        fields.insert(touch.0.clone(), sought);
                        true
                    }
                };
                if needed {
                    needs.insert(self.id_at(place));
                }
            }
        }
        needs
    }

    /// For [`super::merge`] of two versions: what stands in theirs and their common ancestors' fields, and what either
    /// changed since.
    pub fn needs_of_merge(&self, a: CommitId, b: CommitId) -> BTreeSet<CommitId> {
        let of_each = [self.marked(&[a]), self.marked(&[b])];
        let is_in = |version: CommitId, other: &[bool]| {
            self.place(version).is_some_and(|place| other[place])
        };
        if a == b || is_in(a, &of_each[1]) || is_in(b, &of_each[0]) {
            return BTreeSet::new();
        }
        let bases = self.merge_bases(a, b);
        let of_bases: Vec<_> = bases.iter().map(|base| self.marked(&[*base])).collect();
        let since = |place: &usize| {
            let in_all = !of_bases.is_empty() && of_bases.iter().all(|of_base| of_base[*place]);
            !in_all && of_each.iter().any(|of_one| of_one[*place])
        };
        let since = (0..self.len()).filter(since);
        let mut needs: BTreeSet<CommitId> = since.map(|place| self.id_at(place)).collect();
        for version in bases.into_iter().chain([a, b]) {
            needs.extend(self.needs_of_values(version));
        }
        needs
    }

    /// For [`super::undo`] or [`super::redo`] by an author with these stacks at `head`: of the fields in question what stood
    /// in them.
    pub fn needs_of_reversal(
        &self,
        head: CommitId,
        stacks: &Stacks,
        redoing: bool,
    ) -> BTreeSet<CommitId> {
        let target = match redoing {
            true => stacks.redo.last(),
            false => stacks.undo.last(),
        };
        let Some(target) = target.copied() else {
            return BTreeSet::new();
        };
        let its = |purpose: Purpose| match redoing {
            true => purpose == Purpose::Undo(target),
            false => purpose == Purpose::Redo(target),
        };
        let touches = self.touches(target);
        let fields: BTreeSet<FieldKey> = touches.iter().map(|touch| touch.0.clone()).collect();
        let part = Part {
            fields: Some(&fields),
            note: fields.contains(&FieldKey::Verdict),
            outcomes: false,
        };
        let line = self.line(&[head]);
        let latest = line
            .iter()
            .rev()
            .find(|(id, c)| *id == target || its(c.purpose));
        let parents = |commit: &Commit| commit.parents.clone();
        // Of a merge that was redone it is what stood before that; see there.
        let of_latest = latest.into_iter().flat_map(|(_, commit)| parents(commit));
        let merged = self.get(target).filter(|c| c.purpose == Purpose::Merge);
        let versions = self.get(target).into_iter().flat_map(parents);
        let versions = versions.chain(of_latest).chain(merged.map(|_| target));
        let versions = versions.chain(latest.map(|(id, _)| *id)).chain([head]);
        let needs = versions.flat_map(|version| self.needs_of_part(version, part));
        let mut needs: BTreeSet<CommitId> = needs.collect();
        needs.insert(target);
        needs
    }

    /// For [`crate::suggest::judgements`] at the end of a version: its state, and what a machine said last of each field.
    pub fn needs_of_judgements(&self, version: CommitId) -> BTreeSet<CommitId> {
        let mut needs = self.needs_of_state(version);
        needs.extend(self.found_last(version));
        needs
    }

    /// For [`super::restore`] of a version at `head`: what stands in the fields of both with the verdict's note, and what
    /// a machine said last of each field.
    pub fn needs_of_restore(&self, head: CommitId, version: CommitId) -> BTreeSet<CommitId> {
        let with_note = Part {
            note: true,
            ..Part::VALUES
        };
        let mut needs = self.needs_of_values(head);
        needs.extend(self.found_last(head));
        needs.extend(self.needs_of_part(version, with_note));
        needs
    }

    /// For [`super::unmerge`] of a merge at `head`: as [`Dag::needs_of_restore`] of the side that is kept, and what stood
    /// when the merge was done last.
    pub fn needs_of_unmerge(
        &self,
        head: CommitId,
        (merge, keep): (CommitId, CommitId),
    ) -> BTreeSet<CommitId> {
        let is_side = |commit: &Commit| commit.parents.contains(&keep);
        if !undo::merge_before(self, head, merge).is_some_and(is_side) {
            return BTreeSet::new();
        }
        let with_note = Part {
            note: true,
            ..Part::VALUES
        };
        let line = self.line(&[head]);
        let done = line.iter().rev();
        let done = done.filter(|(_, c)| undo::reverses(c.purpose, merge));
        let done = done.map(|(id, _)| *id).take(1);
        let versions = done.chain([head, merge]);
        let mut needs = self.needs_of_restore(head, keep);
        needs.extend(versions.flat_map(|version| self.needs_of_part(version, with_note)));
        needs
    }

    /// By which commits a machine said last what it says of each field.
    fn found_last(&self, version: CommitId) -> BTreeSet<CommitId> {
        let (mut found, mut fields) = (BTreeSet::new(), BTreeSet::new());
        for place in latest_first(&self.marked(&[version])) {
            for touch in self.touches_at(place).iter() {
                if touch.1 != Source::User && !fields.contains(&touch.0) {
                    fields.insert(touch.0.clone());
                    found.insert(self.id_at(place));
                }
            }
        }
        found
    }
}

/// The places that are marked, children before parents.
fn latest_first(marked: &[bool]) -> impl Iterator<Item = usize> {
    let places = marked.iter().enumerate().rev();
    places.filter(|(_, is)| **is).map(|(place, _)| place)
}

/// What is still looked for of a field, going back from its last change.
enum Sought {
    Nothing,
    /// Who said just this first.
    Said(Source, u64),
    /// Every verdict: the one that gave this one's note may be anyone's.
    All,
}

impl Sought {
    fn behind(last: &Touch, plain: bool, note: bool) -> Self {
        match last {
            _ if plain => Self::Nothing,
            Touch(FieldKey::Verdict, _, Some(_)) if note => Self::All,
            Touch(_, source, Some(value)) => Self::Said(*source, *value),
            Touch(_, _, None) => Self::Nothing,
        }
    }

    /// Whether this earlier change is needed; one made first hand ends the search.
    fn meets(&mut self, earlier: &Touch, plain: bool) -> bool {
        match self {
            Self::Nothing => false,
            Self::All => true,
            Self::Said(source, value) => {
                let said = earlier.1 == *source && earlier.2 == Some(*value);
                if said && plain {
                    *self = Self::Nothing;
                }
                said
            }
        }
    }
}
