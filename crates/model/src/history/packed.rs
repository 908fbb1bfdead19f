//! Outlines as bytes: a posting's outlines in the order in which they came, in chunks that fit a page of a file.
//!
//! A chunk begins with a version and a hash of the chunk before it, so the last chunk tells of all of them whether they
//! are those that are known already. Behind that the outlines stand one after the other. Numbers are LEB128; what a
//! chunk names twice (parents, authors) is named by where it stands:
//!
//! | of an outline | as |
//! |---|---|
//! | id | 32 bytes |
//! | clock | microseconds since the outline before it in the chunk, zigzag; counter |
//! | parents | their number; of each how many outlines back it stands in this chunk, or 0 and its 32 bytes |
//! | author | its number among the chunk's authors from 1, or 0 and a new one: length, UTF-8 |
//! | purpose | 0 edit, 1 merge, 2 undo, 3 redo, 4 restore; of the latter three what it is about, as a parent |
//! | touches | their bytes; of each the field, then source + 4 × whether there is a value, then that one's hash, 8 bytes |
//!
//! A field is its number in a list that only grows, from 1, or 0 and its name: length, UTF-8. The format is ours alone: a
//! projection, made anew where the version is another one.

use super::outline::{Outline, Touch};
use crate::{
    commit::{AuthorId, Clock, Purpose},
    ids::CommitId,
    observation::Source,
    time::Micros,
    value::FieldKey,
};

/// A chunk takes no more outlines once it would be longer than this: then it fits a page of 4 KiB with its key. An
/// outline that is longer by itself has a chunk of its own.
pub const CHUNK_BYTES: usize = 3_800;
const VERSION: u8 = 1;
/// Of the hash of the chunk before.
const HASH_BYTES: usize = 16;
const HEAD_BYTES: usize = 1 + HASH_BYTES;

/// Stored by place: new ones go to the end.
const FIELDS: [FieldKey; 17] = [
    FieldKey::Title,
    FieldKey::Company,
    FieldKey::Location,
    FieldKey::Remote,
    FieldKey::EmploymentType,
    FieldKey::RemoteRegions,
    FieldKey::Seniority,
    FieldKey::Salary,
    FieldKey::PostedAt,
    FieldKey::ValidThrough,
    FieldKey::ApplyUrl,
    FieldKey::Platform,
    FieldKey::Skills,
    FieldKey::Benefits,
    FieldKey::Description,
    FieldKey::Verdict,
    FieldKey::Outcome,
];
/// Stored by place, as [`FIELDS`].
const SOURCES: [Source; 3] = [Source::Parsing, Source::Ai, Source::User];
const HAS_VALUE: u8 = 4;
/// Of a touch, nearly always.
const TOUCH_BYTES: usize = 10;

/// Bytes that are no chunk of outlines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the outlines of a history are damaged ({0})")]
pub struct PackError(&'static str);

/// An empty chunk behind another one.
pub fn begin(before: Option<&[u8]>) -> Vec<u8> {
    let mut chunk = vec![VERSION];
    match before {
        Some(before) => chunk.extend(&blake3::hash(before).as_bytes()[..HASH_BYTES]),
        None => chunk.extend([0; HASH_BYTES]),
    }
    chunk
}

/// Puts an outline behind those of a chunk; answers whether there was room for it.
///
/// # Errors
/// [`PackError`] if the chunk is none.
pub fn append(chunk: &mut Vec<u8>, id: CommitId, outline: &Outline) -> Result<bool, PackError> {
    let mut known = Reader::of(chunk)?;
    while known.skip()? {}
    let before = chunk.len();
    known.context.put(chunk, id, outline);
    let fits = before == HEAD_BYTES || chunk.len() <= CHUNK_BYTES;
    if !fits {
        chunk.truncate(before);
    }
    Ok(fits)
}

/// The outlines of a chunk behind the first `known`.
///
/// # Errors
/// [`PackError`] if it is none.
pub fn unpack(chunk: &[u8], known: usize) -> Result<Vec<(CommitId, Outline)>, PackError> {
    let mut reader = Reader::of(chunk)?;
    for _ in 0..known {
        reader.skip()?;
    }
    let mut all = Vec::new();
    while let Some(next) = reader.next()? {
        all.push(next);
    }
    Ok(all)
}

/// Whether a chunk has no outline.
pub fn is_empty(chunk: &[u8]) -> bool {
    chunk.len() <= HEAD_BYTES
}

/// What a chunk has said so far.
#[derive(Default)]
struct Context {
    ids: Vec<CommitId>,
    authors: Vec<AuthorId>,
    wall: i64,
}

impl Context {
    fn put(&self, out: &mut Vec<u8>, id: CommitId, outline: &Outline) {
        out.extend(id.0);
        put_number(out, zigzag(outline.clock.wall.0.wrapping_sub(self.wall)));
        put_number(out, outline.clock.counter.into());
        put_number(out, outline.parents.len() as u64);
        outline
            .parents
            .iter()
            .for_each(|parent| self.put_id(out, *parent));
        match self
            .authors
            .iter()
            .position(|known| *known == outline.author)
        {
            Some(place) => put_number(out, place as u64 + 1),
            None => {
                out.push(0);
                put_text(out, &outline.author.0);
            }
        }
        let (kind, about) = match outline.purpose {
            Purpose::Plain => (0, None),
            Purpose::Merge => (1, None),
            Purpose::Undo(id) => (2, Some(id)),
            Purpose::Redo(id) => (3, Some(id)),
            Purpose::Restore(id) => (4, Some(id)),
        };
        out.push(kind);
        about.into_iter().for_each(|about| self.put_id(out, about));
        let mut touches = Vec::new();
        outline
            .touches
            .iter()
            .for_each(|touch| put_touch(&mut touches, touch));
        put_number(out, touches.len() as u64);
        out.extend(touches);
    }

    fn put_id(&self, out: &mut Vec<u8>, id: CommitId) {
        match self.ids.iter().rev().position(|known| *known == id) {
            Some(back) => put_number(out, back as u64 + 1),
            None => {
                out.push(0);
                out.extend(id.0);
            }
        }
    }
}

fn put_touch(out: &mut Vec<u8>, Touch(field, source, value): &Touch) {
    match FIELDS.iter().position(|known| known.name() == field.name()) {
        Some(place) => put_number(out, place as u64 + 1),
        None => {
            out.push(0);
            put_text(out, field.name());
        }
    }
    let source = SOURCES
        .iter()
        .position(|known| known == source)
        .unwrap_or_default() as u8;
    out.push(source + if value.is_some() { HAS_VALUE } else { 0 });
    value.iter().for_each(|hash| out.extend(hash.to_le_bytes()));
}

fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_number(out, text.len() as u64);
    out.extend(text.as_bytes());
}

fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}

fn unzigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

/// Reads a chunk from front to back.
struct Reader<'a> {
    bytes: Bytes<'a>,
    context: Context,
}

/// An outline but for its touches, which still are bytes.
struct Head<'a> {
    parents: Vec<CommitId>,
    author: usize,
    clock: Clock,
    purpose: Purpose,
    touches: Bytes<'a>,
}

impl<'a> Reader<'a> {
    fn of(chunk: &'a [u8]) -> Result<Self, PackError> {
        let mut bytes = Bytes(chunk);
        let [VERSION, ..] = bytes.array::<HEAD_BYTES>()? else {
            return Err(PackError("their version is another one"));
        };
        Ok(Self {
            bytes,
            context: Context::default(),
        })
    }

    /// Passes over an outline; answers whether there was one.
    fn skip(&mut self) -> Result<bool, PackError> {
        Ok(self.head()?.is_some())
    }

    fn next(&mut self) -> Result<Option<(CommitId, Outline)>, PackError> {
        let Some((id, mut head)) = self.head()? else {
            return Ok(None);
        };
        let mut touches = Vec::with_capacity(head.touches.0.len().div_ceil(TOUCH_BYTES));
        while !head.touches.0.is_empty() {
            touches.push(head.touches.touch()?);
        }
        let outline = Outline {
            parents: head.parents,
            author: self.context.authors[head.author].clone(),
            clock: head.clock,
            purpose: head.purpose,
            touches,
        };
        Ok(Some((id, outline)))
    }

    fn head(&mut self) -> Result<Option<(CommitId, Head<'a>)>, PackError> {
        if self.bytes.0.is_empty() {
            return Ok(None);
        }
        let id = CommitId(self.bytes.array()?);
        let wall = self
            .context
            .wall
            .wrapping_add(unzigzag(self.bytes.number()?));
        let counter = u32::try_from(self.bytes.number()?);
        let clock = Clock {
            wall: Micros(wall),
            counter: counter.map_err(|_| PackError("a clock is none"))?,
        };
        let count = self.bytes.number()?;
        let mut parents = Vec::with_capacity(count.min(2) as usize);
        for _ in 0..count {
            parents.push(self.id()?);
        }
        let author = self.author()?;
        let purpose = match self.bytes.array()? {
            [0] => Purpose::Plain,
            [1] => Purpose::Merge,
            [2] => Purpose::Undo(self.id()?),
            [3] => Purpose::Redo(self.id()?),
            [4] => Purpose::Restore(self.id()?),
            _ => return Err(PackError("a purpose is none")),
        };
        let touches = Bytes(self.bytes.text()?);
        self.context.ids.push(id);
        self.context.wall = wall;
        let head = Head {
            parents,
            author,
            clock,
            purpose,
            touches,
        };
        Ok(Some((id, head)))
    }

    fn id(&mut self) -> Result<CommitId, PackError> {
        let back = match self.bytes.number()? {
            0 => return Ok(CommitId(self.bytes.array()?)),
            back => usize::try_from(back).ok(),
        };
        let ids = &self.context.ids;
        let place = back.and_then(|back| ids.len().checked_sub(back));
        place
            .map(|place| ids[place])
            .ok_or(PackError("a commit is named that is not there"))
    }

    /// The author's place among those of the chunk.
    fn author(&mut self) -> Result<usize, PackError> {
        let authors = &mut self.context.authors;
        let number = match self.bytes.number()? {
            0 => {
                authors.push(AuthorId(text_of(self.bytes.text()?)?));
                authors.len()
            }
            number => usize::try_from(number).unwrap_or(usize::MAX),
        };
        match number <= authors.len() {
            true => Ok(number - 1),
            false => Err(PackError("an author is named that is not there")),
        }
    }
}

fn text_of(bytes: &[u8]) -> Result<String, PackError> {
    let text = std::str::from_utf8(bytes);
    text.map(str::to_owned)
        .map_err(|_| PackError("a name is no text"))
}

/// What is still to be read.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], PackError> {
        let (first, rest) = self
            .0
            .split_first_chunk()
            .ok_or(PackError("they break off"))?;
        self.0 = rest;
        Ok(*first)
    }

    fn number(&mut self) -> Result<u64, PackError> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let [byte] = self.array()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(PackError("a number is too long"))
    }

    /// Bytes behind their number.
    fn text(&mut self) -> Result<&'a [u8], PackError> {
        let length = usize::try_from(self.number()?).unwrap_or(usize::MAX);
        let (text, rest) = self
            .0
            .split_at_checked(length)
            .ok_or(PackError("they break off"))?;
        self.0 = rest;
        Ok(text)
    }

    fn touch(&mut self) -> Result<Touch, PackError> {
        let field = match self.number()? {
            0 => FieldKey::from(text_of(self.text()?)?.as_str()),
            number => {
                let place = usize::try_from(number - 1).unwrap_or(usize::MAX);
                let field = FIELDS.get(place);
                field.cloned().ok_or(PackError("a field is none"))?
            }
        };
        let [said] = self.array()?;
        let source = SOURCES.get(usize::from(said % HAS_VALUE));
        let source = *source.ok_or(PackError("a source is none"))?;
        let value = match said / HAS_VALUE {
            0 => None,
            1 => Some(u64::from_le_bytes(self.array()?)),
            _ => return Err(PackError("a source is none")),
        };
        Ok(Touch(field, source, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Of few, so that they name each other.
    fn arbitrary_id() -> impl Strategy<Value = CommitId> {
        any::<u8>().prop_map(|byte| CommitId([byte; 32]))
    }

    fn arbitrary_outline() -> impl Strategy<Value = (CommitId, Outline)> {
        let purpose = prop_oneof![
            4 => Just(Purpose::Plain),
            1 => Just(Purpose::Merge),
            1 => arbitrary_id().prop_map(Purpose::Undo),
            1 => arbitrary_id().prop_map(Purpose::Redo),
            1 => arbitrary_id().prop_map(Purpose::Restore),
        ];
        let field = prop_oneof![
            3 => prop::sample::select(&FIELDS[..]),
            1 => "[a-z]{0,80}".prop_map(|name| FieldKey::from(name.as_str())),
        ];
        let source = prop::sample::select(&SOURCES[..]);
        let touch = (field, source, any::<Option<u64>>()).prop_map(|(f, s, v)| Touch(f, s, v));
        let parents = prop::collection::vec(arbitrary_id(), 0..3);
        let touches = prop::collection::vec(touch, 0..6);
        let made = (
            arbitrary_id(),
            parents,
            "[ab]{0,2}",
            any::<(i64, u32)>(),
            purpose,
            touches,
        );
        made.prop_map(|(id, parents, author, (wall, counter), purpose, touches)| {
            let outline = Outline {
                parents,
                author: AuthorId(author),
                clock: Clock {
                    wall: Micros(wall),
                    counter,
                },
                purpose,
                touches,
            };
            (id, outline)
        })
    }

    /// All of them in as many chunks as it takes.
    fn packed(outlines: &[(CommitId, Outline)]) -> Vec<Vec<u8>> {
        let mut chunks = vec![begin(None)];
        for (id, outline) in outlines {
            let last = chunks.last_mut().unwrap();
            if !append(last, *id, outline).unwrap() {
                let mut next = begin(Some(last));
                assert!(append(&mut next, *id, outline).unwrap());
                chunks.push(next);
            }
        }
        chunks
    }

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(outlines in prop::collection::vec(arbitrary_outline(), 0..150), known in 0..80usize) {
            let chunks = packed(&outlines);
            let all = chunks.iter().flat_map(|chunk| unpack(chunk, 0).unwrap());
            prop_assert_eq!(all.collect::<Vec<_>>(), outlines);
            for chunk in &chunks {
                let all = unpack(chunk, 0).unwrap();
                prop_assert_eq!(is_empty(chunk), all.is_empty());
                prop_assert_eq!(&unpack(chunk, known).unwrap(), &all[known.min(all.len())..]);
                prop_assert!(all.len() < 2 || chunk.len() <= CHUNK_BYTES);
            }
        }

        #[test]
        fn damage_is_an_error_or_another_history_and_never_a_panic(
            outlines in prop::collection::vec(arbitrary_outline(), 1..8),
            at in any::<prop::sample::Index>(),
            byte in any::<u8>(),
        ) {
            let mut chunk = packed(&outlines).swap_remove(0);
            let cut = at.index(chunk.len());
            let _ = unpack(&chunk[..cut], 0);
            chunk[cut] = byte;
            let _ = (unpack(&chunk, 0), append(&mut chunk, outlines[0].0, &outlines[0].1));
        }
    }

    /// Golden: a change here needs another version, and what is on disk is made anew.
    #[test]
    fn the_format_is_fixed() {
        let (a, b) = (CommitId([1; 32]), CommitId([2; 32]));
        let first = Outline {
            parents: vec![],
            author: AuthorId("ada".into()),
            clock: Clock {
                wall: Micros(100),
                counter: 0,
            },
            purpose: Purpose::Plain,
            touches: vec![Touch(FieldKey::Title, Source::Parsing, Some(7))],
        };
        let second = Outline {
            parents: vec![a, CommitId([3; 32])],
            clock: Clock {
                wall: Micros(99),
                counter: 300,
            },
            purpose: Purpose::Undo(a),
            touches: vec![
                Touch(FieldKey::Outcome, Source::User, None),
                Touch(FieldKey::Custom("x".into()), Source::Ai, Some(1)),
            ],
            ..first.clone()
        };
        let mut wanted = vec![VERSION];
        wanted.extend([0; 16]);
        wanted.extend([1; 32]);
        wanted.extend([200, 1, 0, 0, 0, 3]);
        wanted.extend(b"ada");
        wanted.extend([0, 10, 1, 4, 7, 0, 0, 0, 0, 0, 0, 0]);
        wanted.extend([2; 32]);
        wanted.extend([1, 0xac, 2, 2, 1, 0]);
        wanted.extend([3; 32]);
        wanted.extend([1, 2, 1, 14, 17, 2, 0, 1, b'x', 5, 1, 0, 0, 0, 0, 0, 0, 0]);
        let chunk = packed(&[(a, first), (b, second)]).swap_remove(0);
        assert_eq!(chunk, wanted);
        assert_eq!(
            begin(Some(&chunk))[1..],
            blake3::hash(&chunk).as_bytes()[..16]
        );
        for (number, field) in FIELDS.iter().enumerate() {
            let mut touch = Vec::new();
            put_touch(&mut touch, &Touch(field.clone(), Source::User, None));
            assert_eq!(touch, [number as u8 + 1, 2]);
            assert_ne!(*field, FieldKey::Custom(field.name().into()));
        }
        let mut other = chunk;
        other[0] = 9;
        assert_eq!(
            unpack(&other, 0),
            Err(PackError("their version is another one"))
        );
    }
}
