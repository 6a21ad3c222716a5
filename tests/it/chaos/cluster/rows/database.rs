//! Nodes of the database that end or stand still, and answers of it that nobody hears.

use std::time::Duration;

use tokio::time::sleep;

use super::hit::Hit;
use super::kinds::Blow;
use super::{Done, Round};
use crate::chaos::cluster::NODES;
use crate::chaos::nodes::{Deed, to_node};
use crate::proxy::Rates;
use crate::recovery::number;

impl Round<'_> {
    /// Row 6: a node of the database is killed or frozen; or two, and nothing may be acknowledged without a quorum.
    pub(super) async fn database(self, blow: Blow) -> Done {
        let one = 1 + self.random.below(3) as usize;
        let other = 1 + one % 3;
        let all: Vec<usize> = (0..NODES).collect();
        let hit = Hit::of(self.cluster, self.play, &all).await;
        match blow {
            Blow::Killed => {
                to_node(one, Deed::Kill).await;
                self.play.control.mark();
                let recovered = hit.recovered(self.play).await;
                to_node(one, Deed::Restart).await;
                Done::new(format!("node {one}"), recovered)
            }
            Blow::Frozen => {
                to_node(one, Deed::Freeze).await;
                self.play.control.mark();
                let recovered = hit.recovered(self.play).await;
                to_node(one, Deed::Thaw).await;
                Done::new(format!("node {one}"), recovered)
            }
            Blow::RollingRestart => {
                self.play.control.mark();
                for node in 1..=3 {
                    to_node(node, Deed::Restart).await;
                }
                Done::new("every node".into(), hit.recovered(self.play).await)
            }
            Blow::NoQuorum => {
                to_node(one, Deed::Freeze).await;
                to_node(other, Deed::Freeze).await;
                sleep(LAST_ACKNOWLEDGEMENTS).await;
                let acknowledged = self.play.control.actions();
                sleep(Duration::from_secs(number("OUTAGE_SECONDS", 20))).await;
                let more = self.play.control.actions() - acknowledged;
                to_node(one, Deed::Thaw).await;
                self.play.control.mark();
                let mut recovered = hit.recovered(self.play).await;
                if more > 0 {
                    let what = format!("{more} actions acknowledged without a quorum");
                    recovered.violations.push(what);
                }
                to_node(other, Deed::Thaw).await;
                Done::new(format!("nodes {one} and {other}, {one} thawed"), recovered)
            }
        }
    }

    /// Row 7: the answers of statements are cut after the database applied them.
    pub(super) async fn unheard(self) -> Done {
        let seed = self.random.below(u64::MAX);
        let all: Vec<usize> = (0..NODES).collect();
        let hit = Hit::of(self.cluster, self.play, &all).await;
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
        let mut recovered = hit.recovered(self.play).await;
        if tally.applied_unheard == 0 {
            let none = "no statement was applied and unheard";
            recovered.violations.push(none.into());
        }
        Done {
            faults: u32::try_from(tally.injected()).expect("so many"),
            ..Done::new(format!("{} statements", tally.applied_unheard), recovered)
        }
    }
}

/// What was committed before a quorum went is acknowledged soon after.
const LAST_ACKNOWLEDGEMENTS: Duration = Duration::from_secs(2);
