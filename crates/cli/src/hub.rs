//! `ghostlight hub`: the data folder's streams on a socket, until it is told to stop.

use crate::{
    Global,
    output::{Exit, fail, number, print_line},
    tokens::Tokens,
};
use ghostlight_engine::host::wall_clock;
use ghostlight_hub::{
    Hub,
    server::{
        CONNECTIONS_EACH_MAX, CONNECTIONS_MAX, Config, Quota, REQUESTS_PER_S_MAX, Server,
        ServerError, TlsFiles,
    },
};
use serde_json::json;
use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::Duration,
};

/// Files that a hub needs beside its connections: the database, its readers, and those it is about to refuse.
const FILES_BESIDE: u64 = 128;

/// How long a hub waits for signals before it looks at its tokens.
const TICK: Duration = Duration::from_millis(500);

/// How to serve.
#[derive(Debug, clap::Args)]
pub(crate) struct Serving {
    /// Where to listen; port 0 takes any that is free
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0", value_parser = listen_at)]
    listen: SocketAddr,
    /// Serve other machines without encryption: everybody between can read the token
    #[arg(long)]
    insecure_listen: bool,
    /// The certificate chain for wss and https (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The certificate's private key (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// The tokens, one a line, in a file that only its owner can read; else the file hub-token of the data folder. Read
    /// again when it changes, and on SIGHUP where there is one
    #[arg(long, value_name = "FILE")]
    tokens: Option<PathBuf>,
    /// Begin a new epoch of every stream that others published, and of every run of this folder that was interrupted:
    /// once, after it was restored from a backup, so that followers who had more than it has notice
    #[arg(long)]
    new_epochs: bool,
    /// A site whose pages may connect, for example https://monitor.example; may be given several times
    #[arg(long, value_name = "ORIGIN", value_parser = origin)]
    allow_origin: Vec<String>,
    /// Connections at a time; further ones are asked to come again
    #[arg(long, value_name = "N", default_value_t = CONNECTIONS_MAX, value_parser = connections)]
    connections: usize,
    /// Connections of one principal (a token) at a time; further ones are asked to come again
    #[arg(long, value_name = "N", default_value_t = CONNECTIONS_EACH_MAX, value_parser = connections)]
    connections_each: usize,
    /// Requests of one principal a second, as a mean over 10 s; further ones are asked to come again
    #[arg(long, value_name = "N", default_value_t = REQUESTS_PER_S_MAX, value_parser = requests)]
    requests_each: u32,
}

/// An origin as browsers write it (RFC 6454, section 6.2): scheme and host in small letters, no port that the scheme has
/// anyway.
fn origin(text: &str) -> Result<String, String> {
    let text = text.to_ascii_lowercase();
    let (scheme, host) = text
        .split_once("://")
        .filter(|(scheme, host)| {
            let no_host = |c: char| "/?#@*".contains(c) || c.is_whitespace() || c.is_control();
            !scheme.is_empty() && !host.is_empty() && !host.contains(no_host)
        })
        .ok_or("scheme and host are expected, and no path, as in https://monitor.example")?;
    let default = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => "",
    };
    let host = host.strip_suffix(default).unwrap_or(host);
    Ok(format!("{scheme}://{host}"))
}

fn connections(text: &str) -> Result<usize, String> {
    number(text, &(1..=1_000_000))
}

fn requests(text: &str) -> Result<u32, String> {
    number(text, &(1..=1_000_000))
}

fn listen_at(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        "an address of this computer and a port are expected, as in 127.0.0.1:7443 or [::1]:7443".to_owned()
    })
}

pub(crate) fn run(global: &Global, args: &Serving) -> Result<Exit, Exit> {
    let signals = Signals::install_with_hangup()?;
    let engine = global.engine()?;
    let hub = engine.hub();
    let (server, mut tokens) = serve(global, hub, args)?;
    loop {
        match signals.next(Some(TICK)) {
            Some(Signal::Stop) => break,
            Some(Signal::Hangup) => tokens.reload(&server),
            None => tokens.look(&server),
        }
    }
    server.stop();
    Ok(Exit::Done)
}

/// Serves `hub` and says so in one line, when connections are accepted.
pub(crate) fn serve(global: &Global, hub: &Hub, args: &Serving) -> Result<(Server, Tokens), Exit> {
    let wanted = args.connections as u64 + FILES_BESIDE;
    let files = allow_files(wanted);
    if files < wanted && !global.quiet {
        let connections = files.saturating_sub(FILES_BESIDE);
        eprintln!(
            "ghostlight: the system allows this process {files} open files, enough for about {connections} \
             connections and not for {}; raise the limit (`ulimit -Hn`), or give --connections",
            args.connections
        );
    }
    let folder = hub.store().path().parent().unwrap_or(Path::new("."));
    let tokens = Tokens::of(global, folder, args.tokens.as_deref())?;
    let Some((first, others)) = tokens.good().split_first() else {
        return Err(fail(Exit::Usage, "there is no token", None));
    };
    let mut config = Config::new(args.listen, first.clone(), wall_clock);
    config.insecure_listen = args.insecure_listen;
    config.origins = args.allow_origin.clone();
    config.connections = args.connections;
    config.quota = Quota {
        connections: args.connections_each,
        requests_per_s: args.requests_each,
    };
    config.tls = args
        .tls_cert
        .clone()
        .zip(args.tls_key.clone())
        .map(|(cert, key)| TlsFiles { cert, key });
    if args.new_epochs {
        let begun = hub.store().begin_new_epochs(wall_clock()).wait();
        let streams = begun.map_err(|e| fail(Exit::Store, &e.to_string(), Some(e.hint())))?;
        if !global.quiet {
            eprintln!("ghostlight: a new epoch of {streams} streams has begun");
        }
    }
    let server = Server::start(hub.clone(), config).map_err(refused)?;
    for token in others {
        server.allow(token.clone());
    }
    print_line(&json!({"listening": server.url(), "token": first.reveal()}).to_string())?;
    Ok((server, tokens))
}

/// Lets this process open so many files, as far as the system allows it; how many it may open now.
#[cfg(unix)]
fn allow_files(wanted: u64) -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    // None is no limit.
    let current = limit.current.unwrap_or(u64::MAX);
    let allowed = wanted.min(limit.maximum.unwrap_or(u64::MAX));
    if current >= allowed {
        return current;
    }
    let raised = Rlimit {
        current: Some(allowed),
        maximum: limit.maximum,
    };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => allowed,
        Err(_) => current,
    }
}

/// Windows has no such limit.
#[cfg(windows)]
fn allow_files(_wanted: u64) -> u64 {
    u64::MAX
}

fn refused(error: ServerError) -> Exit {
    fail(Exit::Usage, &error.to_string(), None)
}

/// What the system tells a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    /// SIGINT or SIGTERM; on Windows Ctrl+C, Ctrl+Break, a closed console, or the end of the session: end.
    Stop,
    /// SIGHUP: read what was configured again.
    #[cfg_attr(windows, expect(dead_code, reason = "there is no such signal"))]
    Hangup,
}

/// What [`Signal`] says, taken from here on.
pub(crate) struct Signals(Receiver<Signal>);

impl Signals {
    /// Takes the signals, so that they no longer end the process by themselves.
    pub fn install() -> Result<Self, Exit> {
        Self::taking(false)
    }

    /// SIGHUP as well, where there is one.
    pub fn install_with_hangup() -> Result<Self, Exit> {
        Self::taking(true)
    }

    fn taking(hangup: bool) -> Result<Self, Exit> {
        let trouble =
            |e: io::Error| fail(Exit::Usage, &format!("cannot wait for signals: {e}"), None);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let runtime = runtime.map_err(trouble)?;
        let (tell, told) = mpsc::channel();
        let (ready, is_ready) = mpsc::channel();
        let wait = move || {
            // A failure to install is told by `ready`; the wait ends as well.
            runtime.block_on(listen(hangup, &ready, &tell));
        };
        thread::Builder::new()
            .name("signals".into())
            .spawn(wait)
            .map_err(trouble)?;
        match is_ready.recv() {
            Ok(Ok(())) => Ok(Self(told)),
            Ok(Err(error)) => Err(trouble(error)),
            Err(_) => Err(trouble(io::ErrorKind::Other.into())),
        }
    }

    /// Waits for one, at most `timeout`.
    pub fn next(&self, timeout: Option<Duration>) -> Option<Signal> {
        let told = match timeout {
            Some(timeout) => self.0.recv_timeout(timeout),
            None => self.0.recv().map_err(RecvTimeoutError::from),
        };
        match told {
            Ok(signal) => Some(signal),
            Err(RecvTimeoutError::Timeout) => None,
            // A dead thread can tell of no signal: then it is better to end.
            Err(RecvTimeoutError::Disconnected) => Some(Signal::Stop),
        }
    }

    /// Waits until the process is to end.
    pub fn wait(&self) {
        while self.next(None) != Some(Signal::Stop) {}
    }
}

/// Tells of signals until the one that ends the process.
#[cfg(unix)]
async fn listen(hangup: bool, ready: &mpsc::Sender<io::Result<()>>, tell: &mpsc::Sender<Signal>) {
    use tokio::signal::unix::{SignalKind, signal};
    let kinds = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
        hangup.then(|| signal(SignalKind::hangup())).transpose(),
    );
    let (mut interrupt, mut terminate, mut hangup) = match kinds {
        (Ok(interrupt), Ok(terminate), Ok(hangup)) => (interrupt, terminate, hangup),
        (Err(error), ..) | (_, Err(error), _) | (.., Err(error)) => {
            let _ = ready.send(Err(error));
            return;
        }
    };
    let _ = ready.send(Ok(()));
    loop {
        let hung_up = async {
            match &mut hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        let signal = tokio::select! {
            _ = interrupt.recv() => Signal::Stop,
            _ = terminate.recv() => Signal::Stop,
            _ = hung_up => Signal::Hangup,
        };
        // Nobody listens: the process is ending.
        if tell.send(signal).is_err() || signal == Signal::Stop {
            return;
        }
    }
}

/// There is no SIGHUP here. Whoever closes the console or logs off gives the process a few seconds to end.
#[cfg(windows)]
async fn listen(_: bool, ready: &mpsc::Sender<io::Result<()>>, tell: &mpsc::Sender<Signal>) {
    use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_logoff, ctrl_shutdown};
    let all = || {
        Ok((
            ctrl_c()?,
            ctrl_break()?,
            ctrl_close()?,
            ctrl_logoff()?,
            ctrl_shutdown()?,
        ))
    };
    let (mut c, mut stop, mut close, mut logoff, mut shutdown) = match all() {
        Ok(all) => all,
        Err(error) => {
            let _ = ready.send(Err(error));
            return;
        }
    };
    let _ = ready.send(Ok(()));
    tokio::select! {
        _ = c.recv() => {}
        _ = stop.recv() => {}
        _ = close.recv() => {}
        _ = logoff.recv() => {}
        _ = shutdown.recv() => {}
    }
    // Nobody listens: the process is ending.
    let _ = tell.send(Signal::Stop);
}

#[cfg(test)]
mod tests {
    use super::origin;

    #[test]
    fn origins_are_those_that_browsers_name() {
        for (text, expected) in [
            ("https://monitor.example", Some("https://monitor.example")),
            (
                "HTTP://Mixed.Example:8080",
                Some("http://mixed.example:8080"),
            ),
            (
                "https://monitor.example:443",
                Some("https://monitor.example"),
            ),
            ("http://monitor.example:80", Some("http://monitor.example")),
            ("tauri://localhost", Some("tauri://localhost")),
            ("monitor.example", None),
            ("*", None),
            ("", None),
            ("https://", None),
            ("https://a.example/path", None),
            ("https://*.example", None),
        ] {
            assert_eq!(origin(text).ok().as_deref(), expected, "{text:?}");
        }
    }
}
