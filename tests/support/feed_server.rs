//! A scripted `ghostlight.v1` server on real sockets, and a proxy that mistreats its connections.
//!
//! The server is not the hub's: it is written against the protocol alone, keeps its log in memory for comparison, and
//! can be told to be rude. Beside a WebSocket it has an event stream, that of servers which take no places of many
//! streams. The proxy cuts at byte positions drawn from a seed.

#![allow(
    dead_code,
    reason = "shared by several test programs, each of which uses a part of it"
)]

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
};
use tokio_tungstenite::tungstenite::{
    Message,
    handshake::server::{Request, Response},
    http::HeaderValue,
};

/// A stream of the server's log.
#[derive(Debug, Clone, Default)]
pub struct Stream {
    pub epoch: u64,
    /// What is before it was trimmed.
    pub first: usize,
    pub bodies: Vec<String>,
}

#[derive(Default)]
struct Shared {
    log: Mutex<BTreeMap<String, Stream>>,
    token: Option<String>,
    /// Sent to each client behind its first event.
    rude: Vec<Message>,
    connections: AtomicUsize,
    /// Bodies that came with a request for an event stream.
    posts: AtomicUsize,
}

/// The server; dropping it ends it.
pub struct FeedServer {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    grew: watch::Sender<u64>,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Drop for FeedServer {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
}

impl FeedServer {
    pub fn start() -> Self {
        Self::with(None, Vec::new())
    }

    pub fn with(token: Option<&str>, rude: Vec<Message>) -> Self {
        let runtime = runtime();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            token: token.map(str::to_owned),
            rude,
            ..Shared::default()
        });
        let (grew, growing) = watch::channel(0);
        let served = Arc::clone(&shared);
        runtime.spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                served.connections.fetch_add(1, Ordering::SeqCst);
                let _ = socket.set_nodelay(true);
                tokio::spawn(serve(socket, Arc::clone(&served), growing.clone()));
            }
        });
        Self {
            address,
            shared,
            grew,
            runtime: Some(runtime),
        }
    }

    pub fn url(&self) -> String {
        format!("ws://{}/v1", self.address)
    }

    fn log(&self) -> MutexGuard<'_, BTreeMap<String, Stream>> {
        self.shared.log.lock().unwrap()
    }

    /// What the server has.
    pub fn snapshot(&self) -> BTreeMap<String, Stream> {
        self.log().clone()
    }

    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// How often somebody asked for an event stream by a request with a body, which is not taken here.
    pub fn posts(&self) -> usize {
        self.shared.posts.load(Ordering::SeqCst)
    }

    /// Adds `count` events to a stream.
    pub fn append(&self, stream: &str, count: usize) {
        let mut log = self.log();
        let entry = log.entry(stream.to_owned()).or_insert_with(|| Stream {
            epoch: 1_000,
            ..Stream::default()
        });
        for _ in 0..count {
            let (number, epoch) = (entry.bodies.len(), entry.epoch);
            let run = stream.trim_start_matches("run/");
            // Spaces and an escape, to see that bodies stay as they are.
            let body = format!(
                r#"{{"run_id": "{run}", "node":"n{}", "phase":"start", "ts":{number}, "text":"\u00e9 {epoch}/{number}"}}"#,
                number % 7
            );
            entry.bodies.push(body);
        }
        drop(log);
        self.tell();
    }

    pub fn append_body(&self, stream: &str, body: String) {
        self.append(stream, 0);
        self.log().get_mut(stream).unwrap().bodies.push(body);
        self.tell();
    }

    /// As after losing its log.
    pub fn new_epoch(&self, stream: &str) {
        let mut log = self.log();
        let entry = log.get_mut(stream).unwrap();
        *entry = Stream {
            epoch: entry.epoch + 1,
            ..Stream::default()
        };
        drop(log);
        self.tell();
    }

    /// Forgets what is before `first`.
    pub fn trim(&self, stream: &str, first: usize) {
        self.log().get_mut(stream).unwrap().first = first;
    }

    fn tell(&self) {
        self.grew.send_modify(|n| *n += 1);
    }
}

struct Subscription {
    pattern: String,
    next: BTreeMap<String, (u64, usize)>,
    asked: BTreeMap<String, (u64, usize)>,
    begun: bool,
}

impl Subscription {
    fn takes(&self, stream: &str) -> bool {
        match self.pattern.strip_suffix('*') {
            Some(prefix) => stream.starts_with(prefix),
            None => stream == self.pattern,
        }
    }
}

async fn serve(socket: TcpStream, shared: Arc<Shared>, grew: watch::Receiver<u64>) {
    let mut begin = [0; 8];
    // A client that was cut in its first word never says more.
    for _ in 0..LIFE_MAX {
        match socket.peek(&mut begin).await {
            Ok(read) if read == begin.len() => {
                return match begin == *b"GET /v1 " {
                    true => serve_socket(socket, shared, grew).await,
                    false => serve_requests(socket, shared, grew).await,
                };
            }
            Ok(1..) => tokio::time::sleep(Duration::from_millis(1)).await,
            _ => return,
        }
    }
}

/// Requests as the protocol had them before a body could ask for an event stream: the list of streams, and an event
/// stream by its query. One request a connection.
async fn serve_requests(
    mut socket: TcpStream,
    shared: Arc<Shared>,
    mut grew: watch::Receiver<u64>,
) {
    let mut head = Vec::new();
    let (head, mut body) = loop {
        if let Some(end) = head.windows(4).position(|four| four == b"\r\n\r\n") {
            break (
                String::from_utf8_lossy(&head[..end]).to_lowercase(),
                head.len() - end - 4,
            );
        }
        let Ok(1..) = socket.read_buf(&mut head).await else {
            return;
        };
    };
    let line = head.lines().next().unwrap_or_default().to_owned();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let length = length.and_then(|length| length.parse().ok()).unwrap_or(0);
    while body < length {
        match socket.read(&mut [0; 4_096]).await {
            Ok(read @ 1..) => body += read,
            _ => return,
        }
    }
    let answer = |status: &str, kind: &str, text: &str| {
        format!("HTTP/1.1 {status}\r\ncontent-type: {kind}\r\nconnection: close\r\n\r\n{text}")
    };
    let Some(query) = line.strip_prefix("get /v1/sse?") else {
        let text = match line.starts_with("get /v1/streams?") {
            true => answer(
                "200 OK",
                "application/json",
                r#"{"streams":[],"more":false}"#,
            ),
            false => {
                shared.posts.fetch_add(1, Ordering::SeqCst);
                answer("405 Method Not Allowed", "text/plain", "")
            }
        };
        let _ = socket.write_all(text.as_bytes()).await;
        let _ = socket.shutdown().await;
        return;
    };
    let query = query.split(' ').next().unwrap_or_default();
    let member = |name: &str| {
        let mut members = query.split('&').filter_map(|one| one.split_once('='));
        let found = members.find(|(key, _)| *key == name);
        found.map(|(_, value)| value.replace("%2f", "/"))
    };
    let pattern = member("stream").unwrap_or_default();
    let from = member("from");
    let from = from.and_then(|from| {
        let (epoch, offset) = from.split_once('.')?;
        Some((pattern.clone(), (epoch.parse().ok()?, offset.parse().ok()?)))
    });
    let subscription = Subscription {
        asked: from.into_iter().collect(),
        pattern,
        next: BTreeMap::new(),
        begun: false,
    };
    let mut subscriptions = BTreeMap::from([("1".to_owned(), subscription)]);
    let mut ignored = [0; 64];
    let mut text = answer("200 OK", "text/event-stream", "retry: 1\n\n");
    loop {
        for frame in pump(&shared, &mut subscriptions) {
            let kind: Value = serde_json::from_str(&frame).unwrap();
            text += &format!(
                "event: {}\ndata: {frame}\n\n",
                kind["type"].as_str().unwrap()
            );
        }
        if socket.write_all(text.as_bytes()).await.is_err() {
            return;
        }
        text.clear();
        tokio::select! {
            changed = grew.changed() => if changed.is_err() { return },
            read = socket.read(&mut ignored) => if !matches!(read, Ok(1..)) { return },
        }
    }
}

async fn serve_socket(socket: TcpStream, shared: Arc<Shared>, mut grew: watch::Receiver<u64>) {
    let allowed = Arc::new(AtomicBool::new(shared.token.is_none()));
    let (seen, wanted) = (Arc::clone(&allowed), shared.token.clone());
    #[allow(clippy::result_large_err, reason = "the library's own signature")]
    let greet = move |request: &Request, mut response: Response| {
        let header = request.headers().get("authorization");
        let bearer = wanted.map(|token| format!("Bearer {token}"));
        if bearer.is_some() && header.and_then(|value| value.to_str().ok()) == bearer.as_deref() {
            seen.store(true, Ordering::SeqCst);
        }
        let name = HeaderValue::from_static("ghostlight.v1");
        response
            .headers_mut()
            .insert("sec-websocket-protocol", name);
        Ok(response)
    };
    let Ok(mut socket) = tokio_tungstenite::accept_hdr_async(socket, greet).await else {
        return;
    };
    let mut rude = shared.rude.clone();
    let mut subscriptions: BTreeMap<String, Subscription> = BTreeMap::new();
    loop {
        let frames = pump(&shared, &mut subscriptions);
        let many = !frames.is_empty();
        for frame in frames {
            if socket.feed(Message::text(frame)).await.is_err() {
                return;
            }
        }
        if many {
            for message in rude.drain(..) {
                let _ = socket.feed(message).await;
            }
        }
        if socket.flush().await.is_err() {
            return;
        }
        let text = tokio::select! {
            changed = grew.changed() => match changed {
                Ok(()) => continue,
                Err(_) => return,
            },
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => text,
                Some(Ok(_)) => continue,
                _ => return,
            },
        };
        let frame: Value = serde_json::from_str(&text).unwrap();
        let answer = match frame["type"].as_str().unwrap() {
            "hello" => {
                let token = shared.token.as_deref();
                if allowed.load(Ordering::SeqCst) || frame["token"].as_str() == token {
                    json!({"type": "welcome", "server": "scripted", "session": "s", "heartbeat_ms": 30_000,
                           "max_frame_bytes": 1_048_576, "unknown": [1]})
                } else {
                    json!({"type": "error", "code": "unauthorized", "message": "not you", "fatal": true})
                }
            }
            "ping" => json!({"type": "pong", "nonce": frame["nonce"]}),
            "subscribe" => {
                let pattern = frame["stream"].as_str().unwrap().to_owned();
                let place =
                    |at: &Value| Some((at["epoch"].as_u64()?, at["offset"].as_u64()? as usize));
                let mut asked: BTreeMap<_, _> = frame["positions"]
                    .as_object()
                    .into_iter()
                    .flatten()
                    .filter_map(|(stream, at)| Some((stream.clone(), place(at)?)))
                    .collect();
                if let Some(at) = place(&frame["from"]) {
                    asked.insert(pattern.clone(), at);
                }
                subscriptions.insert(
                    frame["id"].to_string(),
                    Subscription {
                        pattern,
                        asked,
                        next: BTreeMap::new(),
                        begun: false,
                    },
                );
                continue;
            }
            "unsubscribe" => {
                subscriptions.remove(&frame["id"].to_string());
                json!({"type": "unsubscribed", "id": frame["id"]})
            }
            _ => continue,
        };
        if socket
            .send(Message::text(answer.to_string()))
            .await
            .is_err()
        {
            return;
        }
    }
}

/// What the subscriptions have not been sent yet.
fn pump(shared: &Shared, subscriptions: &mut BTreeMap<String, Subscription>) -> Vec<String> {
    let log = shared.log.lock().unwrap();
    let mut frames = Vec::new();
    for (id, subscription) in subscriptions {
        let id: Value = serde_json::from_str(id).unwrap();
        if subscription.pattern.ends_with('*') && !subscription.begun {
            frames.push(
                json!({"type": "subscribed", "id": id, "stream": subscription.pattern, "epoch": 0,
                       "next_offset": 0, "recovered": true})
                .to_string(),
            );
        }
        for (stream, entry) in log.iter() {
            if !subscription.takes(stream) {
                continue;
            }
            let head = entry.bodies.len();
            let mut next = match subscription.next.get(stream) {
                Some((epoch, next)) if *epoch == entry.epoch => *next,
                _ => {
                    let asked = subscription.asked.remove(stream);
                    let same = asked.filter(|(epoch, _)| *epoch == entry.epoch);
                    let from = same.map_or(0, |(_, offset)| offset);
                    let begin = from.max(entry.first);
                    let mut told = json!({"type": "subscribed", "id": id, "stream": stream, "epoch": entry.epoch,
                                          "next_offset": head, "recovered": begin == from && same.is_some() == asked.is_some()});
                    if begin > from {
                        told["gap"] = json!({"from": from, "to": begin - 1});
                    }
                    frames.push(told.to_string());
                    begin
                }
            };
            while next < head {
                let body = &entry.bodies[next];
                frames.push(format!(
                    r#"{{"type":"event","stream":"{stream}","epoch":{},"offset":{next},"ts":{},"body":{body}}}"#,
                    entry.epoch,
                    1_700_000_000_000_000_u64 + next as u64
                ));
                next += 1;
                if next == head {
                    frames.push(
                        json!({"type": "caught_up", "id": id, "stream": stream, "epoch": entry.epoch, "offset": head})
                            .to_string(),
                    );
                }
            }
            subscription
                .next
                .insert(stream.clone(), (entry.epoch, next));
        }
        if subscription.pattern.ends_with('*') && !subscription.begun {
            frames.push(
                json!({"type": "caught_up", "id": id, "stream": subscription.pattern, "offset": 0})
                    .to_string(),
            );
        }
        subscription.begun = true;
    }
    frames
}

/// Numbers from a seed (SplitMix64), the same everywhere.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }
}

/// Stands between client and server, and cuts, halves, delays or freezes each connection at some byte.
pub struct Proxy {
    pub address: SocketAddr,
    cuts: Arc<AtomicUsize>,
    gentle: Arc<AtomicBool>,
    /// Bytes from the server.
    down: Arc<AtomicUsize>,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// The most bytes that a mistreated connection lives to see, both ways.
const LIFE_MAX: u64 = 12_000;

impl Proxy {
    pub fn start(to: SocketAddr, seed: u64) -> Self {
        let runtime = runtime();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let (cuts, gentle) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
        let down = Arc::<AtomicUsize>::default();
        let (counted, be_gentle) = (Arc::clone(&cuts), Arc::clone(&gentle));
        let weighed = Arc::clone(&down);
        runtime.spawn(async move {
            let mut dice = Dice(seed);
            while let Ok((client, _)) = listener.accept().await {
                let (life, way) = (1 + dice.roll(LIFE_MAX), dice.roll(100));
                let (counted, be_gentle) = (Arc::clone(&counted), Arc::clone(&be_gentle));
                let weighed = Arc::clone(&weighed);
                tokio::spawn(async move {
                    let Ok(server) = TcpStream::connect(to).await else {
                        return;
                    };
                    let _ = client
                        .set_nodelay(true)
                        .and_then(|()| server.set_nodelay(true));
                    let counts = (&*counted, &*weighed);
                    mistreat(client, server, life, way, counts, &be_gentle).await;
                });
            }
        });
        Self {
            address,
            cuts,
            gentle,
            down,
            runtime: Some(runtime),
        }
    }

    pub fn url(&self) -> String {
        format!("ws://{}/v1", self.address)
    }

    pub fn cuts(&self) -> usize {
        self.cuts.load(Ordering::SeqCst)
    }

    /// Bytes that came from the server.
    pub fn down(&self) -> usize {
        self.down.load(Ordering::SeqCst)
    }

    /// From now on connections live.
    pub fn be_gentle(&self) {
        self.gentle.store(true, Ordering::SeqCst);
    }
}

async fn mistreat(
    mut client: TcpStream,
    mut server: TcpStream,
    mut life: u64,
    way: u64,
    (cuts, down_bytes): (&AtomicUsize, &AtomicUsize),
    gentle: &AtomicBool,
) {
    let (mut up, mut down) = (vec![0; 4_096], vec![0; 4_096]);
    loop {
        let (from_client, read) = tokio::select! {
            read = client.read(&mut up) => (true, read),
            read = server.read(&mut down) => (false, read),
        };
        let Ok(read @ 1..) = read else { return };
        let gentle = gentle.load(Ordering::SeqCst);
        let passed = if gentle {
            read
        } else {
            read.min(life as usize)
        };
        let (bytes, to) = match from_client {
            true => (&up[..passed], &mut server),
            false => (&down[..passed], &mut client),
        };
        if to.write_all(bytes).await.is_err() {
            return;
        }
        if !from_client {
            down_bytes.fetch_add(passed, Ordering::SeqCst);
        }
        if gentle {
            continue;
        }
        life -= passed as u64;
        if life == 0 {
            cuts.fetch_add(1, Ordering::SeqCst);
            return match way {
                // Half-open: nobody says anything any more.
                0..2 => tokio::time::sleep(Duration::from_secs(5)).await,
                // One direction is closed in order, the other stays silent.
                2..10 => {
                    let _ = client.shutdown().await;
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
                // A reset instead of an end.
                10..40 => {
                    let _ = socket_reset(&client);
                }
                _ => {}
            };
        }
        if (40..50).contains(&way) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

fn socket_reset(socket: &TcpStream) -> std::io::Result<()> {
    socket.set_zero_linger()
}
