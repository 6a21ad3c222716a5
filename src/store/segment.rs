//! What a segment of a shard's log is made of: its name, its static part, its rows and the hash that chains them.

use std::fmt;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::ids::{Epoch, ShardId};

/// A segment within its shard. The order is the order along the chain: `(epoch, k)` rises from segment to segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentKey {
    /// The reign whose winner created the segment.
    pub epoch: Epoch,
    /// The segment's number within that reign, from 0; each rotation adds one.
    pub k: u32,
}

/// The name of a segment, and of the one partition that holds it. Never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentId {
    /// The shard whose log this is a part of.
    pub shard: ShardId,
    /// Its place within the shard.
    pub key: SegmentKey,
}

impl SegmentKey {
    /// The root of every shard's chain. It belongs to no reign: anyone may create it, with [`WriterToken::ROOT`], before the
    /// shard's row is first written; nobody appends to it; the first takeover seals it like any tail. So a chain has a
    /// first segment from the start, and "a missing segment at or above `low` is corruption" has no exception.
    pub const ROOT: Self = Self {
        epoch: Epoch(0),
        k: 0,
    };

    /// The first segment of a reign.
    pub const fn first_of(epoch: Epoch) -> Self {
        Self { epoch, k: 0 }
    }

    /// The segment that the same reign's next rotation begins; `None` once the numbers are used up.
    pub fn rotated(self) -> Option<Self> {
        Some(Self {
            epoch: self.epoch,
            k: self.k.checked_add(1)?,
        })
    }

    /// This segment of that shard.
    pub const fn of(self, shard: ShardId) -> SegmentId {
        SegmentId { shard, key: self }
    }
}

impl fmt::Display for SegmentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.epoch, self.k)
    }
}

impl fmt::Display for SegmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.shard, self.key)
    }
}

/// Names one incarnation of a writer: a process start, a restart, a takeover. Random, never used by another incarnation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WriterToken(pub [u8; 16]);

impl WriterToken {
    /// The writer of root segments: nobody, so that nobody's append applies there.
    pub const ROOT: Self = Self([0; 16]);
}

impl fmt::Debug for WriterToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WriterToken({:032x})", u128::from_be_bytes(self.0))
    }
}

/// A link of the hash chain.
///
/// - Row `n` of a segment has the hash SHA-256(prev ‖ n as eight big-endian bytes ‖ payload).
/// - `prev` is the hash of row `n − 1`; for row 0 it is the hash at the end of the segment before, and a segment without
///   rows passes on what it received.
/// - The chain begins, at the end of the root segment, with [`ChainHash::genesis`] of the shard.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChainHash(pub [u8; 32]);

impl ChainHash {
    /// What the static part of a segment without rows holds. Not a link: a new segment is created before the tail is
    /// sealed, when nobody can know yet what its first row will hash over.
    pub const EMPTY: Self = Self([0; 32]);

    /// The hash that a shard's very first row hashes over: SHA-256("openrustpoker log v1" ‖ shard, two big-endian bytes).
    pub fn genesis(shard: ShardId) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"openrustpoker log v1");
        hash.update(shard.0.to_be_bytes());
        Self(hash.finalize().into())
    }

    /// The hash of row `n` with these bytes, where `self` is the hash before it.
    pub fn then(self, n: u64, payload: &[u8]) -> Self {
        let mut hash = Sha256::new();
        hash.update(self.0);
        hash.update(n.to_be_bytes());
        hash.update(payload);
        Self(hash.finalize().into())
    }
}

impl fmt::Debug for ChainHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(f, "ChainHash({a:02x}{b:02x}{c:02x}{d:02x}…)")
    }
}

/// Who ended a segment, and where the chain goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seal {
    /// The incarnation that sealed.
    pub by: WriterToken,
    /// The next segment of the chain, in the same shard.
    pub next: SegmentKey,
}

/// The static part of a segment. Kept for ever, also when its rows are pruned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentState {
    /// The one incarnation that may append.
    pub writer: WriterToken,
    /// The number of the next row; frozen by the seal.
    pub next_n: u64,
    /// The hash of row `next_n − 1`, or [`ChainHash::EMPTY`]; frozen by the seal.
    pub last_hash: ChainHash,
    /// `None` while the segment is open.
    pub seal: Option<Seal>,
}

impl SegmentState {
    /// A segment as its creator writes it.
    pub const fn created_by(writer: WriterToken) -> Self {
        Self {
            writer,
            next_n: 0,
            last_hash: ChainHash::EMPTY,
            seal: None,
        }
    }
}

/// One row: one commit of many tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its number in the segment, from 0.
    pub n: u64,
    /// What the shard log wrote.
    pub payload: Bytes,
    /// CRC-32 (IEEE) of the payload, computed by the writer.
    pub crc: u32,
}

/// A conditional append, exactly as it will be repeated until an answer decides.
///
/// Applies if the segment's `writer`, `next_n = n` and `last_hash = expected_hash` hold and it is not sealed; then
/// writes row `n` and sets `next_n = n + 1`, `last_hash = new_hash`, in one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Append {
    /// Where.
    pub segment: SegmentId,
    /// The appending incarnation.
    pub writer: WriterToken,
    /// The row.
    pub row: Row,
    /// The `last_hash` that must stand there: [`ChainHash::EMPTY`] for row 0.
    pub expected_hash: ChainHash,
    /// The hash of the row.
    pub new_hash: ChainHash,
}

/// How much one read of rows may bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadLimit {
    /// At most this many rows.
    pub rows: u32,
    /// Stop after the row that reaches this many bytes of payload.
    pub bytes: u64,
}

/// A part of a segment, with its static part as of the same moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentChunk {
    /// The static part.
    pub state: SegmentState,
    /// Rows in rising order. Empty only if there is no row at or after the requested number.
    pub rows: Vec<Row>,
}
