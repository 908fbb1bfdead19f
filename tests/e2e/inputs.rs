//! The other ways in: the file dialog, pasted text, a typed address, and an argument of the program.

use crate::desk::{self, ended, fixture, folder, value, wait_for};
use crate::support::server::{Reply, Server};
use crate::support::{App, Launch, drag};
use fantoccini::key::Key;
use serde_json::{Value, json};

/// A posting as somebody would copy it from a browser.
const PASTED: &str = "Night Ferry Cook\nOttermill Line\nAberdeen, United Kingdom\n\
    Full-time, on site. Salary: £31,000 to £34,000 per year. Posted on 9 November 2026.\n\
    You cook for ninety passengers between Aberdeen and Lerwick, and twice a night for the crew. \
    What you bring: two years in a kitchen, a steady stomach, and a certificate in food hygiene. \
    What we offer: your own cabin, two weeks at home after two weeks at sea, and a pension. \
    Apply to Morag Sinclair: morag.sinclair@ottermill.example.\n";

#[tokio::test]
async fn a_file_is_opened_by_the_dialog() {
    let data = folder();
    let chosen = json!({ "choose": [fixture("conflict.html"), fixture("no-dates.html")] });
    let app = desk::open(data.path(), chosen).await;
    app.press_char('o').await;
    let seen = titled(&app, "Dispatch Planner").await;
    assert_eq!(seen["failure"], Value::Null);
    // The second file is in the list.
    app.wait_for_text("postings", |text| {
        text.contains("Book Conservator") && text.contains("Dispatch Planner")
    })
    .await;
    app.close().await;
}

/// The one drop that the system makes; the other tests drop by the hook.
#[tokio::test]
async fn files_dragged_from_another_program_are_analysed() {
    let data = folder();
    let app = desk::open(data.path(), json!({})).await;
    let dragged = ["no-dates.html", "full.html"].map(fixture);
    let outcome = tokio::task::spawn_blocking(move || {
        drag::files(&[dragged[0].as_path(), dragged[1].as_path()])
    })
    .await;
    assert_eq!(outcome.expect("the drag ends"), drag::Outcome::Taken);
    let seen = titled(&app, "Book Conservator").await;
    assert_eq!(seen["failure"], Value::Null);
    app.wait_for_text("postings", |text| text.contains("Senior Backend Engineer"))
        .await;
    app.close().await;
}

#[tokio::test]
async fn pasted_text_becomes_a_card() {
    let data = folder();
    let app = desk::open(data.path(), json!({})).await;
    app.press_char('p').await;
    app.screenshot("dialog-paste").await;
    app.type_at("the paste box", "//*[@id='paste-text']", PASTED)
        .await;
    app.click_at("Analyse", "//dialog//button[@type='submit']")
        .await;
    let seen = titled(&app, "Night Ferry Cook").await;
    assert_eq!(value(&seen, "salary"), "31 000–34 000 GBP / year");
    assert_eq!(value(&seen, "posted_at"), "9 Nov 2026");
    app.close().await;
}

#[tokio::test]
async fn a_typed_address_is_fetched() {
    let page = std::fs::read(fixture("full.html")).expect("a fixture");
    let server = Server::start(move |path| match path {
        "/jobs/moved" => Reply::redirect("/jobs/4821"),
        "/jobs/4821" => Reply::page(page.clone()),
        _ => Reply::status("404 Not Found"),
    });
    let data = folder();
    let app = desk::open(data.path(), json!({})).await;
    app.press_char('u').await;
    app.type_keys(&server.url("/jobs/moved")).await;
    app.press(Key::Enter).await;
    let seen = titled(&app, "Senior Backend Engineer").await;
    assert_eq!(value(&seen, "company"), "Quillmarsh Instruments");
    assert_eq!(seen["failure"], Value::Null);
    app.close().await;
}

#[tokio::test]
async fn a_file_named_at_the_start_is_shown_first() {
    let data = folder();
    let app = Launch::new(data.path())
        .env("GHOSTLIGHT_TEST", json!({ "no_samples": true }).to_string())
        .arg(fixture("no-dates.html").display().to_string())
        .open()
        .await;
    titled(&app, "Book Conservator").await;
    app.close().await;
}

async fn titled(app: &App, title: &str) -> Value {
    wait_for(app, &format!("a card titled {title:?}"), |seen| {
        seen["title"] == title
    })
    .await;
    ended(app, title).await
}
