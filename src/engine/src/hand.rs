//! A hand that is being played: who is in it, the bets, the board, and whose turn it is.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::bet::limit::Round;
use crate::cards::Cards;
use crate::command::Phase;
use crate::deck::{Deck, HoleCards};
use crate::eval::Made;
use crate::event::Run;
use crate::game::{Game, Variant};
use crate::ids::{HandNo, PlayerId, SeatNo, Turn};
use crate::seat::Owes;

/// The streets of a game with a board.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Street {
    /// Before the board.
    Preflop,
    /// Three cards.
    Flop,
    /// The fourth card.
    Turn,
    /// The fifth card.
    River,
}

/// Where button and blinds are. Button and small blind may be empty seats (R10).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Positions {
    /// The button.
    pub button: SeatNo,
    /// The small blind.
    pub small_blind: SeatNo,
    /// The big blind.
    pub big_blind: SeatNo,
}

/// A hand that is being played.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hand {
    pub(crate) no: HandNo,
    pub(crate) positions: Positions,
    /// The positions of the hand before, for the case that this one is voided.
    pub(crate) positions_before: Option<Positions>,
    pub(crate) street: Street,
    pub(crate) board: Cards,
    /// In the order of dealing: from the left of the button clockwise.
    pub(crate) players: Vec<InHand>,
    /// The bet to match on this street; before the flop at least the big blind, whatever was posted (R5).
    pub(crate) current_bet: u64,
    /// The smallest bet: the big blind of this hand.
    pub(crate) min_bet: u64,
    /// By how much a raise must be more (R2).
    pub(crate) last_full_raise: u64,
    /// Who bet or raised last on this street (R9).
    pub(crate) aggressor: Option<SeatNo>,
    pub(crate) turn: Turn,
    pub(crate) to_act: Option<SeatNo>,
    pub(crate) phase: Phase,
    /// Dead blinds and the big-blind ante: they go to the main pot (R7).
    pub(crate) dead: u64,
    /// What was paid out of the pots, the rake included.
    pub(crate) paid_out: u64,
    pub(crate) rake: u64,
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub(crate) extra: Extra,
    #[serde(skip)]
    pub(crate) deck: Option<Deck>,
}

/// What only some games have to remember. It is written by position and only if there is something: so a field goes to its
/// end, has a default, and keeps it in a hand of plain no-limit Hold'em.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Extra {
    /// Fixed limit: the street that is being played.
    #[serde(default)]
    pub(crate) limit: Option<Round>,
    /// Whether the rest of the board is dealt twice, once the players were asked.
    #[serde(default)]
    pub(crate) run_twice: Option<RunTwice>,
}

/// Whether the rest of the board is dealt twice.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum RunTwice {
    /// These have not answered yet.
    Asked(Vec<SeatNo>),
    /// Not all want it.
    Once,
    /// The second board, with the cards that both have in common.
    Twice(Cards),
}

/// A player in a hand.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct InHand {
    /// Where he sits.
    pub seat: SeatNo,
    /// Who he is.
    pub player: PlayerId,
    /// His chips when the hand began.
    pub start: u64,
    /// His chips that are not bet.
    pub stack: u64,
    /// His bet on this street.
    pub bet: u64,
    /// All his bets in this hand, this street's included; antes and dead blinds are not bets.
    pub bets: u64,
    /// His own ante (R12).
    pub ante: u64,
    /// Gave up.
    pub folded: bool,
    /// Decided on this street, by himself or by the rules; posting is not deciding.
    pub acted: bool,
    /// Had his extra time for reconnecting (R18).
    pub reconnect_used: bool,
    /// His cards, once turned up.
    pub shown: Option<Cards>,
    /// What he owed before the hand, for the case that it is voided.
    pub owed: Owes,
}

impl Hand {
    /// Its number.
    pub fn no(&self) -> HandNo {
        self.no
    }

    /// Where button and blinds are.
    pub fn positions(&self) -> Positions {
        self.positions
    }

    /// The street that is being played.
    pub fn street(&self) -> Street {
        self.street
    }

    /// The board so far.
    pub fn board(&self) -> Cards {
        self.board
    }

    /// Everybody who was dealt in, from the left of the button clockwise.
    pub fn players(&self) -> &[InHand] {
        &self.players
    }

    /// The bet to match on this street.
    pub fn current_bet(&self) -> u64 {
        self.current_bet
    }

    /// Whose turn it is, and its number. `None` only between the events of one decision.
    pub fn turn(&self) -> Option<(SeatNo, Turn)> {
        self.to_act.map(|seat| (seat, self.turn))
    }

    /// Who has not said yet whether the rest of the board is to be dealt twice, and the number of the question; `None` if
    /// nobody is asked.
    pub fn run_twice_asked(&self) -> Option<(&[SeatNo], Turn)> {
        match &self.extra.run_twice {
            Some(RunTwice::Asked(open)) => Some((open, self.turn)),
            Some(RunTwice::Once | RunTwice::Twice(_)) | None => None,
        }
    }

    /// The second board so far, with the cards that both have in common, if the hand is run twice.
    pub fn second_board(&self) -> Option<Cards> {
        match self.extra.run_twice {
            Some(RunTwice::Twice(second)) => Some(second),
            Some(RunTwice::Asked(_) | RunTwice::Once) | None => None,
        }
    }

    /// What a player who turned his cards up holds, with the board or with the second one.
    pub fn made(&self, seat: SeatNo, run: Option<Run>, game: &Game) -> Option<Made> {
        let shown = self.player(seat)?.shown?;
        let board = match run {
            Some(Run::Second) => self.second_board()?,
            Some(Run::First) | None => self.board,
        };
        Some(Made::of(game, &shown, &board))
    }

    /// Which clock of the turn runs.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// The player at a seat, if he was dealt in.
    pub fn player(&self, seat: SeatNo) -> Option<&InHand> {
        self.players.iter().find(|p| p.seat == seat)
    }

    /// All chips that are bet or posted and not paid out yet.
    pub fn pot(&self) -> u64 {
        let paid = self
            .players
            .iter()
            .map(|p| p.bets.saturating_add(p.ante))
            .fold(self.dead, u64::saturating_add);
        paid.saturating_sub(self.paid_out)
    }

    pub(crate) fn player_mut(&mut self, seat: SeatNo) -> Option<&mut InHand> {
        self.players.iter_mut().find(|p| p.seat == seat)
    }

    pub(crate) fn live(&self) -> impl Iterator<Item = &InHand> {
        self.players.iter().filter(|p| !p.folded)
    }

    /// The cards of a seat; `None` without a deck or for a seat that was not dealt in.
    pub(crate) fn hole(&self, seat: SeatNo, variant: Variant) -> Option<HoleCards> {
        let place = self.players.iter().position(|p| p.seat == seat)?;
        let deck = self.deck.as_ref()?;
        deck.hole(place, self.players.len(), variant)
    }
}

impl InHand {
    /// In the hand without chips left to bet.
    pub fn all_in(&self) -> bool {
        !self.folded && self.stack == 0
    }

    /// His bet on this street if he bets all he has.
    pub(crate) fn all_in_to(&self) -> u64 {
        self.bet.saturating_add(self.stack)
    }
}

impl Extra {
    fn is_empty(&self) -> bool {
        *self == Extra::default()
    }
}

impl Street {
    /// The street after this one.
    pub fn next(self) -> Option<Street> {
        match self {
            Street::Preflop => Some(Street::Flop),
            Street::Flop => Some(Street::Turn),
            Street::Turn => Some(Street::River),
            Street::River => None,
        }
    }

    /// How many cards the board has on this street.
    pub fn board_len(self) -> usize {
        match self {
            Street::Preflop => 0,
            Street::Flop => 3,
            Street::Turn => 4,
            Street::River => 5,
        }
    }
}
