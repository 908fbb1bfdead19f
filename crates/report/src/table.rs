//! A table on its way from a [`Source`] to a file.
//!
//! [`write`] makes the file, [`look`] says beforehand what it would be: both go through the same rows.

use crate::{
    aside::{Aside, FileError, Target},
    behind::Behind,
    cell::Cell,
    csv_rows::CsvRows,
    json_rows::JsonRows,
    md_rows::MdRows,
};
use ghostlight_model::{
    Micros,
    export::{Filter, Format, What},
};
use std::{
    io::{self, Write},
    ops::ControlFlow,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// Rows that a look shows.
pub const PREVIEW_ROWS: usize = 10;
/// Rows that the size is estimated from.
const SAMPLE_ROWS: u64 = 200;
/// Bytes after which a sample is large enough, once it shows its rows: long texts are not gathered in memory.
const SAMPLE_BYTES: u64 = 1 << 20;
/// Characters of a cell that a look shows.
const PREVIEW_CELL_CHARS: usize = 200;
/// Bytes of the file's beginning that a look shows.
const PREVIEW_TEXT_BYTES: usize = 64 * 1024;

/// Where rows come from.
pub trait Source {
    /// Why it cannot go on.
    type Error;

    /// The names of the columns, in order.
    fn columns(&self) -> &[&'static str];

    /// How many rows there are in all.
    ///
    /// # Errors
    /// The source's.
    fn total(&mut self) -> Result<u64, Self::Error>;

    /// Hands out the next rows, a bounded number of them; whether there may be more. `row` says when to stop; then
    /// the source is not asked again.
    ///
    /// # Errors
    /// The source's.
    fn page(&mut self, row: &mut RowFn<'_>) -> Result<bool, Self::Error>;

    /// Whether the last answer is a part of what there is: only a source for [`look`] gives up on the rest.
    fn is_cut(&self) -> bool {
        false
    }
}

/// Takes a row; says whether it takes another.
pub type RowFn<'a> = dyn FnMut(&[Cell<'_>]) -> ControlFlow<()> + 'a;

/// What is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// What.
    pub what: What,
    /// As what.
    pub format: Format,
    /// How it is dressed.
    pub style: Style,
    /// Which rows, for the metadata; the source has applied it.
    pub filter: Filter,
    /// At most so many rows.
    pub limit: Option<u64>,
    /// When, for the metadata.
    pub at: Micros,
    /// Ghostlight's version, for the metadata.
    pub version: String,
}

/// How CSV is dressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether a mark at the beginning tells Excel that it is UTF-8.
    pub bom: bool,
    /// Whether text that a spreadsheet could run gets an apostrophe (see [`crate::needs_guard`]).
    pub guard: bool,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            bom: false,
            guard: true,
        }
    }
}

/// Asks an export to stop; cloning shares it.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Stops it before its next page.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether it was asked.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// How far an export is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Rows written; of a bundle, bytes before they are packed.
    pub rows: u64,
    /// Rows there will be, or such bytes.
    pub total: u64,
    /// Bytes written; of a bundle, before they are packed.
    pub bytes: u64,
}

/// Who watches an export.
pub struct Watch<'a> {
    /// Asked before each page, and before the file gets its name.
    pub cancel: &'a Cancel,
    /// Told after each page.
    pub progress: &'a mut dyn FnMut(Progress),
}

/// A finished file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Its rows.
    pub rows: u64,
    /// Its size.
    pub bytes: u64,
}

/// Why there is no file. Nothing of it is left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failed<E> {
    /// It was cancelled.
    Cancelled,
    /// The file.
    File(FileError),
    /// The rows.
    Source(E),
}

impl<E> From<FileError> for Failed<E> {
    fn from(error: FileError) -> Self {
        Failed::File(error)
    }
}

/// What a file would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// Rows in all.
    pub rows: u64,
    /// Whether these are all rows; else there are at least so many, and the file is at least so large.
    pub whole: bool,
    /// Its size: exact for a small one, else by its first rows.
    pub bytes: u64,
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The first [`PREVIEW_ROWS`] rows as text, long cells cut.
    pub first: Vec<Vec<String>>,
    /// The file's beginning, at most 64 KiB of it.
    pub text: String,
}

/// What the writers of formats need to begin.
pub(crate) struct Sheet<'a> {
    pub job: &'a Job,
    pub style: Style,
    pub columns: &'a [&'static str],
    pub count: u64,
}

enum Rows<W: Write> {
    Csv(Box<CsvRows<W>>),
    Json(JsonRows<W>),
    Md(MdRows<W>),
}

impl<W: Write> Rows<W> {
    fn begin(sheet: &Sheet<'_>, out: W) -> io::Result<Self> {
        Ok(match sheet.job.format {
            Format::Csv => Rows::Csv(Box::new(CsvRows::begin(sheet, out)?)),
            Format::Json => Rows::Json(JsonRows::begin(sheet, out, true)?),
            Format::Jsonl => Rows::Json(JsonRows::begin(sheet, out, false)?),
            Format::Md => Rows::Md(MdRows::begin(sheet, out)?),
        })
    }

    fn row(&mut self, cells: &[Cell<'_>]) -> io::Result<()> {
        match self {
            Rows::Csv(rows) => rows.row(cells),
            Rows::Json(rows) => rows.row(cells),
            Rows::Md(rows) => rows.row(cells),
        }
    }

    fn end(self) -> io::Result<W> {
        match self {
            Rows::Csv(rows) => rows.end(),
            Rows::Json(rows) => rows.end(),
            Rows::Md(rows) => rows.end(),
        }
    }
}

/// Writes the file: aside, then under its name.
///
/// # Errors
/// [`Failed`]; what was there under the target's name is as it was then.
pub fn write<S: Source>(
    source: &mut S,
    job: &Job,
    target: &Target,
    watch: &mut Watch<'_>,
) -> Result<Written, Failed<S::Error>> {
    let mut aside = Aside::create(target)?;
    let refused = |error: io::Error| Failed::File(FileError::of(&target.path, &error));
    let out = Behind::begin(aside.file()).map_err(refused)?;
    let (written, out) =
        pour(source, job, Counting::new(out), watch).map_err(|failed| match failed {
            Stopped::Cancelled => Failed::Cancelled,
            Stopped::Out(error) => refused(error),
            Stopped::Source(error) => Failed::Source(error),
        })?;
    out.finish().map_err(refused)?;
    if watch.cancel.is_cancelled() {
        return Err(Failed::Cancelled);
    }
    aside.finish()?;
    Ok(written)
}

/// What the file would be: how large, and its first rows.
///
/// # Errors
/// The source's.
pub fn look<S: Source>(source: &mut S, job: &Job) -> Result<Look, S::Error> {
    let total = expected(source, job)?;
    let whole = !source.is_cut() || job.limit == Some(total);
    let most = match whole {
        true => total,
        false => job.limit.unwrap_or(u64::MAX),
    };
    let columns = source.columns().to_vec();
    let sheet = sheet(job, &columns, total);
    let mut sample = Sample::default();
    // Memory does not fail.
    let out = Counting::new(Vec::new());
    let counted = out.bytes.clone();
    let Ok(mut rows) = Rows::begin(&sheet, out) else {
        return Ok(sample.into_look(&sheet, whole, 0));
    };
    let mut failed = false;
    let enough = |rows: u64| {
        let large = rows >= PREVIEW_ROWS as u64 && counted.get() >= SAMPLE_BYTES;
        large || rows >= SAMPLE_ROWS.min(most)
    };
    while !enough(sample.rows) && !failed {
        let more = source.page(&mut |cells| {
            failed |= rows.row(cells).is_err();
            sample.take(cells);
            match enough(sample.rows) || failed {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        })?;
        if !more {
            break;
        }
    }
    let text = rows.end().map(|out| out.inner).unwrap_or_default();
    Ok(sample.into_look_of(&sheet, whole, &text))
}

/// What [`look`] remembers of the first rows.
#[derive(Default)]
struct Sample {
    rows: u64,
    first: Vec<Vec<String>>,
    scratch: String,
}

impl Sample {
    fn take(&mut self, cells: &[Cell<'_>]) {
        self.rows += 1;
        if self.first.len() < PREVIEW_ROWS {
            let scratch = &mut self.scratch;
            let cells = cells.iter().map(|cell| short(cell.plain(scratch)));
            self.first.push(cells.collect());
        }
    }

    fn into_look(self, sheet: &Sheet<'_>, whole: bool, bytes: u64) -> Look {
        Look {
            rows: match whole {
                true => sheet.count,
                false => sheet.count.max(self.rows),
            },
            whole,
            bytes,
            columns: sheet
                .columns
                .iter()
                .map(|name| (*name).to_owned())
                .collect(),
            first: self.first,
            text: String::new(),
        }
    }

    /// `file` is the file with the sampled rows only.
    fn into_look_of(self, sheet: &Sheet<'_>, whole: bool, file: &[u8]) -> Look {
        let sampled = self.rows.max(1);
        let bytes = file.len() as u64;
        let bytes = match self.rows >= sheet.count {
            true => bytes,
            false => (bytes as f64 / sampled as f64 * sheet.count as f64) as u64,
        };
        let text =
            String::from_utf8_lossy(&file[..file.len().min(PREVIEW_TEXT_BYTES)]).into_owned();
        Look {
            text,
            ..self.into_look(sheet, whole, bytes)
        }
    }
}

fn short(text: &str) -> String {
    match text.char_indices().nth(PREVIEW_CELL_CHARS) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// Rows there will be: all, or as many as are wanted.
fn expected<S: Source>(source: &mut S, job: &Job) -> Result<u64, S::Error> {
    let total = source.total()?;
    Ok(job.limit.map_or(total, |limit| limit.min(total)))
}

fn sheet<'a>(job: &'a Job, columns: &'a [&'static str], count: u64) -> Sheet<'a> {
    Sheet {
        job,
        style: job.style,
        columns,
        count,
    }
}

/// Why writing stopped.
pub(crate) enum Stopped<E> {
    Cancelled,
    Out(io::Error),
    Source(E),
}

fn pour<S: Source, W: Write>(
    source: &mut S,
    job: &Job,
    out: Counting<W>,
    watch: &mut Watch<'_>,
) -> Result<(Written, W), Stopped<S::Error>> {
    let total = expected(source, job).map_err(Stopped::Source)?;
    let columns = source.columns().to_vec();
    let counted = out.bytes.clone();
    let mut rows = Rows::begin(&sheet(job, &columns, total), out).map_err(Stopped::Out)?;
    let mut done = 0;
    while done < total {
        if watch.cancel.is_cancelled() {
            return Err(Stopped::Cancelled);
        }
        let mut failed = None;
        let more = source.page(&mut |cells| {
            if let Err(error) = rows.row(cells) {
                failed = Some(error);
                return ControlFlow::Break(());
            }
            done += 1;
            match done < total {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(()),
            }
        });
        let more = more.map_err(Stopped::Source)?;
        if let Some(error) = failed {
            return Err(Stopped::Out(error));
        }
        (watch.progress)(Progress {
            rows: done,
            total,
            bytes: counted.get(),
        });
        if !more {
            break;
        }
    }
    let out = rows.end().map_err(Stopped::Out)?.inner;
    let written = Written {
        rows: done,
        bytes: counted.get(),
    };
    Ok((written, out))
}

/// Counts what goes through.
struct Counting<W> {
    inner: W,
    bytes: std::rc::Rc<std::cell::Cell<u64>>,
}

impl<W> Counting<W> {
    fn new(inner: W) -> Self {
        Self {
            inner,
            bytes: std::rc::Rc::default(),
        }
    }
}

impl<W: Write> Write for Counting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.bytes.set(self.bytes.get() + written as u64);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
