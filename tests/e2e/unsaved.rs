//! Edits that cannot be saved at once: what is typed is never lost, whatever becomes of its save, its row or the window.

use crate::desk::{
    self, LIMIT, beside, choose, drafts, drop_fixture, drop_posting, fixture, folder, postings,
    until, value, wait_for,
};
use crate::edit::{edit, focus_is, retype, says, shows};
use crate::support::App;
use fantoccini::key::Key;
use ghostlight_engine::{Engine, Hooks, Host, Input};
use rusqlite::Connection;
use serde_json::json;
use std::{path::Path, sync::Arc, time::Instant};

/// Keeps everybody else from writing to the database, until it is dropped.
struct Busy(Connection);

impl Busy {
    fn new(data: &Path) -> Self {
        let connection = Connection::open(data.join("ghostlight.db")).expect("a database");
        connection
            .busy_timeout(LIMIT)
            .and_then(|()| connection.execute_batch("BEGIN IMMEDIATE"))
            .expect("the right to write");
        Self(connection)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.execute_batch("ROLLBACK").expect("the end of it");
    }
}

/// The value that the core holds of a field of the posting with this title.
fn held(data: &Path, title: &str, field: &str) -> String {
    let store = beside(data);
    let postings = postings(&store);
    let posting = postings.iter().find(|row| row.title == title);
    let posting = posting.expect("the posting").posting;
    let card = store
        .posting(posting)
        .expect("a card")
        .expect("a card")
        .card;
    let found = card.fields.iter().find(|one| one.key.name() == field);
    let chosen = found.and_then(|found| found.chosen.as_ref());
    chosen
        .map(|chosen| chosen.value.display())
        .unwrap_or_default()
}

/// Waits until the row of a field has these words.
async fn row_says(app: &App, field: &str, words: &str) {
    app.wait_for_text(&format!("field {field}"), |text| text.contains(words))
        .await;
}

#[tokio::test]
async fn a_save_that_fails_stands_on_its_field_and_is_tried_again() {
    let data = folder();
    let app = desk::open(data.path(), json!({})).await;
    drop_fixture(&app, "full.html").await;
    let busy = Busy::new(data.path());
    edit(&app, "company").await;
    retype(&app, "Quillmarsh & Daughters").await;
    app.press(Key::Enter).await;
    row_says(&app, "company", "saving").await;
    row_says(&app, "company", "Not saved: “Quillmarsh & Daughters”").await;
    app.screenshot("edit-failed").await;
    drop(busy);
    app.click("button", "Retry").await;
    shows(&app, "company", "Quillmarsh & Daughters").await;
    until("the save", || {
        held(data.path(), "Senior Backend Engineer", "company") == "Quillmarsh & Daughters"
    })
    .await;
    // The draft that was kept because of it went with the save.
    assert_eq!(drafts(data.path()), Vec::<String>::new());
    app.close().await;
}

#[tokio::test]
async fn what_is_typed_while_a_save_waits_is_saved_though_its_posting_goes() {
    let data = folder();
    let app = desk::open(data.path(), json!({})).await;
    let place = folder();
    let text = "Tide Clerk\nMarram Harbour Trust\nLocation: Cork, Ireland\nSalary: €42,000 per year.\n\
                Responsibilities: write down the tides. Requirements: a steady hand. Apply by email.";
    drop_posting(&app, place.path(), "Tide Clerk", text).await;
    drop_fixture(&app, "full.html").await;
    let busy = Busy::new(data.path());
    edit(&app, "company").await;
    retype(&app, "Quillmarsh").await;
    // It rests, and is on its way.
    says(&app, "Saving").await;
    app.type_keys(" and Heirs").await;
    choose(&app, "Tide Clerk").await;
    wait_for(&app, "the other card", |seen| {
        value(seen, "title") == "Tide Clerk"
    })
    .await;
    drop(busy);
    until("the save", || {
        held(data.path(), "Senior Backend Engineer", "company") == "Quillmarsh and Heirs"
    })
    .await;
    assert_eq!(drafts(data.path()), Vec::<String>::new());
    app.close().await;
}

#[tokio::test]
async fn typing_without_a_rest_outlives_kill_9() {
    let data = folder();
    let app = desk::open(data.path(), json!({})).await;
    drop_fixture(&app, "no-dates.html").await;
    edit(&app, "posted_at").await;
    // No date ever, so that nothing of it is saved; and far less than the time of a rest between two letters.
    let begun = Instant::now();
    let mut typed = String::new();
    while drafts(data.path()).is_empty() {
        assert!(
            begun.elapsed() < LIMIT,
            "nothing is kept while {typed:?} is typed"
        );
        app.type_keys("x").await;
        typed.push('x');
    }
    app.kill();
    let kept = drafts(data.path());
    assert!(typed.starts_with(&kept[0]), "{kept:?} of {typed:?}");
    let app = app.restart().await;
    row_says(&app, "posted_at", &format!("Not saved: “{}”", kept[0])).await;
    app.close().await;
}

/// The shell of an engine beside the window's.
struct Beside;

impl Host for Beside {}

#[tokio::test]
async fn a_posting_that_is_analysed_again_leaves_its_open_editor_and_offers_what_was_found() {
    let data = folder();
    let app = desk::open(data.path(), json!({})).await;
    drop_fixture(&app, "full.html").await;
    // As after a start: the card of the posting, not of the run.
    let app = app.restart().await;
    desk::ended(&app, "the posting").await;
    edit(&app, "salary").await;
    app.type_keys(" ").await;
    let page = std::fs::read_to_string(fixture("full.html")).expect("a fixture");
    let page = page.replace("72000", "76000");
    let place = folder();
    let path = place.path().join("full.html");
    std::fs::write(&path, page).expect("a page");
    let engine = Engine::open(data.path(), Arc::new(Beside), Hooks::default());
    let engine = engine.expect("an engine beside the window's");
    engine
        .analyze(Input::File(path), &mut |_| {})
        .expect("an analysis");
    // The window sees it with what it writes next: the draft.
    app.type_keys("x").await;
    row_says(&app, "salary", "just found").await;
    focus_is(&app, "edit salary").await;
    app.screenshot("edit-offer").await;
    app.close().await;
}
