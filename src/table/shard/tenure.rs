//! Whether this node has the shard, and by whose word.
//!
//! A node that is alone has every shard for ever. In a cluster a steward decides: a shard log takes its shard over only
//! with a grant, once for each grant. A log that ended, for whatever reason, waits for the next one: it may have been
//! overtaken by another node, and must not take the shard back from it only because it was restarted.

use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::Notify;

use crate::{ids::Epoch, store::log::Claim};

/// How far the shard is from being served here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Nothing of it runs here.
    Away,
    /// Its log waits for a grant.
    Waiting,
    /// Its log is taking it over.
    Taking,
    /// It is served here, in this epoch.
    Here(Epoch),
    /// It is being handed to another node, or was.
    Leaving,
}

/// The right to take the shard over once.
pub enum Grant {
    /// Wins an epoch, and seals whatever the tail is.
    TakeOver,
    /// Goes on with a claim in whose favour the owner before sealed his segment.
    Complete(Box<Claim>),
}

/// The tenure of one shard at this node.
pub struct Tenure {
    /// Woken when a shard's phase changes; `None` is a node that is alone.
    steward: Option<Arc<Notify>>,
    state: Mutex<State>,
}

struct State {
    phase: Phase,
    grant: Option<Grant>,
}

impl Tenure {
    pub(super) fn new(steward: Option<Arc<Notify>>) -> Self {
        Self {
            steward,
            state: Mutex::new(State {
                phase: Phase::Away,
                grant: None,
            }),
        }
    }

    /// How far it is.
    pub fn phase(&self) -> Phase {
        self.lock().phase
    }

    /// Whether calls may be answered here, now or in a moment. A node that is alone has nobody else to send them to.
    pub fn is_here(&self) -> bool {
        self.steward.is_none() || matches!(self.phase(), Phase::Here(_))
    }

    /// Grants a takeover, for the log that waits or is about to start.
    pub fn grant(&self, grant: Grant) {
        self.lock().grant = Some(grant);
    }

    /// Uses up the grant. Without one the log waits, and the steward hears of it.
    pub(super) fn begin(&self) -> Option<Grant> {
        if self.steward.is_none() {
            self.enter(Phase::Taking);
            return Some(Grant::TakeOver);
        }
        let grant = self.lock().grant.take();
        self.enter(if grant.is_some() {
            Phase::Taking
        } else {
            Phase::Waiting
        });
        grant
    }

    /// Nothing of it runs here any more; an unused grant is void.
    pub fn left(&self) {
        self.lock().grant = None;
        self.enter(Phase::Away);
    }

    pub(super) fn enter(&self, phase: Phase) {
        let before = std::mem::replace(&mut self.lock().phase, phase);
        if before != phase
            && let Some(steward) = &self.steward
        {
            steward.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .expect("no code panics while it holds this lock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alone_every_start_takes_over() {
        let tenure = Tenure::new(None);
        assert!(tenure.is_here());
        for _ in 0..3 {
            assert!(matches!(tenure.begin(), Some(Grant::TakeOver)));
        }
    }

    #[test]
    fn a_grant_is_for_one_takeover() {
        let tenure = Tenure::new(Some(Arc::default()));
        assert!(tenure.begin().is_none());
        assert_eq!(tenure.phase(), Phase::Waiting);
        tenure.grant(Grant::TakeOver);
        assert!(tenure.begin().is_some());
        assert!(!tenure.is_here(), "not before the log is read");
        tenure.enter(Phase::Here(Epoch(3)));
        assert!(tenure.is_here());
        assert!(tenure.begin().is_none(), "a restart needs another word");
        tenure.grant(Grant::TakeOver);
        tenure.left();
        assert!(tenure.begin().is_none(), "leaving ends what was granted");
    }
}
