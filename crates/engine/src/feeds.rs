//! Feeds: what a [`ghostlight_feed::Client`] receives goes into the store, and from there to whoever follows.
//!
//! [`Watching::start`] runs a feed on two threads, one for its sockets and one that stores. Nothing is handed on from
//! memory: a follower is told that something is durable, and reads the feed's log from its own [`Mark`]. So what it
//! sees is exactly what is on disk, in the same order, whatever was killed in between.
//!
//! A hub may be published to as well ([`Options::publish`]): then a third thread queues our finished runs, and the one
//! that stores does on disk what the client's outbox says ([`crate::outbox`]), so that sockets never wait for the disk.

mod told;

pub use crate::delays::Delays;
use crate::{
    StoreError,
    host::wall_clock,
    outbox::{Changing, Entries, Queueing, Running, Told as OutboxTold},
};
pub use ghostlight_feed as feed;
use ghostlight_feed::{
    Client, Command, Cursor, Ended, Item, Kind, Memory, Recalled, Secret, Settings, Update,
    backoff::Backoff, connection::Status, outbox,
};
use ghostlight_hub::{Hub, Waker};
use ghostlight_model::message::Message;
pub use ghostlight_store::{FeedEntry, Store};
use ghostlight_store::{LogEvent, Pending, Received, ReceivedCount};
use ghostlight_sync::{Millis, frame::Position};
use std::{
    collections::VecDeque,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};
use tokio::sync::{
    mpsc::{self, error::TrySendError},
    oneshot,
};
pub use told::{Mark, MarkFile, Told, json_line, text_line};

/// Batches between the sockets and the store; when they are full, sockets are not read.
const UPDATES_MAX: usize = 4;
/// Batches that are on their way to the disk at a time; the store's writer folds them into one transaction.
const STORING_MAX: usize = 4;
/// News that nobody took yet; beyond, nothing more is stored until somebody does.
const NEWS_MAX: usize = 64;
/// Events of the log read at a time.
const LOG_PAGE: usize = 512;
/// Commands that wait; further ones are dropped, since the same is wanted already, and a further message is refused.
const COMMANDS_MAX: usize = 16;

/// What happens to a feed, in order.
#[derive(Debug)]
pub enum News {
    /// It is known which feed it is, and under which name it is stored.
    Feed {
        /// Its name in the store.
        id: String,
        /// Which system.
        kind: Kind,
        /// Behind what was stored of it before this client stored anything.
        before: Mark,
    },
    /// Something new is durable; read it from the log.
    Stored(ReceivedCount),
    /// How long the events just stored took to come here, as far as they say when they happened.
    Delayed(Delays),
    /// The connection changed.
    Status(Status),
    /// A message was kept in quarantine, for this reason.
    Quarantined(String),
    /// A person should see this.
    Notice(String),
    /// All that the server had when we connected is durable.
    CaughtUp,
    /// Something happened to what is published there.
    Outbox(OutboxTold),
    /// What became of a message that was sent by [`Remote::send`].
    Sent {
        /// As it was sent.
        id: u64,
        /// The system took it for the server; or why not, in a sentence.
        outcome: Result<(), String>,
    },
    /// The client ended.
    Ended(Ended),
    /// The store failed, and the feed is stopped.
    Failed(StoreError),
    /// [`Stopper::stop`] was called.
    Stop,
}

/// What following a feed does beside receiving.
#[derive(Clone, Default)]
pub struct Options {
    /// The data folder whose own runs are sent there as they end, and those that ended before and never were. Only a
    /// hub takes them: any other feed ends with [`Ended::Settings`].
    pub publish: Option<Hub>,
    /// Where the feed's token is asked for, and asked for again. Without it [`Settings::token`] is all there is.
    pub tokens: Option<Arc<dyn Tokens>>,
}

/// Where a feed's token is kept. Asked on a thread of its own.
pub trait Tokens: Send + Sync {
    /// The token, if there is one; or why it cannot be had, in sentences. May block.
    fn token(&self) -> Result<Option<Secret>, String>;

    /// Called after each answer, when it was handed on. May block.
    fn settle(&self) {}
}

/// The kind of feed at an address, if it was found out or named before.
pub fn remembered(store: &Store, settings: &Settings) -> Result<Option<Kind>, StoreError> {
    let feed = store.feed_at(settings.endpoint.url().as_str())?;
    let word = feed.and_then(|feed| feed.settings.kind);
    Ok(word.and_then(|word| Kind::of_word(&word)))
}

/// A feed that is followed. Dropping it ends the connection and waits for that; what was told as stored is durable.
pub struct Watching {
    /// Always there, until this is dropped.
    news: Option<Receiver<News>>,
    /// Ends the client when it is dropped.
    running: Option<oneshot::Sender<()>>,
    threads: Vec<JoinHandle<()>>,
    tell: SyncSender<News>,
    commands: mpsc::Sender<Command>,
    stopped: Arc<AtomicBool>,
    begun: Instant,
    outbox: Option<Running>,
}

/// What other threads may do with a feed that is followed.
#[derive(Debug, Clone)]
pub struct Remote {
    commands: mpsc::Sender<Command>,
    stopper: Stopper,
    outbox: Option<Running>,
}

impl Remote {
    /// Tells the connection something. One too many is dropped: the same is wanted already.
    pub fn command(&self, command: Command) {
        let _ = self.commands.try_send(command);
    }

    /// Sets the waits between two tries. `false` if too much waits already, and it will not know of them; one that has
    /// ended need not.
    pub fn wait_by(&self, backoff: Backoff) -> bool {
        let sent = self.commands.try_send(Command::Backoff(backoff));
        !matches!(sent, Err(TrySendError::Full(_)))
    }

    /// Sends a message to a feed that takes some; [`News::Sent`] with this number says what became of it. An error, in a
    /// sentence, is all that is said.
    pub fn send(&self, id: u64, message: Message) -> Result<(), String> {
        let sent = self.commands.try_send(Command::Send { id, message });
        sent.map_err(|e| match e {
            TrySendError::Full(_) => "Not sent: too much waits for the connection.".into(),
            TrySendError::Closed(_) => "Not sent: the feed is not connected.".into(),
        })
    }

    /// Adds [`News::Stop`] to the news.
    pub fn stop(&self) {
        self.stopper.stop();
    }

    /// For what a person decides about the outbox, where finished runs are sent.
    pub fn outbox(&self) -> Option<&Running> {
        self.outbox.as_ref()
    }
}

/// Wakes whoever waits for [`Watching::next`].
#[derive(Debug, Clone)]
pub struct Stopper {
    news: SyncSender<News>,
    stopped: Arc<AtomicBool>,
}

impl Stopper {
    /// The next news are [`News::Stop`], whatever else waits.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
        // Only to wake whoever waits; when they are full nobody does.
        let _ = self.news.try_send(News::Stop);
    }
}

impl Watching {
    /// Connects in the background and stores what comes. A kind that is not given is taken from the last time, or
    /// found out.
    ///
    /// # Errors
    /// If the store cannot be read, or no thread can be started.
    pub fn start(
        store: &Store,
        mut settings: Settings,
        options: Options,
    ) -> Result<Self, StoreError> {
        if settings.kind.is_none() {
            settings.kind = remembered(store, &settings)?;
        }
        let publishes = options.publish.is_some();
        settings.outbox = publishes.then(outbox::Limits::default);
        settings.asks_for_token = options.tokens.is_some();
        let (tell, news) = sync_channel(NEWS_MAX);
        let (commands, commanded) = mpsc::channel(COMMANDS_MAX);
        let (updates, updated) = mpsc::channel(UPDATES_MAX);
        let memory = Stored {
            store: store.clone(),
            settings: settings.clone(),
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let trouble = |e: io::Error| StoreError::Io {
            path: store.path().to_owned(),
            detail: format!("no thread for the feed: {e}"),
        };
        let runtime = runtime.map_err(trouble)?;
        let (running, stopped) = oneshot::channel();
        let (ending, ended) = std::sync::mpsc::channel();
        let client_settings = settings.clone();
        let receive = move || {
            let client = Client::run(client_settings, memory, updates, commanded);
            let ended = guarded(|| {
                runtime.block_on(async {
                    tokio::select! {
                        ended = client => ended,
                        _ = stopped => Ended::Stopped,
                    }
                })
            });
            let ended = ended.unwrap_or_else(Ended::Fault);
            // A name that is being looked up is not waited for.
            runtime.shutdown_background();
            // The storing thread is gone: then nobody asks.
            let _ = ending.send(ended);
        };
        let receiving = spawn("feed", receive).map_err(trouble)?;
        let running_outbox = Running::new(commands.clone());
        let storing = Storing {
            store: store.clone(),
            settings,
            feed: None,
            on_the_way: VecDeque::new(),
            news: tell.clone(),
            publish: options.publish,
            tokens: options.tokens,
            queueing: None,
            commands: commands.clone(),
            outbox: running_outbox.clone(),
        };
        let last_words = tell.clone();
        let keep = move || telling(&last_words, || storing.run(updated, &ended));
        let keeping = spawn("feed-store", keep).map_err(trouble)?;
        Ok(Self {
            news: Some(news),
            running: Some(running),
            threads: vec![receiving, keeping],
            tell,
            commands,
            stopped: Arc::default(),
            begun: Instant::now(),
            outbox: publishes.then_some(running_outbox),
        })
    }

    /// How long from now until a time that a [`Status`] names.
    pub fn until(&self, at: Millis) -> Duration {
        let at = Duration::from_millis(at.0);
        at.saturating_sub(self.begun.elapsed())
    }

    /// For other threads.
    pub fn remote(&self) -> Remote {
        Remote {
            commands: self.commands.clone(),
            stopper: self.stopper(),
            outbox: self.outbox.clone(),
        }
    }

    /// Waits for news, at most `timeout`; `None` when there is none in that time.
    pub fn next(&self, timeout: Option<Duration>) -> Option<News> {
        if self.stopped.load(Ordering::SeqCst) {
            return Some(News::Stop);
        }
        let news = self.news.as_ref()?;
        let next = match timeout {
            None => news.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(timeout) => news.recv_timeout(timeout),
        };
        match next {
            Ok(news) => Some(news),
            Err(RecvTimeoutError::Timeout) => None,
            // This end holds a sender as well, so it cannot be.
            Err(RecvTimeoutError::Disconnected) => Some(News::Ended(Ended::Stopped)),
        }
    }

    /// For signals and other threads.
    pub fn stopper(&self) -> Stopper {
        Stopper {
            news: self.tell.clone(),
            stopped: Arc::clone(&self.stopped),
        }
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        // First what the threads may be waiting for.
        self.news = None;
        self.running = None;
        for thread in self.threads.drain(..) {
            // It panicked, and has ended as well.
            let _ = thread.join();
        }
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    let thread = thread::Builder::new().name(name.into());
    thread.spawn(work)
}

/// Does the work of a feed's thread, or says what to tell of its panic. A thread that is gone without a word would leave
/// the feed standing as it was, connected and silent.
pub(crate) fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    // What it worked on ends with it; what is shared is the store, whose own lock knows of panics.
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| feed::fault(&*panic))
}

/// The same, its panic told as the end of the feed.
fn telling(news: &SyncSender<News>, work: impl FnOnce()) {
    if let Err(why) = guarded(work) {
        // Nobody listens any more: then nobody needs to know.
        let _ = news.send(News::Ended(Ended::Fault(why)));
    }
}

/// What the client asks of the store.
struct Stored {
    store: Store,
    settings: Settings,
}

impl Memory for Stored {
    fn recall(&mut self, kind: Kind) -> Result<Recalled, String> {
        let feed = self.settings.endpoint.feed_id(kind);
        let read = || -> Result<Recalled, StoreError> {
            let positions = self.store.positions(&feed)?.into_iter().map(|info| {
                let at = Position {
                    epoch: info.epoch,
                    offset: info.head,
                };
                (info.stream, at)
            });
            // A cursor that cannot be read is as good as none.
            let cursor = self
                .store
                .feed_cursor(self.settings.endpoint.url().as_str())?;
            let cursor = cursor.and_then(|text| serde_json::from_str::<Cursor>(&text).ok());
            Ok(Recalled {
                positions: positions.collect(),
                cursor,
            })
        };
        let recalled = read().map_err(|e| e.to_string())?;
        let (url, word) = (self.settings.endpoint.url().to_string(), kind.word());
        let kept = self
            .store
            .identify_feed(url, word.to_owned(), &feed, wall_clock());
        kept.wait().map_err(|e| e.to_string())?;
        Ok(recalled)
    }

    fn latest(
        &mut self,
        kind: Kind,
        most: usize,
        take: &mut dyn FnMut(&str),
    ) -> Result<(), String> {
        let feed = self.settings.endpoint.feed_id(kind);
        let from = latest_from(&self.store, &feed, most);
        let read = from.and_then(|from| each_event(&self.store, &feed, from, take));
        read.map(drop).map_err(|e| e.to_string())
    }
}

/// A place in the order of arrival behind which so many events of a feed are, if it has so many.
fn latest_from(store: &Store, feed: &str, most: usize) -> Result<i64, StoreError> {
    let end = store.last_arrival()?;
    let mut back = most as i64;
    loop {
        let from = end.saturating_sub(back).max(0);
        if from == 0 || each_event(store, feed, from, &mut |_| {})? >= most {
            return Ok(from);
        }
        // Other feeds and our own runs are in between.
        back = back.saturating_mul(4);
    }
}

/// Gives each event of a feed behind `seq` to `take`; how many there are.
fn each_event(
    store: &Store,
    feed: &str,
    mut seq: i64,
    take: &mut dyn FnMut(&str),
) -> Result<usize, StoreError> {
    let mut count = 0;
    loop {
        let before = seq;
        for entry in store.feed_log(feed, seq, LOG_PAGE)? {
            if let FeedEntry::Event { seq: at, event, .. } = entry {
                take(&event.body);
                (seq, count) = (at, count + 1);
            }
        }
        if seq == before {
            return Ok(count);
        }
    }
}

/// Takes updates in order and makes them durable.
struct Storing {
    store: Store,
    settings: Settings,
    feed: Option<String>,
    on_the_way: VecDeque<OnTheWay>,
    news: SyncSender<News>,
    publish: Option<Hub>,
    tokens: Option<Arc<dyn Tokens>>,
    /// Runs from when the feed is known to be a hub.
    queueing: Option<(Waker, JoinHandle<()>)>,
    commands: mpsc::Sender<Command>,
    outbox: Running,
}

/// What was given to the store's writer.
enum OnTheWay {
    Batch {
        pending: Pending<ReceivedCount>,
        quarantined: Vec<String>,
        delays: Delays,
    },
    Outbox(Changing),
}

/// Why the storing ends before the client does.
enum Over {
    /// Nobody listens.
    Deserted,
    /// The store failed.
    Failed(StoreError),
}

impl Storing {
    fn run(mut self, mut updates: mpsc::Receiver<Update>, ended: &Receiver<Ended>) {
        let over = loop {
            let update = match updates.try_recv() {
                Ok(update) => Some(update),
                // Nothing new: meanwhile the oldest batch may have become durable.
                Err(_) if !self.on_the_way.is_empty() => match self.oldest() {
                    Ok(()) => continue,
                    Err(over) => break over,
                },
                Err(_) => updates.blocking_recv(),
            };
            let Some(update) = update else {
                // The client ended and says why.
                let why = ended.recv().unwrap_or(Ended::Stopped);
                let _ = self.news.send(News::Ended(why));
                return;
            };
            if let Err(over) = self.take(update) {
                break over;
            }
        };
        if let Over::Failed(error) = over {
            let _ = self.news.send(News::Failed(error));
        }
    }

    fn take(&mut self, update: Update) -> Result<(), Over> {
        let update = match update {
            Update::Batch(items) => {
                self.make_room()?;
                self.store(items);
                return Ok(());
            }
            Update::TokenWanted => return self.fetch_token(),
            Update::Outbox(
                action @ (outbox::Action::Done(_)
                | outbox::Action::Hold { .. }
                | outbox::Action::Release { .. }
                | outbox::Action::Delete { .. }),
            ) => {
                self.make_room()?;
                let changing = self.entries().and_then(|entries| entries.change(action));
                self.on_the_way.extend(changing.map(OnTheWay::Outbox));
                return Ok(());
            }
            other => other,
        };
        // News are in order: first what came before.
        while !self.on_the_way.is_empty() {
            self.oldest()?;
        }
        let news = match update {
            Update::Identified(kind) => {
                let id = self.settings.endpoint.feed_id(kind);
                self.feed = Some(id.clone());
                self.begin_queueing(&id)?;
                // The batches behind this are not stored yet, and may be before anybody takes the news.
                let before = Mark::end(&self.store, &id).map_err(Over::Failed)?;
                News::Feed { id, kind, before }
            }
            Update::Status(status) => News::Status(status),
            // Dealt with above.
            Update::TokenWanted => return Ok(()),
            Update::Notice(text) => News::Notice(text),
            Update::Sent { id, outcome } => News::Sent { id, outcome },
            Update::Outbox(outbox::Action::CannotDiscard { key }) => {
                News::Outbox(OutboxTold::CannotDiscard { key })
            }
            Update::Outbox(action) => return self.load(action),
            Update::Retrying(list) => {
                self.outbox.set_retrying(&list);
                News::Outbox(OutboxTold::Retrying(list))
            }
            Update::CaughtUp | Update::Batch(_) => News::CaughtUp,
        };
        self.tell(news)
    }

    /// Whoever keeps it may block; meanwhile what comes is stored. The client asks for one at a time, and such a thread
    /// ends as soon as it is answered, whether or not anybody still waits.
    fn fetch_token(&self) -> Result<(), Over> {
        let Some(tokens) = self.tokens.clone() else {
            return Ok(());
        };
        let commands = self.commands.clone();
        let fetch = move || {
            // The client may have ended meanwhile.
            let token = guarded(|| tokens.token()).and_then(|token| token);
            let _ = commands.blocking_send(Command::Token(token));
            tokens.settle();
        };
        let thread = spawn("feed-token", fetch);
        let thread = thread.map_err(|e| Over::Failed(io_error(self.store.path(), &e)))?;
        drop(thread);
        Ok(())
    }

    fn make_room(&mut self) -> Result<(), Over> {
        match self.on_the_way.len() >= STORING_MAX {
            true => self.oldest(),
            false => Ok(()),
        }
    }

    fn entries(&self) -> Option<Entries> {
        let hub = self.feed.clone()?;
        Some(Entries::new(self.store.clone(), hub))
    }

    fn load(&self, action: outbox::Action) -> Result<(), Over> {
        let outbox::Action::Load {
            request,
            after,
            limit,
            except,
        } = action
        else {
            return Ok(());
        };
        let Some(entries) = self.entries() else {
            return Ok(());
        };
        let loaded = entries
            .load(request, after, limit, &except)
            .map_err(Over::Failed)?;
        // The client takes commands also while its updates wait for us; if it has ended, nobody needs the answer.
        let _ = self.commands.blocking_send(loaded);
        Ok(())
    }

    /// The client has made sure that it is a hub.
    fn begin_queueing(&mut self, hub: &str) -> Result<(), Over> {
        let Some(publish) = &self.publish else {
            return Ok(());
        };
        let news = self.news.clone();
        let tell = move |told| {
            // Nobody listens any more: then the running ends as well.
            let _ = news.send(News::Outbox(told));
        };
        let queueing = Queueing::new(publish, hub.to_owned(), self.commands.clone(), tell);
        let waker = queueing.waker();
        let last_words = self.news.clone();
        let thread = spawn("outbox", move || telling(&last_words, || queueing.run()));
        let thread = thread.map_err(|e| Over::Failed(io_error(self.store.path(), &e)))?;
        self.queueing = Some((waker, thread));
        Ok(())
    }

    fn store(&mut self, items: Vec<Item>) {
        // Nothing comes before the feed is known.
        let Some(feed) = &self.feed else { return };
        let address = self.settings.endpoint.url().as_str();
        let mut delays = Delays::default();
        let came = wall_clock();
        for item in &items {
            if let Item::Event { ts: Some(ts), .. } = item {
                delays.count(*ts, came);
            }
        }
        let delivery: Vec<Received> = items
            .into_iter()
            .map(|item| received(item, address))
            .collect();
        let quarantined = delivery.iter().filter_map(|one| match one {
            Received::Quarantined { reason, .. } => Some(reason.clone()),
            _ => None,
        });
        let quarantined = quarantined.collect();
        self.on_the_way.push_back(OnTheWay::Batch {
            pending: self.store.receive(feed, delivery),
            quarantined,
            delays,
        });
    }

    /// Waits until the oldest batch is durable, and tells it.
    fn oldest(&mut self) -> Result<(), Over> {
        let Some(oldest) = self.on_the_way.pop_front() else {
            return Ok(());
        };
        match oldest {
            OnTheWay::Batch {
                pending,
                quarantined,
                delays,
            } => {
                let count = pending.wait().map_err(Over::Failed)?;
                for reason in quarantined {
                    self.tell(News::Quarantined(reason))?;
                }
                self.tell(News::Stored(count))?;
                match delays.is_empty() {
                    true => Ok(()),
                    false => self.tell(News::Delayed(delays)),
                }
            }
            OnTheWay::Outbox(changing) => match changing.wait().map_err(Over::Failed)? {
                Some(told) => self.tell(News::Outbox(told)),
                None => Ok(()),
            },
        }
    }

    fn tell(&self, news: News) -> Result<(), Over> {
        self.news.send(news).map_err(|_| Over::Deserted)
    }
}

impl Drop for Storing {
    fn drop(&mut self) {
        if let Some((waker, thread)) = self.queueing.take() {
            waker.end();
            // It panicked, and has ended as well.
            let _ = thread.join();
        }
    }
}

/// What of a feed at this address is stored for an item.
fn received(item: Item, address: &str) -> Received {
    match item {
        Item::Event {
            stream,
            epoch,
            offset,
            ts,
            body,
        } => Received::Event {
            stream,
            epoch,
            event: LogEvent {
                offset,
                // A feed that names no time: when it came.
                ts: ts.unwrap_or_else(wall_clock),
                body: body.get().to_owned(),
            },
        },
        Item::Gap {
            stream,
            epoch,
            from,
            to,
            reason,
        } => Received::Gap {
            stream,
            epoch,
            from,
            to,
            reason,
        },
        Item::Epoch { stream, epoch } => Received::Epoch { stream, epoch },
        Item::Quarantined { reason, message } => Received::Quarantined {
            at: wall_clock(),
            reason,
            message,
        },
        Item::Cursor(cursor) => Received::Cursor {
            url: address.to_owned(),
            // A text is all there is, so it has a JSON.
            cursor: serde_json::to_string(&cursor).unwrap_or_default(),
        },
    }
}

fn io_error(path: &Path, error: &io::Error) -> StoreError {
    StoreError::Io {
        path: path.to_owned(),
        detail: error.to_string(),
    }
}
