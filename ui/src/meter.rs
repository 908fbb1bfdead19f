//! How long the window is busy with what the core sends: a *measure* of the browser's User Timing for each round. Who
//! observes measures (`PerformanceObserver`) is told of each; none is kept, since a window may be open for weeks.
//!
//! And whether its frames are quick enough for motion, while there is any: [`moves`].

use crate::{
    dom,
    state::motion::{Motion, REST_MS},
};
use std::cell::RefCell;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

thread_local! {
    static MOTION: RefCell<Motion> = RefCell::default();
}

/// The class of the page while motion is off by itself.
const SLOW: &str = "gl-slow";

/// Something begins to move: its frames are watched, and what comes after does not move if they are too slow.
pub fn moves() {
    if dom::root_has("gl-still") {
        return;
    }
    let now = dom::monotonic_ms();
    let watch = MOTION.with_borrow_mut(|motion| motion.begins(now));
    if watch {
        dom::set_root(SLOW, false);
        dom::next_frame(frame);
    }
}

/// Whether motion is off by itself.
pub fn is_slow() -> bool {
    dom::root_has(SLOW)
}

fn frame() {
    let now = dom::monotonic_ms();
    let (more, off) = MOTION.with_borrow_mut(|motion| (motion.frame(now), motion.is_off(now)));
    if off {
        dom::set_root(SLOW, true);
        dom::after(REST_MS as i32, rested);
    }
    if more {
        dom::next_frame(frame);
    }
}

/// The rest is over, if no other has begun since.
fn rested() {
    let off = MOTION.with_borrow(|motion| motion.is_off(dom::monotonic_ms()));
    if !off {
        dom::set_root(SLOW, false);
    }
}

/// The measure's name.
const NAME: &str = "ghostlight-round";

/// Runs `work`, and measures it together with the drawing that it causes.
pub async fn round(work: impl FnOnce()) {
    let Some(performance) = dom::window().performance() else {
        return work();
    };
    // Measuring fails only where the browser knows no marks; then there is nothing to read either.
    let _ = performance.mark(NAME);
    work();
    // What was sent to components is drawn in the microtasks that wait already.
    let _ = JsFuture::from(js_sys::Promise::resolve(&JsValue::UNDEFINED)).await;
    let _ = performance.measure_with_start_mark(NAME, NAME);
    performance.clear_marks_with_mark_name(NAME);
    performance.clear_measures_with_measure_name(NAME);
}
