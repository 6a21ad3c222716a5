//! What can go wrong with starting a child and with asking a supervisor for something.

use std::time::Duration;

use ractor::{ActorProcessingErr, SpawnErr};

/// Why a child, or a whole supervisor, did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// ractor refused to spawn the actor, or its `pre_start` failed or panicked.
    #[error("spawn failed: {0}")]
    Spawn(#[source] SpawnErr),
    /// The start function refused with an error of its own.
    #[error("start refused: {0}")]
    Refused(#[source] ActorProcessingErr),
    /// The start function itself panicked.
    #[error("start panicked: {0}")]
    Panicked(String),
    /// The child was not up within its spec's start time-out; the attempt was dropped.
    #[error("not started within {0:?}")]
    TimedOut(Duration),
    /// A child of the supervisor that was being started failed; those before it were stopped again, right to left.
    #[error("child {id} did not start: {error}")]
    Child {
        /// The child that failed.
        id: String,
        /// Why.
        #[source]
        error: Box<StartError>,
    },
    /// Two children of one spec have the same id.
    #[error("two children are called {0}")]
    DuplicateChild(String),
}

impl From<SpawnErr> for StartError {
    /// A supervisor's `pre_start` fails with a `StartError`, which comes out again as it went in.
    fn from(error: SpawnErr) -> Self {
        let SpawnErr::StartupFailed(inner) = error else {
            return Self::Spawn(error);
        };
        match inner.downcast::<Self>() {
            Ok(error) => *error,
            Err(inner) => Self::Spawn(SpawnErr::StartupFailed(inner)),
        }
    }
}

/// Why a supervisor did not do what its handle asked.
#[derive(Debug, thiserror::Error)]
pub enum HandleError {
    /// The supervisor has ended (or ended before it answered).
    #[error("the supervisor is gone")]
    Gone,
    /// It has no child of this id.
    #[error("no child {0}")]
    UnknownChild(String),
    /// It has a child of this id already.
    #[error("child {0} exists already")]
    AlreadyPresent(String),
    /// The child is running; stop it first.
    #[error("child {0} is running")]
    StillRunning(String),
    /// The child, or the group that it belongs to, is waiting for a restart.
    #[error("child {0} is about to be restarted")]
    Restarting(String),
    /// Somebody terminated the child while it was being started.
    #[error("child {0} was terminated while it started")]
    Terminated(String),
    /// The dynamic supervisor is full.
    #[error("the supervisor has its {0} children already")]
    TooManyChildren(usize),
    /// The child did not start; it was not added.
    #[error(transparent)]
    Start(#[from] StartError),
}

/// Why a supervisor failed towards its own supervisor.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Escalation {
    /// More restarts than the intensity allows.
    #[error("restart intensity exceeded: child {child} ended ({reason})")]
    IntensityExceeded {
        /// The child whose end was one too many.
        child: String,
        /// How it ended.
        reason: String,
    },
}
