-- A posting's life names what else its employer published.
CREATE INDEX posting_by_company ON posting (company COLLATE NOCASE, first_seen);
