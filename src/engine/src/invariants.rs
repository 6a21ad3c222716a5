//! What must hold of a table after every event (R22). The caller checks a copy before it appends.

use crate::card::Card;
use crate::hand::Hand;
use crate::ids::{PlayerId, SeatNo};
use crate::table::Table;

/// A broken invariant. It names no card.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Broken {
    /// Chips appeared or vanished (P1).
    #[error("{chips_in} chips came in, but {accounted} are accounted for")]
    ChipsNotConserved {
        /// What came in.
        chips_in: u64,
        /// What is on the table, left it, or was raked.
        accounted: u64,
    },
    /// The stacks and pots of a hand are not what its players brought into it.
    #[error("the hand began with {began} chips and has {now}")]
    HandNotConserved {
        /// What its players had at its start.
        began: u64,
        /// Their stacks, the pots and the rake now.
        now: u64,
    },
    /// More was paid out of the pots than was in them.
    #[error("the pots held {paid} chips and {awarded} were paid out")]
    PotOverdrawn {
        /// What was in them.
        paid: u64,
        /// What went out.
        awarded: u64,
    },
    /// A player has two seats.
    #[error("player {player} sits twice")]
    SitsTwice {
        /// Who.
        player: PlayerId,
    },
    /// A hand has a player whose seat is another's or empty.
    #[error("seat {seat} is in the hand but not its player's")]
    SeatLost {
        /// Which.
        seat: SeatNo,
    },
    /// A card is in two places.
    #[error("a card is in two places")]
    CardTwice,
    /// The board has too many or too few cards for its street.
    #[error("the board has {cards} cards")]
    BoardLength {
        /// How many.
        cards: usize,
    },
    /// It is the turn of somebody who cannot act.
    #[error("it is the turn of seat {seat}, who cannot act")]
    TurnOfNobody {
        /// Whose.
        seat: SeatNo,
    },
    /// The number of seats is not what the settings say.
    #[error("there are {seats} seats")]
    SeatCount {
        /// How many.
        seats: usize,
    },
}

/// Says what is broken, if anything is.
pub fn check(table: &Table) -> Result<(), Broken> {
    if table.seats.len() != usize::from(table.settings.seats) {
        return Err(Broken::SeatCount {
            seats: table.seats.len(),
        });
    }
    for (seat, taken) in table.seats() {
        if table
            .seats()
            .any(|(other, twin)| other > seat && twin.player == taken.player)
        {
            return Err(Broken::SitsTwice {
                player: taken.player,
            });
        }
    }
    let ledger = table.ledger();
    let accounted = table
        .chips()
        .saturating_add(ledger.chips_out)
        .saturating_add(ledger.rake);
    if accounted != ledger.chips_in {
        return Err(Broken::ChipsNotConserved {
            chips_in: ledger.chips_in,
            accounted,
        });
    }
    table.hand().map_or(Ok(()), |hand| check_hand(table, hand))
}

fn check_hand(table: &Table, hand: &Hand) -> Result<(), Broken> {
    let sum = |of: fn(&crate::hand::InHand) -> u64| {
        hand.players.iter().map(of).fold(0, u64::saturating_add)
    };
    let paid = sum(|p| p.bets.saturating_add(p.ante)).saturating_add(hand.dead);
    if hand.paid_out > paid {
        return Err(Broken::PotOverdrawn {
            paid,
            awarded: hand.paid_out,
        });
    }
    let began = sum(|p| p.start);
    let now = sum(|p| p.stack)
        .saturating_add(hand.pot())
        .saturating_add(hand.rake);
    if began != now {
        return Err(Broken::HandNotConserved { began, now });
    }
    if let Some(lost) = hand
        .players
        .iter()
        .find(|p| table.seat(p.seat).is_none_or(|s| s.player != p.player))
    {
        return Err(Broken::SeatLost { seat: lost.seat });
    }
    if hand.board.len() != hand.street.board_len() {
        return Err(Broken::BoardLength {
            cards: hand.board.len(),
        });
    }
    if let Some(second) = hand.second_board().filter(|second| second.len() > BOARD) {
        return Err(Broken::BoardLength {
            cards: second.len(),
        });
    }
    if !distinct(hand) {
        return Err(Broken::CardTwice);
    }
    match hand.to_act.map(|seat| (seat, hand.player(seat))) {
        Some((seat, None)) => Err(Broken::TurnOfNobody { seat }),
        Some((seat, Some(p))) if p.folded || p.stack == 0 => Err(Broken::TurnOfNobody { seat }),
        Some((_, Some(_))) | None => Ok(()),
    }
}

/// Whether no two places hold the same card. A deck holds each card once, so with a deck every hand and the board come
/// from it; without one only the cards that were turned up can be compared.
fn distinct(hand: &Hand) -> bool {
    let mut seen = 0u64;
    let mut fresh = |card: &Card| {
        let bit = 1u64 << card.index();
        let fresh = seen & bit == 0;
        seen |= bit;
        fresh
    };
    let second = hand.second_board().unwrap_or_default();
    // Both boards begin with the same cards.
    let own = second
        .iter()
        .enumerate()
        .filter(|(at, card)| hand.board.get(*at) != Some(*card));
    let shown = hand.players.iter().filter_map(|p| p.shown.as_ref());
    hand.board.iter().all(&mut fresh)
        && own.map(|(_, card)| card).all(&mut fresh)
        && shown.flat_map(|cards| cards.iter()).all(&mut fresh)
}

/// Cards of a whole board.
const BOARD: usize = 5;

#[cfg(test)]
mod tests;
