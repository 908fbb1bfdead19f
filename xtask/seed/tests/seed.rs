//! What is made is what the application would have written, and the same every time.
#![allow(clippy::unwrap_used)]

use ghostlight_model::{
    Layer,
    commit::Commit,
    history::{Dag, stacks, undo},
};
use ghostlight_seed::{Plan, Progress, fill};
use ghostlight_store::{DATABASE, Store, read::Order};
use rusqlite::Connection;
use std::{collections::BTreeSet, fmt::Write as _, path::Path};

const ROWS: u64 = 5_000;

fn made(folder: &Path, seed: u64) -> Progress {
    let mut told = Vec::new();
    let done = fill(folder, Plan { rows: ROWS, seed }, &mut |p| told.push(p)).unwrap();
    assert_eq!(told.last(), Some(&done));
    done
}

/// Every row of every table.
fn dump(folder: &Path) -> String {
    let connection = Connection::open(folder.join(DATABASE)).unwrap();
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
    let mut tables = connection.prepare(tables).unwrap();
    let tables: Vec<String> = tables
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let mut out = String::new();
    for table in tables {
        let mut all = connection
            .prepare(&format!("SELECT * FROM \"{table}\""))
            .unwrap();
        let width = all.column_count();
        let mut rows = all.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            (0..width)
                .for_each(|column| write!(out, "{:?}|", row.get_ref(column).unwrap()).unwrap());
            out.push('\n');
        }
    }
    out
}

#[test]
fn the_same_seed_makes_the_same_rows_and_another_others() {
    let folders = [1, 1, 2].map(|seed| {
        let folder = tempfile::tempdir().unwrap();
        made(folder.path(), seed);
        dump(folder.path())
    });
    assert_eq!(folders[0], folders[1]);
    assert_ne!(folders[0], folders[2]);
}

#[test]
fn what_is_made_is_sound_and_as_large_as_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let done = made(folder.path(), 1);
    let (longest, versions) = done.longest.unwrap();
    let refused = fill(folder.path(), Plan { rows: 1, seed: 1 }, &mut |_| {}).unwrap_err();
    assert!(
        refused.to_string().contains("holds data already"),
        "{refused}"
    );
    let store = Store::open(folder.path(), |_| {}).unwrap();
    assert_eq!(store.check().unwrap(), Vec::<String>::new());
    assert!(!store.rebuild().wait().unwrap().drift);
    let all = store.postings(Order::Title, 0, 10_000).unwrap();
    assert_eq!(u64::from(all.total), done.postings);
    let (mut rows, mut kinds, mut authors, mut branches) = (0, BTreeSet::new(), BTreeSet::new(), 0);
    for row in &all.rows {
        assert!(row.company.is_empty() || row.updated.0 > 0);
        branches += store.branches(row.posting).unwrap().len() - 1;
        for commit in store.history(row.posting, 0, 100_000).unwrap().rows {
            rows += commit.changes.len() as u64;
            kinds.insert(commit.purpose.word());
            authors.insert(commit.author.0);
        }
    }
    assert_eq!(rows, done.rows);
    assert!((ROWS..ROWS + 100).contains(&rows), "{rows}");
    assert_eq!(
        kinds,
        BTreeSet::from(["edit", "merge", "redo", "restore", "undo"])
    );
    assert!(authors.len() >= 8, "{authors:?}");
    assert!(branches > 0);
    let found = store.history(longest, 0, 1).unwrap();
    assert_eq!(u64::from(found.total), versions);
    assert!(versions > 300, "{versions}");
    // Evidence stands where it says.
    let run = store.posting(longest).unwrap().unwrap().run;
    let capture = run.capture.unwrap();
    let text = store.layer(capture, Layer::Visible).unwrap().unwrap();
    let seen = store.observations(longest, capture).unwrap();
    assert!(!seen.is_empty());
    for observation in seen {
        assert!(observation.evidence.unwrap().holds_in(&text));
    }
}

/// At a history of thousands: the few bodies that an answer is made from give what all of them give.
#[test]
fn answers_about_a_long_history_are_those_of_the_whole_fold() {
    let folder = tempfile::tempdir().unwrap();
    let (longest, _) = made(folder.path(), 3).longest.unwrap();
    let store = Store::open(folder.path(), |_| {}).unwrap();
    let commits: Vec<Commit> = store.history(longest, 0, 100_000).unwrap().rows;
    let whole = Dag::new(commits.into_iter().map(|commit| (commit.id(), commit)));
    let ids: Vec<_> = whole.commits().map(|(id, _)| id).collect();
    let head = store
        .branches(longest)
        .unwrap()
        .into_iter()
        .find(|b| b.current)
        .unwrap()
        .head;
    for version in ids.iter().step_by(ids.len() / 25) {
        let wanted =
            ghostlight_model::history::compare(&whole.state(&[*version]), &whole.state(&[head]));
        assert_eq!(store.compare(longest, *version, head).unwrap(), wanted);
    }
    for person in 1..=8 {
        let author = ghostlight_model::commit::AuthorId(format!("seed-person-{person}"));
        let next = store.reversals(longest, &author).unwrap();
        let stacks = stacks(&whole, head, &author);
        assert_eq!(next.undo.ok(), undo(&whole, head, &stacks).ok());
    }
}
