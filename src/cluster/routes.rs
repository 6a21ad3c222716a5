//! Where a table is served, as far as this node knows. A hint: whoever is asked knows whether it is so.

use std::{collections::BTreeMap, sync::Arc};

use tokio::sync::watch;

use super::peer::Peer;
use crate::ids::{Epoch, ShardCount, ShardId, TableId};

/// The routes of a node. Clones are the same routes.
#[derive(Clone)]
pub struct Routes(Option<watch::Receiver<Arc<Table>>>, ShardCount);

/// A place where a shard is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// This node.
    Here,
    /// Another node.
    There(Arc<Neighbour>),
    /// Nobody, as far as is known here.
    Nowhere,
}

/// A node, and where it can be reached.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Neighbour {
    /// Which incarnation.
    pub peer: Peer,
    /// Where nodes connect, `host:port`.
    pub nodes: String,
    /// Where players connect; empty until it said so.
    pub players: String,
    /// Where operators connect; empty until it said so.
    pub operators: String,
    /// On its way out.
    pub draining: bool,
}

/// A shard's owner in the tables of the routes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Where.
    pub place: Place,
    /// In which epoch.
    pub epoch: Epoch,
}

/// What the steward publishes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// The owners that are known.
    pub owners: BTreeMap<ShardId, Owner>,
    /// The nodes that there is a link to.
    pub neighbours: Vec<Arc<Neighbour>>,
    /// This node, once its steward is up.
    pub me: Option<Arc<Neighbour>>,
}

impl Routes {
    /// The routes of a node that is alone: everything is here.
    pub fn alone(count: ShardCount) -> Self {
        Self(None, count)
    }

    pub(super) fn new(table: watch::Receiver<Arc<Table>>, count: ShardCount) -> Self {
        Self(Some(table), count)
    }

    /// Whether there can be other nodes at all.
    pub fn is_alone(&self) -> bool {
        self.0.is_none()
    }

    /// Where a table is served.
    pub fn of(&self, table: TableId) -> Place {
        let Some(routes) = &self.0 else {
            return Place::Here;
        };
        let shard = ShardId::of(table, self.1);
        let routes = routes.borrow();
        let owner = routes.owners.get(&shard);
        owner.map_or(Place::Nowhere, |owner| owner.place.clone())
    }

    /// The present routes; none for a node that is alone.
    pub fn table(&self) -> Arc<Table> {
        self.0
            .as_ref()
            .map_or_else(Arc::default, |table| Arc::clone(&table.borrow()))
    }

    /// The nodes that serve some shard, other than this one.
    pub fn serving(&self) -> Vec<Arc<Neighbour>> {
        let table = self.table();
        let mut serving: Vec<Arc<Neighbour>> = table
            .owners
            .values()
            .filter_map(|owner| match &owner.place {
                Place::There(neighbour) => Some(Arc::clone(neighbour)),
                Place::Here | Place::Nowhere => None,
            })
            .collect();
        serving.sort_unstable();
        serving.dedup();
        serving
    }

    /// Whether every shard is served by somebody.
    pub fn complete(&self) -> bool {
        self.0.is_none() || self.table().owners.len() == usize::from(self.1.value())
    }

    /// Returns when the routes changed since this handle last looked. Never for a node that is alone.
    pub async fn changed(&mut self) {
        let ended = match &mut self.0 {
            Some(table) => table.changed().await.is_err(),
            None => true,
        };
        if ended {
            std::future::pending::<()>().await;
        }
    }
}
