//! How long events take to come here (SPEC C9): counted by [`crate::feeds`] where they come in, kept on a feed's board.
//!
//! Nobody knows how two clocks differ, so nothing is corrected: where an event comes before it happened, that is shown.

use ghostlight_api::view::DelayView;
use ghostlight_model::Micros;

/// How long events took from when their source says that they happened until they were here, in microseconds: a
/// difference of two clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Delays {
    events: u64,
    sum_us: i64,
    least_us: i64,
}

impl Delays {
    /// Counts an event in.
    pub fn count(&mut self, happened: Micros, came: Micros) {
        let us = came.0.saturating_sub(happened.0);
        self.add(Self {
            events: 1,
            sum_us: us,
            least_us: us,
        });
    }

    /// Takes in others.
    pub fn add(&mut self, other: Self) {
        self.least_us = match (self.events, other.events) {
            (_, 0) => self.least_us,
            (0, _) => other.least_us,
            _ => self.least_us.min(other.least_us),
        };
        self.events = self.events.saturating_add(other.events);
        self.sum_us = self.sum_us.saturating_add(other.sum_us);
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.events == 0
    }

    /// What the window shows; `None` without any.
    pub fn view(&self) -> Option<DelayView> {
        (self.events > 0).then(|| DelayView {
            events: self.events,
            mean_ms: self.sum_us as f64 / self.events as f64 / 1_000.0,
            least_ms: self.least_us as f64 / 1_000.0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_is_of_all_and_the_least_shows_a_clock_that_is_ahead() {
        let mut all = Delays::default();
        assert_eq!(all.view(), None);
        all.add(Delays::default());
        assert!(all.is_empty());
        for (happened, came) in [(1_000, 3_000), (5_000, 9_000)] {
            let mut one = Delays::default();
            one.count(Micros(happened), Micros(came));
            all.add(one);
        }
        let seen = all.view().unwrap();
        assert_eq!((seen.events, seen.mean_ms, seen.least_ms), (2, 3.0, 2.0));
        all.count(Micros(20_000), Micros(8_000));
        let seen = all.view().unwrap();
        assert_eq!((seen.events, seen.mean_ms, seen.least_ms), (3, -2.0, -12.0));
        // Times of any source are numbers that it chose.
        all.count(Micros(i64::MIN), Micros(i64::MAX));
        all.count(Micros(i64::MAX), Micros(i64::MIN));
        assert_eq!(all.view().unwrap().events, 5);
    }
}
