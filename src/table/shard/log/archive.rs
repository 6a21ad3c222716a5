//! Finished hands, kept until the archive has them: only then may their rows be pruned.

use std::{collections::VecDeque, sync::Arc};

use ractor::ActorRef;
use tokio::time::Duration;

use super::{super::Shard, LogMsg, LogState, report};
use crate::{
    store::{HandRecord, StoreError},
    table::{codec::CodecError, state::FinishedHand},
};

/// Finished hands that the archive has not acknowledged, oldest first.
#[derive(Default)]
pub(super) struct Outbox {
    hands: VecDeque<FinishedHand>,
    /// A write is in flight, or the pause after one that failed.
    busy: bool,
    /// After a failure one hand at a time, so that a write that is too large, or one bad
    /// hand, is found.
    one_by_one: bool,
}

/// Why the archive did not take hands. They stay in the outbox.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The store did not take them.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// They cannot be encoded.
    #[error(transparent)]
    Codec(#[from] CodecError),
}

impl Outbox {
    pub(super) fn len(&self) -> usize {
        self.hands.len()
    }

    /// Whether the shard plays faster than the archive takes hands: then it must wait.
    pub(super) fn is_full(&self) -> bool {
        self.hands.len() >= OUTBOX_MAX
    }

    pub(super) fn push(&mut self, hand: FinishedHand) {
        self.hands.push_back(hand);
    }

    pub(super) fn refill(&mut self, hands: Vec<FinishedHand>) {
        self.hands = hands.into();
    }

    pub(super) fn rested(&mut self) {
        self.busy = false;
    }

    fn next(&mut self) -> Option<Vec<FinishedHand>> {
        if self.busy || self.hands.is_empty() {
            return None;
        }
        self.busy = true;
        let count = if self.one_by_one { 1 } else { HANDS_A_WRITE };
        Some(self.hands.iter().take(count).cloned().collect())
    }
}

impl LogState {
    pub(super) fn archive(&mut self, myself: &ActorRef<LogMsg>) {
        if !self.ready {
            return;
        }
        let Some(hands) = self.outbox.next() else {
            return;
        };
        let (shard, log) = (Arc::clone(&self.shard), myself.clone());
        self.spawn(async move {
            let outcome = write(&shard, &hands).await;
            report(&log, LogMsg::Archived(outcome));
        });
    }

    pub(super) fn archived(
        &mut self,
        myself: &ActorRef<LogMsg>,
        outcome: Result<usize, ArchiveError>,
    ) {
        match outcome {
            Ok(count) => {
                self.outbox.hands.drain(..count);
                self.outbox.one_by_one = false;
                self.outbox.busy = false;
                self.prune_after = self.prune_after.map(|due| due.saturating_sub(count));
            }
            Err(error) => {
                self.outbox.one_by_one = true;
                let first = self.outbox.hands.front();
                tracing::warn!(
                    shard = %self.shard.id,
                    table = first.map(|hand| hand.table.to_string()),
                    hand = first.map(|hand| hand.hand.to_string()),
                    waiting = self.outbox.len(),
                    %error,
                    "hands not archived yet; their rows are not pruned"
                );
                self.after(PAUSE, myself, || LogMsg::ArchiveDue);
            }
        }
    }
}

async fn write(shard: &Shard, hands: &[FinishedHand]) -> Result<usize, ArchiveError> {
    let keys = &shard.world.keys;
    let records: Result<Vec<HandRecord>, CodecError> =
        hands.iter().map(|hand| hand.record(keys)).collect();
    shard.world.store.archive_hands(&records?).await?;
    Ok(hands.len())
}

/// Hands in one write of the archive.
const HANDS_A_WRITE: usize = 64;
const PAUSE: Duration = Duration::from_millis(500);
/// About 100 MB of hands. Beyond it the shard commits no more until the archive answers.
const OUTBOX_MAX: usize = 20_000;
