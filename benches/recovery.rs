//! How long a node needs to take its tables over after a stop.
//!
//! `cargo bench --bench recovery [-- TABLES]`
//!
//! Tables with six players each and a hand open wait for the first action; the node stops and starts again over the
//! same embedded store. Times are from opening the store: to `ready` (all tables are read and could be asked), to the
//! first action that is accepted and durable, and until all tables with an open hand have their actors and clocks.
//! The floor: reading the database's files once. Everything is in the page cache, for both.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use engine::{Action, Viewer};
use openrustpoker::table::request::Order;

#[allow(dead_code, reason = "one benchmark needs less of it than another")]
mod house;

const SEATS: u8 = 6;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let tables = house::number(0, 10_000);
    let folder = house::folder()?;
    let node = house::node(folder.path(), "hand_pause_ms: 0").await?;
    house::fill(&node.tables, tables, SEATS, false).await?;
    // The seats are full; the hand that began meanwhile may not have all six, and is open all the same.
    node.stop().await;
    drop(node);
    house::closed(folder.path()).await?;

    let start = Instant::now();
    let bytes = read_all(folder.path())?;
    let floor = start.elapsed();

    let start = Instant::now();
    let node = house::node(folder.path(), "hand_pause_ms: 0").await?;
    let ready = start.elapsed();
    act(&node.tables, tables / 2).await?;
    let acted = start.elapsed();
    let mut totals = node.tables.totals().await?;
    while totals.live < tables as u64 {
        tokio::time::sleep(Duration::from_millis(5)).await;
        totals = node.tables.totals().await?;
        ensure!(
            start.elapsed() < GIVE_UP,
            "{} tables are awake",
            totals.live
        );
    }
    let awake = start.elapsed();
    ensure!(totals.sums.tables == tables as u64, "all are there");
    let chips = tables as u64 * u64::from(SEATS) * house::BUY_IN;
    ensure!(totals.sums.chips_in == chips, "every chip is there");
    node.stop().await;
    println!(
        "{tables} tables with {SEATS} players and an open hand each, {bytes} bytes in the store"
    );
    println!("  ready                  {ready:>10.1?}");
    println!("  first action durable   {acted:>10.1?}");
    println!("  all tables awake       {awake:>10.1?}");
    println!("  floor: read the files  {floor:>10.1?}");
    Ok(())
}

/// The player to act folds.
async fn act(tables: &openrustpoker::table::Tables, n: usize) -> anyhow::Result<()> {
    let seen = tables.view(house::table(n), Viewer::Spectator).await?;
    let hand = seen.view.hand.context("a hand is open")?;
    let legal = hand.legal.context("somebody is to act")?;
    let order = Order::Act {
        hand: hand.hand,
        turn: legal.turn,
        action: Action::Fold,
    };
    tables
        .call(house::table(n), house::request(n, legal.seat.0, 9, order))
        .await?;
    Ok(())
}

fn read_all(folder: &Path) -> std::io::Result<usize> {
    let mut bytes = 0;
    for file in std::fs::read_dir(folder)? {
        bytes += std::fs::read(file?.path())?.len();
    }
    Ok(bytes)
}

const GIVE_UP: Duration = Duration::from_secs(120);
