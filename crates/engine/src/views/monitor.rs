//! The monitor's views: runs of every origin, a run's state, its log, the feeds.

use super::short;
use crate::{Engine, monitor::Source, outbox::Why};
use ghostlight_api::{
    ApiError, ErrorCode, ViewData,
    view::{
        ArtifactRow, DigestView, EventFilter, EventRow, Extent, IssueRow, LogPage, LogRow, NodeRow,
        OutboxRow, OutboxWhy, Page, QuarantineRow, ROWS_MAX, RUN_GAPS_MAX, RUN_ISSUES_MAX, Range,
        RunFilter, RunRow, RunView, ScoreRow, Subject,
    },
};
use ghostlight_model::{
    Epoch, EventBody, Micros, Offset, Phase, RunId,
    event::Fact,
    liveness::{self, Pulse},
    run::{RunLine, RunState, RunStatus},
};
use ghostlight_store::{
    Feed, LogFilter, Matches, StoreError, log,
    read::{self, EventPlace, ListedRun},
    streams::{HUB, LOCAL, feed_of},
};
use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
};

/// Rows of a log that one pull looks at for a filter; the next pull goes on.
const SEARCH_ROWS: u32 = 20_000;
/// Filtered logs that are remembered; the one used longest ago goes.
const SEARCHES_MAX: usize = 4;
/// Characters of a body in the summary of an event of unknown shape.
const GENERIC_CHARS_MAX: usize = 120;

/// Filtered logs that the window shows, found bit by bit.
#[derive(Debug, Default)]
pub(crate) struct Searches(Mutex<VecDeque<Search>>);

#[derive(Debug)]
struct Search {
    run: RunId,
    filter: LogFilter,
    found: Matches,
}

impl Searches {
    /// Takes a search out, to go on with it; [`Searches::keep`] puts it back.
    fn take(&self, run: &RunId, filter: &LogFilter) -> Matches {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = all
            .iter()
            .position(|search| search.run == *run && search.filter == *filter);
        at.and_then(|at| all.remove(at))
            .map_or_else(Matches::default, |search| search.found)
    }

    fn keep(&self, run: RunId, filter: LogFilter, found: Matches) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.push_front(Search { run, filter, found });
        all.truncate(SEARCHES_MAX);
    }
}

/// What a list needs to know of the sources, read once.
pub(super) struct Sources {
    feeds: Vec<Source>,
    /// 99th percentiles by origin and node, as they were asked for.
    usual: HashMap<(String, String), (u32, Option<f64>)>,
}

impl Sources {
    pub(super) fn name(&self, origin: &str) -> String {
        match origin {
            LOCAL => "this computer".to_owned(),
            HUB => "published here".to_owned(),
            _ => match self.feed(origin) {
                Some(feed) => feed.name.clone(),
                None => format!("removed feed {}", feed_of(origin).unwrap_or(origin)),
            },
        }
    }

    fn feed(&self, origin: &str) -> Option<&Source> {
        let mut feeds = self.feeds.iter();
        feeds.find(|feed| feed.origin.as_deref() == Some(origin))
    }
}

impl Engine {
    pub(super) fn runs(
        &self,
        filter: &RunFilter,
        range: Range,
    ) -> Result<Page<RunRow>, StoreError> {
        let wanted = read::RunFilter {
            origin: filter.origin.clone(),
            status: filter.status,
            text: filter.text.clone(),
        };
        let page = self
            .store()
            .runs(&wanted, range.start, range.len.min(ROWS_MAX))?;
        let mut sources = self.sources()?;
        let rows = page.rows.into_iter();
        let rows = rows.map(|run| self.run_row(run, &mut sources));
        Ok(Page {
            total: page.total,
            start: range.start,
            rows: rows.collect::<Result<_, _>>()?,
        })
    }

    pub(super) fn run_view(&self, run: &RunId) -> Result<Option<RunView>, StoreError> {
        let Some(state) = self.store().run(run)? else {
            return Ok(None);
        };
        let mut sources = self.sources()?;
        let origin = run.place().map_or(LOCAL, |(origin, _)| origin).to_owned();
        let title = match state.posting.filter(|_| origin == LOCAL) {
            Some(posting) => self.store().posting(posting)?.map(|p| p.summary.title),
            None => None,
        };
        let feed = sources.feed(&origin).map(|feed| feed.id);
        let link = sources.feed(&origin).map(|feed| feed.link.clone());
        let proven = match sources.feed(&origin) {
            Some(feed) => feed.proven,
            // What became of a feed that was removed is not known.
            None => matches!(origin.as_str(), LOCAL | HUB).then_some(true),
        };
        let listed = ListedRun {
            line: RunLine::of(&state),
            title,
            origin,
        };
        let row = self.run_row(listed, &mut sources)?;
        Ok(Some(RunView {
            row,
            feed,
            link,
            extent: self.extent(run, proven)?,
            nodes: node_rows(&state),
            scores: score_rows(&state),
            issues: issue_rows(&state),
            left_out: state.left_out,
            phases: phases(&state),
            more_phases: state.more_phases,
            artifacts: state
                .artifacts
                .into_iter()
                .map(|artifact| ArtifactRow {
                    incomplete: artifact.is_incomplete(),
                    artifact,
                })
                .collect(),
        }))
    }

    fn extent(&self, run: &RunId, proven: Option<bool>) -> Result<Extent, StoreError> {
        let summary = self.store().log_summary(run)?.unwrap_or_default();
        let gaps = self.store().gaps(run, RUN_GAPS_MAX)?.into_iter();
        Ok(Extent {
            current: summary
                .current
                .map(|(epoch, first, last)| (epoch.0, first.0, last.0)),
            missing: summary.missing,
            gap_count: summary.gaps,
            gaps: gaps.map(|(from, to, why)| (from.0, to.0, why)).collect(),
            restarts: summary.restarts,
            proven,
        })
    }

    pub(super) fn sources(&self) -> Result<Sources, StoreError> {
        Ok(Sources {
            feeds: self.shared.monitor.sources()?,
            usual: HashMap::new(),
        })
    }

    fn run_row(&self, run: ListedRun, sources: &mut Sources) -> Result<RunRow, StoreError> {
        Ok(RunRow {
            pulse: self.pulse(&run.line, &run.origin, sources)?,
            source: sources.name(&run.origin),
            line: run.line,
            title: run.title,
            origin: run.origin,
        })
    }

    /// What tells whether a run that has not ended is quiet; `None` also for one whose source is not followed.
    fn pulse(
        &self,
        line: &RunLine,
        origin: &str,
        sources: &mut Sources,
    ) -> Result<Option<Pulse>, StoreError> {
        if line.status != RunStatus::Running {
            return Ok(None);
        }
        let lost = match (origin, sources.feed(origin)) {
            (LOCAL | HUB, _) => None,
            (_, Some(feed)) if feed.enabled => match feed.link.state.is_up() {
                true => None,
                false => Some(feed.link.last_connected.unwrap_or(feed.link.since)),
            },
            _ => return Ok(None),
        };
        let (durations, p99_ms) = match &line.running {
            Some(node) => self.usual(origin, node, sources)?,
            None => (0, None),
        };
        Ok(Some(Pulse {
            node: line.running.clone(),
            last: self.silent_since(line, origin, sources),
            durations,
            p99_ms,
            lost,
        }))
    }

    /// When a run's latest event came here. Of a feed the times in the log are by its source's clock; those of our own runs
    /// and of what is published here are by ours.
    fn silent_since(&self, line: &RunLine, origin: &str, sources: &Sources) -> Micros {
        match (sources.feed(origin), line.run_id.place()) {
            (Some(feed), Some((_, stream))) => {
                let monitor = &self.shared.monitor;
                monitor.silent_since(feed.id, &stream, line.updated)
            }
            _ => line.updated,
        }
    }

    fn usual(
        &self,
        origin: &str,
        node: &str,
        sources: &mut Sources,
    ) -> Result<(u32, Option<f64>), StoreError> {
        let key = (origin.to_owned(), node.to_owned());
        if let Some(known) = sources.usual.get(&key) {
            return Ok(*known);
        }
        let history = self.store().node_history(origin, node)?;
        let usual = (history.len() as u32, liveness::p99(&history));
        sources.usual.insert(key, usual);
        Ok(usual)
    }

    pub(super) fn events(
        &self,
        subject: &Subject,
        filter: &EventFilter,
        range: Range,
    ) -> Result<LogPage, StoreError> {
        let run = match subject {
            Subject::Run(run) => Some(run.clone()),
            Subject::Posting(_) => self.run_of(subject)?.map(|run| run.run_id),
        };
        let Some(run) = run else {
            return Ok(LogPage {
                run: None,
                page: Page {
                    total: 0,
                    start: 0,
                    rows: Vec::new(),
                },
                looked: None,
            });
        };
        let len = range.len.min(ROWS_MAX);
        let wanted = LogFilter {
            node: filter.node.clone(),
            phase: filter.phase.clone(),
            severity: filter.severity,
            text: filter.text.clone(),
        };
        let range = Range { len, ..range };
        let (total, rows, looked) = match wanted.is_empty() {
            true => {
                let after = filter.after;
                let shown = |all: u32| all.saturating_sub(after);
                let start = |all| range.first_of(shown(all)).saturating_add(after);
                let page = self.store().log_from(&run, start, len)?;
                (shown(page.total), page.rows, None)
            }
            false => self.found(&run, wanted, filter.after, range)?,
        };
        Ok(LogPage {
            page: Page {
                total,
                start: range.first_of(total),
                rows: rows.into_iter().map(log_row).collect(),
            },
            run: Some(run),
            looked,
        })
    }

    /// The rows of a filtered log, as far as it has been looked through.
    #[expect(
        clippy::type_complexity,
        reason = "rows in all, rows, and how far it was looked"
    )]
    fn found(
        &self,
        run: &RunId,
        wanted: LogFilter,
        after: u32,
        range: Range,
    ) -> Result<(u32, Vec<log::LogRow>, Option<(u32, u32)>), StoreError> {
        let searches = &self.shared.searches;
        let mut found = searches.take(run, &wanted);
        let store = self.store();
        store.find_in_log(run, &wanted, &mut found, SEARCH_ROWS)?;
        if found.total < found.looked {
            // The log became shorter: it was looked at under other numbers.
            found = Matches::default();
            store.find_in_log(run, &wanted, &mut found, SEARCH_ROWS)?;
        }
        let shown = found.rows.partition_point(|row| *row < after);
        let rows = found.rows.get(shown..).unwrap_or_default();
        let total = u32::try_from(rows.len()).unwrap_or(u32::MAX);
        let start = range.first_of(total) as usize;
        let page = rows.iter().skip(start).take(range.len as usize);
        let page: Vec<u32> = page.copied().collect();
        let looked = Some((found.looked, found.total));
        let shown = store.log_rows(run, &page)?;
        searches.keep(run.clone(), wanted, found);
        Ok((total, shown, looked))
    }

    pub(super) fn event_body(
        &self,
        run: &RunId,
        (epoch, offset): (u64, u64),
    ) -> Result<ViewData, StoreError> {
        let at = EventPlace {
            epoch: Epoch(epoch),
            offset: Offset(offset),
        };
        Ok(match self.store().event_body(run, at)? {
            Some(body) => ViewData::EventBody(body),
            None => ViewData::Failed(ApiError::new(
                ErrorCode::NotFound,
                format!("event {offset} of run {run} is not in the store"),
                "It may have been removed; choose another.",
            )),
        })
    }

    pub(super) fn quarantine(
        &self,
        feed: i64,
        range: Range,
    ) -> Result<Page<QuarantineRow>, StoreError> {
        let feed = self.store().feed(feed)?;
        let name = feed.as_ref().and_then(Feed::stored_as).unwrap_or_default();
        let page = self
            .store()
            .quarantine(name, range.start, range.len.min(ROWS_MAX))?;
        let rows = page.rows.into_iter().map(|one| QuarantineRow {
            id: one.id,
            at: one.at,
            reason: one.reason,
            message: String::from_utf8_lossy(&one.message).into_owned(),
        });
        Ok(Page {
            total: page.total,
            start: range.start,
            rows: rows.collect(),
        })
    }

    pub(super) fn outbox(&self, feed: i64, range: Range) -> Result<Page<OutboxRow>, StoreError> {
        let len = range.len.min(ROWS_MAX);
        let page = self.shared.monitor.waiting(feed, (range.start, len))?;
        let rows = page.rows.into_iter().map(|entry| OutboxRow {
            seq: entry.seq,
            key: entry.key,
            what: entry.what,
            stream: entry.stream.0,
            bytes: entry.bytes,
            at: entry.at,
            why: match entry.why {
                Why::Turn => OutboxWhy::Turn,
                Why::Retrying(held) => OutboxWhy::Retrying(held.message),
                Why::Held(held) => OutboxWhy::Held(held.message),
                Why::BehindHeld => OutboxWhy::BehindHeld,
            },
        });
        Ok(Page {
            total: page.total,
            start: range.start,
            rows: rows.collect(),
        })
    }

    pub(super) fn digest(&self) -> Result<Option<DigestView>, StoreError> {
        let Some(shown) = self.shared.monitor.digest() else {
            return Ok(None);
        };
        let digest = shown.digest;
        let mut sources = self.sources()?;
        let mut runs = Vec::new();
        for run in &digest.runs {
            if let Some(state) = self.store().run(run)? {
                let listed = ListedRun {
                    line: RunLine::of(&state),
                    title: None,
                    origin: run.place().map_or(LOCAL, |(origin, _)| origin).to_owned(),
                };
                runs.push(self.run_row(listed, &mut sources)?);
            }
        }
        let began = digest.caught.began;
        Ok(Some(DigestView {
            id: shown.id,
            place: shown.place,
            left_out: shown.left_out,
            source: digest.source,
            from: digest.caught.from.unwrap_or(began),
            until: digest.until,
            events: digest.caught.events,
            took_ms: (digest.until.0 - began.0).max(0) as f64 / 1_000.0,
            missing: digest.caught.missing,
            proven: digest.proven,
            began: digest.began,
            finished: digest.finished,
            failed: digest.failed,
            runs,
        }))
    }
}

/// In the order in which a step goes through them, then those of its source's own.
fn phases(state: &RunState) -> Vec<String> {
    let known = [
        Phase::Start,
        Phase::Field,
        Phase::Signal,
        Phase::End,
        Phase::Fail,
    ];
    let rank = |word: &String| known.iter().position(|phase| phase.word() == word);
    let mut words: Vec<String> = state.phases.iter().cloned().collect();
    words.sort_by_key(|word| rank(word).unwrap_or(known.len()));
    words
}

fn node_rows(state: &RunState) -> Vec<NodeRow> {
    let rows = state.nodes.iter().map(|node| NodeRow {
        node: node.node.clone(),
        status: node.status,
        started: node.started,
        duration_ms: node.duration_ms,
        attempts: node.attempts,
        issues: node.issue_count,
        missing: state.missing_of(node).cloned().collect(),
        ended: node.ended.clone(),
    });
    rows.collect()
}

fn score_rows(state: &RunState) -> Vec<ScoreRow> {
    let rows = state.scores.iter().map(|(name, score)| ScoreRow {
        name: name.clone(),
        value: score.value,
        before: score.before,
        node: score.node.clone(),
        ts: score.ts,
    });
    rows.collect()
}

fn issue_rows(state: &RunState) -> Vec<IssueRow> {
    let mut nodes: Vec<_> = state.nodes.iter().collect();
    nodes.sort_by_key(|node| std::cmp::Reverse(node.updated));
    let issues = nodes.into_iter().flat_map(|node| {
        node.issues.iter().rev().map(|issue| IssueRow {
            node: node.node.clone(),
            issue: issue.clone(),
        })
    });
    issues.take(RUN_ISSUES_MAX).collect()
}

fn log_row(row: log::LogRow) -> LogRow {
    match row {
        log::LogRow::Event(entry) => LogRow::Event(event_row(entry.place, entry.body)),
        log::LogRow::Gap {
            epoch,
            from,
            to,
            reason,
        } => LogRow::Gap {
            epoch: epoch.0,
            from: from.0,
            to: to.0,
            reason,
        },
        log::LogRow::Restart { epoch } => LogRow::Restart { epoch: epoch.0 },
    }
}

fn event_row(place: EventPlace, body: EventBody) -> EventRow {
    EventRow {
        epoch: place.epoch.0,
        offset: place.offset.0,
        ts: body.ts,
        phase: body.phase.word().to_owned(),
        duration_ms: body.duration_ms,
        summary: summary(&body),
        severity: body.issues.iter().map(|issue| issue.severity).max(),
        node: body.node,
    }
}

/// One line: the issue, the fact, or the metrics.
fn summary(body: &EventBody) -> String {
    if let Some(issue) = body.issues.first() {
        return match body.issues.len() {
            1 => issue.message.clone(),
            n => format!("{} · and {} more", issue.message, n - 1),
        };
    }
    match body.fact.as_deref() {
        Some(Fact::Started {
            input, pipeline, ..
        }) => format!("{input} · {pipeline}"),
        Some(Fact::Observed(seen)) => {
            let value = short(&seen.value.display());
            let share = seen.confidence.share();
            format!(
                "{} = {value} · {} {share:.2}",
                seen.field,
                seen.method.word()
            )
        }
        Some(Fact::Signalled(signal)) => signal.statement.clone(),
        Some(Fact::Answered { usage, .. }) => {
            format!("{} · {}", short(&usage.model), metrics(body))
        }
        Some(Fact::Parsed { posting, .. }) => format!("posting {posting} · {}", metrics(body)),
        _ => metrics(body),
    }
}

fn metrics(body: &EventBody) -> String {
    let pair = |(key, value): (&String, &serde_json::Value)| match value {
        serde_json::Value::String(text) => format!("{key} {}", short(text)),
        serde_json::Value::Object(members) if key == "scores" => {
            let scores = members
                .iter()
                .map(|(name, value)| format!("{name} {value}"));
            scores.collect::<Vec<_>>().join(" · ")
        }
        serde_json::Value::Array(list) if key == "artifacts" => {
            let names = list.iter().filter_map(|one| one["name"].as_str());
            format!("left {}", names.collect::<Vec<_>>().join(", "))
        }
        serde_json::Value::Array(list) if key == "expects" && list.is_empty() => String::new(),
        other => format!("{key} {}", short(&other.to_string())),
    };
    let pairs = body
        .metrics
        .iter()
        .map(pair)
        .filter(|pair| !pair.is_empty());
    let line = pairs.collect::<Vec<_>>().join(" · ");
    match line.char_indices().nth(GENERIC_CHARS_MAX * 3) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ghostlight_model::Micros;

    #[test]
    fn searches_are_continued_and_bounded() {
        let searches = Searches::default();
        let filter = |text: &str| LogFilter {
            text: text.into(),
            ..LogFilter::default()
        };
        let run = RunId("r".into());
        for n in 0..6 {
            let found = Matches {
                looked: n,
                ..Matches::default()
            };
            searches.keep(run.clone(), filter(&n.to_string()), found);
        }
        assert_eq!(searches.take(&run, &filter("5")).looked, 5);
        assert_eq!(searches.take(&run, &filter("5")).looked, 0, "it was taken");
        assert_eq!(searches.take(&run, &filter("0")).looked, 0, "it made room");
    }

    #[test]
    fn an_event_is_one_line() {
        let run = RunId("r".into());
        let line = |body: &str| summary(&ghostlight_model::foreign::read(body, Micros(0), &run));
        for (body, said) in [
            (
                r#"{"metrics":{"bpm":92,"key":"D minor"}}"#,
                "bpm 92 · key D minor",
            ),
            (
                r#"{"metrics":{"scores":{"hook":0.8},"expects":[]}}"#,
                "hook 0.8",
            ),
            (
                r#"{"metrics":{"artifacts":[{"name":"a.csv"},{"name":"b"}]}}"#,
                "left a.csv, b",
            ),
            (r#"{"issues":["one","two"]}"#, "One. · and 1 more"),
            ("[1]", ""),
        ] {
            assert_eq!(line(body), said, "{body}");
        }
    }
}
