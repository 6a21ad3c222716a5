//! The ranking of hands as a person would count it: slowly, and in another way than the evaluator.

use std::vec::Vec;

use crate::card::Card;

/// A kind of hand, and the ranks that decide within it, in their order.
pub type Strength = (usize, Vec<u8>);

/// What differs between decks.
pub struct Rules {
    /// What kind beats what, weakest first.
    order: [&'static str; 9],
    /// The rank that the ace is below.
    above_low_ace: u8,
}

pub const FULL_DECK: Rules = Rules {
    order: [
        "high card",
        "pair",
        "two pair",
        "three",
        "straight",
        "flush",
        "full house",
        "four",
        "straight flush",
    ],
    above_low_ace: 0,
};

pub const SHORT_DECK: Rules = Rules {
    order: [
        "high card",
        "pair",
        "two pair",
        "three",
        "straight",
        "full house",
        "flush",
        "four",
        "straight flush",
    ],
    above_low_ace: 4,
};

/// How good five cards are.
pub fn strength(five: &[Card], rules: &Rules) -> Strength {
    let mut ranks: Vec<u8> = five.iter().map(|card| card.rank()).collect();
    let times = |rank: u8| five.iter().filter(|card| card.rank() == rank).count();
    ranks.sort_by_key(|rank| (times(*rank), *rank));
    ranks.reverse();
    let suited = five.iter().all(|card| card.suit() == five[0].suit());
    let low = rules.above_low_ace;
    let wheel = [ACE, low + 3, low + 2, low + 1, low];
    let in_a_row = ranks.windows(2).all(|pair| pair[0] == pair[1] + 1);
    if ranks == wheel {
        ranks = Vec::from(&wheel[1..]);
    }
    let straight = in_a_row || ranks.len() == 4;
    let kind = match (
        suited,
        straight,
        times(ranks[0]),
        times(ranks[ranks.len() - 1]),
    ) {
        (true, true, ..) => "straight flush",
        (true, ..) => "flush",
        (_, true, ..) => "straight",
        (_, _, 4, _) => "four",
        (_, _, 3, 2) => "full house",
        (_, _, 3, _) => "three",
        (_, _, 2, _) if times(ranks[2]) == 2 => "two pair",
        (_, _, 2, _) => "pair",
        _ => "high card",
    };
    let place = rules.order.iter().position(|other| *other == kind);
    (place.unwrap(), ranks)
}

/// How good the low of five cards is: its ranks from the top, each the better the lower.
pub fn low(five: &[Card]) -> Option<Vec<i8>> {
    let mut ranks: Vec<i8> = five
        .iter()
        .map(|card| {
            if card.rank() == ACE {
                1
            } else {
                card.rank() as i8 + 2
            }
        })
        .collect();
    ranks.sort_unstable();
    ranks.dedup();
    ranks.reverse();
    (ranks.len() == 5 && ranks[0] <= 8).then(|| ranks.iter().map(|rank| -rank).collect())
}

/// Every two of these and three of those.
pub fn two_and_three(hole: &[Card], board: &[Card]) -> Vec<[Card; 5]> {
    let mut fives = Vec::new();
    for (a, first) in hole.iter().enumerate() {
        for second in &hole[..a] {
            for (c, third) in board.iter().enumerate() {
                for (d, fourth) in board.iter().enumerate().take(c) {
                    for fifth in &board[..d] {
                        fives.push([*first, *second, *third, *fourth, *fifth]);
                    }
                }
            }
        }
    }
    fives
}

const ACE: u8 = 12;
