//! The statements of hot reads, in one place: `tests/plans.rs` asks SQLite how it would run each.
//!
//! Not a part of the interface; public for that test only.

macro_rules! summary_columns {
    () => {
        "posting, title, company, place, level, fields_found, verdict, run_status, failure, updated"
    };
}

macro_rules! feed_columns {
    () => {
        "id, name, url, kind, enabled, publish, transport, refresh_ms, origin, added, last_connected"
    };
}

macro_rules! postings_by {
    ($order:literal) => {
        concat!(
            "SELECT ",
            summary_columns!(),
            " FROM posting ORDER BY ",
            $order,
            " LIMIT ?2 OFFSET ?1"
        )
    };
}

/// The postings list, latest activity first: start, length.
pub const POSTINGS_RECENT: &str = postings_by!("updated DESC, posting");
/// The postings list, most doubt first: start, length.
pub const POSTINGS_DOUBT: &str = postings_by!("doubt DESC, updated DESC, posting");
/// The postings list by title: start, length.
pub const POSTINGS_TITLE: &str = postings_by!("title COLLATE NOCASE, posting");
/// What the latest postings are found by: length.
pub const FIND_POSTINGS: &str = "SELECT posting, title, company, place, updated FROM posting \
     ORDER BY updated DESC LIMIT ?1";
/// The same of all postings whose title begins so, ignoring case (ASCII): from, before, length.
pub const FIND_TITLES: &str = "SELECT posting, title, company, place, updated FROM posting \
     WHERE title COLLATE NOCASE >= ?1 AND title COLLATE NOCASE < ?2 \
     ORDER BY title COLLATE NOCASE LIMIT ?3";
/// How many postings there are.
pub const POSTINGS_COUNT: &str = "SELECT count(*) FROM posting";
/// A posting's row with the rest of its card.
pub const POSTING: &str = concat!(
    "SELECT ",
    summary_columns!(),
    ", card, first_seen FROM posting WHERE posting = ?1"
);
/// A posting's card fields, in order.
pub const CARD_FIELDS: &str = "SELECT body FROM card_field WHERE posting = ?1 ORDER BY position";
macro_rules! runs_where {
    () => {
        " FROM run INDEXED BY run_by_start WHERE (?1 IS NULL OR origin = ?1) \
          AND (?2 IS NULL OR status = ?2) AND (?3 = '' OR instr(lower(name), ?3) > 0) \
          AND (?1 IS NOT NULL OR origin < 'feed:' OR origin >= 'feed;' \
              OR NOT EXISTS (SELECT 1 FROM outbox_run WHERE hub = substr(origin, 6) \
                  AND outbox_run.run = substr(run_id, length(origin) + 6) \
                  AND run_id = origin || '/run/' || outbox_run.run))"
    };
}

/// The runs list, latest first: origin or null, status or null, text in lower case, start, length. In the list of all
/// origins a run of ours that a hub sent back is left out: it stands there as ours.
pub const RUNS: &str = concat!(
    "SELECT line, (SELECT title FROM posting WHERE posting.posting = run.posting), origin",
    runs_where!(),
    " ORDER BY started DESC, run_id DESC LIMIT ?5 OFFSET ?4"
);
/// What the latest runs are found by: null, null, an empty text, length.
pub const FIND_RUNS: &str = concat!(
    "SELECT run_id, name, origin, started",
    runs_where!(),
    " ORDER BY started DESC, run_id DESC LIMIT ?4"
);
/// How many runs the list has: origin or null, status or null, text in lower case.
pub const RUNS_FOUND: &str = concat!("SELECT count(*)", runs_where!());
/// Whether a posting is known by a job system's id: posting.
pub const JOB_ID_OF: &str =
    "SELECT 1 FROM posting_key WHERE posting = ?1 AND key >= 'ats:' AND key < 'ats;'";
/// How many runs there are, of any origin.
pub const RUNS_COUNT: &str = "SELECT count(*) FROM run";
/// Our own runs that have not ended, latest first: length.
pub const RUNNING: &str = "SELECT state FROM run WHERE status = 'running' AND origin = 'local' \
     ORDER BY started DESC LIMIT ?1";
/// How many of our own runs have not ended.
pub const RUNNING_COUNT: &str =
    "SELECT count(*) FROM run WHERE status = 'running' AND origin = 'local'";
/// How long a node took, the latest: origin, node.
pub const NODE_HISTORY: &str = "SELECT durations FROM node_history WHERE origin = ?1 AND node = ?2";
/// The feeds in the order in which they were set up; all of the table, which is small.
pub const FEEDS: &str = concat!("SELECT ", feed_columns!(), " FROM feed ORDER BY id");
/// A feed by its number.
pub const FEED: &str = concat!("SELECT ", feed_columns!(), " FROM feed WHERE id = ?1");
/// The feed at an address.
pub const FEED_AT: &str = concat!("SELECT ", feed_columns!(), " FROM feed WHERE url = ?1");
/// The greatest epoch of a stream's events below another: stream, epoch.
pub const EPOCH_BEFORE: &str = "SELECT max(epoch) FROM event WHERE stream_id = ?1 AND epoch < ?2";
/// The greatest epoch of a stream's gaps below another: stream, epoch.
pub const GAP_EPOCH_BEFORE: &str = "SELECT max(epoch) FROM gap WHERE stream_id = ?1 AND epoch < ?2";
/// First and last offset of a stream's events: stream, epoch. Two searches; together they would be a scan.
pub const OFFSETS: &str = "SELECT \
     (SELECT min(\"offset\") FROM event WHERE stream_id = ?1 AND epoch = ?2), \
     (SELECT max(\"offset\") FROM event WHERE stream_id = ?1 AND epoch = ?2)";
/// The gaps of a stream's epoch, the latest first: stream, epoch, length.
pub const GAPS: &str = "SELECT first_offset, last_offset, reason FROM gap \
     WHERE stream_id = ?1 AND epoch = ?2 ORDER BY first_offset DESC LIMIT ?3";
/// The body of one event: stream, epoch, offset.
pub const EVENT_BODY: &str =
    "SELECT body FROM event WHERE stream_id = ?1 AND epoch = ?2 AND \"offset\" = ?3";
/// A run's state.
pub const RUN: &str = "SELECT state FROM run WHERE run_id = ?1";
/// What a posting's life is told by: posting.
pub const LIFE_OWN: &str =
    "SELECT title, company, place, fingerprint FROM posting WHERE posting = ?1";
/// When a posting was looked at, the latest first: posting, length.
pub const LIFE_LOOKS: &str = "SELECT started, run_id, capture, assessed FROM run WHERE posting = ?1 \
     ORDER BY started DESC, run_id DESC LIMIT ?2";
/// A posting's versions with their authors, the latest first: posting, length.
pub const LIFE_VERSIONS: &str = "SELECT wall, id, author_id FROM \"commit\" WHERE posting = ?1 \
     ORDER BY wall DESC, counter DESC, id DESC LIMIT ?2";
/// Where a capture is from, and its visible text's hash.
pub const LIFE_CAPTURE: &str =
    "SELECT coalesce(final_url, url), visible_hash FROM capture WHERE id = ?1";
/// Other postings of an employer, ignoring case (ASCII), the latest first: employer, posting, length.
pub const SAME_EMPLOYER: &str = "SELECT posting, title, place, first_seen, fingerprint FROM posting \
     WHERE company = ?1 COLLATE NOCASE AND posting <> ?2 \
     ORDER BY updated DESC, posting LIMIT ?3";
/// The latest run over a posting.
pub const LATEST_RUN: &str =
    "SELECT state FROM run WHERE posting = ?1 ORDER BY started DESC, run_id DESC LIMIT 1";
/// The latest run over a posting that was assessed.
pub const LATEST_ASSESSED: &str = "SELECT state FROM run WHERE posting = ?1 AND assessed = 1 \
     ORDER BY started DESC, run_id DESC LIMIT 1";
/// The fingerprint of the latest run over a posting that has one.
pub const LATEST_FINGERPRINT: &str = "SELECT fingerprint FROM run WHERE posting = ?1 \
     AND fingerprint IS NOT NULL ORDER BY started DESC, run_id DESC LIMIT 1";
/// Fingerprints of the other postings, the latest first: posting, length.
pub const FINGERPRINTS: &str = "SELECT posting, fingerprint, first_seen, company, place \
     FROM posting WHERE fingerprint IS NOT NULL AND posting <> ?1 \
     ORDER BY updated DESC LIMIT ?2";
/// When a posting was first captured; a capture that is not stored counts from its run's start.
pub const FIRST_SEEN: &str = "SELECT min(coalesce(fetched_at, started)) FROM run \
     LEFT JOIN capture ON capture.id = run.capture WHERE run.posting = ?1";
/// A stream by name and origin.
pub const STREAM: &str =
    "SELECT id, epoch, next_offset FROM stream WHERE name = ?1 AND origin = ?2";
/// A stream of the hub by name, our own run before what was published under the same name.
pub const HUB_STREAM: &str = "SELECT id, epoch, first_offset, next_offset FROM stream \
     WHERE name = ?1 AND origin IN ('local', 'hub') ORDER BY origin DESC LIMIT 1";
/// Streams of the hub in order of their names: from, before, length.
pub const HUB_STREAMS: &str = "SELECT name, epoch, next_offset FROM stream \
     WHERE name >= ?1 AND name < ?2 AND +origin IN ('local', 'hub') ORDER BY name LIMIT ?3";
/// Gives what the streams that others published have of their last epoch to a new one, and then them: the least epoch.
pub const NEW_EPOCHS: [&str; 3] = [
    "UPDATE event SET epoch = max(epoch + 1, ?1) WHERE EXISTS (SELECT 1 FROM stream \
     WHERE id = stream_id AND origin = 'hub' AND stream.epoch = event.epoch)",
    "UPDATE published SET epoch = max(epoch + 1, ?1) WHERE EXISTS (SELECT 1 FROM stream \
     WHERE id = stream_id AND origin = 'hub' AND stream.epoch = published.epoch)",
    "UPDATE stream SET epoch = max(epoch + 1, ?1) WHERE origin = 'hub'",
];
/// Our own runs that were interrupted: what their last event says.
pub const INTERRUPTED_STREAMS: &str = "SELECT stream.id FROM stream JOIN event ON event.stream_id = stream.id \
     AND event.epoch = stream.epoch AND event.\"offset\" = stream.next_offset - 1 \
     WHERE origin = 'local' AND phase = 'fail' AND json_extract(body, '$.issues[0].code') = ?1";
/// A new epoch for one of them, its events first: stream, epoch.
pub const NEW_EPOCH: [&str; 2] = [
    "UPDATE event SET epoch = max(epoch + 1, ?2) WHERE stream_id = ?1 \
     AND epoch = (SELECT epoch FROM stream WHERE id = ?1)",
    "UPDATE stream SET epoch = max(epoch + 1, ?2) WHERE id = ?1",
];
/// The streams of a feed: origin.
pub const FEED_STREAMS: &str =
    "SELECT name, epoch, next_offset FROM stream WHERE origin = ?1 ORDER BY name";
/// Sets where a stream's next event goes: stream, offset, epoch.
pub const ADVANCE: &str = "UPDATE stream SET next_offset = ?2, epoch = ?3 WHERE id = ?1";
/// A new event.
pub const INSERT_EVENT: &str = "INSERT INTO event (stream_id, epoch, \"offset\", ts, node, phase, body) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
/// A page of a stream's events for sending on: stream, epoch, first offset, length.
pub const LOG_EVENTS: &str = "SELECT \"offset\", ts, body FROM event WHERE stream_id = ?1 \
     AND epoch = ?2 AND \"offset\" >= ?3 ORDER BY \"offset\" LIMIT ?4";
/// What a key of publish did.
pub const PUBLISHED: &str =
    "SELECT epoch, first_offset, last_offset, content FROM published WHERE key = ?1";
/// A feed's events in order of arrival: origin, after which, length.
pub const FEED_LOG: &str = "SELECT \"offset\", ts, body, seq, name, event.epoch FROM event \
     CROSS JOIN stream ON stream.id = stream_id WHERE seq > ?2 AND origin = ?1 ORDER BY seq LIMIT ?3";
/// A feed's gaps recorded in a part of the order of arrival: origin, from, before.
pub const FEED_GAPS: &str = "SELECT name, gap.epoch, gap.first_offset, last_offset, reason, after_seq \
     FROM gap CROSS JOIN stream ON stream.id = stream_id \
     WHERE after_seq >= ?2 AND after_seq < ?3 AND origin = ?1 \
     ORDER BY after_seq, number, stream_id, gap.epoch, gap.first_offset";
/// A gap behind the last event, and behind the gaps there: stream, epoch, first and last offset, reason.
pub const INSERT_GAP: &str = "INSERT INTO gap (stream_id, epoch, first_offset, last_offset, reason, after_seq, number) \
     SELECT ?1, ?2, ?3, ?4, ?5, seq, (SELECT coalesce(max(number), 0) + 1 FROM gap WHERE after_seq = seq) \
     FROM (SELECT coalesce(max(seq), 0) AS seq FROM event)";
/// Messages of a feed in quarantine, the latest first: origin, start, length.
pub const QUARANTINE: &str = "SELECT id, at, reason, message FROM quarantine WHERE origin = ?1 \
     ORDER BY id DESC LIMIT ?3 OFFSET ?2";
/// How many messages of a feed are in quarantine.
pub const QUARANTINE_ROWS: &str = "SELECT count(*) FROM quarantine WHERE origin = ?1";
/// How many of a feed ever were.
pub const QUARANTINED: &str = "SELECT total FROM quarantine_count WHERE origin = ?1";
/// A page of a stream's events: stream, epoch, first offset, length.
pub const EVENTS: &str = "SELECT \"offset\", body FROM event WHERE stream_id = ?1 AND epoch = ?2 \
     AND \"offset\" >= ?3 ORDER BY \"offset\" LIMIT ?4";
/// How many events a stream holds.
pub const EVENTS_COUNT: &str = "SELECT count(*) FROM event WHERE stream_id = ?1 AND epoch = ?2";
/// First and last offset and number of a stream's events.
pub const EXTENT: &str = "SELECT min(\"offset\"), max(\"offset\"), count(*) FROM event \
     WHERE stream_id = ?1 AND epoch = ?2";
/// The log in order of arrival: after which, how many.
pub const EVENTS_AFTER: &str = "SELECT seq, body, ts, event.epoch, name, origin FROM event \
     CROSS JOIN stream ON stream.id = stream_id WHERE seq > ?1 ORDER BY seq LIMIT ?2";
/// The observations of one capture of a posting.
pub const OBSERVATIONS: &str =
    "SELECT body FROM observation WHERE posting = ?1 AND capture = ?2 ORDER BY id";
/// An observation of a posting by its id.
pub const OBSERVATION: &str = "SELECT body FROM observation WHERE id = ?1 AND posting = ?2";
/// What was typed into a posting's fields and not saved.
pub const DRAFTS: &str = "SELECT field, text, at FROM draft WHERE posting = ?1";
/// What a model answered about a posting.
pub const MODEL_ANSWER: &str =
    "SELECT at, usage, answer, offers FROM model_answer WHERE posting = ?1";
/// A posting's commits by clock.
pub const COMMITS: &str =
    "SELECT id, body, block FROM \"commit\" WHERE posting = ?1 ORDER BY wall, counter, id";
/// A page of a posting's commits, latest first: posting, start, length.
pub const HISTORY: &str = "SELECT id, body, block FROM \"commit\" WHERE posting = ?1 \
     ORDER BY wall DESC, counter DESC, id DESC LIMIT ?3 OFFSET ?2";
/// How many commits a posting has.
pub const HISTORY_COUNT: &str = "SELECT count(*) FROM \"commit\" WHERE posting = ?1";
/// A page of a posting's commits by their ids, latest first, of any field and author: posting, from, before, start,
/// length. What is before the page is passed over in the index.
pub const TIMELINE: &str = "SELECT id FROM \"commit\" WHERE posting = ?1 AND wall >= ?2 \
     AND wall < ?3 ORDER BY wall DESC, counter DESC, id DESC LIMIT ?5 OFFSET ?4";
/// How many [`TIMELINE`] has.
pub const TIMELINE_COUNT: &str =
    "SELECT count(*) FROM \"commit\" WHERE posting = ?1 AND wall >= ?2 AND wall < ?3";
/// A posting's commits without their bodies, in the order in which they came: posting, from which chunk on.
pub const OUTLINES: &str =
    "SELECT chunk, body FROM outline WHERE posting = ?1 AND chunk >= ?2 ORDER BY chunk";
/// How many chunks they are.
pub const OUTLINE_CHUNKS: &str =
    "SELECT coalesce(max(chunk) + 1, 0) FROM outline WHERE posting = ?1";
/// The last chunk of them.
pub const LAST_OUTLINES: &str =
    "SELECT rowid, chunk, body FROM outline WHERE posting = ?1 ORDER BY chunk DESC LIMIT 1";
/// A posting's commits in the order in which they came; for a rebuild, it sorts.
pub const COMMITS_BY_ARRIVAL: &str =
    "SELECT id, body, block FROM \"commit\" WHERE posting = ?1 ORDER BY rowid";
/// A commit's body, and the block that has it once it is archived: id, posting.
pub const COMMIT: &str = "SELECT body, block FROM \"commit\" WHERE id = ?1 AND posting = ?2";
/// Where a block of archived versions is.
pub const ARCHIVE_PLACE: &str = "SELECT hash, start, length, raw FROM archive_block \
     CROSS JOIN archive_file ON archive_file.id = file WHERE archive_block.id = ?1";
/// A posting's versions that are not archived, oldest first: posting, before.
pub const ARCHIVABLE: &str = "SELECT id, body FROM \"commit\" WHERE posting = ?1 AND wall < ?2 \
     AND block IS NULL ORDER BY wall, counter, id";
/// Where a posting's branches stand.
pub const BRANCH_HEADS: &str = "SELECT head FROM branch WHERE posting = ?1";
/// Old and new of a change: posting, field, wall, counter, commit.
pub const CHANGE_VALUES: &str = "SELECT old, new FROM field_change WHERE posting = ?1 AND field = ?2 \
     AND wall = ?3 AND counter = ?4 AND commit_id = ?5";
/// A posting's branches by name.
pub const BRANCHES: &str = "SELECT name, head, created, wall, author_id FROM branch \
     CROSS JOIN \"commit\" ON id = head WHERE branch.posting = ?1 ORDER BY name";
/// A branch's head: posting, name.
pub const BRANCH: &str = "SELECT head FROM branch WHERE posting = ?1 AND name = ?2";
/// How many branches a posting has.
pub const BRANCHES_COUNT: &str = "SELECT count(*) FROM branch WHERE posting = ?1";
/// The branch that a posting has checked out.
pub const CHECKOUT: &str = "SELECT branch FROM checkout WHERE posting = ?1";
/// When a posting's latest commit was made.
pub const LAST_COMMIT: &str = "SELECT max(wall) FROM \"commit\" WHERE posting = ?1";
/// The commit made with a caller's key.
pub const COMMIT_BY_KEY: &str = "SELECT id FROM \"commit\" WHERE idempotency_key = ?1";
/// The posting a key leads to.
pub const POSTING_BY_KEY: &str = "SELECT posting FROM posting_key WHERE key = ?1";
/// Whether a posting is known.
pub const POSTING_KNOWN: &str = "SELECT 1 FROM posting_key WHERE posting = ?1";
/// The visible text of a capture.
pub const LAYER_VISIBLE: &str =
    "SELECT bytes FROM capture JOIN content ON hash = visible_hash WHERE id = ?1";
/// The source text of a capture.
pub const LAYER_SOURCE: &str =
    "SELECT bytes FROM capture JOIN content ON hash = source_hash WHERE id = ?1";
/// The bytes of a capture.
pub const BYTES: &str =
    "SELECT bytes FROM capture JOIN content ON hash = content_hash WHERE id = ?1";
/// What is known of a capture.
pub const CAPTURE: &str = "SELECT fetched_at, name, url, final_url, http_status, content_type \
     FROM capture WHERE id = ?1";

/// Entries to send: hub, behind which, streams to leave out (a JSON array), length.
pub const OUTBOX_LOAD: &str = "SELECT seq, key, stream, (SELECT max(other.seq) FROM outbox AS other \
         WHERE other.hub = ?1 AND other.stream = outbox.stream AND other.seq < outbox.seq), bodies \
     FROM outbox WHERE hub = ?1 AND seq > ?2 \
     AND stream NOT IN (SELECT value FROM json_each(?3)) \
     AND NOT EXISTS (SELECT 1 FROM outbox AS other WHERE other.hub = ?1 \
         AND other.stream = outbox.stream AND other.held_code IS NOT NULL) \
     ORDER BY seq LIMIT ?4";
/// What waits for a hub, what is held, and their bytes.
pub const OUTBOX_COUNTS: &str = "SELECT count(*) - count(held_code), count(held_code), \
     coalesce(sum(bytes), 0) FROM outbox WHERE hub = ?1";
/// How many entries wait for a hub.
pub const OUTBOX_TOTAL: &str = "SELECT count(*) FROM outbox WHERE hub = ?1";
/// A page of what waits for a hub, oldest first: hub, start, length.
pub const OUTBOX_PAGE: &str = "SELECT seq, key, what, stream, bytes, at, held_code, held_message, \
     EXISTS (SELECT 1 FROM outbox AS other WHERE other.hub = ?1 AND other.stream = outbox.stream \
         AND other.held_code IS NOT NULL) \
     FROM outbox WHERE hub = ?1 ORDER BY seq LIMIT ?3 OFFSET ?2";
/// Our own runs that ended and were never queued for a hub: hub, behind which start and run, length.
pub const OUTBOX_UNQUEUED: &str = "SELECT started, run_id FROM run WHERE status <> 'running' \
     AND origin = 'local' AND (started, run_id) > (?2, ?3) \
     AND NOT EXISTS (SELECT 1 FROM outbox_run WHERE hub = ?1 AND outbox_run.run = run_id) \
     ORDER BY started, run_id LIMIT ?4";
/// Whether a run is ours, ended, and was never queued for a hub: hub, run.
pub const OUTBOX_DUE: &str = "SELECT 1 FROM run WHERE run_id = ?2 AND status <> 'running' \
     AND origin = 'local' \
     AND NOT EXISTS (SELECT 1 FROM outbox_run WHERE hub = ?1 AND outbox_run.run = run_id)";
/// What became of a run that was queued for a hub: hub, run.
pub const OUTBOX_RUN: &str = "SELECT at, parts, delivered, discarded, epoch, first_offset, last_offset \
     FROM outbox_run WHERE hub = ?1 AND run = ?2";

/// Whether a run was queued for a hub: hub, run.
pub const OUTBOX_QUEUED: &str = "SELECT 1 FROM outbox_run WHERE hub = ?1 AND run = ?2";
macro_rules! export_postings_where {
    () => {
        " AND (?4 IS NULL OR posting = ?4) \
          AND (?5 = '' OR instr(lower(title), ?5) > 0 OR instr(lower(company), ?5) > 0 \
              OR instr(lower(place), ?5) > 0) \
          AND (?6 IS NULL OR level = ?6) AND (?7 IS NULL OR verdict = ?7)"
    };
}
macro_rules! export_postings_columns {
    () => {
        "SELECT posting, level, doubt, run_status, first_seen, updated, version, card FROM posting"
    };
}
/// Postings for an export, latest activity first: before, from, length, then posting, text, level and verdict, each or
/// null (the text empty).
pub const EXPORT_POSTINGS: &str = concat!(
    export_postings_columns!(),
    " WHERE updated < ?1 AND updated >= ?2",
    export_postings_where!(),
    " ORDER BY updated DESC, posting LIMIT ?3"
);
/// Postings of the same moment: moment, behind which posting, length, then as above.
pub const EXPORT_POSTINGS_SAME: &str = concat!(
    export_postings_columns!(),
    " WHERE updated = ?1 AND posting > ?2",
    export_postings_where!(),
    " ORDER BY posting LIMIT ?3"
);
/// Each posting that an export has, for counting: from, before, then as above. Reads all of the table, as the export does.
pub const EXPORT_POSTINGS_EACH: &str = "SELECT 1 FROM posting WHERE updated >= ?1 AND updated <= ?2 \
     AND (?3 IS NULL OR posting = ?3) \
     AND (?4 = '' OR instr(lower(title), ?4) > 0 OR instr(lower(company), ?4) > 0 \
         OR instr(lower(place), ?4) > 0) \
     AND (?5 IS NULL OR level = ?5) AND (?6 IS NULL OR verdict = ?6)";
/// A posting's fields for an export, in order.
pub const EXPORT_FIELDS: &str =
    "SELECT field, body FROM card_field WHERE posting = ?1 ORDER BY position";
/// Changes for an export, by posting and field, oldest first: behind which (five parts), last posting, from, before,
/// then field, author and source, each or null, and length.
pub const EXPORT_CHANGES: &str = "SELECT c.posting, field, c.wall, c.counter, commit_id, old, new, confidence, source, \
     c.author_id, message, (SELECT name FROM person WHERE person.author_id = c.author_id), block \
     FROM field_change AS c CROSS JOIN \"commit\" ON id = commit_id \
     WHERE (c.posting, field, c.wall, c.counter, commit_id) > (?1, ?2, ?3, ?4, ?5) AND c.posting <= ?6 \
     AND c.wall >= ?7 AND c.wall <= ?8 AND (?9 IS NULL OR field = ?9) AND (?10 IS NULL OR c.author_id = ?10) \
     AND (?11 IS NULL OR source = ?11) ORDER BY c.posting, field, c.wall, c.counter, commit_id LIMIT ?12";
/// Each change that an export has, for counting: first and last posting, then as above.
pub const EXPORT_CHANGES_EACH: &str = "SELECT 1 FROM field_change WHERE posting >= ?1 AND posting <= ?2 \
     AND wall >= ?3 AND wall <= ?4 AND (?5 IS NULL OR field = ?5) AND (?6 IS NULL OR author_id = ?6) \
     AND (?7 IS NULL OR source = ?7)";
macro_rules! events_of_runs {
    ($status:literal, $named:literal) => {
        concat!(
            " AND (",
            $status,
            " IS NULL AND ",
            $named,
            " IS NULL OR EXISTS (SELECT 1 FROM run \
                 WHERE run_id = CASE stream.origin WHEN 'local' THEN substr(stream.name, 5) \
                     ELSE stream.origin || '/' || stream.name END \
                 AND (",
            $status,
            " IS NULL OR run.status = ",
            $status,
            ") \
                 AND (",
            $named,
            " IS NULL OR instr(lower(run.name), ",
            $named,
            ") > 0)))"
        )
    };
}
/// Events for an export in order of arrival: behind which, from, before, then origin, node and phase, each or null,
/// length, then the run's status and a text in its name in lower case, each or null.
pub const EXPORT_EVENTS: &str = concat!(
    "SELECT seq, stream.origin, stream.name, event.epoch, \"offset\", ts, node, phase, body \
     FROM event CROSS JOIN stream ON stream.id = stream_id WHERE seq > ?1 AND ts >= ?2 AND ts <= ?3 \
     AND (?4 IS NULL OR stream.origin = ?4) AND (?5 IS NULL OR node = ?5) AND (?6 IS NULL OR phase = ?6)",
    events_of_runs!("?8", "?9"),
    " ORDER BY seq LIMIT ?7"
);
/// Each event that an export has, for counting: from, before, origin, node, phase, status and name as above.
pub const EXPORT_EVENTS_EACH: &str = concat!(
    "SELECT 1 FROM event CROSS JOIN stream ON stream.id = stream_id WHERE ts >= ?1 AND ts <= ?2 \
     AND (?3 IS NULL OR stream.origin = ?3) AND (?4 IS NULL OR node = ?4) AND (?5 IS NULL OR phase = ?5)",
    events_of_runs!("?6", "?7")
);
/// Events of a stream for an export: stream, behind which epoch and offset, from, before, then node and phase, each or
/// null, length, then status and name as above.
pub const EXPORT_EVENTS_OF: &str = concat!(
    "SELECT seq, stream.origin, stream.name, event.epoch, \"offset\", ts, node, phase, body \
     FROM event CROSS JOIN stream ON stream.id = stream_id WHERE stream_id = ?1 \
     AND (event.epoch, \"offset\") > (?2, ?3) AND ts >= ?4 AND ts <= ?5 AND (?6 IS NULL OR node = ?6) \
     AND (?7 IS NULL OR phase = ?7)",
    events_of_runs!("?9", "?10"),
    " ORDER BY event.epoch, \"offset\" LIMIT ?8"
);
/// Each event of a stream that an export has, for counting: stream, from, before, node, phase, status and name as above.
pub const EXPORT_EVENTS_OF_EACH: &str = concat!(
    "SELECT 1 FROM event CROSS JOIN stream ON stream.id = stream_id WHERE stream_id = ?1 AND ts >= ?2 \
     AND ts <= ?3 AND (?4 IS NULL OR node = ?4) AND (?5 IS NULL OR phase = ?5)",
    events_of_runs!("?6", "?7")
);
/// Persons by name: length.
pub const PERSONS: &str = "SELECT author_id, name FROM person ORDER BY author_id LIMIT ?1";

/// The captures that a posting's observations stand in.
pub const BUNDLE_CAPTURES: &str = "SELECT DISTINCT capture FROM observation WHERE posting = ?1";
/// Our own runs over a posting that ended, and their captures.
pub const BUNDLE_RUNS: &str = "SELECT run_id, capture FROM run WHERE posting = ?1 \
     AND status <> 'running' AND origin = 'local'";
/// A capture with its hashes.
pub const BUNDLE_CAPTURE: &str = "SELECT content_hash, visible_hash, source_hash, fetched_at, name, url, \
     final_url, http_status, content_type FROM capture WHERE id = ?1";
/// Bytes by their hash.
pub const CONTENT: &str = "SELECT bytes FROM content WHERE hash = ?1";
/// A posting's keys.
pub const KEYS_OF: &str = "SELECT key FROM posting_key WHERE posting = ?1 ORDER BY key";
/// The places in the order of arrival of a stream's events: stream, epoch.
pub const BUNDLE_SEQS: &str = "SELECT seq FROM event WHERE stream_id = ?1 AND epoch = ?2";
/// An event by its place in the order of arrival.
pub const BUNDLE_EVENT: &str = "SELECT name, \"offset\", body FROM event \
     CROSS JOIN stream ON stream.id = stream_id WHERE seq = ?1";
/// A posting's observations, of all captures.
pub const BUNDLE_OBSERVATIONS: &str =
    "SELECT body FROM observation WHERE posting = ?1 ORDER BY capture, id";
/// How many bytes some bytes are.
pub const BUNDLE_CONTENT_SIZE: &str =
    "SELECT coalesce(octet_length(bytes), 0) FROM content WHERE hash = ?1";
/// How many bytes a stream's events are, and how many events: stream, epoch.
pub const BUNDLE_EVENTS_SIZE: &str = "SELECT coalesce(sum(octet_length(body)), 0), count(*) FROM event \
     WHERE stream_id = ?1 AND epoch = ?2";
/// How many bytes a posting's observations are, and how many observations.
pub const BUNDLE_OBSERVATIONS_SIZE: &str =
    "SELECT coalesce(sum(octet_length(body)), 0), count(*) FROM observation WHERE posting = ?1";
/// How many bytes a posting's commits in the database are, and how many commits there are, the archived ones too.
pub const BUNDLE_COMMITS_SIZE: &str =
    "SELECT coalesce(sum(octet_length(body)), 0), count(*) FROM \"commit\" WHERE posting = ?1";
/// The key that a commit was made with.
pub const COMMIT_KEY: &str = "SELECT idempotency_key FROM \"commit\" WHERE id = ?1";
/// A posting's commits that are nobody's parent.
pub const HEADS: &str = "SELECT id FROM \"commit\" WHERE posting = ?1 \
     AND NOT EXISTS (SELECT 1 FROM commit_parent WHERE parent = id)";

/// An employer's other postings, the latest: company, posting, length.
pub const OF_EMPLOYER: &str = "SELECT posting FROM posting WHERE company = ?1 COLLATE NOCASE \
     AND posting <> ?2 ORDER BY updated DESC LIMIT ?3";
/// How persons judged a value of the machines elsewhere, the latest: field, method, its key, posting, length.
pub const PRECEDENTS: &str = "SELECT value, correct FROM judgement WHERE field = ?1 AND method = ?2 \
     AND machine = ?3 AND posting <> ?4 ORDER BY wall DESC LIMIT ?5";
/// Accepted suggestions that stand: field, kind of source, at most.
pub const ACCEPTED: &str = "SELECT 1 FROM judgement WHERE field = ?1 AND origin = ?2 LIMIT ?3";
/// Dismissed suggestions: field, kind of source, at most.
pub const DISMISSED_OF_KIND: &str =
    "SELECT 1 FROM dismissal WHERE field = ?1 AND origin = ?2 LIMIT ?3";
/// What was dismissed of a posting.
pub const DISMISSED: &str = "SELECT field, value FROM dismissal WHERE posting = ?1";
/// Forgets the oldest dismissals of a posting: posting, how many stay.
pub const DISMISSALS_TRIM: &str = "DELETE FROM dismissal WHERE posting = ?1 AND at < \
     (SELECT at FROM dismissal WHERE posting = ?1 ORDER BY at DESC LIMIT 1 OFFSET ?2 - 1)";
/// How persons judged a posting's fields, by field.
pub const JUDGEMENTS: &str = "SELECT field, method, machine, value, correct, origin, wall \
     FROM judgement WHERE posting = ?1 ORDER BY field";
/// How right the methods were for a field.
pub const ACCURACY_OF: &str =
    "SELECT field, method, correct, wrong FROM accuracy WHERE field = ?1 ORDER BY method";
/// How right the methods were; all of the table, which is small.
pub const ACCURACY: &str =
    "SELECT field, method, correct, wrong FROM accuracy ORDER BY field, method";

/// Every statement of this module by name. Those that count or page a whole table may walk an
/// index from its end; none may walk a table or sort.
pub const HOT: &[(&str, &str)] = &[
    ("postings, recent", POSTINGS_RECENT),
    ("postings, doubt", POSTINGS_DOUBT),
    ("postings, title", POSTINGS_TITLE),
    ("postings, count", POSTINGS_COUNT),
    ("postings to find", FIND_POSTINGS),
    ("postings to find by title", FIND_TITLES),
    ("runs to find", FIND_RUNS),
    ("posting", POSTING),
    ("card fields", CARD_FIELDS),
    ("runs", RUNS),
    ("job id of", JOB_ID_OF),
    ("runs, count", RUNS_COUNT),
    ("running", RUNNING),
    ("running, count", RUNNING_COUNT),
    ("runs found", RUNS_FOUND),
    ("history of a node", NODE_HISTORY),
    ("feed", FEED),
    ("feed at", FEED_AT),
    ("epoch before", EPOCH_BEFORE),
    ("epoch of gaps before", GAP_EPOCH_BEFORE),
    ("offsets", OFFSETS),
    ("gaps", GAPS),
    ("body of an event", EVENT_BODY),
    ("run", RUN),
    ("latest run", LATEST_RUN),
    ("life of a posting", LIFE_OWN),
    ("looks of a life", LIFE_LOOKS),
    ("versions of a life", LIFE_VERSIONS),
    ("capture of a life", LIFE_CAPTURE),
    ("same employer", SAME_EMPLOYER),
    ("latest assessed", LATEST_ASSESSED),
    ("latest fingerprint", LATEST_FINGERPRINT),
    ("fingerprints", FINGERPRINTS),
    ("first seen", FIRST_SEEN),
    ("stream", STREAM),
    ("stream of the hub", HUB_STREAM),
    ("streams of the hub", HUB_STREAMS),
    ("streams of a feed", FEED_STREAMS),
    ("events for sending", LOG_EVENTS),
    ("published", PUBLISHED),
    ("log of a feed", FEED_LOG),
    ("gaps of a feed", FEED_GAPS),
    ("rows in quarantine", QUARANTINE_ROWS),
    ("quarantined", QUARANTINED),
    ("quarantine", QUARANTINE),
    ("events", EVENTS),
    ("events, count", EVENTS_COUNT),
    ("extent", EXTENT),
    ("events after", EVENTS_AFTER),
    ("observations", OBSERVATIONS),
    ("observation", OBSERVATION),
    ("drafts", DRAFTS),
    ("model's answer", MODEL_ANSWER),
    ("commits", COMMITS),
    ("history", HISTORY),
    ("history, count", HISTORY_COUNT),
    ("last commit", LAST_COMMIT),
    ("timeline", TIMELINE),
    ("timeline, count", TIMELINE_COUNT),
    ("outlines", OUTLINES),
    ("outlines, chunks", OUTLINE_CHUNKS),
    ("outlines, last", LAST_OUTLINES),
    ("commit", COMMIT),
    ("place of an archived version", ARCHIVE_PLACE),
    ("versions to archive", ARCHIVABLE),
    ("heads of branches", BRANCH_HEADS),
    ("values of a change", CHANGE_VALUES),
    ("branches", BRANCHES),
    ("branch", BRANCH),
    ("branches, count", BRANCHES_COUNT),
    ("checked out", CHECKOUT),
    ("commit by key", COMMIT_BY_KEY),
    ("posting by key", POSTING_BY_KEY),
    ("posting known", POSTING_KNOWN),
    ("visible layer", LAYER_VISIBLE),
    ("source layer", LAYER_SOURCE),
    ("bytes", BYTES),
    ("capture", CAPTURE),
    ("outbox, load", OUTBOX_LOAD),
    ("outbox, counts", OUTBOX_COUNTS),
    ("outbox, total", OUTBOX_TOTAL),
    ("outbox, page", OUTBOX_PAGE),
    ("outbox, runs not queued", OUTBOX_UNQUEUED),
    ("outbox, run is due", OUTBOX_DUE),
    ("outbox, run", OUTBOX_RUN),
    ("outbox, run was queued", OUTBOX_QUEUED),
    ("postings for export", EXPORT_POSTINGS),
    ("postings for export, same moment", EXPORT_POSTINGS_SAME),
    ("fields for export", EXPORT_FIELDS),
    ("changes for export", EXPORT_CHANGES),
    ("events for export", EXPORT_EVENTS),
    ("events of a stream for export", EXPORT_EVENTS_OF),
    ("captures for a bundle", BUNDLE_CAPTURES),
    ("runs for a bundle", BUNDLE_RUNS),
    ("capture for a bundle", BUNDLE_CAPTURE),
    ("content", CONTENT),
    ("keys of a posting", KEYS_OF),
    ("arrivals for a bundle", BUNDLE_SEQS),
    ("event for a bundle", BUNDLE_EVENT),
    ("observations for a bundle", BUNDLE_OBSERVATIONS),
    ("content for a bundle, size", BUNDLE_CONTENT_SIZE),
    ("events for a bundle, size", BUNDLE_EVENTS_SIZE),
    ("observations for a bundle, size", BUNDLE_OBSERVATIONS_SIZE),
    ("commits for a bundle, size", BUNDLE_COMMITS_SIZE),
    ("key of a commit", COMMIT_KEY),
    ("heads", HEADS),
    ("postings of an employer", OF_EMPLOYER),
    ("precedents", PRECEDENTS),
    ("accepted", ACCEPTED),
    ("dismissed of a kind", DISMISSED_OF_KIND),
    ("dismissed", DISMISSED),
    ("dismissals, trim", DISMISSALS_TRIM),
    ("judgements", JUDGEMENTS),
    ("accuracy of a field", ACCURACY_OF),
];
