//! Typed messages (SPEC C12 b): `{"type"|"event": …, "data": …}`. Each type is a stream, unless its data belongs to a
//! run. A `ping` is answered by a `pong` written the same way. What a person sends goes out as `{"event", "data"}`.

use super::{
    Adapter, Effect, Start,
    last_id::{LastId, id_of},
    not_text, numbered, quarantined, stream_of, time, word,
};
use crate::transport::{Message, Outgoing};
use ghostlight_model::message;
use ghostlight_sync::{Millis, frame::Body, reception::Numbering};
use serde::Deserialize;
use serde_json::{json, value::RawValue};

/// Types whose data is an object, or the message makes no sense. Others are kept as they are.
const WITH_DATA: [&str; 3] = [
    "job:recommendation",
    "application:status_change",
    "notification:new",
];

/// Typed messages.
pub(super) struct Typed {
    numbering: Numbering,
    last_id: LastId,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<&'a RawValue>,
    #[serde(borrow)]
    event: Option<&'a RawValue>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(borrow, alias = "timestamp")]
    ts: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
struct Data<'a> {
    #[serde(borrow)]
    run_id: Option<&'a RawValue>,
}

impl Typed {
    pub fn new(start: Start) -> Self {
        Self {
            numbering: Numbering::new(start.epoch, start.positions),
            last_id: LastId::new(start.cursor),
        }
    }

    fn read(&mut self, text: &str) -> Result<Option<Effect>, String> {
        if !text.trim_start().starts_with('{') {
            return Err("not a message: an object with a `type` or `event` is expected".into());
        }
        let envelope: Envelope =
            serde_json::from_str(text).map_err(|e| format!("not a message: {e}"))?;
        let (member, kind) = match (envelope.kind, envelope.event) {
            (Some(kind), _) => ("type", word(kind)),
            (None, Some(kind)) => ("event", word(kind)),
            (None, None) => return Err("no `type` and no `event`".into()),
        };
        let kind = kind.ok_or_else(|| format!("`{member}` is no text"))?;
        match kind.as_ref() {
            "ping" => {
                let mut pong = json!({ member: "pong" });
                if let Some(data) = envelope.data {
                    pong["data"] = serde_json::from_str(data.get()).unwrap_or_default();
                }
                return Ok(Some(Effect::Send(Outgoing::Text(pong.to_string()))));
            }
            "pong" => return Ok(None),
            known if WITH_DATA.contains(&known) => {
                let data = envelope.data.map(RawValue::get).unwrap_or_default();
                if !data.starts_with('{') {
                    return Err(format!("`{known}` without an object in `data`"));
                }
            }
            _ => {}
        }
        let data: Data = envelope
            .data
            .filter(|data| data.get().starts_with('{'))
            .and_then(|data| serde_json::from_str(data.get()).ok())
            .unwrap_or_default();
        let stream = match data.run_id.and_then(word) {
            Some(run) => stream_of("run", &run),
            None => stream_of("message", &kind),
        };
        let body = Body::parse(text.trim().to_owned()).map_err(|e| format!("not JSON: {e}"))?;
        let ts = envelope.ts.and_then(time);
        Ok(Some(numbered(&mut self.numbering, stream, ts, body)))
    }
}

impl Adapter for Typed {
    fn message(&mut self, message: Message, _now: Millis) -> Vec<Effect> {
        let read = match &message {
            Message::Text(text) | Message::Event { data: text, .. } => self.read(text),
            Message::Place(_) => Ok(None),
            Message::Binary(_) => Err("a binary message; typed messages are JSON text".into()),
            Message::Garbled { .. } | Message::TooLong { .. } => {
                Err(not_text(&message).unwrap_or_default())
            }
        };
        let effect = match read {
            Ok(effect) => effect,
            Err(reason) => Some(quarantined(&message, reason)),
        };
        let place = self.last_id.given(id_of(&message));
        effect.into_iter().chain(place).collect()
    }

    fn last_event_id(&self) -> Option<String> {
        self.last_id.get()
    }

    fn outgoing(&self, message: &message::Message) -> Option<String> {
        Some(message.to_string())
    }
}
