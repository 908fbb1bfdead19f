//! Old history archived and brought back in the settings: asked first, told in words, and nothing in the window differs.

use crate::desk::{self, drop_fixture, folder};
use crate::edit::dialog_is_gone;
use crate::look::{Findings, choose_theme};
use crate::support::{App, Look};
use fantoccini::key::Key;
use ghostlight_hub::Hub;
use ghostlight_model::{FieldKey, FieldValue, Micros, commit::AuthorId};
use ghostlight_store::{PersonChange, read::Order};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Edits of the title, an hour apart, the first of them in March.
const EDITS: i64 = 400;
const MARCH: i64 = 1_772_355_600_000_000;
const HOUR: i64 = 3_600_000_000;

/// A window whose one posting was edited often.
async fn edited(data: &Path) -> App {
    edited_with(data, json!({})).await
}

/// The same, with further test hooks for the window.
async fn edited_with(data: &Path, hooks: Value) -> App {
    let app = desk::open(data, json!({})).await;
    drop_fixture(&app, "full.html").await;
    app.close().await;
    let hub = Hub::open(data).expect("the data folder opens");
    let store = hub.store();
    let posting = store
        .postings(Order::Recent, 0, 1)
        .expect("the list is read")
        .rows
        .remove(0)
        .posting;
    for n in 0..EDITS {
        let change = PersonChange {
            posting,
            author: AuthorId("person-of-march".into()),
            message: String::new(),
            field: FieldKey::Title,
            value: Some(FieldValue::Text(format!("Lamp Keeper of shift {n}"))),
            key: format!("edit-{n}"),
            now: Micros(MARCH + n * HOUR),
        };
        store.commit_change(change).wait().expect("it is saved");
    }
    drop(hub);
    desk::open(data, hooks).await
}

fn files(data: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(data.join("archive")).expect("the folder is there");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths
        .filter(|path| path.extension().is_some_and(|ending| ending == "gz"))
        .collect()
}

/// Chooses all that is old, and begins.
async fn begin(app: &App) {
    ask(app).await;
    // The dialog's first button has the focus.
    app.press(Key::Enter).await;
    dialog_is_gone(app).await;
}

/// Chooses all that is old, and opens the dialog.
async fn ask(app: &App) {
    app.script(
        "const box = document.querySelector('[aria-label=\"which versions to archive\"]'); box.value = '0';
         box.dispatchEvent(new Event('change', { bubbles: true }))",
    )
    .await;
    show(app).await;
    app.click("button", "Archive…").await;
    let words = dialog_says(app, "399 versions would go").await;
    assert!(words.contains("2 old versions would stay"), "{words}");
    assert!(words.contains("Archive versions of any age?"), "{words}");
    assert!(words.contains("can be brought back"), "{words}");
}

/// Chooses all that is old, and goes through with it.
async fn archive(app: &App, found: Option<(&mut Findings, &str)>) {
    ask(app).await;
    if let Some((found, theme)) = found {
        found.look(app, theme, "archive-asked").await;
    }
    // The dialog's first button has the focus.
    app.press(Key::Enter).await;
    dialog_is_gone(app).await;
    app.wait_for_text("old history", |text| {
        text.contains("versions are archived.")
    })
    .await;
}

/// Waits until the open dialog says this, and returns all that it says.
async fn dialog_says(app: &App, words: &str) -> String {
    app.wait_until(words, async |client| {
        let text = "return document.querySelector('dialog[open]')?.innerText ?? ''";
        match client.execute(text, Vec::new()).await {
            Ok(Value::String(text)) if text.contains(words) => Look::Done(text),
            seen => Look::Seen(format!("{seen:?}")),
        }
    })
    .await
}

/// Scrolls to the group.
async fn show(app: &App) {
    app.script(
        "document.querySelector('[aria-label=\"old history\"]').scrollIntoView({ block: 'center' })",
    )
    .await;
}

async fn settings(app: &App) {
    app.press_char('3').await;
    // Until the core has answered, each figure is an ellipsis.
    app.wait_for_text("old history", |text| text.lines().all(|line| line != "…"))
        .await;
}

#[tokio::test]
async fn old_history_is_archived_and_brought_back() {
    let data = folder();
    let app = edited(data.path()).await;
    let mut found = Findings::default();
    settings(&app).await;
    let before = app.text_of("old history").await;
    assert!(before.contains("nothing"), "{before}");
    show(&app).await;
    found.look(&app, "light", "archive-nothing").await;

    // Escape is no.
    app.click("button", "Archive…").await;
    app.text_of_dialog().await;
    app.press(Key::Escape).await;
    dialog_is_gone(&app).await;
    archive(&app, Some((&mut found, "light"))).await;
    let words = app.text_of("old history").await;
    assert!(words.contains("399 versions from"), "{words}");
    assert!(
        words.contains("old versions stay in the database"),
        "{words}"
    );
    found.look(&app, "light", "archive-done").await;
    assert_eq!(files(data.path()).len(), 1);

    // The history reads on, and so does a comparison of two archived versions.
    app.press_char('1').await;
    app.click_at(
        "the posting",
        "//*[@role='option'][contains(., 'Lamp Keeper')]",
    )
    .await;
    app.named("field title").await;
    app.click("tab", "History").await;
    app.wait_for_text("history", |text| text.contains("Lamp Keeper of shift 39"))
        .await;
    app.screenshot("light-archive-history").await;

    // A file at fault is named with the way out, and everything stays where it was.
    let path = files(data.path()).remove(0);
    let kept = std::fs::read(&path).expect("it is read");
    std::fs::write(&path, &kept[..kept.len() / 2]).expect("it is cut");
    settings(&app).await;
    app.click("button", "Bring back…").await;
    app.text_of_dialog().await;
    app.press(Key::Enter).await;
    dialog_is_gone(&app).await;
    app.wait_for_text("old history", |text| {
        text.contains(".jsonl.gz") && text.contains("copy of the data folder")
    })
    .await;
    show(&app).await;
    found.look(&app, "light", "archive-damaged").await;
    std::fs::write(&path, kept).expect("it is put back");

    choose_theme(&app, "dark").await;
    settings(&app).await;
    app.click("button", "Bring back…").await;
    app.text_of_dialog().await;
    found.both(&app, "dialog-bring-back").await;
    app.press(Key::Enter).await;
    dialog_is_gone(&app).await;
    app.wait_for_text("old history", |text| {
        text.contains("399 versions are back in the database.") && text.contains("nothing")
    })
    .await;
    assert_eq!(files(data.path()).len(), 0);
    show(&app).await;
    found.look(&app, "dark", "archive-back").await;
    archive(&app, Some((&mut found, "dark"))).await;
    app.resize(660, 800).await;
    show(&app).await;
    found.look(&app, "dark", "archive-narrow").await;
    found.none();
    app.close().await;
}

#[tokio::test]
async fn archiving_is_stopped_and_nothing_is_lost_or_left() {
    let data = folder();
    let app = edited_with(data.path(), json!({ "hold_archive": true })).await;
    settings(&app).await;
    begin(&app).await;
    app.wait_for_text("old history", |text| text.contains("Archiving:"))
        .await;
    app.named("progress of old history").await;
    app.screenshot("archive-under-way").await;
    app.click("button", "Stop").await;
    app.wait_for_text("old history", |text| {
        text.contains("Stopped. Nothing was archived.") && text.contains("nothing")
    })
    .await;
    app.screenshot("archive-stopped").await;
    assert_eq!(files(data.path()).len(), 0);
    let left = std::fs::read_dir(data.path().join("archive")).expect("the folder is there");
    let left: Vec<_> = left
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    assert_eq!(left, ["lock"], "no half file");

    // Nobody holds it up now, and all of it goes.
    let app = again(app, data.path()).await;
    settings(&app).await;
    archive(&app, None).await;
    assert_eq!(files(data.path()).len(), 1);

    // And then there is nothing to begin.
    app.click("button", "Archive…").await;
    dialog_says(&app, "There is nothing to archive").await;
    app.screenshot("archive-nothing-to-do").await;
    app.press(Key::Enter).await;
    dialog_says(&app, "There is nothing to archive").await;
    app.press(Key::Escape).await;
    dialog_is_gone(&app).await;
    app.close().await;
}

/// The window anew, without hooks.
async fn again(app: App, data: &Path) -> App {
    app.close().await;
    desk::open(data, json!({})).await
}
