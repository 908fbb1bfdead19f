//! Test hooks: per-step delays, so that a test can see each intermediate state.
//!
//! They exist only with the cargo feature `test-hooks`; a default build ignores `GHOSTLIGHT_TEST`.

use std::{collections::BTreeMap, time::Duration};

/// What a test may change. The default changes nothing.
#[derive(Debug, Clone, Default)]
pub struct Hooks {
    delays: BTreeMap<String, Duration>,
    no_samples: bool,
}

impl Hooks {
    /// Reads the value of `GHOSTLIGHT_TEST`, JSON such as
    /// `{"delay_ms": {"FETCH": 300, "field": 50}, "no_samples": true}`. Without the feature it is
    /// ignored.
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
        Self { delays, no_samples }
    }

    /// Whether a new data folder gets its sample postings.
    pub fn offers_samples(&self) -> bool {
        !self.no_samples
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
        let hooks = Hooks::from_env_value(Some(r#"{"delay_ms": {"FETCH": 1}}"#));
        assert_eq!(hooks.delays.is_empty(), !cfg!(feature = "test-hooks"));
    }
}
