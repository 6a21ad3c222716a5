//! How many hands a second one core plays through `decide`, `evolve` and `check`:
//! `cargo run --release -p orp-engine --example speed`. The clock is processor time.

use std::time::{Duration, Instant};

use engine::{
    Action, Betting, Card, Command, Deck, Entry, Game, Legal, Limits, Name, PlayerId, SeatNo,
    Settings, Table, Variant, check, decide, evolve, legal,
};

fn main() {
    for players in [2, 6, 9] {
        println!(
            "no-limit Hold'em, {players} players: {}",
            speed(Game::default(), players)
        );
    }
    let limit = Betting::FixedLimit(Limits::new(BIG_BLIND));
    let pot = Betting::PotLimit { count_ante: false };
    for (title, variant, low, betting) in [
        ("pot-limit Hold'em", Variant::Holdem, false, pot),
        ("fixed-limit Hold'em", Variant::Holdem, false, limit),
        ("short deck", Variant::ShortDeck, false, Betting::NoLimit),
        ("pot-limit Omaha", Variant::Omaha4, false, pot),
        ("pot-limit five-card Omaha", Variant::Omaha5, false, pot),
        ("pot-limit six-card Omaha", Variant::Omaha6, false, pot),
        ("pot-limit Omaha hi-lo", Variant::Omaha4, true, pot),
        (
            "pot-limit five-card Omaha hi-lo",
            Variant::Omaha5,
            true,
            pot,
        ),
        ("pot-limit six-card Omaha hi-lo", Variant::Omaha6, true, pot),
    ] {
        let game = Game {
            variant,
            low,
            betting,
            ..Game::default()
        };
        println!("{title}, 6 players: {}", speed(game, 6));
    }
}

/// How many hands, commands and events a second.
fn speed(game: Game, players: u8) -> String {
    let (mut hands, mut commands, mut events) = (0u64, 0u64, 0u64);
    let mut seed = 1;
    let mut table = table(game, players);
    let (begin, used) = (Instant::now(), processor_nanos());
    while begin.elapsed() < RUN {
        for _ in 0..100 {
            let counted = hand(&mut table, &mut seed);
            hands += 1;
            commands += counted.0;
            events += counted.1;
        }
    }
    let micros = (processor_nanos() - used) / 1_000;
    let [hands, commands, events] =
        [hands, commands, events].map(|count| count * 1_000_000 / micros);
    format!("{hands} hands/s, {commands} commands/s, {events} events/s")
}

/// Plays one hand, mostly to a showdown, and fills the stacks again. Commands and events.
fn hand(table: &mut Table, seed: &mut u64) -> (u64, u64) {
    let deal = Command::Deal {
        deck: shuffled(table.settings().game.variant, seed),
        first_button: SeatNo(0),
    };
    let mut counted = (1, carry_out(table, &deal));
    while let Some(turn) = legal(table) {
        let player = table.seat(turn.seat).expect("who is to act sits").player;
        let hand = table.hand().expect("a hand is open").no();
        let act = Command::Act {
            player,
            hand,
            turn: turn.turn,
            action: action(turn, next(seed)),
            bank_used_ms: 0,
        };
        counted = (counted.0 + 1, counted.1 + carry_out(table, &act));
    }
    let max = table.settings().buy_in_max;
    let short: Vec<(PlayerId, u64)> = table
        .seats()
        .filter(|(_, seat)| seat.stack < max / 2)
        .map(|(_, seat)| (seat.player, max - seat.stack))
        .collect();
    for (player, amount) in short {
        carry_out(table, &Command::TopUp { player, amount });
    }
    counted
}

fn carry_out(table: &mut Table, command: &Command) -> u64 {
    let events = decide(table, command).expect("only legal commands are sent");
    for event in &events {
        evolve(table, event);
    }
    check(table).expect("invariants hold");
    events.len() as u64
}

fn action(turn: Legal, chance: u64) -> Action {
    match (turn.raise_to, turn.call) {
        (Some(raise), _) if chance.is_multiple_of(6) => Action::RaiseTo { to: raise.min_to },
        (_, Some(_)) if chance.is_multiple_of(3) => Action::Fold,
        (_, Some(_)) => Action::Call,
        (_, None) => Action::Check,
    }
}

fn table(game: Game, players: u8) -> Table {
    let settings = Settings {
        game,
        ..Settings::new(players, 50, BIG_BLIND)
    };
    let mut table = Table::new(settings).expect("the settings are sound");
    for seat in 0..players {
        let name = Name::new("someone").expect("a name");
        let (player, buy_in) = (PlayerId(seat.into()), 10_000);
        let entry = Entry::WaitForBigBlind;
        carry_out(
            &mut table,
            &Command::Sit {
                player,
                name,
                seat: SeatNo(seat),
                buy_in,
                entry,
                must_bring: 0,
            },
        );
    }
    table
}

fn shuffled(variant: Variant, seed: &mut u64) -> Deck {
    let mut cards: Vec<Card> = variant.cards().collect();
    for last in (1..cards.len()).rev() {
        cards.swap(last, next(seed) as usize % (last + 1));
    }
    Deck::new(&cards).expect("each card once")
}

/// The time that this thread was on a processor: what else runs on the machine hardly changes it.
fn processor_nanos() -> u64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells it");
    let first = told
        .split_whitespace()
        .next()
        .expect("it has three numbers");
    first.parse().expect("a number")
}

/// SplitMix64.
fn next(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*seed ^ (*seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

const BIG_BLIND: u64 = 100;
const RUN: Duration = Duration::from_secs(2);
