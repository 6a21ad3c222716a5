//! `orp serve` and `orp dev`: their arguments, and where the server is started.

use std::path::PathBuf;
use std::process::ExitCode;

use super::exit::Failure;

/// Runs a server with the settings of a file.
#[derive(Debug, clap::Args)]
pub struct ServeArgs {
    /// The configuration; without it every knob has the default that config/default.yaml tells.
    #[arg(long, value_name = "FILE", env = "ORP_CONFIG")]
    pub config: Option<PathBuf>,
    /// Read the configuration, say what is wrong with it, and end.
    #[arg(long)]
    pub check: bool,
}

/// Runs a server on this machine that needs no configuration.
#[derive(Debug, clap::Args)]
pub struct DevArgs {
    /// The configuration; what it leaves out is as for development.
    #[arg(long, value_name = "FILE", env = "ORP_CONFIG")]
    pub config: Option<PathBuf>,
    /// Bots at the table.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(0..=9))]
    pub bots: u32,
}

/// Runs a server until it is told to stop.
pub(super) fn serve(args: ServeArgs) -> anyhow::Result<ExitCode> {
    drop(args);
    Err(Failure::NoServer.into())
}

/// Runs a server for trying things out.
pub(super) fn dev(args: DevArgs) -> anyhow::Result<ExitCode> {
    drop(args);
    Err(Failure::NoServer.into())
}
