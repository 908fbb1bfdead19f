//! A display of its own: an X server without a screen, a message bus and empty home folders.
//!
//! For tests and pictures, so that they neither see nor touch the desktop of who runs them. Linux only, as is the
//! driver of the tests. `WEBKIT_DISABLE_COMPOSITING_MODE` and `WEBKIT_DISABLE_DMABUF_RENDERER` must not be set inside:
//! a screenshot by the driver then never comes back.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use crate::{Failure, Result, proc};

/// How long a server may take until it says where it listens; both take well under a second.
const START_LIMIT: Duration = Duration::from_secs(20);

/// Length of the secret that lets programs onto the display, in bytes; X knows no other.
const COOKIE_BYTES: usize = 16;

/// Variables that make WebKit's driver hang; see the head of this file.
const HARMFUL: &[&str] = &[
    "WEBKIT_DISABLE_COMPOSITING_MODE",
    "WEBKIT_DISABLE_DMABUF_RENDERER",
    "WAYLAND_DISPLAY",
];

/// A running display; ends with its value.
pub struct Display {
    server: Child,
    bus: Child,
    name: String,
    bus_address: String,
    home: PathBuf,
}

impl Display {
    /// Starts the servers. `size` is `WIDTHxHEIGHT` in pixels.
    pub fn start(size: &str) -> Result<Self> {
        let home = private_folder()?;
        let authority = home.join("authority");
        // The server takes the secret whatever display it is filed under; its number is known only afterwards.
        let cookie = random_hex()?;
        allow(&authority, ":0", &cookie)?;
        let screen = format!("{size}x24");
        let mut server = Command::new("Xvfb")
            .args([
                "-displayfd",
                "1",
                "-screen",
                "0",
                &screen,
                "-nolisten",
                "tcp",
                "-auth",
            ])
            .arg(&authority)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(Failure::because(
                "Xvfb cannot be started; run `cargo xtask setup`",
            ))?;
        let name = format!(":{}", first_line(&mut server, "Xvfb")?);
        allow(&authority, &name, &cookie)?;
        let (bus, bus_address) = start_bus(&home, &name).inspect_err(|_| proc::end(&mut server))?;
        Ok(Self {
            server,
            bus,
            name,
            bus_address,
            home,
        })
    }

    /// Makes a command run on this display.
    pub fn furnish<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        for variable in HARMFUL {
            command.env_remove(variable);
        }
        folders(command, &self.home)
            .env("DISPLAY", &self.name)
            .env("XAUTHORITY", self.home.join("authority"))
            .env("DBUS_SESSION_BUS_ADDRESS", &self.bus_address)
            .env("GDK_BACKEND", "x11")
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        proc::end(&mut self.bus);
        proc::end(&mut self.server);
        // What a program still holds open there is left to the system's own cleaning of temporary files.
        let _ = fs::remove_dir_all(&self.home);
    }
}

/// The message bus gets the folders and the display too: it starts programs of its own (accessibility, notifications).
fn start_bus(home: &Path, display: &str) -> Result<(Child, String)> {
    let mut command = Command::new("dbus-daemon");
    command
        .args(["--session", "--nofork", "--print-address=1"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut bus = folders(&mut command, home)
        .env("DISPLAY", display)
        .env("XAUTHORITY", home.join("authority"))
        .spawn()
        .map_err(Failure::because(
            "dbus-daemon cannot be started; run `cargo xtask setup`",
        ))?;
    let address = first_line(&mut bus, "dbus-daemon")?;
    Ok((bus, address))
}

fn folders<'a>(command: &'a mut Command, home: &Path) -> &'a mut Command {
    for (variable, folder) in [
        ("DATA", "data"),
        ("CONFIG", "config"),
        ("CACHE", "cache"),
        ("STATE", "state"),
    ] {
        command.env(format!("XDG_{variable}_HOME"), home.join(folder));
    }
    command.env("XDG_RUNTIME_DIR", home)
}

/// A folder that only we can read, with a short path: sockets in it may have 108 characters.
fn private_folder() -> Result<PathBuf> {
    let home = std::env::temp_dir().join(format!(
        "ghostlight-{}",
        random_hex()?.get(..12).unwrap_or_default()
    ));
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(&home)
        .map_err(Failure::because(home.display()))?;
    Ok(home)
}

fn allow(authority: &Path, display: &str, cookie: &str) -> Result<()> {
    let mut command = Command::new("xauth");
    command
        .args(["-q", "-f"])
        .arg(authority)
        .args(["add", display, ".", cookie]);
    proc::quiet_output(&mut command)
        .map(drop)
        .ok_or_else(|| Failure::new("xauth cannot write its file; run `cargo xtask setup`"))
}

fn random_hex() -> Result<String> {
    let mut bytes = [0; COOKIE_BYTES];
    let source = "/dev/urandom";
    fs::File::open(source)
        .and_then(|mut file| file.read_exact(&mut bytes))
        .map_err(Failure::because(source))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The line by which a server says where it listens.
fn first_line(child: &mut Child, name: &str) -> Result<String> {
    let (send, receive) = mpsc::sync_channel(1);
    if let Some(output) = child.stdout.take() {
        std::thread::spawn(move || {
            let mut reader = BufReader::new(output);
            let mut line = String::new();
            let _ = reader.read_line(&mut line).map(|_| send.send(line));
            // Reads on, so that the server never meets a closed or a full pipe.
            let _ = std::io::copy(&mut reader, &mut std::io::sink());
        });
    }
    let line = receive.recv_timeout(START_LIMIT).unwrap_or_default();
    if line.trim().is_empty() {
        proc::end(child);
        return Err(Failure::new(format!(
            "{name} did not say within {} s where it listens",
            START_LIMIT.as_secs()
        )));
    }
    Ok(line.trim().to_owned())
}
