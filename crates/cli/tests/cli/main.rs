//! The command line as scripts use it: what it prints, how it ends, and what it does with bad input.
//!
//! The program under test is the one that people get: [`hooks`] fails where it was built with test hooks.
#![allow(clippy::unwrap_used, reason = "tests")]

mod archive;
mod bundle;
mod contract;
mod export;
#[path = "../../../../tests/support/feed_server.rs"]
mod feed_server;
#[cfg(target_os = "linux")]
mod foreign;
mod history;
mod hooks;
mod hub;
mod kill;
#[path = "../../../../tests/support/logs.rs"]
mod logs;
#[path = "../../../../tests/support/message_server.rs"]
mod message_server;
mod model;
#[path = "../../../../tests/support/model_server.rs"]
mod model_server;
#[cfg(target_os = "linux")]
mod network;
mod program;
#[cfg(target_os = "linux")]
#[path = "../../../../tests/support/python.rs"]
mod python;
mod refused;
mod send;
#[path = "../../../../tests/support/server.rs"]
mod server;
#[cfg(target_os = "linux")]
mod store;
#[cfg(unix)]
mod tokens;
mod watch;
mod words;
