-- Feeds as a table, and runs of any origin in the list of runs.
-- Times are UTC microseconds.

-- ---------------------------------------------------------------- state, never dropped

-- A source of events that somebody set up, or watched once. Its token stands elsewhere.
CREATE TABLE feed (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    url TEXT NOT NULL UNIQUE,                     -- without credentials
    kind TEXT,                                    -- which system; NULL until it is found out
    enabled INTEGER NOT NULL,                     -- 1: the application connects to it
    publish INTEGER NOT NULL DEFAULT 0,           -- 1: runs that end here are sent to it
    transport TEXT,                               -- the only one to use; NULL for the best that works
    origin TEXT,                                  -- under which its streams stand, once the kind is known
    cursor TEXT,                                  -- where an event stream without offsets goes on
    added INTEGER NOT NULL,
    last_connected INTEGER                        -- roughly, while it is connected
) STRICT;
CREATE INDEX feed_by_origin ON feed (origin);

-- ---------------------------------------------------------------- projections, rebuilt from the log

-- A new version of the projection fills it again.
DROP TABLE run;
CREATE TABLE run (
    run_id TEXT PRIMARY KEY,                      -- ours: its id; of others: origin/stream
    origin TEXT NOT NULL,                         -- as in stream
    name TEXT NOT NULL,                           -- what people know it by
    status TEXT NOT NULL,
    process TEXT NOT NULL,
    posting BLOB,                                 -- of our own runs
    started INTEGER NOT NULL,
    capture BLOB,
    assessed INTEGER NOT NULL,                    -- 1 once it has an assessment
    fingerprint INTEGER,                          -- SimHash of the visible text it parsed
    line TEXT NOT NULL,                           -- model::run::RunLine
    state TEXT NOT NULL                           -- model::run::RunState
) STRICT, WITHOUT ROWID;
CREATE INDEX run_by_start ON run (started DESC, run_id DESC, origin, status, name);
CREATE INDEX run_by_posting ON run (posting, started DESC, run_id DESC, capture, assessed, fingerprint);
CREATE INDEX run_by_status ON run (status, origin, started DESC);

-- How long the nodes of an origin took, to tell a stalled run from a quiet one.
CREATE TABLE node_history (
    origin TEXT NOT NULL,
    node TEXT NOT NULL,
    durations TEXT NOT NULL,                      -- the latest, in milliseconds, oldest first: JSON
    PRIMARY KEY (origin, node)
) STRICT, WITHOUT ROWID;
