//! `watch` without a network: in a network namespace of its own (Linux), where the test takes it away and brings it back.

use crate::{program::Ghostlight, watch::watch};
use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
};

/// Follows with no network at all, until the first line of its input; then every address has a way. Ends with its input.
const SCRIPT: &str = r#""$@" & read -r go; ip link set lo up && ip route add default dev lo; read -r stop; kill $!; wait $!"#;

/// Whether the system lets a test have a network of its own.
fn has_namespaces() -> bool {
    let mut asked = Command::new("unshare");
    asked.args(["-rn", "ip", "link", "set", "lo", "up"]);
    asked.stderr(Stdio::null());
    asked.status().is_ok_and(|status| status.success())
}

#[test]
fn without_a_network_nothing_is_tried_and_with_one_at_once() {
    if !has_namespaces() {
        // Nothing else here can take a network away. What is heard, and what is done then, have tests of their own.
        return eprintln!("SKIPPED: this system lets nobody have a network of their own");
    }
    let ghostlight = Ghostlight::new();
    // An address that nobody has (RFC 5737): reached by no route at first, and then by one where nobody answers.
    let args = ["--adapter", "typed", "--idle", "60"];
    let command = watch(&ghostlight, "ws://203.0.113.7:9/feed", &args);
    let mut alone = Command::new("unshare");
    alone.args(["-rn", "sh", "-c", SCRIPT, "sh"]);
    alone.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => alone.env(name, value),
            None => alone.env_remove(name),
        };
    }
    // A wait that is not over while the test runs: what is tried sooner is tried because of the network.
    alone.env("GHOSTLIGHT_MAX_RECONNECT_DELAY_MS", "3600000");
    alone.env("GHOSTLIGHT_RECONNECT_DELAY_MS", "3600000");
    alone.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = alone.spawn().unwrap();
    let mut told = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut until = |wanted: &str| {
        for line in &mut told {
            let status: Value = serde_json::from_str(&line.unwrap()).unwrap();
            if status["state"] == wanted {
                return;
            }
        }
        panic!("it ended before it was {wanted}");
    };
    until("offline");
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"go\n").unwrap();
    until("connecting");
    drop(input);
    child.wait().unwrap();
}
