//! The direction of dependencies (DESIGN *The house*), read from `cargo metadata`.
//!
//! `model ← api, sync, detect ← store, search, fetch, feed, report ← hub ← engine ← the application, cli`; the window
//! (`ui`) sees `model` and `api` only; the pure crates name no runtime, no database and no clock.
#![allow(clippy::unwrap_used, reason = "tests")]

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// Every package that is part of the program, with the floor of the house it stands on. What is not here is refused:
/// a new crate gets its floor before its first dependency.
const FLOORS: &[(&str, u8)] = &[
    ("ghostlight-model", 0),
    ("ghostlight-api", 1),
    ("ghostlight-sync", 1),
    ("ghostlight-detect", 1),
    ("ghostlight-store", 2),
    ("ghostlight-search", 2),
    ("ghostlight-fetch", 2),
    ("ghostlight-feed", 2),
    ("ghostlight-report", 2),
    ("ghostlight-hub", 3),
    ("ghostlight-engine", 4),
    ("ghostlight-desktop", 5),
    ("ghostlight-cli", 5),
];

/// Stands beside the house: the window talks to the engine by messages only.
const WINDOW: (&str, &[&str]) = ("ghostlight-ui", &["ghostlight-model", "ghostlight-api"]);

/// Build, check and measure the others, and are part of no program.
const TOOLS: &[&str] = &[
    "xtask",
    "ghostlight-bench",
    "ghostlight-eval",
    "ghostlight-seed",
];

/// Crates without I/O, clock and randomness: they build for wasm32.
const PURE: &[&str] = &[
    "ghostlight-model",
    "ghostlight-api",
    "ghostlight-sync",
    "ghostlight-detect",
];

/// What a pure crate never names.
const IMPURE: &[&str] = &[
    "tokio",
    "rusqlite",
    "reqwest",
    "hyper",
    "tauri",
    "rand",
    "getrandom",
    "chrono",
    "time",
    "directories",
    "notify-rust",
    "ulid",
];

/// What the command line must not link, and nobody below the application either.
const WINDOW_LIBRARIES: &[&str] = &["tauri", "wry", "tao", "gtk", "webkit2gtk", "yew", "web-sys"];

#[derive(Debug, Default)]
struct Package {
    /// `[dependencies]`, by package name.
    normal: BTreeSet<String>,
    /// `[dev-dependencies]`.
    dev: BTreeSet<String>,
    /// `[build-dependencies]`.
    build: BTreeSet<String>,
}

fn packages() -> BTreeMap<String, Package> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    packages
        .iter()
        .map(|package| (package["name"].as_str().unwrap().to_owned(), read(package)))
        .collect()
}

fn read(package: &Value) -> Package {
    let mut read = Package::default();
    for dependency in package["dependencies"].as_array().unwrap() {
        let kind = match dependency["kind"].as_str() {
            None => &mut read.normal,
            Some("dev") => &mut read.dev,
            Some("build") => &mut read.build,
            Some(other) => panic!("a dependency of kind {other}"),
        };
        kind.insert(dependency["name"].as_str().unwrap().to_owned());
    }
    read
}

fn floor(name: &str) -> Option<u8> {
    FLOORS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, floor)| *floor)
}

/// What is wrong with these packages; empty is well.
fn wrongs(packages: &BTreeMap<String, Package>) -> Vec<String> {
    let mut wrongs = Vec::new();
    for (name, package) in packages {
        let ours = |names: &BTreeSet<String>| -> Vec<String> {
            names
                .iter()
                .filter(|name| packages.contains_key(*name))
                .cloned()
                .collect()
        };
        if TOOLS.contains(&name.as_str()) {
            continue;
        } else if name == WINDOW.0 {
            let refused = ours(&package.normal).into_iter().chain(ours(&package.dev));
            let refused = refused.filter(|used| !WINDOW.1.contains(&used.as_str()));
            wrongs.extend(refused.map(|used| format!("{name} sees {used}")));
        } else if let Some(own) = floor(name) {
            for used in ours(&package.normal)
                .into_iter()
                .chain(ours(&package.build))
            {
                // Crates of one floor do not know each other; the ones below are free to use.
                if floor(&used).is_none_or(|other| other >= own) {
                    wrongs.push(format!(
                        "{name} depends on {used}, which does not stand below it"
                    ));
                }
            }
            for used in ours(&package.dev) {
                if floor(&used).is_none_or(|other| other > own) {
                    wrongs.push(format!(
                        "the tests of {name} depend on {used}, which stands above it"
                    ));
                }
            }
        } else {
            wrongs.push(format!(
                "{name} has no floor in the house: give it one in {}",
                file!()
            ));
        }
        for impure in IMPURE.iter().filter(|_| PURE.contains(&name.as_str())) {
            if package.normal.contains(*impure) || package.build.contains(*impure) {
                wrongs.push(format!("{name} is pure and names {impure}"));
            }
        }
        let may_draw = name == WINDOW.0 || name == "ghostlight-desktop";
        for library in WINDOW_LIBRARIES.iter().filter(|_| !may_draw) {
            if package.normal.contains(*library) {
                wrongs.push(format!("{name} links the window library {library}"));
            }
        }
    }
    wrongs
}

#[test]
fn dependencies_point_one_way() {
    let packages = packages();
    for name in [
        "ghostlight-model",
        "ghostlight-engine",
        "ghostlight-desktop",
        WINDOW.0,
    ] {
        assert!(
            packages.contains_key(name),
            "{name} is in the workspace: {packages:?}"
        );
    }
    let wrongs = wrongs(&packages);
    assert!(wrongs.is_empty(), "{}", wrongs.join("\n"));
}

#[test]
fn a_wrong_arrow_is_found() {
    for (from, to, kind) in [
        ("ghostlight-model", "ghostlight-api", "normal"),
        ("ghostlight-api", "ghostlight-detect", "normal"),
        ("ghostlight-detect", "ghostlight-store", "normal"),
        ("ghostlight-store", "ghostlight-fetch", "normal"),
        ("ghostlight-hub", "ghostlight-engine", "build"),
        ("ghostlight-engine", "ghostlight-cli", "normal"),
        ("ghostlight-store", "ghostlight-engine", "dev"),
        ("ghostlight-cli", "ghostlight-desktop", "normal"),
        ("ghostlight-cli", "tauri", "normal"),
        ("ghostlight-engine", "xtask", "normal"),
        ("ghostlight-ui", "ghostlight-detect", "normal"),
        ("ghostlight-model", "tokio", "normal"),
        ("ghostlight-detect", "rusqlite", "normal"),
        ("ghostlight-new", "ghostlight-model", "normal"),
    ] {
        let mut packages = packages();
        let package = packages.entry(from.to_owned()).or_default();
        let names = match kind {
            "dev" => &mut package.dev,
            "build" => &mut package.build,
            _ => &mut package.normal,
        };
        names.insert(to.to_owned());
        assert_ne!(
            wrongs(&packages),
            Vec::<String>::new(),
            "{from} → {to} ({kind})"
        );
    }
}
