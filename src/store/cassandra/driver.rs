//! The driver's session, and the four ways in which a statement is executed on it.
//!
//! The driver neither repeats nor speculates: what a repetition means is the log protocol's business, and an error says
//! something about an attempt only if there was one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use bytes::Bytes;
use scylla::client::execution_profile::{ExecutionProfile, ExecutionProfileHandle};
use scylla::client::session::Session;
use scylla::errors::PrepareError;
use scylla::policies::load_balancing::DefaultPolicy;
use scylla::policies::retry::FallthroughRetryPolicy;
use scylla::response::query_result::QueryResult;
use scylla::response::{PagingState, PagingStateResponse};
use scylla::serialize::row::SerializeRow;
use scylla::statement::Consistency;
use scylla::statement::prepared::PreparedStatement;

use super::failure::{Effect, judge};
use super::found::Found;
use super::options::{CassandraOptions, Levels};
use crate::store::{Answer, Cas, Page, ScanCursor, SerialDomain, Statement, StoreError};

/// A session with the cluster.
pub(super) struct Driver {
    pub(super) session: Session,
    levels: Levels,
    detour: Detour,
}

/// Around a replica that answers nobody, though it is connected: it hangs, or its clock is off and the others' answers seem too
/// old to it. The first replica of a partition is always the same, so that repetitions would all go to that one.
struct Detour {
    /// Statements begin at any replica.
    profile: ExecutionProfileHandle,
    since: Instant,
    /// When a statement was last not answered as it should be, in ms since then; 0: never.
    failed_ms: AtomicU64,
}

/// A conditional statement.
pub(super) struct Conditional(Prepared);

/// A read that sees every statement that was answered before it began. Of one partition, whole or with a LIMIT, and never
/// in the driver's pages: each of those would be a read of its own moment.
pub(super) struct SerialRead(Prepared);

/// A plain, idempotent write.
pub(super) struct Write(Prepared);

/// A plain read.
pub(super) struct Read(Prepared);

struct Prepared {
    statement: Statement,
    prepared: PreparedStatement,
}

/// The answer is not one of a conditional statement.
#[derive(Debug, thiserror::Error)]
#[error("an answer without [applied]")]
struct NoVerdict;

/// Where the execution of a statement begins.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Begin {
    /// At the first replica of its partition: transactions that begin at the same one get in each other's way the least.
    AtFirstReplica,
    /// At any replica of its partition.
    AtAnyReplica,
}

/// How statements are executed, whatever they are.
pub(super) fn profile(options: &CassandraOptions, begin: Begin) -> ExecutionProfileHandle {
    let levels = Levels::of(&options.domain);
    let mut policy = DefaultPolicy::builder()
        .token_aware(true)
        .enable_shuffling_replicas(begin == Begin::AtAnyReplica);
    if let SerialDomain::LocalSerial(data_centre) = &options.domain {
        policy = policy
            .prefer_datacenter(data_centre.clone())
            .permit_dc_failover(false);
    }
    ExecutionProfile::builder()
        .consistency(levels.plain)
        .serial_consistency(Some(levels.serial))
        .request_timeout(Some(options.request_timeout))
        .retry_policy(Arc::new(FallthroughRetryPolicy::new()))
        .speculative_execution_policy(None)
        .load_balancing_policy(policy.build())
        .build()
        .into_handle()
}

impl Driver {
    pub(super) fn new(session: Session, options: &CassandraOptions) -> Self {
        Self {
            session,
            levels: Levels::of(&options.domain),
            detour: Detour {
                profile: profile(options, Begin::AtAnyReplica),
                since: Instant::now(),
                failed_ms: AtomicU64::new(0),
            },
        }
    }

    pub(super) async fn conditional(
        &self,
        statement: Statement,
        cql: &str,
    ) -> Result<Conditional, PrepareError> {
        self.prepare(statement, cql, None).await.map(Conditional)
    }

    pub(super) async fn serial_read(
        &self,
        statement: Statement,
        cql: &str,
    ) -> Result<SerialRead, PrepareError> {
        let level = Some(self.levels.serial_read);
        self.prepare(statement, cql, level).await.map(SerialRead)
    }

    pub(super) async fn write(
        &self,
        statement: Statement,
        cql: &str,
    ) -> Result<Write, PrepareError> {
        self.prepare(statement, cql, None).await.map(Write)
    }

    pub(super) async fn read(&self, statement: Statement, cql: &str) -> Result<Read, PrepareError> {
        self.prepare(statement, cql, None).await.map(Read)
    }

    async fn prepare(
        &self,
        statement: Statement,
        cql: &str,
        level: Option<Consistency>,
    ) -> Result<Prepared, PrepareError> {
        let mut prepared = self.session.prepare(cql).await?;
        if let Some(level) = level {
            prepared.set_consistency(level);
        }
        // Repeating is not the driver's business, so nothing tells it that it may.
        prepared.set_is_idempotent(false);
        Ok(Prepared {
            statement,
            prepared,
        })
    }

    /// Makes a conditional statement. Not applied, it answers what stood there.
    pub(super) async fn decide(
        &self,
        Conditional(asked): &Conditional,
        values: impl SerializeRow,
    ) -> Answer<Cas<Found>> {
        let effect = Effect::Conditional;
        let rows = self.rows(asked, effect, values).await?;
        let found = rows.into_iter().next();
        match found.map(|found| (found.applied(), found)) {
            Some((Some(true), _)) => Ok(Cas::Applied),
            Some((Some(false), found)) => Ok(Cas::NotApplied(found)),
            Some((None, _)) | None => Err(StoreError::Unknown {
                statement: asked.statement,
                source: NoVerdict.into(),
            }),
        }
    }

    /// Reads what stands there now.
    pub(super) async fn look(
        &self,
        SerialRead(asked): &SerialRead,
        values: impl SerializeRow,
    ) -> Answer<Vec<Found>> {
        self.rows(asked, Effect::None, values).await
    }

    /// Writes.
    pub(super) async fn put(&self, Write(asked): &Write, values: impl SerializeRow) -> Answer<()> {
        self.execute(asked, Effect::Plain, values).await.map(drop)
    }

    /// Reads.
    pub(super) async fn get(
        &self,
        Read(asked): &Read,
        values: impl SerializeRow,
    ) -> Answer<Vec<Found>> {
        self.rows(asked, Effect::None, values).await
    }

    /// Reads one page of all partitions.
    pub(super) async fn scan<T>(
        &self,
        Read(asked): &Read,
        after: Option<&ScanCursor>,
        limit: u32,
        item: impl Fn(Found) -> Answer<T>,
    ) -> Answer<Page<T>> {
        let statement = asked.statement;
        let mut prepared = asked.prepared.clone();
        prepared.set_page_size(i32::try_from(limit).unwrap_or(i32::MAX).max(1));
        let state = after.map_or_else(PagingState::start, |cursor| {
            PagingState::new_from_raw_bytes(&cursor.0[..])
        });
        let page = self.session.execute_single_page(&prepared, &(), state);
        let (result, next) = page
            .await
            .map_err(|error| judge(statement, Effect::None, error))?;
        let rows = found(statement, Effect::None, result)?;
        let next = match next {
            PagingStateResponse::NoMorePages => None,
            PagingStateResponse::HasMorePages { state } => state
                .as_bytes_slice()
                .map(|bytes| ScanCursor(Bytes::copy_from_slice(bytes))),
        };
        Ok(Page {
            items: rows.into_iter().map(item).collect::<Answer<_>>()?,
            next,
        })
    }

    async fn rows(
        &self,
        asked: &Prepared,
        effect: Effect,
        values: impl SerializeRow,
    ) -> Answer<Vec<Found>> {
        let result = self.execute(asked, effect, values).await?;
        found(asked.statement, effect, result)
    }

    async fn execute(
        &self,
        asked: &Prepared,
        effect: Effect,
        values: impl SerializeRow,
    ) -> Answer<QueryResult> {
        let answer = if self.detour.is_taken() {
            let mut prepared = asked.prepared.clone();
            prepared.set_execution_profile_handle(Some(self.detour.profile.clone()));
            self.session.execute_unpaged(&prepared, values).await
        } else {
            self.session.execute_unpaged(&asked.prepared, values).await
        };
        answer.map_err(|error| {
            self.detour.take();
            judge(asked.statement, effect, error)
        })
    }
}

impl Detour {
    fn take(&self) {
        self.failed_ms.store(self.now_ms(), Relaxed);
    }

    fn is_taken(&self) -> bool {
        match self.failed_ms.load(Relaxed) {
            0 => false,
            failed => self.now_ms().saturating_sub(failed) < DETOUR_MS,
        }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.since.elapsed().as_millis())
            .unwrap_or(u64::MAX)
            .max(1)
    }
}

/// The rows of an answer. One that does not read leaves doubt about what a statement did that does something.
fn found(statement: Statement, effect: Effect, result: QueryResult) -> Answer<Vec<Found>> {
    let rows = result
        .into_rows_result()
        .map_err(Into::into)
        .and_then(|result| Found::all(statement, &result));
    rows.map_err(|source| match effect {
        Effect::None => StoreError::Unavailable { statement, source },
        Effect::Plain | Effect::Conditional => StoreError::Unknown { statement, source },
    })
}

/// Longer than an attempt may take, so that a statement that is not answered is repeated elsewhere; and then the first replica
/// has another chance.
const DETOUR_MS: u64 = 10_000;
/// How long a connection may be silent before it is asked whether it still lives, and how long the answer may take: a frozen
/// node is left alone after the two of them.
pub(super) const KEEP_ALIVE: (Duration, Duration) =
    (Duration::from_millis(500), Duration::from_secs(1));
