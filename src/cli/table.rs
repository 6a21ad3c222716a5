//! `orp table`.

use std::process::ExitCode;

use clap::Subcommand;
use proto::v1::Settings;

use super::connect::SessionArgs;
use super::game::{GameArgs, title_of};

/// Lists and makes tables.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  orp table list --open
  orp table create --name Tuesday --blinds 50/100 --seats 6
  orp table create --name Omaha --game plo8 --blinds 1/2 --straddle utg
  orp table create --name Deep --blinds 1/2 --buy-in 100..1000 --rake 500 --rake-caps 1,2,3 --json")]
pub struct TableArgs {
    #[command(subcommand)]
    command: TableCommand,
}

#[derive(Debug, Subcommand)]
enum TableCommand {
    /// List tables.
    List(ListArgs),
    /// Make a table.
    Create(CreateArgs),
}

#[derive(Debug, clap::Args)]
struct ListArgs {
    #[command(flatten)]
    session: SessionArgs,
    /// Only tables with an empty seat.
    #[arg(long)]
    open: bool,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
    /// As many as this.
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    limit: usize,
}

#[derive(Debug, clap::Args)]
struct CreateArgs {
    #[command(flatten)]
    session: SessionArgs,
    /// What the table is called.
    #[arg(long)]
    name: String,
    #[command(flatten)]
    game: GameArgs,
    /// Seats, 2 to 10; fewer where each player gets more cards.
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u32).range(2..=10))]
    seats: u32,
    /// Small and big blind.
    #[arg(long, value_name = "SMALL/BIG", default_value = "50/100", value_parser = blinds)]
    blinds: (u64, u64),
    /// Ante of each player [default: none; a big blind in short-deck].
    #[arg(long, value_name = "CHIPS", conflicts_with = "big_blind_ante")]
    ante: Option<u64>,
    /// Ante that the big blind pays for all.
    #[arg(long, value_name = "CHIPS", default_value_t = 0)]
    big_blind_ante: u64,
    /// Least and most buy-in [default: 20 to 100 big blinds].
    #[arg(long, value_name = "LEAST..MOST", value_parser = buy_in)]
    buy_in: Option<(u64, u64)>,
    /// Rake in hundredths of a percent: 500 is 5 %.
    #[arg(long, value_name = "PER_10_000", default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=10_000))]
    rake: u32,
    /// The most rake of a hand, for two players dealt in, for three and so on; the last one holds for more.
    #[arg(long, value_name = "CHIPS", value_delimiter = ',', requires = "rake")]
    rake_caps: Vec<u64>,
    /// Seconds to act.
    #[arg(long, value_name = "SECONDS", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=3_600))]
    action: u32,
    /// Seconds of time bank.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u32).range(..=3_600))]
    bank: u32,
    /// Seconds that a time bank gains with each hand.
    #[arg(long, value_name = "SECONDS", default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=3_600))]
    bank_gain: u32,
    /// Seconds more, once a hand, for a player whose connection is lost.
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(..=3_600))]
    reconnect: u32,
    /// So many time-outs in a row make a player sit out; 0 for never [default: 2].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(..=255))]
    timeouts: Option<u32>,
    /// Who sits out loses the seat when the button passed so many times; 0 for never.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=255))]
    sit_out_buttons: u32,
    /// Hands are not turned up once no bet is possible any more: who is beaten may give up unseen.
    #[arg(long)]
    hide_all_in: bool,
    /// Minutes in which who left may only come back with all that he took.
    #[arg(long, value_name = "MINUTES", default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=1_440))]
    rathole: u32,
    /// Print a JSON object instead of the bare id.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: TableArgs) -> anyhow::Result<ExitCode> {
    match args.command {
        TableCommand::List(args) => list(&args).await?,
        TableCommand::Create(args) => create(&args).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(args: &ListArgs) -> anyhow::Result<()> {
    let link = args.session.server.link()?;
    let player = args.session.anybody(&link).await?;
    let (mut token, mut left) = (String::new(), args.limit);
    while left > 0 {
        let page = player.tables(&token, 0, args.open).await?;
        for table in page.tables.into_iter().take(left) {
            left -= 1;
            let settings = table.settings.unwrap_or_default();
            if args.json {
                let line = serde_json::json!({
                    "table_id": table.table_id, "name": table.name, "players": table.players, "hand": table.hand,
                    "seats": settings.seats, "small_blind": settings.small_blind, "big_blind": settings.big_blind,
                    "game": title_of(&settings), "buy_in_min": settings.buy_in_min, "buy_in_max": settings.buy_in_max,
                });
                println!("{line}");
                continue;
            }
            println!(
                "{}  {}/{} {}  {} of {} seats taken  hand {}  {}",
                table.table_id,
                settings.small_blind,
                settings.big_blind,
                title_of(&settings),
                table.players,
                settings.seats,
                table.hand,
                table.name,
            );
        }
        if page.next_page_token.is_empty() {
            break;
        }
        token = page.next_page_token;
    }
    Ok(())
}

async fn create(args: &CreateArgs) -> anyhow::Result<()> {
    let link = args.session.server.link()?;
    let player = args.session.anybody(&link).await?;
    let id = uuid::Uuid::now_v7().to_string();
    let id = player
        .create_table(&id, &args.name, &settings(args))
        .await?;
    if args.json {
        println!(
            "{}",
            serde_json::json!({ "table_id": id, "name": args.name })
        );
    } else {
        println!("{id}");
    }
    Ok(())
}

fn settings(args: &CreateArgs) -> Settings {
    let (small_blind, big_blind) = args.blinds;
    let usual = (big_blind.saturating_mul(20), big_blind.saturating_mul(100));
    let (buy_in_min, buy_in_max) = args.buy_in.unwrap_or(usual);
    Settings {
        seats: args.seats,
        small_blind,
        big_blind,
        ante: args.ante.unwrap_or(args.game.game.ante(big_blind)),
        big_blind_ante: args.big_blind_ante,
        buy_in_min,
        buy_in_max,
        rake_per_10000: args.rake,
        rake_caps: args.rake_caps.clone(),
        action_ms: args.action * MS_A_SECOND,
        bank_ms: args.bank * MS_A_SECOND,
        bank_gain_ms: args.bank_gain * MS_A_SECOND,
        reconnect_ms: args.reconnect * MS_A_SECOND,
        show_all_in: Some(!args.hide_all_in),
        sit_out_buttons: args.sit_out_buttons,
        timeouts_to_sit_out: args.timeouts,
        rathole_ms: args.rathole * MS_A_MINUTE,
        game: Some(args.game.wire()),
        moving_button: args.game.moving_button,
    }
}

fn blinds(text: &str) -> Result<(u64, u64), String> {
    pair(text, "/").ok_or_else(|| "expected SMALL/BIG, 50/100".into())
}

fn buy_in(text: &str) -> Result<(u64, u64), String> {
    pair(text, "..").ok_or_else(|| "expected LEAST..MOST, 2000..10000".into())
}

fn pair(text: &str, between: &str) -> Option<(u64, u64)> {
    let (first, second) = text.split_once(between)?;
    Some((first.parse().ok()?, second.parse().ok()?))
}

const MS_A_SECOND: u32 = 1_000;
const MS_A_MINUTE: u32 = 60 * MS_A_SECOND;
