//! Between the connections and the log: [`Board`] hands out hints, reads pages and appends; a [`Mailbox`] is where a
//! connection finds what is for it.
//!
//! No connection keeps another waiting. Hints are merged in the mailbox and bounded; reads are one at a time a
//! connection, on the runtime's few blocking threads, and what several follow is read once for all ([`Recent`]); appends go through one thread to the store and are answered by
//! another in the order of their transactions, which is when they are durable.

use super::recent::{self, Recent};
use crate::{Hub, Subscription};
use ghostlight_model::{Epoch, Micros, Offset, StreamId};
use ghostlight_store::{Changes, Pending, Published, StoreError, StreamInfo};
use ghostlight_sync::{
    frame::{Accepted, Body, Position, Refused, code},
    names::Pattern,
    session::{LogEvent, Page},
};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
        mpsc::{self, Receiver, SyncSender},
    },
    thread,
    time::Duration,
};
use tokio::sync::Notify;

/// Streams that grew, kept for a connection that is busy; beyond, it is told to look at all of its streams.
const HINTS_MAX: usize = 1_024;
/// Appends on their way to the store; beyond, the publisher is asked to try again.
const APPENDS_MAX: usize = 4_096;
/// Bytes of them; beyond, the publisher is asked to try again.
const APPEND_BYTES_MAX: usize = 64 << 20;
/// When a publisher may try again, in milliseconds: some commits later.
const BUSY_RETRY_MS: u64 = 500;
/// The same after trouble with the disk, which somebody has to look at.
const TROUBLE_RETRY_MS: u64 = 5_000;
/// Connections that want a stream, from which on its new events are read once for all of them.
const SHARED_MIN: usize = 2;
/// Events of one such read; after more at once each connection reads for itself.
const SHARED_EVENTS_MAX: usize = 8_192;
/// How often the thread for hints looks whether the server still runs.
const LOOK: Duration = Duration::from_millis(250);

/// The wall clock, in UTC microseconds; the shell brings it.
pub type Clock = fn() -> Micros;

/// Something the log answers a connection.
#[derive(Debug)]
pub(super) enum Reply {
    Page {
        request: u64,
        page: Page,
    },
    Listed {
        request: u64,
        streams: Vec<StreamId>,
        more: bool,
    },
    Published {
        key: String,
        result: Result<Accepted, Refused>,
    },
    Failed(String),
}

/// What waits for one connection.
#[derive(Debug, Default)]
pub(super) struct Mail {
    pub grown: BTreeMap<StreamId, (Epoch, Offset)>,
    pub hints_lost: bool,
    pub replies: Vec<Reply>,
    pub stop: bool,
    /// A token is good no more; maybe that of this connection.
    pub revoked: bool,
}

#[derive(Debug, Default)]
struct Inside {
    mail: Mail,
    interest: Vec<Pattern>,
}

/// Where a connection finds what is for it. Replies in it are as many as it asked for.
#[derive(Debug, Default)]
pub(super) struct Mailbox {
    inside: Mutex<Inside>,
    arrived: Notify,
}

impl Mailbox {
    /// Waits until there is mail.
    pub async fn arrived(&self) {
        self.arrived.notified().await;
    }

    pub fn take(&self) -> Mail {
        std::mem::take(&mut self.lock().mail)
    }

    /// What the connection wants hints about, from now on.
    pub fn want<'a, I: Iterator<Item = &'a Pattern>>(&self, patterns: impl Fn() -> I) {
        let mut inside = self.lock();
        // Asked after every frame, and hardly ever different.
        if !patterns().eq(inside.interest.iter()) {
            inside.interest = patterns().cloned().collect();
        }
    }

    fn wants(&self, stream: &StreamId) -> bool {
        self.lock().interest.iter().any(|one| one.takes(stream))
    }

    fn put(&self, change: impl FnOnce(&mut Mail)) {
        change(&mut self.lock().mail);
        self.arrived.notify_one();
    }

    fn grown(&self, info: &StreamInfo) {
        self.put(|mail| {
            mail.grown
                .insert(info.stream.clone(), (info.epoch, info.head));
            if mail.grown.len() > HINTS_MAX {
                mail.grown.clear();
                mail.hints_lost = true;
            }
        });
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        lock(&self.inside)
    }
}

/// Bodies on their way to the store.
struct Append {
    key: String,
    stream: StreamId,
    bodies: Vec<String>,
    bytes: usize,
    to: Weak<Mailbox>,
}

/// An append that waits for its transaction.
struct Waiting {
    key: String,
    bytes: usize,
    pending: Pending<Published>,
    to: Weak<Mailbox>,
}

/// The server's side of the log.
pub(super) struct Board {
    hub: Hub,
    mailboxes: Mutex<Vec<Weak<Mailbox>>>,
    appends: SyncSender<Append>,
    append_bytes: Arc<AtomicUsize>,
    stopping: AtomicBool,
    recent: Mutex<Recent>,
    /// Pages read from the log.
    pages: AtomicU64,
}

impl Board {
    /// Starts its threads; they end when it is dropped.
    ///
    /// # Errors
    /// If the system gives no threads.
    pub fn start(hub: Hub, clock: Clock) -> std::io::Result<Arc<Self>> {
        let (appends, to_append) = mpsc::sync_channel(APPENDS_MAX);
        let (waiting, to_answer) = mpsc::sync_channel(APPENDS_MAX);
        let append_bytes = Arc::new(AtomicUsize::new(0));
        let hints = hub.subscribe();
        let board = Arc::new(Self {
            hub: hub.clone(),
            mailboxes: Mutex::default(),
            appends,
            append_bytes: Arc::clone(&append_bytes),
            stopping: AtomicBool::new(false),
            recent: Mutex::default(),
            pages: AtomicU64::new(0),
        });
        let weak = Arc::downgrade(&board);
        let named = |name: &str| thread::Builder::new().name(name.to_owned());
        named("hub-hints").spawn(move || pass_on_hints(&weak, &hints))?;
        named("hub-append").spawn(move || append(&hub, clock, &to_append, &waiting))?;
        named("hub-answer").spawn(move || answer(&to_answer, &append_bytes))?;
        Ok(board)
    }

    /// A mailbox for a new connection. It gets hints until it is dropped.
    pub fn mailbox(&self) -> Arc<Mailbox> {
        let mailbox = Arc::new(Mailbox::default());
        lock(&self.mailboxes).push(Arc::downgrade(&mailbox));
        if self.stopping.load(Ordering::SeqCst) {
            mailbox.put(|mail| mail.stop = true);
        }
        mailbox
    }

    /// Tells every connection, now and later, that the server stops.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        for mailbox in self.mailboxes() {
            mailbox.put(|mail| mail.stop = true);
        }
    }

    /// Lets every connection see whether its token is still good.
    pub fn revoked(&self) {
        for mailbox in self.mailboxes() {
            mailbox.put(|mail| mail.revoked = true);
        }
    }

    /// Whether the log can be read.
    ///
    /// # Errors
    /// As the store says.
    pub fn check(&self) -> Result<(), StoreError> {
        self.hub.store().streams("", None, 1).map(drop)
    }

    /// Streams by name. As [`ghostlight_store::Store::streams`].
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn streams(
        &self,
        prefix: &str,
        after: Option<&StreamId>,
        limit: usize,
    ) -> Result<Vec<StreamInfo>, StoreError> {
        self.hub.store().streams(prefix, after, limit)
    }

    /// A page that was read for others, of `known` or newer. Never waits for the disk.
    pub fn recent(
        &self,
        (stream, from): (&StreamId, Offset),
        most: (usize, usize),
        known: Position,
    ) -> Option<Page> {
        lock(&self.recent).page(stream, from, most, known)
    }

    /// Reads a page into the mailbox; one that others were given, if it is of `known` or newer.
    pub fn read(
        &self,
        to: &Mailbox,
        request: u64,
        (stream, from): (&StreamId, Offset),
        most: (usize, usize),
        known: Option<Position>,
    ) {
        // Asked again: while this waited for its turn, another one may have read it.
        let page = known.and_then(|known| self.recent((stream, from), most, known));
        let reply = match page.map_or_else(|| self.page(stream, from, most), Ok) {
            Ok(page) => Reply::Page { request, page },
            Err(error) => Reply::Failed(error.to_string()),
        };
        to.put(|mail| mail.replies.push(reply));
    }

    /// Reads a page of the log, and leaves it for others.
    fn page(
        &self,
        stream: &StreamId,
        from: Offset,
        (max_events, max_bytes): (usize, usize),
    ) -> Result<Page, StoreError> {
        let changes = lock(&self.recent).changes();
        let page = self.log_page(stream, from, (max_events, max_bytes))?;
        let Some(page) = page else {
            return Ok(Page::none());
        };
        lock(&self.recent).found(stream, from, &page, changes);
        Ok(page)
    }

    fn log_page(
        &self,
        stream: &StreamId,
        from: Offset,
        (max_events, max_bytes): (usize, usize),
    ) -> Result<Option<Page>, StoreError> {
        self.pages.fetch_add(1, Ordering::Relaxed);
        let store = self.hub.store();
        let page = store.stream_page(stream, from, max_events, max_bytes)?;
        Ok(page.map(page_of))
    }

    /// Lists names into the mailbox.
    pub fn list(
        &self,
        to: &Mailbox,
        request: u64,
        (prefix, after): (&str, Option<&StreamId>),
        limit: usize,
    ) {
        let reply = match self.streams(prefix, after, limit + 1) {
            Ok(found) => {
                let more = found.len() > limit;
                let streams = found
                    .into_iter()
                    .take(limit)
                    .map(|info| info.stream)
                    .collect();
                Reply::Listed {
                    request,
                    streams,
                    more,
                }
            }
            Err(error) => Reply::Failed(error.to_string()),
        };
        to.put(|mail| mail.replies.push(reply));
    }

    /// Appends; the answer comes into the mailbox when it is durable. Never waits.
    pub fn append(&self, to: &Arc<Mailbox>, key: String, stream: StreamId, bodies: &[Body]) {
        let bytes = bodies.iter().map(|body| body.get().len()).sum();
        let before = self.append_bytes.fetch_add(bytes, Ordering::SeqCst);
        let append = Append {
            key: key.clone(),
            stream,
            bodies: bodies.iter().map(|body| body.get().to_owned()).collect(),
            bytes,
            to: Arc::downgrade(to),
        };
        // One alone is always let in, however large.
        let room = before == 0 || before + bytes <= APPEND_BYTES_MAX;
        if !room || self.appends.try_send(append).is_err() {
            self.append_bytes.fetch_sub(bytes, Ordering::SeqCst);
            let refused = Refused {
                key: key.clone(),
                code: code::BUSY.to_owned(),
                message: "too many publishes wait for the disk".to_owned(),
                retry: true,
                retry_after_ms: Some(BUSY_RETRY_MS),
            };
            let reply = Reply::Published {
                key,
                result: Err(refused),
            };
            to.put(|mail| mail.replies.push(reply));
        }
    }

    /// Sessions that are open.
    pub fn sessions(&self) -> usize {
        self.mailboxes().len()
    }

    /// Pages read from the log since the start.
    pub fn pages_read(&self) -> u64 {
        self.pages.load(Ordering::Relaxed)
    }

    fn mailboxes(&self) -> Vec<Arc<Mailbox>> {
        let mut mailboxes = lock(&self.mailboxes);
        let mut living = Vec::with_capacity(mailboxes.len());
        mailboxes.retain(|one| one.upgrade().map(|one| living.push(one)).is_some());
        living
    }

    fn pass_on(&self, changes: &Changes) {
        let mailboxes = self.mailboxes();
        if changes.everything {
            lock(&self.recent).clear();
            for mailbox in &mailboxes {
                mailbox.put(|mail| mail.hints_lost = true);
            }
        }
        for stream in &changes.streams {
            let wanting: Vec<_> = mailboxes.iter().filter(|one| one.wants(stream)).collect();
            // Before the first hint: who reads because of it must find nothing older.
            let head = self.catch_up(stream, wanting.len());
            for mailbox in wanting {
                match &head {
                    Ok(Some(info)) => mailbox.grown(info),
                    Ok(None) => {}
                    // The connection's own read will say what is wrong.
                    Err(_) => mailbox.put(|mail| mail.hints_lost = true),
                }
            }
        }
    }

    /// Reads what is new in a stream, once for all who want it, and where it stands now, so that whoever has the
    /// event already does not read for nothing.
    fn catch_up(
        &self,
        stream: &StreamId,
        wanting: usize,
    ) -> Result<Option<StreamInfo>, StoreError> {
        let shared = match wanting >= SHARED_MIN {
            true => lock(&self.recent).end(stream),
            false => None,
        };
        // Nothing is behind the last offset: then only the head is read.
        let (from, most) = match shared {
            Some(end) => (end, (SHARED_EVENTS_MAX, recent::STREAM_BYTES_MAX)),
            None => (Offset(i64::MAX as u64), (1, 1)),
        };
        let page = match wanting {
            0 => Ok(None),
            _ => self.log_page(stream, from, most),
        };
        let mut recent = lock(&self.recent);
        match &page {
            Ok(Some(page)) if wanting >= SHARED_MIN => recent.grew(stream, from, page),
            _ => recent.forget(stream),
        }
        Ok(page?.map(|page| StreamInfo {
            stream: stream.clone(),
            epoch: page.epoch,
            head: page.head,
        }))
    }
}

fn pass_on_hints(board: &Weak<Board>, hints: &Subscription) {
    loop {
        let changes = hints.wait(LOOK);
        let Some(board) = board.upgrade() else { return };
        if let Some(changes) = changes {
            board.pass_on(&changes);
        }
    }
}

fn append(hub: &Hub, clock: Clock, work: &Receiver<Append>, waiting: &SyncSender<Waiting>) {
    while let Ok(one) = work.recv() {
        let pending = hub.publish_keyed(one.key.clone(), one.stream, one.bodies, clock());
        let one = Waiting {
            key: one.key,
            bytes: one.bytes,
            pending,
            to: one.to,
        };
        if waiting.send(one).is_err() {
            return;
        }
    }
}

fn answer(work: &Receiver<Waiting>, append_bytes: &AtomicUsize) {
    while let Ok(one) = work.recv() {
        let result = one.pending.wait();
        append_bytes.fetch_sub(one.bytes, Ordering::SeqCst);
        let Some(to) = one.to.upgrade() else { continue };
        let result = match result {
            Ok(done) => Ok(Accepted {
                key: one.key.clone(),
                epoch: done.epoch,
                first_offset: done.first,
                last_offset: done.last,
                duplicate: done.duplicate,
            }),
            Err(error) => Err(refused(&one.key, &error)),
        };
        to.put(|mail| {
            mail.replies.push(Reply::Published {
                key: one.key,
                result,
            })
        });
    }
}

fn refused(key: &str, error: &StoreError) -> Refused {
    let (code, retry) = match error {
        StoreError::Refused(_) => (super::CONFLICT, None),
        _ => (code::UNAVAILABLE, Some(TROUBLE_RETRY_MS)),
    };
    if retry.is_some() {
        tracing::error!(%error, "a publish was not stored");
    }
    Refused {
        key: key.to_owned(),
        code: code.to_owned(),
        message: match error {
            // Names no path of this machine to a stranger.
            StoreError::DiskFull { .. } => "the server's disk is full".to_owned(),
            StoreError::Refused(said) => said.clone(),
            _ => format!("the server's store failed ({})", error.code()),
        },
        retry: retry.is_some(),
        retry_after_ms: retry,
    }
}

fn page_of(page: ghostlight_store::StreamPage) -> Page {
    let events = page.events.into_iter().filter_map(|event| {
        // What is no JSON was damaged on the disk; the session names the hole.
        let body = Body::parse(event.body).ok()?;
        Some(LogEvent {
            offset: event.offset,
            ts: Some(event.ts),
            body,
        })
    });
    Page {
        epoch: page.epoch,
        first_retained: page.first_retained,
        head: page.head,
        events: events.collect(),
    }
}

/// Hints and queues are valid whatever a panicking holder left in them.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mailbox_that_is_not_emptied_merges_and_then_says_everything() {
        let mailbox = Mailbox::default();
        let info = |name: String, head| StreamInfo {
            stream: StreamId(name),
            epoch: Epoch(1),
            head: Offset(head),
        };
        for head in 1..=3 {
            mailbox.grown(&info("run/1".into(), head));
        }
        let mail = mailbox.take();
        assert_eq!(
            mail.grown.into_values().collect::<Vec<_>>(),
            [(Epoch(1), Offset(3))]
        );
        assert!(!mail.hints_lost);
        for n in 0..=HINTS_MAX {
            mailbox.grown(&info(format!("run/{n}"), 1));
        }
        let mail = mailbox.take();
        assert!(mail.hints_lost && mail.grown.is_empty());
    }

    #[test]
    fn a_mailbox_wants_what_its_patterns_take() {
        let mailbox = Mailbox::default();
        let patterns = [Pattern::of("run/1"), Pattern::of("posting/*")];
        mailbox.want(|| patterns.iter());
        for (stream, wanted) in [("run/1", true), ("run/11", false), ("posting/x", true)] {
            assert_eq!(mailbox.wants(&StreamId(stream.into())), wanted, "{stream}");
        }
    }
}
