//! Attending: the thread between the hub and [`Attention`].
//!
//! It is told which runs changed, reads how they stand, and hands what deserves a person's attention to
//! [`Host::notify`](crate::Host::notify). It runs only for a host that can notify.

use crate::{
    Engine, Host, Shared,
    attention::{Attention, FeedName, Now, RunNews, StatusNews},
    notification::Notification,
};
use ghostlight_api::command::Notifications;
use ghostlight_feed::connection::Status;
use ghostlight_hub::Subscription;
use ghostlight_model::{
    RunId,
    foreign::{self, STATUS_CHANGE},
    run::{RunState, RunStatus},
};
use ghostlight_store::{
    Changes, LogRow, Store, StoreError,
    read::{ListedRun, RunFilter},
};
use ghostlight_sync::Millis;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError, Weak},
    thread,
    time::{Duration, Instant},
};

/// How long it sleeps when nothing changes: how exact its times are, and how soon it notices that the engine closes.
const TICK: Duration = Duration::from_millis(500);
/// Between two looks at what changed; what changes meanwhile is read once. Notifications need no more.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Posting titles read at a look, for the names of runs; the others are called by their input. More are never named.
const TITLES_MAX: usize = crate::attention::NAMED_MAX;
/// Runs under way that are remembered, to see them end when only "everything" is said to have changed. What is beyond
/// is found among the latest.
const GOING_MAX: usize = 1_000;
/// Changed runs that wait to be read while the store cannot be; beyond, everything is said to have changed.
const CHANGED_MAX: usize = 4_096;
/// When everything may have changed, the latest runs are looked through in pages of so many …
const PAGE_RUNS: u32 = 20;
/// … until a page holds no news, and at most so many. Runs further down are in the list.
const PAGES_MAX: u32 = 50;
/// Rows of a log that are looked at for changes of status, the latest. What came before them in one go is in the log.
const STATUS_ROWS_MAX: u32 = 200;
/// Logs whose rows that were looked at are remembered. Beyond, all are forgotten, and the latest rows looked at again.
const STATUS_LOGS_MAX: usize = 1_000;

/// What the engine holds for it.
pub(crate) struct Attending {
    attention: Mutex<Attention>,
    began: Instant,
    /// The name of this process in its runs: a person began them in this window.
    process: String,
}

impl Attending {
    pub fn new(wanted: Notifications, process: &str) -> Self {
        Self {
            attention: Mutex::new(Attention::new(wanted)),
            began: Instant::now(),
            process: process.to_owned(),
        }
    }

    pub fn prefer(&self, wanted: Notifications) {
        self.lock().prefer(wanted);
    }

    /// Runs that nobody asked for.
    pub fn ignore(&self, runs: Vec<RunId>) {
        let mut attention = self.lock();
        runs.into_iter().for_each(|run| attention.ignore(run));
    }

    /// A feed's connection changed; to be called with every status, in order, by whoever runs the feed. One that is
    /// taken away ends as disconnected. Never waits.
    pub fn connection(&self, host: &dyn Host, feed: &FeedName, status: &Status) {
        let now = self.now(host);
        self.lock().connection(feed, status, now);
    }

    fn lock(&self) -> MutexGuard<'_, Attention> {
        // Its parts are valid each for itself, whatever a panicking holder left.
        self.attention
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self, host: &dyn Host) -> Now {
        let ms = self.began.elapsed().as_millis();
        Now {
            at: Millis(u64::try_from(ms).unwrap_or(u64::MAX)),
            wall: host.now(),
        }
    }

    fn news(&self, state: &RunState, title: Option<String>) -> RunNews {
        RunNews::of(state, title, state.process == self.process)
    }
}

impl Engine {
    /// Follows the hub and notifies; ends with the engine.
    pub(crate) fn spawn_attending(&self) {
        if !self.shared.host.notifies() {
            return;
        }
        // Runs of a process that was gone have ended by now.
        let attending = &self.shared.attending;
        attending.lock().begin(self.shared.host.now());
        let changes = self.shared.hub.subscribe();
        // Here and not in the thread, which may begin when the first runs have said something already.
        let mut looked = Looked::default();
        looked.begin(&self.shared);
        let shared = std::sync::Arc::downgrade(&self.shared);
        let follow = move || follow(looked, &changes, &shared);
        if let Err(error) = thread::Builder::new()
            .name("attention".into())
            .spawn(follow)
        {
            tracing::error!(%error, "the attention thread could not be started; the system shows no notifications");
        }
    }
}

fn follow(mut looked: Looked, changes: &Subscription, shared: &Weak<Shared>) {
    loop {
        let changed = changes.wait(TICK);
        let Some(shared) = shared.upgrade() else {
            return;
        };
        let wait = changed.is_some();
        looked.at(changed, &shared);
        drop(shared);
        if wait {
            thread::sleep(LOOK_EVERY);
        }
    }
}

/// What was looked at, and what is still to be.
#[derive(Default)]
struct Looked {
    /// Changed runs that are not read yet.
    changed: BTreeSet<RunId>,
    /// Any run may have changed.
    everything: bool,
    going: BTreeSet<RunId>,
    /// Rows of logs that were looked at for changes of status.
    rows: BTreeMap<RunId, u32>,
}

/// What there is to tell.
#[derive(Default)]
struct News {
    runs: Vec<RunNews>,
    changes: Vec<StatusNews>,
}

impl Looked {
    /// What runs under way say already is known.
    fn begin(&mut self, shared: &Shared) {
        match shared.hub.store().running(GOING_MAX as u32) {
            Ok(running) => {
                let attending = &shared.attending;
                let mut attention = attending.lock();
                for state in running {
                    self.going.insert(state.run_id.clone());
                    attention.seen(attending.news(&state, None));
                }
            }
            Err(error) => {
                tracing::warn!(%error, "runs under way are not read; their old errors may be told again")
            }
        }
    }

    fn at(&mut self, changed: Option<Changes>, shared: &Shared) {
        let changed = changed.unwrap_or_default();
        self.everything |= changed.everything;
        self.changed.extend(changed.runs);
        if self.changed.len() > CHANGED_MAX {
            self.everything = true;
            self.changed.clear();
        }
        let news = match self.read(shared) {
            Ok(news) => {
                self.everything = false;
                self.changed.clear();
                news
            }
            Err(error) => {
                tracing::warn!(%error, "changed runs cannot be read; nobody is notified of them yet");
                News::default()
            }
        };
        let now = shared.attending.now(&*shared.host);
        let mut attention = shared.attending.lock();
        attention.focus(shared.host.is_focused());
        for one in news.runs {
            attention.run(one, now);
        }
        for one in news.changes {
            attention.status_changed(one, now);
        }
        let alerts = attention.tick(now);
        drop(attention);
        for alert in &alerts {
            shared.host.notify(&Notification::from(alert));
        }
    }

    fn read(&mut self, shared: &Shared) -> Result<News, StoreError> {
        let store = shared.hub.store();
        let mut named = self.changed.clone();
        let mut states = Vec::new();
        if self.everything {
            named.extend(self.going.iter().cloned());
            states = latest(store, shared, &named)?;
        }
        for run in &named {
            // What a hub sends back of ours was told when it ended here.
            if !store.outbox_came_back(run)? {
                states.extend(store.run(run)?);
            }
        }
        let mut titles = 0;
        let mut news = News::default();
        let mut rows = Vec::new();
        for state in states {
            let ended = state.status != RunStatus::Running;
            self.remember(&state.run_id, ended);
            if state.node(STATUS_CHANGE).is_some() {
                let from = self.rows.get(&state.run_id).copied();
                let (to, changes) = status_changes(store, &state.run_id, from)?;
                rows.push((state.run_id.clone(), to));
                news.changes.extend(changes);
            }
            if !shared
                .attending
                .lock()
                .may_be_news(&state.run_id, state.ended)
            {
                continue;
            }
            let mut title = None;
            if ended && titles < TITLES_MAX {
                titles += 1;
                title = title_of(store, &state)?;
            }
            news.runs.push(shared.attending.news(&state, title));
        }
        // Only now: what could not be read whole is read again.
        for (run, row) in rows {
            if self.rows.len() >= STATUS_LOGS_MAX {
                self.rows.clear();
            }
            self.rows.insert(run, row);
        }
        Ok(news)
    }

    fn remember(&mut self, run: &RunId, ended: bool) {
        if ended {
            self.going.remove(run);
        } else if self.going.len() < GOING_MAX {
            self.going.insert(run.clone());
        }
    }
}

/// The latest runs, as long as there is news among them, but for those that are read anyway.
fn latest(
    store: &Store,
    shared: &Shared,
    named: &BTreeSet<RunId>,
) -> Result<Vec<RunState>, StoreError> {
    let mut found = Vec::new();
    for page in 0..PAGES_MAX {
        let all = RunFilter::default();
        let rows = store.runs(&all, page * PAGE_RUNS, PAGE_RUNS)?.rows;
        let before = found.len();
        for ListedRun { line, .. } in rows {
            let run = &line.run_id;
            let is_news = shared.attending.lock().may_be_news(run, line.ended);
            if is_news && !named.contains(run) {
                found.extend(store.run(run)?);
            }
        }
        if found.len() == before {
            break;
        }
    }
    Ok(found)
}

/// The changes of status among the rows of a log from one on, and where the next look begins.
fn status_changes(
    store: &Store,
    run: &RunId,
    from: Option<u32>,
) -> Result<(u32, Vec<StatusNews>), StoreError> {
    let total = store.log(run, 0, 0)?.total;
    // A log may have become shorter, when its source began anew and the old part went.
    let from = from.filter(|from| *from <= total).unwrap_or(0);
    let start = from.max(total.saturating_sub(STATUS_ROWS_MAX));
    let page = store.log(run, start, STATUS_ROWS_MAX)?.rows;
    let next = start.saturating_add(page.len() as u32);
    let changes = page.into_iter().filter_map(|row| match row {
        LogRow::Event(entry) => Some(StatusNews {
            run: run.clone(),
            place: (entry.place.epoch.0, entry.place.offset.0),
            at: entry.body.ts,
            change: foreign::status_change(&entry.body)?,
        }),
        LogRow::Gap { .. } | LogRow::Restart { .. } => None,
    });
    Ok((next, changes.collect()))
}

fn title_of(store: &Store, state: &RunState) -> Result<Option<String>, StoreError> {
    let Some(posting) = state.posting.filter(|_| state.run_id.place().is_none()) else {
        return Ok(None);
    };
    Ok(store.posting(posting)?.map(|known| known.summary.title))
}

#[cfg(test)]
mod tests {
    use crate::{Engine, FeedDefaults, Handle, Hooks, Host};
    use ghostlight_api::command::{AddFeed, FeedForm, GetAppInfo, SetPreferences};
    use std::{
        net::TcpListener,
        sync::Arc,
        thread,
        time::{Duration, Instant},
    };

    /// What does not come within this does not come.
    const PATIENCE: Duration = Duration::from_secs(60);

    struct Desktop;

    impl Host for Desktop {
        fn notifies(&self) -> bool {
            true
        }
    }

    #[test]
    fn a_feed_that_is_switched_off_with_all_others_is_not_counted_as_lost() {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::open(folder.path(), Arc::new(Desktop), Hooks::default()).unwrap();
        engine.follow_feeds(FeedDefaults::default()).unwrap();
        let nobody = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = nobody.local_addr().unwrap().port();
        drop(nobody);
        let feed = FeedForm {
            name: "Nobody".into(),
            url: format!("ws://127.0.0.1:{port}/v1"),
            ..FeedForm::default()
        };
        engine.handle(AddFeed { feed }).unwrap();
        let to_be_said = || engine.shared.attending.lock().next_wakeup();
        let began = Instant::now();
        while to_be_said().is_none() {
            assert!(began.elapsed() < PATIENCE, "an outage was never counted");
            thread::sleep(Duration::from_millis(5));
        }
        let mut preferences = engine.handle(GetAppInfo {}).unwrap().preferences;
        preferences.live_off = true;
        engine.handle(SetPreferences { preferences }).unwrap();
        assert_eq!(to_be_said(), None);
    }
}
