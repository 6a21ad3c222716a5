//! Eight-or-better lows (R23): five cards of different ranks, none above an eight, the ace below the deuce. Straights and
//! flushes do not count.

use super::{CardSet, LANE, WIDTH};

/// How good a low is. A greater one wins, equal ones share the pot.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Low(u8);

impl Low {
    /// Five ranks from the ace (bit 0) to the eight (bit 7). The lower the highest of them that differs, the better, so the
    /// complement of the mask is in order.
    fn new(ranks: u32) -> Low {
        Low(!(ranks as u8))
    }

    pub(super) fn ranks(self) -> u32 {
        u32::from(!self.0)
    }
}

impl CardSet {
    /// The best low of this set, if it has one.
    pub fn low(self) -> Option<Low> {
        let suits = self.0 | self.0 >> (2 * LANE);
        let once = suits | suits >> LANE;
        let ranks = (once << 1 | once >> (WIDTH - 1) & 1) as u32 & ACE_TO_EIGHT;
        let surplus = ranks.count_ones().checked_sub(FIVE)?;
        Some(Low::new(
            (0..surplus).fold(ranks, |ranks, _| ranks & !(1 << ranks.ilog2())),
        ))
    }
}

const FIVE: u32 = 5;
const ACE_TO_EIGHT: u32 = 0xff;
