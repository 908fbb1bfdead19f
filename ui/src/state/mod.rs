//! The window's logic without a window: plain functions over plain data, tested on the host.

pub mod card;
pub mod edit;
pub mod export;
pub mod format;
pub mod monitor;
pub mod replay;
pub mod rows;
pub mod shortcuts;
pub mod spans;
pub mod suggest;
pub mod views;
pub mod wrap;
