//! What a check finds wrong, and where.

use std::fmt;

use engine::{Broken, HandNo, SettingsError};

use crate::{
    ids::{Seq, ShardId, TableId},
    store::{
        SegmentKey,
        log::{Corruption, Finding},
    },
    table::{codec::CodecError, seal::SealError},
};

/// Something that cannot be what was written, and where it is.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {what}")]
pub struct Flaw {
    /// Where.
    pub place: Place,
    /// What.
    pub what: Wrong,
}

/// A place in a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a shard's log.
    Log {
        /// The shard.
        shard: ShardId,
        /// The segment.
        segment: SegmentKey,
        /// The row, or how many rows there are.
        row: u64,
    },
    /// In the archive.
    Hand {
        /// The table.
        table: TableId,
        /// The hand.
        hand: HandNo,
    },
    /// The cluster's record.
    Cluster,
}

/// What is wrong there.
#[derive(Debug, thiserror::Error)]
pub enum Wrong {
    /// The chain of rows and segments does not hold.
    #[error("{0}")]
    Log(Finding),
    /// A row or a hand is whole and does not read.
    #[error("{0}")]
    Unreadable(CodecError),
    /// A deck does not open: altered, moved, or its key is missing.
    #[error("table {table}: {cause}")]
    Deck {
        /// Whose.
        table: TableId,
        /// Why.
        cause: SealError,
    },
    /// A table is opened although it is there.
    #[error("table {0} is opened twice")]
    OpenedTwice(TableId),
    /// A table goes on although it is not there.
    #[error("table {0} goes on without having been opened")]
    NotOpened(TableId),
    /// A table is opened with settings that cannot be.
    #[error("table {table} is opened with settings that cannot be: {cause}")]
    Settings {
        /// Which.
        table: TableId,
        /// Why.
        cause: SettingsError,
    },
    /// Events are missing, doubled or out of order.
    #[error("table {table} goes on with event {found} after event {last}")]
    Gap {
        /// Which.
        table: TableId,
        /// The last event before.
        last: Seq,
        /// The one that follows.
        found: Seq,
    },
    /// A table's log is in a shard that it does not hash to.
    #[error("table {table} belongs to shard {home}")]
    Astray {
        /// Which.
        table: TableId,
        /// Its shard.
        home: ShardId,
    },
    /// A snapshot is not what the events before it amount to.
    #[error("the snapshot of table {table} at event {seq} is not what its events amount to")]
    Snapshot {
        /// Which.
        table: TableId,
        /// Where the snapshot says the table is.
        seq: Seq,
    },
    /// A complete checkpoint forgets a table.
    #[error("the checkpoint forgets table {0}")]
    Forgotten(TableId),
    /// A table breaks an invariant: chips appeared or vanished, a card is in two places.
    #[error("table {table} at event {seq}: {cause}")]
    Broken {
        /// Which.
        table: TableId,
        /// Its last event.
        seq: Seq,
        /// What is broken.
        cause: Broken,
    },
    /// A hand whose log is pruned is not in the archive.
    #[error("the hand is not in the archive, and its log is pruned")]
    HandMissing,
    /// The archive has a hand that its table's log has not.
    #[error("the archive has the hand, and its table's log ends with hand {0}")]
    HandAhead(HandNo),
    /// The archive has hands of a table that no log knows.
    #[error("the archive has the hand, and no log has its table")]
    TableUnknown,
    /// A hand's body is not what its name says.
    #[error("the archived hand is another one: its {0} differs")]
    HandDiffers(&'static str),
    /// A restore or a migration did not end.
    #[error("the store is half filled: a restore or a migration into it did not end")]
    HalfFilled,
    /// More of the kind than are worth a line each.
    #[error("and {0} more")]
    More(u64),
}

impl From<Corruption> for Flaw {
    fn from(damage: Corruption) -> Self {
        Self {
            place: Place::Log {
                shard: damage.segment.shard,
                segment: damage.segment.key,
                row: damage.n,
            },
            what: Wrong::Log(damage.finding),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Log {
                shard,
                segment,
                row,
            } => write!(f, "shard {shard}, segment {segment}, row {row}"),
            Self::Hand { table, hand } => write!(f, "archive, table {table}, hand {hand}"),
            Self::Cluster => f.write_str("cluster record"),
        }
    }
}
