-- Outlines in chunks: a history of 20,000 versions is read as a few hundred rows of a page each instead of as a row each.

DROP TABLE outline;

-- A projection, rebuilt from the log: where each commit stands in its posting's history and which fields it changes,
-- without their values, in the order in which they came. A question about a long history is answered from these and the
-- few bodies it needs.
CREATE TABLE outline (
    posting BLOB NOT NULL,
    chunk INTEGER NOT NULL,                       -- from 0; only the last one grows
    body BLOB NOT NULL,                           -- model::history::packed
    PRIMARY KEY (posting, chunk)
) STRICT;
