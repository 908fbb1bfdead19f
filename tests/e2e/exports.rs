//! Taking postings away: chosen, looked at, written, read back; what cannot be written leaves nothing.

use crate::desk::{self, drop_fixture, folder};
use crate::look::{Findings, choose_theme};
use crate::support::disk::Disk;
use crate::support::{App, Look, studio};
use serde_json::{Value, json};
use std::path::Path;

/// Events of a file that is written in many steps.
const EVENTS: usize = 10_000;

/// What stands in the newest row of the exports so far: its words, and how many tenths of it are written.
const NEWEST: &str = r#"
    const row = document.querySelector('[aria-label="exports so far"] li');
    const bar = row?.querySelector('progress');
    return [row?.innerText ?? '', bar ? Math.floor(10 * bar.value / bar.max) : null];
"#;

/// Sets one of the form's boxes.
pub async fn fill(app: &App, id: &str, text: &str) {
    app.script(&format!(
        "const box = document.getElementById('{id}'); box.value = '{text}';
         box.dispatchEvent(new Event(box.tagName === 'SELECT' ? 'change' : 'input', {{ bubbles: true }}))"
    ))
    .await;
}

/// Presses the button, once what the form comes to is known.
pub async fn export(app: &App) {
    let ready = "//*[@aria-label='exports']//button[.='Export…' and not(@disabled)]";
    app.click_at("Export…", ready).await;
}

async fn open(data: &Path, target: &Path) -> App {
    let app = desk::open(data, json!({ "save": target })).await;
    drop_fixture(&app, "full.html").await;
    app.press_char('5').await;
    app.wait_for_text("preview", |text| text.contains("Senior Backend Engineer"))
        .await;
    app
}

#[tokio::test]
async fn postings_are_looked_at_and_written_as_chosen() {
    let (data, files) = (folder(), folder());
    let target = files.path().join("postings.csv");
    let app = open(data.path(), &target).await;
    let mut found = Findings::default();
    found.look(&app, "light", "exports").await;
    // A column less, seen at once.
    app.click_at(
        "a column",
        "//*[@aria-label='columns']//button[.='platform']",
    )
    .await;
    app.wait_for_text("preview", |text| !text.contains("platform"))
        .await;
    export(&app).await;
    app.wait_for_text("exports so far", |text| {
        text.contains("postings.csv") && text.contains("1 row")
    })
    .await;
    app.role("button", "Show the file").await;
    let text = std::fs::read_to_string(&target).expect("the file is there");
    assert!(text.contains("Senior Backend Engineer"), "{text}");
    assert!(!text.lines().next().unwrap_or_default().contains("platform"));

    // A day that is none is said, and nothing can be begun with it.
    fill(&app, "export-from", "soon").await;
    app.wait_for_text("exports", |text| text.contains("not a day"))
        .await;
    fill(&app, "export-from", "").await;
    fill(&app, "export-text", "nothing like it").await;
    app.wait_for_text("preview", |text| text.contains("Nothing is like that"))
        .await;
    fill(&app, "export-text", "").await;

    // Events, as JSON: the same file name is where the test's dialog puts it.
    fill(&app, "export-what", "events").await;
    fill(&app, "export-format", "json").await;
    app.wait_for_text("preview", |text| text.contains("FETCH"))
        .await;
    export(&app).await;
    app.wait_for_text("exports so far", |text| {
        text.matches("postings.csv").count() == 2 && !text.contains(" of ")
    })
    .await;
    let text = std::fs::read_to_string(&target).expect("the file is there");
    let document: serde_json::Value = serde_json::from_str(&text).expect("a document");
    assert!(document.to_string().contains("DETECT"));

    choose_theme(&app, "dark").await;
    app.press_char('5').await;
    app.named("preview").await;
    found.look(&app, "dark", "exports").await;
    found.none();
    app.resize(660, 800).await;
    app.screenshot("exports-narrow").await;
    app.close().await;
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_said_and_nothing_is_left() {
    let (data, files) = (folder(), folder());
    let target = files.path().join("gone").join("bundle.zip");
    let app = open(data.path(), &target).await;
    fill(&app, "export-what", "bundle").await;
    app.wait_for_text("preview", |text| text.contains("ghostlight import"))
        .await;
    export(&app).await;
    app.wait_for_text("exports", |text| {
        text.contains("bundle.zip") && text.contains("gone")
    })
    .await;
    app.screenshot("exports-failed").await;
    let left = std::fs::read_dir(files.path())
        .expect("the folder is there")
        .count();
    assert_eq!(left, 0, "nothing is left");
    app.close().await;
}

/// A window whose page is about to export [`EVENTS`] events to `target`.
async fn crowded(data: &Path, target: &Path, hooks: Value) -> App {
    studio::fill(data, "crowd", EVENTS, 0);
    let mut all = json!({ "save": target });
    if let (Some(all), Some(hooks)) = (all.as_object_mut(), hooks.as_object()) {
        all.extend(hooks.clone());
    }
    let app = desk::open(data, all).await;
    app.press_char('5').await;
    app.named("preview").await;
    fill(&app, "export-what", "events").await;
    app.wait_for_text("preview", |text| text.contains("LOAD"))
        .await;
    app
}

/// Waits until the newest row is right.
pub async fn newest(app: &App, what: &str, good: impl Fn(&str, Option<u64>) -> bool) -> String {
    app.wait_until(what, async |client| {
        match client.execute(NEWEST, Vec::new()).await {
            Ok(seen) if good(seen[0].as_str().unwrap_or_default(), seen[1].as_u64()) => {
                Look::Done(seen[0].as_str().unwrap_or_default().to_owned())
            }
            seen => Look::Seen(format!("{seen:?}")),
        }
    })
    .await
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<String> = names
        .map(|name| name.into_string().expect("a name"))
        .collect();
    names.sort();
    names
}

/// Begins ten exports to `target` and stops each a tenth later than the one before, as `reached` tells by the newest row,
/// the tenths that it shows, and the one to wait for. What was there stays, and nothing beside it.
async fn stop_at_each_tenth(
    app: &App,
    target: &Path,
    picture: &str,
    reached: impl Fn(&str, u64, u64) -> bool,
) {
    let folder = target.parent().expect("a folder");
    let name = target.file_name().expect("a name").to_string_lossy();
    for tenth in 1..=10 {
        export(app).await;
        newest(app, &format!("{tenth} tenths"), |text, done| {
            done.is_some_and(|done| reached(text, done, tenth))
        })
        .await;
        // What is under way lies beside the file that is there.
        assert_eq!(names(folder).len(), 2, "at {tenth} tenths");
        if tenth == 5 {
            app.screenshot(picture).await;
        }
        app.click_at(
            "stop",
            "//*[@aria-label='exports so far']//button[.='Stop']",
        )
        .await;
        newest(app, "that it stopped", |text, done| {
            text.contains("stopped; nothing is left of it") && done.is_none()
        })
        .await;
        assert_eq!(names(folder), [name.as_ref()], "at {tenth} tenths");
        let kept = std::fs::read_to_string(target).expect("the file is there");
        assert_eq!(kept, "before", "at {tenth} tenths");
    }
}

/// Whether the file holds every event once.
fn is_whole(file: &Path) -> bool {
    let text = std::fs::read_to_string(file).expect("the file is there");
    text.lines().count() == EVENTS + 1
}

#[tokio::test]
async fn stopped_at_every_tenth_nothing_is_left_and_the_next_begins() {
    let (data, files) = (folder(), folder());
    let target = files.path().join("events.csv");
    std::fs::write(&target, "before").expect("a file can be written");
    let app = crowded(data.path(), &target, json!({ "hold_exports": true })).await;
    stop_at_each_tenth(&app, &target, "exports-half", |_, done, tenth| {
        done == tenth
    })
    .await;
    // And this one is let through.
    export(&app).await;
    newest(&app, "the file", |text, _| text.contains("Show the file")).await;
    assert_eq!(names(files.path()), ["events.csv"]);
    assert!(is_whole(&target));
    app.close().await;
}

#[tokio::test]
async fn a_bundle_is_stopped_on_its_way_and_the_next_is_whole() {
    let (data, files) = (folder(), folder());
    let target = files.path().join("all.zip");
    std::fs::write(&target, "before").expect("a file can be written");
    let hooks = json!({ "save": target, "hold_exports": true });
    let app = desk::open(data.path(), hooks).await;
    drop_fixture(&app, "full.html").await;
    app.press_char('5').await;
    app.named("preview").await;
    fill(&app, "export-what", "bundle").await;
    app.wait_for_text("preview", |text| text.contains("ghostlight import"))
        .await;
    stop_at_each_tenth(&app, &target, "exports-bundle-half", |text, done, tenth| {
        text.contains("before packing") && done >= tenth
    })
    .await;
    export(&app).await;
    newest(&app, "the file", |text, _| text.contains("1 posting, ")).await;
    assert_eq!(names(files.path()), ["all.zip"]);
    let counts = ghostlight_engine::bundle::verify(&target).expect("it is sound");
    assert_eq!(counts.postings, 1);
    app.close().await;
}

#[tokio::test]
async fn a_full_disk_is_said_with_the_way_out_and_then_there_is_room() {
    let Some(disk) = Disk::mount("size=4m") else {
        return;
    };
    let (target, ballast) = (disk.path().join("events.csv"), disk.path().join("ballast"));
    std::fs::write(&target, "before").expect("a file can be written");
    std::fs::write(&ballast, vec![1; 3_600_000]).expect("there is so much room");
    let data = folder();
    let app = crowded(data.path(), &target, json!({})).await;
    let mut found = Findings::default();
    export(&app).await;
    let words = newest(&app, "what went wrong", |text, _| text.contains("disk")).await;
    for part in [
        "events.csv",
        "the disk is full",
        "what was there stays",
        "Free some space on that disk, or choose another",
    ] {
        assert!(words.contains(part), "{part:?} is not in {words:?}");
    }
    assert_eq!(names(disk.path()), ["ballast", "events.csv"]);
    let kept = std::fs::read_to_string(&target).expect("the file is there");
    assert_eq!(kept, "before");
    found.look(&app, "light", "exports-full").await;
    choose_theme(&app, "dark").await;
    app.press_char('5').await;
    app.named("exports so far").await;
    found.look(&app, "dark", "exports-full").await;
    found.none();
    app.resize(660, 800).await;
    app.screenshot("exports-full-narrow").await;
    app.resize(1280, 800).await;

    std::fs::remove_file(&ballast).expect("it can be removed");
    fill(&app, "export-what", "events").await;
    app.wait_for_text("preview", |text| text.contains("LOAD"))
        .await;
    export(&app).await;
    newest(&app, "the file", |text, _| text.contains("Show the file")).await;
    assert_eq!(names(disk.path()), ["events.csv"]);
    assert!(is_whole(&target));
    app.close().await;
}

#[tokio::test]
async fn a_read_only_folder_is_said_with_the_way_out() {
    let Some(disk) = Disk::mount("ro") else {
        return;
    };
    let data = folder();
    let target = disk.path().join("events.csv");
    let app = crowded(data.path(), &target, json!({})).await;
    export(&app).await;
    let words = newest(&app, "what went wrong", |text, _| {
        text.contains("read-only")
    })
    .await;
    for part in ["cannot be written", "Choose a folder that you may write to"] {
        assert!(words.contains(part), "{part:?} is not in {words:?}");
    }
    app.screenshot("exports-read-only").await;
    app.close().await;
}
