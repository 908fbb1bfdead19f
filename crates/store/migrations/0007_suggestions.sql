-- Suggestions: what a person did not want to see again, and what persons made of the machines' values.
-- Times are UTC microseconds.

-- ---------------------------------------------------------------- state, never dropped

-- Suggestions that were dismissed: not shown again, and the rank of their kind sinks.
CREATE TABLE dismissal (
    posting BLOB NOT NULL,
    field TEXT NOT NULL,
    value BLOB NOT NULL CHECK (length(value) = 16), -- model::suggest::value_key
    origin TEXT NOT NULL,                         -- the kind of source: model::suggest::Origin
    at INTEGER NOT NULL,
    PRIMARY KEY (posting, field, value)
) STRICT, WITHOUT ROWID;
CREATE INDEX dismissal_by_age ON dismissal (posting, at);
CREATE INDEX dismissal_by_kind ON dismissal (field, origin);

-- ---------------------------------------------------------------- projections, rebuilt from the log

-- A person's value that stands on the card, beside what the machines had said: model::suggest::Judgement.
CREATE TABLE judgement (
    posting BLOB NOT NULL,
    field TEXT NOT NULL,
    method TEXT,                                  -- of the machines' value; NULL if they said nothing
    machine BLOB,                                 -- its key, likewise
    value TEXT,                                   -- the person's; NULL if too long to be suggested elsewhere
    correct INTEGER NOT NULL,                     -- 1: the person says what the machines said
    origin TEXT,                                  -- the kind of suggestion that was accepted
    wall INTEGER NOT NULL,
    PRIMARY KEY (posting, field)
) STRICT, WITHOUT ROWID;
CREATE INDEX judgement_by_machine ON judgement (field, method, machine, wall);
CREATE INDEX judgement_by_kind ON judgement (field, origin) WHERE origin IS NOT NULL;

-- The judgements counted.
CREATE TABLE accuracy (
    field TEXT NOT NULL,
    method TEXT NOT NULL,
    correct INTEGER NOT NULL,
    wrong INTEGER NOT NULL,
    PRIMARY KEY (field, method)
) STRICT, WITHOUT ROWID;

-- An employer's other postings, latest activity first.
CREATE INDEX posting_by_company ON posting (company COLLATE NOCASE, updated DESC, posting);
