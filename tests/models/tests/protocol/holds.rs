//! The protocol holds: no state that can be reached breaks a promise.

use std::time::Instant;

use orp_models::store::Conditions;
use stateright::{Checker, Model};

use super::events::PROMISES;
use super::judge::judge;
use super::world::Setup;

/// Explores all of a world, and says how large it is.
fn holds(name: &str, setup: Setup) {
    let start = Instant::now();
    let checker = setup.checker().threads(THREADS).spawn_bfs().join();
    println!(
        "{name}: {} states, up to {} steps, {:.1?}",
        checker.unique_state_count(),
        checker.max_depth() - 1,
        start.elapsed()
    );
    if let Some(path) = checker.discovery(PROMISES) {
        let broken = judge(&setup, path.last_state());
        panic!("{name}: {broken:?} after\n{}", setup.tell(path));
    }
    // A world in which little happens proves little.
    for event in setup.events() {
        assert!(
            checker.discovery(event).is_some(),
            "{name}: it never happens that {event}"
        );
    }
}

const PRUNING: Setup = Setup {
    incarnations: 2,
    requests: 1,
    rotations: 1,
    checkpoint_rows: 1,
    prunes: true,
    reads_at_once: false,
    loses_hints: false,
    ..Setup::SOUND
};

#[test]
fn takeovers_and_restarts() {
    holds("three incarnations, two requests", Setup::SOUND);
    let fewer = Setup {
        requests: 1,
        hands_over: true,
        ..Setup::SOUND
    };
    holds("three incarnations that hand over, one request", fewer);
}

#[test]
fn rotations_and_pruning() {
    let parts = Setup {
        checkpoint_rows: 2,
        requests: 2,
        rotations_in_all: 1,
        hands_over: true,
        ..PRUNING
    };
    holds(
        "two incarnations, one rotation, checkpoints of two rows",
        parts,
    );
    let both = Setup {
        checkpoint_rows: 2,
        ..PRUNING
    };
    holds("two incarnations, both rotate", both);
    // Reading is one step here: what comes between its steps is in the worlds above.
    let third = Setup {
        incarnations: 3,
        rotations_in_all: 1,
        reads_at_once: true,
        under_way: 1,
        ..PRUNING
    };
    holds("three incarnations, one rotation", third);
}

/// What names a segment is never shared, so a writer's name and the last hash in the condition of an append stop nothing that
/// the other conditions let through. They are there for the day on which another rule is broken.
#[test]
fn writer_and_hash_are_a_second_line() {
    for (writer, hash) in [(false, true), (true, false), (false, false)] {
        let conditions = Conditions {
            writer,
            hash,
            ..Conditions::SOUND
        };
        let name = format!("conditional on the writer: {writer}, on the hash: {hash}");
        let takeovers = Setup {
            requests: 1,
            conditions,
            ..Setup::SOUND
        };
        holds(&name, takeovers);
        let pruning = Setup {
            conditions,
            rotations_in_all: 1,
            ..PRUNING
        };
        holds(&name, pruning);
    }
}

/// To forget what can have no effect any more makes worlds smaller, and nothing else.
#[test]
fn what_is_spent_may_be_forgotten() {
    let setup = Setup {
        incarnations: 2,
        requests: 1,
        forgets_spent: false,
        ..Setup::SOUND
    };
    holds("two incarnations, nothing forgotten", setup);
}

/// Minutes each, and gigabytes.
#[test]
fn larger_worlds() {
    if std::env::var("MODELS").is_ok_and(|models| models == "all") {
        let four = Setup {
            incarnations: 4,
            requests: 1,
            hands_over: true,
            ..Setup::SOUND
        };
        holds("four incarnations that hand over, one request", four);
        let four = Setup {
            incarnations: 4,
            loses_hints: false,
            ..Setup::SOUND
        };
        holds("four incarnations, two requests", four);
        let hints = Setup {
            checkpoint_rows: 2,
            loses_hints: true,
            ..PRUNING
        };
        holds("two incarnations, both rotate, hints are late", hints);
    } else {
        println!("skipped: MODELS=all explores them");
    }
}

const THREADS: usize = 2;
