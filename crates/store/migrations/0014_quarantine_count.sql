-- How many messages of each feed were ever set aside.

-- ---------------------------------------------------------------- state, never dropped

-- `quarantine` keeps the latest of a feed, up to a bound; this one counts all that ever came.
CREATE TABLE quarantine_count (
    origin TEXT PRIMARY KEY,
    total INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO quarantine_count (origin, total) SELECT origin, count(*) FROM quarantine GROUP BY origin;
