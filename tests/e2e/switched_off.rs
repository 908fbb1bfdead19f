//! Live features as a whole, in the settings: switched off and on again, and how long feeds wait between two tries.

use serde_json::{Value, json};

use crate::desk::{self, folder};
use crate::edit::dialog_is_gone;
use crate::look::Findings;
use crate::monitor::{add_feed, choose_run, log_has, publish_to, says};
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
    // *Reconnect now*, of when it connected, keeps its place for a moment.
    app.is_true("no trouble", no_trouble).await;
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
    set(&app, GROWTH, "1.5").await;
    app.wait_for_text("live features", |text| !text.contains("as long as the"))
        .await;
    // So are the rows of a log, to the nearest that can stand.
    shows(&app, ROWS, "100").await;
    set(&app, ROWS, "20").await;
    shows(&app, ROWS, "50").await;
    set(&app, ROWS, "300").await;
    let app = app.restart().await;
    says(&app, "connection", "Ready").await;
    app.press_char('3').await;
    shows(&app, ROWS, "300").await;
    shows(&app, GROWTH, "1.5").await;
    shows(&app, FIRST, "45").await;
    shows(&app, LONGEST, "90").await;
    app.close().await;

    let variables = [
        ("GHOSTLIGHT_MAX_RECONNECT_DELAY_MS", "20000"),
        ("GHOSTLIGHT_LIVE", "off"),
        ("GHOSTLIGHT_EVENT_HISTORY_LIMIT", "200"),
    ];
    let off = "Live features off";
    let app = desk::open_until(data.path(), json!({}), &variables, off).await;
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

#[tokio::test]
async fn what_waits_in_the_outbox_says_that_live_features_are_off() {
    let data = folder();
    let mut studio = Studio::open();
    let app = desk::open(data.path(), json!({})).await;
    publish_to(&app, &studio).await;
    says(&app, "connection", "Live · Studio").await;
    studio.stop();
    says(&app, "connection", "Reconnecting").await;
    desk::drop_fixture(&app, "full.html").await;
    app.press_char('4').await;
    says(&app, "outbox of Studio", "1 entry waits").await;
    app.press_char('3').await;
    app.click("checkbox", "Live features").await;
    says(&app, "connection", "Live features off").await;
    app.press_char('4').await;
    says(
        &app,
        "outbox of Studio",
        "waits until live features are switched on again",
    )
    .await;
    says(
        &app,
        "outbox of Studio",
        "all live features are switched off",
    )
    .await;
    app.screenshot("light-outbox-live-off").await;
    studio.serve();
    assert_eq!(studio.streams().len(), 0, "nothing was sent");
    app.press_char('3').await;
    app.click("checkbox", "Live features").await;
    app.press_char('4').await;
    says(&app, "outbox of Studio", "Nothing waits").await;
    assert_eq!(studio.streams().len(), 1);
    app.close().await;
}

#[tokio::test]
async fn transports_and_the_pace_of_a_feed_are_set_in_its_form() {
    const BOXES: &str =
        "return [...document.querySelectorAll('[aria-label=\"transports of a hub\"] input')]
        .map((box) => [box.checked, box.disabled])";
    let data = folder();
    let mut studio = Studio::open();
    studio.publish("song-1", &[json!({"node": "PLAN", "phase": "start"})]);
    let app = desk::open(data.path(), json!({})).await;
    add_feed(&app, &studio.url(), "Studio", TOKEN).await;
    says(&app, "connection", "Live · Studio").await;
    dialog_is_gone(&app).await;
    app.click("button", "Change Studio").await;
    app.named("transports of a hub").await;
    let all = json!([[true, false], [true, false], [true, false]]);
    assert_eq!(app.script(BOXES).await, all);
    for name in ["WebSocket", "Server-sent events"] {
        let label = format!("//*[@aria-label='transports of a hub']/label[contains(., '{name}')]");
        app.click_at(name, &label).await;
    }
    // The last one stays, and the form says so.
    let last = json!([[false, false], [false, false], [true, true]]);
    assert_eq!(app.script(BOXES).await, last);
    let mut found = Findings::default();
    found.both(&app, "feed-transports").await;
    found.none();
    let pace = |ms: &str| {
        format!(
            "const box = document.getElementById('feed-refresh'); box.value = '{ms}';
             box.dispatchEvent(new Event('change', {{ bubbles: true }}))"
        )
    };
    app.script(&pace("70000")).await;
    app.click("button", "Save").await;
    let problem = "return document.getElementById('feed-problem').textContent.includes('at least every 60 s')";
    app.is_true("a sentence about the pace", problem).await;
    app.script(&pace("1500")).await;
    app.click("button", "Save").await;
    dialog_is_gone(&app).await;
    // Polled from now on, as the details say; and the form shows what is kept.
    says(&app, "feed Studio", "polling").await;
    app.click("button", "Details of Studio").await;
    app.wait_until("the transport in the details", async |client| {
        let text = "return document.querySelector('dialog[open]')?.textContent ?? ''";
        match client.execute(text, Vec::new()).await {
            Ok(Value::String(text)) if text.contains("long poll, the only one that is on") => {
                Look::Done(())
            }
            seen => Look::Seen(format!("{seen:?}")),
        }
    })
    .await;
    app.press(fantoccini::key::Key::Escape).await;
    dialog_is_gone(&app).await;
    app.click("button", "Change Studio").await;
    app.named("transports of a hub").await;
    assert_eq!(app.script(BOXES).await, last);
    let kept = "return document.getElementById('feed-refresh').value";
    assert_eq!(app.script(kept).await, "1500");
    app.close().await;
}
