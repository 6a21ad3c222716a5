//! Reading the log from `low` to my own segment, and checking everything on the way.
//!
//! It happens after the tail was sealed, so every segment that is read but my own is frozen, and nobody but me can add to
//! what is read. Only pruning may interfere: then `low` has moved, and reading begins again.

use bytes::Bytes;

use super::ask::ask;
use super::frame::{Frame, Kind};
use super::takeover::TakeoverError;
use super::{Fold, LogOptions, Position, RowKind};
use crate::ids::ShardId;
use crate::store::{
    ChainHash, ReadLimit, Row, SegmentChunk, SegmentId, SegmentKey, SegmentState, Statement, Store,
    WriterToken,
};

/// What is wrong with a log that cannot be what was written. The shard is not served until an operator has looked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "log is damaged: segment {segment}, row {n}: {finding}; the shard is not served, restore it or ask for help"
)]
pub struct Corruption {
    /// Where.
    pub segment: SegmentId,
    /// The row, or the row count.
    pub n: u64,
    /// What.
    pub finding: Finding,
}

/// The kinds of damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Finding {
    /// The shard's row vanished after its epoch was won.
    #[error("the shard's row is missing")]
    MissingShard,
    /// A segment at or above `low` does not exist.
    #[error("the segment is missing")]
    MissingSegment,
    /// A row below `next_n` does not exist, and `low` did not move.
    #[error("the row is missing")]
    MissingRow,
    /// A row at or above `next_n` exists.
    #[error("there are more rows than the segment's end says")]
    ExtraRow,
    /// A row's checksum does not fit its bytes.
    #[error("the checksum is wrong")]
    BadChecksum,
    /// A segment's first row does not hash over the end of the segment before.
    #[error("the row continues another log")]
    BrokenChain,
    /// A sealed segment's frozen hash is not that of its rows.
    #[error("the segment does not end with the hash it was sealed with")]
    WrongEnd,
    /// A row's bytes are not what any version wrote.
    #[error("the row cannot be read")]
    BadFrame,
    /// `low` does not begin with a complete checkpoint.
    #[error("the segment does not begin with a complete checkpoint")]
    NoCheckpoint,
    /// The chain reaches a segment that is neither sealed nor mine.
    #[error("the segment is open in the middle of the chain")]
    OpenSegment,
    /// The chain names a segment that does not come after the one that names it.
    #[error("the chain goes backwards")]
    ChainFalls,
    /// My own segment holds what I did not write.
    #[error("the segment was changed by somebody who does not own it")]
    ForeignState,
}

/// What was read.
pub(super) struct Replayed {
    pub(super) low: SegmentKey,
    pub(super) chain: Vec<SegmentKey>,
    pub(super) checkpoints: Vec<SegmentKey>,
    pub(super) leftovers: Vec<SegmentKey>,
    /// The hash at the end of everything.
    pub(super) hash: ChainHash,
}

/// How often reading begins again because the log was pruned meanwhile. Each time an owner advanced `low`, and an owner
/// that was overtaken does so at most once.
const RESTARTS: u32 = 16;

impl Replayed {
    /// Reads from a freshly read `low` to `mine`, the end of the chain, into `fold`.
    pub(super) async fn read(
        store: &dyn Store,
        options: &LogOptions,
        shard: ShardId,
        mine: SegmentKey,
        token: WriterToken,
        fold: &mut dyn Fold,
    ) -> Result<Self, TakeoverError> {
        let mut low = fresh_low(store, options, shard).await?;
        for _ in 0..RESTARTS {
            if low > mine {
                // My segment is on the chain, so whoever moved `low` past it has sealed it, folded what came before and
                // gone on. What begins at `low` is whole, and not mine to judge: its end is open to others.
                return Err(TakeoverError::Superseded { epoch: mine.epoch });
            }
            let mut reader = Reader::new(store, options, shard, mine, token, low, fold);
            let damage = match reader.read().await {
                Err(TakeoverError::Corrupt(damage)) => damage,
                Err(other) => return Err(other),
                Ok(()) => return Ok(reader.done),
            };
            // Rows vanish in two ways: pruned, after `low` moved past them, or lost. Static parts and `low` tell which,
            // since `low` moves before the rows go. No other damage is excused by a moved `low`, but looking again is
            // always allowed, and what is damaged above the new `low` is found again.
            let now = fresh_low(store, options, shard).await?;
            if now == low {
                return Err(damage.into());
            }
            low = now;
        }
        Err(TakeoverError::Outrun)
    }
}

async fn fresh_low(
    store: &dyn Store,
    options: &LogOptions,
    shard: ShardId,
) -> Result<SegmentKey, TakeoverError> {
    let asked = ask(options, Statement::Shard, || store.shard(shard)).await;
    let row = asked
        .map_err(|unanswered| TakeoverError::Store(unanswered.into_error()))?
        .answer;
    let missing = Corruption {
        segment: SegmentKey::ROOT.of(shard),
        n: 0,
        finding: Finding::MissingShard,
    };
    Ok(row.ok_or(missing)?.low)
}

struct Reader<'a> {
    store: &'a dyn Store,
    options: &'a LogOptions,
    shard: ShardId,
    mine: SegmentKey,
    token: WriterToken,
    fold: &'a mut dyn Fold,
    done: Replayed,
    /// The end of the segment before; not known at `low` unless that is the root.
    known: Option<ChainHash>,
    checkpoint: Checkpoint,
}

/// How far a segment's checkpoint was read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Checkpoint {
    /// Only checkpoint rows so far, maybe none.
    Open,
    Complete,
    /// A commit came first: an owner died while he wrote the checkpoint, or there is none.
    None,
}

impl<'a> Reader<'a> {
    fn new(
        store: &'a dyn Store,
        options: &'a LogOptions,
        shard: ShardId,
        mine: SegmentKey,
        token: WriterToken,
        low: SegmentKey,
        fold: &'a mut dyn Fold,
    ) -> Self {
        fold.begin();
        let hash = ChainHash::genesis(shard);
        let done = Replayed {
            low,
            chain: Vec::new(),
            checkpoints: Vec::new(),
            leftovers: Vec::new(),
            hash,
        };
        let known = (low == SegmentKey::ROOT).then_some(hash);
        Self {
            store,
            options,
            shard,
            mine,
            token,
            fold,
            done,
            known,
            checkpoint: Checkpoint::Open,
        }
    }

    async fn read(&mut self) -> Result<(), TakeoverError> {
        let mut key = self.done.low;
        loop {
            self.done.chain.push(key);
            self.checkpoint = Checkpoint::Open;
            let state = self.read_segment(key).await?;
            if key == self.mine {
                return self.check_mine(&state);
            }
            let Some(seal) = state.seal else {
                return Err(self.damage(key, state.next_n, Finding::OpenSegment));
            };
            if seal.next <= key {
                return Err(self.damage(key, state.next_n, Finding::ChainFalls));
            }
            if key == self.done.low
                && key != SegmentKey::ROOT
                && self.checkpoint != Checkpoint::Complete
            {
                return Err(self.damage(key, 0, Finding::NoCheckpoint));
            }
            key = seal.next;
        }
    }

    /// Reads one segment to its end, which is frozen: it is sealed, or it is mine and I have not written yet.
    async fn read_segment(&mut self, key: SegmentKey) -> Result<SegmentState, TakeoverError> {
        let mut n = 0;
        loop {
            let Some(SegmentChunk { state, rows }) = self.chunk(key, n).await? else {
                return Err(self.damage(key, n, Finding::MissingSegment));
            };
            if n < state.next_n && rows.is_empty() {
                return Err(self.damage(key, n, Finding::MissingRow));
            }
            for row in rows {
                if n >= state.next_n {
                    return Err(self.damage(key, n, Finding::ExtraRow));
                }
                self.row(key, n, row)?;
                n += 1;
            }
            if n == state.next_n {
                let end = if n == 0 {
                    ChainHash::EMPTY
                } else {
                    self.done.hash
                };
                return if state.last_hash == end {
                    Ok(state)
                } else {
                    Err(self.damage(key, n, Finding::WrongEnd))
                };
            }
        }
    }

    async fn chunk(
        &self,
        key: SegmentKey,
        from: u64,
    ) -> Result<Option<SegmentChunk>, TakeoverError> {
        let (store, segment) = (self.store, key.of(self.shard));
        let limit = ReadLimit {
            rows: self.options.read_rows,
            bytes: self.options.read_bytes,
        };
        let asked = ask(self.options, Statement::ReadRows, || {
            store.read_rows(segment, from, limit)
        })
        .await;
        Ok(asked
            .map_err(|unanswered| TakeoverError::Store(unanswered.into_error()))?
            .answer)
    }

    fn row(&mut self, key: SegmentKey, n: u64, row: Row) -> Result<(), TakeoverError> {
        if row.n != n {
            return Err(self.damage(key, n, Finding::MissingRow));
        }
        if crc32fast::hash(&row.payload) != row.crc {
            return Err(self.damage(key, n, Finding::BadChecksum));
        }
        let Some(frame) = Frame::decode(n, row.payload.clone()) else {
            return Err(self.damage(key, n, Finding::BadFrame));
        };
        if let Some(previous) = frame.previous {
            // At `low` what came before is gone, and the row's own word begins the chain.
            if self.known.is_some_and(|known| known != previous) {
                return Err(self.damage(key, n, Finding::BrokenChain));
            }
            self.done.hash = previous;
        }
        self.done.hash = self.done.hash.then(n, &row.payload);
        self.known = Some(self.done.hash);
        let kind = self.kind(key, n, frame.kind)?;
        self.fold_row(key, n, kind, frame.body)
    }

    /// Checkpoint rows come first in their segment, and end with one that says so.
    fn kind(&mut self, key: SegmentKey, n: u64, kind: Kind) -> Result<RowKind, TakeoverError> {
        match kind {
            Kind::Commit => {
                if self.checkpoint == Checkpoint::Open {
                    self.checkpoint = Checkpoint::None;
                }
                return Ok(RowKind::Commit);
            }
            Kind::CheckpointPart | Kind::CheckpointEnd { .. }
                if self.checkpoint != Checkpoint::Open =>
            {
                return Err(self.damage(key, n, Finding::BadFrame));
            }
            Kind::CheckpointPart => {}
            Kind::CheckpointEnd { replaced } => {
                self.checkpoint = Checkpoint::Complete;
                self.done.checkpoints.push(key);
                if key == self.done.low {
                    self.done.leftovers = replaced;
                }
            }
        }
        Ok(RowKind::Checkpoint)
    }

    fn fold_row(
        &mut self,
        key: SegmentKey,
        n: u64,
        kind: RowKind,
        body: Bytes,
    ) -> Result<(), TakeoverError> {
        let at = Position { segment: key, n };
        let segment = key.of(self.shard);
        self.fold
            .row(at, kind, body)
            .map_err(|source| TakeoverError::Fold { segment, n, source })
    }

    fn check_mine(&self, state: &SegmentState) -> Result<(), TakeoverError> {
        if state.writer != self.token || state.next_n != 0 {
            return Err(self.damage(self.mine, state.next_n, Finding::ForeignState));
        }
        if state.seal.is_some() {
            return Err(TakeoverError::Superseded {
                epoch: self.mine.epoch,
            });
        }
        Ok(())
    }

    fn damage(&self, key: SegmentKey, n: u64, finding: Finding) -> TakeoverError {
        Corruption {
            segment: key.of(self.shard),
            n,
            finding,
        }
        .into()
    }
}
