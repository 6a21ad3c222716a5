//! What does not fit.

use crate::client::card::CardError;

/// An event or snapshot that contradicts what is known of the table.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FoldError {
    /// The table has no such seat, or nobody sits there.
    #[error("seat {0} is not taken")]
    NoSuchSeat(u32),
    /// Somebody sits there already.
    #[error("seat {0} is taken already")]
    SeatTaken(u32),
    /// More seats than a table can have.
    #[error("a table of {0} seats")]
    Seats(u32),
    /// A hand is dealt with another stack than was there.
    #[error("seat {seat} starts with {told}, it had {known}")]
    StackDiffers {
        /// Whose.
        seat: u32,
        /// What the event says.
        told: u64,
        /// What the fold says.
        known: u64,
    },
    /// More is paid than there is.
    #[error("{what} of {amount} from {available}")]
    NotEnough {
        /// What for.
        what: &'static str,
        /// How much.
        amount: u64,
        /// What is there.
        available: u64,
    },
    /// A bet that is not the bet before it and what was added.
    #[error("seat {seat} bets {bet} and adds {added}: not {told}")]
    BetDiffers {
        /// Whose.
        seat: u32,
        /// The bet before.
        bet: u64,
        /// What was added.
        added: u64,
        /// What the event says.
        told: u64,
    },
    /// Shares and rake are not the pot.
    #[error("a pot of {amount}: {shares} to players and {rake} rake")]
    PotDiffers {
        /// The pot.
        amount: u64,
        /// What players got.
        shares: u64,
        /// The rake.
        rake: u64,
    },
    /// The hand ends and chips are left in the middle.
    #[error("the hand ends with {0} in the middle")]
    LeftInTheMiddle(u64),
    /// A player goes with other chips than he had.
    #[error("seat {seat} leaves with {told}, it had {known}")]
    CashOutDiffers {
        /// Whose.
        seat: u32,
        /// What the event says.
        told: u64,
        /// What the fold says.
        known: u64,
    },
    /// Another hand than the one that runs, or the one after it.
    #[error("hand {told} when hand {known} is known")]
    HandDiffers {
        /// What the event says.
        told: u64,
        /// What the fold says.
        known: u64,
    },
    /// Chips beyond what a number holds.
    #[error("too many chips")]
    Overflow,
    /// A value that is not of the wire's language.
    #[error("{0} has no meaning here")]
    Meaningless(&'static str),
    /// Not a card.
    #[error(transparent)]
    Card(#[from] CardError),
    /// A card is there twice.
    #[error("a card is there twice")]
    CardTwice,
}
