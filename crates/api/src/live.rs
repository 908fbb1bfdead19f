//! What is set of live features as a whole: whether there are any, how long a feed waits between two tries, and how much
//! of a log is held while its end is followed (SPEC C2, C13, D3).
//!
//! A person sets these in [`Preferences`](crate::command::Preferences); what the environment says ([`Environment`]) goes
//! before it, for as long as the process lives.

use crate::view::ROWS_MAX;
use serde::{Deserialize, Serialize};

/// The shortest wait between two tries that a person can set, in ms: the floor of SPEC C2.
pub const RECONNECT_MS_MIN: u32 = 500;
/// The longest, in ms: an hour.
pub const RECONNECT_MS_MAX: u32 = 3_600_000;
/// By how much the waits may grow from one try to the next.
pub const RECONNECT_FACTOR_MAX: f64 = 10.0;

/// The fewest rows of a log that are held while its end is followed; the most are [`ROWS_MAX`].
pub const LOG_ROWS_MIN: u32 = 50;

/// How long a feed waits before it tries again: a random time between [`RECONNECT_MS_MIN`] and base · factorⁿ, but no
/// longer than the cap; n is how many tries failed before the last one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Reconnecting {
    /// The longest first wait, in ms.
    pub base_ms: u32,
    /// By how much each further one may be longer.
    pub factor: f64,
    /// The longest of all, in ms.
    pub cap_ms: u32,
}

impl Default for Reconnecting {
    fn default() -> Self {
        Self {
            base_ms: 1_000,
            factor: 2.0,
            cap_ms: 30_000,
        }
    }
}

impl Reconnecting {
    /// Whether they can be used.
    ///
    /// # Errors
    /// What is wrong, in a sentence.
    pub fn check(&self) -> Result<(), String> {
        let allowed = RECONNECT_MS_MIN..=RECONNECT_MS_MAX;
        if !allowed.contains(&self.base_ms) || !allowed.contains(&self.cap_ms) {
            return Err("A wait is 0.5 to 3,600 seconds.".into());
        }
        if self.base_ms > self.cap_ms {
            return Err("The first wait cannot be longer than the longest.".into());
        }
        // Also what is no number.
        if !(1.0..=RECONNECT_FACTOR_MAX).contains(&self.factor) {
            return Err("Each wait is 1 to 10 times as long as the one before.".into());
        }
        Ok(())
    }
}

/// What the environment says of live features; `None` leaves it to the settings.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Environment {
    /// `GHOSTLIGHT_LIVE`: whether there are any.
    pub live: Option<bool>,
    /// `GHOSTLIGHT_RECONNECT_DELAY_MS`: [`Reconnecting::base_ms`].
    pub base_ms: Option<u32>,
    /// `GHOSTLIGHT_RECONNECT_FACTOR`: [`Reconnecting::factor`].
    pub factor: Option<f64>,
    /// `GHOSTLIGHT_MAX_RECONNECT_DELAY_MS`: [`Reconnecting::cap_ms`], also below [`RECONNECT_MS_MIN`].
    pub cap_ms: Option<u32>,
    /// `GHOSTLIGHT_EVENT_HISTORY_LIMIT`: [`log_rows`](crate::command::Preferences::log_rows), where beyond its bounds
    /// counts as the nearer end; for `watch` how many of the stored events it shows again.
    pub history: Option<u32>,
}

impl Environment {
    /// The waits that count.
    pub fn reconnecting(&self, set: Reconnecting) -> Reconnecting {
        // Preferences are checked before they are stored; what somebody else put there counts as nothing.
        let set = set
            .check()
            .map_or_else(|_| Reconnecting::default(), |()| set);
        let cap_ms = self.cap_ms.unwrap_or(set.cap_ms);
        Reconnecting {
            // No wait is longer than the cap, whichever of the two the environment names.
            base_ms: self.base_ms.unwrap_or(set.base_ms).min(cap_ms),
            factor: self.factor.unwrap_or(set.factor),
            cap_ms,
        }
    }

    /// How many rows of a log are held while its end is followed.
    pub fn log_rows(&self, set: u16) -> u32 {
        let rows = self.history.unwrap_or_else(|| set.into());
        rows.clamp(LOG_ROWS_MIN, ROWS_MAX)
    }

    /// Whether live features are on, and who says so if they are not.
    pub fn live(&self, set_off: bool) -> LiveSwitch {
        match (self.live, set_off) {
            (Some(false), _) => LiveSwitch::OffByEnvironment,
            (None, true) => LiveSwitch::Off,
            (Some(true), _) | (None, false) => LiveSwitch::On,
        }
    }
}

/// Whether live features are on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LiveSwitch {
    /// The feeds that are switched on are followed.
    #[default]
    On,
    /// A person switched all of them off in the settings.
    Off,
    /// The environment does.
    OffByEnvironment,
}

#[cfg(test)]
mod tests {
    use super::*;

    const USUAL: Reconnecting = Reconnecting {
        base_ms: 1_000,
        factor: 2.0,
        cap_ms: 30_000,
    };

    #[test]
    fn waits_are_checked_with_a_sentence() {
        for (base_ms, factor, cap_ms, wrong) in [
            (1_000, 2.0, 30_000, None),
            (500, 1.0, 500, None),
            (3_600_000, 10.0, 3_600_000, None),
            (499, 2.0, 30_000, Some("0.5 to 3,600")),
            (1_000, 2.0, 3_600_001, Some("0.5 to 3,600")),
            (2_000, 2.0, 1_999, Some("first wait")),
            (1_000, 0.99, 30_000, Some("1 to 10 times")),
            (1_000, 10.1, 30_000, Some("1 to 10 times")),
            (1_000, f64::NAN, 30_000, Some("1 to 10 times")),
        ] {
            let waits = Reconnecting {
                base_ms,
                factor,
                cap_ms,
            };
            match (waits.check(), wrong) {
                (Ok(()), None) => {}
                (Err(sentence), Some(part)) if sentence.contains(part) => {
                    assert!(sentence.ends_with('.'), "{sentence}");
                }
                (other, _) => panic!("{waits:?}: {other:?}"),
            }
        }
    }

    #[test]
    fn the_environment_goes_before_the_settings() {
        assert_eq!(Environment::default().reconnecting(USUAL), USUAL);
        let set = Reconnecting {
            base_ms: 2_000,
            factor: 3.0,
            cap_ms: 9_000,
        };
        let cap = Environment {
            cap_ms: Some(5),
            ..Environment::default()
        };
        let both = cap.reconnecting(set);
        assert_eq!((both.base_ms, both.factor, both.cap_ms), (5, 3.0, 5));
        let rest = Environment {
            base_ms: Some(100),
            factor: Some(1.5),
            ..Environment::default()
        };
        let both = rest.reconnecting(set);
        assert_eq!((both.base_ms, both.factor, both.cap_ms), (100, 1.5, 9_000));
        let damaged = Reconnecting { base_ms: 0, ..set };
        assert_eq!(Environment::default().reconnecting(damaged), USUAL);
    }

    #[test]
    fn the_rows_of_a_log_stay_within_bounds() {
        for (history, set, rows) in [
            (None, 100, 100),
            (None, 0, LOG_ROWS_MIN),
            (None, u16::MAX, ROWS_MAX),
            (Some(250), 100, 250),
            (Some(1), 100, LOG_ROWS_MIN),
            (Some(1_000_000), 100, ROWS_MAX),
        ] {
            let environment = Environment {
                history,
                ..Environment::default()
            };
            assert_eq!(environment.log_rows(set), rows, "{history:?} {set}");
        }
    }

    #[test]
    fn whoever_switches_live_features_off_is_named() {
        for (live, set_off, expected) in [
            (None, false, LiveSwitch::On),
            (None, true, LiveSwitch::Off),
            (Some(true), true, LiveSwitch::On),
            (Some(false), false, LiveSwitch::OffByEnvironment),
            (Some(false), true, LiveSwitch::OffByEnvironment),
        ] {
            let environment = Environment {
                live,
                ..Environment::default()
            };
            assert_eq!(environment.live(set_off), expected, "{live:?} {set_off}");
        }
    }
}
