//! The error screen: when the window itself has a fault, it says so and offers to reload (SPEC L3).
//!
//! The screen stands in `index.html`, hidden, because after a panic nothing of ours can draw;
//! `boot.js` gives its button something to do, and shows it when an exception went through the program.

use crate::dom;

/// Shows the error screen at a panic.
pub fn show_panics() {
    // Yew would set a hook of its own, which only writes to the console.
    yew::set_custom_panic_hook(Box::new(|info| {
        let what = info.to_string();
        web_sys::console::error_1(&what.as_str().into());
        show(&what);
    }));
}

fn show(what: &str) {
    let document = dom::document();
    let screen = document.get_element_by_id("fault");
    // What is said already came first: the rest follows from it.
    let Some(screen) = screen.filter(|screen| screen.has_attribute("hidden")) else {
        return;
    };
    if let Some(details) = document.get_element_by_id("fault-details") {
        details.set_text_content(Some(what));
    }
    let _ = screen.remove_attribute("hidden");
    dom::focus_id("fault-reload");
}
