//! Files that people take away: tables as CSV, JSON, JSONL and Markdown, and [`bundle`]s.
//!
//! Rows come page by page from a [`Source`], which the caller makes over its store, and go through [`table`] to a file
//! that is written aside ([`aside`]): an export that is cancelled or fails leaves nothing behind. What a cell looks
//! like is decided in [`cell`]. Memory is that of a page, whatever the number of rows.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod aside;
mod behind;
pub mod bundle;
pub mod cell;
mod csv_rows;
mod json_rows;
mod md_rows;
pub mod name;
pub mod table;

pub use aside::{FileError, Target};
pub use cell::{Cell, guard, needs_guard, unguard};
pub use table::{Cancel, Failed, Job, Look, Progress, Source, Style, Watch, Written, look, write};
