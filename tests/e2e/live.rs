//! While a run is under way: each intermediate state, in order; and how soon the first field is on screen.

use crate::desk::{
    self, FIELDS, STEPS, drop_files, ended, fixture, folder, frames, record, state, value, wait_for,
};
use crate::support::App;
use serde_json::{Value, json};

/// Long enough for a picture of each step, in milliseconds.
const STEP_MS: u64 = 900;

/// Between two fields, in milliseconds: many frames, and no more than a few fields while a picture holds the page up, also
/// on a machine that is busy with something else.
const FIELD_MS: u64 = 180;

#[tokio::test]
async fn a_slow_analysis_shows_each_state_in_order() {
    let mut delays: serde_json::Map<String, Value> = STEPS
        .iter()
        .map(|step| (step.to_uppercase(), json!(STEP_MS)))
        .collect();
    delays.insert("field".into(), json!(FIELD_MS));
    let data = folder();
    let app = desk::open(data.path(), json!({ "delay_ms": delays })).await;
    record(&app).await;
    drop_files(&app, &[&fixture("full.html")]).await;
    for (at, name) in STEPS.iter().enumerate() {
        let seen = wait_for(&app, &format!("{name} to run"), |seen| {
            let step = &seen["steps"][at][1];
            step == "running" || step == "done"
        })
        .await;
        // On a machine too slow for a picture in time the record below still tells.
        if seen["steps"][at][1] == "running" {
            app.screenshot(&format!("live-{}-{}", at + 1, name.to_lowercase()))
                .await;
        }
    }
    let last = ended(&app, "full.html").await;
    app.screenshot("live-8-done").await;
    let looks: Vec<Value> = frames(&app).await;
    let looks: Vec<&Value> = looks
        .iter()
        .filter(|look| look["fields"]["title"].is_object())
        .collect();

    let first = looks.first().expect("the card was on screen");
    for key in FIELDS {
        assert_eq!(state(first, key), "looking", "{key} at first");
        assert_eq!(first["fields"][key]["skeleton"], true, "{key} at first");
    }
    steps_go_one_after_the_other(&looks);
    fields_come_one_after_the_other(&looks);
    for key in FIELDS {
        let expected = if key == "platform" {
            "not found"
        } else {
            "found"
        };
        assert_eq!(state(&last, key), expected, "{key} in the end");
    }
    app.close().await;
}

/// Each step is seen running, alone, after those before it and before those after it.
fn steps_go_one_after_the_other(looks: &[&Value]) {
    let of = |look: &Value| -> Vec<String> {
        let steps = look["steps"].as_array().into_iter().flatten();
        steps
            .map(|step| step[1].as_str().unwrap_or_default().to_owned())
            .collect()
    };
    let mut seen: Vec<Vec<String>> = looks.iter().map(|look| of(look)).collect();
    seen.dedup();
    for (at, step) in STEPS.iter().enumerate() {
        let expected: Vec<&str> = (0..STEPS.len())
            .map(|other| match other.cmp(&at) {
                std::cmp::Ordering::Less => "done",
                std::cmp::Ordering::Equal => "running",
                std::cmp::Ordering::Greater => "waiting",
            })
            .collect();
        assert!(
            seen.iter().any(|now| *now == expected),
            "{step} alone was never seen running: {seen:?}"
        );
    }
    let rank = |word: &str| match word {
        "waiting" => 0,
        "running" => 1,
        _ => 2,
    };
    for pair in seen.windows(2) {
        for (step, (before, after)) in STEPS.iter().zip(pair[0].iter().zip(&pair[1])) {
            assert!(rank(before) <= rank(after), "{step} went back: {pair:?}");
        }
    }
}

/// Fields appear singly, none goes back to looking, and the empty ones say so only when all was looked for.
fn fields_come_one_after_the_other(looks: &[&Value]) {
    let counts: Vec<usize> = looks
        .iter()
        .map(|look| {
            FIELDS
                .iter()
                .filter(|key| state(look, key) != "looking")
                .count()
        })
        .collect();
    assert!(
        counts.is_sorted(),
        "a field went back to looking: {counts:?}"
    );
    let mut different = counts.clone();
    different.dedup();
    assert!(
        different.len() > FIELDS.len() / 2,
        "fields came in lumps: {different:?}"
    );
    for look in looks {
        let decided = look["steps"][5][1] == "done" || look["busy"] == "false";
        for key in FIELDS {
            assert!(
                decided || state(look, key) != "not found",
                "{key} was given up before VALIDATE ended: {look}"
            );
        }
    }
}

/// Every drop draws its first field and says when. The figure is printed and not held to a limit: how fast a shared
/// machine is today must not decide whether a change goes in.
#[tokio::test]
async fn every_drop_draws_a_first_field_and_says_when() {
    let data = folder();
    let app = desk::open(data.path(), json!({})).await;
    let mut times = Vec::new();
    for name in [
        "full.html",
        "no-dates.html",
        "conflict.html",
        "full.html",
        "no-dates.html",
    ] {
        times.push(time_to_first_field(&app, name).await);
        ended(&app, name).await;
    }
    let fields = times.iter().filter_map(|times| times["field"].as_f64());
    let mut fields: Vec<f64> = fields.collect();
    fields.sort_by(f64::total_cmp);
    let median = fields[fields.len() / 2];
    let first = &times[0];
    eprintln!(
        "first field on screen after a drop: median {median:.0} ms of {fields:.0?}; after the start {first}"
    );
    assert_eq!(fields.len(), times.len(), "{times:?}");
    app.close().await;
}

/// See the file.
async fn time_to_first_field(app: &App, name: &str) -> Value {
    let script = include_str!("first_field.js");
    app.script_async(script, vec![json!(fixture(name))]).await
}

#[tokio::test]
async fn what_a_reader_sees_comes_first_though_the_source_is_read_first() {
    let data = folder();
    let app = desk::open(data.path(), json!({ "delay_ms": { "DETECT": 1_500 } })).await;
    drop_files(&app, &[&fixture("full.html")]).await;
    wait_for(&app, "what the page data say", |seen| {
        seen["busy"] == "true" && value(seen, "title") == "Senior Backend Engineer"
    })
    .await;
    let layer = "return document.querySelector('[aria-label=\"text layer\"] [aria-pressed=true]')?.textContent";
    assert_eq!(app.script(layer).await, "Visible");
    ended(&app, "full.html").await;
    assert_eq!(app.script(layer).await, "Visible");
    app.close().await;
}
