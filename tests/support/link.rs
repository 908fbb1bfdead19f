//! A proxy that breaks connections when a test says so, or that is a slow line. The one that mistreats them at random is
//! [`crate::feed_server::Proxy`].

#![allow(
    dead_code,
    reason = "shared by several test programs, each of which uses a part of it"
)]

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{mpsc, watch},
    time::{Instant, sleep, sleep_until},
};

/// What a line carries at a time, as a packet does.
const PACKET_BYTES: usize = 1_400;
/// Packets on the line; then the sender waits.
const PACKETS_MAX: usize = 64;

/// A line as slow as this.
#[derive(Debug, Clone, Copy, Default)]
pub struct Pace {
    /// 0 for as fast as it goes.
    pub bytes_per_s: u32,
    /// Each way.
    pub delay: Duration,
}

struct Shared {
    to: SocketAddr,
    pace: Pace,
    connections: AtomicUsize,
    /// Counts the times at which everything was cut.
    cut: watch::Sender<usize>,
    /// Once this text comes from the server, the line breaks in its middle; then it is forgotten.
    inside: Mutex<Option<String>>,
}

/// The proxy; dropping it ends it.
pub struct Link {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Drop for Link {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Link {
    pub fn start(to: SocketAddr, pace: Pace) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            to,
            pace,
            connections: AtomicUsize::new(0),
            cut: watch::Sender::new(0),
            inside: Mutex::default(),
        });
        let serving = Arc::clone(&shared);
        runtime.spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                serving.connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(connection(client, Arc::clone(&serving)));
            }
        });
        Self {
            address,
            shared,
            runtime: Some(runtime),
        }
    }

    pub fn url(&self) -> String {
        format!("ws://{}/v1", self.address)
    }

    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Breaks every connection that there is.
    pub fn cut(&self) {
        self.shared.cut.send_modify(|count| *count += 1);
    }

    /// Breaks a connection in the middle of this text, the next time that the server sends it.
    pub fn cut_inside(&self, text: &str) {
        *self.shared.inside.lock().unwrap() = Some(text.to_owned());
    }

    /// Whether [`Link::cut_inside`] has happened.
    pub fn was_cut_inside(&self) -> bool {
        self.shared.inside.lock().unwrap().is_none()
    }
}

async fn connection(client: TcpStream, shared: Arc<Shared>) {
    let mut cut = shared.cut.subscribe();
    let Ok(server) = TcpStream::connect(shared.to).await else {
        return;
    };
    let _ = client
        .set_nodelay(true)
        .and_then(|()| server.set_nodelay(true));
    let (client_out, client_in) = client.into_split();
    let (server_out, server_in) = server.into_split();
    // Whichever ends first ends all of it.
    tokio::select! {
        () = line(client_out, server_in, &shared, false) => {}
        () = line(server_out, client_in, &shared, true) => {}
        _ = cut.changed() => {}
    }
}

/// One direction.
async fn line(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, shared: &Shared, is_down: bool) {
    let pace = shared.pace;
    let (sender, mut packets) = mpsc::channel::<(Instant, Vec<u8>)>(PACKETS_MAX);
    let reading = async move {
        loop {
            let mut packet = vec![0; PACKET_BYTES];
            let Ok(read @ 1..) = from.read(&mut packet).await else {
                return;
            };
            packet.truncate(read);
            if sender
                .send((Instant::now() + pace.delay, packet))
                .await
                .is_err()
            {
                return;
            }
        }
    };
    let writing = async {
        while let Some((due, mut packet)) = packets.recv().await {
            sleep_until(due).await;
            if let Some(size) = (packet.len() as u32 * 1_000).checked_div(pace.bytes_per_s) {
                sleep(Duration::from_millis(size.into())).await;
            }
            let middle = is_down
                .then(|| middle_of(&packet, &shared.inside))
                .flatten();
            packet.truncate(middle.unwrap_or(packet.len()));
            if to.write_all(&packet).await.is_err() || middle.is_some() {
                return;
            }
        }
    };
    tokio::select! {
        // Nothing more comes: what is on the line still arrives.
        () = async { reading.await; std::future::pending().await } => {}
        () = writing => {}
    }
}

/// Where to break, if the text stands in this packet; then it is forgotten.
fn middle_of(packet: &[u8], inside: &Mutex<Option<String>>) -> Option<usize> {
    let mut inside = inside.lock().unwrap();
    let text = inside.as_ref()?.as_bytes();
    let at = packet.windows(text.len()).position(|part| part == text)?;
    let middle = at + text.len() / 2;
    *inside = None;
    Some(middle)
}
