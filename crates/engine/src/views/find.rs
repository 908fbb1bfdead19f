//! The view of what answers a few typed words: postings and runs.

use crate::Engine;
use ghostlight_api::view::{FOUND_MAX, FoundRow, FoundView, Subject};
use ghostlight_store::StoreError;

impl Engine {
    pub(super) fn find(&self, typed: &str) -> Result<FoundView, StoreError> {
        let (postings, older_postings) = self.store().find_postings(typed, FOUND_MAX)?;
        let (runs, older_runs) = self.store().find_runs(typed, FOUND_MAX)?;
        let sources = self.sources()?;
        let postings = postings.into_iter().map(|row| {
            let parts = [row.company, row.place];
            let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
            FoundRow {
                subject: Subject::Posting(row.posting),
                title: row.title,
                detail: parts.join(" · "),
                at: row.updated,
                score: row.score,
            }
        });
        let runs = runs.into_iter().map(|row| FoundRow {
            subject: Subject::Run(row.run),
            title: row.name,
            detail: sources.name(&row.origin),
            at: row.started,
            score: row.score,
        });
        Ok(FoundView {
            rows: postings.chain(runs).collect(),
            partly: older_postings || older_runs,
        })
    }
}
