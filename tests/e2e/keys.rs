//! The keys of the window, as a person has them: chosen, refused, kept over a restart, shown wherever a key is shown, and
//! turned off.

use crate::desk::{self, drop_fixture, folder};
use crate::edit::{dialog_is_gone, focus_is};
use crate::look::{Findings, choose_theme, narrow};
use crate::support::{App, Look};
use fantoccini::key::Key;
use serde_json::{Value, json};

const HELP: &str = "return document.getElementById('new-key-help')?.textContent ?? null";
const SHOWN: &str = "return document.getElementById('new-key')?.value ?? null";

/// Waits until a script answers a text that contains these words.
async fn says(app: &App, script: &str, words: &str) {
    app.wait_until(words, async |client| {
        match client.execute(script, Vec::new()).await {
            Ok(Value::String(seen)) if seen.contains(words) => Look::Done(()),
            seen => Look::Seen(format!("{seen:?}")),
        }
    })
    .await;
}

async fn change(app: &App, title: &str) {
    app.click("button", &format!("Change the key of {title}"))
        .await;
    focus_is(app, "new-key").await;
}

async fn choose(app: &App, title: &str, key: char, shown: &str) {
    change(app, title).await;
    app.press_char(key).await;
    says(app, SHOWN, shown).await;
    app.press(Key::Enter).await;
    dialog_is_gone(app).await;
}

/// Whether this page is shown after every key so far did its work.
async fn on_page(app: &App, name: &str) -> bool {
    let script = format!(
        "const done = arguments[0];
         requestAnimationFrame(() => requestAnimationFrame(() =>
             done(document.querySelector('section[aria-label={name}]') !== null)))"
    );
    app.script_async(&script, Vec::new()).await == json!(true)
}

#[tokio::test]
async fn keys_are_chosen_refused_kept_and_turned_off() {
    let data = folder();
    let app = desk::open(data.path(), json!({})).await;
    let mut found = Findings::default();
    app.press_char('3').await;
    app.named("keys of the commands").await;
    found.look(&app, "light", "keys").await;

    // A key that is taken is refused by name, one that the window needs too; Esc changes nothing.
    change(&app, "Go to the exports").await;
    app.press_char('o').await;
    says(&app, HELP, "O does something already: “Open a file”").await;
    let keep = "return document.querySelector('dialog[open] [type=submit]').disabled";
    assert_eq!(app.script(keep).await, true, "nothing to keep");
    found.look(&app, "light", "keys-taken").await;
    app.press(Key::Down).await;
    says(&app, HELP, "ArrowDown is needed to move about").await;
    app.press(Key::Enter).await;
    app.chord(Key::Control, 'c').await;
    says(&app, HELP, "Ctrl C is the system's").await;
    app.press_char('x').await;
    says(&app, SHOWN, "X").await;
    app.press(Key::Tab).await;
    says(&app, "return document.activeElement.textContent", "Keep").await;
    app.press(Key::Escape).await;
    dialog_is_gone(&app).await;
    app.press_char('x').await;
    assert!(on_page(&app, "settings").await, "nothing was changed");

    // Another key, also with Ctrl; the old one does nothing, and the focus is where it was.
    choose(&app, "Go to the exports", 'x', "X").await;
    focus_is(&app, "key-go_exports").await;
    app.screenshot("light-keys-chosen").await;
    choose(&app, "Give a verdict", 'w', "W").await;
    change(&app, "Show the history").await;
    app.chord(Key::Control, 'h').await;
    says(&app, SHOWN, "Ctrl H").await;
    app.press(Key::Enter).await;
    dialog_is_gone(&app).await;
    app.press_char('5').await;
    assert!(on_page(&app, "settings").await, "5 leads nowhere now");
    app.press_char('x').await;
    app.named("exports").await;

    // After a restart too; the sheet, the bar and the buttons show it.
    let app = app.restart().await;
    app.wait_for_text("connection", |text| text.contains("Ready"))
        .await;
    drop_fixture(&app, "full.html").await;
    let tools = "return document.querySelector('.gl-card__tools').innerText";
    says(&app, tools, "W").await;
    app.press_char('w').await;
    assert!(app.text_of_dialog().await.contains("Your verdict"));
    app.press(Key::Escape).await;
    dialog_is_gone(&app).await;
    app.press_char('?').await;
    let sheet = app.text_of_dialog().await;
    let lines: Vec<&str> = sheet.lines().collect();
    let line = |title: &str| {
        let at = lines.iter().position(|line| line.trim() == title);
        lines[at.expect(title) - 1].trim()
    };
    assert_eq!(line("Go to the exports"), "X");
    assert_eq!(line("Show the history"), "Ctrl H");
    app.press(Key::Escape).await;
    dialog_is_gone(&app).await;
    app.chord(Key::Control, 'h').await;
    app.named("history tools").await;
    app.chord(Key::Control, 'k').await;
    app.type_keys("exports").await;
    let bar = "return document.querySelector('.gl-command__line.is-active')?.innerText ?? null";
    says(&app, bar, "X").await;
    app.press(Key::Escape).await;
    dialog_is_gone(&app).await;

    off_and_back(&app, &mut found).await;
    found.none();
    app.close().await;
}

/// Single keys turned off: the command bar leads everywhere, the sheet says so. And everything as it was at first.
async fn off_and_back(app: &App, found: &mut Findings) {
    choose_theme(app, "dark").await;
    let single = "//label[contains(., 'Single-key shortcuts')]";
    app.click_at("Single-key shortcuts", single).await;
    let unchecked = "return String(document.querySelector('.gl-keys input').checked)";
    says(app, unchecked, "false").await;
    for key in ['1', 'x', '?', 'p'] {
        app.press_char(key).await;
    }
    assert!(on_page(app, "settings").await, "single keys rest");
    let open = "return String(document.querySelector('dialog[open]'))";
    says(app, open, "null").await;
    change(app, "Paste a posting's text").await;
    app.press_char('q').await;
    says(app, HELP, "Single keys are off: hold Ctrl too").await;
    narrow_look(app, found, "keys-off").await;
    app.press(Key::Escape).await;
    dialog_is_gone(app).await;
    app.chord(Key::Control, 'k').await;
    focus_is(app, "Find or do").await;
    app.type_keys("keyboard shortcuts").await;
    let bar = "return document.querySelector('.gl-command__line.is-active')?.innerText ?? null";
    says(app, bar, "Show the keyboard shortcuts").await;
    app.press(Key::Enter).await;
    let sheet =
        "return document.querySelector('dialog[open] h2')?.textContent === 'Keyboard shortcuts'
        ? document.querySelector('dialog[open]').innerText : null";
    says(app, sheet, "Single keys are turned off.").await;
    app.press(Key::Escape).await;
    dialog_is_gone(app).await;

    app.click_at("Single-key shortcuts", single).await;
    app.click("button", "Reset the key of Go to the exports")
        .await;
    app.wait_until_gone("Reset the key of Go to the exports")
        .await;
    focus_is(app, "key-go_exports").await;
    app.role("button", "Reset the key of Give a verdict").await;
    app.click("button", "Reset all keys").await;
    app.wait_until_gone("Reset the key of Give a verdict").await;
    app.script("document.activeElement.blur()").await;
    app.press_char('5').await;
    app.named("exports").await;
}

async fn narrow_look(app: &App, found: &mut Findings, screen: &str) {
    narrow(app, 900, "").await;
    found.look(app, "dark", &format!("{screen}-900")).await;
    app.resize(660, 800).await;
    found.look(app, "dark", &format!("{screen}-660")).await;
    app.resize(1280, 800).await;
}
