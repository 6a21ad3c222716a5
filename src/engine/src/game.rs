//! Which game a table plays: the cards, what wins, how much may be bet, and the house rules that not every game has. Data
//! only; each rule is in the module of its concept.

use serde::{Deserialize, Serialize};

use crate::card::Card;
use crate::settings::{Ante, Settings};

/// A game. The default is plain no-limit Hold'em.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Game {
    /// The cards.
    pub variant: Variant,
    /// Whether half of each pot is for the best low hand, eight or better (R8, R23). Omaha only.
    #[serde(default)]
    pub low: bool,
    /// How much may be bet.
    #[serde(default)]
    pub betting: Betting,
    /// Who posts.
    #[serde(default)]
    pub blinds: Blinds,
    /// Whether players may straddle, and where (R13).
    #[serde(default)]
    pub straddle: Option<Straddle>,
    /// Whether the rest of the board is dealt twice when nobody can bet any more and all involved agree.
    #[serde(default)]
    pub run_twice: bool,
}

/// The cards of a game.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum Variant {
    /// Two cards each, any five of seven.
    #[default]
    Holdem,
    /// Hold'em without the cards below six; a flush beats a full house.
    ShortDeck,
    /// Four cards each, exactly two of which count (R23).
    Omaha4,
    /// Five cards each, exactly two of which count.
    Omaha5,
    /// Six cards each, exactly two of which count.
    Omaha6,
}

/// How much may be bet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum Betting {
    /// All one has, at any time (R2, R3).
    #[default]
    NoLimit,
    /// The pot (R14).
    PotLimit {
        /// Whether the big-blind ante counts as part of the pot before the flop: a house rule. After the flop it does.
        count_ante: bool,
    },
    /// One amount, and so many times (R4).
    FixedLimit(Limits),
}

/// The amounts of fixed limit (R4). Before and on the flop the bet is the big blind.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Limits {
    /// The bet on turn and river; most houses have two big blinds.
    pub big_bet: u64,
    /// How many raises may follow a bet on one street. WSOP has 4, many sites 3. The big blind is the bet before the flop.
    pub raises_max: u8,
    /// When there may be more.
    pub cap_off: CapOff,
}

/// When raises are not counted (R4).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum CapOff {
    /// On a street that begins with two players: live games.
    #[default]
    StreetHeadsUp,
    /// In a hand that is dealt to two players: tournaments (TDA 48).
    HandHeadsUp,
    /// Never.
    Never,
}

/// Who posts before the cards.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum Blinds {
    /// A small and a big blind, left of the button.
    #[default]
    SmallAndBig,
    /// The button posts the big blind, and nobody a small one: short deck with antes. First to act is left of the button.
    Button,
}

/// A voluntary blind of two big blinds: it buys the last word before the flop (R13).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Straddle {
    /// From where.
    pub from: StraddleFrom,
    /// What the least raise over it is.
    pub min_raise: StraddleRaise,
    /// Only with so many players dealt in; at least `Straddle::PLAYERS_MIN`.
    pub players_min: u8,
}

/// From where players may straddle.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum StraddleFrom {
    /// Left of the big blind.
    UnderTheGun,
    /// The button.
    Button,
    /// Both; if both want to, the button does.
    Either,
}

/// The least raise over a straddle (R13).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum StraddleRaise {
    /// By the straddle, to four big blinds: it is the new bring-in. Online.
    #[default]
    ByStraddle,
    /// By the big blind, to three big blinds. WSOP live.
    ByBigBlind,
}

/// Settings of a game that contradict each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum GameError {
    /// The deck is too small for so many hands and the boards.
    #[error("{seats} seats: the deck has cards for {max} players of this game")]
    Seats {
        /// What was asked for.
        seats: u8,
        /// The most.
        max: u8,
    },
    /// Nobody has a low hand with two cards of seven.
    #[error("eight or better needs Omaha")]
    LowWithoutOmaha,
    /// The bet of the late streets is smaller than that of the early ones, or too large.
    #[error(
        "a big bet of {big_bet}: from the big blind, {big}, to {}",
        Settings::CHIPS_MAX
    )]
    BigBet {
        /// What was asked for.
        big_bet: u64,
        /// The big blind.
        big: u64,
    },
    /// No raise at all, or so many that it is no limit.
    #[error("{raises_max} raises on a street: from 1 to {}", Limits::RAISES_MAX)]
    Raises {
        /// What was asked for.
        raises_max: u8,
    },
    /// There is no big blind who could pay for all.
    #[error("a big-blind ante where only the button posts: let each pay one")]
    AnteOfNoBigBlind,
    /// There is no such ante to count.
    #[error("a pot that counts the big-blind ante needs one")]
    CountedAnteMissing,
    /// A straddle would be a raise in fixed limit.
    #[error("no straddles in fixed limit")]
    StraddleInLimit,
    /// There is nobody left of the big blind.
    #[error("no straddles where only the button posts")]
    StraddleWithoutBlinds,
    /// A straddle with too few players, or one that no hand of the table allows.
    #[error(
        "straddles with {players_min} players: from {} to the {seats} seats",
        Straddle::PLAYERS_MIN
    )]
    StraddlePlayers {
        /// What was asked for.
        players_min: u8,
        /// The seats of the table.
        seats: u8,
    },
}

impl Game {
    /// Whether it is plain no-limit Hold'em: then nothing of it is written, so that what was written before reads and
    /// what is written now is the same.
    pub fn is_plain(&self) -> bool {
        *self == Game::default()
    }

    /// Refuses settings that contradict each other or the table's.
    pub fn check(&self, table: &Settings) -> Result<(), GameError> {
        let seats = table.seats;
        let max = self.players_max();
        if seats > max {
            return Err(GameError::Seats { seats, max });
        }
        if self.low && !self.variant.omaha() {
            return Err(GameError::LowWithoutOmaha);
        }
        if self.blinds == Blinds::Button && matches!(table.ante, Ante::BigBlind(_)) {
            return Err(GameError::AnteOfNoBigBlind);
        }
        self.check_betting(table)?;
        self.straddle
            .map_or(Ok(()), |straddle| self.check_straddle(straddle, seats))
    }

    /// The most players that the deck is enough for, all boards included.
    pub fn players_max(&self) -> u8 {
        let boards = if self.run_twice { 2 } else { 1 };
        (self.variant.deck_len() - boards * BOARD) / self.variant.hole_len()
    }

    fn check_betting(&self, table: &Settings) -> Result<(), GameError> {
        match self.betting {
            Betting::NoLimit | Betting::PotLimit { count_ante: false } => Ok(()),
            Betting::PotLimit { count_ante: true } => match table.ante {
                Ante::BigBlind(_) => Ok(()),
                Ante::None | Ante::Each(_) => Err(GameError::CountedAnteMissing),
            },
            Betting::FixedLimit(Limits {
                big_bet,
                raises_max,
                ..
            }) => {
                let big = table.big_blind;
                if !(big..=Settings::CHIPS_MAX).contains(&big_bet) {
                    return Err(GameError::BigBet { big_bet, big });
                }
                if !(1..=Limits::RAISES_MAX).contains(&raises_max) {
                    return Err(GameError::Raises { raises_max });
                }
                Ok(())
            }
        }
    }

    fn check_straddle(&self, straddle: Straddle, seats: u8) -> Result<(), GameError> {
        if self.blinds == Blinds::Button {
            return Err(GameError::StraddleWithoutBlinds);
        }
        if matches!(self.betting, Betting::FixedLimit(_)) {
            return Err(GameError::StraddleInLimit);
        }
        let players_min = straddle.players_min;
        if !(Straddle::PLAYERS_MIN..=seats).contains(&players_min) {
            return Err(GameError::StraddlePlayers { players_min, seats });
        }
        Ok(())
    }
}

impl Variant {
    /// How many cards each player gets.
    pub const fn hole_len(self) -> u8 {
        match self {
            Variant::Holdem | Variant::ShortDeck => 2,
            Variant::Omaha4 => 4,
            Variant::Omaha5 => 5,
            Variant::Omaha6 => 6,
        }
    }

    /// How many cards the deck has.
    pub const fn deck_len(self) -> u8 {
        match self {
            Variant::ShortDeck => 36,
            Variant::Holdem | Variant::Omaha4 | Variant::Omaha5 | Variant::Omaha6 => 52,
        }
    }

    /// The cards of its deck, each once, in the order of their bytes: all, or those from the sixes up.
    pub fn cards(self) -> impl Iterator<Item = Card> + Clone {
        Card::all().skip(Card::COUNT - usize::from(self.deck_len()))
    }

    /// Whether exactly two of a player's cards count (R23).
    pub const fn omaha(self) -> bool {
        match self {
            Variant::Holdem | Variant::ShortDeck => false,
            Variant::Omaha4 | Variant::Omaha5 | Variant::Omaha6 => true,
        }
    }
}

impl Limits {
    /// Most raises on a street that a table may allow.
    pub const RAISES_MAX: u8 = 10;

    /// Big bets of two big blinds and four raises, as at the WSOP.
    pub fn new(big_blind: u64) -> Limits {
        Limits {
            big_bet: big_blind.saturating_mul(2),
            raises_max: 4,
            cap_off: CapOff::StreetHeadsUp,
        }
    }
}

impl Straddle {
    /// Fewest players for a straddle: with two there is nobody left of the big blind but the small one.
    pub const PLAYERS_MIN: u8 = 3;
}

/// Cards of a whole board.
const BOARD: u8 = 5;

#[cfg(test)]
mod tests;
