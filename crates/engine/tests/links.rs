//! The drops that SPEC L2 names and that real sockets can show: in the middle of an event, ten in a row, a slow line. Long
//! absences are in `sync/tests/sim.rs`, in simulated time; `cuts.rs` cuts at random.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../../../tests/support/feed_server.rs"]
mod feed_server;
#[path = "../../../tests/support/link.rs"]
mod link;
#[path = "../../../tests/support/logs.rs"]
mod logs;

use feed_server::FeedServer;
use ghostlight_engine::feeds::{
    News, Options, Store, Watching,
    feed::{Command, Endpoint, Kind, Settings, backoff::Backoff, connection::State},
};
use link::{Link, Pace};
use logs::received_log;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Longer than anything here takes; what takes longer hangs.
const LIMIT: Duration = Duration::from_secs(60);

/// Follows a scripted server over a line of ours.
struct Rig {
    server: FeedServer,
    link: Link,
    store: Store,
    settings: Settings,
    watching: Watching,
    _folder: TempDir,
}

impl Rig {
    fn new(pace: Pace) -> Self {
        let server = FeedServer::start();
        let link = Link::start(server.address, pace);
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), |_| {}).unwrap();
        let (endpoint, _) = Endpoint::parse(&link.url()).unwrap();
        let mut settings = Settings::new(endpoint, None);
        settings.connection.backoff = Backoff::new(1, 1.0, 4).unwrap();
        let watching = Watching::start(&store, settings.clone(), Options::default()).unwrap();
        Self {
            server,
            link,
            store,
            settings,
            watching,
            _folder: folder,
        }
    }

    fn until(&self, what: &str, mut done: impl FnMut(&News) -> bool) {
        let begun = Instant::now();
        loop {
            let news = self.watching.next(Some(Duration::from_millis(50)));
            if news.is_some_and(|news| done(&news)) {
                return;
            }
            assert!(begun.elapsed() < LIMIT, "{what} did not come");
        }
    }

    /// Waits until so many more events are stored.
    fn stored(&self, count: usize) {
        let mut sum = 0;
        self.until(&format!("{count} events"), |news| {
            if let News::Stored(one) = news {
                sum += one.stored;
            }
            sum >= count as u64
        });
        assert_eq!(sum, count as u64);
    }

    fn is_connected(&self) {
        self.until(
            "a connection",
            |news| matches!(news, News::Status(status) if status.state == State::Connected),
        );
    }

    /// What is stored is what the server has, byte for byte, once and in its order.
    fn judge(&self) {
        let feed = self.settings.endpoint.feed_id(Kind::Hub);
        let ours = received_log(&self.store, &feed, |_, _| true);
        let theirs = self.server.snapshot();
        assert_eq!(ours.len(), theirs.len());
        for (name, stream) in theirs {
            let (epoch, events) = &ours[&name];
            let bodies: Vec<&String> = events.iter().map(|event| &event.body).collect();
            let offsets: Vec<u64> = events.iter().map(|event| event.offset).collect();
            assert_eq!(*epoch, stream.epoch, "{name}");
            assert!(bodies.into_iter().eq(&stream.bodies), "{name}");
            assert!(
                offsets.into_iter().eq(0..stream.bodies.len() as u64),
                "{name}"
            );
        }
    }
}

#[test]
fn a_drop_in_the_middle_of_an_event() {
    let rig = Rig::new(Pace::default());
    rig.server.append("run/1", 3);
    rig.stored(3);
    for number in 3..8 {
        // Its body is what is torn.
        rig.link.cut_inside(&format!("1000/{number}"));
        rig.server.append("run/1", 1);
        rig.stored(1);
        assert!(rig.link.was_cut_inside(), "event {number}");
    }
    assert_eq!(rig.link.connections(), 6);
    rig.judge();
}

#[test]
fn ten_rapid_reconnects() {
    let rig = Rig::new(Pace::default());
    rig.is_connected();
    for round in 1..=10 {
        rig.server.append(&format!("run/{}", round % 3), 7);
        // By the line, and by a person who presses the button.
        match round % 2 {
            0 => rig.link.cut(),
            _ => rig.watching.remote().command(Command::ReconnectNow),
        }
        rig.server.append(&format!("run/{}", round % 2), 3);
        rig.is_connected();
    }
    assert!(rig.link.connections() >= 11);
    rig.server.append("run/last", 1);
    let feed = rig.settings.endpoint.feed_id(Kind::Hub);
    let begun = Instant::now();
    loop {
        rig.watching.next(Some(Duration::from_millis(20)));
        let positions = rig.store.positions(&feed).unwrap();
        if positions.iter().map(|info| info.head.0).sum::<u64>() == 101 {
            break;
        }
        assert!(begun.elapsed() < LIMIT, "{positions:?}");
    }
    rig.judge();
}

#[test]
fn a_slow_line_of_50_kbit_and_500_ms() {
    let pace = Pace {
        bytes_per_s: 50_000 / 8,
        delay: Duration::from_millis(500),
    };
    let rig = Rig::new(pace);
    rig.server.append("run/1", 60);
    rig.stored(60);
    // What is live comes too, behind it.
    rig.server.append("run/2", 20);
    rig.stored(20);
    assert_eq!(rig.link.connections(), 1, "it is slow, and not broken");
    rig.judge();
}
