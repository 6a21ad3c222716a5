//! `orp dev`: a server for trying things out, with a table and house bots at it.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use proto::v1::Settings;

use super::serve::until_stopped;
use crate::client::bots::{Dice, Strategy, Temper};
use crate::client::{Address, Link, Patience, Player, Session, house, jitter};
use crate::config::Config;
use crate::{telemetry, tree};

/// Runs a server on this machine that needs no configuration, with a table to play at.
#[derive(Debug, clap::Args)]
pub struct DevArgs {
    /// The configuration; what it leaves out has its default.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// House bots at the table.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u8).range(0..=5))]
    bots: u8,
}

pub(super) async fn run(args: DevArgs) -> anyhow::Result<ExitCode> {
    let mut config = Config::load(args.config.as_deref())?;
    if config == Config::default() {
        // People look at the game here, not at the log.
        config.log.level = "warn".into();
    }
    telemetry::init(&config.log)?;
    let node = tree::start(&config).await?;
    node.ready().await;
    let house = open_house(&node.grpc.to_string(), &config, args.bots)
        .await
        .context("the house table does not open")?;
    let server = if node.grpc.port() == Config::default().grpc.port {
        String::new()
    } else {
        format!(" --server {}", node.grpc)
    };
    println!(
        "A table is open, with {} house bots at it. In another terminal:",
        args.bots
    );
    println!();
    println!("  orp play{server} --name YOU --table {house}");
    println!();
    println!(
        "or `cargo run --release -- play{server} --name YOU`. What is played is kept in {}.",
        config.embedded.path.display()
    );
    println!("Ctrl-C ends the server; start it again, and the hand goes on.");
    until_stopped(&node).await
}

/// Opens the house table, or finds it again, and sends the bots to it.
async fn open_house(server: &str, config: &Config, bots: u8) -> anyhow::Result<String> {
    let address: Address = server.parse()?;
    let link = Link::new(&[address], Patience::default())?;
    let mut table = String::new();
    for bot in 0..bots.max(1) {
        let name = NAMES[usize::from(bot) % NAMES.len()];
        let player = house_player(&link, config, name).await?;
        if table.is_empty() {
            table = player
                .create_table(HOUSE_TABLE, "House", &settings())
                .await?;
        }
        if bot < bots {
            let strategy = Strategy::Sharp(
                [Temper::Even, Temper::Careful, Temper::Bold][usize::from(bot) % 3],
            );
            tokio::spawn(house::play(
                player,
                table.clone(),
                strategy,
                Dice::new(jitter(), 0, u64::from(bot)),
            ));
        }
    }
    Ok(table)
}

/// The bot's player from the last time, if this store still knows him.
async fn house_player(link: &Link, config: &Config, name: &str) -> anyhow::Result<Player> {
    let file = config
        .embedded
        .path
        .join(format!("house-{}.json", name.to_lowercase()));
    if let Some(session) = Session::load(&file)?
        && let Ok(player) = Player::resume(link, &session).await
    {
        return Ok(player);
    }
    let (player, session) = Player::guest(link, name).await?;
    session.save(&file)?;
    Ok(player)
}

fn settings() -> Settings {
    Settings {
        seats: 6,
        small_blind: 50,
        big_blind: 100,
        buy_in_min: 2_000,
        buy_in_max: 20_000,
        action_ms: 30_000,
        bank_ms: 60_000,
        reconnect_ms: 30_000,
        ..Settings::default()
    }
}

/// Always the same, so that the table is found again.
const HOUSE_TABLE: &str = "00000000-0000-4000-8000-00000000da7a";
const NAMES: [&str; 5] = ["Ada", "Bert", "Cleo", "Dirk", "Edna"];
