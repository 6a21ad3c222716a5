//! How many restarts are too many. Pure: time comes in as a value.

use std::collections::VecDeque;
use std::time::Duration;

/// At most `max_restarts` restarts in any `period`; one more and the supervisor gives up (OTP: `intensity`, `period`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Intensity {
    /// Restarts allowed in a period. 0: the first failure escalates. The type bounds what a window remembers.
    pub max_restarts: u16,
    /// The length of the sliding window; a restart exactly this long ago still counts.
    pub period: Duration,
}

impl Intensity {
    /// At most `max_restarts` in any `period`.
    pub const fn new(max_restarts: u16, period: Duration) -> Self {
        Self {
            max_restarts,
            period,
        }
    }
}

impl Default for Intensity {
    /// One restart in five seconds, as in OTP.
    fn default() -> Self {
        Self::new(1, Duration::from_secs(5))
    }
}

/// What the window says to one more restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Restart.
    Allowed,
    /// Give up.
    Exceeded,
}

/// The restarts of the last period.
#[derive(Debug, Clone, Default)]
pub struct RestartWindow {
    /// Rising, and never more than `max_restarts` + 1 of them.
    restarts: VecDeque<Duration>,
}

impl RestartWindow {
    /// An empty window.
    pub const fn new() -> Self {
        Self {
            restarts: VecDeque::new(),
        }
    }

    /// How many restarts count at `now`.
    pub fn recent(&self, intensity: Intensity, now: Duration) -> usize {
        let counts = |at: &&Duration| now.saturating_sub(**at) <= intensity.period;
        self.restarts.iter().filter(counts).count()
    }

    /// Counts one restart at `now` (time since any fixed moment, never falling) and says whether it is still allowed.
    pub fn record(&mut self, intensity: Intensity, now: Duration) -> Verdict {
        while self
            .restarts
            .front()
            .is_some_and(|&at| now.saturating_sub(at) > intensity.period)
        {
            self.restarts.pop_front();
        }
        self.restarts.push_back(now);
        if self.restarts.len() <= usize::from(intensity.max_restarts) {
            return Verdict::Allowed;
        }
        self.restarts.pop_front();
        Verdict::Exceeded
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::{Intensity, RestartWindow, Verdict};

    const A: Verdict = Verdict::Allowed;
    const X: Verdict = Verdict::Exceeded;

    fn check(max_restarts: u16, period: u64, script: &[(u64, Verdict)]) {
        let intensity = Intensity::new(max_restarts, Duration::from_millis(period));
        let mut window = RestartWindow::new();
        for &(at, expected) in script {
            assert_eq!(
                window.record(intensity, Duration::from_millis(at)),
                expected,
                "{max_restarts} in {period} at {at}"
            );
        }
    }

    #[test]
    fn windows() {
        check(0, 5_000, &[(0, X), (90_000, X)]);
        check(1, 5_000, &[(0, A), (4_999, X)]);
        check(1, 5_000, &[(0, A), (5_000, X)]);
        check(1, 5_000, &[(0, A), (5_001, A), (10_002, A)]);
        check(3, 1_000, &[(0, A), (0, A), (0, A), (0, X)]);
        check(
            3,
            1_000,
            &[(0, A), (500, A), (1_000, A), (1_001, A), (1_400, X)],
        );
        check(2, 0, &[(7, A), (7, A), (8, A), (8, A), (8, X)]);
    }

    proptest! {
        /// The window's answer is the definition's: count the restarts, this one included, of the last period.
        #[test]
        fn agrees_with_the_definition(
            max_restarts in 0_u16..6,
            period in 0_u64..50,
            steps in proptest::collection::vec(0_u64..20, 1..60),
            offset in any::<u32>(),
        ) {
            let intensity = Intensity::new(max_restarts, Duration::from_millis(period));
            let mut window = RestartWindow::new();
            let mut times = Vec::new();
            let mut now = u64::from(offset);
            for step in steps {
                now += step;
                times.push(now);
                let recent = times.iter().filter(|&&at| now - at <= period).count();
                let expected = if recent <= usize::from(max_restarts) { A } else { X };
                prop_assert_eq!(window.record(intensity, Duration::from_millis(now)), expected);
                // What was refused ends the supervisor, so the window remembers no more than it allows.
                let counted = recent.min(usize::from(max_restarts));
                prop_assert_eq!(window.recent(intensity, Duration::from_millis(now)), counted);
                assert!(window.restarts.len() <= usize::from(max_restarts) + 1, "the window is bounded");
            }
        }
    }
}
