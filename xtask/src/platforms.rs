//! `cargo xtask platforms`: the programs' code for Windows and macOS, read by the compiler and its lints on Linux, and
//! with `--run` the tests for Windows under Wine.
//!
//! A verb of its own and no stage of `cargo xtask test`, because every dependency is read once more for each system,
//! which takes minutes. For macOS nothing is linked: its C libraries and linker are Apple's and not to be had here.

mod wine;

use std::env::consts::OS;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::{Failure, Result, Verb, check_flags, proc, setup, toolchain, workspace};

pub const VERB: Verb = Verb {
    name: "platforms",
    usage: "[--run]",
    about: "types and lints of the programs for Windows and macOS, from Linux; with --run the tests for Windows too",
    run: |args| {
        check_flags(args, &["--run"])?;
        check(!args.is_empty())
    },
};

/// Windows, as the distribution's cross compiler can build for it.
const WINDOWS: &str = "x86_64-pc-windows-gnu";

/// macOS on Apple's processors.
const MAC_OS: &str = "aarch64-apple-darwin";

/// For Windows; SQLite and parts of the encryption are C.
const C_COMPILER: &str = "x86_64-w64-mingw32-gcc";

/// What it comes in on Debian and Ubuntu.
const C_PACKAGE: &str = "gcc-mingw-w64-x86-64";

/// The programs, and what is below them with code of its own for a system.
const PACKAGES: &[&str] = &[
    "ghostlight-store",
    "ghostlight-hub",
    "ghostlight-report",
    "ghostlight-engine",
    "ghostlight-cli",
    "ghostlight-desktop",
];

/// Stands for macOS' C compiler and archiver where only Rust code is read: it makes the file it is asked for, empty.
const NO_C: &str = r#"#!/bin/sh
for argument; do
  [ "$before" = -o ] && : > "$argument"
  before=$argument
done
case "$1" in cq*|rc*|s*) : > "$2" ;; esac
"#;

fn check(run: bool) -> Result<ExitCode> {
    if OS != "linux" {
        return Err(Failure::new(format!(
            "this reads the code for other systems on Linux; on {OS}, `cargo xtask test lints` reads the code for {OS}"
        )));
    }
    workspace::ensure_dist()?;
    ensure_compiler()?;
    lint(WINDOWS, &mut proc::cargo())?;
    let no_c = no_c()?;
    let for_mac_os = |tool: &str| format!("{tool}_{}", MAC_OS.replace('-', "_"));
    lint(
        MAC_OS,
        proc::cargo()
            .env(for_mac_os("CC"), &no_c)
            .env(for_mac_os("CXX"), &no_c)
            .env(for_mac_os("AR"), &no_c),
    )?;
    if run {
        wine::test(WINDOWS, C_COMPILER)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn lint(target: &str, clippy: &mut Command) -> Result<()> {
    toolchain::ensure_target(target)?;
    clippy.args(["clippy", "--lib", "--bins", "--target", target]);
    for package in PACKAGES {
        clippy.args(["-p", package]);
    }
    proc::run(clippy.args(["--", "-D", "warnings"]))?;
    println!("types and lints of the programs hold for {target}");
    Ok(())
}

fn ensure_compiler() -> Result<()> {
    if proc::find(C_COMPILER).is_some() {
        return Ok(());
    }
    if !setup::has_apt() {
        return Err(Failure::new(format!(
            "{C_COMPILER} is missing; install the C compiler of MinGW-w64 for x86_64 by hand, then run this again"
        )));
    }
    setup::install_packages(&[C_PACKAGE], "a C compiler for Windows")
}

fn no_c() -> Result<PathBuf> {
    script("no-c", NO_C)
}

/// Where this verb keeps what it makes.
fn own_folder() -> PathBuf {
    workspace::target().join("platforms")
}

/// A shell script in [`own_folder`].
fn script(name: &str, text: &str) -> Result<PathBuf> {
    let path = own_folder().join(name);
    workspace::write_if_changed(&path, text.as_bytes())?;
    executable(&path)?;
    Ok(path)
}

fn executable(path: &Path) -> Result<()> {
    proc::run(proc::program("chmod").arg("+x").arg(path))
}
