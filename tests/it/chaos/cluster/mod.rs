//! Real nodes of ours on real Cassandra, bots at their tables, and one fault after the other.
//!
//! `ROUNDS` and `SEED` say how many faults and in which order; `ROWS` of which rows: 1 kill -9, 2 freeze, 3 partition, 5 half-open
//! connections, 6 database nodes, 7 answers cut after they applied, 11 orderly restarts and more or fewer nodes, 12 crashes
//! at named statements. `TABLES`, `RATE` (actions a second) and `SHARDS` say what is played on.

mod kills;
mod measure;
mod nodes;
mod operators;
mod report;
mod rows;
mod strangers;
mod upgrade;
mod wires;

use std::sync::Arc;
use std::time::Duration;

use openrustpoker::client::Address;
use openrustpoker::client::bots::{self, BotsError, Control, Options, Report};
use openrustpoker::store::memory::SplitMix;
use tokio::task::JoinHandle;

use self::nodes::Cluster;
use self::report::Chronicle;
use self::rows::kinds::Turns;
use self::rows::{ROWS_APART, ROWS_TOGETHER};
use super::Proxies;
use crate::recovery::number;

/// Nodes that share a machine: everything but partitions.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Cassandra: tests/chaos/run"]
async fn nodes_come_and_go_and_no_hand_is_lost() {
    rounds(&ROWS_TOGETHER).await;
}

/// Nodes and database nodes, each in a network of its own.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Cassandra in network namespaces: tests/chaos/run"]
async fn nodes_are_cut_off_and_no_hand_is_lost() {
    rounds(&ROWS_APART).await;
}

/// A node that does not mind that its shards have other owners: what it acknowledges is lost, and the bots see that.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Cassandra: tests/chaos/run"]
async fn a_node_without_the_fence_is_seen() {
    let seed = number("SEED", 1);
    let mut random = SplitMix(seed);
    let mut cluster = Cluster::start(NODES, None).await;
    for n in 0..NODES {
        cluster.node(n).sabotage("unfenced");
        cluster.restart(n).await;
    }
    let play = Play::begin(&cluster, seed, &Table::of_environment());
    for _ in 0..THAWS_MAX {
        play.is_busy().await;
        // As long as connections live and longer than the others wait: some that sent an action hear the zombie.
        let victim = random.below(NODES as u64) as usize;
        cluster.node(victim).signal("STOP");
        tokio::time::sleep(Duration::from_millis(2_000 + random.below(1_000))).await;
        cluster.node(victim).signal("CONT");
        cluster.is_whole().await;
        if play.control.findings() > 0 {
            break;
        }
    }
    let reports = play.end().await;
    let found: Vec<_> = reports.iter().map(|report| &report.violations).collect();
    println!("seed {seed}, without the fence: {found:?}");
    let any = reports.iter().any(|report| !report.violations.is_empty());
    assert!(any, "nobody saw that the fence is missing");
}

/// Faults of these rows: one of each row if no number is named; as many as there are kinds play each kind once.
async fn rounds(rows: &[u32]) {
    let seed = number("SEED", 1);
    let chosen: Vec<u32> = match std::env::var("ROWS") {
        Ok(text) => text.split(',').filter_map(|row| row.parse().ok()).collect(),
        Err(_unset) => rows.to_vec(),
    };
    let rows: Vec<u32> = rows
        .iter()
        .copied()
        .filter(|row| chosen.contains(row))
        .collect();
    assert!(!rows.is_empty(), "ROWS names none of these rows");
    let count = number("ROUNDS", rows.len() as u64);
    let proxied = std::env::var("CASSANDRA_PROXY_HOSTS").is_ok();
    assert!(
        proxied || !rows.contains(&7),
        "row 7 needs the database with --proxied"
    );
    // The database names the proxies to its clients, so that they have to be there.
    let proxies = if proxied {
        Some(Proxies::start().await)
    } else {
        None
    };
    let mut cluster = Cluster::start(NODES, proxies).await;
    let play = Play::begin(&cluster, seed, &Table::of_environment());
    play.control.mark();
    play.is_busy().await;
    let (mut random, mut turns) = (SplitMix(seed), Turns::new(&rows));
    let mut chronicle = Chronicle::new(seed, turns.kinds());
    for round in 0..count {
        let kind = turns.next(&mut random);
        let told = rows::play(kind, &mut cluster, &play, &mut random).await;
        println!("{:>4}  {told}", round + 1);
        chronicle.add(told);
        // What a promise looks like once it is broken is soon hard to see.
        if play.control.findings() > 0 {
            break;
        }
    }
    chronicle.end(cluster, play).await;
}

/// What is played on.
struct Table {
    count: u32,
    bots: u32,
    rate: Option<u32>,
}

impl Table {
    fn of_environment() -> Self {
        let small = |name, default| u32::try_from(number(name, default)).expect("so many");
        Self {
            count: small("TABLES", 30),
            bots: small("BOTS", 3),
            rate: Some(small("RATE", 150)).filter(|rate| *rate > 0),
        }
    }
}

/// Bots, some of them at home at each node.
#[derive(Default)]
pub struct Play {
    pub control: Arc<Control>,
    crews: Vec<JoinHandle<Result<Report, BotsError>>>,
    held: Vec<JoinHandle<Result<Report, BotsError>>>,
}

impl Play {
    fn begin(cluster: &Cluster, seed: u64, table: &Table) -> Self {
        let mut play = Self::default();
        play.join(cluster, seed, table);
        play
    }

    /// More tables, with bots at them.
    fn join(&mut self, cluster: &Cluster, seed: u64, table: &Table) {
        let crews = self.sit(cluster, seed, table, &self.control);
        self.crews.extend(crews);
    }

    /// Tables that get cards, and at which nobody acts after that: these bots never leave.
    fn hold(&mut self, cluster: &Cluster, seed: u64, count: u32) {
        let table = Table {
            count,
            bots: 2,
            rate: Some(1),
        };
        let crews = self.sit(cluster, seed, &table, &Arc::default());
        self.held.extend(crews);
    }

    /// A few hands at a table of this game, beside all others: how many.
    async fn few_hands(
        &mut self,
        cluster: &Cluster,
        seed: u64,
        game: proto::v1::Game,
    ) -> Result<u64, BotsError> {
        let options = Options {
            servers: cluster.addresses(),
            tables: 1,
            bots: 2,
            game,
            moving_button: false,
            hands: 3,
            rate: None,
            seed,
            keep: false,
            rake_per_10000: 0,
            patience: Duration::from_secs(90),
        };
        let report = bots::run(options, Arc::default()).await?;
        let hands = report.hands;
        self.crews.push(tokio::spawn(async { Ok(report) }));
        Ok(hands)
    }

    fn sit(
        &self,
        cluster: &Cluster,
        seed: u64,
        table: &Table,
        control: &Arc<Control>,
    ) -> Vec<JoinHandle<Result<Report, BotsError>>> {
        let addresses = cluster.addresses();
        let crews = u32::try_from(NODES).expect("few");
        let crew = |n: u32| {
            let mut servers: Vec<Address> = addresses.clone();
            servers.rotate_left(n as usize % addresses.len());
            let options = Options {
                servers,
                tables: table.count / crews + u32::from(n < table.count % crews),
                bots: table.bots,
                game: proto::v1::Game::default(),
                moving_button: false,
                hands: u64::MAX,
                rate: table.rate.map(|rate| (rate / crews).max(1)),
                seed: seed.wrapping_mul(1_000).wrapping_add(n.into()),
                keep: false,
                rake_per_10000: 500,
                patience: Duration::from_secs(90),
            };
            tokio::spawn(bots::run(options, Arc::clone(control)))
        };
        (0..crews).map(crew).collect()
    }

    /// Returns at a busy moment: actions are acknowledged, and the next ones are on their way.
    pub async fn is_busy(&self) {
        let from = self.control.actions();
        until("play goes on", STUCK, || {
            self.control.actions() >= from + BUSY_ACTIONS
        })
        .await;
    }

    /// The bots leave after their hands.
    async fn end(self) -> Vec<Report> {
        self.held.iter().for_each(JoinHandle::abort);
        self.control.stop();
        let mut reports = Vec::new();
        for crew in self.crews {
            let report = crew.await.expect("the bots do not panic");
            reports.push(report.expect("the bots can play"));
        }
        reports
    }
}

/// Waits until something holds.
async fn until(what: &str, longest: Duration, mut holds: impl FnMut() -> bool) {
    let looks = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let held = tokio::time::timeout(longest, looks).await;
    assert!(held.is_ok(), "{what}: not within {longest:?}");
}

const NODES: usize = 3;
const BUSY_ACTIONS: u64 = 50;
/// Longer than any recovery, shorter than the patience of the bots.
const STUCK: Duration = Duration::from_secs(80);
/// Freezes until a node without the fence is seen.
const THAWS_MAX: u32 = 20;
