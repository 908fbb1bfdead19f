//! Bad input through the window: each says which step failed, why, and what to do; nothing seen before is lost.

use std::path::Path;

use crate::desk::{
    self, FIELDS, drop_files, drop_fixture, ended, fixture, folder, state, value, wait_for,
};
use crate::support::App;
use crate::support::server::{Reply, Server, refusing_url};
use fantoccini::key::Key;
use serde_json::{Value, json};

/// The smallest picture there is: one pixel (PNG).
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\0\0\0\nIDATx\x9cc\0\x01\0\0\x05\0\x01\r\n-\xb4\0\0\0\0IEND\xaeB`\x82";

#[tokio::test]
async fn files_that_are_no_postings_say_so() {
    let data = folder();
    let inputs = folder();
    let picture = inputs.path().join("picture.html");
    std::fs::write(&picture, PNG).expect("a file can be written");
    let app = desk::open(data.path(), json!({})).await;
    drop_fixture(&app, "full.html").await;
    for (path, node, words) in [
        (fixture("empty.html"), "PARSE", ["empty.html", "empty"]),
        (picture, "PARSE", ["picture.html", "HTML"]),
        (fixture("login-wall.html"), "PARSE", ["sign in", "save"]),
        (fixture("captcha.html"), "PARSE", ["check", "browser"]),
        (fixture("not-a-posting.html"), "PARSE", ["posting", "job"]),
        (
            inputs.path().join("gone.html"),
            "FETCH",
            ["cannot be read", "exists"],
        ),
        (
            inputs.path().to_owned(),
            "FETCH",
            ["folder", "files inside"],
        ),
    ] {
        let name = file_name(&path);
        drop_files(&app, &[&path]).await;
        let seen = failed(&app, &name).await;
        explained(&seen, &name, node, &words);
        app.screenshot(&format!("failed-card-{name}")).await;
    }
    the_first_card_is_still_there(&app).await;
    app.close().await;
}

#[tokio::test]
async fn addresses_that_lead_nowhere_say_so() {
    let server = Server::start(|path| match path {
        "/gone" => Reply::status("410 Gone"),
        "/broken" => Reply::status("500 Internal Server Error"),
        "/inside" => Reply::redirect("http://10.0.0.7/payroll"),
        "/loop" => Reply::redirect("/loop"),
        _ => Reply::status("404 Not Found"),
    });
    let data = folder();
    let app = desk::open(data.path(), json!({})).await;
    drop_fixture(&app, "full.html").await;
    for (url, words) in [
        (refusing_url(), ["refused", "try again"]),
        (server.url("/missing"), ["404", "taken down"]),
        (server.url("/gone"), ["410", "taken down"]),
        (server.url("/broken"), ["500", "try again"]),
        (server.url("/inside"), ["10.0.0.7", "own network"]),
        (server.url("/loop"), ["circle", "save"]),
    ] {
        type_address(&app, &url).await;
        let seen = failed(&app, &url).await;
        explained(&seen, &url, "FETCH", &words);
    }
    app.screenshot("failed-card-address").await;
    the_first_card_is_still_there(&app).await;
    app.close().await;
}

/// What is never fetched is refused at once, in a notification that stays.
#[tokio::test]
async fn other_schemes_are_refused_at_once() {
    let data = folder();
    let app = desk::open(data.path(), json!({})).await;
    drop_fixture(&app, "full.html").await;
    for (url, words) in [
        ("file:///etc/passwd", ["file:", "open it or drop it"]),
        ("javascript:alert(1)", ["javascript:", "https://"]),
    ] {
        type_address(&app, url).await;
        let seen = wait_for(&app, &format!("{url} to be refused"), |seen| {
            let said = seen["notifications"].as_str().unwrap_or_default();
            words.iter().all(|word| said.contains(word))
        })
        .await;
        assert_eq!(value(&seen, "title"), "Senior Backend Engineer");
    }
    app.screenshot("refused-address").await;
    the_first_card_is_still_there(&app).await;
    app.close().await;
}

async fn type_address(app: &App, url: &str) {
    app.press_char('u').await;
    app.type_keys(url).await;
    app.press(Key::Enter).await;
}

/// The card of this input, which failed.
async fn failed(app: &App, input: &str) -> Value {
    wait_for(app, &format!("the failure of {input}"), |seen| {
        seen["title"] == input && seen["failure"].is_string()
    })
    .await;
    ended(app, input).await
}

/// A card can never say nothing (SPEC B2): which step, why, what to do; and each field that it failed.
fn explained(seen: &Value, input: &str, node: &str, words: &[&str]) {
    let failure = seen["failure"].as_str().unwrap_or_default();
    assert!(
        failure.starts_with(&format!("{node} failed. ")),
        "{input}: {failure}"
    );
    for word in words {
        assert!(failure.contains(word), "{input}: {word:?} in {failure}");
    }
    assert!(failure.ends_with("Retry"), "{input}: {failure}");
    for key in FIELDS {
        assert_eq!(state(seen, key), "failed", "{input}: {key}");
        assert!(!value(seen, key).is_empty(), "{input}: {key} says nothing");
    }
    let step = seen["steps"].as_array().into_iter().flatten().find(|step| {
        step[0]
            .as_str()
            .is_some_and(|name| name.eq_ignore_ascii_case(node))
    });
    assert_eq!(step.map(|step| &step[1]), Some(&json!("failed")), "{input}");
}

async fn the_first_card_is_still_there(app: &App) {
    app.click_at(
        "the first posting in the list",
        "//*[@role='option'][contains(., 'Senior Backend Engineer')]",
    )
    .await;
    let seen = wait_for(app, "the first card", |seen| {
        seen["title"] == "Senior Backend Engineer" && seen["busy"] == "false"
    })
    .await;
    assert_eq!(seen["failure"], Value::Null);
    assert_eq!(value(&seen, "company"), "Quillmarsh Instruments");
    assert_eq!(state(&seen, "salary"), "found");
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}
