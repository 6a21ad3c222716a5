//! From a decision to the log, and back when it is durable.

use std::sync::Arc;

use engine::{Command, PlayerId};
#[cfg(feature = "faults")]
use engine::{Event, Secret};
use ractor::ActorRef;

use super::{Pending, Reply, TableError, TableMsg, TableRun, answer};
#[cfg(feature = "faults")]
use crate::table::fault::Defect;
use crate::{
    ids::Epoch,
    table::{
        codec::{self, Record},
        decide::{self, Decided},
        request::{CallError, Done, Position},
        shard::{
            RING_EVENTS,
            log::{LogMsg, Proposal, Proposer, Release},
        },
        state::{Cause, Step, TableState},
    },
};

/// Who hears of what is on its way, once it is durable.
pub(super) enum Answer {
    /// A player whose request is done.
    Done(PlayerId, Reply<Done>),
    /// A player whose request is refused for good.
    Refused(CallError, Reply<Done>),
    /// A session whose word about a connection is noted.
    Noted(Reply<()>),
    /// The table did it by itself.
    Nobody,
}

impl Answer {
    fn release(self, next: &TableState, epoch: Epoch) -> Option<Release> {
        match self {
            Self::Done(player, reply) => {
                let position = Position {
                    epoch,
                    seq: next.seq,
                };
                let seat = next.table.seat_of(player).map(|(seat, _)| seat);
                Some(Box::new(move || answer(reply, Ok(Done { position, seat }))))
            }
            Self::Refused(refused, reply) => Some(Box::new(move || answer(reply, Err(refused)))),
            Self::Noted(reply) => Some(Box::new(move || answer(reply, Ok(())))),
            Self::Nobody => None,
        }
    }
}

impl TableRun {
    pub(super) fn decide(&self, command: &Command) -> Result<Decided, engine::Reject> {
        engine::decide(&self.state.table, command).map(|events| Decided {
            events,
            command: decide::name(command),
        })
    }

    /// Evolves a copy, checks it, and hands it to the log. An event that does not
    /// fold to a sound table never enters the log.
    pub(super) fn propose(
        &mut self,
        myself: &ActorRef<TableMsg>,
        decided: Decided,
        cause: Option<Cause>,
        answer: Answer,
    ) -> Result<(), TableError> {
        let at_ms = (self.shard.world.wall_ms)();
        #[cfg(not(feature = "faults"))]
        let note = None;
        #[cfg(feature = "faults")]
        let note = self.leaked(&decided);
        let Step {
            batch,
            mut next,
            applied,
        } = self.state.step(decided.events, cause, note, at_ms);
        engine::check(&next.table).map_err(|broken| TableError::Broken {
            command: decided.command,
            broken,
        })?;
        let keys = &self.shard.world.keys;
        let mut records = vec![codec::encode(&Record::Batch(batch), keys)?];
        if self.snapshot_due(&next) {
            next.snapshot_seq = next.seq;
            records.push(codec::encode(
                &Record::Snapshot(Box::new(self.for_snapshot(&next))),
                keys,
            )?);
        }
        let next = Arc::new(next);
        let done = answer.release(&next, self.shard.status.epoch());
        #[cfg(feature = "faults")]
        let done = if self.shard.faults.makes(Defect::AcknowledgesEarly) {
            done.into_iter().for_each(|done| done());
            None
        } else {
            done
        };
        self.pending = Some(Pending {
            next: Arc::clone(&next),
            told: applied.told.clone(),
        });
        let proposal = Proposal {
            next,
            records,
            told: applied.told,
            finished: applied.finished,
            requested: cause.is_some_and(|cause| !cause.refused),
            from: Proposer::Table(myself.clone()),
            done,
        };
        if self.shard.log.cast(LogMsg::Propose(Box::new(proposal))) {
            Ok(())
        } else {
            Err(TableError::NoLog)
        }
    }

    /// A mistake made on purpose: the deck in clear, where a note would be.
    #[cfg(feature = "faults")]
    pub(super) fn leaked(&self, decided: &Decided) -> Option<String> {
        let deck = decided.events.iter().find_map(|event| match event {
            Event::Private(Secret::Deck(deck)) => Some(deck),
            Event::Public(_) => None,
        });
        deck.filter(|_| self.shard.faults.makes(Defect::ClearDeck))
            .map(|deck| deck.to_bytes().into_iter().map(char::from).collect())
    }

    pub(super) fn for_snapshot(&self, next: &TableState) -> TableState {
        #[cfg(feature = "faults")]
        if self.shard.faults.makes(Defect::SnapshotWithoutDeck) {
            let mut state = next.clone();
            state
                .hand_log
                .retain(|stamped| matches!(stamped.event, Event::Public(_)));
            return state;
        }
        next.clone()
    }

    /// At the first end of a hand after the interval; in mid-hand only past twice that.
    pub(super) fn snapshot_due(&self, next: &TableState) -> bool {
        let since = next.seq.0 - next.snapshot_seq.0;
        let interval = self.shard.options.snapshot_interval;
        if next.table.hand().is_some() {
            return since > 2 * interval;
        }
        let ended = self.state.table.hand().is_some();
        since >= interval || (ended && self.shard.options.snapshot_every_hand)
    }

    /// What was proposed is in the log, and whoever asked hears it from there: swap, tell.
    pub(super) fn durable(&mut self) {
        let Some(pending) = self.pending.take() else {
            return;
        };
        self.state = pending.next;
        self.ring.extend(pending.told);
        let surplus = self.ring.len().saturating_sub(RING_EVENTS);
        self.ring.drain(..surplus);
        self.tell_watchers();
        if self.fell {
            self.shard.falls.reached(self.state.id, self.state.seq);
        }
    }
}
