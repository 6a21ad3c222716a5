//! The deck of one hand: a shuffled order of all cards that comes in from outside and never shows itself.
//!
//! Nothing here has `Debug`, `Display` or `Serialize`: a deck leaves only as the bytes that the
//! caller seals, and hole cards leave only through the view of their owner.

use crate::card::{Card, CardError};

/// All 52 cards in the order in which they are dealt: hole cards one at a time in two rounds, the
/// first dealt seat left of the button first, then the five cards of the board. No card is burned.
#[derive(Clone, PartialEq, Eq)]
pub struct Deck([Card; Card::COUNT]);

/// The two cards that belong to one seat.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct HoleCards([Card; HoleCards::COUNT]);

/// Why an order of cards is not a deck. It names no card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DeckError {
    /// A card occurs twice, so another is missing.
    #[error("a card occurs twice in the deck")]
    Repeated,
    /// A byte is no card.
    #[error(transparent)]
    NoCard(#[from] CardError),
}

impl Deck {
    /// A deck in this order; refuses an order in which a card occurs twice.
    pub fn new(cards: [Card; Card::COUNT]) -> Result<Deck, DeckError> {
        let seen = cards
            .iter()
            .fold(0u64, |seen, card| seen | 1 << card.index());
        if seen.count_ones() as usize == Card::COUNT {
            Ok(Deck(cards))
        } else {
            Err(DeckError::Repeated)
        }
    }

    /// The hole cards of the dealt seat `place` (0 is the first left of the button) of `players`.
    /// `None` if there is no such place or the deck is too small for so many.
    pub fn hole(&self, place: usize, players: usize) -> Option<HoleCards> {
        if place >= players {
            return None;
        }
        let round = |n: usize| {
            self.0
                .get(n.checked_mul(players)?.checked_add(place)?)
                .copied()
        };
        Some(HoleCards([round(0)?, round(1)?]))
    }

    /// The five board cards of a hand that was dealt to `players`: flop, turn, river.
    /// `None` if the deck is too small for so many.
    pub fn board(&self, players: usize) -> Option<[Card; 5]> {
        let start = players.checked_mul(HoleCards::COUNT)?;
        self.0.get(start..start.checked_add(5)?)?.try_into().ok()
    }

    /// The order as bytes, for the caller to seal.
    pub fn to_bytes(&self) -> [u8; Card::COUNT] {
        self.0.map(Card::index)
    }

    /// The deck of `to_bytes`; refuses anything that is not an order of all cards.
    pub fn from_bytes(bytes: &[u8; Card::COUNT]) -> Result<Deck, DeckError> {
        let mut cards = [Card::new(0)?; Card::COUNT];
        for (card, byte) in cards.iter_mut().zip(bytes) {
            *card = Card::new(*byte)?;
        }
        Deck::new(cards)
    }
}

impl HoleCards {
    /// How many cards a seat holds.
    pub const COUNT: usize = 2;

    /// These two cards as hole cards.
    pub fn new(cards: [Card; HoleCards::COUNT]) -> HoleCards {
        HoleCards(cards)
    }

    /// The cards, in the order in which they were dealt.
    pub fn cards(&self) -> &[Card] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    fn ordered() -> [Card; Card::COUNT] {
        let all: Vec<Card> = Card::all().collect();
        all.try_into().expect("there are 52")
    }

    #[test]
    fn hole_cards_come_one_at_a_time_and_the_board_after_them() {
        let deck = Deck::new(ordered()).unwrap();
        let indices = |cards: &[Card]| cards.iter().map(|c| c.index()).collect::<Vec<_>>();
        assert_eq!(indices(deck.hole(0, 3).unwrap().cards()), [0, 3]);
        assert_eq!(indices(deck.hole(2, 3).unwrap().cards()), [2, 5]);
        assert_eq!(indices(&deck.board(3).unwrap()), [6, 7, 8, 9, 10]);
        assert_eq!(indices(&deck.board(10).unwrap()), [20, 21, 22, 23, 24]);
    }

    #[test]
    fn places_that_do_not_exist_have_no_cards() {
        let deck = Deck::new(ordered()).unwrap();
        assert!(deck.hole(3, 3).is_none());
        assert!(deck.hole(51, 52).is_none());
        assert!(deck.board(24).is_none());
        assert!(deck.board(usize::MAX).is_none());
    }

    #[test]
    fn only_an_order_of_all_cards_is_a_deck() {
        let mut cards = ordered();
        cards.reverse();
        let deck = Deck::new(cards).unwrap();
        assert!(Deck::from_bytes(&deck.to_bytes()) == Ok(deck.clone()));
        cards[7] = cards[8];
        assert!(matches!(Deck::new(cards), Err(DeckError::Repeated)));
        let mut bytes = deck.to_bytes();
        bytes[0] = 52;
        assert!(matches!(
            Deck::from_bytes(&bytes),
            Err(DeckError::NoCard(CardError::OutOfRange(52)))
        ));
    }
}
