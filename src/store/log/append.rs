//! One commit, and how an unknown outcome is decided.

use bytes::Bytes;

use super::ask::{Unanswered, ask, watched};
use super::frame::{Frame, Kind, OVERHEAD};
use super::{Position, ShardLog, Stop};
use crate::store::{Append, Cas, Row, SegmentKey, SegmentState, Statement, StoreError};

/// Why a commit was not acknowledged.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Not in the log, and never will be: the segment was sealed before it. The log has ended; another owner goes on.
    #[error("refused at {at:?}: the shard has another owner")]
    Refused {
        /// The slot that it did not get.
        at: Position,
    },
    /// Not in the log, and never will be: the store took none of the attempts. The log goes on.
    #[error("not written")]
    NotWritten(#[source] StoreError),
    /// It may be in the log, or come to be in it. The log has ended; the next owner will know.
    #[error("undetermined at {at:?}")]
    Undetermined {
        /// The slot that it may have got.
        at: Position,
        /// What the store said last; `None` if it gave an answer that decides nothing.
        source: Option<StoreError>,
    },
    /// Not in the log, and never will be: the log had ended before.
    #[error("the log has ended")]
    Stopped,
    /// Nobody has an open claim of that name to hand the shard over to. The log goes on.
    #[error("not handed over: there is no open claim {next} of a higher epoch")]
    NoClaim {
        /// The segment that was named.
        next: SegmentKey,
    },
}

impl AppendError {
    /// Whether the commit is not in the log and never will be.
    pub fn is_never(&self) -> bool {
        match self {
            Self::Refused { .. } | Self::NotWritten(_) | Self::Stopped | Self::NoClaim { .. } => {
                true
            }
            Self::Undetermined { .. } => false,
        }
    }
}

/// What "not applied" says about an append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// An earlier attempt of mine was applied.
    Mine,
    /// No attempt was applied, and none ever will be.
    Never,
    /// It decides nothing.
    Undetermined,
}

/// Judges the values that a refused append found.
///
/// - `last_hash` is the hash of my row, and the row count fits: it was mine. Nobody else appends to my segment (its id
///   was never given to another), and two rows of mine never share a hash, since each hashes over the one before. That
///   the segment may be sealed by now changes nothing: the row is below the frozen `next_n`.
/// - Sealed, and `next_n` and `last_hash` are what my append expected: my row is not there; and since a seal is never
///   taken back and every append is conditional on its absence, no attempt of mine that is still under way can apply.
/// - Anything else, an absent segment included, cannot come from this protocol or does not say enough: `next_n` alone,
///   for instance, proves nothing. An open segment that holds all I expected should have taken the append.
pub(super) fn judge(append: &Append, found: Option<&SegmentState>) -> Verdict {
    let Some(found) = found.filter(|found| found.writer == append.writer) else {
        return Verdict::Undetermined;
    };
    if found.last_hash == append.new_hash && found.next_n == append.row.n + 1 {
        return Verdict::Mine;
    }
    if found.seal.is_some()
        && found.next_n == append.row.n
        && found.last_hash == append.expected_hash
    {
        return Verdict::Never;
    }
    Verdict::Undetermined
}

impl ShardLog {
    /// Appends one commit. `Ok` means that it is durable, in the log exactly once, and in every later owner's fold.
    ///
    /// If the future is dropped before it is ready, the outcome is unknown and the log has ended.
    pub async fn append(&mut self, body: Bytes) -> Result<Position, AppendError> {
        self.append_frame(Kind::Commit, body).await
    }

    pub(super) async fn append_frame(
        &mut self,
        kind: Kind,
        body: Bytes,
    ) -> Result<Position, AppendError> {
        if self.stopped.is_some() {
            return Err(AppendError::Stopped);
        }
        let (bytes, limit) = (body.len() as u64, self.options.row_bytes);
        if bytes > limit {
            return Err(AppendError::NotWritten(StoreError::TooLarge {
                statement: Statement::Append,
                bytes,
                limit,
            }));
        }
        let at = self.head;
        let append = self.next_append(kind, body);

        // From here on the statement may be on its way. Should this future be dropped, nobody learns what became of it,
        // and the slot must never be tried with another payload: so the log counts as stopped until an answer decides.
        self.stopped = Some(Stop::InDoubt);
        let store = &self.store;
        let attempts = ask(&self.options, Statement::Append, || store.append(&append));
        let asked = watched(&self.progress, self.options.stalled_after, attempts).await;
        let found = match asked.map(|asked| asked.answer) {
            Ok(Cas::Applied) => {
                self.stopped = None;
                self.advance(&append);
                return Ok(at);
            }
            Ok(Cas::NotApplied(found)) => found,
            Err(Unanswered::Never(error)) => {
                // No attempt will ever apply, so the slot is free, and using it again is not reuse.
                self.stopped = None;
                return Err(AppendError::NotWritten(error));
            }
            Err(Unanswered::Unknown(error)) => {
                self.stop(Stop::InDoubt);
                return Err(AppendError::Undetermined {
                    at,
                    source: Some(error),
                });
            }
        };
        match judge(&append, found.as_ref()) {
            Verdict::Mine => {
                self.stopped = None;
                self.advance(&append);
                if found.is_some_and(|found| found.seal.is_some()) {
                    self.stop(Stop::Sealed);
                }
                Ok(at)
            }
            Verdict::Never => {
                self.stop(Stop::Sealed);
                Err(AppendError::Refused { at })
            }
            Verdict::Undetermined => {
                self.stop(Stop::InDoubt);
                Err(AppendError::Undetermined { at, source: None })
            }
        }
    }

    /// The statement that writes this body into the next slot.
    pub(super) fn next_append(&self, kind: Kind, body: Bytes) -> Append {
        let n = self.head.n;
        let previous = (n == 0).then_some(self.chain_hash);
        let payload = Frame {
            kind,
            previous,
            body,
        }
        .encode();
        let new_hash = self.chain_hash.then(n, &payload);
        let crc = crc32fast::hash(&payload);
        Append {
            segment: self.segment(),
            writer: self.token,
            row: Row { n, payload, crc },
            expected_hash: self.stored_hash,
            new_hash,
        }
    }

    fn advance(&mut self, append: &Append) {
        self.head.n = append.row.n + 1;
        self.stored_hash = append.new_hash;
        self.chain_hash = append.new_hash;
        self.bytes += (append.row.payload.len() + OVERHEAD) as u64;
    }
}
