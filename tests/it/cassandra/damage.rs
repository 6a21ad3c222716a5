//! Each kind of damage, done to real tables with plain statements, is found by `orp admin verify`, by its name and at its place.

use std::fs;
use std::sync::Arc;

use openrustpoker::client::bots::Control;
use openrustpoker::store::ClusterRecord;
use scylla::client::session::Session;
use scylla::deserialize::row::DeserializeRow;

use super::keep::bots_at;
use super::recovery::{keep, keep_in};
use super::session;
use crate::keep::{orp, played};
use crate::node::Server;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Cassandra: tests/run cassandra"]
async fn damage_is_found_by_name_and_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let (keep, keyspace) = keep(folder.path()).await;
    // Two reigns, so that there is a segment in the middle of each chain.
    let control = Arc::new(Control::default());
    let server = Server::start(folder.path(), &keep);
    let bots = bots_at(&server, &control, 500);
    let port = server.port();
    played(&control, 60).await;
    server.kill();
    let server = Server::start_at(folder.path(), &keep, port);
    let hands = control.hands();
    played(&control, hands + 30).await;
    server.kill();
    bots.abort();

    let config = Server::configure(folder.path(), &keep, 0);
    let config = config.display().to_string();
    let verify = || orp(&["admin", "verify", "--config", &config]);
    verify().is(0, "sound: 8 shards");
    let past = session().await;
    past.use_keyspace(&keyspace, true)
        .await
        .expect("it is there");
    let damages = damages(&past).await;
    for Damage {
        code,
        seen,
        done,
        mended,
    } in damages
    {
        run(&past, &done).await;
        verify().is(code, &seen);
        for cql in mended {
            run(&past, &cql).await;
        }
    }
    verify().is(0, "sound: 8 shards");

    let keys = folder.path().join("other.key");
    fs::write(&keys, format!("1:{}\n", "a5".repeat(32))).expect("the folder can be written");
    let other = Server::configure(folder.path(), &keep_in(&keyspace, &keys), 0);
    orp(&["admin", "verify", "--config", &other.display().to_string()])
        .is(1, "a sealed deck does not open");
}

struct Damage {
    /// How the check ends: wrong, or not to be read.
    code: i32,
    seen: String,
    done: String,
    mended: Vec<String>,
}

async fn damages(past: &Session) -> Vec<Damage> {
    let segment = Segment::in_the_middle(past).await;
    let (place, rows) = (segment.place(), segment.rows.len());
    let name = |row: usize, what: &str| format!("{}, row {row}: {what}", segment.name());
    let [_, _, second, third, ..] = &segment.rows[..] else {
        unreachable!("a segment with fewer rows is not chosen")
    };
    let mut flipped = third.payload.clone();
    flipped[9] ^= 1;
    let set = |n: usize, payload: &[u8], crc: i64| {
        format!(
            "UPDATE shard_log SET payload = {}, crc = {crc} {place} AND n = {n}",
            blob(payload)
        )
    };
    let whole = set(3, &third.payload, third.crc);
    let insert = |n: usize, row: &Row| {
        let (shard, epoch, k) = segment.key;
        format!(
            "INSERT INTO shard_log (shard, epoch, k, n, payload, crc) VALUES ({shard}, {epoch}, {k}, {n}, {}, {})",
            blob(&row.payload),
            row.crc
        )
    };
    let fixed = segment.fixed();
    let damage = |code, seen: String, done: String, mended: &[&String]| Damage {
        code,
        seen,
        done,
        mended: mended.iter().map(|cql| (*cql).clone()).collect(),
    };
    let all: Vec<String> = std::iter::once(fixed.clone())
        .chain((0..).zip(&segment.rows).map(|(n, row)| insert(n, row)))
        .collect();
    let mut damages = vec![
        damage(
            1,
            name(3, "the checksum is wrong"),
            set(3, &flipped, third.crc),
            &[&whole],
        ),
        damage(
            1,
            name(rows, "the segment does not end with the hash"),
            set(3, &flipped, crc32fast::hash(&flipped).into()),
            &[&whole],
        ),
        damage(
            1,
            name(3, "the row is missing"),
            format!("DELETE FROM shard_log {place} AND n = 3"),
            &[&insert(3, third)],
        ),
        damage(
            1,
            name(rows, "the segment does not end with the hash"),
            set(3, &second.payload, second.crc),
            &[&whole],
        ),
        damage(
            1,
            name(rows, "there are more rows"),
            insert(rows, second),
            &[&format!("DELETE FROM shard_log {place} AND n = {rows}")],
        ),
        damage(
            1,
            name(rows, "the segment is open in the middle of the chain"),
            format!(
                "UPDATE shard_log SET sealed_by = null, next_epoch = null, next_k = null {place}"
            ),
            &[&fixed],
        ),
        damage(
            3,
            "column writer holds not as many bytes as it has: something else wrote to this keyspace"
                .into(),
            format!("UPDATE shard_log SET writer = 0x0102 {place}"),
            &[&fixed],
        ),
        damage(
            1,
            name(0, "the segment is missing"),
            format!("DELETE FROM shard_log {place}"),
            &all.iter().collect::<Vec<_>>(),
        ),
    ];
    damages.push(moved_low(past, &segment).await);
    let level: (i64,) = one(past, "SELECT feature_level FROM cluster WHERE one = 0").await;
    let raised = |level: i64| format!("UPDATE cluster SET feature_level = {level} WHERE one = 0");
    damages.push(damage(
        1,
        "cluster record: the store is half filled".into(),
        raised(ClusterRecord::HALF_FILLED.into()),
        &[&raised(level.0)],
    ));
    let (stranger, hand) = ("0x00000000000000000000000000000005", 7);
    damages.push(damage(
        1,
        "the archive has the hand, and no log has its table".into(),
        format!(
            "INSERT INTO hands (table_id, bucket, hand_no, ended_ms, players, body) VALUES ({stranger}, 0, {hand}, 1, 0x, 0x)"
        ),
        &[&format!(
            "DELETE FROM hands WHERE table_id = {stranger} AND bucket = 0 AND hand_no = {hand}"
        )],
    ));
    damages
}

/// Low says that the log begins where a reign does, and not a checkpoint.
async fn moved_low(past: &Session, segment: &Segment) -> Damage {
    let shard = segment.key.0;
    let low: (i64, i64) = one(
        past,
        &format!("SELECT low_epoch, low_k FROM shards WHERE shard = {shard}"),
    )
    .await;
    let moved = |epoch: i64, k: i64| {
        format!("UPDATE shards SET low_epoch = {epoch}, low_k = {k} WHERE shard = {shard}")
    };
    let (epoch, k) = segment.next;
    Damage {
        code: 1,
        seen: format!(
            "segment {epoch}.{k}, row 0: the segment does not begin with a complete checkpoint"
        ),
        done: moved(epoch, k),
        mended: vec![moved(low.0, low.1)],
    }
}

struct Row {
    payload: Vec<u8>,
    crc: i64,
}

/// A sealed segment with all its rows.
struct Segment {
    key: (i32, i64, i64),
    rows: Vec<Row>,
    writer: Vec<u8>,
    last_hash: Vec<u8>,
    sealed_by: Vec<u8>,
    next: (i64, i64),
}

impl Segment {
    /// One that the next reign sealed.
    async fn in_the_middle(past: &Session) -> Self {
        type Fixed = (i32, i64, i64, i64, Vec<u8>, Vec<u8>, Vec<u8>, i64, i64);
        type Open = (i32, i64, i64, Option<Vec<u8>>);
        let keys = "SELECT DISTINCT shard, epoch, k, sealed_by FROM shard_log";
        for (shard, epoch, k, sealed_by) in all::<Open>(past, keys).await {
            if sealed_by.is_none() || epoch == 0 {
                continue;
            }
            let place = format!("WHERE shard = {shard} AND epoch = {epoch} AND k = {k}");
            let fixed = format!(
                "SELECT DISTINCT shard, epoch, k, next_n, writer, last_hash, sealed_by, next_epoch, next_k FROM shard_log {place}"
            );
            let (.., next_n, writer, last_hash, sealed_by, next_epoch, next_k): Fixed =
                one(past, &fixed).await;
            let rows: Vec<(Option<Vec<u8>>, Option<i64>)> =
                all(past, &format!("SELECT payload, crc FROM shard_log {place}")).await;
            let rows: Vec<Row> = rows
                .into_iter()
                .filter_map(|(payload, crc)| {
                    Some(Row {
                        payload: payload?,
                        crc: crc?,
                    })
                })
                .collect();
            if next_k == 0 && rows.len() > 6 && rows.len() as i64 == next_n {
                return Self {
                    key: (shard, epoch, k),
                    rows,
                    writer,
                    last_hash,
                    sealed_by,
                    next: (next_epoch, next_k),
                };
            }
        }
        panic!("no shard was played at in its first reign");
    }

    fn name(&self) -> String {
        let (shard, epoch, k) = self.key;
        format!("shard {shard}, segment {epoch}.{k}")
    }

    fn place(&self) -> String {
        let (shard, epoch, k) = self.key;
        format!("WHERE shard = {shard} AND epoch = {epoch} AND k = {k}")
    }

    /// The statement that writes its static part as it was.
    fn fixed(&self) -> String {
        format!(
            "UPDATE shard_log SET writer = {}, next_n = {}, last_hash = {}, sealed_by = {}, next_epoch = {}, next_k = {} {}",
            blob(&self.writer),
            self.rows.len(),
            blob(&self.last_hash),
            blob(&self.sealed_by),
            self.next.0,
            self.next.1,
            self.place()
        )
    }
}

fn blob(bytes: &[u8]) -> String {
    let digits = bytes.iter().map(|byte| format!("{byte:02x}"));
    format!("0x{}", digits.collect::<String>())
}

async fn run(past: &Session, cql: &str) {
    past.query_unpaged(cql, ()).await.expect("it is done");
}

async fn all<R>(past: &Session, cql: &str) -> Vec<R>
where
    R: for<'f> DeserializeRow<'f, 'f>,
{
    let found = past.query_unpaged(cql, ()).await.expect("it answers");
    let found = found.into_rows_result().expect("it answers with rows");
    let rows = found.rows::<R>().expect("they are of these types");
    rows.map(|row| row.expect("it reads")).collect()
}

async fn one<R>(past: &Session, cql: &str) -> R
where
    R: for<'f> DeserializeRow<'f, 'f>,
{
    all(past, cql).await.pop().expect("it is there")
}
