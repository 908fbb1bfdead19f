//! View queries and the rows they give.

mod model;
mod storage;

pub use model::ModelView;
pub use storage::{
    ArchiveLook, ArchivesView, StorageDone, StorageKind, StorageState, StorageView, StorageWork,
};

use crate::command::{ExportForm, ExportKind};
use ghostlight_model::{
    CaptureId, CommitId, Confidence, Day, FieldKey, FieldValue, Issue, Layer, Micros, PostingId,
    RunId, Severity, Source,
    assess::{Assessment, Level, Signal},
    card::{CardField, RecordedOutcome, Verdict},
    event::ModelUse,
    liveness::Pulse,
    receipt::Receipt,
    run::{Artifact, Attempt, Failure, NodeStatus, RunLine, RunStatus},
    suggest::{Accuracy, Suggestion},
};
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

/// How the postings list is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PostingOrder {
    /// Latest activity first.
    #[default]
    Recent,
    /// Most doubt first.
    Doubt,
    /// By title.
    Title,
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
    /// The state of feeds and store.
    Health,
    /// What an export would be, as of when it was asked.
    ExportLook(Box<ExportForm>),
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
    /// Of [`ViewQuery::Health`].
    Health(Health),
    /// Of [`ViewQuery::ExportLook`].
    ExportLook(ExportLook),
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

/// A line of the postings list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PostingRow {
    /// Which posting.
    pub posting: PostingId,
    /// The title, or the input's name before one is known.
    pub title: String,
    /// The employer, or empty.
    pub company: String,
    /// The place, or empty.
    pub place: String,
    /// How much doubt, once assessed.
    pub level: Option<Level>,
    /// While a run is under way: fields found and fields in all.
    pub progress: Option<(u32, u32)>,
    /// Why the latest run failed, if it did.
    pub failure: Option<String>,
    /// The analyst's verdict.
    pub verdict: Option<String>,
    /// Latest activity.
    pub updated: Micros,
}

/// Which runs the list shows; the default is all.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct RunFilter {
    /// Only of this origin, as [`RunRow::origin`] names it.
    pub origin: Option<String>,
    /// Only with this status.
    pub status: Option<RunStatus>,
    /// Only with this text in the name.
    pub text: String,
}

/// A line of the runs list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRow {
    /// What stands there.
    pub line: RunLine,
    /// The posting's title, once known.
    pub title: Option<String>,
    /// Where it is from: `local`, `hub`, or `feed:ID`.
    pub origin: String,
    /// The same in words.
    pub source: String,
    /// Of a run that has not ended: what tells quiet from stalled and dead.
    pub pulse: Option<Pulse>,
}

/// Everything the monitor shows of a run, but for its log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunView {
    /// Its line.
    pub row: RunRow,
    /// The number of the feed it is from, if that is set up.
    pub feed: Option<i64>,
    /// How that feed's connection stands.
    pub link: Option<LinkView>,
    /// Steps in order of first appearance.
    pub nodes: Vec<NodeRow>,
    /// The latest of each score, by name.
    pub scores: Vec<ScoreRow>,
    /// What the nodes left behind, in order of first appearance.
    pub artifacts: Vec<ArtifactRow>,
    /// Issues, the latest first; at most [`RUN_ISSUES_MAX`].
    pub issues: Vec<IssueRow>,
    /// What is stored of its stream.
    pub extent: Extent,
    /// Nodes, scores and artifacts that are in the log only, because there are too many.
    pub left_out: u64,
}

/// Issues of a run that the monitor lists; all are in the log.
pub const RUN_ISSUES_MAX: usize = 100;
/// Gaps of a run that the monitor lists; all are in the log.
pub const RUN_GAPS_MAX: usize = 50;

/// A step of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NodeRow {
    /// Its name.
    pub node: String,
    /// Where it stands.
    pub status: NodeStatus,
    /// When it began, the last time.
    pub started: Micros,
    /// How long it took, in milliseconds.
    pub duration_ms: Option<f64>,
    /// How often it began.
    pub attempts: u32,
    /// How many issues it has.
    pub issues: u64,
    /// What it should have left behind and did not.
    pub missing: Vec<String>,
    /// The attempts that ended, the latest of them, in order.
    pub ended: Vec<Attempt>,
}

/// A score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoreRow {
    /// Its name.
    pub name: String,
    /// The value.
    pub value: f64,
    /// The value before, if there was one.
    pub before: Option<f64>,
    /// The step that reported it.
    pub node: String,
    /// When.
    pub ts: Micros,
}

/// Something a step left behind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ArtifactRow {
    /// What it is.
    pub artifact: Artifact,
    /// Whether it was announced without saying where it is, or what is in it.
    pub incomplete: bool,
}

/// An issue of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IssueRow {
    /// The step.
    pub node: String,
    /// What.
    pub issue: Issue,
}

/// What is stored of a run's stream, and whether that is all.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Extent {
    /// Epoch, first and last offset; `None` while nothing is stored.
    pub current: Option<(u64, u64, u64)>,
    /// Offsets that will never come.
    pub missing: u64,
    /// How many gaps they are in.
    pub gap_count: u64,
    /// The gaps: first, last, why; the latest first, at most [`RUN_GAPS_MAX`].
    pub gaps: Vec<(u64, u64, String)>,
    /// How often the source began its log anew.
    pub restarts: u64,
    /// Whether the source numbers its events, so that *complete* is a fact. Numbers of our own prove nothing. `None`
    /// where that is not known, as of a feed that was removed.
    pub proven: Option<bool>,
}

/// Everything the card shows.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct CardView {
    /// The posting, once known.
    pub posting: Option<PostingId>,
    /// The run shown, the latest one of the posting.
    pub run: Option<RunId>,
    /// The title, or the input's name before one is known.
    pub title: String,
    /// What the latest run was given.
    pub input: String,
    /// The address of the captured page, where there is one.
    pub url: Option<String>,
    /// The capture the evidence stands in.
    pub capture: Option<CaptureId>,
    /// When it was captured.
    pub captured_at: Option<Micros>,
    /// Number of commits.
    pub version: u32,
    /// The latest run's status.
    pub status: Option<RunStatus>,
    /// The seven steps, in order.
    pub steps: Vec<StepRow>,
    /// The model that the latest run asked, if it asked one.
    pub model: Option<ModelUse>,
    /// When the latest run began: values of a model that were seen before are of another run's.
    pub began: Option<Micros>,
    /// Fields, in the order of the card.
    pub fields: Vec<CardField>,
    /// Signals, in the order to show.
    pub signals: Vec<Signal>,
    /// What they add up to, once assessed.
    pub assessment: Option<Assessment>,
    /// Why the run failed, if it did: which step, why, what to do.
    pub failure: Option<Failure>,
    /// The analyst's verdict.
    pub verdict: Option<Verdict>,
    /// Outcomes, oldest first.
    pub outcomes: Vec<RecordedOutcome>,
    /// What was typed and not saved.
    pub drafts: Vec<DraftRow>,
}

/// A card as it was known then.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KnownView {
    /// The card; what was typed and not saved is no part of it.
    pub card: CardView,
    /// The last event that is known.
    pub offset: u64,
    /// How many events the run has by now.
    pub total: u64,
    /// When the last of the known events was.
    pub at: Micros,
    /// Of a long run that is read bit by bit: how many events are known so far, and how many there are to be known.
    pub looked: Option<(u64, u64)>,
}

/// Text that was typed into a field and could not be saved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DraftRow {
    /// Of which field.
    pub field: FieldKey,
    /// As typed.
    pub text: String,
    /// When it was kept.
    pub at: Micros,
}

/// A step of the indicator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepRow {
    /// `FETCH` … `SCORE`.
    pub node: String,
    /// Where it stands.
    pub status: NodeStatus,
    /// How long it took, in milliseconds.
    pub duration_ms: Option<f64>,
    /// When it began.
    pub started: Option<Micros>,
    /// What went wrong or deserves a look.
    pub issues: Vec<String>,
}

/// Which events a log shows; the default is all.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct EventFilter {
    /// Only of this step.
    pub node: Option<String>,
    /// Only of this phase.
    pub phase: Option<String>,
    /// Only with an issue, or of a step that failed.
    pub issues: bool,
    /// Only with this text in the body.
    pub text: String,
    /// Leaves out what is before this row of the whole log: *clear view*.
    pub after: u32,
}

/// A page of an event log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogPage {
    /// Whose, once there is one.
    pub run: Option<RunId>,
    /// The rows.
    pub page: Page<LogRow>,
    /// With a filter: how many rows of the log were looked at so far, and how many there are.
    pub looked: Option<(u32, u32)>,
}

/// A row of an event log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum LogRow {
    /// An event.
    Event(EventRow),
    /// Offsets that will never come, both ends included.
    Gap {
        /// Their epoch.
        epoch: u64,
        /// The first.
        from: u64,
        /// The last.
        to: u64,
        /// Why.
        reason: String,
    },
    /// The source began its log anew.
    Restart {
        /// Its epoch from here on.
        epoch: u64,
    },
}

/// An event in a log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventRow {
    /// The stream's epoch.
    pub epoch: u64,
    /// Position in the stream.
    pub offset: u64,
    /// When.
    pub ts: Micros,
    /// The step.
    pub node: String,
    /// `start`, `end`, `fail`, `field`, `signal`, or a word of the source.
    pub phase: String,
    /// How long the step took, in milliseconds.
    pub duration_ms: Option<f64>,
    /// One line: the field and its value, the metrics, or the issue.
    pub summary: String,
    /// The worst of its issues.
    pub severity: Option<Severity>,
}

/// A feed and its connection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeedRow {
    /// Its number.
    pub id: i64,
    /// What people call it.
    pub name: String,
    /// Its address, without credentials.
    pub url: String,
    /// The adapter, once known or chosen.
    pub kind: Option<String>,
    /// The origin of its runs, once known.
    pub origin: Option<String>,
    /// Whether the application connects to it.
    pub enabled: bool,
    /// Whether runs that end here are sent to it.
    pub publish: bool,
    /// The only transport to use; `None` for the best that works.
    pub forced: Option<String>,
    /// Where its token is.
    pub token: TokenPlace,
    /// Whether its events are numbered by the source, so that *complete* is a fact.
    pub proven: bool,
    /// The connection.
    pub link: LinkView,
    /// What came.
    pub traffic: Traffic,
    /// Whether a person can send it messages.
    pub takes_messages: bool,
    /// What a person sent since it is followed, the latest first; at most [`SENT_MAX`].
    pub sent: Vec<SentRow>,
}

/// Messages that a feed's details list.
pub const SENT_MAX: usize = 10;
/// Characters of a message's data that are shown.
pub const SENT_CHARS_MAX: usize = 400;

/// A message that a person sent to a feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentRow {
    /// Counted from the first since it is followed.
    pub number: u64,
    /// When.
    pub at: Micros,
    /// Its name.
    pub event: String,
    /// Its data, cut behind [`SENT_CHARS_MAX`] characters.
    pub data: String,
    /// Why it was not sent, or that this is not known; `None` if it was.
    pub problem: Option<String>,
}

/// Where a feed's token is (SPEC C13).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenPlace {
    /// None is kept.
    None,
    /// In the system's keychain.
    Keychain,
    /// In a file of the data folder that only its owner can read: no keychain answered.
    File,
    /// The environment gave it; nothing is kept.
    Environment,
}

/// How a feed's connection stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LinkView {
    /// What is shown first.
    pub state: LinkState,
    /// The transport in use, or to be tried: `websocket`, `sse`, `long_poll` …
    pub transport: String,
    /// Tries since the last connection; 0 while connected.
    pub attempt: u32,
    /// When the next try begins.
    pub next_try: Option<Micros>,
    /// Since when it stands as it does.
    pub since: Micros,
    /// When it was last connected; now, while it is.
    pub last_connected: Option<Micros>,
    /// The last failure, also of a connection that works again.
    pub last_error: Option<String>,
    /// Of the last ping, there and back, in milliseconds.
    pub latency_ms: Option<u64>,
}

/// How a connection stands (SPEC C1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkState {
    /// Switched off.
    Off,
    /// A try is under way.
    Connecting,
    /// Events arrive at once.
    Connected,
    /// Connected by polling.
    Polling,
    /// Waiting for the next try.
    Reconnecting,
    /// There is no network.
    Offline,
    /// The server refuses the token.
    Refused,
    /// It ended by a fault that trying again does not mend: the store, the settings.
    Stopped,
}

impl LinkState {
    /// Whether events arrive.
    pub fn is_up(self) -> bool {
        matches!(self, LinkState::Connected | LinkState::Polling)
    }
}

/// What came from a feed since the application started.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Traffic {
    /// Events stored.
    pub events: u64,
    /// Events a second, over the last seconds.
    pub rate: f64,
    /// Events that were there already.
    pub duplicates: u64,
    /// When the last one was stored.
    pub last_event: Option<Micros>,
    /// Messages that could not be read, in all.
    pub quarantined: u64,
    /// Tries to connect, and how many of them worked.
    pub connects: (u64, u64),
    /// Share of the time connected, in percent, since the feed was switched on.
    pub uptime_percent: f64,
    /// Streams with their events since the start, the latest first; at most [`SUBSCRIPTIONS_MAX`].
    pub streams: Vec<StreamRow>,
    /// Entries waiting to be sent to it.
    pub waiting: u64,
    /// Entries that it refused: a person decides.
    pub held: u64,
}

/// Streams that a feed's details list.
pub const SUBSCRIPTIONS_MAX: usize = 20;

/// A stream of a feed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StreamRow {
    /// Its name.
    pub stream: String,
    /// Its events.
    pub events: u64,
    /// Events a second, over the last seconds.
    pub rate: f64,
    /// When the last came.
    pub last: Micros,
}

/// A message that could not be read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QuarantineRow {
    /// Its number.
    pub id: i64,
    /// When it came.
    pub at: Micros,
    /// What is wrong with it.
    pub reason: String,
    /// Its beginning, as text.
    pub message: String,
}

/// An entry of the outbox.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutboxRow {
    /// The order of sending.
    pub seq: u64,
    /// By which it is tried again or discarded.
    pub key: String,
    /// What it is.
    pub what: String,
    /// Where to.
    pub stream: String,
    /// Size of its bodies.
    pub bytes: u64,
    /// When it was added.
    pub at: Micros,
    /// Why it waits.
    pub why: OutboxWhy,
}

/// Why an entry of the outbox waits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum OutboxWhy {
    /// For its turn, or for the connection.
    Turn,
    /// The hub does not take it now, in its words; it is sent again by itself.
    Retrying(String),
    /// The hub refused it, in its words: a person decides.
    Held(String),
    /// What is before it in its stream is held.
    BehindHeld,
}

/// *While you were away*: what came in one go after an absence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DigestView {
    /// Made anew for each absence.
    pub id: u64,
    /// Which it is of how many, from 1: those before it were put away, those after it wait.
    pub place: (u32, u32),
    /// Older ones that nobody saw, because too many waited.
    pub left_out: u64,
    /// Of which feed.
    pub source: String,
    /// From when.
    pub from: Micros,
    /// Until when.
    pub until: Micros,
    /// Events that were caught up.
    pub events: u64,
    /// How long that took, in milliseconds.
    pub took_ms: f64,
    /// Offsets that the source does not have any more.
    pub missing: u64,
    /// Runs that began.
    pub began: u32,
    /// Runs that ended well.
    pub finished: u32,
    /// Runs that failed.
    pub failed: u32,
    /// The runs that failed, then the others, the latest first; at most [`DIGEST_RUNS_MAX`].
    pub runs: Vec<RunRow>,
}

/// Runs that a digest lists.
pub const DIGEST_RUNS_MAX: usize = 8;

/// A text layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TextView {
    /// Which layer.
    pub layer: Layer,
    /// The text, at most [`TEXT_BYTES_MAX`] bytes of it.
    pub text: String,
    /// The length of the whole layer in bytes.
    pub total_bytes: u64,
}

/// So much of a layer is shown, in bytes; the rest is counted and said.
pub const TEXT_BYTES_MAX: usize = 2 * 1024 * 1024;

/// The receipt and whose it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReceiptView {
    /// Of which run.
    pub run: RunId,
    /// When the run ended.
    pub ended: Option<Micros>,
    /// The lines.
    pub receipt: Receipt,
    /// Offsets stored of the run's stream: first, last, and how many.
    pub offsets: (u64, u64, u64),
}

/// Which versions a timeline shows; the default is all.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct TimelineFilter {
    /// Only those that change this field.
    pub field: Option<FieldKey>,
    /// Only by this author, as [`VersionRow::author_id`] names them.
    pub author: Option<String>,
    /// Only with a change by this source.
    pub source: Option<Source>,
    /// Only from this instant on.
    pub from: Option<Micros>,
    /// Only before this instant.
    pub before: Option<Micros>,
    /// Only what is on this branch.
    pub branch: Option<String>,
}

/// A version in the timeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VersionRow {
    /// The commit.
    pub id: CommitId,
    /// What it follows; two of a merge.
    pub parents: Vec<CommitId>,
    /// Branches that stand here.
    pub branches: Vec<String>,
    /// Who, as an opaque id.
    pub author_id: String,
    /// Who, by name where known.
    pub author: String,
    /// Whether a person, and not the pipeline or a merge that nobody had to decide about.
    pub by_person: bool,
    /// When.
    pub at: Micros,
    /// Why.
    pub message: String,
    /// `edit`, `run`, `merge`, `undo`, `redo` or `restore`.
    pub kind: String,
    /// The commit that was undone, redone or restored.
    pub about: Option<CommitId>,
    /// What changed; with a field in the filter that field alone.
    pub changes: Vec<ChangeRow>,
    /// Fields that were in conflict and whose value the author decided.
    pub settled: Vec<FieldKey>,
}

/// A field's change in the timeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChangeRow {
    /// Which field.
    pub field: FieldKey,
    /// What it was, at most 120 characters of it; empty for nothing.
    pub old: String,
    /// What it is, likewise.
    pub new: String,
    /// How sure.
    pub confidence: Confidence,
    /// Who says so.
    pub source: Source,
}

/// A page of a posting's life.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BiographyPage {
    /// The rows.
    pub page: Page<LifeRow>,
    /// Whether there is more in the store than a life tells; the timeline has all versions.
    pub partly: bool,
}

/// A row of a posting's life.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LifeRow {
    /// When; of quiet, until when.
    pub at: Micros,
    /// When what stands in the row above was, to see where a day begins; `None` in the first row.
    pub above: Option<Micros>,
    /// What.
    pub what: LifeEvent,
}

/// What happened in a posting's life.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum LifeEvent {
    /// It was looked at.
    Look(Box<LookRow>),
    /// Somebody decided something: an edit, a verdict, an outcome, a merge.
    Decision(Box<VersionRow>),
    /// The same employer published it once more.
    Repost(RepostRow),
    /// Nobody looked, since then and until [`LifeRow::at`].
    Quiet(Micros),
}

/// A look at a posting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LookRow {
    /// The run.
    pub run: RunId,
    /// Where it stands.
    pub status: RunStatus,
    /// What it was given.
    pub input: String,
    /// The address, where there is one.
    pub url: Option<String>,
    /// What was captured, once there is a text.
    pub capture: Option<CaptureId>,
    /// The capture before, if it is another one: what this one is compared with.
    pub before: Option<CaptureId>,
    /// Whether it is the first one.
    pub first: bool,
    /// How the text differs from the capture before; `None` without one, or if it was the same capture.
    pub text: Option<TextChange>,
    /// What it changed on the card.
    pub changes: Vec<ChangeRow>,
    /// The day of posting moved on, from and to: published anew under the same address.
    pub moved: Option<(Day, Day)>,
    /// In a sentence, that the posting is closed or its page gone, if that was not so before.
    pub closed: Option<String>,
    /// Whether it is open again.
    pub reopened: bool,
    /// Signals that were not there before, but for that it is closed.
    pub appeared: Vec<SignalMark>,
    /// Signals that are not there any more, likewise.
    pub went: Vec<SignalMark>,
    /// Why it failed, if it did.
    pub failure: Option<String>,
}

/// How a text differs from one before, in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextChange {
    /// Words that are new.
    pub added: u32,
    /// Words that are gone.
    pub removed: u32,
    /// Words of the longer one.
    pub words: u32,
    /// Whether all of both was compared, and not their beginnings only.
    pub whole: bool,
}

/// A signal in a posting's life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignalMark {
    /// Its stable name.
    pub id: String,
    /// The fact, in a sentence.
    pub statement: String,
    /// Whether it speaks against a real position.
    pub against: bool,
}

/// The same employer's posting under another id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepostRow {
    /// Which.
    pub posting: PostingId,
    /// Its title.
    pub title: String,
    /// Its place, or empty.
    pub place: String,
    /// In how many of a hundred parts its text is the same; `None` if the title is all that is known to be.
    pub alike_percent: Option<u8>,
}

/// A posting's branches, and what undo and redo would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BranchesView {
    /// By name; empty while there is no version.
    pub branches: Vec<BranchRow>,
    /// What undo would do.
    pub undo: ReversalView,
    /// What redo would do.
    pub redo: ReversalView,
    /// The merge that stands above what undo would take back, if there is one.
    pub merge_above: Option<CommitId>,
}

/// A branch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BranchRow {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub head: CommitId,
    /// When that was made.
    pub updated: Micros,
    /// By whom, by name where known.
    pub author: String,
    /// Whether it is checked out.
    pub current: bool,
}

/// What undo or redo would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum ReversalView {
    /// It would change these fields.
    Ready(Vec<ChangeRow>),
    /// It would do nothing; why.
    No(crate::ApiError),
}

/// What merging comes to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MergeView {
    /// The checked-out branch.
    pub ours: BranchRow,
    /// The branch to merge.
    pub theirs: BranchRow,
    /// What kind of merge it is.
    pub kind: MergeKind,
    /// Fields that are settled by rule, and what they become.
    pub settled: Vec<(FieldKey, Option<FieldValue>)>,
    /// Fields that somebody has to decide about.
    pub conflicts: Vec<ConflictRow>,
}

/// What taking a merge back comes to, at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UnmergeView {
    /// Where the checked-out branch stands.
    pub head: CommitId,
    /// Both sides, the one that went on first.
    pub sides: Vec<UnmergeSide>,
}

/// A side of a merge, and what taking the merge back to it would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UnmergeSide {
    /// The version.
    pub version: CommitId,
    /// By whom, by name where known.
    pub author: String,
    /// When.
    pub at: Micros,
    /// Other branches that have this version and not the merge: as a rule it came from there.
    pub branches: Vec<String>,
    /// What would change.
    pub back: ReversalView,
}

impl UnmergeSide {
    /// The side that went on, of both: the one that no other branch has. `None` if that says nothing.
    pub fn own(sides: &[Self]) -> Option<CommitId> {
        let mut own = sides.iter().filter(|side| side.branches.is_empty());
        match (own.next(), own.next()) {
            (Some(one), None) => Some(one.version),
            _ => None,
        }
    }
}

/// What kind of merge it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum MergeKind {
    /// Theirs is in ours already: there is nothing to merge.
    Nothing,
    /// Ours is in theirs: the branch only moves forward.
    Forward,
    /// Both went on: a commit joins them.
    Join,
}

/// A field in conflict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConflictRow {
    /// Which field.
    pub field: FieldKey,
    /// What it was in each common ancestor.
    pub bases: Vec<Option<FieldValue>>,
    /// What it is on the checked-out branch; `None` if nothing stands there.
    pub ours: Option<SaidView>,
    /// What it is on the other branch.
    pub theirs: Option<SaidView>,
}

/// A value with who said it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SaidView {
    /// The value.
    pub value: FieldValue,
    /// How sure.
    pub confidence: Confidence,
    /// Who says so.
    pub source: Source,
    /// By name where known.
    pub author: String,
    /// When.
    pub at: Micros,
}

/// A field in which two versions differ.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DifferenceRow {
    /// Which field.
    pub field: FieldKey,
    /// What stands in the one; `None` if nothing does.
    pub before: Option<SaidView>,
    /// What stands in the other.
    pub after: Option<SaidView>,
}

/// Suggestions for the fields of a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuggestionsView {
    /// Of all fields in the order of the card, of a field the surest first.
    pub suggestions: Vec<Suggestion>,
    /// Whose other postings are meant; empty if the employer is not known.
    pub employer: String,
    /// How right the methods were for these fields.
    pub accuracy: Vec<Accuracy>,
}

/// The state of feeds and store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Health {
    /// Whether the embedded hub answers.
    pub hub_live: bool,
    /// Runs under way.
    pub running: u32,
    /// Postings in the cache.
    pub postings: u32,
    /// Trouble with the store, in a sentence, if there is any.
    pub trouble: Option<String>,
    /// Feeds that are switched on: name, number, and how they stand.
    pub feeds: Vec<FeedHealth>,
}

/// A feed that is switched on, as the indicator needs it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeedHealth {
    /// Its number.
    pub id: i64,
    /// What people call it.
    pub name: String,
    /// Its connection.
    pub link: LinkView,
}

/// Exports that are listed; the oldest that ended goes first.
pub const EXPORTS_MAX: usize = 20;

/// What an export would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportLook {
    /// A file name that says what is inside.
    pub name: String,
    /// All columns that there are to choose from; none for a bundle.
    pub known: Vec<String>,
    /// Rows, or postings of a bundle.
    pub rows: u64,
    /// About how large it would be; `None` for a bundle, whose pages are not looked into.
    pub bytes: Option<u64>,
    /// The columns.
    pub columns: Vec<String>,
    /// The first ten rows as text, long cells cut.
    pub first: Vec<Vec<String>>,
    /// The file's beginning, at most 64 KiB of it.
    pub text: String,
}

/// An export of this session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportRow {
    /// Its number.
    pub id: u64,
    /// What kind of file.
    pub kind: ExportKind,
    /// The file.
    pub path: String,
    /// How it stands.
    pub state: ExportState,
    /// Rows written, or postings.
    pub rows: u64,
    /// Rows there will be.
    pub total: u64,
    /// Bytes written.
    pub bytes: u64,
    /// When it began.
    pub began: Micros,
    /// When it ended.
    pub ended: Option<Micros>,
}

/// How an export stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExportState {
    /// Under way.
    Running,
    /// The file is there.
    Done,
    /// A person stopped it; nothing is left.
    Cancelled,
    /// It failed; nothing is left.
    Failed(crate::ApiError),
}

/// Postings, and as many runs, that an answer to [`ViewQuery::Find`] holds at most.
pub const FOUND_MAX: usize = 20;

/// What answers a few typed words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundView {
    /// The postings, then the runs, each the best first.
    pub rows: Vec<FoundRow>,
    /// Whether older postings or runs were looked at by their beginnings only, or not at all.
    pub partly: bool,
}

/// A posting or a run that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundRow {
    /// Which.
    pub subject: Subject,
    /// A posting's title, or a run's name.
    pub title: String,
    /// Employer and place, or where the run is from; may be empty.
    pub detail: String,
    /// Latest activity, or when the run began.
    pub at: Micros,
    /// How well it answers, as [`ghostlight_model::fuzzy::Wanted::score`] says.
    pub score: u32,
}

/// Imports that are listed; the oldest goes first.
pub const IMPORTS_MAX: usize = 20;
/// Postings that an import names; it counts the others.
pub const IMPORTED_LISTED_MAX: usize = 20;

/// A bundle that is taken over, or was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportRow {
    /// Its number.
    pub id: u64,
    /// The file.
    pub path: String,
    /// How it stands.
    pub state: ImportState,
    /// Pieces read: contents, captures, events, observations, versions …
    pub pieces: u64,
    /// Pieces that the bundle says it has.
    pub total: u64,
    /// When it began.
    pub began: Micros,
}

/// How an import stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ImportState {
    /// All of it is read and compared with its hashes; nothing is taken over yet.
    Verifying,
    /// It is sound and taken over.
    Taking,
    /// It is here.
    Done(Box<ImportDone>),
    /// It was refused, naming the entry at fault, or could not be taken over; nothing was.
    Failed(crate::ApiError),
}

impl ImportState {
    /// Whether nothing more happens.
    pub fn has_ended(&self) -> bool {
        matches!(self, ImportState::Done(_) | ImportState::Failed(_))
    }
}

/// What an import did. What it counts was not here before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportDone {
    /// Postings of the bundle.
    pub postings: u64,
    /// Of them new.
    pub new_postings: u64,
    /// Captures.
    pub captures: u64,
    /// Events.
    pub events: u64,
    /// Observations.
    pub observations: u64,
    /// Versions.
    pub commits: u64,
    /// The first of its postings, those whose history went on in both places before the others.
    pub listed: Vec<ImportedPosting>,
}

/// A posting that came with a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportedPosting {
    /// Which.
    pub posting: PostingId,
    /// Its title.
    pub title: String,
    /// Branches for versions that came while the history went on here as well.
    pub branches: Vec<String>,
}
