//! `cargo xtask bench`: figures of speed and size, one JSON object each, by the names in the documents.
//!
//! Nothing here fails a test run. What is compared with a peer runs alternately with it, in the same call, on the
//! same machine; figures are medians. The start is measured on a virtual display, from spawning the program to the
//! second frame its window has drawn.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use crate::build::{self, Hooks};
use crate::display::Display;
use crate::ui::Profile;
use crate::{Failure, Result, Verb, proc, setup, workspace};

pub const VERB: Verb = Verb {
    name: "bench",
    usage: "[--quick|--full] [PART…]",
    about: "speed and size: the store against its peers, the hub and its clients (`store`; its histories have a million changes, or ten million with `--full`), the first screen (`first-screen`), the start against an empty window (`start`), the window under load (`window`)",
    run: |args| {
        let (size, parts) = chosen(args)?;
        setup::ensure()?;
        let built = build::programs(Profile::Release, Hooks::On)?;
        for part in parts {
            part(&built.desktop, size)?;
        }
        Ok(ExitCode::SUCCESS)
    },
};

/// How much it is measured with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Size {
    /// What is made in a minute or two.
    Quick,
    /// What the documents promise. Making it alone takes half an hour, and 13 GB.
    Full,
}

/// Measures one part, given the released program of the window.
type Measure = fn(&Path, Size) -> Result<()>;

const PARTS: [(&str, Measure); 4] = [
    ("store", |_, size| store(size)),
    ("first-screen", |_, _| first_screen()),
    ("start", |desktop, _| start(desktop, &empty_window()?)),
    ("window", |_, _| window_under_load()),
];

/// How large, and all parts, or those named, in the order in which they stand above.
fn chosen(args: &[String]) -> Result<(Size, Vec<Measure>)> {
    let (flags, names): (Vec<&String>, Vec<&String>) =
        args.iter().partition(|arg| arg.starts_with("--"));
    let size = match flags.iter().map(|flag| flag.as_str()).collect::<Vec<_>>()[..] {
        [] | ["--quick"] => Size::Quick,
        ["--full"] => Size::Full,
        _ => {
            return Err(Failure::new(
                "there is --quick, which goes without saying, or --full",
            ));
        }
    };
    let known = PARTS.map(|(name, _)| name);
    if let Some(unknown) = names.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(Failure::new(format!(
            "`{unknown}` is nothing that is measured; there are {}",
            known.join(", ")
        )));
    }
    let wanted = |name: &str| names.is_empty() || names.iter().any(|one| *one == name);
    let parts = PARTS.iter().filter(|(name, _)| wanted(name));
    Ok((size, parts.map(|(_, measure)| *measure).collect()))
}

/// Starts of each program; odd, so that there is a median.
const ROUNDS: usize = 7;
/// Above this the first screen is too large, in kB.
const FIRST_SCREEN_KB_MAX: f64 = 600.0;
/// Above this the start is too slow on a virtual display, in ms.
const START_MS_MAX: f64 = 1_000.0;
/// Above this the start is too slow beside an empty window.
const START_RATIO_MAX: f64 = 1.3;

/// Field changes of the histories of [`Size::Full`].
const FULL_ROWS: &str = "10000000";

/// Durable events a second, by a program of its own: it links the store, which this one does not.
fn store(size: Size) -> Result<()> {
    let mut command = proc::cargo();
    command.args([
        "run",
        "--quiet",
        "--release",
        "--package",
        "ghostlight-bench",
    ]);
    if size == Size::Full {
        command.args(["--", "--rows", FULL_ROWS]);
    }
    proc::run(&mut command)
}

/// Wasm and CSS as a server would send them (brotli, quality 11); fonts apart.
fn first_screen() -> Result<()> {
    let (mut sent, mut fonts) = (0, 0_u64);
    for file in workspace::files_below(&workspace::dist(), &[])? {
        match file.extension().and_then(|e| e.to_str()) {
            Some("wasm" | "css" | "js" | "html") => sent += brotli_size(&file)?,
            Some("woff2") => {
                fonts += file
                    .metadata()
                    .map_err(Failure::because(file.display()))?
                    .len();
            }
            _ => {}
        }
    }
    let kb = sent as f64 / 1_000.0;
    figure(
        "first_screen_kb",
        kb,
        "kB",
        None,
        FIRST_SCREEN_KB_MAX,
        kb <= FIRST_SCREEN_KB_MAX,
    );
    println!(
        "{{\"name\":\"fonts_kb\",\"value\":{:.1},\"unit\":\"kB\"}}",
        fonts as f64 / 1_000.0
    );
    Ok(())
}

/// The size after brotli 11, by the Node that set-up installs: the measure needs no crate of its own.
fn brotli_size(file: &Path) -> Result<usize> {
    const SCRIPT: &str = "const z=require('zlib'),f=require('fs');\
        console.log(z.brotliCompressSync(f.readFileSync(process.argv[1]),\
        {params:{[z.constants.BROTLI_PARAM_QUALITY]:11}}).length)";
    proc::quiet_output(Command::new("node").args(["-e", SCRIPT]).arg(file))
        .and_then(|size| size.trim().parse().ok())
        .ok_or_else(|| Failure::new(format!("{}: node could not compress it", file.display())))
}

/// Latency, work and memory of the released window under ten thousand events a second.
fn window_under_load() -> Result<()> {
    let display = Display::start("1440x1000")?;
    let mut command = proc::cargo();
    command.args([
        "test",
        "--release",
        "--package",
        "ghostlight-desktop",
        "--features",
        "custom-protocol,test-hooks",
        "--test",
        "window-bench",
    ]);
    proc::run(display.furnish(&mut command))
}

fn empty_window() -> Result<PathBuf> {
    proc::run(proc::cargo().args([
        "build",
        "--release",
        "--package",
        "ghostlight-desktop",
        "--features",
        "custom-protocol,test-hooks",
        "--example",
        "empty-window",
    ]))?;
    Ok(workspace::target().join("release/examples/empty-window"))
}

fn start(desktop: &Path, empty: &Path) -> Result<()> {
    let display = Display::start("1440x1000")?;
    let data = workspace::target().join("bench-data");
    let _ = std::fs::remove_dir_all(&data);
    // The first start loads the samples; it is not counted.
    time_start(&display, desktop, Some(&data))?;
    let (mut ours, mut peers) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(time_start(&display, desktop, Some(&data))?);
        peers.push(time_start(&display, empty, None)?);
    }
    let (ours, peer) = (median(ours), median(peers));
    figure(
        "start_ms",
        ours,
        "ms",
        None,
        START_MS_MAX,
        ours <= START_MS_MAX,
    );
    let ratio = ours / peer;
    figure(
        "start_vs_empty_tauri",
        ours,
        "ms",
        Some(peer),
        START_RATIO_MAX,
        ratio <= START_RATIO_MAX,
    );
    Ok(())
}

/// Milliseconds from spawning to the line `interactive`.
fn time_start(display: &Display, program: &Path, data: Option<&Path>) -> Result<f64> {
    let mut command = Command::new(program);
    display.furnish(&mut command);
    if let Some(data) = data {
        command.arg("--data").arg(data);
    }
    command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .stdin(Stdio::null());
    let begun = Instant::now();
    let mut child = command
        .spawn()
        .map_err(Failure::because(program.display()))?;
    let said = child.stdout.take().and_then(|out| {
        BufReader::new(out)
            .lines()
            .map_while(|line| line.ok())
            .find(|line| line == "interactive")
    });
    let took = begun.elapsed().as_secs_f64() * 1e3;
    // It has done what it was started for; how it ends says nothing.
    let _ = child.kill();
    let _ = child.wait();
    match said {
        Some(_) => Ok(took),
        None => Err(Failure::new(format!(
            "{} never became interactive",
            program.display()
        ))),
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn figure(name: &str, value: f64, unit: &str, peer: Option<f64>, goal: f64, ok: bool) {
    let peer = peer.map_or(String::new(), |peer| {
        format!(
            ",\"peer\":\"empty-window\",\"peer_value\":{peer:.1},\"ratio\":{:.3}",
            value / peer
        )
    });
    println!(
        "{{\"name\":\"{name}\",\"value\":{value:.1},\"unit\":\"{unit}\"{peer},\"goal\":{goal},\"ok\":{ok}}}"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_chosen_by_name() {
        let count = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).into()).collect();
            chosen(&names).map(|(size, parts)| (size, parts.len()))
        };
        assert_eq!(count(&[]).ok(), Some((Size::Quick, PARTS.len())));
        assert_eq!(
            count(&["start", "--full", "store"]).ok(),
            Some((Size::Full, 2))
        );
        for wrong in [["--quick", "--full"].as_slice(), &["--slow"]] {
            assert!(
                count(wrong)
                    .err()
                    .is_some_and(|failure| failure.0.contains("--full"))
            );
        }
        let refused = count(&["start", "stat"]).err().map(|failure| failure.0);
        assert_eq!(
            refused.as_deref(),
            Some(
                "`stat` is nothing that is measured; there are store, first-screen, start, window"
            )
        );
    }
}
