//! `orp dev`: a server for trying things out, with a table and house bots at it.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use prost::Message;
use proto::v1::Settings;
use sha2::{Digest, Sha256};
use tokio::signal::unix::{SignalKind, signal};

use super::dev_cluster::{Database, Nodes};
use super::game::GameArgs;
use super::serve::until_stopped;
use crate::client::bots::{Dice, Strategy, Temper};
use crate::client::{
    Address, GameName, Link, Patience, Player, Session, house, jitter, seats_max, title, usual_ante,
};
use crate::config::Config;
use crate::{telemetry, tree};

/// Runs a server on this machine that needs no configuration, with a table to play at; or several nodes to be killed.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  orp dev
  orp dev --game plo8 --run-twice
  orp dev --game nlhe --straddle either --bots 5
  orp dev --nodes 3                                  in a checkout: starts a Cassandra, too
  orp dev --nodes 3 --cassandra 127.0.0.1:9042       on one that runs")]
pub struct DevArgs {
    /// The configuration; what it leaves out has its default.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// House bots at the table.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u8).range(0..=5))]
    bots: u8,
    /// Nodes, each a process of its own. What several play is gone with the Cassandra that is started for them.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=5))]
    nodes: u8,
    /// With --nodes: a Cassandra that runs, `host:port`, several separated by commas; without it one is started.
    #[arg(long, value_name = "HOSTS")]
    cassandra: Option<String>,
    /// With --cassandra: copies in each data centre.
    #[arg(
        long,
        value_name = "DATA_CENTRE=COPIES",
        default_value = "datacenter1=1"
    )]
    replication: String,
    #[command(flatten)]
    game: GameArgs,
}

pub(super) async fn run(args: DevArgs) -> anyhow::Result<ExitCode> {
    if args.nodes > 1 {
        return several(args).await;
    }
    let mut config = Config::load(args.config.as_deref())?;
    if config == Config::default() {
        // People look at the game here, not at the log.
        config.log.level = "warn".into();
    }
    telemetry::init(&config.log)?;
    let node = tree::start(&config).await?;
    node.ready().await;
    let house = open_house(&[node.grpc.to_string().parse()?], &config, &args)
        .await
        .context("the house table does not open")?;
    let server = if node.grpc.port() == Config::default().grpc.port {
        String::new()
    } else {
        format!(" --server {}", node.grpc)
    };
    println!(
        "A table of {} is open, with {} house bots at it. In another terminal:",
        title(&args.game.wire()),
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

/// Several nodes over a Cassandra, and the same table. All of it ends with this command.
async fn several(args: DevArgs) -> anyhow::Result<ExitCode> {
    let mut config = Config::load(args.config.as_deref())?;
    config.log.level = "error".into();
    config.embedded.path = config.embedded.path.join("cluster");
    telemetry::init(&config.log)?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for SIGINT")?;
    let database = tokio::select! {
        database = database(&args) => database?,
        _ = interrupt.recv() => return Ok(ExitCode::SUCCESS),
        _ = terminate.recv() => return Ok(ExitCode::SUCCESS),
    };
    let ended = tokio::select! {
        ended = play(&args, &config, &database) => ended,
        _ = interrupt.recv() => Ok(()),
        _ = terminate.recv() => Ok(()),
    };
    println!("ending the nodes, and what was started for them");
    database.stop().await;
    ended.map(|()| ExitCode::SUCCESS)
}

async fn database(args: &DevArgs) -> anyhow::Result<Database> {
    match &args.cassandra {
        Some(hosts) => Ok(Database::at(hosts.clone(), args.replication.clone())),
        None => Database::start().await,
    }
}

/// Ends with an error or not at all; its nodes end with it.
async fn play(args: &DevArgs, config: &Config, database: &Database) -> anyhow::Result<()> {
    println!("Starting {} nodes …", args.nodes);
    let mut nodes = Nodes::start(&config.embedded.path, args.nodes, database).await?;
    let players = nodes.players();
    let addresses: Result<Vec<Address>, _> =
        players.iter().map(|address| address.parse()).collect();
    let house = open_house(&addresses?, config, args)
        .await
        .context("the house table does not open")?;
    println!();
    println!("{nodes}");
    println!(
        "A table of {} is open, with {} house bots at it. In another terminal:",
        title(&args.game.wire()),
        args.bots
    );
    println!();
    println!(
        "  orp play --server {} --name YOU --table {house}",
        players.join(",")
    );
    println!();
    println!(
        "Then kill the node that serves it, in the middle of a hand, and the hand goes on. A node that ended comes back."
    );
    println!("`orp admin shards --watch` shows who serves what. Ctrl-C ends everything.");
    println!();
    nodes.watch(&house).await
}

/// Opens the house table, or finds it again, and sends the bots to it.
async fn open_house(
    servers: &[Address],
    config: &Config,
    args: &DevArgs,
) -> anyhow::Result<String> {
    let (bots, settings) = (args.bots, settings(args));
    let link = Link::new(servers, Patience::default())?;
    let mut table = String::new();
    for bot in 0..bots.max(1) {
        let name = NAMES[usize::from(bot) % NAMES.len()];
        let player = house_player(&link, config, name).await?;
        if table.is_empty() {
            table = player
                .create_table(&table_id(&settings), "House", &settings)
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

fn settings(args: &DevArgs) -> Settings {
    let game = args.game.wire();
    Settings {
        seats: seats_max(&game).min(SEATS),
        small_blind: 50,
        big_blind: BIG_BLIND,
        ante: usual_ante(&game, BIG_BLIND),
        buy_in_min: 2_000,
        buy_in_max: 20_000,
        action_ms: 30_000,
        bank_ms: 60_000,
        reconnect_ms: 30_000,
        game: Some(game),
        moving_button: args.game.moving_button,
        ..Settings::default()
    }
}

/// Always the same for the same game and rules, so that the table is found again.
fn table_id(settings: &Settings) -> String {
    let plain = GameName::default().game();
    if settings.game == Some(plain) && !settings.moving_button {
        return HOUSE_TABLE.into();
    }
    // Its bytes on the wire: a field that a later release adds does not change them.
    let digest = Sha256::digest(settings.encode_to_vec());
    let bytes = std::array::from_fn(|at| digest[at]);
    uuid::Builder::from_random_bytes(bytes)
        .into_uuid()
        .to_string()
}

/// The table of plain no-limit Hold'em.
const HOUSE_TABLE: &str = "00000000-0000-4000-8000-00000000da7a";
const SEATS: u32 = 6;
const BIG_BLIND: u64 = 100;
const NAMES: [&str; 5] = ["Ada", "Bert", "Cleo", "Dirk", "Edna"];
