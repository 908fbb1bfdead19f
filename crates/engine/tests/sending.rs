//! Messages that a person sends, against a server of typed messages on a real socket: taken, refused, cut, not read.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../../../tests/support/feed_server.rs"]
mod feed_server;
#[path = "../../../tests/support/message_server.rs"]
mod message_server;

use ghostlight_api::{
    ErrorCode, ViewData, ViewQuery,
    command::{AddFeed, FeedDiagnostics, FeedForm, SendMessage},
    view::{FeedRow, LinkState},
};
use ghostlight_engine::{
    Engine, Handle, Hooks, Host,
    feeds::{
        News, Options, Store, Watching,
        feed::{Endpoint, Kind, Settings, backoff::Backoff, connection::State},
    },
};
use ghostlight_model::message::{MESSAGE_BYTES_MAX, Message};
use message_server::{DEAF, GONE, MessageServer};
use std::{
    collections::BTreeMap,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// Longer than anything here takes; what takes longer hangs.
const LIMIT: Duration = Duration::from_secs(60);

struct Quiet;
impl Host for Quiet {}

/// The application, following one feed.
struct App {
    engine: Engine,
    feed: i64,
    _data: TempDir,
}

impl App {
    fn follow(url: &str, kind: &str) -> Self {
        let data = tempfile::tempdir().unwrap();
        let engine = Engine::open(data.path(), Arc::new(Quiet), Hooks::default()).unwrap();
        let feed = FeedForm {
            name: "Desk".into(),
            url: url.into(),
            kind: Some(kind.into()),
            ..FeedForm::default()
        };
        let feed = engine.handle(AddFeed { feed }).unwrap();
        Self {
            engine,
            feed,
            _data: data,
        }
    }

    fn row(&self) -> FeedRow {
        match self.engine.view(&ViewQuery::Feeds) {
            ViewData::Feeds(mut feeds) => feeds.remove(0),
            other => panic!("{other:?}"),
        }
    }

    fn until(&self, what: &str, good: impl Fn(&FeedRow) -> bool) -> FeedRow {
        let begun = Instant::now();
        loop {
            let row = self.row();
            if good(&row) {
                return row;
            }
            assert!(begun.elapsed() < LIMIT, "{what} did not come: {row:?}");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// An error's message.
    fn send(&self, event: &str, data: &str) -> Result<(), String> {
        let sent = self.engine.handle(SendMessage {
            feed: self.feed,
            event: event.into(),
            data: data.into(),
        });
        sent.map_err(|error| {
            assert_eq!(error.code, ErrorCode::Declined, "{error:?}");
            error.message
        })
    }

    /// `event: problem`, the latest first.
    fn sent(&self) -> Vec<String> {
        let sent = self.row().sent.into_iter();
        sent.map(|row| format!("{}: {}", row.event, row.problem.unwrap_or_default()))
            .collect()
    }
}

#[test]
fn what_is_sent_arrives_once_as_typed_and_is_listed() {
    let server = MessageServer::start();
    let app = App::follow(&server.url(), "typed");
    let live = app.until("the connection", |row| {
        row.link.state == LinkState::Connected
    });
    assert!(live.takes_messages && live.sent.is_empty());
    let data = r#"{"id": 7, "state": "filled", "pay": 12345678901234567890}"#;
    app.send(" application:status_change ", data).unwrap();
    app.send("seen", "").unwrap();
    // Its answers come as any message does.
    app.until("the answers", |row| row.traffic.events == 3);
    assert_eq!(
        server.received(),
        [
            format!(r#"{{"event":"application:status_change","data":{data}}}"#),
            r#"{"event":"seen","data":null}"#.to_owned(),
        ]
    );
    assert_eq!(app.sent(), ["seen: ", "application:status_change: "]);
    let first = app.row().sent.remove(1);
    assert_eq!((first.number, first.data.as_str()), (1, data));
    let report = app.engine.handle(FeedDiagnostics { id: app.feed }).unwrap();
    assert!(
        !report.contains("filled"),
        "no message in a report: {report}"
    );
}

#[test]
fn what_cannot_be_sent_is_refused_in_a_sentence_and_never_sent_later() {
    let server = MessageServer::start();
    let app = App::follow(&server.url(), "typed");
    app.until("the connection", |row| {
        row.link.state == LinkState::Connected
    });
    let long = format!("\"{}\"", "x".repeat(MESSAGE_BYTES_MAX));
    for (event, data, said) in [
        ("", "{}", "The event has no name."),
        ("ack", "{\"id\":", "The data is not JSON"),
        ("ack", long.as_str(), "65536 is the limit."),
    ] {
        let why = app.send(event, data).unwrap_err();
        assert!(why.contains(said), "{event:?}: {why}");
    }
    assert!(app.sent().is_empty(), "what is none was not sent at all");
    server.stop();
    app.until("the cut", |row| row.link.state == LinkState::Reconnecting);
    let why = app.send("late", "{}").unwrap_err();
    assert_eq!(why, "Not sent: the feed is not connected.");
    assert_eq!(app.sent(), ["late: Not sent: the feed is not connected."]);
    let again = MessageServer::at(server.address);
    app.until("the new connection", |row| row.traffic.connects.1 == 2);
    app.send("now", "1").unwrap();
    app.until("the answer", |row| row.traffic.events == 3);
    assert_eq!(again.received(), [r#"{"event":"now","data":1}"#]);
    // No feed of that number, and a system that takes nothing.
    let nowhere = SendMessage {
        feed: app.feed + 1,
        event: "a".into(),
        data: String::new(),
    };
    assert!(app.engine.handle(nowhere).is_err());
    let hub = feed_server::FeedServer::start();
    let other = App::follow(&hub.url(), "hub");
    let row = other.until("the hub", |row| row.link.state == LinkState::Connected);
    assert!(!row.takes_messages);
    let why = other.send("a", "{}").unwrap_err();
    assert!(why.contains("only a feed of typed messages"), "{why}");
}

#[test]
fn a_connection_that_goes_one_way_says_so() {
    let (url, _asked) = message_stream();
    let app = App::follow(&url, "typed");
    let row = app.until("the stream", |row| row.link.state == LinkState::Connected);
    assert!(!row.takes_messages, "only a WebSocket takes messages");
    let why = app.send("a", "{}").unwrap_err();
    assert!(why.contains("goes one way"), "{why}");
}

/// An event stream of typed messages that stays open.
fn message_stream() -> (String, std::net::TcpListener) {
    use std::io::{BufRead, BufReader, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/stream", listener.local_addr().unwrap());
    let own = listener.try_clone().unwrap();
    thread::spawn(move || {
        let mut open = Vec::new();
        while let Ok((mut socket, _)) = own.accept() {
            let head = BufReader::new(socket.try_clone().unwrap()).lines();
            head.map_while(Result::ok).find(String::is_empty);
            let text = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n\
                        data: {\"type\":\"notification:new\",\"data\":{}}\n\n";
            let _ = socket.write_all(text.as_bytes());
            open.push(socket);
        }
    });
    (url, listener)
}

#[test]
fn what_a_cut_catches_is_not_said_to_have_arrived() {
    let server = MessageServer::start();
    let app = App::follow(&server.url(), "typed");
    app.until("the connection", |row| {
        row.link.state == LinkState::Connected
    });
    // The system took it; what the server makes of it is its own affair.
    app.send(GONE, "{}").unwrap();
    app.until("the next connection", |row| row.traffic.connects.1 == 2);
    app.send("again", "{}").unwrap();
    app.until("the answer", |row| row.traffic.events == 3);
    assert_eq!(server.received().len(), 2, "{:?}", server.received());
}

#[test]
fn a_server_that_does_not_read_fills_no_memory() {
    let server = MessageServer::start();
    let data = tempfile::tempdir().unwrap();
    let store = Store::open(data.path(), |_| {}).unwrap();
    let (endpoint, _) = Endpoint::parse(&server.url()).unwrap();
    let mut settings = Settings::new(endpoint, None);
    settings.kind = Some(Kind::Typed);
    settings.connection.backoff = Backoff::new(1, 1.0, 4).unwrap();
    settings.connection.heartbeat_ms = 1_500;
    settings.connection.pong_ms = 1_500;
    let watching = Watching::start(&store, settings, Options::default()).unwrap();
    let remote = watching.remote();
    let begun = Instant::now();
    let mut outcomes: BTreeMap<u64, Result<(), String>> = BTreeMap::new();
    let take = |outcomes: &mut BTreeMap<u64, Result<(), String>>, wait: Duration| {
        let news = watching.next(Some(wait));
        assert!(begun.elapsed() < LIMIT, "{outcomes:?}");
        match news {
            Some(News::Sent { id, outcome }) => {
                assert_eq!(outcomes.insert(id, outcome), None, "{id} is told once");
                None
            }
            Some(News::Status(status)) => Some(status.state),
            _ => None,
        }
    };
    while take(&mut outcomes, LIMIT) != Some(State::Connected) {}
    remote.send(0, Message::read(DEAF, "").unwrap()).unwrap();
    // The system's buffers take some; then they wait here, and then no more.
    let large = format!("\"{}\"", "x".repeat(MESSAGE_BYTES_MAX - 100));
    let large = Message::read("large", &large).unwrap();
    let mut asked = 0;
    let on_the_way = |asked: u64, outcomes: &BTreeMap<_, _>| asked + 1 - outcomes.len() as u64;
    while on_the_way(asked, &outcomes) < 16 {
        asked += 1;
        remote.send(asked, large.clone()).unwrap();
        // One that is not answered in this time may be on its way still, and is counted so.
        for _ in 0..10 {
            if !outcomes.contains_key(&asked) {
                take(&mut outcomes, Duration::from_millis(2));
            }
        }
    }
    asked += 1;
    remote.send(asked, large).unwrap();
    while !outcomes.contains_key(&asked) {
        take(&mut outcomes, LIMIT);
    }
    let refused = outcomes[&asked].clone().unwrap_err();
    assert!(refused.contains("16 messages wait"), "{refused}");
    // The connection notices by itself that nobody is there.
    while (outcomes.len() as u64) < asked + 1 {
        take(&mut outcomes, Duration::from_millis(100));
    }
    let unknown = |outcome: &&Result<(), String>| {
        outcome
            .as_ref()
            .is_err_and(|why| why.contains("whether it arrived is not known"))
    };
    assert_eq!(
        outcomes.values().filter(unknown).count(),
        16,
        "{outcomes:?}"
    );
    assert_eq!(outcomes[&0], Ok(()));
    drop(watching);
}
