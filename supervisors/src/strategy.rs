//! Which children a failure concerns, and what an exit asks for. Pure.

use std::ops::Range;

use crate::exit::ExitReason;
use crate::spec::Restart;

/// Which children are restarted together when one of them fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    /// Only the failed one.
    OneForOne,
    /// All of them.
    OneForAll,
    /// The failed one and those started after it.
    RestForOne,
}

impl Strategy {
    /// The positions (in start order, of `len` children) that must be down before the child at `failed` comes up again. They
    /// are stopped from the last to the first and started from the first to the last.
    pub fn affected(self, len: usize, failed: usize) -> Range<usize> {
        debug_assert!(failed < len, "the failed child is one of them");
        match self {
            Self::OneForOne => failed..failed + 1,
            Self::OneForAll => 0..len,
            Self::RestForOne => failed..len,
        }
    }
}

/// What a child's exit asks its supervisor to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterExit {
    /// Restart it, with the children that its supervisor's strategy names.
    Restart,
    /// Leave it down; its spec stays and `restart_child` may start it.
    Keep,
    /// Drop its spec.
    Remove,
}

impl Restart {
    /// What an exit, not caused by the supervisor, asks for.
    pub fn after_exit(self, reason: &ExitReason) -> AfterExit {
        match self {
            Self::Permanent => AfterExit::Restart,
            Self::Transient if reason.is_normal() => AfterExit::Keep,
            Self::Transient => AfterExit::Restart,
            Self::Temporary => AfterExit::Remove,
        }
    }

    /// What a stop by the supervisor itself asks for, when it stops the child along with a failed sibling.
    pub fn after_group_stop(self) -> AfterExit {
        match self {
            Self::Permanent | Self::Transient => AfterExit::Restart,
            Self::Temporary => AfterExit::Remove,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{AfterExit, Strategy};
    use crate::exit::ExitReason;
    use crate::spec::Restart;

    #[test]
    fn affected_children() {
        let cases = [
            (Strategy::OneForOne, 1, 0, 0..1),
            (Strategy::OneForOne, 3, 1, 1..2),
            (Strategy::OneForOne, 3, 2, 2..3),
            (Strategy::OneForAll, 1, 0, 0..1),
            (Strategy::OneForAll, 3, 1, 0..3),
            (Strategy::OneForAll, 3, 2, 0..3),
            (Strategy::RestForOne, 1, 0, 0..1),
            (Strategy::RestForOne, 3, 0, 0..3),
            (Strategy::RestForOne, 3, 1, 1..3),
            (Strategy::RestForOne, 3, 2, 2..3),
        ];
        for (strategy, len, failed, expected) in cases {
            assert_eq!(
                strategy.affected(len, failed),
                expected,
                "{strategy:?} {len} {failed}"
            );
        }
    }

    #[test]
    fn exits() {
        let (normal, shutdown) = (ExitReason::Normal, ExitReason::Shutdown);
        let abnormal = [
            ExitReason::Killed,
            ExitReason::Panicked("p".into()),
            ExitReason::Failed("f".into()),
            ExitReason::StartFailed("s".into()),
        ];
        for reason in [normal, shutdown] {
            assert_eq!(Restart::Permanent.after_exit(&reason), AfterExit::Restart);
            assert_eq!(Restart::Transient.after_exit(&reason), AfterExit::Keep);
            assert_eq!(Restart::Temporary.after_exit(&reason), AfterExit::Remove);
        }
        for reason in abnormal {
            assert_eq!(Restart::Permanent.after_exit(&reason), AfterExit::Restart);
            assert_eq!(Restart::Transient.after_exit(&reason), AfterExit::Restart);
            assert_eq!(Restart::Temporary.after_exit(&reason), AfterExit::Remove);
        }
    }

    #[test]
    fn a_group_stop_forgets_only_temporary_children() {
        assert_eq!(Restart::Permanent.after_group_stop(), AfterExit::Restart);
        assert_eq!(Restart::Transient.after_group_stop(), AfterExit::Restart);
        assert_eq!(Restart::Temporary.after_group_stop(), AfterExit::Remove);
    }
}
