//! Nothing but kill -9, again and again, with as little between two of them as honesty allows.
//!
//! A node is started again at once, as a platform would, and the next kill comes when every table of the dead one has acted
//! again: it finds shards on their way back, too. `ROUNDS`, or `CHAOS_SECONDS`, say how many.

use std::collections::HashSet;
use std::time::Duration;

use openrustpoker::store::memory::SplitMix;
use tokio::time::{Instant, sleep};

use super::nodes::Cluster;
use super::report::Chronicle;
use super::rows::{Hit, Told, epochs};
use super::{NODES, Play, STUCK, Table};
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
    let mut chronicle = Chronicle::new(seed);
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
    let live: HashSet<String> = play.control.first_actions().into_keys().collect();
    let (victims, hit) = victims(cluster, &live, random).await;
    let mut what = String::new();
    for victim in &victims {
        if !what.is_empty() {
            let pause = random.below(1_500);
            sleep(Duration::from_millis(pause)).await;
            what += &format!(", {pause} ms later ");
        }
        cluster.node(*victim).kill();
        play.control.mark();
        what += &format!("kill -9 of {}", cluster.node(*victim).name);
    }
    victims.iter().for_each(|victim| cluster.begin(*victim));
    let (recovered, violations) = all_act_again(&hit, &live, cluster, play).await;
    let kills = u32::try_from(victims.len()).expect("two");
    Told {
        row: 1,
        what,
        faults: kills,
        kills,
        takeovers: epochs(cluster).await.saturating_sub(before),
        recovered,
        actions: play.control.actions() - actions,
        violations,
    }
}

/// A node that serves tables which are played at, and in every fourth round another one, and which tables that hits.
async fn victims(
    cluster: &mut Cluster,
    live: &HashSet<String>,
    random: &mut SplitMix,
) -> (Vec<usize>, Hit) {
    let all = Hit::of(cluster, &[0, 1, 2]).await;
    let mut victims: Vec<usize> = (0..NODES).collect();
    let serves = |n: &usize, cluster: &Cluster| {
        let hit = all.only(cluster, &[*n]);
        hit.among(cluster, live).next().is_some()
    };
    victims.retain(|n| serves(n, cluster));
    assert!(!victims.is_empty(), "no node serves a table");
    let first = random.below(victims.len() as u64) as usize;
    victims.rotate_left(first);
    victims.truncate(if random.below(4) == 0 { 2 } else { 1 });
    let hit = all.only(cluster, &victims);
    (victims, hit)
}

/// Waits until every live table that was hit has acted. How long after the last kill each of them did.
async fn all_act_again(
    hit: &Hit,
    live: &HashSet<String>,
    cluster: &Cluster,
    play: &Play,
) -> (Vec<Duration>, Vec<String>) {
    let until = Instant::now() + STUCK;
    let hit: HashSet<&String> = hit.among(cluster, live).collect();
    loop {
        let acted = play.control.first_actions();
        let missing: Vec<&&String> = hit.iter().filter(|id| !acted.contains_key(**id)).collect();
        let over = Instant::now() > until;
        if missing.is_empty() || over {
            let stuck = missing
                .iter()
                .map(|id| format!("P7: table {id} stands still"));
            let violations = stuck.collect();
            let mine = acted.into_iter().filter(|(id, _)| hit.contains(id));
            return (mine.map(|(_, after)| after).collect(), violations);
        }
        sleep(Duration::from_millis(5)).await;
    }
}
