//! What a player may do at his turn: the only place that knows the betting structures (R2 to R5, R14, R15).

pub(crate) mod limit;
mod pot_limit;

use serde::{Deserialize, Serialize};

use crate::game::Betting;
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
        raise_to: raise_bounds(table, hand, player).ok(),
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
    /// The last raise of the street was made (R4).
    Capped {
        /// How many there may be.
        raises_max: u8,
    },
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
pub(crate) fn raise_bounds(
    table: &Table,
    hand: &Hand,
    player: &InHand,
) -> Result<RaiseBounds, NoRaise> {
    if !others(hand, player).any(|other| other.stack > 0) {
        return Err(NoRaise::Uncallable);
    }
    if player.acted && !reopened(hand, player) {
        return Err(NoRaise::NotReopened);
    }
    let all_in = player.all_in_to();
    if all_in <= hand.current_bet {
        return Err(NoRaise::BeyondChips);
    }
    let settings = &table.settings;
    let full_raise = hand.current_bet.saturating_add(hand.last_full_raise);
    let (min_to, max_to) = match (settings.game.betting, &hand.extra.limit) {
        (Betting::FixedLimit(limits), Some(round)) => {
            let to = round.raise_to(limits, hand.players.len())?;
            (to, to)
        }
        (Betting::PotLimit { count_ante }, _) => (
            full_raise,
            pot_limit::most(settings, count_ante, hand, player),
        ),
        (Betting::NoLimit | Betting::FixedLimit(_), _) => (full_raise, all_in),
    };
    // All-in is legal for less than the least.
    Ok(RaiseBounds {
        min_to: min_to.min(all_in),
        max_to: max_to.min(all_in),
    })
}

/// Whether a player who acted may raise again: since then he faces a full raise more, or half a bet in fixed limit (R3, R4).
/// Cumulative and per player: several short all-ins together reopen the betting, one alone does not.
fn reopened(hand: &Hand, player: &InHand) -> bool {
    let facing = hand.current_bet.saturating_sub(player.bet);
    match &hand.extra.limit {
        Some(round) => round.at_least_half(facing),
        None => facing >= hand.last_full_raise,
    }
}

fn others<'a>(hand: &'a Hand, player: &'a InHand) -> impl Iterator<Item = &'a InHand> {
    hand.live().filter(|other| other.seat != player.seat)
}
