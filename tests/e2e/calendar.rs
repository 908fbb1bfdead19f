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

/// What the calendar is beside: the height of the whole, and whether nothing of the calendar is cut off.
async fn seen(app: &App) -> (f64, bool) {
    let seen = "const whole = document.querySelector('.gl-day').closest('.gl-field, .gl-dialog');
        const cal = document.querySelector('.gl-cal')?.getBoundingClientRect();
        const last = [...document.querySelectorAll('.gl-cal__day')].at(-1)?.getBoundingClientRect();
        const top = last && document.elementFromPoint(last.left + 8, last.top + 8);
        return [whole.getBoundingClientRect().height, !cal || cal.left >= 0 && cal.top >= 0
            && cal.right <= innerWidth && cal.bottom <= innerHeight && top.matches('.gl-cal__day')]";
    let seen = app.script(seen).await;
    (
        seen[0].as_f64().expect("a height"),
        seen[1] == Value::Bool(true),
    )
}

/// Lets the page think that the system speaks this: a machine for tests may have no other locale than C.
async fn speaks(app: &App, language: &str) {
    app.script(&format!(
        "Object.defineProperty(navigator, 'language', {{ configurable: true, value: '{language}' }})"
    ))
    .await;
}

/// The heads of its columns.
async fn heads(app: &App) -> String {
    let heads =
        "return [...document.querySelectorAll('.gl-cal th')].map((th) => th.textContent).join(' ')";
    app.script(heads)
        .await
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

async fn typed(app: &App) -> Value {
    let typed = "return document.querySelector('.gl-day input').value";
    app.script(typed).await
}

#[tokio::test]
async fn a_day_is_chosen_by_keyboard_and_by_mouse() {
    let data = folder();
    let app = desk::open(data.path(), json!({})).await;
    speaks(&app, "de-DE").await;
    drop_fixture(&app, "full.html").await;
    let mut found = Findings::default();
    edit(&app, "posted_at").await;
    focus_is(&app, "edit posted_at").await;
    let (before, _) = seen(&app).await;
    open_on(&app, "Monday 2 November 2026").await;
    assert_eq!(seen(&app).await, (before, true), "nothing moves for it");
    let shown = "const cal = document.querySelector('.gl-cal');
        return [cal.getAttribute('aria-label'), cal.querySelector('[aria-selected=true]').ariaLabel,
            cal.querySelectorAll('td[tabindex=\"0\"]').length, cal.querySelector('#gl-cal-month').textContent]";
    assert_eq!(
        app.script(shown).await,
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
    assert!(seen(&app).await.1);
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

#[tokio::test]
async fn weeks_begin_where_the_person_is_or_as_they_say() {
    let data = folder();
    let app = desk::open(data.path(), json!({})).await;
    speaks(&app, "en-US").await;
    drop_fixture(&app, "full.html").await;
    edit(&app, "posted_at").await;
    focus_is(&app, "edit posted_at").await;
    open_on(&app, "Monday 2 November 2026").await;
    assert_eq!(heads(&app).await, "Su Mo Tu We Th Fr Sa");
    app.press(Key::Home).await;
    focus_is(&app, "Sunday 1 November 2026").await;
    app.press(Key::Escape).await;
    is_gone(&app).await;
    app.press(Key::Escape).await;

    app.press_char('3').await;
    app.role("heading", "Settings").await;
    let choose = "const box = [...document.querySelectorAll('.gl-settings select')]
          .find((select) => select.closest('label')?.textContent.includes('Weeks begin on'));
        box.value = 'monday';
        box.dispatchEvent(new Event('change', { bubbles: true }));
        box.scrollIntoView({ block: 'center' })";
    app.script(choose).await;
    app.screenshot("settings-weeks").await;
    app.press_char('1').await;
    app.named("field posted_at").await;
    edit(&app, "posted_at").await;
    focus_is(&app, "edit posted_at").await;
    open_on(&app, "Monday 2 November 2026").await;
    assert_eq!(heads(&app).await, "Mo Tu We Th Fr Sa Su");
    app.close().await;
}

#[tokio::test]
async fn a_field_of_ones_own_has_a_calendar_too() {
    let data = folder();
    let app = desk::open(data.path(), json!({})).await;
    drop_fixture(&app, "full.html").await;
    let mut found = Findings::default();
    app.resize(760, 480).await;
    app.click("tab", "Card").await;
    app.click("button", "Add a field…").await;
    app.role("heading", "A field of your own").await;
    app.type_keys("interview").await;
    let date = "const box = document.getElementById('field-kind'); box.value = 'date';
        box.dispatchEvent(new Event('change', { bubbles: true }));";
    app.script(date).await;
    app.named("Choose a day for the field").await;
    let (before, _) = seen(&app).await;
    app.script("document.getElementById('field-value').focus()")
        .await;
    app.type_keys("2026-12-24").await;
    open_on(&app, "Thursday 24 December 2026").await;
    assert_eq!(
        seen(&app).await,
        (before, true),
        "nothing moves, nothing is cut"
    );
    found.look(&app, "light", "calendar-dialog").await;
    // Esc closes the calendar and not the dialog.
    app.press(Key::Escape).await;
    is_gone(&app).await;
    focus_is(&app, "field-value").await;
    open_on(&app, "Thursday 24 December 2026").await;
    app.press(Key::Right).await;
    focus_is(&app, "Friday 25 December 2026").await;
    app.press(Key::Enter).await;
    is_gone(&app).await;
    focus_is(&app, "field-value").await;
    assert_eq!(typed(&app).await, "2026-12-25");
    app.click("button", "Add the field").await;
    shows(&app, "interview", "25 Dec 2026").await;
    found.none();
    app.close().await;
}
