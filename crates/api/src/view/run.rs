//! Runs in the monitor, and their events.

use super::{LinkView, Page};
use ghostlight_model::{
    Confidence, FieldKey, Issue, Method, Micros, RunId, Severity,
    card::FieldState,
    liveness::Pulse,
    run::{Artifact, Attempt, NodeStatus, RunLine, RunStatus},
};
use serde::{Deserialize, Serialize};

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
    /// The phases of its events, by which its log can be filtered.
    pub phases: Vec<String>,
    /// Whether there are further ones, because there are too many, or too long ones: they can be found by text.
    pub more_phases: bool,
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

/// What two of our own runs found, field by field: by themselves, whatever a person decided since.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FieldsComparedView {
    /// The fields that one of them has a value for, in the order of the card; at most [`COMPARED_FIELDS_MAX`].
    pub rows: Vec<FieldPairRow>,
    /// Further ones; they are on the runs' cards.
    pub left_out: u64,
    /// Of long runs that are read bit by bit: how many events are read so far, and how many there are.
    pub looked: Option<(u64, u64)>,
}

/// Fields that a comparison lists.
pub const COMPARED_FIELDS_MAX: usize = 100;

/// A field in two runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FieldPairRow {
    /// Which.
    pub field: FieldKey,
    /// In this run.
    pub this: FieldSide,
    /// In the other.
    pub other: FieldSide,
    /// Whether the values are the same; they are compared whole, however short they are shown.
    pub same: bool,
}

/// What a run found of a field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FieldSide {
    /// Which of the five states.
    pub state: FieldState,
    /// The value that won, on one line, its beginning if it is long.
    pub value: Option<String>,
    /// How sure.
    pub confidence: Option<Confidence>,
    /// By which method.
    pub method: Option<Method>,
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

/// Which events a log shows; the default is all.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct EventFilter {
    /// Only of this step.
    pub node: Option<String>,
    /// Only of this phase.
    pub phase: Option<String>,
    /// Only with an issue so bad or worse; a step that failed counts as [`Severity::Error`].
    pub severity: Option<Severity>,
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
