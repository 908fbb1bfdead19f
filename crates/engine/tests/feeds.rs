//! Feeds on real sockets: restarted, trimmed and rude servers, and a store that has exactly their log. `cuts.rs` cuts
//! their connections.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "feeds/both.rs"]
mod both;
#[path = "feeds/event_streams.rs"]
mod event_streams;
#[path = "../../../tests/support/feed_server.rs"]
mod feed_server;
#[path = "feeds/too_long.rs"]
mod too_long;

use event_streams::dashboard;
use feed_server::FeedServer;
use ghostlight_engine::feeds::{
    FeedEntry, Mark, MarkFile, News, Options, Store, Tokens, Watching,
    feed::{
        Ended, Endpoint, Kind, Secret, Settings,
        backoff::Backoff,
        connection::{State, Status, Transport, Transports},
    },
    json_line, text_line,
};
use ghostlight_hub::{
    Hub,
    server::{Config, Server, Token},
};
use ghostlight_model::{Micros, StreamId};
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio_tungstenite::tungstenite::{self, Message};

/// Longer than anything here takes; what takes longer hangs.
const LIMIT: Duration = Duration::from_secs(60);

/// A data folder and what is watched into it.
struct Rig {
    folder: TempDir,
    store: Store,
    settings: Settings,
}

impl Rig {
    fn new(url: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), |_| {}).unwrap();
        let (endpoint, token) = Endpoint::parse(url).unwrap();
        let mut settings = Settings::new(endpoint, token);
        settings.connection.backoff = Backoff::new(1, 1.0, 4).unwrap();
        settings.connection.heartbeat_ms = 300;
        settings.connection.pong_ms = 300;
        Self {
            folder,
            store,
            settings,
        }
    }

    fn kind(mut self, kind: Kind) -> Self {
        self.settings.kind = Some(kind);
        self
    }

    /// For streams that fall silent, where that is not what a test is about.
    fn patient(mut self) -> Self {
        self.settings.connection.heartbeat_ms = 60_000;
        self
    }

    fn watch(&self) -> Watching {
        Watching::start(&self.store, self.settings.clone(), Options::default()).unwrap()
    }

    fn feed(&self, kind: Kind) -> String {
        self.settings.endpoint.feed_id(kind)
    }

    /// Everything stored, in order of arrival.
    fn log(&self, kind: Kind) -> Vec<FeedEntry> {
        let (mut at, mut log) = (Mark::default(), Vec::new());
        loop {
            let page = at.read(&self.store, &self.feed(kind), 500).unwrap();
            let Some(last) = page.last() else { return log };
            at = last.behind;
            log.extend(page.into_iter().map(|told| told.entry));
        }
    }

    /// The log in a small notation: `run/1@EPOCH 0 1 2 [3-5] 6`, a line a stream and epoch.
    fn drawn(&self, kind: Kind) -> Vec<String> {
        let mut streams: BTreeMap<(String, u64), String> = BTreeMap::new();
        for entry in self.log(kind) {
            let (stream, epoch, text) = match entry {
                FeedEntry::Event {
                    stream,
                    epoch,
                    event,
                    ..
                } => (stream, epoch, format!(" {}", event.offset.0)),
                FeedEntry::Gap {
                    stream,
                    epoch,
                    from,
                    to,
                    ..
                } => (stream, epoch, format!(" [{}-{}]", from.0, to.0)),
            };
            *streams.entry((stream.0, epoch.0)).or_default() += &text;
        }
        let drawn = streams.into_iter();
        drawn
            .map(|((stream, epoch), text)| format!("{stream}@{epoch}{text}"))
            .collect()
    }
}

/// Takes news until `done` says so.
fn until(watching: &Watching, what: &str, mut done: impl FnMut(&News) -> bool) {
    let begun = Instant::now();
    let mut seen = Vec::new();
    while begun.elapsed() < LIMIT {
        if let Some(news) = watching.next(Some(Duration::from_millis(100))) {
            if done(&news) {
                return;
            }
            seen.push(format!("{news:?}"));
        }
    }
    let from = seen.len().saturating_sub(20);
    panic!("{what} did not come; the last news: {:#?}", &seen[from..]);
}

fn stored(watching: &Watching, count: u64) {
    let mut sum = 0;
    until(watching, &format!("{count} events"), |news| {
        if let News::Stored(one) = news {
            sum += one.stored;
        }
        sum >= count
    });
    assert_eq!(sum, count);
}

fn is_state(news: &News, state: State) -> bool {
    matches!(news, News::Status(status) if status.state == state)
}

#[test]
fn a_new_epoch_begins_behind_the_old() {
    let server = FeedServer::start();
    server.append("run/1", 3);
    let rig = Rig::new(&server.url());
    let watching = rig.watch();
    stored(&watching, 3);
    server.new_epoch("run/1");
    server.append("run/1", 2);
    stored(&watching, 2);
    assert_eq!(rig.drawn(Kind::Hub), ["run/1@1000 0 1 2", "run/1@1001 0 1"]);
}

#[test]
fn trimmed_history_is_a_gap() {
    let server = FeedServer::start();
    server.append("run/1", 4);
    let rig = Rig::new(&server.url());
    stored(&rig.watch(), 4);
    server.append("run/1", 6);
    server.trim("run/1", 7);
    stored(&rig.watch(), 3);
    assert_eq!(rig.drawn(Kind::Hub), ["run/1@1000 0 1 2 3 [4-6] 7 8 9"]);
    let log = rig.log(Kind::Hub);
    let gap = log
        .iter()
        .find(|entry| matches!(entry, FeedEntry::Gap { .. }))
        .unwrap();
    assert_eq!(
        text_line(gap),
        "gap: run/1 offsets 4–6: not on the server any more"
    );
    let json: serde_json::Value = serde_json::from_str(&json_line(gap)).unwrap();
    assert_eq!(
        (&json["type"], &json["from"], &json["to"]),
        (&"gap".into(), &4.into(), &6.into())
    );
}

#[test]
fn what_cannot_be_read_is_set_aside() {
    let rude = vec![
        Message::text("not a frame"),
        Message::text("[1,2]"),
        Message::text(r#"{"type":"mystery","stream":"run/1"}"#),
        Message::text(r#"{"type":"event","stream":"run/1","offset":-1}"#),
        Message::text("x".repeat(10_000)),
        Message::binary(vec![0, 159, 146, 150]),
    ];
    let (sent, server) = (rude.len() as u64, FeedServer::with(None, rude));
    server.append("run/1", 2);
    let rig = Rig::new(&server.url());
    let watching = rig.watch();
    let mut reasons = Vec::new();
    until(&watching, "the rude messages", |news| {
        if let News::Quarantined(reason) = news {
            reasons.push(reason.clone());
        }
        reasons.len() as u64 == sent
    });
    server.append("run/1", 1);
    stored(&watching, 1);
    assert_eq!(rig.drawn(Kind::Hub), ["run/1@1000 0 1 2"]);
    assert_eq!(rig.store.quarantined(&rig.feed(Kind::Hub)).unwrap(), sent);
    assert_eq!(
        server.connections(),
        1,
        "no message ends the connection: {reasons:?}"
    );
}

#[test]
fn refused_credentials_end_it() {
    let server = FeedServer::with(Some("right"), Vec::new());
    server.append("run/1", 1);
    for (token, let_in) in [(None, false), (Some("wrong"), false), (Some("right"), true)] {
        let mut rig = Rig::new(&server.url());
        rig.settings.token = token.map(|token| Secret(token.into()));
        let watching = rig.watch();
        until(&watching, "an answer", |news| match news {
            News::Ended(Ended::Refused(why)) => {
                assert!(!let_in && why.contains("not you"), "{token:?}: {why}");
                true
            }
            News::Stored(count) => {
                assert!(let_in, "{token:?}");
                count.stored == 1
            }
            _ => false,
        });
    }
}

#[test]
fn one_stream_is_asked_for_by_the_address() {
    let server = FeedServer::start();
    server.append("run/1", 2);
    server.append("run/2", 2);
    let rig = Rig::new(&format!("{}?stream=run/2", server.url()));
    stored(&rig.watch(), 2);
    assert_eq!(rig.drawn(Kind::Hub), ["run/2@1000 0 1"]);
}

/// The project's own hub, for the transports that the scripted server has not.
fn hub(folder: &TempDir) -> (Hub, Server) {
    let hub = Hub::open(folder.path()).unwrap();
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let token = Token::new("0123456789abcdef0123456789abcdef").unwrap();
    let config = Config::new(listen, token, || Micros(5_000));
    (hub.clone(), Server::start(hub, config).unwrap())
}

fn publish(hub: &Hub, key: &str, stream: &str, count: usize) {
    let bodies = (0..count).map(|n| format!(r#"{{"n":{n}}}"#)).collect();
    let published = hub.publish_keyed(key.into(), StreamId(stream.into()), bodies, Micros(7_000));
    published.wait().unwrap();
}

#[test]
fn every_transport_brings_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let (hub, server) = hub(&folder);
    publish(&hub, "a", "run/1", 700);
    let all: String = (0..700).map(|n| format!(" {n}")).collect();
    for (round, (transport, state, pattern)) in [
        (Transport::WebSocket, State::Connected, "*"),
        (Transport::Sse, State::Connected, "*"),
        (Transport::Sse, State::Connected, "run/1"),
        (Transport::LongPoll, State::Polling, "*"),
        (Transport::LongPoll, State::Polling, "run/1"),
    ]
    .into_iter()
    .enumerate()
    {
        let what = format!("{transport:?} {pattern}");
        let mut rig = Rig::new(&format!("{}?stream={pattern}", server.url())).kind(Kind::Hub);
        rig.settings.token = Some(Secret("0123456789abcdef0123456789abcdef".into()));
        rig.settings.connection.transports = Transports::only(transport);
        rig.settings.connection.heartbeat_ms = 30_000;
        let watching = rig.watch();
        until(&watching, &what, |news| is_state(news, state));
        let everything = pattern == "*";
        // Each round before this one left an event more.
        stored(&watching, if everything { 700 + round as u64 } else { 700 });
        // Live, and nothing twice after a new start.
        publish(&hub, &what, "run/2", 1);
        if everything {
            stored(&watching, 1);
        }
        drop(watching);
        let again = rig.watch();
        until(&again, &what, |news| is_state(news, state));
        let drawn = rig.drawn(Kind::Hub);
        assert_eq!(
            drawn[0]
                .split_once(' ')
                .map(|(_, text)| format!(" {text}"))
                .as_ref(),
            Some(&all),
            "{what}"
        );
        assert_eq!(drawn.len() > 1, everything, "{what}");
    }
    server.stop();
}

/// A server that knows no subprotocol: says `lines` to each connection, and tells what it hears.
fn plain_server(lines: &'static [&'static str]) -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/events", listener.local_addr().unwrap());
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let Ok(mut socket) = tungstenite::accept(socket.unwrap()) else {
                continue;
            };
            for line in lines {
                let _ = socket.send(Message::text(*line));
            }
            while let Ok(heard) = socket.read() {
                if let Message::Text(text) = heard {
                    let _ = tell.send(text.to_string());
                }
            }
        }
    });
    (url, told)
}

#[test]
fn foreign_feeds_are_recognised_and_remembered() {
    let (url, _) = plain_server(&[
        r#"{"run_id":"r7","node":"collect","phase":"start","ts":1}"#,
        r#"[{"run_id":"r7","node":"collect","phase":"end"},{"run_id":"r8","node":"score","phase":"start"}]"#,
    ]);
    let rig = Rig::new(&url);
    let watching = rig.watch();
    stored(&watching, 3);
    drop(watching);
    let log = rig.log(Kind::Workflow);
    let place = |entry: &FeedEntry| match entry {
        FeedEntry::Event { stream, event, .. } => format!("{stream} {}", event.offset.0),
        gap @ FeedEntry::Gap { .. } => format!("{gap:?}"),
    };
    let places: Vec<String> = log.iter().map(place).collect();
    assert_eq!(places, ["run/r7 0", "run/r7 1", "run/r8 0"]);
    let known = ghostlight_engine::feeds::remembered(&rig.store, &rig.settings).unwrap();
    assert_eq!(known, Some(Kind::Workflow));

    let (url, heard) = plain_server(&[
        r#"{"type":"notification:new","data":{"text":"hello"}}"#,
        r#"{"type":"ping"}"#,
    ]);
    let rig = Rig::new(&url);
    let watching = rig.watch();
    stored(&watching, 1);
    assert_eq!(heard.recv_timeout(LIMIT).unwrap(), r#"{"type":"pong"}"#);
    assert_eq!(rig.log(Kind::Typed).len(), 1);
}

/// A server that knows no subprotocol and hands each frame of `frames` to one connection only; tells how many there were.
fn once_server(frames: Vec<Vec<u8>>) -> (String, mpsc::Receiver<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/events", listener.local_addr().unwrap());
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let (mut open, mut frames) = (Vec::new(), frames.into_iter());
        for (n, socket) in listener.incoming().enumerate() {
            let Ok(mut socket) = tungstenite::accept(socket.unwrap()) else {
                continue;
            };
            for frame in frames.by_ref() {
                let _ = socket.get_mut().write_all(&frame);
            }
            open.push(socket);
            if tell.send(n + 1).is_err() {
                return;
            }
        }
    });
    (url, told)
}

/// A short text frame of a server.
fn frame(text: &[u8]) -> Vec<u8> {
    let length = u8::try_from(text.len()).unwrap();
    assert!(length < 126);
    [&[0x81, length], text].concat()
}

#[test]
fn what_a_feed_sends_before_it_is_recognised_is_stored_once() {
    let (url, connected) = once_server(vec![
        frame(br#"{"hello":1}"#),
        frame(br#"{"run_id":"r","node":"n","phase":"start"}"#),
        frame(br#"{"run_id":"r","node":"n","phase":"end"}"#),
    ]);
    let rig = Rig::new(&url);
    let watching = rig.watch();
    stored(&watching, 3);
    assert_eq!(
        bodies(&rig, Kind::Workflow),
        [
            r#"feed/events 0 {"hello":1}"#,
            r#"run/r 0 {"run_id":"r","node":"n","phase":"start"}"#,
            r#"run/r 1 {"run_id":"r","node":"n","phase":"end"}"#,
        ]
    );
    assert_eq!(
        connected.try_iter().last(),
        Some(1),
        "one connection is all"
    );
}

#[test]
fn whoever_begins_to_follow_is_told_of_the_very_first_event() {
    let (url, _) = once_server(vec![frame(br#"{"type":"note","data":1}"#)]);
    let rig = Rig::new(&url);
    let watching = rig.watch();
    let mut found = None;
    until(&watching, "the event", |news| {
        if let News::Feed { id, before, .. } = news {
            found = Some((id.clone(), *before));
        }
        matches!(news, News::Stored(count) if count.stored == 1)
    });
    // Only now, as late as news may be taken: what the feed sent first is stored already.
    let (id, before) = found.unwrap();
    let mark = MarkFile::open(&rig.store, &id, before).unwrap().mark();
    assert_eq!(mark.read(&rig.store, &id, 9).unwrap().len(), 1);
}

/// Lets requests through, but for those of `closed`, whose heads have such a line; and WebSockets only while it is told
/// to. What it does not let through is answered with 404, and counted.
fn picky_proxy(
    to: SocketAddr,
    closed: &'static str,
) -> (SocketAddr, Arc<AtomicBool>, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, open) = (listener.local_addr().unwrap(), Arc::<AtomicBool>::default());
    let (opened, refused) = (Arc::clone(&open), Arc::<AtomicUsize>::default());
    let counted = Arc::clone(&refused);
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (mut client, mut head) = (client.unwrap(), vec![0; 4_096]);
            let read = client.read(&mut head).unwrap_or(0);
            let text = String::from_utf8_lossy(&head[..read]).to_lowercase();
            let is_websocket = text.contains("upgrade: websocket");
            let is_closed = is_websocket && !opened.load(Ordering::SeqCst);
            if is_closed || (!closed.is_empty() && text.contains(closed)) {
                counted.fetch_add(1, Ordering::SeqCst);
                let answer =
                    "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
                let _ = client.write_all(answer.as_bytes());
                continue;
            }
            let mut server = TcpStream::connect(to).unwrap();
            let mut sent = head[..read].to_vec();
            if let Some(end) = sent
                .iter()
                .position(|b| *b == b'\n')
                .filter(|_| !is_websocket)
            {
                // Each request comes by a connection of its own, so that each is looked at.
                sent.splice(end + 1..end + 1, *b"Connection: close\r\n");
            }
            server.write_all(&sent).unwrap();
            let (mut from, mut back) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut from, &mut back);
                let _ = back.shutdown(Shutdown::Both);
            });
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut server, &mut client);
                let _ = client.shutdown(Shutdown::Both);
            });
        }
    });
    (address, open, refused)
}

#[test]
fn it_falls_back_and_comes_up_again() {
    let folder = tempfile::tempdir().unwrap();
    let (hub, server) = hub(&folder);
    publish(&hub, "a", "run/1", 20);
    let address = server
        .url()
        .trim_start_matches("ws://")
        .trim_end_matches("/v1")
        .parse()
        .unwrap();
    let (proxy, open, _) = picky_proxy(address, "");
    // Nobody says that it is a hub: the address that a hub prints does.
    let mut rig = Rig::new(&format!("ws://{proxy}/v1"));
    rig.settings.token = Some(Secret("0123456789abcdef0123456789abcdef".into()));
    rig.settings.connection.heartbeat_ms = 30_000;
    rig.settings.connection.fallback_after = 2;
    rig.settings.connection.probe_ms = 20;
    rig.settings.connection.probe_cap_ms = 20;
    let watching = rig.watch();
    let up = |news: &News, by: Transport| match news {
        News::Status(status) => status.state == State::Connected && status.transport == by,
        _ => false,
    };
    let mut count = 0;
    let mut events = |news: &News| {
        if let News::Stored(stored) = news {
            count += stored.stored;
        }
        count
    };
    until(&watching, "SSE", |news| {
        events(news);
        up(news, Transport::Sse)
    });
    until(&watching, "the events", |news| events(news) == 20);
    open.store(true, Ordering::SeqCst);
    until(&watching, "the WebSocket", |news| {
        events(news);
        up(news, Transport::WebSocket)
    });
    publish(&hub, "b", "run/1", 1);
    until(&watching, "the last event", |news| events(news) == 21);
    let offsets: String = (0..21).map(|n| format!(" {n}")).collect();
    assert!(rig.drawn(Kind::Hub)[0].ends_with(&format!("@{}{offsets}", 7_000)));
    server.stop();
}

#[test]
fn it_counts_as_connected_only_when_events_can_come() {
    let folder = tempfile::tempdir().unwrap();
    let (hub, server) = hub(&folder);
    publish(&hub, "a", "run/1", 3);
    let address = server.url();
    let address = address
        .trim_start_matches("ws://")
        .trim_end_matches("/v1")
        .parse()
        .unwrap();
    for (pattern, streams) in [("run/1", 3), ("*", 3)] {
        let (proxy, _, refused) = picky_proxy(address, "get /v1/sse");
        let mut rig = Rig::new(&format!("http://{proxy}/v1?stream={pattern}"));
        rig.settings.token = Some(Secret("0123456789abcdef0123456789abcdef".into()));
        rig.settings.connection.transports = Transports::without(&[Transport::WebSocket]).unwrap();
        rig.settings.connection.heartbeat_ms = 30_000;
        rig.settings.connection.fallback_after = 2;
        rig.settings.connection.probe_ms = 5;
        rig.settings.connection.probe_cap_ms = 5;
        let watching = rig.watch();
        let (mut polling, mut count) = (false, 0);
        // Polled from then on, though the event stream is probed again and again.
        until(&watching, "enough probes", |news| {
            match news {
                News::Status(status) => {
                    assert_ne!(status.state, State::Connected, "{pattern}");
                    polling |= status.state == State::Polling;
                    assert!(!polling || status.state == State::Polling, "{status:?}");
                }
                News::Stored(stored) => count += stored.stored,
                _ => {}
            }
            count == streams
        });
        let begun = Instant::now();
        while refused.load(Ordering::SeqCst) < 6 {
            if let Some(News::Status(status)) = watching.next(Some(Duration::from_millis(5))) {
                assert_eq!(status.state, State::Polling, "{pattern}");
            }
            assert!(begun.elapsed() < LIMIT, "{pattern}: not probed");
        }
    }
    server.stop();
}

#[test]
fn a_version_that_the_server_does_not_speak_is_the_end() {
    let (url, _) = plain_server(&[
        r#"{"type":"error","code":"version","message":"only 2 is spoken here","fatal":true}"#,
    ]);
    let rig = Rig::new(&url).kind(Kind::Hub);
    let watching = rig.watch();
    until(&watching, "the end", |news| {
        assert!(!is_state(news, State::Reconnecting));
        matches!(news, News::Ended(Ended::Version(why)) if why.contains("only 2 is spoken here"))
    });
}

#[test]
fn a_text_message_that_is_not_utf_8_ends_the_connection_and_is_remembered() {
    let (url, connected) = once_server(vec![
        frame(br#"{"type":"note","data":1}"#),
        frame(b"{\"type\":\"note\",\"data\":\"\xc3\x28\"}"),
    ]);
    let rig = Rig::new(&url).kind(Kind::Typed);
    let watching = rig.watch();
    let (mut set_aside, mut why) = (0, String::new());
    until(&watching, "the next try", |news| {
        match news {
            News::Quarantined(reason) => set_aside += usize::from(reason == "not UTF-8"),
            News::Status(Status {
                last_error: Some(error),
                ..
            }) => why.clone_from(&error.message),
            _ => {}
        }
        is_state(news, State::Reconnecting)
    });
    assert_eq!(set_aside, 1);
    assert!(why.contains("not UTF-8"), "{why}");
    assert_eq!(connected.iter().nth(1), Some(2), "it is tried again");
    assert_eq!(rig.log(Kind::Typed).len(), 1);
}

#[test]
fn a_fault_of_our_own_is_never_silent() {
    struct Broken;
    impl Tokens for Broken {
        fn token(&self) -> Result<Option<Secret>, String> {
            panic!("no keychain was ever like this")
        }
    }
    let rig = Rig::new("ws://127.0.0.1:1/v1");
    let options = Options {
        tokens: Some(Arc::new(Broken)),
        ..Options::default()
    };
    let watching = Watching::start(&rig.store, rig.settings.clone(), options).unwrap();
    until(&watching, "the end", |news| {
        matches!(news, News::Ended(Ended::Token(why))
            if why.contains("a fault in Ghostlight") && why.contains("no keychain was ever like this"))
    });
}

/// A system that has JSON only. What it shows can be changed; it tells of each request its condition, and whether it
/// was met.
struct Polled {
    url: String,
    shown: Arc<Mutex<(u32, String)>>,
    asked: mpsc::Receiver<(Option<String>, bool)>,
}

impl Polled {
    fn start(shown: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/jobs?state=all", listener.local_addr().unwrap());
        let shown = Arc::new(Mutex::new((1, shown.to_owned())));
        let (now, (tell, asked)) = (Arc::clone(&shown), mpsc::channel());
        std::thread::spawn(move || {
            for socket in listener.incoming() {
                let mut socket = socket.unwrap();
                let head = BufReader::new(socket.try_clone().unwrap()).lines();
                let head: Vec<String> = head
                    .map_while(Result::ok)
                    .take_while(|line| !line.is_empty())
                    .collect();
                let header = |name: &str| {
                    head.iter().find_map(|line| {
                        let (key, value) = line.split_once(": ")?;
                        key.eq_ignore_ascii_case(name).then(|| value.to_owned())
                    })
                };
                let (version, shown) = now.lock().unwrap().clone();
                let etag = format!("\"v{version}\"");
                let condition = header("if-none-match");
                let met = condition.as_ref() == Some(&etag);
                assert_eq!(condition.is_some(), header("if-modified-since").is_some());
                let answer = match met {
                    true => "HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n".to_owned(),
                    false => format!(
                        "HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nETag: {etag}\r\n\
                         Last-Modified: Thu, 26 Nov 2026 08:00:00 GMT\r\nContent-Length: {}\r\n\
                         Connection: close\r\n\r\n{shown}",
                        shown.len()
                    ),
                };
                let _ = socket.write_all(answer.as_bytes());
                if tell.send((condition, met)).is_err() {
                    return;
                }
            }
        });
        Self { url, shown, asked }
    }

    fn show(&self, text: &str) {
        let mut shown = self.shown.lock().unwrap();
        *shown = (shown.0 + 1, text.to_owned());
    }

    fn rig(&self) -> Rig {
        let mut rig = Rig::new(&self.url);
        rig.settings.poll_every = Duration::from_millis(10);
        rig
    }

    /// Until it was asked on a condition, and had nothing new.
    fn until_unchanged(&self) {
        let mut asked = self.asked.iter();
        assert!(asked.any(|(condition, met)| condition.is_some() && met));
    }
}

fn bodies(rig: &Rig, kind: Kind) -> Vec<String> {
    let log = rig.log(kind).into_iter();
    log.map(|entry| match entry {
        FeedEntry::Event { stream, event, .. } => {
            format!("{stream} {} {}", event.offset.0, event.body)
        }
        gap @ FeedEntry::Gap { .. } => panic!("{gap:?}"),
    })
    .collect()
}

#[test]
fn a_system_without_an_event_stream_is_polled() {
    let first =
        r#"[{"run_id":"r","node":"a","phase":"start"}, {"run_id":"r","node":"a","phase":"end"}]"#;
    let server = Polled::start(first);
    let rig = server.rig();
    let watching = rig.watch();
    let mut polling = false;
    until(&watching, "two events", |news| {
        polling |= is_state(news, State::Polling);
        matches!(news, News::Stored(count) if count.stored == 2)
    });
    assert!(polling, "the state says how events come");
    server.until_unchanged();
    // One more, and one with an `id` that changes; what was shown before is shown again.
    let second = first.replace(
        ']',
        r#", {"id":9,"run_id":"s","node":"b","phase":"start"}]"#,
    );
    server.show(&second);
    stored(&watching, 1);
    server.show(&second.replace(r#""b","phase":"start""#, r#""b","phase":"end""#));
    server.until_unchanged();
    server.show(&second.replace(']', r#",7]"#));
    until(&watching, "what is no event", |news| {
        matches!(news, News::Quarantined(_))
    });
    drop(watching);
    let expected = [
        r#"run/r 0 {"run_id":"r","node":"a","phase":"start"}"#,
        r#"run/r 1 {"run_id":"r","node":"a","phase":"end"}"#,
        r#"run/s 0 {"id":9,"run_id":"s","node":"b","phase":"start"}"#,
    ];
    assert_eq!(bodies(&rig, Kind::Workflow), expected);
    // After a new start nothing is stored twice, though other feeds were stored meanwhile.
    let (other, _asked) = dashboard(600, 600);
    let mut elsewhere = Rig::new(&other);
    elsewhere.store = rig.store.clone();
    stored(&elsewhere.watch(), 600);
    while server.asked.try_recv().is_ok() {}
    let again = rig.watch();
    server.until_unchanged();
    server.show(r#"[{"run_id":"r","node":"z","phase":"start"}]"#);
    stored(&again, 1);
    let all = bodies(&rig, Kind::Workflow);
    assert_eq!(all[..3], expected);
    assert_eq!(all.len(), 4);
    assert_eq!(
        Kind::Workflow.completeness(),
        ghostlight_engine::feeds::feed::reception::Completeness::Unprovable
    );
}

#[test]
fn polled_messages_may_be_wrapped_and_a_bad_answer_is_named() {
    let message = r#"{"type":"notification:new","data":{"text":"hello"}}"#;
    let server = Polled::start(&format!(
        r#"{{"total":1,"items":[{message},{{"type":"ping"}}]}}"#
    ));
    let rig = server.rig();
    let watching = rig.watch();
    stored(&watching, 1);
    for (bad, why) in [("[1,", "not JSON"), ("7", "an array or an object")] {
        server.show(bad);
        until(&watching, why, |news| match news {
            News::Status(status) => status
                .last_error
                .as_ref()
                .is_some_and(|error| error.message.contains(why)),
            _ => false,
        });
    }
    // It goes on where it was, as soon as it can.
    server.show(&format!(
        "[{message}, {}]",
        message.replace("hello", "again")
    ));
    stored(&watching, 1);
    let all = bodies(&rig, Kind::Typed);
    assert_eq!(all.len(), 2);
    assert_eq!(all[0], format!("message/notification:new 0 {message}"));
}

#[test]
fn json_that_says_nothing_known_needs_a_name() {
    let server = Polled::start(r#"[{"hello":1}]"#);
    let rig = server.rig();
    let watching = rig.watch();
    until(&watching, "the hint", |news| match news {
        News::Status(status) => status
            .last_error
            .as_ref()
            .is_some_and(|error| error.message.contains("--adapter")),
        _ => false,
    });
    drop(watching);
    let rig = server.rig().kind(Kind::Workflow);
    stored(&rig.watch(), 1);
    assert_eq!(
        bodies(&rig, Kind::Workflow),
        [r#"feed/events 0 {"hello":1}"#]
    );
}

#[test]
fn a_mark_outlives_its_reader() {
    let server = FeedServer::start();
    server.append("run/1", 3);
    let rig = Rig::new(&server.url());
    let feed = rig.feed(Kind::Hub);
    let open = || {
        let end = Mark::end(&rig.store, &feed).unwrap();
        MarkFile::open(&rig.store, &feed, end).unwrap()
    };
    assert_eq!(open().mark(), Mark::default());
    stored(&rig.watch(), 3);
    let mut file = open();
    let told = file.mark().read(&rig.store, &feed, 2).unwrap();
    assert_eq!(told.len(), 2);
    file.set(told[1].behind).unwrap();
    let rest = open().mark();
    assert_eq!(rest.read(&rig.store, &feed, 9).unwrap().len(), 1);
    // Of another database, or no mark at all: at the end.
    file.set(Mark {
        seq: 1_000_000,
        gaps: 0,
    })
    .unwrap();
    let other = open().mark();
    assert_eq!(other, Mark::end(&rig.store, &feed).unwrap());
    assert_eq!(rig.folder.path(), rig.store.path().parent().unwrap());
}
