//! The server on real sockets: what clients see, and what they cannot do to it.
#![allow(clippy::unwrap_used, reason = "tests")]

mod admission;
mod bad_input;
mod foreign;
mod http;
mod protocol;
#[cfg(target_os = "linux")]
#[path = "../../../../tests/support/python.rs"]
mod python;
mod rig;
mod streams;
