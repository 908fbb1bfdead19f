//! The conflict screen, by keyboard alone: each way to decide, long texts whole, and a branch that moves under it.

use crate::desk::{self, beside_first, drop_fixture, folder};
use crate::edit::{dialog_is_gone, dialog_says, focus_is, shows};
use crate::look::Findings;
use crate::support::App;
use fantoccini::key::Key;
use ghostlight_model::{FieldKey, FieldValue, Micros, PostingId, commit::AuthorId};
use ghostlight_store::{PersonChange, Store};
use serde_json::json;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// What both branches make of the description; longer than what lists show of a text.
fn description(side: &str) -> String {
    let lines = (1..=30).map(|n| format!("{n}. You keep tide gauge {n} of {side} right."));
    lines.collect::<Vec<_>>().join("\n\n")
}

/// Changes that somebody else makes by a program beside the window, on the branch that is checked out.
pub struct Beside(Store, pub PostingId);

impl Beside {
    pub fn of(data: &Path) -> Self {
        let (store, posting) = beside_first(data);
        Self(store, posting)
    }

    pub fn change(&self, field: FieldKey, value: &str) {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let since = since.expect("a clock after 1970");
        let change = PersonChange {
            posting: self.1,
            author: AuthorId("person-2".into()),
            message: String::new(),
            key: format!("{field} {value}"),
            field,
            value: Some(FieldValue::Text(value.into())),
            now: Micros(since.as_micros() as i64),
        };
        self.0.commit_change(change).wait().expect("a change");
    }

    /// What stands in a field of the card.
    pub fn value(&self, field: &FieldKey) -> Option<FieldValue> {
        let card = self.0.posting(self.1).expect("a card").expect("a card");
        let mut fields = card.card.fields.into_iter();
        let field = fields.find(|one| one.key == *field)?;
        field.chosen.map(|chosen| chosen.value)
    }
}

/// Two branches that changed title, company and description, with the dialog that merges `second-look` into `main`.
async fn conflict(app: &App, data: &Path, found: &mut Findings) -> Beside {
    drop_fixture(app, "full.html").await;
    let beside = Beside::of(data);
    beside.change(FieldKey::Description, &description("the harbour"));
    shows(
        app,
        "description",
        "1. You keep tide gauge 1 of the harbour",
    )
    .await;
    app.click("tab", "History").await;
    app.click("button", "New branch…").await;
    app.type_at("the name", "//*[@id='branch-name']", "second-look")
        .await;
    found.both(app, "dialog-branch").await;
    app.click("button", "Begin the branch").await;
    dialog_is_gone(app).await;
    for (field, value) in [
        (FieldKey::Title, "Tide Engineer".to_owned()),
        (FieldKey::Company, "Quillmarsh & Sons".to_owned()),
        (FieldKey::Description, description("the north pier")),
    ] {
        beside.change(field, &value);
    }
    shows(app, "description", "1. You keep tide gauge 1 of the north").await;
    app.script(
        "const s = document.querySelector('select[aria-label=Branch]'); s.value = 'main';
         s.dispatchEvent(new Event('change', { bubbles: true }))",
    )
    .await;
    shows(app, "title", "Senior Backend Engineer").await;
    for (field, value) in [
        (FieldKey::Title, "Gauge Engineer".to_owned()),
        (FieldKey::Company, "Quillmarsh & Daughters".to_owned()),
        (FieldKey::Description, description("the old harbour")),
    ] {
        beside.change(field, &value);
    }
    shows(app, "description", "1. You keep tide gauge 1 of the old").await;
    app.click("button", "Merge…").await;
    app.named("conflict description").await;
    beside
}

/// Goes on by Tab until the focus is where a script says; fails where it never comes there.
async fn tab_to(app: &App, what: &str, is_there: &str) {
    for _ in 0..24 {
        app.press(Key::Tab).await;
        let script = format!("const e = document.activeElement; return !!({is_there})");
        if app.script(&script).await == true {
            return;
        }
    }
    let seen = app.script("return document.activeElement.outerHTML").await;
    panic!("Tab does not lead to {what}; the focus is on {seen}");
}

async fn tab_to_field(app: &App, field: &str) {
    let there =
        format!("e.type === 'radio' && e.closest('fieldset').ariaLabel === 'conflict {field}'");
    tab_to(app, field, &there).await;
}

/// What is chosen of a field, by the radio's label; empty for nothing.
async fn chosen(app: &App, field: &str) -> String {
    let script = format!(
        "const box = document.querySelector('fieldset[aria-label=\"conflict {field}\"] input:checked');
         return box?.labels[0].firstChild.textContent ?? ''"
    );
    let chosen = app.script(&script).await;
    chosen.as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn conflicts_are_decided_by_keyboard_alone_and_long_texts_keep_their_lines() {
    let data = folder();
    let app = desk::open(data.path(), json!({})).await;
    let mut found = Findings::default();
    let beside = conflict(&app, data.path(), &mut found).await;
    dialog_says(&app, "Both changed 3 fields").await;

    // Both texts whole, with what is another than before both.
    for (side, says, gone) in [
        ("main", "the old harbour", 0),
        ("second-look", "the north pier", 30),
    ] {
        let region = format!(
            "const text = document.querySelector('[role=region][aria-label=\"Description, {side}\"]').cloneNode(true);
             const news = text.querySelectorAll('ins').length;
             const gone = [...text.querySelectorAll('del')];
             gone.forEach((one) => one.remove());
             return [text.textContent, news, gone.length]"
        );
        let seen = app.script(&region).await;
        assert_eq!(seen, json!([description(says), 30, gone]), "{side}");
    }

    // All from one side.
    tab_to(
        &app,
        "take all",
        "e.textContent === 'Take all of second-look'",
    )
    .await;
    app.press(Key::Enter).await;
    dialog_says(&app, "second-look").await;
    for field in ["title", "company", "description"] {
        assert_eq!(chosen(&app, field).await, "second-look", "{field}");
    }
    app.is_true(
        "nothing is left to decide",
        "return [...document.querySelectorAll('dialog[open] .pf-m-primary')].some((b) => b.textContent === 'Merge' && !b.disabled)",
    )
    .await;
    // But the title as it was before, and the company of this branch.
    tab_to_field(&app, "title").await;
    app.press(Key::Down).await;
    assert_eq!(chosen(&app, "title").await, "before both");
    tab_to_field(&app, "company").await;
    app.press(Key::Up).await;
    assert_eq!(chosen(&app, "company").await, "main");

    // The description is typed: an editor for long texts, with what it is to begin with, and no line lost.
    tab_to_field(&app, "description").await;
    app.press(Key::Down).await;
    app.press(Key::Down).await;
    assert_eq!(chosen(&app, "description").await, "as typed");
    tab_to(&app, "the editor", "e.tagName === 'TEXTAREA'").await;
    let text = app.script("return document.activeElement.value").await;
    assert_eq!(text, description("the old harbour"));
    app.press(Key::End).await;
    app.chord(Key::Control, Key::End.into()).await;
    app.type_keys(" Come").await;
    app.press(Key::Enter).await;
    app.press(Key::Enter).await;
    app.type_keys("and see.").await;
    let typed = format!("{} Come\n\nand see.", description("the old harbour"));
    app.is_true(
        "the text with its lines",
        &format!("return document.activeElement.value === {}", json!(typed)),
    )
    .await;
    found.both(&app, "dialog-merge-typed").await;
    app.resize(660, 800).await;
    found.both(&app, "dialog-merge-narrow").await;
    app.resize(1280, 800).await;
    // Esc leaves the editor and not the dialog; another choice keeps the text.
    app.press(Key::Escape).await;
    focus_is(&app, "merge-2-typed").await;
    app.press(Key::Up).await;
    assert_eq!(chosen(&app, "description").await, "before both");
    app.press(Key::Down).await;
    tab_to(&app, "the editor again", "e.tagName === 'TEXTAREA'").await;
    let again = app.script("return document.activeElement.value").await;
    assert_eq!(again, typed.as_str());
    tab_to(&app, "Merge", "e.textContent === 'Merge' && !e.disabled").await;
    app.press(Key::Enter).await;
    dialog_is_gone(&app).await;
    shows(&app, "title", "Senior Backend Engineer").await;
    shows(&app, "company", "Quillmarsh & Daughters").await;
    assert_eq!(
        beside.value(&FieldKey::Description),
        Some(FieldValue::Text(typed))
    );
    // Undone and merged again, it is one version; compared, the long texts stand side by side.
    app.click("tab", "History").await;
    app.wait_for_text("history", |text| text.contains("merged"))
        .await;
    app.click_at(
        "Compare",
        "(//*[@id='history']//button[.='Compare'])[last()]",
    )
    .await;
    app.named("differences").await;
    found.both(&app, "dialog-compare-long").await;
    app.press(Key::Escape).await;
    dialog_is_gone(&app).await;
    app.click_at(
        "Restore",
        "(//*[@id='history']//button[.='Restore…'])[last()]",
    )
    .await;
    app.named("differences").await;
    found.both(&app, "dialog-restore").await;
    app.press(Key::Escape).await;
    dialog_is_gone(&app).await;
    found.none();
    app.close().await;
}

#[tokio::test]
async fn a_branch_that_moves_under_a_merge_is_asked_about_again() {
    let data = folder();
    let app = desk::open(data.path(), json!({})).await;
    let mut found = Findings::default();
    let beside = conflict(&app, data.path(), &mut found).await;
    let take_all = "//dialog//button[.='Take all of main']";
    app.click_at("take all", take_all).await;
    assert_eq!(chosen(&app, "title").await, "main");
    beside.change(FieldKey::Title, "Head of Gauges");
    dialog_says(&app, "main went on while this was open").await;
    dialog_says(&app, "Merge (1 to decide)").await;
    assert_eq!(chosen(&app, "title").await, "", "it was another value");
    assert_eq!(chosen(&app, "company").await, "main", "this is what it was");
    app.wait_for_text("conflict title", |text| {
        text.contains("Head of Gauges") && text.contains("other values than those")
    })
    .await;
    found.both(&app, "dialog-merge-went-on").await;
    app.click_at(
        "the new one",
        "//fieldset[@aria-label='conflict title']//label[contains(., 'main')]",
    )
    .await;
    let merge = "//dialog//button[normalize-space(.)='Merge' and not(@disabled)]";
    app.click_at("Merge", merge).await;
    dialog_is_gone(&app).await;
    shows(&app, "title", "Head of Gauges").await;
    shows(&app, "company", "Quillmarsh & Daughters").await;
    found.none();
    app.close().await;
}

#[tokio::test]
async fn dialogs_that_ask_for_words_have_no_findings_in_both_themes() {
    let data = folder();
    let app = desk::open(data.path(), json!({})).await;
    let mut found = Findings::default();
    drop_fixture(&app, "full.html").await;
    for (action, screen) in [("Paste", "dialog-paste"), ("Outcome…", "dialog-outcome")] {
        match action {
            "Paste" => app.press_char('p').await,
            button => app.click("button", button).await,
        }
        app.text_of_dialog().await;
        found.both(&app, screen).await;
        app.resize(660, 800).await;
        app.screenshot(&format!("light-{screen}-narrow")).await;
        app.resize(1280, 800).await;
        app.press(Key::Escape).await;
        dialog_is_gone(&app).await;
    }
    found.none();
    app.close().await;
}
