//! A few tables that are played at over any store, in paused time.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use engine::{Action, PlayerId, Settings, Viewer};
use supervisors::{Strategy, SupervisorHandle, SupervisorSpec};
use tokio::time::{Duration, Instant};

use crate::{
    ids::{ShardCount, TableId},
    store::{
        Cas, ClusterRecord, HandRecord, Row, SegmentId, SegmentKey, SerialDomain, SessionRecord,
        ShardRow, Store, TokenHash, log::LogOptions, memory::MemoryStore,
    },
    table::{
        NewTable, Tables,
        request::{Order, Request},
        seal::Keyring,
        shard::{Options, World},
        shuffle::SeededDealer,
    },
};

pub const SHARDS: u16 = 2;
pub const PLAYERS: u128 = 3;

/// A node over a store.
pub struct House {
    pub tables: Tables,
    pub store: Arc<dyn Store>,
    tree: SupervisorHandle,
    requests: AtomicU64,
}

pub fn keys() -> Keyring {
    Keyring::single([7; 32])
}

pub fn table(n: u128) -> TableId {
    TableId(1_000 + n)
}

/// A segment is a few hands long, so that checkpoints and pruning happen.
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
            rotate_bytes: 40_000,
            ..LogOptions::default()
        },
    }
}

impl House {
    /// Opens the store as a server of so many shards does; `run` tells one server from the next.
    pub async fn open(store: Arc<dyn Store>, shards: u16, run: u64) -> Self {
        let record = ClusterRecord {
            shards: ShardCount::new(shards).expect("not zero"),
            serial_domain: SerialDomain::Serial,
            feature_level: 1,
        };
        match store.create_cluster(&record).await.expect("no faults") {
            Cas::Applied => {}
            Cas::NotApplied(stored) => assert_eq!(stored, record),
        }
        let tokens = AtomicU64::new(run << 32);
        let start = Instant::now();
        let world = World {
            store: Arc::clone(&store),
            keys: keys(),
            dealer: Box::new(SeededDealer(run)),
            wall_ms: Box::new(move || {
                BEGIN_MS + run * DAY_MS + u64::try_from(start.elapsed().as_millis()).expect("short")
            }),
            token: Box::new(move || u128::from(tokens.fetch_add(1, Relaxed) + 1).to_be_bytes()),
            node: "node-0".into(),
            steward: None,
        };
        let tables = Tables::new(record.shards, options(), world);
        let spec = SupervisorSpec::new(Strategy::OneForOne);
        let shards = tables.shards();
        let spec = shards
            .iter()
            .fold(spec, |spec, shard| spec.child(shard.spec()));
        let tree = spec.start().await.expect("the tree starts");
        Self {
            tables,
            store,
            tree,
            requests: AtomicU64::new(run * 100_000),
        }
    }

    /// Opens so many tables with three players each.
    pub async fn furnish(&self, tables: u128) {
        for n in 0..tables {
            let new = NewTable {
                table: table(n),
                name: format!("table {n}").into(),
                settings: Arc::new(settings()),
            };
            self.tables.create(new).await.expect("opened");
            for player in 1..=PLAYERS {
                let order = Order::Sit {
                    seat: None,
                    name: format!("player {player}").into(),
                    buy_in: 10_000,
                    post_now: true,
                };
                self.order(table(n), player, order).await;
            }
        }
        let session = SessionRecord {
            player: PlayerId(1),
            display_name: "player 1".into(),
            created_ms: BEGIN_MS,
        };
        for n in 0..5 {
            let token = TokenHash([n; 32]);
            self.store
                .put_session(token, &session)
                .await
                .expect("no faults");
        }
    }

    async fn order(&self, table: TableId, player: u128, order: Order) {
        let request = Request {
            player: PlayerId(player),
            id: self.requests.fetch_add(1, Relaxed) + 1,
            first_attempt: true,
            order,
            received: Instant::now(),
        };
        self.tables.call(table, request).await.expect("it is legal");
    }

    /// Plays checks and calls until so many hands were started, and the last one is at its first decision.
    pub async fn play(&self, table: TableId, hands: u64) {
        for _ in 0..100_000 {
            let seen = self.tables.view(table, Viewer::Spectator).await;
            let view = seen.expect("a view").view;
            let turn = view.hand.as_ref().and_then(|hand| {
                let legal = hand.legal?;
                let seat = view.seats[usize::from(legal.seat.0)].as_ref()?;
                Some((hand.hand, legal, seat.player))
            });
            let Some((hand, legal, player)) = turn else {
                tokio::time::sleep(Duration::from_millis(5)).await;
                continue;
            };
            if hand.0 >= hands {
                return;
            }
            let action = match legal.check {
                true => Action::Check,
                false => Action::Call,
            };
            let turn = legal.turn;
            let order = Order::Act { hand, turn, action };
            self.order(table, player.0, order).await;
        }
        panic!("the hands do not end");
    }

    /// What everybody at a table sees.
    pub async fn views(&self, table: TableId) -> Vec<engine::View> {
        let mut views = Vec::new();
        for player in 1..=PLAYERS {
            let viewer = Viewer::Player(PlayerId(player));
            let seen = self.tables.view(table, viewer).await;
            views.push(seen.expect("a view").view);
        }
        views
    }

    pub async fn stop(self) {
        self.tree.stop().await;
    }
}

/// Three tables in two shards, each in mid-hand after so many hands, pruned on the way.
pub async fn played(hands: u64) -> MemoryStore {
    let store = MemoryStore::new();
    play_on(Arc::new(store.clone()), hands).await;
    store
}

/// The same over a store that is there.
pub async fn play_on(store: Arc<dyn Store>, hands: u64) {
    let house = House::open(store, SHARDS, 1).await;
    house.furnish(3).await;
    for n in 0..3 {
        house.play(table(n), hands).await;
    }
    house.stop().await;
}

/// A segment with all its rows.
pub type Rows = (SegmentId, Vec<Row>);

/// A shard's chain from `low` on.
pub async fn chain(store: &dyn Store, shard: u16) -> (ShardRow, Vec<Rows>) {
    let shard = crate::ids::ShardId(shard);
    let row = store
        .shard(shard)
        .await
        .expect("no faults")
        .expect("it was owned");
    let (mut segments, mut next) = (Vec::new(), Some(row.low));
    while let Some(key) = next {
        let segment = SegmentKey::of(key, shard);
        let limit = crate::store::ReadLimit {
            rows: u32::MAX,
            bytes: u64::MAX,
        };
        let chunk = store.read_rows(segment, 0, limit).await.expect("no faults");
        let chunk = chunk.expect("it exists");
        next = chunk.state.seal.map(|seal| seal.next);
        segments.push((segment, chunk.rows));
    }
    (row, segments)
}

/// Every archived hand.
pub async fn archived(store: &dyn Store) -> Vec<HandRecord> {
    let page = store.scan_hands(None, 100_000).await.expect("no faults");
    assert_eq!(page.next, None);
    page.items
}

pub fn settings() -> Settings {
    Settings {
        seats: 6,
        small_blind: 50,
        big_blind: 100,
        ante: engine::Ante::None,
        buy_in_min: 1_000,
        buy_in_max: 20_000,
        rake: engine::Rake::default(),
        clock: engine::Clock {
            action_ms: 600_000,
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

pub const BEGIN_MS: u64 = 1_700_000_000_000;
pub const DAY_MS: u64 = 86_400_000;
