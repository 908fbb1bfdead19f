//! From a dropped page to its card: values, confidence, sources, evidence, log; what is absent, disputed or hostile.

use crate::desk::{self, FIELDS, drop_fixture, event_log, folder, snapshot, state, value};
use crate::support::{App, Look};
use serde_json::{Value, json};

/// What the card says of `full.html`, row by row: value, words of confidence, where it comes from.
const FULL: &[(&str, &str, &str, &str)] = &[
    ("title", "Senior Backend Engineer", "certain", "JSON-LD"),
    ("company", "Quillmarsh Instruments", "certain", "JSON-LD"),
    ("location", "Dublin, Leinster, IE", "", "JSON-LD"),
    ("remote", "hybrid", "", "JSON-LD"),
    ("employment_type", "full time", "", "JSON-LD"),
    ("remote_regions", "Ireland", "", "JSON-LD"),
    ("seniority", "senior", "", ""),
    ("salary", "72 000–88 000 EUR / year", "certain", "JSON-LD"),
    ("posted_at", "2 Nov 2026", "certain", "JSON-LD"),
    ("valid_through", "31 Dec 2030", "certain", "JSON-LD"),
    (
        "apply_url",
        "careers.quillmarsh.example/jobs/4821-senior-backend-engineer",
        "",
        "JSON-LD",
    ),
    ("skills", "Rust", "", "JSON-LD"),
    ("benefits", "Pension contribution of 8 %", "", "JSON-LD"),
    (
        "description",
        "Quillmarsh builds tide gauges",
        "",
        "JSON-LD",
    ),
];

#[tokio::test]
async fn a_dropped_page_becomes_a_card_with_evidence() {
    let data = folder();
    let app = desk::open(data.path(), json!({})).await;
    let seen = drop_fixture(&app, "full.html").await;
    app.screenshot("card-full").await;

    assert_eq!(seen["title"], "Senior Backend Engineer");
    assert_eq!(seen["failure"], Value::Null);
    for (key, begins, word, source) in FULL {
        let field = &seen["fields"][*key];
        assert!(value(&seen, key).starts_with(begins), "{key}: {field}");
        assert_eq!(state(&seen, key), "found", "{key}: {field}");
        let confidence = field["confidence"].as_str().unwrap_or_default();
        assert!(confidence.contains(word), "{key}: {field}");
        assert!(
            confidence.starts_with("0.") || confidence.starts_with("1.00"),
            "{key}: {field}"
        );
        let from = field["source"].as_str().unwrap_or_default();
        assert!(
            from.starts_with("Found in the") && from.contains(source),
            "{key}: {field}"
        );
    }
    // What does not fit into a row is told by its title.
    for (key, item) in [
        ("location", "Utrecht, Utrecht, NL"),
        ("skills", "Kubernetes"),
        ("remote_regions", "Netherlands"),
        ("benefits", "A bicycle on lease"),
    ] {
        let titles = seen["fields"][key]["titles"].to_string();
        assert!(titles.contains(item), "{key}: {titles}");
    }
    assert_eq!(state(&seen, "platform"), "not found");
    assert_eq!(
        seen["fields"].as_object().map(|fields| fields.len()),
        Some(FIELDS.len())
    );
    for (name, state) in steps(&seen) {
        assert_eq!(state, "done", "{name}");
    }

    app.click("group", "field company").await;
    marked(&app, "Quillmarsh Instruments").await;
    app.click("group", "field title").await;
    marked(&app, "Senior Backend Engineer").await;
    app.screenshot("card-evidence").await;
    // And back: words in the text lead to the field they are evidence for.
    app.click_at(
        "the marked company",
        "//aside[@aria-label='evidence']//mark[contains(@aria-label, 'Company')]",
    )
    .await;
    app.wait_until("the focus on the company's row", async |client| {
        let focus = "return document.activeElement.getAttribute('aria-label')";
        match client.execute(focus, Vec::new()).await {
            Ok(name) if name == "field company" => Look::Done(()),
            seen => Look::Seen(format!("{seen:?}")),
        }
    })
    .await;

    let log = event_log(&app).await;
    let offsets: Vec<u64> = log.iter().map(|(offset, _)| *offset).collect();
    let dense: Vec<u64> = (0..log.len() as u64).collect();
    assert_eq!(offsets, dense, "offsets begin at 0 and none is missing");
    let cell = |row: &(u64, Vec<String>), at: usize| row.1.get(at).cloned().unwrap_or_default();
    let mut nodes: Vec<String> = log.iter().map(|row| cell(row, 1)).collect();
    nodes.dedup();
    assert_eq!(
        nodes,
        [
            "FETCH", "PARSE", "EXTRACT", "DETECT", "ENRICH", "VALIDATE", "SCORE"
        ]
    );
    for node in &nodes {
        let phases: Vec<String> = log
            .iter()
            .filter(|row| cell(row, 1) == *node)
            .map(|row| cell(row, 2))
            .collect();
        assert_eq!(phases.first().map(String::as_str), Some("start"), "{node}");
        assert_eq!(phases.last().map(String::as_str), Some("end"), "{node}");
    }
    app.close().await;
}

#[tokio::test]
async fn a_field_that_is_absent_says_where_it_was_looked_for() {
    let data = folder();
    let app = desk::open(data.path(), json!({})).await;
    let seen = drop_fixture(&app, "no-dates.html").await;
    assert_eq!(value(&seen, "title"), "Book Conservator");
    for key in [
        "posted_at",
        "valid_through",
        "salary",
        "seniority",
        "platform",
    ] {
        assert_eq!(state(&seen, key), "not found", "{key}");
    }
    for place in ["not found — looked in", "JSON-LD", "text"] {
        let words = value(&seen, "posted_at");
        assert!(words.contains(place), "{place}: {words}");
    }
    let reason = value(&seen, "salary");
    assert!(
        reason.to_lowercase().contains("competitive salary"),
        "{reason}"
    );

    app.click("button", "Where was Posted looked for?").await;
    let row = app
        .wait_for_text("field posted_at", |text| text.contains("nothing there"))
        .await;
    for place in ["page data (JSON-LD)", "text", "model", "not looked"] {
        assert!(row.contains(place), "{place}: {row}");
    }
    app.screenshot("card-not-found").await;
    app.close().await;
}

#[tokio::test]
async fn two_answers_are_shown_with_why_one_lost() {
    let data = folder();
    let app = desk::open(data.path(), json!({})).await;
    let seen = drop_fixture(&app, "conflict.html").await;
    for (key, stands) in [
        ("company", "Sandlark Logistics GmbH"),
        ("salary", "58 000–66 000 EUR / year"),
    ] {
        assert_eq!(state(&seen, key), "two answers", "{key}");
        assert_eq!(value(&seen, key), stands, "{key}");
    }
    for key in ["title", "location", "posted_at", "employment_type"] {
        assert_eq!(state(&seen, key), "found", "{key}");
    }
    app.click("button", "Compare the answers for Company").await;
    let answers = app
        .wait_for_text("answers for Company", |text| text.contains("Holding AG"))
        .await;
    for words in [
        "Sandlark Logistics GmbH",
        "stands",
        "Sandlark Freight Holding AG",
        "another answer is surer",
        "page data (microdata)",
    ] {
        assert!(answers.contains(words), "{words}: {answers}");
    }
    app.screenshot("card-two-answers").await;
    app.click("button", "Compare the answers for Salary").await;
    app.wait_for_text("answers for Salary", |text| text.contains("49"))
        .await;
    app.close().await;
}

#[tokio::test]
async fn a_hostile_page_is_text_and_nothing_else() {
    let data = folder();
    let app = desk::open(data.path(), json!({})).await;
    let seen = drop_fixture(&app, "script-attack.html").await;
    assert_eq!(value(&seen, "title"), "Web Security Tester");
    assert_eq!(value(&seen, "company"), "Cobalt Heron Assurance");
    assert!(!value(&seen, "skills").contains('<'));
    assert!(!value(&seen, "apply_url").contains("javascript"));
    let words = "<script>window.__ghostlight_attack='text'</script>";
    for layer in ["Visible", "Source"] {
        app.click("button", layer).await;
        app.wait_until("the hostile words as text", async |client| {
            let found = client
                .execute(
                    "const box = document.querySelector('[aria-label=\"posting text\"]');
                     if (!box) return null;
                     box.scrollTop = (window.__top = (window.__top ?? -200) + 200) % (box.scrollHeight + 1);
                     return box.textContent;",
                    Vec::new(),
                )
                .await;
            match found {
                // The source spells the visible words with entities; its own scripts it shows as they are.
                Ok(Value::String(text)) if text.contains(words) || text.contains("<script>window.") => {
                    Look::Done(())
                }
                seen => Look::Seen(format!("{seen:?}")),
            }
        })
        .await;
        app.screenshot(&format!("card-hostile-{}", layer.to_lowercase()))
            .await;
    }
    let state = app
        .script(
            "return { attack: window.__ghostlight_attack ?? null, title: document.title,
                      foreign: document.querySelectorAll('aside[aria-label=evidence] :is(script, img, iframe, form, a)').length,
                      scripts: document.querySelectorAll('script').length,
                      frames: document.querySelectorAll('iframe, object, embed').length }",
        )
        .await;
    assert_eq!(
        state,
        json!({ "attack": null, "title": "Ghostlight", "foreign": 0, "scripts": 1, "frames": 0 })
    );
    // Not even a row that is clicked, or a link that is followed, runs anything.
    for key in FIELDS {
        app.click("group", &format!("field {key}")).await;
    }
    let attack = app
        .script("return window.__ghostlight_attack ?? null")
        .await;
    assert_eq!(attack, Value::Null);
    assert_eq!(snapshot(&app).await["title"], "Web Security Tester");
    app.close().await;
}

/// Waits until these words, and no others, are outlined in the evidence pane, within its visible part.
async fn marked(app: &App, words: &str) {
    app.wait_until(&format!("{words:?} to be outlined"), async |client| {
        // Where words of several fields overlap, an outline has several pieces.
        let outlined =
            "return [...document.querySelectorAll('aside[aria-label=evidence] mark.is-selected')]
            .map((mark) => mark.textContent).join('').trim()";
        match client.execute(outlined, Vec::new()).await {
            Ok(text) if text == words => Look::Done(()),
            seen => Look::Seen(format!("{seen:?}")),
        }
    })
    .await;
}

fn steps(seen: &Value) -> Vec<(String, String)> {
    serde_json::from_value(seen["steps"].clone()).expect("steps of name and state")
}
