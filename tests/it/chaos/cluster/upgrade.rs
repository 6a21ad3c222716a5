//! Another release beside this one: up to this one and back while hands are played, and what holds from then on that this
//! release wrote what the other one does not read.

use std::path::PathBuf;

use proto::v1::{Betting, Game, Variant};

use super::nodes::{Cluster, program};
use super::report::Chronicle;
use super::rows::hit::Hit;
use super::{NODES, Play, Table};
use crate::recovery::number;

/// `OTHER_RELEASE` is an `orp` of an earlier release, which knows only plain Hold'em.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Cassandra and another release: tests/chaos/run"]
async fn releases_change_places_and_no_hand_is_lost() {
    let other = std::env::var_os("OTHER_RELEASE").expect("the script builds one");
    let (other, ours) = (PathBuf::from(other), program());
    let seed = number("SEED", 1);
    let mut cluster = Cluster::start_as(NODES, None, &other).await;
    let mut play = Play::begin(&cluster, seed, &Table::of_environment());
    play.control.mark();
    play.is_busy().await;

    for (to, what) in [(&ours, "up"), (&other, "and back"), (&ours, "and up again")] {
        for n in 0..NODES {
            let hit = Hit::of(&cluster, &play, &[n]).await;
            play.control.mark();
            cluster.node(n).terminate();
            let recovered = hit.recovered(&play).await;
            assert_eq!(recovered.violations, [""; 0]);
            let slowest = recovered.after.iter().max().copied().unwrap_or_default();
            cluster.node(n).becomes(to);
            cluster.begin(n);
            cluster.is_whole().await;
            play.is_busy().await;
            println!(
                "{what}: node-{n}, {} tables go on after at most {} ms",
                recovered.after.len(),
                slowest.as_millis()
            );
        }
        if *to == ours {
            let refused = play.few_hands(&cluster, seed, omaha()).await;
            let said = refused.expect_err("it was played").to_string();
            println!("a new game: {said}");
            assert!(said.contains("orp admin level --raise"), "{said}");
        }
    }

    println!("level: {}", cluster.raise_level());
    let hands = play.few_hands(&cluster, seed, omaha()).await;
    println!("a new game: {} hands", hands.expect("it is played"));
    play.is_busy().await;
    let node = cluster.node(0);
    node.terminate();
    node.becomes(&other);
    let said = node.is_refused();
    println!("the other release on it: {}", said.trim());
    assert!(said.contains("level"), "{said}");
    node.becomes(&ours);
    cluster.begin(0);
    Chronicle::new(seed, Vec::new()).end(cluster, play).await;
}

/// Pot-limit Omaha hi-lo, which the other release does not know.
fn omaha() -> Game {
    Game {
        variant: Variant::Omaha.into(),
        low: true,
        betting: Betting::PotLimit.into(),
        ..Game::default()
    }
}
