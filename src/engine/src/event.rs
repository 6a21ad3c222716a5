//! What happened. The public part is a `Fact`, the private part is a `Secret`, and they are different types, so that
//! nothing that handles facts can hold a card that it should not.
//!
//! Facts are kept for ever: an enum grows at its end only, and a new field has a serde default.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::cards::Cards;
use crate::command::Action;
use crate::deck::Deck;
use crate::hand::Street;
use crate::ids::{HandNo, PlayerId, SeatNo, Turn};
use crate::seat::{Away, Entry, Name, Owes};

/// One step of a table's history.
#[derive(Clone, PartialEq, Eq)]
pub enum Event {
    /// Everybody may know it.
    Public(Fact),
    /// Sealed at rest; each viewer sees his own part of it (`see`).
    Private(Secret),
}

/// What only its owner may see. It has no `Debug` and is not serialised: the caller seals its bytes.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    /// The cards of the hand that just started.
    Deck(Deck),
}

/// What everybody may know. Amounts are in the smallest unit.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Fact {
    /// A player sat down.
    SeatTaken {
        /// Where.
        seat: SeatNo,
        /// Who.
        player: PlayerId,
        /// What the others call him.
        name: Name,
        /// With how much.
        buy_in: u64,
        /// How he comes in if he owes.
        entry: Entry,
        /// What he owes (R11).
        owes: Owes,
    },
    /// A player is gone and these chips are his.
    SeatLeft {
        /// Where he sat.
        seat: SeatNo,
        /// Who.
        player: PlayerId,
        /// What goes back to him, what he had queued included.
        cash_out: u64,
        /// Why.
        reason: LeaveReason,
    },
    /// A player in a hand asked to leave.
    LeaveAsked {
        /// Where he sits.
        seat: SeatNo,
    },
    /// Chips were brought; they are not in play yet.
    TopUpQueued {
        /// Where.
        seat: SeatNo,
        /// How many.
        amount: u64,
    },
    /// What was queued joined the stack, up to the table's limit (R17).
    ToppedUp {
        /// Where.
        seat: SeatNo,
        /// Who.
        player: PlayerId,
        /// What joined the stack.
        amount: u64,
        /// What would have been too much and goes back to the player.
        returned: u64,
    },
    /// A player is not dealt in any more.
    SatOut {
        /// Where.
        seat: SeatNo,
        /// Why.
        reason: Away,
    },
    /// A player wants to be dealt in.
    SatIn {
        /// Where.
        seat: SeatNo,
        /// How, if he owes.
        entry: Entry,
    },
    /// A player's connection came or went.
    ConnectionChanged {
        /// Where.
        seat: SeatNo,
        /// Whether there is one now.
        connected: bool,
    },
    /// The blinds passed a player who was not dealt in (R11).
    BlindsMissed {
        /// Where.
        seat: SeatNo,
        /// What he owes now.
        owes: Owes,
    },
    /// The button passed a player who sits out (R11).
    ButtonMissed {
        /// Where.
        seat: SeatNo,
        /// How often by now.
        times: u8,
    },
    /// A hand began.
    HandStarted {
        /// Its number.
        hand: HandNo,
        /// Where the button is; the seat may be empty (R10).
        button: SeatNo,
        /// Where the small blind is; nobody posts it if the seat is not among `dealt` (R10).
        small_blind: SeatNo,
        /// Who has the big blind.
        big_blind: SeatNo,
        /// Who is dealt in, in the order of dealing: from the left of the button clockwise.
        dealt: Vec<Dealt>,
    },
    /// Chips were posted before the cards.
    Posted {
        /// Who.
        seat: SeatNo,
        /// What for.
        post: Post,
        /// How much; less than it should be if he has no more.
        amount: u64,
    },
    /// A player is to decide.
    TurnStarted {
        /// Who.
        seat: SeatNo,
        /// The decision's number.
        turn: Turn,
    },
    /// The time was over and the player has no connection: some more (R18).
    ReconnectTimeStarted {
        /// Who.
        seat: SeatNo,
        /// How much.
        ms: u32,
    },
    /// The time was over: the time bank runs (R19).
    TimeBankStarted {
        /// Who.
        seat: SeatNo,
        /// What is left of it.
        ms: u32,
    },
    /// All time was over. What the rules do for the player follows.
    TimedOut {
        /// Who.
        seat: SeatNo,
    },
    /// A player decided, or the rules for him.
    Acted {
        /// Who.
        seat: SeatNo,
        /// Which decision.
        turn: Turn,
        /// What.
        action: Action,
        /// His bet on this street after it.
        to: u64,
        /// What he paid.
        added: u64,
        /// How much of his time bank it took.
        bank_used_ms: u32,
        /// Who decided.
        cause: Cause,
    },
    /// Nobody matched the top of a bet: it goes back (R6).
    UncalledReturned {
        /// To whom.
        seat: SeatNo,
        /// How much.
        amount: u64,
    },
    /// Cards came onto the board.
    StreetDealt {
        /// The street that begins.
        street: Street,
        /// Its cards only.
        cards: Cards,
    },
    /// A hand was turned up.
    Shown {
        /// Whose.
        seat: SeatNo,
        /// All his cards, in the order in which they were dealt.
        cards: Cards,
    },
    /// A beaten hand was given up without being shown (R9).
    Mucked {
        /// Whose.
        seat: SeatNo,
    },
    /// A pot was paid out; the shares and the rake are the amount.
    PotAwarded {
        /// 0 is the main pot.
        pot: u8,
        /// What was in it.
        amount: u64,
        /// What the house took of it (R16).
        rake: u64,
        /// Who got how much, odd chips first (R8).
        shares: Vec<(SeatNo, u64)>,
        /// Which part of the pot this is, if it is divided. `amount` is then that of the part.
        #[serde(default, skip_serializing_if = "Part::is_whole")]
        part: Part,
    },
    /// The hand is over.
    HandEnded {
        /// Its number.
        hand: HandNo,
    },
    /// The hand was given up: every stack is as at its start (R20).
    HandVoided {
        /// Its number.
        hand: HandNo,
    },
    /// The table is closed for good.
    TableClosed,
    /// A player wants to straddle where he may, or no more (R13).
    StraddleChosen {
        /// Where he sits.
        seat: SeatNo,
        /// Whether.
        on: bool,
    },
    /// Nobody can bet any more: these players are asked whether the rest of the board is to be dealt twice.
    RunTwiceAsked {
        /// The question's number, among the turns of the hand.
        turn: Turn,
        /// Everybody who is still in.
        seats: Vec<SeatNo>,
    },
    /// One of them answered.
    RunTwiceAnswered {
        /// Who.
        seat: SeatNo,
        /// Whether he agrees.
        agree: bool,
    },
    /// All agreed, or somebody did not or was too late.
    RunTwiceSettled {
        /// Whether the rest of the board is dealt twice.
        twice: bool,
    },
    /// Cards came onto the second board.
    SecondBoardDealt {
        /// The street that they belong to.
        street: Street,
        /// Its cards only.
        cards: Cards,
    },
}

/// What an award is for. A pot that is not divided is one whole part.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Part {
    /// Which board it is for, if the hand was run twice.
    pub run: Option<Run>,
    /// Whether it is for the best high or the best low hand. Neither, if nobody has a low or the same players have both.
    pub side: Option<Side>,
}

/// The boards of a hand that is run twice.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Run {
    /// The board.
    First,
    /// The one that was dealt after it.
    Second,
}

/// The two hands that win in a hi-lo game (R23).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Side {
    /// The best hand.
    High,
    /// The best low, eight or better.
    Low,
}

/// A player who is dealt in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Dealt {
    /// Where.
    pub seat: SeatNo,
    /// Who.
    pub player: PlayerId,
    /// With how much.
    pub stack: u64,
}

/// What chips are posted for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Post {
    /// The small blind, part of the bet.
    SmallBlind,
    /// The big blind, part of the bet.
    BigBlind,
    /// One's own ante, not part of the bet (R12).
    Ante,
    /// The ante that the big blind pays for all, not part of the bet (R12).
    BigBlindAnte,
    /// A missed small blind, not part of the bet (R11).
    DeadBlind,
    /// A big blind out of turn, part of the bet (R11).
    LiveBlind,
    /// Two big blinds by choice, part of the bet, which they raise (R13).
    Straddle,
}

/// Who decided.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Cause {
    /// The player.
    Player,
    /// The clock (R19).
    TimeOut,
    /// The rules, since he is leaving or was made to sit out (R18).
    Away,
}

/// Why a player is gone.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum LeaveReason {
    /// He asked for it.
    Asked,
    /// He sat out too long (R11).
    Absent,
    /// The table closed.
    Closed,
}

impl Part {
    /// Whether the pot is not divided.
    pub fn is_whole(&self) -> bool {
        *self == Part::default()
    }
}

impl Fact {
    /// The chips that leave the table with this fact, and to whom: what a wallet is owed.
    pub fn chips_out(&self) -> Option<(PlayerId, u64)> {
        let (player, amount) = match self {
            Fact::SeatLeft {
                player, cash_out, ..
            } => (*player, *cash_out),
            Fact::ToppedUp {
                player, returned, ..
            } => (*player, *returned),
            Fact::SeatTaken { .. }
            | Fact::LeaveAsked { .. }
            | Fact::TopUpQueued { .. }
            | Fact::SatOut { .. }
            | Fact::SatIn { .. }
            | Fact::ConnectionChanged { .. }
            | Fact::BlindsMissed { .. }
            | Fact::ButtonMissed { .. }
            | Fact::HandStarted { .. }
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
            | Fact::TableClosed
            | Fact::StraddleChosen { .. }
            | Fact::RunTwiceAsked { .. }
            | Fact::RunTwiceAnswered { .. }
            | Fact::RunTwiceSettled { .. }
            | Fact::SecondBoardDealt { .. } => return None,
        };
        (amount > 0).then_some((player, amount))
    }
}
