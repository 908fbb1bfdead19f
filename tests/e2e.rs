//! End to end, through the real window: what a person would see, found by roles and accessible names.
//!
//! The path source → event → store → reducer → card, as one: a page is dropped, opened, pasted or fetched, and the
//! card must say what stands in `tests/fixtures/README.md`. Runs with `cargo xtask test`, which brings the display.
//! See `support` for how the window is driven, [`desk`] for what the tests look at.

// WebKit's driver exists on Linux only.
#![cfg(target_os = "linux")]

mod support;

#[path = "e2e/archive.rs"]
mod archive;
#[path = "e2e/away.rs"]
mod away;
#[path = "e2e/biography.rs"]
mod biography;
#[path = "e2e/calendar.rs"]
mod calendar;
#[path = "e2e/card.rs"]
mod card;
#[path = "e2e/command_bar.rs"]
mod command_bar;
#[path = "e2e/comparing.rs"]
mod comparing;
#[path = "e2e/conflicts.rs"]
mod conflicts;
#[path = "e2e/crowded.rs"]
mod crowded;
#[path = "e2e/desk.rs"]
mod desk;
#[path = "e2e/edit.rs"]
mod edit;
#[path = "e2e/evidence.rs"]
mod evidence;
#[path = "e2e/exports.rs"]
mod exports;
#[path = "e2e/handed.rs"]
mod handed;
#[path = "e2e/imports.rs"]
mod imports;
#[path = "e2e/inputs.rs"]
mod inputs;
#[path = "e2e/kept.rs"]
mod kept;
#[path = "e2e/keys.rs"]
mod keys;
#[path = "e2e/live.rs"]
mod live;
#[path = "e2e/long.rs"]
mod long;
#[path = "e2e/look.rs"]
mod look;
#[path = "e2e/merges.rs"]
mod merges;
#[path = "e2e/model.rs"]
mod model;
#[path = "support/model_server.rs"]
mod model_server;
#[path = "e2e/monitor.rs"]
mod monitor;
#[path = "e2e/motion.rs"]
mod motion;
#[path = "e2e/notify.rs"]
mod notify;
#[path = "e2e/page.rs"]
mod page;
#[path = "e2e/refused.rs"]
mod refused;
#[path = "e2e/replay.rs"]
mod replay;
#[path = "e2e/send.rs"]
mod send;
#[path = "e2e/serving.rs"]
mod serving;
#[path = "e2e/suggest.rs"]
mod suggest;
#[path = "e2e/switched_off.rs"]
mod switched_off;
#[path = "e2e/timeline.rs"]
mod timeline;
#[path = "e2e/unsaved.rs"]
mod unsaved;
