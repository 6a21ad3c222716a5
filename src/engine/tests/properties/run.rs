//! A random history of a random table. Everything comes from the arguments, so that a failure can be replayed.

use engine::{
    Action, Ante, ButtonRule, Card, Command, Deck, Entry, Event, HandNo, Name, Phase, PlayerId,
    Rake, SeatNo, Settings, Table, Turn, Variant, carry_out, check, decide, evolve, legal,
};

use crate::game;

/// What the table's settings are made of.
#[derive(Debug, Clone, Copy)]
pub struct Mix(pub [u8; 12]);

/// One command, once the table is known to which it goes.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    pub kind: u8,
    pub who: u8,
    pub how: u64,
}

pub struct Run {
    pub table: Table,
    pub events: Vec<Event>,
}

/// Players are 1 to this; so some are without a seat at most tables.
pub const PLAYERS: u8 = 12;

pub fn play(mix: Mix, steps: &[Step]) -> Run {
    let mut table = Table::new(settings(mix)).expect("every mix is sound");
    let mut events = Vec::new();
    let sit = (0..mix.0[0]).map(|who| Step {
        kind: 0,
        who,
        how: (u64::from(who) << 8) | ((u64::from(who) * 0x9e37) << 16),
    });
    for step in sit.take(10).chain(steps.iter().copied()) {
        let command = command(&table, step);
        let mut ahead = table.clone();
        let mut done = Vec::new();
        let carried_out = carry_out(&mut ahead, &command, &mut done);
        let decided = decide(&table, &command);
        let Ok(decided) = decided else {
            assert_eq!(carried_out.err(), decided.err());
            assert!(ahead == table && done.is_empty(), "a refusal does nothing");
            continue;
        };
        assert!(carried_out.is_ok() && done == decided, "the same events");
        for event in decided {
            evolve(&mut table, &event);
            assert_eq!(check(&table), Ok(()));
            events.push(event);
        }
        assert!(ahead == table, "to carry out is to decide and to evolve");
        assert_eq!(
            table.hand().is_some(),
            table.clock().is_some(),
            "an open hand waits for a player"
        );
    }
    Run { table, events }
}

pub fn settings(Mix(mix): Mix) -> Settings {
    let big_blind = 1 + u64::from(mix[1]);
    let game = game::of(&mix[8..], big_blind);
    let seats = (2 + mix[0] % 9).min(game.players_max());
    let mut settings = Settings::new(seats, 1 + u64::from(mix[2]) % big_blind, big_blind);
    settings.buy_in_min = 1;
    settings.ante = match mix[3] % 3 {
        0 => Ante::None,
        1 => Ante::Each(1 + big_blind / 5),
        _ => Ante::BigBlind(big_blind),
    };
    let caps = if mix[4] % 2 == 0 { vec![] } else { vec![3, 7] };
    settings.rake = Rake {
        per_10_000: u32::from(mix[4]) * 4,
        caps,
    };
    settings.show_all_in = mix[5] % 2 == 0;
    settings.clock.bank_ms = u32::from(mix[5]);
    settings.clock.reconnect_ms = u32::from(mix[6] % 2);
    settings.sit_out_buttons = mix[6] % 4;
    settings.timeouts_to_sit_out = mix[7] % 4;
    settings.button = if mix[7] & 8 == 0 {
        ButtonRule::Dead
    } else {
        ButtonRule::Moving
    };
    game::fit(game, &mut settings);
    settings
}

/// All of a table's state, the deck too.
pub fn state(table: &Table) -> (serde_json::Value, Option<Vec<u8>>) {
    (
        serde_json::to_value(table).expect("a table serialises"),
        table.secret().map(Deck::to_bytes),
    )
}

pub fn deck(variant: Variant, mut seed: u64) -> Deck {
    let mut cards: Vec<Card> = variant.cards().collect();
    for last in (1..cards.len()).rev() {
        cards.swap(last, next(&mut seed) as usize % (last + 1));
    }
    Deck::new(&cards).expect("each card once")
}

/// SplitMix64.
pub fn next(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*seed ^ (*seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Mostly something sensible: a legal action of who is to act, or a deal if nobody is.
fn command(table: &Table, step: Step) -> Command {
    let Step { kind, who, how } = step;
    let player = PlayerId(u128::from(who % PLAYERS) + 1);
    let entry = if how % 2 == 0 {
        Entry::WaitForBigBlind
    } else {
        Entry::PostNow
    };
    match kind {
        0..=15 => {
            let buy_in = 1 + how % table.settings().buy_in_max;
            let seat = SeatNo((how >> 8) as u8 % 11);
            Command::Sit {
                player,
                name: Name::new("someone").expect("a name"),
                seat,
                buy_in,
                entry,
                must_bring: match how % 8 {
                    7 => (how >> 16) % (2 * buy_in),
                    _ => 0,
                },
            }
        }
        16..=17 => Command::Leave { player },
        18..=29 => Command::TopUp {
            player,
            amount: how % table.settings().buy_in_max,
        },
        30..=32 => Command::SitOut { player },
        33..=45 => Command::SitIn { player, entry },
        46..=48 => Command::Disconnected { player },
        49 => Command::Straddle {
            player,
            on: how % 4 > 0,
        },
        50..=53 => Command::Connected { player },
        54 => Command::Void,
        55 if how % 16 == 0 => Command::Close,
        55..=60 => Command::TimeOut {
            hand: HandNo(how % 8),
            turn: Turn(how as u32 % 8),
            phase: Phase::Action,
        },
        61..=65 if table.settings().game.run_twice => run_twice(table, player, how),
        61..=72 => act(table, player, random_action(how)),
        73..=90 => match table.clock() {
            // Else few boards would be run twice.
            Some(clock) if clock.phase == Phase::RunTwice && how % 8 != 0 => {
                let player = table.seat(clock.seat).expect("who is asked sits").player;
                run_twice(table, player, how)
            }
            Some(clock) => Command::TimeOut {
                hand: clock.hand,
                turn: clock.turn,
                phase: clock.phase,
            },
            None => deal(table, how),
        },
        91.. if table
            .clock()
            .is_some_and(|clock| clock.phase == Phase::RunTwice) =>
        {
            let clock = table.clock().expect("it was there");
            let player = table.seat(clock.seat).expect("who is asked sits").player;
            run_twice(table, player, how)
        }
        91.. => match legal(table).zip(table.clock()) {
            Some((legal, clock)) => {
                let player = table.seat(clock.seat).expect("who is to act sits").player;
                let action = match (how % 8, legal.raise_to, legal.check) {
                    (0, _, false) => Action::Fold,
                    (0..=3, Some(raise), _) => {
                        let room = raise.max_to - raise.min_to + 1;
                        let often_small = if how % 16 < 12 {
                            room.min(1 + table.settings().big_blind)
                        } else {
                            room
                        };
                        Action::RaiseTo {
                            to: raise.min_to + (how >> 8) % often_small,
                        }
                    }
                    (4, Some(raise), _) if how % 64 < 16 => Action::RaiseTo { to: raise.max_to },
                    (_, _, true) => Action::Check,
                    (_, _, false) => Action::Call,
                };
                act(table, player, action)
            }
            None => deal(table, how),
        },
    }
}

fn run_twice(table: &Table, player: PlayerId, how: u64) -> Command {
    let (hand, turn) = table
        .clock()
        .map_or((HandNo(1), Turn(how as u32 % 8)), |clock| {
            (clock.hand, clock.turn)
        });
    Command::RunTwice {
        player,
        hand,
        turn,
        agree: how % 16 != 1,
    }
}

fn random_action(how: u64) -> Action {
    match how % 5 {
        0 => Action::Fold,
        1 => Action::Check,
        2 => Action::Call,
        3 => Action::RaiseTo { to: how >> 3 },
        _ => Action::RaiseTo {
            to: (how >> 3) % 1000,
        },
    }
}

fn act(table: &Table, player: PlayerId, action: Action) -> Command {
    let (hand, turn) = table
        .clock()
        .map_or((HandNo(0), Turn(0)), |clock| (clock.hand, clock.turn));
    Command::Act {
        player,
        hand,
        turn,
        action,
        bank_used_ms: 40,
    }
}

fn deal(table: &Table, how: u64) -> Command {
    Command::Deal {
        deck: deck(table.settings().game.variant, how),
        first_button: SeatNo((how % 12) as u8),
    }
}
