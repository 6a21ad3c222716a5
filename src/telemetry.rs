//! Log lines: lower case, without a full stop, with facts as fields.

use std::io::IsTerminal as _;

use tracing_subscriber::{EnvFilter, filter::ParseError, fmt};

use crate::config::{Log, LogFormat};

/// Why there are no log lines.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The level is none.
    #[error("`log.level`: {0}; write error, warn, info, debug or trace")]
    Level(#[from] ParseError),
    /// Something else in this process logs already.
    #[error("log lines are set up twice: {0}")]
    Twice(Box<dyn std::error::Error + Send + Sync>),
}

/// Sends log lines to standard error, so that standard output is for answers.
///
/// # Errors
/// When the level is none, or it was called before.
pub fn init(log: &Log) -> Result<(), TelemetryError> {
    let lines = fmt()
        .with_env_filter(EnvFilter::try_new(&log.level)?)
        .with_writer(std::io::stderr);
    let set = match log.format {
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    set.map_err(TelemetryError::Twice)?;
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        let text = panic.payload_as_str().unwrap_or("a panic without a text");
        tracing::error!(%place, text, "panic");
    }));
    Ok(())
}
