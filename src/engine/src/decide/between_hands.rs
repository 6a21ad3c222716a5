//! What waited for the end of a hand: top-ups, leavers, players without chips or away for too long (R11, R17, R18).

use super::draft::Draft;
use crate::event::{Fact, LeaveReason};
use crate::ids::SeatNo;
use crate::seat::Away;

/// Seat by seat, once the hand is over.
pub(super) fn between_hands(draft: &mut Draft) {
    for no in (0..draft.table().settings.seats).map(SeatNo) {
        let Some(seat) = draft.table().seat(no) else {
            continue;
        };
        let limit = draft.table().settings.sit_out_buttons;
        let absent = seat.away.is_some() && limit > 0 && seat.absent_buttons >= limit;
        if seat.leaving || absent {
            let reason = if seat.leaving {
                LeaveReason::Asked
            } else {
                LeaveReason::Absent
            };
            let cash_out = seat.stack.saturating_add(seat.queued_top_up);
            let player = seat.player;
            draft.push(Fact::SeatLeft {
                seat: no,
                player,
                cash_out,
                reason,
            });
            continue;
        }
        let broke = seat.stack == 0 && seat.queued_top_up == 0;
        let playing = seat.away.is_none();
        top_up(draft, no);
        if broke && playing {
            draft.push(Fact::SatOut {
                seat: no,
                reason: Away::Broke,
            });
        }
    }
}

/// What a player brought joins his stack, up to the limit (R17).
pub(super) fn top_up(draft: &mut Draft, no: SeatNo) {
    let max = draft.table().settings.buy_in_max;
    let Some(seat) = draft.table().seat(no).filter(|seat| seat.queued_top_up > 0) else {
        return;
    };
    let amount = seat.queued_top_up.min(max.saturating_sub(seat.stack));
    let returned = seat.queued_top_up - amount;
    let player = seat.player;
    draft.push(Fact::ToppedUp {
        seat: no,
        player,
        amount,
        returned,
    });
}
