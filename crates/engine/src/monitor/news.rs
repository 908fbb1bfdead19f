//! What becomes of a feed's news, on the thread of the feed: its board, the digest of an absence, notifications, and the
//! word to the window that something changed.

use super::{Shared, is_proven, lock};
use crate::{
    attention::FeedName,
    board::{Board, CatchUp, Word},
    digest::Digest,
    feeds::{News, Watching},
    outbox::Told,
};
use ghostlight_api::view::{DIGEST_RUNS_MAX, LinkState, Notice};
use ghostlight_feed::{
    Ended,
    connection::{State, Status, Transport},
};
use ghostlight_model::{
    Micros, RunId,
    run::{RunLine, RunStatus},
    sentence,
};
use ghostlight_store::{Feed, StoreError};
use std::time::Duration;

/// How often a feed's time of connection is remembered while it is connected.
const REMEMBER_EVERY_US: i64 = 30_000_000;
/// How long a feed's thread waits for news before it looks at the clock.
const TICK: Duration = Duration::from_secs(1);

impl Shared {
    /// Takes news until the feed ends.
    pub(super) fn serve(&self, feed: &Feed, watching: &Watching) {
        let mut kind = feed.settings.kind.clone();
        let mut remembered = Micros(0);
        loop {
            let news = watching.next(Some(TICK));
            let now = self.host.now();
            if self.link_state(feed.id).is_some_and(LinkState::is_up)
                && now.0 - remembered.0 >= REMEMBER_EVERY_US
            {
                remembered = now;
                // It only makes the next digest exact; nothing waits for it.
                drop(self.store.put_feed_connected(feed.id, now));
            }
            let proven = is_proven(kind.as_deref());
            let settled = self.on_board(feed.id, |board| board.settled(proven, now));
            let has_settled = settled.is_some();
            self.told(feed, settled, now);
            match news {
                // Only a rate changes by itself.
                None if !has_settled && !self.is_counting(feed.id, now) => continue,
                None => {}
                Some(News::Stop) => {
                    let was_up = self.link_state(feed.id).is_some_and(LinkState::is_up);
                    if was_up {
                        let _ = self.store.put_feed_connected(feed.id, now).wait();
                    }
                    self.attending
                        .connection(&*self.host, &name_of(feed), &gone());
                    return self.end(feed.id, LinkState::Off, None);
                }
                Some(News::Ended(ended)) => {
                    let state = match &ended {
                        Ended::Refused(_) => LinkState::Refused,
                        _ => LinkState::Stopped,
                    };
                    return self.end(feed.id, state, Some(sentence(&ended.to_string())));
                }
                Some(News::Failed(error)) => {
                    self.host.notice(&crate::host::trouble(
                        &format!("{} is stopped", feed.settings.name),
                        &error,
                    ));
                    return self.end(feed.id, LinkState::Stopped, Some(error.to_string()));
                }
                Some(News::Outbox(told)) => self.outbox(feed, &told),
                Some(News::Sent { id, outcome }) => self.sending.answered(feed.id, id, outcome),
                Some(News::Feed { kind: found, .. }) => {
                    kind = Some(found.word().to_owned());
                    // Its runs have a name from now on.
                    self.set_paces();
                    self.count_quarantine(feed.id);
                }
                Some(News::Status(status)) => {
                    let next_try = status
                        .next_try_at
                        .map(|at| Micros(now.0 + watching.until(at).as_micros() as i64));
                    self.status(feed, &status, next_try, proven, now);
                }
                Some(News::Stored(count)) => {
                    self.on_board(feed.id, |board| {
                        board.stored(&count, now);
                        None
                    });
                }
                Some(News::Delayed(delays)) => {
                    self.on_board(feed.id, |board| {
                        board.delayed(delays);
                        None
                    });
                }
                Some(News::CaughtUp) => {
                    let word = self.on_board(feed.id, Board::caught_up);
                    self.told(feed, word, now);
                }
                Some(News::Quarantined(_)) => self.count_quarantine(feed.id),
                Some(News::Notice(text)) => self.host.notice(&Notice {
                    kind: "warning".into(),
                    title: feed.settings.name.clone(),
                    body: sentence(&text),
                }),
            }
            self.ping();
        }
    }

    fn status(
        &self,
        feed: &Feed,
        status: &Status,
        next_try: Option<Micros>,
        proven: bool,
        now: Micros,
    ) {
        self.attending
            .connection(&*self.host, &name_of(feed), status);
        let was_up = self.link_state(feed.id).is_some_and(LinkState::is_up);
        let word = self.on_board(feed.id, |board| board.status(status, next_try, proven, now));
        let is_up = self.link_state(feed.id).is_some_and(LinkState::is_up);
        if was_up && !is_up {
            drop(self.store.put_feed_connected(feed.id, now));
        }
        if was_up != is_up {
            lock(&self.desk).sources_changed();
        }
        self.told(feed, word, now);
    }

    /// What a person has to know of what is sent to the hub; the rest is on the screen.
    fn outbox(&self, feed: &Feed, told: &Told) {
        let notice = |kind: &str, title: String, body: String| {
            self.host.notice(&Notice {
                kind: kind.into(),
                title,
                body,
            });
        };
        match told {
            Told::Held { entry, held, .. } => notice(
                "error",
                format!("{} did not take {}", feed.settings.name, entry.what),
                format!(
                    "{} It waits in the outbox until you try it again or discard it.",
                    sentence(&held.message)
                ),
            ),
            Told::NotQueued(why) => notice(
                "warning",
                format!("Not queued for {}", feed.settings.name),
                sentence(&why.to_string()),
            ),
            Told::CannotDiscard { .. } => notice(
                "warning",
                "This entry is on its way".into(),
                "It can be discarded once the hub has answered, if it does not take it.".into(),
            ),
            Told::Delivered { .. }
            | Told::Released { .. }
            | Told::Discarded { .. }
            | Told::Retrying(_) => {}
        }
    }

    fn told(&self, feed: &Feed, word: Option<Word>, now: Micros) {
        match word {
            None => {}
            Some(Word::Restored) => self.host.notice(&Notice {
                kind: "success".into(),
                title: format!("Connection to {} restored", feed.settings.name),
                body: "This feed does not number its events, so what it sent meanwhile may be missing.".into(),
            }),
            Some(Word::CaughtUp(caught)) => {
                self.caught_up(feed, &caught, now);
                self.add_digest(feed, caught, true, now);
            }
            Some(Word::Settled(caught)) => self.add_digest(feed, caught, false, now),
        }
    }

    /// A message after an absence.
    fn caught_up(&self, feed: &Feed, caught: &CatchUp, now: Micros) {
        if caught.from.is_none() {
            return;
        }
        let took_ms = (now.0 - caught.began.0).max(0) as f64 / 1_000.0;
        let body = caught_up_words(caught, took_ms);
        let title = format!("Connection to {} restored", feed.settings.name);
        let kind = if caught.missing > 0 {
            "warning"
        } else {
            "success"
        };
        self.host.notice(&Notice {
            kind: kind.into(),
            title,
            body,
        });
    }

    /// After an absence that was no moment: what happened meanwhile. Of a feed that does not number its events also that
    /// nothing came is worth telling, because something may be missing.
    fn add_digest(&self, feed: &Feed, caught: CatchUp, proven: bool, now: Micros) {
        let Some(from) = caught.from else { return };
        let away_us = u64::try_from(caught.began.0.saturating_sub(from.0)).unwrap_or(0);
        let is_short = Duration::from_micros(away_us) < self.digest_after;
        if is_short || (proven && caught.events + caught.missing == 0) {
            return;
        }
        match self.digest(feed, caught, (from, proven), now) {
            Ok(Some(digest)) => lock(&self.digests).add(digest),
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "the digest could not be made"),
        }
    }

    /// `None` if all that came is what was published from here.
    fn digest(
        &self,
        feed: &Feed,
        caught: CatchUp,
        (from, proven): (Micros, bool),
        now: Micros,
    ) -> Result<Option<Digest>, StoreError> {
        let known = self.store.feed(feed.id)?;
        let origin = known.and_then(|feed| feed.origin).unwrap_or_default();
        let mut digest = Digest {
            source: feed.settings.name.clone(),
            until: now,
            began: 0,
            finished: 0,
            failed: 0,
            runs: Vec::new(),
            caught,
            proven,
        };
        let mut lines = Vec::new();
        let mut ours = 0;
        for stream in &digest.caught.streams {
            let run = RunId::of_stream(&origin, stream);
            if stream.run().is_none() {
                continue;
            }
            if self.store.outbox_came_back(&run)? {
                ours += 1;
                continue;
            }
            if let Some(state) = self.store.run(&run)? {
                lines.push(RunLine::of(&state));
            }
        }
        if ours > 0 && ours == digest.caught.streams.len() && digest.caught.missing == 0 {
            return Ok(None);
        }
        for line in &lines {
            digest.began += u32::from(line.started >= from);
            match (line.status, line.ended.is_some_and(|at| at >= from)) {
                (RunStatus::Finished, true) => digest.finished += 1,
                (RunStatus::Failed, true) => digest.failed += 1,
                _ => {}
            }
        }
        // What failed first, then the latest.
        lines.sort_by_key(|line| {
            (
                line.status != RunStatus::Failed,
                std::cmp::Reverse(line.updated),
            )
        });
        let shown = lines.into_iter().take(DIGEST_RUNS_MAX);
        digest.runs = shown.map(|line| line.run_id).collect();
        Ok(Some(digest))
    }

    /// How often what moves by each feed's events is drawn.
    pub(super) fn set_paces(&self) {
        let feeds = match self.store.feeds() {
            Ok(feeds) => feeds,
            // They move as fast as before; whoever reads the feeds says why they cannot be read.
            Err(error) => return tracing::warn!(%error, "the feeds' own paces cannot be read"),
        };
        let paces = feeds.into_iter().filter_map(|feed| {
            let ms = feed.settings.refresh_ms?;
            Some((feed.origin?, u64::from(ms)))
        });
        lock(&self.desk).set_paces(paces.collect());
    }

    fn count_quarantine(&self, id: i64) {
        let count = || -> Option<u64> {
            let feed = self.store.feed(id).ok()??;
            self.store.quarantined(feed.stored_as()?).ok()
        };
        if let Some(in_all) = count() {
            self.on_board(id, |board| {
                board.quarantined(in_all);
                None
            });
        }
    }

    pub(super) fn end(&self, id: i64, state: LinkState, why: Option<String>) {
        let now = self.host.now();
        self.sending.ended(id);
        self.on_board(id, |board| {
            board.ended(state, why, now);
            None
        });
        lock(&self.desk).sources_changed();
        self.ping();
    }

    pub(super) fn on_board(
        &self,
        id: i64,
        change: impl FnOnce(&mut Board) -> Option<Word>,
    ) -> Option<Word> {
        lock(&self.boards).get_mut(&id).and_then(change)
    }

    fn is_counting(&self, id: i64, now: Micros) -> bool {
        lock(&self.boards)
            .get(&id)
            .is_some_and(|board| board.is_counting(now))
    }

    pub(super) fn link_state(&self, id: i64) -> Option<LinkState> {
        let now = self.host.now();
        lock(&self.boards)
            .get(&id)
            .map(|board| board.link(now).state)
    }

    pub(super) fn ping(&self) {
        let ping = lock(&self.desk).feeds_changed();
        if let Some(ping) = ping {
            self.host.ping(&ping);
        }
    }
}

fn name_of(feed: &Feed) -> FeedName {
    FeedName {
        id: feed.id,
        name: feed.settings.name.clone(),
    }
}

/// The status of a feed that was switched off or taken away: nobody misses it.
fn gone() -> Status {
    Status {
        state: State::Disconnected,
        transport: Transport::WebSocket,
        attempt: 0,
        next_try_at: None,
        connected_at: None,
        last_error: None,
        latency_ms: None,
    }
}

fn caught_up_words(caught: &CatchUp, took_ms: f64) -> String {
    let events = match caught.events {
        0 => "No event arrived".to_owned(),
        1 => format!("1 event caught up in {took_ms:.0} ms"),
        n => format!("{n} events caught up in {took_ms:.0} ms"),
    };
    match caught.missing {
        0 => format!("{events}; nothing is missing."),
        n => format!("{events}; {n} are not on the server any more."),
    }
}
