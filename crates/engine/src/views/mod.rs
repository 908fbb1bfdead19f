//! Views: a query in, rows out, read from the store.

mod biography;
mod compare;
mod find;
mod history;
mod monitor;
mod replay;

pub(crate) use compare::Comparisons;
pub(crate) use monitor::Searches;
pub(crate) use replay::Replays;

use crate::{Engine, store_error};
use ghostlight_api::{
    ApiError, ViewData, ViewQuery,
    view::{
        CardView, DraftRow, Health, Page, PostingOrder, PostingRow, ROWS_MAX, Range, ReceiptView,
        StepRow, Subject, TEXT_BYTES_MAX, TextView,
    },
};
use ghostlight_fetch::{ats_api_url, classify};
use ghostlight_model::{
    CaptureId, FieldKey, Layer, Level, RunId, Step,
    card::{CardInput, fold},
    run::{NodeStatus, RunState, RunStatus},
};
use ghostlight_store::{
    Draft, StoreError,
    read::{CaptureInfo, Order, PostingSummary},
};

impl Engine {
    /// Reads a view; trouble is a view of its own.
    pub fn view(&self, query: &ViewQuery) -> ViewData {
        self.read_view(query)
            .unwrap_or_else(|e| ViewData::Failed(store_error(&e)))
    }

    fn read_view(&self, query: &ViewQuery) -> Result<ViewData, StoreError> {
        Ok(match query {
            ViewQuery::Postings { order, range } => {
                ViewData::Postings(self.postings(*order, *range)?)
            }
            ViewQuery::Runs { filter, range } => ViewData::Runs(self.runs(filter, *range)?),
            ViewQuery::Run(run) => match self.run_view(run)? {
                Some(view) => ViewData::Run(Box::new(view)),
                None => ViewData::Failed(missing(&Subject::Run(run.clone()))),
            },
            ViewQuery::Card(subject) => match self.card(subject)? {
                Some(card) => ViewData::Card(Box::new(card)),
                None => ViewData::Failed(missing(subject)),
            },
            ViewQuery::Known { run, offset } => match self.known_then(run, *offset)? {
                Some(view) => ViewData::Known(Box::new(view)),
                None => ViewData::Failed(missing(&Subject::Run(run.clone()))),
            },
            ViewQuery::FieldsCompared { this, other } => match self.fields_compared(this, other)? {
                Some(view) => ViewData::FieldsCompared(Box::new(view)),
                None => ViewData::Failed(ApiError::new(
                    ghostlight_api::ErrorCode::NotFound,
                    "The fields of these runs cannot be compared: one of them is not a run of this computer.",
                    "Compare their steps and scores, or choose two runs of this computer.",
                )),
            },
            ViewQuery::Events {
                subject,
                filter,
                range,
            } => ViewData::Events(self.events(subject, filter, *range)?),
            ViewQuery::EventBody { run, epoch, offset } => {
                self.event_body(run, (*epoch, *offset))?
            }
            ViewQuery::Feeds => ViewData::Feeds(self.shared.monitor.rows()?),
            ViewQuery::Quarantine { feed, range } => {
                ViewData::Quarantine(self.quarantine(*feed, *range)?)
            }
            ViewQuery::Outbox { feed, range } => ViewData::Outbox(self.outbox(*feed, *range)?),
            ViewQuery::Digest => ViewData::Digest(self.digest()?),
            ViewQuery::Text { capture, layer } => self.text(*capture, *layer)?,
            ViewQuery::Receipt(subject) => ViewData::Receipt(self.receipt(subject)?),
            ViewQuery::Timeline {
                posting,
                filter,
                range,
            } => ViewData::Timeline(self.timeline(*posting, filter, *range)?),
            ViewQuery::TimelineParts(posting) => {
                ViewData::TimelineParts(self.timeline_parts(*posting)?)
            }
            ViewQuery::Biography { posting, range } => {
                ViewData::Biography(self.biography(*posting, *range)?)
            }
            ViewQuery::Branches(posting) => ViewData::Branches(Box::new(self.branches(*posting)?)),
            ViewQuery::Unmerge { posting, merge } => {
                ViewData::Unmerge(self.unmerge_view(*posting, *merge)?)
            }
            ViewQuery::Merge { posting, from } => {
                ViewData::Merge(Box::new(self.merge_view(*posting, from)?))
            }
            ViewQuery::Compare {
                posting,
                before,
                after,
            } => ViewData::Compare(self.compare(*posting, *before, *after)?),
            ViewQuery::Suggestions(posting) => match self.suggestions(*posting)? {
                Some(view) => ViewData::Suggestions(Box::new(view)),
                None => ViewData::Failed(missing(&Subject::Posting(*posting))),
            },
            ViewQuery::Accuracy => ViewData::Accuracy(self.store().accuracy()?),
            ViewQuery::Model => ViewData::Model(Box::new(self.shared.pipeline.models.view()?)),
            ViewQuery::Serving => ViewData::Serving(Box::new(self.serving_view()?)),
            ViewQuery::Health => ViewData::Health(self.health()?),
            ViewQuery::ArchiveLook { older_than_days } => {
                ViewData::ArchiveLook(self.archive_look(*older_than_days)?)
            }
            ViewQuery::ExportLook(form) => match self.export_look(form) {
                Ok(look) => ViewData::ExportLook(look),
                Err(error) => ViewData::Failed(error),
            },
            ViewQuery::Authors => ViewData::Authors(self.authors()?),
            ViewQuery::Exports => ViewData::Exports(self.shared.exports.rows()),
            ViewQuery::Imports => ViewData::Imports(self.shared.imports.rows()),
            ViewQuery::Storage => ViewData::Storage(Box::new(self.storage()?)),
            ViewQuery::Find { text } => ViewData::Found(self.find(text)?),
        })
    }

    fn postings(&self, order: PostingOrder, range: Range) -> Result<Page<PostingRow>, StoreError> {
        let order = match order {
            PostingOrder::Recent => Order::Recent,
            PostingOrder::Doubt => Order::Doubt,
            PostingOrder::Title => Order::Title,
        };
        let page = self
            .store()
            .postings(order, range.start, range.len.min(ROWS_MAX))?;
        let rows = page.rows.into_iter().map(posting_row).collect();
        Ok(Page {
            total: page.total,
            start: range.start,
            rows,
        })
    }

    /// The run a subject's card is drawn from.
    fn run_of(&self, subject: &Subject) -> Result<Option<RunState>, StoreError> {
        match subject {
            Subject::Run(run) => self.store().run(run),
            Subject::Posting(posting) => Ok(self.store().posting(*posting)?.map(|p| p.run)),
        }
    }

    fn card(&self, subject: &Subject) -> Result<Option<CardView>, StoreError> {
        let posting = match subject {
            Subject::Posting(posting) => Some(*posting),
            Subject::Run(run) => match self.store().run(run)? {
                None => return Ok(None),
                Some(state) if state.posting.is_none() => {
                    return self.card_before_parse(&state).map(Some);
                }
                Some(state) => state.posting,
            },
        };
        let Some(found) = posting
            .map(|p| self.store().posting(p))
            .transpose()?
            .flatten()
        else {
            return Ok(None);
        };
        let mut view = self.card_frame(&found.run)?;
        view.posting = Some(found.summary.posting);
        view.title = found.summary.title;
        view.version = found.card.version;
        view.fields = found.card.fields;
        if let Some(assessed) = found.assessed {
            // While a new run is not that far, the last assessment stands, with its own signals.
            view.assessment = assessed.assessment;
            view.signals = assessed.signals;
        }
        view.verdict = found.card.verdict;
        view.outcomes = found.card.outcomes;
        let drafts = self.store().drafts(found.summary.posting)?.into_iter();
        view.drafts = drafts.map(draft_row).collect();
        Ok(Some(view))
    }

    fn card_before_parse(&self, run: &RunState) -> Result<CardView, StoreError> {
        let (commits, observations) = (&[], &[]);
        let card = fold(CardInput {
            commits,
            observations,
            cited: &[],
            run: Some(run),
        });
        let mut view = self.card_frame(run)?;
        view.fields = card.fields;
        Ok(view)
    }

    /// What the run alone says.
    fn card_frame(&self, run: &RunState) -> Result<CardView, StoreError> {
        let capture = run
            .capture
            .map(|id| self.store().capture(id))
            .transpose()?
            .flatten();
        let url = capture.as_ref().and_then(page_of);
        Ok(CardView {
            posting: run.posting,
            run: Some(run.run_id.clone()),
            title: run.input.clone(),
            input: run.input.clone(),
            url,
            // Text layers are there once the posting is known, and not before.
            capture: run.capture.filter(|_| run.posting.is_some()),
            captured_at: capture.map(|c| c.fetched_at),
            version: 0,
            status: Some(run.status),
            steps: Step::ALL
                .into_iter()
                .map(|step| step_row(run, step))
                .collect(),
            model: run.model.clone(),
            began: Some(run.started),
            fields: Vec::new(),
            signals: run.signals.clone(),
            assessment: run.assessment,
            failure: run.failure.clone(),
            verdict: None,
            outcomes: Vec::new(),
            drafts: Vec::new(),
        })
    }

    fn text(&self, capture: CaptureId, layer: Layer) -> Result<ViewData, StoreError> {
        let Some(mut text) = self.store().layer(capture, layer)? else {
            return Ok(ViewData::Failed(ApiError::new(
                ghostlight_api::ErrorCode::NotFound,
                "This capture has no text: it was not parsed, or its text was removed.",
                "Run the analysis again.",
            )));
        };
        let total_bytes = text.len() as u64;
        text.truncate(text.floor_char_boundary(TEXT_BYTES_MAX));
        Ok(ViewData::Text(TextView {
            layer,
            text,
            total_bytes,
        }))
    }

    fn receipt(&self, subject: &Subject) -> Result<Option<ReceiptView>, StoreError> {
        let Some(run) = self.run_of(subject)? else {
            return Ok(None);
        };
        let Some(receipt) = run.receipt else {
            return Ok(None);
        };
        let extent = self.store().extent(&run.run_id)?;
        let offsets = extent.map_or((0, 0, 0), |e| (e.first, e.last, e.count));
        Ok(Some(ReceiptView {
            run: run.run_id,
            ended: run.ended,
            receipt,
            offsets,
        }))
    }

    fn health(&self) -> Result<Health, StoreError> {
        let (postings, running) = self.store().counts()?;
        let trouble = self.shared.pipeline.trouble();
        let trouble = trouble.or_else(|| self.shared.monitor.trouble());
        Ok(Health {
            hub_live: self.shared.pipeline.trouble().is_none(),
            running,
            postings,
            trouble,
            live: self.shared.monitor.live(),
            feeds: self.shared.monitor.health()?,
        })
    }
}

fn draft_row(draft: Draft) -> DraftRow {
    DraftRow {
        field: draft.field,
        text: draft.text,
        at: draft.at,
    }
}

fn posting_row(row: PostingSummary) -> PostingRow {
    let running = row.run_status == RunStatus::Running.word();
    PostingRow {
        posting: row.posting,
        title: row.title,
        company: row.company,
        place: row.place,
        level: row.level.as_deref().and_then(level_of),
        progress: running.then_some((row.fields_found, FieldKey::DETECTED.len() as u32)),
        failure: row.failure,
        verdict: row.verdict,
        updated: row.updated,
    }
}

fn level_of(word: &str) -> Option<Level> {
    let levels = [
        Level::NoSignals,
        Level::Unclear,
        Level::SomeDoubt,
        Level::StrongDoubt,
    ];
    levels.into_iter().find(|level| level.word() == word)
}

fn step_row(run: &RunState, step: Step) -> StepRow {
    let node = run.node(step.node());
    StepRow {
        node: step.node().to_owned(),
        status: node.map_or(NodeStatus::Waiting, |node| node.status),
        duration_ms: node.and_then(|node| node.duration_ms),
        started: node.map(|node| node.started),
        issues: node
            .map(|n| n.issues.iter().map(|i| i.message.clone()).collect())
            .unwrap_or_default(),
    }
}

/// At most 120 characters of a value on one line of the log.
fn short(text: &str) -> String {
    let line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(120)
        .collect();
    if line.len() < text.len() {
        format!("{line}…")
    } else {
        line
    }
}

/// The page a reader opens: where it led to, but for a job system's answer the page it stands for.
fn page_of(capture: &CaptureInfo) -> Option<String> {
    let api = capture.url.as_deref().and_then(|url| {
        let api = ats_api_url(&classify(url).ok()?)?;
        Some(String::from(api))
    });
    let led_to = capture
        .final_url
        .clone()
        .filter(|url| api.as_ref() != Some(url));
    led_to.or_else(|| capture.url.clone())
}

fn missing(subject: &Subject) -> ApiError {
    let what = match subject {
        Subject::Run(RunId(run)) => format!("Run {run}"),
        Subject::Posting(posting) => format!("Posting {posting}"),
    };
    ApiError::new(
        ghostlight_api::ErrorCode::NotFound,
        format!("{what} is not in the store."),
        "It may have been removed; look again at what there is.",
    )
}
