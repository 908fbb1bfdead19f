//! Merges taken back: by their own command, and where an undo meets one.

use crate::desk::{self, beside_first, drop_fixture, folder};
use crate::edit::{dialog_is_gone, dialog_says, history_says, set, shows};
use crate::look::{Findings, choose_theme};
use crate::support::App;
use fantoccini::key::Key;
use ghostlight_model::{FieldKey, FieldValue, Micros, commit::AuthorId};
use ghostlight_store::PersonChange;
use serde_json::json;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

#[tokio::test]
async fn a_merge_is_taken_back_and_merged_again() {
    let data = folder();
    let app = desk::open(data.path(), json!({})).await;
    drop_fixture(&app, "full.html").await;
    let mut found = Findings::default();
    merged(&app).await;

    // Taken back to what this branch said; redo merges again.
    app.click("button", "Take back…").await;
    let text = app
        .wait_for_text("sides of the merge", |text| text.contains("second-look"))
        .await;
    assert!(text.contains("this branch"), "{text}");
    found.look(&app, "light", "dialog-unmerge").await;
    press(&app, "Take back").await;
    dialog_is_gone(&app).await;
    shows(&app, "title", "Gauge Engineer").await;
    shows(&app, "company", "Quillmarsh Instruments").await;
    history_says(&app, "undo", |text| text.contains("took back")).await;
    app.click("button", "Take back…").await;
    app.wait_for_text("sides of the merge", |text| {
        text.contains("taken back already")
    })
    .await;
    app.screenshot("dialog-unmerge-done").await;
    app.press(Key::Escape).await;
    dialog_is_gone(&app).await;
    app.click("button", "Redo").await;
    shows(&app, "company", "Quillmarsh & Sons").await;
    shows(&app, "title", "Gauge Engineer").await;

    // Somebody went on from what it brought: then it is said why not, and the other side is there to choose.
    set(
        &app,
        "company",
        "Quillmarsh & Daughters",
        "Quillmarsh & Daughters",
    )
    .await;
    choose_theme(&app, "dark").await;
    app.press_char('1').await;
    app.named("field description").await;
    app.click("tab", "History").await;
    history_says(&app, "later", |text| text.contains("Daughters")).await;
    app.click("button", "Take back…").await;
    app.wait_for_text("sides of the merge", |text| {
        text.contains("Company was changed since by you")
    })
    .await;
    let chosen = "return !!document.querySelector('dialog[open] input:checked')
        || !document.querySelector('dialog[open] .pf-m-primary').disabled";
    assert_eq!(
        app.script(chosen).await,
        false,
        "nothing is chosen for them"
    );
    app.click_at(
        "the other side",
        "//fieldset[@aria-label='sides of the merge']//label[contains(., 'second-look')]",
    )
    .await;
    app.resize(660, 800).await;
    found.look(&app, "dark", "dialog-unmerge").await;
    app.resize(1280, 800).await;
    press(&app, "Take back").await;
    dialog_is_gone(&app).await;
    shows(&app, "title", "Senior Backend Engineer").await;
    shows(&app, "company", "Quillmarsh & Daughters").await;
    found.none();
    app.close().await;
}

/// Two branches that both went on are merged: the company of `second-look`, the title of `main`.
async fn merged(app: &App) {
    app.click("tab", "History").await;
    app.click("button", "New branch…").await;
    app.type_at("the name", "//*[@id='branch-name']", "second-look")
        .await;
    app.click("button", "Begin the branch").await;
    dialog_is_gone(app).await;
    history_says(app, "branch", |text| text.contains("second-look")).await;
    set(app, "company", "Quillmarsh & Sons", "Quillmarsh & Sons").await;
    app.script(
        "const s = document.querySelector('select[aria-label=Branch]'); s.value = 'main';
         s.dispatchEvent(new Event('change', { bubbles: true }))",
    )
    .await;
    shows(app, "company", "Quillmarsh Instruments").await;
    set(app, "title", "Gauge Engineer", "Gauge Engineer").await;
    app.click("button", "Merge…").await;
    dialog_says(app, "Both went on").await;
    press(app, "Merge").await;
    dialog_is_gone(app).await;
    shows(app, "company", "Quillmarsh & Sons").await;
    history_says(app, "merge", |text| text.contains("merged")).await;
}

/// Somebody else, by a program beside the window, changes who may work from where.
fn go_on(data: &Path) {
    let (store, posting) = beside_first(data);
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let since = since.expect("a clock after 1970");
    let change = PersonChange {
        posting,
        author: AuthorId("person-2".into()),
        message: String::new(),
        field: FieldKey::Remote,
        value: Some(FieldValue::Choice("onsite".into())),
        key: "from outside".into(),
        now: Micros(since.as_micros() as i64),
    };
    store.commit_change(change).wait().expect("a change");
}

/// Clicks on a button of the open dialog as soon as it can be pressed.
async fn press(app: &App, button: &str) {
    let xpath = format!("//dialog//button[normalize-space(.)='{button}' and not(@disabled)]");
    app.click_at(button, &xpath).await;
}

#[tokio::test]
async fn an_undo_does_not_pass_a_merge_unseen() {
    let data = folder();
    let app = desk::open(data.path(), json!({})).await;
    drop_fixture(&app, "full.html").await;
    let mut found = Findings::default();
    merged(&app).await;
    // Whatever is meant is one key away: the merge, or what was done before it.
    app.chord(Key::Control, 'z').await;
    dialog_says(&app, "This merge came after your latest change").await;
    found.look(&app, "light", "dialog-undo-merge").await;
    app.press(Key::Escape).await;
    dialog_is_gone(&app).await;
    shows(&app, "title", "Gauge Engineer").await;
    app.click("button", "Undo").await;
    dialog_says(&app, "This merge came after your latest change").await;
    press(&app, "Undo my change before it").await;
    dialog_is_gone(&app).await;
    shows(&app, "title", "Senior Backend Engineer").await;
    shows(&app, "company", "Quillmarsh & Sons").await;
    app.chord(Key::Control, 'y').await;
    shows(&app, "title", "Gauge Engineer").await;

    // The branch goes on under the open dialog: it shows so, and what is chosen stays.
    app.click("button", "Take back…").await;
    dialog_says(&app, "second-look").await;
    app.click_at(
        "the other side",
        "//fieldset[@aria-label='sides of the merge']//label[contains(., 'second-look')]",
    )
    .await;
    go_on(data.path());
    dialog_says(&app, "The branch went on while this was open").await;
    let chosen =
        "return document.querySelector('dialog[open] input:checked').closest('label').innerText";
    let chosen = app.script(chosen).await;
    assert!(
        chosen.as_str().unwrap_or_default().contains("second-look"),
        "{chosen}"
    );
    choose_look(&app, &mut found).await;
    press(&app, "Take back").await;
    dialog_is_gone(&app).await;
    shows(&app, "title", "Senior Backend Engineer").await;
    shows(&app, "remote", "onsite").await;
    found.none();
    app.close().await;
}

/// Dark, without leaving the dialog.
async fn choose_look(app: &App, found: &mut Findings) {
    app.script("document.documentElement.classList.add('pf-v6-theme-dark')")
        .await;
    app.resize(660, 800).await;
    found.look(app, "dark", "dialog-unmerge-went-on").await;
    app.resize(1280, 800).await;
}

#[tokio::test]
async fn a_branch_that_only_moves_forward_says_how_to_go_back() {
    let data = folder();
    let app = desk::open(data.path(), json!({})).await;
    drop_fixture(&app, "full.html").await;
    app.click("tab", "History").await;
    app.click("button", "New branch…").await;
    app.type_at("the name", "//*[@id='branch-name']", "ahead")
        .await;
    app.click("button", "Begin the branch").await;
    dialog_is_gone(&app).await;
    set(&app, "company", "Quillmarsh & Sons", "Quillmarsh & Sons").await;
    app.script(
        "const s = document.querySelector('select[aria-label=Branch]'); s.value = 'main';
         s.dispatchEvent(new Event('change', { bubbles: true }))",
    )
    .await;
    shows(&app, "company", "Quillmarsh Instruments").await;
    app.click("button", "Merge…").await;
    dialog_says(&app, "That makes no version of its own to take back").await;
    app.screenshot("dialog-merge-forward").await;
    press(&app, "Merge").await;
    dialog_is_gone(&app).await;
    let told = app
        .wait_for_text("notifications", |text| text.contains("moved forward"))
        .await;
    assert!(told.contains("To go back, restore version"), "{told}");
    shows(&app, "company", "Quillmarsh & Sons").await;
    app.close().await;
}
