//! `cargo xtask seed`: a data folder with as many field changes as asked for, to try and to measure large ones.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::{Failure, Verb, proc, workspace};

pub const VERB: Verb = Verb {
    name: "seed",
    usage: "--rows N [--out FOLDER]",
    about: "a data folder with N field changes, the same on every machine (default target/seed-N)",
    run: |args| {
        let (rows, out) = match args {
            [flag, rows] if flag == "--rows" => (rows, None),
            [flag, rows, to, folder] if flag == "--rows" && to == "--out" => (rows, Some(folder)),
            _ => {
                return Err(Failure::new(
                    "--rows N is expected, and --out FOLDER if it is not to be in target/",
                ));
            }
        };
        let out = out.map_or_else(
            || workspace::target().join(format!("seed-{rows}")),
            PathBuf::from,
        );
        proc::run(
            proc::cargo()
                .args([
                    "run",
                    "--quiet",
                    "--release",
                    "--package",
                    "ghostlight-seed",
                    "--",
                    "--rows",
                    rows,
                ])
                .arg(out),
        )?;
        Ok(ExitCode::SUCCESS)
    },
};
