//! What is fixed for a table: stakes, seats, rake, clocks, and which variant of a rule applies.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::game::{Game, GameError};

/// The settings of a cash table. Amounts are in the smallest unit of its currency.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Settings {
    /// How many seats there are, 2 to 10.
    pub seats: u8,
    /// The small blind; from 1 to the big blind.
    pub small_blind: u64,
    /// The big blind, which is also the smallest bet (R2).
    pub big_blind: u64,
    /// What is paid before the cards (R12).
    #[serde(default)]
    pub ante: Ante,
    /// The least that a player may sit down with.
    pub buy_in_min: u64,
    /// The most that a player may sit down with or top up to (R17).
    pub buy_in_max: u64,
    /// What the house takes (R16).
    #[serde(default)]
    pub rake: Rake,
    /// How long a decision may take (R19).
    #[serde(default)]
    pub clock: Clock,
    /// Whether all live hands are turned up once somebody is all-in and no bet is possible any more (R9).
    #[serde(default = "yes")]
    pub show_all_in: bool,
    /// How the button moves when somebody left (R10).
    #[serde(default)]
    pub button: ButtonRule,
    /// A player who sits out loses his seat when the button passed him so many times; 0 is never (R11).
    #[serde(default)]
    pub sit_out_buttons: u8,
    /// So many time-outs in a row make a player sit out; 0 is never (R19).
    #[serde(default = "two")]
    pub timeouts_to_sit_out: u8,
    /// For so many milliseconds after leaving, a player may sit down only with all that he took; 0 is never, and at
    /// most `Settings::RATHOLE_MS_MAX` (R17). That a player may bring a little less if he has no more is not done here:
    /// what he has elsewhere the table does not know.
    #[serde(default)]
    pub rathole_ms: u32,
    /// Which game is played. It is the last field, since it is not written for plain no-limit Hold'em.
    #[serde(default, skip_serializing_if = "Game::is_plain")]
    pub game: Game,
}

/// What is paid before the cards (R12).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum Ante {
    /// Nothing but the blinds.
    #[default]
    None,
    /// Everybody who is dealt in pays this, before the blinds.
    Each(u64),
    /// The big blind pays this for all, after the blind.
    BigBlind(u64),
}

/// What the house takes of a hand that saw a flop (R16).
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Rake {
    /// Hundredths of a percent of the pots: 500 is 5 %.
    pub per_10_000: u32,
    /// The most that is taken of a hand, by the number of players dealt in: first for 2, then for 3, and so on; the
    /// last one holds for more. Empty is no limit.
    pub caps: Vec<u64>,
}

/// How long a decision may take, in milliseconds (R19).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Clock {
    /// For every decision.
    pub action_ms: u32,
    /// The time bank that a player sits down with; it never holds more.
    pub bank_ms: u32,
    /// What a time bank gains with each hand that its player is dealt into; never within a hand.
    #[serde(default)]
    pub bank_gain_ms: u32,
    /// Once a hand, for a player whose connection is lost when his time is over (R18).
    pub reconnect_ms: u32,
}

/// How the button moves when somebody left (R10).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum ButtonRule {
    /// The big blind moves one player on every hand; small blind and button follow, onto empty seats too.
    #[default]
    Dead,
    /// The button moves to the next player on every hand, and the blinds are the two after him. Where somebody left, one
    /// may be spared a blind; dead blinds and empty seats with a button there are not.
    Moving,
}

/// Settings that contradict themselves.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SettingsError {
    /// Not 2 to 10 seats.
    #[error(
        "a table has {} to {} seats, not {seats}",
        Settings::SEATS_MIN,
        Settings::SEATS_MAX
    )]
    Seats {
        /// What was asked for.
        seats: u8,
    },
    /// A blind of nothing, or a small blind above the big blind.
    #[error("blinds of {small} and {big}: the small blind is from 1 to the big blind")]
    Blinds {
        /// The small blind.
        small: u64,
        /// The big blind.
        big: u64,
    },
    /// An ante of nothing, or one above the big blind times the most seats.
    #[error("an ante of {ante} with a big blind of {big}")]
    Ante {
        /// What was asked for.
        ante: u64,
        /// The big blind.
        big: u64,
    },
    /// No amount is a legal buy-in, or one of nothing would be.
    #[error(
        "buy-ins from {min} to {max}: from at least 1, in order, and at most {}",
        Settings::CHIPS_MAX
    )]
    BuyIn {
        /// The least.
        min: u64,
        /// The most.
        max: u64,
    },
    /// More than everything.
    #[error("a rake of {per_10_000} of 10,000")]
    Rake {
        /// What was asked for.
        per_10_000: u32,
    },
    /// More caps than there are numbers of players.
    #[error("{caps} caps of the rake")]
    RakeCaps {
        /// How many were given.
        caps: usize,
    },
    /// A decision that is over before it begins.
    #[error("an action clock of nothing")]
    Clock,
    /// Chips that have to be brought back for longer than the table remembers.
    #[error(
        "chips have to be brought back for {ms} ms, more than {}",
        Settings::RATHOLE_MS_MAX
    )]
    Rathole {
        /// What was asked for.
        ms: u32,
    },
    /// A game that contradicts itself or the table.
    #[error(transparent)]
    Game(#[from] GameError),
}

impl Settings {
    /// Fewest seats of a table.
    pub const SEATS_MIN: u8 = 2;
    /// Most seats of a table: two cards each and a board leave half the deck.
    pub const SEATS_MAX: u8 = 10;
    /// Most chips that a player may bring: a table's sums stay far below `u64::MAX`, and below what JSON numbers hold.
    pub const CHIPS_MAX: u64 = 1 << 46;

    /// Longest time that a player must bring back what he took: a day. Sites have 30 to 120 minutes.
    pub const RATHOLE_MS_MAX: u32 = 24 * 60 * 60 * 1_000;

    /// A table with these blinds, buy-ins of 20 to 100 big blinds, no ante and no rake.
    pub fn new(seats: u8, small_blind: u64, big_blind: u64) -> Settings {
        Settings {
            seats,
            small_blind,
            big_blind,
            ante: Ante::None,
            buy_in_min: big_blind.saturating_mul(20),
            buy_in_max: big_blind.saturating_mul(100),
            rake: Rake::default(),
            clock: Clock::default(),
            show_all_in: true,
            button: ButtonRule::Dead,
            sit_out_buttons: 0,
            timeouts_to_sit_out: 2,
            rathole_ms: 0,
            game: Game::default(),
        }
    }

    /// Refuses settings that contradict themselves. A table is made of checked settings only.
    pub fn check(&self) -> Result<(), SettingsError> {
        let Settings {
            seats,
            small_blind: small,
            big_blind: big,
            buy_in_min: min,
            buy_in_max: max,
            ..
        } = *self;
        if !(Settings::SEATS_MIN..=Settings::SEATS_MAX).contains(&seats) {
            return Err(SettingsError::Seats { seats });
        }
        if small == 0 || small > big {
            return Err(SettingsError::Blinds { small, big });
        }
        match self.ante {
            Ante::None => {}
            Ante::Each(ante) | Ante::BigBlind(ante) => {
                if ante == 0 || ante > big.saturating_mul(Settings::SEATS_MAX.into()) {
                    return Err(SettingsError::Ante { ante, big });
                }
            }
        }
        if min == 0 || min > max || max > Settings::CHIPS_MAX {
            return Err(SettingsError::BuyIn { min, max });
        }
        if self.rake.per_10_000 > 10_000 {
            return Err(SettingsError::Rake {
                per_10_000: self.rake.per_10_000,
            });
        }
        if self.rake.caps.len() >= Settings::SEATS_MAX.into() {
            return Err(SettingsError::RakeCaps {
                caps: self.rake.caps.len(),
            });
        }
        if self.clock.action_ms == 0 {
            return Err(SettingsError::Clock);
        }
        if self.rathole_ms > Settings::RATHOLE_MS_MAX {
            return Err(SettingsError::Rathole {
                ms: self.rathole_ms,
            });
        }
        Ok(self.game.check(self)?)
    }
}

impl Default for Clock {
    fn default() -> Clock {
        Clock {
            action_ms: 20_000,
            bank_ms: 60_000,
            bank_gain_ms: 1_000,
            reconnect_ms: 30_000,
        }
    }
}

fn yes() -> bool {
    true
}

fn two() -> u8 {
    2
}

#[cfg(test)]
mod tests;
