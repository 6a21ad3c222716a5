//! The children of a dynamic supervisor.
//!
//! They do not depend on each other, so each starts and stops in a task of its own and the supervisor waits for none: one slow
//! child delays no other. Each phase of a child has a ticket, and a task's or timer's message with an old ticket is stale.

mod exits;
mod starts;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use ractor::{ActorCell, ActorId, ActorRef};
use tokio::time::Instant;

use super::actor::Msg;
use super::child::{Child, Phase, Ticket};
use super::{DynamicSpec, Key};
use crate::error::HandleError;
use crate::exit::ExitReason;
use crate::handle::{Reply, answer};
use crate::intensity::RestartWindow;
use crate::snapshot::{Census, Overview};
use crate::start::StartFn;
use crate::stop::{in_order, stop, stop_together};
use starts::abort;

/// An actor that is linked here and that no start task has reported yet: events overtake messages.
enum Unclaimed {
    Up(ActorCell),
    Ended(ExitReason),
}

pub(super) struct Children<K> {
    supervisor: ActorRef<Msg<K>>,
    spec: DynamicSpec<K>,
    children: HashMap<K, Child>,
    keys: HashMap<ActorId, K>,
    unclaimed: BTreeMap<ActorId, Unclaimed>,
    /// Start tasks whose report was neither read nor made void.
    starting: usize,
    window: RestartWindow,
    /// Since it started.
    restarts: u64,
    last_ticket: u64,
    born: Instant,
}

impl<K: Key> Children<K> {
    pub(super) fn new(supervisor: ActorRef<Msg<K>>, spec: DynamicSpec<K>) -> Self {
        Self {
            supervisor,
            spec,
            children: HashMap::new(),
            keys: HashMap::new(),
            unclaimed: BTreeMap::new(),
            starting: 0,
            window: RestartWindow::new(),
            restarts: 0,
            last_ticket: 0,
            born: Instant::now(),
        }
    }

    pub(super) fn overview(&self, limit: usize, delay: Duration) -> Overview<K> {
        let now = self.born.elapsed();
        let mut census = Census::default();
        for child in self.children.values() {
            census.count(child.running().is_some(), child.restarts);
        }
        let children = self.children.iter().take(limit);
        Overview {
            strategy: None,
            intensity: self.spec.intensity,
            recent: self.window.recent(self.spec.intensity, now),
            restarts: self.restarts,
            age: now,
            delay,
            census,
            children: children
                .map(|(key, child)| child.info(key.clone(), &self.spec, now))
                .collect(),
        }
    }

    pub(super) fn find(&self, key: &K) -> Result<Option<ActorCell>, HandleError> {
        let child = self.children.get(key).ok_or_else(|| unknown(key))?;
        Ok(child.running().map(|started| started.cell.clone()))
    }

    pub(super) fn start_of(&self, key: &K) -> Result<StartFn, HandleError> {
        self.children
            .get(key)
            .map(|child| child.start.clone())
            .ok_or_else(|| unknown(key))
    }

    /// Begins to start a child; the answer goes out when it is up or has failed.
    pub(super) fn add(
        &mut self,
        key: K,
        start: StartFn,
        asker: Reply<Result<ActorCell, HandleError>>,
    ) {
        if self.children.contains_key(&key) {
            return answer(asker, Err(HandleError::AlreadyPresent(format!("{key:?}"))));
        }
        if self.children.len() >= self.spec.max_children {
            return answer(
                asker,
                Err(HandleError::TooManyChildren(self.spec.max_children)),
            );
        }
        let ticket = self.ticket();
        let phase = self.begin_start(key.clone(), ticket, &start, Some(asker));
        let child = Child {
            start,
            phase,
            ticket,
            restarts: 0,
            attempt: 0,
            up_since: None,
        };
        self.children.insert(key, child);
    }

    /// Begins to stop a child; the answer goes out when it is down.
    pub(super) async fn terminate(&mut self, key: K, asker: Reply<Result<(), HandleError>>) {
        let ticket = self.ticket();
        let Some(child) = self.children.get_mut(&key) else {
            return answer(asker, Err(unknown(&key)));
        };
        match std::mem::replace(&mut child.phase, Phase::Waiting) {
            Phase::Stopping {
                started,
                mut askers,
            } => {
                askers.push(asker);
                child.phase = Phase::Stopping { started, askers };
            }
            Phase::Running(started) => {
                let cell = started.cell.clone();
                child.ticket = ticket;
                child.phase = Phase::Stopping {
                    started,
                    askers: vec![asker],
                };
                self.stop_in_background(key, ticket, cell);
            }
            Phase::Waiting => {
                self.children.remove(&key);
                answer(asker, Ok(()));
            }
            Phase::Starting {
                task,
                asker: starter,
            } => {
                self.children.remove(&key);
                abort(task).await;
                self.start_is_over();
                if let Some(starter) = starter {
                    answer(starter, Err(HandleError::Terminated(format!("{key:?}"))));
                }
                answer(asker, Ok(()));
            }
        }
    }

    /// Stops all children side by side, those included that came up and were not reported yet; each is asked in the order in
    /// which they started.
    pub(super) async fn stop_all(&mut self) {
        let mut children: Vec<Child> = self.children.drain().map(|(_, child)| child).collect();
        children.sort_unstable_by_key(|child| child.ticket);
        for child in children {
            if let Phase::Starting { task, .. } = child.phase {
                abort(task).await;
            }
        }
        self.keys.clear();
        stop_together(&in_order(&self.supervisor), self.spec.shutdown).await;
    }

    fn stop_in_background(&self, key: K, ticket: Ticket, cell: ActorCell) {
        let (shutdown, supervisor) = (self.spec.shutdown, self.supervisor.clone());
        tokio::spawn(async move {
            stop(&cell, shutdown).await;
            if supervisor.send_message(Msg::Stopped(key, ticket)).is_err() {
                tracing::debug!("the supervisor ended while a child stopped");
            }
        });
    }

    fn ticket(&mut self) -> Ticket {
        self.last_ticket += 1;
        Ticket(self.last_ticket)
    }
}

fn unknown<K: Key>(key: &K) -> HandleError {
    HandleError::UnknownChild(format!("{key:?}"))
}
