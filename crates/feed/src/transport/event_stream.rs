//! The text of an event stream (SSE, <https://html.spec.whatwg.org/multipage/server-sent-events.html>): bytes in, events
//! out, however they are cut up.
//!
//! A parser of our own, because the library that was here fell over a byte order mark, ended a stream for good at one
//! byte that is not UTF-8, and did not say how long an event had become.

use crate::QUARANTINE_BYTES_MAX;

/// U+FEFF in UTF-8: one of them may stand before everything.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// An event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event {
    /// Its type; `message` where the server names none.
    pub kind: String,
    /// The last id of this stream; empty: it has none any more. `None` if no id was given yet, so that the one from
    /// before goes on.
    pub id: Option<String>,
    /// Its lines.
    pub data: String,
}

/// What stands between two empty lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Block {
    /// An event.
    Event(Event),
    /// No event, because it has no data, but a new last id.
    Place(String),
    /// An event that is not UTF-8.
    Garbled {
        /// The last id that could be read, as of an [`Event`].
        id: Option<String>,
        /// Its first [`QUARANTINE_BYTES_MAX`] bytes as they came.
        bytes: Vec<u8>,
    },
}

/// An event is longer than this many bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooLong(pub usize);

/// Reads a stream.
#[derive(Debug)]
pub(super) struct Parser {
    /// Bytes that an event may have, so that one without an end does not fill the memory.
    limit: usize,
    /// The first line is still to come.
    first: bool,
    after_cr: bool,
    /// The line that is being read.
    line: Vec<u8>,
    /// The last id that was given; it goes on from event to event.
    id: Option<String>,
    event: Unfinished,
}

/// The event that is being read.
#[derive(Debug, Default)]
struct Unfinished {
    kind: String,
    data: String,
    /// It names an id.
    named: bool,
    garbled: bool,
    /// Its beginning as it came.
    raw: Vec<u8>,
    /// Its bytes in all.
    size: usize,
}

impl Parser {
    /// For events of at most `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            first: true,
            after_cr: false,
            line: Vec::new(),
            id: None,
            event: Unfinished::default(),
        }
    }

    /// Reads on; what is complete goes to `found`.
    pub fn read(&mut self, mut bytes: &[u8], mut found: impl FnMut(Block)) -> Result<(), TooLong> {
        while !bytes.is_empty() {
            if std::mem::take(&mut self.after_cr) && bytes[0] == b'\n' {
                bytes = &bytes[1..];
                continue;
            }
            let end = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let (part, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
            let size = self.event.size + self.line.len() + part.len();
            if !part.is_empty() && size > self.limit {
                return Err(TooLong(self.limit));
            }
            self.line.extend_from_slice(part);
            let Some((ending, rest)) = rest.split_first() else {
                break;
            };
            self.after_cr = *ending == b'\r';
            bytes = rest;
            let mut line = std::mem::take(&mut self.line);
            self.line_ended(&line).into_iter().for_each(&mut found);
            // For the next one.
            line.clear();
            self.line = line;
        }
        Ok(())
    }

    fn line_ended(&mut self, line: &[u8]) -> Option<Block> {
        let line = match std::mem::take(&mut self.first) {
            true => line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line),
            false => line,
        };
        match line.first() {
            None => return self.finished(),
            // A comment, that somebody is there.
            Some(b':') => return None,
            Some(_) => {}
        }
        let event = &mut self.event;
        event.size += line.len() + 1;
        let room = QUARANTINE_BYTES_MAX.saturating_sub(event.raw.len());
        event.raw.extend(line.iter().chain(b"\n").take(room));
        let Ok(line) = std::str::from_utf8(line) else {
            event.garbled = true;
            return None;
        };
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "data" => {
                event.data.push_str(value);
                event.data.push('\n');
            }
            "event" => value.clone_into(&mut event.kind),
            "id" if !value.contains('\0') => {
                self.id = Some(value.to_owned());
                event.named = true;
            }
            // Also `retry`: how long to wait is our own affair.
            _ => {}
        }
        None
    }

    fn finished(&mut self) -> Option<Block> {
        let mut event = std::mem::take(&mut self.event);
        let id = self.id.clone();
        if event.garbled {
            return Some(Block::Garbled {
                id,
                bytes: event.raw,
            });
        }
        // Each line of data left one.
        if event.data.pop().is_none() {
            return id.filter(|_| event.named).map(Block::Place);
        }
        if event.kind.is_empty() {
            event.kind.push_str("message");
        }
        Some(Block::Event(Event {
            kind: event.kind,
            id,
            data: event.data,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a stream says in a small notation, the same in whichever pieces it comes.
    fn read(text: &[u8]) -> Vec<String> {
        let in_pieces = |size: usize| {
            let (mut parser, mut found) = (Parser::new(1_000), Vec::new());
            for piece in text.chunks(size) {
                parser.read(piece, |block| found.push(block)).unwrap();
            }
            found
        };
        let whole = in_pieces(text.len().max(1));
        for size in [1, 2, 3, 5, 7] {
            assert_eq!(in_pieces(size), whole, "in pieces of {size}: {text:?}");
        }
        let drawn = |id: Option<String>| id.map(|id| format!("#{id}")).unwrap_or_default();
        let lines = whole.into_iter().map(|block| match block {
            Block::Event(Event { kind, id, data }) => format!("{kind}{} {data}", drawn(id)),
            Block::Place(id) => format!("place#{id}"),
            Block::Garbled { id, bytes } => {
                format!("garbled{} {}", drawn(id), bytes.escape_ascii())
            }
        });
        lines.collect()
    }

    #[test]
    fn a_byte_order_mark_before_everything_is_passed_over() {
        assert_eq!(read("\u{feff}data: 1\n\n".as_bytes()), ["message 1"]);
        assert_eq!(
            read("\u{feff}: hello\n\ndata: 1\n\n".as_bytes()),
            ["message 1"]
        );
        // Only one, and only there: with a second one the line is no field that anybody knows.
        assert_eq!(
            read("\u{feff}\u{feff}data: 1\n\ndata: 2\n\n".as_bytes()),
            ["message 2"]
        );
        assert_eq!(
            read("data: \u{feff}1\n\n".as_bytes()),
            ["message \u{feff}1"]
        );
    }

    #[test]
    fn events_are_read_as_the_standard_has_it() {
        for (text, expected) in [
            ("", &[][..]),
            ("data: a\n\ndata: b\n\n", &["message a", "message b"]),
            (
                "data: a\r\n\r\ndata: b\r\n\r\n",
                &["message a", "message b"],
            ),
            ("data: a\r\rdata: b\r\r", &["message a", "message b"]),
            ("data: a\r\r\ndata: b\r\n\n", &["message a", "message b"]),
            ("data:a\ndata:  b\ndata\n\n", &["message a\n b\n"]),
            ("data\n\n", &["message "]),
            (
                "event: x\nid: 7\n\ndata: b\n\n",
                &["place#7", "message#7 b"],
            ),
            ("id: 7\n\nid\n\n\n", &["place#7", "place#"]),
            (
                "id: 7\nevent: x\ndata: a\n\ndata: b\n\n",
                &["x#7 a", "message#7 b"],
            ),
            (
                "id: 7\ndata: a\n\nid\ndata: b\n\n",
                &["message#7 a", "message# b"],
            ),
            ("id: a\0b\ndata: 1\n\n", &["message 1"]),
            (
                "id: 7\ndata: a\n\nid: \0\ndata: b\n\nid: \0\n\n",
                &["message#7 a", "message#7 b"],
            ),
            (
                ":data: 1\nretry: 5\nsome: thing\ndata: 2\n\n",
                &["message 2"],
            ),
            // Without its empty line an event is not complete.
            ("data: 1\n\ndata: 2\n", &["message 1"]),
        ] {
            assert_eq!(read(text.as_bytes()), expected, "{text:?}");
        }
    }

    #[test]
    fn an_event_that_is_not_utf_8_is_told_as_it_came_and_the_next_ones_are_read() {
        assert_eq!(
            read(b"id: 1\ndata: a\xc3(\n\nid: 2\ndata: \xc3\xa9\n\n"),
            ["garbled#1 id: 1\\ndata: a\\xc3(\\n", "message#2 \u{e9}"]
        );
        // A sequence is not completed by the next line, an id that cannot be read is none, and in a comment nothing is.
        assert_eq!(
            read(b"id: 1\ndata: a\n\nid: \xff\ndata: \xc3\n\xa9\n\n: \xff\ndata: b\n\n"),
            [
                "message#1 a",
                "garbled#1 id: \\xff\\ndata: \\xc3\\n\\xa9\\n",
                "message#1 b"
            ]
        );
    }

    #[test]
    fn an_event_is_measured_from_empty_line_to_empty_line() {
        for (text, longest) in [
            ("data: 1\n\ndata: 2\n\n", 7),
            ("data: 1\r\n\r\ndata: 2\r\n\r\n", 7),
            ("data: 1\r\rdata: 2\r\r", 7),
            ("data: 1\ndata: 2\n", 15),
            (":\n\n:\n:\n:\n\n", 1),
        ] {
            let over = |limit| {
                let mut parser = Parser::new(limit);
                text.as_bytes()
                    .chunks(3)
                    .any(|piece| parser.read(piece, |_| {}).is_err())
            };
            assert!(!over(longest), "{text:?} fits {longest}");
            assert!(over(longest - 1), "{text:?} does not fit less");
        }
    }

    #[test]
    fn what_is_kept_of_a_garbled_event_is_its_beginning() {
        let mut parser = Parser::new(1 << 20);
        let (mut text, mut found) = (b"data: \xff".to_vec(), Vec::new());
        text.resize(9_000, b'x');
        text.extend_from_slice(b"\n\n");
        parser.read(&text, |block| found.push(block)).unwrap();
        assert!(
            matches!(&found[..], [Block::Garbled { bytes, .. }] if bytes.len() == QUARANTINE_BYTES_MAX)
        );
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_break_it(bytes: Vec<u8>, size in 1..9usize) {
            let mut parser = Parser::new(64);
            for piece in bytes.chunks(size) {
                if parser.read(piece, |_| {}).is_err() {
                    break;
                }
            }
        }
    }
}
