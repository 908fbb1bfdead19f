//! What a person changes on a card, through the commands of the edge.
#![allow(clippy::unwrap_used)]

use ghostlight_api::{
    ErrorCode, ViewData, ViewQuery,
    command::{
        CreateBranch, EditField, Edited, FieldInput, KeepDraft, MergeBranch, MergeChoice, Redo,
        RestoreVersion, SwitchBranch, Undo, Undone,
    },
    view::{
        BranchesView, CardView, MergeKind, MergeView, Range, ReversalView, Subject, TimelineFilter,
        VersionRow,
    },
};
use ghostlight_engine::{Engine, Handle, Hooks, Host, Input};
use ghostlight_model::{CommitId, FieldKey, FieldValue, PostingId, Source, card::Chosen};
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
        (
            FieldKey::Custom(" ".into()),
            "x",
            "cannot be a field's name",
        ),
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

fn branches(engine: &Engine, posting: PostingId) -> BranchesView {
    match engine.view(&ViewQuery::Branches(posting)) {
        ViewData::Branches(branches) => *branches,
        other => panic!("no branches: {other:?}"),
    }
}

fn timeline(engine: &Engine, posting: PostingId, filter: TimelineFilter) -> Vec<VersionRow> {
    let range = Range { start: 0, len: 100 };
    match engine.view(&ViewQuery::Timeline {
        posting,
        filter,
        range,
    }) {
        ViewData::Timeline(page) => page.rows,
        other => panic!("no timeline: {other:?}"),
    }
}

fn merge_view(engine: &Engine, posting: PostingId, from: &str) -> MergeView {
    match engine.view(&ViewQuery::Merge {
        posting,
        from: from.into(),
    }) {
        ViewData::Merge(merge) => *merge,
        other => panic!("no merge: {other:?}"),
    }
}

fn title(engine: &Engine, posting: PostingId) -> String {
    chosen(engine, posting, FieldKey::Title)
        .unwrap()
        .value
        .display()
}

#[test]
fn what_was_done_is_undone_and_done_again_and_the_timeline_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    let posting = analyze(&engine);
    let found = title(&engine, posting);
    assert!(matches!(&branches(&engine, posting).undo,
        ReversalView::No(error) if error.code == ErrorCode::Declined));
    let done = engine
        .handle(typed(posting, FieldKey::Title, "Wick trimmer", "a"))
        .unwrap();
    let ready = branches(&engine, posting);
    let ReversalView::Ready(changes) = &ready.undo else {
        panic!("{ready:?}")
    };
    assert_eq!(
        (changes[0].old.as_str(), &changes[0].new),
        ("Wick trimmer", &found)
    );
    let undo = engine
        .handle(Undo {
            posting,
            past_merge: false,
            key: "b".into(),
        })
        .unwrap();
    assert_eq!(
        engine
            .handle(Undo {
                posting,
                past_merge: false,
                key: "b".into()
            })
            .unwrap(),
        undo
    );
    assert_eq!(title(&engine, posting), found);
    engine
        .handle(Redo {
            posting,
            key: "c".into(),
        })
        .unwrap();
    assert_eq!(title(&engine, posting), "Wick trimmer");
    let rows = timeline(&engine, posting, TimelineFilter::default());
    let kinds: Vec<&str> = rows.iter().map(|row| row.kind.as_str()).collect();
    assert_eq!(kinds, ["redo", "undo", "edit", "run"]);
    assert_eq!(
        (Undone::Done(rows[1].id), rows[1].about),
        (undo, done.commit)
    );
    assert_eq!(
        (rows[0].branches.as_slice(), rows[0].author.as_str()),
        (&["main".to_owned()][..], "you")
    );
    assert!(rows[0].by_person && !rows[3].by_person);
    let parts = match engine.view(&ViewQuery::TimelineParts(posting)) {
        ViewData::TimelineParts(parts) => parts,
        other => panic!("no parts: {other:?}"),
    };
    assert_eq!((parts.authors.len(), parts.more), (2, 0));
    for author in parts.authors {
        let by = TimelineFilter {
            author: Some(author.id),
            ..TimelineFilter::default()
        };
        let rows = timeline(&engine, posting, by);
        let wanted = rows.iter().filter(|row| row.author == author.name);
        assert_eq!((wanted.count(), rows.is_empty()), (rows.len(), false));
    }
    assert!(parts.fields.contains(&FieldKey::Title));
    let blame = TimelineFilter {
        field: Some(FieldKey::Title),
        ..TimelineFilter::default()
    };
    let blamed = timeline(&engine, posting, blame);
    assert!(
        blamed
            .iter()
            .all(|row| row.changes.len() == 1 && row.changes[0].field == FieldKey::Title)
    );
    assert_eq!(blamed.len(), 4);
    let compare = |before: CommitId, after: CommitId| match engine.view(&ViewQuery::Compare {
        posting,
        before,
        after,
    }) {
        ViewData::Compare(rows) => rows,
        other => panic!("{other:?}"),
    };
    let differences = compare(rows[3].id, rows[0].id);
    assert_eq!(differences.len(), 1);
    assert_eq!(
        differences[0].before.as_ref().unwrap().value.display(),
        found
    );
    assert_eq!(differences[0].after.as_ref().unwrap().author, "you");
    let restore = RestoreVersion {
        posting,
        version: rows[3].id,
        looked_at: Some(rows[3].id),
        message: String::new(),
        key: "d".into(),
    };
    assert_eq!(
        engine.handle(restore.clone()).unwrap_err().code,
        ErrorCode::Stale
    );
    let fresh = RestoreVersion {
        looked_at: Some(rows[0].id),
        ..restore
    };
    engine.handle(fresh).unwrap();
    assert_eq!(title(&engine, posting), found);
}

#[test]
fn two_branches_are_merged_with_what_somebody_decided() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    let posting = analyze(&engine);
    let create = |name: &str| CreateBranch {
        posting,
        name: name.into(),
        at: None,
        switch: true,
    };
    engine.handle(create("what-if")).unwrap();
    engine
        .handle(typed(posting, FieldKey::Title, "Wick trimmer", "a"))
        .unwrap();
    engine
        .handle(typed(posting, FieldKey::Company, "Oriel", "b"))
        .unwrap();
    engine
        .handle(SwitchBranch {
            posting,
            name: "main".into(),
        })
        .unwrap();
    assert_eq!(title(&engine, posting), "Lamp Keeper");
    assert_eq!(
        merge_view(&engine, posting, "what-if").kind,
        MergeKind::Forward
    );
    engine
        .handle(typed(posting, FieldKey::Title, "Lamp lady", "c"))
        .unwrap();
    let view = merge_view(&engine, posting, "what-if");
    assert_eq!(
        (view.kind, view.conflicts.len(), view.settled.len()),
        (MergeKind::Join, 1, 1)
    );
    let conflict = &view.conflicts[0];
    assert_eq!(conflict.ours.as_ref().unwrap().value.display(), "Lamp lady");
    assert_eq!(
        conflict.theirs.as_ref().unwrap().value.display(),
        "Wick trimmer"
    );
    let merge = |choice, key: &str| MergeBranch {
        posting,
        from: "what-if".into(),
        looked_at: Some((view.ours.head, view.theirs.head)),
        resolutions: vec![(FieldKey::Title, choice)],
        message: "both were right".into(),
        key: key.into(),
    };
    let empty = merge(MergeChoice::Text(" ".into()), "d");
    assert_eq!(engine.handle(empty).unwrap_err().code, ErrorCode::Rule);
    let undecided = MergeBranch {
        resolutions: vec![],
        ..merge(MergeChoice::Ours, "e")
    };
    assert_eq!(
        engine.handle(undecided).unwrap_err().code,
        ErrorCode::Declined
    );
    let done = engine
        .handle(merge(MergeChoice::Text("Lampist".into()), "f"))
        .unwrap();
    assert!(done.joined);
    assert_eq!(title(&engine, posting), "Lampist");
    assert_eq!(
        chosen(&engine, posting, FieldKey::Company)
            .unwrap()
            .value
            .display(),
        "Oriel"
    );
    assert_eq!(
        merge_view(&engine, posting, "what-if").kind,
        MergeKind::Nothing
    );
    let again = engine.handle(create("what-if")).unwrap_err();
    assert_eq!(
        again.code,
        ErrorCode::Declined,
        "the name is taken elsewhere"
    );
    let error = engine.view(&ViewQuery::Merge {
        posting,
        from: "none".into(),
    });
    assert!(matches!(error, ViewData::Failed(error) if error.code == ErrorCode::NotFound));
    assert!(!engine.hub().store().rebuild().wait().unwrap().drift);
}
