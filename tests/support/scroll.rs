//! Scrolling a list as a person does, and looking in each animation frame whether every row that is seen is there.
//!
//! [`watch`] begins to look, [`seen`] says what was seen. The rows of the log carry their offset, and the run that is
//! shown has one stream without gaps, so the offset is the row's place.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{App, Look};

/// What the frames showed between [`watch`] and [`seen`].
#[derive(Debug, Clone, Deserialize)]
pub struct Seen {
    /// Frames looked at.
    pub frames: u64,
    /// Frames in which the place of the list was another than in the one before.
    pub moved: u64,
    /// Rows blank or waiting, summed over the frames.
    pub blank_rows: u64,
    /// Frames with at least one such row.
    pub blank_frames: u64,
    /// Frames whose rows were not one behind the other.
    pub torn_frames: u64,
    /// For each time that the list was moved: milliseconds until the rows of its place stood there.
    pub stood_ms: Vec<f64>,
    /// Elements in the list at most: what it draws, however long it is.
    pub elements_most: u64,
}

/// Looks in each frame, after everything that happens before it is painted.
const WATCH: &str = r#"
    const list = document.getElementById(arguments[0]);
    const rowPx = arguments[1];
    const all = { frames: 0, moved: 0, blank_rows: 0, blank_frames: 0, torn_frames: 0, stood_ms: [], elements_most: 0 };
    let last = list.scrollTop;
    let since = null;
    const look = (now) => {
      if (window.__scroll !== all) return;
      const box = list.getBoundingClientRect();
      const content = list.querySelector('.gl-rows__content').getBoundingClientRect();
      const [top, bottom] = [Math.max(box.top, content.top), Math.min(box.top + list.clientHeight, content.bottom)];
      let covered = 0;
      const offsets = [];
      const rows = list.querySelectorAll('.gl-row');
      for (const row of rows) {
        const r = row.getBoundingClientRect();
        const px = Math.min(r.bottom, bottom) - Math.max(r.top, top);
        if (px <= 0.5) continue;
        const titled = row.querySelector('[title^="offset "]');
        if (row.classList.contains('is-waiting') || !row.textContent.trim()) continue;
        covered += px;
        if (titled) offsets.push([r.top, Number(/^offset (\d+)/.exec(titled.title)[1])]);
      }
      const blank = Math.round((bottom - top - covered) / rowPx);
      offsets.sort((a, b) => a[0] - b[0]);
      const torn = offsets.some(([, offset], n) => n > 0 && offset !== offsets[n - 1][1] + 1);
      all.frames++;
      all.elements_most = Math.max(all.elements_most, rows.length);
      if (blank > 0) { all.blank_rows += blank; all.blank_frames++; }
      if (torn) all.torn_frames++;
      if (list.scrollTop !== last) {
        all.moved++;
        last = list.scrollTop;
        since ??= now;
      }
      if (since !== null && offsets.length > 0) {
        const total = arguments[2];
        const seen = list.clientHeight;
        const [natural, height] = [total * rowPx, content.height];
        const scale = (natural - seen) / Math.max(1, height - seen);
        const first = (list.scrollTop * scale) / rowPx;
        if (Math.abs(offsets[0][1] - first) <= 1.01) { all.stood_ms.push(now - since); since = null; }
      }
      requestAnimationFrame(look);
    };
    window.__scroll = all;
    requestAnimationFrame(look);
"#;

/// Begins to look at the list with this id, whose rows have this height and number.
pub async fn watch(app: &App, id: &str, row_px: u32, rows: usize) {
    let arguments = vec![json!(id), json!(row_px), json!(rows)];
    app.step("a watch", app.client.execute(WATCH, arguments))
        .await;
}

/// What was seen since, and no more looks.
pub async fn seen(app: &App) -> Seen {
    let seen = app
        .script("const seen = window.__scroll; window.__scroll = null; return seen")
        .await;
    serde_json::from_value(seen).expect("what the watch kept")
}

/// Moves a list on in each frame: by `steps` (pixels) one after the other, or to `places` (0 the top, 1 the bottom).
/// WebKit's driver turns no wheel and takes hold of no scroll bar; the list sees the same events as from those, which
/// scroll between two frames: the list hears of it before the next one is painted.
const MOVE: &str = r#"
    const done = arguments[arguments.length - 1];
    const [id, tops] = arguments;
    const list = document.getElementById(id);
    let n = 0;
    const next = () => requestAnimationFrame(() => setTimeout(move));
    const move = () => {
      if (n === tops.length) { setTimeout(() => done(null), 30); return; }
      const [by, to] = tops[n++];
      if (to === null) list.scrollTop += by; else list.scrollTop = to * (list.scrollHeight - list.clientHeight);
      next();
    };
    next();
"#;

/// Scrolls as a wheel does, so many notches of so many pixels; up if they are negative.
pub async fn wheel(app: &App, id: &str, notches: usize, delta_px: i64) {
    move_by(app, id, vec![json!([delta_px, null]); notches]).await;
}

/// Scrolls as a scroll bar that is dragged does: through these places, 0 the top and 1 the bottom, in steps of a frame.
pub async fn drag(app: &App, id: &str, places: &[f64]) {
    /// Frames from one place to the next.
    const FRAMES: usize = 12;
    let mut tops = Vec::new();
    for pair in places.windows(2) {
        let at = |n: usize| pair[0] + (pair[1] - pair[0]) * n as f64 / FRAMES as f64;
        tops.extend((1..=FRAMES).map(|n| json!([0, at(n)])));
    }
    move_by(app, id, tops).await;
}

/// A few moves a script: where frames are slow, many would outlast the driver's patience.
async fn move_by(app: &App, id: &str, tops: Vec<Value>) {
    const EACH: usize = 24;
    for tops in tops.chunks(EACH) {
        app.script_async(MOVE, vec![json!(id), json!(tops)]).await;
    }
}

/// Puts the focus on a list.
pub async fn focus(app: &App, id: &str) {
    app.script(&format!("document.getElementById('{id}').focus()"))
        .await;
}

/// Waits until the first row that is seen is the one of the list's place, and none is blank; its offset.
pub async fn stands(app: &App, id: &str, offset: impl Fn(u64) -> bool) -> u64 {
    let look = format!(
        "const list = document.getElementById('{id}');
         const box = list.getBoundingClientRect();
         const seen = [...list.querySelectorAll('.gl-row')].filter((row) => {{
           const r = row.getBoundingClientRect();
           return r.bottom > box.top + 1 && r.top < box.top + list.clientHeight - 1;
         }});
         if (seen.some((row) => row.classList.contains('is-waiting'))) return null;
         const offsets = seen.map((row) => Number(/^offset (\\d+)/.exec(row.querySelector('[title]')?.title)?.[1]));
         return offsets.length === 0 ? null : Math.min(...offsets)"
    );
    app.wait_until("the rows of the place", async |client| {
        match client.execute(&look, Vec::new()).await {
            Ok(seen) => match seen.as_u64() {
                Some(first) if offset(first) => Look::Done(first),
                _ => Look::Seen(seen.to_string()),
            },
            Err(error) => Look::Seen(error.to_string()),
        }
    })
    .await
}
