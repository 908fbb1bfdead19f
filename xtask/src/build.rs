//! `cargo xtask build`: the window, the application with the window embedded, and the command line beside it.
//!
//! Cargo compiles a dependency once for each set of features that is asked of it, and which set that is depends on
//! the packages a call selects. The window library takes minutes, so every debug call (here and in `test`) selects
//! the whole workspace and says with [`features`] what it wants of it. A release is built package by package:
//! there, nothing of one program's needs may leak into the other.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::ui::{self, Profile};
use crate::{Result, Verb, check_flags, proc, setup, workspace};

pub const VERB: Verb = Verb {
    name: "build",
    usage: "[--release] [--test-hooks]",
    about: "target/{debug,release}/ghostlight-desktop, with the window inside, and ghostlight",
    run: |args| {
        check_flags(args, &["--release", "--test-hooks"])?;
        let has = |flag: &str| args.iter().any(|arg| arg == flag);
        setup::ensure()?;
        let profile = if has("--release") {
            Profile::Release
        } else {
            Profile::Dev
        };
        let hooks = if has("--test-hooks") {
            Hooks::On
        } else {
            Hooks::Off
        };
        let built = programs(profile, hooks)?;
        eprintln!(
            "built {} and {}",
            built.desktop.display(),
            built.command_line.display()
        );
        Ok(ExitCode::SUCCESS)
    },
};

/// Whether a build obeys `GHOSTLIGHT_TEST` (delays, a dropped file). Never in what people get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hooks {
    /// As released.
    Off,
    /// For the tests through the real window.
    On,
}

/// Where the built programs are.
pub struct Built {
    /// `ghostlight-desktop`.
    pub desktop: PathBuf,
    /// `ghostlight`.
    pub command_line: PathBuf,
}

/// Builds the window and both programs.
pub fn programs(profile: Profile, hooks: Hooks) -> Result<Built> {
    ui::ensure(profile)?;
    let folder = match profile {
        Profile::Dev => {
            proc::run(
                proc::cargo()
                    .args([
                        "build",
                        "--workspace",
                        "--bin",
                        "ghostlight-desktop",
                        "--bin",
                        "ghostlight",
                    ])
                    .args(features(hooks)),
            )?;
            "debug"
        }
        Profile::Release => {
            proc::run(
                proc::cargo()
                    .args(["build", "--release", "-p", "ghostlight-desktop"])
                    .args(features(hooks)),
            )?;
            proc::run(proc::cargo().args(["build", "--release", "-p", "ghostlight-cli"]))?;
            "release"
        }
    };
    let program = |name: &str| {
        workspace::target()
            .join(folder)
            .join(name)
            .with_extension(std::env::consts::EXE_EXTENSION)
    };
    Ok(Built {
        desktop: program("ghostlight-desktop"),
        command_line: program("ghostlight"),
    })
}

/// The arguments for cargo. The window is always embedded: loading it from a development server is a feature of the
/// window library too, and would compile it a second time.
pub fn features(hooks: Hooks) -> [&'static str; 2] {
    let wanted = match hooks {
        Hooks::Off => "ghostlight-desktop/custom-protocol",
        Hooks::On => "ghostlight-desktop/custom-protocol,ghostlight-desktop/test-hooks",
    };
    ["--features", wanted]
}
