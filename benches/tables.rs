//! Durable actions of busy tables on the embedded store, beside the floor: the same
//! bytes in the same groups, appended to a file with one fdatasync a group.
//!
//! `cargo bench --bench tables [-- TABLES SECONDS]`. Both are measured in one run,
//! one after the other, on the same disk; only the ratio means something.

use std::{
    fs::File,
    io::Write as _,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use engine::{Action, Ante, ButtonRule, Clock, PlayerId, Rake, Settings, Viewer};
use openrustpoker::{
    ids::{ShardCount, TableId},
    store::{
        Store,
        embedded::{EmbeddedOptions, EmbeddedStore},
        log::LogOptions,
    },
    table::{
        NewTable, Tables,
        request::{Order, Request},
        seal::Keyring,
        shard::{Options, World},
        shuffle::OsDealer,
    },
};
use supervisors::{Strategy, SupervisorHandle, SupervisorSpec};
use tokio::sync::oneshot;

const SHARDS: u16 = 8;

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
    let ours = play(&tables, count, time).await;
    let totals = tables.totals().await.expect("totals");
    let commits = totals.commits;
    tree.stop().await;
    let bytes = database_bytes(folder.path());
    let per_action = bytes / ours.actions.max(1);
    println!(
        "{count} busy tables, {SHARDS} shards, embedded store, {:?}",
        ours.time
    );
    println!("  durable actions/s   {:>10}", ours.rate());
    println!(
        "  hands/s             {:>10}",
        totals.hands * 1_000 / ours.time.as_millis() as u64
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

    let floor = raw(folder.path(), count, per_action.min(4_096) as usize, time).await;
    println!(
        "floor: append {} bytes an action + fdatasync a group, {count} writers",
        per_action.min(4_096)
    );
    println!("  durable actions/s   {:>10}", floor.rate());
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
    /// Microseconds, sorted.
    latencies: Vec<u64>,
}

impl Run {
    fn rate(&self) -> u64 {
        self.actions * 1_000 / self.time.as_millis() as u64
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

async fn play(tables: &Tables, count: u64, time: Duration) -> Run {
    let stop = Arc::new(AtomicBool::new(false));
    let mut tasks = Vec::new();
    for table in 0..count {
        let table = TableId(u128::from(table) << 64 | 1);
        open(tables, table).await;
        tasks.push(tokio::spawn(busy(tables.clone(), table, Arc::clone(&stop))));
    }
    let started = Instant::now();
    tokio::time::sleep(time).await;
    stop.store(true, Relaxed);
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await.expect("a table plays"));
    }
    let time = started.elapsed();
    latencies.sort_unstable();
    Run {
        actions: latencies.len() as u64,
        time,
        latencies,
    }
}

async fn open(tables: &Tables, table: TableId) {
    let settings = Settings {
        seats: 2,
        small_blind: 1,
        big_blind: 2,
        ante: Ante::None,
        buy_in_min: 2,
        buy_in_max: 1_000_000_000,
        rake: Rake::default(),
        clock: Clock {
            action_ms: 600_000,
            bank_ms: 0,
            bank_gain_ms: 0,
            reconnect_ms: 0,
        },
        show_all_in: true,
        button: ButtonRule::Dead,
        sit_out_buttons: 0,
        timeouts_to_sit_out: 0,
        rathole_ms: 0,
    };
    tables
        .create(NewTable {
            table,
            name: "bench".into(),
            settings: Arc::new(settings),
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
    let mut latencies = Vec::new();
    while !stop.load(Relaxed) {
        let view = tables
            .view(table, Viewer::Spectator)
            .await
            .expect("a view")
            .view;
        let Some((hand, legal)) = view
            .hand
            .as_ref()
            .and_then(|hand| Some((hand.hand, hand.legal?)))
        else {
            tokio::task::yield_now().await;
            continue;
        };
        let player = view.seats[usize::from(legal.seat.0)]
            .as_ref()
            .expect("he sits")
            .player;
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
        let started = Instant::now();
        tables
            .call(table, request(player.0, order))
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

fn database_bytes(folder: &std::path::Path) -> u64 {
    let files = std::fs::read_dir(folder).expect("the folder is there");
    files
        .filter_map(|file| Some(file.ok()?.metadata().ok()?.len()))
        .sum()
}

/// The floor: as many writers, each with one write under way; one thread appends what
/// came meanwhile and waits for the disk once.
async fn raw(folder: &std::path::Path, writers: u64, bytes: usize, time: Duration) -> Run {
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
    let started = Instant::now();
    tokio::time::sleep(time).await;
    stop.store(true, Relaxed);
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await.expect("a writer writes"));
    }
    let time = started.elapsed();
    disk.join().expect("the disk thread ends");
    latencies.sort_unstable();
    Run {
        actions: latencies.len() as u64,
        time,
        latencies,
    }
}
