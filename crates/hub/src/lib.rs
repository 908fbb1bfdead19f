//! The stream and commit service, in process: stores through [`ghostlight_store`], fans out hints.
//!
//! The embedded hub *is* the local store: no socket and no second copy. Whoever wants to follow
//! takes a [`Subscription`] and is told *that* something changed, never the data; a slow follower
//! merges hints and reads again from its own position, so nothing here grows or is lost.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod server;

use ghostlight_model::{
    CommitId, EventBody, Micros, Offset, PostingId, StreamId, keys::PostingKey,
};
use ghostlight_store::{
    Changes, FinishedRun, OpenOptions, Pending, PersonChange, Published, Store, StoreError,
};
use std::{
    path::Path,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// Names kept for a follower that does not read; beyond it the hint says *everything*.
const HINTS_MAX: usize = 1_024;

/// The embedded hub. Cloning shares it.
#[derive(Clone)]
pub struct Hub {
    store: Store,
    followers: Arc<Followers>,
}

impl Hub {
    /// Opens the hub on a data folder.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        Self::open_with(folder, OpenOptions::default())
    }

    /// [`Hub::open`] with other options, for tests.
    #[doc(hidden)]
    pub fn open_with(folder: &Path, options: OpenOptions) -> Result<Self, StoreError> {
        let followers = Arc::new(Followers::default());
        let told = Arc::clone(&followers);
        let store = Store::open_with(folder, options, move |changes| told.tell(changes))?;
        Ok(Self { store, followers })
    }

    /// Appends events to a local stream; the answer says that they are durable.
    pub fn publish(&self, stream: StreamId, events: Vec<EventBody>) -> Pending<Offset> {
        self.store.append(stream, events)
    }

    /// Appends bodies to a stream that others write, once a key. As [`Store::publish`].
    pub fn publish_keyed(
        &self,
        key: String,
        stream: StreamId,
        bodies: Vec<String>,
        now: Micros,
    ) -> Pending<Published> {
        self.store.publish(key, stream, bodies, now)
    }

    /// The posting recognised by `keys`.
    pub fn identify(&self, keys: Vec<PostingKey>) -> Pending<PostingId> {
        self.store.identify(keys)
    }

    /// Ends a run: its commit and last event, together.
    pub fn finish_run(&self, run: FinishedRun) -> Pending<Option<CommitId>> {
        self.store.finish_run(run)
    }

    /// Records a person's change.
    pub fn commit_change(&self, change: PersonChange) -> Pending<CommitId> {
        self.store.commit_change(change)
    }

    /// Follows changes from now on.
    pub fn subscribe(&self) -> Subscription {
        let inbox = Arc::new(Inbox::default());
        self.followers.lock().push(Arc::downgrade(&inbox));
        Subscription { inbox }
    }

    /// The store, for reading.
    pub fn store(&self) -> &Store {
        &self.store
    }
}

/// Hints for one follower. Dropping it ends the subscription.
pub struct Subscription {
    inbox: Arc<Inbox>,
}

impl Subscription {
    /// Waits for changes, at most `timeout`; `None` when nothing changed in that time, or waiting is over.
    pub fn wait(&self, timeout: Duration) -> Option<Changes> {
        let waiting = lock(&self.inbox.changes);
        let (mut changes, _) = self
            .inbox
            .arrived
            .wait_timeout_while(waiting, timeout, |changes| {
                changes.is_empty() && !self.is_over()
            })
            .unwrap_or_else(PoisonError::into_inner);
        (!changes.is_empty()).then(|| std::mem::take(&mut *changes))
    }

    /// For another thread, to end the waiting.
    pub fn waker(&self) -> Waker {
        Waker(Arc::clone(&self.inbox))
    }

    /// Whether [`Waker::end`] was called.
    pub fn is_over(&self) -> bool {
        self.inbox.over.load(Ordering::SeqCst)
    }
}

/// Ends the waiting of a [`Subscription`], for good.
pub struct Waker(Arc<Inbox>);

impl Waker {
    /// From now on [`Subscription::wait`] does not wait.
    pub fn end(&self) {
        // Under the lock, or it would come between the look and the sleep.
        let _changes = lock(&self.0.changes);
        self.0.over.store(true, Ordering::SeqCst);
        self.0.arrived.notify_all();
    }
}

#[derive(Default)]
struct Inbox {
    changes: Mutex<Changes>,
    arrived: Condvar,
    over: AtomicBool,
}

#[derive(Default)]
struct Followers(Mutex<Vec<Weak<Inbox>>>);

impl Followers {
    fn lock(&self) -> MutexGuard<'_, Vec<Weak<Inbox>>> {
        lock(&self.0)
    }

    fn tell(&self, changes: &Changes) {
        self.lock().retain(|follower| {
            let Some(inbox) = follower.upgrade() else {
                return false;
            };
            let mut waiting = lock(&inbox.changes);
            waiting.merge(changes);
            if waiting.streams.len() + waiting.runs.len() + waiting.postings.len() > HINTS_MAX {
                *waiting = Changes {
                    events: waiting.events,
                    everything: true,
                    ..Changes::default()
                };
            }
            inbox.arrived.notify_one();
            true
        });
    }
}

/// Sets of hints are valid whatever a panicking holder left in them.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ghostlight_model::{Phase, RunId};
    use std::collections::BTreeMap;

    fn event(run: &str) -> EventBody {
        EventBody {
            ts: Micros(1),
            run_id: RunId(run.into()),
            node: "FETCH".into(),
            phase: Phase::Start,
            duration_ms: None,
            metrics: BTreeMap::new(),
            issues: vec![],
            fact: None,
        }
    }

    #[test]
    fn a_follower_hears_of_a_change_once_it_is_durable() {
        let folder = tempfile::tempdir().unwrap();
        let hub = Hub::open(folder.path()).unwrap();
        let follower = hub.subscribe();
        let run = RunId("r1".into());
        hub.publish(run.stream(), vec![event("r1")]).wait().unwrap();
        let changes = follower.wait(Duration::from_secs(5)).unwrap();
        assert!(changes.runs.contains(&run));
        assert_eq!(hub.store().events(&run, 0, 10).unwrap().total, 1);
        assert_eq!(follower.wait(Duration::ZERO), None);
    }

    #[test]
    fn waiting_is_ended_from_outside() {
        let folder = tempfile::tempdir().unwrap();
        let hub = Hub::open(folder.path()).unwrap();
        let follower = hub.subscribe();
        let waker = follower.waker();
        let waiting = std::thread::spawn(move || {
            let changes = follower.wait(Duration::from_secs(600));
            (changes, follower.is_over())
        });
        waker.end();
        assert_eq!(waiting.join().unwrap(), (None, true));
    }

    #[test]
    fn a_follower_that_does_not_read_is_told_everything_at_the_bound() {
        let followers = Followers::default();
        let inbox = Arc::new(Inbox::default());
        followers.lock().push(Arc::downgrade(&inbox));
        for n in 0..=HINTS_MAX {
            let runs = [RunId(format!("r{n}"))].into();
            followers.tell(&Changes {
                runs,
                ..Changes::default()
            });
        }
        let changes = Subscription { inbox }.wait(Duration::ZERO).unwrap();
        assert!(changes.everything && changes.runs.is_empty());
    }
}
