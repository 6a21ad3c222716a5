//! How good a hand is: the best five of up to seven cards, without lookup tables.
//!
//! Cards become one bit each in four lanes of 16 bits, a lane a suit. Pairs, trips and quads then
//! fall out of the lanes' ANDs, a straight out of five shifts, a flush out of counting the lanes, and
//! a mask of ranks compares as the ranks do, highest first.

use core::fmt;

use crate::card::Card;

/// A set of cards, for evaluation: add the board once, then each hand's cards to a copy.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct CardSet(u64);

/// How good the best five cards of a set are. A greater one wins, equal ones share the pot.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Strength(u32);

/// The kind of a hand, weakest first.
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

    /// The best five of this set.
    pub fn strength(self) -> Strength {
        let [c, d, h, s] = [0, 1, 2, 3].map(|suit| (self.0 >> (suit * LANE)) as u32 & RANKS);
        let once = c | d | h | s;
        let twice = (c & d) | (h & s) | ((c | d) & (h | s));

        if let Some(suited) = self.flush() {
            let straight = straight(suited);
            if straight != 0 {
                return Strength::new(Category::StraightFlush, straight, 0);
            }
            // Of seven cards five ranks are taken, so there is no room for quads or a full house.
            return Strength::new(Category::Flush, top(suited, 5), 0);
        }
        if twice == 0 {
            return match straight(once) {
                0 => Strength::new(Category::HighCard, top(once, 5), 0),
                high => Strength::new(Category::Straight, high, 0),
            };
        }
        let thrice = (c & d & (h | s)) | (h & s & (c | d));
        let quads = c & d & h & s;
        if quads != 0 {
            return Strength::new(Category::FourOfAKind, quads, highest(once & !quads));
        }
        let trips = highest(thrice);
        let pair = highest(twice & !trips);
        if trips != 0 && pair != 0 {
            return Strength::new(Category::FullHouse, trips, pair);
        }
        let straight = straight(once);
        if straight != 0 {
            return Strength::new(Category::Straight, straight, 0);
        }
        if trips != 0 {
            return Strength::new(Category::ThreeOfAKind, trips, top(once & !trips, 2));
        }
        let second = highest(twice & !pair);
        if second != 0 {
            let pairs = pair | second;
            return Strength::new(Category::TwoPair, pairs, highest(once & !pairs));
        }
        Strength::new(Category::Pair, pair, top(once & !pair, 3))
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
    fn new(category: Category, major: u32, minor: u32) -> Strength {
        Strength((category as u32) << (2 * WIDTH) | major << WIDTH | minor)
    }

    fn major(self) -> u32 {
        self.0 >> WIDTH & RANKS
    }

    fn minor(self) -> u32 {
        self.0 & RANKS
    }
}

/// What a dealer would say: "two pair, nines and fours".
impl fmt::Display for Strength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let high = name(self.major());
        let major = Plural(self.major());
        let minor = Plural(self.minor());
        match self.category() {
            Category::HighCard => write!(f, "{high} high"),
            Category::Pair => write!(f, "pair of {major}"),
            Category::TwoPair => {
                let low = Plural(self.major() & !highest(self.major()));
                write!(f, "two pair, {major} and {low}")
            }
            Category::ThreeOfAKind => write!(f, "three of a kind, {major}"),
            Category::Straight => write!(f, "straight, {high} high"),
            Category::Flush => write!(f, "flush, {high} high"),
            Category::FullHouse => write!(f, "full house, {major} over {minor}"),
            Category::FourOfAKind => write!(f, "four of a kind, {major}"),
            Category::StraightFlush if self.major() == ACE => write!(f, "royal flush"),
            Category::StraightFlush => write!(f, "straight flush, {high} high"),
        }
    }
}

impl fmt::Debug for Strength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The highest card of the best straight, or nothing. Bit 0 of `low` is the ace below the deuce.
fn straight(ranks: u32) -> u32 {
    let low = ranks << 1 | ranks >> (WIDTH - 1);
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

/// The plural of the highest of these ranks.
struct Plural(u32);

impl fmt::Display for Plural {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = name(self.0);
        let ending = if name == "six" { "es" } else { "s" };
        write!(f, "{name}{ending}")
    }
}

fn name(ranks: u32) -> &'static str {
    ranks
        .checked_ilog2()
        .and_then(|rank| NAMES.get(rank as usize))
        .copied()
        .unwrap_or("nothing")
}

/// Bits of a suit's lane; the upper three are never set.
const LANE: u32 = 16;
/// Ranks in a suit, and bits of a mask of ranks.
const WIDTH: u32 = 13;
const RANKS: u32 = (1 << WIDTH) - 1;
const ACE: u32 = 1 << (WIDTH - 1);

const NAMES: [&str; WIDTH as usize] = [
    "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "jack", "queen",
    "king", "ace",
];

/// The categories by their number.
const CATEGORIES: [Category; 9] = [
    Category::HighCard,
    Category::Pair,
    Category::TwoPair,
    Category::ThreeOfAKind,
    Category::Straight,
    Category::Flush,
    Category::FullHouse,
    Category::FourOfAKind,
    Category::StraightFlush,
];

#[cfg(test)]
mod tests;
