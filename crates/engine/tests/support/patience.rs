//! Waiting for what happens on other threads.

use std::{
    thread,
    time::{Duration, Instant},
};

/// Longer than anything in these tests takes; what takes longer hangs.
pub const LIMIT: Duration = Duration::from_secs(60);

/// Looks until something is there.
pub fn wait_for<T>(what: &str, look: impl Fn() -> Option<T>) -> T {
    let begun = Instant::now();
    while begun.elapsed() < LIMIT {
        if let Some(found) = look() {
            return found;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("waited for {what}");
}
