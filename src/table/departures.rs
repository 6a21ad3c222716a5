//! Who left a table with how much, for as long as the table wants it brought back (R17).
//!
//! The engine has no clock. Here the stamps of the events are one: what is kept is a fold
//! of the log, so the next owner asks the same of a player who comes back.

use engine::{Event, Fact, PlayerId};

use super::state::Stamped;

/// The newest departures of a table, one a player; none where the settings ask for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Departures(Vec<Departure>);

/// A player who left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Departure {
    /// Who.
    pub player: PlayerId,
    /// What he took.
    pub cash_out: u64,
    /// When, milliseconds since 1970.
    pub at_ms: u64,
}

impl Departures {
    /// As a snapshot had them, the oldest first.
    pub fn new(departures: impl IntoIterator<Item = Departure>) -> Self {
        Self(departures.into_iter().collect())
    }

    /// The oldest first.
    pub fn iter(&self) -> impl Iterator<Item = Departure> + '_ {
        self.0.iter().copied()
    }

    /// What a player must bring, so long after he left; 0 if nothing.
    pub fn must_bring(&self, player: PlayerId, now_ms: u64, rathole_ms: u32) -> u64 {
        let left = self.0.iter().find(|left| left.player == player);
        left.filter(|left| left.holds(now_ms, rathole_ms))
            .map_or(0, |left| left.cash_out)
    }

    /// Takes one event in. Who left is kept until his time is over, or until so many left
    /// after him that there is no room; what he left with before counts no more.
    pub(super) fn note(&mut self, stamped: &Stamped, rathole_ms: u32) {
        let Event::Public(Fact::SeatLeft {
            player, cash_out, ..
        }) = &stamped.event
        else {
            return;
        };
        if rathole_ms == 0 {
            return;
        }
        let at_ms = stamped.at_ms;
        self.0
            .retain(|left| left.player != *player && left.holds(at_ms, rathole_ms));
        if *cash_out == 0 {
            return;
        }
        if self.0.len() >= DEPARTURES_MAX {
            self.0.remove(0);
        }
        self.0.push(Departure {
            player: *player,
            cash_out: *cash_out,
            at_ms,
        });
    }
}

impl Departure {
    /// A clock that went back since counts as one that stood still.
    fn holds(&self, now_ms: u64, rathole_ms: u32) -> bool {
        now_ms.saturating_sub(self.at_ms) < u64::from(rathole_ms)
    }
}

/// Ten seats that change hands six times within the time.
const DEPARTURES_MAX: usize = 64;
