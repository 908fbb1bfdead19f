//! The history of a posting: narrowed by field, author, source and time, and back to the field on the card.

use crate::conflicts::Beside;
use crate::desk::{self, drop_fixture, folder};
use crate::edit::{focus_is, set, shows};
use crate::look::Findings;
use crate::support::{App, Look};
use fantoccini::key::Key;
use ghostlight_model::FieldKey;
use serde_json::{Value, json};

/// Chooses in one of the selects above the history, as a key in it does, once it offers that.
async fn choose(app: &App, select: &str, label: &str) {
    let script = format!(
        "const box = document.querySelector('[aria-label=\"history tools\"] select[aria-label={select}]');
         box.focus();
         const option = [...box.options].find((option) => option.textContent === {label});
         if (!option) return [...box.options].map((option) => option.textContent).join(', ');
         box.value = option.value;
         box.dispatchEvent(new Event('change', {{ bubbles: true }}));
         return true",
        label = json!(label),
    );
    app.wait_until(&format!("{label} to choose"), async |client| {
        match client.execute(&script, Vec::new()).await {
            Ok(Value::Bool(true)) => Look::Done(()),
            seen => Look::Seen(format!("{seen:?}")),
        }
    })
    .await;
}

async fn history(app: &App, good: impl Fn(&str) -> bool) -> String {
    app.wait_for_text("history", good).await
}

/// Waits until the history has no version.
async fn nothing_is_like_that(app: &App) {
    app.wait_until("no version", async |client| {
        let drawer = "return document.querySelector('.gl-drawer').innerText";
        match client.execute(drawer, Vec::new()).await {
            Ok(Value::String(text)) if text.contains("No change is like that") => Look::Done(()),
            seen => Look::Seen(format!("{seen:?}")),
        }
    })
    .await;
}

#[tokio::test]
async fn the_history_is_narrowed_and_leads_back_to_the_card() {
    let data = folder();
    let app = desk::open(data.path(), json!({})).await;
    drop_fixture(&app, "full.html").await;
    let mut found = Findings::default();
    set(&app, "company", "Quillmarsh & Sons", "Quillmarsh & Sons").await;
    let beside = Beside::of(data.path());
    beside.change(FieldKey::Title, "Tide Engineer");
    beside.change(FieldKey::Custom("head count".into()), "twelve");
    shows(&app, "title", "Tide Engineer").await;
    app.click("tab", "History").await;
    history(&app, |text| text.contains("twelve")).await;

    // By author: somebody else, then oneself.
    choose(&app, "Author", "person-2").await;
    history(&app, |text| {
        text.contains("Tide Engineer")
            && text.contains("twelve")
            && !text.contains("Quillmarsh & Sons")
    })
    .await;
    choose(&app, "Author", "you").await;
    history(&app, |text| {
        text.contains("Quillmarsh & Sons") && !text.contains("twelve")
    })
    .await;
    choose(&app, "Author", "everybody").await;
    // By source.
    choose(&app, "Source", "found on pages").await;
    history(&app, |text| {
        !text.contains("twelve") && text.contains("Rust")
    })
    .await;
    choose(&app, "Source", "every source").await;
    // By time: a span, then days that are typed.
    choose(&app, "When", "today").await;
    history(&app, |text| text.contains("twelve")).await;
    choose(&app, "When", "on these days").await;
    app.press(Key::Tab).await;
    focus_is(&app, "From").await;
    app.type_keys("2020-01-01").await;
    history(&app, |text| text.contains("twelve")).await;
    app.press(Key::Tab).await;
    focus_is(&app, "To").await;
    app.type_keys("2020-01-31").await;
    nothing_is_like_that(&app).await;
    found.both(&app, "history-days").await;
    app.script("document.activeElement.select()").await;
    app.type_keys("soon").await;
    app.is_true(
        "why it is no day",
        "return document.getElementById('history-days-help').textContent.includes('not a day')",
    )
    .await;
    // What is no day hides nothing.
    history(&app, |text| text.contains("twelve")).await;
    app.resize(660, 800).await;
    found.both(&app, "history-days-narrow").await;
    app.resize(1280, 800).await;
    choose(&app, "When", "at any time").await;

    // A field of one's own: from the card to its history, and from there to the card.
    app.script("document.getElementById('field-head count').focus()")
        .await;
    app.press_char('h').await;
    history(&app, |text| {
        text.contains("twelve") && !text.contains("Tide Engineer")
    })
    .await;
    let field = "return document.querySelector('[aria-label=\"history tools\"] select[aria-label=Field]').selectedOptions[0].textContent";
    assert_eq!(app.script(field).await, "head count");
    app.script("[...document.querySelectorAll('#history button')].find((button) => button.textContent === 'head count').focus()")
        .await;
    app.press(Key::Enter).await;
    focus_is(&app, "field-head count").await;
    is_chosen(&app, "field-head count").await;
    found.both(&app, "history-field").await;
    // By mouse, from a version of several fields.
    choose(&app, "Field", "every field").await;
    history(&app, |text| text.contains("Tide Engineer")).await;
    app.click_at("Title", "//*[@id='history']//button[.='Title']")
        .await;
    focus_is(&app, "field-title").await;
    is_chosen(&app, "field-title").await;
    found.none();
    app.close().await;
}

async fn is_chosen(app: &App, id: &str) {
    let script = format!("return document.getElementById('{id}').ariaCurrent === 'true'");
    app.is_true("the field is the selected one", &script).await;
}
