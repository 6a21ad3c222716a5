//! One child of a dynamic supervisor and where it is in its life.

use std::time::Duration;

use ractor::ActorCell;
use tokio::task::JoinHandle;

use super::{DynamicSpec, Key};
use crate::error::HandleError;
use crate::handle::Reply;
use crate::probe::Prober;
use crate::snapshot::{ChildInfo, ChildState};
use crate::start::{StartFn, Started};

/// Names one phase of one child. A message that carries another ticket than its child speaks of the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ticket(pub(super) u64);

pub(super) enum Phase {
    /// A task starts it; a first start has somebody who waits for it.
    Starting {
        task: JoinHandle<()>,
        asker: Option<Reply<Result<ActorCell, HandleError>>>,
    },
    Running(Started),
    /// A task stops it, and these wait for that.
    Stopping {
        started: Started,
        askers: Vec<Reply<Result<(), HandleError>>>,
    },
    /// A timer will restart it.
    Waiting,
}

pub(super) struct Child {
    pub(super) start: StartFn,
    pub(super) phase: Phase,
    pub(super) ticket: Ticket,
    /// Restarts in its life, failed attempts included.
    pub(super) restarts: u32,
    /// Restarts in a row, for the back-off.
    pub(super) attempt: u32,
    /// When its present incarnation came up; none if it did not.
    pub(super) up_since: Option<Duration>,
}

/// There are thousands of these; each must be small beside its actor's 7 to 10 KB.
const _: () = assert!(size_of::<Child>() <= 96, "a child's record has grown");

impl Child {
    pub(super) fn running(&self) -> Option<&Started> {
        match &self.phase {
            Phase::Running(started) => Some(started),
            Phase::Starting { .. } | Phase::Stopping { .. } | Phase::Waiting => None,
        }
    }

    /// At `now`, time since the supervisor was born.
    pub(super) fn info<K: Key>(
        &self,
        key: K,
        spec: &DynamicSpec<K>,
        now: Duration,
    ) -> ChildInfo<K> {
        let (started, state) = match &self.phase {
            Phase::Starting { .. } => (None, ChildState::Starting),
            Phase::Running(started) => (Some(started), ChildState::Running),
            Phase::Stopping { started, .. } => (Some(started), ChildState::Stopping),
            Phase::Waiting => (None, ChildState::Restarting),
        };
        ChildInfo {
            id: key,
            actor: started.map(|started| started.cell.get_id()),
            state,
            restarts: self.restarts,
            kind: spec.kind,
            restart: spec.restart,
            age: started
                .and(self.up_since)
                .map(|since| now.saturating_sub(since)),
            prober: started
                .zip(spec.probe.clone())
                .map(|(started, probe)| Prober::new(started.cell.clone(), probe)),
            observer: started.and_then(|started| started.observer.clone()),
        }
    }
}
