//! What can be wrong with the files: each is told apart, names the file, says what to do, and
//! leaves the file as it was.
#![allow(clippy::unwrap_used)]

mod support;

use ghostlight_model::{Phase, RunId, Step};
use ghostlight_store::{
    Changes, DATABASE, OpenOptions, SCHEMA, Store, StoreError, read::RunFilter,
};
use rusqlite::Connection;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::mpsc,
    time::Duration,
};
use support::*;

/// The error has this code, names the file, and its text and hint say these words.
fn expect(error: &StoreError, code: &str, file: &str, words: &[&str]) {
    let text = format!("{error} {}", error.hint());
    assert_eq!(error.code(), code, "{text}");
    assert!(
        error.to_string().contains(file),
        "{error} does not name {file}"
    );
    for word in words {
        assert!(text.contains(word), "{text:?} does not say {word:?}");
    }
}

fn refusal(folder: &Path, options: OpenOptions) -> StoreError {
    let opened = Store::open_with(folder, options, |_| {});
    opened.err().expect("the store must not open")
}

/// A healthy database with a run of `events` events.
fn filled(events: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let run = RunId("a".into());
    let events = (0..events as i64).map(|n| started(&run, DAY + n)).collect();
    store.append(run.stream(), events).wait().unwrap();
    folder
}

fn database(folder: &Path) -> PathBuf {
    folder.join(DATABASE)
}

// ------------------------------------------------------------------ locks

#[test]
fn a_locked_database_is_reported_and_works_again_once_free() {
    let folder = filled(1);
    let other = Connection::open(database(folder.path())).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = refusal(folder.path(), impatient());
    expect(
        &error,
        "locked",
        DATABASE,
        &["locked", "Close", "nothing is lost"],
    );

    other.execute_batch("ROLLBACK").unwrap();
    let store = Store::open_with(folder.path(), impatient(), |_| {}).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let run = RunId("b".into());
    let first = store.append(run.stream(), vec![started(&run, DAY)]);
    let error = first.wait().unwrap_err();
    expect(&error, "locked", DATABASE, &["locked", "Close"]);
    assert!(
        store.run(&RunId("a".into())).unwrap().is_some(),
        "reading goes on"
    );

    other.execute_batch("ROLLBACK").unwrap();
    let again = store.append(run.stream(), vec![started(&run, DAY)]);
    assert_eq!(again.wait().unwrap().0, 0, "what failed left nothing");
}

#[test]
fn many_may_open_a_new_folder_at_once() {
    for _ in 0..4 {
        let folder = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            let opening: Vec<_> = (0..8)
                .map(|n| {
                    let folder = folder.path();
                    scope.spawn(move || {
                        let store = open(folder);
                        let run = RunId(format!("run-{n}"));
                        store
                            .append(run.stream(), vec![started(&run, DAY)])
                            .wait()
                            .unwrap();
                        store
                    })
                })
                .collect();
            let stores: Vec<Store> = opening.into_iter().map(|t| t.join().unwrap()).collect();
            assert_eq!(
                stores[0].runs(&RunFilter::default(), 0, 100).unwrap().total,
                8
            );
            assert_eq!(stores[0].check().unwrap(), Vec::<String>::new());
            assert!(!stores[0].rebuild().wait().unwrap().drift);
        });
    }
}

#[test]
fn two_processes_may_open_a_new_folder_at_once() {
    const CHILD: &str = "GHOSTLIGHT_TEST_OPENS";
    if let Some(folder) = std::env::var_os(CHILD) {
        let store = open(Path::new(&folder));
        let run = RunId(std::process::id().to_string());
        store
            .append(run.stream(), vec![started(&run, DAY)])
            .wait()
            .unwrap();
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let children: Vec<_> = (0..4)
        .map(|_| {
            Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "two_processes_may_open_a_new_folder_at_once"])
                .env(CHILD, folder.path())
                .stdout(std::process::Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(
        open(folder.path())
            .runs(&RunFilter::default(), 0, 100)
            .unwrap()
            .total,
        4
    );
}

#[test]
fn two_stores_on_one_folder_see_each_others_changes() {
    let folder = tempfile::tempdir().unwrap();
    let (heard, hears) = mpsc::channel();
    let here = Store::open(folder.path(), move |changes: &Changes| {
        heard.send(changes.clone()).unwrap();
    })
    .unwrap();
    let there = open(folder.path());
    // Opening a second store changes nothing, so nothing is heard until it writes.
    let run = RunId("there".into());
    there
        .append(run.stream(), vec![started(&run, DAY)])
        .wait()
        .unwrap();
    let changes = hears.recv_timeout(Duration::from_secs(10)).unwrap();
    assert!(changes.everything, "{changes:?}");
    assert!(here.run(&run).unwrap().is_some());
    // One goes on with the other's run, at the next offset.
    let next = here
        .append(run.stream(), vec![started(&run, DAY + 1)])
        .wait()
        .unwrap();
    assert_eq!(next.0, 1);
    assert_eq!(there.extent(&run).unwrap().unwrap().count, 2);
    assert!(!there.rebuild().wait().unwrap().drift);
}

// ------------------------------------------------------------------ damage

#[test]
fn what_is_no_database_is_refused_and_left_alone() {
    let noise: Vec<u8> = (0..20_000u32).map(|n| (n * 31 % 251) as u8).collect();
    let whole = fs::read(database(filled(2_000).path())).unwrap();
    let mut header = whole.clone();
    header[..100].fill(0x5a);
    for (name, bytes) in [
        ("noise", noise),
        (
            "a text",
            b"Dear editor, this is no database but a long letter. ".repeat(40),
        ),
        ("overwritten header", header),
    ] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(database(folder.path()), &bytes).unwrap();
        let error = refusal(folder.path(), impatient());
        println!("{name}: {error}");
        expect(
            &error,
            "corrupt",
            DATABASE,
            &["damaged", "backups", "--data"],
        );
        assert_eq!(fs::read(database(folder.path())).unwrap(), bytes, "{name}");
    }
}

#[test]
fn another_programs_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let other = Connection::open(database(folder.path())).unwrap();
    other
        .execute_batch("CREATE TABLE recipe (name TEXT); PRAGMA user_version = 1;")
        .unwrap();
    drop(other);
    let before = fs::read(database(folder.path())).unwrap();
    let error = refusal(folder.path(), impatient());
    expect(&error, "corrupt", DATABASE, &["another program", "--data"]);
    assert_eq!(fs::read(database(folder.path())).unwrap(), before);
}

#[test]
fn a_truncated_database_is_found_out() {
    let folder = filled(2_000);
    let file = fs::OpenOptions::new()
        .write(true)
        .open(database(folder.path()))
        .unwrap();
    file.set_len(file.metadata().unwrap().len() / 2).unwrap();
    found_out(folder.path());
}

#[test]
fn flipped_pages_are_found_out() {
    let folder = filled(2_000);
    let mut bytes = fs::read(database(folder.path())).unwrap();
    let pages = bytes.len() / 4096;
    for page in pages / 2..pages / 2 + 8 {
        bytes[page * 4096..page * 4096 + 2048]
            .iter_mut()
            .for_each(|b| *b ^= 0xa5);
    }
    fs::write(database(folder.path()), &bytes).unwrap();
    found_out(folder.path());
}

/// Damage inside: opening, checking or rebuilding says so, and names the file.
fn found_out(folder: &Path) {
    let store = match Store::open_with(folder, impatient(), |_| {}) {
        Ok(store) => store,
        Err(error) => return expect(&error, "corrupt", DATABASE, &["damaged", "backups"]),
    };
    match store.check() {
        Ok(problems) => assert!(!problems.is_empty(), "check() must find the damage"),
        Err(error) => expect(&error, "corrupt", DATABASE, &["damaged", "backups"]),
    }
    let error = store.rebuild().wait().unwrap_err();
    expect(&error, "corrupt", DATABASE, &["damaged", "backups"]);
    // The writer lives on and says the same again.
    assert_eq!(store.rebuild().wait().unwrap_err().code(), "corrupt");
}

#[test]
fn a_damaged_page_that_one_job_meets_leaves_its_neighbours_alone() {
    let folder = filled(1);
    let gate = Gate::default();
    let store = Store::open(folder.path(), gate.callback()).unwrap();
    let (a, b) = (RunId("a".into()), RunId("b".into()));
    let other = Connection::open(database(folder.path())).unwrap();
    other
        .execute("UPDATE run SET state = '{' WHERE run_id = 'a'", [])
        .unwrap();
    drop(other);
    let (bad, good) = gate.together(&store, || {
        let bad = store.append(a.stream(), vec![started(&a, DAY)]);
        (bad, store.append(b.stream(), vec![started(&b, DAY)]))
    });
    assert_eq!(bad.wait().unwrap_err().code(), "statement");
    assert_eq!(good.wait().unwrap().0, 0);
    assert_eq!(store.extent(&a).unwrap().unwrap().count, 1);
}

// Where an open file cannot be removed there is nothing to test.
#[cfg(unix)]
#[test]
fn a_database_removed_while_open_is_not_made_anew_by_reading() {
    let folder = filled(1);
    let store = open(folder.path());
    for name in [
        DATABASE.to_owned(),
        format!("{DATABASE}-wal"),
        format!("{DATABASE}-shm"),
    ] {
        let _ = fs::remove_file(folder.path().join(name));
    }
    let error = store.counts().unwrap_err();
    expect(&error, "io", DATABASE, &["Check that the folder exists"]);
    assert!(!database(folder.path()).exists());
}

// ------------------------------------------------------------------ rights and room

/// A small file system of its own, or `None` with a loud reason: mounting needs rights.
struct Mounted(tempfile::TempDir);

impl Mounted {
    fn new(options: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(folder.path())
            .output();
        match mounted {
            Ok(done) if done.status.success() => Some(Self(folder)),
            Ok(done) => skipped(&String::from_utf8_lossy(&done.stderr)),
            Err(error) => skipped(&error.to_string()),
        }
    }

    fn remount(&self, option: &str) {
        let how = format!("remount,{option}");
        let done = Command::new("mount")
            .args(["-o", &how])
            .arg(self.0.path())
            .status();
        assert!(done.unwrap().success());
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // Lazily: a process that another test is starting may still hold it for a moment.
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

fn skipped<T>(reason: &str) -> Option<T> {
    eprintln!("SKIPPED: a file system of our own could not be mounted here: {reason}");
    None
}

#[test]
fn a_folder_that_cannot_be_written_is_reported() {
    let Some(disk) = Mounted::new("size=4m") else {
        return;
    };
    drop(open(disk.0.path()));
    disk.remount("ro");
    let error = refusal(disk.0.path(), impatient());
    expect(
        &error,
        "read_only",
        DATABASE,
        &["cannot be written", "right to write", "--data"],
    );

    disk.remount("rw");
    for name in fs::read_dir(disk.0.path()).unwrap() {
        fs::remove_file(name.unwrap().path()).unwrap();
    }
    disk.remount("ro");
    let error = refusal(disk.0.path(), impatient());
    expect(&error, "read_only", DATABASE, &["cannot be written"]);
    let deeper = disk.0.path().join("deeper");
    let error = refusal(&deeper, impatient());
    expect(
        &error,
        "read_only",
        "deeper",
        &["cannot be written", "--data"],
    );
}

#[test]
fn a_file_that_cannot_be_written_is_reported() {
    let folder = filled(1);
    let path = database(folder.path());
    let locked = Command::new("chattr").arg("+i").arg(&path).status();
    if !locked.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: chattr +i is not allowed here, and root may write any other file");
        return;
    }
    let refused = Store::open_with(folder.path(), impatient(), |_| {}).err();
    assert!(
        Command::new("chattr")
            .arg("-i")
            .arg(&path)
            .status()
            .unwrap()
            .success()
    );
    let error = refused.expect("the store must not open");
    expect(
        &error,
        "read_only",
        DATABASE,
        &["cannot be written", "right to write"],
    );
    drop(open(folder.path()));
}

/// Appends until it fails; the number acknowledged and the failure.
fn fill(store: &Store, run: &RunId) -> (u64, StoreError) {
    let note = "x".repeat(20_000);
    for n in 0..10_000 {
        let mut event = started(run, DAY + n as i64);
        event.metrics.insert("note".into(), note.clone().into());
        match store.append(run.stream(), vec![event]).wait() {
            Ok(offset) => assert_eq!(offset.0, n),
            Err(error) => return (n, error),
        }
    }
    panic!("the disk never filled");
}

/// All acknowledged events are there and nothing else; rows and log agree.
fn whole(store: &Store, run: &RunId, events: u64) {
    assert_eq!(store.extent(run).unwrap().unwrap().count, events);
    assert_eq!(store.run(run).unwrap().unwrap().events, events);
    assert_eq!(store.check().unwrap(), Vec::<String>::new());
}

#[test]
fn a_full_disk_loses_nothing_and_goes_on_after_space_is_freed() {
    let Some(disk) = Mounted::new("size=3m") else {
        return;
    };
    let filler = disk.0.path().join("filler");
    fs::write(&filler, vec![1; 1_000_000]).unwrap();
    let store = open(disk.0.path());
    let run = RunId("a".into());
    let (kept, error) = fill(&store, &run);
    expect(
        &error,
        "disk_full",
        DATABASE,
        &["disk is full", "nothing of the last change", "Free"],
    );
    assert!(kept > 0);
    let again = store.append(run.stream(), vec![started(&run, DAY)]);
    // A small one may still fit; a refused one must have left nothing.
    let kept = if again.wait().is_ok() { kept + 1 } else { kept };
    assert_eq!(store.extent(&run).unwrap().unwrap().count, kept);

    fs::remove_file(filler).unwrap();
    let next = store
        .append(run.stream(), vec![started(&run, DAY)])
        .wait()
        .unwrap();
    assert_eq!(next.0, kept);
    whole(&store, &run, kept + 1);
    drop(store);
    let store = open(disk.0.path());
    whole(&store, &run, kept + 1);
    assert!(!store.rebuild().wait().unwrap().drift);
}

#[test]
fn a_database_at_its_largest_size_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let small = OpenOptions {
        pages_max: Some(120),
        ..impatient()
    };
    let store = Store::open_with(folder.path(), small, |_| {}).unwrap();
    let run = RunId("a".into());
    let (kept, error) = fill(&store, &run);
    expect(&error, "disk_full", DATABASE, &["disk is full", "Free"]);
    assert!(kept > 0);
    whole(&store, &run, kept);
    // The connection works on: something small that needs no new page.
    store.put_setting("theme", "dark".into()).wait().unwrap();
    drop(store);
    let store = open(folder.path());
    assert_eq!(
        store
            .append(run.stream(), vec![started(&run, DAY)])
            .wait()
            .unwrap()
            .0,
        kept
    );
    whole(&store, &run, kept + 1);
    assert!(!store.rebuild().wait().unwrap().drift);
}

// ------------------------------------------------------------------ schema

#[test]
fn a_newer_schema_is_refused_and_not_touched() {
    for journal in ["DELETE", "WAL"] {
        let folder = filled(3);
        let other = Connection::open(database(folder.path())).unwrap();
        other.pragma_update(None, "user_version", 99).unwrap();
        other
            .pragma_update_and_check(None, "journal_mode", journal, |_| Ok(()))
            .unwrap();
        drop(other);
        let before = fs::read(database(folder.path())).unwrap();
        let error = refusal(folder.path(), impatient());
        let supported = format!("up to {SCHEMA}");
        expect(
            &error,
            "newer_schema",
            DATABASE,
            &["newer", "99", &supported, "Update"],
        );
        assert_eq!(
            fs::read(database(folder.path())).unwrap(),
            before,
            "{journal}"
        );
    }
}

const FIRST: &str = include_str!("../migrations/0001_first.sql");
const NOTES: &str = "CREATE TABLE note (body TEXT) STRICT;";
const BROKEN: &str = "DROP TABLE card_field; INSERT INTO nowhere VALUES (1);";

/// Today's schema and these steps after it.
fn today_and(more: &[&'static str]) -> &'static [&'static str] {
    let mut steps = OpenOptions::default().migrations.to_vec();
    steps.extend(more);
    steps.leak()
}

/// The copy that is made before so many steps beyond today's schema.
fn copy_before(folder: &Path, steps: i64) -> PathBuf {
    let name = format!("before-schema-{}-from-{SCHEMA}.db", SCHEMA + steps);
    folder.join("backups").join(name)
}

fn with(migrations: &'static [&'static str]) -> OpenOptions {
    OpenOptions {
        migrations,
        ..impatient()
    }
}

#[test]
fn a_migration_makes_a_backup_first() {
    let folder = filled(5);
    let before = dump(folder.path());
    let store = Store::open_with(folder.path(), with(today_and(&[NOTES])), |_| {}).unwrap();
    let run = RunId("a".into());
    whole(&store, &run, 5);
    let copy = copy_before(folder.path(), 1);
    let restored = tempfile::tempdir().unwrap();
    fs::copy(copy, database(restored.path())).unwrap();
    assert_eq!(dump(restored.path()), before);
    whole(
        &Store::open_with(restored.path(), with(today_and(&[])), |_| {}).unwrap(),
        &run,
        5,
    );
    // The older program meets the newer file.
    drop(store);
    let error = refusal(folder.path(), with(today_and(&[])));
    let (newer, older) = (format!("schema {}", SCHEMA + 1), format!("up to {SCHEMA}"));
    expect(&error, "newer_schema", DATABASE, &[&newer, &older]);
    // The newer one opens it again without another migration.
    drop(Store::open_with(folder.path(), with(today_and(&[NOTES])), |_| {}).unwrap());
    assert_eq!(
        fs::read_dir(folder.path().join("backups")).unwrap().count(),
        1
    );
}

#[test]
fn a_file_of_the_first_schema_is_brought_up_to_date_with_all_it_holds() {
    let folder = tempfile::tempdir().unwrap();
    let run = RunId("a".into());
    {
        let first = Connection::open(database(folder.path())).unwrap();
        first.execute_batch(FIRST).unwrap();
        first.pragma_update(None, "user_version", 1).unwrap();
        first
            .execute(
                "INSERT INTO stream (name, origin, epoch, next_offset) VALUES (?1, 'local', 7, 5)",
                [&run.stream().0],
            )
            .unwrap();
        for n in 0..5 {
            let body = event(&run, Step::Fetch, Phase::Start, DAY + n);
            let body = serde_json::to_string(&body).unwrap();
            let row = "INSERT INTO event (stream_id, epoch, \"offset\", ts, node, phase, body)
                 VALUES (1, 7, ?1, ?2, 'FETCH', 'start', ?3)";
            first.execute(row, (n, DAY + n, body)).unwrap();
        }
        let projected = "INSERT INTO projection (name, version, position) VALUES ('cards', 3, 5)";
        first.execute(projected, []).unwrap();
    }
    let store = open(folder.path());
    assert_eq!(store.events(&run, 0, 10).unwrap().total, 5);
    assert_eq!(store.run(&run).unwrap().unwrap().events, 5, "folded anew");
    assert_eq!(store.check().unwrap(), Vec::<String>::new());
    let next = event(&run, Step::Fetch, Phase::End, DAY + 9);
    let offset = store.append(run.stream(), vec![next]).wait().unwrap();
    assert_eq!(offset.0, 5);
}

#[test]
fn a_new_database_needs_no_backup() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    assert!(!folder.path().join("backups").exists());
}

#[test]
fn a_failing_migration_leaves_the_file_as_it_was() {
    let folder = filled(5);
    let before = dump(folder.path());
    for _ in 0..2 {
        let error = refusal(folder.path(), with(today_and(&[NOTES, BROKEN])));
        let words = ["current schema", "nowhere", "left as it was", "backups"];
        expect(&error, "migration", DATABASE, &words);
        assert_eq!(dump(folder.path()), before);
    }
    assert!(copy_before(folder.path(), 2).exists());
    whole(&open(folder.path()), &RunId("a".into()), 5);
}

#[test]
fn a_damaged_database_is_not_migrated() {
    let folder = filled(2_000);
    let mut bytes = fs::read(database(folder.path())).unwrap();
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 8 * 4096]
        .iter_mut()
        .for_each(|b| *b ^= 0xa5);
    fs::write(database(folder.path()), &bytes).unwrap();
    let error = refusal(folder.path(), with(today_and(&[NOTES])));
    expect(&error, "corrupt", DATABASE, &["damaged", "backups"]);
    assert_eq!(fs::read(database(folder.path())).unwrap(), bytes);
}

// ------------------------------------------------------------------ words

#[test]
fn every_error_says_what_happened_where_and_what_to_do() {
    let path = PathBuf::from("/data/ghostlight.db");
    let detail = String::from("the reason");
    let found = |path: &PathBuf| StoreError::NewerSchema {
        path: path.clone(),
        found: 9,
        supported: 1,
    };
    for (error, words) in [
        (
            StoreError::Locked { path: path.clone() },
            ["locked", "Close"],
        ),
        (
            StoreError::ReadOnly { path: path.clone() },
            ["cannot be written", "--data"],
        ),
        (
            StoreError::Corrupt {
                path: path.clone(),
                detail: detail.clone(),
            },
            ["the reason", "backups"],
        ),
        (found(&path), ["schema 9", "Update"]),
        (
            StoreError::DiskFull { path: path.clone() },
            ["full", "Free"],
        ),
        (
            StoreError::Io {
                path: path.clone(),
                detail: detail.clone(),
            },
            ["the reason", "Check"],
        ),
        (
            StoreError::Migration {
                path: path.clone(),
                detail: detail.clone(),
            },
            ["the reason", "backups"],
        ),
        (
            StoreError::Statement {
                path: path.clone(),
                detail,
            },
            ["the reason", "report"],
        ),
    ] {
        expect(&error, error.code(), "/data/ghostlight.db", &words);
    }
    for (error, words) in [
        (
            StoreError::Refused("Pay cannot be negative.".into()),
            ["negative", "Correct"],
        ),
        (
            StoreError::NotFound("posting 7".into()),
            ["posting 7 is not", "look again"],
        ),
        (StoreError::Closed, ["closed", "Start"]),
    ] {
        expect(&error, error.code(), "", &words);
    }
}
