//! `ghostlight doctor`: is the data sound, and what to do if it is not.

use crate::{
    Global,
    output::{Exit, fail, print_line},
};
use serde_json::json;

/// What to do besides checking.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Drop every projection and rebuild it from the log
    #[arg(long)]
    rebuild: bool,
}

pub(crate) fn run(global: &Global, args: &Args) -> Result<Exit, Exit> {
    let engine = global.engine()?;
    let store = engine.hub().store();
    let trouble =
        |e: ghostlight_engine::StoreError| fail(Exit::Store, &e.to_string(), Some(e.hint()));
    let problems = store.check().map_err(trouble)?;
    let (postings, running) = store.counts().map_err(trouble)?;
    let rebuilt = if args.rebuild && problems.is_empty() {
        Some(store.rebuild().wait().map_err(trouble)?)
    } else {
        None
    };
    if global.json {
        let rebuilt = rebuilt.as_ref().map(|r| {
            json!({ "events": r.events, "runs": r.runs, "postings": r.postings, "drift": r.drift })
        });
        print_line(
            &json!({
                "database": store.path(), "healthy": problems.is_empty(), "problems": problems,
                "postings": postings, "running": running, "rebuilt": rebuilt,
            })
            .to_string(),
        )?;
    } else {
        print_line(&format!(
            "{}: {postings} postings, {running} runs under way",
            store.path().display()
        ))?;
        for problem in &problems {
            print_line(&format!("  damaged: {problem}"))?;
        }
        if problems.is_empty() {
            print_line("  integrity: ok")?;
        }
        if let Some(r) = &rebuilt {
            let drift = if r.drift {
                "differed from the log and were repaired"
            } else {
                "agreed with the log"
            };
            print_line(&format!(
                "  rebuilt {} runs and {} postings from {} events; the old rows {drift}",
                r.runs, r.postings, r.events
            ))?;
        }
    }
    if problems.is_empty() {
        return Ok(Exit::Done);
    }
    Err(fail(
        Exit::Store,
        "the database is damaged",
        Some("Keep a copy of the folder, then restore the newest file of its backups folder."),
    ))
}
