//! A store that ends its process at a chosen statement, or that forgets the fence: what the chaos suite puts into real
//! nodes. Not in a server that is built for play: the feature `faults` is off by default.

use std::{
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;

use super::{
    Answer, Append, Cas, ClusterRecord, HandRecord, HandRef, NodeBeat, Page, ReadLimit, ScanCursor,
    Seal, SegmentChunk, SegmentId, SegmentKey, SegmentState, SessionRecord, ShardRow, Statement,
    Store, TokenHash, WriterToken,
};
use crate::ids::{Epoch, HandNo, PlayerId, ShardId, TableId};

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sabotage {
    /// The process ends, as by `kill -9`, at a statement of this name, the n-th one.
    Die {
        /// Before it is sent, or after its answer came.
        before: bool,
        /// As [`Statement`] prints it.
        statement: String,
        /// From 1.
        nth: u64,
    },
    /// Every append that was answered counts as applied, whoever has the shard.
    Unfenced,
}

/// What is no sabotage.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no sabotage: write `unfenced`, or `before:append:20`, or `after:seal segment:1`")]
pub struct BadSabotage(String);

impl FromStr for Sabotage {
    type Err = BadSabotage;

    fn from_str(text: &str) -> Result<Self, BadSabotage> {
        if text == "unfenced" {
            return Ok(Self::Unfenced);
        }
        let parts: Vec<&str> = text.split(':').collect();
        let [when @ ("before" | "after"), statement, nth] = parts[..] else {
            return Err(BadSabotage(text.into()));
        };
        Ok(Self::Die {
            before: when == "before",
            statement: statement.into(),
            nth: nth.parse().ok().ok_or_else(|| BadSabotage(text.into()))?,
        })
    }
}

/// The store with what goes wrong.
pub struct Sabotaged {
    store: Arc<dyn Store>,
    sabotage: Sabotage,
    seen: AtomicU64,
}

impl Sabotaged {
    /// Around a store.
    pub fn new(store: Arc<dyn Store>, sabotage: Sabotage) -> Self {
        let seen = AtomicU64::new(0);
        Self {
            store,
            sabotage,
            seen,
        }
    }

    async fn pass<T>(&self, what: Statement, answer: impl Future<Output = T>) -> T {
        let Sabotage::Die {
            before,
            statement,
            nth,
        } = &self.sabotage
        else {
            return answer.await;
        };
        let now =
            what.to_string() == *statement && self.seen.fetch_add(1, Ordering::Relaxed) + 1 == *nth;
        if now && *before {
            std::process::abort();
        }
        let answer = answer.await;
        if now {
            std::process::abort();
        }
        answer
    }
}

#[async_trait]
impl Store for Sabotaged {
    async fn cluster(&self) -> Answer<Option<ClusterRecord>> {
        self.pass(Statement::Cluster, self.store.cluster()).await
    }

    async fn create_cluster(&self, record: &ClusterRecord) -> Answer<Cas<ClusterRecord>> {
        self.pass(Statement::CreateCluster, self.store.create_cluster(record))
            .await
    }

    async fn raise_feature_level(&self, from: u32, to: u32) -> Answer<Cas<Option<ClusterRecord>>> {
        self.pass(
            Statement::RaiseFeatureLevel,
            self.store.raise_feature_level(from, to),
        )
        .await
    }

    async fn shard(&self, shard: ShardId) -> Answer<Option<ShardRow>> {
        self.pass(Statement::Shard, self.store.shard(shard)).await
    }

    async fn win_epoch(
        &self,
        shard: ShardId,
        from: Option<Epoch>,
        to: Epoch,
        owner: &str,
    ) -> Answer<Cas<Option<ShardRow>>> {
        self.pass(
            Statement::WinEpoch,
            self.store.win_epoch(shard, from, to, owner),
        )
        .await
    }

    async fn set_tail(
        &self,
        shard: ShardId,
        epoch: Epoch,
        tail: SegmentKey,
    ) -> Answer<Cas<Option<ShardRow>>> {
        self.pass(Statement::SetTail, self.store.set_tail(shard, epoch, tail))
            .await
    }

    async fn advance_low(
        &self,
        shard: ShardId,
        from: SegmentKey,
        to: SegmentKey,
    ) -> Answer<Cas<Option<ShardRow>>> {
        self.pass(
            Statement::AdvanceLow,
            self.store.advance_low(shard, from, to),
        )
        .await
    }

    async fn create_segment(
        &self,
        segment: SegmentId,
        writer: WriterToken,
    ) -> Answer<Cas<SegmentState>> {
        self.pass(
            Statement::CreateSegment,
            self.store.create_segment(segment, writer),
        )
        .await
    }

    async fn append(&self, append: &Append) -> Answer<Cas<Option<SegmentState>>> {
        let answer = self
            .pass(Statement::Append, self.store.append(append))
            .await?;
        if self.sabotage == Sabotage::Unfenced {
            return Ok(Cas::Applied);
        }
        Ok(answer)
    }

    async fn seal(&self, segment: SegmentId, seal: Seal) -> Answer<Cas<Option<SegmentState>>> {
        self.pass(Statement::Seal, self.store.seal(segment, seal))
            .await
    }

    async fn segment(&self, segment: SegmentId) -> Answer<Option<SegmentState>> {
        self.pass(Statement::Segment, self.store.segment(segment))
            .await
    }

    async fn read_rows(
        &self,
        segment: SegmentId,
        from: u64,
        limit: ReadLimit,
    ) -> Answer<Option<SegmentChunk>> {
        self.pass(
            Statement::ReadRows,
            self.store.read_rows(segment, from, limit),
        )
        .await
    }

    async fn delete_rows(&self, segment: SegmentId) -> Answer<()> {
        self.pass(Statement::DeleteRows, self.store.delete_rows(segment))
            .await
    }

    async fn archive_hands(&self, hands: &[HandRecord]) -> Answer<()> {
        self.pass(Statement::ArchiveHands, self.store.archive_hands(hands))
            .await
    }

    async fn hand(&self, table: TableId, hand_no: HandNo) -> Answer<Option<HandRecord>> {
        self.pass(Statement::Hand, self.store.hand(table, hand_no))
            .await
    }

    async fn hands_of_table(
        &self,
        table: TableId,
        before: Option<HandNo>,
        limit: u32,
    ) -> Answer<Vec<HandRef>> {
        self.pass(
            Statement::HandsOfTable,
            self.store.hands_of_table(table, before, limit),
        )
        .await
    }

    async fn hands_of_player(
        &self,
        player: PlayerId,
        before: Option<HandRef>,
        limit: u32,
    ) -> Answer<Vec<HandRef>> {
        self.pass(
            Statement::HandsOfPlayer,
            self.store.hands_of_player(player, before, limit),
        )
        .await
    }

    async fn put_session(&self, token: TokenHash, session: &SessionRecord) -> Answer<()> {
        self.pass(
            Statement::PutSession,
            self.store.put_session(token, session),
        )
        .await
    }

    async fn session(&self, token: TokenHash) -> Answer<Option<SessionRecord>> {
        self.pass(Statement::Session, self.store.session(token))
            .await
    }

    async fn scan_hands(&self, after: Option<&ScanCursor>, limit: u32) -> Answer<Page<HandRecord>> {
        self.pass(Statement::ScanHands, self.store.scan_hands(after, limit))
            .await
    }

    async fn scan_sessions(
        &self,
        after: Option<&ScanCursor>,
        limit: u32,
    ) -> Answer<Page<(TokenHash, SessionRecord)>> {
        self.pass(
            Statement::ScanSessions,
            self.store.scan_sessions(after, limit),
        )
        .await
    }

    async fn forget_hands(&self, ended_before_ms: u64, limit: u32) -> Answer<u32> {
        self.pass(
            Statement::ForgetHands,
            self.store.forget_hands(ended_before_ms, limit),
        )
        .await
    }

    async fn put_beat(&self, beat: &NodeBeat) -> Answer<()> {
        self.pass(Statement::PutBeat, self.store.put_beat(beat))
            .await
    }

    async fn beats(&self) -> Answer<Vec<NodeBeat>> {
        self.pass(Statement::Beats, self.store.beats()).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sabotage_reads() {
        let die = Sabotage::Die {
            before: false,
            statement: Statement::Seal.to_string(),
            nth: 2,
        };
        assert_eq!("after:seal segment:2".parse::<Sabotage>().ok(), Some(die));
        assert_eq!(
            "unfenced".parse::<Sabotage>().ok(),
            Some(Sabotage::Unfenced)
        );
        for bad in ["", "append", "during:append:1", "before:append:x"] {
            assert!(bad.parse::<Sabotage>().is_err(), "{bad}");
        }
    }
}
