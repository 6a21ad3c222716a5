//! The table `shard_log`: conditional statements, and the one range delete of rows below `low`.

use scylla::errors::PrepareError;

use super::driver::{Conditional, Driver, SerialRead, Write};
use super::found::{Found, bigint, clamped};
use crate::ids::Epoch;
use crate::store::{
    Answer, Append, Cas, ChainHash, ReadLimit, Row, Seal, SegmentChunk, SegmentId, SegmentKey,
    SegmentState, Statement, StoreError, WriterToken,
};

pub(super) struct ShardLogTable {
    create: Conditional,
    append: Conditional,
    seal: Conditional,
    state: SerialRead,
    rows: SerialRead,
    delete_rows: Write,
}

/// The columns of a partition's key.
type Key = (i32, i64, i64);

impl ShardLogTable {
    pub(super) async fn prepare(driver: &Driver) -> Result<Self, PrepareError> {
        Ok(Self {
            create: driver.conditional(Statement::CreateSegment, CREATE).await?,
            append: driver.conditional(Statement::Append, APPEND).await?,
            seal: driver.conditional(Statement::Seal, SEAL).await?,
            state: driver.serial_read(Statement::Segment, STATE).await?,
            rows: driver.serial_read(Statement::ReadRows, ROWS).await?,
            delete_rows: driver.write(Statement::DeleteRows, DELETE_ROWS).await?,
        })
    }

    pub(super) async fn create(
        &self,
        driver: &Driver,
        segment: SegmentId,
        writer: WriterToken,
    ) -> Answer<Cas<SegmentState>> {
        let (shard, epoch, k) = key(Statement::CreateSegment, segment)?;
        let created = SegmentState::created_by(writer);
        let values = (
            shard,
            epoch,
            k,
            &created.writer.0[..],
            bigint(Statement::CreateSegment, created.next_n)?,
            &created.last_hash.0[..],
        );
        match driver.decide(&self.create, values).await? {
            Cas::Applied => Ok(Cas::Applied),
            Cas::NotApplied(found) => state(&found).map(Cas::NotApplied),
        }
    }

    pub(super) async fn append(
        &self,
        driver: &Driver,
        append: &Append,
    ) -> Answer<Cas<Option<SegmentState>>> {
        let (bytes, limit) = (append.row.payload.len() as u64, PAYLOAD_BYTES_MAX);
        if bytes > limit {
            return Err(StoreError::TooLarge {
                statement: Statement::Append,
                bytes,
                limit,
            });
        }
        let full = StoreError::SegmentFull {
            segment: append.segment,
        };
        let Ok(next_n) = i64::try_from(append.row.n.saturating_add(1)) else {
            return Err(full);
        };
        let (shard, epoch, k) = key(Statement::Append, append.segment)?;
        let n = next_n - 1;
        let values = (
            next_n,
            &append.new_hash.0[..],
            i64::from(append.row.crc),
            &append.row.payload[..],
            shard,
            epoch,
            k,
            n,
            &append.writer.0[..],
            n,
            &append.expected_hash.0[..],
        );
        verdict(driver.decide(&self.append, values).await?)
    }

    pub(super) async fn seal(
        &self,
        driver: &Driver,
        segment: SegmentId,
        seal: Seal,
    ) -> Answer<Cas<Option<SegmentState>>> {
        let (shard, epoch, k) = key(Statement::Seal, segment)?;
        let values = (
            &seal.by.0[..],
            bigint(Statement::Seal, seal.next.epoch.0)?,
            i64::from(seal.next.k),
            shard,
            epoch,
            k,
        );
        verdict(driver.decide(&self.seal, values).await?)
    }

    pub(super) async fn state(
        &self,
        driver: &Driver,
        segment: SegmentId,
    ) -> Answer<Option<SegmentState>> {
        let rows = driver
            .look(&self.state, key(Statement::Segment, segment)?)
            .await?;
        match rows.first() {
            Some(found) if exists(found) => state(found).map(Some),
            Some(_) | None => Ok(None),
        }
    }

    /// Static part and rows of one moment.
    ///
    /// One read gives both where there are rows. Where there are none it gives nothing at all, so the static part is read
    /// before it and after it: it only ever moves forward (a number that grows, a seal that is never taken back), so if it is
    /// the same both times, it was the same in between.
    pub(super) async fn rows(
        &self,
        driver: &Driver,
        segment: SegmentId,
        from: u64,
        limit: ReadLimit,
    ) -> Answer<Option<SegmentChunk>> {
        let (shard, epoch, k) = key(Statement::ReadRows, segment)?;
        let most = i32::try_from(limit.rows.max(1)).unwrap_or(i32::MAX);
        let values = (shard, epoch, k, clamped(from), most);
        let mut before = None;
        for _ in 0..MOMENTS_MAX {
            let rows = driver.look(&self.rows, values).await?;
            if let Some(first) = rows.first() {
                let state = state(first)?;
                return Ok(Some(SegmentChunk {
                    state,
                    rows: up_to(limit.bytes, rows)?,
                }));
            }
            let Some(state) = self.state(driver, segment).await? else {
                return Ok(None);
            };
            // Rows have numbers below `next_n`, so without a row from there on there is nothing that could have moved.
            if state.next_n <= from || before == Some(state) {
                return Ok(Some(SegmentChunk {
                    state,
                    rows: Vec::new(),
                }));
            }
            before = Some(state);
        }
        Err(StoreError::Unavailable {
            statement: Statement::ReadRows,
            source: Restless(segment).into(),
        })
    }

    pub(super) async fn delete_rows(&self, driver: &Driver, segment: SegmentId) -> Answer<()> {
        driver
            .put(&self.delete_rows, key(Statement::DeleteRows, segment)?)
            .await
    }
}

/// Rows are pruned and appended at the same time, again and again: no segment's life.
#[derive(Debug, thiserror::Error)]
#[error("segment {0} changes faster than it can be read")]
struct Restless(SegmentId);

/// The rows of a read up to the one that reaches so many bytes.
fn up_to(bytes_max: u64, found: Vec<Found>) -> Answer<Vec<Row>> {
    let (mut rows, mut bytes) = (Vec::with_capacity(found.len()), 0);
    for mut found in found {
        let payload = found.take_bytes("payload")?;
        bytes += payload.len() as u64;
        rows.push(Row {
            n: found.number("n")?,
            payload,
            crc: found.small("crc")?,
        });
        if bytes >= bytes_max {
            break;
        }
    }
    Ok(rows)
}

fn key(statement: Statement, segment: SegmentId) -> Answer<Key> {
    let SegmentKey { epoch, k } = segment.key;
    Ok((
        i32::from(segment.shard.0),
        bigint(statement, epoch.0)?,
        i64::from(k),
    ))
}

fn verdict(decided: Cas<Found>) -> Answer<Cas<Option<SegmentState>>> {
    match decided {
        Cas::Applied => Ok(Cas::Applied),
        Cas::NotApplied(found) if exists(&found) => Ok(Cas::NotApplied(Some(state(&found)?))),
        Cas::NotApplied(_) => Ok(Cas::NotApplied(None)),
    }
}

/// A static part has a writer, and keeps it.
fn exists(found: &Found) -> bool {
    !found.is_null("writer")
}

fn state(found: &Found) -> Answer<SegmentState> {
    let seal = if found.is_null("sealed_by") {
        None
    } else {
        Some(Seal {
            by: WriterToken(found.array("sealed_by")?),
            next: SegmentKey {
                epoch: Epoch(found.number("next_epoch")?),
                k: found.small("next_k")?,
            },
        })
    };
    Ok(SegmentState {
        writer: WriterToken(found.array("writer")?),
        next_n: found.number("next_n")?,
        last_hash: ChainHash(found.array("last_hash")?),
        seal,
    })
}

/// The largest payload. Cassandra refuses mutations above half a commit log segment, 16 MiB by default, and a transaction
/// writes its proposal as one.
const PAYLOAD_BYTES_MAX: u64 = 8 << 20;

/// How often a read of rows looks for a moment in which nothing moved.
const MOMENTS_MAX: u32 = 8;

const CREATE: &str = "INSERT INTO shard_log (shard, epoch, k, writer, next_n, last_hash) \
     VALUES (?, ?, ?, ?, ?, ?) IF NOT EXISTS";

// The answer of a conditional statement names the columns of its conditions, so each of these names the whole static part.
// `x = null` is true in a partition that does not exist; the others are not.

const APPEND: &str = "UPDATE shard_log SET next_n = ?, last_hash = ?, crc = ?, payload = ? \
     WHERE shard = ? AND epoch = ? AND k = ? AND n = ? \
     IF writer = ? AND next_n = ? AND last_hash = ? \
     AND sealed_by = null AND next_epoch = null AND next_k = null";

const SEAL: &str = "UPDATE shard_log SET sealed_by = ?, next_epoch = ?, next_k = ? \
     WHERE shard = ? AND epoch = ? AND k = ? \
     IF sealed_by = null AND next_n >= 0 \
     AND next_epoch = null AND next_k = null AND writer != null AND last_hash != null";

/// `DISTINCT` reads the static part alone, and also where there are no rows.
const STATE: &str = "SELECT DISTINCT writer, next_n, last_hash, sealed_by, next_epoch, next_k FROM shard_log \
     WHERE shard = ? AND epoch = ? AND k = ?";

const ROWS: &str = "SELECT writer, next_n, last_hash, sealed_by, next_epoch, next_k, n, crc, payload FROM shard_log \
     WHERE shard = ? AND epoch = ? AND k = ? AND n >= ? LIMIT ?";

/// The latest of all timestamps: nothing is written to these rows again, and no clock of a node, however wrong, lets a row
/// outlive this.
const DELETE_ROWS: &str = "DELETE FROM shard_log USING TIMESTAMP 9223372036854775807 \
     WHERE shard = ? AND epoch = ? AND k = ? AND n >= 0";
