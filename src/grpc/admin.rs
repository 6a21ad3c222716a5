//! `AdminService`, on the ops port. No call shows a card.

use std::{pin::Pin, sync::Arc};

use proto::v1::{self, admin_service_server::AdminService};
use tonic::{Request, Response, Status};

use super::{
    convert::request::{self, Pages},
    status::{self, Invalid},
};
use crate::table::{AdminTable, Tables, Totals};

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
