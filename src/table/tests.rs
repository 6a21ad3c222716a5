//! Tables over the memory store, in paused time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use engine::{Action, PlayerId, Settings, Viewer};
use supervisors::{Strategy, SupervisorHandle, SupervisorSpec};
use tokio::time::Instant;

use super::{
    NewTable, Tables,
    request::{CallError, Done, Order, Request},
    seal::Keyring,
    shard::{Options, World},
    shuffle::SeededDealer,
};
use crate::{
    ids::{ShardCount, TableId},
    store::{Store, log::LogOptions, memory::MemoryStore},
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

struct Node {
    tables: Tables,
    tree: SupervisorHandle,
    requests: AtomicU64,
}

async fn node(store: Arc<dyn Store>, seed: u64) -> Node {
    let tokens = AtomicU64::new(seed << 32);
    let start = Instant::now();
    let world = World {
        store,
        keys: Keyring::single([7; 32]),
        dealer: Box::new(SeededDealer(1)),
        wall_ms: Box::new(move || u64::try_from(start.elapsed().as_millis()).expect("short")),
        token: Box::new(move || u128::from(tokens.fetch_add(1, Relaxed) + 1).to_be_bytes()),
        node: "node-0".into(),
    };
    let tables = Tables::new(ShardCount::new(2).expect("not zero"), options(), world);
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
    }
}

impl Node {
    async fn order(&self, player: u128, order: Order) -> Result<Done, CallError> {
        let request = Request {
            player: PlayerId(player),
            id: self.requests.fetch_add(1, Relaxed) + 1,
            first_attempt: true,
            order,
            received: Instant::now(),
        };
        self.tables.call(TABLE, request).await
    }

    async fn open(&self) {
        let new = NewTable {
            table: TABLE,
            name: "test".into(),
            settings: Arc::new(settings()),
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

    /// Plays calls and checks until so many hands were started.
    async fn play_to(&self, hands: u64) {
        for _ in 0..100_000 {
            let seen = self
                .tables
                .view(TABLE, Viewer::Spectator)
                .await
                .expect("a view");
            if seen.view.hands_started.0 >= hands {
                return;
            }
            let turn = seen.view.hand.as_ref().and_then(|hand| {
                let legal = hand.legal?;
                let seat = seen.view.seats[usize::from(legal.seat.0)].as_ref()?;
                Some((hand.hand, legal, seat.player))
            });
            let Some((hand, legal, player)) = turn else {
                tokio::time::sleep(Duration::from_millis(5)).await;
                continue;
            };
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
            self.order(player.0, order).await.expect("a legal action");
        }
        panic!("the hands do not end");
    }
}

#[tokio::test(start_paused = true)]
async fn hands_are_played_and_survive_a_restart() {
    let store = Arc::new(MemoryStore::new());
    let first = node(store.clone(), 1).await;
    first.open().await;
    first.play_to(40).await;
    let before = first
        .tables
        .view(TABLE, Viewer::Player(PlayerId(1)))
        .await
        .expect("a view");
    first.tree.stop().await;

    let second = node(store, 2).await;
    let after = second
        .tables
        .view(TABLE, Viewer::Player(PlayerId(1)))
        .await
        .expect("a view");
    assert_eq!(after.view.hands_started, before.view.hands_started);
    assert_eq!(
        after.view.hand.as_ref().map(|hand| &hand.players),
        before.view.hand.as_ref().map(|hand| &hand.players)
    );
    second.play_to(60).await;
    let totals = second.tables.totals().await.expect("totals").sums;
    assert_eq!(totals.chips_in, 30_000);
    assert_eq!(totals.on_tables + totals.chips_out + totals.rake, 30_000);
    second.tree.stop().await;
}
