//! Beginning a new segment: create it, seal one's own tail naming it, write a checkpoint there; and handing over.

use bytes::Bytes;

use super::append::AppendError;
use super::ask::{Unanswered, ask, watched};
use super::frame::Kind;
use super::{Position, ShardLog, Stop, hint_tail};
use crate::store::{Cas, ChainHash, Seal, SegmentKey, Statement, StoreError};

impl ShardLog {
    /// Whether the open segment is large enough to be followed by another.
    pub fn should_rotate(&self) -> bool {
        self.bytes >= self.options.rotate_bytes
    }

    /// Goes on in a new segment that begins with this checkpoint: what the whole log before it amounts to, in at least
    /// one row. Answers the new segment, which [`Self::prune`] may be given once everything before it is dispensable.
    ///
    /// After [`AppendError::NotWritten`] the log goes on, in the old segment or in the new one; the checkpoint, if begun,
    /// is not complete, will not be used, and another rotation begins another. Other errors end the log.
    pub async fn rotate(
        &mut self,
        checkpoint: impl IntoIterator<Item = Bytes, IntoIter: Send>,
    ) -> Result<SegmentKey, AppendError> {
        if self.stopped.is_some() {
            return Err(AppendError::Stopped);
        }
        let Some(next) = self.head.segment.rotated() else {
            let segment = self.segment();
            return Err(AppendError::NotWritten(StoreError::SegmentFull { segment }));
        };
        self.create_next(next).await?;
        self.seal_mine(next).await?;

        // Sealed by me, with no append of mine under way: it is frozen where I am. And whoever takes over now follows my
        // seal to the new segment, which exists, and seals that one.
        self.stopped = None;
        self.head = Position {
            segment: next,
            n: 0,
        };
        self.stored_hash = ChainHash::EMPTY;
        self.bytes = 0;
        self.chain.push(next);
        self.write_checkpoint(checkpoint.into_iter()).await?;
        self.checkpoints.push(next);
        // Sealed at the checkpoint's last row: the hint is the next owner's by now.
        if self.stopped.is_none() {
            hint_tail(&*self.store, &self.options, self.segment()).await;
        }
        Ok(next)
    }

    /// Ends this log in favour of a claimed segment: a planned handover, at a commit boundary. `Ok` means that every commit
    /// so far is what the next owner reads, and that none follows. Should the claim never be completed, the next takeover
    /// finds its segment at the end of the chain, empty, and seals it.
    ///
    /// `next` comes from another node, by way of a message. A seal that names a segment which is not there, or not above
    /// this one, would end the chain for ever; so both are checked, and [`AppendError::NoClaim`] changes nothing.
    pub async fn hand_over(&mut self, next: SegmentKey) -> Result<(), AppendError> {
        if self.stopped.is_some() {
            return Err(AppendError::Stopped);
        }
        if next.epoch <= self.head.segment.epoch {
            return Err(AppendError::NoClaim { next });
        }
        let (store, id) = (&self.store, next.of(self.shard));
        let asked = ask(&self.options, Statement::Segment, || store.segment(id)).await;
        let claimed = asked
            .map_err(|unanswered| AppendError::NotWritten(unanswered.into_error()))?
            .answer;
        // Once created it is there for ever. Sealed, its claim is over, and the chain would lead on to whoever sealed it.
        if claimed.is_none_or(|claimed| claimed.seal.is_some()) {
            return Err(AppendError::NoClaim { next });
        }
        self.seal_mine(next).await?;
        self.stop(Stop::Sealed);
        Ok(())
    }

    /// Creates the segment that the rotation goes on in. Only the winner of my epoch creates under it, and I only once
    /// for each number, so that it exists already with my token only because of an attempt that was not answered.
    async fn create_next(&mut self, next: SegmentKey) -> Result<(), AppendError> {
        let at = self.head;
        let (store, token, id) = (&self.store, self.token, next.of(self.shard));
        let attempts = ask(&self.options, Statement::CreateSegment, || {
            store.create_segment(id, token)
        });
        let asked = watched(&self.progress, self.options.stalled_after, attempts).await;
        match asked.map(|asked| asked.answer) {
            Ok(Cas::Applied) => Ok(()),
            // Without doubt it is from a rotation that was given up after this step; it is as empty as a new one.
            Ok(Cas::NotApplied(found))
                if found.writer == token && found.next_n == 0 && found.seal.is_none() =>
            {
                Ok(())
            }
            Ok(Cas::NotApplied(_)) => {
                self.stop(Stop::InDoubt);
                Err(AppendError::Undetermined { at, source: None })
            }
            // Whether or not it exists, nothing names it yet, and creating it again is the identical statement.
            Err(Unanswered::Never(error) | Unanswered::Unknown(error)) => {
                Err(AppendError::NotWritten(error))
            }
        }
    }

    /// Seals my own tail. Leaves the log stopped, also if the future is dropped: the caller knows how it goes on.
    async fn seal_mine(&mut self, next: SegmentKey) -> Result<(), AppendError> {
        let at = self.head;
        let seal = Seal {
            by: self.token,
            next,
        };
        self.stopped = Some(Stop::InDoubt);
        let (store, segment) = (&self.store, self.segment());
        let attempts = ask(&self.options, Statement::Seal, || store.seal(segment, seal));
        let asked = watched(&self.progress, self.options.stalled_after, attempts).await;
        match asked.map(|asked| asked.answer) {
            Ok(Cas::Applied) => Ok(()),
            Ok(Cas::NotApplied(Some(found))) => match found.seal {
                Some(theirs) if theirs == seal => Ok(()),
                Some(_) => {
                    self.stop(Stop::Sealed);
                    Err(AppendError::Refused { at })
                }
                None => {
                    self.stop(Stop::InDoubt);
                    Err(AppendError::Undetermined { at, source: None })
                }
            },
            Ok(Cas::NotApplied(None)) => {
                self.stop(Stop::InDoubt);
                Err(AppendError::Undetermined { at, source: None })
            }
            Err(Unanswered::Never(error)) => {
                self.stopped = None;
                Err(AppendError::NotWritten(error))
            }
            Err(Unanswered::Unknown(error)) => {
                self.stop(Stop::InDoubt);
                Err(AppendError::Undetermined {
                    at,
                    source: Some(error),
                })
            }
        }
    }

    /// Writes the rows, the last one marked as such: only with that row is there a checkpoint.
    async fn write_checkpoint(
        &mut self,
        bodies: impl Iterator<Item = Bytes> + Send,
    ) -> Result<(), AppendError> {
        let mut bodies = bodies.peekable();
        loop {
            let body = bodies.next().unwrap_or_default();
            if bodies.peek().is_some() {
                self.append_frame(Kind::CheckpointPart, body).await?;
                continue;
            }
            let replaced = self
                .chain
                .iter()
                .copied()
                .filter(|key| *key != self.head.segment)
                .collect();
            self.append_frame(Kind::CheckpointEnd { replaced }, body)
                .await?;
            return Ok(());
        }
    }
}
