//! Feeds as the window sees them, against a real hub on a real socket: set up, refused, cut, caught up, removed.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "support/patience.rs"]
mod patience;

#[path = "monitor/form.rs"]
mod form;
#[path = "monitor/live.rs"]
mod live;

use ghostlight_api::{
    ErrorCode, ViewData, ViewQuery,
    command::{
        AddFeed, ChangeFeed, DismissDigest, FeedDiagnostics, FeedForm, Network, Reconnect,
        RemoveFeed,
    },
    view::{
        DigestView, EventFilter, FeedRow, LinkState, LogRow, Notice, Range, RunFilter, RunRow,
        RunView, Subject, TokenPlace,
    },
};
use ghostlight_engine::{Engine, FeedDefaults, Handle, Hooks, Host, host::wall_clock};
use ghostlight_hub::{
    Hub,
    server::{Config, Server, Token},
};
use ghostlight_model::{RunId, Severity, StreamId, run::RunStatus};
use patience::{LIMIT, wait_for};
use std::{
    net::{SocketAddr, TcpListener},
    sync::{
        Arc,
        mpsc::{self, Receiver, Sender},
    },
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio_tungstenite::tungstenite::{self, Message};

const TOKEN: &str = "the-token-of-the-hub";

struct Shell(Sender<Notice>);

impl Host for Shell {
    fn notice(&self, notice: &Notice) {
        let _ = self.0.send(notice.clone());
    }
}

struct Rig {
    engine: Engine,
    notices: Receiver<Notice>,
    hub: Hub,
    server: Option<Server>,
    address: SocketAddr,
    keys: u32,
    data: TempDir,
    _hub: TempDir,
}

impl Rig {
    fn new() -> Self {
        let (data, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (send, notices) = mpsc::channel();
        // Every absence makes a digest, however short.
        let hooks = Hooks::default().with_digest_after(Duration::ZERO);
        let engine = Engine::open(data.path(), Arc::new(Shell(send)), hooks).unwrap();
        let hub = Hub::open(other.path()).unwrap();
        let mut rig = Self {
            engine,
            notices,
            hub,
            server: None,
            address: ([127, 0, 0, 1], 0).into(),
            keys: 0,
            data,
            _hub: other,
        };
        rig.serve();
        rig
    }

    fn serve(&mut self) {
        let config = Config::new(self.address, Token::new(TOKEN).unwrap(), wall_clock);
        let server = Server::start(self.hub.clone(), config).unwrap();
        self.address = server.address();
        self.server = Some(server);
    }

    fn publish(&mut self, stream: &str, bodies: &[&str]) {
        self.keys += 1;
        let bodies = bodies.iter().map(|body| (*body).to_owned()).collect();
        let stream = StreamId(stream.into());
        let done = self
            .hub
            .publish_keyed(format!("k{}", self.keys), stream, bodies, wall_clock());
        done.wait().unwrap();
    }

    fn form(&self, token: Option<&str>) -> FeedForm {
        FeedForm {
            name: "Studio".into(),
            url: format!("ws://{}/v1", self.address),
            token: token.map(str::to_owned),
            ..FeedForm::default()
        }
    }

    fn add(&self, token: Option<&str>) -> i64 {
        let feed = self.form(token);
        self.engine.handle(AddFeed { feed }).unwrap()
    }

    fn feed(&self, id: i64) -> Option<FeedRow> {
        let ViewData::Feeds(feeds) = self.engine.view(&ViewQuery::Feeds) else {
            panic!("no feeds")
        };
        feeds.into_iter().find(|feed| feed.id == id)
    }

    fn wait_for_state(&self, id: i64, state: LinkState) -> FeedRow {
        wait_for(&format!("{state:?}"), || {
            self.feed(id).filter(|feed| feed.link.state == state)
        })
    }

    fn runs(&self) -> Vec<RunRow> {
        let query = ViewQuery::Runs {
            filter: RunFilter::default(),
            range: Range { start: 0, len: 50 },
        };
        match self.engine.view(&query) {
            ViewData::Runs(page) => page.rows,
            other => panic!("{other:?}"),
        }
    }

    fn run(&self, name: &str, good: impl Fn(&RunView) -> bool) -> RunView {
        wait_for(&format!("run {name}"), || {
            let run = self.runs().into_iter().find(|run| run.line.name == name)?;
            match self.engine.view(&ViewQuery::Run(run.line.run_id)) {
                ViewData::Run(view) if good(&view) => Some(*view),
                _ => None,
            }
        })
    }

    fn log(&self, run: &RunId, filter: EventFilter) -> (u32, Vec<LogRow>) {
        let query = ViewQuery::Events {
            subject: Subject::Run(run.clone()),
            filter,
            range: Range { start: 0, len: 500 },
        };
        match self.engine.view(&query) {
            ViewData::Events(log) => (log.page.total, log.page.rows),
            other => panic!("{other:?}"),
        }
    }

    /// The summary that is shown.
    fn digest(&self) -> Option<DigestView> {
        match self.engine.view(&ViewQuery::Digest) {
            ViewData::Digest(digest) => digest,
            other => panic!("{other:?}"),
        }
    }

    fn notice(&self, title: &str) -> Notice {
        let begun = Instant::now();
        while let Ok(notice) = self
            .notices
            .recv_timeout(LIMIT.saturating_sub(begun.elapsed()))
        {
            if notice.title == title {
                return notice;
            }
        }
        panic!("no notice {title:?}");
    }
}

const START: &str = r#"{"node":"PLAN","phase":"start"}"#;
const END: &str =
    r#"{"node":"PLAN","phase":"end","duration_ms":12,"metrics":{"scores":{"hook":0.8}}}"#;
const FAIL: &str =
    r#"{"node":"VALIDATE","phase":"fail","issues":[{"severity":"error","message":"too short"}]}"#;
const DONE: &str = r#"{"node":"run","phase":"end"}"#;

#[test]
fn a_feed_that_is_refused_is_said_once_and_follows_the_corrected_token() {
    let mut rig = Rig::new();
    rig.publish("run/song", &[START]);
    let id = rig.add(Some("another-token-than-that"));
    let refused = rig.wait_for_state(id, LinkState::Refused);
    assert!(
        refused.token == TokenPlace::File && refused.link.last_error.is_some(),
        "{refused:?}"
    );
    let corrected = ChangeFeed {
        id,
        feed: rig.form(Some(TOKEN)),
    };
    rig.engine.handle(corrected).unwrap();
    let live = rig.wait_for_state(id, LinkState::Connected);
    assert!(live.proven);
    let run = rig.run("song", |run| run.nodes.len() == 1);
    assert_eq!((run.row.source.as_str(), run.feed), ("Studio", Some(id)));
    assert_eq!(
        run.extent.current.map(|(_, first, last)| (first, last)),
        Some((0, 0))
    );
    assert_eq!((run.extent.proven, run.extent.missing), (Some(true), 0));
    assert_eq!((run.phases, run.more_phases), (vec!["start".into()], false));
    // What comes live says how long it took; the first may be among what is caught up.
    let begun = Instant::now();
    let delay = loop {
        rig.publish("run/song", &[END]);
        if let Some(delay) = rig.feed(id).unwrap().traffic.delay {
            break delay;
        }
        assert!(begun.elapsed() < LIMIT, "no delay is known");
        thread::sleep(Duration::from_millis(10));
    };
    assert!(delay.events > 0 && delay.mean_ms.is_finite(), "{delay:?}");
    // A report for others has it, holds no token, and nothing of the events.
    let report = rig.engine.handle(FeedDiagnostics { id }).unwrap();
    assert!(
        report.contains("\"Studio\"")
            && report.contains("\"mean_ms\"")
            && !report.contains(TOKEN)
            && !report.contains("PLAN"),
        "{report}"
    );
    let secret = rig.data.path().join("feed-tokens").join(id.to_string());
    assert_eq!(std::fs::read_to_string(&secret).unwrap(), TOKEN);
    rig.engine.handle(RemoveFeed { id }).unwrap();
    assert!(!secret.exists() && rig.feed(id).is_none());
    // What it sent stays, under a name that says so.
    assert!(
        rig.runs()[0].source.starts_with("removed feed"),
        "{:?}",
        rig.runs()
    );
    // That it was a hub, which numbers its events, is not known any more.
    let run = rig.run("song", |run| run.feed.is_none());
    assert_eq!((run.extent.proven, run.extent.missing), (None, 0));
}

#[test]
fn what_is_wrong_with_a_form_is_said_and_nothing_is_kept() {
    let rig = Rig::new();
    let form = |change: fn(&mut FeedForm)| {
        let mut form = rig.form(None);
        change(&mut form);
        form
    };
    for (bad, code) in [
        (form(|f| f.url = "studio.example".into()), ErrorCode::Input),
        (
            form(|f| f.url = "ftp://studio.example".into()),
            ErrorCode::Input,
        ),
        (
            form(|f| f.url = "ws://studio.example/v1?stream=bad".into()),
            ErrorCode::Input,
        ),
        (
            form(|f| f.kind = Some("carrier pigeon".into())),
            ErrorCode::Input,
        ),
        (form(|f| f.without = vec!["tube".into()]), ErrorCode::Input),
        (form(|f| f.refresh_ms = Some(60_001)), ErrorCode::Input),
        (
            form(|f| f.without = ["websocket", "sse", "poll"].map(str::to_owned).into()),
            ErrorCode::Input,
        ),
        (form(|f| f.name = "x".repeat(81)), ErrorCode::Rule),
    ] {
        let error = rig
            .engine
            .handle(AddFeed { feed: bad.clone() })
            .unwrap_err();
        assert_eq!(error.code, code, "{bad:?}: {error}");
        assert!(error.message.ends_with('.') && error.hint.is_some());
    }
    let ViewData::Feeds(feeds) = rig.engine.view(&ViewQuery::Feeds) else {
        panic!("no feeds")
    };
    assert_eq!(feeds, []);
}

#[test]
fn a_fault_of_our_own_stops_a_feed_with_its_words() {
    struct Faulty;
    impl Host for Faulty {
        fn notice(&self, _: &Notice) {
            panic!("no toast was ever like this")
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::open(folder.path(), Arc::new(Faulty), Hooks::default()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (socket, _) = listener.accept().unwrap();
        let mut socket = tungstenite::accept(socket).unwrap();
        // Which system this is has to be asked, and that is a notice.
        socket.send(Message::text("neither this nor that")).unwrap();
        while socket.read().is_ok() {}
    });
    let feed = FeedForm {
        name: "Studio".into(),
        url: format!("ws://{address}/feed"),
        ..FeedForm::default()
    };
    let id = engine.handle(AddFeed { feed }).unwrap();
    let why = wait_for("the end of the feed", || {
        let ViewData::Feeds(feeds) = engine.view(&ViewQuery::Feeds) else {
            panic!("no feeds")
        };
        let feed = feeds.into_iter().find(|feed| feed.id == id)?;
        let stopped = feed.link.state == LinkState::Stopped;
        stopped.then_some(feed.link.last_error)
    });
    let why = why.unwrap();
    assert!(why.contains("fault in Ghostlight"), "{why}");
    assert!(why.contains("no toast was ever like this"), "{why}");
}

#[test]
fn an_absence_is_caught_up_and_told() {
    let mut rig = Rig::new();
    rig.publish("run/song", &[START]);
    let id = rig.add(Some(TOKEN));
    rig.wait_for_state(id, LinkState::Connected);
    rig.run("song", |run| run.row.pulse_is_alive());
    rig.server.take().unwrap().stop();
    let lost = rig.wait_for_state(id, LinkState::Reconnecting);
    assert!(
        lost.link.next_try.is_some() && lost.link.last_connected.is_some(),
        "{lost:?}"
    );
    // Without its source a run is dead, not merely silent.
    let dead = rig.run("song", |run| {
        run.row.pulse.as_ref().is_some_and(|p| p.lost.is_some())
    });
    assert_eq!(dead.row.line.status, RunStatus::Running);
    rig.publish("run/song", &[END, FAIL, DONE]);
    rig.publish("run/other", &[START]);
    rig.serve();
    rig.engine.handle(Reconnect { id: None }).unwrap();
    let notice = rig.notice("Connection to Studio restored");
    assert!(
        notice.body.contains("4 events caught up") && notice.body.contains("nothing is missing"),
        "{notice:?}"
    );
    let digest = wait_for("the digest", || rig.digest());
    assert_eq!(
        (digest.events, digest.missing, digest.began, digest.finished),
        (4, 0, 1, 1)
    );
    assert_eq!(digest.runs.len(), 2);
    rig.engine.handle(DismissDigest { id: digest.id }).unwrap();
    assert_eq!(rig.digest(), None);
    let song = rig.run("song", |run| run.row.line.ended.is_some());
    assert_eq!(song.scores[0].value, 0.8);
    assert_eq!(song.issues[0].issue.message, "Too short.");
    let log = |filter| rig.log(&song.row.line.run_id, filter);
    assert_eq!(log(EventFilter::default()).0, 4);
    let issues = EventFilter {
        severity: Some(Severity::Info),
        ..EventFilter::default()
    };
    assert_eq!(log(issues).0, 1);
    let cleared = EventFilter {
        after: 3,
        ..EventFilter::default()
    };
    let (total, rows) = log(cleared);
    assert!(matches!((total, rows.as_slice()), (1, [LogRow::Event(event)]) if event.offset == 3));
    newest_rows(&rig, &song.row.line.run_id);
}

/// The last rows, whichever they are, also where some are left out or were cleared.
fn newest_rows(rig: &Rig, run: &RunId) {
    let all = EventFilter::default();
    let cleared = EventFilter {
        after: 3,
        ..all.clone()
    };
    let found = EventFilter {
        text: "node".into(),
        ..all.clone()
    };
    for (filter, len, start, offsets) in [
        (&all, 2, 2, vec![2, 3]),
        (&all, 9, 0, vec![0, 1, 2, 3]),
        (&cleared, 2, 0, vec![3]),
        (&found, 2, 2, vec![2, 3]),
    ] {
        let query = ViewQuery::Events {
            subject: Subject::Run(run.clone()),
            filter: filter.clone(),
            range: Range {
                start: Range::NEWEST,
                len,
            },
        };
        let ViewData::Events(log) = rig.engine.view(&query) else {
            panic!("{filter:?}");
        };
        let seen = log.page.rows.iter().map(|row| match row {
            LogRow::Event(event) => event.offset,
            other => panic!("{other:?}"),
        });
        assert_eq!(
            (log.page.start, seen.collect::<Vec<_>>()),
            (start, offsets),
            "{filter:?}"
        );
    }
}

#[test]
fn feeds_that_come_back_together_hide_nothing_of_each_other() {
    let (mut rig, mut other) = (Rig::new(), Rig::new());
    let ids = [
        ("Studio", rig.form(Some(TOKEN))),
        ("Other", other.form(Some(TOKEN))),
    ]
    .map(|(name, form)| {
        let feed = FeedForm {
            name: name.into(),
            ..form
        };
        rig.engine.handle(AddFeed { feed }).unwrap()
    });
    // Nobody is told that a feed is back which was cut off before its very first reading was over. What is published
    // behind something that has come is behind that reading.
    for (name, hub) in [("tune", 0), ("sheet", 1)] {
        for last in 0..2 {
            let stream = format!("run/{name}");
            match hub {
                0 => rig.publish(&stream, &[START]),
                _ => other.publish(&stream, &[START]),
            }
            rig.run(name, |run| {
                run.extent
                    .current
                    .is_some_and(|(_, _, offset)| offset == last)
            });
        }
    }
    // Twice, so that one feed has two that nobody read.
    for _ in 0..2 {
        for id in ids {
            rig.wait_for_state(id, LinkState::Connected);
        }
        rig.server.take().unwrap().stop();
        other.server.take().unwrap().stop();
        for id in ids {
            rig.wait_for_state(id, LinkState::Reconnecting);
        }
        rig.publish("run/song", &[START]);
        other.publish("run/page", &[START, END]);
        rig.serve();
        other.serve();
        rig.engine.handle(Reconnect { id: None }).unwrap();
        let mut missing = vec![
            "Connection to Other restored",
            "Connection to Studio restored",
        ];
        while !missing.is_empty() {
            let notice = rig.notices.recv_timeout(LIMIT).unwrap();
            missing.retain(|title| *title != notice.title);
        }
    }
    wait_for("four summaries", || {
        rig.digest().filter(|shown| shown.place.1 == 4)
    });
    let mut told = Vec::new();
    while let Some(shown) = rig.digest() {
        assert_eq!(shown.place, (told.len() as u32 + 1, 4));
        told.push((shown.source, shown.events));
        rig.engine.handle(DismissDigest { id: shown.id }).unwrap();
    }
    told.sort();
    assert_eq!(
        told,
        [("Other", 2), ("Other", 2), ("Studio", 1), ("Studio", 1)]
            .map(|(name, events)| (name.to_owned(), events))
    );
}

trait Alive {
    fn pulse_is_alive(&self) -> bool;
}

impl Alive for RunRow {
    fn pulse_is_alive(&self) -> bool {
        self.pulse
            .as_ref()
            .is_some_and(|pulse| pulse.lost.is_none())
    }
}

#[test]
fn a_feed_of_the_environment_is_set_up_once_and_its_token_is_not_stored() {
    let rig = Rig::new();
    let defaults = FeedDefaults {
        url: Some(format!("ws://{}/v1", rig.address)),
        token: Some(TOKEN.into()),
        ..FeedDefaults::default()
    };
    rig.engine.follow_feeds(defaults.clone()).unwrap();
    let ViewData::Feeds(feeds) = rig.engine.view(&ViewQuery::Feeds) else {
        panic!("no feeds")
    };
    let [feed] = feeds.as_slice() else {
        panic!("{feeds:?}")
    };
    assert_eq!(feed.name, rig.address.to_string());
    let live = rig.wait_for_state(feed.id, LinkState::Connected);
    assert_eq!(live.token, TokenPlace::Environment);
    assert!(!rig.data.path().join("feed-tokens").exists());
    let bad = FeedDefaults {
        url: Some("nowhere".into()),
        ..defaults
    };
    assert_eq!(
        rig.engine.follow_feeds(bad).unwrap_err().code,
        ErrorCode::Input
    );
}

#[test]
fn a_feed_that_is_not_to_try_again_waits_for_somebody_who_asks() {
    let mut rig = Rig::new();
    let stays_off = FeedDefaults {
        stays_off: true,
        ..FeedDefaults::default()
    };
    rig.engine.follow_feeds(stays_off).unwrap();
    let id = rig.add(Some(TOKEN));
    rig.wait_for_state(id, LinkState::Connected);
    rig.server = None;
    let feed = rig.wait_for_state(id, LinkState::Off);
    assert_eq!(feed.link.next_try, None, "{feed:?}");
    rig.serve();
    rig.engine.handle(Reconnect { id: Some(id) }).unwrap();
    rig.wait_for_state(id, LinkState::Connected);
}

#[test]
fn a_token_that_expires_in_mid_stream_is_asked_for_and_the_new_one_goes_on() {
    const OTHER: &str = "another-token-of-the-hub";
    let mut rig = Rig::new();
    rig.publish("run/song", &[START]);
    let id = rig.add(Some(TOKEN));
    rig.run("song", |run| run.nodes.len() == 1);
    let server = rig.server.as_ref().unwrap();
    server.allow(Token::new(OTHER).unwrap());
    server.revoke(&Token::new(TOKEN).unwrap());
    let refused = rig.wait_for_state(id, LinkState::Refused);
    let why = refused.link.last_error.unwrap();
    assert!(why.contains("not valid any more"), "{why}");
    // Nothing is tried with the old one; what happens meanwhile waits there.
    rig.publish("run/song", &[END, FAIL]);
    let feed = rig.form(Some(OTHER));
    rig.engine.handle(ChangeFeed { id, feed }).unwrap();
    rig.wait_for_state(id, LinkState::Connected);
    rig.publish("run/song", &[DONE]);
    let run = rig.run("song", |run| run.row.line.ended.is_some());
    assert!(run.extent.proven == Some(true) && run.extent.missing == 0);
    assert_eq!(rig.log(&run.row.line.run_id, EventFilter::default()).0, 4);
    // Renewed in its file, by whatever keeps it there: used without anybody's doing.
    let server = rig.server.as_ref().unwrap();
    server.allow(Token::new(TOKEN).unwrap());
    let file = rig.data.path().join("feed-tokens").join(id.to_string());
    std::fs::write(file, format!("{TOKEN}\n")).unwrap();
    server.revoke(&Token::new(OTHER).unwrap());
    wait_for("the renewed token in use", || {
        (server.connections_of(&Token::new(TOKEN).unwrap()) > 0).then_some(())
    });
    rig.wait_for_state(id, LinkState::Connected);
}

/// 0.0.0.0 is this computer by an address that does not say so; only a feed that does outlives the network.
#[cfg(target_os = "linux")]
#[test]
fn while_the_system_says_offline_nothing_is_tried_and_then_at_once() {
    let mut rig = Rig::new();
    let far = FeedForm {
        name: "far".into(),
        url: format!("ws://0.0.0.0:{}/v1", rig.address.port()),
        ..rig.form(Some(TOKEN))
    };
    let far = rig.engine.handle(AddFeed { feed: far }).unwrap();
    rig.wait_for_state(far, LinkState::Connected);
    let say = |rig: &Rig, online| rig.engine.handle(Network { online }).unwrap();
    say(&rig, false);
    let offline = rig.wait_for_state(far, LinkState::Offline);
    assert_eq!(
        (offline.link.next_try, offline.traffic.connects),
        (None, (1, 1))
    );
    rig.publish("run/song", &[START, END]);
    // Another on this computer connects all the same, and one that is set up now waits as well.
    let near = rig.add(Some(TOKEN));
    let late = FeedForm {
        name: "late".into(),
        url: format!("http://0.0.0.0:{}/v1", rig.address.port()),
        kind: Some("sse".into()),
        ..rig.form(Some(TOKEN))
    };
    let late = rig.engine.handle(AddFeed { feed: late }).unwrap();
    rig.wait_for_state(near, LinkState::Connected);
    rig.wait_for_state(late, LinkState::Offline);
    // Also after the server was away and is back.
    drop(rig.server.take());
    rig.wait_for_state(near, LinkState::Reconnecting);
    rig.serve();
    rig.wait_for_state(near, LinkState::Connected);
    let still = rig.feed(far).unwrap();
    assert_eq!(still.link.state, LinkState::Offline);
    assert_eq!(still.traffic.connects, (1, 1));

    say(&rig, true);
    let back = rig.wait_for_state(far, LinkState::Connected);
    assert_eq!(back.traffic.connects, (2, 2), "the first try works");
    rig.run("song", |run| {
        run.extent
            .current
            .is_some_and(|(_, first, last)| (first, last) == (0, 1))
    });
    // The same word twice changes nothing.
    say(&rig, true);
    say(&rig, true);
    rig.publish("run/song", &[DONE]);
    rig.run("song", |run| run.row.line.status == RunStatus::Finished);
    assert_eq!(rig.feed(far).unwrap().traffic.connects, (2, 2));
}

#[test]
fn a_search_in_a_long_log_goes_on_bit_by_bit() {
    let mut rig = Rig::new();
    for _ in 0..50 {
        rig.publish("run/long", &[START; 1_000]);
    }
    rig.publish("run/long", &[FAIL]);
    let id = rig.add(Some(TOKEN));
    rig.wait_for_state(id, LinkState::Connected);
    let run = rig.run("long", |run| {
        run.extent
            .current
            .is_some_and(|(_, _, last)| last == 50_000)
    });
    let query = ViewQuery::Events {
        subject: Subject::Run(run.row.line.run_id),
        filter: EventFilter {
            severity: Some(Severity::Info),
            ..EventFilter::default()
        },
        range: Range { start: 0, len: 100 },
    };
    let mut looks = 0;
    loop {
        let ViewData::Events(log) = rig.engine.view(&query) else {
            panic!("no log")
        };
        looks += 1;
        let (looked, all) = log.looked.unwrap();
        assert_eq!(all, 50_001);
        if looked == all {
            assert_eq!(log.page.total, 1);
            break;
        }
        assert!(looks < 10, "{looked} of {all}");
    }
    assert!(looks > 1, "no pull looks through everything");
}
