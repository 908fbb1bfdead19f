//! Bad input through the window: each says which step failed, why, and what to do; nothing seen before is lost.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::desk::{
    self, FIELDS, drop_files, drop_fixture, ended, fixture, folder, state, value, wait_for,
};
use crate::support::server::{Reply, Server, refusing_url};
use crate::support::{App, Look};
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

/// The titles of the notifications on screen, errors last.
async fn toasts(app: &App) -> Vec<String> {
    let titles = app
        .script(
            "return [...document.querySelectorAll('.gl-toast .gl-strong')].map((title) => title.textContent)",
        )
        .await;
    let titles = titles.as_array().into_iter().flatten();
    titles
        .filter_map(|title| title.as_str().map(str::to_owned))
        .collect()
}

async fn toasts_are(app: &App, what: &str, wanted: impl Fn(&[String]) -> bool) -> Vec<String> {
    app.wait_until(what, async |_| {
        let seen = toasts(app).await;
        match wanted(&seen) {
            true => Look::Done(seen),
            false => Look::Seen(format!("{seen:?}")),
        }
    })
    .await
}

#[tokio::test]
async fn errors_stay_until_they_are_dismissed_and_other_notifications_for_five_seconds() {
    let data = folder();
    let app = desk::open(data.path(), json!({})).await;
    let schemes = [
        "ftp:", "gopher:", "irc:", "mailto:", "news:", "ssh:", "telnet:",
    ];
    for scheme in schemes {
        type_address(&app, &format!("{scheme}//x/")).await;
        toasts_are(&app, scheme, |seen| {
            seen.last().is_some_and(|last| last.contains(scheme))
        })
        .await;
    }
    // Four on screen, and none of the seven is gone.
    let latest = toasts(&app).await;
    assert_eq!(latest.len(), 4, "{latest:?}");
    app.press_char('3').await;
    let since = Instant::now();
    app.click("button", "Send a test notification").await;
    let sent = "Test notification sent";
    toasts_are(&app, sent, |seen| {
        seen.first().is_some_and(|one| one == sent)
    })
    .await;
    let left = toasts_are(&app, "it to go", |seen| !seen.contains(&sent.to_owned())).await;
    assert!(since.elapsed() >= Duration::from_secs(5));
    assert_eq!(left, latest);

    app.screenshot("notifications-many").await;
    app.click("button", "and 3 more errors").await;
    let all = toasts_are(&app, "all errors", |seen| seen.len() == 7).await;
    for (title, scheme) in all.iter().zip(schemes) {
        assert!(title.contains(scheme), "{title} {scheme}");
    }
    app.screenshot("notifications-all").await;
    app.click("button", &format!("Dismiss: {}", all[0])).await;
    let six = toasts_are(&app, "one to go", |seen| seen.len() == 6).await;
    assert_eq!(six, all[1..]);
    // The same error again is counted, and is the latest.
    type_address(&app, "gopher://y/").await;
    let counted = toasts_are(&app, "it to be counted", |seen| {
        seen.last().is_some_and(|last| last.ends_with("2 times"))
    })
    .await;
    assert_eq!(counted.len(), 6, "{counted:?}");
    app.click("button", "Show only the latest errors").await;
    toasts_are(&app, "the latest", |seen| seen == &counted[2..]).await;
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
