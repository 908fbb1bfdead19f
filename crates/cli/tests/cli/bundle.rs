//! `export --format bundle` and `import`: branches come along, and a signal leaves nothing half taken over.

use crate::program::{Ghostlight, fixture};
use serde_json::Value;

/// A posting, and its id.
fn analysed() -> (Ghostlight, String) {
    let ghostlight = Ghostlight::new();
    let (done, objects) = ghostlight.analyze(&fixture("full.html"));
    assert_eq!(done.code, 0, "{done:?}");
    let id = objects[0]["posting_id"].as_str().unwrap().to_owned();
    (ghostlight, id)
}

#[track_caller]
fn objects(ghostlight: &Ghostlight, args: &[&str]) -> Vec<Value> {
    let done = ghostlight.run(&[args, &["--json"][..]].concat());
    assert_eq!(done.code, 0, "{args:?}: {done:?}");
    done.objects()
}

/// Each branch with its head, the one that is checked out with a star behind it.
fn branches(ghostlight: &Ghostlight, id: &str) -> Vec<(String, String)> {
    let all = objects(ghostlight, &["log", id, "--branches"]).into_iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut all: Vec<_> = all
        .map(|branch| {
            let star = if branch["current"] == true { "*" } else { "" };
            (text(&branch["name"]) + star, text(&branch["head"]))
        })
        .collect();
    all.sort();
    all
}

fn names(branches: &[(String, String)]) -> Vec<&str> {
    branches.iter().map(|(name, _)| name.as_str()).collect()
}

#[test]
fn branches_come_along_and_ours_moves_to_no_other() {
    let (here, id) = analysed();
    let folder = tempfile::tempdir().unwrap();
    let bundle = |name: &str| {
        let file = folder.path().join(name).to_str().unwrap().to_owned();
        objects(&here, &["export", "--format", "bundle", "-o", &file]);
        file
    };
    let there = Ghostlight::new();
    let first = bundle("first.zip");
    // The whole of it is packed to see how large it will be.
    let look = &objects(&here, &["export", "--format", "bundle", "--preview"])[0];
    let size = std::fs::metadata(&first).unwrap().len();
    assert_eq!((&look["rows"], &look["bytes"]), (&1.into(), &size.into()));
    objects(&there, &["import", &first]);
    objects(&here, &["edit", &id, "--branch", "try"]);
    objects(&here, &["edit", &id, "title=Gauge Engineer"]);
    let second = bundle("second.zip");
    let told = &objects(&there, &["verify", &second])[0];
    assert_eq!(told["counts"]["branches"], 2);
    let told = &objects(&there, &["import", &second])[0];
    assert_eq!(
        (&told["commits"], &told["forked"]),
        (&1.into(), &Value::Array(vec![]))
    );
    assert_eq!(names(&branches(&there, &id)), ["main*", "try"]);
    let versions = |branch: &str| objects(&there, &["log", &id, "--branch", branch]).len();
    assert_eq!((versions("main"), versions("try")), (1, 2));
    // Where nothing was, it is all as it was there.
    let empty = Ghostlight::new();
    objects(&empty, &["import", &second]);
    assert_eq!(branches(&empty, &id), branches(&here, &id));
    assert_eq!(names(&branches(&empty, &id)), ["main", "try*"]);
    // Both go on.
    objects(&empty, &["edit", &id, "title=Tide Engineer"]);
    objects(&here, &["edit", &id, "title=Lock Engineer"]);
    let third = bundle("third.zip");
    for _ in 0..2 {
        let told = &objects(&empty, &["import", &third])[0];
        assert_eq!(told["forked"][0]["posting"].as_str(), Some(id.as_str()));
        assert_eq!(
            names(&branches(&empty, &id)),
            ["imported-try", "main", "try*"]
        );
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_signal_leaves_nothing_half_taken_over() {
    use ghostlight_model::{ContentHash, Micros, bundle::CapturePiece};
    use std::{
        fs,
        process::{Command, Stdio},
        time::{Duration, Instant},
    };
    const PAGES: u8 = 40;
    /// SIGINT in the set of signals that a process handles.
    const SIGINT: u64 = 1 << (2 - 1);
    let (here, id) = analysed();
    let (empty, edited) = (Ghostlight::new(), ["edit", &id, "title=Gauge Engineer"]);
    objects(&here, &edited);
    assert_eq!(empty.analyze(&fixture("no-dates.html")).0.code, 0);
    // Pages that take seconds to verify, and as long to take over.
    let connection = rusqlite::Connection::open(here.data.path().join("ghostlight.db")).unwrap();
    connection
        .execute_batch("BEGIN; CREATE TEMP TABLE one AS SELECT * FROM run LIMIT 1;")
        .unwrap();
    for n in 0..PAGES {
        let bytes = vec![n; 1 << 20];
        let content = ContentHash::of_bytes(&bytes);
        let mut capture = CapturePiece {
            id: ghostlight_model::CaptureId([0; 16]),
            content,
            visible: None,
            source: None,
            fetched_at: Micros(1_767_571_200_000_000 + i64::from(n)),
            name: "page.html".into(),
            url: None,
            final_url: None,
            http_status: None,
            content_type: None,
        };
        capture.id = capture.computed_id();
        connection
            .execute(
                "INSERT INTO content (hash, bytes) VALUES (?1, ?2)",
                (content.0, bytes),
            )
            .unwrap();
        connection
            .execute(
                "INSERT INTO capture (id, content_hash, fetched_at, name) VALUES (?1, ?2, ?3, ?4)",
                (capture.id.0, content.0, capture.fetched_at.0, "page.html"),
            )
            .unwrap();
        connection
            .execute(
                "UPDATE one SET run_id = 'page-' || ?1, capture = ?2",
                (n, capture.id.0),
            )
            .unwrap();
        connection
            .execute_batch("INSERT INTO run SELECT * FROM one;")
            .unwrap();
    }
    connection.execute_batch("COMMIT").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("large.zip").to_str().unwrap().to_owned();
    objects(&here, &["export", "--format", "bundle", "-o", &file]);
    let before = empty.healthy();
    let child = empty
        .command(&["import", &file])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let handles = || -> Option<bool> {
        let text = fs::read_to_string(&status).ok()?;
        let caught = text.lines().find_map(|line| line.strip_prefix("SigCgt:"))?;
        Some(u64::from_str_radix(caught.trim(), 16).ok()? & SIGINT != 0)
    };
    let begun = Instant::now();
    while handles() != Some(true) {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "no signal is handled"
        );
        std::thread::yield_now();
    }
    let killed = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(killed.unwrap().success());
    let out = child.wait_with_output().unwrap();
    let said = String::from_utf8(out.stderr).unwrap();
    assert_eq!(out.status.code(), Some(1), "{said}");
    assert!(said.contains("stopped; nothing was taken over"), "{said}");
    assert_eq!(empty.healthy(), before);
    assert_eq!(objects(&empty, &["import", &file])[0]["new_postings"], 1);
}
