//! How it looks, and to whom: the first start, the empty state, both themes, narrow windows, less motion; and what
//! axe-core finds (SPEC K2). The pictures are for reviewing by eye.

use std::path::Path;

use crate::desk::{self, drop_files, drop_fixture, ended, fixture, folder, wait_for};
use crate::edit::dialog_is_gone;
use crate::support::{App, Launch, Look};
use fantoccini::Locator;
use fantoccini::key::Key;
use serde_json::{Value, json};

/// How many sample postings the first start shows.
const SAMPLES: usize = 8;

#[tokio::test]
async fn the_first_start_shows_assessed_samples() {
    let data = folder();
    let app = Launch::new(data.path()).open().await;
    let rows = app
        .wait_until("eight assessed samples", async |client| {
            let rows = "return [...document.querySelectorAll('[role=option]')].map((row) => row.textContent)";
            match client.execute(rows, Vec::new()).await {
                Ok(Value::Array(rows))
                    if rows.len() == SAMPLES && rows.iter().all(is_assessed) =>
                {
                    Look::Done(rows)
                }
                seen => Look::Seen(format!("{seen:?}")),
            }
        })
        .await;
    let doubtful = rows.iter().filter(|row| row.to_string().contains("doubt"));
    assert!(doubtful.count() >= 2, "samples with signals: {rows:?}");
    // The newest is open already; so it is at the next start.
    wait_for(&app, "a sample's card", |seen| {
        seen["busy"] == "false" && seen["title"].is_string()
    })
    .await;
    app.screenshot("first-start").await;
    let app = app.restart().await;
    app.wait_until("the samples, once", async |client| {
        match client.find_all(Locator::Css("[role=option]")).await {
            Ok(rows) if rows.len() == SAMPLES => Look::Done(()),
            seen => Look::Seen(format!("{seen:?}")),
        }
    })
    .await;
    wait_for(&app, "the newest sample's card", |seen| {
        seen["busy"] == "false" && seen["title"].is_string()
    })
    .await;
    app.screenshot("later-start").await;
    app.close().await;
}

fn is_assessed(row: &Value) -> bool {
    let levels = ["no signals", "unclear", "some doubt", "strong doubt"];
    row.as_str()
        .is_some_and(|text| levels.iter().any(|level| text.contains(level)))
}

#[tokio::test]
async fn every_state_in_both_themes_and_narrow() {
    let data = folder();
    let app = desk::open(data.path(), json!({})).await;
    app.role("heading", "Check your first posting").await;
    app.role("button", "Load the sample postings").await;
    let mut found = Findings::default();
    for theme in ["light", "dark"] {
        choose_theme(&app, theme).await;
        app.click("button", "Postings").await;
        if theme == "light" {
            found.look(&app, theme, "empty").await;
            drop_files(&app, &[&fixture("login-wall.html")]).await;
            ended(&app, "login-wall.html").await;
        } else {
            // A failed run leaves no posting: its card is opened from the runs.
            app.press_char('2').await;
            app.click_at(
                "the failed run",
                "//*[@role='option'][contains(., 'login-wall')]",
            )
            .await;
            app.press(Key::Enter).await;
            wait_for(&app, "the failed card", |seen| seen["failure"].is_string()).await;
        }
        found.look(&app, theme, "failed").await;
        drop_fixture(&app, "conflict.html").await;
        app.click("button", "Compare the answers for Company").await;
        found.look(&app, theme, "two-answers").await;
        drop_fixture(&app, "full.html").await;
        found.look(&app, theme, "card").await;
        for tab in ["History", "Receipt", "Event log"] {
            app.click("tab", tab).await;
            if tab != "Event log" {
                found.look(&app, theme, &tab.to_lowercase()).await;
            }
        }
        app.press_char('v').await;
        found.look(&app, theme, "dialog").await;
        app.press(Key::Escape).await;
        app.press_char('?').await;
        found.look(&app, theme, "shortcuts").await;
        app.press(Key::Escape).await;
        for (width, part) in [
            (900, "Card"),
            (640, "Card"),
            (640, "List"),
            (640, "Evidence"),
        ] {
            narrow(&app, width, part).await;
            found
                .look(&app, theme, &format!("{width}-{}", part.to_lowercase()))
                .await;
        }
        narrow(&app, 1280, "").await;
        app.press_char('2').await;
        found.look(&app, theme, "runs").await;
    }
    found.none();
    app.close().await;
}

#[tokio::test]
async fn less_motion_is_still() {
    let data = folder();
    let app = desk::open(data.path(), json!({})).await;
    app.press_char('3').await;
    app.click_at("Reduce motion", "//label[contains(., 'Reduce motion')]")
        .await;
    app.press_char('1').await;
    drop_fixture(&app, "full.html").await;
    app.screenshot("still-card").await;
    let moving = app
        .script(
            "return document.getAnimations().filter((a) => a.playState === 'running').map((a) => a.animationName ?? a.transitionProperty)",
        )
        .await;
    assert_eq!(moving, json!([]), "nothing moves");
    app.close().await;
}

pub async fn choose_theme(app: &App, theme: &str) {
    // What is behind a dialog cannot be reached.
    dialog_is_gone(app).await;
    app.press_char('3').await;
    app.role("heading", "Settings").await;
    // Seen and painted before the click: the driver scrolls, and clicks where the element was until then.
    app.script("document.querySelector('.gl-settings h1').scrollIntoView()")
        .await;
    app.painted().await;
    let label = if theme == "light" { "Light" } else { "Dark" };
    app.click_at(label, &format!("//label[normalize-space(.)='{label}']"))
        .await;
    let wanted = theme == "dark";
    app.wait_until(&format!("the {theme} theme"), async |client| {
        let dark = "return document.documentElement.classList.contains('pf-v6-theme-dark')";
        match client.execute(dark, Vec::new()).await {
            Ok(Value::Bool(dark)) if dark == wanted => Look::Done(()),
            seen => Look::Seen(format!("{seen:?}")),
        }
    })
    .await;
}

/// Another width; below 800 pixels one part is shown at a time, chosen by a tab.
pub async fn narrow(app: &App, width: u32, part: &str) {
    app.resize(width, 800).await;
    app.wait_until(&format!("a width of {width}"), async |client| match client
        .execute("return window.innerWidth", Vec::new())
        .await
    {
        Ok(now) if now == width => Look::Done(()),
        seen => Look::Seen(format!("{seen:?}")),
    })
    .await;
    if width < 800 {
        app.click("tab", part).await;
    }
    let wider = app
        .script("return document.documentElement.scrollWidth - window.innerWidth")
        .await;
    assert_eq!(
        wider, 0,
        "at {width} px nothing is cut off or scrolls sideways"
    );
}

async fn choose_at_once(app: &App, dark: bool) {
    let toggle = format!("document.documentElement.classList.toggle('pf-v6-theme-dark', {dark})");
    app.script(&toggle).await;
}

/// What axe-core found that is serious or critical, with where.
#[derive(Default)]
pub struct Findings(Vec<String>);

impl Findings {
    /// Takes a picture and lets axe-core look.
    pub async fn look(&mut self, app: &App, theme: &str, screen: &str) {
        app.screenshot(&format!("{theme}-{screen}")).await;
        let axe = Path::new(env!("CARGO_MANIFEST_DIR")).join("node_modules/axe-core/axe.min.js");
        let axe = std::fs::read_to_string(axe).expect("axe-core is there (`cargo xtask setup`)");
        let found = app
            .script_async(
                &format!(
                    "const done = arguments[arguments.length - 1];
                     if (!window.axe) {{ {axe} }}
                     const bad = (violation) => ['serious', 'critical'].includes(violation.impact);
                     window.axe.run(document, {{ resultTypes: ['violations'] }}).then(
                       (result) => done(result.passes.length < 10 ? ['axe-core looked at nothing'] : result.violations.filter(bad).map((violation) =>
                         `${{violation.id}} (${{violation.help}}): ` + violation.nodes.slice(0, 4).map((node) => node.target.join(' ') + ' ' + (node.any[0]?.message ?? '')).join(' | '))),
                       (error) => done(['axe-core failed: ' + error]));"
                ),
                Vec::new(),
            )
            .await;
        for line in found.as_array().into_iter().flatten() {
            self.0.push(format!(
                "{theme} {screen}: {}",
                line.as_str().unwrap_or_default()
            ));
        }
    }

    /// [`Findings::look`] in both themes, without leaving what is open.
    pub async fn both(&mut self, app: &App, screen: &str) {
        let is_dark = "return document.documentElement.classList.contains('pf-v6-theme-dark')";
        let before = app.script(is_dark).await == true;
        for theme in ["light", "dark"] {
            choose_at_once(app, theme == "dark").await;
            self.look(app, theme, screen).await;
        }
        choose_at_once(app, before).await;
    }

    /// Fails with what was found.
    pub fn none(self) {
        assert!(self.0.is_empty(), "axe-core finds:\n{}", self.0.join("\n"));
    }
}
