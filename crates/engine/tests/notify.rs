//! What the engine asks a shell to notify of, with a real store and hub; the times are the machine's own.
#![allow(clippy::unwrap_used)]

use ghostlight_api::{
    ErrorCode, ViewData, ViewQuery,
    command::{
        AddFeed, FeedForm, GetAppInfo, Notifications, Preferences, SetPreferences,
        TestNotification, Theme,
    },
    view::{Opened, Range, RunFilter, Subject},
};
use ghostlight_engine::{
    Engine, Handle, Hooks, Host, Input, Notification, attention::Kind, host::wall_clock,
};
use ghostlight_hub::{
    Hub,
    server::{Config, Server, Token},
};
use ghostlight_model::{
    EventBody, Issue, Micros, Phase, RunId, Severity, StreamId, run::RunStatus,
};
use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver, Sender},
    },
    time::{Duration, Instant},
};

/// Far beyond what a notification takes: a look, and the time for others of its kind.
const SOON: Duration = Duration::from_secs(30);

struct Shell {
    notified: Sender<Notification>,
    focused: Arc<AtomicBool>,
}

impl Host for Shell {
    fn notifies(&self) -> bool {
        true
    }

    fn notify(&self, notification: &Notification) {
        let _ = self.notified.send(notification.clone());
    }

    fn is_focused(&self) -> bool {
        self.focused.load(Ordering::SeqCst)
    }
}

struct Desktop {
    engine: Engine,
    notified: Receiver<Notification>,
    focused: Arc<AtomicBool>,
}

fn open(folder: &Path) -> Desktop {
    let (send, notified) = mpsc::channel();
    let focused = Arc::new(AtomicBool::new(false));
    let shell = Shell {
        notified: send,
        focused: Arc::clone(&focused),
    };
    let engine = Engine::open(folder, Arc::new(shell), Hooks::default()).unwrap();
    Desktop {
        engine,
        notified,
        focused,
    }
}

impl Desktop {
    fn next(&self) -> Notification {
        self.notified.recv_timeout(SOON).unwrap()
    }

    fn start(&self, name: &str, text: &str) -> RunId {
        let bytes = text.as_bytes().to_vec();
        let name = name.to_owned();
        self.engine.start(Input::Text { name, bytes }).unwrap()
    }

    /// What a feed would bring: an event of a run that is not ours.
    fn event(&self, run: &str, node: &str, phase: Phase, ts: Micros, codes: &[&str]) {
        let issue = |code: &&str| Issue::new(code, Severity::Error, format!("it met {code}"), None);
        let event = EventBody {
            ts,
            run_id: RunId(run.into()),
            node: node.into(),
            phase,
            duration_ms: None,
            metrics: BTreeMap::new(),
            issues: codes.iter().map(issue).collect(),
            fact: None,
        };
        let stream = event.run_id.stream();
        let published = self.engine.hub().publish(stream, vec![event]);
        published.wait().unwrap();
    }

    fn wants(&self, notifications: Notifications) {
        let preferences = Preferences {
            notifications,
            ..Preferences::default()
        };
        self.engine.handle(SetPreferences { preferences }).unwrap();
    }
}

const POSTING: &str = "Lamp Keeper\nQuillmarsh Instruments\nLocation: Dublin, Ireland\n\
    Full-time, on site. Salary: €42,000 to €48,000 per year.\n\
    Responsibilities: trim the wicks, keep the log. Requirements: a steady hand. Apply by email.";

#[test]
fn runs_that_end_are_notified_by_their_titles_and_open_themselves() {
    let folder = tempfile::tempdir().unwrap();
    let desktop = open(folder.path());
    let good = desktop.start("pasted", POSTING);
    let finished = desktop.next();
    assert_eq!(finished.title, "Run finished: Lamp Keeper");
    assert!(
        finished.body.ends_with("fields found."),
        "{}",
        finished.body
    );
    assert_eq!(finished.opens, Some(Opened::Subject(Subject::Run(good))));

    let bad = desktop.start("empty.txt", "");
    let failed = desktop.next();
    assert_eq!(failed.title, "Run failed: empty.txt");
    assert!(failed.body.contains("empty"), "{}", failed.body);
    assert_eq!(failed.opens, Some(Opened::Subject(Subject::Run(bad))));
}

#[test]
fn a_batch_of_hundreds_makes_a_handful() {
    let folder = tempfile::tempdir().unwrap();
    let desktop = open(folder.path());
    let runs = 300;
    for n in 0..runs {
        desktop.start(&format!("{n}.txt"), "");
    }
    let mut counted = 0;
    let mut notifications = 0;
    while counted < runs {
        let failed = desktop.next();
        notifications += 1;
        counted += match failed.title.split_once(' ') {
            Some(("Run", _)) => 1,
            Some((count, "runs failed")) => count.parse().unwrap(),
            _ => panic!("{failed:?}"),
        };
    }
    assert_eq!(counted, runs);
    assert!(
        notifications <= 6,
        "{notifications} notifications of {runs} runs"
    );
}

#[test]
fn what_arrives_after_an_absence_is_not_notified() {
    let folder = tempfile::tempdir().unwrap();
    let desktop = open(folder.path());
    let now = wall_clock();
    let hour = 3_600_000_000;
    for n in 0..200 {
        let ts = Micros(now.0 - hour + n * 1_000_000);
        desktop.event(&format!("old-{n}"), "train", Phase::Fail, ts, &["lost"]);
    }
    desktop.event("new", "train", Phase::Fail, wall_clock(), &["lost"]);
    let only = desktop.next();
    assert_eq!(only.title, "Run failed: new");
    assert_eq!(only.body, "It met lost.");
}

#[test]
fn an_error_of_a_run_that_goes_on_is_notified_once() {
    let folder = tempfile::tempdir().unwrap();
    let desktop = open(folder.path());
    desktop.event("r", "ENRICH", Phase::Fail, wall_clock(), &["quota"]);
    let issue = desktop.next();
    assert_eq!(
        (issue.title.as_str(), issue.kind),
        ("Error in a run: r", Some(Kind::CriticalIssue))
    );
    desktop.event("r", "ENRICH", Phase::Fail, wall_clock(), &["quota"]);
    desktop.event("r", "SCORE", Phase::End, wall_clock(), &[]);
    assert_eq!(desktop.next().title, "Run finished: r");
    // Nor is it news to who starts again.
    desktop.event("s", "ENRICH", Phase::Fail, wall_clock(), &["quota"]);
    assert_eq!(desktop.next().title, "Error in a run: s");
    drop(desktop);
    let desktop = open(folder.path());
    // It ended as interrupted, since its process is gone; a look at everything makes no news of that.
    desktop.wants(Notifications::default());
    desktop.event("t", "train", Phase::Fail, wall_clock(), &["lost"]);
    assert_eq!(desktop.next().title, "Run failed: t");
}

#[test]
fn a_change_of_the_switches_counts_at_once_and_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let desktop = open(folder.path());
    desktop.wants(Notifications {
        run_failed: false,
        ..Notifications::default()
    });
    desktop.start("empty.txt", "");
    desktop.start("pasted", POSTING);
    assert_eq!(desktop.next().title, "Run finished: Lamp Keeper");
    drop(desktop);
    let desktop = open(folder.path());
    desktop.start("empty.txt", "");
    desktop.start("pasted", POSTING);
    assert_eq!(desktop.next().title, "Run finished: Lamp Keeper");
}

#[test]
fn preferences_stored_before_there_were_switches_keep_their_values() {
    let folder = tempfile::tempdir().unwrap();
    let desktop = open(folder.path());
    for (stored, quiet) in [
        (r#"{"theme": "dark"}"#, false),
        (
            r#"{"theme": "dark", "notifications": {"quiet": true, "of a later version": 1}}"#,
            true,
        ),
    ] {
        let store = desktop.engine.hub().store();
        let put = store.put_setting("preferences", stored.into());
        put.wait().unwrap();
        let read = desktop.engine.handle(GetAppInfo {}).unwrap().preferences;
        assert_eq!(read.theme, Theme::Dark);
        let expected = Notifications {
            quiet,
            ..Notifications::default()
        };
        assert_eq!(read.notifications, expected);
    }
}

#[test]
fn a_damaged_preference_costs_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let desktop = open(folder.path());
    let stored = r#"{"theme": "mauve", "utc": true, "live_every_ms": -4, "panes": "wide",
        "notifications": {"quiet": true, "run_failed": 7},
        "keys": {"open_file": "g", "paste": ["x"], "of a later version": "y"}, "single_keys": 0}"#;
    let store = desktop.engine.hub().store();
    store
        .put_setting("preferences", stored.into())
        .wait()
        .unwrap();
    let read = desktop.engine.handle(GetAppInfo {}).unwrap().preferences;
    let key = |id: &str, keys: &str| (id.to_owned(), keys.to_owned());
    let expected = Preferences {
        utc: true,
        notifications: Notifications {
            quiet: true,
            ..Notifications::default()
        },
        keys: [key("open_file", "g"), key("of a later version", "y")].into(),
        ..Preferences::default()
    };
    assert_eq!(read, expected);
    for damaged in ["", "[]", "7", "{", r#"{"keys": 7}"#] {
        store
            .put_setting("preferences", damaged.into())
            .wait()
            .unwrap();
        let read = desktop.engine.handle(GetAppInfo {}).unwrap().preferences;
        assert_eq!(read, Preferences::default(), "{damaged}");
    }
}

#[test]
fn who_looks_at_the_window_is_not_told_what_they_see() {
    let folder = tempfile::tempdir().unwrap();
    let desktop = open(folder.path());
    desktop.focused.store(true, Ordering::SeqCst);
    desktop.start("pasted", POSTING);
    // Of a feed: nobody looked for it.
    desktop.event("elsewhere", "SCORE", Phase::End, wall_clock(), &[]);
    assert_eq!(desktop.next().title, "Run finished: elsewhere");
}

#[test]
fn a_feed_that_cannot_be_reached_is_notified() {
    let folder = tempfile::tempdir().unwrap();
    let desktop = open(folder.path());
    let other = tempfile::tempdir().unwrap();
    let hub = Hub::open(other.path()).unwrap();
    let token = Token::new("the-token-of-the-hub").unwrap();
    let server = Server::start(
        hub,
        Config::new(([127, 0, 0, 1], 0).into(), token, wall_clock),
    );
    let server = server.unwrap();
    let feed = FeedForm {
        name: "Prefect".into(),
        url: format!("ws://{}/v1", server.address()),
        token: Some("another-token-than-that".into()),
        ..FeedForm::default()
    };
    let id = desktop.engine.handle(AddFeed { feed }).unwrap();
    let refused = desktop.next();
    assert_eq!(refused.title, "Token refused: Prefect");
    assert_eq!(refused.opens, Some(Opened::Feed(id)));
    server.stop();
}

#[test]
fn a_change_of_status_is_notified_once_and_opens_what_told_it() {
    let folder = tempfile::tempdir().unwrap();
    let desktop = open(folder.path());
    let stream = StreamId("message/application:status_change".into());
    let mut sent = 0;
    let mut tell = |ts: Micros, data: &str| {
        let body = format!(r#"{{"type":"application:status_change","data":{data}}}"#);
        sent += 1;
        let published =
            desktop
                .engine
                .hub()
                .publish_keyed(format!("k{sent}"), stream.clone(), vec![body], ts);
        published.wait().unwrap();
    };
    // From long before: no news.
    tell(Micros(7), r#"{"title":"Smith","from":"draft","to":"sent"}"#);
    tell(
        wall_clock(),
        r#"{"title":"Baker","company":"Mill","from":"sent","to":"interview"}"#,
    );
    let first = desktop.next();
    assert_eq!(first.title, "Status changed: Baker \u{b7} Mill");
    assert_eq!(first.body, "From sent to interview.");
    let run = RunId::of_stream("hub", &stream);
    assert_eq!(first.opens, Some(Opened::Subject(Subject::Run(run))));
    // The next one is told alone.
    tell(wall_clock(), r#"{"application":"a-9","status":"offer"}"#);
    let second = desktop.next();
    assert_eq!(
        (second.title.as_str(), second.body.as_str()),
        ("Status changed: a-9", "Now offer.")
    );
}

#[test]
fn a_run_of_ours_that_a_hub_sends_back_is_notified_and_listed_once() {
    let folder = tempfile::tempdir().unwrap();
    let desktop = open(folder.path());
    let other = tempfile::tempdir().unwrap();
    let hub = Hub::open(other.path()).unwrap();
    let token = Token::new("the-token-of-the-hub").unwrap();
    let config = Config::new(([127, 0, 0, 1], 0).into(), token, wall_clock);
    let server = Server::start(hub, config).unwrap();
    let feed = FeedForm {
        name: "Colleagues".into(),
        url: format!("ws://{}/v1", server.address()),
        token: Some("the-token-of-the-hub".into()),
        publish: true,
        ..FeedForm::default()
    };
    let id = desktop.engine.handle(AddFeed { feed }).unwrap();
    let run = desktop.start("pasted", POSTING);
    let finished = desktop.next();
    assert_eq!(
        finished.opens,
        Some(Opened::Subject(Subject::Run(run.clone())))
    );
    // It was published, and came back whole.
    let listed = |origin: Option<String>| {
        let filter = RunFilter {
            origin,
            ..RunFilter::default()
        };
        let range = Range { start: 0, len: 10 };
        match desktop.engine.view(&ViewQuery::Runs { filter, range }) {
            ViewData::Runs(page) => page.rows,
            other => panic!("{other:?}"),
        }
    };
    let is_back = || {
        let ViewData::Feeds(feeds) = desktop.engine.view(&ViewQuery::Feeds) else {
            panic!("no feeds")
        };
        let origin = feeds.into_iter().find(|feed| feed.id == id)?.origin?;
        let back = listed(Some(origin)).pop()?;
        (back.line.status == RunStatus::Finished).then_some(back.line.run_id)
    };
    let begun = Instant::now();
    let back = loop {
        match is_back() {
            Some(run) => break run,
            None => assert!(begun.elapsed() < SOON, "it did not come back"),
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    assert_ne!(back, run);
    let all: Vec<RunId> = listed(None)
        .into_iter()
        .map(|row| row.line.run_id)
        .collect();
    assert_eq!(all, [run]);
    // Had it been told again, that would come before what ends later.
    desktop.start("empty.txt", "");
    assert_eq!(desktop.next().title, "Run failed: empty.txt");
    server.stop();
}

#[test]
fn the_test_notification_comes_whatever_the_switches_say_or_says_why_not() {
    let folder = tempfile::tempdir().unwrap();
    let desktop = open(folder.path());
    desktop.wants(Notifications {
        quiet: true,
        ..Notifications::default()
    });
    desktop.engine.handle(TestNotification {}).unwrap();
    assert_eq!(desktop.next(), Notification::test());

    struct Terminal;
    impl Host for Terminal {}
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::open(folder.path(), Arc::new(Terminal), Hooks::default()).unwrap();
    let refused = engine.handle(TestNotification {}).unwrap_err();
    assert_eq!(refused.code, ErrorCode::Unsupported);
}
