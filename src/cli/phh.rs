//! `orp phh`: hand histories from files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};

use proto::v1::HandFormat;

use super::connect::SessionArgs;
use crate::phh::check::{Tally, Verdict, check};
use crate::phh::decimal::Decimal;
use crate::phh::parse::parse;
use crate::phh::replay::RakeSchedule;

/// Hand histories in the PHH format.
#[derive(Debug, clap::Args)]
pub struct PhhArgs {
    #[command(subcommand)]
    command: PhhCommand,
}

#[derive(Debug, clap::Subcommand)]
enum PhhCommand {
    /// Replay hands through the rules and compare what comes out with what the files state.
    Check(CheckArgs),
    /// Write archived hands of a server, as far as you may see them: one hand as .phh, all of a table as .phhs.
    Export(ExportArgs),
}

/// What to export.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  orp phh export TABLE 17 > 17.phh
  orp phh export TABLE > table.phhs
  orp phh export TABLE --ohh > table.ohh")]
struct ExportArgs {
    #[command(flatten)]
    session: SessionArgs,
    /// The table's id.
    table: String,
    /// The hand's number; without it all archived hands of the table, oldest first.
    hand: Option<u64>,
    /// In the Open Hand History JSON that trackers read: one object a hand, with an empty line between hands.
    #[arg(long)]
    ohh: bool,
}

/// What to check.
#[derive(Debug, clap::Args)]
struct CheckArgs {
    /// Files (.phh, .phhs), or directories that are searched for them.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// The rake in hundredths of a percent, for files that state winnings after rake: 500 is 5 %.
    #[arg(long, value_name = "PER_10_000", value_parser = clap::value_parser!(u32).range(..=10_000))]
    rake: Option<u32>,
    /// The most rake of a hand for two players dealt in, for three and so on; the last one repeats.
    #[arg(long, value_name = "AMOUNTS", value_delimiter = ',', requires = "rake")]
    rake_caps: Vec<Decimal>,
}

/// Runs it. The exit code is a failure if a hand is wrong or a file cannot be read.
pub async fn run(args: PhhArgs) -> anyhow::Result<ExitCode> {
    match args.command {
        PhhCommand::Check(args) => check_files(&args),
        PhhCommand::Export(args) => export(&args).await,
    }
}

async fn export(args: &ExportArgs) -> anyhow::Result<ExitCode> {
    let link = args.session.server.link()?;
    let player = args.session.anybody(&link).await?;
    let format = if args.ohh {
        HandFormat::Ohh
    } else {
        HandFormat::Phh
    };
    if let Some(hand) = args.hand {
        print!("{}", player.export_hand(&args.table, hand, format).await?);
        return Ok(ExitCode::SUCCESS);
    }
    let (mut hands, mut token) = (Vec::new(), String::new());
    loop {
        let page = player.hands(&args.table, &token, 0).await?;
        hands.extend(page.hands.into_iter().map(|hand| hand.hand));
        if page.next_page_token.is_empty() {
            break;
        }
        token = page.next_page_token;
    }
    for (place, hand) in (1..).zip(hands.into_iter().rev()) {
        let text = player.export_hand(&args.table, hand, format).await?;
        match format {
            HandFormat::Ohh => println!("{text}\n"),
            HandFormat::Phh | HandFormat::Unspecified => println!("[{place}]\n{text}"),
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn check_files(args: &CheckArgs) -> anyhow::Result<ExitCode> {
    let rake = args.rake.map(|per_10_000| RakeSchedule {
        per_10_000,
        caps: args.rake_caps.clone(),
    });
    let mut tally = Tally::default();
    let mut unread = 0;
    for file in files(&args.paths)? {
        let text =
            fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let hands = match parse(&text) {
            Ok(hands) => hands,
            Err(error) => {
                println!("{}: {error}", file.display());
                unread += 1;
                continue;
            }
        };
        for (name, hand) in hands {
            let place = if name.is_empty() {
                file.display().to_string()
            } else {
                format!("{} [{name}]", file.display())
            };
            match hand {
                Ok(hand) => tally.add(&told(&place, check(&hand, rake.as_ref()))),
                Err(error) => {
                    println!("{place}: {error}");
                    unread += 1;
                }
            }
        }
    }
    if unread > 0 {
        println!("{unread} could not be read");
    }
    println!("{tally}");
    Ok(if tally.wrong + unread == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Says why a hand was not exact.
fn told(place: &str, verdict: Verdict) -> Verdict {
    match &verdict {
        Verdict::Exact => {}
        Verdict::WithinHalf => println!("{place}: within half a chip"),
        Verdict::Wrong(reason) => println!("{place}: wrong: {reason}"),
        Verdict::Skipped(reason) => println!("{place}: skipped: {reason}"),
    }
    verdict
}

/// The hand histories among the files named and in the directories named, in order.
pub fn files(paths: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            search(path, &mut files)?;
        } else {
            files.push(path.clone());
        }
    }
    if files.is_empty() {
        bail!("no .phh or .phhs file there");
    }
    Ok(files)
}

fn search(directory: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let entries =
        fs::read_dir(directory).with_context(|| format!("cannot list {}", directory.display()))?;
    let mut paths = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<Vec<PathBuf>>>()?;
    paths.sort();
    for path in paths {
        let extension = path.extension().and_then(|extension| extension.to_str());
        if path.is_dir() {
            search(&path, files)?;
        } else if matches!(extension, Some("phh" | "phhs")) {
            files.push(path);
        }
    }
    Ok(())
}
