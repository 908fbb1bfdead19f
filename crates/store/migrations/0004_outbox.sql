-- What is to be published to other hubs. State, never dropped: a row goes when its hub has it, or a person discards it.
-- Times are UTC microseconds.

-- An entry is one publish: applied whole and once, whatever happens to the connection.
CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,        -- the order of sending within a stream; never used again
    hub TEXT NOT NULL,                            -- the feed id of the hub it goes to
    key TEXT NOT NULL UNIQUE,                     -- by which the hub knows it again
    stream TEXT NOT NULL,
    what TEXT NOT NULL,                           -- for people
    run TEXT,                                     -- the run it is a part of
    at INTEGER NOT NULL,                          -- when it was added
    bytes INTEGER NOT NULL,                       -- of bodies
    held_code TEXT,                               -- refused for good: a person decides
    held_message TEXT,
    bodies TEXT NOT NULL                          -- a JSON array, each body verbatim
) STRICT;
CREATE INDEX outbox_by_hub ON outbox (hub, seq, held_code, bytes);
-- With it, nothing of its stream is sent.
CREATE INDEX outbox_held ON outbox (hub, stream) WHERE held_code IS NOT NULL;

-- Which run was queued for which hub, so that it is queued once, and where the hub has it.
CREATE TABLE outbox_run (
    hub TEXT NOT NULL,
    run TEXT NOT NULL,
    at INTEGER NOT NULL,                          -- when it was queued
    parts INTEGER NOT NULL,                       -- entries it was put into
    delivered INTEGER NOT NULL DEFAULT 0,         -- of them the hub has
    discarded INTEGER NOT NULL DEFAULT 0,         -- of them a person discarded
    epoch INTEGER,                                -- the hub's stream, as it was accepted last
    first_offset INTEGER,                         -- in that epoch
    last_offset INTEGER,
    PRIMARY KEY (hub, run)
) STRICT, WITHOUT ROWID;

-- Our own runs that ended, for those not queued yet.
CREATE INDEX run_ended ON run (started, run_id) WHERE status <> 'running' AND origin = 'local';
