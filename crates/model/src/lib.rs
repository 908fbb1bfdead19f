//! Domain types, validation rules and reducers of Ghostlight.
//!
//! Nothing here reads a clock, draws a random number or does I/O, so the same rules run in the
//! desktop core, the hub and the browser engine. Start at [`observation`] (what was seen),
//! [`event`] (what happened), [`commit`] (what was decided) and [`card`] (what that amounts to).
//!
//! Types that reach the disk or a wire say so above their definition; changing one changes the
//! snapshots in `tests/`.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod assess;
pub mod bundle;
pub mod card;
pub mod commit;
pub mod event;
pub mod export;
pub mod foreign;
pub mod fuse;
pub mod fuzzy;
pub mod history;
pub mod ids;
pub mod keys;
pub mod liveness;
pub mod message;
pub mod observation;
pub mod receipt;
pub mod replay;
pub mod rules;
pub mod run;
mod sentence;
pub mod suggest;
pub mod system;
pub mod time;
pub mod typed;
pub mod value;

pub use assess::{Assessment, Direction, Family, Level, Signal, Strength};
pub use event::{EventBody, Issue, Phase, Severity, Step};
pub use ids::{
    CaptureId, CommitId, ContentHash, Epoch, ObservationId, Offset, PostingId, RunId, StreamId,
};
pub use observation::{Confidence, Evidence, Layer, Method, Observation, Source};
pub use sentence::sentence;
pub use time::{Day, Micros};
pub use value::{Amount, FieldKey, FieldValue, Period, Place, Salary};
