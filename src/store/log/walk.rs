//! Reading a shard's log without owning it: for copies and checks, beside a running server.
//!
//! A walk writes nothing, so it disturbs nobody, and it sees a prefix of the log: the end is where the open segment stood
//! when its last part was read. Unlike a takeover it goes on after damage as far as that means anything, and names what it
//! finds. Rows that are pruned while it reads make it begin again.

use super::ask::ask;
use super::frame::{Frame, Kind};
use super::replay::{Corruption, Finding};
use super::{LogOptions, Position, RowKind};
use crate::ids::ShardId;
use crate::store::{
    Cause, ChainHash, ReadLimit, Row, SegmentChunk, SegmentKey, SegmentState, ShardRow, Statement,
    Store, StoreError,
};
use bytes::Bytes;

/// What hears of a log that is walked, in the order of the log.
pub trait Visitor: Send {
    /// The walk begins, or begins again after the log was pruned meanwhile: forget everything.
    fn begin(&mut self, shard: &ShardRow) -> Result<(), Cause>;

    /// A segment begins. Of its state only the writer is final.
    fn segment(&mut self, key: SegmentKey, state: &SegmentState) -> Result<(), Cause>;

    /// The next row that can be read; `body` is what its log's owner wrote.
    fn row(&mut self, at: Position, kind: RowKind, row: &Row, body: Bytes) -> Result<(), Cause>;

    /// The checkpoint that this segment begins with is complete.
    fn checkpoint(&mut self, key: SegmentKey) -> Result<(), Cause>;

    /// A segment ends: where it was sealed, or, the last one, where it stood.
    fn segment_end(&mut self, key: SegmentKey, state: &SegmentState) -> Result<(), Cause>;

    /// Something cannot be what was written. Until the next segment begins, its rows may be wrong as well.
    fn damage(&mut self, damage: Corruption) -> Result<(), Cause>;
}

/// What was walked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walked {
    /// The shard's row, as of the beginning.
    pub row: ShardRow,
    /// Segments from `low` to the end.
    pub segments: u64,
    /// Their rows.
    pub rows: u64,
    /// Where the log stood: the last segment, and the number of its next row.
    pub end: Position,
}

/// Why a log was not walked to its end.
#[derive(Debug, thiserror::Error)]
pub enum WalkError {
    /// The store did not answer, or cannot.
    #[error("store gave no answer")]
    Store(#[source] StoreError),
    /// It was pruned again and again while it was read.
    #[error("the log was pruned {restarts} times while it was read")]
    Pruned {
        /// How often.
        restarts: u32,
    },
    /// The visitor wants no more.
    #[error(transparent)]
    Visitor(Cause),
}

/// How often a walk begins again. A log is pruned once in megabytes, so this is far more than a walk meets.
const RESTARTS: u32 = 64;

/// A chain of segments rises, so this only bounds the work.
const CHAIN: u64 = 1_000_000;

/// Walks a shard's log from `low` to its end. `None` if the shard was never owned.
///
/// # Errors
/// When the store does not answer, or the visitor refuses. Damage is no error: the visitor is told.
pub async fn walk(
    store: &dyn Store,
    options: &LogOptions,
    shard: ShardId,
    visitor: &mut dyn Visitor,
) -> Result<Option<Walked>, WalkError> {
    for _ in 0..RESTARTS {
        let Some(row) = shard_row(store, options, shard).await? else {
            return Ok(None);
        };
        visitor.begin(&row).map_err(WalkError::Visitor)?;
        let mut walk = Walk {
            store,
            options,
            shard,
            visitor: &mut *visitor,
            known: (row.low == SegmentKey::ROOT).then(|| ChainHash::genesis(shard)),
            low: row.low,
            rows: 0,
        };
        if let Some((segments, end)) = walk.chain(&row).await? {
            let rows = walk.rows;
            return Ok(Some(Walked {
                row,
                segments,
                rows,
                end,
            }));
        }
    }
    Err(WalkError::Pruned { restarts: RESTARTS })
}

async fn shard_row(
    store: &dyn Store,
    options: &LogOptions,
    shard: ShardId,
) -> Result<Option<ShardRow>, WalkError> {
    match ask(options, Statement::Shard, || store.shard(shard)).await {
        Ok(asked) => Ok(asked.answer),
        Err(unanswered) => Err(WalkError::Store(unanswered.into_error())),
    }
}

struct Walk<'a> {
    store: &'a dyn Store,
    options: &'a LogOptions,
    shard: ShardId,
    visitor: &'a mut dyn Visitor,
    /// The hash at the end of what was read; `None` where damage or pruning hides it.
    known: Option<ChainHash>,
    low: SegmentKey,
    rows: u64,
}

/// Where a segment's checkpoint stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Checkpoint {
    /// No row yet, or only parts.
    Open,
    Complete,
    /// A commit came first.
    None,
}

/// How a segment was read.
struct Part {
    state: SegmentState,
    checkpoint: Checkpoint,
    damaged: bool,
}

impl Walk<'_> {
    /// `None`: pruned meanwhile.
    async fn chain(&mut self, row: &ShardRow) -> Result<Option<(u64, Position)>, WalkError> {
        let (mut key, mut end) = (
            row.low,
            Position {
                segment: row.low,
                n: 0,
            },
        );
        for segments in 1..=CHAIN {
            let Some(part) = self.segment(key).await? else {
                if self.was_pruned().await? {
                    return Ok(None);
                }
                self.damage(key, 0, Finding::MissingSegment)?;
                return Ok(Some((segments - 1, end)));
            };
            if part.damaged && self.was_pruned().await? {
                return Ok(None);
            }
            end = Position {
                segment: key,
                n: part.state.next_n,
            };
            if key == row.low && key != SegmentKey::ROOT && part.checkpoint != Checkpoint::Complete
            {
                self.damage(key, 0, Finding::NoCheckpoint)?;
            }
            match part.state.seal {
                Some(seal) if seal.next > key => key = seal.next,
                Some(_) => {
                    self.damage(key, part.state.next_n, Finding::ChainFalls)?;
                    return Ok(Some((segments, end)));
                }
                None => {
                    // The hint is written only for segments that are on the chain.
                    if row.tail > key {
                        self.damage(key, part.state.next_n, Finding::OpenSegment)?;
                    }
                    return Ok(Some((segments, end)));
                }
            }
        }
        self.damage(key, 0, Finding::ChainFalls)?;
        Ok(Some((CHAIN, end)))
    }

    async fn was_pruned(&self) -> Result<bool, WalkError> {
        let row = shard_row(self.store, self.options, self.shard).await?;
        Ok(row.is_none_or(|row| row.low != self.low))
    }

    /// Reads one segment to its end. `None`: it does not exist.
    async fn segment(&mut self, key: SegmentKey) -> Result<Option<Part>, WalkError> {
        let Some(mut chunk) = self.chunk(key, 0).await? else {
            return Ok(None);
        };
        self.tell(|visitor| visitor.segment(key, &chunk.state))?;
        let mut reading = Reading {
            key,
            n: 0,
            hash: self.known,
            checkpoint: Checkpoint::Open,
            damaged: false,
        };
        loop {
            let SegmentChunk { state, rows } = chunk;
            let empty = rows.is_empty();
            for row in &rows {
                self.row(&mut reading, &state, row)?;
            }
            // Rows beyond the end are damage; after one of them nothing more is read.
            if empty && reading.n < state.next_n {
                self.damage_in(&mut reading, Finding::MissingRow)?;
                reading.n = state.next_n;
            }
            if reading.n >= state.next_n {
                return self.segment_end(reading, state).map(Some);
            }
            chunk = match self.chunk(key, reading.n).await? {
                Some(chunk) => chunk,
                None => return Ok(None),
            };
        }
    }

    fn segment_end(
        &mut self,
        mut reading: Reading,
        state: SegmentState,
    ) -> Result<Part, WalkError> {
        let end = match reading.n {
            0 => Some(ChainHash::EMPTY),
            _ => reading.hash,
        };
        if !reading.damaged && end != Some(state.last_hash) {
            self.damage_in(&mut reading, Finding::WrongEnd)?;
        }
        // What a damaged segment should have ended with, the static part still says.
        self.known = match state.next_n {
            0 => self.known,
            _ => Some(state.last_hash),
        };
        self.tell(|visitor| visitor.segment_end(reading.key, &state))?;
        Ok(Part {
            state,
            checkpoint: reading.checkpoint,
            damaged: reading.damaged,
        })
    }

    async fn chunk(&self, key: SegmentKey, from: u64) -> Result<Option<SegmentChunk>, WalkError> {
        let (store, segment) = (self.store, key.of(self.shard));
        let limit = ReadLimit {
            rows: self.options.read_rows,
            bytes: self.options.read_bytes,
        };
        let rows = || store.read_rows(segment, from, limit);
        match ask(self.options, Statement::ReadRows, rows).await {
            Ok(asked) => Ok(asked.answer),
            Err(unanswered) => Err(WalkError::Store(unanswered.into_error())),
        }
    }

    fn row(
        &mut self,
        reading: &mut Reading,
        state: &SegmentState,
        row: &Row,
    ) -> Result<(), WalkError> {
        if row.n > reading.n {
            self.damage_in(reading, Finding::MissingRow)?;
            reading.n = row.n;
        }
        if row.n >= state.next_n {
            self.damage_in(reading, Finding::ExtraRow)?;
            reading.n = row.n + 1;
            return Ok(());
        }
        self.rows += 1;
        let n = row.n;
        if crc32fast::hash(&row.payload) != row.crc {
            self.damage_in(reading, Finding::BadChecksum)?;
            reading.n = n + 1;
            return Ok(());
        }
        let Some(frame) = Frame::decode(n, row.payload.clone()) else {
            self.damage_in(reading, Finding::BadFrame)?;
            reading.n = n + 1;
            return Ok(());
        };
        if let Some(previous) = frame.previous {
            if reading.hash.is_some_and(|known| known != previous) {
                self.damage_in(reading, Finding::BrokenChain)?;
            }
            reading.hash = Some(previous);
        }
        reading.hash = reading.hash.map(|hash| hash.then(n, &row.payload));
        let mut completes = false;
        let kind = match frame.kind {
            Kind::Commit => {
                if reading.checkpoint == Checkpoint::Open {
                    reading.checkpoint = Checkpoint::None;
                }
                RowKind::Commit
            }
            Kind::CheckpointPart | Kind::CheckpointEnd { .. } => {
                if reading.checkpoint != Checkpoint::Open {
                    self.damage_in(reading, Finding::BadFrame)?;
                } else if matches!(frame.kind, Kind::CheckpointEnd { .. }) {
                    reading.checkpoint = Checkpoint::Complete;
                    completes = true;
                }
                RowKind::Checkpoint
            }
        };
        let at = Position {
            segment: reading.key,
            n,
        };
        reading.n = n + 1;
        self.tell(|visitor| visitor.row(at, kind, row, frame.body))?;
        if completes {
            self.tell(|visitor| visitor.checkpoint(at.segment))?;
        }
        Ok(())
    }

    fn damage_in(&mut self, reading: &mut Reading, finding: Finding) -> Result<(), WalkError> {
        reading.damaged = true;
        self.damage(reading.key, reading.n, finding)
    }

    fn damage(&mut self, key: SegmentKey, n: u64, finding: Finding) -> Result<(), WalkError> {
        let damage = Corruption {
            segment: key.of(self.shard),
            n,
            finding,
        };
        self.tell(|visitor| visitor.damage(damage))
    }

    fn tell(
        &mut self,
        tell: impl FnOnce(&mut dyn Visitor) -> Result<(), Cause>,
    ) -> Result<(), WalkError> {
        tell(self.visitor).map_err(WalkError::Visitor)
    }
}

/// A segment that is being read.
struct Reading {
    key: SegmentKey,
    /// The number of the row to come.
    n: u64,
    hash: Option<ChainHash>,
    checkpoint: Checkpoint,
    damaged: bool,
}
