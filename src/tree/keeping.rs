//! Keeping the store that a configuration names: checks, copies and moves of it, without a node.

use std::{path::Path, sync::Arc, time::Duration};

pub use super::readers::Reader;
use super::{
    readers::{self, Raised},
    setup, stores,
};
use crate::{
    config::{Config, StoreKind},
    ids::ShardCount,
    keep::{
        backup::{self, BackupError, Contents},
        file::Writer,
        migrate::{self, MigrateError},
        restore::{self, RestoreError},
        verify::{self, Line, Summary, VerifyError},
    },
    store::{Cause, Store, WriterToken, embedded::EmbeddedStore, log::LogOptions},
    table::{
        level,
        seal::{Keyring, SealError},
    },
};

/// The highest feature level that this release knows.
pub const FEATURE_LEVEL: u32 = level::KNOWN;

/// Why a store was not kept. Each text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// The store does not open.
    #[error(transparent)]
    Open(#[from] stores::StoreError),
    /// The keys do not read.
    #[error(transparent)]
    Keys(#[from] SealError),
    /// There is nothing to check.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// There is no backup.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// Nothing, or not everything, was restored.
    #[error(transparent)]
    Restore(#[from] RestoreError),
    /// The migration did not end.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// A migration begins at the embedded store.
    #[error(
        "a migration moves an embedded store: the configuration that it moves from says `store: cassandra`"
    )]
    NotEmbedded,
    /// The store gave no answer.
    #[error("the store: {0}")]
    Store(#[from] crate::store::StoreError),
    /// No server ever started on it.
    #[error("the store has no record of a cluster yet: start a server once")]
    NoRecord,
    /// Half of something, or of a later release.
    #[error(
        "the store is at feature level {0}, which this release does not know: use the release that wrote it, or end the restore or migration that fills it"
    )]
    Level(u32),
    /// A node that is there cannot read it.
    #[error(
        "the level stays {stored}: {}; upgrade or stop them, and raise it to {wanted} then. A node that does not say is of an earlier release, or began before `orp admin schema create` added the column nodes.reads less than half a minute ago", unfit.join(", ")
    )]
    CannotRead {
        /// The level.
        stored: u32,
        /// The one that was asked for.
        wanted: u32,
        /// Who cannot, in words.
        unfit: Vec<String>,
    },
    /// Both are one.
    #[error("the configurations name one and the same store")]
    SameStore,
}

/// Checks the store, beside the nodes that serve it or without them.
///
/// # Errors
/// When it does not open or is empty. What is wrong with it is told.
pub async fn verify(
    config: &Config,
    open_decks: bool,
    tell: &mut (dyn FnMut(Line) + Send),
) -> Result<Summary, KeepError> {
    let options = verify::Options {
        keys: if open_decks { there(config)? } else { None },
        forgets: config.archive.retention_days > 0,
        ..verify::Options::default()
    };
    let damaged = match config.store {
        StoreKind::Embedded => EmbeddedStore::damaged_pages(stores::database(config))
            .map_err(stores::StoreError::from)?,
        StoreKind::Cassandra => Vec::new(),
    };
    let (found, pages) = (damaged.len() as u64, "pages of the database");
    for cause in damaged {
        let what = pages.into();
        tell(Line::Unread { what, cause });
    }
    let store = open_to_read(config).await?;
    let mut summary = verify::verify(&*store, &options, tell).await?;
    summary.unread += found;
    Ok(summary)
}

/// Copies the store into a file, beside the nodes that serve it or without them.
///
/// # Errors
/// When there is no sound copy. Then there is no file.
pub async fn backup(
    config: &Config,
    file: &Path,
    progress: &mut (dyn FnMut(&Contents) + Send),
) -> Result<Contents, KeepError> {
    let store = open_to_read(config).await?;
    let file = Writer::create(file).map_err(BackupError::from)?;
    Ok(backup::backup(&*store, &LogOptions::default(), file, progress).await?)
}

/// Fills the store, which is empty, from a backup.
///
/// # Errors
/// When the file or the store is refused, before anything is written; or when the store does not take it.
pub async fn restore(
    config: &Config,
    file: &Path,
    progress: &mut (dyn FnMut(&Contents) + Send),
) -> Result<Summary, KeepError> {
    // Before a store is made for nothing.
    restore::inspect(file)?;
    let store = stores::open(config).await?;
    let options = restore::Options {
        log: LogOptions::default(),
        shards: ShardCount(config.shards()),
        serial_domain: stores::serial_domain(config),
        feature_level: level::KNOWN,
        keys: there(config)?,
    };
    Ok(restore::restore(file, &*store, &options, progress).await?)
}

/// Moves everything from an embedded store that nobody serves into another store, and marks the first as moved.
///
/// # Errors
/// When either side refuses. The same call again goes on.
pub async fn migrate(
    from: &Config,
    to: &Config,
    progress: &mut (dyn FnMut(&Contents) + Send),
) -> Result<Summary, KeepError> {
    if from.store != StoreKind::Embedded {
        return Err(KeepError::NotEmbedded);
    }
    let database = stores::database(from);
    if to.store == StoreKind::Embedded && stores::database(to) == database {
        return Err(KeepError::SameStore);
    }
    let source = EmbeddedStore::open_to_move(&database).map_err(stores::StoreError::from)?;
    let options = migrate::Options {
        log: LogOptions {
            rotate_bytes: to.server.segment_max_bytes,
            ..LogOptions::default()
        },
        shards: ShardCount(to.shards()),
        serial_domain: stores::serial_domain(to),
        feature_level: level::KNOWN,
        source_keys: Keyring::read(&from.deck_key_file())?,
        target_keys: Keyring::read(&to.deck_key_file())?,
    };
    let target = stores::open(to).await?;
    let mut token = || WriterToken(setup::token());
    let name = place(to);
    let mark = || source.mark_moved(&name).map_err(Cause::from);
    let moved = migrate::migrate(&source, target, &options, &mut token, mark, progress).await?;
    Ok(moved)
}

/// What the store's record says, and the nodes that are there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Level {
    /// The feature level.
    pub level: u32,
    /// The nodes of a cluster.
    pub there: Vec<Reader>,
    /// Nodes that began while the level was raised, and cannot read it.
    pub late: Vec<Reader>,
}

/// The feature level of the store, raised before to the highest that this release knows if that is asked for.
///
/// # Errors
/// When the store does not open, was never served, or is of a later release; and when it is to be raised above what a node
/// that is there reads.
pub async fn feature_level(config: &Config, raise: bool) -> Result<Level, KeepError> {
    let store = match raise {
        true => stores::open(config).await?,
        false => open_to_read(config).await?,
    };
    let Some(record) = store.cluster().await? else {
        return Err(KeepError::NoRecord);
    };
    let stored = record.feature_level;
    if stored > level::KNOWN {
        return Err(KeepError::Level(stored));
    }
    let apart = match config.store {
        // Nobody beats there.
        StoreKind::Embedded => Duration::ZERO,
        StoreKind::Cassandra => {
            BEATS_APART * Duration::from_millis(config.cluster.beat_ms) + BEAT_MARGIN
        }
    };
    if !raise || stored == level::KNOWN {
        return Ok(Level {
            level: stored,
            there: readers::readers(&*store, apart).await?,
            late: Vec::new(),
        });
    }
    match readers::raise(&*store, stored, level::KNOWN, apart).await? {
        Raised::To(level, late) => Ok(Level {
            level,
            there: Vec::new(),
            late,
        }),
        Raised::Refused(unfit) => Err(KeepError::CannotRead {
            stored,
            wanted: level::KNOWN,
            unfit: unfit.iter().map(Reader::to_string).collect(),
        }),
    }
}

/// The store in a few words.
pub fn place(config: &Config) -> String {
    match config.store {
        StoreKind::Embedded => stores::database(config).display().to_string(),
        StoreKind::Cassandra => format!(
            "keyspace {} of Cassandra at {}",
            config.cassandra.keyspace,
            config.cassandra.hosts.join(", ")
        ),
    }
}

async fn open_to_read(config: &Config) -> Result<Arc<dyn Store>, stores::StoreError> {
    match config.store {
        StoreKind::Embedded => Ok(Arc::new(EmbeddedStore::open_to_read(stores::database(
            config,
        ))?)),
        StoreKind::Cassandra => stores::open(config).await,
    }
}

/// The keys of the decks, if they are where the configuration says. A file that is named must be there.
fn there(config: &Config) -> Result<Option<Keyring>, SealError> {
    let path = config.deck_key_file();
    if config.secrets.deck_key_file.as_os_str().is_empty() && !path.exists() {
        return Ok(None);
    }
    Keyring::read(&path).map(Some)
}

/// A beat may be late; a node writes one at least once in a second, and two looks must not be between two of them.
const BEATS_APART: u32 = 3;
const BEAT_MARGIN: Duration = Duration::from_secs(1);
