//! Taking postings away: chosen, looked at, written, read back; what cannot be written leaves nothing.

use crate::desk::{self, drop_fixture, folder};
use crate::look::{Findings, choose_theme};
use crate::support::App;
use serde_json::json;
use std::path::Path;

/// Sets one of the form's boxes.
pub async fn fill(app: &App, id: &str, text: &str) {
    app.script(&format!(
        "const box = document.getElementById('{id}'); box.value = '{text}';
         box.dispatchEvent(new Event(box.tagName === 'SELECT' ? 'change' : 'input', {{ bubbles: true }}))"
    ))
    .await;
}

/// Presses the button.
pub async fn export(app: &App) {
    app.click("button", "Export…").await;
}

async fn open(data: &Path, target: &Path) -> App {
    let app = desk::open(data, json!({ "save": target })).await;
    drop_fixture(&app, "full.html").await;
    app.press_char('5').await;
    app.wait_for_text("preview", |text| text.contains("Senior Backend Engineer"))
        .await;
    app
}

#[tokio::test]
async fn postings_are_looked_at_and_written_as_chosen() {
    let (data, files) = (folder(), folder());
    let target = files.path().join("postings.csv");
    let app = open(data.path(), &target).await;
    let mut found = Findings::default();
    found.look(&app, "light", "exports").await;
    // A column less, seen at once.
    app.click_at(
        "a column",
        "//*[@aria-label='columns']//button[.='platform']",
    )
    .await;
    app.wait_for_text("preview", |text| !text.contains("platform"))
        .await;
    export(&app).await;
    app.wait_for_text("exports so far", |text| {
        text.contains("postings.csv") && text.contains("1 row")
    })
    .await;
    app.role("button", "Show the file").await;
    let text = std::fs::read_to_string(&target).expect("the file is there");
    assert!(text.contains("Senior Backend Engineer"), "{text}");
    assert!(!text.lines().next().unwrap_or_default().contains("platform"));

    // A day that is none is said, and nothing can be begun with it.
    fill(&app, "export-from", "soon").await;
    app.wait_for_text("exports", |text| text.contains("not a day"))
        .await;
    fill(&app, "export-from", "").await;
    fill(&app, "export-text", "nothing like it").await;
    app.wait_for_text("preview", |text| text.contains("Nothing is like that"))
        .await;
    fill(&app, "export-text", "").await;

    // Events, as JSON: the same file name is where the test's dialog puts it.
    fill(&app, "export-what", "events").await;
    fill(&app, "export-format", "json").await;
    app.wait_for_text("preview", |text| text.contains("FETCH"))
        .await;
    export(&app).await;
    app.wait_for_text("exports so far", |text| {
        text.matches("postings.csv").count() == 2 && !text.contains(" of ")
    })
    .await;
    let text = std::fs::read_to_string(&target).expect("the file is there");
    let document: serde_json::Value = serde_json::from_str(&text).expect("a document");
    assert!(document.to_string().contains("DETECT"));

    choose_theme(&app, "dark").await;
    app.press_char('5').await;
    app.named("preview").await;
    found.look(&app, "dark", "exports").await;
    found.none();
    app.resize(660, 800).await;
    app.screenshot("exports-narrow").await;
    app.close().await;
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_said_and_nothing_is_left() {
    let (data, files) = (folder(), folder());
    let target = files.path().join("gone").join("bundle.zip");
    let app = open(data.path(), &target).await;
    fill(&app, "export-what", "bundle").await;
    app.wait_for_text("preview", |text| text.contains("ghostlight import"))
        .await;
    export(&app).await;
    app.wait_for_text("exports", |text| {
        text.contains("bundle.zip") && text.contains("gone")
    })
    .await;
    app.screenshot("exports-failed").await;
    let left = std::fs::read_dir(files.path())
        .expect("the folder is there")
        .count();
    assert_eq!(left, 0, "nothing is left");
    app.close().await;
}
