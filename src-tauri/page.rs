//! The page inside the window, when the process that draws it dies (SPEC L3).
//!
//! A web view draws its page in a process of its own. When that crashes or is ended from outside, the window stays,
//! blank: [`died`] loads the page again, which then tells what happened and shows what was shown. A page that keeps
//! dying is not loaded for ever: a dialog of the system asks. The core and its runs never notice.
//!
//! Only on Linux, by a signal of WebKitGTK: on macOS Tauri loads the page again by itself, and says nothing.

use crate::{Core, window::MAIN};
use ghostlight_api::view::Notice;
use std::{
    cell::RefCell,
    collections::VecDeque,
    time::{Duration, Instant},
};
use tauri::{AppHandle, Manager, Runtime};
use tauri_plugin_dialog::{DialogExt, MessageDialogButtons, MessageDialogKind};
use webkit2gtk::{WebProcessTerminationReason, WebViewExt};

/// So many deaths within [`DEATHS_WITHIN`] are no accident: with the last of them the person is asked.
const DEATHS_MAX: usize = 3;
/// See [`DEATHS_MAX`].
const DEATHS_WITHIN: Duration = Duration::from_secs(60);

/// What to do after a death.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    /// Load the page again.
    Reload,
    /// Ask first.
    Ask,
}

/// When the process died lately.
#[derive(Debug, Default)]
struct Times(VecDeque<Instant>);

impl Times {
    fn died(&mut self, now: Instant) -> Then {
        let is_old = |at: &Instant| now.saturating_duration_since(*at) >= DEATHS_WITHIN;
        while self.0.front().is_some_and(is_old) {
            self.0.pop_front();
        }
        self.0.push_back(now);
        if self.0.len() < DEATHS_MAX {
            return Then::Reload;
        }
        // Whoever is asked and says yes begins anew.
        self.0.clear();
        Then::Ask
    }
}

/// Watches the process of the window's page from now on.
pub(crate) fn watch<R: Runtime>(app: &AppHandle<R>) {
    let deaths = RefCell::<Times>::default();
    let Some(window) = app.get_webview_window(MAIN) else {
        return;
    };
    let app = app.clone();
    let watched = window.with_webview(move |webview| {
        webview
            .inner()
            .connect_web_process_terminated(move |_, reason| {
                if reason != WebProcessTerminationReason::TerminatedByApi {
                    let then = deaths.borrow_mut().died(Instant::now());
                    died(&app, then);
                }
            });
    });
    if let Err(error) = watched {
        eprintln!("ghostlight-desktop: the page's process cannot be watched: {error}");
    }
}

/// The page's process is gone, and with it all that was not saved or kept.
fn died<R: Runtime>(app: &AppHandle<R>, then: Then) {
    eprintln!("ghostlight-desktop: the process that draws the window's page died");
    match then {
        Then::Reload => reload(app),
        Then::Ask => ask(app),
    }
}

fn reload<R: Runtime>(app: &AppHandle<R>) {
    // As long as the engine is being opened nothing was shown or typed.
    if let Some(engine) = app.state::<Core>().opened() {
        engine.tell_next_page(loaded_again());
    }
    let Some(window) = app.get_webview_window(MAIN) else {
        // It is being closed.
        return;
    };
    if let Err(error) = window.reload() {
        eprintln!("ghostlight-desktop: the page could not be loaded again: {error}");
        ask(app);
    }
}

fn loaded_again() -> Notice {
    Notice {
        // Stays until it is dismissed: nobody may have looked.
        kind: "error".into(),
        title: "The window's page stopped and was loaded again".into(),
        body: "What was saved is unchanged, and runs went on. What you were typing into a field was kept as a draft, \
               up to the last second. If this happens often, update the system's web view, or report it."
            .into(),
    }
}

/// The window cannot say anything any more, so the system does.
fn ask<R: Runtime>(app: &AppHandle<R>) {
    let asked = app.clone();
    let buttons = MessageDialogButtons::OkCancelCustom("Reload".into(), "Close Ghostlight".into());
    let words = format!(
        "The window's page stopped {DEATHS_MAX} times within {} seconds, so it is not loaded again by itself. What was \
         saved is unchanged, and runs go on.\n\nReload the page. If it stops again, close Ghostlight, update the \
         system's web view, and use `ghostlight` on the command line meanwhile.",
        DEATHS_WITHIN.as_secs()
    );
    let dialog = app.dialog().message(words);
    let dialog = match app.get_webview_window(MAIN) {
        Some(window) => dialog.parent(&window),
        None => dialog,
    };
    dialog
        .title("Ghostlight's page stopped")
        .kind(MessageDialogKind::Error)
        .buttons(buttons)
        .show(move |again| match again {
            true => reload(&asked),
            false => asked.exit(0),
        });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_keeps_dying_is_not_loaded_for_ever() {
        let begun = Instant::now();
        let at = |s: u64| begun + Duration::from_secs(s);
        let mut times = Times::default();
        // The third within a minute is asked about; then it begins anew.
        let seen = [0, 20, 59, 60, 70, 80].map(|s| times.died(at(s)));
        use Then::{Ask, Reload};
        assert_eq!(seen, [Reload, Reload, Ask, Reload, Reload, Ask]);
        // Rare deaths are never asked about, however many.
        let seen = (3..1_000).map(|n| times.died(at(n * 30)));
        assert!(seen.into_iter().all(|then| then == Reload));
        assert!(times.0.len() < DEATHS_MAX);
    }
}
