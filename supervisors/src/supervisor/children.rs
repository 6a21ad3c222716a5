//! The children of a static supervisor, in start order: left is first.
//!
//! Starting and stopping happen in place, as in OTP: the supervisor does one thing at a time, each with a limit. So an event
//! that it reads later speaks of an incarnation that it knows, or of one that is gone and ignored: actor ids are never reused.
//! Delays are messages, so that it stays ready to stop while it waits.

use std::time::Duration;

use ractor::{ActorCell, ActorId};
use tokio::time::Instant;

use super::SupervisorSpec;
use super::child::{Child, Phase, Ticket};
use crate::backoff::{Backoff, Jitter};
use crate::error::{Escalation, HandleError, StartError};
use crate::exit::ExitReason;
use crate::intensity::{Intensity, RestartWindow, Verdict};
use crate::snapshot::{Census, Overview};
use crate::spec::{ChildId, ChildSpec};
use crate::start::Started;
use crate::stop::stop;
use crate::strategy::{AfterExit, Strategy};

/// A restart to come.
pub(super) struct Due {
    pub(super) ticket: Ticket,
    pub(super) delay: Duration,
}

pub(super) struct Children {
    supervisor: ActorCell,
    strategy: Strategy,
    intensity: Intensity,
    backoff: Backoff,
    list: Vec<Child>,
    window: RestartWindow,
    /// Since it started.
    restarts: u64,
    last_ticket: u64,
    born: Instant,
}

impl Children {
    /// Starts all from left to right.
    ///
    /// # Errors
    /// The first that failed; those before it were stopped again, right to left.
    pub(super) async fn start(
        supervisor: ActorCell,
        spec: SupervisorSpec,
    ) -> Result<Self, StartError> {
        let SupervisorSpec {
            strategy,
            intensity,
            backoff,
            children,
        } = spec;
        let mut this = Self {
            supervisor,
            strategy,
            intensity,
            backoff,
            list: children.into_iter().map(Child::new).collect(),
            window: RestartWindow::new(),
            restarts: 0,
            last_ticket: 0,
            born: Instant::now(),
        };
        for index in 0..this.list.len() {
            if let Err(error) = this.start_at(index).await {
                this.stop_all().await;
                let id = this.list[index].spec.id.to_string();
                return Err(StartError::Child {
                    id,
                    error: Box::new(error),
                });
            }
        }
        Ok(this)
    }

    /// A child has ended by itself.
    ///
    /// # Errors
    /// The supervisor has to give up.
    pub(super) async fn ended(
        &mut self,
        actor: ActorId,
        reason: &ExitReason,
    ) -> Result<Option<Due>, Escalation> {
        let Some(index) = self.list.iter().position(|child| child.is(actor)) else {
            tracing::debug!(%actor, %reason, "an incarnation that was given up has ended");
            return Ok(None);
        };
        let child = &mut self.list[index];
        child.phase = Phase::Stopped;
        match child.spec.restart.after_exit(reason) {
            AfterExit::Restart => self.fail(index, reason).await.map(Some),
            AfterExit::Keep => {
                tracing::debug!(child = %child.spec.id, %reason, "child has ended");
                Ok(None)
            }
            AfterExit::Remove => {
                tracing::debug!(child = %child.spec.id, %reason, "temporary child has ended");
                self.list.remove(index);
                Ok(None)
            }
        }
    }

    /// The delay of a restart is over: starts, left to right, those that still wait for it.
    ///
    /// # Errors
    /// The supervisor has to give up.
    pub(super) async fn restart(&mut self, ticket: Ticket) -> Result<Option<Due>, Escalation> {
        for index in 0..self.list.len() {
            if !self.list[index].waits_for(ticket) {
                continue;
            }
            if let Err(error) = self.start_at(index).await {
                return self
                    .fail(index, &ExitReason::StartFailed(error.to_string()))
                    .await
                    .map(Some);
            }
        }
        Ok(None)
    }

    /// Stops all from right to left.
    pub(super) async fn stop_all(&mut self) {
        for index in (0..self.list.len()).rev() {
            self.stop_at(index).await;
        }
    }

    pub(super) fn overview(&self, limit: usize, delay: Duration) -> Overview {
        let now = self.born.elapsed();
        let mut census = Census::default();
        for child in &self.list {
            census.count(child.running().is_some(), child.restarts);
        }
        let children = self.list.iter().take(limit);
        Overview {
            strategy: Some(self.strategy),
            intensity: self.intensity,
            recent: self.window.recent(self.intensity, now),
            restarts: self.restarts,
            age: now,
            delay,
            census,
            children: children.map(|child| child.info(now)).collect(),
        }
    }

    pub(super) fn knows(&self, actor: ActorId) -> bool {
        self.list.iter().any(|child| child.is(actor))
    }

    pub(super) fn find(&self, id: &ChildId) -> Result<Option<ActorCell>, HandleError> {
        let child = &self.list[self.position(id)?];
        Ok(child.running().map(|started| started.cell.clone()))
    }

    pub(super) async fn add(&mut self, spec: ChildSpec) -> Result<ActorCell, HandleError> {
        let id = spec.id.clone();
        if self.position(&id).is_ok() {
            return Err(HandleError::AlreadyPresent(id.to_string()));
        }
        self.refuse_inside_a_pending_group(&id)?;
        let started = self.run(&spec).await?;
        let cell = started.cell.clone();
        let up_since = self.born.elapsed();
        self.list.push(Child {
            phase: Phase::Running(started),
            up_since,
            ..Child::new(spec)
        });
        Ok(cell)
    }

    pub(super) async fn terminate(&mut self, id: &ChildId) -> Result<(), HandleError> {
        let index = self.position(id)?;
        self.stop_at(index).await;
        if self.list[index].spec.restart.after_group_stop() == AfterExit::Remove {
            self.list.remove(index);
        }
        Ok(())
    }

    pub(super) async fn start_again(&mut self, id: &ChildId) -> Result<ActorCell, HandleError> {
        let index = self.position(id)?;
        self.refuse_unless_stopped(index)?;
        self.refuse_inside_a_pending_group(id)?;
        Ok(self.start_at(index).await?)
    }

    pub(super) fn delete(&mut self, id: &ChildId) -> Result<(), HandleError> {
        let index = self.position(id)?;
        self.refuse_unless_stopped(index)?;
        self.list.remove(index);
        Ok(())
    }

    /// The child at `index` is down and must come up again: counts that, stops the others that the strategy names, from right
    /// to left, and gives all of them one new ticket, which makes older ones of theirs stale.
    async fn fail(&mut self, index: usize, reason: &ExitReason) -> Result<Due, Escalation> {
        let now = self.born.elapsed();
        let child = &mut self.list[index];
        tracing::warn!(child = %child.spec.id, %reason, restarts = child.restarts, "child has failed");
        if self.window.record(self.intensity, now) == Verdict::Exceeded {
            let (child, reason) = (child.spec.id.to_string(), reason.to_string());
            return Err(Escalation::IntensityExceeded { child, reason });
        }
        let lived = now.saturating_sub(child.up_since);
        let attempt = match reason {
            ExitReason::StartFailed(_) => child.attempt,
            ExitReason::Normal
            | ExitReason::Shutdown
            | ExitReason::Killed
            | ExitReason::Panicked(_)
            | ExitReason::Failed(_) => self.backoff.attempt_after(child.attempt, lived),
        };
        child.attempt = attempt.saturating_add(1);
        child.restarts = child.restarts.saturating_add(1);
        self.restarts += 1;

        self.last_ticket += 1;
        let ticket = Ticket(self.last_ticket);
        for other in self.strategy.affected(self.list.len(), index).rev() {
            self.stop_at(other).await;
            match self.list[other].spec.restart.after_group_stop() {
                AfterExit::Restart | AfterExit::Keep => {
                    self.list[other].phase = Phase::Restarting(ticket)
                }
                AfterExit::Remove => drop(self.list.remove(other)),
            }
        }
        Ok(Due {
            ticket,
            delay: self.backoff.delay(attempt, Jitter::NONE),
        })
    }

    async fn start_at(&mut self, index: usize) -> Result<ActorCell, StartError> {
        let started = self.run(&self.list[index].spec).await?;
        let cell = started.cell.clone();
        let child = &mut self.list[index];
        child.phase = Phase::Running(started);
        child.up_since = self.born.elapsed();
        Ok(cell)
    }

    async fn run(&self, spec: &ChildSpec) -> Result<Started, StartError> {
        spec.start.run(&self.supervisor, spec.start_timeout).await
    }

    async fn stop_at(&mut self, index: usize) {
        let child = &mut self.list[index];
        if let Phase::Running(started) = std::mem::replace(&mut child.phase, Phase::Stopped) {
            let reason = stop(&started.cell, child.spec.shutdown).await;
            tracing::debug!(child = %child.spec.id, %reason, "child stopped");
        }
    }

    fn position(&self, id: &ChildId) -> Result<usize, HandleError> {
        let index = self.list.iter().position(|child| child.spec.id == *id);
        index.ok_or_else(|| HandleError::UnknownChild(id.to_string()))
    }

    fn refuse_unless_stopped(&self, index: usize) -> Result<(), HandleError> {
        let child = &self.list[index];
        match child.phase {
            Phase::Running(_) => Err(HandleError::StillRunning(child.spec.id.to_string())),
            Phase::Restarting(_) => Err(HandleError::Restarting(child.spec.id.to_string())),
            Phase::Stopped => Ok(()),
        }
    }

    /// A child must not come up before those to its left on which the strategy says that it depends.
    fn refuse_inside_a_pending_group(&self, id: &ChildId) -> Result<(), HandleError> {
        match self.strategy {
            Strategy::OneForAll | Strategy::RestForOne if self.list.iter().any(Child::waits) => {
                Err(HandleError::Restarting(id.to_string()))
            }
            Strategy::OneForOne | Strategy::OneForAll | Strategy::RestForOne => Ok(()),
        }
    }
}
