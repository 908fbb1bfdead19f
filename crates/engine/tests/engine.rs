//! The path source → event → store → card without a window, and what must survive trouble.
#![allow(clippy::unwrap_used)]

use ghostlight_api::{
    ViewData, ViewId, ViewQuery,
    command::{PullViews, RegisterViews, RetryRun, SetVerdict},
    view::{CardView, Ping, PostingOrder, Range, Subject},
};
use ghostlight_engine::{Engine, Handle, Hooks, Host, Input, report::Ending};
use ghostlight_model::{
    EventBody, FieldKey, Micros, Phase, RunId, Step,
    card::FieldState,
    event::Fact,
    run::{INTERRUPTED, RunStatus},
};
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
        mpsc::{self, Receiver, Sender},
    },
    time::Duration,
};

struct Quiet;
impl Host for Quiet {}

/// A host that hands on the pings.
struct Pinged(Sender<Ping>);
impl Host for Pinged {
    fn ping(&self, ping: &Ping) {
        let _ = self.0.send(ping.clone());
    }
}

fn open(folder: &Path) -> Engine {
    Engine::open(folder, Arc::new(Quiet), Hooks::default()).unwrap()
}

fn text(name: &str, text: &str) -> Input {
    Input::Text {
        name: name.into(),
        bytes: text.as_bytes().to_vec(),
    }
}

const POSTING: &str = "Lamp Keeper\nQuillmarsh Instruments\nLocation: Dublin, Ireland\n\
    Full-time, on site. Salary: €42,000 to €48,000 per year.\n\
    Responsibilities: trim the wicks, keep the log. Requirements: a steady hand. Apply by email.";

fn card(engine: &Engine, run: &RunId) -> CardView {
    match engine.view(&ViewQuery::Card(Subject::Run(run.clone()))) {
        ViewData::Card(card) => *card,
        other => panic!("no card: {other:?}"),
    }
}

fn analyze(engine: &Engine, input: Input) -> (RunId, Vec<EventBody>) {
    let mut events = Vec::new();
    let runs = engine
        .analyze(input, &mut |event| events.push(event.clone()))
        .unwrap();
    (runs[0].clone(), events)
}

#[test]
fn a_text_becomes_a_card_and_the_card_is_still_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    let (run, events) = analyze(&engine, text("pasted", POSTING));
    let before = card(&engine, &run);
    let title = &before.fields[0];
    assert_eq!(
        title.chosen.as_ref().unwrap().value.display(),
        "Lamp Keeper"
    );
    assert_eq!(before.status, Some(RunStatus::Finished));
    let posted = before
        .fields
        .iter()
        .find(|f| f.key == FieldKey::PostedAt)
        .unwrap();
    assert_eq!(posted.state, FieldState::NotFound);
    assert!(!posted.looked.is_empty(), "says where it was looked for");
    // Each step begins and ends, in order, and what was told is what is stored.
    let ends: Vec<&str> = events
        .iter()
        .filter(|e| e.phase == Phase::End)
        .map(|e| e.node.as_str())
        .collect();
    assert_eq!(ends, Step::ALL.map(Step::node));
    let stored = engine.hub().store().events(&run, 0, 500).unwrap();
    assert_eq!(
        stored
            .rows
            .iter()
            .map(|row| row.body.clone())
            .collect::<Vec<_>>(),
        events
    );
    drop(engine);
    let engine = open(folder.path());
    assert_eq!(card(&engine, &run), before);
    assert!(!engine.hub().store().rebuild().wait().unwrap().drift);
}

#[test]
fn what_cannot_be_read_says_which_step_and_what_to_do_and_stays() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    for (input, code, ending) in [
        (text("empty", ""), "empty", Ending::Unreadable),
        (
            text("picture", "\u{89}PNG\r\n\0\0"),
            "binary",
            Ending::Unreadable,
        ),
        (
            text("odd.json", "{\"a\": 1}"),
            "unknown_json",
            Ending::NothingFound,
        ),
        (
            Input::Url("file:///etc/passwd".into()),
            "scheme",
            Ending::Unreadable,
        ),
        (
            Input::File("/no/such/file".into()),
            "unreadable",
            Ending::Unreadable,
        ),
    ] {
        let (run, _) = analyze(&engine, input);
        let card = card(&engine, &run);
        let failure = card.failure.unwrap();
        assert_eq!(failure.issue.code, code);
        assert!(failure.issue.hint.is_some_and(|hint| hint.ends_with('.')));
        assert!(
            card.fields
                .iter()
                .all(|field| field.state == FieldState::Failed)
        );
        assert_eq!(engine.report(&run).unwrap().1, ending, "{code}");
    }
}

#[test]
fn a_run_whose_process_is_gone_ends_as_interrupted_at_whatever_step_and_only_once() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    let mut runs = Vec::new();
    for step in Step::ALL {
        let run = RunId(format!("LOST{}", step.node()));
        let begun = |node: &str, fact| EventBody {
            ts: Micros(1),
            run_id: run.clone(),
            node: node.into(),
            phase: Phase::Start,
            duration_ms: None,
            metrics: Default::default(),
            issues: vec![],
            fact,
        };
        let started = Fact::Started {
            input: "lost.html".into(),
            location: None,
            index: 0,
            pipeline: "ghostlight".into(),
            process: "GONE".into(),
        };
        let events = vec![
            begun("FETCH", Some(Box::new(started))),
            begun(step.node(), None),
        ];
        engine.hub().publish(run.stream(), events).wait().unwrap();
        runs.push(run);
    }
    drop(engine);
    for _ in 0..2 {
        let engine = open(folder.path());
        for run in &runs {
            let state = engine.hub().store().run(run).unwrap().unwrap();
            assert_eq!(state.status, RunStatus::Failed, "{run}");
            assert_eq!(state.failure.unwrap().issue.code, INTERRUPTED);
            assert_eq!(state.events, 3, "{run}: said once");
        }
    }
}

#[test]
fn a_verdict_stands_through_a_second_run_and_the_same_key_is_one_commit() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    let (run, _) = analyze(&engine, text("pasted", POSTING));
    let posting = card(&engine, &run).posting.unwrap();
    let verdict = SetVerdict {
        posting,
        verdict: "doubtful".into(),
        note: "asked twice".into(),
        key: "k1".into(),
    };
    engine.handle(verdict.clone()).unwrap();
    engine.handle(verdict).unwrap();
    let (again, _) = analyze(&engine, text("pasted", POSTING));
    let card = card(&engine, &again);
    assert_eq!(
        card.posting,
        Some(posting),
        "the same text is the same posting"
    );
    assert_eq!(card.version, 2, "one reading, one verdict, nothing new");
    assert_eq!(card.verdict.unwrap().note, "asked twice");
    let unknown = SetVerdict {
        posting,
        verdict: "fake".into(),
        note: String::new(),
        key: "k2".into(),
    };
    assert!(
        engine
            .handle(unknown)
            .unwrap_err()
            .message
            .contains("ghost"),
        "names the choices"
    );
    assert_eq!(engine.handle(RetryRun { run }).unwrap().runs.len(), 1);
}

/// A host whose clock goes on by an hour each time it is asked.
#[derive(Default)]
struct Hourly(AtomicI64);
impl Host for Hourly {
    fn now(&self) -> Micros {
        Micros(self.0.fetch_add(3_600_000_000, Ordering::SeqCst))
    }
}

#[test]
fn a_retry_reads_the_same_capture_at_its_own_time() {
    let folder = tempfile::tempdir().unwrap();
    let host = Arc::new(Hourly::default());
    let engine = Engine::open(folder.path(), host, Hooks::default()).unwrap();
    let page = folder.path().join("page.txt");
    std::fs::write(&page, POSTING).unwrap();
    for input in [text("pasted", POSTING), Input::File(page)] {
        let (run, _) = analyze(&engine, input);
        let before = card(&engine, &run);
        let again = engine.handle(RetryRun { run }).unwrap().runs.remove(0);
        let mut after = card(&engine, &again);
        while after.status != Some(RunStatus::Finished) {
            std::thread::sleep(Duration::from_millis(5));
            after = card(&engine, &again);
        }
        assert_eq!(after.run, Some(again));
        assert_eq!(
            (after.capture, after.captured_at, after.title),
            (before.capture, before.captured_at, before.title)
        );
        assert_eq!(after.signals, before.signals, "as old as it was");
        assert_eq!(after.version, before.version, "nothing new to commit");
        for (after, before) in after.fields.iter().zip(&before.fields) {
            let alternatives = (after.alternatives.len(), before.alternatives.len());
            assert_eq!(alternatives.0, alternatives.1, "{}", after.key);
        }
    }
}

fn views(pings: &Receiver<Ping>) -> Option<Vec<ViewId>> {
    pings.recv_timeout(Duration::from_secs(10)).ok()?.views
}

#[test]
fn the_window_is_pinged_pulls_and_is_pinged_again() {
    let folder = tempfile::tempdir().unwrap();
    let (tell, pings) = mpsc::channel();
    let engine = Engine::open(folder.path(), Arc::new(Pinged(tell)), Hooks::default()).unwrap();
    let list = ViewQuery::Postings {
        order: PostingOrder::Recent,
        range: Range { start: 0, len: 50 },
    };
    engine
        .handle(RegisterViews {
            views: vec![(ViewId(7), list)],
        })
        .unwrap();
    assert_eq!(views(&pings), Some(vec![ViewId(7)]));
    engine.start(text("pasted", POSTING)).unwrap();
    // Nothing is pinged until the window has pulled; then the list grows to one row.
    loop {
        let pulled = engine
            .handle(PullViews {
                ids: vec![ViewId(7)],
            })
            .unwrap();
        let [(_, ViewData::Postings(page))] = &pulled[..] else {
            panic!("{pulled:?}")
        };
        if page.total == 1 && page.rows[0].progress.is_none() {
            assert_eq!(page.rows[0].title, "Lamp Keeper");
            break;
        }
        assert_eq!(views(&pings), Some(vec![ViewId(7)]));
    }
}
