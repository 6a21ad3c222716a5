//! Rival owners on every shard, statements of unknown outcome, database nodes frozen, killed and cut off.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use openrustpoker::ids::ShardId;
use openrustpoker::store::Store;
use openrustpoker::store::conformance::record::{Delivery, Recorder, replay, trace};
use openrustpoker::store::conformance::rivals::{Script, fight};
use openrustpoker::store::log::LogOptions;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::report::Run;
use super::ring::Around;
use super::{Proxies, monkey, stores};
use crate::cassandra::fresh_keyspace;
use crate::proxy::{Kind, Rates};
use crate::recovery::number;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Cassandra: tests/chaos/run"]
async fn rivals_over_three_nodes_break_nothing() {
    let (seed, rounds) = (number("SEED", 1), number("ROUNDS", 1));
    let lasts = Duration::from_secs(number("CHAOS_SECONDS", 60));
    let proxies = Arc::new(Proxies::start().await);
    for seed in (seed..).take(usize::try_from(rounds).expect("so many")) {
        let stores = stores(&fresh_keyspace().await).await;
        let run = run(&proxies, stores, seed, script(lasts)).await;
        println!("{run}");
        assert_eq!(run.violations(), [""; 0], "SEED={seed}");
        if let Err(contradiction) = &run.replayed {
            panic!(
                "SEED={seed}: the model contradicts what is recorded in {}: {contradiction}",
                keep(&run).display()
            );
        }
        check_that_it_was_hard(&run);
    }
}

/// A run in which little went wrong proves little.
fn check_that_it_was_hard(run: &Run) {
    let seconds = usize::try_from(run.lasted.as_secs()).expect("so many");
    // While a node starts again no other is hurt, and how long that takes is the machine's business.
    let starting = usize::try_from(run.starting().as_secs()).expect("so many");
    let busy = run.busy_blows() * seconds / seconds.saturating_sub(starting).max(10);
    let count = |number: u64| usize::try_from(number).expect("so many");
    let mut too_little = Vec::new();
    let mut at_least = |what: &str, found: usize, per_minute: usize| {
        let wanted = (seconds * per_minute / 60).max(1);
        if found < wanted {
            too_little.push(format!("{what} {found}, wanted {wanted}"));
        }
    };
    at_least("faults of nodes at busy moments", busy, 4);
    at_least("applied and unheard", count(run.tally.applied_unheard), 10);
    for kind in [
        Kind::Append,
        Kind::Seal,
        Kind::CreateSegment,
        Kind::WinEpoch,
    ] {
        at_least(
            &format!("faults of {kind:?}"),
            count(run.tally.hit(kind)),
            4,
        );
    }
    at_least("acknowledged", run.sum(|fight| fight.acknowledged), 120);
    at_least("unknown", run.sum(|fight| fight.unknown), 10);
    at_least("takeovers", run.sum(|fight| fight.takeovers), 30);
    at_least("rotations", run.sum(|fight| fight.rotations), 4);
    at_least("prunes", run.sum(|fight| fight.prunes), 2);
    assert_eq!(
        too_little, [""; 0],
        "a run in which little happens proves little"
    );
}

/// Writes a run down for whoever looks into it.
fn keep(run: &Run) -> PathBuf {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("rivals-{}.jsonl", run.seed));
    let out = File::create(&file).expect("the folder for it is cargo's");
    trace::write(BufWriter::new(out), &run.trace).expect("there is room");
    file
}

/// Fights over all shards at once, recorded, and replayed by the model.
pub async fn run(
    proxies: &Arc<Proxies>,
    stores: [Arc<dyn Store>; 4],
    seed: u64,
    script: Script,
) -> Run {
    let recorder = Recorder::new(Arc::clone(&stores[0]));
    let stores = stores.map(|store| Arc::new(recorder.client_of(store)) as Arc<dyn Store>);
    proxies.plan.seed(seed, RATES);
    let began = Instant::now();
    let (call_back, called) = watch::channel(false);
    let playing = monkey::play(Arc::clone(proxies), seed, began, called);
    let around = Arc::new(Around::new(
        Arc::clone(proxies),
        usize::from(SHARDS),
        call_back,
        tokio::spawn(playing),
    ));
    let before = proxies.plan.tally();
    let fights: Vec<_> = (0..SHARDS)
        .map(|shard| {
            let (stores, around) = (stores.clone(), Arc::clone(&around));
            let script = Script {
                shard: ShardId(shard),
                ..script.clone()
            };
            let seed = seed
                .wrapping_mul(u64::from(SHARDS))
                .wrapping_add(u64::from(shard));
            tokio::spawn(async move { fight(stores, &*around, seed, script).await })
        })
        .collect();
    let mut reports = Vec::new();
    for fight in fights {
        // A fight that ends early would let the others wait for it.
        let judged = timeout(script.lasts + JUDGED, fight).await;
        reports.push(judged.expect("it ends").expect("no rival panics"));
    }
    let around = Arc::into_inner(around).expect("all fights are over");
    let trace = recorder.trace();
    Run {
        seed,
        // The proxy sends some statements twice.
        replayed: replay(&trace, Delivery::Twice),
        trace,
        lasted: script.lasts,
        fights: reports,
        tally: proxies.plan.tally().since(&before),
        blows: around.blows(),
    }
}

/// Short segments, so that a minute sees many; patience that outlasts a fault, but not two.
pub fn script(lasts: Duration) -> Script {
    Script {
        reigns: u32::MAX,
        lasts,
        commits: 40,
        rest: Duration::from_millis(10),
        pause: Duration::from_millis(1_500),
        patience: Duration::from_millis(40),
        cut_off: 12,
        options: LogOptions {
            rotate_bytes: 300,
            read_rows: 16,
            statement_timeout: Duration::from_secs(2),
            first_pause: Duration::from_millis(5),
            longest_pause: Duration::from_millis(200),
            give_up_after: Duration::from_secs(5),
            ..LogOptions::default()
        },
        ..Script::quick()
    }
}

const SHARDS: u16 = 4;
/// How long the last nodes may take to come back, and the judges to look twice.
const JUDGED: Duration = Duration::from_secs(240);

/// One conditional statement in twenty goes wrong, and fewer of the others.
const RATES: Rates = Rates {
    lose_request: 80,
    cut_before: 20,
    lose_answer: 120,
    cut_after: 30,
    late: 120,
    hold: 20,
    twice: 100,
    stall: 10,
    longest: Duration::from_secs(4),
    delay: Duration::from_millis(5),
};
