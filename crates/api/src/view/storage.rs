//! What the data folder holds, and old history put away from it or brought back (SPEC E6).

use ghostlight_model::Micros;
use serde::{Deserialize, Serialize};

/// What lies in the data folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StorageView {
    /// The database, in bytes.
    pub database: u64,
    /// The archive files of old history.
    pub archives: ArchivesView,
    /// What is done with it, or was done last in this session.
    pub work: Option<StorageWork>,
}

/// Old history that is archived.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchivesView {
    /// Files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Versions in them.
    pub versions: u64,
    /// When the oldest of them was made.
    pub oldest: Option<Micros>,
    /// When the latest of them was made.
    pub latest: Option<Micros>,
}

/// What archiving would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchiveLook {
    /// Versions that would go into files.
    pub versions: u64,
    /// Bytes of what they say; in a file they are compressed.
    pub bytes: u64,
    /// Old versions that would stay in the database, since a card is made from them.
    pub kept: u64,
    /// Whether that is all; of a large database only a part was looked at, and there may be more of each.
    pub whole: bool,
}

/// Old history that is archived or brought back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StorageWork {
    /// Which of both.
    pub kind: StorageKind,
    /// How it stands.
    pub state: StorageState,
    /// Postings looked through, or files brought back.
    pub done: u64,
    /// Of how many.
    pub total: u64,
    /// Versions moved.
    pub versions: u64,
    /// When it began.
    pub began: Micros,
}

/// What is done with old history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum StorageKind {
    /// It is put into compressed files.
    Archive,
    /// It is brought back into the database.
    BringBack,
}

/// How it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum StorageState {
    /// Under way.
    Moving,
    /// Done but for giving the room back to the system; saving waits meanwhile.
    Compacting,
    /// It is done, or was stopped.
    Done(Box<StorageDone>),
    /// It failed. What was moved before stays moved; nothing is lost.
    Failed(crate::ApiError),
}

impl StorageState {
    /// Whether nothing more happens.
    pub fn has_ended(&self) -> bool {
        matches!(self, Self::Done(_) | Self::Failed(_))
    }
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StorageDone {
    /// Versions moved.
    pub versions: u64,
    /// Files written, or removed.
    pub files: u64,
    /// Old versions that stay in the database, since a card is made from them.
    pub kept: u64,
    /// Bytes of database and archives before and afterwards.
    pub bytes: (u64, u64),
    /// Why the room could not be given back to the system; the database uses it for what comes.
    pub not_compacted: Option<crate::ApiError>,
    /// Whether a person stopped it.
    pub stopped: bool,
}
