//! Imports of bundles in the background: begun by a command or a drop, watched as a view (SPEC E4).
//!
//! A bundle is read twice: once to verify it, once to take it over in one transaction. Either is stopped by a command,
//! and then nothing of it is here. Closing the engine waits for the one
//! under way; what it was taking over is there as a whole afterwards, or not at all.

use crate::{
    Engine, Handle, Shared,
    bundle::{self, ImportError, Imported, Reading},
    export::Cancel,
    store_error,
};
use ghostlight_api::{
    ApiError, ErrorCode,
    command::{CancelImport, ChooseBundle, StartImport},
    view::{
        IMPORTED_LISTED_MAX, IMPORTS_MAX, ImportDone, ImportRow, ImportState, ImportedPosting,
        ViewQuery,
    },
};
use ghostlight_model::{CommitId, Micros, PostingId};
use ghostlight_store::{Store, StoreError, branches::IMPORTED};
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    thread::{self, JoinHandle},
};

/// The imports of this session.
#[derive(Default)]
pub(crate) struct Imports {
    list: Arc<Mutex<List>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Default)]
struct List {
    next: u64,
    /// The latest first.
    rows: Vec<(ImportRow, Cancel)>,
}

impl Imports {
    /// The latest first.
    pub fn rows(&self) -> Vec<ImportRow> {
        let rows = &locked(&self.list).rows;
        rows.iter().map(|(row, _)| row.clone()).collect()
    }

    /// Adds a row; the oldest goes. One at a time: the second would wait for the first's transaction anyway.
    fn add(&self, path: String, began: Micros) -> Result<(u64, Cancel), ApiError> {
        let mut list = locked(&self.list);
        if list.rows.iter().any(|(row, _)| !row.state.has_ended()) {
            return Err(ApiError::new(
                ErrorCode::Busy,
                "A bundle is being taken over already.",
                "Wait until it is done, or stop it.",
            ));
        }
        list.next += 1;
        let (id, cancel) = (list.next, Cancel::default());
        let row = ImportRow {
            id,
            path,
            state: ImportState::Verifying,
            pieces: 0,
            total: 0,
            began,
        };
        list.rows.insert(0, (row, cancel.clone()));
        list.rows.truncate(IMPORTS_MAX);
        Ok((id, cancel))
    }
}

impl Drop for Imports {
    fn drop(&mut self) {
        let thread = self.thread.get_mut();
        let thread = thread.unwrap_or_else(PoisonError::into_inner).take();
        // The last owner may be that thread, which cannot wait for itself.
        if let Some(thread) = thread.filter(|it| it.thread().id() != thread::current().id()) {
            let _ = thread.join();
        }
    }
}

fn locked(list: &Mutex<List>) -> MutexGuard<'_, List> {
    list.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the thread of an import changes, and whom it tells.
#[derive(Clone)]
struct Teller {
    id: u64,
    list: Arc<Mutex<List>>,
    shared: Weak<Shared>,
}

impl Teller {
    fn change(&self, change: impl FnOnce(&mut ImportRow)) {
        let mut list = locked(&self.list);
        let row = list.rows.iter_mut().find(|(row, _)| row.id == self.id);
        if let Some((row, _)) = row {
            change(row);
        }
        drop(list);
        if let Some(shared) = self.shared.upgrade() {
            let ping = shared.desk().turned(&ViewQuery::Imports);
            shared.ping(ping);
        }
    }

    fn progress(&self, reading: Reading) {
        self.change(|row| {
            (row.pieces, row.total) = (reading.pieces, reading.total);
            row.state = match reading.taking {
                true => ImportState::Taking,
                false => ImportState::Verifying,
            };
        });
    }

    fn ended(&self, store: &Store, done: Result<Imported, ImportError>) {
        let state = match done {
            Ok(done) => match told(store, &done) {
                Ok(done) => ImportState::Done(Box::new(done)),
                Err(error) => ImportState::Failed(store_error(&error)),
            },
            Err(ImportError::Cancelled) => ImportState::Cancelled,
            Err(error) => ImportState::Failed(error.told()),
        };
        self.change(|row| row.state = state);
    }
}

/// What came, with the names that people know it by.
fn told(store: &Store, done: &Imported) -> Result<ImportDone, StoreError> {
    let mut listed = Vec::new();
    // Those whose history went on in both places first: they wait for a person.
    let others = done.postings.iter();
    let others = others.filter(|posting| !done.forked.contains_key(*posting));
    for posting in done.forked.keys().chain(others).take(IMPORTED_LISTED_MAX) {
        listed.push(ImportedPosting {
            posting: *posting,
            title: match store.posting(*posting)? {
                Some(found) => found.summary.title,
                None => posting.to_string(),
            },
            branches: branches_of(store, *posting, &done.forked)?,
        });
    }
    Ok(ImportDone {
        postings: done.postings.len() as u64,
        new_postings: done.new_postings,
        captures: done.captures,
        events: done.events,
        observations: done.observations,
        commits: done.commits,
        listed,
    })
}

/// The branches on which the ends that came stand.
fn branches_of(
    store: &Store,
    posting: PostingId,
    forked: &BTreeMap<PostingId, Vec<CommitId>>,
) -> Result<Vec<String>, StoreError> {
    let Some(heads) = forked.get(&posting) else {
        return Ok(Vec::new());
    };
    let branches = store.branches(posting)?.into_iter();
    let came = branches.filter(|branch| {
        // Of the two ends, the one that was here stands on the branch it had.
        heads.contains(&branch.head) && branch.name.starts_with(IMPORTED)
    });
    Ok(came.map(|branch| branch.name).collect())
}

impl Handle<StartImport> for Engine {
    fn handle(&self, command: StartImport) -> Result<u64, ApiError> {
        let imports = &self.shared.imports;
        let (id, cancel) = imports.add(command.path.clone(), self.shared.host.now())?;
        let teller = Teller {
            id,
            list: Arc::clone(&imports.list),
            shared: Arc::downgrade(&self.shared),
        };
        let (store, hooks) = (self.store().clone(), self.shared.pipeline.hooks.clone());
        let work = move || {
            let path = PathBuf::from(command.path);
            let telling = teller.clone();
            let asked = cancel.clone();
            let progress = Arc::new(move |reading: Reading| {
                telling.progress(reading);
                if reading.taking {
                    let taken = (reading.pieces, reading.total);
                    hooks.hold_import(id, taken, || asked.is_cancelled());
                }
            });
            let done = bundle::take_over(&store, &path, &cancel, progress);
            teller.ended(&store, done);
        };
        let thread = thread::Builder::new().name("import".into()).spawn(work);
        let thread = thread.map_err(|e| ApiError::internal(format!("starting an import: {e}")))?;
        let mut last = imports
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *last = Some(thread);
        Ok(id)
    }
}

impl Handle<CancelImport> for Engine {
    fn handle(&self, command: CancelImport) -> Result<(), ApiError> {
        let list = locked(&self.shared.imports.list);
        let found = list.rows.iter().find(|(row, _)| row.id == command.id);
        let (_, cancel) = found.ok_or_else(|| {
            ApiError::new(
                ErrorCode::NotFound,
                format!("Import {} is not in the list.", command.id),
                "It ended a while ago.",
            )
        })?;
        cancel.cancel();
        Ok(())
    }
}

impl Handle<ChooseBundle> for Engine {
    fn handle(&self, _: ChooseBundle) -> Result<Option<String>, ApiError> {
        let chosen = self.shared.host.choose_bundle()?;
        Ok(chosen.map(|path| path.display().to_string()))
    }
}
