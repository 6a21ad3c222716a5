//! The codes of games. PHH has NT, NS, FT, PO and FO/8 for those that are played here; the others get a code made the same
//! way, which other readers do not know, and so cannot take for another game.

use std::fmt;
use std::str::FromStr;

use engine::{Betting, Game, Variant};

/// A game as far as a code says it: N, P or F for the betting, T (Hold'em), S (short deck) or O (Omaha; O5 and O6 with
/// more cards) for the cards, and /8 for eight or better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// How much may be bet.
    pub bets: Bets,
    /// The cards.
    pub variant: Variant,
    /// Half of each pot is for the best low hand.
    pub low: bool,
}

/// How much may be bet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bets {
    /// All one has.
    NoLimit,
    /// The pot.
    PotLimit,
    /// One amount.
    FixedLimit,
}

/// Not the code of a game that is played here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no game that is played here has that code")]
pub struct UnknownCode;

impl Code {
    /// The code of a game.
    pub fn of(game: &Game) -> Code {
        let bets = match game.betting {
            Betting::NoLimit => Bets::NoLimit,
            Betting::PotLimit { .. } => Bets::PotLimit,
            Betting::FixedLimit(_) => Bets::FixedLimit,
        };
        Code {
            bets,
            variant: game.variant,
            low: game.low,
        }
    }

    /// Whether the format has it.
    pub fn is_standard(self) -> bool {
        STANDARD.contains(&self.to_string().as_str())
    }

    /// The game in words, for a reader who does not know the code.
    pub fn title(self) -> String {
        let bets = match self.bets {
            Bets::NoLimit => "no-limit",
            Bets::PotLimit => "pot-limit",
            Bets::FixedLimit => "fixed-limit",
        };
        let cards = match self.variant {
            Variant::Holdem => "Hold'em",
            Variant::ShortDeck => "short-deck Hold'em",
            Variant::Omaha4 => "Omaha",
            Variant::Omaha5 => "five-card Omaha",
            Variant::Omaha6 => "six-card Omaha",
        };
        let low = if self.low { " hi-lo" } else { "" };
        format!("{bets} {cards}{low}")
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bets = match self.bets {
            Bets::NoLimit => "N",
            Bets::PotLimit => "P",
            Bets::FixedLimit => "F",
        };
        let cards = match self.variant {
            Variant::Holdem => "T",
            Variant::ShortDeck => "S",
            Variant::Omaha4 => "O",
            Variant::Omaha5 => "O5",
            Variant::Omaha6 => "O6",
        };
        write!(f, "{bets}{cards}{}", if self.low { "/8" } else { "" })
    }
}

impl FromStr for Code {
    type Err = UnknownCode;

    fn from_str(text: &str) -> Result<Code, UnknownCode> {
        let (text, low) = text
            .strip_suffix("/8")
            .map_or((text, false), |text| (text, true));
        let (bets, cards) = text.split_at_checked(1).ok_or(UnknownCode)?;
        let bets = match bets {
            "N" => Bets::NoLimit,
            "P" => Bets::PotLimit,
            "F" => Bets::FixedLimit,
            _ => return Err(UnknownCode),
        };
        let variant = match cards {
            "T" => Variant::Holdem,
            "S" => Variant::ShortDeck,
            "O" => Variant::Omaha4,
            "O5" => Variant::Omaha5,
            "O6" => Variant::Omaha6,
            _ => return Err(UnknownCode),
        };
        if low && !variant.omaha() {
            return Err(UnknownCode);
        }
        Ok(Code { bets, variant, low })
    }
}

/// The codes of the format whose games are played here.
const STANDARD: [&str; 5] = ["NT", "NS", "FT", "PO", "FO/8"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_read_back() {
        let check = |text: &str, standard: bool, title: &str| {
            let code: Code = text.parse().unwrap();
            assert_eq!(code.to_string(), text);
            assert_eq!(
                (code.is_standard(), code.title().as_str()),
                (standard, title)
            );
        };
        check("NT", true, "no-limit Hold'em");
        check("FT", true, "fixed-limit Hold'em");
        check("NS", true, "no-limit short-deck Hold'em");
        check("PO", true, "pot-limit Omaha");
        check("FO/8", true, "fixed-limit Omaha hi-lo");
        check("PT", false, "pot-limit Hold'em");
        check("PO5/8", false, "pot-limit five-card Omaha hi-lo");
        check("NO6", false, "no-limit six-card Omaha");
    }

    #[test]
    fn codes_of_other_games_are_unknown() {
        for text in [
            "", "N", "T", "F7S", "F7S/8", "FR", "N2L1D", "F2L3D", "FB", "NT/8", "PO7", "ÄT",
        ] {
            assert_eq!(text.parse::<Code>(), Err(UnknownCode), "{text}");
        }
    }
}
