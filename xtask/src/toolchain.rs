//! Our own Rust toolchain: for which systems it has the standard library, and how it gets that of another one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::{Failure, Result, proc, workspace};

/// How long `rustup target add` may take: 30 MB, and a machine without a way to the server should not wait for ever.
const RUSTUP_LIMIT: Duration = Duration::from_secs(90);

/// Where a compiler keeps its libraries.
pub fn sysroot(rustc: &str) -> Option<PathBuf> {
    let mut command = Command::new(rustc);
    // From the root, so that a toolchain file there counts.
    command
        .current_dir(workspace::root())
        .args(["--print", "sysroot"]);
    proc::quiet_output(&mut command).map(PathBuf::from)
}

/// Whether the standard library of a target is there.
pub fn has_target(sysroot: &Path, target: &str) -> bool {
    // The folder alone is not enough: a broken installation leaves it empty.
    let libraries = fs::read_dir(sysroot.join("lib/rustlib").join(target).join("lib"));
    libraries.is_ok_and(|mut files| {
        files.any(|file| {
            file.is_ok_and(|file| file.file_name().to_string_lossy().starts_with("libstd-"))
        })
    })
}

/// Adds the standard library of a target to our own toolchain, if it is not there.
///
/// # Errors
/// If this toolchain is not rustup's, or rustup cannot get it.
pub fn ensure_target(target: &str) -> Result<()> {
    let is_there = || sysroot("rustc").is_some_and(|own| has_target(&own, target));
    if is_there() {
        return Ok(());
    }
    if proc::find("rustup").is_none() {
        return Err(Failure::new(format!(
            "this Rust toolchain has no standard library for {target}, and there is no rustup to add it"
        )));
    }
    eprintln!("set-up: adding {target} to the Rust toolchain");
    proc::run_bounded(
        proc::program("rustup").args(["target", "add", target]),
        RUSTUP_LIMIT,
    )?;
    match is_there() {
        true => Ok(()),
        false => Err(Failure::new(format!(
            "rustup says that {target} is there, and the toolchain in use does not have it"
        ))),
    }
}
