//! What a failover and a drain cost on nodes with many tables.
//!
//! `LIVE` tables a node have an open hand, and somebody to act with an hour's time; a sample of tables beside them is played
//! at. Measured is the sample, first without any fault: what a player feels anyway, as often as his bot acts.

use std::time::Duration;

use openrustpoker::client::bots::Report;
use tokio::time::{Instant, sleep};

use super::nodes::Cluster;
use super::rows::hit::Hit;
use super::{NODES, Play, Table};
use crate::chaos::report::Spread;
use crate::recovery::number;

/// From kill -9 of a node to the first acknowledged action at each table of it.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Cassandra: tests/chaos/run"]
async fn recovery_is_measured() {
    let mut scene = Scene::set().await;
    scene.calm().await;
    let mut after = Vec::new();
    for round in 0..number("ROUNDS", 5) {
        let victim = round as usize % NODES;
        let hit = Hit::of(&scene.cluster, &scene.play, &[victim]).await;
        scene.cluster.node(victim).kill();
        scene.play.control.mark();
        let recovered = hit.recovered(&scene.play).await;
        assert_eq!(recovered.violations, [""; 0]);
        let mut here = recovered.after;
        here.sort_unstable();
        println!("  kill -9 of node-{victim}: {}", Spread(&here));
        after.extend(here);
        scene.cluster.begin(victim);
        scene.cluster.is_whole().await;
        scene.is_even().await;
    }
    after.sort_unstable();
    println!(
        "recovery with {} live tables a node: {}",
        scene.live,
        Spread(&after)
    );
    scene.end(false).await;
}

/// What players feel while a node is drained: no failed call, and how long the slowest action of each table took.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Cassandra: tests/chaos/run"]
async fn a_drain_is_measured() {
    let mut scene = Scene::set().await;
    scene.calm().await;
    let mut slowest = Vec::new();
    for round in 0..number("ROUNDS", 3) {
        let victim = round as usize % NODES;
        let hit = Hit::of(&scene.cluster, &scene.play, &[victim]).await;
        scene.play.control.mark();
        let from = Instant::now();
        scene.cluster.node(victim).terminate();
        let took = from.elapsed();
        let recovered = hit.recovered(&scene.play).await;
        assert_eq!(recovered.violations, [""; 0]);
        sleep(TAIL).await;
        let mut here = hit.among(scene.play.control.slowest_actions());
        here.sort_unstable();
        println!(
            "  node-{victim} drained in {} ms: {}",
            took.as_millis(),
            Spread(&here)
        );
        slowest.extend(here);
        scene.cluster.begin(victim);
        scene.cluster.is_whole().await;
        scene.is_even().await;
    }
    slowest.sort_unstable();
    println!(
        "slowest action of each table that was drained, {} live tables a node: {}",
        scene.live,
        Spread(&slowest)
    );
    scene.end(true).await;
}

/// A cluster with many tables, and some that are played at.
struct Scene {
    cluster: Cluster,
    play: Play,
    /// Tables with an open hand, a node.
    live: u64,
}

impl Scene {
    async fn set() -> Self {
        let live = number("LIVE", 100);
        let seed = number("SEED", 1);
        let cluster = Cluster::start(NODES, None).await;
        let mut play = Play::default();
        let count = u32::try_from(live * NODES as u64).expect("so many");
        play.hold(&cluster, seed, count);
        let until = Instant::now() + DEALT_MAX;
        // Cards follow as soon as two have sat down.
        while cluster.totals().await.on_tables < u64::from(count) * 2 * BUY_IN {
            assert!(
                Instant::now() < until,
                "not dealt: {:?}",
                cluster.totals().await
            );
            sleep(Duration::from_millis(500)).await;
        }
        let sample = Table {
            count: SAMPLE_TABLES,
            bots: 2,
            rate: Some(u32::try_from(number("RATE", 120)).expect("so many")),
        };
        play.join(&cluster, seed.wrapping_add(1), &sample);
        play.control.mark();
        play.is_busy().await;
        let scene = Self {
            cluster,
            play,
            live,
        };
        scene.is_even().await;
        println!("{live} live tables a node, {SAMPLE_TABLES} more are played at");
        scene
    }

    /// Every table of the sample acts again and again.
    async fn is_even(&self) {
        self.play.control.mark();
        let all = SAMPLE_TABLES as usize;
        super::until("every table acts", super::STUCK, || {
            self.play.control.first_actions().len() == all
        })
        .await;
    }

    /// What a player feels anyway.
    async fn calm(&self) {
        let (mut first, mut slowest) = (Vec::new(), Vec::new());
        for _ in 0..CALM_ROUNDS {
            self.is_even().await;
            first.extend(self.play.control.first_actions().into_values());
            sleep(TAIL).await;
            slowest.extend(self.play.control.slowest_actions().into_values());
        }
        first.sort_unstable();
        slowest.sort_unstable();
        println!(
            "without a fault, first action of a table from any moment on: {}; its slowest action: {}",
            Spread(&first),
            Spread(&slowest)
        );
    }

    /// Everything that was promised still holds.
    async fn end(self, orderly: bool) {
        let Self { cluster, play, .. } = self;
        let reports = play.end().await;
        let sum = |of: fn(&Report) -> u64| reports.iter().map(of).sum::<u64>();
        println!(
            "{} actions, {} calls refused, {} unknown, {} streams opened again",
            sum(|report| report.actions),
            sum(|report| report.refused),
            sum(|report| report.unknown),
            sum(|report| report.reconnects),
        );
        for report in &reports {
            assert!(report.is_clean(), "{report:?}");
            let mut refused = report.refused_rules.keys();
            let failed = refused.any(|rule| !OWN_FAULTS.contains(&rule.as_str()));
            assert!(
                !orderly || (report.unknown == 0 && !failed),
                "{:?}, {} unknown",
                report.refused_rules,
                report.unknown
            );
        }
        assert_eq!(cluster.verify().await, [""; 0]);
        assert_eq!(cluster.complaints(), [""; 0]);
    }
}

/// Enough that every node has some of them, few enough that each acts several times a second.
const SAMPLE_TABLES: u32 = 45;
/// Refusals that have nothing to do with nodes: a bot asks for what came by itself meanwhile.
const OWN_FAULTS: [&str; 2] = ["AlreadyPlaying", "NotSeated"];
/// What bots bring.
const BUY_IN: u64 = 10_000;
/// Looks at what players feel without any fault.
const CALM_ROUNDS: u32 = 5;
/// Actions that were under way at the end of something are answered by then.
const TAIL: Duration = Duration::from_secs(2);
/// Seats, chips and cards for all tables, on a database on the same machine.
const DEALT_MAX: Duration = Duration::from_secs(240);
