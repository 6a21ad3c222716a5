//! Opening the database: one process at a time, and only a database that is ours, of a version we know, and whole.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::{EmbeddedOptions, moved};

/// Why the embedded store did not open. Each text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it open.
    #[error("{} is in use by another process, which holds {}: stop that process, or configure another path", path.display(), lock.display())]
    InUse {
        /// The database.
        path: PathBuf,
        /// The lock file.
        lock: PathBuf,
    },
    /// The operating system refused a file.
    #[error("cannot open {}: check that the directory exists and may be written", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is something else.
    #[error("{} is not a database of this server: configure another path, or restore the file from a backup", path.display())]
    NotOurs {
        /// The file.
        path: PathBuf,
    },
    /// A later release wrote it.
    #[error("{} has schema version {found}, this release knows {known}: start the newer release", path.display())]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The newest version that this release reads.
        known: u32,
    },
    /// It was ours and is damaged.
    #[error("{} is damaged ({finding}): keep a copy of it and of its -wal file, then restore both from a backup", path.display())]
    Damaged {
        /// The database.
        path: PathBuf,
        /// What was found.
        finding: String,
    },
    /// There is none.
    #[error("there is no database at {}: check embedded.path", path.display())]
    Absent {
        /// Where it should be.
        path: PathBuf,
    },
    /// Its content was moved to another store.
    #[error("{} was moved to {to} and must not be served any more; if you mean it, delete {} first", path.display(), mark.display())]
    Moved {
        /// The database.
        path: PathBuf,
        /// What says so.
        mark: PathBuf,
        /// Where to.
        to: String,
    },
    /// SQLite refused.
    #[error("cannot open {}", path.display())]
    Database {
        /// The database.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
}

/// "ORPk", so that `file` and we know our databases.
const APPLICATION_ID: u32 = 0x4f52_506b;
const SCHEMA_VERSION: u32 = 2;
const SCHEMA: &str = include_str!("../embedded.sql");

/// What makes version 2 of version 1.
const FROM_VERSION_1: &str = "CREATE INDEX hands_by_time ON hands (ended_ms)";

/// What the lock file holds once the database exists: after that an empty database file is a loss, not a beginning.
const CREATED: &str = "database created\n";

/// How every SQLite database begins.
const MAGIC: &[u8] = b"SQLite format 3\0";

/// The page size. The smallest that every disk writes whole: a commit dirties the last page of each busy shard, and the
/// write-ahead log takes whole pages.
const PAGE_BYTES: u64 = 4_096;

/// Copy the write-ahead log into the database once it has this many pages (16 MiB): a fourth as often as SQLite's default, and
/// still read back in milliseconds after a crash.
const CHECKPOINT_PAGES: u32 = 4_096;

/// Databases up to this size are checked whole at each start, in a fraction of a second. In larger ones damage is found
/// when it is read: SQLite checks page structure, and log rows carry a checksum and a hash chain.
const CHECKED_WHOLE_BYTES: u64 = 16 << 20;

/// How long to wait for a person who writes with the `sqlite3` shell meanwhile.
const BUSY: Duration = Duration::from_secs(5);

const CACHED_STATEMENTS: usize = 64;

/// The lock, the writing connection and the reading one.
pub(super) struct Opened {
    pub(super) lock: File,
    pub(super) writer: Connection,
    pub(super) reader: Connection,
}

pub(super) fn open(path: &Path, options: &EmbeddedOptions) -> Result<Opened, OpenError> {
    let (lock, created) = lock(path)?;
    moved::refuse(path)?;
    refuse_loss(path, created)?;
    refuse_stranger(path)?;
    let database = |source| from_sqlite(path, source);
    let writer = connect(path).map_err(database)?;
    check_identity(path, &writer)?;
    configure_writer(&writer, options).map_err(database)?;
    check_whole(path, &writer)?;
    check_nothing_lost(path, &writer)?;
    if !created {
        mark_created(path)?;
    }
    let reader = connect(path).map_err(database)?;
    reader
        .pragma_update(None, "query_only", true)
        .map_err(database)?;
    Ok(Opened {
        lock,
        writer,
        reader,
    })
}

/// A connection that changes nothing, to a database that another process may serve meanwhile.
pub(super) fn open_to_read(path: &Path) -> Result<Connection, OpenError> {
    let missing = || OpenError::Absent {
        path: path.to_owned(),
    };
    match fs::metadata(path) {
        Ok(file) if file.len() > 0 => {}
        Ok(_) => return Err(missing()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(missing()),
        Err(source) => {
            let path = path.to_owned();
            return Err(OpenError::File { path, source });
        }
    }
    refuse_stranger(path)?;
    let failed = |source| from_sqlite(path, source);
    let read_only = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = connect_with(path, read_only).map_err(failed)?;
    match identity(&connection).map_err(failed)? {
        (APPLICATION_ID, 1..=SCHEMA_VERSION) => Ok(connection),
        (APPLICATION_ID, found) => Err(OpenError::Newer {
            path: path.to_owned(),
            found,
            known: SCHEMA_VERSION,
        }),
        _ => Err(OpenError::NotOurs {
            path: path.to_owned(),
        }),
    }
}

/// What SQLite finds wrong with the pages of a database, all of them; nothing if they are whole. May take minutes.
pub(super) fn damaged_pages(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut check = connection.prepare("PRAGMA quick_check")?;
    let found = check.query_map((), |row| row.get(0))?;
    let found: Vec<String> = found.collect::<rusqlite::Result<_>>()?;
    Ok(found.into_iter().filter(|line| line != "ok").collect())
}

/// Takes the lock beside the database. The operating system gives it back when the process ends, however it ends.
pub(super) fn lock(path: &Path) -> Result<(File, bool), OpenError> {
    let lock = lock_path(path);
    let failed = |source| OpenError::File {
        path: lock.clone(),
        source,
    };
    let mut file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&lock)
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(OpenError::InUse {
                path: path.to_owned(),
                lock,
            });
        }
        Err(TryLockError::Error(source)) => return Err(failed(source)),
    }
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(failed)?;
    Ok((file, text == CREATED))
}

fn lock_path(path: &Path) -> PathBuf {
    beside(path, ".lock")
}

pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn mark_created(path: &Path) -> Result<(), OpenError> {
    let lock = lock_path(path);
    let write = || -> io::Result<()> {
        fs::write(&lock, CREATED)?;
        File::open(&lock)?.sync_all()
    };
    write().map_err(|source| OpenError::File {
        path: lock.clone(),
        source,
    })
}

/// SQLite takes an empty or missing file for a new database. After the first start that would forget everything.
fn refuse_loss(path: &Path, created: bool) -> Result<(), OpenError> {
    let size = |path: &Path| match fs::metadata(path) {
        Ok(file) => Ok(file.len()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(source) => Err(OpenError::File {
            path: path.to_owned(),
            source,
        }),
    };
    if size(path)? > 0 || !(created || size(&beside(path, "-wal"))? > 0) {
        return Ok(());
    }
    let lock = lock_path(path);
    let finding = format!(
        "it is empty or gone; to begin anew delete {} and what lies beside it",
        lock.display()
    );
    Err(OpenError::Damaged {
        path: path.to_owned(),
        finding,
    })
}

/// SQLite takes a file of a few bytes, whatever they are, for a new database, and would write over it. (With a rollback
/// journal beside it the file may be a database whose creation was cut off, which SQLite repairs.)
fn refuse_stranger(path: &Path) -> Result<(), OpenError> {
    if beside(path, "-journal").exists() {
        return Ok(());
    }
    let mut head = Vec::new();
    let read =
        File::open(path).and_then(|file| file.take(MAGIC.len() as u64).read_to_end(&mut head));
    match read {
        Ok(0) => Ok(()),
        Ok(_) if head == MAGIC => Ok(()),
        Ok(_) => Err(OpenError::NotOurs {
            path: path.to_owned(),
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(OpenError::File {
            path: path.to_owned(),
            source,
        }),
    }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    // Each connection stays in one thread, so SQLite's own mutexes are not needed.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    connect_with(path, flags)
}

fn connect_with(path: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    Ok(connection)
}

/// Refuses what is not ours or too new, and creates the tables in an empty file, all of them or none.
fn check_identity(path: &Path, connection: &Connection) -> Result<(), OpenError> {
    let failed = |source| from_sqlite(path, source);
    let (id, version) = identity(connection).map_err(failed)?;
    let tables: u32 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0))
        .map_err(failed)?;
    match (id, version, tables) {
        (APPLICATION_ID, SCHEMA_VERSION, _) => Ok(()),
        (APPLICATION_ID, 1, _) => upgrade(connection, FROM_VERSION_1).map_err(failed),
        (APPLICATION_ID, found, _) if found > SCHEMA_VERSION => Err(OpenError::Newer {
            path: path.to_owned(),
            found,
            known: SCHEMA_VERSION,
        }),
        (0, 0, 0) => create(connection).map_err(failed),
        _ => Err(OpenError::NotOurs {
            path: path.to_owned(),
        }),
    }
}

/// Whose database it is, and of which version.
fn identity(connection: &Connection) -> rusqlite::Result<(u32, u32)> {
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, u32>(0));
    Ok((number("application_id")?, number("user_version")?))
}

fn create(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "page_size", PAGE_BYTES as u32)?;
    connection.execute_batch(&format!(
        "BEGIN EXCLUSIVE;\n{SCHEMA}\nPRAGMA application_id = {APPLICATION_ID};\nPRAGMA user_version = {SCHEMA_VERSION};\nCOMMIT;"
    ))
}

/// All of it or nothing, so that a start that is cut off here begins again.
fn upgrade(connection: &Connection, changes: &str) -> rusqlite::Result<()> {
    connection.execute_batch(&format!(
        "BEGIN EXCLUSIVE;\n{changes};\nPRAGMA user_version = {SCHEMA_VERSION};\nCOMMIT;"
    ))
}

fn configure_writer(connection: &Connection, options: &EmbeddedOptions) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    if let Some(bytes) = options.max_bytes {
        let pages = bytes.div_ceil(PAGE_BYTES).min(u64::from(u32::MAX)) as u32;
        connection.pragma_update(None, "max_page_count", pages)?;
    }
    Ok(())
}

fn check_whole(path: &Path, connection: &Connection) -> Result<(), OpenError> {
    let bytes = fs::metadata(path)
        .map_err(|source| OpenError::File {
            path: path.to_owned(),
            source,
        })?
        .len();
    if bytes > CHECKED_WHOLE_BYTES {
        return Ok(());
    }
    let finding: String = connection
        .pragma_query_value(None, "quick_check", |row| row.get(0))
        .map_err(|source| from_sqlite(path, source))?;
    if finding == "ok" {
        Ok(())
    } else {
        Err(OpenError::Damaged {
            path: path.to_owned(),
            finding,
        })
    }
}

/// A row that damage hid looks like one that was never written, and a shard without a row like a new one: its tables would
/// be gone without a word. So what must be there because of something else is looked for.
fn check_nothing_lost(path: &Path, connection: &Connection) -> Result<(), OpenError> {
    for (finding, query) in LOSSES {
        let lost: bool = connection
            .query_row(&format!("SELECT EXISTS ({query})"), (), |row| row.get(0))
            .map_err(|source| from_sqlite(path, source))?;
        if lost {
            return Err(OpenError::Damaged {
                path: path.to_owned(),
                finding: finding.to_owned(),
            });
        }
    }
    Ok(())
}

/// What cannot be, whatever was committed when: the root segment of epoch 0 is all that may come before a shard's row.
const LOSSES: [(&str, &str); 3] = [
    (
        "the row of a shard is missing",
        "SELECT 1 FROM segments WHERE epoch > 0 AND shard NOT IN (SELECT shard FROM shards)",
    ),
    (
        "the row of a shard is older than its segments",
        "SELECT 1 FROM segments JOIN shards USING (shard) WHERE segments.epoch > shards.epoch",
    ),
    (
        "the segments of a shard are missing",
        "SELECT 1 FROM shards WHERE shard NOT IN (SELECT shard FROM segments)",
    ),
];

fn from_sqlite(path: &Path, source: rusqlite::Error) -> OpenError {
    let path = path.to_owned();
    match source.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => OpenError::NotOurs { path },
        Some(ErrorCode::DatabaseCorrupt) => OpenError::Damaged {
            path,
            finding: source.to_string(),
        },
        _ => OpenError::Database { path, source },
    }
}
