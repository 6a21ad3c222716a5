//! The words of the protocol, as the code has them in `src/store/segment.rs`, without what no rule depends on.

use std::fmt::{self, Debug};
use std::hash::Hash;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// What differs between a model, which wants to be small, and a recorded run, which is real.
pub trait Words: Copy + Debug + Eq + Ord + Hash + Send + Sync + 'static {
    /// What a row carries for the tables.
    type Body: Copy + Debug + Eq + Ord + Hash + Send + Sync + Serialize + DeserializeOwned;
    /// A set of segments, in the order of the chain.
    type Keys: Keys + Serialize + DeserializeOwned;
    /// The rows of one segment.
    type Rows: Rows<Self>;
    /// What an owner reads the log into.
    type Fold: Fold<Self>;

    /// The hash of row `n`, where `previous` is the hash before it.
    fn link(previous: Link, n: u32, row: &Payload<Self>) -> Link;
}

/// A segment within its shard. `(epoch, k)` rises along the chain.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "(u32, u32)", into = "(u32, u32)")]
pub struct Key {
    /// The reign.
    pub epoch: u32,
    /// The number within it.
    pub k: u32,
}

impl Key {
    /// The root of every chain.
    pub const ROOT: Self = Self { epoch: 0, k: 0 };

    /// The first segment of a reign.
    pub const fn first_of(epoch: u32) -> Self {
        Self { epoch, k: 0 }
    }

    /// The segment after a rotation.
    pub const fn rotated(self) -> Self {
        Self {
            epoch: self.epoch,
            k: self.k + 1,
        }
    }
}

impl From<(u32, u32)> for Key {
    fn from((epoch, k): (u32, u32)) -> Self {
        Self { epoch, k }
    }
}

impl From<Key> for (u32, u32) {
    fn from(key: Key) -> Self {
        (key.epoch, key.k)
    }
}

impl Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.epoch, self.k)
    }
}

/// One incarnation of a writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Token(pub u64);

impl Token {
    /// The writer of root segments: nobody.
    pub const ROOT: Self = Self(0);
}

/// A link of the hash chain.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Link(pub u64);

impl Link {
    /// What the static part of a segment without rows holds.
    pub const EMPTY: Self = Self(0);
}

impl Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:04x}", self.0 & 0xffff)
    }
}

/// Who ended a segment, and where the chain goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Seal {
    /// The incarnation that sealed.
    pub by: Token,
    /// The next segment.
    pub next: Key,
}

/// The static part of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Fixed {
    /// The one incarnation that may append.
    pub writer: Token,
    /// The number of the next row; frozen by the seal.
    pub next_n: u32,
    /// The hash of the last row; frozen by the seal.
    pub last: Link,
    /// `None` while it is open.
    pub seal: Option<Seal>,
}

/// A shard's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ShardRow {
    /// The last epoch that was won.
    pub epoch: u32,
    /// A hint where the end of the chain may be.
    pub tail: Key,
    /// Where reading begins.
    pub low: Key,
}

/// What a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Kind<K> {
    /// A commit.
    Commit,
    /// A part of a checkpoint.
    Part,
    /// A checkpoint's last row, and the segments before it.
    End(K),
}

/// A row's content.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Payload<W: Words> {
    /// What it is.
    pub kind: Kind<W::Keys>,
    /// In row 0: the hash that it hashes over.
    pub previous: Option<Link>,
    /// What it carries.
    pub body: W::Body,
}

/// A statement on one shard.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(bound = "")]
#[allow(
    missing_docs,
    reason = "the fields are those of the store's methods of these names"
)]
pub enum Statement<W: Words> {
    /// SERIAL read of the shard's row.
    Shard,
    /// Conditional.
    WinEpoch { from: Option<u32>, to: u32 },
    /// Conditional.
    SetTail { epoch: u32, tail: Key },
    /// Conditional.
    AdvanceLow { from: Key, to: Key },
    /// Conditional.
    Create { segment: Key, writer: Token },
    /// Conditional.
    Append {
        segment: Key,
        writer: Token,
        n: u32,
        expected: Link,
        row: Payload<W>,
        link: Link,
    },
    /// Conditional.
    Seal { segment: Key, seal: Seal },
    /// SERIAL read of a segment's static part.
    Segment { segment: Key },
    /// SERIAL read of a segment's static part and of rows from this number on, as many as the store likes, one at least.
    Rows { segment: Key, from: u32 },
    /// Plain.
    DeleteRows { segment: Key },
}

/// The partition that a statement touches: the only thing whose changes have an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Partition {
    /// The shard's row.
    Shard,
    /// A segment.
    Segment(Key),
}

impl<W: Words> Statement<W> {
    /// The partition that it touches.
    pub fn partition(&self) -> Partition {
        match self {
            Self::Shard
            | Self::WinEpoch { .. }
            | Self::SetTail { .. }
            | Self::AdvanceLow { .. } => Partition::Shard,
            Self::Create { segment, .. }
            | Self::Append { segment, .. }
            | Self::Seal { segment, .. }
            | Self::Segment { segment }
            | Self::Rows { segment, .. }
            | Self::DeleteRows { segment } => Partition::Segment(*segment),
        }
    }

    /// Whether it only reads, so that it cannot be applied late.
    pub fn is_read(&self) -> bool {
        matches!(self, Self::Shard | Self::Segment { .. } | Self::Rows { .. })
    }
}

/// A segment's static part and its rows with their numbers, as of one moment.
pub type Chunk<W> = (Fixed, Vec<(u32, Payload<W>)>);

/// The values of a partition, as an answer gives them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(bound = "")]
#[allow(missing_docs, reason = "each says what it holds")]
pub enum Values<W: Words> {
    Shard(Option<ShardRow>),
    Segment(Option<Fixed>),
    Rows(Option<Chunk<W>>),
}

/// The answer of a statement.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(bound = "")]
pub enum Answer<W: Words> {
    /// The condition held, or there was none.
    Applied,
    /// The condition did not hold. These values stood there.
    NotApplied(Values<W>),
    /// What a read found.
    Read(Values<W>),
}

/// A set of segments, in the order of the chain.
pub trait Keys: Clone + Debug + Default + Eq + Ord + Hash + Send + Sync {
    /// Adds one at the end.
    fn push(&mut self, key: Key);
    /// Adds others at the end.
    fn extend(&mut self, others: &Self);
    /// Whether it is there.
    fn has(&self, key: Key) -> bool;
    /// The last one.
    fn last(&self) -> Option<Key>;
    /// Removes this one.
    fn remove(&mut self, key: Key);
    /// Removes the last one.
    fn pop(&mut self);
    /// Takes out those before this one.
    fn take_before(&mut self, key: Key) -> Self;
}

/// The rows of one segment.
pub trait Rows<W: Words>: Clone + Debug + Default + Eq + Hash + Send + Sync {
    /// One row.
    fn row(&self, n: u32) -> Option<&Payload<W>>;
    /// Writes one.
    fn write(&mut self, n: u32, row: Payload<W>);
    /// Deletes all.
    fn clear(&mut self);
}

/// What an owner reads the log into.
pub trait Fold<W: Words>: Clone + Debug + Default + Eq + Hash + Send + Sync {
    /// Forgets everything.
    fn begin(&mut self);
    /// The next row; `false` if it does not fold.
    fn row(&mut self, row: &Payload<W>) -> bool;
}
