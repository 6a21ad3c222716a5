//! A store that is broken on purpose: its appends are plain writes, as if an epoch in the key were fence enough.

use std::sync::Arc;

use async_trait::async_trait;
use openrustpoker::ids::{Epoch, HandNo, PlayerId, ShardId, TableId};
use openrustpoker::store::{
    Answer, Append, Cas, ClusterRecord, HandRecord, HandRef, NodeBeat, Page, ReadLimit, ScanCursor,
    Seal, SegmentChunk, SegmentId, SegmentKey, SegmentState, SessionRecord, ShardRow, Statement,
    Store, StoreError, TokenHash, WriterToken,
};
use scylla::client::session::Session;
use scylla::statement::Consistency;
use scylla::statement::prepared::PreparedStatement;

/// Everything but appends is the real store's.
pub struct Unfenced {
    inner: Arc<dyn Store>,
    session: Session,
    append: PreparedStatement,
}

impl Unfenced {
    pub async fn new(inner: Arc<dyn Store>, session: Session, keyspace: &str) -> Self {
        let text = format!(
            "INSERT INTO {keyspace}.shard_log (shard, epoch, k, n, writer, next_n, last_hash, crc, payload) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
        );
        let mut append = session.prepare(text).await.expect("a plain insert");
        append.set_consistency(Consistency::Quorum);
        Self {
            inner,
            session,
            append,
        }
    }
}

#[async_trait]
impl Store for Unfenced {
    async fn append(&self, append: &Append) -> Answer<Cas<Option<SegmentState>>> {
        let SegmentId { shard, key } = append.segment;
        let n = i64::try_from(append.row.n).expect("a test is short");
        let epoch = i64::try_from(key.epoch.0).expect("a test is short");
        let written = self.session.execute_unpaged(
            &self.append,
            (
                i32::from(shard.0),
                epoch,
                i64::from(key.k),
                n,
                &append.writer.0[..],
                n + 1,
                &append.new_hash.0[..],
                i64::from(append.row.crc),
                &append.row.payload[..],
            ),
        );
        match written.await {
            Ok(_) => Ok(Cas::Applied),
            Err(error) => Err(StoreError::Unknown {
                statement: Statement::Append,
                source: error.into(),
            }),
        }
    }

    async fn cluster(&self) -> Answer<Option<ClusterRecord>> {
        self.inner.cluster().await
    }
    async fn create_cluster(&self, record: &ClusterRecord) -> Answer<Cas<ClusterRecord>> {
        self.inner.create_cluster(record).await
    }
    async fn raise_feature_level(&self, from: u32, to: u32) -> Answer<Cas<Option<ClusterRecord>>> {
        self.inner.raise_feature_level(from, to).await
    }
    async fn shard(&self, shard: ShardId) -> Answer<Option<ShardRow>> {
        self.inner.shard(shard).await
    }
    async fn win_epoch(
        &self,
        shard: ShardId,
        from: Option<Epoch>,
        to: Epoch,
        owner: &str,
    ) -> Answer<Cas<Option<ShardRow>>> {
        self.inner.win_epoch(shard, from, to, owner).await
    }
    async fn set_tail(
        &self,
        shard: ShardId,
        epoch: Epoch,
        tail: SegmentKey,
    ) -> Answer<Cas<Option<ShardRow>>> {
        self.inner.set_tail(shard, epoch, tail).await
    }
    async fn advance_low(
        &self,
        shard: ShardId,
        from: SegmentKey,
        to: SegmentKey,
    ) -> Answer<Cas<Option<ShardRow>>> {
        self.inner.advance_low(shard, from, to).await
    }
    async fn create_segment(
        &self,
        segment: SegmentId,
        writer: WriterToken,
    ) -> Answer<Cas<SegmentState>> {
        self.inner.create_segment(segment, writer).await
    }
    async fn seal(&self, segment: SegmentId, seal: Seal) -> Answer<Cas<Option<SegmentState>>> {
        self.inner.seal(segment, seal).await
    }
    async fn segment(&self, segment: SegmentId) -> Answer<Option<SegmentState>> {
        self.inner.segment(segment).await
    }
    async fn read_rows(
        &self,
        segment: SegmentId,
        from: u64,
        limit: ReadLimit,
    ) -> Answer<Option<SegmentChunk>> {
        self.inner.read_rows(segment, from, limit).await
    }
    async fn delete_rows(&self, segment: SegmentId) -> Answer<()> {
        self.inner.delete_rows(segment).await
    }
    async fn archive_hands(&self, hands: &[HandRecord]) -> Answer<()> {
        self.inner.archive_hands(hands).await
    }
    async fn hand(&self, table: TableId, hand_no: HandNo) -> Answer<Option<HandRecord>> {
        self.inner.hand(table, hand_no).await
    }
    async fn hands_of_table(
        &self,
        table: TableId,
        before: Option<HandNo>,
        limit: u32,
    ) -> Answer<Vec<HandRef>> {
        self.inner.hands_of_table(table, before, limit).await
    }
    async fn hands_of_player(
        &self,
        player: PlayerId,
        before: Option<HandRef>,
        limit: u32,
    ) -> Answer<Vec<HandRef>> {
        self.inner.hands_of_player(player, before, limit).await
    }
    async fn put_session(&self, token: TokenHash, session: &SessionRecord) -> Answer<()> {
        self.inner.put_session(token, session).await
    }
    async fn session(&self, token: TokenHash) -> Answer<Option<SessionRecord>> {
        self.inner.session(token).await
    }
    async fn scan_hands(&self, after: Option<&ScanCursor>, limit: u32) -> Answer<Page<HandRecord>> {
        self.inner.scan_hands(after, limit).await
    }
    async fn scan_sessions(
        &self,
        after: Option<&ScanCursor>,
        limit: u32,
    ) -> Answer<Page<(TokenHash, SessionRecord)>> {
        self.inner.scan_sessions(after, limit).await
    }
    async fn forget_hands(&self, ended_before_ms: u64, limit: u32) -> Answer<u32> {
        self.inner.forget_hands(ended_before_ms, limit).await
    }
    async fn put_beat(&self, beat: &NodeBeat) -> Answer<()> {
        self.inner.put_beat(beat).await
    }
    async fn beats(&self) -> Answer<Vec<NodeBeat>> {
        self.inner.beats().await
    }
}
