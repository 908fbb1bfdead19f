//! A message to a feed of typed messages, from the details of its connection: mistakes while typing, sent, cut, refused.

use fantoccini::{Locator, key::Key};
use serde_json::{Value, json};

use crate::desk::{self, folder};
use crate::look::{Findings, choose_theme};
use crate::monitor::{fill, says};
use crate::support::{App, Look, message_server::MessageServer};

/// Sets a feed of typed messages up.
async fn add_desk(app: &App, url: &str) {
    app.press_char('3').await;
    app.click("button", "Add a feed").await;
    fill(app, "feed-url", url).await;
    fill(app, "feed-name", "Desk").await;
    app.script(
        "const kind = document.getElementById('feed-kind'); kind.value = 'typed';
         kind.dispatchEvent(new Event('change', { bubbles: true }))",
    )
    .await;
    app.click("button", "Add and connect").await;
    says(app, "connection", "Live · Desk").await;
}

async fn details(app: &App) {
    app.click_at("the indicator", "//*[@aria-label='connection']/button[1]")
        .await;
    says(app, "send a message to Desk", "Send a message").await;
}

/// Waits until *Send* can be pressed, or cannot.
async fn sendable(app: &App, wanted: bool) {
    app.wait_until(&format!("Send: {wanted}"), async |client| {
        let look = "return !document.querySelector('.gl-send button[type=submit]').disabled";
        match client.execute(look, Vec::new()).await {
            Ok(Value::Bool(can)) if can == wanted => Look::Done(()),
            seen => Look::Seen(format!("{seen:?}")),
        }
    })
    .await;
}

#[tokio::test]
async fn a_message_is_checked_while_typing_sent_and_listed() {
    let data = folder();
    let server = MessageServer::start();
    let app = desk::open(data.path(), json!({})).await;
    add_desk(&app, &server.url()).await;
    details(&app).await;
    sendable(&app, false).await;
    // The only feed of a new folder.
    let (event, data_box) = ("send-event-1", "send-data-1");
    fill(&app, data_box, "{\"id\": 7,").await;
    says(
        &app,
        "send a message to Desk",
        "The data is not JSON: EOF while parsing",
    )
    .await;
    sendable(&app, false).await;
    app.screenshot("send-bad-json").await;
    fill(&app, data_box, "{\"id\": 7, \"status\": \"interview\"}").await;
    says(&app, "send a message to Desk", "Sent now and once").await;
    fill(&app, event, "application:status_change").await;
    sendable(&app, true).await;
    app.press(Key::Enter).await;
    says(
        &app,
        "send a message to Desk",
        "application:status_change was sent.",
    )
    .await;
    says(&app, "sent to Desk", "interview").await;
    assert_eq!(
        server.received(),
        [r#"{"event":"application:status_change","data":{"id": 7, "status": "interview"}}"#]
    );

    // The line is cut: what is typed stays, and nothing can be sent until it is there again.
    server.stop();
    says(
        &app,
        "send a message to Desk",
        "This feed is not connected.",
    )
    .await;
    sendable(&app, false).await;
    app.screenshot("send-not-connected").await;
    let again = MessageServer::at(server.address);
    app.click_at(
        "Reconnect now",
        "//*[@aria-label='feed Desk']//button[contains(., 'Reconnect now')]",
    )
    .await;
    sendable(&app, true).await;
    app.click("button", "Send").await;
    app.wait_until("two in the list", async |client| {
        let rows = Locator::XPath("//*[@aria-label='sent to Desk']/tbody/tr");
        match client.find_all(rows).await {
            Ok(rows) if rows.len() == 2 => Look::Done(()),
            seen => Look::Seen(format!("{seen:?}")),
        }
    })
    .await;
    assert_eq!(again.received().len(), 1);
    app.press(Key::Escape).await;

    let mut found = Findings::default();
    for theme in ["light", "dark"] {
        choose_theme(&app, theme).await;
        details(&app).await;
        found.look(&app, theme, "send").await;
        app.resize(640, 800).await;
        found.look(&app, theme, "640-send").await;
        app.resize(1280, 800).await;
        app.press(Key::Escape).await;
        app.wait_until_gone("send a message to Desk").await;
    }
    found.none();
    app.close().await;
}
