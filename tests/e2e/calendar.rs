//! The calendar beside the input of a date: by keyboard and by mouse, in both themes, and narrow.

use crate::desk::{self, drop_fixture, folder};
use crate::edit::{edit, focus_is, shows};
use crate::look::{Findings, choose_theme, narrow};
use crate::support::{App, Look};
use fantoccini::key::Key;
use serde_json::{Value, json};

/// Opens the calendar from the input, and waits until the focus is on this day.
async fn open_on(app: &App, day: &str) {
    app.chord(Key::Alt, Key::Down.into()).await;
    focus_is(app, day).await;
}

async fn is_gone(app: &App) {
    app.wait_until("the calendar to close", async |client| {
        let open = "return document.querySelector('.gl-cal') === null";
        match client.execute(open, Vec::new()).await {
            Ok(Value::Bool(true)) => Look::Done(()),
            seen => Look::Seen(format!("{seen:?}")),
        }
    })
    .await;
}

async fn typed(app: &App) -> Value {
    let typed = "return document.querySelector('.gl-day input').value";
    app.script(typed).await
}

#[tokio::test]
async fn a_day_is_chosen_by_keyboard_and_by_mouse() {
    let data = folder();
    let app = desk::open(data.path(), json!({})).await;
    drop_fixture(&app, "full.html").await;
    let mut found = Findings::default();
    edit(&app, "posted_at").await;
    focus_is(&app, "edit posted_at").await;
    open_on(&app, "Monday 2 November 2026").await;
    let seen = "const cal = document.querySelector('.gl-cal');
        return [cal.getAttribute('aria-label'), cal.querySelector('[aria-selected=true]').ariaLabel,
            cal.querySelectorAll('td[tabindex=\"0\"]').length, cal.querySelector('#gl-cal-month').textContent]";
    assert_eq!(
        app.script(seen).await,
        json!([
            "Choose a day for Posted",
            "Monday 2 November 2026",
            1,
            "November 2026"
        ])
    );
    found.look(&app, "light", "calendar").await;
    for (key, day) in [
        (Key::Right, "Tuesday 3 November 2026"),
        (Key::Down, "Tuesday 10 November 2026"),
        (Key::End, "Sunday 15 November 2026"),
        (Key::Home, "Monday 9 November 2026"),
        (Key::Up, "Monday 2 November 2026"),
        (Key::Left, "Sunday 1 November 2026"),
        (Key::PageUp, "Thursday 1 October 2026"),
        (Key::PageDown, "Sunday 1 November 2026"),
    ] {
        app.press(key).await;
        focus_is(&app, day).await;
    }
    app.chord(Key::Shift, Key::PageUp.into()).await;
    focus_is(&app, "Saturday 1 November 2025").await;
    // Tab goes round in it, letters do nothing, and Esc leaves the text as it was.
    for name in ["Previous month", "Next month", "Saturday 1 November 2025"] {
        app.press(Key::Tab).await;
        focus_is(&app, name).await;
    }
    app.press_char('v').await;
    app.press(Key::Escape).await;
    is_gone(&app).await;
    focus_is(&app, "edit posted_at").await;
    assert_eq!(typed(&app).await, "2026-11-02");
    assert_eq!(
        app.script("return document.querySelector('dialog[open]')")
            .await,
        Value::Null
    );

    // Enter takes the day into the text, where it is saved like any other.
    open_on(&app, "Monday 2 November 2026").await;
    app.press(Key::Down).await;
    focus_is(&app, "Monday 9 November 2026").await;
    app.press(Key::Enter).await;
    is_gone(&app).await;
    focus_is(&app, "edit posted_at").await;
    assert_eq!(typed(&app).await, "2026-11-09");
    app.press(Key::Enter).await;
    shows(&app, "posted_at", "9 Nov 2026").await;
    focus_is(&app, "field-posted_at").await;

    // By mouse, in dark and narrow; what is typed meanwhile counts, and the rules are those of typing.
    choose_theme(&app, "dark").await;
    app.press_char('1').await;
    app.named("field posted_at").await;
    narrow(&app, 640, "Card").await;
    edit(&app, "valid_through").await;
    focus_is(&app, "edit valid_through").await;
    app.script("document.activeElement.select()").await;
    app.type_keys("3 Dec 2026").await;
    app.click("button", "Choose a day for Valid through").await;
    focus_is(&app, "Thursday 3 December 2026").await;
    found.look(&app, "dark", "calendar-640").await;
    app.click("button", "Next month").await;
    app.click("button", "Next month").await;
    app.click_at("a day", "//td[@aria-label='Friday 5 February 2027']")
        .await;
    is_gone(&app).await;
    focus_is(&app, "edit valid_through").await;
    assert_eq!(typed(&app).await, "2027-02-05");
    app.press(Key::Enter).await;
    shows(&app, "valid_through", "5 Feb 2027").await;
    found.none();
    app.close().await;
}
