//! A bundle goes from one data folder to another through the window: taken over, taken over again after both went on,
//! and refused when somebody changed it.

use crate::desk::{self, beside, drop_files, drop_fixture, folder, postings, wait_for};
use crate::edit::set;
use crate::exports::{export, fill};
use crate::look::{Findings, choose_theme};
use crate::support::App;
use serde_json::json;
use std::path::Path;

/// Exports all postings of the window as a bundle.
async fn export_bundle(app: &App, name: &str) {
    app.press_char('5').await;
    app.named("preview").await;
    fill(app, "export-what", "bundle").await;
    app.wait_for_text("preview", |text| text.contains("ghostlight import"))
        .await;
    export(app).await;
    app.wait_for_text("exports so far", |text| {
        text.contains(name) && text.contains("1 posting")
    })
    .await;
    app.role("button", "Show the file").await;
}

async fn open_first(app: &App) {
    app.press_char('1').await;
    app.press_char('n').await;
    app.named("field description").await;
}

#[tokio::test]
async fn a_bundle_goes_from_one_folder_to_another_and_a_changed_one_is_refused() {
    let (here, there, files) = (folder(), folder(), folder());
    let (first, second) = (
        files.path().join("first.zip"),
        files.path().join("second.zip"),
    );
    let app = desk::open(here.path(), json!({ "save": first })).await;
    drop_fixture(&app, "full.html").await;
    export_bundle(&app, "first.zip").await;
    app.close().await;

    // Chosen by the dialog, in an empty folder.
    let app = desk::open(there.path(), json!({ "choose": [first] })).await;
    app.press_char('5').await;
    app.click("button", "Import a bundle…").await;
    let text = app
        .wait_for_text("imports", |text| text.contains("new"))
        .await;
    assert!(text.contains("1 posting, 1 of them new"), "{text}");
    let mut found = Findings::default();
    found.look(&app, "light", "imports").await;
    // The same once more brings nothing.
    app.click("button", "Import a bundle…").await;
    app.wait_for_text("imports", |text| text.contains("was here already"))
        .await;
    app.click("button", "Senior Backend Engineer").await;
    wait_for(&app, "the card", |seen| {
        seen["title"] == "Senior Backend Engineer"
    })
    .await;
    set(&app, "title", "Gauge Engineer", "Gauge Engineer").await;

    // A byte is another one: refused, and nothing is taken over.
    let changed = files.path().join("changed.zip");
    let mut bytes = std::fs::read(&first).expect("the bundle is there");
    bytes[140] ^= 0x55;
    std::fs::write(&changed, bytes).expect("a file can be written");
    drop_files(&app, &[Path::new(&changed)]).await;
    let text = app
        .wait_for_text("imports", |text| text.contains("Not taken over"))
        .await;
    assert!(
        text.contains("changed.zip") && text.contains("content/"),
        "{text}"
    );
    app.close().await;

    // It goes on where it came from, too.
    let app = desk::open(here.path(), json!({ "save": second })).await;
    open_first(&app).await;
    set(&app, "title", "Tide Engineer", "Tide Engineer").await;
    export_bundle(&app, "second.zip").await;
    app.close().await;

    // Dropped: the page of exports says where what came stands.
    let app = desk::open(there.path(), json!({})).await;
    drop_files(&app, &[&second]).await;
    let text = app
        .wait_for_text("imports", |text| text.contains("imported"))
        .await;
    assert!(text.contains("1 posting, 0 of them new"), "{text}");
    drop_files(&app, &[Path::new(&changed)]).await;
    app.wait_for_text("imports", |text| text.contains("Not taken over"))
        .await;
    choose_theme(&app, "dark").await;
    app.press_char('5').await;
    app.named("preview").await;
    found.look(&app, "dark", "imports").await;
    app.resize(660, 900).await;
    app.script("document.querySelector('.gl-imports').scrollIntoView()")
        .await;
    found.look(&app, "dark", "imports-narrow").await;
    found.none();
    app.resize(1280, 800).await;
    app.click("button", "Gauge Engineer").await;
    app.click("tab", "History").await;
    app.wait_for_text("history", |text| {
        text.contains("imported") && text.contains("Tide Engineer")
    })
    .await;
    app.close().await;
}

#[tokio::test]
async fn an_import_is_stopped_and_nothing_of_it_is_here() {
    let (here, there, files) = (folder(), folder(), folder());
    let bundle = files.path().join("bundle.zip");
    let app = desk::open(here.path(), json!({ "save": bundle })).await;
    drop_fixture(&app, "full.html").await;
    export_bundle(&app, "bundle.zip").await;
    app.close().await;

    let app = desk::open(there.path(), json!({ "hold_imports": true })).await;
    drop_files(&app, &[&bundle]).await;
    app.press_char('5').await;
    app.click("button", "Stop").await;
    let text = app
        .wait_for_text("imports", |text| text.contains("topped"))
        .await;
    assert!(text.contains("bundle.zip"), "{text}");
    app.screenshot("import-stopped").await;
    assert_eq!(postings(&beside(there.path())).len(), 0);
    app.close().await;
}
