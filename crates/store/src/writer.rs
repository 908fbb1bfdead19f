//! The one writer: a thread that commits what queued up while its last transaction went to disk.
//!
//! Work arrives as closures over a [`Batch`]; each runs in a savepoint, so one that is refused
//! leaves the others alone. Nobody is answered before the transaction is on disk.

use crate::{
    error::StoreError,
    outline::Outlines,
    project::{Standing, Touched},
};
use ghostlight_model::{PostingId, RunId, StreamId};
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::{
    any::Any,
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{
        Arc,
        mpsc::{self, Receiver, RecvTimeoutError, SyncSender},
    },
    thread::JoinHandle,
    time::Duration,
};

/// Work that may wait for the writer; whoever adds more waits until there is room.
const QUEUE_MAX: usize = 4_096;
/// Pieces of work in one transaction at most, so that the first is not kept waiting for long.
const BATCH_MAX: usize = 512;

/// How often an idle writer looks whether another process committed.
const POLL: Duration = Duration::from_millis(250);

/// What a durable transaction changed. A hint to read again, never the data itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// The hub's streams with new events, our own runs among them.
    pub streams: BTreeSet<StreamId>,
    /// Runs with new events.
    pub runs: BTreeSet<RunId>,
    /// Postings whose card or row changed.
    pub postings: BTreeSet<PostingId>,
    /// How many events of runs there are now that were not there before; 0 where that is not known.
    pub events: u64,
    /// What waits to be published changed.
    pub outbox: bool,
    /// Settings changed, or everything was rebuilt.
    pub everything: bool,
}

impl Changes {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.streams.is_empty()
            && self.runs.is_empty()
            && self.postings.is_empty()
            && !self.outbox
            && !self.everything
    }

    /// Adds what `other` changed.
    pub fn merge(&mut self, other: &Changes) {
        self.streams.extend(other.streams.iter().cloned());
        self.runs.extend(other.runs.iter().cloned());
        self.postings.extend(other.postings.iter().copied());
        self.events = self.events.saturating_add(other.events);
        self.outbox |= other.outbox;
        self.everything |= other.everything;
    }
}

/// The answer to a piece of work, once its transaction is on disk.
#[must_use = "work is only known to be durable once its answer is there"]
pub struct Pending<T> {
    answer: Receiver<Result<T, StoreError>>,
    /// What the work was about. Freed by whoever waits: the writer's time is what everybody waits for.
    about: Option<Arc<dyn Any + Send + Sync>>,
}

impl<T> Pending<T> {
    /// Waits until the transaction is on disk, or failed.
    pub fn wait(self) -> Result<T, StoreError> {
        let answer = self.answer.recv().unwrap_or(Err(StoreError::Closed));
        drop(self.about);
        answer
    }

    /// Keeps what the work is about until the answer has been waited for.
    pub(crate) fn about(self, about: Arc<dyn Any + Send + Sync>) -> Self {
        Self {
            about: Some(about),
            ..self
        }
    }
}

/// The transaction a piece of work runs in.
pub(crate) struct Batch<'a> {
    pub tx: &'a Transaction<'a>,
    pub touched: &'a mut Touched,
    pub path: &'a Path,
}

impl Batch<'_> {
    /// The error for what SQLite said.
    pub fn sqlite(&self, error: &rusqlite::Error) -> StoreError {
        StoreError::sqlite(self.path, error)
    }
}

type OnChange = Box<dyn Fn(&Changes) + Send>;

/// A queued piece of work: it is run in a transaction, or refused without one.
trait Job: Send {
    /// Whether it takes care itself that a failure leaves nothing behind.
    fn is_light(&self) -> bool;
    fn run(self: Box<Self>, batch: &mut Batch<'_>) -> (Answer, Result<(), Trouble>);
    fn refuse(self: Box<Self>, error: &StoreError) -> Answer;
}

/// Why a piece of work did not succeed.
enum Trouble {
    /// It was refused, or failed by itself: only its own changes are taken back.
    Own(StoreError),
    /// It panicked half-way: what the batch remembers may be half-changed, so nothing of it counts.
    Panic(StoreError),
}

/// Tells the caller how it went, once it is known whether the transaction reached the disk.
type Answer = Box<dyn FnOnce(Result<(), StoreError>)>;

struct Call<F, T> {
    work: F,
    light: bool,
    reply: SyncSender<Result<T, StoreError>>,
}

impl<F, T> Job for Call<F, T>
where
    F: FnOnce(&mut Batch<'_>) -> Result<T, StoreError> + Send,
    T: Send + 'static,
{
    fn is_light(&self) -> bool {
        self.light
    }

    fn run(self: Box<Self>, batch: &mut Batch<'_>) -> (Answer, Result<(), Trouble>) {
        let Call { work, reply, .. } = *self;
        let path = batch.path;
        let (result, trouble) = match catching(path, || work(batch)) {
            Ok(Ok(done)) => (Ok(done), Ok(())),
            Ok(Err(error)) => (Err(error.clone()), Err(Trouble::Own(error))),
            Err(panic) => (Err(panic.clone()), Err(Trouble::Panic(panic))),
        };
        let answer: Answer = Box::new(move |durable| {
            // A refusal says more than that the transaction failed as well.
            let result = result.and_then(|done| durable.map(|()| done));
            // Whoever asked may have gone away; the work stands all the same.
            let _ = reply.send(result);
        });
        (answer, trouble)
    }

    fn refuse(self: Box<Self>, error: &StoreError) -> Answer {
        let (error, reply) = (error.clone(), self.reply);
        Box::new(move |_| {
            let _ = reply.send(Err(error));
        })
    }
}

/// Runs `work`; a panic becomes an error, so that the one writer outlives it.
fn catching<T>(path: &Path, work: impl FnOnce() -> T) -> Result<T, StoreError> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let said = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
        let said = said.or_else(|| panic.downcast_ref::<String>().cloned());
        let said = said.unwrap_or_else(|| "no message".into());
        tracing::error!(%said, "the store's writer panicked");
        StoreError::Statement {
            path: path.to_owned(),
            detail: format!("a change broke off: {said}"),
        }
    })
}

/// What is queued.
enum Work {
    /// Shares a transaction with others.
    Shared(Box<dyn Job>),
    /// Has the connection for itself, outside of any transaction.
    Alone(Box<dyn FnOnce(&Connection) + Send>),
}

pub(crate) struct Writer {
    queue: Option<SyncSender<Work>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub fn start(
        connection: Connection,
        path: PathBuf,
        outlines: Outlines,
        on_change: OnChange,
    ) -> Result<Self, StoreError> {
        let (queue, work) = mpsc::sync_channel(QUEUE_MAX);
        let name = path.clone();
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || serve(connection, &path, (&work, &outlines), &on_change))
            .map_err(|e| StoreError::Io {
                path: name,
                detail: e.to_string(),
            })?;
        Ok(Self {
            queue: Some(queue),
            thread: Some(thread),
        })
    }

    /// Queues `work`; waits for room when [`QUEUE_MAX`] pieces are queued.
    pub fn submit<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Batch<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Pending<T> {
        self.queue(false, work)
    }

    /// As [`Writer::submit`] for work that changes nothing before its last statement that can be
    /// refused: it runs without a savepoint, which costs as much as the row it would guard.
    pub fn submit_light<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Batch<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Pending<T> {
        self.queue(true, work)
    }

    fn queue<T: Send + 'static>(
        &self,
        light: bool,
        work: impl FnOnce(&mut Batch<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Pending<T> {
        let (reply, pending) = mpsc::sync_channel(1);
        let job = Box::new(Call { work, light, reply });
        if let Some(queue) = &self.queue {
            // A closed queue drops the reply, which the caller reads as `Closed`.
            let _ = queue.send(Work::Shared(job));
        }
        Pending {
            answer: pending,
            about: None,
        }
    }

    /// Queues what no transaction may be around. What was queued before is on disk then, what comes later waits.
    pub fn submit_alone<T: Send + 'static>(
        &self,
        path: PathBuf,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Pending<T> {
        let (reply, pending) = mpsc::sync_channel(1);
        let alone = Box::new(move |connection: &Connection| {
            let result = catching(&path, || work(connection));
            // Whoever asked may have gone away.
            let _ = reply.send(result.flatten());
        });
        if let Some(queue) = &self.queue {
            let _ = queue.send(Work::Alone(alone));
        }
        Pending {
            answer: pending,
            about: None,
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        let Some(thread) = self.thread.take() else {
            return;
        };
        // The last owner may be a callback on the writer thread itself, which cannot wait for itself.
        if thread.thread().id() != std::thread::current().id() {
            // A writer that panicked has already dropped its replies.
            let _ = thread.join();
        }
    }
}

fn serve(
    mut connection: Connection,
    path: &Path,
    (queue, outlines): (&Receiver<Work>, &Outlines),
    on_change: &OnChange,
) {
    let mut seen = data_version(&connection);
    let mut memory = Memory::default();
    loop {
        let first = match queue.recv_timeout(POLL) {
            Ok(job) => Some(job),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let now = data_version(&connection);
        if now != seen {
            seen = now;
            let everything = Changes {
                everything: true,
                ..Changes::default()
            };
            announce(path, on_change, &everything);
        }
        let mut next = first;
        while let Some(work) = next.take() {
            let jobs = match work {
                Work::Alone(alone) => {
                    alone(&connection);
                    continue;
                }
                Work::Shared(first) => batch(first, queue, &mut next),
            };
            write(
                &mut connection,
                path,
                jobs,
                (&mut memory, outlines),
                on_change,
            );
        }
    }
}

/// What queued up behind `first` and shares its transaction; what does not is left in `next`.
fn batch(
    first: Box<dyn Job>,
    queue: &Receiver<Work>,
    next: &mut Option<Work>,
) -> Vec<Box<dyn Job>> {
    let mut jobs = vec![first];
    while jobs.len() < BATCH_MAX {
        match queue.try_recv() {
            Ok(Work::Shared(job)) => jobs.push(job),
            Ok(alone) => {
                *next = Some(alone);
                break;
            }
            Err(_) => break,
        }
    }
    jobs
}

/// What the writer remembers from one transaction to the next.
#[derive(Default)]
struct Memory {
    standing: Standing,
    /// [`data_version`] in the transaction that left it.
    version: Option<i64>,
}

/// Changes when another process commits; what this connection commits does not change it.
fn data_version(connection: &Connection) -> Option<i64> {
    connection
        .pragma_query_value(None, "data_version", |row| row.get(0))
        .ok()
}

/// Calls back; what goes wrong there does not end the writer.
fn announce(path: &Path, on_change: &OnChange, changes: &Changes) {
    // The panic is logged where it is caught.
    let _ = catching(path, || on_change(changes));
}

fn write(
    connection: &mut Connection,
    path: &Path,
    jobs: Vec<Box<dyn Job>>,
    (memory, outlines): (&mut Memory, &Outlines),
    on_change: &OnChange,
) {
    let mut answers = Vec::with_capacity(jobs.len());
    // Should the transaction fail, nothing is remembered of it.
    let before = std::mem::take(memory);
    let written = catching(path, || {
        commit(connection, path, jobs, (before, outlines), &mut answers)
    });
    let result = written.flatten().map(|(changes, left)| {
        *memory = left;
        changes
    });
    let durable = result.as_ref().map(|_| ()).map_err(Clone::clone);
    // Readers that are woken by the answer must find the change announced already.
    match result {
        Ok(changes) if !changes.is_empty() => announce(path, on_change, &changes),
        Ok(_) => {}
        Err(error) => tracing::error!(%error, "a transaction was not written"),
    }
    for answer in answers {
        answer(durable.clone());
    }
}

/// One transaction over `jobs`. Every job has its answer in `answers`, also when it fails.
fn commit(
    connection: &mut Connection,
    path: &Path,
    jobs: Vec<Box<dyn Job>>,
    (memory, outlines): (Memory, &Outlines),
    answers: &mut Vec<Answer>,
) -> Result<(Changes, Memory), StoreError> {
    let sqlite = |e: rusqlite::Error| StoreError::sqlite(path, &e);
    let begun = begin(connection).map_err(sqlite);
    let mut fatal = begun.as_ref().err().cloned();
    // Asked for inside of the transaction: no other process can commit from here on.
    let version = begun.as_ref().ok().and_then(|tx| data_version(tx));
    let standing = match version.is_some() && version == memory.version {
        true => memory.standing,
        false => Standing::default(),
    };
    let mut touched = Touched::after(standing, outlines.clone());
    for job in jobs {
        match (&begun, &fatal) {
            (Ok(tx), None) => {
                let run = match job.is_light() {
                    true => run_light,
                    false => run_in_savepoint,
                };
                fatal = run(tx, path, &mut touched, job, answers).err();
            }
            (_, Some(error)) => answers.push(job.refuse(error)),
            (Err(error), None) => answers.push(job.refuse(error)),
        }
    }
    let tx = begun?;
    if let Some(error) = fatal {
        return Err(error);
    }
    touched.flush(&tx).map_err(sqlite)?;
    tx.commit().map_err(sqlite)?;
    let (changes, standing) = touched.into_changes();
    Ok((changes, Memory { standing, version }))
}

fn begin(connection: &mut Connection) -> rusqlite::Result<Transaction<'_>> {
    if !connection.is_autocommit() {
        // The last transaction failed, and so did its rollback; without this none would begin again.
        connection.execute_batch("ROLLBACK")?;
    }
    connection.transaction_with_behavior(TransactionBehavior::Immediate)
}

/// Runs one job without a savepoint. Should it fail after a change all the same, that cannot be
/// taken back alone, and ends the whole transaction.
fn run_light(
    tx: &Transaction<'_>,
    path: &Path,
    touched: &mut Touched,
    job: Box<dyn Job>,
    answers: &mut Vec<Answer>,
) -> Result<(), StoreError> {
    let before = tx.total_changes();
    let (answer, trouble) = job.run(&mut Batch { tx, touched, path });
    answers.push(answer);
    match trouble {
        Ok(()) => Ok(()),
        Err(Trouble::Own(_)) if !tx.is_autocommit() && tx.total_changes() == before => Ok(()),
        Err(Trouble::Own(error) | Trouble::Panic(error)) => Err(error),
    }
}

/// Runs one job. An error here ends the whole transaction, with everybody's changes.
fn run_in_savepoint(
    tx: &Transaction<'_>,
    path: &Path,
    touched: &mut Touched,
    job: Box<dyn Job>,
    answers: &mut Vec<Answer>,
) -> Result<(), StoreError> {
    let sqlite = |e: rusqlite::Error| StoreError::sqlite(path, &e);
    if let Err(error) = step(tx, "SAVEPOINT job") {
        let error = sqlite(error);
        answers.push(job.refuse(&error));
        return Err(error);
    }
    let (answer, trouble) = job.run(&mut Batch { tx, touched, path });
    answers.push(answer);
    match trouble {
        Ok(()) => step(tx, "RELEASE job").map_err(sqlite),
        Err(Trouble::Panic(error)) => Err(error),
        // Some errors (disk full, I/O) make SQLite take back the whole transaction by itself.
        Err(Trouble::Own(error)) if tx.is_autocommit() => Err(error),
        Err(Trouble::Own(_)) => step(tx, "ROLLBACK TO job")
            .and_then(|()| step(tx, "RELEASE job"))
            .map_err(sqlite),
    }
}

/// A statement without rows, prepared once: these run for every job.
fn step(tx: &Transaction<'_>, statement: &str) -> rusqlite::Result<()> {
    tx.prepare_cached(statement)?.execute([]).map(|_| ())
}

#[cfg(test)]
mod tests {
    use crate::{Store, StoreError};
    use std::sync::mpsc;

    /// Runs three jobs in one transaction; the second does `fault`.
    fn with_fault(
        store: &Store,
        fault: impl FnOnce(&mut super::Batch<'_>) -> Result<(), StoreError> + Send + 'static,
    ) -> [Result<(), StoreError>; 3] {
        let (go, gate) = mpsc::channel::<()>();
        let (entered, held) = mpsc::channel();
        let hold = store.writer().submit(move |_| {
            entered.send(()).unwrap();
            Ok(gate.recv().is_ok())
        });
        // Its transaction is under way: what is queued from here on is the next one.
        held.recv().unwrap();
        let first = store.put_setting("first", "1".into());
        let faulty = store.writer().submit(fault);
        let last = store.put_setting("last", "1".into());
        go.send(()).unwrap();
        assert!(hold.wait().unwrap());
        [first.wait(), faulty.wait(), last.wait()]
    }

    #[test]
    fn a_panic_is_an_error_and_the_writer_lives_on() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), |_| {}).unwrap();
        let [first, faulty, last] = with_fault(&store, |_| panic!("no such thing"));
        let error = faulty.unwrap_err();
        assert_eq!(error.code(), "statement");
        assert!(error.to_string().contains("no such thing"), "{error}");
        // Nothing of that transaction counts, and everybody in it is told so.
        assert_eq!(first, Err(error.clone()));
        assert_eq!(last, Err(error));
        assert_eq!(store.setting("first").unwrap(), None);
        store.put_setting("first", "2".into()).wait().unwrap();
        assert_eq!(store.setting("first").unwrap().as_deref(), Some("2"));
    }

    #[test]
    fn a_transaction_taken_back_by_sqlite_is_an_error_for_all_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), |_| {}).unwrap();
        // As SQLite does by itself when the disk is full in the wrong moment.
        let answers = with_fault(&store, |batch| {
            batch.tx.execute_batch("ROLLBACK").unwrap();
            let path = batch.path.to_owned();
            Err(StoreError::DiskFull { path })
        });
        assert!(
            answers
                .iter()
                .all(|a| matches!(a, Err(StoreError::DiskFull { .. })))
        );
        assert_eq!(store.setting("first").unwrap(), None);
        store.put_setting("first", "2".into()).wait().unwrap();
    }

    #[test]
    fn an_error_when_the_transaction_ends_is_everybodys() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), |_| {}).unwrap();
        // A constraint that is only looked at by COMMIT.
        let [first, faulty, last] = with_fault(&store, |batch| {
            let dangling = "PRAGMA defer_foreign_keys = ON;
                INSERT INTO commit_parent (child, parent) VALUES (x'01', x'02');";
            batch
                .tx
                .execute_batch(dangling)
                .map_err(|e| batch.sqlite(&e))
        });
        for answer in [first, faulty, last] {
            assert_eq!(answer.unwrap_err().code(), "statement");
        }
        assert_eq!(store.setting("last").unwrap(), None);
        store.put_setting("last", "2".into()).wait().unwrap();
        assert_eq!(store.check().unwrap(), Vec::<String>::new());
    }

    #[test]
    fn a_row_that_cannot_be_flushed_is_everybodys_error() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), |_| {}).unwrap();
        let posting = ghostlight_model::PostingId([7; 16]);
        let [first, faulty, _] = with_fault(&store, move |batch| {
            batch.touched.posting(posting);
            let broken =
                "INSERT INTO run (run_id, origin, name, status, process, posting, started, assessed, line, state)
                VALUES ('a', 'local', '', 'running', '', ?1, 0, 0, '{', '{')";
            let done = batch.tx.execute(broken, [posting.0]).map(|_| ());
            done.map_err(|e| batch.sqlite(&e))
        });
        assert_eq!(first.unwrap_err().code(), "statement");
        assert_eq!(faulty.unwrap_err().code(), "statement");
        assert_eq!(store.counts().unwrap(), (0, 0));
        store.put_setting("first", "2".into()).wait().unwrap();
    }
}
