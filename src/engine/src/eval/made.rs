//! What a player holds in a game: his high hand, and his low where lows count.

use core::fmt;

use super::{CardSet, Low, Strength, two_and_three};
use crate::card::Card;
use crate::game::{Game, Variant};

/// How good a player's cards are with a board.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Made {
    /// The best high hand.
    pub high: Strength,
    /// The best low, if the game has lows and he has one.
    pub low: Option<Low>,
}

impl Made {
    /// The best of these cards with that board, by the rules of the game. While the board is not whole, the best so far.
    pub fn of(game: &Game, hole: &[Card], board: &[Card]) -> Made {
        match game.variant {
            Variant::Holdem => Made::high(any_five(hole, board).strength()),
            Variant::ShortDeck => Made::high(any_five(hole, board).short_deck_strength()),
            Variant::Omaha4 | Variant::Omaha5 | Variant::Omaha6 => omaha(game, hole, board),
        }
    }

    fn high(high: Strength) -> Made {
        Made { high, low: None }
    }
}

/// The high hand, and the low if there is one.
impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.low {
            None => write!(f, "{}", self.high),
            Some(low) => write!(f, "{} and {low}", self.high),
        }
    }
}

fn any_five(hole: &[Card], board: &[Card]) -> CardSet {
    board.iter().chain(hole).copied().collect()
}

fn omaha(game: &Game, hole: &[Card], board: &[Card]) -> Made {
    let mut best = Made::high(CardSet::default().strength());
    for five in two_and_three(hole, board) {
        best.high = best.high.max(five.strength());
        if game.low {
            best.low = best.low.max(five.low());
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use std::format;
    use std::vec::Vec;

    use super::*;

    fn check(variant: Variant, low: bool, hole: &str, board: &str, expected: &str) {
        let cards = |text: &str| -> Vec<Card> {
            let words = text.split_whitespace();
            words.map(|card| card.parse().unwrap()).collect()
        };
        let game = Game {
            variant,
            low,
            ..Game::default()
        };
        let made = Made::of(&game, &cards(hole), &cards(board));
        assert_eq!(format!("{made}"), expected, "{hole} on {board}");
    }

    #[test]
    fn each_game_has_its_own_best() {
        let board = "9h 8d 7c 2s 2d";
        check(
            Variant::Holdem,
            false,
            "As 6d",
            "9h 8d 7c Kc Kd",
            "pair of kings",
        );
        check(
            Variant::ShortDeck,
            false,
            "As 6d",
            "9h 8d 7c Kc Kd",
            "straight, nine high",
        );
        check(
            Variant::Omaha4,
            false,
            "As 3d 3c Ah",
            board,
            "two pair, aces and twos",
        );
        check(
            Variant::Omaha4,
            true,
            "As 3d Kc Kh",
            board,
            "two pair, kings and twos and eight-seven low",
        );
        check(
            Variant::Omaha4,
            true,
            "As Ad Kc Kh",
            board,
            "two pair, aces and twos",
        );
        check(
            Variant::Omaha6,
            true,
            "Js Td 5c 4h 3s Ks",
            board,
            "straight, jack high and eight-seven low",
        );
        check(Variant::Omaha5, false, "As Ad Kc Kh Qs", "", "pair of aces");
    }
}
