//! `export`, `import`, `verify`: read back by other programs, and never half a file.

use crate::program::{Done, Ghostlight, finish, fixture};
use ghostlight_api::{
    command::StartExport,
    export::{ExportForm, ExportKind},
};
use ghostlight_engine::{Engine, Handle, Hooks, Host};
use ghostlight_model::{
    Micros,
    export::{Filter, Format, What},
    run::RunStatus,
};
use rusqlite::Connection;
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// With two postings, and a folder for files.
fn filled() -> (Ghostlight, TempDir) {
    let ghostlight = Ghostlight::new();
    for name in ["full.html", "no-dates.html"] {
        let (done, _) = ghostlight.analyze(&fixture(name));
        assert_eq!(done.code, 0, "{done:?}");
    }
    (ghostlight, tempfile::tempdir().unwrap())
}

/// A posting whose texts a spreadsheet could run.
fn risky(ghostlight: &Ghostlight) {
    let page = |title: &str, company: &str| {
        format!(
            r#"<html><script type="application/ld+json">{{"@context":"https://schema.org","@type":"JobPosting",
            "title":{title:?},"description":"We look for somebody who keeps the lamps of a whole street.",
            "hiringOrganization":{{"@type":"Organization","name":{company:?}}},"datePosted":"2026-01-05"}}</script>
            <body><h1>{title}</h1><p>We look for somebody who keeps the lamps of a whole street.</p></body></html>"#
        )
    };
    let folder = tempfile::tempdir().unwrap();
    for (n, (title, company)) in [
        ("=HYPERLINK(1)", "+Lamps"),
        ("-1+1 Keeper", "@Oriel"),
        ("Keeper, \"night\"", "Oriel; Sons"),
    ]
    .into_iter()
    .enumerate()
    {
        let file = folder.path().join(format!("{n}.html"));
        fs::write(&file, page(title, company)).unwrap();
        let (done, _) = ghostlight.analyze(file.to_str().unwrap());
        assert_eq!(done.code, 0, "{done:?}");
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Runs Python on a file; what it prints, as JSON. `None`, and loudly, where there is no Python.
fn python(script: &str, file: &Path) -> Option<Value> {
    let ran = Command::new("python3")
        .arg("-c")
        .arg(script)
        .arg(file)
        .output();
    let Ok(out) = ran else {
        eprintln!(
            "SKIPPED: python3 is not installed; nothing else read {} back",
            file.display()
        );
        return None;
    };
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    Some(serde_json::from_slice(&out.stdout).unwrap())
}

fn export(ghostlight: &Ghostlight, args: &[&str], file: &Path) -> Done {
    let mut all = vec!["export"];
    all.extend(args);
    all.extend(["--json", "-o", file.to_str().unwrap()]);
    ghostlight.run(&all)
}

#[test]
fn python_reads_every_format_back() {
    let (ghostlight, folder) = filled();
    risky(&ghostlight);
    let path = |name: &str| folder.path().join(name);
    for format in ["csv", "json", "jsonl", "md"] {
        for what in ["postings", "history", "events"] {
            let file = path(&format!("{what}.{format}"));
            let done = export(&ghostlight, &["--format", format, "--what", what], &file);
            assert_eq!(done.code, 0, "{done:?}");
            let told = &done.objects()[0];
            assert_eq!(told["bytes"], fs::metadata(&file).unwrap().len());
            assert!(told["rows"].as_u64().unwrap() >= 5, "{told}");
        }
    }
    const CSV: &str = "import csv,json,sys\nprint(json.dumps(list(csv.DictReader(open(sys.argv[1],newline='',encoding='utf-8')))))";
    const JSON: &str =
        "import json,sys\nprint(json.dumps(json.load(open(sys.argv[1],encoding='utf-8'))))";
    const JSONL: &str = "import json,sys\nprint(json.dumps([json.loads(l) for l in open(sys.argv[1],encoding='utf-8')]))";
    for what in ["postings", "history", "events"] {
        let Some(csv) = python(CSV, &path(&format!("{what}.csv"))) else {
            return;
        };
        let json = python(JSON, &path(&format!("{what}.json"))).unwrap();
        let lines = python(JSONL, &path(&format!("{what}.jsonl"))).unwrap();
        assert_eq!(json["rows"], lines);
        assert_eq!(json["metadata"]["count"], lines.as_array().unwrap().len());
        assert_eq!(json["metadata"]["what"], what);
        assert_eq!(
            csv.as_array().unwrap().len(),
            lines.as_array().unwrap().len()
        );
    }
    let csv = python(CSV, &path("postings.csv")).unwrap();
    let titles: Vec<&str> = csv
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["title"].as_str().unwrap())
        .collect();
    assert!(
        titles.contains(&"'=HYPERLINK(1)") && titles.contains(&"'-1+1 Keeper"),
        "{titles:?}"
    );
    assert!(titles.contains(&"Keeper, \"night\""), "{titles:?}");
    let lines = python(JSONL, &path("postings.jsonl")).unwrap();
    assert!(
        lines
            .as_array()
            .unwrap()
            .iter()
            .any(|row| row["title"] == "=HYPERLINK(1)"),
        "{lines}"
    );
    // As they are, where that is asked for.
    let done = export(
        &ghostlight,
        &["--format", "csv", "--no-guard", "--bom"],
        &path("bare.csv"),
    );
    assert_eq!(done.code, 0);
    let text = fs::read_to_string(path("bare.csv")).unwrap();
    assert!(
        text.starts_with("\u{feff}posting,title,") && text.contains(",=HYPERLINK(1),"),
        "{text}"
    );
}

#[test]
fn the_sqlite_shell_finds_the_same_events() {
    let (ghostlight, folder) = filled();
    let file = folder.path().join("events.csv");
    let fields = [
        "--format",
        "csv",
        "--what",
        "events",
        "--fields",
        "body,phase,stream,offset,node",
    ];
    assert_eq!(export(&ghostlight, &fields, &file).code, 0);
    let database = ghostlight.data.path().join("ghostlight.db");
    let query = "SELECT body, phase, name AS stream, \"offset\", node FROM event JOIN stream ON stream.id = stream_id ORDER BY seq";
    let shell = Command::new("sqlite3")
        .args(["-csv", "-header"])
        .arg(&database)
        .arg(query)
        .output();
    let Ok(shell) = shell else {
        eprintln!("SKIPPED: the sqlite3 shell is not installed");
        return;
    };
    assert!(
        shell.status.success(),
        "{}",
        String::from_utf8_lossy(&shell.stderr)
    );
    // It quotes more than it must: both are read by the same rule.
    const SAME: &str = "import csv,json,sys\nprint(json.dumps([list(csv.reader(open(p,newline='',encoding='utf-8'))) for p in sys.argv[1:]]))";
    let other = folder.path().join("shell.csv");
    fs::write(&other, &shell.stdout).unwrap();
    let (Some(ours), Some(theirs)) = (python(SAME, &file), python(SAME, &other)) else {
        return;
    };
    assert_eq!(ours, theirs);
}

#[test]
fn filters_and_fields_choose_and_wrong_ones_are_named() {
    let (ghostlight, folder) = filled();
    let path = |name: &str| folder.path().join(name);
    let rows = |args: &[&str], name: &str| {
        let mut all = vec!["--format", "jsonl"];
        all.extend(args);
        let done = export(&ghostlight, &all, &path(name));
        assert_eq!(done.code, 0, "{done:?}");
        done.objects()[0]["rows"].as_u64().unwrap()
    };
    assert_eq!(rows(&[], "all"), 2);
    assert_eq!(rows(&["--limit", "1"], "one"), 1);
    assert_eq!(rows(&["--text", "no such text"], "none"), 0);
    assert_eq!(rows(&["--until", "2001-01-01"], "old"), 0);
    assert_eq!(
        rows(
            &["--what", "events", "--node", "SCORE", "--phase", "end"],
            "ends"
        ),
        2
    );
    assert_eq!(rows(&["--what", "history", "--source", "user"], "mine"), 0);
    let events = |args: &[&str], name: &str| rows(&[&["--what", "events"], args].concat(), name);
    let all = events(&[], "events");
    let ended = ["--severity", "error", "--text", "detect"];
    assert_eq!(events(&ended, "errors"), 0);
    assert_eq!(events(&["--status", "finished"], "finished"), all);
    assert_eq!(events(&["--status", "failed"], "failed"), 0);
    let of_one = events(&["--named", "FULL.html"], "named");
    assert!(0 < of_one && of_one < all, "{of_one} of {all}");
    let before = ["--from", "2001-01-01", "--until", "2001-01-02T08:30Z"];
    assert_eq!(events(&before, "before"), 0);
    for (args, words) in [
        (
            &["--format", "csv", "--node", "SCORE"][..],
            &["`node`", "postings"][..],
        ),
        (
            &["--format", "csv", "--what", "events", "--severity", "bad"],
            &["one of info, warning, error"],
        ),
        (
            &["--format", "csv", "--what", "events", "--status", "bad"],
            &["one of running, finished, failed, open"],
        ),
        (
            &["--format", "csv", "--what", "history", "--named", "x"],
            &["`named`", "history"],
        ),
        (
            &["--format", "csv", "--until", "2001-01-02T08:30"],
            &["YYYY-MM-DDTHH:MMZ"],
        ),
        (
            &["--format", "csv", "--fields", "title,nonsense"],
            &["`nonsense`", "title, company"],
        ),
        (
            &["--format", "csv", "--fields", "title,title"],
            &["named twice"],
        ),
        (&["--format", "xml"], &["one of csv"]),
        (&["--format", "csv", "--from", "yesterday"], &["YYYY-MM-DD"]),
        (&["--format", "csv", "--posting", "12"], &["posting id"]),
        (
            &["--format", "bundle", "--what", "events"],
            &["a bundle holds postings"],
        ),
    ] {
        let done = export(&ghostlight, args, &path("refused"));
        done.refused(&args.join(" "), 2, words);
        assert!(!path("refused").exists());
    }
    // In a folder, the name says what is inside.
    let sub = path("sub");
    fs::create_dir(&sub).unwrap();
    assert_eq!(
        export(&ghostlight, &["--format", "csv", "--text", "Lamp"], &sub).code,
        0
    );
    let found = names(&sub);
    assert!(
        found.len() == 1
            && found[0].starts_with("ghostlight-postings-lamp-2")
            && found[0].ends_with(".csv"),
        "{found:?}"
    );
    let done = ghostlight.run(&["export", "--format", "csv", "--preview", "--json"]);
    let look = &done.objects()[0];
    assert_eq!(
        (&look["rows"], look["first"].as_array().unwrap().len()),
        (&2.into(), 2)
    );
    let size = fs::metadata(sub.join(&found[0])).unwrap().len() as i64;
    assert!(look["bytes"].as_i64().unwrap() >= size, "{look}");
}

#[test]
fn an_existing_file_and_a_folder_that_cannot_be_written_are_left_alone() {
    let (ghostlight, folder) = filled();
    let file = folder.path().join("out.csv");
    fs::write(&file, "before").unwrap();
    export(&ghostlight, &["--format", "csv"], &file).refused(
        "existing",
        2,
        &["out.csv", "already"],
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), "before");
    assert_eq!(
        export(&ghostlight, &["--format", "csv", "--overwrite"], &file).code,
        0
    );
    assert_ne!(fs::read_to_string(&file).unwrap(), "before");
    let missing = folder.path().join("no/out.csv");
    export(&ghostlight, &["--format", "csv"], &missing).refused(
        "no folder",
        2,
        &["does not exist"],
    );
    assert_eq!(names(folder.path()), ["out.csv"]);
    let nobody = folder.path().join("closed");
    fs::create_dir(&nobody).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&nobody, fs::Permissions::from_mode(0o555)).unwrap();
        // Whoever may do everything is stopped by no such right; the system's own read-only folder stops all.
        let closed = match fs::write(nobody.join("probe"), "") {
            Err(_) => nobody,
            Ok(()) => PathBuf::from("/proc"),
        };
        for format in ["csv", "bundle"] {
            let done = export(&ghostlight, &["--format", format], &closed.join("out.csv"));
            assert_eq!(done.code, 2, "{done:?}");
            assert!(
                !done.err.contains("panicked") && done.err.contains("out.csv")
                    || done.err.contains("cannot be written"),
                "{done:?}"
            );
        }
    }
}

/// Many events, made without the store: fast.
fn crowded(ghostlight: &Ghostlight, events: u32) {
    assert_eq!(ghostlight.analyze(&fixture("full.html")).0.code, 0);
    let connection = Connection::open(ghostlight.data.path().join("ghostlight.db")).unwrap();
    connection
        .execute_batch(&format!(
            "INSERT INTO stream (id, name, origin, epoch, next_offset) VALUES (1000, 'run/many', 'feed:x', 1, {events});
             WITH RECURSIVE n (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n + 1 < {events})
             INSERT INTO event (stream_id, epoch, \"offset\", ts, node, phase, body)
             SELECT 1000, 1, n, n, 'NODE', 'end', '{{\"n\":' || n || ',\"pad\":\"' || hex(zeroblob(60)) || '\"}}' FROM n;
             UPDATE projection SET position = (SELECT max(seq) FROM event);"
        ))
        .unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_said_and_leaves_nothing() {
    let ghostlight = Ghostlight::new();
    crowded(&ghostlight, 20_000);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out.csv");
    let name = file.to_str().unwrap();
    let args = ["export", "--format", "csv", "--what", "events", "-o", name];
    if let Some(done) = ghostlight.run_on_small_disk(folder.path(), 256, &args) {
        done.refused(
            "full",
            2,
            &["out.csv", "the disk is full", "Free some space"],
        );
        let left = folder.path().with_extension("left");
        let left = [
            left,
            PathBuf::from(format!("{}.left", folder.path().display())),
        ]
        .into_iter()
        .find(|p| p.exists())
        .unwrap();
        assert_eq!(fs::read_to_string(&left).unwrap(), "");
        fs::remove_file(left).unwrap();
    }
    // And the size that a file may have.
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; ulimit -f 1024; exec \"$@\"", "sh"]);
    let limited = ghostlight.command(&[
        "export",
        "--format",
        "csv",
        "--what",
        "events",
        "-o",
        file.to_str().unwrap(),
    ]);
    command.arg(limited.get_program()).args(limited.get_args());
    let done = finish(command, |_| Ok(()));
    assert!(done.code == 2 || done.code == 3, "{done:?}");
    if done.code == 2 {
        done.refused("limit", 2, &["as large as this"]);
    }
    assert_eq!(names(folder.path()), [""; 0]);
}

#[cfg(unix)]
#[test]
fn a_signal_leaves_nothing_behind() {
    let ghostlight = Ghostlight::new();
    crowded(&ghostlight, 400_000);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out.csv");
    let mut interrupted = 0;
    for tenth in 0..10_u32 {
        let mut child = ghostlight
            .command(&[
                "export",
                "--format",
                "csv",
                "--what",
                "events",
                "-o",
                file.to_str().unwrap(),
            ])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Until so much of it is written.
        let wanted = u64::from(tenth) * 6_000_000;
        let begun = Instant::now();
        let part = || {
            let mut entries = fs::read_dir(folder.path()).unwrap().map_while(Result::ok);
            entries.find_map(|e| {
                e.file_name()
                    .to_str()?
                    .ends_with(".partial")
                    .then(|| e.metadata().ok())
                    .flatten()
            })
        };
        while part().is_none_or(|part| part.len() < wanted) && child.try_wait().unwrap().is_none() {
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "nothing was written"
            );
            std::thread::yield_now();
        }
        let killed = Command::new("kill")
            .args(["-INT", &child.id().to_string()])
            .status()
            .unwrap();
        let out = child.wait_with_output().unwrap();
        match out.status.code() {
            Some(1) => {
                interrupted += 1;
                assert!(killed.success());
                assert!(
                    String::from_utf8_lossy(&out.stderr).contains("cancelled"),
                    "{out:?}"
                );
                assert_eq!(names(folder.path()), [""; 0]);
            }
            // It was done before the signal came.
            Some(0) => {
                assert_eq!(names(folder.path()), ["out.csv"]);
                fs::remove_file(&file).unwrap();
            }
            other => panic!("{tenth}: {other:?} {out:?}"),
        }
    }
    assert!(interrupted > 0, "no signal came in time");
}

/// SIGKILL lets nobody tidy up; the next export to that name does.
#[cfg(unix)]
#[test]
fn what_a_kill_leaves_goes_with_the_next_export() {
    let ghostlight = Ghostlight::new();
    crowded(&ghostlight, 100_000);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out.csv");
    let args = ["export", "--format", "csv", "--what", "events", "-o"];
    let export = || {
        let mut command = ghostlight.command(&args);
        command.arg(&file).stdout(Stdio::null());
        command
    };
    let partial = || {
        let all = names(folder.path());
        all.into_iter().filter(|name| name.ends_with(".partial"))
    };
    let mut child = export().spawn().unwrap();
    let begun = Instant::now();
    while partial().count() == 0 {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "nothing was begun"
        );
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let left: Vec<String> = partial().collect();
    assert_eq!(left.len(), 1, "it was killed too late");
    // One that is under way is nobody's leftover.
    let mut other = ghostlight.command(&args);
    let other_file = folder.path().join("other.csv");
    other.arg(&other_file);
    assert!(other.status().unwrap().success());
    assert_eq!(partial().collect::<Vec<_>>(), left);
    assert!(export().status().unwrap().success());
    assert_eq!(names(folder.path()), ["other.csv", "out.csv"]);
}

#[test]
fn a_bundle_moves_postings_to_another_folder() {
    let (here, folder) = filled();
    let bundle = folder.path().join("out.zip");
    let done = export(&here, &["--format", "bundle"], &bundle);
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(done.objects()[0]["counts"]["postings"], 2);
    const ZIP: &str = "import zipfile,json,sys,hashlib\nz=zipfile.ZipFile(sys.argv[1])\nassert z.testzip() is None\nm=json.loads(z.read('manifest.json'))\nfor e in m['entries']:\n  assert hashlib.sha256(z.read(e['name'])).hexdigest()==e['sha256'],e\nprint(json.dumps([len(z.namelist()),len(m['entries'])]))";
    if let Some(found) = python(ZIP, &bundle) {
        assert_eq!(
            found[0].as_u64().unwrap(),
            found[1].as_u64().unwrap() + 1,
            "{found}"
        );
    }
    let file = bundle.to_str().unwrap();
    let verified = here.run(&["verify", file, "--json"]);
    assert_eq!(
        (verified.code, &verified.objects()[0]["sound"]),
        (0, &true.into())
    );
    let there = Ghostlight::new();
    let taken = there.run(&["import", file, "--json"]);
    assert_eq!(taken.code, 0, "{taken:?}");
    assert_eq!(taken.objects()[0]["new_postings"], 2);
    assert_eq!(
        there.run(&["import", file, "--json"]).objects()[0]["commits"],
        0
    );
    assert_eq!(there.healthy()["postings"], 2);
    // What is exported there is the same, byte for byte.
    for args in [
        &["--format", "bundle"][..],
        &["--format", "jsonl"],
        &["--format", "jsonl", "--what", "history"],
    ] {
        let (a, b) = (folder.path().join("a"), folder.path().join("b"));
        assert_eq!(export(&here, args, &a).code, 0);
        assert_eq!(export(&there, args, &b).code, 0);
        assert_eq!(fs::read(&a).unwrap(), fs::read(&b).unwrap(), "{args:?}");
        fs::remove_file(a).unwrap();
        fs::remove_file(b).unwrap();
    }
    // And the cards, evidence and all, are there to be analysed again.
    assert_eq!(
        there.run(&["doctor", "--rebuild", "--json"]).objects()[0]["rebuilt"]["drift"],
        false
    );
}

#[test]
fn a_damaged_bundle_is_refused_and_names_its_entry() {
    let (here, folder) = filled();
    let bundle = folder.path().join("out.zip");
    assert_eq!(export(&here, &["--format", "bundle"], &bundle).code, 0);
    let bytes = fs::read(&bundle).unwrap();
    let there = Ghostlight::new();
    assert_eq!(there.analyze(&fixture("no-dates.html")).0.code, 0);
    let before = there.healthy();
    let other = folder.path().join("other.zip");
    let refused = |bytes: &[u8], code: i32, words: &[&str]| {
        fs::write(&other, bytes).unwrap();
        for verb in ["verify", "import"] {
            there
                .run(&[verb, other.to_str().unwrap()])
                .refused(verb, code, words);
        }
        assert_eq!(there.healthy(), before);
    };
    refused(
        &bytes[..bytes.len() / 2],
        1,
        &["other.zip", "cut short", "at entry"],
    );
    refused(b"no zip", 1, &["other.zip", "no bundle of Ghostlight"]);
    refused(b"", 1, &["no bundle of Ghostlight"]);
    // A byte of an entry's own.
    let name = bytes
        .windows(13)
        .position(|w| w == b"commits.jsonl")
        .unwrap();
    let mut changed = bytes.clone();
    changed[name + 60] ^= 0xFF;
    refused(&changed, 1, &["commits.jsonl"]);
    let missing = there.run(&["verify", folder.path().join("nothing").to_str().unwrap()]);
    missing.refused("missing", 2, &["nothing"]);
}

#[cfg(unix)]
#[test]
fn only_files_are_replaced_and_a_link_stays_one() {
    let (ghostlight, folder) = filled();
    let at = |name: &str| folder.path().join(name);
    let export = |name: &str| {
        let path = at(name);
        let args = [
            "export",
            "--format",
            "csv",
            "--overwrite",
            "-o",
            path.to_str().unwrap(),
        ];
        ghostlight.run(&args)
    };
    assert!(
        Command::new("mkfifo")
            .arg(at("pipe"))
            .status()
            .unwrap()
            .success()
    );
    let words = ["pipe: this is a device or a pipe", "Name a file"];
    export("pipe").refused("a pipe", 2, &words);
    fs::write(at("file.csv"), "old").unwrap();
    std::os::unix::fs::symlink(at("file.csv"), at("link.csv")).unwrap();
    let done = export("link.csv");
    assert_eq!(done.code, 0, "{done:?}");
    assert!(at("link.csv").is_symlink());
    assert!(fs::read_to_string(at("file.csv")).unwrap().len() > 100);
    assert_eq!(names(folder.path()), ["file.csv", "link.csv", "pipe"]);
}

#[cfg(unix)]
#[test]
fn names_that_are_no_text_are_no_panic() {
    use std::os::unix::ffi::OsStrExt;
    let (ghostlight, folder) = filled();
    let name = std::ffi::OsStr::from_bytes(b"z\xff.zip");
    let file = folder.path().join(name);
    let run = |args: &[&str], option: Option<&str>| {
        let mut command = ghostlight.command(args);
        command.args(option).arg(&file);
        finish(command, |_| Ok(()))
    };
    for (args, option) in [
        (&["export", "--json", "--format", "bundle"][..], Some("-o")),
        (&["verify", "--json"], None),
        (&["import", "--json"], None),
        (
            &["export", "--json", "--overwrite", "--format", "csv"],
            Some("-o"),
        ),
    ] {
        let done = run(args, option);
        assert_eq!(done.code, 0, "{args:?}: {done:?}");
        let told = &done.objects()[0]["file"];
        assert!(told.as_str().unwrap().ends_with("z\u{fffd}.zip"), "{told}");
    }
}

#[test]
fn a_mistyped_folder_is_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("typo");
    let data = missing.to_str().unwrap();
    for args in [
        &["log", "0123456789abcdef0123456789abcdef"][..],
        &["doctor"],
        &["archive", "--list"],
        &["export", "--format", "csv", "-o", "x.csv"],
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ghostlight"));
        command.args(["--data", data]).args(args);
        let done = finish(command, |_| Ok(()));
        done.refused(
            "no data",
            2,
            &["there is no data of Ghostlight here", "--data"],
        );
        assert!(!missing.exists(), "{args:?}");
    }
}

/// The forms of the window and the choices of the command line are the same rows, byte for byte.
#[test]
fn the_window_writes_what_the_command_line_writes() {
    let (ghostlight, folder) = filled();
    risky(&ghostlight);
    let path = |name: &str| folder.path().join(name);
    let listed = path("listed.jsonl");
    assert_eq!(export(&ghostlight, &["--format", "jsonl"], &listed).code, 0);
    let first = fs::read_to_string(&listed).unwrap();
    let first: Value = serde_json::from_str(first.lines().next().unwrap()).unwrap();
    let id = first["posting"].as_str().unwrap().to_owned();
    let day = |text: &str| Micros::from_rfc3339(&format!("{text}T00:00Z"));
    let cases: Vec<(&str, &str, Vec<&str>, Filter, ExportForm)> = vec![
        (
            "csv",
            "postings",
            vec![
                "--text",
                "lamps",
                "--level",
                "unclear",
                "--from",
                "2020-01-01",
            ],
            Filter {
                text: Some("lamps".into()),
                level: Some("unclear".into()),
                from: day("2020-01-01"),
                ..Filter::default()
            },
            form(What::Postings, Format::Csv),
        ),
        (
            "csv",
            "postings",
            vec![
                "--bom",
                "--no-guard",
                "--fields",
                "title,company",
                "--limit",
                "3",
            ],
            Filter::default(),
            ExportForm {
                bom: true,
                guard: false,
                fields: vec!["title".into(), "company".into()],
                limit: Some(3),
                ..form(What::Postings, Format::Csv)
            },
        ),
        (
            "jsonl",
            "history",
            vec![
                "--posting",
                &id,
                "--source",
                "parsing",
                "--until",
                "2120-01-01",
            ],
            Filter {
                posting: id.parse().ok(),
                source: Some("parsing".into()),
                until: day("2120-01-02"),
                ..Filter::default()
            },
            form(What::History, Format::Jsonl),
        ),
        (
            "json",
            "events",
            vec![
                "--origin", "local", "--named", "full", "--status", "finished", "--phase", "end",
            ],
            Filter {
                origin: Some("local".into()),
                named: Some("full".into()),
                status: Some(RunStatus::Finished),
                phase: Some("end".into()),
                ..Filter::default()
            },
            form(What::Events, Format::Json),
        ),
        (
            "md",
            "events",
            vec!["--text", "detect", "--node", "DETECT"],
            Filter {
                text: Some("detect".into()),
                node: Some("DETECT".into()),
                ..Filter::default()
            },
            form(What::Events, Format::Md),
        ),
        (
            "bundle",
            "postings",
            vec!["--posting", &id],
            Filter {
                posting: id.parse().ok(),
                ..Filter::default()
            },
            ExportForm {
                kind: ExportKind::Bundle,
                ..form(What::Postings, Format::Csv)
            },
        ),
    ];
    let engine = Engine::open(ghostlight.data.path(), Arc::new(Quiet), Hooks::default()).unwrap();
    for (n, (format, what, args, filter, form)) in cases.into_iter().enumerate() {
        let (ours, theirs) = (path(&format!("{n}.cli")), path(&format!("{n}.window")));
        let mut all = vec!["--format", format, "--what", what];
        all.extend(&args);
        let done = export(&ghostlight, &all, &ours);
        assert_eq!(done.code, 0, "{done:?}");
        let command = StartExport {
            export: ExportForm { filter, ..form },
            path: theirs.to_str().unwrap().to_owned(),
            overwrite: false,
        };
        engine.handle(command).unwrap();
        let begun = Instant::now();
        while !theirs.exists() {
            assert!(begun.elapsed() < Duration::from_secs(30), "{all:?}");
            std::thread::yield_now();
        }
        let (ours, theirs) = (fs::read(&ours).unwrap(), fs::read(&theirs).unwrap());
        assert!(ours.len() > 40, "{all:?}");
        // But for the moment at which it was made.
        assert_eq!(timeless(&ours), timeless(&theirs), "{all:?}");
    }
}

/// A host without a window.
struct Quiet;

impl Host for Quiet {}

fn form(what: What, format: Format) -> ExportForm {
    ExportForm {
        kind: ExportKind::Table(what, format),
        filter: Filter::default(),
        fields: Vec::new(),
        limit: None,
        bom: false,
        guard: true,
    }
}

/// Without the moment of a file's making.
fn timeless(file: &[u8]) -> Vec<u8> {
    let Ok(text) = std::str::from_utf8(file) else {
        return file.to_vec();
    };
    let mut out = text.to_owned();
    for mark in ["\"exported_at\":\"", "rows, exported "] {
        if let Some(at) = text.find(mark) {
            let from = at + mark.len();
            out.replace_range(from..from + "2026-01-05T08:30:00.000Z".len(), "");
        }
    }
    out.into_bytes()
}
