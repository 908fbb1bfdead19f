//! Postings and runs by a few typed words, until a text index does it better: the latest ones are looked at one by one,
//! older postings by how their titles begin.

use crate::{
    error::StoreError,
    open::Store,
    read::{collect, count},
    sql,
};
use ghostlight_model::{Micros, PostingId, RunId, fuzzy::Wanted};
use rusqlite::params;
use std::{cmp::Reverse, collections::BTreeSet};

/// So many of the latest postings, and of the latest runs, are looked at; what is older is not found here, but for
/// postings whose title begins with what was typed.
pub const FIND_ROWS_MAX: u32 = 5_000;

/// A posting that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundPosting {
    /// Which.
    pub posting: PostingId,
    /// Its title.
    pub title: String,
    /// Its employer, or empty.
    pub company: String,
    /// Its place, or empty.
    pub place: String,
    /// Latest activity.
    pub updated: Micros,
    /// How well it answers.
    pub score: u32,
}

/// A run that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundRun {
    /// Which.
    pub run: RunId,
    /// Its name.
    pub name: String,
    /// Where it is from.
    pub origin: String,
    /// When it began.
    pub started: Micros,
    /// How well it answers.
    pub score: u32,
}

impl Store {
    /// The postings that answer `typed` by title, employer and place, the best first, at most `len`; and whether there
    /// are older ones that were looked at by their titles' beginnings only. Nothing typed finds nothing.
    pub fn find_postings(
        &self,
        typed: &str,
        len: usize,
    ) -> Result<(Vec<FoundPosting>, bool), StoreError> {
        let wanted = Wanted::of(typed);
        if wanted.is_empty() {
            return Ok((Vec::new(), false));
        }
        let read = |row: &rusqlite::Row<'_>| {
            let found = FoundPosting {
                posting: PostingId(row.get(0)?),
                title: row.get(1)?,
                company: row.get(2)?,
                place: row.get(3)?,
                updated: Micros(row.get(4)?),
                score: 0,
            };
            let text = format!("{} {} {}", found.title, found.company, found.place);
            let score = wanted.score(&text);
            Ok(score.map(|score| FoundPosting { score, ..found }))
        };
        let begins = typed.trim();
        // No title goes on with this character.
        let before = format!("{begins}\u{10FFFF}");
        let (latest, titles, total) = self.reading(|c| {
            let titles = params![begins, before, len as u32];
            Ok((
                collect(c, sql::FIND_POSTINGS, params![FIND_ROWS_MAX], read)?,
                collect(c, sql::FIND_TITLES, titles, read)?,
                count(c, sql::POSTINGS_COUNT, params![])?,
            ))
        })?;
        let mut seen = BTreeSet::new();
        let all = latest.into_iter().chain(titles).flatten();
        let mut found: Vec<FoundPosting> = all.filter(|row| seen.insert(row.posting)).collect();
        found.sort_by_key(|row| Reverse((row.score, row.updated)));
        found.truncate(len);
        Ok((found, total > FIND_ROWS_MAX))
    }

    /// The runs whose name answers `typed`, the best first, at most `len`; and whether there are older ones, which were
    /// not looked at. Nothing typed finds nothing.
    pub fn find_runs(&self, typed: &str, len: usize) -> Result<(Vec<FoundRun>, bool), StoreError> {
        let wanted = Wanted::of(typed);
        if wanted.is_empty() {
            return Ok((Vec::new(), false));
        }
        let none = None::<String>;
        let mut looked = 0;
        let rows = self.reading(|c| {
            let parameters = params![none, none, "", FIND_ROWS_MAX];
            collect(c, sql::FIND_RUNS, parameters, |row| {
                looked += 1;
                let name: String = row.get(1)?;
                let Some(score) = wanted.score(&name) else {
                    return Ok(None);
                };
                Ok(Some(FoundRun {
                    run: RunId(row.get(0)?),
                    name,
                    origin: row.get(2)?,
                    started: Micros(row.get(3)?),
                    score,
                }))
            })
        })?;
        let mut found: Vec<FoundRun> = rows.into_iter().flatten().collect();
        found.sort_by_key(|row| Reverse((row.score, row.started)));
        found.truncate(len);
        Ok((found, looked >= FIND_ROWS_MAX))
    }
}
