//! What another page shows is taken away as it is narrowed there: the form of the exports is filled in, and the file holds
//! that and nothing more (SPEC I1).

use crate::desk::{self, choose, drop_fixture, drop_posting, folder};
use crate::exports::{export, fill, newest};
use crate::look::Findings;
use crate::monitor::choose_run;
use crate::support::{App, studio};
use fantoccini::key::Key;
use serde_json::json;
use std::path::Path;

/// A text of a second posting, without any date.
const KEEPER: &str = "Tide Keeper\nQuillmarsh Instruments\nLocation: Lyon, France\nFull-time, on site.\n\
     Responsibilities: you keep the gauges of the river. Requirements: a steady hand. Apply by email.";

async fn export_these(app: &App, inside: &str) {
    let button = format!(
        "//*[@aria-label='{inside}']//button[@aria-label='Export these…' or .='Export these…']"
    );
    app.click_at("Export these…", &button).await;
    app.named("preview").await;
}

/// What stands in the form: the values of its boxes, and the words of what was looked for.
async fn form(app: &App) -> String {
    let said = app
        .script(
            "const form = document.querySelector('[aria-label=\"what to export\"]');
             const boxes = [...form.querySelectorAll('select, input:not([type=checkbox])')];
             const found = [...form.querySelectorAll('.gl-chosen')].map((one) => 'found=' + one.innerText.trim());
             return boxes.filter((box) => box.value).map((box) => box.id.replace('export-', '') + '=' + box.value).concat(found).join(' ')",
        )
        .await;
    said.as_str().unwrap_or_default().to_owned()
}

/// Chooses a word of the first list that the selector names.
async fn select(app: &App, selector: &str, word: &str) {
    app.is_true(
        selector,
        &format!(
            "const list = document.querySelector(`{selector}`);
             const has = [...(list?.options ?? [])].some((one) => one.value === '{word}');
             if (has) {{ list.value = '{word}'; list.dispatchEvent(new Event('change', {{ bubbles: true }})); }}
             return has"
        ),
    )
    .await;
}

/// Exports what is chosen, and reads it.
async fn read(app: &App, target: &Path) -> String {
    let _ = std::fs::remove_file(target);
    export(app).await;
    // It is there as a whole, or not yet.
    desk::until("the file", || target.exists()).await;
    newest(app, "its row", |text, _| text.contains("Show the file")).await;
    std::fs::read_to_string(target).expect("the file is there")
}

#[tokio::test]
async fn postings_a_card_and_its_history_are_taken_away_as_they_are_shown() {
    let (data, files) = (folder(), folder());
    let target = files.path().join("out.csv");
    let app = desk::open(data.path(), json!({ "save": target })).await;
    drop_fixture(&app, "full.html").await;
    drop_posting(&app, files.path(), "Tide Keeper", KEEPER).await;

    // The list, in an order that a file does not have.
    select(&app, "[aria-label=postings] select", "title").await;
    export_these(&app, "postings").await;
    assert_eq!(form(&app).await, "what=postings format=csv");
    app.wait_for_text("exports", |text| text.contains("ordered by title"))
        .await;
    app.wait_for_text("preview", |text| text.contains("All of it, 2 rows"))
        .await;
    let text = read(&app, &target).await;
    assert!(text.contains("Tide Keeper") && text.contains("Senior Backend Engineer"));

    // A card.
    app.press_char('1').await;
    choose(&app, "Tide Keeper").await;
    app.click_at("Export…", "//*[@aria-label='card']//button[.='Export…']")
        .await;
    app.wait_for_text("preview", |text| {
        text.contains("All of it, 1 row") && text.contains("ghostlight-postings-tide-keeper-2")
    })
    .await;
    assert_eq!(
        form(&app).await,
        "what=postings format=csv found=Tide Keeper"
    );
    let text = read(&app, &target).await;
    assert!(text.contains("Tide Keeper") && !text.contains("Senior Backend Engineer"));

    // Its history, narrowed.
    app.press_char('1').await;
    app.click("tab", "History").await;
    select(
        &app,
        "[aria-label=\"history tools\"] [aria-label=Field]",
        "title",
    )
    .await;
    select(
        &app,
        "[aria-label=\"history tools\"] [aria-label=Source]",
        "parsing",
    )
    .await;
    select(
        &app,
        "[aria-label=\"history tools\"] [aria-label=When]",
        "7",
    )
    .await;
    export_these(&app, "history tools").await;
    let said = form(&app).await;
    assert!(
        said.starts_with("what=history format=csv from=20")
            && said.ends_with(" field=title source=parsing found=Tide Keeper"),
        "{said}"
    );
    app.wait_for_text("preview", |text| text.contains("All of it, 1 row"))
        .await;
    let text = read(&app, &target).await;
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(
        text.lines()
            .nth(1)
            .is_some_and(|line| line.contains(",title,,Tide Keeper,")),
        "{text}"
    );
    let mut found = Findings::default();
    found.both(&app, "exports-handed").await;
    found.none();
    app.resize(660, 900).await;
    app.screenshot("exports-handed-narrow").await;
    app.resize(1280, 800).await;

    // Bad input is said, and nothing that was chosen is lost.
    fill(&app, "export-limit", "many").await;
    app.wait_for_text("exports", |text| {
        text.contains("“many” is not a number of rows")
    })
    .await;
    fill(&app, "export-limit", "").await;
    fill(&app, "export-until", "2001-01-01").await;
    app.wait_for_text("exports", |text| {
        text.contains("The first day is after the last")
    })
    .await;
    app.screenshot("exports-wrong").await;
    fill(&app, "export-until", "").await;
    fill(&app, "export-field", "titel").await;
    app.wait_for_text("exports", |text| {
        text.contains("No card has a field `titel`") && text.contains("Nothing is like that")
    })
    .await;

    // Another page begins with nothing narrowed.
    app.press_char('1').await;
    app.press_char('5').await;
    app.named("preview").await;
    assert_eq!(form(&app).await, "what=postings format=csv");
    app.close().await;
}

#[tokio::test]
async fn runs_and_the_log_of_one_are_taken_away_as_they_are_narrowed() {
    let (data, files) = (folder(), folder());
    let target = files.path().join("out.csv");
    // Of ten short runs the fourth fails.
    studio::fill(data.path(), "crowd", 60, 10);
    let app = desk::open(data.path(), json!({ "save": target })).await;
    app.press_char('2').await;
    app.named("filters of the runs").await;
    let filters = "[aria-label=\"filters of the runs\"]";
    select(&app, &format!("{filters} [aria-label=Source]"), "hub").await;
    select(&app, &format!("{filters} [aria-label=State]"), "failed").await;
    app.type_at("the name", "//*[@aria-label='Find a run']", "NIGHT")
        .await;
    export_these(&app, "runs").await;
    assert_eq!(
        form(&app).await,
        "what=events format=csv origin=hub named=NIGHT status=failed"
    );
    app.wait_for_text("preview", |text| {
        text.contains("All of it, 3 rows") && text.contains("ghostlight-events-hub-failed-night-2")
    })
    .await;
    let text = read(&app, &target).await;
    assert_eq!(text.matches("run/nightly-00003,").count(), 3, "{text}");
    assert_eq!(text.lines().count(), 4, "{text}");

    // The log of one run.
    choose_run(&app, "crowd").await;
    let log = "[aria-label=\"filters of the log\"]";
    select(&app, &format!("{log} [aria-label=Phase]"), "progress").await;
    let find = "//*[@aria-label='Find in the log']";
    app.type_at("the text", find, "{\"row\":1").await;
    app.wait_for_text("filters of the log", |text| text.contains("11 of 60"))
        .await;
    app.click("button", "Clear view").await;
    app.click("button", "Show all").await;
    export_these(&app, "filters of the log").await;
    assert_eq!(
        form(&app).await,
        "what=events format=csv phase=progress text={\"row\":1 found=crowd"
    );
    app.wait_for_text("preview", |text| {
        text.contains("The first 10 of 11 rows") && text.contains("ghostlight-events-row-1-crowd-")
    })
    .await;
    let text = read(&app, &target).await;
    assert_eq!(text.lines().count(), 12, "{text}");
    let rows = text.lines().skip(1);
    let rows: Vec<&str> = rows
        .filter_map(|line| line.split_once("\"\"row\"\":"))
        .filter_map(|(_, row)| row.split('}').next())
        .collect();
    assert_eq!(
        rows,
        [
            "1", "10", "11", "12", "13", "14", "15", "16", "17", "18", "19"
        ]
    );

    // What an export cannot say is named; a severity can be said.
    choose_run(&app, "crowd").await;
    select(&app, &format!("{log} [aria-label=Issues]"), "error").await;
    app.wait_for_text("filters of the log", |text| text.contains("0 of 60"))
        .await;
    app.click("button", "Clear view").await;
    export_these(&app, "filters of the log").await;
    let said = form(&app).await;
    assert!(said.contains("severity=error"), "{said}");
    app.wait_for_text("exports", |text| {
        text.contains("when the view of the log was cleared")
            && text.contains("Nothing is like that")
    })
    .await;
    app.screenshot("exports-log").await;
    app.close().await;
}

#[tokio::test]
async fn a_posting_and_a_run_are_found_by_a_few_letters() {
    let (data, files) = (folder(), folder());
    let target = files.path().join("out.csv");
    let app = desk::open(data.path(), json!({ "save": target })).await;
    drop_fixture(&app, "full.html").await;
    drop_posting(&app, files.path(), "Tide Keeper", KEEPER).await;
    app.press_char('5').await;
    app.named("preview").await;
    app.wait_for_text("preview", |text| text.contains("All of it, 2 rows"))
        .await;
    let posting = "//*[@id='export-posting']";
    app.type_at("the posting", posting, "zzz").await;
    app.wait_for_text("exports", |text| text.contains("No posting is called that"))
        .await;
    fill(&app, "export-posting", "").await;
    app.type_at("the posting", posting, "keep").await;
    app.wait_for_text("found for Posting", |text| text.contains("Tide Keeper"))
        .await;
    let mut found = Findings::default();
    found.both(&app, "exports-search").await;
    found.none();
    app.press(Key::Enter).await;
    app.wait_for_text("preview", |text| text.contains("All of it, 1 row"))
        .await;
    assert_eq!(
        form(&app).await,
        "what=postings format=csv found=Tide Keeper"
    );
    // It goes on being of that posting in its history, whose authors can be chosen by name.
    fill(&app, "export-what", "history").await;
    app.wait_for_text("preview", |text| {
        text.contains("as ghostlight-history-tide-keeper-")
    })
    .await;
    let authors = "return [...document.querySelectorAll('#export-author option')].some((one) => one.text.startsWith('Ghostlight '))";
    app.is_true("the authors", authors).await;
    // Any other again.
    app.click("button", "Posting: Tide Keeper. Any other").await;
    app.wait_for_text("preview", |text| {
        !text.contains("tide-keeper") && text.contains("as ghostlight-history-20")
    })
    .await;
    // A run, by the mouse.
    fill(&app, "export-what", "events").await;
    app.type_at("the run", "//*[@id='export-run']", "full")
        .await;
    app.click_at(
        "the run",
        "//*[@role='listbox']//*[@role='option'][contains(., 'full.html')]",
    )
    .await;
    app.wait_for_text("preview", |text| {
        text.contains("ghostlight-events-full-html-")
    })
    .await;
    let text = read(&app, &target).await;
    assert!(
        text.contains("SCORE") && !text.contains("Tide Keeper"),
        "{text}"
    );
    app.close().await;
}
