-- What a person typed into a field and could not save yet. State, never dropped: a row goes when the field is saved, or
-- the person gives the draft up. Times are UTC microseconds.
CREATE TABLE draft (
    posting BLOB NOT NULL,
    field TEXT NOT NULL,
    text TEXT NOT NULL,                           -- as typed
    at INTEGER NOT NULL,                          -- when it was kept
    PRIMARY KEY (posting, field)
) STRICT, WITHOUT ROWID;
