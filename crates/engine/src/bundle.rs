//! Bundles: postings with everything that is known of them, out of this data folder and into another.

use crate::{
    Engine, VERSION,
    export::{Cancel, Export, ExportError, LOOK_MAX, Target, Watch, Written, read_within},
    store_error,
};
use ghostlight_api::{ApiError, ErrorCode};
use ghostlight_model::{
    PostingId,
    bundle::Piece,
    export::{Filter, Format, What},
};
pub use ghostlight_report::bundle::{BundleError, Counts};
use ghostlight_report::bundle::{Reader, Stop, look, write};
pub use ghostlight_store::Imported;
use ghostlight_store::{Store, StoreError, snapshot::Snapshot};
use std::{
    ops::ControlFlow,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// Why a bundle was not taken over. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportError {
    /// The bundle is refused.
    Bundle(BundleError),
    /// The store refuses it, or cannot be written.
    Store(StoreError),
    /// It was stopped.
    Cancelled,
}

impl ImportError {
    /// As the edge shows it.
    pub fn told(&self) -> ApiError {
        match self {
            Self::Bundle(error) => ApiError::new(ErrorCode::Input, error.to_string(), error.hint()),
            Self::Store(error) => store_error(error),
            Self::Cancelled => ApiError::new(
                ErrorCode::Input,
                "The import was stopped; nothing was taken over.",
                "Start it again when you want it.",
            ),
        }
    }
}

/// Reads a whole bundle and takes nothing over.
///
/// # Errors
/// [`BundleError`], naming the entry at fault.
pub fn verify(path: &Path) -> Result<Counts, BundleError> {
    Reader::open(path)?.verify()
}

impl Engine {
    /// Writes the postings that `filter` leaves, at most `limit` of them, with everything that is known of them.
    ///
    /// # Errors
    /// As [`Engine::export`].
    pub fn export_bundle(
        &self,
        filter: &Filter,
        limit: Option<u64>,
        target: &Target,
        watch: &mut Watch<'_>,
    ) -> Result<(Written, Counts), ExportError> {
        run(self.store(), filter, limit, target, watch)
    }

    /// What such a bundle would be. Counts all postings, while the caller waits.
    ///
    /// # Errors
    /// A filter that says nothing of postings, or trouble with the store.
    pub fn look_bundle(&self, filter: &Filter, limit: Option<u64>) -> Result<BundleLook, ApiError> {
        self.look_bundle_within(filter, limit, None)
    }

    /// As [`Engine::look_bundle`], in a moment.
    pub(crate) fn look_bundle_in_a_moment(
        &self,
        filter: &Filter,
        limit: Option<u64>,
    ) -> Result<BundleLook, ApiError> {
        self.look_bundle_within(filter, limit, Some(LOOK_MAX))
    }

    fn look_bundle_within(
        &self,
        filter: &Filter,
        limit: Option<u64>,
        most: Option<Duration>,
    ) -> Result<BundleLook, ApiError> {
        checked(filter)?;
        let look = || {
            let snapshot = self.store().snapshot()?;
            if let Some(most) = most {
                read_within(&snapshot, most)?;
            }
            let counted = snapshot.count(What::Postings, filter)?;
            let whole = !snapshot.is_cut() || limit.is_some_and(|limit| limit <= counted);
            if let Some(most) = most {
                read_within(&snapshot, most)?;
            }
            let wanted = limit.unwrap_or(u64::MAX);
            let wanted = if whole { wanted.min(counted) } else { wanted };
            let some = chosen(&snapshot, filter, Some(wanted.min(SIZED_MAX)))?;
            // What is left is bounded by itself.
            snapshot.read_all()?;
            let postings = match whole {
                true => wanted,
                false => counted.max(some.len() as u64),
            };
            let bytes = estimate(&snapshot, &some, postings)?;
            Ok(BundleLook {
                postings,
                whole,
                bytes,
            })
        };
        look().map_err(|error: StoreError| store_error(&error))
    }

    /// A file name that says what is inside, for a bundle of now.
    ///
    /// # Errors
    /// Trouble with the store.
    pub fn bundle_name(&self, filter: &Filter) -> Result<String, ApiError> {
        self.named(What::Postings, filter, "ghostlight.zip")
    }

    /// Verifies a bundle, then takes all of it over, or nothing. `cancel` is asked before each piece and behind the
    /// last one; then it is too late to stop.
    ///
    /// # Errors
    /// [`ImportError`]; nothing was changed.
    pub fn import_bundle(
        &self,
        path: &Path,
        cancel: &Cancel,
        tell: OnReading,
    ) -> Result<Imported, ImportError> {
        take_over(self.store(), path, cancel, tell)
    }
}

/// What a bundle would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BundleLook {
    /// Its postings.
    pub postings: u64,
    /// Whether these are all; else there are at least so many.
    pub whole: bool,
    /// About how large the file would be.
    pub bytes: u64,
}

/// How far a bundle is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// Whether it is taken over; else it is verified.
    pub taking: bool,
    /// Pieces read.
    pub pieces: u64,
    /// Pieces that its manifest counts.
    pub total: u64,
}

impl Reading {
    /// How much of it is read, in hundredths.
    fn percent(self) -> u64 {
        self.pieces.saturating_mul(100) / self.total.max(1)
    }
}

/// Told at each hundredth, while verifying and while taking over, how far a bundle is read.
pub type OnReading = Arc<dyn Fn(Reading) + Send + Sync>;

/// Counts pieces, tells, and asks whether to go on.
struct Pieces {
    now: Reading,
    counts: Counts,
    tell: OnReading,
    cancel: Cancel,
}

impl Pieces {
    fn new(taking: bool, total: u64, (cancel, tell): (&Cancel, &OnReading)) -> Self {
        let now = Reading {
            taking,
            pieces: 0,
            total,
        };
        tell(now);
        Self {
            now,
            counts: Counts::default(),
            tell: Arc::clone(tell),
            cancel: cancel.clone(),
        }
    }

    fn go_on(&self) -> Result<(), ImportError> {
        match self.cancel.is_cancelled() {
            true => Err(ImportError::Cancelled),
            false => Ok(()),
        }
    }

    fn next(&mut self, piece: &Piece) -> Result<(), ImportError> {
        self.go_on()?;
        let before = self.now.percent();
        self.counts.add(piece);
        self.now.pieces = self.counts.total();
        if self.now.percent() != before {
            (self.tell)(self.now);
        }
        Ok(())
    }
}

/// Verifies a bundle, then takes all of it over into `store`, or nothing; as [`Engine::import_bundle`].
pub(crate) fn take_over(
    store: &Store,
    path: &Path,
    cancel: &Cancel,
    tell: OnReading,
) -> Result<Imported, ImportError> {
    let mut reader = Reader::open(path).map_err(ImportError::Bundle)?;
    let total = reader.counts().total();
    let mut verified = Pieces::new(false, total, (cancel, &tell));
    reader
        .pieces(&mut |piece| verified.next(&piece))
        .map_err(|stop| fault_of(path, stop))?;
    // Read again in the transaction, from the same open file; should that differ, its entry is named all the same.
    let fault = Arc::new(Mutex::new(None));
    let (told, cancel, path) = (Arc::clone(&fault), cancel.clone(), path.to_owned());
    let pour = Box::new(
        move |take: &mut dyn FnMut(Piece) -> Result<(), StoreError>| {
            let mut taken = Pieces::new(true, total, (&cancel, &tell));
            let mut counted = |piece: Piece| {
                taken.next(&piece)?;
                take(piece).map_err(ImportError::Store)
            };
            let read = reader.pieces(&mut counted);
            let read = read.map_err(|stop| fault_of(&path, stop));
            let Err(fault) = read.and_then(|_| taken.go_on()) else {
                return Ok(());
            };
            // Any error takes the transaction back.
            let error = match &fault {
                ImportError::Store(error) => error.clone(),
                other => StoreError::Refused(other.told().message),
            };
            *told.lock().unwrap_or_else(PoisonError::into_inner) = Some(fault);
            Err(error)
        },
    );
    store.import(pour).wait().map_err(|error| {
        let fault = fault.lock().unwrap_or_else(PoisonError::into_inner).take();
        fault.unwrap_or(ImportError::Store(error))
    })
}

/// Why reading ended. What the store finds wrong with a piece is wrong with its entry.
fn fault_of(path: &Path, stop: Stop<ImportError>) -> ImportError {
    match stop {
        Stop::Bundle(error) => ImportError::Bundle(error),
        Stop::Taker {
            error: ImportError::Store(StoreError::Refused(detail)),
            entry,
            line,
        } => ImportError::Bundle(BundleError::Entry {
            path: path.to_owned(),
            entry,
            detail: match line {
                Some(line) => format!("line {line}: {detail}"),
                None => detail,
            },
        }),
        Stop::Taker { error, .. } => error,
    }
}

/// Writes a bundle of `store`; as [`Engine::export_bundle`].
pub(crate) fn run(
    store: &Store,
    filter: &Filter,
    limit: Option<u64>,
    target: &Target,
    watch: &mut Watch<'_>,
) -> Result<(Written, Counts), ExportError> {
    checked(filter).map_err(ExportError::Refused)?;
    let snapshot = store.snapshot()?;
    let postings = chosen(&snapshot, filter, limit)?;
    let total = snapshot.pieces_bytes(&postings)?;
    let pour = |take: &mut dyn FnMut(Piece) -> ControlFlow<()>| snapshot.pieces(&postings, take);
    Ok(write(target, VERSION, total, watch, pour)?)
}

/// The same rule as for a table of postings.
fn checked(filter: &Filter) -> Result<(), ApiError> {
    let rows = Export {
        filter: filter.clone(),
        ..Export::all(What::Postings, Format::Csv)
    };
    rows.checked().map(drop)
}

/// Postings whose sizes an estimate is made from; more are taken for as large as these.
const SIZED_MAX: u64 = 100;
/// Bytes that are packed to see how small that makes them.
const PACKED_BYTES_MAX: u64 = 2 << 20;

/// About how large a bundle of `rows` postings, such as these, would be.
fn estimate(snapshot: &Snapshot, postings: &[PostingId], rows: u64) -> Result<u64, StoreError> {
    let (mut bytes, mut some, mut some_bytes) = (0, Vec::new(), 0);
    for posting in postings {
        let size = snapshot.pieces_bytes(&[*posting])?;
        bytes += size;
        if some.is_empty() || some_bytes + size <= PACKED_BYTES_MAX {
            some.push(*posting);
            some_bytes += size;
        }
    }
    let pour = |take: &mut dyn FnMut(Piece) -> ControlFlow<()>| snapshot.pieces(&some, take);
    let packed = look(VERSION, PACKED_BYTES_MAX, pour)?;
    if packed.whole && some.len() as u64 == rows {
        return Ok(packed.packed);
    }
    let ratio = packed.packed as f64 / packed.unpacked.max(1) as f64;
    let share = rows as f64 / postings.len().max(1) as f64;
    Ok((bytes as f64 * share * ratio) as u64)
}

/// The postings of an export, by id: the same selection is the same bundle.
fn chosen(
    snapshot: &Snapshot,
    filter: &Filter,
    limit: Option<u64>,
) -> Result<Vec<PostingId>, StoreError> {
    let (mut postings, mut at) = (Vec::new(), None);
    let limit = limit.unwrap_or(u64::MAX);
    while (postings.len() as u64) < limit {
        at = snapshot.postings(filter, at, &|_| false, &mut |row| {
            postings.push(row.posting);
            match (postings.len() as u64) < limit {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(()),
            }
        })?;
        if at.is_none() {
            break;
        }
    }
    postings.sort_unstable();
    Ok(postings)
}
