//! A posting's timeline, by page and filter (SPEC E1).

use crate::{
    error::StoreError,
    history::{commit_of, head_of, no_branch},
    open::Store,
    read, sql,
};
use ghostlight_model::{
    CommitId, FieldKey, Micros, PostingId, Source,
    commit::{AuthorId, Commit},
    history::{Dag, Touch},
};
use rusqlite::{Connection, params};
use std::collections::BTreeSet;

/// Which commits a timeline shows; the default is all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TimelineFilter {
    /// Only those that change this field.
    pub field: Option<FieldKey>,
    /// Only by this author.
    pub author: Option<AuthorId>,
    /// Only with a change by this source.
    pub source: Option<Source>,
    /// Only from this instant on.
    pub from: Option<Micros>,
    /// Only before this instant.
    pub before: Option<Micros>,
    /// Only what is on this branch.
    pub branch: Option<String>,
}

impl Store {
    /// A page of a posting's commits, latest first.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an unknown branch.
    pub fn timeline(
        &self,
        posting: PostingId,
        wanted: &TimelineFilter,
        range: (u32, u32),
    ) -> Result<read::Rows<(CommitId, Commit)>, StoreError> {
        self.reading(|c| {
            let head = match &wanted.branch {
                None => None,
                Some(name) => match head_of(c, posting, name)? {
                    None => return Ok(Err(no_branch(name))),
                    // All there is is on the only branch.
                    Some(_) if read::count(c, sql::BRANCHES_COUNT, params![posting.0])? == 1 => {
                        None
                    }
                    head => head,
                },
            };
            let narrow = wanted.field.is_some() || wanted.author.is_some();
            let page = match narrow || wanted.source.is_some() || head.is_some() {
                true => narrowed_timeline(&self.outlines().dag(c, posting)?, (wanted, head), range),
                false => whole_timeline(c, posting, wanted, range)?,
            };
            let mut rows = Vec::with_capacity(page.rows.len());
            for id in page.rows {
                rows.extend(commit_of(c, posting, id)?.map(|commit| (id, commit)));
            }
            Ok(Ok(read::Rows {
                total: page.total,
                rows,
            }))
        })?
    }
}

/// Who and what there is in a posting's history; see [`Store::timeline_parts`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TimelineParts {
    /// Authors, by id.
    pub authors: Vec<AuthorId>,
    /// Fields that were changed, in the order of the card, a person's own last.
    pub fields: Vec<FieldKey>,
}

impl Store {
    /// What a posting's timeline can be narrowed by: read from the outlines alone.
    ///
    /// # Errors
    /// [`StoreError`] where the file cannot be read.
    pub fn timeline_parts(&self, posting: PostingId) -> Result<TimelineParts, StoreError> {
        self.reading(|c| {
            let dag = self.outlines().dag(c, posting)?;
            let (mut authors, mut fields) = (BTreeSet::new(), BTreeSet::new());
            for (_, commit, touches) in dag.outlines(None) {
                if !authors.contains(&commit.author) {
                    authors.insert(commit.author.clone());
                }
                for touch in touches.iter() {
                    if !fields.contains(&touch.0) {
                        fields.insert(touch.0.clone());
                    }
                }
            }
            Ok(TimelineParts {
                authors: authors.into_iter().collect(),
                fields: fields.into_iter().collect(),
            })
        })
    }
}

/// A page of all commits of a span of time, found in the index alone.
fn whole_timeline(
    c: &Connection,
    posting: PostingId,
    wanted: &TimelineFilter,
    (start, len): (u32, u32),
) -> rusqlite::Result<read::Rows<CommitId>> {
    let from = wanted.from.map_or(i64::MIN, |t| t.0);
    let before = wanted.before.map_or(i64::MAX, |t| t.0);
    let page = params![posting.0, from, before, start, len];
    Ok(read::Rows {
        total: read::count(c, sql::TIMELINE_COUNT, &page[..3])?,
        rows: read::collect(c, sql::TIMELINE, page, |row| row.get(0).map(CommitId))?,
    })
}

/// A page of the commits that a filter leaves, of all or of those before `head`: the outlines tell which.
fn narrowed_timeline(
    dag: &Dag,
    (wanted, head): (&TimelineFilter, Option<CommitId>),
    (start, len): (u32, u32),
) -> read::Rows<CommitId> {
    let left = dag.outlines(head).rev().filter(|(_, commit, touches)| {
        let at = commit.clock.wall;
        let fits = |touch: &Touch| {
            wanted.field.as_ref().is_none_or(|field| touch.0 == *field)
                && wanted.source.is_none_or(|source| touch.1 == source)
        };
        let any = wanted.field.is_none() && wanted.source.is_none();
        wanted.author.as_ref().is_none_or(|by| commit.author == *by)
            && wanted.from.is_none_or(|from| at >= from)
            && wanted.before.is_none_or(|before| at < before)
            && (any || touches.iter().any(fits))
    });
    let mut left: Vec<_> = left.map(|(id, commit, _)| (commit.clock, id)).collect();
    // They are in this order but for some; a stable sort is done with that in one pass.
    left.sort_by(|a, b| b.cmp(a));
    let page = left.iter().skip(start as usize).take(len as usize);
    read::Rows {
        total: u32::try_from(left.len()).unwrap_or(u32::MAX),
        rows: page.map(|(_, id)| *id).collect(),
    }
}
