//! The handle of a dynamic supervisor.

use std::fmt;

use ractor::{ActorCell, ActorRef};
use tokio::time::Instant;

use super::Key;
use super::actor::Msg;
use crate::error::{HandleError, StartError};
use crate::exit::{ExitReason, SHUTDOWN};
use crate::handle::{Outcome, ask};
use crate::snapshot::{ChildInfo, Observer, Overview};
use crate::start::{StartFn, Started};

/// A running (or ended) dynamic supervisor. Clones mean the same one; a restart of the supervisor makes a new one.
pub struct DynamicHandle<K> {
    pub(super) actor: ActorRef<Msg<K>>,
    pub(super) outcome: Outcome,
    pub(super) name: fn(&K) -> String,
}

impl<K: Key> DynamicHandle<K> {
    /// The supervisor's actor.
    pub fn cell(&self) -> ActorCell {
        self.actor.get_cell()
    }

    /// Starts a child and returns when it is up. `start` is kept for its restarts; it must `spawn_linked` to the cell that
    /// it gets, see [`StartFn::new`].
    ///
    /// # Errors
    /// [`HandleError::Start`] (then it was not added), [`HandleError::AlreadyPresent`], [`HandleError::TooManyChildren`],
    /// [`HandleError::Terminated`] if somebody terminated it meanwhile, or [`HandleError::Gone`].
    pub async fn start_child<F, Fut, S>(&self, key: K, start: F) -> Result<ActorCell, HandleError>
    where
        F: Fn(ActorCell) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<S, StartError>> + Send + 'static,
        S: Into<Started>,
    {
        self.start_child_from(key, StartFn::new(start)).await
    }

    /// The same with a start function that exists already; sharing one between children costs a pointer each.
    ///
    /// # Errors
    /// As [`start_child`](Self::start_child).
    pub async fn start_child_from(&self, key: K, start: StartFn) -> Result<ActorCell, HandleError> {
        ask(&self.actor, |reply| Msg::Start(key, start, reply)).await?
    }

    /// Stops and forgets a child and returns when it is down. The others go on meanwhile.
    ///
    /// # Errors
    /// [`HandleError::UnknownChild`] or [`HandleError::Gone`].
    pub async fn terminate_child(&self, key: K) -> Result<(), HandleError> {
        ask(&self.actor, |reply| Msg::Terminate(key, reply)).await?
    }

    /// Restarts a child on purpose: stops it by the rules of the spec, unless it is down already, and starts it again at
    /// once. Not counted towards the intensity.
    ///
    /// # Errors
    /// As [`terminate_child`](Self::terminate_child) and [`start_child`](Self::start_child).
    pub async fn restart_child(&self, key: K) -> Result<ActorCell, HandleError> {
        let start = ask(&self.actor, |reply| Msg::StartOf(key.clone(), reply)).await??;
        self.terminate_child(key.clone()).await?;
        self.start_child_from(key, start).await
    }

    /// The present incarnation of a child, or none while it is down or not yet up.
    ///
    /// # Errors
    /// [`HandleError::UnknownChild`] or [`HandleError::Gone`].
    pub async fn find(&self, key: K) -> Result<Option<ActorCell>, HandleError> {
        ask(&self.actor, |reply| Msg::Find(key, reply)).await?
    }

    /// Its children in no order.
    ///
    /// # Errors
    /// [`HandleError::Gone`].
    pub async fn children(&self) -> Result<Vec<ChildInfo<K>>, HandleError> {
        Ok(self.look(usize::MAX).await?.children)
    }

    async fn look(&self, limit: usize) -> Result<Overview<K>, HandleError> {
        let asked = Instant::now();
        ask(&self.actor, |reply| Msg::Look(limit, asked, reply)).await
    }

    /// Stops the children side by side, then the supervisor; returns when all are down, with how the supervisor ended (not
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
            async move { Ok(handle.look(limit).await?.map(|key| (handle.name)(&key))) }
        })
    }
}

impl<K> Clone for DynamicHandle<K> {
    fn clone(&self) -> Self {
        Self {
            actor: self.actor.clone(),
            outcome: self.outcome.clone(),
            name: self.name,
        }
    }
}

impl<K> fmt::Debug for DynamicHandle<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynamicHandle")
            .field("actor", &self.actor.get_id())
            .finish_non_exhaustive()
    }
}

impl<K: Key> From<DynamicHandle<K>> for Started {
    fn from(handle: DynamicHandle<K>) -> Self {
        Self {
            cell: handle.cell(),
            observer: Some(handle.observer()),
        }
    }
}
