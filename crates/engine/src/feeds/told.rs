//! What a follower has read of a feed's log, and how an entry of it reads as a line.

use super::io_error;
use crate::StoreError;
use ghostlight_model::{Epoch, Micros, Offset, StreamId};
use ghostlight_store::{FeedEntry, Store};
use serde::{Deserialize, Serialize};
use serde_json::{
    json,
    value::{RawValue, to_raw_value},
};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::PathBuf,
};

/// How far somebody has read a feed's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Mark {
    /// The last event that was read, in the order of arrival.
    pub seq: i64,
    /// Gaps read behind it; they have no place of their own.
    pub gaps: u32,
}

/// An entry of a feed's log, and the mark behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The entry.
    pub entry: FeedEntry,
    /// Where to read on.
    pub behind: Mark,
}

/// One line of JSON, as `watch --json` prints it (DESIGN *Command line*). The body is verbatim, but for line ends
/// between its tokens, which become spaces.
pub fn json_line(entry: &FeedEntry) -> String {
    match entry {
        FeedEntry::Event {
            stream,
            epoch,
            event,
            ..
        } => {
            // A line end in JSON text is always between tokens.
            let body = event.body.replace(['\n', '\r'], " ");
            let peek = Peek::of(&body);
            // A body need not repeat whose it is: the stream's name says so.
            let of_stream = stream.run().and_then(|run| to_raw_value(&run.0).ok());
            let line = EventLine {
                r#type: "event",
                stream,
                epoch: *epoch,
                offset: event.offset,
                ts: event.ts,
                run_id: peek.run_id.or(of_stream.as_deref()),
                node: peek.node,
                phase: peek.phase,
                body: serde_json::from_str(&body).unwrap_or(RawValue::NULL),
            };
            serde_json::to_string(&line).unwrap_or_default()
        }
        FeedEntry::Gap {
            stream,
            epoch,
            from,
            to,
            reason,
        } => json!({
            "type": "gap", "stream": stream, "epoch": epoch, "from": from, "to": to, "reason": reason,
        })
        .to_string(),
    }
}

/// One line for people. What a server says could else steer their terminal.
pub fn text_line(entry: &FeedEntry) -> String {
    let line = match entry {
        FeedEntry::Event { stream, event, .. } => {
            let peek = Peek::of(&event.body);
            let shown = |raw: Option<&RawValue>| {
                let text = raw.map(RawValue::get).unwrap_or_default();
                text.trim_matches('"').to_owned()
            };
            let (node, phase) = (shown(peek.node), shown(peek.phase));
            let what = match (node.is_empty(), phase.is_empty()) {
                (false, _) => format!("{node} {phase}"),
                (true, false) => phase,
                (true, true) => event.body.clone(),
            };
            let place = event.offset.0;
            format!(
                "{} {stream} {place} {}",
                event.ts.to_rfc3339(),
                what.trim_end()
            )
        }
        FeedEntry::Gap {
            stream,
            from,
            to,
            reason,
            ..
        } => {
            format!("gap: {stream} offsets {}\u{2013}{}: {reason}", from.0, to.0)
        }
    };
    line.replace(char::is_control, " ")
}

#[derive(Serialize)]
struct EventLine<'a> {
    r#type: &'static str,
    stream: &'a StreamId,
    epoch: Epoch,
    offset: Offset,
    ts: Micros,
    run_id: Option<&'a RawValue>,
    node: Option<&'a RawValue>,
    phase: Option<&'a RawValue>,
    body: &'a RawValue,
}

/// What a line says of a body beside it.
#[derive(Deserialize, Default)]
struct Peek<'a> {
    #[serde(borrow)]
    run_id: Option<&'a RawValue>,
    #[serde(borrow)]
    node: Option<&'a RawValue>,
    #[serde(borrow)]
    phase: Option<&'a RawValue>,
}

impl<'a> Peek<'a> {
    /// Nothing, for a body of another shape.
    fn of(body: &'a str) -> Self {
        match body.trim_start().starts_with('{') {
            true => serde_json::from_str(body).unwrap_or_default(),
            // A struct would also read from an array.
            false => Self::default(),
        }
    }
}

impl Mark {
    /// The entries behind this mark, with at most `limit` events; none if it is at the end.
    pub fn read(self, store: &Store, feed: &str, limit: usize) -> Result<Vec<Told>, StoreError> {
        let mut behind = self;
        let mut skip = self.gaps;
        let log = store.feed_log(feed, self.seq, limit)?;
        let entries = log.into_iter().filter_map(|entry| {
            match &entry {
                FeedEntry::Event { seq, .. } => behind = Mark { seq: *seq, gaps: 0 },
                FeedEntry::Gap { .. } if skip > 0 => {
                    skip -= 1;
                    return None;
                }
                FeedEntry::Gap { .. } => behind.gaps = behind.gaps.saturating_add(1),
            }
            Some(Told { entry, behind })
        });
        Ok(entries.collect())
    }

    /// Behind everything that is stored of a feed.
    pub fn end(store: &Store, feed: &str) -> Result<Self, StoreError> {
        let seq = store.last_arrival()?;
        let last = Mark { seq, gaps: 0 }.read(store, feed, 1)?;
        Ok(last
            .last()
            .map_or(Mark { seq, gaps: 0 }, |read| read.behind))
    }
}

/// A [`Mark`] in a small file, for a follower whose readers are beyond the store: a terminal, a pipe.
///
/// It is written behind each thing that was handed on, without waiting for the disk: a killed process loses nothing
/// that it wrote, and after a power failure some entries are handed on again.
pub struct MarkFile {
    file: File,
    path: PathBuf,
    mark: Mark,
}

/// The folder of these files, in the data folder.
const MARKS: &str = "told";
/// Bytes of a mark: two numbers, a space and an end of line.
const MARK_BYTES: usize = 32;

impl MarkFile {
    /// The mark of a feed; a new one stands where `before` does, behind what was stored when following it began.
    ///
    /// # Errors
    /// If the file cannot be read or written, or the store not be read.
    pub fn open(store: &Store, feed: &str, before: Mark) -> Result<Self, StoreError> {
        let folder = store.path().with_file_name(MARKS);
        let path = folder.join(feed);
        let trouble = |e: io::Error| io_error(&path, &e);
        fs::create_dir_all(&folder).map_err(trouble)?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(&path).map_err(trouble)?;
        let mut text = String::new();
        // Anything else than a mark is none; the bound keeps a wrong file from filling the memory.
        let _ = (&mut file)
            .take(MARK_BYTES as u64)
            .read_to_string(&mut text);
        let end = Mark::end(store, feed)?;
        // A mark beyond the end is of another database, for example of the one before a backup was restored.
        let mark = parse(&text).filter(|mark| mark.seq <= end.seq);
        let mut opened = Self {
            file,
            path,
            mark: before,
        };
        match mark {
            Some(mark) => opened.mark = mark,
            None => opened.set(before)?,
        }
        Ok(opened)
    }

    /// Where it stands.
    pub fn mark(&self) -> Mark {
        self.mark
    }

    /// Moves it.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn set(&mut self, mark: Mark) -> Result<(), StoreError> {
        let text = format!("{:020} {:010}\n", mark.seq, mark.gaps);
        self.file
            .seek(SeekFrom::Start(0))
            .and_then(|_| self.file.write_all(text.as_bytes()))
            .map_err(|e| io_error(&self.path, &e))?;
        self.mark = mark;
        Ok(())
    }
}

fn parse(text: &str) -> Option<Mark> {
    let (seq, gaps) = text.strip_suffix('\n')?.split_once(' ')?;
    Some(Mark {
        seq: seq.parse().ok()?,
        gaps: gaps.parse().ok()?,
    })
}
