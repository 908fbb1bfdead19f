//! How long to wait before the next try: exponential with full jitter (SPEC C2).

/// No delay is shorter than this, in milliseconds, unless the cap is.
pub const FLOOR_MS: u64 = 500;
/// The largest cap, in milliseconds: nobody waits longer than an hour without being asked.
pub const CAP_MAX_MS: u64 = 3_600_000;

/// Why settings for a [`Backoff`] are refused.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum BackoffError {
    /// Base or cap out of bounds.
    #[error(
        "a base of {base_ms} ms and a cap of {cap_ms} ms: 1 ≤ base ≤ cap ≤ {CAP_MAX_MS} is asked for"
    )]
    Bounds {
        /// As given.
        base_ms: u64,
        /// As given.
        cap_ms: u64,
    },
    /// Factor out of bounds.
    #[error("a factor of {0}: 1 to 10 is asked for")]
    Factor(f64),
}

/// Delays drawn from [[`FLOOR_MS`], min(cap, base · factorⁿ)] (the floor alone where that is shorter), n the number of tries that failed before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Backoff {
    base_ms: u64,
    factor: f64,
    cap_ms: u64,
}

impl Default for Backoff {
    /// Base 1 s, factor 2, cap 30 s.
    fn default() -> Self {
        Self {
            base_ms: 1_000,
            factor: 2.0,
            cap_ms: 30_000,
        }
    }
}

impl Backoff {
    /// From settings.
    ///
    /// # Errors
    /// [`BackoffError`] if a value is out of bounds.
    pub fn new(base_ms: u64, factor: f64, cap_ms: u64) -> Result<Self, BackoffError> {
        if !(1.0..=10.0).contains(&factor) {
            return Err(BackoffError::Factor(factor));
        }
        if base_ms == 0 || base_ms > cap_ms || cap_ms > CAP_MAX_MS {
            return Err(BackoffError::Bounds { base_ms, cap_ms });
        }
        Ok(Self {
            base_ms,
            factor,
            cap_ms,
        })
    }

    /// The longest delay, in milliseconds.
    pub fn cap_ms(&self) -> u64 {
        self.cap_ms
    }

    /// The delay in milliseconds after `failed` tries failed before this one; `draw` is any random number.
    pub fn delay(&self, failed: u32, draw: u64) -> u64 {
        let power = i32::try_from(failed).unwrap_or(i32::MAX);
        // Infinite for large powers, which the cap takes care of; `as` saturates.
        let grown = (self.base_ms as f64 * self.factor.powi(power)) as u64;
        let longest = grown.max(FLOOR_MS).min(self.cap_ms);
        let shortest = FLOOR_MS.min(longest);
        shortest + draw % (longest - shortest + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_to_the_cap_and_are_spread() {
        let backoff = Backoff::default();
        for (failed, longest) in [
            (0, 1_000),
            (1, 2_000),
            (4, 16_000),
            (5, 30_000),
            (6, 30_000),
            (u32::MAX, 30_000),
        ] {
            let span = longest - FLOOR_MS;
            assert_eq!(backoff.delay(failed, 0), FLOOR_MS, "{failed}");
            assert_eq!(backoff.delay(failed, span), longest, "{failed}");
            assert_eq!(backoff.delay(failed, span + 1), FLOOR_MS, "{failed}");
        }
        assert_eq!(backoff.cap_ms(), 30_000);
        // A base below the floor is the floor.
        let hasty = Backoff::new(50, 2.0, 30_000).unwrap();
        assert_eq!(
            (hasty.delay(0, 0), hasty.delay(0, 77)),
            (FLOOR_MS, FLOOR_MS)
        );
    }

    #[test]
    fn settings_are_checked() {
        assert!(Backoff::new(1, 1.0, CAP_MAX_MS).is_ok());
        // A cap below the floor is the delay.
        assert_eq!(Backoff::new(50, 2.0, 100).unwrap().delay(9, 77), 100);
        for (base, factor, cap) in [
            (0, 2.0, 30_000),
            (2_000, 2.0, 1_000),
            (1_000, 2.0, CAP_MAX_MS + 1),
            (1_000, 0.5, 30_000),
            (1_000, f64::NAN, 30_000),
            (1_000, 11.0, 30_000),
        ] {
            let error = Backoff::new(base, factor, cap).unwrap_err();
            assert!(error.to_string().contains("asked for"));
        }
    }

    proptest::proptest! {
        #[test]
        fn every_delay_is_within_bounds(base in 1..10_000u64, factor in 1.0..10.0f64, cap in 10_000..CAP_MAX_MS, failed: u32, draw: u64) {
            let delay = Backoff::new(base, factor, cap).unwrap().delay(failed, draw);
            proptest::prop_assert!(delay >= FLOOR_MS && delay <= cap);
        }
    }
}
