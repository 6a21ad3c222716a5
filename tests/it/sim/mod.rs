//! The simulation: real shards and tables over a faulty store, under paused time, out of
//! one seed. `SEED=n cargo test --test it sim` runs one seed; `SIM_SEEDS=n` so many.

mod chain;
mod checks;
mod flag;
mod mutants;
mod net;
mod node;
mod players;
mod run;
mod storm;
mod tape;
mod watchers;

use run::{Nodes, Report, run};

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

/// Runs so many seeds, or the one that `SEED` names.
fn check(nodes: Nodes, variable: &str, usual: u64) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let seeds = match number("SEED") {
        Some(seed) => seed..seed + 1,
        None => 1..number(variable).unwrap_or(usual) + 1,
    };
    let count = seeds.end - seeds.start;
    let mut sum = Report::default();
    for seed in seeds {
        match run(seed, nodes, None) {
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
fn no_promise_is_broken() {
    check(Nodes::Alone, "SIM_SEEDS", 200);
}

/// Three nodes and more, with kills, freezes, partitions, restarts, drains and rebalances.
#[test]
fn no_promise_is_broken_by_several_nodes() {
    check(Nodes::Several, "SIM_CLUSTER_SEEDS", 100);
}

#[test]
fn a_seed_replays_its_run() {
    replays(Nodes::Alone);
}

#[test]
fn a_seed_replays_a_run_of_several_nodes() {
    replays(Nodes::Several);
}

fn replays(nodes: Nodes) {
    for seed in 1..=3 {
        let runs = [run(seed, nodes, None), run(seed, nodes, None)];
        assert_eq!(runs[0], runs[1], "SEED={seed} {nodes:?}");
    }
}
