//! Pages of a snapshot: every row once, in order, whatever is written meanwhile; filters; bad input.
#![allow(clippy::unwrap_used)]

mod support;

use ghostlight_model::{
    Epoch, EventBody, FieldKey, FieldValue, Issue, Micros, Offset, Phase, PostingId, RunId,
    Severity, Step, StreamId,
    export::{Filter, What},
    run::RunStatus,
};
use ghostlight_store::{
    LogEvent, Received, Store,
    snapshot::{PAGE_ROWS, Snapshot},
};
use std::ops::ControlFlow;
use support::{DAY, decided, event, failed, finished, key, open, page, parsed, seen, started};

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
fn events_are_chosen_by_what_they_say_and_by_their_runs() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let (good, bad) = (RunId("good".into()), RunId("bad".into()));
    let warned = EventBody {
        issues: vec![Issue {
            code: "slow".into(),
            severity: Severity::Warning,
            message: "Slower than the TIDE.".into(),
            hint: None,
        }],
        ..event(&good, Step::Detect, Phase::End, DAY + 1)
    };
    let calm = event(&good, Step::Extract, Phase::End, DAY + 2);
    let broken = [
        started(&bad, DAY),
        failed(&bad, Step::Fetch, DAY + 1),
        event(&bad, Step::Fetch, Phase::Fail, DAY + 2),
    ];
    for (run, events) in [
        (&good, vec![started(&good, DAY), warned, calm]),
        (&bad, broken.into()),
    ] {
        store.append(run.stream(), events).wait().unwrap();
    }
    // Somebody else's, of which more than a page is not like that.
    let theirs = (0..PAGE_ROWS as u64 + 7).map(|n| Received::Event {
        stream: StreamId("run/night".into()),
        epoch: Epoch(1),
        event: LogEvent {
            offset: Offset(n),
            ts: Micros(DAY),
            body: format!("{{\"node\":\"LOAD\",\"phase\":\"progress\",\"row\":\"r{n}.\"}}"),
        },
    });
    store.receive("feed:x", theirs.collect()).wait().unwrap();
    let snapshot = store.snapshot().unwrap();
    let some = |filter: Filter| {
        let found = events(&snapshot, &filter);
        let counted = snapshot.count(What::Events, &filter).unwrap();
        assert_eq!(counted, found.len() as u64, "{filter:?}");
        let places = found.into_iter();
        places
            .map(|(stream, offset, _)| format!("{stream} {offset}"))
            .collect::<Vec<_>>()
    };
    let none = Filter::default;
    let severity = |least| {
        some(Filter {
            severity: Some(least),
            ..none()
        })
    };
    assert_eq!(severity(Severity::Error), ["run/bad 1", "run/bad 2"]);
    let any = ["run/good 1", "run/bad 1", "run/bad 2"];
    assert_eq!(severity(Severity::Warning), any);
    assert_eq!(severity(Severity::Info), any);
    let text = |text: &str| {
        some(Filter {
            text: Some(text.into()),
            ..none()
        })
    };
    assert_eq!(text("than the tide"), ["run/good 1"]);
    let last = format!("run/night {}", PAGE_ROWS + 6);
    assert_eq!(text(&format!("R{}.", PAGE_ROWS + 6)), [last.as_str()]);
    assert_eq!(text("%"), [""; 0]);
    let of_run = |run: &str, filter: Filter| {
        some(Filter {
            run: Some(RunId(run.into())),
            ..filter
        })
    };
    let failing = || Filter {
        status: Some(RunStatus::Failed),
        ..none()
    };
    assert_eq!(some(failing()).len(), 3);
    assert_eq!(of_run("bad", failing()).len(), 3);
    assert_eq!(of_run("good", failing()), [""; 0]);
    let warnings = Filter {
        severity: Some(Severity::Warning),
        node: Some("DETECT".into()),
        ..none()
    };
    assert_eq!(of_run("good", warnings.clone()), ["run/good 1"]);
    assert_eq!(of_run("bad", warnings), [""; 0]);
    let named = |part: &str, status| {
        some(Filter {
            named: Some(part.into()),
            status,
            ..none()
        })
    };
    assert_eq!(named("NIGHT", None).len(), PAGE_ROWS + 7);
    assert_eq!(named("night", Some(RunStatus::Failed)), [""; 0]);
    assert_eq!(named("page of", None).len(), 6);
    assert_eq!(named("_", None), [""; 0]);
}

#[test]
fn a_bound_ends_reading_with_what_was_read_and_is_lifted_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let n = 2 * PAGE_ROWS + 9;
    filled(&store, n);
    store.put_setting("a", "b".into()).wait().unwrap();
    let snapshot = store.snapshot().unwrap();
    let filters = [
        (What::Postings, Filter::default()),
        (What::History, Filter::default()),
        (What::Events, Filter::default()),
        (
            What::Postings,
            Filter {
                text: Some("title".into()),
                ..Filter::default()
            },
        ),
        (
            What::History,
            Filter {
                field: Some(FieldKey::Title),
                ..Filter::default()
            },
        ),
        (
            What::Events,
            Filter {
                node: Some("PARSE".into()),
                ..Filter::default()
            },
        ),
        (
            What::Events,
            Filter {
                text: Some("page of".into()),
                ..Filter::default()
            },
        ),
    ];
    let rows = |what, filter: &Filter| match what {
        What::Postings => postings(&snapshot, filter).len(),
        What::History => changes(&snapshot, filter).len(),
        What::Events => events(&snapshot, filter).len(),
    };
    for (what, filter) in &filters {
        let all = snapshot.count(*what, filter).unwrap();
        assert_eq!(rows(*what, filter) as u64, all, "{what:?} {filter:?}");
        // At once, and after a while: never more, and no trouble.
        for most in [0, 3] {
            let bounded = || {
                let mut asked = 0;
                let enough = move || {
                    asked += 1;
                    asked > most
                };
                snapshot.read_until(enough).unwrap();
            };
            bounded();
            let counted = snapshot.count(*what, filter).unwrap();
            assert!(counted <= all);
            // An index is counted in one step.
            let indexed = *what != What::History && *filter == Filter::default();
            let whole = indexed && counted == all;
            assert!(snapshot.is_cut() || whole, "{what:?} {filter:?} {most}");
            bounded();
            let read = rows(*what, filter) as u64;
            assert!(
                snapshot.is_cut() && read < all,
                "{what:?} {filter:?} {most}"
            );
        }
        snapshot.read_all().unwrap();
        assert!(!snapshot.is_cut());
        assert_eq!(snapshot.count(*what, filter).unwrap(), all);
    }
    // Trouble of another kind stays trouble.
    snapshot.read_until(|| false).unwrap();
    assert_eq!(rows(What::Postings, &Filter::default()), n);
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
