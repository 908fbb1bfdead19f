//! Streams that others write: published here once a key, received from a feed without a hole.
#![allow(clippy::unwrap_used)]

mod support;

use ghostlight_model::{Epoch, Micros, Offset, Phase, RunId, Step, StreamId, run::INTERRUPTED};
use ghostlight_store::{
    FeedEntry, LogEvent, Published, Received, ReceivedCount, Store, StoreError, StreamInfo,
};
use support::{DAY, event, failed, open, started};

const NOW: Micros = Micros(DAY);

fn stream(name: &str) -> StreamId {
    StreamId(name.into())
}

fn bodies(range: std::ops::Range<u32>) -> Vec<String> {
    range
        .map(|n| format!("{{\"node\":\"LOAD\", \"phase\":\"start\",\"n\":{n}}}"))
        .collect()
}

fn publish(
    store: &Store,
    key: &str,
    name: &str,
    what: Vec<String>,
) -> Result<Published, StoreError> {
    store.publish(key.into(), stream(name), what, NOW).wait()
}

#[test]
fn a_key_appends_once() {
    let folder = tempfile::tempdir().unwrap();
    let first = {
        let store = open(folder.path());
        let first = publish(&store, "k1", "run/x", bodies(0..3)).unwrap();
        assert_eq!(
            (first.first, first.last, first.duplicate),
            (Offset(0), Offset(2), false)
        );
        first
    };
    // Also by a process that comes later.
    let store = open(folder.path());
    let again = publish(&store, "k1", "run/x", bodies(0..3)).unwrap();
    assert_eq!(
        again,
        Published {
            duplicate: true,
            ..first
        }
    );
    let other = publish(&store, "k2", "run/x", bodies(0..3)).unwrap();
    assert_eq!(other.first, Offset(3));
    for (key, name, what) in [
        ("k1", "run/x", bodies(0..2)),
        ("k1", "run/y", bodies(0..3)),
        ("k3", "run/x", vec![]),
    ] {
        let refused = publish(&store, key, name, what).unwrap_err();
        assert!(matches!(refused, StoreError::Refused(_)), "{refused}");
    }
    let page = store
        .stream_page(&stream("run/x"), Offset(0), 100, 1 << 20)
        .unwrap()
        .unwrap();
    assert_eq!(page.head, Offset(6));
    assert_eq!(page.events.len(), 6);
}

#[test]
fn bodies_come_back_as_they_were_written() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let odd = [
        "null",
        " {\"b\" : 1.50,\"a\":\"é\\u00e9\"} ",
        "[1,2]",
        "\"x\"",
        "{\"node\":7}",
    ];
    let written: Vec<String> = odd.iter().map(|body| (*body).to_owned()).collect();
    publish(&store, "k", "log/odd", written.clone()).unwrap();
    let page = store
        .stream_page(&stream("log/odd"), Offset(0), 100, 1 << 20)
        .unwrap()
        .unwrap();
    let read: Vec<String> = page.events.into_iter().map(|event| event.body).collect();
    assert_eq!(read, written);
}

#[test]
fn a_page_keeps_to_its_bounds_and_always_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    publish(&store, "k", "run/x", bodies(0..10)).unwrap();
    let page = |from, events, bytes| {
        let page = store.stream_page(&stream("run/x"), Offset(from), events, bytes);
        let offsets = page
            .unwrap()
            .unwrap()
            .events
            .into_iter()
            .map(|event| event.offset.0);
        offsets.collect::<Vec<_>>()
    };
    assert_eq!(page(0, 3, 1 << 20), [0, 1, 2]);
    assert_eq!(page(7, 100, 1 << 20), [7, 8, 9]);
    assert_eq!(page(4, 100, 1), [4], "one at least");
    assert_eq!(page(10, 100, 1 << 20), [0_u64; 0]);
    assert_eq!(
        store
            .stream_page(&stream("run/none"), Offset(0), 1, 1)
            .unwrap(),
        None
    );
}

#[test]
fn streams_are_listed_by_prefix_page_by_page() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    for (key, name) in ["run/b", "run/a", "posting/z", "run/ab", "runs/x"]
        .iter()
        .enumerate()
    {
        publish(&store, &key.to_string(), name, bodies(0..1)).unwrap();
    }
    let own = RunId("own".into());
    store
        .append(
            own.stream(),
            vec![event(&own, Step::Fetch, Phase::Start, DAY)],
        )
        .wait()
        .unwrap();
    store
        .receive("f", vec![received("run/feed", 5, 0)])
        .wait()
        .unwrap();
    let names = |prefix: &str, after: Option<&str>, limit| {
        let after = after.map(stream);
        let listed = store.streams(prefix, after.as_ref(), limit).unwrap();
        listed
            .into_iter()
            .map(|info| info.stream.0)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        names("run/", None, 10),
        ["run/a", "run/ab", "run/b", "run/own"]
    );
    assert_eq!(names("run/", Some("run/a"), 2), ["run/ab", "run/b"]);
    assert_eq!(names("", Some("posting/z"), 1), ["run/a"]);
    assert_eq!(names("run/a", None, 10), ["run/a", "run/ab"]);
    // Nobody else writes into our own run.
    let refused = publish(&store, "k", "run/own", bodies(0..1)).unwrap_err();
    assert!(refused.to_string().contains("own runs"), "{refused}");
}

fn received(name: &str, epoch: u64, offset: u64) -> Received {
    Received::Event {
        stream: stream(name),
        epoch: Epoch(epoch),
        event: LogEvent {
            offset: Offset(offset),
            ts: Micros(DAY + offset as i64),
            body: format!("{{\"o\":{offset}}}"),
        },
    }
}

fn gap(name: &str, epoch: u64, from: u64, to: u64) -> Received {
    Received::Gap {
        stream: stream(name),
        epoch: Epoch(epoch),
        from: Offset(from),
        to: Offset(to),
        reason: "not on the server any more".into(),
    }
}

/// What a feed's log says, shortly.
fn log(store: &Store, seq: i64, limit: usize) -> Vec<String> {
    let entries = store.feed_log("f", seq, limit).unwrap();
    let short = entries.into_iter().map(|entry| match entry {
        FeedEntry::Event {
            stream,
            epoch,
            event,
            ..
        } => format!("{stream} {}.{}", epoch.0, event.offset.0),
        FeedEntry::Gap {
            stream,
            epoch,
            from,
            to,
            ..
        } => {
            format!("{stream} {}.{}-{} missing", epoch.0, from.0, to.0)
        }
    });
    short.collect()
}

#[test]
fn what_a_feed_delivers_is_stored_once_and_without_a_hole() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let count = store
        .receive(
            "f",
            vec![
                received("run/x", 5, 0),
                received("run/x", 5, 1),
                received("run/x", 5, 0),
            ],
        )
        .wait();
    assert_eq!(
        count.unwrap(),
        ReceivedCount {
            stored: 2,
            duplicates: 1,
            missing: 0,
            streams: vec![(stream("run/x"), 2)],
        }
    );
    // A hole is refused with all that came with it.
    let refused = store
        .receive("f", vec![received("run/y", 1, 0), received("run/x", 5, 4)])
        .wait();
    assert!(
        refused
            .unwrap_err()
            .to_string()
            .contains("offsets 2 to 3 of run/x are missing")
    );
    assert_eq!(log(&store, 0, 10), ["run/x 5.0", "run/x 5.1"]);
    // Named as a gap, it is none any more; what of it is there already is no gap.
    store
        .receive("f", vec![gap("run/x", 5, 0, 3), received("run/x", 5, 4)])
        .wait()
        .unwrap();
    // A new epoch begins again; the old one is over.
    let count = store.receive(
        "f",
        vec![
            Received::Epoch {
                stream: stream("run/x"),
                epoch: Epoch(6),
            },
            received("run/x", 6, 0),
            received("run/x", 5, 5),
        ],
    );
    assert_eq!(
        count.wait().unwrap(),
        ReceivedCount {
            stored: 1,
            duplicates: 1,
            missing: 0,
            streams: vec![(stream("run/x"), 1)],
        }
    );
    let all = [
        "run/x 5.0",
        "run/x 5.1",
        "run/x 5.2-3 missing",
        "run/x 5.4",
        "run/x 6.0",
    ];
    assert_eq!(log(&store, 0, 10), all);
    assert_eq!(
        store.positions("f").unwrap(),
        [StreamInfo {
            stream: stream("run/x"),
            epoch: Epoch(6),
            head: Offset(1)
        }]
    );
    assert_eq!(store.positions("g").unwrap(), []);
    // The projections of our own runs are none the wiser.
    assert!(!store.rebuild().wait().unwrap().drift);
    assert_eq!(store.check().unwrap(), Vec::<String>::new());
}

#[test]
fn the_log_of_a_feed_is_read_page_by_page() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store
        .receive(
            "f",
            vec![
                gap("run/x", 1, 0, 2),
                received("run/x", 1, 3),
                received("run/x", 1, 4),
                gap("run/x", 1, 5, 5),
            ],
        )
        .wait()
        .unwrap();
    assert_eq!(log(&store, 0, 1), ["run/x 1.0-2 missing", "run/x 1.3"]);
    let Some(FeedEntry::Event { seq, .. }) = store.feed_log("f", 0, 1).unwrap().pop() else {
        panic!("an event");
    };
    assert_eq!(log(&store, seq, 1), ["run/x 1.4"]);
    assert_eq!(log(&store, seq + 1, 1), ["run/x 1.5-5 missing"]);
}

#[test]
fn gaps_behind_one_event_keep_the_order_of_their_arrival() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let both = vec![received("run/a", 1, 0), received("run/b", 1, 0)];
    store.receive("f", both).wait().unwrap();
    store
        .receive("f", vec![gap("run/b", 1, 1, 5)])
        .wait()
        .unwrap();
    let first = log(&store, 0, 10);
    store
        .receive("f", vec![gap("run/a", 1, 1, 5)])
        .wait()
        .unwrap();
    let second = log(&store, 0, 10);
    // Whoever read the first ones finds them where they were.
    assert_eq!(second[..3], first);
    assert_eq!(second[2..], ["run/b 1.1-5 missing", "run/a 1.1-5 missing"]);
}

#[test]
fn a_new_epoch_has_what_was_there_and_gives_no_offset_twice() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let first = publish(&store, "k1", "run/x", bodies(0..3)).unwrap();
    store
        .receive("f", vec![received("run/y", 5, 0)])
        .wait()
        .unwrap();
    // Also with a clock that stands before the last epoch.
    for now in [NOW, Micros(0), Micros(2 * DAY)] {
        assert_eq!(store.begin_new_epochs(now).wait().unwrap(), 1);
    }
    let page = store.stream_page(&stream("run/x"), Offset(0), 9, 1 << 20);
    let page = page.unwrap().unwrap();
    assert!(page.epoch > Epoch(first.epoch.0 + 1), "{:?}", page.epoch);
    assert_eq!((page.events.len(), page.head), (3, Offset(3)));
    // A key that comes again is answered with the place that it has now.
    let again = publish(&store, "k1", "run/x", bodies(0..3)).unwrap();
    assert_eq!(
        (again.epoch, again.last, again.duplicate),
        (page.epoch, Offset(2), true)
    );
    // What a feed sent is as it was.
    assert_eq!(store.positions("f").unwrap()[0].epoch, Epoch(5));
    assert!(!store.rebuild().wait().unwrap().drift);
    assert_eq!(store.check().unwrap(), Vec::<String>::new());
}

/// Its followers may have seen it go on: the end that it gets here must not stand at a place where they have another.
#[test]
fn a_run_that_a_backup_interrupted_goes_to_a_new_epoch_and_what_had_ended_stays() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let run = |name: &str, code: &str| {
        let run = RunId(name.into());
        let mut end = failed(&run, Step::Fetch, DAY + 1);
        end.issues[0].code = code.into();
        let events = vec![started(&run, DAY), end];
        store.append(run.stream(), events).wait().unwrap();
        run.stream()
    };
    let ended = run("01A", "login_wall");
    let interrupted = run("01B", INTERRUPTED);
    let page = |stream: &StreamId| {
        let page = store.stream_page(stream, Offset(0), 9, 1 << 20).unwrap();
        page.unwrap()
    };
    let before = [page(&ended).epoch, page(&interrupted).epoch];
    assert_eq!(store.begin_new_epochs(Micros(2 * DAY)).wait().unwrap(), 1);
    let after = [page(&ended), page(&interrupted)];
    assert_eq!(after[0].epoch, before[0]);
    assert!(after[1].epoch > before[1], "{:?}", after[1].epoch);
    for page in after {
        assert_eq!((page.events.len(), page.head), (2, Offset(2)));
    }
    let state = store.run(&RunId("01B".into())).unwrap().unwrap();
    assert_eq!(state.failure.unwrap().issue.code, INTERRUPTED);
    assert!(!store.rebuild().wait().unwrap().drift);
    assert_eq!(store.check().unwrap(), Vec::<String>::new());
}

#[test]
fn what_cannot_be_read_is_kept_apart() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let bad = Received::Quarantined {
        at: NOW,
        reason: "no JSON".into(),
        message: vec![0xff; 10_000],
    };
    store.receive("f", vec![bad.clone(), bad]).wait().unwrap();
    assert_eq!(store.quarantined("f").unwrap(), 2);
    assert_eq!(store.quarantined("g").unwrap(), 0);
    assert!(log(&store, 0, 10).is_empty());
}

#[test]
fn the_quarantine_is_bounded_and_counts_all_that_came() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let bad = |n: u64| Received::Quarantined {
        at: NOW,
        reason: n.to_string(),
        message: Vec::new(),
    };
    let kept: u64 = 10_000;
    store
        .receive("f", (0..kept).map(bad).collect())
        .wait()
        .unwrap();
    store
        .receive("f", (kept..kept + 7).map(bad).collect())
        .wait()
        .unwrap();
    assert_eq!(store.quarantined("f").unwrap(), kept + 7);
    let page = store.quarantine("f", 9_999, 10).unwrap();
    assert_eq!((u64::from(page.total), page.rows.len()), (kept, 1));
    assert_eq!(page.rows[0].reason, "7", "the oldest went");
    // A file from before counts what it still has.
    drop(store);
    let database =
        rusqlite::Connection::open(folder.path().join(ghostlight_store::DATABASE)).unwrap();
    database
        .execute_batch("DROP TABLE quarantine_count; ALTER TABLE feed DROP COLUMN refresh_ms; PRAGMA user_version = 13;")
        .unwrap();
    drop(database);
    let store = open(folder.path());
    assert_eq!(store.quarantined("f").unwrap(), kept);
}
