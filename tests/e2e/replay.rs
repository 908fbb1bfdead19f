//! *As known then*: the slider takes the card back to any event of its run, read only, and back to now.

use crate::desk::{self, STEPS, drop_fixture, folder, snapshot, wait_for};
use crate::edit::{edit, focus_is, set};
use crate::look::{Findings, choose_theme, narrow};
use crate::support::App;
use fantoccini::key::Key;
use serde_json::{Value, json};

/// The states of the steps.
fn states(seen: &Value) -> Vec<&str> {
    let steps = seen["steps"].as_array().into_iter().flatten();
    steps.filter_map(|step| step[1].as_str()).collect()
}

async fn says(app: &App, words: &str) -> String {
    app.wait_for_text("as known then", |text| text.contains(words))
        .await
}

#[tokio::test]
async fn the_card_is_taken_back_to_any_moment_by_keyboard() {
    let data = folder();
    let app = desk::open(data.path(), json!({})).await;
    let ended = drop_fixture(&app, "full.html").await;
    // What was decided since the run was not known then.
    set(&app, "company", "Quillmarsh & Sons", "Quillmarsh & Sons").await;
    let present = snapshot(&app).await;
    app.click("button", "Replay").await;
    focus_is(&app, "moment").await;
    // It begins at the end of the run.
    let then = wait_for(&app, "the end of the run", |seen| {
        seen["fields"]["company"] == ended["fields"]["company"]
    })
    .await;
    assert_eq!(then["fields"], ended["fields"]);
    assert_eq!(then["steps"], ended["steps"]);
    says(&app, "As known at").await;

    app.press(Key::Home).await;
    let first = says(&app, "0 of 15 fields").await;
    assert!(first.contains("FETCH begins"), "{first}");
    let seen = wait_for(&app, "the first moment", |seen| {
        states(seen)[0] == "running"
    })
    .await;
    assert_eq!(states(&seen)[1..], ["waiting"; STEPS.len() - 1]);
    // Onward, one event a key, until there is a field.
    for _ in 0..60 {
        if !says(&app, "of 15 fields").await.contains(" 0 of 15") {
            break;
        }
        app.press(Key::Right).await;
    }
    let some = says(&app, "of 15 fields").await;
    assert!(!some.contains(" 0 of 15"), "{some}");
    app.screenshot("replay-middle").await;

    // Nothing can be edited there, and it says why.
    app.script("document.getElementById('field-title').focus()")
        .await;
    app.press(Key::Enter).await;
    app.wait_for_text("notifications", |text| text.contains("Go back to now"))
        .await;
    assert_eq!(app.count_named("edit title").await, 0);
    app.script("document.getElementById('moment').focus()")
        .await;
    app.press(Key::End).await;
    wait_for(&app, "the end again", |seen| {
        seen["fields"] == ended["fields"]
    })
    .await;
    app.press(Key::Escape).await;
    app.wait_until_gone("as known then").await;
    focus_is(&app, "replay").await;
    let now = wait_for(&app, "the present", |seen| {
        seen["fields"] == present["fields"]
    })
    .await;
    assert_eq!(now["steps"], present["steps"]);
    edit(&app, "title").await;
    app.close().await;
}

#[tokio::test]
async fn the_slider_looks_right_in_both_themes_and_narrow() {
    let data = folder();
    let app = desk::open(data.path(), json!({})).await;
    drop_fixture(&app, "full.html").await;
    let mut found = Findings::default();
    for theme in ["light", "dark"] {
        choose_theme(&app, theme).await;
        app.press_char('1').await;
        app.click("button", "Replay").await;
        focus_is(&app, "moment").await;
        for _ in 0..12 {
            app.press(Key::Left).await;
        }
        says(&app, "of 15 fields").await;
        found.look(&app, theme, "replay").await;
        narrow(&app, 660, "Card").await;
        found.look(&app, theme, "replay-narrow").await;
        narrow(&app, 1280, "").await;
        app.click("button", "Back to now").await;
        app.wait_until_gone("as known then").await;
    }
    found.none();
    app.close().await;
}
