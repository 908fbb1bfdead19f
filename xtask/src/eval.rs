//! `cargo xtask eval`: detection measured on labelled postings, one JSON object a figure.
//!
//! The postings are not part of the project (they belong to their employers). They are looked for beside the
//! checkout; without them the verb says so and measures nothing. Labels known to be wrong are listed, with the
//! reason, in `tests/known-label-noise.tsv`.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::{Failure, Result, Verb, proc, workspace};

pub const VERB: Verb = Verb {
    name: "eval",
    usage: "[DATA]",
    about: "accuracy, calibration and CPU of detection on labelled postings (default ../shared/data)",
    run: |args| {
        let data = match args {
            [] => workspace::root().join("../shared/data"),
            [data] => PathBuf::from(data),
            _ => return Err(Failure::new("one folder of labelled postings at most")),
        };
        evaluate(&data)
    },
};

fn evaluate(data: &std::path::Path) -> Result<ExitCode> {
    if !data.join("truth").is_dir() {
        eprintln!(
            "NOTHING MEASURED: {} holds no labelled postings (truth/*.jsonl). Name a folder that does.",
            data.display()
        );
        return Ok(ExitCode::SUCCESS);
    }
    let noise = workspace::root().join("tests/known-label-noise.tsv");
    proc::run(
        proc::cargo()
            .args([
                "run",
                "--quiet",
                "--release",
                "--package",
                "ghostlight-eval",
                "--",
            ])
            .arg(data)
            .arg(noise),
    )?;
    Ok(ExitCode::SUCCESS)
}
