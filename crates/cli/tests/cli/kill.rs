//! Kill -9 of the real programs while they work: a hub under load, and a client that publishes. What dies while it
//! receives is killed in [`crate::watch`].

use crate::{
    feed_server::Dice,
    hub::Running,
    logs::{Log, hub_log, received_log},
    program::Ghostlight,
    watch::{objects, printed, terminate, watch},
};
use ghostlight_engine::feeds::{
    Store,
    feed::{Endpoint, Kind},
};
use ghostlight_hub::Hub;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, VecDeque},
    fs::File,
    net::TcpStream,
    path::Path,
    process::{Child, Stdio},
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};
use tungstenite::{Message, WebSocket, client::IntoClientRequest};

/// What does not come within this does not come.
const PATIENCE: Duration = Duration::from_secs(60);
const PUBLISHERS: u64 = 3;
/// Publishes of one publisher without an answer.
const WINDOW: usize = 24;
const KILLS: usize = 6;
/// The most events that are accepted between two kills.
const APART: u64 = 600;

/// An answer to a publish: epoch and offset.
type Place = (u64, u64);

/// Publishes numbers to a stream of its own as fast as the hub takes them, and sends what had no answer again.
struct Publisher<'a> {
    stream: String,
    url: &'a str,
    token: &'a str,
    /// Numbers without an answer.
    waiting: VecDeque<u64>,
    accepted: Vec<Place>,
}

impl Publisher<'_> {
    fn work(mut self, stop: &AtomicBool, count: &AtomicU64) -> (String, Vec<Place>) {
        let begun = Instant::now();
        while !(stop.load(Ordering::SeqCst) && self.waiting.is_empty()) {
            assert!(begun.elapsed() < PATIENCE, "{}", self.stream);
            // The end of a connection, most often; what was not answered is in `waiting`.
            if self.connection(stop, count).is_none() {
                thread::sleep(Duration::from_millis(2));
            }
        }
        (self.stream, self.accepted)
    }

    fn connection(&mut self, stop: &AtomicBool, count: &AtomicU64) -> Option<()> {
        let address = self.url.strip_prefix("ws://")?.strip_suffix("/v1")?;
        let stream = TcpStream::connect(address).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        let request = self.url.into_client_request().ok()?;
        let (mut socket, _) = tungstenite::client(request, stream).ok()?;
        let hello = json!({"type": "hello", "version": 1, "token": self.token});
        socket.send(Message::text(hello.to_string())).ok()?;
        for number in &self.waiting {
            publish(&mut socket, &self.stream, *number)?;
        }
        loop {
            while self.waiting.len() < WINDOW && !stop.load(Ordering::SeqCst) {
                let number = (self.accepted.len() + self.waiting.len()) as u64;
                // Before it is sent: from then on it may be there.
                self.waiting.push_back(number);
                publish(&mut socket, &self.stream, number)?;
            }
            if self.waiting.is_empty() {
                return Some(());
            }
            let Message::Text(text) = socket.read().ok()? else {
                continue;
            };
            let frame: Value = serde_json::from_str(&text).unwrap();
            match frame["type"].as_str().unwrap() {
                "accepted" => {
                    let number = self.waiting.pop_front().unwrap();
                    assert_eq!(frame["key"], key(&self.stream, number), "in their order");
                    let place = |name: &str| frame[name].as_u64().unwrap();
                    self.accepted.push((place("epoch"), place("first_offset")));
                    count.fetch_add(1, Ordering::SeqCst);
                }
                "ping" => {
                    let pong = json!({"type": "pong", "nonce": frame["nonce"]});
                    socket.send(Message::text(pong.to_string())).ok()?;
                }
                "welcome" => {}
                _ => panic!("{frame}"),
            }
        }
    }
}

fn key(stream: &str, number: u64) -> String {
    format!("{stream} {number}")
}

fn body(stream: &str, number: u64) -> String {
    json!({"run_id": stream, "node": "n", "phase": "start", "number": number}).to_string()
}

fn publish(socket: &mut WebSocket<TcpStream>, stream: &str, number: u64) -> Option<()> {
    let body: Value = serde_json::from_str(&body(stream, number)).unwrap();
    let frame =
        json!({"type": "publish", "key": key(stream, number), "stream": stream, "body": body});
    socket.send(Message::text(frame.to_string())).ok()
}

/// The hub of this folder at the address of the one before.
fn again(ghostlight: &Ghostlight, url: &str) -> Running {
    let address = url.strip_prefix("ws://").unwrap();
    let address = address.strip_suffix("/v1").unwrap();
    let hub = Running::start(ghostlight.command(&["hub", "--listen", address]));
    assert_eq!(hub.url, url);
    hub
}

fn follower(ghostlight: &Ghostlight, url: &str, token: &str, more: &[&str], out: &Path) -> Child {
    watch(ghostlight, url, more)
        .env("GHOSTLIGHT_FEED_TOKEN", token)
        .stdin(Stdio::null())
        .stdout(File::create(out).unwrap())
        .spawn()
        .unwrap()
}

/// What a follower has on disk of the hub at this address.
fn followed(ghostlight: &Ghostlight, url: &str) -> Log {
    let store = Store::open(ghostlight.data.path(), |_| {}).unwrap();
    let (endpoint, _) = Endpoint::parse(url).unwrap();
    received_log(&store, &endpoint.feed_id(Kind::Hub), |_, _| true)
}

#[test]
fn a_hub_killed_under_load_has_what_it_accepted_once_and_in_order() {
    let (served, following) = (Ghostlight::new(), Ghostlight::new());
    let hub = Running::start(served.command(&["hub"]));
    let (url, token) = (hub.url.clone(), hub.token.clone());
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let mut child = follower(&following, &url, &token, &[], &out);
    let (stop, count) = (AtomicBool::new(false), AtomicU64::new(0));
    let (mut dice, mut at, begun) = (Dice(21), 0, Instant::now());
    let (hub, accepted): (Running, BTreeMap<String, Vec<Place>>) = thread::scope(|scope| {
        let mut hub = hub;
        let publishers: Vec<_> = (0..PUBLISHERS)
            .map(|number| Publisher {
                stream: format!("run/{number}"),
                url: &url,
                token: &token,
                waiting: VecDeque::new(),
                accepted: Vec::new(),
            })
            .map(|publisher| scope.spawn(|| publisher.work(&stop, &count)))
            .collect();
        // The last time it is not killed: what follows a kill is to work.
        for kill in 0..=KILLS {
            at += 1 + dice.roll(APART);
            while count.load(Ordering::SeqCst) < at {
                assert!(begun.elapsed() < PATIENCE, "{at} events after {kill} kills");
                thread::sleep(Duration::from_micros(200));
            }
            if kill < KILLS {
                hub.kill();
                hub = again(&served, &url);
            }
        }
        stop.store(true, Ordering::SeqCst);
        let done = publishers.into_iter().map(|one| one.join().unwrap());
        (hub, done.collect())
    });
    let all = accepted.values().map(Vec::len).sum::<usize>();
    let text = loop {
        let text = std::fs::read_to_string(&out).unwrap();
        if objects(&text, "event").count() >= all {
            break text;
        }
        assert!(child.try_wait().unwrap().is_none(), "{text}");
        assert!(
            begun.elapsed() < PATIENCE,
            "{} of {all}",
            printed(&text).len()
        );
        thread::sleep(Duration::from_millis(20));
    };
    terminate(&mut child);
    child.wait().unwrap();
    hub.kill();

    let log = hub_log(Hub::open(served.data.path()).unwrap().store());
    for (stream, places) in &accepted {
        let (epoch, events) = &log[stream];
        assert_eq!(
            events.len(),
            places.len(),
            "{stream}: nothing that was not told"
        );
        for (number, (event, place)) in events.iter().zip(places).enumerate() {
            assert_eq!((*epoch, event.offset), *place, "{stream}");
            assert_eq!(event.offset, number as u64, "{stream}");
            assert_eq!(event.body, body(stream, number as u64), "{stream}");
        }
    }
    assert_eq!(log.len(), accepted.len());
    assert!(
        followed(&following, &url) == log,
        "the follower has another log"
    );
    // Printed once each, too.
    let mut lines = printed(&text);
    lines.sort();
    lines.dedup();
    assert_eq!(lines.len(), all);
    served.healthy();
    following.healthy();
}

#[test]
fn killed_while_sending_each_run_is_published_once() {
    const KILLS: usize = 6;
    // More than are waited for, so that each is killed with something to send.
    const RUNS_EACH: usize = 4;
    let (ghostlight, served) = (Ghostlight::new(), Ghostlight::new());
    let pages = tempfile::tempdir().unwrap();
    let mut runs: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let page = pages.path().join("posting.txt");
    let hub = Running::start(served.command(&["hub"]));
    let url = format!("{}?stream=log/nothing", hub.url);
    let store = Hub::open(served.data.path()).unwrap();
    let (mut dice, begun) = (Dice(5), Instant::now());
    for killed in 0..KILLS {
        for number in 0..RUNS_EACH {
            let text = format!(
                "Data engineer {killed} {number}\nBrumelle Énergies, Lyon, full-time, 48-55k EUR / year\n"
            );
            std::fs::write(&page, text).unwrap();
            let done = ghostlight.run(&["analyze", page.to_str().unwrap(), "--jsonl"]);
            let mut events = done.objects();
            let run = events.pop().unwrap()["run_id"].as_str().unwrap().to_owned();
            runs.insert(format!("run/{run}"), events);
        }
        let out = pages.path().join("out");
        let mut child = follower(&ghostlight, &url, &hub.token, &["--publish"], &out);
        // As soon as it is connected, or behind some run whose publishing it told.
        let wanted = dice.roll(3) as usize;
        let is_time = |text: &str| match wanted {
            0 => text.contains("\"connected\""),
            _ => objects(text, "published").count() >= wanted,
        };
        while !is_time(&std::fs::read_to_string(&out).unwrap()) {
            assert!(begun.elapsed() < PATIENCE, "after {killed} kills");
            assert!(child.try_wait().unwrap().is_none());
            thread::sleep(Duration::from_micros(500));
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert_eq!(runs.len(), KILLS * RUNS_EACH);
    // A last one sends what is left, and everything is there as it was written.
    let out = pages.path().join("out");
    let mut child = follower(&ghostlight, &url, &hub.token, &["--publish"], &out);
    let log = loop {
        let log = hub_log(store.store());
        let is_whole = |(stream, events): (&String, &Vec<Value>)| {
            log.get(stream)
                .is_some_and(|(_, there)| there.len() >= events.len())
        };
        if runs.iter().all(is_whole) {
            break log;
        }
        assert!(
            begun.elapsed() < PATIENCE,
            "{} of {}",
            log.len(),
            runs.len()
        );
        thread::sleep(Duration::from_millis(20));
    };
    terminate(&mut child);
    child.wait().unwrap();
    let bodies: BTreeMap<String, Vec<Value>> = log
        .into_iter()
        .map(|(stream, (_, events))| {
            let bodies = events
                .iter()
                .map(|event| serde_json::from_str(&event.body).unwrap());
            (stream, bodies.collect())
        })
        .collect();
    assert!(bodies == runs, "other runs, or not once each");
    hub.kill();
    ghostlight.healthy();
    served.healthy();
}
