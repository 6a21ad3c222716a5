//! The children of a dynamic supervisor.
//!
//! They do not depend on each other, so each starts and stops in a task of its own and the supervisor waits for none: one slow
//! child delays no other. Each phase of a child has a ticket, and a task's or timer's message with an old ticket is stale.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use ractor::{ActorCell, ActorId, ActorRef};
use tokio::time::Instant;

use super::actor::Msg;
use super::child::{Child, Phase, Ticket};
use super::{ChildExit, Decision, DynamicSpec, Key};
use crate::backoff::Jitter;
use crate::error::{Escalation, HandleError, StartError};
use crate::exit::ExitReason;
use crate::handle::{Reply, answer};
use crate::intensity::{RestartWindow, Verdict};
use crate::snapshot::ChildInfo;
use crate::start::{StartFn, Started, panic_text};
use crate::stop::{stop, stop_together};
use crate::strategy::AfterExit;

/// An actor that is linked here and that no start task has reported yet: events overtake messages.
enum Unclaimed {
    Up(ActorCell),
    Ended(ExitReason),
}

pub(super) struct Children<K> {
    supervisor: ActorRef<Msg<K>>,
    spec: DynamicSpec<K>,
    children: HashMap<K, Child>,
    keys: HashMap<ActorId, K>,
    unclaimed: HashMap<ActorId, Unclaimed>,
    /// Start tasks whose report was neither read nor made void.
    starting: usize,
    window: RestartWindow,
    last_ticket: u64,
    born: Instant,
}

impl<K: Key> Children<K> {
    pub(super) fn new(supervisor: ActorRef<Msg<K>>, spec: DynamicSpec<K>) -> Self {
        Self {
            supervisor,
            spec,
            children: HashMap::new(),
            keys: HashMap::new(),
            unclaimed: HashMap::new(),
            starting: 0,
            window: RestartWindow::new(),
            last_ticket: 0,
            born: Instant::now(),
        }
    }

    pub(super) fn infos(&self) -> Vec<ChildInfo<K>> {
        self.children
            .iter()
            .map(|(key, child)| child.info(key.clone(), self.spec.kind))
            .collect()
    }

    pub(super) fn find(&self, key: &K) -> Result<Option<ActorCell>, HandleError> {
        let child = self.children.get(key).ok_or_else(|| unknown(key))?;
        Ok(child.running().map(|started| started.cell.clone()))
    }

    pub(super) fn start_of(&self, key: &K) -> Result<StartFn, HandleError> {
        self.children
            .get(key)
            .map(|child| child.start.clone())
            .ok_or_else(|| unknown(key))
    }

    /// Begins to start a child; the answer goes out when it is up or has failed.
    pub(super) fn add(
        &mut self,
        key: K,
        start: StartFn,
        asker: Reply<Result<ActorCell, HandleError>>,
    ) {
        if self.children.contains_key(&key) {
            return answer(asker, Err(HandleError::AlreadyPresent(format!("{key:?}"))));
        }
        if self.children.len() >= self.spec.max_children {
            return answer(
                asker,
                Err(HandleError::TooManyChildren(self.spec.max_children)),
            );
        }
        let ticket = self.ticket();
        let phase = self.begin_start(key.clone(), ticket, &start, Some(asker));
        let child = Child {
            start,
            phase,
            ticket,
            restarts: 0,
            attempt: 0,
            up_since: None,
        };
        self.children.insert(key, child);
    }

    /// A start task reports a child that is up.
    pub(super) fn came_up(
        &mut self,
        key: K,
        ticket: Ticket,
        started: Started,
    ) -> Result<(), Escalation> {
        let actor = started.cell.get_id();
        let seen = self.unclaimed.remove(&actor);
        let Some(child) = self
            .children
            .get_mut(&key)
            .filter(|child| child.ticket == ticket)
        else {
            // Terminated in the very moment when it came up.
            self.stop_in_background(key, ticket, started.cell);
            return Ok(());
        };
        child.up_since = Some(self.born.elapsed());
        let cell = started.cell.clone();
        let Phase::Starting { asker, .. } =
            std::mem::replace(&mut child.phase, Phase::Running(started))
        else {
            unreachable!("a start task's ticket is its child's only while the child is starting")
        };
        if let Some(asker) = asker {
            answer(asker, Ok(cell));
        }
        self.keys.insert(actor, key);
        self.start_is_over();
        match seen {
            Some(Unclaimed::Ended(reason)) => self.ended(actor, reason),
            Some(Unclaimed::Up(_)) | None => Ok(()),
        }
    }

    /// A start task reports a failure: the asker hears of a first start's, a restart's counts like an exit.
    pub(super) fn start_failed(
        &mut self,
        key: K,
        ticket: Ticket,
        error: StartError,
    ) -> Result<(), Escalation> {
        let Some(child) = self
            .children
            .get_mut(&key)
            .filter(|child| child.ticket == ticket)
        else {
            return Ok(());
        };
        child.up_since = None;
        let phase = std::mem::replace(&mut child.phase, Phase::Waiting);
        self.start_is_over();
        if let Phase::Starting {
            asker: Some(asker), ..
        } = phase
        {
            self.children.remove(&key);
            answer(asker, Err(error.into()));
            return Ok(());
        }
        self.down(key, &ExitReason::StartFailed(error.to_string()))
    }

    /// A linked actor has come to life. One that no start task will report is a stray: its start function failed or timed out
    /// after it had spawned it.
    pub(super) fn linked(&mut self, cell: ActorCell) {
        if !self.keys.contains_key(&cell.get_id()) {
            self.unclaimed.insert(cell.get_id(), Unclaimed::Up(cell));
            self.refuse_strays();
        }
    }

    /// A linked actor has ended.
    pub(super) fn ended(&mut self, actor: ActorId, reason: ExitReason) -> Result<(), Escalation> {
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

    /// Begins to stop a child; the answer goes out when it is down.
    pub(super) async fn terminate(&mut self, key: K, asker: Reply<Result<(), HandleError>>) {
        let ticket = self.ticket();
        let Some(child) = self.children.get_mut(&key) else {
            return answer(asker, Err(unknown(&key)));
        };
        match std::mem::replace(&mut child.phase, Phase::Waiting) {
            Phase::Stopping {
                started,
                mut askers,
            } => {
                askers.push(asker);
                child.phase = Phase::Stopping { started, askers };
            }
            Phase::Running(started) => {
                let cell = started.cell.clone();
                child.ticket = ticket;
                child.phase = Phase::Stopping {
                    started,
                    askers: vec![asker],
                };
                self.stop_in_background(key, ticket, cell);
            }
            Phase::Waiting => {
                self.children.remove(&key);
                answer(asker, Ok(()));
            }
            Phase::Starting {
                task,
                asker: starter,
            } => {
                self.children.remove(&key);
                abort(task).await;
                self.start_is_over();
                if let Some(starter) = starter {
                    answer(starter, Err(HandleError::Terminated(format!("{key:?}"))));
                }
                answer(asker, Ok(()));
            }
        }
    }

    /// A stop task is through. The child's own event came first, except if it survived its kill.
    pub(super) fn stop_is_over(&mut self, key: &K, ticket: Ticket) {
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

    /// The delay of a restart is over.
    pub(super) fn restart(&mut self, key: &K, ticket: Ticket) {
        let Some(child) = self
            .children
            .get(key)
            .filter(|child| child.ticket == ticket)
        else {
            return;
        };
        let start = child.start.clone();
        let phase = self.begin_start(key.clone(), ticket, &start, None);
        if let Some(child) = self.children.get_mut(key) {
            child.phase = phase;
        }
    }

    /// Stops all children side by side, those included that came up and were not reported yet.
    pub(super) async fn stop_all(&mut self) {
        for (_, child) in self.children.drain() {
            if let Phase::Starting { task, .. } = child.phase {
                abort(task).await;
            }
        }
        self.keys.clear();
        stop_together(&self.supervisor.get_children(), self.spec.shutdown).await;
    }

    /// A child is down that nobody asked to stop: the hook or the spec decides.
    fn down(&mut self, key: K, reason: &ExitReason) -> Result<(), Escalation> {
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

    fn begin_start(
        &mut self,
        key: K,
        ticket: Ticket,
        start: &StartFn,
        asker: Option<Reply<Result<ActorCell, HandleError>>>,
    ) -> Phase {
        self.starting += 1;
        let (start, limit, supervisor) = (
            start.clone(),
            self.spec.start_timeout,
            self.supervisor.clone(),
        );
        let task = tokio::spawn(async move {
            let result = start.run(&supervisor.get_cell(), limit).await;
            // If the supervisor has gone, ractor has seen to what was linked to it.
            if supervisor
                .send_message(Msg::Started(key, ticket, result))
                .is_err()
            {
                tracing::debug!("the supervisor ended while a child started");
            }
        });
        Phase::Starting { task, asker }
    }

    fn stop_in_background(&self, key: K, ticket: Ticket, cell: ActorCell) {
        let (shutdown, supervisor) = (self.spec.shutdown, self.supervisor.clone());
        tokio::spawn(async move {
            stop(&cell, shutdown).await;
            if supervisor.send_message(Msg::Stopped(key, ticket)).is_err() {
                tracing::debug!("the supervisor ended while a child stopped");
            }
        });
    }

    fn start_is_over(&mut self) {
        self.starting -= 1;
        self.refuse_strays();
    }

    /// With no start under way, whoever is linked and unclaimed is nobody's.
    fn refuse_strays(&mut self) {
        if self.starting > 0 {
            return;
        }
        for (actor, seen) in self.unclaimed.drain() {
            match seen {
                Unclaimed::Up(cell) => {
                    tracing::warn!(%actor, "killing an actor that was linked here by no start_child");
                    cell.kill();
                }
                Unclaimed::Ended(reason) => {
                    tracing::debug!(%actor, %reason, "an actor that was given up has ended")
                }
            }
        }
    }

    fn ticket(&mut self) -> Ticket {
        self.last_ticket += 1;
        Ticket(self.last_ticket)
    }
}

/// Drops a start half-way. Short, because a task is dropped at its next await.
async fn abort(task: tokio::task::JoinHandle<()>) {
    task.abort();
    match task.await {
        Ok(()) => tracing::debug!("the start was over when it was aborted"),
        Err(error) => tracing::debug!(%error, "start aborted"),
    }
}

fn unknown<K: Key>(key: &K) -> HandleError {
    HandleError::UnknownChild(format!("{key:?}"))
}
