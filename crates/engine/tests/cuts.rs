//! A feed's client behind a proxy that cuts, halves, delays and freezes its connections at random bytes: what it has
//! in the end is the server's log, byte for byte. Over a WebSocket, an event stream, or polls, as the seed says.
//!
//! `cargo test` does some hundred cuts. `GHOSTLIGHT_CUTS=N` makes the test against our own hub do N of them, seed by
//! seed from `GHOSTLIGHT_SEED=S` on (1 unless set); `cargo xtask soak` does ten thousand.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../../../tests/support/feed_server.rs"]
mod feed_server;
#[path = "../../../tests/support/logs.rs"]
mod logs;

use feed_server::{Dice, FeedServer, Proxy};
use ghostlight_engine::feeds::{
    News, Options, Store, Watching,
    feed::{
        Endpoint, Kind, Secret, Settings,
        backoff::Backoff,
        connection::{Transport, Transports},
    },
};
use ghostlight_hub::{
    Hub,
    server::{Config, Server, ServerError, Token},
};
use ghostlight_model::{Micros, StreamId};
use logs::{Event, Log, hub_log, received_log};
use std::{
    net::SocketAddr,
    panic::catch_unwind,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// Longer than the cuts of one seed take; what takes longer hangs.
const LIMIT: Duration = Duration::from_secs(120);
/// Cuts of one seed: few enough to be replayed while one watches.
const CUTS_A_SEED: usize = 250;
/// The same in an ordinary test run, so that each transport has its seeds.
const CUTS_A_SEED_FEW: usize = 50;
/// Cuts of an ordinary test run, against each server.
const CUTS_SCRIPTED: usize = 300;
const CUTS_SCRIPTED_SSE: usize = 50;
const CUTS_HUB: usize = 150;
/// Seeds take turns.
const TRANSPORTS: [Transport; 3] = [Transport::WebSocket, Transport::Sse, Transport::LongPoll];
/// Events that the server is ahead of the client at most, so that cuts hit replays as well as live events.
const AHEAD: u64 = 60;
const STREAMS: [&str; 3] = ["run/1", "run/2", "run/3"];
const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// A server and its log.
trait Served {
    fn address(&self) -> SocketAddr;
    fn append(&mut self, stream: &str, count: usize);
    /// Loses its log of a stream, or is restarted, whichever this server can.
    fn upset(&mut self);
    /// The current epochs.
    fn log(&self) -> Log;
}

/// Written against the protocol alone.
impl Served for FeedServer {
    fn address(&self) -> SocketAddr {
        self.address
    }

    fn append(&mut self, stream: &str, count: usize) {
        FeedServer::append(self, stream, count);
    }

    fn upset(&mut self) {
        self.new_epoch("run/2");
    }

    fn log(&self) -> Log {
        let streams = self.snapshot().into_iter();
        streams
            .map(|(name, stream)| {
                let event = |(n, body)| Event {
                    offset: n as u64,
                    ts: 1_700_000_000_000_000 + n as i64,
                    body,
                };
                let events = stream.bodies.into_iter().enumerate().map(event);
                (name, (stream.epoch, events.collect()))
            })
            .collect()
    }
}

/// Our own.
struct OwnHub {
    hub: Hub,
    server: Option<Server>,
    address: SocketAddr,
    published: usize,
    _folder: TempDir,
}

impl OwnHub {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let hub = Hub::open(folder.path()).unwrap();
        let server = serve(&hub, 0).unwrap();
        Self {
            address: server.address(),
            hub,
            server: Some(server),
            published: 0,
            _folder: folder,
        }
    }
}

fn serve(hub: &Hub, port: u16) -> Result<Server, ServerError> {
    /// Each publish has a time of its own.
    static NOW: AtomicU64 = AtomicU64::new(1_700_000_000_000_000);
    let clock = || Micros(NOW.fetch_add(1, Ordering::Relaxed) as i64);
    let listen = SocketAddr::from(([127, 0, 0, 1], port));
    let config = Config::new(listen, Token::new(TOKEN).unwrap(), clock);
    Server::start(hub.clone(), config)
}

impl Served for OwnHub {
    fn address(&self) -> SocketAddr {
        self.address
    }

    fn append(&mut self, stream: &str, count: usize) {
        let body = |n: usize| {
            // Spaces, escapes and lengths, to see that bodies stay as they are.
            let text = "\\u00e9\\n".repeat(n % 40);
            format!(
                r#"{{"node": "n{}",  "phase":"start", "n":{n}, "text":"{text}"}}"#,
                n % 7
            )
        };
        let bodies = (self.published..self.published + count).map(body);
        let (key, stream) = (format!("k{}", self.published), StreamId(stream.into()));
        let now = Micros(1_700_000_000_000_000 + self.published as i64);
        let published = self.hub.publish_keyed(key, stream, bodies.collect(), now);
        published.wait().unwrap();
        self.published += count;
    }

    fn upset(&mut self) {
        // Without a goodbye.
        drop(self.server.take());
        let begun = Instant::now();
        while self.server.is_none() {
            // Its listener is closed by another thread.
            self.server = serve(&self.hub, self.address.port()).ok();
            assert!(begun.elapsed() < LIMIT, "the port does not become free");
        }
    }

    fn log(&self) -> Log {
        hub_log(self.hub.store())
    }
}

/// Follows `server` through so many cuts of this seed, and compares.
fn endure(server: &mut impl Served, transport: Transport, cuts: usize, seed: u64) {
    let mut dice = Dice(seed);
    let proxy = Proxy::start(server.address(), seed);
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), |_| {}).unwrap();
    let (endpoint, _) = Endpoint::parse(&proxy.url()).unwrap();
    let mut settings = Settings::new(endpoint, Some(Secret(TOKEN.into())));
    settings.connection.backoff = Backoff::new(1, 1.0, 4).unwrap();
    settings.connection.heartbeat_ms = 300;
    settings.connection.pong_ms = 300;
    settings.connection.transports = Transports::only(transport);
    settings.poll_every = Duration::from_millis(20);
    let feed = settings.endpoint.feed_id(Kind::Hub);
    let start = || Watching::start(&store, settings.clone(), Options::default()).unwrap();

    let begun = Instant::now();
    let patience = |what: &dyn Fn() -> String| {
        assert!(begun.elapsed() < LIMIT, "{}, seed {seed}", what());
    };
    let mut watching = start();
    // When the program is started again, and when the server has its upset.
    let mut restart_at = Some(dice.roll(cuts as u64) as usize);
    let mut upset_at = Some(dice.roll(cuts as u64) as usize);
    let (mut appended, mut received) = (0, 0);
    while proxy.cuts() < cuts {
        patience(&|| format!("{} cuts of {cuts}", proxy.cuts()));
        if appended < received + AHEAD {
            let count = 1 + dice.roll(5);
            server.append(STREAMS[dice.roll(3) as usize], count as usize);
            appended += count;
        }
        if upset_at.take_if(|at| proxy.cuts() > *at).is_some() {
            server.append(STREAMS[1], 1);
            server.upset();
            // What the client had not received of a lost epoch never comes.
            appended = received;
        }
        if restart_at.take_if(|at| proxy.cuts() > *at).is_some() {
            watching = start();
            appended = received;
        }
        if let Some(News::Stored(count)) = watching.next(Some(Duration::from_millis(1))) {
            received += count.stored;
        }
    }
    proxy.be_gentle();
    let mut theirs = server.log();
    theirs.retain(|_, (_, events)| !events.is_empty());
    let wanted: u64 = theirs.values().map(|(_, events)| events.len() as u64).sum();
    loop {
        watching.next(Some(Duration::from_millis(20)));
        let positions = store.positions(&feed).unwrap();
        let current = positions
            .iter()
            .filter(|info| current_epoch(&theirs, &info.stream) == Some(info.epoch.0));
        let have: u64 = current.map(|info| info.head.0).sum();
        if have == wanted {
            break;
        }
        patience(&|| format!("{have} of {wanted} events"));
    }
    drop(watching);
    let ours = received_log(&store, &feed, |stream, epoch| {
        current_epoch(&theirs, stream) == Some(epoch)
    });
    for (name, stream) in &theirs {
        assert!(ours[name] == *stream, "{name} differs, seed {seed}");
    }
    assert_eq!(ours.len(), theirs.len(), "seed {seed}");
}

fn current_epoch(log: &Log, stream: &StreamId) -> Option<u64> {
    log.get(&stream.0).map(|(epoch, _)| *epoch)
}

#[test]
fn cuts_cost_no_event_of_a_scripted_server() {
    let mut server = FeedServer::start();
    endure(&mut server, Transport::WebSocket, CUTS_SCRIPTED, 4);
    assert!(server.connections() >= CUTS_SCRIPTED);
}

/// It sends everything from the beginning each time, which is dropped.
#[test]
fn cuts_cost_no_event_of_a_server_that_takes_no_places() {
    let mut server = FeedServer::start();
    endure(&mut server, Transport::Sse, CUTS_SCRIPTED_SSE, 5);
    assert!(server.posts() > 0, "it was never asked to go on");
}

#[test]
fn a_new_connection_brings_only_what_is_behind_the_last_one() {
    const BODY: usize = 1_000;
    for transport in TRANSPORTS {
        let hub = OwnHub::start();
        let proxy = Proxy::start(hub.address(), 1);
        proxy.be_gentle();
        let publish = |round: usize, stream: &str, count: usize| {
            let body = |n| format!(r#"{{"n":{n},"text":"{}"}}"#, "x".repeat(BODY));
            let (key, stream) = (format!("{round} {stream}"), StreamId(stream.into()));
            let bodies = (0..count).map(body).collect();
            let published = hub.hub.publish_keyed(key, stream, bodies, Micros(1));
            published.wait().unwrap();
        };
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), |_| {}).unwrap();
        let (endpoint, _) = Endpoint::parse(&proxy.url()).unwrap();
        let mut settings = Settings::new(endpoint, Some(Secret(TOKEN.into())));
        settings.connection.transports = Transports::only(transport);
        settings.poll_every = Duration::from_millis(20);
        for stream in STREAMS {
            publish(0, stream, 200);
        }
        let mut brought = Vec::new();
        for (round, events) in [600, 3, 3].into_iter().enumerate() {
            let before = proxy.down();
            let watching = Watching::start(&store, settings.clone(), Options::default()).unwrap();
            let (begun, mut received) = (Instant::now(), 0);
            while received < events {
                assert!(
                    begun.elapsed() < LIMIT,
                    "{transport:?}: {received} of {events} events"
                );
                if let Some(News::Stored(count)) = watching.next(Some(Duration::from_millis(20))) {
                    received += count.stored;
                }
            }
            assert_eq!(received, events, "{transport:?}");
            drop(watching);
            brought.push((proxy.down() - before) / BODY);
            for stream in STREAMS {
                publish(round + 1, stream, 1);
            }
        }
        assert!(brought[0] >= 600, "{transport:?}: {brought:?}");
        // Three events, and less than as much again around them.
        assert!(
            brought[1..].iter().all(|count| (3..10).contains(count)),
            "{transport:?}: {brought:?}"
        );
    }
}

#[test]
fn cuts_cost_no_event_of_our_hub() {
    let number = |name| std::env::var(name).ok()?.parse::<u64>().ok();
    let (cuts, a_seed) = match number("GHOSTLIGHT_CUTS") {
        Some(cuts) => (cuts as usize, CUTS_A_SEED),
        None => (CUTS_HUB, CUTS_A_SEED_FEW),
    };
    let first = number("GHOSTLIGHT_SEED").unwrap_or(1);
    let (begun, next) = (Instant::now(), AtomicUsize::new(0));
    let rounds = cuts.div_ceil(a_seed);
    let work = || {
        loop {
            let round = next.fetch_add(1, Ordering::Relaxed);
            if round >= rounds {
                return;
            }
            let seed = first + round as u64;
            let some = a_seed.min(cuts - round * a_seed);
            let transport = TRANSPORTS[(seed % 3) as usize];
            let run = catch_unwind(|| endure(&mut OwnHub::start(), transport, some, seed));
            if run.is_err() {
                panic!(
                    "seed {seed} ({transport:?}) fails (why stands above); again: cargo xtask soak --cuts {some} --seed {seed}"
                );
            }
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            if let Err(panic) = worker.join() {
                std::panic::resume_unwind(panic);
            }
        }
    });
    let took = begun.elapsed().as_secs_f32();
    println!("{cuts} cuts with {rounds} seeds from {first} on, in {took:.0} s");
}
