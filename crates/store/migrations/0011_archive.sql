-- Old history in compressed files: what archived versions say lies outside of this file, everything else about them stays.
-- Times are UTC microseconds.

-- ---------------------------------------------------------------- log

-- A file of the folder archive/. What it holds is nowhere else.
CREATE TABLE archive_file (
    id INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32), -- BLAKE3 of the file, and its name: HASH.jsonl.gz
    bytes INTEGER NOT NULL,
    versions INTEGER NOT NULL,
    oldest INTEGER NOT NULL,                      -- commit.wall
    latest INTEGER NOT NULL,
    made INTEGER NOT NULL
) STRICT;

-- A part of a file that is compressed by itself, so that one version is read without the others.
CREATE TABLE archive_block (
    id INTEGER PRIMARY KEY,
    file INTEGER NOT NULL REFERENCES archive_file (id),
    start INTEGER NOT NULL,                       -- its first byte
    length INTEGER NOT NULL,                      -- compressed, in bytes
    raw INTEGER NOT NULL                          -- uncompressed
) STRICT;
CREATE INDEX archive_block_by_file ON archive_block (file, start);

-- The block that holds an archived version's body. The body is empty then, and old and new of its rows in field_change
-- are NULL. No foreign key: each block that goes would be looked for in all commits; ghostlight doctor compares them.
ALTER TABLE "commit" ADD COLUMN block INTEGER;
