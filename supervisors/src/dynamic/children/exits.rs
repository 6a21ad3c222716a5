//! How a child ends, and what follows.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use ractor::ActorId;

use super::{Children, Unclaimed};
use crate::backoff::Jitter;
use crate::dynamic::actor::Msg;
use crate::dynamic::child::{Phase, Ticket};
use crate::dynamic::{ChildExit, Decision, Key};
use crate::error::{Escalation, HandleError};
use crate::exit::ExitReason;
use crate::handle::{Reply, answer};
use crate::intensity::Verdict;
use crate::start::panic_text;
use crate::strategy::AfterExit;

impl<K: Key> Children<K> {
    /// A linked actor has ended.
    pub(in crate::dynamic) fn ended(
        &mut self,
        actor: ActorId,
        reason: ExitReason,
    ) -> Result<(), Escalation> {
        let Some(key) = self.keys.remove(&actor) else {
            self.unclaimed.insert(actor, Unclaimed::Ended(reason));
            self.refuse_strays();
            return Ok(());
        };
        let Some(child) = self.children.get_mut(&key) else {
            unreachable!("an actor has a key only while that child runs or stops")
        };
        match std::mem::replace(&mut child.phase, Phase::Waiting) {
            Phase::Stopping { askers, .. } => {
                self.forget_stopped(&key, askers, &reason);
                Ok(())
            }
            Phase::Starting { .. } | Phase::Running(_) | Phase::Waiting => self.down(key, &reason),
        }
    }

    /// A stop task is through. The child's own event came first, except if it survived its kill.
    pub(in crate::dynamic) fn stop_is_over(&mut self, key: &K, ticket: Ticket) {
        let Some(child) = self
            .children
            .get_mut(key)
            .filter(|child| child.ticket == ticket)
        else {
            return;
        };
        if let Phase::Stopping { started, askers } =
            std::mem::replace(&mut child.phase, Phase::Waiting)
        {
            self.keys.remove(&started.cell.get_id());
            self.forget_stopped(key, askers, &ExitReason::Killed);
        }
    }

    /// A child is down that nobody asked to stop: the hook or the spec decides.
    pub(super) fn down(&mut self, key: K, reason: &ExitReason) -> Result<(), Escalation> {
        let now = self.born.elapsed();
        match self.decide(&key, reason, now) {
            Decision::Forget => self.forget(&key, reason),
            Decision::RestartAfter(delay) => self.schedule(key, delay),
            Decision::BySpec => match self.spec.restart.after_exit(reason) {
                AfterExit::Keep | AfterExit::Remove => self.forget(&key, reason),
                AfterExit::Restart => {
                    if self.window.record(self.spec.intensity, now) == Verdict::Exceeded {
                        let (child, reason) = (format!("{key:?}"), reason.to_string());
                        return Err(Escalation::IntensityExceeded { child, reason });
                    }
                    let delay = self.next_delay(&key, now);
                    self.schedule(key, delay);
                }
            },
        }
        Ok(())
    }

    fn decide(&self, key: &K, reason: &ExitReason, now: Duration) -> Decision {
        let (Some(hook), Some(child)) = (&self.spec.on_exit, self.children.get(key)) else {
            return Decision::BySpec;
        };
        let lived = child
            .up_since
            .map_or(Duration::ZERO, |since| now.saturating_sub(since));
        let exit = ChildExit {
            key,
            reason,
            restarts: child.restarts,
            lived,
        };
        catch_unwind(AssertUnwindSafe(|| hook(exit))).unwrap_or_else(|panic| {
            let panic = panic_text(panic.as_ref());
            tracing::error!(child = ?key, %panic, "the exit hook panicked, the spec decides");
            Decision::BySpec
        })
    }

    fn next_delay(&mut self, key: &K, now: Duration) -> Duration {
        let backoff = self.spec.backoff;
        self.children.get_mut(key).map_or(Duration::ZERO, |child| {
            let lived = child
                .up_since
                .map_or(Duration::ZERO, |since| now.saturating_sub(since));
            let attempt = backoff.attempt_after(child.attempt, lived);
            child.attempt = attempt.saturating_add(1);
            backoff.delay(attempt, Jitter::NONE)
        })
    }

    fn schedule(&mut self, key: K, delay: Duration) {
        let ticket = self.ticket();
        let Some(child) = self.children.get_mut(&key) else {
            return;
        };
        child.phase = Phase::Waiting;
        child.ticket = ticket;
        child.up_since = None;
        child.restarts = child.restarts.saturating_add(1);
        self.restarts += 1;
        tracing::warn!(child = ?key, restarts = child.restarts, ?delay, "child will be restarted");
        if delay.is_zero() {
            self.restart(&key, ticket);
        } else {
            self.supervisor
                .send_after(delay, move || Msg::Due(key, ticket));
        }
    }

    fn forget(&mut self, key: &K, reason: &ExitReason) {
        tracing::debug!(child = ?key, %reason, "child has ended and is forgotten");
        self.children.remove(key);
    }

    fn forget_stopped(
        &mut self,
        key: &K,
        askers: Vec<Reply<Result<(), HandleError>>>,
        reason: &ExitReason,
    ) {
        // To inform: a child that was asked to stop is not restarted.
        self.decide(key, reason, self.born.elapsed());
        self.forget(key, reason);
        for asker in askers {
            answer(asker, Ok(()));
        }
    }
}
