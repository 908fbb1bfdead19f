//! A disk of a test's own, small or read-only, so that what the system says of it is the system's own word.
//!
//! It is mounted in a namespace of a process that does nothing else, and reached through that process's folder in
//! `/proc`: nothing outside the test sees it, and it goes with the process.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// Mounts with the options `$1` at `$2`, says so, and stays until its input ends.
const SCRIPT: &str = "mount -t tmpfs -o \"$1\" none \"$2\" && echo mounted && exec cat";

/// See the module. Goes with its value.
pub struct Disk {
    holder: Child,
    path: PathBuf,
    _place: TempDir,
}

impl Disk {
    /// With these options of `tmpfs`, such as `size=1m` or `ro`. `None`, and loudly, where the system lets nobody
    /// mount in a namespace.
    pub fn mount(options: &str) -> Option<Self> {
        let place = tempfile::tempdir().expect("a temporary folder can be made");
        let holder = Command::new("unshare")
            .args(["-rm", "sh", "-c", SCRIPT, "sh", options])
            .arg(place.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let Ok(mut holder) = holder else {
            eprintln!("SKIPPED: there is no `unshare` here, so no disk of our own");
            return None;
        };
        let mut said = String::new();
        if let Some(out) = holder.stdout.take() {
            let _ = BufReader::new(out).read_line(&mut said);
        }
        let inside = place.path().strip_prefix("/").expect("it is absolute");
        let path = Path::new("/proc").join(holder.id().to_string());
        let disk = Self {
            holder,
            path: path.join("root").join(inside),
            _place: place,
        };
        match said.trim() == "mounted" && disk.path.is_dir() {
            true => Some(disk),
            false => {
                eprintln!("SKIPPED: no disk of our own can be mounted here");
                None
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}
