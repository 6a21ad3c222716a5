use super::*;
use crate::settings::SettingsError;

fn check(change: impl FnOnce(&mut Settings), expected: Result<(), GameError>) {
    let mut settings = Settings::new(6, 50, 100);
    change(&mut settings);
    assert_eq!(settings.check(), expected.map_err(SettingsError::Game));
}

fn limit(big_bet: u64, raises_max: u8) -> Betting {
    let limits = Limits {
        big_bet,
        raises_max,
        cap_off: CapOff::Never,
    };
    Betting::FixedLimit(limits)
}

fn straddle(players_min: u8) -> Option<Straddle> {
    let min_raise = StraddleRaise::ByStraddle;
    Some(Straddle {
        from: StraddleFrom::Either,
        min_raise,
        players_min,
    })
}

#[test]
fn sound_games_pass() {
    check(|s| s.game.betting = limit(200, 3), Ok(()));
    check(|s| s.game.betting = limit(100, 10), Ok(()));
    check(
        |s| s.game.betting = Betting::FixedLimit(Limits::new(100)),
        Ok(()),
    );
    check(|s| s.game.straddle = straddle(3), Ok(()));
    check(|s| s.game.straddle = straddle(6), Ok(()));
    check(
        |s| (s.game.variant, s.game.low) = (Variant::Omaha5, true),
        Ok(()),
    );
    check(
        |s| {
            (s.ante, s.game.betting) = (Ante::BigBlind(100), Betting::PotLimit { count_ante: true })
        },
        Ok(()),
    );
    check(
        |s| (s.ante, s.game.blinds) = (Ante::Each(100), Blinds::Button),
        Ok(()),
    );
}

#[test]
fn the_deck_is_enough_for_all_seats() {
    for (variant, once, twice) in [
        (Variant::Holdem, 23, 21),
        (Variant::ShortDeck, 15, 13),
        (Variant::Omaha4, 11, 10),
        (Variant::Omaha5, 9, 8),
        (Variant::Omaha6, 7, 7),
    ] {
        for (run_twice, max) in [(false, once), (true, twice)] {
            let game = Game {
                variant,
                run_twice,
                ..Game::default()
            };
            assert_eq!(game.players_max(), max, "{game:?}");
            let seats = max + 1;
            if seats <= Settings::SEATS_MAX {
                check(|s| (s.seats, s.game) = (max, game), Ok(()));
                check(
                    |s| (s.seats, s.game) = (seats, game),
                    Err(GameError::Seats { seats, max }),
                );
            }
        }
    }
}

#[test]
fn contradictions_are_named() {
    check(|s| s.game.low = true, Err(GameError::LowWithoutOmaha));
    check(
        |s| (s.game.variant, s.game.low) = (Variant::ShortDeck, true),
        Err(GameError::LowWithoutOmaha),
    );
    check(
        |s| s.game.betting = limit(99, 4),
        Err(GameError::BigBet {
            big_bet: 99,
            big: 100,
        }),
    );
    check(
        |s| s.game.betting = limit(u64::MAX, 4),
        Err(GameError::BigBet {
            big_bet: u64::MAX,
            big: 100,
        }),
    );
    check(
        |s| s.game.betting = limit(200, 0),
        Err(GameError::Raises { raises_max: 0 }),
    );
    check(
        |s| s.game.betting = limit(200, 11),
        Err(GameError::Raises { raises_max: 11 }),
    );
    check(
        |s| (s.ante, s.game.blinds) = (Ante::BigBlind(100), Blinds::Button),
        Err(GameError::AnteOfNoBigBlind),
    );
    check(
        |s| s.game.betting = Betting::PotLimit { count_ante: true },
        Err(GameError::CountedAnteMissing),
    );
    check(
        |s| (s.game.straddle, s.game.betting) = (straddle(3), limit(200, 4)),
        Err(GameError::StraddleInLimit),
    );
    check(
        |s| (s.game.straddle, s.game.blinds) = (straddle(3), Blinds::Button),
        Err(GameError::StraddleWithoutBlinds),
    );
    for players_min in [2, 7] {
        check(
            |s| s.game.straddle = straddle(players_min),
            Err(GameError::StraddlePlayers {
                players_min,
                seats: 6,
            }),
        );
    }
}
