//! How fast all bots together act.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Hands out moments that are evenly apart; flat out without a rate.
#[derive(Debug)]
pub struct Pace {
    apart: Option<Duration>,
    next: Mutex<Instant>,
}

impl Pace {
    /// So many a second, or as many as go.
    pub fn new(per_second: Option<u32>) -> Pace {
        let apart = per_second
            .filter(|rate| *rate > 0)
            .map(|rate| Duration::from_secs(1) / rate);
        Pace {
            apart,
            next: Mutex::new(Instant::now()),
        }
    }

    /// Waits for the next moment.
    pub async fn turn(&self) {
        if let Some(moment) = self.reserve(Instant::now()) {
            sleep_until(moment).await;
        }
    }

    /// The next moment. What was not used earlier is not made up for by a burst.
    fn reserve(&self, now: Instant) -> Option<Instant> {
        let apart = self.apart?;
        let mut next = self
            .next
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        let moment = (*next).max(now);
        *next = moment + apart;
        Some(moment)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::Pace;

    #[test]
    fn moments_are_evenly_apart_and_never_in_the_past() {
        let start = Instant::now() + Duration::from_secs(1);
        let pace = Pace::new(Some(100));
        let after = |now| pace.reserve(now).map(|moment| moment - start);
        assert_eq!(after(start), Some(Duration::ZERO));
        assert_eq!(after(start), Some(Duration::from_millis(10)));
        assert_eq!(after(start), Some(Duration::from_millis(20)));
        let later = start + Duration::from_secs(5);
        assert_eq!(after(later), Some(Duration::from_secs(5)));
        assert_eq!(after(later), Some(Duration::from_millis(5_010)));
        assert_eq!(Pace::new(None).reserve(start), None);
    }
}
