//! How long the window is busy with what the core sends: a *measure* of the browser's User Timing for each round. Who
//! observes measures (`PerformanceObserver`) is told of each; none is kept, since a window may be open for weeks.

use crate::dom;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

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
