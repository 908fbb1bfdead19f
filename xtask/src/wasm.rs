//! Which compiler builds the window for wasm32, and what it takes to have one.
//!
//! First choice: our own toolchain with rustup's ready-made standard library. Where rustup cannot download it, the
//! distribution's `rustc-web` with `rust-web-src`: that package brings the compiler but no wasm standard library for
//! the plain browser target, so it is built once from the packaged source and put beside that compiler.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use crate::toolchain::{self, has_target, sysroot};
use crate::{Failure, Result, proc, setup, workspace};

/// The target of the window.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// The distribution's compiler; named by its full path because rustup's own `rustc` comes first on `PATH`.
const DISTRIBUTION_RUSTC: &str = "/usr/bin/rustc";

/// Packages with that compiler and the source of its standard library.
const DISTRIBUTION_PACKAGES: &[&str] = &["rustc-web", "rust-web-src"];

/// Set to `distribution` to use the second choice although the first would work (to try it).
const CHOICE_VARIABLE: &str = "XTASK_WASM";

/// A compiler that can build for [`TARGET`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Compiler {
    /// The toolchain that runs us has the standard library.
    Own,
    /// The distribution's compiler, linking with the linker that our own toolchain brings.
    Distribution {
        /// `rust-lld` of our own toolchain.
        linker: PathBuf,
    },
}

impl Compiler {
    /// A cargo that builds for the window. The distribution's compiler gets a target folder of its own: another
    /// compiler or linker would rebuild everything in the other one's.
    pub fn cargo(&self, verb: &str) -> Command {
        let mut cargo = proc::cargo();
        cargo
            .args([verb, "--target", TARGET, "--target-dir"])
            .arg(self.target_dir());
        if let Self::Distribution { linker } = self {
            cargo
                .env("RUSTC", DISTRIBUTION_RUSTC)
                .env_remove("RUSTUP_TOOLCHAIN");
            cargo.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
        }
        cargo
    }

    /// Where [`Compiler::cargo`] leaves what it builds.
    pub fn target_dir(&self) -> PathBuf {
        workspace::target().join(match self {
            Self::Own => "wasm",
            Self::Distribution { .. } => "wasm-distribution",
        })
    }
}

/// Installs a compiler for the window if there is none yet, and names it.
pub fn ensure_compiler() -> Result<Compiler> {
    if let Some(compiler) = installed_compiler() {
        return Ok(compiler);
    }
    if !distribution_asked_for() && add_rustup_target() {
        return Ok(Compiler::Own);
    }
    install_distribution_compiler()?;
    installed_compiler().ok_or_else(|| Failure::new(format!("the distribution's compiler was installed and still has no standard library for {TARGET}")))
}

/// The compiler that is there, without installing anything.
pub fn installed_compiler() -> Option<Compiler> {
    let own = sysroot("rustc")?;
    if !distribution_asked_for() && has_target(&own, TARGET) {
        return Some(Compiler::Own);
    }
    let distribution = sysroot(DISTRIBUTION_RUSTC)?;
    has_target(&distribution, TARGET).then(|| Compiler::Distribution {
        linker: own.join("lib/rustlib").join(host()).join("bin/rust-lld"),
    })
}

fn distribution_asked_for() -> bool {
    env::var(CHOICE_VARIABLE).is_ok_and(|choice| choice == "distribution")
}

fn add_rustup_target() -> bool {
    if proc::find("rustup").is_none() {
        return false;
    }
    let added = toolchain::ensure_target(TARGET);
    if let Err(failure) = &added {
        eprintln!("set-up: {failure}; trying the distribution's compiler instead");
    }
    added.is_ok()
}

fn install_distribution_compiler() -> Result<()> {
    if !setup::has_apt() {
        return Err(Failure::new(format!(
            "the Rust toolchain cannot build for {TARGET}, and it could not be added: run `rustup target add {TARGET}`"
        )));
    }
    setup::install_packages(DISTRIBUTION_PACKAGES, "a compiler for the window")?;
    let found = sysroot(DISTRIBUTION_RUSTC)
        .ok_or_else(|| Failure::new(format!("{DISTRIBUTION_RUSTC} does not run")))?;
    check_age()?;
    if has_target(&found, TARGET) {
        Ok(())
    } else {
        build_std(&found)
    }
}

/// An old distribution's compiler would fail much later, with a message about some dependency.
fn check_age() -> Result<()> {
    let version =
        proc::quiet_output(Command::new(DISTRIBUTION_RUSTC).arg("--version")).unwrap_or_default();
    if minor_version(&version) >= minor_version(env!("CARGO_PKG_RUST_VERSION")) {
        return Ok(());
    }
    Err(Failure::new(format!(
        "the distribution's compiler is too old ({version}; needed is {}). Make `rustup target add {TARGET}` work, or use a newer distribution",
        env!("CARGO_PKG_RUST_VERSION")
    )))
}

/// The 95 of `rustc 1.95.0 (…)` and of `1.95`; 0 where there is none.
fn minor_version(text: &str) -> u32 {
    let minor = text.split("1.").nth(1).unwrap_or_default();
    minor
        .split(|c: char| !c.is_ascii_digit())
        .next()
        .and_then(|digits| digits.parse().ok())
        .unwrap_or(0)
}

/// Builds the standard library from the packaged source and puts it where the distribution's compiler looks for it.
fn build_std(sysroot: &Path) -> Result<()> {
    eprintln!("set-up: building the standard library for {TARGET} once (about half a minute)");
    let work = workspace::target().join("wasm-std");
    workspace::write_if_changed(&work.join("src/lib.rs"), b"#![no_std]\n")?;
    workspace::write_if_changed(&work.join("Cargo.toml"), STUB_MANIFEST.as_bytes())?;
    let mut cargo = proc::cargo();
    cargo.current_dir(&work).args([
        "build",
        "--release",
        "--target",
        TARGET,
        "-Zbuild-std=std,panic_abort,test",
    ]);
    // `-Z` options and the unstable parts of std are open to a stable compiler only with this variable. Bitcode lets
    // the release profile of the window optimise across std.
    cargo
        .env("RUSTC", DISTRIBUTION_RUSTC)
        .env("RUSTC_BOOTSTRAP", "1")
        .env_remove("RUSTUP_TOOLCHAIN");
    cargo
        .env("RUSTFLAGS", "-Cembed-bitcode=yes")
        .env("CARGO_PROFILE_RELEASE_DEBUG", "false");
    cargo.env("CARGO_TARGET_DIR", work.join("target"));
    proc::run(&mut cargo)?;
    install_std(
        &work.join("target").join(TARGET).join("release/deps"),
        &sysroot.join("lib/rustlib").join(TARGET).join("lib"),
    )?;
    fs::remove_dir_all(&work).map_err(Failure::because(work.display()))
}

/// A crate of nothing, apart from the workspace: building it builds the standard library.
const STUB_MANIFEST: &str =
    "[package]\nname = \"stub\"\nversion = \"0.0.0\"\nedition = \"2021\"\n[workspace]\n";

fn install_std(built: &Path, destination: &Path) -> Result<()> {
    let files = workspace::files_below(built, &[])?;
    let names = files.iter().filter_map(|path| path.file_name()?.to_str());
    let libraries: Vec<&str> = names
        .filter(|name| name.ends_with(".rlib") && !name.starts_with("libstub"))
        .collect();
    // The folder belongs to root.
    proc::run(proc::as_root("mkdir").arg("-p").arg(destination))?;
    proc::run(
        proc::as_root("cp")
            .current_dir(built)
            .args(libraries)
            .arg(destination),
    )
}

/// The triple under which our own toolchain keeps its tools.
fn host() -> String {
    let verbose = proc::quiet_output(
        Command::new("rustc")
            .current_dir(workspace::root())
            .arg("-vV"),
    )
    .unwrap_or_default();
    verbose
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .unwrap_or_default()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_minor_version_of_compilers_and_manifests() {
        for (text, expected) in [
            ("rustc 1.96.0 (abc 2026-05-01)", 96),
            ("1.95", 95),
            ("rustc 1.85.0 (built from a source tarball)", 85),
            ("", 0),
        ] {
            assert_eq!(minor_version(text), expected, "{text:?}");
        }
    }
}
