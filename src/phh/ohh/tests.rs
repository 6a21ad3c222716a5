//! What is written is read by another program's reader, and its chips add up, in every game.

use engine::{
    Ante, Blinds, Card, Command, Entry, Event, Game as Rules, HandNo, Limits, Name, Phase,
    PlayerId, Settings, Table, carry_out, legal,
};
use rs_poker::open_hand_history::{
    Action as Theirs, GameType, HandHistory, OpenHandHistoryWrapper,
};

use super::*;
use crate::table::shuffle::shuffled;

const PLAYERS: u8 = 4;

/// A hand that was played, by who does what a number says.
fn played(settings: &Settings, seed: u8) -> (Vec<Fact>, Vec<Card>) {
    let mut table = Table::new(settings.clone()).unwrap();
    let mut events = Vec::new();
    for seat in 0..PLAYERS {
        let sit = Command::Sit {
            player: PlayerId(seat.into()),
            name: Name::new("someone").unwrap(),
            seat: SeatNo(seat),
            buy_in: 300 * u64::from(1 + (seat ^ seed) % 4),
            entry: Entry::PostNow,
            must_bring: 0,
        };
        carry_out(&mut table, &sit, &mut events).unwrap();
    }
    let deck = shuffled([seed; 32], settings.game.variant);
    let deal = Command::Deal {
        deck,
        first_button: SeatNo(seed % PLAYERS),
    };
    carry_out(&mut table, &deal, &mut events).unwrap();
    let me = engine::view(&table, engine::Viewer::Player(PlayerId(0)))
        .hand
        .unwrap();
    let own = me.players.iter().find_map(|player| player.own).unwrap();
    let mut dice = u32::from(seed);
    while let Some(clock) = table.clock() {
        dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let player = PlayerId(clock.seat.0.into());
        let command = if clock.phase == Phase::RunTwice {
            Command::RunTwice {
                player,
                hand: HandNo(1),
                turn: clock.turn,
                agree: true,
            }
        } else {
            let legal = legal(&table).unwrap();
            let action = match (dice >> 24) % 8 {
                0 if !legal.check => Action::Fold,
                1 | 2 => legal
                    .raise_to
                    .map_or(Action::Fold, |raise| Action::RaiseTo { to: raise.max_to }),
                _ if legal.check => Action::Check,
                _ => Action::Call,
            };
            Command::Act {
                player,
                hand: HandNo(1),
                turn: clock.turn,
                action,
                bank_used_ms: 0,
            }
        };
        carry_out(&mut table, &command, &mut events).unwrap();
    }
    let facts = events.into_iter().filter_map(|event| match event {
        Event::Public(fact) => Some(fact),
        Event::Private(_) => None,
    });
    (facts.collect(), own.cards().to_vec())
}

fn written(settings: &Settings, facts: &[Fact], own: &[Card]) -> String {
    let names: Vec<Name> = (0..PLAYERS)
        .map(|seat| Name::new(&format!("\"{seat}\"")).unwrap())
        .collect();
    let record = HandRecord {
        settings,
        table: Some("Rio"),
        facts,
        names: &names,
        known: &[(SeatNo(0), engine::HoleCards::new(own).unwrap())],
    };
    let origin = Origin {
        game_number: "rio-1",
        started_ms: 1_709_209_845_000,
        hero: Some(SeatNo(0)),
    };
    export(&record, origin).unwrap()
}

fn games() -> Vec<(Settings, GameType)> {
    let game = |rules: Rules, game_type| {
        let mut settings = Settings::new(PLAYERS, 5, 10);
        settings.buy_in_max = 10_000;
        settings.game = rules;
        settings.rake.per_10_000 = 500;
        settings.show_all_in = !rules.low;
        if rules.blinds == Blinds::Button {
            settings.ante = Ante::Each(3);
        }
        (settings, game_type)
    };
    let of = |variant, low, betting, run_twice| Rules {
        variant,
        low,
        betting,
        run_twice,
        blinds: if variant == Variant::ShortDeck {
            Blinds::Button
        } else {
            Blinds::SmallAndBig
        },
        straddle: None,
    };
    let pot = Betting::PotLimit { count_ante: false };
    let limit = Betting::FixedLimit(Limits::new(10));
    vec![
        game(Rules::default(), GameType::Holdem),
        game(of(Variant::Holdem, false, limit, false), GameType::Holdem),
        game(
            of(Variant::ShortDeck, false, Betting::NoLimit, true),
            GameType::Holdem,
        ),
        game(of(Variant::Omaha4, false, pot, true), GameType::Omaha),
        game(of(Variant::Omaha5, true, pot, true), GameType::OmahaHiLo),
        game(of(Variant::Omaha6, true, pot, false), GameType::OmahaHiLo),
    ]
}

#[test]
fn another_reader_reads_every_game_and_the_chips_add_up() {
    let (mut twice, mut showdowns) = (0, 0);
    for (settings, game_type) in games() {
        for seed in 0..40 {
            let (facts, own) = played(&settings, seed);
            let text = written(&settings, &facts, &own);
            let read: OpenHandHistoryWrapper = serde_json::from_str(&text).unwrap();
            assert_eq!(read.ohh.game_type, game_type);
            chips_add_up(&read.ohh, &facts);
            let actions = || read.ohh.rounds.iter().flat_map(|round| &round.actions);
            let dealt: Vec<_> = actions()
                .filter(|deed| deed.action == Theirs::DealtCards)
                .collect();
            assert_eq!(dealt.len(), 1);
            let hole = usize::from(settings.game.variant.hole_len());
            assert_eq!(dealt[0].cards.as_ref().map(Vec::len), Some(hole));
            assert!(
                !read.ohh.rounds[0]
                    .actions
                    .iter()
                    .any(|deed| deed.action == Theirs::Bet)
            );
            showdowns += u32::from(actions().any(|deed| deed.action == Theirs::ShowsCards));
            let boards = read
                .ohh
                .rounds
                .iter()
                .filter(|round| round.street == "River")
                .count();
            assert_eq!(boards == 2, text.contains("Run_It_Twice"));
            twice += u32::from(boards == 2);
        }
    }
    assert!(
        twice > 10 && showdowns > 60,
        "{twice} twice, {showdowns} showdowns"
    );
}

/// What was put in is what is in the pots and what nobody called; what is in the pots is won or raked.
fn chips_add_up(hand: &HandHistory, facts: &[Fact]) {
    let chips = |sum: f32| sum as u64;
    let actions = hand.rounds.iter().flat_map(|round| &round.actions);
    let put_in = chips(actions.map(|deed| deed.amount).sum());
    let pots: u64 = hand.pots.iter().map(|pot| chips(pot.amount)).sum();
    let back = facts.iter().map(|fact| {
        if let Fact::UncalledReturned { amount, .. } = fact {
            *amount
        } else {
            0
        }
    });
    assert_eq!(put_in, pots + back.sum::<u64>());
    for pot in &hand.pots {
        let won = pot.player_wins.iter().map(|win| chips(win.win_amount));
        let raked = chips(pot.rake.unwrap_or(0.0));
        assert_eq!(won.sum::<u64>() + raked, chips(pot.amount));
    }
}

#[test]
fn the_second_board_comes_after_the_first() {
    let streets = |seed| {
        let (settings, _) = &games()[3];
        let (facts, own) = played(settings, seed);
        let read: OpenHandHistoryWrapper =
            serde_json::from_str(&written(settings, &facts, &own)).unwrap();
        let streets: Vec<String> = read
            .ohh
            .rounds
            .into_iter()
            .map(|round| round.street)
            .collect();
        streets.join(" ")
    };
    assert!(
        (0..40)
            .map(streets)
            .any(|streets| streets == "Preflop Flop Turn River Flop Turn River Showdown")
    );
}

#[test]
fn moments_are_told_as_dates() {
    let check = |seconds: u64, text: &str| assert_eq!(utc(seconds * 1_000 + 999), text);
    check(0, "1970-01-01T00:00:00Z");
    check(951_782_400, "2000-02-29T00:00:00Z");
    check(951_868_799, "2000-02-29T23:59:59Z");
    check(951_868_800, "2000-03-01T00:00:00Z");
    check(1_709_209_845, "2024-02-29T12:30:45Z");
    check(4_107_542_399, "2100-02-28T23:59:59Z");
    check(4_107_542_400, "2100-03-01T00:00:00Z");
}
