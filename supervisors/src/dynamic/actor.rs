//! The actor around [`Children`].

use std::marker::PhantomData;

use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, SupervisionEvent};
use tokio::time::Instant;

use super::child::Ticket;
use super::children::Children;
use super::{DynamicSpec, Key};
use crate::error::{Escalation, HandleError, StartError};
use crate::exit::ExitReason;
use crate::handle::{Outcome, Reply, answer};
use crate::snapshot::Overview;
use crate::start::{StartFn, Started};

/// What a dynamic supervisor is asked by its handle, and told by its tasks and timers.
pub(crate) enum Msg<K> {
    Look(usize, Instant, Reply<Overview<K>>),
    Find(K, Reply<Result<Option<ActorCell>, HandleError>>),
    Start(K, StartFn, Reply<Result<ActorCell, HandleError>>),
    StartOf(K, Reply<Result<StartFn, HandleError>>),
    Terminate(K, Reply<Result<(), HandleError>>),
    Started(K, Ticket, Result<Started, StartError>),
    Stopped(K, Ticket),
    Due(K, Ticket),
}

#[cfg(feature = "cluster")]
impl<K: Key> ractor::Message for Msg<K> {}

pub(super) struct DynamicSupervisor<K>(PhantomData<fn() -> K>);

impl<K> Default for DynamicSupervisor<K> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

pub(super) struct Arguments<K> {
    pub(super) spec: DynamicSpec<K>,
    pub(super) outcome: Outcome,
}

pub(super) struct State<K> {
    children: Children<K>,
    outcome: Outcome,
}

impl<K: Key> Actor for DynamicSupervisor<K> {
    type Msg = Msg<K>;
    type State = State<K>;
    type Arguments = Arguments<K>;

    async fn pre_start(
        &self,
        myself: ActorRef<Msg<K>>,
        arguments: Arguments<K>,
    ) -> Result<State<K>, ActorProcessingErr> {
        let Arguments { spec, outcome } = arguments;
        Ok(State {
            children: Children::new(myself, spec),
            outcome,
        })
    }

    async fn handle(
        &self,
        _: ActorRef<Msg<K>>,
        message: Msg<K>,
        state: &mut State<K>,
    ) -> Result<(), ActorProcessingErr> {
        let children = &mut state.children;
        let verdict = match message {
            Msg::Look(limit, asked, reply) => {
                answer(reply, children.overview(limit, asked.elapsed()));
                Ok(())
            }
            Msg::Find(key, reply) => {
                answer(reply, children.find(&key));
                Ok(())
            }
            Msg::Start(key, start, reply) => {
                children.add(key, start, reply);
                Ok(())
            }
            Msg::StartOf(key, reply) => {
                answer(reply, children.start_of(&key));
                Ok(())
            }
            Msg::Terminate(key, reply) => {
                children.terminate(key, reply).await;
                Ok(())
            }
            Msg::Started(key, ticket, Ok(started)) => children.came_up(key, ticket, started),
            Msg::Started(key, ticket, Err(error)) => children.start_failed(key, ticket, error),
            Msg::Stopped(key, ticket) => {
                children.stop_is_over(&key, ticket);
                Ok(())
            }
            Msg::Due(key, ticket) => {
                children.restart(&key, ticket);
                Ok(())
            }
        };
        state.go_on(verdict).await
    }

    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<Msg<K>>,
        event: SupervisionEvent,
        state: &mut State<K>,
    ) -> Result<(), ActorProcessingErr> {
        let (actor, reason) = match event {
            SupervisionEvent::ActorStarted(cell) => {
                state.children.linked(cell);
                return Ok(());
            }
            SupervisionEvent::ActorTerminated(cell, _, reason) => {
                (cell.get_id(), ExitReason::of_termination(reason.as_deref()))
            }
            SupervisionEvent::ActorFailed(cell, error) => {
                (cell.get_id(), ExitReason::of_failure(&error))
            }
            SupervisionEvent::ProcessGroupChanged(_) => return Ok(()),
            #[cfg(feature = "cluster")]
            SupervisionEvent::PidLifecycleEvent(_) => return Ok(()),
        };
        let verdict = state.children.ended(actor, reason);
        state.go_on(verdict).await
    }

    /// ractor would kill the children; they are stopped before it can.
    async fn post_stop(
        &self,
        _: ActorRef<Msg<K>>,
        state: &mut State<K>,
    ) -> Result<(), ActorProcessingErr> {
        state.children.stop_all().await;
        state.outcome.set(ExitReason::Shutdown);
        Ok(())
    }
}

impl<K: Key> State<K> {
    /// Gives up if it must: with all children down, the error makes ractor tell the supervisor above.
    async fn go_on(&mut self, verdict: Result<(), Escalation>) -> Result<(), ActorProcessingErr> {
        let Err(escalation) = verdict else {
            return Ok(());
        };
        tracing::error!(%escalation, "dynamic supervisor gives up");
        self.children.stop_all().await;
        self.outcome.set(ExitReason::Failed(escalation.to_string()));
        Err(escalation.into())
    }
}
