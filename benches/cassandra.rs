//! What Cassandra pays: processor time of the database for an event and for a hand, beside a plain insert in the same run;
//! how long commits and takeovers take; what the driver weighs.
//!
//! `tests/cassandra/run exec --full-jit -- cargo bench --bench cassandra [-- SECONDS]`
//!
//! - The floor is a plain insert of one row an event, at QUORUM, as many under way as there are shards.
//! - Each shard commits through its log, one commit after the other, with 1, 10 or 50 events in each.
//! - Floor and commits take turns, so that a machine that slows down slows all of them. Rates are of this machine; the
//!   ratios of processor time travel.
//! - Hands are played by two players a table who check and call, archive and checkpoints included.
//! - Processor time is that of all nodes, from /proc, garbage collection and compaction included.

#[allow(dead_code, reason = "one benchmark needs less of it than another")]
mod house;

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use anyhow::Context as _;
use bytes::Bytes;
use engine::{Action, HandNo, PlayerId, Viewer};
use openrustpoker::{
    config::Config,
    ids::{ShardId, TableId},
    store::{
        Cause, SerialDomain, Store, WriterToken,
        cassandra::{CassandraOptions, CassandraStore, schema},
        log::{Fold, LogOptions, Position, RowKind, ShardLog},
    },
    table::{
        NewTable, Tables,
        frame::{Frame, Sight, WatcherId},
        request::{Order, Request},
    },
    tree::{self, Node},
};
use scylla::client::{session::Session, session_builder::SessionBuilder};
use tokio::sync::mpsc;

/// Shards that commit at a time, and plain inserts under way.
const SHARDS: u16 = 32;
/// What an event weighs in the log, its share of deals and snapshots included (`cargo bench --bench tables` prints it).
const EVENT_BYTES: usize = 200;
const EVENTS_A_COMMIT: [u64; 3] = [1, 10, 50];
const ROUNDS: u32 = 3;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let seconds = Duration::from_secs(house::number(0, 5) as u64);
    let before = resident()?;
    let store = open(&keyspace("bench_events").await?).await?;
    let past = SessionBuilder::new().known_nodes(hosts()?).build().await?;
    println!(
        "driver: {} KiB more resident after opening the store ({} KiB before)",
        resident()?.saturating_sub(before),
        before
    );
    events(&store, &past, seconds).await?;
    takeover(&store, 1_000).await?;
    hands(seconds).await
}

// ---- events

#[derive(Default)]
struct Sum {
    events: u64,
    time: Duration,
    database: Duration,
    latencies: Vec<Duration>,
}

impl Sum {
    /// Nanoseconds of the database's processors for an event.
    fn each(&self) -> u128 {
        self.database.as_nanos() / u128::from(self.events.max(1))
    }
}

async fn events(store: &Arc<CassandraStore>, past: &Session, time: Duration) -> anyhow::Result<()> {
    past.query_unpaged(
        "CREATE TABLE IF NOT EXISTS bench_events.floor (shard int, n bigint, payload blob, PRIMARY KEY (shard, n))",
        (),
    )
    .await?;
    past.await_schema_agreement().await?;
    let mut logs = Vec::new();
    for shard in 0..SHARDS {
        logs.push(take_over(store, ShardId(shard)).await?);
    }
    let mut floor = Sum::default();
    let mut sums: [Sum; 3] = Default::default();
    // The first round is for the compilers of the JVM.
    for round in 0..=ROUNDS {
        let plain = plain(past, round, time).await?;
        let mut commits = Vec::new();
        for events in EVENTS_A_COMMIT {
            let (run, back) = commit(logs, events, time).await?;
            logs = back;
            commits.push(run);
        }
        if round > 0 {
            add(&mut floor, plain);
            for (sum, run) in sums.iter_mut().zip(commits) {
                add(sum, run);
            }
        }
    }
    let line = |what: &str, sum: &mut Sum| {
        sum.latencies.sort_unstable();
        println!(
            "  {what:<22} {:>8} events/s  {:>4}.{} µs of the database an event  p50 {:?}  p99 {:?}",
            sum.events * 1_000 / (sum.time.as_millis() as u64).max(1),
            sum.each() / 1_000,
            sum.each() / 100 % 10,
            house::at(&sum.latencies, 50),
            house::at(&sum.latencies, 99),
        );
    };
    println!("events of {EVENT_BYTES} bytes, {SHARDS} shards");
    line("plain insert", &mut floor);
    for (events, sum) in EVENTS_A_COMMIT.iter().zip(&mut sums) {
        line(&format!("{events} a commit"), sum);
    }
    for (events, sum) in EVENTS_A_COMMIT.iter().zip(&sums) {
        let percent = sum.each() * 100 / floor.each().max(1);
        println!(
            "ratio: {}.{:02} of a plain insert at {events} events a commit",
            percent / 100,
            percent % 100
        );
    }
    Ok(())
}

fn add(sum: &mut Sum, run: Sum) {
    sum.events += run.events;
    sum.time += run.time;
    sum.database += run.database;
    sum.latencies.extend(run.latencies);
}

/// Plain inserts, one event each.
async fn plain(past: &Session, round: u32, time: Duration) -> anyhow::Result<Sum> {
    let mut insert = past
        .prepare("INSERT INTO bench_events.floor (shard, n, payload) VALUES (?, ?, ?)")
        .await?;
    insert.set_consistency(scylla::statement::Consistency::Quorum);
    let payload = vec![7_u8; EVENT_BYTES];
    let (started, before) = (Instant::now(), database_time()?);
    let writers = (0..i32::from(SHARDS)).map(|shard| {
        let (insert, payload) = (&insert, &payload);
        async move {
            let mut latencies = Vec::new();
            let mut n = i64::from(round) << 32;
            while started.elapsed() < time {
                let begun = Instant::now();
                past.execute_unpaged(insert, (shard, n, payload)).await?;
                latencies.push(begun.elapsed());
                n += 1;
            }
            anyhow::Ok(latencies)
        }
    });
    let latencies = futures_util::future::try_join_all(writers).await?.concat();
    Ok(Sum {
        events: latencies.len() as u64,
        time: started.elapsed(),
        database: database_time()? - before,
        latencies,
    })
}

/// Commits of so many events, each shard one after the other.
async fn commit(
    logs: Vec<ShardLog>,
    events: u64,
    time: Duration,
) -> anyhow::Result<(Sum, Vec<ShardLog>)> {
    let body = Bytes::from(vec![7_u8; EVENT_BYTES * events as usize]);
    let (started, before) = (Instant::now(), database_time()?);
    let writers = logs.into_iter().map(|mut log| {
        let body = body.clone();
        async move {
            let mut latencies = Vec::new();
            while started.elapsed() < time {
                let begun = Instant::now();
                log.append(body.clone()).await?;
                latencies.push(begun.elapsed());
            }
            anyhow::Ok((latencies, log))
        }
    });
    let done = futures_util::future::try_join_all(writers).await?;
    let (latencies, mut logs): (Vec<_>, Vec<_>) = done.into_iter().unzip();
    let latencies = latencies.concat();
    let sum = Sum {
        events: latencies.len() as u64 * events,
        time: started.elapsed(),
        database: database_time()? - before,
        latencies,
    };
    // Partitions stay as small as a server keeps them; not part of the measurement.
    for log in &mut logs {
        if log.bytes() > LogOptions::default().rotate_bytes / 2 {
            log.rotate(vec![Bytes::from_static(b"checkpoint")]).await?;
        }
    }
    Ok((sum, logs))
}

// ---- takeover

/// Counts what it is given.
#[derive(Default)]
struct Count {
    rows: u64,
    bytes: u64,
}

impl Fold for Count {
    fn begin(&mut self) {
        *self = Self::default();
    }

    fn row(&mut self, _at: Position, _kind: RowKind, body: Bytes) -> Result<(), Cause> {
        self.rows += 1;
        self.bytes += body.len() as u64;
        Ok(())
    }
}

async fn take_over(store: &Arc<CassandraStore>, shard: ShardId) -> anyhow::Result<ShardLog> {
    take_over_into(store, shard, &mut Count::default()).await
}

async fn take_over_into(
    store: &Arc<CassandraStore>,
    shard: ShardId,
    count: &mut Count,
) -> anyhow::Result<ShardLog> {
    let store = Arc::clone(store) as Arc<dyn Store>;
    let mut token = || WriterToken(uuid::Uuid::new_v4().into_bytes());
    let options = LogOptions::default();
    let log = ShardLog::take_over(store, shard, "bench", &mut token, count, options).await;
    log.context("nobody is in the way")
}

/// A checkpoint of a thousand tables, and as much again in commits of ten tables each.
async fn takeover(store: &Arc<CassandraStore>, tables: usize) -> anyhow::Result<()> {
    const TABLE_BYTES: usize = 1_500;
    let shard = ShardId(SHARDS);
    let mut log = take_over(store, shard).await?;
    log.rotate(vec![Bytes::from(vec![7; tables * TABLE_BYTES])])
        .await?;
    for _ in 0..tables * TABLE_BYTES / (10 * EVENT_BYTES) {
        log.append(Bytes::from(vec![7; 10 * EVENT_BYTES])).await?;
    }
    let mut times = Vec::new();
    let mut count = Count::default();
    for _ in 0..10 {
        let begun = Instant::now();
        take_over_into(store, shard, &mut count).await?;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    println!(
        "takeover of a shard with {tables} tables, {} bytes in {} rows: median {:?}, worst {:?}",
        count.bytes,
        count.rows,
        house::at(&times, 50),
        house::at(&times, 100)
    );
    Ok(())
}

// ---- hands

const TABLES: usize = 200;
const FRAMES: usize = 256;

async fn hands(time: Duration) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let node = node(folder.path(), &keyspace("bench_hands").await?).await?;
    let stop = Arc::new(AtomicBool::new(false));
    let mut playing = Vec::new();
    for n in 0..TABLES {
        seat(&node.tables, house::table(n)).await?;
        playing.push(tokio::spawn(play(
            node.tables.clone(),
            house::table(n),
            Arc::clone(&stop),
        )));
    }
    tokio::time::sleep(time).await;
    let (before, begun, database) = (
        node.tables.totals().await?,
        Instant::now(),
        database_time()?,
    );
    tokio::time::sleep(time * 4).await;
    let (after, time, database) = (
        node.tables.totals().await?,
        begun.elapsed(),
        database_time()? - database,
    );
    stop.store(true, Relaxed);
    for table in playing {
        table.await??;
    }
    node.stop().await;
    let (hands, actions, commits) = (
        (after.hands - before.hands).max(1),
        after.actions - before.actions,
        (after.commits - before.commits).max(1),
    );
    println!("hands at {TABLES} tables of two, archive and checkpoints included");
    println!(
        "  {} hands/s, {} actions/s, {}.{} actions a commit",
        hands * 1_000 / time.as_millis() as u64,
        actions * 1_000 / time.as_millis() as u64,
        actions / commits,
        actions * 10 / commits % 10
    );
    println!(
        "  {} µs of the database a hand",
        database.as_micros() / u128::from(hands)
    );
    Ok(())
}

async fn node(folder: &Path, keyspace: &str) -> anyhow::Result<Node> {
    let keys = folder.join("deck.key");
    fs::write(&keys, format!("1:{}\n", "5a".repeat(32)))?;
    let hosts = serde_json::to_string(&hosts()?)?;
    let keys = serde_json::to_string(&keys)?;
    let text = format!(
        "grpc: {{port: 0}}\nops: {{port: 0}}\nstore: cassandra\ncassandra: {{hosts: {hosts}, keyspace: {keyspace}}}\n\
         secrets: {{deck_key_file: {keys}}}\nserver: {{shards: 8, hand_pause_ms: 0, commit_interval_ms: 5}}\n"
    );
    let config = Config::from_parts(Some(("the benchmark", &text)), &[])?;
    let node = tree::start(&config).await?;
    node.ready().await;
    Ok(node)
}

async fn seat(tables: &Tables, table: TableId) -> anyhow::Result<()> {
    let new = NewTable {
        table,
        name: "bench".into(),
        settings: Arc::new(house::settings(2)),
    };
    tables.create(new).await?;
    for player in 1..=2 {
        let sit = Order::Sit {
            seat: None,
            name: "bench".into(),
            buy_in: 1_000_000_000,
            post_now: true,
        };
        tables.call(table, request(player, sit)).await?;
    }
    Ok(())
}

/// Both players check and call.
async fn play(tables: Tables, table: TableId, stop: Arc<AtomicBool>) -> anyhow::Result<()> {
    let (queue, mut frames) = mpsc::channel(FRAMES);
    tables
        .watch(table, WatcherId(1), Viewer::Spectator, None, queue)
        .await?;
    let mut hand = HandNo(0);
    while !stop.load(Relaxed) {
        let legal = match frames.recv().await.context("the table shows itself")? {
            Frame::Snapshot(shown) => {
                let open = shown.view.hand;
                hand = open.as_ref().map_or(hand, |open| open.hand);
                open.and_then(|open| open.legal)
            }
            Frame::Event(event) => match event.sight {
                Sight::Turn { legal, .. } => Some(legal),
                Sight::Public(stamped) => {
                    if let engine::Event::Public(engine::Fact::HandStarted { hand: next, .. }) =
                        &stamped.event
                    {
                        hand = *next;
                    }
                    None
                }
                Sight::Won { .. } | Sight::Timed { .. } | Sight::Own { .. } | Sight::Hidden => None,
            },
            Frame::Reset { .. } => None,
        };
        let Some(legal) = legal else { continue };
        let action = if legal.check {
            Action::Check
        } else {
            Action::Call
        };
        let turn = legal.turn;
        let order = Order::Act { hand, turn, action };
        tables
            .call(table, request(u128::from(legal.seat.0) + 1, order))
            .await?;
    }
    Ok(())
}

fn request(player: u128, order: Order) -> Request {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    Request {
        player: PlayerId(player),
        id: NEXT.fetch_add(1, Relaxed),
        first_attempt: true,
        order,
        received: tokio::time::Instant::now(),
    }
}

// ---- the nodes

const NO_NODES: &str =
    "run it as `tests/cassandra/run exec --full-jit -- cargo bench --bench cassandra`";

fn hosts() -> anyhow::Result<Vec<String>> {
    let hosts = std::env::var("CASSANDRA_HOSTS").context(NO_NODES)?;
    Ok(hosts.split(',').map(str::to_owned).collect())
}

fn options(keyspace: &str) -> anyhow::Result<CassandraOptions> {
    Ok(CassandraOptions {
        hosts: hosts()?,
        keyspace: keyspace.to_owned(),
        login: None,
        tls: None,
        domain: SerialDomain::Serial,
        connect_timeout: Duration::from_secs(2),
        request_timeout: Duration::from_secs(4),
        connect_patience: Duration::from_secs(10),
        connections_per_host: 2,
        hands_kept: None,
    })
}

/// A keyspace with a copy on every node.
async fn keyspace(name: &str) -> anyhow::Result<String> {
    let copies = format!("datacenter1={}", hosts()?.len()).parse()?;
    schema::create(&options(name)?, Some(&copies)).await?;
    Ok(name.to_owned())
}

async fn open(keyspace: &str) -> anyhow::Result<Arc<CassandraStore>> {
    Ok(CassandraStore::open(&options(keyspace)?).await?)
}

/// User and system time of all nodes so far.
fn database_time() -> anyhow::Result<Duration> {
    let home = std::env::var("CASSANDRA_HOME").context(NO_NODES)?;
    let mut ticks = 0;
    for node in 1..=hosts()?.len() {
        let pid = fs::read_to_string(format!("{home}/node{node}/pid"))?;
        let stat = fs::read_to_string(format!("/proc/{}/stat", pid.trim()))?;
        // After the name, which is in parentheses, user and system time are the 12th and 13th field.
        let fields = stat.rsplit(')').next().unwrap_or_default();
        let both = fields.split_whitespace().skip(11).take(2);
        ticks += both
            .filter_map(|field| field.parse::<u64>().ok())
            .sum::<u64>();
    }
    Ok(Duration::from_millis(ticks * 10))
}

/// This process's resident memory, in KiB.
fn resident() -> anyhow::Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    Ok(number.context("Linux tells it")?.parse()?)
}
