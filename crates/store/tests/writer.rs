//! The writer: nobody is answered before it is durable, a refusal is nobody else's, the queue is
//! bounded.
#![allow(clippy::unwrap_used)]

mod support;

use ghostlight_model::{FieldKey, FieldValue, Phase, RunId, Step, event::Fact};
use ghostlight_store::Store;
use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use support::*;

const CHILD: &str = "GHOSTLIGHT_TEST_APPENDS";
/// Runs written at the same time, so that transactions hold several callers' work.
const WRITERS: usize = 3;

#[test]
fn what_was_answered_survives_a_kill() {
    if let Some(folder) = std::env::var_os(CHILD) {
        return append_for_ever(Path::new(&folder));
    }
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = [0; WRITERS];
    // Seeded: where it is killed is drawn from this, not from a clock.
    let mut seed = 20_261_121_u64;
    for round in 0..6 {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let kill_after = 1 + (seed >> 33) as usize % 150;
        let mut child = appending(folder.path());
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let said = lines.map_while(Result::ok).filter_map(|line| offset(&line));
        for (run, offset) in said.take(kill_after) {
            acknowledged[run] = offset + 1;
        }
        child.kill().unwrap();
        child.wait().unwrap();

        let store = open(folder.path());
        for (n, acknowledged) in acknowledged.iter_mut().enumerate() {
            let run = RunId(format!("run-{n}"));
            let Some(extent) = store.extent(&run).unwrap() else {
                assert_eq!(*acknowledged, 0, "round {round}");
                continue;
            };
            assert_eq!((extent.first, extent.last), (0, extent.count - 1), "dense");
            assert!(
                extent.count >= *acknowledged,
                "round {round}: {extent:?}, {acknowledged}"
            );
            assert_eq!(store.run(&run).unwrap().unwrap().events, extent.count);
            *acknowledged = extent.count;
        }
        assert_eq!(store.check().unwrap(), Vec::<String>::new());
        assert!(!store.rebuild().wait().unwrap().drift, "round {round}");
    }
    assert!(
        acknowledged.iter().sum::<u64>() > 0,
        "the child never wrote"
    );
}

fn appending(folder: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "what_was_answered_survives_a_kill",
            "--nocapture",
        ])
        .env(CHILD, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// `acknowledged RUN OFFSET`, wherever the harness put it on the line.
fn offset(line: &str) -> Option<(usize, u64)> {
    let (_, said) = line.split_once("acknowledged ")?;
    let (run, offset) = said.split_once(' ')?;
    Some((run.parse().ok()?, offset.parse().ok()?))
}

fn append_for_ever(folder: &Path) {
    let store = open(folder);
    std::thread::scope(|scope| {
        for n in 0..WRITERS {
            let store = &store;
            scope.spawn(move || {
                let run = RunId(format!("run-{n}"));
                // Ends by itself should the parent have gone.
                for ts in 0..50_000 {
                    let event = started(&run, DAY + ts);
                    let at = store.append(run.stream(), vec![event]).wait().unwrap();
                    println!("acknowledged {n} {}", at.0);
                }
            });
        }
    });
}

#[test]
fn a_refused_job_leaves_its_transaction_alone() {
    let folder = tempfile::tempdir().unwrap();
    let gate = Gate::default();
    let store = Store::open(folder.path(), gate.callback()).unwrap();
    let posting = store.identify(vec![key(0)]).wait().unwrap();
    let (a, b) = (RunId("a".into()), RunId("b".into()));
    let word = |word: &str| Some(FieldValue::Choice(word.into()));
    let unknown = key(9).posting_id();
    let verdict = |posting, value, key| decided(posting, FieldKey::Verdict, value, (key, DAY));
    let (good, refused) = gate.together(&store, || {
        let first = store.append(a.stream(), vec![started(&a, DAY)]);
        // Refused before anything is written, after, and by SQLite itself.
        let rule = store.commit_change(verdict(posting, word("haunted"), "k1"));
        let missing = store.commit_change(verdict(unknown, word("ghost"), "k2"));
        let stranger = store.append(b.stream(), vec![started(&b, DAY), started(&a, DAY)]);
        let page = seen(
            page("never stored", DAY).id(),
            FieldKey::Title,
            "Quill",
            900,
        );
        let observed = Fact::Observed(page.clone());
        let step = Step::Detect;
        let dangling = store.append(
            b.stream(),
            vec![
                parsed(&b, DAY, (page.capture, posting), None),
                fact(&b, step, Phase::Field, DAY, observed),
            ],
        );
        let second = store.append(a.stream(), vec![started(&a, DAY + 1)]);
        ([first, second], (rule, missing, stranger, dangling))
    });
    let offsets = good.map(|pending| pending.wait().unwrap().0);
    assert_eq!(offsets, [0, 1]);
    let (rule, missing, stranger, dangling) = refused;
    assert_eq!(rule.wait().unwrap_err().code(), "refused");
    assert_eq!(missing.wait().unwrap_err().code(), "not_found");
    assert_eq!(stranger.wait().unwrap_err().code(), "refused");
    assert_eq!(dangling.wait().unwrap_err().code(), "statement");
    assert!(store.run(&b).unwrap().is_none());
    assert!(store.extent(&b).unwrap().is_none());
    assert_eq!(store.history(posting, 0, 9).unwrap().total, 0);
    assert!(!store.rebuild().wait().unwrap().drift);
    assert_eq!(store.check().unwrap(), Vec::<String>::new());
}

#[test]
fn a_single_event_that_is_refused_leaves_its_transaction_alone() {
    let folder = tempfile::tempdir().unwrap();
    let gate = Gate::default();
    let store = Store::open(folder.path(), gate.callback()).unwrap();
    let posting = store.identify(vec![key(0)]).wait().unwrap();
    let capture = store.put_capture(page("stored", DAY)).wait().unwrap();
    let run = RunId("a".into());
    let nowhere = page("never stored", DAY).id();
    let dangling = Fact::Observed(seen(nowhere, FieldKey::Title, "Quill", 900));
    let events = [
        parsed(&run, DAY, (capture, posting), None),
        fact(&run, Step::Detect, Phase::Field, DAY, dangling),
        started(&run, DAY + 1),
    ];
    let answers = gate.together(&store, || {
        events.map(|event| store.append(run.stream(), vec![event]))
    });
    let [before, refused, after] = answers.map(|pending| pending.wait());
    assert_eq!((before.unwrap().0, after.unwrap().0), (0, 1));
    assert_eq!(refused.unwrap_err().code(), "statement");
    assert_eq!(store.run(&run).unwrap().unwrap().events, 2);
    assert!(!store.rebuild().wait().unwrap().drift);
}

#[test]
fn a_change_made_twice_with_one_key_is_one_commit() {
    let folder = tempfile::tempdir().unwrap();
    let gate = Gate::default();
    let store = Store::open(folder.path(), gate.callback()).unwrap();
    let posting = store.identify(vec![key(0)]).wait().unwrap();
    let change = decided(
        posting,
        FieldKey::Verdict,
        Some(FieldValue::Choice("ghost".into())),
        ("once", DAY),
    );
    let (first, second) = gate.together(&store, || {
        (
            store.commit_change(change.clone()),
            store.commit_change(change.clone()),
        )
    });
    assert_eq!(first.wait().unwrap(), second.wait().unwrap());
    assert_eq!(store.history(posting, 0, 9).unwrap().total, 1);
}

#[test]
fn whoever_finds_the_queue_full_waits() {
    const SUBMITTERS: usize = 8;
    // Together more than the writer's queue takes.
    const EACH: usize = 700;
    let folder = tempfile::tempdir().unwrap();
    let gate = Gate::default();
    let store = Store::open(folder.path(), gate.callback()).unwrap();
    let queued = Arc::new(AtomicUsize::new(0));
    std::thread::scope(|scope| {
        gate.together(&store, || {
            for n in 0..SUBMITTERS {
                let (store, queued) = (store.clone(), Arc::clone(&queued));
                scope.spawn(move || {
                    let run = RunId(format!("run-{n}"));
                    let mut pending = Vec::new();
                    for ts in 0..EACH {
                        let event = started(&run, DAY + ts as i64);
                        pending.push(store.append(run.stream(), vec![event]));
                        queued.fetch_add(1, Ordering::SeqCst);
                    }
                    for (at, pending) in pending.into_iter().enumerate() {
                        assert_eq!(pending.wait().unwrap().0, at as u64);
                    }
                });
            }
            // The writer stands still: exactly the queue's room is taken, then all wait.
            while queued.load(Ordering::SeqCst) < 4_096 {
                std::thread::yield_now();
            }
            for _ in 0..1_000 {
                std::thread::yield_now();
            }
            assert_eq!(queued.load(Ordering::SeqCst), 4_096);
        });
    });
    assert_eq!(queued.load(Ordering::SeqCst), SUBMITTERS * EACH);
    assert!(!store.rebuild().wait().unwrap().drift);
}

#[test]
fn a_callback_that_panics_does_not_end_the_writer() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), |changes| {
        assert!(changes.is_empty(), "a callback's own fault");
    })
    .unwrap();
    for n in 0..3 {
        let run = RunId("a".into());
        let at = store
            .append(run.stream(), vec![started(&run, DAY)])
            .wait()
            .unwrap();
        assert_eq!(at.0, n);
    }
}

#[test]
fn closing_writes_what_is_queued() {
    let folder = tempfile::tempdir().unwrap();
    let run = RunId("a".into());
    let store = open(folder.path());
    let pending: Vec<_> = (0..1_500)
        .map(|n| store.append(run.stream(), vec![started(&run, DAY + n)]))
        .collect();
    drop(store);
    for (at, pending) in pending.into_iter().enumerate() {
        assert_eq!(pending.wait().unwrap().0, at as u64);
    }
    assert_eq!(
        open(folder.path()).extent(&run).unwrap().unwrap().count,
        1_500
    );
}

#[test]
fn two_writers_of_one_file_go_on_with_what_the_other_wrote() {
    let folder = tempfile::tempdir().unwrap();
    let stores = [open(folder.path()), open(folder.path())];
    let run = RunId("shared".into());
    let append = |store: &Store, event| {
        let done = store.append(run.stream(), vec![event]);
        done.wait().unwrap().0
    };
    append(&stores[0], started(&run, DAY));
    let steps = [Step::Parse, Step::Detect, Step::Extract, Step::Score];
    for (n, step) in (0_i64..).zip(steps) {
        // Each in turn, so that what either remembers of the run is always old.
        for (store, phase) in stores.iter().zip([Phase::Start, Phase::End]) {
            append(store, event(&run, step, phase, DAY + 10 * n));
        }
    }
    let state = stores[0].run(&run).unwrap().unwrap();
    assert_eq!(state.events, 9);
    for step in steps {
        let node = state.node(step.node()).unwrap();
        assert_eq!((node.attempts, node.ended.len()), (1, 1), "{step:?}");
    }
    assert!(!stores[1].rebuild().wait().unwrap().drift);
    append(&stores[1], event(&run, Step::Parse, Phase::Start, DAY + 99));
    assert_eq!(stores[0].run(&run).unwrap().unwrap().events, 10);
}
