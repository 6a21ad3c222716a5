//! An operator gives up the open hand (R20).

use super::between_hands::between_hands;
use super::draft::Draft;
use crate::event::Fact;
use crate::reject::Reject;

/// Needs no deck: it is the way out for a hand whose deck is lost.
pub(super) fn void(draft: &mut Draft) -> Result<(), Reject> {
    let hand = draft.hand().ok_or(Reject::NoHand)?.no;
    draft.push(Fact::HandVoided { hand });
    between_hands(draft);
    Ok(())
}
