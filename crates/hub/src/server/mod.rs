//! The hub on a socket: `ghostlight.v1` over WebSocket, the same events as SSE and as long poll, publishing by POST.
//!
//! [`Server::start`] serves a [`Hub`] on threads of its own, so that the app can embed it. `accept` takes connections,
//! `http` is what the routes do, `sse` the event streams among them, `socket` a WebSocket's task, `driver` runs the pure
//! [`Session`](ghostlight_sync::session::Session) under each of them, `board` stands between them and the log.
//! `docs/PROTOCOL.md` says what all of this promises.

mod accept;
mod answers;
mod asked;
mod board;
mod door;
mod driver;
mod http;
mod poll;
mod principal;
mod recent;
mod socket;
mod sse;
mod token;
mod token_file;

pub use accept::TlsFiles;
pub use board::Clock;
pub use ghostlight_sync::session::Limits;
pub use principal::{CONNECTIONS_EACH_MAX, Quota, REQUESTS_PER_S_MAX};
pub use token::{TOKENS_MAX, Token, TokenError};
pub use token_file::{Reread, TokenFile, TokenFileError};

use crate::Hub;
use board::Board;
use ghostlight_sync::Millis;
use principal::Principals;
use std::{
    io,
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};
use tokio::{runtime::Runtime, sync::watch};

/// Connections at a time, SPEC *Measuring*; the next ones get 503 and `Retry-After`.
pub const CONNECTIONS_MAX: usize = 10_000;
/// Threads for connections; what they do between two system calls is short.
const WORKERS_MAX: usize = 4;
/// Threads that read the database. A session has one read at a time, so what waits for them is bounded.
const READERS: usize = 4;
/// How long [`Server::stop`] waits for connections to end.
const STOP_MAX: Duration = Duration::from_secs(6);
/// `code` of a refusal because the log has something else: the key came with other content before, or the stream is
/// written by the hub itself.
const CONFLICT: &str = "conflict";

/// How to serve.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where; port 0 takes any that is free.
    pub listen: SocketAddr,
    /// What clients show.
    pub token: Token,
    /// Certificate and key, to serve `wss` and `https`.
    pub tls: Option<TlsFiles>,
    /// Allows a plaintext server that other machines can reach.
    pub insecure_listen: bool,
    /// Sites whose pages may connect (`https://monitor.example`), beside the server's own address.
    pub origins: Vec<String>,
    /// Connections at a time.
    pub connections: usize,
    /// What each may use.
    pub limits: Limits,
    /// What each principal may use, over all of its connections.
    pub quota: Quota,
    /// The wall clock.
    pub clock: Clock,
}

impl Config {
    /// The usual: plaintext, 10,000 connections, default limits.
    pub fn new(listen: SocketAddr, token: Token, clock: Clock) -> Self {
        Self {
            listen,
            token,
            tls: None,
            insecure_listen: false,
            origins: Vec::new(),
            connections: CONNECTIONS_MAX,
            limits: Limits::default(),
            quota: Quota::default(),
            clock,
        }
    }
}

/// Why the server does not run.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Somebody else listens there.
    #[error(
        "{0} is in use by another program; choose another address with --listen, or end that program"
    )]
    InUse(SocketAddr),
    /// The system does not let us listen there.
    #[error(
        "cannot listen on {listen} ({source}); give an address of this computer, and a port that this account may use, with \
         --listen"
    )]
    Listen {
        /// The address.
        listen: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// Tokens and events would cross a network in the clear.
    #[error(
        "{0} can be reached by other machines, and without a certificate everybody between reads the token; \
         give --tls-cert and --tls-key, or say --insecure-listen"
    )]
    Insecure(SocketAddr),
    /// Certificate or key cannot be used.
    #[error("{path}: {detail}")]
    Tls {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// The system gives no threads.
    #[error("the server's threads cannot be started: {0}")]
    Threads(#[source] io::Error),
}

/// What all connections share.
pub(super) struct App {
    board: Arc<Board>,
    principals: Arc<Principals>,
    config: Config,
    address: SocketAddr,
    started: tokio::time::Instant,
    sessions: AtomicU64,
    stopping: watch::Receiver<bool>,
}

/// What every route works on.
type Shared = axum::extract::State<Arc<App>>;

impl App {
    /// The sessions' clock.
    fn now(&self) -> Millis {
        let elapsed = self.started.elapsed().as_millis();
        Millis(u64::try_from(elapsed).unwrap_or(u64::MAX))
    }

    fn next_session(&self) -> String {
        format!("s{}", self.sessions.fetch_add(1, Ordering::Relaxed))
    }
}

/// Name and version, for `welcome`.
fn server_name() -> String {
    concat!("ghostlight-hub ", env!("CARGO_PKG_VERSION")).to_owned()
}

/// A running server. Dropping it ends all connections at once; [`Server::stop`] says goodbye.
pub struct Server {
    address: SocketAddr,
    secure: bool,
    stop: watch::Sender<bool>,
    stopped: mpsc::Receiver<()>,
    board: Weak<Board>,
    principals: Arc<Principals>,
    runtime: Option<Runtime>,
}

impl Server {
    /// Serves `hub` until [`Server::stop`]. When it returns, connections are accepted.
    ///
    /// # Errors
    /// Every [`ServerError`]; nothing runs then.
    pub fn start(hub: Hub, config: Config) -> Result<Self, ServerError> {
        let tls = config.tls.as_ref().map(accept::tls).transpose()?;
        if !config.listen.ip().is_loopback() && tls.is_none() && !config.insecure_listen {
            return Err(ServerError::Insecure(config.listen));
        }
        let (listener, address) = listen(config.listen)?;
        let runtime = runtime().map_err(ServerError::Threads)?;
        let (stop, stopping) = watch::channel(false);
        let board = Board::start(hub, config.clock).map_err(ServerError::Threads)?;
        let principals = Principals::new(config.token.clone(), config.quota);
        let app = Arc::new(App {
            board,
            principals: Arc::clone(&principals),
            config,
            address,
            started: Instant::now().into(),
            sessions: AtomicU64::new(1),
            stopping: stopping.clone(),
        });
        let (ended, stopped) = mpsc::channel();
        let secure = tls.is_some();
        let listener = {
            let _inside = runtime.enter();
            tokio::net::TcpListener::from_std(listener)
        };
        let listener = listener.map_err(|source| ServerError::Listen {
            listen: address,
            source,
        })?;
        let board = Arc::downgrade(&app.board);
        let router = http::router(Arc::clone(&app));
        runtime.spawn(async move {
            accept::accept(listener, tls, router, app, stopping).await;
            // Nobody may be waiting.
            let _ = ended.send(());
        });
        Ok(Self {
            address,
            secure,
            stop,
            stopped,
            board,
            principals,
            runtime: Some(runtime),
        })
    }

    /// Sessions that are open: WebSockets, SSE streams, polls and publishes under way.
    pub fn sessions(&self) -> usize {
        self.board.upgrade().map_or(0, |board| board.sessions())
    }

    /// Another token is good too from now on, until it is revoked.
    pub fn allow(&self, token: Token) {
        self.principals.allow(token);
    }

    /// A token is good no more: who showed it is cut with the error `unauthorized`.
    pub fn revoke(&self, token: &Token) {
        self.principals.revoke(token);
        if let Some(board) = self.board.upgrade() {
            board.revoked();
        }
    }

    /// Connections that showed this token and are open.
    pub fn connections_of(&self, token: &Token) -> usize {
        self.principals.connections(token)
    }

    /// Pages read from the log since the start.
    pub fn pages_read(&self) -> u64 {
        self.board.upgrade().map_or(0, |board| board.pages_read())
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The WebSocket's address.
    pub fn url(&self) -> String {
        let scheme = if self.secure { "wss" } else { "ws" };
        format!("{scheme}://{}/v1", self.address)
    }

    /// Tells every connection that the server stops, waits until they are closed (some seconds at most), and ends.
    /// What was accepted is durable already.
    pub fn stop(mut self) {
        self.stop.send_replace(true);
        // On a timeout the connections are dropped.
        let _ = self.stopped.recv_timeout(STOP_MAX);
        self.end();
    }

    fn end(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

fn listen(listen: SocketAddr) -> Result<(std::net::TcpListener, SocketAddr), ServerError> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::AddrInUse => ServerError::InUse(listen),
        _ => ServerError::Listen { listen, source },
    };
    let listener = std::net::TcpListener::bind(listen).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

fn runtime() -> io::Result<Runtime> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(cores.min(WORKERS_MAX))
        .max_blocking_threads(READERS)
        .thread_name("hub-server")
        .enable_io()
        .enable_time()
        .build()
}
