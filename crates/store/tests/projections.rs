//! The projections are a function of the log: whatever runs, persons and failures come in whatever
//! order and in whatever transactions, a rebuild gives the same rows.
#![allow(clippy::unwrap_used)]

mod support;

use ghostlight_model::{
    CaptureId, EventBody, FieldKey, FieldValue, Method, Micros, Observation, Phase, PostingId,
    RunId, Step, card::receipt, event::Fact,
};
use ghostlight_store::{FinishedRun, PersonChange, Store};
use proptest::{prelude::*, test_runner::FileFailurePersistence};
use std::collections::BTreeMap;
use support::*;

const POSTINGS: usize = 2;
const CAPTURES: usize = 3;

/// One thing that happens, in the order of the log.
#[derive(Debug, Clone)]
enum Deed {
    Append(RunId, EventBody),
    Finish(FinishedRun),
    Decide(PersonChange),
}

/// A run as the generator sees it.
#[derive(Debug, Clone)]
struct Plan {
    start: i64,
    posting: usize,
    /// Another posting that a second `PARSE` end says, as a foreign run might.
    second_thought: Option<usize>,
    captures: (usize, usize),
    fingerprint: Option<u64>,
    seen: Vec<(usize, usize, u16, f64)>,
    fails_at: Option<u8>,
    finishes: bool,
}

const FIELDS: [FieldKey; 3] = [FieldKey::Title, FieldKey::Company, FieldKey::Description];
const WORDS: [&str; 4] = ["Lamplighter", "Oriel & Sons", "Cartographer", "Quill Works"];

fn plan() -> impl Strategy<Value = Plan> {
    let seen = prop::collection::vec(
        (
            0..FIELDS.len(),
            0..WORDS.len(),
            700u16..1000,
            0.0..90_000.0f64,
        ),
        0..5,
    );
    let place = (0..POSTINGS, prop::option::weighted(0.15, 0..POSTINGS));
    let captures = (0..CAPTURES, 0..CAPTURES);
    let end = (prop::option::weighted(0.3, 0..5u8), any::<bool>());
    let print = prop::option::of(any::<u64>());
    (0..50i64, place, captures, print, seen, end).prop_map(
        |(start, (posting, second_thought), captures, fingerprint, seen, (fails_at, finishes))| {
            Plan {
                start: DAY + start * 1_000_000,
                posting,
                second_thought,
                captures,
                fingerprint,
                seen,
                fails_at,
                finishes,
            }
        },
    )
}

/// Who acts next: a run by number, or a person.
#[derive(Debug, Clone)]
enum Turn {
    Run(usize),
    Person {
        posting: usize,
        field: usize,
        word: Option<usize>,
        /// Seconds after the day began; a person's clock may be hours wrong.
        at: i64,
    },
}

fn turn() -> impl Strategy<Value = Turn> {
    let at = prop_oneof![4 => 0..60i64, 1 => 3_600..4_000i64, 1 => -4_000..-3_600i64];
    let word = prop::option::weighted(0.7, 0..WORDS.len());
    prop_oneof![
        5 => (0..4usize).prop_map(Turn::Run),
        1 => (0..POSTINGS, 0..5usize, word, at)
            .prop_map(|(posting, field, word, at)| Turn::Person { posting, field, word, at }),
    ]
}

/// The captures that stand in every store of this test, the later number fetched earlier.
fn captures() -> Vec<ghostlight_store::NewCapture> {
    (0..CAPTURES as i64)
        .map(|n| page(&format!("page {n}"), DAY - n * 60_000_000))
        .collect()
}

fn posting_id(n: usize) -> PostingId {
    key(n).posting_id()
}

/// What a run does, step by step.
fn deeds_of(number: usize, plan: &Plan, captures: &[CaptureId]) -> Vec<Deed> {
    let run = RunId(format!("run-{number}"));
    let (first, last) = (captures[plan.captures.0], captures[plan.captures.1]);
    let mut ts = plan.start;
    let mut tick = || {
        ts += 1_500_000;
        ts
    };
    let mut events = vec![
        started(&run, tick()),
        fact(
            &run,
            Step::Fetch,
            Phase::End,
            tick(),
            Fact::Captured { capture: first },
        ),
        event(&run, Step::Parse, Phase::Start, tick()),
        parsed(
            &run,
            tick(),
            (last, posting_id(plan.posting)),
            plan.fingerprint,
        ),
    ];
    let mut winners: BTreeMap<FieldKey, Observation> = BTreeMap::new();
    for (field, word, confidence, took) in &plan.seen {
        let observation = Observation {
            ts: Micros(tick()),
            ..seen(last, FIELDS[*field].clone(), WORDS[*word], *confidence)
        };
        winners.insert(observation.field.clone(), observation.clone());
        let what = Fact::Observed(observation);
        events.push(EventBody {
            duration_ms: Some(*took),
            ..fact(&run, Step::Detect, Phase::Field, tick(), what)
        });
        events.push(EventBody {
            duration_ms: Some(*took),
            ..event(&run, Step::Detect, Phase::End, tick())
        });
    }
    let posting = plan.second_thought.unwrap_or(plan.posting);
    if posting != plan.posting {
        events.push(parsed(&run, tick(), (last, posting_id(posting)), None));
    }
    let observed: Vec<Observation> = winners.values().cloned().collect();
    let receipt = Fact::Received(receipt(&observed, &[(Method::Pattern, Ok(()))], &[]));
    events.push(fact(&run, Step::Validate, Phase::End, tick(), receipt));
    if let Some(at) = plan.fails_at {
        let at = usize::from(at).min(events.len() - 1);
        events.truncate(at);
        events.push(failed(&run, Step::Parse, tick()));
        // A run that failed before it was parsed belongs to no posting and has nothing to finish.
        return events
            .into_iter()
            .map(|e| Deed::Append(run.clone(), e))
            .collect();
    }
    let mut deeds: Vec<Deed> = events
        .into_iter()
        .map(|e| Deed::Append(run.clone(), e))
        .collect();
    if plan.finishes {
        let winners = winners.into_values().collect();
        let mut end = finished(&run, posting_id(posting), winners, tick());
        // The last event's number is written as it came; a rebuild has it from the log.
        end.event.duration_ms = plan.seen.first().map(|(.., took)| *took);
        deeds.push(Deed::Finish(end));
    }
    deeds
}

fn decision(number: usize, turn: &Turn) -> Option<PersonChange> {
    let Turn::Person {
        posting,
        field,
        word,
        at,
    } = turn
    else {
        return None;
    };
    let text = |i: usize| FieldValue::Text(WORDS[i].into());
    let (field, value) = match field {
        3 => {
            let verdict = word.map(|i| ["open", "ghost", "closed", "doubtful"][i]);
            (
                FieldKey::Verdict,
                verdict.map(|w| FieldValue::Choice(w.into())),
            )
        }
        4 => (
            FieldKey::Outcome,
            Some(FieldValue::Choice("applied".into())),
        ),
        n => (FIELDS[*n].clone(), word.map(text)),
    };
    let key = format!("decision-{number}");
    Some(decided(
        posting_id(*posting),
        field,
        value,
        (&key, DAY + at * 1_000_000),
    ))
}

/// The order of the log: each turn takes its run's next deed; what is left follows run by run.
fn story(plans: &[Plan], turns: &[Turn]) -> Vec<Deed> {
    let captures: Vec<CaptureId> = captures().iter().map(|c| c.id()).collect();
    let mut runs: Vec<std::vec::IntoIter<Deed>> = plans
        .iter()
        .enumerate()
        .map(|(n, plan)| deeds_of(n, plan, &captures).into_iter())
        .collect();
    let mut story = Vec::new();
    for (number, turn) in turns.iter().enumerate() {
        match turn {
            Turn::Run(n) => story.extend(runs[n % plans.len()].next()),
            Turn::Person { .. } => story.extend(decision(number, turn).map(Deed::Decide)),
        }
    }
    runs.into_iter().for_each(|rest| story.extend(rest));
    story
}

fn prepared(folder: &std::path::Path, gate: &Gate) -> Store {
    let store = Store::open(folder, gate.callback()).unwrap();
    for capture in captures() {
        store.put_capture(capture).wait().unwrap();
    }
    for n in 0..POSTINGS {
        store.identify(vec![key(n)]).wait().unwrap();
    }
    store
}

type Waiting = Box<dyn FnOnce()>;

/// Queues `deeds`; neighbouring events of one run are one call where `cut` allows it.
fn submit(store: &Store, deeds: &[Deed], cut: bool) -> Vec<Waiting> {
    let mut waiting: Vec<Waiting> = Vec::new();
    let mut rest = deeds;
    while let Some(deed) = rest.first() {
        let mut used = 1;
        match deed {
            Deed::Append(run, _) => {
                let events: Vec<EventBody> = rest
                    .iter()
                    .map_while(|deed| match deed {
                        Deed::Append(same, event) if same == run => Some(event.clone()),
                        _ => None,
                    })
                    .take(if cut { 1 } else { usize::MAX })
                    .collect();
                used = events.len();
                let pending = store.append(run.stream(), events);
                waiting.push(Box::new(move || pending.wait().map(|_| ()).unwrap()));
            }
            Deed::Finish(run) => {
                let pending = store.finish_run(run.clone());
                waiting.push(Box::new(move || pending.wait().map(|_| ()).unwrap()));
            }
            Deed::Decide(change) => {
                let pending = store.commit_change(change.clone());
                waiting.push(Box::new(move || pending.wait().map(|_| ()).unwrap()));
            }
        }
        rest = &rest[used..];
    }
    waiting
}

fn no_drift(store: &Store, when: &str) {
    let rebuilt = store.rebuild().wait().unwrap();
    assert!(!rebuilt.drift, "{when}: {rebuilt:?}");
}

/// What persons decided last, by posting and field.
fn check_cards(store: &Store, done: &[Deed]) {
    let mut standing: BTreeMap<(PostingId, FieldKey), Option<FieldValue>> = BTreeMap::new();
    for deed in done {
        if let Deed::Decide(change) = deed {
            standing.insert((change.posting, change.field.clone()), change.value.clone());
        }
    }
    for n in 0..POSTINGS {
        let posting = posting_id(n);
        let Some(found) = store.posting(posting).unwrap() else {
            continue;
        };
        assert_eq!(found.card.fields.len(), FieldKey::DETECTED.len());
        assert!(
            !found.summary.title.is_empty(),
            "a row is never without a name"
        );
        for ((_, field), want) in standing.iter().filter(|((p, _), _)| *p == posting) {
            match (field, want) {
                (FieldKey::Outcome, _) => assert!(!found.card.outcomes.is_empty()),
                (FieldKey::Verdict, want) => {
                    let word = found.card.verdict.as_ref().map(|v| v.word.clone());
                    assert_eq!(word, want.as_ref().map(FieldValue::display));
                }
                (field, Some(want)) => {
                    let shown = found.card.fields.iter().find(|f| f.key == *field).unwrap();
                    assert_eq!(&shown.chosen.as_ref().unwrap().value, want, "{field}");
                }
                // Withdrawn: whatever the machine says, or nothing.
                (_, None) => {}
            }
        }
    }
}

/// Every value seen for a posting is kept for that posting.
fn check_observations(store: &Store, done: &[Deed]) {
    let mut postings: BTreeMap<&RunId, PostingId> = BTreeMap::new();
    for deed in done {
        let Deed::Append(run, event) = deed else {
            continue;
        };
        match event.fact.as_deref() {
            Some(Fact::Parsed { posting, .. }) => {
                postings.insert(run, *posting);
            }
            Some(Fact::Observed(seen)) => {
                let kept = store.observations(postings[run], seen.capture).unwrap();
                assert!(
                    kept.iter().any(|o| o.id() == seen.id()),
                    "{seen:?} was lost"
                );
            }
            _ => {}
        }
    }
}

fn check(plans: &[Plan], turns: &[Turn], splits: &[(usize, bool)]) {
    let story = story(plans, turns);
    let (plain, batched) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let gate = Gate::default();

    // The reference: one transaction for each event, looked at after each decision.
    let store = prepared(plain.path(), &gate);
    for (n, deed) in story.iter().enumerate() {
        submit(&store, std::slice::from_ref(deed), true)
            .into_iter()
            .for_each(|wait| wait());
        if matches!(deed, Deed::Decide(_) | Deed::Finish(_)) {
            check_cards(&store, &story[..=n]);
            no_drift(&store, &format!("after deed {n}"));
        }
    }
    check_observations(&store, &story);
    no_drift(&store, "at the end");
    let want = dump(plain.path());

    // The same, split into calls and transactions at random, reopened once on the way.
    let mut store = prepared(batched.path(), &gate);
    let mut rest = story.as_slice();
    let mut splits = splits.iter().cycle();
    let mut round = 0;
    while !rest.is_empty() {
        let (len, cut) = *splits.next().unwrap();
        let (now, later) = rest.split_at(len.min(rest.len()));
        let waiting = gate.together(&store, || submit(&store, now, cut));
        waiting.into_iter().for_each(|wait| wait());
        rest = later;
        round += 1;
        if round == 2 {
            drop(store);
            store = Store::open(batched.path(), gate.callback()).unwrap();
        }
    }
    assert_eq!(dump(batched.path()), want, "another split gave other rows");
    no_drift(&store, "after batches");
    drop(store);
    let store = open(batched.path());
    assert_eq!(dump(batched.path()), want, "reopening changed rows");
    assert_eq!(store.check().unwrap(), Vec::<String>::new());
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 32,
        max_shrink_iters: 400,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(
            "tests/projections.proptest-regressions",
        ))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_rebuild_gives_the_same_rows(
        plans in prop::collection::vec(plan(), 1..4),
        turns in prop::collection::vec(turn(), 0..40),
        splits in prop::collection::vec((1..12usize, any::<bool>()), 1..6),
    ) {
        check(&plans, &turns, &splits);
    }
}

/// A plan to vary by hand.
fn simple(start: i64, capture: usize) -> Plan {
    Plan {
        start: DAY + start * 1_000_000,
        posting: 0,
        second_thought: None,
        captures: (capture, capture),
        fingerprint: Some(7 + capture as u64),
        seen: vec![(0, capture, 900, 12.345_678_901_234_567)],
        fails_at: None,
        finishes: true,
    }
}

#[test]
fn the_places_that_drifted_once_or_could() {
    let runs = |order: &[usize]| order.iter().map(|n| Turn::Run(*n)).collect::<Vec<_>>();
    let person = |at, word| Turn::Person {
        posting: 0,
        field: 0,
        word: Some(word),
        at,
    };
    let moved = Plan {
        second_thought: Some(1),
        ..simple(0, 0)
    };
    let neighbour = Plan {
        posting: 1,
        ..simple(3, 0)
    };
    let two_captures = Plan {
        captures: (2, 0),
        ..simple(0, 0)
    };
    for (name, plans, turns) in [
        // The run that started last ends first, and the other capture is the earlier one.
        (
            "out of order",
            vec![simple(0, 2), simple(9, 0)],
            runs(&[0, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0]),
        ),
        (
            "an older run comes later",
            vec![simple(9, 0), simple(0, 2)],
            vec![],
        ),
        (
            "two postings of one page see the same",
            vec![simple(0, 0), neighbour],
            vec![],
        ),
        (
            "both start at once",
            vec![simple(0, 1), simple(0, 0)],
            vec![],
        ),
        (
            "another capture was fetched first",
            vec![two_captures],
            runs(&[0, 0, 0]),
        ),
        (
            "a run changes its posting",
            vec![moved.clone(), simple(3, 1)],
            vec![],
        ),
        ("its old posting has no run left", vec![moved], vec![]),
        (
            "a person's clock was an hour ahead, then right",
            vec![simple(0, 0)],
            [
                runs(&[0, 0, 0, 0, 0, 0]),
                vec![person(3_600, 1), person(0, 2), person(0, 3)],
            ]
            .concat(),
        ),
    ] {
        println!("{name}");
        check(&plans, &turns, &[(3, false), (1, true), (7, true)]);
    }
}

#[test]
fn a_rebuild_in_the_same_transaction_as_a_change_finds_no_drift() {
    let folder = tempfile::tempdir().unwrap();
    let gate = Gate::default();
    let store = prepared(folder.path(), &gate);
    let story = story(&[simple(0, 0)], &[]);
    let (rebuilt, waiting) = gate.together(&store, || {
        let waiting = submit(&store, &story, true);
        (store.rebuild(), waiting)
    });
    waiting.into_iter().for_each(|wait| wait());
    let rebuilt = rebuilt.wait().unwrap();
    assert!(!rebuilt.drift);
    assert_eq!((rebuilt.runs, rebuilt.postings), (1, 1));
    no_drift(&store, "afterwards");
}

#[test]
fn drift_is_found_and_mended() {
    let folder = tempfile::tempdir().unwrap();
    let store = prepared(folder.path(), &Gate::default());
    for wait in submit(&store, &story(&[simple(0, 0)], &[]), false) {
        wait();
    }
    let want = dump(folder.path());
    let other = rusqlite::Connection::open(folder.path().join(ghostlight_store::DATABASE)).unwrap();
    other
        .execute("UPDATE posting SET title = 'wrong'", [])
        .unwrap();
    assert!(store.rebuild().wait().unwrap().drift);
    assert_eq!(dump(folder.path()), want);
}

#[test]
fn rows_older_than_the_log_are_rebuilt_when_the_store_opens() {
    let folder = tempfile::tempdir().unwrap();
    let store = prepared(folder.path(), &Gate::default());
    for wait in submit(&store, &story(&[simple(0, 0)], &[]), false) {
        wait();
    }
    drop(store);
    let want = dump(folder.path());
    for spoil in [
        "UPDATE projection SET version = 0; DELETE FROM card_field;",
        "UPDATE projection SET position = position - 1; DELETE FROM run;",
        "DELETE FROM projection; DELETE FROM posting;",
    ] {
        let other =
            rusqlite::Connection::open(folder.path().join(ghostlight_store::DATABASE)).unwrap();
        other.execute_batch(spoil).unwrap();
        drop(other);
        drop(open(folder.path()));
        assert_eq!(dump(folder.path()), want, "{spoil}");
    }
}

#[test]
fn events_that_cannot_be_replayed_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let run = RunId("a".into());
    let other = RunId("b".into());
    let refused = store
        .append(run.stream(), vec![started(&other, DAY)])
        .wait();
    assert_eq!(refused.unwrap_err().code(), "refused");
    let posting = ghostlight_model::StreamId("posting/1".into());
    let refused = store.append(posting, vec![started(&run, DAY)]).wait();
    assert_eq!(refused.unwrap_err().code(), "refused");
    assert_eq!(store.append(run.stream(), vec![]).wait().unwrap().0, 0);
    assert!(store.run(&run).unwrap().is_none(), "no events, no run");
    assert_eq!(
        store
            .append(run.stream(), vec![started(&run, DAY)])
            .wait()
            .unwrap()
            .0,
        0
    );
    assert_eq!(store.append(run.stream(), vec![]).wait().unwrap().0, 1);
    no_drift(&store, "after nothing");
}

#[test]
fn a_withdrawal_is_what_the_next_change_was_before() {
    let folder = tempfile::tempdir().unwrap();
    let store = prepared(folder.path(), &Gate::default());
    let value = |word: &str| Some(FieldValue::Text(word.into()));
    for (n, word) in [value("Lamplighter"), None, value("Cartographer")]
        .into_iter()
        .enumerate()
    {
        let change = decided(
            posting_id(0),
            FieldKey::Title,
            word,
            (&n.to_string(), DAY + n as i64),
        );
        store.commit_change(change).wait().unwrap();
    }
    let history = store.history(posting_id(0), 0, 9).unwrap();
    let old: Vec<_> = history
        .rows
        .iter()
        .map(|c| c.changes[0].old.clone())
        .collect();
    assert_eq!(old, [None, value("Lamplighter"), None]);
}
