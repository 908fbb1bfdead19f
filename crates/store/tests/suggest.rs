//! What suggestions are made from, on a real database: employers, corrections, acceptance, dismissal, statistics.
#![allow(clippy::unwrap_used)]

mod support;

use ghostlight_model::{
    FieldKey, FieldValue, Method, Micros, PostingId, RunId,
    commit::AuthorId,
    suggest::{Accuracy, Origin, Tally},
};
use ghostlight_store::{
    Acceptance, Accepted, Asked, Dismissal, Store, StoreError,
    suggest::{DISMISSALS_MAX, EMPLOYER_POSTINGS_MAX, PRECEDENTS_MAX, VALUE_BYTES_MAX},
};
use std::path::Path;
use support::*;

fn text(words: &str) -> FieldValue {
    FieldValue::Text(words.into())
}

/// A posting whose run found these values.
fn posting(store: &Store, n: usize, found: &[(FieldKey, &str)]) -> PostingId {
    let posting = store.identify(vec![key(n)]).wait().unwrap();
    let (run, ts) = (RunId(format!("run-{n}")), DAY + n as i64 * 1_000_000);
    let capture = store
        .put_capture(page(&format!("page {n}"), ts))
        .wait()
        .unwrap();
    let saw = |(field, words): &(FieldKey, &str)| ghostlight_model::Observation {
        ts: Micros(ts),
        ..seen(capture, field.clone(), words, 900)
    };
    let saw: Vec<_> = found.iter().map(saw).collect();
    let mut events = vec![
        started(&run, ts),
        parsed(&run, ts + 1, (capture, posting), None),
    ];
    for one in &saw {
        let observed = ghostlight_model::event::Fact::Observed(one.clone());
        let phase = ghostlight_model::Phase::Field;
        events.push(fact(
            &run,
            ghostlight_model::Step::Detect,
            phase,
            ts + 2,
            observed,
        ));
    }
    store.append(run.stream(), events).wait().unwrap();
    store
        .finish_run(finished(&run, posting, saw, ts + 3))
        .wait()
        .unwrap();
    posting
}

fn edit(store: &Store, posting: PostingId, field: FieldKey, words: &str, second: i64) {
    let key = format!("{posting}-{field}-{second}");
    let at = DAY + 1_000_000_000 + second * 1_000_000;
    let change = decided(posting, field, Some(text(words)), (&key, at));
    store.commit_change(change).wait().unwrap();
}

fn asked(field: FieldKey, machine: &str) -> [Asked; 1] {
    [Asked {
        field,
        machine: Some((text(machine), Method::Pattern)),
    }]
}

fn accepting(posting: PostingId, accepted: Vec<Accepted>, key: &str) -> Acceptance {
    Acceptance {
        posting,
        author: AuthorId("person-7".into()),
        accepted,
        key: key.into(),
        now: Micros(DAY + 2_000_000_000),
    }
}

fn accepted(field: FieldKey, words: &str, origin: Origin) -> Accepted {
    Accepted {
        field,
        value: text(words),
        stood: None,
        origin,
    }
}

fn dismissal(posting: PostingId, words: &str, second: i64) -> Dismissal {
    Dismissal {
        posting,
        field: FieldKey::Platform,
        value: text(words),
        origin: Origin::Employer,
        again: false,
        now: Micros(DAY + second),
    }
}

fn tally(store: &Store, posting: PostingId, field: FieldKey, origin: Origin) -> Tally {
    let heard = store
        .heard(posting, "", &asked(field.clone(), "x"))
        .unwrap();
    heard.tallies[&field][&origin]
}

fn judged(store: &Store) -> Vec<(String, u32, u32)> {
    assert!(
        !store.rebuild().wait().unwrap().drift,
        "a rebuild changes nothing"
    );
    let rows = store.accuracy().unwrap().into_iter();
    let row = |one: Accuracy| {
        assert_eq!(one.method, Method::Pattern);
        (one.field.to_string(), one.correct, one.wrong)
    };
    rows.map(row).collect()
}

#[test]
fn an_employers_other_postings_say_what_stands_there_and_no_more_than_the_bound_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    for n in 0..=(EMPLOYER_POSTINGS_MAX as usize + 4) {
        let platform = if n < 4 { "Old Board" } else { "Harbour Jobs" };
        let found = [
            (
                FieldKey::Company,
                if n % 2 == 0 {
                    "Lamplight Press"
                } else {
                    "LAMPLIGHT press"
                },
            ),
            (FieldKey::Platform, platform),
            (FieldKey::Title, "Printer"),
        ];
        posting(&store, n, &found);
    }
    let me = posting(&store, 900, &[(FieldKey::Company, "Lamplight Press")]);
    posting(
        &store,
        901,
        &[
            (FieldKey::Company, "Quill"),
            (FieldKey::Platform, "Quill Jobs"),
        ],
    );
    let wanted = [FieldKey::Platform, FieldKey::Title].map(|field| Asked {
        field,
        machine: None,
    });
    let begin = std::time::Instant::now();
    let heard = store.heard(me, "Lamplight Press", &wanted).unwrap();
    let took = begin.elapsed().as_secs_f64() * 1_000.0;
    println!("what {EMPLOYER_POSTINGS_MAX} postings say was read in {took:.1} ms");
    let platforms = &heard.employer[&FieldKey::Platform];
    assert_eq!(
        platforms.len(),
        EMPLOYER_POSTINGS_MAX as usize,
        "the latest"
    );
    assert!(platforms.iter().all(|value| *value == text("Harbour Jobs")));
    assert!(
        !heard.employer.contains_key(&FieldKey::Title),
        "a title is a posting's own"
    );
    assert!(store.heard(me, "", &wanted).unwrap().employer.is_empty());
}

#[test]
fn corrections_of_the_same_value_are_precedents_elsewhere_and_count_until_undone() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let field = || FieldKey::Company;
    let made: Vec<PostingId> = (0..5)
        .map(|n| posting(&store, n, &[(field(), "Careers at Quill")]))
        .collect();
    edit(&store, made[0], field(), "Quill", 0);
    edit(&store, made[1], field(), "Quill", 1);
    edit(&store, made[2], field(), "careers at quill", 2);
    let other = posting(&store, 9, &[(field(), "Oriel")]);
    edit(&store, other, field(), "Oriel Ltd", 3);
    let precedents = |posting, machine: &str| {
        let mut heard = store.heard(posting, "", &asked(field(), machine)).unwrap();
        let rows = heard.precedents.remove(&field()).unwrap().into_iter();
        let row =
            |p: ghostlight_model::suggest::Precedent| (p.value.map(|v| v.display()), p.correct);
        rows.map(row).collect::<Vec<_>>()
    };
    let quill = || Some("Quill".to_owned());
    let as_it_was = (Some("careers at quill".to_owned()), true);
    assert_eq!(
        precedents(made[4], "careers at QUILL"),
        [as_it_was.clone(), (quill(), false), (quill(), false)],
        "the latest first"
    );
    assert_eq!(
        precedents(made[0], "Careers at Quill").len(),
        2,
        "not its own"
    );
    assert_eq!(precedents(made[4], "Elsewhere"), []);
    assert_eq!(judged(&store), [("company".to_owned(), 1, 3)]);
    // What is undone was never said.
    let me = (
        AuthorId("person-7".into()),
        "undo-1".to_owned(),
        Micros(DAY + 9_000_000_000),
    );
    store.undo(made[1], me).wait().unwrap();
    assert_eq!(
        precedents(made[4], "Careers at Quill"),
        [as_it_was, (quill(), false)]
    );
    assert_eq!(judged(&store), [("company".to_owned(), 1, 2)]);
    // Far more judgements than are read; a long value is judged, and not suggested.
    let long = "long ".repeat(VALUE_BYTES_MAX / 4);
    for n in 100..100 + PRECEDENTS_MAX as usize + 3 {
        let one = posting(&store, n, &[(field(), "Careers at Quill")]);
        edit(&store, one, field(), &long, n as i64);
    }
    let found = precedents(made[4], "Careers at Quill");
    assert_eq!(found.len(), PRECEDENTS_MAX as usize);
    assert!(found.iter().all(|one| *one == (None, false)));
}

#[test]
fn several_are_accepted_as_one_change_that_one_undo_takes_back() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let me = posting(
        &store,
        1,
        &[(FieldKey::Company, "Quill"), (FieldKey::Title, "Printer")],
    );
    let both = vec![
        accepted(FieldKey::Platform, "Harbour Jobs", Origin::Employer),
        accepted(FieldKey::Company, "Quill Ltd", Origin::Correction),
    ];
    let done = store
        .accept(accepting(me, both.clone(), "a"))
        .wait()
        .unwrap();
    let again = store
        .accept(accepting(me, both.clone(), "a"))
        .wait()
        .unwrap();
    assert!(
        done.is_some() && done == again,
        "the same key twice is one commit"
    );
    assert_eq!(
        store.accept(accepting(me, both, "b")).wait().unwrap(),
        None,
        "it stands"
    );
    let commit = store.commit(me, done.unwrap()).unwrap().unwrap();
    assert_eq!(commit.changes.len(), 2);
    assert_eq!(commit.changes[1].old, Some(text("Quill")));
    assert!(
        commit.message.contains("earlier corrections: company"),
        "{}",
        commit.message
    );
    let one = |accepted, dismissed| Tally {
        accepted,
        dismissed,
    };
    assert_eq!(
        tally(&store, me, FieldKey::Platform, Origin::Employer),
        one(1, 0)
    );
    assert_eq!(
        tally(&store, me, FieldKey::Company, Origin::Correction),
        one(1, 0)
    );
    assert_eq!(
        tally(&store, me, FieldKey::Company, Origin::Employer),
        one(0, 0)
    );
    assert_eq!(
        judged(&store),
        [("company".to_owned(), 0, 1)],
        "nothing was said of the platform"
    );
    let by = (
        AuthorId("person-7".into()),
        "u".to_owned(),
        Micros(DAY + 9_000_000_000),
    );
    store.undo(me, by).wait().unwrap();
    let card = store.posting(me).unwrap().unwrap().card;
    let shown = |key: FieldKey| {
        let field = card.fields.iter().find(|f| f.key == key).unwrap();
        field.chosen.as_ref().map(|chosen| chosen.value.display())
    };
    assert_eq!(
        (shown(FieldKey::Company), shown(FieldKey::Platform)),
        (Some("Quill".into()), None)
    );
    assert_eq!(
        tally(&store, me, FieldKey::Platform, Origin::Employer),
        one(0, 0)
    );
    assert_eq!(judged(&store), []);
}

#[test]
fn what_cannot_be_accepted_is_refused_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let me = posting(&store, 1, &[(FieldKey::Title, "Printer")]);
    edit(&store, me, FieldKey::Title, "Master Printer", 1);
    let before = store.posting(me).unwrap();
    let title = |words: &str| accepted(FieldKey::Title, words, Origin::Alternative);
    let code = |accepted: Vec<Accepted>, posting| {
        let refused = store
            .accept(accepting(posting, accepted, "x"))
            .wait()
            .unwrap_err();
        assert!(!refused.hint().is_empty());
        refused.code()
    };
    let good = accepted(FieldKey::Platform, "Harbour Jobs", Origin::Employer);
    assert_eq!(code(vec![good.clone(), title("Typesetter")], me), "stale");
    assert_eq!(code(vec![good.clone(), title(" ")], me), "refused");
    assert_eq!(code(vec![good.clone(), good.clone()], me), "refused");
    let verdict = Accepted {
        value: FieldValue::Choice("ghost".into()),
        ..accepted(FieldKey::Verdict, "", Origin::Employer)
    };
    assert_eq!(code(vec![verdict], me), "refused");
    let nobody = PostingId([9; 16]);
    assert_eq!(code(vec![good], nobody), "not_found");
    assert_eq!(
        store.dismiss(dismissal(nobody, "x", 1)).wait(),
        Err(StoreError::NotFound(format!("posting {nobody}")))
    );
    assert_eq!(store.posting(me).unwrap(), before);
    // Who saw the person's own value may replace it.
    let seen = Accepted {
        stood: Some(text("Master Printer")),
        ..title("Typesetter")
    };
    assert!(
        store
            .accept(accepting(me, vec![seen], "y"))
            .wait()
            .unwrap()
            .is_some()
    );
}

#[test]
fn a_dismissal_is_remembered_over_restarts_and_can_be_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let reopen = |folder: &Path| open(folder);
    let store = reopen(folder.path());
    let me = posting(&store, 1, &[(FieldKey::Title, "Printer")]);
    let other = posting(&store, 2, &[(FieldKey::Title, "Printer")]);
    store
        .dismiss(dismissal(me, "Harbour Jobs", 1))
        .wait()
        .unwrap();
    store
        .dismiss(dismissal(me, "harbour jobs", 2))
        .wait()
        .unwrap();
    drop(store);
    let store = reopen(folder.path());
    let dismissed = |posting| {
        let heard = store
            .heard(posting, "", &asked(FieldKey::Platform, "x"))
            .unwrap();
        heard
            .dismissed
            .get(&FieldKey::Platform)
            .map_or(0, |keys| keys.len())
    };
    assert_eq!(
        (dismissed(me), dismissed(other)),
        (1, 0),
        "of this posting alone"
    );
    let said = |accepted, dismissed| Tally {
        accepted,
        dismissed,
    };
    assert_eq!(
        tally(&store, other, FieldKey::Platform, Origin::Employer),
        said(0, 1)
    );
    assert!(!store.rebuild().wait().unwrap().drift);
    assert_eq!(dismissed(me), 1, "no projection");
    let back = Dismissal {
        again: true,
        ..dismissal(me, "Harbour Jobs", 3)
    };
    store.dismiss(back).wait().unwrap();
    assert_eq!(dismissed(me), 0);
    for n in 0..i64::from(DISMISSALS_MAX) + 5 {
        store
            .dismiss(dismissal(me, &format!("board {n}"), 10 + n))
            .wait()
            .unwrap();
    }
    assert_eq!(dismissed(me), DISMISSALS_MAX as usize, "the oldest go");
    let heard = store
        .heard(me, "", &asked(FieldKey::Platform, "x"))
        .unwrap();
    let kept = |words: &str| {
        let key = ghostlight_model::suggest::value_key(&text(words));
        heard.dismissed[&FieldKey::Platform].contains(&key)
    };
    assert!(!kept("board 4") && kept("board 5"));
}
