//! Old history archived and brought back in the background: begun by a command, watched as a view, stopped by another.
//!
//! One thread at a time, which holds the store and no more of the engine. Closing the engine stops it behind the file it
//! is at; what is moved stays moved.

use crate::{
    Engine, Handle, Shared,
    archive::{self, Keeping, KeepingProgress, Kept},
    export::Cancel,
    store_error,
};
use ghostlight_api::{
    ApiError, ErrorCode,
    command::{BringArchiveBack, StartArchive, StopArchive},
    view::{
        ArchiveLook, ArchivesView, StorageDone, StorageKind, StorageState, StorageView,
        StorageWork, ViewQuery,
    },
};
use ghostlight_model::Micros;
use ghostlight_store::{ArchiveOrder, StoreError};
use std::{
    ops::ControlFlow,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

const DAY_US: i64 = 86_400_000_000;
/// Old versions that are looked at to say what archiving would do; beyond, it says that there may be more. A tenth of a
/// second of work, while the window's other views wait.
const LOOK_VERSIONS_MAX: u64 = 20_000;
/// The time between two pings about how far it is.
const TELL_EVERY: Duration = Duration::from_millis(100);

/// What this session does with old history.
#[derive(Default)]
pub(crate) struct Storage {
    work: Arc<Mutex<Option<(StorageWork, Cancel)>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Drop for Storage {
    fn drop(&mut self) {
        if let Some((_, cancel)) = &*locked(&self.work) {
            cancel.cancel();
        }
        let thread = self.thread.get_mut();
        let thread = thread.unwrap_or_else(PoisonError::into_inner).take();
        // The last owner may be that thread, which cannot wait for itself.
        if let Some(thread) = thread.filter(|it| it.thread().id() != thread::current().id()) {
            let _ = thread.join();
        }
    }
}

type Work = Mutex<Option<(StorageWork, Cancel)>>;

fn locked(work: &Work) -> MutexGuard<'_, Option<(StorageWork, Cancel)>> {
    work.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the thread changes, and whom it tells.
struct Teller {
    work: Arc<Work>,
    shared: Weak<Shared>,
    told: Option<Instant>,
}

impl Teller {
    fn change(&self, change: impl FnOnce(&mut StorageWork)) {
        if let Some((work, _)) = &mut *locked(&self.work) {
            change(work);
        }
        if let Some(shared) = self.shared.upgrade() {
            let ping = shared.desk().turned(&ViewQuery::Storage);
            shared.ping(ping);
        }
    }

    fn progress(&mut self, now: KeepingProgress) {
        if self.told.is_some_and(|told| told.elapsed() < TELL_EVERY)
            && now != KeepingProgress::Compacting
        {
            return;
        }
        self.told = Some(Instant::now());
        self.change(|work| match now {
            KeepingProgress::Moving(now) => {
                (work.done, work.total, work.versions) = (now.done, now.total, now.versions);
            }
            KeepingProgress::Compacting => work.state = StorageState::Compacting,
        });
    }

    fn ended(&self, done: Result<Kept, StoreError>) {
        self.change(|work| {
            work.state = match done {
                Ok(kept) => StorageState::Done(Box::new(told(kept))),
                Err(error) => StorageState::Failed(store_error(&error)),
            };
        });
    }
}

fn told(kept: Kept) -> StorageDone {
    StorageDone {
        versions: kept.versions,
        files: kept.files,
        kept: kept.kept,
        bytes: kept.bytes,
        not_compacted: kept
            .compacted
            .and_then(|done| done.err())
            .map(|error| store_error(&error)),
        stopped: kept.stopped,
    }
}

impl Engine {
    /// What archiving would do.
    pub(crate) fn archive_look(&self, older_than_days: u32) -> Result<ArchiveLook, StoreError> {
        let order = self.order(older_than_days);
        let look = self.store().archive_preview(&order, LOOK_VERSIONS_MAX)?;
        Ok(ArchiveLook {
            versions: look.versions,
            bytes: look.bytes,
            kept: look.kept,
            whole: look.whole,
        })
    }

    /// All that is older than so many days.
    fn order(&self, older_than_days: u32) -> ArchiveOrder {
        let now = self.shared.host.now();
        let age = i64::from(older_than_days).saturating_mul(DAY_US);
        ArchiveOrder {
            before: Micros(now.0.saturating_sub(age)),
            posting: None,
            now,
        }
    }

    pub(crate) fn storage(&self) -> Result<StorageView, StoreError> {
        let files = self.store().archives()?;
        let work = locked(&self.shared.storage.work);
        Ok(StorageView {
            database: self.store().database_bytes(),
            archives: ArchivesView {
                files: files.len() as u64,
                bytes: files.iter().map(|file| file.bytes).sum(),
                versions: files.iter().map(|file| file.versions).sum(),
                oldest: files.iter().map(|file| file.oldest).min(),
                latest: files.iter().map(|file| file.latest).max(),
            },
            work: work.as_ref().map(|(work, _)| work.clone()),
        })
    }

    /// Begins it; one at a time.
    fn begin_keeping(&self, kind: StorageKind, what: Keeping) -> Result<(), ApiError> {
        let storage = &self.shared.storage;
        let cancel = Cancel::default();
        {
            let mut work = locked(&storage.work);
            if let Some((running, _)) = &*work
                && !running.state.has_ended()
            {
                return Err(ApiError::new(
                    ErrorCode::Busy,
                    "Old history is being archived or brought back already.",
                    "Wait until it is done, or stop it.",
                ));
            }
            let began = StorageWork {
                kind,
                state: StorageState::Moving,
                done: 0,
                total: 0,
                versions: 0,
                began: self.shared.host.now(),
            };
            *work = Some((began, cancel.clone()));
        }
        let mut teller = Teller {
            work: Arc::clone(&storage.work),
            shared: Arc::downgrade(&self.shared),
            told: None,
        };
        teller.change(|_| {});
        let (store, hooks) = (self.store().clone(), self.shared.pipeline.hooks.clone());
        let work = move || {
            let done = archive::keep(&store, &what, true, &mut |now| {
                teller.progress(now);
                hooks.hold_archive(|| cancel.is_cancelled());
                match cancel.is_cancelled() {
                    true => ControlFlow::Break(()),
                    false => ControlFlow::Continue(()),
                }
            });
            teller.ended(done);
        };
        let thread = thread::Builder::new().name("archive".into()).spawn(work);
        let thread = thread.map_err(|e| ApiError::internal(format!("starting to archive: {e}")))?;
        let mut last = storage
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *last = Some(thread);
        Ok(())
    }
}

impl Handle<StartArchive> for Engine {
    fn handle(&self, command: StartArchive) -> Result<(), ApiError> {
        let order = self.order(command.older_than_days);
        self.begin_keeping(StorageKind::Archive, Keeping::Archive(order))
    }
}

impl Handle<BringArchiveBack> for Engine {
    fn handle(&self, _: BringArchiveBack) -> Result<(), ApiError> {
        self.begin_keeping(StorageKind::BringBack, Keeping::BringBack(None))
    }
}

impl Handle<StopArchive> for Engine {
    fn handle(&self, _: StopArchive) -> Result<(), ApiError> {
        if let Some((_, cancel)) = &*locked(&self.shared.storage.work) {
            cancel.cancel();
        }
        Ok(())
    }
}
