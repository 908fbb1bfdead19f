//! The window's logic without a window: plain functions over plain data, tested on the host.

pub mod biography;
pub mod calendar;
pub mod card;
pub mod command_bar;
pub mod commands;
pub mod compare;
pub mod diff;
pub mod digest;
pub mod edit;
pub mod export;
pub mod format;
pub mod keys;
pub mod merge;
pub mod model;
pub mod monitor;
pub mod motion;
pub mod new_field;
pub mod replay;
pub mod rows;
pub mod spans;
pub mod storage;
pub mod suggest;
pub mod timeline;
pub mod toasts;
pub mod views;
pub mod wrap;
