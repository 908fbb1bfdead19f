//! `ghostlight import` and `ghostlight verify`: bundles from elsewhere, refused as a whole or taken over as a whole.

use crate::{
    Global,
    hub::Signals,
    output::{Exit, fail, print_line},
    progress,
};
use ghostlight_engine::bundle::{self, Counts, ImportError, Imported, Reading};
use serde_json::{Value, json};
use std::{path::PathBuf, sync::Arc};

/// Which bundle.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The bundle
    #[arg(value_name = "BUNDLE")]
    file: PathBuf,
}

pub(crate) fn verify(global: &Global, args: &Args) -> Result<Exit, Exit> {
    let counts = bundle::verify(&args.file).map_err(|e| refused(&ImportError::Bundle(e)))?;
    if global.json {
        print_line(
            &json!({"file": args.file.display().to_string(), "sound": true, "counts": numbers(&counts)}).to_string(),
        )?;
    } else {
        print_line(&format!(
            "{}: sound; {} postings, {} captures, {} runs, {} events, {} observations, {} commits, {} branches",
            args.file.display(),
            counts.postings,
            counts.captures,
            counts.streams,
            counts.events,
            counts.observations,
            counts.commits,
            counts.branches
        ))?;
        print_line("  The hashes prove that the bundle is whole, not who made it.")?;
    }
    Ok(Exit::Done)
}

pub(crate) fn numbers(counts: &Counts) -> Value {
    json!({
        "postings": counts.postings, "captures": counts.captures, "contents": counts.contents, "runs": counts.streams,
        "events": counts.events, "observations": counts.observations, "commits": counts.commits,
        "branches": counts.branches,
    })
}

pub(crate) fn import(global: &Global, args: &Args) -> Result<Exit, Exit> {
    // Before the engine: a signal from here on ends an import cleanly.
    let signals = Signals::install()?;
    let engine = global.engine()?;
    let bar = progress::bar(!global.quiet, "{bar:24} {percent} % {eta}");
    let shown = bar.clone();
    let tell = Arc::new(move |now: Reading| {
        // It is read twice: verified, then taken over.
        shown.set_length(now.total.saturating_mul(2));
        shown.set_position(now.pieces + if now.taking { now.total } else { 0 });
    });
    let done = progress::stoppable(signals, &bar, |cancel| {
        engine.import_bundle(&args.file, cancel, tell)
    })?;
    let done = done.map_err(|e| refused(&e))?;
    if global.json {
        print_line(&told(args, &done).to_string())?;
        return Ok(Exit::Done);
    }
    print_line(&format!(
        "{}: {} postings, {} of them new; taken over: {} captures, {} events, {} observations, {} commits",
        args.file.display(),
        done.postings.len(),
        done.new_postings,
        done.captures,
        done.events,
        done.observations,
        done.commits
    ))?;
    for posting in done.forked.keys() {
        print_line(&format!(
            "  {posting}: its history went on here and there; both are kept"
        ))?;
    }
    Ok(Exit::Done)
}

fn told(args: &Args, done: &Imported) -> Value {
    let forked = done.forked.iter().map(|(posting, heads)| {
        let heads: Vec<String> = heads.iter().map(ToString::to_string).collect();
        json!({"posting": posting, "heads": heads})
    });
    json!({
        "file": args.file.display().to_string(), "postings": done.postings, "new_postings": done.new_postings, "captures": done.captures,
        "events": done.events, "observations": done.observations, "commits": done.commits,
        "forked": forked.collect::<Vec<_>>(),
    })
}

/// What is no sound bundle, or was stopped, ends with 1, what cannot be read at all with 2, trouble with the store with 3.
fn refused(error: &ImportError) -> Exit {
    use ghostlight_engine::StoreError;
    let exit = match error {
        ImportError::Bundle(bundle::BundleError::Unreadable { .. }) => Exit::Usage,
        ImportError::Bundle(_)
        | ImportError::Store(StoreError::Refused(_))
        | ImportError::Cancelled => Exit::NothingFound,
        ImportError::Store(_) => Exit::Store,
    };
    let told = error.told();
    fail(exit, &told.message, told.hint.as_deref())
}
