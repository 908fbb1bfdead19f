-- Streams that others wrote: published to this hub, or received from a feed.
-- Times are UTC microseconds.

-- A stream's name is unique within its origin, no longer in the whole file.
CREATE TABLE stream_by_name (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    origin TEXT NOT NULL,                         -- 'local' our runs, 'hub' published here, 'feed:ID' received
    epoch INTEGER NOT NULL,                       -- microseconds at creation, as its source says
    first_offset INTEGER NOT NULL DEFAULT 0,      -- what is before it was trimmed
    next_offset INTEGER NOT NULL DEFAULT 0,       -- what is before it is stored or a recorded gap
    UNIQUE (name, origin)
) STRICT;
INSERT INTO stream_by_name (id, name, origin, epoch, next_offset)
    SELECT id, name, origin, epoch, next_offset FROM stream;
DROP TABLE stream;
ALTER TABLE stream_by_name RENAME TO stream;
CREATE INDEX stream_by_origin ON stream (origin, name);

-- Where in the order of arrival a gap was recorded.
ALTER TABLE gap ADD COLUMN after_seq INTEGER NOT NULL DEFAULT 0;
CREATE INDEX gap_by_arrival ON gap (after_seq);

-- What a key of publish did, so that the same key twice appends once.
CREATE TABLE published (
    key TEXT PRIMARY KEY,
    stream_id INTEGER NOT NULL REFERENCES stream (id),
    epoch INTEGER NOT NULL,
    first_offset INTEGER NOT NULL,
    last_offset INTEGER NOT NULL,
    content BLOB NOT NULL CHECK (length(content) = 32), -- BLAKE3 of stream and bodies
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX published_by_age ON published (at);

-- Messages of a feed that could not be read.
CREATE TABLE quarantine (
    id INTEGER PRIMARY KEY,
    origin TEXT NOT NULL,
    at INTEGER NOT NULL,
    reason TEXT NOT NULL,
    message BLOB NOT NULL                         -- its beginning
) STRICT;
CREATE INDEX quarantine_by_origin ON quarantine (origin, id);

-- Every SCORE compares a posting's text with those of the others.
CREATE INDEX posting_by_fingerprint ON posting (updated DESC, posting, fingerprint, first_seen, company, place)
    WHERE fingerprint IS NOT NULL;
