//! Old history in compressed files (SPEC E6): no answer changes, all of it comes back byte for byte, and whatever breaks
//! off, nothing is lost.
#![allow(clippy::unwrap_used)]

mod support;

use ghostlight_model::{
    CommitId, FieldKey, FieldValue, Micros, PostingId,
    bundle::Piece,
    commit::{AuthorId, Commit},
    export::Filter,
};
use ghostlight_store::{
    ARCHIVE_FOLDER, ArchiveOrder, ArchiveProgress, ArchiveStep, Archived, Branch, DATABASE,
    NewBranch, OpenOptions, PersonChange, RestoreRequest, Store, StoreError, TimelineFilter,
    snapshot::{ChangeExport, ChangePlace, Snapshot},
};
use rusqlite::Connection;
use std::{
    fs,
    ops::ControlFlow,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};
use support::*;

const MINUTE: i64 = 60_000_000;
/// When everything is old.
const LATER: i64 = DAY + 100_000 * MINUTE;

fn author(n: usize) -> AuthorId {
    AuthorId(format!("person-{n}"))
}

/// Edits, runs, undos, branches and restores of a few postings; what is declined changes nothing.
fn life(store: &Store, seed: u64, deeds: i64) -> Vec<PostingId> {
    let dice = &mut Dice(seed);
    let postings: Vec<PostingId> = (0..3)
        .map(|n| store.identify(vec![key(n)]).wait().unwrap())
        .collect();
    for at in 0..deeds {
        let posting = postings[dice.below(3)];
        deed(store, posting, dice, at);
    }
    postings
}

fn deed(store: &Store, posting: PostingId, dice: &mut Dice, at: i64) {
    let (now, key) = (Micros(DAY + at * MINUTE), format!("key-{at}"));
    let who = author(dice.below(2));
    match dice.below(10) {
        0..=5 => {
            let fields = [
                FieldKey::Title,
                FieldKey::Company,
                FieldKey::Custom("Team".into()),
            ];
            let words = ["Oriel", "Quill", "Lantern", "Größe 日本 \"quoted\"\n\tline"];
            let value =
                (dice.below(6) > 0).then(|| FieldValue::Text(words[dice.below(4)].repeat(3)));
            let change = decided(posting, fields[dice.below(3)].clone(), value, (&key, now.0));
            let change = PersonChange {
                author: who,
                ..change
            };
            store.commit_change(change).wait().unwrap();
        }
        6 => drop(store.undo(posting, (who, key, now)).wait()),
        7 => {
            let name = ["main", "left"][dice.below(2)].to_owned();
            let new = NewBranch {
                posting,
                name: name.clone(),
                at: None,
                switch: true,
                now,
            };
            if store.create_branch(new).wait().is_err() {
                drop(store.switch_branch(posting, name).wait());
            }
        }
        8 => {
            let all = store.versions(posting).unwrap();
            if !all.is_empty() {
                let request = back_to(posting, all[dice.below(all.len())].0, &key, now);
                drop(store.restore(request).wait());
            }
        }
        _ => {
            let words = ["Oriel", "Quill"][dice.below(2)];
            looked_at(store, posting, &format!("run-{at}"), words, now.0);
        }
    }
}

fn back_to(posting: PostingId, version: CommitId, key: &str, now: Micros) -> RestoreRequest {
    RestoreRequest {
        posting,
        version,
        looked_at: None,
        author: author(1),
        message: "back".into(),
        key: key.into(),
        now,
    }
}

fn order(before: i64) -> ArchiveOrder {
    ArchiveOrder {
        before: Micros(before),
        posting: None,
        now: Micros(LATER),
    }
}

fn go_on(_: ArchiveProgress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn archive(store: &Store, before: i64) -> Archived {
    store.archive(&order(before), &mut go_on).unwrap()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder.join(ARCHIVE_FOLDER)) else {
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> = paths.filter(|path| !path.ends_with("lock")).collect();
    paths.sort();
    paths
}

/// Every answer that rests on what versions say.
#[derive(Debug, PartialEq)]
struct Answers {
    versions: Vec<(CommitId, Commit)>,
    history: Vec<Commit>,
    timelines: Vec<Vec<(CommitId, Commit)>>,
    compared: Vec<Vec<ghostlight_model::history::Difference>>,
    reversals: Vec<String>,
    branches: Vec<Branch>,
    merges: Vec<String>,
    bundle: Vec<Piece>,
    changes: Vec<String>,
}

fn answers(store: &Store, posting: PostingId) -> Answers {
    let versions = store.versions(posting).unwrap();
    let history = store.history(posting, 0, 10_000).unwrap().rows;
    let branches = store.branches(posting).unwrap();
    let filters = [
        TimelineFilter::default(),
        TimelineFilter {
            field: Some(FieldKey::Title),
            ..TimelineFilter::default()
        },
        TimelineFilter {
            author: Some(author(1)),
            before: Some(Micros(DAY + 40 * MINUTE)),
            ..TimelineFilter::default()
        },
    ];
    let page = |filter| store.timeline(posting, filter, (0, 10_000)).unwrap().rows;
    let ids: Vec<CommitId> = history.iter().map(Commit::id).collect();
    let pairs = ids.iter().zip(ids.iter().rev().step_by(2)).take(40);
    Answers {
        timelines: filters.iter().map(page).collect(),
        compared: pairs
            .map(|(a, b)| store.compare(posting, *a, *b).unwrap())
            .collect(),
        reversals: (0..2)
            .map(|n| format!("{:?}", store.reversals(posting, &author(n)).unwrap()))
            .collect(),
        merges: branches
            .iter()
            .filter(|branch| !branch.current)
            .map(|branch| format!("{:?}", store.merge_preview(posting, &branch.name)))
            .collect(),
        changes: changes(store, posting),
        versions,
        history,
        branches,
        bundle: bundle_at(&store.snapshot().unwrap(), posting),
    }
}

/// What a bundle of the posting holds.
fn bundle_at(snapshot: &Snapshot, posting: PostingId) -> Vec<Piece> {
    let mut bundle = Vec::new();
    snapshot
        .pieces(&[posting], &mut |piece| {
            bundle.push(piece);
            ControlFlow::Continue(())
        })
        .unwrap();
    bundle
}

/// The rows of a history export.
fn changes(store: &Store, posting: PostingId) -> Vec<String> {
    changes_at(&store.snapshot().unwrap(), posting)
}

fn changes_at(snapshot: &Snapshot, posting: PostingId) -> Vec<String> {
    let filter = Filter {
        posting: Some(posting),
        ..Filter::default()
    };
    let (mut rows, mut after) = (Vec::new(), None::<ChangePlace>);
    loop {
        after = snapshot
            .changes(&filter, after, &mut |change: ChangeExport<'_>| {
                rows.push(format!("{change:?}"));
                ControlFlow::Continue(())
            })
            .unwrap();
        if after.is_none() {
            return rows;
        }
    }
}

fn all_answers(store: &Store, postings: &[PostingId]) -> Vec<Answers> {
    postings.iter().map(|id| answers(store, *id)).collect()
}

#[test]
fn no_answer_changes_and_all_of_it_comes_back_byte_for_byte() {
    for seed in 0..5 {
        let folder = tempfile::tempdir().unwrap();
        // Files that end within a posting's history, and in one case all of it in one.
        let options = OpenOptions {
            archive_versions: [7, 20_000][usize::from(seed == 0)],
            ..OpenOptions::default()
        };
        let store = Store::open_with(folder.path(), options, |_| {}).unwrap();
        let postings = life(&store, seed, 150);
        let before = (all_answers(&store, &postings), dump(folder.path()));
        let done = archive(&store, DAY + 130 * MINUTE);
        assert!(done.versions > 40 && done.kept > 0, "{done:?}");
        assert_eq!(done.files as usize, files(folder.path()).len());
        assert_eq!(all_answers(&store, &postings), before.0, "archived");
        assert_eq!(store.check_archives().unwrap(), []);
        assert_eq!(store.check().unwrap(), Vec::<String>::new());
        assert!(!store.rebuild().wait().unwrap().drift, "read through");
        // The rest too, into a second file.
        let more = archive(&store, LATER);
        assert!(more.versions > 0);
        store.compact().wait().unwrap();
        assert_eq!(all_answers(&store, &postings), before.0, "twice");
        let back = store.bring_back(None, &mut go_on).unwrap();
        assert_eq!(
            (back.files, back.versions),
            (done.files + more.files, done.versions + more.versions)
        );
        assert_eq!(done.files == 1, seed == 0, "{done:?}");
        assert_eq!(dump(folder.path()), before.1, "seed {seed}");
        assert_eq!(files(folder.path()), Vec::<PathBuf>::new());
        assert_eq!(store.archives().unwrap(), []);
    }
}

#[test]
fn life_goes_on_over_archived_history_as_over_any_other() {
    for seed in 10..14 {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let stores = [open(folders[0].path()), open(folders[1].path())];
        let postings = stores.each_ref().map(|store| life(store, seed, 80));
        archive(&stores[1], LATER);
        for (store, postings) in stores.iter().zip(&postings) {
            let dice = &mut Dice(seed + 1);
            for at in 80..160 {
                let posting = postings[dice.below(3)];
                deed(store, posting, dice, at);
            }
        }
        assert_eq!(
            all_answers(&stores[0], &postings[0]),
            all_answers(&stores[1], &postings[1])
        );
        stores[1].bring_back(None, &mut go_on).unwrap();
        let dumps = folders.each_ref().map(|folder| dump(folder.path()));
        assert_eq!(dumps[0], dumps[1], "seed {seed}");
    }
}

#[test]
fn cards_need_no_archive_and_a_posting_is_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let postings = life(&store, 3, 120);
    let card = |store: &Store, id| format!("{:?}", store.posting(id).unwrap());
    let cards: Vec<String> = postings.iter().map(|id| card(&store, *id)).collect();
    let one = ArchiveOrder {
        posting: Some(postings[1]),
        ..order(LATER)
    };
    let done = store.archive(&one, &mut go_on).unwrap();
    let versions = |id| store.history(id, 0, 0).unwrap().total as u64;
    assert_eq!(done.versions + done.kept, versions(postings[1]));
    archive(&store, LATER);
    for path in files(folder.path()) {
        fs::remove_file(path).unwrap();
    }
    // Every posting's card is made anew from what is left in the database.
    for (n, (posting, card_before)) in postings.iter().zip(&cards).enumerate() {
        let branch = store.branches(*posting).unwrap();
        let current = branch.iter().find(|branch| branch.current).unwrap();
        let again = store.switch_branch(*posting, current.name.clone());
        again.wait().unwrap();
        assert_eq!(card(&store, *posting), *card_before, "posting {n}");
    }
    assert_eq!(store.check_archives().unwrap().len(), 2);
}

// ------------------------------------------------------------------ files at fault

/// A store with one archive file, and a version in it.
fn archived() -> (tempfile::TempDir, Store, PostingId, CommitId, PathBuf) {
    archived_as("Title")
}

/// Blocks that were read stay in memory, by the hash of their file: other words are another file.
fn archived_as(title: &str) -> (tempfile::TempDir, Store, PostingId, CommitId, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let posting = store.identify(vec![key(1)]).wait().unwrap();
    for n in 0..30 {
        let value = Some(FieldValue::Text(format!("{title} {n}")));
        let change = decided(
            posting,
            FieldKey::Title,
            value,
            (&format!("k{n}"), DAY + n * MINUTE),
        );
        store.commit_change(change).wait().unwrap();
    }
    let old = store.versions(posting).unwrap()[3].0;
    archive(&store, LATER);
    let path = files(folder.path()).pop().unwrap();
    (folder, store, posting, old, path)
}

#[test]
fn a_file_at_fault_is_named_and_never_believed() {
    type Damage = fn(&Path);
    let damages: [(&str, Damage); 4] = [
        ("missing", |path| fs::remove_file(path).unwrap()),
        ("cut short", |path| {
            let bytes = fs::read(path).unwrap();
            fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
        }),
        ("changed", |path| {
            let mut bytes = fs::read(path).unwrap();
            let at = bytes.len() / 2;
            bytes[at] ^= 1;
            fs::write(path, bytes).unwrap();
        }),
        // As somebody would who knows the format: a sound file that says something else.
        ("changed", |path| {
            use std::io::{Read as _, Write as _};
            let mut text = String::new();
            let packed = fs::read(path).unwrap();
            flate2::bufread::MultiGzDecoder::new(&packed[..])
                .read_to_string(&mut text)
                .unwrap();
            let text = text.replace("Keeper 3", "Keeper 8");
            let mut packing =
                flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            packing.write_all(text.as_bytes()).unwrap();
            fs::write(path, packing.finish().unwrap()).unwrap();
        }),
    ];
    for (n, (word, damage)) in damages.into_iter().enumerate() {
        let title = ["Clerk", "Smith", "Cooper", "Keeper"][n];
        let (folder, store, posting, old, path) = archived_as(title);
        let kept = fs::read(&path).unwrap();
        damage(&path);
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let head = store.branches(posting).unwrap()[0].head;
        for error in [
            store.commit(posting, old).unwrap_err(),
            store.compare(posting, old, head).unwrap_err(),
            store.versions(posting).unwrap_err(),
            store.rebuild().wait().unwrap_err(),
            store.bring_back(None, &mut go_on).unwrap_err(),
        ] {
            assert_eq!(error.code(), "archive", "{word}: {error}");
            assert!(error.to_string().contains(&name), "{error}");
            assert!(error.hint().contains("copy of the data folder"));
        }
        let problems = store.check_archives().unwrap();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].grave && problems[0].file == name);
        assert!(problems[0].what.contains(word), "{problems:?}");
        // What needs none of it goes on, and so does all once the file is back.
        assert!(store.commit(posting, head).unwrap().is_some());
        let next = decided(posting, FieldKey::Company, None, ("next", LATER));
        store.commit_change(next).wait().unwrap();
        drop(store);
        let store = open(folder.path());
        fs::write(&path, kept).unwrap();
        assert!(store.commit(posting, old).unwrap().is_some());
        assert!(!store.rebuild().wait().unwrap().drift);
        assert_eq!(store.check_archives().unwrap(), []);
    }
}

#[test]
fn the_text_of_a_file_is_one_version_a_line() {
    use std::io::Read as _;
    let (_folder, store, posting, old, path) = archived();
    let mut text = String::new();
    let packed = fs::read(path).unwrap();
    flate2::bufread::MultiGzDecoder::new(&packed[..])
        .read_to_string(&mut text)
        .unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("{\"ghostlight_archive\":1}"));
    let records = store.archives().unwrap();
    assert_eq!(lines.clone().count() as u64, records[0].versions);
    for line in lines {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let commit: Commit = serde_json::from_value(line["commit"].clone()).unwrap();
        assert_eq!(line["id"], commit.id().to_string());
        if commit.id() == old {
            assert_eq!(store.commit(posting, old).unwrap(), Some(commit));
        }
    }
}

#[test]
fn one_at_a_time_and_only_what_there_is() {
    let (folder, store, ..) = archived();
    let nothing = archive(&store, LATER);
    assert_eq!((nothing.files, nothing.versions), (0, 0));
    let unknown = ["nothing.jsonl.gz".to_owned()];
    let error = store.bring_back(Some(&unknown), &mut go_on).unwrap_err();
    assert_eq!(error.code(), "not_found");
    let lock = fs::File::create(folder.path().join(ARCHIVE_FOLDER).join("lock")).unwrap();
    lock.lock().unwrap();
    for error in [
        store.archive(&order(LATER), &mut go_on).unwrap_err(),
        store.bring_back(None, &mut go_on).unwrap_err(),
    ] {
        assert_eq!(error.code(), "declined", "{error}");
        assert!(error.to_string().contains("already"));
    }
    drop(lock);
    let named = [store.archives().unwrap()[0].name.clone()];
    let back = store.bring_back(Some(&named), &mut go_on).unwrap();
    assert_eq!(back.files, 1);
}

#[test]
fn whoever_reads_while_it_is_brought_back_reads_on() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let posting = life(&store, 50, 120)[0];
    let wanted = (changes(&store, posting), answers(&store, posting).bundle);
    archive(&store, LATER);
    // Of a moment when the files were there; nothing of them was read before they go.
    let snapshot = store.snapshot().unwrap();
    store.bring_back(None, &mut go_on).unwrap();
    assert_eq!(files(folder.path()), Vec::<PathBuf>::new());
    assert_eq!(changes_at(&snapshot, posting), wanted.0);
    assert_eq!(bundle_at(&snapshot, posting), wanted.1);
    // Archived again meanwhile, into other files.
    let snapshot = {
        archive(&store, LATER);
        store.snapshot().unwrap()
    };
    store.bring_back(None, &mut go_on).unwrap();
    archive(&store, DAY + 100 * MINUTE);
    assert_eq!(changes_at(&snapshot, posting), wanted.0);
}

#[test]
fn a_preview_says_what_would_go_and_changes_nothing() {
    let bodies = |folder: &Path| -> i64 {
        let database = Connection::open(folder.join(DATABASE)).unwrap();
        let sum = "SELECT sum(octet_length(body)) FROM \"commit\"";
        database.query_row(sum, [], |row| row.get(0)).unwrap()
    };
    for which in 0..3 {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path());
        let postings = life(&store, 6, 150);
        let before = dump(folder.path());
        let wanted = match which {
            0 => ArchiveOrder {
                posting: Some(postings[0]),
                ..order(DAY + 70 * MINUTE)
            },
            1 => order(DAY),
            _ => order(LATER),
        };
        let look = store.archive_preview(&wanted, u64::MAX).unwrap();
        assert!(look.whole, "{look:?}");
        // How much is looked at is bounded, and then it says so.
        let all = look.versions + look.kept;
        assert_eq!(store.archive_preview(&wanted, all).unwrap(), look);
        for most in [0, 1, 7].into_iter().filter(|most| *most < all) {
            let part = store.archive_preview(&wanted, most).unwrap();
            assert_eq!((part.whole, part.versions + part.kept), (false, most));
        }
        assert_eq!(dump(folder.path()), before);
        assert!(!folder.path().join(ARCHIVE_FOLDER).exists());
        let whole = bodies(folder.path());
        let done = store.archive(&wanted, &mut go_on).unwrap();
        assert_eq!((done.versions, done.kept), (look.versions, look.kept));
        assert_eq!(
            whole - bodies(folder.path()),
            look.bytes as i64,
            "what went"
        );
        assert_eq!(look.versions > 0, which != 1);
    }
}

#[test]
fn a_wish_to_stop_leaves_what_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    life(&store, 5, 60);
    let before = dump(folder.path());
    let done = store
        .archive(&order(LATER), &mut |_| ControlFlow::Break(()))
        .unwrap();
    assert!(done.stopped && done.files == 0, "{done:?}");
    assert_eq!(dump(folder.path()), before);
    assert_eq!(files(folder.path()), Vec::<PathBuf>::new());
    archive(&store, LATER);
    let back = store
        .bring_back(None, &mut |_| ControlFlow::Break(()))
        .unwrap();
    assert!(back.stopped && back.files == 0);
    assert_eq!(store.archives().unwrap().len(), 1);
}

// ------------------------------------------------------------------ broken off

const CHILD: &str = "GHOSTLIGHT_TEST_ARCHIVES";

/// The process ends at each step; what it leaves is all there is, one way or the other.
#[test]
fn a_process_that_ends_at_any_step_loses_nothing() {
    if let Some(what) = std::env::var_os(CHILD) {
        return end_at_step(what.to_str().unwrap());
    }
    use ArchiveStep::{Gathered, Named, Recorded, Removed, Verified, Written};
    for (forth, step) in [
        (true, Gathered),
        (true, Written),
        (true, Named),
        (true, Verified),
        (true, Recorded),
        (false, Verified),
        (false, Recorded),
        (false, Removed),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path());
        let postings = life(&store, 21, 90);
        let before = (all_answers(&store, &postings), dump(folder.path()));
        if !forth {
            archive(&store, LATER);
        }
        drop(store);
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "a_process_that_ends_at_any_step_loses_nothing"])
            .env(
                CHILD,
                format!("{forth} {} {}", step as u8, folder.path().display()),
            )
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert!(!child.success(), "it ended by itself");
        let store = open(folder.path());
        let case = format!("{forth} {step:?}");
        let archived = !store.archives().unwrap().is_empty();
        let wanted = match forth {
            true => step >= Recorded,
            false => step < Recorded,
        };
        assert_eq!(archived, wanted, "{case}");
        assert_eq!(store.check().unwrap(), Vec::<String>::new(), "{case}");
        let grave = |problem: &ghostlight_store::ArchiveProblem| problem.grave;
        assert!(!store.check_archives().unwrap().iter().any(grave), "{case}");
        assert_eq!(all_answers(&store, &postings), before.0, "{case}");
        assert!(!store.rebuild().wait().unwrap().drift, "{case}");
        // The next one sweeps what is left over.
        archive(&store, LATER);
        assert_eq!(store.check_archives().unwrap(), [], "{case}");
        store.bring_back(None, &mut go_on).unwrap();
        assert_eq!(files(folder.path()), Vec::<PathBuf>::new(), "{case}");
        assert_eq!(dump(folder.path()), before.1, "{case}");
    }
}

fn end_at_step(what: &str) {
    let mut parts = what.splitn(3, ' ');
    let forth = parts.next() == Some("true");
    let step: u8 = parts.next().unwrap().parse().unwrap();
    let store = open(Path::new(parts.next().unwrap()));
    let mut die = |progress: ArchiveProgress| {
        if progress.step as u8 == step {
            // No destructor runs, nothing is flushed: as a kill.
            std::process::abort();
        }
        ControlFlow::Continue(())
    };
    match forth {
        true => drop(store.archive(&order(LATER), &mut die)),
        false => drop(store.bring_back(None, &mut die)),
    }
}

#[test]
fn a_full_disk_loses_nothing_and_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let postings = life(&store, 30, 200);
    let before = (all_answers(&store, &postings), dump(folder.path()));
    archive(&store, LATER);
    store.compact().wait().unwrap();
    drop(store);
    let database = Connection::open(folder.path().join(DATABASE)).unwrap();
    let pages: u32 = database
        .pragma_query_value(None, "page_count", |row| row.get(0))
        .unwrap();
    drop(database);
    // Not a page more than there is: the rows do not fit.
    let options = OpenOptions {
        pages_max: Some(pages),
        ..OpenOptions::default()
    };
    let store = Store::open_with(folder.path(), options, |_| {}).unwrap();
    let error = store.bring_back(None, &mut go_on).unwrap_err();
    assert!(matches!(error, StoreError::DiskFull { .. }), "{error}");
    assert_eq!(store.archives().unwrap().len(), 1, "still archived");
    assert_eq!(store.check_archives().unwrap(), []);
    assert_eq!(all_answers(&store, &postings), before.0);
    drop(store);
    let store = open(folder.path());
    store.bring_back(None, &mut go_on).unwrap();
    assert_eq!(dump(folder.path()), before.1);
}

#[test]
fn a_folder_that_takes_no_file_leaves_everything_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    life(&store, 31, 40);
    let before = dump(folder.path());
    // A file where the folder should be: no user, not even root, can write into it.
    fs::write(folder.path().join(ARCHIVE_FOLDER), "in the way").unwrap();
    let error = store.archive(&order(LATER), &mut go_on).unwrap_err();
    assert!(error.to_string().contains(ARCHIVE_FOLDER), "{error}");
    assert_eq!(dump(folder.path()), before);
}

#[test]
fn a_file_of_somebody_else_is_left_alone() {
    let (folder, store, ..) = archived();
    let other = archived();
    // The same versions, but archived here: nothing says that this file is not needed.
    let foreign = folder.path().join(ARCHIVE_FOLDER).join(
        other
            .4
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .replace(|c: char| c.is_ascii_digit(), "0"),
    );
    fs::write(&foreign, "something").unwrap();
    let back = store.bring_back(None, &mut go_on).unwrap();
    assert_eq!(back.files, 1);
    assert!(foreign.exists());
    let problems = store.check_archives().unwrap();
    assert!(problems.len() == 1 && !problems[0].grave, "{problems:?}");
}
