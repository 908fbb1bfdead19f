//! Text in, observations out: structured data, patterns and signals.
//!
//! Bytes become [`Document`]s ([`document::open`], one for each posting in the input); a document
//! gives observations by structure ([`Document::extract`]) and by patterns ([`Document::detect`]),
//! each handed to a sink the moment it is known; [`mod@ask`] reads what a model answers to the rest;
//! [`judge`] says whether this is a posting at all; [`signals`] says what speaks for or against it.
//! Nothing here does I/O or reads a clock, and no input makes it panic.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod ask;
mod ats;
mod decode;
pub mod document;
mod entities;
mod html;
mod json;
pub mod judge;
pub mod keys;
mod not_readable;
pub mod patterns;
mod phrases;
mod place;
pub mod signals;
mod structured;
mod text;
mod vocab;

pub use document::{Document, Format, RawInput, open};
pub use not_readable::NotReadable;
