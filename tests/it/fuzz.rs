//! The fuzz targets on stable: random bytes and changed valid ones, the same every time. `tests/run fuzz` has coverage.

use std::panic;

#[path = "../../fuzz/src/lib.rs"]
mod targets;

use targets::{TARGETS, Target, rules::next};

#[test]
fn valid_inputs_and_changed_ones_are_read_or_refused() {
    for target in TARGETS {
        let seeds = (target.seeds)();
        assert!(
            !seeds.is_empty(),
            "{} has inputs to begin from",
            target.name
        );
        for seed in &seeds {
            try_with(&target, seed);
        }
        let mut chance = 1;
        for _ in 0..INPUTS {
            let seed = &seeds[below(seeds.len(), &mut chance)];
            try_with(&target, &changed(seed, &mut chance));
        }
    }
}

#[test]
fn random_bytes_are_read_or_refused() {
    for target in TARGETS {
        let mut chance = 2;
        for _ in 0..INPUTS {
            let length = below(LENGTH_MAX, &mut chance);
            let bytes: Vec<u8> = (0..length).map(|_| next(&mut chance) as u8).collect();
            try_with(&target, &bytes);
        }
    }
}

/// Runs it, and says with which bytes it failed.
fn try_with(target: &Target, bytes: &[u8]) {
    let run = target.run;
    if let Err(cause) = panic::catch_unwind(|| run(bytes)) {
        eprintln!("{} fails with {bytes:?}", target.name);
        panic::resume_unwind(cause);
    }
}

/// Some bytes other, some gone, some doubled.
fn changed(seed: &[u8], chance: &mut u64) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=below(4, chance) {
        let at = below(bytes.len().max(1), chance);
        match below(5, chance) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, next(chance) as u8),
            2 => bytes.extend_from_within(at..),
            _ if at < bytes.len() => bytes[at] = interesting(chance),
            _ => {}
        }
    }
    bytes
}

/// Where decoders decide: the ends of ranges, or any byte.
fn interesting(chance: &mut u64) -> u8 {
    const ENDS: [u8; 8] = [0, 1, 0x7f, 0x80, 0xcf, 0xd9, 0xdc, 0xff];
    match below(2, chance) {
        0 => ENDS[below(ENDS.len(), chance)],
        _ => next(chance) as u8,
    }
}

fn below(end: usize, chance: &mut u64) -> usize {
    next(chance) as usize % end
}

/// Inputs of each kind for each target: a second or so, unoptimised.
const INPUTS: usize = 3_000;
/// Some commands of a game.
const LENGTH_MAX: usize = 300;
