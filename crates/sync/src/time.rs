//! Monotonic time as the machines see it.

/// Milliseconds of a monotonic clock of the driver's choosing; only differences mean anything.
///
/// The clock may jump forward (a suspended machine), never back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Millis(pub u64);

impl Millis {
    /// `ms` later; stays at the end of time instead of overflowing.
    pub fn plus(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds since `earlier`, 0 if that is in the future.
    pub fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Millis;

    #[test]
    fn time_neither_overflows_nor_runs_back() {
        assert_eq!(Millis(u64::MAX).plus(1), Millis(u64::MAX));
        assert_eq!(Millis(5).plus(7), Millis(12));
        assert_eq!(Millis(12).since(Millis(5)), 7);
        assert_eq!(Millis(5).since(Millis(12)), 0);
    }
}
