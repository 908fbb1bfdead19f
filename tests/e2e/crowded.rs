//! Screens that are full: many messages at once, many scores, a feed's details, a narrowed log; in both themes and narrow.
//! The pictures are for reviewing by eye; what is asserted is that errors stay and nothing is cut off.

use fantoccini::key::Key;
use serde_json::{Value, json};

use crate::desk::{self, folder};
use crate::edit::dialog_is_gone;
use crate::look::Findings;
use crate::monitor::{add_feed, says};
use crate::support::{
    App,
    studio::{Studio, TOKEN},
};

/// As the core says something.
async fn notice(app: &App, kind: &str, title: &str, body: &str) {
    app.script_async(
        "const done = arguments[1];
         window.__TAURI_INTERNALS__
           .invoke('plugin:event|emit', { event: 'notice', payload: arguments[0] })
           .then(() => done(null), (error) => done(String(error)));",
        vec![json!({"kind": kind, "title": title, "body": body})],
    )
    .await;
}

async fn nothing_is_cut_off(app: &App) {
    let wider = "return document.documentElement.scrollWidth - window.innerWidth";
    assert_eq!(app.script(wider).await, 0, "nothing scrolls sideways");
}

#[tokio::test]
async fn many_messages_stack_and_errors_stay() {
    let data = folder();
    let app = desk::open(data.path(), json!({})).await;
    desk::drop_fixture(&app, "full.html").await;
    for n in 1..=6 {
        let title = format!("Studio {n} did not take the run of the {n}. of March");
        let body = "The hub is full. It waits in the outbox until you try it again or discard it.";
        notice(&app, "error", &title, body).await;
    }
    for _ in 0..2 {
        let body = "Free some space; nothing was lost.";
        notice(&app, "error", "The disk is full", body).await;
    }
    notice(
        &app,
        "warning",
        "Not queued for Studio",
        "It is not known which run that is.",
    )
    .await;
    notice(
        &app,
        "success",
        "Connection to Studio restored",
        "12 events caught up in 8 ms.",
    )
    .await;
    let said = says(&app, "notifications", "Connection to Studio restored").await;
    assert!(said.contains("The disk is full 2 times"), "{said}");
    let mut found = Findings::default();
    found.both(&app, "toasts").await;
    app.resize(640, 800).await;
    found.both(&app, "640-toasts").await;
    nothing_is_cut_off(&app).await;
    app.wait_until_gone("Dismiss: Connection to Studio restored")
        .await;
    let said = says(&app, "notifications", "The disk is full").await;
    assert!(!said.contains("Not queued"), "{said}");
    app.click_at(
        "the earlier errors",
        "//*[@aria-label='notifications']//button[@aria-expanded]",
    )
    .await;
    says(&app, "notifications", "Studio 1 did not take").await;
    found.both(&app, "640-toasts-all").await;
    app.resize(1280, 800).await;
    found.both(&app, "toasts-all").await;
    found.none();
    app.close().await;
}

fn scored(node: &str, scores: Value) -> Value {
    json!({"node": node, "phase": "end", "duration_ms": 840, "metrics": {"scores": scores}})
}

#[tokio::test]
async fn scores_details_and_a_narrowed_log() {
    let data = folder();
    let mut studio = Studio::open();
    let mut events = Vec::new();
    for (node, scores) in [
        ("PLAN", json!({"hook density": 0.81, "rhyme density": 0.43})),
        (
            "LYRICS",
            json!({"syllable stress agreement with the melody": 0.731, "vocabulary": 0.5, "repetition": 0.12, "clichés": 0.3}),
        ),
        ("COMPOSE", json!({"hook density": 0.62})),
        (
            "A_STEP_WITH_A_VERY_LONG_NAME_INDEED",
            json!({"loudness range in LU": 7.25}),
        ),
    ] {
        events.push(json!({"node": node, "phase": "start"}));
        events.push(scored(node, scores));
    }
    for n in 0..12 {
        let severity = ["info", "warning", "error"][n % 3];
        events.push(json!({"node": "VALIDATE", "phase": "progress", "issues": [
            {"code": "C", "severity": severity, "message": format!("bar {n} is {severity}: the chord does not fit the melody")}]}));
    }
    studio.publish("song-8841", &events);
    let app = desk::open(data.path(), json!({})).await;
    add_feed(&app, &studio.url(), "Studio", TOKEN).await;
    says(&app, "connection", "Live · Studio").await;
    dialog_is_gone(&app).await;
    app.press_char('2').await;
    app.click_at(
        "the run",
        "//*[@id='runs']//*[@role='option'][contains(., 'song-8841')]",
    )
    .await;
    says(&app, "steps of the run", "hook density 0.620").await;
    let mut found = Findings::default();
    found.both(&app, "node-scores").await;
    app.resize(640, 800).await;
    found.both(&app, "640-node-scores").await;
    nothing_is_cut_off(&app).await;
    app.resize(1280, 800).await;
    app.script(
        "const box = document.querySelector('[aria-label=\"filters of the log\"] select[aria-label=\"Issues\"]');
         box.value = 'warning'; box.dispatchEvent(new Event('change', { bubbles: true }))",
    )
    .await;
    says(&app, "filters of the log", "8 of 20").await;
    found.both(&app, "log-severity").await;
    app.resize(640, 800).await;
    says(&app, "filters of the log", "8 of 20").await;
    app.script("document.querySelector('.gl-log__bar').scrollIntoView()")
        .await;
    found.both(&app, "640-log-severity").await;
    app.click_at("the indicator", "//*[@aria-label='connection']/button[1]")
        .await;
    says(&app, "feed Studio", "Last error").await;
    found.both(&app, "640-feed-details").await;
    nothing_is_cut_off(&app).await;
    app.resize(1280, 800).await;
    found.both(&app, "feed-details").await;
    app.press(Key::Escape).await;
    found.none();
    app.close().await;
}
