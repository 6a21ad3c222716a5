//! The deck of one hand: a shuffled order of all cards that comes in from outside and never shows itself.
//!
//! Nothing here has `Debug`, `Display` or `Serialize`: a deck leaves only as the bytes that the
//! caller seals, and hole cards leave only through the view of their owner.

use alloc::vec::Vec;

use crate::card::{Card, CardError};
use crate::cards::{Cards, TooManyCards};
use crate::game::Variant;

/// All cards of a game in the order in which they are dealt: hole cards one at a time in as many rounds as each player gets
/// cards, the first dealt seat left of the button first, then the five cards of the board, then those of a second board. No
/// card is burned.
#[derive(Clone)]
pub struct Deck {
    len: u8,
    /// What is past `len` is filler.
    cards: [Card; Card::COUNT],
}

/// The cards that belong to one seat.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct HoleCards(Cards);

/// Why an order of cards is not a deck. It names no card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DeckError {
    /// A card occurs twice.
    #[error("a card occurs twice in the deck")]
    Repeated,
    /// The cards are those of no game: some are missing or too many.
    #[error("{cards} cards are no deck: a deck is all 52 cards, or the 36 from the sixes up")]
    NoDeck {
        /// How many there are.
        cards: usize,
    },
    /// A byte is no card.
    #[error(transparent)]
    NoCard(#[from] CardError),
}

impl Deck {
    /// A deck in this order; refuses an order in which a card occurs twice, and cards that are not all of a game.
    pub fn new(cards: &[Card]) -> Result<Deck, DeckError> {
        let seen = cards
            .iter()
            .fold(0u64, |seen, card| seen | 1 << card.index());
        if seen.count_ones() as usize != cards.len() {
            return Err(DeckError::Repeated);
        }
        // Different cards, as many as a game has, and none below its lowest: they are all of them.
        let missing = Card::COUNT - cards.len();
        let of_a_game = [Variant::Holdem, Variant::ShortDeck]
            .iter()
            .any(|game| cards.len() == usize::from(game.deck_len()));
        if !of_a_game || (seen.trailing_zeros() as usize) < missing {
            return Err(DeckError::NoDeck { cards: cards.len() });
        }
        let mut deck = Deck {
            len: cards.len() as u8,
            cards: [Card::new(0)?; Card::COUNT],
        };
        deck.cards[..cards.len()].copy_from_slice(cards);
        Ok(deck)
    }

    /// Whether this game is dealt from it.
    pub fn is_of(&self, variant: Variant) -> bool {
        self.len == variant.deck_len()
    }

    /// The hole cards of the dealt seat `place` (0 is the first left of the button) of `players`.
    /// `None` if there is no such place or the deck is too small for so many.
    pub fn hole(&self, place: usize, players: usize, variant: Variant) -> Option<HoleCards> {
        if place >= players {
            return None;
        }
        let mut hole = Cards::default();
        for round in 0..usize::from(variant.hole_len()) {
            let at = round.checked_mul(players)?.checked_add(place)?;
            hole = hole.and(&[*self.dealt().get(at)?]);
        }
        Some(HoleCards(hole))
    }

    /// The five board cards of a hand that was dealt to `players`: flop, turn, river.
    /// `None` if the deck is too small for so many.
    pub fn board(&self, players: usize, variant: Variant) -> Option<[Card; BOARD]> {
        self.after_hands(players, variant, 0)?.try_into().ok()
    }

    /// The five cards of the second board, where the first so many are those of the first board.
    /// `None` if the deck is too small for so many.
    pub fn second_board(
        &self,
        players: usize,
        variant: Variant,
        shared: usize,
    ) -> Option<[Card; BOARD]> {
        let mut board = self.board(players, variant)?;
        let second = self.after_hands(players, variant, BOARD)?;
        for (card, own) in board.iter_mut().skip(shared).zip(second) {
            *card = *own;
        }
        Some(board)
    }

    /// The order as bytes, for the caller to seal.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.dealt().iter().map(|card| card.index()).collect()
    }

    /// The deck of `to_bytes`; refuses anything that is not an order of all cards of a game.
    pub fn from_bytes(bytes: &[u8]) -> Result<Deck, DeckError> {
        let cards: Result<Vec<Card>, CardError> =
            bytes.iter().map(|byte| Card::new(*byte)).collect();
        Deck::new(&cards?)
    }

    fn dealt(&self) -> &[Card] {
        self.cards.get(..self.len.into()).unwrap_or(&self.cards)
    }

    /// Five cards that come so many after the hole cards.
    fn after_hands(&self, players: usize, variant: Variant, skip: usize) -> Option<&[Card]> {
        let hands = players.checked_mul(variant.hole_len().into())?;
        let start = hands.checked_add(skip)?;
        self.dealt().get(start..start.checked_add(BOARD)?)
    }
}

impl PartialEq for Deck {
    fn eq(&self, other: &Deck) -> bool {
        self.dealt() == other.dealt()
    }
}

impl Eq for Deck {}

impl HoleCards {
    /// These cards as hole cards.
    pub fn new(cards: &[Card]) -> Result<HoleCards, TooManyCards> {
        Cards::new(cards).map(HoleCards)
    }

    /// The cards, in the order in which they were dealt.
    pub fn cards(&self) -> &[Card] {
        &self.0
    }
}

/// Cards of a whole board.
const BOARD: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::game::Variant::{Holdem, Omaha4, Omaha6, ShortDeck};

    fn ordered(variant: Variant) -> Vec<Card> {
        variant.cards().collect()
    }

    fn deck(variant: Variant) -> Deck {
        Deck::new(&ordered(variant)).unwrap()
    }

    fn indices(cards: &[Card]) -> Vec<u8> {
        cards.iter().map(|card| card.index()).collect()
    }

    #[test]
    fn hole_cards_come_one_at_a_time_and_the_board_after_them() {
        let hole = |place, players, variant: Variant| {
            indices(deck(variant).hole(place, players, variant).unwrap().cards())
        };
        let board =
            |players, variant: Variant| indices(&deck(variant).board(players, variant).unwrap());
        assert_eq!(hole(0, 3, Holdem), [0, 3]);
        assert_eq!(hole(2, 3, Holdem), [2, 5]);
        assert_eq!(board(3, Holdem), [6, 7, 8, 9, 10]);
        assert_eq!(board(10, Holdem), [20, 21, 22, 23, 24]);
        assert_eq!(hole(1, 3, ShortDeck), [17, 20]);
        assert_eq!(board(3, ShortDeck), [22, 23, 24, 25, 26]);
        assert_eq!(hole(1, 3, Omaha4), [1, 4, 7, 10]);
        assert_eq!(board(3, Omaha4), [12, 13, 14, 15, 16]);
        assert_eq!(hole(6, 7, Omaha6), [6, 13, 20, 27, 34, 41]);
        assert_eq!(board(7, Omaha6), [42, 43, 44, 45, 46]);
    }

    #[test]
    fn a_second_board_goes_on_after_the_first() {
        let second = |players, variant: Variant, shared| {
            let second = deck(variant).second_board(players, variant, shared);
            second.map(|board| indices(&board))
        };
        assert_eq!(second(3, Holdem, 0), Some(Vec::from([11, 12, 13, 14, 15])));
        assert_eq!(second(3, Holdem, 3), Some(Vec::from([6, 7, 8, 11, 12])));
        assert_eq!(second(3, Holdem, 4), Some(Vec::from([6, 7, 8, 9, 11])));
        assert_eq!(second(7, Omaha6, 0), Some(Vec::from([47, 48, 49, 50, 51])));
        assert_eq!(second(8, Omaha6, 0), None);
    }

    #[test]
    fn places_that_do_not_exist_have_no_cards() {
        let deck = deck(Holdem);
        assert!(deck.hole(3, 3, Holdem).is_none());
        assert!(deck.hole(51, 52, Holdem).is_none());
        assert!(deck.board(24, Holdem).is_none());
        assert!(deck.board(usize::MAX, Holdem).is_none());
        let short = Deck::new(&ordered(ShortDeck)).unwrap();
        assert!(short.board(15, ShortDeck).is_some());
        assert!(short.board(16, ShortDeck).is_none());
    }

    #[test]
    fn only_an_order_of_all_cards_is_a_deck() {
        for variant in [Holdem, ShortDeck] {
            let mut cards = ordered(variant);
            cards.reverse();
            let deck = Deck::new(&cards).unwrap();
            assert!(Deck::from_bytes(&deck.to_bytes()) == Ok(deck.clone()));
            assert!(deck.is_of(variant));
            let count = cards.len() - 1;
            let missing = Deck::new(&cards[1..]).err();
            assert_eq!(missing, Some(DeckError::NoDeck { cards: count }));
            cards[7] = cards[8];
            assert_eq!(Deck::new(&cards).err(), Some(DeckError::Repeated));
            let mut bytes = deck.to_bytes();
            bytes[0] = 52;
            let unknown = Deck::from_bytes(&bytes).err();
            assert_eq!(unknown, Some(CardError::OutOfRange(52).into()));
        }
        assert!(!deck(Holdem).is_of(ShortDeck) && deck(Holdem).is_of(Omaha4));
        let fives_for_sixes: Vec<Card> = Card::all().skip(12).take(36).collect();
        let other = Deck::new(&fives_for_sixes).err();
        assert_eq!(other, Some(DeckError::NoDeck { cards: 36 }));
    }
}
