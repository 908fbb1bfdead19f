//! The outbox: finished runs on their way to other hubs (SPEC C6).
//!
//! [`crate::feeds::Watching`] of a hub with publishing on ([`crate::feeds::Options`]) does all of it in the background:
//! `Queueing` puts each of our own runs that ended into the outbox, once, those that ended while nobody looked
//! included; the client sends what is in it; `Entries` does on disk what the client's machine says. Then the run's log
//! stands in the other hub's stream of the same name, body for body, whatever was cut or killed in between.
//!
//! The screen reads [`page`] and [`counts`], and a person decides by [`retry`] and [`discard`]. Nothing else deletes.

use crate::{StoreError, host::wall_clock};
use ghostlight_feed::{
    Command, Retrying,
    outbox::{Action, Entry},
};
use ghostlight_hub::{Hub, Subscription};
use ghostlight_model::{
    ContentHash, Micros, Offset, RunId, StreamId,
    run::{RunState, RunStatus},
};
use ghostlight_store::{EndedMark, NewEntry, OutboxRow, Pending, Store};
pub use ghostlight_store::{EntryName, Held, OutboxCounts, RunDelivery, read::Rows};
use ghostlight_sync::frame::{Accepted, Body};
use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::mpsc;

/// Bytes of bodies in an entry; a longer run becomes several, in order. A cut of the connection costs as much again at
/// most, and every hub's frame (1 MiB) has room for it. A single longer event is an entry of its own.
pub const PART_BYTES: usize = 256 << 10;
/// Bodies in an entry, the most that a hub takes in one publish.
pub const PART_BODIES: usize = 512;
/// Runs that are queued at a time: they share a transaction, and the writer serves others in between.
const RUNS_AT_ONCE: usize = 32;
/// Events read at a time.
const EVENTS_AT_ONCE: usize = 1_024;
/// Between two looks at all runs, each of which walks them: another program may be writing without pause.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// When queueing is tried again after trouble with the disk.
const TROUBLE_WAIT: Duration = Duration::from_secs(30);
/// The longest sleep without a change.
const SLEEP: Duration = Duration::from_secs(3_600);
/// How often, and how long before each, a full queue of commands is tried. It is emptied at once, or hangs.
const COMMAND_TRIES: u32 = 100;
const COMMAND_WAIT: Duration = Duration::from_millis(2);

/// What happens to the outbox of a hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// The hub has an entry, and its row is gone.
    Delivered {
        /// What it was.
        entry: EntryName,
        /// Where it stands there.
        accepted: Accepted,
    },
    /// The hub refused an entry for good; it and what is behind it in its stream wait for a person.
    Held {
        /// Which.
        key: String,
        /// What it is.
        entry: EntryName,
        /// Why.
        held: Held,
    },
    /// A person let a held entry be sent again.
    Released {
        /// What it is.
        entry: EntryName,
    },
    /// A person discarded an entry, and its row is gone.
    Discarded {
        /// What it was.
        entry: EntryName,
    },
    /// An entry cannot be discarded now, because it is under way; the answer will come.
    CannotDiscard {
        /// Which.
        key: String,
    },
    /// Which entries the hub does not take now; they are sent again later.
    Retrying(Vec<Retrying>),
    /// A run could not be put into the outbox; it is tried again, and stands in the log until then.
    NotQueued(NotQueued),
}

/// Why a run is not in the outbox yet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct NotQueued {
    /// Which; none if not even the runs could be looked up. Others may wait for the same reason.
    pub run: Option<RunId>,
    /// What is wrong.
    #[source]
    pub error: StoreError,
}

impl fmt::Display for NotQueued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.run {
            Some(run) => write!(
                f,
                "run {run} waits to be published, but could not be queued"
            )?,
            None => f.write_str("finished runs could not be looked up to be published")?,
        }
        let (error, hint) = (&self.error, self.error.hint());
        write!(f, ": {error}. It is tried again. {hint}")
    }
}

impl From<StoreError> for NotQueued {
    fn from(error: StoreError) -> Self {
        Self { run: None, error }
    }
}

/// An entry as the screen shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The order of sending.
    pub seq: u64,
    /// By which it is retried or discarded.
    pub key: String,
    /// What it is.
    pub what: String,
    /// Where to.
    pub stream: StreamId,
    /// Size of its bodies.
    pub bytes: u64,
    /// When it was added.
    pub at: Micros,
    /// Why it waits.
    pub why: Why,
}

/// A client that is following the hub and publishes: it has entries in memory, so it decides about them.
#[derive(Debug, Clone)]
pub struct Running {
    commands: mpsc::Sender<Command>,
    retrying: Arc<Mutex<Vec<Retrying>>>,
}

impl Running {
    pub(crate) fn new(commands: mpsc::Sender<Command>) -> Self {
        Self {
            commands,
            retrying: Arc::default(),
        }
    }

    /// Remembers which entries the hub does not take now.
    pub(crate) fn set_retrying(&self, list: &[Retrying]) {
        *self.lock() = list.to_vec();
    }

    fn retrying(&self) -> Vec<Retrying> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Retrying>> {
        // A list is whole, whatever a panicking holder left.
        self.retrying.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why an entry waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// For its turn, or for the connection.
    Turn,
    /// The hub does not take it now; it is sent again.
    Retrying(Held),
    /// The hub refused it for good; a person decides.
    Held(Held),
    /// An entry before it in its stream is held.
    BehindHeld,
}

/// A page of what waits for a hub (its feed id), oldest first; `running` is what follows that hub, if anything does.
///
/// # Errors
/// If the store cannot be read.
pub fn page(
    store: &Store,
    hub: &str,
    start: u32,
    len: u32,
    running: Option<&Running>,
) -> Result<Rows<Waiting>, StoreError> {
    let retrying = running.map(Running::retrying).unwrap_or_default();
    let page = store.outbox_page(hub, start, len)?;
    let rows = page.rows.into_iter().map(|row| waiting(row, &retrying));
    Ok(Rows {
        total: page.total,
        rows: rows.collect(),
    })
}

fn waiting(row: OutboxRow, retrying: &[Retrying]) -> Waiting {
    let now = retrying.iter().find(|one| one.key == row.key);
    let why = match (row.held, now) {
        (Some(held), _) => Why::Held(held),
        (None, _) if row.behind_held => Why::BehindHeld,
        (None, Some(now)) => Why::Retrying(Held {
            code: now.code.clone(),
            message: now.message.clone(),
        }),
        (None, None) => Why::Turn,
    };
    Waiting {
        seq: row.seq,
        key: row.key,
        what: row.what,
        stream: row.stream,
        bytes: row.bytes,
        at: row.at,
        why,
    }
}

/// What waits for a hub, in numbers.
///
/// # Errors
/// If the store cannot be read.
pub fn counts(store: &Store, hub: &str) -> Result<OutboxCounts, StoreError> {
    store.outbox_counts(hub)
}

/// Lets an entry be sent again, or at once. What comes of it is told as [`Told`] where something is `running`.
///
/// # Errors
/// [`StoreError::NotFound`] if it is gone, where nothing is running; else as the store.
pub fn retry(
    store: &Store,
    hub: &str,
    key: &str,
    running: Option<&Running>,
) -> Result<(), StoreError> {
    let key = key.to_owned();
    match decide(running, || Command::OutboxRetry { key: key.clone() })? {
        true => Ok(()),
        false => found(&key, store.outbox_release(hub.to_owned(), key.clone())),
    }
}

/// Deletes an entry, because a person says so. What comes of it is told as [`Told`] where something is `running`: one
/// that is under way stays.
///
/// # Errors
/// As [`retry`].
pub fn discard(
    store: &Store,
    hub: &str,
    key: &str,
    running: Option<&Running>,
) -> Result<(), StoreError> {
    let key = key.to_owned();
    match decide(running, || Command::OutboxDiscard { key: key.clone() })? {
        true => Ok(()),
        false => found(&key, store.outbox_discard(hub.to_owned(), key.clone())),
    }
}

fn found(key: &str, pending: Pending<Option<EntryName>>) -> Result<(), StoreError> {
    let what = pending.wait()?;
    what.map(drop)
        .ok_or_else(|| StoreError::NotFound(format!("the outbox's entry {key}")))
}

/// Whether a running client decides, which has the entry in memory.
fn decide(running: Option<&Running>, command: impl Fn() -> Command) -> Result<bool, StoreError> {
    let Some(commands) = running.map(|running| &running.commands) else {
        return Ok(false);
    };
    for _ in 0..COMMAND_TRIES {
        match commands.try_send(command()) {
            Ok(()) => return Ok(true),
            // It ended: nothing is in memory any more.
            Err(mpsc::error::TrySendError::Closed(_)) => return Ok(false),
            Err(mpsc::error::TrySendError::Full(_)) => std::thread::sleep(COMMAND_WAIT),
        }
    }
    let busy = "the connection to the hub is busy, and nothing was changed".to_owned();
    Err(StoreError::Refused(busy))
}

/// Puts one of our own runs into the outbox for a hub, if it was not before. Answers whether it was new.
///
/// # Errors
/// [`StoreError::NotFound`] if there is no such run of ours, [`StoreError::Refused`] if it has not ended; else as the
/// store.
pub fn queue_run(store: &Store, hub: &str, run: &RunId) -> Result<bool, StoreError> {
    begin_queue(store, hub, run)?.wait()
}

fn begin_queue(store: &Store, hub: &str, run: &RunId) -> Result<Pending<bool>, StoreError> {
    let Some(state) = store.run(run)? else {
        return Err(StoreError::NotFound(format!("run {run}")));
    };
    if state.status == RunStatus::Running {
        let early = format!("run {run} has not ended; it can be published when it has");
        return Err(StoreError::Refused(early));
    }
    let at = wall_clock();
    let parts = parts(bodies(store, run)?);
    let (count, name) = (parts.len(), name(store, &state));
    let entries = parts
        .into_iter()
        .enumerate()
        .map(|(part, bodies)| NewEntry {
            hub: hub.to_owned(),
            key: key(run, part),
            stream: run.stream(),
            bodies,
            what: match count {
                1 => name.clone(),
                _ => format!("{name} (part {} of {count})", part + 1),
            },
            run: Some(run.clone()),
            at,
        });
    let entries = entries.collect();
    Ok(store.outbox_add_run(hub.to_owned(), run.clone(), entries, at))
}

/// The same for the same part of the same run, so that a hub knows it again, by whichever address it is reached.
fn key(run: &RunId, part: usize) -> String {
    let part = part.to_string();
    let parts = ["outbox", &run.0, &part].map(str::as_bytes);
    ContentHash::of(&parts).to_string()
}

/// What a run is called, for people.
fn name(store: &Store, run: &RunState) -> String {
    // Only a name: one that cannot be read now is no reason to publish nothing.
    let card = run.posting.map(|posting| store.posting(posting));
    let Some(Ok(Some(card))) = card else {
        return format!("run {}", run.input);
    };
    let summary = card.summary;
    match summary.company.is_empty() {
        true => format!("run {}", summary.title),
        false => format!("run {} \u{b7} {}", summary.title, summary.company),
    }
}

/// All of a run's log, verbatim.
fn bodies(store: &Store, run: &RunId) -> Result<Vec<String>, StoreError> {
    let (stream, mut bodies, mut next) = (run.stream(), Vec::new(), Offset(0));
    loop {
        let page = store.stream_page(&stream, next, EVENTS_AT_ONCE, PART_BYTES)?;
        let events = page.map(|page| page.events).unwrap_or_default();
        let Some(last) = events.last() else {
            return Ok(bodies);
        };
        next = Offset(last.offset.0 + 1);
        bodies.extend(events.into_iter().map(|event| event.body));
    }
}

/// Cuts a run into entries.
fn parts(bodies: Vec<String>) -> Vec<Vec<String>> {
    let (mut parts, mut bytes): (Vec<Vec<String>>, usize) = (Vec::new(), 0);
    for body in bodies {
        // Each body comes with a comma.
        let size = body.len() + 1;
        match parts.last_mut() {
            Some(part) if part.len() < PART_BODIES && bytes + size <= PART_BYTES => {
                bytes += size;
                part.push(body);
            }
            _ => {
                bytes = size;
                parts.push(vec![body]);
            }
        }
    }
    parts
}

/// The rows of a hub's outbox, as its client's machine wants them read and changed.
pub(crate) struct Entries {
    store: Store,
    hub: String,
}

/// A change on its way to the disk.
pub(crate) struct Changing {
    pending: Pending<Option<EntryName>>,
    told: Box<dyn FnOnce(EntryName) -> Told + Send>,
}

impl Changing {
    /// Waits until it is durable; what to tell, unless somebody else did it before.
    pub fn wait(self) -> Result<Option<Told>, StoreError> {
        Ok(self.pending.wait()?.map(self.told))
    }
}

impl Entries {
    pub fn new(store: Store, hub: String) -> Self {
        Self { store, hub }
    }

    /// Begins what a machine's action says; `None` for one that changes nothing.
    pub fn change(&self, action: Action) -> Option<Changing> {
        let (store, hub) = (&self.store, self.hub.clone());
        Some(match action {
            Action::Done(accepted) => {
                let place = (accepted.epoch, accepted.first_offset, accepted.last_offset);
                Changing {
                    pending: store.outbox_done(hub, accepted.key.clone(), place),
                    told: Box::new(|entry| Told::Delivered { entry, accepted }),
                }
            }
            Action::Hold { key, code, message } => {
                let held = Held { code, message };
                Changing {
                    pending: store.outbox_hold(hub, key.clone(), held.clone()),
                    told: Box::new(|entry| Told::Held { key, entry, held }),
                }
            }
            Action::Release { key } => Changing {
                pending: store.outbox_release(hub, key),
                told: Box::new(|entry| Told::Released { entry }),
            },
            Action::Delete { key } => Changing {
                pending: store.outbox_discard(hub, key),
                told: Box::new(|entry| Told::Discarded { entry }),
            },
            Action::Load { .. } | Action::Send(_) | Action::CannotDiscard { .. } => return None,
        })
    }

    /// Reads what a machine asks for. A row that is no JSON any more is held, and its stream left out.
    pub fn load(
        &self,
        request: u64,
        after: u64,
        limit: usize,
        except: &[StreamId],
    ) -> Result<Command, StoreError> {
        loop {
            let (rows, more) = self.store.outbox_load(&self.hub, after, limit, except)?;
            let mut entries = Vec::with_capacity(rows.len());
            let mut damaged = None;
            for row in rows {
                match serde_json::from_str::<Vec<Body>>(&row.bodies) {
                    Ok(bodies) => entries.push(Entry {
                        seq: row.seq,
                        key: row.key,
                        stream: row.stream,
                        before: row.before,
                        bodies,
                    }),
                    Err(error) => {
                        let message = format!("what is stored of it cannot be read: {error}");
                        damaged = Some((row.key, message));
                        break;
                    }
                }
            }
            let Some((key, message)) = damaged else {
                return Ok(Command::OutboxLoaded {
                    request,
                    entries,
                    more,
                });
            };
            let held = Held {
                code: "damaged".into(),
                message,
            };
            self.store.outbox_hold(self.hub.clone(), key, held).wait()?;
        }
    }
}

/// Puts our own runs into the outbox as they end.
pub(crate) struct Queueing<T> {
    store: Store,
    /// The feed id of the hub they go to.
    to: String,
    changes: Subscription,
    commands: mpsc::Sender<Command>,
    tell: T,
    /// Told already; the same trouble every half minute is no news.
    trouble: Option<StoreError>,
}

impl<T: Fn(Told)> Queueing<T> {
    /// Of `hub`'s data folder, from now on; `tell` is told what goes wrong.
    pub fn new(hub: &Hub, to: String, commands: mpsc::Sender<Command>, tell: T) -> Self {
        Self {
            store: hub.store().clone(),
            to,
            changes: hub.subscribe(),
            commands,
            tell,
            trouble: None,
        }
    }

    /// Ends the running from another thread.
    pub fn waker(&self) -> ghostlight_hub::Waker {
        self.changes.waker()
    }

    /// Queues what ended before, then what ends, until it is ended.
    pub fn run(mut self) {
        let mut looked_at = Instant::now();
        let mut look = Some(looked_at);
        while !self.changes.is_over() {
            if look.is_some_and(|at| at <= Instant::now()) {
                looked_at = Instant::now();
                let looked = self.look();
                look = self.went(looked);
            }
            let wait = look.map_or(SLEEP, |at| at.saturating_duration_since(Instant::now()));
            let Some(changes) = self.changes.wait(wait) else {
                continue;
            };
            if changes.everything {
                // Another program wrote, or there were too many hints.
                let soon = looked_at + LOOK_EVERY;
                look = Some(look.map_or(soon, |at| at.min(soon)));
            }
            if !changes.runs.is_empty() {
                let queued = self.due(&changes.runs).and_then(|due| self.queue(&due));
                let again = self.went(queued);
                look = look.or(again);
            }
        }
    }

    /// Tells trouble once; when to look again because of it.
    fn went(&mut self, result: Result<(), NotQueued>) -> Option<Instant> {
        let Err(why) = result else {
            self.trouble = None;
            return None;
        };
        if self.trouble.as_ref() != Some(&why.error) {
            self.trouble = Some(why.error.clone());
            (self.tell)(Told::NotQueued(why));
        }
        Some(Instant::now() + TROUBLE_WAIT)
    }

    /// All runs that ended and are not queued.
    fn look(&mut self) -> Result<(), NotQueued> {
        // Whoever wrote may have decided about entries as well.
        self.command(Command::OutboxChanged);
        let (mut mark, mut refused) = (EndedMark::default(), Ok(()));
        while !self.changes.is_over() {
            let (runs, behind) = self.store.outbox_unqueued(&self.to, &mark, RUNS_AT_ONCE)?;
            if runs.is_empty() {
                break;
            }
            mark = behind;
            match self.queue(&runs) {
                // Of one run; the others go on.
                Err(why)
                    if matches!(why.error, StoreError::Refused(_) | StoreError::NotFound(_)) =>
                {
                    refused = Err(why);
                }
                other => other?,
            }
        }
        refused
    }

    fn due(&self, runs: &BTreeSet<RunId>) -> Result<Vec<RunId>, NotQueued> {
        let mut due = Vec::new();
        for run in runs {
            if self.store.outbox_is_due(&self.to, run)? {
                due.push(run.clone());
            }
        }
        Ok(due)
    }

    /// Queues runs together, and tells the client when they are durable.
    fn queue(&self, runs: &[RunId]) -> Result<(), NotQueued> {
        let begun: Vec<_> = runs
            .iter()
            .map(|run| (run, begin_queue(&self.store, &self.to, run)))
            .collect();
        let (mut new, mut result) = (false, Ok(()));
        for (run, pending) in begun {
            match pending.and_then(Pending::wait) {
                Ok(added) => new |= added,
                Err(error) => {
                    let run = Some(run.clone());
                    result = Err(NotQueued { run, error });
                }
            }
        }
        if new {
            self.command(Command::OutboxAdded);
        }
        result
    }

    fn command(&self, command: Command) {
        // The client ended: what is queued waits for the next.
        let _ = self.commands.blocking_send(command);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_cut_into_parts_that_fit() {
        let sizes = |bodies: Vec<String>| -> Vec<usize> {
            let parts = parts(bodies.clone());
            assert_eq!(parts.concat(), bodies, "all of it, in order");
            parts.iter().map(Vec::len).collect()
        };
        let body = |bytes: usize| "x".repeat(bytes);
        assert_eq!(sizes(vec![]), [0_usize; 0]);
        assert_eq!(sizes(vec![body(9); 3]), [3]);
        assert_eq!(sizes(vec![body(9); 1_025]), [512, 512, 1]);
        let half = PART_BYTES / 2 - 1;
        assert_eq!(sizes(vec![body(half); 3]), [2, 1]);
        assert_eq!(sizes(vec![body(half), body(half + 1), body(1)]), [1, 2]);
        let large = [body(1), body(4 * PART_BYTES), body(1)];
        assert_eq!(sizes(large.to_vec()), [1, 1, 1]);
    }

    #[test]
    fn keys_are_the_runs_and_parts_own() {
        let run = |id: &str| RunId(id.into());
        let first = key(&run("r"), 0);
        assert_eq!(first, key(&run("r"), 0));
        for other in [key(&run("r"), 1), key(&run("s"), 0)] {
            assert_ne!(first, other);
        }
        assert!(ghostlight_sync::names::is_key(&first));
    }
}
