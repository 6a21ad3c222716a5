//! `orp completions`.

use std::io;
use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::{Shell, generate};

use super::Cli;

/// Prints a completion script: `orp completions bash > ~/.local/share/bash-completion/completions/orp`.
#[derive(Debug, clap::Args)]
pub struct CompletionsArgs {
    /// Which shell.
    shell: Shell,
}

pub(super) fn run(args: &CompletionsArgs) -> anyhow::Result<ExitCode> {
    generate(args.shell, &mut Cli::command(), "orp", &mut io::stdout());
    Ok(ExitCode::SUCCESS)
}
