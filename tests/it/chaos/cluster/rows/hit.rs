//! The tables that a fault hits, and when they act again.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::chaos::cluster::nodes::Cluster;
use crate::chaos::cluster::{Play, STUCK};

/// Tables that were played at lately, in shards that these nodes served at that moment.
pub struct Hit {
    tables: HashSet<String>,
}

/// Who serves which shard, and which tables are played at.
pub struct Moment {
    owners: Vec<String>,
    live: HashSet<String>,
}

/// What became of the tables that were hit.
#[derive(Default)]
pub struct Recovered {
    /// From the fault to the first acknowledged action of each of them.
    pub after: Vec<Duration>,
    /// Those that never acted.
    pub violations: Vec<String>,
}

impl Recovered {
    /// Both together.
    pub fn extend(&mut self, other: Self) {
        self.after.extend(other.after);
        self.violations.extend(other.violations);
    }
}

impl Moment {
    /// Now. Tables are live that acted since the last mark.
    pub async fn now(cluster: &Cluster, play: &Play) -> Self {
        let shards = cluster.shards().await;
        Self {
            owners: shards.into_iter().map(|(owner, _)| owner).collect(),
            live: play.control.first_actions().into_keys().collect(),
        }
    }

    /// What a fault of these nodes hits.
    pub fn hit(&self, cluster: &Cluster, victims: &[usize]) -> Hit {
        let names = cluster.names(victims);
        let mine = |table: &&String| {
            let owner = self.owners.get(cluster.shard_of(table));
            owner.is_some_and(|owner| names.contains(owner))
        };
        Hit {
            tables: self.live.iter().filter(mine).cloned().collect(),
        }
    }
}

impl Hit {
    /// What a fault of these nodes hits now.
    pub async fn of(cluster: &Cluster, play: &Play, victims: &[usize]) -> Self {
        Moment::now(cluster, play).await.hit(cluster, victims)
    }

    /// Whether there is no such table.
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }

    /// What is known of these tables.
    pub fn among(&self, known: HashMap<String, Duration>) -> Vec<Duration> {
        let mine = known
            .into_iter()
            .filter(|(table, _)| self.tables.contains(table));
        mine.map(|(_, what)| what).collect()
    }

    /// Waits until every one of the tables has acted since the mark.
    pub async fn recovered(&self, play: &Play) -> Recovered {
        let until = Instant::now() + STUCK;
        loop {
            let acted = play.control.first_actions();
            let missing: Vec<&String> = self
                .tables
                .iter()
                .filter(|table| !acted.contains_key(*table))
                .collect();
            if missing.is_empty() || Instant::now() > until {
                let stuck = missing
                    .iter()
                    .map(|table| format!("P7: table {table} stands still"));
                let violations = stuck.collect();
                return Recovered {
                    after: self.among(acted),
                    violations,
                };
            }
            sleep(Duration::from_millis(5)).await;
        }
    }
}
