//! How many durable events a second the store takes, beside peers on the same disk: one JSON object a figure.
//!
//! `ingest_vs_rusqlite` is what a feed delivers ([`Store::receive`]) and `append_vs_rusqlite` what our own runs publish
//! ([`Store::append`], an event a call, projections folded and written), each ÷ a bare `rusqlite` loop: same table,
//! same unique index, same batches, the same durability. `ingest_vs_sqlite_utils` is the first ÷ `sqlite-utils insert
//! --nl` from a file, where that program is installed. Rounds alternate; figures are medians.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use ghostlight_model::{Epoch, EventBody, Micros, Offset, Phase, RunId, StreamId};
use ghostlight_store::{DATABASE, LogEvent, Received, Store};
use rusqlite::Connection;

use crate::{Outcome, median};

/// Events a round.
const EVENTS: u64 = 100_000;
/// Runs that they belong to, in turn.
const RUNS: u64 = 8;
/// Events a transaction, as the store's writer takes at most.
const BATCH: usize = 512;
/// Rounds; odd, so that there is a median.
const ROUNDS: usize = 5;
/// Answers of the store that may be outstanding, as a busy pipeline has.
const OUTSTANDING: usize = 2_048;
/// The least share of the bare loop's pace.
const RATIO_MIN: f64 = 0.70;
/// The least multiple of sqlite-utils' pace.
const UTILS_RATIO_MIN: f64 = 5.0;

/// Prints the figures.
///
/// # Errors
/// If a store cannot be made or written.
pub fn measure() -> Outcome<()> {
    let events: Vec<EventBody> = (0..EVENTS).map(event).collect();
    let bodies: Vec<String> = events
        .iter()
        .map(serde_json::to_string)
        .collect::<Result<_, _>>()?;
    let (mut bare, mut received, mut appended, mut utils) = (vec![], vec![], vec![], vec![]);
    for _ in 0..ROUNDS {
        bare.push(pace(|folder| bare_loop(folder, &events, &bodies))?);
        received.push(pace(|folder| receive(folder, &events, &bodies))?);
        appended.push(pace(|folder| append(folder, &events))?);
        if has_sqlite_utils() {
            utils.push(pace(|folder| sqlite_utils(folder, &bodies))?);
        }
    }
    let (bare, received) = (median(bare), median(received));
    figure("ingest_vs_rusqlite", received, "bare loop", bare, RATIO_MIN);
    figure(
        "append_vs_rusqlite",
        median(appended),
        "bare loop",
        bare,
        RATIO_MIN,
    );
    if utils.is_empty() {
        eprintln!(
            "NOT MEASURED: ingest_vs_sqlite_utils; sqlite-utils is not installed (pip install sqlite-utils)"
        );
    } else {
        figure(
            "ingest_vs_sqlite_utils",
            received,
            "sqlite-utils insert --nl",
            median(utils),
            UTILS_RATIO_MIN,
        );
    }
    Ok(())
}

fn event(n: u64) -> EventBody {
    EventBody {
        ts: Micros(1_767_571_200_000_000 + n as i64),
        run_id: run(n),
        node: "DETECT".into(),
        phase: Phase::End,
        duration_ms: Some(n as f64 / 8.0),
        metrics: BTreeMap::from([("rows".to_owned(), n.into())]),
        issues: Vec::new(),
        fact: None,
    }
}

fn run(n: u64) -> RunId {
    RunId(format!("run-{}", n % RUNS))
}

/// Events a second; the time from the first to the last being durable, in a new folder.
fn pace(work: impl FnOnce(&Path) -> Outcome<f64>) -> Outcome<f64> {
    let folder = tempfile::tempdir()?;
    Ok(EVENTS as f64 / work(folder.path())?)
}

fn bare_loop(folder: &Path, events: &[EventBody], bodies: &[String]) -> Outcome<f64> {
    // The store makes the tables, so that they are the same.
    drop(Store::open(folder, |_| {})?);
    let connection = Connection::open(folder.join(DATABASE))?;
    connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")?;
    for n in 0..RUNS {
        connection.execute(
            "INSERT INTO stream (name, origin, epoch) VALUES (?1, 'bench', 0)",
            [run(n).stream().0],
        )?;
    }
    let begun = Instant::now();
    let rows: Vec<_> = events.iter().zip(bodies).enumerate().collect();
    for batch in rows.chunks(BATCH) {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let mut insert = connection.prepare_cached(
            "INSERT INTO event (stream_id, epoch, \"offset\", ts, node, phase, body) VALUES (?, ?, ?, ?, ?, ?, ?)",
        )?;
        for (n, (event, body)) in batch {
            let n = *n as i64;
            let place = (n % RUNS as i64 + 1, n / RUNS as i64);
            let words = (&event.node, event.phase.word());
            insert.execute((place.0, 0, place.1, event.ts.0, words.0, words.1, *body))?;
        }
        connection.execute_batch("COMMIT")?;
    }
    Ok(begun.elapsed().as_secs_f64())
}

fn receive(folder: &Path, events: &[EventBody], bodies: &[String]) -> Outcome<f64> {
    let store = Store::open(folder, |_| {})?;
    let received = events.iter().zip(bodies).enumerate();
    let received: Vec<Received> = received
        .map(|(n, (event, body))| Received::Event {
            stream: run(n as u64).stream(),
            epoch: Epoch(1),
            event: LogEvent {
                offset: Offset(n as u64 / RUNS),
                ts: event.ts,
                body: body.clone(),
            },
        })
        .collect();
    let begun = Instant::now();
    let mut waiting = VecDeque::new();
    for batch in received.chunks(BATCH) {
        waiting.push_back(store.receive("bench", batch.to_vec()));
        // The feed fills the next batch while the last goes to disk.
        if waiting.len() > 1 {
            settle(waiting.pop_front())?;
        }
    }
    while !waiting.is_empty() {
        settle(waiting.pop_front())?;
    }
    Ok(begun.elapsed().as_secs_f64())
}

fn append(folder: &Path, events: &[EventBody]) -> Outcome<f64> {
    let store = Store::open(folder, |_| {})?;
    let streams: Vec<StreamId> = (0..RUNS).map(|n| run(n).stream()).collect();
    let begun = Instant::now();
    let mut waiting = VecDeque::new();
    for (n, event) in events.iter().enumerate() {
        let stream = streams[n % streams.len()].clone();
        waiting.push_back(store.append(stream, vec![event.clone()]));
        if waiting.len() > OUTSTANDING {
            settle(waiting.pop_front())?;
        }
    }
    while !waiting.is_empty() {
        settle(waiting.pop_front())?;
    }
    Ok(begun.elapsed().as_secs_f64())
}

fn settle<T>(pending: Option<ghostlight_store::Pending<T>>) -> Outcome<()> {
    if let Some(pending) = pending {
        pending.wait()?;
    }
    Ok(())
}

fn has_sqlite_utils() -> bool {
    let asked = Command::new("sqlite-utils")
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    asked.is_ok_and(|status| status.success())
}

fn sqlite_utils(folder: &Path, bodies: &[String]) -> Outcome<f64> {
    let lines = folder.join("events.jsonl");
    std::fs::write(&lines, bodies.join("\n"))?;
    let begun = Instant::now();
    let status = Command::new("sqlite-utils")
        .arg("insert")
        .arg(folder.join("peer.db"))
        .arg("event")
        .arg(&lines)
        .arg("--nl")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    match status.success() {
        true => Ok(begun.elapsed().as_secs_f64()),
        false => Err(format!("sqlite-utils ended with {status}").into()),
    }
}

fn figure(name: &str, value: f64, peer: &str, peer_value: f64, goal: f64) {
    let ratio = value / peer_value;
    let figure = serde_json::json!({
        "name": name, "value": value.round(), "unit": "events/s", "peer": peer,
        "peer_value": peer_value.round(), "ratio": (ratio * 1e3).round() / 1e3,
        "goal": goal, "ok": ratio >= goal,
    });
    println!("{figure}");
}
