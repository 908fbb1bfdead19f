//! Exit codes and messages.

use std::{
    env::{self, VarError},
    fmt::Display,
    io::{self, Write},
    ops::RangeInclusive,
    process::ExitCode,
    str::FromStr,
};

/// How the program ends; a batch ends with its worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    Done = 0,
    NothingFound = 1,
    Usage = 2,
    Store = 3,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

/// Says on standard error what happened and what to do.
pub(crate) fn fail(exit: Exit, message: &str, hint: Option<&str>) -> Exit {
    eprintln!("ghostlight: {}", shown(message));
    if let Some(hint) = hint {
        eprintln!("  {}", shown(hint));
    }
    exit
}

/// A text as it may stand in a line of the terminal: what a server or a file says could else steer it.
pub(crate) fn shown(text: &str) -> String {
    text.replace(char::is_control, " ")
}

/// Reads a whole number for an option.
pub(crate) fn whole<N: FromStr>(text: &str) -> Result<N, String> {
    text.trim()
        .parse()
        .map_err(|_| "a whole number is expected".to_owned())
}

/// The same within bounds.
pub(crate) fn number<N: FromStr + PartialOrd + Display>(
    text: &str,
    bounds: &RangeInclusive<N>,
) -> Result<N, String> {
    let (min, max) = (bounds.start(), bounds.end());
    let number = whole(text).ok().filter(|number| bounds.contains(number));
    number.ok_or_else(|| format!("a whole number from {min} to {max} is expected"))
}

/// A variable of the environment; `None` where it is not set. What is no text is refused, and not repeated: it may be a
/// secret.
pub(crate) fn variable(name: &str) -> Result<Option<String>, Exit> {
    match env::var(name) {
        Ok(text) => Ok(Some(text)),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => {
            Err(fail(Exit::Usage, &format!("{name}: it is not UTF-8"), None))
        }
    }
}

/// Prints a line. A reader that went away (`| head`) ends the program quietly.
pub(crate) fn print_line(line: &str) -> Result<(), Exit> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{line}").and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Err(Exit::Done),
        Err(e) => Err(fail(Exit::Usage, &format!("standard output: {e}"), None)),
    }
}

/// Writes to standard output. A reader that went away (`| head`) ends the program quietly.
pub(crate) fn write_all(bytes: &[u8]) -> Result<(), Exit> {
    let mut out = io::stdout().lock();
    // `Stdout` collects until it sees a line end; whole lines reach the system as they are.
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Err(Exit::Done),
        Err(e) => Err(fail(Exit::Usage, &format!("standard output: {e}"), None)),
    }
}
