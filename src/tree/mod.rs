//! The supervision tree of a node, on one page.
//!
//! ```text
//! node (one_for_one)
//! ├── shard-0000 (rest_for_one)      one for each shard
//! │   ├── log        takes the shard over, commits for its tables
//! │   ├── tables     dynamic supervisor ── one actor for each table that is awake
//! │   └── desk       which table is awake, asleep or parked
//! ├── …
//! ├── retention      forgets old hands, where the configuration says so
//! ├── ops            health and admin calls
//! └── grpc           players
//! ```
//!
//! A node of a cluster has, in place of the shards,
//!
//! ```text
//! ├── cluster (rest_for_one)
//! │   ├── shards     dynamic supervisor ── one branch for each shard that is served here
//! │   ├── sessions, heralds, envoy, door, dialer     the links to other nodes
//! │   └── steward    takes shards, pulls them, hands them over, gives them up
//! ├── peers          calls that other nodes forward
//! ```
//!
//! Started from left to right, stopped from right to left: when the node is asked to
//! stop, players are let go first and the logs end last. A supervisor that gives up
//! takes the node down with a clear last message; the platform starts it again.

mod cluster;
pub mod keeping;
mod listener;
mod observe;
mod patient;
mod readers;
mod retention;
mod setup;
pub mod stores;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use supervisors::{ExitReason, Intensity, Strategy, SupervisorHandle, SupervisorSpec};
use tokio::sync::watch;

pub use self::setup::SetupError;
use self::{
    cluster::Cluster,
    listener::{Bound, Listener},
    retention::Retention,
    setup::Setup,
};
use crate::{
    cluster::StewardSlot,
    config::Config,
    grpc::{self, ClusterView, Operators, OpsServices, Services, Watches, Ways},
    table::Tables,
};

/// A running node.
pub struct Node {
    /// Where players connect.
    pub grpc: SocketAddr,
    /// Where operators connect.
    pub ops: SocketAddr,
    /// Where other nodes connect; `None`: the node is alone.
    pub nodes: Option<SocketAddr>,
    /// Its tables.
    pub tables: Tables,
    ready: watch::Receiver<bool>,
    steward: Option<StewardSlot>,
    drain: Duration,
    tree: SupervisorHandle,
}

/// Starts a node as its configuration says; returns when its listeners are open.
///
/// # Errors
/// Names what is wrong and what to do: a port in use, a store of another process, a key file that does not read.
pub async fn start(config: &Config) -> Result<Node, SetupError> {
    let Setup {
        store,
        keys,
        tables,
        sessions,
        grpc_options,
        drain,
        identity,
    } = Setup::of(config).await?;
    let (door, ops) = (
        Bound::to(&config.grpc.host, config.grpc.port)?,
        Bound::to(&config.ops.host, config.ops.port)?,
    );
    let (grpc_address, ops_address) = (door.address, ops.address);
    let mut nodes_address = None;
    let cluster = match identity {
        Some(identity) => {
            let nodes = Bound::to(&config.cluster.host, config.cluster.port)?;
            nodes_address = Some(nodes.address);
            let addresses = (nodes, grpc_address, ops_address);
            let store = Arc::clone(&store);
            Some(Cluster::of(config, identity, store, &tables, addresses))
        }
        None => None,
    };
    let alone = || Ways::alone(tables.count());
    let ways = cluster
        .as_ref()
        .map_or_else(alone, |cluster| cluster.ways.clone());
    let steward = cluster.as_ref().map(|cluster| cluster.steward.clone());
    let (set_ready, mut ready) = watch::channel(false);
    match &cluster {
        Some(cluster) => ready = cluster.outlook.ready(),
        None => drop(tokio::spawn(follow(tables.clone(), set_ready))),
    }
    // The tree draws itself through a handle that exists once it has started.
    let (set_handle, handle) = watch::channel(None);
    let services = Services {
        tables: tables.clone(),
        sessions,
        store,
        keys,
        watches: Watches::new(tables.clone(), ways.clone(), grpc_options.watch),
        ways: ways.clone(),
        ready: ready.clone(),
    };

    let ops_services = OpsServices {
        tables: tables.clone(),
        tree: observe::observe(handle),
        operators: Operators::ThisMachine,
        cluster: ClusterView {
            name: config.server.node.clone(),
            ways,
            steward: steward.clone(),
        },
        ready: ready.clone(),
    };
    let operators = {
        let (services, options) = (ops_services.clone(), grpc_options.clone());
        Listener::child("ops", ops, drain, move |socket, stop| {
            let (services, options) = (services.clone(), options.clone());
            Box::pin(grpc::serve_ops(socket, services, options, stop))
        })
    };
    let players = {
        let (services, options) = (services.clone(), grpc_options.clone());
        Listener::child("grpc", door, drain, move |socket, stop| {
            Box::pin(grpc::serve(socket, services.clone(), options.clone(), stop))
        })
    };

    let node = SupervisorSpec::new(Strategy::OneForOne).intensity(NODE_RESTARTS);
    let node = match config.archive.retention_days {
        0 => node,
        days => node.child(Retention::child(Arc::clone(&services.store), days)),
    };
    let node = match cluster {
        Some(Cluster {
            branch, incoming, ..
        }) => {
            let peers = Listener::without_socket("peers", drain, move |stop| {
                let (incoming, services) = (incoming.clone(), services.clone());
                Box::pin(grpc::serve_peers(
                    incoming,
                    services,
                    ops_services.clone(),
                    grpc_options.clone(),
                    stop,
                ))
            });
            node.child(branch.into_child("cluster")).child(peers)
        }
        None => tables
            .shards()
            .iter()
            .fold(node, |node, shard| node.child(shard.spec())),
    };
    let tree = node.child(operators).child(players).start().await?;
    set_handle.send_replace(Some(tree.clone()));
    Ok(Node {
        grpc: grpc_address,
        ops: ops_address,
        nodes: nodes_address,
        tables,
        ready,
        steward,
        drain,
        tree,
    })
}

impl Node {
    /// Returns once every shard is taken over, by this node or, in a cluster, by any.
    pub async fn ready(&self) {
        let mut ready = self.ready.clone();
        if ready.wait_for(|ready| *ready).await.is_err() {
            tracing::debug!("the node ended before it was ready");
        }
    }

    /// Gives its shards to other nodes, if there are any, then stops it from right to left; returns when all is down.
    pub async fn stop(&self) -> ExitReason {
        if let Some(steward) = &self.steward
            && tokio::time::timeout(self.drain, steward.drain())
                .await
                .is_err()
        {
            tracing::warn!("not every shard was given away in time; the others take the rest");
        }
        self.tree.stop().await
    }

    /// Returns when it has ended, and how.
    pub async fn ended(&self) -> ExitReason {
        self.tree.wait().await
    }
}

/// Says whether the node can answer for all its tables, as it changes.
async fn follow(tables: Tables, ready: watch::Sender<bool>) {
    let mut look = tokio::time::interval(READY_EVERY);
    while !ready.is_closed() {
        look.tick().await;
        let now = tables.ready();
        ready.send_if_modified(|before| std::mem::replace(before, now) != now);
    }
}

/// Shards restart within their own limit; a node whose shards or listeners give up
/// three times in a minute cannot help itself.
const NODE_RESTARTS: Intensity = Intensity::new(3, Duration::from_secs(60));
const READY_EVERY: Duration = Duration::from_millis(20);
