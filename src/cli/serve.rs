//! `orp serve`: a node, until it is asked to stop.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Context as _;
use supervisors::ExitReason;
use tokio::signal::unix::{SignalKind, signal};

use crate::{config::Config, telemetry, tree};

/// Runs a node of the server until SIGTERM or SIGINT, then lets it drain.
#[derive(Debug, clap::Args)]
pub struct ServeArgs {
    /// The configuration; without one the defaults (see --print-defaults).
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Another node to begin with; may be given several times, and makes this a node of a cluster.
    #[arg(long, value_name = "HOST:PORT")]
    pub seed_peer: Vec<String>,
    /// Prints the default configuration with an explanation of every knob.
    #[arg(long)]
    pub print_defaults: bool,
    /// Reads the configuration and says whether it is sound; starts nothing.
    #[arg(long)]
    pub check: bool,
}

/// Runs it.
///
/// # Errors
/// When the configuration is refused or the node does not start.
pub async fn run(args: ServeArgs) -> anyhow::Result<ExitCode> {
    if args.print_defaults {
        print!("{}", crate::config::DEFAULT);
        return Ok(ExitCode::SUCCESS);
    }
    let config = Config::load(args.config.as_deref())?.with_seeds(args.seed_peer)?;
    if args.check {
        println!("the configuration is sound");
        return Ok(ExitCode::SUCCESS);
    }
    telemetry::init(&config.log)?;
    let node = tree::start(&config).await?;
    println!(
        "players connect to {}, operators to {}",
        node.grpc, node.ops
    );
    if let Some(nodes) = node.nodes {
        println!("other nodes connect to {nodes}");
    }
    node.ready().await;
    println!("ready");
    until_stopped(&node).await
}

/// Waits for a signal or the node's own end.
///
/// # Errors
/// When the node gave up.
pub async fn until_stopped(node: &tree::Node) -> anyhow::Result<ExitCode> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for SIGINT")?;
    tokio::select! {
        reason = node.ended() => return gave_up(&reason),
        _ = terminate.recv() => tracing::info!("SIGTERM: draining"),
        _ = interrupt.recv() => tracing::info!("SIGINT: draining"),
    }
    match node.stop().await {
        ExitReason::Shutdown | ExitReason::Normal => Ok(ExitCode::SUCCESS),
        reason @ (ExitReason::Killed
        | ExitReason::Panicked(_)
        | ExitReason::Failed(_)
        | ExitReason::StartFailed(_)) => gave_up(&reason),
    }
}

fn gave_up(reason: &ExitReason) -> anyhow::Result<ExitCode> {
    Err(anyhow::anyhow!(
        "the node gave up ({reason}); what it acknowledged is safe; start it again"
    ))
}
