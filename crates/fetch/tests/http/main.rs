//! The fetcher against real servers on this machine. One program, so that the servers and the
//! made-up network in `support` are built once; no test leaves the machine.
#![allow(clippy::unwrap_used)]

mod address_rules;
mod ask;
mod pages;
mod support;
mod tls;
