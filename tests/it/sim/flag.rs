//! A flag to wait for.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use tokio::sync::Notify;

/// Whoever waits is woken in the order in which he came. A `tokio::sync::watch` spreads its waiters at random, by a generator that
/// no seed of ours reaches, and a seed would not replay its run.
#[derive(Default)]
pub struct Flag {
    up: AtomicBool,
    changed: Notify,
}

impl Flag {
    pub fn set(&self, up: bool) {
        self.up.store(up, SeqCst);
        self.changed.notify_waiters();
    }

    pub fn is_up(&self) -> bool {
        self.up.load(SeqCst)
    }

    /// Returns once the flag is up, or once it is down.
    pub async fn is(&self, up: bool) {
        loop {
            let changed = self.changed.notified();
            if self.is_up() == up {
                return;
            }
            changed.await;
        }
    }
}
