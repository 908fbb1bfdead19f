//! The feeds that are switched on: each is followed on a thread of its own for as long as the application runs.
//!
//! [`Monitor`] starts and stops them as they are set up, changed and removed; what they tell goes onto their
//! [`Board`], and the window is pinged. Everything shown is read from the store and the boards: nothing is handed on
//! from memory that is not on disk. Whether any is followed at all is said by [`live`]; what a person sets of one is read
//! by [`form`]; what becomes of what it tells is in [`news`].

mod form;
mod live;
mod news;

use crate::{
    attend::Attending,
    board::Board,
    desk::Desk,
    digest::{Digests, Shown},
    feeds::{
        Options, Remote, Tokens, Watching,
        feed::{Command, Endpoint, Kind, Settings},
        guarded,
    },
    host::Host,
    outbox::{self, Waiting},
    secrets::Secrets,
    sending::{Sending, not_sent},
    store_error,
};
use form::{read_form, transports_of, without};
use ghostlight_api::{
    ApiError, ErrorCode,
    command::FeedForm,
    live::{Environment, LiveSwitch},
    view::{FeedHealth, FeedRow, LinkState, LinkView, TokenPlace},
};
use ghostlight_hub::Hub;
use ghostlight_model::{Micros, StreamId, message::Message, sentence};
use ghostlight_store::{Feed, FeedSettings, OutboxCounts, Store, StoreError, read::Rows};
use ghostlight_sync::{frame::Secret, reception::Completeness};
pub(crate) use live::Live;
use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// What the environment says about feeds (SPEC C13); the shell reads it.
#[derive(Clone, Default)]
pub struct FeedDefaults {
    /// A feed to follow beside those that are set up.
    pub url: Option<String>,
    /// Its token.
    pub token: Option<String>,
    /// What goes before the settings.
    pub environment: Environment,
    /// A failed try, or the end of a connection, is not followed by another try until somebody asks for it.
    pub stays_off: bool,
}

impl fmt::Debug for FeedDefaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Address and token may be secrets.
        f.debug_struct("FeedDefaults")
            .field("environment", &self.environment)
            .field("stays_off", &self.stays_off)
            .finish_non_exhaustive()
    }
}

impl FeedDefaults {
    /// The token for the feed at an address; one in the address goes before the variable.
    fn token_for(&self, url: &str) -> Option<Secret> {
        let (named, in_url) = parse(self.url.as_deref()?).ok()?;
        let (asked, _) = parse(url).ok()?;
        let token = || self.token.clone().map(Secret);
        (named.url() == asked.url()).then(|| in_url.or_else(token))?
    }
}

/// The token of a feed: what is kept, else what the environment gave.
struct FeedTokens {
    feed: i64,
    secrets: Secrets,
    environments: Option<Secret>,
    /// A keychain that does not answer keeps no engine open.
    shared: Weak<Shared>,
}

impl Tokens for FeedTokens {
    fn token(&self) -> Result<Option<Secret>, String> {
        let kept = self.secrets.get(self.feed).map_err(|error| {
            let hint = error.hint.unwrap_or_default();
            format!("{} {hint}", error.message)
        })?;
        Ok(kept.or_else(|| self.environments.clone()))
    }

    fn settle(&self) {
        let before = self.secrets.place(self.feed);
        self.secrets.settle(self.feed);
        if before != self.secrets.place(self.feed)
            && let Some(shared) = self.shared.upgrade()
        {
            shared.ping();
        }
    }
}

/// See the module.
pub(crate) struct Monitor {
    shared: Arc<Shared>,
    running: Mutex<BTreeMap<i64, Running>>,
    /// Held while feeds are started and stopped: commands come in parallel, and a feed is followed once.
    changing: Mutex<()>,
}

struct Shared {
    hub: Hub,
    store: Store,
    host: Arc<dyn Host>,
    desk: Arc<Mutex<Desk>>,
    attending: Arc<Attending>,
    secrets: Secrets,
    /// What the OS said last.
    online: AtomicBool,
    boards: Mutex<BTreeMap<i64, Board>>,
    digests: Mutex<Digests>,
    /// An absence shorter than this makes no digest, only a message.
    digest_after: Duration,
    trouble: Mutex<Option<String>>,
    defaults: Mutex<FeedDefaults>,
    live: Mutex<Live>,
    sending: Sending,
}

/// A feed, as a list of runs needs it.
pub(crate) struct Source {
    pub id: i64,
    pub name: String,
    pub origin: Option<String>,
    /// Whether it is followed, connected or not.
    pub enabled: bool,
    /// Whether completeness can be proven for it; `None` until its system is known.
    pub proven: Option<bool>,
    pub link: LinkView,
}

struct Running {
    remote: Option<Remote>,
    thread: Option<JoinHandle<()>>,
}

impl Monitor {
    pub fn new(
        hub: Hub,
        host: Arc<dyn Host>,
        desk: Arc<Mutex<Desk>>,
        attending: Arc<Attending>,
        secrets: Secrets,
        digest_after: Duration,
        live: Live,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                store: hub.store().clone(),
                hub,
                host,
                desk,
                attending,
                secrets,
                online: AtomicBool::new(true),
                boards: Mutex::default(),
                digests: Mutex::default(),
                digest_after,
                trouble: Mutex::default(),
                defaults: Mutex::default(),
                live: Mutex::new(live),
                sending: Sending::default(),
            }),
            running: Mutex::default(),
            changing: Mutex::default(),
        }
    }

    /// Follows every feed that is switched on, and the environment's; none while live features are off.
    pub fn start(&self, defaults: FeedDefaults) -> Result<(), ApiError> {
        let _changing = lock(&self.changing);
        *lock(&self.shared.defaults) = defaults.clone();
        self.shared.set_paces();
        let set_up = match &defaults.url {
            Some(url) => self.set_up_from_environment(url),
            None => Ok(()),
        };
        // What is wrong with the environment keeps no other feed from being followed.
        self.follow_all()?;
        if let Err(error) = &set_up {
            *lock(&self.shared.trouble) = Some(error.message.clone());
        }
        set_up
    }

    /// Each feed that is switched on, anew; none while live features are off.
    fn follow_all(&self) -> Result<(), ApiError> {
        if self.live() != LiveSwitch::On {
            return Ok(());
        }
        for feed in self.shared.store.feeds().map_err(|e| store_error(&e))? {
            if feed.settings.enabled {
                self.stop(feed.id);
                self.follow(feed);
            }
        }
        Ok(())
    }

    /// What the environment says in place of the settings.
    pub fn environment(&self) -> Environment {
        lock(&self.shared.defaults).environment
    }

    /// What is wrong with what the environment says, if anything is.
    pub fn trouble(&self) -> Option<String> {
        lock(&self.shared.trouble).clone()
    }

    /// A feed named by the environment is set up once, and switched on each time.
    fn set_up_from_environment(&self, url: &str) -> Result<(), ApiError> {
        let (endpoint, _) = parse(url)?;
        let store = &self.shared.store;
        let known = store.feed_at(endpoint.url().as_str());
        let known = known.map_err(|e| store_error(&e))?;
        match known {
            Some(feed) if feed.settings.enabled => Ok(()),
            Some(feed) => {
                let on = FeedSettings {
                    enabled: true,
                    ..feed.settings
                };
                let changed = store.change_feed(feed.id, on);
                changed.wait().map_err(|e| store_error(&e))
            }
            None => {
                let settings = FeedSettings {
                    name: host_name(&endpoint),
                    url: endpoint.url().to_string(),
                    kind: None,
                    enabled: true,
                    publish: false,
                    transport: None,
                    refresh_ms: None,
                };
                let added = store.add_feed(settings, self.shared.host.now());
                added.wait().map(drop).map_err(|e| store_error(&e))
            }
        }
    }

    /// Sets up a feed.
    pub fn add(&self, form: FeedForm) -> Result<i64, ApiError> {
        let (settings, token) = read_form(&form)?;
        let added = self.shared.store.add_feed(settings, self.shared.host.now());
        let id = added.wait().map_err(|e| store_error(&e))?;
        if let Err(error) = self.shared.keep(id, token) {
            // As if it had not been asked for: what was typed still stands in the form.
            let removed = self.shared.store.remove_feed(id).wait();
            removed.map_err(|e| store_error(&e))?;
            return Err(error);
        }
        let _changing = lock(&self.changing);
        self.restart(id)?;
        Ok(id)
    }

    /// Changes a feed.
    pub fn change(&self, id: i64, form: FeedForm) -> Result<(), ApiError> {
        let (settings, token) = read_form(&form)?;
        // Nothing else is held while the keychain is asked: other feeds can be changed meanwhile.
        let changing = lock(&self.changing);
        let before = self.shared.store.feed(id).map_err(|e| store_error(&e))?;
        let moved = match &before {
            Some(feed) => is_another_server(&feed.settings.url, &settings.url)?,
            None => false,
        };
        if moved {
            // A token is for the server it was given for.
            self.stop(id);
            self.shared.secrets.forget(id)?;
        }
        let changed = self.shared.store.change_feed(id, settings);
        changed.wait().map_err(|e| store_error(&e))?;
        drop(changing);
        let kept = self.shared.keep(id, token);
        let _changing = lock(&self.changing);
        self.restart(id)?;
        kept
    }

    /// Removes a feed and its token.
    pub fn remove(&self, id: i64) -> Result<(), ApiError> {
        let _changing = lock(&self.changing);
        // It must not write itself into the store again.
        self.stop(id);
        let removed = self.shared.store.remove_feed(id).wait();
        if let Err(error) = removed {
            self.restart(id)?;
            return Err(store_error(&error));
        }
        lock(&self.shared.boards).remove(&id);
        self.shared.set_paces();
        self.shared.secrets.forget(id)?;
        let secrets = self.shared.secrets.clone();
        let thread = thread::Builder::new().name("keychain-sweep".into());
        // The next one to ask the keychain does it otherwise.
        drop(thread.spawn(move || secrets.settle(id)));
        Ok(())
    }

    /// Does not wait for the next try; a feed that ended is followed again. Refused while live features are off.
    pub fn reconnect(&self, id: Option<i64>) -> Result<(), ApiError> {
        let _changing = lock(&self.changing);
        live::check_on(self.live())?;
        let feeds = self.shared.store.feeds().map_err(|e| store_error(&e))?;
        let wanted = feeds
            .into_iter()
            .filter(|feed| feed.settings.enabled && id.is_none_or(|id| feed.id == id));
        for feed in wanted {
            let state = self.shared.link_state(feed.id);
            match state {
                Some(
                    LinkState::Refused | LinkState::Stopped | LinkState::Off | LinkState::LiveOff,
                )
                | None => {
                    self.stop(feed.id);
                    self.follow(feed);
                }
                Some(_) => self.tell(feed.id, Command::ReconnectNow),
            }
        }
        Ok(())
    }

    /// Sends a person's message to a feed, and waits until the system has taken it.
    pub fn send(&self, id: i64, message: Message) -> Result<(), ApiError> {
        let remote = self.remote(id);
        let outcome = self.shared.sending.send(id, remote, message.clone());
        let problem = outcome.err();
        let now = self.shared.host.now();
        self.shared.on_board(id, |board| {
            board.sent(&message, problem.clone(), now);
            None
        });
        self.shared.ping();
        problem.map_or(Ok(()), |why| Err(not_sent(&why)))
    }

    /// The OS says whether there is a network.
    pub fn network(&self, online: bool) {
        self.shared.online.store(online, Ordering::SeqCst);
        let ids: Vec<i64> = lock(&self.running).keys().copied().collect();
        for id in ids {
            self.tell(id, Command::Network { online });
        }
    }

    /// What waits for a feed's hub, oldest first, and the hub's name.
    pub fn waiting(&self, id: i64, (start, len): (u32, u32)) -> Result<Rows<Waiting>, StoreError> {
        let Some(hub) = self.hub_of(id)? else {
            return Ok(Rows {
                total: 0,
                rows: Vec::new(),
            });
        };
        let remote = self.remote(id);
        let running = remote.as_ref().and_then(Remote::outbox);
        outbox::page(&self.shared.store, &hub, start, len, running)
    }

    /// Lets an entry of the outbox be sent again.
    pub fn retry(&self, id: i64, key: &str) -> Result<(), ApiError> {
        self.decide(id, key, outbox::retry)
    }

    /// Deletes an entry of the outbox.
    pub fn discard(&self, id: i64, key: &str) -> Result<(), ApiError> {
        self.decide(id, key, outbox::discard)
    }

    fn decide(
        &self,
        id: i64,
        key: &str,
        decide: fn(&Store, &str, &str, Option<&outbox::Running>) -> Result<(), StoreError>,
    ) -> Result<(), ApiError> {
        let hub = self.hub_of(id).map_err(|e| store_error(&e))?;
        let hub = hub.ok_or_else(|| {
            ApiError::new(
                ErrorCode::NotFound,
                format!("Feed {id} is not set up."),
                "Choose another entry of the outbox.",
            )
        })?;
        let remote = self.remote(id);
        let running = remote.as_ref().and_then(Remote::outbox);
        decide(&self.shared.store, &hub, key, running).map_err(|e| store_error(&e))
    }

    /// The name under which the store knows a feed's hub.
    fn hub_of(&self, id: i64) -> Result<Option<String>, StoreError> {
        let feed = self.shared.store.feed(id)?;
        Ok(feed.and_then(|feed| feed.stored_as().map(str::to_owned)))
    }

    fn remote(&self, id: i64) -> Option<Remote> {
        lock(&self.running).get(&id)?.remote.clone()
    }

    /// The oldest digest that was not put away yet.
    pub fn digest(&self) -> Option<Shown> {
        lock(&self.shared.digests).shown()
    }

    /// Puts a digest away; the next one is shown.
    pub fn dismiss(&self, id: u64) {
        lock(&self.shared.digests).put_away(id);
        self.shared.ping();
    }

    /// All feeds, with their connections and what waits for them.
    pub fn rows(&self) -> Result<Vec<FeedRow>, StoreError> {
        let defaults = lock(&self.shared.defaults).clone();
        let rows = self.linked(|feed, board, link, now| {
            let waiting = match feed.stored_as() {
                Some(hub) => outbox::counts(&self.shared.store, hub)?,
                None => OutboxCounts::default(),
            };
            let mut traffic = board.traffic(now);
            (traffic.waiting, traffic.held) = (waiting.waiting, waiting.held);
            let FeedSettings {
                name,
                url,
                kind,
                enabled,
                publish,
                transport,
                refresh_ms,
            } = feed.settings;
            Ok(FeedRow {
                proven: is_proven(kind.as_deref()),
                token: match self.shared.secrets.place(feed.id) {
                    TokenPlace::None if defaults.token_for(&url).is_some() => {
                        TokenPlace::Environment
                    }
                    place => place,
                },
                link,
                traffic,
                takes_messages: takes_messages(kind.as_deref(), &url),
                sent: board.sent_rows(),
                id: feed.id,
                name,
                url,
                kind,
                origin: feed.origin,
                enabled,
                publish,
                without: without(transport.as_deref()),
                refresh_ms,
            })
        })?;
        rows.into_iter().collect()
    }

    /// All feeds, as a list of runs needs them.
    pub fn sources(&self) -> Result<Vec<Source>, StoreError> {
        let live = self.live() == LiveSwitch::On;
        self.linked(|feed, _, link, _| Source {
            id: feed.id,
            proven: feed
                .settings
                .kind
                .as_deref()
                .map(|kind| is_proven(Some(kind))),
            name: feed.settings.name,
            enabled: feed.settings.enabled && live,
            origin: feed.origin,
            link,
        })
    }

    /// Since when a stream of a feed has been silent here: see [`Board::silent_since`].
    pub fn silent_since(&self, feed: i64, stream: &StreamId, told: Micros) -> Micros {
        let boards = lock(&self.shared.boards);
        boards
            .get(&feed)
            .map_or(told, |board| board.silent_since(stream, told))
    }

    /// The feeds that are followed, as the indicator needs them.
    pub fn health(&self) -> Result<Vec<FeedHealth>, StoreError> {
        let sources = self.sources()?.into_iter().filter(|feed| feed.enabled);
        let health = sources.map(|feed| FeedHealth {
            id: feed.id,
            name: feed.name,
            link: feed.link,
        });
        Ok(health.collect())
    }

    /// Each feed with its board, also where it is not followed.
    fn linked<T>(
        &self,
        read: impl Fn(Feed, &Board, LinkView, Micros) -> T,
    ) -> Result<Vec<T>, StoreError> {
        let now = self.shared.host.now();
        let feeds = self.shared.store.feeds()?;
        let boards = lock(&self.shared.boards);
        let read = feeds.into_iter().map(|feed| {
            let since = feed.last_connected.unwrap_or(feed.added);
            let idle = Board::new(since, false, feed.last_connected);
            let board = boards.get(&feed.id).unwrap_or(&idle);
            let link = board.link(now);
            let link = self.shared.link_or_off(feed.settings.enabled, link);
            read(feed, board, link, now)
        });
        Ok(read.collect())
    }

    fn tell(&self, id: i64, command: Command) {
        if let Some(remote) = lock(&self.running)
            .get(&id)
            .and_then(|running| running.remote.as_ref())
        {
            remote.command(command);
        }
    }

    fn restart(&self, id: i64) -> Result<(), ApiError> {
        self.stop(id);
        self.shared.set_paces();
        let feed = self.shared.store.feed(id).map_err(|e| store_error(&e))?;
        let live = self.live() == LiveSwitch::On;
        match feed.filter(|feed| feed.settings.enabled && live) {
            Some(feed) => self.follow(feed),
            None => {
                lock(&self.shared.boards).remove(&id);
                self.shared.ping();
            }
        }
        Ok(())
    }

    fn stop(&self, id: i64) {
        let running = lock(&self.running).remove(&id);
        if let Some(running) = running {
            running.stop();
        }
    }

    /// Follows a feed; a fault is on its board, not an error of whoever asked.
    fn follow(&self, feed: Feed) {
        let now = self.shared.host.now();
        let board = Board::new(now, true, feed.last_connected);
        lock(&self.shared.boards).insert(feed.id, board);
        lock(&self.shared.desk).sources_changed();
        let id = feed.id;
        match self.watch(feed) {
            Ok(running) => {
                let before = lock(&self.running).insert(id, running);
                before.map(Running::stop).unwrap_or_default();
            }
            Err(error) => self.shared.end(id, LinkState::Stopped, Some(error.message)),
        }
        self.shared.ping();
    }

    fn watch(&self, feed: Feed) -> Result<Running, ApiError> {
        let settings = self.shared.settings(&feed)?;
        let options = Options {
            publish: feed.settings.publish.then(|| self.shared.hub.clone()),
            tokens: Some(Arc::new(FeedTokens {
                feed: feed.id,
                secrets: self.shared.secrets.clone(),
                environments: lock(&self.shared.defaults).token_for(&feed.settings.url),
                shared: Arc::downgrade(&self.shared),
            })),
        };
        let watching =
            Watching::start(&self.shared.store, settings, options).map_err(|e| store_error(&e))?;
        let remote = watching.remote();
        if !self.shared.online.load(Ordering::SeqCst) {
            remote.command(Command::Network { online: false });
        }
        let shared = Arc::clone(&self.shared);
        let thread = thread::Builder::new()
            .name(format!("monitor-{}", feed.id))
            .spawn(move || {
                if let Err(why) = guarded(|| shared.serve(&feed, &watching)) {
                    shared.end(feed.id, LinkState::Stopped, Some(sentence(&why)));
                }
            })
            .map_err(|e| ApiError::internal(format!("a thread for the feed: {e}")))?;
        Ok(Running {
            remote: Some(remote),
            thread: Some(thread),
        })
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        for (_, running) in std::mem::take(&mut *lock(&self.running)) {
            running.stop();
        }
    }
}

impl Running {
    fn stop(mut self) {
        if let Some(remote) = self.remote.take() {
            remote.stop();
        }
        if let Some(thread) = self.thread.take() {
            // One that panicked has ended as well.
            let _ = thread.join();
        }
    }
}

impl Shared {
    /// Keeps a feed's token, if one was given.
    fn keep(&self, id: i64, token: Option<String>) -> Result<(), ApiError> {
        match token {
            Some(token) => self.secrets.put(id, &token),
            None => Ok(()),
        }
    }

    fn settings(&self, feed: &Feed) -> Result<Settings, ApiError> {
        let (endpoint, _) = parse(&feed.settings.url)?;
        let defaults = lock(&self.defaults).clone();
        let mut settings = Settings::new(endpoint, None);
        settings.kind = feed.settings.kind.as_deref().and_then(Kind::of_word);
        settings.connection.follows_network = !settings.endpoint.is_loopback();
        settings.connection.reconnects = !defaults.stays_off;
        let without = transports_of(&without(feed.settings.transport.as_deref()))?;
        settings.connection.transports = without;
        settings.connection.backoff = self.backoff();
        Ok(settings)
    }
}

fn is_proven(kind: Option<&str>) -> bool {
    let kind = kind.and_then(Kind::of_word);
    kind.is_some_and(|kind| kind.completeness() == Completeness::Provable)
}

/// Only a WebSocket carries them.
fn takes_messages(kind: Option<&str>, url: &str) -> bool {
    let kind = kind.and_then(Kind::of_word);
    kind.is_some_and(Kind::takes_messages)
        && parse(url).is_ok_and(|(endpoint, _)| endpoint.is_websocket())
}

fn is_another_server(before: &str, now: &str) -> Result<bool, ApiError> {
    let (before, now) = (parse(before)?.0, parse(now)?.0);
    Ok(before.url().origin() != now.url().origin())
}

fn parse(url: &str) -> Result<(Endpoint, Option<Secret>), ApiError> {
    Endpoint::parse(url).map_err(|e| {
        ApiError::new(
            ErrorCode::Input,
            e.to_string(),
            "Give the address as its server names it, for example ws://127.0.0.1:7300/v1.",
        )
    })
}

fn host_name(endpoint: &Endpoint) -> String {
    let url = endpoint.url();
    let host = url.host_str().unwrap_or("feed");
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// What a panicking holder left is whole: boards change in single steps.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
