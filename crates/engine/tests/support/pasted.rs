//! An engine and postings pasted into it.

use ghostlight_engine::{Engine, Hooks, Host, Input};
use ghostlight_model::RunId;
use std::{path::Path, sync::Arc};

struct Quiet;
impl Host for Quiet {}

/// A posting that most fields are found in.
pub const LAMP_KEEPER: &str = "Lamp Keeper\nQuillmarsh Instruments\nLocation: Dublin, Ireland\n\
    Full-time, on site. Salary: €42,000 to €48,000 per year.\n\
    Responsibilities: trim the wicks, keep the log. Requirements: a steady hand. Apply by email.";

pub fn open(folder: &Path) -> Engine {
    Engine::open(folder, Arc::new(Quiet), Hooks::default()).unwrap()
}

/// Waits for the run's end.
pub fn analyze(engine: &Engine, text: &str) -> RunId {
    let input = Input::Text {
        name: "pasted".into(),
        bytes: text.as_bytes().to_vec(),
    };
    engine.analyze(input, &mut |_| {}).unwrap().remove(0)
}
