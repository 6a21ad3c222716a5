//! How long to wait before a restart. Pure: chance comes in as a value.

use std::time::Duration;

/// How far a delay is shortened, in thousandths. A caller with a source of chance passes 0..=500 or so to spread a crowd.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Jitter(u16);

impl Jitter {
    /// The delay as it is.
    pub const NONE: Self = Self(0);
    const WHOLE: u16 = 1_000;

    /// Shortens by `per_mille` thousandths; more than 1000 counts as 1000.
    pub const fn per_mille(per_mille: u16) -> Self {
        if per_mille > Self::WHOLE {
            Self(Self::WHOLE)
        } else {
            Self(per_mille)
        }
    }
}

/// Delays that double from `first` to `max`, and start over once a child has lived for `healthy_after`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The delay before the first restart; zero for at once, and then all delays are zero.
    pub first: Duration,
    /// No delay is longer.
    pub max: Duration,
    /// A child that ran for so long has recovered: its next failure counts as its first.
    pub healthy_after: Duration,
}

impl Backoff {
    /// Restart at once, as OTP does.
    pub const NONE: Self = Self::new(Duration::ZERO, Duration::ZERO);
    /// The default of `healthy_after`.
    pub const HEALTHY_AFTER: Duration = Duration::from_secs(10);

    /// Doubles from `first` to `max`, with the default `healthy_after`.
    pub const fn new(first: Duration, max: Duration) -> Self {
        Self {
            first,
            max,
            healthy_after: Self::HEALTHY_AFTER,
        }
    }

    /// Replaces `healthy_after`.
    pub const fn healthy_after(self, healthy_after: Duration) -> Self {
        Self {
            healthy_after,
            ..self
        }
    }

    /// The delay before restart number `attempt` in a row, counted from 0.
    pub fn delay(self, attempt: u32, jitter: Jitter) -> Duration {
        let factor = 1_u32.checked_shl(attempt).unwrap_or(u32::MAX);
        let full = self.first.saturating_mul(factor).min(self.max);
        let cut = full / u32::from(Jitter::WHOLE) * u32::from(jitter.0);
        full.saturating_sub(cut)
    }

    /// The number to pass to [`delay`](Self::delay) for a child that had `attempt` restarts in a row and then lived for `lived`.
    pub fn attempt_after(self, attempt: u32, lived: Duration) -> u32 {
        if lived >= self.healthy_after {
            0
        } else {
            attempt
        }
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self::NONE
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Backoff, Jitter};

    const fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn delays() {
        let doubling = Backoff::new(ms(100), ms(1_000));
        let cases = [
            (Backoff::NONE, 0, 0, 0),
            (Backoff::NONE, 31, 0, 0),
            (doubling, 0, 0, 100),
            (doubling, 1, 0, 200),
            (doubling, 3, 0, 800),
            (doubling, 4, 0, 1_000),
            (doubling, 31, 0, 1_000),
            (doubling, 32, 0, 1_000),
            (doubling, u32::MAX, 0, 1_000),
            (doubling, 1, 250, 150),
            (doubling, 1, 1_000, 0),
            (doubling, 1, 9_999, 0),
            (Backoff::new(ms(500), ms(300)), 0, 0, 300),
        ];
        for (backoff, attempt, jitter, expected) in cases {
            assert_eq!(
                backoff.delay(attempt, Jitter::per_mille(jitter)),
                ms(expected),
                "{backoff:?} {attempt} {jitter}"
            );
        }
    }

    #[test]
    fn a_healthy_child_starts_over() {
        let backoff = Backoff::new(ms(100), ms(1_000)).healthy_after(ms(5_000));
        assert_eq!(backoff.attempt_after(4, ms(4_999)), 4);
        assert_eq!(backoff.attempt_after(4, ms(5_000)), 0);
    }
}
