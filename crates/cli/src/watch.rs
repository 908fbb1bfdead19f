//! `ghostlight watch`: follows a feed, prints each event once, in order, when it is on disk.
//!
//! What is printed is read from the feed's log, behind a mark that moves after each write to standard output. So a run
//! that was killed is continued by the next: what was stored and not yet printed comes first.

use crate::{
    Global,
    hub::Signals,
    network,
    output::{Exit, fail, shown, variable, whole, write_all},
    send::{Given, Sender},
};
use ghostlight_api::live::Reconnecting;
use ghostlight_engine::{
    StoreError,
    environment::{self, LIVE_VARIABLE, RECONNECT_VARIABLE, reconnects},
    feeds::{
        FeedEntry, Mark, MarkFile, News, Options, Store, Told, Watching,
        feed::{
            Ended, Endpoint, Kind, Secret, Settings,
            connection::{Failure, FailureClass, State, Status, Transport, Transports},
        },
        json_line, remembered, text_line,
    },
    outbox,
};
use serde_json::json;
use std::{
    collections::VecDeque,
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// The environment variable with the feed's token.
const TOKEN_VARIABLE: &str = "GHOSTLIGHT_FEED_TOKEN";
/// Entries read from the log at a time.
const PAGE: usize = 512;
/// Lines are written in pieces of at most so many bytes, which a pipe takes whole or not at all (POSIX `PIPE_BUF`).
const PIECE_BYTES: usize = 4_096;
/// How long a signal waits for a reader that does not read; then the program ends anyway, with everything on disk.
const STOP_MAX: Duration = Duration::from_secs(3);

/// What to follow.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The feed: ws://, wss://, http:// or https://; ?stream=run/7 follows one stream of a hub, run/* all runs.
    /// The token comes from GHOSTLIGHT_FEED_TOKEN, or as the password in the address
    #[arg(
        value_name = "FEED_URL",
        env = "GHOSTLIGHT_FEED_URL",
        hide_env_values = true
    )]
    url: String,
    /// Which system the feed is, if its first answer does not tell
    #[arg(long, value_parser = kind, value_name = "hub|workflow|typed|sse")]
    adapter: Option<Kind>,
    /// Do not use these transports of a hub, such as websocket,sse; one of the three has to be left
    #[arg(long, value_name = "websocket|sse|poll", value_delimiter = ',', value_parser = transport)]
    without: Vec<Transport>,
    /// End after so many events
    #[arg(long, value_name = "N", value_parser = count)]
    count: Option<u64>,
    /// End after so many seconds without an event
    #[arg(long, value_name = "SECS", value_parser = seconds)]
    idle: Option<Duration>,
    /// Print what is stored of this feed first; of it the latest GHOSTLIGHT_EVENT_HISTORY_LIMIT events if that is set
    #[arg(long)]
    from_start: bool,
    /// Send this data folder's finished runs to the hub that is followed, each once
    #[arg(long)]
    publish: bool,
    /// Send a message to a feed of typed messages when it is connected, for example ack='{"id":7}'; may be given several
    /// times. - sends each line of standard input, {"event":"ack","data":{"id":7}}
    #[arg(long, value_name = "EVENT[=JSON]|-", conflicts_with = "publish")]
    send: Vec<Given>,
}

fn kind(word: &str) -> Result<Kind, String> {
    let words = Kind::ALL.map(Kind::word).join(", ");
    Kind::of_word(word).ok_or_else(|| format!("one of {words}"))
}

fn transport(word: &str) -> Result<Transport, String> {
    let words = Transport::ALL.map(Transport::word).join(", ");
    Transport::of_word(word).ok_or_else(|| format!("one of {words}"))
}

fn count(text: &str) -> Result<u64, String> {
    let number = whole(text).ok().filter(|number| *number > 0);
    number.ok_or_else(|| "a whole number from 1 on is expected".to_owned())
}

fn seconds(text: &str) -> Result<Duration, String> {
    let number = text.parse::<f64>().ok();
    number
        .and_then(|number| Duration::try_from_secs_f64(number).ok())
        .ok_or_else(|| "a number of seconds is expected".to_owned())
}

pub(crate) fn run(global: &Global, args: &Args) -> Result<Exit, Exit> {
    let (settings, history) = settings(args)?;
    let signals = Signals::install()?;
    let engine = global.engine()?;
    let store = engine.hub().store();
    let mut printer = Printer {
        global,
        args,
        store,
        history,
        endpoint: settings.endpoint.clone(),
        feed: None,
        printed: 0,
        quiet_since: Instant::now(),
        stopped: Arc::default(),
        last_status: None,
        sender: None,
    };
    // A feed that is known shows what it has before any server answers.
    let known = match settings.kind {
        Some(kind) => Some(kind),
        None => remembered(store, &settings).map_err(|e| store_failed(&e))?,
    };
    let checked = settings.endpoint.check(known);
    checked.map_err(|e| fail(Exit::Usage, &e.to_string(), None))?;
    if let Some(kind) = known {
        let id = settings.endpoint.feed_id(kind);
        let before = Mark::end(store, &id).map_err(|e| store_failed(&e))?;
        printer.open(&id, kind, before)?;
        printer.print()?;
        if printer.is_over() && args.send.is_empty() {
            return Ok(Exit::Done);
        }
    }
    let options = Options {
        publish: args.publish.then(|| engine.hub().clone()),
        ..Options::default()
    };
    let watching = Watching::start(store, settings, options).map_err(|e| store_failed(&e))?;
    let heard = network::listen(&printer.endpoint, watching.remote());
    heard.map_err(|e| {
        fail(
            Exit::Usage,
            &format!("cannot listen for the network: {e}"),
            None,
        )
    })?;
    stop_on(signals, &watching, &printer.stopped)?;
    printer.sender = Sender::start(global, &args.send, watching.remote())?;
    let ended = follow(&watching, &mut printer);
    match printer.sender.take().is_none_or(Sender::end) {
        true => ended,
        // What was not sent is said already; a worse end stays.
        false => ended.map(|exit| exit.max(Exit::Usage)),
    }
}

fn follow(watching: &Watching, printer: &mut Printer) -> Result<Exit, Exit> {
    loop {
        match watching.next(printer.patience()) {
            Some(news) => {
                if let Some(exit) = printer.take(news)? {
                    return Ok(exit);
                }
            }
            None => return Ok(Exit::Done),
        }
        if printer.is_over() {
            return Ok(Exit::Done);
        }
    }
}

/// What to follow, and how many of the stored events are shown again.
fn settings(args: &Args) -> Result<(Settings, Option<usize>), Exit> {
    let usage = |message: String| fail(Exit::Usage, &message, None);
    let (endpoint, token) = Endpoint::parse(&args.url).map_err(|e| usage(e.to_string()))?;
    let from_environment = variable(TOKEN_VARIABLE)?.map(|text| text.trim().to_owned());
    let token = token.or(from_environment.filter(|text| !text.is_empty()).map(Secret));
    let mut settings = Settings::new(endpoint, token);
    settings.kind = args.adapter;
    if !args.send.is_empty() {
        // Such a server may say nothing before it is spoken to.
        let kind = args.adapter.unwrap_or(Kind::Typed);
        if !kind.takes_messages() || !settings.endpoint.is_websocket() {
            let why =
                "--send needs a feed of typed messages (--adapter typed) at a ws: or wss: address";
            return Err(usage(why.into()));
        }
        settings.kind = Some(kind);
    }
    let environment = environment::read(variable, usage)?;
    if environment.live == Some(false) {
        let message =
            format!("{LIVE_VARIABLE} switches all live features off, so no feed is followed");
        let hint = format!("Unset {LIVE_VARIABLE} to follow one.");
        return Err(fail(Exit::Usage, &message, Some(&hint)));
    }
    settings.connection.follows_network = !settings.endpoint.is_loopback();
    let transports = Transports::without(&args.without);
    settings.connection.transports = transports.map_err(|e| usage(format!("--without: {e}")))?;
    settings.connection.backoff = environment::backoff(&environment, Reconnecting::default());
    if let Some(text) = variable(RECONNECT_VARIABLE)? {
        settings.connection.reconnects = reconnects(&text).map_err(usage)?;
    }
    Ok((settings, environment.history.map(|limit| limit as usize)))
}

/// Where the latest `limit` events of a feed begin, with the gaps between them.
fn latest(store: &Store, feed: &str, limit: usize) -> Result<Mark, StoreError> {
    // The marks before each of them.
    let mut before = VecDeque::with_capacity(limit.min(PAGE) + 1);
    let mut at = Mark::default();
    loop {
        let page = at.read(store, feed, PAGE)?;
        if page.is_empty() {
            return Ok(before.front().copied().unwrap_or(at));
        }
        for Told { entry, behind } in page {
            if let FeedEntry::Event { .. } = entry {
                before.push_back(at);
                if before.len() > limit {
                    before.pop_front();
                }
            }
            at = behind;
        }
    }
}

/// Ends on SIGINT and SIGTERM.
fn stop_on(signals: Signals, watching: &Watching, stopped: &Arc<AtomicBool>) -> Result<(), Exit> {
    let (stopper, stopped) = (watching.stopper(), Arc::clone(stopped));
    let wait = move || {
        signals.wait();
        stopped.store(true, Ordering::SeqCst);
        stopper.stop();
        // Whoever reads our output may have stopped reading; what was told is on disk already.
        thread::sleep(STOP_MAX);
        std::process::exit(Exit::Done as i32);
    };
    let thread = thread::Builder::new().name("watch-stop".into()).spawn(wait);
    thread
        .map(drop)
        .map_err(|e| fail(Exit::Usage, &format!("cannot wait for signals: {e}"), None))
}

fn store_failed(error: &StoreError) -> Exit {
    fail(Exit::Store, &error.to_string(), Some(error.hint()))
}

/// Prints what is new in the log.
struct Printer<'a> {
    global: &'a Global,
    args: &'a Args,
    store: &'a Store,
    /// Stored events that `--from-start` shows; all without one.
    history: Option<usize>,
    endpoint: Endpoint,
    feed: Option<Feed>,
    printed: u64,
    quiet_since: Instant,
    stopped: Arc<AtomicBool>,
    last_status: Option<(State, u32, Option<String>)>,
    sender: Option<Sender>,
}

/// The feed, once it is known which it is.
struct Feed {
    id: String,
    kind: Kind,
    file: MarkFile,
    /// Where to read on.
    at: Mark,
}

impl Printer<'_> {
    /// What to do about news; an exit to end with.
    fn take(&mut self, news: News) -> Result<Option<Exit>, Exit> {
        match news {
            News::Feed { id, kind, before } => {
                self.open(&id, kind, before)?;
                // What is stored after that has news of its own, behind the connection's.
                if self.feed.as_ref().is_some_and(|feed| feed.at < before) {
                    self.print()?;
                }
            }
            News::Stored(_) => self.print()?,
            News::Status(status) => {
                self.status(&status)?;
                if let Some(sender) = &self.sender {
                    sender.connected(status.state == State::Connected);
                }
                // A refusal is told with its reason when the feed ends.
                if status.state == State::Disconnected {
                    return Err(self.given_up(&status));
                }
            }
            News::Quarantined(reason) => {
                self.note(&format!(
                    "a message cannot be read and was set aside: {reason}"
                ));
            }
            News::Notice(text) => self.note(&text),
            News::Delayed(_) | News::CaughtUp => {}
            News::Outbox(told) => self.outbox(&told)?,
            News::Sent { id, outcome } => {
                self.quiet_since = Instant::now();
                if let Some(sender) = &self.sender {
                    sender.answered(id, outcome);
                }
            }
            News::Stop => return Ok(Some(Exit::Done)),
            News::Ended(Ended::Refused(why)) => {
                let hint = "Set GHOSTLIGHT_FEED_TOKEN to the feed's token, or give it as ws://:TOKEN@host/.";
                return Err(fail(
                    Exit::Usage,
                    &format!("{}: {why}", self.endpoint),
                    Some(hint),
                ));
            }
            News::Ended(Ended::Version(why)) => {
                let hint =
                    "Update Ghostlight here or on the server, so that both speak the same version.";
                return Err(fail(
                    Exit::Usage,
                    &format!("{}: {why}", self.endpoint),
                    Some(hint),
                ));
            }
            News::Ended(Ended::Memory(why)) => return Err(fail(Exit::Store, &why, None)),
            News::Ended(Ended::Settings(why) | Ended::Token(why)) => {
                return Err(fail(Exit::Usage, &why, None));
            }
            News::Ended(Ended::Fault(why)) => {
                return Err(fail(
                    Exit::Usage,
                    &format!("{}: {why}", self.endpoint),
                    None,
                ));
            }
            News::Ended(Ended::Stopped) => return Ok(Some(Exit::Done)),
            News::Failed(error) => return Err(store_failed(&error)),
        }
        Ok(None)
    }

    fn open(&mut self, id: &str, kind: Kind, before: Mark) -> Result<(), Exit> {
        if self.feed.as_ref().is_some_and(|feed| feed.id == id) {
            return Ok(());
        }
        let file = MarkFile::open(self.store, id, before).map_err(|e| store_failed(&e))?;
        let at = match (self.args.from_start, self.history) {
            (true, Some(limit)) => latest(self.store, id, limit).map_err(|e| store_failed(&e))?,
            (true, None) => Mark::default(),
            (false, _) => file.mark(),
        };
        self.feed = Some(Feed {
            id: id.to_owned(),
            kind,
            file,
            at,
        });
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
            || self.args.count.is_some_and(|count| self.printed >= count)
    }

    /// How long to wait for news before the silence has lasted.
    fn patience(&self) -> Option<Duration> {
        let idle = self.args.idle?;
        Some(idle.saturating_sub(self.quiet_since.elapsed()))
    }

    /// Everything behind the mark.
    fn print(&mut self) -> Result<(), Exit> {
        let Some(feed) = &mut self.feed else {
            return Ok(());
        };
        let mut out = Pieces::default();
        loop {
            let page = feed
                .at
                .read(self.store, &feed.id, PAGE)
                .map_err(|e| store_failed(&e))?;
            if page.is_empty() {
                return Ok(());
            }
            for Told { entry, behind } in page {
                feed.at = behind;
                if self.endpoint.takes(feed.kind, entry.stream()) {
                    let line = match self.global.json {
                        true => json_line(&entry),
                        false => text_line(&entry),
                    };
                    if let FeedEntry::Event { .. } = entry {
                        self.printed += 1;
                        self.quiet_since = Instant::now();
                    }
                    out.add(&line, behind, feed)?;
                } else {
                    out.behind = behind;
                }
                let enough = self.args.count.is_some_and(|count| self.printed >= count);
                if enough || self.stopped.load(Ordering::SeqCst) {
                    return out.write(feed);
                }
            }
            out.write(feed)?;
        }
    }

    fn status(&mut self, status: &Status) -> Result<(), Exit> {
        let connected = matches!(status.state, State::Connected | State::Polling);
        let error = status.last_error.as_ref().filter(|_| !connected);
        let error = error.map(told);
        let now = (status.state, status.attempt, error);
        if self.last_status.as_ref() == Some(&now) {
            return Ok(());
        }
        let (state, attempt, error) = &now;
        let state = state_word(*state);
        let transport = status.transport.word();
        if self.global.json {
            let line = json!({
                "type": "status", "state": state, "attempt": attempt, "error": error, "transport": transport,
            });
            write_all(format!("{line}\n").as_bytes())?;
        } else {
            let why = error
                .as_ref()
                .map(|error| format!(": {error}"))
                .unwrap_or_default();
            let attempt = if *attempt > 1 {
                format!(", attempt {attempt}")
            } else {
                String::new()
            };
            self.note(&format!("{state} ({transport}{attempt}){why}"));
        }
        self.last_status = Some(now);
        Ok(())
    }

    fn outbox(&mut self, told: &outbox::Told) -> Result<(), Exit> {
        use outbox::Told;
        let (line, note) = match told {
            Told::Delivered { entry, accepted } => {
                self.quiet_since = Instant::now();
                let line = json!({
                    "type": "published", "stream": entry.stream, "key": accepted.key, "epoch": accepted.epoch,
                    "first_offset": accepted.first_offset, "last_offset": accepted.last_offset,
                });
                (Some(line), format!("published: {}", entry.what))
            }
            Told::Held { key, entry, held } => {
                let line = json!({
                    "type": "held", "stream": entry.stream, "key": key, "code": held.code, "message": held.message,
                });
                let note = format!(
                    "refused by the hub and held: {}: {}",
                    entry.what, held.message
                );
                (Some(line), note)
            }
            Told::Retrying(list) => match list.first() {
                Some(first) => {
                    let count = list.len();
                    (
                        None,
                        format!(
                            "not taken now ({count} to be sent again): {}",
                            first.message
                        ),
                    )
                }
                None => return Ok(()),
            },
            Told::NotQueued(why) => (None, why.to_string()),
            // Nobody decides here.
            Told::Released { .. } | Told::Discarded { .. } | Told::CannotDiscard { .. } => {
                return Ok(());
            }
        };
        match line.filter(|_| self.global.json) {
            Some(line) => write_all(format!("{line}\n").as_bytes()),
            None => {
                self.note(&note);
                Ok(())
            }
        }
    }

    /// Only without reconnecting: a client that runs is disconnected by nothing else.
    fn given_up(&self, status: &Status) -> Exit {
        let why = status.last_error.as_ref();
        let why = why.map_or_else(|| "there is no network".to_owned(), told);
        let message = format!("{}: {why}", self.endpoint);
        let hint = format!("{RECONNECT_VARIABLE} is off, so it is not tried again.");
        fail(Exit::Usage, &message, Some(&hint))
    }

    fn note(&self, text: &str) {
        if !self.global.quiet {
            // Nobody reads it: then it need not be said.
            let _ = writeln!(io::stderr(), "ghostlight: {}", shown(text));
        }
    }
}

/// A failure in words, and the way out where it is one of ours.
fn told(failure: &Failure) -> String {
    match failure.class {
        FailureClass::Unwelcome => format!(
            "{}; if it is no Ghostlight hub, name the system with --adapter workflow, typed or sse",
            failure.message
        ),
        _ => failure.message.clone(),
    }
}

fn state_word(state: State) -> &'static str {
    match state {
        State::Disconnected | State::Refused => "disconnected",
        State::Connecting => "connecting",
        State::Connected => "connected",
        State::Polling => "polling",
        State::Reconnecting => "reconnecting",
        State::Offline => "offline",
    }
}

/// Lines on their way to standard output, and the mark behind them.
#[derive(Default)]
struct Pieces {
    text: Vec<u8>,
    behind: Mark,
}

impl Pieces {
    fn add(&mut self, line: &str, behind: Mark, feed: &mut Feed) -> Result<(), Exit> {
        if self.text.len() + line.len() >= PIECE_BYTES {
            self.write(feed)?;
        }
        self.text.extend_from_slice(line.as_bytes());
        self.text.push(b'\n');
        self.behind = behind;
        Ok(())
    }

    /// Writes, then moves the mark; so a kill between repeats a piece at worst, and loses none.
    fn write(&mut self, feed: &mut Feed) -> Result<(), Exit> {
        if !self.text.is_empty() {
            write_all(&self.text)?;
            self.text.clear();
        }
        // Printing the stored part again moves nothing.
        if self.behind > feed.file.mark() {
            feed.file.set(self.behind).map_err(|e| store_failed(&e))?;
        }
        Ok(())
    }
}
