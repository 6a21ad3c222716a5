//! Mistakes that the protocol avoids, made on purpose: the conformance suite shows that its checks see each of them.

use bytes::Bytes;

use super::frame::Kind;
use super::{Position, ShardLog};
use crate::store::Cas;

impl ShardLog {
    /// Goes on in the old segment after a restart, as it stands, instead of taking the shard over.
    pub async fn resume_in_old_segment(&mut self) -> bool {
        let Ok(Some(state)) = self.store.segment(self.segment()).await else {
            return false;
        };
        if state.seal.is_some() || state.writer != self.token {
            return false;
        }
        self.head.n = state.next_n;
        self.stored_hash = state.last_hash;
        if state.next_n > 0 {
            self.chain_hash = state.last_hash;
        }
        self.stopped = None;
        true
    }

    /// Writes another payload into the slot of an append of unknown outcome, and takes a grown `next_n` for success.
    pub async fn append_into_same_slot(&mut self, body: Bytes) -> Option<Position> {
        let append = self.next_append(Kind::Commit, body);
        match self.store.append(&append).await {
            Ok(Cas::Applied) => Some(self.head),
            Ok(Cas::NotApplied(Some(found))) if found.next_n == append.row.n + 1 => Some(self.head),
            Ok(Cas::NotApplied(_)) | Err(_) => None,
        }
    }
}
