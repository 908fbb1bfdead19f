//! `ghostlight-seed --rows N FOLDER`: fills a data folder, and says how far it is.

use ghostlight_seed::{Plan, Progress, fill};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Instant,
};

/// The same for everybody, so that figures compare.
const SEED: u64 = 1;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let parsed = match &args[..] {
        [flag, rows, folder] if flag == "--rows" => {
            rows.replace('_', "").parse().ok().zip(Some(folder))
        }
        _ => None,
    };
    let Some((rows, folder)) = parsed.filter(|(rows, _)| *rows > 0) else {
        eprintln!("ghostlight-seed: --rows N FOLDER is expected, with a number above 0");
        return ExitCode::from(2);
    };
    match make(rows, Path::new(folder)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ghostlight-seed: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Makes it aside and renames it, so that a folder of that name is a whole one.
fn make(rows: u64, folder: &Path) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    if folder.exists() {
        return Err(format!("{} is there already; name a new folder", folder.display()).into());
    }
    let mut aside = folder.as_os_str().to_owned();
    aside.push(".partial");
    let aside = PathBuf::from(aside);
    // What an earlier try left is of no use.
    let _ = std::fs::remove_dir_all(&aside);
    let begun = Instant::now();
    let told = |p: Progress| {
        eprintln!(
            "{:>10} of {rows} changes, {} commits, {} postings, {:.0} s",
            p.rows,
            p.commits,
            p.postings,
            begun.elapsed().as_secs_f64()
        );
    };
    let made = fill(&aside, Plan { rows, seed: SEED }, &mut { told })?;
    std::fs::rename(&aside, folder)?;
    println!("{}", folder.display());
    if let Some((posting, versions)) = made.longest {
        eprintln!("The longest history has {versions} versions: posting {posting}.");
    }
    Ok(())
}
