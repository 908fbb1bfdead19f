//! Reading a bundle: refused as a whole, naming the entry, unless everything in it is what its manifest says.

use super::{
    BOMB_BYTES, BRANCHES, BYTES_MAX, CONTENT, CONTENT_BYTES_MAX, Counts, ENTRIES_MAX, Entry,
    FORMAT_NAME, LINE_BYTES_MAX, LINES, MANIFEST, MANIFEST_BYTES_MAX, Manifest, RATIO_MAX, hex,
};
use ghostlight_model::{
    bundle::{BRANCHES_FORMAT, FORMAT, Piece},
    ids::ContentHash,
    system,
};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use std::{
    collections::HashSet,
    fs::File,
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};
use zip::ZipArchive;

/// Why a bundle is refused. Nothing of it was taken over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// The file cannot be read.
    #[error("{path}: {detail}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        detail: String,
    },
    /// It is no zip, or something else's.
    #[error("{path}: this is no bundle of Ghostlight ({detail})")]
    NoBundle {
        /// The file.
        path: PathBuf,
        /// What is missing.
        detail: String,
    },
    /// It ends too early.
    #[error("{path}: the bundle is cut short or damaged at entry {entry}")]
    CutShort {
        /// The file.
        path: PathBuf,
        /// The first entry that is not whole.
        entry: String,
    },
    /// Bytes that belong to nothing in it stand before or behind it.
    #[error("{path}: {bytes} bytes that are no part of the bundle stand {place}")]
    Surrounded {
        /// The file.
        path: PathBuf,
        /// How many.
        bytes: u64,
        /// Where.
        place: &'static str,
    },
    /// A newer Ghostlight made it.
    #[error(
        "{path}: manifest.json: bundle format {found}, but this version reads up to {supported}"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u64,
        /// The newest this version knows.
        supported: u32,
    },
    /// An entry is not what the manifest says.
    #[error("{path}: entry {entry}: {detail}")]
    Entry {
        /// The file.
        path: PathBuf,
        /// The entry at fault.
        entry: String,
        /// What is wrong with it.
        detail: String,
    },
    /// It would unpack to far more than it is.
    #[error("{path}: entry {entry}: {detail}; a bundle like this is built to exhaust a computer")]
    Bomb {
        /// The file.
        path: PathBuf,
        /// The entry at which the bound is passed.
        entry: String,
        /// Which bound.
        detail: String,
    },
}

impl BundleError {
    /// What to do.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "Check the name, and that you may read the file.",
            Self::NoBundle { .. } => "Choose a file that `ghostlight export --format bundle` made.",
            Self::CutShort { .. } => "Copy it again from where it came from.",
            Self::Surrounded { .. } => {
                "Nothing of it was taken over. Copy it again from where it came from; whoever made it did not put them there."
            }
            Self::Newer { .. } => "Update Ghostlight to read it.",
            Self::Entry { .. } => {
                "Nothing of it was taken over. Ask whoever made it for a new one."
            }
            Self::Bomb { .. } => "Do not open it with other programs either.",
        }
    }
}

/// Why handing over pieces ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop<E> {
    /// The bundle.
    Bundle(BundleError),
    /// Whoever took them.
    Taker {
        /// What they say.
        error: E,
        /// About which entry.
        entry: String,
        /// Which line of it, from 1; `None` for a page or text.
        line: Option<u64>,
    },
}

impl<E> From<BundleError> for Stop<E> {
    fn from(error: BundleError) -> Self {
        Stop::Bundle(error)
    }
}

/// An opened bundle: its names, sizes and manifest are in order; its entries are checked as they are read.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    zip: ZipArchive<BufReader<File>>,
    manifest: Manifest,
}

impl Reader {
    /// Opens a bundle.
    ///
    /// # Errors
    /// [`BundleError`] for what can be seen without unpacking.
    pub fn open(path: &Path) -> Result<Self, BundleError> {
        let unreadable = |e: &io::Error| BundleError::Unreadable {
            path: path.to_owned(),
            detail: system::words(e),
        };
        let file = File::open(path).map_err(|e| unreadable(&e))?;
        let about = file.metadata().map_err(|e| unreadable(&e))?;
        if !about.is_file() {
            let path = path.to_owned();
            let detail = "this is a folder, a device or a pipe, and no file".to_owned();
            return Err(BundleError::Unreadable { path, detail });
        }
        let packed = about.len();
        let again = file.try_clone().map_err(|e| unreadable(&e))?;
        let mut zip = match ZipArchive::new(BufReader::new(file)) {
            Ok(zip) => zip,
            Err(_) => return Err(fault_without_index(path, again, packed)),
        };
        check_edges(path, &zip, again, packed)?;
        check_shape(path, &mut zip, packed)?;
        let manifest = read_manifest(path, &mut zip)?;
        check_names(path, &zip, &manifest)?;
        Ok(Self {
            path: path.to_owned(),
            zip,
            manifest,
        })
    }

    /// What the manifest says is in it.
    pub fn counts(&self) -> Counts {
        self.manifest.counts
    }

    /// The version of Ghostlight that made it.
    pub fn made_by(&self) -> &str {
        &self.manifest.ghostlight
    }

    /// Reads everything and takes nothing over.
    ///
    /// # Errors
    /// [`BundleError`], naming the entry at fault.
    pub fn verify(&mut self) -> Result<Counts, BundleError> {
        let nothing = &mut |_: Piece| Ok::<(), std::convert::Infallible>(());
        match self.pieces(nothing) {
            Ok(counts) => Ok(counts),
            Err(Stop::Bundle(error)) => Err(error),
            Err(Stop::Taker { error: never, .. }) => match never {},
        }
    }

    /// Hands over every piece, in the order in which they rest on each other. A piece is handed over before the end of
    /// its entry is read: [`Reader::verify`] first, and keep nothing if this fails all the same.
    ///
    /// # Errors
    /// The bundle's, naming the entry at fault, or the taker's, with the entry that it was about.
    pub fn pieces<E>(
        &mut self,
        take: &mut dyn FnMut(Piece) -> Result<(), E>,
    ) -> Result<Counts, Stop<E>> {
        let mut counts = Counts::default();
        let mut counting = |piece: Piece| {
            counts.add(&piece);
            take(piece)
        };
        for removed in &self.manifest.removed {
            let wrong = || {
                entry_error(
                    &self.path,
                    MANIFEST,
                    format!("{removed:?} is no content hash"),
                )
            };
            let hash = removed.parse().map_err(|_| wrong())?;
            counting(Piece::Content(hash, None)).map_err(|error| taker(error, MANIFEST, None))?;
        }
        let entries = self.manifest.entries.clone();
        let (contents, lines): (Vec<&Entry>, Vec<&Entry>) = entries
            .iter()
            .partition(|entry| entry.name.starts_with(CONTENT));
        for entry in contents {
            self.content(entry, &mut counting)?;
        }
        for name in LINES {
            if let Some(entry) = lines.iter().find(|entry| entry.name == name) {
                self.lines(entry, &mut counting)?;
            }
        }
        match counts == self.manifest.counts {
            true => Ok(counts),
            false => Err(entry_error(
                &self.path,
                MANIFEST,
                "its counts are not those of the entries".into(),
            )
            .into()),
        }
    }

    fn content<E>(
        &mut self,
        entry: &Entry,
        take: &mut dyn FnMut(Piece) -> Result<(), E>,
    ) -> Result<(), Stop<E>> {
        let wrong = |detail: String| entry_error(&self.path, &entry.name, detail);
        let named = entry
            .name
            .trim_start_matches(CONTENT)
            .parse::<ContentHash>();
        let hash = named.map_err(|e| wrong(e.to_string()))?;
        if entry.bytes > CONTENT_BYTES_MAX {
            return Err(wrong(format!("it is larger than {CONTENT_BYTES_MAX} bytes")).into());
        }
        let file = self
            .zip
            .by_name(&entry.name)
            .map_err(|e| wrong(e.to_string()))?;
        let mut hashed = Hashed::new(file, entry.bytes);
        let mut bytes = Vec::new();
        hashed
            .read_to_end(&mut bytes)
            .map_err(|e| wrong(e.to_string()))?;
        hashed.end(entry).map_err(wrong)?;
        let piece = Piece::Content(hash, Some(bytes));
        piece.check().map_err(wrong)?;
        take(piece).map_err(|error| taker(error, &entry.name, None))
    }

    fn lines<E>(
        &mut self,
        entry: &Entry,
        take: &mut dyn FnMut(Piece) -> Result<(), E>,
    ) -> Result<(), Stop<E>> {
        let wrong = |detail: String| entry_error(&self.path, &entry.name, detail);
        let file = self
            .zip
            .by_name(&entry.name)
            .map_err(|e| wrong(e.to_string()))?;
        let mut lines = BufReader::new(Hashed::new(file, entry.bytes));
        let (mut line, mut number) = (Vec::new(), 0_u64);
        loop {
            line.clear();
            number += 1;
            let at = |detail: String| wrong(format!("line {number}: {detail}"));
            let limited = &mut (&mut lines).take(LINE_BYTES_MAX);
            let read = limited
                .read_until(b'\n', &mut line)
                .map_err(|e| at(e.to_string()))?;
            if read == 0 {
                break;
            }
            if line.last() != Some(&b'\n') {
                return Err(at("it has no end, or is too long".into()).into());
            }
            let piece = piece_of(&entry.name, &line).map_err(at)?;
            piece.check().map_err(at)?;
            take(piece).map_err(|error| taker(error, &entry.name, Some(number)))?;
        }
        Ok(lines.into_inner().end(entry).map_err(wrong)?)
    }
}

fn taker<E>(error: E, entry: &str, line: Option<u64>) -> Stop<E> {
    Stop::Taker {
        error,
        entry: entry.to_owned(),
        line,
    }
}

fn piece_of(entry: &str, line: &[u8]) -> Result<Piece, String> {
    fn read<T: DeserializeOwned>(line: &[u8]) -> Result<T, String> {
        serde_json::from_slice(line).map_err(|e| e.to_string())
    }
    Ok(match LINES.iter().position(|name| *name == entry) {
        Some(0) => Piece::Capture(read(line)?),
        Some(1) => Piece::Posting(read(line)?),
        Some(2) => Piece::Observation(read(line)?),
        Some(3) => Piece::Stream(read(line)?),
        Some(4) => Piece::Event(read(line)?),
        Some(5) => Piece::Commit(read(line)?),
        Some(6) => Piece::Branches(read(line)?),
        _ => return Err("it is no entry of a bundle".into()),
    })
}

/// Counts and hashes what is read; never more than one byte above what the manifest says.
struct Hashed<R> {
    inner: R,
    left: u64,
    too_long: bool,
    hash: Sha256,
}

impl<R: Read> Hashed<R> {
    fn new(inner: R, bytes: u64) -> Self {
        Self {
            inner,
            left: bytes,
            too_long: false,
            hash: Sha256::new(),
        }
    }

    /// At the end of the entry: whether it is the one that the manifest names.
    fn end(mut self, entry: &Entry) -> Result<(), String> {
        // The end itself is read too: that is where the archive's own checksum is compared.
        let more = self.read(&mut [0]).map_err(|e| e.to_string())?;
        if self.too_long || more > 0 || self.left > 0 {
            return Err("its length is not the one in the manifest".into());
        }
        match hex(&self.hash.finalize()) == entry.sha256 {
            true => Ok(()),
            false => Err("its SHA-256 is not the one in the manifest: it was changed".into()),
        }
    }
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(out)?;
        if read as u64 > self.left {
            self.too_long = true;
            return Err(io::Error::other("it is longer than the manifest says"));
        }
        self.left -= read as u64;
        self.hash.update(&out[..read]);
        Ok(read)
    }
}

fn entry_error(path: &Path, entry: &str, detail: String) -> BundleError {
    BundleError::Entry {
        path: path.to_owned(),
        entry: printable(entry),
        detail,
    }
}

/// A name for a message: a stranger chose it.
fn printable(name: &str) -> String {
    name.chars()
        .take(200)
        .flat_map(char::escape_debug)
        .collect()
}

/// The bytes with which an archive without a comment ends (PKWARE's APPNOTE, 4.3.16): this, 16 bytes about its index,
/// and a comment of no length.
const END: &[u8] = b"PK\x05\x06";
/// The length of that ending.
const END_BYTES: usize = 22;
/// What an archive's index is called in messages, where else an entry stands.
const INDEX: &str = "its index";
/// What is read at a time to find it.
const STEP_BYTES: usize = 64 << 10;

/// A bundle is its file from the first byte to the last: what stands beside it was checked by nobody.
fn check_edges(
    path: &Path,
    zip: &ZipArchive<BufReader<File>>,
    mut file: File,
    packed: u64,
) -> Result<(), BundleError> {
    let starts =
        (0..zip.len()).filter_map(|index| Some(zip.by_index_data(index).ok()?.header_start()));
    let before = starts.min().unwrap_or(0);
    if before > 0 {
        return Err(BundleError::Surrounded {
            path: path.to_owned(),
            bytes: before,
            place: "before its first entry",
        });
    }
    let from = zip.central_directory_start();
    let behind_it = match ends_it(&mut file, packed) {
        Ok(true) => return Ok(()),
        Ok(false) => bytes_behind(&mut file, from, packed),
        Err(e) => Err(e),
    };
    match behind_it {
        Ok(bytes) => Err(behind(path, bytes.unwrap_or_default())),
        Err(e) => Err(BundleError::Unreadable {
            path: path.to_owned(),
            detail: system::words(&e),
        }),
    }
}

/// Whether the archive's ending is the file's.
fn ends_it(file: &mut File, packed: u64) -> io::Result<bool> {
    let mut end = [0; END_BYTES];
    file.seek(SeekFrom::Start(packed.saturating_sub(END_BYTES as u64)))?;
    file.read_exact(&mut end)?;
    Ok(end.starts_with(END) && end.ends_with(&[0, 0]))
}

fn behind(path: &Path, bytes: u64) -> BundleError {
    BundleError::Surrounded {
        path: path.to_owned(),
        bytes,
        place: "behind its end",
    }
}

/// How many bytes stand behind the archive's ending, which is looked for from `from` on; `None` if there is no ending.
fn bytes_behind(file: &mut (impl Read + Seek), from: u64, packed: u64) -> io::Result<Option<u64>> {
    file.seek(SeekFrom::Start(from))?;
    let (mut bytes, mut at) = (Vec::new(), from);
    loop {
        let read = (&mut *file)
            .take(STEP_BYTES as u64)
            .read_to_end(&mut bytes)?;
        if let Some(found) = bytes.windows(END.len()).position(|four| four == END) {
            let end = at + (found + END_BYTES) as u64;
            return Ok(packed.checked_sub(end));
        }
        if read == 0 {
            return Ok(None);
        }
        // It may lie across two steps.
        let seen = bytes.len().saturating_sub(END.len() - 1);
        at += seen as u64;
        bytes.drain(..seen);
    }
}

/// Names, number and sizes, as the archive's index tells them.
fn check_shape(
    path: &Path,
    zip: &mut ZipArchive<BufReader<File>>,
    packed: u64,
) -> Result<(), BundleError> {
    let bomb = |entry: &str, detail: String| BundleError::Bomb {
        path: path.to_owned(),
        entry: printable(entry),
        detail,
    };
    if zip.len() > ENTRIES_MAX {
        return Err(bomb(
            MANIFEST,
            format!("there are more than {ENTRIES_MAX} entries"),
        ));
    }
    let mut unpacked = 0_u64;
    for index in 0..zip.len() {
        let cut = |entry: String| BundleError::CutShort {
            path: path.to_owned(),
            entry,
        };
        let entry = zip
            .by_index_data(index)
            .map_err(|_| cut(format!("number {index}")))?;
        let name = String::from_utf8_lossy(entry.name_raw()).into_owned();
        if leads_away(&name) {
            return Err(entry_error(
                path,
                &name,
                "its name leads out of the bundle".into(),
            ));
        }
        if entry.is_symlink() || entry.encrypted() {
            return Err(entry_error(
                path,
                &name,
                "it is a link or encrypted; a bundle has none".into(),
            ));
        }
        unpacked = unpacked.saturating_add(entry.size());
        if unpacked > BYTES_MAX {
            return Err(bomb(
                &name,
                format!("up to there it unpacks to more than {BYTES_MAX} bytes"),
            ));
        }
        if unpacked > BOMB_BYTES && unpacked / RATIO_MAX > packed {
            return Err(bomb(
                &name,
                format!("it unpacks to more than {RATIO_MAX} times its size"),
            ));
        }
    }
    if zip.has_duplicate_names() {
        return Err(entry_error(
            path,
            MANIFEST,
            "two entries have the same name".into(),
        ));
    }
    match zip.has_overlapping_files() {
        Ok(false) => Ok(()),
        Ok(true) => Err(bomb(MANIFEST, "entries share their bytes".into())),
        Err(_) => Err(BundleError::CutShort {
            path: path.to_owned(),
            entry: "(the first one)".into(),
        }),
    }
}

/// A name that would leave the folder it is unpacked into, on any system.
fn leads_away(name: &str) -> bool {
    let parts = name.split(['/', '\\']);
    name.starts_with(['/', '\\'])
        || name.contains([':', '\0'])
        || parts.into_iter().any(|part| part == "..")
}

fn read_manifest(
    path: &Path,
    zip: &mut ZipArchive<BufReader<File>>,
) -> Result<Manifest, BundleError> {
    let foreign = |detail: &str| BundleError::NoBundle {
        path: path.to_owned(),
        detail: detail.to_owned(),
    };
    let wrong = |detail: String| entry_error(path, MANIFEST, detail);
    let Ok(file) = zip.by_name(MANIFEST) else {
        return Err(foreign("it has no manifest.json"));
    };
    let mut text = Vec::new();
    let read = file.take(MANIFEST_BYTES_MAX + 1).read_to_end(&mut text);
    read.map_err(|e| wrong(e.to_string()))?;
    if text.len() as u64 > MANIFEST_BYTES_MAX {
        return Err(wrong("it is too long".into()));
    }
    let value: serde_json::Value =
        serde_json::from_slice(&text).map_err(|e| wrong(e.to_string()))?;
    if value["format"] != FORMAT_NAME {
        return Err(foreign("its manifest.json is that of something else"));
    }
    match value["version"].as_u64() {
        Some(found) if found > u64::from(FORMAT) => Err(BundleError::Newer {
            path: path.to_owned(),
            found,
            supported: FORMAT,
        }),
        Some(_) => serde_json::from_value(value).map_err(|e| wrong(e.to_string())),
        None => Err(wrong("it has no version".into())),
    }
}

/// Archive and manifest name the same entries, and only such as a bundle has.
fn check_names(
    path: &Path,
    zip: &ZipArchive<BufReader<File>>,
    manifest: &Manifest,
) -> Result<(), BundleError> {
    let mut listed = HashSet::new();
    for Entry { name, .. } in &manifest.entries {
        let content = name
            .strip_prefix(CONTENT)
            .is_some_and(|hash| hash.parse::<ContentHash>().is_ok());
        let of_lines = LINES.contains(&name.as_str())
            && (name != BRANCHES || manifest.version >= BRANCHES_FORMAT);
        if !content && !of_lines {
            return Err(entry_error(path, name, "a bundle has no such entry".into()));
        }
        if !listed.insert(name.as_bytes()) {
            return Err(entry_error(
                path,
                name,
                "the manifest names it twice".into(),
            ));
        }
        if zip.index_for_name(name).is_none() {
            return Err(entry_error(path, name, "it is missing".into()));
        }
    }
    let strange = zip
        .file_names_raw()
        .find(|name| *name != MANIFEST.as_bytes() && !listed.contains(name));
    match strange {
        Some(name) => Err(entry_error(
            path,
            &String::from_utf8_lossy(name),
            "the manifest does not name it".into(),
        )),
        None => Ok(()),
    }
}

/// What is wrong with a file whose index cannot be read: no zip at all, or the first entry that is not whole.
fn fault_without_index(path: &Path, file: File, packed: u64) -> BundleError {
    let foreign = BundleError::NoBundle {
        path: path.to_owned(),
        detail: "it is no zip archive".into(),
    };
    let mut file = BufReader::new(file);
    if file.rewind().is_err() {
        return foreign;
    }
    let mut whole = 0;
    let mut read = 0_u64;
    loop {
        let (name, ended) = match zip::read::read_zipfile_from_stream(&mut file) {
            Ok(Some(entry)) => {
                let name = printable(&String::from_utf8_lossy(entry.name_raw()));
                let mut limited = entry.take(BYTES_MAX.saturating_sub(read));
                match io::copy(&mut limited, &mut io::sink()) {
                    Ok(bytes) => {
                        read += bytes;
                        (name, true)
                    }
                    Err(_) => (name, false),
                }
            }
            Ok(None) => (INDEX.to_owned(), false),
            Err(_) if whole == 0 => return foreign,
            Err(_) => (format!("number {}", whole + 1), false),
        };
        if name == INDEX && !ended {
            // All entries are whole. The index may be as well, too far from the file's end to be looked for there.
            let at = file.stream_position();
            let found = at.and_then(|at| bytes_behind(&mut file, at, packed));
            if let Ok(Some(bytes)) = found
                && bytes > 0
            {
                return behind(path, bytes);
            }
        }
        if !ended || read >= BYTES_MAX {
            return BundleError::CutShort {
                path: path.to_owned(),
                entry: name,
            };
        }
        whole += 1;
    }
}
