//! `orp admin verify`, `level`, `backup`, `restore`, `migrate`: the store itself, not a node.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

use super::exit;
use crate::{
    config::Config,
    keep::{
        backup::Contents,
        verify::{Line, ShardLine, Summary},
    },
    telemetry,
    tree::keeping::{self, Level},
};

#[derive(Debug, clap::Subcommand)]
pub(super) enum KeepCommand {
    /// Check everything in the store, beside a running server or without one; change nothing.
    #[command(after_help = "\
Reads every log from its beginning, folds it, and compares: hash chains, gaps, checksums, frozen ends, snapshots and
checkpoints, chips of every table, archived hands, sealed decks. Takes nothing over; a running server does not notice.
One line a shard, then one for each thing that is wrong, with its place.

Examples:
  orp admin verify --config FILE
  orp admin verify --config FILE --closed --json

Exit codes: 0 sound; 1 something is wrong, or the store does not open; 3 something could not be read.")]
    Verify {
        /// The configuration of the servers; without one the defaults.
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// Leave decks closed: needs no key file, and does not find decks that do not open.
        #[arg(long)]
        closed: bool,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Show or raise the feature level: which forms of events may be written, and so which games tables may play.
    #[command(after_help = "\
A release reads the forms of its own level and below, and refuses a store that is above. Raise the level of a cluster once
every node runs the new release; from then on the release before does not start on this store. Every node says with its
beats what it reads: while one that is there cannot read the new level, or does not say, the raise is refused and the node
named. A server that is alone raises it when the first table needs it.

Examples:
  orp admin level --config FILE
  orp admin level --raise --config FILE

Exit codes: 0 told, or raised; 1 the store does not open, or is of a later release, or a node cannot read the level.")]
    Level {
        /// To the highest that this release knows.
        #[arg(long)]
        raise: bool,
        /// The configuration of the servers; without one the defaults.
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Copy the store into one file, beside a running server or without one.
    #[command(after_help = "\
The file holds a prefix of every shard's log, the hands that these logs know of, and the sessions; all with checksums. What
is copied is checked on the way. Decks are in it as they are in the store, sealed. The keys are NOT in it: keep the key
file (secrets.deck_key_file, or deck.key beside the embedded store) somewhere else; without it no open hand goes on.

Examples:
  orp admin backup orp-monday.backup --config FILE

Exit codes: 0 the file is whole and on the disk; 1 there is no file.")]
    Backup {
        /// The file to write; must not exist.
        file: PathBuf,
        /// The configuration of the servers; without one the defaults.
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// The last line as one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Bring a backup back, into an empty store.
    #[command(after_help = "\
The whole file is read before anything is written; one that is cut short or altered is refused. The store must be empty.
What was restored is checked; until then no server serves it. Put the key file in its place before a server starts.

Examples:
  orp admin restore orp-monday.backup --config FILE

Exit codes: 0 restored and checked; 1 refused or failed.")]
    Restore {
        /// The backup.
        file: PathBuf,
        /// The configuration of the servers to be; without one the defaults.
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// The last line as one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Move everything from a stopped embedded store into another store, which may have other shards.
    #[command(after_help = "\
Tables move with their open hands and decks, finished hands and sessions as they are. The target's key file must hold the
source's keys. The source is only read, and marked as moved at the end, so that it is not served by mistake. A migration
that was cut off is begun again by the same command. Everything is read back and compared before servers may serve it.

Examples:
  orp admin migrate --from one-node.yaml --to cluster.yaml

Exit codes: 0 moved and compared; 1 refused or failed; the source can still be served then.")]
    Migrate {
        /// The configuration of the server that is stopped.
        #[arg(long, value_name = "FILE")]
        from: PathBuf,
        /// The configuration of the servers to be.
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
        /// The last line as one JSON object.
        #[arg(long)]
        json: bool,
    },
}

pub(super) async fn run(command: KeepCommand) -> anyhow::Result<ExitCode> {
    match command {
        KeepCommand::Verify {
            config,
            closed,
            json,
        } => verify(&load(config.as_deref())?, !closed, json).await,
        KeepCommand::Level { raise, config } => {
            let config = load(config.as_deref())?;
            let Level { level, there, late } = keeping::feature_level(&config, raise).await?;
            println!(
                "{} is at feature level {level}; this release knows {}",
                keeping::place(&config),
                keeping::FEATURE_LEVEL
            );
            for node in there {
                println!("node {node}");
            }
            for node in &late {
                eprintln!("STOP IT: node {node}, and began while the level was raised");
            }
            Ok(match late.is_empty() {
                true => ExitCode::SUCCESS,
                false => ExitCode::from(exit::FAILED),
            })
        }
        KeepCommand::Backup { file, config, json } => {
            let config = load(config.as_deref())?;
            let mut progress = Progress::of("copied");
            let contents =
                keeping::backup(&config, &file, &mut |so_far| progress.tell(so_far)).await?;
            if json {
                println!("{}", serde_json::to_string(&contents)?);
            } else {
                let Contents {
                    tables,
                    hands,
                    sessions,
                    bytes,
                    ..
                } = contents;
                println!(
                    "{}: {bytes} bytes, {tables} tables, {hands} archived hands, {sessions} sessions; the keys of decks are not in it: keep {} as well",
                    file.display(),
                    config.deck_key_file().display()
                );
            }
            Ok(ExitCode::SUCCESS)
        }
        KeepCommand::Restore { file, config, json } => {
            let config = load(config.as_deref())?;
            let mut progress = Progress::of("restored");
            let summary =
                keeping::restore(&config, &file, &mut |so_far| progress.tell(so_far)).await?;
            say(&summary, json)?;
            if summary.decks_closed > 0 && !json {
                println!(
                    "{} decks are sealed: put their key file to {} before a server starts",
                    summary.decks_closed,
                    config.deck_key_file().display()
                );
            }
            Ok(ExitCode::SUCCESS)
        }
        KeepCommand::Migrate { from, to, json } => {
            // What is logged is for the one who migrates, so it is set up once.
            let (from, to) = (load(Some(&from))?, Config::load(Some(&to))?);
            let mut progress = Progress::of("moved");
            let summary = keeping::migrate(&from, &to, &mut |so_far| progress.tell(so_far)).await?;
            say(&summary, json)?;
            if !json {
                println!(
                    "{} was moved to {} and is marked so",
                    keeping::place(&from),
                    keeping::place(&to)
                );
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn load(file: Option<&Path>) -> anyhow::Result<Config> {
    let config = Config::load(file)?;
    telemetry::init(&config.log)?;
    Ok(config)
}

async fn verify(config: &Config, open_decks: bool, json: bool) -> anyhow::Result<ExitCode> {
    let mut tell = |line: Line| match line {
        Line::Shard(shard) if json => {
            println!("{}", serde_json::json!({"kind": "shard", "line": shard}));
        }
        Line::Flaw(flaw) if json => {
            let (place, what) = (flaw.place.to_string(), flaw.what.to_string());
            println!(
                "{}",
                serde_json::json!({"kind": "wrong", "place": place, "what": what})
            );
        }
        Line::Unread { what, cause } if json => {
            println!(
                "{}",
                serde_json::json!({"kind": "unread", "what": what, "cause": cause})
            );
        }
        Line::Shard(shard) => println!("{}", shard_line(&shard)),
        Line::Flaw(flaw) => println!("WRONG  {flaw}"),
        Line::Unread { what, cause } => println!("UNREAD {what}: {cause}"),
    };
    let summary = keeping::verify(config, open_decks, &mut tell).await?;
    if json {
        println!(
            "{}",
            serde_json::json!({"kind": "summary", "line": summary})
        );
    } else {
        say(&summary, false)?;
    }
    Ok(match (summary.flaws, summary.unread) {
        (0, 0) => ExitCode::SUCCESS,
        (0, _) => ExitCode::from(exit::UNREACHABLE),
        (_, _) => ExitCode::from(exit::FAILED),
    })
}

fn shard_line(line: &ShardLine) -> String {
    let ShardLine {
        shard,
        epoch,
        segments,
        rows,
        tables,
        open_hands,
        events,
        snapshots,
        chips_in,
        chips_out,
        on_tables,
        rake,
        flaws,
    } = line;
    let verdict = if *flaws == 0 { "ok" } else { "WRONG" };
    format!(
        "shard {shard:4} {verdict:5} epoch {epoch}, {segments} segments, {rows} rows, {tables} tables, {open_hands} open hands, \
         {events} events, {snapshots} snapshots compared; chips: {chips_in} in - {chips_out} out = {on_tables} on tables + {rake} rake"
    )
}

fn say(summary: &Summary, json: bool) -> anyhow::Result<()> {
    if json {
        println!("{}", serde_json::to_string(summary)?);
        return Ok(());
    }
    let Summary {
        shards,
        rows,
        tables,
        open_hands,
        chips_in,
        chips_out,
        on_tables,
        rake,
        archived_hands,
        sessions,
        decks_opened,
        decks_closed,
        flaws,
        unread,
        ..
    } = summary;
    let verdict = if summary.sound() {
        "sound".to_owned()
    } else {
        format!("NOT SOUND, {flaws} wrong, {unread} not read")
    };
    let decks = if *decks_closed == 0 {
        format!("{decks_opened} decks opened")
    } else {
        format!("{decks_opened} decks opened, {decks_closed} left closed for want of a key")
    };
    println!(
        "{verdict}: {shards} shards, {rows} rows, {tables} tables, {open_hands} open hands, {archived_hands} archived hands, \
         {sessions} sessions, {decks}; chips: {chips_in} in - {chips_out} out = {on_tables} on tables + {rake} rake"
    );
    Ok(())
}

/// A line on the error output each second, for whoever waits.
struct Progress {
    verb: &'static str,
    last: Instant,
}

impl Progress {
    fn of(verb: &'static str) -> Self {
        let last = Instant::now();
        Self { verb, last }
    }

    fn tell(&mut self, so_far: &Contents) {
        if self.last.elapsed() < PROGRESS_EVERY {
            return;
        }
        self.last = Instant::now();
        let Contents {
            shards,
            rows,
            hands,
            sessions,
            bytes,
            ..
        } = so_far;
        eprintln!(
            "{} {shards} shards, {rows} rows, {hands} archived hands, {sessions} sessions, {bytes} bytes",
            self.verb
        );
    }
}

const PROGRESS_EVERY: Duration = Duration::from_secs(1);
