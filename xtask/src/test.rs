//! `cargo xtask test`: everything that must hold before a change goes in, the same on a desk and in CI.
//!
//! Stages in the order in which they are cheap to fail; the first failure ends the run and names its stage. The
//! expensive dependency, the window library, is compiled for the lints once and for the tests once (see
//! [`build`](crate::build) on features): the ordinary tests run without test hooks, as people get the program, and
//! only our own crates are built again, with hooks, for the tests through the real window.

use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};
use std::{env, fs};

use crate::build::{Hooks, features};
use crate::display::Display;
use crate::ui::{self, Profile};
use crate::{Failure, Result, Verb, proc, setup, tidy, workspace};

pub const VERB: Verb = Verb {
    name: "test",
    usage: "[STAGE…]",
    about: "every check: format, lints, house checks, window, tests, tests through the real window",
    run: |args| run_stages(&chosen(STAGES, args)?),
};

/// What a stage that went well has to say about itself; may be empty.
type Note = String;

/// One step of the checks.
#[derive(Clone, Copy)]
struct Stage {
    name: &'static str,
    run: fn() -> Result<Note>,
}

const STAGES: &[Stage] = &[
    Stage {
        name: "setup",
        run: || setup::ensure().map(|()| Note::new()),
    },
    Stage {
        name: "format",
        run: || proc::run(proc::cargo().args(["fmt", "--all", "--check"])).map(|()| Note::new()),
    },
    Stage {
        name: "tidy",
        run: tidy::check,
    },
    Stage {
        name: "lints",
        run: lints,
    },
    Stage {
        name: "window",
        run: || ui::build_portable_crates_and_window().map(|()| Note::new()),
    },
    Stage {
        name: "tests",
        run: tests,
    },
    Stage {
        name: "doctests",
        run: doc_tests,
    },
    Stage {
        name: "e2e",
        run: window_tests,
    },
];

/// A screen larger than the window, as the tests may enlarge it.
const TEST_SCREEN: &str = "1440x1000";

/// All stages, or those named, in the order in which they belong.
fn chosen(stages: &[Stage], names: &[String]) -> Result<Vec<Stage>> {
    if let Some(unknown) = names
        .iter()
        .find(|name| !stages.iter().any(|stage| stage.name == *name))
    {
        let known: Vec<&str> = stages.iter().map(|stage| stage.name).collect();
        return Err(Failure::new(format!(
            "`{unknown}` is no stage; there are {}",
            known.join(", ")
        )));
    }
    Ok(stages
        .iter()
        .filter(|stage| names.is_empty() || names.iter().any(|name| name == stage.name))
        .copied()
        .collect())
}

fn run_stages(stages: &[Stage]) -> Result<ExitCode> {
    let start = Instant::now();
    let mut table = Vec::new();
    for stage in stages {
        eprintln!("\n── {} ──", stage.name);
        let begun = Instant::now();
        let outcome = (stage.run)();
        let verdict = outcome
            .as_ref()
            .map_or("FAILED", |note| note.as_str())
            .to_owned();
        table.push((stage.name, begun.elapsed(), verdict));
        if let Err(failure) = outcome {
            print_table(&table, start.elapsed());
            return Err(Failure::new(format!(
                "the stage `{}` failed: {failure}",
                stage.name
            )));
        }
    }
    print_table(&table, start.elapsed());
    println!("every stage passed");
    Ok(ExitCode::SUCCESS)
}

fn print_table(rows: &[(&str, Duration, String)], total: Duration) {
    println!();
    for (name, time, verdict) in rows {
        println!("  {name:<13} {:>7.1} s  {verdict}", time.as_secs_f32());
    }
    println!("  {:<13} {:>7.1} s", "total", total.as_secs_f32());
}

/// Twice, because code behind `test-hooks` and its absence are both ours; the second time only our crates are new.
fn lints() -> Result<Note> {
    for hooks in [Hooks::On, Hooks::Off] {
        let mut clippy = proc::cargo();
        proc::run(
            clippy
                .args(["clippy", "--workspace", "--all-targets"])
                .args(features(hooks))
                .args(["--", "-D", "warnings"]),
        )?;
    }
    // No test that runs with the others, so it is not among all targets.
    let mut clippy = proc::cargo();
    proc::run(
        clippy
            .args(["clippy", "--workspace", "--test", "window-bench"])
            .args(features(Hooks::On))
            .args(["--", "-D", "warnings"]),
    )?;
    Ok(Note::new())
}

/// All tests but those through the window, which ask for a feature that is off here.
fn tests() -> Result<Note> {
    let mut command = test_runner();
    command.arg("--workspace").args(features(Hooks::Off));
    if !has_nextest() {
        command.args(["--lib", "--bins", "--tests"]);
    }
    counted(&mut command)
}

/// nextest leaves these out. Where no crate has an example in its documents there is nothing to compile.
fn doc_tests() -> Result<Note> {
    if !any_doc_test()? {
        return Ok("none written yet".to_owned());
    }
    counted(
        proc::cargo()
            .args(["test", "--doc", "--workspace"])
            .args(features(Hooks::Off)),
    )
}

fn any_doc_test() -> Result<bool> {
    let files = workspace::files_below(&workspace::root().join("crates"), &["tests", "target"])?;
    let shows_code = |text: String| {
        text.lines()
            .any(|line| line.trim_start().starts_with("/// ```") || line.starts_with("//! ```"))
    };
    Ok(files
        .iter()
        .filter(|file| file.extension().is_some_and(|kind| kind == "rs"))
        .any(|file| fs::read_to_string(file).is_ok_and(shows_code)))
}

/// The application is built first: on the display, the time limits of the tests should measure the window only.
fn window_tests() -> Result<Note> {
    if env::consts::OS != "linux" {
        return Ok("skipped: WebKit's driver exists on Linux only".to_owned());
    }
    let select = |command: &mut Command| {
        command
            .args(["--workspace", "--test", "e2e"])
            .args(features(Hooks::On));
    };
    // Nothing to do after the stage `window`; asked for alone, this stage must not show an old window.
    ui::ensure(Profile::Dev)?;
    let mut compile = test_runner();
    select(&mut compile);
    proc::run(compile.arg("--no-run"))?;
    let shots = fresh_shots_folder()?;
    let display = Display::start(TEST_SCREEN)?;
    let mut command = test_runner();
    select(&mut command);
    // One window at a time: they would cover each other and share the keyboard.
    command.args(if has_nextest() {
        ["--test-threads", "1"].as_slice()
    } else {
        &["--", "--test-threads=1"]
    });
    let note = counted(display.furnish(&mut command).env("E2E_SHOTS", &shots))?;
    Ok(format!("{note}; pictures in {}", shots.display()))
}

fn fresh_shots_folder() -> Result<std::path::PathBuf> {
    let shots = workspace::target().join("e2e-shots");
    if shots.exists() {
        fs::remove_dir_all(&shots).map_err(Failure::because(shots.display()))?;
    }
    fs::create_dir_all(&shots).map_err(Failure::because(shots.display()))?;
    Ok(shots)
}

fn has_nextest() -> bool {
    proc::find("cargo-nextest").is_some()
}

fn test_runner() -> Command {
    let mut cargo = proc::cargo();
    if has_nextest() {
        cargo.args(["nextest", "run"])
    } else {
        cargo.arg("test")
    };
    cargo
}

/// Runs tests and reports how many passed, from the closing lines of either runner.
fn counted(command: &mut Command) -> Result<Note> {
    let mut passed = 0;
    proc::run_watched(command, |line| passed += passed_in(line))?;
    Ok(format!("{passed} tests passed"))
}

/// The count in `Summary [ 1.2s] 41 tests run: 40 passed, 1 skipped` or in `test result: ok. 12 passed; 0 failed; …`.
fn passed_in(line: &str) -> u64 {
    let closing = line.trim_start();
    if !(closing.starts_with("Summary [") || closing.starts_with("test result:")) {
        return 0;
    }
    let words: Vec<&str> = closing.split_whitespace().collect();
    let count = words
        .windows(2)
        .find(|pair| pair[1].trim_end_matches([',', ';']) == "passed")
        .and_then(|pair| pair[0].parse().ok());
    count.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_of_both_runners_are_counted_and_others_are_not() {
        let cases = [
            (
                "     Summary [   0.010s] 41 tests run: 40 passed, 1 skipped",
                40,
            ),
            (
                "     Summary [   9.100s] 3 tests run: 3 passed (1 slow), 0 skipped",
                3,
            ),
            (
                "test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured",
                12,
            ),
            ("test tells::how_many_passed ... ok", 0),
            ("a text in which 7 passed", 0),
        ];
        for (line, expected) in cases {
            assert_eq!(passed_in(line), expected, "{line}");
        }
    }

    #[test]
    fn stages_are_chosen_by_name_and_keep_their_order() {
        let pick = |names: &[&str]| {
            chosen(
                STAGES,
                &names
                    .iter()
                    .map(|name| (*name).to_owned())
                    .collect::<Vec<_>>(),
            )
        };
        let names = |stages: Vec<Stage>| stages.iter().map(|stage| stage.name).collect::<Vec<_>>();
        assert_eq!(
            pick(&[]).map(names).ok().map(|all| all.len()),
            Some(STAGES.len())
        );
        assert_eq!(
            pick(&["e2e", "setup"]).map(names).ok(),
            Some(vec!["setup", "e2e"])
        );
        assert!(pick(&["e2f"]).is_err());
    }

    #[test]
    fn the_first_failure_ends_the_run_and_is_named() {
        let stages = [
            Stage {
                name: "first",
                run: || Ok(Note::new()),
            },
            Stage {
                name: "second",
                run: || Err(Failure::new("broken")),
            },
            Stage {
                name: "third",
                run: || unreachable!("a stage after a failure"),
            },
        ];
        let failure = run_stages(&stages).map_err(|failure| failure.to_string());
        assert_eq!(
            failure.err().as_deref(),
            Some("the stage `second` failed: broken")
        );
    }
}
