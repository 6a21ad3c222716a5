//! What a watcher of a table receives.
//!
//! One frame for each table event and each viewer, in order, its sequence the
//! table's event number (promise P8). A watcher has a bounded queue; a table
//! never waits for it.

use std::sync::Arc;

use engine::{Legal, OwnCards, SeatNo, eval::Made};
use tokio::sync::mpsc;

use super::{
    request::{Position, TableView},
    state::Stamped,
};
use crate::ids::TableId;

/// One frame on a session's stream.
#[derive(Clone)]
pub enum Frame {
    /// The whole table, as this viewer may see it.
    Snapshot(Box<TableView>),
    /// One event of the table's log.
    Event(EventFrame),
    /// The frames asked for are no longer kept; a snapshot follows.
    Reset {
        /// The table.
        table: TableId,
        /// Why.
        reason: ResetReason,
    },
}

/// One event as one viewer may see it.
#[derive(Clone)]
pub struct EventFrame {
    /// The table.
    pub table: TableId,
    /// Position after this event.
    pub position: Position,
    /// When the owner recorded it, milliseconds since 1970.
    pub at_ms: u64,
    /// What of it this viewer may see.
    pub sight: Sight,
}

/// What a viewer sees of one event.
#[derive(Clone)]
pub enum Sight {
    /// A public fact; the same for everybody.
    Public(Arc<Stamped>),
    /// A pot was paid out: the fact, with what the winners hold.
    Won {
        /// The fact.
        stamped: Arc<Stamped>,
        /// In the order of the shares; nothing of who did not turn his cards up.
        hands: Box<[Option<Made>]>,
    },
    /// Players are asked, and a clock runs for their answers.
    Timed {
        /// The fact.
        stamped: Arc<Stamped>,
        /// How long the clock runs, in milliseconds.
        clock_ms: u32,
    },
    /// A turn began: the fact, with what the player to act may do.
    Turn {
        /// The legal actions with their bounds.
        legal: Legal,
        /// The base clock, in milliseconds.
        action_ms: u32,
        /// The player's time bank, in milliseconds.
        bank_ms: u32,
    },
    /// The viewer's own cards.
    Own {
        /// The viewer's seat.
        seat: SeatNo,
        /// The cards.
        cards: OwnCards,
    },
    /// Something this viewer may not see happened.
    Hidden,
}

/// Why a stream of a table starts again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResetReason {
    /// The events asked for are no longer kept.
    Compacted,
    /// The reader was too slow.
    Slow,
    /// There is no such table.
    UnknownTable,
}

impl ResetReason {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Compacted => "compacted",
            Self::Slow => "slow",
            Self::UnknownTable => "unknown_table",
        }
    }
}

/// The sending end of a session's queue: bounded, never waited for.
pub type FrameSender = mpsc::Sender<Frame>;

/// Names one watch of one session at a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WatcherId(pub u64);
