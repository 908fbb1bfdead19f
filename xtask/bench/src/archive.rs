//! Old history archived and brought back (SPEC E6): how much smaller the data folder gets, how fast, and what a window
//! asks of a history of which all is archived that can be. One JSON object a figure.
//!
//! The folder is made by `ghostlight-seed`; one named by `--data` is left alone: its database is copied.

use std::{fs, ops::ControlFlow, path::Path, sync::Arc, time::Instant};

use ghostlight_engine::{
    Engine, Hooks,
    archive::{ArchiveOrder, Keeping, Kept},
};
use ghostlight_model::Micros;
use ghostlight_seed::{Plan, fill};
use ghostlight_store::DATABASE;

use crate::{
    Options, Outcome, figure,
    history::{Shell, queries, size},
};

/// Prints the figures.
///
/// # Errors
/// If the data cannot be made, read or written.
pub fn measure(options: &Options) -> Outcome<()> {
    let own = tempfile::tempdir()?;
    let folder = own.path().join("data");
    match &options.data {
        Some(data) => copy(data, &folder)?,
        None => {
            let plan = Plan {
                rows: options.rows,
                seed: 1,
            };
            fill(&folder, plan, &mut |_| {})?;
        }
    }
    let engine = Engine::open(&folder, Arc::new(Shell), Hooks::default())?;
    let size = size(&engine)?;
    let order = ArchiveOrder {
        before: Micros::MAX,
        posting: None,
        now: Micros(0),
    };
    let (kept, per_s) = timed(&engine, &Keeping::Archive(order))?;
    let (before, after) = (kept.bytes.0 as f64, kept.bytes.1 as f64);
    figure("archive_versions_per_s", per_s, "versions/s", None);
    figure("archive_freed_mb", (before - after) / 1e6, "MB", None);
    figure(
        "archive_freed_percent",
        100.0 * (before - after) / before,
        "%",
        None,
    );
    let files = engine.hub().store().archives()?;
    let packed: u64 = files.iter().map(|file| file.bytes).sum();
    figure(
        "archive_bytes_per_version",
        packed as f64 / kept.versions as f64,
        "bytes",
        None,
    );
    queries(&folder, &engine, &size, "archived_")?;
    let (back, per_s) = timed(&engine, &Keeping::BringBack(None))?;
    figure("archive_back_versions_per_s", per_s, "versions/s", None);
    match back.versions == kept.versions {
        true => Ok(()),
        false => Err("not all of it came back".into()),
    }
}

/// What it did, and how many versions a second, the file made smaller included.
fn timed(engine: &Engine, what: &Keeping) -> Outcome<(Kept, f64)> {
    let begun = Instant::now();
    let kept = engine.keep(what, true, &mut |_| ControlFlow::Continue(()))?;
    let seconds = begun.elapsed().as_secs_f64();
    eprintln!(
        "{} versions in {} files, {} stay, {} bytes before, {} now, {seconds:.1} s",
        kept.versions, kept.files, kept.kept, kept.bytes.0, kept.bytes.1
    );
    let per_s = kept.versions as f64 / seconds;
    Ok((kept, per_s))
}

/// The database of a folder that nobody has open.
fn copy(data: &Path, folder: &Path) -> Outcome<()> {
    fs::create_dir_all(folder)?;
    fs::copy(data.join(DATABASE), folder.join(DATABASE))?;
    Ok(())
}
