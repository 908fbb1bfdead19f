//! The stage `platforms`: the code for Windows and macOS, which no test here runs, read by the compiler and its lints.
//!
//! Types only: nothing is linked for those systems. What they have of C (SQLite, parts of the encryption) is compiled for
//! Windows by the distribution's cross compiler; for macOS there is none without Apple's SDK, so a program that does
//! nothing stands in for it.

use std::env::consts::OS;

use crate::build::{Hooks, features};
use crate::{Failure, Result, proc, setup, toolchain};

/// A system that people have and this machine is not.
struct Platform {
    /// As people call it.
    name: &'static str,
    /// As Rust calls it.
    target: &'static str,
    /// What its C compiler comes in; `None`: there is none.
    compiler: Option<&'static str>,
}

const PLATFORMS: &[Platform] = &[
    Platform {
        name: "Windows",
        target: "x86_64-pc-windows-gnu",
        compiler: Some("gcc-mingw-w64-x86-64"),
    },
    Platform {
        name: "macOS",
        target: "aarch64-apple-darwin",
        compiler: None,
    },
];

/// Left out: what only runs in the window's web view, and what only builds and measures.
const EXCLUDED: &[&str] = &["ghostlight-ui", "ghostlight-bench", "ghostlight-eval", "ghostlight-seed", "xtask"];

/// Reads the code of every platform; says which.
///
/// # Errors
/// What the compiler finds, or that a platform's standard library cannot be had: no platform is left out silently.
pub fn check() -> Result<String> {
    if OS != "linux" {
        return Ok(format!("skipped: on {OS} the stage `lints` reads that system's code"));
    }
    for platform in PLATFORMS {
        platform.ensure()?;
        platform.lint()?;
    }
    let names: Vec<&str> = PLATFORMS.iter().map(|platform| platform.name).collect();
    Ok(format!("types and lints for {}", names.join(" and ")))
}
