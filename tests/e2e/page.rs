//! The process that draws the page is killed: the window comes back by itself, with what was shown and typed, and asks
//! where that happens again and again. A fault of the page itself is said, and frames that never come hold nothing back.

use std::process::{Command, Stdio};

use crate::desk::{
    self, LOOK_EVERY, choose, drafts, drop_files, drop_fixture, fixture, folder, until, value,
    wait_for,
};
use crate::edit::{edit, focus_is, retype};
use crate::support::process::{self, PAGE, own_processes};
use serde_json::json;

/// The title of the dialog.
const ASKED: &str = "Ghostlight's page stopped";

/// Ends the page's process without a farewell; answers once it is gone.
async fn kill_page() {
    until("a page", || !own_processes(PAGE).is_empty()).await;
    let pages = own_processes(PAGE);
    for page in &pages {
        process::kill(*page);
    }
    let gone = || !own_processes(PAGE).iter().any(|page| pages.contains(page));
    until("the page to be gone", gone).await;
}

/// Whether a window of the display has this title.
fn is_on_screen(title: &str) -> bool {
    let mut search = Command::new("xdotool");
    search.args(["search", "--onlyvisible", "--name", title]);
    search
        .stdout(Stdio::null())
        .status()
        .expect("xdotool starts")
        .success()
}

fn press_in(title: &str, key: &str) {
    let search = ["search", "--onlyvisible", "--name", title];
    let press = ["windowfocus", "--sync", "key", key];
    let pressed = Command::new("xdotool").args(search).args(press).status();
    assert!(pressed.is_ok_and(|status| status.success()));
}

#[tokio::test]
async fn a_page_that_is_killed_comes_back_with_what_was_shown_and_typed() {
    let data = folder();
    let app = desk::open(data.path(), json!({})).await;
    drop_fixture(&app, "full.html").await;
    drop_fixture(&app, "no-dates.html").await;
    // Not the one that a window opens with.
    choose(&app, "Senior Backend Engineer").await;
    wait_for(&app, "the other card", |seen| {
        value(seen, "title") == "Senior Backend Engineer"
    })
    .await;
    edit(&app, "posted_at").await;
    retype(&app, "soon").await;
    until("the draft", || drafts(data.path()) == ["soon"]).await;
    kill_page().await;
    let app = app.attach_again().await;
    app.wait_for_text("field posted_at", |text| text.contains("Not saved: “soon”"))
        .await;
    app.wait_for_text("notifications", |text| {
        text.contains("The window's page stopped and was loaded again")
            && text.contains("kept as a draft")
    })
    .await;
    app.screenshot("page-loaded-again").await;
    app.click("button", "Go on typing").await;
    focus_is(&app, "edit posted_at").await;

    // The third time within a minute nothing is loaded until somebody says so.
    kill_page().await;
    let app = app.attach_again().await;
    app.named("field posted_at").await;
    kill_page().await;
    until("the dialog", || is_on_screen(ASKED)).await;
    assert_eq!(own_processes(PAGE), Vec::<u32>::new());
    app.screen("page-asked");
    press_in(ASKED, "Return");
    let app = app.attach_again().await;
    app.wait_for_text("field posted_at", |text| text.contains("Not saved: “soon”"))
        .await;
    assert!(!is_on_screen(ASKED));
    app.close().await;
}

#[tokio::test]
async fn an_exception_through_the_window_is_said_and_the_window_can_be_loaded_again() {
    let data = folder();
    let app = desk::open(data.path(), json!({})).await;
    drop_fixture(&app, "full.html").await;
    // What harms nothing is not told: a refusal that nobody waits for, an error beside the program.
    app.script(
        "Promise.reject(new Error('refused'));
         setTimeout(() => { throw new Error('beside'); });",
    )
    .await;
    tokio::time::sleep(LOOK_EVERY).await;
    let hidden = app
        .script("return document.getElementById('fault').hidden")
        .await;
    assert_eq!(hidden, json!(true));
    // The next thing the window's program does asks for the time; the driver asks too, and gets it.
    app.script(
        "const now = performance.now.bind(performance);
         performance.now = () => {
           const error = new Error('the clock is gone');
           if (error.stack.includes('wasm')) throw error;
           return now();
         };",
    )
    .await;
    drop_files(&app, &[&fixture("no-dates.html")]).await;
    app.is_true(
        "the fault",
        "const fault = document.getElementById('fault');
         return !fault.hidden && fault.innerText.includes('The window had a fault')
           && fault.innerText.includes('the clock is gone');",
    )
    .await;
    app.screenshot("fault").await;
    app.click("button", "Reload").await;
    wait_for(&app, "a card again", |seen| {
        seen["busy"] == "false" && !value(seen, "title").is_empty()
    })
    .await;
    app.close().await;
}

#[tokio::test]
async fn a_page_that_is_seen_and_gets_no_frames_has_its_rows_all_the_same() {
    let data = folder();
    let app = desk::open(data.path(), json!({})).await;
    app.script("window.requestAnimationFrame = () => 0;").await;
    drop_fixture(&app, "full.html").await;
    app.close().await;
}
