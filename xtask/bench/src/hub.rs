//! How many connections one hub holds, and what each costs it: `hub_connections`, `hub_kb_each`.
//!
//! The hub is a process of its own, plaintext. Each connection is a WebSocket that has greeted and subscribed; memory
//! is compared after one event has reached all of them. It is what the program itself uses; what the kernel keeps for
//! a socket is not in it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{SinkExt, StreamExt};
use tokio::{
    net::TcpStream,
    sync::{Semaphore, mpsc, watch},
    task::JoinSet,
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{Message, client::IntoClientRequest, protocol::WebSocketConfig},
};

use crate::{
    Outcome, figure,
    program::{Hub, TOKEN},
};

/// The goal for connections.
const CONNECTIONS: u64 = 10_000;
/// The goal for each, in kB.
const KB_EACH_MAX: f64 = 8.0;
/// Files that this process needs beside its connections.
const FILES_BESIDE: u64 = 100;
/// Connections that greet at a time: a person's network sends no ten thousand in one moment.
const GREETING_MAX: usize = 200;
/// What has not come by then does not come.
const PATIENCE: Duration = Duration::from_secs(60);
/// What all of them follow.
const STREAM: &str = "run/bench";

/// Prints the figures.
///
/// # Errors
/// If there is no hub, or it does not answer.
pub fn measure() -> Outcome<()> {
    let files = raise_file_limit(CONNECTIONS + FILES_BESIDE);
    let connections = CONNECTIONS.min(files.saturating_sub(FILES_BESIDE));
    if connections < CONNECTIONS {
        eprintln!(
            "LESS THAN MEANT: the system allows this process {files} open files, so {connections} connections"
        );
    }
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?
        .block_on(crowd(connections))
}

async fn crowd(connections: u64) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let hub = Hub::start(folder.path(), 0)?;
    // What the first connection and the first event cost once is no connection's. This one publishes, and counts.
    let mut publisher = follower(&hub).await?;
    publish(&mut publisher, 0).await?;
    let before = hub.memory()?;

    let (told, mut heard) = mpsc::channel(1_024);
    let (hold, held) = watch::channel(());
    let mut all = JoinSet::new();
    let turns = Arc::new(Semaphore::new(GREETING_MAX));
    let hub = Arc::new(hub);
    let followers = connections - 1;
    for _ in 0..followers {
        let turn = Arc::clone(&turns).acquire_owned().await?;
        let (hub, told, mut held) = (Arc::clone(&hub), told.clone(), held.clone());
        all.spawn(async move {
            let socket = follower(&hub).await;
            drop(turn);
            let mut socket = match socket {
                Ok(socket) => socket,
                Err(error) => return drop(told.send(Err(error.to_string())).await),
            };
            drop(told.send(Ok(())).await);
            let got = until(&mut socket, &["event"]).await.map(drop);
            drop(told.send(got.map_err(|e| e.to_string())).await);
            // Stays open, so that nothing is measured that a goodbye gave back.
            let _ = held.changed().await;
        });
    }
    drop(told);
    let connected = count(&mut heard, followers, "connections").await;
    let followed = hub.memory()?;
    let begun = Instant::now();
    publish(&mut publisher, 1).await?;
    let reached = count(&mut heard, connected, "events").await;
    let connections = reached + 1;
    let broadcast = begun.elapsed();
    // Its last writes are out, and their buffers given back.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let after = hub.memory()?;
    let each = |memory: u64| memory.saturating_sub(before) as f64 / reached.max(1) as f64 / 1e3;
    figure(
        "hub_connections",
        connections as f64,
        "connections",
        Some((CONNECTIONS as f64, connections >= CONNECTIONS)),
    );
    figure(
        "hub_kb_each",
        each(after),
        "kB",
        Some((KB_EACH_MAX, each(after) <= KB_EACH_MAX)),
    );
    figure("hub_kb_each_before_broadcast", each(followed), "kB", None);
    figure(
        "hub_broadcast_ms",
        broadcast.as_secs_f64() * 1e3,
        "ms",
        None,
    );
    drop(hold);
    while all.join_next().await.is_some() {}
    Ok(())
}

/// How many of `wanted` go well.
async fn count(heard: &mut mpsc::Receiver<Result<(), String>>, wanted: u64, what: &str) -> u64 {
    let mut well = 0;
    for done in 0..wanted {
        match timeout(PATIENCE, heard.recv()).await {
            Ok(Some(Ok(()))) => well += 1,
            Ok(Some(Err(error))) => eprintln!("one of the {what}: {error}"),
            Ok(None) | Err(_) => {
                eprintln!("{} {what} did not come", wanted - done);
                break;
            }
        }
    }
    well
}

type Socket = WebSocketStream<TcpStream>;

async fn greeted(hub: &Hub) -> Outcome<Socket> {
    let stream = TcpStream::connect(hub.address).await?;
    stream.set_nodelay(true)?;
    let config = WebSocketConfig::default()
        .read_buffer_size(4 << 10)
        .write_buffer_size(0);
    let request = hub.url().into_client_request()?;
    let (mut socket, _) = client_async_with_config(request, stream, Some(config)).await?;
    let hello = format!(r#"{{"type":"hello","version":1,"token":"{TOKEN}","client":"bench"}}"#);
    socket.send(Message::text(hello)).await?;
    until(&mut socket, &["welcome"]).await?;
    Ok(socket)
}

/// A connection that follows the stream and has all that is there.
async fn follower(hub: &Hub) -> Outcome<Socket> {
    let mut socket = greeted(hub).await?;
    let subscribe = format!(r#"{{"type":"subscribe","id":1,"stream":"{STREAM}"}}"#);
    socket.send(Message::text(subscribe)).await?;
    until(&mut socket, &["caught_up"]).await?;
    Ok(socket)
}

async fn publish(socket: &mut Socket, n: u64) -> Outcome<()> {
    // As long as an event of a run is.
    let body = format!(
        r#"{{"ts":1767571200000000,"run_id":"bench","node":"DETECT","phase":"end","duration_ms":12.5,"metrics":{{"rows":{n}}}}}"#
    );
    let publish =
        format!(r#"{{"type":"publish","key":"bench-{n}","stream":"{STREAM}","body":{body}}}"#);
    socket.send(Message::text(publish)).await?;
    // Its own event, which may come before the answer.
    until(socket, &["accepted", "event"]).await?;
    Ok(())
}

/// Reads until a frame of each of these types has come.
async fn until(socket: &mut Socket, kinds: &[&str]) -> Outcome<()> {
    let begins = |kind: &&str| format!(r#"{{"type":"{kind}""#);
    let mut wanted: Vec<String> = kinds.iter().map(begins).collect();
    while !wanted.is_empty() {
        match timeout(PATIENCE, socket.next()).await? {
            Some(Ok(Message::Text(text))) if text.starts_with(r#"{"type":"ping""#) => {
                let pong = text.replacen("ping", "pong", 1);
                socket.send(Message::text(pong)).await?;
            }
            Some(Ok(Message::Text(text))) => wanted.retain(|begin| !text.starts_with(begin)),
            Some(Ok(Message::Close(why))) => return Err(format!("closed: {why:?}").into()),
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(error.into()),
            None => return Err(format!("it ended before {kinds:?}").into()),
        }
    }
    Ok(())
}

/// Allows this process so many open files, as far as the system lets it; how many there are now.
#[cfg(unix)]
fn raise_file_limit(wanted: u64) -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(u64::MAX);
    let current = limit.current.unwrap_or(u64::MAX);
    if current >= wanted {
        return current;
    }
    let raised = Rlimit {
        current: Some(wanted.min(most)),
        maximum: limit.maximum,
    };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => wanted.min(most),
        Err(_) => current,
    }
}

#[cfg(not(unix))]
fn raise_file_limit(_wanted: u64) -> u64 {
    u64::MAX
}
