//! What was seen and concluded is still there after an end without farewell, also without a network.

use std::path::Path;
use std::process::Command;

use crate::desk::{self, drop_fixture, folder, value, wait_for};
use crate::support::App;
use fantoccini::key::Key;
use serde_json::{Value, json};

/// Tells the second half where the first half left its data.
const FOLDER: &str = "GHOSTLIGHT_E2E_SECOND_HALF";

/// The name of the second half, as the test runner knows it.
const SECOND_HALF: &str = "kept::second_half_without_a_network";

const NOTE: &str = "pay named, contact answers";

#[tokio::test]
async fn a_restart_without_a_network_shows_the_same_card() {
    let data = folder();
    let app = desk::open(data.path(), json!({})).await;
    drop_fixture(&app, "full.html").await;
    give_verdict(&app, 0, NOTE).await;
    let before = wait_for(&app, "the verdict on the card", |seen| {
        seen["conclusions"]
            .as_str()
            .is_some_and(|text| text.contains(NOTE))
    })
    .await;
    std::fs::write(before_file(data.path()), before.to_string()).expect("a file can be written");
    app.close().await;

    // The driver speaks to the window over a socket, so the whole second half lives without a network.
    let half = std::env::current_exe().expect("this program has a path");
    let script =
        "ip link set lo up && exec dbus-run-session -- \"$0\" --exact \"$1\" --ignored --nocapture";
    let mut cut = Command::new("unshare");
    cut.args(["--map-root-user", "--net", "sh", "-c", script])
        .arg(half)
        .arg(SECOND_HALF)
        .env(FOLDER, data.path());
    if !may_cut_the_network() {
        eprintln!("SKIPPED: the network cannot be cut here; the window is only started again");
        same_card(data.path()).await;
        return;
    }
    let ended = cut.output().expect("unshare starts");
    let said = String::from_utf8_lossy(&ended.stdout);
    assert!(
        ended.status.success() && said.contains("1 passed"),
        "{said}\n{}",
        String::from_utf8_lossy(&ended.stderr)
    );
}

/// Started by the test above, where there is no network.
#[tokio::test]
#[ignore = "the second half of another test, which starts it"]
async fn second_half_without_a_network() {
    let Some(data) = std::env::var_os(FOLDER) else {
        return;
    };
    let outside = std::net::TcpStream::connect(("192.0.2.1", 80));
    let refused = outside.expect_err("there is no network here").kind();
    assert_eq!(refused, std::io::ErrorKind::NetworkUnreachable);
    same_card(Path::new(&data)).await;
}

async fn same_card(data: &Path) {
    let before = std::fs::read_to_string(before_file(data)).expect("the first half's card");
    let before: Value = serde_json::from_str(&before).expect("the first half's card");
    let app = desk::open(data, json!({})).await;
    let after = wait_for(&app, "the card", |seen| {
        seen["title"] == before["title"] && seen["conclusions"].is_string()
    })
    .await;
    for part in ["fields", "steps", "failure", "conclusions", "assessment"] {
        assert_eq!(after[part], before[part], "{part}");
    }
    let text = app
        .wait_for_text("posting text", |text| text.contains("tide gauges"))
        .await;
    assert!(text.contains("Senior Backend Engineer"));
    app.screenshot("offline-restart").await;
    app.close().await;
}

fn before_file(data: &Path) -> std::path::PathBuf {
    data.join("card-before.json")
}

fn may_cut_the_network() -> bool {
    let mut probe = Command::new("unshare");
    probe.args(["--map-root-user", "--net", "ip", "link", "set", "lo", "up"]);
    probe.status().is_ok_and(|status| status.success())
}

#[tokio::test]
async fn a_verdict_is_given_by_keyboard_and_kept() {
    let data = folder();
    let app = desk::open(data.path(), json!({})).await;
    drop_fixture(&app, "no-dates.html").await;
    press_v(&app).await;
    app.screenshot("dialog-verdict").await;
    app.press(Key::Escape).await;
    give_verdict(&app, 1, "no contact answered").await;
    let seen = wait_for(&app, "the verdict on the card", |seen| {
        seen["conclusions"].is_string()
    })
    .await;
    concluded(&seen, &["Verdict: Doubtful", "no contact answered"]);

    app.click("button", "Outcome…").await;
    app.click_at("Applied", "//dialog//label[contains(., 'Applied')]")
        .await;
    app.click_at("Record", "//dialog//button[@type='submit']")
        .await;
    wait_for(&app, "the outcome on the card", |seen| {
        seen["conclusions"]
            .as_str()
            .is_some_and(|text| text.contains("Applied"))
    })
    .await;
    history_says(&app).await;
    app.screenshot("card-verdict").await;

    let app = app.restart().await;
    app.wait_for_text("connection", |text| text.contains("Ready"))
        .await;
    let seen = wait_for(&app, "the card after the restart", |seen| {
        seen["conclusions"].is_string()
    })
    .await;
    assert_eq!(value(&seen, "title"), "Book Conservator");
    concluded(
        &seen,
        &["Verdict: Doubtful", "no contact answered", "Applied"],
    );
    history_says(&app).await;
    app.close().await;
}

async fn history_says(app: &App) {
    app.click("tab", "History").await;
    let words = [
        "Verdict: doubtful",
        "no contact answered",
        "Outcome: applied",
        "Ghostlight",
    ];
    app.wait_for_text("history", |text| {
        words.iter().all(|word| text.contains(word))
    })
    .await;
}

fn concluded(seen: &Value, words: &[&str]) {
    let text = seen["conclusions"].as_str().unwrap_or_default();
    for word in words {
        assert!(text.contains(word), "{word:?} in {text}");
    }
}

/// `V`, so many times down, a note, Enter.
async fn give_verdict(app: &App, down: usize, note: &str) {
    press_v(app).await;
    app.press_char(' ').await;
    for _ in 0..down {
        app.press(Key::Down).await;
    }
    app.press(Key::Tab).await;
    app.type_keys(note).await;
    app.press(Key::Enter).await;
    let closed = "return document.querySelector('dialog[open]') === null";
    app.is_true("the dialog to close", closed).await;
}

/// `V` where a posting is chosen: the list shows it. Waits until the verdict's dialog has the focus.
async fn press_v(app: &App) {
    let chosen = "return document.querySelector('[role=option][aria-selected=true]') !== null";
    app.is_true("the list to show which posting is chosen", chosen)
        .await;
    app.press_char('v').await;
    let open = "return document.activeElement?.closest('dialog[open]')?.querySelector('h2')?.textContent === 'Your verdict'";
    app.is_true("the dialog", open).await;
}
