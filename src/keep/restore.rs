//! A backup brought back into an empty store.
//!
//! Nothing is written before the whole file was read and found as it was written. While it is written the store says that
//! it is half filled, which no server serves; it says otherwise once a check of all of it found nothing.

use std::path::Path;

use super::{
    backup::Contents,
    file::{Entry, FileError, Reader},
    flaw::Flaw,
    verify::{self, Line, Summary, VerifyError},
};
use crate::{
    ids::{Epoch, ShardCount, ShardId},
    store::{
        Cas, ClusterRecord, HandRecord, SegmentKey, SerialDomain, ShardRow, Statement, Store,
        StoreError,
        log::{CopyError, LogCopy, LogOptions, repeat},
    },
    table::seal::Keyring,
};

/// What a restore is to go by.
#[derive(Clone, Debug)]
pub struct Options {
    /// How statements are repeated.
    pub log: LogOptions,
    /// The shards that the servers of this store are configured for.
    pub shards: ShardCount,
    /// Where this store orders its conditional statements; need not be where the copied one did.
    pub serial_domain: SerialDomain,
    /// The newest forms that this release reads.
    pub feature_level: u32,
    /// The keys of the decks, for the check at the end; without any they stay closed.
    pub keys: Option<Keyring>,
}

/// Why nothing was restored, or not everything.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The file is not to be trusted.
    #[error(transparent)]
    File(#[from] FileError),
    /// The store does not answer.
    #[error("the store: {0}")]
    Store(#[from] StoreError),
    /// The store is in use.
    #[error(
        "the store is not empty ({0}): a backup is restored into an empty one; configure another"
    )]
    NotEmpty(&'static str),
    /// An earlier restore or migration did not end.
    #[error(
        "the store is half filled by a restore or a migration that did not end: empty it and begin anew"
    )]
    HalfFilled,
    /// The servers would be refused afterwards.
    #[error(
        "the backup has {backup} shards and the configuration says {configured}: set server.shards to {backup}"
    )]
    Shards {
        /// The backup's.
        backup: ShardCount,
        /// The configuration's.
        configured: ShardCount,
    },
    /// The backup holds forms that this release does not read.
    #[error(
        "the backup is at feature level {backup}, this release reads up to {known}: use the newer release"
    )]
    FeatureLevel {
        /// The backup's.
        backup: u32,
        /// Ours.
        known: u32,
    },
    /// A log cannot be written down.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// What was restored is not sound. The store stays half filled.
    #[error("what was restored is not sound: {0}")]
    Flawed(Flaw),
    /// What was restored cannot be read back. The store stays half filled.
    #[error("{what} cannot be read back: {cause}")]
    Unread {
        /// What.
        what: String,
        /// Why.
        cause: String,
    },
    /// What was restored cannot be read back. The store stays half filled.
    #[error(transparent)]
    Verify(#[from] VerifyError),
}

/// Reads a whole backup, and says what is in it.
///
/// # Errors
/// When it is not as it was written.
pub fn inspect(path: &Path) -> Result<(ClusterRecord, Contents), RestoreError> {
    let mut file = Reader::open(path)?;
    let Some(Entry::Cluster(cluster)) = file.entry()? else {
        return Err(file.damaged(0, "it does not begin with a cluster").into());
    };
    let mut contents = Contents::default();
    while let Some(entry) = file.entry()? {
        match entry {
            Entry::Shard(..) => contents.shards += 1,
            Entry::Row(_) => contents.rows += 1,
            Entry::Hand(_) => contents.hands += 1,
            Entry::Session(..) => contents.sessions += 1,
            Entry::Cluster(_) | Entry::Segment(..) | Entry::SegmentEnd(_) | Entry::ShardEnd => {}
        }
    }
    contents.bytes = file.bytes();
    Ok((cluster, contents))
}

/// Fills an empty store from a backup, checks it, and opens it for servers.
///
/// # Errors
/// Before anything is written: when the file or the store is refused. Later ones leave the store half filled, and say so.
pub async fn restore(
    path: &Path,
    store: &dyn Store,
    options: &Options,
    progress: &mut (dyn FnMut(&Contents) + Send),
) -> Result<Summary, RestoreError> {
    let (cluster, _) = inspect(path)?;
    if cluster.feature_level > options.feature_level {
        return Err(RestoreError::FeatureLevel {
            backup: cluster.feature_level,
            known: options.feature_level,
        });
    }
    if cluster.shards != options.shards {
        return Err(RestoreError::Shards {
            backup: cluster.shards,
            configured: options.shards,
        });
    }
    refuse_filled(store, &options.log, options.shards).await?;
    let filling = ClusterRecord {
        shards: cluster.shards,
        serial_domain: options.serial_domain.clone(),
        feature_level: ClusterRecord::HALF_FILLED,
    };
    let create = || store.create_cluster(&filling);
    match repeat(&options.log, Statement::CreateCluster, create).await? {
        Cas::Applied => {}
        // It was not there a moment ago: from an attempt that was not answered.
        Cas::NotApplied(found) if found == filling => {}
        Cas::NotApplied(_) => return Err(RestoreError::NotEmpty("it has a cluster's record")),
    }
    let mut filler = Filler {
        file: Reader::open(path)?,
        store,
        options,
        contents: Contents::default(),
        hands: Vec::new(),
    };
    filler.fill(progress).await?;
    let summary = check(store, options).await?;
    open(store, &options.log, cluster.feature_level).await?;
    Ok(summary)
}

/// Whether a store is empty, by all that can be asked of it.
pub(super) async fn refuse_filled(
    store: &dyn Store,
    log: &LogOptions,
    shards: ShardCount,
) -> Result<(), RestoreError> {
    if let Some(cluster) = repeat(log, Statement::Cluster, || store.cluster()).await? {
        return Err(match cluster.feature_level {
            ClusterRecord::HALF_FILLED => RestoreError::HalfFilled,
            _ => RestoreError::NotEmpty("it has a cluster's record"),
        });
    }
    for shard in shards.shards() {
        let row = repeat(log, Statement::Shard, || store.shard(shard)).await?;
        if row.is_some() {
            return Err(RestoreError::NotEmpty("it has a shard's row"));
        }
    }
    let hands = repeat(log, Statement::ScanHands, || store.scan_hands(None, 1)).await?;
    if !hands.items.is_empty() {
        return Err(RestoreError::NotEmpty("it has archived hands"));
    }
    let scan = || store.scan_sessions(None, 1);
    let sessions = repeat(log, Statement::ScanSessions, scan).await?;
    if !sessions.items.is_empty() {
        return Err(RestoreError::NotEmpty("it has sessions"));
    }
    Ok(())
}

/// Reads back what was written. The first flaw is enough.
async fn check(store: &dyn Store, options: &Options) -> Result<Summary, RestoreError> {
    let check = verify::Options {
        log: options.log.clone(),
        keys: options.keys.clone(),
        forgets: true,
        filling: true,
    };
    let mut first = None;
    let mut tell = |line| {
        let error = match line {
            Line::Shard(_) => return,
            Line::Flaw(flaw) => RestoreError::Flawed(flaw),
            Line::Unread { what, cause } => RestoreError::Unread { what, cause },
        };
        first.get_or_insert(error);
    };
    let summary = verify::verify(store, &check, &mut tell).await?;
    first.map_or(Ok(summary), Err)
}

/// From now on servers serve it.
pub(super) async fn open(
    store: &dyn Store,
    log: &LogOptions,
    feature_level: u32,
) -> Result<(), RestoreError> {
    let raise = || store.raise_feature_level(ClusterRecord::HALF_FILLED, feature_level);
    match repeat(log, Statement::RaiseFeatureLevel, raise).await? {
        Cas::Applied => Ok(()),
        // An attempt without an answer may have been made before.
        Cas::NotApplied(Some(found)) if found.feature_level == feature_level => Ok(()),
        Cas::NotApplied(_) => Err(RestoreError::NotEmpty(
            "somebody else changed its cluster's record",
        )),
    }
}

struct Filler<'a> {
    file: Reader,
    store: &'a dyn Store,
    options: &'a Options,
    contents: Contents,
    hands: Vec<HandRecord>,
}

impl Filler<'_> {
    async fn fill(
        &mut self,
        progress: &mut (dyn FnMut(&Contents) + Send),
    ) -> Result<(), RestoreError> {
        while let Some(entry) = self.file.entry()? {
            match entry {
                Entry::Cluster(_) => {}
                Entry::Shard(shard, row) => {
                    self.shard(shard, row).await?;
                    self.contents.shards += 1;
                }
                Entry::Hand(hand) => {
                    self.hands.push(hand);
                    if self.hands.len() >= HANDS_A_WRITE {
                        self.archive().await?;
                    }
                }
                Entry::Session(token, session) => {
                    let put = || self.store.put_session(token, &session);
                    repeat(&self.options.log, Statement::PutSession, put).await?;
                    self.contents.sessions += 1;
                }
                Entry::Segment(..) | Entry::Row(_) | Entry::SegmentEnd(_) | Entry::ShardEnd => {
                    return Err(self.out_of_order());
                }
            }
            self.contents.bytes = self.file.bytes();
            progress(&self.contents);
        }
        self.archive().await
    }

    async fn archive(&mut self) -> Result<(), RestoreError> {
        let archive = || self.store.archive_hands(&self.hands);
        repeat(&self.options.log, Statement::ArchiveHands, archive).await?;
        self.contents.hands += self.hands.len() as u64;
        self.hands.clear();
        Ok(())
    }

    async fn shard(&mut self, shard: ShardId, row: ShardRow) -> Result<(), RestoreError> {
        let mut log = LogCopy::new(self.store, &self.options.log, shard);
        let mut last = SegmentKey::ROOT;
        while let Some(entry) = self.file.entry()? {
            match entry {
                Entry::Segment(key, writer) => {
                    log.segment(key, writer).await?;
                    last = key;
                }
                Entry::Row(row) => {
                    log.row(row).await?;
                    self.contents.rows += 1;
                }
                Entry::SegmentEnd(state) => log.segment_end(&state).await?,
                Entry::ShardEnd => {
                    // Positions that clients saw after the backup was made are of lower epochs than those to come, so
                    // nobody takes what the restored store says for old.
                    let epoch = Epoch(
                        row.epoch
                            .0
                            .max(last.epoch.0)
                            .saturating_add(EPOCHS_LEFT_OUT),
                    );
                    return Ok(log.finish(epoch, &row.owner, row.low).await?);
                }
                Entry::Cluster(_) | Entry::Shard(..) | Entry::Hand(_) | Entry::Session(..) => break,
            }
        }
        Err(self.out_of_order())
    }

    fn out_of_order(&self) -> RestoreError {
        let at = self.file.bytes();
        self.file.damaged(at, "its records are out of order").into()
    }
}

const HANDS_A_WRITE: usize = 64;
/// More takeovers than a shard sees between a backup and the loss that it is for.
const EPOCHS_LEFT_OUT: u64 = 1 << 20;
