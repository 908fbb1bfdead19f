//! The biography of a posting through the window: what three months held, and each entry opens what it is about.

use crate::desk::{self, drop_files, ended, folder, wait_for};
use crate::edit::dialog_is_gone;
use crate::look::{Findings, choose_theme};
use crate::support::life::{Says, World, lived, page};
use fantoccini::key::Key;
use serde_json::json;

fn button(row: &str, name: &str) -> String {
    format!(
        "//*[@id='biography']//*[contains(@class,'gl-life')][contains(., '{row}')]//button[.='{name}']"
    )
}

#[tokio::test]
async fn a_posting_tells_its_life_and_each_entry_opens() {
    let data = folder();
    // The server answers on, so that the card's address still leads somewhere.
    let _world = tokio::task::spawn_blocking({
        let data = data.path().to_owned();
        move || {
            let world = World::new(&data);
            lived(&world);
            let World { server, .. } = world;
            server
        }
    })
    .await
    .expect("a life can be lived");
    let app = desk::open(data.path(), json!({})).await;
    app.click_at(
        "the posting",
        "//*[@role='option'][contains(., 'old town')]",
    )
    .await;
    app.named("field description").await;
    app.resize(1280, 1000).await;
    app.script("document.querySelector('.gl-postings').style.setProperty('--gl-drawer', '420px')")
        .await;
    app.click("tab", "Biography").await;
    let text = app
        .wait_for_text("biography", |text| text.contains("First seen"))
        .await;
    for words in [
        "Closed.",
        "HTTP 410",
        "the day of posting moved from 2 Jan 2026 to 30 Mar 2026",
        "8 weeks without a look",
        "under another id, the same text to",
        "Seen again, the text changed",
        "words new",
        "Lamp Keeper → Lamp Keeper, old town",
        "Seen again, unchanged",
        "5 Jan 2026",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let mut found = Findings::default();
    found.look(&app, "light", "biography").await;

    // What changed in the text, then all of it.
    app.click_at("the text", &button("the text changed", "Text"))
        .await;
    let changed = app
        .wait_for_text("captured text", |text| text.contains("a van of your own"))
        .await;
    assert!(
        changed.contains("share a van") && !changed.contains("pigeons"),
        "{changed}"
    );
    found.look(&app, "light", "biography-text").await;
    app.click("button", "Whole text").await;
    app.wait_for_text("captured text", |text| text.contains("pigeons"))
        .await;
    app.press(Key::Escape).await;
    dialog_is_gone(&app).await;

    // The edit, the run, the other posting.
    app.click_at("the version", &button("as their advert", "Version"))
        .await;
    app.wait_for_text("differences", |text| text.contains("old town"))
        .await;
    app.press(Key::Escape).await;
    dialog_is_gone(&app).await;
    choose_theme(&app, "dark").await;
    app.press_char('1').await;
    app.named("field description").await;
    app.click("tab", "Biography").await;
    app.wait_for_text("biography", |text| text.contains("First seen"))
        .await;
    found.look(&app, "dark", "biography").await;
    app.resize(660, 900).await;
    found.look(&app, "dark", "biography-narrow").await;
    found.none();
    app.resize(1280, 1000).await;
    app.click_at("the run", &button("First seen", "Run")).await;
    app.named("event log").await;
    app.press_char('1').await;
    app.click("tab", "Biography").await;
    app.click_at("the other posting", &button("under another id", "Open"))
        .await;
    wait_for(&app, "the other card", |seen| {
        seen["title"] == "Lamp Keeper"
    })
    .await;
    app.close().await;
}

/// The window is open while it happens: a page dropped again, changed.
#[tokio::test]
async fn a_look_that_ends_shows_at_once() {
    let (data, files) = (folder(), folder());
    let app = desk::open(data.path(), json!({})).await;
    let file = files.path().join("lamp.html");
    let write = |says: Says| {
        let page = page(says).replace(
            "</title>",
            "</title><link rel=\"canonical\" href=\"https://corbelight.example/jobs/7\">",
        );
        std::fs::write(&file, page).expect("a file can be written");
    };
    write(Says::First);
    drop_files(&app, &[&file]).await;
    ended(&app, "lamp.html").await;
    app.click("tab", "Biography").await;
    app.wait_for_text("biography", |text| text.contains("First seen"))
        .await;
    write(Says::Changed);
    drop_files(&app, &[&file]).await;
    app.wait_for_text("biography", |text| {
        text.contains("Seen again, the text changed") && text.contains("Salary")
    })
    .await;
    app.close().await;
}
