//! Event streams of dashboards (SPEC C12 c), resumed by `Last-Event-ID`. Data that is JSON is the body, other data
//! becomes a JSON text. The ids say where to go on and not how many there are, so completeness cannot be proven.

use super::{
    Adapter, Effect, Start, not_text, numbered, quarantined, quarantined_bytes, stream_of, time,
    word,
};
use crate::{Cursor, Item, transport::Message};
use ghostlight_sync::{Millis, frame::Body, reception::Numbering};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Longest id that is kept, in bytes; with a longer one the stream goes on from the one before.
const ID_BYTES_MAX: usize = 1_024;

/// An event stream.
pub(super) struct Sse {
    numbering: Numbering,
    /// Never empty.
    last_id: Option<String>,
}

#[derive(Deserialize, Default)]
struct Peek<'a> {
    #[serde(borrow)]
    run_id: Option<&'a RawValue>,
    #[serde(borrow)]
    ts: Option<&'a RawValue>,
}

impl Sse {
    pub fn new(start: Start) -> Self {
        let cursor = start.cursor.filter(|cursor| !cursor.id.is_empty());
        Self {
            numbering: Numbering::new(start.epoch, start.positions),
            last_id: cursor.map(|cursor| cursor.id),
        }
    }

    fn event(&mut self, kind: &str, data: String) -> Effect {
        let verbatim = Body::parse(data.clone());
        let body = verbatim.or_else(|_| Body::parse(serde_json::Value::String(data).to_string()));
        let body = match body {
            Ok(body) => body,
            Err(e) => return quarantined_bytes(&[], format!("not a text: {e}")),
        };
        let peek: Peek = match body.get().starts_with('{') {
            true => serde_json::from_str(body.get()).unwrap_or_default(),
            false => Peek::default(),
        };
        let stream = match peek.run_id.and_then(word) {
            Some(run) => stream_of("run", &run),
            None => stream_of("message", kind),
        };
        let ts = peek.ts.and_then(time);
        numbered(&mut self.numbering, stream, ts, body)
    }
}

impl Adapter for Sse {
    fn message(&mut self, message: Message, _now: Millis) -> Vec<Effect> {
        let mut effects = Vec::new();
        let id = match message {
            Message::Event { kind, id, data } => {
                effects.push(self.event(&kind, data));
                id
            }
            Message::Place(id) => Some(id),
            // It is no event of the log, and the stream goes on behind it.
            Message::Garbled { ref id, .. } | Message::TooLong { ref id, .. } => {
                let reason = not_text(&message).unwrap_or_default();
                effects.push(quarantined(&message, reason));
                id.clone()
            }
            other => return vec![quarantined(&other, "no event of an event stream")],
        };
        // An empty one says that there is none any more.
        let id = id.filter(|id| id.len() <= ID_BYTES_MAX);
        let before = self.last_id.as_deref().unwrap_or_default();
        if let Some(id) = id.filter(|id| id != before) {
            self.last_id = (!id.is_empty()).then(|| id.clone());
            effects.push(Effect::Store(Item::Cursor(Cursor { id })));
        }
        effects
    }

    fn last_event_id(&self) -> Option<String> {
        self.last_id.clone()
    }
}
