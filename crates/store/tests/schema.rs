//! The schema as SQLite holds it, so that a change of it is seen in review.
//!
//! After a wanted change (a new numbered migration; shipped ones are never edited):
//! `GHOSTLIGHT_UPDATE=1 cargo test -p ghostlight-store --test schema`, then look at the difference.
#![allow(clippy::unwrap_used)]

mod support;

use rusqlite::Connection;
use std::path::Path;

#[test]
fn the_schema_is_the_one_on_record() {
    let folder = tempfile::tempdir().unwrap();
    drop(support::open(folder.path()));
    let path = folder.path().join(ghostlight_store::DATABASE);
    let connection = Connection::open(path).unwrap();
    let mut statement = connection
        .prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY tbl_name, type DESC, name")
        .unwrap();
    let rows = statement
        .query_map([], |row| row.get::<_, String>(0))
        .unwrap();
    let found: String = rows.map(|sql| sql.unwrap() + ";\n\n").collect();
    let snapshot = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schema.sql.snap");
    if std::env::var_os("GHOSTLIGHT_UPDATE").is_some() {
        std::fs::write(&snapshot, &found).unwrap();
    }
    let recorded = std::fs::read_to_string(&snapshot).unwrap_or_default();
    let recorded = recorded.replace("\r\n", "\n");
    assert!(
        found == recorded,
        "The schema is not the one in tests/schema.sql.snap. If it should have changed: \
         GHOSTLIGHT_UPDATE=1 cargo test -p ghostlight-store --test schema\nFound:\n{found}"
    );
    assert_eq!(
        connection
            .pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))
            .unwrap(),
        ghostlight_store::SCHEMA
    );
}
