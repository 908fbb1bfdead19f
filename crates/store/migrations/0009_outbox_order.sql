-- The outbox, with the same keys for every hub: one hub may be known by two addresses, and must have an entry once.
CREATE TABLE outbox_of_hub (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,        -- the order of sending within a stream; never used again
    hub TEXT NOT NULL,                            -- the feed id of the hub it goes to
    key TEXT NOT NULL,                            -- by which the hub knows it again
    stream TEXT NOT NULL,
    what TEXT NOT NULL,                           -- for people
    run TEXT,                                     -- the run it is a part of
    at INTEGER NOT NULL,                          -- when it was added
    bytes INTEGER NOT NULL,                       -- of bodies
    held_code TEXT,                               -- refused for good: a person decides
    held_message TEXT,
    bodies TEXT NOT NULL,                         -- a JSON array, each body verbatim
    UNIQUE (key, hub)
) STRICT;
INSERT INTO outbox_of_hub SELECT * FROM outbox ORDER BY seq;
DELETE FROM sqlite_sequence WHERE name = 'outbox_of_hub';
INSERT INTO sqlite_sequence (name, seq) SELECT 'outbox_of_hub', seq FROM sqlite_sequence WHERE name = 'outbox';
DROP TABLE outbox;
ALTER TABLE outbox_of_hub RENAME TO outbox;
CREATE INDEX outbox_by_hub ON outbox (hub, seq, held_code, bytes);
-- With it, nothing of its stream is sent.
CREATE INDEX outbox_held ON outbox (hub, stream) WHERE held_code IS NOT NULL;
-- Which entry of a stream is before which: one that was held while later ones were read is noticed when it is released.
CREATE INDEX outbox_by_stream ON outbox (hub, stream, seq);
