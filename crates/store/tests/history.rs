//! Branches, merges, undo and redo, restoring, and the timeline, on a real database.
#![allow(clippy::unwrap_used)]

mod support;

use ghostlight_model::{
    CommitId, FieldKey, FieldValue, Micros, PostingId, Source,
    commit::{AuthorId, Purpose},
    history::Merge,
};
use ghostlight_store::{
    DATABASE, MAIN, MergeRequest, Merged, NewBranch, PersonChange, RestoreRequest, Store,
    StoreError, TimelineFilter, TimelineParts, Undone, UnmergeRequest, history::MergeChoice,
};
use rusqlite::Connection;
use std::{collections::BTreeMap, path::Path};
use support::*;

/// A store with one posting whose run found a title.
fn filled(folder: &Path) -> (Store, PostingId) {
    let store = open(folder);
    let posting = store.identify(vec![key(1)]).wait().unwrap();
    looked_at(&store, posting, "run-1", "Lamplighter", DAY);
    (store, posting)
}

fn text(words: &str) -> Option<FieldValue> {
    Some(FieldValue::Text(words.into()))
}

fn me() -> AuthorId {
    AuthorId("person-7".into())
}

/// An edit by `person-7`, at a second of the day.
fn edit(
    store: &Store,
    posting: PostingId,
    (field, value): (FieldKey, &str),
    second: i64,
) -> CommitId {
    by(store, posting, (field, text(value)), (me(), second))
}

fn by(
    store: &Store,
    posting: PostingId,
    (field, value): (FieldKey, Option<FieldValue>),
    (author, second): (AuthorId, i64),
) -> CommitId {
    let key = format!("{field}-{author:?}-{second}");
    let change = PersonChange {
        author,
        message: String::new(),
        ..decided(posting, field, value, (&key, DAY + second * 1_000_000))
    };
    store.commit_change(change).wait().unwrap()
}

fn branch(store: &Store, posting: PostingId, name: &str) -> Result<CommitId, StoreError> {
    let new = NewBranch {
        posting,
        name: name.into(),
        at: None,
        switch: true,
        now: Micros(DAY),
    };
    store.create_branch(new).wait()
}

fn merging(posting: PostingId, from: &str) -> MergeRequest {
    MergeRequest {
        posting,
        from: from.into(),
        looked_at: None,
        resolutions: BTreeMap::new(),
        author: me(),
        message: "both were right".into(),
        key: format!("merge {from}"),
        now: Micros(DAY + 500_000_000),
    }
}

fn switch(store: &Store, posting: PostingId, name: &str) {
    store.switch_branch(posting, name.into()).wait().unwrap();
}

/// What the card shows, and that a rebuild shows the same.
fn shown(store: &Store, posting: PostingId, field: FieldKey) -> Option<String> {
    let card = store.posting(posting).unwrap().unwrap().card;
    let found = card.fields.iter().find(|f| f.key == field).cloned();
    assert!(!store.rebuild().wait().unwrap().drift);
    found
        .and_then(|f| f.chosen)
        .map(|chosen| chosen.value.display())
}

fn head(store: &Store, posting: PostingId) -> CommitId {
    let branches = store.branches(posting).unwrap();
    branches.iter().find(|branch| branch.current).unwrap().head
}

#[track_caller]
fn merge_above(store: &Store, posting: PostingId) -> Option<CommitId> {
    store.reversals(posting, &me()).unwrap().merge_above
}

fn refused<T: std::fmt::Debug>(result: Result<T, StoreError>, code: &str, words: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.code(), code, "{error}");
    assert!(error.to_string().contains(words), "{words:?} in {error}");
    assert!(!error.hint().is_empty());
}

#[test]
fn edits_and_runs_go_to_the_branch_that_is_checked_out() {
    let folder = tempfile::tempdir().unwrap();
    let (store, posting) = filled(folder.path());
    let root = head(&store, posting);
    assert_eq!(branch(&store, posting, "what-if").unwrap(), root);
    edit(&store, posting, (FieldKey::Company, "Oriel"), 1);
    looked_at(&store, posting, "run-2", "Lamp Keeper", DAY + 2_000_000);
    assert_eq!(
        shown(&store, posting, FieldKey::Company).as_deref(),
        Some("Oriel")
    );
    assert_eq!(store.versions(posting).unwrap().len(), 3);
    switch(&store, posting, MAIN);
    assert_eq!(shown(&store, posting, FieldKey::Company), None);
    assert_eq!(store.posting(posting).unwrap().unwrap().card.version, 1);
    assert_eq!(head(&store, posting), root);
    // What main is given now has its head alone as parent.
    let third = edit(&store, posting, (FieldKey::Company, "Quill"), 3);
    assert_eq!(
        store.commit(posting, third).unwrap().unwrap().parents,
        [root]
    );
    drop(store);
    let store = open(folder.path());
    assert_eq!(
        shown(&store, posting, FieldKey::Company).as_deref(),
        Some("Quill")
    );
    switch(&store, posting, "what-if");
    assert_eq!(
        shown(&store, posting, FieldKey::Company).as_deref(),
        Some("Oriel")
    );
    assert_eq!(store.check().unwrap(), Vec::<String>::new());
}

#[test]
fn a_merge_without_conflict_is_one_commit_whichever_side_makes_it() {
    let merged = |ours_first: bool| {
        let folder = tempfile::tempdir().unwrap();
        let (store, posting) = filled(folder.path());
        branch(&store, posting, "other").unwrap();
        edit(&store, posting, (FieldKey::Company, "Oriel"), 1);
        switch(&store, posting, MAIN);
        edit(&store, posting, (FieldKey::Title, "Keeper"), 2);
        let from = if ours_first { "other" } else { MAIN };
        if !ours_first {
            switch(&store, posting, "other");
        }
        let preview = store.merge_preview(posting, from).unwrap();
        let Merge::Join(join) = preview.merge else {
            panic!("{preview:?}")
        };
        assert!(join.clashes.is_empty());
        let done = store.merge(merging(posting, from)).wait().unwrap();
        assert!(done.joined);
        assert_eq!(
            shown(&store, posting, FieldKey::Company).as_deref(),
            Some("Oriel")
        );
        assert_eq!(
            shown(&store, posting, FieldKey::Title).as_deref(),
            Some("Keeper")
        );
        // By the same key it is done already; by another there is nothing left to merge.
        assert_eq!(store.merge(merging(posting, from)).wait().unwrap(), done);
        let again = MergeRequest {
            key: "again".into(),
            ..merging(posting, from)
        };
        refused(store.merge(again).wait(), "declined", "nothing to merge");
        // The other branch goes forward to the same commit, and can go.
        let (here, there) = if ours_first {
            (MAIN, "other")
        } else {
            ("other", MAIN)
        };
        switch(&store, posting, there);
        let stood = head(&store, posting);
        let forward = MergeRequest {
            key: "forward".into(),
            ..merging(posting, here)
        };
        let moved = store.merge(forward).wait().unwrap();
        assert_eq!(
            moved,
            Merged {
                head: done.head,
                joined: false
            }
        );
        // A retry finds it done.
        let retried = MergeRequest {
            key: "forward".into(),
            looked_at: Some((stood, done.head)),
            ..merging(posting, here)
        };
        assert_eq!(store.merge(retried).wait().unwrap(), moved);
        switch(&store, posting, MAIN);
        store.delete_branch(posting, "other".into()).wait().unwrap();
        assert_eq!(store.branches(posting).unwrap().len(), 1);
        let commit = store.commit(posting, done.head).unwrap().unwrap();
        assert_eq!(commit.author, AuthorId::of_merges());
        done.head
    };
    assert_eq!(merged(true), merged(false));
}

/// A store whose `main` has merged `other`: the merge, our side and theirs.
fn merged(folder: &Path) -> (Store, PostingId, CommitId, [CommitId; 2]) {
    let (store, posting) = filled(folder);
    branch(&store, posting, "other").unwrap();
    edit(&store, posting, (FieldKey::Company, "Oriel"), 1);
    let theirs = edit(&store, posting, (FieldKey::Title, "Wick trimmer"), 2);
    switch(&store, posting, MAIN);
    let ours = edit(&store, posting, (FieldKey::Title, "Keeper"), 3);
    let request = MergeRequest {
        resolutions: [(FieldKey::Title, MergeChoice::Theirs)].into(),
        ..merging(posting, "other")
    };
    let done = store.merge(request).wait().unwrap();
    assert!(done.joined);
    (store, posting, done.head, [ours, theirs])
}

fn unmerging(posting: PostingId, merge: CommitId, keep: CommitId) -> UnmergeRequest {
    UnmergeRequest {
        posting,
        merge,
        keep,
        looked_at: None,
        author: me(),
        message: "too early".into(),
        key: format!("unmerge {keep}"),
        now: Micros(DAY + 600_000_000),
    }
}

#[test]
fn a_merge_is_taken_back_and_done_again() {
    let folder = tempfile::tempdir().unwrap();
    let (store, posting, merge, [ours, theirs]) = merged(folder.path());
    let now = |store: &Store| {
        [FieldKey::Title, FieldKey::Company].map(|field| shown(store, posting, field))
    };
    let both = [Some("Wick trimmer".into()), Some("Oriel".into())];
    assert_eq!(now(&store), both);
    let sides = store.unmerge_preview(posting, merge).unwrap().sides;
    let side = |id: CommitId| sides.iter().find(|side| side.version == id).unwrap();
    assert_eq!(side(ours).branches, [""; 0]);
    assert_eq!(side(ours).back.clone().unwrap().changes.len(), 2);
    assert_eq!(side(theirs).branches, ["other"]);
    refused(side(theirs).back.clone(), "declined", "changed no field");

    let old = UnmergeRequest {
        looked_at: Some(ours),
        key: "old".into(),
        ..unmerging(posting, merge, ours)
    };
    refused(store.unmerge(old).wait(), "stale", "went on");
    let done = store
        .unmerge(unmerging(posting, merge, ours))
        .wait()
        .unwrap();
    assert_eq!(now(&store), [Some("Keeper".into()), None]);
    let commit = store.commit(posting, done).unwrap().unwrap();
    assert_eq!(
        (commit.purpose, commit.author),
        (Purpose::Undo(merge), me())
    );
    assert_eq!(commit.message, "too early");
    // The same key is the same commit; another says that it is done.
    let again = store.unmerge(unmerging(posting, merge, ours)).wait();
    assert_eq!(again.unwrap(), done);
    let again = UnmergeRequest {
        key: "again".into(),
        ..unmerging(posting, merge, ours)
    };
    refused(
        store.unmerge(again).wait(),
        "declined",
        "taken back already",
    );
    // From here on it is an undo like others, over a restart too.
    drop(store);
    let store = open(folder.path());
    let by = |key: &str, second: i64| (me(), key.to_owned(), Micros(DAY + second * 1_000_000));
    store.redo(posting, by("redo", 700)).wait().unwrap();
    assert_eq!(now(&store), both);
    store.undo(posting, by("undo", 701)).wait().unwrap();
    assert_eq!(now(&store), [Some("Keeper".into()), None]);
}

#[test]
fn an_undo_stops_at_a_merge_until_that_is_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let (store, posting, merge, [ours, _]) = merged(folder.path());
    let by = |key: &str| (me(), key.to_owned(), Micros(DAY + 700_000_000));
    let before = head(&store, posting);
    assert_eq!(merge_above(&store, posting), Some(merge));
    let undone = store.undo_to_merge(posting, by("a")).wait().unwrap();
    assert_eq!(undone, Undone::MergeAbove(merge));
    assert_eq!(head(&store, posting), before, "nothing was changed");
    let preview = store.unmerge_preview(posting, merge).unwrap();
    assert_eq!(preview.head, before);
    // Past it, the same field stands in the way here.
    let past = store.undo(posting, by("b")).wait();
    refused(past, "declined", "Title was changed since");
    let mut back = unmerging(posting, merge, ours);
    back.now = Micros(DAY + 800_000_000);
    store.unmerge(back).wait().unwrap();
    assert_eq!(merge_above(&store, posting), None);
    let undone = store.undo_to_merge(posting, by("d")).wait().unwrap();
    assert!(matches!(undone, Undone::Done(_)), "{undone:?}");
    let again = store.undo_to_merge(posting, by("d")).wait().unwrap();
    assert_eq!(again, undone, "the same key is the same commit");
}

#[test]
fn a_merge_that_somebody_went_on_from_is_not_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let (store, posting, merge, [ours, theirs]) = merged(folder.path());
    let other = AuthorId("person-8".into());
    let change = (FieldKey::Company, text("Quill"));
    let later = by(&store, posting, change, (other, 800));
    let request = |merge, keep, key: &str| UnmergeRequest {
        key: key.into(),
        ..unmerging(posting, merge, keep)
    };
    for (wish, code, words) in [
        (
            request(merge, ours, "a"),
            "declined",
            "Company was changed since by person-8",
        ),
        (
            request(merge, theirs, "b"),
            "declined",
            "changed no field of this side",
        ),
        (
            request(merge, later, "c"),
            "declined",
            "no side of that merge",
        ),
        (request(ours, theirs, "d"), "declined", "no merge"),
        (
            request(CommitId([9; 32]), ours, "e"),
            "not_found",
            "version",
        ),
    ] {
        refused(store.unmerge(wish).wait(), code, words);
    }
    assert_eq!(head(&store, posting), later, "nothing was changed");
    refused(store.unmerge_preview(posting, ours), "declined", "no merge");
    refused(
        store.unmerge_preview(posting, CommitId([9; 32])),
        "not_found",
        "version",
    );
    let sides = store.unmerge_preview(posting, merge).unwrap().sides;
    assert!(sides.iter().all(|side| side.back.is_err()), "{sides:?}");
    // On a branch without it there is nothing to take back.
    switch(&store, posting, "other");
    refused(
        store.unmerge(request(merge, ours, "f")).wait(),
        "declined",
        "no merge of the checked-out branch",
    );
}

#[test]
fn a_conflict_is_shown_decided_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (store, posting) = filled(folder.path());
    edit(&store, posting, (FieldKey::Title, "Keeper"), 1);
    branch(&store, posting, "other").unwrap();
    let theirs = edit(&store, posting, (FieldKey::Title, "Wick trimmer"), 2);
    switch(&store, posting, MAIN);
    let ours = edit(&store, posting, (FieldKey::Title, "Lamp lady"), 3);
    let preview = store.merge_preview(posting, "other").unwrap();
    assert_eq!((preview.ours.head, preview.theirs.head), (ours, theirs));
    let Merge::Join(join) = preview.merge else {
        panic!("no conflict")
    };
    let clash = &join.clashes[0];
    assert_eq!(clash.bases, [text("Keeper")]);
    let side = |head| clash.side(head).unwrap().standing.clone().unwrap().value;
    assert_eq!(
        (Some(side(ours)), Some(side(theirs))),
        (text("Lamp lady"), text("Wick trimmer"))
    );

    let request = |choice: Option<MergeChoice>, key: &str| MergeRequest {
        looked_at: Some((ours, theirs)),
        resolutions: choice.map(|c| (FieldKey::Title, c)).into_iter().collect(),
        key: key.into(),
        ..merging(posting, "other")
    };
    let merge = |request| store.merge(request).wait();
    refused(
        merge(request(None, "a")),
        "declined",
        "both sides changed title",
    );
    let wrong_kind = MergeChoice::Value(Some(FieldValue::Choice("x".into())));
    refused(
        merge(request(Some(wrong_kind), "b")),
        "refused",
        "does not fit",
    );
    let mut beside = request(Some(MergeChoice::Ours), "c");
    beside
        .resolutions
        .insert(FieldKey::Company, MergeChoice::Base);
    refused(merge(beside), "declined", "company is not in conflict");
    let mut old = request(Some(MergeChoice::Ours), "d");
    old.looked_at = Some((theirs, ours));
    refused(merge(old), "stale", "went on");
    assert_eq!(head(&store, posting), ours, "nothing was changed");

    let done = merge(request(Some(MergeChoice::Value(text("Lampist"))), "e")).unwrap();
    assert_eq!(
        shown(&store, posting, FieldKey::Title).as_deref(),
        Some("Lampist")
    );
    let commit = store.commit(posting, done.head).unwrap().unwrap();
    assert_eq!((commit.purpose, &commit.author), (Purpose::Merge, &me()));
    assert_eq!(commit.settled, [clash.stored()]);
    assert_eq!(commit.message, "both were right");
    // A machine's value is no match for a person's: no conflict.
    branch(&store, posting, "machine").unwrap();
    looked_at(&store, posting, "run-3", "Baker", DAY + 9_000_000);
    assert_eq!(
        shown(&store, posting, FieldKey::Title).as_deref(),
        Some("Lampist")
    );
}

#[test]
fn branches_that_cannot_be_say_why() {
    let folder = tempfile::tempdir().unwrap();
    let (store, posting) = filled(folder.path());
    let root = head(&store, posting);
    for name in ["", " ", "-x", "a b", "a\nb", "💡", &"x".repeat(61)] {
        refused(
            branch(&store, posting, name),
            "refused",
            "cannot be a branch's name",
        );
    }
    let new = |name: &str, at| NewBranch {
        posting,
        name: name.into(),
        at,
        switch: false,
        now: Micros(DAY),
    };
    let create = |new| store.create_branch(new).wait();
    refused(
        create(new("x", Some(CommitId([9; 32])))),
        "not_found",
        "version",
    );
    let elsewhere = NewBranch {
        posting: PostingId([9; 16]),
        ..new("x", None)
    };
    refused(create(elsewhere), "not_found", "posting");
    create(new("Ideen/öl_1.2", None)).unwrap();
    edit(&store, posting, (FieldKey::Title, "Keeper"), 1);
    refused(create(new("Ideen/öl_1.2", None)), "declined", "already");
    assert_eq!(
        create(new("Ideen/öl_1.2", Some(root))).unwrap(),
        root,
        "it is there already"
    );
    let fresh = store.identify(vec![key(2)]).wait().unwrap();
    refused(branch(&store, fresh, "x"), "declined", "no version yet");
    assert_eq!(store.branches(fresh).unwrap(), []);

    refused(
        store.switch_branch(posting, "none".into()).wait(),
        "not_found",
        "\"none\"",
    );
    refused(
        store.merge_preview(posting, "none"),
        "not_found",
        "\"none\"",
    );
    refused(
        store.merge_preview(posting, MAIN),
        "declined",
        "checked out",
    );
    refused(
        store.merge(merging(posting, "none")).wait(),
        "not_found",
        "\"none\"",
    );
    refused(
        store.merge(merging(posting, MAIN)).wait(),
        "declined",
        "nothing to merge",
    );
    let delete = |name: &str| store.delete_branch(posting, name.into()).wait();
    refused(delete("none"), "not_found", "\"none\"");
    refused(delete(MAIN), "declined", "stays");
    branch(&store, posting, "mine").unwrap();
    refused(delete("mine"), "declined", "checked out");
    edit(&store, posting, (FieldKey::Title, "Lamp lady"), 2);
    switch(&store, posting, MAIN);
    refused(delete("mine"), "declined", "on no other branch");
    for n in store.branches(posting).unwrap().len()..100 {
        create(new(&format!("b{n}"), None)).unwrap();
    }
    refused(
        create(new("one-too-many", None)),
        "declined",
        "100 branches",
    );
}

#[test]
fn undo_and_redo_are_commits_and_outlive_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let (store, posting) = filled(folder.path());
    let undo = |store: &Store, who: AuthorId, key: &str| {
        store
            .undo(posting, (who, key.into(), Micros(DAY + 60_000_000)))
            .wait()
    };
    refused(
        undo(&store, me(), "a"),
        "declined",
        "nothing of yours to undo",
    );
    let first = edit(&store, posting, (FieldKey::Title, "Keeper"), 1);
    edit(&store, posting, (FieldKey::Title, "Wick trimmer"), 2);
    let outcome = Some(FieldValue::Choice("applied".into()));
    by(&store, posting, (FieldKey::Outcome, outcome), (me(), 3));
    drop(store);

    let store = open(folder.path());
    let outcomes = |store: &Store| store.posting(posting).unwrap().unwrap().card.outcomes.len();
    assert_eq!(outcomes(&store), 1);
    undo(&store, me(), "b").unwrap();
    assert_eq!(outcomes(&store), 0);
    let once = undo(&store, me(), "c").unwrap();
    assert_eq!(
        undo(&store, me(), "c").unwrap(),
        once,
        "the same key twice is one"
    );
    assert_eq!(
        shown(&store, posting, FieldKey::Title).as_deref(),
        Some("Keeper")
    );
    let last = undo(&store, me(), "d").unwrap();
    let commit = store.commit(posting, last).unwrap().unwrap();
    assert_eq!(commit.purpose, Purpose::Undo(first));
    assert_eq!(
        shown(&store, posting, FieldKey::Title).as_deref(),
        Some("Lamplighter")
    );
    let title = &store.posting(posting).unwrap().unwrap().card.fields[0];
    assert_eq!(
        title.chosen.as_ref().unwrap().source,
        Source::Parsing,
        "it is the machine's again"
    );
    refused(undo(&store, me(), "e"), "declined", "nothing of yours");
    drop(store);

    let store = open(folder.path());
    let redo = |key: &str| {
        store
            .redo(posting, (me(), key.into(), Micros(DAY + 61_000_000)))
            .wait()
    };
    for (key, title, count) in [
        ("f", "Keeper", 0),
        ("g", "Wick trimmer", 0),
        ("h", "Wick trimmer", 1),
    ] {
        redo(key).unwrap();
        assert_eq!(
            shown(&store, posting, FieldKey::Title).as_deref(),
            Some(title)
        );
        assert_eq!(outcomes(&store), count);
    }
    refused(redo("i"), "declined", "nothing of yours to redo");

    let other = AuthorId("person-8".into());
    store
        .put_person(other.clone(), "Ada".into())
        .wait()
        .unwrap();
    undo(&store, me(), "j").unwrap();
    by(
        &store,
        posting,
        (FieldKey::Title, text("Baker")),
        (other.clone(), 70),
    );
    let next = store.reversals(posting, &me()).unwrap();
    refused(
        next.undo,
        "declined",
        "Title was changed since by Ada, on 2026-01-05",
    );
    // Nobody changed what the redo is about.
    assert!(matches!(next.redo.unwrap().purpose, Purpose::Redo(_)));
    refused(undo(&store, me(), "k"), "declined", "by Ada");
    assert_eq!(
        shown(&store, posting, FieldKey::Title).as_deref(),
        Some("Baker")
    );
    undo(&store, other, "l").unwrap();
    undo(&store, me(), "m").unwrap();
    assert_eq!(
        shown(&store, posting, FieldKey::Title).as_deref(),
        Some("Keeper")
    );
}

#[test]
fn a_version_comes_back_as_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let (store, posting) = filled(folder.path());
    let machine = head(&store, posting);
    let first = edit(&store, posting, (FieldKey::Title, "Keeper"), 1);
    edit(&store, posting, (FieldKey::Title, "Wick trimmer"), 2);
    let last = edit(&store, posting, (FieldKey::Company, "Oriel"), 3);
    let back = |version, looked_at, key: &str| {
        let request = RestoreRequest {
            posting,
            version,
            looked_at,
            author: me(),
            message: "they were right".into(),
            key: key.into(),
            now: Micros(DAY + 9_000_000),
        };
        store.restore(request).wait()
    };
    refused(
        back(last, None, "a"),
        "declined",
        "just what that version held",
    );
    refused(back(CommitId([9; 32]), None, "b"), "not_found", "version");
    refused(back(first, Some(first), "c"), "stale", "went on");
    let done = back(first, Some(last), "d").unwrap();
    assert_eq!(
        back(first, Some(last), "d").unwrap(),
        done,
        "the same key twice is one"
    );
    assert_eq!(
        shown(&store, posting, FieldKey::Title).as_deref(),
        Some("Keeper")
    );
    assert_eq!(shown(&store, posting, FieldKey::Company), None);
    assert_eq!(store.compare(posting, first, done).unwrap(), []);
    let changed = store.compare(posting, last, done).unwrap();
    let fields: Vec<&FieldKey> = changed.iter().map(|d| &d.field).collect();
    assert_eq!(fields, [&FieldKey::Title, &FieldKey::Company]);
    back(machine, None, "e").unwrap();
    assert_eq!(
        shown(&store, posting, FieldKey::Title).as_deref(),
        Some("Lamplighter")
    );
    // It can be undone like an edit.
    store
        .undo(posting, (me(), "f".into(), Micros(DAY + 10_000_000)))
        .wait()
        .unwrap();
    assert_eq!(
        shown(&store, posting, FieldKey::Title).as_deref(),
        Some("Keeper")
    );
    refused(
        store.compare(posting, first, CommitId([9; 32])),
        "not_found",
        "version",
    );
}

#[test]
fn the_timeline_is_paged_and_filtered() {
    let folder = tempfile::tempdir().unwrap();
    let (store, posting) = filled(folder.path());
    let other = AuthorId("person-8".into());
    branch(&store, posting, "other").unwrap();
    edit(&store, posting, (FieldKey::Title, "Keeper"), 1);
    switch(&store, posting, MAIN);
    // A text that looks like what is searched for.
    edit(&store, posting, (FieldKey::Company, r#""source":"ai""#), 2);
    by(
        &store,
        posting,
        (FieldKey::Company, None),
        (other.clone(), 3),
    );
    let all = TimelineFilter::default();
    let seconds = |filter: &TimelineFilter, range| {
        let page = store.timeline(posting, filter, range).unwrap();
        let second = |(_, commit): &(CommitId, _)| -> i64 {
            let commit: &ghostlight_model::commit::Commit = commit;
            (commit.clock.wall.0 - DAY) / 1_000_000
        };
        (page.total, page.rows.iter().map(second).collect::<Vec<_>>())
    };
    let filter = |change: fn(&mut TimelineFilter)| {
        let mut filter = TimelineFilter::default();
        change(&mut filter);
        filter
    };
    assert_eq!(seconds(&all, (0, 10)), (4, vec![3, 2, 1, 0]));
    assert_eq!(seconds(&all, (1, 2)), (4, vec![2, 1]));
    for (wanted, found) in [
        (filter(|f| f.field = Some(FieldKey::Company)), vec![3, 2]),
        (filter(|f| f.field = Some(FieldKey::Skills)), vec![]),
        (
            filter(|f| f.author = Some(AuthorId("person-8".into()))),
            vec![3],
        ),
        (filter(|f| f.source = Some(Source::Parsing)), vec![0]),
        (filter(|f| f.source = Some(Source::Ai)), vec![]),
        (filter(|f| f.source = Some(Source::User)), vec![3, 2, 1]),
        (
            filter(|f| f.from = Some(Micros(DAY + 2_000_000))),
            vec![3, 2],
        ),
        (
            filter(|f| f.before = Some(Micros(DAY + 2_000_000))),
            vec![1, 0],
        ),
        (filter(|f| f.branch = Some(MAIN.into())), vec![3, 2, 0]),
        (filter(|f| f.branch = Some("other".into())), vec![1, 0]),
        (
            filter(|f| {
                f.field = Some(FieldKey::Title);
                f.source = Some(Source::User);
                f.branch = Some("other".into());
                f.author = Some(AuthorId("person-7".into()));
            }),
            vec![1],
        ),
    ] {
        assert_eq!(
            seconds(&wanted, (0, 10)),
            (found.len() as u32, found.clone()),
            "{wanted:?}"
        );
    }
    // What there is to choose from, of all branches.
    by(
        &store,
        posting,
        (
            FieldKey::Custom("head count".into()),
            Some(FieldValue::Text("twelve".into())),
        ),
        (other.clone(), 4),
    );
    let parts = store.timeline_parts(posting).unwrap();
    let authors: Vec<&str> = parts.authors.iter().map(|by| by.0.as_str()).collect();
    assert!(
        authors.len() == 3 && authors.contains(&"person-7") && authors.contains(&"person-8"),
        "the pipeline and both: {authors:?}"
    );
    let fields: Vec<&str> = parts.fields.iter().map(FieldKey::name).collect();
    assert!(
        ["title", "company", "head count"]
            .iter()
            .all(|field| fields.contains(field)),
        "{fields:?}"
    );
    assert_eq!(fields.last(), Some(&"head count"), "one's own come last");
    assert_eq!(
        store.timeline_parts(PostingId([9; 16])).unwrap(),
        TimelineParts::default()
    );
    let unknown = filter(|f| f.branch = Some("none".into()));
    refused(
        store.timeline(posting, &unknown, (0, 1)),
        "not_found",
        "none",
    );
    assert_eq!(
        store
            .timeline(PostingId([9; 16]), &all, (0, 9))
            .unwrap()
            .total,
        0
    );
}

/// A database of the schema before branches, with what it held.
#[test]
fn a_history_from_before_branches_is_on_main() {
    let folder = tempfile::tempdir().unwrap();
    let (store, posting) = filled(folder.path());
    let last = edit(&store, posting, (FieldKey::Title, "Keeper"), 1);
    let before = shown(&store, posting, FieldKey::Title);
    drop(store);
    let database = Connection::open(folder.path().join(DATABASE)).unwrap();
    database
        .execute_batch(
            "DROP TABLE draft; DROP TABLE model_answer; DROP TABLE quarantine_count; ALTER TABLE feed DROP COLUMN refresh_ms; DROP TABLE branch; DROP TABLE checkout; \
             DROP TABLE dismissal; DROP TABLE judgement; DROP TABLE accuracy; DROP TABLE outline; \
             DROP TABLE archive_block; DROP TABLE archive_file; ALTER TABLE \"commit\" DROP COLUMN block; DROP INDEX posting_by_company; \
             DROP INDEX gap_by_arrival; ALTER TABLE gap DROP COLUMN number; CREATE INDEX gap_by_arrival ON gap (after_seq); \
             UPDATE projection SET version = 4; PRAGMA user_version = 4;",
        )
        .unwrap();
    drop(database);
    let store = open(folder.path());
    let branches = store.branches(posting).unwrap();
    assert_eq!(branches.len(), 1);
    assert_eq!((branches[0].name.as_str(), branches[0].head), (MAIN, last));
    assert_eq!(shown(&store, posting, FieldKey::Title), before);
    assert_eq!(store.check().unwrap(), Vec::<String>::new());
}
