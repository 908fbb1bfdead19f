//! *As known then*: our own runs taken back to each of their events, through the view of the edge.
#![allow(clippy::unwrap_used)]

#[path = "support/pasted.rs"]
mod pasted;

use ghostlight_api::{
    ErrorCode, ViewData, ViewId, ViewQuery,
    command::{EditField, FieldInput, PullViews, RegisterViews},
    view::{CardView, KnownView, Subject},
};
use ghostlight_engine::{Engine, Handle};
use ghostlight_model::{
    EventBody, FieldKey, Micros, Phase, PostingId, RunId, Source, Step,
    card::FieldState,
    event::Fact,
    run::{NodeStatus, RunKind, RunState, RunStatus},
};
use ghostlight_store::Store;
use pasted::{LAMP_KEEPER, analyze, open};
use std::{collections::BTreeMap, path::Path, time::Instant};

fn card(engine: &Engine, subject: Subject) -> CardView {
    match engine.view(&ViewQuery::Card(subject)) {
        ViewData::Card(card) => *card,
        other => panic!("no card: {other:?}"),
    }
}

fn known(engine: &Engine, run: &RunId, offset: u64) -> KnownView {
    let run = run.clone();
    match engine.view(&ViewQuery::Known { run, offset }) {
        ViewData::Known(known) => *known,
        other => panic!("nothing known: {other:?}"),
    }
}

/// The run's events, read beside the engine.
fn events(folder: &Path, run: &RunId) -> Vec<EventBody> {
    let store = Store::open(folder, |_| {}).unwrap();
    let rows = store.events(run, 0, 500).unwrap().rows;
    rows.into_iter().map(|row| row.body).collect()
}

fn edit(engine: &Engine, posting: PostingId, text: &str) {
    let edit = EditField {
        posting,
        field: FieldKey::Title,
        input: FieldInput::Text(text.into()),
        message: String::new(),
        override_warnings: true,
        key: text.into(),
    };
    assert!(engine.handle(edit).unwrap().saved);
}

fn title(card: &CardView) -> Option<(String, Source)> {
    let title = card.fields.iter().find(|f| f.key == FieldKey::Title)?;
    title.chosen.as_ref().map(|c| (c.value.display(), c.source))
}

#[test]
fn each_moment_is_the_fold_of_what_there_was_and_the_last_is_the_present() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    let run = analyze(&engine, LAMP_KEEPER);
    let log = events(folder.path(), &run);
    let mut state = RunState::new(run.clone(), RunKind::Own, log[0].ts);
    let mut found = 0;
    for (offset, event) in log.iter().enumerate() {
        state.apply(event);
        let then = known(&engine, &run, offset as u64);
        assert_eq!((then.offset, then.total), (offset as u64, log.len() as u64));
        assert_eq!((then.at, then.looked), (state.updated, None));
        let card = then.card;
        assert_eq!(card.status, Some(state.status), "after {offset}");
        assert_eq!(card.posting, state.posting);
        assert_eq!(
            (&card.signals, card.assessment),
            (&state.signals, state.assessment)
        );
        for (step, row) in Step::ALL.iter().zip(&card.steps) {
            assert_eq!(row.status, state.step(*step), "{} after {offset}", row.node);
        }
        let seen = card.fields.iter().filter(|field| field.chosen.is_some());
        let seen = seen.map(|field| field.key.clone()).collect();
        assert_eq!(state.fields_seen, seen, "after {offset}");
        found = found.max(state.fields_seen.len());
        let looking = card.fields.iter().any(|f| f.state == FieldState::Looking);
        assert_eq!(looking, state.receipt.is_none(), "after {offset}");
    }
    assert!(found > 4 && state.status == RunStatus::Finished);
    let present = card(&engine, Subject::Run(run.clone()));
    let last = known(&engine, &run, u64::MAX);
    assert_eq!(last.offset, log.len() as u64 - 1);
    assert_eq!(last.card, present, "the last moment is the present");
    // Before anything was read there was the input's name.
    let first = known(&engine, &run, 0).card;
    assert_eq!((first.title.as_str(), first.posting), ("pasted", None));
    assert_eq!(first.steps[0].status, NodeStatus::Running);
}

#[test]
fn what_a_person_decided_is_known_from_then_on() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    let first = analyze(&engine, LAMP_KEEPER);
    let before = known(&engine, &first, u64::MAX);
    let posting = before.card.posting.unwrap();
    edit(&engine, posting, "Master of Lamps");
    assert_eq!(known(&engine, &first, u64::MAX), before, "not known then");
    let second = analyze(&engine, LAMP_KEEPER);
    assert_ne!(first, second);
    let mine = Some(("Master of Lamps".to_owned(), Source::User));
    let log = events(folder.path(), &second);
    let parsed = log
        .iter()
        .position(|e| matches!(e.fact.as_deref(), Some(Fact::Parsed { .. })));
    for offset in 0..log.len() {
        let card = known(&engine, &second, offset as u64).card;
        let expected = (offset >= parsed.unwrap()).then(|| mine.clone()).flatten();
        assert_eq!(title(&card), expected, "after {offset}");
    }
    assert_eq!(known(&engine, &first, u64::MAX), before);
}

#[test]
fn a_run_that_failed_and_one_that_is_none_of_ours() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    let run = analyze(&engine, "   ");
    let last = known(&engine, &run, u64::MAX);
    assert_eq!(last.card, card(&engine, Subject::Run(run.clone())));
    assert!(last.card.failure.is_some() && last.card.posting.is_none());
    assert_eq!(known(&engine, &run, 0).card.failure, None, "not yet");
    for name in ["nowhere", "feed:1/run/theirs"] {
        let query = ViewQuery::Known {
            run: RunId(name.into()),
            offset: 0,
        };
        match engine.view(&query) {
            ViewData::Failed(error) => assert_eq!(error.code, ErrorCode::NotFound),
            other => panic!("{name}: {other:?}"),
        }
    }
}

/// So many events are none of our runs'; it shows that a look folds a bounded part whatever there is.
const MANY: usize = 9_000;

#[test]
fn a_long_run_is_read_bit_by_bit_and_then_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    let run = RunId("long".into());
    let event = |n: usize| EventBody {
        ts: Micros(1_767_571_200_000_000 + n as i64),
        run_id: run.clone(),
        node: Step::Detect.node().into(),
        phase: if n.is_multiple_of(2) {
            Phase::Start
        } else {
            Phase::End
        },
        duration_ms: None,
        metrics: BTreeMap::from([("words".into(), serde_json::json!(n))]),
        issues: vec![],
        fact: None,
    };
    let store = Store::open(folder.path(), |_| {}).unwrap();
    let all: Vec<EventBody> = (0..MANY).map(event).collect();
    store.append(run.stream(), all).wait().unwrap();
    let views = vec![(
        ViewId(1),
        ViewQuery::Known {
            run: run.clone(),
            offset: u64::MAX,
        },
    )];
    engine.handle(RegisterViews { views }).unwrap();
    let pull = || {
        let ids = vec![ViewId(1)];
        let mut rows = engine.handle(PullViews { ids }).unwrap();
        match rows.remove(0).1 {
            ViewData::Known(known) => *known,
            other => panic!("{other:?}"),
        }
    };
    let (mut before, mut pulls) = (0, 0);
    let done = loop {
        let known = pull();
        pulls += 1;
        let Some((looked, wanted)) = known.looked else {
            break known;
        };
        assert_eq!(wanted, MANY as u64);
        assert!(
            looked > before && looked - before <= 2_048,
            "{before} to {looked}"
        );
        before = looked;
    };
    assert!(pulls > 3);
    assert_eq!(done.offset, MANY as u64 - 1);
    // From here on every moment is near a mark, in any order.
    let mut slowest = 0.0_f64;
    for offset in [0, 8_999, 4_711, 4_710, 255, 256, 257, 8_192, 1] {
        let begin = Instant::now();
        let then = known(&engine, &run, offset);
        slowest = slowest.max(begin.elapsed().as_secs_f64() * 1_000.0);
        assert_eq!((then.offset, then.looked), (offset, None));
        assert_eq!(then.at, event(offset as usize).ts);
        let state = if offset % 2 == 0 {
            NodeStatus::Running
        } else {
            NodeStatus::Done
        };
        assert_eq!(then.card.steps[3].status, state, "after {offset}");
    }
    println!("the slowest of these looks took {slowest:.1} ms");
}
