//! Whether a silent run is quiet, stalled or dead (SPEC D6), from how long its node usually takes.
//!
//! Silence is counted from when events came here. The times in them are by their source's clock, which may be minutes away
//! from ours, in either direction.

use crate::time::Micros;
use serde::{Deserialize, Serialize};

/// Durations of a node without which nothing is concluded.
pub const HISTORY_MIN: usize = 20;
/// Durations of a node that are remembered, the latest.
pub const HISTORY_MAX: usize = 200;

/// What is known of a run that has not ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pulse {
    /// The node under way; `None` between two nodes.
    pub node: Option<String>,
    /// When the run's latest event came here, by our clock.
    pub last: Micros,
    /// Durations remembered of that node.
    pub durations: u32,
    /// The 99th percentile of them, in milliseconds, where there are [`HISTORY_MIN`].
    pub p99_ms: Option<f64>,
    /// Since when the source gives no sign of life, if it does not.
    pub lost: Option<Micros>,
}

/// How a run that has not ended stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Liveness {
    /// Silent no longer than the node usually takes.
    Quiet,
    /// Silent for longer, while its source is alive.
    Stalled,
    /// The source gives no sign of life.
    Dead,
    /// The node was seen too seldom to say.
    NotEnoughHistory,
    /// No node is under way, and the source did not say that the run ended.
    Between,
}

impl Pulse {
    /// How the run stands at `now`, and since when.
    pub fn at(&self, now: Micros) -> (Liveness, Micros) {
        if let Some(lost) = self.lost {
            return (Liveness::Dead, lost);
        }
        if self.node.is_none() {
            return (Liveness::Between, self.last);
        }
        let Some(p99_ms) = self.p99_ms else {
            return (Liveness::NotEnoughHistory, self.last);
        };
        let usual = Micros(self.last.0.saturating_add((p99_ms * 1_000.0) as i64));
        match now > usual {
            true => (Liveness::Stalled, usual),
            false => (Liveness::Quiet, self.last),
        }
    }
}

/// The 99th percentile of `durations` by nearest rank (Hyndman and Fan 1996, type 1); `None` below [`HISTORY_MIN`].
pub fn p99(durations: &[f64]) -> Option<f64> {
    if durations.len() < HISTORY_MIN {
        return None;
    }
    let mut sorted = durations.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (sorted.len() * 99).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_judged_by_the_nodes_own_history() {
        let second = 1_000_000;
        let pulse = |node: Option<&str>, p99_ms, lost| Pulse {
            node: node.map(str::to_owned),
            last: Micros(10 * second),
            durations: 0,
            p99_ms,
            lost,
        };
        let usual = pulse(Some("LOAD"), Some(2_500.0), None);
        for (pulse, now, stands, since) in [
            (&usual, 12, Liveness::Quiet, 10.0),
            (&usual, 13, Liveness::Stalled, 12.5),
            // Our clock was set back.
            (&usual, 3, Liveness::Quiet, 10.0),
            (
                &pulse(Some("LOAD"), None, None),
                900,
                Liveness::NotEnoughHistory,
                10.0,
            ),
            (&pulse(None, Some(1.0), None), 900, Liveness::Between, 10.0),
            (
                &pulse(None, Some(1.0), Some(Micros(7 * second))),
                900,
                Liveness::Dead,
                7.0,
            ),
        ] {
            let since = Micros((since * second as f64) as i64);
            assert_eq!(pulse.at(Micros(now * second)), (stands, since), "{now}");
        }
    }

    #[test]
    fn a_percentile_needs_a_history() {
        let durations: Vec<f64> = (1..=200).rev().map(f64::from).collect();
        assert_eq!(p99(&durations[..19]), None);
        assert_eq!(p99(&durations), Some(198.0));
        assert_eq!(p99(&durations[..20]), Some(200.0));
    }
}
