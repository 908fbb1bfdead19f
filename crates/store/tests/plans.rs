//! No hot read walks a table or sorts: asked of SQLite itself.
#![allow(clippy::unwrap_used)]

mod support;

use ghostlight_store::sql;
use rusqlite::{Connection, types::Null};

/// The lines of the plan.
fn plan(connection: &Connection, statement: &str) -> Vec<String> {
    let mut explain = connection
        .prepare(&format!("EXPLAIN QUERY PLAN {statement}"))
        .unwrap();
    let parameters = vec![Null; explain.parameter_count()];
    let lines = explain.query_map(rusqlite::params_from_iter(parameters), |row| row.get(3));
    lines.unwrap().map(Result::unwrap).collect()
}

/// A line that reads a whole table, or gathers rows to sort them.
fn is_slow(line: &str) -> bool {
    // One row without a table is none to walk.
    let walks = line.starts_with("SCAN") && line != "SCAN CONSTANT ROW";
    line.contains("TEMP B-TREE") || (walks && !line.contains("INDEX"))
}

#[test]
fn hot_statements_use_indices() {
    let folder = tempfile::tempdir().unwrap();
    drop(support::open(folder.path()));
    let path = folder.path().join(ghostlight_store::DATABASE);
    let connection = Connection::open(path).unwrap();
    for (name, statement) in sql::HOT {
        let lines = plan(&connection, statement);
        println!("{name}: {lines:?}");
        assert!(!lines.is_empty(), "{name}");
        assert!(!lines.iter().any(|line| is_slow(line)), "{name}: {lines:?}");
    }
    // The test itself can tell.
    for slow in [
        "SELECT * FROM posting WHERE fields_found = 7",
        "SELECT * FROM posting ORDER BY fields_found",
    ] {
        assert!(
            plan(&connection, slow).iter().any(|line| is_slow(line)),
            "{slow}"
        );
    }
}
