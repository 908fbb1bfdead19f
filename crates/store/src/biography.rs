//! The life of a posting in pieces (SPEC E5): when it was looked at, what was decided about it, and what else its employer
//! published. The marks come from indices alone; what a mark is about is read for the page that shows it.

use crate::{
    error::StoreError,
    history::commit_of,
    open::Store,
    read::{collect, run_state},
    sql,
};
use ghostlight_model::{
    CaptureId, CommitId, ContentHash, Micros, PostingId, RunId,
    commit::{AuthorId, Commit},
    run::RunState,
};
use rusqlite::{OptionalExtension, params};
use std::collections::BTreeMap;

/// So many of the latest looks, and of the latest versions, are a posting's life; older versions are in its timeline.
pub const LIFE_MAX: u32 = 2_000;
/// So many other postings of the employer are compared, those first seen last.
pub const EMPLOYER_MAX: u32 = 500;

/// A posting's life, the latest first in each list.
#[derive(Debug, Clone, PartialEq)]
pub struct Life {
    /// Its title, as it stands.
    pub title: String,
    /// Its place, or empty.
    pub place: String,
    /// SimHash of its text.
    pub fingerprint: Option<u64>,
    /// When it was looked at.
    pub looks: Vec<LookMark>,
    /// What was decided by others than the pipeline.
    pub decisions: Vec<DecisionMark>,
    /// Other postings under the same employer's name.
    pub others: Vec<OtherPosting>,
    /// Whether there is more than [`LIFE_MAX`] or [`EMPLOYER_MAX`] of anything.
    pub partly: bool,
}

/// A run over the posting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookMark {
    /// When it began.
    pub at: Micros,
    /// Which.
    pub run: RunId,
    /// What it read.
    pub capture: Option<CaptureId>,
    /// Whether it came to an assessment.
    pub assessed: bool,
}

/// A version that a person made, or a merge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecisionMark {
    /// When.
    pub at: Micros,
    /// Which.
    pub id: CommitId,
}

/// Another posting of the same employer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherPosting {
    /// Which.
    pub posting: PostingId,
    /// Its title.
    pub title: String,
    /// Its place, or empty.
    pub place: String,
    /// When it was first captured.
    pub first_seen: Micros,
    /// SimHash of its text.
    pub fingerprint: Option<u64>,
}

/// A run over a posting with what it read and what it committed.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// The run.
    pub run: RunState,
    /// The address that answered, or was asked for.
    pub url: Option<String>,
    /// The text that it read, once parsed.
    pub text: Option<ContentHash>,
    /// What it changed.
    pub commit: Option<Commit>,
}

impl Store {
    /// A posting's life; `None` if there is no such posting.
    pub fn life(&self, posting: PostingId) -> Result<Option<Life>, StoreError> {
        self.reading(|c| {
            let own = c
                .prepare_cached(sql::LIFE_OWN)?
                .query_row([posting.0], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
                })
                .optional()?;
            let Some((title, company, place, print)) = own else {
                return Ok(None);
            };
            let (company, print): (String, Option<i64>) = (company, print);
            // One more than is kept tells whether there is more.
            let looks = collect(
                c,
                sql::LIFE_LOOKS,
                params![posting.0, LIFE_MAX + 1],
                |row| {
                    Ok(LookMark {
                        at: Micros(row.get(0)?),
                        run: RunId(row.get(1)?),
                        capture: row.get::<_, Option<_>>(2)?.map(CaptureId),
                        assessed: row.get(3)?,
                    })
                },
            )?;
            let versions = collect(
                c,
                sql::LIFE_VERSIONS,
                params![posting.0, LIFE_MAX + 1],
                |row| {
                    let mark = DecisionMark {
                        at: Micros(row.get(0)?),
                        id: CommitId(row.get(1)?),
                    };
                    Ok((mark, AuthorId(row.get(2)?)))
                },
            )?;
            let others = match company.is_empty() {
                true => Vec::new(),
                false => collect(
                    c,
                    sql::SAME_EMPLOYER,
                    params![company, posting.0, EMPLOYER_MAX + 1],
                    other,
                )?,
            };
            let partly = looks.len() > LIFE_MAX as usize
                || versions.len() > LIFE_MAX as usize
                || others.len() > EMPLOYER_MAX as usize;
            let decisions = versions.into_iter().take(LIFE_MAX as usize);
            let decisions = decisions.filter(|(_, author)| !author.is_pipeline());
            Ok(Some(Life {
                title,
                place,
                fingerprint: print.map(|print| print as u64),
                looks: looks.into_iter().take(LIFE_MAX as usize).collect(),
                decisions: decisions.map(|(mark, _)| mark).collect(),
                others: others.into_iter().take(EMPLOYER_MAX as usize).collect(),
                partly,
            }))
        })
    }

    /// Runs with what they read and committed; those that are not there are left out.
    pub fn looks(
        &self,
        posting: PostingId,
        runs: &[&RunId],
    ) -> Result<BTreeMap<RunId, Look>, StoreError> {
        self.reading(|c| {
            let mut looks = BTreeMap::new();
            for id in runs {
                let Some(run) = run_state(c, id)? else {
                    continue;
                };
                let captured = run.capture.map(|capture| {
                    c.prepare_cached(sql::LIFE_CAPTURE)?
                        .query_row([capture.0], |row| {
                            let text = row.get::<_, Option<[u8; 32]>>(1)?;
                            Ok((row.get(0)?, text.map(ContentHash)))
                        })
                        .optional()
                });
                let (url, text) = captured.transpose()?.flatten().unwrap_or_default();
                let commit = run.commit.map(|id| commit_of(c, posting, id)).transpose()?;
                let look = Look {
                    run,
                    url,
                    text,
                    commit: commit.flatten(),
                };
                looks.insert((*id).clone(), look);
            }
            Ok(looks)
        })
    }

    /// Versions by id; those that are not there are left out.
    pub fn versions_by_id(
        &self,
        posting: PostingId,
        ids: &[CommitId],
    ) -> Result<BTreeMap<CommitId, Commit>, StoreError> {
        self.reading(|c| {
            let mut found = BTreeMap::new();
            for id in ids {
                found.extend(commit_of(c, posting, *id)?.map(|commit| (*id, commit)));
            }
            Ok(found)
        })
    }
}

fn other(row: &rusqlite::Row<'_>) -> rusqlite::Result<OtherPosting> {
    let print: Option<i64> = row.get(4)?;
    Ok(OtherPosting {
        posting: PostingId(row.get(0)?),
        title: row.get(1)?,
        place: row.get(2)?,
        first_seen: Micros(row.get(3)?),
        fingerprint: print.map(|print| print as u64),
    })
}
