//! Workflow events (SPEC C12 a): JSON objects with `ts`, `run_id`, `node`, `phase`, `duration_ms`, `metrics`, `issues`,
//! one or an array a message. Each run is a stream; the feed numbers nothing, so we do.

use super::{
    Adapter, Effect, Start,
    last_id::{LastId, id_of},
    not_text, numbered, quarantined, quarantined_bytes, stream_of, time, word,
};
use crate::transport::Message;
use ghostlight_model::StreamId;
use ghostlight_sync::{Millis, frame::Body, reception::Numbering};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Workflow events.
pub(super) struct Workflow {
    numbering: Numbering,
    last_id: LastId,
}

/// What is read of an event; the rest stays in its body.
#[derive(Deserialize)]
struct Peek<'a> {
    #[serde(borrow)]
    run_id: Option<&'a RawValue>,
    #[serde(borrow)]
    ts: Option<&'a RawValue>,
}

impl Workflow {
    pub fn new(start: Start) -> Self {
        Self {
            numbering: Numbering::new(start.epoch, start.positions),
            last_id: LastId::new(start.cursor),
        }
    }

    fn event(&mut self, raw: &RawValue) -> Effect {
        let refused = |why: String| quarantined_bytes(raw.get().as_bytes(), why);
        // A struct also reads from an array of its members; an event is an object.
        if !raw.get().starts_with('{') {
            return refused("not an event: an object with a `run_id` is expected".into());
        }
        let peek: Peek = match serde_json::from_str(raw.get()) {
            Ok(peek) => peek,
            Err(e) => return refused(format!("not an event: {e}")),
        };
        let stream: StreamId = match peek.run_id.map(|id| (id, word(id))) {
            Some((_, Some(run))) => stream_of("run", &run),
            Some((id, None)) if id.get() != "null" => {
                return refused("`run_id` is neither a text nor a number".into());
            }
            // An event of the system itself.
            _ => StreamId("feed/events".into()),
        };
        match Body::parse(raw.get().to_owned()) {
            Ok(body) => numbered(&mut self.numbering, stream, peek.ts.and_then(time), body),
            Err(e) => refused(format!("not JSON: {e}")),
        }
    }

    fn read(&mut self, message: &Message) -> Vec<Effect> {
        let text = match message {
            Message::Text(text) | Message::Event { data: text, .. } => text,
            Message::Place(_) => return Vec::new(),
            Message::Binary(_) => {
                return vec![quarantined(
                    message,
                    "a binary message; events are JSON text",
                )];
            }
            Message::Garbled { .. } | Message::TooLong { .. } => {
                let reason = not_text(message).unwrap_or_default();
                return vec![quarantined(message, reason)];
            }
        };
        let events: Result<Vec<&RawValue>, _> = match text.trim_start().starts_with('[') {
            true => serde_json::from_str(text),
            false => serde_json::from_str(text).map(|one| vec![one]),
        };
        match events {
            Ok(events) => events.into_iter().map(|raw| self.event(raw)).collect(),
            Err(e) => vec![quarantined(message, format!("not JSON: {e}"))],
        }
    }
}

impl Adapter for Workflow {
    fn message(&mut self, message: Message, _now: Millis) -> Vec<Effect> {
        let mut effects = self.read(&message);
        effects.extend(self.last_id.given(id_of(&message)));
        effects
    }

    fn last_event_id(&self) -> Option<String> {
        self.last_id.get()
    }
}
