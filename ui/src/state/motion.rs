//! Motion that turns itself off where the machine is too slow for it (SPEC B4): frames are told while something moves, and
//! where they stay over budget nothing moves for a while.

use std::collections::VecDeque;

/// A frame that takes longer, in milliseconds, is over budget: with fewer than 30 a second nothing glides.
pub const BUDGET_MS: f64 = 34.0;
/// So many frames are looked at, the latest.
pub const FRAMES: usize = 20;
/// So many of them over budget turn motion off.
pub const OVER_MAX: usize = 15;
/// For so long, in milliseconds; then it is tried again.
pub const REST_MS: f64 = 60_000.0;
/// How long a motion takes at most, in milliseconds; `app.css` says the same.
pub const MOTION_MS: f64 = 600.0;
/// After a longer frame, in milliseconds, the window was hidden or the computer asleep: that says nothing.
const ASLEEP_MS: f64 = 1_000.0;

/// Whether things move. Times are milliseconds of one clock that never goes back.
#[derive(Debug, Default)]
pub struct Motion {
    /// Until when something moves.
    until: f64,
    /// Whether frames are being told.
    watching: bool,
    /// The frame before.
    last: Option<f64>,
    /// Of the latest frames, at most [`FRAMES`], whether each was over budget.
    over: VecDeque<bool>,
    /// Until when nothing moves.
    rests_until: Option<f64>,
}

impl Motion {
    /// Something begins to move. Says whether frames are to be told from now on: they were not, and motion is on.
    pub fn begins(&mut self, now: f64) -> bool {
        if self.is_off(now) {
            return false;
        }
        if self.rests_until.take().is_some() {
            self.over.clear();
        }
        self.until = now + MOTION_MS;
        !std::mem::replace(&mut self.watching, true)
    }

    /// A frame is drawn. Says whether the next one is to be told too.
    pub fn frame(&mut self, now: f64) -> bool {
        match self.last.replace(now).map(|last| now - last) {
            Some(took) if took > ASLEEP_MS => self.over.clear(),
            Some(took) => {
                self.over.push_back(took > BUDGET_MS);
                if self.over.len() > FRAMES {
                    self.over.pop_front();
                }
            }
            None => {}
        }
        let over = self.over.iter().filter(|over| **over).count();
        if over >= OVER_MAX {
            self.rests_until = Some(now + REST_MS);
        }
        self.watching = over < OVER_MAX && now < self.until;
        if !self.watching {
            self.last = None;
        }
        self.watching
    }

    /// Whether nothing moves for now.
    pub fn is_off(&self, now: f64) -> bool {
        self.rests_until.is_some_and(|until| now < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values come all the time, and each frame takes so long: after how many of them motion is off.
    fn off_after(frames: impl Iterator<Item = f64>) -> Option<usize> {
        let mut motion = Motion::default();
        let mut now = 5.0;
        motion.begins(now);
        motion.frame(now);
        for (count, took) in frames.enumerate() {
            now += took;
            motion.begins(now);
            motion.frame(now);
            if motion.is_off(now) {
                return Some(count + 1);
            }
        }
        None
    }

    #[test]
    fn frames_that_stay_over_budget_turn_motion_off() {
        let each = |took: f64| std::iter::repeat_n(took, 500);
        assert_eq!(off_after(each(16.7)), None);
        assert_eq!(off_after(each(33.4)), None, "a display of 30 Hz");
        assert_eq!(off_after(each(50.0)), Some(OVER_MAX));
        // Now and then a long one, as any program has.
        let sometimes = (0..500).map(|n| if n % 3 == 0 { 90.0 } else { 16.7 });
        assert_eq!(off_after(sometimes), None);
        // Hidden in between, a window draws a frame a second or none.
        let hidden = (0..500).map(|n| if n % 10 == 0 { 5_000.0 } else { 50.0 });
        assert_eq!(off_after(hidden), None);
    }

    #[test]
    fn frames_are_told_while_something_moves_and_no_longer() {
        let mut motion = Motion::default();
        assert!(motion.begins(0.0));
        assert!(!motion.begins(10.0), "they are told already");
        assert!(motion.frame(16.0));
        assert!(motion.frame(600.0), "the second value moves still");
        assert!(!motion.frame(620.0));
        // What passes until the next value is no frame.
        assert!(motion.begins(900.0));
        for n in 1..=30 {
            motion.frame(900.0 + 16.0 * f64::from(n));
        }
        assert!(!motion.is_off(2_000.0));
    }

    #[test]
    fn after_a_rest_it_is_tried_again() {
        let mut motion = Motion::default();
        let mut now = 0.0;
        motion.begins(now);
        while !motion.is_off(now) {
            now += 60.0;
            motion.begins(now);
            motion.frame(now);
        }
        assert!(!motion.begins(now + REST_MS - 1.0));
        now += REST_MS;
        assert!(!motion.is_off(now));
        assert!(motion.begins(now), "frames are told again");
        // What was before the rest does not count.
        motion.frame(now);
        assert!(motion.frame(now + 50.0));
        assert!(!motion.is_off(now + 50.0));
    }
}
