//! What a store keeps beside the logs: the cluster's record, the shards' rows, the archive of hands, sessions.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::segment::SegmentKey;
use crate::ids::{Epoch, HandNo, PlayerId, ShardCount, TableId};

/// Where conditional statements are ordered. Never mixed within a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SerialDomain {
    /// All data centres together.
    Serial,
    /// One data centre, named.
    LocalSerial(String),
}

/// What was fixed when the cluster was created. A node configured otherwise refuses to start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterRecord {
    /// How many shards the tables hash to. Never changes.
    pub shards: ShardCount,
    /// Where conditional statements are ordered. Never changes.
    pub serial_domain: SerialDomain,
    /// The forms of events, snapshots and messages that may be written. Only rises.
    pub feature_level: u32,
}

impl ClusterRecord {
    /// The feature level of a store that a restore or a migration is filling: no release reads it, so no server serves
    /// what is there before all of it is.
    pub const HALF_FILLED: u32 = i32::MAX as u32;
}

/// A shard's row. Only `epoch` and `low` decide anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardRow {
    /// The last epoch that was won.
    pub epoch: Epoch,
    /// Who won it: a hint for routing, never a proof.
    pub owner: String,
    /// A segment of the chain, at or before its end: a hint where a takeover may begin to look for the tail.
    pub tail: SegmentKey,
    /// The first segment that recovery reads: the root, or one that begins with a complete checkpoint.
    pub low: SegmentKey,
}

/// A finished hand, as it is archived. Written once; writing it again changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandRecord {
    /// The table it was played at.
    pub table: TableId,
    /// Its number there.
    pub hand_no: HandNo,
    /// When it ended, in milliseconds since 1970, by the owner's clock: an order for lists, nothing else.
    pub ended_ms: u64,
    /// Who was dealt in.
    pub players: Vec<PlayerId>,
    /// The encoded hand, its private part sealed. Opaque here.
    pub body: Bytes,
}

impl HandRecord {
    /// How lists name this hand.
    pub fn name(&self) -> HandRef {
        HandRef {
            ended_ms: self.ended_ms,
            table: self.table,
            hand_no: self.hand_no,
        }
    }
}

/// One line of a list of hands, and the cursor that continues the list after it. Ordered by time, then by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct HandRef {
    /// When it ended, in milliseconds since 1970.
    pub ended_ms: u64,
    /// The table it was played at.
    pub table: TableId,
    /// Its number there.
    pub hand_no: HandNo,
}

/// SHA-256 of a session's token. The token itself is never stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenHash(pub [u8; 32]);

/// Whose session it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRecord {
    /// The player.
    pub player: PlayerId,
    /// The name to show.
    pub display_name: String,
    /// When the session began, in milliseconds since 1970.
    pub created_ms: u64,
}

/// A part of a scan over everything of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// What was found. May be empty although more follows.
    pub items: Vec<T>,
    /// Where the scan goes on; `None` when it has seen everything.
    pub next: Option<ScanCursor>,
}

/// Where a scan goes on. Opaque to everybody but the store and the statement that gave it; good for as long as that store
/// is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScanCursor(pub Bytes);

/// Names one life of a node's process: every start has a higher one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Incarnation(pub u64);

/// A sign of life. It says that somebody lives, never that somebody is dead, and it decides nothing about safety: see the
/// log protocol for what does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeBeat {
    /// The node's name.
    pub node: String,
    /// Which life of it.
    pub incarnation: Incarnation,
    /// A counter that this life raises: it lives where the counter moves between two looks, by the looker's own clock.
    pub beat: u64,
    /// Where other nodes reach it.
    pub address: String,
    /// The highest feature level that it reads; none if it does not say, as releases before the one that added this.
    pub reads: Option<u32>,
}
