//! The simulation: real shards and tables over a faulty store, under paused time, out of
//! one seed. `SEED=n cargo test --test it sim` runs one seed; `SIM_SEEDS=n` so many.

mod chain;
mod checks;
mod mutants;
mod node;
mod players;
mod run;
mod tape;
mod watchers;

use run::{Report, run};

/// Of every lock in here.
const UNBROKEN: &str = "nobody panics while he holds it";

/// The panics that a run makes on purpose say nothing.
fn quiet() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let text = panic.payload().downcast_ref::<&str>();
            if text != Some(&"a fault was put into this table") {
                usual(panic);
            }
        }));
    });
}

#[test]
fn no_promise_is_broken() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let seeds = match number("SEED") {
        Some(seed) => seed..seed + 1,
        None => 1..number("SIM_SEEDS").unwrap_or(200) + 1,
    };
    let count = seeds.end - seeds.start;
    let mut sum = Report::default();
    for seed in seeds {
        match run(seed, None) {
            Ok(report) => sum.add(&report),
            Err(violation) => panic!("SEED={seed}: {violation}"),
        }
    }
    println!("{count} seeds: {sum:?}, 0 violations");
    assert!(
        sum.acknowledged > 0 && sum.takeovers > 0,
        "nothing happened"
    );
}

#[test]
fn a_seed_replays_its_run() {
    for seed in 1..=3 {
        assert_eq!(run(seed, None), run(seed, None), "SEED={seed}");
    }
}
