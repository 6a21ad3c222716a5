//! Durable actions of busy tables on the embedded store, beside the floor.
//!
//! `cargo bench --bench tables [-- TABLES SECONDS]`
//!
//! - Each table has two players, who check and call, and one watcher, from whose frames a
//!   player knows that it is his turn: no call but the action itself.
//! - The floor has as many writers, each with one write under way. A thread appends the bytes
//!   that one action costs in the log (payloads of log rows, its share of deals and snapshots
//!   included) for everyone who came meanwhile, with one fdatasync a group.
//! - The database also keeps finished hands and its own pages; they are not in the floor's bytes.
//!
//! Both are measured in one run, one after the other, on the same disk and with the same runtime;
//! only the ratio means something.

#[allow(dead_code, reason = "one benchmark needs less of it than another")]
mod house;

use std::{
    fs::File,
    io::Write as _,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use engine::{Action, Event, Fact, HandNo, PlayerId, Viewer};
use openrustpoker::{
    ids::{ShardCount, TableId},
    store::{
        Store,
        embedded::{EmbeddedOptions, EmbeddedStore},
        log::LogOptions,
    },
    table::{
        NewTable, Tables, Totals,
        frame::{Frame, Sight, WatcherId},
        request::{Order, Request},
        seal::Keyring,
        shard::{Options, World},
        shuffle::OsDealer,
    },
};
use supervisors::{Strategy, SupervisorHandle, SupervisorSpec};
use tokio::sync::{mpsc, oneshot};

const SHARDS: u16 = 8;
/// Far more than a table says between two actions.
const FRAMES: usize = 256;

fn main() {
    let numbers: Vec<u64> = std::env::args()
        .filter_map(|arg| arg.parse().ok())
        .collect();
    let tables = numbers.first().copied().unwrap_or(64);
    let time = Duration::from_secs(numbers.get(1).copied().unwrap_or(5));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(run(tables, time));
}

async fn run(count: u64, time: Duration) {
    let folder =
        tempfile::tempdir_in(std::env::var("BENCH_DIR").unwrap_or_else(|_unset| ".".into()))
            .expect("a folder");
    let path = folder.path().join("orp.db");
    let store = Arc::new(EmbeddedStore::open(&path, &EmbeddedOptions::default()).expect("a store"));
    let (tables, tree) = start(store).await;
    let (before, ours) = play(&tables, count, time).await;
    let totals = tables.totals().await.expect("totals");
    let commits = totals.commits - before.commits;
    let hands = totals.hands - before.hands;
    tree.stop().await;
    let row_bytes = row_bytes(&path);
    let bytes = row_bytes * commits / ours.actions.max(1);
    println!(
        "{count} busy tables, {SHARDS} shards, embedded store, {:?}",
        ours.time
    );
    println!("  durable actions/s   {:>10}", ours.rate());
    println!(
        "  hands/s             {:>10}",
        hands * 1_000 / ours.time.as_millis() as u64
    );
    println!(
        "  commits/s           {:>10}",
        commits * 1_000 / ours.time.as_millis() as u64
    );
    println!(
        "  act p50/p99/max     {:?} / {:?} / {:?}",
        ours.at(50),
        ours.at(99),
        ours.at(100)
    );

    println!("  processor time      {:>10} µs an action", ours.cpu_each());
    println!(
        "  log rows            {row_bytes:>10} bytes a commit, {}.{:02} actions a commit",
        ours.actions / commits.max(1),
        ours.actions * 100 / commits.max(1) % 100
    );
    let floor = raw(folder.path(), count, bytes as usize, time).await;
    println!("floor: append {bytes} bytes an action + fdatasync a group, {count} writers");
    println!("  durable actions/s   {:>10}", floor.rate());
    println!(
        "  processor time      {:>10} µs an action",
        floor.cpu_each()
    );
    println!(
        "  write p50/p99/max   {:?} / {:?} / {:?}",
        floor.at(50),
        floor.at(99),
        floor.at(100)
    );
    println!(
        "ratio: {}.{:02} of the floor",
        ours.rate() / floor.rate(),
        ours.rate() * 100 / floor.rate() % 100
    );
}

/// What was measured.
struct Run {
    actions: u64,
    time: Duration,
    /// Processor time of the whole process meanwhile: unlike rates, it hardly depends on what else runs.
    cpu: Duration,
    /// Microseconds, sorted.
    latencies: Vec<u64>,
}

impl Run {
    fn rate(&self) -> u64 {
        self.actions * 1_000 / self.time.as_millis() as u64
    }

    /// Processor time for each action, players and runtime included, in microseconds.
    fn cpu_each(&self) -> u128 {
        self.cpu.as_micros() / u128::from(self.actions.max(1))
    }

    fn at(&self, percent: usize) -> Duration {
        let last = self.latencies.len().saturating_sub(1);
        Duration::from_micros(
            self.latencies
                .get(last * percent / 100)
                .copied()
                .unwrap_or_default(),
        )
    }
}

async fn start(store: Arc<dyn Store>) -> (Tables, SupervisorHandle) {
    let world = World {
        store,
        keys: Keyring::single([1; 32]),
        dealer: Box::new(OsDealer),
        wall_ms: Box::new(|| 0),
        token: Box::new(|| uuid::Uuid::new_v4().into_bytes()),
        node: "bench".into(),
        steward: None,
    };
    let options = Options {
        snapshot_interval: 100,
        snapshot_every_hand: false,
        commit_interval: Duration::ZERO,
        commit_tables: 4_096,
        commit_bytes: 1 << 20,
        shard_queue: 16_384,
        table_queue: 64,
        hand_pause: Duration::ZERO,
        sleep_after: Duration::from_secs(600),
        recover_concurrency: 64,
        park_after: 5,
        call_timeout: Duration::from_secs(10),
        log: LogOptions::default(),
    };
    let tables = Tables::new(ShardCount::new(SHARDS).expect("not zero"), options, world);
    let spec = SupervisorSpec::new(Strategy::OneForOne);
    let spec = tables
        .shards()
        .iter()
        .fold(spec, |spec, shard| spec.child(shard.spec()));
    let tree = spec.start().await.expect("the tree starts");
    (tables, tree)
}

async fn play(tables: &Tables, count: u64, time: Duration) -> (Totals, Run) {
    let stop = Arc::new(AtomicBool::new(false));
    let mut tasks = Vec::new();
    for table in 0..count {
        let table = TableId(u128::from(table) << 64 | 1);
        open(tables, table).await;
    }
    // Nobody plays before the clock runs: what is done while tables open would count without its time.
    let before = tables.totals().await.expect("totals");
    let (started, cpu) = (Instant::now(), cpu_time());
    for table in 0..count {
        let table = TableId(u128::from(table) << 64 | 1);
        tasks.push(tokio::spawn(busy(tables.clone(), table, Arc::clone(&stop))));
    }
    tokio::time::sleep(time).await;
    stop.store(true, Relaxed);
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await.expect("a table plays"));
    }
    let (time, cpu) = (started.elapsed(), cpu_time() - cpu);
    latencies.sort_unstable();
    let run = Run {
        actions: latencies.len() as u64,
        time,
        cpu,
        latencies,
    };
    (before, run)
}

async fn open(tables: &Tables, table: TableId) {
    tables
        .create(NewTable {
            table,
            name: "bench".into(),
            settings: Arc::new(house::settings(2)),
        })
        .await
        .expect("opened");
    for player in 1..=2 {
        let order = Order::Sit {
            seat: None,
            name: "bench".into(),
            buy_in: 1_000_000_000,
            post_now: true,
        };
        tables
            .call(table, request(player, order))
            .await
            .expect("seated");
    }
}

/// Both players of a table check and call; each action waits until the last is durable.
async fn busy(tables: Tables, table: TableId, stop: Arc<AtomicBool>) -> Vec<u64> {
    let (queue, mut frames) = mpsc::channel(FRAMES);
    tables
        .watch(table, WatcherId(1), Viewer::Spectator, None, queue)
        .await
        .expect("a watch");
    let mut latencies = Vec::new();
    let mut hand = HandNo(0);
    while !stop.load(Relaxed) {
        let legal = match frames.recv().await.expect("the table shows itself") {
            Frame::Snapshot(shown) => {
                let Some(open) = shown.view.hand else {
                    continue;
                };
                hand = open.hand;
                let Some(legal) = open.legal else { continue };
                legal
            }
            Frame::Event(event) => match event.sight {
                Sight::Turn { legal, .. } => legal,
                Sight::Public(stamped) => {
                    if let Event::Public(Fact::HandStarted { hand: next, .. }) = &stamped.event {
                        hand = *next;
                    }
                    continue;
                }
                Sight::Won { .. } | Sight::Timed { .. } | Sight::Own { .. } | Sight::Hidden => {
                    continue;
                }
            },
            Frame::Reset { .. } => continue,
        };
        let action = if legal.check {
            Action::Check
        } else {
            Action::Call
        };
        let order = Order::Act {
            hand,
            turn: legal.turn,
            action,
        };
        // Whoever sat down first has the first seat.
        let player = u128::from(legal.seat.0) + 1;
        let started = Instant::now();
        tables
            .call(table, request(player, order))
            .await
            .expect("a legal action");
        latencies.push(started.elapsed().as_micros() as u64);
    }
    latencies
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

/// User and system time of this process so far.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux tells it");
    // After the name, which is in parentheses, user and system time are the 12th and 13th field.
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u64 = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<u64>().ok())
        .sum();
    Duration::from_millis(ticks * 10)
}

/// The mean payload of the log rows that are still there.
fn row_bytes(database: &Path) -> u64 {
    let mean = "SELECT coalesce(sum(length(payload)) / count(*), 0) FROM log_rows";
    rusqlite::Connection::open(database)
        .and_then(|database| database.query_row(mean, (), |row| row.get::<_, u32>(0)))
        .map(u64::from)
        .expect("the store's rows")
}

/// The floor: as many writers, each with one write under way; one thread appends what
/// came meanwhile and waits for the disk once.
async fn raw(folder: &Path, writers: u64, bytes: usize, time: Duration) -> Run {
    let (send, receive) = std::sync::mpsc::channel::<oneshot::Sender<()>>();
    let mut file = File::create(folder.join("floor")).expect("a file");
    let disk = std::thread::spawn(move || {
        let line = vec![7_u8; bytes];
        while let Ok(first) = receive.recv() {
            let group: Vec<_> = std::iter::once(first).chain(receive.try_iter()).collect();
            file.write_all(&line.repeat(group.len())).expect("written");
            file.sync_data().expect("synced");
            group
                .into_iter()
                .for_each(|done| done.send(()).expect("the writer waits"));
        }
    });
    let stop = Arc::new(AtomicBool::new(false));
    let mut tasks = Vec::new();
    for _ in 0..writers {
        let (send, stop) = (send.clone(), Arc::clone(&stop));
        tasks.push(tokio::spawn(async move {
            let mut latencies = Vec::new();
            while !stop.load(Relaxed) {
                let (done, wait) = oneshot::channel();
                let started = Instant::now();
                send.send(done).expect("the disk thread lives");
                wait.await.expect("it answers");
                latencies.push(started.elapsed().as_micros() as u64);
            }
            latencies
        }));
    }
    drop(send);
    let (started, cpu) = (Instant::now(), cpu_time());
    tokio::time::sleep(time).await;
    stop.store(true, Relaxed);
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await.expect("a writer writes"));
    }
    let (time, cpu) = (started.elapsed(), cpu_time() - cpu);
    disk.join().expect("the disk thread ends");
    latencies.sort_unstable();
    Run {
        actions: latencies.len() as u64,
        time,
        cpu,
        latencies,
    }
}
