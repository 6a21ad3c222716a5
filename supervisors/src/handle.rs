//! The handle of a static supervisor.

use std::sync::{Arc, OnceLock};

use ractor::{ActorCell, ActorRef, Message};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::error::HandleError;
use crate::exit::{ExitReason, SHUTDOWN};
use crate::snapshot::{ChildInfo, Observer, Overview};
use crate::spec::{ChildId, ChildSpec};
use crate::start::Started;
use crate::supervisor::Msg;

/// Where the answer to a request goes.
pub(crate) type Reply<T> = oneshot::Sender<T>;

/// A running (or ended) static supervisor. Clones mean the same one; a restart of the supervisor makes a new one.
#[derive(Debug, Clone)]
pub struct SupervisorHandle {
    pub(crate) actor: ActorRef<Msg>,
    pub(crate) outcome: Outcome,
}

impl SupervisorHandle {
    /// The supervisor's actor.
    pub fn cell(&self) -> ActorCell {
        self.actor.get_cell()
    }

    /// Its children in start order.
    ///
    /// # Errors
    /// [`HandleError::Gone`].
    pub async fn children(&self) -> Result<Vec<ChildInfo>, HandleError> {
        Ok(self.look(usize::MAX).await?.children)
    }

    async fn look(&self, limit: usize) -> Result<Overview, HandleError> {
        let asked = Instant::now();
        ask(&self.actor, |reply| Msg::Look(limit, asked, reply)).await
    }

    /// The present incarnation of a child, or none while it is down.
    ///
    /// # Errors
    /// [`HandleError::Gone`] or [`HandleError::UnknownChild`].
    pub async fn find(&self, id: impl Into<ChildId>) -> Result<Option<ActorCell>, HandleError> {
        let id = id.into();
        ask(&self.actor, |reply| Msg::Find(id, reply)).await?
    }

    /// Adds a child at the right end and starts it.
    ///
    /// # Errors
    /// [`HandleError::Start`] (then the child was not added), [`HandleError::AlreadyPresent`], [`HandleError::Restarting`]
    /// while a group that it would belong to is down, or [`HandleError::Gone`].
    pub async fn start_child(&self, spec: ChildSpec) -> Result<ActorCell, HandleError> {
        ask(&self.actor, |reply| Msg::Start(spec, reply)).await?
    }

    /// Stops a child by its spec's rules and returns when it is down. Its spec stays, unless it is temporary. The others go on,
    /// whatever the strategy. A child that waits for its restart waits no longer.
    ///
    /// # Errors
    /// [`HandleError::UnknownChild`] or [`HandleError::Gone`].
    pub async fn terminate_child(&self, id: impl Into<ChildId>) -> Result<(), HandleError> {
        let id = id.into();
        ask(&self.actor, |reply| Msg::Terminate(id, reply)).await?
    }

    /// Starts a child that is down. Not counted as a restart.
    ///
    /// # Errors
    /// [`HandleError::StillRunning`], [`HandleError::Restarting`], [`HandleError::Start`], [`HandleError::UnknownChild`] or
    /// [`HandleError::Gone`].
    pub async fn restart_child(&self, id: impl Into<ChildId>) -> Result<ActorCell, HandleError> {
        let id = id.into();
        ask(&self.actor, |reply| Msg::Restart(id, reply)).await?
    }

    /// Forgets a child that is down.
    ///
    /// # Errors
    /// [`HandleError::StillRunning`], [`HandleError::Restarting`], [`HandleError::UnknownChild`] or [`HandleError::Gone`].
    pub async fn delete_child(&self, id: impl Into<ChildId>) -> Result<(), HandleError> {
        let id = id.into();
        ask(&self.actor, |reply| Msg::Delete(id, reply)).await?
    }

    /// Stops the children, right to left, then the supervisor; returns when all are down, with how the supervisor ended (not
    /// always `Shutdown`: it may have ended before).
    pub async fn stop(&self) -> ExitReason {
        self.actor.stop(Some(SHUTDOWN.to_owned()));
        self.wait().await
    }

    /// Returns when the supervisor has ended: `Shutdown` after an orderly stop, `Failed` if it gave up, `Killed` otherwise.
    pub async fn wait(&self) -> ExitReason {
        self.outcome.wait(&self.cell()).await
    }

    /// A view that cannot change anything.
    pub fn observer(&self) -> Observer {
        let handle = self.clone();
        Observer::new(move |limit| {
            let handle = handle.clone();
            async move { Ok(handle.look(limit).await?.map(|id| id.to_string())) }
        })
    }
}

impl From<SupervisorHandle> for Started {
    fn from(handle: SupervisorHandle) -> Self {
        Self {
            cell: handle.cell(),
            observer: Some(handle.observer()),
        }
    }
}

/// How a supervisor ended, written by the supervisor before it goes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outcome(Arc<OnceLock<ExitReason>>);

impl Outcome {
    /// The first word stands.
    pub(crate) fn set(&self, reason: ExitReason) {
        self.0.get_or_init(|| reason);
    }

    pub(crate) async fn wait(&self, supervisor: &ActorCell) -> ExitReason {
        if supervisor.wait(None).await.is_err() {
            tracing::error!("a wait without a time-out timed out");
        }
        // A supervisor that was killed had no time to say so.
        self.0.get().cloned().unwrap_or(ExitReason::Killed)
    }
}

/// Sends a request and waits for its answer. Waits as long as the supervisor lives: each thing that it may be busy with has a
/// limit of its own, and its end drops the request.
pub(crate) async fn ask<M: Message, T>(
    actor: &ActorRef<M>,
    request: impl FnOnce(Reply<T>) -> M,
) -> Result<T, HandleError> {
    let (reply, answer) = oneshot::channel();
    if actor.send_message(request(reply)).is_err() {
        return Err(HandleError::Gone);
    }
    answer.await.or(Err(HandleError::Gone))
}

/// Answers a request; the asker may have stopped waiting, which changes nothing.
pub(crate) fn answer<T>(reply: Reply<T>, value: T) {
    if reply.send(value).is_err() {
        tracing::debug!("nobody waited for the answer");
    }
}
