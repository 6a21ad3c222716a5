//! The cards that a file knows, put where the engine deals them.

use engine::{Card, Deck};

use super::Illegal;
use crate::phh::model::{Hand, Known, Showing, Step};

/// The cards of a file.
pub(super) struct Cards {
    pub(super) holes: Vec<[Known; HOLE]>,
    pub(super) board: Vec<Known>,
}

impl Cards {
    pub(super) fn of(hand: &Hand) -> Result<Cards, Illegal> {
        let mut holes = vec![Vec::new(); hand.starting_stacks.len()];
        let mut board = Vec::new();
        for step in &hand.actions {
            match step {
                Step::DealHole(place, cards) => holes[*place].extend_from_slice(cards),
                Step::DealBoard(cards) => board.extend_from_slice(cards),
                Step::Fold(_) | Step::CheckOrCall(_) | Step::RaiseTo(..) => {}
                Step::Show(..) | Step::Foreign(_) | Step::Comment => {}
            }
        }
        if board.len() > BOARD || holes.iter().any(|hole| hole.len() > HOLE) {
            return Err(Illegal::Cards);
        }
        let hole = |cards: &Vec<Known>| [0, 1].map(|n| cards.get(n).copied().flatten());
        let mut cards = Cards {
            holes: holes.iter().map(hole).collect(),
            board,
        };
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
    pub(super) fn deck(&self, players: usize) -> Result<Deck, Illegal> {
        let rounds = (0..HOLE).flat_map(|round| self.holes.iter().map(move |hole| hole[round]));
        let mut wanted: Vec<Known> = rounds.chain(self.board.iter().copied()).collect();
        debug_assert_eq!(wanted.len(), HOLE * players + self.board.len());
        wanted.resize(Card::COUNT, None);
        let bit = |card: &Card| 1_u64 << card.index();
        let taken = wanted
            .iter()
            .flatten()
            .fold(0, |taken, card| taken | bit(card));
        let mut rest = Card::all().filter(|card| taken & bit(card) == 0);
        let cards: Option<Vec<Card>> = wanted
            .iter()
            .map(|known| known.or_else(|| rest.next()))
            .collect();
        let cards = cards
            .and_then(|cards| cards.try_into().ok())
            .ok_or(Illegal::Cards)?;
        Deck::new(cards).or(Err(Illegal::Cards))
    }
}

/// Cards of a player.
const HOLE: usize = 2;
/// Cards of a full board.
pub(super) const BOARD: usize = 5;
