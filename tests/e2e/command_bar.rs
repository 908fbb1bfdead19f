//! The command bar: by keyboard alone to a command, a field, a posting and a run; what cannot be done says why, and the
//! focus goes back to where it was.

use crate::desk::{self, drop_fixture, folder, value, wait_for};
use crate::edit::dialog_is_gone;
use crate::look::{Findings, choose_theme};
use crate::support::{App, Look};
use fantoccini::key::Key;
use serde_json::{Value, json};

const FIELD: &str = "//input[@role='combobox']";

async fn open(app: &App) {
    app.chord(Key::Control, 'k').await;
    focus_is(app, "Find or do").await;
}

async fn focus_is(app: &App, name: &str) {
    app.wait_until(&format!("the focus on {name}"), async |client| {
        let has = "return document.activeElement.ariaLabel || document.activeElement.id";
        match client.execute(has, Vec::new()).await {
            Ok(Value::String(seen)) if seen == name => Look::Done(()),
            seen => Look::Seen(format!("{seen:?}")),
        }
    })
    .await;
}

/// Types in place of what the field holds, and waits until the chosen line begins so.
async fn find(app: &App, typed: &str, line: &str) {
    app.script("document.activeElement.select()").await;
    app.type_keys(typed).await;
    chosen_is(app, line).await;
}

async fn chosen_is(app: &App, line: &str) {
    app.wait_until(&format!("{line} to be chosen"), async |client| {
        let script = "const field = document.querySelector('dialog [role=combobox], [role=dialog] [role=combobox]');
            const line = document.getElementById(field?.getAttribute('aria-activedescendant'));
            return line?.getAttribute('aria-selected') === 'true' ? line.innerText : null";
        match client.execute(script, Vec::new()).await {
            Ok(Value::String(seen)) if seen.starts_with(line) => Look::Done(()),
            seen => Look::Seen(format!("{seen:?}")),
        }
    })
    .await;
}

#[tokio::test]
async fn everything_is_found_and_done_from_the_keyboard() {
    let data = folder();
    let app = desk::open(data.path(), json!({})).await;
    let mut found = Findings::default();
    app.press_char('/').await;
    focus_is(&app, "Find or do").await;
    let typed = app.script("return document.activeElement.value").await;
    assert_eq!(typed, "", "the key itself types nothing");
    app.press(Key::Escape).await;
    dialog_is_gone(&app).await;
    // Nothing is selected: what is about a posting says so, and Enter on it does nothing.
    open(&app).await;
    find(&app, "verdict", "Give a verdict").await;
    app.wait_for_text("found", |text| text.contains("No posting is selected."))
        .await;
    app.press(Key::Enter).await;
    chosen_is(&app, "Give a verdict").await;
    app.press(Key::Escape).await;
    dialog_is_gone(&app).await;

    drop_fixture(&app, "conflict.html").await;
    drop_fixture(&app, "full.html").await;
    app.script("document.getElementById('field-title').focus()")
        .await;
    open(&app).await;
    found.look(&app, "light", "command-bar").await;
    app.press(Key::Escape).await;
    dialog_is_gone(&app).await;
    focus_is(&app, "field title").await;

    // A field, with a slip of the finger; the bar goes and the editor opens.
    open(&app).await;
    find(&app, "edit locatoin", "Edit Location").await;
    app.press(Key::Enter).await;
    focus_is(&app, "edit location").await;
    app.press(Key::Escape).await;
    focus_is(&app, "field location").await;

    // It opens while somebody types, too; the arrows go round.
    app.press(Key::Enter).await;
    focus_is(&app, "edit location").await;
    open(&app).await;
    chosen_is(&app, "Open a file").await;
    app.press(Key::Up).await;
    app.press(Key::Down).await;
    chosen_is(&app, "Open a file").await;
    app.press(Key::Down).await;
    chosen_is(&app, "Analyse an address").await;
    app.press(Key::Escape).await;
    dialog_is_gone(&app).await;

    // The other posting, by employer and title, from another page.
    app.script("document.activeElement.blur()").await;
    app.press_char('5').await;
    app.named("exports").await;
    open(&app).await;
    find(&app, "dispatch plan", "Dispatch Planner").await;
    found.look(&app, "light", "command-bar-found").await;
    app.press(Key::Enter).await;
    wait_for(&app, "the other card", |seen| {
        value(seen, "title").starts_with("Dispatch Planner")
    })
    .await;
    dialog_is_gone(&app).await;

    // A run in the monitor.
    open(&app).await;
    find(&app, "full html", "full.html").await;
    app.press(Key::Enter).await;
    app.named("event log").await;
    dialog_is_gone(&app).await;

    // From there, what is about the posting goes to it.
    open(&app).await;
    find(&app, "history", "Show the history").await;
    app.press(Key::Enter).await;
    app.named("history tools").await;
    dialog_is_gone(&app).await;

    // The bar finds what the sheet of shortcuts lists, with its keys.
    open(&app).await;
    find(&app, "keys", "Show the keyboard shortcuts").await;
    app.press(Key::Enter).await;
    let sheet = app.text_of_dialog().await;
    for line in ["Open a file", "Ctrl K", "Shift Ctrl Z", "Edit a field"] {
        assert!(sheet.contains(line), "{line}: {sheet}");
    }
    app.press(Key::Escape).await;
    dialog_is_gone(&app).await;

    // The theme, and what is called nothing.
    choose_theme(&app, "dark").await;
    open(&app).await;
    find(&app, "theme", "Theme as the system").await;
    app.wait_for_text("found", |text| text.contains("It is dark."))
        .await;
    found.look(&app, "dark", "command-bar").await;
    app.script("document.activeElement.select()").await;
    app.type_at("nothing", FIELD, "zzyzx").await;
    app.wait_until("nothing found", async |client| {
        let text = "return document.querySelector('.gl-command').innerText";
        match client.execute(text, Vec::new()).await {
            Ok(Value::String(text)) if text.contains("Nothing is called that") => Look::Done(()),
            seen => Look::Seen(format!("{seen:?}")),
        }
    })
    .await;
    found.look(&app, "dark", "command-bar-empty").await;
    app.press(Key::Escape).await;
    dialog_is_gone(&app).await;
    app.resize(660, 800).await;
    app.click_at("Find or do", "//button[contains(@class, 'gl-find')]")
        .await;
    focus_is(&app, "Find or do").await;
    find(&app, "undo", "Undo").await;
    found.look(&app, "dark", "command-bar-narrow").await;
    found.none();
    app.close().await;
}
