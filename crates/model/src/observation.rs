//! Observations: candidate values with confidence, source, method and the words they rest on.

use crate::{
    ids::{CaptureId, ObservationId},
    time::Micros,
    value::{FieldKey, FieldValue},
};
use serde::{Deserialize, Serialize};

/// A candidate value for a field. Stored in the log; the set of a posting only grows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// Which field.
    pub field: FieldKey,
    /// What was seen.
    pub value: FieldValue,
    /// How sure the method is.
    pub confidence: Confidence,
    /// Who says so.
    pub source: Source,
    /// By which method.
    pub method: Method,
    /// The words it rests on; `None` makes a model's value *ungrounded*.
    pub evidence: Option<Evidence>,
    /// The capture it was seen in.
    pub capture: CaptureId,
    /// When.
    pub ts: Micros,
}

impl Observation {
    /// Equal facts have equal ids, whenever and however often they are seen.
    pub fn id(&self) -> ObservationId {
        // Strings and integers only: serialising them cannot fail.
        let value = serde_json::to_vec(&self.value).unwrap_or_default();
        let evidence = serde_json::to_vec(&self.evidence).unwrap_or_default();
        ObservationId::of(&[
            &self.capture.0,
            self.field.name().as_bytes(),
            &value,
            self.method.word().as_bytes(),
            &self.confidence.thousandths().to_le_bytes(),
            &evidence,
        ])
    }

    /// A model's value without words in the text that support it.
    pub fn is_ungrounded(&self) -> bool {
        self.source == Source::Ai && self.evidence.is_none()
    }
}

/// Confidence in whole thousandths, 0 to 1000; JSON shows it as 0–1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Confidence(u16);

impl Confidence {
    /// Certain.
    pub const FULL: Confidence = Confidence(1000);

    /// From thousandths; more than 1000 is 1000.
    pub const fn new(thousandths: u16) -> Self {
        Self(if thousandths > 1000 {
            1000
        } else {
            thousandths
        })
    }

    /// The number of thousandths.
    pub const fn thousandths(self) -> u16 {
        self.0
    }

    /// 0 to 1.
    pub fn share(self) -> f64 {
        f64::from(self.0) / 1000.0
    }

    /// The word beside the number (UI *The card, row by row*).
    pub fn word(self) -> &'static str {
        match self.0 {
            950.. => "certain",
            800.. => "likely",
            500.. => "unsure",
            _ => "doubtful",
        }
    }
}

impl Serialize for Confidence {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        if s.is_human_readable() {
            self.share().serialize(s)
        } else {
            self.0.serialize(s)
        }
    }
}

impl<'de> Deserialize<'de> for Confidence {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        if d.is_human_readable() {
            let share = f64::deserialize(d)?;
            if !(0.0..=1.0).contains(&share) {
                return Err(serde::de::Error::custom(format!(
                    "confidence {share} is not within 0 and 1"
                )));
            }
            Ok(Self((share * 1000.0).round() as u16))
        } else {
            u16::deserialize(d).map(Self::new)
        }
    }
}

/// Who says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Our parser and patterns.
    Parsing,
    /// A model.
    Ai,
    /// A person.
    User,
}

impl Source {
    /// The word used in files.
    pub fn word(self) -> &'static str {
        match self {
            Source::Parsing => "parsing",
            Source::Ai => "ai",
            Source::User => "user",
        }
    }
}

/// How a value was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// JSON-LD (W3C), schema.org vocabulary.
    JsonLd,
    /// HTML microdata (WHATWG).
    Microdata,
    /// RDFa (W3C).
    Rdfa,
    /// An applicant tracking system's JSON.
    AtsApi,
    /// Open Graph and other meta elements.
    OpenGraph,
    /// A pattern in the text.
    Pattern,
    /// A language model.
    Model,
    /// Typed by a person.
    Manual,
}

impl Method {
    /// The methods that look at a posting by themselves, in the order they run.
    pub const AUTOMATIC: [Method; 7] = [
        Method::AtsApi,
        Method::JsonLd,
        Method::Microdata,
        Method::Rdfa,
        Method::OpenGraph,
        Method::Pattern,
        Method::Model,
    ];

    /// The word used in files.
    pub fn word(self) -> &'static str {
        match self {
            Method::JsonLd => "json_ld",
            Method::Microdata => "microdata",
            Method::Rdfa => "rdfa",
            Method::AtsApi => "ats_api",
            Method::OpenGraph => "open_graph",
            Method::Pattern => "pattern",
            Method::Model => "model",
            Method::Manual => "manual",
        }
    }

    /// Plain words for the screen.
    pub fn label(self) -> &'static str {
        match self {
            Method::JsonLd => "page data (JSON-LD)",
            Method::Microdata => "page data (microdata)",
            Method::Rdfa => "page data (RDFa)",
            Method::AtsApi => "job system's data",
            Method::OpenGraph => "page header",
            Method::Pattern => "text",
            Method::Model => "model",
            Method::Manual => "a person",
        }
    }
}

/// The words a value rests on: `quote == layer[start..end]`, UTF-8 bytes, always.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Evidence {
    /// Which stored text.
    pub layer: Layer,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
    /// The words.
    pub quote: String,
    /// The member of JSON that holds them (RFC 6901), where there is one.
    pub pointer: Option<String>,
}

impl Evidence {
    /// Whether the quote stands in `layer_text` where it says.
    pub fn holds_in(&self, layer_text: &str) -> bool {
        layer_text.get(self.start as usize..self.end as usize) == Some(self.quote.as_str())
    }
}

/// The two texts stored with a capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// What a reader sees.
    Visible,
    /// The raw source, with JSON-LD or ATS JSON.
    Source,
}

impl Layer {
    /// The word used in files.
    pub fn word(self) -> &'static str {
        match self {
            Layer::Visible => "visible",
            Layer::Source => "source",
        }
    }
}
