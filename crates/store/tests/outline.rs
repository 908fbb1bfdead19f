//! What the store answers from outlines and a few bodies is what all commits together say (SPEC E6).
#![allow(clippy::unwrap_used)]

mod support;

use ghostlight_model::{
    CommitId, FieldKey, FieldValue, Micros, PostingId, Source,
    bundle::Piece,
    commit::{AuthorId, Commit},
    history::{Dag, compare, merge, merge_above, redo, restore, stacks, undo},
};
use ghostlight_store::{
    DATABASE, MAIN, MergeRequest, NewBranch, PersonChange, RestoreRequest, Store, TimelineFilter,
    history::MergeChoice,
};
use rusqlite::Connection;
use std::ops::ControlFlow;
use support::*;

const FIELDS: [FieldKey; 4] = [
    FieldKey::Title,
    FieldKey::Company,
    FieldKey::Skills,
    FieldKey::Verdict,
];
const BRANCHES: [&str; 3] = [MAIN, "left", "right"];

fn value(dice: &mut Dice, field: &FieldKey) -> FieldValue {
    let words = ["Oriel", "Quill", "Lantern"];
    match field {
        FieldKey::Skills => {
            FieldValue::List((0..=dice.below(3)).map(|n| words[n].into()).collect())
        }
        FieldKey::Verdict => {
            FieldValue::Choice(ghostlight_model::rules::VERDICTS[dice.below(3)].into())
        }
        _ => FieldValue::Text(words[dice.below(3)].into()),
    }
}

fn author(n: usize) -> AuthorId {
    AuthorId(format!("person-{n}"))
}

/// One thing that somebody does; what is declined changes nothing.
fn deed(store: &Store, posting: PostingId, dice: &mut Dice, at: i64) {
    let (now, key) = (Micros(DAY + at * 1_000_000), format!("key-{at}"));
    let who = author(dice.below(2));
    match dice.below(12) {
        0..=4 => {
            let field = FIELDS[dice.below(4)].clone();
            let value = (dice.below(5) > 0).then(|| value(dice, &field));
            let change = PersonChange {
                author: who,
                message: format!("note {}", dice.below(2)),
                ..decided(posting, field, value, (&key, now.0))
            };
            store.commit_change(change).wait().unwrap();
        }
        5 => {
            let outcome = Some(FieldValue::Choice("applied".into()));
            let change = decided(posting, FieldKey::Outcome, outcome, (&key, now.0));
            store
                .commit_change(PersonChange {
                    author: who,
                    ..change
                })
                .wait()
                .unwrap();
        }
        6 => drop(store.undo(posting, (who, key, now)).wait()),
        7 => drop(store.redo(posting, (who, key, now)).wait()),
        8 => {
            let all = store.versions(posting).unwrap();
            let request = RestoreRequest {
                posting,
                version: all[dice.below(all.len())].0,
                looked_at: None,
                author: who,
                message: "back".into(),
                key,
                now,
            };
            let _ = store.restore(request).wait();
        }
        9 => {
            let name = BRANCHES[dice.below(3)].to_owned();
            let new = NewBranch {
                posting,
                name: name.clone(),
                at: None,
                switch: true,
                now,
            };
            if store.create_branch(new).wait().is_err() {
                store.switch_branch(posting, name).wait().unwrap();
            }
        }
        10 => {
            let from = BRANCHES[dice.below(3)];
            let Ok(preview) = store.merge_preview(posting, from) else {
                return;
            };
            let clashes = match preview.merge {
                ghostlight_model::history::Merge::Join(join) => join.clashes,
                _ => Vec::new(),
            };
            let request = MergeRequest {
                posting,
                from: from.into(),
                looked_at: None,
                resolutions: clashes
                    .into_iter()
                    .map(|c| (c.field, MergeChoice::Theirs))
                    .collect(),
                author: who,
                message: "joined".into(),
                key,
                now,
            };
            let _ = store.merge(request).wait();
        }
        _ => {
            let words = ["Oriel", "Quill"][dice.below(2)];
            looked_at(store, posting, &format!("run-{at}"), words, now.0);
        }
    }
}

/// All commits, as they stand in the log.
fn whole(store: &Store, posting: PostingId) -> Dag {
    let all = store.history(posting, 0, 10_000).unwrap().rows;
    Dag::new(all.into_iter().map(|commit| (commit.id(), commit)))
}

#[test]
fn answers_are_those_of_the_whole_history() {
    for seed in 0..6 {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path());
        let posting = store.identify(vec![key(1)]).wait().unwrap();
        let mut dice = Dice(seed);
        let first = decided(
            posting,
            FieldKey::Title,
            Some(value(&mut dice, &FieldKey::Title)),
            ("first", DAY),
        );
        store.commit_change(first).wait().unwrap();
        for at in 1..60 {
            deed(&store, posting, &mut dice, at);
            if at % 7 == 0 {
                agree(&store, posting, &mut dice);
            }
        }
        assert!(!store.rebuild().wait().unwrap().drift);
        agree(&store, posting, &mut dice);
    }
}

/// What one store knows of the posting goes to another.
fn import(from: &Store, to: &Store, posting: PostingId) {
    let mut pieces: Vec<Piece> = Vec::new();
    let snapshot = from.snapshot().unwrap();
    let taken = snapshot.pieces(&[posting], &mut |piece| {
        pieces.push(piece);
        ControlFlow::Continue(())
    });
    taken.unwrap();
    to.import(Box::new(move |take| pieces.into_iter().try_for_each(take)))
        .wait()
        .unwrap();
}

/// A history that is long enough to be kept from one question to the next, with another process that writes to it, too,
/// and a bundle that brings a part which went on elsewhere.
#[test]
fn answers_about_a_history_that_is_kept_follow_what_happens_to_it() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(folder.path());
    let posting = store.identify(vec![key(1)]).wait().unwrap();
    let mut dice = Dice(77);
    let mut edits = Vec::new();
    for at in 0..300 {
        let field = FIELDS[dice.below(4)].clone();
        let value = Some(value(&mut dice, &field));
        let change = decided(posting, field, value, (&format!("first-{at}"), DAY + at));
        edits.push(store.commit_change(change));
    }
    for edit in edits {
        edit.wait().unwrap();
    }
    agree(&store, posting, &mut dice);
    let other_process = open(folder.path());
    let copy = open(elsewhere.path());
    import(&store, &copy, posting);
    for at in 1..40 {
        match at % 3 {
            0 => deed(&other_process, posting, &mut dice, at),
            _ => deed(&store, posting, &mut dice, at),
        }
        if at % 9 == 8 {
            agree(&store, posting, &mut dice);
            agree(&other_process, posting, &mut dice);
        }
        deed(&copy, posting, &mut dice, 1_000 + at);
        if at % 13 == 12 {
            import(&copy, &store, posting);
            agree(&store, posting, &mut dice);
        }
    }
    assert!(!store.rebuild().wait().unwrap().drift);
    agree(&store, posting, &mut dice);
}

fn agree(store: &Store, posting: PostingId, dice: &mut Dice) {
    let whole = whole(store, posting);
    let ids: Vec<CommitId> = whole.commits().map(|(id, _)| id).collect();
    let branches = store.branches(posting).unwrap();
    let head = branches.iter().find(|branch| branch.current).unwrap().head;
    for _ in 0..5 {
        let (a, b) = (ids[dice.below(ids.len())], ids[dice.below(ids.len())]);
        let wanted = compare(&whole.state(&[a]), &whole.state(&[b]));
        assert_eq!(store.compare(posting, a, b).unwrap(), wanted);
    }
    for who in 0..3 {
        let next = store.reversals(posting, &author(who)).unwrap();
        let stacks = stacks(&whole, head, &author(who));
        assert_eq!(next.undo.ok(), undo(&whole, head, &stacks).ok());
        assert_eq!(next.redo.ok(), redo(&whole, head, &stacks).ok());
        assert_eq!(next.merge_above, merge_above(&whole, head, &stacks));
    }
    for branch in branches.iter().filter(|branch| !branch.current) {
        let preview = store.merge_preview(posting, &branch.name).unwrap();
        assert_eq!(preview.merge, merge(&whole, head, branch.head));
    }
    let line = whole.line(&[head]).into_iter();
    let line: Vec<(CommitId, Commit)> = line.map(|(id, commit)| (id, commit.clone())).collect();
    assert_eq!(store.versions(posting).unwrap(), line);
    let ids = line.into_iter().map(|(id, commit)| (id, commit.author));
    assert_eq!(store.version_ids(posting).unwrap(), ids.collect::<Vec<_>>());
    timelines(store, posting, &whole);
}

/// Each filter, and each page of it.
fn timelines(store: &Store, posting: PostingId, whole: &Dag) {
    let mut filters = vec![TimelineFilter::default()];
    for change in [
        |f: &mut TimelineFilter| f.field = Some(FieldKey::Title),
        |f: &mut TimelineFilter| f.author = Some(author(1)),
        |f: &mut TimelineFilter| f.source = Some(Source::User),
        |f: &mut TimelineFilter| f.from = Some(Micros(DAY + 20_000_000)),
        |f: &mut TimelineFilter| f.branch = Some(MAIN.into()),
    ] {
        let more = filters.clone().into_iter().map(|mut filter| {
            change(&mut filter);
            filter
        });
        let more: Vec<_> = more.collect();
        filters.extend(more);
    }
    for filter in filters {
        let on = |name: &String| {
            store
                .branches(posting)
                .unwrap()
                .into_iter()
                .find(|b| b.name == *name)
        };
        let kept = filter
            .branch
            .as_ref()
            .map(|name| whole.ancestors(&[on(name).unwrap().head]));
        let mut wanted: Vec<(CommitId, &Commit)> = whole
            .commits()
            .filter(|(id, commit)| {
                let fits = |c: &ghostlight_model::commit::FieldChange| {
                    filter.field.as_ref().is_none_or(|f| c.field == *f)
                        && filter.source.is_none_or(|s| c.source == s)
                };
                let any = filter.field.is_none() && filter.source.is_none();
                kept.as_ref().is_none_or(|kept| kept.contains(id))
                    && filter.author.as_ref().is_none_or(|by| commit.author == *by)
                    && filter.from.is_none_or(|from| commit.clock.wall >= from)
                    && (any || commit.changes.iter().any(fits))
            })
            .collect();
        wanted.sort_by_key(|(id, commit)| std::cmp::Reverse((commit.clock, *id)));
        let (mut found, page) = (Vec::new(), (wanted.len() as u32 / 3).max(7));
        loop {
            let page = store
                .timeline(posting, &filter, (found.len() as u32, page))
                .unwrap();
            assert_eq!(page.total as usize, wanted.len(), "{filter:?}");
            if page.rows.is_empty() {
                break;
            }
            found.extend(page.rows);
        }
        let wanted: Vec<_> = wanted
            .into_iter()
            .map(|(id, commit)| (id, commit.clone()))
            .collect();
        assert_eq!(found, wanted, "{filter:?}");
    }
}

#[test]
fn going_back_is_what_the_whole_history_says() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let posting = store.identify(vec![key(1)]).wait().unwrap();
    let mut dice = Dice(40);
    let first = decided(
        posting,
        FieldKey::Title,
        Some(value(&mut dice, &FieldKey::Title)),
        ("first", DAY),
    );
    store.commit_change(first).wait().unwrap();
    for at in 1..80 {
        deed(&store, posting, &mut dice, at);
        let before = whole(&store, posting);
        let branches = store.branches(posting).unwrap();
        let head = branches
            .into_iter()
            .find(|branch| branch.current)
            .unwrap()
            .head;
        let line = store.versions(posting).unwrap();
        let version = line[dice.below(line.len())].0;
        let wanted = restore(&before, head, version, "back");
        let request = RestoreRequest {
            posting,
            version,
            looked_at: Some(head),
            author: author(1),
            message: "back".into(),
            key: format!("back-{at}"),
            now: Micros(DAY + at * 1_000_000 + 500),
        };
        let done = store.restore(request).wait();
        match (done, wanted) {
            (Ok(id), Some(wanted)) => {
                let commit = store.commit(posting, id).unwrap().unwrap();
                assert_eq!(
                    (commit.purpose, commit.message, commit.changes),
                    (wanted.purpose, wanted.message, wanted.changes)
                );
            }
            (Err(error), None) => assert_eq!(error.code(), "declined", "{error}"),
            other => panic!("{other:?}"),
        }
    }
}

/// A history that came without any run, in a file from before outlines, is there after the next opening.
#[test]
fn outlines_of_an_older_file_are_made_when_it_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let posting = store.identify(vec![key(1)]).wait().unwrap();
    for (n, word) in ["Oriel", "Quill"].into_iter().enumerate() {
        let word = Some(FieldValue::Text(word.into()));
        let change = decided(
            posting,
            FieldKey::Title,
            word,
            (&format!("k{n}"), DAY + n as i64),
        );
        store.commit_change(change).wait().unwrap();
    }
    let of_field = TimelineFilter {
        field: Some(FieldKey::Title),
        ..TimelineFilter::default()
    };
    let before = store.timeline(posting, &of_field, (0, 9)).unwrap();
    assert_eq!(before.total, 2);
    drop(store);
    let database = Connection::open(folder.path().join(DATABASE)).unwrap();
    database
        .execute_batch("DELETE FROM outline; DELETE FROM projection;")
        .unwrap();
    drop(database);
    let store = open(folder.path());
    assert_eq!(store.timeline(posting, &of_field, (0, 9)).unwrap(), before);
    assert!(!store.rebuild().wait().unwrap().drift);
}
