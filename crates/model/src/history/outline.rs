//! A long history without its bodies: where each commit stands and which fields it changes, and which of the bodies
//! an answer needs.
//!
//! With those filled in ([`Dag::fill`]) the same code gives the same answer as with all of them: a fold lets the last
//! change of a field stand, looks for who said it before only where a merge, an undo, a redo or a restore brought it
//! back, and a commit without changes takes no part in it. The property tests of this module hold it to that.

use super::{dag::Dag, undo};
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

/// Which bodies are needed, by question. A superset never hurts.
impl Dag {
    /// For [`Dag::state`] of a version: the last change of each field, every outcome, and where the last word on a
    /// field repeats an earlier one, that one as far back as it was said first hand.
    pub fn needs_of_state(&self, version: CommitId) -> BTreeSet<CommitId> {
        self.needs_of(&self.line(&[version]))
    }

    /// For a fold of these commits of this history, parents before children.
    pub fn needs_of(&self, line: &[(CommitId, &Commit)]) -> BTreeSet<CommitId> {
        let mut needs = BTreeSet::new();
        let mut fields: BTreeMap<FieldKey, Sought> = BTreeMap::new();
        for (id, commit) in line.iter().rev().copied() {
            for touch in self.touches(id).iter() {
                let plain = commit.purpose.is_plain();
                let needed = match fields.get_mut(&touch.0) {
                    _ if touch.0 == FieldKey::Outcome => true,
                    Some(sought) => sought.meets(touch, plain),
                    None => {
                        let sought = Sought::behind(touch, plain);
                        fields.insert(touch.0.clone(), sought);
                        true
                    }
                };
                if needed {
                    needs.insert(id);
                }
            }
        }
        needs
    }

    /// For [`super::merge`] of two versions: theirs and their common ancestors' state, and what either changed since.
    pub fn needs_of_merge(&self, a: CommitId, b: CommitId) -> BTreeSet<CommitId> {
        if self.is_ancestor(a, b) || self.is_ancestor(b, a) {
            return BTreeSet::new();
        }
        let bases = self.merge_bases(a, b);
        let mut needs = self.ancestors(&[a, b]);
        let of_all = bases.iter().map(|base| self.ancestors(&[*base]));
        let in_all = of_all.reduce(|all, one| all.intersection(&one).copied().collect());
        for common in in_all.unwrap_or_default() {
            needs.remove(&common);
        }
        for version in bases.into_iter().chain([a, b]) {
            needs.extend(self.needs_of_state(version));
        }
        needs
    }

    /// For [`super::undo`] or [`super::redo`] by an author at `head`.
    pub fn needs_of_reversal(
        &self,
        head: CommitId,
        author: &AuthorId,
        redoing: bool,
    ) -> BTreeSet<CommitId> {
        let stacks = undo::stacks(self, head, author);
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
        let line = self.line(&[head]);
        let latest = line
            .iter()
            .rev()
            .find(|(id, c)| *id == target || its(c.purpose));
        let parents = self.get(target).map(|commit| &commit.parents[..]);
        let versions = parents.unwrap_or_default().iter().copied();
        let versions = versions.chain(latest.map(|(id, _)| *id)).chain([head]);
        let mut needs: BTreeSet<CommitId> = versions.flat_map(|v| self.needs_of_state(v)).collect();
        needs.insert(target);
        needs
    }

    /// For [`crate::suggest::judgements`] at the end of a version: its state, and what a machine said last of each field.
    pub fn needs_of_judgements(&self, version: CommitId) -> BTreeSet<CommitId> {
        let line = self.line(&[version]);
        let mut needs = self.needs_of(&line);
        let mut found: BTreeSet<FieldKey> = BTreeSet::new();
        for (id, _) in line.into_iter().rev() {
            let touches = self.touches(id);
            let by_machine = touches.iter().filter(|touch| touch.1 != Source::User);
            for touch in by_machine {
                if found.insert(touch.0.clone()) {
                    needs.insert(id);
                }
            }
        }
        needs
    }

    /// For [`super::restore`] of a version at `head`: both states, and what a machine said last of each field.
    pub fn needs_of_restore(&self, head: CommitId, version: CommitId) -> BTreeSet<CommitId> {
        let mut needs = self.needs_of_judgements(head);
        needs.extend(self.needs_of_state(version));
        needs
    }
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
    fn behind(last: &Touch, plain: bool) -> Self {
        match last {
            _ if plain => Self::Nothing,
            Touch(FieldKey::Verdict, _, Some(_)) => Self::All,
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
