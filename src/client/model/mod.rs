//! A table as one client knows it: a snapshot, and every event since folded into it.
//!
//! The fold believes nothing: each amount must fit what is there already, and an event that does not is an error that
//! names what is wrong. So a fold that never failed is a proof that the chips of the hand were conserved.

mod error;
mod fold;
mod snapshot;

#[cfg(test)]
mod tests;

pub use error::FoldError;

use proto::v1;

use super::calls::ForTurn;
use super::card::Card;

/// A table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TableModel {
    /// Its name.
    pub name: String,
    /// What it plays.
    pub stakes: Stakes,
    /// Every seat, empty ones too, by number.
    pub seats: Vec<Option<SeatModel>>,
    /// Number of the current or last hand; 0 before the first.
    pub hand: u64,
    /// Whether it is being played.
    pub running: bool,
    /// How far it is.
    pub street: Street,
    /// The board.
    pub board: Vec<Card>,
    /// The second board, with the cards that both have in common; empty if the hand is not run twice.
    pub second_board: Vec<Card>,
    /// The open question whether to run it twice.
    pub run_twice: Option<RunTwice>,
    /// What earlier streets, antes and dead blinds put in and was not paid out yet.
    pub pot: u64,
    /// The button's seat.
    pub button: Option<u32>,
    /// The open turn.
    pub turn: Option<Turn>,
    /// Rake seen since this model began.
    pub rake: u64,
    /// Chips that came onto the table since this model began.
    pub chips_in: u64,
    /// Chips that went back to players since this model began.
    pub chips_out: u64,
    /// Waits for an operator.
    pub parked: bool,
    /// Closed for good.
    pub closed: bool,
    /// Whether this hand was seen from its start.
    whole_hand: bool,
}

/// The amounts of a table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stakes {
    /// Small blind.
    pub small_blind: u64,
    /// Big blind.
    pub big_blind: u64,
    /// Ante of each, or of the big blind for all.
    pub ante: u64,
    /// Least buy-in.
    pub buy_in_min: u64,
    /// Most chips a player may bring.
    pub buy_in_max: u64,
    /// Rake in 1/10,000.
    pub rake_per_10000: u32,
    /// Which game.
    pub game: v1::Game,
}

/// A taken seat.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SeatModel {
    /// Who.
    pub player_id: String,
    /// What the others see.
    pub name: String,
    /// Chips that are not bet.
    pub stack: u64,
    /// The bet of this street.
    pub bet: u64,
    /// Chips that wait for the end of the hand.
    pub queued: u64,
    /// Dealt in or not.
    pub status: Status,
    /// Has a connection.
    pub connected: bool,
    /// Gone after the hand.
    pub leaving: bool,
    /// Straddles where the rules let one.
    pub straddles: bool,
    /// Was dealt into the current hand.
    pub dealt: bool,
    /// In the current hand and not folded.
    pub in_hand: bool,
    /// In the hand with nothing left to bet.
    pub all_in: bool,
    /// The own cards, or cards turned up.
    pub cards: Vec<Card>,
    /// Chips at the start of the hand, to which a void goes back.
    at_start: u64,
}

/// Whether a seat is dealt in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// Yes.
    Playing,
    /// No.
    SittingOut,
    /// Not before a blind reaches it.
    Waiting,
}

/// A seat's status, connection and intention after an event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SeatChange {
    /// Dealt in or not.
    pub status: Status,
    /// Has a connection.
    pub connected: bool,
    /// Gone after the hand.
    pub leaving: bool,
    /// Straddles where the rules let one.
    pub straddles: bool,
}

/// How far a hand is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Street {
    /// No board yet.
    Preflop,
    /// Three cards.
    Flop,
    /// Four.
    Turn,
    /// Five.
    River,
}

/// An open turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Turn {
    /// Whose.
    pub seat: u32,
    /// Its number.
    pub turn: u32,
    /// What he may do; folding is always allowed.
    pub options: Options,
    /// What was left of the clock when it was told, in milliseconds.
    pub time_left_ms: u32,
    /// The time bank, in milliseconds.
    pub bank_ms: u32,
}

/// The question whether the rest of the board is to be dealt twice.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RunTwice {
    /// Its number.
    pub turn: u32,
    /// The seats that have not answered yet.
    pub open: Vec<u32>,
    /// What was left of the clock when it was told, in milliseconds.
    pub time_left_ms: u32,
}

/// What the player to act may do besides folding.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Options {
    /// Check for nothing.
    pub check: bool,
    /// What a call costs, if there is something to call.
    pub call: Option<u64>,
    /// Least and most total of a bet or raise, if one is allowed.
    pub raise_to: Option<(u64, u64)>,
}

/// A decision.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Move {
    /// Gives the hand up.
    Fold,
    /// Bets nothing.
    Check,
    /// Matches the bet, with all that is left if it is less.
    Call,
    /// Bets or raises to a total on this street.
    RaiseTo(u64),
}

impl SeatChange {
    /// What the seat is after the event. The only place that reads these fields of the wire.
    pub fn of(changed: &v1::SeatChanged, before: &SeatModel) -> SeatChange {
        let status = changed.status.map(|_| snapshot::status(changed.status()));
        SeatChange {
            status: status.unwrap_or(before.status),
            connected: changed.connected.unwrap_or(before.connected),
            leaving: changed.leaving.unwrap_or(before.leaving),
            straddles: changed.straddles.unwrap_or(before.straddles),
        }
    }
}

impl TableModel {
    /// The question whether to run it twice, if this seat has to answer it.
    pub fn asks_to_run_twice(&self, seat: u32) -> Option<ForTurn> {
        let asked = self.run_twice.as_ref();
        asked
            .filter(|asked| asked.open.contains(&seat))
            .map(|asked| ForTurn {
                hand: self.hand,
                turn: asked.turn,
            })
    }

    /// A table from a snapshot.
    pub fn new(view: &v1::TableView) -> Result<TableModel, FoldError> {
        snapshot::model(view)
    }

    /// Folds one event. On an error the model is to be thrown away: the next snapshot replaces it.
    pub fn apply(&mut self, event: &v1::TableEvent) -> Result<(), FoldError> {
        match &event.event {
            Some(event) => fold::apply(self, event),
            // Something that this viewer may not see: it has a number and no content.
            None => Ok(()),
        }
    }

    /// The seat of a player.
    pub fn seat_of(&self, player_id: &str) -> Option<(u32, &SeatModel)> {
        let mut seats = (0..).zip(&self.seats);
        seats.find_map(|(no, seat)| {
            let seat = seat.as_ref()?;
            (seat.player_id == player_id).then_some((no, seat))
        })
    }

    /// A taken seat.
    pub fn seat(&self, no: u32) -> Option<&SeatModel> {
        self.seats.get(usize::try_from(no).ok()?)?.as_ref()
    }

    /// The taken seats.
    pub fn taken(&self) -> impl Iterator<Item = (u32, &SeatModel)> {
        let seats = (0..).zip(&self.seats);
        seats.filter_map(|(no, seat)| Some((no, seat.as_ref()?)))
    }

    /// Everything in the middle: pots and the bets of this street.
    pub fn in_the_middle(&self) -> u64 {
        self.taken()
            .fold(self.pot, |sum, (_, seat)| sum.saturating_add(seat.bet))
    }

    /// Every chip on the table: stacks, queued chips, bets and pots.
    pub fn on_table(&self) -> u64 {
        let seats = self
            .taken()
            .map(|(_, seat)| seat.stack.saturating_add(seat.queued));
        seats.fold(self.in_the_middle(), u64::saturating_add)
    }

    /// Whether the current hand was seen from its start, so that everything about it is known.
    pub fn whole_hand(&self) -> bool {
        self.whole_hand
    }

    /// Keeps what a snapshot does not tell, from the model before it.
    pub fn carry_over(&mut self, before: &TableModel) {
        self.rake = before.rake;
        self.chips_in = before.chips_in;
        self.chips_out = before.chips_out;
        if self.hand != before.hand || self.running != before.running {
            return;
        }
        self.whole_hand = before.whole_hand;
        for (seat, old) in self.seats.iter_mut().zip(&before.seats) {
            if let (Some(seat), Some(old)) = (seat, old)
                && seat.player_id == old.player_id
            {
                seat.queued = old.queued;
                seat.at_start = old.at_start;
            }
        }
    }
}
