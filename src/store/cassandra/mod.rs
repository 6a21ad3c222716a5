//! Apache Cassandra as the store: any number of nodes of ours may believe that they own a shard, and one can write.
//!
//! Every conditional statement of the log protocol is one lightweight transaction in one partition, at SERIAL (or at
//! LOCAL_SERIAL of one data centre, for the whole cluster, as its record says), committed at QUORUM. What makes that safe is
//! checked when the store is opened: paxos v2 on every node, tables that are exactly ours.
//!
//! - `schema.cql`, [`schema`]: the tables, made only by an operator's command
//! - `cluster`, `shards`, `shard_log`: written by conditional statements only (and one range delete)
//! - `hands`, `sessions`, `nodes`: written by plain, idempotent statements only
//! - `driver`, `failure`, `found`: executing, judging errors, reading rows by name
//! - `connect`, `options`, `tls`: getting there

use std::sync::Arc;

use async_trait::async_trait;

use super::{
    Answer, Append, Cas, ClusterRecord, HandRecord, HandRef, NodeBeat, Page, ReadLimit, ScanCursor,
    Seal, SegmentChunk, SegmentId, SegmentKey, SegmentState, SessionRecord, ShardRow, Store,
    TokenHash, WriterToken,
};
use crate::ids::{Epoch, HandNo, PlayerId, ShardId, TableId};

mod cluster;
mod connect;
mod driver;
mod failure;
mod found;
mod hands;
mod nodes;
mod options;
pub mod schema;
mod sessions;
mod shard_log;
mod shards;
mod tls;

pub use connect::OpenError;
pub use options::{CassandraOptions, Login, Password, TlsFiles};

use driver::Driver;
use hands::Wanted;

/// The store.
pub struct CassandraStore {
    driver: Driver,
    cluster: cluster::Cluster,
    shards: shards::Shards,
    shard_log: shard_log::ShardLogTable,
    hands: hands::Hands,
    sessions: sessions::Sessions,
    nodes: nodes::Nodes,
}

impl CassandraStore {
    /// Connects, trying again for as long as the options say while no host answers, and checks that the store can be relied
    /// on.
    ///
    /// # Errors
    /// Names what is wrong and what to do: see [`OpenError`].
    pub async fn open(options: &CassandraOptions) -> Result<Arc<Self>, OpenError> {
        let session = connect::connect(options).await?;
        connect::check(&session, options).await?;
        let columns = schema::lacking(&session, &options.keyspace).await?;
        if !columns.is_empty() {
            let keyspace = options.keyspace.clone();
            let lacking = schema::SchemaError::NoColumn { keyspace, columns };
            tracing::warn!(%lacking, "the tables are of an earlier release");
        }
        let driver = Driver::new(session, options);
        let prepared = tokio::time::timeout(connect::PREPARE_MAX, Self::prepare(driver, options));
        Ok(Arc::new(prepared.await??))
    }

    async fn prepare(driver: Driver, options: &CassandraOptions) -> Result<Self, OpenError> {
        Ok(Self {
            cluster: cluster::Cluster::prepare(&driver).await?,
            shards: shards::Shards::prepare(&driver).await?,
            shard_log: shard_log::ShardLogTable::prepare(&driver).await?,
            hands: hands::Hands::prepare(&driver, options.hands_kept).await?,
            sessions: sessions::Sessions::prepare(&driver).await?,
            nodes: nodes::Nodes::prepare(&driver).await?,
            driver,
        })
    }
}

#[async_trait]
impl Store for CassandraStore {
    async fn cluster(&self) -> Answer<Option<ClusterRecord>> {
        self.cluster.read(&self.driver).await
    }

    async fn create_cluster(&self, record: &ClusterRecord) -> Answer<Cas<ClusterRecord>> {
        self.cluster.create(&self.driver, record).await
    }

    async fn raise_feature_level(&self, from: u32, to: u32) -> Answer<Cas<Option<ClusterRecord>>> {
        self.cluster.raise(&self.driver, from, to).await
    }

    async fn shard(&self, shard: ShardId) -> Answer<Option<ShardRow>> {
        self.shards.read(&self.driver, shard).await
    }

    async fn win_epoch(
        &self,
        shard: ShardId,
        from: Option<Epoch>,
        to: Epoch,
        owner: &str,
    ) -> Answer<Cas<Option<ShardRow>>> {
        self.shards.win(&self.driver, shard, from, to, owner).await
    }

    async fn set_tail(
        &self,
        shard: ShardId,
        epoch: Epoch,
        tail: SegmentKey,
    ) -> Answer<Cas<Option<ShardRow>>> {
        self.shards.set_tail(&self.driver, shard, epoch, tail).await
    }

    async fn advance_low(
        &self,
        shard: ShardId,
        from: SegmentKey,
        to: SegmentKey,
    ) -> Answer<Cas<Option<ShardRow>>> {
        self.shards.advance_low(&self.driver, shard, from, to).await
    }

    async fn create_segment(
        &self,
        segment: SegmentId,
        writer: WriterToken,
    ) -> Answer<Cas<SegmentState>> {
        self.shard_log.create(&self.driver, segment, writer).await
    }

    async fn append(&self, append: &Append) -> Answer<Cas<Option<SegmentState>>> {
        self.shard_log.append(&self.driver, append).await
    }

    async fn seal(&self, segment: SegmentId, seal: Seal) -> Answer<Cas<Option<SegmentState>>> {
        self.shard_log.seal(&self.driver, segment, seal).await
    }

    async fn segment(&self, segment: SegmentId) -> Answer<Option<SegmentState>> {
        self.shard_log.state(&self.driver, segment).await
    }

    async fn read_rows(
        &self,
        segment: SegmentId,
        from: u64,
        limit: ReadLimit,
    ) -> Answer<Option<SegmentChunk>> {
        self.shard_log
            .rows(&self.driver, segment, from, limit)
            .await
    }

    async fn delete_rows(&self, segment: SegmentId) -> Answer<()> {
        self.shard_log.delete_rows(&self.driver, segment).await
    }

    async fn archive_hands(&self, hands: &[HandRecord]) -> Answer<()> {
        self.hands.archive(&self.driver, hands).await
    }

    async fn hand(&self, table: TableId, hand_no: HandNo) -> Answer<Option<HandRecord>> {
        self.hands.read(&self.driver, table, hand_no).await
    }

    async fn hands_of_table(
        &self,
        table: TableId,
        before: Option<HandNo>,
        limit: u32,
    ) -> Answer<Vec<HandRef>> {
        let wanted = Wanted::of_table(table, before);
        self.hands.newest(&self.driver, wanted, limit).await
    }

    async fn hands_of_player(
        &self,
        player: PlayerId,
        before: Option<HandRef>,
        limit: u32,
    ) -> Answer<Vec<HandRef>> {
        let wanted = Wanted::of_player(player, before);
        self.hands.newest(&self.driver, wanted, limit).await
    }

    async fn put_session(&self, token: TokenHash, session: &SessionRecord) -> Answer<()> {
        self.sessions.put(&self.driver, token, session).await
    }

    async fn session(&self, token: TokenHash) -> Answer<Option<SessionRecord>> {
        self.sessions.read(&self.driver, token).await
    }

    async fn scan_hands(&self, after: Option<&ScanCursor>, limit: u32) -> Answer<Page<HandRecord>> {
        self.hands.scan(&self.driver, after, limit).await
    }

    async fn scan_sessions(
        &self,
        after: Option<&ScanCursor>,
        limit: u32,
    ) -> Answer<Page<(TokenHash, SessionRecord)>> {
        self.sessions.scan(&self.driver, after, limit).await
    }

    /// Cassandra forgets by the time to live that hands were archived with.
    async fn forget_hands(&self, _ended_before_ms: u64, _limit: u32) -> Answer<u32> {
        Ok(0)
    }

    async fn put_beat(&self, beat: &NodeBeat) -> Answer<()> {
        self.nodes.put(&self.driver, beat).await
    }

    async fn beats(&self) -> Answer<Vec<NodeBeat>> {
        self.nodes.read(&self.driver).await
    }
}
