//! The log protocol: one writer for every segment without trusting clocks, written once for all stores.
//!
//! A [`ShardLog`] is the right to append to one shard's log, as long as nobody takes it away. It comes into being only by a
//! takeover ([`ShardLog::take_over`]), also after a restart of the same process, and it ends by being refused. Nothing here
//! asks who is alive: rivals may run at the same time, be frozen for hours and go on, and their statements may be
//! applied long after they gave up. The arguments why that is safe stand beside the steps.
//!
//! - `append`: one commit, and how an unknown outcome is decided
//! - `takeover`, `replay`: win an epoch, create, seal the tail; then read from `low` and check everything
//! - `rotate`, `prune`: begin a new segment with a checkpoint; forget what came before it
//! - `walk`, `copy`: reading without owning, for copies and checks; writing a copy down
//! - `ask`, `frame`: asking until an answer decides; what the protocol writes around a commit

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;

use super::segment::{ChainHash, SegmentId, SegmentKey, WriterToken};
use super::{Cause, Statement, Store, StoreError};
use crate::ids::ShardId;

mod append;
mod ask;
mod copy;
#[cfg(any(test, feature = "conformance"))]
mod defect;
mod frame;
mod prune;
mod replay;
mod rotate;
mod takeover;
#[cfg(test)]
mod tests;
mod walk;

pub use append::AppendError;
pub use ask::repeat;
#[cfg(any(test, feature = "conformance"))]
pub(in crate::store) use ask::{Unanswered, ask};
pub use copy::{CopyError, LogCopy};
#[cfg(feature = "conformance")]
pub(super) use frame::{Frame, Kind as RowType};
pub use prune::PruneError;
pub use replay::{Corruption, Finding};
pub use takeover::{Claim, TakeoverError};
pub use walk::{Visitor, WalkError, Walked, walk};

/// Where a row is in its shard's log. The order is the order of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The segment.
    pub segment: SegmentKey,
    /// The row's number in it.
    pub n: u64,
}

/// What a folded row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RowKind {
    /// What [`ShardLog::append`] wrote.
    Commit,
    /// A row of a checkpoint that [`ShardLog::rotate`] wrote: it repeats what the log before it amounts to.
    Checkpoint,
}

/// What a takeover reads the log into.
pub trait Fold: Send + Sync {
    /// Reading begins, or begins again after the log was pruned meanwhile: forget everything.
    fn begin(&mut self);

    /// The next row, in the order of the log. An error refuses the takeover.
    fn row(&mut self, at: Position, kind: RowKind, body: Bytes) -> Result<(), Cause>;
}

/// Whether the shard can commit. An action clock runs only while it can.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The last statement was answered in time.
    Running,
    /// A statement has been without a deciding answer for longer than [`LogOptions::stalled_after`].
    Stalled,
    /// The log has ended: refused, undetermined or handed over. Only a new takeover goes on.
    Stopped,
}

/// The knobs of a shard's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogOptions {
    /// Rotate once the open segment holds this many bytes. A partition should stay below 10 MB.
    pub rotate_bytes: u64,
    /// The largest body of one commit or checkpoint row, in bytes. Cassandra refuses mutations of 16 MiB.
    pub row_bytes: u64,
    /// How many rows one read of a takeover asks for.
    pub read_rows: u32,
    /// How many bytes one read of a takeover asks for.
    pub read_bytes: u64,
    /// A statement without any answer for so long counts as unknown, and is made again.
    pub statement_timeout: Duration,
    /// The pause before a statement is made again; it doubles with every further attempt.
    pub first_pause: Duration,
    /// The longest pause between attempts.
    pub longest_pause: Duration,
    /// How long one statement is repeated before the log gives up on it.
    pub give_up_after: Duration,
    /// After how long without a deciding answer watchers are told [`Progress::Stalled`].
    pub stalled_after: Duration,
}

impl Default for LogOptions {
    fn default() -> Self {
        Self {
            rotate_bytes: 8 << 20,
            row_bytes: 4 << 20,
            read_rows: 256,
            read_bytes: 1 << 20,
            statement_timeout: Duration::from_secs(5),
            first_pause: Duration::from_millis(10),
            longest_pause: Duration::from_secs(1),
            give_up_after: Duration::from_secs(30),
            stalled_after: Duration::from_millis(250),
        }
    }
}

/// Why a log takes no more appends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    /// Its segment is sealed: somebody else goes on.
    Sealed,
    /// A statement's outcome is not known, or its future was dropped before it was.
    InDoubt,
}

/// The right to append to one shard's log. Used by one actor; every method that writes takes it by `&mut`.
pub struct ShardLog {
    store: Arc<dyn Store>,
    options: LogOptions,
    shard: ShardId,
    token: WriterToken,
    /// The open segment, and the number of its next row.
    head: Position,
    /// What the static part's `last_hash` holds.
    stored_hash: ChainHash,
    /// The hash that the next row hashes over: `stored_hash`, or in an empty segment the hash of the one before.
    chain_hash: ChainHash,
    /// The bytes in the open segment.
    bytes: u64,
    /// The value of the shard's `low` that this log folded from, moved by its own advances only.
    low: SegmentKey,
    /// The segments from `low` to the open one, in order.
    chain: Vec<SegmentKey>,
    /// Those of `chain` that begin with a complete checkpoint.
    checkpoints: Vec<SegmentKey>,
    /// Segments before `low` whose rows may be left over from an interrupted prune.
    leftovers: Vec<SegmentKey>,
    /// Where this log tried to move `low` without hearing whether it did.
    unheard_lows: Vec<SegmentKey>,
    stopped: Option<Stop>,
    progress: watch::Sender<Progress>,
}

impl ShardLog {
    /// The shard.
    pub fn shard(&self) -> ShardId {
        self.shard
    }

    /// The open segment and the number of the row that the next append writes.
    pub fn head(&self) -> Position {
        self.head
    }

    /// Where recovery would begin, as far as this log knows.
    pub fn low(&self) -> SegmentKey {
        self.low
    }

    /// How many bytes the open segment holds.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How many segments a takeover would read one after the other, however little is in them: those from the last
    /// checkpoint on. Every takeover adds one.
    pub fn segments_to_read(&self) -> usize {
        let from = self.checkpoints.last().copied().unwrap_or(self.low);
        self.chain.iter().filter(|key| **key >= from).count()
    }

    /// Whether the shard can commit, for clocks and for answers. Ends when the log is dropped.
    pub fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    /// Whether this log has ended, so that only a new takeover goes on.
    pub fn is_stopped(&self) -> bool {
        self.stopped.is_some()
    }

    /// Asks, by a SERIAL read, whether the segment is still open and ends where this log believes. `Ok` means that every
    /// commit of the shard up to the moment of the call is known here.
    pub async fn confirm(&mut self) -> Result<(), ConfirmError> {
        if self.stopped.is_some() {
            return Err(ConfirmError::Stopped);
        }
        let segment = self.segment();
        let store = &self.store;
        let read = ask::ask(&self.options, Statement::Segment, || store.segment(segment));
        let asked = ask::watched(&self.progress, self.options.stalled_after, read).await;
        let state = asked
            .map_err(|unanswered| ConfirmError::Unanswered(unanswered.into_error()))?
            .answer;
        let as_expected = |state: &super::SegmentState| {
            state.writer == self.token
                && state.next_n == self.head.n
                && state.last_hash == self.stored_hash
        };
        match state {
            Some(state) if state.seal.is_none() && as_expected(&state) => Ok(()),
            Some(state) if state.seal.is_some() && as_expected(&state) => {
                self.stop(Stop::Sealed);
                Err(ConfirmError::Sealed)
            }
            state => {
                self.stop(Stop::InDoubt);
                let n = state.map_or(0, |state| state.next_n);
                Err(ConfirmError::Corrupt(Corruption {
                    segment,
                    n,
                    finding: Finding::ForeignState,
                }))
            }
        }
    }

    fn segment(&self) -> SegmentId {
        self.head.segment.of(self.shard)
    }

    fn stop(&mut self, why: Stop) {
        self.stopped = Some(why);
        self.progress.send_replace(Progress::Stopped);
    }
}

/// Best effort: tells later takeovers where to look for the tail. The segment is on the chain, so a takeover that starts
/// there finds the tail; and the condition keeps an overtaken owner's hint from replacing a better one.
async fn hint_tail(store: &dyn Store, options: &LogOptions, segment: SegmentId) {
    let hint = store.set_tail(segment.shard, segment.key.epoch, segment.key);
    match tokio::time::timeout(options.statement_timeout, hint).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::debug!(%segment, error = %error, "tail hint not written"),
        Err(error) => tracing::debug!(%segment, error = %error, "tail hint not written"),
    }
}

/// Why a log could not confirm that it is still the owner.
#[derive(Debug, thiserror::Error)]
pub enum ConfirmError {
    /// Somebody else owns the shard now.
    #[error("segment sealed: the shard has another owner")]
    Sealed,
    /// The log had already ended.
    #[error("the log has ended")]
    Stopped,
    /// The store did not say. The log goes on.
    #[error("ownership not confirmed")]
    Unanswered(#[source] StoreError),
    /// The segment holds what its only writer did not write.
    #[error(transparent)]
    Corrupt(Corruption),
}
