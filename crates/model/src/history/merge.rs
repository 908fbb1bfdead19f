//! Three-way merge by field. The same from both sides: without a conflict they make the same commit.

use super::{
    Claim, change_to,
    dag::Dag,
    join::{self, Added},
};
use crate::{
    card::{Committed, Standing},
    commit::{AuthorId, Clock, Commit, Conflict, Purpose},
    ids::{CommitId, PostingId},
    observation::Source,
    time::Micros,
    value::{FieldKey, FieldValue},
};
use std::collections::{BTreeMap, BTreeSet};

/// What merging two versions comes to.
#[derive(Debug, Clone, PartialEq)]
pub enum Merge {
    /// Theirs is in ours already.
    Nothing,
    /// Ours is in theirs: it moves there, without a commit.
    Forward,
    /// They differ.
    Join(Join),
}

/// Two versions that differ, field by field.
#[derive(Debug, Clone, PartialEq)]
pub struct Join {
    /// The two heads, sorted.
    pub heads: [CommitId; 2],
    /// Their latest common ancestors, sorted.
    pub bases: Vec<CommitId>,
    /// What both sides make of the fields that differ and agree by rule: value and what it was.
    settled: BTreeMap<FieldKey, (Option<FieldValue>, Option<Claim>)>,
    /// Fields that somebody has to decide about.
    pub clashes: Vec<Clash>,
}

/// A field whose sides cannot be joined.
#[derive(Debug, Clone, PartialEq)]
pub struct Clash {
    /// Which field.
    pub field: FieldKey,
    /// What it was in each common ancestor.
    pub bases: Vec<Option<FieldValue>>,
    /// What it is in each head, sorted by head.
    pub sides: [Side; 2],
}

/// What one head says about a field.
#[derive(Debug, Clone, PartialEq)]
pub struct Side {
    /// The head.
    pub head: CommitId,
    /// What stands there; `None` if nothing does.
    pub standing: Option<Standing>,
}

/// How a clash is decided.
#[derive(Debug, Clone, PartialEq)]
pub enum Resolution {
    /// As this head says.
    Side(CommitId),
    /// As it was before both; with several common ancestors the first of them.
    Base,
    /// This, or nothing.
    Value(Option<FieldValue>),
}

/// Why a merge with conflicts makes no commit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsettled {
    /// Nobody decided about these.
    #[error("both sides changed {}; say which value is to stand", names(.0))]
    Open(Vec<FieldKey>),
    /// A decision about a field that is not in conflict.
    #[error("{} is not in conflict", .0.name())]
    NoClash(FieldKey),
    /// A decision for a side that is none.
    #[error("{0} is no side of this merge")]
    NoSide(CommitId),
}

fn names(fields: &[FieldKey]) -> String {
    let names: Vec<&str> = fields.iter().map(FieldKey::name).collect();
    names.join(", ")
}

/// Merges two versions.
pub fn merge(dag: &Dag, ours: CommitId, theirs: CommitId) -> Merge {
    if dag.is_ancestor(theirs, ours) {
        return Merge::Nothing;
    }
    if dag.is_ancestor(ours, theirs) {
        return Merge::Forward;
    }
    let mut heads = [ours, theirs];
    heads.sort();
    let bases = dag.merge_bases(ours, theirs);
    let sides = heads.map(|head| View::of(dag, head));
    let before: Vec<View<'_>> = bases.iter().map(|base| View::of(dag, *base)).collect();
    let mut join = Join {
        heads,
        bases,
        settled: BTreeMap::new(),
        clashes: Vec::new(),
    };
    let fields: BTreeSet<&FieldKey> = sides.iter().flat_map(|s| s.state.values.keys()).collect();
    for field in fields {
        join.field(field, &sides, &before);
    }
    Merge::Join(join)
}

/// A version with what it is made of.
struct View<'a> {
    state: Committed,
    line: Vec<(CommitId, &'a Commit)>,
}

impl<'a> View<'a> {
    fn of(dag: &'a Dag, head: CommitId) -> Self {
        Self {
            state: dag.state(&[head]),
            line: dag.line(&[head]),
        }
    }

    fn get(&self, field: &FieldKey) -> Option<&Standing> {
        self.state.values.get(field)
    }

    /// When each element of a list was added since `base`.
    fn added(&self, field: &FieldKey, base: Option<&View<'_>>) -> Added {
        let before: BTreeSet<CommitId> = base
            .into_iter()
            .flat_map(|b| &b.line)
            .map(|(id, _)| *id)
            .collect();
        let mut added = Added::new();
        for (_, commit) in self.line.iter().filter(|(id, _)| !before.contains(id)) {
            let changes = commit
                .changes
                .iter()
                .filter(|change| change.field == *field);
            for value in changes.filter_map(|change| change.new.as_ref()) {
                for key in join::keys(value) {
                    let since = added.entry(key).or_insert(commit.clock);
                    *since = (*since).min(commit.clock);
                }
            }
        }
        added
    }
}

/// What one base makes of a field.
#[derive(PartialEq)]
enum Outcome {
    Claim(Option<Claim>),
    Clash,
}

impl Join {
    fn field(&mut self, field: &FieldKey, sides: &[View<'_>; 2], bases: &[View<'_>]) {
        let [a, b] = sides.each_ref().map(|side| side.get(field));
        if a.map(Claim::of) == b.map(Claim::of) {
            return;
        }
        let mut outcomes: Vec<Outcome> = Vec::new();
        let with_base = bases.iter().map(Some);
        // Two histories that never met have nothing in common to compare with.
        let with_base: Vec<Option<&View<'_>>> = match bases.is_empty() {
            true => vec![None],
            false => with_base.collect(),
        };
        for base in with_base {
            let outcome = three_way(field, base, sides);
            if !outcomes.contains(&outcome) {
                outcomes.push(outcome);
            }
        }
        let was: Vec<Option<FieldValue>> = bases
            .iter()
            .map(|base| base.get(field).map(|s| s.value.clone()))
            .collect();
        let agreed = was.iter().all(|value| Some(value) == was.first());
        match outcomes.pop() {
            Some(Outcome::Claim(claim)) if outcomes.is_empty() => {
                let old = was.into_iter().next().flatten().filter(|_| agreed);
                self.settled.insert(field.clone(), (old, claim));
            }
            _ => {
                let side = |head, standing: Option<&Standing>| Side {
                    head,
                    standing: standing.cloned(),
                };
                self.clashes.push(Clash {
                    field: field.clone(),
                    bases: was,
                    sides: [side(self.heads[0], a), side(self.heads[1], b)],
                });
            }
        }
    }

    /// The fields that are settled by rule, and what they become.
    pub fn settled(&self) -> impl Iterator<Item = (&FieldKey, Option<&FieldValue>)> {
        let settled = self.settled.iter();
        settled.map(|(field, (_, claim))| (field, claim.as_ref().map(|c| &c.value)))
    }

    /// The commit of a merge without conflict: the same from both sides, whoever makes it.
    ///
    /// # Errors
    /// [`Unsettled::Open`] if there are conflicts.
    pub fn commit(&self, dag: &Dag, posting: PostingId) -> Result<Commit, Unsettled> {
        if !self.clashes.is_empty() {
            return Err(Unsettled::Open(
                self.clashes
                    .iter()
                    .map(|clash| clash.field.clone())
                    .collect(),
            ));
        }
        let zero = Clock {
            wall: Micros(0),
            counter: 0,
        };
        let changes = self.settled.iter();
        Ok(Commit {
            posting,
            parents: self.heads.to_vec(),
            author: AuthorId::of_merges(),
            clock: dag.latest_clock(&self.heads).unwrap_or(zero),
            message: String::new(),
            changes: changes
                .map(|(field, (old, claim))| change_to(field, old.clone(), claim.clone()))
                .collect(),
            purpose: Purpose::Merge,
            settled: Vec::new(),
        })
    }

    /// The commit of a merge whose conflicts `author` decided. Without any it is that of
    /// [`Join::commit`].
    ///
    /// # Errors
    /// [`Unsettled`] if a decision is missing, or about something else.
    pub fn resolve(
        &self,
        dag: &Dag,
        posting: PostingId,
        resolutions: &BTreeMap<FieldKey, Resolution>,
        (author, message, now): (AuthorId, String, Micros),
    ) -> Result<Commit, Unsettled> {
        let about = |field: &&FieldKey| self.clashes.iter().any(|clash| clash.field == **field);
        if let Some(other) = resolutions.keys().find(|field| !about(field)) {
            return Err(Unsettled::NoClash(other.clone()));
        }
        if self.clashes.is_empty() {
            return self.commit(dag, posting);
        }
        let open = self.clashes.iter().map(|clash| &clash.field);
        let open: Vec<FieldKey> = open
            .filter(|field| !resolutions.contains_key(field))
            .cloned()
            .collect();
        if !open.is_empty() {
            return Err(Unsettled::Open(open));
        }
        let mut all = self.settled.clone();
        for clash in &self.clashes {
            if let Some(resolution) = resolutions.get(&clash.field) {
                let old = clash.bases.first().cloned().flatten();
                all.insert(clash.field.clone(), (old, clash.decide(resolution)?));
            }
        }
        Ok(Commit {
            posting,
            parents: self.heads.to_vec(),
            author,
            clock: Clock::next(dag.latest_clock(&self.heads), now),
            message,
            changes: all
                .into_iter()
                .map(|(field, (old, claim))| change_to(&field, old, claim))
                .collect(),
            purpose: Purpose::Merge,
            settled: self.clashes.iter().map(Clash::stored).collect(),
        })
    }
}

impl Clash {
    /// What `head` says; `None` if it is no side.
    pub fn side(&self, head: CommitId) -> Option<&Side> {
        self.sides.iter().find(|side| side.head == head)
    }

    /// As it is stored with the commit that settles it.
    pub fn stored(&self) -> Conflict {
        let side = |side: &Side| {
            let value = side.standing.as_ref().map(|s| s.value.clone());
            (side.head, value)
        };
        Conflict {
            field: self.field.clone(),
            bases: self.bases.clone(),
            sides: self.sides.iter().map(side).collect(),
        }
    }

    fn decide(&self, resolution: &Resolution) -> Result<Option<Claim>, Unsettled> {
        match resolution {
            Resolution::Side(head) => {
                let side = self.side(*head).ok_or(Unsettled::NoSide(*head))?;
                Ok(side.standing.as_ref().map(Claim::of))
            }
            Resolution::Base => {
                let base = self.bases.first().cloned().flatten();
                Ok(base.map(Claim::of_person))
            }
            Resolution::Value(value) => Ok(value.clone().map(Claim::of_person)),
        }
    }
}

/// Whether it is a person's.
fn by_person(standing: Option<&Standing>) -> bool {
    standing.is_some_and(|s| s.source == Source::User)
}

/// Whether nothing changed that a reader would call a change: another value, or a person who now says
/// what a machine said.
fn same(a: Option<&Standing>, b: Option<&Standing>) -> bool {
    a.map(|s| &s.value) == b.map(|s| &s.value) && by_person(a) == by_person(b)
}

/// `a` and `b` say the same; of two ways to have found it the surer counts.
fn surer(a: Option<&Standing>, b: Option<&Standing>) -> Option<Claim> {
    let rank = |s: &&Standing| {
        let method = s.method.word();
        (
            s.source == Source::User,
            s.confidence,
            method,
            s.observation,
        )
    };
    a.into_iter().chain(b).max_by_key(rank).map(Claim::of)
}

fn three_way(field: &FieldKey, base: Option<&View<'_>>, sides: &[View<'_>; 2]) -> Outcome {
    let [a, b] = sides.each_ref().map(|side| side.get(field));
    let was = base.and_then(|base| base.get(field));
    let claim = |standing: Option<&Standing>| Outcome::Claim(standing.map(Claim::of));
    if a.map(|s| &s.value) == b.map(|s| &s.value) {
        return Outcome::Claim(surer(a, b));
    }
    if base.is_some() && same(a, was) {
        return claim(b);
    }
    if base.is_some() && same(b, was) {
        return claim(a);
    }
    // Without a common ancestor a side that says nothing has not taken anything back.
    match (base.is_none(), a, b) {
        (true, None, other) | (true, other, None) => return claim(other),
        _ => {}
    }
    match (by_person(a), by_person(b)) {
        // That nothing stands was a person's decision only where a person's value went.
        (true, false) if b.is_some() || !by_person(was) => return claim(a),
        (false, true) if a.is_some() || !by_person(was) => return claim(b),
        _ => {}
    }
    let (Some(a), Some(b)) = (a, b) else {
        return Outcome::Clash;
    };
    let added = sides.each_ref().map(|side| side.added(field, base));
    let joined = join::join(
        was.map(|s| &s.value),
        (&a.value, &added[0]),
        (&b.value, &added[1]),
    );
    match joined {
        Some(joined) => Outcome::Claim(Some(claim_for(joined, a, b))),
        None => Outcome::Clash,
    }
}

/// Who says the joined list: the side that says just that, else both.
fn claim_for(joined: FieldValue, a: &Standing, b: &Standing) -> Claim {
    if joined == a.value {
        return Claim::of(a);
    }
    if joined == b.value {
        return Claim::of(b);
    }
    if a.source == Source::User || b.source == Source::User {
        return Claim::of_person(joined);
    }
    Claim {
        value: joined,
        confidence: a.confidence.min(b.confidence),
        source: a.source.max(b.source),
        method: if a.method.word() <= b.method.word() {
            a.method
        } else {
            b.method
        },
        observation: None,
    }
}
