//! The object `ghostlight analyze --json` prints for a posting (DESIGN *Command line*).

use crate::Engine;
use ghostlight_api::ErrorCode;
use ghostlight_api::{
    ApiError, ViewData, ViewQuery,
    view::{CardView, Subject},
};
use ghostlight_model::{
    RunId,
    card::{Alternative, CardField, Chosen},
    run::{NodeStatus, RunState},
};
use serde_json::{Value, json};

/// How a run ended, for exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ending {
    /// A card with values.
    Found,
    /// Not a posting, or nothing found.
    NothingFound,
    /// The input could not be read.
    Unreadable,
}

/// Issues of `FETCH` and `PARSE` that say "this is no posting" rather than "this cannot be read".
const NO_POSTING: [&str; 6] = [
    "not_a_posting",
    "login_wall",
    "captcha",
    "removed",
    "error_page",
    "unknown_json",
];

impl Engine {
    /// The report of a run and how it ended.
    pub fn report(&self, run: &RunId) -> Result<(Value, Ending), ApiError> {
        let state = self.store().run(run).map_err(|e| crate::store_error(&e))?;
        let view = self.view(&ViewQuery::Card(Subject::Run(run.clone())));
        match (state, view) {
            (Some(state), ViewData::Card(card)) => Ok((report(&state, &card), ending(&state))),
            (_, ViewData::Failed(error)) => Err(error),
            _ => Err(ApiError::new(
                ErrorCode::NotFound,
                format!("Run {run} is not in the store."),
                "Analyse the posting again.",
            )),
        }
    }
}

fn ending(run: &RunState) -> Ending {
    match &run.failure {
        Some(failure) if NO_POSTING.contains(&failure.issue.code.as_str()) => Ending::NothingFound,
        Some(_) => Ending::Unreadable,
        None if run.fields_found() == 0 => Ending::NothingFound,
        None => Ending::Found,
    }
}

fn report(run: &RunState, card: &CardView) -> Value {
    let fields: serde_json::Map<String, Value> = card
        .fields
        .iter()
        .map(|f| (f.key.name().to_owned(), field(f)))
        .collect();
    let issues: Vec<Value> = run
        .nodes
        .iter()
        .flat_map(|node| node.issues.iter().map(move |issue| (node, issue)))
        .map(|(node, issue)| {
            json!({
                "node": node.node, "code": issue.code, "severity": issue.severity,
                "message": issue.message, "hint": issue.hint,
            })
        })
        .collect();
    json!({
        "posting_id": card.posting,
        "run_id": run.run_id,
        "input": { "source": run.input, "index": run.index },
        "fields": fields,
        "signals": card.signals,
        "assessment": run.assessment,
        "steps": run.nodes.iter().map(|node| json!({
            "node": node.node, "phase": phase(node.status), "duration_ms": node.duration_ms,
        })).collect::<Vec<_>>(),
        "issues": issues,
    })
}

fn phase(status: NodeStatus) -> &'static str {
    match status {
        NodeStatus::Waiting | NodeStatus::Running => "start",
        NodeStatus::Done => "end",
        NodeStatus::Failed => "fail",
    }
}

fn field(field: &CardField) -> Value {
    let mut out = match &field.chosen {
        Some(chosen) => chosen_json(chosen),
        None => json!({
            "value": null, "confidence": null, "source": null, "method": null, "evidence": null,
        }),
    };
    out["state"] = json!(field.state);
    if let Some(reason) = &field.reason {
        out["reason"] = json!(reason);
    }
    out["alternatives"] = field.alternatives.iter().map(alternative).collect();
    out
}

fn chosen_json(chosen: &Chosen) -> Value {
    json!({
        "value": chosen.value.to_json(),
        "confidence": chosen.confidence,
        "source": chosen.source,
        "method": chosen.method,
        "evidence": chosen.observation.as_ref().and_then(|o| o.evidence.as_ref()),
    })
}

fn alternative(alternative: &Alternative) -> Value {
    let seen = &alternative.observation;
    json!({
        "value": seen.value.to_json(),
        "confidence": seen.confidence,
        "source": seen.source,
        "method": seen.method,
        "evidence": seen.evidence,
        "because": alternative.because,
    })
}
