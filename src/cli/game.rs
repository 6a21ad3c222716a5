//! The options that say which game a table plays.

use clap::ValueEnum;
use proto::v1::{CapOff, Game, Limits, StraddleRule};

use crate::client::{GameName, title};

#[derive(Debug, clap::Args)]
pub(super) struct GameArgs {
    /// nlhe, plhe, flhe, plo, plo5, plo6, plo8, plo5-8, plo6-8, flo8 or short-deck.
    #[arg(long, value_name = "GAME", default_value = "nlhe")]
    pub(super) game: GameName,
    /// Fixed limit: the bet on turn and river [default: two big blinds].
    #[arg(long, value_name = "CHIPS")]
    big_bet: Option<u64>,
    /// Fixed limit: so many raises may follow a bet [default: 4].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10))]
    raises: Option<u32>,
    /// Fixed limit: where raises are not counted [default: a street that begins with two players].
    #[arg(long, value_name = "WHERE")]
    cap_off: Option<CapOffArg>,
    /// Pot limit: the big-blind ante counts as part of the pot before the flop.
    #[arg(long)]
    count_ante: bool,
    /// From where players may straddle.
    #[arg(long, value_name = "WHERE")]
    straddle: Option<StraddleArg>,
    /// The least raise over a straddle is by a big blind, to three of them.
    #[arg(long, requires = "straddle")]
    straddle_raise_by_big_blind: bool,
    /// Straddles only with so many players dealt in.
    #[arg(long, value_name = "N", default_value_t = 3, requires = "straddle", value_parser = clap::value_parser!(u32).range(3..=10))]
    straddle_players: u32,
    /// Only the button posts a blind.
    #[arg(long)]
    button_blind: bool,
    /// The button moves to the next player on every hand, whoever left.
    #[arg(long)]
    pub(super) moving_button: bool,
    /// Deal the rest of the board twice when nobody can bet any more and all involved agree.
    #[arg(long)]
    run_twice: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum CapOffArg {
    /// On a street that begins with two players.
    Street,
    /// In a hand that is dealt to two players.
    Hand,
    /// Nowhere.
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum StraddleArg {
    /// Left of the big blind.
    Utg,
    /// The button.
    Button,
    /// Both; if both want to, the button does.
    Either,
}

impl GameArgs {
    /// The game. What contradicts itself, the server refuses by name.
    pub(super) fn wire(&self) -> Game {
        let mut game = self.game.game();
        let limited = self.big_bet.is_some() || self.raises.is_some() || self.cap_off.is_some();
        game.limits = limited.then(|| Limits {
            big_bet: self.big_bet.unwrap_or(0),
            raises_max: self.raises.unwrap_or(0),
            cap_off: self
                .cap_off
                .map_or(CapOff::Unspecified, CapOff::from)
                .into(),
        });
        game.count_ante = self.count_ante;
        game.straddle = self.straddle.map(|from| StraddleRule {
            under_the_gun: from != StraddleArg::Button,
            button: from != StraddleArg::Utg,
            raise_by_big_blind: self.straddle_raise_by_big_blind,
            players_min: self.straddle_players,
        });
        game.button_blind |= self.button_blind;
        game.run_twice = self.run_twice;
        game
    }
}

impl From<CapOffArg> for CapOff {
    fn from(arg: CapOffArg) -> CapOff {
        match arg {
            CapOffArg::Street => CapOff::StreetHeadsUp,
            CapOffArg::Hand => CapOff::HandHeadsUp,
            CapOffArg::Never => CapOff::Never,
        }
    }
}

/// The title of the game of these settings.
pub(super) fn title_of(settings: &proto::v1::Settings) -> String {
    title(&settings.game.unwrap_or_default())
}
