//! The DAG of a posting's commits: ancestors, heads, merge bases, an order.
//!
//! A commit may be there as a whole, or as its [`Outline`] alone until it is needed ([`Dag::fill`]); what a question
//! needs is said in `outline.rs`.

use super::outline::{Outline, Touch};
use crate::{
    card::{Committed, fold_commits},
    commit::{Clock, Commit},
    ids::{CommitId, PostingId},
};
use std::{
    borrow::Cow,
    collections::{BTreeSet, HashMap},
};

/// The commits of one posting. A parent that is not among them counts as none.
#[derive(Debug, Clone, Default)]
pub struct Dag {
    /// Parents before children, else by clock, then id. What any heads are made of is in this same order: a commit
    /// waits for nothing but its ancestors, and they are all there.
    nodes: Vec<Node>,
    places: HashMap<CommitId, usize>,
}

#[derive(Debug, Clone)]
struct Node {
    id: CommitId,
    /// Without message, changes and conflicts while only the outline is known.
    commit: Commit,
    /// Of a commit that is not there as a whole.
    outline: Option<Vec<Touch>>,
    /// Places of the parents.
    parents: Vec<usize>,
}

impl Dag {
    /// Of commits with their ids, in any order.
    pub fn new(commits: impl IntoIterator<Item = (CommitId, Commit)>) -> Self {
        let whole = |(id, commit)| (id, commit, None);
        Self::of(commits.into_iter().map(whole).collect())
    }

    /// Of the outlines of a posting's commits, in any order.
    pub fn of_outlines(
        posting: PostingId,
        outlines: impl IntoIterator<Item = (CommitId, Outline)>,
    ) -> Self {
        let bare = |(id, outline): (CommitId, Outline)| {
            let (commit, touches) = outline.into_parts(posting);
            (id, commit, Some(touches))
        };
        Self::of(outlines.into_iter().map(bare).collect())
    }

    fn of(mut commits: Vec<(CommitId, Commit, Option<Vec<Touch>>)>) -> Self {
        commits.sort_by_key(|(id, commit, _)| (commit.clock, *id));
        commits.dedup_by_key(|(id, ..)| *id);
        let order = parents_first(
            commits
                .iter()
                .map(|(id, commit, _)| (*id, &commit.parents[..])),
        );
        let mut commits: Vec<Option<_>> = commits.into_iter().map(Some).collect();
        let mut dag = Self {
            nodes: Vec::with_capacity(commits.len()),
            places: HashMap::with_capacity(commits.len()),
        };
        for place in order {
            if let Some((id, commit, outline)) = commits[place].take() {
                dag.push(id, commit, outline);
            }
        }
        dag
    }

    fn push(&mut self, id: CommitId, commit: Commit, outline: Option<Vec<Touch>>) {
        let parents = commit.parents.iter();
        let parents = parents.filter_map(|parent| self.places.get(parent).copied());
        let parents = parents.collect();
        self.places.insert(id, self.nodes.len());
        self.nodes.push(Node {
            id,
            commit,
            outline,
            parents,
        });
    }

    /// Adds a commit; answers its id.
    pub fn add(&mut self, commit: Commit) -> CommitId {
        let id = commit.id();
        let key = (commit.clock, id);
        if self.places.contains_key(&id) {
            self.fill(id, commit);
        } else if self.nodes.iter().all(|n| (n.commit.clock, n.id) < key) {
            self.push(id, commit, None);
        } else {
            let nodes = std::mem::take(&mut self.nodes).into_iter();
            let mut commits: Vec<_> = nodes.map(|n| (n.id, n.commit, n.outline)).collect();
            commits.push((id, commit, None));
            *self = Self::of(commits);
        }
        id
    }

    /// Puts a commit as a whole where its outline stands.
    pub fn fill(&mut self, id: CommitId, commit: Commit) {
        if let Some(place) = self.places.get(&id) {
            let node = &mut self.nodes[*place];
            (node.commit, node.outline) = (commit, None);
        }
    }

    /// Whether a commit is there, and as a whole.
    pub fn is_whole(&self, id: CommitId) -> bool {
        let place = self.places.get(&id);
        place.is_some_and(|place| self.nodes[*place].outline.is_none())
    }

    /// A commit; without message, changes and conflicts where only its outline is there.
    pub fn get(&self, id: CommitId) -> Option<&Commit> {
        let place = self.places.get(&id)?;
        Some(&self.nodes[*place].commit)
    }

    /// Which fields a commit changes.
    pub fn touches(&self, id: CommitId) -> Cow<'_, [Touch]> {
        match self.places.get(&id).map(|place| &self.nodes[*place]) {
            None => Cow::Borrowed(&[]),
            Some(Node {
                outline: Some(touches),
                ..
            }) => Cow::Borrowed(touches),
            Some(whole) => Cow::Owned(Touch::of(&whole.commit.changes)),
        }
    }

    /// All commits, as [`Dag::get`] has them: parents before children, else by clock, then id.
    pub fn commits(&self) -> impl DoubleEndedIterator<Item = (CommitId, &Commit)> {
        self.nodes.iter().map(|node| (node.id, &node.commit))
    }

    /// Commits that are nobody's parent, sorted.
    pub fn heads(&self) -> Vec<CommitId> {
        let mut is_parent = vec![false; self.nodes.len()];
        for parent in self.nodes.iter().flat_map(|node| &node.parents) {
            is_parent[*parent] = true;
        }
        let heads = self.nodes.iter().zip(is_parent).filter(|(_, is)| !is);
        let mut heads: Vec<CommitId> = heads.map(|(node, _)| node.id).collect();
        heads.sort();
        heads
    }

    /// Of each place whether it is one of `heads` or before one.
    fn marked(&self, heads: &[CommitId]) -> Vec<bool> {
        let mut marked = vec![false; self.nodes.len()];
        for place in heads.iter().filter_map(|head| self.places.get(head)) {
            marked[*place] = true;
        }
        for place in (0..marked.len()).rev() {
            if marked[place] {
                for parent in &self.nodes[place].parents {
                    marked[*parent] = true;
                }
            }
        }
        marked
    }

    fn at(&self, marked: Vec<bool>) -> impl Iterator<Item = &Node> {
        let marked = self.nodes.iter().zip(marked);
        marked.filter(|(_, is)| *is).map(|(node, _)| node)
    }

    /// `heads` and everything before them.
    pub fn ancestors(&self, heads: &[CommitId]) -> BTreeSet<CommitId> {
        self.at(self.marked(heads)).map(|node| node.id).collect()
    }

    /// Whether `old` is `new` or before it.
    pub fn is_ancestor(&self, old: CommitId, new: CommitId) -> bool {
        let before = || {
            let old = self.places.get(&old)?;
            self.marked(&[new]).get(*old).copied()
        };
        old == new || before().unwrap_or(false)
    }

    /// The latest common ancestors of two commits, sorted: none of them is before another.
    pub fn merge_bases(&self, a: CommitId, b: CommitId) -> Vec<CommitId> {
        let common: Vec<bool> = (self.marked(&[a]).into_iter())
            .zip(self.marked(&[b]))
            .map(|(of_a, of_b)| of_a && of_b)
            .collect();
        // What is before a common ancestor is common too, so it is the parent of a common one.
        let mut latest = common.clone();
        for (node, _) in self.nodes.iter().zip(common).filter(|(_, is)| *is) {
            for parent in &node.parents {
                latest[*parent] = false;
            }
        }
        let mut bases: Vec<CommitId> = self.at(latest).map(|node| node.id).collect();
        bases.sort();
        bases
    }

    /// `heads` and everything before them, parents before children, else by clock, then id.
    pub fn line(&self, heads: &[CommitId]) -> Vec<(CommitId, &Commit)> {
        let line = self.at(self.marked(heads));
        line.map(|node| (node.id, &node.commit)).collect()
    }

    /// What a version holds: the fold of its ancestors.
    pub fn state(&self, heads: &[CommitId]) -> Committed {
        fold_commits(self.at(self.marked(heads)).map(|node| &node.commit))
    }

    /// The greatest clock of these commits.
    pub(crate) fn latest_clock(&self, ids: &[CommitId]) -> Option<Clock> {
        let commits = ids.iter().filter_map(|id| self.get(*id));
        commits.map(|commit| commit.clock).max()
    }
}

/// Sorts commits, given by id and parents, topologically, keeping the given order where it is free to; answers places.
///
/// The clock alone does not do: one that was hours ahead is not followed ([`Clock`]), so what is
/// decided after it was set right may carry an earlier time than its parent.
fn parents_first<'a>(
    commits: impl Iterator<Item = (CommitId, &'a [CommitId])> + Clone,
) -> Vec<usize> {
    let place: HashMap<CommitId, usize> = commits.clone().map(|(id, _)| id).zip(0..).collect();
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); place.len()];
    let mut waiting: Vec<usize> = vec![0; place.len()];
    for (child, (_, parents)) in commits.enumerate() {
        for parent in parents.iter().filter_map(|id| place.get(id)) {
            children[*parent].push(child);
            waiting[child] += 1;
        }
    }
    let mut ready: BTreeSet<usize> = (0..waiting.len()).filter(|i| waiting[*i] == 0).collect();
    let mut sorted = Vec::with_capacity(waiting.len());
    while let Some(next) = ready.pop_first() {
        sorted.push(next);
        for child in &children[next] {
            waiting[*child] -= 1;
            if waiting[*child] == 0 {
                ready.insert(*child);
            }
        }
    }
    sorted
}
