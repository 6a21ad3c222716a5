//! What a failed attempt means: refused, or unknown and to be asked again.

use std::error::Error;
use std::time::Duration;

use tonic::{Code, ConnectError, Status};
use tonic_types::StatusExt;

use super::error::Refusal;

/// The meaning of a status that is not OK.
pub(super) enum Verdict {
    /// Final.
    Refused(Refusal),
    /// Ask again, with the same request id.
    Again {
        /// When the server says so.
        after: Option<Duration>,
        /// What went wrong, for a person.
        reason: String,
        /// Whether the attempt may have reached a server.
        arrived: bool,
    },
}

/// Reads a status. `repeated` says that an earlier attempt may have arrived.
pub(super) fn judge(status: &Status, repeated: bool) -> Verdict {
    let details = status.get_error_details();
    let transient = match status.code() {
        Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled => true,
        // A broken connection comes as one of these; a refusal with one of these codes names its rule.
        Code::Unknown | Code::Internal | Code::Aborted | Code::ResourceExhausted => {
            details.retry_info().is_some() || details.error_info().is_none()
        }
        Code::Ok
        | Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::FailedPrecondition
        | Code::OutOfRange
        | Code::Unimplemented
        | Code::DataLoss
        | Code::Unauthenticated => false,
    };
    if transient {
        return Verdict::Again {
            after: details.retry_info().and_then(|info| info.retry_delay),
            reason: reason(status),
            arrived: !never_sent(status),
        };
    }
    let info = details.error_info();
    let rule = info
        .map(|info| info.reason.clone())
        .filter(|rule| !rule.is_empty());
    Verdict::Refused(Refusal {
        rule: rule.unwrap_or_else(|| format!("{:?}", status.code())),
        text: status.message().to_owned(),
        facts: info
            .map(|info| info.metadata.clone().into_iter().collect())
            .unwrap_or_default(),
        repeated,
    })
}

/// Whether there was no connection to send it on.
fn never_sent(status: &Status) -> bool {
    let mut cause = status.source();
    while let Some(error) = cause {
        if error.is::<ConnectError>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// The innermost cause is the one that says something: "connection refused".
fn reason(status: &Status) -> String {
    let mut text = status.message().to_owned();
    let mut cause = status.source();
    while let Some(error) = cause {
        text = error.to_string();
        cause = error.source();
    }
    if text.is_empty() {
        status.code().description().to_owned()
    } else {
        text
    }
}
