//! What a supervisor tells about its children, for a view of the tree.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use ractor::ActorId;

use crate::error::HandleError;
use crate::intensity::Intensity;
use crate::probe::Prober;
use crate::spec::{ChildId, Kind, Restart};
use crate::strategy::Strategy;

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
    /// When it is started again.
    pub restart: Restart,
    /// How long its present incarnation has been up; none while it is not.
    pub age: Option<Duration>,
    /// Takes its pulse, if its spec says how and it is up.
    pub prober: Option<Prober>,
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
            restart: self.restart,
            age: self.age,
            prober: self.prober,
            observer: self.observer,
        }
    }
}

/// A supervisor at the moment of asking.
#[derive(Debug, Clone)]
pub struct Overview<I = ChildId> {
    /// None: a dynamic supervisor, whose children do not depend on each other.
    pub strategy: Option<Strategy>,
    /// How many restarts it allows.
    pub intensity: Intensity,
    /// How many count towards that now.
    pub recent: usize,
    /// Restarts since it started, failed attempts and children that are gone included.
    pub restarts: u64,
    /// How long it has been up.
    pub age: Duration,
    /// How long the question waited in its mailbox. A static supervisor that starts or stops a child answers afterwards.
    pub delay: Duration,
    /// All its children, counted.
    pub census: Census,
    /// As many of them as were asked for: in start order (in no order under a dynamic supervisor).
    pub children: Vec<ChildInfo<I>>,
}

/// Children, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Census {
    /// In any state.
    pub all: usize,
    /// Up.
    pub running: usize,
    /// Restarts of those that are there, failed attempts included.
    pub restarts: u64,
}

impl Census {
    pub(crate) fn count(&mut self, running: bool, restarts: u32) {
        self.all += 1;
        self.running += usize::from(running);
        self.restarts += u64::from(restarts);
    }
}

impl<I> Overview<I> {
    pub(crate) fn map<J>(self, mut id: impl FnMut(I) -> J) -> Overview<J> {
        Overview {
            strategy: self.strategy,
            intensity: self.intensity,
            recent: self.recent,
            restarts: self.restarts,
            age: self.age,
            delay: self.delay,
            census: self.census,
            children: self
                .children
                .into_iter()
                .map(|child| child.map(&mut id))
                .collect(),
        }
    }
}

type Snapshot = Pin<Box<dyn Future<Output = Result<Overview<String>, HandleError>> + Send>>;

/// Looks at a supervisor of any kind and key, without being able to change it.
#[derive(Clone)]
pub struct Observer(Arc<dyn Fn(usize) -> Snapshot + Send + Sync>);

impl Observer {
    pub(crate) fn new<F, Fut>(ask: F) -> Self
    where
        F: Fn(usize) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Overview<String>, HandleError>> + Send + 'static,
    {
        Self(Arc::new(move |limit| Box::pin(ask(limit))))
    }

    /// The supervisor, and at most `limit` of its children, ids as text. It goes on with its work: the answer is a copy. The
    /// asker bounds how long it waits.
    ///
    /// # Errors
    /// [`HandleError::Gone`] if the supervisor has ended.
    pub async fn look(&self, limit: usize) -> Result<Overview<String>, HandleError> {
        (self.0)(limit).await
    }

    /// The children in start order (in no order under a dynamic supervisor), ids as text.
    ///
    /// # Errors
    /// [`HandleError::Gone`] if the supervisor has ended.
    pub async fn children(&self) -> Result<Vec<ChildInfo<String>>, HandleError> {
        Ok(self.look(usize::MAX).await?.children)
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer")
    }
}
