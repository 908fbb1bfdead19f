//! `watch` behind servers that are not ours: Python's `websockets` speaking a hub's protocol, workflow events and typed
//! messages, and the HTTP server that Python brings with server-sent events. They hang up at random, some with kill -9.
//!
//! Each keeps a log of its own, written before it tells anybody (`tests/foreign/log.py`); what `watch` prints is compared
//! with that.

use crate::{
    feed_server::Dice,
    program::Ghostlight,
    python::python,
    watch::{objects, watch},
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// What does not come within this does not come.
const PATIENCE: Duration = Duration::from_secs(60);
const TOKEN: &str = "0123456789abcdef";

/// A server in Python, and its log.
struct Foreign {
    script: &'static str,
    more: Vec<String>,
    port: String,
    child: Child,
    folder: TempDir,
}

impl Foreign {
    /// `more` are the arguments behind port and log.
    fn start(script: &'static str, more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let more: Vec<String> = more.iter().map(|text| (*text).to_owned()).collect();
        let log = folder.path().join("log");
        let (child, port) = begin(script, "0", &log, &more);
        Self {
            script,
            more,
            port,
            child,
            folder,
        }
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// The whole lines of its log of this kind.
    fn log(&self, what: &str) -> Vec<Value> {
        let text = std::fs::read_to_string(self.log_path()).unwrap_or_default();
        let whole = &text[..text.rfind('\n').map_or(0, |end| end + 1)];
        let entries = whole
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        entries.filter(|entry| entry["what"] == what).collect()
    }

    /// Kill -9, then again at the same port.
    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let (child, port) = begin(self.script, &self.port, &self.log_path(), &self.more);
        assert_eq!(port, self.port);
        self.child = child;
    }

    /// It was killed by nobody but this test: a fault of the script is one of the test.
    fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn begin(script: &str, port: &str, log: &std::path::Path, more: &[String]) -> (Child, String) {
    let path = format!("{}/tests/foreign/{script}.py", env!("CARGO_MANIFEST_DIR"));
    let mut child = python()
        .args([&path, port])
        .arg(log)
        .args(more)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    out.read_line(&mut line).unwrap();
    (child, line.trim().to_owned())
}

/// Follows `url` while the server is killed each time its log has `kills` more entries of a kind, drawn from a seed,
/// until `is_done` says so of what was printed; everything that was printed.
fn follow(
    server: &mut Foreign,
    url: &str,
    (counted, kills, apart): (&str, usize, u64),
    is_done: impl Fn(&Foreign, &str) -> bool,
) -> String {
    let ghostlight = Ghostlight::new();
    let folder = tempfile::tempdir().unwrap();
    let (path, mut dice) = (folder.path().join("out"), Dice(11));
    let mut child = watch(&ghostlight, url, &[])
        .env("GHOSTLIGHT_FEED_TOKEN", TOKEN)
        .stdin(Stdio::null())
        .stdout(File::create(&path).unwrap())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    let mut moments: Vec<usize> = (0..kills)
        .map(|kill| (kill as u64 * apart + 1 + dice.roll(apart)) as usize)
        .rev()
        .collect();
    let text = loop {
        let text = std::fs::read_to_string(&path).unwrap();
        if moments.is_empty() && is_done(server, &text) {
            break text;
        }
        let count = server.log(counted).len();
        if moments.pop_if(|moment| count >= *moment).is_some() {
            server.kill();
        }
        assert!(server.is_alive(), "the server's script ended");
        assert!(child.try_wait().unwrap().is_none(), "{text}");
        assert!(begun.elapsed() < PATIENCE, "{count} of {counted}: {text}");
        std::thread::sleep(Duration::from_millis(20));
    };
    child.kill().unwrap();
    child.wait().unwrap();
    ghostlight.healthy();
    text
}

/// The offsets that gaps name, with their streams.
fn offsets(gaps: impl Iterator<Item = Value>) -> BTreeSet<(String, u64)> {
    let all = gaps.flat_map(|gap| {
        let stream = gap["stream"].as_str().unwrap().to_owned();
        let range = gap["from"].as_u64().unwrap()..=gap["to"].as_u64().unwrap();
        range.map(move |offset| (stream.clone(), offset))
    });
    all.collect()
}

#[test]
fn a_hub_of_another_house_is_followed_through_cuts_and_kills() {
    const TOTAL: usize = 900;
    let total = TOTAL.to_string();
    for query in ["", "?stream=run/a"] {
        let mut server = Foreign::start("hub", &["5", &total, TOKEN]);
        let url = format!("ws://127.0.0.1:{}/v1{query}", server.port);
        let ours = |entry: &Value| query.is_empty() || entry["stream"] == "run/a";
        let wanted = |server: &Foreign, what: &str| {
            let mut all = server.log(what);
            all.retain(ours);
            all
        };
        let has_all = |server: &Foreign, text: &str| {
            let came = (
                objects(text, "event").count(),
                offsets(objects(text, "gap")).len(),
            );
            let sent = wanted(server, "gap").into_iter();
            server.log("event").len() == TOTAL
                && came == (wanted(server, "event").len(), offsets(sent).len())
        };
        let text = follow(&mut server, &url, ("event", 3, TOTAL as u64 / 4), has_all);

        let events = wanted(&server, "event");
        let mut printed: BTreeMap<String, Vec<(u64, i64)>> = BTreeMap::new();
        for event in objects(&text, "event") {
            let place = (
                event["offset"].as_u64().unwrap(),
                event["ts"].as_i64().unwrap(),
            );
            let stream = event["stream"].as_str().unwrap().to_owned();
            printed.entry(stream).or_default().push(place);
        }
        let mut served: BTreeMap<String, Vec<(u64, i64)>> = BTreeMap::new();
        for event in &events {
            let place = (
                event["from"].as_u64().unwrap(),
                event["ts"].as_i64().unwrap(),
            );
            let stream = event["stream"].as_str().unwrap().to_owned();
            served.entry(stream).or_default().push(place);
            // As it was written, its spaces and escapes included.
            let body = event["body"].as_str().unwrap();
            assert_eq!(
                text.matches(&format!("\"body\":{body}}}\n")).count(),
                1,
                "{body}"
            );
        }
        assert_eq!(printed, served);
        // What is missing is named, and nothing else is.
        let missing = wanted(&server, "gap");
        assert!(!missing.is_empty());
        assert_eq!(offsets(objects(&text, "gap")), offsets(missing.into_iter()));
        // The first connection, one for each of the kills, and at least one cut: `run/a` has over 400 of the frames, and
        // no connection carries more than 100.
        assert!(server.log("connected").len() > 4, "cuts and kills");
    }
}

/// Without offsets nothing tells what was lost with a connection, so each gave the beginning of what it was sent, once and
/// in order, and all of it where it ended in order.
#[test]
fn messages_of_another_house_come_once_and_in_order() {
    for kind in ["workflow", "typed"] {
        let mut server = Foreign::start("messages", &["3", "24", kind]);
        let url = format!("ws://127.0.0.1:{}/feed", server.port);
        let is_last = |_: &Foreign, text: &str| text.contains("\"last\": true");
        let text = follow(&mut server, &url, ("connected", 3, 7), is_last);
        let mut printed: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
        for event in objects(&text, "event") {
            let body = &event["body"];
            let told = if kind == "typed" { &body["data"] } else { body };
            let number = |name: &str| told[name].as_u64().unwrap();
            printed
                .entry(number("connection"))
                .or_default()
                .push(number("number"));
        }
        let count = |what: &str, connection: u64| {
            let all = server.log(what);
            all.iter()
                .filter(|entry| entry["connection"] == connection)
                .count() as u64
        };
        let mut torn = 0;
        for (connection, numbers) in &printed {
            let (came, sent) = (numbers.len() as u64, count("event", *connection));
            assert_eq!(
                *numbers,
                (0..came).collect::<Vec<u64>>(),
                "{kind} {connection}"
            );
            let is_whole =
                count("closed", *connection) == 1 || Some(connection) == printed.keys().last();
            assert!(
                came == sent || came < sent && !is_whole,
                "{kind} {connection}: {came} of {sent}"
            );
            torn += u32::from(came < sent);
        }
        assert!(torn > 3, "{torn} of {} connections were cut", printed.len());
        assert!(server.log("answered").len() > 3, "pings and pongs");
        // Neither they nor their answers are events.
        assert!(!text.contains("ping") && !text.contains("pong"), "{text}");
    }
}

#[test]
fn server_sent_events_of_another_house_go_on_behind_the_last_one() {
    const TOTAL: usize = 600;
    let total = TOTAL.to_string();
    let mut server = Foreign::start("events", &["9", &total]);
    let url = format!("http://127.0.0.1:{}/events", server.port);
    let has_all = |_: &Foreign, text: &str| objects(text, "event").count() >= TOTAL;
    let text = follow(&mut server, &url, ("event", 3, TOTAL as u64 / 4), has_all);
    let printed: Vec<Value> = objects(&text, "event")
        .map(|event| event["body"].clone())
        .collect();
    let served: Vec<Value> = server
        .log("event")
        .iter()
        .map(|event| event["body"].clone())
        .collect();
    assert_eq!(printed, served);
    // Each connection but the first names where it is, and never an event that had not come as a whole.
    let asked = server.log("asked");
    assert!(asked.len() > 9, "{} connections", asked.len());
    let places: Vec<Option<u64>> = asked
        .iter()
        .map(|asked| asked["id"].as_str()?.strip_prefix("id-")?.parse().ok())
        .collect();
    assert!(places.is_sorted(), "{places:?}");
    assert!(places.iter().flatten().count() > 5, "{places:?}");
}
