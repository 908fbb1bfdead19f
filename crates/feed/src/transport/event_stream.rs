//! The text of an event stream (SSE, <https://html.spec.whatwg.org/multipage/server-sent-events.html>): bytes in, events
//! out, however they are cut up.
//!
//! A parser of our own, because the library that was here fell over a byte order mark, ended a stream for good at one
//! byte that is not UTF-8, and did not say how long an event had become.

use crate::QUARANTINE_BYTES_MAX;

/// U+FEFF in UTF-8: one of them may stand before everything.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();
/// Bytes of a line that are read of an event over the limit, whose id is of interest and its beginning for the quarantine.
/// A longer id is not taken.
const LINE_BYTES_MAX: usize = QUARANTINE_BYTES_MAX;

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
    /// An event over the limit.
    TooLong {
        /// The last id, as of an [`Event`].
        id: Option<String>,
        /// Its first [`QUARANTINE_BYTES_MAX`] bytes as they came.
        bytes: Vec<u8>,
        /// How many it has.
        size: usize,
    },
    /// A comment: somebody is there.
    Comment,
}

/// The data of an event of which the beginning is there as it came.
pub(super) fn data_of(bytes: &[u8]) -> Vec<u8> {
    let lines = bytes.split(|byte| *byte == b'\n');
    let data = lines.filter_map(|line| line.strip_prefix(b"data:"));
    let data = data.map(|value| value.strip_prefix(b" ").unwrap_or(value));
    data.collect::<Vec<_>>().join(&b'\n')
}

/// Reads a stream.
#[derive(Debug)]
pub(super) struct Parser {
    /// Bytes that an event may have, so that one without an end does not fill the memory. The rest of a longer one is
    /// passed over.
    limit: usize,
    /// The first line is still to come.
    first: bool,
    after_cr: bool,
    in_comment: bool,
    /// The line that is being read, as far as it is needed.
    line: Vec<u8>,
    /// Its bytes in all.
    line_size: usize,
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
    too_long: bool,
    /// Its beginning as it came.
    raw: Vec<u8>,
    /// Its bytes in all.
    size: usize,
}

impl Unfinished {
    /// Keeps a line for the quarantine, if there is room.
    fn begin_of(&mut self, line: &[u8]) {
        let room = QUARANTINE_BYTES_MAX.saturating_sub(self.raw.len());
        self.raw.extend(line.iter().chain(b"\n").take(room));
    }
}

impl Parser {
    /// For events of at most `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            first: true,
            after_cr: false,
            in_comment: false,
            line: Vec::new(),
            line_size: 0,
            id: None,
            event: Unfinished::default(),
        }
    }

    /// Reads on; what is complete goes to `found`.
    pub fn read(&mut self, mut bytes: &[u8], mut found: impl FnMut(Block)) {
        while !bytes.is_empty() {
            if std::mem::take(&mut self.after_cr) && bytes[0] == b'\n' {
                bytes = &bytes[1..];
                continue;
            }
            let end = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let (part, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
            self.line_goes_on(part);
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
            self.line_size = 0;
        }
    }

    /// Takes a part of a line, of comments and of what is over the limit no more than is needed.
    fn line_goes_on(&mut self, part: &[u8]) {
        self.line_size += part.len();
        let (line, event) = (&mut self.line, &mut self.event);
        let mut take = |part: &[u8], most: usize| {
            let taken = part.len().min(most.saturating_sub(line.len()));
            line.extend_from_slice(&part[..taken]);
            taken
        };
        let begins = part.first().filter(|_| self.line_size == part.len());
        if begins == Some(&b':') || self.in_comment {
            self.in_comment = true;
            take(part, 1);
            return;
        }
        if event.too_long {
            take(part, LINE_BYTES_MAX);
            return;
        }
        let taken = take(part, self.limit.saturating_sub(event.size));
        if taken < part.len() {
            take(&part[taken..], LINE_BYTES_MAX);
            // What it said is not needed any more.
            (event.too_long, event.data, event.kind) = (true, String::new(), String::new());
        }
    }

    fn line_ended(&mut self, line: &[u8]) -> Option<Block> {
        self.in_comment = false;
        let line = match std::mem::take(&mut self.first) {
            true => line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line),
            false => line,
        };
        match line.first() {
            None => return self.finished(),
            Some(b':') => return Some(Block::Comment),
            Some(_) => {}
        }
        let event = &mut self.event;
        event.size += self.line_size + 1;
        event.begin_of(line);
        if event.too_long && (line.len() < self.line_size || !line.starts_with(b"id")) {
            return None;
        }
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
        if event.too_long {
            return Some(Block::TooLong {
                id,
                bytes: event.raw,
                size: event.size,
            });
        }
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
                parser.read(piece, |block| found.push(block));
            }
            found.retain(|block| *block != Block::Comment);
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
            Block::TooLong { id, bytes, size } => {
                format!("{size} bytes{} {}", drawn(id), bytes.len())
            }
            Block::Comment => unreachable!(),
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
            ("data: 1\ndata: 2\n\n", 15),
            // Comments are of no event, however long they are.
            (":\n\n:\n: and so on\n:\n\n", 0),
            (": and so on\ndata: 1\n\n", 7),
        ] {
            let over = |limit| {
                let (mut parser, mut over) = (Parser::new(limit), false);
                for piece in text.as_bytes().chunks(3) {
                    parser.read(piece, |block| {
                        over |= matches!(block, Block::TooLong { .. })
                    });
                }
                over
            };
            assert!(!over(longest), "{text:?} fits {longest}");
            assert!(
                longest == 0 || over(longest - 1),
                "{text:?} does not fit less"
            );
        }
    }

    #[test]
    fn an_event_over_the_limit_is_passed_over_and_the_next_ones_are_read() {
        let long = "x".repeat(50_000);
        for (before, behind) in [
            (format!("id: 7\ndata: {long}\n\n"), "50013 bytes#7 4096"),
            // An id behind the data counts as well, and no line that only begins like one.
            (format!("data: {long}\nid: 7\n\n"), "50013 bytes#7 4096"),
            (
                format!("data: {long}\nidea: 8\nid: {long}\n\n"),
                "100020 bytes#1 4096",
            ),
            (
                format!("event: {long}\ndata: 1\nid: 7\n: {long}\n\n"),
                "50022 bytes#7 4096",
            ),
            (
                format!("{}id: 7\n\n", "data: 1\n".repeat(500)),
                "4006 bytes#7 4006",
            ),
            (
                format!("data: \u{e9}{long}\u{e9}\nid: 7\n\n"),
                "50017 bytes#7 4096",
            ),
        ] {
            let text = format!("id: 1\ndata: a\n\n{before}data: b\n\n");
            let place = behind.split(['#', ' ']).nth(2).unwrap();
            assert_eq!(
                read(text.as_bytes()),
                [
                    "message#1 a".to_owned(),
                    behind.to_owned(),
                    format!("message#{place} b")
                ],
                "{:.20}",
                before
            );
        }
    }

    #[test]
    fn what_is_kept_of_an_event_is_bounded_and_its_beginning() {
        for first in ["data: \u{ff}", "event: event\ndata: {\"type\""] {
            let mut parser = Parser::new(100_000);
            let text = first.bytes().chain(std::iter::repeat_n(b'x', 3_000_000));
            let text: Vec<u8> = text.chain(*b"\n\n").collect();
            let mut found = Vec::new();
            for piece in text.chunks(10_000) {
                parser.read(piece, |block| found.push(block));
                assert!(parser.line.capacity() + parser.event.raw.capacity() < 300_000);
            }
            let [Block::TooLong { bytes, size, .. }] = &found[..] else {
                panic!("{} blocks", found.len())
            };
            assert_eq!((bytes.len(), *size), (QUARANTINE_BYTES_MAX, text.len() - 1));
            assert!(text.starts_with(bytes));
        }
        let mut parser = Parser::new(1 << 20);
        let (mut text, mut found) = (b"data: \xff".to_vec(), Vec::new());
        text.resize(9_000, b'x');
        text.extend_from_slice(b"\n\n");
        parser.read(&text, |block| found.push(block));
        assert!(
            matches!(&found[..], [Block::Garbled { bytes, .. }] if bytes.len() == QUARANTINE_BYTES_MAX)
        );
    }

    #[test]
    fn the_data_of_a_beginning_is_told_apart_from_its_other_lines() {
        assert_eq!(
            data_of(b"id: 1\nevent: event\ndata: {\"a\":\ndata:1,\nretry: 5\ndata: \"b"),
            b"{\"a\":\n1,\n\"b"
        );
        assert_eq!(data_of(b"event: x"), b"");
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_break_it(bytes: Vec<u8>, size in 1..9usize) {
            let mut parser = Parser::new(64);
            for piece in bytes.chunks(size) {
                parser.read(piece, |_| {});
                proptest::prop_assert!(parser.line.len() <= LINE_BYTES_MAX);
            }
        }
    }
}
