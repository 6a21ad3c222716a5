//! How long to wait before trying again, and when to stop trying.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

/// Waits that double up to a limit. Each is drawn between half of it and all of it, so that clients that lost the same
/// server do not come back at the same moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Backoff {
    /// Before the second attempt.
    pub first: Duration,
    /// Never longer than this.
    pub max: Duration,
}

/// How long a call goes on asking.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Patience {
    /// For one attempt.
    pub attempt: Duration,
    /// For all attempts together; what has no answer by then is unknown.
    pub overall: Duration,
    /// Between attempts.
    pub backoff: Backoff,
}

impl Backoff {
    /// The wait after so many failed attempts in a row; `draw` is any number, evenly distributed.
    pub fn wait(&self, failed: u32, draw: u64) -> Duration {
        let doublings = failed.saturating_sub(1).min(DOUBLINGS_MAX);
        let full = self.first.saturating_mul(1 << doublings).min(self.max);
        let half = full / 2;
        let span = u64::try_from(half.as_nanos()).unwrap_or(u64::MAX);
        half + Duration::from_nanos(draw % span.saturating_add(1))
    }
}

impl Default for Backoff {
    /// From 50 ms to 2 s: a restarted server is found quickly, a dead one is not hammered.
    fn default() -> Backoff {
        Backoff {
            first: Duration::from_millis(50),
            max: Duration::from_secs(2),
        }
    }
}

impl Default for Patience {
    /// 5 s for an attempt, a minute for all of them.
    fn default() -> Patience {
        Patience {
            attempt: Duration::from_secs(5),
            overall: Duration::from_secs(60),
            backoff: Backoff::default(),
        }
    }
}

/// A number to draw a wait with. Never used for anything that matters in a game.
pub fn jitter() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// Enough to reach any limit, and no shift beyond 32 bits.
const DOUBLINGS_MAX: u32 = 16;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Backoff;

    #[test]
    fn waits_double_up_to_the_limit() {
        let backoff = Backoff {
            first: Duration::from_millis(100),
            max: Duration::from_secs(1),
        };
        let check = |failed, least_ms, most_ms| {
            assert_eq!(backoff.wait(failed, 0), Duration::from_millis(least_ms));
            for draw in [1, 7, 12_345_678_901, u64::MAX] {
                let wait = backoff.wait(failed, draw);
                assert!(wait >= Duration::from_millis(least_ms));
                assert!(wait <= Duration::from_millis(most_ms));
            }
        };
        check(0, 50, 100);
        check(1, 50, 100);
        check(2, 100, 200);
        check(4, 400, 800);
        check(5, 500, 1_000);
        check(u32::MAX, 500, 1_000);
    }
}
