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
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

/// The commits of one posting. A parent that is not among them counts as none.
///
/// A clone shares what it is a clone of, and costs as much as the bodies that were filled in.
#[derive(Debug, Clone, Default)]
pub struct Dag {
    shape: Arc<Shape>,
    /// Filled in where the shape has an outline alone, by place.
    bodies: BTreeMap<usize, Commit>,
}

/// What does not depend on which bodies are there.
#[derive(Debug, Clone, Default)]
struct Shape {
    /// Parents before children, else by clock, then id. What any heads are made of is in this same order: a commit
    /// waits for nothing but its ancestors, and they are all there.
    nodes: Vec<Node>,
    places: HashMap<CommitId, usize>,
    /// The greatest clock and id.
    latest: Option<(Clock, CommitId)>,
    /// Whether a parent is not there: should it come, what is behind it has to be placed anew.
    incomplete: bool,
}

#[derive(Debug, Clone)]
struct Node {
    id: CommitId,
    /// Without message, changes and conflicts where only the outline is known.
    commit: Commit,
    /// Of a commit that is not there as a whole.
    outline: Option<Vec<Touch>>,
    /// Places of the parents.
    parents: Parents,
}

/// Nearly every commit has one parent.
#[derive(Debug, Clone)]
enum Parents {
    One(usize),
    Other(Vec<usize>),
}

impl Parents {
    fn as_slice(&self) -> &[usize] {
        match self {
            Parents::One(place) => std::slice::from_ref(place),
            Parents::Other(places) => places,
        }
    }

    fn as_mut_slice(&mut self) -> &mut [usize] {
        match self {
            Parents::One(place) => std::slice::from_mut(place),
            Parents::Other(places) => places,
        }
    }
}

/// So many commits at most make room for one that comes before them; should it be more, all are placed anew.
const MOVED_MAX: usize = 64;

/// A commit to be placed, and what it changes where it is no more than an outline.
type Entry = (CommitId, Commit, Option<Vec<Touch>>);

impl Shape {
    fn of(mut commits: Vec<Entry>) -> Self {
        let by_clock = |(id, commit, _): &Entry| (commit.clock, *id);
        // They come in this order as a rule, and moving them about is what would take the time.
        if !commits.is_sorted_by_key(by_clock) {
            commits.sort_by_key(by_clock);
        }
        commits.dedup_by_key(|(id, ..)| *id);
        let mut shape = Self {
            nodes: Vec::with_capacity(commits.len()),
            places: HashMap::with_capacity(commits.len()),
            ..Self::default()
        };
        let ids = commits.iter().map(|(id, ..)| *id);
        shape.places.extend(ids.zip(0..));
        let in_order = commits.iter().enumerate().all(|(place, (_, commit, _))| {
            let mut parents = commit.parents.iter();
            parents.all(|parent| shape.places.get(parent).is_none_or(|p| *p < place))
        });
        if in_order {
            commits.into_iter().for_each(|entry| shape.push(entry));
            return shape;
        }
        let parents = commits
            .iter()
            .map(|(id, commit, _)| (*id, &commit.parents[..]));
        let order = parents_first(parents);
        shape.places.clear();
        let mut commits: Vec<Option<Entry>> = commits.into_iter().map(Some).collect();
        for place in order {
            commits[place]
                .take()
                .into_iter()
                .for_each(|entry| shape.push(entry));
        }
        shape
    }

    /// Places a commit behind all others; its parents are among them, or are not there.
    fn push(&mut self, entry: Entry) {
        let node = self.node(entry);
        self.latest = self.latest.max(Some((node.commit.clock, node.id)));
        self.places.insert(node.id, self.nodes.len());
        self.nodes.push(node);
    }

    fn node(&mut self, (id, commit, outline): Entry) -> Node {
        let last = self.nodes.last().map(|node| node.id);
        let place = |parent: &CommitId| match Some(*parent) == last {
            true => Some(self.nodes.len() - 1),
            false => self.places.get(parent).copied(),
        };
        let parents = match &commit.parents[..] {
            [parent] => place(parent).map(Parents::One),
            _ => None,
        };
        let parents = parents
            .unwrap_or_else(|| Parents::Other(commit.parents.iter().filter_map(place).collect()));
        self.incomplete |= parents.as_slice().len() < commit.parents.len();
        Node {
            id,
            commit,
            outline,
            parents,
        }
    }

    /// Where a commit belongs that is nobody's parent yet: it waits for its parents, and then goes before the first that
    /// is later than it. `None` if that is not near the end, or a parent is missing somewhere.
    fn place_of(&self, id: CommitId, commit: &Commit) -> Option<usize> {
        let key = (commit.clock, id);
        let end = self.nodes.len();
        if self.incomplete {
            return None;
        }
        if self.latest < Some(key) {
            return Some(end);
        }
        let mut behind = 0;
        for parent in &commit.parents {
            behind = behind.max(self.places.get(parent)? + 1);
        }
        let later = |node: &Node| (node.commit.clock, node.id) > key;
        let place = self.nodes[behind..].iter().position(later);
        let place = place.map_or(end, |place| behind + place);
        (end - place <= MOVED_MAX).then_some(place)
    }

    /// Adds commits; one that is there already stays as it is.
    fn add(&mut self, entries: impl IntoIterator<Item = Entry>) {
        let mut entries = entries.into_iter();
        while let Some(entry) = entries.next() {
            let is_new = self.latest < Some((entry.1.clock, entry.0));
            if !is_new && self.places.contains_key(&entry.0) {
                continue;
            }
            match self.place_of(entry.0, &entry.1) {
                Some(place) if place == self.nodes.len() => self.push(entry),
                Some(place) => self.insert(place, entry),
                None => {
                    let nodes = std::mem::take(&mut self.nodes).into_iter();
                    let nodes = nodes.map(|n| (n.id, n.commit, n.outline));
                    *self = Self::of(nodes.chain([entry]).chain(entries).collect());
                    return;
                }
            }
        }
    }

    /// Places a commit among the others; those behind it move on by one.
    fn insert(&mut self, place: usize, entry: Entry) {
        let node = self.node(entry);
        self.nodes.insert(place, node);
        for moved in place..self.nodes.len() {
            self.places.insert(self.nodes[moved].id, moved);
            if moved > place {
                let parents = self.nodes[moved].parents.as_mut_slice().iter_mut();
                parents
                    .filter(|parent| **parent >= place)
                    .for_each(|parent| *parent += 1);
            }
        }
    }
}

impl Dag {
    /// Of commits with their ids, in any order.
    pub fn new(commits: impl IntoIterator<Item = (CommitId, Commit)>) -> Self {
        let whole = |(id, commit)| (id, commit, None);
        Self::of(commits.into_iter().map(whole).collect())
    }

    /// Of the outlines of a posting's commits, in any order; fastest by clock.
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

    fn of(commits: Vec<Entry>) -> Self {
        Self {
            shape: Arc::new(Shape::of(commits)),
            bodies: BTreeMap::new(),
        }
    }

    /// How many commits there are.
    pub fn len(&self) -> usize {
        self.shape.nodes.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.shape.nodes.is_empty()
    }

    /// Adds a commit; answers its id.
    pub fn add(&mut self, commit: Commit) -> CommitId {
        let id = commit.id();
        match self.place(id).is_some() {
            true => self.fill(id, commit),
            false => self.insert([(id, commit, None)]),
        }
        id
    }

    /// Adds commits by their outlines, fastest parents before children; one that is there already stays as it is.
    pub fn add_outlines(
        &mut self,
        posting: PostingId,
        outlines: impl IntoIterator<Item = (CommitId, Outline)>,
    ) {
        self.insert(outlines.into_iter().map(|(id, outline)| {
            let (commit, touches) = outline.into_parts(posting);
            (id, commit, Some(touches))
        }));
    }

    fn insert(&mut self, entries: impl IntoIterator<Item = Entry>) {
        let bodies = std::mem::take(&mut self.bodies).into_iter();
        let bodies: Vec<_> = bodies
            .map(|(place, body)| (self.id_at(place), body))
            .collect();
        Arc::make_mut(&mut self.shape).add(entries);
        // They may have been placed anew.
        bodies
            .into_iter()
            .for_each(|(id, body)| self.fill(id, body));
    }

    /// Makes room for so many more commits.
    pub fn reserve(&mut self, commits: usize) {
        let shape = Arc::make_mut(&mut self.shape);
        shape.nodes.reserve(commits);
        shape.places.reserve(commits);
    }

    /// Puts a commit as a whole where its outline stands.
    pub fn fill(&mut self, id: CommitId, commit: Commit) {
        let bare = |place: &usize| self.shape.nodes[*place].outline.is_some();
        if let Some(place) = self.place(id).filter(bare) {
            self.bodies.insert(place, commit);
        }
    }

    /// Whether a commit is there, and as a whole.
    pub fn is_whole(&self, id: CommitId) -> bool {
        self.place(id).is_some_and(|place| {
            self.shape.nodes[place].outline.is_none() || self.bodies.contains_key(&place)
        })
    }

    /// A commit; without message, changes and conflicts where only its outline is there.
    pub fn get(&self, id: CommitId) -> Option<&Commit> {
        Some(self.commit_at(self.place(id)?))
    }

    /// Where a commit stands in the order of [`Dag::commits`].
    pub(super) fn place(&self, id: CommitId) -> Option<usize> {
        self.shape.places.get(&id).copied()
    }

    /// The commit at a place.
    pub(super) fn id_at(&self, place: usize) -> CommitId {
        self.shape.nodes[place].id
    }

    /// The commit at a place, as [`Dag::get`] has it.
    pub(super) fn commit_at(&self, place: usize) -> &Commit {
        let filled = self.bodies.get(&place);
        filled.unwrap_or_else(|| &self.shape.nodes[place].commit)
    }

    /// Which fields a commit changes.
    pub fn touches(&self, id: CommitId) -> Cow<'_, [Touch]> {
        let touches = self.place(id).map(|place| self.touches_at(place));
        touches.unwrap_or(Cow::Borrowed(&[]))
    }

    /// Which fields the commit at a place changes.
    pub(super) fn touches_at(&self, place: usize) -> Cow<'_, [Touch]> {
        let node = &self.shape.nodes[place];
        match &node.outline {
            Some(touches) => Cow::Borrowed(touches),
            None => Cow::Owned(Touch::of(&node.commit.changes)),
        }
    }

    /// All commits, as [`Dag::get`] has them: parents before children, else by clock, then id.
    pub fn commits(&self) -> impl DoubleEndedIterator<Item = (CommitId, &Commit)> {
        let nodes = self.shape.nodes.iter().enumerate();
        nodes.map(|(place, node)| (node.id, self.commit_at(place)))
    }

    /// All commits, or one and everything before it, with the fields that they change; in the order of [`Dag::commits`].
    pub fn outlines(
        &self,
        head: Option<CommitId>,
    ) -> impl DoubleEndedIterator<Item = (CommitId, &Commit, Cow<'_, [Touch]>)> {
        let marked = match head {
            Some(head) => self.marked(&[head]),
            None => vec![true; self.len()],
        };
        let places = marked.into_iter().enumerate().filter(|(_, is)| *is);
        places.map(|(place, _)| {
            (
                self.id_at(place),
                self.commit_at(place),
                self.touches_at(place),
            )
        })
    }

    /// Commits that are nobody's parent, sorted.
    pub fn heads(&self) -> Vec<CommitId> {
        let nodes = &self.shape.nodes;
        let mut is_parent = vec![false; nodes.len()];
        for parent in nodes.iter().flat_map(|node| node.parents.as_slice()) {
            is_parent[*parent] = true;
        }
        let heads = nodes.iter().zip(is_parent).filter(|(_, is)| !is);
        let mut heads: Vec<CommitId> = heads.map(|(node, _)| node.id).collect();
        heads.sort();
        heads
    }

    /// Of each place whether it is one of `heads` or before one.
    pub(super) fn marked(&self, heads: &[CommitId]) -> Vec<bool> {
        let mut marked = vec![false; self.len()];
        for place in heads.iter().filter_map(|head| self.place(*head)) {
            marked[place] = true;
        }
        for place in (0..marked.len()).rev() {
            if marked[place] {
                for parent in self.shape.nodes[place].parents.as_slice() {
                    marked[*parent] = true;
                }
            }
        }
        marked
    }

    fn at(&self, marked: Vec<bool>) -> impl Iterator<Item = (CommitId, &Commit)> {
        let marked = marked.into_iter().enumerate().filter(|(_, is)| *is);
        marked.map(|(place, _)| (self.id_at(place), self.commit_at(place)))
    }

    /// `heads` and everything before them.
    pub fn ancestors(&self, heads: &[CommitId]) -> BTreeSet<CommitId> {
        self.at(self.marked(heads)).map(|(id, _)| id).collect()
    }

    /// Whether `old` is `new` or before it.
    pub fn is_ancestor(&self, old: CommitId, new: CommitId) -> bool {
        self.is_on(old, &[new])
    }

    /// Whether `commit` is one of `heads` or before one.
    pub fn is_on(&self, commit: CommitId, heads: &[CommitId]) -> bool {
        let before = || {
            let place = self.place(commit)?;
            self.marked(heads).get(place).copied()
        };
        heads.contains(&commit) || before().unwrap_or(false)
    }

    /// The latest common ancestors of two commits, sorted: none of them is before another.
    pub fn merge_bases(&self, a: CommitId, b: CommitId) -> Vec<CommitId> {
        let common: Vec<bool> = (self.marked(&[a]).into_iter())
            .zip(self.marked(&[b]))
            .map(|(of_a, of_b)| of_a && of_b)
            .collect();
        // What is before a common ancestor is common too, so it is the parent of a common one.
        let mut latest = common.clone();
        for (node, _) in self.shape.nodes.iter().zip(common).filter(|(_, is)| *is) {
            for parent in node.parents.as_slice() {
                latest[*parent] = false;
            }
        }
        let mut bases: Vec<CommitId> = self.at(latest).map(|(id, _)| id).collect();
        bases.sort();
        bases
    }

    /// `heads` and everything before them, parents before children, else by clock, then id.
    pub fn line(&self, heads: &[CommitId]) -> Vec<(CommitId, &Commit)> {
        self.at(self.marked(heads)).collect()
    }

    /// What a version holds: the fold of its ancestors.
    pub fn state(&self, heads: &[CommitId]) -> Committed {
        fold_commits(self.at(self.marked(heads)).map(|(_, commit)| commit))
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
