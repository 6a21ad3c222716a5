//! A random game of a random table: half of them plain no-limit.

use engine::{
    Ante, Betting, Blinds, CapOff, Game, Limits, Settings, Straddle, StraddleFrom, StraddleRaise,
    Variant,
};

/// A game from four bytes; only with the settings that `fit` makes it is sound.
pub fn of(mix: &[u8], big_blind: u64) -> Game {
    let variant = match mix[0] % 8 {
        0 => Variant::ShortDeck,
        1 => Variant::Omaha4,
        2 => Variant::Omaha5,
        3 => Variant::Omaha6,
        _ => Variant::Holdem,
    };
    let betting = match mix[1] % 6 {
        0 | 1 => Betting::FixedLimit(Limits {
            big_bet: big_blind.saturating_add(mix[1].into()),
            raises_max: 1 + mix[1] / 6 % Limits::RAISES_MAX,
            cap_off: match mix[2] % 3 {
                0 => CapOff::StreetHeadsUp,
                1 => CapOff::HandHeadsUp,
                _ => CapOff::Never,
            },
        }),
        2 | 3 => Betting::PotLimit {
            count_ante: mix[2].is_multiple_of(2),
        },
        _ => Betting::NoLimit,
    };
    let straddle = Straddle {
        from: match mix[3] % 3 {
            0 => StraddleFrom::UnderTheGun,
            1 => StraddleFrom::Button,
            _ => StraddleFrom::Either,
        },
        min_raise: if mix[3] & 8 == 0 {
            StraddleRaise::ByStraddle
        } else {
            StraddleRaise::ByBigBlind
        },
        players_min: 3 + mix[3] / 16 % 2,
    };
    Game {
        variant,
        low: variant.omaha() && mix[0] & 8 == 0,
        betting,
        blinds: if mix[0] & 16 == 0 {
            Blinds::SmallAndBig
        } else {
            Blinds::Button
        },
        straddle: (mix[3] & 128 == 0).then_some(straddle),
        run_twice: mix[0] & 32 == 0,
    }
}

/// Puts a game into settings, without what would contradict them.
pub fn fit(mut game: Game, settings: &mut Settings) {
    if game.blinds == Blinds::Button {
        if let Ante::BigBlind(ante) = settings.ante {
            settings.ante = Ante::Each(ante);
        }
        game.straddle = None;
    }
    if let Betting::PotLimit { count_ante } = &mut game.betting {
        *count_ante &= matches!(settings.ante, Ante::BigBlind(_));
    }
    if let Betting::FixedLimit(_) = game.betting {
        game.straddle = None;
    }
    game.straddle = game
        .straddle
        .filter(|straddle| straddle.players_min <= settings.seats);
    settings.game = game;
}
