//! Pages of a snapshot: every row once, in order, whatever is written meanwhile; filters; bad input.
#![allow(clippy::unwrap_used)]

mod support;

use ghostlight_model::{
    FieldKey, FieldValue, Micros, Phase, PostingId, RunId, Step,
    export::{Filter, What},
};
use ghostlight_store::{
    Store,
    snapshot::{PAGE_ROWS, Snapshot},
};
use std::ops::ControlFlow;
use support::{DAY, decided, event, finished, key, open, page, parsed, seen, started};

/// Analyses `n` invented pages, one a second, ten at the same moment.
fn filled(store: &Store, n: usize) -> Vec<PostingId> {
    (0..n)
        .map(|n| {
            let (run, ts) = (
                RunId(format!("run{n:06}")),
                DAY + (n as i64 / 10) * 1_000_000,
            );
            let capture = store
                .put_capture(page(&format!("page {n}"), ts))
                .wait()
                .unwrap();
            let posting = store.identify(vec![key(n)]).wait().unwrap();
            let title = ghostlight_model::Observation {
                ts: Micros(ts),
                ..seen(capture, FieldKey::Title, &format!("Title {n}"), 900)
            };
            let events = vec![
                started(&run, ts),
                parsed(&run, ts, (capture, posting), None),
            ];
            drop(store.append(run.stream(), events));
            drop(store.finish_run(finished(&run, posting, vec![title], ts)));
            posting
        })
        .collect()
}

fn postings(snapshot: &Snapshot, filter: &Filter) -> Vec<(PostingId, i64)> {
    let (mut all, mut at) = (Vec::new(), None);
    loop {
        at = snapshot
            .postings(filter, at, &|_| true, &mut |row| {
                all.push((row.posting, row.updated.0));
                ControlFlow::Continue(())
            })
            .unwrap();
        if at.is_none() {
            return all;
        }
    }
}

fn changes(snapshot: &Snapshot, filter: &Filter) -> Vec<(PostingId, String, Option<FieldValue>)> {
    let (mut all, mut at) = (Vec::new(), None);
    loop {
        at = snapshot
            .changes(filter, at, &mut |row| {
                all.push((row.posting, row.field.to_owned(), row.new.clone()));
                ControlFlow::Continue(())
            })
            .unwrap();
        if at.is_none() {
            return all;
        }
    }
}

fn events(snapshot: &Snapshot, filter: &Filter) -> Vec<(String, i64, String)> {
    let (mut all, mut at) = (Vec::new(), None);
    loop {
        at = snapshot
            .events(filter, at, &mut |row| {
                all.push((row.stream.to_owned(), row.offset, row.body.to_owned()));
                ControlFlow::Continue(())
            })
            .unwrap();
        if at.is_none() {
            return all;
        }
    }
}

#[test]
fn every_row_once_and_in_order_while_others_write() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let n = PAGE_ROWS + PAGE_ROWS / 2 + 3;
    let mut known = filled(&store, n);
    store.put_setting("a", "b".into()).wait().unwrap();
    let snapshot = store.snapshot().unwrap();
    // A posting that has been handed out changes, and new ones come: this snapshot does not see it.
    store
        .commit_change(decided(
            known[0],
            FieldKey::Title,
            Some(FieldValue::Text("later".into())),
            ("k", DAY * 2),
        ))
        .wait()
        .unwrap();
    let all = Filter::default();
    let found = postings(&snapshot, &all);
    assert_eq!(snapshot.count(What::Postings, &all).unwrap(), n as u64);
    assert!(found.is_sorted_by_key(|(posting, updated)| (-updated, posting.0)));
    let mut ids: Vec<PostingId> = found.iter().map(|(posting, _)| *posting).collect();
    ids.sort();
    known.sort();
    assert_eq!(ids, known);
    let changed = changes(&snapshot, &all);
    assert_eq!(changed.len(), n);
    assert_eq!(snapshot.count(What::History, &all).unwrap(), n as u64);
    let logged = events(&snapshot, &all);
    assert_eq!(logged.len(), 3 * n);
    assert_eq!(snapshot.count(What::Events, &all).unwrap(), 3 * n as u64);
    // The next one sees it.
    let snapshot = store.snapshot().unwrap();
    assert_eq!(changes(&snapshot, &all).len(), n + 1);
}

#[test]
fn filters_choose_and_counts_agree() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let known = filled(&store, 40);
    let text = Some(FieldValue::Text("Lamplighter".into()));
    store
        .commit_change(decided(known[7], FieldKey::Title, text, ("k", DAY + 1)))
        .wait()
        .unwrap();
    let ghost = Some(FieldValue::Choice("ghost".into()));
    store
        .commit_change(decided(known[8], FieldKey::Verdict, ghost, ("l", DAY + 2)))
        .wait()
        .unwrap();
    let snapshot = store.snapshot().unwrap();
    let some = |filter: Filter, what: What, rows: usize| {
        let found = match what {
            What::Postings => postings(&snapshot, &filter).len(),
            What::History => changes(&snapshot, &filter).len(),
            What::Events => events(&snapshot, &filter).len(),
        };
        assert_eq!(found, rows, "{what:?} {filter:?}");
        assert_eq!(
            snapshot.count(what, &filter).unwrap(),
            rows as u64,
            "{what:?} {filter:?}"
        );
    };
    let none = Filter::default;
    let range = |from, until| Filter {
        from: Some(Micros(from)),
        until: Some(Micros(until)),
        ..none()
    };
    some(range(DAY, DAY + 1_000_000), What::Events, 30);
    some(range(DAY + 1_000_000, DAY + 2_000_000), What::Postings, 10);
    some(range(DAY + 1, DAY + 3), What::History, 2);
    some(
        Filter {
            text: Some("lampLIGHT".into()),
            ..none()
        },
        What::Postings,
        1,
    );
    some(
        Filter {
            text: Some("%".into()),
            ..none()
        },
        What::Postings,
        0,
    );
    some(
        Filter {
            verdict: Some("ghost".into()),
            ..none()
        },
        What::Postings,
        1,
    );
    some(
        Filter {
            posting: Some(known[7]),
            ..none()
        },
        What::Postings,
        1,
    );
    some(
        Filter {
            posting: Some(known[7]),
            ..none()
        },
        What::History,
        2,
    );
    some(
        Filter {
            posting: Some(PostingId([9; 16])),
            ..none()
        },
        What::History,
        0,
    );
    some(
        Filter {
            source: Some("user".into()),
            ..none()
        },
        What::History,
        2,
    );
    some(
        Filter {
            author: Some("person-7".into()),
            field: Some(FieldKey::Title),
            ..none()
        },
        What::History,
        1,
    );
    some(
        Filter {
            run: Some(RunId("run000007".into())),
            ..none()
        },
        What::Events,
        3,
    );
    some(
        Filter {
            run: Some(RunId("nobody".into())),
            ..none()
        },
        What::Events,
        0,
    );
    some(
        Filter {
            run: Some(RunId("hub/run/7".into())),
            ..none()
        },
        What::Events,
        0,
    );
    some(
        Filter {
            origin: Some("local".into()),
            node: Some("PARSE".into()),
            ..none()
        },
        What::Events,
        40,
    );
    some(
        Filter {
            origin: Some("hub".into()),
            ..none()
        },
        What::Events,
        0,
    );
    some(
        Filter {
            phase: Some("start".into()),
            ..none()
        },
        What::Events,
        40,
    );
}

#[test]
fn a_run_longer_than_a_page_is_read_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let run = RunId("long".into());
    let n = 2 * PAGE_ROWS;
    let many = (0..n).map(|n| event(&run, Step::Detect, Phase::End, DAY + n as i64));
    store.append(run.stream(), many.collect()).wait().unwrap();
    let snapshot = store.snapshot().unwrap();
    let only = Filter {
        run: Some(run),
        ..Filter::default()
    };
    let found = events(&snapshot, &only);
    assert!(found.iter().map(|(_, offset, _)| *offset).eq(0..n as i64));
    assert_eq!(events(&snapshot, &Filter::default()), found);
}

/// Of a feed's clock anything may come.
#[test]
fn the_first_and_the_last_moment_are_exported_too() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let run = RunId("odd".into());
    let at = [i64::MIN, 0, i64::MAX];
    let odd = at.map(|ts| event(&run, Step::Detect, Phase::End, ts));
    store.append(run.stream(), odd.to_vec()).wait().unwrap();
    let snapshot = store.snapshot().unwrap();
    let exported = |filter: &Filter| {
        let found = events(&snapshot, filter).len();
        assert_eq!(snapshot.count(What::Events, filter).unwrap(), found as u64);
        found
    };
    assert_eq!(exported(&Filter::default()), 3);
    let of_run = Filter {
        run: Some(run),
        ..Filter::default()
    };
    assert_eq!(exported(&of_run), 3);
    let before = Filter {
        until: Some(Micros(0)),
        ..of_run.clone()
    };
    assert_eq!(exported(&before), 1, "the end is not part of it");
    let last = Filter {
        from: Some(Micros(i64::MAX)),
        ..of_run
    };
    assert_eq!(exported(&last), 1);
}

#[test]
fn whoever_has_enough_gets_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    filled(&store, 3);
    store.put_setting("a", "b".into()).wait().unwrap();
    let snapshot = store.snapshot().unwrap();
    let mut taken = 0;
    let next = snapshot
        .events(&Filter::default(), None, &mut |_| {
            taken += 1;
            match taken {
                2 => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        })
        .unwrap();
    assert_eq!((taken, next), (2, None));
}
