use super::*;

fn games() -> impl Iterator<Item = Game> {
    let limits = |cap_off| {
        Betting::FixedLimit(Limits {
            big_bet: 300,
            raises_max: 3,
            cap_off,
        })
    };
    let bettings = [
        Betting::NoLimit,
        Betting::PotLimit { count_ante: true },
        Betting::PotLimit { count_ante: false },
        limits(CapOff::StreetHeadsUp),
        limits(CapOff::HandHeadsUp),
        limits(CapOff::Never),
    ];
    let variants = [
        Variant::Holdem,
        Variant::ShortDeck,
        Variant::Omaha4,
        Variant::Omaha5,
        Variant::Omaha6,
    ];
    let straddle = |from, min_raise| {
        Some(Straddle {
            from,
            min_raise,
            players_min: 5,
        })
    };
    let straddles = [
        None,
        straddle(StraddleFrom::UnderTheGun, StraddleRaise::ByBigBlind),
        straddle(StraddleFrom::Button, StraddleRaise::ByStraddle),
        straddle(StraddleFrom::Either, StraddleRaise::ByStraddle),
    ];
    let all = bettings
        .into_iter()
        .flat_map(move |betting| variants.map(|variant| (betting, variant)));
    all.flat_map(move |(betting, variant)| {
        straddles.map(|straddle| Game {
            variant,
            low: variant.omaha(),
            betting,
            blinds: if straddle.is_none() {
                Blinds::Button
            } else {
                Blinds::SmallAndBig
            },
            straddle,
            run_twice: straddle.is_none(),
        })
    })
}

#[test]
fn what_is_written_reads_the_same() {
    for game in games() {
        assert_eq!(parse(wire(&game), 100), Ok(game));
    }
    assert_eq!(wire(&Game::default()), None);
    assert_eq!(parse(None, 100), Ok(Game::default()));
    assert_eq!(parse(Some(v1::Game::default()), 100), Ok(Game::default()));
}

#[test]
fn what_is_absent_has_a_default() {
    let limits = v1::Game {
        betting: v1::Betting::FixedLimit.into(),
        ..v1::Game::default()
    };
    let usual = Betting::FixedLimit(Limits::new(100));
    let game = |wire| parse(Some(wire), 100).expect("sound");
    assert_eq!(game(limits).betting, usual);
    let zeros = v1::Game {
        limits: Some(v1::Limits::default()),
        ..limits
    };
    assert_eq!(game(zeros).betting, usual);
    let straddle = v1::Game {
        straddle: Some(v1::StraddleRule {
            button: true,
            ..v1::StraddleRule::default()
        }),
        ..v1::Game::default()
    };
    let straddle = game(straddle).straddle.expect("a rule");
    assert_eq!(straddle.players_min, Straddle::PLAYERS_MIN);
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let check = |change: fn(&mut v1::Game), field: &str, reason: &str| {
        let mut wire = v1::Game::default();
        change(&mut wire);
        let invalid = parse(Some(wire), 100).expect_err("refused");
        assert_eq!((invalid.field, invalid.reason), (field, reason));
    };
    check(|g| g.variant = 6, "settings.game.variant", "BadVariant");
    check(|g| g.betting = -1, "settings.game.betting", "BadBetting");
    check(
        |g| g.count_ante = true,
        "settings.game.count_ante",
        "CountedAnteWithoutPotLimit",
    );
    check(
        |g| g.limits = Some(v1::Limits::default()),
        "settings.game.limits",
        "LimitsWithoutFixedLimit",
    );
    let fixed = |g: &mut v1::Game, limits| {
        g.betting = v1::Betting::FixedLimit.into();
        g.limits = Some(limits);
    };
    let cap_off = v1::Limits {
        cap_off: 9,
        ..v1::Limits::default()
    };
    let raises = v1::Limits {
        raises_max: 256,
        ..v1::Limits::default()
    };
    for (limits, field, reason) in [
        (cap_off, "settings.game.limits.cap_off", "BadCapOff"),
        (raises, "settings.game.limits.raises_max", "TooLarge"),
    ] {
        let mut wire = v1::Game::default();
        fixed(&mut wire, limits);
        let invalid = parse(Some(wire), 100).expect_err("refused");
        assert_eq!((invalid.field, invalid.reason), (field, reason));
    }
    check(
        |g| g.straddle = Some(v1::StraddleRule::default()),
        "settings.game.straddle",
        "StraddleFromNowhere",
    );
}
