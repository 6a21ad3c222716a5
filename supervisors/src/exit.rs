//! Why a child ended, as far as ractor lets a supervisor see it.

use ractor::ActorProcessingErr;

/// The stop reason that a supervisor gives to its children. A child that stops itself with this text counts as [`ExitReason::Shutdown`].
pub const SHUTDOWN: &str = "shutdown";

/// What ractor writes when a signal ended the actor.
const RACTOR_KILLED: &str = "killed";
/// What ractor writes when the actor's task was aborted or its runtime went away.
const RACTOR_CANCELLED: &str = "actor_task_cancelled";

/// Why a child ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExitReason {
    /// It stopped by itself, or somebody else than its supervisor stopped or drained it.
    Normal,
    /// It stopped because its supervisor asked it to, within its time.
    Shutdown,
    /// It was killed: by its supervisor after the time-out, or by anybody else.
    Killed,
    /// Its code panicked. ractor hands a panic on as a plain text, so an actor that returns `Err("text".into())` is
    /// reported here too; return an error type of your own to be told apart. Both are abnormal.
    Panicked(String),
    /// Its code returned an error.
    Failed(String),
    /// A restart did not come up: the start function failed, panicked or took too long.
    StartFailed(String),
}

impl ExitReason {
    /// Whether a transient child that ends like this has done its work (OTP: `normal`, `shutdown`, `{shutdown, _}`).
    pub fn is_normal(&self) -> bool {
        match self {
            Self::Normal | Self::Shutdown => true,
            Self::Killed | Self::Panicked(_) | Self::Failed(_) | Self::StartFailed(_) => false,
        }
    }

    /// The reason behind a ractor `ActorTerminated` event.
    pub(crate) fn of_termination(reason: Option<&str>) -> Self {
        match reason {
            Some(RACTOR_KILLED | RACTOR_CANCELLED) => Self::Killed,
            Some(SHUTDOWN) => Self::Shutdown,
            Some(_) | None => Self::Normal,
        }
    }

    /// The reason behind a ractor `ActorFailed` event.
    pub(crate) fn of_failure(error: &ActorProcessingErr) -> Self {
        let text = error.to_string();
        // ractor turns a panic into a boxed string, whose `Debug` is its text in quotes; an error type's own is not.
        if format!("{error:?}") == format!("{text:?}") {
            Self::Panicked(text)
        } else {
            Self::Failed(text)
        }
    }
}

impl std::fmt::Display for ExitReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Normal => f.write_str("normal"),
            Self::Shutdown => f.write_str("shutdown"),
            Self::Killed => f.write_str("killed"),
            Self::Panicked(text) => write!(f, "panicked: {text}"),
            Self::Failed(text) => write!(f, "failed: {text}"),
            Self::StartFailed(text) => write!(f, "start failed: {text}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ExitReason;

    #[derive(Debug, thiserror::Error)]
    #[error("disk full")]
    struct DiskFull;

    #[test]
    fn terminations() {
        let cases = [
            (None, ExitReason::Normal),
            (Some("Drained"), ExitReason::Normal),
            (Some("done for today"), ExitReason::Normal),
            (Some("shutdown"), ExitReason::Shutdown),
            (Some("killed"), ExitReason::Killed),
            (Some("actor_task_cancelled"), ExitReason::Killed),
        ];
        for (text, expected) in cases {
            assert_eq!(ExitReason::of_termination(text), expected, "{text:?}");
        }
    }

    #[test]
    fn failures() {
        assert_eq!(
            ExitReason::of_failure(&"boom".into()),
            ExitReason::Panicked("boom".into())
        );
        assert_eq!(
            ExitReason::of_failure(&DiskFull.into()),
            ExitReason::Failed("disk full".into())
        );
    }

    #[test]
    fn only_a_stop_is_normal() {
        let cases = [
            (ExitReason::Normal, true),
            (ExitReason::Shutdown, true),
            (ExitReason::Killed, false),
            (ExitReason::Panicked(String::new()), false),
            (ExitReason::Failed(String::new()), false),
            (ExitReason::StartFailed(String::new()), false),
        ];
        for (reason, expected) in cases {
            assert_eq!(reason.is_normal(), expected, "{reason:?}");
        }
    }
}
