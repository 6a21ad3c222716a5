//! `orp bots`.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use super::connect::ServerArgs;
use super::exit;
use super::game::GameArgs;
use crate::client::bots::{Control, Options, Report, run as play};
use crate::client::{seats_max, title};

/// Makes tables, seats bots at them, plays, leaves, and tells what was seen. Ends with 1 if chips are missing, events
/// were left out, or any other promise was broken.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  orp bots --tables 10 --bots 6 --hands 1000
  orp bots --server 10.0.0.1:50051,10.0.0.2:50051 --tables 10000 --bots 6 --hands 1000000 --rate 5000 --json
  orp bots --hands 200 --seed 7
  orp bots --game plo8 --bots 6 --hands 1000
  orp bots --game plo --straddle either --run-twice")]
pub struct BotsArgs {
    #[command(flatten)]
    server: ServerArgs,
    /// Tables to make.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    tables: u32,
    /// Bots at each table.
    #[arg(long, value_name = "M", default_value_t = 6, value_parser = clap::value_parser!(u32).range(2..=10))]
    bots: u32,
    #[command(flatten)]
    game: GameArgs,
    /// Hands to play in all, over all tables together. Hands under way are played to their end and counted too.
    #[arg(long, value_name = "H", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    hands: u64,
    /// Actions a second, all bots together [default: as fast as the server answers].
    #[arg(long, value_name = "R", value_parser = clap::value_parser!(u32).range(1..))]
    rate: Option<u32>,
    /// Print one JSON object and nothing else on standard output.
    #[arg(long)]
    json: bool,
    /// The bots' decisions follow from it and from the cards.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Stay seated at the end: the chips are left on the tables.
    #[arg(long)]
    keep: bool,
    /// Rake of the tables in hundredths of a percent: 500 is 5 %. With rake, chips that a crash hides from the bots are
    /// told as unseen; without it every chip is accounted for.
    #[arg(long, value_name = "PER_10_000", default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=10_000))]
    rake: u32,
    /// Seconds to go on trying when nothing is heard from the server.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    patience: u64,
}

pub(super) async fn run(args: BotsArgs) -> anyhow::Result<ExitCode> {
    let game = args.game.wire();
    anyhow::ensure!(
        args.bots <= seats_max(&game),
        "{} has seats for {} players, not for {} bots",
        title(&game),
        seats_max(&game),
        args.bots
    );
    let options = Options {
        servers: args.server.server,
        tables: args.tables,
        bots: args.bots,
        game,
        moving_button: args.game.moving_button,
        hands: args.hands,
        rate: args.rate,
        seed: args.seed,
        keep: args.keep,
        rake_per_10000: args.rake,
        patience: Duration::from_secs(args.patience),
    };
    let control = Arc::new(Control::default());
    let progress = tokio::spawn(tell_progress(Arc::clone(&control), args.hands));
    let interrupt = tokio::spawn(stop_when_asked(Arc::clone(&control)));
    let report = play(options, control).await;
    progress.abort();
    interrupt.abort();
    if std::io::stderr().is_terminal() {
        eprintln!();
    }
    let report = report?;
    if args.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print!("{}", text(&report));
    }
    Ok(ExitCode::from(if report.is_clean() {
        exit::OK
    } else {
        exit::FAILED
    }))
}

/// The first interrupt lets the bots leave; the second one ends the program as usual.
async fn stop_when_asked(control: Arc<Control>) {
    if tokio::signal::ctrl_c().await.is_ok() {
        eprintln!("the bots leave after their hands; interrupt again to end at once");
        control.stop();
    }
    if tokio::signal::ctrl_c().await.is_ok() {
        std::process::exit(i32::from(exit::FAILED));
    }
}

/// One line that is written over on a terminal, a new line now and then elsewhere.
async fn tell_progress(control: Arc<Control>, hands: u64) {
    let terminal = std::io::stderr().is_terminal();
    let mut tick = interval(if terminal {
        PROGRESS_ON_TERMINAL
    } else {
        PROGRESS_ELSEWHERE
    });
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let start = tokio::time::Instant::now();
    loop {
        tick.tick().await;
        let seconds = start.elapsed().as_secs();
        let (actions, findings) = (control.actions(), control.findings());
        let line = format!(
            "{} of {hands} hands, {actions} actions, {} a second, {findings} violations, {seconds} s",
            control.hands(),
            actions / seconds.max(1),
        );
        if terminal {
            eprint!("\r{line}\x1b[K");
            // A terminal that cannot be written to shows no progress.
            drop(std::io::stderr().flush());
        } else if seconds > 0 {
            eprintln!("{line}");
        }
    }
}

fn text(report: &Report) -> String {
    let mut text = format!(
        "hands       {}\nactions     {} ({} a second, {} s)\n\
         latency ms  p50 {:.1}  p99 {:.1}  max {:.1}\n\
         chips       {} in = {} out + {} rake + {} on the tables",
        report.hands,
        report.actions,
        report.actions_per_s,
        report.seconds,
        report.latency_ms.p50,
        report.latency_ms.p99,
        report.latency_ms.max,
        report.chips_in,
        report.chips_out,
        report.rake,
        report.on_tables,
    );
    if report.unseen > 0 {
        text.push_str(&format!(" + {} unseen", report.unseen));
    }
    text.push_str(&format!(
        "\nstream      {} gaps, {} reconnects, {} resets, {} actions not verified\n\
         calls       {} refused, {} unknown\n",
        report.gaps,
        report.reconnects,
        report.resets,
        report.unverified,
        report.refused,
        report.unknown,
    ));
    for (rule, count) in &report.refused_rules {
        text.push_str(&format!("  refused {count} times: {rule}\n"));
    }
    if report.is_clean() {
        text.push_str("violations  none\n");
    }
    for (name, count) in &report.violations {
        text.push_str(&format!("VIOLATION   {name}: {count}\n"));
    }
    for example in &report.examples {
        text.push_str(&format!("  {example}\n"));
    }
    text
}

const PROGRESS_ON_TERMINAL: Duration = Duration::from_millis(500);
const PROGRESS_ELSEWHERE: Duration = Duration::from_secs(10);
