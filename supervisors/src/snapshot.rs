//! What a supervisor tells about its children, for a view of the tree.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use ractor::ActorId;

use crate::error::HandleError;
use crate::spec::{ChildId, Kind};

/// Where a child is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChildState {
    /// Being started (dynamic supervisors only; a static one does nothing else meanwhile).
    Starting,
    /// Up.
    Running,
    /// Down, waiting for its restart.
    Restarting,
    /// Asked to stop (dynamic supervisors only).
    Stopping,
    /// Down: it ended and is not restarted, or it was terminated.
    Stopped,
}

/// One child at the moment of asking.
#[derive(Debug, Clone)]
pub struct ChildInfo<I = ChildId> {
    /// Its id, or its key under a dynamic supervisor.
    pub id: I,
    /// Its present incarnation, if there is one.
    pub actor: Option<ActorId>,
    /// Where it is in its life.
    pub state: ChildState,
    /// How often it was restarted, failed attempts included.
    pub restarts: u32,
    /// Worker or supervisor.
    pub kind: Kind,
    /// The way down, if the child is a supervisor of this crate.
    pub observer: Option<Observer>,
}

impl<I> ChildInfo<I> {
    pub(crate) fn map<J>(self, id: impl FnOnce(I) -> J) -> ChildInfo<J> {
        ChildInfo {
            id: id(self.id),
            actor: self.actor,
            state: self.state,
            restarts: self.restarts,
            kind: self.kind,
            observer: self.observer,
        }
    }
}

type Snapshot = Pin<Box<dyn Future<Output = Result<Vec<ChildInfo<String>>, HandleError>> + Send>>;

/// Looks at a supervisor of any kind and key, without being able to change it.
#[derive(Clone)]
pub struct Observer(Arc<dyn Fn() -> Snapshot + Send + Sync>);

impl Observer {
    pub(crate) fn new<F, Fut>(ask: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Vec<ChildInfo<String>>, HandleError>> + Send + 'static,
    {
        Self(Arc::new(move || Box::pin(ask())))
    }

    /// The children in start order (in no order under a dynamic supervisor), ids as text.
    ///
    /// # Errors
    /// [`HandleError::Gone`] if the supervisor has ended.
    pub async fn children(&self) -> Result<Vec<ChildInfo<String>>, HandleError> {
        (self.0)().await
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer")
    }
}
