//! Structured data: JSON-LD, microdata, RDFa, and the head of a page, all read into the same
//! nodes and mapped by the same code ([`job_posting`]).

pub(crate) mod head;
pub(crate) mod job_posting;
pub(crate) mod json_ld;

use crate::{
    json::{Node, Value},
    text::cut,
};
use ghostlight_model::{
    CaptureId, Confidence, Evidence, FieldKey, FieldValue, Layer, Micros, Observation, Source,
    observation::Method,
};
use std::ops::Range;

/// Bytes of a quote; evidence for a longer value is its beginning. Keeps an event small enough to
/// send while the longest usual description still fits.
pub const QUOTE_BYTES_MAX: usize = 64 << 10;

/// A node and the RFC 6901 pointer to it within its JSON document (microdata has none).
#[derive(Debug, Clone)]
pub(crate) struct At<'a> {
    pub node: &'a Node,
    pub pointer: Option<String>,
}

impl<'a> At<'a> {
    /// A whole JSON document.
    pub fn root(node: &'a Node) -> Self {
        Self {
            node,
            pointer: Some(String::new()),
        }
    }

    /// An item that is no JSON.
    pub fn item(node: &'a Node) -> Self {
        Self {
            node,
            pointer: None,
        }
    }

    /// The member `key`; other capitals and a vocabulary before it make no difference.
    pub fn get(&self, key: &str) -> Option<At<'a>> {
        let members = self.node.members();
        let exact = members.iter().rev().find(|(k, _)| k == key);
        let alike = |k: &str| {
            k.rsplit([':', '/', '#'])
                .next()
                .is_some_and(|k| k.eq_ignore_ascii_case(key))
        };
        let (name, node) = exact.or_else(|| members.iter().rev().find(|(k, _)| alike(k)))?;
        if node.value == Value::Null {
            return None;
        }
        Some(self.step(name, node))
    }

    /// The first of these members that is there.
    pub fn any(&self, keys: &[&str]) -> Option<At<'a>> {
        keys.iter().find_map(|key| self.get(key))
    }

    /// Follows members one inside the other.
    pub fn path(&self, keys: &[&str]) -> Option<At<'a>> {
        keys.iter().try_fold(self.clone(), |at, key| at.get(key))
    }

    /// The elements of an array, or the node itself.
    pub fn each(&self) -> Vec<At<'a>> {
        match &self.node.value {
            Value::Array(elements) => elements
                .iter()
                .enumerate()
                .map(|(i, node)| self.step(&i.to_string(), node))
                .collect(),
            _ => vec![self.clone()],
        }
    }

    /// A string that is not blank, or a number or truth value as text.
    pub fn text(&self) -> Option<String> {
        match &self.node.value {
            Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
            Value::Number(n) => Some(n.to_string()),
            Value::Bool(b) => Some(b.to_string()),
            _ => None,
        }
    }

    /// A number, or none.
    pub fn number(&self) -> Option<f64> {
        match &self.node.value {
            Value::Number(n) => Some(*n),
            _ => None,
        }
    }

    /// `true` and `false`, also as strings.
    pub fn truth(&self) -> Option<bool> {
        match &self.node.value {
            Value::Bool(b) => Some(*b),
            Value::String(s) if s.eq_ignore_ascii_case("true") => Some(true),
            Value::String(s) if s.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        }
    }

    /// One step down, to the member or element `token`.
    pub fn step(&self, token: &str, node: &'a Node) -> At<'a> {
        let escaped = || token.replace('~', "~0").replace('/', "~1");
        At {
            node,
            pointer: self.pointer.as_ref().map(|p| format!("{p}/{}", escaped())),
        }
    }
}

/// Where observations go, with what they have in common.
pub(crate) struct Out<'a> {
    pub layer: &'a str,
    pub capture: CaptureId,
    pub ts: Micros,
    pub method: Method,
    /// Thousandths taken from each confidence because the source was damaged.
    pub penalty: u16,
    pub sink: &'a mut dyn FnMut(Observation),
}

impl Out<'_> {
    /// A value that rests on `at`.
    pub fn put(&mut self, field: FieldKey, value: FieldValue, confidence: u16, at: &At<'_>) {
        self.put_span(
            field,
            value,
            confidence,
            at.node.span.clone(),
            at.pointer.clone(),
        );
    }

    /// A value that rests on a span of the source layer.
    pub fn put_span(
        &mut self,
        field: FieldKey,
        value: FieldValue,
        confidence: u16,
        span: Range<usize>,
        pointer: Option<String>,
    ) {
        let evidence = evidence(self.layer, Layer::Source, span, pointer);
        (self.sink)(Observation {
            field,
            value,
            confidence: Confidence::new(confidence.saturating_sub(self.penalty)),
            source: Source::Parsing,
            method: self.method,
            evidence,
            capture: self.capture,
            ts: self.ts,
        });
    }
}

/// Evidence of a span; `None` if the span is empty or no slice of the layer.
pub(crate) fn evidence(
    text: &str,
    layer: Layer,
    span: Range<usize>,
    pointer: Option<String>,
) -> Option<Evidence> {
    let quote = cut(text.get(span.clone())?, QUOTE_BYTES_MAX);
    let start = u32::try_from(span.start).ok()?;
    let end = u32::try_from(span.start + quote.len()).ok()?;
    (!quote.is_empty()).then(|| Evidence {
        layer,
        start,
        end,
        quote: quote.to_owned(),
        pointer,
    })
}
