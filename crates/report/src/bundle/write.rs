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
    fs::File,
    io::{self, BufWriter, Seek, Write},
    ops::ControlFlow,
};
use zip::{CompressionMethod, ZipWriter, result::ZipError, write::SimpleFileOptions};

/// Pieces between two looks at whether to go on.
const PAGE_PIECES: u64 = 256;

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
/// [`Piece`]; it stops when it is told to. `total` is the number of postings, for the progress.
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
    let cancel = watch.cancel;
    let done = fill(aside.file(), version, total, watch, pour);
    let (bytes, counts) = done.map_err(|failed| match failed {
        Stopped::Cancelled => Failed::Cancelled,
        Stopped::Out(error) => Failed::File(FileError::of(&target.path, &error)),
        Stopped::Source(error) => Failed::Source(error),
    })?;
    if cancel.is_cancelled() {
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
    let mut writer = Writer::new(Quiet::new(BufWriter::new(file)));
    let mut trouble = None;
    let mut pieces = 0_u64;
    let mut take = |piece: Piece| {
        pieces += 1;
        if pieces % PAGE_PIECES == 1 {
            if watch.cancel.is_cancelled() {
                trouble = Some(Stopped::Cancelled);
                return ControlFlow::Break(());
            }
            (watch.progress)(Progress {
                rows: writer.counts.postings,
                total,
                bytes: writer.unpacked,
            });
        }
        match writer.piece(&piece) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                trouble = Some(Stopped::Out(error));
                ControlFlow::Break(())
            }
        }
    };
    let poured = pour(&mut take);
    if let Some(stopped) = trouble {
        return Err(stopped);
    }
    poured.map_err(Stopped::Source)?;
    let (mut out, counts) = writer.finish(version).map_err(Stopped::Out)?;
    out.flush().map_err(Stopped::Out)?;
    let bytes = out.stream_position().map_err(Stopped::Out)?;
    Ok((bytes, counts))
}

struct Writer<W: Write + Seek> {
    zip: ZipWriter<W>,
    entries: Vec<Entry>,
    removed: Vec<String>,
    counts: Counts,
    open: Option<Open>,
    unpacked: u64,
    line: Vec<u8>,
}

/// The entry that is being written.
struct Open {
    name: String,
    bytes: u64,
    hash: Sha256,
}

impl<W: Write + Seek> Writer<W> {
    fn new(out: W) -> Self {
        Self {
            zip: ZipWriter::new(out),
            entries: Vec::new(),
            removed: Vec::new(),
            counts: Counts::default(),
            open: None,
            unpacked: 0,
            line: Vec::new(),
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
