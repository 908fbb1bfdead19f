//! The window under load, measured through its driver: one JSON object a figure. `cargo xtask bench` runs it. Arguments
//! name the parts to measure: `single`, `load`, `memory`, `cycles`, `scroll`, `edit`, `evidence`; without any it is all
//! of them.
//!
//! A real hub in this process publishes; the released window follows it. Clocks are one: both are this machine's.
//! - `event_to_pixels_*`: from the hub's answer that an event is durable to the second animation frame after its row
//!   is in the page. The hub sends it at that moment, so this holds the socket, the store and the paint.
//! - `frame_work_p99_ms`: what the window did in each sixtieth of a second at 10,000 events/s, to take in what the core
//!   sent and to draw it: its own measures (`ghostlight-round`). `round_ms`: how long each of these rounds took.
//!   `page_waited_share`: for how much of the time the page's thread was ready and had no processor; it is in all of
//!   these times. Who publishes has a lower priority than the window: as a rule it is another machine.
//! - `frame_busy_p99_ms`: how long the page's only thread was busy in each, whoever kept it: styles, layout and, without
//!   a graphics card, the painting. `_idle`: the same with nothing to show.
//! - `window_messages_per_s`: rounds of the window in that time; each answers one ping of the core.
//! - `run_view_1000_cycles_kb`: what a thousand openings of a run's view leave behind in core and page: the slope of a
//!   line through what they hold after each 250 of 3,000, once caches and pools are filled. The page's engine is told
//!   to look through all it holds whenever it took 8 MB ([`COLLECT`]). By itself it does so seldom: of each opening some
//!   12 kB of garbage lie (answers of the core about 5 kB each), up to 100 MB, until it frees all of it at once, and a
//!   look at any moment says nothing of what is kept.
//! - `log_blank_frames`: frames in which any row was blank, waiting or missing while a log of a million events was
//!   scrolled by wheel, keys and scroll bar; `log_torn_frames`: frames whose rows were not one behind the other;
//!   `log_stand_*`: from the frame in which the list is at another place until its rows stand there.
//! - `log_scroll_growth_kb`: what that leaves behind in core and page.
//! - `keystroke_work_p99_ms`: from a key that is typed into a field's editor to the end of what the window makes of it,
//!   without painting; `keystroke_to_pixels_*`: to the second animation frame.
//! - `save_ms`: from Enter to the row that says what was saved, without the mark of what is on its way; the change is a
//!   commit on disk by then.
//! - `evidence_2mb_*_hold_ms`: the longest time that the page's thread was held, painting included, while a text of two
//!   megabytes is opened, while a field shows its words in it, and while words show their field; the fields' words lie at
//!   the end of one layer and at the beginning of the other.
//! - `bytes_per_1000_events`: growth of core and page (anonymous memory) over a million events of the run on screen.

#![cfg(target_os = "linux")]

mod support;

use std::path::Path;
use std::time::{Duration, Instant};

use fantoccini::key::Key;
use serde_json::{Value, json};
use support::{
    App, Launch, Look,
    long_page::{REMOTE, TITLE, long_page},
    process::{CORE, PAGE, own_processes},
    scroll::{drag, focus, seen, stands, watch, wheel},
    studio::{Studio, TOKEN, fill, now},
};

/// Single events whose way to the screen is timed.
const SINGLE: usize = 200;
/// Events a second under load.
const RATE: usize = 10_000;
/// How long the load lasts, in seconds.
const LOAD_S: usize = 10;
/// Runs that the load belongs to.
const RUNS: usize = 4;
/// Openings before it is looked how memory grows, between two looks, and the number of looks.
const CYCLES: (usize, usize, usize) = (1_000, 250, 12);
/// Makes the page's engine collect garbage each time that 8 MB were taken, and look through all it holds each time.
const COLLECT: [(&str, &str); 2] = [
    ("JSC_gcMaxHeapSize", "8000000"),
    ("JSC_useGenerationalGC", "0"),
];
/// Values that are typed and saved.
const SAVES: usize = 25;
/// Fields that show their words.
const EVIDENCE: usize = 40;
/// Events over which memory is watched, and of the log that is scrolled.
const MANY: usize = 1_000_000;

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(measure());
}

async fn measure() {
    let data = tempfile::tempdir().expect("a temporary folder can be made");
    let mut studio = Studio::open();
    studio.publish("bench-0", &[json!({"node": "LOAD", "phase": "start"})]);
    let app = follow(data.path(), &studio, &[]).await;
    give_way();
    let asked: Vec<String> = std::env::args().skip(1).collect();
    let wants = |part: &str| asked.is_empty() || asked.iter().any(|one| one == part);
    if wants("single") {
        single_events(&app, &mut studio).await;
    }
    if wants("load") {
        under_load(&app, &mut studio).await;
    }
    if wants("memory") {
        memory(&app, &mut studio).await;
    }
    app.close().await;
    if wants("cycles") {
        cycles().await;
    }
    if wants("scroll") {
        long_log().await;
    }
    if wants("edit") {
        edit().await;
    }
    if wants("evidence") {
        evidence().await;
    }
}

/// A window that follows the studio, with the newest run open.
async fn follow(data: &Path, studio: &Studio, env: &[(&str, &str)]) -> App {
    let launch = Launch::new(data)
        .env("GHOSTLIGHT_TEST", json!({"no_samples": true}).to_string())
        .env("GHOSTLIGHT_FEED_URL", studio.url())
        .env("GHOSTLIGHT_FEED_TOKEN", TOKEN);
    let each = env.iter();
    let launch = each.fold(launch, |launch, (name, value)| launch.env(name, *value));
    let app = launch.open().await;
    app.wait_for_text("connection", |text| text.contains("Live"))
        .await;
    app.press_char('2').await;
    app.click_at("the run", "//*[@id='runs']//*[@role='option']")
        .await;
    app.wait_until("the log's rows", async |client| {
        let seen = "return !!document.querySelector('[role=log] [title^=\"offset \"]')";
        match client.execute(seen, Vec::new()).await {
            Ok(Value::Bool(true)) => Look::Done(()),
            seen => Look::Seen(format!("{seen:?}")),
        }
    })
    .await;
    app
}

/// Lets the window go first, which was started before.
fn give_way() {
    let own = std::process::id().to_string();
    let done = std::process::Command::new("renice")
        .args(["-n", "10", "-p", &own])
        .stdout(std::process::Stdio::null())
        .status();
    if !done.is_ok_and(|status| status.success()) {
        eprintln!("the load has the priority of the window: `renice` failed");
    }
}

/// How long the main thread of the page ran and how long it waited for a processor, in milliseconds.
fn page_schedule() -> Option<(f64, f64)> {
    let page = own_processes(PAGE).into_iter().next()?;
    let text = std::fs::read_to_string(format!("/proc/{page}/schedstat")).ok()?;
    let mut ns = text.split_whitespace().map(|n| n.parse::<f64>());
    Some((ns.next()?.ok()? / 1e6, ns.next()?.ok()? / 1e6))
}

async fn wait_for_offset(app: &App, offset: usize) {
    let seen =
        format!("return !!document.querySelector('[role=log] [title^=\"offset {offset} \"]')");
    app.wait_until(
        &format!("offset {offset} on screen"),
        async |client| match client.execute(&seen, Vec::new()).await {
            Ok(Value::Bool(true)) => Look::Done(()),
            seen => Look::Seen(format!("{seen:?}")),
        },
    )
    .await;
}

/// Keeps when each offset was painted: the second frame after its row is there.
const WATCH: &str = r#"
    window.__painted = {};
    const log = document.querySelector('[role=log]').parentElement.parentElement;
    const look = () => {
      for (const row of log.querySelectorAll('[role=log] [title^="offset "]')) {
        const offset = /^offset (\d+)/.exec(row.title)[1];
        if (!(offset in window.__painted)) {
          window.__painted[offset] = 0;
          requestAnimationFrame(() => requestAnimationFrame(() => {
            window.__painted[offset] = (performance.timeOrigin + performance.now()) * 1000;
          }));
        }
      }
    };
    look();
    new MutationObserver(look).observe(log, { subtree: true, childList: true, attributes: true });
"#;

async fn single_events(app: &App, studio: &mut Studio) {
    app.script(WATCH).await;
    let mut sent = Vec::with_capacity(SINGLE);
    for n in 0..SINGLE {
        // Not in step with the frames.
        tokio::time::sleep(Duration::from_millis(30 + (n as u64 * 7) % 23)).await;
        studio.publish(
            "bench-0",
            &[json!({"node": "LOAD", "phase": "progress", "metrics": {"n": n}})],
        );
        sent.push(now().0 as f64);
    }
    wait_for_offset(app, SINGLE).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let painted = app.script("return window.__painted").await;
    let mut ms: Vec<f64> = Vec::new();
    for (n, sent) in sent.iter().enumerate() {
        if let Some(at) = painted[(n + 1).to_string()].as_f64().filter(|at| *at > 0.0) {
            ms.push((at - sent) / 1_000.0);
        }
    }
    assert!(
        ms.len() * 10 > SINGLE * 9,
        "only {} of {SINGLE} were seen",
        ms.len()
    );
    // Reported, not judged, on a virtual display.
    figure(
        "event_to_pixels_p50_ms",
        percentile(&mut ms, 50),
        "ms",
        16.7 + 5.0,
    );
    figure(
        "event_to_pixels_p99_ms",
        percentile(&mut ms, 99),
        "ms",
        33.4 + 10.0,
    );
}

/// A loop of messages to itself: where one comes late, something else had the thread.
const BUSY: &str = r#"
    const done = arguments[arguments.length - 1];
    const [seconds] = arguments;
    const channel = new MessageChannel();
    const frame = 1000 / 60;
    const buckets = new Float64Array(Math.ceil(seconds * 60) + 2);
    const measured = [];
    const keep = (entries) => measured.push(...entries.filter(({ name }) => name === "ghostlight-round"));
    const observer = new PerformanceObserver((list) => keep(list.getEntries()));
    observer.observe({ entryTypes: ["measure"] });
    const begun = performance.now();
    let last = begun;
    channel.port1.onmessage = () => {
      const now = performance.now();
      const gap = now - last;
      // A turn of the loop alone takes less than this.
      if (gap > 0.5) {
        const bucket = Math.floor((last - begun) / frame);
        if (bucket < buckets.length) buckets[bucket] += gap;
      }
      last = now;
      if (now - begun < seconds * 1000) channel.port2.postMessage(0);
      else {
        const work = new Float64Array(buckets.length);
        const rounds = [];
        keep(observer.takeRecords());
        observer.disconnect();
        for (const { startTime, duration } of measured) {
          const bucket = Math.floor((startTime - begun) / frame);
          if (bucket >= 0 && bucket < work.length) { work[bucket] += duration; rounds.push(duration); }
        }
        const whole = (all) => Array.from(all.slice(0, Math.floor(seconds * 60)));
        done([whole(buckets), rounds, whole(work)]);
      }
    };
    channel.port2.postMessage(0);
"#;

async fn under_load(app: &App, studio: &mut Studio) {
    let idle = app.script_async(BUSY, vec![json!(2)]).await;
    let mut idle = numbers(&idle[0]);
    println!(
        "{{\"name\":\"frame_busy_idle_p99_ms\",\"value\":{:.2},\"unit\":\"ms\"}}",
        percentile(&mut idle, 99)
    );
    let before = page_schedule();
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let watched = app.script_async(BUSY, vec![json!(LOAD_S)]);
    let mut published = 0;
    let load = async {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(LOAD_S as u64 + 1)
            && stopped.try_recv().is_err()
        {
            let due = (begun.elapsed().as_secs_f64() * RATE as f64) as usize;
            for run in 0..RUNS {
                let share = (due - published) / RUNS;
                let bodies: Vec<Value> = (0..share).map(|n| body(published + n)).collect();
                if !bodies.is_empty() {
                    studio.publish(&format!("bench-{run}"), &bodies);
                }
            }
            published += (due - published) / RUNS * RUNS;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        published as f64 / begun.elapsed().as_secs_f64()
    };
    let (seen, rate) = tokio::join!(watched, load);
    drop(stop);
    let (mut busy, mut work) = (numbers(&seen[0]), numbers(&seen[2]));
    let mut rounds = numbers(&seen[1]);
    let pulls = rounds.len() as f64;
    println!(
        "{{\"name\":\"round_ms\",\"value\":[{:.2},{:.2},{:.2},{:.2}],\"unit\":\"ms: p50, p90, p99, most\"}}",
        percentile(&mut rounds, 50),
        percentile(&mut rounds, 90),
        percentile(&mut rounds, 99),
        percentile(&mut rounds, 100),
    );
    if let (Some(before), Some(after)) = (before, page_schedule()) {
        let (ran, waited) = (after.0 - before.0, after.1 - before.1);
        println!(
            "{{\"name\":\"page_waited_share\",\"value\":{:.3},\"unit\":\"of {:.0} ms\"}}",
            waited / (ran + waited),
            ran + waited
        );
    }
    println!("{{\"name\":\"load_events_per_s\",\"value\":{rate:.0},\"unit\":\"events/s\"}}");
    println!(
        "{{\"name\":\"frame_busy_p99_ms\",\"value\":{:.2},\"unit\":\"ms\"}}",
        percentile(&mut busy, 99)
    );
    figure("frame_work_p50_ms", percentile(&mut work, 50), "ms", 4.0);
    figure("frame_work_p99_ms", percentile(&mut work, 99), "ms", 4.0);
    figure("window_messages_per_s", pulls / LOAD_S as f64, "1/s", 60.0);
}

/// Notes for each key when it came, when the page was done with it, and when it was painted; for each Enter, when the
/// row of the company says what was typed.
const TYPING: &str = r#"
    window.__keys = []; window.__saves = [];
    addEventListener("keydown", (event) => {
      const came = performance.now();
      if (event.key === "Enter") {
        const input = document.activeElement;
        if (input.ariaLabel !== "edit company") return;
        const wanted = input.value;
        const row = document.getElementById("field-company");
        const look = (_, observer) => {
          if (!row.textContent.includes(wanted) || row.textContent.includes("saving")) return;
          if (row.querySelector("input")) return;
          observer.disconnect();
          window.__saves.push(performance.now() - came);
        };
        new MutationObserver(look).observe(row, { subtree: true, childList: true, characterData: true, attributes: true });
        return;
      }
      const key = { work: null, pixels: null };
      window.__keys.push(key);
      addEventListener("input", async () => {
        // What the page makes of it is drawn in the microtasks that wait already.
        for (let n = 0; n < 8; n++) await null;
        key.work = performance.now() - came;
      }, { once: true });
      requestAnimationFrame(() => requestAnimationFrame(() => { key.pixels = performance.now() - came; }));
    }, true);
"#;

/// Typing and saving on the card of a sample.
async fn edit() {
    let data = tempfile::tempdir().expect("a temporary folder can be made");
    let app = Launch::new(data.path()).open().await;
    app.click_at("a posting", "//*[@id='postings']//*[@role='option']")
        .await;
    app.wait_until("the company of the card", async |client| {
        let has = "return !!document.getElementById('field-company')";
        match client.execute(has, Vec::new()).await {
            Ok(Value::Bool(true)) => Look::Done(()),
            seen => Look::Seen(format!("{seen:?}")),
        }
    })
    .await;
    // The samples are still being read.
    tokio::time::sleep(Duration::from_secs(5)).await;
    app.script(TYPING).await;
    for n in 0..SAVES {
        app.script("document.getElementById('field-company').focus()")
            .await;
        app.press(Key::Enter).await;
        app.named("edit company").await;
        app.script("document.activeElement.select()").await;
        app.type_keys(&format!("Quillmarsh and Daughters {n}"))
            .await;
        app.press(Key::Enter).await;
        app.wait_until("what was saved", async |client| {
            match client
                .execute("return window.__saves.length", Vec::new())
                .await
            {
                Ok(Value::Number(seen)) if seen.as_u64() > Some(n as u64) => Look::Done(()),
                seen => Look::Seen(format!("{seen:?}")),
            }
        })
        .await;
    }
    let times = |name: &str| format!("return window.__keys.map((key) => key.{name})");
    let mut work = numbers(&app.script(&times("work")).await);
    let mut pixels = numbers(&app.script(&times("pixels")).await);
    let mut saves = numbers(&app.script("return window.__saves").await);
    figure(
        "keystroke_work_p99_ms",
        percentile(&mut work, 99),
        "ms",
        4.0,
    );
    for (name, values) in [
        ("keystroke_work", &mut work),
        ("keystroke_to_pixels", &mut pixels),
        ("save", &mut saves),
    ] {
        println!(
            "{{\"name\":\"{name}_p50_p99_ms\",\"value\":[{:.2},{:.2}],\"unit\":\"ms\",\"of\":{}}}",
            percentile(values, 50),
            percentile(values, 99),
            values.len()
        );
    }
    app.close().await;
}

/// Does something in the page, and answers once `SEEN` holds and was painted: the longest time that something had the
/// thread, and the time until then.
const HOLD: &str = r#"
    const done = arguments[arguments.length - 1];
    const seen = () => SEEN;
    const channel = new MessageChannel();
    const begun = performance.now();
    let last = begun, most = 0, painted = false, asked = false;
    channel.port1.onmessage = () => {
      const now = performance.now();
      most = Math.max(most, now - last);
      last = now;
      if (painted) return done([most, now - begun]);
      if (!asked && seen()) {
        asked = true;
        requestAnimationFrame(() => requestAnimationFrame(() => { painted = true; }));
      }
      channel.port2.postMessage(0);
    };
    channel.port2.postMessage(0);
    ACT;
"#;

/// From a field to its words and back in a text of two megabytes.
async fn evidence() {
    let data = tempfile::tempdir().expect("a temporary folder can be made");
    let page = data.path().join("long.html");
    std::fs::write(&page, long_page()).expect("a file can be written");
    let app = Launch::new(&data.path().join("data"))
        .env("GHOSTLIGHT_TEST", json!({"no_samples": true}).to_string())
        .arg(page.display().to_string())
        .open()
        .await;
    app.named("field title").await;
    app.named("posting text").await;
    // The analysis and the first look at the text are over.
    tokio::time::sleep(Duration::from_secs(4)).await;
    let hold = async |act: &str, seen: &str| {
        let script = HOLD.replace("SEEN", seen).replace("ACT", act);
        let seen = numbers(&app.script_async(&script, Vec::new()).await);
        (seen[0], seen[1])
    };
    // The layers differ by their font.
    app.script("window.__mono = !!document.querySelector('.gl-text.is-mono')")
        .await;
    let (opened, whole) = hold(
        "document.querySelector('[aria-label=\"text layer\"] [aria-pressed=false]').click()",
        "document.querySelectorAll('.gl-text__line').length > 5
            && !!document.querySelector('.gl-text.is-mono') !== window.__mono",
    )
    .await;
    figure("evidence_2mb_open_hold_ms", opened, "ms", 50.0);
    println!("{{\"name\":\"evidence_2mb_open_ms\",\"value\":{whole:.2},\"unit\":\"ms\"}}");
    let (mut there, mut back) = (Vec::new(), Vec::new());
    for n in 0..EVIDENCE {
        let (field, words) = [("title", TITLE), ("remote", REMOTE)][n % 2];
        let click = format!("document.querySelector('[aria-label=\"field {field}\"]').click()");
        let shown =
            format!("document.querySelector('mark.is-selected')?.textContent.trim() === '{words}'");
        there.push(hold(&click, &shown).await.0);
        // Nowhere, for another field would choose its own words.
        let away = "document.activeElement.blur()";
        app.script(away).await;
        let focused = format!("document.activeElement.ariaLabel === 'field {field}'");
        back.push(
            hold(
                "document.querySelector('mark.is-selected').click()",
                &focused,
            )
            .await
            .0,
        );
    }
    for (name, values) in [("field_to_text", &mut there), ("text_to_field", &mut back)] {
        let name = format!("evidence_2mb_{name}_hold_p99_ms");
        figure(&name, percentile(values, 99), "ms", 50.0);
    }
    app.close().await;
}

fn body(n: usize) -> Value {
    json!({"node": "LOAD", "phase": "progress", "metrics": {"row": n, "items": n % 400}})
}

/// Growth of the core's and the page's own memory over many events of the run that is shown.
async fn memory(app: &App, studio: &mut Studio) {
    many(app, studio, MANY / 10).await;
    let before = own_memory_kb();
    many(app, studio, MANY).await;
    let after = own_memory_kb();
    let grown = (after.0 - before.0 + after.1 - before.1).max(0.0);
    println!(
        "{{\"name\":\"memory_core_page_mb\",\"value\":[{:.0},{:.0},{:.0},{:.0}],\"unit\":\"MB before and after: core, page\"}}",
        before.0 / 1e3,
        after.0 / 1e3,
        before.1 / 1e3,
        after.1 / 1e3
    );
    figure(
        "bytes_per_1000_events",
        grown * 1_000.0 / (MANY as f64 / 1_000.0),
        "bytes",
        64_000.0,
    );
}

/// Opens one run after the other some thousand times, and looks what each thousand leaves behind.
async fn cycles() {
    const CLICKS: &str = r#"
        const done = arguments[arguments.length - 1];
        const [count] = arguments;
        let n = 0;
        const next = () => {
          const rows = document.querySelectorAll('#runs [role=option]');
          rows[n % 2].click();
          if (++n < count) requestAnimationFrame(() => requestAnimationFrame(next)); else setTimeout(() => done(n), 100);
        };
        next();
    "#;
    let mut studio = Studio::open();
    for run in 0..2 {
        let bodies: Vec<Value> = (0..200).map(body).collect();
        studio.publish(&format!("bench-{run}"), &bodies);
    }
    let data = tempfile::tempdir().expect("a temporary folder can be made");
    let app = follow(data.path(), &studio, &COLLECT).await;
    app.wait_until("two runs", async |client| {
        let count = "return document.querySelectorAll('#runs [role=option]').length";
        match client.execute(count, Vec::new()).await {
            Ok(count) if count == 2 => Look::Done(()),
            seen => Look::Seen(format!("{seen:?}")),
        }
    })
    .await;
    let (warm, between, looks) = CYCLES;
    // Fewer at a time than a step of the driver takes on a busy machine.
    let open = async |count: usize| {
        for _ in 0..count / 10 {
            app.script_async(CLICKS, vec![json!(10)]).await;
        }
    };
    open(warm).await;
    let (mut core, mut page) = (Vec::new(), Vec::new());
    for _ in 0..looks {
        open(between).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        let now = own_memory_kb();
        core.push(now.0);
        page.push(now.1);
    }
    println!(
        "{{\"name\":\"run_view_cycles_page_kb\",\"value\":{page:?},\"unit\":\"kB\",\"each\":{between}}}"
    );
    let each_thousand = |held: &[f64]| slope(held) * 1_000.0 / between as f64;
    let (core, page) = (each_thousand(&core), each_thousand(&page));
    println!(
        "{{\"name\":\"run_view_1000_cycles_core_page_kb\",\"value\":[{core:.0},{page:.0}],\"unit\":\"kB\"}}"
    );
    figure("run_view_1000_cycles_kb", core + page, "kB", 4_096.0);
    app.close().await;
}

/// The slope of the line that fits values one behind the other best, by least squares.
fn slope(values: &[f64]) -> f64 {
    let middle = (values.len() as f64 - 1.0) / 2.0;
    let (mut with, mut square) = (0.0, 0.0);
    for (n, value) in values.iter().enumerate() {
        let from_middle = n as f64 - middle;
        with += from_middle * value;
        square += from_middle * from_middle;
    }
    with / square
}

/// A log of a million events, scrolled to many places.
async fn long_log() {
    /// Height of a row of the log, as `app.css` says.
    const ROW_PX: u32 = 21;
    /// Times that it is scrolled everywhere.
    const TIMES: usize = 5;
    let data = tempfile::tempdir().expect("a temporary folder can be made");
    fill(data.path(), "long", MANY, 0);
    let app = Launch::new(data.path())
        .env("GHOSTLIGHT_TEST", json!({"no_samples": true}).to_string())
        .open()
        .await;
    app.wait_for_text("connection", |text| text.contains("Ready"))
        .await;
    app.press_char('2').await;
    app.click_at("the run", "//*[@id='runs']//*[@role='option']")
        .await;
    wait_for_offset(&app, MANY - 1).await;
    let log = app
        .script("return document.querySelector('[role=log]').id")
        .await;
    let log = log.as_str().expect("the log's id").to_owned();
    let last = MANY as u64 - 1;
    scroll_everywhere(&app, &log, last).await;
    let before = own_memory_kb();
    watch(&app, &log, ROW_PX, MANY).await;
    for _ in 0..TIMES {
        scroll_everywhere(&app, &log, last).await;
    }
    let mut seen = seen(&app).await;
    let after = own_memory_kb();
    println!(
        "{{\"name\":\"log_scroll_frames\",\"value\":[{},{}],\"unit\":\"frames: all, moved\"}}",
        seen.frames, seen.moved
    );
    figure("log_blank_frames", seen.blank_frames as f64, "frames", 0.0);
    figure("log_blank_rows", seen.blank_rows as f64, "rows", 0.0);
    figure("log_torn_frames", seen.torn_frames as f64, "frames", 0.0);
    for (name, percent, goal) in [
        ("log_stand_p50_ms", 50, 100.0),
        ("log_stand_p99_ms", 99, 400.0),
    ] {
        figure(name, percentile(&mut seen.stood_ms, percent), "ms", goal);
    }
    figure("log_elements_most", seen.elements_most as f64, "", 200.0);
    println!(
        "{{\"name\":\"log_memory_core_page_mb\",\"value\":[{:.0},{:.0},{:.0},{:.0}],\"unit\":\"MB before and after: core, page\"}}",
        before.0 / 1e3,
        after.0 / 1e3,
        before.1 / 1e3,
        after.1 / 1e3
    );
    let grown = after.0 - before.0 + after.1 - before.1;
    figure("log_scroll_growth_kb", grown, "kB", 16_384.0);
    app.close().await;
}

/// From one end to the other and back by keys, some thousand rows by wheel, and the whole by the scroll bar.
async fn scroll_everywhere(app: &App, log: &str, last: u64) {
    focus(app, log).await;
    app.press(Key::Home).await;
    stands(app, log, |first| first == 0).await;
    wheel(app, log, 120, 360).await;
    for _ in 0..40 {
        app.press(Key::PageDown).await;
    }
    app.press(Key::End).await;
    stands(app, log, |first| first + 100 > last).await;
    wheel(app, log, 120, -360).await;
    app.press(Key::Home).await;
    stands(app, log, |first| first == 0).await;
    drag(app, log, &[0.1, 0.95, 0.3, 0.31, 0.33, 0.8, 0.02, 0.6, 0.5]).await;
    stands(app, log, |first| first > last / 10).await;
}

/// Publishes so many events of the run on screen, and waits until the window says that it has them.
async fn many(app: &App, studio: &mut Studio, count: usize) {
    for chunk in 0..count / 500 {
        let bodies: Vec<Value> = (0..500).map(|n| body(chunk * 500 + n)).collect();
        studio.publish("bench-0", &bodies);
    }
    let streams = studio.streams().into_iter();
    let heads = streams.filter(|(stream, _)| stream.ends_with("bench-0"));
    let last = heads.map(|(_, head)| head).max().expect("the stream") - 1;
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(120) {
        let text = app.text_of("completeness").await;
        let mut numbers = text.rsplit(|c: char| !c.is_ascii_digit());
        let shown = numbers.find_map(|part| part.parse::<u64>().ok());
        if shown.is_some_and(|shown| shown >= last) {
            tokio::time::sleep(Duration::from_secs(3)).await;
            return;
        }
    }
    panic!("offset {last} was not received");
}

/// Anonymous memory of the application and of its page, in kB.
fn own_memory_kb() -> (f64, f64) {
    let kb = |program| own_processes(program).into_iter().map(anonymous_kb).sum();
    (kb(CORE), kb(PAGE))
}

fn anonymous_kb(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"));
    let kb = line.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
    kb.unwrap_or(0.0)
}

fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_f64)
        .collect()
}

fn percentile(values: &mut [f64], percent: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    let rank = (values.len() * percent).div_ceil(100).max(1);
    values.get(rank - 1).copied().unwrap_or(f64::NAN)
}

fn figure(name: &str, value: f64, unit: &str, goal: f64) {
    println!(
        "{{\"name\":\"{name}\",\"value\":{value:.2},\"unit\":\"{unit}\",\"goal\":{goal},\"ok\":{}}}",
        value <= goal
    );
}
