//! Test hooks are not in the program that people get.

use crate::program::{Ghostlight, fixture};
use std::time::{Duration, Instant};

/// Far less than the delay asked for, far more than an analysis takes.
const AT_ONCE: Duration = Duration::from_secs(15);

#[test]
fn a_default_build_ignores_the_hooks() {
    let ghostlight = Ghostlight::new();
    let hooks = r#"{"delay_ms": {"SCORE": 30000}}"#;
    let mut command = ghostlight.command(&["analyze", &fixture("full.html"), "--json"]);
    command.env("GHOSTLIGHT_TEST", hooks);
    let begun = Instant::now();
    let done = crate::program::finish(command, |_| Ok(()));
    assert_eq!(done.code, 0, "{done:?}");
    assert!(
        begun.elapsed() < AT_ONCE,
        "this program obeys GHOSTLIGHT_TEST: it was built with the feature test-hooks, which must not be on in a \
         default build (in a build of the whole workspace, do not ask for ghostlight-desktop/test-hooks)"
    );
}
