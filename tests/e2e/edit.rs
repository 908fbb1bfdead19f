//! Editing in place: by keyboard alone, saved when typing rests, refused in sentences, kept where it cannot be saved.

use crate::desk::{self, beside_first, drop_fixture, folder, snapshot, value, wait_for};
use crate::look::{Findings, choose_theme};
use crate::support::{App, Look};
use fantoccini::key::Key;
use serde_json::{Value, json};
use std::path::Path;

/// Puts the focus on a row, beside its links, and opens its editor.
pub async fn edit(app: &App, field: &str) {
    app.script(&format!("document.getElementById('field-{field}').focus()"))
        .await;
    focus_is(app, &format!("field-{field}")).await;
    app.press(Key::Enter).await;
    app.named(&format!("edit {field}")).await;
}

/// Types in place of what the editor holds.
pub async fn retype(app: &App, text: &str) {
    app.script("document.activeElement.select()").await;
    app.type_keys(text).await;
}

pub async fn focus_is(app: &App, id: &str) {
    app.wait_until(&format!("the focus on {id}"), async |client| {
        let has = "return document.activeElement.id || document.activeElement.ariaLabel";
        match client.execute(has, Vec::new()).await {
            Ok(Value::String(seen)) if seen == id => Look::Done(()),
            seen => Look::Seen(format!("{seen:?}")),
        }
    })
    .await;
}

pub async fn shows(app: &App, field: &str, wanted: &str) -> Value {
    wait_for(app, &format!("{wanted} in {field}"), |seen| {
        value(seen, field).starts_with(wanted)
            && seen["fields"][field]["state"].as_str() == Some("found")
    })
    .await
}

/// What the editor says below its input.
pub async fn says(app: &App, words: &str) {
    app.wait_until(&format!("the editor says {words:?}"), async |client| {
        let script = "return document.querySelector('.gl-edit__says')?.textContent ?? null";
        match client.execute(script, Vec::new()).await {
            Ok(Value::String(seen)) if seen.contains(words) => Look::Done(()),
            seen => Look::Seen(format!("{seen:?}")),
        }
    })
    .await;
}

/// Waits until the open dialog says this.
pub async fn dialog_says(app: &App, words: &str) {
    app.wait_until(words, async |client| {
        let text = "return document.querySelector('dialog[open]')?.innerText ?? null";
        match client.execute(text, Vec::new()).await {
            Ok(Value::String(text)) if text.contains(words) => Look::Done(()),
            seen => Look::Seen(format!("{seen:?}")),
        }
    })
    .await;
}

/// What the core holds of a field: the number of changes of the only posting, and its drafts.
fn stored(data: &Path) -> (u32, Vec<(String, String)>) {
    let (store, posting) = beside_first(data);
    let card = store.posting(posting).expect("a card").expect("a card");
    let drafts = store.drafts(posting).expect("drafts").into_iter();
    let drafts = drafts.map(|draft| (draft.field.to_string(), draft.text));
    (card.card.version, drafts.collect())
}

async fn stored_is(data: &Path, what: &str, good: impl Fn(&(u32, Vec<(String, String)>)) -> bool) {
    for _ in 0..200 {
        if good(&stored(data)) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("{what}: {:?}", stored(data));
}

#[tokio::test]
async fn a_value_is_edited_by_keyboard_and_saved_when_typing_rests() {
    let data = folder();
    let app = desk::open(data.path(), json!({})).await;
    drop_fixture(&app, "full.html").await;
    let (before, _) = stored(data.path());

    // Enter opens, a mistake is said while it is typed, Enter does not take it.
    edit(&app, "salary").await;
    focus_is(&app, "edit salary").await;
    retype(&app, "60k-50k EUR per year").await;
    says(&app, "above the upper amount").await;
    app.press(Key::Enter).await;
    focus_is(&app, "edit salary").await;
    app.screenshot("edit-wrong").await;
    retype(&app, "50k-60k EUR per year").await;
    says(&app, "Understood as 50").await;
    app.press(Key::Enter).await;
    let seen = shows(&app, "salary", "50 000–60 000 EUR / year").await;
    assert_eq!(seen["fields"]["salary"]["source"], "Typed by you");
    focus_is(&app, "field-salary").await;
    app.screenshot("edit-saved").await;

    // Without Enter: it is saved once typing rests, and the editor stays where it is.
    edit(&app, "company").await;
    retype(&app, "Quillmarsh & Daughters").await;
    stored_is(data.path(), "saved when typing rests", |(version, _)| {
        *version == before + 2
    })
    .await;
    focus_is(&app, "edit company").await;
    // Tab goes on to the next field, Esc gives up what is not saved.
    app.press(Key::Tab).await;
    focus_is(&app, "edit location").await;
    shows(&app, "company", "Quillmarsh & Daughters").await;
    retype(&app, "  ").await;
    says(&app, "The value is empty").await;
    app.press(Key::Escape).await;
    focus_is(&app, "field-location").await;
    shows(&app, "location", "Dublin, Leinster, IE").await;

    // A doubt is said and does not block whoever is sure.
    edit(&app, "salary").await;
    retype(&app, "48000 EUR per hour").await;
    says(&app, "what is usual").await;
    app.screenshot("edit-doubt").await;
    app.click("button", "Save all the same").await;
    stored_is(
        data.path(),
        "saved in spite of the doubt",
        |(version, _)| *version == before + 3,
    )
    .await;
    focus_is(&app, "field-salary").await;
    shows(&app, "salary", "48 000 EUR / hour").await;
    // Withdrawn, what the page says stands again.
    edit(&app, "salary").await;
    app.click("button", "Withdraw my value").await;
    let seen = shows(&app, "salary", "72 000–88 000 EUR / year").await;
    assert!(seen["fields"]["salary"]["source"].as_str() != Some("Typed by you"));
    let (after, drafts) = stored(data.path());
    assert_eq!((after, drafts), (before + 4, Vec::new()), "a commit each");
    app.close().await;
}

#[tokio::test]
async fn every_kind_of_field_has_its_editor_in_both_themes() {
    let data = folder();
    let app = desk::open(data.path(), json!({})).await;
    drop_fixture(&app, "full.html").await;
    let mut found = Findings::default();
    for theme in ["light", "dark"] {
        choose_theme(&app, theme).await;
        app.press_char('1').await;
        app.named("field description").await;
        for field in [
            "title",
            "remote",
            "employment_type",
            "salary",
            "posted_at",
            "apply_url",
            "skills",
            "description",
        ] {
            edit(&app, field).await;
            found.look(&app, theme, &format!("edit-{field}")).await;
            app.press(Key::Escape).await;
            app.wait_until_gone(&format!("edit {field}")).await;
        }
    }
    found.none();

    // A list: words are added by Enter and comma, the last goes by Backspace.
    edit(&app, "skills").await;
    app.type_keys("Lighthouse keeping,Knots").await;
    app.press(Key::Enter).await;
    app.press(Key::Backspace).await;
    app.press(Key::Enter).await;
    let seen = wait_for(&app, "the skills", |seen| {
        seen["fields"]["skills"]["titles"]
            .to_string()
            .contains("Lighthouse keeping")
            && seen["fields"]["skills"]["source"] == "Typed by you"
    })
    .await;
    let titles = seen["fields"]["skills"]["titles"].to_string();
    assert!(!titles.contains("Knots"), "{titles}");

    // A choice and several of a set, by the keyboard.
    edit(&app, "remote").await;
    app.type_keys("onsite").await;
    app.press(Key::Enter).await;
    shows(&app, "remote", "onsite").await;
    edit(&app, "employment_type").await;
    app.click("button", "part time").await;
    app.press(Key::Escape).await;
    shows(&app, "employment_type", "full time, part time").await;

    // Narrow: the editor stays whole.
    app.resize(660, 800).await;
    app.click("tab", "Card").await;
    edit(&app, "salary").await;
    retype(&app, "48000 EUR per hour").await;
    says(&app, "what is usual").await;
    app.screenshot("edit-narrow").await;
    app.close().await;
}

#[tokio::test]
async fn what_is_typed_survives_a_kill_and_is_offered_back() {
    let data = folder();
    let app = desk::open(data.path(), json!({})).await;
    drop_fixture(&app, "full.html").await;
    edit(&app, "posted_at").await;
    retype(&app, "soon").await;
    stored_is(data.path(), "the draft", |(_, drafts)| {
        *drafts == [("posted_at".to_owned(), "soon".to_owned())]
    })
    .await;
    // In the middle of typing.
    app.type_keys("ish").await;
    let app = app.restart().await;
    app.wait_for_text("connection", |text| text.contains("Ready"))
        .await;
    let left = "Not saved: “soon”";
    app.wait_for_text("field posted_at", |text| text.contains(left))
        .await;
    app.screenshot("edit-draft").await;
    app.click("button", "Go on typing").await;
    focus_is(&app, "edit posted_at").await;
    says(&app, "not a day").await;
    retype(&app, "2026-03-05").await;
    app.press(Key::Enter).await;
    shows(&app, "posted_at", "5 Mar 2026").await;
    assert_eq!(stored(data.path()).1, Vec::new());
    let row = app.text_of("field posted_at").await;
    assert!(!row.contains("Not saved"), "{row}");
    app.close().await;
}

#[tokio::test]
async fn another_answer_is_taken_where_two_stand() {
    let data = folder();
    let app = desk::open(data.path(), json!({})).await;
    drop_fixture(&app, "conflict.html").await;
    let seen = snapshot(&app).await;
    let disputed = seen["fields"].as_object().and_then(|fields| {
        let mut fields = fields.iter();
        fields.find(|(_, field)| field["state"] == "two answers")
    });
    let (key, _) = disputed.expect("a field with two answers");
    let key = key.clone();
    let standing = value(&seen, &key).to_owned();
    let row = format!("//*[@id='field-{key}']");
    app.click_at("compare", &format!("{row}//button[contains(., 'compare')]"))
        .await;
    app.click_at(
        "the other answer",
        &format!("{row}//button[. = 'Use this']"),
    )
    .await;
    let seen = wait_for(&app, "the other answer", |seen| {
        seen["fields"][&key]["source"] == "Typed by you" && seen["fields"][&key]["state"] == "found"
    })
    .await;
    assert_ne!(value(&seen, &key), standing);
    app.close().await;
}

/// The rows of the history, from the latest.
pub async fn history_says(app: &App, what: &str, good: impl Fn(&str) -> bool) -> String {
    app.click("tab", "History").await;
    let text = app.wait_for_text("history", good).await;
    app.screenshot(&format!("history-{what}")).await;
    text
}

/// Waits until no dialog is open.
pub async fn dialog_is_gone(app: &App) {
    app.wait_until("no dialog", async |client| {
        let open = "return document.querySelector('dialog[open]') !== null";
        match client.execute(open, Vec::new()).await {
            Ok(Value::Bool(false)) => Look::Done(()),
            seen => Look::Seen(format!("{seen:?}")),
        }
    })
    .await;
}

/// Edits a field, and waits until the card shows it.
pub async fn set(app: &App, field: &str, text: &str, shown: &str) {
    edit(app, field).await;
    retype(app, text).await;
    app.press(Key::Enter).await;
    shows(app, field, shown).await;
}

/// Puts the focus on a button and presses it with Enter.
async fn press_button(app: &App, xpath: &str) {
    let quoted = serde_json::to_string(xpath).expect("a text");
    app.wait_until("a button", async |client| {
        let script = format!(
            "const found = document.evaluate({quoted}, document, null, 9, null).singleNodeValue;
             found?.focus(); return found !== null && document.activeElement === found"
        );
        match client.execute(&script, Vec::new()).await {
            Ok(Value::Bool(true)) => Look::Done(()),
            seen => Look::Seen(format!("{seen:?}")),
        }
    })
    .await;
    app.press(Key::Enter).await;
}

pub async fn with_ctrl(app: &App, key: char, shift: bool) {
    let held = if shift { ", shiftKey: true" } else { "" };
    app.script(&format!(
        "document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {{ key: '{key}', ctrlKey: true{held}, bubbles: true, cancelable: true }}))"
    ))
    .await;
}

#[tokio::test]
async fn changes_are_taken_back_also_after_a_restart_and_done_again() {
    let data = folder();
    let app = desk::open(data.path(), json!({})).await;
    drop_fixture(&app, "full.html").await;
    set(&app, "company", "Quillmarsh & Sons", "Quillmarsh & Sons").await;
    set(&app, "title", "Tide Gauge Engineer", "Tide Gauge Engineer").await;
    with_ctrl(&app, 'z', false).await;
    shows(&app, "title", "Senior Backend Engineer").await;
    let app = app.restart().await;
    app.wait_for_text("connection", |text| text.contains("Ready"))
        .await;
    shows(&app, "company", "Quillmarsh & Sons").await;
    with_ctrl(&app, 'z', false).await;
    shows(&app, "company", "Quillmarsh Instruments").await;
    with_ctrl(&app, 'Z', true).await;
    shows(&app, "company", "Quillmarsh & Sons").await;
    let text = history_says(&app, "undo", |text| text.contains("did again")).await;
    assert_eq!(text.matches("took back").count(), 2, "{text}");
    // There is a reason where nothing can be taken back.
    app.click("button", "Redo").await;
    shows(&app, "title", "Tide Gauge Engineer").await;
    with_ctrl(&app, 'y', false).await;
    app.wait_for_text("notifications", |text| !text.trim().is_empty())
        .await;
    // A field's own history, from the field.
    app.script("document.getElementById('field-company').focus()")
        .await;
    app.press_char('h').await;
    app.wait_for_text("history", |text| {
        text.contains("Quillmarsh & Sons") && !text.contains("Tide Gauge")
    })
    .await;
    app.screenshot("history-field").await;
    app.close().await;
}

#[tokio::test]
async fn branches_are_merged_with_what_somebody_decides() {
    let data = folder();
    let app = desk::open(data.path(), json!({})).await;
    drop_fixture(&app, "full.html").await;
    let mut found = Findings::default();
    app.click("tab", "History").await;
    app.click("button", "New branch…").await;
    app.type_at("the name", "//*[@id='branch-name']", "second-look")
        .await;
    found.look(&app, "light", "dialog-branch").await;
    app.click("button", "Begin the branch").await;
    dialog_is_gone(&app).await;
    history_says(&app, "branch", |text| text.contains("second-look")).await;
    set(&app, "title", "Tide Engineer", "Tide Engineer").await;
    set(&app, "company", "Quillmarsh & Sons", "Quillmarsh & Sons").await;
    // Back on main: what the branch changed is not there.
    let switch = |name: &str| {
        format!(
            "const s = document.querySelector('select[aria-label=Branch]'); s.value = '{name}'; s.dispatchEvent(new Event('change', {{ bubbles: true }}))"
        )
    };
    app.script(&switch("main")).await;
    shows(&app, "title", "Senior Backend Engineer").await;
    set(&app, "title", "Gauge Engineer", "Gauge Engineer").await;
    app.click("button", "Merge…").await;
    app.named("conflict title").await;
    found.look(&app, "light", "dialog-merge").await;
    app.click_at(
        "theirs",
        "//fieldset[@aria-label='conflict title']//label[contains(., 'second-look')]",
    )
    .await;
    app.click_at("Merge", "//dialog//button[normalize-space(.)='Merge']")
        .await;
    dialog_is_gone(&app).await;
    shows(&app, "title", "Tide Engineer").await;
    shows(&app, "company", "Quillmarsh & Sons").await;
    history_says(&app, "merge", |text| text.contains("merged")).await;

    // The first version compared with now, then brought back.
    let last =
        "(//*[@id='history']//div[contains(@class,'gl-commit ') or @class='gl-commit'])[last()]";
    app.click_at("Compare", &format!("{last}//button[.='Compare']"))
        .await;
    app.named("differences").await;
    found.look(&app, "light", "dialog-compare").await;
    app.press(Key::Escape).await;
    dialog_is_gone(&app).await;
    // Any two: the first with the one after it, by keyboard; Escape gives it up.
    press_button(&app, &format!("{last}//button[.='Compare with…']")).await;
    app.press(Key::Escape).await;
    app.named("history").await;
    press_button(&app, &format!("{last}//button[.='Compare with…']")).await;
    app.screenshot("history-comparing").await;
    press_button(
        &app,
        "(//*[@id='history']//button[.='With this one'])[last()]",
    )
    .await;
    let text = app
        .wait_for_text("differences", |text| text.contains("Field"))
        .await;
    assert_eq!(text.matches("Version ").count(), 2, "{text}");
    found.look(&app, "light", "dialog-compare-two").await;
    app.press(Key::Escape).await;
    dialog_is_gone(&app).await;
    app.click_at("Restore", &format!("{last}//button[.='Restore…']"))
        .await;
    app.click_at("Restore", "//dialog//button[normalize-space(.)='Restore']")
        .await;
    dialog_is_gone(&app).await;
    shows(&app, "title", "Senior Backend Engineer").await;
    shows(&app, "company", "Quillmarsh Instruments").await;
    history_says(&app, "restore", |text| text.contains("brought back")).await;
    choose_theme(&app, "dark").await;
    app.press_char('1').await;
    app.named("field description").await;
    app.click("tab", "History").await;
    app.named("history tools").await;
    found.look(&app, "dark", "history").await;
    found.none();
    app.close().await;
}

#[tokio::test]
async fn an_unknown_name_becomes_a_field_of_ones_own_and_that_is_said() {
    let data = folder();
    let app = desk::open(data.path(), json!({})).await;
    drop_fixture(&app, "full.html").await;
    let mut found = Findings::default();
    let says = async |words: &'static str| {
        app.wait_until(words, async |client| {
            let help = "return document.getElementById('field-help')?.textContent ?? ''";
            match client.execute(help, Vec::new()).await {
                Ok(Value::String(text)) if text.contains(words) => Look::Done(()),
                seen => Look::Seen(format!("{seen:?}")),
            }
        })
        .await;
    };
    let blocked = "return document.querySelector('dialog[open] .pf-m-primary').disabled";
    app.click("button", "Add a field…").await;
    app.text_of_dialog().await;
    for (name, words) in [
        ("salary", "Salary is on the card already"),
        ("valid through", "Valid through is on the card already"),
        ("verdict", "press V"),
        ("salery", "If you mean Salary"),
        ("head count", "it becomes a field of your own"),
    ] {
        app.script("const box = document.getElementById('field-name'); box.focus(); box.select()")
            .await;
        app.type_keys(name).await;
        says(words).await;
        assert_eq!(app.script(blocked).await, true, "{name}: no value yet");
    }
    found.look(&app, "light", "dialog-field").await;
    app.script(
        "const box = document.getElementById('field-kind'); box.value = 'number';
         box.dispatchEvent(new Event('change', { bubbles: true }))",
    )
    .await;
    app.type_at("the value", "//*[@id='field-value']", "twelve")
        .await;
    app.wait_until("why it is no number", async |client| {
        let help = "return document.getElementById('field-value-help')?.textContent ?? ''";
        match client.execute(help, Vec::new()).await {
            Ok(Value::String(text)) if text.contains("is not a number") => Look::Done(()),
            seen => Look::Seen(format!("{seen:?}")),
        }
    })
    .await;
    assert_eq!(app.script(blocked).await, true);
    app.screenshot("dialog-field-wrong").await;
    app.script("document.getElementById('field-value').select()")
        .await;
    app.type_at("the value", "//*[@id='field-value']", "12")
        .await;
    app.press(Key::Enter).await;
    dialog_is_gone(&app).await;
    shows(&app, "head count", "12").await;
    history_says(&app, "head count", |text| text.contains("head count")).await;
    // It is edited, told and taken back like any other, and known by its name from now on.
    app.click("button", "Add a field…").await;
    app.type_at("the name", "//*[@id='field-name']", "Head Count")
        .await;
    says("head count is on the card already").await;
    app.press(Key::Escape).await;
    dialog_is_gone(&app).await;
    with_ctrl(&app, 'z', false).await;
    app.wait_until_gone("field head count").await;
    choose_theme(&app, "dark").await;
    app.press_char('1').await;
    app.click("button", "Add a field…").await;
    app.text_of_dialog().await;
    app.resize(660, 800).await;
    found.look(&app, "dark", "dialog-field").await;
    found.none();
    app.close().await;
}
