//! Forgetting what a checkpoint made unnecessary: advance `low`, then delete rows.

use super::ask::ask;
use super::{SegmentKey, ShardLog};
use crate::store::{Cas, Statement, StoreError};

/// Why nothing, or not everything, was pruned. The log goes on in every case.
#[derive(Debug, thiserror::Error)]
pub enum PruneError {
    /// That segment is not one of the log that begins with a complete checkpoint, after `low`.
    #[error("segment {up_to} holds no complete checkpoint above low {low}")]
    NoCheckpoint {
        /// What was asked for.
        up_to: SegmentKey,
        /// Where the log begins.
        low: SegmentKey,
    },
    /// Somebody else moved `low`: an owner before me, whose checkpoint was complete. Only a new takeover, which folds from
    /// the new value, may move it again.
    #[error("low was moved by another owner: this log cannot prune until its next takeover")]
    LowMoved,
    /// The store did not say. Trying again is safe.
    #[error("store gave no answer")]
    Store(#[source] StoreError),
}

impl ShardLog {
    /// The newest segment that [`Self::prune`] takes, if there is one.
    pub fn prunable(&self) -> Option<SegmentKey> {
        self.checkpoints
            .iter()
            .copied()
            .filter(|key| *key > self.low)
            .max()
    }

    /// Forgets what comes before `up_to`, a segment of this log that begins with a complete checkpoint. The caller vouches
    /// that nothing in it is needed beside what the checkpoint carries: every finished hand is archived.
    pub async fn prune(&mut self, up_to: SegmentKey) -> Result<(), PruneError> {
        let low = self.low;
        if up_to <= low || !self.checkpoints.contains(&up_to) {
            return Err(PruneError::NoCheckpoint { up_to, low });
        }
        // The condition names the value that I folded from, never one read since: so between that `low` and `up_to` lies
        // exactly what I have read or written, and the checkpoint replaces all of it. A fresh value could belong to a
        // later owner whose checkpoint is newer than mine, and `low` would move back to rows that are gone.
        let (store, shard) = (&self.store, self.shard);
        let asked = ask(&self.options, Statement::AdvanceLow, || {
            store.advance_low(shard, low, up_to)
        })
        .await;
        match asked
            .map_err(|unanswered| PruneError::Store(unanswered.into_error()))?
            .answer
        {
            Cas::Applied => {}
            // Mine, unanswered at first. Should another owner have moved it to the same complete checkpoint: as good.
            Cas::NotApplied(Some(row)) if row.low == up_to => {}
            Cas::NotApplied(_) => return Err(PruneError::LowMoved),
        }
        self.low = up_to;
        let kept = self
            .chain
            .iter()
            .position(|key| *key == up_to)
            .expect("a checkpoint's segment is on the chain");
        self.leftovers.extend(self.chain.drain(..kept));
        self.checkpoints.retain(|key| *key >= up_to);
        self.sweep().await
    }

    /// Deletes the rows of segments before `low` that this log knows of, also those that an earlier owner left behind.
    ///
    /// Static parts stay for ever: a create or a seal that is still under way must find its segment sealed, not absent.
    pub async fn sweep(&mut self) -> Result<(), PruneError> {
        while let Some(key) = self.leftovers.last() {
            let (store, segment) = (&self.store, key.of(self.shard));
            let asked = ask(&self.options, Statement::DeleteRows, || {
                store.delete_rows(segment)
            })
            .await;
            asked.map_err(|unanswered| PruneError::Store(unanswered.into_error()))?;
            self.leftovers.pop();
        }
        Ok(())
    }
}
