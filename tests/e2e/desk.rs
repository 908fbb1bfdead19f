//! What the tests through the window share: a window on a fresh data folder, drops, and looks at the whole card.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ghostlight_model::PostingId;
use ghostlight_store::{
    Store,
    read::{Order, PostingSummary},
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{App, Launch, Look};

/// Reads the card and what stands around it; see the file.
const SNAPSHOT: &str = include_str!("snapshot.js");

/// How long the core and the system may take, on a busy machine.
pub const LIMIT: Duration = Duration::from_secs(30);

/// Time between two looks at something outside the page.
pub const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What the drawer holds and where, as its elements say it; at most 3,000 characters.
const DRAWER: &str = "
    const log = document.querySelector('[aria-label=\"event log\"]');
    const box = log?.getBoundingClientRect();
    return {
        drawer: document.querySelector('.gl-drawer')?.outerHTML.slice(0, 3000) ?? null,
        log: log && { top: box.top, height: box.height, scrolled: log.scrollTop, holds: log.scrollHeight },
        rows: log?.querySelectorAll('[title^=\"offset \"]').length,
        window: [innerWidth, innerHeight, document.hidden],
    };";

/// The fields that every posting is searched for, in the order of the card.
pub const FIELDS: [&str; 15] = [
    "title",
    "company",
    "location",
    "remote",
    "employment_type",
    "remote_regions",
    "seniority",
    "salary",
    "posted_at",
    "valid_through",
    "apply_url",
    "platform",
    "skills",
    "benefits",
    "description",
];

/// The steps of a run, as the window names them.
pub const STEPS: [&str; 7] = [
    "Fetch", "Parse", "Extract", "Detect", "Enrich", "Validate", "Score",
];

/// A file below `tests/fixtures`.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

/// A new data folder, which goes with its value.
pub fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder can be made")
}

/// A window on `data`, without the sample postings, and with further test hooks.
pub async fn open(data: &Path, hooks: Value) -> App {
    open_with(data, hooks, &[]).await
}

/// As [`open`], with further variables.
pub async fn open_with(data: &Path, hooks: Value, variables: &[(&str, &str)]) -> App {
    open_until(data, hooks, variables, "Ready").await
}

/// As [`open_with`], where the indicator is to say something else than that all is ready.
pub async fn open_until(data: &Path, hooks: Value, variables: &[(&str, &str)], said: &str) -> App {
    let mut all = json!({ "no_samples": true });
    if let (Some(all), Some(hooks)) = (all.as_object_mut(), hooks.as_object()) {
        all.extend(hooks.clone());
    }
    let launch = Launch::new(data).env("GHOSTLIGHT_TEST", all.to_string());
    let launch = variables
        .iter()
        .fold(launch, |launch, (name, value)| launch.env(name, *value));
    let app = launch.open().await;
    app.wait_for_text("connection", |text| text.contains(said))
        .await;
    app
}

/// Does what dropping these files on the window does.
pub async fn drop_files(app: &App, files: &[&Path]) {
    app.script_async(
        "const done = arguments[1];
         window.__TAURI_INTERNALS__
           .invoke('plugin:event|emit', { event: 'test-drop', payload: arguments[0] })
           .then(() => done(null), (error) => done(String(error)));",
        vec![json!(files)],
    )
    .await;
}

/// Drops a fixture and waits until its analysis has ended.
pub async fn drop_fixture(app: &App, name: &str) -> Value {
    drop_files(app, &[&fixture(name)]).await;
    ended(app, name).await;
    app.wait_until(
        "rows in the visible part of the event log",
        async |client| {
            let seen = client.execute(SNAPSHOT, Vec::new()).await;
            match seen {
                Ok(seen) if seen["busy"] == "false" && seen["events_seen"].as_u64() > Some(0) => {
                    Look::Done(seen)
                }
                // Here the fields are no help: what the drawer holds is.
                _ => Look::Seen(match client.execute(DRAWER, Vec::new()).await {
                    Ok(drawer) => drawer.to_string(),
                    Err(error) => error.to_string(),
                }),
            }
        },
    )
    .await
}

/// What the window shows now.
pub async fn snapshot(app: &App) -> Value {
    app.script(SNAPSHOT).await
}

/// Drops a posting with this title and text, and waits for its card.
pub async fn drop_posting(app: &App, folder: &Path, title: &str, text: &str) {
    let path = folder.join(format!("{title}.txt"));
    std::fs::write(&path, text).expect("a posting can be written");
    drop_files(app, &[&path]).await;
    wait_for(app, &format!("the card of {title}"), |seen| {
        seen["busy"] == "false" && seen["title"] == title
    })
    .await;
}

/// Waits until what the window shows is right, and returns it.
pub async fn wait_for(app: &App, what: &str, good: impl Fn(&Value) -> bool) -> Value {
    app.wait_until(what, async |client| {
        match client.execute(SNAPSHOT, Vec::new()).await {
            Ok(seen) if good(&seen) => Look::Done(seen),
            Ok(seen) => Look::Seen(seen.to_string()),
            Err(error) => Look::Seen(error.to_string()),
        }
    })
    .await
}

/// Clicks on the posting with this title in the list, once the list has the one whose card is on screen: that it comes
/// moves the others.
pub async fn choose(app: &App, title: &str) {
    app.wait_until("the posting on screen in the list", async |client| {
        let script = "
            const title = document.querySelector('[aria-label=\"card\"] h1')?.textContent.trim();
            const rows = [...document.querySelectorAll('#postings [role=\"option\"]')];
            return title === undefined || rows.some((row) => row.textContent.includes(title));";
        match client.execute(script, Vec::new()).await {
            Ok(Value::Bool(true)) => Look::Done(()),
            seen => Look::Seen(format!("{seen:?}")),
        }
    })
    .await;
    let row = format!("//*[@id='postings']//*[@role='option'][contains(., '{title}')]");
    app.click_at(title, &row).await;
}

/// Waits for something outside the page.
pub async fn until(what: &str, good: impl Fn() -> bool) {
    let begun = Instant::now();
    while !good() {
        assert!(begun.elapsed() < LIMIT, "waited {LIMIT:?} for {what}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// The window's database, opened by a program beside it.
pub fn beside(data: &Path) -> Store {
    Store::open(data, |_| {}).expect("the window's database opens beside it")
}

/// The latest postings of a store.
pub fn postings(store: &Store) -> Vec<PostingSummary> {
    store.postings(Order::Recent, 0, 10).expect("postings").rows
}

/// The window's database, opened by a program beside it, and its latest posting.
pub fn beside_first(data: &Path) -> (Store, PostingId) {
    let store = beside(data);
    let first = postings(&store).first().expect("a posting").posting;
    (store, first)
}

/// The texts that the core keeps of all postings as drafts.
pub fn drafts(data: &Path) -> Vec<String> {
    let store = beside(data);
    let postings = postings(&store);
    let drafts = postings
        .iter()
        .flat_map(|row| store.drafts(row.posting).expect("drafts"));
    drafts.map(|draft| draft.text).collect()
}

/// Waits until the card on screen is complete, whether its analysis went well or failed.
pub async fn ended(app: &App, what: &str) -> Value {
    wait_for(app, &format!("the analysis of {what} to end"), |seen| {
        seen["busy"] == "false" && seen["fields"]["title"].is_object()
    })
    .await
}

/// The value that a row shows.
pub fn value<'a>(seen: &'a Value, key: &str) -> &'a str {
    seen["fields"][key]["value"].as_str().unwrap_or_default()
}

/// The state that a row shows.
pub fn state<'a>(seen: &'a Value, key: &str) -> &'a str {
    seen["fields"][key]["state"].as_str().unwrap_or_default()
}

/// Begins to keep every different look of the window, one a frame at most; see [`frames`].
pub async fn record(app: &App) {
    app.script(&format!(
        "const look = () => {{ {SNAPSHOT} }};
         window.__looks = [];
         let last = '';
         const frame = () => {{
           const now = JSON.stringify(look());
           if (now !== last) {{ last = now; window.__looks.push(now); }}
           requestAnimationFrame(frame);
         }};
         frame();"
    ))
    .await;
}

/// The looks that [`record`] kept.
pub async fn frames(app: &App) -> Vec<Value> {
    let kept = app.script("return window.__looks").await;
    let texts = kept.as_array().into_iter().flatten();
    texts
        .filter_map(|text| serde_json::from_str(text.as_str()?).ok())
        .collect()
}

/// The event log from its first row to its last: offset, then the row's cells. Scrolls, as only visible rows are drawn.
pub async fn event_log(app: &App) -> Vec<(u64, Vec<String>)> {
    let rows = app
        .script_async(
            r#"const done = arguments[arguments.length - 1];
               const log = document.querySelector('[aria-label="event log"]');
               const rows = new Map();
               const take = () => {
                 for (const row of log.querySelectorAll('[title^="offset "]')) {
                   const offset = Number(/^offset (\d+)/.exec(row.title)[1]);
                   rows.set(offset, [...row.children].map((cell) => cell.textContent.trim()));
                 }
               };
               let passes = 0;
               let top = 0;
               const step = () => {
                 take();
                 const end = log.scrollHeight - log.clientHeight;
                 const complete = rows.size > 0 && rows.size === Math.max(...rows.keys()) + 1;
                 if (top >= end && (complete || ++passes === 10)) {
                   done([...rows.entries()].sort((a, b) => a[0] - b[0]));
                   return;
                 }
                 top = top >= end ? 0 : Math.min(end, top + log.clientHeight / 2);
                 log.scrollTop = top;
                 setTimeout(step, 40);
               };
               log.scrollTop = 0;
               setTimeout(step, 40);"#,
            Vec::new(),
        )
        .await;
    serde_json::from_value(rows).expect("rows of offset and cells")
}
