//! What a table costs in memory, awake and asleep, beside a bare actor.
//!
//! `cargo bench --bench tables_memory [-- TABLES]`
//!
//! Each figure is the growth of the resident set of a process of its own, divided by the number of tables:
//!
//! - awake: six players sit, a hand is open, the table's actor runs (its log state included);
//! - asleep: six players sit out, the node has just recovered them, no table has an actor;
//! - actor: a `ractor` actor that does nothing, with an empty state.
//!
//! The resident set includes what the allocator keeps from the way there, so the figures are upper bounds.

use std::{path::Path, process::Command, time::Duration};

use anyhow::{Context as _, ensure};
use ractor::{Actor, ActorProcessingErr, ActorRef};

#[allow(dead_code, reason = "one benchmark needs less of it than another")]
mod house;

const SEATS: u8 = 6;

fn main() -> anyhow::Result<()> {
    let tables = house::number(0, 10_000);
    let mut words = std::env::args().skip(1);
    let role = words.find_map(|word| word.strip_prefix("role=").map(str::to_owned));
    let folder = words.find_map(|word| word.strip_prefix("folder=").map(str::to_owned));
    if let Some(role) = role {
        let runtime = tokio::runtime::Runtime::new()?;
        let folder = folder.context("a role comes with a folder")?;
        return runtime.block_on(play(&role, Path::new(&folder), tables));
    }
    let actor = child("actor", &house::folder()?, tables)?;
    let awake = child("awake", &house::folder()?, tables)?;
    let folder = house::folder()?;
    child("prepare", &folder, tables)?;
    let asleep = child("asleep", &folder, tables)?;
    println!("{tables} tables with {SEATS} players each, resident bytes for each");
    println!("  awake, a hand open   {awake:>8}");
    println!("  asleep               {asleep:>8}");
    println!("  floor: a bare actor  {actor:>8}");
    Ok(())
}

/// Runs a role in a process of its own; returns what it prints: bytes a table.
fn child(role: &str, folder: &tempfile::TempDir, tables: usize) -> anyhow::Result<usize> {
    let output = Command::new(std::env::current_exe()?)
        .arg(tables.to_string())
        .arg(format!("role={role}"))
        .arg(format!("folder={}", folder.path().display()))
        .stderr(std::process::Stdio::inherit())
        .output()?;
    ensure!(output.status.success(), "{role} failed");
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}

async fn play(role: &str, folder: &Path, tables: usize) -> anyhow::Result<()> {
    match role {
        "actor" => {
            let before = resident()?;
            let mut actors = Vec::new();
            for _ in 0..tables {
                actors.push(Actor::spawn(None, Bare, ()).await?);
            }
            print_each(before, tables)?;
        }
        "awake" => {
            let node = house::node(folder, "hand_pause_ms: 0").await?;
            let before = resident()?;
            house::fill(&node.tables, tables, SEATS, false).await?;
            let live = node.tables.totals().await?.live;
            ensure!(live == tables as u64, "{live} tables are awake");
            print_each(before, tables)?;
            node.stop().await;
        }
        "prepare" => {
            let node = house::node(folder, "sleep_after_ms: 1000").await?;
            house::fill(&node.tables, tables, SEATS, true).await?;
            node.stop().await;
            println!("0");
        }
        "asleep" => {
            // The same node with nothing in it: what it costs is not the tables' cost.
            let empty = house::folder()?;
            let node = house::node(empty.path(), "").await?;
            let before = resident()?;
            node.stop().await;
            let node = house::node(folder, "").await?;
            let totals = node.tables.totals().await?;
            ensure!(totals.sums.tables == tables as u64, "all are there");
            ensure!(totals.live == 0, "{} tables are awake", totals.live);
            // What recovery allocated for a moment is given back first, as far as it is.
            tokio::time::sleep(Duration::from_secs(1)).await;
            print_each(before, tables)?;
            node.stop().await;
        }
        role => anyhow::bail!("no role {role}"),
    }
    Ok(())
}

fn print_each(before: usize, tables: usize) -> anyhow::Result<()> {
    println!("{}", resident()?.saturating_sub(before) / tables.max(1));
    Ok(())
}

/// The resident set of this process, in bytes.
fn resident() -> anyhow::Result<usize> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let kilobytes = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"))
        .context("Linux says how much is resident")?;
    Ok(kilobytes.parse::<usize>()? * 1_024)
}

struct Bare;

/// What it is told, which never happens.
struct Nothing;

impl ractor::Message for Nothing {}

impl Actor for Bare {
    type Msg = Nothing;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<Nothing>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }
}
