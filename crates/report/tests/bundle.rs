//! Bundles: the same pieces back, the same bytes each time, and every kind of damage refused, naming the entry.
#![allow(clippy::unwrap_used)]

use ghostlight_model::{
    CaptureId, CommitId, ContentHash, Micros, PostingId, RunId,
    bundle::{
        BranchPiece, BranchesPiece, CapturePiece, CommitPiece, EventPiece, Piece, PostingPiece,
        StreamPiece,
    },
    commit::{AuthorId, Clock, Commit, Purpose},
    ids::{Epoch, Offset},
};
use ghostlight_report::{
    Cancel, Failed, FileError, Progress, Target, Watch,
    bundle::{BundleError, Counts, Reader, Stop, look, write},
};
use std::{
    fs::{self, File},
    io::{Read, Write},
    path::{Path, PathBuf},
};
use tempfile::TempDir;
use zip::{CompressionMethod, ZipArchive, ZipWriter, write::SimpleFileOptions};

fn sample() -> Vec<Piece> {
    let page = b"<h1>Lamplighter</h1>".repeat(50);
    let text = b"Lamplighter ".repeat(50);
    let (content, visible) = (ContentHash::of_bytes(&page), ContentHash::of_bytes(&text));
    let removed = ContentHash::of_bytes(b"removed");
    let mut capture = CapturePiece {
        id: CaptureId([0; 16]),
        content,
        visible: Some(visible),
        source: Some(removed),
        fetched_at: Micros(7),
        name: "page.html".into(),
        url: None,
        final_url: Some("https://jobs.example/1".into()),
        http_status: Some(200),
        content_type: None,
    };
    capture.id = capture.computed_id();
    let posting = PostingId([1; 16]);
    let commit = Commit {
        posting,
        parents: vec![],
        author: AuthorId("person-1".into()),
        clock: Clock {
            wall: Micros(9),
            counter: 0,
        },
        message: "why".into(),
        changes: vec![],
        purpose: Purpose::Plain,
        settled: vec![],
    };
    let branches = branches(commit.id());
    let run = RunId("01RUN".into());
    let body = r#"{"ts":5,"run_id":"01RUN","node":"FETCH","phase":"start","own":"kept \u00e9"}"#;
    vec![
        Piece::Content(removed, None),
        Piece::Content(content, Some(page)),
        Piece::Content(visible, Some(text)),
        Piece::Capture(capture),
        Piece::Posting(PostingPiece {
            posting,
            keys: vec!["url:https://jobs.example/1".into()],
        }),
        Piece::Stream(StreamPiece {
            run: run.clone(),
            epoch: Epoch(5),
        }),
        Piece::Event(EventPiece {
            run,
            offset: Offset(0),
            body: body.into(),
        }),
        Piece::Commit(Box::new(CommitPiece {
            id: commit.id(),
            key: Some("k".into()),
            commit,
        })),
        Piece::Branches(branches),
    ]
}

/// Two branches of the sample's posting, the other one checked out.
fn branches(head: CommitId) -> BranchesPiece {
    let branch = |name: &str| BranchPiece {
        name: name.into(),
        head,
        created: Micros(9),
    };
    BranchesPiece {
        posting: PostingId([1; 16]),
        checkout: "try".into(),
        branches: vec![branch("main"), branch("try")],
    }
}

fn make(path: &Path, pieces: Vec<Piece>) -> Counts {
    let target = Target {
        path: path.to_owned(),
        overwrite: false,
    };
    let mut watch = Watch {
        cancel: &Cancel::default(),
        progress: &mut |_| {},
    };
    let pour = |take: &mut dyn FnMut(Piece) -> std::ops::ControlFlow<()>| {
        let _ = pieces.into_iter().try_for_each(take);
        Ok::<(), String>(())
    };
    write(&target, "0.1.0", 1, &mut watch, pour).unwrap().1
}

/// A sound bundle in a folder of its own.
fn made() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.zip");
    make(&path, sample());
    (folder, path)
}

fn verify(path: &Path) -> Result<Counts, BundleError> {
    Reader::open(path)?.verify()
}

/// All pieces of a bundle that is sound.
fn pieces(reader: &mut Reader) -> Result<Vec<Piece>, Stop<String>> {
    let mut found = Vec::new();
    reader.pieces(&mut |piece| {
        found.push(piece);
        Ok(())
    })?;
    Ok(found)
}

/// The entries of a zip, in order.
fn entries(path: &Path) -> Vec<(String, Vec<u8>)> {
    let mut zip = ZipArchive::new(File::open(path).unwrap()).unwrap();
    let read = |index| {
        let mut entry = zip.by_index(index).unwrap();
        let (mut bytes, name) = (Vec::new(), entry.name().unwrap().into_owned());
        entry.read_to_end(&mut bytes).unwrap();
        (name, bytes)
    };
    (0..ZipArchive::new(File::open(path).unwrap()).unwrap().len())
        .map(read)
        .collect()
}

fn zipped(path: &Path, entries: &[(String, Vec<u8>)]) {
    let mut zip = ZipWriter::new(File::create(path).unwrap());
    for (name, bytes) in entries {
        let options = SimpleFileOptions::DEFAULT.compression_method(CompressionMethod::Deflated);
        zip.start_file(name, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap();
}

#[test]
fn pieces_come_back_and_bytes_are_always_the_same() {
    let (folder, path) = made();
    let mut reader = Reader::open(&path).unwrap();
    let counts = reader.verify().unwrap();
    assert_eq!((counts.contents, counts.events, counts.commits), (3, 1, 1));
    assert_eq!((counts.branches, counts.total()), (2, 10));
    assert_eq!((reader.counts(), reader.made_by()), (counts, "0.1.0"));
    assert_eq!(pieces(&mut reader).unwrap(), sample());
    let again = folder.path().join("b.zip");
    make(&again, sample());
    assert_eq!(fs::read(&path).unwrap(), fs::read(&again).unwrap());
    make(&folder.path().join("empty.zip"), vec![]);
    assert_eq!(
        verify(&folder.path().join("empty.zip")),
        Ok(Counts::default())
    );
}

#[test]
fn an_entry_that_was_changed_is_named() {
    let (folder, path) = made();
    let sound = entries(&path);
    let changed = folder.path().join("changed.zip");
    for n in 0..sound.len() {
        let name = sound[n].0.clone();
        let mut others = sound.clone();
        let middle = others[n].1.len() / 2;
        others[n].1[middle] ^= 1;
        zipped(&changed, &others);
        let refused = verify(&changed).unwrap_err().to_string();
        // In the manifest, a changed hash makes the entry it is of the wrong one.
        assert!(
            refused.contains(&name) || name == "manifest.json",
            "{name}: {refused}"
        );
        // Longer and shorter.
        for grow in [true, false] {
            let mut others = sound.clone();
            match grow {
                true => others[n].1.push(b'\n'),
                false => others[n].1.truncate(middle),
            }
            zipped(&changed, &others);
            let refused = verify(&changed);
            assert!(
                refused.is_err() || (name == "manifest.json" && grow),
                "{name} {grow}"
            );
            if let Err(refused) = refused {
                assert!(refused.to_string().contains(&name), "{name}: {refused}");
            }
        }
        // Missing.
        let mut others = sound.clone();
        others.remove(n);
        zipped(&changed, &others);
        let refused = verify(&changed).unwrap_err().to_string();
        assert!(refused.contains(&name), "{name}: {refused}");
    }
}

#[test]
fn no_changed_byte_goes_unseen_where_it_matters() {
    let (folder, path) = made();
    let bytes = fs::read(&path).unwrap();
    let damaged = folder.path().join("damaged.zip");
    let sound: Vec<Piece> = sample();
    for at in (0..bytes.len()).step_by(3) {
        let mut other = bytes.clone();
        other[at] ^= 0x55;
        fs::write(&damaged, &other).unwrap();
        // Times and rights of entries are not a part of what is taken over: either it is refused or it is the same.
        let Ok(mut reader) = Reader::open(&damaged) else {
            continue;
        };
        if let Ok(found) = pieces(&mut reader) {
            assert_eq!(found, sound, "byte {at}");
        }
    }
}

#[test]
fn a_file_cut_anywhere_is_refused_and_says_where() {
    let (folder, path) = made();
    let bytes = fs::read(&path).unwrap();
    let cut = folder.path().join("cut.zip");
    for length in 0..bytes.len() {
        fs::write(&cut, &bytes[..length]).unwrap();
        let refused = verify(&cut).unwrap_err();
        match &refused {
            BundleError::NoBundle { .. } => assert!(length < 600, "{length}: {refused}"),
            BundleError::CutShort { entry, .. } => assert!(!entry.is_empty(), "{length}"),
            other => panic!("{length}: {other}"),
        }
    }
    fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    assert!(verify(&cut).unwrap_err().to_string().contains("at entry"));
}

#[test]
fn bytes_beside_a_bundle_are_refused_and_named() {
    let (folder, path) = made();
    let sound = fs::read(&path).unwrap();
    let other = folder.path().join("other.zip");
    let refused = |bytes: &[u8]| {
        fs::write(&other, bytes).unwrap();
        verify(&other).unwrap_err().to_string()
    };
    // Also so many that no reader looks for the archive's end behind them, and some that look like another end.
    for foreign in [
        vec![b'x'],
        b"#!/bin/sh\n".to_vec(),
        vec![0; 200_000],
        sound.clone(),
    ] {
        let count = foreign.len();
        let before = refused(&[&foreign[..], &sound].concat());
        let behind = refused(&[&sound[..], &foreign].concat());
        assert!(before.contains("other.zip"), "{before}");
        if foreign != sound {
            let words =
                format!("{count} bytes that are no part of the bundle stand behind its end");
            assert!(behind.contains(&words), "{behind}");
            let words = format!("{count} bytes that are no part of the bundle stand before");
            assert!(before.contains(&words), "{before}");
        }
    }
    // A comment is such bytes as well, though the archive knows of it.
    let mut commented = sound.clone();
    let length = commented.len();
    commented[length - 2] = 4;
    commented.extend_from_slice(b"more");
    assert!(refused(&commented).contains("4 bytes"));
    fs::write(&other, &sound).unwrap();
    verify(&other).unwrap();
}

#[test]
fn what_is_not_ours_is_refused() {
    let (folder, path) = made();
    let other = folder.path().join("other.zip");
    fs::write(&other, "no zip at all").unwrap();
    assert!(matches!(verify(&other), Err(BundleError::NoBundle { .. })));
    assert!(matches!(
        verify(&folder.path().join("nothing")),
        Err(BundleError::Unreadable { .. })
    ));
    assert!(matches!(
        verify(folder.path()),
        Err(BundleError::Unreadable { .. })
    ));
    zipped(&other, &[("readme.txt".into(), b"hello".to_vec())]);
    let refused = verify(&other).unwrap_err();
    assert!(
        matches!(refused, BundleError::NoBundle { .. })
            && refused.to_string().contains("manifest.json"),
        "{refused}"
    );
    let edited = |from: &str, to: &str| {
        let mut all = entries(&path);
        let manifest = all
            .iter_mut()
            .find(|(name, _)| name == "manifest.json")
            .unwrap();
        let text = String::from_utf8(manifest.1.clone()).unwrap();
        assert!(text.contains(from), "{from}");
        manifest.1 = text.replacen(from, to, 1).into_bytes();
        zipped(&other, &all);
        verify(&other).unwrap_err()
    };
    assert!(matches!(
        edited("ghostlight-bundle", "else"),
        BundleError::NoBundle { .. }
    ));
    assert!(matches!(
        edited("\"version\": 2", "\"version\": 3"),
        BundleError::Newer {
            found: 3,
            supported: 2,
            ..
        }
    ));
    assert!(
        edited("\"version\": 2", "\"version\": \"x\"")
            .to_string()
            .contains("manifest.json")
    );
    assert!(
        edited("\"events\": 1", "\"events\": 2")
            .to_string()
            .contains("its counts")
    );
    assert!(
        edited("commits.jsonl", "more.jsonl")
            .to_string()
            .contains("more.jsonl")
    );
    assert!(edited("{", "").to_string().contains("manifest.json"));
}

#[test]
fn a_bundle_of_the_first_format_has_no_branches_and_is_read() {
    let (folder, path) = made();
    let older = folder.path().join("older.zip");
    let mut all = entries(&path);
    let manifest = all.last_mut().unwrap();
    let mut value: serde_json::Value = serde_json::from_slice(&manifest.1).unwrap();
    value["version"] = 1.into();
    manifest.1 = serde_json::to_vec(&value).unwrap();
    zipped(&older, &all);
    let refused = verify(&older).unwrap_err().to_string();
    assert!(
        refused.contains("branches.jsonl: a bundle has no such"),
        "{refused}"
    );
    // As it was written then.
    value["counts"].as_object_mut().unwrap().remove("branches");
    let listed = value["entries"].as_array_mut().unwrap();
    listed.retain(|entry| entry["name"] != "branches.jsonl");
    all.last_mut().unwrap().1 = serde_json::to_vec(&value).unwrap();
    all.retain(|(name, _)| name != "branches.jsonl");
    zipped(&older, &all);
    let mut reader = Reader::open(&older).unwrap();
    let mut wanted = sample();
    wanted.pop();
    assert_eq!(pieces(&mut reader).unwrap(), wanted);
}

#[test]
fn branches_that_cannot_be_are_refused_with_their_line() {
    type Change = fn(&mut BranchesPiece);
    let faults: [(Change, &str); 6] = [
        (
            |b| b.branches[0].name = "-x".into(),
            "cannot be a branch's name",
        ),
        (
            |b| b.branches[0].name = "try".into(),
            "\"try\" is there twice",
        ),
        (
            |b| b.branches[0].created = Micros(i64::MAX),
            "a time that is none",
        ),
        (|b| b.checkout = "else".into(), "none of its branches"),
        (|b| b.branches.clear(), "none of its branches"),
        (
            |b| b.branches = vec![b.branches[0].clone(); 101],
            "101 branches; it may have 100",
        ),
    ];
    let folder = tempfile::tempdir().unwrap();
    for (n, (change, words)) in faults.into_iter().enumerate() {
        let mut all = sample();
        let Some(Piece::Branches(branches)) = all.last_mut() else {
            panic!("the branches come last");
        };
        change(branches);
        let path = folder.path().join(format!("{n}.zip"));
        make(&path, all);
        let refused = verify(&path).unwrap_err().to_string();
        assert!(
            refused.contains("entry branches.jsonl: line 1: ") && refused.contains(words),
            "{words}: {refused}"
        );
    }
}

#[test]
fn what_a_taker_refuses_is_told_with_its_entry() {
    let (_folder, path) = made();
    let mut reader = Reader::open(&path).unwrap();
    let mut refuse = |wanted: fn(&Piece) -> bool| {
        let stopped = reader.pieces(&mut |piece| match wanted(&piece) {
            true => Err("no"),
            false => Ok(()),
        });
        match stopped.unwrap_err() {
            Stop::Taker {
                error: "no",
                entry,
                line,
            } => (entry, line),
            other => panic!("{other:?}"),
        }
    };
    let (entry, line) = refuse(|piece| matches!(piece, Piece::Content(_, None)));
    assert_eq!((entry.as_str(), line), ("manifest.json", None));
    let (entry, line) = refuse(|piece| matches!(piece, Piece::Content(_, Some(_))));
    assert!(entry.starts_with("content/") && line.is_none(), "{entry}");
    let (entry, line) = refuse(|piece| matches!(piece, Piece::Branches(_)));
    assert_eq!((entry.as_str(), line), ("branches.jsonl", Some(1)));
}

#[test]
fn names_that_lead_away_or_are_not_listed_are_refused() {
    let (folder, path) = made();
    let other = folder.path().join("other.zip");
    for name in [
        "../../etc/passwd",
        "/etc/passwd",
        "a/../../b",
        "C:\\x",
        "..\\x",
        "content/../x",
    ] {
        let mut all = entries(&path);
        all.push((name.to_owned(), b"x".to_vec()));
        zipped(&other, &all);
        let refused = verify(&other).unwrap_err().to_string();
        assert!(refused.contains("leads out"), "{name}: {refused}");
    }
    let mut all = entries(&path);
    all.push(("content/extra".to_owned(), b"x".to_vec()));
    zipped(&other, &all);
    let refused = verify(&other).unwrap_err().to_string();
    assert!(
        refused.contains("content/extra") && refused.contains("does not name it"),
        "{refused}"
    );
}

#[test]
fn a_bomb_is_refused_before_it_is_unpacked() {
    let (folder, path) = made();
    let bomb = folder.path().join("bomb.zip");
    let mut zip = ZipWriter::new(File::create(&bomb).unwrap());
    for (name, bytes) in entries(&path) {
        zip.start_file(name, SimpleFileOptions::DEFAULT).unwrap();
        zip.write_all(&bytes).unwrap();
    }
    let options = SimpleFileOptions::DEFAULT.compression_method(CompressionMethod::Deflated);
    zip.start_file(format!("content/{}", "0".repeat(64)), options)
        .unwrap();
    let zeros = vec![0; 1 << 20];
    for _ in 0..300 {
        zip.write_all(&zeros).unwrap();
    }
    zip.finish().unwrap();
    let refused = verify(&bomb).unwrap_err();
    assert!(
        matches!(&refused, BundleError::Bomb { entry, .. } if entry.starts_with("content/000")),
        "{refused}"
    );
    // One whose index lies about the size is stopped while it is read.
    let small = folder.path().join("small.zip");
    let mut all = entries(&path);
    let at = all
        .iter()
        .position(|(name, _)| name == "commits.jsonl")
        .unwrap();
    all[at].1.extend(vec![b' '; 1 << 20]);
    zipped(&small, &all);
    let refused = verify(&small).unwrap_err().to_string();
    assert!(refused.contains("commits.jsonl"), "{refused}");
}

#[test]
fn cancelled_or_refused_it_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.zip");
    let cancel = Cancel::default();
    let mut progress = |_| cancel.cancel();
    let mut watch = Watch {
        cancel: &cancel,
        progress: &mut progress,
    };
    let target = Target {
        path: path.clone(),
        overwrite: false,
    };
    let many = |take: &mut dyn FnMut(Piece) -> std::ops::ControlFlow<()>| {
        let _ = (0..10_000)
            .map(|n: u32| {
                let bytes = n.to_le_bytes().to_vec();
                Piece::Content(ContentHash::of_bytes(&bytes), Some(bytes))
            })
            .try_for_each(take);
        Ok::<(), String>(())
    };
    assert_eq!(
        write(&target, "0.1.0", 1, &mut watch, many),
        Err(Failed::Cancelled)
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    fs::write(&path, "before").unwrap();
    let mut watch = Watch {
        cancel: &Cancel::default(),
        progress: &mut |_| {},
    };
    let refused = write(&target, "0.1.0", 1, &mut watch, many);
    assert_eq!(
        refused,
        Err(Failed::File(FileError::Exists { path: path.clone() }))
    );
    let mut watch = Watch {
        cancel: &Cancel::default(),
        progress: &mut |_| {},
    };
    let over = Target {
        overwrite: true,
        ..target
    };
    let failed = write(&over, "0.1.0", 1, &mut watch, |_| {
        Err("the store went away".to_owned())
    });
    assert_eq!(
        failed,
        Err(Failed::Source("the store went away".to_owned()))
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), "before");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn progress_follows_the_bytes_of_a_page_and_stops_within_it() {
    // What cannot be packed.
    let noise = |n: u32| (n.wrapping_mul(2_654_435_761) >> 24) as u8;
    let page: Vec<u8> = (0..4_u32 << 20).map(noise).collect();
    let folder = tempfile::tempdir().unwrap();
    let target = Target {
        path: folder.path().join("a.zip"),
        overwrite: false,
    };
    let total = page.len() as u64;
    let hash = ContentHash::of_bytes(&page);
    let run = |cancel: &Cancel, progress: &mut dyn FnMut(Progress)| {
        let mut watch = Watch { cancel, progress };
        let piece = Piece::Content(hash, Some(page.clone()));
        let pour = |take: &mut dyn FnMut(Piece) -> std::ops::ControlFlow<()>| {
            let _ = take(piece);
            Ok::<(), String>(())
        };
        write(&target, "0.1.0", total, &mut watch, pour)
    };
    for tenth in 0..=10 {
        let (cancel, mut at) = (Cancel::default(), None);
        let stopped = run(&cancel, &mut |now| {
            if now.rows * 10 >= total * tenth && at.is_none() {
                cancel.cancel();
                at = Some(now.rows);
            }
        });
        assert_eq!(stopped, Err(Failed::Cancelled), "{tenth}");
        // Not much later than it was to be.
        let at = at.unwrap();
        assert!(at * 100 <= total * (tenth * 10 + 4), "{tenth}: {at}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
    let mut told = Vec::new();
    run(&Cancel::default(), &mut |now| told.push(now.rows)).unwrap();
    assert!(told.len() > 50 && told.is_sorted(), "{told:?}");
    assert_eq!((told[0], told.last()), (0, Some(&total)));
}

#[test]
fn how_large_it_would_be_is_what_it_is() {
    let (_folder, path) = made();
    let look_at = |bytes_max: u64| {
        let pour = |take: &mut dyn FnMut(Piece) -> std::ops::ControlFlow<()>| {
            let _ = sample().into_iter().try_for_each(take);
            Ok::<(), String>(())
        };
        look("0.1.0", bytes_max, pour).unwrap()
    };
    let all = look_at(1 << 20);
    assert!(all.whole, "{all:?}");
    assert_eq!(all.packed, fs::metadata(&path).unwrap().len());
    let some = look_at(100);
    assert!(!some.whole && some.packed < all.packed, "{some:?}");
}
