//! A playing card, one of 52, in one byte.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

/// One card of the 52. The byte is `rank * 4 + suit`, with ranks from the deuce (0) to the ace (12)
/// and suits in the order clubs, diamonds, hearts, spades. The derived order is for collections; at
/// showdown suits never count (R8).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Card(u8);

/// Why something is not a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CardError {
    /// The byte is not below 52.
    #[error("{0} is not a card: a card is 0 to 51")]
    OutOfRange(u8),
    /// The text is not a rank of `23456789TJQKA` followed by a suit of `cdhs`.
    #[error("not a card: a card is a rank of 23456789TJQKA and a suit of cdhs")]
    BadText,
}

impl Card {
    /// How many cards there are.
    pub const COUNT: usize = 52;

    /// Every card once, in the order of their bytes.
    pub fn all() -> impl ExactSizeIterator<Item = Card> + Clone {
        (0..Card::COUNT as u8).map(Card)
    }

    /// The card of a byte; refuses 52 and above.
    pub fn new(index: u8) -> Result<Card, CardError> {
        if usize::from(index) < Card::COUNT {
            Ok(Card(index))
        } else {
            Err(CardError::OutOfRange(index))
        }
    }

    /// The byte of this card, below 52.
    pub fn index(self) -> u8 {
        self.0
    }

    /// The rank: 0 for a deuce up to 12 for an ace.
    pub fn rank(self) -> u8 {
        self.0 >> 2
    }

    /// The suit: 0 clubs, 1 diamonds, 2 hearts, 3 spades.
    pub fn suit(self) -> u8 {
        self.0 & 3
    }
}

impl fmt::Display for Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [rank, suit] = [
            RANKS[usize::from(self.rank())],
            SUITS[usize::from(self.suit())],
        ];
        write!(f, "{}{}", char::from(rank), char::from(suit))
    }
}

impl fmt::Debug for Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Card {
    type Err = CardError;

    fn from_str(text: &str) -> Result<Card, CardError> {
        let &[rank, suit] = text.as_bytes() else {
            return Err(CardError::BadText);
        };
        let rank = RANKS
            .iter()
            .position(|r| *r == rank)
            .ok_or(CardError::BadText)?;
        let suit = SUITS
            .iter()
            .position(|s| *s == suit)
            .ok_or(CardError::BadText)?;
        Ok(Card((rank * 4 + suit) as u8))
    }
}

impl TryFrom<u8> for Card {
    type Error = CardError;

    fn try_from(index: u8) -> Result<Card, CardError> {
        Card::new(index)
    }
}

impl From<Card> for u8 {
    fn from(card: Card) -> u8 {
        card.0
    }
}

const RANKS: &[u8; 13] = b"23456789TJQKA";
const SUITS: &[u8; 4] = b"cdhs";

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;

    #[test]
    fn text_and_byte_name_the_same_card() {
        for card in Card::all() {
            assert_eq!(card.to_string().parse(), Ok(card));
            assert_eq!(Card::new(card.index()), Ok(card));
        }
        assert_eq!("2c".parse().map(Card::index), Ok(0));
        assert_eq!("As".parse().map(Card::index), Ok(51));
    }

    #[test]
    fn what_is_not_a_card_is_refused() {
        assert_eq!(Card::new(52), Err(CardError::OutOfRange(52)));
        for text in ["", "A", "1s", "sA", "AS", "as", "10s", "As ", "♠A", "??"] {
            assert_eq!(text.parse::<Card>(), Err(CardError::BadText), "{text:?}");
        }
    }
}
