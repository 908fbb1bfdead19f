//! Evidence in a text of two megabytes: from a field to its words and back, with no more in the page than is seen.

use crate::desk::{self, drop_files, ended, folder, value};
use crate::look::{Findings, choose_theme};
use crate::support::long_page::{REMOTE, TITLE, long_page};
use crate::support::{App, Look};
use fantoccini::key::Key;
use serde_json::{Value, json};

/// Elements of the text in the page at most: the lines that are seen, a page above and one below, and their marks.
const DRAWN_MAX: u64 = 400;

/// What the text shows: its outlined words, whether they are within its box, elements in it, its height in boxes, and
/// how much of the box's width its widest line takes.
const SHOWN: &str = r#"
    const text = document.querySelector('[aria-label="posting text"]');
    if (!text) return [null, false, 0, 0, 0];
    const marks = [...text.querySelectorAll('mark.is-selected')];
    const box = text.getBoundingClientRect();
    const widest = () => {
      const style = getComputedStyle(text);
      const inner = text.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
      const widths = [...text.querySelectorAll('.gl-text__line')].map((line) => {
        const range = document.createRange();
        range.selectNodeContents(line);
        return range.getBoundingClientRect().width;
      });
      return Math.max(0, ...widths) / inner;
    };
    const within = marks.length > 0 && marks.every((mark) => {
      const at = mark.getBoundingClientRect();
      return at.top >= box.top && at.bottom <= box.bottom;
    });
    return [marks.map((mark) => mark.textContent).join('').trim(), within,
            text.querySelectorAll('*').length, text.scrollHeight / text.clientHeight, widest()];
"#;

/// Waits until these words are outlined where they can be seen; how many elements the text has, how many boxes high it
/// is, and how much of the width it takes.
async fn outlined(app: &App, words: &str) -> (u64, f64, f64) {
    app.wait_until(
        &format!("{words:?} outlined in sight"),
        async |client| match client.execute(SHOWN, Vec::new()).await {
            Ok(seen) if seen[0] == words && seen[1] == true => Look::Done((
                seen[2].as_u64().unwrap_or_default(),
                seen[3].as_f64().unwrap_or_default(),
                seen[4].as_f64().unwrap_or_default(),
            )),
            seen => Look::Seen(format!("{seen:?}")),
        },
    )
    .await
}

async fn focused(app: &App, name: &str) {
    app.wait_until(&format!("the focus on {name}"), async |client| {
        let focus = "return document.activeElement.getAttribute('aria-label')";
        match client.execute(focus, Vec::new()).await {
            Ok(Value::String(seen)) if seen == name => Look::Done(()),
            seen => Look::Seen(format!("{seen:?}")),
        }
    })
    .await;
}

#[tokio::test]
async fn words_are_found_in_two_megabytes_both_ways() {
    let (data, files) = (folder(), folder());
    let path = files.path().join("long.html");
    std::fs::write(&path, long_page()).expect("a file can be written");
    let app = desk::open(data.path(), json!({})).await;
    drop_files(&app, &[&path]).await;
    let seen = ended(&app, "long.html").await;
    assert_eq!(value(&seen, "title"), TITLE);
    let mut found = Findings::default();

    // At the very end of the source, then at the beginning of what a reader sees, and there and back again.
    for theme in ["light", "dark"] {
        choose_theme(&app, theme).await;
        app.press_char('1').await;
        for (field, words) in [("title", TITLE), ("remote", REMOTE), ("title", TITLE)] {
            app.click("group", &format!("field {field}")).await;
            let (elements, boxes, width) = outlined(&app, words).await;
            assert!(
                (0.85..=1.0).contains(&width),
                "the widest line takes {width} of the width: broken with another font's widths"
            );
            assert!(
                elements <= DRAWN_MAX,
                "{elements} elements are drawn for {field}"
            );
            assert!(
                boxes > 100.0,
                "the text is only {boxes} boxes high for {field}: it is not all there"
            );
        }
        found.look(&app, theme, "evidence-long").await;
        app.click("group", "field company").await;
        focused(&app, "field company").await;
        app.click_at(
            "the words of the title",
            "//*[@aria-label='posting text']//mark[contains(@aria-label, 'Title')]",
        )
        .await;
        focused(&app, "field title").await;
    }

    // Its end is reached by the keyboard, and what is drawn does not grow on the way.
    app.script("document.querySelector('[aria-label=\"posting text\"]').focus()")
        .await;
    for (key, words) in [(Key::Home, "<!doctype html>"), (Key::End, "</html>")] {
        app.press(key).await;
        let text = app
            .wait_for_text("posting text", |text| text.contains(words))
            .await;
        assert!(text.len() < 40_000, "{} characters are drawn", text.len());
    }
    found.none();
    app.close().await;
}
