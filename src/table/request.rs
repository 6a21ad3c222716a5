//! What is asked of a table, and what it answers.
//!
//! An answer is one of three things, and the difference is promise P3: done
//! (durable), refused (never happens later), or unknown (ask again with the
//! same request id).

use std::{sync::Arc, time::Duration};

use engine::{Action, HandNo, PlayerId, Reject, SeatNo, Settings, Turn, View};
use tokio::time::Instant;

use crate::ids::{Epoch, Seq, TableId};

/// Where in a table's log an answer stands. A client drops the lower of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The epoch of the owner that answers.
    pub epoch: Epoch,
    /// The table's event number.
    pub seq: Seq,
}

/// A player's request: everything that changes a table comes as one of these.
#[derive(Clone, Debug)]
pub struct Request {
    /// Who asks; proven by the session.
    pub player: PlayerId,
    /// Rises with each new request of this player at this table.
    pub id: u64,
    /// False when an earlier attempt with this id may have arrived.
    pub first_attempt: bool,
    /// What is wanted.
    pub order: Order,
    /// When the owner received it; the action clock is compared with this.
    pub received: Instant,
}

/// What a player may want of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Take a seat.
    Sit {
        /// Which; `None` takes the first empty one.
        seat: Option<SeatNo>,
        /// What the others call the player.
        name: Arc<str>,
        /// With how many chips.
        buy_in: u64,
        /// Post a blind to play at once, instead of waiting for it.
        post_now: bool,
    },
    /// Leave now, or after the hand.
    Leave,
    /// Add chips now, or after the hand.
    TopUp {
        /// How many.
        amount: u64,
    },
    /// Stop being dealt in.
    SitOut,
    /// Be dealt in again.
    SitIn {
        /// Post what is owed at once, instead of waiting for the blind.
        post_now: bool,
    },
    /// Straddle where the rules let one, or stop it.
    Straddle {
        /// Whether.
        on: bool,
    },
    /// Say whether the rest of the board is to be dealt twice.
    RunTwice {
        /// In which hand.
        hand: HandNo,
        /// The question's number.
        turn: Turn,
        /// Whether the player agrees.
        agree: bool,
    },
    /// Act in a hand.
    Act {
        /// Which hand.
        hand: HandNo,
        /// Which turn of it.
        turn: Turn,
        /// What to do.
        action: Action,
    },
}

/// The durable answer to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    /// The position after the request's events.
    pub position: Position,
    /// The seat of the player, while there is one.
    pub seat: Option<SeatNo>,
}

/// Why a call was not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// A named rule forbids it; it never happens later.
    #[error("{text}")]
    Refused {
        /// The rule's name, as clients match it: `RaiseBelowMinimum`.
        rule: &'static str,
        /// What a person reads.
        text: String,
    },
    /// The rules of the game forbid it, with the bounds that would have been legal; it never happens later.
    #[error("{0}")]
    Rejected(Reject),
    /// There is no table with this id.
    #[error("there is no table {0}")]
    NoSuchTable(TableId),
    /// Not decided yet, or nobody can tell: ask again with the same request id.
    #[error("the outcome is not known yet; ask again with the same request id")]
    Unknown {
        /// When to ask again.
        retry_after: Duration,
    },
    /// Not taken in: the shard is starting, or its queue is full. Nothing happened.
    #[error("the table cannot answer now ({reason}); try again")]
    Busy {
        /// What it waits for.
        reason: &'static str,
        /// When to try again.
        retry_after: Duration,
    },
    /// The table's shard is served by another node, or by none at this moment. An attempt that was on its way when the
    /// shard left may have been done.
    #[error("the table is served by another node; ask again with the same request id")]
    Elsewhere,
    /// The table is parked until an operator looks at it. Its chips are safe. An earlier attempt of the request may have
    /// been done before.
    #[error("the table is parked until an operator looks at it; its chips are safe")]
    Parked,
}

/// A table as one viewer may see it.
#[derive(Clone, Debug)]
pub struct TableView {
    /// The table.
    pub table: TableId,
    /// Its name.
    pub name: Arc<str>,
    /// Where in the log this stands.
    pub position: Position,
    /// What the engine lets this viewer see.
    pub view: View,
    /// What is left of the current turn's base clock, when there is a turn.
    pub time_left: Option<Duration>,
    /// Parked: nobody acts until an operator resumes it.
    pub parked: bool,
}

/// A line of the table list.
#[derive(Clone, Debug)]
pub struct Summary {
    /// The table.
    pub table: TableId,
    /// Its name.
    pub name: Arc<str>,
    /// What it plays.
    pub settings: Arc<Settings>,
    /// Seats taken.
    pub players: u8,
    /// Number of the current or last hand.
    pub hand: HandNo,
}

impl CallError {
    /// A request with a higher id was answered before: this copy changes nothing, now or
    /// later. An earlier copy of it may have been done before that.
    pub fn stale_request() -> Self {
        Self::Refused {
            rule: "StaleRequest",
            text: "a request with a higher id was answered before".into(),
        }
    }

    /// This request was refused before, by an owner whose words are not kept.
    pub fn refused_before() -> Self {
        Self::Refused {
            rule: "RefusedBefore",
            text: "this request was refused before".into(),
        }
    }

    /// The table, or its shard, is on its way up.
    pub fn starting() -> Self {
        Self::Busy {
            reason: "it is starting",
            retry_after: Duration::from_millis(100),
        }
    }
}
