//! The JSON of every type that is stored or sent, one file each in `tests/stored/`. What a disk
//! holds must be read by every later version: a file that changes is a decision, never an accident.
//!
//! After a wanted change: `GHOSTLIGHT_UPDATE=1 cargo test -p ghostlight-model --test stored`, then
//! look at the difference. If older files must still be read, keep the old file under another name
//! and add it to [`older_forms_are_still_read`].
#![allow(clippy::unwrap_used)]

use ghostlight_model::{
    Amount, Assessment, CaptureId, CommitId, ContentHash, Day, Direction, Epoch, EventBody,
    Evidence, Family, FieldKey, FieldValue, Issue, Layer, Level, Method, Micros, Observation,
    ObservationId, Offset, Period, Phase, Place, PostingId, RunId, Salary, Severity, Signal,
    Source, Step, Strength,
    bundle::{
        BranchPiece, BranchesPiece, CapturePiece, CommitPiece, EventPiece, ObservationPiece,
        PostingPiece, StreamPiece,
    },
    card::{Alternative, Card, CardField, Chosen, FieldState, RecordedOutcome, Verdict},
    commit::{AuthorId, Clock, Commit, Conflict, FieldChange, Purpose},
    event::{Fact, ModelUse},
    fuse::LostBecause,
    keys::PostingKey,
    observation::Confidence,
    receipt::{FieldReceipt, LookResult, Looked, Outcome, Receipt},
    run::{
        Artifact, Attempt, Failure, NodeState, NodeStatus, RunKind, RunLine, RunState, RunStatus,
        Score,
    },
};
use serde::{Serialize, de::DeserializeOwned};
use std::{collections::BTreeMap, fmt::Debug, path::Path};

const T0: Micros = Micros(1_767_571_200_000_000);

/// `value` is written as the file says, and the file is read as `value`.
fn check<T: Serialize + DeserializeOwned + PartialEq + Debug>(name: &str, value: &T) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/stored/{name}.json"));
    let written = serde_json::to_string_pretty(value).unwrap() + "\n";
    if std::env::var_os("GHOSTLIGHT_UPDATE").is_some() {
        std::fs::write(&path, &written).unwrap();
    }
    let recorded = std::fs::read_to_string(&path).unwrap_or_default();
    let recorded = recorded.replace("\r\n", "\n");
    assert!(
        written == recorded,
        "The stored form of {name} is not the one in tests/stored. If it should have changed: \
         GHOSTLIGHT_UPDATE=1 cargo test -p ghostlight-model --test stored\nFound:\n{written}"
    );
    let read: T = serde_json::from_str(&recorded).unwrap();
    assert_eq!(&read, value, "{name}");
}

fn capture() -> CaptureId {
    CaptureId([0xca; 16])
}

fn posting() -> PostingId {
    PostingId([0xb0; 16])
}

fn run() -> RunId {
    RunId("01KE6Q0M5N7D8W3J4Y2A9ZBCDE".into())
}

fn evidence() -> Evidence {
    Evidence {
        layer: Layer::Source,
        start: 120,
        end: 131,
        quote: "Lamplighter".into(),
        pointer: Some("/title".into()),
    }
}

fn observation(field: FieldKey, value: FieldValue, method: Method) -> Observation {
    Observation {
        field,
        value,
        confidence: Confidence::new(930),
        source: Source::Parsing,
        method,
        evidence: Some(evidence()),
        capture: capture(),
        ts: T0,
    }
}

fn title() -> Observation {
    observation(
        FieldKey::Title,
        FieldValue::Text("Lamplighter".into()),
        Method::JsonLd,
    )
}

fn event(step: Step, phase: Phase, fact: Option<Fact>) -> EventBody {
    EventBody {
        ts: T0,
        run_id: run(),
        node: step.node().into(),
        phase,
        duration_ms: None,
        metrics: BTreeMap::new(),
        issues: vec![],
        fact: fact.map(Box::new),
    }
}

fn signal() -> Signal {
    Signal {
        id: "valid_through_passed".into(),
        family: Family::Dates,
        strength: Strength::Strong,
        direction: Direction::Against,
        statement: "The posting was valid until 2025-12-31.".into(),
        evidence: Some(evidence()),
        rule: "A day of validity that has passed.".into(),
        rule_source: "schema.org validThrough".into(),
        would_change: "A later day on the employer's page.".into(),
    }
}

fn assessment() -> Assessment {
    Assessment {
        level: Level::SomeDoubt,
        score: 56,
        independent_signals: 2,
    }
}

fn model_use() -> ModelUse {
    ModelUse {
        model: "small-1".into(),
        asked: vec![FieldKey::Seniority],
        tokens_in: Some(1_200),
        tokens_out: None,
        cost_millionths: Some(228),
    }
}

fn looked() -> Vec<Looked> {
    let reason = LookResult::Skipped("there is no page data".into());
    [
        (Method::JsonLd, LookResult::Found(2)),
        (Method::Microdata, reason),
        (Method::Pattern, LookResult::Nothing),
        (Method::Model, LookResult::Failed("no answer".into())),
    ]
    .map(|(method, result)| Looked { method, result })
    .into()
}

fn receipt() -> Receipt {
    let line = |field, outcome, reason: Option<&str>| FieldReceipt {
        field,
        outcome,
        looked: looked(),
        reason: reason.map(Into::into),
    };
    Receipt {
        fields: vec![
            line(FieldKey::Title, Outcome::Found, None),
            line(FieldKey::Company, Outcome::Conflict, None),
            line(
                FieldKey::Salary,
                Outcome::NotFound,
                Some("\"competitive pay\""),
            ),
        ],
    }
}

fn issue() -> Issue {
    Issue {
        code: "login_wall".into(),
        severity: Severity::Error,
        message: "The page asks for a password.".into(),
        hint: Some("Save the page in your browser and drop the file.".into()),
    }
}

fn salary() -> FieldValue {
    FieldValue::Salary(Salary {
        min: Amount::from_units(48_000),
        max: Amount::from_f64(55_000.5),
        currency: Some("EUR".into()),
        period: Some(Period::Year),
        bonus: Some("10 %".into()),
        equity: None,
        on_target: None,
    })
}

/// A value of each kind, under a field it fits.
fn values() -> Vec<(FieldKey, FieldValue)> {
    let place = Place {
        city: Some("Lyon".into()),
        region: None,
        country: Some("FR".into()),
        text: "Lyon, France".into(),
    };
    vec![
        (FieldKey::Title, FieldValue::Text("Lamplighter".into())),
        (FieldKey::Remote, FieldValue::Choice("hybrid".into())),
        (
            FieldKey::Skills,
            FieldValue::List(vec!["wicks".into(), "ladders".into()]),
        ),
        (FieldKey::Location, FieldValue::Places(vec![place])),
        (FieldKey::Salary, salary()),
        (
            FieldKey::PostedAt,
            FieldValue::Date(Day::new(2026, 1, 5).unwrap()),
        ),
        (
            FieldKey::ApplyUrl,
            FieldValue::Url("https://jobs.example/7".into()),
        ),
        (
            FieldKey::Custom("team size".into()),
            FieldValue::Number(Amount::from_ten_thousandths(75_000)),
        ),
    ]
}

#[test]
fn events_with_each_fact() {
    let keys = vec![
        PostingKey::Ats {
            vendor: "lever".into(),
            board: "oriel".into(),
            job: "7".into(),
        },
        PostingKey::Url("https://jobs.example/7".into()),
        PostingKey::Text(ContentHash([0x7e; 32])),
    ];
    let started = Fact::Started {
        input: "lamplighter.html".into(),
        location: Some("https://jobs.example/7".into()),
        index: 0,
        pipeline: "ghostlight 0.1.0".into(),
        process: "4711-1767571200".into(),
    };
    let parsed = Fact::Parsed {
        capture: capture(),
        posting: posting(),
        keys,
        language: Some("en".into()),
        fingerprint: Some(u64::MAX - 7),
    };
    let answered = Fact::Answered {
        usage: model_use(),
        answer: "{\"seniority\": null}".into(),
    };
    let assessed = Fact::Assessed {
        assessment: assessment(),
        commit: Some(CommitId([0xc0; 32])),
    };
    for (name, step, phase, fact) in [
        ("event-started", Step::Fetch, Phase::Start, started),
        (
            "event-captured",
            Step::Fetch,
            Phase::End,
            Fact::Captured { capture: capture() },
        ),
        ("event-parsed", Step::Parse, Phase::End, parsed),
        (
            "event-observed",
            Step::Extract,
            Phase::Field,
            Fact::Observed(title()),
        ),
        (
            "event-signalled",
            Step::Score,
            Phase::Signal,
            Fact::Signalled(signal()),
        ),
        ("event-answered", Step::Enrich, Phase::End, answered),
        (
            "event-received",
            Step::Validate,
            Phase::End,
            Fact::Received(receipt()),
        ),
        ("event-assessed", Step::Score, Phase::End, assessed),
    ] {
        check(name, &event(step, phase, Some(fact)));
    }
}

#[test]
fn events_without_facts() {
    check("event-plain", &event(Step::Detect, Phase::Start, None));
    let failed = EventBody {
        duration_ms: Some(12.5),
        metrics: BTreeMap::from([
            ("bytes".into(), 1_024.into()),
            ("host".into(), "jobs.example".into()),
        ]),
        issues: vec![issue()],
        ..event(Step::Fetch, Phase::Fail, None)
    };
    check("event-failed", &failed);
    let foreign = EventBody {
        node: "nightly-scrape".into(),
        ..event(Step::Fetch, Phase::Other("retrying".into()), None)
    };
    check("event-foreign", &foreign);
}

#[test]
fn observations_of_each_kind_of_value() {
    let all: Vec<Observation> = values()
        .into_iter()
        .zip(Method::AUTOMATIC.into_iter().chain([Method::Manual]))
        .map(|((field, value), method)| observation(field, value, method))
        .collect();
    assert_eq!(all.len(), 8, "one of each kind and each method");
    check("observations", &all);
    let ungrounded = Observation {
        source: Source::Ai,
        evidence: None,
        ..title()
    };
    check("observation-ungrounded", &ungrounded);
}

#[test]
fn commits() {
    let changes = values().into_iter().map(|(field, value)| FieldChange {
        field,
        old: None,
        new: Some(value),
        confidence: Confidence::new(930),
        source: Source::Parsing,
        method: Method::JsonLd,
        observation: Some(ObservationId([0x0b; 16])),
    });
    let clock = |counter| Clock { wall: T0, counter };
    let machine = Commit {
        posting: posting(),
        parents: vec![],
        author: AuthorId("pipeline@0.1.0".into()),
        clock: clock(0),
        message: "first reading".into(),
        changes: changes.collect(),
        purpose: Purpose::Plain,
        settled: vec![],
    };
    let withdrawal = FieldChange {
        field: FieldKey::Verdict,
        old: Some(FieldValue::Choice("ghost".into())),
        new: None,
        confidence: Confidence::FULL,
        source: Source::User,
        method: Method::Manual,
        observation: None,
    };
    let person = Commit {
        posting: posting(),
        parents: vec![machine.id()],
        author: AuthorId("person-7".into()),
        clock: clock(1),
        message: "they answered after all".into(),
        changes: vec![withdrawal],
        purpose: Purpose::Plain,
        settled: vec![],
    };
    check("commit-machine", &machine);
    check("commit-person", &person);
    let undo = Commit {
        purpose: Purpose::Undo(machine.id()),
        ..person.clone()
    };
    let merge = Commit {
        purpose: Purpose::Merge,
        settled: vec![Conflict {
            field: FieldKey::Title,
            bases: vec![None],
            sides: vec![
                (machine.id(), Some(FieldValue::Text("Lamplighter".into()))),
                (person.id(), None),
            ],
        }],
        ..person.clone()
    };
    check("commit-undo", &undo);
    check("commit-merge", &merge);
    // The id survives the way to the disk and back.
    let text = serde_json::to_string(&machine).unwrap();
    assert_eq!(
        serde_json::from_str::<Commit>(&text).unwrap().id(),
        machine.id()
    );
}

#[test]
fn run_states() {
    check("run-new", &RunState::new(run(), RunKind::Own, T0));
    let node = |step: Step, status| NodeState {
        node: step.node().into(),
        status,
        started: T0,
        duration_ms: Some(12.5),
        issues: vec![issue()],
        issue_count: 3,
        updated: T0,
        attempts: 2,
        expects: vec!["card.json".into()],
        ended: vec![Attempt {
            number: 1,
            duration_ms: Some(9.5),
            failed: true,
        }],
    };
    let finished = RunState {
        status: RunStatus::Finished,
        input: "lamplighter.html".into(),
        location: Some("https://jobs.example/7".into()),
        pipeline: "ghostlight 0.1.0".into(),
        process: "4711-1767571200".into(),
        capture: Some(capture()),
        posting: Some(posting()),
        ended: Some(T0),
        nodes: vec![
            node(Step::Fetch, NodeStatus::Done),
            node(Step::Parse, NodeStatus::Running),
            node(Step::Enrich, NodeStatus::Failed),
            node(Step::Score, NodeStatus::Waiting),
        ],
        events: 9,
        fields_seen: [FieldKey::Title].into(),
        signals: vec![signal()],
        assessment: Some(assessment()),
        model: Some(model_use()),
        receipt: Some(receipt()),
        commit: Some(CommitId([0xc0; 32])),
        ..RunState::new(run(), RunKind::Own, T0)
    };
    check("run-finished", &finished);
    let failed = RunState {
        status: RunStatus::Failed,
        failure: Some(Failure {
            node: "FETCH".into(),
            issue: issue(),
        }),
        ..RunState::new(run(), RunKind::Own, T0)
    };
    check("run-failed", &failed);
    let foreign = RunState {
        scores: [(
            "coverage".into(),
            Score {
                value: 0.5,
                before: Some(0.25),
                node: "LOAD".into(),
                ts: T0,
            },
        )]
        .into(),
        artifacts: vec![Artifact {
            node: "LOAD".into(),
            name: "rows.csv".into(),
            version: "2".into(),
            uri: Some("s3://rows.csv".into()),
            sha256: None,
        }],
        left_out: 4,
        ..RunState::new(RunId("feed:3fa1/run/7".into()), RunKind::Foreign, T0)
    };
    check("run-foreign", &foreign);
    check("run-line", &RunLine::of(&failed));
}

#[test]
fn card_fields_in_each_state() {
    let field = |state, chosen: Option<Chosen>, because: &[LostBecause]| CardField {
        key: FieldKey::Title,
        state,
        chosen,
        alternatives: because
            .iter()
            .map(|because| Alternative {
                observation: title(),
                because: *because,
            })
            .collect(),
        looked: looked(),
        reason: None,
    };
    let machine = Chosen {
        value: FieldValue::Text("Lamplighter".into()),
        confidence: Confidence::new(930),
        source: Source::Parsing,
        method: Method::JsonLd,
        observation: Some(title()),
        author: None,
    };
    let person = Chosen {
        source: Source::User,
        method: Method::Manual,
        observation: None,
        author: Some((AuthorId("person-7".into()), T0)),
        ..machine.clone()
    };
    use LostBecause::*;
    let missing = CardField {
        reason: Some("\"competitive pay\"".into()),
        ..field(FieldState::NotFound, None, &[BreaksRule])
    };
    check("card-field-looking", &field(FieldState::Looking, None, &[]));
    let lost = [SaysTheSame, LessSure, Ungrounded];
    check(
        "card-field-found",
        &field(FieldState::Found, Some(machine.clone()), &lost),
    );
    check(
        "card-field-person",
        &field(FieldState::Found, Some(person), &[PersonDecided]),
    );
    check(
        "card-field-conflict",
        &field(FieldState::Conflict, Some(machine), &[LaterMethod]),
    );
    check("card-field-not-found", &missing);
    check("card-field-failed", &field(FieldState::Failed, None, &[]));
    let rest = Card {
        fields: vec![],
        version: 3,
        verdict: Some(Verdict {
            word: "ghost".into(),
            note: "the board says closed".into(),
            author: AuthorId("person-7".into()),
            at: T0,
        }),
        outcomes: vec![RecordedOutcome {
            word: "applied".into(),
            note: "by post".into(),
            at: T0,
        }],
    };
    check("card", &rest);
}

#[test]
fn bundle_pieces() {
    check(
        "bundle-capture",
        &CapturePiece {
            id: capture(),
            content: ContentHash([1; 32]),
            visible: Some(ContentHash([2; 32])),
            source: None,
            fetched_at: T0,
            name: "page.html".into(),
            url: None,
            final_url: Some("https://jobs.example/1".into()),
            http_status: Some(200),
            content_type: Some("text/html".into()),
        },
    );
    let keys = vec!["url:https://jobs.example/1".into()];
    let posting = posting();
    check("bundle-posting", &PostingPiece { posting, keys });
    let observation = title();
    check(
        "bundle-observation",
        &ObservationPiece {
            posting,
            observation,
        },
    );
    let epoch = Epoch(7);
    check("bundle-stream", &StreamPiece { run: run(), epoch });
    check(
        "bundle-event",
        &EventPiece {
            run: run(),
            offset: Offset(3),
            body: "{\"node\": \"FETCH\"}".into(),
        },
    );
    let commit = Commit {
        posting,
        parents: vec![],
        author: AuthorId("person-7".into()),
        clock: Clock {
            wall: T0,
            counter: 0,
        },
        message: "why".into(),
        changes: vec![],
        purpose: Purpose::Plain,
        settled: vec![],
    };
    check(
        "bundle-commit",
        &CommitPiece {
            id: commit.id(),
            key: Some("key".into()),
            commit,
        },
    );
    check(
        "bundle-branches",
        &BranchesPiece {
            posting,
            checkout: "try".into(),
            branches: ["main", "try"]
                .map(|name| BranchPiece {
                    name: name.into(),
                    head: CommitId([7; 32]),
                    created: T0,
                })
                .into(),
        },
    );
}

/// What an earlier version wrote, or another program sends: members may be missing or unknown.
#[test]
fn older_forms_are_still_read() {
    let sparse = r#"{"ts": 7, "run_id": "x", "node": "LOAD", "phase": "done", "colour": "red"}"#;
    let event: EventBody = serde_json::from_str(sparse).unwrap();
    assert_eq!(event.phase, Phase::Other("done".into()));
    assert!(event.fact.is_none() && event.issues.is_empty() && event.metrics.is_empty());
    // Written before a run knew its location.
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stored/event-started.json");
    let mut started: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    started["fact"]["started"]
        .as_object_mut()
        .unwrap()
        .remove("location")
        .unwrap();
    serde_json::from_value::<EventBody>(started).unwrap();
    // Written before a run could ask a model.
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stored/run-finished.json");
    let mut state: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    state.as_object_mut().unwrap().remove("model").unwrap();
    let state: RunState = serde_json::from_value(state).unwrap();
    assert_eq!(state.model, None);
}
