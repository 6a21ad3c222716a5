//! The `orp` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    openrustpoker::cli::run()
}
