//! One posting's history: runs, edits by several people, branches, merges, undo, redo and going back, made by the rules
//! that the application itself goes by (`ghostlight_model::history`).

use crate::{
    dice::Dice,
    run::{self, Seen},
    words,
};
use ghostlight_model::{
    CommitId, FieldKey, FieldValue, Micros, Observation, PostingId, Source,
    bundle::{CommitPiece, Piece, PostingPiece},
    commit::{AuthorId, Clock, Commit, FieldChange, Purpose},
    history::{Dag, Merge, Resolution, Reversal, merge, redo, restore, stacks, undo},
    keys::PostingKey,
    observation::{Confidence, Method},
};
use std::collections::BTreeMap;

/// 2024-01-01, in microseconds: nothing here reads the clock.
const BEGIN: i64 = 1_704_067_200_000_000;
/// The time that histories take: two years.
const SPAN_US: i64 = 730 * 86_400_000_000;
/// Beyond so many commits undoing, going back and merging become rarer: each looks at the whole history, so making a
/// long one would take the square of its length.
const LOOKS: usize = 200;
/// Branches of a posting that are not merged, at a time.
const OPEN_MAX: usize = 4;

/// What there is to make.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// The seed of everything.
    pub seed: u64,
    /// Which posting, from 0.
    pub number: u64,
    /// Field changes, or a few more.
    pub changes: u64,
}

/// A posting with everything that is known of it.
pub struct Made {
    /// Which.
    pub posting: PostingId,
    /// In the order in which an import takes them.
    pub pieces: Vec<Piece>,
    /// Field changes.
    pub changes: u64,
    /// Commits.
    pub commits: u64,
}

/// A branch as it stands.
#[derive(Clone)]
struct Branch {
    head: CommitId,
    /// The last change of each field that stands.
    values: BTreeMap<FieldKey, FieldChange>,
    /// Its own versions.
    versions: Vec<CommitId>,
}

struct Making {
    wanted: Wanted,
    dice: Dice,
    employer: String,
    url: String,
    key: PostingKey,
    posting: PostingId,
    now: i64,
    step_us: i64,
    latest: Option<Clock>,
    dag: Dag,
    branches: Vec<Branch>,
    stated: BTreeMap<FieldKey, FieldValue>,
    runs: u64,
    commits: Vec<(CommitId, Option<String>)>,
    changes: u64,
    pieces: Vec<Piece>,
}

/// Makes a posting's history.
pub fn make(wanted: Wanted) -> Made {
    let mut dice = Dice::of(wanted.seed, wanted.number);
    let employer = words::employer(&mut dice);
    let url = format!(
        "https://careers.{}.example/jobs/{}",
        words::slug(&employer),
        wanted.number
    );
    let key = PostingKey::Url(url.clone());
    let posting = key.posting_id();
    let mut making = Making {
        now: BEGIN + (dice.roll() % (SPAN_US as u64 / 4)) as i64,
        step_us: (SPAN_US / 2 / (wanted.changes.max(1) as i64))
            .clamp(1_000_000, 7 * 86_400_000_000),
        wanted,
        dice,
        employer,
        url,
        key,
        posting,
        latest: None,
        dag: Dag::default(),
        branches: Vec::new(),
        stated: BTreeMap::new(),
        runs: 0,
        commits: Vec::new(),
        changes: 0,
        pieces: Vec::new(),
    };
    let keys = vec![making.key.stored()];
    making
        .pieces
        .push(Piece::Posting(PostingPiece { posting, keys }));
    making.run(0);
    while making.changes < wanted.changes {
        making.deed();
    }
    making.done()
}

impl Making {
    fn deed(&mut self) {
        self.now += 1 + (self.dice.roll() % (2 * self.step_us) as u64) as i64;
        let at = self.dice.below(self.branches.len());
        // A page is read again now and then, however often people edit in between.
        let many_runs = self.runs * 70 > self.changes;
        // What looks at the whole history becomes rarer as that grows, as it does with people.
        let looks = self.dice.below(self.commits.len().max(1)) < LOOKS;
        match self.dice.below(100) {
            0..=2 if !many_runs => self.run(at),
            63.. if !looks => self.edit(at),
            0..=62 => self.edit(at),
            63..=66 => self.reverse(at, false),
            67..=69 => self.reverse(at, true),
            70..=94 => self.go_back(at),
            95..=96 => self.fork(at),
            _ => self.merge(at),
        }
    }

    /// A page is read and what it says anew is committed.
    fn run(&mut self, at: usize) {
        let began = Micros(self.now);
        match self.stated.is_empty() {
            true => self.stated = run::first_page(&mut self.dice, &self.employer, began),
            false => run::next_page(&mut self.dice, &mut self.stated, &self.employer, began),
        }
        let name = format!("seed-{}-{}", self.wanted.number, self.runs);
        self.runs += 1;
        let seen = run::read(&mut self.dice, &name, (&self.url, began), &self.stated);
        let standing = self.branches.get(at).map(|branch| &branch.values);
        let changes: Vec<FieldChange> = seen
            .observations
            .iter()
            .filter_map(|o| machine_change(standing, o))
            .collect();
        let commit = match changes.is_empty() {
            true => None,
            false => {
                let by = (AuthorId("pipeline@0.1.0".into()), format!("run {name}"));
                Some(self.commit(at, by, changes, Purpose::Plain, None))
            }
        };
        self.take(seen, commit);
    }

    fn take(&mut self, seen: Seen, commit: Option<CommitId>) {
        seen.pieces(self.posting, &self.key, commit, &mut self.pieces);
    }

    fn edit(&mut self, at: usize) {
        let field = match self.dice.percent(2) {
            true => FieldKey::Outcome,
            false => self.dice.pick(&words::EDITED).clone(),
        };
        let standing = self.branches[at]
            .values
            .get(&field)
            .and_then(|change| change.new.clone());
        let new = match self.dice.percent(4) && standing.is_some() {
            true => None,
            false => Some(words::value(
                &mut self.dice,
                &field,
                &self.employer,
                Micros(self.now),
            )),
        };
        let change = FieldChange {
            field,
            old: standing,
            new,
            confidence: Confidence::FULL,
            source: Source::User,
            method: Method::Manual,
            observation: None,
        };
        let by = (self.somebody(), words::message(&mut self.dice));
        let key = self.key();
        self.commit(at, by, vec![change], Purpose::Plain, Some(key));
    }

    fn reverse(&mut self, at: usize, redoing: bool) {
        let (head, author) = (self.branches[at].head, self.somebody());
        let stacks = stacks(&self.dag, head, &author);
        let back = match redoing {
            true => redo(&self.dag, head, &stacks),
            false => undo(&self.dag, head, &stacks),
        };
        // What cannot be taken back is left as it is, as the application says it.
        if let Ok(back) = back {
            self.come_back(at, author, back);
        }
    }

    fn go_back(&mut self, at: usize) {
        let branch = &self.branches[at];
        let (head, version) = (branch.head, *self.dice.pick(&branch.versions));
        let author = self.somebody();
        let message = words::message(&mut self.dice);
        if let Some(back) = restore(&self.dag, head, version, &message) {
            self.come_back(at, author, back);
        }
    }

    fn come_back(&mut self, at: usize, author: AuthorId, back: Reversal) {
        let key = self.key();
        self.commit(
            at,
            (author, back.message),
            back.changes,
            back.purpose,
            Some(key),
        );
    }

    fn fork(&mut self, at: usize) {
        if self.branches.len() < OPEN_MAX {
            let mut branch = self.branches[at].clone();
            branch.versions = vec![branch.head];
            self.branches.push(branch);
        }
    }

    /// Another branch is merged into this one, and ends.
    fn merge(&mut self, at: usize) {
        let from = self.dice.below(self.branches.len());
        let (ours, theirs) = (self.branches[at].head, self.branches[from].head);
        if at == from {
            return;
        }
        let Merge::Join(join) = merge(&self.dag, ours, theirs) else {
            return;
        };
        let side = |clash: &ghostlight_model::history::Clash| {
            (clash.field.clone(), Resolution::Side(ours))
        };
        let decided = join.clashes.iter().map(side).collect();
        let by = (
            self.somebody(),
            words::message(&mut self.dice),
            Micros(self.now),
        );
        // Every clash is decided for a side that is one.
        if let Ok(commit) = join.resolve(&self.dag, self.posting, &decided, by) {
            let key = self.key();
            self.add(at, commit, Some(key));
            self.branches.remove(from);
        }
    }

    fn commit(
        &mut self,
        at: usize,
        (author, message): (AuthorId, String),
        changes: Vec<FieldChange>,
        purpose: Purpose,
        key: Option<String>,
    ) -> CommitId {
        let head = self.branches.get(at).map(|branch| branch.head);
        let commit = Commit {
            posting: self.posting,
            parents: head.into_iter().collect(),
            author,
            clock: Clock::next(self.latest, Micros(self.now)),
            message,
            changes,
            purpose,
            settled: Vec::new(),
        };
        self.add(at, commit, key)
    }

    fn add(&mut self, at: usize, commit: Commit, key: Option<String>) -> CommitId {
        self.latest = self.latest.max(Some(commit.clock));
        self.changes += commit.changes.len() as u64;
        let changes = commit.changes.clone();
        let id = self.dag.add(commit);
        self.commits.push((id, key));
        if self.branches.is_empty() {
            self.branches.push(Branch {
                head: id,
                values: BTreeMap::new(),
                versions: Vec::new(),
            });
        }
        let branch = &mut self.branches[at];
        branch.head = id;
        branch.versions.push(id);
        for change in changes {
            match change.new {
                Some(_) => branch.values.insert(change.field.clone(), change),
                None => branch.values.remove(&change.field),
            };
        }
        id
    }

    fn somebody(&mut self) -> AuthorId {
        // Most edits of a posting are by two people; a colleague looks in now and then.
        let most = match self.dice.percent(85) {
            true => 2,
            false => words::PEOPLE.len(),
        };
        let first = self.wanted.number as usize;
        let who = (first + self.dice.below(most)) % words::PEOPLE.len();
        AuthorId(words::PEOPLE[who].0.to_owned())
    }

    fn key(&self) -> String {
        format!("seed-{:07}-{:06}", self.wanted.number, self.commits.len())
    }

    fn done(mut self) -> Made {
        let commits = std::mem::take(&mut self.commits);
        let many = commits.len() as u64;
        for (id, key) in commits {
            if let Some(commit) = self.dag.get(id).cloned() {
                self.pieces
                    .push(Piece::Commit(Box::new(CommitPiece { id, key, commit })));
            }
        }
        Made {
            posting: self.posting,
            pieces: self.pieces,
            changes: self.changes,
            commits: many,
        }
    }
}

/// What a run changes: nothing that a person decided, nothing that stands already.
fn machine_change(
    standing: Option<&BTreeMap<FieldKey, FieldChange>>,
    seen: &Observation,
) -> Option<FieldChange> {
    let old = standing.and_then(|standing| standing.get(&seen.field));
    let is_said =
        |old: &FieldChange| old.source == Source::User || old.new.as_ref() == Some(&seen.value);
    match old {
        Some(old) if is_said(old) => None,
        old => Some(FieldChange {
            field: seen.field.clone(),
            old: old.and_then(|old| old.new.clone()),
            new: Some(seen.value.clone()),
            confidence: seen.confidence,
            source: seen.source,
            method: seen.method,
            observation: Some(seen.id()),
        }),
    }
}
