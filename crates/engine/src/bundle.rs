//! Bundles: postings with everything that is known of them, out of this data folder and into another.

use crate::{
    Engine, VERSION,
    export::{Export, ExportError, Target, Watch, Written},
    store_error,
};
use ghostlight_api::{ApiError, ErrorCode};
use ghostlight_model::{
    Micros, PostingId,
    bundle::Piece,
    export::{Filter, Format, What},
};
pub use ghostlight_report::bundle::{BundleError, Counts};
use ghostlight_report::{
    bundle::{Reader, Stop, write},
    name,
};
pub use ghostlight_store::Imported;
use ghostlight_store::{Store, StoreError, snapshot::Snapshot};
use std::{
    convert::Infallible,
    ops::ControlFlow,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

/// Why a bundle was not taken over. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportError {
    /// The bundle is refused.
    Bundle(BundleError),
    /// The store refuses it, or cannot be written.
    Store(StoreError),
}

impl ImportError {
    /// As the edge shows it.
    pub fn told(&self) -> ApiError {
        match self {
            Self::Bundle(error) => ApiError::new(ErrorCode::Input, error.to_string(), error.hint()),
            Self::Store(error) => store_error(error),
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

    /// Verifies a bundle, then takes all of it over, or nothing.
    ///
    /// # Errors
    /// [`ImportError`]; nothing was changed.
    pub fn import_bundle(&self, path: &Path) -> Result<Imported, ImportError> {
        take_over(self.store(), path, Arc::new(|_| {}))
    }
}

/// How far a bundle is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reading {
    /// Whether it is taken over; else it is verified.
    pub taking: bool,
    /// Pieces read.
    pub pieces: u64,
    /// Pieces that its manifest counts.
    pub total: u64,
}

/// Told now and then how far a bundle is read.
pub(crate) type OnReading = Arc<dyn Fn(Reading) + Send + Sync>;

/// Pieces between two words about how far it is; a window draws no more often than this matters.
const PIECES_A_WORD: u64 = 500;

/// Counts pieces, and tells.
struct Pieces {
    now: Reading,
    tell: OnReading,
}

impl Pieces {
    fn new(taking: bool, total: u64, tell: &OnReading) -> Self {
        let now = Reading {
            taking,
            pieces: 0,
            total,
        };
        tell(now);
        Self {
            now,
            tell: Arc::clone(tell),
        }
    }

    fn add(&mut self) {
        self.now.pieces += 1;
        if self.now.pieces.is_multiple_of(PIECES_A_WORD) {
            (self.tell)(self.now);
        }
    }
}

/// Verifies a bundle, then takes all of it over into `store`, or nothing.
///
/// # Errors
/// [`ImportError`]; nothing was changed.
pub(crate) fn take_over(
    store: &Store,
    path: &Path,
    tell: OnReading,
) -> Result<Imported, ImportError> {
    let mut reader = Reader::open(path).map_err(ImportError::Bundle)?;
    let total = pieces_in(reader.counts());
    let mut verified = Pieces::new(false, total, &tell);
    let mut look = |_: Piece| {
        verified.add();
        Ok::<(), Infallible>(())
    };
    match reader.pieces(&mut look) {
        Ok(_) => {}
        Err(Stop::Bundle(error)) => return Err(ImportError::Bundle(error)),
        Err(Stop::Taker(never)) => match never {},
    }
    // Read again in the transaction, from the same open file; should that differ, its entry is named all the same.
    let fault = Arc::new(Mutex::new(None));
    let told = Arc::clone(&fault);
    let pour = Box::new(
        move |take: &mut dyn FnMut(Piece) -> Result<(), StoreError>| {
            let mut taken = Pieces::new(true, total, &tell);
            let mut counted = |piece: Piece| {
                taken.add();
                take(piece)
            };
            match reader.pieces(&mut counted) {
                Ok(_) => Ok(()),
                Err(Stop::Taker(error)) => Err(error),
                Err(Stop::Bundle(error)) => {
                    let refused = StoreError::Refused(error.to_string());
                    *told.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                    Err(refused)
                }
            }
        },
    );
    store.import(pour).wait().map_err(|error| {
        let fault = fault.lock().unwrap_or_else(PoisonError::into_inner).take();
        fault.map_or(ImportError::Store(error), ImportError::Bundle)
    })
}

/// Pieces in all.
fn pieces_in(counts: Counts) -> u64 {
    let kinds = [
        counts.postings,
        counts.captures,
        counts.contents,
        counts.streams,
        counts.events,
        counts.observations,
        counts.commits,
    ];
    kinds.into_iter().sum()
}

/// A file name that says what is inside, for a bundle of now.
pub fn file_name(filter: &Filter, at: Micros) -> String {
    name::suggested(What::Postings, filter, at, "ghostlight.zip")
}

/// Writes a bundle of `store`; as [`Engine::export_bundle`].
pub(crate) fn run(
    store: &Store,
    filter: &Filter,
    limit: Option<u64>,
    target: &Target,
    watch: &mut Watch<'_>,
) -> Result<(Written, Counts), ExportError> {
    // The same rule as for a table of postings.
    let rows = Export {
        filter: filter.clone(),
        ..Export::all(What::Postings, Format::Csv)
    };
    rows.checked().map_err(ExportError::Refused)?;
    let snapshot = store.snapshot()?;
    let postings = chosen(&snapshot, filter, limit)?;
    let total = postings.len() as u64;
    let pour = |take: &mut dyn FnMut(Piece) -> ControlFlow<()>| snapshot.pieces(&postings, take);
    Ok(write(target, VERSION, total, watch, pour)?)
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
