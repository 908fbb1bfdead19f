//! The DAG of a posting's commits: ancestors, heads, merge bases, an order.

use crate::{
    card::{Committed, fold_commits},
    commit::{Clock, Commit},
    ids::CommitId,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The commits of one posting by id. A parent that is not among them counts as none.
#[derive(Debug, Clone, Default)]
pub struct Dag {
    commits: BTreeMap<CommitId, Commit>,
}

impl Dag {
    /// Of commits with their ids, in any order.
    pub fn new(commits: impl IntoIterator<Item = (CommitId, Commit)>) -> Self {
        Self {
            commits: commits.into_iter().collect(),
        }
    }

    /// Adds a commit; answers its id.
    pub fn add(&mut self, commit: Commit) -> CommitId {
        let id = commit.id();
        self.commits.insert(id, commit);
        id
    }

    /// A commit.
    pub fn get(&self, id: CommitId) -> Option<&Commit> {
        self.commits.get(&id)
    }

    /// All commits, in order of their ids.
    pub fn commits(&self) -> impl Iterator<Item = (CommitId, &Commit)> {
        self.commits.iter().map(|(id, commit)| (*id, commit))
    }

    /// Commits that are nobody's parent, sorted.
    pub fn heads(&self) -> Vec<CommitId> {
        let parents: BTreeSet<&CommitId> = self.commits.values().flat_map(|c| &c.parents).collect();
        let ids = self.commits.keys();
        ids.filter(|id| !parents.contains(id)).copied().collect()
    }

    /// `heads` and everything before them.
    pub fn ancestors(&self, heads: &[CommitId]) -> BTreeSet<CommitId> {
        let mut found = BTreeSet::new();
        let mut waiting: Vec<CommitId> = heads.to_vec();
        while let Some(id) = waiting.pop() {
            if let Some(commit) = self.commits.get(&id)
                && found.insert(id)
            {
                waiting.extend(&commit.parents);
            }
        }
        found
    }

    /// Whether `old` is `new` or before it.
    pub fn is_ancestor(&self, old: CommitId, new: CommitId) -> bool {
        old == new || self.ancestors(&[new]).contains(&old)
    }

    /// The latest common ancestors of two commits, sorted: none of them is before another.
    pub fn merge_bases(&self, a: CommitId, b: CommitId) -> Vec<CommitId> {
        let of_b = self.ancestors(&[b]);
        let mut common = self.ancestors(&[a]);
        common.retain(|id| of_b.contains(id));
        // What is before a common ancestor is common too, so it is the parent of a common one.
        let before: BTreeSet<CommitId> = common
            .iter()
            .filter_map(|id| self.commits.get(id))
            .flat_map(|commit| commit.parents.iter().copied())
            .collect();
        common.retain(|id| !before.contains(id));
        common.into_iter().collect()
    }

    /// `heads` and everything before them, parents before children, else by clock, then id.
    pub fn line(&self, heads: &[CommitId]) -> Vec<(CommitId, &Commit)> {
        let mut commits: Vec<(CommitId, &Commit)> = self
            .ancestors(heads)
            .into_iter()
            .filter_map(|id| Some((id, self.commits.get(&id)?)))
            .collect();
        commits.sort_by_key(|(id, commit)| (commit.clock, *id));
        parents_first(commits)
    }

    /// What a version holds: the fold of its ancestors.
    pub fn state(&self, heads: &[CommitId]) -> Committed {
        fold_commits(self.line(heads).into_iter().map(|(_, commit)| commit))
    }

    /// The greatest clock of these commits.
    pub(crate) fn latest_clock(&self, ids: &[CommitId]) -> Option<Clock> {
        let commits = ids.iter().filter_map(|id| self.commits.get(id));
        commits.map(|commit| commit.clock).max()
    }
}

/// Sorts commits topologically, keeping the given order where it is free to.
///
/// The clock alone does not do: one that was hours ahead is not followed ([`Clock`]), so what is
/// decided after it was set right may carry an earlier time than its parent.
pub fn parents_first<C: std::borrow::Borrow<Commit>>(
    commits: Vec<(CommitId, C)>,
) -> Vec<(CommitId, C)> {
    let place: HashMap<CommitId, usize> = commits.iter().map(|(id, _)| *id).zip(0..).collect();
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); commits.len()];
    let mut waiting: Vec<usize> = vec![0; commits.len()];
    for (child, (_, commit)) in commits.iter().enumerate() {
        let parents = &commit.borrow().parents;
        for parent in parents.iter().filter_map(|id| place.get(id)) {
            children[*parent].push(child);
            waiting[child] += 1;
        }
    }
    let mut ready: BTreeSet<usize> = (0..commits.len()).filter(|i| waiting[*i] == 0).collect();
    let mut commits: Vec<Option<(CommitId, C)>> = commits.into_iter().map(Some).collect();
    let mut sorted = Vec::with_capacity(commits.len());
    while let Some(next) = ready.pop_first() {
        sorted.extend(commits[next].take());
        for child in &children[next] {
            waiting[*child] -= 1;
            if waiting[*child] == 0 {
                ready.insert(*child);
            }
        }
    }
    sorted
}
