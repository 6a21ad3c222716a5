//! Nodes: whole supervision trees of tables, which can be killed like processes.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use openrustpoker::{
    ids::ShardCount,
    store::log::LogOptions,
    table::{
        Tables,
        fault::Defect,
        seal::Keyring,
        shard::{Options, World},
        shuffle::SeededDealer,
    },
};
use ractor::ActorCell;
use supervisors::{Intensity, Strategy, SupervisorHandle, SupervisorSpec};
use tokio::{sync::watch, time::Instant};

use super::UNBROKEN;
use super::tape::Tape;

/// One node of the cluster.
#[derive(Clone)]
pub struct Node {
    pub tables: Tables,
    tree: SupervisorHandle,
    dead: watch::Sender<bool>,
}

/// What all nodes of a run share.
pub struct Cluster {
    pub tape: Tape,
    pub keys: Keyring,
    pub seed: u64,
    pub start: Instant,
    pub defect: Option<Defect>,
    /// When each incarnation of a shard log began its takeover.
    pub reigns: Mutex<BTreeMap<[u8; 16], u64>>,
    tokens: AtomicU64,
}

pub const SHARDS: u16 = 2;

impl Cluster {
    pub fn new(seed: u64, defect: Option<Defect>) -> Arc<Self> {
        Arc::new(Self {
            tape: Tape::default(),
            keys: Keyring::single([7; 32]),
            seed,
            start: Instant::now(),
            defect,
            reigns: Mutex::default(),
            tokens: AtomicU64::new(0),
        })
    }

    pub fn now_ms(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).expect("a run is short")
    }

    /// Starts a node; `None` if its tree does not come up.
    pub async fn node(self: &Arc<Self>, name: &str) -> Option<Node> {
        let (clock, tokens) = (Arc::clone(self), Arc::clone(self));
        let world = World {
            store: Arc::new(self.tape.clone()),
            keys: self.keys.clone(),
            dealer: Box::new(SeededDealer(self.seed)),
            wall_ms: Box::new(move || clock.now_ms()),
            token: Box::new(move || {
                let token = u128::from(tokens.tokens.fetch_add(1, Relaxed) + 1).to_be_bytes();
                let now = tokens.now_ms();
                tokens.reigns.lock().expect(UNBROKEN).insert(token, now);
                token
            }),
            node: name.into(),
        };
        let tables = Tables::new(ShardCount::new(SHARDS).expect("not zero"), options(), world);
        if let Some(defect) = self.defect {
            tables.make_mistake(defect);
        }
        let never = Intensity::new(1_000, Duration::from_secs(1));
        let spec = SupervisorSpec::new(Strategy::OneForOne).intensity(never);
        let spec = tables
            .shards()
            .iter()
            .fold(spec, |spec, shard| spec.child(shard.spec()));
        let tree = spec.start().await.ok()?;
        Some(Node {
            tables,
            tree,
            dead: watch::Sender::new(false),
        })
    }
}

impl Node {
    /// As kill -9 would: nobody gets to say anything.
    pub fn kill(&self) {
        self.dead.send_replace(true);
        let mut all = vec![self.tree.cell()];
        let mut next = 0;
        while let Some(cell) = all.get(next) {
            let below: Vec<ActorCell> = cell.get_children();
            all.extend(below);
            next += 1;
        }
        all.iter().for_each(ActorCell::kill);
    }

    /// An orderly stop.
    pub async fn stop(&self) {
        self.tree.stop().await;
        self.dead.send_replace(true);
    }

    /// What a client of this node gets: nothing, once the node is dead.
    pub async fn or_dead<T>(&self, answer: impl Future<Output = T>) -> Option<T> {
        let mut dead = self.dead.subscribe();
        tokio::select! {
            biased;
            _ = dead.wait_for(|dead| *dead) => None,
            answer = answer => Some(answer),
        }
    }
}

fn options() -> Options {
    Options {
        snapshot_interval: 25,
        snapshot_every_hand: false,
        commit_interval: Duration::from_millis(2),
        commit_tables: 8,
        commit_bytes: 6_000,
        shard_queue: 100,
        table_queue: 16,
        hand_pause: Duration::from_millis(100),
        sleep_after: Duration::from_millis(700),
        recover_concurrency: 4,
        park_after: 6,
        call_timeout: Duration::from_secs(2),
        log: LogOptions {
            rotate_bytes: 16_000,
            statement_timeout: Duration::from_millis(300),
            first_pause: Duration::from_millis(5),
            longest_pause: Duration::from_millis(100),
            give_up_after: Duration::from_millis(600),
            stalled_after: Duration::from_millis(100),
            ..LogOptions::default()
        },
    }
}
