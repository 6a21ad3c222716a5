//! One child of a static supervisor and where it is in its life.

use std::time::Duration;

use ractor::ActorId;

use crate::probe::Prober;
use crate::snapshot::{ChildInfo, ChildState};
use crate::spec::ChildSpec;
use crate::start::Started;

/// Names one pending restart of one or more children. A due timer whose ticket no child carries is stale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ticket(pub(super) u64);

pub(super) enum Phase {
    Running(Started),
    Restarting(Ticket),
    Stopped,
}

pub(super) struct Child {
    pub(super) spec: ChildSpec,
    pub(super) phase: Phase,
    /// Restarts in its life, failed attempts included.
    pub(super) restarts: u32,
    /// Restarts in a row, for the back-off.
    pub(super) attempt: u32,
    /// When its present or last incarnation came up.
    pub(super) up_since: Duration,
}

impl Child {
    pub(super) fn new(spec: ChildSpec) -> Self {
        Self {
            spec,
            phase: Phase::Stopped,
            restarts: 0,
            attempt: 0,
            up_since: Duration::ZERO,
        }
    }

    pub(super) fn running(&self) -> Option<&Started> {
        match &self.phase {
            Phase::Running(started) => Some(started),
            Phase::Restarting(_) | Phase::Stopped => None,
        }
    }

    pub(super) fn is(&self, actor: ActorId) -> bool {
        self.running()
            .is_some_and(|started| started.cell.get_id() == actor)
    }

    pub(super) fn waits(&self) -> bool {
        matches!(self.phase, Phase::Restarting(_))
    }

    pub(super) fn waits_for(&self, ticket: Ticket) -> bool {
        matches!(self.phase, Phase::Restarting(own) if own == ticket)
    }

    /// At `now`, time since the supervisor was born.
    pub(super) fn info(&self, now: Duration) -> ChildInfo {
        let (actor, state, observer) = match &self.phase {
            Phase::Running(started) => (
                Some(started.cell.get_id()),
                ChildState::Running,
                started.observer.clone(),
            ),
            Phase::Restarting(_) => (None, ChildState::Restarting, None),
            Phase::Stopped => (None, ChildState::Stopped, None),
        };
        ChildInfo {
            id: self.spec.id.clone(),
            actor,
            state,
            restarts: self.restarts,
            kind: self.spec.kind,
            restart: self.spec.restart,
            age: self.running().map(|_| now.saturating_sub(self.up_since)),
            prober: self
                .running()
                .zip(self.spec.probe.clone())
                .map(|(started, probe)| Prober::new(started.cell.clone(), probe)),
            observer,
        }
    }
}
