//! Old history put away and brought back, and the room it took given back to the system (SPEC E6).

use crate::Engine;
pub use ghostlight_store::{
    ArchiveFile, ArchiveOrder, ArchivePreview, ArchiveProblem, ArchiveProgress, ArchiveStep,
    Archived, BroughtBack,
};
use ghostlight_store::{Store, StoreError};
use std::ops::ControlFlow;

/// What is done with old history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keeping {
    /// It is put away.
    Archive(ArchiveOrder),
    /// It is brought back, out of the files with these names, or out of all.
    BringBack(Option<Vec<String>>),
}

/// What was done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    /// Versions moved.
    pub versions: u64,
    /// Files written, or removed.
    pub files: u64,
    /// Old versions that stay where they are.
    pub kept: u64,
    /// Whether it was stopped.
    pub stopped: bool,
    /// Bytes of database and archive files, before and afterwards.
    pub bytes: (u64, u64),
    /// Whether the room was given back to the system, or why it could not be. `None` if that was not asked for, or
    /// nothing was moved.
    pub compacted: Option<Result<(), StoreError>>,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeepingProgress {
    /// History is moved.
    Moving(ArchiveProgress),
    /// The room is given back; other changes wait.
    Compacting,
}

impl Engine {
    /// Archives old history, or brings it back; then, if `compact` says so, gives the room back to the system. `watch`
    /// says whether to go on.
    ///
    /// # Errors
    /// As [`Store::archive`] and [`Store::bring_back`]. That there is no room to compact is none: it stands in the
    /// answer.
    pub fn keep(
        &self,
        what: &Keeping,
        compact: bool,
        watch: &mut dyn FnMut(KeepingProgress) -> ControlFlow<()>,
    ) -> Result<Kept, StoreError> {
        keep(self.store(), what, compact, watch)
    }
}

pub(crate) fn keep(
    store: &Store,
    what: &Keeping,
    compact: bool,
    watch: &mut dyn FnMut(KeepingProgress) -> ControlFlow<()>,
) -> Result<Kept, StoreError> {
    let before = bytes(store)?;
    let mut moving = |now| watch(KeepingProgress::Moving(now));
    let mut kept = match what {
        Keeping::Archive(order) => {
            let done = store.archive(order, &mut moving)?;
            Kept {
                versions: done.versions,
                files: done.files,
                kept: done.kept,
                stopped: done.stopped,
                ..Kept::default()
            }
        }
        Keeping::BringBack(names) => {
            let done = store.bring_back(names.as_deref(), &mut moving)?;
            Kept {
                versions: done.versions,
                files: done.files,
                stopped: done.stopped,
                ..Kept::default()
            }
        }
    };
    if compact && kept.versions > 0 && !kept.stopped {
        // It cannot be stopped half-way; whoever wants that has done so before.
        let _ = watch(KeepingProgress::Compacting);
        kept.compacted = Some(store.compact().wait());
    }
    kept.bytes = (before, bytes(store)?);
    Ok(kept)
}

/// The bytes of database and archive files.
fn bytes(store: &Store) -> Result<u64, StoreError> {
    let files = store.archives()?;
    Ok(store.database_bytes() + files.iter().map(|file| file.bytes).sum::<u64>())
}
