//! `AdminService`, on the ops port. No call shows a card.

mod list;

use std::{pin::Pin, sync::Arc, time::Duration};

use proto::v1::{
    self, admin_service_client::AdminServiceClient, admin_service_server::AdminService,
};
use tonic::{Code, Request, Response, Status, transport::Channel};

use super::forward::Ways;
use super::{
    convert::request,
    status::{self, Invalid},
};
use crate::{
    cluster::{Place, StewardSlot, routes::Owner},
    ids::{ShardId, TableId},
    table::{AdminTable, Tables, Totals},
};

/// Asks for the supervision tree of this node, the branch of one shard in full: its lines in depth-first order.
pub type Tree = Arc<
    dyn Fn(Option<ShardId>) -> Pin<Box<dyn Future<Output = Vec<TreeLine>> + Send>> + Send + Sync,
>;

/// One supervisor or worker, or a line for many of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeLine {
    /// Its id under its supervisor.
    pub name: String,
    /// What it is.
    pub kind: TreeKind,
    /// When it is started again, in one word; empty for what is under no supervisor.
    pub restart: &'static str,
    /// Where it is in its life, in one word.
    pub state: &'static str,
    /// How often it was restarted.
    pub restarts: u64,
    /// Since its last start.
    pub age: Option<Duration>,
    /// How long a message waits in its mailbox.
    pub mailbox: Mailbox,
    /// Requests that it has taken in and not finished.
    pub waiting: Option<u32>,
    /// 0 is the node's supervisor.
    pub depth: u32,
}

/// What a line of a tree is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TreeKind {
    /// An actor that works.
    Worker,
    /// A supervisor.
    Supervisor {
        /// `one_for_one` and so on.
        strategy: &'static str,
        /// Restarts of its children that count towards its intensity now.
        recent: u32,
        /// How many may.
        max: u32,
        /// In which period.
        period: Duration,
        /// All since it started.
        restarts_below: u64,
    },
    /// So many workers: restarts and what waits are sums, the mailbox is the worst of those that were probed.
    Children {
        /// How many.
        all: u64,
        /// How many of them were probed.
        probed: u32,
    },
}

/// What is known of a mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mailbox {
    /// Nobody says how to look, or there is none now.
    NotProbed,
    /// A message waits so long.
    Waits(Duration),
    /// A message waits longer than this.
    Silent(Duration),
}

/// What operators do.
pub struct AdminApi {
    /// The tables.
    pub tables: Tables,
    /// The tree.
    pub tree: Tree,
    /// The other nodes.
    pub cluster: ClusterView,
    /// How long a page of tables, or another node, may take. Less than the gate's time, which ends without a reason.
    pub patience: Duration,
    /// Calls come from another node, which knew whom it asks: they are not passed on again.
    pub for_nodes: bool,
}

/// The cluster as this node sees it.
#[derive(Clone)]
pub struct ClusterView {
    /// This node's name.
    pub name: String,
    /// Where shards are.
    pub ways: Ways,
    /// Who drains it; `None`: the node is alone.
    pub steward: Option<StewardSlot>,
}

#[tonic::async_trait]
impl AdminService for AdminApi {
    async fn list_admin_tables(
        &self,
        request: Request<v1::ListAdminTablesRequest>,
    ) -> Result<Response<v1::ListAdminTablesResponse>, Status> {
        self.list(request.into_inner()).await.map(Response::new)
    }

    async fn resume_table(
        &self,
        request: Request<v1::ResumeTableRequest>,
    ) -> Result<Response<v1::ResumeTableResponse>, Status> {
        let table = request::table_id("table_id", &request.get_ref().table_id)?;
        if let Some(mut owner) = self.owner(table) {
            return owner.resume_table(request.into_inner()).await;
        }
        tracing::info!(%table, peer = ?request.remote_addr(), "operator resumes table");
        self.tables.resume(table).await.map_err(status::call)?;
        Ok(Response::new(v1::ResumeTableResponse {}))
    }

    async fn void_hand(
        &self,
        request: Request<v1::VoidHandRequest>,
    ) -> Result<Response<v1::VoidHandResponse>, Status> {
        let peer = request.remote_addr();
        let request = request.into_inner();
        let table = request::table_id("table_id", &request.table_id)?;
        if let Some(mut owner) = self.owner(table) {
            return owner.void_hand(request).await;
        }
        let hand = request::hand(request.hand)?;
        let reason = void_reason(request.reason)?;
        tracing::info!(%table, %hand, ?peer, reason, "operator voids hand");
        self.tables
            .void(table, hand, reason)
            .await
            .map_err(status::call)?;
        Ok(Response::new(v1::VoidHandResponse {}))
    }

    async fn get_tree(
        &self,
        request: Request<v1::GetTreeRequest>,
    ) -> Result<Response<v1::GetTreeResponse>, Status> {
        let request = request.into_inner();
        let shard = request
            .shard
            .map(|shard| request::shard(shard, self.tables.count()))
            .transpose()?;
        if let Some(neighbour) = self.known(&request.node)? {
            let ask = v1::GetTreeRequest {
                node: String::new(),
                shard: request.shard,
            };
            let mut node = AdminServiceClient::new(self.cluster.ways.channel(&neighbour));
            let silent = |why: &str| {
                let text = format!("node {} does not answer: {why}", request.node);
                status::answer(Code::FailedPrecondition, "NodeSilent", text)
            };
            return match tokio::time::timeout(self.patience, node.get_tree(ask)).await {
                Ok(answer) => answer.map_err(|error| silent(error.message())),
                Err(_elapsed) => Err(silent("not in time")),
            };
        }
        let nodes = (self.tree)(shard)
            .await
            .into_iter()
            .map(tree_node)
            .collect();
        let node = self.cluster.name.clone();
        Ok(Response::new(v1::GetTreeResponse { nodes, node }))
    }

    async fn get_cluster(
        &self,
        _request: Request<v1::GetClusterRequest>,
    ) -> Result<Response<v1::GetClusterResponse>, Status> {
        Ok(Response::new(cluster(&self.cluster, &self.tables)))
    }

    async fn drain_node(
        &self,
        request: Request<v1::DrainNodeRequest>,
    ) -> Result<Response<v1::DrainNodeResponse>, Status> {
        let Some(steward) = &self.cluster.steward else {
            return Err(status::answer(
                Code::FailedPrecondition,
                "NoCluster",
                "this node is alone: there is nobody to take its shards",
            ));
        };
        tracing::info!(peer = ?request.remote_addr(), "operator drains this node");
        steward.drain().await;
        let left = self
            .tables
            .shards()
            .iter()
            .filter(|shard| shard.tenure.is_here());
        Ok(Response::new(v1::DrainNodeResponse {
            shards_left: u32::try_from(left.count()).unwrap_or(u32::MAX),
        }))
    }

    async fn get_totals(
        &self,
        _request: Request<v1::GetTotalsRequest>,
    ) -> Result<Response<v1::GetTotalsResponse>, Status> {
        let totals = self.tables.totals().await.map_err(status::call)?;
        Ok(Response::new(wire_totals(totals)))
    }
}

impl AdminApi {
    /// The node that serves a table, if it is another one.
    fn owner(&self, table: TableId) -> Option<AdminServiceClient<Channel>> {
        let ways = &self.cluster.ways;
        match ways.routes.of(table) {
            Place::There(neighbour) if !self.for_nodes => {
                Some(AdminServiceClient::new(ways.channel(&neighbour)))
            }
            Place::There(_) | Place::Here | Place::Nowhere => None,
        }
    }
}

fn admin_table(table: AdminTable, node: &str) -> v1::AdminTable {
    v1::AdminTable {
        table_id: table.table.to_string(),
        name: table.name.as_ref().to_owned(),
        shard: table.shard.0.into(),
        epoch: table.epoch.0,
        sequence: table.seq.0,
        hand: table.hand.0,
        hand_running: table.hand_running,
        players: table.players.into(),
        state: table.standing.as_str().to_owned(),
        reason: table.reason,
        restarts: table.restarts,
        node: node.to_owned(),
        seats: table.seats.into(),
        age_ms: table.age_ms,
    }
}

fn tree_node(line: TreeLine) -> v1::TreeNode {
    let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let (mailbox_us, silent) = match line.mailbox {
        Mailbox::NotProbed => (None, false),
        Mailbox::Waits(time) => (Some(micros(time)), false),
        Mailbox::Silent(time) => (Some(micros(time)), true),
    };
    let node = v1::TreeNode {
        name: line.name,
        state: line.state.to_owned(),
        restarts: u32::try_from(line.restarts).unwrap_or(u32::MAX),
        depth: line.depth,
        restart: line.restart.to_owned(),
        age_ms: line.age.map(millis),
        mailbox_us,
        silent,
        waiting: line.waiting,
        ..v1::TreeNode::default()
    };
    match line.kind {
        TreeKind::Worker => v1::TreeNode {
            kind: "worker".to_owned(),
            ..node
        },
        TreeKind::Supervisor {
            strategy,
            recent,
            max,
            period,
            restarts_below,
        } => v1::TreeNode {
            kind: "supervisor".to_owned(),
            strategy: strategy.to_owned(),
            restarts_recent: recent,
            restarts_max: max,
            restarts_period_ms: millis(period),
            restarts_below,
            ..node
        },
        TreeKind::Children { all, probed } => v1::TreeNode {
            kind: "children".to_owned(),
            stands_for: all,
            probed,
            ..node
        },
    }
}

fn wire_totals(totals: Totals) -> v1::GetTotalsResponse {
    v1::GetTotalsResponse {
        tables: totals.sums.tables,
        live: totals.live,
        asleep: totals.sums.asleep,
        parked: totals.parked,
        chips_in: totals.sums.chips_in,
        chips_out: totals.sums.chips_out,
        on_tables: totals.sums.on_tables,
        rake: totals.sums.rake,
        actions: totals.actions,
        hands: totals.hands,
        commits: totals.commits,
    }
}

/// The words that go into the log for ever.
fn void_reason(reason: String) -> Result<String, Invalid> {
    let length = reason.trim().len();
    if (1..=REASON_BYTES_MAX).contains(&length) && !reason.chars().any(char::is_control) {
        return Ok(reason);
    }
    let problem = format!(
        "say who voids the hand and why, in 1 to {REASON_BYTES_MAX} bytes without control characters"
    );
    Err(Invalid::new("reason", "BadReason", problem))
}

/// A few sentences.
const REASON_BYTES_MAX: usize = 500;

fn cluster(view: &ClusterView, tables: &Tables) -> v1::GetClusterResponse {
    let routes = view.ways.routes.table();
    let served = |name: &str| {
        let by = |owner: &&Owner| match &owner.place {
            Place::Here => name == view.name,
            Place::There(neighbour) => name == neighbour.peer.name.as_str(),
            Place::Nowhere => false,
        };
        u32::try_from(routes.owners.values().filter(by).count()).unwrap_or(u32::MAX)
    };
    let alone = view.ways.routes.is_alone();
    let me = routes.me.as_deref();
    let own = v1::ClusterNode {
        name: view.name.clone(),
        draining: me.is_some_and(|me| me.draining),
        incarnation: me.map_or(0, |me| me.peer.incarnation.0),
        nodes_address: me.map_or_else(String::new, |me| me.nodes.clone()),
        players_address: me.map_or_else(String::new, |me| me.players.clone()),
        operators_address: me.map_or_else(String::new, |me| me.operators.clone()),
        shards: if alone {
            tables.count().value().into()
        } else {
            served(&view.name)
        },
        answers: true,
    };
    let others = routes.neighbours.iter().map(|neighbour| v1::ClusterNode {
        name: neighbour.peer.name.to_string(),
        incarnation: neighbour.peer.incarnation.0,
        nodes_address: neighbour.nodes.clone(),
        players_address: neighbour.players.clone(),
        operators_address: neighbour.operators.clone(),
        draining: neighbour.draining,
        shards: served(neighbour.peer.name.as_str()),
        answers: false,
    });
    let shards = tables.shards().iter().map(|shard| {
        let owner = routes.owners.get(&shard.id);
        let (node, epoch) = match owner.map(|owner| (&owner.place, owner.epoch)) {
            Some((Place::Here, epoch)) => (view.name.clone(), epoch.0),
            Some((Place::There(neighbour), epoch)) => (neighbour.peer.name.to_string(), epoch.0),
            None if alone => (view.name.clone(), shard.status.epoch().0),
            Some((Place::Nowhere, _)) | None => (String::new(), 0),
        };
        v1::ClusterShard {
            shard: shard.id.0.into(),
            node,
            epoch,
        }
    });
    v1::GetClusterResponse {
        nodes: std::iter::once(own).chain(others).collect(),
        shards: shards.collect(),
    }
}
