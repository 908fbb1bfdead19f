//! `edit` and `log`: what a script does with a card's history.

use crate::program::{Done, Ghostlight, fixture};
use serde_json::{Value, json};

struct Posting {
    ghostlight: Ghostlight,
    id: String,
}

impl Posting {
    fn new() -> Self {
        let ghostlight = Ghostlight::new();
        let (done, objects) = ghostlight.analyze(&fixture("full.html"));
        assert_eq!(done.code, 0, "{done:?}");
        let id = objects[0]["posting_id"].as_str().unwrap().to_owned();
        Self { ghostlight, id }
    }

    fn run(&self, verb: &str, args: &[&str]) -> Done {
        let all: Vec<&str> = [&[verb, &self.id][..], args].concat();
        self.ghostlight.run(&all)
    }

    /// `edit --json`, which must succeed.
    #[track_caller]
    fn edit(&self, args: &[&str]) -> Value {
        let done = self.run("edit", &[args, &["--json"][..]].concat());
        assert_eq!(done.code, 0, "{done:?}");
        done.objects().remove(0)
    }

    /// `log --json`, which must succeed.
    #[track_caller]
    fn log(&self, args: &[&str]) -> Vec<Value> {
        let done = self.run("log", &[args, &["--json"][..]].concat());
        assert_eq!(done.code, 0, "{done:?}");
        done.objects()
    }

    /// What the field is now: the last change of its blame on the checked-out branch.
    fn now(&self, field: &str) -> Value {
        let branches = self.log(&["--branches"]);
        let current = branches
            .iter()
            .find(|branch| branch["current"] == true)
            .unwrap();
        let branch = current["name"].as_str().unwrap();
        self.log(&["--field", field, "--branch", branch])[0]["changes"][0]["new"].clone()
    }
}

#[test]
fn an_edit_that_changes_nothing_says_so_and_makes_no_version() {
    let posting = Posting::new();
    let machine = posting.now("company");
    let company = format!("company={}", machine.as_str().unwrap());
    let out = |args: &[&str]| {
        let done = posting.run("edit", args);
        assert_eq!(done.code, 0, "{done:?}");
        (done.out.trim().to_owned(), posting.log(&[]).len())
    };
    // What a machine found and a person says as well is a judgement: once.
    assert_eq!(
        out(&[&company]),
        ("saved 1 of 1 fields; main is at version 2".into(), 2)
    );
    assert_eq!(
        out(&[&company]),
        (
            "nothing changed: company is as you said before; main is at version 2".into(),
            2
        )
    );
    assert_eq!(posting.edit(&[&company])["saved"][0]["commit"], Value::Null);
    assert_eq!(
        out(&[&company, "title=Lamp Keeper"]),
        (
            "saved 1 of 2 fields; company is as you said before; main is at version 3".into(),
            3
        )
    );
    assert_eq!(
        out(&["title=Lamp Keeper", &company]),
        (
            "nothing changed: title, company are as you said before; main is at version 3".into(),
            3
        )
    );
    // Nothing to withdraw is nothing changed either; each outcome is one.
    assert_eq!(out(&["seniority="]).1, 3);
    assert_eq!(out(&["outcome=applied"]).1, 4);
    assert_eq!(
        out(&["outcome=applied"]),
        ("saved 1 of 1 fields; main is at version 5".into(), 5)
    );
}

#[test]
fn fields_are_set_withdrawn_undone_and_redone() {
    let posting = Posting::new();
    let before = posting.log(&[]);
    assert_eq!((before.len(), &before[0]["kind"]), (1, &json!("run")));
    let done = posting.edit(&[
        "title=Lamp Keeper",
        "salary=50-55k EUR / year",
        "--message",
        "they said so",
    ]);
    assert_eq!(
        (&done["version"], &done["branch"]),
        (&json!(3), &json!("main"))
    );
    assert_eq!(done["saved"][1]["value"]["max"], 55_000);
    assert_eq!(done["saved"][1]["warnings"], json!([]));
    let log = posting.log(&[]);
    assert_eq!(log.len(), 3);
    assert_eq!(
        (&log[0]["version"], &log[0]["id"]),
        (&json!(3), &done["head"])
    );
    assert_eq!(
        (&log[0]["author"], &log[0]["message"]),
        (&json!("you"), &json!("they said so"))
    );
    assert_eq!(
        (&log[0]["branches"], &log[1]["branches"]),
        (&json!(["main"]), &json!([]))
    );
    assert_eq!(log[0]["parents"][0], log[1]["id"]);
    // A warning is said and blocks nothing.
    let odd = posting.run("edit", &["salary=48000 EUR / hour"]);
    assert_eq!(odd.code, 0, "{odd:?}");
    assert!(odd.err.contains("above what is usual"), "{odd:?}");
    let undone = posting.edit(&["--undo"]);
    assert_eq!(posting.now("salary")["max"], 55_000);
    let log = posting.log(&[]);
    assert_eq!(
        (&log[0]["kind"], &log[0]["about"]),
        (&json!("undo"), &log[1]["id"])
    );
    assert_eq!(undone["undone"], log[0]["about"]);
    posting.edit(&["--redo"]);
    assert_eq!(posting.now("salary")["period"], "hour");
    posting
        .run("edit", &["--redo"])
        .refused("redo", 1, &["nothing of yours to redo"]);
    posting.edit(&["title="]);
    assert_eq!(posting.now("title"), Value::Null);
    let own = posting.run("edit", &["verdict=ghost", "outcome=applied", "team=Light"]);
    assert!(
        own.err.contains("team is a new field of your own"),
        "{own:?}"
    );
    assert_eq!(posting.now("verdict"), "ghost");
    assert_eq!(posting.now("team"), "Light");
    let (_, objects) = posting.ghostlight.analyze(&fixture("full.html"));
    assert_eq!(objects[0]["posting_id"], posting.id);
    let rebuilt = posting.ghostlight.run(&["doctor", "--rebuild", "--json"]);
    assert_eq!(rebuilt.objects()[0]["rebuilt"]["drift"], false);
}

#[test]
fn a_merge_is_taken_back_to_the_side_that_is_kept() {
    let posting = Posting::new();
    posting.edit(&["title=Lamp Keeper"]);
    posting.edit(&["--branch", "what-if"]);
    let theirs = posting.edit(&["company=Oriel"])["head"].clone();
    posting.edit(&["--switch", "main"]);
    let ours = posting.edit(&["title=Lamp lady"])["head"].clone();
    let before = posting.now("company");
    let merged = posting.edit(&["--merge", "what-if"]);
    let merge = merged["head"].as_str().unwrap();
    assert_eq!(posting.now("company"), "Oriel");
    let back = posting.edit(&["--undo-merge", merge, "--message", "too early"]);
    assert_eq!((&back["undone"], &back["kept"]), (&json!(merge), &ours));
    assert_eq!(posting.now("company"), before);
    assert_eq!(posting.now("title"), "Lamp lady");
    let log = posting.log(&["--branch", "main"]);
    assert_eq!(
        (&log[0]["kind"], &log[0]["about"]),
        (&json!("undo"), &json!(merge))
    );
    posting
        .run("edit", &["--undo-merge", merge])
        .refused("again", 1, &["taken back already"]);
    posting.edit(&["--redo"]);
    assert_eq!(posting.now("company"), "Oriel");
    posting.edit(&["--undo"]);
    assert_eq!(posting.now("company"), before);
    posting.edit(&["--redo"]);
    // Done again it is the latest of their changes.
    posting.edit(&["--undo"]);
    assert_eq!(posting.now("company"), before);
    posting.edit(&["--redo"]);
    // Without its branch nothing says which side went on; whoever knows it says so.
    posting.edit(&["--delete-branch", "what-if"]);
    let theirs = theirs.as_str().unwrap();
    posting
        .run("edit", &["--undo-merge", merge])
        .refused("which", 2, &["--keep", theirs]);
    posting.edit(&["--undo-merge", merge, "--keep", theirs]);
    assert_eq!(posting.now("title"), "Lamp Keeper");
    assert_eq!(posting.now("company"), "Oriel");
}

#[test]
fn an_undo_does_not_pass_a_merge_unseen() {
    let posting = Posting::new();
    posting.edit(&["--branch", "what-if"]);
    posting.edit(&["company=Oriel"]);
    posting.edit(&["--switch", "main"]);
    posting.edit(&["title=Lamp lady"]);
    let before = posting.edit(&["--merge", "what-if"]);
    let number = before["version"].to_string();
    posting.run("edit", &["--undo"]).refused(
        "undo",
        1,
        &[
            &format!("a merge, version {number}, came after your latest change"),
            &format!("--undo-merge {number}"),
            "--past-merge",
        ],
    );
    let branches = posting.log(&["--branches"]);
    let current = branches.iter().find(|branch| branch["current"] == true);
    assert_eq!(current.unwrap()["head"], before["head"], "nothing changed");
    posting
        .run("edit", &["--past-merge"])
        .refused("alone", 2, &["--undo"]);
    // Past it, and with it.
    posting.edit(&["--undo", "--past-merge"]);
    assert_ne!(posting.now("title"), "Lamp lady");
    assert_eq!(posting.now("company"), "Oriel");
    posting.edit(&["--redo"]);
    posting.edit(&["--undo-merge", &number]);
    assert_eq!(posting.now("title"), "Lamp lady");
    posting.edit(&["--undo"]);
    assert_ne!(posting.now("title"), "Lamp lady");
}

#[test]
fn a_branch_that_only_moved_forward_says_how_to_go_back() {
    let posting = Posting::new();
    let before = posting.edit(&["title=Lamp Keeper"]);
    posting.edit(&["--branch", "what-if"]);
    posting.edit(&["title=Wick trimmer"]);
    posting.edit(&["--switch", "main"]);
    let told = posting.run("edit", &["--merge", "what-if"]);
    assert_eq!(told.code, 0, "{told:?}");
    assert!(
        told.out
            .contains("no merge to take back; --restore 2 brings back"),
        "{told:?}"
    );
    posting.run("edit", &["--undo-merge", "3"]).refused(
        "no merge",
        1,
        &["no merge", "restore the version before it"],
    );
    posting.edit(&["--restore", "2"]);
    assert_eq!(posting.now("title"), "Lamp Keeper");
    posting.edit(&["--switch", "what-if"]);
    let forward = posting.edit(&["--merge", "main"]);
    assert_eq!(forward["joined"], false);
    assert_ne!(forward["before"], before["head"]);
}

#[test]
fn branches_are_merged_compared_and_restored() {
    let posting = Posting::new();
    posting.edit(&["title=Lamp Keeper"]);
    let there = posting.edit(&["--branch", "what-if"]);
    assert_eq!(there["branch"], "what-if");
    posting.edit(&["title=Wick trimmer", "company=Oriel"]);
    posting.edit(&["--switch", "main"]);
    assert_eq!(posting.now("title"), "Lamp Keeper");
    posting.edit(&["title=Lamp lady"]);
    let open = posting.run("edit", &["--merge", "what-if", "--json"]);
    open.refused("conflict", 1, &["1 fields are in conflict", "--ours"]);
    let conflict = &open.objects()[0];
    assert_eq!(
        conflict,
        &json!({ "conflict": "title", "ours": "Lamp lady", "theirs": "Wick trimmer", "bases": ["Lamp Keeper"] })
    );
    assert_eq!(
        posting.log(&["--branch", "main"]).len(),
        3,
        "nothing was merged"
    );
    let merged = posting.edit(&["--merge", "what-if", "--set", "title=Lampist"]);
    assert_eq!(
        (&merged["merged"], &merged["joined"]),
        (&json!("what-if"), &json!(true))
    );
    assert_eq!(
        (posting.now("title"), posting.now("company")),
        (json!("Lampist"), json!("Oriel"))
    );
    let log = posting.log(&["--branch", "main"]);
    assert_eq!(
        (&log[0]["kind"], &log[0]["settled"]),
        (&json!("merge"), &json!(["title"]))
    );
    assert_eq!(log[0]["parents"].as_array().unwrap().len(), 2);
    posting
        .run("edit", &["--merge", "what-if"])
        .refused("again", 1, &["nothing to merge"]);

    posting.edit(&["--switch", "what-if"]);
    let forward = posting.edit(&["--merge", "main"]);
    assert_eq!(
        (&forward["joined"], &forward["head"]),
        (&json!(false), &merged["head"])
    );
    posting.edit(&["title=Once more"]);
    posting.edit(&["--switch", "main"]);
    posting.edit(&["title=And again"]);
    posting.edit(&["--merge", "what-if", "--theirs"]);
    assert_eq!(posting.now("title"), "Once more");
    posting.edit(&["--delete-branch", "what-if"]);
    assert_eq!(posting.log(&["--branches"]).len(), 1);

    let all = posting.log(&[]);
    let (first, last) = (&all[all.len() - 1], &all[0]);
    let id = first["id"].as_str().unwrap();
    let differs = posting.log(&["--compare", "1", last["id"].as_str().unwrap()]);
    let fields: Vec<&Value> = differs.iter().map(|line| &line["field"]).collect();
    assert_eq!(fields, ["title", "company"]);
    assert_eq!(differs[0]["after"], "Once more");
    assert_eq!(
        posting.log(&["--compare", "1", &id[..8]]),
        Vec::<Value>::new()
    );
    posting.edit(&["--restore", "1", "--message", "as it was"]);
    assert_eq!(posting.now("title"), differs[0]["before"]);
    posting.run("edit", &["--restore", "1"]).refused(
        "restore",
        1,
        &["just what that version held"],
    );
}

#[test]
fn the_log_can_be_read_and_narrowed() {
    let posting = Posting::new();
    posting.edit(&["title=Lamp Keeper", "--message", "two\nlines"]);
    let text = posting.run("log", &[]);
    assert_eq!(text.code, 0, "{text:?}");
    let first = text.out.lines().next().unwrap();
    assert!(first.trim_start().starts_with("2  "), "{first}");
    for word in ["edit", "you", "[main]", "two lines"] {
        assert!(first.contains(word), "{word} in {first}");
    }
    assert!(text.out.contains("→ Lamp Keeper"), "{}", text.out);
    for (args, count) in [
        (&["--limit", "1"][..], 1),
        (&["--source", "user"], 1),
        (&["--source", "parsing"], 1),
        (&["--author", "you"], 1),
        (&["--field", "title"], 2),
        (&["--field", "title", "--source", "user"], 1),
        (&["--since", "2000-01-01"], 2),
        (&["--branch", "main"], 2),
    ] {
        assert_eq!(posting.log(args).len(), count, "{args:?}");
    }
    for args in [
        &["--until", "2000-01-01"][..],
        &["--author", "Ada"],
        &["--field", "none"],
    ] {
        posting
            .run("log", args)
            .refused("none", 1, &["no version", "filter"]);
    }
    let text = posting.run("log", &["--compare", "1", "2"]);
    assert!(text.out.starts_with("title: "), "{text:?}");
    let text = posting.run("log", &["--branches"]);
    assert!(text.out.starts_with("* main  "), "{text:?}");
}

#[test]
fn what_cannot_be_done_says_why_and_changes_nothing() {
    let posting = Posting::new();
    let before = posting.log(&[]);
    for (args, code, words) in [
        (&["title"][..], 2, &["not FIELD=VALUE"][..]),
        (&["=x"], 2, &["not FIELD=VALUE"]),
        (&[], 2, &["nothing to do"]),
        // None is saved if one cannot be.
        (
            &["title=Baker", "salary=60k-50k EUR"],
            2,
            &["salary", "above the upper amount"],
        ),
        (&["posted_at=soon"], 2, &["not a day"]),
        (&["outcome=vanished"], 2, &["is not one of"]),
        (&["remote=moon"], 2, &["remote, hybrid, onsite"]),
        (&["title=x", "--undo"], 2, &["cannot be used with"]),
        (&["--undo", "--redo"], 2, &["cannot be used with"]),
        (&["--ours"], 2, &["--merge"]),
        (&["--undo"], 1, &["nothing of yours to undo"]),
        (&["--branch", "a b"], 2, &["cannot be a branch's name"]),
        (&["--branch", "x", "--at", "99"], 1, &["no version 99"]),
        (&["--switch", "none"], 1, &["none", "not in the store"]),
        (&["--merge", "none"], 1, &["none", "not in the store"]),
        (&["--merge", "main"], 1, &["checked out"]),
        (&["--delete-branch", "main"], 1, &["stays"]),
        (&["--restore", "abcdef12"], 1, &["no version abcdef12"]),
        (&["--undo-merge", "1"], 1, &["no merge"]),
        (&["--keep", "1"], 2, &["--undo-merge"]),
    ] {
        posting
            .run("edit", args)
            .refused(&format!("{args:?}"), code, words);
    }
    for (args, code, words) in [
        (&["--since", "soon"][..], 2, &["not a day"][..]),
        (&["--source", "me"], 2, &["possible values"]),
        (&["--branch", "none"], 1, &["none"]),
        (&["--compare", "1", "9"], 1, &["no version 9"]),
    ] {
        posting
            .run("log", args)
            .refused(&format!("{args:?}"), code, words);
    }
    assert_eq!(posting.log(&[]), before);
    for (id, code, words) in [
        ("00000000000000000000000000000000", 1, "not in the store"),
        ("https://jobs.example/unknown", 1, "not in the store"),
        ("nonsense", 2, "not a posting id"),
    ] {
        for verb in ["edit", "log"] {
            posting
                .ghostlight
                .run(&[verb, id])
                .refused(id, code, &[words]);
        }
    }
    posting.ghostlight.healthy();
}

#[test]
fn a_postings_life_is_told_latest_first() {
    let posting = Posting::new();
    posting.edit(&["title=Lamp Keeper"]);
    let (done, _) = posting.ghostlight.analyze(&fixture("full.html"));
    assert_eq!(done.code, 0, "{done:?}");
    let life = posting.log(&["--biography"]);
    let types: Vec<&Value> = life.iter().map(|row| &row["type"]).collect();
    assert_eq!(types, ["look", "decision", "look"]);
    assert_eq!(life[0]["text"]["words_added"], 0);
    assert_eq!(life[0]["changes"], json!([]));
    assert_eq!(life[0]["first"], false);
    assert_eq!(life[1]["changes"][0]["new"], "Lamp Keeper");
    assert_eq!(
        (&life[2]["first"], &life[2]["text"]),
        (&json!(true), &Value::Null)
    );
    assert!(life[2]["changes"].as_array().unwrap().len() > 5);
    assert!(life[2]["run_id"].is_string() && life[2]["at"].is_string());
    assert_eq!(posting.log(&["--biography", "--limit", "1"]), life[..1]);
    let told = posting.run("log", &["--biography"]);
    assert_eq!(told.code, 0, "{told:?}");
    let lines: Vec<&str> = told.out.lines().collect();
    assert_eq!(lines.len(), 3, "{told:?}");
    assert!(lines[0].ends_with("look      unchanged"), "{told:?}");
    assert!(lines[1].contains("title: Senior Backend Engineer → Lamp Keeper"));
    assert!(lines[2].contains("first seen; "), "{told:?}");
    posting
        .run("log", &["--biography", "--field", "title"])
        .refused("two views at once", 2, &["--field"]);
}
