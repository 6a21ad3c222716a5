//! The embedded store: SQLite in this process, nothing to install.
//!
//! One process at a time has it open (a lock file beside it says so), and one thread in it writes: it takes what all
//! shards queued, evaluates it in order and commits it in one transaction, so that one wait for the disk serves them
//! all. Statements are answered after the commit, which is durable (write-ahead log, `synchronous = FULL`).
//!
//! Reads have a connection and a thread of their own, so that a takeover that reads megabytes does not stop commits. They
//! are SERIAL all the same: a read sees every commit that ended before it began, SQLite shows a commit to readers only after
//! its fsync, and a statement is answered only after its commit ended.
//!
//! The outcome of a statement is unknown here only if its caller goes away or if a commit fails half-way; after the latter
//! the store closes itself, since only a restart can tell what the disk holds.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use async_trait::async_trait;
use rusqlite::Connection;
use tokio::sync::mpsc;

use super::{
    Answer, Append, Cas, Cause, ClusterRecord, HandRecord, HandRef, Incarnation, NodeBeat, Page,
    ReadLimit, ScanCursor, Seal, SegmentChunk, SegmentId, SegmentKey, SegmentState, SessionRecord,
    ShardRow, Statement, Store, StoreError, TokenHash, WriterToken,
};
use crate::ids::{Epoch, HandNo, PlayerId, ShardId, TableId};
use commit::{Call, Job};

mod archive;
mod commit;
#[cfg(test)]
mod measure;
mod moved;
mod open;
mod read;
mod statements;
#[cfg(test)]
mod tests;

pub use open::OpenError;

/// The knobs of the embedded store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EmbeddedOptions {
    /// The database grows no larger than this, in bytes; beyond it statements are answered [`StoreError::Full`]. `None`: as
    /// large as the disk.
    pub max_bytes: Option<u64>,
}

/// The store. Dropping it waits until everything queued is committed and the files are closed.
pub struct EmbeddedStore {
    place: Arc<PathBuf>,
    writes: Option<mpsc::Sender<Box<dyn Job>>>,
    reads: Option<mpsc::Sender<read::Query>>,
    writer: Option<JoinHandle<()>>,
    reader: Option<JoinHandle<()>>,
    /// Signs of life are for other processes, and there is one: so they are not worth a disk.
    beats: Mutex<BTreeMap<(String, Incarnation), NodeBeat>>,
    /// Held until the threads are gone; a store that only reads needs none.
    _lock: Option<File>,
}

/// How many statements wait at most. Beyond that callers wait before they queue: a shard has one commit in flight, so more
/// than this means that something is wrong with the disk, not that more should be remembered.
const QUEUE: usize = 1_024;

/// The threads are gone: the store is being dropped.
#[derive(Debug, thiserror::Error)]
#[error("the store's thread has ended")]
struct ThreadEnded;

impl EmbeddedStore {
    /// Opens the database at this path, and creates it if it does not exist. Blocks for some milliseconds.
    pub fn open(path: impl AsRef<Path>, options: &EmbeddedOptions) -> Result<Self, OpenError> {
        let path = path.as_ref();
        let opened = open::open(path, options)?;
        let place = Arc::new(path.to_owned());
        let (writes, jobs) = mpsc::channel(QUEUE);
        let (reads, queries) = mpsc::channel(QUEUE);
        let failed = |source| OpenError::File {
            path: path.to_owned(),
            source,
        };
        let spawn = |name: &str, work: Box<dyn FnOnce() + Send>| {
            std::thread::Builder::new()
                .name(name.to_owned())
                .spawn(work)
                .map_err(failed)
        };
        let committing = place.clone();
        let writer = spawn(
            "store-commit",
            Box::new(move || commit::run(opened.writer, committing, jobs)),
        )?;
        let reader = spawn(
            "store-read",
            Box::new(move || read::run(&opened.reader, queries)),
        )?;
        Ok(Self {
            place,
            writes: Some(writes),
            reads: Some(reads),
            writer: Some(writer),
            reader: Some(reader),
            beats: Mutex::default(),
            _lock: Some(opened.lock),
        })
    }

    /// Opens a database to read it, beside the process that serves it or without one. Nothing of it changes, and statements
    /// that write are refused.
    pub fn open_to_read(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        let path = path.as_ref();
        Self::reading(path, open::open_to_read(path)?, None)
    }

    /// The same, and no process serves it until this store is dropped: for moving what is in it.
    pub fn open_to_move(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        let path = path.as_ref();
        // First, so that no lock file appears beside a database that is not there.
        let reader = open::open_to_read(path)?;
        let (lock, _) = open::lock(path)?;
        Self::reading(path, reader, Some(lock))
    }

    /// Says beside the database that everything in it was moved there: it is not opened for service any more.
    pub fn mark_moved(&self, to: &str) -> Result<(), OpenError> {
        moved::mark(&self.place, to)
    }

    /// What SQLite finds wrong with the pages of a database; nothing if they are whole. Blocks, on large ones for minutes.
    pub fn damaged_pages(path: impl AsRef<Path>) -> Result<Vec<String>, OpenError> {
        let path = path.as_ref();
        let reader = open::open_to_read(path)?;
        open::damaged_pages(&reader).map_err(|source| OpenError::Database {
            path: path.to_owned(),
            source,
        })
    }

    fn reading(path: &Path, reader: Connection, lock: Option<File>) -> Result<Self, OpenError> {
        let (reads, queries) = mpsc::channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("store-read".to_owned())
            .spawn(move || read::run(&reader, queries));
        let reader = thread.map_err(|source| OpenError::File {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            place: Arc::new(path.to_owned()),
            writes: None,
            reads: Some(reads),
            writer: None,
            reader: Some(reader),
            _lock: lock,
            beats: Mutex::default(),
        })
    }

    async fn write<T: Send + 'static>(
        &self,
        statement: Statement,
        evaluate: impl Fn(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Answer<T> {
        let (call, answer) = Call::new(statement, evaluate);
        let closed = || StoreError::Closed {
            statement,
            reason: "the store is closing".to_owned(),
        };
        let to_read = || StoreError::Closed {
            statement,
            reason: "it was opened to be read".to_owned(),
        };
        let writes = self.writes.as_ref().ok_or_else(to_read)?;
        if writes.send(Box::new(call)).await.is_err() {
            return Err(closed());
        }
        let unknown = |source: Cause| StoreError::Unknown { statement, source };
        answer
            .await
            .unwrap_or_else(|_dropped| Err(unknown(ThreadEnded.into())))
    }

    async fn read<T: Send + 'static>(
        &self,
        statement: Statement,
        evaluate: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Answer<T> {
        let closed = || StoreError::Closed {
            statement,
            reason: "the store is closing".to_owned(),
        };
        let reads = self.reads.as_ref().ok_or_else(closed)?;
        let (query, found) = read::query(evaluate);
        if reads.send(query).await.is_err() {
            return Err(closed());
        }
        let found = found.await.map_err(|_dropped| closed())?;
        found.map_err(|error| commit::not_applied(statement, &self.place, Arc::new(error)))
    }
}

fn join(thread: Option<JoinHandle<()>>) {
    if thread.is_some_and(|thread| thread.join().is_err()) {
        tracing::error!("a store thread panicked");
    }
}

impl Drop for EmbeddedStore {
    fn drop(&mut self) {
        // The threads end when nobody can queue any more; only then may the lock go. The reader first: whoever closes
        // last copies the write-ahead log into the database, and a connection that only reads cannot.
        self.reads = None;
        join(self.reader.take());
        self.writes = None;
        join(self.writer.take());
    }
}

#[async_trait]
impl Store for EmbeddedStore {
    async fn cluster(&self) -> Answer<Option<ClusterRecord>> {
        self.read(Statement::Cluster, statements::cluster).await
    }

    async fn create_cluster(&self, record: &ClusterRecord) -> Answer<Cas<ClusterRecord>> {
        let record = record.clone();
        self.write(Statement::CreateCluster, move |db| {
            statements::create_cluster(db, &record)
        })
        .await
    }

    async fn raise_feature_level(&self, from: u32, to: u32) -> Answer<Cas<Option<ClusterRecord>>> {
        self.write(Statement::RaiseFeatureLevel, move |db| {
            statements::raise_feature_level(db, from, to)
        })
        .await
    }

    async fn shard(&self, shard: ShardId) -> Answer<Option<ShardRow>> {
        self.read(Statement::Shard, move |db| statements::shard(db, shard))
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
        self.write(Statement::WinEpoch, move |db| {
            statements::win_epoch(db, shard, from, to, &owner)
        })
        .await
    }

    async fn set_tail(
        &self,
        shard: ShardId,
        epoch: Epoch,
        tail: SegmentKey,
    ) -> Answer<Cas<Option<ShardRow>>> {
        self.write(Statement::SetTail, move |db| {
            statements::set_tail(db, shard, epoch, tail)
        })
        .await
    }

    async fn advance_low(
        &self,
        shard: ShardId,
        from: SegmentKey,
        to: SegmentKey,
    ) -> Answer<Cas<Option<ShardRow>>> {
        self.write(Statement::AdvanceLow, move |db| {
            statements::advance_low(db, shard, from, to)
        })
        .await
    }

    async fn create_segment(
        &self,
        segment: SegmentId,
        writer: WriterToken,
    ) -> Answer<Cas<SegmentState>> {
        self.write(Statement::CreateSegment, move |db| {
            statements::create_segment(db, segment, writer)
        })
        .await
    }

    async fn append(&self, append: &Append) -> Answer<Cas<Option<SegmentState>>> {
        if append.row.n >= statements::ROWS {
            return Err(StoreError::SegmentFull {
                segment: append.segment,
            });
        }
        let append = append.clone();
        self.write(Statement::Append, move |db| statements::append(db, &append))
            .await
    }

    async fn seal(&self, segment: SegmentId, seal: Seal) -> Answer<Cas<Option<SegmentState>>> {
        self.write(Statement::Seal, move |db| {
            statements::seal(db, segment, seal)
        })
        .await
    }

    async fn segment(&self, segment: SegmentId) -> Answer<Option<SegmentState>> {
        self.read(Statement::Segment, move |db| {
            statements::segment(db, segment)
        })
        .await
    }

    async fn read_rows(
        &self,
        segment: SegmentId,
        from: u64,
        limit: ReadLimit,
    ) -> Answer<Option<SegmentChunk>> {
        self.read(Statement::ReadRows, move |db| {
            statements::read_rows(db, segment, from, limit)
        })
        .await
    }

    async fn delete_rows(&self, segment: SegmentId) -> Answer<()> {
        self.write(Statement::DeleteRows, move |db| {
            statements::delete_rows(db, segment)
        })
        .await
    }

    async fn archive_hands(&self, hands: &[HandRecord]) -> Answer<()> {
        let hands = hands.to_vec();
        self.write(Statement::ArchiveHands, move |db| {
            archive::archive_hands(db, &hands)
        })
        .await
    }

    async fn hand(&self, table: TableId, hand_no: HandNo) -> Answer<Option<HandRecord>> {
        self.read(Statement::Hand, move |db| archive::hand(db, table, hand_no))
            .await
    }

    async fn hands_of_table(
        &self,
        table: TableId,
        before: Option<HandNo>,
        limit: u32,
    ) -> Answer<Vec<HandRef>> {
        self.read(Statement::HandsOfTable, move |db| {
            archive::hands_of_table(db, table, before, limit)
        })
        .await
    }

    async fn hands_of_player(
        &self,
        player: PlayerId,
        before: Option<HandRef>,
        limit: u32,
    ) -> Answer<Vec<HandRef>> {
        self.read(Statement::HandsOfPlayer, move |db| {
            archive::hands_of_player(db, player, before, limit)
        })
        .await
    }

    async fn put_session(&self, token: TokenHash, session: &SessionRecord) -> Answer<()> {
        let session = session.clone();
        self.write(Statement::PutSession, move |db| {
            archive::put_session(db, token, &session)
        })
        .await
    }

    async fn session(&self, token: TokenHash) -> Answer<Option<SessionRecord>> {
        self.read(Statement::Session, move |db| archive::session(db, token))
            .await
    }

    async fn scan_hands(&self, after: Option<&ScanCursor>, limit: u32) -> Answer<Page<HandRecord>> {
        let after = after.cloned();
        self.read(Statement::ScanHands, move |db| {
            archive::scan_hands(db, after.as_ref(), limit)
        })
        .await
    }

    async fn scan_sessions(
        &self,
        after: Option<&ScanCursor>,
        limit: u32,
    ) -> Answer<Page<(TokenHash, SessionRecord)>> {
        let after = after.cloned();
        self.read(Statement::ScanSessions, move |db| {
            archive::scan_sessions(db, after.as_ref(), limit)
        })
        .await
    }

    async fn forget_hands(&self, ended_before_ms: u64, limit: u32) -> Answer<u32> {
        self.write(Statement::ForgetHands, move |db| {
            archive::forget_hands(db, ended_before_ms, limit)
        })
        .await
    }

    async fn put_beat(&self, beat: &NodeBeat) -> Answer<()> {
        let mut beats = self.beats.lock().unwrap_or_else(PoisonError::into_inner);
        let life = (beat.node.clone(), beat.incarnation);
        let last = beats.entry(life).or_insert_with(|| beat.clone());
        if last.beat < beat.beat {
            *last = beat.clone();
        }
        Ok(())
    }

    async fn beats(&self) -> Answer<Vec<NodeBeat>> {
        let beats = self.beats.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(beats.values().cloned().collect())
    }
}
