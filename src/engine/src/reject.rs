//! Why a command is refused: each refusal is a named rule, with the bounds that would have been legal.

use crate::command::Phase;
use crate::ids::{HandNo, SeatNo, Turn};

/// A refusal. Nothing changed and nothing will.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Reject {
    /// The table is closed for good.
    #[error("the table is closed")]
    TableClosed,
    /// The player has no seat here.
    #[error("you do not sit at this table")]
    NotSeated,
    /// The player has a seat already.
    #[error("you sit in seat {seat} already")]
    AlreadySeated {
        /// Which.
        seat: SeatNo,
    },
    /// There is no such seat.
    #[error("the table has {seats} seats")]
    NoSuchSeat {
        /// How many there are.
        seats: u8,
    },
    /// Somebody else sits there.
    #[error("the seat is taken")]
    SeatOccupied,
    /// Too few chips to sit down with (R17).
    #[error("the buy-in is at least {min}")]
    BuyInBelowMinimum {
        /// The least.
        min: u64,
    },
    /// Too many chips to sit down with (R17).
    #[error("the buy-in is at most {max}")]
    BuyInAboveMaximum {
        /// The most.
        max: u64,
    },
    /// The player left with more a short time ago, and must bring that back (R17).
    #[error("you left with {must_bring}: bring as many back, or come later")]
    Rathole {
        /// What he took.
        must_bring: u64,
    },
    /// A top-up of no chips.
    #[error("a top-up is at least one chip")]
    TopUpOfNothing,
    /// More than the table's limit (R17).
    #[error("the top-up is at most {max}")]
    TopUpAboveMaximum {
        /// The most that may be brought now.
        max: u64,
    },
    /// The player is leaving and cannot do this any more.
    #[error("you are leaving the table")]
    Leaving,
    /// The player sits out already.
    #[error("you sit out already")]
    AlreadySittingOut,
    /// The player is dealt in already, and has nothing to choose.
    #[error("you are playing already")]
    AlreadyPlaying,
    /// Without chips nobody is dealt in.
    #[error("you have no chips on the table")]
    NoChips,
    /// The table knows that already.
    #[error("the connection is as it was")]
    ConnectionUnchanged,
    /// Not while a hand is being played.
    #[error("hand {hand} is being played")]
    HandInProgress {
        /// Which.
        hand: HandNo,
    },
    /// No hand is being played.
    #[error("no hand is being played")]
    NoHand,
    /// The command is for another hand (R21).
    #[error("hand {hand} is being played")]
    StaleHand {
        /// The one that is being played.
        hand: HandNo,
    },
    /// The command is for another turn of this hand (R21).
    #[error("it is turn {turn}")]
    StaleTurn {
        /// The one that is being waited for.
        turn: Turn,
    },
    /// The clock of the command is not the one that runs (R19).
    #[error("another clock of the turn is running")]
    StaleClock {
        /// The one that runs.
        phase: Phase,
    },
    /// Somebody else is to act (R21).
    #[error("it is the turn of seat {seat}")]
    NotYourTurn {
        /// Whose turn it is.
        seat: SeatNo,
    },
    /// There is a bet to call.
    #[error("there is a bet: call {to_call}, raise or fold")]
    CheckFacingBet {
        /// What the call costs.
        to_call: u64,
    },
    /// There is no bet to call.
    #[error("there is nothing to call")]
    NothingToCall,
    /// Below the smallest bet or raise, and not all-in (R2).
    #[error("bet or raise to at least {min_to}")]
    RaiseBelowMinimum {
        /// The least.
        min_to: u64,
    },
    /// More than the player has.
    #[error("bet or raise to at most {max_to}")]
    RaiseAboveStack {
        /// The most: all-in.
        max_to: u64,
    },
    /// The player acted already, and nobody raised in full since (R3).
    #[error("the betting is not open to you again: call or fold")]
    RaiseNotReopened,
    /// All opponents are all-in: there is nobody who could call a raise (R15).
    #[error("nobody could call a raise")]
    RaiseUncallable,
    /// A raise of no more than what a call costs: all one has is a call.
    #[error("all your chips are only enough for a call")]
    RaiseBeyondChips,
    /// More than the pot (R14).
    #[error("bet or raise to at most the pot, {max_to}")]
    RaiseAbovePot {
        /// The most.
        max_to: u64,
    },
    /// Another amount than fixed limit has (R4).
    #[error("the bet is fixed: bet or raise to {to}")]
    RaiseNotTheLimit {
        /// The only amount.
        to: u64,
    },
    /// Fixed limit has no more raises on this street (R4).
    #[error("the street had its {raises_max} raises: call or fold")]
    RaisesCapped {
        /// How many there may be.
        raises_max: u8,
    },
    /// Nobody straddles at this table.
    #[error("there are no straddles at this table")]
    NoStraddles,
    /// The player had chosen that already.
    #[error("you had chosen so already")]
    StraddleUnchanged,
    /// The table does not deal boards twice.
    #[error("nothing is run twice at this table")]
    NeverRunTwice,
    /// Nobody was asked that yet.
    #[error("you were not asked whether to run it twice")]
    RunTwiceNotAsked,
    /// It was settled before the answer came.
    #[error("too late: it is settled how often the board is run")]
    RunTwiceTooLate,
    /// The player answered already.
    #[error("you answered already whether to run it twice")]
    RunTwiceAnswered,
    /// Only who is in the hand has a say.
    #[error("only players in the hand say whether to run it twice")]
    RunTwiceNotInvolved,
    /// Fewer than two players can be dealt in.
    #[error("two players are needed")]
    NotEnoughPlayers,
    /// The deck is that of another game.
    #[error("this game is dealt from {cards} cards")]
    WrongDeck {
        /// How many its deck has.
        cards: u8,
    },
    /// The open hand's deck was not restored after a snapshot.
    #[error("the hand cannot go on without its deck")]
    DeckMissing,
}

impl Reject {
    /// The name of the refusal, for clients and metrics.
    pub fn name(&self) -> &'static str {
        self.names().0
    }

    /// The rule behind it, by its number in rules.md; empty if it is plain order.
    pub fn rule(&self) -> &'static str {
        self.names().1
    }

    fn names(&self) -> (&'static str, &'static str) {
        match self {
            Reject::TableClosed => ("TableClosed", ""),
            Reject::NotSeated => ("NotSeated", ""),
            Reject::AlreadySeated { .. } => ("AlreadySeated", ""),
            Reject::NoSuchSeat { .. } => ("NoSuchSeat", ""),
            Reject::SeatOccupied => ("SeatOccupied", ""),
            Reject::BuyInBelowMinimum { .. } => ("BuyInBelowMinimum", "R17"),
            Reject::BuyInAboveMaximum { .. } => ("BuyInAboveMaximum", "R17"),
            Reject::Rathole { .. } => ("Rathole", "R17"),
            Reject::TopUpOfNothing => ("TopUpOfNothing", "R17"),
            Reject::TopUpAboveMaximum { .. } => ("TopUpAboveMaximum", "R17"),
            Reject::Leaving => ("Leaving", "R18"),
            Reject::AlreadySittingOut => ("AlreadySittingOut", "R11"),
            Reject::AlreadyPlaying => ("AlreadyPlaying", "R11"),
            Reject::NoChips => ("NoChips", "R17"),
            Reject::ConnectionUnchanged => ("ConnectionUnchanged", "R18"),
            Reject::HandInProgress { .. } => ("HandInProgress", ""),
            Reject::NoHand => ("NoHand", "R21"),
            Reject::StaleHand { .. } => ("StaleHand", "R21"),
            Reject::StaleTurn { .. } => ("StaleTurn", "R21"),
            Reject::StaleClock { .. } => ("StaleClock", "R19"),
            Reject::NotYourTurn { .. } => ("NotYourTurn", "R21"),
            Reject::CheckFacingBet { .. } => ("CheckFacingBet", ""),
            Reject::NothingToCall => ("NothingToCall", ""),
            Reject::RaiseBelowMinimum { .. } => ("RaiseBelowMinimum", "R2"),
            Reject::RaiseAboveStack { .. } => ("RaiseAboveStack", "R17"),
            Reject::RaiseNotReopened => ("RaiseNotReopened", "R3"),
            Reject::RaiseUncallable => ("RaiseUncallable", "R15"),
            Reject::RaiseBeyondChips => ("RaiseBeyondChips", "R2"),
            Reject::RaiseAbovePot { .. } => ("RaiseAbovePot", "R14"),
            Reject::RaiseNotTheLimit { .. } => ("RaiseNotTheLimit", "R4"),
            Reject::RaisesCapped { .. } => ("RaisesCapped", "R4"),
            Reject::NoStraddles => ("NoStraddles", "R13"),
            Reject::StraddleUnchanged => ("StraddleUnchanged", "R13"),
            Reject::NeverRunTwice => ("NeverRunTwice", ""),
            Reject::RunTwiceNotAsked => ("RunTwiceNotAsked", "R21"),
            Reject::RunTwiceTooLate => ("RunTwiceTooLate", "R21"),
            Reject::RunTwiceAnswered => ("RunTwiceAnswered", "R21"),
            Reject::RunTwiceNotInvolved => ("RunTwiceNotInvolved", ""),
            Reject::NotEnoughPlayers => ("NotEnoughPlayers", ""),
            Reject::WrongDeck { .. } => ("WrongDeck", ""),
            Reject::DeckMissing => ("DeckMissing", "R20"),
        }
    }
}

#[cfg(test)]
mod tests;
