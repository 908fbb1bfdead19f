//! Postings by their address: job systems that answer, pages that are gone, servers that do not
//! answer. Names are made up into addresses; every connection ends at a server on this machine.
#![allow(clippy::unwrap_used)]

#[path = "../../../tests/support/server.rs"]
mod server;
mod support;

use ghostlight_api::{
    ViewData, ViewQuery,
    view::{CardView, Subject},
};
use ghostlight_detect::keys;
use ghostlight_engine::{Engine, Hooks, Host, Input, report::Ending};
use ghostlight_fetch::{Fetcher, Limits};
use ghostlight_model::{
    EventBody, FieldKey, Level, Phase, RunId, Step, card::FieldState, run::RunStatus,
};
use serde_json::{Value, json};
use server::{Reply, Server};
use std::{
    net::TcpListener,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use support::World;

struct Quiet;
impl Host for Quiet {}

fn open(folder: &Path, fetcher: Fetcher) -> Engine {
    Engine::open_with(folder, Arc::new(Quiet), Hooks::default(), fetcher).unwrap()
}

fn analyze(engine: &Engine, url: &str) -> (RunId, Vec<EventBody>) {
    let mut events = Vec::new();
    let input = Input::Url(url.into());
    let runs = engine
        .analyze(input, &mut |event| events.push(event.clone()))
        .unwrap();
    assert_eq!(runs.len(), 1);
    (runs[0].clone(), events)
}

fn card(engine: &Engine, run: &RunId) -> CardView {
    match engine.view(&ViewQuery::Card(Subject::Run(run.clone()))) {
        ViewData::Card(card) => *card,
        other => panic!("no card: {other:?}"),
    }
}

fn value(card: &CardView, key: FieldKey) -> Option<String> {
    let field = card.fields.iter().find(|f| f.key == key).unwrap();
    field.chosen.as_ref().map(|c| c.value.display())
}

/// A metric of `FETCH`'s end.
fn fetched(events: &[EventBody], name: &str) -> Value {
    let end = |e: &&EventBody| e.node == Step::Fetch.node() && e.phase == Phase::End;
    let end = events.iter().find(end).unwrap();
    end.metrics.get(name).cloned().unwrap_or_default()
}

const PAGE: &str = "<h1>Night Baker</h1><p>Oriel Bread, Cork, Ireland. Full-time.</p>\
    <h2>Responsibilities</h2><ul><li>Knead at night</li><li>Bake at dawn</li></ul>\
    <h2>Requirements</h2><p>Two years of experience. Apply now.</p>";

const GREENHOUSE: &str = "https://boards.greenhouse.io/tidewright/jobs/4012345";
const LEVER: &str = "https://jobs.lever.co/tidewright/0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9";
const ASHBY: &str = "https://jobs.ashbyhq.com/tidewright/0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9";

fn greenhouse() -> Value {
    json!({
        "id": 4012345, "internal_job_id": 77, "title": "Tide Gauge Engineer",
        "absolute_url": "https://tidewright.example/careers?gh_jid=4012345",
        "updated_at": "2026-11-02T08:00:00Z", "location": { "name": "Cork, Ireland" },
        "company_name": "Tidewright", "content": "<p>You keep the gauges honest.</p>",
    })
}

fn lever() -> Value {
    json!({
        "id": "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9", "text": "Tide Gauge Engineer",
        "hostedUrl": LEVER, "applyUrl": format!("{LEVER}/apply"), "createdAt": 1_793_606_400_000_i64,
        "categories": { "location": "Cork, Ireland", "commitment": "Full-time", "team": "Gauges" },
        "descriptionPlain": "You keep the gauges honest.",
    })
}

fn ashby(n: u32, title: &str) -> Value {
    let url = format!("https://jobs.ashbyhq.com/tidewright/{n}a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9");
    json!({
        "id": format!("{n}a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"), "title": title,
        "location": "Cork", "employmentType": "FullTime", "isListed": true, "isRemote": false,
        "publishedAt": "2026-11-02T08:00:00.000+00:00", "jobUrl": url,
        "applyUrl": format!("{url}/application"), "descriptionPlain": "You keep the gauges honest.",
    })
}

#[test]
fn a_job_systems_answer_is_read_in_place_of_its_page() {
    let board = json!({ "jobs": [ashby(1, "Lamp Keeper"), ashby(0, "Tide Gauge Engineer")] });
    for (typed, answer, api) in [
        (
            GREENHOUSE,
            greenhouse(),
            "https://boards-api.greenhouse.io/v1/boards/tidewright/jobs/4012345?pay_transparency=true",
        ),
        (
            LEVER,
            lever(),
            "https://api.lever.co/v0/postings/tidewright/0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9",
        ),
        (
            ASHBY,
            board,
            "https://api.ashbyhq.com/posting-api/job-board/tidewright?includeCompensation=true",
        ),
    ] {
        let world = World::start(move |host, _| match host.contains("api") {
            true => support::json("200 OK", &answer),
            false => panic!("{host} was asked"),
        });
        let folder = tempfile::tempdir().unwrap();
        let engine = open(folder.path(), world.fetcher());
        let (run, events) = analyze(&engine, typed);
        assert_eq!(fetched(&events, "read"), "ats_api", "{typed}");
        let card = card(&engine, &run);
        let title = value(&card, FieldKey::Title);
        assert_eq!(title.as_deref(), Some("Tide Gauge Engineer"), "{typed}");
        let store = engine.hub().store();
        let capture = store.stored(card.capture.unwrap()).unwrap().unwrap();
        assert_eq!(
            (capture.url.as_deref(), capture.final_url.as_deref()),
            (Some(typed), Some(api))
        );
        let held = String::from_utf8(capture.bytes).unwrap();
        assert!(!held.contains("Lamp Keeper"), "only the job's own object");
        assert_eq!(card.url.as_deref(), Some(typed), "what a reader opens");
        // The typed address leads to the posting, whatever address the answer gives.
        let known = store.recognised(&keys::of_url(typed)).unwrap();
        assert_eq!(known, card.posting, "{typed}");
    }
}

#[test]
fn where_the_job_system_does_not_answer_with_the_job_the_page_is_read() {
    for (typed, status, answer, trouble) in [
        (LEVER, "500 Oh", json!({}), "server_error"),
        (LEVER, "404 Not Found", json!({"ok": false}), "not_found"),
        (LEVER, "200 OK", json!({"weather": "rain"}), "no_such_job"),
        (
            ASHBY,
            "200 OK",
            json!({ "jobs": [ashby(1, "Lamp Keeper")] }),
            "no_such_job",
        ),
    ] {
        let world = World::start(move |host, _| match host.starts_with("api.") {
            true => support::json(status, &answer),
            false => support::page(PAGE),
        });
        let folder = tempfile::tempdir().unwrap();
        let engine = open(folder.path(), world.fetcher());
        let (run, events) = analyze(&engine, typed);
        assert_eq!(fetched(&events, "read"), "page", "{trouble}");
        assert_eq!(fetched(&events, "api"), trouble);
        let card = card(&engine, &run);
        assert_eq!(
            value(&card, FieldKey::Title).as_deref(),
            Some("Night Baker")
        );
        let capture = engine.hub().store().capture(card.capture.unwrap());
        assert_eq!(capture.unwrap().unwrap().final_url.as_deref(), Some(typed));
    }
}

#[test]
fn a_job_that_its_system_does_not_have_any_more_is_gone_from_the_board() {
    let open_still = Arc::new(AtomicBool::new(false));
    let is_open = Arc::clone(&open_still);
    let world = World::start(move |host, path| {
        match (host, path, is_open.load(Ordering::SeqCst)) {
            ("boards-api.greenhouse.io", _, true) => support::json("200 OK", &greenhouse()),
            ("boards-api.greenhouse.io", ..) => support::json("404 Not Found", &json!({})),
            // Greenhouse sends who asks for a closed job to the list of the others.
            (_, "/tidewright?error=true", _) => support::page(PAGE),
            _ => support::redirect("/tidewright?error=true"),
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path(), world.fetcher());
    let (run, _) = analyze(&engine, GREENHOUSE);
    let failure = card(&engine, &run).failure.unwrap();
    assert_eq!(
        failure.issue.code, "not_found",
        "not the list of the others"
    );
    open_still.store(true, Ordering::SeqCst);
    let (run, _) = analyze(&engine, GREENHOUSE);
    let before = card(&engine, &run);
    open_still.store(false, Ordering::SeqCst);
    let (run, events) = analyze(&engine, GREENHOUSE);
    assert_eq!(fetched(&events, "status"), 404);
    is_gone_and_kept(&engine, &run, &before);
}

/// The run belongs to the posting, says what is gone, and the card keeps what it held.
fn is_gone_and_kept(engine: &Engine, run: &RunId, before: &CardView) {
    let after = card(engine, run);
    assert_eq!(after.posting, before.posting);
    assert_eq!(after.status, Some(RunStatus::Finished));
    let gone = |card: &CardView| card.signals.iter().any(|s| s.id == "gone_from_board");
    assert!(gone(&after) && !gone(before));
    assert!(after.assessment.unwrap().level >= Level::Unclear);
    let kept = |card: &CardView| -> Vec<_> {
        let fields = card.fields.iter();
        fields
            .map(|f| (f.state, f.chosen.as_ref().map(|c| c.value.clone())))
            .collect()
    };
    assert_eq!(kept(&after), kept(before));
    assert_eq!(
        (after.capture, after.captured_at, after.version),
        (before.capture, before.captured_at, before.version),
        "the same capture, and nothing to commit"
    );
    assert!(after.fields.iter().all(|f| f.state != FieldState::Failed));
    let said: Vec<&String> = after.steps.iter().flat_map(|step| &step.issues).collect();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].ends_with('.'), "{said:?}");
    assert_eq!(engine.report(run).unwrap().1, Ending::Found);
    assert!(!engine.hub().store().rebuild().wait().unwrap().drift);
}

#[test]
fn a_page_that_is_gone_or_says_so_is_a_fact_about_the_posting_we_know() {
    type Gone = fn() -> Reply;
    let (by_status, by_words): (Gone, Gone) = (
        || Reply::status("410 Gone"),
        || Reply::page("<h1>Night Baker</h1><p>This job is no longer available.</p>"),
    );
    for (gone, code, fact) in [
        (by_status, "gone", "HTTP 410"),
        (by_words, "removed", "This job is no longer available."),
    ] {
        let taken_down = Arc::new(AtomicBool::new(true));
        let is_down = Arc::clone(&taken_down);
        let server = Server::start(move |_| match is_down.load(Ordering::SeqCst) {
            true => gone(),
            false => Reply::page(PAGE),
        });
        let folder = tempfile::tempdir().unwrap();
        let engine = open(folder.path(), Fetcher::new(Limits::default()).unwrap());
        // Of a posting we do not know it is a refusal.
        let url = server.url("/jobs/7?utm_source=x");
        let (run, _) = analyze(&engine, &url);
        assert_eq!(card(&engine, &run).failure.unwrap().issue.code, code);
        taken_down.store(false, Ordering::SeqCst);
        let (run, _) = analyze(&engine, &url);
        let before = card(&engine, &run);
        taken_down.store(true, Ordering::SeqCst);
        let (run, events) = analyze(&engine, &server.url("/jobs/7"));
        is_gone_and_kept(&engine, &run, &before);
        let signals = card(&engine, &run).signals;
        let signal = signals.iter().find(|s| s.id == "gone_from_board").unwrap();
        assert!(signal.statement.contains(fact), "{}", signal.statement);
        let issue = events.iter().flat_map(|e| &e.issues).next().unwrap();
        assert_eq!(issue.code, code);
        assert!(issue.hint.as_ref().unwrap().contains("keeps"), "{issue:?}");
        // Another page of that server is not this posting's.
        let (run, _) = analyze(&engine, &server.url("/jobs/8"));
        assert_eq!(card(&engine, &run).posting, None);
    }
}

#[test]
fn a_wall_in_front_of_a_posting_we_know_is_no_fact_about_it() {
    let walled = Arc::new(AtomicBool::new(false));
    let is_walled = Arc::clone(&walled);
    let server = Server::start(move |_| match is_walled.load(Ordering::SeqCst) {
        true => Reply::page(
            "<h1>Just a moment</h1><p>Verify you are human. Or the page no longer exists.</p>",
        ),
        false => Reply::page(PAGE),
    });
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path(), Fetcher::new(Limits::default()).unwrap());
    let (open_run, _) = analyze(&engine, &server.url("/jobs/7"));
    walled.store(true, Ordering::SeqCst);
    let (run, _) = analyze(&engine, &server.url("/jobs/7"));
    let failure = card(&engine, &run).failure.unwrap();
    assert_eq!(failure.issue.code, "captcha");
    let signals = card(&engine, &open_run).signals;
    assert!(signals.iter().all(|s| s.id != "gone_from_board"));
}

#[test]
fn a_server_that_does_not_answer_in_time_is_said_to_do_so() {
    // Connections are taken by the system and answered by nobody.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/jobs/7", silent.local_addr().unwrap());
    let limits = Limits {
        timeout: Duration::from_millis(200),
        ..Limits::default()
    };
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path(), Fetcher::new(limits).unwrap());
    let (run, _) = analyze(&engine, &url);
    let failed = card(&engine, &run);
    let failure = failed.failure.unwrap();
    assert_eq!(
        (failure.node.as_str(), failure.issue.code.as_str()),
        ("FETCH", "timeout")
    );
    let says = &failure.issue.message;
    assert!(says.contains(&url) && says.ends_with("0.2 s."), "{says}");
    assert!(failure.issue.hint.unwrap().contains("later"));
    assert!(failed.fields.iter().all(|f| f.state == FieldState::Failed));
    assert_eq!(engine.report(&run).unwrap().1, Ending::Unreadable);
}
