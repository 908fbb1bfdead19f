//! The archive files: what they look like, how they are written and read.
//!
//! A file `archive/HASH.jsonl.gz`, named by the BLAKE3 of its bytes, is a sequence of gzip members (RFC 1952), each
//! compressed by itself. Its text is one JSON object a line: `{"ghostlight_archive":1}`, then
//! `{"id":ID,"commit":COMMIT}` for each version, COMMIT being the stored body as it is. So `zcat` shows all of it, also
//! without Ghostlight, and one member is enough to read one version.

use crate::error::StoreError;
use flate2::{Compression, bufread::MultiGzDecoder, read::GzDecoder, write::GzEncoder};
use ghostlight_model::{
    CommitId, PostingId,
    commit::{Clock, Commit},
};
use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

/// The folder of archive files in a data folder.
pub const FOLDER: &str = "archive";
/// What a file's name ends with.
const ENDING: &str = ".jsonl.gz";
/// A file under way; whoever writes it holds the folder's lock.
const ASIDE: &str = "writing.partial";
/// The first line.
const HEADER: &str = "{\"ghostlight_archive\":1}\n";
/// Text of a block, after which the next begins: what is unpacked to read one version.
const BLOCK_BYTES: usize = 64 << 10;
/// A longer body is not archived: what one look at it unpacks stays bounded.
pub(super) const BODY_BYTES_MAX: usize = 16 << 20;
/// The most that a block unpacks to.
pub(super) const RAW_BYTES_MAX: usize = BLOCK_BYTES + BODY_BYTES_MAX + 1_024;

/// What a line holds beside the body.
const BEGIN: &str = "{\"id\":\"";
const MIDDLE: &str = "\",\"commit\":";
const END: &str = "}\n";

/// A file's hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mark(pub [u8; 32]);

impl Mark {
    pub fn name(self) -> String {
        format!("{}{ENDING}", blake3::Hash::from_bytes(self.0).to_hex())
    }

    /// Of a file's name; `None` if it is no archive file's.
    pub fn of_name(name: &str) -> Option<Self> {
        let hash = blake3::Hash::from_hex(name.strip_suffix(ENDING)?).ok()?;
        let mark = Self(*hash.as_bytes());
        (mark.name() == name).then_some(mark)
    }
}

/// Where a block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub start: i64,
    pub length: i64,
    pub raw: i64,
}

/// A block that is written, and which versions it holds.
pub(super) struct Block {
    pub place: Place,
    pub versions: Vec<Moved>,
}

/// A version in a block: where its rows are in the database.
pub(super) struct Moved {
    pub id: CommitId,
    pub posting: PostingId,
    pub clock: Clock,
    /// The names of the fields it changes.
    pub fields: Vec<String>,
}

/// A file that has its name.
pub(super) struct Sealed {
    pub mark: Mark,
    pub bytes: i64,
    pub blocks: Vec<Block>,
}

/// The archive folder beside a database.
pub(super) fn folder_of(database: &Path) -> PathBuf {
    database.with_file_name(FOLDER)
}

pub(super) fn make_folder(folder: &Path) -> Result<(), StoreError> {
    if !folder.is_dir() {
        fs::create_dir_all(folder).map_err(|e| StoreError::io(folder, &e))?;
        folder.parent().map_or(Ok(()), sync_folder)?;
    }
    Ok(())
}

/// Makes the names in a folder durable.
pub(super) fn sync_folder(folder: &Path) -> Result<(), StoreError> {
    if cfg!(unix) {
        let synced = File::open(folder).and_then(|folder| folder.sync_all());
        synced.map_err(|e| StoreError::io(folder, &e))?;
    }
    Ok(())
}

/// The names of the archive files that there are, recorded or not.
pub(super) fn names(folder: &Path) -> Result<Vec<String>, StoreError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(StoreError::io(folder, &e)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|e| StoreError::io(folder, &e))?;
        let name = entry.file_name();
        let name = name
            .to_str()
            .filter(|name| Mark::of_name(name).is_some() || *name == ASIDE);
        names.extend(name.map(str::to_owned));
    }
    names.sort();
    Ok(names)
}

/// Whether the name is that of a file that was never finished.
pub(super) fn is_aside(name: &str) -> bool {
    name == ASIDE
}

/// A file under way.
pub(super) struct Writing {
    folder: PathBuf,
    file: File,
    hasher: blake3::Hasher,
    at: usize,
    text: Vec<u8>,
    moved: Vec<Moved>,
    blocks: Vec<Block>,
    versions: usize,
}

impl Writing {
    pub fn begin(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join(ASIDE);
        Ok(Self {
            folder: folder.to_owned(),
            file: File::create(&path).map_err(|e| StoreError::io(&path, &e))?,
            hasher: blake3::Hasher::new(),
            at: 0,
            text: HEADER.into(),
            moved: Vec::new(),
            blocks: Vec::new(),
            versions: 0,
        })
    }

    /// How many versions there are in it.
    pub fn versions(&self) -> usize {
        self.versions
    }

    /// Adds a version; the body is one line.
    pub fn add(&mut self, id: CommitId, body: &str, commit: &Commit) -> Result<(), StoreError> {
        if !self.text.is_empty() && self.text.len() + body.len() > BLOCK_BYTES {
            self.end_block()?;
        }
        let id_text = id.to_string();
        for part in [BEGIN, &id_text, MIDDLE, body, END] {
            self.text.extend(part.as_bytes());
        }
        let fields = commit.changes.iter();
        self.moved.push(Moved {
            id,
            posting: commit.posting,
            clock: commit.clock,
            fields: fields
                .map(|change| change.field.name().to_owned())
                .collect(),
        });
        self.versions += 1;
        Ok(())
    }

    fn end_block(&mut self) -> Result<(), StoreError> {
        if self.text.is_empty() {
            return Ok(());
        }
        let mut packing = GzEncoder::new(Vec::new(), Compression::default());
        let failed = |e: io::Error| StoreError::io(&self.folder.join(ASIDE), &e);
        packing.write_all(&self.text).map_err(failed)?;
        let packed = packing.finish().map_err(failed)?;
        self.file.write_all(&packed).map_err(failed)?;
        self.hasher.update(&packed);
        self.blocks.push(Block {
            place: Place {
                start: self.at as i64,
                length: packed.len() as i64,
                raw: self.text.len() as i64,
            },
            versions: std::mem::take(&mut self.moved),
        });
        self.at += packed.len();
        self.text.clear();
        Ok(())
    }

    /// Ends the file; its bytes are on disk.
    pub fn end(mut self) -> Result<Ended, StoreError> {
        self.end_block()?;
        let synced = self.file.sync_all();
        synced.map_err(|e| StoreError::io(&self.folder.join(ASIDE), &e))?;
        Ok(Ended {
            folder: self.folder,
            sealed: Sealed {
                mark: Mark(*self.hasher.finalize().as_bytes()),
                bytes: self.at as i64,
                blocks: self.blocks,
            },
        })
    }
}

/// A file that is written and has no name yet.
pub(super) struct Ended {
    folder: PathBuf,
    sealed: Sealed,
}

impl Ended {
    /// Gives it its name, durably.
    pub fn name(self) -> Result<Sealed, StoreError> {
        let path = self.folder.join(self.sealed.mark.name());
        fs::rename(self.folder.join(ASIDE), &path).map_err(|e| StoreError::io(&path, &e))?;
        sync_folder(&self.folder)?;
        Ok(self.sealed)
    }
}

/// Removes a file under way, if there is one.
pub(super) fn remove_aside(folder: &Path) {
    // What stays is overwritten by the next one.
    let _ = fs::remove_file(folder.join(ASIDE));
}

/// Removes a file, durably.
pub(super) fn remove(path: &Path) -> Result<(), StoreError> {
    fs::remove_file(path).map_err(|e| StoreError::io(path, &e))?;
    path.parent().map_or(Ok(()), sync_folder)
}

/// What is wrong with an archive file.
pub(super) fn damaged(path: &Path, what: &str) -> StoreError {
    StoreError::Archive {
        path: path.to_owned(),
        detail: what.to_owned(),
    }
}

/// An archive file that cannot be read.
pub(super) fn unreadable(path: &Path, error: &io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::NotFound => damaged(path, "the file is missing"),
        io::ErrorKind::UnexpectedEof => damaged(path, "the file is cut short"),
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
            damaged(path, "the file was changed")
        }
        _ => damaged(path, &error.to_string()),
    }
}

pub(super) fn open(path: &Path) -> Result<File, StoreError> {
    File::open(path).map_err(|e| unreadable(path, &e))
}

/// Whether the bytes are those that the name says.
pub(super) fn check_bytes(path: &Path, mark: Mark) -> Result<(), StoreError> {
    let mut hasher = blake3::Hasher::new();
    let mut reader = BufReader::with_capacity(BLOCK_BYTES, open(path)?);
    loop {
        let bytes = reader.fill_buf().map_err(|e| unreadable(path, &e))?;
        if bytes.is_empty() {
            break;
        }
        hasher.update(bytes);
        let read = bytes.len();
        reader.consume(read);
    }
    match *hasher.finalize().as_bytes() == mark.0 {
        true => Ok(()),
        false => Err(damaged(
            path,
            "the file was changed or cut short: its name is the hash of what was written",
        )),
    }
}

/// The text of a block.
pub(super) fn text_of(file: &mut File, path: &Path, place: Place) -> Result<String, StoreError> {
    let (Ok(start), Ok(length), Ok(raw)) = (
        u64::try_from(place.start),
        u64::try_from(place.length),
        usize::try_from(place.raw),
    ) else {
        return Err(damaged(path, "the database names a part that cannot be"));
    };
    if raw > RAW_BYTES_MAX {
        return Err(damaged(path, "the database names a part that is too long"));
    }
    let mut bytes = Vec::with_capacity(raw);
    file.seek(SeekFrom::Start(start))
        .and_then(|_| {
            let member = GzDecoder::new(file.take(length));
            member.take(raw as u64 + 1).read_to_end(&mut bytes)
        })
        .map_err(|e| unreadable(path, &e))?;
    match String::from_utf8(bytes) {
        Ok(text) if text.len() == raw => Ok(text),
        _ => Err(damaged(path, "the file was changed")),
    }
}

/// The versions in a block's text with their bodies; what is no version's line ends it with an error.
pub(super) fn versions<'a>(
    text: &'a str,
    path: &'a Path,
) -> impl Iterator<Item = Result<(CommitId, &'a str), StoreError>> {
    let text = text.strip_prefix(HEADER).unwrap_or(text);
    text.split_inclusive('\n').map(move |line| {
        let found = line.strip_prefix(BEGIN).and_then(|line| {
            let (id, body) = line.split_once(MIDDLE)?;
            Some((id.parse().ok()?, body.strip_suffix(END)?))
        });
        found.ok_or_else(|| damaged(path, "the file holds a line that is no version"))
    })
}

/// The body of one version in a block's text.
pub(super) fn body_in(text: &str, id: CommitId) -> Option<&str> {
    let wanted = format!("{BEGIN}{id}{MIDDLE}");
    let mut lines = text.split_inclusive('\n');
    lines.find_map(|line| line.strip_prefix(&wanted)?.strip_suffix(END))
}

/// The commit of a body, if that is what the id says.
pub(super) fn commit_in(path: &Path, id: CommitId, body: &str) -> Result<Commit, StoreError> {
    match serde_json::from_str::<Commit>(body) {
        Ok(commit) if commit.id() == id => Ok(commit),
        _ => Err(damaged(
            path,
            "the file was changed: a version in it is not what its id says",
        )),
    }
}

/// Takes a version: the place of its block in the list, its id, body and commit.
pub(super) type EachVersion<'a> =
    &'a mut dyn FnMut(usize, CommitId, &str, Commit) -> Result<(), StoreError>;

/// Every version of a file, block by block.
pub(super) fn walk(path: &Path, places: &[Place], each: EachVersion<'_>) -> Result<(), StoreError> {
    let mut file = open(path)?;
    for (at, place) in places.iter().enumerate() {
        let text = text_of(&mut file, path, *place)?;
        for version in versions(&text, path) {
            let (id, body) = version?;
            each(at, id, body, commit_in(path, id, body)?)?;
        }
    }
    Ok(())
}

/// The ids in a file of which no blocks are recorded.
pub(super) fn ids(path: &Path) -> Result<Vec<CommitId>, StoreError> {
    let reader = BufReader::new(MultiGzDecoder::new(BufReader::new(open(path)?)));
    let mut ids = Vec::new();
    // A line is at most a body; a longer one is none of ours, and ends the reading as a cut line.
    let mut reader = reader;
    loop {
        let mut line = String::new();
        let mut limited = (&mut reader).take(RAW_BYTES_MAX as u64);
        limited
            .read_line(&mut line)
            .map_err(|e| unreadable(path, &e))?;
        if line.is_empty() {
            return Ok(ids);
        }
        for version in versions(&line, path) {
            let (id, body) = version?;
            commit_in(path, id, body)?;
            ids.push(id);
        }
    }
}
