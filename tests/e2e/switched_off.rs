//! Live features as a whole, in the settings: switched off and on again, and how long feeds wait between two tries.

use serde_json::{Value, json};

use crate::desk::{self, folder};
use crate::look::Findings;
use crate::monitor::{add_feed, choose_run, log_has, says};
use crate::support::{
    App, Look,
    studio::{Studio, TOKEN},
};

/// Types a number into a box of the settings, as a person does who leaves the box then.
async fn set(app: &App, name: &str, value: &str) {
    app.named(name).await;
    let script = format!(
        "const box = document.querySelector('[aria-label=\"{name}\"]'); box.value = '{value}';
         box.dispatchEvent(new Event('change', {{ bubbles: true }}))"
    );
    app.script(&script).await;
}

/// Waits until a box of the settings shows this.
async fn shows(app: &App, name: &str, value: &str) {
    let look = format!("return document.querySelector('[aria-label=\"{name}\"]')?.value");
    app.wait_until(&format!("{value} in {name}"), async |client| {
        match client.execute(&look, Vec::new()).await {
            Ok(Value::String(seen)) if seen == value => Look::Done(()),
            seen => Look::Seen(format!("{seen:?}")),
        }
    })
    .await;
}

#[tokio::test]
async fn live_features_are_switched_off_and_on_in_the_settings() {
    let data = folder();
    let mut studio = Studio::open();
    studio.publish("song-1", &[json!({"node": "PLAN", "phase": "start"})]);
    let app = desk::open(data.path(), json!({})).await;
    add_feed(&app, &studio.url(), "Studio", TOKEN).await;
    says(&app, "connection", "Live · Studio").await;
    choose_run(&app, "song-1").await;
    log_has(&app, "PLAN|start").await;

    app.press_char('3').await;
    app.click("checkbox", "Live features").await;
    says(&app, "connection", "Live features off").await;
    says(&app, "feed Studio", "live features off").await;
    says(&app, "live features", "No feed is connected").await;
    let mut found = Findings::default();
    found.both(&app, "live-features-off").await;
    found.none();
    let no_trouble = "return !document.querySelector('.gl-connection').matches('.gl-bad, .gl-warn')
        && !document.querySelector('[aria-label=connection]').textContent.includes('Reconnect')";
    assert_eq!(app.script(no_trouble).await, true);
    studio.publish("song-1", &[json!({"node": "run", "phase": "end"})]);
    // What is stored can be read, and it stays off over a restart.
    choose_run(&app, "song-1").await;
    log_has(&app, "PLAN|start").await;
    let app = app.restart().await;
    says(&app, "connection", "Live features off").await;
    choose_run(&app, "song-1").await;
    let rows = log_has(&app, "PLAN|start").await;
    assert_eq!(rows.len(), 1, "{rows:?}");

    app.press_char('3').await;
    app.click("checkbox", "Live features").await;
    says(&app, "connection", "Live · Studio").await;
    choose_run(&app, "song-1").await;
    log_has(&app, "run|end").await;
    app.close().await;
}

#[tokio::test]
async fn the_waits_between_two_tries_are_set_and_what_the_environment_decides_is_said() {
    const FIRST: &str = "Longest first wait, in seconds";
    const GROWTH: &str = "Growth of the waits";
    const LONGEST: &str = "Longest wait, in seconds";
    const ROWS: &str = "Rows that a log holds";
    let data = folder();
    let app = desk::open(data.path(), json!({})).await;
    app.press_char('3').await;
    shows(&app, FIRST, "1").await;
    shows(&app, GROWTH, "2").await;
    shows(&app, LONGEST, "30").await;
    // A sentence says what is wrong, and what is typed stays until it can stand.
    set(&app, FIRST, "45").await;
    says(&app, "live features", "cannot be longer than the longest").await;
    shows(&app, FIRST, "45").await;
    app.screenshot("light-waits-refused").await;
    set(&app, LONGEST, "90").await;
    app.wait_for_text("live features", |text| !text.contains("cannot be"))
        .await;
    set(&app, GROWTH, "0.5").await;
    says(&app, "live features", "1 to 10 times as long").await;
    set(&app, GROWTH, "1,5").await;
    // So are the rows of a log, to the nearest that can stand.
    shows(&app, ROWS, "100").await;
    set(&app, ROWS, "20").await;
    shows(&app, ROWS, "50").await;
    set(&app, ROWS, "300").await;
    let app = app.restart().await;
    app.press_char('3').await;
    shows(&app, ROWS, "300").await;
    shows(&app, FIRST, "45").await;
    shows(&app, LONGEST, "90").await;
    app.close().await;

    let variables = [
        ("GHOSTLIGHT_MAX_RECONNECT_DELAY_MS", "20000"),
        ("GHOSTLIGHT_LIVE", "off"),
        ("GHOSTLIGHT_EVENT_HISTORY_LIMIT", "200"),
    ];
    let app = desk::open_with(data.path(), json!({}), &variables).await;
    says(&app, "connection", "Live features off").await;
    app.press_char('3').await;
    says(&app, "live features", "GHOSTLIGHT_LIVE says so").await;
    says(
        &app,
        "live features",
        "GHOSTLIGHT_MAX_RECONNECT_DELAY_MS of the environment",
    )
    .await;
    shows(&app, LONGEST, "20").await;
    shows(&app, ROWS, "200").await;
    let fixed = format!(
        "return ['{FIRST}', '{GROWTH}', '{LONGEST}', '{ROWS}', 'Live features']
           .map((name) => document.querySelector(`input[aria-label=\"${{name}}\"]`).disabled)"
    );
    assert_eq!(
        app.script(&fixed).await,
        json!([false, false, true, true, true])
    );
    app.close().await;
}
