//! Long lists: twenty thousand events scrolled by wheel, keys and scroll bar without a blank row, and ten thousand runs.
//! `window_bench.rs` does the same with a million events.

use fantoccini::key::Key;
use serde_json::json;

use crate::desk::{self, folder};
use crate::look::choose_theme;
use crate::support::{
    App, Look,
    scroll::{drag, focus, seen, stands, watch, wheel},
    studio::fill,
};

/// Events of the run: more than fits on a thousand screens, and quick in a debug build.
const EVENTS: usize = 20_000;
/// Runs beside it.
const RUNS: usize = 10_000;
/// Height of a row of the log, as `app.css` says.
const ROW_PX: u32 = 21;

/// Opens the run, and answers the id of its log.
async fn open_log(app: &App) -> String {
    app.press_char('2').await;
    app.click_at(
        "the long run",
        "//*[@id='runs']//*[@role='option'][contains(., 'long')]",
    )
    .await;
    app.wait_until("the log of the run", async |client| {
        let look = "return document.querySelector('[role=log]')?.id ?? ''";
        match client.execute(look, Vec::new()).await {
            Ok(id) => match id.as_str() {
                Some(id) if !id.is_empty() => Look::Done(id.to_owned()),
                _ => Look::Seen("no log".into()),
            },
            Err(error) => Look::Seen(error.to_string()),
        }
    })
    .await
}

#[tokio::test]
async fn a_long_log_scrolls_without_a_blank_row() {
    let data = folder();
    fill(data.path(), "long", EVENTS, 0);
    let app = desk::open(data.path(), json!({})).await;
    let log = open_log(&app).await;
    let log = log.as_str();
    let last = EVENTS as u64 - 1;
    stands(&app, log, |first| first + 100 > last).await;
    watch(&app, log, ROW_PX, EVENTS).await;

    // The wheel, up from the newest.
    wheel(&app, log, 60, -240).await;
    stands(&app, log, |first| first + 300 < last).await;
    // Keys.
    focus(&app, log).await;
    app.press(Key::Home).await;
    stands(&app, log, |first| first == 0).await;
    for _ in 0..25 {
        app.press(Key::PageDown).await;
    }
    stands(&app, log, |first| first > 100).await;
    app.press(Key::End).await;
    stands(&app, log, |first| first + 100 > last).await;
    app.press(Key::Home).await;
    stands(&app, log, |first| first == 0).await;
    // The scroll bar, to and fro.
    drag(&app, log, &[0.2, 0.9, 0.4, 0.05, 0.7, 0.5]).await;
    let middle = |first: u64| (first as f64 / EVENTS as f64 - 0.5).abs() < 0.15;
    stands(&app, log, middle).await;
    app.screenshot("long-log-dragged").await;

    let seen = seen(&app).await;
    println!("{seen:?}");
    assert!(seen.moved > 20, "it was scrolled: {seen:?}");
    assert_eq!(
        (seen.blank_rows, seen.torn_frames),
        (0, 0),
        "no row is blank or out of place in any frame: {seen:?}"
    );
    assert!(seen.elements_most < 200, "{seen:?}");
    app.close().await;
}

#[tokio::test]
async fn ten_thousand_runs_are_listed() {
    let data = folder();
    fill(data.path(), "long", 40, RUNS);
    let app = desk::open(data.path(), json!({})).await;
    for theme in ["light", "dark"] {
        choose_theme(&app, theme).await;
        app.press_char('2').await;
        app.click_at("the newest run", "//*[@id='runs']//*[@role='option'][1]")
            .await;
        app.wait_until("rows that stand", async |client| {
            let look = "return [document.querySelectorAll('#runs [role=option]').length,
                document.querySelectorAll('#runs .is-waiting').length,
                document.querySelector('#runs [role=option]')?.getAttribute('aria-setsize')]";
            match client.execute(look, Vec::new()).await {
                Ok(seen) if seen[0].as_u64() > Some(5) && seen[1] == 0 && seen[2] == "10001" => {
                    Look::Done(())
                }
                seen => Look::Seen(format!("{seen:?}")),
            }
        })
        .await;
        app.screenshot(&format!("{theme}-runs-10000")).await;
        focus(&app, "runs").await;
        app.press(Key::End).await;
        app.wait_until("the last run", async |client| {
            let look = "return document.querySelector('#runs [aria-posinset=\"10001\"]')?.textContent ?? ''";
            match client.execute(look, Vec::new()).await {
                Ok(seen) if seen.as_str().is_some_and(|text| text.contains("long")) => Look::Done(()),
                seen => Look::Seen(format!("{seen:?}")),
            }
        })
        .await;
        app.screenshot(&format!("{theme}-runs-10000-end")).await;
    }
    app.close().await;
}
