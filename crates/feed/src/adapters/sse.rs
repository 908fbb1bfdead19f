//! Event streams of dashboards (SPEC C12 c), resumed by `Last-Event-ID`. Data that is JSON is the body, other data
//! becomes a JSON text. The ids say where to go on and not how many there are, so completeness cannot be proven.

use super::{
    Adapter, Effect, Start,
    last_id::{LastId, id_of},
    not_text, numbered, quarantined, quarantined_bytes, stream_of, time, word,
};
use crate::transport::Message;
use ghostlight_sync::{Millis, frame::Body, reception::Numbering};
use serde::Deserialize;
use serde_json::value::RawValue;

/// An event stream.
pub(super) struct Sse {
    numbering: Numbering,
    last_id: LastId,
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
        Self {
            numbering: Numbering::new(start.epoch, start.positions),
            last_id: LastId::new(start.cursor),
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
        let id = id_of(&message);
        let effect = match message {
            Message::Event { kind, data, .. } => Some(self.event(&kind, data)),
            Message::Place(_) => None,
            // It is no event of the log, and the stream goes on behind it.
            Message::Garbled { .. } | Message::TooLong { .. } => {
                let reason = not_text(&message).unwrap_or_default();
                Some(quarantined(&message, reason))
            }
            other => Some(quarantined(&other, "no event of an event stream")),
        };
        effect.into_iter().chain(self.last_id.given(id)).collect()
    }

    fn last_event_id(&self) -> Option<String> {
        self.last_id.get()
    }
}
