//! What can be asked of a table. Every command of a player names the player; a seat is never trusted.

use serde::{Deserialize, Serialize};

use crate::deck::Deck;
use crate::ids::{HandNo, PlayerId, SeatNo, Turn};
use crate::seat::{Entry, Name};

/// An imperative: `decide` turns it into events or refuses it by name.
#[derive(Clone)]
pub enum Command {
    /// Take a seat with chips that the caller holds for the player.
    Sit {
        /// Who.
        player: PlayerId,
        /// What the others call him.
        name: Name,
        /// Where.
        seat: SeatNo,
        /// With how much, within the table's limits.
        buy_in: u64,
        /// How he comes in if a game is going on (R11).
        entry: Entry,
        /// What he must bring since he took it off this table not long ago; 0 if nothing. When he left only the caller
        /// knows, who has a clock: see `Settings::rathole_ms` (R17).
        must_bring: u64,
    },
    /// Leave the table: at once if not in a hand, else after it, checking or folding at every turn (R18).
    Leave {
        /// Who.
        player: PlayerId,
    },
    /// Bring chips; they join the stack after the hand (R17).
    TopUp {
        /// Who.
        player: PlayerId,
        /// How many more.
        amount: u64,
    },
    /// Not be dealt into the next hands. The hand that is going on is played on.
    SitOut {
        /// Who.
        player: PlayerId,
    },
    /// Be dealt in again, or choose another way to come in (R11).
    SitIn {
        /// Who.
        player: PlayerId,
        /// How he comes in if he owes.
        entry: Entry,
    },
    /// Decide at one's turn (R21).
    Act {
        /// Who.
        player: PlayerId,
        /// In which hand.
        hand: HandNo,
        /// At which turn of it.
        turn: Turn,
        /// What.
        action: Action,
        /// How long the time bank was running, as the table's owner measured it; more than it held counts as all of it.
        bank_used_ms: u32,
    },
    /// Say whether the rest of the board is to be dealt twice, when the table asks.
    RunTwice {
        /// Who.
        player: PlayerId,
        /// In which hand.
        hand: HandNo,
        /// To which question of it.
        turn: Turn,
        /// Whether he agrees.
        agree: bool,
    },
    /// A clock ran out. A tie goes to the player: it is for an action that was not there at the deadline (R19).
    TimeOut {
        /// In which hand.
        hand: HandNo,
        /// At which turn of it.
        turn: Turn,
        /// Which of its clocks.
        phase: Phase,
    },
    /// The player has a connection.
    Connected {
        /// Who.
        player: PlayerId,
    },
    /// The player's last connection is gone (R18).
    Disconnected {
        /// Who.
        player: PlayerId,
    },
    /// Straddle from now on where the table's rules let one, or stop it (R13).
    Straddle {
        /// Who.
        player: PlayerId,
        /// Whether.
        on: bool,
    },
    /// Begin the next hand.
    Deal {
        /// Its cards.
        deck: Deck,
        /// Where the button is, if this is the table's first hand; the next player after it if nobody is there.
        first_button: SeatNo,
    },
    /// An operator gives up the hand: every stack is as at its start (R20).
    Void,
    /// The table closes: everybody is cashed out. Not during a hand.
    Close,
}

/// What a player does at his turn. An amount that is not legal is refused, never changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Action {
    /// Give the hand up, also where checking is free (R15).
    Fold,
    /// Pay nothing; only where nothing is to be paid.
    Check,
    /// Pay what is to be called, or all one has if that is less.
    Call,
    /// Bet or raise, so that one's bet on this street is `to` in all.
    RaiseTo {
        /// The whole bet of this street, what was paid before included.
        to: u64,
    },
}

/// The clocks of a turn, in their order (R18, R19).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Phase {
    /// The time that everybody has.
    Action,
    /// More time for a player without a connection, once a hand.
    Reconnect,
    /// The player's own time bank.
    Bank,
    /// The time to say whether the rest of the board is dealt twice; one clock for all who are asked.
    RunTwice,
}
