//! Events: immutable facts in a run's stream (SPEC *Words*, A8).

use crate::{
    assess::{Assessment, Signal},
    ids::{CaptureId, CommitId, PostingId, RunId},
    keys::PostingKey,
    observation::Observation,
    receipt::Receipt,
    sentence,
    time::Micros,
    value::FieldKey,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The body of an event, as stored in the log and sent on wires. JSON; unknown members of a
/// foreign event stay in the verbatim body, which the store keeps beside this reading of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventBody {
    /// When it happened.
    pub ts: Micros,
    /// Whose event it is.
    pub run_id: RunId,
    /// The step; ours are [`Step`], foreign runs bring their own names.
    pub node: String,
    /// What happened to the step.
    pub phase: Phase,
    /// How long the step took, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<f64>,
    /// Numbers and short texts of the step.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metrics: BTreeMap<String, serde_json::Value>,
    /// What went wrong or deserves a look.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub issues: Vec<Issue>,
    /// What our own pipeline adds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fact: Option<Box<Fact>>,
}

/// What an event of our own pipeline carries beyond its step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    /// The run began (`FETCH` start).
    Started {
        /// What was given: a file name, a URL, `pasted text`, `standard input`.
        input: String,
        /// The URL or absolute path behind it, to read it again.
        location: Option<String>,
        /// Which posting of the input, from 0.
        index: u32,
        /// `ghostlight` and its version.
        pipeline: String,
        /// The process that does the work, to tell an interrupted run from a running one.
        process: String,
    },
    /// Bytes are stored (`FETCH` end).
    Captured {
        /// The stored capture.
        capture: CaptureId,
    },
    /// The document is understood (`PARSE` end).
    Parsed {
        /// The capture that was parsed.
        capture: CaptureId,
        /// The posting it belongs to.
        posting: PostingId,
        /// What it can be recognised by.
        keys: Vec<PostingKey>,
        /// Language of the text (ISO 639-1), where known.
        language: Option<String>,
        /// SimHash of the visible text, to find near-duplicates; `None` if it is too short.
        fingerprint: Option<u64>,
    },
    /// A field was seen (phase `field`).
    Observed(Observation),
    /// A signal was found (phase `signal`).
    Signalled(Signal),
    /// A model was asked (`ENRICH` end or fail), and what it answered.
    Answered {
        /// Which model, for what, at what price.
        usage: ModelUse,
        /// Its answer as it came, cut to a bound that the issues name.
        answer: String,
    },
    /// Which fields were looked for, where, with what result (`VALIDATE` end).
    Received(Receipt),
    /// The run is finished (`SCORE` end).
    Assessed {
        /// What the signals add up to.
        assessment: Assessment,
        /// The commit that names the winners, if any changed.
        commit: Option<CommitId>,
    },
}

/// That a model was asked, for what, and what it took.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ModelUse {
    /// The model, by its server's name for it.
    pub model: String,
    /// The fields it was asked for, in the order of the card.
    pub asked: Vec<FieldKey>,
    /// Tokens of the question, as the server counts them; `None` if it does not.
    pub tokens_in: Option<u32>,
    /// Tokens of the answer, likewise.
    pub tokens_out: Option<u32>,
    /// What that costs in millionths of the currency that the prices in the settings are in; `None` without them.
    pub cost_millionths: Option<u64>,
}

/// What happened to a step.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// It began.
    Start,
    /// It ended well.
    End,
    /// It ended badly; the issues say why.
    Fail,
    /// It saw a field.
    Field,
    /// It found a signal.
    Signal,
    /// A phase of a foreign system, kept as it is.
    Other(String),
}

impl Phase {
    /// The word used in files.
    pub fn word(&self) -> &str {
        match self {
            Phase::Start => "start",
            Phase::End => "end",
            Phase::Fail => "fail",
            Phase::Field => "field",
            Phase::Signal => "signal",
            Phase::Other(word) => word,
        }
    }
}

impl From<&str> for Phase {
    fn from(word: &str) -> Self {
        match word {
            "start" => Phase::Start,
            "end" => Phase::End,
            "fail" => Phase::Fail,
            "field" => Phase::Field,
            "signal" => Phase::Signal,
            other => Phase::Other(other.to_owned()),
        }
    }
}

impl Serialize for Phase {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.word())
    }
}

impl<'de> Deserialize<'de> for Phase {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Ok(Phase::from(String::deserialize(d)?.as_str()))
    }
}

/// The steps of our own pipeline, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Step {
    /// Gets bytes.
    Fetch,
    /// Makes a document and its text.
    Parse,
    /// Reads structured data.
    Extract,
    /// Reads the text by patterns.
    Detect,
    /// Asks the model.
    Enrich,
    /// Applies rules and chooses.
    Validate,
    /// Finds signals and assesses.
    Score,
}

impl Step {
    /// All steps, in order.
    pub const ALL: [Step; 7] = [
        Step::Fetch,
        Step::Parse,
        Step::Extract,
        Step::Detect,
        Step::Enrich,
        Step::Validate,
        Step::Score,
    ];

    /// The node name in events.
    pub fn node(self) -> &'static str {
        match self {
            Step::Fetch => "FETCH",
            Step::Parse => "PARSE",
            Step::Extract => "EXTRACT",
            Step::Detect => "DETECT",
            Step::Enrich => "ENRICH",
            Step::Validate => "VALIDATE",
            Step::Score => "SCORE",
        }
    }

    /// The step of a node name.
    pub fn of_node(node: &str) -> Option<Step> {
        Step::ALL.into_iter().find(|step| step.node() == node)
    }
}

/// Something that went wrong or deserves a look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issue {
    /// Stable name, for example `login_wall`.
    pub code: String,
    /// How bad.
    pub severity: Severity,
    /// What happened, to what.
    pub message: String,
    /// What to do.
    // Always written: this travels as postcard too, which cannot leave a member out.
    #[serde(default)]
    pub hint: Option<String>,
}

impl Issue {
    /// An issue; message and hint become sentences.
    pub fn new(
        code: &str,
        severity: Severity,
        message: impl AsRef<str>,
        hint: Option<&str>,
    ) -> Self {
        Self {
            code: code.to_owned(),
            severity,
            message: sentence(message.as_ref()),
            hint: hint.map(sentence),
        }
    }
}

/// How bad an issue is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Worth a look.
    Warning,
    /// Something could not be done.
    Error,
}

impl Severity {
    /// All, the least first.
    pub const ALL: [Severity; 3] = [Severity::Info, Severity::Warning, Severity::Error];

    /// The word used in files and on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }

    /// The severity of a word.
    pub fn of_word(word: &str) -> Option<Severity> {
        Severity::ALL.into_iter().find(|one| one.word() == word)
    }
}
