//! A run under way beside an earlier one that is pinned: steps, fields, and what only one of them has (SPEC D5).

use fantoccini::key::Key;
use serde_json::json;

use crate::desk::{self, drop_files, drop_fixture, fixture, folder};
use crate::look::{Findings, choose_theme};
use crate::monitor::says;

#[tokio::test]
async fn a_run_under_way_is_set_beside_a_pinned_one_field_by_field() {
    let data = folder();
    let app = desk::open(data.path(), json!({})).await;
    drop_fixture(&app, "full.html").await;
    app.close().await;
    // From here on a run reads its text late, and never comes to its end.
    let slow = json!({"delay_ms": {"DETECT": 4_000, "VALIDATE": 3_600_000}});
    let app = desk::open(data.path(), slow).await;
    drop_files(&app, &[&fixture("conflict.html")]).await;
    // It takes the window to its card.
    desk::wait_for(&app, "the run under way", |seen| {
        seen["title"] == "Dispatch Planner"
    })
    .await;
    app.press_char('2').await;
    let choose = async |title: &str| {
        let row = format!("//*[@id='runs']//*[@role='option'][contains(., '{title}')]");
        app.click_at(title, &row).await;
    };
    choose("Senior Backend Engineer").await;
    says(&app, "run full.html", "Pin").await;
    app.click("button", "Pin").await;
    choose("Dispatch Planner").await;
    app.click_at(
        "Compare",
        "//*[@aria-label='run conflict.html']//*[@role='tab'][.='Compare']",
    )
    .await;
    let fields = "fields of the two runs";
    says(&app, fields, "Sandlark Logistics GmbH").await;
    let said = says(&app, fields, "not yet").await;
    assert!(said.contains("Quillmarsh Instruments"), "{said}");
    assert!(said.contains("another value"), "{said}");
    // What the run finds while somebody looks appears by itself: here the step after the page's own data.
    let detected = "//*[@aria-label='comparison']//tr[th[.='DETECT']]/td[1][not(.='–')]";
    app.wait_until("the duration of DETECT", async |client| {
        match client.find(fantoccini::Locator::XPath(detected)).await {
            Ok(_) => crate::support::Look::Done(()),
            Err(error) => crate::support::Look::Seen(error.to_string()),
        }
    })
    .await;
    let only = says(&app, "without a match", "Only pinned").await;
    assert!(only.contains("step SCORE"), "{only}");
    let mut found = Findings::default();
    found.both(&app, "compare").await;
    app.resize(640, 800).await;
    let shown =
        "document.querySelector('[aria-label=\"fields of the two runs\"]').scrollIntoView()";
    app.script(shown).await;
    found.both(&app, "640-compare").await;
    app.resize(1280, 800).await;
    // Turned round it is the same: what is absent there is what only the pinned one has.
    app.press(Key::Escape).await;
    choose_theme(&app, "light").await;
    found.none();
    app.close().await;
}
