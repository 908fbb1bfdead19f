//! View queries and the rows they give.

use ghostlight_model::{
    CaptureId, Layer, Micros, PostingId, RunId,
    assess::{Assessment, Level, Signal},
    card::{CardField, RecordedOutcome, Verdict},
    receipt::Receipt,
    run::{Failure, NodeStatus, RunStatus},
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

/// "Show this": a file was dropped on the window or given on the command line. JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    /// What to show.
    pub subject: Subject,
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
    /// The first row, from 0.
    pub start: u32,
    /// How many, at most [`ROWS_MAX`].
    pub len: u32,
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
        /// Which rows.
        range: Range,
    },
    /// The card of a subject.
    Card(Subject),
    /// The event log of a subject's latest run, oldest first.
    Events {
        /// Of what.
        subject: Subject,
        /// Which rows.
        range: Range,
    },
    /// A text layer of a capture. Immutable: never dirty after the first pull.
    Text {
        /// Which capture.
        capture: CaptureId,
        /// Which layer.
        layer: Layer,
    },
    /// The receipt of a subject's latest run.
    Receipt(Subject),
    /// The commits of a posting, latest first.
    History {
        /// Of which posting.
        posting: PostingId,
        /// Which rows.
        range: Range,
    },
    /// The state of feeds and store.
    Health,
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
    /// Of [`ViewQuery::Events`].
    Events(Page<EventRow>),
    /// Of [`ViewQuery::Text`].
    Text(TextView),
    /// Of [`ViewQuery::Receipt`]; `None` while the run is under way.
    Receipt(Option<ReceiptView>),
    /// Of [`ViewQuery::History`].
    History(Page<CommitRow>),
    /// Of [`ViewQuery::Health`].
    Health(Health),
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

/// A line of the runs list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRow {
    /// Which run.
    pub run: RunId,
    /// What it was given.
    pub input: String,
    /// The posting, once known.
    pub posting: Option<PostingId>,
    /// The posting's title, once known.
    pub title: Option<String>,
    /// Where it stands.
    pub status: RunStatus,
    /// Steps ended and steps in all.
    pub progress: (u32, u32),
    /// Fields with a value so far.
    pub fields_seen: u32,
    /// When it began.
    pub started: Micros,
    /// How long it took, or has been going on, in milliseconds.
    pub duration_ms: f64,
    /// Why it failed, if it did.
    pub failure: Option<Failure>,
}

/// Everything the card shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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

/// A line of the event log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventRow {
    /// Position in the stream.
    pub offset: u64,
    /// When.
    pub ts: Micros,
    /// The step.
    pub node: String,
    /// `start`, `end`, `fail`, `field`, `signal`.
    pub phase: String,
    /// How long the step took, in milliseconds.
    pub duration_ms: Option<f64>,
    /// One line: the field and its value, the metrics, or the issue.
    pub summary: String,
    /// Whether an issue is among it.
    pub issue: bool,
}

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

/// A commit in the history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CommitRow {
    /// Its id in hexadecimal.
    pub id: String,
    /// Who, by name where known.
    pub author: String,
    /// Whether a person.
    pub by_person: bool,
    /// When.
    pub at: Micros,
    /// Why.
    pub message: String,
    /// What changed: label, old, new.
    pub changes: Vec<(String, String, String)>,
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
}
