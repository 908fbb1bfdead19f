//! `cargo xtask platforms`: the command line's code for Windows, read by the compiler and its lints on Linux.
//!
//! Types and lints of the programs only: nothing is linked and nothing runs. A verb of its own and no stage of
//! `cargo xtask test`, because every dependency is read once more for the other system, which takes minutes.

use std::env::consts::OS;
use std::process::ExitCode;

use crate::{Failure, Result, Verb, check_flags, proc, setup, toolchain};

pub const VERB: Verb = Verb {
    name: "platforms",
    usage: "",
    about: "types and lints of the command line for Windows, from Linux; nothing of it runs",
    run: |args| check_flags(args, &[]).and_then(|()| check()),
};

/// Windows, as the distribution's cross compiler can build for it.
const TARGET: &str = "x86_64-pc-windows-gnu";

/// SQLite and parts of the encryption are C.
const C_COMPILER: &str = "x86_64-w64-mingw32-gcc";

/// What it comes in on Debian and Ubuntu.
const C_PACKAGE: &str = "gcc-mingw-w64-x86-64";

/// The command line and everything below it with code of its own for Windows. The window's shell is not among them.
const PACKAGES: &[&str] = &[
    "ghostlight-store",
    "ghostlight-hub",
    "ghostlight-report",
    "ghostlight-engine",
    "ghostlight-cli",
];

fn check() -> Result<ExitCode> {
    if OS != "linux" {
        return Err(Failure::new(format!(
            "this reads the code for Windows on Linux; on {OS}, `cargo xtask test lints` reads the code for {OS}"
        )));
    }
    ensure_compiler()?;
    toolchain::ensure_target(TARGET)?;
    let mut clippy = proc::cargo();
    clippy.args(["clippy", "--lib", "--bins", "--target", TARGET]);
    for package in PACKAGES {
        clippy.args(["-p", package]);
    }
    clippy.args(["--", "-D", "warnings"]);
    proc::run(&mut clippy)?;
    println!("types and lints of the command line hold for {TARGET}");
    Ok(ExitCode::SUCCESS)
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
