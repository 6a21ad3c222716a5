//! The statements about archived hands and sessions in SQL.

use bytes::Bytes;
use rusqlite::types::FromSqlError;
use rusqlite::{Connection, OptionalExtension, Result, Row as SqlRow, params};

use super::statements::{clamped, int, not_a_blob, number};
use crate::ids::{HandNo, PlayerId, TableId};
use crate::store::{HandRecord, HandRef, Page, ScanCursor, SessionRecord, TokenHash};

pub(super) fn archive_hands(db: &Connection, hands: &[HandRecord]) -> Result<()> {
    let mut archive = db.prepare_cached(
        "INSERT INTO hands (table_id, hand_no, ended_ms, players, body) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO NOTHING",
    )?;
    let mut index = db.prepare_cached(
        "INSERT INTO hands_of_players (player, ended_ms, table_id, hand_no) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO NOTHING",
    )?;
    for hand in hands {
        let (table, no, ended) = (
            hand.table.to_bytes(),
            int(hand.hand_no.0)?,
            int(hand.ended_ms)?,
        );
        let players = hand
            .players
            .iter()
            .flat_map(|player| player.to_bytes())
            .collect::<Vec<_>>();
        archive.execute(params![table, no, ended, players, &hand.body[..]])?;
        for player in &hand.players {
            index.execute(params![player.to_bytes(), ended, table, no])?;
        }
    }
    Ok(())
}

pub(super) fn hand(db: &Connection, table: TableId, hand_no: HandNo) -> Result<Option<HandRecord>> {
    let mut select = db.prepare_cached(
        "SELECT table_id, hand_no, ended_ms, players, body FROM hands WHERE table_id = ?1 AND hand_no = ?2",
    )?;
    select
        .query_row(params![table.to_bytes(), int(hand_no.0)?], hand_record)
        .optional()
}

/// A hand, of the columns `table_id, hand_no, ended_ms, players, body`.
fn hand_record(row: &SqlRow<'_>) -> Result<HandRecord> {
    let body = row.get_ref(4)?.as_blob();
    Ok(HandRecord {
        table: TableId::from_bytes(row.get(0)?),
        hand_no: HandNo(number(row, 1)?),
        ended_ms: number(row, 2)?,
        players: players(row, 3)?,
        body: Bytes::copy_from_slice(body.map_err(|error| not_a_blob(4, error))?),
    })
}

fn players(row: &SqlRow<'_>, column: usize) -> Result<Vec<PlayerId>> {
    let bytes: Vec<u8> = row.get(column)?;
    let (players, rest) = bytes.as_chunks::<16>();
    if !rest.is_empty() {
        let size = FromSqlError::InvalidBlobSize {
            expected_size: 16,
            blob_size: rest.len(),
        };
        return Err(not_a_blob(column, size));
    }
    Ok(players
        .iter()
        .map(|bytes| PlayerId::from_bytes(*bytes))
        .collect())
}

pub(super) fn hands_of_table(
    db: &Connection,
    table: TableId,
    before: Option<HandNo>,
    limit: u32,
) -> Result<Vec<HandRef>> {
    let mut select = db.prepare_cached(
        "SELECT ended_ms, hand_no FROM hands WHERE table_id = ?1 AND hand_no < ?2 ORDER BY hand_no DESC LIMIT ?3",
    )?;
    let before = before.map_or(i64::MAX, |no| clamped(no.0));
    let hands = select.query_map(params![table.to_bytes(), before, limit], |row| {
        Ok(HandRef {
            ended_ms: number(row, 0)?,
            table,
            hand_no: HandNo(number(row, 1)?),
        })
    })?;
    hands.collect()
}

pub(super) fn hands_of_player(
    db: &Connection,
    player: PlayerId,
    before: Option<HandRef>,
    limit: u32,
) -> Result<Vec<HandRef>> {
    let mut select = db.prepare_cached(
        "SELECT ended_ms, table_id, hand_no FROM hands_of_players
         WHERE player = ?1 AND (ended_ms, table_id, hand_no) < (?2, ?3, ?4)
         ORDER BY ended_ms DESC, table_id DESC, hand_no DESC LIMIT ?5",
    )?;
    let last = HandRef {
        ended_ms: u64::MAX,
        table: TableId(u128::MAX),
        hand_no: HandNo(u64::MAX),
    };
    let before = before.unwrap_or(last);
    let values = params![
        player.to_bytes(),
        clamped(before.ended_ms),
        before.table.to_bytes(),
        clamped(before.hand_no.0),
        limit
    ];
    let hands = select.query_map(values, |row| {
        let table = TableId::from_bytes(row.get(1)?);
        Ok(HandRef {
            ended_ms: number(row, 0)?,
            table,
            hand_no: HandNo(number(row, 2)?),
        })
    })?;
    hands.collect()
}

pub(super) fn put_session(
    db: &Connection,
    token: TokenHash,
    session: &SessionRecord,
) -> Result<()> {
    let mut insert = db.prepare_cached(
        "INSERT INTO sessions (token_hash, player, display_name, created_ms) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET player = ?2, display_name = ?3, created_ms = ?4",
    )?;
    let SessionRecord {
        player,
        display_name,
        created_ms,
    } = session;
    insert
        .execute(params![
            token.0,
            player.to_bytes(),
            display_name,
            int(*created_ms)?
        ])
        .map(drop)
}

pub(super) fn session(db: &Connection, token: TokenHash) -> Result<Option<SessionRecord>> {
    let mut select = db.prepare_cached(
        "SELECT player, display_name, created_ms FROM sessions WHERE token_hash = ?1",
    )?;
    select.query_row((token.0,), session_record).optional()
}

/// A session, of the columns `player, display_name, created_ms`.
fn session_record(row: &SqlRow<'_>) -> Result<SessionRecord> {
    let player = PlayerId::from_bytes(row.get(0)?);
    Ok(SessionRecord {
        player,
        display_name: row.get(1)?,
        created_ms: number(row, 2)?,
    })
}

/// In the order of their row numbers, which is the order on the disk.
pub(super) fn scan_hands(
    db: &Connection,
    after: Option<&ScanCursor>,
    limit: u32,
) -> Result<Page<HandRecord>> {
    let mut select = db.prepare_cached(
        "SELECT table_id, hand_no, ended_ms, players, body, rowid FROM hands
         WHERE rowid > ?1 ORDER BY rowid LIMIT ?2",
    )?;
    let after = after.and_then(|cursor| Some(i64::from_be_bytes(cursor.0[..].try_into().ok()?)));
    let found = select.query_map((after.unwrap_or(i64::MIN), limit), |row| {
        let at: i64 = row.get(5)?;
        Ok((hand_record(row)?, at.to_be_bytes().to_vec()))
    })?;
    page(found.collect::<Result<_>>()?, limit)
}

pub(super) fn scan_sessions(
    db: &Connection,
    after: Option<&ScanCursor>,
    limit: u32,
) -> Result<Page<(TokenHash, SessionRecord)>> {
    let mut select = db.prepare_cached(
        "SELECT player, display_name, created_ms, token_hash FROM sessions
         WHERE token_hash > ?1 ORDER BY token_hash LIMIT ?2",
    )?;
    let after = after.map_or(&[][..], |cursor| &cursor.0);
    let found = select.query_map((after, limit), |row| {
        let token: [u8; 32] = row.get(3)?;
        Ok(((TokenHash(token), session_record(row)?), token.to_vec()))
    })?;
    page(found.collect::<Result<_>>()?, limit)
}

/// A full page may be followed by another; the next one tells.
fn page<T>(found: Vec<(T, Vec<u8>)>, limit: u32) -> Result<Page<T>> {
    let full = found.len() as u64 >= u64::from(limit);
    let next = found
        .last()
        .filter(|_| full)
        .map(|(_, name)| ScanCursor(Bytes::copy_from_slice(name)));
    let items = found.into_iter().map(|(item, _)| item).collect();
    Ok(Page { items, next })
}

pub(super) fn forget_hands(db: &Connection, ended_before_ms: u64, limit: u32) -> Result<u32> {
    let mut select = db.prepare_cached(
        "SELECT rowid, table_id, hand_no, ended_ms, players FROM hands
         WHERE ended_ms < ?1 ORDER BY ended_ms LIMIT ?2",
    )?;
    let mut forget_name = db.prepare_cached(
        "DELETE FROM hands_of_players
         WHERE player = ?1 AND ended_ms = ?2 AND table_id = ?3 AND hand_no = ?4",
    )?;
    let mut forget = db.prepare_cached("DELETE FROM hands WHERE rowid = ?1")?;
    let old = select.query_map((clamped(ended_before_ms), limit), |row| {
        let name = (
            row.get::<_, i64>(3)?,
            row.get::<_, [u8; 16]>(1)?,
            row.get::<_, i64>(2)?,
        );
        Ok((row.get::<_, i64>(0)?, name, players(row, 4)?))
    })?;
    let old: Vec<_> = old.collect::<Result<_>>()?;
    for (at, (ended_ms, table, hand_no), players) in &old {
        for player in players {
            forget_name.execute(params![player.to_bytes(), ended_ms, table, hand_no])?;
        }
        forget.execute((at,))?;
    }
    Ok(old.len() as u32)
}
