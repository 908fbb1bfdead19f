//! A client that is not ours: Python's `websockets`, driven by `tests/foreign/client.py`.

// Where set-up installs it by itself.
#![cfg(target_os = "linux")]

use crate::{
    python::python,
    rig::{Rig, TOKEN},
};

#[test]
fn a_client_of_another_house_publishes_follows_and_resumes() {
    let rig = Rig::start();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/foreign/client.py");
    let url = rig.server.as_ref().unwrap().url();
    let done = python().args([script, &url, TOKEN]).output().unwrap();
    let err = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{err}");
    assert_eq!(
        String::from_utf8_lossy(&done.stdout).trim(),
        "200 events, twice the same",
        "{err}"
    );
}
