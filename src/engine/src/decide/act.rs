//! A player's decision (R2, R3, R21).

use super::draft::{Draft, open_hand, seat_of};
use super::flow;
use crate::bet::{NoRaise, RaiseBounds, call_target, raise_bounds};
use crate::command::{Action, Phase};
use crate::event::{Cause, Fact};
use crate::game::Betting;
use crate::hand::{Hand, InHand};
use crate::ids::{HandNo, PlayerId, SeatNo, Turn};
use crate::reject::Reject;
use crate::table::Table;

pub(super) fn act(
    draft: &mut Draft,
    player: PlayerId,
    hand_no: HandNo,
    turn: Turn,
    action: Action,
    bank_used_ms: u32,
) -> Result<(), Reject> {
    let table = draft.table();
    let (no, seat) = seat_of(table, player)?;
    let hand = open_hand(table)?;
    let to_act = open_turn(hand, hand_no, turn)?;
    if to_act != no {
        return Err(Reject::NotYourTurn { seat: to_act });
    }
    let in_hand = hand
        .player(no)
        .ok_or(Reject::NotYourTurn { seat: to_act })?;
    let to = bet_after(table, hand, in_hand, action)?;
    let bank_used_ms = match hand.phase {
        Phase::Action | Phase::Reconnect | Phase::RunTwice => 0,
        Phase::Bank => bank_used_ms.min(seat.bank_ms),
    };
    let added = to.saturating_sub(in_hand.bet);
    draft.push(Fact::Acted {
        seat: no,
        turn,
        action,
        to,
        added,
        bank_used_ms,
        cause: Cause::Player,
    });
    flow::go_on_after(draft, no);
    Ok(())
}

/// Whose turn it is, if it is this turn of this hand.
pub(super) fn open_turn(hand: &Hand, hand_no: HandNo, turn: Turn) -> Result<SeatNo, Reject> {
    if hand.no != hand_no {
        return Err(Reject::StaleHand { hand: hand.no });
    }
    match hand.turn() {
        Some((seat, open)) if open == turn => Ok(seat),
        Some((_, turn)) => Err(Reject::StaleTurn { turn }),
        None => Err(Reject::StaleTurn { turn: hand.turn }),
    }
}

/// The player's bet of this street after the action, if it is legal.
fn bet_after(table: &Table, hand: &Hand, player: &InHand, action: Action) -> Result<u64, Reject> {
    let to_call = call_target(hand, player)
        .saturating_sub(player.bet)
        .min(player.stack);
    match action {
        Action::Fold => Ok(player.bet),
        Action::Check if to_call > 0 => Err(Reject::CheckFacingBet { to_call }),
        Action::Check => Ok(player.bet),
        Action::Call if to_call == 0 => Err(Reject::NothingToCall),
        Action::Call => Ok(player.bet.saturating_add(to_call)),
        Action::RaiseTo { to } => raised(table, hand, player, to),
    }
}

/// The amount, if the player may bet or raise to it.
fn raised(table: &Table, hand: &Hand, player: &InHand, to: u64) -> Result<u64, Reject> {
    let bounds = raise_bounds(table, hand, player).map_err(|no_raise| match no_raise {
        NoRaise::Uncallable => Reject::RaiseUncallable,
        NoRaise::NotReopened => Reject::RaiseNotReopened,
        NoRaise::BeyondChips => Reject::RaiseBeyondChips,
        NoRaise::Capped { raises_max } => Reject::RaisesCapped { raises_max },
    })?;
    let RaiseBounds { min_to, max_to } = bounds;
    if (min_to..=max_to).contains(&to) {
        return Ok(to);
    }
    if to > max_to && max_to == player.all_in_to() {
        return Err(Reject::RaiseAboveStack { max_to });
    }
    Err(match table.settings.game.betting {
        Betting::FixedLimit(_) => Reject::RaiseNotTheLimit { to: max_to },
        Betting::NoLimit | Betting::PotLimit { .. } if to < min_to => {
            Reject::RaiseBelowMinimum { min_to }
        }
        Betting::NoLimit | Betting::PotLimit { .. } => Reject::RaiseAbovePot { max_to },
    })
}
