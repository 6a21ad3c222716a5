//! The static supervisor: an ordered list of children and one strategy.

mod actor;
mod child;
mod children;

use std::collections::HashSet;
use std::time::Duration;

use ractor::{Actor, ActorCell};

use crate::backoff::Backoff;
use crate::error::StartError;
use crate::handle::{Outcome, SupervisorHandle};
use crate::intensity::Intensity;
use crate::spec::{ChildId, ChildSpec};
use crate::strategy::Strategy;
use actor::{Arguments, Supervisor};

pub(crate) use actor::Msg;

/// A static supervisor to be: reads as a list.
#[derive(Debug, Clone)]
pub struct SupervisorSpec {
    strategy: Strategy,
    intensity: Intensity,
    backoff: Backoff,
    children: Vec<ChildSpec>,
}

impl SupervisorSpec {
    /// No children yet, one restart in five seconds, no back-off (the defaults of OTP).
    pub fn new(strategy: Strategy) -> Self {
        Self {
            strategy,
            intensity: Intensity::default(),
            backoff: Backoff::NONE,
            children: Vec::new(),
        }
    }

    /// Sets how many restarts are too many.
    pub fn intensity(mut self, intensity: Intensity) -> Self {
        self.intensity = intensity;
        self
    }

    /// Sets how long restarts wait.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// Adds a child at the right end.
    pub fn child(mut self, child: ChildSpec) -> Self {
        self.children.push(child);
        self
    }

    /// Starts it at the root of a tree; returns when all children are up. When it ends, [`SupervisorHandle::wait`] says how.
    ///
    /// # Errors
    /// [`StartError::DuplicateChild`], or [`StartError::Child`] for the child that failed; those before it were stopped again.
    pub async fn start(self) -> Result<SupervisorHandle, StartError> {
        let (arguments, outcome) = self.arguments()?;
        let (actor, _) = Supervisor::spawn(None, Supervisor, arguments).await?;
        Ok(SupervisorHandle { actor, outcome })
    }

    /// Starts it under another supervisor; for start functions that want to keep the handle.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn start_linked(self, supervisor: ActorCell) -> Result<SupervisorHandle, StartError> {
        let (arguments, outcome) = self.arguments()?;
        let (actor, _) = Supervisor::spawn_linked(None, Supervisor, arguments, supervisor).await?;
        Ok(SupervisorHandle { actor, outcome })
    }

    /// A permanent child of another supervisor: no limit to stop, and to start as long as its children may take together.
    pub fn into_child(self, id: impl Into<ChildId>) -> ChildSpec {
        let limit = self
            .children
            .iter()
            .fold(ChildSpec::START_TIMEOUT, |sum: Duration, child| {
                sum.saturating_add(child.start_timeout)
            });
        ChildSpec::new(id, move |supervisor| self.clone().start_linked(supervisor))
            .supervisor()
            .start_timeout(limit)
    }

    fn arguments(self) -> Result<(Arguments, Outcome), StartError> {
        let mut seen = HashSet::new();
        if let Some(twice) = self.children.iter().find(|child| !seen.insert(child.id())) {
            return Err(StartError::DuplicateChild(twice.id().to_string()));
        }
        let outcome = Outcome::default();
        Ok((
            Arguments {
                spec: self,
                outcome: outcome.clone(),
            },
            outcome,
        ))
    }
}
