//! The supervision tree of a node, on one page.
//!
//! ```text
//! node (one_for_one)
//! ├── shard-0000 (rest_for_one)      one for each shard
//! │   ├── log        takes the shard over, commits for its tables
//! │   ├── tables     dynamic supervisor ── one actor for each table that is awake
//! │   └── desk       which table is awake, asleep or parked
//! ├── …
//! ├── ops            health and admin calls
//! └── grpc           players
//! ```
//!
//! Started from left to right, stopped from right to left: when the node is asked to
//! stop, players are let go first and the logs end last. A supervisor that gives up
//! takes the node down with a clear last message; the platform starts it again.

mod listener;
mod setup;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use supervisors::{
    ChildInfo, ChildState, ExitReason, Intensity, Kind, Observer, Strategy, SupervisorHandle,
    SupervisorSpec,
};
use tokio::sync::watch;

pub use self::setup::SetupError;
use self::{
    listener::{Bound, Listener},
    setup::Setup,
};
use crate::{
    config::Config,
    grpc::{self, Operators, OpsServices, Services, Tree, TreeLine},
    table::Tables,
};

/// A running node.
pub struct Node {
    /// Where players connect.
    pub grpc: SocketAddr,
    /// Where operators connect.
    pub ops: SocketAddr,
    /// Its tables.
    pub tables: Tables,
    ready: watch::Receiver<bool>,
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
    } = Setup::of(config).await?;
    let (door, ops) = (
        Bound::to(&config.grpc.host, config.grpc.port)?,
        Bound::to(&config.ops.host, config.ops.port)?,
    );
    let (grpc_address, ops_address) = (door.address, ops.address);
    let (set_ready, ready) = watch::channel(false);
    // The tree draws itself through a handle that exists once it has started.
    let (set_handle, handle) = watch::channel(None);

    let operators = {
        let (tables, ready, options) = (tables.clone(), ready.clone(), grpc_options.clone());
        Listener::child("ops", ops, drain, move |socket, stop| {
            let services = OpsServices {
                tables: tables.clone(),
                tree: observe(handle.clone()),
                operators: Operators::ThisMachine,
                ready: ready.clone(),
            };
            Box::pin(grpc::serve_ops(socket, services, options.clone(), stop))
        })
    };
    let players = {
        let (tables, ready) = (tables.clone(), ready.clone());
        Listener::child("grpc", door, drain, move |socket, stop| {
            let services = Services {
                tables: tables.clone(),
                sessions: sessions.clone(),
                store: Arc::clone(&store),
                keys: keys.clone(),
                ready: ready.clone(),
            };
            Box::pin(grpc::serve(socket, services, grpc_options.clone(), stop))
        })
    };

    let node = SupervisorSpec::new(Strategy::OneForOne).intensity(NODE_RESTARTS);
    let node = tables
        .shards()
        .iter()
        .fold(node, |node, shard| node.child(shard.spec()));
    let tree = node.child(operators).child(players).start().await?;
    set_handle.send_replace(Some(tree.clone()));
    tokio::spawn(follow(tables.clone(), set_ready));
    Ok(Node {
        grpc: grpc_address,
        ops: ops_address,
        tables,
        ready,
        tree,
    })
}

impl Node {
    /// Returns once every shard is taken over.
    pub async fn ready(&self) {
        let mut ready = self.ready.clone();
        if ready.wait_for(|ready| *ready).await.is_err() {
            tracing::debug!("the node ended before it was ready");
        }
    }

    /// Stops it from right to left; returns when all is down.
    pub async fn stop(&self) -> ExitReason {
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

fn observe(handle: watch::Receiver<Option<SupervisorHandle>>) -> Tree {
    Arc::new(move || {
        let handle = handle.borrow().clone();
        Box::pin(async move {
            let mut lines = Vec::new();
            if let Some(handle) = handle {
                lines.push(TreeLine {
                    name: "node".into(),
                    supervisor: true,
                    state: "running",
                    restarts: 0,
                    depth: 0,
                });
                draw(handle.observer(), 1, &mut lines).await;
            }
            lines
        })
    })
}

/// Walks a supervisor's children, depth first; of thousands of tables it draws a few.
async fn draw(observer: Observer, depth: u32, lines: &mut Vec<TreeLine>) {
    let Ok(children) = observer.children().await else {
        return;
    };
    let left_out = children.len().saturating_sub(DRAWN_MAX);
    for child in children.into_iter().take(DRAWN_MAX) {
        lines.push(line(&child, depth));
        if let Some(observer) = child.observer {
            Box::pin(draw(observer, depth + 1, lines)).await;
        }
    }
    if left_out > 0 {
        let name = format!("… and {left_out} more");
        lines.push(TreeLine {
            name,
            supervisor: false,
            state: "",
            restarts: 0,
            depth,
        });
    }
}

fn line(child: &ChildInfo<String>, depth: u32) -> TreeLine {
    let state = match child.state {
        ChildState::Starting => "starting",
        ChildState::Running => "running",
        ChildState::Restarting => "restarting",
        ChildState::Stopping => "stopping",
        ChildState::Stopped => "stopped",
    };
    TreeLine {
        name: child.id.clone(),
        supervisor: child.kind == Kind::Supervisor,
        state,
        restarts: child.restarts,
        depth,
    }
}

/// Shards restart within their own limit; a node whose shards or listeners give up
/// three times in a minute cannot help itself.
const NODE_RESTARTS: Intensity = Intensity::new(3, Duration::from_secs(60));
const READY_EVERY: Duration = Duration::from_millis(20);
const DRAWN_MAX: usize = 300;
