//! Random editors on random branches against a naive reference, and the laws of merging and undoing.

use super::*;
use crate::{
    card::{Committed, fold_commits},
    commit::{AuthorId, Clock, Commit, Purpose},
    ids::{CommitId, PostingId},
    suggest::judgements,
    time::Micros,
};
use proptest::{prelude::*, sample::Index};
use std::collections::{BTreeMap, BTreeSet};

const POSTING: PostingId = PostingId([7; 16]);
const WORDS: [&str; 4] = ["Lamplighter", "Oriel", "Quill", "Cartographer"];
const SKILLS: [&str; 5] = ["sql", "dbt", "rust", "go", "ink"];

fn fields() -> [FieldKey; 4] {
    [
        FieldKey::Title,
        FieldKey::Company,
        FieldKey::Verdict,
        FieldKey::Skills,
    ]
}

fn author(n: usize) -> AuthorId {
    AuthorId(format!("person-{n}"))
}

fn undo(dag: &Dag, head: CommitId, author: &AuthorId) -> Result<Reversal, Stuck> {
    super::undo(dag, head, &stacks(dag, head, author))
}

fn redo(dag: &Dag, head: CommitId, author: &AuthorId) -> Result<Reversal, Stuck> {
    super::redo(dag, head, &stacks(dag, head, author))
}

fn merge_above(dag: &Dag, head: CommitId, author: &AuthorId) -> Option<CommitId> {
    super::merge_above(dag, head, &stacks(dag, head, author))
}

/// One thing that somebody does on a branch.
#[derive(Debug, Clone)]
enum Deed {
    /// Author, field, value or nothing.
    Edit(usize, usize, Option<Index>),
    /// A run that finds something.
    Run(usize, Index),
    Outcome(usize, Index),
    Undo(usize),
    Redo(usize),
    Restore(usize, Index),
    Branch,
    /// From which branch; which side wins a conflict.
    Merge(Index, bool),
    /// Who takes back which of the merges before it; which side stands.
    Unmerge(usize, Index, bool),
}

#[derive(Debug, Clone)]
struct Turn {
    branch: Index,
    /// Wall clocks of different machines are not in order.
    now: i64,
    deed: Deed,
}

fn turn() -> impl Strategy<Value = Turn> {
    let who = 0..2usize;
    let deed = prop_oneof![
        6 => (who.clone(), 0..4usize, prop::option::weighted(0.8, any::<Index>()))
            .prop_map(|(a, f, v)| Deed::Edit(a, f, v)),
        2 => (0..4usize, any::<Index>()).prop_map(|(f, v)| Deed::Run(f, v)),
        1 => (who.clone(), any::<Index>()).prop_map(|(a, v)| Deed::Outcome(a, v)),
        2 => who.clone().prop_map(Deed::Undo),
        2 => who.clone().prop_map(Deed::Redo),
        1 => (who.clone(), any::<Index>()).prop_map(|(a, v)| Deed::Restore(a, v)),
        2 => (who, any::<Index>(), any::<bool>()).prop_map(|(a, m, s)| Deed::Unmerge(a, m, s)),
        2 => Just(Deed::Branch),
        4 => (any::<Index>(), any::<bool>()).prop_map(|(b, w)| Deed::Merge(b, w)),
    ];
    (any::<Index>(), 0..1_000i64, deed).prop_map(|(branch, now, deed)| Turn { branch, now, deed })
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    prop::collection::vec(turn(), 1..40)
}

fn value(field: &FieldKey, which: Index) -> FieldValue {
    match field {
        FieldKey::Skills => {
            let n = which.index(31) + 1;
            let chosen = SKILLS.iter().enumerate().filter(|(i, _)| n >> i & 1 == 1);
            FieldValue::List(chosen.map(|(_, s)| (*s).to_owned()).collect())
        }
        FieldKey::Verdict => FieldValue::Choice(crate::rules::VERDICTS[which.index(3)].into()),
        _ => FieldValue::Text(WORDS[which.index(WORDS.len())].into()),
    }
}

/// What the reference knows of a version: each field's value and whether a person says so.
type Snapshot = BTreeMap<FieldKey, (FieldValue, bool)>;

/// The DAG, and beside it a snapshot of each version, made without looking at the history.
#[derive(Default)]
struct World {
    dag: Dag,
    branches: Vec<CommitId>,
    snapshots: BTreeMap<CommitId, Snapshot>,
    outcomes: BTreeMap<CommitId, usize>,
}

impl World {
    fn play(turns: &[Turn]) -> Self {
        let mut world = World::default();
        let first = world.commit(None, 0, author(0), Purpose::Plain, "first".into(), vec![]);
        world.branches.push(first);
        for turn in turns {
            world.turn(turn);
        }
        world
    }

    fn commit(
        &mut self,
        head: Option<CommitId>,
        now: i64,
        author: AuthorId,
        purpose: Purpose,
        message: String,
        changes: Vec<FieldChange>,
    ) -> CommitId {
        let parents: Vec<CommitId> = head.into_iter().collect();
        let mut snapshot = head.map(|h| self.snapshots[&h].clone()).unwrap_or_default();
        let mut outcomes = head.map_or(0, |h| self.outcomes[&h]);
        for change in &changes {
            match (&change.field, &change.new) {
                (FieldKey::Outcome, Some(_)) => outcomes += 1,
                (FieldKey::Outcome, None) => outcomes -= 1,
                (field, Some(value)) => {
                    let by_person = change.source == Source::User;
                    snapshot.insert(field.clone(), (value.clone(), by_person));
                }
                (field, None) => drop(snapshot.remove(field)),
            }
        }
        let latest = head.and_then(|h| self.dag.get(h)).map(|c| c.clock);
        let id = self.dag.add(Commit {
            posting: POSTING,
            parents,
            author,
            clock: Clock::next(latest, Micros(now)),
            message,
            changes,
            purpose,
            settled: vec![],
        });
        self.snapshots.insert(id, snapshot);
        self.outcomes.insert(id, outcomes);
        id
    }

    fn turn(&mut self, turn: &Turn) {
        let at = turn.branch.index(self.branches.len());
        let head = self.branches[at];
        let change = |field: &FieldKey, new: Option<FieldValue>, source, method| FieldChange {
            field: field.clone(),
            old: self.snapshots[&head]
                .get(field)
                .map(|(value, _)| value.clone()),
            new,
            confidence: Confidence::new(900),
            source,
            method,
            observation: None,
        };
        let next = match &turn.deed {
            Deed::Edit(who, field, which) => {
                let field = &fields()[*field];
                let new = which.map(|which| value(field, which));
                let edit = change(field, new, Source::User, Method::Manual);
                let note = format!("note {}", turn.now % 3);
                self.commit(
                    Some(head),
                    turn.now,
                    author(*who),
                    Purpose::Plain,
                    note,
                    vec![edit],
                )
            }
            Deed::Run(field, which) => {
                let field = &fields()[*field];
                let held = self.snapshots[&head]
                    .get(field)
                    .is_some_and(|(_, person)| *person);
                if held || *field == FieldKey::Verdict {
                    return;
                }
                let new = Some(value(field, *which));
                let found = change(field, new, Source::Parsing, Method::Pattern);
                let pipeline = AuthorId("pipeline@0".into());
                self.commit(
                    Some(head),
                    turn.now,
                    pipeline,
                    Purpose::Plain,
                    "run".into(),
                    vec![found],
                )
            }
            Deed::Outcome(who, which) => {
                let word = crate::rules::OUTCOMES[which.index(4)];
                let new = Some(FieldValue::Choice(word.into()));
                let happened = change(&FieldKey::Outcome, new, Source::User, Method::Manual);
                let note = format!("note {}", turn.now);
                self.commit(
                    Some(head),
                    turn.now,
                    author(*who),
                    Purpose::Plain,
                    note,
                    vec![happened],
                )
            }
            Deed::Undo(who) => match undo(&self.dag, head, &author(*who)) {
                Ok(back) => self.reverse(head, turn.now, author(*who), back),
                Err(_) => return,
            },
            Deed::Redo(who) => match redo(&self.dag, head, &author(*who)) {
                Ok(back) => self.reverse(head, turn.now, author(*who), back),
                Err(_) => return,
            },
            Deed::Restore(who, which) => {
                let ids: Vec<CommitId> = self.dag.commits().map(|(id, _)| id).collect();
                let version = ids[which.index(ids.len())];
                let Some(back) = restore(&self.dag, head, version, "as it was") else {
                    assert_eq!(self.snapshots[&head], self.snapshots[&version]);
                    return;
                };
                let id = self.reverse(head, turn.now, author(*who), back);
                let values = |s: &Snapshot| -> Vec<(FieldKey, FieldValue)> {
                    s.iter().map(|(f, (v, _))| (f.clone(), v.clone())).collect()
                };
                assert_eq!(
                    values(&self.snapshots[&id]),
                    values(&self.snapshots[&version])
                );
                id
            }
            Deed::Unmerge(who, which, left) => {
                let merges = merges_before(&self.dag, head);
                if merges.is_empty() {
                    return;
                }
                let (merge, sides) = &merges[which.index(merges.len())];
                let keep = sides[usize::from(*left)];
                match unmerge(&self.dag, head, (*merge, keep), "not so") {
                    Ok(back) => self.unmerged(head, (*merge, keep), (*who, turn.now, back)),
                    Err(_) => return,
                }
            }
            Deed::Branch => {
                if self.branches.len() < 4 {
                    self.branches.push(head);
                }
                return;
            }
            Deed::Merge(other, left) => {
                let other = self.branches[other.index(self.branches.len())];
                self.merge(head, other, (*left, turn.now))
            }
        };
        self.branches[at] = next;
    }

    fn reverse(&mut self, head: CommitId, now: i64, author: AuthorId, back: Reversal) -> CommitId {
        self.commit(
            Some(head),
            now,
            author,
            back.purpose,
            back.message,
            back.changes,
        )
    }

    /// Each field that the merge changed on the kept side is what it was there, and no other field differs.
    fn unmerged(
        &mut self,
        head: CommitId,
        (merge, keep): (CommitId, CommitId),
        (who, now, back): (usize, i64, Reversal),
    ) -> CommitId {
        let id = self.reverse(head, now, author(who), back);
        let of = |version: &CommitId, field: &FieldKey| self.snapshots[version].get(field).cloned();
        for field in fields() {
            let (made, kept) = (of(&merge, &field), of(&keep, &field));
            let value = |said: Option<(FieldValue, bool)>| said.map(|(value, _)| value);
            match made == kept {
                true => assert_eq!(of(&id, &field), of(&head, &field), "{field}"),
                false => assert_eq!(value(of(&id, &field)), value(kept), "{field}"),
            }
        }
        id
    }

    fn merge(&mut self, ours: CommitId, theirs: CommitId, (left, now): (bool, i64)) -> CommitId {
        let naive = self.naive(ours, theirs);
        let join = match merge(&self.dag, ours, theirs) {
            Merge::Nothing => return ours,
            Merge::Forward => return theirs,
            Merge::Join(join) => join,
        };
        let clashing: BTreeSet<FieldKey> = join.clashes.iter().map(|c| c.field.clone()).collect();
        assert_eq!(clashing, naive.1, "the same fields are in conflict");
        let side = if left { join.heads[0] } else { join.heads[1] };
        let decide = |field: &FieldKey| (field.clone(), Resolution::Side(side));
        let decided: BTreeMap<FieldKey, Resolution> = clashing.iter().map(decide).collect();
        let by = (author(0), String::new(), Micros(now));
        let commit = join.resolve(&self.dag, POSTING, &decided, by).unwrap();
        let mut snapshot = naive.0;
        for field in &clashing {
            match self.snapshots[&side].get(field) {
                Some(said) => drop(snapshot.insert(field.clone(), said.clone())),
                None => drop(snapshot.remove(field)),
            }
        }
        let id = self.dag.add(commit);
        let recorded: BTreeSet<_> = self.line_outcomes(&[ours, theirs]);
        self.outcomes.insert(id, recorded.len());
        self.snapshots.insert(id, snapshot);
        id
    }

    /// Outcomes before these heads that are not undone, by brute force: whoever undid last counts.
    fn line_outcomes(&self, heads: &[CommitId]) -> BTreeSet<CommitId> {
        let mut standing = BTreeSet::new();
        for (id, commit) in self.dag.line(heads) {
            let about = commit.purpose.about().unwrap_or(id);
            for change in commit
                .changes
                .iter()
                .filter(|c| c.field == FieldKey::Outcome)
            {
                match change.new {
                    Some(_) => standing.insert(about),
                    None => standing.remove(&about),
                };
            }
        }
        standing
    }

    /// Everything before a version and itself, the slow way.
    fn before(&self, id: CommitId) -> BTreeSet<CommitId> {
        let mut all = BTreeSet::from([id]);
        for parent in &self.dag.get(id).unwrap().parents {
            all.extend(self.before(*parent));
        }
        all
    }

    /// The merged snapshot, and the fields in conflict.
    fn naive(&self, a: CommitId, b: CommitId) -> (Snapshot, BTreeSet<FieldKey>) {
        let (of_a, of_b) = (self.before(a), self.before(b));
        let common: Vec<CommitId> = of_a.intersection(&of_b).copied().collect();
        let latest = |id: &&CommitId| {
            let others = common.iter().filter(|other| other != id);
            !others.clone().any(|other| self.before(*other).contains(id))
        };
        let bases: Vec<CommitId> = common.iter().filter(latest).copied().collect();
        assert_eq!(self.dag.merge_bases(a, b), bases);
        let (mut merged, mut clashing) = (Snapshot::new(), BTreeSet::new());
        for field in fields() {
            let [x, y] = [a, b].map(|id| self.snapshots[&id].get(&field).cloned());
            let answers: Vec<Option<Option<(FieldValue, bool)>>> = bases
                .iter()
                .map(|base| {
                    let was = self.snapshots[base].get(&field).cloned();
                    let order = |value: &str| self.since(value, [a, b], *base);
                    naive_three_way(was, x.clone(), y.clone(), order)
                })
                .collect();
            let agreed = answers.iter().all(|answer| *answer == answers[0]);
            let both = x.is_some() || y.is_some();
            match answers.into_iter().next().flatten().filter(|_| agreed) {
                Some(Some(value)) => drop(merged.insert(field, value)),
                Some(None) => {}
                None if both => drop(clashing.insert(field)),
                None => {}
            }
        }
        (merged, clashing)
    }

    /// When a skill was added behind `base`, on either side.
    fn since(&self, skill: &str, sides: [CommitId; 2], base: CommitId) -> Option<Clock> {
        let before = self.before(base);
        let behind = sides.iter().flat_map(|side| self.before(*side));
        let behind = behind.filter(|id| !before.contains(id));
        let commits = behind.filter_map(|id| self.dag.get(id));
        let has = |commit: &&Commit| {
            commit.changes.iter().any(|change| match &change.new {
                Some(FieldValue::List(items)) => items.iter().any(|item| item == skill),
                _ => false,
            })
        };
        commits.filter(has).map(|commit| commit.clock).min()
    }
}

/// `None` is a conflict; of the rest `None` is no value.
fn naive_three_way(
    was: Option<(FieldValue, bool)>,
    a: Option<(FieldValue, bool)>,
    b: Option<(FieldValue, bool)>,
    since: impl Fn(&str) -> Option<Clock>,
) -> Option<Option<(FieldValue, bool)>> {
    let value = |side: &Option<(FieldValue, bool)>| side.as_ref().map(|(v, _)| v.clone());
    let person = |side: &Option<(FieldValue, bool)>| side.as_ref().is_some_and(|(_, p)| *p);
    if value(&a) == value(&b) {
        return Some(value(&a).map(|v| (v, person(&a) || person(&b))));
    }
    if a == was {
        return Some(b);
    }
    if b == was {
        return Some(a);
    }
    if person(&a) && !person(&b) && (b.is_some() || !person(&was)) {
        return Some(a);
    }
    if person(&b) && !person(&a) && (a.is_some() || !person(&was)) {
        return Some(b);
    }
    let (Some((FieldValue::List(x), by)), Some((FieldValue::List(y), _))) = (&a, &b) else {
        return None;
    };
    let base = match was {
        Some((FieldValue::List(base), _)) => base,
        _ => vec![],
    };
    let kept = base
        .iter()
        .filter(|item| x.contains(item) && y.contains(item));
    let mut joined: Vec<String> = kept.cloned().collect();
    let new = x.iter().chain(y).filter(|item| !base.contains(item));
    let mut new: Vec<(Option<Clock>, String)> =
        new.map(|item| (since(item), item.clone())).collect();
    new.sort();
    new.dedup();
    joined.extend(new.into_iter().map(|(_, item)| item));
    (!joined.is_empty()).then_some(Some((FieldValue::List(joined), *by)))
}

/// The merges before a version, with their sides.
fn merges_before(dag: &Dag, head: CommitId) -> Vec<(CommitId, Vec<CommitId>)> {
    let line = dag.line(&[head]).into_iter();
    line.filter(|(_, commit)| commit.purpose == Purpose::Merge)
        .map(|(id, commit)| (id, commit.parents.clone()))
        .collect()
}

fn seen(dag: &Dag, id: CommitId) -> Snapshot {
    let values = dag.state(&[id]).values.into_iter();
    values
        .map(|(field, s)| (field, (s.value, s.source == Source::User)))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// Every version holds what the reference says, however it came about.
    #[test]
    fn random_editors_agree_with_the_reference(turns in turns()) {
        let world = World::play(&turns);
        for (id, snapshot) in &world.snapshots {
            prop_assert_eq!(&seen(&world.dag, *id), snapshot);
            prop_assert_eq!(world.dag.state(&[*id]).outcomes.len(), world.outcomes[id]);
        }
    }

    /// A merge is the same commit from both sides; merged again it changes nothing; no field is lost.
    #[test]
    fn merging_is_commutative_and_idempotent_and_loses_nothing(turns in turns()) {
        let world = World::play(&turns);
        for (a, b) in world.branches.iter().flat_map(|a| world.branches.iter().map(move |b| (*a, *b))) {
            let Merge::Join(join) = merge(&world.dag, a, b) else {
                prop_assert!(world.dag.is_ancestor(a, b) || world.dag.is_ancestor(b, a));
                continue;
            };
            prop_assert_eq!(&Merge::Join(join.clone()), &merge(&world.dag, b, a));
            let decided = |clash: &Clash| (clash.field.clone(), Resolution::Side(a));
            let decided: BTreeMap<FieldKey, Resolution> = join.clashes.iter().map(decided).collect();
            let by = |n| (author(n), String::new(), Micros(5));
            let commit = join.resolve(&world.dag, POSTING, &decided, by(0)).unwrap();
            if join.clashes.is_empty() {
                // Whoever makes it, whenever.
                let other = (author(1), "mine".into(), Micros(7));
                let again = join.resolve(&world.dag, POSTING, &decided, other).unwrap();
                prop_assert_eq!(commit.id(), again.id());
            } else {
                prop_assert!(join.commit(&world.dag, POSTING).is_err());
            }
            let mut dag = world.dag.clone();
            let merged = dag.add(commit);
            for side in [a, b] {
                prop_assert_eq!(merge(&dag, merged, side), Merge::Nothing);
                prop_assert_eq!(merge(&dag, side, merged), Merge::Forward);
            }
            let state = dag.state(&[merged]);
            let bases = join.bases.iter().map(|base| dag.state(&[*base])).collect::<Vec<_>>();
            for side in [a, b] {
                for field in dag.state(&[side]).values.keys() {
                    let taken_back = bases.iter().any(|base| base.values.contains_key(field));
                    let clashed = join.clashes.iter().any(|clash| clash.field == *field);
                    prop_assert!(state.values.contains_key(field) || taken_back || clashed);
                }
            }
        }
    }

    /// The order in which commits were stored is nobody's business.
    #[test]
    fn the_fold_does_not_depend_on_the_order_of_storing(turns in turns(), seed in any::<u64>()) {
        let world = World::play(&turns);
        let heads = world.branches.clone();
        let mut stored: Vec<(CommitId, Commit)> = world.dag.commits().map(|(id, c)| (id, c.clone())).collect();
        stored.sort_by_key(|(id, _)| blake3::hash(&[&id.0[..], &seed.to_le_bytes()].concat()).to_hex());
        let other = Dag::new(stored);
        prop_assert_eq!(other.state(&heads), world.dag.state(&heads));
        // Nor does it take part in it what is no ancestor.
        for head in heads {
            let alone = Dag::new(world.dag.line(&[head]).into_iter().map(|(id, c)| (id, c.clone())));
            prop_assert_eq!(alone.state(&[head]), world.dag.state(&[head]));
        }
    }

    /// Undo, then redo, is as if nothing had been; undoing all the way is unlimited and ends.
    #[test]
    fn redo_after_undo_changes_nothing(turns in turns(), who in 0..2usize) {
        let mut world = World::play(&turns);
        let head = world.branches[0];
        let mut now = head;
        let mut states = vec![world.dag.state(&[now])];
        while let Ok(back) = undo(&world.dag, now, &author(who)) {
            let Purpose::Undo(target) = back.purpose else { panic!("{back:?}") };
            let touched: Vec<FieldKey> = back.changes.iter().map(|c| c.field.clone()).collect();
            now = world.reverse(now, 0, author(who), back);
            let after = seen(&world.dag, now);
            let meant = match world.dag.get(target).unwrap() {
                // One that was taken back and done again: what stood before that.
                merge if merge.purpose == Purpose::Merge => {
                    let line = world.dag.line(&[now]);
                    let redone = line.iter().rev().find(|(_, c)| c.purpose == Purpose::Redo(target));
                    redone.unwrap().1
                }
                commit => commit,
            };
            let parents = meant.parents.clone();
            let before = parents.first().map(|p| seen(&world.dag, *p)).unwrap_or_default();
            for field in touched {
                prop_assert_eq!(after.get(&field), before.get(&field), "{}", field);
            }
            states.push(world.dag.state(&[now]));
        }
        let undone = states.len() - 1;
        prop_assert!(stacks(&world.dag, now, &author(who)).redo.len() >= undone);
        states.pop();
        for _ in 0..undone {
            let again = redo(&world.dag, now, &author(who)).unwrap();
            now = world.reverse(now, 0, author(who), again);
            let (then, now) = (states.pop().unwrap(), world.dag.state(&[now]));
            prop_assert_eq!(compare(&then, &now), vec![]);
            prop_assert_eq!(then.verdict, now.verdict);
            prop_assert_eq!(then.outcomes.len(), now.outcomes.len());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_200, ..ProptestConfig::default() })]

    /// A merge that is taken back, done again and taken back again stands as after the first time; and it is refused just
    /// where a field that it brought is another by now.
    #[test]
    fn a_merge_is_taken_back_by_field_or_refused(turns in turns(), which in any::<Index>(), left in any::<bool>()) {
        let mut world = World::play(&turns);
        let head = world.branches[which.index(world.branches.len())];
        let merges = merges_before(&world.dag, head);
        // A quarter of the histories have one.
        if merges.is_empty() {
            return Ok(());
        }
        let (merge, sides) = &merges[which.index(merges.len())];
        let (merge, keep) = (*merge, sides[usize::from(left)]);
        let [made, kept, now] = [merge, keep, head].map(|id| world.snapshots[&id].clone());
        let brought: Vec<FieldKey> = fields().into_iter().filter(|f| made.get(f) != kept.get(f)).collect();
        let line = world.dag.line(&[head]);
        let last = line.iter().rev().find(|(_, c)| matches!(c.purpose, Purpose::Undo(id) | Purpose::Redo(id) if id == merge));
        let last = last.map(|(id, commit)| (*id, commit.purpose));
        let me = author(7);
        match unmerge(&world.dag, head, (merge, keep), "not so") {
            Ok(back) => {
                prop_assert!(!brought.is_empty());
                for field in &brought {
                    prop_assert_eq!(now.get(field), made.get(field), "what it brought stands: {}", field);
                }
                let undone = world.unmerged(head, (merge, keep), (7, 5, back));
                prop_assert_eq!(unmerge(&world.dag, undone, (merge, keep), ""), Err(Stuck::TakenBack));
                let again = redo(&world.dag, undone, &me).unwrap();
                let redone = world.reverse(undone, 6, me.clone(), again);
                let stands = seen(&world.dag, redone);
                for field in &brought {
                    prop_assert_eq!(stands.get(field), made.get(field), "{}", field);
                }
                let back = undo(&world.dag, redone, &me).unwrap();
                prop_assert_eq!(back.purpose, Purpose::Undo(merge));
                let again = world.reverse(redone, 7, me, back);
                prop_assert_eq!(compare(&world.dag.state(&[undone]), &world.dag.state(&[again])), vec![]);
            }
            Err(Stuck::BroughtNothing) => prop_assert!(brought.is_empty()),
            Err(Stuck::TakenBack) => prop_assert!(matches!(last, Some((_, Purpose::Undo(_))))),
            Err(Stuck::ChangedSince { field, .. }) => {
                // The same word with another note, or said by another machine, is another verdict or value too.
                prop_assert!(brought.contains(&field));
                let again = last.map(|(id, _)| id);
                let again = again.filter(|id| world.dag.touches(*id).iter().any(|touch| touch.0 == field));
                let then = again.unwrap_or(merge);
                let [then, now] = [then, head].map(|id| world.dag.state(&[id]));
                let said = |state: &Committed| state.values.get(&field).map(|s| (s.value.clone(), s.source));
                prop_assert!(said(&then) != said(&now) || then.verdict != now.verdict);
            }
            Err(other) => prop_assert!(false, "{:?}", other),
        }
    }
}

/// The outlines of all of it, with these bodies filled in.
fn partly(whole: &Dag, needs: impl IntoIterator<Item = CommitId>) -> Dag {
    let outlines = whole
        .commits()
        .map(|(id, commit)| (id, Outline::of(commit)));
    let mut dag = Dag::of_outlines(POSTING, outlines);
    for id in needs {
        assert!(!dag.is_whole(id));
        dag.fill(id, whole.get(id).unwrap().clone());
        assert!(dag.is_whole(id));
    }
    dag
}

/// The commits before a version, itself included, that somebody's clock put before a moment.
fn known(dag: &Dag, version: CommitId, until: Micros) -> Vec<(CommitId, &Commit)> {
    let mut line = dag.line(&[version]);
    line.retain(|(_, commit)| commit.clock.wall <= until);
    line
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// Outlines and the bodies that a question is said to need give the answer that all of them give; others that are
    /// there by chance do not change it.
    #[test]
    fn an_answer_needs_no_more_than_it_says(turns in turns(), other in any::<Index>(), who in 0..2usize) {
        let whole = World::play(&turns).dag;
        let ids: Vec<CommitId> = whole.commits().map(|(id, _)| id).collect();
        let chance = *other.get(&ids);
        let filled = |mut needs: BTreeSet<CommitId>, more: bool| {
            if more {
                needs.insert(chance);
            }
            partly(&whole, needs)
        };
        let bare = partly(&whole, []);
        for (id, more) in ids.iter().flat_map(|id| [(*id, false), (*id, true)]) {
            let dag = filled(bare.needs_of_state(id), more);
            prop_assert_eq!(dag.state(&[id]), whole.state(&[id]));
            let dag = filled(&bare.needs_of_values(id) | &bare.needs_of_values(chance), more);
            let compared = |dag: &Dag| compare(&dag.state(&[id]), &dag.state(&[chance]));
            prop_assert_eq!(compared(&dag), compared(&whole));
            let dag = filled(bare.needs_of_merge(id, chance), more);
            prop_assert_eq!(merge(&dag, id, chance), merge(&whole, id, chance));
            let by = author(who);
            let dag = filled(bare.needs_of_reversal(id, &stacks(&bare, id, &by), false), more);
            prop_assert_eq!(undo(&dag, id, &by), undo(&whole, id, &by));
            let dag = filled(bare.needs_of_reversal(id, &stacks(&bare, id, &by), true), more);
            prop_assert_eq!(redo(&dag, id, &by), redo(&whole, id, &by));
            for (merge, keep) in merges_before(&whole, id).into_iter().flat_map(|(m, sides)| sides.into_iter().map(move |s| (m, s))) {
                let dag = filled(bare.needs_of_unmerge(id, (merge, keep)), more);
                let back = |dag: &Dag| unmerge(dag, id, (merge, keep), "back");
                prop_assert_eq!(back(&dag), back(&whole));
            }
            let dag = filled(bare.needs_of_restore(id, chance), more);
            prop_assert_eq!(restore(&dag, id, chance, "back"), restore(&whole, id, chance, "back"));
            let judged = |dag: &Dag| judgements(dag.line(&[id]).into_iter().map(|(_, commit)| commit));
            let dag = filled(bare.needs_of_judgements(id), more);
            prop_assert_eq!(judged(&dag), judged(&whole));
            // As it was known at some moment: a part of the line that is no version.
            let until = whole.get(chance).unwrap().clock.wall;
            let dag = filled(bare.needs_of(&known(&bare, id, until)), more);
            let fold = |dag: &Dag| fold_commits(known(dag, id, until).into_iter().map(|(_, commit)| commit));
            prop_assert_eq!(fold(&dag), fold(&whole));
        }
    }
}

proptest! {
    /// In whatever order commits come, and however many are there before the others are added: it is one history. What it
    /// was cloned from stays as it is.
    #[test]
    fn a_history_that_grows_is_the_one_made_at_once(turns in turns(), seed in any::<u64>(), cut in any::<Index>()) {
        let whole = World::play(&turns).dag;
        let mut all: Vec<(CommitId, Outline)> = whole.commits().map(|(id, c)| (id, Outline::of(c))).collect();
        let jumble = |id: &CommitId| u64::from_le_bytes(id.0[..8].try_into().unwrap()).wrapping_mul(seed | 1);
        match seed % 4 {
            0 => all.sort_by_key(|(id, _)| jumble(id)),
            1 => all.sort_by_key(|(id, outline)| (outline.clock, *id)),
            2 => {}
            _ => {
                // By chance, but parents first: as commits come.
                all.sort_by_key(|(id, _)| jumble(id));
                let mut came: Vec<(CommitId, Outline)> = Vec::new();
                while !all.is_empty() {
                    let here = |parent: &CommitId| came.iter().any(|(id, _)| id == parent);
                    let next = all.iter().position(|(_, outline)| outline.parents.iter().all(here));
                    came.push(all.remove(next.unwrap()));
                }
                all = came;
            }
        }
        let cut = cut.index(all.len());
        let begun = Dag::of_outlines(POSTING, all[..cut].to_vec());
        let at_first: Vec<CommitId> = begun.commits().map(|(id, _)| id).collect();
        let mut grown = begun.clone();
        grown.reserve(cut % 3);
        if let Some((id, _)) = all[..cut].first() {
            grown.fill(*id, whole.get(*id).unwrap().clone());
        }
        let step = 1 + (seed >> 8) as usize % 7;
        for some in all[cut..].chunks(step).chain([&all[..cut]]) {
            grown.add_outlines(POSTING, some.to_vec());
        }
        prop_assert_eq!(begun.commits().map(|(id, _)| id).collect::<Vec<_>>(), at_first);
        prop_assert_eq!((grown.len(), grown.heads()), (whole.len(), whole.heads()));
        for (new, old) in grown.commits().zip(whole.commits()) {
            prop_assert_eq!((new.0, &new.1.parents, new.1.clock), (old.0, &old.1.parents, old.1.clock));
            prop_assert_eq!(grown.ancestors(&[new.0]), whole.ancestors(&[new.0]));
            prop_assert_eq!(grown.touches(new.0), whole.touches(new.0));
            let line = |dag: &Dag| dag.outlines(Some(new.0)).map(|(id, _, touches)| (id, touches.into_owned())).collect::<Vec<_>>();
            prop_assert_eq!(line(&grown), line(&whole));
            prop_assert_eq!(grown.is_whole(new.0), cut > 0 && new.0 == all[0].0);
            if grown.is_whole(new.0) {
                prop_assert_eq!(new.1, old.1);
            }
        }
    }
}

/// Two thousand edits of one field, and a word on it that is taken back: two bodies tell what stands.
#[test]
fn a_long_history_needs_few_bodies() {
    let mut whole = Dag::default();
    let mut head = edit(&mut whole, None, 0, (FieldKey::Title, "Baker"));
    for n in 0..2_000 {
        head = edit(
            &mut whole,
            Some(head),
            n % 2,
            (FieldKey::Title, &format!("Baker {n}")),
        );
    }
    let back = undo(&whole, head, &author(1)).unwrap();
    let undone = whole.add(Commit {
        parents: vec![head],
        author: author(1),
        clock: Clock::next(whole.latest_clock(&[head]), Micros(1)),
        changes: back.changes,
        purpose: back.purpose,
        ..whole.get(head).unwrap().clone()
    });
    assert_eq!(whole.needs_of_state(head).len(), 1);
    assert_eq!(
        whole.needs_of_state(undone).len(),
        2,
        "and who said it first"
    );
    assert!(
        whole
            .needs_of_reversal(undone, &stacks(&whole, undone, &author(0)), false)
            .len()
            <= 4
    );
}

fn edit(
    dag: &mut Dag,
    head: Option<CommitId>,
    who: usize,
    (field, new): (FieldKey, &str),
) -> CommitId {
    let parents: Vec<CommitId> = head.into_iter().collect();
    let clock = Clock::next(dag.latest_clock(&parents), Micros(1));
    dag.add(Commit {
        posting: POSTING,
        parents,
        author: author(who),
        clock,
        message: format!("said by {who}"),
        changes: vec![change_to(
            &field,
            None,
            Some(Claim::of_person(FieldValue::Text(new.into()))),
        )],
        purpose: Purpose::Plain,
        settled: vec![],
    })
}

#[test]
fn several_merge_bases_conflict_unless_they_agree() {
    let mut dag = Dag::default();
    let root = edit(&mut dag, None, 0, (FieldKey::Title, "Baker"));
    let left = edit(&mut dag, Some(root), 0, (FieldKey::Title, "Nurse"));
    let right = edit(&mut dag, Some(root), 1, (FieldKey::Company, "Oriel"));
    let cross = |dag: &mut Dag, title: &str| {
        let Merge::Join(join) = merge(dag, left, right) else {
            panic!("no merge")
        };
        let mut commit = join.commit(dag, POSTING).unwrap();
        // Merged on two machines, and one of them went on before it was known.
        commit.message = title.into();
        let id = dag.add(commit);
        edit(dag, Some(id), 0, (FieldKey::Title, title))
    };
    let (a, b) = (cross(&mut dag, "Baker"), cross(&mut dag, "Smith"));
    let bases = dag.merge_bases(a, b);
    assert_eq!(bases, {
        let mut both = vec![left, right];
        both.sort();
        both
    });
    let Merge::Join(join) = merge(&dag, a, b) else {
        panic!("no merge")
    };
    // For one base a is unchanged, for the other both differ: nobody can say.
    assert_eq!(join.clashes.len(), 1);
    assert_eq!(join.clashes[0].bases.len(), 2);
    assert_eq!(join.clashes[0].field, FieldKey::Title);
    let stored = join.clashes[0].stored();
    assert_eq!(
        stored.side(a),
        Some(&Some(FieldValue::Text("Baker".into())))
    );
    assert_eq!(stored.side(root), None);
    let decided = |r: Resolution| [(FieldKey::Title, r)].into();
    let by = || (author(0), "mine".to_owned(), Micros(9));
    let commit = join
        .resolve(&dag, POSTING, &decided(Resolution::Side(b)), by())
        .unwrap();
    assert_eq!(commit.settled, [stored]);
    for (wrong, want) in [
        (decided(Resolution::Side(root)), Unsettled::NoSide(root)),
        (
            [(FieldKey::Company, Resolution::Base)].into(),
            Unsettled::NoClash(FieldKey::Company),
        ),
        ([].into(), Unsettled::Open(vec![FieldKey::Title])),
    ] {
        assert_eq!(join.resolve(&dag, POSTING, &wrong, by()).unwrap_err(), want);
    }
}

#[test]
fn an_undo_is_refused_when_somebody_else_changed_the_field_since() {
    let mut dag = Dag::default();
    let mine = edit(&mut dag, None, 0, (FieldKey::Title, "Baker"));
    let theirs = edit(&mut dag, Some(mine), 1, (FieldKey::Title, "Nurse"));
    let elsewhere = edit(&mut dag, Some(theirs), 1, (FieldKey::Company, "Oriel"));
    let stuck = undo(&dag, elsewhere, &author(0)).unwrap_err();
    assert!(
        matches!(&stuck, Stuck::ChangedSince { field: FieldKey::Title, author, commit, .. }
            if *author == self::author(1) && *commit == theirs),
        "{stuck:?}"
    );
    // Theirs is theirs to undo, and then mine is mine again.
    let back = undo(&dag, theirs, &author(1)).unwrap();
    assert_eq!(back.purpose, Purpose::Undo(theirs));
    let mut commit = dag.get(theirs).unwrap().clone();
    commit.parents = vec![theirs];
    (commit.purpose, commit.changes) = (back.purpose, back.changes);
    let undone = dag.add(commit);
    assert_eq!(
        dag.state(&[undone]).values[&FieldKey::Title].author,
        author(0),
        "said by the one who said it"
    );
    assert_eq!(
        undo(&dag, undone, &author(0)).unwrap().purpose,
        Purpose::Undo(mine)
    );
    assert_eq!(undo(&dag, undone, &author(2)), Err(Stuck::NothingToUndo));
    assert_eq!(redo(&dag, undone, &author(0)), Err(Stuck::NothingToRedo));
}

#[test]
fn a_merge_stands_above_what_was_done_before_it() {
    let mut dag = Dag::default();
    let (me, other) = (author(0), author(1));
    let root = edit(&mut dag, None, 0, (FieldKey::Title, "Baker"));
    let left = edit(&mut dag, Some(root), 0, (FieldKey::Title, "Nurse"));
    let right = edit(&mut dag, Some(root), 1, (FieldKey::Company, "Oriel"));
    assert_eq!(merge_above(&dag, left, &me), None);
    let Merge::Join(join) = merge(&dag, left, right) else {
        panic!("no merge")
    };
    let merged = join.commit(&dag, POSTING).unwrap();
    let merged = dag.add(merged);
    // Of whoever undoes: both edits are below it, and so is nothing at all.
    for who in [&me, &other, &author(5)] {
        assert_eq!(merge_above(&dag, merged, who), Some(merged), "{who:?}");
    }
    assert_eq!(merge_above(&dag, left, &me), None, "not on this branch");
    // Somebody else goes on: for me it is still the merge that comes first.
    let later = edit(&mut dag, Some(merged), 1, (FieldKey::Title, "Quill"));
    assert_eq!(merge_above(&dag, later, &me), Some(merged));
    assert_eq!(merge_above(&dag, later, &other), None);
    // Taken back it is out of the way; done again, it is theirs to undo and above what others did before.
    let back = |dag: &mut Dag, head, purpose, changes| {
        let clock = Clock::next(dag.latest_clock(&[head]), Micros(1));
        dag.add(Commit {
            posting: POSTING,
            parents: vec![head],
            author: author(0),
            clock,
            message: String::new(),
            changes,
            purpose,
            settled: vec![],
        })
    };
    let changes = unmerge(&dag, merged, (merged, left), "").unwrap().changes;
    let undone = back(&mut dag, merged, Purpose::Undo(merged), changes);
    assert_eq!(merge_above(&dag, undone, &me), None);
    assert_eq!(merge_above(&dag, undone, &other), None);
    let changes = redo(&dag, undone, &me).unwrap().changes;
    let redone = back(&mut dag, undone, Purpose::Redo(merged), changes);
    assert_eq!(merge_above(&dag, redone, &me), None, "undo takes it back");
    assert_eq!(merge_above(&dag, redone, &other), Some(merged));
}

#[test]
fn what_is_no_merge_or_no_side_is_said() {
    let mut dag = Dag::default();
    let root = edit(&mut dag, None, 0, (FieldKey::Title, "Baker"));
    let left = edit(&mut dag, Some(root), 0, (FieldKey::Title, "Nurse"));
    let right = edit(&mut dag, Some(root), 1, (FieldKey::Company, "Oriel"));
    let Merge::Join(join) = merge(&dag, left, right) else {
        panic!("no merge")
    };
    let merged = join.commit(&dag, POSTING).unwrap();
    let merged = dag.add(merged);
    for (head, of, stuck) in [
        (merged, (left, root), Stuck::NoMerge),
        (left, (merged, left), Stuck::NoMerge),
        (merged, (merged, root), Stuck::NoSide),
    ] {
        assert_eq!(unmerge(&dag, head, of, ""), Err(stuck));
    }
    // One side had a company too; the other keeps its own title.
    let back = unmerge(&dag, merged, (merged, left), "too early").unwrap();
    assert_eq!(
        (back.changes.len(), back.message.as_str()),
        (1, "too early")
    );
    assert_eq!(back.changes[0].field, FieldKey::Company);
    assert_eq!(back.changes[0].new, None);
    // Somebody went on from what it brought.
    let later = edit(&mut dag, Some(merged), 1, (FieldKey::Company, "Quill"));
    let stuck = unmerge(&dag, later, (merged, left), "").unwrap_err();
    assert!(
        matches!(&stuck, Stuck::ChangedSince { field: FieldKey::Company, commit, .. } if *commit == later),
        "{stuck:?}"
    );
    let by_me = |dag: &mut Dag, head: CommitId, back: Reversal| {
        let clock = Clock::next(dag.latest_clock(&[head]), Micros(1));
        dag.add(Commit {
            posting: POSTING,
            parents: vec![head],
            author: author(3),
            clock,
            message: back.message,
            changes: back.changes,
            purpose: back.purpose,
            settled: vec![],
        })
    };
    // The other side's title goes; done again, what was said of the company since stays.
    let back = unmerge(&dag, later, (merged, right), "").unwrap();
    let undone = by_me(&mut dag, later, back);
    let title = |dag: &Dag, id: CommitId| dag.state(&[id]).values[&FieldKey::Title].value.display();
    assert_eq!(title(&dag, undone), "Baker");
    let again = redo(&dag, undone, &author(3)).unwrap();
    let redone = by_me(&mut dag, undone, again);
    assert_eq!(title(&dag, redone), "Nurse");
    let company = dag.state(&[redone]).values[&FieldKey::Company]
        .value
        .display();
    assert_eq!(company, "Quill");
    // Done again, it is still not what the merge brought to the other side.
    let stuck = unmerge(&dag, redone, (merged, left), "").unwrap_err();
    assert!(
        matches!(&stuck, Stuck::ChangedSince { field: FieldKey::Company, commit, .. } if *commit == later),
        "{stuck:?}"
    );
    let back = undo(&dag, redone, &author(3)).unwrap();
    let undone = by_me(&mut dag, redone, back);
    assert_eq!(title(&dag, undone), "Baker");
    let company = dag.state(&[undone]).values[&FieldKey::Company]
        .value
        .display();
    assert_eq!(company, "Quill");
}

#[test]
fn a_merged_verdict_keeps_its_note_and_its_author() {
    let mut dag = Dag::default();
    let root = edit(&mut dag, None, 0, (FieldKey::Title, "Baker"));
    let left = edit(&mut dag, Some(root), 1, (FieldKey::Verdict, "ghost"));
    let right = edit(&mut dag, Some(root), 0, (FieldKey::Company, "Oriel"));
    let Merge::Join(join) = merge(&dag, left, right) else {
        panic!("no merge")
    };
    let merged = join.commit(&dag, POSTING).unwrap();
    let merged = dag.add(merged);
    let line = dag.line(&[merged]);
    let state = fold_commits(line.into_iter().map(|(_, commit)| commit));
    let verdict = state.verdict.unwrap();
    assert_eq!(
        (verdict.note.as_str(), verdict.author),
        ("said by 1", author(1))
    );
    assert_eq!(state.values[&FieldKey::Company].author, author(0));
}

#[test]
fn an_outcome_that_was_redone_on_two_branches_happened_once() {
    let mut dag = Dag::default();
    let root = edit(&mut dag, None, 0, (FieldKey::Title, "Baker"));
    let answered = edit(&mut dag, Some(root), 0, (FieldKey::Outcome, "no-answer"));
    let reverse = |dag: &mut Dag, head: CommitId, now: i64, back: Reversal| {
        dag.add(Commit {
            posting: POSTING,
            parents: vec![head],
            author: author(0),
            clock: Clock::next(dag.get(head).map(|c| c.clock), Micros(now)),
            message: back.message,
            changes: back.changes,
            purpose: back.purpose,
            settled: vec![],
        })
    };
    let back = undo(&dag, answered, &author(0)).unwrap();
    let undone = reverse(&mut dag, answered, 10, back);
    assert!(dag.state(&[undone]).outcomes.is_empty());
    let [left, right] = [20, 30].map(|now| {
        let again = redo(&dag, undone, &author(0)).unwrap();
        reverse(&mut dag, undone, now, again)
    });
    let Merge::Join(join) = merge(&dag, left, right) else {
        panic!("no merge")
    };
    let merged = join.commit(&dag, POSTING).unwrap();
    let merged = dag.add(merged);
    assert_eq!(dag.state(&[merged]).outcomes.len(), 1);
    // And taken back once, it is gone.
    let back = undo(&dag, merged, &author(0)).unwrap();
    let gone = reverse(&mut dag, merged, 40, back);
    assert!(dag.state(&[gone]).outcomes.is_empty());
}
