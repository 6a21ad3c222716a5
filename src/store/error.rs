//! Why a statement has no answer. The line that matters runs between [`StoreError::Unknown`] and all the others.

use std::fmt;

use super::segment::SegmentId;

/// The statements of a [`Store`](super::Store), as errors, traces and fault scripts name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "each is the method of that name")]
pub enum Statement {
    Cluster,
    CreateCluster,
    RaiseFeatureLevel,
    Shard,
    WinEpoch,
    SetTail,
    AdvanceLow,
    CreateSegment,
    Append,
    Seal,
    Segment,
    ReadRows,
    DeleteRows,
    ArchiveHands,
    Hand,
    HandsOfTable,
    HandsOfPlayer,
    PutSession,
    Session,
    ScanHands,
    ScanSessions,
    ForgetHands,
    PutBeat,
    Beats,
}

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cluster => "read cluster record",
            Self::CreateCluster => "create cluster record",
            Self::RaiseFeatureLevel => "raise feature level",
            Self::Shard => "read shard",
            Self::WinEpoch => "win epoch",
            Self::SetTail => "set tail",
            Self::AdvanceLow => "advance low",
            Self::CreateSegment => "create segment",
            Self::Append => "append",
            Self::Seal => "seal segment",
            Self::Segment => "read segment",
            Self::ReadRows => "read rows",
            Self::DeleteRows => "delete rows",
            Self::ArchiveHands => "archive hands",
            Self::Hand => "read hand",
            Self::HandsOfTable => "list hands of table",
            Self::HandsOfPlayer => "list hands of player",
            Self::PutSession => "write session",
            Self::Session => "read session",
            Self::ScanHands => "scan hands",
            Self::ScanSessions => "scan sessions",
            Self::ForgetHands => "forget hands",
            Self::PutBeat => "write beat",
            Self::Beats => "read beats",
        })
    }
}

/// The error that a driver or the operating system gave.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a statement has no answer.
///
/// Every variant but [`StoreError::Unknown`] promises: the statement was not applied and never will be.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It may have been applied, may be applied later, or never: a time-out, a lost connection, a failed commit.
    #[error("{statement}: outcome unknown")]
    Unknown {
        /// Which statement.
        statement: Statement,
        /// What was seen instead of an answer.
        source: Cause,
    },
    /// Not applied: the store could not be reached or had no quorum. Trying again may help.
    #[error("{statement}: store unavailable")]
    Unavailable {
        /// Which statement.
        statement: Statement,
        /// What the store said.
        source: Cause,
    },
    /// Not applied: too much is waiting already. Trying again later may help.
    #[error("{statement}: store overloaded, {waiting} statements waiting")]
    Overloaded {
        /// Which statement.
        statement: Statement,
        /// How many wait; the queue's limit.
        waiting: usize,
    },
    /// Not applied: no space is left where the store keeps its files. Frees itself when an operator makes space.
    #[error("{statement}: no space left in {place}: free some space, nothing is lost")]
    Full {
        /// Which statement.
        statement: Statement,
        /// The database's path or address.
        place: String,
    },
    /// Not applied: larger than the store takes.
    #[error("{statement}: {bytes} bytes, at most {limit} are taken")]
    TooLarge {
        /// Which statement.
        statement: Statement,
        /// Its size.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// Not applied: what the store holds cannot be what was written.
    #[error("{statement}: corrupt store: {finding}")]
    Corrupt {
        /// Which statement.
        statement: Statement,
        /// What was found, and what an operator can do.
        finding: String,
    },
    /// Not applied: a segment has as many rows as it can number.
    #[error("segment {segment} is full")]
    SegmentFull {
        /// Which segment.
        segment: SegmentId,
    },
    /// Not applied: the store was closed, or closed itself after a failure it cannot judge.
    #[error("{statement}: store closed: {reason}")]
    Closed {
        /// Which statement.
        statement: Statement,
        /// Why.
        reason: String,
    },
}

impl StoreError {
    /// Whether the statement may have been applied, or may be applied later.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown { .. })
    }

    /// Whether the same statement may succeed when it is tried again in a moment.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unknown { .. } | Self::Unavailable { .. } | Self::Overloaded { .. } => true,
            Self::Full { .. }
            | Self::TooLarge { .. }
            | Self::Corrupt { .. }
            | Self::SegmentFull { .. }
            | Self::Closed { .. } => false,
        }
    }
}
