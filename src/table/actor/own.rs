//! What the table does by itself: clocks that ran out, the next hand.

use std::time::Duration;

use engine::{Command, HandNo};
use ractor::ActorRef;
use tokio::time::Instant;

use super::{Answer, TableError, TableMsg, TableRun};
use crate::table::{clock::TurnClock, decide, shuffle::NoEntropy};

impl TableRun {
    /// What the table does by itself: clocks that ran out, the next hand.
    pub(super) fn own_doing(&mut self, myself: &ActorRef<TableMsg>) -> Result<(), TableError> {
        let now = Instant::now();
        let stalled = self.shard.status.stalled();
        let over = self.clock.is_some_and(|clock| {
            !self.shard.status.is_stalled() && clock.due_in(now, stalled).is_zero()
        });
        // Before the time of a player is over: it may be longer if he has no stream here.
        if self.streams_due.is_some_and(|due| over || due <= now) {
            self.streams_due = None;
            self.lose_connections(myself)?;
            if self.pending.is_some() {
                return Ok(());
            }
        }
        if let Some(clock) = self.clock {
            let running = clock.running;
            if !over {
                return Ok(());
            }
            let time_out = Command::TimeOut {
                hand: running.hand,
                turn: running.turn,
                phase: running.phase,
            };
            return self.propose_own(myself, &time_out);
        }
        if !self.state.table.can_deal() {
            self.deal_at = None;
            return Ok(());
        }
        let deal_at = *self
            .deal_at
            .get_or_insert(now + self.shard.options.hand_pause);
        if deal_at > now {
            return Ok(());
        }
        self.deal_at = None;
        match self.deal() {
            Ok(command) => self.propose_own(myself, &command),
            Err(error) => {
                tracing::error!(table = %self.state.id, %error, "no deck; trying again");
                self.deal_at = Some(now + ENTROPY_PAUSE);
                Ok(())
            }
        }
    }

    /// What the engine says is due, it must not refuse: trying again would go on for ever.
    pub(super) fn propose_own(
        &mut self,
        myself: &ActorRef<TableMsg>,
        command: &Command,
    ) -> Result<(), TableError> {
        let decided = self.decide(command).map_err(|reject| TableError::Refused {
            command: decide::name(command),
            reject,
        })?;
        self.propose(myself, decided, None, Answer::Nobody)
    }

    pub(super) fn deal(&self) -> Result<Command, NoEntropy> {
        let (table, hand) = (
            self.state.id,
            HandNo(self.state.table.hands_started().0 + 1),
        );
        let dealer = &self.shard.world.dealer;
        let first_button = match hand {
            HandNo(1) => dealer.button(table, self.state.table.settings().seats)?,
            HandNo(_) => engine::SeatNo(0),
        };
        Ok(Command::Deal {
            deck: dealer.deck(table, hand, self.state.table.settings().game.variant)?,
            first_button,
        })
    }

    /// Keeps the clock in step with the engine's: a new turn or phase starts a new one.
    pub(super) fn follow_clock(&mut self) {
        let running = self.state.table.clock();
        self.clock = running.map(|running| match self.clock {
            Some(clock) if clock.measures(&running) => clock,
            Some(_) | None => {
                TurnClock::start(running, Instant::now(), self.shard.status.stalled())
            }
        });
    }
}

const ENTROPY_PAUSE: Duration = Duration::from_secs(1);
