//! Child specs: what a supervisor must know to start, stop and restart a child.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use ractor::ActorCell;

use crate::error::StartError;
use crate::probe::Probe;
use crate::start::{StartFn, Started};

/// A child's name under its supervisor. It is not registered anywhere.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChildId(Cow<'static, str>);

impl ChildId {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ChildId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&'static str> for ChildId {
    fn from(id: &'static str) -> Self {
        Self(Cow::Borrowed(id))
    }
}

impl From<String> for ChildId {
    fn from(id: String) -> Self {
        Self(Cow::Owned(id))
    }
}

/// When a child that ended is started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restart {
    /// Always.
    Permanent,
    /// When it ended abnormally: by a panic, an error or a kill.
    Transient,
    /// Never; its spec goes with it.
    Temporary,
}

/// How a child is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shutdown {
    /// Asked to stop, and killed with all below it if it is not down by then.
    Timeout(Duration),
    /// Killed at once, without its `post_stop`.
    BrutalKill,
    /// Asked to stop, and waited for however long it takes. For supervisors, whose own children have limits.
    Infinity,
}

/// What a child is, for those who draw the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An actor that works.
    Worker,
    /// A supervisor.
    Supervisor,
}

/// One child of a static supervisor.
#[derive(Clone)]
pub struct ChildSpec {
    pub(crate) id: ChildId,
    pub(crate) start: StartFn,
    pub(crate) restart: Restart,
    pub(crate) shutdown: Shutdown,
    pub(crate) kind: Kind,
    pub(crate) start_timeout: Duration,
    pub(crate) probe: Option<Probe>,
}

impl ChildSpec {
    /// How long a worker may take to stop unless its spec says otherwise (as in OTP).
    pub const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);
    /// How long a child may take to start unless its spec says otherwise. OTP has no such limit.
    pub const START_TIMEOUT: Duration = Duration::from_secs(10);

    /// A permanent worker with five seconds to stop and ten to start. `start` is called for the first start and for each
    /// restart, see [`StartFn::new`].
    pub fn new<F, Fut, S>(id: impl Into<ChildId>, start: F) -> Self
    where
        F: Fn(ActorCell) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<S, StartError>> + Send + 'static,
        S: Into<Started>,
    {
        Self::from_start(id, StartFn::new(start))
    }

    /// The same with a start function that exists already, such as [`StartFn::actor`].
    pub fn from_start(id: impl Into<ChildId>, start: StartFn) -> Self {
        Self {
            id: id.into(),
            start,
            restart: Restart::Permanent,
            shutdown: Shutdown::Timeout(Self::SHUTDOWN_TIMEOUT),
            kind: Kind::Worker,
            start_timeout: Self::START_TIMEOUT,
            probe: None,
        }
    }

    /// Sets when it is restarted.
    pub fn restart(mut self, restart: Restart) -> Self {
        self.restart = restart;
        self
    }

    /// Sets how it is stopped.
    pub fn shutdown(mut self, shutdown: Shutdown) -> Self {
        self.shutdown = shutdown;
        self
    }

    /// Sets how long it may take to start. Its supervisor does nothing else meanwhile.
    pub fn start_timeout(mut self, limit: Duration) -> Self {
        self.start_timeout = limit;
        self
    }

    /// Sets how whoever draws the tree measures its mailbox.
    pub fn probe(mut self, probe: Probe) -> Self {
        self.probe = Some(probe);
        self
    }

    /// Declares it a supervisor, which may take as long as it needs to stop.
    pub fn supervisor(mut self) -> Self {
        self.kind = Kind::Supervisor;
        self.shutdown = Shutdown::Infinity;
        self
    }

    /// The child's id.
    pub fn id(&self) -> &ChildId {
        &self.id
    }
}

impl fmt::Debug for ChildSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChildSpec")
            .field("id", &self.id)
            .field("restart", &self.restart)
            .field("shutdown", &self.shutdown)
            .field("kind", &self.kind)
            .field("start_timeout", &self.start_timeout)
            .finish_non_exhaustive()
    }
}
