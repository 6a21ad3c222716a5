//! Omaha: exactly two of one's own cards and exactly three of the board, for high and for low (R23).

use super::CardSet;
use crate::card::Card;

/// Every hand of two of these cards and three of that board. While there are fewer, all of them count. Of more than six cards
/// only the first six do: nobody holds more, and no board has more.
pub fn two_and_three(hole: &[Card], board: &[Card]) -> impl Iterator<Item = CardSet> + use<> {
    let (twos, threes) = (Choices::of(hole, 2), Choices::of(board, 3));
    twos.flat_map(move |two| threes.clone().map(move |three| two.and(three)))
}

/// The ways to choose so many of a few cards.
#[derive(Clone)]
struct Choices {
    sets: [CardSet; CHOICES_MAX],
    next: usize,
    count: usize,
}

impl Choices {
    fn of(cards: &[Card], choose: usize) -> Choices {
        let cards = &cards[..cards.len().min(CARDS_MAX)];
        let choose = choose.min(cards.len());
        let mut choices = Choices {
            sets: [CardSet::default(); CHOICES_MAX],
            next: 0,
            count: 0,
        };
        // A mask of those that are chosen.
        for chosen in
            (0u32..1 << cards.len()).filter(|chosen| chosen.count_ones() as usize == choose)
        {
            let chosen = cards
                .iter()
                .enumerate()
                .filter(|(at, _)| chosen >> at & 1 == 1);
            choices.sets[choices.count] = chosen.map(|(_, card)| *card).collect();
            choices.count += 1;
        }
        choices
    }
}

impl Iterator for Choices {
    type Item = CardSet;

    fn next(&mut self) -> Option<CardSet> {
        let set = self.sets[..self.count].get(self.next)?;
        self.next += 1;
        Some(*set)
    }
}

const CARDS_MAX: usize = 6;
/// Three of six cards.
const CHOICES_MAX: usize = 20;
