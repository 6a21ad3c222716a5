//! How a child comes up: a task starts it and reports.

use ractor::ActorCell;
use tokio::task::JoinHandle;

use super::{Children, Unclaimed};
use crate::dynamic::Key;
use crate::dynamic::actor::Msg;
use crate::dynamic::child::{Phase, Ticket};
use crate::error::{Escalation, HandleError, StartError};
use crate::exit::ExitReason;
use crate::handle::{Reply, answer};
use crate::start::{StartFn, Started};

impl<K: Key> Children<K> {
    /// A start task reports a child that is up.
    pub(in crate::dynamic) fn came_up(
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
    pub(in crate::dynamic) fn start_failed(
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

    /// The delay of a restart is over.
    pub(in crate::dynamic) fn restart(&mut self, key: &K, ticket: Ticket) {
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

    /// A linked actor has come to life. One that no start task will report is a stray: its start function failed or timed out
    /// after it had spawned it.
    pub(in crate::dynamic) fn linked(&mut self, cell: ActorCell) {
        if !self.keys.contains_key(&cell.get_id()) {
            self.unclaimed.insert(cell.get_id(), Unclaimed::Up(cell));
            self.refuse_strays();
        }
    }

    pub(super) fn begin_start(
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

    pub(super) fn start_is_over(&mut self) {
        self.starting -= 1;
        self.refuse_strays();
    }

    /// With no start under way, whoever is linked and unclaimed is nobody's.
    pub(super) fn refuse_strays(&mut self) {
        if self.starting > 0 {
            return;
        }
        for (actor, seen) in std::mem::take(&mut self.unclaimed) {
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
}

/// Drops a start half-way. Short, because a task is dropped at its next await.
pub(super) async fn abort(task: JoinHandle<()>) {
    task.abort();
    match task.await {
        Ok(()) => tracing::debug!("the start was over when it was aborted"),
        Err(error) => tracing::debug!(%error, "start aborted"),
    }
}
