//! Other programs that connect to the window itself: turned on in the settings, published to over a real socket by a
//! program that knows the protocol and nothing else, and turned off.

use crate::desk::{self, folder};
use crate::look::{Findings, choose_theme};
use crate::support::App;
use serde_json::json;
use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    time::Duration,
};

const STATUS: &str = "whether programs can connect";

async fn go_to_settings(app: &App) {
    app.press_char('3').await;
    app.named("other programs").await;
    show(app).await;
}

/// Brings the group into sight.
async fn show(app: &App) {
    app.script("document.querySelector('fieldset[aria-label=\"other programs\"]').scrollIntoView({ block: 'center' })")
        .await;
    app.painted().await;
}

async fn switch(app: &App) {
    app.click_at(
        "the switch",
        "//fieldset[@aria-label='other programs']//input[@type='checkbox']",
    )
    .await;
}

async fn set_port(app: &App, port: u16) {
    let script = format!(
        "const box = document.querySelector('[aria-label=\"port for other programs\"]'); box.value = '{port}'; \
         box.dispatchEvent(new Event('change', {{ bubbles: true }}))"
    );
    app.script(&script).await;
}

/// The port that it says it listens at.
async fn listening(app: &App) -> u16 {
    let said = app
        .wait_for_text(STATUS, |text| text.contains("Listening at ws://127.0.0.1:"))
        .await;
    let digits = said.split("127.0.0.1:").nth(1).expect("an address");
    let digits = digits.split('/').next().expect("a port");
    digits.parse().expect("a number")
}

fn token(data: &Path) -> String {
    let file = fs::read_to_string(data.join("hub-token")).expect("the file of tokens");
    file.trim().to_owned()
}

/// Posts a `publish` frame; the answer's status line.
fn publish(port: u16, token: &str, key: &str, body: &str) -> String {
    let frame =
        format!(r#"{{"type":"publish","id":1,"stream":"run/choir","key":"{key}","body":{body}}}"#);
    let mut socket = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    socket
        .set_read_timeout(Some(Duration::from_secs(20)))
        .expect("a timeout");
    write!(
        socket,
        "POST /v1/publish HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{frame}",
        frame.len()
    )
    .expect("it is sent");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).expect("an answer");
    answer
}

#[tokio::test]
async fn a_program_of_this_computer_publishes_to_the_window() {
    let data = folder();
    let app = desk::open(data.path(), json!({})).await;
    go_to_settings(&app).await;
    app.screenshot("serving-off").await;

    // Another program has the port: said in words, and nothing changes.
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("its address").port();
    set_port(&app, port).await;
    app.is_true(
        "the port stands",
        &format!("return document.querySelector('[aria-label=\"port for other programs\"]').value === '{port}'"),
    )
    .await;
    switch(&app).await;
    app.wait_for_text("notifications", |text| {
        text.contains("is in use by another program")
    })
    .await;
    assert_eq!(app.text_of(STATUS).await, "");
    drop(taken);
    switch(&app).await;
    assert_eq!(listening(&app).await, port);
    show(&app).await;
    app.screenshot("serving-on").await;

    let token = token(data.path());
    let wrong = publish(
        port,
        "a-token-of-somebody-else",
        "k0",
        r#"{"node":"PLAN","phase":"start"}"#,
    );
    assert!(wrong.starts_with("HTTP/1.1 401"), "{wrong}");
    let done = publish(port, &token, "k1", r#"{"node":"PLAN","phase":"start"}"#);
    assert!(
        done.starts_with("HTTP/1.1 200") && done.contains("accepted"),
        "{done}"
    );

    let mut found = Findings::default();
    for theme in ["light", "dark"] {
        choose_theme(&app, theme).await;
        go_to_settings(&app).await;
        found.look(&app, theme, "serving").await;
        app.resize(640, 800).await;
        show(&app).await;
        found.look(&app, theme, "640-serving").await;
        app.resize(1280, 800).await;
    }
    found.none();

    // What it published is a run like any other.
    app.press_char('2').await;
    app.wait_for_text("runs", |text| text.contains("choir"))
        .await;
    app.screenshot("serving-run").await;

    go_to_settings(&app).await;
    switch(&app).await;
    app.wait_for_text(STATUS, str::is_empty).await;
    assert!(
        TcpStream::connect(("127.0.0.1", port)).is_err(),
        "nobody listens"
    );
}
