-- What a model answered when a person asked it about a posting. Times are UTC microseconds.

-- ---------------------------------------------------------------- state, never dropped

-- The latest answer about each posting. Its values are suggested, and stand nowhere before a person accepts them; what a
-- run asks and is answered stands in the run's own events.
CREATE TABLE model_answer (
    posting BLOB PRIMARY KEY CHECK (length(posting) = 16),
    at INTEGER NOT NULL,
    usage TEXT NOT NULL,                          -- model::event::ModelUse
    answer TEXT NOT NULL,                         -- as it came, cut to a bound
    offers TEXT NOT NULL                          -- model::observation::Observation, a list of them
) STRICT, WITHOUT ROWID;
