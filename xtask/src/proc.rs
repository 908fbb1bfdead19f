//! Running other programs: echoed, checked, bounded in time where they may hang.

use std::env;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, IsTerminal, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::{Failure, Result, workspace};

/// How often a bounded program is asked whether it has ended.
const POLL: Duration = Duration::from_millis(50);

/// The cargo that runs us, working in the project's root.
pub fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(workspace::root());
    // `cargo run` adds its own library folders for us; inherited by another cargo they differ from call to call.
    command
        .env_remove("LD_LIBRARY_PATH")
        .env_remove("DYLD_FALLBACK_LIBRARY_PATH");
    command
}

/// Any other program, working in the project's root.
pub fn program(name: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(name);
    command.current_dir(workspace::root());
    command
}

/// Runs to the end with the terminal's input and output; a failure names the command.
pub fn run(command: &mut Command) -> Result<()> {
    let status = status(command)?;
    ended_well(command, status)
}

/// As [`run`], but leaves the judgement of the exit status to the caller.
pub fn status(command: &mut Command) -> Result<ExitStatus> {
    echo(command);
    command.status().map_err(Failure::because(format!(
        "{} cannot be started",
        name(command)
    )))
}

/// Runs quietly and returns what it printed, or nothing where the program is missing or fails.
pub fn quiet_output(command: &mut Command) -> Option<String> {
    let output: Output = command
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Runs to the end or kills it after `limit`.
pub fn run_bounded(command: &mut Command, limit: Duration) -> Result<()> {
    echo(command);
    let mut child = command.spawn().map_err(Failure::because(format!(
        "{} cannot be started",
        name(command)
    )))?;
    let status = wait_bounded(&mut child, limit)?.ok_or_else(|| {
        Failure::new(format!(
            "{} did not end within {} s and was stopped",
            line(command),
            limit.as_secs()
        ))
    })?;
    ended_well(command, status)
}

/// Runs to the end, showing the output as it comes and handing each line to `each` as well.
pub fn run_watched(command: &mut Command, mut each: impl FnMut(&str)) -> Result<()> {
    echo(command);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(Failure::because(format!(
            "{} cannot be started",
            name(command)
        )))?;
    let (lines, received) = mpsc::sync_channel(LINES_IN_FLIGHT);
    let streams: [Option<Box<dyn Read + Send>>; 2] = [
        child.stdout.take().map(|s| Box::new(s) as _),
        child.stderr.take().map(|s| Box::new(s) as _),
    ];
    for stream in streams.into_iter().flatten() {
        let lines = lines.clone();
        std::thread::spawn(move || forward(stream, &lines));
    }
    drop(lines);
    for line in received {
        // A closed pipe behind us (`| head`) is no reason to stop the checks.
        let _ = writeln!(std::io::stdout(), "{line}");
        each(&line);
    }
    let status = child.wait().map_err(Failure::because(name(command)))?;
    ended_well(command, status)
}

/// Lines read ahead of the terminal; when it is full, the program waits for the terminal as it would without us.
const LINES_IN_FLIGHT: usize = 256;

/// Sends each line of a stream on, damaged text included.
fn forward(stream: Box<dyn Read + Send>, lines: &mpsc::SyncSender<String>) {
    for line in BufReader::new(stream)
        .split(b'\n')
        .map_while(|line| line.ok())
    {
        if lines
            .send(
                String::from_utf8_lossy(&line)
                    .trim_end_matches('\r')
                    .to_owned(),
            )
            .is_err()
        {
            return;
        }
    }
}

/// Waits for the end, or kills and returns `None` when the time is up.
pub fn wait_bounded(child: &mut Child, limit: Duration) -> Result<Option<ExitStatus>> {
    let start = Instant::now();
    loop {
        if let Some(status) = child
            .try_wait()
            .map_err(Failure::because("a started program"))?
        {
            return Ok(Some(status));
        }
        if start.elapsed() > limit {
            end(child);
            return Ok(None);
        }
        std::thread::sleep(POLL);
    }
}

/// Kills a program that we started and collects it.
pub fn end(child: &mut Child) {
    // Both fail only where it has ended already.
    let _ = child.kill();
    let _ = child.wait();
}

/// The full path of a program on `PATH`.
pub fn find(program: &str) -> Option<PathBuf> {
    let paths = env::var_os("PATH")?;
    let file = format!("{program}{}", env::consts::EXE_SUFFIX);
    env::split_paths(&paths)
        .map(|folder| folder.join(&file))
        .find(|path| path.is_file())
}

/// A program that runs as root: as we are, or through sudo, which must not ask for a password where nobody could type it.
pub fn as_root(program: &str) -> Command {
    if quiet_output(Command::new("id").arg("-u")).as_deref() == Some("0") {
        return Command::new(program);
    }
    let mut sudo = Command::new("sudo");
    if unattended() {
        sudo.arg("-n");
    }
    sudo.arg(program);
    sudo
}

/// True where nobody sits at the terminal who could type a password.
pub fn unattended() -> bool {
    env::var_os("CI").is_some() || !std::io::stdin().is_terminal()
}

/// Shows the command before it runs, so that a log can be repeated by hand.
fn echo(command: &Command) {
    eprintln!("$ {}", line(command));
}

fn ended_well(command: &Command, status: ExitStatus) -> Result<()> {
    if status.success() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "`{}` failed ({status}); its own message stands above",
        line(command)
    )))
}

fn name(command: &Command) -> String {
    PathBuf::from(command.get_program())
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn line(command: &Command) -> String {
    let arguments = command
        .get_args()
        .map(|arg| arg.to_string_lossy().into_owned());
    std::iter::once(name(command))
        .chain(arguments)
        .collect::<Vec<_>>()
        .join(" ")
}
