//! Forgetting what a checkpoint made unnecessary: advance `low`, then delete rows.

use super::ask::{Unanswered, ask};
use super::{SegmentKey, ShardLog};
use crate::store::{Cas, ShardRow, Statement, StoreError};

/// Why nothing, or not everything, was pruned. It ends no log.
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
    /// The log has ended. Pruning is the next owner's.
    #[error("the log has ended: its next owner prunes")]
    Stopped,
    /// The store did not say. Trying again is safe.
    #[error("store gave no answer")]
    Store(#[source] StoreError),
}

impl ShardLog {
    /// The newest segment that [`Self::prune`] takes, if there is one.
    pub fn prunable(&self) -> Option<SegmentKey> {
        if self.stopped.is_some() {
            return None;
        }
        self.checkpoints
            .iter()
            .copied()
            .filter(|key| *key > self.low)
            .max()
    }

    /// Forgets what comes before `up_to`, a segment of this log that begins with a complete checkpoint. The caller vouches
    /// that nothing in it is needed beside what the checkpoint carries: every finished hand is archived.
    pub async fn prune(&mut self, up_to: SegmentKey) -> Result<(), PruneError> {
        if self.stopped.is_some() {
            return Err(PruneError::Stopped);
        }
        let low = self.low;
        if up_to <= low || !self.checkpoints.contains(&up_to) {
            return Err(PruneError::NoCheckpoint { up_to, low });
        }
        // The condition names the value that I folded from, moved by my own advances and never by a fresh read: so between
        // that `low` and `up_to` lies exactly what I have read or written, and the checkpoint replaces all of it. A fresh
        // value could belong to a later owner whose checkpoint is newer than mine, and `low` would move back to rows that
        // are gone.
        let found = match self.advance_low(low, up_to).await? {
            Cas::Applied => return self.forget_before(up_to).await,
            Cas::NotApplied(found) => found.map(|row| row.low),
        };
        match found {
            // Mine, unanswered at first. Should another owner have moved it to the same complete checkpoint: as good.
            Some(now) if now == up_to => self.forget_before(up_to).await,
            // An earlier advance of mine that was never answered has been applied meanwhile: it is where I moved `low` to.
            Some(now) if now < up_to && self.unheard_lows.contains(&now) => {
                match self.advance_low(now, up_to).await? {
                    Cas::Applied => self.forget_before(up_to).await,
                    Cas::NotApplied(Some(row)) if row.low == up_to => {
                        self.forget_before(up_to).await
                    }
                    Cas::NotApplied(_) => Err(PruneError::LowMoved),
                }
            }
            Some(_) | None => Err(PruneError::LowMoved),
        }
    }

    async fn advance_low(
        &mut self,
        from: SegmentKey,
        to: SegmentKey,
    ) -> Result<Cas<Option<ShardRow>>, PruneError> {
        let known = self.unheard_lows.contains(&to);
        if !known {
            // Before it is asked, since this future may be dropped.
            self.unheard_lows.push(to);
        }
        let (store, shard) = (&self.store, self.shard);
        let asked = ask(&self.options, Statement::AdvanceLow, || {
            store.advance_low(shard, from, to)
        })
        .await;
        let doubt = match &asked {
            Ok(asked) => asked.doubt,
            Err(Unanswered::Unknown(_)) => true,
            Err(Unanswered::Never(_)) => false,
        };
        if !known && !doubt {
            self.unheard_lows.retain(|low| *low != to);
        }
        let asked = asked.map_err(|unanswered| PruneError::Store(unanswered.into_error()))?;
        Ok(asked.answer)
    }

    /// `low` has moved: what comes before it may go.
    async fn forget_before(&mut self, up_to: SegmentKey) -> Result<(), PruneError> {
        self.low = up_to;
        self.unheard_lows.retain(|low| *low > up_to);
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
