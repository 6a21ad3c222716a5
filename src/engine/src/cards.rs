//! A few cards that everybody may see: a board, or a hand that was turned up.

use alloc::vec::Vec;
use core::fmt;
use core::ops::Deref;

use serde::{Deserialize, Serialize};

use crate::card::Card;

/// Up to six public cards in their order, without an allocation. Reads as a slice.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(try_from = "Vec<Card>", into = "Vec<Card>")]
pub struct Cards {
    len: u8,
    /// What is past `len` is filler.
    cards: [Card; Cards::MAX],
}

/// More cards than a board or a hand has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("more than {} cards", Cards::MAX)]
pub struct TooManyCards;

impl Cards {
    /// The most cards: a hand of six-card Omaha.
    pub const MAX: usize = 6;

    /// These cards, if they are not too many.
    pub fn new(cards: &[Card]) -> Result<Cards, TooManyCards> {
        let mut all = Cards::default();
        let space = all.cards.get_mut(..cards.len()).ok_or(TooManyCards)?;
        space.copy_from_slice(cards);
        all.len = cards.len() as u8;
        Ok(all)
    }

    /// These cards and those, as many as there is room for.
    #[must_use]
    pub fn and(mut self, more: &[Card]) -> Cards {
        for (space, card) in self.cards.iter_mut().skip(self.len.into()).zip(more) {
            *space = *card;
            self.len += 1;
        }
        self
    }
}

impl Default for Cards {
    fn default() -> Cards {
        let filler = Card::new(0).expect("0 is a card");
        Cards {
            len: 0,
            cards: [filler; Cards::MAX],
        }
    }
}

impl Deref for Cards {
    type Target = [Card];

    fn deref(&self) -> &[Card] {
        self.cards.get(..self.len.into()).unwrap_or(&self.cards)
    }
}

impl PartialEq for Cards {
    fn eq(&self, other: &Cards) -> bool {
        **self == **other
    }
}

impl Eq for Cards {}

impl fmt::Debug for Cards {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl TryFrom<Vec<Card>> for Cards {
    type Error = TooManyCards;

    fn try_from(cards: Vec<Card>) -> Result<Cards, TooManyCards> {
        Cards::new(&cards)
    }
}

impl From<Cards> for Vec<Card> {
    fn from(cards: Cards) -> Vec<Card> {
        cards.to_vec()
    }
}
