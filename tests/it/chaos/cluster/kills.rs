//! Nothing but kill -9, again and again, with as little between two of them as honesty allows.
//!
//! A node is started again at once, as a platform would, and the next kill comes when every table of the dead one has acted
//! again: it finds shards on their way back, too. `ROUNDS`, or `CHAOS_SECONDS`, say how many.

use std::time::Duration;

use openrustpoker::store::memory::SplitMix;
use tokio::time::{Instant, sleep};

use super::nodes::Cluster;
use super::report::Chronicle;
use super::rows::hit::{Hit, Moment};
use super::rows::kinds::Kind;
use super::rows::{Told, epochs};
use super::{NODES, Play, Table};
use crate::recovery::number;

/// One of three nodes, and now and then the next one soon after.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Cassandra: tests/chaos/run"]
async fn nodes_are_killed_again_and_again_and_no_hand_is_lost() {
    let seed = number("SEED", 1);
    let seconds = number("CHAOS_SECONDS", u64::MAX);
    let rounds = number("ROUNDS", if seconds == u64::MAX { 50 } else { u64::MAX });
    let mut cluster = Cluster::start(NODES, None).await;
    let play = Play::begin(&cluster, seed, &Table::of_environment());
    play.control.mark();
    play.is_busy().await;
    let mut chronicle = Chronicle::new(seed, Kind::of_row(1));
    let mut random = SplitMix(seed);
    let from = Instant::now();
    for round in 0..rounds {
        // What a promise looks like once it is broken is soon hard to see.
        if from.elapsed().as_secs() >= seconds || play.control.findings() > 0 {
            break;
        }
        let told = kill(&mut cluster, &play, &mut random).await;
        println!("{:>4}  {told}", round + 1);
        chronicle.add(told);
    }
    chronicle.end(cluster, play).await;
}

async fn kill(cluster: &mut Cluster, play: &Play, random: &mut SplitMix) -> Told {
    play.is_busy().await;
    sleep(Duration::from_millis(random.below(200))).await;
    let (actions, before) = (play.control.actions(), epochs(cluster).await);
    let (victims, hit) = victims(cluster, play, random).await;
    let mut what = Vec::new();
    for victim in &victims {
        let mut after = String::new();
        if !what.is_empty() {
            let pause = random.below(1_500);
            sleep(Duration::from_millis(pause)).await;
            after = format!(", {pause} ms later ");
        }
        cluster.node(*victim).kill();
        play.control.mark();
        what.push(format!("{after}{}", cluster.node(*victim).name));
    }
    victims.iter().for_each(|victim| cluster.begin(*victim));
    let recovered = hit.recovered(play).await;
    let kills = u32::try_from(victims.len()).expect("two");
    Told {
        kind: if kills == 1 {
            Kind::KillOne
        } else {
            Kind::KillTwo
        },
        what: what.concat(),
        faults: kills,
        kills,
        takeovers: epochs(cluster).await.saturating_sub(before),
        recovered: recovered.after,
        actions: play.control.actions() - actions,
        violations: recovered.violations,
    }
}

/// A node that serves tables which are played at, and in every fourth round another one, and which tables that hits.
async fn victims(cluster: &Cluster, play: &Play, random: &mut SplitMix) -> (Vec<usize>, Hit) {
    let moment = Moment::now(cluster, play).await;
    let mut victims: Vec<usize> = (0..NODES).collect();
    victims.retain(|n| !moment.hit(cluster, &[*n]).is_empty());
    assert!(!victims.is_empty(), "no node serves a table");
    let first = random.below(victims.len() as u64) as usize;
    victims.rotate_left(first);
    victims.truncate(if random.below(4) == 0 { 2 } else { 1 });
    let hit = moment.hit(cluster, &victims);
    (victims, hit)
}
