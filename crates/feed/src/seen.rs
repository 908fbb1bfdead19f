//! Which events of a polled system are known: it gives no offsets, and shows the same ones again at every look.

use crate::transport::ANSWER_EVENTS_MAX;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, HashMap};

/// Events remembered, some 64 bytes each: twice as many as one answer may have, so that what is still shown is never
/// forgotten. Beyond, the one seen longest ago is; should it be shown again, it is stored again.
pub(crate) const SEEN_MAX: usize = 2 * ANSWER_EVENTS_MAX;

/// What an event is known by.
type Key = [u8; 16];

/// The events seen last.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    turns: HashMap<Key, u64>,
    /// The same by when they were seen.
    order: BTreeMap<u64, Key>,
    next: u64,
}

impl Seen {
    /// Notes an event; false if it is known: by its `id`, or without one by its bytes.
    pub fn is_new(&mut self, event: &str) -> bool {
        let key = key(event);
        self.next += 1;
        let before = self.turns.insert(key, self.next);
        self.order.insert(self.next, key);
        if let Some(before) = before {
            self.order.remove(&before);
        } else if self.turns.len() > SEEN_MAX
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.turns.remove(&oldest);
        }
        before.is_none()
    }
}

fn key(event: &str) -> Key {
    #[derive(Deserialize, Default)]
    struct Peek<'a> {
        #[serde(borrow)]
        id: Option<&'a RawValue>,
    }
    let peek: Peek = match event.trim_start().starts_with('{') {
        true => serde_json::from_str(event).unwrap_or_default(),
        // A struct would also read from an array.
        false => Peek::default(),
    };
    // Only a text or a number names something.
    let id = peek.id.map(RawValue::get);
    let id =
        id.filter(|id| id.starts_with(['"', '-']) || id.starts_with(|c: char| c.is_ascii_digit()));
    let (kind, text) = id.map_or(("body ", event.trim()), |id| ("id ", id));
    let hash = blake3::Hasher::new()
        .update(kind.as_bytes())
        .update(text.as_bytes())
        .finalize();
    let mut key = Key::default();
    key.copy_from_slice(&hash.as_bytes()[..16]);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_known_by_its_id_or_its_bytes() {
        let mut seen = Seen::default();
        for (event, new) in [
            (r#"{"run_id":"r","node":"a"}"#, true),
            (r#"{"run_id":"r","node":"a"}"#, false),
            (r#"{"run_id":"r","node":"b"}"#, true),
            (r#"{"id":7,"state":"queued"}"#, true),
            (r#"{"state":"done", "id":7}"#, false),
            (r#"{"id":"7"}"#, true),
            // An id that names nothing.
            (r#"{"id":null,"n":1}"#, true),
            (r#"{"id":null,"n":2}"#, true),
            (r#"{"id":null,"n":2}"#, false),
            ("7", true),
            ("[7]", true),
            ("no JSON", true),
            ("no JSON", false),
        ] {
            assert_eq!(seen.is_new(event), new, "{event}");
        }
    }

    #[test]
    fn what_is_still_shown_is_not_forgotten() {
        let mut seen = Seen::default();
        let shown: Vec<String> = (0..ANSWER_EVENTS_MAX).map(|n| format!("[{n}]")).collect();
        assert!(shown.iter().all(|event| seen.is_new(event)));
        for round in 0..3 {
            for n in 0..ANSWER_EVENTS_MAX {
                assert!(seen.is_new(&format!("[{round},{n}]")));
            }
            assert!(shown.iter().all(|event| !seen.is_new(event)), "{round}");
            assert!(seen.turns.len() <= SEEN_MAX && seen.order.len() == seen.turns.len());
        }
        assert!(seen.is_new("[0,0]"), "the oldest was forgotten");
    }
}
