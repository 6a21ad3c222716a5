//! A player's connection comes or goes. What it changes is the time that he has (R18).

use super::draft::{Draft, seat_of};
use crate::event::Fact;
use crate::ids::PlayerId;
use crate::reject::Reject;

pub(super) fn connection(
    draft: &mut Draft,
    player: PlayerId,
    connected: bool,
) -> Result<(), Reject> {
    let (seat, taken) = seat_of(draft.table(), player)?;
    if taken.connected == connected {
        return Err(Reject::ConnectionUnchanged);
    }
    draft.push(Fact::ConnectionChanged { seat, connected });
    Ok(())
}
