//! A store in memory, deterministic, that can be told to misbehave.
//!
//! A clone is another connection to the same cells, so a "restart" is a new clone. Faults are planned by script
//! ([`MemoryStore::script`]) or by seed ([`MemoryStore::seed`]); without a plan every statement is applied and answered at
//! once. Delays are on tokio's clock, so under paused time a run is a function of its seed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::records::{
    ClusterRecord, HandRecord, HandRef, NodeBeat, Page, ScanCursor, SessionRecord, ShardRow,
    TokenHash,
};
use super::segment::{
    Append, ReadLimit, Row, Seal, SegmentChunk, SegmentId, SegmentKey, SegmentState, WriterToken,
};
use super::{Answer, Cas, Statement, Store, StoreError};
use crate::ids::{Epoch, HandNo, PlayerId, ShardId, TableId};
use cells::Cells;
use faults::Plan;

mod cells;
mod faults;

pub use faults::{Fault, FaultRates, SplitMix};

/// The store. See the module.
#[derive(Clone, Default)]
pub struct MemoryStore {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    cells: Cells,
    plan: Plan,
    late: Vec<Late>,
    calls: u64,
    unconditional: bool,
}

/// A statement that its caller has given up on, and that is applied all the same.
struct Late {
    /// The call before which it is applied; `None` until released.
    due: Option<u64>,
    apply: Box<dyn FnOnce(&mut Cells) + Send>,
}

/// What a fault's error says in place of a driver's.
#[derive(Debug, thiserror::Error)]
#[error("fault injected: {0:?}")]
struct Injected(Fault);

impl MemoryStore {
    /// An empty store without faults.
    pub fn new() -> Self {
        Self::default()
    }

    /// The next call of this statement that no earlier entry of the script takes meets this fault.
    pub fn script(&self, statement: Statement, fault: Fault) {
        self.lock().plan.script(statement, fault);
    }

    /// From now on calls that the script says nothing about meet faults at these rates, chosen by the seed.
    pub fn seed(&self, seed: u64, rates: FaultRates) {
        self.lock().plan.seed(seed, rates);
    }

    /// No more faults. Late statements stay late.
    pub fn heal(&self) {
        self.lock().plan.clear();
    }

    /// Applies every statement that is still held or late, in the order in which they were made.
    pub fn release(&self) {
        let inner = &mut *self.lock();
        for late in inner.late.drain(..) {
            (late.apply)(&mut inner.cells);
        }
    }

    /// From now on appends are applied whatever their conditions say: a store that no protocol can be safe on.
    pub fn ignore_append_conditions(&self) {
        self.lock().unconditional = true;
    }

    /// How many calls were made.
    pub fn calls(&self) -> u64 {
        self.lock().calls
    }

    /// Every stored cell that holds bytes or text, with a name: for searches for what must not be there.
    pub fn raw_cells(&self) -> Vec<(String, Vec<u8>)> {
        self.lock().cells.raw()
    }

    /// A copy of the cells as they are now: what a disk would hold after power is cut here.
    pub fn photograph(&self) -> Self {
        let cells = self.lock().cells.clone();
        Self {
            inner: Arc::new(Mutex::new(Inner {
                cells,
                ..Inner::default()
            })),
        }
    }

    /// Changes or removes a row as no statement could.
    pub fn damage_row(
        &self,
        segment: SegmentId,
        n: u64,
        damage: impl FnOnce(Option<Row>) -> Option<Row>,
    ) {
        self.lock().cells.damage(segment, n, damage);
    }

    /// Changes or removes a segment's static part as no statement could.
    pub fn damage_segment(
        &self,
        segment: SegmentId,
        damage: impl FnOnce(Option<SegmentState>) -> Option<SegmentState>,
    ) {
        self.lock().cells.damage_segment(segment, damage);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One call: counts it, applies what is due, then lets the plan decide.
    async fn call<T: Send>(
        &self,
        statement: Statement,
        apply: impl FnOnce(&mut Cells) -> T + Send + 'static,
    ) -> Answer<T> {
        let (fault, before, after) = self.lock().plan.next(statement);
        pause(before).await;
        let answer = self.lock().meet(fault, statement, apply);
        pause(after).await;
        answer
    }
}

/// Sleeps on tokio's clock, and does not touch it for no time at all, so that a store without delays needs no timer.
async fn pause(time: std::time::Duration) {
    if !time.is_zero() {
        tokio::time::sleep(time).await;
    }
}

impl Inner {
    fn meet<T>(
        &mut self,
        fault: Fault,
        statement: Statement,
        apply: impl FnOnce(&mut Cells) -> T + Send + 'static,
    ) -> Answer<T> {
        self.calls += 1;
        self.apply_due();
        let due = match fault {
            Fault::None | Fault::Delay { .. } => return Ok(apply(&mut self.cells)),
            Fault::Refuse => {
                return Err(StoreError::Unavailable {
                    statement,
                    source: Injected(fault).into(),
                });
            }
            Fault::Full => {
                return Err(StoreError::Full {
                    statement,
                    place: "memory".to_owned(),
                });
            }
            Fault::LoseRequest => {
                return Err(StoreError::Unknown {
                    statement,
                    source: Injected(fault).into(),
                });
            }
            Fault::LoseAnswer => {
                apply(&mut self.cells);
                return Err(StoreError::Unknown {
                    statement,
                    source: Injected(fault).into(),
                });
            }
            Fault::Late { calls } => Some(self.calls + u64::from(calls)),
            Fault::Hold => None,
        };
        let apply = Box::new(move |cells: &mut Cells| {
            apply(cells);
        });
        self.late.push(Late { due, apply });
        Err(StoreError::Unknown {
            statement,
            source: Injected(fault).into(),
        })
    }

    fn apply_due(&mut self) {
        let now = self.calls;
        for late in self
            .late
            .extract_if(.., |late| late.due.is_some_and(|due| due <= now))
        {
            (late.apply)(&mut self.cells);
        }
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn cluster(&self) -> Answer<Option<ClusterRecord>> {
        self.call(Statement::Cluster, |cells| cells.cluster()).await
    }

    async fn create_cluster(&self, record: &ClusterRecord) -> Answer<Cas<ClusterRecord>> {
        let record = record.clone();
        self.call(Statement::CreateCluster, move |cells| {
            cells.create_cluster(record)
        })
        .await
    }

    async fn raise_feature_level(&self, from: u32, to: u32) -> Answer<Cas<Option<ClusterRecord>>> {
        self.call(Statement::RaiseFeatureLevel, move |cells| {
            cells.raise_feature_level(from, to)
        })
        .await
    }

    async fn shard(&self, shard: ShardId) -> Answer<Option<ShardRow>> {
        self.call(Statement::Shard, move |cells| cells.shard(shard))
            .await
    }

    async fn win_epoch(
        &self,
        shard: ShardId,
        from: Option<Epoch>,
        to: Epoch,
        owner: &str,
    ) -> Answer<Cas<Option<ShardRow>>> {
        let owner = owner.to_owned();
        self.call(Statement::WinEpoch, move |cells| {
            cells.win_epoch(shard, from, to, owner)
        })
        .await
    }

    async fn set_tail(
        &self,
        shard: ShardId,
        epoch: Epoch,
        tail: SegmentKey,
    ) -> Answer<Cas<Option<ShardRow>>> {
        self.call(Statement::SetTail, move |cells| {
            cells.set_tail(shard, epoch, tail)
        })
        .await
    }

    async fn advance_low(
        &self,
        shard: ShardId,
        from: SegmentKey,
        to: SegmentKey,
    ) -> Answer<Cas<Option<ShardRow>>> {
        self.call(Statement::AdvanceLow, move |cells| {
            cells.advance_low(shard, from, to)
        })
        .await
    }

    async fn create_segment(
        &self,
        segment: SegmentId,
        writer: WriterToken,
    ) -> Answer<Cas<SegmentState>> {
        self.call(Statement::CreateSegment, move |cells| {
            cells.create_segment(segment, writer)
        })
        .await
    }

    async fn append(&self, append: &Append) -> Answer<Cas<Option<SegmentState>>> {
        let append = append.clone();
        if self.lock().unconditional {
            let apply = move |cells: &mut Cells| cells.append_unconditionally(append);
            return self.call(Statement::Append, apply).await;
        }
        self.call(Statement::Append, move |cells| cells.append(append))
            .await
    }

    async fn seal(&self, segment: SegmentId, seal: Seal) -> Answer<Cas<Option<SegmentState>>> {
        self.call(Statement::Seal, move |cells| cells.seal(segment, seal))
            .await
    }

    async fn segment(&self, segment: SegmentId) -> Answer<Option<SegmentState>> {
        self.call(Statement::Segment, move |cells| cells.segment(segment))
            .await
    }

    async fn read_rows(
        &self,
        segment: SegmentId,
        from: u64,
        limit: ReadLimit,
    ) -> Answer<Option<SegmentChunk>> {
        self.call(Statement::ReadRows, move |cells| {
            cells.read_rows(segment, from, limit)
        })
        .await
    }

    async fn delete_rows(&self, segment: SegmentId) -> Answer<()> {
        self.call(Statement::DeleteRows, move |cells| {
            cells.delete_rows(segment)
        })
        .await
    }

    async fn archive_hands(&self, hands: &[HandRecord]) -> Answer<()> {
        let hands = hands.to_vec();
        self.call(Statement::ArchiveHands, move |cells| {
            cells.archive_hands(hands)
        })
        .await
    }

    async fn hand(&self, table: TableId, hand_no: HandNo) -> Answer<Option<HandRecord>> {
        self.call(Statement::Hand, move |cells| cells.hand(table, hand_no))
            .await
    }

    async fn hands_of_table(
        &self,
        table: TableId,
        before: Option<HandNo>,
        limit: u32,
    ) -> Answer<Vec<HandRef>> {
        self.call(Statement::HandsOfTable, move |cells| {
            cells.hands_of_table(table, before, limit)
        })
        .await
    }

    async fn hands_of_player(
        &self,
        player: PlayerId,
        before: Option<HandRef>,
        limit: u32,
    ) -> Answer<Vec<HandRef>> {
        self.call(Statement::HandsOfPlayer, move |cells| {
            cells.hands_of_player(player, before, limit)
        })
        .await
    }

    async fn put_session(&self, token: TokenHash, session: &SessionRecord) -> Answer<()> {
        let session = session.clone();
        self.call(Statement::PutSession, move |cells| {
            cells.put_session(token, session)
        })
        .await
    }

    async fn session(&self, token: TokenHash) -> Answer<Option<SessionRecord>> {
        self.call(Statement::Session, move |cells| cells.session(token))
            .await
    }

    async fn scan_hands(&self, after: Option<&ScanCursor>, limit: u32) -> Answer<Page<HandRecord>> {
        let after = after.cloned();
        self.call(Statement::ScanHands, move |cells| {
            cells.scan_hands(after.as_ref(), limit)
        })
        .await
    }

    async fn scan_sessions(
        &self,
        after: Option<&ScanCursor>,
        limit: u32,
    ) -> Answer<Page<(TokenHash, SessionRecord)>> {
        let after = after.cloned();
        self.call(Statement::ScanSessions, move |cells| {
            cells.scan_sessions(after.as_ref(), limit)
        })
        .await
    }

    async fn forget_hands(&self, ended_before_ms: u64, limit: u32) -> Answer<u32> {
        self.call(Statement::ForgetHands, move |cells| {
            cells.forget_hands(ended_before_ms, limit)
        })
        .await
    }

    async fn put_beat(&self, beat: &NodeBeat) -> Answer<()> {
        let beat = beat.clone();
        self.call(Statement::PutBeat, move |cells| cells.put_beat(beat))
            .await
    }

    async fn beats(&self) -> Answer<Vec<NodeBeat>> {
        self.call(Statement::Beats, |cells| cells.beats()).await
    }
}
