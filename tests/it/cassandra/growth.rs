//! A day of hands: disk, partitions and recovery stay what they are after the first hours, and no read steps over what was
//! deleted.
//!
//! `HANDS=n` is the length of the day; the default is short. 20 tables with 60 hands an hour make 28,800. They are played flat
//! out at more tables than that, so that many actions share a commit.

use std::{
    path::Path,
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use openrustpoker::{
    client::bots::{self, Control, Options},
    ids::ShardId,
    store::{
        Cause, Store, WriterToken,
        log::{Fold, LogOptions, Position, RowKind, ShardLog},
    },
};

use super::{open, options, recovery::keep};
use crate::node::{Keep, Server};
use crate::recovery::number;

/// Parts of the day.
const PARTS: u64 = 6;

/// What a part of the day left behind.
#[derive(Debug)]
struct Left {
    /// Bytes of `shard_log` on the disk.
    disk: u64,
    /// The largest partition of any table, in bytes.
    partition: u64,
    /// Bytes that a takeover reads.
    read: u64,
    /// How long it takes.
    takeover: Duration,
    /// The most deleted cells that one read of `shard_log` met.
    tombstones: u64,
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Cassandra: tests/run cassandra"]
async fn a_day_of_hands_leaves_no_more_than_a_morning() {
    let folder = tempfile::tempdir().expect("a folder");
    let (keep, keyspace) = keep(folder.path()).await;
    // One log with the shortest segments, so that also a short day writes many.
    let keep = Keep {
        shards: 1,
        segment_bytes: 65_536,
        ..keep
    };
    let mut parts = Vec::new();
    for part in 0..PARTS {
        let server = Server::start(folder.path(), &keep);
        play(&server, part, number("HANDS", 3_000) / PARTS).await;
        server.kill();
        let left = look(&keyspace).await;
        println!("part {part}: {left:?}");
        parts.push(left);
    }
    // Each part wrote many segments, so the second has what every later one has.
    let (early, late) = (&parts[1], &parts[PARTS as usize - 1]);
    assert!(late.disk <= early.disk * 2, "the disk fills: {parts:#?}");
    assert!(
        late.read <= early.read * 2,
        "recovery reads more and more: {parts:#?}"
    );
    assert!(late.takeover < Duration::from_secs(10), "{parts:#?}");
    for left in &parts {
        assert!(
            left.partition <= 10_000_000,
            "a partition is too large: {left:?}"
        );
        // Where nothing was deleted Cassandra says 0 or 1.
        assert!(
            left.tombstones <= 1,
            "a read steps over deleted rows: {left:?}"
        );
    }
}

async fn play(server: &Server, part: u64, hands: u64) {
    let options = Options {
        servers: vec![server.address.clone()],
        tables: 50,
        bots: 4,
        hands,
        rate: None,
        seed: part,
        keep: false,
        rake_per_10000: 0,
        game: proto::v1::Game::default(),
        moving_button: false,
        patience: Duration::from_secs(120),
    };
    let played = bots::run(options, Arc::new(Control::default())).await;
    let report = played.expect("the bots can play");
    assert!(report.violations.is_empty(), "{:?}", report.violations);
    assert!(report.hands >= hands, "{} of {hands} hands", report.hands);
}

async fn look(keyspace: &str) -> Left {
    let store = open(&options(keyspace)).await as Arc<dyn Store>;
    let mut count = Count::default();
    let begun = Instant::now();
    let mut token = || WriterToken(*uuid::Uuid::new_v4().as_bytes());
    ShardLog::take_over(
        store,
        ShardId(0),
        "look",
        &mut token,
        &mut count,
        LogOptions::default(),
    )
    .await
    .expect("nobody is in the way");
    let takeover = begun.elapsed();
    nodetool(&["flush", keyspace]);
    nodetool(&["compact", keyspace, "shard_log"]);
    let stats = nodetool(&["tablestats", keyspace]);
    let log = stats
        .split("\t\tTable: ")
        .find(|table| table.starts_with("shard_log\n"))
        .expect("the table is there");
    Left {
        disk: figure(log, "Space used (live)").max().expect("it is told"),
        partition: figure(&stats, "Compacted partition maximum bytes")
            .max()
            .expect("it is told"),
        read: count.0,
        takeover,
        tombstones: figure(log, "Maximum tombstones per slice (last five minutes)")
            .max()
            .expect("it is told"),
    }
}

/// All values of a line of `tablestats`.
fn figure<'a>(stats: &'a str, name: &'a str) -> impl Iterator<Item = u64> + 'a {
    stats.lines().filter_map(move |line| {
        let value = line.trim().strip_prefix(name)?.strip_prefix(": ")?;
        Some(value.parse().expect("a whole number"))
    })
}

fn nodetool(arguments: &[&str]) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cassandra/run");
    let run = Command::new(script)
        .args(["nodetool", "1"])
        .args(arguments)
        .output();
    let run = run.expect("the script runs");
    assert!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
    String::from_utf8(run.stdout).expect("it is text")
}

/// Bytes of all that was read since the first row.
#[derive(Default)]
struct Count(u64);

impl Fold for Count {
    fn begin(&mut self) {}

    fn row(&mut self, _at: Position, _kind: RowKind, body: Bytes) -> Result<(), Cause> {
        self.0 += body.len() as u64;
        Ok(())
    }
}
