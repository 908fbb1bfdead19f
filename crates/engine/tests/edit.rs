//! What a person changes on a card, through the commands of the edge.
#![allow(clippy::unwrap_used)]

use ghostlight_api::{
    ErrorCode, ViewData, ViewQuery,
    command::{EditField, Edited, FieldInput, KeepDraft},
    view::{CardView, Subject},
};
use ghostlight_engine::{Engine, Handle, Hooks, Host, Input};
use ghostlight_model::{FieldKey, FieldValue, PostingId, Source, card::Chosen};
use std::{path::Path, sync::Arc};

struct Quiet;
impl Host for Quiet {}

const POSTING: &str = "Lamp Keeper\nQuillmarsh Instruments\nLocation: Dublin, Ireland\n\
    Full-time, on site. Salary: €42,000 to €48,000 per year.\n\
    Responsibilities: trim the wicks, keep the log. Requirements: a steady hand. Apply by email.";

fn open(folder: &Path) -> Engine {
    Engine::open(folder, Arc::new(Quiet), Hooks::default()).unwrap()
}

fn analyze(engine: &Engine) -> PostingId {
    let input = Input::Text {
        name: "pasted".into(),
        bytes: POSTING.as_bytes().to_vec(),
    };
    let runs = engine.analyze(input, &mut |_| {}).unwrap();
    card(engine, Subject::Run(runs[0].clone())).posting.unwrap()
}

fn card(engine: &Engine, subject: Subject) -> CardView {
    match engine.view(&ViewQuery::Card(subject)) {
        ViewData::Card(card) => *card,
        other => panic!("no card: {other:?}"),
    }
}

fn chosen(engine: &Engine, posting: PostingId, field: FieldKey) -> Option<Chosen> {
    let card = card(engine, Subject::Posting(posting));
    let field = card.fields.into_iter().find(|f| f.key == field);
    field.and_then(|field| field.chosen)
}

fn typed(posting: PostingId, field: FieldKey, text: &str, key: &str) -> EditField {
    EditField {
        posting,
        field,
        input: FieldInput::Text(text.into()),
        message: String::new(),
        override_warnings: false,
        key: key.into(),
    }
}

#[test]
fn what_is_typed_becomes_a_commit_and_can_be_withdrawn() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    let posting = analyze(&engine);
    let salary = || chosen(&engine, posting, FieldKey::Salary);
    let machine = salary();
    let edit = typed(posting, FieldKey::Salary, "50-55k EUR per year", "a");
    let done: Edited = engine.handle(edit.clone()).unwrap();
    assert!(done.saved && done.commit.is_some() && done.warnings.is_empty());
    assert_eq!(salary().unwrap().source, Source::User);
    assert_eq!(Some(salary().unwrap().value), done.value);
    // The same again, by the same key or another, is no second commit.
    let version = card(&engine, Subject::Posting(posting)).version;
    for key in ["a", "b"] {
        let again = EditField {
            key: key.into(),
            ..edit.clone()
        };
        assert_eq!(engine.handle(again).unwrap().commit, None);
    }
    assert_eq!(card(&engine, Subject::Posting(posting)).version, version);
    let withdraw = EditField {
        input: FieldInput::Withdraw,
        key: "c".into(),
        ..edit
    };
    assert!(engine.handle(withdraw.clone()).unwrap().commit.is_some());
    assert_eq!(salary(), machine, "what the machine found stands again");
    let again = EditField {
        key: "d".into(),
        ..withdraw
    };
    assert_eq!(engine.handle(again).unwrap().commit, None);
    drop(engine);
    let engine = open(folder.path());
    assert_eq!(chosen(&engine, posting, FieldKey::Salary), machine);
}

#[test]
fn what_cannot_stand_is_refused_in_a_sentence_and_a_warning_can_be_overridden() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    let posting = analyze(&engine);
    let before = card(&engine, Subject::Posting(posting));
    for (field, text, words) in [
        (FieldKey::Salary, "60k-50k EUR", "above the upper amount"),
        (FieldKey::Salary, "50k XYZ", "XYZ is not a known currency"),
        (FieldKey::ApplyUrl, "somewhere", "not a web address"),
        (FieldKey::Title, "  ", "empty"),
        (FieldKey::PostedAt, "soon", "not a day"),
        (FieldKey::Outcome, "applied", "one by one"),
    ] {
        let error = engine.handle(typed(posting, field, text, "x")).unwrap_err();
        assert_eq!(error.code, ErrorCode::Rule, "{text}");
        assert!(error.message.contains(words), "{text}: {error}");
        assert!(error.hint.is_some());
    }
    let wrong_kind = EditField {
        input: FieldInput::Value(FieldValue::Text("much".into())),
        ..typed(posting, FieldKey::Salary, "", "x")
    };
    assert_eq!(engine.handle(wrong_kind).unwrap_err().code, ErrorCode::Rule);
    let elsewhere = typed(PostingId([9; 16]), FieldKey::Title, "Baker", "x");
    assert_eq!(
        engine.handle(elsewhere).unwrap_err().code,
        ErrorCode::NotFound
    );
    assert_eq!(
        card(&engine, Subject::Posting(posting)),
        before,
        "nothing of it was saved"
    );

    let odd = typed(posting, FieldKey::Salary, "48000 EUR per hour", "y");
    let held = engine.handle(odd.clone()).unwrap();
    assert!(!held.saved && held.commit.is_none());
    assert_eq!(held.warnings.len(), 1);
    assert_eq!(card(&engine, Subject::Posting(posting)), before);
    let sure = EditField {
        override_warnings: true,
        ..odd
    };
    let done = engine.handle(sure).unwrap();
    assert!(done.saved && done.commit.is_some());
    assert_eq!(done.warnings, held.warnings);
}

#[test]
fn a_user_defined_field_is_a_field() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    let posting = analyze(&engine);
    let team = FieldKey::Custom("team".into());
    let done = engine
        .handle(typed(posting, team.clone(), "Light", "a"))
        .unwrap();
    assert_eq!(done.value, Some(FieldValue::Text("Light".into())));
    assert_eq!(
        chosen(&engine, posting, team).unwrap().value.display(),
        "Light"
    );
}

#[test]
fn what_is_typed_and_not_saved_is_offered_back_until_it_is_saved_or_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    let posting = analyze(&engine);
    let keep = |engine: &Engine, field: FieldKey, text: Option<&str>| {
        engine.handle(KeepDraft {
            posting,
            field,
            text: text.map(str::to_owned),
        })
    };
    let kept = |engine: &Engine| -> Vec<(FieldKey, String)> {
        let drafts = card(engine, Subject::Posting(posting)).drafts.into_iter();
        drafts.map(|draft| (draft.field, draft.text)).collect()
    };
    keep(&engine, FieldKey::Salary, Some("60k-5")).unwrap();
    keep(&engine, FieldKey::Salary, Some("60k-50k EUR")).unwrap();
    keep(&engine, FieldKey::PostedAt, Some("soon")).unwrap();
    let too_long = "x".repeat(ghostlight_model::typed::TEXT_BYTES_MAX + 1);
    let error = keep(&engine, FieldKey::Title, Some(&too_long)).unwrap_err();
    assert!(error.message.contains("shorten"), "{error}");
    // It is there after a restart, and changed nothing of the card.
    let version = card(&engine, Subject::Posting(posting)).version;
    drop(engine);
    let engine = open(folder.path());
    let both = [
        (FieldKey::PostedAt, "soon".to_owned()),
        (FieldKey::Salary, "60k-50k EUR".to_owned()),
    ];
    assert_eq!(kept(&engine), both);
    assert_eq!(card(&engine, Subject::Posting(posting)).version, version);

    keep(&engine, FieldKey::PostedAt, None).unwrap();
    assert_eq!(kept(&engine), both[1..]);
    let saved = typed(posting, FieldKey::Salary, "50k-60k EUR per year", "a");
    assert!(engine.handle(saved.clone()).unwrap().saved);
    assert_eq!(kept(&engine), []);
    // A draft of what stands already is nothing to save, and is over too.
    keep(&engine, FieldKey::Salary, Some("50k-60k EUR")).unwrap();
    let again = EditField {
        key: "b".into(),
        ..saved
    };
    assert_eq!(engine.handle(again).unwrap().commit, None);
    assert_eq!(kept(&engine), []);
}
