//! Fixed limit: one amount, and only so many times (R4).

use serde::{Deserialize, Serialize};

use super::NoRaise;
use crate::game::{CapOff, Limits};
use crate::hand::Street;

/// The betting of the street that is being played.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Round {
    /// What a bet or raise is on this street.
    bet: u64,
    /// What it is on turn and river.
    big_bet: u64,
    /// The bet as of the last full bet or raise; what short all-ins put on top of it does not count.
    full: u64,
    /// Full bets and raises of this street, the big blind included.
    wagers: u8,
    /// How many players were in the hand when the street began.
    began: u8,
}

impl Round {
    /// Before the flop, where the big blind is the bet.
    pub(crate) fn new(limits: Limits, big_blind: u64, players: usize) -> Round {
        Round {
            bet: big_blind,
            big_bet: limits.big_bet,
            full: big_blind,
            wagers: 1,
            began: count(players),
        }
    }

    /// The street that begins now.
    pub(crate) fn begin(&mut self, street: Street, live: usize) {
        let bet = match street {
            Street::Preflop | Street::Flop => self.bet,
            Street::Turn | Street::River => self.big_bet,
        };
        *self = Round {
            bet,
            full: 0,
            wagers: 0,
            began: count(live),
            ..*self
        };
    }

    /// Somebody bet or raised, maybe for less than he should since it was all he had.
    pub(crate) fn raised(&mut self, to: u64) {
        if self.at_least_half(to.saturating_sub(self.full)) {
            self.full = to;
            self.wagers = self.wagers.saturating_add(1);
        }
    }

    /// Whether this much is half a bet or more: then it is as good as a whole one.
    pub(super) fn at_least_half(&self, amount: u64) -> bool {
        amount.saturating_mul(2) >= self.bet
    }

    /// What the next bet or raise is to. After an all-in of less than half a bet it is the completion of that.
    pub(super) fn raise_to(&self, limits: Limits, dealt: usize) -> Result<u64, NoRaise> {
        let uncapped = match limits.cap_off {
            CapOff::StreetHeadsUp => self.began == 2,
            CapOff::HandHeadsUp => dealt == 2,
            CapOff::Never => false,
        };
        // The first of the wagers is the bet.
        if !uncapped && self.wagers > limits.raises_max {
            return Err(NoRaise::Capped {
                raises_max: limits.raises_max,
            });
        }
        Ok(self.full.saturating_add(self.bet))
    }
}

fn count(players: usize) -> u8 {
    u8::try_from(players).unwrap_or(u8::MAX)
}
