-- Gaps behind the same event in the order in which they were recorded: whoever counts them off goes on behind the last.
-- Those that stand already keep the order of their key.
ALTER TABLE gap ADD COLUMN number INTEGER NOT NULL DEFAULT 0;
DROP INDEX gap_by_arrival;
CREATE INDEX gap_by_arrival ON gap (after_seq, number);
