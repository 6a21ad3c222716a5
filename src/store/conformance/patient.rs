//! A store that answers, over one that loses requests and answers: with it every check of the suite is for both.
//!
//! It does what the log protocol does. A statement without an answer is repeated as it is until one comes. A conditional one
//! that then was "not applied" is judged by what stands there: what only this statement could have put there, it did. That
//! holds for stores in which nothing is late or doubled for longer than a statement is repeated.

use std::collections::HashSet;
use std::fmt::Debug;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;

use crate::ids::{Epoch, HandNo, PlayerId, ShardId, TableId};
use crate::store::log::{LogOptions, Unanswered, ask, repeat};
use crate::store::{
    Answer, Append, Cas, ClusterRecord, HandRecord, HandRef, NodeBeat, Page, ReadLimit, ScanCursor,
    Seal, SegmentChunk, SegmentId, SegmentKey, SegmentState, SessionRecord, ShardRow, Statement,
    Store, TokenHash, WriterToken,
};

/// The patient store.
pub struct Patient {
    store: Arc<dyn Store>,
    options: LogOptions,
    /// Conditional statements that were applied: made once more on purpose, they are not.
    applied: Mutex<HashSet<String>>,
}

impl Patient {
    /// Over this one.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            options: LogOptions {
                first_pause: Duration::from_millis(5),
                longest_pause: Duration::from_millis(100),
                give_up_after: PATIENCE,
                ..LogOptions::default()
            },
            applied: Mutex::default(),
        }
    }

    async fn decide<T, F, A>(
        &self,
        statement: Statement,
        values: impl Debug + Send,
        attempt: F,
        mine: impl Fn(&T) -> bool + Send,
    ) -> Answer<Cas<T>>
    where
        T: Send,
        F: Fn() -> A + Send,
        A: Future<Output = Answer<Cas<T>>> + Send,
    {
        let name = format!("{statement:?} {values:?}");
        let asked = ask(&self.options, statement, attempt).await;
        let asked = asked.map_err(Unanswered::into_error)?;
        let mut applied = self.applied.lock().expect("nobody panics in here");
        match asked.answer {
            Cas::NotApplied(found) if !asked.doubt || !mine(&found) || applied.contains(&name) => {
                Ok(Cas::NotApplied(found))
            }
            Cas::Applied | Cas::NotApplied(_) => {
                applied.insert(name);
                Ok(Cas::Applied)
            }
        }
    }

    /// How many archived hands ended before this moment.
    async fn ended_before(&self, moment_ms: u64) -> Answer<u32> {
        let (mut old, mut after) = (0, None);
        loop {
            let page = self.scan_hands(after.as_ref(), PAGE).await?;
            let hands = page.items.iter();
            old += hands.filter(|hand| hand.ended_ms < moment_ms).count();
            after = page.next;
            if after.is_none() {
                return Ok(u32::try_from(old).expect("a test archives few hands"));
            }
        }
    }
}

/// Whether a row or segment is there, and holds for this.
fn is<T>(found: &Option<T>, holds: impl Fn(&T) -> bool) -> bool {
    found.as_ref().is_some_and(holds)
}

#[async_trait]
impl Store for Patient {
    async fn cluster(&self) -> Answer<Option<ClusterRecord>> {
        repeat(&self.options, Statement::Cluster, || self.store.cluster()).await
    }

    async fn create_cluster(&self, record: &ClusterRecord) -> Answer<Cas<ClusterRecord>> {
        let attempt = || self.store.create_cluster(record);
        self.decide(Statement::CreateCluster, record, attempt, |found| {
            found == record
        })
        .await
    }

    async fn raise_feature_level(&self, from: u32, to: u32) -> Answer<Cas<Option<ClusterRecord>>> {
        let attempt = || self.store.raise_feature_level(from, to);
        self.decide(Statement::RaiseFeatureLevel, (from, to), attempt, |found| {
            is(found, |record| record.feature_level == to)
        })
        .await
    }

    async fn shard(&self, shard: ShardId) -> Answer<Option<ShardRow>> {
        repeat(&self.options, Statement::Shard, || self.store.shard(shard)).await
    }

    async fn win_epoch(
        &self,
        shard: ShardId,
        from: Option<Epoch>,
        to: Epoch,
        owner: &str,
    ) -> Answer<Cas<Option<ShardRow>>> {
        let attempt = || self.store.win_epoch(shard, from, to, owner);
        let values = (shard, from, to, owner);
        self.decide(Statement::WinEpoch, values, attempt, |found| {
            is(found, |row| row.epoch == to && row.owner == owner)
        })
        .await
    }

    async fn set_tail(
        &self,
        shard: ShardId,
        epoch: Epoch,
        tail: SegmentKey,
    ) -> Answer<Cas<Option<ShardRow>>> {
        // Made again, it is applied again, as long as its epoch stands.
        let attempt = || self.store.set_tail(shard, epoch, tail);
        self.decide(Statement::SetTail, (shard, epoch, tail), attempt, |_| false)
            .await
    }

    async fn advance_low(
        &self,
        shard: ShardId,
        from: SegmentKey,
        to: SegmentKey,
    ) -> Answer<Cas<Option<ShardRow>>> {
        let attempt = || self.store.advance_low(shard, from, to);
        self.decide(Statement::AdvanceLow, (shard, from, to), attempt, |found| {
            is(found, |row| row.low == to)
        })
        .await
    }

    async fn create_segment(
        &self,
        segment: SegmentId,
        writer: WriterToken,
    ) -> Answer<Cas<SegmentState>> {
        let attempt = || self.store.create_segment(segment, writer);
        self.decide(
            Statement::CreateSegment,
            (segment, writer),
            attempt,
            |found| found.writer == writer,
        )
        .await
    }

    async fn append(&self, append: &Append) -> Answer<Cas<Option<SegmentState>>> {
        let attempt = || self.store.append(append);
        self.decide(Statement::Append, append, attempt, |found| {
            is(found, |segment| segment.last_hash == append.new_hash)
        })
        .await
    }

    async fn seal(&self, segment: SegmentId, seal: Seal) -> Answer<Cas<Option<SegmentState>>> {
        let attempt = || self.store.seal(segment, seal);
        self.decide(Statement::Seal, (segment, seal), attempt, |found| {
            is(found, |segment| segment.seal == Some(seal))
        })
        .await
    }

    async fn segment(&self, segment: SegmentId) -> Answer<Option<SegmentState>> {
        let attempt = || self.store.segment(segment);
        repeat(&self.options, Statement::Segment, attempt).await
    }

    async fn read_rows(
        &self,
        segment: SegmentId,
        from: u64,
        limit: ReadLimit,
    ) -> Answer<Option<SegmentChunk>> {
        let attempt = || self.store.read_rows(segment, from, limit);
        repeat(&self.options, Statement::ReadRows, attempt).await
    }

    async fn delete_rows(&self, segment: SegmentId) -> Answer<()> {
        let attempt = || self.store.delete_rows(segment);
        repeat(&self.options, Statement::DeleteRows, attempt).await
    }

    async fn archive_hands(&self, hands: &[HandRecord]) -> Answer<()> {
        let attempt = || self.store.archive_hands(hands);
        repeat(&self.options, Statement::ArchiveHands, attempt).await
    }

    async fn hand(&self, table: TableId, hand_no: HandNo) -> Answer<Option<HandRecord>> {
        let attempt = || self.store.hand(table, hand_no);
        repeat(&self.options, Statement::Hand, attempt).await
    }

    async fn hands_of_table(
        &self,
        table: TableId,
        before: Option<HandNo>,
        limit: u32,
    ) -> Answer<Vec<HandRef>> {
        let attempt = || self.store.hands_of_table(table, before, limit);
        repeat(&self.options, Statement::HandsOfTable, attempt).await
    }

    async fn hands_of_player(
        &self,
        player: PlayerId,
        before: Option<HandRef>,
        limit: u32,
    ) -> Answer<Vec<HandRef>> {
        let attempt = || self.store.hands_of_player(player, before, limit);
        repeat(&self.options, Statement::HandsOfPlayer, attempt).await
    }

    async fn put_session(&self, token: TokenHash, session: &SessionRecord) -> Answer<()> {
        let attempt = || self.store.put_session(token, session);
        repeat(&self.options, Statement::PutSession, attempt).await
    }

    async fn session(&self, token: TokenHash) -> Answer<Option<SessionRecord>> {
        let attempt = || self.store.session(token);
        repeat(&self.options, Statement::Session, attempt).await
    }

    async fn scan_hands(&self, after: Option<&ScanCursor>, limit: u32) -> Answer<Page<HandRecord>> {
        let attempt = || self.store.scan_hands(after, limit);
        repeat(&self.options, Statement::ScanHands, attempt).await
    }

    async fn scan_sessions(
        &self,
        after: Option<&ScanCursor>,
        limit: u32,
    ) -> Answer<Page<(TokenHash, SessionRecord)>> {
        let attempt = || self.store.scan_sessions(after, limit);
        repeat(&self.options, Statement::ScanSessions, attempt).await
    }

    async fn forget_hands(&self, ended_before_ms: u64, limit: u32) -> Answer<u32> {
        // An attempt that nobody heard of counts towards the limit, too.
        let before = self.ended_before(ended_before_ms).await?;
        let mut forgotten = 0;
        for _ in 0..ATTEMPTS_MAX {
            let left = limit - forgotten;
            let answer = match left {
                0 => Ok(0),
                left => self.store.forget_hands(ended_before_ms, left).await,
            };
            forgotten = before - self.ended_before(ended_before_ms).await?;
            match answer {
                Err(error) if error.is_transient() => {}
                Ok(_) => return Ok(forgotten),
                Err(error) => return Err(error),
            }
        }
        Ok(forgotten)
    }

    async fn put_beat(&self, beat: &NodeBeat) -> Answer<()> {
        let attempt = || self.store.put_beat(beat);
        repeat(&self.options, Statement::PutBeat, attempt).await
    }

    async fn beats(&self) -> Answer<Vec<NodeBeat>> {
        repeat(&self.options, Statement::Beats, || self.store.beats()).await
    }
}

const PAGE: u32 = 100;
const ATTEMPTS_MAX: u32 = 100;

/// Longer than any fault of a test lasts.
const PATIENCE: Duration = Duration::from_secs(60);
