//! Trouble with the database: exit code 3, the file, the way out, and nothing lost.

use crate::program::{Done, Ghostlight, finish, fixture};
use rusqlite::Connection;
use std::{
    fs,
    io::{Seek, SeekFrom, Write},
    path::PathBuf,
    process::Command,
};

const DATABASE: &str = "ghostlight.db";

/// With one posting in it.
fn filled() -> (Ghostlight, PathBuf) {
    let ghostlight = Ghostlight::new();
    let (done, _) = ghostlight.analyze(&fixture("full.html"));
    assert_eq!(done.code, 0, "{done:?}");
    let database = ghostlight.data.path().join(DATABASE);
    (ghostlight, database)
}

#[test]
fn a_database_locked_by_another_process_is_waited_for_and_named() {
    let (ghostlight, database) = filled();
    let other = Connection::open(&database).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let done = ghostlight.run(&["analyze", &fixture("no-dates.html"), "--json"]);
    done.refused(
        "locked",
        3,
        &[DATABASE, "locked", "try again", "nothing is lost"],
    );
    other.execute_batch("ROLLBACK").unwrap();
    let (again, _) = ghostlight.analyze(&fixture("no-dates.html"));
    assert_eq!(again.code, 0);
    assert_eq!(ghostlight.healthy()["postings"], 2);
}

#[test]
fn a_lock_that_is_let_go_in_time_is_no_error() {
    let (ghostlight, database) = filled();
    let other = Connection::open(&database).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let letting_go = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(700));
        other.execute_batch("ROLLBACK").unwrap();
    });
    let (done, _) = ghostlight.analyze(&fixture("no-dates.html"));
    letting_go.join().unwrap();
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(ghostlight.healthy()["postings"], 2);
}

#[test]
fn a_damaged_database_is_refused_and_left_as_it_is() {
    let (ghostlight, database) = filled();
    let length = fs::metadata(&database).unwrap().len();
    let mut file = fs::OpenOptions::new().write(true).open(&database).unwrap();
    // All pages but the first, which says what the file is.
    file.seek(SeekFrom::Start(4096)).unwrap();
    file.write_all(&vec![0xA5; (length - 4096) as usize])
        .unwrap();
    drop(file);
    let before = fs::read(&database).unwrap();
    for args in [
        &["analyze", &fixture("no-dates.html"), "--json"][..],
        &["doctor", "--json"],
    ] {
        let done = ghostlight.run(args);
        done.refused("damaged", 3, &["damaged", "copy", "backups"]);
    }
    assert_eq!(
        fs::read(&database).unwrap(),
        before,
        "the evidence is not touched"
    );

    fs::write(
        &database,
        "a shopping list, and no database at all\n".repeat(200),
    )
    .unwrap();
    let done = ghostlight.run(&["doctor"]);
    done.refused("no database", 3, &[DATABASE, "damaged"]);
}

#[test]
fn a_newer_database_is_refused_and_left_as_it_is() {
    let (ghostlight, database) = filled();
    let other = Connection::open(&database).unwrap();
    let schema: i64 = other
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .unwrap();
    other.pragma_update(None, "user_version", 99).unwrap();
    drop(other);
    let done = ghostlight.run(&["analyze", &fixture("no-dates.html"), "--json"]);
    done.refused("newer", 3, &[DATABASE, "newer", "99", "Update"]);
    assert_eq!(done.out, "");
    let other = Connection::open(&database).unwrap();
    other.pragma_update(None, "user_version", schema).unwrap();
    drop(other);
    assert_eq!(ghostlight.healthy()["postings"], 1);
}

/// Runs a script in a mount namespace of its own, with `$DATA` and `$GHOSTLIGHT`; `None` where that is not allowed.
fn with_mounts(ghostlight: &Ghostlight, script: &str) -> Option<Done> {
    let enter = ["--map-root-user", "--mount", "sh", "-eu", "-c"];
    let mut probe = Command::new("unshare");
    probe.args(enter).arg("mount -t tmpfs tmpfs /mnt");
    if !probe.output().is_ok_and(|probe| probe.status.success()) {
        eprintln!("SKIPPED: a file system cannot be mounted here");
        return None;
    }
    let mut command = Command::new("unshare");
    command
        .args(enter)
        .arg(script)
        .env("DATA", ghostlight.data.path())
        .env("PAGE", fixture("full.html"))
        .env("OTHER", fixture("no-dates.html"))
        .env("GHOSTLIGHT", env!("CARGO_BIN_EXE_ghostlight"));
    Some(finish(command, |_| Ok(())))
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let (ghostlight, _) = filled();
    let script = r#"mount --bind "$DATA" "$DATA"; mount -o remount,ro,bind "$DATA"
        exec "$GHOSTLIGHT" --data "$DATA" analyze "$OTHER" --json"#;
    let Some(done) = with_mounts(&ghostlight, script) else {
        return;
    };
    done.refused("read-only", 3, &[DATABASE, "cannot be written", "--data"]);
    assert_eq!(ghostlight.healthy()["postings"], 1);
}

#[test]
fn a_full_disk_is_named_and_what_was_stored_stays() {
    let ghostlight = Ghostlight::new();
    // One posting, then no room, then room again; the last line is doctor's.
    let script = r#"mount -t tmpfs -o size=8m tmpfs "$DATA"
        "$GHOSTLIGHT" --data "$DATA" --quiet analyze "$PAGE" >/dev/null
        dd if=/dev/zero of="$DATA/filler" bs=4k 2>/dev/null || true
        code=0; "$GHOSTLIGHT" --data "$DATA" --quiet analyze "$OTHER" >/dev/null || code=$?
        rm "$DATA/filler"
        "$GHOSTLIGHT" --data "$DATA" --json doctor
        exit $code"#;
    let Some(done) = with_mounts(&ghostlight, script) else {
        return;
    };
    done.refused(
        "full disk",
        3,
        &[DATABASE, "disk is full", "Free some space"],
    );
    let doctor = done.objects().remove(0);
    assert_eq!(doctor["healthy"], true, "{doctor}");
    assert_eq!(doctor["postings"], 1, "{doctor}");
}
