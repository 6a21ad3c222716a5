//! Chance for bots, the same for the same seed. Nothing here ever deals a card.

/// A SplitMix64 generator.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// For one bot at one table: each has its own sequence, whatever the others do.
    pub fn new(seed: u64, table: u64, bot: u64) -> Dice {
        let mut dice = Dice(seed);
        for part in [table, bot] {
            dice.0 = dice.roll() ^ part.wrapping_mul(GOLDEN);
        }
        dice
    }

    /// Any number.
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to `end` - 1; 0 if `end` is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.roll().checked_rem(end).unwrap_or(0)
    }

    /// True so often of a hundred times.
    pub fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }
}

const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
