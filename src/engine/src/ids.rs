//! The names of players, seats, hands and turns.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($of:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $of);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

/// A player, the same at every table. Shown and parsed as a UUID.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PlayerId(pub u128);

impl PlayerId {
    /// Sixteen big-endian bytes, so that byte order is id order.
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// The id that `to_bytes` wrote.
    pub const fn from_bytes(bytes: [u8; 16]) -> PlayerId {
        PlayerId(u128::from_be_bytes(bytes))
    }
}

impl fmt::Display for PlayerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = |from: u32, digits: u32| (self.0 << (4 * from)) >> (128 - 4 * digits);
        let (a, b, c, d, e) = (hex(0, 8), hex(8, 4), hex(12, 4), hex(16, 4), hex(20, 12));
        write!(f, "{a:08x}-{b:04x}-{c:04x}-{d:04x}-{e:012x}")
    }
}

impl fmt::Debug for PlayerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PlayerId({self})")
    }
}

/// What is not a player's id.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("an id is 32 hex digits, with or without dashes")]
pub struct IdError;

impl FromStr for PlayerId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<PlayerId, IdError> {
        let mut digits = 0;
        let mut id = 0u128;
        for c in text.chars().filter(|c| *c != '-') {
            let digit = c.to_digit(16).ok_or(IdError)?;
            id = (id << 4) | u128::from(digit);
            digits += 1;
        }
        if digits == 32 {
            Ok(PlayerId(id))
        } else {
            Err(IdError)
        }
    }
}

id! {
    /// A seat of a table, counted clockwise from 0; below `Settings::seats`.
    SeatNo(u8)
}
id! {
    /// A hand of a table: the first is 1.
    HandNo(u64)
}
id! {
    /// A decision of a hand: the first is 1. An action names it, so that a stale one is refused (R21).
    Turn(u32)
}
