//! Identifiers: content hashes, posting, capture, commit and observation ids, streams and offsets.
//!
//! Hash ids are BLAKE3, shortened to 128 bits where collisions only need to be improbable and
//! kept at 256 bits where somebody could profit from one. All print as lower-case hexadecimal.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A text that is not the identifier it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a {what}: expected {digits} hexadecimal digits")]
pub struct IdError {
    what: &'static str,
    digits: usize,
    text: String,
}

macro_rules! hash_id {
    ($(#[$doc:meta])* $name:ident, $bytes:literal, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $bytes]);

        impl $name {
            /// The id of `parts`, hashed with their lengths so that no two lists run together.
            pub fn of(parts: &[&[u8]]) -> Self {
                let mut hasher = blake3::Hasher::new();
                for part in parts {
                    hasher.update(&(part.len() as u64).to_le_bytes());
                    hasher.update(part);
                }
                let mut id = [0; $bytes];
                hasher.finalize_xof().fill(&mut id);
                Self(id)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                let refuse = || IdError {
                    what: $what,
                    digits: 2 * $bytes,
                    text: text.chars().take(80).collect(),
                };
                let digits = text.as_bytes();
                if digits.len() != 2 * $bytes {
                    return Err(refuse());
                }
                let mut id = [0; $bytes];
                for (byte, pair) in id.iter_mut().zip(digits.chunks_exact(2)) {
                    let high = (pair[0] as char).to_digit(16).ok_or_else(refuse)?;
                    let low = (pair[1] as char).to_digit(16).ok_or_else(refuse)?;
                    *byte = (high * 16 + low) as u8;
                }
                Ok(Self(id))
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                if s.is_human_readable() { s.collect_str(self) } else { self.0.serialize(s) }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                if d.is_human_readable() {
                    let text = String::deserialize(d)?;
                    text.parse().map_err(serde::de::Error::custom)
                } else {
                    Ok(Self(<[u8; $bytes]>::deserialize(d)?))
                }
            }
        }
    };
}

hash_id!(
    /// One job advertisement; fixed when first parsed (see [`crate::keys`]).
    PostingId, 16, "posting id"
);
hash_id!(
    /// One fetched version of a posting: content hash, time and address together.
    CaptureId, 16, "capture id"
);
hash_id!(
    /// One observation; equal observations have equal ids, so their set merges by union.
    ObservationId, 16, "observation id"
);
hash_id!(
    /// BLAKE3 of a capture's or layer's bytes.
    ContentHash, 32, "content hash"
);
hash_id!(
    /// BLAKE3 of a commit's canonical encoding (see [`crate::commit`]).
    CommitId, 32, "commit id"
);

impl ContentHash {
    /// The plain BLAKE3 of `bytes`, as other tools compute it.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }
}

/// A run's name in this data folder: a ULID for ours, origin and stream for a foreign run (see [`RunId::of_stream`]).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(pub String);

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl RunId {
    /// The stream that holds this run's events: `run/<run_id>`.
    pub fn stream(&self) -> StreamId {
        StreamId(format!("run/{}", self.0))
    }

    /// The run behind a stream that others write: two sources may use the same name, so it holds where it is from.
    /// Our own ids have no slash.
    pub fn of_stream(origin: &str, stream: &StreamId) -> Self {
        Self(format!("{origin}/{stream}"))
    }

    /// Origin and stream of a foreign run; `None` for our own.
    pub fn place(&self) -> Option<(&str, StreamId)> {
        let (origin, stream) = self.0.split_once('/')?;
        Some((origin, StreamId(stream.to_owned())))
    }
}

/// The name of a stream: `run/<run_id>` or `posting/<posting_id>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StreamId(pub String);

impl StreamId {
    /// The run behind a `run/…` stream.
    pub fn run(&self) -> Option<RunId> {
        self.0.strip_prefix("run/").map(|id| RunId(id.to_owned()))
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Microseconds at the stream's creation; a greater epoch says that the log was lost or reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(pub u64);

/// The position of an event in its stream's epoch: starts at 0, dense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Offset(pub u64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_survive_text_and_refuse_what_is_none() {
        let id = PostingId::of(&[b"greenhouse", b"acme", b"7"]);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!("12".parse::<PostingId>().is_err());
        assert!("zz".repeat(16).parse::<PostingId>().is_err());
        assert!("é".repeat(16).parse::<PostingId>().is_err());
    }

    #[test]
    fn a_foreign_run_is_named_by_its_place() {
        let stream = StreamId("run/a/b".into());
        let run = RunId::of_stream("feed:3fa1", &stream);
        assert_eq!(run.place(), Some(("feed:3fa1", stream)));
        assert_eq!(RunId("01KE6Q0M5N7D8W3J4Y2A9ZBCDE".into()).place(), None);
    }

    #[test]
    fn parts_do_not_run_together() {
        assert_ne!(PostingId::of(&[b"ab", b"c"]), PostingId::of(&[b"a", b"bc"]));
    }
}
