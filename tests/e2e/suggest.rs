//! Suggestions: shown where a field is empty or edited, taken and dismissed by keyboard, accepted together, remembered.

use crate::desk::{self, choose, drop_posting, folder, snapshot, value, wait_for};
use crate::edit::{dialog_is_gone, edit, focus_is, set, shows, with_ctrl};
use crate::look::{Findings, choose_theme, narrow};
use crate::support::{App, Look};
use fantoccini::key::Key;
use serde_json::{Value, json};
use std::path::Path;

/// Drops a posting of one employer, and waits for its card.
async fn posting(app: &App, folder: &Path, title: &str, place: &str) {
    let text = format!(
        "{title}\nQuillmarsh Instruments\n{place}Salary: €42,000 to €48,000 per year.\n\
         Responsibilities: trim the wicks of {title}. Requirements: a steady hand. Apply by email."
    );
    drop_posting(app, folder, title, &text).await;
}

/// Three postings that name their place, and one that does not.
async fn four(app: &App, folder: &Path) {
    for title in ["Lamp Keeper", "Lens Grinder", "Clock Winder"] {
        posting(app, folder, title, "Location: Dublin, Ireland\n").await;
    }
    posting(app, folder, "Log Keeper", "").await;
}

/// Waits until the focus is on a suggestion.
async fn on_suggestion(app: &App) {
    app.wait_until("the focus on a suggestion", async |client| {
        let has = "return document.activeElement.className";
        match client.execute(has, Vec::new()).await {
            Ok(Value::String(seen)) if seen == "gl-suggest" => Look::Done(()),
            seen => Look::Seen(format!("{seen:?}")),
        }
    })
    .await;
}

#[tokio::test]
async fn a_gap_is_filled_by_keyboard_dismissed_brought_back_and_taken_back() {
    let data = folder();
    let files = folder();
    let app = desk::open(data.path(), json!({})).await;
    four(&app, files.path()).await;
    let row = |text: &str| text.contains("Suggested: Dublin");
    app.wait_for_text("field location", row).await;
    app.screenshot("suggest-gap").await;

    // From the editor down into the list; its words say who suggests it.
    edit(&app, "location").await;
    let list = "suggestions for Location";
    let why = "3 other postings of Quillmarsh Instruments say so";
    app.wait_for_text(list, |text| text.contains(why)).await;
    app.press(Key::Down).await;
    on_suggestion(&app).await;
    app.screenshot("suggest-editor").await;
    // Up is the way back, Delete dismisses; the focus stays in the editor.
    app.press(Key::Up).await;
    focus_is(&app, "edit location").await;
    app.press(Key::Down).await;
    on_suggestion(&app).await;
    app.press(Key::Delete).await;
    focus_is(&app, "edit location").await;
    app.wait_for_text("field location", |text| {
        text.contains("not suggested here again")
    })
    .await;
    app.screenshot("suggest-dismissed").await;
    app.click("button", "Bring it back").await;
    app.wait_for_text("field location", |text| text.contains(why))
        .await;

    // Taken by Enter it is an edit like any other, and the history says why.
    app.press(Key::Escape).await;
    edit(&app, "location").await;
    app.named(list).await;
    app.press(Key::Down).await;
    on_suggestion(&app).await;
    app.press(Key::Enter).await;
    let seen = shows(&app, "location", "Dublin").await;
    assert_eq!(seen["fields"]["location"]["source"], "Typed by you");
    focus_is(&app, "field-location").await;
    app.click("tab", "History").await;
    let said = "Suggested by other postings of the employer: location";
    app.wait_for_text("history", |text| text.contains(said))
        .await;
    app.script("document.getElementById('field-location').focus()")
        .await;
    with_ctrl(&app, 'z', false).await;
    app.wait_for_text("field location", row).await;

    // Dismissed for good: it does not come back with a restart.
    edit(&app, "location").await;
    app.named(list).await;
    app.press(Key::Down).await;
    on_suggestion(&app).await;
    app.press(Key::Delete).await;
    app.wait_for_text("field location", |text| {
        text.contains("not suggested here again")
    })
    .await;
    app.press(Key::Escape).await;
    app.wait_until("the dismissal in the core", async |client| {
        let gone = "return document.querySelectorAll('.gl-card__tools button').length";
        match client.execute(gone, Vec::new()).await {
            Ok(left) if left == 2 => Look::Done(()),
            seen => Look::Seen(format!("{seen:?}")),
        }
    })
    .await;
    let app = app.restart().await;
    app.wait_for_text("connection", |text| text.contains("Ready"))
        .await;
    wait_for(&app, "the card", |seen| seen["title"] == "Log Keeper").await;
    edit(&app, "location").await;
    assert_eq!(app.count_named(list).await, 0);
    app.close().await;
}

#[tokio::test]
async fn the_surest_are_looked_at_and_accepted_together() {
    let data = folder();
    let files = folder();
    let app = desk::open(data.path(), json!({})).await;
    four(&app, files.path()).await;
    // A name that is corrected in the others.
    for title in ["Lamp Keeper", "Lens Grinder", "Clock Winder"] {
        choose(&app, title).await;
        wait_for(&app, title, |seen| {
            seen["title"] == title && seen["busy"] == "false"
        })
        .await;
        set(&app, "company", "Quillmarsh Ltd", "Quillmarsh Ltd").await;
    }
    choose(&app, "Log Keeper").await;
    let mut found = Findings::default();
    for theme in ["light", "dark"] {
        choose_theme(&app, theme).await;
        app.press_char('1').await;
        app.role("button", "Accept 1 suggestion…").await;
        // What else it could be, and how right the method was, among the details.
        app.script("document.getElementById('field-company').focus()")
            .await;
        app.press_char('a').await;
        let judged = |text: &str| {
            text.contains("corrected to this 3 times before") && text.contains("right in 0 of 3")
        };
        app.wait_for_text("field company", judged).await;
        found.look(&app, theme, "suggest-details").await;
        app.press_char('a').await;
        app.click("button", "Accept 1 suggestion…").await;
        let what = "//dialog//table[contains(., 'Company')][contains(., 'Quillmarsh Ltd')]";
        app.click_at("what it will do", what).await;
        found.look(&app, theme, "suggest-dialog").await;
        app.press(Key::Escape).await;
        dialog_is_gone(&app).await;
        app.press_char('3').await;
        app.wait_for_text("settings", |text| text.contains("Corrected"))
            .await;
        app.script("document.querySelector('.gl-accuracy').scrollIntoView()")
            .await;
        found.look(&app, theme, "suggest-accuracy").await;
        app.press_char('1').await;
    }
    app.click("button", "Accept 1 suggestion…").await;
    app.click("button", "Accept 1 suggestion above 80 %").await;
    dialog_is_gone(&app).await;
    shows(&app, "company", "Quillmarsh Ltd").await;
    app.wait_for_text("notifications", |text| {
        text.contains("1 suggestion accepted")
    })
    .await;
    app.script("document.getElementById('field-company').focus()")
        .await;
    with_ctrl(&app, 'z', false).await;
    shows(&app, "company", "Quillmarsh Instruments").await;
    let seen = snapshot(&app).await;
    assert_eq!(value(&seen, "title"), "Log Keeper");
    narrow(&app, 660, "Card").await;
    edit(&app, "company").await;
    app.named("suggestions for Company").await;
    found.look(&app, "dark", "suggest-narrow").await;
    found.none();
    app.close().await;
}
