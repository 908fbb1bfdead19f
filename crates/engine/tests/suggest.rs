//! Suggestions through the commands and views of the edge: from the same employer, from corrections, accepted,
//! dismissed, and what the statistics say of it.
#![allow(clippy::unwrap_used)]

use ghostlight_api::{
    ErrorCode, ViewData, ViewQuery,
    command::{
        AcceptSuggestions, AcceptedSuggestion, DismissSuggestion, EditField, FieldInput, Undo,
    },
    view::{CardView, Range, Subject, SuggestionsView, TimelineFilter},
};
use ghostlight_engine::{Engine, Handle, Hooks, Host, Input};
use ghostlight_model::{
    FieldKey, FieldValue, PostingId, Source,
    suggest::{Origin, Suggestion, message},
};
use ghostlight_store::Store;
use std::{path::Path, sync::Arc};

struct Quiet;
impl Host for Quiet {}

fn open(folder: &Path) -> Engine {
    Engine::open(folder, Arc::new(Quiet), Hooks::default()).unwrap()
}

fn analyze(engine: &Engine, title: &str, location: &str) -> PostingId {
    let text = format!(
        "{title}\nQuillmarsh Instruments\n{location}Salary: €42,000 to €48,000 per year.\n\
         Responsibilities: trim the wicks of {title}. Requirements: a steady hand. Apply by email."
    );
    let input = Input::Text {
        name: title.into(),
        bytes: text.into_bytes(),
    };
    let runs = engine.analyze(input, &mut |_| {}).unwrap();
    card(engine, Subject::Run(runs[0].clone())).posting.unwrap()
}

/// Three that name their place, and one that does not.
fn four(engine: &Engine) -> ([PostingId; 3], PostingId) {
    let place = "Location: Dublin, Ireland\n";
    let three = ["Lamp Keeper", "Lens Grinder", "Clock Winder"].map(|t| analyze(engine, t, place));
    (three, analyze(engine, "Log Keeper", ""))
}

fn card(engine: &Engine, subject: Subject) -> CardView {
    match engine.view(&ViewQuery::Card(subject)) {
        ViewData::Card(card) => *card,
        other => panic!("no card: {other:?}"),
    }
}

fn shown(engine: &Engine, posting: PostingId, field: &FieldKey) -> Option<(String, Source)> {
    let card = card(engine, Subject::Posting(posting));
    let field = card.fields.into_iter().find(|f| f.key == *field)?;
    field
        .chosen
        .map(|chosen| (chosen.value.display(), chosen.source))
}

fn suggested(engine: &Engine, posting: PostingId) -> SuggestionsView {
    match engine.view(&ViewQuery::Suggestions(posting)) {
        ViewData::Suggestions(view) => *view,
        other => panic!("no suggestions: {other:?}"),
    }
}

fn of(engine: &Engine, posting: PostingId, field: &FieldKey) -> Vec<Suggestion> {
    let mut all = suggested(engine, posting).suggestions;
    all.retain(|one| one.field == *field);
    all
}

fn accept(posting: PostingId, ones: &[Suggestion], key: &str) -> AcceptSuggestions {
    let one = |one: &Suggestion| AcceptedSuggestion {
        field: one.field.clone(),
        value: one.value.clone(),
        stood: None,
        origin: one.voices[0].origin,
    };
    AcceptSuggestions {
        posting,
        accept: ones.iter().map(one).collect(),
        key: key.into(),
    }
}

fn typed(posting: PostingId, field: FieldKey, text: &str, why: &str, key: &str) -> EditField {
    EditField {
        posting,
        field,
        input: FieldInput::Text(text.into()),
        message: why.into(),
        override_warnings: true,
        key: key.into(),
    }
}

#[test]
fn the_employers_other_postings_fill_a_gap_and_one_undo_takes_it_back() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    let (_, bare) = four(&engine);
    let field = FieldKey::Location;
    assert_eq!(shown(&engine, bare, &field), None);
    let view = suggested(&engine, bare);
    assert_eq!(view.employer, "Quillmarsh Instruments");
    let found = of(&engine, bare, &field);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].value.display().starts_with("Dublin"));
    let voice = found[0].voices[0];
    assert_eq!(
        (voice.origin, voice.count, voice.of),
        (Origin::Employer, 3, 3)
    );
    assert_eq!(found[0].confidence.thousandths(), 800);

    let request = accept(bare, &found, "a");
    let done = engine.handle(request.clone()).unwrap();
    assert!(done.is_some());
    assert_eq!(
        engine.handle(request).unwrap(),
        done,
        "the same key twice is one commit"
    );
    let now = shown(&engine, bare, &field).unwrap();
    assert!(now.0.starts_with("Dublin") && now.1 == Source::User);
    assert!(
        of(&engine, bare, &field).is_empty(),
        "what stands is no suggestion"
    );
    let history = engine.view(&ViewQuery::Timeline {
        posting: bare,
        filter: TimelineFilter::default(),
        range: Range { start: 0, len: 5 },
    });
    let ViewData::Timeline(page) = history else {
        panic!("no history: {history:?}");
    };
    let said = "Suggested by other postings of the employer: location";
    assert_eq!(page.rows[0].message, said);
    let undo = Undo {
        posting: bare,
        past_merge: false,
        key: "u".into(),
    };
    engine.handle(undo).unwrap();
    assert_eq!(shown(&engine, bare, &field), None);
    assert_eq!(of(&engine, bare, &field), found);
}

#[test]
fn a_correction_is_suggested_where_the_same_was_read_and_counted_by_method() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    let (three, bare) = four(&engine);
    for (n, posting) in three.into_iter().enumerate() {
        let edit = typed(
            posting,
            FieldKey::Company,
            "Quillmarsh Ltd",
            "",
            &format!("c{n}"),
        );
        engine.handle(edit).unwrap();
    }
    let found = of(&engine, bare, &FieldKey::Company);
    assert_eq!(found.len(), 1, "{found:?}");
    let voice = found[0].voices[0];
    assert_eq!(
        (voice.origin, voice.count, voice.of),
        (Origin::Correction, 3, 3)
    );
    assert_eq!(found[0].confidence.thousandths(), 800);
    // One by one it is an ordinary edit that says why; it counts as accepted.
    let why = message(&[(FieldKey::Company, Origin::Correction)]);
    engine
        .handle(typed(bare, FieldKey::Company, "Quillmarsh Ltd", &why, "d"))
        .unwrap();
    let other = analyze(&engine, "Rope Maker", "");
    let again = of(&engine, other, &FieldKey::Company);
    assert_eq!(again[0].voices[0].count, 4);
    assert!(
        again[0].confidence.thousandths() > 833,
        "an accepted kind rises: {again:?}"
    );
    // Confirmed where it was right.
    let title = shown(&engine, other, &FieldKey::Title).unwrap().0;
    engine
        .handle(typed(other, FieldKey::Title, &title, "", "t"))
        .unwrap();
    let ViewData::Accuracy(rows) = engine.view(&ViewQuery::Accuracy) else {
        panic!("no statistics");
    };
    let lines: Vec<_> = rows
        .iter()
        .map(|row| (row.field.name(), row.method.word(), row.correct, row.wrong))
        .collect();
    assert_eq!(
        lines,
        [("company", "pattern", 0, 4), ("title", "pattern", 1, 0)]
    );
    let mut of_card = suggested(&engine, three[0]).accuracy;
    of_card.reverse();
    assert_eq!(of_card, rows, "the same in the order of the card");
    drop(engine);
    let store = Store::open(folder.path(), |_| {}).unwrap();
    assert!(!store.rebuild().wait().unwrap().drift);
    drop(store);
    let engine = open(folder.path());
    assert_eq!(engine.view(&ViewQuery::Accuracy), ViewData::Accuracy(rows));
}

#[test]
fn what_was_dismissed_stays_away_over_a_restart_and_comes_back_when_asked() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    let (_, bare) = four(&engine);
    let field = FieldKey::Location;
    let found = of(&engine, bare, &field);
    let dismiss = DismissSuggestion {
        posting: bare,
        field: field.clone(),
        value: found[0].value.clone(),
        origin: Origin::Employer,
        again: false,
    };
    engine.handle(dismiss.clone()).unwrap();
    assert_eq!(of(&engine, bare, &field), []);
    drop(engine);
    let engine = open(folder.path());
    assert_eq!(of(&engine, bare, &field), []);
    let other = analyze(&engine, "Rope Maker", "");
    let lower = of(&engine, other, &field);
    assert!(lower[0].confidence < found[0].confidence, "its kind sinks");
    let again = DismissSuggestion {
        again: true,
        ..dismiss
    };
    engine.handle(again).unwrap();
    assert_eq!(of(&engine, bare, &field), found);
}

#[test]
fn what_cannot_be_accepted_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    let (_, bare) = four(&engine);
    let found = of(&engine, bare, &FieldKey::Location);
    let edit = typed(bare, FieldKey::Location, "Cork, IE", "", "mine");
    engine.handle(edit).unwrap();
    let refuse = |request: AcceptSuggestions| {
        let error = engine.handle(request).unwrap_err();
        assert!(error.hint.is_some(), "{error:?}");
        error.code
    };
    assert_eq!(refuse(accept(bare, &found, "a")), ErrorCode::Stale);
    let wrong = Suggestion {
        value: FieldValue::Text("somewhere".into()),
        ..found[0].clone()
    };
    assert_eq!(refuse(accept(bare, &[wrong], "b")), ErrorCode::Rule);
    let many = vec![found[0].clone(); 99];
    assert_eq!(refuse(accept(bare, &many, "c")), ErrorCode::Rule);
    let nowhere = PostingId([9; 16]);
    assert_eq!(refuse(accept(nowhere, &found, "d")), ErrorCode::NotFound);
    let unknown = engine.view(&ViewQuery::Suggestions(nowhere));
    assert!(matches!(unknown, ViewData::Failed(e) if e.code == ErrorCode::NotFound));
    assert!(
        shown(&engine, bare, &FieldKey::Location)
            .unwrap()
            .0
            .starts_with("Cork")
    );
}
