//! The Python that speaks with us in tests, as a client or a server of another house.

use std::process::{Command, Stdio};

/// The distribution's own Python last: another one may stand before it on the path, without the module.
const PYTHONS: &[&str] = &["python3", "/usr/bin/python3"];

/// A Python that has the module `websockets`.
pub fn python() -> Command {
    let found = PYTHONS.iter().find(|python| {
        let mut probe = Command::new(python);
        probe
            .args(["-c", "import websockets"])
            .stderr(Stdio::null());
        probe.status().is_ok_and(|status| status.success())
    });
    let python = found.expect(
        "Python with the module `websockets` (package python3-websockets; `cargo xtask setup` installs it)",
    );
    let mut command = Command::new(python);
    // What it compiles would stay in the sources.
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    command
}
