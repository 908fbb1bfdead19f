//! The outbox on disk: what is loaded in which order, what a decision changes, and that a run is queued once.
#![allow(clippy::unwrap_used)]

mod support;

use ghostlight_model::{Epoch, Micros, Offset, Phase, RunId, Step, StreamId};
use ghostlight_store::{
    EndedMark, EntryName, FeedSettings, Held, LogEvent, NewEntry, OpenOptions, OutboxCounts,
    Received, RunDelivery, Store, StoreError, read::RunFilter,
};
use std::sync::{Arc, Mutex};
use support::{DAY, event, failed, open, started};

const HUB: &str = "hub-1";

/// An entry by its key `a1`: of the stream `run/a`, with that key as its body.
fn entry(hub: &str, key: &str) -> NewEntry {
    NewEntry {
        hub: hub.into(),
        key: format!("{hub} {key}"),
        stream: stream(&key[..1]),
        bodies: vec![format!("\"{key}\"")],
        what: format!("run {key}"),
        run: Some(RunId(key[..1].into())),
        at: Micros(DAY),
    }
}

fn stream(name: &str) -> StreamId {
    StreamId(format!("run/{name}"))
}

fn add(store: &Store, keys: &[&str]) {
    let entries = keys.iter().map(|key| entry(HUB, key)).collect();
    store.outbox_add(entries).wait().unwrap();
}

fn full_key(key: &str) -> String {
    format!("{HUB} {key}")
}

/// The keys that a load brings, and a `…` if there are more.
fn load(store: &Store, after: u64, limit: usize, except: &[&str]) -> Vec<String> {
    let except: Vec<StreamId> = except.iter().map(|name| stream(name)).collect();
    let (entries, more) = store.outbox_load(HUB, after, limit, &except).unwrap();
    let mut keys: Vec<String> = entries
        .iter()
        .map(|entry| entry.key.strip_prefix("hub-1 ").unwrap().to_owned())
        .collect();
    assert!(entries.is_sorted_by_key(|entry| entry.seq));
    keys.extend(more.then(|| "…".to_owned()));
    keys
}

fn hold(store: &Store, key: &str) {
    let held = Held {
        code: "conflict".into(),
        message: "no".into(),
    };
    let name = store.outbox_hold(HUB.into(), full_key(key), held).wait();
    assert_eq!(name.unwrap(), Some(name_of(key)));
}

fn name_of(key: &str) -> EntryName {
    EntryName {
        what: format!("run {key}"),
        stream: stream(&key[..1]),
    }
}

fn done(store: &Store, key: &str, epoch: u64, first: u64, last: u64) -> Option<EntryName> {
    let place = (Epoch(epoch), Offset(first), Offset(last));
    store
        .outbox_done(HUB.into(), full_key(key), place)
        .wait()
        .unwrap()
}

#[test]
fn entries_come_in_order_and_none_behind_a_held_one() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    add(&store, &["a1", "b1", "a2", "c1", "b2"]);
    store.outbox_add(vec![entry("hub-2", "a1")]).wait().unwrap();
    assert_eq!(load(&store, 0, 9, &[]), ["a1", "b1", "a2", "c1", "b2"]);
    assert_eq!(load(&store, 0, 2, &[]), ["a1", "b1", "…"]);
    assert_eq!(load(&store, 2, 9, &[]), ["a2", "c1", "b2"]);
    assert_eq!(load(&store, 0, 5, &["b"]), ["a1", "a2", "c1"]);
    let (entries, _) = store.outbox_load(HUB, 2, 9, &[]).unwrap();
    let before: Vec<_> = entries.iter().map(|entry| entry.before).collect();
    assert_eq!(
        before,
        [Some(1), None, Some(2)],
        "of the same hub and stream"
    );
    hold(&store, "a1");
    assert_eq!(load(&store, 0, 3, &[]), ["b1", "c1", "b2"], "no more");
    assert_eq!(load(&store, 0, 9, &["b", "c"]), [""; 0]);
    let released = store.outbox_release(HUB.into(), full_key("a1")).wait();
    assert_eq!(released.unwrap(), Some(name_of("a1")));
    assert_eq!(load(&store, 0, 9, &["b", "c"]), ["a1", "a2"]);
    // What another hub's entry of that key is, is not this one's.
    let other = store.outbox_release("hub-2".into(), full_key("a1")).wait();
    assert_eq!(other.unwrap(), None);
}

#[test]
fn a_number_is_never_used_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    add(&store, &["a1", "a2"]);
    assert_eq!(done(&store, "a2", 1, 0, 0), Some(name_of("a2")));
    assert_eq!(done(&store, "a1", 1, 0, 0), Some(name_of("a1")));
    assert_eq!(done(&store, "a1", 1, 0, 0), None, "gone already");
    drop(store);
    let store = open(folder.path());
    add(&store, &["a3"]);
    let (entries, _) = store.outbox_load(HUB, 0, 9, &[]).unwrap();
    assert_eq!(entries[0].seq, 3);
}

#[test]
fn bodies_come_back_as_they_were_written() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let bodies = [
        r#"{"b" : 1.50,"a":"é\u00e9, ]"}"#,
        "null",
        "[1,2]",
        r#""x""#,
    ];
    let odd = NewEntry {
        bodies: bodies.map(str::to_owned).to_vec(),
        ..entry(HUB, "a1")
    };
    store.outbox_add(vec![odd]).wait().unwrap();
    let (entries, _) = store.outbox_load(HUB, 0, 9, &[]).unwrap();
    assert_eq!(entries[0].bodies, format!("[{}]", bodies.join(",")));
    let sum: usize = bodies.iter().map(|body| body.len()).sum();
    assert_eq!(store.outbox_counts(HUB).unwrap().bytes, sum as u64);
}

#[test]
fn what_waits_is_counted_and_shown_with_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    assert_eq!(store.outbox_counts(HUB).unwrap(), OutboxCounts::default());
    add(&store, &["a1", "b1", "a2", "b2"]);
    hold(&store, "a1");
    let counts = OutboxCounts {
        waiting: 3,
        held: 1,
        bytes: 16,
    };
    assert_eq!(store.outbox_counts(HUB).unwrap(), counts);
    let page = store.outbox_page(HUB, 0, 3).unwrap();
    assert_eq!(page.total, 4);
    let drawn: Vec<String> = page
        .rows
        .iter()
        .map(|row| {
            let held = row.held.as_ref().map(|held| held.code.as_str());
            format!("{} {held:?} {}", row.what, row.behind_held)
        })
        .collect();
    let expected = [
        r#"run a1 Some("conflict") false"#,
        "run b1 None false",
        "run a2 None true",
    ];
    assert_eq!(drawn, expected);
    let row = &page.rows[0];
    assert_eq!(
        (row.seq, row.bytes, row.at, &row.stream),
        (1, 4, Micros(DAY), &stream("a"))
    );
    assert_eq!(store.outbox_page(HUB, 3, 9).unwrap().rows[0].what, "run b2");
    assert_eq!(store.outbox_page("hub-2", 0, 9).unwrap().total, 0);
}

fn queue(store: &Store, run: &str, keys: &[&str]) -> bool {
    let entries = keys.iter().map(|key| entry(HUB, key)).collect();
    let added = store.outbox_add_run(HUB.into(), RunId(run.into()), entries, Micros(DAY));
    added.wait().unwrap()
}

#[test]
fn a_run_is_queued_once_and_where_it_went_is_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let delivery = |store: &Store| store.outbox_run(HUB, &RunId("a".into())).unwrap();
    assert_eq!(delivery(&store), None);
    assert!(queue(&store, "a", &["a1", "a2", "a3", "a4"]));
    assert!(!queue(&store, "a", &["a5"]), "it waits already");
    let mut expected = RunDelivery {
        at: Micros(DAY),
        parts: 4,
        delivered: 0,
        discarded: 0,
        place: None,
    };
    assert_eq!(delivery(&store), Some(expected));
    done(&store, "a1", 7, 0, 9);
    done(&store, "a1", 7, 0, 9);
    done(&store, "a2", 7, 10, 19);
    expected.delivered = 2;
    expected.place = Some((Epoch(7), Offset(0), Offset(19)));
    assert_eq!(delivery(&store), Some(expected));
    // The hub lost its log: what counts is where it has the rest.
    done(&store, "a3", 8, 0, 5);
    let discarded = store.outbox_discard(HUB.into(), full_key("a4")).wait();
    assert_eq!(discarded.unwrap(), Some(name_of("a4")));
    let again = store.outbox_discard(HUB.into(), full_key("a4")).wait();
    assert_eq!(again.unwrap(), None);
    expected.delivered = 3;
    expected.discarded = 1;
    expected.place = Some((Epoch(8), Offset(0), Offset(5)));
    assert_eq!(delivery(&store), Some(expected));
    drop(store);
    let store = open(folder.path());
    assert!(!queue(&store, "a", &["a6"]), "it is delivered already");
    assert_eq!(load(&store, 0, 9, &[]), [""; 0]);
    assert_eq!(store.check().unwrap(), Vec::<String>::new());
}

/// An event of another system, as a feed brings it.
fn brings(store: &Store, feed: &str, stream: StreamId) {
    let event = Received::Event {
        stream,
        epoch: Epoch(7),
        event: LogEvent {
            offset: Offset(0),
            ts: Micros(DAY),
            body: r#"{"node":"PLAN","phase":"start"}"#.into(),
        },
    };
    store.receive(feed, vec![event]).wait().unwrap();
}

#[test]
fn what_a_hub_sends_back_of_ours_stands_in_the_list_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    for run in ["a", "b"] {
        begin(&store, run, DAY);
        end(&store, run, DAY + 1);
    }
    assert!(queue(&store, "a", &["a1"]));
    // Ours comes back from the hub it was published to; `b` was not published there, and another hub has its own `a`.
    for (feed, name) in [(HUB, "a"), (HUB, "b"), ("hub-2", "a")] {
        brings(&store, feed, stream(name));
    }
    brings(&store, HUB, StreamId("job/a".into()));
    let listed = |origin: Option<&str>| {
        let filter = RunFilter {
            origin: origin.map(str::to_owned),
            ..RunFilter::default()
        };
        let page = store.runs(&filter, 0, 100).unwrap();
        assert_eq!(page.total as usize, page.rows.len());
        let mut runs: Vec<String> = page.rows.into_iter().map(|run| run.line.run_id.0).collect();
        runs.sort();
        runs
    };
    let ours = ["a", "b"];
    let theirs = ["feed:hub-1/job/a", "feed:hub-1/run/b", "feed:hub-2/run/a"];
    assert_eq!(listed(None), [&ours[..], &theirs[..]].concat());
    assert_eq!(listed(Some("local")), ours);
    let of_the_hub = ["feed:hub-1/job/a", "feed:hub-1/run/a", "feed:hub-1/run/b"];
    assert_eq!(listed(Some("feed:hub-1")), of_the_hub, "all that it has");
    let came_back = |run: &str| store.outbox_came_back(&RunId(run.into())).unwrap();
    assert!(came_back("feed:hub-1/run/a"));
    for other in [ours, ["feed:hub-1/job/a", "feed:hub-2/run/a"]].concat() {
        assert!(!came_back(other), "{other}");
    }
}

#[test]
fn what_cannot_be_an_entry_is_refused_with_all_that_came_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    add(&store, &["a1"]);
    let empty = NewEntry {
        bodies: Vec::new(),
        ..entry(HUB, "b2")
    };
    for (wrong, words) in [
        (empty, "nothing to publish of run b2"),
        (entry(HUB, "a1"), "waits in the outbox already"),
    ] {
        let refused = store.outbox_add(vec![entry(HUB, "b1"), wrong.clone()]);
        let error = refused.wait().unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
        let run = RunId("b".into());
        let refused = store.outbox_add_run(HUB.into(), run.clone(), vec![wrong], Micros(DAY));
        assert_eq!(refused.wait().unwrap_err().code(), "refused");
        assert_eq!(store.outbox_run(HUB, &run).unwrap(), None);
    }
    assert_eq!(load(&store, 0, 9, &[]), ["a1"]);
}

fn end(store: &Store, run: &str, ts: i64) {
    let run = RunId(run.into());
    let end = event(&run, Step::Score, Phase::End, ts);
    store.append(run.stream(), vec![end]).wait().unwrap();
}

fn begin(store: &Store, run: &str, ts: i64) {
    let run = RunId(run.into());
    let start = started(&run, ts);
    store.append(run.stream(), vec![start]).wait().unwrap();
}

fn unqueued(store: &Store, after: &EndedMark, limit: usize) -> (Vec<String>, EndedMark) {
    let (runs, mark) = store.outbox_unqueued(HUB, after, limit).unwrap();
    (runs.into_iter().map(|run| run.0).collect(), mark)
}

#[test]
fn ended_runs_that_were_never_queued_are_found_page_by_page() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    for (n, run) in ["e", "d", "c", "b", "a"].into_iter().enumerate() {
        begin(&store, run, DAY + n as i64 / 2);
    }
    let from_start = EndedMark::default();
    assert_eq!(unqueued(&store, &from_start, 9).0, [""; 0]);
    for run in ["a", "c", "d"] {
        end(&store, run, DAY + 100);
    }
    let run = RunId("e".into());
    let failure = failed(&run, Step::Parse, DAY + 100);
    store.append(run.stream(), vec![failure]).wait().unwrap();
    // By their start, then their name; failed ones too, one under way not.
    let (runs, mark) = unqueued(&store, &from_start, 2);
    assert_eq!(runs, ["d", "e"]);
    let (runs, mark) = unqueued(&store, &mark, 2);
    assert_eq!(runs, ["c", "a"]);
    assert_eq!(unqueued(&store, &mark, 2).0, [""; 0]);
    let due = |run: &str| store.outbox_is_due(HUB, &RunId(run.into())).unwrap();
    assert_eq!(
        ["a", "b", "c", "z"].map(due),
        [true, false, true, false],
        "b is under way, z unknown"
    );
    assert!(queue(&store, "c", &["c1"]));
    done(&store, "c1", 7, 0, 0);
    assert_eq!(unqueued(&store, &from_start, 9).0, ["d", "e", "a"]);
    assert!(!due("c"));
    // For another hub it is another matter.
    let (runs, _) = store.outbox_unqueued("hub-2", &from_start, 9).unwrap();
    assert_eq!(runs.len(), 4);
    // A rebuild of the projections does not forget what was queued.
    store.rebuild().wait().unwrap();
    assert_eq!(unqueued(&store, &from_start, 9).0, ["d", "e", "a"]);
}

#[test]
fn a_change_of_the_outbox_is_announced() {
    let folder = tempfile::tempdir().unwrap();
    let heard = Arc::<Mutex<u32>>::default();
    let count = Arc::clone(&heard);
    let store = Store::open(folder.path(), move |changes| {
        *count.lock().unwrap() += u32::from(changes.outbox);
    })
    .unwrap();
    let heard = || *heard.lock().unwrap();
    assert!(queue(&store, "a", &["a1", "a2"]));
    assert_eq!(heard(), 1);
    assert!(!queue(&store, "a", &["a1"]));
    assert_eq!(heard(), 1, "nothing changed");
    hold(&store, "a1");
    store
        .outbox_release(HUB.into(), full_key("a1"))
        .wait()
        .unwrap();
    done(&store, "a1", 1, 0, 0);
    store
        .outbox_discard(HUB.into(), full_key("a2"))
        .wait()
        .unwrap();
    assert_eq!(heard(), 5);
}

#[test]
fn a_full_disk_keeps_all_or_nothing_of_a_run() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    let options = OpenOptions {
        pages_max: Some(100),
        ..OpenOptions::default()
    };
    let store = Store::open_with(folder.path(), options, |_| {}).unwrap();
    let large = |key: &str| NewEntry {
        bodies: vec![format!("\"{}\"", "x".repeat(200_000))],
        ..entry(HUB, key)
    };
    let run = RunId("a".into());
    let parts = vec![large("a1"), large("a2"), large("a3")];
    let full = store.outbox_add_run(HUB.into(), run.clone(), parts, Micros(DAY));
    let error = full.wait().unwrap_err();
    assert!(matches!(error, StoreError::DiskFull { .. }), "{error}");
    assert!(error.to_string().contains("the disk is full"), "{error}");
    assert_eq!(store.outbox_run(HUB, &run).unwrap(), None);
    assert_eq!(store.outbox_counts(HUB).unwrap(), OutboxCounts::default());
    // What fits is taken, and what is there can be deleted.
    add(&store, &["b1"]);
    assert_eq!(done(&store, "b1", 1, 0, 0), Some(name_of("b1")));
}

#[test]
fn a_hub_that_entries_wait_for_stays_the_same_source() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let settings = |name: &str, url: &str, kind: Option<&str>| FeedSettings {
        name: name.into(),
        url: url.into(),
        kind: kind.map(str::to_owned),
        enabled: true,
        publish: true,
        transport: None,
        refresh_ms: None,
    };
    let url = "ws://a.example/v1";
    let id = store.add_feed(settings("A", url, None), Micros(1)).wait();
    let id = id.unwrap();
    let identified = store.identify_feed(url.into(), "hub".into(), HUB, Micros(1));
    identified.wait().unwrap();
    add(&store, &["a1"]);

    for another in [
        settings("A", "ws://b.example/v1", None),
        settings("A", "ws://a.example/v2", None),
        settings("A", url, Some("sse")),
    ] {
        let error = store.change_feed(id, another).wait().unwrap_err();
        assert!(error.to_string().contains("1 of the outbox"), "{error}");
    }
    let error = store.remove_feed(id).wait().unwrap_err();
    assert!(matches!(error, StoreError::Refused(_)), "{error}");
    let feed = store.feed(id).unwrap().unwrap();
    assert_eq!(
        (feed.stored_as(), feed.settings.name.as_str()),
        (Some(HUB), "A")
    );

    // Whatever leaves it the same source may change.
    for same in [settings("B", url, Some("hub")), settings("B", url, None)] {
        store.change_feed(id, same).wait().unwrap();
    }
    assert_eq!(store.feed(id).unwrap().unwrap().stored_as(), Some(HUB));
    let discarded = store.outbox_discard(HUB.into(), full_key("a1")).wait();
    discarded.unwrap();
    store.remove_feed(id).wait().unwrap();
    assert_eq!(store.feed(id).unwrap(), None);
}
