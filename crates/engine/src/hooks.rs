//! Test hooks: per-step delays, so that a test can see each intermediate state, and waits that a test need not sit out.
//!
//! They exist only with the cargo feature `test-hooks`; a default build ignores `GHOSTLIGHT_TEST`.

use std::{collections::BTreeMap, time::Duration};

/// An absence shorter than this makes no digest, only a message.
const DIGEST_AFTER: Duration = Duration::from_secs(5);

/// How often what is held looks whether it may go on.
const HELD_LOOKS_EVERY: Duration = Duration::from_millis(2);

/// What a test may change. The default changes nothing.
#[derive(Debug, Clone)]
pub struct Hooks {
    delays: BTreeMap<String, Duration>,
    no_samples: bool,
    hold_exports: bool,
    hold_imports: bool,
    hold_archive: bool,
    digest_after: Duration,
}

impl Default for Hooks {
    fn default() -> Self {
        Self {
            delays: BTreeMap::new(),
            no_samples: false,
            hold_exports: false,
            hold_imports: false,
            hold_archive: false,
            digest_after: DIGEST_AFTER,
        }
    }
}

impl Hooks {
    /// Reads the value of `GHOSTLIGHT_TEST`, JSON such as
    /// `{"delay_ms": {"FETCH": 300, "field": 50}, "no_samples": true, "hold_exports": true, "hold_imports": true,
    /// "hold_archive": true, "digest_after_ms": 0}`.
    /// Without the feature it is ignored.
    pub fn from_env_value(value: Option<&str>) -> Self {
        if !cfg!(feature = "test-hooks") {
            return Self::default();
        }
        let json: serde_json::Value = value
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default();
        let delays = json["delay_ms"].as_object().into_iter().flatten();
        let delays = delays
            .filter_map(|(node, ms)| Some((node.clone(), Duration::from_millis(ms.as_u64()?))))
            .collect();
        let no_samples = json["no_samples"].as_bool().unwrap_or_default();
        let hold_exports = json["hold_exports"].as_bool().unwrap_or_default();
        let hold_imports = json["hold_imports"].as_bool().unwrap_or_default();
        let hold_archive = json["hold_archive"].as_bool().unwrap_or_default();
        let digest_after = json["digest_after_ms"].as_u64();
        Self {
            delays,
            no_samples,
            hold_exports,
            hold_imports,
            hold_archive,
            digest_after: digest_after.map_or(DIGEST_AFTER, Duration::from_millis),
        }
    }

    /// The same, with a digest of every absence that lasted so long.
    pub fn with_digest_after(self, digest_after: Duration) -> Self {
        Self {
            digest_after,
            ..self
        }
    }

    /// The same, with imports held as [`Hooks::hold_import`] says.
    pub fn with_held_imports(self) -> Self {
        Self {
            hold_imports: true,
            ..self
        }
    }

    /// An absence shorter than this makes no digest, only a message.
    pub fn digest_after(&self) -> Duration {
        self.digest_after
    }

    /// Whether a new data folder gets its sample postings.
    pub fn offers_samples(&self) -> bool {
        !self.no_samples
    }

    /// Holds the nth export of a session, if the test wants that, once n tenths of its rows are written, until it is
    /// cancelled; from the eleventh on none is held.
    pub fn hold_export(&self, nth: u64, (rows, total): (u64, u64), cancelled: impl Fn() -> bool) {
        while self.hold_exports && nth <= 10 && rows * 10 >= total * nth && !cancelled() {
            std::thread::sleep(HELD_LOOKS_EVERY);
        }
    }

    /// Holds the nth import of a session, if the test wants that, once n tenths of its pieces are taken, until it is
    /// cancelled; from the eleventh on none is held.
    pub fn hold_import(&self, nth: u64, (taken, total): (u64, u64), cancelled: impl Fn() -> bool) {
        while self.hold_imports && nth <= 10 && taken * 10 >= total * nth && !cancelled() {
            std::thread::sleep(HELD_LOOKS_EVERY);
        }
    }

    /// Holds what is archived or brought back at its first step, if the test wants that, until it is stopped.
    pub fn hold_archive(&self, stopped: impl Fn() -> bool) {
        while self.hold_archive && !stopped() {
            std::thread::sleep(HELD_LOOKS_EVERY);
        }
    }

    /// Waits as long as the test wants at `node`; `field` is each field event.
    pub fn pause(&self, node: &str) {
        if let Some(delay) = self.delays.get(node) {
            std::thread::sleep(*delay);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_build_ignores_the_hooks() {
        let hooks = Hooks::from_env_value(Some(
            r#"{"delay_ms": {"FETCH": 1}, "hold_exports": true, "hold_imports": true, "hold_archive": true, "digest_after_ms": 0}"#,
        ));
        let ignored = !cfg!(feature = "test-hooks");
        assert_eq!(hooks.delays.is_empty(), ignored);
        assert_eq!(
            (hooks.hold_exports, hooks.hold_imports, hooks.hold_archive),
            (!ignored, !ignored, !ignored)
        );
        assert_eq!(hooks.digest_after() == DIGEST_AFTER, ignored);
    }
}
