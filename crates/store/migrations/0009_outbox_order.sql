-- Which entry of a stream is before which: one that was held while later ones were read is noticed when it is released.
CREATE INDEX outbox_by_stream ON outbox (hub, stream, seq);
