//! Amounts that a game does not allow, and tables that contradict themselves: refused by name, with what would do.

use openrustpoker::client::Move;
use proto::v1::{CapOff, Game, Limits, Settings, StraddleRule, Variant};

use super::{Stage, game, orp, refused, settings};

#[tokio::test(flavor = "multi_thread")]
async fn fixed_limit_has_one_amount() {
    let limits = Limits {
        big_bet: 200,
        raises_max: 1,
        cap_off: CapOff::Never.into(),
    };
    let flhe = Game {
        limits: Some(limits),
        ..game("flhe")
    };
    let mut stage = Stage::open(&settings(flhe), 2).await;
    let hand = stage.turn(1).await.hand;
    let seen = stage.turn(hand).await;
    let legal = seen.legal.as_ref().expect("a turn");
    assert_eq!((legal.raise_to_min, legal.raise_to_max), (200, 200));
    for to in [0, 150, 199, 201, 300, 9_999] {
        let (rule, facts) = refused(stage.act(&seen, Move::RaiseTo(to)).await);
        assert_eq!(rule, "RaiseNotTheLimit", "{to}");
        assert_eq!(facts, [("to".to_owned(), "200".to_owned())]);
    }
    let (rule, facts) = refused(stage.act(&seen, Move::RaiseTo(1_000_000)).await);
    assert_eq!(rule, "RaiseNotTheLimit", "{facts:?}");
    stage
        .act(&seen, Move::RaiseTo(200))
        .await
        .expect("the limit");
    // One raise is all that this table has.
    let seen = stage.turn(hand).await;
    let legal = seen.legal.as_ref().expect("a turn");
    assert_eq!((legal.raise_to_min, legal.raise_to_max), (0, 0));
    let (rule, facts) = refused(stage.act(&seen, Move::RaiseTo(300)).await);
    assert_eq!(rule, "RaisesCapped");
    assert_eq!(facts, [("raises_max".to_owned(), "1".to_owned())]);
    stage.act(&seen, Move::Call).await.expect("a call");
    // The big bet is for turn and river.
    for (street, bet) in [(3, 100), (4, 200), (5, 200)] {
        for _ in 0..2 {
            let seen = stage.turn(hand).await;
            assert_eq!(seen.board.len(), street);
            let legal = seen.legal.as_ref().expect("a turn");
            assert_eq!((legal.raise_to_min, legal.raise_to_max), (bet, bet));
            stage.act(&seen, Move::Check).await.expect("a check");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pot_limit_has_a_most() {
    let mut stage = Stage::open(&settings(game("plo")), 2).await;
    let seen = stage.turn(1).await;
    let (rule, facts) = refused(stage.act(&seen, Move::RaiseTo(301)).await);
    assert_eq!(rule, "RaiseAbovePot");
    assert_eq!(facts, [("max_to".to_owned(), "300".to_owned())]);
    let (rule, _) = refused(stage.act(&seen, Move::RaiseTo(199)).await);
    assert_eq!(rule, "RaiseBelowMinimum");
    stage.act(&seen, Move::RaiseTo(300)).await.expect("the pot");
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_that_contradict_themselves() {
    let stage = Stage::open(&settings(Game::default()), 2).await;
    let mut number = 0;
    let mut check = async |rule: &str, settings: Settings| {
        number += 1;
        let id = openrustpoker::ids::TableId(0xdef + number).to_string();
        let made = stage.players[0].create_table(&id, "none", &settings).await;
        assert_eq!(refused(made).0, rule);
    };
    let straddle = Some(StraddleRule {
        under_the_gun: true,
        ..StraddleRule::default()
    });
    let limits = |big_bet, raises_max| {
        Some(Limits {
            big_bet,
            raises_max,
            cap_off: 0,
        })
    };
    let of = |name: &str, change: fn(&mut Game)| {
        let mut game = game(name);
        change(&mut game);
        settings(game)
    };
    let seats = |seats, settings| Settings { seats, ..settings };

    check("DeckTooSmall", seats(8, of("plo6", |_| ()))).await;
    check(
        "DeckTooSmall",
        seats(9, of("plo5", |game| game.run_twice = true)),
    )
    .await;
    check("BadSeats", seats(11, of("nlhe", |_| ()))).await;
    check("BadSeats", seats(1, of("nlhe", |_| ()))).await;
    check("LowWithoutOmaha", of("nlhe", |game| game.low = true)).await;
    check("LowWithoutOmaha", of("short-deck", |game| game.low = true)).await;
    check("BadVariant", of("nlhe", |game| game.variant = 99)).await;
    check("BadBetting", of("nlhe", |game| game.betting = 99)).await;
    check(
        "CountedAnteWithoutPotLimit",
        of("nlhe", |game| game.count_ante = true),
    )
    .await;
    check(
        "CountedAnteMissing",
        of("plo", |game| game.count_ante = true),
    )
    .await;
    let game = |name, limits| Game {
        limits,
        ..game(name)
    };
    check(
        "LimitsWithoutFixedLimit",
        settings(game("plo", limits(200, 3))),
    )
    .await;
    check("BadBigBet", settings(game("flhe", limits(99, 3)))).await;
    check("BadRaises", settings(game("flhe", limits(200, 11)))).await;
    check("TooLarge", settings(game("flhe", limits(200, 256)))).await;
    let straddles = |name| Game {
        straddle,
        ..game(name, None)
    };
    check("StraddleInLimit", settings(straddles("flhe"))).await;
    check("StraddleWithoutBlinds", settings(straddles("short-deck"))).await;
    check("BadStraddlePlayers", seats(2, settings(straddles("plo")))).await;
    check(
        "StraddleFromNowhere",
        settings(Game {
            straddle: Some(StraddleRule::default()),
            ..game("plo", None)
        }),
    )
    .await;
    let antes = |ante, big_blind_ante, name| Settings {
        ante,
        big_blind_ante,
        ..settings(game(name, None))
    };
    check("TwoAntes", antes(10, 10, "nlhe")).await;
    check("BadAnte", antes(1_001, 0, "nlhe")).await;
    check("AnteOfNoBigBlind", antes(0, 100, "short-deck")).await;
    let blinds = |small_blind, big_blind| Settings {
        small_blind,
        big_blind,
        ..settings(Game::default())
    };
    check("BadBlinds", blinds(101, 100)).await;
    check("BadBlinds", blinds(0, 100)).await;
    // What is left out has its usual value, and unknown parts of a game are none.
    let plain = Game {
        variant: Variant::Unspecified.into(),
        ..Game::default()
    };
    let id = openrustpoker::ids::TableId(0xfff).to_string();
    let plain = settings(plain);
    let made = stage.players[0].create_table(&id, "plain", &plain).await;
    made.expect("no-limit Hold'em");
}

/// The command says it, and ends with the code for a refusal.
#[tokio::test(flavor = "multi_thread")]
async fn the_command_says_what_contradicts() {
    let stage = Stage::open(&settings(Game::default()), 2).await;
    let at = stage.server.address.as_str();
    let create = |more: &[&str]| {
        let made = ["table", "create", "--server", at, "--name", "none"];
        orp(&[&made[..], more].concat(), 4)
    };
    let said = create(&["--game", "flhe", "--straddle", "utg"]);
    assert!(said.contains("StraddleInLimit"), "{said}");
    let said = create(&["--game", "plo6", "--seats", "9"]);
    assert!(said.contains("the deck has cards for 7 players"), "{said}");
    let said = create(&["--game", "nlhe", "--big-bet", "200"]);
    assert!(said.contains("LimitsWithoutFixedLimit"), "{said}");
}
