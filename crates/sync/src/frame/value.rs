//! Values that frames carry: bodies and ids kept as they were written, tokens, positions.

use ghostlight_model::{Epoch, Offset};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::value::RawValue;
use std::{fmt, sync::Arc};

/// Longest id or nonce, in bytes of JSON; it is echoed, so a longer one is malformed.
const ECHO_BYTES_MAX: usize = 256;

/// A JSON value exactly as its writer wrote it. Cloning shares the text.
#[derive(Clone)]
pub struct Body(Arc<RawValue>);

impl Body {
    /// Checks that `text` is one JSON value and keeps it verbatim.
    ///
    /// # Errors
    /// If it is not JSON.
    pub fn parse(text: String) -> Result<Self, serde_json::Error> {
        RawValue::from_string(text).map(|raw| Self(raw.into()))
    }

    /// The text.
    pub fn get(&self) -> &str {
        self.0.get()
    }
}

impl PartialEq for Body {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl Eq for Body {}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.get())
    }
}

impl Serialize for Body {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(s)
    }
}

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(d).map(|raw| Self(raw.into()))
    }
}

/// A JSON string or number that is sent back unchanged: the `id` of a subscription, a `nonce`.
///
/// Two are equal if they are written alike.
#[derive(Clone)]
pub struct Echo(Box<RawValue>);

impl Echo {
    /// A number of ours.
    pub fn number(number: u64) -> Self {
        // A number is JSON; the fallback cannot be reached and is a number as well.
        Self(serde_json::value::to_raw_value(&number).unwrap_or_else(|_| RawValue::NULL.to_owned()))
    }

    /// The number behind it, if it is one of ours come back.
    pub fn as_number(&self) -> Option<u64> {
        self.0.get().parse().ok()
    }

    /// The JSON text.
    pub fn get(&self) -> &str {
        self.0.get()
    }
}

impl PartialEq for Echo {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl Eq for Echo {}

impl PartialOrd for Echo {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Echo {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.get().cmp(other.get())
    }
}

impl fmt::Debug for Echo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.get())
    }
}

impl Serialize for Echo {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(s)
    }
}

impl<'de> Deserialize<'de> for Echo {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(d)?;
        let scalar = !raw.get().starts_with(['{', '[', 't', 'f', 'n']);
        if scalar && raw.get().len() <= ECHO_BYTES_MAX {
            Ok(Self(raw))
        } else {
            Err(de::Error::custom(format!(
                "expected a string or number of at most {ECHO_BYTES_MAX} bytes"
            )))
        }
    }
}

/// A token: travels in `hello`, never prints.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A place in a stream: the next event wanted. `{"epoch": 1700000000000000, "offset": 42}`
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    /// The stream's epoch.
    pub epoch: Epoch,
    /// The offset in it.
    pub offset: Offset,
}

impl Position {
    /// The position before `offset` of `epoch`.
    pub fn new(epoch: u64, offset: u64) -> Self {
        Self {
            epoch: Epoch(epoch),
            offset: Offset(offset),
        }
    }
}
