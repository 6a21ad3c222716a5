//! Starting a child: bounded in time, and a panic stays inside.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use ractor::concurrency::JoinHandle;
use ractor::{Actor, ActorCell, ActorRef, ActorStatus, Message};

use crate::error::StartError;
use crate::snapshot::Observer;

type StartFuture = Pin<Box<dyn Future<Output = Result<Started, StartError>> + Send>>;

/// A child that is up.
#[derive(Debug, Clone)]
pub struct Started {
    pub(crate) cell: ActorCell,
    pub(crate) observer: Option<Observer>,
}

impl From<ActorCell> for Started {
    fn from(cell: ActorCell) -> Self {
        Self {
            cell,
            observer: None,
        }
    }
}

impl<M: Message> From<ActorRef<M>> for Started {
    fn from(actor: ActorRef<M>) -> Self {
        actor.get_cell().into()
    }
}

impl<M: Message> From<(ActorRef<M>, JoinHandle<()>)> for Started {
    /// What `Actor::spawn_linked` returns. The join handle is not needed: the supervisor is told by the link.
    fn from((actor, _): (ActorRef<M>, JoinHandle<()>)) -> Self {
        actor.into()
    }
}

/// A function that starts a child, as often as needed.
#[derive(Clone)]
pub struct StartFn(Arc<dyn Fn(ActorCell) -> StartFuture + Send + Sync>);

impl StartFn {
    /// `start` gets its supervisor's cell, must `spawn_linked` the child to it and returns the child. It must be safe to
    /// drop half-way (`spawn_linked` is), and must not wait for an answer of that same supervisor, which is busy starting it.
    pub fn new<F, Fut, S>(start: F) -> Self
    where
        F: Fn(ActorCell) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<S, StartError>> + Send + 'static,
        S: Into<Started>,
    {
        Self(Arc::new(move |supervisor| {
            let future = start(supervisor);
            Box::pin(async move { Ok(future.await?.into()) })
        }))
    }

    /// Spawns an unnamed actor from what `make` returns each time.
    pub fn actor<A, F>(make: F) -> Self
    where
        A: Actor,
        F: Fn() -> (A, A::Arguments) + Send + Sync + 'static,
    {
        Self::new(move |supervisor| {
            let (handler, arguments) = make();
            async move { Ok(A::spawn_linked(None, handler, arguments, supervisor).await?) }
        })
    }

    /// Starts the child. Whatever the function does, this returns within `limit`, and with a live child linked to `supervisor`
    /// or with an error.
    pub(crate) async fn run(
        &self,
        supervisor: &ActorCell,
        limit: Duration,
    ) -> Result<Started, StartError> {
        let future = catch_unwind(AssertUnwindSafe(|| (self.0)(supervisor.clone())));
        let future = future.map_err(|panic| StartError::Panicked(panic_text(panic.as_ref())))?;
        let Ok(caught) = tokio::time::timeout(limit, catch_panic(future)).await else {
            return Err(StartError::TimedOut(limit));
        };
        let started = caught.map_err(StartError::Panicked)??;
        adopt(&started.cell, supervisor);
        Ok(started)
    }
}

/// A start function that forgot to link its child would leave the supervisor without events.
fn adopt(child: &ActorCell, supervisor: &ActorCell) {
    let linked = child
        .try_get_supervisor()
        .is_some_and(|current| current.get_id() == supervisor.get_id());
    if linked || child.get_status() >= ActorStatus::Stopping {
        // An ending child unlinks itself after it has sent its last event, which is on its way to us.
        return;
    }
    tracing::warn!(child = %child.get_id(), "the start function did not link its child; linked now");
    child.link(supervisor.clone());
}

async fn catch_panic<F: Future>(future: F) -> Result<F::Output, String> {
    let mut future = pin!(future);
    std::future::poll_fn(|context| {
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
            Err(panic) => Poll::Ready(Err(panic_text(panic.as_ref()))),
        }
    })
    .await
}

/// The text of a panic, if it has one.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> String {
    if let Some(text) = panic.downcast_ref::<&str>() {
        return (*text).to_owned();
    }
    match panic.downcast_ref::<String>() {
        Some(text) => text.clone(),
        None => "a panic without a text".to_owned(),
    }
}
