//! The error screen: when the window itself has a fault, it says so and offers to reload (SPEC L3).
//!
//! The screen stands in `index.html`, hidden, because after a panic nothing of ours can draw;
//! `boot.js` gives its button something to do.

use crate::dom;

/// Shows the error screen at a panic.
pub fn show_panics() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        before(info);
        show(&info.to_string());
    }));
}

fn show(what: &str) {
    let document = dom::document();
    if let Some(details) = document.get_element_by_id("fault-details") {
        details.set_text_content(Some(what));
    }
    if let Some(screen) = document.get_element_by_id("fault") {
        let _ = screen.remove_attribute("hidden");
    }
    dom::focus_id("fault-reload");
}
