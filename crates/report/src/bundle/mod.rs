//! Bundles: postings with everything that is known of them, in one zip (SPEC E4).
//!
//! An entry of lines for each kind of piece, an entry for each captured page and text, and `manifest.json` with the
//! SHA-256 of each. The same pieces give the same bytes. [`write()`] makes one; [`Reader`] refuses, naming the entry,
//! what was tampered with, cut short, made by something else or by a newer Ghostlight, and what is built to hurt: nothing of
//! a bundle is ever unpacked to a file, no name leads anywhere, and sizes are counted while reading, not believed.
//!
//! The hashes prove that a bundle is whole, not who made it.

mod read;
mod write;

pub use read::{BundleError, Reader, Stop};
pub use write::{Counts, Packed, look, write};

use serde::{Deserialize, Serialize};

/// What `format` of the manifest says.
const FORMAT_NAME: &str = "ghostlight-bundle";
const MANIFEST: &str = "manifest.json";
/// The folder of captured pages and texts, each named by its BLAKE3.
const CONTENT: &str = "content/";
/// The entries of lines, in the order in which they rest on each other.
const LINES: [&str; 7] = [
    "captures.jsonl",
    "postings.jsonl",
    "observations.jsonl",
    "streams.jsonl",
    "events.jsonl",
    "commits.jsonl",
    BRANCHES,
];
/// Since [`BRANCHES_FORMAT`](ghostlight_model::bundle::BRANCHES_FORMAT).
const BRANCHES: &str = "branches.jsonl";

/// Entries of a bundle; one with more is refused, and an export of more fails.
pub const ENTRIES_MAX: usize = 1_000_000;
/// Bytes of all entries together, unpacked.
pub const BYTES_MAX: u64 = 32 << 30;
/// Above [`BOMB_BYTES`] a bundle may be so many times larger unpacked than packed. Pages of text reach 20.
pub const RATIO_MAX: u64 = 200;
/// Below this it does no harm, however well it is packed.
const BOMB_BYTES: u64 = 256 << 20;
/// Bytes of a page or text: an input holds up to 64 MiB, and as UTF-8 it may be longer. It is held in memory.
const CONTENT_BYTES_MAX: u64 = 256 << 20;
/// Bytes of a line, which is held in memory: an observation may hold a whole page, and again as its quote.
const LINE_BYTES_MAX: u64 = 256 << 20;
/// Bytes of the manifest: about a hundred an entry.
const MANIFEST_BYTES_MAX: u64 = 256 << 20;

/// The manifest, as it stands in the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Manifest {
    format: String,
    version: u32,
    ghostlight: String,
    note: String,
    counts: Counts,
    /// Contents that were removed before: their hashes stay.
    removed: Vec<String>,
    entries: Vec<Entry>,
}

/// An entry of the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    name: String,
    bytes: u64,
    sha256: String,
}

/// Lower-case hexadecimal.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
