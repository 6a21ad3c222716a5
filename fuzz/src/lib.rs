//! What strangers send, given to what reads it. Each target has `run`, which panics if something is wrong with the bytes'
//! treatment, and `seeds`, valid inputs to begin from. `tests/it/fuzz.rs` runs them on stable, libFuzzer with coverage.

mod bytes;
pub mod codec;
#[path = "../../src/engine/tests/properties/game.rs"]
mod game;
pub mod phh;
pub mod rules;
pub mod wire;

/// A reader of untrusted bytes.
pub struct Target {
    /// Its name, as libFuzzer's program has it.
    pub name: &'static str,
    /// Panics if a promise does not hold for these bytes.
    pub run: fn(&[u8]),
    /// Inputs that get far, to be mutated.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// All of them.
pub const TARGETS: [Target; 4] = [
    Target {
        name: "rules",
        run: rules::run,
        seeds: rules::seeds,
    },
    Target {
        name: "codec",
        run: codec::run,
        seeds: codec::seeds,
    },
    Target {
        name: "phh",
        run: phh::run,
        seeds: phh::seeds,
    },
    Target {
        name: "wire",
        run: wire::run,
        seeds: wire::seeds,
    },
];
