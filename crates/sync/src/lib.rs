//! Pure machines that keep a feed complete; no I/O, no clock, no randomness, so they also build for wasm.
//!
//! Each machine takes an input at a time and returns actions for its driver, in the order to do them:
//!
//! | machine | side | what it decides |
//! |---|---|---|
//! | [`connection::Connection`] | client | when to open, with which transport, when to give up, ping, fall back |
//! | [`reception::Receiver`] | client | which event is new, late, early or missing, and how to get it |
//! | [`outbox::Outbox`] | client | what to publish next, and what waits for a person |
//! | [`session::Session`] | server | what one connection is sent, at the pace it reads |
//!
//! They speak the frames of [`frame`] (`ghostlight.v1`). Time comes in as [`Millis`], random draws as a `u64`.
//! `tests/sim.rs` drives all of them against a hostile network from one seed.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod backoff;
pub mod connection;
pub mod frame;
pub mod names;
pub mod outbox;
pub mod reception;
pub mod session;
mod time;

pub use time::Millis;
