//! Two runs of this computer beside each other: the fields that each found, through the view of the edge (SPEC D5).
#![allow(clippy::unwrap_used)]

#[path = "support/pasted.rs"]
mod pasted;

use ghostlight_api::{
    ErrorCode, ViewData, ViewId, ViewQuery,
    command::{EditField, FieldInput, PullViews, RegisterViews},
    view::{COMPARED_FIELDS_MAX, CardView, FieldPairRow, FieldsComparedView, Subject},
};
use ghostlight_engine::{Engine, Handle};
use ghostlight_model::{
    Confidence, EventBody, FieldKey, FieldValue, Method, Micros, Observation, Phase, RunId, Source,
    Step, card::FieldState, event::Fact,
};
use ghostlight_store::Store;
use pasted::{LAMP_KEEPER, analyze, open};
use std::{collections::BTreeMap, path::Path};

fn query(this: &RunId, other: &RunId) -> ViewQuery {
    ViewQuery::FieldsCompared {
        this: this.clone(),
        other: other.clone(),
    }
}

fn compared(engine: &Engine, this: &RunId, other: &RunId) -> FieldsComparedView {
    match engine.view(&query(this, other)) {
        ViewData::FieldsCompared(compared) => *compared,
        other => panic!("nothing compared: {other:?}"),
    }
}

fn row<'a>(seen: &'a FieldsComparedView, field: &FieldKey) -> Option<&'a FieldPairRow> {
    seen.rows.iter().find(|row| row.field == *field)
}

fn value(seen: &FieldsComparedView, field: &FieldKey) -> (Option<String>, Option<String>) {
    row(seen, field).map_or((None, None), |row| {
        (row.this.value.clone(), row.other.value.clone())
    })
}

fn event(run: &RunId, n: i64, step: Step, phase: Phase, fact: Option<Fact>) -> EventBody {
    EventBody {
        ts: Micros(1_000 + n),
        run_id: run.clone(),
        node: step.node().into(),
        phase,
        duration_ms: None,
        metrics: BTreeMap::new(),
        issues: vec![],
        fact: fact.map(Box::new),
    }
}

/// The posting and the capture of a run: another run reads the same.
struct Ground(Fact);

impl Ground {
    fn of(folder: &Path, run: &RunId) -> Self {
        let store = Store::open(folder, |_| {}).unwrap();
        let rows = store.events(run, 0, 500).unwrap().rows.into_iter();
        let mut facts = rows.filter_map(|row| row.body.fact);
        let parsed = facts.find(|fact| matches!(**fact, Fact::Parsed { .. }));
        Self(*parsed.unwrap())
    }

    fn begun(&self, run: &RunId) -> Vec<EventBody> {
        vec![
            event(run, 0, Step::Fetch, Phase::Start, None),
            event(run, 1, Step::Parse, Phase::End, Some(self.0.clone())),
            event(run, 2, Step::Detect, Phase::Start, None),
        ]
    }

    fn saw(&self, run: &RunId, n: i64, field: FieldKey, text: &str, sure: u16) -> EventBody {
        let Fact::Parsed { capture, .. } = self.0 else {
            panic!("no capture");
        };
        let seen = Observation {
            field,
            value: FieldValue::Text(text.into()),
            confidence: Confidence::new(sure),
            source: Source::Parsing,
            method: Method::Pattern,
            evidence: None,
            capture,
            ts: Micros(1_000 + n),
        };
        event(
            run,
            n,
            Step::Detect,
            Phase::Field,
            Some(Fact::Observed(seen)),
        )
    }
}

/// Writes beside the engine, as the pipeline does.
fn append(folder: &Path, run: &RunId, events: Vec<EventBody>) {
    let store = Store::open(folder, |_| {}).unwrap();
    store.append(run.stream(), events).wait().unwrap();
}

#[test]
fn a_run_under_way_is_compared_with_an_earlier_one_as_it_finds_its_fields() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    let earlier = analyze(&engine, LAMP_KEEPER);
    let live = RunId("live".into());
    let ground = Ground::of(folder.path(), &earlier);
    append(folder.path(), &live, ground.begun(&live));
    let seen = compared(&engine, &live, &earlier);
    let company = row(&seen, &FieldKey::Company).unwrap();
    assert_eq!(
        (company.this.state, company.this.value.as_deref()),
        (FieldState::Looking, None),
        "it looks still"
    );
    assert_eq!(
        company.other.value.as_deref(),
        Some("Quillmarsh Instruments")
    );
    assert!(!company.same);
    assert_eq!(
        row(&seen, &FieldKey::Custom("Equipment".into())),
        None,
        "neither has it"
    );

    append(
        folder.path(),
        &live,
        vec![
            ground.saw(&live, 3, FieldKey::Company, "Quillmarsh Instruments", 510),
            ground.saw(
                &live,
                4,
                FieldKey::Custom("Equipment".into()),
                "A lantern",
                700,
            ),
        ],
    );
    let seen = compared(&engine, &live, &earlier);
    let company = row(&seen, &FieldKey::Company).unwrap();
    assert!(company.same, "the same value");
    assert_eq!(company.this.confidence, Some(Confidence::new(510)));
    assert_ne!(company.this.confidence, company.other.confidence);
    assert_eq!(company.this.method, Some(Method::Pattern));
    let benefits = row(&seen, &FieldKey::Custom("Equipment".into())).unwrap();
    assert_eq!(benefits.this.value.as_deref(), Some("A lantern"));
    assert_eq!(
        benefits.other.value, None,
        "only one has it, and it is listed"
    );
    assert_eq!((seen.left_out, seen.looked), (0, None));
    // From the other side it is the same, turned round.
    let turned = compared(&engine, &earlier, &live);
    assert_eq!(turned.rows.len(), seen.rows.len());
    for row in &seen.rows {
        let (this, other) = value(&turned, &row.field);
        assert_eq!(
            (this, other),
            (row.other.value.clone(), row.this.value.clone())
        );
    }
}

#[test]
fn what_a_person_decided_since_is_not_what_a_run_found() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    let first = analyze(&engine, LAMP_KEEPER);
    let found = compared(&engine, &first, &first);
    let ViewData::Card(card) = engine.view(&ViewQuery::Card(Subject::Run(first.clone()))) else {
        panic!("no card");
    };
    let CardView { posting, .. } = *card;
    let edit = EditField {
        posting: posting.unwrap(),
        field: FieldKey::Title,
        input: FieldInput::Text("Master of Lamps".into()),
        message: String::new(),
        override_warnings: true,
        key: "k".into(),
    };
    assert!(engine.handle(edit).unwrap().saved);
    let second = analyze(&engine, LAMP_KEEPER);
    let seen = compared(&engine, &second, &first);
    let title = Some("Lamp Keeper".to_owned());
    assert_eq!(value(&seen, &FieldKey::Title), (title.clone(), title));
    assert!(seen.rows.iter().all(|row| row.same), "{:?}", seen.rows);
    assert_eq!(compared(&engine, &first, &first), found);
}

#[test]
fn values_are_compared_whole_and_shown_short() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    let ground = Ground::of(folder.path(), &analyze(&engine, LAMP_KEEPER));
    let runs = ["a", "b"].map(|name| RunId(name.into()));
    for (run, end) in runs.iter().zip(["x", "y"]) {
        let mut events = ground.begun(run);
        let long = format!("{}{end}", "a lantern and ".repeat(40));
        events.push(ground.saw(run, 3, FieldKey::Custom("Equipment".into()), &long, 900));
        append(folder.path(), run, events);
    }
    let seen = compared(&engine, &runs[0], &runs[1]);
    let row = row(&seen, &FieldKey::Custom("Equipment".into())).unwrap();
    assert_eq!(row.this.value, row.other.value, "as far as they are shown");
    assert!(row.this.value.as_ref().unwrap().chars().count() <= 121);
    assert!(!row.same, "and yet they differ");
}

#[test]
fn many_fields_and_long_logs_are_bounded_and_both_are_said() {
    const EVENTS: i64 = 5_000;
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    let earlier = analyze(&engine, LAMP_KEEPER);
    let long = RunId("long".into());
    let ground = Ground::of(folder.path(), &earlier);
    let mut events = ground.begun(&long);
    for n in 3..EVENTS {
        let field = FieldKey::Custom(format!("extra {:03}", n % 150));
        events.push(ground.saw(&long, n, field, "yes", 600));
    }
    append(folder.path(), &long, events);
    let views = vec![(ViewId(1), query(&long, &earlier))];
    engine.handle(RegisterViews { views }).unwrap();
    let mut before = 0;
    let done = loop {
        let ids = vec![ViewId(1)];
        let mut rows = engine.handle(PullViews { ids }).unwrap();
        let ViewData::FieldsCompared(seen) = rows.remove(0).1 else {
            panic!("nothing compared");
        };
        let Some((looked, total)) = seen.looked else {
            break *seen;
        };
        assert!(
            before < looked && looked < total,
            "{before} {looked} {total}"
        );
        before = looked;
    };
    assert!(before > 0, "it was read bit by bit");
    assert_eq!(done.rows.len(), COMPARED_FIELDS_MAX);
    assert!(done.left_out > 50, "{}", done.left_out);
}

#[test]
fn a_run_of_somebody_else_is_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    let ours = analyze(&engine, LAMP_KEEPER);
    for other in ["feed:7/run/song", "none"] {
        match engine.view(&query(&ours, &RunId(other.into()))) {
            ViewData::Failed(error) => {
                assert_eq!(error.code, ErrorCode::NotFound);
                assert!(
                    error.message.contains("not a run of this computer"),
                    "{error:?}"
                );
            }
            seen => panic!("{seen:?}"),
        }
    }
}
