//! Commands to the rules engine. Chips are counted here a second time, from what players brought and got back.

use engine::{
    Action, Ante, ButtonRule, Card, Clock, Command, Deck, Entry, Event, Fact, HandNo, Name, Phase,
    PlayerId, Rake, SeatNo, Settings, Table, Turn, Variant, Viewer, check, decide, evolve, legal,
    see, view,
};

use super::bytes::Bytes;
use super::game;

/// Plays what the bytes say: settings, then commands until they are used up.
pub fn run(bytes: &[u8]) {
    let mut bytes = Bytes(bytes);
    let Ok(table) = Table::new(settings(&mut bytes)) else {
        return;
    };
    let mut game = Game {
        table,
        events: Vec::new(),
        brought: 0,
        returned: 0,
    };
    for _ in 0..COMMANDS_MAX {
        if bytes.is_empty() {
            return;
        }
        let command = command(&game.table, &mut bytes);
        game.ask(&command);
    }
}

/// Random bytes get far here: most commands are made to fit the table. Each kind of cards, betting and house rules comes
/// twice, once with two boards.
pub fn seeds() -> Vec<Vec<u8>> {
    (0..24u8)
        .map(|kind| {
            let mut seed = u64::from(kind) + 1;
            let mut bytes: Vec<u8> = (0..1_200).map(|_| next(&mut seed) as u8).collect();
            // A table that is possible, of this game.
            bytes[..GAME.len()].copy_from_slice(&GAME);
            let one_board = if kind < 12 { 0 } else { 32 };
            let high = if kind % 3 == 0 { 8 } else { 0 };
            bytes[1] = one_board + high + kind % 8;
            bytes[2] = kind;
            bytes[4] = kind << 4 | kind;
            bytes
        })
        .collect()
}

/// A table, what happened at it, and the chips that crossed its edge.
pub struct Game {
    pub table: Table,
    pub events: Vec<Event>,
    brought: u128,
    returned: u128,
}

impl Game {
    /// Two players or more, sat down, and some hands played by random legal decisions.
    pub fn played(mut seed: u64, settings: Settings) -> Game {
        let table = Table::new(settings).expect("sound settings");
        let mut game = Game {
            table,
            events: Vec::new(),
            brought: 0,
            returned: 0,
        };
        for who in 0..4 {
            game.ask(&Command::Sit {
                player: PlayerId(u128::from(who) + 1),
                name: Name::new("someone").expect("a name"),
                seat: SeatNo(who),
                buy_in: 400,
                entry: Entry::PostNow,
                must_bring: 0,
            });
        }
        for _ in 0..40 {
            let chance = [next(&mut seed) as u8, next(&mut seed) as u8, 50];
            let mut chance = Bytes(&chance);
            let command = sensible(&game.table, &mut chance);
            game.ask(&command);
        }
        game
    }

    /// A table of six, of plain no-limit Hold'em or of a game that follows from the number.
    pub fn settings(number: u8) -> Settings {
        let mut settings = Settings::new(6, 5, 10);
        if number > 0 {
            let game = game::of(&[number, number.wrapping_mul(7), number, number], 10);
            game::fit(game, &mut settings);
        }
        settings
    }

    fn ask(&mut self, command: &Command) {
        match decide(&self.table, command) {
            Err(reject) => assert!(!reject.to_string().is_empty()),
            Ok(events) => {
                for event in events {
                    evolve(&mut self.table, &event);
                    self.look(&event);
                    self.count(&event);
                    self.events.push(event);
                }
                self.balance();
            }
        }
    }

    /// Everybody looks, nobody panics.
    fn look(&self, event: &Event) {
        for viewer in [
            Viewer::Spectator,
            Viewer::Player(PlayerId(1)),
            Viewer::Player(PlayerId(99)),
        ] {
            see(&self.table, event, viewer);
            view(&self.table, viewer);
        }
    }

    fn count(&mut self, event: &Event) {
        let Event::Public(fact) = event else { return };
        if let Fact::SeatTaken { buy_in: chips, .. } | Fact::TopUpQueued { amount: chips, .. } =
            fact
        {
            self.brought += u128::from(*chips);
        }
        if let Some((_, chips)) = fact.chips_out() {
            self.returned += u128::from(chips);
        }
    }

    fn balance(&self) {
        let table = &self.table;
        assert_eq!(check(table), Ok(()));
        assert_eq!(
            self.brought,
            self.returned + u128::from(table.chips()) + u128::from(table.rake()),
            "chips are conserved"
        );
        assert_eq!(
            table.hand().is_some(),
            table.clock().is_some(),
            "an open hand waits for a player"
        );
        assert!(
            !(table.hand().is_some() && table.can_deal()),
            "one hand at a time"
        );
    }
}

/// SplitMix64.
pub fn next(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*seed ^ (*seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn settings(bytes: &mut Bytes<'_>) -> Settings {
    // Usually a table that is possible, sometimes whatever the numbers are.
    if bytes.below(8) > 0 {
        let mix = [bytes.byte(), bytes.byte(), bytes.byte(), bytes.byte()];
        let big_blind = 1 + u64::from(bytes.byte());
        let small_blind = 1 + u64::from(bytes.byte()) % big_blind;
        let game = game::of(&mix, big_blind);
        let seats = (2 + bytes.below(9)).min(game.players_max());
        let mut settings = Settings::new(seats, small_blind, big_blind);
        settings.buy_in_min = 1;
        settings.ante = match bytes.below(3) {
            0 => Ante::None,
            1 => Ante::Each(1 + big_blind / 5),
            _ => Ante::BigBlind(big_blind),
        };
        settings.rake = Rake {
            per_10_000: u32::from(bytes.byte()) * 4,
            caps: vec![3; usize::from(bytes.below(4))],
        };
        settings.show_all_in = bytes.below(2) == 0;
        settings.clock.bank_ms = bytes.byte().into();
        settings.clock.reconnect_ms = bytes.below(2).into();
        settings.sit_out_buttons = bytes.below(4);
        settings.timeouts_to_sit_out = bytes.below(4);
        if bytes.below(4) == 0 {
            settings.button = ButtonRule::Moving;
        }
        game::fit(game, &mut settings);
        return settings;
    }
    let mix = [bytes.byte(), bytes.byte(), bytes.byte(), bytes.byte()];
    let big_blind = bytes.amount();
    Settings {
        seats: bytes.byte(),
        small_blind: bytes.amount(),
        big_blind,
        ante: match bytes.below(3) {
            0 => Ante::None,
            1 => Ante::Each(bytes.amount()),
            _ => Ante::BigBlind(bytes.amount()),
        },
        buy_in_min: bytes.amount(),
        buy_in_max: bytes.amount(),
        rake: Rake {
            per_10_000: bytes.amount() as u32,
            caps: (0..bytes.below(12)).map(|_| bytes.amount()).collect(),
        },
        clock: Clock {
            action_ms: bytes.amount() as u32,
            bank_ms: bytes.amount() as u32,
            bank_gain_ms: bytes.amount() as u32,
            reconnect_ms: bytes.amount() as u32,
        },
        show_all_in: bytes.below(2) == 0,
        button: if bytes.below(2) == 0 {
            ButtonRule::Dead
        } else {
            ButtonRule::Moving
        },
        sit_out_buttons: bytes.byte(),
        timeouts_to_sit_out: bytes.byte(),
        rathole_ms: bytes.amount() as u32,
        // With a low where there is none, more seats than cards, straddles in fixed limit.
        game: engine::Game {
            low: bytes.below(2) == 0,
            ..game::of(&mix, big_blind)
        },
    }
}

fn command(table: &Table, bytes: &mut Bytes<'_>) -> Command {
    let kind = bytes.byte();
    let player = PlayerId(u128::from(bytes.below(PLAYERS)) + 1);
    let entry = match bytes.below(2) {
        0 => Entry::WaitForBigBlind,
        _ => Entry::PostNow,
    };
    match kind {
        0..=39 => Command::Sit {
            player,
            name: Name::new("someone").expect("a name"),
            seat: SeatNo(bytes.below(12)),
            buy_in: match bytes.below(4) {
                0 => bytes.amount(),
                1 => table.settings().buy_in_max,
                _ => 1 + bytes.amount() % table.settings().buy_in_max,
            },
            entry,
            must_bring: 0,
        },
        40..=47 => Command::Leave { player },
        48..=63 => Command::TopUp {
            player,
            amount: bytes.amount(),
        },
        64..=71 => Command::SitOut { player },
        72..=95 => Command::SitIn { player, entry },
        96..=103 => Command::Disconnected { player },
        104..=111 => Command::Connected { player },
        112..=113 => Command::Void,
        114 => Command::Close,
        115..=116 => Command::TimeOut {
            hand: HandNo(bytes.amount()),
            turn: Turn(bytes.amount() as u32),
            phase: phase(bytes),
        },
        117 => Command::Straddle {
            player,
            on: bytes.below(4) > 0,
        },
        // To the open question, to one that is over, or to one that nobody asked.
        118..=119 => Command::RunTwice {
            player,
            hand: match bytes.below(4) {
                0 => HandNo(bytes.amount()),
                _ => table.hands_started(),
            },
            turn: match (bytes.below(4), table.clock()) {
                (1.., Some(clock)) => clock.turn,
                _ => Turn(bytes.amount() as u32),
            },
            agree: bytes.below(8) > 0,
        },
        120..=139 => Command::Act {
            player,
            hand: table.hands_started(),
            turn: table.clock().map_or(Turn(0), |clock| clock.turn),
            action: match bytes.below(4) {
                0 => Action::Fold,
                1 => Action::Check,
                2 => Action::Call,
                _ => Action::RaiseTo { to: bytes.amount() },
            },
            bank_used_ms: bytes.amount() as u32,
        },
        140.. => sensible(table, bytes),
    }
}

/// What the player to act may do, an answer whether to run it twice, or the next hand.
fn sensible(table: &Table, bytes: &mut Bytes<'_>) -> Command {
    let Some(clock) = table.clock() else {
        let seed = u64::from(bytes.byte()) << 8 | u64::from(bytes.byte());
        return Command::Deal {
            deck: deck(table.settings().game.variant, seed),
            first_button: SeatNo(bytes.below(12)),
        };
    };
    let player = table.seat(clock.seat).expect("who is to act sits").player;
    let Some(legal) = legal(table) else {
        let (hand, turn, phase) = (clock.hand, clock.turn, clock.phase);
        return match bytes.below(16) {
            0 => Command::TimeOut { hand, turn, phase },
            answer => Command::RunTwice {
                player,
                hand,
                turn,
                agree: answer > 1,
            },
        };
    };
    let action = match (bytes.below(10), legal.raise_to, legal.check) {
        (0, _, false) => Action::Fold,
        (1..=3, Some(raise), _) => {
            let room = raise.max_to - raise.min_to;
            let to = raise.min_to + bytes.amount() % (room + 1);
            Action::RaiseTo { to }
        }
        (4, Some(raise), _) => Action::RaiseTo { to: raise.max_to },
        (5, _, _) => {
            return Command::TimeOut {
                hand: clock.hand,
                turn: clock.turn,
                phase: clock.phase,
            };
        }
        (_, _, true) => Action::Check,
        (_, _, false) => Action::Call,
    };
    Command::Act {
        player,
        hand: clock.hand,
        turn: clock.turn,
        action,
        bank_used_ms: bytes.byte().into(),
    }
}

fn phase(bytes: &mut Bytes<'_>) -> Phase {
    match bytes.below(4) {
        0 => Phase::Action,
        1 => Phase::Reconnect,
        2 => Phase::RunTwice,
        _ => Phase::Bank,
    }
}

fn deck(variant: Variant, mut seed: u64) -> Deck {
    let mut cards: Vec<Card> = variant.cards().collect();
    for last in (1..cards.len()).rev() {
        cards.swap(last, next(&mut seed) as usize % (last + 1));
    }
    Deck::new(&cards).expect("each once")
}

/// The first bytes of a seed: settings that are possible, four bytes of its game, blinds, six players or more.
const GAME: [u8; 8] = [1, 0, 0, 0, 0, 99, 49, 4];
/// Players are 1 to this; so some are without a seat at most tables.
const PLAYERS: u8 = 12;
/// Long enough for some hands, short enough for many inputs.
const COMMANDS_MAX: usize = 400;
