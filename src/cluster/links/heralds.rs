//! The [`Registry`] of a real cluster: a herald for each shard that this node serves, in the process group of its shard.
//!
//! A herald does nothing but be there. Its name says which shard, since which epoch, and whose it is; it leaves the group
//! with the link to its node, at the latest.

use std::collections::BTreeMap;

use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, Message, SupervisionEvent};
use ractor_cluster::RactorClusterMessage;
use supervisors::{ChildSpec, Echo, Probe, StartFn};

use super::net::{NODES, Net};
use crate::{
    cluster::{
        peer::Peer,
        registry::{Herald, Registry},
    },
    ids::{Epoch, ShardId},
};

/// The announcements of this node, and what it sees of those of others. Clones are the same.
#[derive(Clone)]
pub struct Announcements {
    me: Peer,
    heralds: std::sync::Arc<std::sync::Mutex<Option<ActorRef<Order>>>>,
}

impl Announcements {
    /// Of this node.
    pub fn new(me: Peer) -> Self {
        Self {
            me,
            heralds: std::sync::Arc::default(),
        }
    }

    /// The child spec of the actor that keeps the heralds.
    pub fn child(&self, net: Net) -> ChildSpec {
        let announcements = self.clone();
        let start = StartFn::actor(move || (Heralds, (announcements.clone(), net.clone())));
        ChildSpec::from_start("heralds", start).probe(Probe::new(Order::Probe))
    }

    fn order(&self, order: Order) {
        let heralds = self
            .heralds
            .lock()
            .expect("no code panics while it holds this lock")
            .clone();
        if heralds.is_none_or(|heralds| heralds.cast(order).is_err()) {
            tracing::warn!("nobody to announce a shard; it is announced after the restart");
        }
    }
}

impl Registry for Announcements {
    fn announce(&self, shard: ShardId, epoch: Epoch) {
        self.order(Order::Announce(shard, epoch));
    }

    fn retract(&self, shard: ShardId) {
        self.order(Order::Retract(shard));
    }

    fn heralds(&self) -> Vec<Herald> {
        let scope = SHARDS.to_owned();
        ractor::pg::which_scoped_groups(&scope)
            .iter()
            .flat_map(|group| ractor::pg::get_scoped_members(&scope, group))
            .filter_map(|herald| parse(&herald.get_name()?))
            .collect()
    }
}

/// Keeps the heralds of this node: they are its children and end with it.
struct Heralds;

enum Order {
    Announce(ShardId, Epoch),
    Retract(ShardId),
    /// Somebody looks how busy it is.
    Probe(Echo),
}

impl Message for Order {}

impl Actor for Heralds {
    type Msg = Order;
    type State = (Peer, Net, BTreeMap<ShardId, ActorCell>);
    type Arguments = (Announcements, Net);

    async fn pre_start(
        &self,
        myself: ActorRef<Order>,
        (announcements, net): Self::Arguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        for scope in [SHARDS, NODES] {
            ractor::pg::monitor_scope(scope.into(), myself.get_cell());
        }
        *announcements
            .heralds
            .lock()
            .expect("no code panics while it holds this lock") = Some(myself);
        net.refresh();
        Ok((announcements.me, net, BTreeMap::new()))
    }

    async fn handle(
        &self,
        myself: ActorRef<Order>,
        order: Order,
        (me, _, heralds): &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let (shard, epoch) = match order {
            Order::Announce(shard, epoch) => (shard, Some(epoch)),
            Order::Retract(shard) => (shard, None),
            // It finishes one order before it takes the next one in.
            Order::Probe(echo) => {
                echo.answer(0);
                return Ok(());
            }
        };
        if let Some(before) = heralds.remove(&shard) {
            // Out of the group at once; the actor follows.
            ractor::pg::leave_scoped(SHARDS.into(), group(shard), vec![before.clone()]);
            // Its name is free once it has ended, and the next herald may need the same one.
            if let Err(error) = before.stop_and_wait(None, Some(HERALD_STOP_MAX)).await {
                tracing::warn!(%shard, %error, "a herald does not end");
            }
        }
        if let Some(epoch) = epoch {
            let name = format!("{HERALD}{shard}/{epoch}/{me}");
            let (herald, _) =
                Actor::spawn_linked(Some(name), HeraldActor, shard, myself.get_cell()).await?;
            heralds.insert(shard, herald.get_cell());
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _myself: ActorRef<Order>,
        event: SupervisionEvent,
        (_, net, _): &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        if matches!(event, SupervisionEvent::ProcessGroupChanged(_)) {
            net.refresh();
        }
        Ok(())
    }
}

/// One announcement.
struct HeraldActor;

/// Nobody tells a herald anything. It must be something that could be sent between nodes, or they do not see it.
#[derive(RactorClusterMessage)]
enum Silence {
    #[allow(
        dead_code,
        reason = "an enum without a variant cannot be sent, and a herald must be visible"
    )]
    Nothing,
}

impl Actor for HeraldActor {
    type Msg = Silence;
    type State = ();
    type Arguments = ShardId;

    async fn pre_start(
        &self,
        myself: ActorRef<Silence>,
        shard: ShardId,
    ) -> Result<(), ActorProcessingErr> {
        ractor::pg::join_scoped(SHARDS.into(), group(shard), vec![myself.get_cell()]);
        Ok(())
    }
}

fn group(shard: ShardId) -> String {
    format!("shard-{:04}", shard.0)
}

fn parse(name: &str) -> Option<Herald> {
    let (shard, rest) = name.strip_prefix(HERALD)?.split_once('/')?;
    let (epoch, peer) = rest.split_once('/')?;
    Some(Herald {
        shard: shard.parse().ok()?,
        epoch: epoch.parse().ok()?,
        peer: peer.parse().ok()?,
    })
}

/// A herald does nothing, so it ends at once.
const HERALD_STOP_MAX: std::time::Duration = std::time::Duration::from_secs(1);
const SHARDS: &str = "shards";
const HERALD: &str = "herald/";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Incarnation;

    #[test]
    fn a_heralds_name_says_all_that_it_announces() {
        let peer = Peer {
            name: "node-1".parse().expect("a name"),
            incarnation: Incarnation(9),
        };
        let herald = Herald {
            shard: ShardId(12),
            epoch: Epoch(34),
            peer: peer.clone(),
        };
        assert_eq!(parse(&format!("herald/12/34/{peer}")), Some(herald));
        for other in ["herald/12/34", "herald/x/34/a/b", "envoy/a/b", ""] {
            assert_eq!(parse(other), None, "{other}");
        }
    }
}
