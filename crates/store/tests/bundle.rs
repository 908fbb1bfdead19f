//! Everything about postings, out of one store and into another: equal, once, all or nothing, both ends kept.
#![allow(clippy::unwrap_used)]

mod support;

use ghostlight_model::{
    CommitId, ContentHash, FieldKey, FieldValue, Micros, Observation, PostingId, RunId,
    bundle::Piece,
    commit::Clock,
    event::Fact,
    ids::{Epoch, Offset},
};
use ghostlight_store::{Imported, Store, StoreError};
use proptest::prelude::*;
use std::{collections::BTreeSet, ops::ControlFlow};
use support::{DAY, decided, dump, finished, key, open, page, parsed, seen, started};

/// Analyses page `n` at `ts`; its words are its title.
fn analyse(store: &Store, run: &str, n: usize, (words, ts): (&str, i64)) -> PostingId {
    let run = RunId(run.into());
    let capture = store.put_capture(page(words, ts)).wait().unwrap();
    store
        .put_layers(capture, words.into(), format!("<p>{words}</p>"))
        .wait()
        .unwrap();
    let posting = store.identify(vec![key(n)]).wait().unwrap();
    let title = Observation {
        ts: Micros(ts),
        ..seen(capture, FieldKey::Title, words, 900)
    };
    let observed = support::fact(
        &run,
        ghostlight_model::Step::Detect,
        ghostlight_model::Phase::Field,
        ts,
        Fact::Observed(title.clone()),
    );
    let events = vec![
        started(&run, ts),
        parsed(&run, ts, (capture, posting), None),
        observed,
    ];
    store.append(run.stream(), events).wait().unwrap();
    store
        .finish_run(finished(&run, posting, vec![title], ts))
        .wait()
        .unwrap();
    posting
}

fn decide(store: &Store, posting: PostingId, words: &str, (key, ts): (&str, i64)) -> CommitId {
    let value = Some(FieldValue::Text(words.into()));
    store
        .commit_change(decided(posting, FieldKey::Title, value, (key, ts)))
        .wait()
        .unwrap()
}

fn pieces(store: &Store, postings: &[PostingId]) -> Vec<Piece> {
    let mut all = Vec::new();
    let snapshot = store.snapshot().unwrap();
    snapshot
        .pieces(postings, &mut |piece| {
            all.push(piece);
            ControlFlow::Continue(())
        })
        .unwrap();
    all
}

fn import(store: &Store, pieces: Vec<Piece>) -> Result<Imported, StoreError> {
    store
        .import(Box::new(move |take| pieces.into_iter().try_for_each(take)))
        .wait()
}

#[test]
fn another_folder_holds_the_same_rows() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(here.path());
    let mut known = vec![
        analyse(&store, "a", 1, ("Lamplighter", DAY)),
        analyse(&store, "b", 2, ("Weaver", DAY + 5)),
    ];
    decide(&store, known[0], "Lighter of lamps", ("k", DAY + 9));
    analyse(&store, "c", 1, ("Lamplighter again", DAY + 10));
    decide(&store, known[1], "Weaver of nets", ("l", DAY + 11));
    known.sort();
    let all = pieces(&store, &known);
    let other = open(there.path());
    let done = import(&other, all.clone()).unwrap();
    assert_eq!(
        (
            done.new_postings,
            done.captures,
            done.observations,
            done.commits
        ),
        (2, 3, 3, 4)
    );
    assert_eq!(done.events, 12);
    assert!(done.forked.is_empty());
    assert_eq!(dump(there.path()), dump(here.path()));
    assert_eq!(pieces(&other, &known), all);
    // Twice is once, and the projections are those of the log.
    let again = import(&other, all).unwrap();
    assert_eq!(
        (
            again.new_postings,
            again.captures,
            again.events,
            again.observations,
            again.commits
        ),
        (0, 0, 0, 0, 0)
    );
    assert_eq!(dump(there.path()), dump(here.path()));
    assert!(!other.rebuild().wait().unwrap().drift);
    assert_eq!(other.check().unwrap(), Vec::<String>::new());
}

#[test]
fn a_history_that_went_on_in_both_places_keeps_both_ends() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (store, other) = (open(here.path()), open(there.path()));
    let posting = analyse(&store, "a", 1, ("Lamplighter", DAY));
    import(&other, pieces(&store, &[posting])).unwrap();
    let ours = decide(&store, posting, "Ours", ("k", DAY + 1));
    let theirs = decide(&other, posting, "Theirs", ("l", DAY + 2));
    let done = import(&store, pieces(&other, &[posting])).unwrap();
    let mut ends = vec![ours, theirs];
    ends.sort();
    assert_eq!(done.forked.get(&posting), Some(&ends));
    assert_eq!(done.commits, 1);
    import(&other, pieces(&store, &[posting])).unwrap();
    // Whichever way round: the same commits, and the next one is behind both.
    let of = |store: &Store| {
        let mut rows: Vec<CommitId> = store
            .history(posting, 0, 99)
            .unwrap()
            .rows
            .iter()
            .map(|c| c.id())
            .collect();
        rows.sort();
        rows
    };
    assert_eq!(of(&store), of(&other));
    // Each keeps its own branch as it was; what came is a branch beside it.
    let heads = |store: &Store| -> Vec<(String, CommitId)> {
        let branches = store.branches(posting).unwrap().into_iter();
        branches.map(|branch| (branch.name, branch.head)).collect()
    };
    let two = |imported, main| vec![("imported".to_owned(), imported), ("main".to_owned(), main)];
    assert_eq!(heads(&store), two(theirs, ours));
    assert_eq!(heads(&other), two(ours, theirs));
    // Where only one place went on, the other's branch moves there.
    let next = decide(&store, posting, "Ours again", ("m", DAY + 3));
    import(&other, pieces(&store, &[posting])).unwrap();
    assert_eq!(heads(&other), two(next, theirs));
    let agreed = decide(&other, posting, "Theirs again", ("n", DAY + 4));
    import(&store, pieces(&other, &[posting])).unwrap();
    assert_eq!(heads(&store), two(agreed, next));
    for store in [&store, &other] {
        assert!(!store.rebuild().wait().unwrap().drift);
    }
}

#[test]
fn a_run_that_goes_on_is_left_out_and_a_removed_page_stays_removed() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(here.path());
    let posting = analyse(&store, "a", 1, ("Lamplighter", DAY));
    let running = RunId("b".into());
    let capture = store
        .put_capture(page("Lamplighter", DAY + 3))
        .wait()
        .unwrap();
    let events = vec![
        started(&running, DAY + 3),
        parsed(&running, DAY + 3, (capture, posting), None),
    ];
    store.append(running.stream(), events).wait().unwrap();
    let hash = ContentHash::of_bytes(b"<p>Lamplighter</p>");
    let connection = rusqlite::Connection::open(store.path()).unwrap();
    connection
        .execute("UPDATE content SET bytes = NULL WHERE hash = ?1", [hash.0])
        .unwrap();
    let all = pieces(&store, &[posting]);
    assert!(
        !all.iter()
            .any(|piece| matches!(piece, Piece::Stream(s) if s.run == running))
    );
    assert!(all.contains(&Piece::Content(hash, None)));
    let other = open(there.path());
    import(&other, all).unwrap();
    assert_eq!(other.run(&running).unwrap(), None);
    assert_eq!(other.check().unwrap(), Vec::<String>::new());
}

/// A change of the pieces, what is said about it.
type Fault = (fn(&mut Vec<Piece>), &'static str);

#[test]
fn what_is_not_what_it_says_is_refused_and_nothing_is_kept() {
    fn commit(pieces: &mut [Piece]) -> &mut ghostlight_model::bundle::CommitPiece {
        pieces
            .iter_mut()
            .find_map(|p| {
                if let Piece::Commit(c) = p {
                    Some(&mut **c)
                } else {
                    None
                }
            })
            .unwrap()
    }
    fn event(pieces: &mut [Piece]) -> &mut ghostlight_model::bundle::EventPiece {
        pieces
            .iter_mut()
            .find_map(|p| {
                if let Piece::Event(e) = p {
                    Some(e)
                } else {
                    None
                }
            })
            .unwrap()
    }
    let faults: &[Fault] = &[
        (
            |all| commit(all).commit.message.push('!'),
            "not what its id says",
        ),
        (
            |all| {
                let commit = commit(all);
                commit.commit.clock = Clock {
                    wall: Micros(i64::MAX),
                    counter: 0,
                };
                commit.id = commit.commit.id();
            },
            "a time that is none",
        ),
        (
            |all| {
                let commit = commit(all);
                commit.commit.clock.counter = u32::MAX;
                commit.id = commit.commit.id();
            },
            "a time that is none",
        ),
        (
            |all| {
                let commit = commit(all);
                commit.commit.posting = PostingId([9; 16]);
                commit.id = commit.commit.id();
            },
            "not in the bundle",
        ),
        (
            |all| {
                let commit = commit(all);
                commit.commit.parents = vec![CommitId([9; 32])];
                commit.id = commit.commit.id();
            },
            "which is missing",
        ),
        (|all| event(all).body.push('}'), "cannot be read"),
        (
            |all| event(all).body = event(all).body.replace("\"a\"", "\"b\""),
            "names run b",
        ),
        (
            |all| event(all).run = RunId("a/b".into()),
            "no run of Ghostlight",
        ),
        (|all| event(all).offset = Offset(7), "is missing before 7"),
        (
            |all| all.retain(|p| !matches!(p, Piece::Stream(_))),
            "is not in the bundle",
        ),
        (
            |all| all.retain(|p| !matches!(p, Piece::Posting(_))),
            "not in the bundle",
        ),
        (
            |all| all.retain(|p| !matches!(p, Piece::Capture(_))),
            "which is missing",
        ),
        (
            |all| all.retain(|p| !matches!(p, Piece::Content(..))),
            "which is missing",
        ),
        (
            |all| {
                for piece in all {
                    if let Piece::Content(_, Some(bytes)) = piece {
                        bytes.push(b'!');
                    }
                }
            },
            "not what its name says",
        ),
        (
            |all| {
                for piece in all {
                    if let Piece::Capture(capture) = piece {
                        capture.fetched_at.0 += 1;
                    }
                }
            },
            "not what its id says",
        ),
        (
            |all| {
                for piece in all {
                    if let Piece::Stream(stream) = piece {
                        stream.epoch = Epoch(u64::MAX);
                    }
                }
            },
            "an epoch that is none",
        ),
    ];
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (store, other) = (open(here.path()), open(there.path()));
    let posting = analyse(&store, "a", 1, ("Lamplighter", DAY));
    let sound = pieces(&store, &[posting]);
    let before = dump(there.path());
    for (change, words) in faults {
        let mut all = sound.clone();
        change(&mut all);
        let refused = import(&other, all).unwrap_err();
        assert_eq!(refused.code(), "refused", "{words}: {refused}");
        assert!(refused.to_string().contains(words), "{words}: {refused}");
        assert_eq!(dump(there.path()), before, "{words}");
    }
    import(&other, sound).unwrap();
}

#[test]
fn a_run_that_is_another_one_here_is_refused() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (store, other) = (open(here.path()), open(there.path()));
    let posting = analyse(&store, "a", 1, ("Lamplighter", DAY));
    analyse(&other, "a", 1, ("Lamplighter", DAY + 1));
    let before = dump(there.path());
    let refused = import(&other, pieces(&store, &[posting])).unwrap_err();
    assert!(
        refused.to_string().contains("run/a is another run here"),
        "{refused}"
    );
    assert_eq!(dump(there.path()), before);
    // The same beginning, another event.
    let third = tempfile::tempdir().unwrap();
    let third = open(third.path());
    analyse(&third, "a", 2, ("Lamplighter", DAY));
    let refused = import(&third, pieces(&store, &[posting])).unwrap_err();
    assert!(
        refused.to_string().contains("is another one here"),
        "{refused}"
    );
}

/// What happens in either folder: an analysis of a page, or an edit.
#[derive(Debug, Clone)]
struct Step {
    there: bool,
    page: usize,
    edit: bool,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn whatever_happened_in_both_the_union_is_the_same(
        steps in prop::collection::vec((any::<bool>(), 0_usize..3, any::<bool>()), 1..12)
    ) {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let stores = [open(folders[0].path()), open(folders[1].path())];
        let steps = steps.into_iter().map(|(there, page, edit)| Step { there, page, edit });
        let mut known: Vec<PostingId> = Vec::new();
        for (n, Step { there, page, edit }) in steps.enumerate() {
            let (store, ts) = (&stores[usize::from(there)], DAY + n as i64 * 1_000);
            let posting = key(page).posting_id();
            if edit && store.posting(posting).unwrap().is_some() {
                decide(store, posting, &format!("edit {n}"), (&format!("k{n}"), ts));
            } else {
                known.push(analyse(store, &format!("run{n}"), page, (&format!("words {n}"), ts)));
            }
        }
        known.sort();
        known.dedup();
        let of = |store: &Store| -> Vec<PostingId> {
            known.iter().copied().filter(|p| store.posting(*p).unwrap().is_some()).collect()
        };
        let bundles = [pieces(&stores[0], &of(&stores[0])), pieces(&stores[1], &of(&stores[1]))];
        import(&stores[0], bundles[1].clone()).unwrap();
        import(&stores[1], bundles[0].clone()).unwrap();
        let sorted = |store: &Store| {
            // The order of arrival is each folder's own.
            let all = pieces(store, &known).into_iter().map(|piece| format!("{piece:?}"));
            let mut all: Vec<String> = all.collect();
            all.sort();
            all
        };
        prop_assert_eq!(sorted(&stores[0]), sorted(&stores[1]));
        for store in &stores {
            prop_assert_eq!(store.check().unwrap(), Vec::<String>::new());
            prop_assert!(!store.rebuild().wait().unwrap().drift);
            for posting in &known {
                // Every end has a branch, and one that both have shows the same card.
                let branches = store.branches(*posting).unwrap();
                let named: BTreeSet<CommitId> = branches.iter().map(|branch| branch.head).collect();
                let other: BTreeSet<CommitId> = stores[0].branches(*posting).unwrap().iter().map(|b| b.head).collect();
                prop_assert_eq!(&named, &other);
                let card = |store: &Store| format!("{:?}", store.posting(*posting).unwrap().unwrap().card);
                if named.len() == 1 {
                    prop_assert_eq!(card(store), card(&stores[0]));
                }
            }
        }
    }
}
