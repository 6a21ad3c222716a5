//! Nodes of ours that end, stand still, or come and go in order.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::hit::{Hit, Recovered};
use super::kinds::When;
use super::{Done, Round};
use crate::chaos::cluster::NODES;
use crate::chaos::cluster::nodes::PLACES;

impl Round<'_> {
    /// Row 1: kill -9 of one; or of two, the second while the first one's shards are taken over.
    pub(super) async fn kill(self, count: usize) -> Done {
        let victims: Vec<usize> = (0..count).map(|n| (self.victim + n) % NODES).collect();
        let hit = Hit::of(self.cluster, self.play, &victims).await;
        let mut what = Vec::new();
        for victim in &victims {
            let mut after = String::new();
            if !what.is_empty() {
                let pause = self.random.below(1_500);
                sleep(Duration::from_millis(pause)).await;
                after = format!(", {pause} ms later ");
            }
            self.cluster.node(*victim).kill();
            self.play.control.mark();
            what.push(format!("{after}{}", self.cluster.node(*victim).name));
        }
        let recovered = hit.recovered(self.play).await;
        victims
            .iter()
            .for_each(|victim| self.cluster.begin(*victim));
        let kills = u32::try_from(count).expect("two");
        Done {
            faults: kills,
            kills,
            ..Done::new(what.concat(), recovered)
        }
    }

    /// Row 2: SIGSTOP. What thaws is a zombie, if its shards have other owners by then.
    pub(super) async fn freeze(self, seconds: u64) -> Done {
        let hit = Hit::of(self.cluster, self.play, &[self.victim]).await;
        let node = self.cluster.node(self.victim);
        let what = node.name.clone();
        node.signal("STOP");
        self.play.control.mark();
        let from = Instant::now();
        // One that thaws before anybody missed it acts again itself.
        let early = if seconds > 1 {
            Some(hit.recovered(self.play).await)
        } else {
            None
        };
        sleep(Duration::from_secs(seconds).saturating_sub(from.elapsed())).await;
        self.cluster.node(self.victim).signal("CONT");
        let recovered = match early {
            Some(recovered) => recovered,
            None => hit.recovered(self.play).await,
        };
        Done::new(what, recovered)
    }

    /// Row 11: every node is stopped in order and started again, one after the other.
    pub(super) async fn rolling_restart(self) -> Done {
        let mut recovered = Recovered::default();
        for n in 0..NODES {
            let hit = Hit::of(self.cluster, self.play, &[n]).await;
            self.play.control.mark();
            self.cluster.node(n).terminate();
            recovered.extend(hit.recovered(self.play).await);
            self.cluster.begin(n);
            self.cluster.is_whole().await;
            self.play.is_busy().await;
        }
        Done {
            faults: NODES as u32,
            ..Done::new("every node".into(), recovered)
        }
    }

    /// Row 11: two more nodes for a while.
    pub(super) async fn grow_and_shrink(self) -> Done {
        let mut recovered = Recovered::default();
        (NODES..PLACES).for_each(|n| self.cluster.begin(n));
        self.cluster.is_whole().await;
        self.play.is_busy().await;
        for n in NODES..PLACES {
            let hit = Hit::of(self.cluster, self.play, &[n]).await;
            self.play.control.mark();
            self.cluster.node(n).terminate();
            recovered.extend(hit.recovered(self.play).await);
            self.play.is_busy().await;
        }
        Done {
            faults: 2,
            ..Done::new("two nodes drained".into(), recovered)
        }
    }

    /// Row 12: a node ends at a statement: as it wins an epoch, reads a log, rotates, prunes, commits or archives.
    pub(super) async fn crash(self, when: When, statement: &str) -> Done {
        let victim = self.victim;
        // So many commits that it is in the middle of play; the others come seldom.
        let nth = match statement {
            "append" => 20 + self.random.below(100),
            _ => 1 + self.random.below(3),
        };
        self.cluster
            .node(victim)
            .sabotage(&format!("{when}:{statement}:{nth}"));
        self.cluster.node(victim).terminate();
        self.cluster.begin(victim);
        // It takes its share, and falls. Until it is gone the others move shards, too.
        let gone = Instant::now() + CRASH_MAX;
        let mut hit = Hit::of(self.cluster, self.play, &[victim]).await;
        while self.cluster.node(victim).runs() && Instant::now() < gone {
            hit = Hit::of(self.cluster, self.play, &[victim]).await;
            sleep(Duration::from_millis(50)).await;
        }
        self.play.control.mark();
        let name = self.cluster.node(victim).name.clone();
        let came = !self.cluster.node(victim).runs();
        let what = if came {
            format!("{name} at the {nth}. of them")
        } else {
            self.cluster.node(victim).kill();
            format!("{name} never came to the {nth}. of them, and is killed")
        };
        let recovered = hit.recovered(self.play).await;
        self.cluster.node(victim).relent();
        self.cluster.begin(victim);
        Done {
            faults: u32::from(came),
            kills: 1,
            ..Done::new(what, recovered)
        }
    }
}

/// A statement that does not come by then, comes at no time.
const CRASH_MAX: Duration = Duration::from_secs(15);
