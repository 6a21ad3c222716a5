//! The cards that a file knows, put where the engine deals them.

use engine::{Card, Deck, Variant};

use super::Illegal;
use crate::phh::model::{Hand, Known, Showing, Step};

/// The cards of a file.
pub(super) struct Cards {
    variant: Variant,
    pub(super) holes: Vec<Vec<Known>>,
    pub(super) board: Vec<Known>,
}

impl Cards {
    pub(super) fn of(hand: &Hand, variant: Variant) -> Result<Cards, Illegal> {
        let hole = vec![None; variant.hole_len().into()];
        let mut cards = Cards {
            variant,
            holes: vec![hole; hand.starting_stacks.len()],
            board: Vec::with_capacity(BOARD),
        };
        let mut dealt = vec![0; cards.holes.len()];
        for step in &hand.actions {
            match step {
                Step::DealHole(place, known) => {
                    let (hole, dealt) = (&mut cards.holes[*place], &mut dealt[*place]);
                    let end = *dealt + known.len();
                    let space = hole.get_mut(*dealt..end).ok_or(Illegal::Cards)?;
                    space.copy_from_slice(known);
                    *dealt = end;
                }
                Step::DealBoard(known) => cards.board.extend_from_slice(known),
                Step::Fold(_) | Step::CheckOrCall(_) | Step::RaiseTo(..) => {}
                Step::Show(..) | Step::Foreign(_) | Step::Comment => {}
            }
        }
        if cards.board.len() > BOARD {
            return Err(Illegal::Cards);
        }
        for step in &hand.actions {
            if let Step::Show(place, Showing::Cards(shown)) = step {
                cards.show(*place, shown)?;
            }
        }
        Ok(cards)
    }

    /// What a player shows fills in what was not known when it was dealt.
    fn show(&mut self, place: usize, shown: &[Known]) -> Result<(), Illegal> {
        let hole = &mut self.holes[place];
        for card in shown.iter().flatten() {
            if hole.contains(&Some(*card)) {
                continue;
            }
            *hole
                .iter_mut()
                .find(|known| known.is_none())
                .ok_or(Illegal::Cards)? = Some(*card);
        }
        Ok(())
    }

    /// The known cards where the engine deals them, and the others where there is room.
    pub(super) fn deck(&self) -> Result<Deck, Illegal> {
        let rounds = 0..usize::from(self.variant.hole_len());
        let holes = rounds.flat_map(|round| self.holes.iter().map(move |hole| hole[round]));
        let wanted = holes.chain(self.board.iter().copied());
        let bit = |card: Card| 1_u64 << card.index();
        let taken = wanted
            .clone()
            .flatten()
            .fold(0, |taken, card| taken | bit(card));
        let mut rest = self.variant.cards().filter(|card| taken & bit(*card) == 0);
        let mut cards = [Card::new(0).or(Err(Illegal::Cards))?; Card::COUNT];
        let cards = &mut cards[..self.variant.deck_len().into()];
        let mut spaces = cards.iter_mut();
        for (known, card) in wanted.zip(spaces.by_ref()) {
            *card = known.or_else(|| rest.next()).ok_or(Illegal::Cards)?;
        }
        for (card, other) in spaces.zip(rest) {
            *card = other;
        }
        Deck::new(cards).or(Err(Illegal::Cards))
    }
}

/// Cards of a full board.
pub(super) const BOARD: usize = 5;
