//! Voiding the open hand of a parked table (R20). It is decided here: the actor of such
//! a table fails, most likely over this very hand, so it cannot be the one to do it.

use engine::{Broken, Command, HandNo, Reject};
use tokio::sync::oneshot;

use super::{LogState, Proposal, Proposer, answer};
use crate::{
    ids::TableId,
    table::{
        codec::{self, CodecError, Record},
        state::Step,
    },
};

/// Why a hand is not voided.
#[derive(Debug, thiserror::Error)]
pub enum VoidError {
    /// There is no such table.
    #[error("there is no table {0}")]
    NoSuchTable(TableId),
    /// Its table is not parked.
    #[error("table {0} is not parked")]
    NotParked(TableId),
    /// That hand is not being played.
    #[error("hand {0} is not being played")]
    NoSuchHand(HandNo),
    /// The table is being voided already, or its last commit is not decided yet.
    #[error("the table has a commit under way")]
    UnderWay,
    /// The engine refuses.
    #[error(transparent)]
    Refused(#[from] Reject),
    /// The table would be broken after it.
    #[error(transparent)]
    Broken(#[from] Broken),
    /// The state does not read, or the record cannot be written.
    #[error(transparent)]
    Codec(#[from] CodecError),
}

impl LogState {
    pub(super) fn void(
        &mut self,
        table: TableId,
        hand: HandNo,
        note: String,
        reply: oneshot::Sender<Result<(), VoidError>>,
    ) {
        match self.voiding(table, hand, note) {
            Ok((step, record)) => self.enqueue(Box::new(Proposal {
                next: step.next.into(),
                records: vec![record],
                told: step.applied.told,
                finished: step.applied.finished,
                requested: false,
                from: Proposer::Voiding(reply),
                done: None,
            })),
            Err(error) => answer(reply, Err(error)),
        }
    }

    fn voiding(
        &mut self,
        table: TableId,
        hand: HandNo,
        note: String,
    ) -> Result<(Step, Vec<u8>), VoidError> {
        if self.under_way(table) {
            return Err(VoidError::UnderWay);
        }
        let keys = &self.shard.world.keys;
        let woken = self.book.wake(table, keys)?;
        let state = woken.ok_or(VoidError::NoSuchTable(table))?.state;
        if state.table.hand().map(|open| open.no()) != Some(hand) {
            return Err(VoidError::NoSuchHand(hand));
        }
        let events = engine::decide(&state.table, &Command::Void)?;
        let step = state.step(events, None, Some(note), (self.shard.world.wall_ms)());
        engine::check(&step.next.table)?;
        let record = codec::encode(&Record::Batch(step.batch.clone()), keys)?;
        Ok((step, record))
    }
}
