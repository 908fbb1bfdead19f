//! `ghostlight export`: rows of the store as a file that is there as a whole or not at all.

use crate::{
    Global,
    bundle::numbers,
    hub::Signals,
    output::{Exit, fail, print_line, whole},
    progress,
};
use ghostlight_api::ApiError;
use ghostlight_engine::{
    Engine, ErrorCode,
    export::{Export, ExportError, FileError, Look, Progress, Style, Target, Watch},
};
use ghostlight_model::{
    Day, FieldKey, Level, Micros, PostingId, RunId, Severity, Source,
    export::{Filter, Format, What},
    rules::VERDICTS,
    run::RunStatus,
};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

const DAY_US: i64 = 86_400_000_000;
/// The levels of an assessment.
const LEVELS: [Level; 4] = [
    Level::NoSignals,
    Level::Unclear,
    Level::SomeDoubt,
    Level::StrongDoubt,
];

/// What to export.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// As what kind of file
    #[arg(long, value_name = "csv|json|jsonl|md|bundle", value_parser = kind)]
    format: Kind,
    /// The file; in a folder, a name that says what is inside
    #[arg(short, long, value_name = "FILE", required_unless_present = "preview")]
    output: Option<PathBuf>,
    /// Which rows: postings, a row each; history, a row a changed field; events of runs
    #[arg(long, value_name = "postings|history|events", value_parser = what, default_value = "postings")]
    what: What,
    /// Only these fields, in this order
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    fields: Vec<String>,
    /// At most so many rows
    #[arg(long, value_name = "N", value_parser = whole::<u64>)]
    limit: Option<u64>,
    /// Replace the file if there is one
    #[arg(long)]
    overwrite: bool,
    /// Show the size and the first ten rows, and write nothing
    #[arg(long, conflicts_with = "output")]
    preview: bool,
    /// CSV: begin with a mark that tells Excel that it is UTF-8
    #[arg(long)]
    bom: bool,
    /// CSV: leave text as it is that a spreadsheet could take for a formula
    #[arg(long)]
    no_guard: bool,
    #[command(flatten)]
    rows: Rows,
}

/// Which rows; all without a filter.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Filters")]
struct Rows {
    /// From this day on (UTC), or this moment (YYYY-MM-DDTHH:MMZ)
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = from)]
    from: Option<Micros>,
    /// Until this day (UTC), itself included, or before this moment
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = until)]
    until: Option<Micros>,
    /// Of this posting (postings, history)
    #[arg(long, value_name = "ID")]
    posting: Option<PostingId>,
    /// With this text in title, employer or place (postings), or as it was sent (events)
    #[arg(long, value_name = "TEXT")]
    text: Option<String>,
    /// With this level of the assessment (postings)
    #[arg(long, value_parser = LEVELS.map(Level::word))]
    level: Option<String>,
    /// With this verdict (postings)
    #[arg(long, value_parser = VERDICTS)]
    verdict: Option<String>,
    /// Of this field (history)
    #[arg(long, value_name = "NAME")]
    field: Option<String>,
    /// By this author (history)
    #[arg(long, value_name = "ID")]
    author: Option<String>,
    /// By a person, a model or the parser (history)
    #[arg(long, value_parser = [Source::User.word(), Source::Ai.word(), Source::Parsing.word()])]
    source: Option<String>,
    /// Of this run (events)
    #[arg(long, value_name = "ID")]
    run: Option<String>,
    /// Of runs from here: local, hub, feed:ID (events)
    #[arg(long, value_name = "ORIGIN")]
    origin: Option<String>,
    /// Of this step (events)
    #[arg(long, value_name = "NAME")]
    node: Option<String>,
    /// Of this phase (events)
    #[arg(long, value_name = "NAME")]
    phase: Option<String>,
    /// With an issue so bad or worse, or of a step that failed (events)
    #[arg(long, value_name = "info|warning|error", value_parser = severity)]
    severity: Option<Severity>,
    /// Of runs with this status (events)
    #[arg(long, value_name = "running|finished|failed|open", value_parser = status)]
    status: Option<RunStatus>,
    /// Of runs with this text in their name (events)
    #[arg(long, value_name = "TEXT")]
    named: Option<String>,
}

/// What kind of file.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Table(Format),
    /// Postings with everything that is known of them.
    Bundle,
}

const BUNDLE: &str = "bundle";

fn kind(word: &str) -> Result<Kind, String> {
    let words = Format::ALL.map(Format::word).join(", ");
    let table = Format::of_word(word).map(Kind::Table);
    let kind = table.or((word == BUNDLE).then_some(Kind::Bundle));
    kind.ok_or_else(|| format!("one of {words}, {BUNDLE}"))
}

fn what(word: &str) -> Result<What, String> {
    let words = What::ALL.map(What::word).join(", ");
    What::of_word(word).ok_or_else(|| format!("one of {words}"))
}

fn severity(word: &str) -> Result<Severity, String> {
    let words = Severity::ALL.map(Severity::word).join(", ");
    Severity::of_word(word).ok_or_else(|| format!("one of {words}"))
}

fn status(word: &str) -> Result<RunStatus, String> {
    let words = RunStatus::ALL.map(RunStatus::word).join(", ");
    RunStatus::of_word(word).ok_or_else(|| format!("one of {words}"))
}

fn from(text: &str) -> Result<Micros, String> {
    moment(text, 0)
}

fn until(text: &str) -> Result<Micros, String> {
    moment(text, DAY_US)
}

/// A moment, or one so long behind a day's beginning.
fn moment(text: &str, behind: i64) -> Result<Micros, String> {
    let day = Day::parse_prefix(text).filter(|_| text.len() == 10);
    let day = day.map(|day| Micros(day.epoch_days() * DAY_US + behind));
    day.or_else(|| Micros::from_rfc3339(text))
        .ok_or_else(|| "a day as YYYY-MM-DD is expected, or a moment as YYYY-MM-DDTHH:MMZ".into())
}

impl Rows {
    fn filter(&self) -> Filter {
        Filter {
            from: self.from,
            until: self.until,
            posting: self.posting,
            text: self.text.clone(),
            level: self.level.clone(),
            verdict: self.verdict.clone(),
            field: self.field.as_deref().map(FieldKey::from),
            author: self.author.clone(),
            source: self.source.clone(),
            run: self.run.clone().map(RunId),
            origin: self.origin.clone(),
            node: self.node.clone(),
            phase: self.phase.clone(),
            severity: self.severity,
            status: self.status,
            named: self.named.clone(),
        }
    }
}

pub(crate) fn run(global: &Global, args: &Args) -> Result<Exit, Exit> {
    let format = match args.format {
        Kind::Bundle => return run_bundle(global, args),
        Kind::Table(format) => format,
    };
    let export = Export {
        what: args.what,
        format,
        filter: args.rows.filter(),
        fields: args.fields.clone(),
        limit: args.limit,
        style: Style {
            bom: args.bom,
            guard: !args.no_guard,
        },
    };
    // Before the engine: a signal from here on ends an export cleanly.
    let signals = Signals::install()?;
    let engine = global.engine_of_known()?;
    let Some(output) = &args.output else {
        return preview(global, &engine, &export);
    };
    let name = engine.export_name(&export).map_err(|e| not_looked_at(&e))?;
    let target = target(args, output, &name);
    let written = with_progress(global, signals, "{pos}/{len} {per_sec} {eta}", |watch| {
        engine.export(&export, &target, watch)
    })?;
    let told = json!({
        "file": target.path.display().to_string(), "what": export.what.word(), "format": format.word(),
        "rows": written.rows, "bytes": written.bytes,
    });
    let rows = if written.rows == 1 { "row" } else { "rows" };
    done(
        global,
        &told,
        &format!(
            "{}: {} {rows}, {} bytes",
            target.path.display(),
            written.rows,
            written.bytes
        ),
    )
}

fn run_bundle(global: &Global, args: &Args) -> Result<Exit, Exit> {
    if args.what != What::Postings || !args.fields.is_empty() || args.bom || args.no_guard {
        let message = "a bundle holds postings with everything that is known of them";
        let hint = "Leave out --what, --fields, --bom and --no-guard; the filters of postings choose which.";
        return Err(fail(Exit::Usage, message, Some(hint)));
    }
    let signals = Signals::install()?;
    let engine = global.engine_of_known()?;
    let filter = args.rows.filter();
    let name = engine.bundle_name(&filter).map_err(|e| not_looked_at(&e))?;
    // Without a file it is a preview: clap asks for one of them.
    let Some(output) = &args.output else {
        let look = engine
            .look_bundle(&filter, args.limit)
            .map_err(|error| not_looked_at(&error))?;
        let (rows, bytes) = (look.postings, look.bytes);
        return match global.json {
            true => print_line(&json!({"name": name, "rows": rows, "bytes": bytes}).to_string()),
            false => print_line(&format!("{name}: {rows} postings, about {bytes} bytes")),
        }
        .map(|()| Exit::Done);
    };
    let target = target(args, output, &name);
    let (written, counts) = with_progress(global, signals, "{percent} % {eta}", |watch| {
        engine.export_bundle(&filter, args.limit, &target, watch)
    })?;
    let told = json!({
        "file": target.path.display().to_string(), "what": What::Postings.word(), "format": BUNDLE, "rows": written.rows,
        "bytes": written.bytes, "counts": numbers(&counts),
    });
    done(
        global,
        &told,
        &format!(
            "{}: {} postings, {} bytes",
            target.path.display(),
            written.rows,
            written.bytes
        ),
    )
}

/// Says what was written: an object on standard output, or a note on standard error.
fn done(global: &Global, told: &Value, note: &str) -> Result<Exit, Exit> {
    if global.json {
        print_line(&told.to_string())?;
    } else if !global.quiet {
        eprintln!("ghostlight: {note}");
    }
    Ok(Exit::Done)
}

/// In a folder, the name that says what is inside.
fn target(args: &Args, output: &Path, name: &str) -> Target {
    let path = match output.is_dir() {
        true => output.join(name),
        false => output.to_owned(),
    };
    Target {
        path,
        overwrite: args.overwrite,
    }
}

/// Runs an export with a bar and `figures` beside it on a terminal, and stops it on SIGINT and SIGTERM.
fn with_progress<T>(
    global: &Global,
    signals: Signals,
    figures: &str,
    work: impl FnOnce(&mut Watch<'_>) -> Result<T, ExportError>,
) -> Result<T, Exit> {
    let bar = progress::bar(!global.quiet, &format!("{{bar:24}} {figures}"));
    let mut show = |now: Progress| {
        bar.set_length(now.total);
        bar.set_position(now.rows);
    };
    let done = progress::stoppable(signals, &bar, |cancel| {
        work(&mut Watch {
            cancel,
            progress: &mut show,
        })
    })?;
    done.map_err(|error| refused(&error))
}

fn refused(error: &ExportError) -> Exit {
    let exit = match error {
        ExportError::Cancelled => Exit::NothingFound,
        ExportError::Refused(_) | ExportError::File(_) => Exit::Usage,
        ExportError::Store(_) => Exit::Store,
    };
    let told = error.told();
    let hint = match error {
        ExportError::File(FileError::Exists { .. }) => {
            Some("Choose another name, or give --overwrite.")
        }
        _ => told.hint.as_deref(),
    };
    fail(exit, &told.message, hint)
}

fn not_looked_at(error: &ApiError) -> Exit {
    let exit = match error.code {
        ErrorCode::Rule => Exit::Usage,
        _ => Exit::Store,
    };
    fail(exit, &error.message, error.hint.as_deref())
}

fn preview(global: &Global, engine: &Engine, export: &Export) -> Result<Exit, Exit> {
    let look: Look = engine.look(export).map_err(|error| not_looked_at(&error))?;
    let name = engine.export_name(export).map_err(|e| not_looked_at(&e))?;
    if global.json {
        let told = json!({
            "name": name, "rows": look.rows, "bytes": look.bytes, "columns": look.columns, "first": look.first,
        });
        print_line(&told.to_string())?;
    } else {
        print_line(&format!(
            "{name}: {} rows, about {} bytes",
            look.rows, look.bytes
        ))?;
        print_line(&look.columns.join(" | "))?;
        for row in &look.first {
            let cells = row
                .iter()
                .map(|cell| cell.split_whitespace().collect::<Vec<_>>().join(" "));
            print_line(&cells.collect::<Vec<_>>().join(" | "))?;
        }
    }
    Ok(Exit::Done)
}
