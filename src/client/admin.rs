//! What an operator asks of the ops address.

use proto::v1::admin_service_client::AdminServiceClient;
use proto::v1::{
    DrainNodeRequest, GetClusterRequest, GetClusterResponse, GetTotalsRequest, GetTotalsResponse,
    GetTreeRequest, GetTreeResponse, ListAdminTablesRequest, ListAdminTablesResponse,
    ResumeTableRequest, VoidHandRequest,
};

use super::error::CallError;
use super::link::Link;

/// An operator's side of a link.
#[derive(Clone, Debug)]
pub struct Operator {
    link: Link,
}

impl Operator {
    /// On an ops address; does not connect yet.
    pub fn new(link: Link) -> Operator {
        Operator { link }
    }

    /// A page of tables of the whole cluster.
    pub async fn tables(
        &self,
        message: ListAdminTablesRequest,
    ) -> Result<ListAdminTablesResponse, CallError> {
        let ask = |channel, _first| {
            let message = message.clone();
            async move {
                AdminServiceClient::new(channel)
                    .list_admin_tables(message)
                    .await
            }
        };
        Ok(self.link.repeat(ask).await?.message)
    }

    /// Starts a parked table again.
    pub async fn resume(&self, table: &str) -> Result<(), CallError> {
        let message = ResumeTableRequest {
            table_id: table.into(),
        };
        let ask = |channel, _first| {
            let message = message.clone();
            async move { AdminServiceClient::new(channel).resume_table(message).await }
        };
        self.link.repeat(ask).await.map(drop)
    }

    /// Voids the hand of a parked table. The reason goes into the log.
    pub async fn void(&self, table: &str, hand: u64, reason: &str) -> Result<(), CallError> {
        let message = VoidHandRequest {
            table_id: table.into(),
            hand,
            reason: reason.into(),
        };
        let ask = |channel, _first| {
            let message = message.clone();
            async move { AdminServiceClient::new(channel).void_hand(message).await }
        };
        self.link.repeat(ask).await.map(drop)
    }

    /// A node's supervision tree, depth first; of the node that is asked if the name is empty.
    pub async fn tree(&self, node: &str, shard: Option<u32>) -> Result<GetTreeResponse, CallError> {
        let message = GetTreeRequest {
            node: node.into(),
            shard,
        };
        let ask = |channel, _first| {
            let message = message.clone();
            async move { AdminServiceClient::new(channel).get_tree(message).await }
        };
        Ok(self.link.repeat(ask).await?.message)
    }

    /// The node's counts, its ledger included.
    pub async fn totals(&self) -> Result<GetTotalsResponse, CallError> {
        let ask = |channel, _first| async move {
            AdminServiceClient::new(channel)
                .get_totals(GetTotalsRequest {})
                .await
        };
        Ok(self.link.repeat(ask).await?.message)
    }

    /// The nodes and shards of the cluster, as this node sees them.
    pub async fn cluster(&self) -> Result<GetClusterResponse, CallError> {
        let ask = |channel, _first| async move {
            AdminServiceClient::new(channel)
                .get_cluster(GetClusterRequest {})
                .await
        };
        Ok(self.link.repeat(ask).await?.message)
    }

    /// Has the node give its shards to others; how many are left.
    pub async fn drain(&self) -> Result<u32, CallError> {
        let ask = |channel, _first| async move {
            AdminServiceClient::new(channel)
                .drain_node(DrainNodeRequest {})
                .await
        };
        Ok(self.link.repeat(ask).await?.message.shards_left)
    }
}
