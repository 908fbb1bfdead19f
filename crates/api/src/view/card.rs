//! What the lists and cards of postings show.

use ghostlight_model::{
    CaptureId, FieldKey, Layer, Micros, PostingId, RunId,
    assess::{Assessment, Level, Signal},
    card::{CardField, RecordedOutcome, Verdict},
    event::ModelUse,
    receipt::Receipt,
    run::{Failure, NodeStatus, RunStatus},
    suggest::{Accuracy, Suggestion},
};
use serde::{Deserialize, Serialize};

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
