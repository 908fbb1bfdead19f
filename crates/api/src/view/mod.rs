//! View queries and the rows they give: one file a subject.

mod biography;
mod card;
mod feed;
mod files;
mod find;
mod history;
mod model;
mod run;
mod serving;
mod storage;

pub use biography::{
    BiographyPage, LifeEvent, LifeRow, LookRow, RepostRow, SignalMark, TextChange,
};
pub use card::{
    CardView, DraftRow, KnownView, PostingOrder, PostingRow, ReceiptView, StepRow, SuggestionsView,
    TEXT_BYTES_MAX, TextView,
};
pub use feed::{
    DIGEST_RUNS_MAX, DelayView, DigestView, FeedHealth, FeedRow, Health, LinkState, LinkView,
    OutboxRow, OutboxWhy, QuarantineRow, SENT_CHARS_MAX, SENT_MAX, SUBSCRIPTIONS_MAX, SentRow,
    StreamRow, TokenPlace, Traffic,
};
pub use files::{
    EXPORTS_MAX, ExportLook, ExportRow, ExportState, IMPORTED_LISTED_MAX, IMPORTS_MAX, ImportDone,
    ImportRow, ImportState, ImportedPosting,
};
pub use find::{FOUND_MAX, FoundRow, FoundView};
pub use history::{
    AuthorRow, BranchRow, BranchesView, ChangeRow, ConflictRow, DifferenceRow, MergeKind,
    MergeView, PARTS_MAX, ReversalView, SaidView, TimelineFilter, TimelinePartsView, UnmergeSide,
    UnmergeView, VersionRow,
};
pub use model::ModelView;
pub use run::{
    ArtifactRow, COMPARED_FIELDS_MAX, EventFilter, EventRow, Extent, FieldPairRow, FieldSide,
    FieldsComparedView, IssueRow, LogPage, LogRow, NodeRow, RUN_GAPS_MAX, RUN_ISSUES_MAX,
    RunFilter, RunRow, RunView, ScoreRow,
};
pub use serving::ServingView;
pub use storage::{
    ArchiveLook, ArchivesView, StorageDone, StorageKind, StorageState, StorageView, StorageWork,
};

use crate::export::ExportForm;
use ghostlight_model::{CaptureId, CommitId, Layer, PostingId, RunId, suggest::Accuracy};
use serde::{Deserialize, Serialize};

/// A view's number, given by the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ViewId(pub u32);

/// At most so many views at once; a ping names as many, else says *all*.
pub const VIEWS_MAX: usize = 32;

/// Rows of a page at most; a larger range is cut to it.
pub const ROWS_MAX: u32 = 500;

/// The name of the Tauri event that carries a [`Ping`].
pub const PING_EVENT: &str = "views-dirty";

/// The name of the Tauri event that carries an [`Opened`].
pub const OPENED_EVENT: &str = "opened";

/// The name of the Tauri event that carries a [`Notice`].
pub const NOTICE_EVENT: &str = "notice";

/// "These views changed": the window pulls them. JSON, one outstanding at most.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ping {
    /// Which; `None` is all.
    pub views: Option<Vec<ViewId>>,
}

/// "Show this": a file was dropped on the window or given on the command line, or a notification was clicked. JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Opened {
    /// A run or a posting.
    Subject(Subject),
    /// A feed's connection in detail.
    Feed(i64),
    /// The bundles that are taken over.
    Imports,
}

/// A message for the notifications region. JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// `info`, `success`, `warning` or `error`; errors stay until dismissed.
    pub kind: String,
    /// What happened.
    pub title: String,
    /// What it means and what to do.
    pub body: String,
}

/// What a card, log or receipt is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// A run; once it knows its posting, the card is the posting's.
    Run(RunId),
    /// A posting.
    Posting(PostingId),
}

/// A range of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Range {
    /// The first row, from 0; [`Range::NEWEST`] in a log for its last rows, whichever they are.
    pub start: u32,
    /// How many, at most [`ROWS_MAX`].
    pub len: u32,
}

impl Range {
    /// The `start` that asks a log ([`ViewQuery::Events`]) for its last rows; its page says where they begin. A view
    /// that follows the newest asks so for the same all the time, and is answered in one step.
    pub const NEWEST: u32 = u32::MAX;

    /// The row of `total` that it begins with.
    pub fn first_of(self, total: u32) -> u32 {
        match self.start {
            Self::NEWEST => total.saturating_sub(self.len),
            start => start,
        }
    }
}

/// What a view shows.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ViewQuery {
    /// The postings list.
    Postings {
        /// How ordered.
        order: PostingOrder,
        /// Which rows.
        range: Range,
    },
    /// The runs list, latest first.
    Runs {
        /// Which runs.
        filter: RunFilter,
        /// Which rows.
        range: Range,
    },
    /// One run as the monitor shows it.
    Run(RunId),
    /// The card of a subject.
    Card(Subject),
    /// The card of one of our own runs as it was known after one of its events.
    Known {
        /// Which run.
        run: RunId,
        /// The last event that is known; beyond the log's end the last one.
        offset: u64,
    },
    /// What two of our own runs found, field by field.
    FieldsCompared {
        /// The one.
        this: RunId,
        /// The other.
        other: RunId,
    },
    /// The event log of a subject's latest run, oldest first.
    Events {
        /// Of what.
        subject: Subject,
        /// Which events.
        filter: EventFilter,
        /// Which rows.
        range: Range,
    },
    /// The body of one event, verbatim. Immutable, as a text.
    EventBody {
        /// Of which run.
        run: RunId,
        /// Its epoch.
        epoch: u64,
        /// Its place in it.
        offset: u64,
    },
    /// The feeds, with their connections.
    Feeds,
    /// Messages of a feed that could not be read, latest first.
    Quarantine {
        /// Of which feed.
        feed: i64,
        /// Which rows.
        range: Range,
    },
    /// What waits to be sent to a feed's hub, oldest first.
    Outbox {
        /// To which feed.
        feed: i64,
        /// Which rows.
        range: Range,
    },
    /// What happened while the window or a feed was away: the oldest summary that was not put away.
    Digest,
    /// A text layer of a capture. Immutable: never dirty after the first pull.
    Text {
        /// Which capture.
        capture: CaptureId,
        /// Which layer.
        layer: Layer,
    },
    /// The receipt of a subject's latest run.
    Receipt(Subject),
    /// The timeline of a posting, latest first; with a field in the filter, that field's blame.
    Timeline {
        /// Of which posting.
        posting: PostingId,
        /// Which versions.
        filter: TimelineFilter,
        /// Which rows.
        range: Range,
    },
    /// What the timeline of a posting can be narrowed by.
    TimelineParts(PostingId),
    /// The life of a posting, the latest first: looks, decisions, reposts, and the quiet in between.
    Biography {
        /// Of which posting.
        posting: PostingId,
        /// Which rows.
        range: Range,
    },
    /// A posting's branches, and what undo and redo would do.
    Branches(PostingId),
    /// What merging a branch into the checked-out one comes to.
    Merge {
        /// Of which posting.
        posting: PostingId,
        /// The branch to merge.
        from: String,
    },
    /// What taking a merge back comes to, by the side that is kept.
    Unmerge {
        /// Of which posting.
        posting: PostingId,
        /// The merge.
        merge: CommitId,
    },
    /// The fields in which two versions of a posting differ. Immutable, as its versions.
    Compare {
        /// Of which posting.
        posting: PostingId,
        /// The one.
        before: CommitId,
        /// The other.
        after: CommitId,
    },
    /// Suggestions for the fields of a posting's card.
    Suggestions(PostingId),
    /// How right the methods were, by field and method, as persons judged them.
    Accuracy,
    /// The model that is set up.
    Model,
    /// Whether other programs may connect, and who does.
    Serving,
    /// The state of feeds and store.
    Health,
    /// What an export would be, as of when it was asked. It answers in a moment, however much there is: see
    /// [`ExportLook::whole`].
    ExportLook(Box<ExportForm>),
    /// Persons who have a name here, as of when they were asked for; at most [`PARTS_MAX`].
    Authors,
    /// The exports of this session, the latest first.
    Exports,
    /// The bundles taken over in this session, the latest first.
    Imports,
    /// What the data folder holds, and what is done with old history.
    Storage,
    /// What archiving would do, as of when it was asked for.
    ArchiveLook {
        /// To versions older than so many days.
        older_than_days: u32,
    },
    /// Postings and runs that answer a few typed words, as of when they were asked for.
    Find {
        /// As typed.
        text: String,
    },
}

impl ViewQuery {
    /// Whether what it shows never changes once it is there.
    pub fn is_immutable(&self) -> bool {
        matches!(
            self,
            ViewQuery::Text { .. } | ViewQuery::EventBody { .. } | ViewQuery::Compare { .. }
        )
    }
}

/// The rows of a view.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum ViewData {
    /// Of [`ViewQuery::Postings`].
    Postings(Page<PostingRow>),
    /// Of [`ViewQuery::Runs`].
    Runs(Page<RunRow>),
    /// Of [`ViewQuery::Card`].
    Card(Box<CardView>),
    /// Of [`ViewQuery::Known`].
    Known(Box<KnownView>),
    /// Of [`ViewQuery::Run`].
    Run(Box<RunView>),
    /// Of [`ViewQuery::FieldsCompared`].
    FieldsCompared(Box<FieldsComparedView>),
    /// Of [`ViewQuery::Events`].
    Events(LogPage),
    /// Of [`ViewQuery::EventBody`].
    EventBody(String),
    /// Of [`ViewQuery::Feeds`].
    Feeds(Vec<FeedRow>),
    /// Of [`ViewQuery::Quarantine`].
    Quarantine(Page<QuarantineRow>),
    /// Of [`ViewQuery::Outbox`].
    Outbox(Page<OutboxRow>),
    /// Of [`ViewQuery::Digest`].
    Digest(Option<DigestView>),
    /// Of [`ViewQuery::Text`].
    Text(TextView),
    /// Of [`ViewQuery::Receipt`]; `None` while the run is under way.
    Receipt(Option<ReceiptView>),
    /// Of [`ViewQuery::Timeline`].
    Timeline(Page<VersionRow>),
    /// Of [`ViewQuery::TimelineParts`].
    TimelineParts(TimelinePartsView),
    /// Of [`ViewQuery::Biography`].
    Biography(BiographyPage),
    /// Of [`ViewQuery::Branches`].
    Branches(Box<BranchesView>),
    /// Of [`ViewQuery::Merge`].
    Merge(Box<MergeView>),
    /// Of [`ViewQuery::Unmerge`].
    Unmerge(UnmergeView),
    /// Of [`ViewQuery::Compare`].
    Compare(Vec<DifferenceRow>),
    /// Of [`ViewQuery::Suggestions`].
    Suggestions(Box<SuggestionsView>),
    /// Of [`ViewQuery::Accuracy`].
    Accuracy(Vec<Accuracy>),
    /// Of [`ViewQuery::Model`].
    Model(Box<ModelView>),
    /// Of [`ViewQuery::Serving`].
    Serving(Box<ServingView>),
    /// Of [`ViewQuery::Health`].
    Health(Health),
    /// Of [`ViewQuery::ExportLook`].
    ExportLook(ExportLook),
    /// Of [`ViewQuery::Authors`].
    Authors(Vec<AuthorRow>),
    /// Of [`ViewQuery::Exports`].
    Exports(Vec<ExportRow>),
    /// Of [`ViewQuery::Imports`].
    Imports(Vec<ImportRow>),
    /// Of [`ViewQuery::Storage`].
    Storage(Box<StorageView>),
    /// Of [`ViewQuery::ArchiveLook`].
    ArchiveLook(ArchiveLook),
    /// Of [`ViewQuery::Find`].
    Found(FoundView),
    /// The view could not be read.
    Failed(crate::ApiError),
}

/// A page of rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Page<T> {
    /// How many rows there are in all.
    pub total: u32,
    /// The number of the first row here.
    pub start: u32,
    /// The rows.
    pub rows: Vec<T>,
}
