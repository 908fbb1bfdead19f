//! The monitor against a real hub on a real socket: a feed is set up, refused, corrected, watched, cut and caught up.

use std::time::Instant;

use fantoccini::Locator;
use fantoccini::key::Key;
use serde_json::{Value, json};

use crate::desk::{self, folder};
use crate::edit::dialog_is_gone;
use crate::look::{Findings, choose_theme};
use crate::support::{
    App, Launch, Look,
    studio::{Studio, TOKEN},
};

fn publish_step(studio: &mut Studio, run: &str, node: &str, phase: &str) {
    studio.publish(run, &[step(node, phase)]);
}

fn step(node: &str, phase: &str) -> Value {
    let mut body = json!({"node": node, "phase": phase, "metrics": {"bpm": 92}});
    if phase == "end" {
        body["duration_ms"] = json!(1_200);
        body["metrics"] = json!({
            "scores": {"hook density": 0.81, "rhyme density": 0.43},
            "artifacts": [{"name": "song.mid", "version": 2, "uri": "studio://song.mid", "sha256": "ab".repeat(32)}],
        });
    }
    if phase == "fail" {
        body["issues"] =
            json!([{"code": "rhyme", "severity": "error", "message": "rhyme density below 0.40"}]);
    }
    body
}

/// Waits until the element with this label has a text that is right.
pub async fn says(app: &App, name: &str, words: &str) -> String {
    app.wait_for_text(name, |text| text.contains(words)).await
}

pub async fn add_feed(app: &App, url: &str, name: &str, token: &str) {
    app.press_char('3').await;
    app.click("button", "Add a feed").await;
    fill(app, "feed-url", url).await;
    fill(app, "feed-name", name).await;
    fill(app, "feed-token", token).await;
    app.click("button", "Add and connect").await;
}

/// Adds Studio as a hub that finished runs of this computer are sent to.
pub async fn publish_to(app: &App, studio: &Studio) {
    add_feed(app, &studio.url(), "Studio", TOKEN).await;
    says(app, "connection", "Live · Studio").await;
    dialog_is_gone(app).await;
    app.click("button", "Change Studio").await;
    app.click_at(
        "the switch",
        "//label[contains(., 'Send finished runs of this computer')]",
    )
    .await;
    app.click("button", "Save").await;
    dialog_is_gone(app).await;
}

/// Types into a box of a form, in place of what stands there.
pub async fn fill(app: &App, id: &str, text: &str) {
    app.wait_until(&format!("the box {id}"), async |client| {
        let look = format!("return document.getElementById('{id}') !== null");
        match client.execute(&look, Vec::new()).await {
            Ok(Value::Bool(true)) => Look::Done(()),
            seen => Look::Seen(format!("{seen:?}")),
        }
    })
    .await;
    // Said as well: a form that is drawn again puts back what it knows.
    app.script(&format!(
        "const box = document.getElementById('{id}'); box.value = '';
         box.dispatchEvent(new Event('input', {{ bubbles: true }}))"
    ))
    .await;
    if !text.is_empty() {
        app.type_at(id, &format!("//*[@id='{id}']"), text).await;
    }
}

/// The rows of the log of the run that is shown, as they stand.
async fn log(app: &App) -> Vec<String> {
    let rows = app
        .script(
            "return [...document.querySelectorAll('[role=log] .gl-row:not(.is-waiting)')].map((row) =>
               [...row.firstElementChild.children].slice(1).map((cell) => cell.textContent.trim()).join('|')
               || row.textContent.trim())",
        )
        .await;
    let rows = rows.as_array().into_iter().flatten();
    rows.filter_map(|row| row.as_str().map(str::to_owned))
        .collect()
}

pub async fn log_has(app: &App, words: &str) -> Vec<String> {
    app.wait_until(&format!("{words:?} in the log"), async |_| {
        let rows = log(app).await;
        match rows.iter().any(|row| row.contains(words)) {
            true => Look::Done(rows),
            false => Look::Seen(format!("{rows:?}")),
        }
    })
    .await
}

pub async fn choose_run(app: &App, name: &str) {
    dialog_is_gone(app).await;
    app.press_char('2').await;
    let row = format!("//*[@id='runs']//*[@role='option'][contains(., '{name}')]");
    app.click_at(name, &row).await;
    says(app, &format!("run {name}"), name).await;
}

/// Presses *Reconnect now* in one step with finding it: the feed's own next try may come first, and then it has gone.
pub async fn reconnect_now(app: &App) {
    app.script(
        "[...document.querySelectorAll('button')].find((b) => b.textContent.includes('Reconnect now'))?.click()",
    )
    .await;
}

#[tokio::test]
async fn a_feed_is_refused_corrected_watched_cut_and_caught_up() {
    let data = folder();
    let mut studio = Studio::open();
    publish_step(&mut studio, "song-8841", "PLAN", "start");
    // However short an absence is, it makes a summary.
    let app = desk::open(data.path(), json!({"digest_after_ms": 0})).await;
    app.press_char('2').await;
    app.role("heading", "Choose a run").await;
    app.screenshot("monitor-empty").await;

    // An address that is none: a sentence beside the box, and what was typed stays.
    add_feed(&app, "studio.example", "Studio", "wrong-token-wrong").await;
    app.wait_until("what is wrong with the address", async |client| {
        let text = "return [document.getElementById('feed-problem').textContent, document.getElementById('feed-url').value]";
        match client.execute(text, Vec::new()).await {
            Ok(seen) if seen[0].as_str().is_some_and(|t| t.contains("ws://")) && seen[1] == "studio.example" => Look::Done(()),
            seen => Look::Seen(format!("{seen:?}")),
        }
    })
    .await;
    app.screenshot("feed-refused-address").await;
    fill(&app, "feed-url", &studio.url()).await;
    app.click("button", "Add and connect").await;

    // The wrong token: said, and not tried again and again.
    says(&app, "connection", "Trouble: Studio · token refused").await;
    says(&app, "feed Studio", "token refused").await;
    dialog_is_gone(&app).await;
    app.click("button", "Change Studio").await;
    fill(&app, "feed-token", TOKEN).await;
    app.click("button", "Save").await;
    says(&app, "connection", "Live · Studio").await;

    // What is there is shown; what happens appears by itself.
    choose_run(&app, "song-8841").await;
    log_has(&app, "PLAN|start").await;
    let begun = Instant::now();
    studio.publish(
        "song-8841",
        &[step("PLAN", "end"), step("COMPOSE", "start")],
    );
    log_has(&app, "COMPOSE|start").await;
    let took = begun.elapsed();
    println!("published and on screen: {} ms", took.as_millis());
    says(&app, "scores", "hook density").await;
    says(&app, "steps of the run", "hook density 0.810").await;
    says(&app, "completeness", "complete so far: offsets 0–2").await;
    publish_step(&mut studio, "song-8842", "PLAN", "fail");
    studio.publish("song-8842", &[json!({"node": "run", "phase": "failed"})]);
    app.wait_until("the failed run in the list", async |client| {
        match client.find(Locator::XPath("//*[@id='runs']//*[@role='option'][contains(., 'song-8842')][contains(., 'failed at PLAN')]")).await {
            Ok(_) => Look::Done(()),
            Err(error) => Look::Seen(error.to_string()),
        }
    })
    .await;
    app.screenshot("monitor-live").await;

    // The server goes away: said at once, with a countdown and a button.
    studio.stop();
    says(&app, "connection", "Reconnecting to Studio").await;
    says(&app, "connection", "next try in").await;
    app.screenshot("monitor-reconnecting").await;
    app.click_at("the indicator", "//*[@aria-label='connection']/button[1]")
        .await;
    says(&app, "feed Studio", "Last error").await;
    app.screenshot("connection-details").await;
    app.press(Key::Escape).await;
    publish_step(&mut studio, "song-8841", "COMPOSE", "end");
    studio.publish("song-8841", &[json!({"node": "run", "phase": "end"})]);
    studio.serve();
    reconnect_now(&app).await;
    says(&app, "connection", "Live · Studio").await;
    says(&app, "notifications", "Connection to Studio restored").await;
    says(&app, "notifications", "2 events caught up").await;
    let digest = says(&app, "while you were away", "nothing is missing").await;
    assert!(
        digest.contains("2 events") && digest.contains("1 ended well"),
        "{digest}"
    );
    app.screenshot("monitor-digest").await;
    says(&app, "state of the run", "done").await;
    app.click("button", "Put the summary away").await;
    app.wait_until_gone("while you were away").await;
    // How long events take, by two clocks that are one here.
    app.click_at("the indicator", "//*[@aria-label='connection']/button[1]")
        .await;
    says(
        &app,
        "feed Studio",
        "if the source's clock and this one agree",
    )
    .await;
    app.press(Key::Escape).await;

    // After a kill everything is there, without the server too.
    studio.stop();
    let app = app.restart().await;
    says(&app, "connection", "Studio").await;
    choose_run(&app, "song-8841").await;
    let rows = log_has(&app, "run|end").await;
    assert_eq!(rows.len(), 5, "{rows:?}");
    app.close().await;
}

#[tokio::test]
async fn a_token_that_expires_in_mid_stream_is_asked_for_and_nothing_is_lost() {
    const OTHER: &str = "another-token-of-the-studio";
    let data = folder();
    let mut studio = Studio::open();
    publish_step(&mut studio, "song-1", "PLAN", "start");
    let app = desk::open(data.path(), json!({})).await;
    add_feed(&app, &studio.url(), "Studio", TOKEN).await;
    says(&app, "connection", "Live · Studio").await;
    choose_run(&app, "song-1").await;
    log_has(&app, "PLAN|start").await;
    studio.renew(OTHER);
    says(&app, "connection", "Trouble: Studio · token refused").await;
    publish_step(&mut studio, "song-1", "PLAN", "end");
    app.click_at("the indicator", "//*[@aria-label='connection']/button[1]")
        .await;
    says(&app, "feed Studio", "not valid any more").await;
    app.screenshot("token-refused").await;
    // One step from there: the dialog asks for the token, and says where the last one is.
    app.click("button", "Give a new token").await;
    app.wait_until("the box of the token, with the focus", async |client| {
        let look = "return [document.activeElement.id, document.getElementById('feed-token-place')?.textContent ?? '']";
        match client.execute(look, Vec::new()).await {
            Ok(seen) if seen[0] == "feed-token" && seen[1].as_str().is_some_and(|words| words.contains("The token is in") || words.contains("the token is in")) => Look::Done(()),
            seen => Look::Seen(format!("{seen:?}")),
        }
    })
    .await;
    app.screenshot("token-asked").await;
    fill(&app, "feed-token", OTHER).await;
    app.click("button", "Save").await;
    says(&app, "connection", "Live · Studio").await;
    publish_step(&mut studio, "song-1", "FIX", "start");
    let rows = log_has(&app, "FIX|start").await;
    assert_eq!(rows.len(), 3, "{rows:?}");
    says(&app, "completeness", "complete so far: offsets 0–2").await;
    app.close().await;
}

/// Shows only events with an issue so bad or worse.
async fn by_severity(app: &App, least: &str) {
    let script = format!(
        "const box = document.querySelector('[aria-label=\"filters of the log\"] select[aria-label=\"Issues\"]');
         box.value = '{least}'; box.dispatchEvent(new Event('change', {{ bubbles: true }}))"
    );
    app.script(&script).await;
}

#[tokio::test]
async fn the_log_is_filtered_opened_and_cleared() {
    let data = folder();
    let mut studio = Studio::open();
    for _ in 0..60 {
        studio.publish("song-1", &[step("PLAN", "start"), step("PLAN", "end")]);
    }
    let mut noted = step("PLAN", "end");
    noted["issues"] =
        json!([{"code": "SLOW", "severity": "info", "message": "the drums are slow"}]);
    studio.publish("song-1", &[noted]);
    publish_step(&mut studio, "song-1", "VALIDATE", "fail");
    let app = desk::open(data.path(), json!({})).await;
    add_feed(&app, &studio.url(), "Studio", TOKEN).await;
    says(&app, "connection", "Live · Studio").await;
    choose_run(&app, "song-1").await;
    log_has(&app, "VALIDATE|fail").await;
    // The choices are the phases that the run's events have.
    let phases = "return [...document.querySelectorAll('[aria-label=\"filters of the log\"] select[aria-label=\"Phase\"] option')].map((one) => one.textContent)";
    assert_eq!(
        app.script(phases).await,
        json!(["every phase", "start", "end", "fail"])
    );
    // Of the two with an issue one is an error.
    by_severity(&app, "info").await;
    says(&app, "filters of the log", "2 of 122").await;
    by_severity(&app, "error").await;
    says(&app, "filters of the log", "1 of 122").await;
    assert_eq!(log(&app).await.len(), 1);
    app.click_at(
        "the event",
        "//*[@role='log']//*[contains(@class, 'gl-event')]",
    )
    .await;
    says(&app, "event", "rhyme density below 0.40").await;
    app.screenshot("event-body").await;
    app.click("button", "Close the event").await;
    by_severity(&app, "").await;
    app.type_into("Find in the log", "validate").await;
    says(&app, "filters of the log", "1 of 122").await;
    app.script("const box = document.querySelector('[aria-label=\"Find in the log\"]'); box.value = ''; box.dispatchEvent(new Event('input', { bubbles: true }))").await;
    says(&app, "filters of the log", "122 rows").await;
    app.click("button", "Clear view").await;
    says(&app, "filters of the log", "0 since the view was cleared").await;
    publish_step(&mut studio, "song-1", "FIX", "tuning");
    log_has(&app, "FIX|tuning").await;
    app.wait_until("a phase of the source's own", async |client| {
        match client.execute(phases, Vec::new()).await {
            Ok(seen) if seen == json!(["every phase", "start", "end", "fail", "tuning"]) => {
                Look::Done(())
            }
            seen => Look::Seen(format!("{seen:?}")),
        }
    })
    .await;
    app.click("button", "Show all").await;
    says(&app, "filters of the log", "123 rows").await;
    app.close().await;
}

#[tokio::test]
async fn the_monitor_in_both_themes_and_narrow() {
    let data = folder();
    let mut studio = Studio::open();
    for node in ["PLAN", "STYLE", "LYRICS", "PRODUCER", "COMPOSE"] {
        studio.publish("song-8841", &[step(node, "start"), step(node, "end")]);
    }
    studio.publish(
        "song-8841",
        &[
            step("VALIDATE", "start"),
            step("VALIDATE", "fail"),
            step("FIX", "start"),
        ],
    );
    studio.publish("song-8840", &[step("PLAN", "start"), step("PLAN", "end")]);
    studio.publish(
        "song-8839",
        &[step("PLAN", "end"), json!({"node": "run", "phase": "end"})],
    );
    studio.publish(
        "song-8838",
        &[
            json!({"node": "RENDER", "phase": "start", "metrics": {"expects": ["song.wav"]}}),
            step("RENDER", "fail"),
            json!({"phase": "fail"}),
        ],
    );
    let app = desk::open(data.path(), json!({})).await;
    add_feed(&app, &studio.url(), "Studio feed", TOKEN).await;
    says(&app, "connection", "Live").await;
    let mut found = Findings::default();
    for theme in ["light", "dark"] {
        choose_theme(&app, theme).await;
        found.look(&app, theme, "settings-feeds").await;
        app.click("button", "Change Studio feed").await;
        found.look(&app, theme, "feed-form").await;
        app.press(Key::Escape).await;
        choose_run(&app, "song-8841").await;
        log_has(&app, "FIX|start").await;
        found.look(&app, theme, "run").await;
        for (tab, name) in [
            ("Artifacts 5", "artifacts"),
            ("Issues 1", "issues"),
            ("Stream", "stream"),
        ] {
            app.click("tab", tab).await;
            found.look(&app, theme, &format!("run-{name}")).await;
        }
        app.click("button", "Pin").await;
        choose_run(&app, "song-8838").await;
        app.click_at(
            "Compare",
            "//*[@aria-label='run song-8838']//*[@role='tab'][.='Compare']",
        )
        .await;
        found.look(&app, theme, "run-compare").await;
        for width in [900, 640] {
            app.resize(width, 800).await;
            found.look(&app, theme, &format!("{width}-run")).await;
        }
        app.resize(1280, 800).await;
        app.click_at(
            "Let go",
            "//*[@aria-label='run song-8841']//button[contains(., 'Let go')]",
        )
        .await;
    }
    found.none();
    app.close().await;
}

#[tokio::test]
async fn finished_runs_wait_in_the_outbox_until_the_hub_has_them() {
    let data = folder();
    let mut studio = Studio::open();
    let app = desk::open(data.path(), json!({})).await;
    app.press_char('4').await;
    app.role("heading", "Nothing is sent anywhere").await;
    publish_to(&app, &studio).await;
    says(&app, "connection", "Live · Studio").await;
    studio.stop();
    says(&app, "connection", "Reconnecting").await;
    desk::drop_fixture(&app, "full.html").await;
    desk::drop_fixture(&app, "conflict.html").await;
    app.press_char('4').await;
    says(&app, "outbox of Studio", "2 entries wait").await;
    says(
        &app,
        "outbox of Studio",
        "waits for its turn or for the connection",
    )
    .await;
    app.screenshot("outbox-waiting").await;

    // Only a person drops something, and is asked first.
    let discard = "(//*[@aria-label='outbox of Studio']//button[contains(., 'Discard')])[2]";
    app.click_at("Discard", discard).await;
    app.role("heading", "Discard this entry?").await;
    app.screenshot("outbox-discard").await;
    app.click("button", "Keep it").await;
    says(&app, "outbox of Studio", "2 entries wait").await;
    app.click_at("Discard", discard).await;
    app.click("button", "Discard").await;
    says(&app, "outbox of Studio", "1 entry waits").await;

    // What is written down outlives a kill; the hub gets it when it is back, once.
    let app = app.restart().await;
    says(&app, "connection", "Studio").await;
    app.press_char('4').await;
    says(&app, "outbox of Studio", "1 entry waits").await;
    app.role("button", "Reconnect now").await;
    let place = "const box = [...document.querySelectorAll('button')]
          .find((b) => b.textContent.includes('Reconnect now')).getBoundingClientRect();
        return [Math.round(box.left), Math.round(box.right)]";
    let before = app.script(place).await;
    let focus = "[...document.querySelectorAll('button')]
        .find((b) => b.textContent.includes('Reconnect now')).focus()";
    app.script(focus).await;
    studio.serve();
    reconnect_now(&app).await;
    // It stands where it stood and does nothing, as long as somebody is on it.
    let stays = "return document.querySelector('.gl-connection > [aria-disabled=true]') !== null";
    app.is_true("Reconnect now without a use", stays).await;
    assert_eq!(app.script(place).await, before);
    app.screenshot("reconnect-idle").await;
    says(&app, "outbox of Studio", "Nothing waits").await;
    app.script("document.activeElement.blur()").await;
    let gone = "return document.querySelector('.gl-connection > .pf-v6-c-button') === null";
    app.is_true("it to go", gone).await;
    let streams = studio.streams();
    assert_eq!(streams.len(), 1, "{streams:?}");
    assert!(streams[0].1 > 20, "all of the run's events: {streams:?}");
    app.close().await;
}

#[tokio::test]
async fn without_a_network_the_window_says_so_above_every_page_until_there_is_one() {
    let data = folder();
    // An address of nobody: what counts is that it is not on this computer.
    let launch = Launch::new(data.path())
        .env("GHOSTLIGHT_TEST", json!({ "no_samples": true }).to_string())
        .env("GHOSTLIGHT_FEED_URL", "ws://hub.quillmarsh.example/v1");
    let app = launch.open().await;
    app.wait_for_text("connection", |text| text.contains("Reconnecting"))
        .await;
    // As the page does when the system says so.
    let network = async |online: bool| {
        app.script(&format!(
            "Object.defineProperty(navigator, 'onLine', {{ configurable: true, get: () => {online} }});
             dispatchEvent(new Event('{}'));",
            if online { "online" } else { "offline" }
        ))
        .await;
    };
    network(false).await;
    app.wait_for_text("connection", |text| text.contains("Offline · no network"))
        .await;
    for page in ['1', '2', '3', '5'] {
        app.press_char(page).await;
        app.named("no network").await;
    }
    app.press_char('1').await;
    app.screenshot("offline").await;
    network(true).await;
    app.wait_until_gone("no network").await;
    app.wait_for_text("connection", |text| !text.contains("Offline"))
        .await;
    app.close().await;
}
