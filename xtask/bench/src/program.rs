//! `ghostlight hub` as a process of its own.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use crate::Outcome;

/// The token of every hub here.
pub const TOKEN: &str = "a-token-for-measuring-0001";

/// A hub under way; dropping it kills it.
pub struct Hub {
    child: Child,
    pub address: SocketAddr,
}

impl Hub {
    /// Starts the program on a data folder; port 0 takes any. When it returns, connections are accepted.
    ///
    /// # Errors
    /// If the program is not there, or says something else than where it listens.
    pub fn start(folder: &Path, port: u16) -> Outcome<Self> {
        let program = beside_us()?;
        let mut child = Command::new(&program)
            .arg("--data")
            .arg(folder)
            .args(["hub", "--listen", &format!("127.0.0.1:{port}")])
            // All clients here show one token.
            .args(["--connections-each", "10000", "--requests-each", "1000000"])
            .env("GHOSTLIGHT_HUB_TOKEN", TOKEN)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| {
                format!(
                    "{}: {e}; build it with `cargo xtask build --release`",
                    program.display()
                )
            })?;
        let mut line = String::new();
        if let Some(out) = child.stdout.take() {
            BufReader::new(out).read_line(&mut line)?;
        }
        let address = address(&line);
        let Some(address) = address else {
            let _ = child.kill();
            let _ = child.wait();
            return Err(format!("the hub said {line:?} instead of where it listens").into());
        };
        Ok(Self { child, address })
    }

    /// Where its protocol is.
    pub fn url(&self) -> String {
        format!("ws://{}/v1", self.address)
    }

    /// Memory of its own that is in use (not of files, not of the kernel), in bytes.
    ///
    /// # Errors
    /// Where the system does not tell.
    pub fn memory(&self) -> Outcome<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("RssAnon:"));
        let kib = line.and_then(|rest| rest.split_whitespace().next());
        let kib: u64 = kib.ok_or("no RssAnon in /proc")?.parse()?;
        Ok(kib * 1_024)
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        // As a power cut would; both fail only where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program beside this one.
///
/// # Errors
/// If this one cannot tell where it is.
pub fn beside_us() -> Outcome<PathBuf> {
    let name = format!("ghostlight{}", std::env::consts::EXE_SUFFIX);
    Ok(std::env::current_exe()?.with_file_name(name))
}

fn address(line: &str) -> Option<SocketAddr> {
    let said: serde_json::Value = serde_json::from_str(line).ok()?;
    let url = said["listening"].as_str()?;
    url.strip_prefix("ws://")?.strip_suffix("/v1")?.parse().ok()
}
