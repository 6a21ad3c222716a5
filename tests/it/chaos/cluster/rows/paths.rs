//! What lies between nodes, the database and players: packets vanish, each way by itself.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::hit::Hit;
use super::kinds::Cut;
use super::{Done, Round};
use crate::chaos::cluster::NODES;
use crate::chaos::cluster::nodes::PLAYERS;
use crate::chaos::cluster::wires::{End, Wires};

impl Round<'_> {
    /// Row 3: packets vanish between some of the nodes.
    pub(super) async fn cut(self, cut: Cut) -> Done {
        let (a, b, c) = (
            self.victim,
            (self.victim + 1) % NODES,
            (self.victim + 2) % NODES,
        );
        let database = [End::Database(1), End::Database(2), End::Database(3)];
        let node = |n: usize| End::Node(n);
        let cuts: Vec<(End, End)> = match cut {
            Cut::Nodes => both(node(a), &[node(b), node(c)]),
            Cut::Database => both(node(a), &database),
            Cut::UnheardByNodes => vec![(node(a), node(b)), (node(a), node(c))],
            Cut::UnheardByDatabase => database.map(|end| (node(a), end)).to_vec(),
            Cut::Bridge => both(node(a), &[node(b)]),
            Cut::Everything => {
                let mut all = both(node(a), &[node(b), node(c), End::Tests]);
                all.extend(both(node(a), &database));
                all
            }
        };
        let hit = Hit::of(self.cluster, self.play, &[a]).await;
        self.cross(&cuts, true);
        self.play.control.mark();
        let from = Instant::now();
        let recovered = hit.recovered(self.play).await;
        let least = Duration::from_millis(6_000 + self.random.below(6_000));
        sleep(least.saturating_sub(from.elapsed())).await;
        self.cross(&cuts, false);
        Done::new(self.cluster.node(a).name.clone(), recovered)
    }

    /// Row 5: players' connections that nobody closes. They go on elsewhere, and the node forgets them in bounded time.
    pub(super) async fn half_open(self) -> Done {
        let a = self.victim;
        let before = self.wires().players(a, PLAYERS).len();
        let hit = Hit::of(self.cluster, self.play, &[a]).await;
        let cuts = both(End::Node(a), &[End::Tests]);
        self.cross(&cuts, true);
        self.play.control.mark();
        let from = Instant::now();
        let mut recovered = hit.recovered(self.play).await;
        let mut left = self.wires().players(a, PLAYERS);
        while !left.is_empty() && from.elapsed() < 2 * FREED_MAX {
            sleep(Duration::from_millis(100)).await;
            left = self.wires().players(a, PLAYERS);
        }
        let freed = from.elapsed();
        self.cross(&cuts, false);
        if !left.is_empty() || freed > FREED_MAX {
            let (count, left) = (left.len(), left.join("; "));
            recovered.violations.push(format!(
                "half-open connections: {count} of {before} after {freed:?}: {left}"
            ));
        }
        let name = &self.cluster.node(a).name;
        let ms = freed.as_millis();
        Done::new(
            format!("{before} to {name}, freed after {ms} ms"),
            recovered,
        )
    }

    fn wires(&self) -> &Wires {
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

/// Half-open connections of players are gone after that.
const FREED_MAX: Duration = Duration::from_secs(20);
