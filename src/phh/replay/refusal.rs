//! Why a hand was not played to its end: what cannot be played here, and what the rules do not allow.

use engine::{Reject, SettingsError};

/// Why a hand cannot be played here: it is another game, or it leaves out what would be needed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unplayable {
    /// A game that is not played here.
    #[error("variant {0} is not played here")]
    Variant(String),
    /// The antes are neither equal nor the big blind's alone.
    #[error("antes that are neither equal nor the big blind's")]
    Antes,
    /// Neither a small and a big blind, maybe with one straddle of two big blinds, nor one blind on the button.
    #[error(
        "blinds other than a small and a big one, a straddle of two big blinds, or one on the button"
    )]
    Blinds,
    /// Somebody posts out of turn: a hand in the middle of a game that the file does not tell.
    #[error("a blind posted out of turn")]
    Post,
    /// The smallest bet is not the big blind.
    #[error("a smallest bet that is not the big blind")]
    MinBet,
    /// Fixed limit whose early bets are not the big blind, or without a bet of the late streets.
    #[error("fixed limit without bets of a big blind and a big bet")]
    Limits,
    /// A stack that the file does not know.
    #[error("the stack of p{0} is not known")]
    Stack(usize),
    /// The amounts of the hand do not fit together into integers.
    #[error("amounts too large or too fine")]
    Amounts,
    /// A table of such settings is refused.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The file ends before the hand does.
    #[error("the file ends before the hand")]
    Unfinished,
}

/// What the rules do not allow, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Illegal {
    /// The table cannot begin the hand.
    #[error("the hand cannot begin: {0}")]
    Deal(Reject),
    /// A decision was refused.
    #[error("action {action} is refused: {reject}")]
    Refused {
        /// Which entry of `actions`, from 1.
        action: usize,
        /// By which rule.
        reject: Reject,
    },
    /// A decision after the end.
    #[error("action {0}: the hand is over")]
    Over(usize),
    /// Cards of the board while players are still to act, or the other way round.
    #[error(
        "action {action}: {file} cards of the board are dealt in the file and {engine} by the rules"
    )]
    Board {
        /// Which entry of `actions`, from 1.
        action: usize,
        /// The board in the file.
        file: usize,
        /// The board by the rules.
        engine: usize,
    },
    /// A card occurs twice, or a player shows other cards than he was dealt.
    #[error("the cards of the file contradict each other")]
    Cards,
}

/// Why a hand was not played to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// Nothing can be said about it.
    #[error(transparent)]
    Unplayable(#[from] Unplayable),
    /// The file does what the rules do not allow.
    #[error(transparent)]
    Illegal(#[from] Illegal),
}
