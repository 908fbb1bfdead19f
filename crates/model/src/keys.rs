//! Posting keys: how the same job advertisement is recognised again (DESIGN *The data*).

use crate::ids::{ContentHash, PostingId};
use serde::{Deserialize, Serialize};

/// Something a posting can be recognised by. Stored as state; the strongest one known when
/// `PARSE` ends fixes the posting's id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PostingKey {
    /// The vendor's own id of the job on a board.
    Ats {
        /// `greenhouse`, `lever`, `ashby`, …
        vendor: String,
        /// The employer's name on that system, lower case.
        board: String,
        /// The job's id.
        job: String,
    },
    /// The canonical URL: scheme and host lowered, tracking parameters and fragment dropped.
    Url(String),
    /// The hash of the normalised visible text.
    Text(ContentHash),
}

impl PostingKey {
    /// The posting id this key gives when it is the strongest.
    pub fn posting_id(&self) -> PostingId {
        match self {
            PostingKey::Ats { vendor, board, job } => {
                PostingId::of(&[b"ats", vendor.as_bytes(), board.as_bytes(), job.as_bytes()])
            }
            PostingKey::Url(url) => PostingId::of(&[b"url", url.as_bytes()]),
            PostingKey::Text(hash) => PostingId::of(&[b"text", &hash.0]),
        }
    }

    /// Its place in the order of strength: ATS before URL before text.
    pub fn rank(&self) -> u8 {
        match self {
            PostingKey::Ats { .. } => 0,
            PostingKey::Url(_) => 1,
            PostingKey::Text(_) => 2,
        }
    }

    /// The form stored in `posting_key`.
    pub fn stored(&self) -> String {
        match self {
            PostingKey::Ats { vendor, board, job } => format!("ats:{vendor}/{board}/{job}"),
            PostingKey::Url(url) => format!("url:{url}"),
            PostingKey::Text(hash) => format!("text:{hash}"),
        }
    }
}

/// The strongest of `keys`.
pub fn strongest(keys: &[PostingKey]) -> Option<&PostingKey> {
    keys.iter().min_by_key(|key| key.rank())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ats_key_wins() {
        let url = PostingKey::Url("https://jobs.example/7".into());
        let ats = PostingKey::Ats {
            vendor: "lever".into(),
            board: "oriel".into(),
            job: "7".into(),
        };
        assert_eq!(strongest(&[url.clone(), ats.clone()]), Some(&ats));
        assert_ne!(url.posting_id(), ats.posting_id());
        assert_eq!(strongest(&[]), None);
    }
}
