//! Each statement about clusters, shards and segments in SQL. The ones that write run inside the commit thread's transaction; none of them commits.

use bytes::Bytes;
use rusqlite::types::{FromSqlError, Type};
use rusqlite::{Connection, Error, OptionalExtension, Result, Row as SqlRow, params};

use crate::ids::{Epoch, ShardCount, ShardId};
use crate::store::{
    Append, Cas, ChainHash, ClusterRecord, ReadLimit, Row, Seal, SegmentChunk, SegmentId,
    SegmentKey, SegmentState, SerialDomain, ShardRow, WriterToken,
};

/// Rows of a segment have numbers below this, so that one integer names a row: segment · 2³² + n.
pub(super) const ROWS: u64 = 1 << 32;

pub(super) fn cluster(db: &Connection) -> Result<Option<ClusterRecord>> {
    let mut select =
        db.prepare_cached("SELECT shards, serial_domain, feature_level FROM cluster")?;
    let record = |row: &SqlRow<'_>| {
        let shards = ShardCount::new(row.get(0)?).ok_or(Error::IntegralValueOutOfRange(0, 0))?;
        let data_centre: Option<String> = row.get(1)?;
        let serial_domain = data_centre.map_or(SerialDomain::Serial, SerialDomain::LocalSerial);
        Ok(ClusterRecord {
            shards,
            serial_domain,
            feature_level: row.get(2)?,
        })
    };
    select.query_row((), record).optional()
}

pub(super) fn create_cluster(
    db: &Connection,
    record: &ClusterRecord,
) -> Result<Cas<ClusterRecord>> {
    if let Some(current) = cluster(db)? {
        return Ok(Cas::NotApplied(current));
    }
    let data_centre = match &record.serial_domain {
        SerialDomain::Serial => None,
        SerialDomain::LocalSerial(name) => Some(name),
    };
    let mut insert = db.prepare_cached(
        "INSERT INTO cluster (one, shards, serial_domain, feature_level) VALUES (1, ?1, ?2, ?3)",
    )?;
    insert.execute(params![
        record.shards.value(),
        data_centre,
        record.feature_level
    ])?;
    Ok(Cas::Applied)
}

pub(super) fn raise_feature_level(
    db: &Connection,
    from: u32,
    to: u32,
) -> Result<Cas<Option<ClusterRecord>>> {
    let mut update =
        db.prepare_cached("UPDATE cluster SET feature_level = ?2 WHERE feature_level = ?1")?;
    if update.execute((from, to))? == 1 {
        Ok(Cas::Applied)
    } else {
        Ok(Cas::NotApplied(cluster(db)?))
    }
}

pub(super) fn shard(db: &Connection, shard: ShardId) -> Result<Option<ShardRow>> {
    let mut select = db.prepare_cached(
        "SELECT epoch, owner, tail_epoch, tail_k, low_epoch, low_k FROM shards WHERE shard = ?1",
    )?;
    let record = |row: &SqlRow<'_>| {
        Ok(ShardRow {
            epoch: Epoch(number(row, 0)?),
            owner: row.get(1)?,
            tail: SegmentKey {
                epoch: Epoch(number(row, 2)?),
                k: row.get(3)?,
            },
            low: SegmentKey {
                epoch: Epoch(number(row, 4)?),
                k: row.get(5)?,
            },
        })
    };
    select.query_row((shard.0,), record).optional()
}

pub(super) fn win_epoch(
    db: &Connection,
    id: ShardId,
    from: Option<Epoch>,
    to: Epoch,
    owner: &str,
) -> Result<Cas<Option<ShardRow>>> {
    let root = SegmentKey::ROOT;
    let changed = match from {
        None => db
            .prepare_cached(
                "INSERT INTO shards (shard, epoch, owner, tail_epoch, tail_k, low_epoch, low_k)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?4, ?5) ON CONFLICT DO NOTHING",
            )?
            .execute(params![id.0, int(to.0)?, owner, int(root.epoch.0)?, root.k])?,
        Some(from) => db
            .prepare_cached(
                "UPDATE shards SET epoch = ?3, owner = ?4 WHERE shard = ?1 AND epoch = ?2",
            )?
            .execute(params![id.0, int(from.0)?, int(to.0)?, owner])?,
    };
    shard_cas(db, id, changed)
}

pub(super) fn set_tail(
    db: &Connection,
    id: ShardId,
    epoch: Epoch,
    tail: SegmentKey,
) -> Result<Cas<Option<ShardRow>>> {
    let mut update = db.prepare_cached(
        "UPDATE shards SET tail_epoch = ?3, tail_k = ?4 WHERE shard = ?1 AND epoch = ?2",
    )?;
    let changed = update.execute(params![id.0, int(epoch.0)?, int(tail.epoch.0)?, tail.k])?;
    shard_cas(db, id, changed)
}

pub(super) fn advance_low(
    db: &Connection,
    id: ShardId,
    from: SegmentKey,
    to: SegmentKey,
) -> Result<Cas<Option<ShardRow>>> {
    let mut update = db.prepare_cached(
        "UPDATE shards SET low_epoch = ?4, low_k = ?5 WHERE shard = ?1 AND low_epoch = ?2 AND low_k = ?3",
    )?;
    let changed = update.execute(params![
        id.0,
        int(from.epoch.0)?,
        from.k,
        int(to.epoch.0)?,
        to.k
    ])?;
    shard_cas(db, id, changed)
}

fn shard_cas(db: &Connection, id: ShardId, changed: usize) -> Result<Cas<Option<ShardRow>>> {
    if changed == 1 {
        Ok(Cas::Applied)
    } else {
        Ok(Cas::NotApplied(shard(db, id)?))
    }
}

pub(super) fn create_segment(
    db: &Connection,
    segment: SegmentId,
    writer: WriterToken,
) -> Result<Cas<SegmentState>> {
    if let Some((_, current)) = numbered_segment(db, segment)? {
        return Ok(Cas::NotApplied(current));
    }
    let created = SegmentState::created_by(writer);
    let mut insert = db.prepare_cached(
        "INSERT INTO segments (shard, epoch, k, writer, next_n, last_hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    let SegmentId { shard, key } = segment;
    insert.execute(params![
        shard.0,
        int(key.epoch.0)?,
        key.k,
        writer.0,
        int(created.next_n)?,
        created.last_hash.0
    ])?;
    Ok(Cas::Applied)
}

/// Reads, compares and writes: nobody else writes meanwhile, since this is inside the commit thread's transaction.
pub(super) fn append(db: &Connection, append: &Append) -> Result<Cas<Option<SegmentState>>> {
    let n = append.row.n;
    let Some((id, current)) = numbered_segment(db, append.segment)? else {
        return Ok(Cas::NotApplied(None));
    };
    let expected = SegmentState {
        writer: append.writer,
        next_n: n,
        last_hash: append.expected_hash,
        seal: None,
    };
    if current != expected || n >= ROWS {
        return Ok(Cas::NotApplied(Some(current)));
    }
    let mut update =
        db.prepare_cached("UPDATE segments SET next_n = ?2, last_hash = ?3 WHERE id = ?1")?;
    update.execute(params![int(id)?, int(n + 1)?, append.new_hash.0])?;
    let mut insert =
        db.prepare_cached("INSERT INTO log_rows (at, crc, payload) VALUES (?1, ?2, ?3)")?;
    insert.execute(params![
        row_at(id, n)?,
        append.row.crc,
        &append.row.payload[..]
    ])?;
    Ok(Cas::Applied)
}

pub(super) fn seal(
    db: &Connection,
    id: SegmentId,
    seal: Seal,
) -> Result<Cas<Option<SegmentState>>> {
    let SegmentId { shard, key } = id;
    let mut update = db.prepare_cached(
        "UPDATE segments SET sealed_by = ?4, next_epoch = ?5, next_k = ?6
         WHERE shard = ?1 AND epoch = ?2 AND k = ?3 AND sealed_by IS NULL AND next_n >= 0",
    )?;
    let values = params![
        shard.0,
        int(key.epoch.0)?,
        key.k,
        seal.by.0,
        int(seal.next.epoch.0)?,
        seal.next.k
    ];
    if update.execute(values)? == 1 {
        Ok(Cas::Applied)
    } else {
        Ok(Cas::NotApplied(segment(db, id)?))
    }
}

pub(super) fn segment(db: &Connection, segment: SegmentId) -> Result<Option<SegmentState>> {
    Ok(numbered_segment(db, segment)?.map(|(_, state)| state))
}

fn numbered_segment(db: &Connection, segment: SegmentId) -> Result<Option<(u64, SegmentState)>> {
    let mut select = db.prepare_cached(
        "SELECT id, writer, next_n, last_hash, sealed_by, next_epoch, next_k FROM segments
         WHERE shard = ?1 AND epoch = ?2 AND k = ?3",
    )?;
    let record = |row: &SqlRow<'_>| {
        let seal = match row.get::<_, Option<[u8; 16]>>(4)? {
            None => None,
            Some(by) => {
                let next = SegmentKey {
                    epoch: Epoch(number(row, 5)?),
                    k: row.get(6)?,
                };
                Some(Seal {
                    by: WriterToken(by),
                    next,
                })
            }
        };
        let (writer, last_hash) = (WriterToken(row.get(1)?), ChainHash(row.get(3)?));
        Ok((
            number(row, 0)?,
            SegmentState {
                writer,
                next_n: number(row, 2)?,
                last_hash,
                seal,
            },
        ))
    };
    let SegmentId { shard, key } = segment;
    select
        .query_row(params![shard.0, int(key.epoch.0)?, key.k], record)
        .optional()
}

/// In one transaction, so that static part and rows are of one moment.
pub(super) fn read_rows(
    db: &Connection,
    segment: SegmentId,
    from: u64,
    limit: ReadLimit,
) -> Result<Option<SegmentChunk>> {
    let moment = db.unchecked_transaction()?;
    let Some((id, state)) = numbered_segment(&moment, segment)? else {
        return Ok(None);
    };
    let mut select = moment.prepare_cached(
        "SELECT at, crc, payload FROM log_rows WHERE at >= ?1 AND at < ?2 ORDER BY at",
    )?;
    let mut found = select.query((row_at(id, from.min(ROWS))?, row_at(id, ROWS)?))?;
    let first = id.saturating_mul(ROWS);
    let (mut rows, mut bytes) = (Vec::new(), 0);
    while let Some(row) = found.next()? {
        let payload = Bytes::copy_from_slice(
            row.get_ref(2)?
                .as_blob()
                .map_err(|error| not_a_blob(2, error))?,
        );
        bytes += payload.len() as u64;
        rows.push(Row {
            n: number(row, 0)?.saturating_sub(first),
            payload,
            crc: row.get(1)?,
        });
        if rows.len() as u64 >= u64::from(limit.rows) || bytes >= limit.bytes {
            break;
        }
    }
    Ok(Some(SegmentChunk { state, rows }))
}

pub(super) fn delete_rows(db: &Connection, segment: SegmentId) -> Result<()> {
    let Some((id, _)) = numbered_segment(db, segment)? else {
        return Ok(());
    };
    let mut delete = db.prepare_cached("DELETE FROM log_rows WHERE at >= ?1 AND at < ?2")?;
    delete
        .execute((row_at(id, 0)?, row_at(id, ROWS)?))
        .map(drop)
}

/// The key of a segment's row. A segment's number that is too large for one was never given out.
fn row_at(id: u64, n: u64) -> Result<i64> {
    let at = id.checked_mul(ROWS).and_then(|first| first.checked_add(n));
    let key = at.and_then(|at| i64::try_from(at).ok());
    key.ok_or_else(|| Error::IntegralValueOutOfRange(0, clamped(id)))
}

/// SQLite's integers are signed.
pub(super) fn int(n: u64) -> Result<i64> {
    i64::try_from(n).map_err(|error| Error::ToSqlConversionFailure(error.into()))
}

/// For bounds: nothing stored lies above.
pub(super) fn clamped(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

pub(super) fn number(row: &SqlRow<'_>, column: usize) -> Result<u64> {
    let value: i64 = row.get(column)?;
    u64::try_from(value).map_err(|_negative| Error::IntegralValueOutOfRange(column, value))
}

pub(super) fn not_a_blob(column: usize, error: FromSqlError) -> Error {
    Error::FromSqlConversionFailure(column, Type::Blob, error.into())
}
