//! The window's files: Rust to wasm, its JavaScript glue, PatternFly's style sheet and fonts, put together in `dist/`.
//!
//! Built in a folder of its own first and then brought over file by file, untouched where nothing changed, because
//! the application embeds `dist/` and is built again whenever one of its files is newer. A fingerprint of everything
//! that goes in lets the whole step be skipped.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use wasm_bindgen_cli_support::Bindgen;

use crate::wasm::{self, Compiler};
use crate::{Failure, Result, proc, style, workspace};

/// How much work goes into small and fast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Quick to build; names kept, so that a panic in the console says where.
    Dev,
    /// Small and fast to start: size-optimised, then wasm-opt.
    Release,
}

/// Package and binary of the window.
const PACKAGE: &str = "ghostlight-ui";

/// Crates that promise to build for wasm32 although the window does not link all of them.
const PORTABLE_PACKAGES: &[&str] = &[
    "ghostlight-model",
    "ghostlight-api",
    "ghostlight-detect",
    "ghostlight-sync",
];

/// What the window is made of, besides this file and the compiler; folders count with all they hold.
const INPUTS: &[&str] = &[
    "ui",
    "crates/model",
    "crates/api",
    "Cargo.toml",
    "Cargo.lock",
    "package-lock.json",
    "xtask/src/ui.rs",
    "xtask/src/style.rs",
    "xtask/src/wasm.rs",
];

/// Our own code a little optimised, or the module is slow to load; what it is built upon not at all, or a fresh clone
/// waits three times as long.
const DEV_PROFILE: &[&str] = &[
    "profile.dev.debug=false",
    "profile.dev.opt-level=1",
    "profile.dev.package.\"*\".opt-level=0",
];

/// Where npm puts the style sheet.
const PATTERNFLY: &str = "node_modules/@patternfly/patternfly";

/// The tokens and the sheets of the components that the window uses, cut down to what is used ([`style`]) and put
/// together into [`STYLE_SHEET`]: all of PatternFly (1.8 MB) would cost a third of the start. A component taken into
/// use adds its sheet here.
const STYLE_SHEETS: &[&str] = &["patternfly-base.css", "components/Button/button.css"];

/// The one sheet that the page links.
const STYLE_SHEET: &str = "patternfly.css";

/// The fonts that the window shows, of those that the style sheet names: no italics, they are slanted by the engine, and
/// no icons, they are drawn by `ui/src/icons.rs`.
const FONTS: &[&str] = &[
    "assets/fonts/RedHatDisplay/RedHatDisplayVF.woff2",
    "assets/fonts/RedHatMono/RedHatMonoVF.woff2",
    "assets/fonts/RedHatText/RedHatTextVF.woff2",
];

/// The features that WebKitGTK 2.50 understands. `--all-features` makes a module that it refuses (blank window).
const WASM_OPT_FLAGS: &[&str] = &[
    "-Oz",
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
];

/// Builds `dist/` unless it stands for exactly these inputs already.
pub fn ensure(profile: Profile) -> Result<()> {
    let compiler = wasm::ensure_compiler()?;
    let wanted = fingerprint(profile, &compiler)?;
    if stands(&wanted) {
        return Ok(());
    }
    finish(profile, &compile(profile, &compiler)?, &wanted)
}

/// Builds the crates that promise to be portable, whether or not the window needs them yet, and the window.
pub fn build_portable_crates_and_window() -> Result<()> {
    let compiler = wasm::ensure_compiler()?;
    let wanted = fingerprint(Profile::Dev, &compiler)?;
    let module = compile(Profile::Dev, &compiler)?;
    if stands(&wanted) {
        Ok(())
    } else {
        finish(Profile::Dev, &module, &wanted)
    }
}

/// Remembers what `dist/` was made of.
fn stamp() -> PathBuf {
    workspace::target().join("window.fingerprint")
}

fn stands(wanted: &str) -> bool {
    workspace::dist().join("ui_bg.wasm").exists()
        && fs::read_to_string(stamp()).is_ok_and(|have| have == wanted)
}

fn finish(profile: Profile, module: &Path, wanted: &str) -> Result<()> {
    let start = Instant::now();
    assemble(profile, module)?;
    eprintln!(
        "window: dist/ is put together ({:.1} s)",
        start.elapsed().as_secs_f32()
    );
    workspace::write_if_changed(&stamp(), wanted.as_bytes())
}

/// Compiles to wasm and returns the module's path.
fn compile(profile: Profile, compiler: &Compiler) -> Result<PathBuf> {
    let mut cargo = compiler.cargo("build");
    cargo.args(["-p", PACKAGE]);
    let folder = match profile {
        // One call for all of them, so that shared dependencies are compiled once, with one set of features.
        Profile::Dev => {
            cargo.args(PORTABLE_PACKAGES.iter().flat_map(|package| ["-p", package]));
            cargo.args(DEV_PROFILE.iter().flat_map(|setting| ["--config", setting]));
            "debug"
        }
        Profile::Release => {
            cargo.args(["--profile", "wasm-release"]);
            "wasm-release"
        }
    };
    proc::run(&mut cargo)?;
    Ok(compiler
        .target_dir()
        .join(wasm::TARGET)
        .join(folder)
        .join(PACKAGE)
        .with_extension("wasm"))
}

/// Puts all files of the window together and brings them to `dist/`.
fn assemble(profile: Profile, module: &Path) -> Result<()> {
    let staging = workspace::target().join("window");
    if staging.exists() {
        fs::remove_dir_all(&staging).map_err(Failure::because(staging.display()))?;
    }
    fs::create_dir_all(&staging).map_err(Failure::because(staging.display()))?;
    bindgen(profile, module, &staging)?;
    if profile == Profile::Release {
        optimise(&staging.join("ui_bg.wasm"))?;
    }
    copy_page(&staging)?;
    copy_patternfly(&staging.join("assets"))?;
    check_links(&staging)?;
    mirror(&staging, &workspace::dist())
}

/// Writes `ui.js` and `ui_bg.wasm`; the script finds the module beside itself when it is told nothing.
fn bindgen(profile: Profile, module: &Path, staging: &Path) -> Result<()> {
    let release = profile == Profile::Release;
    let mut bindgen = Bindgen::new();
    bindgen
        .web(true)
        .map_err(Failure::because("wasm-bindgen"))?;
    bindgen
        .input_path(module)
        .out_name("ui")
        .omit_default_module_path(false)
        .typescript(false)
        .debug(!release);
    bindgen
        .keep_debug(!release)
        .remove_name_section(release)
        .remove_producers_section(release);
    bindgen
        .generate(staging)
        .map_err(|cause| Failure::new(format!("wasm-bindgen, {}: {cause:#}", module.display())))
}

fn optimise(module: &Path) -> Result<()> {
    let tool = workspace::root().join("node_modules/binaryen/bin/wasm-opt");
    let size = |path: &Path| {
        fs::metadata(path)
            .map(|file| file.len() / 1000)
            .unwrap_or_default()
    };
    let before = size(module);
    let mut node: Command = proc::program("node");
    proc::run(
        node.arg(tool)
            .args(WASM_OPT_FLAGS)
            .arg(module)
            .arg("-o")
            .arg(module),
    )?;
    eprintln!("window: wasm-opt: {before} kB became {} kB", size(module));
    Ok(())
}

/// The page and its start-up script stand at the top, our own style sheets (`ui/style/*.css`) beside PatternFly's.
fn copy_page(staging: &Path) -> Result<()> {
    let ui = workspace::root().join("ui");
    for name in ["index.html", "boot.js"] {
        copy(&ui.join(name), &staging.join(name))?;
    }
    let styles = ui.join("style");
    if !styles.is_dir() {
        return Ok(());
    }
    for path in workspace::files_below(&styles, &[])? {
        if let (Some("css"), Some(name)) = (
            path.extension().and_then(|kind| kind.to_str()),
            path.file_name(),
        ) {
            copy(&path, &staging.join("assets").join(name))?;
        }
    }
    Ok(())
}

fn copy_patternfly(assets: &Path) -> Result<()> {
    let source = workspace::root().join(PATTERNFLY);
    let mut sheet = String::new();
    for part in STYLE_SHEETS {
        sheet += &fs::read_to_string(source.join(part)).map_err(Failure::because(part))?;
        sheet.push('\n');
    }
    let ui = workspace::root().join("ui");
    let pruned = style::pruned(
        &sheet,
        &text_below(&ui, &["css"])?,
        &text_below(&ui, &["rs", "js", "html"])?,
    )?;
    workspace::write_if_changed(&assets.join(STYLE_SHEET), pruned.as_bytes())?;
    for font in FONTS {
        if !sheet.contains(font) {
            return Err(Failure::new(format!(
                "{STYLE_SHEET} does not name the font {font} any more: put xtask's list of fonts right"
            )));
        }
        copy(&source.join(font), &assets.join(font))?;
    }
    Ok(())
}

/// All files of these kinds, one after the other.
fn text_below(folder: &Path, kinds: &[&str]) -> Result<String> {
    let mut text = String::new();
    for path in workspace::files_below(folder, &[])? {
        let kind = path.extension().and_then(|kind| kind.to_str());
        if kind.is_some_and(|kind| kinds.contains(&kind)) {
            text += &fs::read_to_string(&path).map_err(Failure::because(path.display()))?;
        }
    }
    Ok(text)
}

/// A file missing here would be a window without its style, seen only by who looks at it.
fn check_links(staging: &Path) -> Result<()> {
    let index =
        fs::read_to_string(staging.join("index.html")).map_err(Failure::because("index.html"))?;
    match local_links(&index).find(|link| !staging.join(link).exists()) {
        None => Ok(()),
        Some(link) => Err(Failure::new(format!(
            "ui/index.html refers to `{link}`, which is not among the window's files"
        ))),
    }
}

/// The values of `href` and `src` that point at files of ours.
fn local_links(html: &str) -> impl Iterator<Item = &str> {
    ["href=\"", "src=\""]
        .into_iter()
        .flat_map(|attribute| html.split(attribute).skip(1))
        .filter_map(|rest| rest.split('"').next())
        .filter(|link| !link.is_empty() && !link.starts_with('#') && !link.contains(':'))
        .map(|link| link.trim_start_matches("./").trim_start_matches('/'))
}

/// Makes `to` hold what `from` holds, leaving equal files alone and removing what is not in `from`.
fn mirror(from: &Path, to: &Path) -> Result<()> {
    let wanted = relative_files(from)?;
    for file in &wanted {
        let bytes = fs::read(from.join(file)).map_err(Failure::because(file.display()))?;
        workspace::write_if_changed(&to.join(file), &bytes)?;
    }
    for file in relative_files(to)? {
        if !wanted.contains(&file) {
            fs::remove_file(to.join(&file)).map_err(Failure::because(file.display()))?;
        }
    }
    Ok(())
}

fn relative_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let files = workspace::files_below(folder, &[])?;
    Ok(files
        .into_iter()
        .filter_map(|file| file.strip_prefix(folder).ok().map(Path::to_path_buf))
        .collect())
}

/// A number that changes with everything the window is made of. Only compared on this machine, so any hash will do.
fn fingerprint(profile: Profile, compiler: &Compiler) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    format!("{profile:?} {compiler:?}").hash(&mut hasher);
    for input in INPUTS {
        let path = workspace::root().join(input);
        let files = if path.is_dir() {
            workspace::files_below(&path, &["tests"])?
        } else {
            vec![path]
        };
        for file in files {
            file.hash(&mut hasher);
            fs::read(&file)
                .map_err(Failure::because(file.display()))?
                .hash(&mut hasher);
        }
    }
    Ok(format!("{profile:?} {:016x}", hasher.finish()))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let bytes = fs::read(from).map_err(Failure::because(from.display()))?;
    workspace::write_if_changed(to, &bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn links_to_own_files_are_found_and_others_left_alone() {
        let html = r##"<link href="assets/app.css"><script src="./boot.js"></script><a href="#top"></a><a href="https://example.org/x">"##;
        assert_eq!(
            local_links(html).collect::<Vec<_>>(),
            ["assets/app.css", "boot.js"]
        );
    }

    #[test]
    fn a_mirror_removes_what_is_gone_and_leaves_equal_files_untouched() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for (dir, name, text) in [
            (&from, "same", "1"),
            (&to, "same", "1"),
            (&from, "a/new", "2"),
            (&to, "old", "3"),
        ] {
            workspace::write_if_changed(&dir.path().join(name), text.as_bytes()).unwrap();
        }
        let before = fs::metadata(to.path().join("same"))
            .unwrap()
            .modified()
            .unwrap();
        mirror(from.path(), to.path()).unwrap();
        assert_eq!(
            relative_files(to.path()).unwrap(),
            [PathBuf::from("a/new"), PathBuf::from("same")]
        );
        assert_eq!(
            fs::metadata(to.path().join("same"))
                .unwrap()
                .modified()
                .unwrap(),
            before
        );
    }
}
