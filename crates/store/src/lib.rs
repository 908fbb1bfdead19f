//! The SQLite cache: the log, the state beside it, and the projections rebuilt from the log.
//!
//! [`Store::open`] opens or makes the database of a data folder. One thread writes ([`writer`]):
//! it takes what queued up while the last transaction went to disk, folds it, and commits log and
//! projections together, so whoever got an answer knows it is durable. Readers have connections of
//! their own ([`read`]). [`project`] holds the projections and their rebuild.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod answers;
mod archive;
mod biography;
pub mod branches;
pub mod bundle;
mod drafts;
mod error;
pub mod feeds;
mod find;
pub mod history;
mod intake;
pub mod log;
mod open;
pub mod outbox;
mod outline;
pub mod private;
pub mod project;
pub mod read;
mod replay;
mod reversal;
pub mod snapshot;
#[doc(hidden)]
pub mod sql;
pub mod streams;
pub mod suggest;
mod timeline;
mod write;
pub mod writer;

pub use answers::ModelAnswer;
pub use archive::{
    ArchiveFile, ArchiveOrder, ArchivePreview, ArchiveProblem, ArchiveProgress, ArchiveStep,
    ArchiveWatch, Archived, BroughtBack, FOLDER as ARCHIVE_FOLDER,
};
pub use biography::{DecisionMark, EMPLOYER_MAX, LIFE_MAX, Life, Look, LookMark, OtherPosting};
pub use bundle::Imported;
pub use drafts::Draft;
pub use error::StoreError;
pub use feeds::{Feed, FeedSettings};
pub use find::{FIND_ROWS_MAX, FoundPosting, FoundRun};
pub use history::{Branch, MAIN, MergePreview, MergeRequest, Merged, NewBranch, RestoreRequest};
pub use log::{LogEntry, LogFilter, LogRow, LogSummary, Matches};
#[doc(hidden)]
pub use open::OpenOptions;
pub use open::{DATABASE, SCHEMA, Store};
pub use outbox::{
    EndedMark, EntryName, Held, NewEntry, OutboxCounts, OutboxEntry, OutboxRow, RunDelivery,
};
pub use project::Rebuilt;
pub use reversal::{Reversals, Undone, UnmergePreview, UnmergeRequest, UnmergeSide};
pub use streams::{
    FeedEntry, LogEvent, Published, Received, ReceivedCount, StreamInfo, StreamPage,
};
pub use suggest::{Acceptance, Accepted, Asked, Dismissal, Heard};
pub use timeline::{TimelineFilter, TimelineParts};
pub use write::{FinishedRun, NewCapture, PersonChange};
pub use writer::{Changes, Pending};
