//! Archived hands are kept for some days, then forgotten: a few at a time, so that nobody waits for it.

use crate::store::{Store, StoreError};

/// Forgets at most [`HANDS_A_STEP`] hands that ended more than so many days ago; 0 days keeps all for ever. Answers how many
/// were forgotten; as many as a step takes means that there may be more.
///
/// # Errors
/// When the store does not answer; trying again is safe.
pub async fn step(store: &dyn Store, days: u32, now_ms: u64) -> Result<u32, StoreError> {
    if days == 0 {
        return Ok(0);
    }
    let before_ms = now_ms.saturating_sub(u64::from(days) * DAY_MS);
    store.forget_hands(before_ms, HANDS_A_STEP).await
}

/// One short transaction: what a busy shard commits in between waits for it.
pub const HANDS_A_STEP: u32 = 256;
const DAY_MS: u64 = 86_400_000;
