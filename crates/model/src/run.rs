//! The run reducer: a run's state as its events tell it, ours and foreign ones alike.

use crate::{
    assess::{Assessment, Signal},
    event::{EventBody, Fact, Issue, ModelUse, Phase, Severity, Step},
    foreign::{self, is_whole_run},
    ids::{CaptureId, CommitId, Epoch, PostingId, RunId},
    receipt::{Outcome, Receipt},
    time::Micros,
    value::FieldKey,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Nodes of a run that are told apart; the events of further ones are in the log and counted in
/// [`RunState::left_out`].
pub const NODES_MAX: usize = 400;
/// Issues kept of a node, the latest; all are counted and in the log.
pub const NODE_ISSUES_MAX: usize = 20;
/// Scores of a run; further names are in the log and counted in [`RunState::left_out`].
pub const SCORES_MAX: usize = 200;
/// Artifacts of a run; further ones are in the log and counted in [`RunState::left_out`].
pub const ARTIFACTS_MAX: usize = 500;
/// Attempts of a node whose durations are kept, the latest; all are in the log.
pub const ATTEMPTS_MAX: usize = 20;
/// Fields and signals of a run, ours have some dozens; further ones are in the log.
pub const FIELDS_MAX: usize = 200;
/// See [`FIELDS_MAX`].
pub const SIGNALS_MAX: usize = 200;
/// Characters of what a run was given, and of a score's name; the rest is in the log.
pub const NAME_CHARS_MAX: usize = 500;
/// Phases of a run that are told apart, and characters of one; further and longer ones are in the log only
/// ([`RunState::more_phases`]).
pub const PHASES_MAX: usize = 40;
/// See [`PHASES_MAX`].
pub const PHASE_CHARS_MAX: usize = 60;
/// Names that a node may be expected to leave behind; further ones are in the log.
pub const EXPECTS_MAX: usize = 100;

/// A run's state. A projection: thrown away and rebuilt from its events with the same result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunState {
    /// Whose.
    pub run_id: RunId,
    /// Which rule says when it ends.
    pub kind: RunKind,
    /// The epoch of the events it is folded from; a greater one begins it anew.
    pub epoch: Epoch,
    /// Where it stands.
    pub status: RunStatus,
    /// What it was given.
    pub input: String,
    /// The URL or absolute path behind it, to read it again.
    pub location: Option<String>,
    /// Which posting of the input, from 0.
    pub index: u32,
    /// `ghostlight` and its version, or empty for a foreign run.
    pub pipeline: String,
    /// The process that does the work.
    pub process: String,
    /// The capture, once stored.
    pub capture: Option<CaptureId>,
    /// The posting, once parsed.
    pub posting: Option<PostingId>,
    /// First event.
    pub started: Micros,
    /// Latest event.
    pub updated: Micros,
    /// When it ended, once it did.
    pub ended: Option<Micros>,
    /// Steps in order of first appearance.
    pub nodes: Vec<NodeState>,
    /// Number of events so far.
    pub events: u64,
    /// The phases of its events, by which its log can be filtered; an event without one counts for none.
    #[serde(default)]
    pub phases: BTreeSet<String>,
    /// There are phases beyond [`PHASES_MAX`].
    #[serde(default)]
    pub more_phases: bool,
    /// The fields seen so far, whatever stands in them in the end (see
    /// [`RunState::fields_found`]).
    pub fields_seen: BTreeSet<FieldKey>,
    /// Signals found.
    pub signals: Vec<Signal>,
    /// What the signals add up to, once assessed.
    pub assessment: Option<Assessment>,
    /// The model that was asked, if one was.
    #[serde(default)]
    pub model: Option<ModelUse>,
    /// The receipt, once validated.
    pub receipt: Option<Receipt>,
    /// The commit that named the winners, if any changed.
    pub commit: Option<CommitId>,
    /// Why it failed, if it did.
    pub failure: Option<Failure>,
    /// The latest of each score (`metrics.scores`), by name.
    pub scores: BTreeMap<String, Score>,
    /// What the nodes left behind (`metrics.artifacts`), in order of first appearance.
    pub artifacts: Vec<Artifact>,
    /// Nodes, scores and artifacts beyond the bounds of this module; they are in the log.
    pub left_out: u64,
}

/// Which rule says when a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunKind {
    /// Ghostlight's pipeline: with `SCORE`, or a failure of any step but the optional one.
    Own,
    /// Somebody else's: with an event of the run as a whole (see [`is_whole_run`]). A node that fails may be tried
    /// again, and after one that ends another may begin, so nothing else says it.
    Foreign,
    /// A stream of messages that belong to no run: never.
    Messages,
}

/// A score, as last reported.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The value.
    pub value: f64,
    /// The value before it, if there was one.
    pub before: Option<f64>,
    /// The node that reported it.
    pub node: String,
    /// When.
    pub ts: Micros,
}

/// Something a node left behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artifact {
    /// The node.
    pub node: String,
    /// Its name.
    pub name: String,
    /// Its version, as the source writes it.
    pub version: String,
    /// Where it is.
    pub uri: Option<String>,
    /// The SHA-256 of its bytes, in hexadecimal.
    pub sha256: Option<String>,
}

impl Artifact {
    /// Whether it was announced without saying where it is, or what is in it.
    pub fn is_incomplete(&self) -> bool {
        self.uri.is_none() || self.sha256.is_none()
    }
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Under way.
    Running,
    /// Ended well.
    Finished,
    /// Ended by a failure.
    Failed,
    /// A stream of messages, which has no end.
    Open,
}

impl RunStatus {
    /// All, in the order of the screen.
    pub const ALL: [RunStatus; 4] = [
        RunStatus::Running,
        RunStatus::Finished,
        RunStatus::Failed,
        RunStatus::Open,
    ];

    /// The status of a word.
    pub fn of_word(word: &str) -> Option<RunStatus> {
        RunStatus::ALL.into_iter().find(|one| one.word() == word)
    }

    /// The word used in files.
    pub fn word(self) -> &'static str {
        match self {
            RunStatus::Running => "running",
            RunStatus::Finished => "finished",
            RunStatus::Failed => "failed",
            RunStatus::Open => "open",
        }
    }
}

/// A step of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NodeState {
    /// Its name.
    pub node: String,
    /// Where it stands.
    pub status: NodeStatus,
    /// When it began.
    pub started: Micros,
    /// How long it took, in milliseconds.
    pub duration_ms: Option<f64>,
    /// What went wrong or deserves a look: the latest [`NODE_ISSUES_MAX`].
    pub issues: Vec<Issue>,
    /// How many issues there were.
    pub issue_count: u64,
    /// Latest event.
    pub updated: Micros,
    /// How many times it began.
    pub attempts: u32,
    /// What it should leave behind (`metrics.expects`).
    pub expects: Vec<String>,
    /// The attempts that ended: the latest [`ATTEMPTS_MAX`], in order.
    pub ended: Vec<Attempt>,
}

/// An attempt of a node that ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// Its number, from 1.
    pub number: u32,
    /// How long it took, in milliseconds, where known.
    pub duration_ms: Option<f64>,
    /// Whether it ended badly.
    pub failed: bool,
}

/// Where a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeStatus {
    /// Not begun.
    Waiting,
    /// Under way.
    Running,
    /// Ended well.
    Done,
    /// Ended badly.
    Failed,
}

/// Why a run failed: which step, what happened, what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The step.
    pub node: String,
    /// What happened.
    pub issue: Issue,
}

impl RunState {
    /// The state before the first event, in epoch 0.
    pub fn new(run_id: RunId, kind: RunKind, started: Micros) -> Self {
        Self {
            run_id,
            kind,
            epoch: Epoch(0),
            status: match kind {
                RunKind::Own | RunKind::Foreign => RunStatus::Running,
                RunKind::Messages => RunStatus::Open,
            },
            input: String::new(),
            location: None,
            index: 0,
            pipeline: String::new(),
            process: String::new(),
            capture: None,
            posting: None,
            started,
            updated: started,
            ended: None,
            nodes: Vec::new(),
            events: 0,
            phases: BTreeSet::new(),
            more_phases: false,
            fields_seen: BTreeSet::new(),
            signals: Vec::new(),
            assessment: None,
            model: None,
            receipt: None,
            commit: None,
            failure: None,
            scores: BTreeMap::new(),
            artifacts: Vec::new(),
            left_out: 0,
        }
    }

    /// Applies the next event of the run's stream.
    pub fn apply(&mut self, event: &EventBody) {
        self.events += 1;
        self.updated = self.updated.max(event.ts);
        self.apply_phase(event.phase.word());
        let whole = self.kind != RunKind::Own && is_whole_run(&event.node);
        if !whole {
            self.apply_node(event);
        }
        self.apply_scores(event);
        self.apply_artifacts(event);
        if let Some(fact) = &event.fact {
            self.apply_fact(fact);
        }
        // What has ended stays ended: two processes may both find a dead one's run.
        if self.ended.is_some() {
            return;
        }
        match (self.kind, &event.phase) {
            (RunKind::Own, Phase::Fail) if ends_the_run(event) => self.fail(event),
            (RunKind::Own, Phase::End) if event.node == Step::Score.node() => self.finish(event),
            (RunKind::Foreign, Phase::Fail) if whole => self.fail(event),
            (RunKind::Foreign, Phase::End) if whole => self.finish(event),
            _ => {}
        }
    }

    /// The step that is under way; the one that began last if there are several.
    pub fn running_node(&self) -> Option<&NodeState> {
        let running = self.nodes.iter();
        let running = running.filter(|node| node.status == NodeStatus::Running);
        running.max_by_key(|node| node.started)
    }

    /// How many steps have ended, well or badly.
    pub fn nodes_ended(&self) -> usize {
        let ended = self.nodes.iter();
        ended
            .filter(|node| matches!(node.status, NodeStatus::Done | NodeStatus::Failed))
            .count()
    }

    /// What a step should have left behind and did not, once it has ended.
    pub fn missing_of<'a>(&'a self, node: &'a NodeState) -> impl Iterator<Item = &'a String> {
        let over = matches!(node.status, NodeStatus::Done | NodeStatus::Failed);
        let has = |name: &String| {
            let mut artifacts = self.artifacts.iter();
            artifacts.any(|one| one.node == node.node && one.name == *name)
        };
        node.expects.iter().filter(move |name| over && !has(name))
    }

    /// The state of one of our own steps, `Waiting` before its first event.
    pub fn step(&self, step: Step) -> NodeStatus {
        self.node(step.node())
            .map_or(NodeStatus::Waiting, |node| node.status)
    }

    /// How many fields have a value: by the receipt once there is one, until then those seen.
    pub fn fields_found(&self) -> u32 {
        let found = match &self.receipt {
            Some(receipt) => {
                let lines = receipt.fields.iter();
                lines.filter(|l| l.outcome != Outcome::NotFound).count()
            }
            None => self.fields_seen.len(),
        };
        found as u32
    }

    /// A step by name.
    pub fn node(&self, name: &str) -> Option<&NodeState> {
        self.nodes.iter().find(|node| node.node == name)
    }

    fn apply_phase(&mut self, word: &str) {
        if word.is_empty() || self.phases.contains(word) {
            return;
        }
        match self.phases.len() < PHASES_MAX && word.chars().count() <= PHASE_CHARS_MAX {
            true => drop(self.phases.insert(word.to_owned())),
            false => self.more_phases = true,
        }
    }

    fn apply_node(&mut self, event: &EventBody) {
        let ours = self.kind == RunKind::Own;
        let Some(node) = self.node_mut(event) else {
            self.left_out += 1;
            return;
        };
        match event.phase {
            Phase::Start => {
                node.status = NodeStatus::Running;
                node.started = event.ts;
                node.duration_ms = None;
                node.attempts = node.attempts.saturating_add(1);
            }
            Phase::End => node.status = NodeStatus::Done,
            Phase::Fail => node.status = NodeStatus::Failed,
            Phase::Field | Phase::Signal | Phase::Other(_) => {}
        }
        if matches!(event.phase, Phase::End | Phase::Fail) {
            let lasted = event.ts.ms_since(node.started);
            // A source that names no duration: as long as it was under way.
            let measured = (!ours && node.attempts > 0).then_some(lasted);
            node.duration_ms = event.duration_ms.or(measured);
            node.ended.push(Attempt {
                number: node.attempts.max(1),
                duration_ms: node.duration_ms,
                failed: event.phase == Phase::Fail,
            });
            let surplus = node.ended.len().saturating_sub(ATTEMPTS_MAX);
            node.ended.drain(..surplus);
        }
        node.updated = node.updated.max(event.ts);
        node.issue_count += event.issues.len() as u64;
        node.issues.extend(event.issues.iter().cloned());
        let surplus = node.issues.len().saturating_sub(NODE_ISSUES_MAX);
        node.issues.drain(..surplus);
        for name in foreign::expects(event) {
            if node.expects.len() < EXPECTS_MAX && !node.expects.contains(&name) {
                node.expects.push(name);
            }
        }
    }

    /// The event's step, a new one if it is the first of it; `None` beyond the bound.
    fn node_mut(&mut self, event: &EventBody) -> Option<&mut NodeState> {
        let known = self.nodes.iter().position(|n| n.node == event.node);
        let at = match known {
            Some(at) => at,
            None if self.nodes.len() >= NODES_MAX => return None,
            None => {
                self.nodes.push(NodeState {
                    node: event.node.clone(),
                    status: NodeStatus::Running,
                    started: event.ts,
                    duration_ms: None,
                    issues: Vec::new(),
                    issue_count: 0,
                    updated: event.ts,
                    attempts: 0,
                    expects: Vec::new(),
                    ended: Vec::new(),
                });
                self.nodes.len() - 1
            }
        };
        self.nodes.get_mut(at)
    }

    fn apply_scores(&mut self, event: &EventBody) {
        for (name, value) in foreign::scores(event) {
            let name: String = name.chars().take(NAME_CHARS_MAX).collect();
            let before = self.scores.get(&name).map(|score| score.value);
            if before.is_none() && self.scores.len() >= SCORES_MAX {
                self.left_out += 1;
                continue;
            }
            let score = Score {
                value,
                before,
                node: event.node.clone(),
                ts: event.ts,
            };
            self.scores.insert(name, score);
        }
    }

    fn apply_artifacts(&mut self, event: &EventBody) {
        for found in foreign::artifacts(event) {
            let artifact = Artifact {
                node: event.node.clone(),
                name: found.name,
                version: found.version,
                uri: found.uri,
                sha256: found.sha256,
            };
            let same = |one: &&mut Artifact| {
                (&one.node, &one.name, &one.version)
                    == (&artifact.node, &artifact.name, &artifact.version)
            };
            if let Some(known) = self.artifacts.iter_mut().find(same) {
                *known = artifact;
            } else if self.artifacts.len() < ARTIFACTS_MAX {
                self.artifacts.push(artifact);
            } else {
                self.left_out += 1;
            }
        }
    }

    fn apply_fact(&mut self, fact: &Fact) {
        match fact {
            Fact::Started {
                input,
                location,
                index,
                pipeline,
                process,
            } => {
                self.input = input.chars().take(NAME_CHARS_MAX).collect();
                self.location.clone_from(location);
                self.index = *index;
                self.pipeline.clone_from(pipeline);
                self.process.clone_from(process);
                // A colleague's Ghostlight published it: it ends as ours do.
                if self.kind == RunKind::Foreign {
                    self.kind = RunKind::Own;
                }
            }
            Fact::Captured { capture } => self.capture = Some(*capture),
            Fact::Parsed {
                capture, posting, ..
            } => {
                self.capture = Some(*capture);
                self.posting = Some(*posting);
            }
            Fact::Observed(observation) => {
                if self.fields_seen.len() < FIELDS_MAX {
                    self.fields_seen.insert(observation.field.clone());
                }
            }
            Fact::Signalled(signal) if self.signals.len() < SIGNALS_MAX => {
                self.signals.push(signal.clone());
            }
            Fact::Signalled(_) => self.left_out += 1,
            Fact::Answered { usage, .. } => self.model = Some(usage.clone()),
            Fact::Received(receipt) => self.receipt = Some(receipt.clone()),
            Fact::Assessed { assessment, commit } => {
                self.assessment = Some(*assessment);
                self.commit = *commit;
            }
        }
    }

    fn finish(&mut self, event: &EventBody) {
        self.status = RunStatus::Finished;
        self.ended = Some(event.ts);
    }

    fn fail(&mut self, event: &EventBody) {
        self.status = RunStatus::Failed;
        self.ended = Some(event.ts);
        // The event of a run as a whole seldom says why; the step that failed last does.
        let failed = self.nodes.iter();
        let failed = failed.filter(|node| node.status == NodeStatus::Failed);
        let failed = failed.max_by_key(|node| node.updated);
        if event.issues.is_empty()
            && is_whole_run(&event.node)
            && let Some(node) = failed
            && let Some(issue) = node.issues.last()
        {
            self.failure = Some(Failure {
                node: node.node.clone(),
                issue: issue.clone(),
            });
            return;
        }
        let issue = event.issues.first().cloned().unwrap_or_else(|| Issue {
            code: "failed".into(),
            severity: Severity::Error,
            message: match is_whole_run(&event.node) {
                true => "The run failed without saying why.".to_owned(),
                false => format!("The step {} failed without saying why.", event.node),
            },
            hint: None,
        });
        self.failure = Some(Failure {
            node: event.node.clone(),
            issue,
        });
    }
}

/// A run's line in a list: what stands there of its state, small however long the run is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunLine {
    /// Whose.
    pub run_id: RunId,
    /// Which rule says when it ends.
    pub kind: RunKind,
    /// Where it stands.
    pub status: RunStatus,
    /// What people know it by: its input, or what its source calls it.
    pub name: String,
    /// The posting, once known; of our own runs.
    pub posting: Option<PostingId>,
    /// First event.
    pub started: Micros,
    /// Latest event.
    pub updated: Micros,
    /// When it ended, once it did.
    pub ended: Option<Micros>,
    /// Steps ended, and steps in all as far as they are known.
    pub progress: (u32, u32),
    /// Fields with a value so far.
    pub fields: u32,
    /// Issues so far.
    pub issues: u64,
    /// The step under way.
    pub running: Option<String>,
    /// The step that ended last, if it failed and none began since.
    pub stopped_at: Option<String>,
    /// Why it failed, if it did.
    pub failure: Option<Failure>,
}

impl RunLine {
    /// The line of a run.
    pub fn of(run: &RunState) -> Self {
        let place = run.run_id.place();
        let own = place.is_none();
        let called = place.map_or_else(
            || run.run_id.0.clone(),
            |(_, stream)| stream.run().map_or(stream.0, |run| run.0),
        );
        let running = run.running_node().map(|node| node.node.clone());
        let latest = run.nodes.iter().max_by_key(|node| node.updated);
        let stopped = latest.filter(|node| node.status == NodeStatus::Failed);
        let steps = match run.kind {
            RunKind::Own => Step::ALL.len().max(run.nodes.len()),
            RunKind::Foreign | RunKind::Messages => run.nodes.len(),
        };
        Self {
            run_id: run.run_id.clone(),
            kind: run.kind,
            status: run.status,
            name: match run.input.is_empty() {
                true => called,
                false => run.input.clone(),
            },
            posting: run.posting.filter(|_| own),
            started: run.started,
            updated: run.updated,
            ended: run.ended,
            progress: (run.nodes_ended() as u32, steps as u32),
            fields: run.fields_found(),
            issues: run.nodes.iter().map(|node| node.issue_count).sum(),
            stopped_at: stopped
                .filter(|_| running.is_none())
                .map(|node| node.node.clone()),
            running,
            failure: run.failure.clone(),
        }
    }
}

/// The code of the issue that ends a run whose process is gone, at whatever step it stood.
pub const INTERRUPTED: &str = "interrupted";

/// The model is optional: its failure leaves the run going. An interruption never does.
fn ends_the_run(event: &EventBody) -> bool {
    event.node != Step::Enrich.node() || event.issues.iter().any(|issue| issue.code == INTERRUPTED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        observation::{Confidence, Method, Observation, Source},
        receipt::FieldReceipt,
        value::FieldValue,
    };
    use std::collections::BTreeMap;

    fn event(node: &str, phase: Phase, ts: i64) -> EventBody {
        EventBody {
            ts: Micros(ts),
            run_id: RunId("r".into()),
            node: node.into(),
            phase,
            duration_ms: Some(1.0),
            metrics: BTreeMap::new(),
            issues: vec![],
            fact: None,
        }
    }

    fn run(events: &[(&str, Phase)]) -> RunState {
        let mut state = RunState::new(RunId("r".into()), RunKind::Own, Micros(0));
        for (ts, (node, phase)) in events.iter().enumerate() {
            state.apply(&event(node, phase.clone(), ts as i64));
        }
        state
    }

    #[test]
    fn fields_are_counted_once_however_often_they_are_seen() {
        let mut run = run(&[("DETECT", Phase::Start)]);
        for (field, text) in [("title", "Baker"), ("title", "Nurse"), ("company", " ")] {
            let mut seen = event("DETECT", Phase::Field, 1);
            seen.fact = Some(Box::new(Fact::Observed(Observation {
                field: FieldKey::from(field),
                value: FieldValue::Text(text.into()),
                confidence: Confidence::FULL,
                source: Source::Parsing,
                method: Method::Pattern,
                evidence: None,
                capture: CaptureId([0; 16]),
                ts: Micros(1),
            })));
            run.apply(&seen);
        }
        assert_eq!(run.fields_found(), 2, "title and company, so far");
        let line = |field, outcome| FieldReceipt {
            field,
            outcome,
            looked: vec![],
            reason: None,
        };
        run.receipt = Some(Receipt {
            fields: vec![
                line(FieldKey::Title, Outcome::Conflict),
                line(FieldKey::Company, Outcome::NotFound),
            ],
        });
        assert_eq!(run.fields_found(), 1, "the company's value broke a rule");
    }

    #[test]
    fn a_run_ends_with_score_or_with_a_failure_that_matters() {
        use Phase::*;
        assert_eq!(run(&[("FETCH", Start)]).status, RunStatus::Running);
        assert_eq!(
            run(&[("FETCH", Start), ("FETCH", Fail)]).status,
            RunStatus::Failed
        );
        assert_eq!(run(&[("ENRICH", Fail)]).status, RunStatus::Running);
        assert_eq!(
            run(&[("ENRICH", Fail), ("SCORE", End)]).status,
            RunStatus::Finished
        );
        let failed = run(&[("PARSE", Start), ("PARSE", Fail)]);
        assert_eq!(failed.failure.unwrap().node, "PARSE");
        assert_eq!(failed.ended, Some(Micros(1)));
    }

    fn foreign(events: &[(&str, &str)]) -> RunState {
        let mut state = RunState::new(RunId("f".into()), RunKind::Foreign, Micros(0));
        for (ts, (node, rest)) in events.iter().enumerate() {
            let body = format!(r#"{{"node":"{node}",{rest}}}"#);
            state.apply(&foreign::read(
                &body,
                Micros(ts as i64 * 1_000),
                &RunId("f".into()),
            ));
        }
        state
    }

    #[test]
    fn a_foreign_run_ends_when_its_source_says_so_and_not_before() {
        let (start, end) = (r#""phase":"start""#, r#""phase":"end""#);
        let fail = r#""phase":"fail","issues":["it broke"]"#;
        let retried = foreign(&[
            ("LOAD", start),
            ("LOAD", fail),
            ("LOAD", start),
            ("LOAD", end),
        ]);
        assert_eq!(retried.status, RunStatus::Running);
        let ended = retried.nodes[0].ended.iter();
        let ended: Vec<_> = ended.map(|one| (one.number, one.failed)).collect();
        assert_eq!(ended, [(1, true), (2, false)]);
        assert_eq!(
            retried.nodes[0].duration_ms,
            Some(1.0),
            "measured by the times"
        );
        assert_eq!(retried.running_node(), None);
        let done = foreign(&[
            ("LOAD", start),
            ("LOAD", end),
            ("run", end),
            ("LOAD", start),
        ]);
        assert_eq!(
            (done.status, done.ended),
            (RunStatus::Finished, Some(Micros(2_000)))
        );
        let failed = foreign(&[("LOAD", fail), ("", r#""phase":"failed""#)]);
        assert_eq!(failed.status, RunStatus::Failed);
        let why = failed.failure.unwrap();
        assert_eq!(
            (why.node.as_str(), why.issue.message.as_str()),
            ("LOAD", "It broke.")
        );
        let silent = foreign(&[("", r#""phase":"failed""#)]);
        let why = silent.failure.unwrap().issue.message;
        assert_eq!(why, "The run failed without saying why.");
        let mut messages = RunState::new(RunId("m".into()), RunKind::Messages, Micros(0));
        messages.apply(&foreign::read("{}", Micros(1), &RunId("m".into())));
        assert_eq!((messages.status, messages.events), (RunStatus::Open, 1));
    }

    #[test]
    fn scores_and_artifacts_are_the_latest_and_what_is_missing_is_named() {
        let state = foreign(&[
            (
                "A",
                r#""phase":"start","metrics":{"expects":["x.csv","y.csv"],"scores":{"hook":0.5}}"#,
            ),
            (
                "A",
                r#""phase":"progress","metrics":{"scores":{"hook":0.7},"artifacts":[{"name":"x.csv","version":1}]}"#,
            ),
        ]);
        let score = &state.scores["hook"];
        assert_eq!((score.value, score.before), (0.7, Some(0.5)));
        assert_eq!(
            state.missing_of(&state.nodes[0]).count(),
            0,
            "it is not over"
        );
        assert!(state.artifacts[0].is_incomplete());
        let mut ended = state.clone();
        let end = r#"{"node":"A","phase":"end","metrics":{"artifacts":[{"name":"x.csv","version":1,"uri":"u","sha256":"00"}]}}"#;
        ended.apply(&foreign::read(end, Micros(9), &RunId("f".into())));
        assert_eq!(
            ended.missing_of(&ended.nodes[0]).collect::<Vec<_>>(),
            ["y.csv"]
        );
        assert!(!ended.artifacts[0].is_incomplete() && ended.artifacts.len() == 1);
    }

    #[test]
    fn a_run_without_bounds_is_bounded_and_says_what_is_left_out() {
        let mut state = RunState::new(RunId("f".into()), RunKind::Foreign, Micros(0));
        for n in 0..600 {
            let body = format!(
                r#"{{"node":"n{n}","phase":"start","metrics":{{"scores":{{"s{n}":1}},"artifacts":["a{n}"]}}}}"#
            );
            state.apply(&foreign::read(&body, Micros(n), &RunId("f".into())));
            let issue = r#"{"node":"n0","issues":["a","b"]}"#;
            state.apply(&foreign::read(issue, Micros(n), &RunId("f".into())));
        }
        assert_eq!(
            (state.nodes.len(), state.scores.len(), state.artifacts.len()),
            (400, 200, 500)
        );
        assert_eq!(state.left_out, 200 + 400 + 100);
        assert_eq!(
            (state.nodes[0].issues.len(), state.nodes[0].issue_count),
            (20, 1_200)
        );
    }

    #[test]
    fn the_phases_of_a_run_are_what_its_events_hold_and_bounded() {
        let given = |phases: &[String]| {
            let mut state = RunState::new(RunId("f".into()), RunKind::Foreign, Micros(0));
            for phase in phases {
                let body = format!(r#"{{"node":"n","phase":"{phase}"}}"#);
                state.apply(&foreign::read(&body, Micros(0), &RunId("f".into())));
            }
            state
        };
        let words = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
        let seen = given(&words(&[
            "start", "progress", "", "START", "progress", "end",
        ]));
        let expected: BTreeSet<String> = words(&["end", "progress", "start"]).into_iter().collect();
        assert_eq!((&seen.phases, seen.more_phases), (&expected, false));
        let most: Vec<String> = (0..PHASES_MAX).map(|n| format!("p{n}")).collect();
        let full = given(&most);
        assert_eq!((full.phases.len(), full.more_phases), (PHASES_MAX, false));
        let over = given(&[most.as_slice(), &["p0".into(), "q".into()]].concat());
        assert_eq!((&over.phases, over.more_phases), (&full.phases, true));
        let long = given(&["x".repeat(PHASE_CHARS_MAX), "y".repeat(PHASE_CHARS_MAX + 1)]);
        assert_eq!((long.phases.len(), long.more_phases), (1, true));
    }

    #[test]
    fn an_interruption_ends_a_run_at_any_step_and_an_ended_run_stays_ended() {
        for step in Step::ALL {
            let mut state = run(&[(step.node(), Phase::Start)]);
            let mut interrupted = event(step.node(), Phase::Fail, 5);
            interrupted.issues.push(Issue {
                code: INTERRUPTED.into(),
                severity: crate::event::Severity::Error,
                message: String::new(),
                hint: None,
            });
            state.apply(&interrupted);
            assert_eq!(state.status, RunStatus::Failed, "{step:?}");
            let mut finished = run(&[("SCORE", Phase::End)]);
            finished.apply(&interrupted);
            assert_eq!(finished.status, RunStatus::Finished, "{step:?}");
        }
    }
}
