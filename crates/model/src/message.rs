//! A message that a person sends to a feed of typed messages: `{"event": …, "data": …}` (SPEC C12 b).
//!
//! [`Message::read`] says in a sentence what is wrong with what was typed, the same in the window and on the command
//! line; what it lets through can be sent as it is.

use serde::Deserialize;
use serde_json::value::RawValue;
use std::fmt;

/// Longest message, in bytes as it is sent. Many systems take no more of a client; a longer one is refused here.
pub const MESSAGE_BYTES_MAX: usize = 64 << 10;
/// Longest name of an event, in characters; a longer one is refused.
pub const EVENT_CHARS_MAX: usize = 128;

/// A message that can be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    event: String,
    data: String,
}

/// Why something is no message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadMessage {
    /// No name.
    #[error("The event has no name.")]
    NoEvent,
    /// Too long a name.
    #[error("The event's name has {0} characters; {EVENT_CHARS_MAX} is the limit.")]
    EventTooLong(usize),
    /// A line end, a tab or the like in the name.
    #[error("The event's name has a line end or another character that cannot be seen.")]
    EventUnseen,
    /// The data is not JSON.
    #[error("The data is not JSON: {0}.")]
    NotJson(String),
    /// Longer than [`MESSAGE_BYTES_MAX`].
    #[error("The message has {0} bytes; {MESSAGE_BYTES_MAX} is the limit.")]
    TooLong(usize),
    /// A line that is no object with an `event`.
    #[error("A message is {{\"event\": NAME, \"data\": JSON}}: {0}.")]
    NotAMessage(String),
}

impl BadMessage {
    /// Whether it is about the name; else it is about the data, or both.
    pub fn is_about_event(&self) -> bool {
        matches!(
            self,
            Self::NoEvent | Self::EventTooLong(_) | Self::EventUnseen
        )
    }
}

impl Message {
    /// From a name and JSON as typed; blanks around both do not count, and no data is `null`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(event: &str, data: &str) -> Result<Self, BadMessage> {
        let (event, data) = (event.trim(), data.trim());
        check_event(event)?;
        // First the length: what is pasted by mistake need not be read.
        let data = if data.is_empty() { "null" } else { data };
        let message = Self {
            event: event.to_owned(),
            data: data.to_owned(),
        };
        let bytes = message.to_string().len();
        if bytes > MESSAGE_BYTES_MAX {
            return Err(BadMessage::TooLong(bytes));
        }
        match serde_json::from_str::<&RawValue>(data) {
            Ok(_) => Ok(message),
            Err(e) => Err(BadMessage::NotJson(e.to_string())),
        }
    }

    /// From a line as it is sent: an object with `event` and maybe `data`. Other members are refused, not dropped.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn of_line(line: &str) -> Result<Self, BadMessage> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Line<'a> {
            event: String,
            #[serde(borrow)]
            data: Option<&'a RawValue>,
        }
        if line.len() > MESSAGE_BYTES_MAX {
            return Err(BadMessage::TooLong(line.len()));
        }
        if !line.trim_start().starts_with('{') {
            return Err(BadMessage::NotAMessage("this is no object".into()));
        }
        let line: Line =
            serde_json::from_str(line).map_err(|e| BadMessage::NotAMessage(e.to_string()))?;
        Self::read(&line.event, line.data.map_or("", RawValue::get))
    }

    /// Its name.
    pub fn event(&self) -> &str {
        &self.event
    }

    /// Its data, JSON as typed.
    pub fn data(&self) -> &str {
        &self.data
    }
}

fn check_event(event: &str) -> Result<(), BadMessage> {
    let chars = event.chars().count();
    if chars == 0 {
        Err(BadMessage::NoEvent)
    } else if chars > EVENT_CHARS_MAX {
        Err(BadMessage::EventTooLong(chars))
    } else if event.chars().any(char::is_control) {
        Err(BadMessage::EventUnseen)
    } else {
        Ok(())
    }
}

/// As it is sent; the data verbatim.
impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let event = serde_json::Value::from(self.event.as_str());
        write!(f, r#"{{"event":{event},"data":{}}}"#, self.data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_sent_as_it_is() {
        for (event, data, sent) in [
            ("ack", r#"{"id": 7}"#, r#"{"event":"ack","data":{"id": 7}}"#),
            (" ack ", "\n [1, 2]\n", r#"{"event":"ack","data":[1, 2]}"#),
            ("ack", "", r#"{"event":"ack","data":null}"#),
            ("ack", "\"é\"", r#"{"event":"ack","data":"é"}"#),
            // A number keeps its digits.
            (
                "a\"b",
                "12345678901234567890.10",
                r#"{"event":"a\"b","data":12345678901234567890.10}"#,
            ),
        ] {
            let message = Message::read(event, data).unwrap();
            assert_eq!(message.to_string(), sent);
            assert_eq!(Message::of_line(sent), Ok(message), "{sent}");
        }
        let bare = Message::of_line(r#" {"event":"ack"} "#).unwrap();
        assert_eq!(bare, Message::read("ack", "null").unwrap());
    }

    #[test]
    fn what_is_wrong_is_said_in_a_sentence() {
        let long = "x".repeat(EVENT_CHARS_MAX + 1);
        for (event, data, said) in [
            ("  ", "{}", "The event has no name."),
            ("a\nb", "{}", "a line end"),
            (&long, "{}", "129 characters; 128 is the limit."),
            ("a", "{", "The data is not JSON: EOF while parsing"),
            ("a", "{\"id\": 7,}", "line 1 column 10"),
            ("a", "yes", "The data is not JSON"),
            ("a", "1 2", "trailing characters"),
            ("a", "{\"a\":1}\0", "The data is not JSON"),
            ("a", &"[".repeat(1_000), "The data is not JSON"),
        ] {
            let bad = Message::read(event, data).unwrap_err();
            assert!(bad.to_string().contains(said), "{event:?} {data:?}: {bad}");
            assert!(bad.to_string().ends_with('.'), "{bad}");
        }
        for line in ["", "ack", "[\"ack\"]", "{\"data\":1}", "{\"event\":7}"] {
            let bad = Message::of_line(line).unwrap_err();
            assert!(matches!(bad, BadMessage::NotAMessage(_)), "{line}: {bad}");
        }
        // A misspelt member is not sent as no data.
        let bad = Message::of_line(r#"{"event":"ack","date":{}}"#).unwrap_err();
        assert!(bad.to_string().contains("date"), "{bad}");
        assert_eq!(
            Message::of_line(r#"{"event":" "}"#),
            Err(BadMessage::NoEvent)
        );
    }

    #[test]
    fn the_longest_message_is_exactly_the_limit() {
        let around = r#"{"event":"a","data":""}"#.len();
        let data = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - around));
        let message = Message::read("a", &data(MESSAGE_BYTES_MAX)).unwrap();
        assert_eq!(message.to_string().len(), MESSAGE_BYTES_MAX);
        assert_eq!(
            Message::read("a", &data(MESSAGE_BYTES_MAX + 1)),
            Err(BadMessage::TooLong(MESSAGE_BYTES_MAX + 1))
        );
        let line = format!(r#"{{"event":"a","data":{}}}"#, data(MESSAGE_BYTES_MAX + 1));
        assert_eq!(
            Message::of_line(&line),
            Err(BadMessage::TooLong(MESSAGE_BYTES_MAX + 1))
        );
    }
}
