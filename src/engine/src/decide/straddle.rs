//! Choosing to straddle, and who does in a hand (R13).

use super::draft::{Draft, seat_of};
use crate::event::Fact;
use crate::game::{Straddle, StraddleFrom};
use crate::hand::Positions;
use crate::ids::{PlayerId, SeatNo};
use crate::reject::Reject;
use crate::seat::Owes;
use crate::settings::Ante;
use crate::table::Table;

pub(super) fn straddle(draft: &mut Draft, player: PlayerId, on: bool) -> Result<(), Reject> {
    let (seat, taken) = seat_of(draft.table(), player)?;
    if draft.table().settings.game.straddle.is_none() {
        return Err(Reject::NoStraddles);
    }
    if taken.straddles == on {
        return Err(Reject::StraddleUnchanged);
    }
    draft.push(Fact::StraddleChosen { seat, on });
    Ok(())
}

/// Who straddles among those who are dealt in, in the order of dealing, and with how much: one player at most, and only with
/// a whole straddle. The button comes before the player under the gun. Who comes in with a blind that he owes does not.
pub(super) fn straddler(
    table: &Table,
    positions: Positions,
    dealt: &[SeatNo],
) -> Option<(SeatNo, u64)> {
    let Straddle {
        from, players_min, ..
    } = table.settings.game.straddle?;
    if dealt.len() < usize::from(players_min) {
        return None;
    }
    let amount = table.settings.big_blind.saturating_mul(STRADDLE_BLINDS);
    let ante = match table.settings.ante {
        Ante::Each(ante) => ante,
        Ante::None | Ante::BigBlind(_) => 0,
    };
    let whole = amount.saturating_add(ante);
    let wants = |seat: &SeatNo| {
        table.seat(*seat).is_some_and(|taken| {
            taken.straddles && taken.stack >= whole && taken.owes == Owes::Nothing
        })
    };
    let big_blind = dealt.iter().position(|seat| *seat == positions.big_blind)?;
    let under_the_gun = dealt[(big_blind + 1) % dealt.len()];
    let button = dealt
        .contains(&positions.button)
        .then_some(positions.button);
    let [first, second] = match from {
        StraddleFrom::UnderTheGun => [None, Some(under_the_gun)],
        StraddleFrom::Button => [button, None],
        StraddleFrom::Either => [button, Some(under_the_gun)],
    };
    let seat = first.filter(wants).or(second.filter(wants))?;
    Some((seat, amount))
}

/// A straddle is two big blinds.
const STRADDLE_BLINDS: u64 = 2;
