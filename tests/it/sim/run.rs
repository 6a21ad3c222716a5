//! One run: nodes, players, watchers and everything that goes wrong, out of one seed.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use engine::{PlayerId, Settings, Viewer};
use openrustpoker::{
    cluster::{Peer, Place},
    ids::TableId,
    store::memory::{FaultRates, SplitMix},
    table::{
        NewTable,
        fault::{Defect, Fault},
        frame::WatcherId,
    },
};
use tokio::task::JoinSet;

use super::UNBROKEN;
use super::{
    chain::Histories,
    checks,
    net::SimNet,
    node::{Cluster, Node, SHARDS},
    players::{Ears, Player},
    storm,
    watchers::{Streams, watch},
};

/// Where everybody meets.
pub struct Room {
    pub cluster: Arc<Cluster>,
    pub ears: Ears,
    pub streams: Streams,
    nodes: Mutex<Vec<Node>>,
    closing: AtomicBool,
    guests: Mutex<JoinSet<()>>,
    pub panics: AtomicU64,
}

/// What a run was like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub events: usize,
    pub hands: usize,
    pub acknowledged: usize,
    pub refused: usize,
    pub unknown: usize,
    pub shown: usize,
    pub frames: usize,
    pub takeovers: usize,
    pub kills: usize,
    pub panics: usize,
}

impl Report {
    pub fn add(&mut self, other: &Self) {
        self.events += other.events;
        self.hands += other.hands;
        self.acknowledged += other.acknowledged;
        self.refused += other.refused;
        self.unknown += other.unknown;
        self.shown += other.shown;
        self.frames += other.frames;
        self.takeovers += other.takeovers;
        self.kills += other.kills;
        self.panics += other.panics;
    }
}

/// What is wrong on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// Somewhere in the tables.
    Table(Defect),
    /// Appends are not fenced.
    UnfencedAppend,
}

/// How many nodes there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nodes {
    /// One, and now and then its successor beside it.
    Alone,
    /// Three or so, that know each other.
    Several,
}

impl Room {
    pub fn is_closing(&self) -> bool {
        self.closing.load(Relaxed)
    }

    /// A node to talk to, whichever answers.
    pub fn node(&self, random: &mut SplitMix) -> Option<Node> {
        let nodes = self.nodes.lock().expect(UNBROKEN);
        if nodes.is_empty() {
            return None;
        }
        let index = random.below(nodes.len() as u64) as usize;
        Some(nodes[index].clone())
    }

    /// Where a node that happens to be asked would send a call for this table.
    pub fn at(&self, table: TableId, random: &mut SplitMix) -> Option<Node> {
        let node = self.node(random)?;
        let Some(member) = &node.member else {
            return Some(node);
        };
        match member.routes.of(table) {
            Place::Here => Some(node),
            Place::There(owner) => self.find(&owner.peer),
            Place::Nowhere => None,
        }
    }

    pub fn find(&self, peer: &Peer) -> Option<Node> {
        let nodes = self.nodes.lock().expect(UNBROKEN);
        let of = |node: &&Node| node.member.as_ref().is_some_and(|of| of.peer == *peer);
        nodes.iter().find(of).cloned()
    }

    /// A random node, that is no longer there for anybody else.
    pub fn take(&self, random: &mut SplitMix) -> Option<Node> {
        let mut nodes = self.nodes.lock().expect(UNBROKEN);
        let index = random.below(nodes.len().max(1) as u64) as usize;
        (index < nodes.len()).then(|| nodes.remove(index))
    }

    pub fn size(&self) -> usize {
        self.nodes.lock().expect(UNBROKEN).len()
    }

    pub fn all(&self) -> Vec<Node> {
        self.nodes.lock().expect(UNBROKEN).clone()
    }

    pub fn spawn(&self, guest: impl Future<Output = ()> + Send + 'static) {
        self.guests.lock().expect(UNBROKEN).spawn(guest);
    }

    pub async fn start_node(&self) {
        self.start_named("node").await;
    }

    pub async fn start_named(&self, name: &str) {
        loop {
            if let Some(node) = self.cluster.node(name).await {
                self.nodes.lock().expect(UNBROKEN).push(node);
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// Runs one seed under paused time: a violation, or what the run was like.
pub fn run(seed: u64, nodes: Nodes, mistake: Option<Mistake>) -> Result<Report, String> {
    super::quiet();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let limit = Duration::from_secs(1_000);
        match tokio::time::timeout(limit, run_inside(seed, nodes, mistake)).await {
            Ok(report) => report,
            Err(_elapsed) => Err("P7: the run does not end".into()),
        }
    })
}

async fn run_inside(seed: u64, nodes: Nodes, mistake: Option<Mistake>) -> Result<Report, String> {
    let mut random = SplitMix(seed);
    let defect = match mistake {
        Some(Mistake::Table(defect)) => Some(defect),
        Some(Mistake::UnfencedAppend) | None => None,
    };
    let several = nodes == Nodes::Several;
    let cluster = Cluster::new(seed, defect, several.then(SimNet::default));
    let unfenced = mistake == Some(Mistake::UnfencedAppend);
    cluster.tape.unfenced.store(unfenced, Relaxed);
    let room = Arc::new(Room {
        cluster,
        ears: Ears::default(),
        streams: Streams::default(),
        nodes: Mutex::default(),
        closing: AtomicBool::new(false),
        guests: Mutex::default(),
        panics: AtomicU64::new(0),
    });
    if several {
        storm::begin(&room).await?;
    } else {
        room.start_node().await;
    }
    let tables: Vec<TableId> = (0..2 + random.below(3))
        .map(|n| TableId(u128::from(seed) << 64 | u128::from(n)))
        .collect();
    open(&room, &tables, &mut random).await?;
    let mut guests = JoinSet::new();
    for (n, table) in (1_u64..).zip(&tables) {
        for guest in 0..2 + random.below(5) {
            let me = PlayerId(u128::from(100 * n + guest));
            guests.spawn(
                Player {
                    room: Arc::clone(&room),
                    table: *table,
                    me,
                    random: SplitMix(random.number()),
                    last_id: 0,
                }
                .play(),
            );
            let viewer = match random.below(3) {
                0 => Viewer::Spectator,
                _ => Viewer::Player(me),
            };
            let id = WatcherId(100 * n + guest);
            let watcher = SplitMix(random.number());
            guests.spawn(watch(Arc::clone(&room), *table, viewer, id, watcher));
        }
    }
    let kills = if several {
        let kills = storm::rage(&room, &tables, &mut random).await;
        storm::end(&room).await?;
        kills
    } else {
        let kills = trouble(&room, &tables, &mut random).await;
        calm(&room).await;
        kills
    };
    tokio::time::sleep(Duration::from_secs(3)).await;
    room.closing.store(true, Relaxed);
    while guests.join_next().await.is_some() {}
    let copies = std::mem::take(&mut *room.guests.lock().expect(UNBROKEN));
    copies.join_all().await;
    checks::settle(&room, &tables).await?;
    let cluster = &room.cluster;
    let shards = cluster.shards().shards();
    let histories = Histories::read(&cluster.tape, shards, &cluster.keys).await?;
    let mut report = checks::judge(&room, &tables, &histories).await?;
    report.kills = kills;
    report.panics = room.panics.load(Relaxed) as usize;
    let nodes = std::mem::take(&mut *room.nodes.lock().expect(UNBROKEN));
    for node in nodes {
        node.stop().await;
    }
    Ok(report)
}

async fn open(room: &Room, tables: &[TableId], random: &mut SplitMix) -> Result<(), String> {
    for table in tables {
        let node = room.at(*table, random).ok_or("a shard has no owner")?;
        let settings = Settings {
            seats: 6,
            small_blind: 50,
            big_blind: 100,
            ante: engine::Ante::None,
            buy_in_min: 1_000,
            buy_in_max: 10_000,
            rake: engine::Rake {
                per_10_000: 500,
                caps: vec![300],
            },
            clock: engine::Clock {
                action_ms: 1_500,
                bank_ms: 1_000,
                bank_gain_ms: 100,
                reconnect_ms: 500,
            },
            show_all_in: true,
            button: engine::ButtonRule::Dead,
            sit_out_buttons: 5,
            timeouts_to_sit_out: 2,
            rathole_ms: 0,
            game: engine::Game::default(),
        };
        let new = NewTable {
            table: *table,
            name: "simulated".into(),
            settings: Arc::new(settings),
        };
        let created = node.tables.create(new).await;
        created.map_err(|error| format!("a table is not opened: {error}"))?;
    }
    Ok(())
}

/// Everything that can go wrong, one thing after the other and several at a time.
async fn trouble(room: &Arc<Room>, tables: &[TableId], random: &mut SplitMix) -> usize {
    let memory = &room.cluster.tape.memory;
    let mut kills = 0;
    for _ in 0..12 + random.below(12) {
        let pause = Duration::from_millis(random.below(1_200));
        tokio::time::sleep(pause).await;
        match random.below(11) {
            0..=2 => memory.seed(random.number(), rates(random)),
            3 => {
                // The store is gone for a while: for requests, for answers, or for both.
                let mut all = FaultRates::default();
                match random.below(4) {
                    0 => all.refuse = 1_000,
                    1 => all.lose_request = 1_000,
                    2 => all.lose_answer = 1_000,
                    _ => all.late = 1_000,
                }
                memory.seed(random.number(), all);
                let gone = Duration::from_millis(random.below(1_500));
                tokio::time::sleep(gone).await;
                memory.seed(random.number(), rates(random));
            }
            4 => {
                let table = tables[random.below(tables.len() as u64) as usize];
                if let Some(node) = room.node(random) {
                    node.tables.put_fault(table, Fault::PanicOnce);
                    room.panics.fetch_add(1, Relaxed);
                }
            }
            5 => {
                if let Some(node) = room.node(random) {
                    let shard = random.below(u64::from(SHARDS)) as usize;
                    let log = node.tables.shards()[shard].log.find();
                    log.inspect(|log| log.kill());
                    kills += 1;
                }
            }
            9 => {
                if let Some(node) = room.node(random) {
                    let shard = random.below(u64::from(SHARDS)) as usize;
                    let desk = node.tables.shards()[shard].desk.find();
                    desk.inspect(|desk| desk.kill());
                    kills += 1;
                }
            }
            6 | 7 => {
                // kill -9, and the platform starts it again.
                let dead = room.nodes.lock().expect(UNBROKEN).pop();
                dead.inspect(Node::kill);
                let down = Duration::from_millis(random.below(400));
                tokio::time::sleep(down).await;
                room.start_node().await;
                kills += 1;
            }
            8 => {
                // A rival takes over while the first still runs; then one of them goes.
                room.start_node().await;
                let both = Duration::from_millis(random.below(1_500));
                tokio::time::sleep(both).await;
                let index = random.below(2) as usize;
                let gone = room.nodes.lock().expect(UNBROKEN).remove(index);
                gone.kill();
                kills += 1;
            }
            _ => {
                let old = room.nodes.lock().expect(UNBROKEN).pop();
                if let Some(old) = old {
                    old.stop().await;
                }
                room.start_node().await;
            }
        }
    }
    kills
}

pub fn rates(random: &mut SplitMix) -> FaultRates {
    let mut rate = |most| random.below(most) as u16;
    FaultRates {
        refuse: rate(80),
        lose_request: rate(60),
        lose_answer: rate(60),
        late: rate(60),
        late_calls: u32::from(rate(40)),
        max_delay: Duration::from_millis(u64::from(rate(30))),
    }
}

/// Faults stop; what is still under way arrives; one fresh node goes on.
async fn calm(room: &Arc<Room>) {
    let memory = &room.cluster.tape.memory;
    memory.heal();
    memory.release();
    let nodes = std::mem::take(&mut *room.nodes.lock().expect(UNBROKEN));
    nodes.iter().for_each(Node::kill);
    room.start_node().await;
}
