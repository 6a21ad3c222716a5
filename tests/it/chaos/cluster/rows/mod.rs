//! One fault a round, at a busy moment, and what came of it.
//!
//! - `kinds`: the kinds of faults, and in which order a seed plays them
//! - `hit`: the tables that a fault hits, and when they act again
//! - `ours`: nodes of ours killed, frozen, restarted, crashed
//! - `paths`: what lies between them: partitions, half-open connections
//! - `database`: its nodes, and its answers

mod database;
pub mod hit;
pub mod kinds;
mod ours;
mod paths;

use std::fmt;
use std::time::Duration;

use openrustpoker::store::memory::SplitMix;
use tokio::time::sleep;

use self::hit::Recovered;
use self::kinds::Kind;
use super::nodes::Cluster;
use super::{NODES, Play};

/// Rows for nodes that share a machine.
pub const ROWS_TOGETHER: [u32; 6] = [1, 2, 11, 12, 6, 7];
/// Rows for nodes that each have a network of their own.
pub const ROWS_APART: [u32; 4] = [3, 5, 1, 2];

/// What a round was like.
pub struct Told {
    pub kind: Kind,
    /// What was hit, and how.
    pub what: String,
    /// 0: the moment for it never came.
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
            "row {}, {}: {}; {} tables hit, the last acts after {} ms; {} takeovers, {} actions",
            self.kind.row(),
            self.kind,
            self.what,
            self.recovered.len(),
            worst.as_millis(),
            self.takeovers,
            self.actions
        )
    }
}

/// What a fault did.
struct Done {
    what: String,
    faults: u32,
    kills: u32,
    recovered: Recovered,
}

impl Done {
    fn new(what: String, recovered: Recovered) -> Self {
        Self {
            what,
            faults: 1,
            kills: 0,
            recovered,
        }
    }
}

/// Waits for a busy moment, breaks something, waits until all goes on, and mends it.
pub async fn play(kind: Kind, cluster: &mut Cluster, play: &Play, random: &mut SplitMix) -> Told {
    play.is_busy().await;
    sleep(Duration::from_millis(random.below(200))).await;
    let (actions, epochs) = (play.control.actions(), epochs(cluster).await);
    let round = Round {
        victim: random.below(NODES as u64) as usize,
        cluster,
        play,
        random,
    };
    let done = match kind {
        Kind::KillOne => round.kill(1).await,
        Kind::KillTwo => round.kill(2).await,
        Kind::Freeze(seconds) => round.freeze(seconds).await,
        Kind::Cut(cut) => round.cut(cut).await,
        Kind::HalfOpen => round.half_open().await,
        Kind::Database(blow) => round.database(blow).await,
        Kind::Unheard => round.unheard().await,
        Kind::RollingRestart => round.rolling_restart().await,
        Kind::GrowAndShrink => round.grow_and_shrink().await,
        Kind::Crash(when, statement) => round.crash(when, statement).await,
    };
    cluster.is_whole().await;
    for n in 0..NODES {
        let there = cluster.node(n).runs();
        assert!(there, "{} ended by itself", cluster.node(n).name);
    }
    Told {
        kind,
        what: done.what,
        faults: done.faults,
        kills: done.kills,
        takeovers: self::epochs(cluster).await.saturating_sub(epochs),
        recovered: done.recovered.after,
        actions: play.control.actions() - actions,
        violations: done.recovered.violations,
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
