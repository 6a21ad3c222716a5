//! A node without listeners, for the tests of the edge.

use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use engine::{PlayerId, Settings, Viewer};
use supervisors::{Strategy, SupervisorHandle, SupervisorSpec};
use tokio::time::Instant;

use crate::{
    accounts::{GuestLimit, SessionSettings, Sessions},
    ids::{ShardCount, TableId},
    store::{Store, log::LogOptions, memory::MemoryStore},
    table::{
        NewTable, Tables,
        request::{CallError, Done, Order, Request, TableView},
        seal::Keyring,
        shard::{Options, World},
        shuffle::SeededDealer,
    },
};

pub const TABLE: TableId = TableId(77);

pub struct Node {
    pub tables: Tables,
    pub store: Arc<dyn Store>,
    pub sessions: Sessions,
    pub keys: Keyring,
    _tree: SupervisorHandle,
    requests: AtomicU64,
}

pub fn settings() -> Settings {
    let clock = engine::Clock {
        action_ms: 1_000_000,
        bank_ms: 2_000,
        bank_gain_ms: 0,
        reconnect_ms: 0,
    };
    Settings {
        clock,
        ..Settings::new(6, 50, 100)
    }
}

impl Node {
    pub async fn start() -> Self {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let (tokens, keys) = (AtomicU64::new(1), Keyring::single([7; 32]));
        let world = World {
            store: Arc::clone(&store),
            keys: keys.clone(),
            dealer: Box::new(SeededDealer(1)),
            wall_ms: Box::new(|| 1_000),
            token: Box::new(move || u128::from(tokens.fetch_add(1, Relaxed)).to_be_bytes()),
            node: "node-0".into(),
            steward: None,
        };
        let options = Options {
            snapshot_interval: 40,
            snapshot_every_hand: false,
            commit_interval: Duration::ZERO,
            commit_tables: 1_000,
            commit_bytes: 1 << 20,
            shard_queue: 1_000,
            table_queue: 64,
            hand_pause: Duration::ZERO,
            sleep_after: Duration::from_secs(60),
            recover_concurrency: 8,
            park_after: 3,
            call_timeout: Duration::from_secs(5),
            log: LogOptions::default(),
        };
        let tables = Tables::new(ShardCount::new(2).expect("two is not zero"), options, world);
        let shards = tables.shards().iter();
        let spec = shards.fold(SupervisorSpec::new(Strategy::OneForOne), |spec, shard| {
            spec.child(shard.spec())
        });
        let guests = GuestLimit {
            burst: NonZeroU32::MIN.saturating_add(99),
            every: Duration::from_secs(1),
        };
        Self {
            tables,
            sessions: Sessions::new(
                Arc::clone(&store),
                SessionSettings {
                    cached: 100,
                    guests,
                },
            ),
            store,
            keys,
            _tree: spec.start().await.expect("the tree starts"),
            requests: AtomicU64::new(0),
        }
    }

    pub async fn open(&self, table: TableId) {
        let new = NewTable {
            table,
            name: "test".into(),
            settings: Arc::new(settings()),
        };
        self.tables.create(new).await.expect("opened");
    }

    pub async fn order(
        &self,
        table: TableId,
        player: PlayerId,
        order: Order,
    ) -> Result<Done, CallError> {
        let request = Request {
            player,
            id: self.requests.fetch_add(1, Relaxed) + 1,
            first_attempt: true,
            order,
            received: Instant::now(),
        };
        self.tables.call(table, request).await
    }

    pub async fn sit(&self, table: TableId, player: PlayerId) -> Done {
        let order = Order::Sit {
            seat: None,
            name: format!("player {}", player.0).into(),
            buy_in: 5_000,
            post_now: true,
        };
        self.order(table, player, order).await.expect("seated")
    }

    /// Looks at a table until it is as it should be.
    pub async fn until(
        &self,
        table: TableId,
        what: &str,
        holds: impl Fn(&TableView) -> bool,
    ) -> TableView {
        for _ in 0..100_000 {
            let seen = self
                .tables
                .view(table, Viewer::Spectator)
                .await
                .expect("a view");
            if holds(&seen) {
                return seen;
            }
            tokio::task::yield_now().await;
        }
        panic!("it never came to be that {what}");
    }
}
