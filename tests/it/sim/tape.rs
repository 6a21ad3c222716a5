//! The store of a simulation: the faulty memory store, and a tape of the rows that are
//! pruned from it, so that the whole log can be judged at the end.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, atomic::AtomicBool, atomic::Ordering::Relaxed},
};

use async_trait::async_trait;
use openrustpoker::{
    ids::{Epoch, HandNo, PlayerId, ShardId, TableId},
    store::{
        Answer, Append, Cas, ClusterRecord, HandRecord, HandRef, NodeBeat, Page, ReadLimit, Row,
        ScanCursor, Seal, SegmentChunk, SegmentId, SegmentKey, SegmentState, SessionRecord,
        ShardRow, Store, TokenHash, WriterToken, memory::MemoryStore,
    },
};

use super::{UNBROKEN, flag::Flag};

/// The store. Clones are the same store.
#[derive(Clone, Default)]
pub struct Tape {
    pub memory: MemoryStore,
    pruned: Arc<Mutex<BTreeMap<SegmentId, Vec<Row>>>>,
    /// A mistake made on purpose: an append is said to be applied also after the seal.
    pub unfenced: Arc<AtomicBool>,
    /// Where the statements of one node wait while it is frozen or cut off.
    gate: Option<Gate>,
}

/// Up, and everything waits. Clones are the same.
pub type Gate = Arc<Flag>;

const ALL: ReadLimit = ReadLimit {
    rows: u32::MAX,
    bytes: u64::MAX,
};

impl Tape {
    /// The same store, for a node behind a gate.
    pub fn through(&self, gate: Gate) -> Self {
        Self {
            gate: Some(gate),
            ..self.clone()
        }
    }

    /// The store, once the gate is open.
    async fn memory(&self) -> &MemoryStore {
        if let Some(gate) = &self.gate {
            gate.is(false).await;
        }
        &self.memory
    }

    /// The segments of a shard's chain, from the root on, with all their rows.
    pub async fn chain(&self, shard: ShardId) -> Vec<(SegmentId, SegmentState, Vec<Row>)> {
        let photo = self.memory.photograph();
        let mut chain = Vec::new();
        let mut key = SegmentKey::ROOT;
        loop {
            let id = key.of(shard);
            let Some(chunk) = photo.read_rows(id, 0, ALL).await.expect("no faults") else {
                return chain;
            };
            let pruned = self.pruned.lock().expect(UNBROKEN).get(&id).cloned();
            let rows = if chunk.rows.is_empty() {
                pruned.unwrap_or_default()
            } else {
                chunk.rows
            };
            chain.push((id, chunk.state, rows));
            let Some(seal) = chunk.state.seal else {
                return chain;
            };
            key = seal.next;
        }
    }
}

#[async_trait]
impl Store for Tape {
    async fn delete_rows(&self, segment: SegmentId) -> Answer<()> {
        let photo = self.memory.photograph();
        let chunk = photo.read_rows(segment, 0, ALL).await.expect("no faults");
        if let Some(chunk) = chunk.filter(|chunk| !chunk.rows.is_empty()) {
            self.pruned
                .lock()
                .expect(UNBROKEN)
                .insert(segment, chunk.rows);
        }
        self.memory().await.delete_rows(segment).await
    }

    async fn append(&self, append: &Append) -> Answer<Cas<Option<SegmentState>>> {
        if self.unfenced.load(Relaxed) {
            let photo = self.memory.photograph();
            let state = photo.segment(append.segment).await.expect("no faults");
            if state.is_some_and(|state| state.seal.is_some()) {
                // As a plain write would be: said to be applied, and never read by anybody.
                return Ok(Cas::Applied);
            }
        }
        self.memory().await.append(append).await
    }

    async fn cluster(&self) -> Answer<Option<ClusterRecord>> {
        self.memory().await.cluster().await
    }

    async fn create_cluster(&self, record: &ClusterRecord) -> Answer<Cas<ClusterRecord>> {
        self.memory().await.create_cluster(record).await
    }

    async fn raise_feature_level(&self, from: u32, to: u32) -> Answer<Cas<Option<ClusterRecord>>> {
        self.memory().await.raise_feature_level(from, to).await
    }

    async fn shard(&self, shard: ShardId) -> Answer<Option<ShardRow>> {
        self.memory().await.shard(shard).await
    }

    async fn win_epoch(
        &self,
        shard: ShardId,
        from: Option<Epoch>,
        to: Epoch,
        owner: &str,
    ) -> Answer<Cas<Option<ShardRow>>> {
        self.memory().await.win_epoch(shard, from, to, owner).await
    }

    async fn set_tail(
        &self,
        shard: ShardId,
        epoch: Epoch,
        tail: SegmentKey,
    ) -> Answer<Cas<Option<ShardRow>>> {
        self.memory().await.set_tail(shard, epoch, tail).await
    }

    async fn advance_low(
        &self,
        shard: ShardId,
        from: SegmentKey,
        to: SegmentKey,
    ) -> Answer<Cas<Option<ShardRow>>> {
        self.memory().await.advance_low(shard, from, to).await
    }

    async fn create_segment(
        &self,
        segment: SegmentId,
        writer: WriterToken,
    ) -> Answer<Cas<SegmentState>> {
        self.memory().await.create_segment(segment, writer).await
    }

    async fn seal(&self, segment: SegmentId, seal: Seal) -> Answer<Cas<Option<SegmentState>>> {
        self.memory().await.seal(segment, seal).await
    }

    async fn segment(&self, segment: SegmentId) -> Answer<Option<SegmentState>> {
        self.memory().await.segment(segment).await
    }

    async fn read_rows(
        &self,
        segment: SegmentId,
        from: u64,
        limit: ReadLimit,
    ) -> Answer<Option<SegmentChunk>> {
        self.memory().await.read_rows(segment, from, limit).await
    }

    async fn archive_hands(&self, hands: &[HandRecord]) -> Answer<()> {
        self.memory().await.archive_hands(hands).await
    }

    async fn hand(&self, table: TableId, hand_no: HandNo) -> Answer<Option<HandRecord>> {
        self.memory().await.hand(table, hand_no).await
    }

    async fn hands_of_table(
        &self,
        table: TableId,
        before: Option<HandNo>,
        limit: u32,
    ) -> Answer<Vec<HandRef>> {
        self.memory()
            .await
            .hands_of_table(table, before, limit)
            .await
    }

    async fn hands_of_player(
        &self,
        player: PlayerId,
        before: Option<HandRef>,
        limit: u32,
    ) -> Answer<Vec<HandRef>> {
        self.memory()
            .await
            .hands_of_player(player, before, limit)
            .await
    }

    async fn put_session(&self, token: TokenHash, session: &SessionRecord) -> Answer<()> {
        self.memory().await.put_session(token, session).await
    }

    async fn session(&self, token: TokenHash) -> Answer<Option<SessionRecord>> {
        self.memory().await.session(token).await
    }

    async fn scan_hands(&self, after: Option<&ScanCursor>, limit: u32) -> Answer<Page<HandRecord>> {
        self.memory().await.scan_hands(after, limit).await
    }

    async fn scan_sessions(
        &self,
        after: Option<&ScanCursor>,
        limit: u32,
    ) -> Answer<Page<(TokenHash, SessionRecord)>> {
        self.memory().await.scan_sessions(after, limit).await
    }

    async fn forget_hands(&self, ended_before_ms: u64, limit: u32) -> Answer<u32> {
        self.memory()
            .await
            .forget_hands(ended_before_ms, limit)
            .await
    }

    async fn put_beat(&self, beat: &NodeBeat) -> Answer<()> {
        self.memory().await.put_beat(beat).await
    }

    async fn beats(&self) -> Answer<Vec<NodeBeat>> {
        self.memory().await.beats().await
    }
}
