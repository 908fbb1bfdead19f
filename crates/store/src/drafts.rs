//! What was typed into a field and could not be saved yet: kept so that neither a crash nor a mistake in it loses the
//! typing (SPEC B5).

use crate::{
    error::StoreError,
    open::Store,
    sql,
    writer::{Batch, Pending},
};
use ghostlight_model::{FieldKey, Micros, PostingId, typed::TEXT_BYTES_MAX};
use rusqlite::params;

/// Typed text that is no value of its field yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Of which field.
    pub field: FieldKey,
    /// As typed.
    pub text: String,
    /// When it was kept.
    pub at: Micros,
}

impl Store {
    /// Keeps what is typed into a field in place of what was kept before; `None` gives it up.
    ///
    /// # Errors
    /// [`StoreError::Refused`] if it is longer than a field's text may be.
    pub fn put_draft(
        &self,
        posting: PostingId,
        field: FieldKey,
        text: Option<String>,
        now: Micros,
    ) -> Pending<()> {
        self.writer().submit_light(move |batch| {
            let Some(text) = text else {
                return end(batch, posting, &field).map_err(|e| batch.sqlite(&e));
            };
            if text.len() > TEXT_BYTES_MAX {
                return Err(StoreError::Refused(format!(
                    "a text of {} bytes is longer than the {TEXT_BYTES_MAX} that a field holds; shorten it",
                    text.len()
                )));
            }
            batch
                .tx
                .prepare_cached(
                    "INSERT OR REPLACE INTO draft (posting, field, text, at) VALUES (?1, ?2, ?3, ?4)",
                )
                .and_then(|mut s| s.execute(params![posting.0, field.name(), text, now.0]))
                .map_err(|e| batch.sqlite(&e))?;
            Ok(())
        })
    }

    /// What was typed into a posting's fields and not saved.
    pub fn drafts(&self, posting: PostingId) -> Result<Vec<Draft>, StoreError> {
        self.reading(|c| {
            let mut statement = c.prepare_cached(sql::DRAFTS)?;
            let rows = statement.query_map([posting.0], |row| {
                Ok(Draft {
                    field: FieldKey::from(row.get::<_, String>(0)?.as_str()),
                    text: row.get(1)?,
                    at: Micros(row.get(2)?),
                })
            })?;
            rows.collect()
        })
    }
}

/// A field that was saved has no draft any more.
pub(crate) fn end(batch: &Batch<'_>, posting: PostingId, field: &FieldKey) -> rusqlite::Result<()> {
    batch
        .tx
        .prepare_cached("DELETE FROM draft WHERE posting = ?1 AND field = ?2")?
        .execute(params![posting.0, field.name()])?;
    Ok(())
}
