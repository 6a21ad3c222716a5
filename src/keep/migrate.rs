//! Everything of one store into another, which may have other shards.
//!
//! A table's log is a part of its shard's, so it does not move as it is: each table moves as the snapshot that its log
//! amounts to, open hand and deck included, into the checkpoint that its new shard's log begins with. That checkpoint is
//! written by the log protocol itself: a takeover, a rotation, a prune. Decks are sealed anew for the same table, hand and
//! event. Archived hands and sessions move as they are.
//!
//! The source is only read. The target says that it is half filled until all of it was read back and compared; a migration
//! that was cut off is begun again and finds what is there already.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use super::{
    audit::ShardAudit,
    backup::Contents,
    flaw::Flaw,
    restore::{self, RestoreError},
    verify::{self, Line, Summary},
};
use crate::{
    ids::{Epoch, ShardCount, ShardId, TableId},
    store::{
        Cas, Cause, ClusterRecord, HandRecord, ScanCursor, SegmentKey, SerialDomain, Statement,
        Store, StoreError, WriterToken,
        log::{
            self, AppendError, Fold, LogOptions, Position, PruneError, RowKind, ShardLog,
            TakeoverError, WalkError, repeat,
        },
    },
    table::{
        codec::{self, CodecError, Record},
        seal::Keyring,
        state::{FinishedHand, TableState},
    },
};

/// What a migration is to go by.
#[derive(Clone, Debug)]
pub struct Options {
    /// How statements are repeated, and how large a segment becomes.
    pub log: LogOptions,
    /// The target's shards.
    pub shards: ShardCount,
    /// Where the target orders its conditional statements.
    pub serial_domain: SerialDomain,
    /// The newest forms that this release reads.
    pub feature_level: u32,
    /// The keys of the source's decks.
    pub source_keys: Keyring,
    /// The keys of the target's servers: they open what is archived, and seal what moves.
    pub target_keys: Keyring,
}

/// Why a migration did not end. The source is as it was; the target can be filled on by the same migration.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// A store does not answer.
    #[error("{which}: {cause}")]
    Store {
        /// Which.
        which: Side,
        /// Why.
        cause: StoreError,
    },
    /// There is nothing to move.
    #[error("the source is empty: no server has used it yet")]
    Empty,
    /// The source is not one.
    #[error("the source is itself half filled by a restore or a migration that did not end")]
    HalfFilled,
    /// The source holds forms that this release does not read.
    #[error(
        "the source is at feature level {found}, this release reads up to {known}: use the newer release"
    )]
    FeatureLevel {
        /// The source's.
        found: u32,
        /// Ours.
        known: u32,
    },
    /// The target is in use.
    #[error("the target: {0}")]
    Target(RestoreError),
    /// The target is half filled, and not by this migration.
    #[error("the target is half filled by something else ({0}): empty it and begin anew")]
    Foreign(String),
    /// A log cannot be read.
    #[error("{which}: shard {shard} cannot be read: {cause}")]
    Walk {
        /// Which.
        which: Side,
        /// Which shard.
        shard: ShardId,
        /// Why.
        cause: WalkError,
    },
    /// Something is damaged.
    #[error("{which} is damaged: {flaw}")]
    Flawed {
        /// Which.
        which: Side,
        /// What and where.
        flaw: Flaw,
    },
    /// Something in the target cannot be read back.
    #[error("the target: {what} cannot be read back: {cause}")]
    Unread {
        /// What.
        what: String,
        /// Why.
        cause: String,
    },
    /// An archived hand would not open on the target.
    #[error(
        "hand {hand} of table {table} does not open with the target's keys: {cause}; its key file must hold the source's keys, too"
    )]
    Keys {
        /// The table.
        table: TableId,
        /// The hand.
        hand: engine::HandNo,
        /// Why.
        cause: CodecError,
    },
    /// A table cannot be written down.
    #[error("table {table}: {cause}")]
    Table {
        /// Which.
        table: TableId,
        /// Why.
        cause: CodecError,
    },
    /// A shard of the target cannot be taken over.
    #[error("the target: shard {shard}: {cause}")]
    TakeOver {
        /// Which.
        shard: ShardId,
        /// Why.
        cause: TakeoverError,
    },
    /// A shard of the target cannot be written.
    #[error("the target: shard {shard}: {cause}")]
    Write {
        /// Which.
        shard: ShardId,
        /// Why.
        cause: AppendError,
    },
    /// The beginning of a shard's log cannot be moved.
    #[error("the target: shard {shard}: {cause}")]
    Prune {
        /// Which.
        shard: ShardId,
        /// Why.
        cause: PruneError,
    },
    /// What was read back is not what was written.
    #[error("table {0} is not the same on both sides")]
    Differs(TableId),
    /// What was read back is less or more than what was written.
    #[error("the source has {source_has} {what}, the target {target_has}")]
    Counts {
        /// Of what.
        what: &'static str,
        /// There.
        source_has: u64,
        /// Here.
        target_has: u64,
    },
    /// The source could not be marked, so the target was not opened.
    #[error("the source cannot be marked as moved: {0}")]
    Mark(Cause),
}

/// A side of a migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Where everything is.
    Source,
    /// Where everything goes.
    Target,
}

impl std::fmt::Display for Side {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Source => "the source",
            Self::Target => "the target",
        })
    }
}

/// Moves everything, reads it back, calls `mark` and opens the target for servers. After `mark` nobody may serve the source.
///
/// `token` must give a fresh random token at each call. Every table is held in memory once, in its encoded form, as on a
/// node that serves them.
///
/// # Errors
/// Names the side and the place. The same call again goes on.
pub async fn migrate(
    source: &dyn Store,
    target: Arc<dyn Store>,
    options: &Options,
    token: &mut (dyn FnMut() -> WriterToken + Send),
    mark: impl FnOnce() -> Result<(), Cause> + Send,
    progress: &mut (dyn FnMut(&Contents) + Send),
) -> Result<Summary, MigrateError> {
    let log = &options.log;
    let cluster = repeat(log, Statement::Cluster, || source.cluster()).await;
    let cluster = cluster.map_err(from_source)?;
    let cluster = cluster.ok_or(MigrateError::Empty)?;
    if cluster.feature_level == ClusterRecord::HALF_FILLED {
        return Err(MigrateError::HalfFilled);
    }
    if cluster.feature_level > options.feature_level {
        return Err(MigrateError::FeatureLevel {
            found: cluster.feature_level,
            known: options.feature_level,
        });
    }
    let mut migration = Migration {
        source,
        target,
        options,
        tables: BTreeMap::new(),
        unarchived: Vec::new(),
        epoch: Epoch(0),
        contents: Contents::default(),
    };
    migration.gather(cluster.shards).await?;
    migration.claim().await?;
    for shard in options.shards.shards() {
        migration.shard(shard, token).await?;
        progress(&migration.contents);
    }
    migration.hands(progress).await?;
    migration.sessions(progress).await?;
    let summary = migration.check().await?;
    mark().map_err(MigrateError::Mark)?;
    let opened = restore::open(&*migration.target, log, cluster.feature_level).await;
    opened.map_err(MigrateError::Target)?;
    Ok(summary)
}

struct Migration<'a> {
    source: &'a dyn Store,
    target: Arc<dyn Store>,
    options: &'a Options,
    /// Every table as a record of a checkpoint, by its new shard.
    tables: BTreeMap<ShardId, BTreeMap<TableId, Vec<u8>>>,
    /// Hands that ended and may not be in the archive yet.
    unarchived: Vec<FinishedHand>,
    /// The highest that any client of the source has seen.
    epoch: Epoch,
    contents: Contents,
}

impl Migration<'_> {
    /// Reads every log of the source.
    async fn gather(&mut self, shards: ShardCount) -> Result<(), MigrateError> {
        let which = Side::Source;
        let keys = &self.options.source_keys;
        for shard in shards.shards() {
            let mut audit = ShardAudit::new(shard, shards, Some(keys));
            let walked = log::walk(self.source, &self.options.log, shard, &mut audit).await;
            if let Some(flaw) = audit.take_flaws().into_iter().next() {
                return Err(MigrateError::Flawed { which, flaw });
            }
            let walked = walked.map_err(|cause| MigrateError::Walk {
                which,
                shard,
                cause,
            })?;
            let Some(walked) = walked else { continue };
            self.epoch = self
                .epoch
                .max(walked.row.epoch)
                .max(walked.end.segment.epoch);
            let (tables, finished) = audit.into_tables();
            for (table, audited) in tables {
                let record = Record::Snapshot(Box::new(audited.state));
                let record = codec::encode(&record, &self.options.target_keys);
                let record = record.map_err(|cause| MigrateError::Table { table, cause })?;
                let home = ShardId::of(table, self.options.shards);
                self.tables.entry(home).or_default().insert(table, record);
                self.contents.tables += 1;
            }
            self.unarchived.extend(finished);
        }
        Ok(())
    }

    /// Makes the target ours, or finds that it was.
    async fn claim(&mut self) -> Result<(), MigrateError> {
        let options = self.options;
        let ours = ClusterRecord {
            shards: options.shards,
            serial_domain: options.serial_domain.clone(),
            feature_level: ClusterRecord::HALF_FILLED,
        };
        let found = repeat(&options.log, Statement::Cluster, || self.target.cluster()).await;
        match found.map_err(from_target)? {
            Some(found) if found == ours => return Ok(()),
            Some(found) if found.feature_level == ClusterRecord::HALF_FILLED => {
                let text = format!("with {} shards", found.shards);
                return Err(MigrateError::Foreign(text));
            }
            Some(_) | None => {}
        }
        let empty = restore::refuse_filled(&*self.target, &options.log, options.shards).await;
        empty.map_err(MigrateError::Target)?;
        let create = || self.target.create_cluster(&ours);
        let created = repeat(&options.log, Statement::CreateCluster, create).await;
        match created.map_err(from_target)? {
            Cas::Applied => Ok(()),
            Cas::NotApplied(found) if found == ours => Ok(()),
            Cas::NotApplied(_) => Err(MigrateError::Foreign("somebody else was quicker".into())),
        }
    }

    async fn shard(
        &mut self,
        shard: ShardId,
        token: &mut (dyn FnMut() -> WriterToken + Send),
    ) -> Result<(), MigrateError> {
        let wanted = self.tables.get(&shard);
        let (there, complete) = self.read_back(shard).await?;
        if let Some(table) = there
            .keys()
            .find(|table| wanted.is_none_or(|it| !it.contains_key(table)))
        {
            return Err(MigrateError::Foreign(format!("it has table {table}")));
        }
        let Some(wanted) = wanted else { return Ok(()) };
        self.contents.shards += 1;
        if complete && self.same(wanted, &there)?.is_none() {
            return Ok(());
        }
        self.base(shard).await?;
        let (store, options) = (Arc::clone(&self.target), self.options.log.clone());
        let taken = ShardLog::take_over(store, shard, OWNER, token, &mut Nothing, options).await;
        let mut log = taken.map_err(|cause| MigrateError::TakeOver { shard, cause })?;
        let rows = rows(wanted.values());
        self.contents.rows += rows.len() as u64;
        let rotated = log.rotate(rows).await;
        let low = rotated.map_err(|cause| MigrateError::Write { shard, cause })?;
        let pruned = log.prune(low).await;
        pruned.map_err(|cause| MigrateError::Prune { shard, cause })?;
        let (there, _) = self.read_back(shard).await?;
        match self.same(wanted, &there)? {
            None => Ok(()),
            Some(table) => Err(MigrateError::Differs(table)),
        }
    }

    /// What a shard of the target holds, and whether its log begins with a checkpoint of it.
    async fn read_back(
        &self,
        shard: ShardId,
    ) -> Result<(BTreeMap<TableId, TableState>, bool), MigrateError> {
        let (which, keys) = (Side::Target, &self.options.target_keys);
        let mut audit = ShardAudit::new(shard, self.options.shards, Some(keys)).filling();
        let walked = log::walk(&*self.target, &self.options.log, shard, &mut audit).await;
        if let Some(flaw) = audit.take_flaws().into_iter().next() {
            return Err(MigrateError::Flawed { which, flaw });
        }
        let walked = walked.map_err(|cause| MigrateError::Walk {
            which,
            shard,
            cause,
        })?;
        let complete = walked.is_some_and(|walked| walked.row.low != SegmentKey::ROOT);
        let (tables, _) = audit.into_tables();
        let states = tables.into_iter().map(|(id, audited)| (id, audited.state));
        Ok((states.collect(), complete))
    }

    /// The first table that is not the same, if any.
    fn same(
        &self,
        wanted: &BTreeMap<TableId, Vec<u8>>,
        there: &BTreeMap<TableId, TableState>,
    ) -> Result<Option<TableId>, MigrateError> {
        for (table, record) in wanted {
            let table = *table;
            let Some(found) = there.get(&table) else {
                return Ok(Some(table));
            };
            let mut payload = codec::payload();
            codec::push(&mut payload, record);
            let records = codec::decode(&payload, &self.options.target_keys);
            let records = records.map_err(|cause| MigrateError::Table { table, cause })?;
            let same = records.iter().all(|record| match record {
                Record::Snapshot(state) => state.same_as(found),
                Record::Opened { .. } | Record::Batch(_) => false,
            });
            if !same {
                return Ok(Some(table));
            }
        }
        Ok(None)
    }

    /// Lets a new shard's epochs begin above all of the source's, so that clients who saw those take what comes for newer.
    async fn base(&self, shard: ShardId) -> Result<(), MigrateError> {
        let log = &self.options.log;
        let row = repeat(log, Statement::Shard, || self.target.shard(shard)).await;
        let row = row.map_err(from_target)?;
        let from = row.map(|row| row.epoch);
        if from.is_some_and(|epoch| epoch >= self.epoch) {
            return Ok(());
        }
        if from.is_none() {
            // As every takeover does: the root comes before the shard's row, and all make the same one.
            let root = SegmentKey::ROOT.of(shard);
            let create = || self.target.create_segment(root, WriterToken::ROOT);
            let created = repeat(log, Statement::CreateSegment, create).await;
            let (Cas::Applied | Cas::NotApplied(_)) = created.map_err(from_target)?;
        }
        let win = || self.target.win_epoch(shard, from, self.epoch, OWNER);
        let won = repeat(log, Statement::WinEpoch, win).await;
        match won.map_err(from_target)? {
            Cas::Applied => Ok(()),
            // An attempt without an answer may have been made before.
            Cas::NotApplied(Some(row)) if row.epoch == self.epoch => Ok(()),
            Cas::NotApplied(_) => Err(MigrateError::Foreign(format!(
                "somebody owns shard {shard}"
            ))),
        }
    }

    async fn hands(
        &mut self,
        progress: &mut (dyn FnMut(&Contents) + Send),
    ) -> Result<(), MigrateError> {
        let mut fresh = Vec::new();
        for hand in std::mem::take(&mut self.unarchived) {
            let read = || self.source.hand(hand.table, hand.hand);
            let known = repeat(&self.options.log, Statement::Hand, read).await;
            let known = known.map_err(from_source)?;
            if known.is_none() {
                let table = hand.table;
                let record = hand.record(&self.options.target_keys);
                fresh.push(record.map_err(|cause| MigrateError::Table { table, cause })?);
            }
        }
        for some in fresh.chunks(HANDS_A_WRITE) {
            self.archive(some).await?;
        }
        let mut after: Option<ScanCursor> = None;
        loop {
            let scan = || self.source.scan_hands(after.as_ref(), PAGE);
            let page = repeat(&self.options.log, Statement::ScanHands, scan).await;
            let page = page.map_err(from_source)?;
            for some in page.items.chunks(HANDS_A_WRITE) {
                self.archive(some).await?;
            }
            progress(&self.contents);
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    async fn archive(&mut self, hands: &[HandRecord]) -> Result<(), MigrateError> {
        for hand in hands {
            let (table, no) = (hand.table, hand.hand_no);
            codec::decode_hand(&hand.body, &self.options.target_keys).map_err(|cause| {
                MigrateError::Keys {
                    table,
                    hand: no,
                    cause,
                }
            })?;
        }
        let archive = || self.target.archive_hands(hands);
        let archived = repeat(&self.options.log, Statement::ArchiveHands, archive).await;
        archived.map_err(from_target)?;
        self.contents.hands += hands.len() as u64;
        Ok(())
    }

    async fn sessions(
        &mut self,
        progress: &mut (dyn FnMut(&Contents) + Send),
    ) -> Result<(), MigrateError> {
        let mut after: Option<ScanCursor> = None;
        loop {
            let scan = || self.source.scan_sessions(after.as_ref(), PAGE);
            let page = repeat(&self.options.log, Statement::ScanSessions, scan).await;
            let page = page.map_err(from_source)?;
            for (token, session) in &page.items {
                let put = || self.target.put_session(*token, session);
                let done = repeat(&self.options.log, Statement::PutSession, put).await;
                done.map_err(from_target)?;
                self.contents.sessions += 1;
            }
            progress(&self.contents);
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    /// Reads all of the target back, and counts.
    async fn check(&self) -> Result<Summary, MigrateError> {
        let check = verify::Options {
            log: self.options.log.clone(),
            keys: Some(self.options.target_keys.clone()),
            forgets: true,
            filling: true,
        };
        let mut first = None;
        let mut tell = |line| {
            let error = match line {
                Line::Shard(_) => return,
                Line::Flaw(flaw) => MigrateError::Flawed {
                    which: Side::Target,
                    flaw,
                },
                Line::Unread { what, cause } => MigrateError::Unread { what, cause },
            };
            first.get_or_insert(error);
        };
        let summary = verify::verify(&*self.target, &check, &mut tell).await;
        let summary = summary.map_err(|error| MigrateError::Target(error.into()))?;
        if let Some(error) = first {
            return Err(error);
        }
        let counts = [
            ("tables", self.contents.tables, summary.tables),
            (
                "archived hands",
                self.contents.hands,
                summary.archived_hands,
            ),
            ("sessions", self.contents.sessions, summary.sessions),
        ];
        match counts
            .into_iter()
            .find(|(_, source, target)| source != target)
        {
            None => Ok(summary),
            Some((what, source_has, target_has)) => Err(MigrateError::Counts {
                what,
                source_has,
                target_has,
            }),
        }
    }
}

/// Snapshots packed into rows.
fn rows<'a>(records: impl Iterator<Item = &'a Vec<u8>>) -> Vec<Bytes> {
    let mut rows = Vec::new();
    let mut payload = codec::payload();
    for record in records {
        let begun = payload.len() > codec::payload().len();
        if begun && payload.len() + record.len() > ROW_BYTES {
            let full = std::mem::replace(&mut payload, codec::payload());
            rows.push(Bytes::from(full));
        }
        codec::push(&mut payload, record);
    }
    rows.push(Bytes::from(payload));
    rows
}

/// The log of the target is read back by other means.
struct Nothing;

impl Fold for Nothing {
    fn begin(&mut self) {}

    fn row(&mut self, _at: Position, _kind: RowKind, _body: Bytes) -> Result<(), Cause> {
        Ok(())
    }
}

fn from_source(cause: StoreError) -> MigrateError {
    let which = Side::Source;
    MigrateError::Store { which, cause }
}

fn from_target(cause: StoreError) -> MigrateError {
    let which = Side::Target;
    MigrateError::Store { which, cause }
}

/// Whose reign the store says it is until a server comes.
const OWNER: &str = "migration";
/// As a server's commits.
const ROW_BYTES: usize = 1 << 20;
const HANDS_A_WRITE: usize = 64;
/// Records in one page of a scan: about a megabyte of hands.
const PAGE: u32 = 256;
