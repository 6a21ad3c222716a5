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
    cluster::{Branches, Outlook, Peer, Routes, Steward, StewardOptions, StewardSlot},
    ids::ShardCount,
    store::{Store, log::LogOptions},
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
use tokio::time::Instant;

use super::{UNBROKEN, flag::Flag, net::SimNet, tape::Tape};

/// One node of the cluster.
#[derive(Clone)]
pub struct Node {
    pub tables: Tables,
    tree: SupervisorHandle,
    dead: Arc<Flag>,
    /// `None`: it is alone.
    pub member: Option<Member>,
}

/// What makes a node one of several.
#[derive(Clone)]
pub struct Member {
    pub peer: Peer,
    pub routes: Routes,
    steward: StewardSlot,
    net: SimNet,
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
    /// Several nodes, that know each other by this.
    pub net: Option<SimNet>,
    tokens: AtomicU64,
}

/// Of a node that is alone.
pub const SHARDS: u16 = 2;
/// Of several.
pub const SHARDS_OF_MANY: u16 = 6;

impl Cluster {
    pub fn new(seed: u64, defect: Option<Defect>, net: Option<SimNet>) -> Arc<Self> {
        Arc::new(Self {
            tape: Tape::default(),
            keys: Keyring::single([7; 32]),
            seed,
            start: Instant::now(),
            defect,
            reigns: Mutex::default(),
            net,
            tokens: AtomicU64::new(0),
        })
    }

    pub fn shards(&self) -> ShardCount {
        let shards = match self.net {
            Some(_) => SHARDS_OF_MANY,
            None => SHARDS,
        };
        ShardCount::new(shards).expect("not zero")
    }

    pub fn now_ms(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).expect("a run is short")
    }

    /// Starts a node; `None` if its tree does not come up.
    pub async fn node(self: &Arc<Self>, name: &str) -> Option<Node> {
        let (clock, tokens) = (Arc::clone(self), Arc::clone(self));
        let joining = self.net.as_ref().map(|net| net.join(name));
        let store: Arc<dyn Store> = match &joining {
            Some(joining) => Arc::new(self.tape.through(joining.gate.clone())),
            None => Arc::new(self.tape.clone()),
        };
        let world = World {
            store: Arc::clone(&store),
            keys: self.keys.clone(),
            dealer: Box::new(SeededDealer(self.seed)),
            wall_ms: Box::new(move || clock.now_ms()),
            token: Box::new(move || {
                let token = u128::from(tokens.tokens.fetch_add(1, Relaxed) + 1).to_be_bytes();
                let now = tokens.now_ms();
                tokens.reigns.lock().expect(UNBROKEN).insert(token, now);
                token
            }),
            node: joining
                .as_ref()
                .map_or_else(|| name.into(), |joining| joining.peer.to_string()),
            steward: joining.as_ref().map(|joining| Arc::clone(&joining.news)),
        };
        let tables = Tables::new(self.shards(), options(), world);
        if let Some(defect) = self.defect {
            tables.make_mistake(defect);
        }
        let never = Intensity::new(1_000, Duration::from_secs(1));
        let spec = SupervisorSpec::new(Strategy::OneForOne).intensity(never);
        let mut member = None;
        let spec = match joining {
            None => tables
                .shards()
                .iter()
                .fold(spec, |spec, shard| spec.child(shard.spec())),
            Some(joining) => {
                let net = self.net.clone().expect("it was joined");
                let (slot, outlook) = (StewardSlot::default(), Outlook::default());
                let branches = Branches::default();
                net.listen(&joining.peer, slot.clone());
                member = Some(Member {
                    peer: joining.peer.clone(),
                    routes: outlook.routes(&tables),
                    steward: slot.clone(),
                    net: net.clone(),
                });
                let options = StewardOptions {
                    me: joining.peer.clone(),
                    tables: tables.clone(),
                    branches: branches.clone(),
                    registry: Arc::new(net.seen_by(&joining.peer)),
                    fabric: Arc::new(net.seen_by(&joining.peer)),
                    store,
                    news: joining.news,
                    nodes: joining.peer.to_string(),
                    players: String::new(),
                    operators: String::new(),
                    beat_every: Duration::from_millis(100),
                    ask_every: Duration::from_millis(60),
                    settle: Duration::from_millis(200),
                };
                spec.child(branches.child(&tables))
                    .child(Steward::child(options, slot, outlook))
            }
        };
        let tree = spec.start().await.ok()?;
        Some(Node {
            tables,
            tree,
            dead: Arc::default(),
            member,
        })
    }
}

impl Node {
    /// As kill -9 would: nobody gets to say anything.
    pub fn kill(&self) {
        self.dead.set(true);
        if let Some(member) = &self.member {
            member.net.leave(&member.peer);
        }
        let mut all = vec![self.tree.cell()];
        let mut next = 0;
        while let Some(cell) = all.get(next) {
            let mut below: Vec<ActorCell> = cell.get_children();
            below.sort_unstable_by_key(ActorCell::get_id);
            all.extend(below);
            next += 1;
        }
        all.iter().for_each(ActorCell::kill);
    }

    /// An orderly stop.
    pub async fn stop(&self) {
        if let Some(member) = &self.member {
            // As long as the platform waits.
            let drained = tokio::time::timeout(DRAIN, member.steward.drain()).await;
            drop(drained);
        }
        self.tree.stop().await;
        self.dead.set(true);
        if let Some(member) = &self.member {
            member.net.leave(&member.peer);
        }
    }

    /// What a client of this node gets: nothing, once the node is dead.
    pub async fn or_dead<T>(&self, answer: impl Future<Output = T>) -> Option<T> {
        let answer = async {
            if let Some(member) = &self.member {
                // A frozen node takes calls in, and does nothing about them.
                member.net.thawed(&member.peer).await;
            }
            answer.await
        };
        tokio::select! {
            biased;
            () = self.dead.is(true) => None,
            answer = answer => Some(answer),
        }
    }
}

/// What an orderly stop waits for.
const DRAIN: Duration = Duration::from_secs(3);

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
