//! `cargo xtask setup`: what a bare machine lacks for building and testing, installed once.
//!
//! Called by `build`, `run` and `test`; where nothing is missing it only looks (a few milliseconds). On Debian and
//! Ubuntu it installs system packages itself. Windows and macOS follow the prerequisites in Tauri's documents; those
//! two branches were written from the documents and have not been run.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use crate::{Failure, Result, Verb, check_flags, proc, wasm, workspace};

pub const VERB: Verb = Verb {
    name: "setup",
    usage: "",
    about: "install what this machine lacks (the other verbs do it themselves)",
    run: |args| {
        check_flags(args, &[])?;
        let start = Instant::now();
        ensure()?;
        eprintln!("set-up: complete ({:.1} s)", start.elapsed().as_secs_f32());
        Ok(ExitCode::SUCCESS)
    },
};

/// What building the window needs on Debian and Ubuntu.
const BUILD_PACKAGES: &[&str] = &[
    "build-essential",
    "ca-certificates",
    "libayatana-appindicator3-dev",
    "librsvg2-dev",
    "libssl-dev",
    "libwebkit2gtk-4.1-dev",
    "pkg-config",
];

/// What the tests through the real window need: a display, a message bus, a driver, fonts, a program that shows
/// notifications, and tools that look and type.
const WINDOW_TEST_PACKAGES: &[&str] = &[
    "at-spi2-core",
    "dbus",
    "dbus-x11",
    "dunst",
    "fonts-dejavu-core",
    "imagemagick",
    "webkit2gtk-driver",
    "xauth",
    "xdotool",
    "xvfb",
];

/// Programs that are not ours, for the tests to speak with: WebSocket clients and servers, a keychain, readers of exports.
const FOREIGN_PACKAGES: &[&str] = &["gnome-keyring", "python3", "python3-websockets", "sqlite3"];

/// Brings style sheet, fonts and the wasm optimiser; only asked for where no node is on `PATH`.
const NODE_PACKAGES: &[&str] = &["nodejs", "npm"];

/// How long apt waits for another apt to finish.
const APT_LOCK_SECONDS: u32 = 300;

/// How long a component of rustup may take; a machine that cannot reach the server would wait for ever.
const COMPONENT_LIMIT: Duration = Duration::from_secs(60);

/// The npm packages are 100 MB unpacked; ten minutes is a very slow line.
const NPM_LIMIT: Duration = Duration::from_secs(600);

/// Installs what is missing and says so; silent where nothing is.
pub fn ensure() -> Result<()> {
    system_packages()?;
    lint_components()?;
    wasm::ensure_compiler()?;
    node_modules()?;
    workspace::ensure_dist()
}

/// Installs distribution packages, if they are missing.
pub fn install_packages(packages: &[&str], purpose: &str) -> Result<()> {
    let missing = missing_packages(packages);
    if missing.is_empty() {
        return Ok(());
    }
    eprintln!("set-up: {purpose}: installing {}", missing.join(" "));
    apt(&["update", "-q"])?;
    let mut arguments = vec!["install", "-y", "-q", "--no-install-recommends"];
    arguments.extend(missing);
    apt(&arguments)
}

/// True on distributions whose packages this program knows.
pub fn has_apt() -> bool {
    proc::find("apt-get").is_some() && proc::find("dpkg-query").is_some()
}

fn system_packages() -> Result<()> {
    match std::env::consts::OS {
        "linux" if has_apt() => {
            let mut wanted = [BUILD_PACKAGES, WINDOW_TEST_PACKAGES, FOREIGN_PACKAGES].concat();
            if proc::find("node").is_none() || proc::find("npm").is_none() {
                wanted.extend(NODE_PACKAGES);
            }
            install_packages(&wanted, "system packages")
        }
        "linux" => other_linux(),
        "macos" => mac_os(),
        "windows" => windows(),
        other => Err(Failure::new(format!(
            "{other} is not a system that Ghostlight's window is built on; use Linux, Windows or macOS"
        ))),
    }
}

/// Other distributions have other package names: look for the one library that nothing works without.
fn other_linux() -> Result<()> {
    let webkit =
        proc::quiet_output(Command::new("pkg-config").args(["--modversion", "webkit2gtk-4.1"]));
    if webkit.is_some() && proc::find("node").is_some() {
        return Ok(());
    }
    Err(Failure::new(
        "set-up installs packages by itself on Debian and Ubuntu only. Here, install by hand: a C compiler, pkg-config, \
         WebKitGTK 4.1 with its development files, librsvg, libayatana-appindicator, OpenSSL (names for each distribution: \
         https://v2.tauri.app/start/prerequisites/), node with npm; for the tests also Xvfb, xauth, D-Bus, \
         WebKitWebDriver, dunst, gnome-keyring, ImageMagick and xdotool",
    ))
}

/// From Tauri's prerequisites; not run by us.
fn mac_os() -> Result<()> {
    if proc::quiet_output(Command::new("xcode-select").arg("-p")).is_none() {
        return Err(Failure::new(
            "the Xcode command line tools are missing: run `xcode-select --install`, then this again",
        ));
    }
    require_node()
}

/// From Tauri's prerequisites; not run by us. Windows 10 (1803) and later bring WebView2 with them.
fn windows() -> Result<()> {
    eprintln!(
        "set-up: Windows needs the Microsoft C++ Build Tools (\"Desktop development with C++\") and WebView2, which \
         Windows 10 and 11 bring; if the window stays away, see https://v2.tauri.app/start/prerequisites/#windows"
    );
    require_node()
}

fn require_node() -> Result<()> {
    if proc::find("node").is_some() {
        return Ok(());
    }
    Err(Failure::new(
        "node with npm is missing (it brings the style sheet and fonts): install the LTS version of https://nodejs.org, then run this again",
    ))
}

fn missing_packages<'a>(packages: &[&'a str]) -> Vec<&'a str> {
    let mut query = Command::new("dpkg-query");
    query
        .args(["-W", "-f", "${Package} ${db:Status-Abbrev}\n"])
        .args(packages);
    // dpkg-query ends with an error as soon as one package is unknown, and still lists the others.
    let listed = query
        .stderr(Stdio::null())
        .output()
        .map(|out| out.stdout)
        .unwrap_or_default();
    not_installed(packages, &String::from_utf8_lossy(&listed))
}

/// `listed` has lines of `name status`; the status of an installed package is `ii` or, held back, `hi`.
fn not_installed<'a>(packages: &[&'a str], listed: &str) -> Vec<&'a str> {
    let installed = |package: &str| {
        listed
            .lines()
            .filter_map(|line| line.split_once(' '))
            .any(|(name, status)| name == package && status.trim().ends_with('i'))
    };
    packages
        .iter()
        .copied()
        .filter(|package| !installed(package))
        .collect()
}

/// Runs apt-get as root, asking nothing; without a terminal sudo must work without a password.
fn apt(arguments: &[&str]) -> Result<()> {
    let lock = format!("DPkg::Lock::Timeout={APT_LOCK_SECONDS}");
    let mut command = proc::as_root("env");
    command
        .arg("DEBIAN_FRONTEND=noninteractive")
        .args(["apt-get", "-o", &lock])
        .args(arguments);
    let quiet_log = if proc::unattended() {
        Stdio::null()
    } else {
        Stdio::inherit()
    };
    proc::run(command.stdin(Stdio::inherit()).stdout(quiet_log)).map_err(|failure| {
        Failure::new(format!(
            "{failure}. Packages need root: run `cargo xtask setup` once as a user who may use sudo"
        ))
    })
}

/// clippy and rustfmt come with rustup's default profile, but not with the minimal one.
fn lint_components() -> Result<()> {
    let missing: Vec<&str> = [("cargo-clippy", "clippy"), ("cargo-fmt", "rustfmt")]
        .iter()
        .filter(|(tool, _)| proc::find(tool).is_none())
        .map(|(_, name)| *name)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    eprintln!("set-up: installing {}", missing.join(" and "));
    proc::run_bounded(
        proc::program("rustup")
            .args(["component", "add"])
            .args(missing),
        COMPONENT_LIMIT,
    )
}

/// Installs the npm packages when the lock file has changed since the last time. Their scripts are not run.
fn node_modules() -> Result<()> {
    let lock = workspace::root().join("package-lock.json");
    let wanted = fs::read(&lock).map_err(Failure::because(lock.display()))?;
    let mut hasher = DefaultHasher::new();
    wanted.hash(&mut hasher);
    let wanted = format!("{:016x}", hasher.finish());
    if fs::read_to_string(node_stamp()).is_ok_and(|have| have == wanted) {
        return Ok(());
    }
    eprintln!("set-up: installing the npm packages of package-lock.json");
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    proc::run_bounded(
        proc::program(npm).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]),
        NPM_LIMIT,
    )?;
    workspace::write_if_changed(&node_stamp(), wanted.as_bytes())
}

/// Inside `node_modules`, so that deleting the folder deletes the memory of it too.
fn node_stamp() -> PathBuf {
    workspace::root().join("node_modules/.installed-lock")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_fully_installed_packages_count() {
        let listed = "xvfb ii \nxauth hi \ndbus rc \nfonts-dejavu-core un \n";
        assert_eq!(not_installed(&["xvfb", "xauth"], listed), [""; 0]);
        assert_eq!(
            not_installed(&["dbus", "fonts-dejavu-core", "never-heard-of"], listed),
            ["dbus", "fonts-dejavu-core", "never-heard-of"]
        );
        assert_eq!(
            not_installed(&["xvf"], listed),
            ["xvf"],
            "a name that only begins alike is another package"
        );
    }
}
