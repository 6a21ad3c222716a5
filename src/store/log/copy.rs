//! Writing a log down again in a store that has none, exactly as it was: what a restore does.
//!
//! Nobody else may use the shard meanwhile. The statements are those of the protocol, with their conditions, so that one
//! without an answer can be made again, and what is there and is not mine is refused.

use super::ask::{Asked, Unanswered, ask};
use super::frame::Frame;
use super::{LogOptions, Position};
use crate::ids::{Epoch, ShardId};
use crate::store::{
    Append, Cas, ChainHash, Row, Seal, SegmentKey, SegmentState, Statement, Store, StoreError,
    WriterToken,
};

/// Why a log was not written down.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The store did not answer, or cannot.
    #[error("store gave no answer")]
    Store(#[source] StoreError),
    /// Something is there already.
    #[error("shard {shard}: {statement} was refused: the shard is not empty, or somebody uses it")]
    Refused {
        /// Which shard.
        shard: ShardId,
        /// What.
        statement: Statement,
    },
    /// A row is not one of a log, or a segment does not end as it says.
    #[error("shard {shard}, segment {}, row {}: not what a log holds", at.segment, at.n)]
    Malformed {
        /// Which shard.
        shard: ShardId,
        /// Where.
        at: Position,
    },
}

/// A shard's log that is being written down.
pub struct LogCopy<'a> {
    store: &'a dyn Store,
    options: &'a LogOptions,
    shard: ShardId,
    at: Position,
    writer: WriterToken,
    /// What the static part's `last_hash` holds.
    stored: ChainHash,
}

impl<'a> LogCopy<'a> {
    /// Of a shard that has no row and no segments.
    pub fn new(store: &'a dyn Store, options: &'a LogOptions, shard: ShardId) -> Self {
        Self {
            store,
            options,
            shard,
            at: Position {
                segment: SegmentKey::ROOT,
                n: 0,
            },
            writer: WriterToken::ROOT,
            stored: ChainHash::EMPTY,
        }
    }

    /// Begins a segment.
    pub async fn segment(&mut self, key: SegmentKey, writer: WriterToken) -> Result<(), CopyError> {
        let segment = key.of(self.shard);
        let create = || self.store.create_segment(segment, writer);
        let created = ask(self.options, Statement::CreateSegment, create).await;
        match answered(created)? {
            Cas::Applied => {}
            Cas::NotApplied(found) if found == SegmentState::created_by(writer) => {}
            Cas::NotApplied(_) => return Err(self.refused(Statement::CreateSegment)),
        }
        (self.at, self.writer, self.stored) =
            (Position { segment: key, n: 0 }, writer, ChainHash::EMPTY);
        Ok(())
    }

    /// Writes the next row of the segment.
    pub async fn row(&mut self, row: Row) -> Result<(), CopyError> {
        let malformed = CopyError::Malformed {
            shard: self.shard,
            at: self.at,
        };
        let (n, frame) = (row.n, Frame::decode(row.n, row.payload.clone()));
        let previous = match frame {
            Some(Frame {
                previous: Some(previous),
                ..
            }) => previous,
            Some(_) if n > 0 => self.stored,
            Some(_) | None => return Err(malformed),
        };
        if n != self.at.n || crc32fast::hash(&row.payload) != row.crc {
            return Err(malformed);
        }
        let append = Append {
            segment: self.at.segment.of(self.shard),
            writer: self.writer,
            new_hash: previous.then(n, &row.payload),
            row,
            expected_hash: self.stored,
        };
        let appended = ask(self.options, Statement::Append, || {
            self.store.append(&append)
        })
        .await;
        match answered(appended)? {
            Cas::Applied => {}
            Cas::NotApplied(Some(found))
                if (found.next_n, found.last_hash) == (n + 1, append.new_hash) => {}
            Cas::NotApplied(_) => return Err(self.refused(Statement::Append)),
        }
        self.at.n = n + 1;
        self.stored = append.new_hash;
        Ok(())
    }

    /// Ends the segment as it was: at this row, with this hash, sealed or open.
    pub async fn segment_end(&mut self, state: &SegmentState) -> Result<(), CopyError> {
        if (state.writer, state.next_n, state.last_hash) != (self.writer, self.at.n, self.stored) {
            let (shard, at) = (self.shard, self.at);
            return Err(CopyError::Malformed { shard, at });
        }
        let Some(seal) = state.seal else {
            return Ok(());
        };
        self.seal(seal).await
    }

    async fn seal(&self, seal: Seal) -> Result<(), CopyError> {
        let segment = self.at.segment.of(self.shard);
        let sealed = ask(self.options, Statement::Seal, || {
            self.store.seal(segment, seal)
        })
        .await;
        match answered(sealed)? {
            Cas::Applied => Ok(()),
            Cas::NotApplied(Some(found)) if found.seal == Some(seal) => Ok(()),
            Cas::NotApplied(_) => Err(self.refused(Statement::Seal)),
        }
    }

    /// Writes the shard's row, after which the log is one: won up to this epoch, beginning at `low`, ending in the segment
    /// that was written last.
    pub async fn finish(self, epoch: Epoch, owner: &str, low: SegmentKey) -> Result<(), CopyError> {
        let (shard, tail) = (self.shard, self.at.segment);
        let win = || self.store.win_epoch(shard, None, epoch, owner);
        let won = ask(self.options, Statement::WinEpoch, win).await;
        match answered(won)? {
            Cas::Applied => {}
            Cas::NotApplied(Some(row)) if (row.epoch, &*row.owner) == (epoch, owner) => {}
            Cas::NotApplied(_) => return Err(self.refused(Statement::WinEpoch)),
        }
        if low != SegmentKey::ROOT {
            let advance = || self.store.advance_low(shard, SegmentKey::ROOT, low);
            let advanced = ask(self.options, Statement::AdvanceLow, advance).await;
            match answered(advanced)? {
                Cas::Applied => {}
                Cas::NotApplied(Some(row)) if row.low == low => {}
                Cas::NotApplied(_) => return Err(self.refused(Statement::AdvanceLow)),
            }
        }
        let hint = ask(self.options, Statement::SetTail, || {
            self.store.set_tail(shard, epoch, tail)
        });
        match answered(hint.await)? {
            Cas::Applied => Ok(()),
            Cas::NotApplied(_) => Err(self.refused(Statement::SetTail)),
        }
    }

    fn refused(&self, statement: Statement) -> CopyError {
        let shard = self.shard;
        CopyError::Refused { shard, statement }
    }
}

fn answered<T>(asked: Result<Asked<T>, Unanswered>) -> Result<T, CopyError> {
    match asked {
        Ok(asked) => Ok(asked.answer),
        Err(unanswered) => Err(CopyError::Store(unanswered.into_error())),
    }
}
