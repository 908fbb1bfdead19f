//! Quiet, stalled, dead, not enough history (SPEC D6), as the views tell it: a real hub, a clock of the test's own, and
//! sources whose clocks are wrong.
#![allow(clippy::unwrap_used, reason = "tests")]

use ghostlight_api::{
    ViewData, ViewQuery,
    command::{AddFeed, FeedForm},
    view::{Range, RunFilter, RunRow},
};
use ghostlight_engine::{Engine, FeedDefaults, Handle, Hooks, Host, host::wall_clock};
use ghostlight_hub::{
    Hub,
    server::{Config, Server, Token},
};
use ghostlight_model::{
    Micros, StreamId,
    liveness::{
        HISTORY_MIN,
        Liveness::{self, Between, Dead, NotEnoughHistory, Quiet, Stalled},
    },
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

const TOKEN: &str = "the-token-of-the-hub";
/// Longer than anything here takes; what takes longer hangs.
const LIMIT: Duration = Duration::from_secs(60);
const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;

/// A clock that only the test moves.
struct Clock(AtomicI64);

impl Host for Clock {
    fn now(&self) -> Micros {
        Micros(self.0.load(Ordering::SeqCst))
    }
}

struct Rig {
    /// `None` while it is started again.
    engine: Option<Engine>,
    clock: Arc<Clock>,
    hub: Hub,
    server: Option<Server>,
    keys: u32,
    data: TempDir,
    _hub: TempDir,
}

impl Rig {
    fn new() -> Self {
        let (data, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let clock = Arc::new(Clock(AtomicI64::new(1_700_000_000 * SECOND)));
        let engine = Engine::open(data.path(), clock.clone(), Hooks::default()).unwrap();
        let hub = Hub::open(other.path()).unwrap();
        let listen = ([127, 0, 0, 1], 0).into();
        let config = Config::new(listen, Token::new(TOKEN).unwrap(), wall_clock);
        let server = Server::start(hub.clone(), config).unwrap();
        let feed = FeedForm {
            name: "Studio".into(),
            url: format!("ws://{}/v1", server.address()),
            token: Some(TOKEN.into()),
            ..FeedForm::default()
        };
        engine.handle(AddFeed { feed }).unwrap();
        Self {
            engine: Some(engine),
            clock,
            hub,
            server: Some(server),
            keys: 0,
            data,
            _hub: other,
        }
    }

    fn engine(&self) -> &Engine {
        self.engine.as_ref().unwrap()
    }

    fn start_again(&mut self) {
        drop(self.engine.take());
        let engine = Engine::open(self.data.path(), self.clock.clone(), Hooks::default());
        let engine = self.engine.insert(engine.unwrap());
        engine.follow_feeds(FeedDefaults::default()).unwrap();
    }

    fn now(&self) -> i64 {
        self.clock.now().0
    }

    fn pass(&self, us: i64) {
        self.clock.0.fetch_add(us, Ordering::SeqCst);
    }

    /// Publishes an event of a step; the hub's clock is so far from ours.
    fn event(&mut self, stream: &str, phase: &str, away_us: i64, more: &str) {
        let body = format!(r#"{{"node":"LOAD","phase":"{phase}"{more}}}"#);
        self.keys += 1;
        let (key, stream) = (format!("k{}", self.keys), StreamId(stream.into()));
        let at = Micros(self.now() + away_us);
        let published = self.hub.publish_keyed(key, stream, vec![body], at);
        published.wait().unwrap();
    }

    /// The run, once it is shown so.
    fn run(&self, name: &str, good: impl Fn(&RunRow) -> bool) -> RunRow {
        let query = ViewQuery::Runs {
            filter: RunFilter::default(),
            range: Range { start: 0, len: 50 },
        };
        let begun = Instant::now();
        loop {
            let ViewData::Runs(page) = self.engine().view(&query) else {
                panic!("no runs")
            };
            let found = page.rows.into_iter().find(|run| run.line.name == name);
            match found {
                Some(run) if good(&run) => return run,
                other => assert!(begun.elapsed() < LIMIT, "{other:?}"),
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// How the run stands now and since when, as seconds before now.
    fn stands(&self, run: &RunRow) -> (Liveness, f64) {
        let (liveness, since) = run.pulse.as_ref().unwrap().at(self.clock.now());
        (liveness, (self.now() - since.0) as f64 / SECOND as f64)
    }
}

/// A step of this run is under way.
fn is_loading(run: &RunRow) -> bool {
    run.line.running.is_some()
}

#[test]
fn each_state_says_since_when_whatever_the_sources_clock_says() {
    for away in [0, -7 * MINUTE, 20 * MINUTE, i64::from(i32::MAX) * SECOND] {
        let mut rig = Rig::new();
        rig.event("run/first", "start", away, "");
        let run = rig.run("first", is_loading);
        rig.pass(40 * SECOND);
        assert_eq!(rig.stands(&run), (NotEnoughHistory, 40.0), "{away}");

        // As often as it takes to know what is usual: 2 s.
        for _ in 0..HISTORY_MIN {
            rig.event("run/past", "start", away, "");
            rig.event("run/past", "end", away, r#","duration_ms":2000"#);
        }
        rig.run("past", |run| run.line.progress.0 > 0);
        let run = rig.run("first", |run| {
            run.pulse
                .as_ref()
                .is_some_and(|pulse| pulse.p99_ms.is_some())
        });
        assert_eq!(
            rig.stands(&run),
            (Stalled, 38.0),
            "{away}: the 40 s before count"
        );

        rig.event("run/second", "start", away, "");
        let run = rig.run("second", is_loading);
        assert_eq!(rig.stands(&run), (Quiet, 0.0), "{away}");
        rig.pass(2 * SECOND);
        assert_eq!(rig.stands(&run), (Quiet, 2.0), "{away}");
        rig.pass(SECOND);
        assert_eq!(rig.stands(&run), (Stalled, 1.0), "{away}");
        // A sign of life that ends nothing: silence begins anew.
        rig.event("run/second", "heartbeat", away, "");
        let run = rig.run("second", |run| rig.stands(run).0 == Quiet);
        assert_eq!(rig.stands(&run), (Quiet, 0.0), "{away}");

        rig.pass(30 * SECOND);
        drop(rig.server.take());
        let run = rig.run("second", |run| rig.stands(run).0 == Dead);
        rig.pass(5 * SECOND);
        assert_eq!(rig.stands(&run), (Dead, 5.0), "{away}");
    }
}

#[test]
fn a_new_start_asks_the_source_only_where_it_has_nothing_better() {
    let mut rig = Rig::new();
    for (stream, away) in [("run/behind", -7 * MINUTE), ("run/ahead", 20 * MINUTE)] {
        rig.event(stream, "start", away, "");
        rig.run(stream.trim_start_matches("run/"), is_loading);
    }
    rig.pass(MINUTE);
    rig.start_again();
    rig.pass(10 * SECOND);
    // What came before is silent at least since it was started again; by its own word for longer.
    for (name, since) in [("behind", 8.0 * 60.0 + 10.0), ("ahead", 10.0)] {
        let run = rig.run(name, |run| {
            run.pulse.as_ref().is_some_and(|pulse| pulse.lost.is_none())
        });
        assert_eq!(rig.stands(&run), (NotEnoughHistory, since), "{name}");
    }
}

#[test]
fn what_is_published_here_has_the_times_of_our_own_clock() {
    let rig = Rig::new();
    let hub = rig.engine().hub();
    for (n, away) in [-7 * MINUTE, 20 * MINUTE].into_iter().enumerate() {
        let body = format!(
            r#"{{"ts":{},"node":"LOAD","phase":"start"}}"#,
            rig.now() + away
        );
        let stream = StreamId(format!("run/here-{n}"));
        let published = hub.publish_keyed(format!("k{n}"), stream, vec![body], rig.clock.now());
        published.wait().unwrap();
    }
    rig.pass(3 * SECOND);
    for name in ["here-0", "here-1"] {
        let run = rig.run(name, is_loading);
        assert_eq!(rig.stands(&run), (NotEnoughHistory, 3.0), "{name}");
    }
}

#[test]
fn between_two_steps_it_says_since_when_too() {
    let mut rig = Rig::new();
    rig.event("run/x", "start", 20 * MINUTE, "");
    rig.event("run/x", "end", 20 * MINUTE, r#","duration_ms":5"#);
    let run = rig.run("x", |run| run.line.progress.0 > 0);
    rig.pass(9 * SECOND);
    assert_eq!(rig.stands(&run), (Between, 9.0));
}
