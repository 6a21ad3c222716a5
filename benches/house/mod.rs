//! Nodes with tables for the benchmarks: a real node, as `orp serve` starts it, over an embedded store in a
//! temporary folder, and tables whose seats are taken.

use std::{path::Path, sync::Arc, time::Duration};

use engine::{Ante, ButtonRule, Clock, PlayerId, Rake, SeatNo, Settings};
use openrustpoker::{
    config::Config,
    ids::TableId,
    table::{
        NewTable, Tables,
        request::{Order, Request},
    },
    tree::{self, Node},
};

/// What a player brings.
pub const BUY_IN: u64 = 1_000;

/// Calls under way at a time while tables are filled.
const CALLS: usize = 256;

/// Starts a node and waits until it is ready. `more` is YAML under `server`.
pub async fn node(folder: &Path, more: &str) -> anyhow::Result<Node> {
    let path = serde_json::to_string(folder)?;
    let text = format!(
        "grpc: {{port: 0}}\nops: {{port: 0}}\nembedded: {{path: {path}}}\nserver: {{{more}}}\n"
    );
    let config = Config::from_parts(Some(("the benchmark", &text)), &[])?;
    let node = tree::start(&config).await?;
    node.ready().await;
    Ok(node)
}

/// Waits until a node that was stopped has closed its store: the lock beside the database is free.
pub async fn closed(folder: &Path) -> std::io::Result<()> {
    let lock = std::fs::File::open(folder.join("orp.db.lock"))?;
    while lock.try_lock().is_err() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    lock.unlock()
}

/// The id of the n-th table.
pub fn table(n: usize) -> TableId {
    TableId(((n as u128) << 64) | 1)
}

/// The player in a seat of the n-th table.
pub fn player(n: usize, seat: u8) -> PlayerId {
    PlayerId(((n as u128) << 64) | (u128::from(seat) + 1))
}

/// A game without time pressure.
pub fn settings(seats: u8) -> Settings {
    Settings {
        seats,
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
        game: engine::Game::default(),
    }
}

/// Opens so many tables and fills their seats; with `away` nobody is dealt in.
pub async fn fill(tables: &Tables, count: usize, seats: u8, away: bool) -> anyhow::Result<()> {
    let settings = Arc::new(settings(seats));
    let mut filling = tokio::task::JoinSet::new();
    for n in 0..count {
        if filling.len() >= CALLS
            && let Some(filled) = filling.join_next().await
        {
            filled??;
        }
        let (tables, settings) = (tables.clone(), Arc::clone(&settings));
        filling.spawn(async move { fill_one(&tables, n, settings, away).await });
    }
    while let Some(filled) = filling.join_next().await {
        filled??;
    }
    Ok(())
}

async fn fill_one(
    tables: &Tables,
    n: usize,
    settings: Arc<Settings>,
    away: bool,
) -> anyhow::Result<()> {
    let seats = settings.seats;
    let new = NewTable {
        table: table(n),
        name: format!("table {n}").into(),
        settings,
    };
    tables.create(new).await?;
    for seat in 0..seats {
        let sit = Order::Sit {
            seat: Some(SeatNo(seat)),
            name: format!("player {seat}").into(),
            buy_in: BUY_IN,
            post_now: true,
        };
        tables.call(table(n), request(n, seat, 1, sit)).await?;
        if away {
            let sit_out = request(n, seat, 2, Order::SitOut);
            tables.call(table(n), sit_out).await?;
        }
    }
    Ok(())
}

/// A request of the player in that seat.
pub fn request(n: usize, seat: u8, id: u64, order: Order) -> Request {
    Request {
        player: player(n, seat),
        id,
        first_attempt: true,
        order,
        received: tokio::time::Instant::now(),
    }
}

/// One of the sorted times: of a hundred, so many are not longer.
pub fn at(sorted: &[Duration], percent: usize) -> Duration {
    let last = sorted.len().saturating_sub(1);
    sorted
        .get(last * percent / 100)
        .copied()
        .unwrap_or_default()
}

/// The number that was given to the benchmark in this place, Cargo's own words left out.
pub fn number(place: usize, default: usize) -> usize {
    std::env::args()
        .filter_map(|word| word.parse().ok())
        .nth(place)
        .unwrap_or(default)
}

/// Where the temporary folder is made: a disk, not memory, so not `/tmp` unless `BENCH_DIR` says so.
pub fn folder() -> std::io::Result<tempfile::TempDir> {
    tempfile::tempdir_in(std::env::var("BENCH_DIR").unwrap_or_else(|_unset| ".".into()))
}
