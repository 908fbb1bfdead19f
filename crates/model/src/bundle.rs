//! What a bundle holds: everything that is known of some postings, in pieces (SPEC E4).
//!
//! The pieces reach the disk as JSON; changing one needs a new [`FORMAT`]. [`Piece::check`] says what a piece proves by
//! itself: ids are hashes of what they name.

use crate::{
    commit::Commit,
    event::EventBody,
    history::{BRANCHES_MAX, check_branch_name},
    ids::{CaptureId, CommitId, ContentHash, Epoch, Offset, PostingId, RunId},
    observation::Observation,
    time::Micros,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The format of these pieces; a newer one is refused.
pub const FORMAT: u32 = 2;
/// The first format that has branches: in an older one a history has ends without names.
pub const BRANCHES_FORMAT: u32 = 2;
/// The counter of a clock is refused from here on: nobody makes so many commits in a microsecond, and the next one's
/// must still be a number.
const COUNTER_MAX: u32 = 1 << 30;

/// A piece of a bundle. In this order a later piece rests on earlier ones only.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    /// Bytes of a capture or of a text layer; `None` after their removal.
    Content(ContentHash, Option<Vec<u8>>),
    /// A fetched version of a posting.
    Capture(CapturePiece),
    /// A posting.
    Posting(PostingPiece),
    /// An observation.
    Observation(ObservationPiece),
    /// A run's stream.
    Stream(StreamPiece),
    /// An event, in order of arrival.
    Event(EventPiece),
    /// A commit, parents before children.
    Commit(Box<CommitPiece>),
    /// A posting's branches.
    Branches(BranchesPiece),
}

/// A fetched version of a posting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CapturePiece {
    /// Its id.
    pub id: CaptureId,
    /// Its bytes.
    pub content: ContentHash,
    /// What a reader sees, once parsed.
    pub visible: Option<ContentHash>,
    /// The source as UTF-8, once parsed.
    pub source: Option<ContentHash>,
    /// When it was fetched.
    pub fetched_at: Micros,
    /// File name, or what the input is called.
    pub name: String,
    /// The URL asked for.
    pub url: Option<String>,
    /// The URL that answered.
    pub final_url: Option<String>,
    /// HTTP status.
    pub http_status: Option<u16>,
    /// `Content-Type`.
    pub content_type: Option<String>,
}

/// A posting and what it is recognised by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostingPiece {
    /// Which.
    pub posting: PostingId,
    /// Its keys, as stored.
    pub keys: Vec<String>,
}

/// The stream of a run that ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamPiece {
    /// Whose.
    pub run: RunId,
    /// Its epoch.
    pub epoch: Epoch,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventPiece {
    /// Of which run.
    pub run: RunId,
    /// Its place in the stream's epoch.
    pub offset: Offset,
    /// Its body, verbatim.
    pub body: String,
}

/// An observation of a posting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObservationPiece {
    /// Of which posting.
    pub posting: PostingId,
    /// What was seen.
    pub observation: Observation,
}

/// A commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitPiece {
    /// Its id.
    pub id: CommitId,
    /// The key by which whoever made it makes it once.
    pub key: Option<String>,
    /// The commit.
    pub commit: Commit,
}

/// The branches of a posting that has a history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BranchesPiece {
    /// Of which posting.
    pub posting: PostingId,
    /// The name of the one that its card shows.
    pub checkout: String,
    /// All of them, by name.
    pub branches: Vec<BranchPiece>,
}

/// A branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BranchPiece {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub head: CommitId,
    /// When it was made.
    pub created: Micros,
}

impl Piece {
    /// What the piece says of itself and is not true, in a sentence's end: "… is not what it is named".
    pub fn check(&self) -> Result<(), String> {
        let wrong = |what: String| Err(what);
        match self {
            Piece::Content(hash, Some(bytes)) if ContentHash::of_bytes(bytes) != *hash => {
                wrong(format!("content {hash} is not what its name says"))
            }
            Piece::Capture(c) if c.computed_id() != c.id => {
                wrong(format!("capture {} is not what its id says", c.id))
            }
            Piece::Commit(c) if c.commit.id() != c.id => {
                wrong(format!("commit {} is not what its id says", c.id))
            }
            Piece::Commit(c)
                if c.commit.clock.wall.sane() != c.commit.clock.wall
                    || c.commit.clock.counter >= COUNTER_MAX =>
            {
                wrong(format!("commit {} has a time that is none", c.id))
            }
            Piece::Stream(s) => s.run.check(),
            Piece::Event(e) => {
                e.run.check()?;
                let body: Result<EventBody, _> = serde_json::from_str(&e.body);
                match body {
                    Ok(body) if body.run_id == e.run => Ok(()),
                    Ok(body) => wrong(format!(
                        "an event of run {} names run {}",
                        e.run, body.run_id
                    )),
                    Err(error) => wrong(format!(
                        "event {} of run {} cannot be read: {error}",
                        e.offset.0, e.run
                    )),
                }
            }
            Piece::Branches(b) => b.check(),
            _ => Ok(()),
        }
    }
}

impl BranchesPiece {
    fn check(&self) -> Result<(), String> {
        let posting = self.posting;
        let wrong = |what: String| Err(format!("posting {posting}: {what}"));
        if self.branches.len() > BRANCHES_MAX {
            let count = self.branches.len();
            return wrong(format!("{count} branches; it may have {BRANCHES_MAX}"));
        }
        let mut names = BTreeSet::new();
        for BranchPiece { name, created, .. } in &self.branches {
            if let Err(error) = check_branch_name(name) {
                return wrong(error.to_string());
            }
            if created.sane() != *created {
                return wrong(format!("branch {name:?} has a time that is none"));
            }
            if !names.insert(name) {
                return wrong(format!("branch {name:?} is there twice"));
            }
        }
        match names.contains(&self.checkout) {
            true => Ok(()),
            false => wrong("the branch that is checked out is none of its branches".into()),
        }
    }
}

impl RunId {
    /// Only runs of Ghostlight itself are in bundles: their ids have no slash.
    fn check(&self) -> Result<(), String> {
        match self.0.is_empty()
            || self.0.len() > 200
            || self.0.contains(|c: char| c == '/' || c.is_control())
        {
            true => Err(format!("{:?} is no run of Ghostlight", self.0)),
            false => Ok(()),
        }
    }
}

impl CapturePiece {
    /// The hashes of its bytes and text layers.
    pub fn contents(&self) -> impl Iterator<Item = ContentHash> {
        let all = [Some(self.content), self.visible, self.source];
        all.into_iter().flatten()
    }

    /// The id that content, time and address give.
    pub fn computed_id(&self) -> CaptureId {
        let url = self.final_url.as_deref().unwrap_or("");
        CaptureId::of(&[
            &self.content.0,
            &self.fetched_at.0.to_le_bytes(),
            url.as_bytes(),
        ])
    }
}
