//! One fault a round, at a busy moment, and what came of it.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::time::Duration;

use openrustpoker::store::memory::SplitMix;
use tokio::time::{Instant, sleep};

use super::nodes::{Cluster, PLACES, PLAYERS, program};
use super::wires::End;
use super::{NODES, Play, until};
use crate::chaos::nodes::{Deed, to_node};
use crate::proxy::Rates;
use crate::recovery::number;

/// Rows for nodes that share a machine.
pub const ROWS_TOGETHER: [u32; 6] = [1, 2, 11, 12, 6, 7];
/// Rows for nodes that each have a network of their own.
pub const ROWS_APART: [u32; 4] = [3, 5, 1, 2];

/// What a round was like.
#[derive(Default)]
pub struct Told {
    pub row: u32,
    pub what: String,
    pub faults: u32,
    /// Processes of nodes that ended without a word.
    pub kills: u32,
    /// Epochs that were won.
    pub takeovers: u64,
    /// From the fault to the first acknowledged action of each table that it hit.
    pub recovered: Vec<Duration>,
    pub actions: u64,
    pub violations: Vec<String>,
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let worst = self.recovered.iter().max().copied().unwrap_or_default();
        write!(
            f,
            "row {}: {}; {} tables hit, the last acts after {} ms; {} takeovers, {} actions",
            self.row,
            self.what,
            self.recovered.len(),
            worst.as_millis(),
            self.takeovers,
            self.actions
        )
    }
}

/// Waits for a busy moment, breaks something, waits until all goes on, and mends it.
pub async fn play(row: u32, cluster: &mut Cluster, play: &Play, random: &mut SplitMix) -> Told {
    play.is_busy().await;
    sleep(Duration::from_millis(random.below(200))).await;
    let (actions, epochs) = (play.control.actions(), epochs(cluster).await);
    let round = Round {
        victim: random.below(NODES as u64) as usize,
        cluster,
        play,
        random,
    };
    let mut told = match row {
        1 => round.kill().await,
        2 => round.freeze().await,
        3 => round.cut().await,
        5 => round.half_open().await,
        6 => round.database().await,
        7 => round.unheard().await,
        11 => round.orderly().await,
        12 => round.crash().await,
        other => panic!("row {other} is none that is played here"),
    };
    cluster.is_whole().await;
    for n in 0..NODES {
        let there = cluster.node(n).runs();
        assert!(there, "{} ended by itself", cluster.node(n).name);
    }
    Told {
        row,
        takeovers: self::epochs(cluster).await.saturating_sub(epochs),
        actions: play.control.actions() - actions,
        faults: told.faults.max(1),
        ..std::mem::take(&mut told)
    }
}

/// The sum of all epochs.
pub async fn epochs(cluster: &Cluster) -> u64 {
    let shards = cluster.shards().await;
    shards.into_iter().map(|(_, epoch)| epoch).sum()
}

struct Round<'a> {
    victim: usize,
    cluster: &'a mut Cluster,
    play: &'a Play,
    random: &'a mut SplitMix,
}

impl Round<'_> {
    /// Row 1: kill -9, and in every second round of another one while the first one's shards are taken over.
    async fn kill(self) -> Told {
        let mut victims = vec![self.victim];
        if self.random.below(2) == 0 {
            victims.push((self.victim + 1) % NODES);
        }
        let hit = Hit::of(self.cluster, &victims).await;
        let mut what = String::new();
        for victim in &victims {
            if !what.is_empty() {
                let pause = self.random.below(1_500);
                sleep(Duration::from_millis(pause)).await;
                what += &format!(", {pause} ms later ");
            }
            self.cluster.node(*victim).kill();
            self.play.control.mark();
            what += &format!("kill -9 of {}", self.cluster.node(*victim).name);
        }
        let recovered = hit.recovered(self.cluster, self.play).await;
        victims
            .iter()
            .for_each(|victim| self.cluster.begin(*victim));
        Told {
            what,
            recovered,
            faults: victims.len() as u32,
            kills: victims.len() as u32,
            ..Told::default()
        }
    }

    /// Row 2: SIGSTOP. What thaws is a zombie, if its shards have other owners by then.
    async fn freeze(self) -> Told {
        let seconds = [5, 1, 5, 30][self.random.below(number("FREEZES", 3)) as usize];
        let hit = Hit::of(self.cluster, &[self.victim]).await;
        let node = self.cluster.node(self.victim);
        let what = format!("{} frozen for {seconds} s", node.name);
        node.signal("STOP");
        self.play.control.mark();
        let from = Instant::now();
        // One that thaws before anybody missed it may act again itself.
        let recovered = if seconds > 1 {
            hit.recovered(self.cluster, self.play).await
        } else {
            Vec::new()
        };
        sleep(Duration::from_secs(seconds).saturating_sub(from.elapsed())).await;
        self.cluster.node(self.victim).signal("CONT");
        let recovered = if recovered.is_empty() {
            hit.recovered(self.cluster, self.play).await
        } else {
            recovered
        };
        Told {
            what,
            recovered,
            ..Told::default()
        }
    }

    /// Row 3: packets vanish, each way by itself, between some of the nodes.
    async fn cut(self) -> Told {
        let (a, b, c) = (
            self.victim,
            (self.victim + 1) % NODES,
            (self.victim + 2) % NODES,
        );
        let database = [End::Database(1), End::Database(2), End::Database(3)];
        let node = |n: usize| End::Node(n);
        let (name, cuts): (&str, Vec<(End, End)>) = match self.random.below(6) {
            0 => (
                "cut off from the other nodes",
                both(node(a), &[node(b), node(c)]),
            ),
            1 => ("cut off from the database", both(node(a), &database)),
            2 => (
                "heard by no other node",
                vec![(node(a), node(b)), (node(a), node(c))],
            ),
            3 => (
                "heard by no database node",
                database.map(|end| (node(a), end)).to_vec(),
            ),
            4 => (
                "beside a bridge: one neighbour is not seen",
                both(node(a), &[node(b)]),
            ),
            _ => {
                let mut all = both(node(a), &[node(b), node(c), End::Tests]);
                all.extend(both(node(a), &database));
                ("cut off from everything", all)
            }
        };
        let hit = Hit::of(self.cluster, &[a]).await;
        self.cross(&cuts, true);
        self.play.control.mark();
        let from = Instant::now();
        let recovered = hit.recovered(self.cluster, self.play).await;
        let least = Duration::from_millis(6_000 + self.random.below(6_000));
        sleep(least.saturating_sub(from.elapsed())).await;
        self.cross(&cuts, false);
        let what = format!("{} {name}", self.cluster.node(a).name);
        Told {
            what,
            recovered,
            ..Told::default()
        }
    }

    /// Row 5: players' connections that nobody closes. They go on elsewhere, and the node forgets them in bounded time.
    async fn half_open(self) -> Told {
        let a = self.victim;
        let before = self.wires().players(a, PLAYERS).len();
        let hit = Hit::of(self.cluster, &[a]).await;
        let cuts = both(End::Node(a), &[End::Tests]);
        self.cross(&cuts, true);
        self.play.control.mark();
        let from = Instant::now();
        let recovered = hit.recovered(self.cluster, self.play).await;
        let mut left = self.wires().players(a, PLAYERS);
        while !left.is_empty() && from.elapsed() < 2 * FREED_MAX {
            sleep(Duration::from_millis(100)).await;
            left = self.wires().players(a, PLAYERS);
        }
        let freed = from.elapsed();
        self.cross(&cuts, false);
        let violations = if !left.is_empty() || freed > FREED_MAX {
            let (count, left) = (left.len(), left.join("; "));
            vec![format!(
                "half-open connections: {count} of {before} after {freed:?}: {left}"
            )]
        } else {
            Vec::new()
        };
        let name = &self.cluster.node(a).name;
        let ms = freed.as_millis();
        Told {
            what: format!(
                "{before} connections of players to {name} half open, freed after {ms} ms"
            ),
            recovered,
            violations,
            ..Told::default()
        }
    }

    /// Row 6: a node of the database is killed or frozen; or two, and nothing may be acknowledged without a quorum.
    async fn database(self) -> Told {
        let one = 1 + self.random.below(3) as usize;
        let other = 1 + one % 3;
        let all: Vec<usize> = (0..NODES).collect();
        let hit = Hit::of(self.cluster, &all).await;
        let mut violations = Vec::new();
        let (what, recovered) = match self.random.below(4) {
            0 => {
                to_node(one, Deed::Kill).await;
                self.play.control.mark();
                let recovered = hit.recovered(self.cluster, self.play).await;
                to_node(one, Deed::Restart).await;
                (format!("database node {one} killed"), recovered)
            }
            1 => {
                to_node(one, Deed::Freeze).await;
                self.play.control.mark();
                let recovered = hit.recovered(self.cluster, self.play).await;
                to_node(one, Deed::Thaw).await;
                (format!("database node {one} frozen"), recovered)
            }
            2 => {
                self.play.control.mark();
                for node in 1..=3 {
                    to_node(node, Deed::Restart).await;
                }
                let recovered = hit.recovered(self.cluster, self.play).await;
                ("rolling restart of the database".into(), recovered)
            }
            _ => {
                to_node(one, Deed::Freeze).await;
                to_node(other, Deed::Freeze).await;
                sleep(LAST_ACKNOWLEDGEMENTS).await;
                let acknowledged = self.play.control.actions();
                sleep(Duration::from_secs(number("OUTAGE_SECONDS", 20))).await;
                let more = self.play.control.actions() - acknowledged;
                if more > 0 {
                    violations.push(format!("{more} actions acknowledged without a quorum"));
                }
                to_node(one, Deed::Thaw).await;
                self.play.control.mark();
                let recovered = hit.recovered(self.cluster, self.play).await;
                to_node(other, Deed::Thaw).await;
                (
                    format!("database nodes {one} and {other} frozen, {one} thawed"),
                    recovered,
                )
            }
        };
        Told {
            what,
            recovered,
            violations,
            ..Told::default()
        }
    }

    /// Row 7: the answers of statements are cut after the database applied them.
    async fn unheard(self) -> Told {
        let seed = self.random.below(u64::MAX);
        let all: Vec<usize> = (0..NODES).collect();
        let hit = Hit::of(self.cluster, &all).await;
        let Some(proxies) = &self.cluster.proxies else {
            panic!("row 7 needs the database with --proxied");
        };
        let before = proxies.plan.tally();
        let rates = Rates {
            lose_answer: 100,
            cut_after: 100,
            longest: Duration::from_millis(500),
            ..Rates::default()
        };
        proxies.plan.seed(seed, rates);
        self.play.control.mark();
        sleep(Duration::from_secs(8)).await;
        proxies.plan.heal();
        let tally = proxies.plan.tally().since(&before);
        let recovered = hit.recovered(self.cluster, self.play).await;
        let few = tally.applied_unheard == 0;
        Told {
            what: format!("{} statements applied and unheard", tally.applied_unheard),
            faults: u32::try_from(tally.injected()).expect("so many"),
            recovered,
            violations: few
                .then(|| "no statement was applied and unheard".into())
                .into_iter()
                .collect(),
            ..Told::default()
        }
    }

    /// Row 11: every node is stopped in order and started again, one after the other; or there are two more for a while.
    async fn orderly(self) -> Told {
        let mut recovered = Vec::new();
        if self.random.below(3) == 0 {
            (NODES..PLACES).for_each(|n| self.cluster.begin(n));
            self.cluster.is_whole().await;
            self.play.is_busy().await;
            for n in NODES..PLACES {
                let hit = Hit::of(self.cluster, &[n]).await;
                self.play.control.mark();
                self.cluster.node(n).terminate();
                recovered.extend(hit.recovered(self.cluster, self.play).await);
            }
            return Told {
                what: format!("{NODES} nodes, {PLACES}, and {NODES} again"),
                faults: 2,
                recovered,
                ..Told::default()
            };
        }
        let other = std::env::var("OTHER_RELEASE").ok();
        for n in 0..NODES {
            let hit = Hit::of(self.cluster, &[n]).await;
            self.play.control.mark();
            self.cluster.node(n).terminate();
            recovered.extend(hit.recovered(self.cluster, self.play).await);
            if let Some(other) = &other {
                self.cluster.node(n).becomes(other.as_ref());
            }
            self.cluster.begin(n);
            self.cluster.is_whole().await;
            self.play.is_busy().await;
        }
        let mut what = "every node stopped in order and started again".to_owned();
        if other.is_some() {
            what += " as another release, and back";
            for n in 0..NODES {
                self.cluster.node(n).terminate();
                self.cluster.node(n).becomes(&program());
                self.cluster.begin(n);
                self.cluster.is_whole().await;
                self.play.is_busy().await;
            }
        }
        Told {
            what,
            faults: NODES as u32,
            recovered,
            ..Told::default()
        }
    }

    /// Row 12: a node ends at a statement: as it wins an epoch, reads a log, rotates, prunes, commits or archives.
    async fn crash(self) -> Told {
        let points = number("POINTS", 4);
        let mut told = Told {
            faults: u32::try_from(points).expect("so many"),
            kills: u32::try_from(points).expect("so many"),
            ..Told::default()
        };
        let mut names = Vec::new();
        for point in 0..points {
            let victim = (self.victim + point as usize) % NODES;
            let statement = STATEMENTS[self.random.below(STATEMENTS.len() as u64) as usize];
            let when = ["before", "after"][self.random.below(2) as usize];
            // So many commits that it is in the middle of play; the others come seldom.
            let nth = match statement {
                "append" => 20 + self.random.below(100),
                _ => 1 + self.random.below(3),
            };
            let sabotage = format!("{when}:{statement}:{nth}");
            self.cluster.node(victim).sabotage(&sabotage);
            self.cluster.node(victim).terminate();
            self.cluster.begin(victim);
            // It takes its share, and falls. Until it is gone the others move shards, too.
            let gone = Instant::now() + CRASH_MAX;
            let mut hit = Hit::of(self.cluster, &[victim]).await;
            while self.cluster.node(victim).runs() && Instant::now() < gone {
                hit = Hit::of(self.cluster, &[victim]).await;
                sleep(Duration::from_millis(50)).await;
            }
            self.play.control.mark();
            if self.cluster.node(victim).runs() {
                told.kills -= 1;
                names.push(format!("{sabotage} (never came)"));
                self.cluster.node(victim).kill();
            } else {
                names.push(sabotage);
            }
            told.recovered
                .extend(hit.recovered_if_any(self.cluster, self.play).await);
            self.cluster.node(victim).relent();
            self.cluster.begin(victim);
            self.cluster.is_whole().await;
            self.play.is_busy().await;
        }
        told.what = format!("ended at {}", names.join(", "));
        told
    }

    fn wires(&self) -> &super::wires::Wires {
        let wires = self.cluster.wires.as_ref();
        wires.expect("this row needs networks: tests/chaos/run partitions")
    }

    /// Cuts or mends each of these ways.
    fn cross(&self, ways: &[(End, End)], cut: bool) {
        let wires = self.wires();
        for (from, to) in ways {
            let to = self.cluster.address_of(*to);
            if cut {
                wires.cut(*from, &to);
            } else {
                wires.mend(*from, &to);
            }
        }
    }
}

fn both(one: End, others: &[End]) -> Vec<(End, End)> {
    others
        .iter()
        .flat_map(|other| [(one, *other), (*other, one)])
        .collect()
}

/// The tables that a fault hits: those whose shard the nodes serve at that moment.
pub struct Hit {
    names: Vec<String>,
    owners: Vec<String>,
}

impl Hit {
    pub async fn of(cluster: &Cluster, victims: &[usize]) -> Self {
        let shards = cluster.shards().await;
        let owners = shards.into_iter().map(|(owner, _)| owner).collect();
        Self {
            names: cluster.names(victims),
            owners,
        }
    }

    /// What hits these nodes only, at that same moment.
    pub fn only(&self, cluster: &Cluster, victims: &[usize]) -> Self {
        Self {
            names: cluster.names(victims),
            owners: self.owners.clone(),
        }
    }

    /// How long after the mark the tables of the nodes acted for the first time: returns when a while brought no more.
    async fn recovered(&self, cluster: &Cluster, play: &Play) -> Vec<Duration> {
        until("a table that was hit acts again", super::STUCK, || {
            !self.mine(cluster, play.control.first_actions()).is_empty()
        })
        .await;
        self.recovered_if_any(cluster, play).await
    }

    async fn recovered_if_any(&self, cluster: &Cluster, play: &Play) -> Vec<Duration> {
        let (mut known, mut since) = (0, Instant::now());
        loop {
            let found = self.mine(cluster, play.control.first_actions());
            if found.len() != known {
                (known, since) = (found.len(), Instant::now());
            }
            if since.elapsed() > QUIET {
                return found;
            }
            sleep(Duration::from_millis(5)).await;
        }
    }

    fn mine(&self, cluster: &Cluster, first: HashMap<String, Duration>) -> Vec<Duration> {
        let first = first
            .into_iter()
            .filter(|(table, _)| self.has(cluster, table));
        first.map(|(_, after)| after).collect()
    }

    /// Those of the tables that it hits.
    pub fn among<'a>(
        &self,
        cluster: &Cluster,
        tables: &'a HashSet<String>,
    ) -> impl Iterator<Item = &'a String> {
        tables.iter().filter(|table| self.has(cluster, table))
    }

    fn has(&self, cluster: &Cluster, table: &str) -> bool {
        let owner = self.owners.get(cluster.shard_of(table));
        owner.is_some_and(|owner| self.names.contains(owner))
    }
}

/// Statements at which a node may end.
const STATEMENTS: [&str; 9] = [
    "append",
    "win epoch",
    "create segment",
    "seal segment",
    "read rows",
    "set tail",
    "advance low",
    "delete rows",
    "archive hands",
];
/// Every table has a turn within this when play goes on.
const QUIET: Duration = Duration::from_secs(3);
/// What was committed before a quorum went is acknowledged soon after.
const LAST_ACKNOWLEDGEMENTS: Duration = Duration::from_secs(2);
/// Half-open connections of players are gone after that.
const FREED_MAX: Duration = Duration::from_secs(20);
/// A statement that does not come by then, comes at no time.
const CRASH_MAX: Duration = Duration::from_secs(15);
