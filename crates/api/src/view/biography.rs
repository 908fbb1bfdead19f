//! A posting's life (SPEC E5).

use super::{ChangeRow, Page, VersionRow};
use ghostlight_model::{CaptureId, Day, Micros, PostingId, RunId, run::RunStatus};
use serde::{Deserialize, Serialize};

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
