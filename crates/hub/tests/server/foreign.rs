//! A client that is not ours: Python's `websockets`, driven by `tests/foreign/client.py`.

// Where set-up installs it by itself.
#![cfg(target_os = "linux")]

use crate::rig::{Rig, TOKEN};
use std::process::{Command, Stdio};

/// The distribution's own Python last: another one may stand before it on the path, without the module.
const PYTHONS: &[&str] = &["python3", "/usr/bin/python3"];

fn has_websockets(python: &str) -> bool {
    let mut probe = Command::new(python);
    probe
        .args(["-c", "import websockets"])
        .stderr(Stdio::null());
    probe.status().is_ok_and(|status| status.success())
}

#[test]
fn a_client_of_another_house_publishes_follows_and_resumes() {
    let python = PYTHONS
        .iter()
        .find(|python| has_websockets(python))
        .expect("Python with the module `websockets` (package python3-websockets; `cargo xtask setup` installs it)");
    let rig = Rig::start();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/foreign/client.py");
    let url = rig.server.as_ref().unwrap().url();
    let done = Command::new(python)
        .args([script, &url, TOKEN])
        .output()
        .unwrap();
    let err = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{err}");
    assert_eq!(
        String::from_utf8_lossy(&done.stdout).trim(),
        "200 events, twice the same",
        "{err}"
    );
}
