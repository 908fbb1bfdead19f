//! An export of a million events as CSV, beside the sqlite3 shell on the same database: one JSON object a figure.
//!
//! `csv_vs_sqlite3` is rows a second of the program `ghostlight export`, from its start to its end, the file synced to
//! the disk, ÷ those of `sqlite3 -csv` with the same rows and columns, which syncs nothing. `export_extra_mb` is the
//! most memory it has at a time with a million rows less that with one. Rounds alternate; figures are medians.

use std::{
    fs::File,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use ghostlight_model::{Epoch, Micros, Offset, StreamId};
use ghostlight_store::{DATABASE, LogEvent, Received, Store};
use rusqlite::Connection;

use crate::{Outcome, figure, median, program::beside_us};

/// Rows.
const ROWS: u64 = 1_000_000;
/// Rounds; odd, so that there is a median.
const ROUNDS: usize = 3;
/// The least multiple of the shell's pace.
const RATIO_MIN: f64 = 1.0;
/// The most memory that a million rows need beyond one, in MB.
const EXTRA_MB_MAX: f64 = 8.0;
/// How often a program's memory is looked at; the system itself keeps the peak.
const LOOK: Duration = Duration::from_millis(1);

/// What the shell is asked for: the same rows in the same order, the same columns.
const QUERY: &str = "SELECT origin, name AS stream, event.epoch, \"offset\", ts AS time, node, phase, body \
                     FROM event JOIN stream ON stream.id = stream_id ORDER BY seq";

/// Prints the figures.
///
/// # Errors
/// If the store cannot be made, or a program does not end well.
pub fn measure() -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    fill(folder.path())?;
    let (ours, theirs) = (
        folder.path().join("ours.csv"),
        folder.path().join("theirs.csv"),
    );
    let (mut pace, mut peer, mut extra) = (vec![], vec![], vec![]);
    let shell = has_shell();
    for _ in 0..ROUNDS {
        let (seconds, most) = export(folder.path(), &ours, ROWS)?;
        pace.push(ROWS as f64 / seconds);
        let (_, least) = export(folder.path(), &ours, 1)?;
        extra.push(most.saturating_sub(least) as f64 / 1e6);
        if shell {
            peer.push(ROWS as f64 / sqlite3(folder.path(), &theirs)?);
        }
    }
    let extra = median(extra);
    figure(
        "export_extra_mb",
        extra,
        "MB",
        Some((EXTRA_MB_MAX, extra <= EXTRA_MB_MAX)),
    );
    if !shell {
        eprintln!("NOT MEASURED: csv_vs_sqlite3; the sqlite3 shell is not installed");
        return Ok(());
    }
    let (pace, peer) = (median(pace), median(peer));
    let ratio = pace / peer;
    let told = serde_json::json!({
        "name": "csv_vs_sqlite3", "value": pace.round(), "unit": "rows/s", "peer": "sqlite3 -csv",
        "peer_value": peer.round(), "ratio": (ratio * 1e3).round() / 1e3, "goal": RATIO_MIN, "ok": ratio >= RATIO_MIN,
    });
    println!("{told}");
    Ok(())
}

/// A store with a million events of a feed. The first comes through the store, which makes the rows around it.
fn fill(folder: &Path) -> Outcome<()> {
    let store = Store::open(folder, |_| {})?;
    let event = Received::Event {
        stream: StreamId("run/many".into()),
        epoch: Epoch(1),
        event: LogEvent {
            offset: Offset(0),
            ts: Micros(1_767_571_200_000_000),
            body: r#"{"run_id":"many","node":"LOAD","phase":"start"}"#.into(),
        },
    };
    store.receive("bench", vec![event]).wait()?;
    drop(store);
    let connection = Connection::open(folder.join(DATABASE))?;
    connection.execute_batch(&format!(
        "BEGIN;
         WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n + 1 < {ROWS})
         INSERT INTO event (stream_id, epoch, \"offset\", ts, node, phase, body)
         SELECT (SELECT id FROM stream), 1, n, 1767571200000000 + n * 1000, 'TRANSFORM', 'end',
             '{{\"run_id\":\"many\",\"node\":\"TRANSFORM\",\"phase\":\"end\",\"duration_ms\":' || (n % 977) || '.5,'
             || '\"metrics\":{{\"rows\":' || n || ',\"table\":\"public.postings\"}}}}' FROM n;
         UPDATE projection SET position = (SELECT max(seq) FROM event);
         COMMIT; PRAGMA wal_checkpoint(TRUNCATE);"
    ))?;
    Ok(())
}

/// Seconds from start to end, and the most memory at a time, in bytes.
fn export(folder: &Path, file: &Path, rows: u64) -> Outcome<(f64, u64)> {
    let mut command = Command::new(beside_us()?);
    command
        .arg("--data")
        .arg(folder)
        .args(["--quiet", "export", "--format", "csv", "--what", "events"]);
    command
        .args(["--limit", &rows.to_string(), "--overwrite", "-o"])
        .arg(file);
    let begun = Instant::now();
    let mut child = command.stdin(Stdio::null()).spawn()?;
    let mut peak = 0;
    loop {
        peak = peak.max(memory(child.id()).unwrap_or(0));
        match child.try_wait()? {
            Some(status) if status.success() => return Ok((begun.elapsed().as_secs_f64(), peak)),
            Some(status) => return Err(format!("ghostlight export ended with {status}").into()),
            None => thread::sleep(LOOK),
        }
    }
}

/// The most resident memory so far, in bytes.
fn memory(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1_024)
}

fn has_shell() -> bool {
    let asked = Command::new("sqlite3")
        .arg("-version")
        .stdout(Stdio::null())
        .status();
    asked.is_ok_and(|status| status.success())
}

fn sqlite3(folder: &Path, file: &Path) -> Outcome<f64> {
    let out = File::create(file)?;
    let mut command = Command::new("sqlite3");
    command
        .args(["-csv", "-header"])
        .arg(folder.join(DATABASE))
        .arg(QUERY);
    let begun = Instant::now();
    let status = command.stdin(Stdio::null()).stdout(out).status()?;
    match status.success() {
        true => Ok(begun.elapsed().as_secs_f64()),
        false => Err(format!("sqlite3 ended with {status}").into()),
    }
}
