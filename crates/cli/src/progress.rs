//! A bar on a terminal, and work that a signal stops.

use crate::{
    hub::Signals,
    output::{Exit, fail},
};
use ghostlight_engine::export::Cancel;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{
    io::{self, IsTerminal},
    thread,
};

/// A bar on a terminal, if it is to be `shown`; nothing in a pipe.
pub(crate) fn bar(shown: bool, template: &str) -> ProgressBar {
    let target = match shown && io::stderr().is_terminal() {
        true => ProgressDrawTarget::stderr(),
        false => ProgressDrawTarget::hidden(),
    };
    let bar = ProgressBar::with_draw_target(None, target);
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}

/// Does `work` beside a bar, and asks it to stop on SIGINT and SIGTERM.
pub(crate) fn stoppable<T>(
    signals: Signals,
    bar: &ProgressBar,
    work: impl FnOnce(&Cancel) -> T,
) -> Result<T, Exit> {
    let cancel = Cancel::default();
    let asked = cancel.clone();
    let wait = move || {
        signals.wait();
        asked.cancel();
    };
    let waiting = thread::Builder::new().name("stop".into()).spawn(wait);
    waiting.map_err(|e| fail(Exit::Usage, &format!("cannot wait for signals: {e}"), None))?;
    let done = work(&cancel);
    bar.finish_and_clear();
    Ok(done)
}
