//! How good a hand is: the best five of up to seven cards, without lookup tables. High hands are here, lows in `low`, hands
//! that take two cards and three of the board in `omaha`, what a game makes of it in `made`, and what a dealer would say in
//! `name`.
//!
//! Cards become one bit each in four lanes of 16 bits, a lane a suit. Pairs, trips and quads then
//! fall out of the lanes' ANDs, a straight out of five shifts, a flush out of counting the lanes, and
//! a mask of ranks compares as the ranks do, highest first.

mod low;
mod made;
mod name;
mod omaha;

pub use low::Low;
pub use made::Made;
pub use omaha::two_and_three;

use crate::card::Card;

/// A set of cards, for evaluation: add the board once, then each hand's cards to a copy.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct CardSet(u64);

/// How good the best five cards of a set are. A greater one wins, equal ones share the pot. Only hands of the same deck
/// compare: in a short deck a flush beats a full house.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Strength(u32);

/// The kind of a hand, weakest first, in the order of the full deck.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Category {
    /// Nothing: the highest card counts.
    HighCard,
    /// Two cards of one rank.
    Pair,
    /// Two cards of one rank and two of another.
    TwoPair,
    /// Three cards of one rank.
    ThreeOfAKind,
    /// Five ranks in a row; the ace is also below the deuce.
    Straight,
    /// Five cards of one suit.
    Flush,
    /// Three cards of one rank and two of another.
    FullHouse,
    /// Four cards of one rank.
    FourOfAKind,
    /// A straight in one suit.
    StraightFlush,
}

/// The best five of these cards: of five to seven cards, or of what there is if there are fewer.
pub fn evaluate(cards: impl IntoIterator<Item = Card>) -> Strength {
    cards.into_iter().collect::<CardSet>().strength()
}

impl CardSet {
    /// This set and one more card.
    #[must_use]
    pub fn with(self, card: Card) -> CardSet {
        CardSet(self.0 | 1 << (u32::from(card.suit()) * LANE + u32::from(card.rank())))
    }

    /// The cards of both sets.
    #[must_use]
    pub fn and(self, other: CardSet) -> CardSet {
        CardSet(self.0 | other.0)
    }

    /// The best five of this set, in a game with all cards.
    pub fn strength(self) -> Strength {
        self.best::<FULL>()
    }

    /// The best five of this set in a short deck, of sixes to aces: the ace is also below the six, and a flush beats a full
    /// house. A straight beats three of a kind, as sites, the large live series and PokerKit have it.
    pub fn short_deck_strength(self) -> Strength {
        self.best::<SHORT>()
    }

    fn best<const SHORT_DECK: bool>(self) -> Strength {
        let [c, d, h, s] = [0, 1, 2, 3].map(|suit| (self.0 >> (suit * LANE)) as u32 & RANKS);
        let once = c | d | h | s;
        let twice = (c & d) | (h & s) | ((c | d) & (h | s));

        if let Some(suited) = self.flush() {
            let straight = straight::<SHORT_DECK>(suited);
            if straight != 0 {
                return Strength::new(STRAIGHT_FLUSH, straight, 0);
            }
            // Of seven cards five ranks are taken, so there is no room for quads or a full house.
            let flush = if SHORT_DECK { SHORT_DECK_FLUSH } else { FLUSH };
            return Strength::new(flush, top(suited, 5), 0);
        }
        if twice == 0 {
            return match straight::<SHORT_DECK>(once) {
                0 => Strength::new(HIGH_CARD, top(once, 5), 0),
                high => Strength::new(STRAIGHT, high, 0),
            };
        }
        let thrice = (c & d & (h | s)) | (h & s & (c | d));
        let quads = c & d & h & s;
        if quads != 0 {
            return Strength::new(FOUR_OF_A_KIND, quads, highest(once & !quads));
        }
        let trips = highest(thrice);
        let pair = highest(twice & !trips);
        if trips != 0 && pair != 0 {
            return Strength::new(FULL_HOUSE, trips, pair);
        }
        let straight = straight::<SHORT_DECK>(once);
        if straight != 0 {
            return Strength::new(STRAIGHT, straight, 0);
        }
        if trips != 0 {
            return Strength::new(THREE_OF_A_KIND, trips, top(once & !trips, 2));
        }
        let second = highest(twice & !pair);
        if second != 0 {
            let pairs = pair | second;
            return Strength::new(TWO_PAIR, pairs, highest(once & !pairs));
        }
        Strength::new(PAIR, pair, top(once & !pair, 3))
    }

    /// The ranks of the suit that has five cards or more: the four lanes are counted at once.
    fn flush(self) -> Option<u32> {
        let pairs = self.0 - ((self.0 >> 1) & 0x5555_5555_5555_5555);
        let fours = (pairs & 0x3333_3333_3333_3333) + ((pairs >> 2) & 0x3333_3333_3333_3333);
        let bytes = (fours + (fours >> 4)) & 0x0f0f_0f0f_0f0f_0f0f;
        let lanes = (bytes + (bytes >> 8)) & 0x001f_001f_001f_001f;
        // A count of 5 to 13 and 11 more sets bit 4, a count below 5 does not.
        let five = (lanes + 0x000b_000b_000b_000b) & 0x0010_0010_0010_0010;
        (five != 0).then(|| (self.0 >> (five.trailing_zeros() - 4)) as u32 & RANKS)
    }
}

impl FromIterator<Card> for CardSet {
    fn from_iter<I: IntoIterator<Item = Card>>(cards: I) -> CardSet {
        cards.into_iter().fold(CardSet::default(), CardSet::with)
    }
}

impl Strength {
    /// The kind of this hand.
    pub fn category(self) -> Category {
        CATEGORIES[(self.0 >> (2 * WIDTH)) as usize]
    }

    /// `major` decides first, then `minor`: masks of ranks, of equally many ranks within a category.
    fn new(order: u32, major: u32, minor: u32) -> Strength {
        Strength(order << (2 * WIDTH) | major << WIDTH | minor)
    }

    fn major(self) -> u32 {
        self.0 >> WIDTH & RANKS
    }

    fn minor(self) -> u32 {
        self.0 & RANKS
    }
}

/// The highest card of the best straight, or nothing. Bit 0 of `low` is the ace below the deuce; in a short deck it is where
/// the five would be.
fn straight<const SHORT_DECK: bool>(ranks: u32) -> u32 {
    let ace = if SHORT_DECK { FIVE_OR_LOW_ACE } else { 0 };
    let low = ranks << 1 | (ranks >> (WIDTH - 1)) << ace;
    let runs = low & low << 1 & low << 2 & low << 3 & low << 4;
    highest(runs >> 1)
}

/// The highest of these ranks, or nothing.
fn highest(ranks: u32) -> u32 {
    match ranks {
        0 => 0,
        _ => 1 << ranks.ilog2(),
    }
}

/// The `count` highest of these ranks.
fn top(mut ranks: u32, count: u32) -> u32 {
    for _ in count..ranks.count_ones() {
        ranks &= ranks - 1;
    }
    ranks
}

/// Bits of a suit's lane; the upper three are never set.
const LANE: u32 = 16;
/// Ranks in a suit, and bits of a mask of ranks.
const WIDTH: u32 = 13;
const RANKS: u32 = (1 << WIDTH) - 1;
const ACE: u32 = 1 << (WIDTH - 1);

/// Where the five is among ranks that have an ace below the deuce.
const FIVE_OR_LOW_ACE: u32 = 4;

const FULL: bool = false;
const SHORT: bool = true;

/// The order of the kinds. A flush has two places in it, one for each deck.
const HIGH_CARD: u32 = 0;
const PAIR: u32 = 1;
const TWO_PAIR: u32 = 2;
const THREE_OF_A_KIND: u32 = 3;
const STRAIGHT: u32 = 4;
const FLUSH: u32 = 5;
const FULL_HOUSE: u32 = 6;
const SHORT_DECK_FLUSH: u32 = 7;
const FOUR_OF_A_KIND: u32 = 8;
const STRAIGHT_FLUSH: u32 = 9;

/// The kinds by their place in the order.
const CATEGORIES: [Category; 10] = [
    Category::HighCard,
    Category::Pair,
    Category::TwoPair,
    Category::ThreeOfAKind,
    Category::Straight,
    Category::Flush,
    Category::FullHouse,
    Category::Flush,
    Category::FourOfAKind,
    Category::StraightFlush,
];

#[cfg(test)]
mod tests;
