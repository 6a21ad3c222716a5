//! What goes on around the fights over all shards: they end together, and are judged together.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use openrustpoker::store::conformance::rivals::Ring;
use tokio::sync::{Barrier, Mutex, watch};
use tokio::task::JoinHandle;

use super::Proxies;
use super::monkey::Blow;

pub struct Around {
    proxies: Arc<Proxies>,
    together: Barrier,
    call_back: watch::Sender<bool>,
    monkey: Mutex<Monkey>,
}

enum Monkey {
    Playing(JoinHandle<Vec<Blow>>),
    Done(Vec<Blow>),
}

impl Around {
    pub fn new(
        proxies: Arc<Proxies>,
        fights: usize,
        call_back: watch::Sender<bool>,
        monkey: JoinHandle<Vec<Blow>>,
    ) -> Self {
        Self {
            proxies,
            together: Barrier::new(fights),
            call_back,
            monkey: Mutex::new(Monkey::Playing(monkey)),
        }
    }

    /// What the monkey did.
    pub fn blows(self) -> Vec<Blow> {
        match self.monkey.into_inner() {
            Monkey::Done(blows) => blows,
            Monkey::Playing(_) => unreachable!("every fight was judged, and healed before"),
        }
    }
}

#[async_trait]
impl Ring for Around {
    async fn heal(&self) {
        if self.together.wait().await.is_leader() {
            self.call_back.send_replace(true);
            let mut monkey = self.monkey.lock().await;
            if let Monkey::Playing(playing) = &mut *monkey {
                *monkey = Monkey::Done(playing.await.expect("the monkey does not panic"));
            }
            self.proxies.plan.heal();
        }
        self.together.wait().await;
    }

    async fn release(&self) {
        if self.together.wait().await.is_leader() {
            self.proxies.plan.release();
            assert!(
                self.proxies.plan.settle(SETTLED).await,
                "what was held gets to the database"
            );
        }
        self.together.wait().await;
    }
}

const SETTLED: Duration = Duration::from_secs(30);
