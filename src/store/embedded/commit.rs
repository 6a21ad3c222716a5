//! The commit thread: takes what all shards queued, evaluates it in order in one transaction, and answers after the commit.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, ErrorCode};
use tokio::sync::{mpsc, oneshot};

use crate::store::{Answer, Statement, StoreError};

/// A queued statement.
pub(super) trait Job: Send {
    /// Evaluates it within the open transaction. Called again, alone, if the transaction is rolled back for another's sake.
    fn run(&mut self, connection: &Connection) -> rusqlite::Result<()>;

    /// Gives the caller what [`Self::run`] found, or the error. A caller who went away is nobody's loss.
    fn answer(self: Box<Self>, failure: Option<&Failure>);
}

/// One statement and the one who waits for it.
pub(super) struct Call<T, F> {
    statement: Statement,
    evaluate: F,
    found: Option<T>,
    reply: oneshot::Sender<Answer<T>>,
}

impl<T, F: Fn(&Connection) -> rusqlite::Result<T>> Call<T, F> {
    pub(super) fn new(statement: Statement, evaluate: F) -> (Self, oneshot::Receiver<Answer<T>>) {
        let (reply, answer) = oneshot::channel();
        (
            Self {
                statement,
                evaluate,
                found: None,
                reply,
            },
            answer,
        )
    }
}

impl<T: Send, F: Fn(&Connection) -> rusqlite::Result<T> + Send> Job for Call<T, F> {
    fn run(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        self.found = Some((self.evaluate)(connection)?);
        Ok(())
    }

    fn answer(self: Box<Self>, failure: Option<&Failure>) {
        let answer = match failure {
            Some(failure) => Err(failure.of(self.statement)),
            None => Ok(self
                .found
                .expect("a statement is answered without failure only after it ran")),
        };
        if self.reply.send(answer).is_err() {
            tracing::debug!(statement = %self.statement, "nobody waits for the answer");
        }
    }
}

/// Why a transaction came to nothing, or to nobody knows what.
#[derive(Clone, Debug)]
pub(super) enum Failure {
    /// Rolled back; never applies.
    RolledBack {
        place: Arc<PathBuf>,
        source: Arc<rusqlite::Error>,
    },
    /// The commit failed half-way.
    Unknown { source: Arc<rusqlite::Error> },
    /// Not even begun, since an earlier commit failed half-way.
    Closed { source: Arc<rusqlite::Error> },
}

/// One error for every statement of a transaction.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct Shared(Arc<rusqlite::Error>);

impl Failure {
    fn of(&self, statement: Statement) -> StoreError {
        match self {
            Self::RolledBack { place, source } => not_applied(statement, place, source.clone()),
            Self::Unknown { source } => StoreError::Unknown {
                statement,
                source: Shared(source.clone()).into(),
            },
            Self::Closed { source } => StoreError::Closed {
                statement,
                reason: format!(
                    "a commit failed ({source}); only a restart can tell what the disk holds"
                ),
            },
        }
    }
}

/// What an error means for a statement that certainly was not applied: a read, or one whose transaction was rolled back.
pub(super) fn not_applied(
    statement: Statement,
    place: &Path,
    source: Arc<rusqlite::Error>,
) -> StoreError {
    let damaged = |finding: String| StoreError::Corrupt {
        statement,
        finding: format!(
            "{}: {finding}; keep a copy of it and of its -wal file, then restore both",
            place.display()
        ),
    };
    match source.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full {
            statement,
            place: place.display().to_string(),
        },
        Some(
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::ConstraintViolation,
        ) => damaged(source.to_string()),
        Some(_) => StoreError::Unavailable {
            statement,
            source: Shared(source).into(),
        },
        // No error of SQLite's but of reading a value: a column holds what nobody wrote.
        None => damaged(source.to_string()),
    }
}

/// How many statements one transaction takes at most: it bounds how long the first of them waits for the last.
const BATCH: usize = 512;

/// Works until every handle is dropped.
pub(super) fn run(
    connection: Connection,
    place: Arc<PathBuf>,
    mut jobs: mpsc::Receiver<Box<dyn Job>>,
) {
    let mut committer = Committer {
        connection,
        place,
        broken: None,
    };
    // No delay to collect more: what queued up while the last commit waited for the disk is the next batch, so batches grow
    // by themselves exactly when the disk is the bottleneck.
    while let Some(first) = jobs.blocking_recv() {
        let mut batch = vec![first];
        while batch.len() < BATCH
            && let Ok(next) = jobs.try_recv()
        {
            batch.push(next);
        }
        committer.commit(batch);
    }
    if let Err((_, error)) = committer.connection.close() {
        tracing::warn!(error = %error, "database not closed cleanly; the next start recovers it");
    }
}

struct Committer {
    connection: Connection,
    place: Arc<PathBuf>,
    broken: Option<Arc<rusqlite::Error>>,
}

impl Committer {
    fn commit(&mut self, mut batch: Vec<Box<dyn Job>>) {
        let failure = self.transaction(&mut batch);
        // One statement that cannot be evaluated must not take the others with it: each has its own transaction then.
        if batch.len() > 1 && matches!(failure, Some(Failure::RolledBack { .. })) {
            for job in batch {
                self.commit(vec![job]);
            }
            return;
        }
        for job in batch {
            job.answer(failure.as_ref());
        }
    }

    fn transaction(&mut self, batch: &mut [Box<dyn Job>]) -> Option<Failure> {
        if let Some(source) = &self.broken {
            return Some(Failure::Closed {
                source: source.clone(),
            });
        }
        if let Err(error) = self.evaluate(batch) {
            return Some(self.roll_back(error));
        }
        let Err(error) = self.execute("COMMIT") else {
            return None;
        };
        if never_committed(&error) {
            return Some(self.roll_back(error));
        }
        Some(self.break_off(error))
    }

    fn evaluate(&self, batch: &mut [Box<dyn Job>]) -> rusqlite::Result<()> {
        // Immediate: the write lock is taken now, so that COMMIT itself never finds the database busy.
        self.execute("BEGIN IMMEDIATE")?;
        batch
            .iter_mut()
            .try_for_each(|job| job.run(&self.connection))
    }

    /// Nothing of a transaction that did not reach its commit record is ever applied: recovery ignores frames of the
    /// write-ahead log that no commit record follows. Should the rollback itself fail, the connection is of no use.
    fn roll_back(&mut self, error: rusqlite::Error) -> Failure {
        if !self.connection.is_autocommit()
            && let Err(second) = self.execute("ROLLBACK")
        {
            tracing::error!(error = %second, "rollback failed");
            self.broken = Some(Arc::new(second));
        }
        Failure::RolledBack {
            place: self.place.clone(),
            source: Arc::new(error),
        }
    }

    /// The commit record may or may not be on the disk, and after a failed fsync not even the operating system can tell. So
    /// nobody is told "not applied", and this process writes nothing more: its next start reads what the disk holds.
    fn break_off(&mut self, error: rusqlite::Error) -> Failure {
        tracing::error!(error = %error, "commit failed; the store closes itself");
        let source = Arc::new(error);
        self.broken = Some(source.clone());
        Failure::Unknown { source }
    }

    fn execute(&self, sql: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(sql)?.execute(()).map(drop)
    }
}

/// Whether a failed COMMIT certainly left nothing behind.
///
/// SQLite reports a full disk only from writing: some frame of the transaction, at the latest the one that carries the commit
/// record, was not written whole, so its checksum fails and recovery ignores it, and the next commit overwrites it. (An
/// ENOSPC that fsync reports is an I/O error to SQLite.) The same holds where the commit found the database busy or locked:
/// it had not begun. Any other error may come from the fsync after the commit record.
pub(super) fn never_committed(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::DiskFull
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::ConstraintViolation
        )
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A statement that ends the transaction behind the committer's back makes COMMIT itself fail: what became of the
    /// others cannot be told, so nobody is told "not applied", and nothing is written any more.
    #[test]
    fn a_commit_that_fails_half_way_closes_the_store() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE t (x)").unwrap();
        let mut committer = Committer {
            connection,
            place: Arc::new(PathBuf::from("memory")),
            broken: None,
        };
        let insert = |db: &Connection| db.execute("INSERT INTO t VALUES (1)", ());
        let end = |db: &Connection| db.execute_batch("COMMIT");
        let (first, mut first_answer) = Call::new(Statement::Append, insert);
        let (second, mut second_answer) = Call::new(Statement::Seal, end);
        committer.commit(vec![Box::new(first), Box::new(second)]);
        assert!(first_answer.try_recv().unwrap().unwrap_err().is_unknown());
        assert!(second_answer.try_recv().unwrap().unwrap_err().is_unknown());

        let (third, mut third_answer) = Call::new(Statement::Append, insert);
        committer.commit(vec![Box::new(third)]);
        assert!(matches!(
            third_answer.try_recv().unwrap(),
            Err(StoreError::Closed { .. })
        ));
        let rows: u32 = committer
            .connection
            .query_row("SELECT count(*) FROM t", (), |row| row.get(0))
            .unwrap();
        assert_eq!(rows, 1);
    }
}
