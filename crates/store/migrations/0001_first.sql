-- The log is the truth, everything else is a view.
-- Times are UTC microseconds; ids are BLAKE3 bytes; bodies are JSON.
-- Numbered migrations are never edited once shipped.

-- ---------------------------------------------------------------- log

-- Bytes by their BLAKE3 hash: captured pages and their text layers. NULL after removal: the hash stays.
CREATE TABLE content (
    hash BLOB PRIMARY KEY CHECK (length(hash) = 32),
    bytes BLOB
) STRICT, WITHOUT ROWID;

-- One fetched version of a posting.
CREATE TABLE capture (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    content_hash BLOB NOT NULL REFERENCES content (hash),
    visible_hash BLOB REFERENCES content (hash),  -- what a reader sees, once parsed
    source_hash BLOB REFERENCES content (hash),   -- the source as UTF-8, once parsed
    fetched_at INTEGER NOT NULL,
    name TEXT NOT NULL,                           -- file name, or what the input is called
    url TEXT,                                     -- as asked for
    final_url TEXT,                               -- after redirects
    http_status INTEGER,
    content_type TEXT
) STRICT, WITHOUT ROWID;

-- A named sequence of events with dense offsets within an epoch.
CREATE TABLE stream (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    origin TEXT NOT NULL,                         -- 'local', or the feed it came from
    epoch INTEGER NOT NULL,                       -- microseconds at creation
    next_offset INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Immutable facts. seq is this file's own order of arrival.
CREATE TABLE event (
    seq INTEGER PRIMARY KEY,
    stream_id INTEGER NOT NULL REFERENCES stream (id),
    epoch INTEGER NOT NULL,
    "offset" INTEGER NOT NULL,
    ts INTEGER NOT NULL,
    node TEXT NOT NULL,
    phase TEXT NOT NULL,
    body TEXT NOT NULL,                           -- verbatim
    UNIQUE (stream_id, epoch, "offset")
) STRICT;

-- Offsets the source does not have any more.
CREATE TABLE gap (
    stream_id INTEGER NOT NULL REFERENCES stream (id),
    epoch INTEGER NOT NULL,
    first_offset INTEGER NOT NULL,
    last_offset INTEGER NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (stream_id, epoch, first_offset)
) STRICT, WITHOUT ROWID;

-- Candidate values; the set of a posting only grows. Two postings of one page may see the same.
CREATE TABLE observation (
    posting BLOB NOT NULL,
    capture BLOB NOT NULL REFERENCES capture (id),
    id BLOB NOT NULL CHECK (length(id) = 16),
    field TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (posting, capture, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX observation_by_id ON observation (id);

-- Sets of field changes; the id is the BLAKE3 of the canonical encoding of body.
CREATE TABLE "commit" (
    id BLOB PRIMARY KEY CHECK (length(id) = 32),
    posting BLOB NOT NULL,
    author_id TEXT NOT NULL,
    wall INTEGER NOT NULL,
    counter INTEGER NOT NULL,
    message TEXT NOT NULL,
    idempotency_key TEXT UNIQUE,                  -- the caller's; the same key twice is one commit
    body TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX commit_by_posting ON "commit" (posting, wall, counter);

CREATE TABLE commit_parent (
    child BLOB NOT NULL REFERENCES "commit" (id),
    parent BLOB NOT NULL REFERENCES "commit" (id),
    PRIMARY KEY (child, parent)
) STRICT, WITHOUT ROWID;
CREATE INDEX commit_parent_by_parent ON commit_parent (parent);

-- The metadata history: one row a changed field.
CREATE TABLE field_change (
    posting BLOB NOT NULL,
    field TEXT NOT NULL,
    wall INTEGER NOT NULL,
    counter INTEGER NOT NULL,
    commit_id BLOB NOT NULL REFERENCES "commit" (id),
    old TEXT,
    new TEXT,
    confidence INTEGER NOT NULL,                  -- thousandths
    source TEXT NOT NULL,                         -- user, ai, parsing
    author_id TEXT NOT NULL,
    PRIMARY KEY (posting, field, wall, counter, commit_id)
) STRICT, WITHOUT ROWID;

-- ---------------------------------------------------------------- state, never dropped

-- What a posting is recognised by.
CREATE TABLE posting_key (
    key TEXT PRIMARY KEY,
    posting BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX posting_key_by_posting ON posting_key (posting);

-- Names of authors; the only place they stand.
CREATE TABLE person (
    author_id TEXT PRIMARY KEY,
    name TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE setting (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- ---------------------------------------------------------------- projections, rebuilt from the log

-- What each projection has applied.
CREATE TABLE projection (
    name TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    position INTEGER NOT NULL                     -- event.seq
) STRICT, WITHOUT ROWID;

CREATE TABLE run (
    run_id TEXT PRIMARY KEY,
    status TEXT NOT NULL,
    process TEXT NOT NULL,
    posting BLOB,
    started INTEGER NOT NULL,
    capture BLOB,
    assessed INTEGER NOT NULL,                    -- 1 once it has an assessment
    fingerprint INTEGER,                          -- SimHash of the visible text it parsed
    state TEXT NOT NULL                           -- model::run::RunState
) STRICT, WITHOUT ROWID;
CREATE INDEX run_by_start ON run (started DESC, run_id DESC);
CREATE INDEX run_by_posting ON run (posting, started DESC, run_id DESC, capture, assessed, fingerprint);
CREATE INDEX run_by_status ON run (status, started DESC);

CREATE TABLE posting (
    posting BLOB PRIMARY KEY CHECK (length(posting) = 16),
    title TEXT NOT NULL,
    company TEXT NOT NULL,
    place TEXT NOT NULL,
    level TEXT,
    doubt INTEGER NOT NULL,                       -- 0 to 100, -1 before it is assessed
    fields_found INTEGER NOT NULL,
    verdict TEXT,
    run_id TEXT NOT NULL,                         -- the latest run
    run_status TEXT NOT NULL,
    failure TEXT,
    capture BLOB,                                 -- the latest capture
    first_seen INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    fingerprint INTEGER,                          -- SimHash of the visible text, of the latest run that has one
    version INTEGER NOT NULL,
    card TEXT NOT NULL                            -- verdict and outcomes of model::card::Card
) STRICT, WITHOUT ROWID;
CREATE INDEX posting_by_update ON posting (updated DESC, posting);
CREATE INDEX posting_by_doubt ON posting (doubt DESC, updated DESC, posting);
CREATE INDEX posting_by_title ON posting (title COLLATE NOCASE, posting);

CREATE TABLE card_field (
    posting BLOB NOT NULL,
    position INTEGER NOT NULL,
    field TEXT NOT NULL,
    state TEXT NOT NULL,
    body TEXT NOT NULL,                           -- model::card::CardField
    PRIMARY KEY (posting, position)
) STRICT, WITHOUT ROWID;
