//! The archive of hands, in four tables: plain, idempotent statements only.
//!
//! Partitions are bounded: a thousand hands of a table, an hour of a player. Which of them there are, the newest first, is
//! in a table of its own for each kind, so that a list finds the partitions to read.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::{TryStreamExt as _, stream};
use scylla::errors::PrepareError;

use super::driver::{Driver, Read, Write};
use super::found::{Found, bigint, clamped};
use crate::ids::{HandNo, PlayerId, TableId};
use crate::store::{Answer, HandRecord, HandRef, Page, ScanCursor, Statement};

pub(super) struct Hands {
    put: Write,
    put_line: Write,
    put_bucket_of_table: Write,
    put_bucket_of_player: Write,
    read: Read,
    of_table: Read,
    of_player: Read,
    buckets_of_table: Read,
    buckets_of_player: Read,
    scan: Read,
    /// Seconds; 0 is for ever.
    time_to_live: i32,
    tables: Marked<TableId>,
    players: Marked<PlayerId>,
}

/// One insertion of an archive.
enum Part<'a> {
    Hand(&'a HandRecord),
    Line(&'a HandRecord, PlayerId),
    BucketOfTable(TableId, u64),
    BucketOfPlayer(PlayerId, u64),
}

/// Whose hands a list is of, and what they are below.
#[derive(Clone, Copy)]
pub(super) enum Wanted {
    OfTable(TableId, HandNo),
    OfPlayer(PlayerId, HandRef),
}

impl Wanted {
    /// Those of a table, below a number.
    pub(super) fn of_table(table: TableId, before: Option<HandNo>) -> Self {
        Self::OfTable(table, before.unwrap_or(HandNo(u64::MAX)))
    }

    /// Those of a player, below a line.
    pub(super) fn of_player(player: PlayerId, before: Option<HandRef>) -> Self {
        let last = HandRef {
            ended_ms: u64::MAX,
            table: TableId(u128::MAX),
            hand_no: HandNo(u64::MAX),
        };
        Self::OfPlayer(player, before.unwrap_or(last))
    }
}

impl Hands {
    pub(super) async fn prepare(
        driver: &Driver,
        kept: Option<Duration>,
    ) -> Result<Self, PrepareError> {
        let archive = Statement::ArchiveHands;
        Ok(Self {
            put: driver.write(archive, PUT).await?,
            put_line: driver.write(archive, PUT_LINE).await?,
            put_bucket_of_table: driver.write(archive, PUT_BUCKET_OF_TABLE).await?,
            put_bucket_of_player: driver.write(archive, PUT_BUCKET_OF_PLAYER).await?,
            read: driver.read(Statement::Hand, READ).await?,
            of_table: driver.read(Statement::HandsOfTable, OF_TABLE).await?,
            of_player: driver.read(Statement::HandsOfPlayer, OF_PLAYER).await?,
            buckets_of_table: driver
                .read(Statement::HandsOfTable, BUCKETS_OF_TABLE)
                .await?,
            buckets_of_player: driver
                .read(Statement::HandsOfPlayer, BUCKETS_OF_PLAYER)
                .await?,
            scan: driver.read(Statement::ScanHands, SCAN).await?,
            time_to_live: kept.map_or(0, |kept| {
                i32::try_from(kept.as_secs())
                    .unwrap_or(i32::MAX)
                    .clamp(1, TIME_TO_LIVE_MAX)
            }),
            tables: Marked::default(),
            players: Marked::default(),
        })
    }

    pub(super) async fn archive(&self, driver: &Driver, hands: &[HandRecord]) -> Answer<()> {
        let mut parts = Vec::new();
        for hand in hands {
            parts.push(Part::Hand(hand));
            parts.extend(hand.players.iter().map(|player| Part::Line(hand, *player)));
            let bucket = bucket_of_hand(hand.hand_no);
            if self.tables.wants(hand.table, bucket) {
                parts.push(Part::BucketOfTable(hand.table, bucket));
            }
            let hour = hour_of(hand.ended_ms);
            for player in &hand.players {
                if self.players.wants(*player, hour) {
                    parts.push(Part::BucketOfPlayer(*player, hour));
                }
            }
        }
        stream::iter(parts.iter().map(Ok))
            .try_for_each_concurrent(AT_ONCE, |part| self.put(driver, part))
            .await?;
        // Only what is durable need not be written again.
        for part in &parts {
            match part {
                Part::BucketOfTable(table, bucket) => self.tables.mark(*table, *bucket),
                Part::BucketOfPlayer(player, hour) => self.players.mark(*player, *hour),
                Part::Hand(_) | Part::Line(..) => {}
            }
        }
        Ok(())
    }

    async fn put(&self, driver: &Driver, part: &Part<'_>) -> Answer<()> {
        let number = |n| bigint(Statement::ArchiveHands, n);
        match part {
            Part::Hand(hand) => {
                let players: Vec<u8> = hand.players.iter().flat_map(|id| id.to_bytes()).collect();
                let values = (
                    &hand.table.to_bytes()[..],
                    number(bucket_of_hand(hand.hand_no))?,
                    number(hand.hand_no.0)?,
                    number(hand.ended_ms)?,
                    players,
                    &hand.body[..],
                    self.time_to_live,
                );
                driver.put(&self.put, values).await
            }
            Part::Line(hand, player) => {
                let values = (
                    &player.to_bytes()[..],
                    number(hour_of(hand.ended_ms))?,
                    number(hand.ended_ms)?,
                    &hand.table.to_bytes()[..],
                    number(hand.hand_no.0)?,
                    self.time_to_live,
                );
                driver.put(&self.put_line, values).await
            }
            Part::BucketOfTable(table, bucket) => {
                let values = (
                    &table.to_bytes()[..],
                    number(*bucket)?,
                    self.bucket_time_to_live(),
                );
                driver.put(&self.put_bucket_of_table, values).await
            }
            Part::BucketOfPlayer(player, hour) => {
                let values = (
                    &player.to_bytes()[..],
                    number(*hour)?,
                    self.bucket_time_to_live(),
                );
                driver.put(&self.put_bucket_of_player, values).await
            }
        }
    }

    /// A bucket outlives what is in it: it is marked again at the latest when a mark is [`MARKED_AGAIN`] old.
    fn bucket_time_to_live(&self) -> i32 {
        let twice = i32::try_from(2 * MARKED_AGAIN.as_secs()).unwrap_or(i32::MAX);
        match self.time_to_live {
            0 => 0,
            seconds => seconds.saturating_add(twice),
        }
    }

    pub(super) async fn read(
        &self,
        driver: &Driver,
        table: TableId,
        hand_no: HandNo,
    ) -> Answer<Option<HandRecord>> {
        let values = (
            &table.to_bytes()[..],
            clamped(bucket_of_hand(hand_no)),
            clamped(hand_no.0),
        );
        let rows = driver.get(&self.read, values).await?;
        let found = rows.into_iter().next();
        found.map(|found| record(found, table, hand_no)).transpose()
    }

    /// The newest hands of a table or a player, below a bound: goes through the owner's buckets, from the newest wanted one,
    /// until so many lines are found.
    pub(super) async fn newest(
        &self,
        driver: &Driver,
        wanted: Wanted,
        limit: u32,
    ) -> Answer<Vec<HandRef>> {
        let limit = limit as usize;
        let (buckets, owner, first) = match wanted {
            Wanted::OfTable(table, before) => (
                &self.buckets_of_table,
                table.to_bytes(),
                bucket_of_hand(before),
            ),
            Wanted::OfPlayer(player, before) => (
                &self.buckets_of_player,
                player.to_bytes(),
                hour_of(before.ended_ms),
            ),
        };
        let mut lines = Vec::new();
        let mut next = Some(clamped(first));
        while let Some(newest) = next {
            let values = (&owner[..], newest, BUCKETS_AT_ONCE);
            let found = driver.get(buckets, values).await?;
            let mut last = None;
            for found in &found {
                if lines.len() >= limit {
                    return Ok(lines);
                }
                let bucket = clamped(found.number("bucket")?);
                let most = i32::try_from(limit - lines.len()).unwrap_or(i32::MAX);
                lines.extend(self.lines(driver, wanted, bucket, most).await?);
                last = Some(bucket);
            }
            // Buckets fall from read to read, and end with the last one that there is.
            next = last.filter(|bucket| *bucket > 0).map(|bucket| bucket - 1);
        }
        Ok(lines)
    }

    /// The lines of one bucket.
    async fn lines(
        &self,
        driver: &Driver,
        wanted: Wanted,
        bucket: i64,
        most: i32,
    ) -> Answer<Vec<HandRef>> {
        match wanted {
            Wanted::OfTable(table, before) => {
                let owner = table.to_bytes();
                let values = (&owner[..], bucket, clamped(before.0), most);
                let rows = driver.get(&self.of_table, values).await?;
                rows.iter().map(|found| line(found, table)).collect()
            }
            Wanted::OfPlayer(player, before) => {
                let (owner, table) = (player.to_bytes(), before.table.to_bytes());
                let values = (
                    &owner[..],
                    bucket,
                    clamped(before.ended_ms),
                    &table[..],
                    clamped(before.hand_no.0),
                    most,
                );
                let rows = driver.get(&self.of_player, values).await?;
                let table = |found: &Found| found.array("table_id").map(TableId::from_bytes);
                rows.iter()
                    .map(|found| line(found, table(found)?))
                    .collect()
            }
        }
    }

    pub(super) async fn scan(
        &self,
        driver: &Driver,
        after: Option<&ScanCursor>,
        limit: u32,
    ) -> Answer<Page<HandRecord>> {
        let item = |found: Found| {
            let table = TableId::from_bytes(found.array("table_id")?);
            let hand_no = HandNo(found.number("hand_no")?);
            record(found, table, hand_no)
        };
        driver.scan(&self.scan, after, limit, item).await
    }
}

/// Buckets that were marked as holding something, and when: not to write the mark with every hand.
struct Marked<K>(Mutex<HashMap<(K, u64), Instant>>);

impl<K> Default for Marked<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash> Marked<K> {
    fn wants(&self, owner: K, bucket: u64) -> bool {
        let marked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = marked.get(&(owner, bucket));
        at.is_none_or(|at| at.elapsed() > MARKED_AGAIN)
    }

    fn mark(&self, owner: K, bucket: u64) {
        let mut marked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if marked.len() >= MARKED_MAX {
            // Whose turn it is to be forgotten does not matter: a mark that is written again costs one small write.
            marked.clear();
        }
        marked.insert((owner, bucket), Instant::now());
    }
}

fn record(mut found: Found, table: TableId, hand_no: HandNo) -> Answer<HandRecord> {
    let players: Bytes = found.take_bytes("players")?;
    let (players, rest) = players.as_chunks::<16>();
    if !rest.is_empty() {
        return Err(found.strange("players", "part of a player"));
    }
    Ok(HandRecord {
        table,
        hand_no,
        ended_ms: found.number("ended_ms")?,
        players: players.iter().map(|id| PlayerId::from_bytes(*id)).collect(),
        body: found.take_bytes("body")?,
    })
}

fn line(found: &Found, table: TableId) -> Answer<HandRef> {
    Ok(HandRef {
        ended_ms: found.number("ended_ms")?,
        table,
        hand_no: HandNo(found.number("hand_no")?),
    })
}

fn bucket_of_hand(hand_no: HandNo) -> u64 {
    hand_no.0 / HANDS_OF_A_BUCKET
}

fn hour_of(ended_ms: u64) -> u64 {
    ended_ms / 3_600_000
}

/// A hand is one or two thousand bytes, so a partition stays at a few million.
const HANDS_OF_A_BUCKET: u64 = 1_000;

/// Insertions of one archive that are under way at a time.
const AT_ONCE: usize = 64;

const BUCKETS_AT_ONCE: i32 = 32;

/// About 60 bytes each.
const MARKED_MAX: usize = 50_000;

const MARKED_AGAIN: Duration = Duration::from_secs(86_400);

/// What Cassandra takes: twenty years.
const TIME_TO_LIVE_MAX: i32 = 630_720_000;

const PUT: &str = "INSERT INTO hands (table_id, bucket, hand_no, ended_ms, players, body) \
     VALUES (?, ?, ?, ?, ?, ?) USING TTL ?";

const PUT_LINE: &str = "INSERT INTO hands_of_players (player, bucket, ended_ms, table_id, hand_no) \
     VALUES (?, ?, ?, ?, ?) USING TTL ?";

const PUT_BUCKET_OF_TABLE: &str =
    "INSERT INTO buckets_of_tables (table_id, bucket) VALUES (?, ?) USING TTL ?";

const PUT_BUCKET_OF_PLAYER: &str =
    "INSERT INTO buckets_of_players (player, bucket) VALUES (?, ?) USING TTL ?";

const READ: &str =
    "SELECT ended_ms, players, body FROM hands WHERE table_id = ? AND bucket = ? AND hand_no = ?";

const OF_TABLE: &str = "SELECT ended_ms, hand_no FROM hands \
     WHERE table_id = ? AND bucket = ? AND hand_no < ? ORDER BY hand_no DESC LIMIT ?";

const OF_PLAYER: &str = "SELECT ended_ms, table_id, hand_no FROM hands_of_players \
     WHERE player = ? AND bucket = ? AND (ended_ms, table_id, hand_no) < (?, ?, ?) \
     ORDER BY ended_ms DESC, table_id DESC, hand_no DESC LIMIT ?";

const BUCKETS_OF_TABLE: &str =
    "SELECT bucket FROM buckets_of_tables WHERE table_id = ? AND bucket <= ? LIMIT ?";

const BUCKETS_OF_PLAYER: &str =
    "SELECT bucket FROM buckets_of_players WHERE player = ? AND bucket <= ? LIMIT ?";

const SCAN: &str = "SELECT table_id, hand_no, ended_ms, players, body FROM hands";
