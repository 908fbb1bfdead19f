//! Postings and runs are found by a few words; what is older than the store looks back is found by its title's beginning.
#![allow(clippy::unwrap_used)]

mod support;

use ghostlight_model::{CaptureId, FieldKey, Observation, PostingId, RunId};
use ghostlight_store::{DATABASE, FIND_ROWS_MAX, Store};
use rusqlite::Connection;
use support::*;

fn run_over(store: &Store, n: usize, (title, company): (&str, &str)) -> PostingId {
    let run = RunId(format!("run-{n}"));
    let ts = DAY + n as i64 * 1_000_000;
    let posting = store.identify(vec![key(n)]).wait().unwrap();
    let capture = store.put_capture(page(title, ts)).wait().unwrap();
    let events = vec![
        started(&run, ts),
        parsed(&run, ts + 1, (capture, posting), None),
    ];
    store.append(run.stream(), events).wait().unwrap();
    let end = finished(&run, posting, winners(capture, title, company), ts + 2);
    store.finish_run(end).wait().unwrap();
    posting
}

fn winners(capture: CaptureId, title: &str, company: &str) -> Vec<Observation> {
    vec![
        seen(capture, FieldKey::Title, title, 900),
        seen(capture, FieldKey::Company, company, 900),
    ]
}

fn titles(store: &Store, typed: &str) -> Vec<String> {
    let (found, partly) = store.find_postings(typed, 20).unwrap();
    assert!(!partly);
    found.into_iter().map(|row| row.title).collect()
}

#[test]
fn postings_and_runs_are_found_by_a_few_words() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    run_over(&store, 1, ("Cartographer", "Oriel & Sons"));
    run_over(&store, 2, ("Senior Cartographer", "Quill Works"));
    let last = run_over(&store, 3, ("Lamplighter", "Quill Works"));
    assert_eq!(
        titles(&store, "carto"),
        ["Cartographer", "Senior Cartographer"]
    );
    assert_eq!(titles(&store, "quill senior"), ["Senior Cartographer"]);
    assert_eq!(titles(&store, "lampligther"), ["Lamplighter"]);
    for nothing in ["", "  ", "zzz", "quill oriel", "'; DROP TABLE posting; --"] {
        assert_eq!(titles(&store, nothing), [""; 0], "{nothing:?}");
    }
    let (found, _) = store.find_postings("quill lamp", 1).unwrap();
    assert_eq!(found[0].posting, last);
    assert_eq!(found[0].company, "Quill Works");

    let (runs, partly) = store.find_runs("page run 2", 20).unwrap();
    assert_eq!((runs.len(), partly), (1, false));
    assert_eq!(runs[0].run, RunId("run-2".into()));
    assert_eq!(runs[0].origin, "local");
    assert_eq!(store.find_runs("page", 2).unwrap().0.len(), 2);
    assert!(store.find_runs("", 20).unwrap().0.is_empty());
}

#[test]
fn of_older_postings_the_beginning_of_the_title_is_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    run_over(&store, 1, ("Cartographer", "Oriel & Sons"));
    let rows = format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {FIND_ROWS_MAX})
         INSERT INTO posting (posting, title, company, place, doubt, fields_found, run_id,
             run_status, first_seen, updated, version, card)
         SELECT randomblob(16), 'Lamplighter ' || i, 'Quill Works', '', -1, 1, 'none', 'finished',
             {DAY}, {DAY} + 9000000 + i, 1, '{{}}' FROM n"
    );
    let connection = Connection::open(folder.path().join(DATABASE)).unwrap();
    connection.execute_batch(&rows).unwrap();
    let titles = |typed: &str| {
        let (found, partly) = store.find_postings(typed, 20).unwrap();
        assert!(partly);
        found.into_iter().map(|row| row.title).collect::<Vec<_>>()
    };
    assert_eq!(titles("cARtog"), ["Cartographer"]);
    assert_eq!(titles("oriel"), [""; 0], "the employer of an older one");
    assert_eq!(titles("quill").len(), 20);
    assert_eq!(titles("lamplighter 4321")[0], "Lamplighter 4321");
}
