//! `AdminService`, on the ops port. No call shows a card.

use std::{pin::Pin, sync::Arc};

use proto::v1::{self, admin_service_server::AdminService};
use tonic::{Code, Request, Response, Status};

use super::forward::Ways;
use super::{
    convert::request::{self, Pages},
    status::{self, Invalid},
};
use crate::{
    cluster::{Place, StewardSlot, routes::Owner},
    table::{AdminTable, Tables, Totals},
};

/// Asks for the supervision tree of this node: its lines in depth-first order.
pub type Tree = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Vec<TreeLine>> + Send>> + Send + Sync>;

/// One supervisor or worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeLine {
    /// Its id under its supervisor.
    pub name: String,
    /// Whether it is a supervisor.
    pub supervisor: bool,
    /// Where it is in its life, in one word.
    pub state: &'static str,
    /// How often it was restarted.
    pub restarts: u32,
    /// 0 is the node's supervisor.
    pub depth: u32,
}

/// What operators do.
pub struct AdminApi {
    /// The tables.
    pub tables: Tables,
    /// The tree.
    pub tree: Tree,
    /// The other nodes.
    pub cluster: ClusterView,
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
        let request = request.into_inner();
        let after = request::after_table(&request.page_token)?;
        let size = TABLES_PAGE.size(request.page_size) as usize;
        let found = self
            .tables
            .admin_list(after, size, request.parked_only)
            .await
            .map_err(status::call)?;
        let next_page_token = match found.last() {
            Some(last) if found.len() >= size => last.table.to_string(),
            Some(_) | None => String::new(),
        };
        let tables = found.into_iter().map(admin_table).collect();
        Ok(Response::new(v1::ListAdminTablesResponse {
            tables,
            next_page_token,
        }))
    }

    async fn resume_table(
        &self,
        request: Request<v1::ResumeTableRequest>,
    ) -> Result<Response<v1::ResumeTableResponse>, Status> {
        let table = request::table_id("table_id", &request.get_ref().table_id)?;
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
        _request: Request<v1::GetTreeRequest>,
    ) -> Result<Response<v1::GetTreeResponse>, Status> {
        let nodes = (self.tree)().await.into_iter().map(tree_node).collect();
        Ok(Response::new(v1::GetTreeResponse { nodes }))
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

fn admin_table(table: AdminTable) -> v1::AdminTable {
    v1::AdminTable {
        table_id: table.table.to_string(),
        name: table.name.as_ref().to_owned(),
        shard: table.shard.0.into(),
        epoch: table.epoch.0,
        sequence: table.seq.0,
        hand: table.hand.0,
        hand_running: table.hand_running,
        players: table.players.into(),
        state: table.state.to_owned(),
        reason: table.reason,
        restarts: table.restarts,
    }
}

fn tree_node(line: TreeLine) -> v1::TreeNode {
    v1::TreeNode {
        name: line.name,
        kind: if line.supervisor {
            "supervisor"
        } else {
            "worker"
        }
        .to_owned(),
        state: line.state.to_owned(),
        restarts: line.restarts,
        depth: line.depth,
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

const TABLES_PAGE: Pages = Pages {
    usual: 100,
    most: 1_000,
};
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
