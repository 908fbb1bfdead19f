//! Where things are: the project's root, its target folder, the folder of the built window.

use std::path::{Path, PathBuf};
use std::{env, fs};

use crate::{Failure, Result};

/// The folder with the workspace's `Cargo.toml`.
pub fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_path_buf()
}

/// Cargo's target folder, honouring `CARGO_TARGET_DIR`.
pub fn target() -> PathBuf {
    match env::var_os("CARGO_TARGET_DIR") {
        // A relative path counts from where cargo was called, which is where cargo started us.
        Some(dir) => env::current_dir().unwrap_or_default().join(dir),
        None => root().join("target"),
    }
}

/// The window's files, as the application embeds them.
pub fn dist() -> PathBuf {
    root().join("dist")
}

/// Makes sure `dist/` exists: the application does not compile without it, and checks come before the window's build.
pub fn ensure_dist() -> Result<()> {
    let index = dist().join("index.html");
    if index.exists() {
        return Ok(());
    }
    let placeholder = "<!doctype html><title>Ghostlight</title><p>The window is not built yet: cargo xtask build</p>\n";
    write_if_changed(&index, placeholder.as_bytes())
}

/// Writes a file, with its folders, unless it holds these bytes already: an untouched time keeps cargo from building again.
pub fn write_if_changed(path: &Path, bytes: &[u8]) -> Result<()> {
    if fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(Failure::because(folder.display()))?;
    }
    fs::write(path, bytes).map_err(Failure::because(path.display()))
}

/// All files below a folder, sorted, without following links and without the folders named in `skip`.
pub fn files_below(folder: &Path, skip: &[&str]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(&dir).map_err(Failure::because(dir.display()))? {
            let entry = entry.map_err(Failure::because(dir.display()))?;
            let kind = entry.file_type().map_err(Failure::because(dir.display()))?;
            if kind.is_file() {
                found.push(entry.path());
            } else if kind.is_dir() && !skip.iter().any(|name| entry.file_name() == *name) {
                open.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}
