//! `ghostlight doctor`: is the data sound, and what to do if it is not.

use crate::{
    Global,
    output::{Exit, fail, print_line},
};
use ghostlight_engine::archive::ArchiveProblem;
use serde_json::{Value, json};

/// What to do besides checking.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Drop every projection and rebuild it from the log
    #[arg(long)]
    rebuild: bool,
}

pub(crate) fn run(global: &Global, args: &Args) -> Result<Exit, Exit> {
    let engine = global.engine_of_known()?;
    let store = engine.hub().store();
    let trouble =
        |e: ghostlight_engine::StoreError| fail(Exit::Store, &e.to_string(), Some(e.hint()));
    let problems = store.check().map_err(trouble)?;
    let archives = store.check_archives().map_err(trouble)?;
    let lost = archives.iter().any(|problem| problem.grave);
    let (postings, running) = store.counts().map_err(trouble)?;
    let model = engine.model_words();
    let model = model.map_err(|e| fail(Exit::Store, &e.message, e.hint.as_deref()))?;
    let rebuilt = if args.rebuild && problems.is_empty() && !lost {
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
                "database": store.path().display().to_string(), "healthy": problems.is_empty() && !lost, "problems": problems,
                "archives": archives.iter().map(archive).collect::<Vec<_>>(),
                "postings": postings, "running": running, "rebuilt": rebuilt, "model": model,
            })
            .to_string(),
        )?;
    } else {
        print_line(&format!(
            "{}: {postings} postings, {running} runs under way",
            store.path().display()
        ))?;
        print_line(&format!("  model: {model}"))?;
        for problem in &problems {
            print_line(&format!("  damaged: {problem}"))?;
        }
        for problem in &archives {
            print_line(&format!("  archive {}: {}", problem.file, problem.what))?;
            print_line(&format!("    {}", problem.hint))?;
        }
        if problems.is_empty() && !lost {
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
    if problems.is_empty() && !lost {
        return Ok(Exit::Done);
    }
    if problems.is_empty() {
        return Err(fail(
            Exit::Store,
            "archived history is missing or damaged",
            Some(
                "Put the archive files named above back from a copy of the folder; everything else is sound.",
            ),
        ));
    }
    Err(fail(
        Exit::Store,
        "the database is damaged",
        Some("Keep a copy of the folder, then restore the newest file of its backups folder."),
    ))
}

fn archive(problem: &ArchiveProblem) -> Value {
    json!({"file": problem.file, "what": problem.what, "hint": problem.hint, "grave": problem.grave})
}
