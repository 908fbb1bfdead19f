//! Runs the program on a data folder of its own.

use serde_json::Value;
use std::{
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// A run that takes longer hangs, and is ended.
const RUN_LIMIT: Duration = Duration::from_secs(100);

/// The program and its data folder.
pub struct Ghostlight {
    pub data: TempDir,
}

/// What a run left behind.
#[derive(Debug)]
pub struct Done {
    pub code: i32,
    pub out: String,
    pub err: String,
    /// The most memory it had at a time, in bytes, as far as it was seen; 0 where the system does not tell.
    pub peak: u64,
}

impl Ghostlight {
    pub fn new() -> Self {
        Self {
            data: tempfile::tempdir().unwrap(),
        }
    }

    /// The program with its data folder.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ghostlight"));
        command.arg("--data").arg(self.data.path()).args(args);
        command
    }

    pub fn run(&self, args: &[&str]) -> Done {
        finish(self.command(args), |_| Ok(()))
    }

    /// With this on standard input.
    pub fn run_with(&self, args: &[&str], input: &[u8]) -> Done {
        let input = input.to_owned();
        finish(self.command(args), move |stdin| stdin.write_all(&input))
    }

    /// With a disk of so many kB of its own at `folder`; `None`, and loudly, where the system lets us make none. What is
    /// left there stands in the file beside the folder whose name ends in `.left`.
    #[cfg(target_os = "linux")]
    pub fn run_on_small_disk(&self, folder: &Path, kb: u32, args: &[&str]) -> Option<Done> {
        let script = format!(
            "mount -t tmpfs -o size={kb}k none {0} || exit 77; \"$@\"; code=$?; ls -A {0} > {0}.left; exit $code",
            folder.display()
        );
        let program = self.command(args);
        let mut command = Command::new("unshare");
        command
            .args(["-rm", "sh", "-c", &script, "sh"])
            .arg(program.get_program())
            .args(program.get_args());
        let done = finish(command, |_| Ok(()));
        if done.code == 77 || done.err.contains("unshare") {
            eprintln!("SKIPPED: no disk of our own here: {}", done.err);
            return None;
        }
        Some(done)
    }

    /// `analyze --json`, which prints one object a posting.
    pub fn analyze(&self, input: &str) -> (Done, Vec<Value>) {
        let done = self.run(&["analyze", input, "--json"]);
        let objects = done.objects();
        (done, objects)
    }

    /// What `doctor` says; the database must be sound.
    pub fn healthy(&self) -> Value {
        let done = self.run(&["doctor", "--json"]);
        assert_eq!(done.code, 0, "{done:?}");
        let found = done.objects().remove(0);
        assert_eq!(found["healthy"], true, "{found}");
        assert_eq!(found["problems"], serde_json::json!([]), "{found}");
        found
    }
}

impl Done {
    /// Standard output, an object a line.
    pub fn objects(&self) -> Vec<Value> {
        self.out
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
            .collect()
    }

    /// Ended with this code, and said all of these words on standard error, without a panic.
    pub fn refused(&self, what: &str, code: i32, words: &[&str]) {
        assert_eq!(self.code, code, "{what}: {self:?}");
        for word in words {
            assert!(self.err.contains(word), "{what}: {word:?} in {}", self.err);
        }
        assert!(!self.err.contains("panicked"), "{what}: {}", self.err);
    }
}

/// Runs a command to its end, or ends it. Standard output and error go to files: no pipe can be full.
pub fn finish(
    mut command: Command,
    feed: impl FnOnce(&mut dyn Write) -> io::Result<()> + Send + 'static,
) -> Done {
    let folder = tempfile::tempdir().unwrap();
    let (out, err) = (folder.path().join("out"), folder.path().join("err"));
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(File::create(&out).unwrap())
        .stderr(File::create(&err).unwrap())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A program that stops reading closes the pipe; that is its right.
    let feeding = std::thread::spawn(move || drop(feed(&mut stdin)));
    let (code, peak) = watch(&mut child);
    feeding.join().unwrap();
    let read = |path: &Path| String::from_utf8(std::fs::read(path).unwrap()).unwrap();
    Done {
        code,
        out: read(&out),
        err: read(&err),
        peak,
    }
}

fn watch(child: &mut Child) -> (i32, u64) {
    let (begun, mut peak) = (Instant::now(), 0);
    loop {
        peak = peak.max(peak_memory(child.id()).unwrap_or(0));
        if let Some(status) = child.try_wait().unwrap() {
            return (status.code().unwrap_or(-1), peak);
        }
        if begun.elapsed() > RUN_LIMIT {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("it did not end within {} s", RUN_LIMIT.as_secs());
        }
        std::thread::sleep(Duration::from_millis(3));
    }
}

/// The high-water mark of resident memory that Linux keeps, in bytes.
fn peak_memory(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}

/// A file below `tests/fixtures` of the workspace.
pub fn fixture(name: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
    folder.join(name).to_str().unwrap().to_owned()
}
