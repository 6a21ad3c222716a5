//! What the protocol itself writes around a commit, inside a row's payload.
//!
//! ```text
//! kind      u8: 1 commit, 2 a part of a checkpoint, 3 a checkpoint's last row
//! previous  32 bytes, only in row 0: the hash that this row hashes over
//! replaced  only in kind 3: u32 count, then count × (epoch u64, k u32)
//! body      the rest, the caller's
//! ```
//!
//! Row 0 names the hash before it so that the chain can be checked from `low` on, when what came before is pruned. A
//! complete checkpoint names the segments that it makes unnecessary, so that whoever reads it can delete rows that a
//! crash between "advance `low`" and "delete" left behind. Integers are big-endian.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use crate::ids::Epoch;
use crate::store::segment::{ChainHash, SegmentKey};

/// What a row is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::store) enum Kind {
    Commit,
    CheckpointPart,
    /// The checkpoint is complete; these segments of the chain come before it.
    CheckpointEnd {
        replaced: Vec<SegmentKey>,
    },
}

/// A row's payload, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::store) struct Frame {
    pub(in crate::store) kind: Kind,
    /// In row 0 only.
    pub(in crate::store) previous: Option<ChainHash>,
    pub(in crate::store) body: Bytes,
}

/// The bytes that a frame adds at most, without the list of replaced segments.
pub(super) const OVERHEAD: usize = 1 + 32 + 4;

const COMMIT: u8 = 1;
const CHECKPOINT_PART: u8 = 2;
const CHECKPOINT_END: u8 = 3;
const KEY_BYTES: usize = 12;

impl Frame {
    pub(in crate::store) fn encode(&self) -> Bytes {
        let mut out = BytesMut::with_capacity(OVERHEAD + self.body.len());
        let (kind, replaced) = match &self.kind {
            Kind::Commit => (COMMIT, None),
            Kind::CheckpointPart => (CHECKPOINT_PART, None),
            Kind::CheckpointEnd { replaced } => (CHECKPOINT_END, Some(replaced)),
        };
        out.put_u8(kind);
        if let Some(previous) = self.previous {
            out.put_slice(&previous.0);
        }
        if let Some(replaced) = replaced {
            out.put_u32(replaced.len() as u32);
            for key in replaced {
                out.put_u64(key.epoch.0);
                out.put_u32(key.k);
            }
        }
        out.put_slice(&self.body);
        out.freeze()
    }

    /// `None` if no version of this code wrote these bytes as row `n`.
    pub(in crate::store) fn decode(n: u64, mut bytes: Bytes) -> Option<Self> {
        let kind = bytes.try_get_u8().ok()?;
        let mut previous = None;
        if n == 0 {
            let mut hash = [0; 32];
            bytes.try_copy_to_slice(&mut hash).ok()?;
            previous = Some(ChainHash(hash));
        }
        let kind = match kind {
            COMMIT => Kind::Commit,
            CHECKPOINT_PART => Kind::CheckpointPart,
            CHECKPOINT_END => Kind::CheckpointEnd {
                replaced: decode_keys(&mut bytes)?,
            },
            _ => return None,
        };
        Some(Self {
            kind,
            previous,
            body: bytes,
        })
    }
}

fn decode_keys(bytes: &mut Bytes) -> Option<Vec<SegmentKey>> {
    let count = bytes.try_get_u32().ok()? as usize;
    if bytes.remaining() / KEY_BYTES < count {
        return None;
    }
    Some(
        (0..count)
            .map(|_| SegmentKey {
                epoch: Epoch(bytes.get_u64()),
                k: bytes.get_u32(),
            })
            .collect(),
    )
}
