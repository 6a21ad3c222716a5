//! The [`Fabric`] of a real cluster: links of `ractor_cluster`, an envoy on each node, and what dialling found out.
//!
//! The envoy is the one actor of a node that others may call. Its name says whose it is: names travel with the process
//! groups, and a reference cannot travel in a message.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use async_trait::async_trait;
use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, RpcReplyPort, rpc::CallResult};
use ractor_cluster::{NodeServerMessage, RactorClusterMessage};
use serde::{Serialize, de::DeserializeOwned};
use supervisors::{ChildSpec, StartError};
use tokio::{sync::Notify, task::JoinSet, time::Instant};

use super::node::Sessions;
use crate::cluster::{
    evidence::Link,
    fabric::{Answer, Ask, AskError, Fabric},
    peer::Peer,
    steward::StewardSlot,
};

/// The links of this node. Clones are the same links.
#[derive(Clone)]
pub struct Net(Arc<Inner>);

struct Inner {
    me: Peer,
    sessions: Sessions,
    news: Arc<Notify>,
    lost: Notify,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    peers: BTreeMap<Peer, Known>,
    /// Which peer answered at an address that was dialled.
    aliases: BTreeMap<String, Peer>,
    /// Addresses of links that were lost and not dialled since.
    lost: BTreeSet<String>,
    /// Addresses where this node answered itself.
    selves: BTreeSet<String>,
}

struct Known {
    address: String,
    up: bool,
    refused: bool,
    /// Last linked, met or suggested.
    heard: Instant,
    /// When this node last opened a link to it.
    opened: Option<Instant>,
}

impl Net {
    /// No links yet.
    pub fn new(me: Peer, sessions: Sessions, news: Arc<Notify>) -> Self {
        Self(Arc::new(Inner {
            me,
            sessions,
            news,
            lost: Notify::new(),
            table: Mutex::default(),
        }))
    }

    /// The nodes that there is a link to.
    pub fn known(&self) -> Vec<Peer> {
        let table = self.lock();
        let up = table.peers.iter().filter(|(_, known)| known.up);
        up.map(|(peer, _)| peer.clone()).collect()
    }

    /// A handshake told who listens at an address.
    pub(super) fn met(&self, peer: &Peer, address: &str) {
        self.hear(peer, address);
        if let Some(known) = self.lock().peers.get_mut(peer) {
            known.refused = false;
        }
    }

    /// A node that this one dials was here: it is dialled at once, if there is no link.
    pub(super) fn call_back(&self, peer: &Peer, address: &str) {
        self.met(peer, address);
        let mut table = self.lock();
        let opened = table.peers.get(peer).and_then(|known| known.opened);
        if opened.is_some_and(|at| at.elapsed() < LINK_MAX) {
            return;
        }
        table.lost.insert(address.into());
        drop(table);
        self.0.lost.notify_one();
    }

    /// This node opened a link to it, which is up in a moment.
    pub(super) fn opened(&self, peer: &Peer) {
        if let Some(known) = self.lock().peers.get_mut(peer) {
            known.opened = Some(Instant::now());
        }
    }

    /// A dial to this address found this peer.
    pub(super) fn alias(&self, address: &str, peer: &Peer) {
        self.lock().aliases.insert(address.into(), peer.clone());
    }

    /// A dial to this address found this very node.
    pub(super) fn myself(&self, address: &str) {
        self.lock().selves.insert(address.into());
    }

    /// Nobody listens there.
    pub(super) fn refused(&self, address: &str) {
        let mut table = self.lock();
        let alias = table.aliases.get(address).cloned();
        let mut news = false;
        for (peer, known) in &mut table.peers {
            let there = known.address == address || alias.as_ref() == Some(peer);
            if there && !known.up && !known.refused {
                known.refused = true;
                news = true;
            }
        }
        drop(table);
        if news {
            self.0.news.notify_one();
        }
    }

    /// Addresses to dial: seeds, and nodes that were heard of lately, without those that are linked.
    pub(super) fn to_dial(&self, seeds: &[String]) -> BTreeSet<String> {
        let table = self.lock();
        let linked = |address: &String| {
            let at = |known: &Known| known.up && known.address == *address;
            let alias = table
                .aliases
                .get(address)
                .and_then(|peer| table.peers.get(peer));
            table.peers.values().any(at) || alias.is_some_and(|known| known.up)
        };
        let heard = table
            .peers
            .values()
            .filter(|known| !known.up && known.heard.elapsed() < HEARD_LATELY)
            .map(|known| known.address.clone());
        heard
            .chain(seeds.iter().cloned())
            .filter(|address| !table.selves.contains(address) && !linked(address))
            .collect()
    }

    /// Whether the link at this address was lost, or its node called, since this was last asked.
    pub(super) fn take_lost(&self, address: &str) -> bool {
        self.lock().lost.remove(address)
    }

    /// Returns when a link was lost.
    pub(super) async fn lost(&self) {
        self.0.lost.notified().await;
    }

    /// Brings the table up to date with the process group of envoys.
    pub(super) fn refresh(&self) {
        let present: BTreeSet<Peer> = envoys()
            .filter(|(peer, _)| *peer != self.0.me)
            .map(|(peer, _)| peer)
            .collect();
        let mut table = self.lock();
        let mut lost = Vec::new();
        for (peer, known) in &mut table.peers {
            let up = present.contains(peer);
            if known.up && !up {
                tracing::warn!(peer = %peer.name, "link lost");
                known.refused = false;
                lost.push(known.address.clone());
            }
            if up && !known.up {
                tracing::info!(peer = %peer.name, "linked");
            }
            if known.up || up {
                known.heard = Instant::now();
            }
            known.up = up;
        }
        for peer in present {
            table.peers.entry(peer).or_insert_with(|| Known {
                address: String::new(),
                up: true,
                refused: false,
                heard: Instant::now(),
                opened: None,
            });
        }
        let any = !lost.is_empty();
        table.lost.extend(lost);
        drop(table);
        if any {
            self.0.lost.notify_one();
        }
        self.0.news.notify_one();
    }

    fn hear(&self, peer: &Peer, address: &str) {
        let mut table = self.lock();
        let known = table.peers.entry(peer.clone()).or_insert_with(|| Known {
            address: String::new(),
            up: false,
            refused: false,
            heard: Instant::now(),
            opened: None,
        });
        known.address = address.into();
        known.heard = Instant::now();
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0
            .table
            .lock()
            .expect("no code panics while it holds this lock")
    }
}

#[async_trait]
impl Fabric for Net {
    fn linked(&self) -> Vec<Peer> {
        self.known()
    }

    fn link(&self, peer: &Peer) -> Link {
        match self.lock().peers.get(peer) {
            Some(known) if known.up => Link::Up,
            Some(known) if known.refused => Link::Refused,
            Some(_) | None => Link::Unknown,
        }
    }

    async fn ask(&self, peer: &Peer, ask: Ask, within: Duration) -> Result<Answer, AskError> {
        let name = || peer.name.clone();
        let envoy = envoys().find(|(known, _)| known == peer);
        let (_, cell) = envoy.ok_or_else(|| AskError::NoLink(name()))?;
        let envoy: ActorRef<EnvoyMsg> = cell.into();
        let ask = encode(&ask);
        // Without a limit a call whose answer is lost would hang for ever.
        let answer = envoy
            .call(|reply| EnvoyMsg::Ask(ask, reply), Some(within))
            .await;
        match answer {
            Ok(CallResult::Success(bytes)) => {
                decode(&bytes).ok_or_else(|| AskError::Unreadable(name()))
            }
            Ok(CallResult::Timeout | CallResult::SenderError) => Err(AskError::Late(name())),
            Err(_closed) => Err(AskError::NoLink(name())),
        }
    }

    fn cut(&self, peer: &Peer) {
        let Some(server) = self.0.sessions.find() else {
            return;
        };
        let name = format!("{}@{}", peer.name, peer.incarnation.0);
        tokio::spawn(async move {
            let asked = server
                .call(NodeServerMessage::GetSessions, Some(CUT_MAX))
                .await;
            let Ok(CallResult::Success(sessions)) = asked else {
                tracing::warn!("the sessions are not known; a link stays open");
                return;
            };
            for session in sessions.into_values() {
                if session.peer_name.is_some_and(|known| known.name == name) {
                    session.actor.stop(Some("no sign of life".into()));
                }
            }
        });
    }

    fn address(&self, peer: &Peer) -> Option<String> {
        let table = self.lock();
        let address = table.peers.get(peer)?.address.clone();
        (!address.is_empty()).then_some(address)
    }

    fn suggest(&self, peer: &Peer, address: &str) {
        self.hear(peer, address);
    }
}

/// The actor that other nodes ask.
pub struct Envoy;

/// What it is asked: bytes, whose first one is the version of the rest.
#[derive(RactorClusterMessage)]
pub enum EnvoyMsg {
    /// An [`Ask`], answered with an [`Answer`].
    #[rpc]
    Ask(Vec<u8>, RpcReplyPort<Vec<u8>>),
}

impl Envoy {
    /// The child spec.
    pub fn child(me: &Peer, steward: StewardSlot) -> ChildSpec {
        let me = me.clone();
        ChildSpec::new("envoy", move |supervisor| {
            let (name, steward) = (format!("{ENVOY}{me}"), steward.clone());
            async move {
                let (envoy, _) =
                    Actor::spawn_linked(Some(name), Envoy, steward, supervisor).await?;
                Ok::<_, StartError>(envoy)
            }
        })
    }
}

impl Actor for Envoy {
    type Msg = EnvoyMsg;
    type State = (StewardSlot, JoinSet<()>);
    type Arguments = StewardSlot;

    async fn pre_start(
        &self,
        myself: ActorRef<EnvoyMsg>,
        steward: StewardSlot,
    ) -> Result<Self::State, ActorProcessingErr> {
        ractor::pg::join_scoped(NODES.into(), ENVOYS.into(), vec![myself.get_cell()]);
        Ok((steward, JoinSet::new()))
    }

    async fn handle(
        &self,
        _myself: ActorRef<EnvoyMsg>,
        EnvoyMsg::Ask(bytes, reply): EnvoyMsg,
        (steward, tasks): &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let Some(ask) = decode::<Ask>(&bytes) else {
            tracing::warn!(
                bytes = bytes.len(),
                "a node asks something that this release does not read"
            );
            return Ok(());
        };
        while tasks.try_join_next().is_some() {}
        let steward = steward.clone();
        tasks.spawn(async move {
            // Without a steward there is no answer, and the asker's time runs out.
            if let Some(answer) = steward.ask(ask).await
                && reply.send(encode(&answer)).is_err()
            {
                tracing::debug!("a node that asked did not wait");
            }
        });
        Ok(())
    }
}

fn envoys() -> impl Iterator<Item = (Peer, ActorCell)> {
    let members = ractor::pg::get_scoped_members(&NODES.into(), &ENVOYS.into());
    members.into_iter().filter_map(|cell| {
        let name = cell.get_name()?;
        Some((name.strip_prefix(ENVOY)?.parse().ok()?, cell))
    })
}

fn encode<T: Serialize>(message: &T) -> Vec<u8> {
    let mut bytes = vec![FORM];
    rmp_serde::encode::write_named(&mut bytes, message)
        .expect("small enums of numbers and text serialise into memory");
    bytes
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let (form, rest) = bytes.split_first()?;
    (*form == FORM).then_some(())?;
    rmp_serde::from_slice(rest).ok()
}

/// The form of asks and answers.
const FORM: u8 = 1;
/// The scope and the group of envoys, and how their names begin.
pub(super) const NODES: &str = "nodes";
const ENVOYS: &str = "envoys";
const ENVOY: &str = "envoy/";
/// From a dial to a link whose other end is seen, or it failed.
const LINK_MAX: Duration = Duration::from_secs(2);
/// A local call.
const CUT_MAX: Duration = Duration::from_secs(1);
/// A node that nobody has heard of for so long is dialled no more, unless it is a seed.
const HEARD_LATELY: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cluster::fabric::Status,
        ids::{Epoch, ShardId},
        store::Incarnation,
    };

    #[test]
    fn asks_and_answers_read_as_written_and_nothing_else_does() {
        let ask = Ask::HandOver {
            shard: ShardId(3),
            epoch: Epoch(7),
            k: 0,
        };
        assert_eq!(decode(&encode(&ask)), Some(ask.clone()));
        let status = Answer::Status(Status {
            draining: true,
            players: "a:1".into(),
            operators: "b:2".into(),
        });
        assert_eq!(decode(&encode(&status)), Some(status));
        let mut bytes = encode(&ask);
        bytes[0] = FORM + 1;
        assert_eq!(decode::<Ask>(&bytes), None);
        for length in 0..bytes.len() {
            bytes[0] = FORM;
            assert_eq!(decode::<Ask>(&bytes[..length]), None, "{length}");
        }
    }

    fn peer(name: &str) -> Peer {
        Peer {
            name: name.parse().expect("a name"),
            incarnation: Incarnation(1),
        }
    }

    #[test]
    fn what_is_dialled_and_what_a_refusal_says() {
        let net = Net::new(peer("me"), Sessions::default(), Arc::default());
        let seeds = ["s:1".to_owned(), "me:1".to_owned()];
        net.myself("me:1");
        net.suggest(&peer("b"), "b:1");
        let dialled = net.to_dial(&seeds);
        assert_eq!(dialled.into_iter().collect::<Vec<_>>(), ["b:1", "s:1"]);
        assert_eq!(net.link(&peer("b")), Link::Unknown);
        net.refused("b:1");
        assert_eq!(net.link(&peer("b")), Link::Refused);
        net.met(&peer("b"), "b:1");
        assert_eq!(
            net.link(&peer("b")),
            Link::Unknown,
            "somebody is there after all"
        );
        net.alias("s:1", &peer("b"));
        net.refused("s:1");
        assert_eq!(net.link(&peer("b")), Link::Refused, "by its other address");
    }

    #[test]
    fn a_node_that_calls_while_its_link_is_opened_is_not_dialled_twice() {
        let net = Net::new(peer("me"), Sessions::default(), Arc::default());
        net.call_back(&peer("b"), "b:1");
        assert!(net.take_lost("b:1"));
        net.opened(&peer("b"));
        net.call_back(&peer("b"), "b:1");
        assert!(!net.take_lost("b:1"));
    }
}
