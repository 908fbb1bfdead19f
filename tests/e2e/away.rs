//! *While you were away* on pages other than that of the runs, and of feeds that do not number their events.

use serde_json::json;

use crate::desk::{self, folder};
use crate::edit::dialog_is_gone;
use crate::look::{Findings, narrow};
use crate::monitor::{add_feed, fill, reconnect_now, says};
use crate::support::{
    message_server::MessageServer,
    studio::{Studio, TOKEN},
};

#[tokio::test]
async fn every_page_tells_what_happened_while_a_feed_was_away() {
    let data = folder();
    let mut studio = Studio::open();
    studio.publish("song-1", &[json!({"node": "PLAN", "phase": "start"})]);
    let app = desk::open(data.path(), json!({"digest_after_ms": 0})).await;
    add_feed(&app, &studio.url(), "Studio", TOKEN).await;
    says(&app, "connection", "Live · Studio").await;
    dialog_is_gone(&app).await;
    studio.stop();
    says(&app, "connection", "Reconnecting").await;
    app.press_char('1').await;
    desk::drop_fixture(&app, "full.html").await;
    studio.publish(
        "song-1",
        &[
            json!({"node": "PLAN", "phase": "end"}),
            json!({"node": "run", "phase": "end"}),
        ],
    );
    studio.serve();
    reconnect_now(&app).await;
    let said = says(&app, "while you were away", "nothing is missing").await;
    assert!(said.contains("2 events · 1 ended well"), "{said}");
    let mut found = Findings::default();
    found.both(&app, "away-postings").await;
    // It covers nothing: the page begins below it.
    let below = "const digest = document.querySelector('.gl-digest').getBoundingClientRect();
        const page = document.querySelector('.gl-main > :last-child').getBoundingClientRect();
        return page.top >= digest.bottom - 1 && page.bottom <= innerHeight + 1";
    app.is_true("the page below", below).await;
    for page in ['3', '4', '5'] {
        app.press_char(page).await;
        says(&app, "while you were away", "nothing is missing").await;
    }
    app.press_char('1').await;
    narrow(&app, 640, "Card").await;
    found.both(&app, "away-640").await;
    app.resize(1280, 800).await;
    app.click("button", "Show the runs").await;
    app.role("heading", "Runs").await;
    // There it is with its runs, and once.
    let once = "return document.querySelectorAll('.gl-digest').length === 1
        && document.querySelector('.gl-digest').textContent.includes('song-1')";
    app.is_true("the whole summary", once).await;
    app.press_char('1').await;
    app.click("button", "Put the summary away").await;
    app.wait_until_gone("while you were away").await;
    app.press_char('2').await;
    app.role("heading", "Runs").await;
    app.wait_until_gone("while you were away").await;
    found.none();
    app.close().await;
}

#[tokio::test]
async fn a_feed_that_does_not_number_its_events_tells_that_nothing_can_be_proven() {
    let data = folder();
    let server = MessageServer::start();
    let app = desk::open(data.path(), json!({"digest_after_ms": 0})).await;
    app.press_char('3').await;
    app.click("button", "Add a feed").await;
    fill(&app, "feed-url", &server.url()).await;
    fill(&app, "feed-name", "Desk").await;
    app.click("button", "Add and connect").await;
    says(&app, "connection", "Live · Desk").await;
    dialog_is_gone(&app).await;
    server.stop();
    says(&app, "connection", "Reconnecting").await;
    let server = MessageServer::at(server.address);
    reconnect_now(&app).await;
    says(&app, "connection", "Live · Desk").await;
    // On the settings, where no run is in sight.
    let said = says(&app, "while you were away", "cannot be proven").await;
    assert!(
        said.contains("Desk") && !said.contains("nothing is missing"),
        "{said}"
    );
    app.screenshot("away-unnumbered").await;
    app.click("button", "Put the summary away").await;
    app.wait_until_gone("while you were away").await;
    drop(server);
    app.close().await;
}
