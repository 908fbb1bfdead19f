//! `archive`: old history into files and back, as a script sees it.

use crate::program::{Done, Ghostlight, fixture};
use serde_json::{Value, json};
use std::{fs, path::PathBuf};

/// A posting that was edited often.
fn edited() -> (Ghostlight, String) {
    let ghostlight = Ghostlight::new();
    let (done, objects) = ghostlight.analyze(&fixture("full.html"));
    assert_eq!(done.code, 0, "{done:?}");
    let id = objects[0]["posting_id"].as_str().unwrap().to_owned();
    for n in 0..12 {
        let set = format!("title=Lamp Keeper {n}");
        let done = ghostlight.run(&["edit", &id, &set, "--message", "again"]);
        assert_eq!(done.code, 0, "{done:?}");
    }
    (ghostlight, id)
}

/// What is asked of a history: all of it, two old versions, an export, a bundle's counts.
fn asked(ghostlight: &Ghostlight, id: &str) -> Vec<String> {
    let bundle = ghostlight.data.path().join("out.zip");
    let bundle = bundle.to_str().unwrap();
    let table = ghostlight.data.path().join("out.jsonl");
    let table = table.to_str().unwrap();
    let mut answers = Vec::new();
    for args in [
        &["log", id, "--json"][..],
        &["log", id, "--field", "title", "--json"],
        &["log", id, "--json", "--compare", "3", "7"],
        &[
            "export",
            "--format",
            "jsonl",
            "--what",
            "history",
            "-o",
            table,
            "--overwrite",
            "--json",
        ],
        &[
            "export",
            "--format",
            "bundle",
            "-o",
            bundle,
            "--overwrite",
            "--json",
        ],
    ] {
        let done = ghostlight.run(args);
        assert_eq!(done.code, 0, "{args:?}: {done:?}");
        answers.push(without_sizes(&done));
    }
    answers.push(fs::read_to_string(table).unwrap());
    let verified = ghostlight.run(&["verify", bundle, "--json"]);
    assert_eq!(verified.code, 0, "{verified:?}");
    answers.push(verified.out);
    answers
}

/// A bundle's bytes differ from one to the next: its manifest says when it was made.
fn without_sizes(done: &Done) -> String {
    let mut objects = done.objects();
    for object in &mut objects {
        if let Some(object) = object.as_object_mut() {
            object.remove("bytes");
        }
    }
    json!(objects).to_string()
}

fn one(ghostlight: &Ghostlight, args: &[&str]) -> Value {
    let done = ghostlight.run(&[args, &["--json"]].concat());
    assert_eq!(done.code, 0, "{done:?}");
    done.objects().remove(0)
}

fn file_of(ghostlight: &Ghostlight) -> (String, PathBuf) {
    let name = one(ghostlight, &["archive", "--list"])["file"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = ghostlight.data.path().join("archive").join(&name);
    (name, path)
}

#[test]
fn old_history_goes_into_a_file_and_comes_back() {
    let (ghostlight, id) = edited();
    let before = asked(&ghostlight, &id);
    for days in ["30", "4294967295"] {
        let young = one(&ghostlight, &["archive", "--older-than", days]);
        assert_eq!(
            (&young["versions"], &young["files"]),
            (&json!(0), &json!(0))
        );
    }
    let look = one(
        &ghostlight,
        &[
            "archive",
            "--older-than",
            "0",
            "--posting",
            &id,
            "--dry-run",
        ],
    );
    assert_eq!((&look["versions"], &look["kept"]), (&json!(11), &json!(2)));
    assert_eq!(look["dry_run"], true);
    assert!(look["bytes"].as_u64().unwrap() > 1_000, "{look}");
    assert_eq!(ghostlight.run(&["archive", "--list"]).out, "");
    let said = ghostlight.run(&["archive", "--before", "2999-01-01", "--dry-run"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(
        said.out.contains("11 versions would go") && said.out.contains("nothing was changed"),
        "{said:?}"
    );
    let done = one(
        &ghostlight,
        &["archive", "--older-than", "0", "--posting", &id],
    );
    assert_eq!(done["what"], "archive");
    assert_eq!((&done["versions"], &done["files"]), (&json!(11), &json!(1)));
    assert_eq!(
        (&done["kept"], &done["compacted"]),
        (&json!(2), &json!(true))
    );
    let listed = one(&ghostlight, &["archive", "--list"]);
    assert_eq!(listed["versions"], 11);
    assert!(file_of(&ghostlight).1.is_file());
    assert_eq!(asked(&ghostlight, &id), before, "archived");
    assert_eq!(ghostlight.healthy()["archives"], json!([]));
    let rebuilt = one(&ghostlight, &["doctor", "--rebuild"]);
    assert_eq!(rebuilt["rebuilt"]["drift"], false);
    // An old version is brought back over the file, and undone.
    let back = ghostlight.run(&["edit", &id, "--restore", "3"]);
    assert_eq!(back.code, 0, "{back:?}");
    let undone = ghostlight.run(&["edit", &id, "--undo"]);
    assert_eq!(undone.code, 0, "{undone:?}");
    let now = asked(&ghostlight, &id);
    let back = one(&ghostlight, &["archive", "--restore"]);
    assert_eq!(
        (&back["what"], &back["versions"]),
        (&json!("restore"), &json!(11))
    );
    assert_eq!(asked(&ghostlight, &id), now, "brought back");
    let nothing = ghostlight.run(&["archive", "--list"]);
    assert_eq!((nothing.code, nothing.out.as_str()), (0, ""));
    assert_eq!(
        fs::read_dir(ghostlight.data.path().join("archive"))
            .unwrap()
            .count(),
        1,
        "the lock"
    );
}

#[test]
fn it_is_said_in_sentences() {
    let (ghostlight, _) = edited();
    let done = ghostlight.run(&["archive", "--before", "2999-01-01", "--no-compact"]);
    assert_eq!((done.code, done.out.as_str()), (0, ""), "{done:?}");
    assert!(
        done.err
            .contains("11 versions archived in 1 file; 2 old versions stay"),
        "{}",
        done.err
    );
    let (name, _) = file_of(&ghostlight);
    let done = ghostlight.run(&["archive", "--list"]);
    assert!(
        done.out.starts_with(&name) && done.out.contains("11 versions from"),
        "{}",
        done.out
    );
    let done = ghostlight.run(&["archive", "--restore", &name]);
    assert!(
        done.err.contains("11 versions brought back out of 1 file;"),
        "{}",
        done.err
    );
    let done = ghostlight.run(&["archive", "--restore", "--quiet"]);
    assert_eq!((done.code, done.err.as_str()), (0, ""));
}

#[test]
fn a_file_at_fault_is_named_with_the_way_out() {
    let (ghostlight, id) = edited();
    one(&ghostlight, &["archive", "--older-than", "0"]);
    let (name, path) = file_of(&ghostlight);
    let kept = fs::read(&path).unwrap();
    fs::write(&path, &kept[..kept.len() - 1]).unwrap();
    let log = ["log", &id, "--json"];
    let way_out = [name.as_str(), "copy of the data folder"];
    ghostlight.run(&log).refused("log", 3, &way_out);
    ghostlight
        .run(&["archive", "--restore"])
        .refused("restore", 3, &way_out);
    let doctor = ghostlight.run(&["doctor", "--rebuild"]);
    doctor.refused(
        "doctor",
        3,
        &[
            "archived history is missing or damaged",
            "Put the archive files",
        ],
    );
    assert!(
        doctor.out.contains(&name) && doctor.out.contains("cut short"),
        "{}",
        doctor.out
    );
    let told = ghostlight.run(&["doctor", "--json"]).objects().remove(0);
    assert_eq!(
        (&told["healthy"], &told["problems"]),
        (&json!(false), &json!([]))
    );
    assert_eq!(told["archives"][0]["file"], name.as_str());
    // The card needs none of it.
    let done = ghostlight.run(&["edit", &id, "title=Lamp Keeper"]);
    assert_eq!(done.code, 0, "{done:?}");
    fs::write(&path, kept).unwrap();
    assert_eq!(ghostlight.run(&log).code, 0);
    ghostlight.healthy();
}

#[test]
fn bad_usage_changes_nothing() {
    let (ghostlight, id) = edited();
    let before = asked(&ghostlight, &id);
    for (args, code, words) in [
        (&["archive"][..], 2, "--older-than"),
        (&["archive", "--older-than", "many"], 2, "many"),
        (&["archive", "--before", "yesterday"], 2, "YYYY-MM-DD"),
        (&["archive", "--older-than", "1", "--list"], 2, "--list"),
        (&["archive", "--restore", "--posting", "x"], 2, "--posting"),
        (
            &["archive", "--older-than", "0", "--posting", "nonsense"],
            2,
            "posting",
        ),
        (
            &["archive", "--restore", "../ghostlight.db"],
            1,
            "../ghostlight.db",
        ),
    ] {
        let done = ghostlight.run(args);
        done.refused(&args.join(" "), code, &[words]);
    }
    assert_eq!(asked(&ghostlight, &id), before);
}

/// What a process leaves that is killed anywhere, is whole.
#[cfg(unix)]
#[test]
fn a_killed_archiving_loses_nothing() {
    use std::process::Stdio;
    let (ghostlight, id) = edited();
    let log = || ghostlight.run(&["log", &id, "--json"]).out;
    let before = log();
    assert!(!before.is_empty());
    for round in 0..12_u64 {
        let args = match round % 2 {
            0 => ["archive", "--older-than", "0"],
            _ => ["archive", "--restore", "--quiet"],
        };
        let mut command = ghostlight.command(&args);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        // From before it has opened the folder until after it has ended; where it dies is no part of the proof.
        std::thread::sleep(std::time::Duration::from_millis(7 * round));
        child.kill().unwrap();
        child.wait().unwrap();
        ghostlight.healthy();
        assert_eq!(log(), before, "round {round}");
    }
    one(&ghostlight, &["archive", "--restore"]);
    assert_eq!(ghostlight.healthy()["archives"], json!([]));
}

/// A history whose archive file is large: texts that cannot be made smaller.
#[cfg(target_os = "linux")]
fn long_texts() -> (Ghostlight, String) {
    let (ghostlight, id) = edited();
    for n in 0..12_u64 {
        // Every byte depends on all before it.
        let mut state = n + 1;
        let text: String = (0..40_000)
            .map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                char::from(b'!' + (state >> 58) as u8)
            })
            .collect();
        let done = ghostlight.run(&["edit", &id, &format!("description={text}")]);
        assert_eq!(done.code, 0, "{done:?}");
    }
    (ghostlight, id)
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_fills_up_under_an_archive_file_loses_nothing() {
    let (ghostlight, id) = long_texts();
    let before = asked(&ghostlight, &id);
    let folder = ghostlight.data.path().join("archive");
    fs::create_dir(&folder).unwrap();
    // The archive files do not fit.
    let args = ["archive", "--older-than", "0"];
    let Some(done) = ghostlight.run_on_small_disk(&folder, 128, &args) else {
        return;
    };
    done.refused(
        "full",
        3,
        &["writing.partial", "the disk is full", "Free some space"],
    );
    let left = folder.with_extension("left");
    assert_eq!(fs::read_to_string(&left).unwrap(), "lock\n", "no half file");
    fs::remove_file(left).unwrap();
    assert_eq!(asked(&ghostlight, &id), before);
    assert_eq!(ghostlight.healthy()["archives"], json!([]));
    // With room it goes.
    let done = one(&ghostlight, &["archive", "--older-than", "0"]);
    assert!(done["versions"].as_u64().unwrap() > 20, "{done}");
    assert_eq!(asked(&ghostlight, &id), before);
}
