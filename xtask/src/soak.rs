//! `cargo xtask soak`: what proves more the longer it runs, and is too long for every change.
//!
//! The simulation of client, hub and a hostile network, over a hundred times as many seeds as `test` runs, optimised;
//! then real sockets between the feed's client and our hub, cut at random bytes ten thousand times. A seed that fails
//! is printed with the command that replays it. Between the two the property tests, with cases that `test` does not play.

use std::process::ExitCode;
use std::time::Instant;

use crate::{Failure, Result, Verb, proc};

pub const VERB: Verb = Verb {
    name: "soak",
    usage: "[SEEDS] [--cuts N] [--properties N] [--seed S]",
    about: "a simulated hostile network over a million seeds, the property tests with 100 other seeds, 10,000 cuts of real sockets; what is named and nothing else",
    run: |args| {
        let asked = Asked::read(args)?;
        if let Some(seeds) = asked.seeds {
            simulate(seeds)?;
        }
        if asked.properties > 0 {
            properties(asked.properties, asked.first_seed)?;
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

/// Seeds of the property tests in a whole soak.
const PROPERTIES: u64 = 100;

/// The property tests: package and what names them, a library's own or a test program's.
const PROPERTY_TESTS: [(&str, &[&str]); 5] = [
    ("ghostlight-model", &["--lib", "history::"]),
    ("ghostlight-detect", &["--test", "properties"]),
    ("ghostlight-store", &["--test", "monitor"]),
    ("ghostlight-store", &["--test", "bundle"]),
    ("ghostlight-store", &["--test", "projections"]),
];

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    /// Seeds of the simulation, if it is to run.
    seeds: Option<u64>,
    /// Seeds of the property tests.
    properties: u64,
    /// Cuts of real sockets.
    cuts: u64,
    /// The first seed of the property tests and of the cuts.
    first_seed: u64,
}

impl Asked {
    /// Everything without arguments; what is named and nothing else with them.
    fn read(args: &[String]) -> Result<Self> {
        let [mut seeds, mut cuts, mut properties, mut first_seed] = [None; 4];
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let (into, text) = match arg.as_str() {
                "--cuts" => (&mut cuts, args.next()),
                "--properties" => (&mut properties, args.next()),
                "--seed" => (&mut first_seed, args.next()),
                _ => (&mut seeds, Some(arg)),
            };
            let text = text
                .ok_or_else(|| Failure::new(format!("`{arg}`: a number is expected behind it")))?;
            let number = text.parse();
            *into = Some(number.map_err(|_| Failure::new(format!("`{text}` is no number")))?);
        }
        let mut asked = Self {
            seeds,
            properties: properties.unwrap_or(0),
            cuts: cuts.unwrap_or(0),
            first_seed: first_seed.unwrap_or(1),
        };
        if [seeds, properties, cuts].iter().all(Option::is_none) {
            // A seed alone is one to cut with.
            asked.cuts = CUTS;
            if first_seed.is_none() {
                asked.seeds = Some(SEEDS);
                asked.properties = PROPERTIES;
            }
        }
        Ok(asked)
    }
}

fn simulate(seeds: u64) -> Result<()> {
    let begun = Instant::now();
    test(
        "ghostlight-sync",
        &["--test", "sim"],
        &[("GHOSTLIGHT_SEEDS", seeds)],
    )?;
    eprintln!(
        "soak: {seeds} seeds in {:.0} s",
        begun.elapsed().as_secs_f32()
    );
    Ok(())
}

fn properties(seeds: u64, first: u64) -> Result<()> {
    let begun = Instant::now();
    for seed in first..first.saturating_add(seeds) {
        for (package, which) in PROPERTY_TESTS {
            test(package, which, &[("PROPTEST_RNG_SEED", seed)]).inspect_err(|_| {
                eprintln!("soak: again with `cargo xtask soak --properties 1 --seed {seed}`");
            })?;
        }
    }
    eprintln!(
        "soak: property tests with {seeds} seeds in {:.0} s",
        begun.elapsed().as_secs_f32()
    );
    Ok(())
}

fn cut(cuts: u64, first_seed: u64) -> Result<()> {
    let begun = Instant::now();
    let numbers = [("GHOSTLIGHT_CUTS", cuts), ("GHOSTLIGHT_SEED", first_seed)];
    test("ghostlight-engine", &["--test", "cuts"], &numbers)?;
    eprintln!(
        "soak: {cuts} cuts in {:.0} s",
        begun.elapsed().as_secs_f32()
    );
    Ok(())
}

/// Runs these tests of a package, optimised, with these numbers in their environment.
fn test(package: &str, which: &[&str], numbers: &[(&str, u64)]) -> Result<()> {
    let mut command = proc::cargo();
    command.args(["test", "--release", "--package", package]);
    command.args(which).args(["--", "--nocapture"]);
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
        for (args, seeds, properties, cuts, first_seed) in [
            (&[][..], Some(SEEDS), PROPERTIES, CUTS, 1),
            (&["500"], Some(500), 0, 0, 1),
            (&["--cuts", "250", "--seed", "17"], None, 0, 250, 17),
            (&["--properties", "4", "--seed", "9"], None, 4, 0, 9),
            (&["--seed", "3"], None, 0, CUTS, 3),
            (&["500", "--cuts", "9"], Some(500), 0, 9, 1),
        ] {
            let args: Vec<String> = args.iter().map(|&arg| arg.to_owned()).collect();
            let expected = Asked {
                seeds,
                properties,
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
