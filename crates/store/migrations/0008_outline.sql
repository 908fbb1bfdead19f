-- Long histories: what is asked of a posting's commits is found side by side in the file.
-- Times are UTC microseconds.

-- ---------------------------------------------------------------- log

-- Commits lie in order of arrival, and so those of one posting near each other; by their hash each lay in another place
-- of a large file, and every new one was written into the middle of it.
CREATE TABLE commit_by_arrival (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 32),
    posting BLOB NOT NULL,
    author_id TEXT NOT NULL,
    wall INTEGER NOT NULL,
    counter INTEGER NOT NULL,
    message TEXT NOT NULL,
    idempotency_key TEXT UNIQUE,                  -- the caller's; the same key twice is one commit
    body TEXT NOT NULL
) STRICT;
INSERT INTO commit_by_arrival (id, posting, author_id, wall, counter, message, idempotency_key, body)
    SELECT id, posting, author_id, wall, counter, message, idempotency_key, body FROM "commit"
    ORDER BY wall, counter, id;
DROP TABLE "commit";
ALTER TABLE commit_by_arrival RENAME TO "commit";
CREATE INDEX commit_by_posting ON "commit" (posting, wall, counter, id);

-- ---------------------------------------------------------------- projections, rebuilt from the log

-- Where each commit stands in its posting's history and which fields it changes, without their values: a question about
-- a long history is answered from these and the few bodies it needs.
CREATE TABLE outline (
    posting BLOB NOT NULL,
    wall INTEGER NOT NULL,
    counter INTEGER NOT NULL,
    commit_id BLOB NOT NULL CHECK (length(commit_id) = 32),
    parents BLOB NOT NULL,                        -- ids, one behind the other
    author_id TEXT NOT NULL,
    purpose TEXT,                                 -- as in the commit: JSON; NULL of an edit or a run
    touches TEXT NOT NULL,                        -- JSON: field, source, hash of the new value or null
    PRIMARY KEY (posting, wall, counter, commit_id)
) STRICT, WITHOUT ROWID;
