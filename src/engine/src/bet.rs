//! What a player may do at his turn: the only place that knows the betting structure, no limit (R2, R3, R5, R15).

use serde::{Deserialize, Serialize};

use crate::hand::{Hand, InHand};
use crate::ids::{SeatNo, Turn};
use crate::table::Table;

/// The legal actions of the player to act, with their bounds. Folding is always legal.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Legal {
    /// Whose turn it is.
    pub seat: SeatNo,
    /// Its number.
    pub turn: Turn,
    /// Whether checking is legal.
    pub check: bool,
    /// What a call costs, if there is something to call; all one has if the bet is more.
    pub call: Option<u64>,
    /// The least and the most that may be bet or raised to; the same if only all-in is possible.
    pub raise_to: Option<RaiseBounds>,
}

/// The bounds of a bet or raise, as amounts to raise *to*.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RaiseBounds {
    /// The least.
    pub min_to: u64,
    /// The most.
    pub max_to: u64,
}

/// What the player to act may do; `None` if nobody is to act.
pub fn legal(table: &Table) -> Option<Legal> {
    let hand = table.hand()?;
    let (seat, turn) = hand.turn()?;
    let player = hand.player(seat)?;
    let owed = call_target(hand, player).saturating_sub(player.bet);
    Some(Legal {
        seat,
        turn,
        check: owed == 0,
        call: (owed > 0).then_some(owed.min(player.stack)),
        raise_to: raise_bounds(hand, player).ok(),
    })
}

/// Why there is no raise.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum NoRaise {
    /// Nobody else has chips (R15).
    Uncallable,
    /// Acted, and not raised in full since (R3).
    NotReopened,
    /// All the player's chips are a call.
    BeyondChips,
}

/// The bet that this player must match. The bet itself, unless everybody else is all-in: then the most that any of them
/// put in, since more would only come back (R5).
pub(crate) fn call_target(hand: &Hand, player: &InHand) -> u64 {
    if others(hand, player).any(|other| other.stack > 0) {
        return hand.current_bet;
    }
    others(hand, player)
        .map(|other| other.bet)
        .max()
        .unwrap_or(0)
}

/// Whether this player must be asked before the street can end (R15).
pub(crate) fn must_act(hand: &Hand, player: &InHand) -> bool {
    if player.folded || player.stack == 0 {
        return false;
    }
    player.bet < call_target(hand, player)
        || (!player.acted && others(hand, player).any(|other| other.stack > 0))
}

/// The bounds of a bet or raise of this player at his turn.
pub(crate) fn raise_bounds(hand: &Hand, player: &InHand) -> Result<RaiseBounds, NoRaise> {
    if !others(hand, player).any(|other| other.stack > 0) {
        return Err(NoRaise::Uncallable);
    }
    // Cumulative and per player: several short all-ins together reopen the betting, one alone does not (R3).
    if player.acted && hand.current_bet.saturating_sub(player.bet) < hand.last_full_raise {
        return Err(NoRaise::NotReopened);
    }
    let max_to = player.bet.saturating_add(player.stack);
    if max_to <= hand.current_bet {
        return Err(NoRaise::BeyondChips);
    }
    let min_to = hand
        .current_bet
        .saturating_add(hand.last_full_raise)
        .min(max_to);
    Ok(RaiseBounds { min_to, max_to })
}

fn others<'a>(hand: &'a Hand, player: &'a InHand) -> impl Iterator<Item = &'a InHand> {
    hand.live().filter(|other| other.seat != player.seat)
}
