//! A model through the window: set up and tried in the settings, its values on the card with who said them, what it
//! suggests when it is asked about a posting, refused in words, and forgotten.

use crate::desk::{self, drop_posting, folder, value};
use crate::edit::{edit, shows};
use crate::look::{Findings, choose_theme, narrow};
use crate::model_server::{Act, ModelServer, fields};
use crate::support::App;
use fantoccini::key::Key;
use serde_json::{Value, json};
use std::path::Path;

/// A night baker's level is there to be read, the employer is not.
async fn posting(app: &App, folder: &Path, title: &str) {
    let text = format!(
        "{title}\nLocation: Cologne, Germany\nSalary: €42,000 to €48,000 per year.\n\
         You have seen ten winters at the oven and show others how it is done.\n\
         Responsibilities: bake as {title}. Requirements: a steady hand. Apply by email."
    );
    drop_posting(app, folder, title, &text).await;
}

/// Refuses a key, reads the test posting, and of a real one the level and an employer that it makes up.
fn server() -> ModelServer {
    ModelServer::start(|body, nth| match nth {
        0 => Act::Refuses("401 Unauthorized", "this key is not known"),
        _ if fields(body) == ["company"] => Act::object(&json!({
            "company": { "value": "Oriel Bread", "quote": "Oriel Bread, Cologne" },
        })),
        _ => Act::object(&answer()),
    })
}

fn answer() -> Value {
    json!({
        "company": { "value": "Umber Mills", "quote": "the people of Umber Mills" },
        "seniority": { "value": "senior", "quote": "seen ten winters at the oven" },
    })
}

/// Types into a box of the settings, in place of what stands there.
async fn fill(app: &App, id: &str, text: &str) {
    let script = format!(
        "const box = document.getElementById('{id}'); box.scrollIntoView({{ block: 'center' }}); box.focus(); box.select()"
    );
    app.script(&script).await;
    app.painted().await;
    app.type_keys(text).await;
    app.is_true(
        id,
        &format!("return document.getElementById('{id}').value === '{text}'"),
    )
    .await;
}

async fn said(app: &App, part: &str) {
    app.wait_for_text("what the model said", |text| text.contains(part))
        .await;
}

/// To the group of the settings.
async fn go_to_settings(app: &App) {
    app.press_char('3').await;
    app.named("model").await;
    app.script("document.querySelector('fieldset[aria-label=model]').scrollIntoView()")
        .await;
    app.painted().await;
}

#[tokio::test]
async fn a_model_is_tried_set_up_asked_and_forgotten() {
    let (data, files) = (folder(), folder());
    let server = server();
    let app = desk::open(data.path(), json!({})).await;
    posting(&app, files.path(), "Night Baker").await;
    let seen = desk::snapshot(&app).await;
    assert_eq!(seen["fields"]["seniority"]["state"], "not found", "{seen}");
    assert_eq!(app.count_named("Ask the model").await, 0);

    // Tried before it is saved: refused in words, then well.
    go_to_settings(&app).await;
    fill(&app, "model-url", &server.url()).await;
    fill(&app, "model-name", "small-1").await;
    fill(&app, "model-key", "sk-window").await;
    app.click("button", "Try it").await;
    said(&app, "refuses the key (401): “this key is not known”").await;
    app.screenshot("model-refused").await;
    app.click("button", "Try it").await;
    said(&app, "read the company of a test posting: “Oriel Bread”").await;
    app.screenshot("model-tried").await;
    app.click("button", "Save the model").await;
    said(&app, "Saved.").await;
    app.wait_for_text("model", |text| {
        text.contains("the key is in a file") || text.contains("The key is in")
    })
    .await;

    // Asked about the posting that is there: suggested, and nothing changed.
    app.press_char('1').await;
    app.click("button", "Ask the model").await;
    app.wait_for_text("notifications", |text| {
        text.contains("The model suggests values for Company and Seniority")
    })
    .await;
    app.wait_for_text("field seniority", |text| text.contains("Suggested: senior"))
        .await;
    app.screenshot("model-suggested").await;
    edit(&app, "seniority").await;
    let why = "from the model: “seen ten winters at the oven”";
    app.wait_for_text("suggestions for Seniority", |text| text.contains(why))
        .await;
    app.screenshot("model-suggestion").await;
    app.click_at(
        "the suggestion",
        "//*[@aria-label='suggestions for Seniority']//button[contains(., 'senior')]",
    )
    .await;
    let seen = shows(&app, "seniority", "senior").await;
    assert_eq!(seen["fields"]["seniority"]["source"], "Typed by you");
    app.click("tab", "History").await;
    app.wait_for_text("history", |text| {
        text.contains("Suggested by the model: seniority")
    })
    .await;

    // A run asks it by itself, and the card says who said what.
    posting(&app, files.path(), "Dawn Baker").await;
    let seen = shows(&app, "seniority", "senior").await;
    assert_eq!(seen["fields"]["seniority"]["source"], "AI · model small-1");
    assert_eq!(value(&seen, "company"), "Umber Mills");
    let source = seen["fields"]["company"]["source"]
        .as_str()
        .unwrap_or_default();
    assert!(
        source.starts_with("AI · model small-1 · ungrounded"),
        "{source}"
    );
    app.wait_for_text("field company", |text| text.contains("ungrounded"))
        .await;
    let step = "return [...document.querySelectorAll('.gl-step')].find((step) => step.textContent.startsWith('Enrich')).title";
    let step = app.script(step).await;
    let step = step.as_str().unwrap_or_default();
    assert!(
        step.contains("small-1 was asked for") && step.contains("200 tokens, 80 answered"),
        "{step}"
    );
    let asked = server.asked();
    assert!(
        asked
            .iter()
            .all(|(head, _)| head.contains("bearer sk-window"))
    );

    let mut found = Findings::default();
    for theme in ["light", "dark"] {
        choose_theme(&app, theme).await;
        app.press_char('1').await;
        found.look(&app, theme, "model-card").await;
        go_to_settings(&app).await;
        found.look(&app, theme, "model-settings").await;
    }
    narrow(&app, 820, "").await;
    go_to_settings(&app).await;
    found.look(&app, "dark", "model-narrow").await;
    app.press_char('1').await;
    narrow(&app, 660, "Card").await;
    found.look(&app, "dark", "model-narrow-card").await;
    narrow(&app, 1280, "").await;
    go_to_settings(&app).await;
    found.none();

    // By keyboard: forgotten, and no run asks any more.
    app.script("[...document.querySelectorAll('fieldset[aria-label=model] button')].find((b) => b.textContent === 'Forget').focus()").await;
    app.press(Key::Enter).await;
    said(&app, "Forgotten").await;
    app.is_true(
        "an empty address",
        "return document.getElementById('model-url').value === ''",
    )
    .await;
    app.press_char('1').await;
    let before = server.asked().len();
    posting(&app, files.path(), "Noon Baker").await;
    assert_eq!(server.asked().len(), before);
    app.close().await;
}
