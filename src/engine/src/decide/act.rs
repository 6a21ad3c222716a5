//! A player's decision (R2, R3, R21).

use super::draft::{Draft, open_hand, seat_of};
use super::flow;
use crate::bet::{NoRaise, call_target, raise_bounds};
use crate::command::{Action, Phase};
use crate::event::{Cause, Fact};
use crate::hand::{Hand, InHand};
use crate::ids::{HandNo, PlayerId, SeatNo, Turn};
use crate::reject::Reject;

pub(super) fn act(
    draft: &mut Draft,
    player: PlayerId,
    hand_no: HandNo,
    turn: Turn,
    action: Action,
    bank_used_ms: u32,
) -> Result<(), Reject> {
    let (no, seat) = seat_of(draft.table(), player)?;
    let hand = open_hand(draft.table())?;
    let to_act = open_turn(hand, hand_no, turn)?;
    if to_act != no {
        return Err(Reject::NotYourTurn { seat: to_act });
    }
    let in_hand = hand
        .player(no)
        .ok_or(Reject::NotYourTurn { seat: to_act })?;
    let to = bet_after(hand, in_hand, action)?;
    let bank_used_ms = match hand.phase {
        Phase::Action | Phase::Reconnect => 0,
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
fn bet_after(hand: &Hand, player: &InHand, action: Action) -> Result<u64, Reject> {
    let to_call = call_target(hand, player)
        .saturating_sub(player.bet)
        .min(player.stack);
    match action {
        Action::Fold => Ok(player.bet),
        Action::Check if to_call > 0 => Err(Reject::CheckFacingBet { to_call }),
        Action::Check => Ok(player.bet),
        Action::Call if to_call == 0 => Err(Reject::NothingToCall),
        Action::Call => Ok(player.bet.saturating_add(to_call)),
        Action::RaiseTo { to } => {
            let bounds = raise_bounds(hand, player).map_err(|no_raise| match no_raise {
                NoRaise::Uncallable => Reject::RaiseUncallable,
                NoRaise::NotReopened => Reject::RaiseNotReopened,
                NoRaise::BeyondChips => Reject::RaiseBeyondChips,
            })?;
            if to > bounds.max_to {
                return Err(Reject::RaiseAboveStack {
                    max_to: bounds.max_to,
                });
            }
            // All-in is legal for less than the least (R2).
            if to < bounds.min_to {
                return Err(Reject::RaiseBelowMinimum {
                    min_to: bounds.min_to,
                });
            }
            Ok(to)
        }
    }
}
