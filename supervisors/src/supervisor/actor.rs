//! The actor around [`Children`]: messages and events in, timers out.

use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, SupervisionEvent};
use tokio::time::Instant;

use super::SupervisorSpec;
use super::child::Ticket;
use super::children::{Children, Due};
use crate::error::{Escalation, HandleError};
use crate::exit::ExitReason;
use crate::handle::{Outcome, Reply, answer};
use crate::snapshot::Overview;
use crate::spec::{ChildId, ChildSpec};

/// What a static supervisor is asked; sent by its handle only.
pub(crate) enum Msg {
    Look(usize, Instant, Reply<Overview>),
    Find(ChildId, Reply<Result<Option<ActorCell>, HandleError>>),
    Start(ChildSpec, Reply<Result<ActorCell, HandleError>>),
    Terminate(ChildId, Reply<Result<(), HandleError>>),
    Restart(ChildId, Reply<Result<ActorCell, HandleError>>),
    Delete(ChildId, Reply<Result<(), HandleError>>),
    Due(Ticket),
}

#[cfg(feature = "cluster")]
impl ractor::Message for Msg {}

pub(super) struct Supervisor;

pub(super) struct Arguments {
    pub(super) spec: SupervisorSpec,
    pub(super) outcome: Outcome,
}

pub(super) struct State {
    children: Children,
    outcome: Outcome,
}

impl Actor for Supervisor {
    type Msg = Msg;
    type State = State;
    type Arguments = Arguments;

    /// If the starter loses patience it drops this half-way, and ractor kills the children that are linked already.
    async fn pre_start(
        &self,
        myself: ActorRef<Msg>,
        arguments: Arguments,
    ) -> Result<State, ActorProcessingErr> {
        let Arguments { spec, outcome } = arguments;
        Ok(State {
            children: Children::start(myself.get_cell(), spec).await?,
            outcome,
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<Msg>,
        message: Msg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        let children = &mut state.children;
        match message {
            Msg::Look(limit, asked, reply) => {
                answer(reply, children.overview(limit, asked.elapsed()))
            }
            Msg::Find(id, reply) => answer(reply, children.find(&id)),
            Msg::Start(spec, reply) => answer(reply, children.add(spec).await),
            Msg::Terminate(id, reply) => answer(reply, children.terminate(&id).await),
            Msg::Restart(id, reply) => answer(reply, children.start_again(&id).await),
            Msg::Delete(id, reply) => answer(reply, children.delete(&id)),
            Msg::Due(ticket) => {
                let next = children.restart(ticket).await;
                return state.go_on(&myself, next).await;
            }
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<Msg>,
        event: SupervisionEvent,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        let (actor, reason) = match event {
            SupervisionEvent::ActorStarted(cell) => {
                state.refuse_stray(&cell);
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
        let next = state.children.ended(actor, &reason).await;
        state.go_on(&myself, next).await
    }

    /// ractor would kill the children; they are stopped before it can.
    async fn post_stop(
        &self,
        _: ActorRef<Msg>,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        state.children.stop_all().await;
        state.outcome.set(ExitReason::Shutdown);
        Ok(())
    }
}

impl State {
    /// Waits for the restart that is due, or gives up: with all children down, the error that is returned makes ractor tell
    /// the supervisor above that this one failed.
    async fn go_on(
        &mut self,
        myself: &ActorRef<Msg>,
        next: Result<Option<Due>, Escalation>,
    ) -> Result<(), ActorProcessingErr> {
        match next {
            Ok(None) => Ok(()),
            Ok(Some(Due { ticket, delay })) if delay.is_zero() => {
                Ok(myself.send_message(Msg::Due(ticket))?)
            }
            Ok(Some(Due { ticket, delay })) => {
                // The timer outlives a change of mind; then no child carries its ticket.
                myself.send_after(delay, move || Msg::Due(ticket));
                Ok(())
            }
            Err(escalation) => {
                tracing::error!(supervisor = %myself.get_id(), %escalation, "supervisor gives up");
                self.children.stop_all().await;
                self.outcome.set(ExitReason::Failed(escalation.to_string()));
                Err(escalation.into())
            }
        }
    }

    /// A start function that timed out or failed after it had spawned its child leaves an actor that nobody answers for.
    fn refuse_stray(&self, cell: &ActorCell) {
        if !self.children.knows(cell.get_id()) {
            tracing::warn!(actor = %cell.get_id(), "killing an actor that was linked here by no child spec");
            cell.kill();
        }
    }
}
