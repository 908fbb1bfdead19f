//! Writing a bundle: pieces in, one zip out.

use super::{
    BOMB_BYTES, BYTES_MAX, CONTENT, ENTRIES_MAX, Entry, FORMAT_NAME, LINE_BYTES_MAX, LINES,
    MANIFEST, Manifest, RATIO_MAX, hex,
};
use crate::{
    aside::{Aside, FileError, Target},
    table::{Failed, Progress, Stopped, Watch, Written},
};
use ghostlight_model::bundle::{FORMAT, Piece};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    cell::Cell,
    fs::File,
    io::{self, BufWriter, Cursor, Seek, Write},
    ops::ControlFlow,
};
use zip::{CompressionMethod, ZipWriter, result::ZipError, write::SimpleFileOptions};

/// Bytes between two looks at whether to go on.
const STEP_BYTES: usize = 64 << 10;

const NOTE: &str = "Each entry's SHA-256 proves that the bundle is whole, not who made it. \
                    Read it with: ghostlight verify, ghostlight import.";

/// How many pieces of each kind there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Captured pages and text layers.
    pub contents: u64,
    /// Fetched versions.
    pub captures: u64,
    /// Postings.
    pub postings: u64,
    /// Runs.
    pub streams: u64,
    /// Events of the runs.
    pub events: u64,
    /// Observations.
    pub observations: u64,
    /// Commits.
    pub commits: u64,
    /// Branches; none before the second format.
    #[serde(default)]
    pub branches: u64,
}

impl Counts {
    /// Counts a piece.
    pub fn add(&mut self, piece: &Piece) {
        let (kind, count) = match piece {
            Piece::Content(..) => (&mut self.contents, 1),
            Piece::Capture(_) => (&mut self.captures, 1),
            Piece::Posting(_) => (&mut self.postings, 1),
            Piece::Stream(_) => (&mut self.streams, 1),
            Piece::Event(_) => (&mut self.events, 1),
            Piece::Observation(_) => (&mut self.observations, 1),
            Piece::Commit(_) => (&mut self.commits, 1),
            Piece::Branches(one) => (&mut self.branches, one.branches.len() as u64),
        };
        *kind += count;
    }

    /// All of them. What a manifest says may be any number.
    pub fn total(&self) -> u64 {
        let kinds = [
            self.contents,
            self.captures,
            self.postings,
            self.streams,
            self.events,
            self.observations,
            self.commits,
            self.branches,
        ];
        kinds.into_iter().fold(0, u64::saturating_add)
    }
}

/// Writes a bundle: aside, then under its name. `pour` hands over the pieces, each kind together, in the order of
/// [`Piece`]; it stops when it is told to. `total` is about how many bytes the pieces are before they are packed: the
/// progress counts these.
///
/// # Errors
/// [`Failed`]; what was there under the target's name is as it was then.
pub fn write<E>(
    target: &Target,
    version: &str,
    total: u64,
    watch: &mut Watch<'_>,
    pour: impl FnOnce(&mut dyn FnMut(Piece) -> ControlFlow<()>) -> Result<(), E>,
) -> Result<(Written, Counts), Failed<E>> {
    if watch.cancel.is_cancelled() {
        return Err(Failed::Cancelled);
    }
    let mut aside = Aside::create(target)?;
    let done = fill(aside.file(), version, total, watch, pour);
    let (bytes, counts) = done.map_err(|failed| match failed {
        Stopped::Cancelled => Failed::Cancelled,
        Stopped::Out(error) => Failed::File(FileError::of(&target.path, &error)),
        Stopped::Source(error) => Failed::Source(error),
    })?;
    if watch.cancel.is_cancelled() {
        return Err(Failed::Cancelled);
    }
    aside.finish()?;
    let rows = counts.postings;
    Ok((Written { rows, bytes }, counts))
}

/// Writes the pieces; how large the file is, and what is in it.
fn fill<E>(
    file: &mut File,
    version: &str,
    total: u64,
    watch: &mut Watch<'_>,
    pour: impl FnOnce(&mut dyn FnMut(Piece) -> ControlFlow<()>) -> Result<(), E>,
) -> Result<(u64, Counts), Stopped<E>> {
    let cancelled = Cell::new(false);
    let mut told = None;
    let unpacked = Cell::new(0);
    let mut go_on = |bytes: u64| {
        unpacked.set(bytes);
        if watch.cancel.is_cancelled() {
            cancelled.set(true);
            return false;
        }
        let rows = bytes.min(total);
        let percent = rows.saturating_mul(100) / total.max(1);
        if told.replace(percent) != Some(percent) {
            (watch.progress)(Progress { rows, total, bytes });
        }
        true
    };
    let stopped = |error: io::Error| match cancelled.get() {
        true => Stopped::Cancelled,
        false => Stopped::Out(error),
    };
    let mut writer = Writer::new(Quiet::new(BufWriter::new(file)), &mut go_on);
    let mut trouble = None;
    let mut take = |piece: Piece| match writer.piece(&piece) {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => {
            trouble = Some(stopped(error));
            ControlFlow::Break(())
        }
    };
    let poured = pour(&mut take);
    if let Some(stopped) = trouble {
        return Err(stopped);
    }
    poured.map_err(Stopped::Source)?;
    let (mut out, counts) = writer.finish(version).map_err(stopped)?;
    out.flush().map_err(Stopped::Out)?;
    let size = out.stream_position().map_err(Stopped::Out)?;
    let bytes = unpacked.get();
    let rows = total;
    (watch.progress)(Progress { rows, total, bytes });
    Ok((size, counts))
}

/// How large some pieces are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packed {
    /// Before they are packed.
    pub unpacked: u64,
    /// As a bundle.
    pub packed: u64,
    /// Whether these are all pieces; else there were more than is looked at.
    pub whole: bool,
}

/// Packs pieces in memory and keeps nothing, at most about `bytes_max` of them before packing.
///
/// # Errors
/// The source's.
pub fn look<E>(
    version: &str,
    bytes_max: u64,
    pour: impl FnOnce(&mut dyn FnMut(Piece) -> ControlFlow<()>) -> Result<(), E>,
) -> Result<Packed, E> {
    let mut whole = true;
    let mut go_on = |_: u64| true;
    let mut writer = Writer::new(Cursor::new(Vec::new()), &mut go_on);
    let mut take = |piece: Piece| {
        // Memory does not fail; a piece that is no part of any bundle fails the export itself.
        whole = writer.unpacked < bytes_max && writer.piece(&piece).is_ok();
        match whole {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        }
    };
    pour(&mut take)?;
    let unpacked = writer.unpacked;
    let packed = writer.finish(version).map(|(out, _)| out.position());
    Ok(Packed {
        unpacked,
        packed: packed.unwrap_or(unpacked),
        whole,
    })
}

struct Writer<'a, W: Write + Seek> {
    zip: ZipWriter<W>,
    entries: Vec<Entry>,
    removed: Vec<String>,
    counts: Counts,
    open: Option<Open>,
    unpacked: u64,
    line: Vec<u8>,
    /// Told how many bytes were put; says whether to go on.
    go_on: &'a mut dyn FnMut(u64) -> bool,
}

/// The entry that is being written.
struct Open {
    name: String,
    bytes: u64,
    hash: Sha256,
}

impl<'a, W: Write + Seek> Writer<'a, W> {
    fn new(out: W, go_on: &'a mut dyn FnMut(u64) -> bool) -> Self {
        Self {
            zip: ZipWriter::new(out),
            entries: Vec::new(),
            removed: Vec::new(),
            counts: Counts::default(),
            open: None,
            unpacked: 0,
            line: Vec::new(),
            go_on,
        }
    }

    fn piece(&mut self, piece: &Piece) -> io::Result<()> {
        self.counts.add(piece);
        match piece {
            Piece::Content(hash, Some(bytes)) => {
                self.begin(&format!("{CONTENT}{hash}"), false)?;
                self.put(bytes)
            }
            Piece::Content(hash, None) => {
                self.removed.push(hash.to_string());
                Ok(())
            }
            Piece::Capture(capture) => self.line(LINES[0], capture),
            Piece::Posting(posting) => self.line(LINES[1], posting),
            Piece::Observation(observation) => self.line(LINES[2], observation),
            Piece::Stream(stream) => self.line(LINES[3], stream),
            Piece::Event(event) => self.line(LINES[4], event),
            Piece::Commit(commit) => self.line(LINES[5], commit),
            Piece::Branches(branches) => self.line(LINES[6], branches),
        }
    }

    fn line<T: Serialize>(&mut self, name: &str, piece: &T) -> io::Result<()> {
        if self.open.as_ref().is_none_or(|open| open.name != name) {
            self.begin(name, true)?;
        }
        let mut line = std::mem::take(&mut self.line);
        line.clear();
        serde_json::to_writer(&mut line, piece)?;
        line.push(b'\n');
        if line.len() as u64 > LINE_BYTES_MAX {
            return Err(io::Error::other(format!(
                "a piece of {name} is larger than {LINE_BYTES_MAX} bytes; leave its posting out"
            )));
        }
        let put = self.put(&line);
        self.line = line;
        put
    }

    fn begin(&mut self, name: &str, large: bool) -> io::Result<()> {
        self.end();
        if self.entries.len() >= ENTRIES_MAX {
            return Err(io::Error::other(format!(
                "a bundle holds up to {ENTRIES_MAX} entries; choose fewer postings"
            )));
        }
        // No time of the day: the same pieces are the same bytes.
        let options = SimpleFileOptions::DEFAULT
            .compression_method(CompressionMethod::Deflated)
            .unix_permissions(0o644)
            .large_file(large);
        self.zip.start_file(name, options).map_err(zip_error)?;
        self.open = Some(Open {
            name: name.to_owned(),
            bytes: 0,
            hash: Sha256::new(),
        });
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        bytes
            .chunks(STEP_BYTES)
            .try_for_each(|step| self.put_step(step))
    }

    fn put_step(&mut self, bytes: &[u8]) -> io::Result<()> {
        if !(self.go_on)(self.unpacked) {
            return Err(io::Error::other("it was stopped"));
        }
        self.unpacked += bytes.len() as u64;
        if self.unpacked > BYTES_MAX {
            return Err(io::Error::other(format!(
                "a bundle holds up to {BYTES_MAX} bytes; choose fewer postings"
            )));
        }
        if let Some(open) = &mut self.open {
            open.bytes += bytes.len() as u64;
            open.hash.update(bytes);
        }
        self.zip.write_all(bytes)
    }

    fn end(&mut self) {
        if let Some(Open { name, bytes, hash }) = self.open.take() {
            let sha256 = hex(&hash.finalize());
            self.entries.push(Entry {
                name,
                bytes,
                sha256,
            });
        }
    }

    fn finish(mut self, version: &str) -> io::Result<(W, Counts)> {
        self.end();
        let manifest = Manifest {
            format: FORMAT_NAME.into(),
            version: FORMAT,
            ghostlight: version.into(),
            note: NOTE.into(),
            counts: self.counts,
            removed: std::mem::take(&mut self.removed),
            entries: std::mem::take(&mut self.entries),
        };
        self.begin(MANIFEST, false)?;
        let manifest = serde_json::to_vec_pretty(&manifest)?;
        self.put(&manifest)?;
        let (unpacked, counts) = (self.unpacked, self.counts);
        let mut out = self.zip.finish().map_err(zip_error)?;
        // What would be refused when it is read is not handed out.
        let packed = out.stream_position()?;
        if unpacked > BOMB_BYTES && unpacked / RATIO_MAX > packed {
            return Err(io::Error::other(
                "the pages are so repetitive that the bundle would be taken for a bomb; choose fewer postings",
            ));
        }
        Ok((out, counts))
    }
}

fn zip_error(error: ZipError) -> io::Error {
    match error {
        ZipError::Io(error) => error,
        other => io::Error::other(other.to_string()),
    }
}

/// After its first failure it takes the rest and drops it: the archive's writer tries to end the file when it is
/// dropped, and would print that it cannot.
struct Quiet<W> {
    inner: W,
    failed: bool,
}

impl<W> Quiet<W> {
    fn new(inner: W) -> Self {
        Self {
            inner,
            failed: false,
        }
    }

    fn unless_failed<T>(
        &mut self,
        otherwise: T,
        work: impl FnOnce(&mut W) -> io::Result<T>,
    ) -> io::Result<T> {
        if self.failed {
            return Ok(otherwise);
        }
        let done = work(&mut self.inner);
        self.failed = done.is_err();
        done
    }
}

impl<W: Write> Write for Quiet<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.unless_failed(bytes.len(), |out| out.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.unless_failed((), Write::flush)
    }
}

impl<W: Seek> Seek for Quiet<W> {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        self.unless_failed(0, |out| out.seek(to))
    }
}
