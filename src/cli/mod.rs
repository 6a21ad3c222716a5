//! The commands of `orp`: one file each. Nothing here knows the transport.

mod admin;
mod bots;
mod certs;
mod completions;
mod connect;
mod dev;
mod dev_cluster;
mod exit;
mod game;
mod hand;
mod keep;
pub mod phh;
mod play;
mod say;
mod schema;
pub mod serve;
mod table;

#[cfg(test)]
mod tests;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use exit::Failure;

/// A poker server that cannot lose a chip, and everything to play on it.
#[derive(Debug, Parser)]
#[command(name = "orp", version, after_help = AFTER_HELP, propagate_version = true, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a server.
    Serve(serve::ServeArgs),
    /// Run a server for trying things out: a table to play at, and bots at it.
    Dev(dev::DevArgs),
    /// Sit down and play, line by line.
    Play(play::PlayArgs),
    /// Let bots play, and check every promise of the server while they do.
    Bots(bots::BotsArgs),
    /// List and make tables.
    Table(table::TableArgs),
    /// Look at finished hands.
    Hand(hand::HandArgs),
    /// Hand histories as files: check them against the rules, write them.
    Phh(phh::PhhArgs),
    /// Operate a server, over its ops address.
    Admin(admin::AdminArgs),
    /// Print a completion script for a shell.
    Completions(completions::CompletionsArgs),
}

/// Runs what the command line says. The exit code is told by `orp --help`.
pub fn run() -> ExitCode {
    end_with_the_reader();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are asked for; anything else is a wrong command line. Nobody is left to tell about a
            // closed terminal.
            let code = if error.use_stderr() {
                exit::USAGE
            } else {
                exit::OK
            };
            drop(error.print());
            return ExitCode::from(code);
        }
    };
    match dispatch(cli.command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("orp: {error:#}");
            ExitCode::from(exit::code(&error))
        }
    }
}

fn dispatch(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve(args) => block_on(serve::run(args)),
        Command::Dev(args) => block_on(dev::run(args)),
        Command::Phh(args) => block_on(phh::run(args)),
        Command::Play(args) => block_on(play::run(args)),
        Command::Bots(args) => block_on(bots::run(args)),
        Command::Table(args) => block_on(table::run(args)),
        Command::Hand(args) => block_on(hand::run(args)),
        Command::Admin(args) => block_on(admin::run(args)),
        Command::Completions(args) => completions::run(&args),
    }
}

/// A reader of our output that went away (`orp hand list | head`) ends the program quietly, as it ends others.
fn end_with_the_reader() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if crate::telemetry::panic_text(panic).starts_with("failed printing to stdout") {
            std::process::exit(i32::from(exit::OK));
        }
        usual(panic);
    }));
}

fn block_on(work: impl Future<Output = anyhow::Result<ExitCode>>) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(work)
}

const AFTER_HELP: &str = "\
Examples:
  orp dev                                   a server with a table and bots
  orp play --name Ann                       play at a table of a server on this machine
  orp bots --tables 100 --bots 6 --hands 10000 --json
  orp hand show TABLE 17

Exit codes:
  0  done
  1  failed; for bots: a promise was broken
  2  wrong command line
  3  no server answers
  4  the server refused
  5  no answer in time: it may have happened or not";
