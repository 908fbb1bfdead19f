//! Everything about postings, out of one store and into another: equal, once, all or nothing, both ends kept.
#![allow(clippy::unwrap_used)]

mod support;

use ghostlight_model::{
    CommitId, ContentHash, Micros, PostingId, RunId,
    bundle::{BranchesPiece, Piece},
    commit::Clock,
    history::Dag,
    ids::{Epoch, Offset},
};
use ghostlight_store::{Store, branches::IMPORTED, history::Branch};
use proptest::prelude::*;
use std::collections::BTreeMap;
use support::{
    DAY,
    bundles::{analyse, branch, decide, import, pieces, switch},
    dump, key, open, page, parsed, started,
};

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

/// What happens in either folder.
#[derive(Debug, Clone)]
enum Act {
    Analyse,
    Edit,
    /// To the branch `side` and back.
    Switch,
    /// A bundle of all that the other one has.
    Import,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        Just(Act::Analyse),
        Just(Act::Edit),
        Just(Act::Edit),
        Just(Act::Switch),
        Just(Act::Import)
    ]
}

fn postings_of(store: &Store) -> Vec<PostingId> {
    let all = (0..3).map(|page| key(page).posting_id());
    let mut all: Vec<PostingId> = all
        .filter(|posting| store.posting(*posting).unwrap().is_some())
        .collect();
    all.sort();
    all
}

fn branches_of(store: &Store, posting: PostingId) -> BTreeMap<String, Branch> {
    let all = store.branches(posting).unwrap().into_iter();
    all.map(|branch| (branch.name.clone(), branch)).collect()
}

/// Takes over all that `from` has, and looks at what became of the branches.
fn exchanged(store: &Store, from: &Store) -> Result<(), TestCaseError> {
    let came = pieces(from, &postings_of(from));
    let before: BTreeMap<_, _> = postings_of(store)
        .into_iter()
        .map(|posting| (posting, branches_of(store, posting)))
        .collect();
    import(store, came.clone()).unwrap();
    let told = came.into_iter().filter_map(|piece| match piece {
        Piece::Branches(branches) => Some(branches),
        _ => None,
    });
    for BranchesPiece {
        posting,
        checkout,
        branches,
    } in told
    {
        let all = pieces(store, &[posting]).into_iter().filter_map(|piece| {
            let Piece::Commit(commit) = piece else {
                return None;
            };
            Some((commit.id, commit.commit))
        });
        let dag = Dag::new(all);
        let now = branches_of(store, posting);
        let heads: Vec<CommitId> = now.values().map(|branch| branch.head).collect();
        // Whatever came is on a branch, and every end has one.
        for branch in &branches {
            prop_assert!(
                dag.is_on(branch.head, &heads),
                "{} is on no branch",
                branch.name
            );
        }
        for end in dag.heads() {
            prop_assert!(heads.contains(&end), "an end has no name");
        }
        let theirs: BTreeMap<&str, CommitId> = branches
            .iter()
            .map(|branch| (branch.name.as_str(), branch.head))
            .collect();
        let Some(before) = before.get(&posting).filter(|before| !before.is_empty()) else {
            let ours = now
                .iter()
                .map(|(name, branch)| (name.as_str(), branch.head));
            prop_assert_eq!(ours.collect::<BTreeMap<_, _>>(), theirs);
            prop_assert!(now[&checkout].current);
            continue;
        };
        for (name, was) in before {
            let is = &now[name];
            prop_assert_eq!(is.current, was.current, "{} was checked out or not", name);
            if is.head != was.head {
                prop_assert!(dag.is_ancestor(was.head, is.head));
                let theirs = theirs.get(name.as_str()) == Some(&is.head);
                prop_assert!(theirs || name.starts_with(IMPORTED) && !is.current);
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn whatever_happened_in_both_the_union_is_the_same(
        steps in prop::collection::vec((any::<bool>(), 0_usize..3, act()), 1..16)
    ) {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let stores = [open(folders[0].path()), open(folders[1].path())];
        for (n, (there, page, act)) in steps.into_iter().enumerate() {
            let (store, ts) = (&stores[usize::from(there)], DAY + n as i64 * 1_000);
            let posting = key(page).posting_id();
            let is_here = store.posting(posting).unwrap().is_some();
            match act {
                Act::Import => exchanged(store, &stores[usize::from(!there)])?,
                Act::Edit if is_here => {
                    decide(store, posting, &format!("edit {n}"), (&format!("k{n}"), ts));
                }
                Act::Switch if is_here => {
                    let branches = branches_of(store, posting);
                    match branches.get("side") {
                        None => drop(branch(store, posting, "side", ts)),
                        Some(side) if side.current => switch(store, posting, "main"),
                        Some(_) => switch(store, posting, "side"),
                    }
                }
                _ => {
                    analyse(store, &format!("run{n}"), page, (&format!("words {n}"), ts));
                }
            }
        }
        exchanged(&stores[0], &stores[1])?;
        exchanged(&stores[1], &stores[0])?;
        let known = postings_of(&stores[0]);
        let sorted = |store: &Store| {
            // The order of arrival is each folder's own, and so are its branches.
            let all = pieces(store, &known).into_iter();
            let all = all.filter(|piece| !matches!(piece, Piece::Branches(_)));
            let mut all: Vec<String> = all.map(|piece| format!("{piece:?}")).collect();
            all.sort();
            all
        };
        prop_assert_eq!(sorted(&stores[0]), sorted(&stores[1]));
        for posting in &known {
            // What has one branch in both, at the same place, shows the same card.
            let heads = |store: &Store| -> Vec<CommitId> {
                branches_of(store, *posting).values().map(|branch| branch.head).collect()
            };
            let card = |store: &Store| format!("{:?}", store.posting(*posting).unwrap().unwrap().card);
            if heads(&stores[0]).len() == 1 && heads(&stores[0]) == heads(&stores[1]) {
                prop_assert_eq!(card(&stores[0]), card(&stores[1]));
            }
        }
        // The same once more changes nothing.
        let before = dump(folders[1].path());
        exchanged(&stores[1], &stores[0])?;
        prop_assert_eq!(before, dump(folders[1].path()));
        for store in &stores {
            prop_assert_eq!(store.check().unwrap(), Vec::<String>::new());
            prop_assert!(!store.rebuild().wait().unwrap().drift);
        }
    }
}
