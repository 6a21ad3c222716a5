//! Where truth is kept: one trait, the stores behind it, and the log protocol over it.
//!
//! A [`Store`] only evaluates statements. Each conditional statement touches one partition and is a lightweight
//! transaction there: all conditional statements on a partition have one order, and reads that say SERIAL see every
//! statement that was answered before they began. No store retries, speculates or interprets; that is the business of
//! [`log`], which is written once for all of them.
//!
//! A statement has three kinds of outcome, and they must never be mixed up:
//! applied or not applied, with the current values ([`Cas`]); an error that promises that it never applies; and
//! [`StoreError::Unknown`], after which it may have been applied, may be applied later, or never.
//!
//! - [`segment`], [`records`], [`error`]: the words
//! - [`log`]: append, takeover, rotate, prune: how there is one writer without trusting clocks
//! - `conformance` (tests, and the feature of that name): what every store must pass
//! - [`cassandra`]: Apache Cassandra, for any number of nodes
//! - [`embedded`]: SQLite in this process
//! - [`memory`]: a store for tests and simulations that can be told to misbehave

use async_trait::async_trait;

use crate::ids::{Epoch, HandNo, PlayerId, ShardId, TableId};

pub mod cassandra;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
pub mod embedded;
pub mod error;
pub mod log;
pub mod memory;
pub mod records;
#[cfg(feature = "faults")]
pub mod sabotage;
pub mod segment;

pub use error::{Cause, Statement, StoreError};
pub use records::{
    ClusterRecord, HandRecord, HandRef, Incarnation, NodeBeat, Page, ScanCursor, SerialDomain,
    SessionRecord, ShardRow, TokenHash,
};
pub use segment::{
    Append, ChainHash, ReadLimit, Row, Seal, SegmentChunk, SegmentId, SegmentKey, SegmentState,
    WriterToken,
};

/// The answer of a conditional statement.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Cas<T> {
    /// The condition held and the change is durable.
    Applied,
    /// The condition did not hold; nothing changed. These are the values that stood there, as of the same moment.
    NotApplied(T),
}

/// What a statement answers.
pub type Answer<T> = Result<T, StoreError>;

/// The statements of a store. See the module for what each kind of outcome promises.
///
/// Dropping a call's future before it is ready leaves its outcome unknown.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// SERIAL read of the cluster's record; `None` before it is created.
    async fn cluster(&self) -> Answer<Option<ClusterRecord>>;

    /// Conditional: writes the cluster's record IF it does not exist.
    async fn create_cluster(&self, record: &ClusterRecord) -> Answer<Cas<ClusterRecord>>;

    /// Conditional: sets the feature level IF it is `from`. Not applied on an absent record: `None`.
    async fn raise_feature_level(&self, from: u32, to: u32) -> Answer<Cas<Option<ClusterRecord>>>;

    /// SERIAL read of a shard's row; `None` before its first epoch is won.
    async fn shard(&self, shard: ShardId) -> Answer<Option<ShardRow>>;

    /// Conditional: sets `epoch` and `owner` IF `epoch = from`. With `from = None`: IF the row does not exist, and writes
    /// [`SegmentKey::ROOT`] as `tail` and `low`.
    async fn win_epoch(
        &self,
        shard: ShardId,
        from: Option<Epoch>,
        to: Epoch,
        owner: &str,
    ) -> Answer<Cas<Option<ShardRow>>>;

    /// Conditional: sets the hint `tail` IF `epoch` is still this one.
    async fn set_tail(
        &self,
        shard: ShardId,
        epoch: Epoch,
        tail: SegmentKey,
    ) -> Answer<Cas<Option<ShardRow>>>;

    /// Conditional: sets `low` IF `low = from`.
    async fn advance_low(
        &self,
        shard: ShardId,
        from: SegmentKey,
        to: SegmentKey,
    ) -> Answer<Cas<Option<ShardRow>>>;

    /// Conditional: creates an open segment without rows IF its static part does not exist.
    async fn create_segment(
        &self,
        segment: SegmentId,
        writer: WriterToken,
    ) -> Answer<Cas<SegmentState>>;

    /// Conditional: see [`Append`]. Not applied on an absent segment: `None`.
    async fn append(&self, append: &Append) -> Answer<Cas<Option<SegmentState>>>;

    /// Conditional: seals a segment IF it is not sealed AND `next_n >= 0`, that is, IF it exists. `next_n` and `last_hash`
    /// are frozen from then on. Not applied on an absent segment: `None`.
    async fn seal(&self, segment: SegmentId, seal: Seal) -> Answer<Cas<Option<SegmentState>>>;

    /// SERIAL read of a segment's static part.
    async fn segment(&self, segment: SegmentId) -> Answer<Option<SegmentState>>;

    /// SERIAL read of a segment's static part and of its rows from number `from` on, as of one moment. At least one row
    /// if there is one, whatever the limit.
    async fn read_rows(
        &self,
        segment: SegmentId,
        from: u64,
        limit: ReadLimit,
    ) -> Answer<Option<SegmentChunk>>;

    /// Plain, idempotent: deletes a segment's rows and keeps its static part. Only for segments below `low`.
    async fn delete_rows(&self, segment: SegmentId) -> Answer<()>;

    /// Plain, idempotent: archives finished hands. Answered when all of them are durable; after an error some may be.
    async fn archive_hands(&self, hands: &[HandRecord]) -> Answer<()>;

    /// An archived hand.
    async fn hand(&self, table: TableId, hand_no: HandNo) -> Answer<Option<HandRecord>>;

    /// A table's archived hands, the highest number first: those below `before`, at most `limit`.
    async fn hands_of_table(
        &self,
        table: TableId,
        before: Option<HandNo>,
        limit: u32,
    ) -> Answer<Vec<HandRef>>;

    /// A player's archived hands, the greatest [`HandRef`] (the newest) first: those below `before`, at most `limit`.
    async fn hands_of_player(
        &self,
        player: PlayerId,
        before: Option<HandRef>,
        limit: u32,
    ) -> Answer<Vec<HandRef>>;

    /// Plain, idempotent: writes a session.
    async fn put_session(&self, token: TokenHash, session: &SessionRecord) -> Answer<()>;

    /// A session, if that token has one.
    async fn session(&self, token: TokenHash) -> Answer<Option<SessionRecord>>;

    /// The archived hands of all tables, page by page, in an order of the store's own: those after the cursor, at most
    /// `limit`, which is above zero. For copies and checks of everything, never for play.
    ///
    /// Every hand that is archived when the scan begins and not forgotten before it ends is answered at least once. One that
    /// is archived or forgotten meanwhile may be answered or not. Only a page without [`Page::next`] is the last: a page may
    /// be short, or empty, and not be the last.
    async fn scan_hands(&self, after: Option<&ScanCursor>, limit: u32) -> Answer<Page<HandRecord>>;

    /// All sessions, page by page: as [`Store::scan_hands`].
    async fn scan_sessions(
        &self,
        after: Option<&ScanCursor>,
        limit: u32,
    ) -> Answer<Page<(TokenHash, SessionRecord)>>;

    /// Plain, idempotent: forgets archived hands that ended before this moment (milliseconds since 1970), and how the lists
    /// of their players name them; at most `limit` hands, which is above zero. Answers how many were forgotten; fewer than
    /// `limit` means that none are left. After an error some may be.
    ///
    /// A store whose database forgets by itself, by a time to live that each hand was archived with, does nothing and
    /// answers 0. A hand that ended at this moment or later is never touched.
    async fn forget_hands(&self, ended_before_ms: u64, limit: u32) -> Answer<u32>;

    /// Plain, idempotent: a sign of life. Of one incarnation the highest beat stays, in whatever order they arrive.
    async fn put_beat(&self, beat: &NodeBeat) -> Answer<()>;

    /// The last sign of every incarnation that gave one, by node and incarnation. Those long silent may be missing.
    async fn beats(&self) -> Answer<Vec<NodeBeat>>;
}
