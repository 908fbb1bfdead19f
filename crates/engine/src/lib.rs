//! What the app and the command line share: one API over a narrow [`Host`].
//!
//! [`Engine::open`] opens a data folder. [`Engine::start`] accepts an input and analyses it in the
//! background (the window), [`Engine::analyze`] does so while the caller waits (the command line);
//! both run the same [`pipeline`]. Commands of the edge are answered in [`commands`]; the window's
//! reads go through [`views`], and [`desk`] decides when it is pinged. [`feeds`] follows what others publish, and
//! [`outbox`] sends them what is ours. [`archive`] puts old history away and brings it back. [`asking`] asks the model
//! that is set up, [`secrets`] keeps its key and the tokens of feeds. [`attention`] decides what the system is asked to
//! notify of, in the words of [`notification`].
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod archive;
mod asking;
mod attend;
pub mod attention;
mod board;
pub mod bundle;
pub mod commands;
mod delays;
pub mod desk;
mod digest;
mod edit;
pub mod environment;
pub mod export;
mod exports;
pub mod feeds;
mod hooks;
pub mod host;
mod imports;
pub mod input;
mod monitor;
pub mod notification;
pub mod outbox;
mod pipeline;
mod process;
pub mod report;
mod samples;
pub mod secrets;
mod sending;
mod serving;
mod storage;
mod suggest;
mod views;

pub use asking::ModelDefaults;
pub use commands::Handle;
pub use ghostlight_api::ErrorCode;
pub use hooks::Hooks;
pub use host::Host;
pub use input::Input;
pub use monitor::FeedDefaults;
pub use notification::Notification;

use asking::Models;
use attend::Attending;
use desk::Desk;
use exports::Exports;
use ghostlight_api::{
    ApiError,
    command::{LIVE_EVERY_MS_MAX, Preferences, StartImport},
    view::{Notice, Opened, Subject},
};
use ghostlight_fetch::{Fetcher, Limits};
use ghostlight_hub::Hub;
use ghostlight_model::{EventBody, RunId, commit::AuthorId, run::RunStatus};
pub use ghostlight_store::{DATABASE, StoreError};
use ghostlight_sync::Millis;
use imports::Imports;
use monitor::{Live, Monitor};
use pipeline::{Debts, Job, Pipeline};
use process::ProcessLock;
use secrets::Secrets;
use serving::Serving;
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, Receiver, SyncSender, TrySendError},
    },
    thread,
    time::{Duration, Instant},
};
use storage::Storage;

/// The version in events, commits and reports.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Inputs that may wait to be analysed; more are refused with [`ErrorCode::Busy`].
pub const QUEUE_MAX: usize = 10_000;
/// Analyses at a time: most of one is waiting for a server or the disk.
const WORKERS: usize = 4;
/// How long the desk sleeps when nothing changes, to notice that the engine is closing.
const DESK_TICK: Duration = Duration::from_millis(500);

/// Wires store, hub, detection and fetching behind one API. Cloning shares it.
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

struct Shared {
    folder: PathBuf,
    hub: Hub,
    host: Arc<dyn Host>,
    pipeline: Arc<Pipeline>,
    desk: Arc<Mutex<Desk>>,
    /// The clock of the desk begins here.
    began: Instant,
    monitor: Monitor,
    searches: views::Searches,
    replays: views::Replays,
    comparisons: views::Comparisons,
    attending: Arc<Attending>,
    exports: Exports,
    imports: Imports,
    storage: Storage,
    serving: Serving,
    queue: SyncSender<Job>,
    author: AuthorId,
    first_start: bool,
    opening: Mutex<Option<Subject>>,
    next_page: Mutex<Option<Notice>>,
}

impl Engine {
    /// Opens the data folder, making it if there is none.
    ///
    /// Runs whose process is gone are marked as interrupted.
    ///
    /// # Errors
    /// As [`ghostlight_store::Store::open`].
    pub fn open(folder: &Path, host: Arc<dyn Host>, hooks: Hooks) -> Result<Self, StoreError> {
        let fetcher = Fetcher::new(Limits::default()).map_err(|e| StoreError::Io {
            path: folder.to_owned(),
            detail: e.to_string(),
        })?;
        Self::open_with(folder, host, hooks, fetcher)
    }

    /// As [`Engine::open`], with a fetcher of the caller's: other limits, or another network.
    ///
    /// # Errors
    /// As [`ghostlight_store::Store::open`].
    pub fn open_with(
        folder: &Path,
        host: Arc<dyn Host>,
        hooks: Hooks,
        fetcher: Fetcher,
    ) -> Result<Self, StoreError> {
        let hub = Hub::open(folder)?;
        let digest_after = hooks.digest_after();
        let process = ProcessLock::take(folder, &host.new_id())?;
        let secrets = Secrets::of_model(folder, host.keychain());
        let pipeline = Arc::new(Pipeline {
            hub: hub.clone(),
            models: Models::new(hub.store().clone(), secrets, fetcher.clone()),
            host: Arc::clone(&host),
            fetcher,
            hooks,
            process,
            debts: Debts::default(),
        });
        let first_start = hub.store().setting(FIRST_START)?.is_none();
        let author = local_author(&hub, &*host)?;
        let preferences = commands::stored_preferences(hub.store())?;
        let attending = Arc::new(Attending::new(
            preferences.notifications.clone(),
            pipeline.process.name(),
        ));
        let (queue, jobs) = mpsc::sync_channel(QUEUE_MAX);
        let desk = Arc::<Mutex<Desk>>::default();
        let monitor = Monitor::new(
            hub.clone(),
            Arc::clone(&host),
            Arc::clone(&desk),
            Arc::clone(&attending),
            Secrets::of(folder, host.keychain()),
            digest_after,
            Live::of(&preferences),
        );
        let shared = Arc::new(Shared {
            folder: folder.to_owned(),
            hub,
            host,
            pipeline,
            desk,
            began: Instant::now(),
            monitor,
            searches: views::Searches::default(),
            replays: views::Replays::default(),
            comparisons: views::Comparisons::default(),
            attending,
            exports: Exports::default(),
            imports: Imports::default(),
            storage: Storage::default(),
            serving: Serving::default(),
            queue,
            author,
            first_start,
            opening: Mutex::default(),
            next_page: Mutex::default(),
        });
        shared.live_every(&preferences);
        let engine = Self { shared };
        engine.mark_interrupted()?;
        engine.spawn_workers(jobs);
        engine.spawn_desk();
        engine.spawn_attending();
        Ok(engine)
    }

    /// Follows the feeds that are switched on, for as long as the engine is open. A window does; a command does not.
    ///
    /// # Errors
    /// If the environment names no feed's address, or the store cannot be read. A feed that cannot be reached is no
    /// error.
    pub fn follow_feeds(&self, defaults: FeedDefaults) -> Result<(), ApiError> {
        self.shared.monitor.start(defaults)
    }

    /// Accepts an input: the run is on disk when this returns, and goes on in the background.
    pub fn start(&self, input: Input) -> Result<RunId, ApiError> {
        let job = self
            .shared
            .pipeline
            .accept(input)
            .map_err(|e| store_error(&e))?;
        let run = job.run.clone();
        match self.shared.queue.try_send(job) {
            Ok(()) => Ok(run),
            Err(TrySendError::Full(job)) => {
                self.shared
                    .pipeline
                    .turn_away(&job)
                    .map_err(|e| store_error(&e))?;
                Err(ApiError::new(
                    ErrorCode::Busy,
                    format!("{QUEUE_MAX} inputs are waiting already; this one was not begun."),
                    "Wait until some are done, then add it again.",
                ))
            }
            Err(TrySendError::Disconnected(_)) => Err(store_error(&StoreError::Closed)),
        }
    }

    /// Accepts what the app was started with: the window shows it first.
    pub fn start_opening(&self, input: Input) -> Result<(), ApiError> {
        let run = self.start(input)?;
        *self
            .shared
            .opening
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(Subject::Run(run));
        Ok(())
    }

    /// Keeps a message for the page that the window loads next: the present one cannot hear it. One at a time, the last.
    pub fn tell_next_page(&self, notice: Notice) {
        *self.shared.for_next_page() = Some(notice);
    }

    /// Accepts dropped files and tells the window to show the first. A zip file is a bundle to take over.
    pub fn drop_files(&self, paths: Vec<PathBuf>) {
        let mut first = None;
        for path in paths {
            let ending = path.extension().unwrap_or_default();
            if ending.eq_ignore_ascii_case("zip") {
                let path = path.display().to_string();
                match self.handle(StartImport { path }) {
                    Ok(_) => self.shared.host.opened(&Opened::Imports),
                    Err(error) => self.shared.host.notice(&host::refusal(&error)),
                }
                continue;
            }
            match self.start(Input::File(path)) {
                Ok(run) => first = first.or(Some(run)),
                Err(error) => self.shared.host.notice(&host::refusal(&error)),
            }
        }
        if let Some(run) = first {
            let opened = Opened::Subject(Subject::Run(run));
            self.shared.host.opened(&opened);
        }
    }

    /// Analyses an input while the caller waits. `observer` sees each event once it is durable.
    /// Answers the runs, one for each posting of the input.
    pub fn analyze(
        &self,
        input: Input,
        observer: &mut dyn FnMut(&EventBody),
    ) -> Result<Vec<RunId>, StoreError> {
        let job = self.shared.pipeline.accept(input)?;
        self.shared.pipeline.run(job, observer)
    }

    /// The hub, for following and reading.
    pub fn hub(&self) -> &Hub {
        &self.shared.hub
    }

    /// The data folder.
    pub fn folder(&self) -> &Path {
        &self.shared.folder
    }

    fn spawn_workers(&self, jobs: Receiver<Job>) {
        let jobs = Arc::new(Mutex::new(jobs));
        for n in 0..WORKERS {
            let (jobs, pipeline) = (Arc::clone(&jobs), Arc::clone(&self.shared.pipeline));
            let work = move || {
                loop {
                    let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok(job) = next else { return };
                    if let Err(error) = pipeline.run(job, &mut |_| {}) {
                        pipeline
                            .host
                            .notice(&host::trouble("A run could not be stored", &error));
                    }
                }
            };
            if let Err(error) = thread::Builder::new()
                .name(format!("analysis-{n}"))
                .spawn(work)
            {
                tracing::error!(%error, "an analysis thread could not be started");
            }
        }
    }

    /// Follows the hub and pings the window; ends with the engine.
    fn spawn_desk(&self) {
        let changes = self.shared.hub.subscribe();
        let shared = Arc::downgrade(&self.shared);
        let follow = move || {
            let mut wait = DESK_TICK;
            loop {
                let changed = changes.wait(wait);
                let Some(shared) = shared.upgrade() else {
                    return;
                };
                let now = shared.uptime();
                let mut desk = shared.desk();
                let ping = match changed {
                    Some(changed) => desk.changed(&changed, now),
                    None => desk.tick(now),
                };
                let due = desk.next_wakeup();
                drop(desk);
                shared.ping(ping);
                // A list that was throttled is pinged on time.
                wait = due.map_or(DESK_TICK, |at| {
                    Duration::from_millis(at.since(now)).min(DESK_TICK)
                });
            }
        };
        if let Err(error) = thread::Builder::new().name("desk".into()).spawn(follow) {
            tracing::error!(%error, "the desk thread could not be started");
        }
    }

    /// Ends the runs whose process is gone; what they saw stays.
    fn mark_interrupted(&self) -> Result<(), StoreError> {
        let store = self.shared.hub.store();
        let mut ended = Vec::new();
        for run in store.running(QUEUE_MAX as u32)? {
            if process::is_alive(&self.shared.folder, &run.process) {
                continue;
            }
            // It may have ended between the two looks; now nobody writes to it any more.
            let run = store.run(&run.run_id)?;
            if let Some(run) = run.filter(|run| run.status == RunStatus::Running) {
                ended.push(self.shared.pipeline.interrupted(&run));
            }
        }
        ended
            .into_iter()
            .try_for_each(|pending| pending.wait().map(drop))
    }
}

impl Shared {
    fn desk(&self) -> std::sync::MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn for_next_page(&self) -> std::sync::MutexGuard<'_, Option<Notice>> {
        let kept = self.next_page.lock();
        kept.unwrap_or_else(PoisonError::into_inner)
    }

    /// Time since the engine was opened, by a clock that never goes back.
    fn uptime(&self) -> Millis {
        let ms = self.began.elapsed().as_millis();
        Millis(u64::try_from(ms).unwrap_or(u64::MAX))
    }

    /// Live lists are brought up to date as often as a person prefers.
    fn live_every(&self, preferences: &Preferences) {
        let ms = preferences.live_every_ms.min(LIVE_EVERY_MS_MAX);
        let ping = self.desk().set_live_every(ms.into(), self.uptime());
        self.ping(ping);
    }

    fn ping(&self, ping: Option<ghostlight_api::view::Ping>) {
        if let Some(ping) = ping {
            self.host.ping(&ping);
        }
    }
}

/// Set once the samples were offered on a data folder.
pub(crate) const FIRST_START: &str = "first_start_done";
const AUTHOR: &str = "local_author";

/// The opaque id of the person at this data folder, made on first use.
fn local_author(hub: &Hub, host: &dyn Host) -> Result<AuthorId, StoreError> {
    if let Some(id) = hub.store().setting(AUTHOR)? {
        return Ok(AuthorId(id));
    }
    let author = AuthorId(format!("person-{}", host.new_id()));
    hub.store()
        .put_person(author.clone(), "you".into())
        .wait()?;
    hub.store().put_setting(AUTHOR, author.0.clone()).wait()?;
    Ok(author)
}

/// A store's error as the edge shows it.
pub fn store_error(error: &StoreError) -> ApiError {
    let code = match error {
        StoreError::Refused(_) => ErrorCode::Rule,
        StoreError::Declined { .. } => ErrorCode::Declined,
        StoreError::Stale(_) => ErrorCode::Stale,
        StoreError::NotFound(_) => ErrorCode::NotFound,
        StoreError::Statement { .. } => ErrorCode::Internal,
        _ => ErrorCode::Store,
    };
    ApiError::new(code, error.to_string(), error.hint())
}
