//! Runs that others write: in the list beside ours, with a log of events, gaps and restarts, and rebuilt like ours.
#![allow(clippy::unwrap_used)]

mod support;

use ghostlight_model::{
    Epoch, Micros, Offset, Phase, RunId, Step, StreamId,
    run::{RunKind, RunStatus},
};
use ghostlight_store::{
    FeedSettings, LogEvent, LogFilter, LogRow, Matches, Received, Store, StoreError,
    read::{EventPlace, RunFilter},
};
use proptest::prelude::*;

fn stream(name: &str) -> StreamId {
    StreamId(name.into())
}

fn event(name: &str, epoch: u64, offset: u64, body: &str) -> Received {
    Received::Event {
        stream: stream(name),
        epoch: Epoch(epoch),
        event: LogEvent {
            offset: Offset(offset),
            ts: Micros(1_000_000 * (epoch * 100 + offset) as i64),
            body: body.into(),
        },
    }
}

fn gap(name: &str, epoch: u64, from: u64, to: u64) -> Received {
    Received::Gap {
        stream: stream(name),
        epoch: Epoch(epoch),
        from: Offset(from),
        to: Offset(to),
        reason: "trimmed".into(),
    }
}

fn run(name: &str) -> RunId {
    RunId::of_stream("feed:f", &stream(name))
}

fn step(node: &str, phase: &str) -> String {
    format!(r#"{{"node":"{node}","phase":"{phase}","duration_ms":12}}"#)
}

/// `0`, `2-4 gone`, `new 9`: the rows of a log in short.
fn rows(rows: Vec<LogRow>) -> Vec<String> {
    let short = |row| match row {
        LogRow::Event(entry) => entry.place.offset.0.to_string(),
        LogRow::Gap { from, to, .. } => format!("{}-{} gone", from.0, to.0),
        LogRow::Restart { epoch } => format!("new {}", epoch.0),
    };
    rows.into_iter().map(short).collect()
}

fn two_epochs(store: &Store) {
    let body = step("LOAD", "end");
    let mut delivery = vec![gap("run/x", 5, 0, 2)];
    delivery.extend((3..6).map(|n| event("run/x", 5, n, &body)));
    delivery.push(gap("run/x", 5, 6, 6));
    delivery.push(event("run/x", 5, 7, &body));
    delivery.extend((0..2).map(|n| event("run/x", 9, n, &step("LOAD", "start"))));
    delivery.push(gap("run/x", 9, 2, 41));
    store.receive("f", delivery).wait().unwrap();
}

#[test]
fn a_log_shows_events_gaps_and_restarts_in_order_and_pages_anywhere() {
    let folder = tempfile::tempdir().unwrap();
    let store = support::open(folder.path());
    two_epochs(&store);
    let all = [
        "0-2 gone",
        "3",
        "4",
        "5",
        "6-6 gone",
        "7",
        "new 9",
        "0",
        "1",
        "2-41 gone",
    ];
    let page = store.log(&run("run/x"), 0, 100).unwrap();
    assert_eq!(
        (page.total, rows(page.rows)),
        (10, all.map(String::from).to_vec())
    );
    for start in 0..11 {
        for len in 0..4 {
            let page = store.log(&run("run/x"), start, len).unwrap();
            let end = (start + len).min(10).max(start) as usize;
            let wanted = all.get(start as usize..end).unwrap_or_default();
            assert_eq!(rows(page.rows), wanted, "{start} {len}");
        }
    }
    let summary = store.log_summary(&run("run/x")).unwrap().unwrap();
    assert_eq!(summary.current, Some((Epoch(9), Offset(0), Offset(41))));
    assert_eq!(
        (summary.gaps, summary.missing, summary.restarts),
        (1, 40, 1)
    );
    assert_eq!(store.gaps(&run("run/x"), 5).unwrap().len(), 1);
    assert_eq!(store.log_summary(&run("run/none")).unwrap(), None);
    let place = EventPlace {
        epoch: Epoch(5),
        offset: Offset(7),
    };
    let body = store.event_body(&run("run/x"), place).unwrap();
    assert_eq!(body, Some(step("LOAD", "end")));
    // The run began anew with its source.
    let state = store.run(&run("run/x")).unwrap().unwrap();
    assert_eq!(
        (state.epoch, state.events, state.nodes.len()),
        (Epoch(9), 2, 1)
    );
}

#[test]
fn a_filtered_log_is_found_bit_by_bit_and_keeps_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let store = support::open(folder.path());
    two_epochs(&store);
    let mut found = Matches::default();
    let filter = LogFilter {
        phase: Some("start".into()),
        ..LogFilter::default()
    };
    for _ in 0..20 {
        store
            .find_in_log(&run("run/x"), &filter, &mut found, 3)
            .unwrap();
    }
    assert_eq!((found.looked, found.total), (10, 10));
    let shown = store.log_rows(&run("run/x"), &found.rows).unwrap();
    assert_eq!(
        rows(shown),
        ["0-2 gone", "6-6 gone", "new 9", "0", "1", "2-41 gone"]
    );
    let by_text = LogFilter {
        text: "LOAD\",\"PHASE\":\"END".into(),
        ..LogFilter::default()
    };
    let mut found = Matches::default();
    store
        .find_in_log(&run("run/x"), &by_text, &mut found, 100)
        .unwrap();
    assert_eq!(
        found.rows,
        [0, 1, 2, 3, 4, 5, 6, 9],
        "text is found ignoring case"
    );
}

#[test]
fn the_list_holds_runs_of_every_origin_and_can_be_narrowed() {
    let folder = tempfile::tempdir().unwrap();
    let store = support::open(folder.path());
    let own = RunId("01OWN".into());
    let begun = support::event(&own, Step::Fetch, Phase::Start, 1);
    store.append(own.stream(), vec![begun]).wait().unwrap();
    let body =
        r#"{"node":"run","phase":"failed","issues":[{"severity":"error","message":"no disk"}]}"#;
    let delivery = vec![
        event("run/song-1", 5, 0, &step("PLAN", "start")),
        event("run/song-2", 5, 0, body),
        event(
            "message/job:recommendation",
            5,
            0,
            r#"{"type":"job:recommendation","data":{}}"#,
        ),
    ];
    store.receive("f", delivery).wait().unwrap();
    let published = store.publish(
        "k".into(),
        stream("run/p"),
        vec![step("A", "start")],
        Micros(7),
    );
    published.wait().unwrap();
    let listed = |filter: RunFilter| -> Vec<(String, String)> {
        let page = store.runs(&filter, 0, 50).unwrap();
        assert_eq!(page.total as usize, page.rows.len());
        let rows = page.rows.into_iter();
        let mut names: Vec<_> = rows.map(|row| (row.origin, row.line.name)).collect();
        names.sort();
        names
    };
    let named = |origin: &str, name: &str| (origin.to_owned(), name.to_owned());
    let all = RunFilter::default();
    assert_eq!(
        listed(all.clone()),
        [
            named("feed:f", "message/job:recommendation"),
            named("feed:f", "song-1"),
            named("feed:f", "song-2"),
            named("hub", "p"),
            named("local", "01OWN"),
        ]
    );
    let feed = RunFilter {
        origin: Some("feed:f".into()),
        text: "SONG".into(),
        ..all.clone()
    };
    assert_eq!(
        listed(feed),
        [named("feed:f", "song-1"), named("feed:f", "song-2")]
    );
    let failed = RunFilter {
        status: Some(RunStatus::Failed),
        ..all
    };
    assert_eq!(listed(failed), [named("feed:f", "song-2")]);
    // None of it is a posting's run, and only ours count as under way here.
    assert_eq!(store.counts().unwrap(), (0, 1));
    assert_eq!(store.running(9).unwrap().len(), 1);
    let messages = store
        .run(&run("message/job:recommendation"))
        .unwrap()
        .unwrap();
    assert_eq!(
        (messages.kind, messages.status),
        (RunKind::Messages, RunStatus::Open)
    );
}

#[test]
fn how_long_a_node_takes_is_remembered_by_origin() {
    let folder = tempfile::tempdir().unwrap();
    let store = support::open(folder.path());
    let body = |ms: u64| format!(r#"{{"node":"LOAD","phase":"end","duration_ms":{ms}}}"#);
    let delivery = (0..250).map(|n| event("run/x", 5, n, &body(n)));
    store.receive("f", delivery.collect()).wait().unwrap();
    let history = store.node_history("feed:f", "LOAD").unwrap();
    assert_eq!(
        (history.len(), history[0], history[199]),
        (200, 50.0, 249.0)
    );
    assert_eq!(
        store.node_history("feed:g", "LOAD").unwrap(),
        Vec::<f64>::new()
    );
}

fn settings(name: &str, url: &str) -> FeedSettings {
    FeedSettings {
        name: name.into(),
        url: url.into(),
        kind: None,
        enabled: true,
        publish: false,
        transport: None,
        refresh_ms: Some(2_000),
    }
}

#[test]
fn feeds_are_set_up_identified_changed_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let store = support::open(folder.path());
    let url = "ws://a.example/v1";
    let id = store
        .add_feed(settings("Studio", url), Micros(1))
        .wait()
        .unwrap();
    for refused in [
        settings("Again", url),
        settings("  ", "ws://b.example/"),
        settings("Studio", "ws://b.example/"),
        settings(&"x".repeat(81), "ws://c.example/"),
    ] {
        let error = store.add_feed(refused, Micros(1)).wait().unwrap_err();
        assert!(matches!(error, StoreError::Refused(_)), "{error}");
    }
    store
        .identify_feed(url.into(), "sse".into(), "f1", Micros(2))
        .wait()
        .unwrap();
    let cursor = |url: &str, cursor: &str| Received::Cursor {
        url: url.into(),
        cursor: cursor.into(),
    };
    let delivery = vec![event("message/m", 1, 0, "{}"), cursor(url, "7")];
    store.receive("f1", delivery).wait().unwrap();
    // With its events or not at all, and not of another source.
    let hole = vec![event("message/m", 1, 2, "{}"), cursor(url, "8")];
    assert!(store.receive("f1", hole).wait().is_err());
    store.receive("f2", vec![cursor(url, "9")]).wait().unwrap();
    store.put_feed_connected(id, Micros(9)).wait().unwrap();
    let feed = store.feed_at(url).unwrap().unwrap();
    assert_eq!(
        (feed.settings.kind.as_deref(), feed.origin.as_deref()),
        (Some("sse"), Some("feed:f1"))
    );
    assert_eq!(
        (
            feed.last_connected,
            store.feed_cursor(url).unwrap().as_deref()
        ),
        (Some(Micros(9)), Some("7"))
    );
    // Another name keeps its place in the stream, another address does not.
    store
        .change_feed(id, settings("Studio 2", url))
        .wait()
        .unwrap();
    assert_eq!(store.feed_cursor(url).unwrap().as_deref(), Some("7"));
    store
        .change_feed(id, settings("Studio 2", "ws://d.example/v1"))
        .wait()
        .unwrap();
    let feed = store.feed_at("ws://d.example/v1").unwrap().unwrap();
    assert_eq!(
        (feed.origin, store.feed_cursor(&feed.settings.url).unwrap()),
        (None, None)
    );
    assert!(matches!(
        store.change_feed(99, settings("x", "ws://e/")).wait(),
        Err(StoreError::NotFound(_))
    ));
    // One that was only watched is kept by its host's name, switched off.
    store
        .identify_feed("ws://w.example:9/x?y".into(), "hub".into(), "w", Micros(3))
        .wait()
        .unwrap();
    let watched = store.feed_at("ws://w.example:9/x?y").unwrap().unwrap();
    assert_eq!(
        (watched.settings.name.as_str(), watched.settings.enabled),
        ("w.example:9", false)
    );
    store.remove_feed(id).wait().unwrap();
    assert_eq!(store.feeds().unwrap().len(), 1);
}

#[test]
fn numbers_that_no_source_means_are_refused_and_times_are_cut() {
    let folder = tempfile::tempdir().unwrap();
    let store = support::open(folder.path());
    for far in [u64::MAX, i64::MAX as u64] {
        let refused = store.receive("f", vec![gap("run/x", 5, 0, far)]).wait();
        assert!(matches!(refused, Err(StoreError::Refused(_))), "{far}");
    }
    let mut early = event("run/x", 5, 0, &step("LOAD", "start"));
    let mut late = event("run/x", 5, 1, r#"{"node":"LOAD","phase":"end"}"#);
    for (one, at) in [(&mut early, i64::MIN), (&mut late, i64::MAX)] {
        if let Received::Event { event, .. } = one {
            event.ts = Micros(at);
        }
    }
    store.receive("f", vec![early, late]).wait().unwrap();
    let state = store.run(&run("run/x")).unwrap().unwrap();
    assert_eq!(state.updated, Micros::MAX);
    assert!(state.nodes[0].duration_ms.unwrap() > 1e14);
    assert!(!store.rebuild().wait().unwrap().drift);
}

#[derive(Debug, Clone)]
enum Fate {
    Step(u8, u8),
    Gap(u8),
    Epoch,
}

fn fates() -> impl Strategy<Value = Vec<(u8, Fate)>> {
    let fate = prop_oneof![
        8 => (0..3u8, 0..4u8).prop_map(|(node, phase)| Fate::Step(node, phase)),
        1 => (1..4u8).prop_map(Fate::Gap),
        1 => Just(Fate::Epoch),
    ];
    proptest::collection::vec((0..3u8, fate), 1..60)
}

fn delivery(fates: &[(u8, Fate)]) -> Vec<Received> {
    let mut at = [(1u64, 0u64); 3];
    let mut all = Vec::new();
    for (n, (which, fate)) in fates.iter().enumerate() {
        let name = ["run/a", "run/b", "message/m"][*which as usize];
        let (epoch, next) = &mut at[*which as usize];
        match fate {
            Fate::Step(node, phase) => {
                let phase = ["start", "end", "fail", "progress"][*phase as usize];
                let body = format!(
                    r#"{{"node":"{}","phase":"{phase}","duration_ms":{n},"metrics":{{"scores":{{"s":{n}}}}}}}"#,
                    ["A", "B", "run"][*node as usize]
                );
                all.push(event(name, *epoch, *next, &body));
                *next += 1;
            }
            Fate::Gap(len) => {
                let to = *next + u64::from(*len) - 1;
                all.push(gap(name, *epoch, *next, to));
                *next = to + 1;
            }
            Fate::Epoch => {
                (*epoch, *next) = (*epoch + 1, 0);
                all.push(Received::Epoch {
                    stream: stream(name),
                    epoch: Epoch(*epoch),
                });
            }
        }
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Invariants 3 and 4 for what others write: any split gives the same rows, and so does a rebuild.
    #[test]
    fn any_split_and_a_rebuild_give_the_same(fates in fates(), cuts in proptest::collection::vec(1..9usize, 0..12)) {
        let all = delivery(&fates);
        let (one, parts) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let whole = support::open(one.path());
        whole.receive("f", all.clone()).wait().unwrap();
        let split = support::open(parts.path());
        let mut rest = all.as_slice();
        for cut in cuts.into_iter().chain([usize::MAX]) {
            let (now, later) = rest.split_at(cut.min(rest.len()));
            split.receive("f", now.to_vec()).wait().unwrap();
            // Delivered again it changes nothing.
            split.receive("f", now.to_vec()).wait().unwrap();
            rest = later;
        }
        for store in [&whole, &split] {
            prop_assert!(!store.rebuild().wait().unwrap().drift);
        }
        for name in ["run/a", "run/b", "message/m"] {
            prop_assert_eq!(whole.run(&run(name)).unwrap(), split.run(&run(name)).unwrap());
            let log = whole.log(&run(name), 0, 500).unwrap();
            prop_assert_eq!(&log.rows, &split.log(&run(name), 0, 500).unwrap().rows);
            prop_assert_eq!(log.total as usize, log.rows.len());
        }
        for node in ["A", "B", "run"] {
            let history = |store: &Store| store.node_history("feed:f", node).unwrap();
            prop_assert_eq!(history(&whole), history(&split));
        }
    }
}
