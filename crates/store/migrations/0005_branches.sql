-- Branches of a posting's history, as names for heads. State, never dropped: where a branch stands is no fold of the log.
-- Times are UTC microseconds.

CREATE TABLE branch (
    posting BLOB NOT NULL,
    name TEXT NOT NULL,
    head BLOB NOT NULL REFERENCES "commit" (id),  -- moves in the transaction of the commit
    created INTEGER NOT NULL,
    PRIMARY KEY (posting, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX branch_by_head ON branch (head);

-- Which branch a posting's card shows, and edits and runs go to; none is main.
CREATE TABLE checkout (
    posting BLOB PRIMARY KEY,
    branch TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- A history that has ended in several commits keeps them all; the latest of them is main.
INSERT INTO branch (posting, name, head, created)
SELECT posting, CASE place WHEN 1 THEN 'main' ELSE 'head-' || place END, id, wall FROM (
    SELECT posting, id, wall,
        row_number() OVER (PARTITION BY posting ORDER BY wall DESC, counter DESC, id DESC) AS place
    FROM "commit"
    WHERE NOT EXISTS (SELECT 1 FROM commit_parent WHERE parent = "commit".id)
);

-- A timeline of one author.
CREATE INDEX commit_by_author ON "commit" (posting, author_id, wall, counter);
