//! Exit codes, and what an error means for them.

use crate::client::{CallError, SessionError, bots::BotsError};

/// All is done.
pub const OK: u8 = 0;
/// It did not work; for `bots`, a promise was broken.
pub const FAILED: u8 = 1;
/// The command line is wrong.
pub const USAGE: u8 = 2;
/// No server answers.
pub const UNREACHABLE: u8 = 3;
/// The server refused.
pub const REFUSED: u8 = 4;
/// No answer came in time.
pub const UNKNOWN: u8 = 5;

/// What a command finds wrong by itself.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// There is nothing to choose from.
    #[error("no table has an empty seat; make one: orp table create")]
    NoTable,
    /// The input ended before a table was chosen.
    #[error("no table was chosen")]
    NotChosen,
    /// There is no session yet, and the command is about one.
    #[error("nobody has played from here yet: {0} does not exist")]
    NoSession(String),
    /// Where to keep the session is not known.
    #[error("neither --session nor XDG_STATE_HOME nor HOME says where the session is kept")]
    NoStateDirectory,
    /// The server ends the player's stream.
    #[error("the server shows nothing any more: {0}")]
    Over(String),
}

/// The exit code of an error.
pub fn code(error: &anyhow::Error) -> u8 {
    let call = error.chain().find_map(|cause| {
        let by_session = cause.downcast_ref::<SessionError>().and_then(of_session);
        let by_bots = cause.downcast_ref::<BotsError>().and_then(of_bots);
        cause.downcast_ref::<CallError>().or(by_session).or(by_bots)
    });
    match call {
        Some(CallError::Unreachable { .. }) => UNREACHABLE,
        Some(CallError::Refused(_)) => REFUSED,
        Some(CallError::Unknown { .. }) => UNKNOWN,
        Some(CallError::Malformed(_)) | None => FAILED,
    }
}

/// A transparent error hides its cause from the chain.
fn of_session(error: &SessionError) -> Option<&CallError> {
    match error {
        SessionError::Call(error) => Some(error),
        SessionError::File { .. } | SessionError::Damaged { .. } | SessionError::Token => None,
    }
}

fn of_bots(error: &BotsError) -> Option<&CallError> {
    match error {
        BotsError::Call(error) => Some(error),
        BotsError::Session(error) => of_session(error),
        BotsError::Address(_) => None,
    }
}
