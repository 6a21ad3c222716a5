//! The `orp` binary.

use std::process::ExitCode;

use clap::Parser;
use openrustpoker::cli;

#[derive(Parser)]
enum Command {
    Serve(cli::serve::ServeArgs),
    Phh(cli::phh::PhhArgs),
}

fn main() -> ExitCode {
    let run = || -> anyhow::Result<ExitCode> {
        match Command::parse() {
            Command::Serve(args) => tokio::runtime::Runtime::new()?.block_on(cli::serve::run(args)),
            Command::Phh(args) => cli::phh::run(args),
        }
    };
    run().unwrap_or_else(|error| {
        eprintln!("orp: {error:#}");
        ExitCode::FAILURE
    })
}
