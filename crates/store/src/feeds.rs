//! The feeds that somebody set up, or watched once.

use crate::{
    error::StoreError,
    open::Store,
    outbox, sql, streams,
    writer::{Batch, Pending},
};
use ghostlight_model::Micros;
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};

/// Feeds that can be set up; one more is refused.
pub const FEEDS_MAX: usize = 200;
/// Characters of a feed's name.
const NAME_CHARS_MAX: usize = 80;

/// A feed as it is stored. Its token is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    /// Its number; never used again.
    pub id: i64,
    /// What a person set; the kind also once it was found out.
    pub settings: FeedSettings,
    /// The origin under which its streams stand, once the kind is known.
    pub origin: Option<String>,
    /// When it was set up.
    pub added: Micros,
    /// When it was last connected.
    pub last_connected: Option<Micros>,
}

impl Feed {
    /// The name under which its streams, its quarantine and its outbox stand, once the kind is known.
    pub fn stored_as(&self) -> Option<&str> {
        self.origin.as_deref().and_then(streams::feed_of)
    }

    /// Whether it is still the same source with these settings: address and system make it one.
    fn is_still(&self, settings: &FeedSettings) -> bool {
        self.settings.url == settings.url
            && (settings.kind.is_none() || settings.kind == self.settings.kind)
    }
}

/// What a person can set of a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedSettings {
    /// What people call it, 1 to 80 characters.
    pub name: String,
    /// Its address, without credentials.
    pub url: String,
    /// Which system; `None` finds out.
    pub kind: Option<String>,
    /// Whether the application connects to it.
    pub enabled: bool,
    /// Whether runs that end here are sent to it.
    pub publish: bool,
    /// The transports of a hub that may be used, by commas; `None` for all.
    pub transport: Option<String>,
    /// What moves by its events is drawn anew at most once in so many ms; `None` as often as anything else.
    pub refresh_ms: Option<u32>,
}

impl Store {
    /// The feeds, in the order in which they were set up.
    pub fn feeds(&self) -> Result<Vec<Feed>, StoreError> {
        self.reading(|c| {
            let mut statement = c.prepare_cached(sql::FEEDS)?;
            let rows = statement.query_map([], feed)?;
            rows.collect()
        })
    }

    /// A feed by its number.
    pub fn feed(&self, id: i64) -> Result<Option<Feed>, StoreError> {
        self.reading(|c| one(c, sql::FEED, id))
    }

    /// The feed at an address (without credentials).
    pub fn feed_at(&self, url: &str) -> Result<Option<Feed>, StoreError> {
        self.reading(|c| one(c, sql::FEED_AT, url))
    }

    /// Sets up a feed; answers its number.
    ///
    /// # Errors
    /// [`StoreError::Refused`] if there is one at this address, the name is empty or too long, or there are
    /// [`FEEDS_MAX`].
    pub fn add_feed(&self, settings: FeedSettings, now: Micros) -> Pending<i64> {
        self.writer().submit(move |batch| {
            check(batch, &settings, None)?;
            let count = || -> rusqlite::Result<i64> {
                batch
                    .tx
                    .query_row("SELECT count(*) FROM feed", [], |row| row.get(0))
            };
            if count().map_err(|e| batch.sqlite(&e))? >= FEEDS_MAX as i64 {
                return Err(StoreError::Refused(format!(
                    "there are {FEEDS_MAX} feeds already; remove one first"
                )));
            }
            let id = insert(batch, &settings, now).map_err(|e| batch.sqlite(&e))?;
            batch.touched.everything();
            Ok(id)
        })
    }

    /// Changes a feed. Another address or system is another source: its streams begin anew.
    ///
    /// # Errors
    /// As [`Store::add_feed`], and [`StoreError::NotFound`]. [`StoreError::Refused`] also if it would be another source
    /// while entries of the outbox wait for this one.
    pub fn change_feed(&self, id: i64, settings: FeedSettings) -> Pending<()> {
        self.writer().submit(move |batch| {
            check(batch, &settings, Some(id))?;
            let before = one(batch.tx, sql::FEED, id).map_err(|e| batch.sqlite(&e))?;
            let before = before.ok_or_else(|| StoreError::NotFound(format!("feed {id}")))?;
            let same = before.is_still(&settings);
            if !same {
                nothing_waits_for(batch, &before)?;
            }
            update(batch, id, &settings, same).map_err(|e| batch.sqlite(&e))?;
            batch.touched.everything();
            Ok(())
        })
    }

    /// Removes a feed. What it sent stays stored.
    ///
    /// # Errors
    /// [`StoreError::Refused`] while entries of the outbox wait for it.
    pub fn remove_feed(&self, id: i64) -> Pending<()> {
        self.writer().submit(move |batch| {
            if let Some(feed) = one(batch.tx, sql::FEED, id).map_err(|e| batch.sqlite(&e))? {
                nothing_waits_for(batch, &feed)?;
            }
            batch
                .tx
                .execute("DELETE FROM feed WHERE id = ?1", [id])
                .map_err(|e| batch.sqlite(&e))?;
            batch.touched.everything();
            Ok(())
        })
    }

    /// Remembers which system is at an address, and the name (`feed`) under which its streams stand. A feed that
    /// nobody set up is kept too, switched off, so that its runs have a source with a name.
    pub fn identify_feed(&self, url: String, kind: String, feed: &str, now: Micros) -> Pending<()> {
        let origin = streams::origin_of(feed);
        self.writer().submit(move |batch| {
            let identify = || -> rusqlite::Result<()> {
                let known = batch
                    .tx
                    .prepare_cached(
                        "UPDATE feed SET kind = ?2, origin = ?3,
                         cursor = CASE WHEN origin = ?3 THEN cursor END
                     WHERE url = ?1",
                    )?
                    .execute(params![url, kind, origin])?;
                if known == 0 {
                    batch
                        .tx
                        .prepare_cached(
                            "INSERT INTO feed (name, url, kind, enabled, origin, added)
                         VALUES (?1, ?2, ?3, 0, ?4, ?5)",
                        )?
                        .execute(params![shown_name(&url), url, kind, origin, now.0])?;
                }
                Ok(())
            };
            identify().map_err(|e| batch.sqlite(&e))?;
            batch.touched.everything();
            Ok(())
        })
    }

    /// Where an event stream without offsets goes on, as the last [`Received::Cursor`](crate::Received) said.
    pub fn feed_cursor(&self, url: &str) -> Result<Option<String>, StoreError> {
        self.reading(|c| {
            let cursor: Option<Option<String>> = c
                .prepare_cached("SELECT cursor FROM feed WHERE url = ?1")?
                .query_row([url], |row| row.get(0))
                .optional()?;
            Ok(cursor.flatten())
        })
    }

    /// Remembers when a feed was last connected.
    pub fn put_feed_connected(&self, id: i64, at: Micros) -> Pending<()> {
        self.writer().submit_light(move |batch| {
            batch
                .tx
                .prepare_cached("UPDATE feed SET last_connected = ?2 WHERE id = ?1")
                .and_then(|mut s| s.execute((id, at.0)))
                .map_err(|e| batch.sqlite(&e))?;
            Ok(())
        })
    }
}

fn insert(batch: &Batch<'_>, settings: &FeedSettings, now: Micros) -> rusqlite::Result<i64> {
    let FeedSettings {
        name,
        url,
        kind,
        enabled,
        publish,
        transport,
        refresh_ms,
    } = settings;
    batch
        .tx
        .prepare_cached(
            "INSERT INTO feed (name, url, kind, enabled, publish, transport, refresh_ms, added)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            name, url, kind, enabled, publish, transport, refresh_ms, now.0
        ])?;
    Ok(batch.tx.last_insert_rowid())
}

/// Another source (`same` is false) has neither streams nor a place in them yet.
fn update(
    batch: &Batch<'_>,
    id: i64,
    settings: &FeedSettings,
    same: bool,
) -> rusqlite::Result<usize> {
    let FeedSettings {
        name,
        url,
        kind,
        enabled,
        publish,
        transport,
        refresh_ms,
    } = settings;
    batch
        .tx
        .prepare_cached(
            "UPDATE feed SET name = ?2, url = ?3, kind = ?4, enabled = ?5, publish = ?6, transport = ?7,
                 refresh_ms = ?8, origin = CASE WHEN ?9 THEN origin END, cursor = CASE WHEN ?9 THEN cursor END
             WHERE id = ?1",
        )?
        .execute(params![
            id, name, url, kind, enabled, publish, transport, refresh_ms, same
        ])
}

/// What waits for a hub is dropped by a person's decision only, entry by entry (SPEC C6).
fn nothing_waits_for(batch: &Batch<'_>, feed: &Feed) -> Result<(), StoreError> {
    let Some(hub) = feed.stored_as() else {
        return Ok(());
    };
    let counts = outbox::counts(batch.tx, hub).map_err(|e| batch.sqlite(&e))?;
    match counts.waiting + counts.held {
        0 => Ok(()),
        n => Err(StoreError::Refused(format!(
            "{n} of the outbox's entries wait for {}; let them be sent, or discard them in the outbox",
            feed.settings.name
        ))),
    }
}

fn one(c: &Connection, statement: &str, by: impl ToSql) -> rusqlite::Result<Option<Feed>> {
    c.prepare_cached(statement)?
        .query_row([by], feed)
        .optional()
}

fn check(batch: &Batch<'_>, settings: &FeedSettings, own: Option<i64>) -> Result<(), StoreError> {
    let chars = settings.name.trim().chars().count();
    if chars == 0 || chars > NAME_CHARS_MAX {
        return Err(StoreError::Refused(format!(
            "a feed's name has 1 to {NAME_CHARS_MAX} characters, this one has {chars}"
        )));
    }
    let there = one(batch.tx, sql::FEED_AT, &settings.url).map_err(|e| batch.sqlite(&e))?;
    let namesake = batch
        .tx
        .prepare_cached("SELECT 1 FROM feed WHERE name = ?1 AND id IS NOT ?2")
        .and_then(|mut s| s.exists(params![settings.name, own]))
        .map_err(|e| batch.sqlite(&e))?;
    if namesake {
        return Err(StoreError::Refused(format!(
            "another feed is called {}; give this one a name of its own",
            settings.name
        )));
    }
    match there {
        Some(feed) if Some(feed.id) != own => Err(StoreError::Refused(format!(
            "the feed {} is at this address already",
            feed.settings.name
        ))),
        _ => Ok(()),
    }
}

/// Host and port of an address, for a feed that nobody named.
fn shown_name(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split(['/', '?']).next().unwrap_or(rest);
    host.chars().take(NAME_CHARS_MAX).collect()
}

fn feed(row: &Row<'_>) -> rusqlite::Result<Feed> {
    Ok(Feed {
        id: row.get(0)?,
        settings: FeedSettings {
            name: row.get(1)?,
            url: row.get(2)?,
            kind: row.get(3)?,
            enabled: row.get(4)?,
            publish: row.get(5)?,
            transport: row.get(6)?,
            refresh_ms: row.get(7)?,
        },
        origin: row.get(8)?,
        added: Micros(row.get(9)?),
        last_connected: row.get::<_, Option<i64>>(10)?.map(Micros),
    })
}
