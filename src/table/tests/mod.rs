//! Tables over the memory store, in paused time.

mod codec;
mod connections;
mod crash;
mod departures;
mod full;
mod level;
mod parking;
mod requests;
mod run_twice;
mod scale;
mod sleep;
mod watching;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use engine::{Action, HandNo, Legal, PlayerId, Settings, Viewer};
use supervisors::{Strategy, SupervisorHandle, SupervisorSpec};
use tokio::time::Instant;

use super::{
    NewTable, Tables,
    request::{CallError, Done, Order, Request, TableView},
    seal::Keyring,
    shard::{Options, World},
    shuffle::SeededDealer,
};
use crate::{
    ids::{ShardCount, TableId},
    store::{Cas, ClusterRecord, SerialDomain, Store, log::LogOptions, memory::MemoryStore},
};

const TABLE: TableId = TableId(77);

fn options() -> Options {
    Options {
        snapshot_interval: 40,
        snapshot_every_hand: false,
        commit_interval: Duration::ZERO,
        commit_tables: 1_000,
        commit_bytes: 1 << 20,
        shard_queue: 1_000,
        table_queue: 64,
        hand_pause: Duration::from_millis(10),
        sleep_after: Duration::from_secs(60),
        recover_concurrency: 8,
        park_after: 3,
        call_timeout: Duration::from_secs(5),
        log: LogOptions {
            rotate_bytes: 20_000,
            ..LogOptions::default()
        },
    }
}

/// A store whose record has this feature level.
async fn recorded(feature_level: u32) -> Arc<MemoryStore> {
    let store = Arc::new(MemoryStore::new());
    let record = ClusterRecord {
        shards: ShardCount::new(2).expect("not zero"),
        serial_domain: SerialDomain::Serial,
        feature_level,
    };
    let made = store.create_cluster(&record).await;
    assert_eq!(made.expect("an answer"), Cas::Applied);
    store
}

struct Node {
    tables: Tables,
    tree: SupervisorHandle,
    requests: AtomicU64,
}

async fn node(store: Arc<dyn Store>, seed: u64) -> Node {
    node_with(store, seed, options()).await
}

async fn node_with(store: Arc<dyn Store>, seed: u64, options: Options) -> Node {
    let tokens = AtomicU64::new(seed << 32);
    let start = Instant::now();
    let world = World {
        store,
        keys: Keyring::single([7; 32]),
        // Another node deals other decks: the one of an open hand can only come from the log.
        dealer: Box::new(SeededDealer(seed)),
        wall_ms: Box::new(move || u64::try_from(start.elapsed().as_millis()).expect("short")),
        token: Box::new(move || u128::from(tokens.fetch_add(1, Relaxed) + 1).to_be_bytes()),
        node: "node-0".into(),
        steward: None,
    };
    let tables = Tables::new(ShardCount::new(2).expect("not zero"), options, world);
    let spec = SupervisorSpec::new(Strategy::OneForOne);
    let spec = tables
        .shards()
        .iter()
        .fold(spec, |spec, shard| spec.child(shard.spec()));
    let tree = spec.start().await.expect("the tree starts");
    Node {
        tables,
        tree,
        requests: AtomicU64::new(seed * 100_000),
    }
}

fn settings() -> Settings {
    Settings {
        seats: 6,
        small_blind: 50,
        big_blind: 100,
        ante: engine::Ante::None,
        buy_in_min: 1_000,
        buy_in_max: 20_000,
        rake: engine::Rake::default(),
        clock: engine::Clock {
            action_ms: 1_000,
            bank_ms: 2_000,
            bank_gain_ms: 0,
            reconnect_ms: 0,
        },
        show_all_in: true,
        button: engine::ButtonRule::Dead,
        sit_out_buttons: 0,
        timeouts_to_sit_out: 0,
        rathole_ms: 0,
        game: engine::Game::default(),
    }
}

impl Node {
    fn request(&self, player: u128, order: Order) -> Request {
        Request {
            player: PlayerId(player),
            id: self.requests.fetch_add(1, Relaxed) + 1,
            first_attempt: true,
            order,
            received: Instant::now(),
        }
    }

    async fn order(&self, player: u128, order: Order) -> Result<Done, CallError> {
        self.tables.call(TABLE, self.request(player, order)).await
    }

    async fn look(&self) -> TableView {
        let seen = self.tables.view(TABLE, Viewer::Spectator).await;
        seen.expect("a view")
    }

    async fn open(&self) {
        self.open_with(settings()).await;
    }

    async fn open_with(&self, settings: Settings) {
        let new = NewTable {
            table: TABLE,
            name: "test".into(),
            settings: Arc::new(settings),
        };
        self.tables.create(new.clone()).await.expect("opened");
        self.tables.create(new).await.expect("a repeat is fine");
        for player in 1..=3 {
            let order = Order::Sit {
                seat: None,
                name: format!("player {player}").into(),
                buy_in: 10_000,
                post_now: true,
            };
            self.order(player, order).await.expect("seated");
        }
    }

    /// Waits until somebody is to act.
    async fn turn(&self) -> (HandNo, Legal, PlayerId) {
        for _ in 0..10_000 {
            let seen = self.look().await.view;
            let turn = seen.hand.as_ref().and_then(|hand| {
                let legal = hand.legal?;
                let seat = seen.seats[usize::from(legal.seat.0)].as_ref()?;
                Some((hand.hand, legal, seat.player))
            });
            if let Some(turn) = turn {
                return turn;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("nobody is to act");
    }

    /// Acts once: a check, or a call.
    async fn act(&self) -> Done {
        let (hand, legal, player) = self.turn().await;
        let action = if legal.check {
            Action::Check
        } else {
            Action::Call
        };
        let order = Order::Act {
            hand,
            turn: legal.turn,
            action,
        };
        self.order(player.0, order).await.expect("a legal action")
    }

    /// Plays checks and calls until so many hands were started.
    async fn play_to(&self, hands: u64) {
        while self.look().await.view.hands_started.0 < hands {
            self.act().await;
        }
    }

    /// Nobody deals another hand.
    async fn sit_all_out(&self) {
        for player in 1..=3 {
            let out = self.order(player, Order::SitOut).await;
            out.expect("nobody sits out yet");
        }
    }
}
