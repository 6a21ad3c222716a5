//! The dynamic supervisor: any number of children of one kind, each with a key (OTP: `simple_one_for_one`, Elixir:
//! `DynamicSupervisor`).

mod actor;
mod child;
mod children;
mod handle;

use std::fmt;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use ractor::{Actor, ActorCell};

use crate::backoff::Backoff;
use crate::error::StartError;
use crate::exit::ExitReason;
use crate::handle::Outcome;
use crate::intensity::Intensity;
use crate::probe::Probe;
use crate::spec::{ChildId, ChildSpec, Kind, Restart, Shutdown};
use actor::{Arguments, DynamicSupervisor};

pub use handle::DynamicHandle;

/// What names a child of a dynamic supervisor: a number or a small id type. Implemented for all types that can.
pub trait Key: Clone + Eq + Hash + fmt::Debug + Send + Sync + 'static {}

impl<T: Clone + Eq + Hash + fmt::Debug + Send + Sync + 'static> Key for T {}

/// The end of a child, as the exit hook sees it.
#[derive(Debug, Clone, Copy)]
pub struct ChildExit<'a, K> {
    /// Which child.
    pub key: &'a K,
    /// How it ended.
    pub reason: &'a ExitReason,
    /// How often it was restarted since `start_child`, failed attempts included.
    pub restarts: u32,
    /// How long its last incarnation lived; zero if it did not come up.
    pub lived: Duration,
}

/// What the exit hook wants to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// What the spec says: its restart type, back-off and intensity.
    BySpec,
    /// Restart after this delay, whatever the restart type. The hook bounds its restarts itself: they do not count towards the
    /// intensity, so that one bad child cannot take its siblings down.
    RestartAfter(Duration),
    /// Forget the child.
    Forget,
}

type ExitHook<K> = Arc<dyn Fn(ChildExit<'_, K>) -> Decision + Send + Sync>;

/// A dynamic supervisor to be.
pub struct DynamicSpec<K> {
    restart: Restart,
    shutdown: Shutdown,
    kind: Kind,
    start_timeout: Duration,
    intensity: Intensity,
    backoff: Backoff,
    max_children: usize,
    on_exit: Option<ExitHook<K>>,
    probe: Option<Probe>,
    name: fn(&K) -> String,
}

impl<K: Key> DynamicSpec<K> {
    /// How many children at most unless the spec says otherwise: at 7 to 10 KB an actor about 1 GB.
    pub const MAX_CHILDREN: usize = 100_000;

    /// Workers with five seconds to stop and ten to start, one restart in five seconds over all children, no back-off, no hook.
    pub fn new(restart: Restart) -> Self {
        Self {
            restart,
            shutdown: Shutdown::Timeout(ChildSpec::SHUTDOWN_TIMEOUT),
            kind: Kind::Worker,
            start_timeout: ChildSpec::START_TIMEOUT,
            intensity: Intensity::default(),
            backoff: Backoff::NONE,
            max_children: Self::MAX_CHILDREN,
            on_exit: None,
            probe: None,
            name: |key| format!("{key:?}"),
        }
    }

    /// Sets how a child is stopped. When the supervisor ends, all children are stopped side by side.
    pub fn shutdown(mut self, shutdown: Shutdown) -> Self {
        self.shutdown = shutdown;
        self
    }

    /// Declares the children supervisors, which may take as long as they need to stop.
    pub fn supervisors(mut self) -> Self {
        self.kind = Kind::Supervisor;
        self.shutdown = Shutdown::Infinity;
        self
    }

    /// Sets how long a child may take to start. The others go on meanwhile.
    pub fn start_timeout(mut self, limit: Duration) -> Self {
        self.start_timeout = limit;
        self
    }

    /// Sets how many restarts, over all children and by spec, are too many.
    pub fn intensity(mut self, intensity: Intensity) -> Self {
        self.intensity = intensity;
        self
    }

    /// Sets how long restarts by spec wait.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// Sets how many children there may be, those that start or wait for a restart included.
    pub fn max_children(mut self, limit: usize) -> Self {
        self.max_children = limit;
        self
    }

    /// Sets how whoever draws the tree measures the children's mailboxes. They share it: a child costs nothing more.
    pub fn probe(mut self, probe: Probe) -> Self {
        self.probe = Some(probe);
        self
    }

    /// Sets what observers call a child; by default what its key's `Debug` says.
    pub fn name(mut self, name: fn(&K) -> String) -> Self {
        self.name = name;
        self
    }

    /// Calls `hook` in the supervisor for each end of a child and each restart that did not come up: it must be quick and
    /// must not block. After `terminate_child` it is called to inform and its decision is ignored. It is not called for a
    /// first start that fails (its caller hears of that) nor for children that end with their supervisor. If it panics, that
    /// is logged and the spec decides.
    pub fn on_exit<F>(mut self, hook: F) -> Self
    where
        F: Fn(ChildExit<'_, K>) -> Decision + Send + Sync + 'static,
    {
        self.on_exit = Some(Arc::new(hook));
        self
    }

    /// Starts it at the root of a tree.
    ///
    /// # Errors
    /// [`StartError::Spawn`].
    pub async fn start(self) -> Result<DynamicHandle<K>, StartError> {
        let name = self.name;
        let (arguments, outcome) = self.arguments();
        let (actor, _) =
            DynamicSupervisor::spawn(None, DynamicSupervisor::default(), arguments).await?;
        Ok(DynamicHandle {
            actor,
            outcome,
            name,
        })
    }

    /// Starts it under another supervisor; for start functions that want to keep the handle, which is how others find it.
    ///
    /// # Errors
    /// [`StartError::Spawn`].
    pub async fn start_linked(self, supervisor: ActorCell) -> Result<DynamicHandle<K>, StartError> {
        let name = self.name;
        let (arguments, outcome) = self.arguments();
        let handler = DynamicSupervisor::default();
        let (actor, _) =
            DynamicSupervisor::spawn_linked(None, handler, arguments, supervisor).await?;
        Ok(DynamicHandle {
            actor,
            outcome,
            name,
        })
    }

    /// A permanent child of a static supervisor. `keep` gets the handle of each incarnation.
    pub fn into_child(
        self,
        id: impl Into<ChildId>,
        keep: impl Fn(DynamicHandle<K>) + Clone + Send + Sync + 'static,
    ) -> ChildSpec {
        ChildSpec::new(id, move |supervisor| {
            let (spec, keep) = (self.clone(), keep.clone());
            async move {
                let handle = spec.start_linked(supervisor).await?;
                keep(handle.clone());
                Ok(handle)
            }
        })
        .supervisor()
    }

    fn arguments(self) -> (Arguments<K>, Outcome) {
        let outcome = Outcome::default();
        (
            Arguments {
                spec: self,
                outcome: outcome.clone(),
            },
            outcome,
        )
    }
}

impl<K> Clone for DynamicSpec<K> {
    fn clone(&self) -> Self {
        Self {
            on_exit: self.on_exit.clone(),
            probe: self.probe.clone(),
            ..*self
        }
    }
}

impl<K> fmt::Debug for DynamicSpec<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynamicSpec")
            .field("restart", &self.restart)
            .field("shutdown", &self.shutdown)
            .field("kind", &self.kind)
            .field("intensity", &self.intensity)
            .field("backoff", &self.backoff)
            .field("max_children", &self.max_children)
            .finish_non_exhaustive()
    }
}
