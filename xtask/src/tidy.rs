//! `cargo xtask tidy`: house checks on the text of the sources, which no compiler makes.
//!
//! The direction of dependencies is not among them: a test reads it from `cargo metadata`.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use crate::{Failure, Result, Verb, check_flags, workspace};

pub const VERB: Verb = Verb {
    name: "tidy",
    usage: "",
    about: "house checks on the text of the sources (part of test)",
    run: |args| {
        check_flags(args, &[])?;
        println!("tidy: {}", check()?);
        Ok(ExitCode::SUCCESS)
    },
};

/// Folders that hold nothing of ours.
const SKIPPED_FOLDERS: &[&str] = &[".git", "dist", "gen", "node_modules", "target"];

/// Files that tools write and that name their origin.
const GENERATED_FILES: &[&str] = &["Cargo.lock", "package-lock.json"];

/// What counts as source code, where a promise to do something later has no place.
const SOURCES: &[&str] = &["css", "html", "js", "rs", "toml", "json", "sh"];

/// Written in two parts, here and below, so that this file passes its own checks.
const PROMISES: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("to", "do!("),
    concat!("unimple", "mented!("),
];

/// Registries and mirrors: which one is used is the business of the machine, not of the project.
const REGISTRY_HOSTS: &[&str] = &[
    concat!("index.", "crates.io"),
    concat!("static.", "crates.io"),
    concat!("rust-lang/", "crates.io-index"),
    concat!("registry.", "npmjs"),
    concat!("registry.", "yarnpkg"),
    concat!("pypi.", "org"),
    concat!("files.", "pythonhosted"),
];

/// Beginnings of absolute paths that exist on one machine only.
const MACHINE_PATHS: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("/ho", "me/"),
    concat!("/ro", "ot/"),
    concat!("/Us", "ers/"),
];

/// Larger files are data, not text that somebody wrote here.
const TEXT_BYTES_MAX: u64 = 2_000_000;

/// Checks every text file of the project; says how many.
pub fn check() -> Result<String> {
    let root = workspace::root();
    let mut findings = Vec::new();
    let mut checked = 0;
    for path in workspace::files_below(&root, SKIPPED_FOLDERS)? {
        let small = fs::metadata(&path).is_ok_and(|file| file.len() <= TEXT_BYTES_MAX);
        let Some(text) = small.then(|| fs::read_to_string(&path).ok()).flatten() else {
            continue;
        };
        checked += 1;
        findings.extend(check_text(path.strip_prefix(&root).unwrap_or(&path), &text));
    }
    if findings.is_empty() {
        return Ok(format!("{checked} files"));
    }
    Err(Failure::new(format!(
        "house checks found:\n  {}",
        findings.join("\n  ")
    )))
}

/// What is wrong with one file, a line each: `path:line: what`.
fn check_text(path: &Path, text: &str) -> Vec<String> {
    let kind = path
        .extension()
        .and_then(|kind| kind.to_str())
        .unwrap_or_default();
    let mut findings = Vec::new();
    if kind == "rs" && !text.starts_with("//!") {
        findings.push(format!(
            "{}:1: opens without `//!` saying what the file is for",
            path.display()
        ));
    }
    let generated = path
        .file_name()
        .is_some_and(|name| GENERATED_FILES.iter().any(|file| name == *file));
    let page = is_test_page(path);
    for (number, line) in text.lines().enumerate() {
        let mut found =
            |what: String| findings.push(format!("{}:{}: {what}", path.display(), number + 1));
        if SOURCES.contains(&kind) && !generated && !page {
            PROMISES
                .iter()
                .filter(|word| has_word(line, word))
                .for_each(|word| found(format!("`{word}`: do it, or write an issue")));
        }
        if path != Path::new("Cargo.lock") {
            REGISTRY_HOSTS
                .iter()
                .filter(|host| line.contains(**host))
                .for_each(|host| found(format!("names the registry host `{host}`")));
        }
        if !page {
            MACHINE_PATHS
                .iter()
                .filter(|path| has_absolute_path(line, path))
                .for_each(|path| found(format!("holds a path of one machine (`{path}`)")));
        }
    }
    findings
}

/// Saved pages and answers, composed for tests and samples: their text is a stranger's, not ours.
fn is_test_page(path: &Path) -> bool {
    path.components().any(|part| {
        ["samples", "fixtures"]
            .iter()
            .any(|folder| part.as_os_str() == *folder)
    })
}

/// The word itself, not a part of a longer one.
fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let inside = |c: char| c.is_alphanumeric() || c == '_';
        // A word that ends with a bracket is complete whatever follows.
        let goes_on =
            word.ends_with(char::is_alphabetic) && line[at + word.len()..].starts_with(inside);
        !goes_on && !line[..at].ends_with(inside)
    })
}

/// A path that begins there; the same letters in the middle of a URL are none.
fn has_absolute_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        !line[..at].ends_with(|c: char| c.is_alphanumeric() || "._-}*)~".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_finds_its_offence_and_leaves_the_harmless_alone() {
        let cases = [
            ("a.rs", "fn main() {}".to_owned(), 1),
            ("a.rs", "//! For what.\nfn main() {}".to_owned(), 0),
            ("a.js", format!("// {} later", PROMISES[0]), 1),
            ("a.js", format!("let {}S = 1", PROMISES[0]), 0),
            ("a.rs", format!("//! x\n{}\"\")", PROMISES[2]), 1),
            ("a.md", format!("A list of {} items", PROMISES[0]), 0),
            (
                "a.toml",
                format!("registry = \"https://{}.example\"", REGISTRY_HOSTS[3]),
                1,
            ),
            (
                "Cargo.lock",
                format!("source = \"{}\"", REGISTRY_HOSTS[2]),
                0,
            ),
            ("a.md", format!("see {}main/x", MACHINE_PATHS[0]), 1),
            (
                "a.md",
                format!("https://example.org{}main/x", MACHINE_PATHS[0]),
                0,
            ),
            (
                "samples/a.html",
                format!("<a href=\"{}x\">", MACHINE_PATHS[1]),
                0,
            ),
        ];
        for (path, text, expected) in cases {
            assert_eq!(
                check_text(Path::new(path), &text).len(),
                expected,
                "{path}: {text}"
            );
        }
    }

    #[test]
    fn a_finding_names_file_and_line() {
        let text = format!("//! x\n\n// {}", PROMISES[1]);
        assert!(
            check_text(Path::new("crates/a/src/b.rs"), &text)[0]
                .starts_with("crates/a/src/b.rs:3: ")
        );
    }
}
