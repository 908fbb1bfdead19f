//! The projection `outline`: a posting's history without its bodies, side by side in the file.
//!
//! A history of 20,000 versions is read from here in milliseconds, and then the few bodies that its answer needs
//! (`model::history`, `outline.rs`).

use crate::{archive, read, sql, write::json};
use ghostlight_model::{
    CommitId, Micros, PostingId,
    commit::{AuthorId, Clock, Commit, Purpose},
    history::{Dag, Outline, Touch},
};
use rusqlite::{
    Connection, Row, params,
    types::{Type, ValueRef},
};

/// Keeps the outline of a commit.
pub(crate) fn insert(c: &Connection, id: CommitId, commit: &Commit) -> rusqlite::Result<()> {
    let parents: Vec<u8> = commit.parents.iter().flat_map(|parent| parent.0).collect();
    let purpose = (!commit.purpose.is_plain()).then(|| json(&commit.purpose));
    c.prepare_cached(
        "INSERT INTO outline (posting, wall, counter, commit_id, parents, author_id, purpose, touches)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        commit.posting.0,
        commit.clock.wall.0,
        commit.clock.counter,
        id.0,
        parents,
        commit.author.0,
        purpose.transpose()?,
        json(&Touch::of(&commit.changes))?
    ])?;
    Ok(())
}

/// Makes the outlines of a posting's commits anew; there are none.
pub(crate) fn rebuild(c: &Connection, posting: PostingId) -> rusqlite::Result<()> {
    let mut commits = c.prepare_cached(sql::COMMITS)?;
    let mut rows = commits.query([posting.0])?;
    while let Some(row) = rows.next()? {
        let id = CommitId(row.get(0)?);
        insert(c, id, &archive::content::commit(c, id, row, 1)?)?;
    }
    Ok(())
}

/// All of a posting's commits, by their outlines.
pub(crate) fn dag(c: &Connection, posting: PostingId) -> rusqlite::Result<Dag> {
    let outlines = read::collect(c, sql::OUTLINES, params![posting.0], outline)?;
    Ok(Dag::of_outlines(posting, outlines))
}

fn outline(row: &Row<'_>) -> rusqlite::Result<(CommitId, Outline)> {
    let clock = Clock {
        wall: Micros(row.get(0)?),
        counter: row.get(1)?,
    };
    let purpose = match row.get_ref(5)? {
        ValueRef::Null => Purpose::Plain,
        _ => read::from_json(row, 5)?,
    };
    let outline = Outline {
        parents: parents(row.get_ref(3)?.as_blob()?)?,
        author: AuthorId(row.get(4)?),
        clock,
        purpose,
        touches: read::from_json(row, 6)?,
    };
    Ok((CommitId(row.get(2)?), outline))
}

fn parents(bytes: &[u8]) -> rusqlite::Result<Vec<CommitId>> {
    let (ids, rest) = bytes.as_chunks::<32>();
    match rest {
        [] => Ok(ids.iter().map(|id| CommitId(*id)).collect()),
        _ => Err(rusqlite::Error::FromSqlConversionFailure(
            3,
            Type::Blob,
            "the parents of an outline are no ids".into(),
        )),
    }
}
