//! Checkpoints, and forgetting what they replace.

use bytes::Bytes;
use ractor::ActorRef;
use tokio::time::Duration;

use super::{super::recovery::Held, LogError, LogMsg, LogState, report};
use crate::{
    store::{
        Statement, StoreError,
        log::{PruneError, ShardLog},
    },
    table::codec::{self, CodecError, Record},
};

impl LogState {
    /// By what a takeover would have to read. A checkpoint that is itself that long must
    /// not bring the next one at once: it is written when the log doubled.
    pub(super) fn should_rotate(&self) -> bool {
        let Some(log) = &self.log else { return false };
        let limit = self.shard.options.log.rotate_bytes;
        self.backlog + log.bytes() >= limit.max(2 * self.checkpoint_bytes)
            || log.segments_to_read() > SEGMENTS_TO_READ_MAX
    }

    /// Begins a new segment with a checkpoint: every table of the shard, sleeping ones included.
    pub(super) fn start_rotation(&mut self, myself: &ActorRef<LogMsg>) -> Result<(), LogError> {
        let rows = self.checkpoint()?;
        self.checkpoint_bytes = rows.iter().map(|row| row.len() as u64).sum();
        self.backlog = 0;
        // Nothing is in flight, so every hand that ended so far is in the outbox.
        self.prune_after = Some(self.outbox.len());
        let mut log = self.lend();
        self.fly(myself, async move {
            let outcome = log.rotate(rows).await.map(drop);
            (log, outcome)
        });
        Ok(())
    }

    fn checkpoint(&self) -> Result<Vec<Bytes>, CodecError> {
        let mut rows = Vec::new();
        let mut payload = codec::payload();
        for committed in self.book.tables().values() {
            let record = match &committed.held {
                Held::Awake(state) => codec::encode(
                    &Record::Snapshot(Box::new(state.as_ref().clone())),
                    &self.shard.world.keys,
                )?,
                Held::Asleep(asleep) => codec::snapshot_record(&asleep.bytes)?,
            };
            let begun = payload.len() > codec::payload().len();
            if begun && payload.len() + record.len() > self.shard.options.commit_bytes {
                let full = std::mem::replace(&mut payload, codec::payload());
                rows.push(Bytes::from(full));
            }
            codec::push(&mut payload, &record);
        }
        rows.push(Bytes::from(payload));
        Ok(rows)
    }

    pub(super) fn start_prune(&mut self, myself: &ActorRef<LogMsg>) {
        let (mut log, reply) = (self.lend(), myself.clone());
        self.spawn(async move {
            let outcome = prune(&mut log).await;
            report(&reply, LogMsg::Pruned(log, outcome));
        });
    }

    pub(super) fn pruned(&mut self, log: Box<ShardLog>, outcome: Result<(), PruneError>) {
        self.log = Some(log);
        if let Err(error) = outcome {
            tracing::warn!(shard = %self.shard.id, %error, "old segments not pruned yet");
        }
    }
}

/// Commits wait for it, so it must not take long. Cutting it short is safe: what it
/// left undone, the next prune does.
async fn prune(log: &mut ShardLog) -> Result<(), PruneError> {
    let Some(up_to) = log.prunable() else {
        return Ok(());
    };
    match tokio::time::timeout(PRUNE_PATIENCE, log.prune(up_to)).await {
        Ok(outcome) => outcome,
        Err(elapsed) => Err(PruneError::Store(StoreError::Unknown {
            statement: Statement::DeleteRows,
            source: elapsed.into(),
        })),
    }
}

const PRUNE_PATIENCE: Duration = Duration::from_millis(500);

/// A node that is started again and again adds a segment each time, and each costs a takeover a few statements.
const SEGMENTS_TO_READ_MAX: usize = 32;
