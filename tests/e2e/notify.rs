//! Notifications, as the system shows them: a real notification service (dunst) on the tests' own message bus, which
//! starts it when it is first asked. What is on screen is counted and clicked by `dunstctl`; its words are read from
//! the service's history, where they stand once they are closed.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::desk::{self, drop_files, drop_fixture, ended, fixture, folder, wait_for};
use crate::monitor::{add_feed, fill, says};
use crate::support::{
    App, Look as Seen,
    studio::{Studio, TOKEN},
};
use fantoccini::key::Key;
use serde_json::{Value, json};
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{AtomEnum, ConnectionExt, InputFocus, MapState, Window};
use x11rb::rust_connection::RustConnection;

/// How long a notification may take: the time for others of its kind, on a busy machine.
const SHOWN_LIMIT: Duration = Duration::from_secs(30);

/// Time between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Longer than the engine waits for others of a kind, by its own constants. No proof by itself: see where it is used.
const GROUPED: Duration = Duration::from_secs(5);

/// What the service shows.
struct Service {
    /// Entries of its history up to here are of other tests.
    before: i64,
}

/// A notification, as the service keeps it.
#[derive(Debug)]
struct Shown {
    id: i64,
    title: String,
    body: String,
    app: String,
}

impl Service {
    /// Forgets what other tests left.
    fn begin() -> Self {
        dunstctl(&["close-all"]);
        let before = history().iter().map(|shown| shown.id).max();
        Self {
            before: before.unwrap_or(0),
        }
    }

    /// Waits until so many stand on screen.
    fn wait_for_count(&self, count: usize) {
        let start = Instant::now();
        loop {
            let now = displayed();
            if now == count {
                return;
            }
            assert!(
                start.elapsed() < SHOWN_LIMIT,
                "waited {} s for {count} notifications; {now} are on screen, closed are {:?}",
                SHOWN_LIMIT.as_secs(),
                history()
            );
            std::thread::sleep(LOOK_EVERY);
        }
    }

    /// Closes all; those since the last time, oldest first.
    fn take(&mut self) -> Vec<Shown> {
        dunstctl(&["close-all"]);
        let mut new = history();
        new.retain(|shown| shown.id > self.before);
        new.sort_by_key(|shown| shown.id);
        self.before = new.last().map_or(self.before, |shown| shown.id);
        new
    }

    /// Waits for one, closes it, and returns it.
    fn one(&mut self) -> Shown {
        self.wait_for_count(1);
        let mut all = self.take();
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }
}

fn dunstctl(arguments: &[&str]) -> String {
    let output = Command::new("dunstctl").args(arguments).output();
    let output = output.expect("dunstctl starts (package dunst; `cargo xtask setup` installs it)");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn displayed() -> usize {
    dunstctl(&["count", "displayed"]).parse().unwrap_or(0)
}

fn history() -> Vec<Shown> {
    let listed: Value = serde_json::from_str(&dunstctl(&["history"])).unwrap_or_default();
    let entries = listed["data"][0].as_array().cloned().unwrap_or_default();
    let text =
        |entry: &Value, name: &str| entry[name]["data"].as_str().unwrap_or_default().to_owned();
    entries
        .iter()
        .map(|entry| Shown {
            id: entry["id"]["data"].as_i64().unwrap_or_default(),
            title: text(entry, "summary"),
            body: text(entry, "body"),
            app: text(entry, "appname"),
        })
        .collect()
}

/// A file that is no posting, so that its run fails.
fn empty_file(folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, "").expect("a file can be written");
    path
}

async fn send_test(app: &App) {
    app.press_char('3').await;
    app.click("button", "Send a test notification").await;
}

/// Turns the switch with this label.
async fn turn(app: &App, label: &str) {
    app.press_char('3').await;
    app.click_at(
        label,
        &format!("//label[starts-with(normalize-space(.), '{label}')]/input"),
    )
    .await;
}

/// Where a person looks.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Look {
    AtTheWindow,
    Away,
}

/// Gives the window the focus, or takes it away, as the window system does, and waits until the page knows.
async fn look(app: &App, look: Look) {
    let (display, screen) = x11rb::connect(None).expect("the display can be opened");
    let focus = match look {
        Look::AtTheWindow => {
            let root = display.setup().roots[screen].root;
            window_named(&display, root, "Ghostlight").expect("the window is on the display")
        }
        Look::Away => InputFocus::NONE.into(),
    };
    let asked = display.set_input_focus(InputFocus::PARENT, focus, x11rb::CURRENT_TIME);
    asked.expect("asked").check().expect("the focus is given");
    has_focus(app, look == Look::AtTheWindow).await;
}

/// Waits until the page has the focus, or has lost it.
async fn has_focus(app: &App, wanted: bool) {
    app.wait_until(
        &format!("the focus to be {wanted}"),
        async |client| match client
            .execute("return document.hasFocus()", Vec::new())
            .await
        {
            Ok(focused) if focused == wanted => Seen::Done(()),
            seen => Seen::Seen(format!("{seen:?}")),
        },
    )
    .await;
}

/// A window on `data` that has the focus: the driver's keys reach no other.
async fn open(data: &Path) -> App {
    let app = desk::open(data, json!({})).await;
    look(&app, Look::AtTheWindow).await;
    app
}

/// A window on screen by its title; nobody frames windows here.
fn window_named(display: &RustConnection, root: Window, title: &str) -> Option<Window> {
    let tree = display.query_tree(root).ok()?.reply().ok()?;
    tree.children.into_iter().find(|window| {
        let name = display.get_property(false, *window, AtomEnum::WM_NAME, AtomEnum::ANY, 0, 64);
        let name = name.ok().and_then(|asked| asked.reply().ok());
        let attributes = display.get_window_attributes(*window);
        let attributes = attributes.ok().and_then(|asked| asked.reply().ok());
        name.is_some_and(|name| name.value == title.as_bytes())
            && attributes.is_some_and(|now| now.map_state == MapState::VIEWABLE)
    })
}

#[tokio::test]
async fn the_test_button_shows_one_notification() {
    let data = folder();
    let mut service = Service::begin();
    let app = open(data.path()).await;
    send_test(&app).await;
    app.screenshot("settings-notifications").await;
    let shown = service.one();
    assert_eq!(shown.title, "Ghostlight can reach you");
    assert_eq!(shown.app, "Ghostlight");
    assert!(
        shown.body.contains("A click on it shows the window."),
        "{shown:?}"
    );
    // A second one takes the place of the first, as do the states of a feed.
    send_test(&app).await;
    service.wait_for_count(1);
    send_test(&app).await;
    drop_files(&app, &[&fixture("login-wall.html")]).await;
    service.wait_for_count(2);
    let titles: Vec<String> = service
        .take()
        .into_iter()
        .map(|shown| shown.title)
        .collect();
    assert_eq!(
        titles,
        ["Ghostlight can reach you", "Run failed: login-wall.html"]
    );
    app.close().await;
}

#[tokio::test]
async fn a_run_that_fails_is_notified_and_a_click_opens_that_very_run() {
    let data = folder();
    let inputs = folder();
    let mut service = Service::begin();
    let app = open(data.path()).await;
    look(&app, Look::Away).await;
    // Its name is from outside, and no markup.
    let name = "R&D <b>desk<b>.html";
    drop_files(&app, &[&empty_file(inputs.path(), name)]).await;
    ended(&app, name).await;
    drop_files(&app, &[&fixture("full.html")]).await;
    wait_for(&app, "the other card", |seen| {
        seen["title"] == "Senior Backend Engineer"
    })
    .await;
    // Keys need the focus; the page needs none to turn to another one.
    app.script(
        "[...document.querySelectorAll('button')].find((one) => one.textContent === 'Settings').click()",
    )
    .await;
    app.role("heading", "Settings").await;
    service.wait_for_count(2);
    // Whichever stands first; dunst 1.9 takes no other position.
    dunstctl(&["action", "0"]);
    let opened = wait_for(&app, "the card of a notification", |seen| {
        seen["title"].is_string()
    })
    .await;
    has_focus(&app, true).await;
    dunstctl(&["action", "0"]);
    let other = wait_for(&app, "the card of the other notification", |seen| {
        seen["title"].is_string() && seen["title"] != opened["title"]
    })
    .await;
    let failed = [&opened, &other].map(|seen| seen["failure"].is_string());
    assert_eq!(
        failed.iter().filter(|failed| **failed).count(),
        1,
        "{opened} {other}"
    );
    let shown = service.take();
    let failure = shown
        .iter()
        .find(|shown| shown.title.starts_with("Run failed"));
    let failure = failure.expect("the failure was shown");
    assert_eq!(failure.title, format!("Run failed: {name}"));
    assert!(
        failure.body.contains("R&amp;D &lt;b&gt;desk&lt;b&gt;.html"),
        "{failure:?}"
    );
    assert!(
        shown
            .iter()
            .any(|shown| shown.title == "Run finished: Senior Backend Engineer"),
        "{shown:?}"
    );
    app.close().await;
}

#[tokio::test]
async fn a_click_opens_the_feed_or_the_run_that_it_is_about() {
    let data = folder();
    let mut service = Service::begin();
    let mut studio = Studio::open();
    let app = open(data.path()).await;
    add_feed(&app, &studio.url(), "Studio", "wrong-token-wrong").await;
    service.wait_for_count(1);
    app.press_char('1').await;
    dunstctl(&["action", "0"]);
    app.role("heading", "Connections").await;
    let details = says(&app, "feed Studio", "Last error").await;
    assert!(details.contains("token"), "{details}");
    app.screenshot("notified-feed").await;
    assert_eq!(service.take()[0].title, "Token refused: Studio");
    app.press(Key::Escape).await;

    app.press_char('3').await;
    app.click("button", "Change Studio").await;
    fill(&app, "feed-token", TOKEN).await;
    app.click("button", "Save").await;
    says(&app, "connection", "Live · Studio").await;

    studio.publish(
        "applications",
        &[json!({
            "event": "application:status_change",
            "data": {"title": "Baker", "company": "Mill", "from": "sent", "to": "interview"},
        })],
    );
    service.wait_for_count(1);
    dunstctl(&["action", "0"]);
    says(&app, "run applications", "application:status_change").await;
    let shown = service.take();
    assert_eq!(shown[0].title, "Status changed: Baker · Mill");
    assert_eq!(shown[0].body, "From sent to interview.");
    app.close().await;
}

/// A server where another one was: it takes connections, and says nothing.
fn mute(url: &str) -> TcpListener {
    let address = url.trim_start_matches("ws://").trim_end_matches("/v1");
    let start = Instant::now();
    loop {
        match TcpListener::bind(address) {
            // Connections wait in its queue, and are taken by nobody.
            Ok(listener) => return listener,
            Err(error) => assert!(start.elapsed() < SHOWN_LIMIT, "{address}: {error}"),
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

#[tokio::test]
async fn a_connection_that_is_lost_that_fails_and_that_is_back_is_notified() {
    let data = folder();
    let mut service = Service::begin();
    let mut studio = Studio::open();
    let app = open(data.path()).await;
    add_feed(&app, &studio.url(), "Studio", TOKEN).await;
    says(&app, "connection", "Live · Studio").await;

    // Each try takes its 5 s, so 10 s are over before three have failed.
    let since = Instant::now();
    studio.stop();
    let silent = mute(&studio.url());
    let shown = service.one();
    assert!(
        since.elapsed() >= Duration::from_secs(10),
        "not before 10 s"
    );
    assert_eq!(shown.title, "Connection lost: Studio");
    assert!(
        shown.body.contains("What was received is kept"),
        "{shown:?}"
    );
    drop(silent);
    studio.serve();
    let shown = service.one();
    assert_eq!(shown.title, "Connected again: Studio");
    assert!(shown.body.starts_with("After "), "{shown:?}");

    // Where nobody listens a try fails at once, and three have before 10 s are over. What failed before counts as well while
    // the connection had not held for 5 s.
    says(&app, "connection", "Live · Studio").await;
    studio.stop();
    let shown = service.one();
    assert_eq!(shown.title, "Connecting fails: Studio");
    assert!(shown.body.contains(" tries failed. "), "{shown:?}");
    studio.serve();
    assert_eq!(service.one().title, "Connected again: Studio");
    app.close().await;
}

#[tokio::test]
async fn errors_of_runs_that_go_on_are_notified_and_those_together_as_one() {
    let data = folder();
    let mut service = Service::begin();
    let mut studio = Studio::open();
    let app = open(data.path()).await;
    add_feed(&app, &studio.url(), "Studio", TOKEN).await;
    says(&app, "connection", "Live · Studio").await;
    let clipped = |severity: &str| {
        json!({
            "node": "MIX",
            "phase": "progress",
            "issues": [{"code": "clip", "severity": severity, "message": "the take clips"}],
        })
    };
    // What is only worth a warning is in the window alone.
    studio.publish("take-0", &[clipped("warning")]);
    studio.publish("take-1", &[clipped("critical")]);
    let shown = service.one();
    assert_eq!(shown.title, "Error in a run: take-1");
    assert!(shown.body.contains("take clips"), "{shown:?}");
    // The same error of the same run is told already.
    studio.publish("take-1", &[clipped("critical")]);
    for run in ["take-2", "take-3"] {
        studio.publish(run, &[clipped("critical")]);
    }
    let shown = service.one();
    assert_eq!(shown.title, "2 errors in runs");
    assert_eq!(shown.body, "take-2 and take-3");
    app.close().await;
}

#[tokio::test]
async fn quiet_is_quiet_and_what_was_quiet_is_not_told_later() {
    let data = folder();
    let inputs = folder();
    let mut service = Service::begin();
    let app = open(data.path()).await;
    turn(&app, "Quiet").await;
    let named = |name: &str| empty_file(inputs.path(), name);
    drop_files(&app, &[&named("quiet.html")]).await;
    ended(&app, "quiet.html").await;
    // So that both would not be told together in any case.
    tokio::time::sleep(GROUPED).await;
    assert_eq!(displayed(), 0);
    turn(&app, "Quiet").await;
    drop_files(&app, &[&named("loud.html")]).await;
    assert_eq!(service.one().title, "Run failed: loud.html");
    // One kind alone.
    turn(&app, "Run failed").await;
    drop_files(&app, &[&named("unwanted.html")]).await;
    look(&app, Look::Away).await;
    drop_fixture(&app, "full.html").await;
    assert_eq!(service.one().title, "Run finished: Senior Backend Engineer");
    // The switches are kept.
    let app = app.restart().await;
    app.wait_for_text("connection", |text| text.contains("Ready"))
        .await;
    look(&app, Look::AtTheWindow).await;
    look(&app, Look::Away).await;
    drop_files(&app, &[&named("still-unwanted.html")]).await;
    drop_fixture(&app, "conflict.html").await;
    assert_eq!(service.one().title, "Run finished: Dispatch Planner");
    app.close().await;
}

#[tokio::test]
async fn who_looks_at_the_window_is_not_told_what_they_see() {
    let data = folder();
    let mut service = Service::begin();
    let app = open(data.path()).await;
    drop_fixture(&app, "full.html").await;
    drop_files(&app, &[&fixture("login-wall.html")]).await;
    assert_eq!(service.one().title, "Run failed: login-wall.html");
    look(&app, Look::Away).await;
    drop_fixture(&app, "conflict.html").await;
    assert_eq!(service.one().title, "Run finished: Dispatch Planner");
    app.close().await;
}

/// A service that is there and does not answer: stopped by a signal, until this goes.
struct Stopped(String);

impl Stopped {
    fn now() -> Self {
        let asked = Command::new("dbus-send")
            .args([
                "--session",
                "--print-reply=literal",
                "--dest=org.freedesktop.DBus",
                "/org/freedesktop/DBus",
            ])
            .args([
                "org.freedesktop.DBus.GetConnectionUnixProcessID",
                "string:org.freedesktop.Notifications",
            ])
            .output()
            .expect("dbus-send starts");
        let words = String::from_utf8_lossy(&asked.stdout).into_owned();
        let pid = words
            .split_whitespace()
            .last()
            .unwrap_or_default()
            .to_owned();
        assert!(
            pid.parse::<u32>().is_ok(),
            "the service's process: {words:?}"
        );
        signal("-STOP", &pid);
        Self(pid)
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        signal("-CONT", &self.0);
    }
}

fn signal(name: &str, pid: &str) {
    let sent = Command::new("kill")
        .args([name, pid])
        .stderr(Stdio::null())
        .status();
    assert!(
        sent.is_ok_and(|status| status.success()),
        "kill {name} {pid}"
    );
}

#[tokio::test]
async fn a_service_that_hangs_stops_nothing() {
    let data = folder();
    let mut service = Service::begin();
    let app = open(data.path()).await;
    let stopped = Stopped::now();
    for _ in 0..3 {
        send_test(&app).await;
    }
    app.press_char('1').await;
    let seen = drop_fixture(&app, "full.html").await;
    assert_eq!(desk::value(&seen, "title"), "Senior Backend Engineer");
    drop(stopped);
    // It is heard again.
    drop_files(&app, &[&fixture("login-wall.html")]).await;
    let start = Instant::now();
    let mut titles = Vec::new();
    while !titles
        .iter()
        .any(|title| title == "Run failed: login-wall.html")
    {
        assert!(start.elapsed() < SHOWN_LIMIT, "only {titles:?}");
        titles.extend(service.take().into_iter().map(|shown| shown.title));
        tokio::time::sleep(LOOK_EVERY).await;
    }
    app.close().await;
}

#[tokio::test]
async fn no_service_is_a_normal_state() {
    let data = folder();
    let app = desk::open_with(
        data.path(),
        json!({}),
        &[("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus")],
    )
    .await;
    send_test(&app).await;
    app.press_char('1').await;
    drop_fixture(&app, "full.html").await;
    let seen = wait_for(&app, "the card", |seen| seen["busy"] == "false").await;
    let told = seen["notifications"].as_str().unwrap_or_default();
    assert!(!told.contains("D-Bus") && !told.contains("rror"), "{told}");
    app.close().await;
}
