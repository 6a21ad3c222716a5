//! What nodes of a simulation see of each other: links, announcements, calls; and how that is broken.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use async_trait::async_trait;
use openrustpoker::{
    cluster::{Answer, Ask, AskError, Fabric, Herald, Peer, Registry, StewardSlot, evidence::Link},
    ids::{Epoch, ShardId},
    store::Incarnation,
};
use tokio::{sync::Notify, time::Instant};

use super::{UNBROKEN, flag::Flag, tape::Gate};

/// The network. Clones are the same.
#[derive(Clone, Default)]
pub struct SimNet(Arc<Mutex<Net>>);

#[derive(Default)]
struct Net {
    lives: u64,
    nodes: BTreeMap<Peer, Node>,
    /// Names of nodes that do not hear each other.
    blocked: BTreeSet<(String, String)>,
    /// Links that one side closed, and when they are dialled again.
    cut: BTreeMap<(Peer, Peer), Instant>,
}

struct Node {
    steward: StewardSlot,
    news: Arc<Notify>,
    heralds: BTreeMap<ShardId, Epoch>,
    /// Its statements wait while it is shut.
    gate: Gate,
    frozen: Arc<Flag>,
}

/// A node that joins.
pub struct Joining {
    pub peer: Peer,
    pub news: Arc<Notify>,
    pub gate: Gate,
}

/// What one node sees of it.
#[derive(Clone)]
pub struct Seen {
    net: SimNet,
    me: Peer,
}

impl SimNet {
    fn lock(&self) -> MutexGuard<'_, Net> {
        self.0.lock().expect(UNBROKEN)
    }

    pub fn join(&self, name: &str) -> Joining {
        let mut net = self.lock();
        net.lives += 1;
        let peer = Peer {
            name: name.parse().expect("a name"),
            incarnation: Incarnation(net.lives),
        };
        let (news, gate) = (Arc::new(Notify::new()), Gate::default());
        let node = Node {
            steward: StewardSlot::default(),
            news: Arc::clone(&news),
            heralds: BTreeMap::new(),
            gate: Arc::clone(&gate),
            frozen: Arc::default(),
        };
        net.nodes.insert(peer.clone(), node);
        net.tell_all();
        Joining { peer, news, gate }
    }

    pub fn listen(&self, peer: &Peer, steward: StewardSlot) {
        if let Some(node) = self.lock().nodes.get_mut(peer) {
            node.steward = steward;
        }
    }

    pub fn leave(&self, peer: &Peer) {
        let mut net = self.lock();
        net.nodes.remove(peer);
        net.cut.retain(|(a, b), _| a != peer && b != peer);
        net.tell_all();
    }

    pub fn seen_by(&self, me: &Peer) -> Seen {
        Seen {
            net: self.clone(),
            me: me.clone(),
        }
    }

    /// Neither the store nor its peers nor its clients hear of it.
    pub fn freeze(&self, peer: &Peer, frozen: bool) {
        if let Some(node) = self.lock().nodes.get(peer) {
            node.gate.set(frozen);
            node.frozen.set(frozen);
        }
    }

    /// Its statements wait; all else goes on.
    pub fn cut_off_store(&self, peer: &Peer, shut: bool) {
        if let Some(node) = self.lock().nodes.get(peer) {
            node.gate.set(shut);
        }
    }

    /// Two nodes do not hear each other.
    pub fn part(&self, a: &Peer, b: &Peer, parted: bool) {
        let pair = names(a, b);
        let mut net = self.lock();
        if parted {
            net.blocked.insert(pair);
        } else {
            net.blocked.remove(&pair);
        }
    }

    /// Everything is as it should be.
    pub fn heal(&self) {
        let mut net = self.lock();
        net.blocked.clear();
        for node in net.nodes.values() {
            node.gate.set(false);
            node.frozen.set(false);
        }
    }

    /// Returns while the node is not frozen.
    pub async fn thawed(&self, peer: &Peer) {
        let node = self
            .lock()
            .nodes
            .get(peer)
            .map(|node| Arc::clone(&node.frozen));
        if let Some(frozen) = node {
            frozen.is(false).await;
        }
    }
}

impl Net {
    fn tell_all(&self) {
        self.nodes.values().for_each(|node| node.news.notify_one());
    }

    fn hear_each_other(&self, a: &Peer, b: &Peer) -> bool {
        let awake = |peer| {
            self.nodes
                .get(peer)
                .is_some_and(|node| !node.frozen.is_up())
        };
        awake(a) && awake(b) && !self.blocked.contains(&names(a, b))
    }

    fn linked(&mut self, a: &Peer, b: &Peer) -> bool {
        if !self.nodes.contains_key(a) || !self.nodes.contains_key(b) || a == b {
            return false;
        }
        let pair = pair(a, b);
        match self.cut.get(&pair) {
            None => true,
            Some(again) if Instant::now() >= *again && self.hear_each_other(a, b) => {
                self.cut.remove(&pair);
                true
            }
            Some(_) => false,
        }
    }

    fn linked_to(&mut self, me: &Peer) -> Vec<Peer> {
        let all: Vec<Peer> = self.nodes.keys().cloned().collect();
        all.into_iter()
            .filter(|peer| self.linked(me, peer))
            .collect()
    }
}

impl Registry for Seen {
    fn announce(&self, shard: ShardId, epoch: Epoch) {
        let mut net = self.net.lock();
        if let Some(node) = net.nodes.get_mut(&self.me) {
            node.heralds.insert(shard, epoch);
        }
        net.tell_all();
    }

    fn retract(&self, shard: ShardId) {
        let mut net = self.net.lock();
        let known = net.nodes.get_mut(&self.me);
        if known.is_some_and(|node| node.heralds.remove(&shard).is_some()) {
            net.tell_all();
        }
    }

    fn heralds(&self) -> Vec<Herald> {
        let mut net = self.net.lock();
        let mut seen = net.linked_to(&self.me);
        seen.push(self.me.clone());
        let of = |peer: &Peer| {
            let node = net.nodes.get(peer)?;
            let heralds = node.heralds.iter().map(|(shard, epoch)| Herald {
                shard: *shard,
                epoch: *epoch,
                peer: peer.clone(),
            });
            Some(heralds.collect::<Vec<_>>())
        };
        seen.iter().filter_map(of).flatten().collect()
    }
}

#[async_trait]
impl Fabric for Seen {
    fn linked(&self) -> Vec<Peer> {
        self.net.lock().linked_to(&self.me)
    }

    fn link(&self, peer: &Peer) -> Link {
        let mut net = self.net.lock();
        if net.linked(&self.me, peer) {
            Link::Up
        } else if net.nodes.contains_key(peer) {
            Link::Unknown
        } else {
            Link::Refused
        }
    }

    async fn ask(&self, peer: &Peer, ask: Ask, within: Duration) -> Result<Answer, AskError> {
        let late = || AskError::Late(peer.name.clone());
        let steward = {
            let mut net = self.net.lock();
            if !net.linked(&self.me, peer) {
                return Err(AskError::NoLink(peer.name.clone()));
            }
            let hears = net.hear_each_other(&self.me, peer);
            let node = net.nodes.get(peer).filter(|_| hears);
            node.map(|node| node.steward.clone())
        };
        let Some(steward) = steward else {
            tokio::time::sleep(within).await;
            return Err(late());
        };
        let answer = async {
            tokio::time::sleep(LATENCY).await;
            steward.ask(ask).await
        };
        let answered = tokio::time::timeout(within, answer).await;
        // The answer may be lost on its way back.
        if !self.net.lock().hear_each_other(&self.me, peer) {
            tokio::time::sleep(within).await;
            return Err(late());
        }
        answered.ok().flatten().ok_or_else(late)
    }

    fn cut(&self, peer: &Peer) {
        let mut net = self.net.lock();
        let again = Instant::now() + DIAL_AGAIN;
        net.cut.insert(pair(&self.me, peer), again);
        net.tell_all();
    }

    fn address(&self, peer: &Peer) -> Option<String> {
        Some(peer.to_string())
    }

    fn suggest(&self, _peer: &Peer, _address: &str) {}
}

fn pair(a: &Peer, b: &Peer) -> (Peer, Peer) {
    (a.min(b).clone(), a.max(b).clone())
}

fn names(a: &Peer, b: &Peer) -> (String, String) {
    let (a, b) = (a.name.to_string(), b.name.to_string());
    if a < b { (a, b) } else { (b, a) }
}

const LATENCY: Duration = Duration::from_millis(1);
const DIAL_AGAIN: Duration = Duration::from_millis(200);
