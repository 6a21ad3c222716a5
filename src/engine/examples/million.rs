//! Random hands over all games and settings, played with legal and illegal commands:
//! `cargo run --release -p orp-engine --example million -- [HANDS [SEED]]`, a million hands if nothing is said.
//!
//! Each table comes from its own seed: settings, players, and 160 commands. After every event every invariant holds; a fold
//! of the events is the table, a snapshot is too, and at every open turn what is told to be legal is accepted and what is
//! just beyond it is refused. A failure names the seed of its table: with HANDS = 1 that seed plays it again.

#[path = "../tests/properties/game.rs"]
mod game;
#[allow(dead_code, reason = "the laws use more of it")]
#[path = "../tests/properties/run.rs"]
mod run;

use std::collections::BTreeMap;
use std::panic::catch_unwind;
use std::process::ExitCode;
use std::time::Instant;

use engine::{Action, Betting, Command, Event, Fact, Game, Settings, Table, decide, evolve, legal};
use run::{Mix, Step, next, play, settings};

fn main() -> ExitCode {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse::<u64>());
    let mut number = |usual: u64| match numbers.next() {
        None => Ok(usual),
        Some(number) => number,
    };
    let (Ok(wanted), Ok(first)) = (number(1_000_000), number(1)) else {
        eprintln!("million [HANDS [SEED]]");
        return ExitCode::FAILURE;
    };
    let begin = Instant::now();
    let (mut hands, mut events, mut tables) = (0, 0, 0);
    let mut games: BTreeMap<String, u64> = BTreeMap::new();
    for seed in first.. {
        let Ok(counts) = catch_unwind(|| table(seed)) else {
            eprintln!("broken: million 1 {seed} plays it again");
            return ExitCode::FAILURE;
        };
        hands += counts.hands;
        events += counts.events;
        tables += 1;
        *games.entry(counts.game).or_default() += counts.hands;
        if hands >= wanted {
            break;
        }
    }
    for (game, hands) in games {
        println!("{hands:8} {game}");
    }
    println!(
        "{hands} hands at {tables} tables, {events} events in {} s, no invariant broken",
        begin.elapsed().as_secs()
    );
    ExitCode::SUCCESS
}

struct Counts {
    game: String,
    hands: u64,
    events: u64,
}

/// One table from its seed.
fn table(seed: u64) -> Counts {
    let mut dice = seed;
    let mix = Mix(std::array::from_fn(|_| next(&mut dice) as u8));
    let steps: Vec<Step> = (0..STEPS)
        .map(|_| Step {
            kind: next(&mut dice) as u8,
            who: next(&mut dice) as u8,
            how: next(&mut dice),
        })
        .collect();
    let run = play(mix, &steps);
    let mut again = Table::new(settings(mix)).expect("every mix is sound");
    let middle = next(&mut dice) as usize % (run.events.len() + 1);
    for (at, event) in run.events.iter().enumerate() {
        if at == middle {
            again = reread(again);
        }
        evolve(&mut again, event);
        turn(&again);
    }
    assert!(again == run.table, "a fold of the events is the table");
    let ended = |event: &&Event| matches!(event, Event::Public(Fact::HandEnded { .. }));
    Counts {
        game: title(run.table.settings()),
        hands: run.events.iter().filter(ended).count() as u64,
        events: run.events.len() as u64,
    }
}

/// Through its snapshot, with its deck put back.
fn reread(table: Table) -> Table {
    let written = serde_json::to_vec(&table).expect("a table serialises");
    let mut again: Table = serde_json::from_slice(&written).expect("it reads back");
    if let Some(deck) = table.secret() {
        again.restore_secret(deck.clone());
    }
    assert!(again == table, "a snapshot is the table");
    again
}

/// What is legal is accepted, what is just beyond is refused.
fn turn(table: &Table) {
    let Some(legal) = legal(table).filter(|_| !table.wants_secret()) else {
        return;
    };
    let player = table.seat(legal.seat).expect("who is to act sits").player;
    let hand = table.hand().expect("a hand is open").no();
    let accepts = |action| {
        let turn = legal.turn;
        let act = Command::Act {
            player,
            hand,
            turn,
            action,
            bank_used_ms: 0,
        };
        decide(table, &act).is_ok()
    };
    assert!(legal.check != legal.call.is_some() && accepts(Action::Fold));
    if let Some(bounds) = legal.raise_to {
        let (min, max) = (bounds.min_to, bounds.max_to);
        let to = |to| accepts(Action::RaiseTo { to });
        assert!(min <= max && to(min) && to(max), "{bounds:?}");
        assert!(!to(min - 1) && !to(max + 1), "{bounds:?}");
    }
}

fn title(settings: &Settings) -> String {
    let Game {
        variant,
        low,
        betting,
        ..
    } = settings.game;
    let betting = match betting {
        Betting::NoLimit => "no limit",
        Betting::PotLimit { .. } => "pot limit",
        Betting::FixedLimit(_) => "fixed limit",
    };
    format!("{betting} {variant:?}{}", if low { " hi-lo" } else { "" })
}

const STEPS: usize = 160;
