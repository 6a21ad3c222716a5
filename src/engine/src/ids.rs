//! The names of players, seats, hands and turns.

use core::fmt;

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

id! {
    /// A player, the same at every table.
    PlayerId(u128)
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
