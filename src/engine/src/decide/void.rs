//! An operator gives up the open hand (R20).

use alloc::vec::Vec;

use super::between_hands::between_hands;
use super::draft::Draft;
use crate::event::{Event, Fact};
use crate::reject::Reject;
use crate::table::Table;

/// Needs no deck: it is the way out for a hand whose deck is lost.
pub(super) fn void(table: &Table) -> Result<Vec<Event>, Reject> {
    let hand = table.hand().ok_or(Reject::NoHand)?;
    let mut draft = Draft::new(table);
    draft.push(Fact::HandVoided { hand: hand.no });
    between_hands(&mut draft);
    Ok(draft.events())
}
