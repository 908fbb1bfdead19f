//! Long lists: ten thousand runs.

use fantoccini::key::Key;
use serde_json::json;

use crate::desk::{self, folder};
use crate::look::choose_theme;
use crate::support::{Look, studio::fill};

/// Runs beside the first.
const RUNS: usize = 10_000;

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
        app.script("document.getElementById('runs').focus()").await;
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
