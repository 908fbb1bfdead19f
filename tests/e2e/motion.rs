//! A new value glows and slides in without moving anything else; where frames stay over budget, motion turns itself off.

use crate::desk::{self, drop_files, ended, fixture, folder};
use crate::support::App;
use serde_json::json;

/// Between two fields, in milliseconds.
const FIELD_MS: u64 = 180;

/// Keeps what begins to move, with the height of its row then and at its end, and whether motion was off.
const WATCH: &str = "window.__moves = [];
    for (const kind of ['animationstart', 'animationend']) {
      document.addEventListener(kind, (event) => {
        const row = event.target.closest?.('.gl-field');
        if (!row) return;
        window.__moves.push([kind, event.animationName, row.id, row.getBoundingClientRect().height,
          document.documentElement.classList.contains('gl-slow')]);
      });
    }";

async fn slow_fields(data: &std::path::Path) -> App {
    desk::open(data, json!({ "delay_ms": { "field": FIELD_MS } })).await
}

async fn moves(app: &App) -> Vec<(String, String, String, f64, bool)> {
    let moves = app.script("return window.__moves").await;
    serde_json::from_value(moves).expect("moves")
}

#[tokio::test]
async fn a_new_value_slides_in_and_shifts_nothing() {
    let data = folder();
    let app = slow_fields(data.path()).await;
    app.script(WATCH).await;
    drop_files(&app, &[&fixture("full.html")]).await;
    app.is_true(
        "a value that arrives",
        "return window.__moves.some((move) => move[1].startsWith('gl-arrive'))",
    )
    .await;
    app.screenshot("motion-arrives").await;
    ended(&app, "full.html").await;
    let still =
        "return document.querySelector('.gl-field.is-new, .gl-field.is-new-again') === null";
    app.is_true("all values to have arrived", still).await;
    let moves = moves(&app).await;
    assert!(
        moves
            .iter()
            .any(|(_, name, ..)| name.starts_with("gl-glow"))
    );
    let mut slides = 0;
    for (kind, name, row, height, _) in &moves {
        if kind != "animationend" || !name.starts_with("gl-arrive") {
            continue;
        }
        let begin = moves
            .iter()
            .rev()
            .find(|(kind, begun, of, ..)| kind == "animationstart" && begun == name && of == row);
        let (.., before, _) = begin.expect("what ends has begun");
        assert_eq!(height, before, "{row} keeps its height");
        slides += 1;
    }
    assert!(slides > 0, "{moves:?}");
    // Nothing moves again by itself: motion off and on leaves everything where it is.
    app.script("window.__moves = []; document.documentElement.classList.add('gl-slow')")
        .await;
    app.script("document.documentElement.classList.remove('gl-slow')")
        .await;
    app.screenshot("motion-arrived").await;
    assert_eq!(self::moves(&app).await, []);
    app.close().await;
}

#[tokio::test]
async fn motion_turns_itself_off_where_frames_stay_over_budget() {
    let data = folder();
    let app = slow_fields(data.path()).await;
    app.script(WATCH).await;
    // From the first motion on a slow machine, some 50 ms a frame, until motion is off.
    app.script(
        "let spins = false;
         const spin = () => {
           const begin = performance.now();
           while (performance.now() - begin < 40);
           if (!document.documentElement.classList.contains('gl-slow')) requestAnimationFrame(spin);
         };
         document.addEventListener('animationstart', (event) => {
           if (spins || !event.animationName.startsWith('gl-arrive')) return;
           spins = true;
           spin();
         });",
    )
    .await;
    drop_files(&app, &[&fixture("full.html")]).await;
    app.is_true(
        "motion to turn itself off",
        "return document.documentElement.classList.contains('gl-slow')",
    )
    .await;
    ended(&app, "full.html").await;
    let moves = moves(&app).await;
    let begun: Vec<_> = moves.iter().filter(|m| m.0 == "animationstart").collect();
    assert!(begun.iter().any(|m| !m.4), "it moved at first: {moves:?}");
    assert!(begun.iter().all(|m| !m.4), "and then no more: {moves:?}");
    app.press_char('3').await;
    app.wait_for_text("settings", |text| {
        text.contains("It is off by itself for a minute")
    })
    .await;
    app.close().await;
}
