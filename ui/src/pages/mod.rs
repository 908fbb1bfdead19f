//! Pages: they compose components and name the views; they fetch nothing by hand.

pub mod exports;
pub mod outbox;
pub mod postings;
pub mod runs;
pub mod settings;
