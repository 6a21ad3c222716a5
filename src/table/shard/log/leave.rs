//! Handing the shard to another node, at a commit boundary.

use ractor::ActorRef;
use tokio::{sync::oneshot, time::Instant};

use super::{LogError, LogMsg, LogState, answer, report};
use crate::{
    store::{
        SegmentKey,
        log::{AppendError, ShardLog},
    },
    table::shard::tenure::Phase,
};

/// What became of a handover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handover {
    /// Sealed in the other's favour: every commit so far is what it reads, and none follows.
    Done,
    /// Nothing changed; the shard goes on here.
    StillHere,
    /// Nobody can tell. The log has ended.
    Unknown,
}

/// A handover that waits for the statement in flight.
pub(super) type Leaving = (SegmentKey, oneshot::Sender<Handover>);

impl LogState {
    /// Asked to leave. What tables propose from now on waits for the next owner; the one commit that may be in flight
    /// lands first.
    pub(super) fn leave(&mut self, next: SegmentKey, reply: oneshot::Sender<Handover>) {
        if self.leaving.is_some() || self.left {
            return answer(reply, Handover::StillHere);
        }
        self.leaving = Some((next, reply));
        // The players get the pause back.
        self.shard.status.set_stalled(Some(Instant::now()));
    }

    pub(super) fn start_leave(&mut self, myself: &ActorRef<LogMsg>, (next, reply): Leaving) {
        let (mut log, myself) = (self.lend(), myself.clone());
        self.spawn(async move {
            let outcome = log.hand_over(next).await;
            report(&myself, LogMsg::Left(log, outcome, reply));
        });
    }

    pub(super) fn left(
        &mut self,
        log: Box<ShardLog>,
        outcome: Result<(), AppendError>,
        reply: oneshot::Sender<Handover>,
    ) -> Result<(), LogError> {
        match outcome {
            Ok(()) => {
                self.left = true;
                self.shard.tenure.enter(Phase::Leaving);
                tracing::info!(shard = %self.shard.id, "shard handed over");
                answer(reply, Handover::Done);
                Ok(())
            }
            Err(error @ (AppendError::NotWritten(_) | AppendError::NoClaim { .. })) => {
                tracing::warn!(shard = %self.shard.id, %error, "shard not handed over");
                self.log = Some(log);
                self.shard.status.set_stalled(None);
                answer(reply, Handover::StillHere);
                Ok(())
            }
            Err(error) => {
                answer(reply, Handover::Unknown);
                Err(error.into())
            }
        }
    }
}
