//! `cargo xtask soak`: what proves more the longer it runs, and is too long for every change.
//!
//! The simulation of client, hub and a hostile network, over a hundred times as many seeds as `test` runs, optimised;
//! then real sockets between the feed's client and our hub, cut at random bytes ten thousand times. A seed that fails
//! is printed with the command that replays it.

use std::process::ExitCode;
use std::time::Instant;

use crate::{Failure, Result, Verb, proc};

pub const VERB: Verb = Verb {
    name: "soak",
    usage: "[SEEDS] [--cuts N] [--seed S]",
    about: "a simulated hostile network over a million seeds, then 10,000 cuts of real sockets; --cuts: only those",
    run: |args| {
        let asked = Asked::read(args)?;
        if let Some(seeds) = asked.seeds {
            simulate(seeds)?;
        }
        if asked.cuts > 0 {
            cut(asked.cuts, asked.first_seed)?;
        }
        Ok(ExitCode::SUCCESS)
    },
};

/// Seeds of a whole soak.
const SEEDS: u64 = 1_000_000;
/// Cuts of a whole soak.
const CUTS: u64 = 10_000;

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    /// Seeds of the simulation, if it is to run.
    seeds: Option<u64>,
    /// Cuts of real sockets.
    cuts: u64,
    /// The first seed of the cuts.
    first_seed: u64,
}

impl Asked {
    /// Everything without arguments; what is named and nothing else with them.
    fn read(args: &[String]) -> Result<Self> {
        let (mut seeds, mut cuts, mut first_seed) = (None, None, None);
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let (into, text) = match arg.as_str() {
                "--cuts" => (&mut cuts, args.next()),
                "--seed" => (&mut first_seed, args.next()),
                _ => (&mut seeds, Some(arg)),
            };
            let text = text
                .ok_or_else(|| Failure::new(format!("`{arg}`: a number is expected behind it")))?;
            let number = text.parse();
            *into = Some(number.map_err(|_| Failure::new(format!("`{text}` is no number")))?);
        }
        let only_cuts = cuts.is_some() || first_seed.is_some();
        Ok(Self {
            cuts: cuts.unwrap_or(if seeds.is_some() && !only_cuts {
                0
            } else {
                CUTS
            }),
            seeds: seeds.or((!only_cuts).then_some(SEEDS)),
            first_seed: first_seed.unwrap_or(1),
        })
    }
}

fn simulate(seeds: u64) -> Result<()> {
    let begun = Instant::now();
    test("ghostlight-sync", "sim", &[("GHOSTLIGHT_SEEDS", seeds)])?;
    eprintln!(
        "soak: {seeds} seeds in {:.0} s",
        begun.elapsed().as_secs_f32()
    );
    Ok(())
}

fn cut(cuts: u64, first_seed: u64) -> Result<()> {
    let begun = Instant::now();
    let numbers = [("GHOSTLIGHT_CUTS", cuts), ("GHOSTLIGHT_SEED", first_seed)];
    test("ghostlight-engine", "cuts", &numbers)?;
    eprintln!(
        "soak: {cuts} cuts in {:.0} s",
        begun.elapsed().as_secs_f32()
    );
    Ok(())
}

/// Runs one test program, optimised, with these numbers in its environment.
fn test(package: &str, name: &str, numbers: &[(&str, u64)]) -> Result<()> {
    let mut command = proc::cargo();
    command.args(["test", "--release", "--package", package, "--test", name]);
    command.args(["--", "--nocapture"]);
    for (name, number) in numbers {
        command.env(name, number.to_string());
    }
    proc::run(&mut command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_is_run_and_nothing_else() {
        for (args, seeds, cuts, first_seed) in [
            (&[][..], Some(SEEDS), CUTS, 1),
            (&["500"], Some(500), 0, 1),
            (&["--cuts", "250", "--seed", "17"], None, 250, 17),
            (&["--seed", "3"], None, CUTS, 3),
            (&["500", "--cuts", "9"], Some(500), 9, 1),
        ] {
            let args: Vec<String> = args.iter().map(|&arg| arg.to_owned()).collect();
            let expected = Asked {
                seeds,
                cuts,
                first_seed,
            };
            assert_eq!(Asked::read(&args).ok(), Some(expected), "{args:?}");
        }
        for args in [&["many"][..], &["--cuts"], &["--cuts", "x"]] {
            let args: Vec<String> = args.iter().map(|&arg| arg.to_owned()).collect();
            assert!(Asked::read(&args).is_err(), "{args:?}");
        }
    }
}
