//! The place of an event whose frame is not read as a whole.

use super::Position;
use ghostlight_model::{Epoch, Offset, StreamId};
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use std::fmt;

/// The place that an `event` frame names, as far as its text goes: that may be the beginning of it only. `None` if it
/// does not say, or is no event.
pub fn event_place(text: &str) -> Option<(StreamId, Position)> {
    let mut whole = Seen::default();
    // An error is where the text ends; what was read before counts.
    let _ = serde_json::Deserializer::from_str(text).deserialize_map(Members(&mut whole));
    let at = Position {
        epoch: whole.epoch?,
        offset: whole.offset?,
    };
    let is_event = whole.kind.as_deref() == Some("event");
    whole.stream.filter(|_| is_event).map(|stream| (stream, at))
}

#[derive(Debug, Clone, Default)]
struct Seen {
    kind: Option<String>,
    stream: Option<StreamId>,
    epoch: Option<Epoch>,
    offset: Option<Offset>,
}

/// Notes the members of which the end was seen: the last number of a text may go on.
struct Members<'a>(&'a mut Seen);

impl<'de> Visitor<'de> for Members<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a frame")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        let mut seen = Seen::default();
        loop {
            let member = map.next_key::<String>()?;
            self.0.clone_from(&seen);
            match member.as_deref() {
                None => return Ok(()),
                Some("type") => seen.kind = map.next_value()?,
                Some("stream") => seen.stream = map.next_value()?,
                Some("epoch") => seen.epoch = map.next_value()?,
                Some("offset") => seen.offset = map.next_value()?,
                Some(_) => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_far_as_the_text_goes() {
        let place = |text| event_place(text).map(|(stream, at)| (stream.0, at));
        let expected = || Some(("run/7".to_owned(), Position::new(5, 42)));
        let whole =
            r#"{"type":"event","stream":"run/7","epoch":5,"offset":42,"ts":1,"body":{"a":[1]}}"#;
        assert_eq!(place(whole), expected());
        let complete = whole.find(r#""ts""#).unwrap() + 4;
        for end in 0..whole.len() {
            let found = place(&whole[..end]);
            match end < complete {
                true => assert_eq!(found, None, "{}", &whole[..end]),
                false => assert_eq!(found, expected(), "{}", &whole[..end]),
            }
        }
        for (text, found) in [
            (
                r#"{"body":{"stream":"run/1"},"epoch":5,"offset":42,"stream":"run/7","type":"event"}"#,
                expected(),
            ),
            (r#"{"body":[1,2"#, None),
            (
                r#"{"type":"gap","stream":"run/7","epoch":5,"offset":42}"#,
                None,
            ),
            (
                r#"{"type":"event","stream":"run/7","epoch":-5,"offset":42}"#,
                None,
            ),
            ("[1]", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(place(text), found, "{text}");
        }
    }
}
