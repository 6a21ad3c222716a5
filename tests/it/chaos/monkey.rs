//! Freezes, kills and cuts off nodes of the database at moments that a seed chooses, until it is called back.

use std::sync::Arc;
use std::time::Duration;

use openrustpoker::store::memory::SplitMix;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::Proxies;
use super::nodes::{Deed, to_node};

/// A fault of the database.
#[derive(Clone, Debug)]
pub struct Blow {
    pub what: String,
    /// Whether a node had to start again.
    pub kills: bool,
    /// Since the beginning.
    pub at: Duration,
    /// When what was broken was whole again.
    pub over: Duration,
    /// Conditional statements that the database was working on.
    pub in_flight: u64,
}

/// What it does to nodes.
#[derive(Clone, Copy, Debug)]
enum Trick {
    Freeze(usize),
    /// No quorum.
    FreezeTwo(usize, usize),
    Kill(usize),
    CutOff(usize),
}

/// Goes on until called back, and leaves all nodes whole. Says what it did.
pub async fn play(
    proxies: Arc<Proxies>,
    seed: u64,
    began: Instant,
    called: watch::Receiver<bool>,
) -> Vec<Blow> {
    let mut random = SplitMix(seed);
    let mut blows = Vec::new();
    while !*called.borrow() {
        pause(&mut random, 500..2_500, called.clone()).await;
        if *called.borrow() {
            break;
        }
        let node = 1 + random.below(3) as usize;
        // Each of them early, then as it comes; starting a node again takes the longest.
        let trick = match blows.len() as u64 {
            early @ 0..4 => early * 3,
            _ => random.below(11),
        };
        let trick = match trick {
            0..3 => Trick::Freeze(node),
            3..6 => Trick::FreezeTwo(node, 1 + node % 3),
            6..9 => Trick::CutOff(node),
            _ => Trick::Kill(node),
        };
        let in_flight = proxies.plan.in_flight();
        let at = began.elapsed();
        turn(&proxies, trick, &mut random, &called).await;
        blows.push(Blow {
            what: format!("{trick:?}"),
            kills: matches!(trick, Trick::Kill(_)),
            at,
            over: began.elapsed(),
            in_flight,
        });
    }
    blows
}

async fn turn(
    proxies: &Proxies,
    trick: Trick,
    random: &mut SplitMix,
    called: &watch::Receiver<bool>,
) {
    match trick {
        Trick::Freeze(node) => {
            to_node(node, Deed::Freeze).await;
            pause(random, 300..4_000, called.clone()).await;
            to_node(node, Deed::Thaw).await;
        }
        Trick::FreezeTwo(one, other) => {
            to_node(one, Deed::Freeze).await;
            to_node(other, Deed::Freeze).await;
            pause(random, 300..3_000, called.clone()).await;
            to_node(one, Deed::Thaw).await;
            to_node(other, Deed::Thaw).await;
        }
        Trick::Kill(node) => {
            to_node(node, Deed::Kill).await;
            pause(random, 0..1_000, called.clone()).await;
            to_node(node, Deed::Restart).await;
        }
        Trick::CutOff(node) => {
            let proxy = &proxies.each[node - 1];
            proxy.cut_off();
            pause(random, 300..2_000, called.clone()).await;
            proxy.let_through();
        }
    }
}

/// A while, in milliseconds; less if it is called back.
async fn pause(
    random: &mut SplitMix,
    while_ms: std::ops::Range<u64>,
    mut called: watch::Receiver<bool>,
) {
    let ms = while_ms.start + random.below(while_ms.end - while_ms.start);
    tokio::select! {
        () = sleep(Duration::from_millis(ms)) => {}
        // Its sender outlives it; an error would mean that it is called back.
        _ = called.wait_for(|called| *called) => {}
    }
}
