//! Reading the events of other systems (SPEC C8, D2): whatever JSON a body is, it becomes an [`EventBody`].
//!
//! The vocabulary is that of SPEC *Words*: `node, phase, duration_ms, metrics, issues`, with the spellings that
//! workflow systems use for the three phases. What is of another shape is left out of this reading and stays in the
//! verbatim body, which the log keeps; so nothing here fails and nothing is lost.

use crate::{
    event::{EventBody, Fact, Issue, Phase, Severity},
    ids::RunId,
    time::Micros,
};
use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};
use std::{borrow::Cow, collections::BTreeMap};

/// Issues that are read of an event; further ones stay in its body.
const ISSUES_MAX: usize = 50;
/// Characters of a name of a node, or a phase; the rest is cut with a mark.
const NAME_CHARS_MAX: usize = 120;
/// Characters of an issue's message; the rest is cut with a mark.
const MESSAGE_CHARS_MAX: usize = 500;

/// Spellings of the phases, lower case: those of Prefect 3, OpenLineage 1, Airflow, dbt, GitHub's webhooks and CDEvents.
const PHASES: [(&str, Phase); 24] = [
    ("start", Phase::Start),
    ("started", Phase::Start),
    ("begin", Phase::Start),
    ("running", Phase::Start),
    ("in_progress", Phase::Start),
    ("end", Phase::End),
    ("ended", Phase::End),
    ("finish", Phase::End),
    ("finished", Phase::End),
    ("complete", Phase::End),
    ("completed", Phase::End),
    ("done", Phase::End),
    ("success", Phase::End),
    ("succeeded", Phase::End),
    ("pass", Phase::End),
    ("passed", Phase::End),
    ("fail", Phase::Fail),
    ("failed", Phase::Fail),
    ("failure", Phase::Fail),
    ("error", Phase::Fail),
    ("errored", Phase::Fail),
    ("crashed", Phase::Fail),
    ("abort", Phase::Fail),
    ("aborted", Phase::Fail),
];

/// Names of nodes, lower case, that mean the run as a whole; so does no name.
const WHOLE_RUN: [&str; 4] = ["", "run", "workflow", "pipeline"];

/// Whether an event of this node is about its run as a whole: `start` begins it, `end` and `fail` end it.
pub fn is_whole_run(node: &str) -> bool {
    WHOLE_RUN.iter().any(|name| node.eq_ignore_ascii_case(name))
}

/// What is looked at; values of another type count as absent.
#[derive(Deserialize, Default)]
struct Body<'a> {
    #[serde(borrow, default)]
    node: Option<&'a RawValue>,
    #[serde(borrow, default)]
    phase: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "type")]
    kind: Option<&'a RawValue>,
    #[serde(borrow, default)]
    event: Option<&'a RawValue>,
    #[serde(borrow, default)]
    duration_ms: Option<&'a RawValue>,
    #[serde(borrow, default)]
    metrics: Option<&'a RawValue>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
    #[serde(borrow, default)]
    issues: Option<&'a RawValue>,
    #[serde(borrow, default)]
    fact: Option<&'a RawValue>,
}

/// A text or a number as a word.
fn word(raw: Option<&RawValue>) -> Option<String> {
    let text = raw?.get();
    match text.as_bytes().first()? {
        b'"' => {
            let word: Cow<'_, str> = serde_json::from_str(text).ok()?;
            Some(cut(word.trim(), NAME_CHARS_MAX))
        }
        b'-' | b'0'..=b'9' => Some(cut(text, NAME_CHARS_MAX)),
        _ => None,
    }
}

fn value(raw: Option<&RawValue>) -> Option<Value> {
    serde_json::from_str(raw?.get()).ok()
}

/// Members of `metrics` that say something of the run itself; see [`scores`], [`artifacts`] and [`expects`].
const OF_THE_RUN: [&str; 3] = ["\"scores\"", "\"artifacts\"", "\"expects\""];

/// The event of `run` that a body is, at the time that its envelope says.
pub fn read(body: &str, ts: Micros, run: &RunId) -> EventBody {
    read_as(body, ts, run, |_| true)
}

/// As [`read`], but with metrics only where they say something of the run itself: all that the reducer looks at.
pub fn skim(body: &str, ts: Micros, run: &RunId) -> EventBody {
    read_as(body, ts, run, |metrics| {
        // A name may also be written with escapes.
        metrics.contains('\\') || OF_THE_RUN.iter().any(|name| metrics.contains(name))
    })
}

fn read_as(body: &str, ts: Micros, run: &RunId, wanted: impl Fn(&str) -> bool) -> EventBody {
    let read: Body<'_> = match body.trim_start().starts_with('{') {
        true => serde_json::from_str(body).unwrap_or_default(),
        // A struct would also read from an array.
        false => Body::default(),
    };
    let node = word(read.node);
    let typed = match node.is_none() && read.metrics.is_none() {
        true => word(read.kind).or_else(|| word(read.event)),
        false => None,
    };
    // A typed message (SPEC C12 b) is of its type's node, and its data are its metrics.
    let is_typed = typed.is_some();
    let metrics = read.metrics.or(read.data.filter(|_| is_typed));
    let metrics = metrics.filter(|metrics| wanted(metrics.get()));
    EventBody {
        ts: ts.sane(),
        run_id: run.clone(),
        node: typed.or(node).unwrap_or_default(),
        phase: phase(word(read.phase), is_typed),
        duration_ms: value(read.duration_ms).as_ref().and_then(duration),
        metrics: match value(metrics) {
            Some(Value::Object(members)) => members.into_iter().collect(),
            _ => BTreeMap::new(),
        },
        issues: issues(value(read.issues)),
        fact: read
            .fact
            .and_then(|fact| serde_json::from_str::<Box<Fact>>(fact.get()).ok()),
    }
}

fn phase(word: Option<String>, is_typed: bool) -> Phase {
    let Some(word) = word.filter(|word| !word.is_empty()) else {
        return Phase::Other(if is_typed { "message" } else { "" }.into());
    };
    let known = PHASES
        .iter()
        .find(|(name, _)| word.eq_ignore_ascii_case(name));
    match known {
        Some((_, phase)) => phase.clone(),
        None => Phase::from(word.as_str()),
    }
}

fn duration(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.filter(|ms: &f64| ms.is_finite() && *ms >= 0.0)
}

fn issues(value: Option<Value>) -> Vec<Issue> {
    let list = match value {
        Some(Value::Array(list)) => list,
        Some(Value::Null) | None => return Vec::new(),
        // One that is not in a list is one all the same.
        Some(one) => vec![one],
    };
    list.into_iter()
        .take(ISSUES_MAX)
        .filter_map(|one| issue(&one))
        .collect()
}

fn issue(value: &Value) -> Option<Issue> {
    match value {
        Value::String(text) if text.trim().is_empty() => None,
        Value::String(text) => Some(Issue::new("issue", Severity::Warning, shown(text), None)),
        Value::Object(members) => Some(issue_of(members, value)),
        Value::Null => None,
        other => Some(Issue::new(
            "issue",
            Severity::Warning,
            shown(&other.to_string()),
            None,
        )),
    }
}

fn issue_of(members: &Map<String, Value>, whole: &Value) -> Issue {
    let text = |names: &[&str]| {
        let found = names.iter().filter_map(|name| members.get(*name));
        let mut texts = found.filter_map(Value::as_str).map(str::trim);
        texts.find(|text| !text.is_empty()).map(shown)
    };
    let severity = text(&["severity", "level"]).map_or(Severity::Warning, |word| severity(&word));
    let code = text(&["code", "rule", "id"]).unwrap_or_else(|| "issue".into());
    let message = text(&["message", "title", "text", "detail"]);
    let message = message.unwrap_or_else(|| shown(&whole.to_string()));
    Issue::new(&code, severity, message, text(&["hint"]).as_deref())
}

fn severity(word: &str) -> Severity {
    match word.to_ascii_lowercase().as_str() {
        "info" | "information" | "notice" | "debug" | "low" => Severity::Info,
        "error" | "critical" | "fatal" | "high" | "blocker" => Severity::Error,
        _ => Severity::Warning,
    }
}

fn shown(text: &str) -> String {
    cut(text.trim(), MESSAGE_CHARS_MAX)
}

fn cut(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// The node of a typed message that tells of a change of status (SPEC C12 b).
pub const STATUS_CHANGE: &str = "application:status_change";

/// Where the status of an application went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusChange {
    /// What it is about, in the message's words; empty if it does not say.
    pub what: String,
    /// The status before.
    pub from: Option<String>,
    /// The status now.
    pub to: Option<String>,
}

/// The change of status that an event tells of (see [`STATUS_CHANGE`]); members that other systems use are read too.
pub fn status_change(event: &EventBody) -> Option<StatusChange> {
    if event.node != STATUS_CHANGE {
        return None;
    }
    let text = |names: &[&str]| {
        let found = names.iter().filter_map(|name| event.metrics.get(*name));
        let mut texts = found.filter_map(|value| match value {
            Value::String(text) => Some(shown(text)),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        });
        texts.find(|text| !text.is_empty())
    };
    let title = text(&["title", "job_title", "position"]);
    let company = text(&["company", "company_name"]);
    let id = || text(&["application", "application_id", "id"]);
    let what = match (title, company) {
        (Some(title), Some(company)) => format!("{title} \u{b7} {company}"),
        (title, company) => title.or(company).or_else(id).unwrap_or_default(),
    };
    Some(StatusChange {
        what,
        from: text(&["from", "old_status", "previous_status"]),
        to: text(&["to", "new_status", "status"]),
    })
}

/// A file or table that a node left behind (`metrics.artifacts`, SPEC D2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Its name.
    pub name: String,
    /// Its version, as the source writes it; empty if it names none.
    pub version: String,
    /// Where it is.
    pub uri: Option<String>,
    /// The SHA-256 of its bytes, in hexadecimal.
    pub sha256: Option<String>,
}

/// The scores of an event (`metrics.scores`): a number each, or an object with a `value`.
pub fn scores(event: &EventBody) -> impl Iterator<Item = (&String, f64)> {
    let scores = event.metrics.get("scores").and_then(Value::as_object);
    scores.into_iter().flatten().filter_map(|(name, value)| {
        let value = value.as_f64().or_else(|| value.get("value")?.as_f64())?;
        Some((name, value))
    })
}

/// The artifacts of an event (`metrics.artifacts`); entries without a name are left out.
pub fn artifacts(event: &EventBody) -> impl Iterator<Item = Named> {
    let list = event.metrics.get("artifacts").and_then(Value::as_array);
    list.into_iter().flatten().filter_map(|one| {
        let text = |member: &str| match one.get(member) {
            Some(Value::String(text)) if !text.is_empty() => Some(shown(text)),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        };
        Some(Named {
            name: one
                .as_str()
                .map(shown)
                .or_else(|| text("name"))
                .filter(|name| !name.is_empty())?,
            version: text("version").unwrap_or_default(),
            uri: text("uri"),
            sha256: text("sha256"),
        })
    })
}

/// What a node should leave behind (`metrics.expects`): names, or objects with a `name`.
pub fn expects(event: &EventBody) -> impl Iterator<Item = String> {
    let list = event.metrics.get("expects").and_then(Value::as_array);
    list.into_iter().flatten().filter_map(|one| {
        let name = one.as_str().or_else(|| one.get("name")?.as_str())?;
        Some(shown(name)).filter(|name| !name.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(body: &str) -> EventBody {
        read(body, Micros(7), &RunId("feed:1/run/a".into()))
    }

    #[test]
    fn the_usual_members_are_read_whatever_their_spelling() {
        let event = event(
            r#"{"ts":"2026-01-01T00:00:00Z","run_id":9,"node":"COMPOSE","phase":"Completed","duration_ms":"8800",
                "metrics":{"bpm":92,"scores":{"hook":0.81,"rhyme":{"value":0.43},"odd":"x"},
                "artifacts":[{"name":"song.mid","version":2,"uri":"s3://x"},{"version":1},"notes.txt"],
                "expects":["song.mid",{"name":"lyrics"},3]},
                "issues":["Rhyme is low",{"severity":"CRITICAL","code":"bridge","title":"missing bridge"},null,{"x":1}]}"#,
        );
        assert_eq!((event.ts, event.node.as_str()), (Micros(7), "COMPOSE"));
        assert_eq!(
            (&event.phase, event.duration_ms),
            (&Phase::End, Some(8_800.0))
        );
        let scores: Vec<_> = scores(&event)
            .map(|(name, value)| (name.as_str(), value))
            .collect();
        assert_eq!(scores, [("hook", 0.81), ("rhyme", 0.43)]);
        let names: Vec<_> = artifacts(&event)
            .map(|one| (one.name, one.version))
            .collect();
        assert_eq!(
            names,
            [
                ("song.mid".into(), "2".into()),
                ("notes.txt".into(), String::new())
            ]
        );
        assert_eq!(expects(&event).collect::<Vec<_>>(), ["song.mid", "lyrics"]);
        let issues: Vec<_> = event
            .issues
            .iter()
            .map(|i| (i.code.as_str(), i.severity, i.message.as_str()))
            .collect();
        assert_eq!(
            issues,
            [
                ("issue", Severity::Warning, "Rhyme is low."),
                ("bridge", Severity::Error, "Missing bridge."),
                ("issue", Severity::Warning, "{\"x\":1}."),
            ]
        );
    }

    #[test]
    fn anything_else_is_a_generic_event() {
        for body in [
            "1",
            "null",
            "[1,2]",
            "\"text\"",
            "{",
            "",
            "{\"node\":{},\"phase\":[],\"issues\":7,\"metrics\":\"x\"}",
            "{\"node\":null,\"duration_ms\":-1}",
        ] {
            let event = event(body);
            assert_eq!(event.node, "", "{body}");
            assert!(matches!(event.phase, Phase::Other(_)), "{body}");
            assert_eq!(event.duration_ms, None, "{body}");
        }
        assert!(is_whole_run("") && is_whole_run("Workflow") && !is_whole_run("LOAD"));
    }

    #[test]
    fn what_is_skimmed_says_the_same_of_the_run() {
        let run = RunId("feed:1/run/a".into());
        for body in [
            r#"{"node":"A","phase":"end","metrics":{"rows":4,"scores":{"hook":0.5}},"issues":["x"]}"#,
            r#"{"node":"A","phase":"end","metrics":{"sc\u006fres":{"hook":0.5}}}"#,
            r#"{"node":"A","metrics":{"artifacts":["a"],"expects":["b"]}}"#,
            r#"{"type":"t","data":{"x":1}}"#,
        ] {
            let (whole, skimmed) = (read(body, Micros(1), &run), skim(body, Micros(1), &run));
            assert_eq!(
                scores(&whole).collect::<Vec<_>>(),
                scores(&skimmed).collect::<Vec<_>>()
            );
            assert_eq!(
                artifacts(&whole).collect::<Vec<_>>(),
                artifacts(&skimmed).collect::<Vec<_>>()
            );
            assert_eq!(
                expects(&whole).collect::<Vec<_>>(),
                expects(&skimmed).collect::<Vec<_>>()
            );
            let bare = |event: EventBody| EventBody {
                metrics: BTreeMap::new(),
                ..event
            };
            assert_eq!(bare(whole), bare(skimmed));
        }
    }

    #[test]
    fn a_typed_message_is_of_its_types_node() {
        let event = event(r#"{"event":"job:recommendation","data":{"title":"Baker","score":0.9}}"#);
        assert_eq!(event.node, "job:recommendation");
        assert_eq!(event.phase, Phase::Other("message".into()));
        assert_eq!(event.metrics["title"], "Baker");
    }

    #[test]
    fn a_change_of_status_is_read_from_what_the_message_says() {
        for (data, what, from, to) in [
            (
                r#"{"application":"a-7","from":"sent","to":"interview"}"#,
                "a-7",
                Some("sent"),
                Some("interview"),
            ),
            (
                r#"{"id":7,"title":"Baker","company":"Mill","old_status":" sent ","new_status":"offer"}"#,
                "Baker \u{b7} Mill",
                Some("sent"),
                Some("offer"),
            ),
            (
                r#"{"company":"Mill","title":"","status":"accepted"}"#,
                "Mill",
                None,
                Some("accepted"),
            ),
            (r#"{"from":{},"to":[]}"#, "", None, None),
            ("7", "", None, None),
        ] {
            let body = format!(r#"{{"event":"{STATUS_CHANGE}","data":{data}}}"#);
            let change = status_change(&event(&body)).unwrap();
            let read = (
                change.what.as_str(),
                change.from.as_deref(),
                change.to.as_deref(),
            );
            assert_eq!(read, (what, from, to), "{data}");
        }
        assert_eq!(
            status_change(&event(r#"{"event":"notification:new","data":{}}"#)),
            None
        );
        assert_eq!(
            status_change(&event(r#"{"node":"application:status","phase":"end"}"#)),
            None
        );
    }

    #[test]
    fn long_names_are_cut() {
        let body = format!(r#"{{"node":"{}"}}"#, "é".repeat(10_000));
        assert_eq!(event(&body).node.chars().count(), NAME_CHARS_MAX + 1);
    }
}
