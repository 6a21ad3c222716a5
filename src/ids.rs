//! Names of things: every id is its own type, so that a table is never looked up by a player's id.
//!
//! Ids carry no meaning beyond identity and order. The one exception is [`ShardId::of`], which says where a table lives;
//! its hash is written out here because changing it would lose every table of an existing cluster.

use std::fmt;
use std::num::{NonZeroU16, ParseIntError};
use std::str::FromStr;

pub use engine::{HandNo, PlayerId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A 128-bit id: shown and parsed as a UUID, stored as sixteen big-endian bytes.
macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u128);

        impl $name {
            /// The sixteen bytes that stores keep, big-endian, so that byte order is id order.
            pub const fn to_bytes(self) -> [u8; 16] {
                self.0.to_be_bytes()
            }

            /// The id that [`Self::to_bytes`] wrote.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(u128::from_be_bytes(bytes))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                Uuid::from_u128(self.0).hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::from_str(text).map(|id| Self(id.as_u128()))
            }
        }
    };
}

/// A number that only grows: shown and parsed in decimal.
macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident($int:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $int);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = ParseIntError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

uuid_id! {
    /// A table, for ever: never given to another table.
    TableId
}
number_id! {
    /// The number of an event at its table, from 1, without gaps; also the sequence of the frames that clients see.
    Seq(u64)
}
number_id! {
    /// A reign over a shard. Won by one conditional update, never shared, only rising.
    Epoch(u64)
}
number_id! {
    /// One of the cluster's shards, from 0.
    ShardId(u16)
}

/// How many shards a cluster has. Fixed when the cluster is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ShardCount(pub NonZeroU16);

impl ShardCount {
    /// `None` for zero.
    pub const fn new(shards: u16) -> Option<Self> {
        match NonZeroU16::new(shards) {
            Some(shards) => Some(Self(shards)),
            None => None,
        }
    }

    /// The number itself, at least 1.
    pub const fn value(self) -> u16 {
        self.0.get()
    }

    /// Every shard, in order.
    pub fn shards(self) -> impl Iterator<Item = ShardId> {
        (0..self.value()).map(ShardId)
    }
}

impl fmt::Display for ShardCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl ShardId {
    /// The shard where a table's log lives: a hash of all 128 bits, modulo the number of shards.
    ///
    /// The hash is SplitMix64's finisher over both halves of the id. It must never change (a test pins values): ids are
    /// UUIDs of version 4 or 7, and the finisher spreads the latter, whose first bits are a clock, as evenly as the former.
    pub const fn of(table: TableId, shards: ShardCount) -> Self {
        let high = (table.0 >> 64) as u64;
        let low = table.0 as u64;
        let hash = finish(finish(high) ^ low);
        Self((hash % shards.value() as u64) as u16)
    }
}

/// The finisher of SplitMix64 (Steele, Lea, Flood 2014).
const fn finish(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(n: u16) -> ShardCount {
        ShardCount::new(n).expect("the tests use counts above zero")
    }

    /// Independent reference, computed with Python integers.
    #[test]
    fn shard_of_a_table_is_pinned_for_ever() {
        let check = |table: u128, shards: u16, shard: u16| {
            assert_eq!(
                ShardId::of(TableId(table), count(shards)),
                ShardId(shard),
                "{table:#x} of {shards}"
            );
        };
        check(0x0, 8, 7);
        check(0x0, 256, 111);
        check(0x0, 2048, 1647);
        check(0x1, 8, 6);
        check(0x1, 256, 14);
        check(0x1, 2048, 1294);
        check(0xffffffffffffffffffffffffffffffff, 8, 6);
        check(0xffffffffffffffffffffffffffffffff, 256, 54);
        check(0xffffffffffffffffffffffffffffffff, 2048, 310);
        check(0x1900000000070008000000000000001, 8, 4);
        check(0x1900000000070008000000000000001, 256, 196);
        check(0x1900000000070008000000000000001, 2048, 1732);
        check(0xdeadbeefdeadbeefdeadbeefdeadbeef, 8, 5);
        check(0xdeadbeefdeadbeefdeadbeefdeadbeef, 256, 141);
        check(0xdeadbeefdeadbeefdeadbeefdeadbeef, 2048, 653);
    }

    #[test]
    fn time_ordered_ids_spread_evenly() {
        let mut tables = [0_u32; 8];
        for i in 0..8_000_u128 {
            let v7 = (0x0190_0000_0000_u128 + i) << 80 | 0x7 << 76 | 0x8 << 60;
            tables[usize::from(ShardId::of(TableId(v7), count(8)).0)] += 1;
        }
        assert!(
            tables.iter().all(|n| (900..=1_100).contains(n)),
            "{tables:?}"
        );
    }

    #[test]
    fn ids_print_and_parse() {
        let table = TableId(0x0190_0000_0000_7000_8000_0000_0000_0001);
        assert_eq!(table.to_string(), "01900000-0000-7000-8000-000000000001");
        assert_eq!(table.to_string().parse(), Ok(table));
        assert_eq!(TableId::from_bytes(table.to_bytes()), table);
        assert_eq!("17".parse(), Ok(Seq(17)));
        assert!("".parse::<TableId>().is_err());
        assert_eq!(ShardCount::new(0), None);
    }
}
