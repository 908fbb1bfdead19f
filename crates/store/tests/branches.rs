//! Branches in bundles: taken as they are where there are none, moved along their own history where there are, and never
//! away from what is checked out.
#![allow(clippy::unwrap_used)]

mod support;

use ghostlight_model::{
    CommitId, Micros, PostingId,
    bundle::{BranchPiece, BranchesPiece, Piece},
};
use ghostlight_store::{Store, history::Branch};
use std::ops::ControlFlow;
use support::{
    DAY,
    bundles::{analyse, branch, decide, import, pieces, switch},
    dump, open,
};
use tempfile::TempDir;

/// A folder with a posting, and another that has taken it over.
struct Two {
    _folders: [TempDir; 2],
    here: Store,
    there: Store,
    posting: PostingId,
    first: CommitId,
}

fn two() -> Two {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let (here, there) = (open(folders[0].path()), open(folders[1].path()));
    let posting = analyse(&here, "a", 1, ("Lamplighter", DAY));
    import(&there, pieces(&here, &[posting])).unwrap();
    let first = here.branches(posting).unwrap()[0].head;
    Two {
        _folders: folders,
        here,
        there,
        posting,
        first,
    }
}

impl Two {
    /// `there` takes over what `here` has; whether it went on in both places.
    fn take(&self) -> bool {
        let done = import(&self.there, pieces(&self.here, &[self.posting])).unwrap();
        done.forked.contains_key(&self.posting)
    }

    fn decide(&self, store: &Store, words: &str, n: i64) -> CommitId {
        decide(store, self.posting, words, (words, DAY + n))
    }

    fn there(&self) -> Vec<(String, CommitId, bool)> {
        of(&self.there, self.posting)
    }

    fn title(&self, store: &Store) -> String {
        store.posting(self.posting).unwrap().unwrap().summary.title
    }
}

/// Name, head and whether it is checked out.
fn of(store: &Store, posting: PostingId) -> Vec<(String, CommitId, bool)> {
    let all = store.branches(posting).unwrap().into_iter();
    all.map(|branch| (branch.name, branch.head, branch.current))
        .collect()
}

fn rows(wanted: &[(&str, CommitId, bool)]) -> Vec<(String, CommitId, bool)> {
    let all = wanted.iter().copied();
    all.map(|(name, head, current)| (name.to_owned(), head, current))
        .collect()
}

#[test]
fn into_an_empty_folder_they_come_as_they_are() {
    let Two {
        here,
        posting,
        first,
        _folders,
        ..
    } = two();
    branch(&here, posting, "try", DAY + 1);
    let tried = decide(&here, posting, "Tried", ("k", DAY + 2));
    for (checkout, wanted) in [
        ("try", [("main", first, false), ("try", tried, true)]),
        ("main", [("main", first, true), ("try", tried, false)]),
    ] {
        switch(&here, posting, checkout);
        let folder = tempfile::tempdir().unwrap();
        let other = open(folder.path());
        let done = import(&other, pieces(&here, &[posting])).unwrap();
        assert!(done.forked.is_empty());
        assert_eq!(of(&other, posting), rows(&wanted));
        let all = |store: &Store| -> Vec<Branch> { store.branches(posting).unwrap() };
        assert_eq!(all(&other), all(&here));
        let title = |store: &Store| store.posting(posting).unwrap().unwrap().summary.title;
        assert_eq!(title(&other), title(&here));
    }
}

#[test]
fn an_unmerged_branch_there_moves_nothing_here() {
    let two = two();
    branch(&two.here, two.posting, "try", DAY + 1);
    let tried = two.decide(&two.here, "Tried", 2);
    assert!(!two.take());
    let (main, tried) = (("main", two.first, true), ("try", tried, false));
    assert_eq!(two.there(), rows(&[main, tried]));
    assert_eq!(two.title(&two.there), "Lamplighter");
    // What is merged there moves along, and what is checked out there is theirs to say.
    switch(&two.here, two.posting, "main");
    let decided = two.decide(&two.here, "Decided", 3);
    switch(&two.here, two.posting, "try");
    assert!(!two.take());
    assert_eq!(two.there(), rows(&[("main", decided, true), tried]));
    assert_eq!(two.title(&two.there), "Decided");
}

#[test]
fn what_is_ahead_here_stays() {
    let two = two();
    let ours = two.decide(&two.there, "Ours", 1);
    assert!(!two.take());
    assert_eq!(two.there(), rows(&[("main", ours, true)]));
    // A branch of that place is made, as that folder has it.
    branch(&two.here, two.posting, "try", DAY + 2);
    assert!(!two.take());
    let all = [("main", ours, true), ("try", two.first, false)];
    assert_eq!(two.there(), rows(&all));
}

#[test]
fn of_two_that_went_on_the_other_end_gets_a_name_that_says_so() {
    let two = two();
    branch(&two.here, two.posting, "try", DAY + 1);
    two.take();
    let theirs = two.decide(&two.here, "Theirs", 2);
    switch(&two.there, two.posting, "try");
    let ours = two.decide(&two.there, "Ours", 3);
    let main = ("main", two.first, false);
    let wanted = [main, ("imported-try", theirs, false), ("try", ours, true)];
    let sorted = |mut all: Vec<(String, CommitId, bool)>| {
        all.sort();
        all
    };
    for _ in 0..2 {
        // The same again is told again, and makes no other branch.
        assert!(two.take());
        assert_eq!(two.there(), sorted(rows(&wanted)));
        assert_eq!(two.title(&two.there), "Ours");
    }
    // It goes on where the import put it.
    let next = two.decide(&two.here, "Theirs again", 4);
    assert!(two.take());
    let wanted = [main, ("imported-try", next, false), ("try", ours, true)];
    assert_eq!(two.there(), sorted(rows(&wanted)));
    // Not while it is checked out: a card changes by no import of another branch.
    switch(&two.there, two.posting, "imported-try");
    let last = two.decide(&two.here, "Theirs at last", 5);
    assert!(two.take());
    let wanted = [
        main,
        ("imported-try", next, true),
        ("imported-try-2", last, false),
        ("try", ours, false),
    ];
    assert_eq!(two.there(), sorted(rows(&wanted)));
    assert_eq!(two.title(&two.there), "Theirs again");
}

#[test]
fn a_bundle_without_branches_goes_by_the_ends() {
    let two = two();
    branch(&two.here, two.posting, "try", DAY + 1);
    let tried = two.decide(&two.here, "Tried", 2);
    let mut older = pieces(&two.here, &[two.posting]);
    older.retain(|piece| !matches!(piece, Piece::Branches(_)));
    let folder = tempfile::tempdir().unwrap();
    let other = open(folder.path());
    for store in [&two.there, &other] {
        assert!(import(store, older.clone()).unwrap().forked.is_empty());
        assert_eq!(of(store, two.posting), rows(&[("main", tried, true)]));
    }
}

#[test]
fn branches_that_cannot_be_are_refused_and_nothing_is_kept() {
    let two = two();
    let other = analyse(&two.here, "b", 2, ("Weaver", DAY + 5));
    let elsewhere = two.here.branches(other).unwrap()[0].head;
    two.decide(&two.here, "Theirs", 6);
    let sound = pieces(&two.here, &[two.posting]);
    let before = dump(two._folders[1].path());
    let changed = |change: &dyn Fn(&mut BranchesPiece)| {
        let mut all = sound.clone();
        match all.last_mut() {
            Some(Piece::Branches(branches)) => change(branches),
            other => panic!("{other:?}"),
        }
        all
    };
    let twice = [sound.clone(), sound[sound.len() - 1..].to_vec()].concat();
    for (pieces, words) in [
        (
            changed(&|b| b.branches[0].name = "a b".into()),
            "cannot be a branch's name",
        ),
        (
            changed(&|b| b.branches.push(b.branches[0].clone())),
            "is there twice",
        ),
        (
            changed(&|b| b.branches[0].head = CommitId([9; 32])),
            "which is missing",
        ),
        (
            changed(&|b| b.branches[0].head = elsewhere),
            "which is missing",
        ),
        (changed(&|b| b.posting = other), "not in the bundle"),
        (twice, "are there twice"),
    ] {
        let refused = import(&two.there, pieces).unwrap_err();
        assert_eq!(refused.code(), "refused", "{words}: {refused}");
        assert!(refused.to_string().contains(words), "{words}: {refused}");
        assert_eq!(dump(two._folders[1].path()), before, "{words}");
    }
    // There is room for a hundred: none is left out silently.
    let crowd = |names: usize| {
        changed(&|b| {
            let made = (1..names).map(|n| BranchPiece {
                name: format!("b{n}"),
                head: b.branches[0].head,
                created: Micros(DAY),
            });
            let made: Vec<BranchPiece> = made.collect();
            b.branches.extend(made);
        })
    };
    branch(&two.there, two.posting, "own", DAY + 7);
    let before = dump(two._folders[1].path());
    let refused = import(&two.there, crowd(100)).unwrap_err();
    assert_eq!(refused.code(), "declined", "{refused}");
    assert!(
        refused.to_string().contains("more than 100 branches"),
        "{refused}"
    );
    assert_eq!(dump(two._folders[1].path()), before);
    import(&two.there, crowd(99)).unwrap();
    assert_eq!(two.there().len(), 100);
}

#[test]
fn versions_are_read_one_by_one() {
    let two = two();
    let last = two.decide(&two.here, "Theirs", 1);
    let connection = rusqlite::Connection::open(two.here.path()).unwrap();
    let broken = "UPDATE \"commit\" SET body = 'x' WHERE id = ?1";
    assert_eq!(connection.execute(broken, [last.0]).unwrap(), 1);
    let snapshot = two.here.snapshot().unwrap();
    let mut versions = Vec::new();
    let taken = snapshot.pieces(&[two.posting], &mut |piece| match piece {
        Piece::Commit(commit) => {
            versions.push(commit.id);
            ControlFlow::Break(())
        }
        _ => ControlFlow::Continue(()),
    });
    // Who stops at the first one has read no other.
    taken.unwrap();
    assert_eq!(versions, [two.first]);
    let all = snapshot.pieces(&[two.posting], &mut |_| ControlFlow::Continue(()));
    assert!(all.is_err());
}
