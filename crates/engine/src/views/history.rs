//! Views of a posting's history: timeline, branches, what a merge comes to, two versions compared.

use super::short;
use crate::{Engine, store_error};
use ghostlight_api::view::{
    AuthorRow, BranchRow, BranchesView, ChangeRow, ConflictRow, DifferenceRow, MergeKind,
    MergeView, PARTS_MAX, Page, ROWS_MAX, Range, ReversalView, SaidView, TimelineFilter,
    TimelinePartsView, UnmergeSide, UnmergeView, VersionRow,
};
use ghostlight_model::{
    CommitId, FieldKey, FieldValue, PostingId,
    card::Standing,
    commit::{AuthorId, Commit, FieldChange},
    history::{Merge, Reversal},
};
use ghostlight_store::{Branch, StoreError};
use std::collections::BTreeMap;

/// Names of authors, each asked for once.
pub(super) struct Names<'a> {
    engine: &'a Engine,
    known: BTreeMap<String, String>,
}

impl<'a> Names<'a> {
    pub(super) fn of(engine: &'a Engine) -> Self {
        Self {
            engine,
            known: BTreeMap::new(),
        }
    }

    pub(super) fn get(&mut self, author: &AuthorId) -> Result<String, StoreError> {
        if let Some(name) = self.known.get(&author.0) {
            return Ok(name.clone());
        }
        let name = self.engine.store().person(&author.0)?;
        let name = name.unwrap_or_else(|| author.0.clone());
        self.known.insert(author.0.clone(), name.clone());
        Ok(name)
    }

    fn said(&mut self, standing: Option<&Standing>) -> Result<Option<SaidView>, StoreError> {
        let Some(standing) = standing else {
            return Ok(None);
        };
        Ok(Some(SaidView {
            value: standing.value.clone(),
            confidence: standing.confidence,
            source: standing.source,
            author: self.get(&standing.author)?,
            at: standing.at,
        }))
    }

    fn branch(&mut self, branch: &Branch) -> Result<BranchRow, StoreError> {
        Ok(BranchRow {
            name: branch.name.clone(),
            head: branch.head,
            updated: branch.updated,
            author: self.get(&branch.author)?,
            current: branch.current,
        })
    }
}

impl Engine {
    pub(super) fn timeline(
        &self,
        posting: PostingId,
        filter: &TimelineFilter,
        range: Range,
    ) -> Result<Page<VersionRow>, StoreError> {
        let wanted = ghostlight_store::TimelineFilter {
            field: filter.field.clone(),
            author: filter.author.clone().map(AuthorId),
            source: filter.source,
            from: filter.from,
            before: filter.before,
            branch: filter.branch.clone(),
        };
        let range = (range.start, range.len.min(ROWS_MAX));
        let page = self.store().timeline(posting, &wanted, range)?;
        let branches = self.store().branches(posting)?;
        let mut names = Names::of(self);
        let mut rows = Vec::with_capacity(page.rows.len());
        for (id, commit) in page.rows {
            let here = branches.iter().filter(|branch| branch.head == id);
            let here = here.map(|branch| branch.name.clone()).collect();
            let author = names.get(&commit.author)?;
            rows.push(version_row(
                (id, commit),
                author,
                here,
                filter.field.as_ref(),
            ));
        }
        Ok(Page {
            total: page.total,
            start: range.0,
            rows,
        })
    }

    pub(super) fn timeline_parts(
        &self,
        posting: PostingId,
    ) -> Result<TimelinePartsView, StoreError> {
        let parts = self.store().timeline_parts(posting)?;
        let beyond = |n: usize| n.saturating_sub(PARTS_MAX);
        let more = beyond(parts.fields.len()) + beyond(parts.authors.len());
        let mut names = Names::of(self);
        let authors = parts.authors.into_iter().take(PARTS_MAX).map(|author| {
            Ok(AuthorRow {
                name: names.get(&author)?,
                id: author.0,
            })
        });
        Ok(TimelinePartsView {
            authors: authors.collect::<Result<_, StoreError>>()?,
            fields: parts.fields.into_iter().take(PARTS_MAX).collect(),
            more: u32::try_from(more).unwrap_or(u32::MAX),
        })
    }

    pub(super) fn authors(&self) -> Result<Vec<AuthorRow>, StoreError> {
        let persons = self.store().persons(PARTS_MAX)?.into_iter();
        Ok(persons.map(|(id, name)| AuthorRow { id, name }).collect())
    }

    pub(super) fn branches(&self, posting: PostingId) -> Result<BranchesView, StoreError> {
        let mut names = Names::of(self);
        let branches = self.store().branches(posting)?;
        let rows = branches.iter().map(|branch| names.branch(branch));
        let next = self.store().reversals(posting, &self.shared.author)?;
        Ok(BranchesView {
            branches: rows.collect::<Result<_, _>>()?,
            undo: reversal_view(next.undo),
            redo: reversal_view(next.redo),
            merge_above: next.merge_above,
        })
    }

    pub(super) fn merge_view(
        &self,
        posting: PostingId,
        from: &str,
    ) -> Result<MergeView, StoreError> {
        let preview = self.store().merge_preview(posting, from)?;
        let mut names = Names::of(self);
        let (ours, theirs) = (preview.ours.head, preview.theirs.head);
        let mut view = MergeView {
            ours: names.branch(&preview.ours)?,
            theirs: names.branch(&preview.theirs)?,
            kind: MergeKind::Join,
            settled: Vec::new(),
            conflicts: Vec::new(),
        };
        let join = match preview.merge {
            Merge::Nothing => {
                view.kind = MergeKind::Nothing;
                return Ok(view);
            }
            Merge::Forward => {
                view.kind = MergeKind::Forward;
                return Ok(view);
            }
            Merge::Join(join) => join,
        };
        let settled = join.settled();
        view.settled = settled
            .map(|(field, value)| (field.clone(), value.cloned()))
            .collect();
        for clash in &join.clashes {
            let side = |head: CommitId| clash.side(head).and_then(|side| side.standing.as_ref());
            view.conflicts.push(ConflictRow {
                field: clash.field.clone(),
                bases: clash.bases.clone(),
                ours: names.said(side(ours))?,
                theirs: names.said(side(theirs))?,
            });
        }
        Ok(view)
    }

    pub(super) fn unmerge_view(
        &self,
        posting: PostingId,
        merge: CommitId,
    ) -> Result<UnmergeView, StoreError> {
        let mut names = Names::of(self);
        let preview = self.store().unmerge_preview(posting, merge)?;
        let (head, mut sides) = (preview.head, preview.sides);
        // The side that went on is read first.
        sides.sort_by_key(|side| !side.branches.is_empty());
        let sides = sides.into_iter();
        let sides: Result<Vec<UnmergeSide>, StoreError> = sides
            .map(|side| {
                Ok(UnmergeSide {
                    version: side.version,
                    author: names.get(&side.commit.author)?,
                    at: side.commit.clock.wall,
                    branches: side.branches,
                    back: reversal_view(side.back),
                })
            })
            .collect();
        Ok(UnmergeView {
            head,
            sides: sides?,
        })
    }

    pub(super) fn compare(
        &self,
        posting: PostingId,
        before: CommitId,
        after: CommitId,
    ) -> Result<Vec<DifferenceRow>, StoreError> {
        let mut names = Names::of(self);
        let differences = self.store().compare(posting, before, after)?.into_iter();
        differences
            .map(|difference| {
                Ok(DifferenceRow {
                    before: names.said(difference.before.as_ref())?,
                    after: names.said(difference.after.as_ref())?,
                    field: difference.field,
                })
            })
            .collect()
    }
}

fn reversal_view(reversal: Result<Reversal, StoreError>) -> ReversalView {
    match reversal {
        Ok(reversal) => ReversalView::Ready(reversal.changes.iter().map(change_row).collect()),
        Err(error) => ReversalView::No(store_error(&error)),
    }
}

pub(super) fn version_row(
    (id, commit): (CommitId, Commit),
    author: String,
    branches: Vec<String>,
    field: Option<&FieldKey>,
) -> VersionRow {
    let wanted = |change: &&FieldChange| field.is_none_or(|field| change.field == *field);
    let is_run = commit.purpose.is_plain() && commit.author.is_pipeline();
    VersionRow {
        id,
        branches,
        author,
        by_person: commit.author.is_person(),
        at: commit.clock.wall,
        kind: if is_run { "run" } else { commit.purpose.word() }.to_owned(),
        about: commit.purpose.about(),
        changes: commit
            .changes
            .iter()
            .filter(wanted)
            .map(change_row)
            .collect(),
        settled: commit.settled.iter().map(|c| c.field.clone()).collect(),
        author_id: commit.author.0,
        parents: commit.parents,
        message: commit.message,
    }
}

pub(super) fn change_row(change: &FieldChange) -> ChangeRow {
    let display = |value: &Option<FieldValue>| {
        value
            .as_ref()
            .map(|value| short(&value.display()))
            .unwrap_or_default()
    };
    ChangeRow {
        field: change.field.clone(),
        old: display(&change.old),
        new: display(&change.new),
        confidence: change.confidence,
        source: change.source,
    }
}
