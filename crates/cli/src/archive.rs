//! `ghostlight archive`: old history into compressed files, a list of them, and back.

use crate::{
    Global,
    history::{posting, trouble},
    hub::Signals,
    output::{Exit, print_line, whole},
    progress,
};
use ghostlight_engine::{
    Engine,
    archive::{ArchiveOrder, Keeping, KeepingProgress, Kept},
    host::wall_clock,
};
use ghostlight_model::{Day, Micros};
use indicatif::ProgressBar;
use serde_json::{Value, json};
use std::ops::ControlFlow;

const DAY_US: i64 = 86_400_000_000;

/// What to do with old history.
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("deed").required(true)))]
pub(crate) struct Args {
    /// Archive versions older than so many days
    #[arg(long, value_name = "DAYS", value_parser = whole::<u32>, group = "deed")]
    older_than: Option<u32>,
    /// Archive versions from before this day (UTC)
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day, group = "deed")]
    before: Option<Day>,
    /// List the archive files
    #[arg(long, group = "deed")]
    list: bool,
    /// Bring back what these files hold, or all that is archived
    #[arg(long, value_name = "FILE", num_args = 0.., group = "deed")]
    restore: Option<Vec<String>>,
    /// Archive of this posting only: its id or its web address
    #[arg(long, value_name = "POSTING", conflicts_with_all = ["list", "restore"])]
    posting: Option<String>,
    /// Say how many versions and bytes would go, and change nothing
    #[arg(long, conflicts_with_all = ["list", "restore", "no_compact"])]
    dry_run: bool,
    /// Leave the database's file as large as it is; what comes uses the room
    #[arg(long, conflicts_with = "list")]
    no_compact: bool,
}

fn day(text: &str) -> Result<Day, String> {
    let day = Day::parse_prefix(text).filter(|_| text.len() == 10);
    day.ok_or_else(|| "a day as YYYY-MM-DD is expected".into())
}

pub(crate) fn run(global: &Global, args: &Args) -> Result<Exit, Exit> {
    // Before the engine: a signal from here on stops it between two files.
    let signals = Signals::install()?;
    let engine = global.engine_of_known()?;
    if args.list {
        return list(global, &engine);
    }
    if args.dry_run {
        return look(global, &engine, &order(&engine, args)?);
    }
    let what = match &args.restore {
        Some(names) => Keeping::BringBack((!names.is_empty()).then(|| names.clone())),
        None => Keeping::Archive(order(&engine, args)?),
    };
    let bar = progress::bar(!global.quiet, "{bar:24} {pos}/{len} {msg}");
    let kept = progress::stoppable(signals, &bar, |cancel| {
        engine.keep(&what, !args.no_compact, &mut |now| {
            show(&bar, now);
            match cancel.is_cancelled() {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        })
    })?;
    told(global, &what, &kept.map_err(|error| trouble(&error))?)
}

fn order(engine: &Engine, args: &Args) -> Result<ArchiveOrder, Exit> {
    let now = wall_clock();
    let before = match (args.before, args.older_than) {
        (Some(day), _) => Micros(day.epoch_days() * DAY_US),
        (None, days) => {
            let age = i64::from(days.unwrap_or_default()).saturating_mul(DAY_US);
            Micros(now.0.saturating_sub(age))
        }
    };
    let wanted = args.posting.as_deref();
    Ok(ArchiveOrder {
        before,
        posting: wanted.map(|text| posting(engine, text)).transpose()?,
        now,
    })
}

/// Says what would be done.
fn look(global: &Global, engine: &Engine, order: &ArchiveOrder) -> Result<Exit, Exit> {
    let look = engine.hub().store().archive_preview(order, u64::MAX);
    let look = look.map_err(|e| trouble(&e))?;
    let line = match global.json {
        true => json!({
            "what": "archive", "dry_run": true, "versions": look.versions, "bytes": look.bytes, "kept": look.kept,
        })
        .to_string(),
        false => {
            let stay = staying(look.kept, ("would stay", "would stay"));
            match look.versions {
                0 => format!("nothing to archive{stay}"),
                n => format!(
                    "{} would go into compressed files, {} bytes as they are now{stay}; nothing was changed",
                    count(n, "version"),
                    look.bytes
                ),
            }
        }
    };
    print_line(&line)?;
    Ok(Exit::Done)
}

fn list(global: &Global, engine: &Engine) -> Result<Exit, Exit> {
    let files = engine.hub().store().archives();
    for file in files.map_err(|e| trouble(&e))? {
        let line = match global.json {
            true => json!({
                "file": file.name, "bytes": file.bytes, "versions": file.versions,
                "oldest": file.oldest.to_rfc3339(), "latest": file.latest.to_rfc3339(), "made": file.made.to_rfc3339(),
            })
            .to_string(),
            false => format!(
                "{}  {} versions from {} to {}, {} bytes",
                file.name,
                file.versions,
                file.oldest.day(),
                file.latest.day(),
                file.bytes
            ),
        };
        print_line(&line)?;
    }
    Ok(Exit::Done)
}

fn show(bar: &ProgressBar, now: KeepingProgress) {
    match now {
        KeepingProgress::Moving(now) => {
            bar.set_length(now.total);
            bar.set_position(now.done);
            bar.set_message(format!("{} versions", now.versions));
        }
        KeepingProgress::Compacting => bar.set_message("giving the room back to the system"),
    }
}

/// Says what was done: an object on standard output, or a note on standard error.
fn told(global: &Global, what: &Keeping, kept: &Kept) -> Result<Exit, Exit> {
    let not_compacted = kept.compacted.as_ref().and_then(|done| done.as_ref().err());
    if global.json {
        print_line(&object(what, kept).to_string())?;
    } else if !global.quiet {
        eprintln!("ghostlight: {}", sentence(what, kept));
    }
    if let Some(error) = not_compacted
        && !global.quiet
    {
        eprintln!("ghostlight: the room was not given back to the system: {error}");
        eprintln!("  The database uses it for what comes. {}", error.hint());
    }
    match kept.stopped {
        true => Ok(Exit::NothingFound),
        false => Ok(Exit::Done),
    }
}

fn object(what: &Keeping, kept: &Kept) -> Value {
    json!({
        "what": match what { Keeping::Archive(_) => "archive", Keeping::BringBack(_) => "restore" },
        "versions": kept.versions, "files": kept.files, "kept": kept.kept, "stopped": kept.stopped,
        "bytes": {"before": kept.bytes.0, "after": kept.bytes.1},
        "compacted": kept.compacted.as_ref().is_some_and(Result::is_ok),
    })
}

fn count(n: u64, what: &str) -> String {
    match n {
        1 => format!("1 {what}"),
        n => format!("{n} {what}s"),
    }
}

/// What stays in the database; the verb for one and for many.
fn staying(kept: u64, (one, many): (&str, &str)) -> String {
    match kept {
        0 => String::new(),
        1 => format!("; 1 old version {one}, since cards are made from it"),
        n => format!("; {n} old versions {many}, since cards are made from them"),
    }
}

fn sentence(what: &Keeping, kept: &Kept) -> String {
    let (before, after) = kept.bytes;
    let stopped = if kept.stopped { "stopped; " } else { "" };
    let cards = staying(kept.kept, ("stays", "stay"));
    let (versions, files) = (count(kept.versions, "version"), count(kept.files, "file"));
    match what {
        Keeping::Archive(_) if kept.versions == 0 => {
            format!("{stopped}nothing to archive{cards}")
        }
        Keeping::Archive(_) => format!(
            "{stopped}{versions} archived in {files}{cards}; {before} bytes before, {after} now",
        ),
        Keeping::BringBack(_) if kept.versions == 0 => format!("{stopped}nothing is archived"),
        Keeping::BringBack(_) => format!(
            "{stopped}{versions} brought back out of {files}; {before} bytes before, {after} now",
        ),
    }
}
