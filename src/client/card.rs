//! A card as it comes over the wire.

use std::fmt;
use std::str::FromStr;

/// Rank and suit as two characters: `As`, `Td`, `2c`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Card([u8; 2]);

/// What is not a card.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0:?} is not a card")]
pub struct CardError(String);

impl Card {
    /// 2 to 14, the ace highest.
    pub fn rank(self) -> u8 {
        let place = RANKS.iter().position(|rank| *rank == self.0[0]);
        let place = place.expect("only a rank is ever stored");
        u8::try_from(place + 2).expect("there are thirteen ranks")
    }

    /// One of `cdhs`.
    pub fn suit(self) -> char {
        char::from(self.0[1])
    }
}

impl FromStr for Card {
    type Err = CardError;

    fn from_str(text: &str) -> Result<Card, CardError> {
        match text.as_bytes() {
            [rank, suit] if RANKS.contains(rank) && SUITS.contains(suit) => {
                Ok(Card([*rank, *suit]))
            }
            _ => Err(CardError(text.chars().take(QUOTED_MAX).collect())),
        }
    }
}

impl fmt::Display for Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", char::from(self.0[0]), char::from(self.0[1]))
    }
}

impl fmt::Debug for Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

const RANKS: [u8; 13] = *b"23456789TJQKA";
const SUITS: [u8; 4] = *b"cdhs";
/// As much of a wrong text as an error shows.
const QUOTED_MAX: usize = 8;

#[cfg(test)]
mod tests {
    use super::Card;

    #[test]
    fn every_card_and_nothing_else() {
        let check = |text: &str, rank: Option<u8>| {
            let card = text.parse::<Card>();
            assert_eq!(card.as_ref().ok().map(|card| card.rank()), rank, "{text}");
            if let Ok(card) = card {
                assert_eq!(card.to_string(), text);
            }
        };
        check("2c", Some(2));
        check("Td", Some(10));
        check("As", Some(14));
        check("1s", None);
        check("AS", None);
        check("A", None);
        check("", None);
        check("Asx", None);
    }
}
