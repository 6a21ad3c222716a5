//! A table's whole state: the engine's table and what the server keeps beside it.
//!
//! The state is a fold of the table's records, nothing else: what is here is
//! what the next owner has, too (promise P2).

use std::{collections::BTreeMap, sync::Arc};

use engine::eval::Made;
use engine::{
    Event, Fact, HandNo, Legal, Name, OwnCards, PlayerId, SeatNo, Seen, Settings, SettingsError,
    Table, Viewer,
};

use super::{
    codec::{self, CodecError},
    departures::Departures,
    frame::Sight,
    seal::Keyring,
};
use crate::{
    ids::{Seq, TableId},
    store::HandRecord,
};

/// One event with its number and the owner's clock.
#[derive(Clone)]
pub struct Stamped {
    /// The table's event number, from 1.
    pub seq: Seq,
    /// When the owner recorded it, milliseconds since 1970.
    pub at_ms: u64,
    /// What happened.
    pub event: Event,
}

/// What one decision adds to a table's log.
#[derive(Clone)]
pub struct Batch {
    /// The table.
    pub table: TableId,
    /// Whose request it answers; none for the table's own doing.
    pub cause: Option<Cause>,
    /// Why an operator did it.
    pub note: Option<String>,
    /// The events, numbered on from the table's last.
    pub events: Vec<Arc<Stamped>>,
}

/// The request behind a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cause {
    /// Who asked.
    pub player: PlayerId,
    /// With which request id.
    pub request: u64,
    /// The request is refused for good: nothing happened, and nothing will (promise P3).
    pub refused: bool,
}

/// A table as its log says it is.
#[derive(Clone)]
pub struct TableState {
    /// The table.
    pub id: TableId,
    /// Its name.
    pub name: Arc<str>,
    /// The number of its last event.
    pub seq: Seq,
    /// The event number of its last snapshot in the log.
    pub snapshot_seq: Seq,
    /// The game.
    pub table: Table,
    /// The last request of each player, so that a repeat gets the first answer.
    pub recents: Recents,
    /// Who left with how much, for as long as it must be brought back (R17).
    pub departures: Departures,
    /// The events of the hand that is being played, its deck included.
    pub hand_log: Vec<Arc<Stamped>>,
}

impl TableState {
    /// A new table without events.
    ///
    /// # Errors
    /// When the settings contradict themselves.
    pub fn new(id: TableId, name: Arc<str>, settings: Settings) -> Result<Self, SettingsError> {
        Ok(Self {
            id,
            name,
            seq: Seq(0),
            snapshot_seq: Seq(0),
            table: Table::new(settings)?,
            recents: Recents::default(),
            departures: Departures::default(),
            hand_log: Vec::new(),
        })
    }

    /// What follows from a decision: the batch for the log, and the table after it.
    pub fn step(
        &self,
        events: Vec<Event>,
        cause: Option<Cause>,
        note: Option<String>,
        at_ms: u64,
    ) -> Step {
        let numbered = (self.seq.0 + 1..).map(Seq).zip(events);
        let events = numbered
            .map(|(seq, event)| Arc::new(Stamped { seq, at_ms, event }))
            .collect();
        let batch = Batch {
            table: self.id,
            cause,
            note,
            events,
        };
        let mut next = self.clone();
        let applied = next.apply(&batch);
        Step {
            batch,
            next,
            applied,
        }
    }

    /// Takes one batch in: the same fold for the owner and for every later one.
    /// Total, as the engine's fold is.
    pub fn apply(&mut self, batch: &Batch) -> Applied {
        let mut applied = Applied {
            told: Vec::with_capacity(batch.events.len()),
            finished: None,
        };
        for stamped in &batch.events {
            applied.finished = self.apply_event(stamped).or(applied.finished);
            applied.told.push(Arc::new(Told {
                stamped: Arc::clone(stamped),
                aside: self.aside(&stamped.event),
            }));
        }
        if let Some(cause) = batch.cause {
            let seat = self.table.seat_of(cause.player).map(|(seat, _)| seat);
            let recent = Recent {
                request: cause.request,
                seq: self.seq,
                seat,
                refused: cause.refused,
            };
            let table = &self.table;
            self.recents.note(cause.player, recent, |player| {
                table.seat_of(player).is_some()
            });
        }
        applied
    }

    /// What a player must bring if he sits down now, since he left with it less than
    /// `Settings::rathole_ms` ago; 0 if nothing (R17).
    pub fn must_bring(&self, player: PlayerId, now_ms: u64) -> u64 {
        let rathole_ms = self.table.settings().rathole_ms;
        self.departures.must_bring(player, now_ms, rathole_ms)
    }

    /// Whether two owners with these states would go on in the same way: all of it is the same, but for where the log has
    /// the last snapshot.
    pub fn same_as(&self, other: &Self) -> bool {
        let same_event = |(ours, theirs): (&Arc<Stamped>, &Arc<Stamped>)| {
            (ours.seq, ours.at_ms) == (theirs.seq, theirs.at_ms) && ours.event == theirs.event
        };
        (self.id, &self.name, self.seq) == (other.id, &other.name, other.seq)
            && self.table == other.table
            && self.recents == other.recents
            && self.departures == other.departures
            && self.hand_log.len() == other.hand_log.len()
            && self.hand_log.iter().zip(&other.hand_log).all(same_event)
    }

    /// The last hand that ended, 0 if none did.
    pub fn hands_ended(&self) -> HandNo {
        let started = self.table.hands_started().0;
        HandNo(started.saturating_sub(u64::from(self.table.hand().is_some())))
    }

    /// What has to be known of the table right after an event to tell it to viewers.
    fn aside(&self, event: &Event) -> Aside {
        match event {
            Event::Public(Fact::TurnStarted { .. }) => {
                match (engine::legal(&self.table), self.table.clock()) {
                    (Some(legal), Some(clock)) => Aside::Turn {
                        legal,
                        action_ms: clock.ms,
                        bank_ms: self.table.seat(legal.seat).map_or(0, |seat| seat.bank_ms),
                    },
                    (Some(_) | None, Some(_) | None) => Aside::None,
                }
            }
            Event::Public(Fact::PotAwarded { shares, part, .. }) => {
                let game = &self.table.settings().game;
                let made =
                    |(seat, _): &(SeatNo, u64)| self.table.hand()?.made(*seat, part.run, game);
                let hands: Box<[Option<Made>]> = shares.iter().map(made).collect();
                if hands.iter().all(Option::is_none) {
                    return Aside::None;
                }
                Aside::Won(hands)
            }
            Event::Public(Fact::RunTwiceAsked { .. }) => match self.table.clock() {
                Some(clock) => Aside::Timed { clock_ms: clock.ms },
                None => Aside::None,
            },
            Event::Public(_) => Aside::None,
            Event::Private(_) => {
                let players = self
                    .table
                    .hand()
                    .map(|hand| hand.players())
                    .unwrap_or_default();
                let own = players.iter().filter_map(|p| {
                    match engine::see(&self.table, event, Viewer::Player(p.player)) {
                        Seen::HoleCards { seat, cards } => Some((p.player, seat, cards)),
                        Seen::Public(_) | Seen::Nothing => None,
                    }
                });
                Aside::Own(own.collect())
            }
        }
    }

    fn apply_event(&mut self, stamped: &Arc<Stamped>) -> Option<FinishedHand> {
        let starts = matches!(&stamped.event, Event::Public(Fact::HandStarted { .. }));
        if starts {
            self.hand_log.clear();
        }
        if starts || (!self.hand_log.is_empty() && is_of_hand(&stamped.event)) {
            self.hand_log.push(Arc::clone(stamped));
        }
        engine::evolve(&mut self.table, &stamped.event);
        let rathole_ms = self.table.settings().rathole_ms;
        self.departures.note(stamped, rathole_ms);
        self.seq = stamped.seq;
        match &stamped.event {
            Event::Public(Fact::HandEnded { hand } | Fact::HandVoided { hand }) => {
                Some(FinishedHand {
                    table: self.id,
                    name: Arc::clone(&self.name),
                    hand: *hand,
                    settings: Arc::clone(self.table.settings()),
                    names: self
                        .table
                        .seats()
                        .map(|(_, seat)| (seat.player, seat.name.clone()))
                        .collect(),
                    events: std::mem::take(&mut self.hand_log),
                })
            }
            Event::Public(_) | Event::Private(_) => None,
        }
    }
}

/// Whether an event belongs to the hand that is being played; others come and go meanwhile.
fn is_of_hand(event: &Event) -> bool {
    let Event::Public(fact) = event else {
        return true;
    };
    match fact {
        Fact::HandStarted { .. }
        | Fact::Posted { .. }
        | Fact::TurnStarted { .. }
        | Fact::ReconnectTimeStarted { .. }
        | Fact::TimeBankStarted { .. }
        | Fact::TimedOut { .. }
        | Fact::Acted { .. }
        | Fact::UncalledReturned { .. }
        | Fact::StreetDealt { .. }
        | Fact::Shown { .. }
        | Fact::Mucked { .. }
        | Fact::PotAwarded { .. }
        | Fact::HandEnded { .. }
        | Fact::HandVoided { .. }
        | Fact::RunTwiceAsked { .. }
        | Fact::RunTwiceAnswered { .. }
        | Fact::RunTwiceSettled { .. }
        | Fact::SecondBoardDealt { .. } => true,
        Fact::SeatTaken { .. }
        | Fact::SeatLeft { .. }
        | Fact::LeaveAsked { .. }
        | Fact::TopUpQueued { .. }
        | Fact::ToppedUp { .. }
        | Fact::SatOut { .. }
        | Fact::SatIn { .. }
        | Fact::ConnectionChanged { .. }
        | Fact::BlindsMissed { .. }
        | Fact::ButtonMissed { .. }
        | Fact::TableClosed
        | Fact::StraddleChosen { .. } => false,
    }
}

/// A decision, not yet in the log.
pub struct Step {
    /// What the log is to keep.
    pub batch: Batch,
    /// The table after it.
    pub next: TableState,
    /// What it does besides.
    pub applied: Applied,
}

/// What a batch did besides changing the state.
#[derive(Default)]
pub struct Applied {
    /// Its events, ready to be told.
    pub told: Vec<Arc<Told>>,
    /// The hand that ended with it.
    pub finished: Option<FinishedHand>,
}

/// An event with what its telling needs.
pub struct Told {
    /// The event.
    pub stamped: Arc<Stamped>,
    /// What the event itself does not say.
    pub aside: Aside,
}

/// What an event does not say itself and only the table right after it knows.
pub enum Aside {
    /// Nothing.
    None,
    /// What the player to act may do.
    Turn {
        /// The legal actions.
        legal: Legal,
        /// The base clock, in milliseconds.
        action_ms: u32,
        /// The player's time bank, in milliseconds.
        bank_ms: u32,
    },
    /// A clock runs for the answers of all who are asked.
    Timed {
        /// How long, in milliseconds.
        clock_ms: u32,
    },
    /// What those who won hold, in the order of their shares; nothing of who did not turn his cards up.
    Won(Box<[Option<Made>]>),
    /// Whose cards were dealt: each goes to its owner and nowhere else.
    Own(Box<[(PlayerId, SeatNo, OwnCards)]>),
}

impl Told {
    /// What one viewer sees of it.
    pub fn sight(&self, viewer: Viewer) -> Sight {
        match (&self.stamped.event, &self.aside) {
            (
                _,
                Aside::Turn {
                    legal,
                    action_ms,
                    bank_ms,
                },
            ) => Sight::Turn {
                legal: *legal,
                action_ms: *action_ms,
                bank_ms: *bank_ms,
            },
            (Event::Public(_), Aside::Won(hands)) => Sight::Won {
                stamped: Arc::clone(&self.stamped),
                hands: hands.clone(),
            },
            (Event::Public(_), Aside::Timed { clock_ms }) => Sight::Timed {
                stamped: Arc::clone(&self.stamped),
                clock_ms: *clock_ms,
            },
            (Event::Public(_), Aside::None | Aside::Own(_)) => {
                Sight::Public(Arc::clone(&self.stamped))
            }
            (Event::Private(_), Aside::Own(own)) => own
                .iter()
                .find(|(player, ..)| viewer == Viewer::Player(*player))
                .map_or(Sight::Hidden, |(_, seat, cards)| Sight::Own {
                    seat: *seat,
                    cards: *cards,
                }),
            (Event::Private(_), Aside::None | Aside::Won(_) | Aside::Timed { .. }) => Sight::Hidden,
        }
    }
}

/// A hand that ended, with all that its history needs.
#[derive(Clone)]
pub struct FinishedHand {
    /// The table.
    pub table: TableId,
    /// Its name.
    pub name: Arc<str>,
    /// The hand.
    pub hand: HandNo,
    /// What was played.
    pub settings: Arc<Settings>,
    /// What the players are called.
    pub names: Vec<(PlayerId, Name)>,
    /// From `HandStarted` to the end.
    pub events: Vec<Arc<Stamped>>,
}

impl FinishedHand {
    /// As the archive keeps it, its deck sealed.
    ///
    /// # Errors
    /// When its deck cannot be sealed.
    pub fn record(&self, keys: &Keyring) -> Result<HandRecord, CodecError> {
        Ok(HandRecord {
            table: self.table,
            hand_no: self.hand,
            ended_ms: self.events.last().map_or(0, |last| last.at_ms),
            players: self.players(),
            body: codec::encode_hand(self, keys)?.into(),
        })
    }

    /// Who was dealt in.
    pub fn players(&self) -> Vec<PlayerId> {
        let started = self.events.iter().find_map(|stamped| match &stamped.event {
            Event::Public(Fact::HandStarted { dealt, .. }) => {
                Some(dealt.iter().map(|dealt| dealt.player).collect())
            }
            Event::Public(_) | Event::Private(_) => None,
        });
        started.unwrap_or_default()
    }
}

/// The last request of each player: all who are seated, and the latest of the others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recents(BTreeMap<PlayerId, Recent>);

/// A player's last request that the log knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recent {
    /// Its id.
    pub request: u64,
    /// The table's event number after it.
    pub seq: Seq,
    /// The player's seat after it.
    pub seat: Option<SeatNo>,
    /// Whether it was refused, and not done.
    pub refused: bool,
}

impl Recents {
    /// The last request of a player.
    pub fn of(&self, player: PlayerId) -> Option<Recent> {
        self.0.get(&player).copied()
    }

    /// Keeps an entry as a snapshot had it.
    pub fn insert(&mut self, player: PlayerId, recent: Recent) {
        self.0.insert(player, recent);
    }

    /// All entries, by player.
    pub fn iter(&self) -> impl Iterator<Item = (PlayerId, Recent)> + '_ {
        self.0.iter().map(|(player, recent)| (*player, *recent))
    }

    /// The oldest entry of somebody who does not sit gives way: who sits may repeat a
    /// request that is as old as his last.
    fn note(&mut self, player: PlayerId, recent: Recent, sits: impl Fn(PlayerId) -> bool) {
        self.0.insert(player, recent);
        if self.0.len() <= RECENTS_MAX {
            return;
        }
        let oldest = self
            .0
            .iter()
            .min_by_key(|(player, recent)| (sits(**player), recent.seq))
            .map(|(player, _)| *player);
        if let Some(player) = oldest {
            self.0.remove(&player);
        }
    }
}

/// Ten seats, and the last two dozen who left: a repeat of a `Leave` comes
/// seconds later, not thousands of hands later.
const RECENTS_MAX: usize = 34;
