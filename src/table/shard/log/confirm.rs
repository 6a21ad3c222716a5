//! Still the owner? Asked before a read, and before a refusal, that depends on state.

use ractor::ActorRef;
use tokio::time::{Duration, Instant};

use super::{LogError, LogMsg, LogState, report};
use crate::store::log::ConfirmError;

/// What is called once ownership is confirmed.
pub type Release = Box<dyn FnOnce() + Send>;

impl LogState {
    pub(super) fn confirm(&mut self, always: bool, release: Release) {
        let recent = self
            .last_confirmed
            .is_some_and(|at| at.elapsed() < CONFIRMED_FOR);
        if recent && !always && self.ready {
            release();
        } else if self.unconfirmed.len() < UNCONFIRMED_MAX {
            self.unconfirmed.push(release);
        } else {
            tracing::debug!(shard = %self.shard.id, "too many wait for a confirmation");
        }
    }

    /// By a read, when there is nothing to commit: a commit that is applied says the same.
    pub(super) fn start_confirm(&mut self, myself: &ActorRef<LogMsg>) {
        self.confirming = std::mem::take(&mut self.unconfirmed);
        let (mut log, reply) = (self.lend(), myself.clone());
        self.spawn(async move {
            let outcome = log.confirm().await;
            report(&reply, LogMsg::Confirmed(log, outcome));
        });
    }

    pub(super) fn confirmed(&mut self, outcome: Result<(), ConfirmError>) -> Result<(), LogError> {
        match outcome {
            Ok(()) => {
                self.last_confirmed = Some(Instant::now());
                std::mem::take(&mut self.confirming)
                    .into_iter()
                    .for_each(|release| release());
                Ok(())
            }
            // The store did not say: whoever waits hears nothing, which means unknown.
            Err(ConfirmError::Unanswered(error)) => {
                tracing::warn!(shard = %self.shard.id, %error, "ownership not confirmed");
                self.confirming.clear();
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// For so long a commit or a confirmation speaks for reads and refusals (design.md §4).
const CONFIRMED_FOR: Duration = Duration::from_millis(500);
/// While the store does not answer, readers pile up here; one beyond it is dropped and asks again.
const UNCONFIRMED_MAX: usize = 10_000;
