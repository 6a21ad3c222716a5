//! A copy of a whole store, at the level of the log, beside a running server or without one.
//!
//! What is copied of a shard is a prefix of its log. Shards need no common moment: a table lives in one of them. The logs
//! are copied before the archive, and of the archive only the hands that the copied logs know of: a hand that ends in
//! between is played again from the copy, and then it must not be in the archive yet.

use std::collections::BTreeMap;

use bytes::Bytes;
use engine::HandNo;

use super::{
    audit::ShardAudit,
    file::{Entry, FileError, Mark, Writer},
    flaw::Flaw,
};
use crate::{
    ids::{ShardId, TableId},
    store::{
        Cause, ClusterRecord, Row, ScanCursor, SegmentKey, SegmentState, ShardRow, Statement,
        Store, StoreError,
        log::{self, Corruption, LogOptions, Position, RowKind, Visitor, WalkError, repeat},
    },
};

/// What a backup holds, also while it is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Contents {
    pub shards: u64,
    pub rows: u64,
    pub tables: u64,
    pub hands: u64,
    pub sessions: u64,
    pub bytes: u64,
}

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The store does not answer.
    #[error("the store: {0}")]
    Store(#[from] StoreError),
    /// A log cannot be read.
    #[error("shard {shard} cannot be read: {cause}")]
    Shard {
        /// Which.
        shard: ShardId,
        /// Why.
        cause: WalkError,
    },
    /// The file cannot be written.
    #[error(transparent)]
    File(#[from] FileError),
    /// No server has used it.
    #[error("the store is empty: no server has used it yet")]
    Empty,
    /// A restore or a migration did not end.
    #[error("the store is half filled: a restore or a migration into it did not end")]
    HalfFilled,
    /// A damaged log is not worth a backup: it would be refused when it is needed.
    #[error("the log is damaged, nothing was backed up: {0}; see `orp admin verify`")]
    Flawed(Flaw),
}

/// Copies everything into a file. Its content is checked on the way, as far as that needs no key.
///
/// # Errors
/// When the store does not answer, is empty or damaged, or the file cannot be written. Then there is no file.
pub async fn backup(
    store: &dyn Store,
    options: &LogOptions,
    mut file: Writer,
    progress: &mut (dyn FnMut(&Contents) + Send),
) -> Result<Contents, BackupError> {
    let cluster = repeat(options, Statement::Cluster, || store.cluster()).await?;
    let cluster = cluster.ok_or(BackupError::Empty)?;
    if cluster.feature_level == ClusterRecord::HALF_FILLED {
        return Err(BackupError::HalfFilled);
    }
    file.write(&Entry::Cluster(cluster.clone()))?;
    let mut contents = Contents::default();
    let mut ended = BTreeMap::new();
    for shard in cluster.shards.shards() {
        let mut copy = ShardCopy {
            shard,
            audit: ShardAudit::new(shard, cluster.shards, None),
            mark: file.mark(),
            file: &mut file,
        };
        let walked = log::walk(store, options, shard, &mut copy).await;
        let mut audit = copy.audit;
        if let Some(flaw) = audit.take_flaws().into_iter().next() {
            return Err(BackupError::Flawed(flaw));
        }
        let Some(walked) = walked.map_err(|cause| BackupError::Shard { shard, cause })? else {
            continue;
        };
        file.write(&Entry::ShardEnd)?;
        contents.shards += 1;
        contents.rows += walked.rows;
        for (table, audited) in audit.tables() {
            contents.tables += 1;
            ended.insert(*table, audited.state.hands_ended());
        }
        contents.bytes = file.bytes();
        progress(&contents);
    }
    hands(store, options, &ended, &mut file, &mut contents, progress).await?;
    sessions(store, options, &mut file, &mut contents, progress).await?;
    contents.bytes = file.finish()?;
    Ok(contents)
}

async fn hands(
    store: &dyn Store,
    options: &LogOptions,
    ended: &BTreeMap<TableId, HandNo>,
    file: &mut Writer,
    contents: &mut Contents,
    progress: &mut (dyn FnMut(&Contents) + Send),
) -> Result<(), BackupError> {
    let mut after: Option<ScanCursor> = None;
    loop {
        let scan = || store.scan_hands(after.as_ref(), PAGE);
        let page = repeat(options, Statement::ScanHands, scan).await?;
        for hand in page.items {
            let known = ended.get(&hand.table);
            if known.is_some_and(|last| hand.hand_no <= *last) {
                file.write(&Entry::Hand(hand))?;
                contents.hands += 1;
            }
        }
        contents.bytes = file.bytes();
        progress(contents);
        after = page.next;
        if after.is_none() {
            return Ok(());
        }
    }
}

async fn sessions(
    store: &dyn Store,
    options: &LogOptions,
    file: &mut Writer,
    contents: &mut Contents,
    progress: &mut (dyn FnMut(&Contents) + Send),
) -> Result<(), BackupError> {
    let mut after: Option<ScanCursor> = None;
    loop {
        let scan = || store.scan_sessions(after.as_ref(), PAGE);
        let page = repeat(options, Statement::ScanSessions, scan).await?;
        for (token, session) in page.items {
            file.write(&Entry::Session(token, session))?;
            contents.sessions += 1;
        }
        progress(contents);
        after = page.next;
        if after.is_none() {
            return Ok(());
        }
    }
}

/// Writes a shard's log down as it is walked. When the walk begins again, so does the writing.
struct ShardCopy<'a> {
    shard: ShardId,
    audit: ShardAudit<'static>,
    mark: Mark,
    file: &'a mut Writer,
}

impl Visitor for ShardCopy<'_> {
    fn begin(&mut self, shard: &ShardRow) -> Result<(), Cause> {
        self.audit.begin(shard)?;
        self.file.rewind(&self.mark)?;
        Ok(self.file.write(&Entry::Shard(self.shard, shard.clone()))?)
    }

    fn segment(&mut self, key: SegmentKey, state: &SegmentState) -> Result<(), Cause> {
        self.audit.segment(key, state)?;
        Ok(self.file.write(&Entry::Segment(key, state.writer))?)
    }

    fn row(&mut self, at: Position, kind: RowKind, row: &Row, body: Bytes) -> Result<(), Cause> {
        self.file.write(&Entry::Row(row.clone()))?;
        self.audit.row(at, kind, row, body)
    }

    fn checkpoint(&mut self, key: SegmentKey) -> Result<(), Cause> {
        self.audit.checkpoint(key)
    }

    fn segment_end(&mut self, key: SegmentKey, state: &SegmentState) -> Result<(), Cause> {
        self.audit.segment_end(key, state)?;
        Ok(self.file.write(&Entry::SegmentEnd(*state))?)
    }

    fn damage(&mut self, damage: Corruption) -> Result<(), Cause> {
        self.audit.damage(damage)
    }
}

/// Records in one page of a scan: about a megabyte of hands.
const PAGE: u32 = 256;
