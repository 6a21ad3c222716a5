//! What a dealer would say: "two pair, nines and fours", "seven-five low".

use core::fmt;

use super::{ACE, Category, Low, Strength, WIDTH, highest};

impl fmt::Display for Strength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let high = rank(self.major());
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

/// The two highest cards of a low: what it is called by.
impl fmt::Display for Low {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ranks = self.ranks();
        let high = highest(ranks);
        let [first, second] = [high, ranks & !high].map(|ranks| rank(ranks >> 1));
        write!(f, "{first}-{second} low")
    }
}

impl fmt::Debug for Low {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The plural of the highest of these ranks.
struct Plural(u32);

impl fmt::Display for Plural {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = rank(self.0);
        let ending = if name == "six" { "es" } else { "s" };
        write!(f, "{name}{ending}")
    }
}

/// The name of the highest of these ranks.
fn rank(ranks: u32) -> &'static str {
    ranks
        .checked_ilog2()
        .and_then(|rank| NAMES.get(rank as usize))
        .copied()
        .unwrap_or("nothing")
}

const NAMES: [&str; WIDTH as usize] = [
    "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "jack", "queen",
    "king", "ace",
];
