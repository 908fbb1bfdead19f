//! Are the archive files what the database says they are.

use super::{
    blocks,
    file::{self, Mark, Place},
    records,
};
use crate::{error::StoreError, open::Store};
use rusqlite::Connection;

/// What is wrong in the folder of archive files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveProblem {
    /// The file's name in the folder, or the folder's.
    pub file: String,
    /// What is wrong with it.
    pub what: String,
    /// What to do.
    pub hint: String,
    /// Whether history is missing; else it is only in the way.
    pub grave: bool,
}

impl Store {
    /// Reads every archive file; an empty list says that each holds just what the database says it holds.
    ///
    /// # Errors
    /// If the database or the folder cannot be read.
    pub fn check_archives(&self) -> Result<Vec<ArchiveProblem>, StoreError> {
        let folder = self.archive_folder();
        let records = self.reading(records)?;
        let mut problems = Vec::new();
        for record in &records {
            let path = folder.join(&record.file.name);
            let whole = file::check_bytes(&path, record.mark).and_then(|()| {
                let blocks = self.reading(|c| blocks(c, record.id))?;
                let places: Vec<Place> = blocks.iter().map(|(_, place)| *place).collect();
                let mut found = Vec::new();
                file::walk(&path, &places, &mut |at, id, _, _| {
                    found.push((id.0, blocks[at].0));
                    Ok(())
                })?;
                let here = self.reading(|c| placed(c, &found))?;
                match here && found.len() as u64 == record.file.versions {
                    true => Ok(()),
                    false => Err(file::damaged(
                        &path,
                        "it does not hold what the database says it holds",
                    )),
                }
            });
            match whole {
                Ok(()) => {}
                Err(StoreError::Archive { detail, .. }) => problems.push(ArchiveProblem {
                    file: record.file.name.clone(),
                    what: format!("{detail}; {} versions are in it", record.file.versions),
                    hint: format!(
                        "Put the file {} back from a copy of the data folder. Everything else can be used meanwhile.",
                        path.display()
                    ),
                    grave: true,
                }),
                Err(other) => return Err(other),
            }
        }
        let lost = self.reading(nowhere)?;
        if lost > 0 {
            problems.push(ArchiveProblem {
                file: file::FOLDER.into(),
                what: format!("{lost} versions are in none of its files"),
                hint:
                    "Keep a copy of the folder, then restore the newest file of its backups folder."
                        .into(),
                grave: true,
            });
        }
        for name in file::names(&folder)? {
            if !records.iter().any(|record| record.file.name == name) {
                problems.push(self.stray(&name)?);
            }
        }
        Ok(problems)
    }

    /// What a file is that the database does not record.
    fn stray(&self, name: &str) -> Result<ArchiveProblem, StoreError> {
        let path = self.archive_folder().join(name);
        let left_over = match Mark::of_name(name) {
            Some(mark) => self.is_left_over(&path, mark)?,
            None => file::is_aside(name),
        };
        let (what, hint) = match left_over {
            true => (
                "left over from a step that broke off; the database has all of it",
                "It goes with the next archiving; nothing has to be done.",
            ),
            false => (
                "not one of this database's files",
                "If the database was restored from a copy, move the file to where it belongs.",
            ),
        };
        Ok(ArchiveProblem {
            file: name.to_owned(),
            what: what.into(),
            hint: hint.into(),
            grave: false,
        })
    }
}

/// Whether each of these versions has its body in that block.
fn placed(c: &Connection, versions: &[([u8; 32], i64)]) -> rusqlite::Result<bool> {
    let mut here = c.prepare("SELECT 1 FROM \"commit\" WHERE id = ?1 AND block = ?2")?;
    for version in versions {
        if !here.exists(*version)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Archived versions whose block is not recorded.
fn nowhere(c: &Connection) -> rusqlite::Result<i64> {
    c.query_row(
        "SELECT count(*) FROM \"commit\" WHERE block IS NOT NULL
             AND NOT EXISTS (SELECT 1 FROM archive_block WHERE archive_block.id = block)",
        [],
        |row| row.get(0),
    )
}
