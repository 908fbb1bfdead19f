//! The run reducer: a run's state as its events tell it, ours and foreign ones alike.

use crate::{
    assess::{Assessment, Signal},
    event::{EventBody, Fact, Issue, Phase, Step},
    ids::{CaptureId, CommitId, PostingId, RunId},
    receipt::{Outcome, Receipt},
    time::Micros,
    value::FieldKey,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A run's state. A projection: thrown away and rebuilt from its events with the same result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunState {
    /// Whose.
    pub run_id: RunId,
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
    /// The fields seen so far, whatever stands in them in the end (see
    /// [`RunState::fields_found`]).
    pub fields_seen: BTreeSet<FieldKey>,
    /// Signals found.
    pub signals: Vec<Signal>,
    /// What the signals add up to, once assessed.
    pub assessment: Option<Assessment>,
    /// The receipt, once validated.
    pub receipt: Option<Receipt>,
    /// The commit that named the winners, if any changed.
    pub commit: Option<CommitId>,
    /// Why it failed, if it did.
    pub failure: Option<Failure>,
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
}

impl RunStatus {
    /// The word used in files.
    pub fn word(self) -> &'static str {
        match self {
            RunStatus::Running => "running",
            RunStatus::Finished => "finished",
            RunStatus::Failed => "failed",
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
    /// What went wrong or deserves a look.
    pub issues: Vec<Issue>,
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
    /// The state before the first event.
    pub fn new(run_id: RunId, started: Micros) -> Self {
        Self {
            run_id,
            status: RunStatus::Running,
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
            fields_seen: BTreeSet::new(),
            signals: Vec::new(),
            assessment: None,
            receipt: None,
            commit: None,
            failure: None,
        }
    }

    /// Applies the next event of the run's stream.
    pub fn apply(&mut self, event: &EventBody) {
        self.events += 1;
        self.updated = self.updated.max(event.ts);
        self.apply_node(event);
        if let Some(fact) = &event.fact {
            self.apply_fact(fact);
        }
        // What has ended stays ended: two processes may both find a dead one's run.
        if self.ended.is_some() {
            return;
        }
        if event.phase == Phase::Fail && ends_the_run(event) {
            self.fail(event);
        }
        if event.phase == Phase::End && event.node == Step::Score.node() {
            self.status = RunStatus::Finished;
            self.ended = Some(event.ts);
        }
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

    fn apply_node(&mut self, event: &EventBody) {
        let at = self
            .nodes
            .iter()
            .position(|n| n.node == event.node)
            .unwrap_or_else(|| {
                self.nodes.push(NodeState {
                    node: event.node.clone(),
                    status: NodeStatus::Running,
                    started: event.ts,
                    duration_ms: None,
                    issues: Vec::new(),
                });
                self.nodes.len() - 1
            });
        let node = &mut self.nodes[at];
        match event.phase {
            Phase::Start => {
                node.status = NodeStatus::Running;
                node.started = event.ts;
                node.duration_ms = None;
            }
            Phase::End => node.status = NodeStatus::Done,
            Phase::Fail => node.status = NodeStatus::Failed,
            Phase::Field | Phase::Signal | Phase::Other(_) => {}
        }
        if matches!(event.phase, Phase::End | Phase::Fail) {
            node.duration_ms = event.duration_ms;
        }
        node.issues.extend(event.issues.iter().cloned());
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
                self.input.clone_from(input);
                self.location.clone_from(location);
                self.index = *index;
                self.pipeline.clone_from(pipeline);
                self.process.clone_from(process);
            }
            Fact::Captured { capture } => self.capture = Some(*capture),
            Fact::Parsed {
                capture, posting, ..
            } => {
                self.capture = Some(*capture);
                self.posting = Some(*posting);
            }
            Fact::Observed(observation) => {
                self.fields_seen.insert(observation.field.clone());
            }
            Fact::Signalled(signal) => self.signals.push(signal.clone()),
            Fact::Received(receipt) => self.receipt = Some(receipt.clone()),
            Fact::Assessed { assessment, commit } => {
                self.assessment = Some(*assessment);
                self.commit = *commit;
            }
        }
    }

    fn fail(&mut self, event: &EventBody) {
        self.status = RunStatus::Failed;
        self.ended = Some(event.ts);
        let issue = event.issues.first().cloned().unwrap_or_else(|| Issue {
            code: "failed".into(),
            severity: crate::event::Severity::Error,
            message: format!("The step {} failed without saying why.", event.node),
            hint: None,
        });
        self.failure = Some(Failure {
            node: event.node.clone(),
            issue,
        });
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
        let mut state = RunState::new(RunId("r".into()), Micros(0));
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
