//! What a shard tells without being asked: counters, and the time it could not commit.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::time::Instant;

use crate::ids::Epoch;

/// A shard's gauges. Readers may see them a moment old; nothing safe depends on them.
pub struct Status {
    /// Proposals that wait for a commit.
    pub queued: AtomicUsize,
    /// Whether the fold is done and tables may start.
    pub ready: AtomicBool,
    /// Whether the store has no room: commits wait until there is some.
    pub full: AtomicBool,
    /// The epoch of the present log.
    epoch: AtomicU64,
    /// Commits since the process started.
    pub commits: AtomicU64,
    /// Players' requests done since the process started.
    pub actions: AtomicU64,
    /// Hands finished since the process started.
    pub hands: AtomicU64,
    /// Tables restarted since the process started.
    pub restarts: AtomicU64,
    stalls: Mutex<Stalls>,
}

#[derive(Clone, Copy)]
struct Stalls {
    total: Duration,
    since: Option<Instant>,
}

impl Status {
    pub(super) fn new() -> Self {
        Self {
            queued: AtomicUsize::new(0),
            ready: AtomicBool::new(false),
            full: AtomicBool::new(false),
            epoch: AtomicU64::new(0),
            commits: AtomicU64::new(0),
            actions: AtomicU64::new(0),
            hands: AtomicU64::new(0),
            restarts: AtomicU64::new(0),
            stalls: Mutex::new(Stalls {
                total: Duration::ZERO,
                since: None,
            }),
        }
    }

    /// The epoch of the present log.
    pub fn epoch(&self) -> Epoch {
        Epoch(self.epoch.load(Relaxed))
    }

    pub(super) fn reign(&self, epoch: Epoch) {
        self.epoch.store(epoch.0, Relaxed);
    }

    pub(super) fn restarted(&self) {
        self.restarts.fetch_add(1, Relaxed);
    }

    /// For how long, in all, the shard could not commit until now. An action clock
    /// is prolonged by the difference between two readings.
    pub fn stalled(&self) -> Duration {
        let stalls = *self
            .stalls
            .lock()
            .expect("no code panics while it holds this lock");
        stalls.total + stalls.since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// Whether the shard cannot commit now.
    pub fn is_stalled(&self) -> bool {
        self.stalls
            .lock()
            .expect("no code panics while it holds this lock")
            .since
            .is_some()
    }

    /// The shard stopped committing at `since`, or goes on.
    pub(super) fn set_stalled(&self, since: Option<Instant>) {
        let mut stalls = self
            .stalls
            .lock()
            .expect("no code panics while it holds this lock");
        match (stalls.since, since) {
            (None, Some(_)) => stalls.since = since,
            (Some(began), None) => {
                stalls.total += began.elapsed();
                stalls.since = None;
            }
            (Some(_), Some(_)) | (None, None) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn stalls_add_up_and_run() {
        let status = Status::new();
        assert_eq!(status.stalled(), Duration::ZERO);
        status.set_stalled(Some(Instant::now()));
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(status.stalled(), Duration::from_secs(2));
        status.set_stalled(Some(Instant::now()));
        tokio::time::advance(Duration::from_secs(1)).await;
        status.set_stalled(None);
        tokio::time::advance(Duration::from_secs(9)).await;
        status.set_stalled(None);
        assert_eq!(status.stalled(), Duration::from_secs(3));
        assert!(!status.is_stalled());
    }
}
