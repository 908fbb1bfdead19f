//! A hub on a real socket that a test can stop and start again where it was.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::Path;
use std::time::SystemTime;

use ghostlight_hub::Hub;
use ghostlight_hub::server::{Config, Server, Token};
use ghostlight_model::{Micros, StreamId};
use serde_json::{Value, json};
use tempfile::TempDir;

/// What its clients show.
pub const TOKEN: &str = "a-token-of-the-studio";

/// The system's clock.
pub fn now() -> Micros {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Micros(since.map_or(0, |since| since.as_micros() as i64))
}

/// Puts a run with so many events into a data folder that nobody has open, and behind it so many short runs.
pub fn fill(data: &Path, run: &str, events: usize, runs: usize) {
    /// Events in a publish: what the writer takes at a time.
    const CHUNK: usize = 500;
    let hub = Hub::open(data).expect("the data folder opens");
    let event = |n: usize| {
        let duration_ms = 1 + n % 400;
        json!({"node": "LOAD", "phase": "progress", "duration_ms": duration_ms, "metrics": {"row": n}}).to_string()
    };
    let mut pending = VecDeque::new();
    let mut publish = |key: String, run: &str, bodies: Vec<String>| {
        let stream = StreamId(format!("run/{run}"));
        pending.push_back(hub.publish_keyed(key, stream, bodies, now()));
        // Enough on the way for whole transactions, and no more.
        while pending.len() > CHUNK {
            let oldest = pending.pop_front().expect("there are some");
            oldest.wait().expect("it is published");
        }
    };
    for begin in (0..events).step_by(CHUNK) {
        let bodies = (begin..events.min(begin + CHUNK)).map(event).collect();
        publish(format!("{run}-{begin}"), run, bodies);
    }
    for n in 0..runs {
        let end = if n % 7 == 3 { "fail" } else { "end" };
        let bodies = vec![
            json!({"node": "LOAD", "phase": "start"}).to_string(),
            json!({"node": "LOAD", "phase": end, "duration_ms": 100 + n % 900}).to_string(),
            json!({"node": "run", "phase": end}).to_string(),
        ];
        let name = format!("nightly-{n:05}");
        publish(name.clone(), &name, bodies);
    }
    for last in pending {
        last.wait().expect("it is published");
    }
}

/// A hub on a socket. What is published while it does not serve waits in its log.
pub struct Studio {
    hub: Hub,
    server: Option<Server>,
    address: SocketAddr,
    keys: u32,
    _folder: TempDir,
}

impl Studio {
    /// A new one, on a port that is free.
    pub fn open() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let hub = Hub::open(folder.path()).expect("a new hub opens");
        let mut studio = Self {
            hub,
            server: None,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            keys: 0,
            _folder: folder,
        };
        studio.serve();
        studio
    }

    /// Serves where it did before.
    pub fn serve(&mut self) {
        let token = Token::new(TOKEN).expect("the token is one");
        let config = Config::new(self.address, token, now);
        let server = Server::start(self.hub.clone(), config).expect("the port is free");
        self.address = server.address();
        self.server = Some(server);
    }

    /// Ends every connection and listens no more.
    pub fn stop(&mut self) {
        if let Some(server) = self.server.take() {
            server.stop();
        }
    }

    /// Another token in place of the first, while everything runs: who showed that is cut.
    pub fn renew(&self, token: &str) {
        let server = self.server.as_ref().expect("it serves");
        server.allow(Token::new(token).expect("the token is one"));
        server.revoke(&Token::new(TOKEN).expect("the token is one"));
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("ws://{}/v1", self.address)
    }

    /// How many events each stream has, by name.
    pub fn streams(&self) -> Vec<(String, u64)> {
        let streams = self.hub.store().streams("", None, 1_000);
        let streams = streams.expect("the hub reads its log").into_iter();
        streams.map(|one| (one.stream.0, one.head.0)).collect()
    }

    /// Publishes to a run; returns when it is durable.
    pub fn publish(&mut self, run: &str, bodies: &[Value]) {
        self.keys += 1;
        let bodies = bodies.iter().map(Value::to_string).collect();
        let stream = StreamId(format!("run/{run}"));
        let key = format!("k{}", self.keys);
        let done = self.hub.publish_keyed(key, stream, bodies, now());
        done.wait().expect("it is published");
    }
}
