//! What a model answered when a person asked it about a posting (SPEC B6): kept as it came, with the values that it gives,
//! which are suggested.

use crate::{
    error::StoreError,
    open::Store,
    read, sql,
    write::{json, posting_exists},
    writer::Pending,
};
use ghostlight_model::{Micros, Observation, PostingId, event::ModelUse};
use rusqlite::{OptionalExtension, params};

/// An answer of a model about a posting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelAnswer {
    /// When it came.
    pub at: Micros,
    /// Which model, for what, at what price.
    pub usage: ModelUse,
    /// As it came, cut to a bound.
    pub answer: String,
    /// The values in it.
    pub offers: Vec<Observation>,
}

impl Store {
    /// Keeps a model's answer about a posting in place of the one before.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an unknown posting.
    pub fn put_model_answer(&self, posting: PostingId, answer: ModelAnswer) -> Pending<()> {
        self.writer().submit(move |batch| {
            let known = posting_exists(batch, posting).map_err(|e| batch.sqlite(&e))?;
            if !known {
                return Err(StoreError::NotFound(format!("posting {posting}")));
            }
            let put = || -> rusqlite::Result<()> {
                let (usage, offers) = (json(&answer.usage)?, json(&answer.offers)?);
                let mut statement = batch.tx.prepare_cached(
                    "INSERT OR REPLACE INTO model_answer (posting, at, usage, answer, offers) \
                     VALUES (?1, ?2, ?3, ?4, ?5)",
                )?;
                statement.execute(params![
                    posting.0,
                    answer.at.0,
                    usage,
                    answer.answer,
                    offers
                ])?;
                Ok(())
            };
            put().map_err(|e| batch.sqlite(&e))?;
            // Its suggestions are another view of the posting.
            batch.touched.posting(posting);
            Ok(())
        })
    }

    /// What a model answered about a posting when a person asked it last.
    pub fn model_answer(&self, posting: PostingId) -> Result<Option<ModelAnswer>, StoreError> {
        self.reading(|c| {
            let mut statement = c.prepare_cached(sql::MODEL_ANSWER)?;
            let row = statement.query_row([posting.0], |row| {
                Ok(ModelAnswer {
                    at: Micros(row.get(0)?),
                    usage: read::from_json(row, 1)?,
                    answer: row.get(2)?,
                    offers: read::from_json(row, 3)?,
                })
            });
            row.optional()
        })
    }
}
