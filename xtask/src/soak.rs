//! `cargo xtask soak`: what proves more the longer it runs, and is too long for every change.
//!
//! The simulation of client, hub and a hostile network, over a hundred times as many seeds as `test` runs, optimised.
//! A seed that fails is printed with the command that replays it.

use std::process::ExitCode;
use std::time::Instant;

use crate::{Failure, Result, Verb, proc};

pub const VERB: Verb = Verb {
    name: "soak",
    usage: "[SEEDS]",
    about: "the simulation of a hostile network, over a million seeds unless another number is given",
    run: |args| {
        let seeds = match args {
            [] => SEEDS,
            [seeds] => seeds
                .parse()
                .map_err(|_| Failure::new(format!("`{seeds}` is no number of seeds")))?,
            _ => return Err(Failure::new("one number of seeds at most")),
        };
        simulate(seeds)?;
        Ok(ExitCode::SUCCESS)
    },
};

/// Seeds of a whole soak.
const SEEDS: u64 = 1_000_000;

fn simulate(seeds: u64) -> Result<()> {
    let begun = Instant::now();
    proc::run(
        proc::cargo()
            .args([
                "test",
                "--release",
                "--package",
                "ghostlight-sync",
                "--test",
                "sim",
                "--",
                "--nocapture",
            ])
            .env("GHOSTLIGHT_SEEDS", seeds.to_string()),
    )?;
    eprintln!(
        "soak: {seeds} seeds in {:.0} s",
        begun.elapsed().as_secs_f32()
    );
    Ok(())
}
