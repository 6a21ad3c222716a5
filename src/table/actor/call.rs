//! A player's request: done, refused for good, or answered as before.

use engine::{Command, Event, Phase, PlayerId, Viewer};
use ractor::ActorRef;

use super::{Answer, Reply, TableError, TableMsg, TableRun, answer};
#[cfg(feature = "faults")]
use crate::table::fault::Defect;
use crate::table::{
    decide::{self, Decided, refusal},
    request::{CallError, Done, Order, Position, Request},
    shard::log::{LogMsg, Release},
    state::Cause,
};

impl TableRun {
    pub(super) fn call(
        &mut self,
        myself: &ActorRef<TableMsg>,
        request: Request,
        reply: Reply<Done>,
    ) -> Result<(), TableError> {
        if let Some(known) = self.known(&request) {
            self.repeat(&request, known, reply);
            return Ok(());
        }
        let refused = match self.refused.of(&request) {
            Some(refused) => Err(refused),
            None => self
                .command(&request)
                .and_then(|command| self.decide(&command).map_err(|reject| refusal(&reject))),
        };
        let cause = Cause {
            player: request.player,
            request: request.id,
            refused: refused.is_err(),
        };
        match refused {
            Ok(decided) => {
                self.refused.forget(request.player);
                self.propose(
                    myself,
                    decided,
                    Some(cause),
                    Answer::Done(cause.player, reply),
                )
            }
            Err(refused) => self.refuse(myself, &request, cause, refused, reply),
        }
    }

    /// The answer to a request that the log knows, or that is older than one it knows.
    pub(super) fn known(&self, request: &Request) -> Option<Result<Done, CallError>> {
        #[cfg(feature = "faults")]
        if self.shard.faults.makes(Defect::ForgetsRequests) {
            return None;
        }
        let recent = self.state.recents.of(request.player)?;
        if request.id < recent.request {
            return Some(Err(CallError::stale_request()));
        }
        if request.id > recent.request {
            return None;
        }
        if recent.refused {
            let remembered = self.refused.of(request);
            return Some(Err(remembered.unwrap_or_else(CallError::refused_before)));
        }
        let position = Position {
            epoch: self.shard.status.epoch(),
            seq: recent.seq,
        };
        Some(Ok(Done {
            position,
            seat: recent.seat,
        }))
    }

    /// What is said depends on the state, so an owner who may be an old one confirms
    /// first; and always if an earlier attempt of the request may live elsewhere.
    pub(super) fn repeat(
        &self,
        request: &Request,
        outcome: Result<Done, CallError>,
        reply: Reply<Done>,
    ) {
        let release: Release = Box::new(move || answer(reply, outcome));
        self.confirm(!request.first_attempt, release);
    }

    /// Refuses for good (promise P3): no copy of the request is done later, by whichever
    /// owner. So the log keeps that it is refused. There is one exception: the first
    /// attempt of somebody who does not sit. It has no other copy and ends here; so
    /// spectators cannot fill the log.
    pub(super) fn refuse(
        &mut self,
        myself: &ActorRef<TableMsg>,
        request: &Request,
        cause: Cause,
        refused: CallError,
        reply: Reply<Done>,
    ) -> Result<(), TableError> {
        self.refused.note(request, &refused);
        let sits = self.state.table.seat_of(request.player).is_some();
        let kept = sits || !request.first_attempt;
        #[cfg(feature = "faults")]
        let kept = kept && !self.shard.faults.makes(Defect::ForgetsRefusals);
        if !kept {
            self.repeat(request, Err(refused), reply);
            return Ok(());
        }
        let nothing = Decided {
            events: Vec::new(),
            command: "refuse",
        };
        self.propose(
            myself,
            nothing,
            Some(cause),
            Answer::Refused(refused, reply),
        )
    }

    pub(super) fn confirm(&self, always: bool, release: Release) {
        if !self.shard.log.cast(LogMsg::Confirm { always, release }) {
            tracing::debug!(table = %self.state.id, "no log to confirm with");
        }
    }

    pub(super) fn command(&self, request: &Request) -> Result<Command, CallError> {
        let player = request.player;
        Ok(match &request.order {
            Order::Sit {
                seat,
                name,
                buy_in,
                post_now,
            } => {
                let now_ms = (self.shard.world.wall_ms)();
                let must_bring = self.state.must_bring(player, now_ms);
                let chips = (*buy_in, must_bring);
                decide::sit(&self.state.table, player, *seat, name, chips, *post_now)?
            }
            Order::Leave => Command::Leave { player },
            Order::TopUp { amount } => Command::TopUp {
                player,
                amount: *amount,
            },
            Order::SitOut => Command::SitOut { player },
            Order::SitIn { post_now } => Command::SitIn {
                player,
                entry: decide::entry(*post_now),
            },
            Order::Straddle { on } => Command::Straddle { player, on: *on },
            Order::RunTwice { hand, turn, agree } => Command::RunTwice {
                player,
                hand: *hand,
                turn: *turn,
                agree: *agree,
            },
            Order::Act { hand, turn, action } => {
                let bank = self
                    .clock
                    .filter(|clock| clock.running.phase == Phase::Bank);
                let used = bank.map_or(0, |clock| {
                    clock.used_ms(request.received, self.shard.status.stalled())
                });
                Command::Act {
                    player,
                    hand: *hand,
                    turn: *turn,
                    action: *action,
                    bank_used_ms: used,
                }
            }
        })
    }

    /// The streams of the owner before this one ended with it, and who had one there has
    /// none until he opens it here: he gets the time for that (R18, P6).
    pub(super) fn lose_connections(
        &mut self,
        myself: &ActorRef<TableMsg>,
    ) -> Result<(), TableError> {
        let watchers = self.shard.watchers.of(self.state.id);
        let here = |player| {
            watchers
                .iter()
                .any(|watcher| watcher.viewer == Viewer::Player(player))
        };
        let players = self.state.table.seats().map(|(_, seat)| seat.player);
        // Each is about another seat, so that they fit together in any order.
        let lost: Vec<Event> = players
            .filter(|player| !here(*player))
            .filter_map(|player| self.decide(&Command::Disconnected { player }).ok())
            .flat_map(|decided| decided.events)
            .collect();
        if lost.is_empty() {
            return Ok(());
        }
        let decided = Decided {
            events: lost,
            command: "lose connections",
        };
        self.propose(myself, decided, None, Answer::Nobody)
    }

    pub(super) fn presence(
        &mut self,
        myself: &ActorRef<TableMsg>,
        player: PlayerId,
        connected: bool,
        reply: Reply<()>,
    ) -> Result<(), TableError> {
        let command = if connected {
            Command::Connected { player }
        } else {
            Command::Disconnected { player }
        };
        match self.decide(&command) {
            Ok(decided) => self.propose(myself, decided, None, Answer::Noted(reply)),
            // A player who does not sit, or is known to be so, changes nothing.
            Err(_unchanged) => {
                answer(reply, Ok(()));
                Ok(())
            }
        }
    }
}
