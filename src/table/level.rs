//! Which forms of events, snapshots and settings may be written.
//!
//! A node reads the forms that its release knows. Those that the release before did not know are written only once the
//! store's record allows it; until then a node of that release can take any shard over, and an upgrade can be taken back.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};

use engine::{ButtonRule, Settings};

use super::request::CallError;
use crate::store::{Cas, Store, StoreError};

/// The highest level that this release reads and writes. A new store begins with it.
pub const KNOWN: u32 = GAMES;

/// Plain no-limit Hold'em with a dead button.
const PLAIN: u32 = 1;
/// Every other game, and the moving button.
const GAMES: u32 = 2;

/// What the store's record said last. It only rises.
#[derive(Clone, Debug, Default)]
pub(super) struct Level(Arc<AtomicU32>);

/// The level that a table of these settings is written at.
pub fn needed(settings: &Settings) -> u32 {
    match settings.button {
        ButtonRule::Dead if settings.game.is_plain() => PLAIN,
        ButtonRule::Dead | ButtonRule::Moving => GAMES,
    }
}

impl Level {
    /// Whether forms of this level may be written. The record is read only for what it did not allow when it was read last.
    /// A node that is alone raises it: there is nobody who would not read them.
    pub(super) async fn allow(
        &self,
        needed: u32,
        store: &dyn Store,
        alone: bool,
    ) -> Result<(), CallError> {
        if needed <= PLAIN || needed <= self.0.load(Relaxed) {
            return Ok(());
        }
        let record = store.cluster().await.map_err(no_answer)?;
        let mut stored = record.map_or(0, |record| record.feature_level);
        if stored > 0 && stored < needed && alone {
            stored = match store.raise_feature_level(stored, needed).await {
                Ok(Cas::Applied) => needed,
                Ok(Cas::NotApplied(record)) => record.map_or(0, |record| record.feature_level),
                Err(error) => return Err(no_answer(error)),
            };
        }
        if stored < needed {
            let text = format!(
                "the cluster is at feature level {stored}, and this table needs {needed}: once every node runs a release \
                 that knows it, `orp admin level --raise`"
            );
            return Err(CallError::Refused {
                rule: "FeatureLevel",
                text,
            });
        }
        self.0.fetch_max(stored, Relaxed);
        Ok(())
    }
}

fn no_answer(error: StoreError) -> CallError {
    tracing::warn!(%error, "feature level not read");
    CallError::Busy {
        reason: "the store gives no answer",
        retry_after: RETRY,
    }
}

/// A store that lost its quorum takes about this long to find it again.
const RETRY: Duration = Duration::from_millis(250);
